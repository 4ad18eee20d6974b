"""What the gates are told about each address key."""

from __future__ import annotations

import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Connection, event, insert
from tests.ledgers import NOW, PLAYBOOK, RUN_ID, a_key, a_send, add_touch, an_id, begin, enrol

from reactivation.ledger import enrolments, extract, sends, suppressions, tags
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.ledger.suppressions import Suppression
from reactivation.ledger.tables import events

BRAND = "harbour_finch"


def _extract(ledger: Ledger, **narrowed: Any) -> dict[str, dict[str, Any]]:
    with ledger.begin() as conn:
        table = extract.ledger_extract(conn, brand=BRAND, now=NOW, **narrowed)
    assert table.schema == extract.EXTRACT
    rows = table.to_pylist()
    assert [row["address_key"] for row in rows] == sorted(row["address_key"] for row in rows)
    return {row.pop("address_key"): row for row in rows}


def _no(key: str, reason: str, *, brand: str = "*", channel: str = "*") -> Suppression:
    return Suppression(key, brand, channel, reason, "preference_page", NOW - timedelta(days=1))


@pytest.fixture
def book(ledger: Ledger) -> Ledger:
    """A ledger with one run."""
    with ledger.begin() as conn:
        begin(conn)
    return ledger


def test_an_empty_ledger_knows_nobody(ledger: Ledger) -> None:
    """No rows, and the right columns."""
    assert _extract(ledger) == {}


def test_our_standing_tags_hold_for_every_address_of_their_bearer(book: Ledger) -> None:
    """Sorted; a tag that was taken off is none, and an enrolment that does not count still shows them."""
    with book.begin() as conn:
        one = enrol(conn, "C001", keys=[a_key("C001"), a_key("phone")])
        enrol(conn, "C002")
        for tag in ("no_response", "lapsed", "old"):
            tags.put(conn, customer_id="C001", tag=tag, actor="x", now=NOW)
        tags.take_off(conn, customer_id="C001", tag="old", actor="x", now=NOW)
    expected = {a_key("C001"): ["lapsed", "no_response"], a_key("phone"): ["lapsed", "no_response"]}
    assert {key: row["tags"] for key, row in _extract(book).items()} == {**expected, a_key("C002"): None}
    assert {
        key: row["tags"] for key, row in _extract(book, excluding_enrolments=[one]).items() if row["tags"]
    } == expected


def test_suppressions_of_this_brand_and_of_every_brand_count(ledger: Ledger) -> None:
    """Another brand's do not; one channel stays one channel, two make every channel."""
    suppressions.commit(
        ledger,
        [
            _no("a", "opt_out"), _no("b", "complaint", brand=BRAND, channel="email"),
            _no("c", "opt_out", brand="other"),
            _no("d", "opt_out", channel="email"), _no("d", "hard_bounce", channel="sms"),
            _no("e", "opt_out", channel="email"), _no("e", "complaint", channel="email"),
        ],
        actor="record_outcomes", now=NOW,
    )  # fmt: skip
    found = {key: (row["suppressed_reason"], row["suppressed_channel"]) for key, row in _extract(ledger).items()}
    assert found == {
        "a": ("opt_out", "*"), "b": ("complaint", "email"), "d": ("hard_bounce", "*"), "e": ("complaint", "email"),
    }  # fmt: skip


def test_enrolments_occupy_while_active_and_count_for_ever(book: Ledger) -> None:
    """The active playbook, how many there were, and when and where the last one ended."""
    with book.begin() as conn:
        begin(conn, run_id=an_id("second run"))
        first = enrol(conn, "C001")
        enrolments.end_enrolment(conn, first, reason="no_response", actor="x", now=NOW - timedelta(days=9))
        second = enrol(conn, "C001", run_id=an_id("second run"))
    row = _extract(book)[a_key("C001")]
    assert (row["active_playbook"], row["enrolments_total"]) == (PLAYBOOK, 2)
    assert (row["last_ended_playbook"], row["last_ended_at"]) == (PLAYBOOK, NOW - timedelta(days=9))
    assert row["last_ended_as"]
    left_out = _extract(book, excluding_enrolments=[second])[a_key("C001")]
    assert (left_out["active_playbook"], left_out["enrolments_total"]) == (None, 1)
    assert _extract(book, excluding_enrolments=[first, second]) == {}


