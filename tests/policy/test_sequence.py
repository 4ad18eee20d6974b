"""The touches of a candidate: when each may go out, and until when (framework 003, RULES.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from tests.policy.sequences import BY, FULL, PERCENT, london, offers, plan, touch

from reactivation.policy.sequence import (
    PLANNED,
    SEQUENCE,
    SKIPPED,
)


class TestCalendar:
    """Days count on the recipient's calendar; every touch starts at a legal instant."""

    def test_the_seven_touches_of_a_deep_dormant_regular(self) -> None:
        """From a Tuesday at 11:00, four, five, six, seven, seven and five days apart, moved off the weekends: days are
        counted from the touch before, as it will really be sent."""
        table = plan({})
        assert table.schema == SEQUENCE
        assert [london(t) for t in table["not_before"].to_pylist()] == [
            "Tue 03 Nov 11:00", "Mon 09 Nov 10:00", "Mon 16 Nov 10:00", "Mon 23 Nov 10:00", "Mon 30 Nov 10:00",
            "Mon 07 Dec 10:00", "Mon 14 Dec 10:00",
        ]  # fmt: skip
        assert table["state"].to_pylist() == [PLANNED] * 7
        assert table["reason"].null_count == 7
        assert touch(2, table)["local_time"] == "2026-11-09T10:00"
        assert touch(2, table)["zone"] == "Europe/London"

    def test_the_first_touch_waits_for_the_recipients_morning(self) -> None:
        """Planned on Saturday, the first touch is on Monday and the days count from Monday."""
        table = plan({}, now=datetime(2026, 11, 7, 12, tzinfo=UTC))
        assert london(touch(1, table)["not_before"]) == "Mon 09 Nov 10:00"
        assert london(touch(2, table)["not_before"]) == "Fri 13 Nov 10:00"

    def test_a_day_is_the_recipients_day(self) -> None:
        """Four days after a Wednesday morning in Auckland, which was Tuesday in London."""
        auckland = {"zones": ["Pacific/Auckland"], "country": "NZ", "region": "AUK"}
        table = plan(auckland, now=datetime(2026, 11, 3, 21, tzinfo=UTC))
        assert touch(1, table)["local_time"] == "2026-11-04T10:00"
        assert touch(2, table)["local_time"] == "2026-11-09T10:00"
        assert touch(3, table)["local_time"] == "2026-11-16T10:00"

    def test_another_senders_message_is_followed_by_two_days_of_rest(self) -> None:
        """Sent to on Monday at 16:00 by somebody else, the first touch is on Wednesday at 16:00."""
        table = plan({"last_sent_at": datetime(2026, 11, 2, 16, tzinfo=UTC)})
        assert london(touch(1, table)["not_before"]) == "Wed 04 Nov 16:00"

    def test_touches_of_neighbouring_days_are_pushed_apart(self) -> None:
        """A playbook with days 0, 1 and 2 still leaves 48 hours between two messages."""
        dense = tuple(t.model_copy(update={"day": n}) for n, t in enumerate(FULL.touches[:3]))
        table = plan({}, playbook=FULL.model_copy(update={"touches": dense}))
        assert [london(t) for t in table["not_before"].to_pylist()] == [
            "Tue 03 Nov 11:00", "Thu 05 Nov 11:00", "Mon 09 Nov 10:00",
        ]  # fmt: skip

    def test_a_week_has_two_texts_at_most(self) -> None:
        """By SMS, days 0, 2 and 4 become Tuesday, Thursday and the Tuesday after; by e-mail they stay."""
        dense = tuple(
            t.model_copy(update={"day": 2 * n, "channels": ("sms", "email")}) for n, t in enumerate(FULL.touches[:3])
        )
        playbook = FULL.model_copy(update={"touches": dense})
        starts = {
            channel: [london(t) for t in plan(BY[channel], playbook=playbook)["not_before"].to_pylist()]
            for channel in ("sms", "email")
        }
        assert starts["sms"] == ["Tue 03 Nov 11:00", "Thu 05 Nov 11:00", "Tue 10 Nov 11:00"]
        assert starts["email"] == ["Tue 03 Nov 11:00", "Thu 05 Nov 11:00", "Mon 09 Nov 10:00"]

    def test_a_person_without_a_known_clock_gets_no_touch(self) -> None:
        """No zone: every touch is skipped, and none has a moment."""
        table = plan({"zones": []})
        assert set(table["reason"].to_pylist()) == {"no_legal_instant"}
        assert table["not_before"].null_count == 7

    def test_nobody_has_no_plan(self) -> None:
        """No candidate, no rows, the same columns."""
        table = plan()
        assert (table.num_rows, table.schema) == (0, SEQUENCE)

    def test_what_is_said_of_a_touch(self) -> None:
        """Everything the playbook declares of it, and when and how it goes out."""
        assert touch(3, plan({})) == {
            "customer_id": "cus-0001", "number": 3, "pattern": "value_reward", "purpose": "reward", "channel": "email",
            "incentive": "points_or_credit", "offer_id": "offer-credit-15", "state": "planned", "reason": None,
            "not_before": datetime(2026, 11, 16, 10, tzinfo=UTC), "not_after": datetime(2026, 11, 21, 10, tzinfo=UTC),
            "zone": "Europe/London", "local_time": "2026-11-16T10:00",
        }  # fmt: skip
        assert touch(5, plan({"dormancy_range": "critical"}))["state"] == "skipped"


