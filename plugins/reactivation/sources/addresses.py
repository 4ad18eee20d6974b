"""Addresses of a source made into facts: canonical form, key, problem, country, zones. One row per distinct address.

Fills the engine's tables ``emails``, ``phones``, ``places`` and ``suppressed_addresses``. Addresses leave the engine
only into ``people.parquet``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from reactivation import paths
from reactivation.contract.addresses import AddressKeys, canonical_phone
from reactivation.contract.emails import AddressRules, email_facts
from reactivation.contract.phones import phone_facts
from reactivation.sources.clocks import clocks_of, read_zone_tables

_PLACES = pa.schema(
    [
        ("country", pa.string()),
        ("region", pa.string()),
        ("timezone", pa.string()),
        ("phone_zones", pa.string()),
        ("zones", pa.list_(pa.string())),
        ("zone_sources", pa.list_(pa.string())),
    ]
)
_SUPPRESSED = pa.schema([("text", pa.string()), ("address_key", pa.string()), ("sure", pa.bool_())])


def read_address_rules() -> AddressRules:
    """``include/rules/addresses.yaml``; the version is the declared one and the digest of the file."""
    return _address_rules((paths.RULES / "addresses.yaml").read_bytes())


@lru_cache(maxsize=1)
def _address_rules(content: bytes) -> AddressRules:
    declared = yaml.load(content, yaml.CSafeLoader)
    return AddressRules(
        f"{declared['version']}+{hashlib.sha256(content).hexdigest()[:12]}",
        frozenset(declared["role_accounts"]),
        frozenset(declared["disposable_domains"]),
    )


@dataclass(frozen=True)
class ContactAddresses:
    """Distinct addresses of contacts read: ``emails`` (``EMAIL_FACTS``) and ``phones`` (``PHONE_FACTS``), each with its
    ``address_key``."""

    emails: pa.Table
    phones: pa.Table


def texts_of_contacts(engine: duckdb.DuckDBPyConnection) -> tuple[pa.Array, pa.Table]:
    """The distinct e-mail texts, and pairs of ``phone`` and ``country``, of ``typed_contacts``, bad rows included."""
    emails = _column(engine, "SELECT DISTINCT email FROM typed_contacts WHERE email IS NOT NULL")
    pairs = engine.sql("SELECT DISTINCT phone, country FROM typed_contacts WHERE phone IS NOT NULL").to_arrow_table()
    return emails, pairs


def read_contact_addresses(
    emails: pa.Array, pairs: pa.Table, keys: AddressKeys, rules: AddressRules
) -> ContactAddresses:
    """What ``texts_of_contacts`` gave, read. Touches nothing else, so it may run beside the engine."""
    read = email_facts(emails, rules)
    phones = phone_facts(pairs["phone"].combine_chunks(), pairs["country"].combine_chunks())
    return ContactAddresses(
        read.append_column("address_key", _keys(read["canonical"], keys)),
        phones.append_column("address_key", _keys(phones["canonical"], keys)),
    )


def add_contact_addresses(engine: duckdb.DuckDBPyConnection, read: ContactAddresses) -> None:
    """``emails``, ``phones`` and ``places`` of ``typed_contacts``."""
    _store(engine, "emails", read.emails)
    _store(engine, "phones", read.phones)
    combinations = engine.sql(paths.sql("place_combinations")).to_arrow_table()
    tables = read_zone_tables()
    rows = []
    for row in combinations.to_pylist():
        phone_zones = (row["phone_zones"] or "").split()
        zones, found = clocks_of(tables, row["country"], row["region"], row["timezone"], phone_zones)
        rows.append({**row, "zones": zones, "zone_sources": found})
    _store(engine, "places", pa.Table.from_pylist(rows, schema=_PLACES))


def countries_of_contacts(engine: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The countries of ``typed_contacts``, in which a phone number without one is read."""
    there = "SELECT DISTINCT country FROM typed_contacts WHERE country IS NOT NULL ORDER BY country"
    return tuple(_column(engine, there).to_pylist())


def add_suppressed_addresses(
    engine: duckdb.DuckDBPyConnection, texts: pa.Array, countries: Sequence[str], keys: AddressKeys, rules: AddressRules
) -> None:
    """``suppressed_addresses``: every key a suppressed address may have; without a row it cannot be read.

    A phone number in local notation is read in each of ``countries``: nobody says whose it is.
    """
    is_email = pc.match_substring(texts, "@")
    emails, phones = texts.filter(is_email), texts.filter(pc.invert(is_email))
    as_emails = email_facts(emails, rules)
    as_phones = phone_facts(phones, pa.nulls(len(phones), pa.string()))
    found = pa.concat_tables([as_emails.select(["text", "canonical"]), as_phones.select(["text", "canonical"])])
    sure = found.filter(pc.is_valid(found["canonical"]))
    rows = []
    for text in as_phones.filter(pc.is_null(as_phones["canonical"]))["text"].to_pylist():
        readings = sorted({phone for country in countries if (phone := canonical_phone(text, country))})
        rows += [{"text": text, "address_key": keys.key_of(read), "sure": len(readings) == 1} for read in readings]
    read = pa.table(
        [sure["text"], _keys(sure["canonical"], keys), pa.array([True] * len(sure), pa.bool_())], schema=_SUPPRESSED
    )
    _store(engine, "suppressed_addresses", pa.concat_tables([read, pa.Table.from_pylist(rows, schema=_SUPPRESSED)]))


def _keys(canonicals: pa.ChunkedArray, keys: AddressKeys) -> pa.Array:
    distinct = pc.unique(canonicals).drop_null()
    made = pa.array(keys.keys_of(distinct.to_pylist()), pa.string())
    return pc.take(made, pc.index_in(canonicals.combine_chunks(), value_set=distinct))


def _column(engine: duckdb.DuckDBPyConnection, query: str) -> pa.Array:
    return engine.sql(query).to_arrow_table().column(0).combine_chunks()


def _store(engine: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    engine.register("arriving", rows)
    engine.execute(f"CREATE TABLE {name} AS FROM arriving")
    engine.unregister("arriving")
