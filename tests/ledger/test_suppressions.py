"""Suppressions and stops: permanent, at once, and never interleaved with a claim."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import select
from tests.ledgers import NOW, a_key

from reactivation.ledger import stops, suppressions
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.locks import PERMISSION, shared
from reactivation.ledger.suppressions import Suppression
from reactivation.ledger.tables import audit
from reactivation.ledger.tables import suppressions as rows

BRAND = "harbour_finch"
NO = Suppression(a_key("zoe"), "*", "*", "opt_out", "preference_page", NOW - timedelta(hours=3))


def _commit(ledger: Ledger, *what: Suppression) -> int:
    return suppressions.commit(ledger, what, actor="record_outcomes", now=NOW)


def test_an_opt_out_is_committed_with_both_times(ledger: Ledger) -> None:
    """When it was said and when we knew, and an audit row."""
    assert _commit(ledger, NO) == 1
    with ledger.begin() as conn:
        row = conn.execute(select(rows)).one()
        assert (row.occurred_at, row.recorded_at) == (NO.occurred_at, NOW)
        assert conn.execute(select(audit.c.action, audit.c.subject)).all() == [("suppressed", a_key("zoe"))]


def test_told_twice_it_is_one(ledger: Ledger) -> None:
    """In one call or in two; nothing is audited twice."""
    assert _commit(ledger, NO, NO) == 1
    assert _commit(ledger, NO) == 0
    assert _commit(ledger) == 0
    with ledger.begin() as conn:
        assert len(conn.execute(select(audit)).all()) == 1


def test_who_may_not_be_contacted_for_a_brand(ledger: Ledger) -> None:
    """Any channel of the brand counts; another brand's row does not."""
    _commit(
        ledger, NO, Suppression(a_key("ben"), BRAND, "sms", "complaint", "crm", NOW),
        Suppression(a_key("ida"), "other_brand", "*", "opt_out", "crm", NOW),
    )  # fmt: skip
    with ledger.begin() as conn:
        asked = [a_key(name) for name in ("zoe", "ben", "ida", "new")]
        assert suppressions.standing(conn, asked, brand=BRAND) == {a_key("zoe"): "opt_out", a_key("ben"): "complaint"}
        assert suppressions.standing(conn, [], brand=BRAND) == {}


def test_a_suppression_waits_for_a_claim_and_a_claim_for_a_suppression(ledger: Ledger) -> None:
    """While a claim is open no suppression is committed; so what a claim has checked stays true until it commits."""
    other = open_ledger(ledger.engine.url.render_as_string(hide_password=False))
    committed = threading.Event()

    def opt_out() -> None:
        _commit(other, NO)
        committed.set()

    thread = threading.Thread(target=opt_out)
    with ledger.begin() as conn:
        shared(conn, PERMISSION)
        assert suppressions.standing(conn, [a_key("zoe")], brand=BRAND) == {}
        thread.start()
        assert not committed.wait(0.5)
        assert suppressions.standing(conn, [a_key("zoe")], brand=BRAND) == {}
    assert committed.wait(10)
    thread.join()
    other.close()
    with ledger.begin() as conn:
        assert suppressions.standing(conn, [a_key("zoe")], brand=BRAND) == {a_key("zoe"): "opt_out"}


def test_a_stop_holds_its_scope_until_an_answer_ends_it(ledger: Ledger) -> None:
    """Everything, one playbook or one channel; ended once, by an answer."""
    with ledger.begin() as conn:
        everything = stops.stop(conn, scope=stops.EVERYTHING, reason="complaint_rate", actor="monitor", now=NOW)
        sms = stops.stop(conn, scope="channel:sms", reason="carrier", actor="ada", now=NOW + timedelta(minutes=1))
        found = stops.standing(conn, NOW)
        assert stops.applying(found, playbook="p", channel="email") == everything
        assert stops.resume(conn, stop_id=everything.stop_id, actor="ada", answer_id="answer", now=NOW)
        assert not stops.resume(conn, stop_id=everything.stop_id, actor="ada", answer_id="answer", now=NOW)
        found = stops.standing(conn, NOW + timedelta(hours=1))
        assert found == (sms,)
        assert stops.applying(found, playbook="p", channel="email") is None
        assert stops.applying(found, playbook="p", channel="sms") == sms
        one = stops.stop(conn, scope="playbook:p", reason="owner_asked", actor="ada", now=NOW)
        assert stops.applying(stops.standing(conn, NOW), playbook="p", channel="email") == one
        assert stops.applying(stops.standing(conn, NOW), playbook="q", channel="email") is None
