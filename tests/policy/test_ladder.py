"""The gate ladder: the first no decides while all are recorded. What each gate asks is in ``gates``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from tests.policy.gates.cases import every_case
from tests.policy.people import Row, ago, one, person, stories, suppression, together
from tests.policy.people import decide as decided_by

from reactivation.contract.tables import TEXT, TEXTS
from reactivation.policy.columns import series
from reactivation.policy.context import Context
from reactivation.policy.decisions import DECISIONS, FAIL, GATES
from reactivation.policy.gates import LADDER
from reactivation.policy.ladder import Gate, ask, decide, verdict


def test_the_first_no_decides_and_all_are_told() -> None:
    """Reasons are in the order of the ladder."""
    row = one(person(contact={"fit": "bad", "email_problem": "role"}, consents=[], suppression={}, case={}))

    assert row["reason_codes"] == [
        "suppressed:opt_out", "fit:bad_fit", "open_issue:open_case", "permission:no_record", "unreachable:email_role",
    ]  # fmt: skip


def test_what_asks_for_a_person_is_no_reason_of_a_no() -> None:
    """Sensitive and of unknown fit, and suppressed for want of consent alone."""
    row = one(person(contact={"relationship": "sensitive", "fit": None}, consents=[]))

    assert (row["gate_relationship"], row["gate_fit"]) == ("review:sensitive", "review:fit_unknown")
    assert (row["evidence"]["relationship"], row["evidence"]["fit"]) == ("sensitive", "unknown")
    assert (row["decision"], row["reason_codes"]) == ("suppress", ["permission:no_record"])


FLAGGED: dict[str, tuple[Row, str]] = {
    "without-consent": ({"consents": []}, "consent"),
    "consent-in-conflict": ({"contact": {"consent_email": False}}, "consent"),
    "fit-unknown": ({"contact": {"fit": None}}, "fit"),
    "emailed-yesterday": ({"engagement": {"last_email_sent_at": ago(1)}}, "timing"),
    "sensitive": ({"contact": {"relationship": "sensitive"}}, "relationship"),
    "open-case": ({"case": {}}, "relationship"),
    "discount-buyer": ({"purchases": {"discounted_purchases": 4}}, "offer"),
    "plain": ({}, "offer"),
}


@cache
def flagged() -> dict[str, Row]:
    return stories({name: how for name, (how, _) in FLAGGED.items()})


@pytest.mark.parametrize("story", FLAGGED)
def test_review_requirements_are_flagged(story: str) -> None:
    """Consent, fit, timing, offer or relationship (seed 000), and none that is not called for."""
    assert set(flagged()[story]["review_flags"]) == {FLAGGED[story][1], "offer"}


def test_all_reasons_for_a_review_are_told() -> None:
    """Not only the first."""
    row = one(person(contact={"relationship": "sensitive", "fit": None, "value_tier": "high"}, account={}))

    assert row["review_reasons"] == ["sensitive", "fit_unknown", "high_value"]
    assert (row["decision"], row["reason_codes"]) == ("review", row["review_reasons"])


def test_an_offer_to_an_account_is_reviewed() -> None:
    """Never as one of a group."""
    assert one(person(account={}))["review_reasons"] == ["offer_to_account"]


class TestPeopleBehindOneAddress:
    """A no of any customer behind the same address is a no for all of them."""

    def rows(self, other: Row, **shared: Any) -> Row:
        contact = {"email_key": "mail-c-1"} | shared
        return one(together(person(), person("c-2", **(other | {"contact": contact | other.get("contact", {})}))))

    @pytest.mark.parametrize(
        ("other", "reason"),
        [
            ({"suppression": {}}, "suppressed:opt_out"),
            ({"engagement": {"last_complaint_at": ago(10)}}, "suppressed:complaint"),
            ({"consent": {"state": "objected"}}, "suppressed:objection"),
            ({"contact": {"relationship": "legal"}}, "relationship:legal"),
            ({"case": {}}, "open_issue:open_case"),
            ({"consent": {"state": "withdrawn"}}, "permission:shared_address"),
        ],
    )
    def test_its_no_counts(self, other: Row, reason: str) -> None:
        """Suppressions are united, permissions intersected."""
        assert self.rows(other)["reason_codes"][0] == reason

    def test_its_relationship_counts_whatever_it_is(self) -> None:
        """The worst of all customers behind the address, sensitive ones included."""
        codes = ("no_contact", "legal", "dispute", "poor", "sensitive")
        told = {code: {"contact": {"email_key": f"mail-{code}"}} for code in codes}
        other = {f"other-{code}": {"contact": {"email_key": f"mail-{code}", "relationship": code}} for code in codes}

        rows = stories(told | other)

        assert {code: rows[code]["evidence"]["relationship"] for code in codes} == {code: code for code in codes}
        assert rows["sensitive"]["decision"] == "review"

    def test_a_suppressed_address_suppresses_its_customers(self) -> None:
        """Known by address only, without a customer."""
        tables = person() | {"suppressions": [suppression(address_key="mail-c-1")]}

        assert one(tables)["evidence"]["suppression_ids"] == ["s-1"]

    def test_another_brands_suppression_is_not_ours(self) -> None:
        """One without a brand is everybody's."""
        tables = person(suppression={"brand": "finch_gardens"})

        assert one(tables)["decision"] == "enrol"

    def test_an_address_of_very_many_is_nobodys_own(self) -> None:
        """Twenty may share one, twenty-one may not."""
        crowd = [person(f"c-{n}", contact={"email_key": "info"}) for n in range(1, 22)]

        assert one(together(*crowd[:20]))["gate_reachable"] == "pass"
        assert one(together(*crowd))["gate_reachable"] == "fail:email_shared_by_many"

    @pytest.mark.parametrize(
        "broken",
        [
            {"customer_id": "c-1"}, {"address_key": "mail-c-1"}, {"account_id": "a-c-1"},
        ],
    )  # fmt: skip
    def test_a_no_that_cannot_be_read_is_a_no(self, broken: Row) -> None:
        """Whatever of its subject could be read."""
        tables = person(account={}) | {"broken_nos": [{"table": "consents", "key": "r-9"} | broken]}

        row = one(tables)

        assert (row["decision"], row["reason_codes"][0]) == ("suppress", "evidence_broken:consents")
        assert row["evidence"]["broken_tables"] == ["consents"]


