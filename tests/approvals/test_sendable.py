"""The proof that a message may go out: it takes every single thing, and nothing stands in for a missing one."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update
from tests.approvals import books
from tests.approvals.asked import NOW

from reactivation.approvals import NotSendable, SendableTouch, sendable
from reactivation.contract.digests import item_digest
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import list_signers, touches

TERMS = "15 pounds off your next booking. One per customer."


def draft(**changes: Any) -> dict[str, Any]:
    """The draft of touch 1 as it lies in ``drafts.parquet``."""
    row: dict[str, Any] = {
        "touch_id": "t-1", "enrolment_id": "e-1", "customer_id": "c-1", "number": 1, "channel": "email",
        "sender": "Harbour & Finch <hello@harbour-finch.example>", "recipient": "ada.hart@gmail.com",
        "subject": "Is the boiler still humming?", "text": "Hello Ada,\n…", "html": "<p>Hello Ada,</p>",
        "headers": [{"name": "List-Unsubscribe-Post", "value": "List-Unsubscribe=One-Click"}], "claims": [],
        "offer_id": None, "offer_terms": None, "deadline": None, "code": None, "not_before": NOW - timedelta(hours=1),
        "not_after": NOW + timedelta(days=5), "address_key": books.digest(1), "basis_records": ["k-1"],
        "rules_version": "1+0123456789ab", "playbook_digest": "b" * 64,
    }  # fmt: skip
    return row | changes


def with_offer() -> dict[str, Any]:
    """The same with fifteen pounds of credit."""
    return draft(offer_id="offer-credit-15", offer_terms=TERMS, code="HF-1", deadline=NOW + timedelta(days=3))


def listed(conn: Connection, row: dict[str, Any], *kinds: str) -> None:
    """Touch 1 with that draft in an open list of each kind."""
    books.add_run(conn)
    books.add_touch(conn, 1, draft_digest=item_digest(row), offer_id=row["offer_id"])
    for kind in kinds:
        offer = {"offer_id": row["offer_id"], "offer_terms": row["offer_terms"]} if kind == "offer" else {}
        books.add_list(conn, f"l-{kind}", 1, kind=kind, digests={1: item_digest(row)}, **offer)


@pytest.fixture
def conn(ledger: Ledger) -> Iterator[Connection]:
    with ledger.begin() as connection:
        yield connection


@pytest.fixture
def signed(conn: Connection) -> Connection:
    """A ledger in which Ada signed touch 1 as ``draft()`` has it."""
    listed(conn, draft(), "content")
    books.answer(conn, "l-content", {"t-1": "signed"}, state="signed")
    return conn


def proof(conn: Connection, row: dict[str, Any], now: datetime) -> SendableTouch | NotSendable:
    (found,) = sendable(conn, [row], now)
    return found


def reason(result: SendableTouch | NotSendable) -> str:
    assert isinstance(result, NotSendable), result
    return result.reason


class TestSendable:
    def test_gives_the_signed_bytes_and_the_signatures(self, signed: Connection) -> None:
        """What comes out is what was signed, with the answers that allow it."""
        touch = proof(signed, draft(), NOW)

        assert isinstance(touch, SendableTouch)
        assert (touch.recipient, touch.subject, touch.text) == tuple(
            draft()[k] for k in ("recipient", "subject", "text")
        )
        assert touch.headers == (("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),)
        assert touch.answer_ids == ("a-l-content",)
        assert touch.draft_digest == item_digest(draft())

    def test_a_claimed_touch_is_still_signed(self, signed: Connection) -> None:
        """The claim comes before the proof."""
        signed.execute(update(touches).values(state="claimed"))

        assert isinstance(proof(signed, draft(), NOW), SendableTouch)

    @pytest.mark.parametrize(
        "change",
        [
            {"subject": "Is the boiler still humming? "}, {"text": "Hello Ben"}, {"html": None},
            {"recipient": "ben.okafor@gmail.com"}, {"sender": "Somebody <x@harbour-finch.example>"}, {"headers": []},
            {"basis_records": []}, {"rules_version": "2+0123456789ab"}, {"playbook_digest": "c" * 64},
            {"not_after": NOW + timedelta(days=6)}, {"not_before": NOW - timedelta(days=1)},
        ],
    )  # fmt: skip
    def test_one_changed_byte_is_not_signed(self, signed: Connection, change: dict[str, Any]) -> None:
        """The digest is of what is about to go out, not of what was once drafted."""
        assert reason(proof(signed, draft(**change), NOW)) == "content_not_signed"

    @pytest.mark.parametrize(
        ("when", "why"),
        [
            (NOW - timedelta(hours=1, microseconds=1), "too_early"),
            (NOW + timedelta(days=5), "too_late"),
        ],
    )
    def test_only_inside_its_window(self, signed: Connection, when: datetime, why: str) -> None:
        """An approval lives exactly as long as the window it names."""
        assert reason(proof(signed, draft(), when)) == why

    @pytest.mark.parametrize(
        "state", ["planned", "drafted", "listed", "held", "rejected", "expired", "cancelled", "accepted"]
    )
    def test_a_touch_that_is_not_signed_proves_nothing(self, signed: Connection, state: str) -> None:
        """Held, rejected, expired, cancelled or already sent: an older signature does not help."""
        signed.execute(update(touches).values(state=state))

        assert reason(proof(signed, draft(), NOW)) == "touch_not_signed"

    def test_the_state_alone_proves_nothing(self, conn: Connection) -> None:
        """A touch somebody set to signed, without a verdict, is not."""
        listed(conn, draft(), "content")
        conn.execute(update(touches).values(state="signed"))

        assert reason(proof(conn, draft(), NOW)) == "content_not_signed"

    def test_an_unknown_touch(self, conn: Connection) -> None:
        """What the ledger never heard of is not sent."""
        assert reason(proof(conn, draft(touch_id="t-404"), NOW)) == "touch_unknown"

    def test_another_persons_address_key(self, conn: Connection) -> None:
        """A draft whose address key is not the touch's is for somebody else."""
        row = draft(address_key=books.digest(2))
        listed(conn, row, "content")
        books.answer(conn, "l-content", {"t-1": "signed"}, state="signed")

        assert reason(proof(conn, row, NOW)) == "draft_of_another_person"


