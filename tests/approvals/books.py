"""A ledger with one run of drafted touches in it, written row by row, for tests of lists and answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, select
from tests.approvals.asked import CODE, NOW

from reactivation.ledger import lists, questions
from reactivation.ledger.lists import ListItem, ListSigner
from reactivation.ledger.tables import enrolments, runs, snapshots, touches

RUN = "run-1"


def digest(n: int) -> str:
    """The draft digest of the n-th touch."""
    return f"{n:064x}"


def add_run(conn: Connection, run_id: str = RUN, **changes: Any) -> None:
    """A snapshot and a run over it."""
    conn.execute(
        insert(snapshots).values(
            snapshot_id=f"snap-{run_id}", as_of=NOW, taken_at=NOW, manifest_digest="5" * 64, state="ready"
        )
    )
    row: dict[str, Any] = {
        "run_id": run_id, "playbook": "customer_reactivation", "snapshot_id": f"snap-{run_id}", "as_of": NOW,
        "playbook_digest": "b" * 64, "rules_version": "1+0123456789ab", "dry": False, "triggered_by": "operator",
        "started_at": NOW,
    }  # fmt: skip
    conn.execute(insert(runs).values(row | changes))


def add_touch(conn: Connection, n: int, *, customer_id: str | None = None, **changes: Any) -> str:
    """The n-th drafted touch of its own enrolment; keywords change the touch, ``decision`` the enrolment."""
    decision = changes.pop("decision", "enrol")
    enrolment: dict[str, Any] = {
        "enrolment_id": f"e-{n}", "playbook": "customer_reactivation", "run_id": RUN,
        "customer_id": customer_id or f"c-{n}", "segment": "household", "owner_id": "own-ada", "decision": decision,
        "review_reasons": ["high_value"] if decision == "review" else [], "dimensions": {}, "state": "active",
        "enrolled_at": NOW, "plan_ends_at": NOW + timedelta(days=40),
    }  # fmt: skip
    conn.execute(insert(enrolments).values(enrolment))
    touch: dict[str, Any] = {
        "touch_id": f"t-{n}", "enrolment_id": f"e-{n}", "playbook": "customer_reactivation", "number": 1,
        "pattern": "curiosity", "purpose": "check_in", "channel": "email", "incentive": "none", "offer_id": None,
        "address_key": f"{n:064x}", "not_before": NOW - timedelta(hours=1), "not_after": NOW + timedelta(days=5),
        "state": "drafted", "draft_digest": digest(n), "draft_run_id": RUN, "changed_at": NOW,
    }  # fmt: skip
    conn.execute(insert(touches).values(touch | changes))
    return f"t-{n}"


def add_list(
    conn: Connection,
    list_id: str,
    *numbers: int,
    individual: tuple[int, ...] = (),
    digests: dict[int, str] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """An open list over those touches, for Ada and Ben (an offer list: Olu) to sign, with its question ``q-<list>``."""
    row: dict[str, Any] = {
        "list_id": list_id, "run_id": RUN, "playbook": "customer_reactivation", "kind": "content", "channel": "email",
        "touch_number": 1, "segment": "household", "owner_id": "own-ada", "offer_id": None, "offer_terms": None,
        "cost": None, "currency": None, "authors": ["operator"], "digest": "a" * 64, "signing_code": CODE,
        "opened_at": NOW, "expires_at": NOW + timedelta(days=3), "state": "open", "closed_at": None,
    }  # fmt: skip
    row |= changes
    items = [
        ListItem(i, f"t-{n}", f"c-{n}", (digests or {}).get(n, digest(n)), n in individual, ())
        for i, n in enumerate(numbers, start=1)
    ]
    users = (("ada", "own-ada"), ("ben", "own-ben")) if row["kind"] == "content" else (("olu", "own-olu"),)
    role = "marketing_owner" if row["kind"] == "content" else "offer_approver"
    lists.insert_list(conn, row, items, [ListSigner(user, owner, role) for user, owner in users])
    questions.insert_question(
        conn, question_id=f"q-{list_id}", kind="sign_list" if row["kind"] == "content" else "sign_offer",
        subject=list_id, list_id=list_id, opened_at=NOW, expires_at=row["expires_at"],
    )  # fmt: skip
    return row


def answer(
    conn: Connection, list_id: str, verdicts: dict[str, str], *, state: str, by: str = "ada", accepted: bool = True
) -> str:
    """An answer with those verdicts that closes the list; returns its id."""
    answer_id = f"a-{list_id}"
    questions.insert_answer(
        conn,
        {
            "answer_id": answer_id, "question_id": f"q-{list_id}", "responder": by, "chosen": "Sign", "form": {},
            "responded_at": NOW, "recorded_at": NOW, "accepted": accepted, "refusal": None,
        },
    )  # fmt: skip
    questions.insert_verdicts(conn, list_id, answer_id, verdicts)
    lists.close_list(conn, list_id, state, None, NOW)
    return answer_id


def states(conn: Connection) -> dict[str, tuple[str, str | None]]:
    """State and reason of every touch."""
    query = select(touches.c.touch_id, touches.c.state, touches.c.reason)
    return {row.touch_id: (row.state, row.reason) for row in conn.execute(query)}
