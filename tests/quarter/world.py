"""A company's customers for a quarter: what they did and said, and what its systems say about them on each day.

Made of the project's own sample; whatever happens afterwards is told by ``tests.quarter.living``. The ledger never
comes in here: this is what the books are held against.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import idna
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reactivation.contract.tables import CONTACTS, TABLES
from reactivation.evidence.parquet import write_parquet
from reactivation.sample import catalogue, generate

#: Of so many the sample keeps the customers and accounts wanted: it makes more firms than this company writes to.
_SPARE = 1.09
#: The marketing tool keeps the mail of half a year, the shop tells of two years.
_MAIL_DAYS, _SHOP_DAYS = 190, 735
_MOVING = ("last_seen", "last_email_opened", "last_email_link_clicked", "updated_at")
_BY_KIND = {"visit": "last_seen", "login": "last_seen", "open": "last_email_opened",
            "click": "last_email_link_clicked"}  # fmt: skip


@dataclass(frozen=True)
class No:
    """What a person said, or what is true of him, that forbids writing to him: from ``at`` on, until ``until``.

    ``channel`` is ``*`` for every one. ``how`` says which way it came.
    """

    customer: int
    channel: str
    at: datetime
    how: str
    until: datetime | None = None


@dataclass
class World:
    """Customers are numbers, in the order of their ids. ``before`` is what the quarter found; ``noes`` are what came up
    since, ``facts`` (customer, kind, at, touch id) what was done since."""

    folder: Path
    tables: dict[str, pa.Table]
    began: datetime
    changed: set[str] = field(default_factory=lambda: set(TABLES))
    noes: list[No] = field(default_factory=list)
    facts: list[tuple[int, str, datetime, str | None]] = field(default_factory=list)
    said: dict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    made: int = 0

    def __post_init__(self) -> None:
        self.before = dict(self.tables)
        contacts = self.tables["contacts"]
        self.ids: list[str] = contacts["customer_id"].to_pylist()
        self.number = {one: number for number, one in enumerate(self.ids)}
        self.email: list[str] = [spelled(one or "") for one in contacts["email"].to_pylist()]
        self.phone: list[str | None] = contacts["phone"].to_pylist()
        self.by_email: dict[str, list[int]] = defaultdict(list)
        for number, address in enumerate(self.email):
            self.by_email[address].append(number)
        self.account: list[str | None] = contacts["account_id"].to_pylist()
        self.contacts_of: dict[str, list[int]] = defaultdict(list)
        for number, account in enumerate(self.account):
            if account is not None:
                self.contacts_of[account].append(number)
        self.moving = {name: _seconds(contacts[name]) for name in _MOVING}
        self.consent_flag = contacts["consent_email"].to_pylist()
        self.firms = {one: number for number, one in enumerate(self.tables["accounts"]["account_id"].to_pylist())}
        self.status: list[str | None] = self.tables["accounts"]["status"].to_pylist()
        self.bought_last, self.pattern = _last_of_each(self.tables["purchases"], self.number)
        self.granted = {
            self.number[row["customer_id"]]: row
            for row in self.tables["consents"].to_pylist()
            if row["channel"] == "email" and row["state"] == "granted"
        }
        self.cases = {row["case_id"]: row for row in self.tables["cases"].to_pylist()}

    @property
    def size(self) -> int:
        return len(self.ids)

    def add(self, table: str, rows: pa.Table) -> None:
        """The source has these rows besides."""
        if rows.num_rows:
            self.said[table].append(rows)
            self.changed.add(table)

    def rows(self, table: str, rows: list[dict[str, Any]]) -> None:
        """The same, of few rows; what is not named is empty."""
        schema = TABLES[table].schema
        self.add(table, pa.Table.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema=schema))

    def name(self, what: str) -> str:
        """The id of a record that is new."""
        self.made += 1
        return f"{what}-q{self.made:07}"

    def did(self, customer: int, kind: str, at: datetime, touch_id: str | None = None) -> None:
        """Keep what a customer did; the contact bears its last dates."""
        self.facts.append((customer, kind, at, touch_id))
        column = _BY_KIND.get(kind)
        for name in {column, "updated_at"} - {None}:
            self.moving[str(name)][customer] = max(self.moving[str(name)][customer], int(at.timestamp()))
        self.changed.add("contacts")

    def write(self, at: datetime) -> None:
        """The source as it speaks at an instant; what nobody changed stays as it lies there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(self.changed):
            write_parquet(self.folder / f"{name}.parquet", self._now(name), TABLES[name].schema)
        self.changed.clear()
        (self.folder / "source.json").write_text(json.dumps({"as_of": at.isoformat()}))

    def renew(self, at: datetime) -> None:
        """The shop says again what is in stock, and what it claims."""
        self.tables |= {"products": catalogue.products(at), "claims": catalogue.claims(at)}
        self.changed |= {"products", "claims"}

    def _now(self, name: str) -> pa.Table:
        table = pa.concat_tables([self.tables[name], *self.said[name]])
        self.tables[name], self.said[name] = table, []
        if name == "contacts":
            columns: dict[str, pa.Array] = {one: _instants(self.moving[one]) for one in _MOVING}
            return _with(table, columns | {"consent_email": pa.array(self.consent_flag, pa.bool_())})
        if name == "accounts":
            return _with(table, {"status": pa.array(self.status, pa.string())})
        if name == "cases":
            return pa.Table.from_pylist(list(self.cases.values()), schema=table.schema)
        return table