class TestWindow:
    """A touch may go out from ``not_before`` until ``not_after``, whichever end comes first."""

    def test_a_window_is_as_long_as_the_touch_says(self) -> None:
        """Five days by default."""
        row = touch(7, plan({}))
        assert row["not_after"] - row["not_before"] == timedelta(days=5)

    def test_a_window_ends_where_the_next_touch_begins(self) -> None:
        """With windows of nine days touch 2 ends where touch 3 begins."""
        nine_days = tuple(t.model_copy(update={"window_days": 9}) for t in FULL.touches)
        table = plan({}, playbook=FULL.model_copy(update={"touches": nine_days}))
        assert touch(2, table)["not_after"] == touch(3, table)["not_before"]

    def test_a_skipped_touch_does_not_end_the_window_before_it(self) -> None:
        """Touch 5 skipped for its range leaves touch 4 its five days; itself it has no window."""
        nine_days = tuple(t.model_copy(update={"window_days": 9}) for t in FULL.touches)
        table = plan({"dormancy_range": "critical"}, playbook=FULL.model_copy(update={"touches": nine_days}))
        assert touch(4, table)["not_after"] - touch(4, table)["not_before"] == timedelta(days=9)
        assert touch(5, table)["not_after"] is None

    def test_a_window_ends_with_the_permission(self) -> None:
        """A permission that ends on Thursday ends the touch of Tuesday, and later touches are skipped."""
        ends = datetime(2026, 11, 5, 12, tzinfo=UTC)
        table = plan({"email_valid_until": ends})
        assert touch(1, table)["not_after"] == ends
        assert {touch(n, table)["reason"] for n in range(2, 8)} == {"permission_expires"}

    def test_a_window_ends_while_the_offer_can_still_be_used(self) -> None:
        """A credit that ends on 20 November must be sent 48 hours before."""
        table = plan({}, terms=offers({"ends_at": datetime(2026, 11, 20, 10, tzinfo=UTC)}, PERCENT))
        assert touch(3, table)["not_after"] == datetime(2026, 11, 18, 10, tzinfo=UTC)

    def test_an_offer_of_a_day_needs_no_more_than_its_day(self) -> None:
        """One to be redeemed within 24 hours may be sent until 24 hours before it ends."""
        short = {"redeem_within_hours": 24, "ends_at": datetime(2026, 11, 18, 9, tzinfo=UTC)}
        assert touch(3, plan({}, terms=offers(short, PERCENT)))["not_after"] == datetime(2026, 11, 17, 9, tzinfo=UTC)


def test_every_candidate_has_every_touch() -> None:
    """Grain: one row per candidate and touch, sorted."""
    table = plan({"customer_id": "cus-b"}, {"customer_id": "cus-a", "zones": []})
    assert list(zip(table["customer_id"].to_pylist(), table["number"].to_pylist(), strict=True)) == [
        (customer, number) for customer in ("cus-a", "cus-b") for number in range(1, 8)
    ]
    assert pc.all(pc.is_in(table["state"], pa.array([PLANNED, SKIPPED]))).as_py()
