"""Accounts: dormant by all of their contacts, decided by their owner one by one, and gone before anybody else's."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from tests.policy.people import (
    AT,
    Row,
    Tables,
    account,
    ago,
    case,
    consent,
    decide,
    known,
    person,
    playbook,
    suppression,
    together,
)

from reactivation import paths
from reactivation.playbooks.loader import load_playbook
from reactivation.playbooks.model import Playbook
from reactivation.policy.accounts import OWNER_DECISIONS, OWNER_SAID, PATHS, WRITING

WORTH: Row = {"annual_value": Decimal(9_000), "currency": "GBP", "has_notes": True, "business_segment": "business"}


@cache
def outreach() -> Playbook:
    """The shipped playbook of document 001."""
    return load_playbook(paths.PLAYBOOKS / "dormant_account_outreach.yaml").playbook


def firm(account_id: str = "a-1", *contacts: Tables, **changes: Any) -> Tables:
    """An account with notes and a value that own-ben looks after, with these contacts; the first is the leading one."""
    people = contacts or (contact_of(),)
    tables = together(*people)
    for row in tables["contacts"]:
        row["account_id"] = account_id
    lead = tables["contacts"][0]["customer_id"]
    tables["accounts"] = [account(account_id, **(WORTH | {"primary_contact_id": lead} | changes))]
    return tables


def contact_of(customer_id: str = "c-1", **how: Row) -> Tables:
    """A contact of a firm."""
    business = {"business_segment": "business"} | how.pop("contact", {})
    return person(customer_id, contact=business, **how)


def said(decision: str, account_id: str = "a-1", **changes: Any) -> pa.Table:
    """What an account's owner last decided, ten days ago."""
    row = {"account_id": account_id, "owner_decision": decision, "owner_decided_at": ago(10), "owner_knew_noes": 0}
    return pa.Table.from_pylist([row | changes], schema=OWNER_SAID)


def story(tables: Tables, *ledger: Row, **options: Any) -> Row:
    """What became of the one account."""
    decided = decide(tables, *ledger, declared=outreach(), **options)
    [row] = [*decided.table.to_pylist(), *decided.others.to_pylist()]
    return row


class TestDormancy:
    """No meaningful activity after the expected interval, by anybody of the account."""

    def test_account_is_as_active_as_its_most_active_contact(self) -> None:
        """One quiet for 300 days, another for 20."""
        tables = firm("a-1", contact_of(), contact_of("c-2", purchases={"last_order_at": ago(20)}))

        assert story(tables)["gate_dormant"] == "fail:active"

    def test_own_expected_interval_goes_before_the_window_of_the_segment(self) -> None:
        """Quiet for 130 days: dormant at 120, not at 140, and dormant at 130 exactly."""
        assert story(firm())["gate_dormant"] == "pass"
        assert story(firm(expected_interval_days=140))["gate_dormant"] == "fail:active"
        assert story(firm(expected_interval_days=130))["gate_dormant"] == "pass"

    def test_status_that_says_dormant_is_believed(self) -> None:
        """In a dormant segment by the CRM's own word."""
        active = {"purchases": {"last_order_at": ago(20), "last_purchase_at": ago(20)}}

        assert story(firm("a-1", contact_of(**active), status="Dormant"))["gate_dormant"] == "pass"


class TestWhoIsWrittenTo:
    """Its leading contact or the owner's choice, by that person's own permission."""

    def test_leading_contact_is_the_recipient(self) -> None:
        """Not the first by id."""
        tables = firm("a-1", contact_of("c-1"), contact_of("c-2"), primary_contact_id="c-2")

        row = story(tables)

        assert (row["customer_id"], row["email_records"]) == ("c-2", ["r-c-2"])
        assert row["account_contacts"] == ["c-1", "c-2"]

    def test_owner_may_choose_another_contact(self) -> None:
        """By his decision about the account."""
        tables = firm("a-1", contact_of("c-1"), contact_of("c-2"))

        assert story(tables, owners_said=said("approve", owner_recipient="c-2"))["customer_id"] == "c-2"

    def test_permission_is_the_recipients_own(self) -> None:
        """A colleague's consent permits nothing."""
        tables = firm("a-1", person("c-1", consents=[], contact={"business_segment": "business"}), contact_of("c-2"))

        assert story(tables)["gate_permission"] == "fail:no_record"

    @pytest.mark.parametrize("lead", [None, "c-9"])
    def test_nobody_is_written_to_where_nobody_says_who(self, lead: str | None) -> None:
        """No leading contact, or one who is none of the account's."""
        row = story(firm(primary_contact_id=lead))

        assert (row["decision"], row["gate_evidence"]) == ("suppress", "fail:recipient")

    def test_account_without_contacts_is_decided_too(self) -> None:
        """Suppressed, by name."""
        tables = firm()
        tables["contacts"][0]["account_id"] = None

        row = story(tables)

        assert (row["account_id"], row["customer_id"], row["decision"]) == ("a-1", "account:a-1", "suppress")


