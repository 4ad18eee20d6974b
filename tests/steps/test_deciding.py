"""Accounts from the CRM to the outbox: a question each, every decision of the owner, and what follows in later runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from tests.builders import (
    AS_OF,
    Row,
    account,
    case,
    consent,
    contact,
    days_ago,
    purchase,
    suppression,
    tables,
    write_source,
)
from tests.company import Company
from tests.sending import settings

from reactivation.ledger import accounts, questions
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.questions import RequestId
from reactivation.ledger.runs import StepError
from reactivation.ledger.tables import account_decisions, enrolment_keys, enrolments, sends
from reactivation.policy.accounts import OWNER_EXIT
from reactivation.steps.account_brief import Brief, brief_of
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.deciding import DECIDE, asked_account, reopen
from reactivation.steps.dispatch import dispatch
from reactivation.steps.outcomes import record_outcomes
from reactivation.steps.workspace import open_workspace

PLAYBOOK = "dormant_account_outreach"
NOW = AS_OF + timedelta(hours=2)
FIRMS = ("oak", "elm", "ash")

Asked = tuple[RequestId, ListRow, tuple[ListItem, ...]]


def source(*, cases: list[Row] | None = None) -> dict[str, list[Row]]:
    """Three firms with notes and two contacts each, quiet for nine months, and the households of the builders."""
    known = tables()
    leads, seconds = [f"c-{firm}" for firm in FIRMS], [f"c-{firm}two" for firm in FIRMS]
    people = [
        contact(customer, account_id=f"a-{firm}", business_segment="business", owner_id="own-ben")
        for firm in FIRMS for customer in (f"c-{firm}", f"c-{firm}two")
    ]  # fmt: skip
    return known | {
        "contacts": [*(row for row in known["contacts"] if row["customer_id"] != "c-cem"), *people],
        "accounts": [
            account(f"a-{firm}", name=f"{firm.title()} Dental Ltd", primary_contact_id=f"c-{firm}",
                    relationship_notes="Prefers a call.", annual_value=Decimal(5000 - number), tier=None)
            for number, firm in enumerate(FIRMS)
        ],
        "purchases": [
            *(row for row in known["purchases"] if row["customer_id"] != "c-cem"),
            *(purchase(f"b-{customer}", customer, days_ago(275), kind="booking", amount=Decimal(900),
                       margin=Decimal(300)) for customer in leads),
        ],
        "consents": [
            *(row for row in known["consents"] if row["customer_id"] != "c-cem"),
            *(consent(f"r-{customer}", customer) for customer in (*leads, *seconds)),
        ],
        "cases": [*known["cases"], *(cases or [])],
    }  # fmt: skip


class Office(Company):
    """A company that writes to accounts, and what its account owner does."""

    home: Path

    def says(self, at: datetime = AS_OF, **changed: Any) -> None:
        write_source(self.home / "source", as_of=at, **(source() | changed))


@pytest.fixture
def office(tmp_path: Path, ledger_url: str) -> Iterator[Office]:
    write_source(tmp_path / "source", as_of=AS_OF, **source())
    made = Office(open_workspace(settings(tmp_path, ledger_url)))
    made.home = tmp_path
    yield made
    made.workspace.ledger.close()


def with_message(office: Office, now: datetime = NOW) -> dict[str, Asked]:
    """What the owner is asked with a message to sign, by account."""
    found = {}
    for request, row, items in office.asked(now):
        with office.workspace.ledger.begin() as conn:
            about = accounts.question_of_list(conn, row.list_id)
        assert about is not None
        found[about.account_id] = (request, row, items)
    return found


def decided(office: Office) -> dict[str, str]:
    """The last word about each account."""
    with office.workspace.ledger.begin() as conn:
        return {one.account_id: one.decision for one in accounts.decisions(conn, PLAYBOOK)}


def state(office: Office) -> dict[str, tuple[str, str | None]]:
    """State and exit of each enrolment, by account; the latest of an account."""
    query = select(enrolments.c.account_id, enrolments.c.state, enrolments.c.exit_reason).order_by(
        enrolments.c.enrolled_at
    )
    with office.workspace.ledger.begin() as conn:
        return {row.account_id: (row.state, row.exit_reason) for row in conn.execute(query)}


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

    def by_itself(self, office: Office, now: datetime = NOW) -> dict[str, tuple[RequestId, str, str]]:
        """Open questions about accounts that have no list: request, question and signing code, by account."""
        found = {}
        for question_id in questions_to_ask(office.workspace, now):
            with office.workspace.ledger.begin() as conn:
                about = accounts.question_of(conn, question_id)
            if about is None:
                continue
            request = RequestId("ask_people", "asset__9", str(uuid4()), 0)
            bind_request(office.workspace, request, question_id, now)
            with office.workspace.ledger.begin() as conn:
                question = questions.question_of(conn, question_id)
                if question is not None and question.list_id is None:
                    asked = asked_account(office.workspace, conn, question)
                    found[about.account_id] = (request, question_id, asked.signing_code)
        return found

    def answer(
        self, office: Office, request: RequestId, code: str, *, by: str = "ben", at: datetime = NOW, **fields: str
    ) -> str:
        event = {
            "chosen_options": [DECIDE], "params_input": {"signing_code": code, **fields}, "timedout": False,
            "responded_at": NOW.isoformat(), "responded_by_user": {"id": by, "name": by},
        }  # fmt: skip
        return record_answer(office.workspace, request, event, at)

    def test_account_with_an_open_issue_goes_to_its_owner_and_the_issue_is_written_about(self, office: Office) -> None:
        """Held, asked about, sent on the way to resolve it, signed, and sent: about the issue and nothing else."""
        billing = case("k-oak", account_id="a-oak", kind="billing", opened_at=days_ago(270))
        office.says(cases=[*tables()["cases"], billing])
        office.run(now=NOW, playbook=PLAYBOOK)
        asked = self.by_itself(office)
        assert set(asked) == {"a-oak"}

        request, _, code = asked["a-oak"]
        assert self.answer(office, request, code, decision="resolve_issue") == "account a-oak is decided: resolve_issue"
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
        request, _, code = self.by_itself(office)["a-oak"]

        assert "not_a_signer" in self.answer(office, request, code, by=by, decision="close", why="bad_fit")
        assert decided(office) == {}


class TestBrief:
    """What the owner reads before he decides."""

    def brief(self, office: Office, *, personal: bool) -> Brief:
        """Of the firm with an open billing case."""
        billing = case("k-oak", account_id="a-oak", kind="billing", opened_at=days_ago(270))
        office.says(cases=[*tables()["cases"], billing])
        office.run(now=NOW, playbook=PLAYBOOK)
        with office.workspace.ledger.begin() as conn:
            return brief_of(office.workspace, conn, PLAYBOOK, "a-oak", personal=personal)

    def test_has_every_part_the_document_asks_for(self, office: Office) -> None:
        """Last activity, value, history, issues, owner, reason, consent, options, flags, priority with its parts and a
        recommendation."""
        text = self.brief(office, personal=False).markdown()

        for said in (
            "**Recommended: Call before anything is written", "Last activity | 2026-02-15 (booking)",
            "Reason | service problem (inferred)", "email | permitted by express | r-c-oak", "cases/k-oak",
            "Annual value | GBP 5,000.00",
            "Revenue of 24 months | GBP 900.00", "k-oak | billing | open | 2026-02-20", "Relationship owner | own-ben",
            "no open issue | no | a case of the customer, the account", "1 | c-oak | yes", "| hold_until |",
            "Altogether",
        ):  # fmt: skip
            assert said in text, said

    def test_names_nobody_unless_its_reader_may_decide(self, office: Office) -> None:
        """Ids for everybody else; names and notes for the owner."""
        brief = self.brief(office, personal=False).markdown()
        with office.workspace.ledger.begin() as conn:
            named = brief_of(office.workspace, conn, PLAYBOOK, "a-oak", personal=True).markdown()

        assert not any(private in brief for private in ("Oak Dental", "Hart", "Prefers a call"))
        assert all(private in named for private in ("Oak Dental Ltd", "Oak Hart", "Prefers a call."))

    def test_account_that_is_not_dormant_has_none(self, office: Office) -> None:
        """The error says why."""
        office.run(now=NOW, playbook=PLAYBOOK)
        with (
            office.workspace.ledger.begin() as conn,
            pytest.raises(StepError, match="decided nothing about account a-none"),
        ):
            brief_of(office.workspace, conn, PLAYBOOK, "a-none", personal=False)


class TestReopening:
    """A closed account is decided anew only by its owner, once somebody asks him to."""

    def test_owner_is_asked_again_and_his_new_word_stands(self, office: Office) -> None:
        """Closed, reopened, approved: the next run writes to it."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]
        office.answer(request, row, items, "Reject all", by="ben", now=NOW, decision="close", why="bad_fit")

        question_id = reopen(office.workspace, PLAYBOOK, "a-oak", NOW)
        with pytest.raises(StepError, match="is being asked"):
            reopen(office.workspace, PLAYBOOK, "a-oak", NOW)
        request, _, code = TestWithoutAMessage().by_itself(office)["a-oak"]
        TestWithoutAMessage().answer(office, request, code, at=NOW + timedelta(hours=1), decision="approve")

        assert question_id
        assert decided(office)["a-oak"] == "approve"
        later = NOW + timedelta(days=1)
        office.says(at=later)
        office.run(now=later, playbook=PLAYBOOK)
        assert "a-oak" in with_message(office, later)


