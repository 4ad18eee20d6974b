"""What providers tell, read: events in one shape, and nothing that raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactivation.delivery import resend_events, sendgrid_events, twilio_events
from reactivation.delivery.provider_events import ProviderEvent, Told, instant

AT = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
RECEIVED = AT + timedelta(minutes=5)
SEND_ID = "0c1f3c7e-54c5-4f2c-9a70-2b1f4b3f0009"
ADDRESS, NUMBER = "ann.hart@gmail.com", "+447700900456"
SID = "SM" + "1" * 32

SENDGRID: dict[str, Any] = {
    "email": ADDRESS, "timestamp": int(AT.timestamp()), "event": "delivered", "sg_event_id": "ZGVsaXZlcmVkLTA",
    "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "key": SEND_ID, "category": [SEND_ID],
}  # fmt: skip
RESEND: dict[str, Any] = {
    "type": "email.delivered", "created_at": "2026-03-03T11:00:00.000Z",
    "data": {"email_id": "em-1", "to": [ADDRESS], "tags": {"key": SEND_ID}, "from": "x", "subject": "y"},
}  # fmt: skip


def one(told: Told) -> ProviderEvent:
    (event,) = told.events
    assert not told.problems
    return event


class TestSendGrid:
    def test_a_row_says_which_send_it_is_about(self) -> None:
        """By our key, which it echoes, and by its own id of the message without what it appends."""
        event = one(sendgrid_events.webhook_events([SENDGRID], RECEIVED))
        assert event == ProviderEvent(
            "ZGVsaXZlcmVkLTA", "sendgrid", "email", "delivered", AT, send_id=SEND_ID,
            reference="14c5d75ce93.dfd.64b469", address=ADDRESS,
        )  # fmt: skip

    @pytest.mark.parametrize(("changes", "kind"), [
        ({"event": "bounce", "type": "bounce"}, "bounce"), ({"event": "bounce", "type": "blocked"}, "deferred"),
        ({"event": "bounce"}, "bounce"), ({"event": "deferred"}, "deferred"), ({"event": "spamreport"}, "complaint"),
        ({"event": "unsubscribe"}, "unsubscribe"), ({"event": "group_unsubscribe"}, "unsubscribe"),
        ({"event": "click"}, "click"), ({"event": "open"}, "open"),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, "unsubscribe"),
        ({"event": "dropped", "reason": "Bounced Address"}, "bounce"), ({"event": "dropped"}, "not_delivered"),
    ])  # fmt: skip
    def test_each_kind_in_the_contracts_words(self, changes: dict[str, str], kind: str) -> None:
        """A block is of the moment; a bounce that does not say which it is counts as one of the address."""
        assert one(sendgrid_events.webhook_events([SENDGRID | changes], RECEIVED)).kind == kind

    @pytest.mark.parametrize("changes", [
        {"event": "processed"}, {"event": "group_resubscribe"}, {"event": "open", "sg_machine_open": True},
    ])  # fmt: skip
    def test_what_says_nothing_of_a_person_is_left(self, changes: dict[str, Any]) -> None:
        """Coming back to a group is no permission, and a machine is no reader."""
        assert sendgrid_events.webhook_events([SENDGRID | changes], RECEIVED) == Told((), {})

    def test_a_broken_row_costs_the_others_nothing(self) -> None:
        """It is counted."""
        told = sendgrid_events.webhook_events([None, {"event": "flew"}, 7, SENDGRID], RECEIVED)
        assert (len(told.events), dict(told.problems)) == (1, {"row_unreadable": 2, "kind_unknown": 1})

    def test_a_no_stays_a_no_whatever_else_is_broken(self) -> None:
        """Without id, time and key it is told at once, and as the same when it is told again."""
        row = {"event": "unsubscribe", "email": ADDRESS, "timestamp": "soon", "key": 7, "category": {}, "status": []}
        event = one(sendgrid_events.webhook_events(row, RECEIVED))
        assert (event.kind, event.at, event.address, event.id_of_address) == ("unsubscribe", RECEIVED, ADDRESS, True)
        assert one(sendgrid_events.webhook_events(row, AT + timedelta(days=1))).event_id == event.event_id

    @pytest.mark.parametrize(("name", "kind"), [
        ("unsubscribes", "unsubscribe"), ("spam_reports", "complaint"), ("bounces", "bounce"),
        ("invalid_emails", "bounce"), ("blocks", "deferred"),
    ])  # fmt: skip
    def test_an_entry_of_a_list_is_what_the_list_is(self, name: str, kind: str) -> None:
        """Its id is its own only with the address."""
        event = one(sendgrid_events.list_events(name, [{"created": AT.timestamp(), "email": ADDRESS}], RECEIVED))
        assert (event.kind, event.at, event.id_of_address) == (kind, AT, True)
        assert ADDRESS not in event.event_id

    def test_who_left_a_group_left_us(self) -> None:
        """We have one kind of message."""
        row = {"email": ADDRESS, "group_id": 3, "group_name": "News", "created_at": int(AT.timestamp())}
        event = one(sendgrid_events.list_events(sendgrid_events.GROUPS, [row], RECEIVED))
        assert (event.kind, event.at) == ("unsubscribe", AT)


class TestTwilio:
    @pytest.mark.parametrize(("status", "code", "kind"), [
        ("delivered", None, "delivered"), ("undelivered", "30005", "bounce"), ("failed", "21610", "unsubscribe"),
        ("undelivered", "30007", "filtered"), ("undelivered", "30003", "not_delivered"),
        ("failed", "", "not_delivered"),
    ])  # fmt: skip
    def test_a_callback_means_what_its_code_means_when_we_send(
        self, status: str, code: str | None, kind: str
    ) -> None:  # fmt: skip
        """The codes stand in one place."""
        form = {"MessageSid": SID, "MessageStatus": status, "ErrorCode": code, "To": NUMBER}
        event = one(twilio_events.webhook_events(form, RECEIVED))
        assert (event.kind, event.reference, event.address, event.event_id) == (kind, SID, NUMBER, f"{SID}:{status}")

    def test_the_list_tells_the_same_as_the_callback(self) -> None:
        """Under the same id."""
        listed = {"sid": SID, "status": "delivered", "direction": "outbound-api", "to": NUMBER, "error_code": None,
                  "date_updated": "Tue, 03 Mar 2026 11:00:00 +0000"}  # fmt: skip
        event = one(twilio_events.message_events([listed], RECEIVED))
        form = {"MessageSid": SID, "MessageStatus": "delivered", "To": NUMBER}
        assert event.event_id == one(twilio_events.webhook_events(form, RECEIVED)).event_id
        assert event.at == AT

    def test_a_text_of_a_person_is_the_same_pushed_and_pulled(self) -> None:
        """With his number and his words, which no one sees in a log."""
        form = {"MessageSid": SID, "SmsStatus": "received", "From": NUMBER, "Body": "who is this"}
        listed = {"sid": SID, "status": "received", "direction": "inbound", "from": NUMBER, "body": "who is this"}
        pushed = one(twilio_events.webhook_events(form, RECEIVED))
        assert pushed == one(twilio_events.message_events([listed], RECEIVED))
        assert (pushed.kind, pushed.address, pushed.text) == ("inbound", NUMBER, "who is this")
        assert NUMBER not in repr(pushed)
        assert "who" not in repr(pushed)

    def test_an_opt_out_that_twilio_recognised_is_one(self) -> None:
        """By a word that need not be of our rules."""
        form = {"MessageSid": SID, "From": NUMBER, "Body": "basta", "OptOutType": "STOP"}
        assert one(twilio_events.webhook_events(form, RECEIVED)).kind == "unsubscribe"

    @pytest.mark.parametrize("status", ["queued", "sent", "canceled"])
    def test_what_is_on_its_way_is_left(self, status: str) -> None:
        assert twilio_events.webhook_events({"MessageSid": SID, "MessageStatus": status}, RECEIVED) == Told((), {})

    def test_broken_ones_are_counted(self) -> None:
        told = twilio_events.message_events([None, {"sid": SID, "status": "flew"}], RECEIVED)
        assert dict(told.problems) == {"row_unreadable": 1, "kind_unknown": 1}


class TestResend:
    def test_a_body_says_which_send_it_is_about(self) -> None:
        """By our tag, in either of its shapes."""
        event = one(resend_events.webhook_events(RESEND, "msg_1", RECEIVED))
        assert event == ProviderEvent(
            "msg_1", "resend", "email", "delivered", AT, send_id=SEND_ID, reference="em-1", address=ADDRESS
        )
        listed = RESEND | {"data": RESEND["data"] | {"tags": [{"name": "key", "value": SEND_ID}]}}
        assert one(resend_events.webhook_events(listed, "msg_1", RECEIVED)).send_id == SEND_ID

    @pytest.mark.parametrize(("type_", "part", "kind"), [
        ("email.bounced", {"bounce": {"type": "Permanent"}}, "bounce"), ("email.bounced", {}, "bounce"),
        ("email.bounced", {"bounce": {"type": "Transient"}}, "deferred"), ("email.complained", {}, "complaint"),
        ("email.suppressed", {"suppressed": {"reason": "previous_bounce"}}, "bounce"),
        ("email.suppressed", {"suppressed": {"reason": "previous_complaint"}}, "complaint"),
        ("email.opened", {}, "open"), ("email.clicked", {}, "click"), ("email.failed", {}, "not_delivered"),
        ("contact.updated", {"unsubscribed": True, "email": ADDRESS}, "unsubscribe"),
    ])  # fmt: skip
    def test_each_kind_in_the_contracts_words(self, type_: str, part: dict[str, Any], kind: str) -> None:
        body = RESEND | {"type": type_, "data": RESEND["data"] | part}
        assert one(resend_events.webhook_events(body, "msg_1", RECEIVED)).kind == kind

    @pytest.mark.parametrize("body", [
        RESEND | {"type": "email.sent"}, {"type": "domain.updated"},
        {"type": "contact.updated", "data": {"unsubscribed": False, "email": ADDRESS}},
    ])  # fmt: skip
    def test_what_says_nothing_new_is_left(self, body: dict[str, Any]) -> None:
        """That somebody is subscribed there is no permission of ours."""
        assert resend_events.webhook_events(body, "msg_1", RECEIVED) == Told((), {})

    def test_a_no_stays_a_no_whatever_else_is_broken(self) -> None:
        event = one(resend_events.webhook_events({"type": "email.complained", "data": None}, "msg_1", RECEIVED))
        assert (event.kind, event.at) == ("complaint", RECEIVED)

    def test_a_complaint_about_a_message_to_several_is_everybodys(self) -> None:
        """Other systems of the account may write so; nobody can tell who complained."""
        body = RESEND | {"type": "email.complained", "data": {"to": [ADDRESS, "bob@example.com"]}}
        told = resend_events.webhook_events(body, "msg_1", RECEIVED)
        assert [(one.event_id, one.address) for one in told.events] == [
            ("msg_1", ADDRESS), ("msg_1:1", "bob@example.com")
        ]  # fmt: skip

    @pytest.mark.parametrize(("origin", "kind"), [
        ("bounce", "bounce"), ("complaint", "complaint"), ("manual", "unsubscribe"), (None, "unsubscribe"),
    ])  # fmt: skip
    def test_an_entry_of_its_list_forbids(self, origin: str | None, kind: str) -> None:
        """Whoever was put there by hand is not to be written to; it says which message it was."""
        row = {"id": "s-1", "email": ADDRESS, "origin": origin, "source_id": "em-1",
               "created_at": "2026-03-03 11:00:00.000+00"}  # fmt: skip
        event = one(resend_events.suppression_events([row], RECEIVED))
        assert (event.kind, event.at, event.reference, event.address) == (kind, AT, "em-1", ADDRESS)


#: Anything JSON can say, in rows that look a little like one of theirs.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6,
)  # fmt: skip
NAMES = st.sampled_from((*SENDGRID, "created", "created_at", "group_id", "reason", "status", "type", "data", "bounce",
                         "MessageSid", "MessageStatus", "ErrorCode", "Body", "From", "sid", "direction", "error_code",
                         "date_sent", "date_updated", "id", "origin", "source_id", "tags", "to", "body"))  # fmt: skip
SAID = st.sampled_from(("bounce", "dropped", "unsubscribe", "undelivered", "inbound", "email.bounced", "failed"))
ROWS = st.dictionaries(NAMES, ANYTHING | SAID, max_size=8)


@settings(max_examples=150, deadline=None)
@given(ANYTHING | ROWS | st.lists(ROWS | ANYTHING, max_size=3), ROWS)
def test_nothing_a_provider_says_is_an_error(said: Any, form: dict[str, Any]) -> None:
    """Each reader makes events of it that the ledger can keep, or counts it."""
    read = (
        sendgrid_events.webhook_events(said, RECEIVED), sendgrid_events.list_events("unsubscribes", said, RECEIVED),
        sendgrid_events.list_events(sendgrid_events.GROUPS, said, RECEIVED),
        twilio_events.webhook_events(form, RECEIVED), twilio_events.message_events(said, RECEIVED),
        resend_events.webhook_events(said, "msg_1", RECEIVED), resend_events.suppression_events(said, RECEIVED),
    )  # fmt: skip
    for event in (event for told in read for event in told.events):
        assert event.at <= RECEIVED
        assert len(event.reference or "") <= 80
        assert len(event.reason or "") <= 80


@pytest.mark.parametrize("when", [-62135596800, "0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", 0, "", None, "9999"])
def test_a_time_that_cannot_be_is_when_it_was_received(when: Any) -> None:
    """What is empty is told as the year 1 or as 1970: nothing is counted back from there."""
    assert instant(when, RECEIVED) == RECEIVED


def test_a_time_that_can_be_is_taken_as_it_is() -> None:
    assert instant("2026-03-03T12:00:00+01:00", RECEIVED) == AT