class TestWhatForbids:
    """What anybody of the account did or said."""

    @pytest.mark.parametrize(
        ("cost", "currency", "whole"), [("9.50", "GBP", Decimal("24.50")), (None, None, None), ("9.50", "EUR", None)]
    )
    def test_what_any_contact_redeemed_was_redeemed(
        self, cost: str | None, currency: str | None, whole: Decimal | None
    ) -> None:
        """Not by the recipient alone; the margin it is held against is everybody's, too: 240 pounds of each."""
        tables = firm("a-1", contact_of("c-1"), contact_of("c-2"))
        mine = known("mail-c-1", redeemed_incentives=1, last_redeemed_at=ago(500), redeemed_cost=Decimal(15),
                     redeemed_currency="GBP")  # fmt: skip
        others = known("mail-c-2", redeemed_incentives=1, last_redeemed_at=ago(400), redeemed_currency=currency,
                       redeemed_cost=None if cost is None else Decimal(cost))  # fmt: skip

        found = story(tables, mine, others)["evidence"]

        assert (found["redeemed_incentives"], found["last_redeemed_at"]) == (2, ago(400))
        assert (found["redeemed_cost"], found["lifetime_margin"]) == (whole, Decimal(480))

    def test_opt_out_of_one_contact_stops_the_account_until_its_owner_decides(self) -> None:
        """He decides knowing of one; a second one stops it again."""
        one_no = firm("a-1", contact_of("c-1"), contact_of("c-2"), contact_of("c-3"))
        one_no["suppressions"] = [suppression("s-2", customer_id="c-2")]
        two_noes = one_no | {"suppressions": [*one_no["suppressions"], suppression("s-3", customer_id="c-3")]}
        knowing = said("approve", owner_knew_noes=1)

        assert story(one_no)["reason_codes"][0] == "suppressed:contact_said_no"
        assert story(one_no, owners_said=said("approve"))["gate_not_suppressed"] == "fail:contact_said_no"
        assert story(one_no, owners_said=knowing)["decision"] == "review"
        assert story(two_noes, owners_said=knowing)["gate_not_suppressed"] == "fail:contact_said_no"

    def test_opt_out_of_the_recipient_is_nobodys_to_lift(self) -> None:
        """Whatever the owner decides."""
        tables = firm() | {"suppressions": [suppression(customer_id="c-1")]}

        row = story(tables, owners_said=said("approve", owner_knew_noes=1))

        assert row["reason_codes"][0] == "suppressed:opt_out"

    @pytest.mark.parametrize(("kind", "reason"), [("cancellation", "cancelled"), ("complaint", "service_problem")])
    def test_closed_case_of_one_contact_says_why_where_another_has_none(self, kind: str, reason: str) -> None:
        """What is on record of anybody is on record of the account."""
        tables = firm("a-1", contact_of("c-1"), contact_of("c-2"))
        closed = {"status": "closed", "opened_at": ago(125), "closed_at": ago(120)}
        tables["cases"] = [case(customer_id="c-1", kind=kind, **closed)]

        row = story(tables)

        assert (row["inactivity_reason"], row["evidence"]["reason_evidence"]) == (reason, ["cases/k-1"])

    def test_sensitive_contact_makes_a_sensitive_account(self) -> None:
        """Where the account itself says nothing."""
        tables = firm("a-1", contact_of(), contact_of("c-2", contact={"relationship": "dispute"}), relationship=None)

        assert story(tables)["gate_relationship"] == "fail:dispute"

    def test_fit_that_the_account_does_not_say_is_the_worst_of_its_contacts(self) -> None:
        """One bad fit among them."""
        tables = firm("a-1", contact_of(), contact_of("c-2", contact={"fit": "bad"}), fit=None)

        assert story(tables)["gate_fit"] == "fail:bad_fit"
        assert story(firm("a-1", contact_of(), contact_of("c-2"), fit=None))["gate_fit"] == "pass"

    def test_sources_that_disagree_on_the_owner_hold_the_account(self) -> None:
        """A colleague's row names another owner."""
        tables = firm("a-1", contact_of(), contact_of("c-2", contact={"owner_id": "own-ada"}))

        assert story(tables)["reason_codes"][0] == "context_conflict:owner"

    def test_account_without_value_or_purchases_is_not_written_to(self) -> None:
        """What it is worth is unknown."""
        tables = firm("a-1", contact_of(contact={"value_tier": None}, purchases={"margin_known_rows": 0}))
        tables["accounts"][0] |= {"annual_value": None, "currency": None}

        assert story(tables)["gate_evidence"] == "fail:account_value"


