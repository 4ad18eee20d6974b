"""Touches that chance withholds from a few, so that what each adds can be told: from whom, and what follows."""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy.stats import chi2_contingency
from tests.policy.people import decide, one, person, playbook, together
from tests.policy.sequences import FULL, SHIPPED, london, plan, touch
from tests.policy.test_accounts import firm, outreach

from reactivation import paths
from reactivation.playbooks.loader import load_all
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Adaptation, Optimizer, Variant, VariantTouch
from reactivation.policy.columns import contains, series
from reactivation.policy.experiments import holdout, variant
from reactivation.policy.rungs import rungs
from reactivation.policy.skips import hashed_for_skips, skipped_touches

SEGMENTS = ("household", "care_plan", "business")
PEOPLE = tuple(f"cus-{number:05}" for number in range(10_000))
NUMBERS = tuple(one.number for one in FULL.touches)


def skipping(share: float = 0.1, of: Playbook = FULL, **changes: Any) -> Playbook:
    return of.model_copy(update={"skipped_share": share, **changes})


def point(text: str) -> int:
    """What the SQL makes of a text, by hand."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def by_hand(customer: str, share: float, salt: str = "2026-h2", of: str = "customer_reactivation") -> list[str]:
    below = share * 2**32
    return [str(number) for number in NUMBERS if point(f"{salt}:skip:{of}:{number}:{customer}") < below]


def decided(declared: Playbook, people: int = 300) -> list[list[str] | None]:
    everybody = together(*(person(f"c-{number:04}") for number in range(people)))
    found: list[list[str] | None] = decide(everybody, declared=declared).table["skipped_touches"].to_pylist()
    return found


class TestByChance:
    """A small share of people is not sent a touch, another one each time."""

    def test_a_touch_is_skipped_by_a_stable_hash_of_salt_playbook_number_and_customer(self) -> None:
        """As anybody can compute it."""
        assert decided(skipping(0.1, playbook())) == [by_hand(f"c-{number:04}", 0.1) for number in range(300)]

    def test_it_depends_on_nobody_else_and_a_larger_share_skips_no_touch_less(self) -> None:
        """Nobody is sent again what he was not to be sent."""
        small, large = decided(skipping(0.05, playbook())), decided(skipping(0.1, playbook()))

        assert decided(skipping(0.05, playbook()), people=60) == small[:60]
        assert all(set(few or ()) <= set(more or ()) for few, more in zip(small, large, strict=True))
        assert small != large

    def test_another_season_and_another_playbook_draw_anew(self) -> None:
        """The same people, other touches."""
        first = decided(skipping(0.1, playbook()))

        assert decided(skipping(0.1, playbook(), holdout_salt="2027-h1")) != first
        assert decided(skipping(0.1, playbook(), playbook="another")) != first

    def test_of_an_account_its_own_id_is_hashed(self) -> None:
        """Whoever of its contacts would be written to."""
        of, ids = outreach(), [f"a-{number}" for number in range(60)]
        texts = {str(one.number): f"2026-h2:skip:{of.playbook}:{one.number}" for one in of.touches}
        drawn = {
            account: [number for number, text in texts.items() if point(f"{text}:{account}") < 0.1 * 2**32]
            for account in ids
        }
        skipped, free = next(i for i in ids if drawn[i]), next(i for i in ids if not drawn[i])

        for account in (skipped, free):
            table = decide(firm(account), declared=skipping(0.1, outreach(), holdout_salt="2026-h2")).table
            assert table["skipped_touches"].to_pylist() == [drawn[account]]


@cache
def skipped_of_many() -> pd.DataFrame:
    """By number, whether each of ``PEOPLE`` is not sent it, of ten in a hundred."""
    declared = skipping(0.1)
    texts = hashed_for_skips(declared)
    points = pa.array([[point(f"2026-h2:{text}:{one}") for text in texts] for one in PEOPLE])
    found = skipped_touches(series(points), declared)
    return pd.DataFrame({number: contains(found, str(number)).to_numpy(dtype=bool) for number in NUMBERS})


class TestOfTenThousand:
    """Hashed by hand, so that chance has room to show."""

    def points(self, word: str) -> pd.Series:
        return pd.Series([point(f"2026-h2:{word}{one}") for one in PEOPLE], dtype="int64[pyarrow]")

    def test_the_share_is_kept_of_each_touch(self) -> None:
        """Within what chance leaves of it: four times .003."""
        assert skipped_of_many().mean().sub(0.1).abs().max() < 0.012

    def test_one_touch_says_nothing_of_another(self) -> None:
        """As many are not sent two as chance has it."""
        skipped = skipped_of_many()
        for first, second in pairwise(NUMBERS):
            assert chi2_contingency(pd.crosstab(skipped[first], skipped[second])).pvalue > 0.001

    def test_it_says_nothing_of_holdout_variant_and_step(self) -> None:
        """And these nothing of it, although all are of the same salt."""
        held_out = holdout(self.points(":"), 0.1)
        variants = (Variant(variant="control", share=0.5),
                    Variant(variant="bold", share=0.5, touches=(VariantTouch(number=1, subject="So"),)))  # fmt: skip
        nobody = pd.Series([False] * len(PEOPLE), dtype="bool[pyarrow]")
        of_variant = variant(self.points("variant:"), nobody, variants)
        explored = FULL.model_copy(update={"optimizer": Optimizer(
            rungs=dict.fromkeys(SEGMENTS, "points_or_credit"), explored=0.1)})  # fmt: skip
        of_rung = rungs(self.points("rung:"), series(pa.repeat("household", len(PEOPLE))), explored)

        for others in (held_out, of_variant, of_rung):
            assert others.nunique() > 1
            for number in NUMBERS:
                table = pd.crosstab(skipped_of_many()[number], np.asarray(others.to_numpy(dtype=object), dtype=str))
                assert chi2_contingency(table).pvalue > 0.0005, number


class TestInThePlan:
    """It only ever withholds."""

    @pytest.mark.parametrize("number", NUMBERS)
    def test_what_is_skipped_changes_what_a_rule_that_skips_it_changes(self, number: int) -> None:
        """The reason alone is another."""
        rule = Adaptation(name="a_rule", because="why not", when={"value_tiers": ["mid"]}, skip_touches=(number,))
        of_rule = plan({"adaptations": ["a_rule"]}, playbook=FULL.model_copy(update={"adaptations": (rule,)}))
        by_chance = plan({"skipped_touches": [str(number)]}, playbook=skipping())

        assert touch(number, by_chance)["reason"] == "skipped_at_random"
        assert by_chance.drop_columns(["reason"]).equals(of_rule.drop_columns(["reason"]))
        others = [[row["reason"] for row in table.to_pylist() if row["number"] != number]
                  for table in (by_chance, of_rule)]  # fmt: skip
        assert others[0] == others[1]

    def test_without_the_first_touch_the_second_waits_as_declared(self) -> None:
        """Counted from the day on which the sequence begins."""
        found = plan({"skipped_touches": ["1"]}, playbook=skipping())
        everything = plan({})

        assert touch(1, found)["state"] == "skipped"
        assert london(touch(2, found)["not_before"]) == london(touch(2, everything)["not_before"])

    def test_a_step_that_was_skipped_was_not_tried(self) -> None:
        """So the discount does not follow."""
        found = plan({"skipped_touches": ["3"]}, playbook=skipping())

        assert {row["number"]: row["reason"] for row in found.to_pylist() if row["reason"]} == {
            3: "skipped_at_random", 6: "step_below_not_tried",
        }  # fmt: skip

    def test_what_another_reason_skips_keeps_it(self) -> None:
        """Chance withheld nothing that would have gone out."""
        found = plan({"skipped_touches": ["2", "6"], "rung": "points_or_credit"})

        assert touch(6, found)["reason"] == "rung"
        assert touch(2, found)["reason"] == "skipped_at_random"

    def test_where_nothing_is_drawn_nothing_changes(self) -> None:
        """Of a playbook that skips, and of one that does not."""
        assert plan({"skipped_touches": []}, playbook=skipping()).equals(plan({}))
        assert decided(playbook(), people=50) == [None] * 50
        skips, plain = (one(person(), declared=of) for of in (skipping(0.1, playbook()), playbook()))
        assert skips | {"skipped_touches": None} == plain


class TestDeclared:
    """By the playbook, when it is read."""

    @pytest.mark.parametrize(
        ("share", "message"),
        [(0.04, "nothing can be told"), (0.11, "less than or equal to 0.1"), (-0.05, "greater than or equal to 0")],
    )
    def test_only_shares_that_tell_something_and_withhold_little(self, share: float, message: str) -> None:
        """Five to ten in a hundred, or none."""
        with pytest.raises(ValidationError, match=message):
            Playbook.model_validate(SHIPPED.model_dump() | {"skipped_share": share})

    @pytest.mark.parametrize("share", [0, 0.05, 0.1])
    def test_both_ends_and_none_are_accepted(self, share: float) -> None:
        """Inclusive."""
        assert Playbook.model_validate(SHIPPED.model_dump() | {"skipped_share": share}).skipped_share == share

    def test_the_only_touch_is_not_skipped_at_random(self) -> None:
        """That is what the holdout is for."""
        alone = SHIPPED.model_dump() | {
            "touches": [SHIPPED.touches[0].model_dump()], "skipped_share": 0.05, "variants": (), "adaptations": (),
        }  # fmt: skip
        with pytest.raises(ValidationError, match="of one touch alone"):
            Playbook.model_validate(alone)

    def test_no_shipped_playbook_skips_any(self) -> None:
        """It is for whoever writes one to turn on."""
        assert {loaded.playbook.skipped_share for loaded in load_all(paths.PLAYBOOKS)} == {0}
