"""Real histories, dressed: the purchases as they were, and around them a CRM that is ready and tells every story."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.sample.crm import digests, instants, rows
from tests.sample.real import real_file

from reactivation import cli
from reactivation.contract.tables import TABLES
from reactivation.playbooks.model import Playbook
from reactivation.sample import SampleError, dress, past
from reactivation.sample.histories import History, read_history
from reactivation.sample.histories import cdnow as cdnow_file
from reactivation.sample.histories import contract as contract_file
from reactivation.sample.histories import retail as retail_file

PLAYBOOK = "customer_reactivation"
FILES = {"cdnow": "CDNOW_sample.txt", "retail": "online_retail_I.parquet"}
BOUGHT = """purchase_id,customer_id,occurred_at,kind,amount,currency,quantity,margin
p1,a,2026-01-05T10:00:00Z,order,10.005,EUR,1,4.00
p2,a,2026-02-06T10:00:00Z,order,20,EUR,2,
p3,b,2026-03-05T10:00:00Z,subscription,9,EUR,1,3.00
"""


@pytest.fixture(scope="session")
def histories() -> dict[str, History]:
    """The real histories, read."""
    return {name: read_history(real_file(file)) for name, file in FILES.items()}


@pytest.fixture(scope="session")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CDNOW's sample, dressed."""
    out = tmp_path_factory.mktemp("cdnow")
    dress(real_file(FILES["cdnow"]), out)
    return out


@pytest.fixture(scope="session")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Online Retail, dressed."""
    out = tmp_path_factory.mktemp("retail")
    dress(real_file(FILES["retail"]), out)
    return out


@pytest.fixture
def bought(tmp_path: Path) -> Path:
    """Three purchases of two customers, with margins, in the contract's CSV."""
    file = tmp_path / "bought.csv"
    file.write_text(BOUGHT)
    return file


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on a given clock, in an installation of its own; its exit code, output and errors."""
    key = {"conn_type": "generic", "password": "a secret of at least sixteen bytes"}
    monkeypatch.setenv("REACTIVATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRFLOW_CONN_REACTIVATION_ADDRESS_KEY", json.dumps(key))

    def _run(now: datetime, *words: str) -> tuple[int, str, str]:
        monkeypatch.setenv("REACTIVATION_NOW", now.isoformat())
        code = cli.main(words)
        return code, *capsys.readouterr()

    return _run


class TestThePurchases:
    """They are the real ones."""

    @pytest.mark.parametrize("name", list(FILES))
    def test_they_are_written_as_they_were_read(self, histories: dict[str, History], tmp_path: Path, name: str) -> None:
        """Every row, in the file's order, every column but the margin."""
        real = histories[name].purchases
        dress(real_file(FILES[name]), tmp_path, format="parquet")
        written = pq.read_table(tmp_path / "purchases.parquet")
        assert (
            written.drop_columns(["margin"])
            .cast(real.drop_columns(["margin"]).schema)
            .equals(real.drop_columns(["margin"]))
        )

    def test_a_text_keeps_every_digit(self, retail: Path, histories: dict[str, History]) -> None:
        """Amounts of a tenth of a penny are not rounded."""
        text = sum((Decimal(amount) for amount in rows(retail, "purchases")["amount"]), Decimal(0))
        assert text == pc.sum(histories["retail"].purchases["amount"]).as_py()

    def test_margins_are_made_up_where_the_file_has_none(self, cdnow: Path) -> None:
        """Between 28 and 52 % of the amount, unknown for six in a hundred."""
        data = rows(cdnow, "purchases")
        known = data[data["margin"] != ""].astype({"amount": float, "margin": float}).query("amount > 5")
        assert (data["margin"] == "").mean() == pytest.approx(0.06, abs=0.01)
        assert (known["margin"] / known["amount"]).between(0.277, 0.52).all()

    def test_margins_of_the_file_stay(self, bought: Path, tmp_path: Path) -> None:
        """A known margin is the file's, an unknown one stays unknown."""
        dress(bought, tmp_path / "out")
        assert rows(tmp_path / "out", "purchases")["margin"].tolist() == ["4.00", "", "3.00"]

    def test_what_comes_later_is_not_known_yet(self, tmp_path: Path, histories: dict[str, History]) -> None:
        """As of 1998: only purchases before it, only customers who had bought by then, and the README says so."""
        as_of = datetime(1998, 1, 1, tzinfo=UTC)
        dress(real_file(FILES["cdnow"]), tmp_path, as_of=as_of)
        data = rows(tmp_path, "purchases")
        real = histories["cdnow"].purchases
        early = pc.sum(pc.less(real["occurred_at"], pa.scalar(as_of, real["occurred_at"].type))).as_py()
        assert len(data) == early
        assert instants(data["occurred_at"]).max() < as_of
        assert f"{real.num_rows - early:,}" in (tmp_path / "README.txt").read_text(encoding="utf-8")


