"""Whom a pilot is of, and who is kept out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from reactivation.contract.tables import MONEY
from reactivation.policy.pilots import OUTSIDE, OVER, Sample, kept_out, top

ROWS = pa.schema([
    ("customer_id", pa.string()), ("account_id", pa.string()), ("business_segment", pa.string()),
    ("owner_id", pa.string()), ("decision", pa.string()), ("priority", MONEY),
])  # fmt: skip


def rows(**told: dict[str, Any]) -> pa.Table:
    regular = {"account_id": None, "business_segment": "household", "owner_id": "own-ada", "decision": "enrol"}
    listed = [{"customer_id": name.replace("_", "-"), "priority": Decimal(50), **regular, **how}
              for name, how in told.items()]  # fmt: skip
    return pa.Table.from_pylist(listed, schema=ROWS)


def sample(**changes: Any) -> Sample:
    return Sample(**({"subject": "customer", "segment": "household", "subjects": (), "owner_id": "own-ada"} | changes))


SOME = rows(c_1={}, c_2={"business_segment": "business"}, c_3={"owner_id": "own-ben"}, c_4={"account_id": "a-1"},
            c_5={"owner_id": None}, c_6={"business_segment": None})  # fmt: skip


@pytest.mark.parametrize(("of", "outside"), [
    (sample(), {"c-2", "c-3", "c-5", "c-6"}),
    (sample(segment=None, subjects={"c-1", "c-3"}), {"c-2", "c-3", "c-4", "c-5", "c-6"}),
    (sample(subject="account", segment=None, subjects={"a-1"}, owner_id=None), {"c-1", "c-2", "c-3", "c-5", "c-6"}),
    (sample(subject="account", owner_id=None), {"c-2", "c-6"}),
    (sample(segment=None), {"c-1", "c-2", "c-3", "c-4", "c-5", "c-6"}),
])  # fmt: skip
def test_who_is_outside(of: Sample, outside: set[str]) -> None:
    """Another segment, another owner, or not among those named; an unknown one is outside."""
    assert kept_out(SOME, of) == dict.fromkeys(outside, OUTSIDE)


def test_without_a_pilot_nobody_is_kept_out() -> None:
    """The playbook is in none."""
    assert kept_out(SOME, None) == {}


def test_when_it_is_over_nobody_begins() -> None:
    """Inside or outside, each with the reason."""
    assert kept_out(rows(c_1={}, c_2={"owner_id": "own-ben"}), sample(is_over=True)) == {"c-1": OVER, "c-2": OUTSIDE}


def test_the_best_are_chosen_by_priority_then_id() -> None:
    """Of customers, those of the owner who may be contacted; unknown priorities come last."""
    found = rows(c_b={}, c_a={}, c_best={"priority": Decimal(90)}, c_none={"priority": None},
                 c_no={"decision": "suppress", "priority": Decimal(99)}, c_ben={"owner_id": "own-ben"})  # fmt: skip
    assert top(found, 3, subject="customer", owner_id="own-ada") == ["c-best", "c-a", "c-b"]
    assert top(found, 9, subject="customer", owner_id="own-ada")[-1] == "c-none"
    assert top(found, 4, subject="customer", owner_id=None) == ["c-best", "c-a", "c-b", "c-ben"]


def test_accounts_are_chosen_whatever_was_decided() -> None:
    """Each once, by the best of its contacts; one left alone is an outcome, too."""
    found = rows(c_1={"account_id": "a-1", "priority": Decimal(10)}, c_2={"account_id": "a-1", "priority": Decimal(80)},
                 c_3={"account_id": "a-2", "decision": "suppress"}, c_4={})  # fmt: skip
    assert top(found, 5, subject="account", owner_id=None) == ["a-1", "a-2"]
