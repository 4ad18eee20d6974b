"""One amount that cannot be meant, or many that hardly can, must not stop the decisions about everybody."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.builders import Row, account, contact, days_ago, purchase
from tests.sources.reads import plus
from tests.steps.six import Six

from reactivation.evidence import SnapshotFolder
from reactivation.ledger.engine import open_ledger
from reactivation.ledger.migrations import upgrade

_ACCOUNTS = "dormant_account_outreach"
#: The most an amount may be, and the most the contract's type can hold.
_MOST, _FULL = Decimal("99999999999.9999"), Decimal("99999999999999.9999")


def six_of(home: Path) -> Six:
    """A home with a ledger of its own."""
    url = f"sqlite:///{home / 'ledger.db'}"
    upgrade(url)
    return Six(home / "home", open_ledger(url))


def decided(folder: Path, **tables: list[Row]) -> tuple[SnapshotFolder, dict[str, dict[str, Any]]]:
    """The snapshot, and every decision of the accounts' playbook and those before it, by customer."""
    six = six_of(folder)
    six.write(**tables)
    snapshot = six.workspace.snapshot_folder(six.snapshot().name)
    rows = six.workspace.run_folder(six.decided(dry=True, playbook=_ACCOUNTS)).read("decisions").to_pylist()
    return snapshot, {row["customer_id"]: row for row in rows}


@pytest.mark.parametrize(
    ("name", "value"),
    [("amount", _FULL), ("amount", Decimal(10**11)), ("margin", -_FULL), ("discount", _FULL)],
)
def test_a_purchase_that_cannot_be_meant_is_set_aside(tmp_path: Path, name: str, value: Decimal) -> None:
    """By its reason; everybody is decided."""
    bad = purchase("b-9", "c-ada", days_ago(200), **{name: value})
    snapshot, decisions = decided(tmp_path, purchases=plus("purchases", bad))
    said = [(row["key"], row["column"], row["reason"]) for row in snapshot.read("quarantine").to_pylist()]
    assert said == [("b-9", name, "too_large")]
    assert "c-cem" in decisions


def test_sums_are_decided_whatever_passes(tmp_path: Path) -> None:
    """More than a thousand of the largest amounts, of several contacts of one account, whose margin is a multiple of
    their revenue or far below nothing; more than the type of an amount can hold is told as the most it can."""
    contacts = [contact(f"c-{n}", account_id="a-quay", business_segment="business") for n in range(12)]
    many = [
        purchase(f"b-{who}-{n}", f"c-{who}", days_ago(200 + n % 30), amount=_MOST, margin=-_MOST, discount=_MOST)
        for who in range(12) for n in range(1001)
    ]  # fmt: skip
    odd = [
        purchase("b-little", "c-ada", days_ago(150), amount=Decimal("0.0001"), margin=_MOST),
        purchase("b-old", "c-ada", days_ago(900), amount=_MOST, margin=None),
        purchase("b-lost", "c-ben", days_ago(150), amount=Decimal("0.0001"), margin=-_MOST),
        purchase("b-large", "c-fay", days_ago(150), amount=Decimal("9999999999.00")),
    ]
    large = account("a-quay", primary_contact_id="c-0", annual_value=_MOST)
    snapshot, decisions = decided(
        tmp_path, contacts=plus("contacts", *contacts), purchases=plus("purchases", *many, *odd),
        accounts=[large],
    )  # fmt: skip
    assert snapshot.read("quarantine").num_rows == 0
    summary = {row["customer_id"]: row for row in snapshot.read("purchase_summary").to_pylist()}
    told = ("revenue", "revenue_24m", "margin_24m", "margin_revenue_24m", "discount_total")
    assert [summary["c-3"][name] for name in told] == [_FULL, _FULL, -_FULL, _FULL, _FULL]
    assert summary["c-fay"]["revenue"] == Decimal("10000000119.00")
    firm = next(row for row in decisions.values() if row["account_id"] == "a-quay")
    assert firm["annual_value"] == _MOST
    assert (firm["evidence"]["revenue_24m"], firm["evidence"]["margin_24m"]) == (_FULL, -_FULL)


def test_everybody_is_decided_beside_one_who_is_worth_too_much(tmp_path: Path) -> None:
    """The playbook for persons: what a lifetime's margin and an order's worth come to has its bound too."""
    six = six_of(tmp_path)
    odd = [
        purchase("b-little", "c-ada", days_ago(150), amount=Decimal("0.0001"), margin=_MOST),
        purchase("b-old", "c-ada", days_ago(900), amount=_MOST, margin=None),
        purchase("b-lost", "c-ben", days_ago(150), amount=Decimal("0.0001"), margin=-_MOST),
        purchase("b-gone", "c-ben", days_ago(900), amount=_MOST, margin=None),
    ]
    six.write(purchases=plus("purchases", *odd)[3:])
    six.snapshot()
    rows = six.workspace.run_folder(six.decided(dry=True)).read("decisions").to_pylist()
    lifetime = {row["customer_id"]: row["evidence"]["lifetime_margin"] for row in rows}
    assert abs(lifetime["c-ada"] - _FULL) < 1
    assert lifetime["c-cem"] == 300
