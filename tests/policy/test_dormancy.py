"""How long a customer has been quiet: one clock, five signals, the window of his own segment."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import pytest
from tests.policy.people import AT, Row, ago, decide, person, playbook, stories

NEVER = {"last_purchase_at": None, "last_order_at": None}
JUST_SHORT = AT - timedelta(days=90) + timedelta(seconds=1)


def quiet(days: float, segment: str = "household") -> Row:
    return {
        "contact": {"business_segment": segment},
        "purchases": {"last_purchase_at": ago(days), "last_order_at": ago(days)},
    }


def seen(column: str, country: str = "GB", **contact: object) -> Row:
    return {"contact": {"country": country, **contact}, "engagement": {column: ago(5)}}


STORIES: dict[str, Row] = {
    "exactly-90": quiet(90),
    "a-second-short": {"purchases": {"last_purchase_at": JUST_SHORT, "last_order_at": JUST_SHORT}},
    "care-plan-60": quiet(60, "care_plan"),
    "care-plan-59": quiet(59, "care_plan"),
    "business-119": quiet(119, "business"),
    "business-120": quiet(120, "business"),
    "range-179": quiet(179),
    "range-180": quiet(180),
    "no-window": quiet(400, "wholesale"),
    "booked": {"purchases": {"last_booking_at": ago(5)}},
    "subscribed": {"purchases": {"last_subscription_at": ago(5)}},
    "logged-in": seen("last_login_at"),
    "replied": seen("last_reply_at"),
    "clicked": seen("last_click_at"),
    "browsed": seen("last_browse_at"),
    "left-a-cart": seen("last_cart_abandon_at"),
    "used": seen("last_usage_at"),
    "seen": {"contact": {"last_seen": ago(5)}},
    "clicked-in-crm": {"contact": {"last_email_link_clicked": ago(5)}},
    "opened-in-britain": seen("last_open_at"),
    "opened-in-switzerland": seen("last_open_at", "CH"),
    "opened-in-crm": {"contact": {"last_email_opened": ago(5)}},
    "opened-in-america": seen("last_open_at", "US"),
    "opened-in-america-german-phone": seen("last_open_at", "US", phone_country="DE", phone_problem=None, phone_key="p"),
    "opened-nobody-knows-where": seen("last_open_at", country=None),  # type: ignore[arg-type]
    "tomorrow": {"contact": {"last_seen": ago(-1)}},
    "never": {"purchases": NEVER | {"purchases": 0}},
}


@cache
def decided() -> dict[str, Row]:
    return stories(STORIES)


@pytest.mark.parametrize(
    ("story", "range_", "days"),
    [
        ("exactly-90", "active_risk", 90), ("care-plan-60", "early_warning", 60), ("business-120", "critical", 120),
        ("range-179", "critical", 179), ("range-180", "deep", 180),
    ],
)  # fmt: skip
def test_as_many_days_as_the_window_are_dormant(story: str, range_: str, days: int) -> None:
    """The range's lower bound is inclusive, by the window of the customer's own segment."""
    row = decided()[story]

    assert (row["gate_dormant"], row["dormancy_range"], row["dormant_days"]) == ("pass", range_, days)


def test_a_window_shorter_than_the_first_range_is_told_as_such() -> None:
    """Quiet for longer than a window of 30 days, and for less than 60."""
    short = playbook().model_copy(update={"windows": {"household": 30}})

    rows = stories({"days-30": quiet(30), "days-59": quiet(59), "days-60": quiet(60)}, declared=short)

    assert {name: row["dormancy_range"] for name, row in rows.items()} == {
        "days-30": "under_60", "days-59": "under_60", "days-60": "early_warning",
    }  # fmt: skip


@pytest.mark.parametrize("story", ["a-second-short", "care-plan-59", "business-119"])
def test_a_moment_less_than_the_window_is_not_dormant(story: str) -> None:
    """Such a customer has no decision row, and is counted."""
    assert decided()[story]["gate_dormant"] == "fail:active"


@pytest.mark.parametrize(
    "story",
    [
        "booked",
        "subscribed",
        "logged-in",
        "replied",
        "clicked",
        "browsed",
        "left-a-cart",
        "used",
        "seen",
        "clicked-in-crm",
    ],
)
def test_every_signal_is_a_sign_of_life(story: str) -> None:
    """Purchase, booking, login, reply and engagement run on one clock."""
    assert (decided()[story]["gate_dormant"], decided()[story]["dormant_days"]) == ("fail:active", 5)


@pytest.mark.parametrize(
    "story",
    ["opened-in-britain", "opened-in-switzerland", "opened-in-crm", "opened-in-america-german-phone",
     "opened-nobody-knows-where"],
)  # fmt: skip
def test_an_open_that_may_be_a_machines_is_no_sign_of_life(story: str) -> None:
    """By the address's country or the phone's, or where neither is known."""
    assert (decided()[story]["gate_dormant"], decided()[story]["dormant_days"]) == ("pass", 130)


def test_an_open_counts_where_tracking_is_permitted() -> None:
    """An American who opened five days ago is not quiet."""
    assert decided()["opened-in-america"]["gate_dormant"] == "fail:active"


def test_activity_after_the_as_of_only_makes_less_dormant() -> None:
    """A last-seen of tomorrow is as good as now."""
    assert decided()["tomorrow"]["dormant_days"] == 0


def test_nobody_is_dormant_in_a_segment_without_a_window() -> None:
    """The inactive definition must be the segment's own; without one, nothing is known."""
    assert decided()["no-window"]["gate_dormant"] == "fail:no_window"


