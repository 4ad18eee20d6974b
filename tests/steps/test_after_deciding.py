"""Accounts before and after their owner decides: the brief he reads, asking him anew, and what their contacts do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.builders import (
    case,
    days_ago,
    purchase,
    suppression,
    tables,
)
from tests.office import NOW, PLAYBOOK, Office, by_itself, decide, decided, source, state, with_message

from reactivation.delivery.provider_events import ProviderEvent
from reactivation.ledger import questions
from reactivation.ledger.questions import RequestId
from reactivation.ledger.runs import StepError
from reactivation.steps.account_brief import Brief, brief_of
from reactivation.steps.answers import bind_request, questions_to_ask, record_answer
from reactivation.steps.deciding import reopen
from reactivation.steps.dispatch import dispatch
from reactivation.steps.labelling import KIND, LABEL, asked_reply
from reactivation.steps.outcomes import record_outcomes
from reactivation.steps.provider_events import take_in_provider_events

OAK_TWO = "oaktwo.hart@gmail.com"


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
        request, _, code = by_itself(office)["a-oak"]
        decide(office, request, code, at=NOW + timedelta(hours=1), decision="approve")

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
        request, _, code = by_itself(office)["a-oak"]
        decide(office, request, code, decision="approve")
        later = NOW + timedelta(days=1)
        office.says(at=later, **said_no)
        office.run(now=later, playbook=PLAYBOOK)
        request, row, items = with_message(office, later)["a-oak"]
        office.answer(request, row, items, "Sign", by="ben", now=later)
        dispatch(office.workspace, later)
        assert len(office.outbox()) == 1

        record_outcomes(office.workspace, later)

        assert state(office)["a-oak"] == ("active", None)

    def test_colleague_who_says_no_to_a_provider_ends_it_at_once_and_its_owner_is_asked(self, office: Office) -> None:
        """Signed and due, nothing is sent; the one written to is suppressed by nobody, nothing cools down, and a week
        after he was last asked the owner is asked again."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]
        office.answer(request, row, items, "Sign", by="ben", now=NOW)
        told = ProviderEvent("ev-1", "postman", "email", "unsubscribe", NOW, address=OAK_TWO)
        counts = take_in_provider_events(office.workspace, [told], NOW)

        assert counts == {"events": 1, "suppressions": 1, "nobody": 1, "exit:owner_to_decide": 1}
        assert state(office)["a-oak"] == ("ended", "owner_to_decide")
        dispatch(office.workspace, NOW)
        assert office.outbox() == []
        later = NOW + timedelta(days=8)
        office.says(at=later)
        office.run(now=later, playbook=PLAYBOOK)
        assert "a-oak" in by_itself(office, later)

    def test_colleague_who_said_no_at_a_source_is_asked_about_too(self, office: Office) -> None:
        """Found right before the send: the same end, and no cool-down either."""
        office.run(now=NOW, playbook=PLAYBOOK)
        request, row, items = with_message(office)["a-oak"]
        office.answer(request, row, items, "Sign", by="ben", now=NOW)
        said_no = {"suppressions": [*source()["suppressions"], suppression("s-two", customer_id="c-oaktwo")]}
        office.says(**said_no)
        dispatch(office.workspace, NOW)

        assert office.outbox() == []
        assert state(office)["a-oak"] == ("ended", "owner_to_decide")
        later = NOW + timedelta(days=8)
        office.says(at=later, **said_no)
        office.run(now=later, playbook=PLAYBOOK)
        assert "a-oak" in by_itself(office, later)

    def test_colleague_whose_words_are_labelled_as_a_no_ends_it_with_the_label(self, office: Office) -> None:
        """Until then the account goes on: nobody knows what was said."""
        office.run(now=NOW, playbook=PLAYBOOK)
        said = ProviderEvent("ev-2", "postman", "email", "inbound", NOW, address=OAK_TWO, text="Leave us be, will you")
        take_in_provider_events(office.workspace, [said], NOW)
        assert state(office)["a-oak"] == ("active", None)
        questions_to_ask(office.workspace, NOW)
        with office.workspace.ledger.begin() as conn:
            (question,) = questions.waiting_of_kind(conn, KIND, NOW)
            code = asked_reply(office.workspace, conn, question).signing_code
        request = RequestId("ask_people", "asset__2", "ask", 0)
        bind_request(office.workspace, request, question.question_id, NOW)
        event = {
            "chosen_options": [LABEL], "params_input": {"signing_code": code, "label": "opt_out"}, "responded_at": NOW,
            "responded_by_user": {"id": "ada", "name": "ada"}, "timedout": False,
        }  # fmt: skip
        record_answer(office.workspace, request, event, NOW)

        assert state(office)["a-oak"] == ("ended", "owner_to_decide")
