"""How much e-mail a domain carries in a day, and what stops it (RULES.md, Timing: daily ramp, deliverability)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reactivation.policy.deliverability import CLOSED, Circuit, Day, allowance, circuit
from reactivation.policy.deliverability_rules import DeliverabilityRules
from reactivation.steps.rules import read_rules

RULES = read_rules().deliverability
TODAY = date(2026, 11, 17)  # a Tuesday
FLOOR = 200


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def sent(days: int, count: int | None) -> Day:
    return Day(ago(days), count, count)


def mailed(days: int = 1, **changes: Any) -> Day:
    """A day of 5,000 messages with nothing to complain of."""
    return replace(Day(ago(days), sent=5_000, delivered=5_000), **changes)


def said(*days: Day, rules: DeliverabilityRules = RULES) -> tuple[str, str | None]:
    found = circuit(days, rules, TODAY)
    return found.state, found.reason


class TestRamp:
    """A domain may send 1.2 times what it sent in the mean of the last seven days, and never less than its floor."""

    def test_a_domain_without_a_history_may_send_its_floor(self) -> None:
        """Nothing was ever sent, or longer ago than a week."""
        assert allowance([], FLOOR, RULES, TODAY) == FLOOR
        assert allowance([sent(8, 90_000)], FLOOR, RULES, TODAY) == FLOOR

    def test_it_grows_by_a_fifth_of_the_mean(self) -> None:
        """Three days of 1,000, 1,100 and 1,201: the mean is 1,100 and a third, and 1.2 times that is 1,320.4."""
        assert allowance([sent(1, 1_201), sent(2, 1_100), sent(3, 1_000)], FLOOR, RULES, TODAY) == 1_320

    def test_a_small_domain_keeps_its_floor(self) -> None:
        """Forty a day do not bring it below 200."""
        assert allowance([sent(days, 40) for days in range(1, 8)], FLOOR, RULES, TODAY) == FLOOR

    def test_days_without_a_message_do_not_count(self) -> None:
        """Saturday and Sunday, as a row or as none: a working week of 1,000 a day may become 1,200."""
        working = [sent(days, 1_000) for days in (1, 4, 5, 6, 7)]
        assert allowance(working, FLOOR, RULES, TODAY) == 1_200
        assert allowance([*working, sent(2, 0), Day(ago(3), complaints=1)], FLOOR, RULES, TODAY) == 1_200

    def test_today_does_not_feed_itself(self) -> None:
        """What has gone out this morning allows nothing more this afternoon."""
        assert allowance([sent(0, 50_000), sent(1, 1_000)], FLOOR, RULES, TODAY) == 1_200

    def test_a_day_nobody_counted_leaves_the_floor(self) -> None:
        """Unknown is no: a mean without it would be a guess."""
        assert allowance([sent(1, 9_000), sent(2, None)], FLOOR, RULES, TODAY) == FLOOR


class TestComplaints:
    """Of a day, as a share of what was delivered on it."""

    def test_a_clean_week_is_closed(self) -> None:
        """As is a domain that never sent anything."""
        assert circuit([mailed(days) for days in range(7)], RULES, TODAY) == CLOSED
        assert circuit([], RULES, TODAY) == CLOSED

    @pytest.mark.parametrize(("complaints", "expected"), [
        (4, ("closed", None)), (5, ("paused", "complaints")), (14, ("paused", "complaints")),
        (15, ("open", "complaints")), (50, ("open", "complaints")),
    ])  # fmt: skip
    def test_a_tenth_of_a_percent_pauses_and_three_tenths_open(
        self, complaints: int, expected: tuple[str, str | None]
    ) -> None:
        """Of 5,000 delivered: the fifth and the fifteenth complaint."""
        assert said(mailed(complaints=complaints)) == expected

    def test_one_bad_day_is_not_made_up_for_by_good_ones(self) -> None:
        """Five in 5,000 on Thursday pause, whatever came before and after; the day is named."""
        days = [mailed(n, complaints=5 if n == 5 else 0, delivered=5_000 if n == 5 else 90_000) for n in range(7)]
        assert circuit(days, RULES, TODAY) == Circuit("paused", "complaints", ago(5))

    @pytest.mark.parametrize(("delivered", "complaints", "expected"), [
        (999, 0, ("closed", None)), (999, 1, ("paused", "few_and_a_complaint")),
        (1_000, 1, ("paused", "complaints")), (20, 3, ("paused", "few_and_a_complaint")),
        (0, 4, ("paused", "few_and_a_complaint")),
    ])  # fmt: skip
    def test_where_few_were_delivered_any_complaint_pauses(
        self, delivered: int, complaints: int, expected: tuple[str, str | None]
    ) -> None:
        """Also on a Sunday, of Friday's mail. A share of a few says nothing, so it does not open the circuit."""
        assert said(mailed(delivered=delivered, complaints=complaints)) == expected

    def test_a_complaint_dated_tomorrow_counts(self) -> None:
        """Another clock is no excuse for a no."""
        assert said(Day(ago(-1), complaints=1)) == ("paused", "few_and_a_complaint")


