"""Figures: each with its parts, and an honest word where there is nothing to divide by."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from reactivation import paths
from reactivation.ledger.compared import DRAWN
from reactivation.ledger.measured import TOLD
from reactivation.measures import (
    MEASURES,
    SAID,
    Answers,
    Compared,
    Figure,
    Outreach,
    account_figures,
    comparison_figures,
    outreach_figures,
    return_figures,
    review_figures,
    touch_value_figures,
)
from reactivation.measures.crediting import RULES
from reactivation.measures.figures import NOT_ENOUGH
from reactivation.playbooks.loader import load_all
from reactivation.policy.decisions import DECISIONS

ANSWERS = Answers(
    verdicts={"signed": 6, "held": 3, "rejected": 1}, sends={"accepted": 5}, exits={"no_response": 3, "reactivated": 1},
    suppressed={"opt_out": 1},
)  # fmt: skip
NOTHING = Answers(verdicts={"signed": 0, "held": 0, "rejected": 0}, sends={}, exits={}, suppressed={})
TOTALS = {
    "written_to": 5, "delivered_to": 4, "bounced": 1, "responded": 3, "reactivated": 2, "seen_for_long": 1,
    "bought_again": 1, "repeat_purchases": 2, "unsubscribed": 1, "complained": 0,
}  # fmt: skip
OFFER = {"offer_id": "o-15", "incentive": "points_or_credit", "codes_sent": 4, "currency": "GBP", "redeemed": 1,
         "revenue": Decimal("90.00"), "cost": Decimal("15.00"), "cost_unknown": 0}  # fmt: skip
OUTREACH = Outreach(
    totals=TOTALS,
    money=[{"window": "value", "currency": "GBP", "amount": Decimal("120.00"), "customers": 2, "unpriced": 0}],
    credits=[{"measure": measure, "touch_number": 3, "channel": "email", "currency": "GBP", "reactivations": 2.0,
              "revenue": Decimal("90.00")} for measure in RULES],
    offers=[OFFER],
    journeys=[{"channels": ["email"], "returned": 2, "lost": 3}],
    cohorts=[{"week": date(2026, 3, 2), "candidates": 50, "reactivated": 2}],
    waits=[{"days": 3, "returned": True, "enrolments": 2}, {"days": 8, "returned": False, "enrolments": 2}],
)  # fmt: skip
EMPTY = Outreach(
    totals=dict.fromkeys(TOTALS, 0),
    money=[],
    credits=[],
    journeys=[],
    offers=[],
    cohorts=[],
    waits=[],
)


def one(figures: list[Figure], measure: str, by: str | None = None) -> Figure:
    (found,) = [figure for figure in figures if (figure.measure, figure.by) == (measure, by)]
    return found


def test_every_rate_has_its_numerator_and_denominator() -> None:
    """Response over people delivered to, reactivation over people written to."""
    figures = outreach_figures(ANSWERS, OUTREACH)
    rates = {name: one(figures, name) for name in ("response_rate", "reactivations", "unsubscribes", "bounces")}
    assert {name: (f.count, f.of, f.rate) for name, f in rates.items()} == {
        "response_rate": (3, 4, 0.75), "reactivations": (2, 5, 0.4), "unsubscribes": (1, 4, 0.25),
        "bounces": (1, 5, 0.2),
    }  # fmt: skip
    approved = [one(figures, "outreach_approved", by) for by in (None, "held", "rejected")]
    assert [(f.count, f.of) for f in approved] == [(6, 10), (3, 10), (1, 10)]
    assert one(figures, "discount_use").rate == 0.25
    assert one(figures, "incentive_efficiency", "o-15").rate == 6.0
    assert one(figures, "time_to_reactivate").days == 3
    assert one(figures, "reactivated_ltv").note == "1 of 2 seen for all 90 days"
    assert one(figures, "channel_attribution", "touch 3, email").amount == Decimal("90.00")


def test_every_share_has_wilsons_interval() -> None:
    """3 of 4 by hand, with z = 1.96: (.75 + z²/8 ± z·√(.75·.25/4 + z²/64)) ÷ (1 + z²/4). Of nobody there is none."""
    figures = outreach_figures(ANSWERS, OUTREACH)
    assert [(one(figures, "response_rate").low, one(figures, "response_rate").high)] == [(0.3006, 0.9544)]
    assert (one(figures, "complaints").low, one(figures, "complaints").high) == (0.0, 0.4899)
    assert {figure.low for figure in outreach_figures(NOTHING, EMPTY)} == {None}
    assert one(figures, "incentive_efficiency", "o-15").low is None


def test_noes_of_more_people_than_were_delivered_to_have_no_interval() -> None:
    """The rate stands, as it is."""
    more = Outreach(**{**vars(OUTREACH), "totals": TOTALS | {"unsubscribed": 5}})
    figure = one(outreach_figures(ANSWERS, more), "unsubscribes")
    assert (figure.rate, figure.low, figure.high) == (1.25, None, None)


def test_where_there_is_nothing_it_says_so() -> None:
    """No rate is made up, no zero is divided by."""
    figures = outreach_figures(NOTHING, EMPTY)
    rates = [figure for figure in figures if figure.of is not None or figure.amount is not None or figure.count is None]
    assert rates
    for figure in rates:
        assert (figure.rate, figure.of or 0) == (None, 0)
        assert figure.note == NOT_ENOUGH or figure.measure == "repeat_purchases", figure
    assert one(figures, "time_to_reactivate").note == NOT_ENOUGH


def test_an_offer_that_cost_nothing_has_no_efficiency() -> None:
    """Not infinity."""
    free = Outreach(**{**vars(OUTREACH), "offers": [OFFER | {"cost": Decimal("0.00")}]})
    figure = one(outreach_figures(ANSWERS, free), "incentive_efficiency", "o-15")
    assert (figure.rate, figure.note) == (None, NOT_ENOUGH)


def test_efficiency_is_told_of_each_type_of_offer() -> None:
    """Framework 003: two credits of 90.00 for 15.00 and 30.00 for 5.00 are 6 times; twenty percent in pounds and euro
    stand apart, and what was never redeemed has no ratio."""
    percent = {"offer_id": "p-20", "incentive": "percent"}
    offers = [
        OFFER, OFFER | {"offer_id": "o-5", "revenue": Decimal("30.00"), "cost": Decimal("5.00"), "redeemed": 2},
        OFFER | percent | {"cost": Decimal("45.00"), "cost_unknown": 1},
        OFFER | percent | {"currency": "EUR", "cost": Decimal("9.00")},
        OFFER | {"offer_id": "p-30", "incentive": "percent", "currency": None, "redeemed": 0, "revenue": None,
                 "cost": None},
    ]  # fmt: skip
    figures = outreach_figures(ANSWERS, Outreach(**{**vars(OUTREACH), "offers": offers}))
    told = [
        (figure.by, figure.currency, figure.count, figure.amount, figure.cost, figure.rate, figure.note)
        for figure in figures if figure.measure == "incentive_efficiency" and str(figure.by).startswith("all of ")
    ]  # fmt: skip
    assert told == [
        ("all of percent", "EUR", 1, Decimal("90.00"), Decimal("9.00"), 10.0, None),
        ("all of percent", "GBP", 1, Decimal("90.00"), Decimal("45.00"), 2.0, "cost of 1 unknown"),
        ("all of points_or_credit", "GBP", 3, Decimal("120.00"), Decimal("20.00"), 6.0, None),
    ]


def test_the_baseline_counts_candidates_reviewed_in_full() -> None:
    """Over all inactive candidates, the suppressed and the held included, with reasons by their decisive code."""
    rows = [
        {"reviewed": True, "decision": "enrol", "reason_codes": [], "account_id": "a-1"},
        {"reviewed": True, "decision": "suppress", "reason_codes": ["suppressed:opt_out", "fit:bad"],
         "account_id": "a-1"},
        {"reviewed": False, "decision": "suppress", "reason_codes": ["permission:unknown"], "account_id": "a-2"},
        {"reviewed": True, "decision": "hold", "reason_codes": ["timing:cap"], "account_id": None},
    ]  # fmt: skip
    figures = review_figures(pa.Table.from_pylist(rows, schema=DECISIONS))
    assert one(figures, "reactivation_eligibility_review_rate").rate == 0.75
    assert one(figures, "accounts_reviewed") == Figure("accounts_reviewed", None, 1, 2, 0.5, 0.0945, 0.9055)
    assert one(figures, "contacts_suppressed").count == 2
    assert one(figures, "contacts_suppressed", "suppressed:opt_out").count == 1
    assert one(figures, "holds", "timing:cap").rate == 0.25


def test_an_open_case_is_counted_whatever_was_decided() -> None:
    """An account whose route resolves it passes the gate with it open; a gate that failed for want of the cases, or of
    itself, found none."""
    rows = [
        {"gate_no_open_issue": gate, "evidence": {"open_case_ids": cases}}
        for gate, cases in (
            ("pass", ["k-1"]), ("fail:open_case", ["k-2", "k-3"]), ("pass", []), ("fail:cases_unread", []),
            ("fail:error", None),
        )
    ]  # fmt: skip
    figures = review_figures(pa.Table.from_pylist(rows, schema=DECISIONS))
    flags = one(figures, "unresolved_issue_flags")
    assert (flags.count, flags.of) == (2, 5)


def test_a_run_without_candidates_has_no_rate() -> None:
    """Nobody inactive is no review of nobody."""
    figures = review_figures(DECISIONS.empty_table())
    assert {figure.rate for figure in figures} == {None}
    assert {figure.note for figure in figures} == {NOT_ENOUGH}


def test_every_figure_is_of_a_measure_that_is_defined() -> None:
    """And every measure has figures."""
    nobody = comparison_figures(Compared([], [], share=0.1))
    returned = return_figures({"c-1"}, {"c-1"}, TestWhoCameBack.SEGMENTS)
    reviewed = review_figures(DECISIONS.empty_table(), accounts_alone=True)
    of_accounts = account_figures(DECISIONS.empty_table(), SAID.empty_table(), pa.array([], pa.string()))
    of_touches = touch_value_figures(
        DRAWN.empty_table(),
        TOLD.empty_table(),
        {1: 0},
        skipped_share=0.05,
        reactivated_days=90,
        now=datetime(2026, 3, 3, tzinfo=UTC),
    )
    figures = [*outreach_figures(ANSWERS, OUTREACH), *nobody, *reviewed, *returned, *of_accounts, *of_touches]
    shown = {figure.measure for figure in figures}
    assert shown <= set(MEASURES)
    assert set(MEASURES) - shown == {"retained_revenue"} - shown


def test_every_measure_a_playbook_declares_is_counted() -> None:
    """Its baseline metric too."""
    for loaded in load_all(paths.PLAYBOOKS):
        declared = loaded.playbook.measurement
        assert {declared.baseline_metric, *declared.measures} <= set(MEASURES)


def test_readiness_knows_the_measures_that_are_counted_and_no_others() -> None:
    """Else a run stops at a measure that there is, or begins with one that nobody counts."""
    suite = json.loads((paths.EXPECTATIONS / "measurement.json").read_text(encoding="utf-8"))
    (known,) = [one["kwargs"]["value_set"] for one in suite["expectations"] if "value_set" in one["kwargs"]]
    assert known == list(MEASURES)


def account(**changes: Any) -> dict[str, Any]:
    """A dormant account with everything on record, whose owner approved."""
    return {
        "account_id": "a", "decision": "review", "reviewed": True, "reason_codes": [], "gate_no_open_issue": "pass",
        "gate_permission": "pass", "inactivity_reason": "budget", "annual_value": Decimal(10), "value_tier": "mid",
        "owner_id": "own-ben", "path": "account_led", "owner_decision": "approve",
        "evidence": {"relationship": "normal"},
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        ({}, 1), ({"inactivity_reason": "unknown"}, 0), ({"annual_value": None, "value_tier": "unknown"}, 0),
        ({"annual_value": None}, 1), ({"owner_id": None}, 0), ({"evidence": {"relationship": "unknown"}}, 0),
        ({"gate_permission": "fail:unknown"}, 0), ({"gate_permission": "fail:no_record"}, 1),
        ({"owner_decision": None}, 0), ({"owner_decision": None, "path": "suppressed"}, 1),
    ],
)  # fmt: skip
def test_path_coverage_needs_every_named_part(change: dict[str, Any], covered: int) -> None:
    """Reason, value, owner, risk, permission check and an approved path: seed 001's baseline metric."""
    table = pa.Table.from_pylist([account(**change)], schema=DECISIONS)

    first = review_figures(table, accounts_alone=True)[0]

    assert (first.measure, first.count, first.of) == ("dormant_account_outreach_path_coverage", covered, 1)


class TestWhoCameBack:
    """Document 002's two readings, side by side."""

    SEGMENTS = pa.table({
        "customer_id": ["c-1", "c-2", "c-3", "c-4"], "customers": [True, True, True, False],
        "customers_active": [True, False, True, False],
    })  # fmt: skip

    def test_who_left_and_who_is_active_differ(self) -> None:
        """Two left as re-engaged, of whom one has bought since; two of three customers are active."""
        figures = return_figures({"c-1", "c-2"}, {"c-1", "c-2", "c-9", "c-8"}, self.SEGMENTS)
        left, active, both = figures
        assert (left.measure, left.count, left.of) == ("re_engaged", 2, 4)
        assert (active.measure, active.by, active.count, active.of) == ("customers_active", None, 2, 3)
        assert (both.by, both.count, both.of) == ("of who left as re-engaged", 1, 2)

    def test_a_playbook_without_segments_has_one_of_them(self) -> None:
        """And where nothing has ended yet there is no rate."""
        (left,) = return_figures(set(), set(), None)
        assert (left.measure, left.rate, left.note) == ("re_engaged", None, NOT_ENOUGH)
