"""The audit trail and its seals: whatever is done to the rows behind our back shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import Connection, insert, select
from tests.ledgers import NOW

from reactivation.ledger import audit, seals
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import audit as trail


def _write(ledger: Ledger, count: int, first: int = 0) -> None:
    with ledger.begin() as conn:
        for i in range(first, first + count):
            audit.write(
                conn, at=NOW + timedelta(seconds=i), actor="ada", action="list_viewed", subject=f"list-{i}",
                details={"touches": i, "at": NOW},
            )  # fmt: skip


def _behind_our_back(ledger: Ledger, act: Callable[[Connection], object], *tables: str) -> None:
    """What somebody who may edit the database could do: triggers off, act, triggers on."""
    with ledger.begin() as conn:
        if ledger.dialect == "postgresql":
            for table in tables:
                conn.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            act(conn)
            for table in tables:
                conn.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        kept = conn.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        ours = [(name, sql) for name, sql in kept if name.startswith(tables)]
        for name, _ in ours:
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        act(conn)
        for _, sql in ours:
            conn.exec_driver_sql(sql)


@pytest.fixture
def sealed(ledger: Ledger) -> Ledger:
    """A trail of 30 rows under three seals, and two rows not sealed yet."""
    for i in range(3):
        _write(ledger, 10, first=10 * i)
        seals.seal(ledger, NOW + timedelta(hours=i))
    _write(ledger, 2, first=30)
    return ledger


def _problems(ledger: Ledger, *heads: str) -> str:
    with ledger.begin() as conn:
        report = seals.verify(conn, heads)
    assert report.intact == (not report.problems)
    return "\n".join(report.problems)


def test_an_untouched_trail_is_intact(sealed: Ledger) -> None:
    """Three seals over thirty rows, two rows waiting, nothing wrong."""
    with sealed.begin() as conn:
        report = seals.verify(conn)
    assert (report.seals, report.sealed_rows, report.unsealed_rows, report.problems) == (3, 30, 2, ())
    assert "intact: 3 seals over 30 rows, 2 rows not sealed yet" in str(report)


def test_sealing_again_without_new_rows_keeps_the_head(sealed: Ledger) -> None:
    """A seal covers something, or it is not made."""
    first = seals.seal(sealed, NOW + timedelta(hours=5))
    assert seals.seal(sealed, NOW + timedelta(hours=6)) == first
    with sealed.begin() as conn:
        assert seals.verify(conn).head == first


def test_an_empty_ledger_has_the_first_head(ledger: Ledger) -> None:
    """No rows, no seal, and still something to remember."""
    assert seals.seal(ledger, NOW) == seals.FIRST
    assert _problems(ledger) == ""


def _of(index: int) -> Callable[[Connection], int]:
    return lambda conn: conn.scalars(select(trail.c.seq).order_by(trail.c.seq)).all()[index]


@pytest.mark.parametrize("column", ["actor", "action", "subject", "details", "at"])
def test_a_changed_row_is_found(sealed: Ledger, column: str) -> None:
    """Each column of each row is under the hash."""
    value = NOW + timedelta(days=9) if column == "at" else "another"
    _behind_our_back(
        sealed, lambda c: c.execute(trail.update().where(trail.c.seq == _of(14)(c)).values({column: value})), "audit"
    )
    assert "audit rows were changed in rows" in _problems(sealed)
    assert "(seal 2)" in _problems(sealed)


@pytest.mark.parametrize(("index", "seal"), [(0, 1), (9, 1), (10, 2), (29, 3)])
def test_a_removed_row_is_found(sealed: Ledger, index: int, seal: int) -> None:
    """Also the first and the last row of a seal."""
    _behind_our_back(sealed, lambda c: c.execute(trail.delete().where(trail.c.seq == _of(index)(c))), "audit")
    assert "1 of the 10 audit rows were removed from rows" in _problems(sealed)
    assert f"(seal {seal})" in _problems(sealed)


def test_an_inserted_row_is_found(sealed: Ledger) -> None:
    """A row slipped in before the first, or between two, is one too many."""
    row = {"seq": 0, "at": NOW, "actor": "a", "action": "b", "subject": "c", "details": "{}"}
    _behind_our_back(sealed, lambda c: c.execute(insert(trail), row), "audit")
    assert "1 audit rows were inserted into" in _problems(sealed)


def test_a_row_exchanged_for_another_is_found(sealed: Ledger) -> None:
    """Two rows whose contents changed places are two changed rows."""

    def swap(conn: Connection) -> None:
        low, high = _of(3)(conn), _of(4)(conn)
        for seq, subject in ((low, "list-4"), (high, "list-3")):
            conn.execute(trail.update().where(trail.c.seq == seq).values(subject=subject))

    _behind_our_back(sealed, swap, "audit")
    assert "audit rows were changed" in _problems(sealed)


def test_a_removed_seal_is_found(sealed: Ledger) -> None:
    """The chain has no second link any more."""
    _behind_our_back(sealed, lambda c: c.execute(seals.seals.delete().where(seals.seals.c.number == 2)), "seals")
    found = _problems(sealed)
    assert "seal 2 is missing before seal 3" in found
    assert "seal 3 does not continue the seal before it" in found


def test_a_rewritten_seal_is_found(sealed: Ledger) -> None:
    """Who changes rows and the root over them must change every later seal too, and the last head shows it."""
    with sealed.begin() as conn:
        head = seals.verify(conn).head
    _behind_our_back(sealed, lambda c: c.execute(seals.seals.update().values(rows=9)), "seals")
    assert "seal 1 itself was changed" in _problems(sealed)
    assert "that a manifest remembers" not in _problems(sealed, head)


def test_a_cut_at_the_end_shows_against_a_remembered_head(sealed: Ledger) -> None:
    """With the last seal and its rows gone the rest is consistent; the head in a manifest is not among it."""
    with sealed.begin() as conn:
        head = seals.verify(conn).head

    def cut(conn: Connection) -> None:
        conn.execute(trail.delete().where(trail.c.seq >= _of(20)(conn)))
        conn.execute(seals.seals.delete().where(seals.seals.c.number == 3))

    _behind_our_back(sealed, cut, "audit", "seals")
    assert _problems(sealed) == ""
    assert f"no seal has the head {head[:16]}" in _problems(sealed, head)


def test_a_missing_trigger_is_found(sealed: Ledger) -> None:
    """A table that could be changed is a finding, even when nothing was."""
    with sealed.begin() as conn:
        on = " ON answers" if sealed.dialect == "postgresql" else ""
        conn.exec_driver_sql(f"DROP TRIGGER answers_no_update{on}")
    assert _problems(sealed) == "the trigger answers_no_update is missing: rows could be changed"


def test_a_disabled_trigger_is_found(sealed: Ledger) -> None:
    """PostgreSQL can switch a trigger off; that counts as missing."""
    if sealed.dialect != "postgresql":
        assert _problems(sealed) == ""
        return
    with sealed.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER audit_no_delete")
    assert "audit_no_delete is missing" in _problems(sealed)


def test_rows_written_while_others_seal_are_never_left_between_seals(ledger: Ledger) -> None:
    """Writers and sealers at once: in the end every row is under exactly one seal."""

    def write(number: int) -> None:
        for i in range(15):
            _write(ledger, 3, first=1000 * number + 3 * i)

    def seal() -> None:
        for _ in range(12):
            seals.seal(ledger, NOW)

    writers = [Thread(target=write, args=(number,)) for number in range(3)]
    sealers = [Thread(target=seal) for _ in range(2)]
    for thread in [*writers, *sealers]:
        thread.start()
    for thread in [*writers, *sealers]:
        thread.join(timeout=60)
    seals.seal(ledger, NOW)
    with ledger.begin() as conn:
        report = seals.verify(conn)
    assert (report.sealed_rows, report.unsealed_rows, report.problems) == (135, 0, ())
