"""A workspace with one drafted run in it: evidence files and ledger rows that fit together, as the steps leave them.

Five household customers of Ada's (``c-1`` to ``c-5``; ``c-5`` needs a decision of its own) get touch 1. ``c-1`` and
``c-2`` also get touch 3, with fifteen pounds of credit. All names are awkward on purpose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, insert, update
from tests.approvals.asked import NOW
from tests.builders import KEYS

from reactivation import paths
from reactivation.contract.digests import canonical_json, item_digest
from reactivation.contract.snapshot import SNAPSHOT
from reactivation.evidence import RunFolder
from reactivation.evidence.building import as_path, building
from reactivation.evidence.parquet import write_parquet
from reactivation.ledger import runs
from reactivation.ledger.engine import Ledger
from reactivation.ledger.tables import enrolments, touches
from reactivation.messages.drafts import DRAFTS
from reactivation.playbooks.loader import load_playbook
from reactivation.policy.decisions import DECISIONS, GATES
from reactivation.steps.planning import PLAN
from reactivation.steps.settings import Settings
from reactivation.steps.workspace import Workspace

RUN, SNAPSHOT_ID = "run-1", "snap-1"
PLAYBOOK = "customer_reactivation"
TERMS = "15 pounds off your next booking. One per customer."
NAMES = {
    "c-1": "Zoë <script>alert(1)</script>", "c-2": 'Ben "Boss" O\'Neill',
    "c-3": "</iframe><img src=x onerror=alert(2)>", "c-4": "{{ 6*7 }} {% raw %}", "c-5": "Łucja & Söhne",
}  # fmt: skip


def house(home: Path, ledger: Ledger, **settings: Any) -> Workspace:
    """A workspace over that home and ledger, with the project's own owners, tenant and playbook."""
    url = ledger.engine.url.render_as_string(hide_password=False)
    given = {"home": home, "ledger_url": url, "address_keys": (b"k" * 32,), "source": str(home), "given_now": NOW}
    made = Settings(**(given | settings))
    return Workspace(made, ledger, KEYS)


def draft(n: int, number: int = 1, **changes: Any) -> dict[str, Any]:
    """The draft of one touch of the n-th customer, digest included."""
    name = NAMES.get(f"c-{n}", f"Customer {n}")
    row: dict[str, Any] = {
        "touch_id": f"t-{n}-{number}", "enrolment_id": f"e-{n}", "customer_id": f"c-{n}", "playbook": PLAYBOOK,
        "number": number, "channel": "email", "sender": "Harbour & Finch <hello@harbour-finch.example>",
        "recipient": f"customer{n}@gmail.com", "subject": f"{name}, is the boiler still humming?",
        "text": f"Hello {name},\n\nthe autumn check is due.\n\nHarbour & Finch",
        "html": f"<html><body style='font-family: Georgia, serif'><p>Hello {name},</p><p>the autumn check is due."
        "<img src='https://tracker.example/pixel.gif'></p><script>document.body.innerText = 'ran'</script>"
        "</body></html>",
        "headers": [
            {"name": "List-Unsubscribe", "value": f"<https://harbour-finch.example/unsubscribe?t=t-{n}-{number}>"},
            {"name": "List-Unsubscribe-Post", "value": "List-Unsubscribe=One-Click"},
        ],
        "claims": [], "offer_id": None, "offer_terms": None, "deadline": None, "code": None,
        "not_before": NOW - timedelta(hours=1), "not_after": NOW + timedelta(days=5), "address_key": f"{n:064x}",
        "basis_records": [f"k-{n}"], "rules_version": "1+0123456789ab", "playbook_digest": playbook_digest(),
    }  # fmt: skip
    if number == 3:
        row |= {"offer_id": "offer-credit-15", "offer_terms": TERMS, "code": f"HF-{n}",
                "deadline": NOW + timedelta(days=3)}  # fmt: skip
    row |= changes
    return row | {"digest": item_digest(row)}


def decision(n: int, **changes: Any) -> dict[str, Any]:
    """The decision about the n-th customer: a household quiet for 130 days, with evidenced consent."""
    known: dict[str, Any] = {
        "playbook": PLAYBOOK, "customer_id": f"c-{n}", "as_of": NOW, "business_segment": "household",
        "owner_id": "own-ada", "enrolled": False, "dormancy_range": "critical", "value_tier": "mid",
        "population": "high_value", "dormant_days": 130, "last_activity_at": NOW - timedelta(days=130),
        "last_activity_kind": "booking", "last_purchase_at": NOW - timedelta(days=200),
        "inactivity_reason": "seasonal_pause", "reason_basis": "inferred", "decision": "enrol", "reason_codes": [],
        "review_flags": [], "review_reasons": [], "recommended_channel": "email", "email_basis": "express",
        "email_records": [f"k-{n}"], "jurisdictions": ["GB"], "next_best_action": "start_sequence", "holdout": False,
        "evidence": {
            "currency": "GBP", "purchases": 3, "revenue_24m": Decimal("360.00"), "relationship": "normal",
            "fit": "good", "past_case_ids": ["k-7"],
        },
        "reviewed": True, "rules_version": "1+0123456789ab", **{f"gate_{gate}": "pass" for gate in GATES},
    }  # fmt: skip
    return dict.fromkeys(DECISIONS.names) | known | changes


REVIEWED = {"decision": "review", "review_reasons": ["sensitive"], "gate_relationship": "review:sensitive"}


def household() -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each customer's decision and drafts."""
    told = [(decision(n), [draft(n), draft(n, 3)] if n <= 2 else [draft(n)]) for n in (1, 2, 3, 4)]
    return [*told, (decision(5, **REVIEWED), [draft(5)])]


