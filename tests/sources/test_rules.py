"""Bad rows: each to quarantine with its table, key, place, column and reason, the original to the people file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.builders import AS_OF, account, case, claim, consent, contact, days_ago, engagement, offer, product, purchase
from tests.sources.reads import column, plus, problems, read, rows, said

GOOD = {
    "contacts": contact("c-new"),
    "accounts": account("a-new"),
    "products": product("p-new"),
    "purchases": purchase("b-new", "c-ada", days_ago(10)),
    "engagements": engagement("e-new", "c-ada", days_ago(10), "visit"),
    "cases": case("k-new", customer_id="c-ada", closed_at=days_ago(1), opened_at=days_ago(2)),
    "consents": consent("r-new", "c-ada"),
    "offers": offer("offer-new"),
    "claims": claim("m-new"),
}

BAD = [
    ("contacts", {"customer_id": ""}, "customer_id", "missing"),
    ("contacts", {"customer_id": "ada@x.de"}, "customer_id", "not_an_id"),
    ("contacts", {"account_id": "a" * 65}, "account_id", "not_an_id"),
    ("contacts", {"updated_at": ""}, "updated_at", "missing"),
    ("contacts", {"last_seen": "recently"}, "last_seen", "wrong_type"),
    ("contacts", {"last_seen": "05/06/2026"}, "last_seen", "ambiguous_date"),
    ("contacts", {"is_subscriber_only": "perhaps"}, "is_subscriber_only", "wrong_type"),
    ("contacts", {"value_tier": "vip"}, "value_tier", "unknown_code"),
    ("accounts", {"annual_value": "100000000000"}, "annual_value", "too_large"),
    ("products", {"name": None}, "name", "missing"),
    ("purchases", {"amount": "12,34,5"}, "amount", "wrong_type"),
    ("purchases", {"amount": "-5"}, "amount", "negative"),
    ("purchases", {"amount": "100000000000"}, "amount", "too_large"),
    ("purchases", {"margin": "-100000000000"}, "margin", "too_large"),
    ("purchases", {"discount": "1e11"}, "discount", "too_large"),
    ("purchases", {"quantity": "0"}, "quantity", "not_positive"),
    ("purchases", {"quantity": "1.5"}, "quantity", "wrong_type"),
    ("purchases", {"currency": "pounds"}, "currency", "unknown_code"),
    ("purchases", {"kind": "gift"}, "kind", "unknown_code"),
    ("purchases", {"discount": "-1"}, "discount", "negative"),
    ("engagements", {"occurred_at": "Tuesday"}, "occurred_at", "wrong_type"),
    ("cases", {"closed_at": days_ago(3)}, "closed_at", "before_it_began"),
    ("cases", {"customer_id": None}, "customer_id", "no_subject"),
    ("consents", {"channel": "fax"}, "channel", "unknown_code"),
    ("offers", {"ends_at": days_ago(100)}, "ends_at", "before_it_began"),
    ("offers", {"unit_cost": "-1"}, "unit_cost", "negative"),
    ("offers", {"budget": "99999999999999.9999"}, "budget", "too_large"),
    ("claims", {"kind": "rumour"}, "kind", "unknown_code"),
]


class TestQuarantine:
    @pytest.mark.parametrize(
        ("table", "change", "name", "reason"), BAD, ids=[f"{table} {name} {reason}" for table, _, name, reason in BAD]
    )
    def test_a_bad_row_is_told_exactly(
        self, tmp_path: Path, table: str, change: dict[str, Any], name: str, reason: str
    ) -> None:
        """One broken value: one row of the quarantine, and the row itself is nowhere in the tables."""
        more = plus(table, GOOD[table] | change)
        snapshot = read(tmp_path, **{table: more})
        (problem,) = problems(snapshot)
        assert (problem[0], *problem[2:]) == (table, len(more), name, reason)
        assert (said(snapshot, table)["rows"], said(snapshot, table)["quarantined"]) == (len(more), 1)
        if table in ("contacts", "products", "consents", "offers", "claims", "cases"):
            assert problem[1] not in column(snapshot, table, snapshot.read(table).column_names[0])

    def test_every_broken_value_of_a_row_is_told(self, tmp_path: Path) -> None:
        """Who mends the export sees all of it at once."""
        snapshot = read(tmp_path, purchases=[GOOD["purchases"] | {"amount": "x", "kind": "gift", "quantity": None}])
        assert [(name, reason) for *_, name, reason in problems(snapshot)] == [
            ("amount", "wrong_type"),
            ("kind", "unknown_code"),
            ("quantity", "missing"),
        ]

    def test_the_original_is_with_the_people(self, tmp_path: Path) -> None:
        """The whole row as it was, unknown columns too, in the file that retention removes; nowhere else."""
        broken = contact("c-zoe", last_name="Zander", last_seen="recently") | {"nickname": "Zoe-Zoe"}
        snapshot = read(tmp_path, contacts=[broken])
        (kept,) = [row for row in rows(snapshot, "people") if row["kind"] == "quarantined"]
        assert (kept["customer_id"], kept["table"], kept["key"]) == ("c-zoe", "contacts", "c-zoe")
        assert json.loads(kept["original"]).items() >= {("last_name", "Zander"), ("nickname", "Zoe-Zoe")}
        for name in snapshot.files:
            if name != "people.parquet":
                assert b"Zander" not in (snapshot.path / name).read_bytes()

    @pytest.mark.parametrize("ending", ["jsonl", "parquet"])
    def test_originals_of_every_format(self, tmp_path: Path, ending: str) -> None:
        """JSON lines and Parquet keep their rows too."""
        broken = GOOD["purchases"] | {"kind": "gift"}
        snapshot = read(tmp_path, purchases=[GOOD["purchases"], broken | {"purchase_id": "b-bad"}],
                        formats={"purchases": ending})  # fmt: skip
        (kept,) = [row for row in rows(snapshot, "people") if row["kind"] == "quarantined"]
        assert (kept["key"], json.loads(kept["original"])["kind"]) == ("b-bad", "gift")

    def test_a_key_that_is_no_id_does_not_show(self, tmp_path: Path) -> None:
        """The quarantine is no place for addresses."""
        snapshot = read(tmp_path, contacts=[contact("ada@x.de")])
        assert problems(snapshot) == [("contacts", None, 1, "customer_id", "not_an_id")]

    def test_spellings_that_mean_a_code_are_read(self, tmp_path: Path) -> None:
        """Case, blanks and hyphens do not make another code, least of all of a no."""
        changed = {"relationship": "No-Contact", "fit": "BAD", "country": "uk"}
        (row,) = rows(read(tmp_path, contacts=[contact("c-ada", **changed)]), "contacts")
        assert (row["relationship"], row["fit"], row["country"]) == ("no_contact", "bad", "GB")


class TestProfile:
    def test_counts_rows_and_bad_rows_by_rule(self, tmp_path: Path) -> None:
        """What readiness judges: all rows, the bad ones, why, doubles, and rows that join nobody."""
        bought = [
            purchase("b-1", "c-ada", AS_OF),
            purchase("b-1", "c-ada", AS_OF),
            purchase("b-2", "c-nobody", AS_OF),
            purchase("b-3", "c-ada", AS_OF, kind="gift"),
            purchase("b-4", "c-ada", AS_OF, kind="gift", amount="x"),
        ]
        snapshot = read(tmp_path, purchases=bought)
        told = {row["rule"]: (row["rows"], row["bad_rows"])
                for row in rows(snapshot, "profile") if row["table"] == "purchases"}  # fmt: skip
        assert told == {
            "row": (5, 2),
            "unique_key": (5, 1),
            "joins_contacts": (2, 1),
            "kind:unknown_code": (5, 2),
            "amount:wrong_type": (5, 1),
        }

    def test_a_case_joins_by_account_too(self, tmp_path: Path) -> None:
        """An account's case is about somebody."""
        cases = [case("k-1", account_id="a-quay"), case("k-2", account_id="a-none"), case("k-3", customer_id="c-ada")]
        told = [row for row in rows(read(tmp_path, cases=cases), "profile") if row["table"] == "cases"]
        assert {row["rule"]: row["bad_rows"] for row in told} == {"row": 0, "unique_key": 0, "joins_contacts": 1}