def found(folder: Path, *, customers: int, accounts: int, seed: int, at: datetime) -> World:
    """The company on the morning its quarter begins: the sample, and what the stewards of its data put right."""
    sample = folder.parent / "sample"
    generate(sample, customers=int(customers * _SPARE), seed=seed, as_of=at, dirty_share=0, format="parquet")
    tables = {name: pq.read_table(sample / f"{name}.parquet", schema=TABLES[name].schema) for name in TABLES}
    firms = tables["accounts"].sort_by("account_id").slice(0, accounts)
    contacts = tables["contacts"].sort_by("customer_id")
    ours = pc.or_kleene(pc.is_null(contacts["account_id"]), pc.is_in(contacts["account_id"], firms["account_id"]))
    contacts = contacts.filter(ours).slice(0, customers)
    firms = firms.filter(pc.is_in(firms["primary_contact_id"], contacts["customer_id"]))
    for name in ("purchases", "engagements", "consents"):
        tables[name] = tables[name].filter(pc.is_in(tables[name]["customer_id"], contacts["customer_id"]))
    for name in ("cases", "suppressions"):
        known = pc.is_in(tables[name]["customer_id"], contacts["customer_id"])
        tables[name] = tables[name].filter(pc.or_(pc.is_null(tables[name]["customer_id"]), known))
    mine = pc.or_(
        pc.is_null(tables["cases"]["account_id"]), pc.is_in(tables["cases"]["account_id"], firms["account_id"])
    )
    tables |= {
        "contacts": contacts, "accounts": firms, "cases": tables["cases"].filter(mine),
        "engagements": _since(tables["engagements"], at, _MAIL_DAYS, "complaint", "unsubscribe", "bounce"),
        "purchases": _since(tables["purchases"], at, _SHOP_DAYS),
    }  # fmt: skip
    return World(folder, _put_right(tables), at)


def spelled(address: str) -> str:
    """An address as it stands in a message's header; what is none, as it is."""
    local, _, domain = address.strip().lower().rpartition("@")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}" if local else address
    except idna.IDNAError:
        return address


def _since(rows: pa.Table, at: datetime, days: int, *always: str) -> pa.Table:
    """The rows of so many days, and those of these kinds whenever they were."""
    recent = pc.greater(rows["occurred_at"], pa.scalar(at - timedelta(days=days), rows["occurred_at"].type))
    return rows.filter(pc.or_(recent, pc.is_in(rows["kind"], pa.array(always, pa.string()))))


def _put_right(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """What readiness would name: every firm has its owner, and no two systems say otherwise about it."""
    firms, contacts = tables["accounts"], tables["contacts"]
    status = pc.if_else(pc.equal(firms["status"], "cancelled"), "dormant", firms["status"])
    of_firm = pc.is_valid(contacts["account_id"])
    return {
        **tables,
        "consents": _cleared(tables["consents"], contacts.filter(of_firm)["customer_id"]),
        "accounts": _with(firms, {
            "owner_id": pa.repeat("own-ben", firms.num_rows), "status": status,
            "cancelled_at": pa.nulls(firms.num_rows, firms["cancelled_at"].type),
            "cancellation_reason": pa.nulls(firms.num_rows, pa.string()),
            "annual_value": pc.fill_null(firms["annual_value"], pa.scalar(100, firms["annual_value"].type)),
        }),
        "contacts": _with(contacts, {
            "owner_id": pc.if_else(of_firm, pa.scalar(None, pa.string()), contacts["owner_id"]),
            "consent_email": pc.if_else(of_firm, pa.scalar(None, pa.bool_()), contacts["consent_email"]),
        }),
    }  # fmt: skip


def _cleared(consents: pa.Table, of_firms: pa.ChunkedArray) -> pa.Table:
    """Of a firm's contacts it is known whether they may be written to: where no record said so, they were asked, and
    said no."""
    mine = pc.is_in(consents["customer_id"], of_firms)
    bare = pc.and_(mine, pc.or_(pc.equal(consents["state"], "unknown"), pc.equal(consents["basis"], "flag_only")))
    kept = consents.filter(pc.invert(bare))
    asked = of_firms.filter(pc.invert(pc.is_in(of_firms, kept["customer_id"]))).to_pylist()
    template = kept.filter(pc.equal(kept["channel"], "email")).slice(0, 1).to_pylist()[0]
    rows = [template | {"record_id": f"asked-{one}", "customer_id": one, "state": "withdrawn"} for one in asked]
    return pa.concat_tables([kept, pa.Table.from_pylist(rows, schema=consents.schema)])


def _with(table: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    return pa.table([columns.get(name, table[name]) for name in table.schema.names], schema=table.schema)


def _seconds(column: pa.ChunkedArray) -> Any:
    """Epoch seconds, -1 for none."""
    micros = pc.fill_null(pc.cast(column, pa.int64()), -1_000_000)
    return micros.to_numpy() // 1_000_000


def _instants(seconds: Any) -> pa.Array:
    return pa.array(seconds * 1_000_000, mask=seconds < 0).cast(CONTACTS.schema.field("updated_at").type)


def _last_of_each(purchases: pa.Table, number: Mapping[str, int]) -> tuple[Any, dict[int, dict[str, Any]]]:
    """When each customer bought last (epoch seconds, -1 for never), and what."""
    rows = purchases.to_pandas(types_mapper=pd.ArrowDtype).sort_values(["customer_id", "occurred_at", "purchase_id"])
    last = rows.groupby("customer_id").tail(1)
    at, pattern = np.full(len(number), -1), {}
    for row in last.to_dict("records"):
        customer = number[str(row["customer_id"])]
        at[customer] = int(row["occurred_at"].timestamp())
        pattern[customer] = {name: row[name] for name in ("kind", "amount", "currency", "category", "product")}
    return at, pattern


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
