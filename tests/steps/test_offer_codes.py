"""An offer code is reserved at the draft, committed by an accepted send, and given back whatever else happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pyarrow.compute as pc
import pytest
from sqlalchemy import Connection, select, update
from tests.ledgers import NOW, RUN_ID, a_send, an_id
from tests.steps.drafting import REWARD, House, offer

from reactivation.ledger import enrolments, sends, touches
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.tables import offer_codes
from reactivation.ledger.tables import touches as rows
from reactivation.steps import draft as module
from reactivation.steps.draft import draft_run
from reactivation.steps.workspace import Workspace

ADA, BEN = {"customer": "c-ada"} | REWARD, {"customer": "c-ben"} | REWARD


@pytest.fixture
def house(tmp_path: Path, ledger: Ledger) -> House:
    return House(tmp_path, ledger)


def codes(ledger: Ledger) -> list[str]:
    with ledger.begin() as conn:
        return list(conn.scalars(select(offer_codes.c.state)))


def the_touch(conn: Connection) -> touches.Touch:
    row = conn.execute(touches.select_touches()).one()
    return touches.Touch(**row._mapping)


def _sent(conn: Connection, touch: touches.Touch, *states: str) -> None:
    """Signed, claimed, called, and answered one after another."""
    conn.execute(update(rows).values(state="signed"))
    intent = a_send(touch.touch_id, "c-ada", "w-1", address_key=touch.address_key)
    sends.intend(conn, [intent])
    assert sends.win_calls(conn, [intent["send_id"]], worker="w-1", now=NOW)
    for state in states:
        assert sends.finish(conn, [sends.Outcome(intent["send_id"], state)], now=NOW)


def _state(state: str) -> Callable[[Connection, touches.Touch], None]:
    return lambda conn, touch: touches.set_state(conn, [touch], state, reason=None, actor="test", now=NOW) and None


def _expire(conn: Connection, touch: touches.Touch) -> None:
    assert touches.expire(conn, actor="dispatch", now=touch.not_after) == 1


def _end(conn: Connection, touch: touches.Touch) -> None:
    assert enrolments.end_enrolment(conn, touch.enrolment_id, reason="opted_out", actor="test", now=NOW)


FATES: dict[str, tuple[Callable[[Connection, touches.Touch], None], str]] = {
    "drafted": (lambda conn, touch: None, "reserved"),
    "held": (_state("held"), "reserved"),
    "accepted": (lambda conn, touch: _sent(conn, touch, "accepted"), "committed"),
    "refused": (lambda conn, touch: _sent(conn, touch, "refused"), "released"),
    "unknown": (lambda conn, touch: _sent(conn, touch, "unknown"), "reserved"),
    "unknown, then accepted": (lambda conn, touch: _sent(conn, touch, "unknown", "accepted"), "committed"),
    "unknown, then refused": (lambda conn, touch: _sent(conn, touch, "unknown", "refused"), "released"),
    "expired": (_expire, "released"),
    "rejected": (_state("rejected"), "released"),
    "cancelled": (_state("cancelled"), "released"),
    "enrolment ended": (_end, "released"),
}


@pytest.mark.parametrize("fate", FATES)
def test_a_code_follows_its_touch(house: House, fate: str) -> None:
    """Reserved while it may still be sent, committed once it was, released when it never will be."""
    befall, expected = FATES[fate]
    house.open(ADA)
    draft_run(house.workspace, RUN_ID, NOW)
    with house.ledger.begin() as conn:
        befall(conn, the_touch(conn))
    assert codes(house.ledger) == [expected]


def test_a_code_given_back_is_another_persons_to_have(house: House) -> None:
    """One code for two: Ben has it once Ada's enrolment is over."""
    house.offers = [offer(codes_available=1)]
    house.open(ADA, BEN | {"not_before": REWARD["not_before"] + timedelta(hours=1)})
    draft_run(house.workspace, RUN_ID, NOW)
    again = an_id("another run")
    with house.ledger.begin() as conn:
        ada = next(t for t in touches.draftable(conn, "customer_reactivation") if t.state == "drafted")
        _end(conn, ada)
    house.open(run_id=again)
    assert draft_run(house.workspace, again, NOW)["drafted"] == 1
    assert sorted(codes(house.ledger)) == ["released", "reserved"]


def test_two_runs_that_race_never_give_out_more_codes_than_there_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw the last code free and rendered it; one of them reserves it, the other's touch is held."""
    house.offers = [offer(codes_available=1)]
    house.open(ADA)
    again = an_id("another run")
    house.open(BEN, run_id=again)
    both = Barrier(2)
    batches = module._batches

    def rendered_together(*args: Any) -> Any:
        both.wait(timeout=60)
        yield from batches(*args)

    monkeypatch.setattr(module, "_batches", rendered_together)
    monkeypatch.setattr(module, "_due", _only_its_own)
    ledgers = [open_ledger(str(house.ledger.engine.url.render_as_string(hide_password=False))) for _ in range(2)]
    settings, keys = house.workspace.settings, house.workspace.keys
    runs = [
        Thread(target=draft_run, args=(Workspace(settings, one, keys), run_id, NOW))
        for one, run_id in zip(ledgers, (RUN_ID, again), strict=True)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    for one in ledgers:
        one.close()
    assert codes(house.ledger) == ["reserved"]
    with house.ledger.begin() as conn:
        states = sorted((t.state, t.reason) for t in touches.draftable(conn, "customer_reactivation"))
    assert states == [("drafted", None), ("held", "offer_used_up")]


_due = module._due


def _only_its_own(conn: Connection, run: Any, folder: Any, now: Any) -> Any:
    """Each run drafts the touches of the enrolments it began."""
    due = _due(conn, run, folder, now)
    active = enrolments.active_of(conn)
    mine = active.filter(pc.equal(active["run_id"], run.run_id))["enrolment_id"]
    return due.filter(pc.is_in(due["enrolment_id"], value_set=mine.combine_chunks()))
