# ruff: noqa: S608 - SQL is made of contract names only
"""Which rows touch a few customers: for asking a source again, by id, before something is sent.

A person is an address, so whoever shares one with a chosen customer is read too: their opt-out is the person's. So is
whoever belongs to the same account: what one of its contacts does or refuses, the account does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb

from reactivation.contract.addresses import canonical_email, canonical_phone
from reactivation.evidence.engine import quoted
from reactivation.sources.base import Few, Similar
from reactivation.sources.files import RawFile, reading
from reactivation.sources.values import typed_query

_ALWAYS = ("products", "offers", "claims")
_DIGITS_COMPARED = 6
#: Suppressed addresses of the contacts that were read.
_THEIRS = """SELECT text FROM suppressed_addresses WHERE address_key IN
    (SELECT address_key FROM emails UNION SELECT address_key FROM phones)"""


@dataclass(frozen=True)
class Chosen:
    """The chosen customers and all who share an address or an account with them, and their accounts; and the countries
    of all contacts, in which a phone number without one is read."""

    few: Few
    countries: tuple[str, ...]

    def wanted(self, raw: RawFile) -> str | None:
        """SQL over the columns of one table: whether a row may be about somebody chosen; ``None`` for every row.

        A row whose subject cannot be read may be about anybody.
        """
        name = raw.table.name
        if name in _ALWAYS:
            return None
        of_customer = f"customer_id IN ({_listed(self.few.customers)}) OR NOT is_id(customer_id)"
        of_account = f"account_id IN ({_listed(self.few.accounts)}) OR NOT is_id(account_id)"
        if name == "accounts":
            return f"{of_account} OR account_id IS NULL"
        if name == "cases":
            return f"{of_customer} OR {of_account} OR (customer_id IS NULL AND account_id IS NULL)"
        if name == "suppressions":
            of_address = f"address IN ({_THEIRS}) OR address NOT IN (SELECT text FROM suppressed_addresses)"
            return f"{of_customer} OR {of_address} OR (customer_id IS NULL AND address IS NULL)"
        return f"{of_customer} OR customer_id IS NULL"


def choose(engine: duckdb.DuckDBPyConnection, contacts: RawFile | None, customer_ids: Collection[str]) -> Chosen:
    """The customers of these ids and who shares an address or an account with them, looked up in the contacts."""
    ids = frozenset(customer_ids)
    if contacts is None:
        return Chosen(Few(ids), ())
    query, own = _asked(contacts), _own(engine, contacts, ids)
    addresses = _canonical(own)
    similar, firms = _similar(addresses), _accounts(own)
    with reading(contacts.path):
        found = engine.sql(
            f"{query} WHERE {_is_near(similar, 'email')} OR {_is_near(similar, 'phone')} "
            f"OR account_id IN ({_listed(firms)})"
        ).to_arrow_table().to_pylist()  # fmt: skip
        there = engine.sql(
            f"SELECT DISTINCT country FROM ({query}) WHERE country IS NOT NULL ORDER BY country"
        ).fetchall()
    sharing = [
        row for row in found
        if row["customer_id"] not in ids and (row["account_id"] in firms or _canonical([row]) & addresses)
    ]  # fmt: skip
    customers = ids | {row["customer_id"] for row in sharing if row["customer_id"]}
    return Chosen(Few(customers, _accounts((*own, *sharing))), tuple(country for (country,) in there))


def near(engine: duckdb.DuckDBPyConnection, contacts: RawFile, customer_ids: Collection[str]) -> Few:
    """These customers, their accounts, and what addresses must have in common with theirs to be worth comparing."""
    own = _own(engine, contacts, customer_ids)
    return Few(frozenset(customer_ids), _accounts(own), _similar(_canonical(own)))


def _accounts(contacts: Sequence[dict[str, str | None]]) -> frozenset[str]:
    return frozenset(row["account_id"] for row in contacts if row["account_id"])


def _asked(contacts: RawFile) -> str:
    asked = typed_query(contacts, only={"customer_id", "account_id", "email", "phone", "country"})
    return f"SELECT customer_id, account_id, email, phone, country FROM ({asked})"


def _own(
    engine: duckdb.DuckDBPyConnection, contacts: RawFile, customer_ids: Collection[str]
) -> list[dict[str, str | None]]:
    with reading(contacts.path):
        found = engine.sql(f"{_asked(contacts)} WHERE customer_id IN ({_listed(customer_ids)})").to_arrow_table()
    return list(found.to_pylist())


def _is_near(similar: Similar, column: str) -> str:
    """A cheap test that misses no address. Then all are compared."""
    email = f"lower(regexp_extract({column}, '([^\\s<:]*)@', 1)) IN ({_listed(similar.locals)})"
    digits = f"right(regexp_replace({column}, '[^0-9]', '', 'g'), {_DIGITS_COMPARED}) IN ({_listed(similar.endings)})"
    return f"(coalesce({email}, false) OR coalesce({digits}, false) OR strlen({column}) > length({column}))"


def _similar(addresses: Collection[str]) -> Similar:
    return Similar(
        frozenset(address.rpartition("@")[0] for address in addresses if "@" in address),
        frozenset(re.sub(r"\D", "", address)[-_DIGITS_COMPARED:] for address in addresses if "@" not in address),
    )


def _canonical(rows: Sequence[dict[str, str | None]]) -> set[str]:
    emails = {canonical_email(row["email"]) for row in rows if row["email"]}
    phones = {canonical_phone(row["phone"], row["country"]) for row in rows if row["phone"]}
    return {address for address in emails | phones if address}


def _listed(values: Collection[str]) -> str:
    return ", ".join(quoted(value) for value in sorted(values)) or "NULL"