def test_who_never_did_anything_is_suppressed_for_want_of_evidence() -> None:
    """The last activity is a required input."""
    row = decided()["never"]

    assert (row["dormancy_range"], row["decision"], row["reason_codes"][0]) == (
        "unknown", "suppress", "evidence_missing:last_activity",
    )  # fmt: skip


#: What somebody did after his last purchase, and which of the five signals it is told as.
KINDS: dict[str, tuple[Row, str]] = {
    "nothing": ({}, "purchase"),
    "subscribed": ({"purchases": {"last_subscription_at": ago(100)}}, "purchase"),
    "booked": ({"purchases": {"last_booking_at": ago(100)}}, "booking"),
    "logged-in": ({"engagement": {"last_login_at": ago(100)}}, "login"),
    "replied": ({"engagement": {"last_reply_at": ago(100)}}, "reply"),
    "clicked": ({"engagement": {"last_click_at": ago(100)}}, "engagement"),
    "browsed": ({"engagement": {"last_browse_at": ago(100)}}, "engagement"),
    "used": ({"engagement": {"last_usage_at": ago(100)}}, "engagement"),
    "seen": ({"contact": {"last_seen": ago(100)}}, "engagement"),
    "opened": ({"contact": {"country": "US"}, "engagement": {"last_open_at": ago(100)}}, "engagement"),
}


def test_the_kind_of_the_last_activity_is_told() -> None:
    """What the customer did last, an open too where it is a person's own act."""
    rows = stories({name: how for name, (how, _) in KINDS.items()})

    assert {name: row["last_activity_kind"] for name, row in rows.items()} == {
        name: kind for name, (_, kind) in KINDS.items()
    }


def test_a_signal_the_playbook_does_not_declare_is_not_asked_about() -> None:
    """A playbook without replies does not see one."""
    without = playbook().model_copy(update={"activity": ("purchase",)})

    rows = stories({"replied": {"engagement": {"last_reply_at": ago(5)}}}, declared=without)

    assert rows["replied"]["dormant_days"] == 130


@pytest.mark.parametrize("days", [1, 30, 200])
def test_a_later_as_of_never_makes_less_dormant(days: int) -> None:
    """Without new activity the days only grow."""
    tables = person(engagement={"last_click_at": ago(140)})

    def days_at(at: datetime) -> int:
        decided = decide(tables, at=at)
        rows = decided.table.to_pylist() + decided.others.to_pylist()
        return int(rows[0]["dormant_days"])

    assert days_at(AT + timedelta(days=days)) == days_at(AT) + days