class TestLadder:
    """How a ladder is climbed, whatever its gates."""

    facts = pd.DataFrame({"x": series(pa.array([1, None]))})
    context: Context = None  # type: ignore[assignment]  # these gates ask nothing of it

    def test_a_gate_that_breaks_fails_everybody(self) -> None:
        """An exception is a no, and does not stop the run."""

        def broken(facts: pd.DataFrame, context: Context) -> pd.Series:
            raise ZeroDivisionError

        results = ask([Gate("broken", broken, "suppress", "b")], self.facts, self.context)

        assert results["gate_broken"].tolist() == ["fail:error", "fail:error"]

    def test_an_empty_result_fails_that_row(self) -> None:
        """Nobody passes by saying nothing."""
        gate = Gate("shy", lambda facts, _: results_of("pass", None), "suppress", "s")

        assert ask([gate], self.facts, self.context)["gate_shy"].tolist() == ["pass", "fail:unknown"]

    def test_an_unknown_condition_is_a_no(self) -> None:
        """Comparing with nothing is unknown."""
        assert verdict(("fail:small", self.facts["x"] < 0)).tolist() == ["pass", "fail:small"]

    def test_the_gates_are_those_of_the_rules_in_their_order(self) -> None:
        """Names, and one column each."""
        assert tuple(gate.name for gate in LADDER) == GATES
        assert [name for name in DECISIONS.names if name.startswith("gate_")] == [f"gate_{name}" for name in GATES]

    def test_the_order_of_the_ladder_decides(self) -> None:
        """The same two noes, climbed in either order."""
        gates = [Gate(name, lambda f, c: results_of(f"{FAIL}x", f"{FAIL}x"), outcome, name)
                 for name, outcome in (("a", "hold"), ("b", "suppress"))]  # fmt: skip
        results = ask(gates, self.facts, self.context)
        nothing = series(pa.array([[], []], TEXTS))

        assert decide(gates, results, nothing)["decision"].tolist() == ["hold", "hold"]
        assert decide(gates[::-1], results, nothing)["decision"].tolist() == ["suppress", "suppress"]


def results_of(*values: str | None) -> pd.Series:
    return series(pa.array(values, TEXT))


def test_everybody_is_counted_once(tmp_path: Path) -> None:
    """As a candidate with one decision, or as none with one reason."""
    told = every_case()
    everybody = decided_by(together(*(person(name, **case[0]) for name, case in told.items())), place=tmp_path / "s")
    counts = everybody.counts

    assert counts["customers"] == len(told)
    assert counts["candidates"] + sum(counts["not_candidates"].values()) == counts["customers"]
    assert sum(counts["decisions"].values()) == counts["candidates"]
    assert sum(counts["reasons"].values()) == counts["candidates"] - counts["decisions"]["enrol"]
