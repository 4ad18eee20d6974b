"""Who was assigned, by the decisions on record, and what they bought."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from decimal import Decimal

from tests.ledgers import NOW, PLAYBOOK, RULES_VERSION, RUN_ID, begin, enrol

from reactivation.approvals.lists import ONLY_AUTHORS, OWNER_AWAY
from reactivation.ledger import compared, events, measurements
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event
from reactivation.policy import intake, pausing, pilots

DECIDED = [
    ("C001", "enrol", None, 0), ("C002", "holdout", "holdout", 0), ("C003", "hold", "capacity", 0),
    ("C003", "enrol", None, 5), ("C004", "hold", "timing:cap", 0), ("C005", "suppress", "suppressed:opt_out", 0),
    ("C006", "review", None, 2), ("C002", "enrol", None, 90), ("C004", "holdout", "holdout", 3),
]  # fmt: skip


def _decided(ledger: Ledger) -> None:
    with ledger.begin() as conn:
        begin(conn)
        measurements.insert_events(conn, [
            {"run_id": RUN_ID, "playbook": PLAYBOOK, "subject": who, "kind": "decision", "outcome": outcome,
             "reason": reason, "occurred_at": NOW + timedelta(days=days), "rules_version": RULES_VERSION}
            for who, outcome, reason, days in DECIDED
        ])  # fmt: skip
        enrol(conn, "C001")
        enrol(conn, "C003", enrolled_at=NOW + timedelta(days=5))


def test_who_might_be_written_to_is_assigned_from_the_first_day_on(ledger: Ledger) -> None:
    """Waiting for room or not; whom a gate stopped is not, until it lets him pass. Another season changes nothing."""
    _decided(ledger)
    with ledger.begin() as conn:
        found = compared.assigned(conn, PLAYBOOK, NOW + timedelta(days=100)).to_pylist()
        days = [(row["customer_id"], (row["assigned_at"] - NOW).days) for row in found]
        assert {row["run_id"] for row in found} == {RUN_ID}
        assert [(*who, row["held_out"], row["begun"]) for who, row in zip(days, found, strict=True)] == [
            ("C001", 0, False, True), ("C002", 0, True, False), ("C003", 0, False, True), ("C004", 3, True, False),
            ("C006", 2, False, False),
        ]  # fmt: skip
        known = compared.assigned(conn, PLAYBOOK, NOW).to_pylist()
        assert [(row["customer_id"], row["begun"]) for row in known] == [
            ("C001", True), ("C002", False), ("C003", False)
        ]  # fmt: skip
        assert compared.assigned(conn, "another", NOW).equals(compared.ASSIGNED.empty_table())


def test_what_they_bought_is_known_of_both_groups(ledger: Ledger) -> None:
    """As far as it was recorded by then; a click is no purchase, and who was not assigned is not asked about."""
    _decided(ledger)
    with ledger.begin() as conn:
        told = [
            Event(f"{kind}:{who}", who, None, None, None, kind, None, NOW, "source", Decimal("9.99"))
            for who, kind in (("C001", "order"), ("C002", "booking"), ("C002", "click"), ("C005", "order"))
        ]
        events.record(conn, told, stops=(), now=NOW + timedelta(hours=1))
        assert compared.bought(conn, PLAYBOOK, NOW).num_rows == 0
        rows = compared.bought(conn, PLAYBOOK, NOW + timedelta(hours=1)).to_pylist()
    assert [row["event_id"] for row in rows] == ["booking:C002", "order:C001"]


def test_every_reason_the_intake_lets_somebody_wait_for_is_known() -> None:
    """One that is not would take its people out of one of the groups: those whose variant is paused are in theirs, and
    so are those a pilot does not let begin, since whoever is held out is held out of it as well."""
    given = set(re.findall(r'hold\(.*, "([a-z_]+)"\)', inspect.getsource(intake.take_in)))
    given |= {pausing.VARIANT_PAUSED, pausing.PLAYBOOK_PAUSED, OWNER_AWAY, ONLY_AUTHORS, pilots.OUTSIDE, pilots.OVER}
    assert given == set(compared.WAITS)
