"""What was added: a small company by hand, groups as chance divided them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from reactivation.ledger.compared import ASSIGNED
from reactivation.ledger.measured import TOLD
from reactivation.measures.comparing import (
    MEASURE,
    NO_HOLDOUT,
    NO_TREATMENT,
    Compared,
    added_efficiency,
    comparison_figures,
    count_compared,
)
from reactivation.measures.figures import NOT_ENOUGH, Figure
from reactivation.science.incrementality import NOT_MEASURABLE, WRONG_SPLIT

T = datetime(2026, 3, 3, 11, 0, tzinfo=UTC)  # a Tuesday
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
LATER = T + 400 * DAY
Row = dict[str, Any]


def person(customer: str, *, held_out: bool = False, at: datetime = T, begun: bool | None = None) -> Row:
    return {"customer_id": customer, "assigned_at": at, "held_out": held_out,
            "begun": not held_out if begun is None else begun}  # fmt: skip


def order(customer: str, after: timedelta, **changes: Any) -> Row:
    row = {"event_id": f"order:{customer}:{after}", "customer_id": customer, "kind": "order", "occurred_at": T + after,
           "amount": Decimal("10.00"), "currency": "GBP"}  # fmt: skip
    return row | changes


def compared(people: list[Row], bought: list[Row], now: datetime = LATER, share: float = 0.5) -> Compared:
    tables = (pa.Table.from_pylist(rows, schema=schema) for rows, schema in ((people, ASSIGNED), (bought, TOLD)))
    return count_compared(*tables, holdout_share=share, reactivated_days=90, now=now)


def by_part(found: Compared) -> dict[str | None, Figure]:
    figures = comparison_figures(found)
    assert {figure.measure for figure in figures} == {MEASURE}
    return {figure.by: figure for figure in figures}


@pytest.mark.parametrize(("after", "returned"), [(timedelta(0), 0), (SECOND, 1), (90 * DAY, 1), (90 * DAY + SECOND, 0)])
@pytest.mark.parametrize("held_out", [True, False])
def test_the_window_is_the_same_in_both_groups(after: timedelta, returned: int, held_out: bool) -> None:
    """From being assigned on, to the second."""
    found = compared([person("c-1", held_out=held_out)], [order("c-1", after)])
    assert found.group(held_out=held_out).returned == returned
    assert found.money == ([{"held_out": held_out, "currency": "GBP", "amount": Decimal("10.00"), "unpriced": 0}]
                           if returned else [])  # fmt: skip


def test_a_purchase_that_is_cancelled_or_to_come_is_none() -> None:
    """Nor one of somebody who was not assigned."""
    bought = order("c-1", DAY)
    undone = {"event_id": "cancelled", "customer_id": "c-1", "kind": "cancelled", "occurred_at": T + 2 * DAY,
              "about": bought["event_id"]}  # fmt: skip
    assert compared([person("c-1")], [bought, undone]).group(held_out=False).returned == 0
    assert compared([person("c-1")], [bought], now=T + DAY - SECOND).group(held_out=False).returned == 0
    assert compared([person("c-1")], [order("c-2", DAY)]).money == []


def test_everybody_assigned_is_in_the_denominator() -> None:
    """Four treated, one of them never enrolled: two came back. Four held out: one did. 50 % less 25 %; by Newcombe's
    method (10) of Wilson's .1500 to .8500 and .0456 to .6994: .25 - √(.35² + .4494²) = -.3196 and
    .25 + √(.35² + .2044²) = .6553. .25 × 4 is one customer. Smallest: 2.8016 × √(.25 × .75 × (1/4 + 1/4)) = .8578."""
    people = [*(person(f"t-{n}", begun=n > 0) for n in range(4)), *(person(f"h-{n}", held_out=True) for n in range(4))]
    found = by_part(compared(people, [order("t-0", DAY), order("t-1", 2 * DAY), order("h-3", 3 * DAY)]))
    whole = found[None]
    assert (whole.of, whole.rate, whole.low, whole.high, whole.note) == (8, 0.25, -0.3196, 0.6553, NOT_MEASURABLE)
    treated, held_out = found["assigned to treatment"], found["held out"]
    assert (treated.count, treated.of, treated.rate, treated.note) == (2, 4, 0.5, "3 enrolled")
    assert (held_out.count, held_out.of, held_out.low, held_out.high) == (1, 4, 0.0456, 0.6994)
    assert found["customers added"].count == 1
    assert found["customers added"].note == f"-1.3 to 2.6; 50.0% of those who came back; {NOT_MEASURABLE}"
    assert found["smallest difference that would show"].rate == 0.8578
    assert (found["share held out"].rate, found["share held out"].note) == (0.5, "meant 50.0%, p = 1.000")


def test_each_week_is_a_cohort_of_its_own() -> None:
    """Weeks begin on Monday, UTC; one without a holdout has no difference."""
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    people = [person("c-1", at=monday - SECOND), person("c-2"), person("c-3", held_out=True)]
    found = by_part(compared(people, [order("c-2", DAY)]))
    assert (found["week of 2026-02-23"].rate, found["week of 2026-02-23"].of) == (None, 1)
    assert found["week of 2026-03-02"].rate == 1.0
    assert found["week of 2026-03-02"].note == f"{NOT_MEASURABLE}; 1 of 1 against 0 of 1 held out"


def test_it_says_how_many_have_not_been_seen_to_the_end() -> None:
    """Until their window is over."""
    people = [person("c-1"), person("c-2", at=T - 80 * DAY, held_out=True)]
    found = by_part(compared(people, [], now=T + 30 * DAY))
    assert found[None].note == f"{NOT_MEASURABLE}; 1 of 2 not yet seen to the end of their window"


def test_groups_that_chance_did_not_make_are_not_compared() -> None:
    """Sixty held out where six were meant."""
    people = [person(f"c-{n}", held_out=n < 60) for n in range(120)]
    assert by_part(compared(people, [], share=0.05))[None].note == WRONG_SPLIT


def test_without_a_holdout_it_says_so() -> None:
    """And where nobody was assigned yet, there is not enough data."""
    assert comparison_figures(compared([person("c-1")], [], share=0)) == [Figure(MEASURE, note=NO_HOLDOUT)]
    everybody = compared([person("c-1", held_out=True)], [], share=1)
    assert comparison_figures(everybody) == [Figure(MEASURE, note=NO_TREATMENT)]
    nobody = by_part(compared([], []))
    assert (nobody[None].rate, nobody[None].note) == (None, NOT_MEASURABLE)
    assert nobody["held out"].note == NOT_ENOUGH
    assert nobody["customers added"].count is None


def test_what_an_incentive_added_is_less_than_what_it_brought() -> None:
    """Four treated spent 100.03 and two held out 20.01: 4 × 20.01 ÷ 2 = 40.02 would have come anyway. 60.01 were added,
    for 12.50 + 7.50 taken off: 3.0005. Money of another currency is not theirs, and what cost nothing has no ratio."""
    people = [*(person(f"t-{n}") for n in range(4)), *(person(f"h-{n}", held_out=True) for n in range(2))]
    bought = [order("t-0", DAY, amount=Decimal("100.03")), order("h-0", DAY, amount=Decimal("20.01")),
              order("h-1", DAY, currency="EUR")]  # fmt: skip
    costs = (("GBP", Decimal("12.50")), ("GBP", Decimal("7.50")), ("EUR", Decimal(0)), (None, None))
    found = compared(people, bought, share=0.3)
    offers = [{"currency": currency, "cost": cost, "cost_unknown": 0} for currency, cost in costs]
    (figure,) = added_efficiency(found, offers)
    assert (figure.amount, figure.cost, figure.currency) == (Decimal("60.01"), Decimal("20.00"), "GBP")
    assert (figure.rate, figure.note) == (3.0005, NOT_MEASURABLE)
    assert added_efficiency(compared(people, bought, share=0), offers) == []


def test_what_an_incentive_added_says_whose_cost_is_not_known() -> None:
    """Of two codes used one told its cost: the ratio is of that alone, and would be taken for the whole."""
    people = [person("t-0"), person("h-0", held_out=True)]
    offers = [{"currency": "GBP", "cost": Decimal("10.00"), "cost_unknown": 1}]
    (figure,) = added_efficiency(compared(people, [order("t-0", DAY)]), offers)
    assert figure.note == f"{NOT_MEASURABLE}; cost of 1 unknown"
