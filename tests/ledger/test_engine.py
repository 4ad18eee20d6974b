"""Transactions mean the same on both databases, also when several processes write at once."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, insert, literal_column, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from tests.ledgers import NOW, RUN_ID, a_send, add_touch, begin, enrol

from reactivation.ledger import audit, sends
from reactivation.ledger.engine import Ledger, LedgerError, open_ledger
from reactivation.ledger.tables import APPEND_ONLY, enrolments, lists, metadata, runs, stops, touches
from reactivation.ledger.tables import sends as sends_table
from reactivation.ledger.together import Asking

_STOP = {"scope": "channel:email", "actor": "ada", "since": NOW, "until": None}

_COUNT = """
import sys
from sqlalchemy import select, update
from reactivation.ledger.engine import open_ledger
from reactivation.ledger.tables import stops
from tests.ledgers import NOW
ledger = open_ledger(sys.argv[1])
for _ in range(25):
    with ledger.begin() as conn:
        counted = int(conn.execute(select(stops.c.reason).with_for_update()).scalar_one())
        conn.execute(update(stops).values(reason=str(counted + 1)))
ledger.close()
"""

_CLAIM = """
import sys
from tests.ledgers import NOW, a_send
from reactivation.ledger import sends
from reactivation.ledger.engine import open_ledger
from reactivation.ledger.together import answer
ledger = open_ledger(sys.argv[1])
worker = sys.argv[2]
while True:
    with ledger.begin() as conn:
        due = sends.reserve(conn, worker=worker, gone=(), now=NOW, limit=5)
    if not due:
        break
    with ledger.begin() as conn:
        ours = answer(conn, sends.claimable(ledger.dialect, [t.touch_id for t in due], worker))
        for touch in due:
            if touch.touch_id in ours:
                sends.intend(conn, [a_send(touch.touch_id, touch.customer_id, worker)])
ledger.close()
"""


def _four_at_once(script: str, url: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", script, url, f"worker-{i}"], stderr=subprocess.PIPE, text=True)
        for i in range(4)
    ]
    results: Sequence[tuple[str, str]] = [process.communicate(timeout=120) for process in processes]
    assert [p.returncode for p in processes] == [0, 0, 0, 0], [error for _, error in results]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "plugins:.")


def test_four_processes_counting_lose_no_update(ledger_url: str) -> None:
    """Four processes that read, add one and write back a hundred times in all arrive at a hundred."""
    ledger = open_ledger(ledger_url)
    row = {"stop_id": "x", "scope": "channel:none", "reason": "0", "actor": "test", "since": NOW}
    with ledger.begin() as conn:
        conn.execute(insert(stops), row)
    _four_at_once(_COUNT, ledger_url)
    with ledger.begin() as conn:
        assert conn.scalar(select(stops.c.reason)) == "100"
    ledger.close()


def test_four_processes_claiming_claim_each_touch_once(ledger_url: str) -> None:
    """Sixty signed touches and four dispatchers make sixty intents."""
    ledger = open_ledger(ledger_url)
    with ledger.begin() as conn:
        begin(conn)
        for i in range(60):
            add_touch(conn, enrol(conn, f"C{i:03}"), f"C{i:03}")
    _four_at_once(_CLAIM, ledger_url)
    with ledger.begin() as conn:
        assert conn.scalar(select(func.count()).select_from(sends_table)) == 60
        assert conn.scalar(select(func.count(sends_table.c.touch_id.distinct()))) == 60
        assert set(conn.scalars(select(touches.c.state))) == {"claimed"}
    ledger.close()


def test_an_exception_takes_everything_back(ledger: Ledger) -> None:
    """Nothing of a transaction that raised is kept."""
    with pytest.raises(RuntimeError), ledger.begin() as conn:
        begin(conn)
        raise RuntimeError
    with ledger.begin() as conn:
        assert conn.scalar(select(func.count()).select_from(runs)) == 0


def _stopped(ledger: Ledger) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What stands in the table, as a transaction that begins by asking sees it, and after it has written to it."""
    asking = Asking(((select(stops.c.reason).order_by(stops.c.reason), {}),), lambda found: found[0])
    with ledger.begin_by_asking(asking) as (conn, found):
        conn.execute(insert(stops), {**_STOP, "stop_id": f"{len(found):032d}", "reason": f"reason {len(found)}"})
    with ledger.begin_by_asking(asking) as (_, after):
        return found, after


def test_a_transaction_may_begin_by_asking(ledger: Ledger) -> None:
    """It sees what was committed, and keeps what it writes."""
    assert _stopped(ledger) == ([], [("reason 0",)])
    assert _stopped(ledger) == ([("reason 0",)], [("reason 0",), ("reason 1",)])


def test_what_follows_a_question_is_taken_back_whole(ledger: Ledger) -> None:
    asking = Asking(((select(stops.c.reason), {}),), lambda found: found[0])
    with pytest.raises(ZeroDivisionError), ledger.begin_by_asking(asking) as (conn, _):
        conn.execute(insert(stops), {**_STOP, "stop_id": "0" * 32, "reason": "reason"})
        raise ZeroDivisionError
    assert _stopped(ledger) == ([], [("reason 0",)])


