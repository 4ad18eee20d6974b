"""What metrics are counted from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert
from tests.ledgers import NOW, PLAYBOOK, RULES_VERSION, RUN_ID, a_send, add_touch, an_id, begin, enrol

from reactivation.contract.digests import digest
from reactivation.ledger import enrolments, events, measured, measurements, sends
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event
from reactivation.ledger.tables import answers, item_verdicts, list_items, lists, questions

LATER = NOW + timedelta(days=30)


def _sent(conn: Connection, touch_id: str, customer: str, *, state: str = "accepted", hours: int = 0) -> None:
    row = a_send(touch_id, customer, "w")
    sends.intend(conn, [row])
    sends.win_calls(conn, [row["send_id"]], worker="w", now=NOW + timedelta(seconds=1))
    sends.finish(conn, [sends.Outcome(row["send_id"], state)], now=NOW + timedelta(hours=hours))


def signed_list(conn: Connection, name: str, verdicts: Mapping[str, str | None], **changes: Any) -> None:
    """A closed list of these touches; one without a verdict was never answered."""
    row = {
        "list_id": an_id("list", name), "run_id": RUN_ID, "playbook": PLAYBOOK, "kind": "content", "channel": "email",
        "touch_number": 1, "segment": "household", "owner_id": "own-ada", "offer_id": None, "offer_terms": None,
        "cost": None, "currency": None, "authors": [], "digest": digest(name), "signing_code": "abcdef01",
        "opened_at": NOW, "expires_at": NOW + timedelta(days=3), "state": "signed", "closed_at": NOW, **changes,
    }  # fmt: skip
    question, answer = an_id("question", name), an_id("answer", name)
    conn.execute(insert(lists).values(row))
    conn.execute(
        insert(questions).values(
            question_id=question,
            kind="sign_list",
            list_id=row["list_id"],
            subject=row["list_id"],
            state="answered",
            opened_at=NOW,
            expires_at=row["expires_at"],
            closed_at=NOW,
        )
    )
    conn.execute(
        insert(answers).values(
            answer_id=answer,
            question_id=question,
            responder="ada",
            chosen="Sign",
            form={},
            responded_at=NOW,
            recorded_at=NOW,
            accepted=True,
            refusal=None,
        )
    )
    for position, (touch_id, verdict) in enumerate(verdicts.items()):
        conn.execute(
            insert(list_items).values(
                list_id=row["list_id"],
                touch_id=touch_id,
                position=position,
                customer_id="C001",
                draft_digest=digest("draft"),
                individual=False,
                review_reasons=[],
            )
        )
        if verdict is not None:
            said = {"list_id": row["list_id"], "touch_id": touch_id, "verdict": verdict, "answer_id": answer}
            conn.execute(insert(item_verdicts).values(said))


@pytest.fixture
def book(ledger: Ledger) -> Ledger:
    with ledger.begin() as conn:
        begin(conn)
    return ledger


def test_an_empty_ledger_has_nothing_to_count(ledger: Ledger) -> None:
    """Empty tables of the right columns, and zeros."""
    with ledger.begin() as conn:
        assert measured.sent(conn, PLAYBOOK, LATER).equals(measured.SENT.empty_table())
        assert measured.told(conn, PLAYBOOK, LATER).equals(measured.TOLD.empty_table())
        assert measured.first_decided(conn, PLAYBOOK, LATER).equals(measured.FIRST_DECIDED.empty_table())
        assert measured.verdicts(conn, PLAYBOOK, LATER) == {"signed": 0, "rejected": 0, "held": 0}
        assert measured.send_states(conn, PLAYBOOK, LATER) == measured.exit_reasons(conn, PLAYBOOK, LATER) == {}


def test_sent_is_what_a_provider_accepted(book: Ledger) -> None:
    """With the offer and what one redemption of it was signed for, by the list signed last."""
    with book.begin() as conn:
        first = add_touch(conn, enrol(conn, "C001"), "C001", 3, offer_id="o-15", incentive="points_or_credit")
        second = add_touch(conn, enrol(conn, "C002"), "C002")
        third = add_touch(conn, enrol(conn, "C003"), "C003")
        both = {first: "signed", second: "held"}
        signed_list(conn, "early", both, kind="offer", cost=Decimal("60.00"), currency="GBP")
        late = NOW + timedelta(hours=1)
        signed_list(conn, "late", both, kind="offer", cost=Decimal("30.00"), currency="GBP", closed_at=late)
        _sent(conn, first, "C001", hours=2)
        _sent(conn, second, "C002", hours=1)
        _sent(conn, third, "C003", state="refused")
        rows = measured.sent(conn, PLAYBOOK, LATER).to_pylist()
        assert measured.send_states(conn, PLAYBOOK, LATER) == {"accepted": 2, "refused": 1}
        assert measured.sent(conn, "another", LATER).num_rows == 0
    names = ("touch_id", "incentive", "offer_id", "unit_cost", "unit_currency")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (second, "none", None, None, None), (first, "points_or_credit", "o-15", Decimal("15.00"), "GBP")
    ]  # fmt: skip


def test_sent_says_what_its_people_were_when_they_were_enrolled(book: Ledger) -> None:
    """Every dimension an enrolment keeps, and nothing made up where it keeps none."""
    known = {
        "dormancy_range": "critical", "value_tier": "mid", "margin_class": "high", "purchase_kind": "one_time",
        "purchase_repeat": "repeat", "aov_tier": "low", "engagement_pattern": "dark", "product_affinity": "boilers",
        "acquisition_channel": "direct",
    }  # fmt: skip
    with book.begin() as conn:
        for customer, dimensions in (("C001", known | {"population": "low_value"}), ("C002", {})):
            touch_id = add_touch(conn, enrol(conn, customer, dimensions=dimensions), customer)
            _sent(conn, touch_id, customer)
        rows = {row["customer_id"]: row for row in measured.sent(conn, PLAYBOOK, LATER).to_pylist()}
    assert {name: rows["C001"][name] for name in known} == known
    assert {rows["C002"][name] for name in known} == {None}


def test_told_is_what_people_written_to_did_whoever_recorded_it(book: Ledger) -> None:
    """An event is recorded once, perhaps with another playbook's enrolment; of others nothing is told."""
    with book.begin() as conn:
        for customer in ("C001", "C002"):
            touch_id = add_touch(conn, enrol(conn, customer), customer)
            if customer == "C001":
                _sent(conn, touch_id, customer)
        told = [
            Event(
                f"purchases:{customer}", customer, None, "another", None, "order", None, NOW, "source", Decimal("9.99")
            )
            for customer in ("C001", "C002")
        ]
        events.record(conn, told, stops=(), now=NOW)
        rows = measured.told(conn, PLAYBOOK, LATER).to_pylist()
    assert [(row["event_id"], row["amount"]) for row in rows] == [("purchases:C001", Decimal("9.99"))]


