"""Reading real histories: what is published of them is found in them, and a file that is wrong is refused by place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sample.real import real_file

from reactivation.contract.tables import PURCHASES
from reactivation.sample import SampleError
from reactivation.sample.histories import History, read_history

MASTER_LINES = (
    " customer_id  date number_of_cds  dollar_value",
    " 00001 19970101  1   11.77",
    " 00002 19970112  5   77.00",
)
CONTRACT = "purchase_id,customer_id,occurred_at,kind,amount,currency,quantity\n"


@pytest.fixture(scope="session")
def master() -> History:
    """CDNOW's master file."""
    return read_history(real_file("CDNOW_master.txt"))


@pytest.fixture(scope="session")
def tenth() -> History:
    """The sample of a tenth that the papers use."""
    return read_history(real_file("CDNOW_sample.txt"))


@pytest.fixture(scope="session")
def retail() -> History:
    """Online Retail."""
    return read_history(real_file("online_retail_I.parquet"))


def invoices(*lines: tuple[str, str, int, float, int | None], country: str = "United Kingdom") -> pa.Table:
    """Invoice lines (invoice, stock code, units, price, customer), an hour apart from a July noon on."""
    return pa.table({
        "InvoiceNo": [line[0] for line in lines], "StockCode": [line[1] for line in lines],
        "Description": ["RED CHRISTMAS BAUBLE"] * len(lines), "Quantity": [line[2] for line in lines],
        "InvoiceDate": pa.array([datetime(2011, 7, 1, 12 + n) for n in range(len(lines))], pa.timestamp("us")),  # noqa: DTZ001
        "UnitPrice": [line[3] for line in lines], "CustomerID": pa.array([line[4] for line in lines], pa.int64()),
        "Country": [country] * len(lines),
    })  # fmt: skip


Retail = Callable[..., History]


@pytest.fixture
def small_retail(tmp_path: Path) -> Retail:
    """Reads invoice lines as Online Retail's file."""

    def _read(lines: pa.Table) -> History:
        pq.write_table(lines, tmp_path / "online_retail_I.parquet")
        return read_history(tmp_path / "online_retail_I.parquet")

    return _read


class TestPublishedCounts:
    """What everybody found in these files, we find."""

    def test_cdnow_master(self, master: History) -> None:
        """69,659 transactions of 23,570 customers, 167,881 CDs, $2,500,315.63."""
        assert master.counts == {
            "transactions": 69_659, "customers": 23_570, "CDs": 167_881, "dollars": Decimal("2500315.63"),
        }  # fmt: skip
        assert master.purchases.num_rows == 69_659
        assert pc.sum(master.purchases["amount"]).as_py() == Decimal("2500315.63")
        assert pc.sum(master.purchases["quantity"]).as_py() == 167_881

    def test_cdnow_sample(self, tenth: History) -> None:
        """6,919 transactions of 2,357 customers."""
        assert tenth.counts["transactions"] == tenth.purchases.num_rows == 6_919
        assert tenth.counts["customers"] == tenth.customers.num_rows == 2_357

    def test_the_sample_is_a_part_of_the_master(self, master: History, tenth: History) -> None:
        """Its customers have the master's ids, and in both the same purchases."""
        ours = master.purchases.filter(
            pc.is_in(master.purchases["customer_id"], tenth.customers["customer_id"].combine_chunks())
        )
        columns = ["customer_id", "occurred_at", "amount", "quantity"]
        order = [(name, "ascending") for name in columns]
        assert ours.select(columns).sort_by(order).equals(tenth.purchases.select(columns).sort_by(order))

    def test_online_retail(self, retail: History) -> None:
        """541,909 lines, 25,900 invoices, 4,372 customers, 135,080 lines without one, 9,747,747.934 in all."""
        published = {
            "lines": 541_909, "invoices": 25_900, "customers": 4_372, "lines without a customer": 135_080,
            "quantity x price": Decimal("9747747.934"),
        }  # fmt: skip
        assert {name: retail.counts[name] for name in published} == published

    def test_online_retail_sold_once_per_invoice(self, retail: History) -> None:
        """18,536 invoices of 4,339 customers are no cancellations; nobody else bought."""
        assert retail.purchases.num_rows == pc.count_distinct(retail.purchases["purchase_id"]).as_py() == 18_536
        assert retail.customers.num_rows == 4_339
        assert not pc.any(pc.starts_with(retail.purchases["purchase_id"], "C")).as_py()
        assert set(retail.purchases["currency"].to_pylist()) == {"GBP"}

    @pytest.mark.parametrize("history", ["master", "tenth", "retail"])
    def test_every_history_fits_the_contract(self, request: pytest.FixtureRequest, history: str) -> None:
        """Columns, types and required cells of purchases; quantities from 1, amounts from 0; no stranger bought."""
        read: History = request.getfixturevalue(history)
        assert read.purchases.schema.equals(PURCHASES.schema)
        assert not any(read.purchases[name].null_count for name in PURCHASES.required)
        assert pc.min(read.purchases["quantity"]).as_py() >= 1
        assert pc.min(read.purchases["amount"]).as_py() >= 0
        assert set(read.purchases["customer_id"].to_pylist()) == set(read.customers["customer_id"].to_pylist())


