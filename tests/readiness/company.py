"""A small company whose data is ready, as a snapshot folder, a playbook, owners and decisions; parts can be broken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from reactivation import paths
from reactivation.contract.digests import canonical_json
from reactivation.contract.snapshot import SNAPSHOT
from reactivation.contract.tables import TABLES
from reactivation.evidence import SnapshotFolder, as_path, building
from reactivation.evidence.folders import file_digests
from reactivation.evidence.parquet import write_parquet
from reactivation.playbooks.loader import load_playbook
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.owners import Owners, load_owners
from reactivation.policy.decisions import DECISIONS, GATES
from reactivation.readiness import Known, Verdict, judge

AS_OF = datetime(2026, 11, 17, 9, tzinfo=UTC)
CUSTOMERS = [f"cus-{n:04}" for n in range(1, 41)]
SEGMENTS = ("household", "care_plan", "business")


def contact(customer_id: str, **changes: Any) -> dict[str, Any]:
    segment = SEGMENTS[int(customer_id[-1]) % 3]
    return {"customer_id": customer_id, "business_segment": segment, "relationship": "normal",
            "is_subscriber_only": False} | changes  # fmt: skip


def decision(customer_id: str, **changes: Any) -> dict[str, Any]:
    gates = {f"gate_{name}": "pass" for name in GATES}
    return {"customer_id": customer_id, "owner_id": "own-ada", "decision": "enrol"} | gates | changes


def facts(rows: int = 100, **changes: Any) -> dict[str, Any]:
    return {"present": True, "rows": rows, "unknown_columns": [], "missing_columns": [], "quarantined": 0,
            "duplicates": 0, "broken_nos": 0, "broken_unreadable_nos": 0} | changes  # fmt: skip


@dataclass
class Company:
    """What a verdict is given over."""

    contacts: list[dict[str, Any]] = field(default_factory=lambda: [contact(c) for c in CUSTOMERS])
    decisions: list[dict[str, Any]] = field(default_factory=lambda: [decision(c) for c in CUSTOMERS])
    purchases: list[dict[str, Any]] = field(default_factory=lambda: [
        {"customer_id": c, "purchases": 2, "last_purchase_at": AS_OF - timedelta(days=130)} for c in CUSTOMERS
    ])  # fmt: skip
    engagements: list[dict[str, Any]] = field(default_factory=lambda: [
        {"customer_id": c, "last_visit_at": AS_OF - timedelta(days=120)} for c in CUSTOMERS
    ])  # fmt: skip
    tables: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {name: facts(file=f"{name}.csv") for name in TABLES}
    )
    accounts: list[dict[str, Any]] = field(default_factory=list)
    joins: dict[str, int] = field(default_factory=dict)
    bad_rules: dict[str, int] = field(default_factory=dict)
    speaks_as_of: datetime | None = AS_OF
    playbook: Playbook = field(
        default_factory=lambda: load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml").playbook
    )
    owners: Owners = field(default_factory=lambda: load_owners(paths.OWNERS))
    known: Known = field(default_factory=Known)

    def table(self, name: str, **changes: Any) -> None:
        self.tables[name] |= changes

    def change_playbook(self, part: str | None = None, **changes: Any) -> None:
        """Past the model's own checks, as a later model or a careless edit of it might."""
        inner = getattr(self.playbook, part).model_copy(update=changes) if part else None
        self.playbook = self.playbook.model_copy(update={part: inner} if part else changes)

    def of_accounts(self, **changes: Any) -> None:
        """Everybody in an account of his own, and a playbook about accounts."""
        self.change_playbook(subject="account", owners=dict.fromkeys(SEGMENTS, "own-ben"))
        self.accounts = [
            {"account_id": f"acc-{n}", "owner_id": "own-ben", "annual_value": Decimal(900)} | changes
            for n, _ in enumerate(CUSTOMERS)
        ]
        for n, row in enumerate(self.decisions):
            row["account_id"] = f"acc-{n}"

    def earlier(self, *rows: dict[str, int]) -> None:
        """What earlier runs counted, the last first; tables not named were as large as now."""
        same = {name: fact["rows"] for name, fact in self.tables.items()}
        self.known = replace(self.known, earlier=[same | one for one in rows])

    def mailed(self, *, sent: int, bounced: int = 0, complained: int = 0) -> None:
        """What our ledger knows of the last 30 days' mail."""
        self.known = replace(self.known, sent={"sent": sent, "bounced": bounced, "complained": complained})

    def without_owner(self, owner_id: str) -> None:
        kept = {k: v.model_copy(update={"delegate": None}) for k, v in self.owners.by_id.items() if k != owner_id}
        self.owners = replace(self.owners, by_id=kept)

    def snapshot(self, folder: Path) -> SnapshotFolder:
        """The snapshot folder, whole, with its manifest."""
        rows = {
            "contacts": self.contacts, "accounts": self.accounts, "purchase_summary": self.purchases,
            "engagement_summary": self.engagements,
            "profile": [
                *({"table": t, "rule": "joins_contacts", "rows": 100, "bad_rows": n} for t, n in self.joins.items()),
                *({"table": t, "rule": "row", "rows": 100, "bad_rows": n} for t, n in self.bad_rules.items()),
                {"table": "claims", "rule": "row", "rows": 0, "bad_rows": 0},
            ],
        }  # fmt: skip
        with building(as_path(folder)) as place:
            for name, schema in SNAPSHOT.items():
                write_parquet(place / f"{name}.parquet", pa.Table.from_pylist(rows.get(name, []), schema), schema)
            source = {"name": "crm", "tables": self.tables}
            if self.speaks_as_of is not None:
                source["speaks_as_of"] = self.speaks_as_of.isoformat()
            manifest = {"schema": 1, "kind": "snapshot", "id": folder.name, "as_of": AS_OF, "sources": [source],
                        "files": file_digests(place), "inputs": {}}  # fmt: skip
            (place / "manifest.json").write_bytes(canonical_json(manifest))
        return SnapshotFolder(folder)

    def judged(self, folder: Path, at: datetime = AS_OF) -> Verdict:
        decided = pa.Table.from_pylist(self.decisions, schema=DECISIONS)
        return judge(self.snapshot(folder), self.playbook, self.owners, decided, at, known=self.known)
