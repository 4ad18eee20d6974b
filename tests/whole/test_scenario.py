"""Document 000's example: a local service company has 400 customers who have not booked in nine months."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.builders import AS_OF, Row, consent, contact, days_ago, purchase, tables, write_source
from tests.company import Company
from tests.sending import NOW, settings

from reactivation.ledger.tables import lists, sends
from reactivation.steps.dispatch import dispatch
from reactivation.steps.workspace import open_workspace

REGULARS, ONCE, TEXTED = 100, 300, 50


def company() -> dict[str, list[Row]]:
    """A hundred regulars who booked eight times, one in two of whom may be texted, and three hundred who booked once,
    at a discount; nobody for nine months. The others of the builders keep the tables from being empty."""
    kept = ("c-dov", "c-eva", "c-fay")
    known = {
        name: [row for row in rows if row.get("customer_id", "c-dov") in (*kept, None)]
        for name, rows in tables().items()
    }
    regulars, once = [f"c-reg{n:03}" for n in range(REGULARS)], [f"c-one{n:03}" for n in range(ONCE)]
    texted = regulars[:TEXTED]
    phones = {customer: f"07700 9{n:05}" for n, customer in enumerate(texted)}
    bookings = [
        purchase(f"b-{customer}-{n}", customer, days_ago(275 + 50 * n), kind="booking", amount=Decimal(300),
                 margin=Decimal(140), discount=None)
        for customer in regulars for n in range(8)
    ]  # fmt: skip
    bargains = [
        purchase(f"b-{customer}", customer, days_ago(275), kind="booking", amount=Decimal(60), margin=Decimal(9),
                 discount=Decimal(20))
        for customer in once
    ]  # fmt: skip
    texts = [
        consent(f"t-{customer}", customer, channel="sms", basis="express_written", method="web form")
        for customer in texted
    ]
    return known | {
        "contacts": [*known["contacts"], *(contact(one, phone=phones.get(one)) for one in (*regulars, *once))],
        "purchases": [*known["purchases"], *bookings, *bargains],
        "consents": [*known["consents"], *(consent(f"r-{one}", one) for one in (*regulars, *once)), *texts],
        "accounts": tables()["accounts"],
    }


@pytest.fixture
def made(tmp_path: Path, sqlite_template: Path) -> Iterator[Company]:
    write_source(tmp_path / "source", as_of=AS_OF, **company())
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(sqlite_template.read_bytes())
    service = Company(open_workspace(settings(tmp_path, f"sqlite:///{ledger}")))
    yield service
    service.workspace.ledger.close()


def test_four_hundred_customers_who_have_not_booked_in_nine_months(made: Company) -> None:
    """High-value regulars are separated from one-time discount buyers, permission to text is flagged, a check-in is
    drafted, and the offer goes to its approver before anything is sent."""
    run = made.run(now=NOW)

    folder = made.workspace.run_folder(run)
    rows = {row["customer_id"]: row for row in folder.read("decisions").to_pylist()}
    regulars = [row for name, row in rows.items() if name.startswith("c-reg")]
    once = [row for name, row in rows.items() if name.startswith("c-one")]
    assert (len(regulars), len(once)) == (REGULARS, ONCE)
    assert {row["dormancy_range"] for row in (*regulars, *once)} == {"deep"}
    assert Counter(row["value_tier"] for row in regulars) == {"high": 80, "mid": 20}
    assert not any(row["value_tier"] == "high" for row in once)
    assert {(row["purchase_repeat"], row["inactivity_reason"]) for row in once} == {
        ("single", "bought_on_discount_only")
    }  # fmt: skip
    assert {row["purchase_repeat"] for row in regulars} == {"repeat"}

    assert sum(row["sms_basis"] == "express_written" for row in regulars) == TEXTED
    assert {row["offer_position"] for row in once} == {"none"}, "discounts train poor-fit behaviour"
    assert {row["offer_position"] for row in regulars} == {"points_or_credit"}, "20 percent are too much of the margin"
    assert all("offer" in row["review_flags"] for row in regulars)

    drafts = folder.read("drafts", ("customer_id", "number", "subject", "offer_id")).to_pylist()
    first = [draft for draft in drafts if draft["number"] == 1]
    assert {draft["subject"] for draft in first} == {"Can I ask you one thing?"}
    with made.workspace.ledger.begin() as conn:
        opened = Counter(conn.scalars(select(lists.c.kind)))
    assert opened["offer"] and opened["content"]
    assert not {draft["customer_id"] for draft in drafts if draft["offer_id"]} & {row["customer_id"] for row in once}

    dispatch(made.workspace, NOW)
    with made.workspace.ledger.begin() as conn:
        assert conn.execute(select(sends)).all() == []
