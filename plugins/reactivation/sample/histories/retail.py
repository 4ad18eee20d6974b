"""Online Retail: the invoice lines of a British gift shop, 2010-12-01 to 2011-12-09 (UCI; Chen 2015, CC BY 4.0)."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reactivation import paths
from reactivation.contract.tables import PURCHASES, TIME
from reactivation.evidence import open_engine
from reactivation.sample.countries import NOWHERE
from reactivation.sample.errors import SampleError
from reactivation.sample.histories.history import History

NAMES = ("online_retail_I.parquet",)
_TYPES = {
    "InvoiceNo": pa.string(), "StockCode": pa.string(), "Description": pa.string(), "Quantity": pa.int64(),
    "InvoiceDate": pa.timestamp("us"), "UnitPrice": pa.float64(), "CustomerID": pa.int64(), "Country": pa.string(),
}  # fmt: skip
_PRICE = pa.decimal128(18, 4)
_CLOCK = "Europe/London"
# As the shop spells them. The Channel Islands are two places with codes of their own; Jersey stands for both.
_COUNTRIES = {
    "United Kingdom": "GB", "Germany": "DE", "France": "FR", "EIRE": "IE", "Spain": "ES", "Netherlands": "NL",
    "Belgium": "BE", "Switzerland": "CH", "Portugal": "PT", "Australia": "AU", "Norway": "NO", "Italy": "IT",
    "Channel Islands": "JE", "Finland": "FI", "Cyprus": "CY", "Sweden": "SE", "Austria": "AT", "Denmark": "DK",
    "Japan": "JP", "Poland": "PL", "Israel": "IL", "USA": "US", "Hong Kong": "HK", "Singapore": "SG", "Iceland": "IS",
    "Canada": "CA", "Greece": "GR", "Malta": "MT", "United Arab Emirates": "AE", "RSA": "ZA", "Lebanon": "LB",
    "Lithuania": "LT", "Brazil": "BR", "Czech Republic": "CZ", "Bahrain": "BH", "Saudi Arabia": "SA",
    "Unspecified": NOWHERE, "European Community": NOWHERE,
}  # fmt: skip
# The first that fits a description; the rest are gifts.
_CATEGORIES = (
    ("seasonal", r"CHRISTMAS|XMAS|EASTER|ADVENT|SANTA|REINDEER|SNOW|VALENTINE|HALLOWEEN|BAUBLE"),
    ("bags", r"\bBAGS?\b|SHOPPER|PURSE|RUCKSACK|BACKPACK|SATCHEL|LUGGAGE"),
    ("lighting", r"CANDLE|LIGHT|LANTERN|\bLAMP|CHANDELIER"),
    ("kitchen", r"\bMUG|\bCUP|CAKE|TEA\b|TEAPOT|COFFEE|PLATE|BOWL|JAR|BAKING|KITCHEN|RECIPE|SPOON|CUTLERY|LUNCH|BOTTLE"
                r"|APRON|NAPKIN|OVEN|\bTIN\b|\bTINS\b|GLASS|JUG|SNACK|BREAD|EGG|FOOD|TRAY"),
    ("stationery", r"CARD|WRAP|PAPER|NOTEBOOK|PENCIL|\bPEN\b|STICKER|RIBBON|STATIONERY|ENVELOPE|CHALK|RUBBER|JOURNAL"),
    ("jewellery", r"NECKLACE|BRACELET|EARRING|BROOCH|\bRING\b|BANGLE|HAIR|JEWEL"),
    ("children", r"CHILD|BABY|TOY|DOLL|GAME|PUZZLE|JIGSAW|SOLDIER|CIRCUS|DINOSAUR|SPACEBOY|PLAY|SKITTLES|TEDDY"),
    ("garden", r"GARDEN|PLANT|FLOWER|BIRD|PARASOL|PICNIC|HERB|WATERING|UMBRELLA"),
    ("home", r"CLOCK|FRAME|SIGN|CUSHION|HOOK|DRAWER|CABINET|MIRROR|WICKER|HEART|BOX|DOORMAT|METAL|WOODEN|CERAMIC|HOLDER"
             r"|T-?TOWEL|BATH|HANGER|HANDLE|KNOB|QUILT|RACK|BUNTING"),
)  # fmt: skip
_OTHER = "gifts"
_DECIDED = (
    "A purchase is one invoice of a customer, its lines summed, at its first minute on the shop's clock (London).",
    "An invoice whose number begins with C is a cancellation, never a purchase. One that gives back exactly what an"
    " earlier invoice sold cancels that purchase from then on; goods that come back in part change no purchase.",
    "Lines without a customer are nobody's history. Adjustments (A) have none either.",
    "The product of a purchase is its dearest goods; categories are read from descriptions.",
    "A customer lives where the last invoice went; 'Unspecified' and 'European Community' are no country.",
)  # fmt: skip


def read_online_retail(path: Path) -> History:
    """The history in a file of one of ``NAMES``. Raises ``SampleError`` with what is wrong."""
    lines = _lines(path)
    known = lines.filter(pc.is_valid(lines["CustomerID"]))
    if not known.num_rows:
        raise SampleError(f"{path} has no invoice line of a customer: get Online Retail's file again")
    counts = {
        "lines": lines.num_rows, "invoices": pc.count_distinct(lines["InvoiceNo"]).as_py(),
        "customers": pc.count_distinct(known["CustomerID"]).as_py(),
        "lines without a customer": lines.num_rows - known.num_rows,
        "quantity x price": pc.sum(pc.multiply(lines["Quantity"].cast(pa.decimal128(19, 0)), lines["price"])).as_py(),
    }  # fmt: skip
    with open_engine() as engine:
        engine.register("retail_lines", _renamed(known))
        products = _products(engine)
        engine.register("retail_goods", products.select(["stock", "category"]))
        purchases = engine.sql(paths.sql("retail_purchases")).to_arrow_table().cast(PURCHASES.schema)
        customers = engine.sql(paths.sql("retail_customers")).to_arrow_table()
    names = pa.array([_COUNTRIES.get(name, NOWHERE) for name in customers["country"].to_pylist()], pa.string())
    return History(
        title="Online Retail (Chen, 2015; UCI Machine Learning Repository, CC BY 4.0)",
        purchases=purchases,
        customers=pa.table({"customer_id": customers["customer"], "country": names}),
        products=products.rename_columns(["product_id", "name", "category"]),
        counts={**counts, "purchases": purchases.num_rows, "buyers": customers.num_rows,
                "purchases cancelled whole": purchases.num_rows - purchases["cancelled_at"].null_count},
        decided=_DECIDED,
        margins=False,
    )  # fmt: skip


def _lines(path: Path) -> pa.Table:
    try:
        lines = pq.read_table(path)
    except (pa.ArrowInvalid, OSError):
        raise SampleError(f"{path} is not a whole Parquet file (cut short, or something else): get it again") from None
    missing = [name for name in _TYPES if name not in lines.schema.names]
    if missing:
        raise SampleError(f"{path} has no column {', '.join(missing)}: get Online Retail's file again")
    columns = {}
    for name, type_ in _TYPES.items():
        try:
            columns[name] = lines[name].cast(type_)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            wrong = f"{path} column {name} is {lines[name].type}, it must hold {type_}"
            raise SampleError(f"{wrong}: get Online Retail's file again") from None
    for name in ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "Country"):
        if columns[name].null_count:
            row = 1 + pc.index(pc.is_null(columns[name]), True).as_py()
            raise SampleError(f"{path} row {row} has no {name}: get Online Retail's file again")
    price = pc.round(columns["UnitPrice"], 4).cast(_PRICE)
    return pa.table({**columns, "price": price})


def _renamed(lines: pa.Table) -> pa.Table:
    at = pc.assume_timezone(lines["InvoiceDate"], _CLOCK, ambiguous="earliest", nonexistent="latest")
    return pa.table({
        "line": pa.array(range(lines.num_rows), pa.int64()), "invoice": lines["InvoiceNo"],
        "customer": lines["CustomerID"].cast(pa.string()), "country": lines["Country"], "invoiced_at": at.cast(TIME),
        "stock": lines["StockCode"], "description": lines["Description"], "units": lines["Quantity"],
        "price": lines["price"],
    })  # fmt: skip


def _products(engine: duckdb.DuckDBPyConnection) -> pa.Table:
    goods = engine.sql(paths.sql("retail_goods")).to_arrow_table()
    descriptions = [" ".join(text.split()) for text in goods["description"].to_pylist()]
    return pa.table({
        "stock": goods["stock"],
        "name": pa.array([text.capitalize() for text in descriptions], pa.string()),
        "category": pa.array([_category(text) for text in descriptions], pa.string()),
    })  # fmt: skip


def _category(description: str) -> str:
    return next((name for name, words in _CATEGORIES if re.search(words, description.upper())), _OTHER)
