"""What scores are told from: how often, how recently and since when everybody bought, now and as known 90 days ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.builders import AS_OF, Row, contact, days_ago, purchase
from tests.sources.reads import read, rows

from reactivation import paths
from reactivation.evidence.views import query
from reactivation.science.histories import condense

HORIZON = 90
#: Whole days since 1970 of the as-of.
TODAY = int(AS_OF.timestamp()) // 86_400


def bought(folder: Path, purchases: list[Row]) -> list[dict[str, Any]]:
    """The rows of ``bought.sql`` for whoever these purchases are of."""
    people = [contact(customer) for customer in sorted({row["customer_id"] for row in purchases})]
    snapshot = read(folder, purchases=purchases, contacts=people)
    told: list[dict[str, Any]] = query(snapshot, paths.sql("bought"), {"at": AS_OF}).to_pylist()
    return told


def test_histories_are_those_of_the_raw_purchases(tmp_path: Path) -> None:
    """Sixty customers with up to twelve purchases over two years, several on one day; told independently by the science
    room from every single purchase."""
    dice = np.random.default_rng(11)
    who = np.repeat(np.arange(60), dice.integers(1, 13, 60))
    ago = dice.integers(0, 730, len(who)) + dice.choice([0.0, 0.2], len(who))
    made = [purchase(f"b-{n}", f"c-{c:03}", days_ago(d)) for n, (c, d) in enumerate(zip(who, ago, strict=True))]
    days = np.array([int(row["occurred_at"].timestamp()) // 86_400 for row in made])

    told = {row["customer_id"]: row for row in bought(tmp_path, made)}

    customers, now = condense(who, days, TODAY)
    assert [told[f"c-{c:03}"]["frequency"] for c in customers] == now.frequency.tolist()
    assert [told[f"c-{c:03}"]["recency"] for c in customers] == now.recency.tolist()
    assert [told[f"c-{c:03}"]["age"] for c in customers] == now.age.tolist()
    earlier, then = condense(who, days, TODAY - HORIZON)
    for name, expected in (("frequency_then", then.frequency), ("recency_then", then.recency), ("age_then", then.age)):
        assert [told[f"c-{c:03}"][name] for c in earlier] == expected.tolist()
    returned = {customer for customer, day in zip(who, days, strict=True) if day > TODAY - HORIZON}
    assert {int(row["customer_id"][2:]) for row in told.values() if row["returned"]} == returned
    new = {f"c-{c:03}" for c in set(who.tolist()) - set(earlier.tolist())}
    assert {name for name, row in told.items() if row["frequency_then"] == -1} == new
    assert all(told[name]["recency_then"] is None for name in new)


@pytest.mark.parametrize(("ago", "returned"), [(89, True), (90, False)])
def test_the_days_held_out_are_the_last_90(tmp_path: Path, ago: int, returned: bool) -> None:
    """Whole days: what was bought at any hour of the day 90 days ago was known then."""
    morning = days_ago(ago).replace(hour=0, minute=0)
    [row] = bought(tmp_path, [purchase("b-1", "c-ada", days_ago(300)), purchase("b-2", "c-ada", morning)])

    assert row["returned"] is returned


def test_a_purchase_before_1970_has_its_day(tmp_path: Path) -> None:
    """A date that a system was filled with, at noon: not the day after, which would be a history nobody can have."""
    noon = datetime(1969, 12, 31, 12, tzinfo=UTC)
    [row] = bought(tmp_path, [purchase("b-1", "c-ada", noon), purchase("b-2", "c-ada", AS_OF)])

    assert (row["frequency"], row["recency"], row["age"]) == (1, TODAY + 1, TODAY + 1)


class TestPeriods:
    """What became of the periods of subscriptions that had ended."""

    def counted(self, folder: Path, *periods: tuple[str, int, int]) -> dict[str, list[int]]:
        """Due, renewed, lapsed, restarted by customer; a period begins and ends so many days ago."""
        made = [
            purchase(f"b-{n}", who, days_ago(begins), kind="subscription", period_end=days_ago(ends))
            for n, (who, begins, ends) in enumerate(periods)
        ]
        names = [f"periods_{name}" for name in ("due", "renewed", "lapsed", "restarted")]
        summary = rows(read(folder, purchases=made), "purchase_summary")
        return {row["customer_id"]: [row[name] for name in names] for row in summary}

    def test_the_next_one_renews_within_a_week(self, tmp_path: Path) -> None:
        """Seven days later is a renewal, eight are a lapse and a restart; given in no order."""
        assert self.counted(
            tmp_path, ("c-ada", 893, 870), ("c-ada", 930, 900), ("c-ben", 892, 870), ("c-ben", 930, 900)
        ) == {"c-ada": [2, 1, 1, 0], "c-ben": [2, 0, 2, 1]}  # fmt: skip

    @pytest.mark.parametrize(
        ("ended", "counts"), [(6, [0, 0, 0, 0]), (7, [1, 0, 0, 0]), (89, [1, 0, 0, 0]), (90, [1, 0, 1, 0])]
    )
    def test_what_is_not_over_yet_does_not_count(self, tmp_path: Path, ended: int, counts: list[int]) -> None:
        """Neither a period within its week, nor as lapsed one that may still be taken up."""
        assert self.counted(tmp_path, ("c-ada", 120, ended)) == {"c-ada": counts}

    def test_somebody_elses_period_renews_nobodys(self, tmp_path: Path) -> None:
        """It begins the day the other one ends."""
        told = self.counted(tmp_path, ("c-ada", 930, 900), ("c-ben", 900, 870))
        assert told == {"c-ada": [1, 0, 1, 0], "c-ben": [1, 0, 1, 0]}

    def test_orders_have_no_periods(self, tmp_path: Path) -> None:
        """No periods, no counts."""
        made = [purchase("b-1", "c-ada", days_ago(30)), purchase("b-2", "c-ada", days_ago(20) + timedelta(hours=1))]
        [row] = rows(read(tmp_path, purchases=made), "purchase_summary")
        assert [row[f"periods_{name}"] for name in ("due", "renewed", "lapsed", "restarted")] == [0, 0, 0, 0]
