"""Accounts from the CRM to the outbox: a question each, every decision of the owner, and what follows in later runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.builders import (
    case,
    days_ago,
    tables,
)
from tests.office import FIRMS, NOW, PLAYBOOK, Office, by_itself, decide, decided, source, state, with_message

from reactivation.ledger.tables import account_decisions, enrolment_keys, measurement_events, sends
from reactivation.policy.accounts import OWNER_EXIT
from reactivation.steps.dispatch import dispatch


class TestOneByOne:
    """Nothing is approved in bulk."""

    def test_each_account_is_a_question_of_its_own_and_goes_out_when_its_owner_signs(self, office: Office) -> None:
        """Three accounts, three lists of one item; one is signed and sent, with facts of the account in it."""
        office.run(now=NOW, playbook=PLAYBOOK)
        asked = with_message(office)

        assert set(asked) == {"a-oak", "a-elm", "a-ash"}
        assert {len(items) for _, _, items in asked.values()} == {1}
        request, row, items = asked["a-oak"]
        assert "is signed: 1 signed" in office.answer(request, row, items, "Sign", by="ben", now=NOW)
        dispatch(office.workspace, NOW)

        (message,) = office.outbox()
        assert message["Subject"] == "Oak Dental Ltd: how are things?"
        assert "February 2026" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert decided(office) == {"a-oak": "approve"}

    def test_contacts_of_the_account_are_occupied(self, office: Office) -> None:
        """All of them: the household playbook has none of them as a candidate."""
        office.run(now=NOW, playbook=PLAYBOOK)

        with office.workspace.ledger.begin() as conn:
            keys = conn.execute(select(enrolment_keys.c.address_key).where(enrolment_keys.c.active)).all()
        assert len(keys) == 6
        run = office.run(now=NOW)
        businesses = {f"c-{firm}{end}" for firm in FIRMS for end in ("", "two")}
        decisions = office.workspace.run_folder(run).read("decisions")
        assert businesses.isdisjoint(decisions["customer_id"].to_pylist())

    def test_of_accounts_behind_one_switchboard_one_begins(self, office: Office) -> None:
        """Contacts of two have its number: the more valuable account begins, the other waits and stops no run."""
        desk = {"phone": "+44 20 7946 0000"}
        seconds = ("c-oaktwo", "c-elmtwo")
        office.says(contacts=[row | (desk if row["customer_id"] in seconds else {}) for row in source()["contacts"]])

        run = office.run(now=NOW, playbook=PLAYBOOK)

        assert set(state(office)) == {"a-oak", "a-ash"}
        told = select(measurement_events.c.subject, measurement_events.c.outcome, measurement_events.c.reason).where(
            measurement_events.c.run_id == run, measurement_events.c.subject == "c-elm"
        )
        with office.workspace.ledger.begin() as conn:
            assert conn.execute(told).all() == [("c-elm", "hold", "same_person")]

    @pytest.mark.parametrize("by", ["ada", "cleo", "olu"])
    def test_only_its_owner_or_his_delegate_answers(self, office: Office, by: str) -> None:
        """A marketing owner's signature is none for an account."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]

        assert "not_a_signer" in office.answer(request, row, items, "Sign", by=by, now=NOW)
        assert decided(office) == {}


