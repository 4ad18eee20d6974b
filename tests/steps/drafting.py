"""A run whose plan has ended, over a snapshot of four customers: ready to be drafted, on a ledger of the test's own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from tests import ledgers
from tests.builders import KEYS
from tests.ledgers import NOW, PLAYBOOK, RUN_ID, SNAPSHOT_ID, a_key

from reactivation import paths
from reactivation.contract.digests import canonical_json
from reactivation.contract.snapshot import SNAPSHOT
from reactivation.evidence import RunFolder, as_path, building
from reactivation.evidence.folders import file_digests
from reactivation.evidence.parquet import write_parquet
from reactivation.ledger import measurements, runs
from reactivation.ledger.engine import Ledger
from reactivation.policy.decisions import DECISIONS, GATES
from reactivation.policy.intake import INTAKE
from reactivation.steps.planning import decision_events
from reactivation.steps.settings import Settings
from reactivation.steps.workspace import Workspace

AS_OF = NOW - timedelta(hours=2)
CUSTOMERS = ("c-ada", "c-ben", "c-cem", "c-dov")
#: When the planned touches may go out: in two days, a Thursday.
LATER = NOW + timedelta(days=2)


def contact(customer_id: str, **changes: Any) -> dict[str, Any]:
    """A British customer whose address key is that of the customer's id."""
    return {
        "customer_id": customer_id, "business_segment": "household", "country": "GB", "email_key": a_key(customer_id),
        "phone_key": a_key(f"phone-{customer_id}"), "zones": ["Europe/London"], "zone_sources": ["address"],
    } | changes  # fmt: skip


def person(customer_id: str, **changes: Any) -> dict[str, Any]:
    name = customer_id.removeprefix("c-")
    return {"kind": "person", "customer_id": customer_id, "table": "contacts",
            "first_name": name.strip("-0123456789").title(),
            "email": f"{name}@mail.test", "phone": "+447700900456", "key": customer_id} | changes  # fmt: skip


def decision(customer_id: str, **changes: Any) -> dict[str, Any]:
    return {"playbook": PLAYBOOK, "customer_id": customer_id, "owner_id": "own-ada", "decision": "enrol",
            "recommended_channel": "email", "email_basis": "express", **{f"gate_{name}": "pass" for name in GATES},
            "email_records": [f"r-{customer_id}"], "product_affinity": "heating", "enrolled": False,
            "dormant_days": 130, "last_activity_at": NOW - timedelta(days=130),
            "reason_codes": ["context_conflict:owner"] if changes.get("decision") == "hold" else [],
            "evidence": {"affinity_source": "purchases", "window_days": 90}} | changes  # fmt: skip


def offer(**changes: Any) -> dict[str, Any]:
    """Fifteen pounds of credit for 72 hours."""
    from decimal import Decimal as D

    return {
        "offer_id": "offer-credit-15", "name": "15 pounds", "kind": "credit", "value": D(15), "currency": "GBP",
        "unit_cost": D("9.50"), "redeem_within_hours": 72, "starts_at": NOW - timedelta(days=30),
        "ends_at": NOW + timedelta(days=60), "margin_floor": D("0.1"), "budget": D(3000), "codes_available": 500,
        "terms": "£15 off your next booking. One per household.", "conditions": "none",
    } | changes  # fmt: skip


def product(product_id: str, **changes: Any) -> dict[str, Any]:
    """A product of the heating shelf, in stock, with a page."""
    return {"product_id": product_id, "name": f"Boiler {product_id}", "category": "heating", "in_stock": True,
            "url": f"https://harbour-finch.example/{product_id}"} | changes  # fmt: skip


def claim(claim_id: str, **changes: Any) -> dict[str, Any]:
    """A reviewed community claim about everybody, captured this morning."""
    return {
        "claim_id": claim_id, "kind": "community", "text_ref": "texts/clm-community-households.txt",
        "evidence_ref": "evidence/1.pdf", "captured_at": NOW - timedelta(hours=3), "rights_ok": True,
        "reviewed_by": "own-cleo", "reviewed_at": NOW - timedelta(hours=2),
    } | changes  # fmt: skip


