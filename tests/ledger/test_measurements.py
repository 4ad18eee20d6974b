"""Measurement events, one by one and by the hundred thousand."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from tests.ledgers import NOW, RULES_VERSION, RUN_ID, begin

from reactivation.ledger import bulk, measurements
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import lists, measurement_events


def _event(**changes: Any) -> dict[str, Any]:
    return {
        "run_id": RUN_ID, "playbook": "customer_reactivation", "subject": "C001", "kind": "decision",
        "outcome": "suppress", "reason": "permission:no_record", "occurred_at": NOW, "rules_version": RULES_VERSION,
        **changes,
    }  # fmt: skip


def _stored(ledger: Ledger) -> list[dict[str, Any]]:
    with ledger.begin() as conn:
        found = conn.execute(select(measurement_events).order_by(measurement_events.c.subject)).all()
    return [dict(row._mapping) for row in found]


def test_an_event_is_stored_as_it_was_told(ledger: Ledger) -> None:
    """Also quotes, commas, line ends, empty text, nothing at all, and microseconds."""
    odd = [
        _event(subject="C001", reason='say "no", please\nnow'),
        _event(subject="C002", reason="", run_id=None),
        _event(subject="C003", reason=None, occurred_at=NOW + timedelta(microseconds=1)),
        _event(subject="C004", reason="Größe 🎁 \\N \t"),
    ]
    with ledger.begin() as conn:
        assert measurements.insert_events(conn, odd) == 4
    stored = _stored(ledger)
    assert [{k: v for k, v in row.items() if k != "event_id"} for row in stored] == odd


def test_told_twice_it_is_one_event(ledger: Ledger) -> None:
    """A step that is run again adds nothing; another outcome is another event."""
    with ledger.begin() as conn:
        assert measurements.insert_events(conn, [_event(), _event()]) == 1
        assert measurements.insert_events(conn, [_event(), _event(outcome="enrol")]) == 1
        assert measurements.insert_events(conn, []) == 0


def test_a_given_id_is_kept(ledger: Ledger) -> None:
    """Two equal facts about two touches are two events when their ids say so."""
    with ledger.begin() as conn:
        assert measurements.insert_events(conn, [_event(event_id="one"), _event(event_id="two")]) == 2
    assert {row["event_id"] for row in _stored(ledger)} == {"one", "two"}


def test_a_missing_value_is_an_error_not_a_repeat(ledger: Ledger) -> None:
    """Repeats are ignored, broken rows are not."""
    with pytest.raises(Exception, match=r"(?i)null"), ledger.begin() as conn:
        measurements.insert_events(conn, [_event(subject=None)])
    assert _stored(ledger) == []


def test_a_hundred_thousand_events_take_seconds(ledger: Ledger) -> None:
    """A tenth of what the largest run writes, in well under a tenth of a minute."""
    number = pa.array(range(100_000))
    columns = {name: pa.repeat(value, len(number)) for name, value in _event().items()}
    columns["subject"] = pc.binary_join_element_wise("C", number.cast(pa.string()), "")
    columns["occurred_at"] = pa.repeat(pa.scalar(NOW, pa.timestamp("us", tz="UTC")), len(number))
    table = pa.table(columns)
    began = time.perf_counter()
    with ledger.begin() as conn:
        assert measurements.insert_events(conn, table) == 100_000
        assert measurements.insert_events(conn, table) == 0
    assert time.perf_counter() - began < 20
    with ledger.begin() as conn:
        assert conn.scalar(select(func.count()).select_from(measurement_events)) == 100_000


def test_many_events_made_ready_ahead_read_back_as_they_were(ledger: Ledger) -> None:
    """What is the same in the first row and the last need not be the same in between, nor missing there."""
    told = [
        _event(event_id=f"{number:04}", subject=f"C{number:04}", run_id=None if number in {0, 1_999} else RUN_ID)
        for number in range(2_000)
    ]
    told[1_000] |= {"reason": None, "outcome": 'Größe, "so"', "occurred_at": NOW + timedelta(microseconds=1)}
    schema = pa.schema([*measurements.SCHEMA, ("event_id", pa.string())])
    ready = measurements.stored_events(ledger.dialect, pa.Table.from_pylist(told, schema=schema))
    with ledger.begin() as conn:
        assert measurements.insert_events(conn, ready) == 2_000
        assert measurements.insert_events(conn, ready) == 0
    assert _stored(ledger) == told


def test_bulk_rows_mean_the_same_as_single_ones(ledger: Ledger) -> None:
    """Money, JSON, instants and nulls read back as they were, whichever way they went in."""
    row: dict[str, Any] = {
        "list_id": "L1", "run_id": RUN_ID, "playbook": "p", "kind": "offer", "channel": "email", "touch_number": 3,
        "segment": "household", "owner_id": "own-olu", "offer_id": "offer-credit-15", "offer_terms": "£15, once",
        "cost": Decimal("1234.5600"), "currency": None, "authors": ["operator", "ben"], "digest": "d" * 64,
        "signing_code": "d" * 8, "opened_at": NOW, "expires_at": NOW + timedelta(days=3), "state": "open",
        "closed_at": None,
    }  # fmt: skip
    with ledger.begin() as conn:
        begin(conn)
        conn.execute(insert(lists), {**row, "list_id": "L0"})
        table = pa.Table.from_pylist([row])
        types = {"closed_at": pa.timestamp("us", tz="UTC"), "currency": pa.string(), "cost": pa.decimal128(18, 4)}
        for name, type_ in types.items():
            table = table.set_column(table.column_names.index(name), name, table[name].cast(type_))
        assert bulk.insert_rows(conn, lists, table) == 1
        single, many = conn.execute(select(lists).order_by(lists.c.list_id)).all()
    assert many._asdict() == {**single._asdict(), "list_id": "L1"}
    with pytest.raises(IntegrityError), ledger.begin() as conn:
        bulk.insert_rows(conn, lists, table)
