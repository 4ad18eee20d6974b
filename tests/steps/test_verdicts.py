"""The verdict on one signed touch right before its send: what waits, what is held, and what may go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.policy.people import AT, one, person, playbook, rules, stories

from reactivation.ledger.enrolments import Enrolment
from reactivation.ledger.touches import Touch
from reactivation.steps.verdicts import Verdict, for_sending, verdict

TOUCH = Touch(
    touch_id="t-3", enrolment_id="e-1", customer_id="c-1", run_id="run-1", rules_version="1", playbook="p", number=3,
    channel="email", purpose="reward", incentive="points_or_credit", offer_id="offer-credit-15",
    address_key="mail-c-1", not_before=AT, not_after=AT + timedelta(days=5), state="signed", reason=None,
    draft_digest=None, draft_run_id=None, reserved_by=None,
)  # fmt: skip
ENROLMENT = Enrolment(
    enrolment_id="e-1", playbook="p", run_id="run-1", customer_id="c-1", account_id=None, segment="household",
    owner_id="own-ada", decision="enrol", review_reasons=(), state="active", enrolled_at=AT, plan_ends_at=AT,
    ended_at=None, exit_reason=None, rules_version="1", as_of=AT,
)  # fmt: skip
DECIDED = one(person())
BY_SMS = {"sms_basis": "express_written", "sms_records": ["r-sms"], "phone_key": "phone-c-1"}


def said(touch: Touch = TOUCH, *, row: dict[str, Any] | None = None, **told: Any) -> Verdict:
    """The verdict at a legal moment, unless told otherwise."""
    draft = {"basis_records": [], "deadline": None}
    known = {"legal": True, "now": AT, "timing": rules().timing} | told
    return verdict(touch, ENROLMENT, draft, DECIDED | (row or {}), **known)


def test_what_is_signed_due_and_allowed_goes() -> None:
    """Nothing has changed."""
    assert said() == Verdict("send")


@pytest.mark.parametrize(("until", "expected"), [
    (AT, Verdict("send")), (AT + timedelta(seconds=1), Verdict("wait", "wait_not_over")),
])  # fmt: skip
def test_a_touch_waits_for_the_one_sent_before_it(until: Any, expected: Verdict) -> None:
    """To the moment at which the playbook's days are over."""
    assert said(waits_until=until) == expected


@pytest.mark.parametrize("why", ["step_below_not_tried", "step_below_open", "step_below_worked"])
def test_a_climb_without_ground_is_held(why: str) -> None:
    """However it came to be signed."""
    assert said(not_climbed=why) == Verdict("hold", why)


def test_a_margin_that_only_forbids_the_larger_step_lets_the_smaller_go() -> None:
    """The credit goes, the percentage is held."""
    row = {"gate_offer_allowed": "drop:margin_guard", "offer_position": "points_or_credit"}
    assert said(row=row) == Verdict("send")
    assert said(replace(TOUCH, number=6, incentive="percent"), row=row) == Verdict("hold", "offer_not_allowed")


class TestByText:
    TEXT = replace(TOUCH, channel="sms", incentive="none", offer_id=None, address_key="phone-c-1")

    def test_a_text_goes_to_whom_it_may_reach(self) -> None:
        """By his own permission and phone, whatever channel was recommended."""
        assert said(self.TEXT, row=BY_SMS) == Verdict("send")

    @pytest.mark.parametrize(("change", "why"), [
        ({"sms_basis": None}, "channel_not_permitted"), ({"gate_reachable": "drop:sms"}, "channel_dropped"),
        ({"phone_key": "phone-other"}, "address_changed"),
    ])  # fmt: skip
    def test_it_is_held_for_its_own_channel(self, change: dict[str, Any], why: str) -> None:
        """E-mail would still be allowed; no channel follows from another."""
        assert said(self.TEXT, row=BY_SMS | change) == Verdict("hold", why)

    def test_a_week_full_of_texts_waits(self) -> None:
        """Two by any sender within seven days: the text waits, an e-mail would go."""
        full = {"evidence": DECIDED["evidence"] | {"sms_sent_7d": 2}}
        assert said(self.TEXT, row=BY_SMS | full) == Verdict("wait", "timing:cap")
        assert said(row=full) == Verdict("send")


def test_the_sender_judges_offers_as_of_today_and_opens_as_no_return() -> None:
    """Touch 6 would else be asked for an offer that runs a month from now."""
    used = for_sending(playbook())
    assert {touch.day for touch in used.touches} == {0}
    assert set(used.activity) == set(playbook().exits)


def test_an_offer_of_an_account_does_not_depend_on_who_else_is_asked_about() -> None:
    """The largest margin of ten who happen to be due together is no high value; one that a source gives is."""
    margins = {f"c-{number}": {"margin_24m": Decimal(300 - number)} for number in range(10)}
    due = {name: {"account": {}, "contact": {"value_tier": None}, "purchases": told} for name, told in margins.items()}
    due["c-given"] = {"account": {}, "contact": {"value_tier": "high"}}
    gates = {name: row["gate_offer_allowed"] for name, row in stories(due, declared=for_sending(playbook())).items()}
    assert gates == dict.fromkeys(margins, "pass") | {"c-given": "drop:high_context_account"}
