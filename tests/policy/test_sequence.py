"""The touches of a candidate: when each may go out, and why one is skipped (framework 003, RULES.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.people import ago, decide, known, rules, together
from tests.policy.people import person as customer

from reactivation import paths
from reactivation.contract.tables import MONEY, OFFERS, TEXT, TEXTS, TIME, WHOLE
from reactivation.playbooks.loader import load_playbook
from reactivation.playbooks.model import Playbook
from reactivation.policy.budgets import within_budget
from reactivation.policy.sequence import (
    CANDIDATE_COLUMNS,
    PLANNED,
    SEQUENCE,
    SKIPPED,
    candidates_for_sequence,
    plan_sequence,
)
from reactivation.policy.sequence import OFFERED as OFFERED_BEFORE
from reactivation.policy.timing import TimingRules, is_legal

RULES = TimingRules.model_validate(yaml.safe_load((paths.RULES / "timing.yaml").read_text(encoding="utf-8")))
SHIPPED = load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml").playbook
#: The shipped playbook by e-mail alone, with the offers of this file; its touch 5 needs none.
FULL = SHIPPED.model_copy(update={"touches": tuple(
    t.model_copy(update={"channels": ("email",), "offer": {3: "offer-credit-15", 6: "offer-20"}.get(t.number)})
    for t in SHIPPED.touches
)})  # fmt: skip

CANDIDATES = pa.schema([
    ("customer_id", TEXT), ("dormancy_range", TEXT), ("email_basis", TEXT), ("sms_basis", TEXT),
    ("gate_reachable", TEXT), ("gate_offer_allowed", TEXT), ("offer_position", TEXT), ("offer_cap", MONEY),
    ("email_valid_until", TIME), ("sms_valid_until", TIME), ("last_sent_at", TIME), ("last_sms_sent_at", TIME),
    ("sms_sent_7d", WHOLE), ("no_points_until", TIME), ("no_percent_until", TIME), ("zones", TEXTS),
    ("zone_sources", TEXTS), ("country", TEXT), ("region", TEXT), ("phone_country", TEXT),
    ("route", TEXT), ("adaptations", TEXTS), ("rung", TEXT),
])  # fmt: skip

#: Tuesday, 11:00 in London.
NOW = datetime(2026, 11, 3, 11, tzinfo=UTC)
REGULAR = {
    "customer_id": "cus-0001", "dormancy_range": "deep", "email_basis": "express", "gate_reachable": "pass",
    "gate_offer_allowed": "pass",
    "offer_position": "percent", "offer_cap": Decimal("0.25"), "zones": ["Europe/London"],
    "zone_sources": ["address"], "country": "GB", "region": "ENG", "route": "outreach",
    "adaptations": [],
}  # fmt: skip
CREDIT = {
    "offer_id": "offer-credit-15", "name": "15 off your next visit", "kind": "credit", "value": Decimal(15),
    "currency": "GBP", "unit_cost": Decimal(15), "redeem_within_hours": None,
    "starts_at": datetime(2026, 10, 1, tzinfo=UTC), "ends_at": datetime(2027, 2, 1, tzinfo=UTC),
    "margin_floor": Decimal("0.2"), "budget": Decimal(3000), "codes_available": 500,
    "terms": "One credit of 15 GBP.", "conditions": "Bookings above 60 GBP.",
}  # fmt: skip
PERCENT = {**CREDIT, "offer_id": "offer-20", "kind": "percent", "value": Decimal(20), "redeem_within_hours": 72}


def people(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([{**REGULAR, **row} for row in rows], schema=CANDIDATES)


def offers(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([{**CREDIT, **row} for row in rows], schema=OFFERS.schema)


OFFERED = offers(CREDIT, PERCENT)


def plan(*rows: dict[str, Any], playbook: Playbook = FULL, terms: pa.Table = OFFERED, now: datetime = NOW) -> pa.Table:
    return plan_sequence(people(*rows), playbook, terms, RULES, now)


def touch(number: int, table: pa.Table) -> dict[str, Any]:
    return next(row for row in table.to_pylist() if row["number"] == number)


def london(instant: datetime) -> str:
    return f"{instant.astimezone(ZoneInfo('Europe/London')):%a %d %b %H:%M}"


_CHANNELS = (("email", "sms"), ("sms", "email"))
BY = {"email": {}, "sms": {"email_basis": None, "sms_basis": "express_written"}}


def _allowed(person: dict[str, Any]) -> list[str]:
    """The channels a person permits and can be reached by, e-mail first."""
    return [
        channel
        for channel, other in (("email", "sms"), ("sms", "email"))
        if person[f"{channel}_basis"] and person["gate_reachable"] in ("pass", f"drop:{other}")
    ]


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


class TestSkipped:
    """A touch that may not go out stays in the plan with its reason."""

    @pytest.mark.parametrize(("number", "person", "terms", "reason"), [
        (5, {"dormancy_range": "critical"}, OFFERED, "range"),
        (5, {"dormancy_range": None}, OFFERED, "range"),
        (1, {"email_basis": None, "sms_basis": "express"}, OFFERED, "channel"),
        (1, {"email_basis": None}, OFFERED, "channel"),
        (1, {"gate_reachable": "drop:email"}, OFFERED, "channel"),
        (1, {"gate_reachable": None}, OFFERED, "channel"),
        (3, {"gate_offer_allowed": "drop:cooldown", "offer_position": "none"}, OFFERED, "offer_not_allowed"),
        (3, {"gate_offer_allowed": None}, OFFERED, "offer_not_allowed"),
        (3, {"offer_position": "none"}, OFFERED, "offer_above_position"),
        (3, {"offer_position": None}, OFFERED, "offer_above_position"),
        (6, {"offer_position": "points_or_credit"}, OFFERED, "offer_above_position"),
        (6, {"offer_cap": Decimal("0.1999")}, OFFERED, "offer_above_cap"),
        (6, {"offer_cap": None}, OFFERED, "offer_above_cap"),
        (3, {}, offers(PERCENT), "offer_unknown"),
        *((3, {}, offers({name: None}, PERCENT), "offer_unknown")
          for name in ("kind", "value", "unit_cost", "starts_at", "ends_at", "budget")),
        (3, {}, offers({"kind": "percent"}, PERCENT), "offer_kind"),
        (3, {}, offers({"starts_at": datetime(2026, 11, 16, 10, 1, tzinfo=UTC)}, PERCENT), "offer_not_started"),
        (3, {}, offers({"ends_at": datetime(2026, 11, 18, 10, tzinfo=UTC)}, PERCENT), "offer_ends"),
        (6, {}, offers(CREDIT, {**PERCENT, "ends_at": datetime(2026, 12, 9, 10, tzinfo=UTC)}), "offer_ends"),
        (3, {"no_points_until": datetime(2026, 11, 16, 10, 1, tzinfo=UTC)}, OFFERED, "offer_too_soon"),
        (6, {"no_percent_until": datetime(2026, 12, 7, 10, 1, tzinfo=UTC)}, OFFERED, "offer_too_soon"),
    ], ids=lambda v: v if isinstance(v, str) else "")  # fmt: skip
    def test_one_reason_skips_one_touch(
        self, number: int, person: dict[str, Any], terms: pa.Table, reason: str
    ) -> None:
        """The touch is skipped with exactly this reason, and every touch it does not concern stays planned; who is not
        given the smaller incentive gets no larger one."""
        table = plan(person, terms=terms)
        assert (touch(number, table)["state"], touch(number, table)["reason"]) == (SKIPPED, reason)
        assert touch(number, table)["not_before"] is not None
        follows = {"step_below_not_tried"} if number == 3 else set()
        assert set(table["reason"].to_pylist()) <= {None, reason} | follows

    @pytest.mark.parametrize(("number", "person", "terms"), [
        (3, {}, offers({"kind": "points"}, PERCENT)),
        (3, {}, offers({"starts_at": datetime(2026, 11, 16, 10, tzinfo=UTC)}, PERCENT)),
        (3, {}, offers({"ends_at": datetime(2026, 11, 18, 10, 1, tzinfo=UTC)}, PERCENT)),
        (3, {"no_points_until": datetime(2026, 11, 16, 10, tzinfo=UTC)}, OFFERED),
        (6, {"no_percent_until": datetime(2026, 12, 7, 10, tzinfo=UTC)}, OFFERED),
        (3, {"offer_position": "points_or_credit"}, OFFERED),
    ], ids=str)  # fmt: skip
    def test_up_to_the_limit_an_offer_goes_out(self, number: int, person: dict[str, Any], terms: pa.Table) -> None:
        """Points like credit, from the first moment to the last, and as soon as the rest from earlier ones is over."""
        assert touch(number, plan(person, terms=terms))["state"] == PLANNED

    def test_the_cap_itself_is_allowed(self) -> None:
        """A cap of exactly 20 % carries a 20 % offer."""
        assert touch(6, plan({"offer_cap": Decimal("0.2")}))["state"] == PLANNED

    def test_access_is_no_money(self) -> None:
        """Touch 5 offers access, which a person without any monetary position may get."""
        table = plan({"offer_position": "none", "gate_offer_allowed": "drop:cooldown"})
        assert touch(5, table)["state"] == PLANNED

    def test_a_touch_without_a_template_stands_in_the_calendar_as_skipped(self) -> None:
        """It is not left out, so that everybody sees what is missing."""
        bare = tuple(t.model_copy(update={"template": None}) if t.number == 2 else t for t in FULL.touches)
        reasons = plan({}, playbook=FULL.model_copy(update={"touches": bare}))["reason"].to_pylist()
        assert reasons == [None, "no_template", *[None] * 5]

    @pytest.mark.parametrize(("terms", "reason"), [
        ({}, None), ({"kind": "credit"}, "offer_kind"),
        ({"ends_at": datetime(2026, 11, 27, 10, tzinfo=UTC)}, "offer_ends"),
        ({"starts_at": datetime(2026, 12, 1, tzinfo=UTC)}, "offer_not_started"), (None, "offer_unknown"),
    ])  # fmt: skip
    def test_early_access_runs_like_any_offer(self, terms: dict[str, Any] | None, reason: str | None) -> None:
        """It asks for no margin, but it is of its kind and runs on the day."""
        early = CREDIT | {"offer_id": "offer-early", "kind": "early_access", "value": Decimal(0)}
        table = offers(CREDIT, PERCENT, *([] if terms is None else [early | terms]))
        inviting = tuple(t.model_copy(update={"offer": "offer-early"}) if t.number == 5 else t for t in FULL.touches)
        refused = {"offer_position": "none", "gate_offer_allowed": "drop:cooldown"}
        planned = plan(refused, playbook=FULL.model_copy(update={"touches": inviting}), terms=table)
        assert touch(5, planned)["reason"] == reason

    def test_a_refused_percentage_leaves_the_credit(self) -> None:
        """The gate tells of the strongest offer; the position says up to where one is allowed."""
        table = plan({"offer_position": "points_or_credit", "gate_offer_allowed": "drop:margin_guard"})
        assert [touch(number, table)["reason"] for number in (3, 6)] == [None, "offer_above_position"]

    def test_a_skipped_touch_pushes_nobody(self) -> None:
        """The touch after a skipped one keeps its own day."""
        dense = tuple(
            t.model_copy(update={"day": n, "only_ranges": ("deep",) if n == 1 else ()})
            for n, t in enumerate(FULL.touches[:3])
        )
        table = plan({"dormancy_range": "critical"}, playbook=FULL.model_copy(update={"touches": dense}))
        assert london(touch(3, table)["not_before"]) == "Thu 05 Nov 11:00"


class TestChannel:
    """A touch goes by the first of its channels that the person permits and can be reached by."""

    MIXED = FULL.model_copy(update={"touches": tuple(
        t.model_copy(update={"channels": {3: ("sms", "email"), 5: ("sms",)}.get(t.number, ("email",))})
        for t in FULL.touches
    )})  # fmt: skip

    @pytest.mark.parametrize(("person", "channels"), [
        ({"sms_basis": "express_written"},
         {1: "email", 2: "email", 3: "sms", 4: "email", 5: "sms", 6: "email", 7: "email"}),
        ({}, {1: "email", 2: "email", 3: "email", 4: "email", 6: "email", 7: "email"}),
        ({"sms_basis": "express_written", "gate_reachable": "drop:sms"},
         {1: "email", 2: "email", 3: "email", 4: "email", 6: "email", 7: "email"}),
        ({"sms_basis": "express_written", "email_basis": None}, {3: "sms", 5: "sms"}),
    ], ids=["both", "email only", "phone unreachable", "sms only"])  # fmt: skip
    def test_each_touch_has_its_own(self, person: dict[str, Any], channels: dict[int, str]) -> None:
        """Both, one or the other; a touch without a channel is skipped with the reason."""
        rows = plan(person, playbook=self.MIXED).to_pylist()
        assert {row["number"]: row["channel"] for row in rows if row["state"] == PLANNED} == channels
        assert {row["reason"] for row in rows if row["number"] not in channels} <= {"channel"}

    def test_each_touch_ends_with_its_own_permission(self) -> None:
        """The permission for texts ends first: the text is skipped, the e-mails are not."""
        ends = datetime(2026, 11, 20, tzinfo=UTC)
        table = plan({"sms_basis": "express_written", "sms_valid_until": ends}, playbook=self.MIXED)
        assert touch(3, table)["not_after"] == ends
        assert touch(5, table)["reason"] == "permission_expires"
        assert touch(6, table)["state"] == PLANNED

    def test_no_texts_move_a_touch_that_has_no_channel(self) -> None:
        """It stands in the calendar where an e-mail would, two days after the last message."""
        monday = datetime(2026, 11, 2, 16, tzinfo=UTC)
        texted = {"email_basis": None, "last_sent_at": monday, "last_sms_sent_at": monday, "sms_sent_7d": 2}
        assert london(touch(1, plan(texted))["not_before"]) == "Wed 04 Nov 16:00"

    def test_a_week_full_of_other_senders_texts_delays_the_text_only(self) -> None:
        """Two texts by somebody else on Monday: the e-mail goes two days later, the text a week later."""
        monday = datetime(2026, 11, 2, 16, tzinfo=UTC)
        texted = {"sms_basis": "express_written", "last_sent_at": monday, "last_sms_sent_at": monday, "sms_sent_7d": 2}
        starts = {}
        for channel in ("email", "sms"):
            touches = (FULL.touches[0].model_copy(update={"channels": (channel,)}),)
            table = plan(texted, playbook=FULL.model_copy(update={"touches": touches}))
            starts[channel] = london(touch(1, table)["not_before"])
        assert starts == {"email": "Wed 04 Nov 16:00", "sms": "Mon 09 Nov 16:00"}


class TestEarlierOffers:
    """For 30 days after an enrolment's last offer there is no equal or better one (RULES.md, Content)."""

    @pytest.mark.parametrize(("offered", "points", "percent"), [
        ([], None, None),
        ([("mail-c-1", "points_or_credit", 10)], -20, -20),
        ([("mail-c-1", "percent", 10)], None, -20),
        ([("phone-c-1", "points_or_credit", 20)], -10, -10),
        ([("mail-c-1", "points_or_credit", 10), ("phone-c-1", "percent", 5)], -20, -25),
        ([("mail-c-1", "percent", 10), ("phone-c-1", "points_or_credit", 5)], -25, -25),
        ([("mail-of-somebody-else", "percent", 1)], None, None),
    ], ids=str)  # fmt: skip
    def test_an_equal_or_better_one_rests(
        self, offered: list[tuple[str, str, float]], points: float | None, percent: float | None
    ) -> None:
        """After a credit both rest, after a percentage only another; by e-mail or phone key, the last one counts."""
        earlier = [{"address_key": key, "incentive": incentive, "at": ago(days)} for key, incentive, days in offered]
        row = for_sequence(pa.Table.from_pylist(earlier, schema=OFFERED_BEFORE))
        until = [None if days is None else ago(days) for days in (points, percent)]
        assert [row["no_points_until"], row["no_percent_until"]] == until

    def test_what_was_decided_and_where_a_person_is_are_beside_it(self) -> None:
        """The place is the contact's, the last messages are the decision's."""
        row = for_sequence(OFFERED_BEFORE.empty_table())
        assert list(row) == list(CANDIDATE_COLUMNS)
        assert (row["country"], row["region"], row["phone_country"]) == ("GB", "SCT", "GB")
        assert (row["last_sent_at"], row["last_sms_sent_at"], row["sms_sent_7d"]) == (ago(3), ago(4), 1)
        assert (row["email_basis"], row["zones"], row["offer_position"]) == ("express", ["Europe/London"], "none")


