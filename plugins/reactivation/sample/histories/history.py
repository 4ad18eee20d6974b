"""What is known of a real purchase history before anything is made up about its customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

_HOUR = 10
_SATURDAY = 5


@dataclass(frozen=True)
class History:
    """The real purchases and what their file says of customers and products.

    ``purchases`` are rows of the contract in the file's order; ``customers`` have ``customer_id`` and ``country`` (ISO
    code, empty where unknown), ``products`` have ``product_id``, ``name`` and ``category``; both sorted by id.
    ``counts`` is what was counted in the file, to be held against what is published of it; ``decided`` says in
    sentences what its rows were taken for. Without ``margins`` the file says nothing about margins.
    """

    title: str
    purchases: pa.Table
    customers: pa.Table
    products: pa.Table
    counts: Mapping[str, int | Decimal]
    decided: tuple[str, ...]
    margins: bool

    def until(self, as_of: datetime) -> History:
        """What was known at an instant: later purchases, cancellations and customers are left out."""
        known = self.purchases.filter(pc.less_equal(self.purchases["occurred_at"], _instant(as_of)))
        cancelled = known["cancelled_at"]
        later = pc.fill_null(pc.greater(cancelled, _instant(as_of)), False)
        cancelled = pc.if_else(later, pa.scalar(None, cancelled.type), cancelled)
        field = known.schema.field("cancelled_at")
        known = known.set_column(known.schema.get_field_index("cancelled_at"), field, cancelled)
        customers = self.customers.filter(
            pc.is_in(self.customers["customer_id"], known["customer_id"].combine_chunks())
        )
        return replace(self, purchases=known, customers=customers)

    @property
    def speaks(self) -> datetime:
        """The instant to decide at when none is given: the first working day's 10:00 UTC after the last purchase."""
        last: datetime = pc.max(self.purchases["occurred_at"]).as_py().astimezone(UTC)
        after = last.replace(hour=_HOUR, minute=0, second=0, microsecond=0)
        while after <= last or after.weekday() >= _SATURDAY:
            after += timedelta(days=1)
        return after


def _instant(as_of: datetime) -> pa.Scalar:
    return pa.scalar(as_of.astimezone(UTC), pa.timestamp("us", tz="UTC"))