class TestTheRest:
    """What is made up fits the purchases."""

    @pytest.mark.parametrize("name", list(FILES))
    def test_everybody_who_bought_is_a_contact_and_nobody_else(self, request: pytest.FixtureRequest, name: str) -> None:
        """All but the few contacts whose key was spoilt."""
        folder = request.getfixturevalue(name)
        contacts = set(rows(folder, "contacts")["customer_id"]) - {""}
        buyers = set(rows(folder, "purchases")["customer_id"])
        assert contacts <= buyers
        assert len(contacts) >= 0.995 * len(buyers)

    @pytest.mark.parametrize("name", list(FILES))
    def test_the_tables_join(self, request: pytest.FixtureRequest, name: str) -> None:
        """Engagements, consents, cases and accounts are about these customers."""
        folder = request.getfixturevalue(name)
        buyers = set(rows(folder, "purchases")["customer_id"])
        for table, column in [("engagements", "customer_id"), ("consents", "customer_id"), ("cases", "customer_id"),
                              ("suppressions", "customer_id"), ("accounts", "primary_contact_id")]:  # fmt: skip
            assert set(rows(folder, table)[column]) - {""} <= buyers, table

    @pytest.mark.parametrize("name", list(FILES))
    def test_nothing_happened_after_the_source_spoke(self, request: pytest.FixtureRequest, name: str) -> None:
        """Facts lie before as-of, and customers came before they first bought."""
        folder = request.getfixturevalue(name)
        as_of = datetime.fromisoformat(json.loads((folder / "source.json").read_text())["as_of"])
        for table, column in [("engagements", "occurred_at"), ("consents", "occurred_at"), ("cases", "opened_at"),
                              ("suppressions", "occurred_at"), ("contacts", "updated_at")]:  # fmt: skip
            assert instants(rows(folder, table)[column]).max() <= as_of, (table, column)
        first = (
            rows(folder, "purchases").assign(at=lambda t: instants(t["occurred_at"])).groupby("customer_id")["at"].min()
        )
        contacts = rows(folder, "contacts").query("customer_id != ''").drop_duplicates("customer_id")
        created = instants(contacts.set_index("customer_id")["created_at"]).dropna()
        assert (created < first.reindex(created.index)).all()

    def test_people_of_cdnow_live_in_the_united_states(self, cdnow: Path) -> None:
        """And pay in dollars; the offers are in dollars too."""
        assert set(rows(cdnow, "contacts")["country"]) <= {"US", ""}
        assert set(rows(cdnow, "purchases")["currency"]) == {"USD"}
        assert set(rows(cdnow, "offers")["currency"]) == {"USD", ""}

    def test_customers_of_online_retail_live_where_their_invoices_went(
        self, retail: Path, histories: dict[str, History]
    ) -> None:
        """The data's country, except for the few whose country nobody noted."""
        real = {r["customer_id"]: r["country"] for r in histories["retail"].customers.to_pylist()}
        contacts = rows(retail, "contacts").query("customer_id != ''")
        same = contacts["country"] == contacts["customer_id"].map(real)
        assert same.mean() > 0.98
        assert set(contacts["country"][~same]) == {""}

    @pytest.mark.parametrize("name", list(FILES))
    def test_segments_offers_and_owners_are_the_playbooks(
        self, request: pytest.FixtureRequest, playbook: Playbook, name: str
    ) -> None:
        """Windows for every segment, the offers it names, owners it knows; a business has an account."""
        folder = request.getfixturevalue(name)
        contacts = rows(folder, "contacts")
        assert set(contacts["business_segment"]) == {"household", "business"} <= set(playbook.windows)
        assert {touch.offer for touch in playbook.touches if touch.offer} <= set(rows(folder, "offers")["offer_id"])
        assert set(contacts["owner_id"]) - {""} == {"own-ada", "own-ben"}
        business = contacts[contacts["business_segment"] == "business"]
        assert 0.02 <= len(business) / len(contacts) <= 0.1
        assert set(business["account_id"]) - {""} <= set(rows(folder, "accounts")["account_id"])

    def test_who_pays_a_subscription_is_on_a_care_plan(self, bought: Path, tmp_path: Path) -> None:
        """The kind of the purchases decides."""
        dress(bought, tmp_path / "out")
        segments = rows(tmp_path / "out", "contacts").set_index("customer_id")["business_segment"]
        assert segments.to_dict() == {"a": "household", "b": "care_plan"}

    def test_goods_and_claims_are_the_shops(self, retail: Path) -> None:
        """People look at what the shop sells, and claims speak of it."""
        goods = set(rows(retail, "products")["product_id"])
        categories = set(rows(retail, "products")["category"])
        assert set(rows(retail, "engagements")["product"]) - {""} <= goods
        assert set(rows(retail, "claims")["audience_category"]) - {""} <= categories
        assert set(rows(retail, "purchases")["product"]) - {""} <= goods

    @pytest.mark.parametrize("name", list(FILES))
    def test_consents_with_and_without_evidence(self, request: pytest.FixtureRequest, name: str) -> None:
        """Most grants can be proven, some cannot, some were taken back."""
        consents = rows(request.getfixturevalue(name), "consents").query("channel == 'email'")
        assert Counter(consents["state"]).keys() == {"granted", "withdrawn", "objected", "unknown"}
        assert 0.6 < (consents.query("state == 'granted'")["evidence_ref"] != "").mean() < 0.95


