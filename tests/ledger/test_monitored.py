"""What the monitor counts, what it pauses, and how people were split: kept and counted by both databases alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError
from tests.ledgers import NOW, PLAYBOOK, a_send, add_touch, begin, enrol

from reactivation.ledger import batches, events, monitored, pauses, stops
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event
from reactivation.ledger.tables import enrolments, sends, variant_batches
from reactivation.ledger.tables import pauses as pauses_table

SPLIT = {"variants": {"control": [0.5, "a"], "bold": [0.5, "b"]}, "paused": [], "resumed": 0}
BATCH = "0c1f3c7e-54c5-4f2c-9a70-2b1f4b3f0009"


def wrote(
    conn: Connection,
    customer: str,
    variant: str | None,
    *at: datetime,
    segment: str = "household",
    state: str = "accepted",
    **columns: Any,
) -> str:
    """An enrolment of the variant with one message at each of these instants; its id."""
    enrolment = enrol(
        conn, customer, variant=variant, batch_id=BATCH if variant else None, segment=segment,
        enrolled_at=min(at, default=NOW) - timedelta(hours=1), **columns,
    )  # fmt: skip
    for number, sent_at in enumerate(at, 1):
        touch = add_touch(conn, enrolment, customer, number, state=state)
        send = a_send(touch, customer, "w", intended_at=sent_at, finished_at=sent_at, called_at=sent_at, state=state)
        conn.execute(insert(sends).values(send))
    return enrolment


def told(conn: Connection, *rows: tuple[str, str, datetime, dict[str, Any]], now: datetime = NOW) -> None:
    made = [
        Event(**{
            "event_id": f"{customer}-{kind}-{number}", "customer_id": customer, "address_key": None,
            "enrolment_id": None, "touch_id": None, "kind": kind, "channel": "email", "occurred_at": at, "source": "t",
        } | changes)
        for number, (customer, kind, at, changes) in enumerate(rows)
    ]  # fmt: skip
    events.record(conn, made, stops=(), now=now)


def counted(conn: Connection, **asked: Any) -> dict[tuple[str | None, str], tuple[int, ...]]:
    rows = monitored.counted(conn, PLAYBOOK, **({"since": None, "until": NOW} | asked)).to_pylist()
    names = ("assigned", "sends", "unsubscribes", "complaints", "bounces")
    return {(row["variant"], row["segment"]): tuple(row[name] for name in names) for row in rows}


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


class TestCounted:
    def test_each_variant_and_segment_by_itself(self, ledger: Ledger) -> None:
        """Assigned whether or not anything went out; people once, however often they said no."""
        with ledger.begin() as conn:
            begin(conn)
            wrote(conn, "C1", "bold", ago(5), ago(2))
            wrote(conn, "C2", "bold", ago(5), segment="business")
            wrote(conn, "C3", "control", ago(5))
            wrote(conn, "C4", "control")
            wrote(conn, "C5", "control", ago(5), state="refused")
            wrote(conn, "C6", None, ago(5))
            told(conn, ("C1", "unsubscribe", ago(1), {}), ("C1", "opt_out", ago(1), {}),
                 ("C2", "complaint", ago(4), {}), ("C3", "complaint", ago(6), {}),
                 ("C6", "objection", ago(4), {}))  # fmt: skip
            assert counted(conn) == {
                (None, "household"): (1, 1, 1, 0, 0), ("bold", "business"): (1, 1, 0, 1, 0),
                ("bold", "household"): (1, 2, 1, 0, 0), ("control", "household"): (3, 1, 0, 0, 0),
            }  # fmt: skip

    def test_a_bounce_is_of_its_message(self, ledger: Ledger) -> None:
        """And of nobody's who merely has the same customer."""
        with ledger.begin() as conn:
            begin(conn)
            enrolment = wrote(conn, "C1", "bold", ago(5))
            touch = conn.execute(sends.select()).one().touch_id
            told(conn, ("C1", "bounce", ago(4), {"touch_id": touch, "enrolment_id": enrolment}),
                 ("C1", "bounce", ago(4), {"touch_id": "another"}))  # fmt: skip
            assert counted(conn)["bold", "household"] == (1, 1, 0, 0, 1)

    def test_only_what_is_after_an_instant_and_was_known_at_another(self, ledger: Ledger) -> None:
        """What an owner answered for does not count again; what was told later is not in the evidence."""
        with ledger.begin() as conn:
            begin(conn)
            wrote(conn, "C1", "bold", ago(5), ago(2))
            told(conn, ("C1", "complaint", ago(4), {}), now=ago(3))
            assert counted(conn)["bold", "household"] == (1, 2, 0, 1, 0)
            assert counted(conn, since=ago(3))["bold", "household"] == (1, 1, 0, 0, 0)
            assert counted(conn, until=ago(3.5))["bold", "household"] == (1, 1, 0, 0, 0)