def test_a_message_counts_by_the_best_that_was_said_of_it(book: Ledger) -> None:
    """Held first and signed later is signed; a list nobody answered holds; offers and open lists are not messages."""
    with book.begin() as conn:
        one = enrol(conn, "C001")
        ids = [add_touch(conn, one, "C001", number) for number in range(1, 6)]
        signed_list(conn, "first", {ids[0]: "held", ids[1]: "rejected"})
        signed_list(conn, "again", {ids[0]: "signed"})
        signed_list(conn, "silence", {ids[2]: None}, state="held")
        signed_list(conn, "offer", {ids[3]: "signed"}, kind="offer")
        signed_list(conn, "open", {ids[4]: None}, state="open", closed_at=None)
        assert measured.verdicts(conn, PLAYBOOK, LATER) == {"signed": 1, "rejected": 1, "held": 1}


def test_what_was_said_of_messages_and_why_enrolments_ended_have_parts(book: Ledger) -> None:
    """By segment, channel and touch; each message once in each part it was asked about in."""
    with book.begin() as conn:
        first, second = enrol(conn, "C001"), enrol(conn, "C002")
        ids = [add_touch(conn, first, "C001", number) for number in (1, 2)] + [add_touch(conn, second, "C002")]
        signed_list(conn, "one", {ids[0]: "held"})
        signed_list(conn, "one again", {ids[0]: "signed"})
        signed_list(conn, "two", {ids[1]: "rejected"}, touch_number=2, channel="sms")
        signed_list(conn, "studio", {ids[2]: "held"}, segment="studio")
        enrolments.end_enrolment(conn, first, reason="order", because=None, actor="x", now=NOW)

        def parts(by: str) -> dict[str, tuple[int, ...]]:
            found = measured.verdicts_of_parts(conn, PLAYBOOK, LATER, measured.ASKED_BY[by])
            return {part: tuple(said.values()) for part, said in found.items()}

        assert parts("segment") == {"household": (1, 1, 0), "studio": (0, 0, 1)}
        assert parts("channel") == {"email": (1, 0, 1), "sms": (0, 1, 0)}
        assert parts("touch") == {"1": (1, 0, 1), "2": (0, 1, 0)}
        ended = measured.exits_of_parts(conn, PLAYBOOK, LATER, measured.ENDED_BY["segment"])
        assert ended == {"household": {"order": 1}}
        assert measured.exits_of_parts(conn, "another", LATER, measured.ENDED_BY["segment"]) == {}