class TestSigners:
    @pytest.mark.parametrize("by", ["mallory", "operator"])
    def test_a_verdict_of_somebody_who_may_not_sign(self, conn: Connection, by: str) -> None:
        """The responder is checked against the frozen signers once more."""
        listed(conn, draft(), "content")
        books.answer(conn, "l-content", {"t-1": "signed"}, state="signed", by=by)

        assert reason(proof(conn, draft(), NOW)) == "content_signer_not_allowed"

    def test_an_author_who_is_also_a_signer(self, conn: Connection) -> None:
        """Author and signer are two people, whatever the list of signers says."""
        listed(conn, draft(), "content")
        conn.execute(insert(list_signers).values(list_id="l-content", user_id="operator", owner_id="own-x", role="x"))
        books.answer(conn, "l-content", {"t-1": "signed"}, state="signed", by="operator")

        assert reason(proof(conn, draft(), NOW)) == "content_signer_not_allowed"

    def test_an_answer_that_was_not_accepted(self, conn: Connection) -> None:
        """A refused answer signs nothing, even with a verdict beside it."""
        listed(conn, draft(), "content")
        books.answer(conn, "l-content", {"t-1": "signed"}, state="signed", accepted=False)

        assert reason(proof(conn, draft(), NOW)) == "content_signer_not_allowed"


class TestOffers:
    def test_an_offer_needs_its_own_signature(self, conn: Connection) -> None:
        """The owner's signature alone does not send an offer."""
        listed(conn, with_offer(), "content")
        books.answer(conn, "l-content", {"t-1": "signed"}, state="signed")
        conn.execute(update(touches).values(state="signed"))

        assert reason(proof(conn, with_offer(), NOW)) == "offer_not_signed"

    def test_both_signatures_are_the_proof(self, conn: Connection) -> None:
        """Content by the owner, offer by the approver: two answers."""
        listed(conn, with_offer(), "content", "offer")
        books.answer(conn, "l-content", {"t-1": "signed"}, state="signed")
        books.answer(conn, "l-offer", {"t-1": "signed"}, state="signed", by="olu")

        touch = proof(conn, with_offer(), NOW)

        assert isinstance(touch, SendableTouch)
        assert touch.answer_ids == ("a-l-content", "a-l-offer")

    def test_the_approvers_signature_is_no_content_signature(self, conn: Connection) -> None:
        """An offer approver signs the offer, not the message."""
        listed(conn, with_offer(), "offer")
        books.answer(conn, "l-offer", {"t-1": "signed"}, state="signed", by="olu")
        conn.execute(update(touches).values(state="signed"))

        assert reason(proof(conn, with_offer(), NOW)) == "content_not_signed"

    def test_a_list_about_other_terms_signs_another_offer(self, conn: Connection) -> None:
        """The approved terms are the terms in the message."""
        listed(conn, with_offer(), "content")
        books.add_list(
            conn, "l-offer", 1, kind="offer", offer_id="offer-credit-15", offer_terms="20 pounds off.",
            digests={1: item_digest(with_offer())},
        )  # fmt: skip
        books.answer(conn, "l-content", {"t-1": "signed"}, state="signed")
        books.answer(conn, "l-offer", {"t-1": "signed"}, state="signed", by="olu")

        assert reason(proof(conn, with_offer(), NOW)) == "offer_not_signed"

    @pytest.mark.parametrize("part", ["offer_terms", "code"])
    def test_an_offer_smuggled_into_the_bytes_needs_a_signed_offer(self, conn: Connection, part: str) -> None:
        """An offer in the bytes implies a signed offer, whatever the plan said of the touch."""
        row = draft(**{part: "HF-1"})
        listed(conn, row, "content")
        books.answer(conn, "l-content", {"t-1": "signed"}, state="signed")

        assert reason(proof(conn, row, NOW)) == "offer_not_signed"


class TestTheOnlyMaker:
    def test_nobody_else_makes_one(self) -> None:
        """Neither by hand nor with a guess at the maker."""
        values = {f.name: None for f in fields(SendableTouch)}

        with pytest.raises(TypeError, match=r"approvals\.sendable alone"):
            SendableTouch(made_by=object(), **values)

    def test_a_proof_cannot_be_altered_into_another(self, signed: Connection) -> None:
        """A copy with another recipient is not a proof."""
        touch = proof(signed, draft(), NOW)
        assert isinstance(touch, SendableTouch)

        with pytest.raises((TypeError, ValueError)):
            replace(touch, recipient="ben.okafor@gmail.com")
        assert copy.copy(touch) == touch
        assert pickle.loads(pickle.dumps(touch)) == touch  # noqa: S301 - our own bytes

    def test_shows_no_personal_data_when_printed(self, signed: Connection) -> None:
        """It may end in a log or a traceback; addresses and texts must not."""
        shown = repr(proof(signed, draft(), NOW))

        assert "t-1" in shown
        assert not any(private in shown for private in ("ada.hart", "Hello Ada", "humming", "One-Click"))