class TestWhatComesBack:
    """What any contact of the account does, the account does."""

    def test_purchase_of_a_colleague_ends_the_enrolment(self, office: Office) -> None:
        """Written to one, bought by the other: reactivated."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]
        office.answer(request, row, items, "Sign", by="ben", now=NOW)
        dispatch(office.workspace, NOW)
        later = NOW + timedelta(days=2)
        bought = purchase("b-new", "c-oaktwo", later - timedelta(hours=5))
        office.says(at=later, purchases=[*source()["purchases"], bought])

        record_outcomes(office.workspace, later)

        assert state(office)["a-oak"] == ("ended", "reactivated")

    def test_colleague_who_said_no_and_whom_the_owner_knew_of_ends_nothing(self, office: Office) -> None:
        """He went on all the same: the enrolment of the one written to stands."""
        said_no = {"suppressions": [*source()["suppressions"], suppression("s-two", customer_id="c-oaktwo")]}
        office.says(**said_no)
        office.run(now=NOW, playbook=PLAYBOOK)
        request, _, code = TestWithoutAMessage().by_itself(office)["a-oak"]
        TestWithoutAMessage().answer(office, request, code, decision="approve")
        later = NOW + timedelta(days=1)
        office.says(at=later, **said_no)
        office.run(now=later, playbook=PLAYBOOK)
        request, row, items = with_message(office, later)["a-oak"]
        office.answer(request, row, items, "Sign", by="ben", now=later)
        dispatch(office.workspace, later)
        assert len(office.outbox()) == 1

        record_outcomes(office.workspace, later)

        assert state(office)["a-oak"] == ("active", None)
