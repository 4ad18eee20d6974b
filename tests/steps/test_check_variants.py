"""``check`` of a playbook with variants: each is held to what every message is, where it stands in the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.builders import offer, tables, write_source

from reactivation import paths
from reactivation.steps.check import check
from reactivation.steps.settings import Settings

VARIANTS = """
variants:
  - {variant: control, share: 0.5}
  - {variant: asking, share: 0.25, touches: [{number: 1, subject: "A question, {{ owner_name }} asks"}]}
  - {variant: less, share: 0.25, touches: [{number: 3, offer: offer-credit-10}]}
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what is declared, and a source with two credits."""
    shutil.copytree(paths.INCLUDE, tmp_path / "include")
    smaller = offer("offer-credit-10", value=10, unit_cost=10, terms="10 pounds off your next booking.")
    write_source(tmp_path / "source", offers=[*tables()["offers"], smaller])
    return tmp_path


def findings(house: Path, before: str = "", after: str = "") -> list[str]:
    file = house / "include" / "playbooks" / "customer_reactivation.yaml"
    assert before in VARIANTS
    text = file.read_text(encoding="utf-8")
    file.write_text(text + VARIANTS.replace(before, after, 1), encoding="utf-8")
    include = house / "include"
    settings = Settings(
        home=house, ledger_url="", address_keys=(), source=str(house / "source"), owners=include / "owners.yaml",
        tenant=include / "tenant.yaml", playbooks=include / "playbooks",
    )  # fmt: skip
    told = check(settings, include)
    assert all(found.line > text.count("\n") + 1 for found in told if found.field.startswith("variants"))
    return [f"{found.field}: {found.message}" for found in told]


def test_variants_that_hold_have_no_findings(house: Path) -> None:
    """A subject of allowed fields, and a smaller offer of the same kind."""
    assert findings(house) == []


@pytest.mark.parametrize(("before", "after", "found"), [
    ("{{ owner_name }}", "{{ owner }}", "variants.1.touches.0.subject: owner is no personalisation field"),
    ("{{ owner_name }}", "{{ owner_name", "variants.1.touches.0.subject: is no template"),
    ("{{ owner_name }}", "{% include 'x' %}", "variants.1.touches.0.subject: includes another file"),
    ("A question,", "RE: a question,", "variants.1.touches.0: template curiosity: email: the subject begins like"),
    ("A question,", "20% off,", "variants.1.touches.0: template curiosity: email:"),
    ("number: 1, subject: \"A question, {{ owner_name }} asks\"", "number: 1, template: value_reward",
     "variants.1.touches.0: template value_reward: email:"),
    ("number: 1, subject: \"A question, {{ owner_name }} asks\"", "number: 1, template: nowhere",
     ": cannot be read"),
    ("offer-credit-10", "offer-credit-1", "variants.2.touches.0.offer: the source has no offer offer-credit-1; did"),
    ("offer-credit-10", "offer-percent-20",
     "variants.2.touches.0.offer: offer-percent-20 cannot take the place of offer-credit-15 because of its kind"),
])  # fmt: skip
def test_what_does_not_hold_is_found_where_it_stands(house: Path, before: str, after: str, found: str) -> None:
    """File, line, field, and what was expected."""
    told = findings(house, before, after)
    assert any(one.startswith(found) for one in told), told


def test_a_variant_offers_no_more_than_the_touch(house: Path) -> None:
    """The margin guard judges by the touch's own offer."""
    offers = [*tables()["offers"], offer("offer-credit-10", value=25, unit_cost=25)]
    write_source(house / "source", offers=offers)
    (told,) = findings(house)
    assert "because of its value" in told
