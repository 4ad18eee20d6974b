"""Rows for tests of the ledger: one snapshot, one run, and enrolments with touches in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection

from reactivation.contract.digests import digest
from reactivation.ledger import enrolments, runs, touches

NOW = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)  # a Tuesday
PLAYBOOK = "customer_reactivation"
SNAPSHOT_ID = "0c1f3c7e-54c5-4f2c-9a70-2b1f4b3f0001"
RUN_ID = "0c1f3c7e-54c5-4f2c-9a70-2b1f4b3f0002"
RULES_VERSION = "2026.1+0123456789ab"
_SPACE = UUID("0c1f3c7e-54c5-4f2c-9a70-2b1f4b3f0003")


def an_id(*parts: object) -> str:
    """The same id for the same parts."""
    return str(uuid5(_SPACE, ":".join(map(str, parts))))


def a_key(address: str) -> str:
    """Something that looks like an address key."""
    return digest(["key", address])


def begin(conn: Connection, *, run_id: str = RUN_ID, dry: bool = False) -> runs.Run:
    """A ready snapshot and a run on it."""
    known = runs.latest_ready_snapshot(conn)
    if known is None:
        runs.record_snapshot(
            conn, snapshot_id=SNAPSHOT_ID, as_of=NOW - timedelta(hours=2), taken_at=NOW - timedelta(hours=1),
            manifest_digest=digest("manifest"), state="ready",
        )  # fmt: skip
    return runs.begin_run(
        conn, run_id=run_id, playbook=PLAYBOOK, snapshot_id=SNAPSHOT_ID, as_of=NOW - timedelta(hours=2),
        playbook_digest=digest("playbook"), rules_version=RULES_VERSION, dry=dry, segment=None, sample_size=None,
        triggered_by="operator", started_at=NOW - timedelta(minutes=50),
    )  # fmt: skip


def an_enrolment(customer_id: str, *, run_id: str = RUN_ID, **changes: Any) -> dict[str, Any]:
    """An active enrolment."""
    return {
        "enrolment_id": an_id(run_id, customer_id), "playbook": PLAYBOOK, "run_id": run_id, "customer_id": customer_id,
        "account_id": None, "segment": "household", "owner_id": "own-ada", "decision": "enrol", "review_reasons": [],
        "dimensions": {"value_tier": "mid"}, "state": "active", "enrolled_at": NOW - timedelta(minutes=40),
        "plan_ends_at": NOW + timedelta(days=14), "ended_at": None, "exit_reason": None, **changes,
    }  # fmt: skip


def a_touch(enrolment_id: str, customer_id: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A signed touch that is due."""
    return {
        "touch_id": an_id(enrolment_id, number), "enrolment_id": enrolment_id, "playbook": PLAYBOOK, "number": number,
        "pattern": "curiosity", "purpose": "check_in", "channel": "email", "incentive": "none", "offer_id": None,
        "address_key": a_key(customer_id), "not_before": NOW - timedelta(hours=1),
        "not_after": NOW + timedelta(days=5), "state": "signed", "reason": None, "draft_digest": digest("draft"),
        "draft_run_id": RUN_ID, "changed_at": NOW - timedelta(minutes=30), **changes,
    }  # fmt: skip


def enrol(conn: Connection, customer_id: str, *, keys: Sequence[str] = (), run_id: str = RUN_ID, **changes: Any) -> str:
    """An active enrolment; its address key is that of the customer's id unless ``keys`` are given."""
    row = an_enrolment(customer_id, run_id=run_id, **changes)
    enrolments.insert_enrolments(conn, [row])
    enrolments.insert_keys(
        conn,
        [
            {"enrolment_id": row["enrolment_id"], "address_key": key, "channel": "email", "active": True}
            for key in keys or [a_key(customer_id)]
        ],
    )
    return str(row["enrolment_id"])


def add_touch(conn: Connection, enrolment_id: str, customer_id: str, number: int = 1, **changes: Any) -> str:
    """A signed touch that is due."""
    row = a_touch(enrolment_id, customer_id, number, **changes)
    touches.insert_touches(conn, [row])
    return str(row["touch_id"])


def a_send(touch_id: str, customer_id: str, worker: str, **changes: Any) -> dict[str, Any]:
    """The intent to send a touch."""
    return {
        "send_id": an_id("send", touch_id), "touch_id": touch_id, "provider": "outbox", "channel": "email",
        "address_key": a_key(customer_id), "draft_digest": digest("draft"), "answer_ids": [an_id("answer")],
        "basis": {"email": "express", "records": ["K1"]}, "gates": {"permission": "pass"},
        "local_time": "2026-03-03T11:00", "zone": "Europe/London", "zone_source": "address",
        "rules_version": RULES_VERSION, "worker": worker, "intended_at": NOW,
        "lease_until": NOW + timedelta(minutes=10), **changes,
    }  # fmt: skip
