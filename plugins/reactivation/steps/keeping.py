"""Which rows of the personal files stay: columns of yes and no for erasure, holds and retention.

What is about somebody on hold stays whatever else is said of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.addresses import AddressKeys, canonical_email, canonical_phone
from reactivation.policy.retention import RetentionRules, draft_is_past
from reactivation.steps.persons import Persons, bearers

#: What must be read of a file to know which rows stay.
PEOPLE_COLUMNS = ("kind", "customer_id", "key", "original")
CONTACT_COLUMNS = ("customer_id", "account_id", "email_key", "phone_key")
DRAFT_COLUMNS = ("customer_id", "address_key", "digest", "not_after")
#: By which column the rows of a file are about a person, in run and snapshot folders. Files that are not here are about
#: things, or are counts.
RECORDS: Mapping[str, tuple[str, ...]] = {
    "decisions": ("customer_id",), "plan": ("customer_id",), "readiness_rows": ("key",),
    "segments": ("customer_id",),
    "ledger_extract": ("address_key",), "contacts": ("customer_id",), "purchase_summary": ("customer_id",),
    "engagement_summary": ("customer_id",), "consents": ("customer_id",), "cases": ("customer_id",),
    "suppressions": ("customer_id", "address_key"), "broken_nos": ("customer_id", "address_key"),
    "quarantine": ("key",),
}  # fmt: skip

#: ``any`` or ``all``.
Quantifier = Callable[[list[bool]], bool]

#: How columns end that name a customer.
_OF_CUSTOMERS = ("customer_id", "contact_id")
_FEWEST_DIGITS = 5


def people_that_stay(
    rows: pa.Table, contacts: pa.Table, *, past: bool, gone: Persons, held: Persons, keys: AddressKeys
) -> pa.Array:
    """Of ``people.parquet``: not those of erased people, and, once ``past``, nobody's but theirs who are on hold.

    ``contacts``: ``CONTACT_COLUMNS`` of the same snapshot. A quarantined row of nobody knows whom may be of somebody on
    hold; it stays while anybody is.
    """
    held_rows = _about(rows, contacts, held, keys, of_accounts=any)
    if held:
        unknown = pc.and_(_is(rows, "quarantined"), pc.is_null(rows["customer_id"]))
        held_rows = pc.or_(held_rows, unknown)
    if past:
        return held_rows
    return pc.or_(held_rows, pc.invert(_about(rows, contacts, gone, keys, of_accounts=all)))


def drafts_not_of(rows: pa.Table, *, gone: Persons, held: Persons) -> pa.Array:
    """Of ``drafts.parquet``: those of nobody who was erased."""
    return pc.or_(_drafts_of(rows, held), pc.invert(_drafts_of(rows, gone)))


def drafts_that_stay(
    rows: pa.Table, *, rules: RetentionRules, sent: Mapping[str, datetime], held: Persons, now: datetime
) -> pa.Array:
    """Of ``drafts.parquet``: those whose time is not over. ``sent``: for those that went out, by digest, when the last
    message for their person did."""
    told = rows.select(["digest", "not_after"]).to_pylist()
    fresh = [
        not draft_is_past(rules, window_ended=one["not_after"], last_sent=sent.get(one["digest"]), now=now)
        for one in told
    ]
    return pc.or_(_drafts_of(rows, held), pa.array(fresh, pa.bool_()))


def records_that_stay(
    rows: pa.Table, columns: Collection[str], *, customers: Collection[str], keys: Collection[str]
) -> pa.Array:
    """Of a file by ids: those of these customers, or of these address keys."""
    known = {"address_key": keys}
    stay = pa.array([False] * len(rows), pa.bool_())
    for column in columns:
        stay = pc.or_(stay, _in(rows[column], known.get(column, customers)))
    return stay


def _drafts_of(rows: pa.Table, persons: Persons) -> pa.Array:
    return pc.or_(_in(rows["customer_id"], persons.customers), _in(rows["address_key"], persons.keys))


def _about(
    rows: pa.Table,
    contacts: pa.Table,
    persons: Persons,
    keys: AddressKeys,
    *,
    of_accounts: Quantifier,
) -> pa.Array:
    """The rows about these people: their own, set aside ones that name them, and those of accounts of which any, or
    all, contacts are theirs."""
    if not persons:
        return pa.array([False] * len(rows), pa.bool_())
    customers = persons.customers | bearers(contacts, persons.keys)
    own = _in(rows["customer_id"], customers)
    accounts = pc.and_(_is(rows, "account"), _in(rows["key"], _accounts(contacts, customers, of_accounts)))
    naming = pa.array([
        kind == "quarantined" and names(original, customers, persons.keys, keys)
        for kind, original in zip(rows["kind"].to_pylist(), rows["original"].to_pylist(), strict=True)
    ], pa.bool_())  # fmt: skip
    return pc.or_(pc.or_(own, accounts), naming)


def names(original: str | None, customers: Collection[str], address_keys: Collection[str], keys: AddressKeys) -> bool:
    """Whether the original of a row that was set aside names one of these people, by id or by address. One that cannot
    be read might."""
    try:
        row = json.loads(original or "")
    except ValueError:
        return True
    if not isinstance(row, dict):
        return True
    if any(str(value).strip() in customers for column, value in row.items() if column.endswith(_OF_CUSTOMERS)):
        return True
    texts = [str(value).strip() for value in row.values() if value is not None]
    country = str(row.get("country") or "") or None
    return not address_keys or any(key in address_keys for key in keys.keys_of(_addresses(texts, country)))


def _addresses(texts: Collection[str], country: str | None) -> Iterator[str]:
    for text in texts:
        if "@" in text:
            found = canonical_email(text)
        elif sum(character.isdigit() for character in text) >= _FEWEST_DIGITS:
            found = canonical_phone(text, country)
        else:
            continue
        if found:
            yield found


def _accounts(contacts: pa.Table, customers: Collection[str], of_accounts: Quantifier) -> frozenset[str]:
    """The accounts of which any, or all, contacts are among these customers."""
    of_account: dict[str, list[bool]] = {}
    for row in contacts.select(["account_id", "customer_id"]).to_pylist():
        if row["account_id"] is not None:
            of_account.setdefault(row["account_id"], []).append(row["customer_id"] in customers)
    return frozenset(account for account, theirs in of_account.items() if of_accounts(theirs))


def _is(rows: pa.Table, kind: str) -> pa.Array:
    return pc.equal(rows["kind"], kind)


def _in(column: pa.ChunkedArray, wanted: Collection[str]) -> pa.Array:
    return pc.is_in(column, value_set=pa.array(sorted(wanted), pa.string()))
