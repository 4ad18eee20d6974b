"""docs/rules.md is what the rules are: written from them, with sentences that stand in the source documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sample.real import real_file

from reactivation.steps.rules import read_rules
from tools import rules_page

SEEDS = {
    "000": "000_customer_reactivation_workflow.txt", "001": "001_dormant_account_outreach_workflow.txt",
    "003": "003_customer_reactivation_framework.txt",
}  # fmt: skip


def test_the_page_is_what_the_rules_are() -> None:
    """Whoever changes a rule writes the page anew."""
    written = rules_page.PAGE.read_text(encoding="utf-8")

    assert written == rules_page.page(), f"docs/rules.md is not what the rules are; run: {rules_page.COMMAND}"


def test_its_sentences_are_those_of_the_source_documents() -> None:
    """Word for word, in a document that has the heading."""
    texts = {number: real_file(f"../seeds/{name}").read_text(encoding="utf-8") for number, name in SEEDS.items()}
    for chapter in rules_page.read_words().chapters.values():
        for one in chapter.sources:
            assert one.sentence in texts[one.document[:3]], one
            assert one.document[5:] in texts[one.document[:3]], one


def test_a_rule_is_somebodys() -> None:
    """A source document's, the law's, the mailbox providers', or our own default."""
    told = {about.whose for chapter in rules_page.read_words().chapters.values() for about in chapter.fields.values()}

    assert told <= {*SEEDS, "law", "providers", "our default"}


@pytest.mark.parametrize("gone", ["caps.any_hours", "role_accounts", "countries"])
def test_a_rule_without_words_is_refused(gone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so are words about a rule that is not there."""
    words = tmp_path / "rules_words.yaml"
    text = rules_page.WORDS.read_text(encoding="utf-8")
    words.write_text(text.replace(f"\n      {gone}:\n", "\n      other:\n"), encoding="utf-8")
    monkeypatch.setattr(rules_page, "WORDS", words)

    with pytest.raises(ValueError, match=f"do not speak of the same rules: .*{gone}"):
        rules_page.page()


def test_every_rule_of_permission_is_in_a_row() -> None:
    """Each place, channel and basis with how long it holds."""
    page = rules_page.PAGE.read_text(encoding="utf-8")
    for key, regime in read_rules().permission.regimes.items():
        place = page.partition(f"Field `regimes.{key}`")[2].partition("\n#")[0]
        for channel, bases in (("e-mail", regime.email), ("SMS", regime.sms)):
            for basis, accepted in bases.items():
                holds = "no end" if accepted.months is None else f"{accepted.months} months"
                assert f"| {channel} | `{basis}` | {holds} |" in place
