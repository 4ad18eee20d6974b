"""What a history knows of each customer, and that nothing made up contradicts it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from reactivation.contract.tables import PURCHASES
from reactivation.sample.columns import hundredths
from reactivation.sample.dice import Dice
from reactivation.sample.histories import History
from reactivation.sample.past import lives, past_of
from reactivation.sample.traits import WINDOWS
from reactivation.sample.world import BUSINESS, CARE_PLAN, HOUSEHOLD

AS_OF = datetime(2026, 11, 24, 10, tzinfo=UTC)
AT = int(AS_OF.timestamp())
DAY = 86_400


def history(*bought: tuple[str, float, str], kind: str = "order", cancelled: tuple[int, ...] = ()) -> History:
    """Purchases (customer, days before as-of, amount); ``cancelled`` are the places of those cancelled the next day."""
    rows = [
        {
            "purchase_id": f"p{number}", "customer_id": customer, "occurred_at": AS_OF - timedelta(days=days),
            "kind": kind, "amount": Decimal(amount), "currency": "GBP", "quantity": 1,
            "cancelled_at": AS_OF - timedelta(days=days - 1) if number in cancelled else None,
        }
        for number, (customer, days, amount) in enumerate(bought)
    ]  # fmt: skip
    ids = sorted({customer for customer, _, _ in bought})
    return History(
        title="a test", purchases=pa.Table.from_pylist(rows, schema=PURCHASES.schema),
        customers=pa.table({"customer_id": pa.array(ids, pa.string()), "country": pa.array(["GB"] * len(ids))}),
        products=pa.table({name: pa.array([], pa.string()) for name in ("product_id", "name", "category")}),
        counts={}, decided=(), margins=False,
    )  # fmt: skip


class TestPast:
    """Facts of each customer."""

    def test_first_last_and_how_often(self) -> None:
        """In the order of the ids, in whole days before as-of."""
        past = past_of(history(("b", 40, "5"), ("a", 300, "5"), ("a", 100, "5"), ("a", 200, "5")), AT)
        assert past.customer_id.to_pylist() == ["a", "b"]
        assert ((AT - past.first) // DAY).tolist() == [300, 40]
        assert ((AT - past.last) // DAY).tolist() == [100, 40]
        assert past.purchases.tolist() == [3, 1]

    def test_a_cancelled_purchase_is_no_sign_of_life(self) -> None:
        """The one before it is the last; where there is no other, it tells at least when the customer was there."""
        bought = (("a", 300, "5"), ("a", 100, "5"), ("b", 50, "5"))
        past = past_of(history(*bought, cancelled=(1, 2)), AT)
        assert ((AT - past.last) // DAY).tolist() == [300, 50]
        assert past.purchases.tolist() == [1, 0]

    def test_a_cancelled_subscription_was_one(self) -> None:
        """It ended, and until then it was paid."""
        past = past_of(history(("a", 100, "5"), kind="subscription", cancelled=(0,)), AT)
        assert (past.purchases.tolist(), past.segment.tolist()) == ([1], [CARE_PLAN])

    def test_who_buys_like_a_firm_is_one(self) -> None:
        """Three purchases at two and a half times the usual average; twice is too seldom, less is too little."""
        usual = [(name, 10, "100") for name in ("u", "v", "w", "x")]
        firm = [("a", days, "250") for days in (1, 2, 3)]
        seldom = [("b", days, "900") for days in (1, 2)]
        small = [("c", days, "249.99") for days in (1, 2, 3)]
        past = past_of(history(*usual, *firm, *seldom, *small), AT)
        assert past.segment.tolist() == [BUSINESS] + [HOUSEHOLD] * 6

    def test_the_last_year_is_what_an_account_is_worth(self) -> None:
        """In hundredths; older and cancelled purchases are left out."""
        past = past_of(
            history(("a", 10, "12.345"), ("a", 364, "1"), ("a", 366, "7"), ("a", 5, "9"), cancelled=(3,)), AT
        )
        assert past.yearly.tolist() == [1334]

    def test_a_part_is_a_part(self) -> None:
        """The second and third of four customers."""
        part = past_of(history(*((name, 10, "1") for name in "abcd")), AT).part(1, 2)
        assert (part.customer_id.to_pylist(), len(part.last)) == (["b", "c"], 2)


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0.1, 2000), st.decimals(0, 10_000, places=4)), min_size=1),
    st.integers(0, 1000),
)
def test_what_is_made_up_never_contradicts_the_history(bought: list[tuple[str, float, Decimal]], seed: int) -> None:
    """Whoever bought was there before, was last active no earlier than the last purchase and no later than as-of, and
    is as quiet as that says."""
    past = past_of(history(*((name, days, str(amount)) for name, days, amount in bought)), AT)
    traits, life = lives(Dice(seed), past, np.arange(len(past.last)), 0, AT)
    assert (life.created < past.first).all()
    assert (life.last_purchase == past.last).all()
    assert ((past.last <= life.last_activity) & (life.last_activity <= AT)).all()
    assert (traits.quiet == (AT - life.last_activity) // DAY).all()
    assert (traits.dormant == (traits.quiet >= np.asarray(WINDOWS)[past.segment])).all()
    assert ((traits.account >= 1) == (past.segment == BUSINESS)).all()


@given(st.lists(st.one_of(st.none(), st.decimals(0, 10**13, places=4)), min_size=1), st.integers(0, 3))
def test_hundredths_are_exact(amounts: list[Decimal | None], offset: int) -> None:
    """Of any slice of any column; what is smaller than a hundredth is cut off, nothing is 0."""
    column = pa.chunked_array([pa.array(amounts, PURCHASES.column("amount").type).slice(offset)])
    assert hundredths(column).tolist() == [int((amount or 0) * 100) for amount in amounts[offset:]]