class TestFormerClientPausedAfterABillingIssue:
    """Document 001's example: not booked in nine months, paused after an unresolved billing issue."""

    def former_client(self) -> Tables:
        """The last booking nine months ago; a billing case is open since."""
        nine_months = {"last_booking_at": ago(275), "last_order_at": None, "last_purchase_at": ago(275)}
        tables = firm("a-1", contact_of(purchases=nine_months))
        tables["cases"] = [case(account_id="a-1", kind="billing", opened_at=ago(270))]
        return tables

    def test_flags_the_risk_and_recommends_an_owner_call(self) -> None:
        """Before any promotional outreach: held, with the case on record."""
        row = story(self.former_client())

        assert (row["decision"], row["path"]) == ("hold", "delayed")
        assert row["reason_codes"] == ["open_issue:open_case"]
        assert row["next_best_action"] == "owner_call"
        assert row["inactivity_reason"] == "service_problem"
        assert row["evidence"]["open_case_ids"] == ["k-1"]
        assert "relationship" in row["review_flags"]

    def test_is_written_to_about_the_issue_alone_when_its_owner_says_so(self) -> None:
        """The touch is there to resolve it, and the owner still signs it."""
        row = story(self.former_client(), owners_said=said("resolve_issue"))

        assert (row["decision"], row["route"], row["path"]) == ("review", "issue_resolution", "account_led")


class TestWhatTheOwnerDecided:
    """Each decision has its consequence in later runs."""

    def test_owner_has_six_words_and_two_let_touches_be_written(self) -> None:
        """Outreach, resolving the issue, waiting, closing, watching, and leaving alone."""
        assert OWNER_DECISIONS == ("approve", "resolve_issue", "hold_until", "close", "monitor", "no_outreach")
        written = [story(firm(), owners_said=said(word, owner_decided_at=ago(1)))["decision"] for word in WRITING]
        assert written == ["review", "review"]

    @pytest.mark.parametrize(
        ("decision", "reason"),
        [("close", "relationship:owner_closed"), ("no_outreach", "relationship:owner_no_outreach"),
         ("monitor", "relationship:owner_monitors")],
    )  # fmt: skip
    def test_account_is_left_alone(self, decision: str, reason: str) -> None:
        """Suppressed, by the owner's own word."""
        row = story(firm(), owners_said=said(decision))

        assert (row["decision"], row["reason_codes"][0], row["path"]) == ("suppress", reason, "suppressed")

    @pytest.mark.parametrize(
        ("decision", "then"), [("close", "suppress"), ("monitor", "review"), ("no_outreach", "review")]
    )
    def test_new_activity_wakes_what_is_left_alone_and_nothing_that_is_closed(self, decision: str, then: str) -> None:
        """Decided 200 days ago, active 130 days ago, quiet again."""
        row = story(firm(), owners_said=said(decision, owner_decided_at=ago(200)))

        assert row["decision"] == then

    def test_hold_wakes_up_on_its_day(self) -> None:
        """Held until tomorrow, and until today."""
        until = timedelta(days=1)

        held = story(firm(), owners_said=said("hold_until", owner_hold_until=AT + until))
        awake = story(firm(), owners_said=said("hold_until", owner_hold_until=AT))

        assert (held["decision"], held["reason_codes"][0], held["hold_until"]) == (
            "hold", "timing:owner_holds", AT + until,
        )  # fmt: skip
        assert awake["decision"] == "review"

    def test_hold_without_a_day_holds(self) -> None:
        """Nobody knows when it is over: it is not."""
        row = story(firm(), owners_said=said("hold_until"))

        assert (row["decision"], row["reason_codes"], row["hold_until"]) == ("hold", ["timing:owner_holds"], None)