class TestOpen:
    """Until seven days in a row were clean."""

    def test_it_is_open_to_the_end_of_the_seventh_clean_day(self) -> None:
        """Tripped on the 10th it is open on the 17th, the seventh day after, and not on the 18th."""
        tripped = [mailed(7, complaints=15)]
        assert circuit(tripped, RULES, TODAY) == Circuit(
            "open", "complaints", ago(7), datetime(2026, 11, 18, tzinfo=UTC)
        )
        assert circuit(tripped, RULES, ago(-1)).state == "paused"

    def test_another_bad_day_begins_the_seven_anew(self) -> None:
        """A day that is not clean is one that opens."""
        found = circuit([mailed(6, complaints=15), mailed(2, complaints=15)], RULES, TODAY)
        assert (found.tripped_on, found.until) == (ago(2), datetime(2026, 11, 23, tzinfo=UTC))

    def test_a_day_below_three_tenths_and_one_without_mail_are_clean(self) -> None:
        """Nothing goes out while it is open; else it would never close."""
        found = circuit([mailed(6, complaints=15), mailed(2, complaints=14)], RULES, TODAY)
        assert found.tripped_on == ago(6)


class TestBounces:
    """Of what was sent in seven days, today included."""

    @pytest.mark.parametrize(("bounces", "expected"), [(40, ("closed", None)), (41, ("paused", "bounces"))])
    def test_more_than_two_percent_of_a_week_pause(self, bounces: int, expected: tuple[str, str | None]) -> None:
        """Of 2,000 messages: forty may come back, on whatever day."""
        assert said(sent(6, 1_000), sent(0, 1_000), Day(ago(3), hard_bounces=bounces)) == expected

    def test_fewer_than_a_thousand_messages_say_nothing(self) -> None:
        """A hundred of 999 are a list to look at, and no share."""
        assert said(sent(2, 999), Day(ago(1), hard_bounces=100)) == ("closed", None)

    def test_what_is_older_than_a_week_is_over(self) -> None:
        """Messages and bounces."""
        assert said(sent(7, 4_000), Day(ago(7), hard_bounces=400), sent(1, 1_000)) == ("closed", None)


@pytest.mark.parametrize("unknown", ["sent", "delivered", "complaints", "hard_bounces"])
def test_a_count_nobody_knows_pauses(unknown: str) -> None:
    """Unknown is no."""
    assert said(mailed(**{unknown: None})) == ("paused", "unknown")


def test_what_is_worse_is_said_first() -> None:
    """Open before paused, complaints before bounces."""
    bounced = Day(ago(2), sent=5_000, delivered=4_000, hard_bounces=1_000)
    assert said(bounced) == ("paused", "bounces")
    assert said(bounced, mailed(1, complaints=5)) == ("paused", "complaints")
    assert said(bounced, mailed(1, complaints=5), mailed(3, complaints=15)) == ("open", "complaints")


