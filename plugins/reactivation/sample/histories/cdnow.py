"""CDNOW: what customers of a record shop bought, 1997-01-01 to 1998-06-30 (Fader and Hardie).

A line is a transaction: customer, day (yyyymmdd), number of CDs, dollars; the 1/10 sample has its own customer number
second. Nothing is merged, same-day purchases neither: the models that want one occasion a day merge by themselves.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import MONEY, PURCHASES, TIME, WHOLE
from reactivation.sample.errors import SampleError
from reactivation.sample.histories.history import History

NAMES = ("CDNOW_master.txt", "CDNOW_sample.txt")
_COLUMNS = r"(?P<day>\d{8}) +(?P<cds>\d{1,4}) +(?P<dollars>\d{1,6}\.\d\d) *$"
_LINES = {
    "CDNOW_master.txt": rf"^ *(?P<customer>\d{{5}}) +{_COLUMNS}",
    "CDNOW_sample.txt": rf"^ *(?P<customer>\d{{5}}) +\d{{4}} +{_COLUMNS}",
}
_HEADER = "customer_id"
_NOON = 12 * 3_600_000_000
_DECIDED = (
    "A line is a purchase, two of one day and customer are two; some are worth nothing and stay.",
    "The file knows days only: a purchase is at noon UTC, which is that day in every American zone.",
    "The customer id is the master file's; dollars are USD; all customers are dressed as people in the United States.",
    "All that was sold is CDs: one product, one category.",
)


def read_cdnow(path: Path) -> History:
    """The history in a file of one of ``NAMES``. Raises ``SampleError`` with the line that is wrong."""
    name = next(known for known in NAMES if known.casefold() == path.name.casefold())
    try:
        text = path.read_bytes().decode("ascii")
    except UnicodeDecodeError as problem:
        raise SampleError(f"{path} is not plain text at byte {problem.start}: get CDNOW's file again") from None
    lines = text.splitlines()
    first = 1 if lines and lines[0].split()[:1] == [_HEADER] else 0
    if not any(line.strip() for line in lines[first:]):
        raise SampleError(f"{path} has no transactions: get CDNOW's file again")
    given = pc.extract_regex(pa.array(lines[first:], pa.string()), _LINES[name])
    day = pc.strptime(pc.struct_field(given, "day"), format="%Y%m%d", unit="us", error_is_null=True)
    real = pc.fill_null(pc.equal(pc.strftime(day, format="%Y%m%d"), pc.struct_field(given, "day")), False)
    if not pc.all(real).as_py():
        wrong = first + 1 + pc.index(real, False).as_py()
        raise SampleError(f"{path} line {wrong} is no transaction of {name}: get CDNOW's file again")
    if not text.endswith("\n"):
        raise SampleError(f"{path} line {len(lines)} has no end: the file is cut short, get CDNOW's file again")
    customer = pc.struct_field(given, "customer")
    cds = pc.struct_field(given, "cds").cast(WHOLE)
    dollars = pc.struct_field(given, "dollars").cast(MONEY)
    size = len(given)
    at = pc.add(day.cast(pa.int64()), _NOON).cast(TIME)
    columns = {
        "purchase_id": pc.binary_join_element_wise("cdnow-", _padded(size), ""), "customer_id": customer,
        "occurred_at": at, "kind": _all("order", size), "amount": dollars, "currency": _all("USD", size),
        "category": _all("music", size), "product": _all("cd", size), "quantity": cds,
    }  # fmt: skip
    customers = pc.unique(customer).sort()
    return History(
        title="CDNOW (Fader and Hardie)",
        purchases=pa.table([columns.get(f.name, pa.nulls(size, f.type)) for f in PURCHASES.schema], PURCHASES.schema),
        customers=pa.table({"customer_id": customers, "country": _all("US", len(customers))}),
        products=pa.table({"product_id": ["cd"], "name": ["Compact disc"], "category": ["music"]}),
        counts={"transactions": size, "customers": len(customers), "CDs": pc.sum(cds).as_py(),
                "dollars": pc.sum(dollars).as_py()},
        decided=_DECIDED,
        margins=False,
    )  # fmt: skip


def _padded(size: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(range(1, size + 1), pa.int64()).cast(pa.string()), 6, "0")


def _all(word: str, size: int) -> pa.Array:
    return pa.repeat(pa.scalar(word), size)
