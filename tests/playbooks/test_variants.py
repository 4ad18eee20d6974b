"""Variants of a playbook: what may be declared, how a wrong one is refused, and what the playbook is as one of them."""

from __future__ import annotations

import pytest

from reactivation import paths
from reactivation.playbooks.loader import PlaybookError, parse_playbook

TEXT = (paths.PLAYBOOKS / "customer_reactivation.yaml").read_text(encoding="utf-8")
GOOD = """
variants:
  - {variant: control, share: 0.5}
  - variant: plain
    share: 0.25
    touches: [{number: 1, subject: "One thing, if I may"}, {number: 3, offer: offer-credit-10}]
  - {variant: trusting, share: 0.25, touches: [{number: 2, template: trust}]}
"""


def refused(before: str, after: str, text: str = TEXT) -> str:
    """What is said of the playbook with some words of its variants changed."""
    assert before in GOOD
    with pytest.raises(PlaybookError) as caught:
        parse_playbook(text + GOOD.replace(before, after, 1), "p.yaml")
    return str(caught.value)


def test_without_variants_there_is_one_way() -> None:
    """The playbook as it stands."""
    playbook = parse_playbook(TEXT, "p.yaml")
    assert (playbook.control, playbook.ways) == (None, (playbook,))
    assert playbook.of_variant(None) is playbook


def test_a_variant_changes_what_it_says_and_nothing_else() -> None:
    """The control nothing at all."""
    playbook = parse_playbook(TEXT + GOOD, "p.yaml")
    assert playbook.control == "control"
    assert playbook.of_variant("control").touches == playbook.touches
    plain = playbook.of_variant("plain")
    assert (plain.touch(1).subject, plain.touch(1).template) == ("One thing, if I may", "curiosity")
    assert (plain.touch(3).offer, plain.touch(3).subject) == ("offer-credit-10", None)
    assert plain.touches[3:] == playbook.touches[3:]
    assert playbook.of_variant("trusting").touch(2).template == "trust"
    assert [way.touch(2).template for way in playbook.ways] == ["relevance", "relevance", "trust"]


def test_a_variant_there_is_not_is_an_error() -> None:
    """Never a silent control."""
    with pytest.raises(KeyError, match="has no variant bold"):
        parse_playbook(TEXT + GOOD, "p.yaml").of_variant("bold")


@pytest.mark.parametrize(("before", "after", "message"), [
    ("share: 0.5", "share: 0.4", "the shares must sum to 1, found 0.9"),
    ("share: 0.5", "share: 0", "expected greater than 0"),
    ("variant: trusting", "variant: plain", "plain stands here twice"),
    ("share: 0.5}", "share: 0.5, touches: [{number: 4, subject: Hello}]}",
     "exactly one variant changes nothing, and is the control; found none"),
    (", touches: [{number: 2, template: trust}]", "",
     "exactly one variant changes nothing, and is the control; found control, trusting"),
    ("number: 1,", "number: 3,", "plain changes a touch twice"),
    ("number: 1,", "number: 8,", "expected less than or equal to 7"),
    ('{number: 1, subject: "One thing, if I may"}', "{number: 1}", "plain, touch 1: changes nothing"),
    ("template: trust", "template: relevance", "trusting, touch 2: template is what the touch has already"),
    ("number: 2, template: trust", "number: 4, offer: offer-credit-10", "this touch makes none"),
    ("number: 2,", "number: 7,", "changes touch 7 of day 34, but people are compared by what they did within 30 days"),
    ("variant: trusting", "variant: Trusting", "variants[2].variant"),
    ("variant: trusting", "variant: a_name_of_more_than_24_chars", "at most 24 characters"),
    ('"One thing, if I may"', '"One\\nthing"', "variants[1].touches[0].subject"),
    ("number: 1, subject", "number: 1, subjekt", "did you mean subject?"),
])  # fmt: skip
def test_a_wrong_one_is_refused(before: str, after: str, message: str) -> None:
    """With the field and what was expected."""
    assert message in refused(before, after)


def test_one_alone_is_compared_with_nothing() -> None:
    """A control needs a rival."""
    with pytest.raises(PlaybookError, match="declare a second, or none"):
        parse_playbook(TEXT + "\nvariants: [{variant: control, share: 0.9}]\n", "p.yaml")


def test_a_touch_the_playbook_does_not_have_is_named() -> None:
    """By its number."""
    without = "\n".join(line for line in TEXT.splitlines() if "number: 2," not in line)
    assert "trusting changes touch 2, which the playbook does not have" in refused("share: 0.5", "share: 0.5", without)


def test_what_the_ledger_could_not_name_is_refused() -> None:
    """A stop of a variant is one word of at most eighty characters."""
    long = TEXT.replace("business:", f"{'b' * 50}:")
    assert "is longer than 80 characters" in refused("share: 0.5", "share: 0.5", long)


def test_the_example_of_the_page_can_be_declared() -> None:
    """As it stands there."""
    page = (paths.INCLUDE.parent / "docs" / "playbooks.md").read_text(encoding="utf-8")
    example = page.partition("## Variants")[2].partition("```yaml\n")[2].partition("```")[0]
    assert [one.variant for one in parse_playbook(TEXT + example, "p.yaml").variants] == ["control", "asking", "less"]
