"""What time can change about a claim, read again right before the send."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.ledgers import NOW
from tests.steps.drafting import claim

from reactivation import paths
from reactivation.messages.claims import ClaimText
from reactivation.playbooks.loader import load_playbook
from reactivation.steps.verdicts import Verdict, claims_hold

URGENT = load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml").playbook.touch(5)
WORDS = ClaimText("Eleven mornings are left.", "ab" * 32)
DRAFT = {"claims": [{"claim_id": "m-1", "text_digest": "ab" * 32}]}


def stock(**changes: Any) -> dict[str, Any]:
    return claim("m-1", kind="stock", valid_until=None) | changes


def said(*latest: dict[str, Any], words: ClaimText | None = WORDS, draft: dict[str, Any] = DRAFT) -> Verdict | None:
    return claims_hold(draft, URGENT, {row["claim_id"]: row for row in latest}, lambda _: words, NOW)


def test_a_claim_that_still_stands_keeps_nothing() -> None:
    """The same row or a newer one, as long as its words are those that were signed."""
    assert said(stock()) is None
    assert said(stock(captured_at=NOW, evidence_ref="evidence/2.pdf")) is None


def test_a_draft_without_claims_asks_for_none() -> None:
    """Whatever the source says."""
    assert said(draft={"claims": []}) is None


def test_evidence_of_yesterday_waits_for_todays() -> None:
    """Somebody may count again while the window lasts; the signed words stay as they are."""
    assert said(stock(captured_at=NOW - timedelta(hours=25))) == Verdict("wait", "claim_stale")


@pytest.mark.parametrize(("latest", "words", "reason"), [
    ([], WORDS, "claim_withdrawn"), ([stock()], None, "claim_text_changed"),
    ([stock()], ClaimText("Ten mornings are left.", "cd" * 32), "claim_text_changed"),
    ([stock(rights_ok=False)], WORDS, "claim_without_rights"), ([stock(reviewed_at=None)], WORDS, "claim_not_reviewed"),
    ([stock(valid_until=NOW)], WORDS, "claim_expired"), ([stock(kind="review")], WORDS, "claim_kind"),
])  # fmt: skip
def test_a_fallen_claim_is_asked_about_anew(latest: list[dict[str, Any]], words: ClaimText | None, reason: str) -> None:
    """What was signed is no longer true, so it is held and drafted again."""
    assert said(*latest, words=words) == Verdict("hold", reason)
