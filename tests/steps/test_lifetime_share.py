"""What somebody redeemed once is held, by the run a year later, against the margin they brought in all that time."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from tests.builders import Row, days_ago, purchase
from tests.company import Company
from tests.sending import Ready, source_tables
from tests.steps.recording import LATER, customers_of, recorded, went_out

from reactivation.ledger import codes
from reactivation.ledger.tables import enrolments, touches
from reactivation.steps.explain import explain_customer

#: No incentive within a year; by then the cool-down of the sequence is over, too.
A_YEAR_ON = LATER + timedelta(days=366)
BOUGHT = LATER - timedelta(hours=1)


def _codes(ready: Ready) -> dict[str, str]:
    """The code of each customer's credit, which was signed for 15 pounds."""
    query = select(enrolments.c.customer_id, touches.c.touch_id).join(
        touches, touches.c.enrolment_id == enrolments.c.enrolment_id
    )
    with ready.workspace.ledger.begin() as conn:
        given = codes.codes_of(conn, "customer_reactivation")
        rows = conn.execute(query.where(touches.c.touch_id.in_(given))).all()
    return {row.customer_id: given[row.touch_id] for row in rows}


def _order(purchase_id: str, customer_id: str, at: datetime, margin: int, **changes: Any) -> Row:
    return purchase(purchase_id, customer_id, at, amount=Decimal(100), margin=Decimal(margin), **changes)


def _decided(ready: Ready, *bought: Row) -> dict[str, dict[str, Any]]:
    """The decisions of a run a year later, after two purchases of 70 pounds margin each and what else was bought.

    The offers run on; the purchases were told to the ledger when they were made.
    """
    told = source_tables()
    people = sorted({row["customer_id"] for row in bought})
    early = [_order(f"b-{n}-{who}", who, days_ago(140 + n), 70) for who in people for n in range(2)]
    kept = [row for row in told["purchases"] if row["customer_id"] not in people]
    told["purchases"] = [*kept, *early, *bought]
    ready.say(as_of=LATER, purchases=told["purchases"])
    recorded(ready)
    live = [row | {"ends_at": A_YEAR_ON + timedelta(days=90)} for row in told["offers"]]
    ready.say(as_of=A_YEAR_ON, purchases=told["purchases"], offers=live)
    run_id = Company(ready.workspace).run(now=A_YEAR_ON, dry=True)
    rows = ready.workspace.run_folder(run_id).read("decisions").to_pylist()
    return {row["customer_id"]: row for row in rows}


def test_who_redeemed_too_much_of_their_margin_gets_no_offer(ready: Ready) -> None:
    """A fifth of 200 pounds of margin is 40: with 40.00 taken off Ann had that, with 39.99 Bob had not; of Cat's code
    nobody said what was taken off, and it was signed for 15.00."""
    went_out(ready)
    ann, bob, cat = customers_of(ready)[:3]
    code = _codes(ready)
    rows = _decided(ready, *(
        _order(f"b-new-{who}", who, BOUGHT, 60, offer_code=code[who], discount=None if off is None else Decimal(off))
        for who, off in ((ann, "40.00"), (bob, "39.99"), (cat, None))
    ))  # fmt: skip

    said = {who: rows[who]["gate_offer_allowed"] for who in (ann, bob, cat)}
    assert said[ann] == "drop:lifetime_share"
    assert {said[bob], said[cat]} == {"pass"}
    evidence = {who: rows[who]["evidence"] for who in said}
    assert [evidence[who]["redeemed_cost"] for who in said] == [Decimal("40.00"), Decimal("39.99"), Decimal("15.00")]
    assert {(one["redeemed_currency"], one["lifetime_margin"]) for one in evidence.values()} == {("GBP", Decimal(200))}
    assert rows[ann]["offer_position"] == "none"
    told = explain_customer(ready.workspace, ann, "customer_reactivation")
    assert "1 incentives redeemed for 40.00 GBP of a margin of 200.00 GBP ever" in told


def test_what_cannot_be_compared_is_no(ready: Ready) -> None:
    """Paid in euro where all else was in pounds, so that neither the margin nor the share is known."""
    went_out(ready)
    ann = customers_of(ready)[0]
    cent = {"currency": "EUR", "discount": Decimal("0.01")}
    bought = _order("b-new", ann, BOUGHT, 60, offer_code=_codes(ready)[ann], **cent)

    row = _decided(ready, bought)[ann]

    assert row["gate_offer_allowed"].startswith("drop:")
    assert (row["evidence"]["redeemed_cost"], row["evidence"]["redeemed_currency"]) == (Decimal("0.01"), "EUR")
    assert row["evidence"]["lifetime_margin"] is None
