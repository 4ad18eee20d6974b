"""The ledger's facts about one playbook condensed by SQL (``include/sql/measured_*.sql``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from reactivation import paths
from reactivation.evidence import open_engine
from reactivation.measures.crediting import credit
from reactivation.measures.windows import RETAINED_DAYS, VALUE_DAYS

Row = dict[str, Any]


@dataclass(frozen=True)
class Outreach:
    """The results of the statements of the same names, as rows; ``credits``: rows of ``crediting.credit``."""

    totals: Row
    money: list[Row]
    credits: list[Row]
    journeys: list[Row]
    offers: list[Row]
    cohorts: list[Row]
    waits: list[Row]


def count_outreach(
    sent: pa.Table, told: pa.Table, first_decided: pa.Table, *, response_days: int, reactivated_days: int, now: datetime
) -> Outreach:
    """What came of the messages ``sent``; tables as ``ledger.measured`` gives them."""
    with open_engine() as engine:

        def ask(name: str, **parameters: Any) -> pa.Table:  # noqa: ANN401
            return engine.sql(paths.sql(f"measured_{name}"), params=parameters).to_arrow_table()

        for name, table in {"sent": sent, "told": told, "first_decided": first_decided}.items():
            engine.register(name, table)
        people = ask(
            "people", response_days=response_days, reactivated_days=reactivated_days, retained_days=RETAINED_DAYS,
        )  # fmt: skip
        engine.register("people", people)
        returned = ask("returned")
        engine.register("returned", returned)
        (totals,) = ask("totals", now=now, value_days=VALUE_DAYS).to_pylist()
        return Outreach(
            totals=totals,
            money=ask("money", value_days=VALUE_DAYS, retained_days=RETAINED_DAYS).to_pylist(),
            credits=credit(returned, ask("paths")),
            journeys=ask("journeys", now=now, reactivated_days=reactivated_days).to_pylist(),
            offers=ask("offers").to_pylist(),
            cohorts=ask("cohorts").to_pylist(),
            waits=ask("waits", now=now, reactivated_days=reactivated_days).to_pylist(),
        )
