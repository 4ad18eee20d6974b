"""What our e-mail did, day by day, as the ramp and the circuit of its domain are told (RULES.md, Timing)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from tests.ledgers import NOW, a_send, add_touch, begin, enrol

from reactivation.ledger import events, mail, sends, stops
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event
from reactivation.ledger.tables import enrolments
from reactivation.policy.deliverability import Day

TODAY = NOW.date()
WEEK = NOW - timedelta(days=7)


def mailed(
    conn: Connection, customer: str, at: datetime = NOW, *, state: str = "accepted", channel: str = "email",
    number: int = 1,
) -> tuple[str, str]:  # fmt: skip
    """A message that was called at that time, and how its call ended; its enrolment and its touch."""
    enrolment_id = enrol(conn, customer) if number == 1 else an_enrolment(conn, customer)
    touch_id = add_touch(conn, enrolment_id, customer, number, channel=channel)
    intended = at - timedelta(seconds=5)
    row = a_send(
        touch_id, customer, "w", channel=channel, intended_at=intended, lease_until=at + timedelta(minutes=9)
    )  # fmt: skip
    sends.intend(conn, [row])
    if state != "intent":
        sends.win_calls(conn, [row["send_id"]], worker="w", now=at)
    if state not in ("intent", "called"):
        sends.finish(conn, [sends.Outcome(row["send_id"], state)], now=at + timedelta(seconds=1))
    return enrolment_id, touch_id


def an_enrolment(conn: Connection, customer: str) -> str:
    """The one a customer has already."""
    return str(conn.scalar(select(enrolments.c.enrolment_id).where(enrolments.c.customer_id == customer)))


def came(
    conn: Connection, kind: str, enrolment_id: str, touch_id: str | None, at: datetime = NOW, *,
    told: datetime | None = None, channel: str | None = "email",
) -> None:  # fmt: skip
    """Something that came back of it, recorded when it occurred unless ``told`` later."""
    event_id = f"{kind}:{enrolment_id[:8]}:{touch_id}:{at.isoformat()}"[:80]
    event = Event(event_id, "C1", None, enrolment_id, touch_id, kind, channel, at, "source")
    events.record(conn, [event], stops=(), now=told or at)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def days(conn: Connection, since: datetime = WEEK, **how: Any) -> list[Day]:
    return mail.days(conn, since, **how)


class TestSent:
    """By the day of the call, in UTC."""

    def test_what_may_have_gone_out_counts_and_what_was_accepted_is_delivered(self, ledger: Ledger) -> None:
        """A call under way and one whose end nobody knows may have; a refused one and a mere intent have not."""
        with ledger.begin() as conn:
            begin(conn)
            for state in ("accepted", "called", "unknown", "refused", "intent"):
                mailed(conn, f"C-{state}", state=state)
            assert days(conn) == [Day(TODAY, sent=3, delivered=1)]

    def test_text_messages_are_not_the_domains(self, ledger: Ledger) -> None:
        """Nor is what comes back of them."""
        with ledger.begin() as conn:
            begin(conn)
            one, touch = mailed(conn, "C1", channel="sms")
            came(conn, "bounce", one, touch, channel="sms")
            came(conn, "complaint", one, touch, channel="sms")
            assert days(conn) == []
            assert mail.sent_since(conn, WEEK) == 0

    def test_a_day_ends_at_midnight_utc(self, ledger: Ledger) -> None:
        """Whatever the clock of the recipient or of the database says; a day before the instant is left out."""
        midnight = datetime(2026, 3, 3, tzinfo=UTC)
        with ledger.begin() as conn:
            begin(conn)
            for n, at in enumerate((midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=23))):
                mailed(conn, f"C{n}", at)
            mailed(conn, "C9", ago(9))
            found = days(conn)
            assert [(one.day, one.sent) for one in found] == [(date(2026, 3, 2), 1), (date(2026, 3, 3), 2)]
            assert mail.sent_since(conn, midnight) == 2

    def test_what_is_about_to_go_out_counts_as_sent_today(self, ledger: Ledger) -> None:
        """An intent of the last second of yesterday may be called today, so it takes a place of today."""
        with ledger.begin() as conn:
            begin(conn)
            mailed(conn, "C1", ago(1), state="intent")
            mailed(conn, "C2", state="called")
            mailed(conn, "C3", state="refused")
            assert mail.sent_since(conn, NOW - timedelta(hours=11)) == 2


class TestCameBack:
    """On the day it occurred, not on that of the message."""

    def test_a_bounced_message_was_not_delivered(self, ledger: Ledger) -> None:
        """It bounced a day later, and is told by two systems: one bounce."""
        with ledger.begin() as conn:
            begin(conn)
            mailed(conn, "C1", ago(2))
            one, touch = mailed(conn, "C2", ago(2))
            came(conn, "bounce", one, touch, ago(1))
            came(conn, "bounce", one, touch, ago(0.5))
            assert days(conn) == [Day(ago(2).date(), sent=2, delivered=1), Day(ago(1).date(), hard_bounces=1)]

    def test_somebody_elses_bounce_is_not_ours(self, ledger: Ledger) -> None:
        """It names no message of ours."""
        with ledger.begin() as conn:
            begin(conn)
            one, _ = mailed(conn, "C1")
            came(conn, "bounce", one, None)
            assert days(conn) == [Day(TODAY, sent=1, delivered=1)]

    def test_a_person_complains_once(self, ledger: Ledger) -> None:
        """Of one message, and again as a record without one: the first day counts."""
        with ledger.begin() as conn:
            begin(conn)
            one, touch = mailed(conn, "C1", ago(3))
            came(conn, "complaint", one, touch, ago(2))
            came(conn, "complaint", one, None, ago(1), channel=None)
            assert days(conn)[1:] == [Day(ago(2).date(), complaints=1)]

    def test_a_complaint_without_a_message_counts_after_one_of_ours(self, ledger: Ledger) -> None:
        """Mail of ours it must be, of whatever touch; before the first one it was somebody else's."""
        with ledger.begin() as conn:
            begin(conn)
            after, _ = mailed(conn, "C1", ago(2))
            before, _ = mailed(conn, "C2", ago(2))
            mailed(conn, "C2", ago(1), number=2)
            texted, _ = mailed(conn, "C3", ago(2), channel="sms")
            came(conn, "complaint", after, None, ago(1))
            came(conn, "complaint", before, None, ago(3))
            came(conn, "complaint", texted, None, ago(1), channel=None)
            assert [one.complaints for one in days(conn)] == [0, 1]

    def test_what_is_told_late_counts_on_its_day(self, ledger: Ledger) -> None:
        """Of the week before the last, told now: the day is there for whoever looks so far back."""
        with ledger.begin() as conn:
            begin(conn)
            one, touch = mailed(conn, "C1", ago(12))
            came(conn, "complaint", one, touch, ago(10), told=NOW)
            assert days(conn) == [Day(ago(10).date(), complaints=1)]
            assert days(conn, NOW + timedelta(seconds=1)) == []

    def test_what_a_person_has_answered_for_is_left_out(self, ledger: Ledger) -> None:
        """What was told until then; of the other kind, and what is told later of the same day, nothing is left out."""
        with ledger.begin() as conn:
            begin(conn)
            for n in (1, 2):
                one, touch = mailed(conn, f"C{n}", ago(2))
                came(conn, "complaint", one, touch, ago(1), told=ago(1) if n == 1 else NOW)
            one, touch = mailed(conn, "C3", ago(2))
            came(conn, "bounce", one, touch, ago(1))
            later = days(conn, answered={"complaint": ago(0.5)})
            assert later[1] == Day(ago(1).date(), complaints=1, hard_bounces=1)
            assert days(conn)[1] == Day(ago(1).date(), complaints=2, hard_bounces=1)

    def test_what_is_new_can_be_told_by_a_number(self, ledger: Ledger) -> None:
        """Each complaint and each bounce makes it more; a click does not."""
        with ledger.begin() as conn:
            begin(conn)
            one, touch = mailed(conn, "C1")
            counts = [mail.told(conn)]
            for kind in ("complaint", "click", "bounce"):
                came(conn, kind, one, touch)
                counts.append(mail.told(conn))
            assert counts == [0, 1, 1, 2]


def test_when_the_last_stop_of_a_reason_ended(ledger: Ledger) -> None:
    """Of two that are over the later; one that stands has not ended."""
    with ledger.begin() as conn:
        for begun, over in ((9, 8), (5, 4), (1, None)):
            one = stops.stop(
                conn, scope="channel:email", reason="deliverability:bounces", actor="dispatch", now=ago(begun)
            )  # fmt: skip
            if over is not None:
                stops.resume(conn, stop_id=one.stop_id, actor="ada", answer_id="a", now=ago(over))
        stops.stop(conn, scope="channel:email", reason="deliverability:complaints", actor="dispatch", now=ago(1))
        assert stops.ended(conn, NOW) == {"deliverability:bounces": ago(4)}