def test_of_several_that_ended_the_last_counts(book: Ledger) -> None:
    """Ties are settled by the playbook's name, so that the same ledger gives the same extract."""
    with book.begin() as conn:
        for days, name in ((30, "dormant_account_outreach"), (9, "customers_not_active"), (9, PLAYBOOK)):
            run_id = an_id("run", name)
            begin(conn, run_id=run_id)
            one = enrol(conn, "C001", run_id=run_id, playbook=name)
            enrolments.end_enrolment(conn, one, reason="no_response", actor="x", now=NOW - timedelta(days=days))
    row = _extract(book)[a_key("C001")]
    assert (row["last_ended_playbook"], row["last_ended_at"]) == (PLAYBOOK, NOW - timedelta(days=9))
    assert row["enrolments_total"] == 3


def test_sends_that_may_have_reached_the_person_count_for_the_caps(book: Ledger) -> None:
    """Called, accepted and unknown count, at the time of the call; an intent or a refusal does not."""
    hours = {"C001": 47, "C002": 49, "C003": 24 * 6, "C004": 24 * 8, "C005": 1, "C006": 1}
    states = {"C005": "intent", "C006": "refused", "C002": "unknown", "C003": "called"}
    with book.begin() as conn:
        for customer_id, ago in hours.items():
            touch_id = add_touch(conn, enrol(conn, customer_id), customer_id)
            at = NOW - timedelta(hours=ago)
            channel = "sms" if customer_id in ("C003", "C004") else "email"
            row = a_send(touch_id, customer_id, "w", channel=channel, intended_at=at - timedelta(seconds=5))
            sends.intend(conn, [row])
            if states.get(customer_id) == "intent":
                continue
            sends.win_calls(conn, [row["send_id"]], worker="w", now=at)
            if states.get(customer_id) != "called":
                sends.finish(conn, [sends.Outcome(row["send_id"], states.get(customer_id, "accepted"))], now=at)
    found = _extract(book)
    assert {c: found[a_key(c)]["sent_48h"] for c in hours} == {
        "C001": 1, "C002": 0, "C003": 0, "C004": 0, "C005": 0, "C006": 0,
    }  # fmt: skip
    assert {c: found[a_key(c)]["sms_sent_7d"] for c in hours} == {**dict.fromkeys(hours, 0), "C003": 1}
    assert found[a_key("C003")]["last_sms_sent_at"] == NOW - timedelta(days=6)
    assert found[a_key("C002")]["last_sent_at"] == NOW - timedelta(hours=49)
    assert found[a_key("C001")]["last_sms_sent_at"] is None
    assert found[a_key("C005")]["last_sent_at"] is None


def test_redeemed_incentives_count(book: Ledger) -> None:
    """As many events, and the last of them."""
    with book.begin() as conn:
        for i, days in enumerate((40, 4)):
            conn.execute(insert(events), {
                "event_id": f"redeemed:P{i}", "customer_id": "C001", "address_key": a_key("C001"), "kind": "redeemed",
                "occurred_at": NOW - timedelta(days=days), "recorded_at": NOW, "source": "source", "crossed": False,
            })  # fmt: skip
        enrol(conn, "C001")
    row = _extract(book)[a_key("C001")]
    assert (row["redeemed_incentives"], row["last_redeemed_at"]) == (2, NOW - timedelta(days=4))


def test_it_can_be_narrowed_to_some_keys(book: Ledger) -> None:
    """The dispatcher asks about a batch, not about everybody."""
    with book.begin() as conn:
        for customer_id in ("C001", "C002", "C003"):
            enrol(conn, customer_id)
    assert set(_extract(book, address_keys=[a_key("C002"), a_key("nobody")])) == {a_key("C002")}


