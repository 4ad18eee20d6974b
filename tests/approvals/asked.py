"""One frozen list as its signers meet it, and a complete, valid answer to it; tests change one thing at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reactivation.approvals import AskedList
from reactivation.ledger.lists import ListItem

#: A Tuesday, 11:00 UTC.
NOW = datetime(2026, 11, 17, 11, 0, tzinfo=UTC)
CODE = "3fa91c07"
POINTS = ("offer", "tone", "consent_exceptions")
GROUP = ("t-3", "t-4", "t-5", "t-6")
INDIVIDUAL = ("t-1", "t-2")


def item(position: int, customer_id: str, *, individual: bool = False) -> ListItem:
    """Item n of the list is touch t-n."""
    reasons = ("high_value",) if individual else ()
    return ListItem(position, f"t-{position}", customer_id, f"{position}" * 64, individual, reasons)


ITEMS = (
    item(1, "c-ada", individual=True), item(2, "c-ben", individual=True),
    item(3, "c-cem"), item(4, "c-dov"), item(5, "c-eva"), item(6, "c-fay"),
)  # fmt: skip


def asked(**changes: Any) -> AskedList:
    """A household list that Ada (or Ben, her delegate) may sign; Ada has seen all of it, Ben nothing."""
    facts: dict[str, Any] = {
        "list_id": "l-1", "state": "open", "expires_at": NOW + timedelta(days=3), "signing_code": CODE,
        "signers": frozenset({"ada", "ben"}), "authors": frozenset({"operator"}), "items": ITEMS,
        "review_points": POINTS, "sample_size": 3, "views": {"ada": frozenset({*GROUP, *INDIVIDUAL})},
    }  # fmt: skip
    return AskedList(**(facts | changes))


def form(**changes: Any) -> dict[str, Any]:
    """A complete form: the code, everything ok, nobody left out, no individual item named."""
    filled: dict[str, Any] = {"signing_code": CODE, "left_out": "", "individual": "", "reason": ""}
    return filled | {f"point_{point}": "ok" for point in POINTS} | changes


def event(option: str = "Sign", *, by: Any = "ada", **form_changes: Any) -> dict[str, Any]:
    """What Airflow hands to ``execute_complete`` after that answer."""
    return {
        "chosen_options": [option],
        "params_input": form(**form_changes),
        "responded_at": NOW,
        "responded_by_user": {"id": by, "name": "somebody"},
        "timedout": False,
    }