class TestCdnow:
    """What a line of CDNOW is."""

    def test_a_day_is_its_noon(self, master: History) -> None:
        """The first day is 1997-01-01, the last 1998-06-30, each at noon UTC: the same day all over America."""
        found = pc.min_max(master.purchases["occurred_at"]).as_py()
        assert found == {"min": datetime(1997, 1, 1, 12, tzinfo=UTC), "max": datetime(1998, 6, 30, 12, tzinfo=UTC)}

    def test_two_purchases_of_a_day_stay_two(self, master: History) -> None:
        """Customer 00002 bought twice on 1997-01-12."""
        theirs = master.purchases.filter(pc.equal(master.purchases["customer_id"], "00002"))
        assert theirs["amount"].to_pylist() == [Decimal("12"), Decimal("77")]
        assert len(set(theirs["occurred_at"].to_pylist())) == 1

    def test_it_speaks_on_the_next_working_day(self, master: History, retail: History) -> None:
        """CDNOW ends on a Tuesday noon, Online Retail on a Friday noon: Wednesday and Monday at ten."""
        assert master.speaks == datetime(1998, 7, 1, 10, tzinfo=UTC)
        assert retail.speaks == datetime(2011, 12, 12, 10, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("lines", "says"),
        [
            ((*MASTER_LINES, " 00003 19970230  2   20.76"), "line 4 is no transaction"),
            ((*MASTER_LINES, " 00003 1997"), "line 4 is no transaction"),
            ((MASTER_LINES[1], "", MASTER_LINES[2]), "line 2 is no transaction"),
            ((" 00004 0001 19970101  2   29.33",), "line 1 is no transaction of CDNOW_master.txt"),
            (MASTER_LINES[:1], "has no transactions"),
        ],
        ids=["no such day", "cut short", "empty line", "the other format", "only a header"],
    )  # fmt: skip
    def test_a_wrong_line_is_named(self, tmp_path: Path, lines: tuple[str, ...], says: str) -> None:
        """File, line and fix."""
        file = tmp_path / "CDNOW_master.txt"
        file.write_text("\n".join(lines) + "\n")
        with pytest.raises(SampleError, match=says) as refused:
            read_history(file)
        assert str(file) in str(refused.value)
        assert "again" in str(refused.value)

    def test_a_last_line_without_end_is_cut_short(self, tmp_path: Path) -> None:
        """A file that ends inside a line may have lost a digit."""
        file = tmp_path / "CDNOW_master.txt"
        file.write_text("\n".join(MASTER_LINES))
        with pytest.raises(SampleError, match="line 3 has no end"):
            read_history(file)

    @given(st.binary(max_size=400))
    def test_no_bytes_are_taken_for_what_they_are_not(
        self, tmp_path_factory: pytest.TempPathFactory, noise: bytes
    ) -> None:
        """Whatever lies in the file, it is read or refused, never a crash."""
        file = tmp_path_factory.mktemp("noise") / "CDNOW_sample.txt"
        file.write_bytes(noise)
        with pytest.raises(SampleError):
            read_history(file)