@cache
def decided_for_sequence() -> pa.Table:
    """A customer with a phone, and another one before him."""
    phone = {"phone_key": "phone-c-1", "phone_problem": None, "phone_country": "GB"}
    sent = known(last_sent_at=ago(3), last_sms_sent_at=ago(4), sms_sent_7d=1)
    return decide(together(customer("c-0"), customer(contact=phone, purchases={"discounted_purchases": 4})), sent).table


def for_sequence(offered: pa.Table) -> dict[str, Any]:
    """``c-1`` as a candidate for a sequence, after earlier offers."""
    contacts = {"customer_id": ["c-9", "c-1", "c-0"], "country": ["FR", "GB", "US"], "region": [None, "SCT", "NY"],
                "phone_country": [None, "GB", "US"]}  # fmt: skip
    table = candidates_for_sequence(
        decided_for_sequence(), pa.table({name: pa.chunked_array([values], TEXT) for name, values in contacts.items()}),
        offered, rules().incentives,
    )  # fmt: skip
    return next(row for row in table.to_pylist() if row["customer_id"] == "c-1")


class TestBudget:
    """Offers are given in order of rank until the budget or the codes are used up."""

    THREE = ({"customer_id": "cus-a"}, {"customer_id": "cus-b"}, {"customer_id": "cus-c"})
    #: cus-c is served first, then cus-a, then cus-b.
    RANKS = np.repeat([1, 2, 0], 7)

    def budgeted(self, outstanding: dict[str, int], **terms: Any) -> dict[str, str | None]:
        table = plan(*self.THREE, terms=offers({**CREDIT, **terms}, PERCENT))
        terms = offers({**CREDIT, **terms}, PERCENT)
        rows = within_budget(table, self.RANKS, FULL, terms, outstanding).to_pylist()
        assert all((row["state"] == SKIPPED) == (row["reason"] is not None) for row in rows)
        return {row["customer_id"]: row["reason"] for row in rows if row["number"] == 3}

    def test_a_budget_serves_the_best_ranks(self) -> None:
        """44.99 pays two credits of 15."""
        reasons = self.budgeted({}, budget=Decimal("44.99"))
        assert reasons == {"cus-c": None, "cus-a": None, "cus-b": "offer_budget"}

    def test_what_is_outstanding_is_spent(self) -> None:
        """Of three affordable credits two are promised already."""
        reasons = self.budgeted({"offer-credit-15": 2}, budget=Decimal(45))
        assert reasons == {"cus-c": None, "cus-a": "offer_budget", "cus-b": "offer_budget"}

    def test_who_gets_no_credit_gets_no_percent(self) -> None:
        """Whom the smaller one's budget cannot serve, does not climb, and leaves the larger one's budget to others."""
        few, one = {**CREDIT, "budget": Decimal(45)}, {**PERCENT, "budget": Decimal(30)}
        table = plan(*self.THREE, terms=offers(few, one))
        spent = {"offer-credit-15": 1}
        rows = within_budget(table, np.repeat([0, 1, 2], 7), FULL, offers(few, one), spent).to_pylist()
        assert [row["reason"] for row in rows if row["number"] == 3] == [None, None, "offer_budget"]
        assert [row["reason"] for row in rows if row["number"] == 6] == [None, None, "step_below_not_tried"]

    def test_two_touches_with_one_offer_share_its_budget(self) -> None:
        """Three credits for two people: both get the first, one gets the second, and what was promised counts."""
        again = {"incentive": "points_or_credit", "offer": "offer-credit-15"}
        touches = tuple(t.model_copy(update=again) if t.number == 4 else t for t in FULL.touches)
        playbook, terms = FULL.model_copy(update={"touches": touches}), offers({"budget": Decimal(45)}, PERCENT)
        table = plan(*self.THREE[:2], playbook=playbook, terms=terms)
        for promised, refused in ((0, [None, None, None, "offer_budget"]), (1, [None, None, *["offer_budget"] * 2])):
            spent = {"offer-credit-15": promised} if promised else {}
            rows = within_budget(table, np.repeat([0, 1], 7), playbook, terms, spent).to_pylist()
            assert [row["reason"] for number in (3, 4) for row in rows if row["number"] == number] == refused

    def test_an_overdrawn_budget_serves_nobody(self) -> None:
        """More promised than the budget pays: nothing more is given."""
        assert set(self.budgeted({"offer-credit-15": 9}, budget=Decimal(45)).values()) == {"offer_budget"}

    def test_codes_run_out(self) -> None:
        """One code left of two."""
        reasons = self.budgeted({"offer-credit-15": 1}, codes_available=2)
        assert reasons == {"cus-c": None, "cus-a": "offer_codes", "cus-b": "offer_codes"}

    def test_an_offer_without_codes_or_cost_is_unlimited(self) -> None:
        """No code needed and no cost: everybody is served."""
        assert set(self.budgeted({}, codes_available=None, unit_cost=Decimal(0)).values()) == {None}


