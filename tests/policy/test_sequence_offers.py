"""Offers in a sequence: which rest after earlier ones, and how far a budget reaches (RULES.md)."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.policy.people import ago, decide, known, rules, together
from tests.policy.people import person as customer
from tests.policy.sequences import CREDIT, FULL, PERCENT, offers, plan

from reactivation.contract.tables import TEXT
from reactivation.policy.budgets import within_budget
from reactivation.policy.sequence import (
    CANDIDATE_COLUMNS,
    SKIPPED,
    candidates_for_sequence,
)
from reactivation.policy.sequence import OFFERED as OFFERED_BEFORE


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

    def test_overdrawn_codes_serve_nobody(self) -> None:
        """Five promised of two, or just as many as there are."""
        for promised in (5, 2):
            reasons = self.budgeted({"offer-credit-15": promised}, codes_available=2)
            assert set(reasons.values()) == {"offer_codes"}

    def test_codes_run_out(self) -> None:
        """One code left of two."""
        reasons = self.budgeted({"offer-credit-15": 1}, codes_available=2)
        assert reasons == {"cus-c": None, "cus-a": "offer_codes", "cus-b": "offer_codes"}

    def test_an_offer_without_codes_or_cost_is_unlimited(self) -> None:
        """No code needed and no cost: everybody is served."""
        assert set(self.budgeted({}, codes_available=None, unit_cost=Decimal(0)).values()) == {None}