def test_an_issue_that_was_ever_found_open_is_remembered(book: Ledger) -> None:
    """By customer; another reason is none, nor is what comes later."""
    with book.begin() as conn:
        measurements.insert_events(conn, [
            {"run_id": RUN_ID, "playbook": PLAYBOOK, "subject": subject, "kind": "decision", "outcome": "hold",
             "reason": reason, "occurred_at": NOW + timedelta(days=days), "rules_version": RULES_VERSION}
            for subject, reason, days in [
                ("C001", "open_issue:open_case", 0), ("C001", "timing:cap", 1), ("C002", "timing:cap", 0),
                ("C003", "open_issue:open_case", 60),
            ]
        ])  # fmt: skip
        assert measured.with_open_issue(conn, PLAYBOOK, LATER) == {"C001"}


def test_a_candidate_was_first_decided_about_once(book: Ledger) -> None:
    """The earliest of all runs counts."""
    with book.begin() as conn:
        measurements.insert_events(conn, [
            {"run_id": RUN_ID, "playbook": PLAYBOOK, "subject": subject, "kind": kind, "outcome": outcome,
             "reason": None, "occurred_at": NOW + timedelta(days=days), "rules_version": RULES_VERSION}
            for subject, kind, outcome, days in [
                ("C001", "decision", "hold", 7), ("C001", "decision", "suppress", 0), ("C002", "decision", "enrol", 7),
                ("C003", "exit", "no_response", 0), ("C001", "suppression", "opt_out", 1),
                ("C001", "suppression", "opt_out", 2),
            ]
        ])  # fmt: skip
        assert measured.first_decided(conn, PLAYBOOK, LATER).to_pylist() == [
            {"customer_id": "C001", "first_at": NOW, "run_id": RUN_ID},
            {"customer_id": "C002", "first_at": NOW + timedelta(days=7), "run_id": RUN_ID},
        ]  # fmt: skip
        assert measured.suppressed_since(conn, PLAYBOOK, LATER) == {"opt_out": 1}


def test_enrolments_that_ended_by_why(book: Ledger) -> None:
    """Those that go on are not among them."""
    with book.begin() as conn:
        for customer in ("C001", "C002", "C003"):
            one = enrol(conn, customer)
            if customer != "C003":
                enrolments.end_enrolment(conn, one, reason="reactivated", actor="x", now=NOW)
        assert measured.exit_reasons(conn, PLAYBOOK, LATER) == {"reactivated": 2}


def test_what_was_recorded_later_is_not_known_yet(book: Ledger) -> None:
    """A send that had not ended, an event nobody had told, an enrolment that went on, a list that was open."""
    with book.begin() as conn:
        one = enrol(conn, "C001")
        touch_id = add_touch(conn, one, "C001", 3, offer_id="o-15")
        signed_list(conn, "first", {touch_id: "signed"}, closed_at=NOW + timedelta(hours=1))
        _sent(conn, touch_id, "C001", hours=2)
        bought = Event("purchases:1", "C001", None, one, None, "order", None, NOW, "source", Decimal("9.99"))
        events.record(conn, [bought], stops=(), now=NOW + timedelta(hours=4))
        enrolments.end_enrolment(conn, one, reason="reactivated", actor="x", now=NOW + timedelta(hours=5))

        def known(hours: float) -> tuple[int, int, int, int]:
            at = NOW + timedelta(hours=hours)
            return (
                measured.verdicts(conn, PLAYBOOK, at)["signed"], measured.sent(conn, PLAYBOOK, at).num_rows,
                measured.told(conn, PLAYBOOK, at).num_rows, sum(measured.exit_reasons(conn, PLAYBOOK, at).values()),
            )  # fmt: skip

        assert [known(hours) for hours in (0.5, 1, 2, 4, 5)] == [
            (0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 1)
        ]  # fmt: skip