class TestCompared:
    def test_the_first_message_and_the_first_purchase_after_it(self, ledger: Ledger) -> None:
        """A purchase before, a cancelled one and one nobody knew of then are none."""
        with ledger.begin() as conn:
            begin(conn)
            wrote(conn, "C1", "bold", ago(40), ago(35))
            wrote(conn, "C2", "control", ago(40))
            wrote(conn, "C3", "control", ago(10))
            wrote(conn, "C4", None, ago(40))
            told(conn, ("C1", "order", ago(41), {}), ("C1", "booking", ago(38), {}), ("C1", "order", ago(37), {}),
                 ("C2", "order", ago(30), {"event_id": "undone"}),
                 ("C2", "cancelled", ago(29), {"about": "undone"}))  # fmt: skip
            rows = monitored.compared(conn, PLAYBOOK, first_before=ago(30), until=NOW).to_pylist()
            assert sorted((row["variant"], row["first_at"], row["bought_at"]) for row in rows) == [
                ("bold", ago(40), ago(38)), ("control", ago(40), None),
            ]  # fmt: skip
            assert {row["batch_id"] for row in rows} == {BATCH}
            earlier = monitored.compared(conn, PLAYBOOK, first_before=ago(30), until=ago(1)).to_pylist()
            assert {row["bought_at"] for row in earlier} == {None}


class TestBatches:
    def test_the_same_split_is_the_same_batch(self, ledger: Ledger) -> None:
        """Another share, a pause or a resumption begins another."""
        with ledger.begin() as conn:
            run = begin(conn)
            first = batches.enter(conn, run, SPLIT, NOW)
            assert batches.enter(conn, run, SPLIT, NOW + timedelta(days=1)) == first
            second = batches.enter(conn, run, SPLIT | {"paused": [["bold", ""]]}, NOW + timedelta(days=2))
            third = batches.enter(conn, run, SPLIT | {"resumed": 1}, NOW + timedelta(days=3))
            assert [one.batch_id for one in batches.of_playbook(conn, PLAYBOOK)] == [first, second, third]
            assert batches.of_playbook(conn, PLAYBOOK)[0].split == SPLIT

    def test_neither_split_nor_variant_ever_change(self, ledger: Ledger) -> None:
        """Of an enrolment that is for its whole course."""
        statements: Sequence[Any] = (
            variant_batches.update().values(split={}), variant_batches.delete(),
            enrolments.update().values(variant="control"), enrolments.update().values(batch_id="b"),
        )  # fmt: skip
        with ledger.begin() as conn:
            run = begin(conn)
            batches.enter(conn, run, SPLIT, NOW)
            wrote(conn, "C1", "bold")
        for statement in statements:
            with pytest.raises(IntegrityError), ledger.begin() as conn:
                conn.execute(statement)


