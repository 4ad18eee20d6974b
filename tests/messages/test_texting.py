"""Text messages: who writes, how to leave, where links lead, and what carriers refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.messages.letters import TENANT, WAY_OUT, text_message

from reactivation.messages.lint import lint
from reactivation.messages.proof import Proof
from reactivation.playbooks.tenant import SHORTENERS


def codes(judged: Proof) -> set[str]:
    return {finding.code for finding in lint(judged)}


@pytest.mark.parametrize("words", [
    "It has been a while.", "Shall we come in spring? https://harbour-finch.example/account", "Reply STOP or write.",
    "The BBC came too.",
])  # fmt: skip
def test_a_faultless_text_has_no_findings(words: str) -> None:
    """One link to the tenant, short capitals and ordinary words pass."""
    assert lint(text_message(words)) == ()


@pytest.mark.parametrize(("text", "code"), [
    (f"Hello from Harbour & Finch: all well? {WAY_OUT}", "sms_brand"),
    (f"Harbour & Finch writes: all well? {WAY_OUT}", "sms_brand"),
    ("Harbour & Finch: all well?", "sms_opt_out"),
    ("Harbour & Finch: all well? Reply NO to leave", "sms_opt_out"),
    (f"Harbour & Finch: all well?? We’d like to know. {WAY_OUT}", "sms_alphabet"),
    (f"Harbour & Finch: {'word ' * 60}{WAY_OUT}", "sms_long"),
    (f"Harbour & Finch: COME BACK TODAY {WAY_OUT}", "sms_shouts"),
    (f"Harbour & Finch: come back!! {WAY_OUT}", "sms_shouts"),
    (f"Harbour & Finch: {TENANT.account_url} {TENANT.account_url}/x {WAY_OUT}", "sms_links"),
    (f"Harbour & Finch: http://harbour-finch.example/x {WAY_OUT}", "link_foreign"),
    (f"Harbour & Finch: www.evil.test {WAY_OUT}", "link_foreign"),
    (f"Harbour & Finch: https://evil.test {WAY_OUT}", "link_foreign"),
    (f"Harbour & Finch: hello {{{{ name }}}} {WAY_OUT}", "template_leftover"),
    (f"Harbour & Finch: hello\x07 {WAY_OUT}", "hidden_characters"),
    (f"Harbour & Finch: a discount for you {WAY_OUT}", "incentive_without_offer"),
    (f"Harbour & Finch: a bottle of wine and a casino night {WAY_OUT}", "sms_prohibited"),
])  # fmt: skip
def test_each_fault_is_found(text: str, code: str) -> None:
    """Brand, way out, alphabet, length, noise, links, leftovers, incentives, trades carriers refuse."""
    assert code in codes(text_message(text=text))


@pytest.mark.parametrize("host", sorted(SHORTENERS))
def test_public_shorteners_are_refused(host: str) -> None:
    """They hide where a link leads, and belong to everybody."""
    assert {"sms_shortener", "link_foreign"} <= codes(text_message(f"Look: https://{host}/x"))


def test_the_sender_is_the_declared_number() -> None:
    """No other number, and no name that cannot be answered with STOP."""
    assert codes(text_message(sender="+447700900999")) == {"sender_foreign"}


def test_the_tenants_trade_is_judged_too() -> None:
    """What carriers refuse is refused whatever the words."""
    assert TENANT.sms is not None
    casino = TENANT.model_copy(update={"sms": TENANT.sms.model_copy(update={"category": "online casino"})})
    assert codes(text_message(tenant=casino)) == {"sms_prohibited"}


@pytest.mark.parametrize("changes", [{"subject": "Re: hello"}, {"headers": ()}, {"html": ""}])
def test_rules_of_letters_do_not_apply(changes: dict[str, Any]) -> None:
    """A text message has no postal address, no second part and no headers."""
    assert lint(replace(text_message(), **changes)) == ()


def test_both_answers_are_words_to_reply_with() -> None:
    """Closing is asked about only where keeping is as easy."""
    words = "should we keep your account? Reply KEEP"
    assert "answer_missing" in codes(text_message(words))
    assert "answer_missing" not in codes(text_message(f"{words} or CLOSE."))