class TestOnlineRetail:
    """What an invoice, a cancellation and a line without a customer are."""

    def test_an_invoice_is_one_purchase(self, small_retail: Retail) -> None:
        """Its lines are summed to the tenth of a penny; its product is the dearest goods, never the carriage."""
        lines = invoices(("1", "85123A", 3, 1.255, 7), ("1", "22423", 1, 12.75, 7), ("1", "POST", 1, 18.0, 7))
        (purchase,) = small_retail(lines).purchases.to_pylist()
        assert (purchase["amount"], purchase["quantity"], purchase["product"]) == (Decimal("34.515"), 5, "22423")
        assert purchase["category"] == "seasonal"

    def test_the_clock_is_the_shops(self, small_retail: Retail) -> None:
        """Noon in a London July is eleven o'clock UTC."""
        (purchase,) = small_retail(invoices(("1", "22423", 1, 2.0, 7))).purchases.to_pylist()
        assert purchase["occurred_at"] == datetime(2011, 7, 1, 11, tzinfo=UTC)

    def test_a_line_without_a_customer_is_nobodys(self, small_retail: Retail) -> None:
        """It is counted and left out."""
        history = small_retail(invoices(("1", "22423", 1, 2.0, 7), ("2", "22423", 1, 2.0, None)))
        assert history.purchases["purchase_id"].to_pylist() == ["1"]
        assert history.counts["lines without a customer"] == 1

    def test_what_came_back_whole_was_cancelled(self, small_retail: Retail) -> None:
        """The latest purchase of the same goods is cancelled at the cancellation's time; the earlier one stands."""
        sold = [("1", "22423", 2, 2.0, 7), ("2", "22423", 2, 2.0, 7), ("C3", "22423", -2, 2.0, 7)]
        first, second = small_retail(invoices(*sold)).purchases.to_pylist()
        assert (first["purchase_id"], first["cancelled_at"]) == ("1", None)
        assert (second["purchase_id"], second["cancelled_at"]) == ("2", datetime(2011, 7, 1, 13, tzinfo=UTC))

    @pytest.mark.parametrize(
        "back",
        [
            ("C2", "22423", -1, 2.0, 7), ("C2", "22423", -2, 1.5, 7), ("C2", "22423", -2, 2.0, 8),
            ("C2", "D", -1, 4.0, 7),
        ],
        ids=["a part", "another price", "another customer", "a discount"],
    )  # fmt: skip
    def test_anything_else_that_comes_back_changes_no_purchase(
        self, small_retail: Retail, back: tuple[str, str, int, float, int]
    ) -> None:
        """A cancellation names no invoice, so nothing less than the same lines proves which one it means."""
        (purchase,) = small_retail(invoices(("1", "22423", 2, 2.0, 7), back)).purchases.to_pylist()
        assert (purchase["amount"], purchase["cancelled_at"]) == (Decimal(4), None)

    def test_nothing_is_cancelled_before_it_is_sold(self, small_retail: Retail) -> None:
        """A cancellation that comes first means a purchase before the file begins."""
        (purchase,) = small_retail(
            invoices(("C1", "22423", -2, 2.0, 7), ("2", "22423", 2, 2.0, 7))
        ).purchases.to_pylist()
        assert purchase["cancelled_at"] is None

    @pytest.mark.parametrize(
        ("spelt", "code"), [("EIRE", "IE"), ("RSA", "ZA"), ("USA", "US"), ("Unspecified", ""), ("Atlantis", "")]
    )
    def test_countries_get_their_codes(self, small_retail: Retail, spelt: str, code: str) -> None:
        """As the shop spells them; what is no country is unknown."""
        history = small_retail(invoices(("1", "22423", 1, 2.0, 7), country=spelt))
        assert history.customers.to_pylist() == [{"customer_id": "7", "country": code}]

    def test_every_country_of_the_file_is_known(self, retail: History) -> None:
        """Only a handful of customers live nowhere we know."""
        countries = retail.customers["country"].to_pylist()
        assert len(set(countries)) == 36
        assert countries.count("GB") == 3_921
        assert countries.count("") == 5

    @pytest.mark.parametrize(
        ("broken", "says"),
        [
            (lambda t: t.drop_columns(["UnitPrice"]), "has no column UnitPrice"),
            (lambda t: t.set_column(3, "Quantity", pa.array(["two"])), "column Quantity is string"),
            (lambda t: t.set_column(0, "InvoiceNo", pa.array([None], pa.string())), "row 1 has no InvoiceNo"),
            (lambda t: t.slice(0, 0), "has no invoice line of a customer"),
        ],
        ids=["column missing", "wrong type", "no invoice", "empty"],
    )  # fmt: skip
    def test_a_wrong_file_is_named(
        self, small_retail: Retail, broken: Callable[[pa.Table], pa.Table], says: str
    ) -> None:
        """File, column or row, and fix."""
        with pytest.raises(SampleError, match=says) as refused:
            small_retail(broken(invoices(("1", "22423", 1, 2.0, 7))))
        assert "online_retail_I.parquet" in str(refused.value)