class TestPauses:
    def test_a_pause_is_a_stop_with_its_evidence(self, ledger: Ledger) -> None:
        """Until it is resumed; the evidence stays as it was."""
        with ledger.begin() as conn:
            begin(conn)
            stop_id = pauses.pause(
                conn, playbook=PLAYBOOK, variant="bold", segment="household", because="complaints",
                evidence={"events": 9, "sends": 1000}, rules_version="r", actor="monitor", now=NOW,
            )  # fmt: skip
            (stop,) = stops.standing(conn, NOW)
            assert (stop.scope, stop.reason) == (f"variant:{PLAYBOOK}/bold/household", "monitor:complaints")
            assert [one.stop_id for one in pauses.standing(conn, PLAYBOOK)] == [stop_id]
            assert stops.resume(conn, stop_id=stop_id, actor="ada", answer_id="a", now=NOW + timedelta(hours=1))
            (pause,) = pauses.of_playbook(conn, PLAYBOOK)
            assert (pause.evidence, pause.until) == ({"events": 9, "sends": 1000}, NOW + timedelta(hours=1))
            assert pauses.standing(conn, PLAYBOOK) == []
        for statement in (pauses_table.update().values(evidence={}), pauses_table.delete()):
            with pytest.raises(IntegrityError), ledger.begin() as conn:
                conn.execute(statement)

    @pytest.mark.parametrize(("variant", "segment", "stopped"), [
        ("bold", "household", True), ("bold", "business", False), ("control", "household", False), (None, "x", False),
    ])  # fmt: skip
    def test_it_stops_its_own_and_nothing_else(self, variant: str | None, segment: str, stopped: bool) -> None:
        """One segment of one variant."""
        scope = f"variant:{PLAYBOOK}/bold/household"
        found = [stops.Stop("s", scope, "monitor:worse", "monitor", NOW)]
        one = stops.applying(found, playbook=PLAYBOOK, channel="email", variant=variant, segment=segment)
        assert (one is not None) is stopped
        assert stops.applying(found, playbook="another", channel="email", variant="bold", segment="household") is None

    @pytest.mark.parametrize(("scope", "reason", "held"), [
        (f"variant:{PLAYBOOK}/bold/household", "by_hand:precaution", True),
        (f"variant:{PLAYBOOK}/bold", "monitor:worse", True),
        (f"variant:{PLAYBOOK}/bold/business", "monitor:worse", False),
        (f"variant:{PLAYBOOK}/plain", "monitor:worse", False),
        (f"playbook:{PLAYBOOK}", "monitor:bounces", True), (f"playbook:{PLAYBOOK}", "by_hand:precaution", False),
        ("everything", "by_hand:precaution", False),
    ])  # fmt: skip
    def test_people_wait_by_their_own_part_until_it_goes_on(
        self, ledger: Ledger, scope: str, reason: str, held: bool
    ) -> None:
        """Whoever paused it; what merely keeps messages back for a while is no pause."""
        who = {"playbook": PLAYBOOK, "variant": "bold", "segment": "household"}
        with ledger.begin() as conn:
            stop = stops.stop(conn, scope=scope, reason=reason, actor="x", now=NOW)
            assert pauses.holding(conn, **who) == (stop if held else None)
            stops.resume(conn, stop_id=stop.stop_id, actor="ada", answer_id="a", now=NOW + timedelta(hours=1))
            assert pauses.holding(conn, **who) is None


def test_responses_are_those_of_enrolments_with_a_step_of_the_ladder(ledger: Ledger) -> None:
    """By segment and step: when first written to, and when they first bought after that; who was given no step, or was
    written to later, is not among them."""
    with ledger.begin() as conn:
        begin(conn)
        for customer, rung, days in (("C1", "none", 40), ("C2", "percent", 40), ("C3", None, 40), ("C4", "none", 20)):
            wrote(conn, customer, None, ago(days), ago(days - 5), dimensions={"value_tier": "mid", "rung": rung})
        told(conn, ("C1", "order", ago(41), {}), ("C2", "order", ago(30), {}), ("C2", "order", ago(28), {}))

        found = monitored.responded(conn, PLAYBOOK, first_before=ago(30), until=NOW).to_pylist()

    assert sorted((row["rung"], row["segment"], row["first_at"], row["bought_at"]) for row in found) == [
        ("none", "household", ago(40), None), ("percent", "household", ago(40), ago(30)),
    ]  # fmt: skip
