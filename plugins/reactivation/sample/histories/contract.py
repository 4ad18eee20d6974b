# ruff: noqa: S608 - SQL is made of contract names only
"""A purchases table of the contract, CSV, JSON lines or Parquet, read by the same reader as a source of a run.

A real history is never mended: one row that breaks the contract refuses the file, and names the row.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from reactivation import paths
from reactivation.contract.tables import PURCHASES
from reactivation.evidence import open_engine
from reactivation.sample.countries import COUNTRIES, NOWHERE
from reactivation.sample.errors import SampleError
from reactivation.sample.histories.history import History
from reactivation.sources import SourceError
from reactivation.sources.files import open_file
from reactivation.sources.rows import load, prepare
from reactivation.sources.values import install_macros

ENDINGS = (".csv", ".jsonl", ".parquet")
_DECIDED = (
    "The rows are those of the file, as the contract reads them; a copy of a row that is there twice is left out.",
    "The file knows no countries: a customer lives where the money of the last purchase is at home (EUR: Germany,"
    " France and Ireland in turn), and in no known country if that money is unknown here.",
)  # fmt: skip


def read_contract(path: Path) -> History:
    """The history in a file with the columns of ``purchases``. Raises ``SampleError`` with the row that is wrong."""
    with TemporaryDirectory() as work, open_engine() as engine:
        install_macros(engine)
        prepare(engine)
        try:
            raw = open_file(engine, PURCHASES, path, Path(work))
            missing = [name for name in PURCHASES.required if name not in raw.types]
            if missing and raw.types:
                raise SampleError(f"{path} has no column {', '.join(missing)}: add it, purchases need it")
            load(engine, PURCHASES, raw)
        except SourceError as problem:
            raise SampleError(f"{path.parent}/{problem}") from None
        _refuse_broken(engine, path)
        names = ", ".join(PURCHASES.schema.names)
        purchases = engine.sql(f"SELECT {names} FROM typed_purchases ORDER BY row").to_arrow_table()
        customers = engine.sql(paths.sql("history_customers")).to_arrow_table()
        products = engine.sql(paths.sql("history_products")).to_arrow_table()
    if not purchases.num_rows:
        raise SampleError(f"{path} has no purchases: export the purchase history again, with its header and rows")
    purchases = purchases.cast(PURCHASES.schema)
    return History(
        title=path.name,
        purchases=purchases,
        customers=pa.table({"customer_id": customers["customer_id"], "country": _countries(customers["currency"])}),
        products=products,
        counts={"purchases": purchases.num_rows, "customers": customers.num_rows,
                "products": products.num_rows},
        decided=_DECIDED,
        margins="margin" in raw.types and purchases["margin"].null_count < purchases.num_rows,
    )  # fmt: skip


def _refuse_broken(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    found = engine.sql('SELECT row, "column", reason FROM problems ORDER BY ALL LIMIT 1').fetchall()
    if found:
        ((row, column, reason),) = found
        ((rows,),) = engine.sql("SELECT count(DISTINCT row) FROM problems").fetchall()
        raise SampleError(
            f"{path} row {row} of data: {column} breaks the contract ({reason}), {rows} rows do in all. A real "
            "history is not mended here: correct these rows or take them out"
        )


def _countries(currency: pa.ChunkedArray) -> pa.Array:
    """The country of each customer's money; where several have it, those with made-up customers take turns."""
    homes: dict[str, list[str]] = {}
    for country in sorted(COUNTRIES, key=lambda country: country.share == 0):
        there = homes.setdefault(country.currency, [])
        if country.share or not there:
            there.append(country.code)
    codes = currency.to_pylist()
    found = [homes.get(code, [NOWHERE]) for code in codes]
    return pa.array([home[number % len(home)] for number, home in enumerate(found)], pa.string())