@dataclass
class House:
    """What a drafting step finds. Change the rows, then ``open`` it."""

    home: Path
    ledger: Ledger
    contacts: dict[str, dict[str, Any]] = field(default_factory=lambda: {c: contact(c) for c in CUSTOMERS})
    people: dict[str, dict[str, Any]] = field(default_factory=lambda: {c: person(c) for c in CUSTOMERS})
    decisions: dict[str, dict[str, Any]] = field(default_factory=lambda: {c: decision(c) for c in CUSTOMERS})
    offers: list[dict[str, Any]] = field(default_factory=lambda: [offer()])
    products: list[dict[str, Any]] = field(default_factory=lambda: [product("p-1", name="Boiler service")])
    claims: list[dict[str, Any]] = field(default_factory=lambda: [claim("m-1")])
    bought_last: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> Workspace:
        """The rooms, with playbooks of the test's own."""
        playbooks = self.home / "playbooks"
        if not playbooks.exists():
            shutil.copytree(paths.PLAYBOOKS, playbooks)
        settings = Settings(
            home=self.home, ledger_url=self.ledger.name, address_keys=(b"k" * 32,), source="", playbooks=playbooks
        )
        return Workspace(settings, self.ledger, KEYS)

    def open(
        self, *touches: Mapping[str, Any], run_id: str = RUN_ID, dry: bool = False, now: datetime = NOW,
        logged: bool = True,
    ) -> None:  # fmt: skip
        """Writes the snapshot once, begins a run, and ends its plan; each touch is ``customer`` and what differs.
        ``logged``: each decision has its measurement event."""
        workspace = self.workspace
        snapshot = workspace.snapshot_folder(SNAPSHOT_ID)
        if not snapshot.exists():
            self._snapshot(snapshot.path)
        loaded = workspace.playbook(PLAYBOOK)
        with self.ledger.begin() as conn:
            if runs.latest_ready_snapshot(conn) is None:
                runs.record_snapshot(
                    conn, snapshot_id=SNAPSHOT_ID, as_of=AS_OF, taken_at=AS_OF,
                    manifest_digest=snapshot.manifest_digest, state="ready",
                )  # fmt: skip
            runs.begin_run(
                conn, run_id=run_id, playbook=PLAYBOOK, snapshot_id=SNAPSHOT_ID, as_of=AS_OF,
                playbook_digest=loaded.digest, rules_version=workspace.rules.version, dry=dry, segment=None,
                sample_size=None, triggered_by="operator", started_at=now,
            )  # fmt: skip
            folder = RunFolder.create(
                workspace.run_folder(run_id).path, as_of=AS_OF, inputs={"snapshot": snapshot.manifest_digest}
            )
            digest = folder.add({"decisions": _table(self.decisions.values(), DECISIONS), "plan": _plan(touches)})
            runs.record_step(conn, run_id, "plan", state="succeeded", manifest_digest=digest, counts={}, now=now)
            if not dry:
                self._enter(conn, touches, run_id)
            if logged and not dry:
                run = runs.run_of(conn, run_id)
                events = decision_events(run, folder.read("decisions"), INTAKE.empty_table(), now)
                measurements.insert_events(conn, events)

    def _enter(self, conn: Any, touches: tuple[Mapping[str, Any], ...], run_id: str) -> None:
        enrolled: dict[str, str] = {}
        for row in touches:
            changes = dict(row)
            customer_id = changes.pop("customer")
            if customer_id not in enrolled:
                enrolled[customer_id] = ledgers.enrol(conn, customer_id, run_id=run_id)
            ledgers.add_touch(conn, enrolled[customer_id], customer_id, **(_WAITING | changes))

    def _snapshot(self, path: Any) -> None:
        rows: dict[str, Any] = {
            "contacts": self.contacts.values(), "people": self.people.values(), "offers": self.offers,
            "products": self.products, "claims": self.claims,
            "purchase_summary": [{"customer_id": c, "last_product": p} for c, p in self.bought_last.items()],
        }  # fmt: skip
        with building(as_path(path)) as place:
            for name, schema in SNAPSHOT.items():
                write_parquet(place / f"{name}.parquet", _table(rows.get(name, []), schema), schema)
            manifest = {"schema": 1, "kind": "snapshot", "id": SNAPSHOT_ID, "as_of": AS_OF, "sources": [],
                        "files": file_digests(place), "inputs": {}}  # fmt: skip
            (place / "manifest.json").write_bytes(canonical_json(manifest))


_WAITING: dict[str, Any] = {
    "state": "planned", "draft_digest": None, "draft_run_id": None, "not_before": LATER,
    "not_after": LATER + timedelta(days=5),
}  # fmt: skip
REWARD: dict[str, Any] = {
    "number": 3, "pattern": "value_reward", "purpose": "reward", "incentive": "points_or_credit",
    "offer_id": "offer-credit-15", "not_before": LATER + timedelta(days=5), "not_after": LATER + timedelta(days=8),
}  # fmt: skip


def _plan(touches: tuple[Mapping[str, Any], ...]) -> pa.Table:
    rows = []
    for touch in touches:
        customer_id = touch["customer"]
        enrolment_id = ledgers.an_id("planned", customer_id)
        row = _WAITING | {"number": 1, "channel": "email", "offer_id": None} | dict(touch)
        rows.append(row | {
            "customer_id": customer_id, "enrolment_id": enrolment_id, "owner_id": "own-ada",
            "touch_id": ledgers.an_id(enrolment_id, row["number"]), "address_key": a_key(customer_id),
            "in_horizon": touch.get("in_horizon", True),
        })  # fmt: skip
    from reactivation.ledger.touches import DUE

    schema = pa.schema([*DUE, pa.field("in_horizon", pa.bool_())])
    return _table(rows, schema)


def _table(rows: Any, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema)
