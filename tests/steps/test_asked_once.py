"""A source is asked once about everybody who is looked at, whatever playbook they are in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.office import NOW, PLAYBOOK, Office

from reactivation.evidence import SnapshotFolder
from reactivation.ledger.tables import sends, touches
from reactivation.sources import Sources
from reactivation.steps import asking
from reactivation.steps import dispatch as dispatching
from reactivation.steps import outcomes as recording
from reactivation.steps.workspace import Workspace

OTHER = "customer_reactivation"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many customers each question to the sources was about."""
    found: list[int] = []

    @contextmanager
    def counted(
        workspace: Workspace, source: Sources, customer_ids: Collection[str], now: datetime, **named: Any
    ) -> Iterator[SnapshotFolder]:
        found.append(len(set(customer_ids)))
        with asking.asked_again(workspace, source, customer_ids, now, **named) as folder:
            yield folder

    for module in (dispatching, recording):
        monkeypatch.setattr(module, "asked_again", counted)
    return found


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_dispatchers_and_recorders_ask_once(office: Office, asked: list[int]) -> None:
    """Accounts and households are due together: one question is about all of them, and each gets its message."""
    for playbook in (PLAYBOOK, OTHER):
        office.run(now=NOW, playbook=playbook)
    for request, row, items in office.asked(NOW):
        by = "olu" if row.kind == "offer" else {"own-ada": "ada", "own-ben": "ben"}[row.owner_id]
        office.answer(request, row, items, "Sign", by=by, now=NOW)

    dispatching.dispatch(office.workspace, NOW)
    assert len(asked) == 1
    assert _written_to(office) == {PLAYBOOK, OTHER}

    recording.record_outcomes(office.workspace, NOW + timedelta(hours=1))
    assert len(asked) == 2


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_no_more_at_once_than_a_source_is_asked_about(
    office: Office, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many, some at a time, and nobody is left out."""
    for playbook in (PLAYBOOK, OTHER):
        office.run(now=NOW, playbook=playbook)
    everybody = recording.record_outcomes(office.workspace, NOW)["asked"]
    monkeypatch.setattr(recording, "_AT_ONCE", 2)
    del asked[:]

    told = recording.record_outcomes(office.workspace, NOW + timedelta(minutes=1))
    assert everybody > 2
    assert (told["asked"], sum(asked), max(asked)) == (everybody, everybody, 2)


def _written_to(office: Office) -> set[str]:
    query = select(touches.c.playbook).join(sends, sends.c.touch_id == touches.c.touch_id)
    with office.workspace.ledger.begin() as conn:
        return set(conn.scalars(query.where(sends.c.state == "accepted")))