ZONES = st.sampled_from([
    (["Europe/London"], "GB", "SCT"), (["Europe/Berlin", "Europe/London"], "DE", None),
    (["America/Los_Angeles", "America/New_York"], "US", "NY"), (["Pacific/Auckland"], "NZ", None), ([], None, None),
])  # fmt: skip
PERSON = st.fixed_dictionaries({
    "dormancy_range": st.sampled_from(["under_60", "early_warning", "deep", None]),
    "email_basis": st.sampled_from(["express", None]), "sms_basis": st.sampled_from(["express_written", None]),
    "gate_reachable": st.sampled_from(["pass", "drop:sms", "drop:email"]),
    "last_sms_sent_at": st.none() | st.integers(0, 200).map(lambda h: NOW - timedelta(hours=h)),
    "sms_sent_7d": st.integers(0, 3),
    "gate_offer_allowed": st.sampled_from(["pass", "drop:cooldown"]),
    "offer_position": st.sampled_from(["none", "points_or_credit", "percent"]),
    "offer_cap": st.sampled_from([None, Decimal("0.1"), Decimal("0.3")]),
    "email_valid_until": st.none() | st.integers(0, 60).map(lambda d: NOW + timedelta(days=d)),
    "last_sent_at": st.none() | st.integers(0, 200).map(lambda h: NOW - timedelta(hours=h)),
    "place": ZONES,
})  # fmt: skip