class TestWhatTheOwnerDecides:
    """Beside the signature, with the signing code; a later run does as he said."""

    @pytest.mark.parametrize(
        ("decision", "fields", "option"),
        [("close", {"why": "bad_fit"}, "Reject all"), ("monitor", {}, "Reject all"), ("no_outreach", {}, "Hold all"),
         ("hold_until", {"until": "2026-12-20"}, "Hold all"), ("resolve_issue", {}, "Reject all")],
    )  # fmt: skip
    def test_what_is_no_signature_ends_what_has_begun(
        self, office: Office, decision: str, fields: dict[str, str], option: str
    ) -> None:
        """The decision is on record with its answer, the enrolment ends, its contacts are free, nothing is sent."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]

        office.answer(request, row, items, option, by="ben", now=NOW, decision=decision, **fields)

        assert decided(office) == {"a-oak": decision}
        assert state(office)["a-oak"] == ("ended", f"{OWNER_EXIT}{decision}")
        with office.workspace.ledger.begin() as conn:
            [kept] = conn.execute(select(account_decisions)).all()
        assert (kept.decided_by, kept.reason) == ("ben", fields.get("why"))
        dispatch(office.workspace, NOW)
        assert office.outbox() == []

    def test_signature_that_leaves_the_message_out_decides_nothing(self, office: Office) -> None:
        """Signed without naming the one message there is: it is held, and the enrolment stands."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]

        office.answer(request, row, items, "Sign", by="ben", now=NOW, individual="")

        assert decided(office) == {}
        assert state(office)["a-oak"] == ("active", None)

    def test_closed_account_stays_closed_and_is_asked_about_no_more(self, office: Office) -> None:
        """In the next run it is suppressed by his word."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]
        office.answer(request, row, items, "Reject all", by="ben", now=NOW, decision="close", why="bad_fit")
        later = NOW + timedelta(days=1)
        office.says(at=later)

        run = office.run(now=later, playbook=PLAYBOOK)

        rows = office.workspace.run_folder(run).read("decisions").to_pylist()
        assert {row["account_id"]: row["path"] for row in rows}["a-oak"] == "suppressed"
        assert "a-oak" not in with_message(office, later)

    def test_held_account_wakes_up_on_its_day(self, office: Office) -> None:
        """Nobody cools down after what was no sequence: the owner is asked again, with a message."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]
        office.answer(
            request, row, items, "Hold all", by="ben", now=NOW, decision="hold_until", until="2026-11-24"
        )  # fmt: skip
        before, day = NOW + timedelta(days=6), NOW + timedelta(days=7)

        office.says(at=before)
        office.run(now=before, playbook=PLAYBOOK)
        assert "a-oak" not in with_message(office, before)
        office.says(at=day)
        office.run(now=day, playbook=PLAYBOOK)
        assert "a-oak" in with_message(office, day)

    def test_owner_chooses_another_contact(self, office: Office) -> None:
        """By the number on the page; the next run writes to that one, by that person's own permission."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]
        office.answer(request, row, items, "Reject all", by="ben", now=NOW, decision="approve", contact="2")
        later = NOW + timedelta(days=1)
        office.says(at=later)

        office.run(now=later, playbook=PLAYBOOK)

        _, _, (item,) = with_message(office, later)["a-oak"]
        assert item.customer_id == "c-oaktwo"

    @pytest.mark.parametrize(
        ("fields", "option", "refusal"),
        [({"decision": "hold_until"}, "Hold all", "until_missing"),
         ({"decision": "hold_until", "until": "2026-11-17"}, "Hold all", "until_past"),
         ({"decision": "hold_until", "until": "soon"}, "Hold all", "until_unknown"),
         ({"decision": "close"}, "Reject all", "reason_missing"),
         ({"decision": "burn"}, "Reject all", "decision_unknown"),
         ({"decision": "close", "why": "bad_fit"}, "Sign", "decision_differs"),
         ({"decision": "approve"}, "Hold all", "decision_differs"),
         ({"decision": "approve", "contact": "3"}, "Reject all", "contact_unknown"),
         ({"decision": "monitor", "signing_code": "00000000"}, "Hold all", "signing_code_differs")],
    )  # fmt: skip
    def test_decision_that_is_not_whole_is_none(
        self, office: Office, fields: dict[str, str], option: str, refusal: str
    ) -> None:
        """The list is held, nothing is decided, and the next run asks again."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]

        assert refusal in office.answer(request, row, items, option, by="ben", now=NOW, **fields)

        assert decided(office) == {}
        assert state(office)["a-oak"] == ("active", None)
        dispatch(office.workspace, NOW)
        assert office.outbox() == []


class TestWithoutAMessage:
    """An account nobody may write to is asked about by itself."""

    def test_account_with_an_open_issue_goes_to_its_owner_and_the_issue_is_written_about(self, office: Office) -> None:
        """Held, asked about, sent on the way to resolve it, signed, and sent: about the issue and nothing else."""
        billing = case("k-oak", account_id="a-oak", kind="billing", opened_at=days_ago(270))
        office.says(cases=[*tables()["cases"], billing])
        office.run(now=NOW, playbook=PLAYBOOK)
        asked = by_itself(office)
        assert set(asked) == {"a-oak"}

        request, _, code = asked["a-oak"]
        assert decide(office, request, code, decision="resolve_issue") == "account a-oak is decided: resolve_issue"
        later = NOW + timedelta(days=1)
        office.says(at=later, cases=[*tables()["cases"], billing])
        office.run(now=later, playbook=PLAYBOOK)
        request, row, items = with_message(office, later)["a-oak"]
        office.answer(request, row, items, "Sign", by="ben", now=later)
        sent_at = later + timedelta(days=1)
        office.says(at=sent_at, cases=[*tables()["cases"], billing])
        dispatch(office.workspace, sent_at)

        (message,) = office.outbox()
        assert message["Subject"] == "Oak Dental Ltd: what we still owe you an answer to"
        assert "the billing question of February 2026" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        with office.workspace.ledger.begin() as conn:
            assert len(conn.execute(select(sends)).all()) == 1

    def test_issue_that_opens_after_the_signature_stops_the_message(self, office: Office) -> None:
        """Found when the source is asked again, although another contact of the account has it."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]
        office.answer(request, row, items, "Sign", by="ben", now=NOW)
        opened = case("k-new", customer_id="c-oaktwo", opened_at=NOW)
        office.says(cases=[*tables()["cases"], opened])

        dispatch(office.workspace, NOW)

        assert office.outbox() == []

    @pytest.mark.parametrize("by", ["ada", "cleo"])
    def test_nobody_but_its_owner_decides(self, office: Office, by: str) -> None:
        """Whoever else answers, it stays open to him in the next run."""
        office.says(cases=[*tables()["cases"], case("k-oak", account_id="a-oak", kind="billing")])
        office.run(now=NOW, playbook=PLAYBOOK)
        request, _, code = by_itself(office)["a-oak"]

        assert "not_a_signer" in decide(office, request, code, by=by, decision="close", why="bad_fit")
        assert decided(office) == {}