class TestTheRun:
    """A dressed history is ready, and a bare one is not."""

    @pytest.mark.parametrize("name", list(FILES))
    def test_it_is_ready_and_has_every_kind_of_decision(
        self, request: pytest.FixtureRequest, run: Run, name: str
    ) -> None:
        """An hour after it spoke: enrol, review, hold, and at least fifteen reasons to suppress."""
        folder = request.getfixturevalue(name)
        now = datetime.fromisoformat(json.loads((folder / "source.json").read_text())["as_of"]) + timedelta(hours=1)
        code, out, err = run(now, "readiness", PLAYBOOK, "--source", str(folder), "--json")
        assert code == 0, err
        assert json.loads(out)["ready"] is True
        code, out, _ = run(now, "candidates", PLAYBOOK, "--json")
        found = pd.DataFrame(json.loads(out))
        shares = found["decision"].value_counts(normalize=True)
        assert shares["enrol"] > 0.15
        assert {"review", "hold", "suppress"} <= set(shares[shares > 0.02].index)
        assert found[found["decision"] == "suppress"]["reason_codes"].str[0].nunique() >= 15

    @pytest.mark.parametrize("name", list(FILES))
    def test_a_bare_history_is_not_ready(
        self, tmp_path: Path, run: Run, histories: dict[str, History], name: str
    ) -> None:
        """Only purchases: exit code 3, and what is missing first is named."""
        history = histories[name]
        (tmp_path / "bare").mkdir()
        pq.write_table(history.purchases, tmp_path / "bare" / "purchases.parquet")
        (tmp_path / "bare" / "source.json").write_text(json.dumps({"as_of": history.speaks.isoformat()}))
        code, _, err = run(history.speaks, "run", PLAYBOOK, "--source", str(tmp_path / "bare"))
        assert code == 3
        assert "not ready" in err
        assert "contacts" in err


class TestTheCommand:
    """sample --purchases FILE."""

    def test_the_same_file_gives_the_same_bytes(self, bought: Path, tmp_path: Path, run: Run) -> None:
        """Through the command line and without it, twice."""
        now = datetime(2026, 11, 24, 11, tzinfo=UTC)
        assert run(now, "sample", "--purchases", str(bought), "--out", str(tmp_path / "a"))[0] == 0
        dress(bought, tmp_path / "b")
        assert digests(tmp_path / "a") == digests(tmp_path / "b")
        assert len(digests(tmp_path / "a")) == len(TABLES) + 3

    def test_another_seed_dresses_other_people(self, bought: Path, tmp_path: Path) -> None:
        """The purchases stay."""
        dress(bought, tmp_path / "a", seed=1)
        dress(bought, tmp_path / "b", seed=2)
        one, two = digests(tmp_path / "a"), digests(tmp_path / "b")
        assert one["purchases.csv"] == two["purchases.csv"]
        assert one["contacts.csv"] != two["contacts.csv"]

    def test_a_wrong_file_leaves_nothing(self, tmp_path: Path, run: Run) -> None:
        """Exit code 2, the file named, and no folder."""
        (tmp_path / "CDNOW_master.txt").write_text(" 00001 1997")
        now = datetime(2026, 11, 24, 11, tzinfo=UTC)
        code, out, err = run(
            now, "sample", "--purchases", str(tmp_path / "CDNOW_master.txt"), "--out", str(tmp_path / "o")
        )
        assert (code, out) == (2, "")
        assert "CDNOW_master.txt line 1" in err
        assert not (tmp_path / "o").exists()

    def test_an_instant_before_the_history_is_refused(self, bought: Path, tmp_path: Path) -> None:
        """Nobody had bought anything; an earlier sample in the folder stays as it was."""
        dress(bought, tmp_path / "out")
        before = digests(tmp_path / "out")
        with pytest.raises(SampleError, match="begins at 2026-01-05"):
            dress(bought, tmp_path / "out", as_of=datetime(2025, 1, 1, tzinfo=UTC))
        assert digests(tmp_path / "out") == before

    def test_customers_come_from_the_history(self, bought: Path, tmp_path: Path, run: Run) -> None:
        """Asking for a number of them beside it is wrong usage."""
        words = ("sample", "--purchases", str(bought), "--customers", "10", "--out", str(tmp_path / "out"))
        with pytest.raises(SystemExit, match="2"):
            run(datetime(2026, 11, 24, 11, tzinfo=UTC), *words)


def test_the_page_about_it_says_what_the_code_does() -> None:
    """docs/sample.md names every file read by name and every format, and the numbers that decide."""
    page = (Path(__file__).parents[2] / "docs" / "sample.md").read_text(encoding="utf-8")
    named = {word for line in page.splitlines() if line.startswith("| ") for word in re.findall(r"`([^`]+)`", line)}
    assert {*cdnow_file.NAMES, *retail_file.NAMES, *contract_file.ENDINGS} <= named
    assert cli.parser().parse_args(["sample", "--out", "x"]).customers == int(re.findall(r"--customers (\d+)", page)[0])
    assert (past.FIRM_PURCHASES, past.FIRM_ORDER) == (3, 25)