def drawn(persons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for number, person in enumerate(persons):
        zones, country, region = person.pop("place")
        rows.append({**person, "customer_id": f"cus-{number:04}", "zones": zones, "country": country, "region": region})
    return rows


class TestProperties:
    """Whatever the candidates are."""

    @given(st.lists(PERSON, min_size=1, max_size=6).map(drawn), st.integers(0, 3 * 365 * 24))
    @settings(max_examples=60, deadline=None)
    def test_planned_touches_keep_every_limit(self, rows: list[dict[str, Any]], hours: int) -> None:
        """Legal, in the future, rising, 48 hours apart, not overlapping, within permission and offer."""
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
        always = {"starts_at": datetime(2026, 1, 1, tzinfo=UTC), "ends_at": datetime(2029, 6, 1, tzinfo=UTC)}
        dense = tuple(
            t.model_copy(update={"day": t.number, "channels": _CHANNELS[t.number % 2], "window_days": 3})
            for t in FULL.touches
        )
        playbook = FULL.model_copy(update={"touches": dense}) if hours % 2 else FULL
        table = plan(*rows, playbook=playbook, now=now, terms=offers({**CREDIT, **always}, {**PERCENT, **always}))
        known = {row["customer_id"]: row for row in people(*rows).to_pylist()}
        texts = {
            customer: [row["last_sms_sent_at"]] * min(row["sms_sent_7d"], 2) if row["last_sms_sent_at"] else []
            for customer, row in known.items()
        }
        sent = {customer: row["last_sent_at"] for customer, row in known.items()}
        closed: dict[str, datetime] = {}
        for row in table.to_pylist():
            if row["state"] != PLANNED:
                assert row["reason"]
                continue
            customer, start, end = row["customer_id"], row["not_before"], row["not_after"]
            person = known[customer]
            assert now <= start < end
            assert sent[customer] is None or start - sent[customer] >= timedelta(hours=48)
            assert start >= closed.get(customer, start)
            assert row["channel"] in _allowed(person)
            wanted = playbook.touch(row["number"]).channels
            assert row["channel"] == next(channel for channel in wanted if channel in _allowed(person))
            until = person["email_valid_until"] if row["channel"] == "email" else person["sms_valid_until"]
            assert until is None or end <= until
            if row["channel"] == "sms":
                week = [text for text in texts[customer] if start - text < timedelta(days=7)]
                assert len(week) < 2
                texts[customer].append(start)
            place = pa.Table.from_pylist([person], schema=CANDIDATES)
            assert is_legal(pa.array([start], TIME), place, RULES)[0].as_py()
            sent[customer], closed[customer] = start, end

    @given(st.lists(PERSON, min_size=2, max_size=6).map(drawn), st.randoms(use_true_random=False))
    @settings(max_examples=30, deadline=None)
    def test_the_order_of_rows_changes_nothing(self, rows: list[dict[str, Any]], random: Any) -> None:
        """A permutation of the candidates gives the same plan, byte for byte."""
        shuffled = random.sample(rows, len(rows))
        assert plan(*rows).equals(plan(*shuffled))

    @given(st.lists(PERSON, min_size=1, max_size=6).map(drawn))
    @settings(max_examples=30, deadline=None)
    def test_losing_a_permission_never_adds_a_touch(self, rows: list[dict[str, Any]]) -> None:
        """With the permission gone from a person, the planned touches are a subset of those before."""
        less = [{**row, "email_basis": None, "sms_basis": None, "offer_position": "none"} for row in rows]
        before, after = (
            {(r["customer_id"], r["number"]) for r in plan(*some).to_pylist() if r["state"] == PLANNED}
            for some in (rows, less)
        )
        assert after <= before


def test_every_candidate_has_every_touch() -> None:
    """Grain: one row per candidate and touch, sorted."""
    table = plan({"customer_id": "cus-b"}, {"customer_id": "cus-a", "zones": []})
    assert list(zip(table["customer_id"].to_pylist(), table["number"].to_pylist(), strict=True)) == [
        (customer, number) for customer in ("cus-a", "cus-b") for number in range(1, 8)
    ]
    assert pc.all(pc.is_in(table["state"], pa.array([PLANNED, SKIPPED]))).as_py()