COUNTS = st.integers(0, 30_000)
DAYS = st.lists(
    st.builds(Day, st.integers(-1, 12).map(ago), COUNTS, COUNTS, st.integers(0, 120), st.integers(0, 900)),
    max_size=10, unique_by=lambda one: one.day,
)  # fmt: skip
WORSE = {"closed": 0, "paused": 1, "open": 2}
#: Rules as tight as these or tighter; each field apart.
TIGHTER: dict[str, st.SearchStrategy[Any]] = {
    "pause_at": st.decimals("0.0001", "0.001", places=4), "open_at": st.decimals("0.001", "0.003", places=4),
    "clean_days": st.integers(7, 30), "few_delivered": st.integers(1_000, 50_000),
    "bounced_over": st.decimals("0", "0.02", places=3), "enough": st.integers(1, 1_000),
}  # fmt: skip


class TestProperties:
    """Whatever the days were."""

    @given(DAYS, st.integers(1, 5_000))
    def test_the_allowance_is_between_the_floor_and_a_fifth_more_than_the_best_day(
        self, days: list[Day], floor: int
    ) -> None:
        """Nothing that was sent makes a domain burst, and nothing brings it below its floor."""
        allowed = allowance(days, floor, RULES, TODAY)
        assert floor <= allowed <= max([floor, *(int(one.sent * 1.2) + 1 for one in days if one.sent)])

    @given(DAYS, st.randoms(use_true_random=False))
    def test_the_order_of_the_days_changes_nothing(self, days: list[Day], random: Any) -> None:
        """A table is a set of days."""
        shuffled = random.sample(days, len(days))
        assert circuit(shuffled, RULES, TODAY) == circuit(days, RULES, TODAY)
        assert allowance(shuffled, FLOOR, RULES, TODAY) == allowance(days, FLOOR, RULES, TODAY)

    @given(DAYS, st.integers(0, 9), st.integers(0, 200), st.integers(0, 2_000))
    def test_more_complaints_or_bounces_never_close_a_circuit(
        self, days: list[Day], which: int, complaints: int, bounces: int
    ) -> None:
        """Nor do they shorten how long it is open."""
        assume(days)
        one = days[which % len(days)]
        more = replace(one, complaints=one.complaints + complaints, hard_bounces=one.hard_bounces + bounces)
        before, after = (circuit(some, RULES, TODAY) for some in (days, [more, *(d for d in days if d != one)]))
        assert WORSE[after.state] >= WORSE[before.state]
        assert before.until is None or (after.until is not None and after.until >= before.until)

    @given(DAYS, st.fixed_dictionaries(TIGHTER))
    def test_tighter_rules_never_close_a_circuit(self, days: list[Day], tighter: dict[str, Any]) -> None:
        """Which is why the bounds of the rules are where they are."""
        rules = DeliverabilityRules.model_validate(RULES.model_dump() | tighter)
        assert WORSE[circuit(days, rules, TODAY).state] >= WORSE[circuit(days, RULES, TODAY).state]


@pytest.mark.parametrize(("field", "looser"), [
    ("growth", "1.21"), ("pause_at", "0.0011"), ("open_at", "0.0031"), ("few_delivered", 999), ("clean_days", 6),
    ("bounced_over", "0.021"), ("enough", 1_001), ("trailing_days", 8), ("trailing_days", 6), ("open_at", "0.0009"),
])  # fmt: skip
def test_rules_may_be_tightened_and_never_loosened(field: str, looser: Any) -> None:
    """Each at its bound, and that what opens a circuit is not below what pauses it."""
    with pytest.raises(ValueError, match=field):
        DeliverabilityRules.model_validate(RULES.model_dump() | {field: looser})