class TestContract:
    """Any file with the contract's purchases."""

    def test_csv_and_parquet_say_the_same(self, tmp_path: Path) -> None:
        """What was read from a CSV, written as Parquet, is read again as it was."""
        (tmp_path / "bought.csv").write_text(CONTRACT + 'p1,a,2026-01-05T10:00:00Z,order,"1,234.505",EUR,2\n')
        text = read_history(tmp_path / "bought.csv")
        pq.write_table(text.purchases, tmp_path / "bought.parquet")
        assert read_history(tmp_path / "bought.parquet").purchases.equals(text.purchases)
        assert text.purchases["amount"].to_pylist() == [Decimal("1234.505")]

    def test_a_customer_lives_where_the_money_is_at_home(self, tmp_path: Path) -> None:
        """The last purchase's money; the euro's countries take turns; unknown money is no country."""
        rows = "p1,a,2026-01-05,order,1,USD,1\np2,a,2026-01-06,order,1,GBP,1\np3,b,2026-01-05,order,1,EUR,1\n"
        rows += "p4,c,2026-01-05,order,1,EUR,1\np5,d,2026-01-05,order,1,NOK,1\np6,e,2026-01-05,order,1,XTS,1\n"
        (tmp_path / "bought.csv").write_text(CONTRACT + rows)
        countries = read_history(tmp_path / "bought.csv").customers["country"].to_pylist()
        assert countries == ["GB", "FR", "IE", "NO", ""]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (CONTRACT + "p1,a,2026-01-05,order,1,EUR,1\np2,a,31/02/2024,order,1,EUR,1\n", "row 2 of data: occurred_at"),
            (CONTRACT + "p1,a,2026-01-05,order,-1,EUR,1\n", r"row 1 of data: amount breaks the contract \(negative\)"),
            (CONTRACT + "p1,a,2026-01-05,order,1,EUR,1\np1,b,2026-01-05,order,1,EUR,1\n", "duplicate_key"),
            (CONTRACT + "p1,a,2026-01-05,order,1,EUR\n", "line 2 has 6 columns"),
            (CONTRACT + 'p1,a,2026-01-05,order,"1,EUR,1\n', "never closed"),
            (CONTRACT, "has no purchases"),
            ("", "has no purchases"),
            ("name,address\nx,y\n", "has none of the columns of purchases"),
            ("purchase_id,customer_id,kind\np1,a,order\n", "has no column occurred_at, amount, currency, quantity"),
        ],
        ids=["no such day", "negative", "one key for two", "cut row", "cut quote", "header only", "empty",
             "another table", "columns missing"],
    )  # fmt: skip
    def test_a_wrong_file_is_named(self, tmp_path: Path, text: str, says: str) -> None:
        """File, row or column, and fix; nothing is mended in silence."""
        (tmp_path / "bought.csv").write_text(text)
        with pytest.raises(SampleError, match=says) as refused:
            read_history(tmp_path / "bought.csv")
        assert str(tmp_path / "bought.csv") in str(refused.value)

    @pytest.mark.parametrize("name", ["bought.parquet", "online_retail_I.parquet"])
    def test_a_parquet_file_cut_short(self, tmp_path: Path, name: str) -> None:
        """Without its end a Parquet file says nothing."""
        pq.write_table(invoices(("1", "22423", 1, 2.0, 7)), tmp_path / name)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-40])
        with pytest.raises(SampleError, match=f"{name} is not a whole Parquet file"):
            read_history(tmp_path / name)

    @pytest.mark.parametrize("name", ["bought.xlsx", "CDNOW.txt", "missing.csv"])
    def test_an_unknown_file_is_named(self, tmp_path: Path, name: str) -> None:
        """Neither a name that we know nor a format of the contract, or no file at all."""
        if name != "missing.csv":
            (tmp_path / name).write_text("x")
        with pytest.raises(SampleError, match=name):
            read_history(tmp_path / name)


class TestUntil:
    """What was known at an instant."""

    def test_later_purchases_cancellations_and_customers_are_left_out(self, tmp_path: Path) -> None:
        """A purchase that was cancelled later was not cancelled yet; the instant itself belongs to what is known."""
        header = CONTRACT.replace("quantity", "quantity,cancelled_at")
        rows = "p1,a,2026-01-05,order,1,USD,1,2026-03-01\np2,b,2026-02-01,order,1,USD,1,2026-02-01\n"
        rows += "p3,a,2026-02-02,order,1,USD,1,\np4,c,2026-02-02,order,1,USD,1,\n"
        (tmp_path / "bought.csv").write_text(header + rows)
        known = read_history(tmp_path / "bought.csv").until(datetime(2026, 2, 1, tzinfo=UTC))
        assert known.purchases["purchase_id"].to_pylist() == ["p1", "p2"]
        assert known.purchases["cancelled_at"].to_pylist() == [None, datetime(2026, 2, 1, tzinfo=UTC)]
        assert known.customers["customer_id"].to_pylist() == ["a", "b"]