def test_a_connection_that_ended_meanwhile_is_noticed_by_the_question(ledger: Ledger) -> None:
    """It is asked again of another; nobody asks before whether the connection lives."""
    _stopped(ledger)
    if ledger.dialect == "postgresql":
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        with ledger.begin() as conn:
            conn.execute(text(f"{others} AND datname = current_database()"))
    assert _stopped(ledger) == ([("reason 0",)], [("reason 0",), ("reason 1",)])


def test_a_question_that_cannot_be_answered_is_an_error(ledger: Ledger) -> None:
    """Not asked again and again: the connection lives."""
    asking = Asking(((select(literal_column("nobody_has_this")).select_from(stops), {}),), lambda found: found)
    with pytest.raises((LedgerError, ProgrammingError)), ledger.begin_by_asking(asking):
        pytest.fail("it has begun")
    assert _stopped(ledger) == ([], [("reason 0",)])


@pytest.mark.parametrize("name", ["audit", "runs", "snapshots"])
def test_append_only_rows_can_be_neither_changed_nor_removed(ledger: Ledger, name: str) -> None:
    """A trigger refuses updates and deletions, whoever asks."""
    assert name in APPEND_ONLY
    table = metadata.tables[name]
    with ledger.begin() as conn:
        begin(conn)
    column = next(c for c in table.columns if c.type.python_type is str)
    with pytest.raises(IntegrityError, match=f"rows of {name} are never changed"), ledger.begin() as conn:
        conn.execute(update(table).values({column.name: "another"}))
    with pytest.raises(IntegrityError, match=f"rows of {name} are never removed"), ledger.begin() as conn:
        conn.execute(table.delete())


def test_every_append_only_table_has_its_triggers(ledger: Ledger) -> None:
    """No table was forgotten: each refuses with its own name."""
    for name in APPEND_ONLY:
        with ledger.begin() as conn:
            if ledger.dialect == "postgresql":
                found = conn.exec_driver_sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal").scalars().all()
            else:
                found = conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        assert {f"{name}_no_update", f"{name}_no_delete"} <= set(found)


def test_what_an_enrolment_froze_never_changes(ledger: Ledger) -> None:
    """State may change, the customer may not."""
    with ledger.begin() as conn:
        begin(conn)
        enrol(conn, "C001")
    with ledger.begin() as conn:
        conn.execute(update(enrolments).values(state="ended", ended_at=NOW, exit_reason="no_response"))
    with pytest.raises(IntegrityError, match="what enrolments froze never changes"), ledger.begin() as conn:
        conn.execute(update(enrolments).values(customer_id="C002"))


def test_a_list_is_frozen_and_once_closed_stays_closed(ledger: Ledger) -> None:
    """Digest, code, signers' authors and times stay as opened; a closed list does not open again."""
    row = {
        "list_id": "L1", "run_id": RUN_ID, "playbook": "customer_reactivation", "kind": "content", "channel": "email",
        "touch_number": 1, "segment": "household", "owner_id": "own-ada", "offer_id": None, "offer_terms": None,
        "cost": None, "currency": None, "authors": ["operator"], "digest": "d" * 64, "signing_code": "d" * 8,
        "opened_at": NOW, "expires_at": NOW, "state": "open", "closed_at": None,
    }  # fmt: skip
    with ledger.begin() as conn:
        begin(conn)
        conn.execute(insert(lists), row)
    frozen: list[dict[str, object]] = [
        {"digest": "e" * 64}, {"signing_code": "e" * 8}, {"authors": ["nobody"]}, {"offer_id": "offer-credit-15"},
        {"cost": 15},
    ]  # fmt: skip
    for change in frozen:
        with pytest.raises(IntegrityError, match="what lists froze never changes"), ledger.begin() as conn:
            conn.execute(update(lists).values(**change))
    with ledger.begin() as conn:
        conn.execute(update(lists).values(state="held", closed_at=NOW))
    with pytest.raises(IntegrityError, match="what is closed in lists stays closed"), ledger.begin() as conn:
        conn.execute(update(lists).values(state="open", closed_at=None))
    with pytest.raises(IntegrityError, match="rows of lists are never removed"), ledger.begin() as conn:
        conn.execute(lists.delete())


def test_only_an_intent_that_was_never_called_can_be_removed(ledger: Ledger) -> None:
    """A send that may have reached somebody stays in the ledger."""
    with ledger.begin() as conn:
        begin(conn)
        touch_id = add_touch(conn, enrol(conn, "C001"), "C001")
        sends.intend(conn, [a_send(touch_id, "C001", "w")])
        assert sends.win_calls(conn, [a_send(touch_id, "C001", "w")["send_id"]], worker="w", now=NOW)
    with pytest.raises(IntegrityError, match="rows of sends are never removed"), ledger.begin() as conn:
        conn.execute(sends_table.delete())


def test_a_naive_time_is_refused(ledger: Ledger) -> None:
    """A time without a zone would mean another instant on another machine."""
    with pytest.raises(Exception, match="naive datetime"), ledger.begin() as conn:
        audit.write(conn, at=NOW.replace(tzinfo=None), actor="a", action="b", subject="c", details={})


def test_what_could_not_be_written_is_in_no_error(ledger: Ledger) -> None:
    """Errors end in the logs of tasks, which nothing is erased from."""
    row = _STOP | {"stop_id": "s-1", "reason": "ring 07700 900456"}
    with pytest.raises(IntegrityError) as raised, ledger.begin() as conn:
        conn.execute(insert(stops), row)
        conn.execute(insert(stops), row)
    told = "".join(traceback.format_exception(raised.value))
    assert "07700" not in told
