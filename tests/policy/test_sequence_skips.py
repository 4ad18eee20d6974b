"""Why a touch of a candidate is skipped, and which channel the others go by (framework 003, RULES.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tests.policy.sequences import CREDIT, FULL, OFFERED, PERCENT, london, offers, plan, touch

from reactivation.policy.sequence import (
    PLANNED,
    SKIPPED,
)


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
        (3, {"gate_offer_allowed": "fail:error"}, OFFERED, "offer_not_allowed"),
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
