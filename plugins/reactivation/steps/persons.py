"""Who is behind a customer or an address: every customer that ever bore one of its addresses, by the snapshots there
are and by the ledger.

A person is an address key (ARCHITECTURE.md, the word *person*), so who asks to be forgotten at one address is meant as
every customer behind it. An address that a crowd shares (``permission.yaml``) is nobody's, and leads to nobody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.addresses import canonical_email, canonical_phone
from reactivation.evidence import EvidenceError, SnapshotFolder
from reactivation.ledger import erasures, history, kept
from reactivation.ledger.runs import StepError
from reactivation.steps.folders import snapshot_folders

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

_PAIRS = pa.schema([("customer_id", pa.string()), ("address_key", pa.string())])


@dataclass(frozen=True)
class Persons:
    """People, by customer id and by address key. ``shared``: addresses of theirs that a crowd has, and nobody alone."""

    customers: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.customers or self.keys)


def address_key_of(workspace: Workspace, address: str) -> str:
    """The key of an e-mail address or a phone number. Raises ``StepError``, which does not quote it."""
    text = address.strip()
    canonical = canonical_email(text) or canonical_phone(text, None)
    if canonical is None:
        raise StepError(
            "standard input has no e-mail address and no phone number with its country code (+44…) in its first line; "
            "write one, and nothing else"
        )
    return workspace.keys.key_of(canonical)


def require_known(workspace: Workspace, customer_id: str) -> None:
    """Raises ``StepError`` for a customer whom neither a snapshot nor the ledger knows: a slip of the pen is told."""
    with workspace.ledger.begin() as conn:
        if history.enrolments_of(conn, customer_id) or erasures.erasure_of(conn, customer_id):
            return
    for folder in snapshot_folders(workspace):
        known = folder.peek("contacts", ["customer_id"])["customer_id"]
        if pc.any(pc.equal(known, customer_id)).as_py():
            return
    raise StepError(f"no snapshot and no enrolment knows customer {customer_id}; check the id")


def behind(workspace: Workspace, *, customers: Collection[str] = (), keys: Collection[str] = ()) -> Persons:
    """Everybody behind these customers and address keys, with all their addresses: one step, not a chain of them."""
    if not customers and not keys:
        return Persons()
    known, crowd = _pairs(workspace), workspace.rules.permission.crowd
    asked = frozenset(keys) | _of(known, "customer_id", customers, "address_key")
    crowded = _crowded(known, crowd) - frozenset(keys)
    found = frozenset(customers) | _of(known, "address_key", asked - crowded, "customer_id")
    theirs = asked | _of(known, "customer_id", found, "address_key")
    return Persons(found, theirs - crowded, theirs & crowded)


def told_of(workspace: Workspace, folder: SnapshotFolder, customers: Collection[str]) -> Persons:
    """These customers with the addresses that one snapshot has of them, and nobody else."""
    known = _once([_PAIRS.empty_table(), *_borne(folder)])
    theirs = _of(known, "customer_id", customers, "address_key")
    shared = theirs & _crowded(known, workspace.rules.permission.crowd)
    return Persons(frozenset(customers), theirs - shared, shared)


def bearers(contacts: pa.Table, keys: Collection[str]) -> frozenset[str]:
    """The customers of a snapshot's contacts that bear one of these addresses."""
    wanted = pa.array(sorted(keys), pa.string())
    mine = pc.or_(pc.is_in(contacts["email_key"], wanted), pc.is_in(contacts["phone_key"], wanted))
    return frozenset(contacts.filter(mine)["customer_id"].to_pylist())


def _of(known: pa.Table, column: str, wanted: Iterable[str], other: str) -> frozenset[str]:
    mine = pc.is_in(known[column], value_set=pa.array(sorted(wanted), pa.string()))
    return frozenset(known.filter(mine)[other].to_pylist())


def _crowded(known: pa.Table, crowd: int) -> frozenset[str]:
    holders = known.group_by("address_key").aggregate([("customer_id", "count")])
    return frozenset(holders.filter(pc.greater(holders["customer_id_count"], crowd))["address_key"].to_pylist())


def _pairs(workspace: Workspace) -> pa.Table:
    """Every customer with every address they are known to have borne, each pair once."""
    with workspace.ledger.begin() as conn:
        enrolled = kept.keys_of_customers(conn)
    rows = [dict(zip(_PAIRS.names, one, strict=True)) for one in enrolled]
    known = pa.Table.from_pylist(rows, _PAIRS)
    for folder in snapshot_folders(workspace):
        known = _once([known, *_borne(folder)])
    return known


def _once(known: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables(known).group_by(_PAIRS.names).aggregate([])


def _borne(folder: SnapshotFolder) -> Iterable[pa.Table]:
    """What a snapshot's contacts and suppressions say; a damaged one says nothing here, and is told of when its own
    files are looked at."""
    for file, column in (("contacts", "email_key"), ("contacts", "phone_key"), ("suppressions", "address_key")):
        try:
            rows = folder.read(file, ["customer_id", column])
        except EvidenceError:
            continue
        borne = rows.filter(pc.and_(pc.is_valid(rows["customer_id"]), pc.is_valid(rows[column])))
        yield borne.select(["customer_id", column]).rename_columns(_PAIRS.names).cast(_PAIRS)
