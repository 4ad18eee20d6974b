"""Gate 3, evidence: what the playbook must know of a customer is known and fresh."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.policy.gates.cases import Case, Stories
from tests.policy.people import AT, one, person, stories

CASES: dict[str, Case] = {
    "cancelled-owner": (
        {"contact": {"owner_id": "own-gone"}}, "fail:owner", "suppress", "evidence_missing:owner",
        "complete_evidence"),
    "approves-offers-only": (
        {"contact": {"owner_id": "own-olu"}}, "fail:owner", "suppress", "evidence_missing:owner",
        "complete_evidence"),
    "no-history": (
        {"purchases": {"purchases": 0}}, "fail:purchase_history", "suppress",
        "evidence_missing:purchase_history", "complete_evidence"),
    "no-value": (
        {"contact": {"value_tier": None}, "purchases": {"margin_known_rows": 0}}, "fail:value_tier",
        "suppress", "evidence_missing:value_tier", "complete_evidence"),
    "notes-unread": (
        {"contact": {"has_notes": None}}, "fail:relationship_notes", "suppress",
        "evidence_missing:relationship_notes", "complete_evidence"),
}  # fmt: skip
ASKED = Stories("evidence", CASES)


@pytest.mark.parametrize("story", CASES)
def test_alone(story: str) -> None:
    """What it answers, what that leads to, why, and what to do next."""
    ASKED.check(story)


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        ("contacts", "last_activity"), ("purchases", "last_activity"), ("engagements", "last_activity"),
        ("cases", "inactivity_reason"), ("consents", "consent"), ("suppressions", "consent"),
        ("offers", "offer_boundaries"),
    ],
)  # fmt: skip
def test_a_table_that_was_not_read_permits_nobody(table: str, missing: str) -> None:
    """Missing is unknown, and unknown is no; without the cases nobody knows of an open issue either."""
    row = one(person(), absent=[table])

    assert (row["decision"], row["reason_codes"][0]) == ("suppress", f"evidence_missing:{missing}")
    assert row["gate_no_open_issue"] == ("fail:cases_unread" if table == "cases" else "pass")


def test_a_stale_source_permits_nobody() -> None:
    """More than 24 hours before the as-of."""
    fresh, stale = AT - timedelta(hours=24), AT - timedelta(hours=24, seconds=1)

    assert one(person(), speaks_as_of=fresh)["decision"] == "enrol"
    assert one(person(), speaks_as_of=stale)["decision"] == "suppress"


def test_the_owner_is_the_contacts_else_the_segments() -> None:
    """``contacts.owner_id`` overrides the playbook."""
    rows = stories({"own": {"contact": {"owner_id": "own-ben"}}, "segment": {}})

    assert (rows["own"]["owner_id"], rows["segment"]["owner_id"]) == ("own-ben", "own-ada")
