"""Up to which step of the incentive ladder people go, by segment and by chance, and what their response proposes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError
from tests.policy.people import decide, person, playbook, together
from tests.policy.sequences import CREDIT, FULL, NOW, PERCENT, plan

from reactivation.ledger.monitored import RESPONDED
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Optimizer
from reactivation.policy.proposals import MONEY_COLUMNS, Proposal, proposals
from reactivation.policy.rungs import ladder_of

SEGMENTS = ("household", "care_plan", "business")
UNIT = 10_000
OFFERS: dict[str, dict[str, Any]] = {"offer-credit-15": CREDIT, "offer-20": PERCENT}


def optimized(rung: str = "points_or_credit", explored: float = 0.07, of: Playbook = FULL, **more: Any) -> Playbook:
    """Every segment at this step."""
    declared = {"rungs": dict.fromkeys(SEGMENTS, rung), "explored": explored, **more}
    return of.model_copy(update={"optimizer": Optimizer.model_validate(declared)})


class TestByChance:
    """A segment's people are on its step, and a few on the neighbouring ones."""

    def rungs(self, declared: Playbook, people: int = 1_000) -> list[str | None]:
        everybody = together(*(person(f"c-{number:04}") for number in range(people)))
        told: list[str | None] = decide(everybody, declared=declared).table["rung"].to_pylist()
        return told

    def test_the_step_is_a_stable_hash_of_salt_and_customer(self) -> None:
        """As anybody can compute it; another text is hashed than for the holdout."""
        digests = [hashlib.sha256(f"2026-h2:rung:c-{n:04}".encode()).hexdigest() for n in range(300)]
        points = [int(digest[:8], 16) / 2**32 for digest in digests]
        expected = ["none" if p < 0.07 else "points_or_credit" if p < 0.93 else "percent" for p in points]

        assert self.rungs(optimized(), people=300) == expected

    def test_shares_are_those_declared(self) -> None:
        """Ten in a hundred on the one neighbour; nobody two steps away."""
        found = pd.Series(self.rungs(optimized("none", 0.1))).value_counts(normalize=True)

        assert set(found.index) == {"none", "points_or_credit"}
        assert 0.07 < found["points_or_credit"] < 0.13

    def test_without_exploring_everybody_is_at_the_segments_step(self) -> None:
        """And nothing limits anybody of a playbook without an optimizer."""
        assert set(self.rungs(optimized("percent", 0), people=50)) == {"percent"}
        assert set(self.rungs(FULL.model_copy(update={"optimizer": None}), people=50)) == {None}

    def test_nobody_is_put_above_the_highest_offer(self) -> None:
        """A playbook that only gives credit has no third step, whatever is declared."""
        credit_alone = FULL.model_copy(update={"touches": FULL.touches[:4]})

        assert ladder_of(credit_alone) == ("none", "points_or_credit")
        assert set(self.rungs(optimized("percent", 0.1, credit_alone), people=200)) <= {"none", "points_or_credit"}

    def test_a_step_that_is_spoken_of_and_not_offered_is_none(self) -> None:
        """The discount's touch stands, without an offer of the company's."""
        without = tuple(t.model_copy(update={"offer": None}) if t.number == 6 else t for t in FULL.touches)

        assert ladder_of(FULL) == ("none", "points_or_credit", "percent")
        assert ladder_of(FULL.model_copy(update={"touches": without})) == ("none", "points_or_credit")

    def test_nobody_is_put_on_a_step_at_which_nothing_is_offered(self) -> None:
        """A playbook that only gives a discount explores that one from none: on credit nothing would be learned."""
        discount_alone = FULL.model_copy(update={"touches": tuple(t for t in FULL.touches if t.number != 3)})

        assert ladder_of(discount_alone) == ("none", "percent")
        for rung in ("none", "points_or_credit"):
            assert set(self.rungs(optimized(rung, 0.1, discount_alone), people=200)) == {"none", "percent"}


