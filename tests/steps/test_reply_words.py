"""The words of a reply go: after their time, with their writer, and for good."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.told import ANN, LATER, NUMBER, company, taken, text, texts

from reactivation.ledger import holds, replies
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import audit
from reactivation.ledger.tables import replies as table
from reactivation.steps.erase import erase
from reactivation.steps.purge import purge
from reactivation.steps.workspace import Workspace

WORDS = "Lose my number, will you"
END = LATER + timedelta(days=30)


@pytest.fixture
def held(tmp_path: Path, ledger: Ledger) -> Workspace:
    """One of three people answered by text what nobody recognises."""
    made = company(tmp_path / "home", ledger)
    texts(made, ANN)
    taken(made, text(WORDS))
    return made


def words(held: Workspace) -> str | None:
    with held.ledger.begin() as conn:
        found: str | None = conn.scalars(select(table.c.words).order_by(table.c.occurred_at)).first()
    return found


def reasons(held: Workspace) -> list[str]:
    """Why words were taken out, by the audit trail."""
    wanted = select(audit.c.details).where(audit.c.action == "reply_words_removed")
    with held.ledger.begin() as conn:
        return [json.loads(details)["reason"] for details in conn.scalars(wanted)]


def test_they_go_after_thirty_days_and_the_hold_stays(held: Workspace) -> None:
    """Nobody was asked in vain: until there is a label, nothing is sent."""
    assert purge(held, END - timedelta(seconds=1)).rows == 0
    assert purge(held, END, dry=True).rows == 1
    assert words(held) == WORDS
    assert [(one.file, one.reason) for one in purge(held, END).taken_out] == [("replies", "retention")]
    assert (words(held), reasons(held)) == (None, ["retention"])
    with held.ledger.begin() as conn:
        assert [one.customer_id for one in replies.unlabelled(conn)] == [ANN]


def test_those_of_somebody_on_hold_stay(held: Workspace) -> None:
    with held.ledger.begin() as conn:
        holds.begin(conn, customer_id=ANN, actor="cleo", now=LATER)
    purge(held, END)
    assert words(held) == WORDS


def test_they_go_with_their_writer_and_what_he_says_later_is_not_kept(held: Workspace) -> None:
    """Nobody is asked about it: nothing is sent to him anyway."""
    erase(held, address=NUMBER, user="cleo", reason="person_asked", now=LATER)
    assert (words(held), reasons(held)) == (None, ["erasure"])
    taken(held, text("and another thing", event_id="SM2"))
    with held.ledger.begin() as conn:
        assert replies.unlabelled(conn) == []
        assert conn.scalars(select(table.c.words)).all() == [None, None]


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_nothing_of_them_is_left_in_the_file(held: Workspace) -> None:
    """SQLite would only forget where they are; PostgreSQL's files are its own."""
    purge(held, END)
    held.ledger.close()
    assert WORDS.encode() not in Path(str(held.ledger.engine.url.database)).read_bytes()
