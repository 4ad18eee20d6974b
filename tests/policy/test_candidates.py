"""The decision row: all that it says about one customer, by which channel, and what is counted of everybody."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pytest
from tests.policy.people import (
    AT,
    Row,
    ago,
    consent,
    decide,
    known,
    one,
    person,
    playbook,
    rules,
    stories,
    together,
    two_emails,
)

from reactivation.contract.snapshot import PHONE_PROBLEMS
from reactivation.policy.accounts import OF_ACCOUNTS
from reactivation.policy.decisions import DECISIONS, SCORE_INPUTS, SCORES

#: The plain customer, as a contact of an account with a closed case, whom the ledger knows from an earlier enrolment.
WHOLE: Row = {
    "playbook": "customer_reactivation", "customer_id": "c-1", "account_id": "a-c-1", "as_of": AT,
    "business_segment": "household", "owner_id": "own-ada", "enrolled": False,
    "dormancy_range": "critical", "margin_class": "high", "purchase_kind": "one_time", "purchase_repeat": "repeat",
    "aov_tier": "mid", "engagement_pattern": "unknown", "product_affinity": "boilers",
    "acquisition_channel": "organic_search", "value_tier": "mid", "population": "low_value",
    "lifecycle_stage": "customer", "dormant_days": 130, "last_activity_at": ago(130), "last_activity_kind": "purchase",
    "last_purchase_at": ago(130), "inactivity_reason": "unknown", "reason_basis": "unknown",
    **dict.fromkeys(("score_method", *SCORES, *SCORE_INPUTS)),
    "priority": Decimal("0.5676"), "priority_value": Decimal("0.6"), "priority_recency": Decimal("0.8904"),
    "priority_engagement": Decimal("0.3"), "priority_chance": Decimal("0.3"),
    "gate_in_scope": "pass", "gate_dormant": "pass", "gate_evidence": "pass", "gate_not_suppressed": "pass",
    "gate_relationship": "pass", "gate_fit": "pass", "gate_no_open_issue": "pass", "gate_permission": "pass",
    "gate_reachable": "pass", "gate_context_consistent": "pass", "gate_offer_allowed": "drop:high_context_account",
    "gate_timing": "pass",
    "decision": "enrol", "hold_until": None, "reason_codes": [], "review_flags": ["offer"], "review_reasons": [],
    "recommended_channel": "email", "channel_reason": "permitted_by_express",
    "email_basis": "express", "email_records": ["r-c-1"], "email_valid_until": AT.replace(2028, 1, 21),
    "email_why": None, "sms_basis": None, "sms_records": [], "sms_valid_until": None, "sms_why": "no_record",
    "jurisdictions": ["GB"], "next_best_action": "check_in", "offer_position": "none", "adaptations": [],
    "offer_cap": Decimal("0.1306"),
    "holdout": False, "variant": None, "rung": "points_or_credit", "skipped_touches": None,
    "zones": ["Europe/London"], "zone_sources": ["address"],
    "email_key": "mail-c-1", "phone_key": None, "reviewed": True, "route": "outreach", **dict.fromkeys(OF_ACCOUNTS),
    "evidence": {
        "window_days": 90, "value_tier_source": "source", "affinity_source": "purchases", "reason_evidence": [],
        "currency": "GBP", "purchases": 4, "revenue_24m": Decimal(600), "margin_24m": Decimal(240),
        "average_order": Decimal(150), "country": "GB", "phone_country": None, "fit": "good", "relationship": "normal",
        "has_notes": False, "open_case_ids": [], "past_case_ids": ["k-c-1"], "consent_record_ids": ["r-c-1"],
        "suppression_ids": [], "suppression_reasons": [], "ledger_suppressed_reason": None, "broken_tables": [],
        "shares_address_with": [], "email_problem": None, "phone_problem": "missing", "last_sent_at": ago(40),
        "last_sms_sent_at": None, "sms_sent_7d": 0, "enrolments_total": 1, "redeemed_incentives": 1,
        "last_redeemed_at": ago(400), "redeemed_cost": Decimal("9.50"), "redeemed_currency": "GBP",
        "lifetime_margin": Decimal(240),
    },
}  # fmt: skip


def test_the_whole_row() -> None:
    """Every column in its order, with the values it was decided from and the records behind them."""
    closed = {"opened_at": ago(310), "closed_at": ago(300), "status": "closed"}
    earlier = known(enrolments_total=1, last_sent_at=ago(40), redeemed_incentives=1, last_redeemed_at=ago(400),
                    redeemed_cost=Decimal("9.50"), redeemed_currency="GBP")  # fmt: skip

    row = one(person(account={}, case=closed), earlier)

    assert list(row) == DECISIONS.names
    assert row == WHOLE | {"rules_version": rules().version}


def test_what_is_counted_and_said_of_the_others() -> None:
    """Everybody once: by decision and decisive reason, or as no candidate and why."""
    decided = decide(together(
        person(), person("c-2", suppression={}), person("c-3", purchases={"last_order_at": ago(3)}),
        person("c-4", contact={"is_subscriber_only": True}), person("c-5", suppression={}),
    ))  # fmt: skip

    assert decided.counts == {
        "customers": 5, "not_candidates": {"active": 1, "subscriber_only": 1}, "candidates": 3,
        "decisions": {"enrol": 1, "suppress": 2}, "reasons": {"suppressed:opt_out": 2},
    }  # fmt: skip
    assert list(decided.counts["decisions"]) == ["enrol", "suppress"]
    assert decided.others.to_pylist() == [
        {"customer_id": "c-3", "dormant_days": 3, "window_days": 90, "gate_in_scope": "pass",
         "gate_dormant": "fail:active"},
        {"customer_id": "c-4", "dormant_days": 130, "window_days": 90, "gate_in_scope": "fail:subscriber_only",
         "gate_dormant": "pass"},
    ]  # fmt: skip


REVIEWED: dict[str, tuple[Row, bool]] = {
    "plain": ({}, True),
    "opted-out": ({"suppression": {}}, True),
    "never-consented": ({"consents": []}, True),
    "discount-buyer": ({"purchases": {"discounted_purchases": 4}}, True),
    "of-unknown-value": ({"contact": {"value_tier": None}, "purchases": {"margin_known_rows": 0}}, False),
    "notes-unread": ({"contact": {"has_notes": None}}, False),
    "relationship-unknown": ({"contact": {"relationship": None}}, False),
}


@cache
def reviewed() -> dict[str, Row]:
    return stories({name: how for name, (how, _) in REVIEWED.items()})


@pytest.mark.parametrize("story", REVIEWED)
def test_who_counts_as_reviewed(story: str) -> None:
    """Value, reason, consent, relationship, offer eligibility and next action on record (000, baseline metric)."""
    assert reviewed()[story]["reviewed"] is REVIEWED[story][1]


def test_reviewed_needs_a_known_value_whatever_the_recipe_asks_for() -> None:
    """Document 002 does without the value, so that somebody of unknown value is a candidate; reviewed he is not."""
    told = {name: REVIEWED[name][0] for name in ("plain", "of-unknown-value")}

    rows = stories(told, declared=two_emails())

    assert {name: (row["gate_evidence"], row["reviewed"]) for name, row in rows.items()} == {
        "plain": ("pass", True), "of-unknown-value": ("pass", False),
    }  # fmt: skip


def test_a_gate_that_broke_has_reviewed_nobody() -> None:
    """Whether a playbook without a channel is permitted anything cannot be asked; nothing is on record of consent."""
    row = one(person(), declared=playbook().model_copy(update={"channels": ()}))

    assert (row["gate_permission"], row["gate_evidence"], row["reviewed"]) == ("fail:error", "pass", False)


TEXTS = playbook().model_copy(update={"channels": ("sms",)})
BOTH = playbook().model_copy(update={"channels": ("email", "sms")})


def mobile(name: str, *, email: bool = True, **contact: object) -> Row:
    """A British mobile phone with consent to texts, beside the plain e-mail consent or instead of it."""
    granted = [consent(f"t-{name}", name, channel="sms")]
    return {
        "contact": {"phone_key": f"phone-{name}", "phone_problem": None, "phone_country": "GB"} | contact,
        "consents": [consent(f"r-{name}", name), *granted] if email else granted,
    }


class TestTexts:
    """A channel needs its own permission and a number of its own kind; high-risk channels are never inferred."""

    @pytest.mark.parametrize("problem", [*PHONE_PROBLEMS, "lost"])
    def test_only_a_mobile_number_is_texted(self, problem: str) -> None:
        """Every other line type, a broken number and a missing one keep the text away, and say so."""
        row = texted_alone()[problem]

        assert row["gate_reachable"] == f"fail:phone_{'missing' if problem == 'lost' else problem}"
        assert row["decision"] == "suppress"

    def test_the_first_channel_that_is_permitted_and_works_is_recommended(self) -> None:
        """One that falls away leaves the other, with the reason."""
        told = {
            "both": mobile("both"), "landline": mobile("landline", phone_problem="not_mobile"),
            "role-mailbox": mobile("role-mailbox", email_problem="role"),
            "texts-only": mobile("texts-only", email=False),
        }  # fmt: skip

        rows = stories(told, declared=BOTH)

        assert {name: (row["gate_reachable"], row["recommended_channel"]) for name, row in rows.items()} == {
            "both": ("pass", "email"), "landline": ("drop:sms", "email"), "role-mailbox": ("drop:email", "sms"),
            "texts-only": ("pass", "sms"),
        }  # fmt: skip
        assert {row["channel_reason"] for row in rows.values()} == {"permitted_by_express"}

    def test_a_week_full_of_texts_holds_back_who_can_only_be_texted(self) -> None:
        """Two in seven days are the most; until the last one is a week old. E-mails are not held back by it."""
        texts = {"full": 2, "one": 1, "full-with-mail": 2, "full-unpermitted": 2}
        told = {name: mobile(name, email=name == "full-with-mail") for name in texts}
        told["full-unpermitted"] |= {"consents": []}
        ledger = [
            known(f"phone-{name}", sms_sent_7d=sent, last_sms_sent_at=ago(3), last_sent_at=ago(3))
            for name, sent in texts.items()
        ]

        rows = stories(told, *ledger, declared=BOTH)

        assert {name: (row["decision"], row["hold_until"]) for name, row in rows.items()} == {
            "full": ("hold", ago(-4)), "one": ("enrol", None), "full-with-mail": ("enrol", None),
            "full-unpermitted": ("suppress", None),
        }  # fmt: skip
        assert rows["full"]["reason_codes"] == ["timing:cap"]
        assert rows["full-unpermitted"]["gate_timing"] == "pass"


@cache
def texted_alone() -> dict[str, Row]:
    """Customers of a playbook that only writes text messages, each with another problem of the phone."""
    told = {problem: mobile(problem, phone_problem=problem) for problem in PHONE_PROBLEMS}
    return stories(told | {"lost": mobile("lost", phone_key=None)}, declared=TEXTS)
