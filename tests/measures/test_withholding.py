"""What each touch adds, from a ledger small enough to be counted by hand.

Seven were enrolled at once; touch 1 is due then, touch 3 (day 9) at the earliest eight days later. Chance skips touch 1
of Cat and Dan, and touch 3 of Dan. Eve was enrolled before the playbook skipped any. Days are counted from the
enrolment:

    Ann   buys on day 12                          Dan   buys on day 95
    Bob   unsubscribes and leaves on day 5        Eve   buys on day 3
    Cat   buys on day 2, and leaves on day 3      Fred, Gus   nothing
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tests.ledgers import NOW, PLAYBOOK, RULES_VERSION, RUN_ID, begin, enrol

from reactivation.ledger import compared, events, measurements
from reactivation.ledger.engine import Ledger
from reactivation.ledger.events import Event
from reactivation.measures import Figure, touch_value_figures
from reactivation.measures.figures import NOT_ENOUGH
from reactivation.measures.withholding import MEASURE
from reactivation.science.incrementality import NOT_MEASURABLE, WRONG_SPLIT

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
DAYS = {1: 0, 3: 9}
DRAWN: dict[str, list[str] | None] = {
    "ann": [], "bob": [], "cat": ["1"], "dan": ["1", "3"], "eve": None, "fred": [], "gus": [],
}  # fmt: skip
LEFT = {"bob": (5, "unsubscribed"), "cat": (3, "reactivated")}
BOUGHT = {"ann": 12, "cat": 2, "dan": 95, "eve": 3}


@pytest.fixture
def counted(ledger: Ledger) -> Ledger:
    with ledger.begin() as conn:
        begin(conn)
        measurements.insert_events(conn, [
            {"run_id": RUN_ID, "playbook": PLAYBOOK, "subject": who, "kind": "decision", "outcome": "enrol",
             "reason": None, "occurred_at": NOW, "rules_version": RULES_VERSION}
            for who in DRAWN
        ])  # fmt: skip
        for who, skipped in DRAWN.items():
            drawn = {} if skipped is None else {"skipped_touches": skipped}
            day, reason = LEFT.get(who, (None, None))
            ended = {} if day is None else {"state": "ended", "ended_at": NOW + day * DAY, "exit_reason": reason}
            enrol(conn, who, enrolled_at=NOW, dimensions={"value_tier": "mid"} | drawn, **ended)
        for who, on in BOUGHT.items():
            told = Event(f"{who}-1", who, None, None, None, "order", None, NOW + on * DAY, "source",
                         Decimal("60.00"), "GBP", None)  # fmt: skip
            events.record(conn, [told], stops=(), now=told.occurred_at)
    return ledger


def figures(ledger: Ledger, at: datetime, share: float = 0.4) -> dict[str | None, Figure]:
    with ledger.begin() as conn:
        tables = [read(conn, PLAYBOOK, at) for read in (compared.drawn, compared.bought)]
    found = touch_value_figures(*tables, DAYS, skipped_share=share, reactivated_days=90, now=at)
    assert {figure.measure for figure in found} == {MEASURE}
    return {figure.by: figure for figure in found}


def test_each_touch_is_compared_as_chance_drew_it(counted: Ledger) -> None:
    """Touch 1: Ann of Ann, Bob, Fred and Gus, against Cat of Cat and Dan: 25 % less 50 %; by Newcombe's method (10) of
    Wilson's .0456 to .6994 and .0945 to .9055: -.25 - √(.2044² + .4055²) = -.7041 and -.25 + √(.4494² + .4055²) =
    .3553. Smallest: 2.8016 × √(.25 × (1/4 + 1/2)) = 1.2131. Touch 3: of those still there Ann of Ann, Fred and Gus,
    against Dan."""
    found = figures(counted, NOW + 200 * DAY)

    first = found["touch 1"]
    assert (first.of, first.rate, first.low, first.high, first.note) == (6, -0.25, -0.7041, 0.3553, NOT_MEASURABLE)
    groups = ("not skipped", "skipped at random")
    assert [(found[f"touch 1, {one}"].count, found[f"touch 1, {one}"].of) for one in groups] == [(1, 4), (1, 2)]
    assert found["touch 1, smallest difference that would show"].rate == 1.2131
    split = found["touch 1, share skipped"]
    assert (split.count, split.of, split.note) == (2, 6, "meant 40.0%, p = 0.739")
    third = found["touch 3"]
    assert (third.of, third.rate, third.low, third.high) == (4, -0.6667, -0.9385, 0.25)
    assert [(found[f"touch 3, {one}"].count, found[f"touch 3, {one}"].of) for one in groups] == [(1, 3), (1, 1)]


def test_the_figures_of_a_day_are_what_was_known_then(counted: Ledger) -> None:
    """On day 6 touch 3 was not due for anybody; Bob had gone and counts for touch 1. Asked again, it says the same."""
    then = figures(counted, NOW + 6 * DAY)

    assert [then[f"touch 1, {group}"].count for group in ("not skipped", "skipped at random")] == [0, 1]
    assert then["touch 1"].note == f"{NOT_MEASURABLE}; 6 of 6 not yet seen to the end of their window"
    assert then["touch 3"] == Figure(MEASURE, "touch 3", of=0, note=NOT_ENOUGH)
    assert figures(counted, NOW + 6 * DAY) == then


def test_groups_that_chance_did_not_make_are_not_compared(counted: Ledger) -> None:
    """Two of six where one of 10,000 was meant."""
    assert figures(counted, NOW + 200 * DAY, share=0.0001)["touch 1"].note == WRONG_SPLIT


def returned(after: timedelta, *, skipped: bool, ended: timedelta | None = None) -> list[Any]:
    """Of touch 3, who was drawn so and bought so long after the enrolment, and somebody of the other group."""
    drawn = [
        {"enrolment_id": who, "customer_id": who, "enrolled_at": NOW, "skipped": ["3"] if drawn else [],
         "ended_at": None if ended is None or who == "other" else NOW + ended}
        for who, drawn in (("one", skipped), ("other", not skipped))
    ]  # fmt: skip
    bought = [{"event_id": "o-1", "customer_id": "one", "kind": "order", "occurred_at": NOW + after}]
    tables = (pa.Table.from_pylist(rows, schema) for rows, schema in (
        (drawn, compared.DRAWN), (bought, compared.TOLD)))  # fmt: skip
    found = touch_value_figures(*tables, DAYS, skipped_share=0.5, reactivated_days=90, now=NOW + 400 * DAY)
    group = "touch 3, skipped at random" if skipped else "touch 3, not skipped"
    return [(figure.count, figure.of) for figure in found if figure.by == group]


@pytest.mark.parametrize("skipped", [True, False])
@pytest.mark.parametrize(
    ("after", "count"), [(8 * DAY, 0), (8 * DAY + SECOND, 1), (98 * DAY, 1), (98 * DAY + SECOND, 0)]
)
def test_the_window_is_the_same_in_both_groups(after: timedelta, count: int, skipped: bool) -> None:
    """From the earliest moment at which the touch may go out, to the second."""
    assert returned(after, skipped=skipped) == [(count, 1)]


@pytest.mark.parametrize(("ended", "there"), [(8 * DAY, False), (8 * DAY + SECOND, True)])
def test_who_had_left_when_the_touch_was_due_is_in_neither_group(ended: timedelta, there: bool) -> None:
    """Whoever left after it is."""
    assert returned(9 * DAY, skipped=True, ended=ended) == ([(1, 1)] if there else [])
