"""An enrolment and what a source may say of its customer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reactivation.ledger.enrolments import Enrolment

NOW = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=3)

ENROLMENT = Enrolment(
    enrolment_id="e-1", playbook="customer_reactivation", run_id="r-1", customer_id="c-ada", account_id=None,
    segment="household", owner_id="own-ada", decision="enrol", review_reasons=(), state="active",
    enrolled_at=SINCE + timedelta(days=1), plan_ends_at=NOW + timedelta(days=30), ended_at=None, exit_reason=None,
    rules_version="2026.1", as_of=SINCE + timedelta(days=1),
)  # fmt: skip


def told(kind: str, at: datetime = NOW - timedelta(hours=1), **changes: Any) -> dict[str, Any]:
    """One row as a source tells it."""
    row = {
        "event_id": f"engagements:{kind}", "customer_id": "c-ada", "occurred_at": at, "kind": kind, "channel": "email",
        "touch_id": None, "offer_code": None, "amount": None, "currency": None, "discount": None, "about": None,
    }  # fmt: skip
    return row | changes
