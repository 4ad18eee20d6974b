"""Statements told in one breath mean what they mean one after another."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from tests.ledgers import NOW

from reactivation.ledger.among import among_named
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import suppressions
from reactivation.ledger.together import asked, together

_ROW = {"brand": "b", "channel": "*", "reason": "opt_out", "source": "s", "occurred_at": NOW, "recorded_at": NOW}
_KEYS = (
    select(suppressions.c.address_key, suppressions.c.occurred_at)
    .where(among_named(suppressions.c.address_key, "keys"), suppressions.c.brand == "b")
    .order_by(suppressions.c.address_key)
)
_SINCE = select(suppressions.c.address_key).where(suppressions.c.occurred_at >= bindparam("since"))
#: What would end a text in PostgreSQL's words, or in JSON's.
_ODD = ['k"1', "k\\2", "k,3", "{k4}", "k'5", "NULL", "", "ключ"]


def _enter(ledger: Ledger, *keys: str) -> None:
    with ledger.begin() as conn:
        conn.execute(insert(suppressions), [{**_ROW, "address_key": key} for key in keys])


def test_each_question_has_its_answer(ledger: Ledger) -> None:
    """In the order asked, with instants and texts as any other statement gives them."""
    _enter(ledger, *_ODD)
    with ledger.begin() as conn:
        found, since, none = asked(
            conn, (_KEYS, {"keys": [*_ODD, "k-6"]}), (_SINCE, {"since": NOW}), (_KEYS, {"keys": []})
        )  # fmt: skip
    assert found == [(key, NOW) for key in sorted(_ODD)]
    assert {key for (key,) in since} == set(_ODD)
    assert none == []


def test_a_question_sees_what_was_written_before_it(ledger: Ledger) -> None:
    """Also what was written in one breath, of the same transaction."""
    with ledger.begin() as conn:
        with together(conn):
            for key in ("k-1", "k-2"):
                conn.execute(insert(suppressions), {**_ROW, "address_key": key})
        ((*_, (last, _at)),) = asked(conn, (_KEYS, {"keys": ["k-1", "k-2"]}))
    assert last == "k-2"


def test_what_is_refused_is_refused_as_ever(ledger: Ledger) -> None:
    """With the error of the statement alone, and nothing of the transaction remains."""
    _enter(ledger, "k-1")
    with pytest.raises(IntegrityError), ledger.begin() as conn, together(conn):
        for key in ("k-0", "k-1", "k-2"):
            conn.execute(insert(suppressions), {**_ROW, "address_key": key})
    with ledger.begin() as conn:
        assert asked(conn, (_KEYS, {"keys": ["k-0", "k-1", "k-2"]})) == [[("k-1", NOW)]]