def crowd(count: int, individual: int = 0) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """That many customers with touch 1; the first so many need a decision of their own."""
    return [(decision(n, **(REVIEWED if n <= individual else {})), [draft(n)]) for n in range(1, count + 1)]


def playbook_digest() -> str:
    """The digest of the project's playbook as it lies on disk."""
    return load_playbook(paths.PLAYBOOKS / f"{PLAYBOOK}.yaml").digest


def drafted(
    workspace: Workspace,
    people: Sequence[tuple[dict[str, Any], list[dict[str, Any]]]] | None = None,
    *,
    run_id: str = RUN,
    dry: bool = False,
    again: bool = False,
    triggered_by: str = "operator",
    digest_of: Callable[[], str] = playbook_digest,
) -> RunFolder:
    """Everything a run has when its drafts are made: snapshot, decisions, drafts, ledger rows, the step *draft*.

    ``again``: the people are enrolled already, and this run drafts their touches once more.
    """
    people = household() if people is None else people
    drafts = [draft for _, drafts in people for draft in drafts]
    snapshot = workspace.snapshot_folder(SNAPSHOT_ID)
    if not snapshot.exists():
        _snapshot(workspace, people)
    folder = RunFolder.create(workspace.run_folder(run_id).path, as_of=NOW, inputs={})
    folder.add_file("decisions", pa.Table.from_pylist([decided for decided, _ in people], schema=DECISIONS))
    folder.add_file("plan", _plan(drafts))
    digest = folder.add_file("drafts", pa.Table.from_pylist(drafts, schema=DRAFTS))
    with workspace.ledger.begin() as conn:
        runs.begin_run(
            conn, run_id=run_id, playbook=PLAYBOOK, snapshot_id=SNAPSHOT_ID, as_of=NOW, playbook_digest=digest_of(),
            rules_version="1+0123456789ab", dry=dry, segment=None, sample_size=None, triggered_by=triggered_by,
            started_at=NOW,
        )  # fmt: skip
        if again:
            conn.execute(update(touches).values(state="drafted", draft_run_id=run_id))
        for decided, own in () if dry or again else people:
            _enrol(conn, run_id, decided, own)
        runs.record_step(conn, run_id, "draft", state="succeeded", manifest_digest=digest, counts={}, now=NOW)
    return folder


def _plan(drafts: Sequence[dict[str, Any]]) -> pa.Table:
    """The plan that brought these drafts."""
    rows = [
        dict.fromkeys(PLAN.names) | {name: row[name] for name in PLAN.names if name in row}
        | {"pattern": "curiosity", "purpose": "check_in", "incentive": "none", "state": "planned",
           "zone": "Europe/London", "owner_id": "own-ada", "in_horizon": True}
        for row in drafts
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PLAN)


def _snapshot(workspace: Workspace, people: Sequence[tuple[dict[str, Any], Any]]) -> None:
    offer = {
        "offer_id": "offer-credit-15", "name": "15 pounds of credit", "kind": "credit", "value": Decimal(15),
        "currency": "GBP", "unit_cost": Decimal(15), "starts_at": NOW, "ends_at": NOW + timedelta(days=60),
        "margin_floor": Decimal(0), "budget": Decimal(3000), "terms": TERMS, "conditions": "",
    }  # fmt: skip
    rows = {"offers": [offer], "contacts": [{"customer_id": decided["customer_id"]} for decided, _ in people]}
    with building(as_path(workspace.snapshot_folder(SNAPSHOT_ID).path)) as place:
        for name, some in rows.items():
            schema = pa.schema([field.with_nullable(True) for field in SNAPSHOT[name]])
            filled = [dict.fromkeys(schema.names) | row for row in some]
            write_parquet(place / f"{name}.parquet", pa.Table.from_pylist(filled, schema=schema), schema)
        files = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(place.iterdir())}
        manifest = {"schema": 1, "kind": "snapshot", "id": SNAPSHOT_ID, "as_of": NOW, "sources": [], "files": files,
                    "inputs": {}}  # fmt: skip
        (place / "manifest.json").write_bytes(canonical_json(manifest))
    with workspace.ledger.begin() as conn:
        runs.record_snapshot(
            conn, snapshot_id=SNAPSHOT_ID, as_of=NOW, taken_at=NOW, state="ready",
            manifest_digest=workspace.snapshot_folder(SNAPSHOT_ID).manifest_digest,
        )  # fmt: skip


def _enrol(conn: Connection, run_id: str, decided: dict[str, Any], drafts: Sequence[dict[str, Any]]) -> None:
    n = decided["customer_id"].removeprefix("c-")
    conn.execute(
        insert(enrolments).values(
            enrolment_id=f"e-{n}", playbook=PLAYBOOK, run_id=run_id, customer_id=decided["customer_id"],
            segment=decided["business_segment"], owner_id=decided["owner_id"], decision=decided["decision"],
            review_reasons=decided["review_reasons"], dimensions={}, state="active", enrolled_at=NOW,
            plan_ends_at=NOW + timedelta(days=40),
        )
    )  # fmt: skip
    for row in drafts:
        conn.execute(
            insert(touches).values(
                touch_id=row["touch_id"], enrolment_id=f"e-{n}", playbook=PLAYBOOK, number=row["number"],
                pattern="curiosity", purpose="check_in", channel=row["channel"], incentive="none",
                offer_id=row["offer_id"], address_key=row["address_key"], not_before=row["not_before"],
                not_after=row["not_after"], state="drafted", draft_digest=row["digest"], draft_run_id=run_id,
                changed_at=NOW,
            )
        )  # fmt: skip