@pytest.mark.parametrize(
    ("rung", "skipped"),
    [
        ("none", {3: "rung", 6: "step_below_not_tried"}), ("points_or_credit", {6: "rung"}),
        ("percent", {}), (None, {}),
    ],
)  # fmt: skip
def test_touches_above_the_step_are_skipped_and_messages_stay(rung: str | None, skipped: dict[int, str]) -> None:
    """Early access costs no margin, and is on no step."""
    found = plan({"rung": rung})

    assert {row["number"]: row["reason"] for row in found.to_pylist() if row["state"] == "skipped"} == skipped


def test_a_measured_uplift_takes_the_place_of_the_declared_one() -> None:
    """At a margin of .4: half as many again lets an offer cost .4 x (1 - 1/1.5) less the contact; twice as many, .4 x
    (1 - 1/2) less it."""

    def cap(of: Playbook) -> Decimal:
        told: Decimal = decide(person(), declared=of).table["offer_cap"][0].as_py()
        return told

    assert cap(playbook()) == Decimal("0.1306")
    assert cap(optimized(of=playbook(), uplifts={"household": Decimal(2)})) == Decimal("0.1973")
    assert cap(optimized(of=playbook(), uplifts={"business": Decimal(2)})) == Decimal("0.1306")


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ({"rungs": {"household": "none"}}, "no rung for segment business, care_plan"),
        ({"rungs": {**dict.fromkeys(SEGMENTS, "none"), "x": "none"}}, "there is no segment x"),
        ({"rungs": dict.fromkeys(SEGMENTS, "none"), "uplifts": {"x": 2}}, "there is no segment x"),
        ({"rungs": dict.fromkeys(SEGMENTS, "none"), "explored": 0.2}, "less than or equal to 0.1"),
    ],
)
def test_what_cannot_be_meant_is_refused(optimizer: dict[str, Any], message: str) -> None:
    """When the playbook is read."""
    with pytest.raises(ValidationError, match=message):
        Playbook.model_validate(FULL.model_dump() | {"optimizer": optimizer})