def _lived(ledger: Ledger, seed: int) -> None:
    """A history of forty people by chance, the same for the same seed: enrolments, sends, answers, tags."""
    chance = random.Random(seed)  # noqa: S311  (nothing secret)
    with ledger.begin() as conn:
        begin(conn)
        begin(conn, run_id=an_id("second run"))
        for number in range(40):
            customer_id = f"C{number:03}"
            keys = [a_key(customer_id), a_key(f"phone of {customer_id}")]
            one = enrol(conn, customer_id, keys=keys[: chance.randint(1, 2)])
            if chance.random() < 0.5:
                _sent(conn, add_touch(conn, one, customer_id), customer_id, chance)
            if chance.random() < 0.5:
                at = NOW - timedelta(seconds=chance.randrange(10**7))
                enrolments.end_enrolment(conn, one, reason="no_response", actor="x", now=at)
                enrol(conn, customer_id, run_id=an_id("second run"))
            for tag in chance.sample(["lapsed", "no_response", "Ärger", "old"], k=chance.randrange(3)):
                tags.put(conn, customer_id=customer_id, tag=tag, actor="x", now=NOW)
            if chance.random() < 0.3:
                conn.execute(insert(events), {
                    "event_id": f"redeemed:{number}", "customer_id": customer_id, "address_key": a_key(customer_id),
                    "kind": "redeemed", "occurred_at": NOW - timedelta(microseconds=chance.randrange(10**12)),
                    "recorded_at": NOW, "source": "source", "crossed": False,
                })  # fmt: skip
    noes = [
        _no(a_key(f"C{chance.randrange(60):03}"), chance.choice(["opt_out", "complaint", "hard_bounce"]),
            brand=chance.choice(["*", BRAND, "other"]), channel=chance.choice(["*", "email", "sms"]))
        for _ in range(40)
    ]  # fmt: skip
    suppressions.commit(ledger, noes, actor="record_outcomes", now=NOW)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_known_of_some_keys_does_not_depend_on_asking_about_them_alone(ledger: Ledger, seed: int) -> None:
    """The rows of a narrowed extract are those of the whole one, also with enrolments left out."""
    _lived(ledger, seed)
    for left_out in ([], [an_id(RUN_ID, f"C{number:03}") for number in range(0, 40, 2)]):
        whole = _extract(ledger, excluding_enrolments=left_out)
        for some in (list(whole), list(whole)[::3], [*list(whole)[:1], a_key("nobody")], []):
            narrowed = _extract(ledger, excluding_enrolments=left_out, address_keys=some)
            assert narrowed == {key: row for key, row in whole.items() if key in some}


def test_some_keys_are_looked_up_and_not_looked_for(tmp_path: Path, sqlite_template: Path) -> None:
    """Else the time to ask about a few grows with the ledger: no table is read whole, whichever statement asks."""
    ledger = open_ledger(f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'ledger.db')}")
    asked: list[tuple[str, Any]] = []
    with ledger.begin() as conn:
        event.listen(conn, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
        extract.ledger_extract(conn, brand=BRAND, now=NOW, address_keys=[a_key("C001")])
        plans = [conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all() for text, values in tuple(asked)]
    ledger.close()
    steps = {row[3] for plan in plans for row in plan}
    tables = ("enrolments", "enrolment_keys", "sends", "suppressions", "tags")
    assert {table for table in tables if any(step.startswith(f"SEARCH {table} ") for step in steps)} == {*tables}
    assert [step for step in steps for table in tables if f"{step} ".startswith(f"SCAN {table} ")] == []
    assert not any("ix_sends_state" in step for step in steps), "nearly every send was accepted"


def _sent(conn: Connection, touch_id: str, customer_id: str, chance: random.Random) -> None:
    at = NOW - timedelta(microseconds=chance.randrange(9 * 86_400 * 10**6))
    row = a_send(touch_id, customer_id, "w", channel=chance.choice(["email", "sms"]), intended_at=at)
    sends.intend(conn, [row])
    sends.win_calls(conn, [row["send_id"]], worker="w", now=at)
    sends.finish(conn, [sends.Outcome(row["send_id"], chance.choice(["accepted", "unknown", "refused"]))], now=at)


@pytest.mark.parametrize("seed", [1, 2])
def test_both_databases_tell_the_gates_the_same(
    seed: int, tmp_path: Path, sqlite_template: Path, migrated_postgres: Any
) -> None:
    """One history in SQLite and in PostgreSQL: the same rows in the same order, so the same decisions."""
    file = shutil.copyfile(sqlite_template, tmp_path / "ledger.db")
    told: list[pa.Table] = []
    for url in (f"sqlite:///{file}", migrated_postgres.url()):
        ledger = open_ledger(url)
        _lived(ledger, seed)
        with ledger.begin() as conn:
            told.append(extract.ledger_extract(conn, brand=BRAND, now=NOW))
        ledger.close()
    assert told[0].num_rows > 40
    assert told[0].equals(told[1])