class TestPaths:
    """Account-led, marketing-led, suppressed or delayed."""

    def test_account_with_context_is_led_by_its_owner(self) -> None:
        """Always one by one: never without him, whatever else is fine."""
        row = story(firm())

        assert (row["decision"], row["path"], row["high_context"]) == ("review", "account_led", True)
        assert "account" in row["review_reasons"]

    def small(self) -> Tables:
        """The least valuable of three accounts, without notes or cases."""
        big = [firm(f"a-{n}", contact_of(f"c-{n}"), annual_value=Decimal(9_000 + n)) for n in (2, 3)]
        return together(firm(annual_value=Decimal(100), has_notes=False), *big)

    def test_small_account_without_context_is_left_to_the_playbook_of_its_contacts(self) -> None:
        """Held here with the reason."""
        decided = decide(self.small(), declared=outreach()).table.to_pylist()

        assert {row["account_id"]: (row["path"], row["decision"]) for row in decided} == {
            "a-1": ("marketing_led", "hold"), "a-2": ("account_led", "review"), "a-3": ("account_led", "review"),
        }  # fmt: skip

    def test_small_account_with_one_past_case_is_led_by_its_owner(self) -> None:
        """He knows how it ended."""
        tables = self.small()
        tables["cases"] = [case(account_id="a-1", status="closed", opened_at=ago(310), closed_at=ago(300))]

        rows = {row["account_id"]: row for row in decide(tables, declared=outreach()).table.to_pylist()}

        assert (rows["a-1"]["path"], rows["a-1"]["high_context"]) == ("account_led", True)

    def test_small_account_with_an_open_case_waits_for_its_owner(self) -> None:
        """It is not left to the playbook of its contacts."""
        tables = self.small() | {"cases": [case(account_id="a-1")]}

        rows = {row["account_id"]: row for row in decide(tables, declared=outreach()).table.to_pylist()}

        assert (rows["a-1"]["path"], rows["a-1"]["next_best_action"]) == ("delayed", "owner_call")

    def test_colleagues_of_who_said_no_are_in_no_other_playbook(self) -> None:
        """However small the account is: its owner is asked first."""
        tables = together(self.small(), contact_of("c-9", contact={"account_id": "a-1"}))
        no = {"suppressions": [suppression(customer_id="c-9")]}

        def candidates(told: Tables) -> list[str]:
            found: list[str] = decide(told, declared=playbook(), before=[outreach()]).table["customer_id"].to_pylist()
            return found

        assert (candidates(tables), candidates(tables | no)) == (["c-1", "c-9"], [])

    def test_every_path_is_one_of_the_four(self) -> None:
        """Of each of them one account."""
        held = said("hold_until", owner_hold_until=AT + timedelta(days=1))
        small = decide(self.small(), declared=outreach()).table.to_pylist()[0]
        rows = [story(firm()), small, story(firm(), owners_said=said("close")), story(firm(), owners_said=held)]

        assert tuple(row["path"] for row in rows) == PATHS

    def test_contacts_of_an_account_led_by_its_owner_are_in_no_other_playbook(self) -> None:
        """Only those of the small one are candidates there."""
        decided = decide(self.small(), declared=playbook(), before=[outreach()])

        assert decided.table["customer_id"].to_pylist() == ["c-1"]
        assert {row["gate_in_scope"] for row in decided.others.to_pylist()} == {"fail:precedence"}

    def test_contact_enrolled_elsewhere_keeps_its_account_out(self) -> None:
        """One playbook per person at a time; all contacts of the account count."""
        tables = firm("a-1", contact_of("c-1"), contact_of("c-2"))

        row = story(tables, known("mail-c-2", active_playbook="customer_reactivation"))

        assert row["gate_in_scope"] == "fail:other_playbook"

    def test_contact_enrolled_here_does_not_hide_that_his_phone_is_enrolled_elsewhere(self) -> None:
        """Each address by itself, whatever the other one says."""
        tables = firm("a-1", contact_of("c-1"), contact_of("c-2", contact={"phone_key": "desk"}))
        here = known("mail-c-2", active_playbook="dormant_account_outreach", enrolments_total=1)

        row = story(tables, here, known("desk", active_playbook="customer_reactivation", enrolments_total=1))

        assert row["gate_in_scope"] == "fail:other_playbook"

    def test_enrolled_account_is_found_again(self) -> None:
        """By whichever contact's address."""
        tables = firm("a-1", contact_of("c-1"), contact_of("c-2"))

        row = story(tables, known("mail-c-2", active_playbook="dormant_account_outreach", enrolments_total=1))

        assert row["enrolled"] is True


@pytest.mark.parametrize(("decision", "action"), [
    (None, "check_in"), ("resolve_issue", "check_in"), ("close", "close"), ("no_outreach", "leave_alone"),
    ("hold_until", "wait_until"),
])  # fmt: skip
def test_next_best_action_follows_what_the_owner_decided(decision: str | None, action: str) -> None:
    """An account with context is offered nothing; a call is asked for where something is open, and not otherwise."""
    assert story(firm(), owners_said=decision and said(decision))["next_best_action"] == action


@pytest.mark.parametrize("at", [AT - timedelta(days=40), AT])
def test_shared_address_of_a_colleague_who_does_not_permit_is_nobodys(at: datetime) -> None:
    """Permission is asked of everybody behind an address, not of the recipients alone."""
    tables = together(
        contact_of("c-1", contact={"email_key": "desk"}),
        person("c-2", consents=[consent("w", "c-2", state="withdrawn")], contact={"email_key": "desk"}),
    )
    tables["contacts"][0]["account_id"] = "a-1"
    tables["accounts"] = [account("a-1", **WORTH, primary_contact_id="c-1", status="dormant")]

    row = story(tables, at=at)

    assert row["gate_permission"] == "fail:shared_address"