class TestProposals:
    """Of household, at credit: orders of 100, a margin of .4; the credit costs .15 of an order, the discount .2."""

    def proposed(
        self, *, rung: str = "points_or_credit", margin: float = 0.4, offers: dict[str, Any] | None = None,
        after_days: int = 3, of: Playbook = FULL, others: Sequence[dict[str, Any]] = (), **people: tuple[int, int],
    ) -> Proposal:  # fmt: skip
        rows = [
            {"segment": "household", "rung": step, "first_at": NOW,
             "bought_at": NOW + timedelta(days=after_days) if number < back else None}
            for step, (count, back) in people.items() for number in range(count)
        ]  # fmt: skip
        household = {"business_segment": "household", "currency": "GBP", "average_order": 100 * UNIT,
                     "revenue_24m": 1_000 * UNIT, "margin_24m": round(1_000 * margin) * UNIT}  # fmt: skip
        money = pd.DataFrame([household | one for one in ({}, *others)], columns=list(household))[list(MONEY_COLUMNS)]
        told = proposals(
            optimized(rung, of=of), pa.Table.from_pylist(rows, RESPONDED), money, OFFERS if offers is None else offers,
            contact_cost=0.02, margin_floor=0.1,
        )  # fmt: skip
        return next(one for one in told if one.segment == "household")

    def test_a_step_that_earns_more_is_proposed(self) -> None:
        """Of 2,000 and 2,000 people 4 and 12 in a hundred: thrice as many at .2 instead of .25 of an order."""
        found = self.proposed(points_or_credit=(2_000, 80), percent=(2_000, 240))

        assert (found.current, found.proposed) == ("points_or_credit", "percent")
        assert found.sure is not None
        assert found.sure > 0.99

    def test_a_step_that_earns_less_is_not(self) -> None:
        """A tenth more people for a fifth less margin."""
        found = self.proposed(points_or_credit=(2_000, 100), percent=(2_000, 110))

        assert (found.proposed, found.because) == ("points_or_credit", None)

    def test_too_few_people_propose_nothing_and_say_so(self) -> None:
        """Ninety-nine on the next step."""
        found = self.proposed(points_or_credit=(2_000, 80), percent=(99, 50))

        assert (found.proposed, found.sure) == ("points_or_credit", None)
        assert found.because == "fewer than 100 people whose time is over, on this step or on the next"

    def test_nothing_beyond_the_margin_floor_is_proposed(self) -> None:
        """At a margin of .28 a discount of .2 leaves less than .1, however many come; a segment that is above comes
        down."""
        for rung in ("points_or_credit", "percent"):
            found = self.proposed(margin=0.28, rung=rung, points_or_credit=(2_000, 80), percent=(2_000, 1_000))
            assert found.proposed == "points_or_credit"

    def test_an_offer_that_nobody_knows_proposes_nothing(self) -> None:
        """What it costs is not known."""
        found = self.proposed(offers={"offer-credit-15": CREDIT}, points_or_credit=(2_000, 80), percent=(2_000, 240))

        assert (found.proposed, found.because) == (
            "points_or_credit", "what an order, its margin or an offer comes to is not known",
        )  # fmt: skip

    def test_money_of_another_currency_is_not_averaged(self) -> None:
        """Two who pay in yen change nothing of what the credit costs of an order of pounds; of as many it is the first
        by name. An offer in other money than theirs costs nobody knows what."""
        yen = {"currency": "JPY", "average_order": 15_000 * UNIT}
        pounds = [{}, {}]

        assert [step.cost for step in self.proposed(others=[yen, yen, *pounds]).steps] == [0.0, 0.15, 0.2]
        assert [step.cost for step in self.proposed(others=[yen]).steps] == [0.0, 0.15, 0.2]
        found = self.proposed(others=[yen, yen, yen])
        assert [step.cost for step in found.steps] == [0.0, None, 0.2]
        assert found.because == "what an order, its margin or an offer comes to is not known"

    @pytest.mark.parametrize("average", [0, None])
    def test_of_orders_worth_nothing_nothing_is_known(self, average: int | None) -> None:
        """No share can be taken of them."""
        for currency in ("GBP", "AUD", None):
            offered = {name: offer | {"currency": currency} for name, offer in OFFERS.items()}
            found = self.proposed(others=[{"average_order": average, "currency": "AUD"}] * 3, offers=offered)

            assert (found.proposed, found.because) == (
                "points_or_credit", "what an order, its margin or an offer comes to is not known",
            )  # fmt: skip

    def test_without_a_step_between_the_next_one_is_the_one_above(self) -> None:
        """Of a playbook that only gives a discount."""
        discount_alone = FULL.model_copy(update={"touches": tuple(t for t in FULL.touches if t.number != 3)})
        found = self.proposed(rung="none", of=discount_alone, none=(2_000, 40), percent=(2_000, 240))

        assert [step.rung for step in found.steps] == ["none", "percent"]
        assert (found.current, found.proposed) == ("none", "percent")

    def test_who_came_back_too_late_came_back_by_himself(self) -> None:
        """Only the playbook's days of comparison count."""
        found = self.proposed(after_days=31, none=(1_000, 50), points_or_credit=(1_000, 100))

        assert [(step.people, step.came_back) for step in found.steps] == [(1_000, 0), (1_000, 0), (0, 0)]

    def test_the_uplift_is_what_is_surely_exceeded(self) -> None:
        """Twice as many of a thousand each: surely more than 1.4 times, and less than twice."""
        found = self.proposed(none=(1_000, 50), points_or_credit=(1_000, 100))

        assert found.uplift is not None
        assert 1.4 < found.uplift < 2.0

    def test_of_too_few_on_either_step_no_uplift_is_told(self) -> None:
        """Ninety-nine here, or below; a hundred are enough."""
        tried = {"few here": (1_000, 99), "few below": (99, 1_000), "enough": (100, 100)}
        told = {
            name: self.proposed(none=(below, 20), points_or_credit=(here, 40)).uplift
            for name, (below, here) in tried.items()
        }

        assert [name for name, uplift in told.items() if uplift is not None] == ["enough"]

    def test_a_playbook_without_an_optimizer_proposes_nothing(self) -> None:
        """Nothing is limited, so nothing can rise."""
        none = FULL.model_copy(update={"optimizer": None})
        assert not proposals(none, RESPONDED.empty_table(), pd.DataFrame(), {}, contact_cost=0, margin_floor=0)
