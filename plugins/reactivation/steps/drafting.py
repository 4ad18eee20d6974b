"""What the drafting step and the preview share: the drafter of a run, and the customers' side of each touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from reactivation import paths
from reactivation.contract.tables import TEXT, WHOLE
from reactivation.evidence import RunFolder, SnapshotFolder, query
from reactivation.messages.claims import read_text, why_unusable
from reactivation.messages.drafts import Drafter, DueTouch
from reactivation.messages.fields import MessageError, Offer
from reactivation.messages.templates import load_template
from reactivation.playbooks.loader import LoadedPlaybook
from reactivation.playbooks.model import Playbook
from reactivation.policy.channels import why_not
from reactivation.policy.timing import PLACE_COLUMNS, TimingRules, next_legal_instant, recipient_zone

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: The claims each touch may make.
_USABLE = pa.schema([("number", WHOLE), ("claim_id", TEXT)])
#: What a due touch has of a row of ``with_customers``.
_AS_THEY_ARE = tuple(field.name for field in fields(DueTouch) if field.name not in ("basis_records", "code"))

#: Held only because a message went out a moment ago, by us or another: that is over when the next one is due.
_RESTING = "timing:cap"


def drafter_of(workspace: Workspace, loaded: LoadedPlaybook, snapshot: SnapshotFolder) -> Drafter:
    """The drafter for a playbook over a snapshot's offers, products and claims; templates are compiled once, here."""
    touches = [touch for way in loaded.playbook.ways for touch in way.touches]
    names = sorted({touch.template for touch in touches if touch.template is not None})
    columns = [field.name for field in fields(Offer)]
    offers = [Offer(**row) for row in snapshot.read("offers").select(columns).to_pylist()]
    claims = snapshot.read("claims").select(["claim_id", "text_ref"]).to_pylist()
    said = {row["claim_id"]: read_text(paths.INCLUDE, row["text_ref"]) for row in claims}
    return Drafter(
        playbook=loaded.playbook, playbook_digest=loaded.digest, rules_version=workspace.rules.version,
        tenant=workspace.tenant, owners=workspace.owners,
        templates={name: load_template(paths.TEMPLATES, name) for name in names},
        offers={offer.offer_id: offer for offer in offers},
        product_names=frozenset(snapshot.read("products")["name"].to_pylist()),
        claims={claim_id: words for claim_id, words in said.items() if words is not None}, links=workspace.links,
    )  # fmt: skip


def decided(folder: RunFolder, due: pa.Table) -> pa.Table:
    """What a run decided about the customers of ``due`` (``DUE``), as far as ``with_customers`` asks."""
    return query(folder, paths.sql("draft_decisions"), extra={"due": due})


def with_customers(
    due: pa.Table, snapshot: SnapshotFolder, decisions: pa.Table, *, playbook: Playbook, rules: TimingRules,
    now: datetime,
) -> pa.Table:  # fmt: skip
    """``due`` (``DUE``) with each customer's decision, address, name, zone, product and claim, by touch_id. Personal.

    ``planned_send`` is the first legal instant from ``not_before`` and ``now`` on, null where there is none. Of
    ``decisions`` the columns of ``decided`` are enough.
    """
    tables = {"due": due, "decisions": decisions, "usable": _usable(playbook, snapshot, now)}
    found = query(snapshot, paths.sql("draft_inputs"), {"now": now}, tables, personal=("people",)).combine_chunks()
    places = found.select(PLACE_COLUMNS)
    planned = next_legal_instant(found["earliest"].combine_chunks(), places, rules)
    zone = recipient_zone(places)
    return (
        found.drop_columns(["earliest", *PLACE_COLUMNS])
        .append_column("planned_send", planned)
        .append_column("zone", zone)
    )


def _usable(playbook: Playbook, snapshot: SnapshotFolder, now: datetime) -> pa.Table:
    """Which claim of the snapshot each touch may make, as ``_USABLE``."""
    rows = [
        {"number": touch.number, "claim_id": claim["claim_id"]}
        for claim in snapshot.read("claims").to_pylist()
        for touch in playbook.touches
        if why_unusable(claim, touch.pattern, now) is None
    ]
    return pa.Table.from_pylist(rows, _USABLE)


def due_touch(row: Mapping[str, Any], code: str | None) -> DueTouch:
    """One row of ``with_customers`` as the drafter takes it. Raises ``MessageError`` where it must not be drafted."""
    reason = _hindrance(row)
    if reason is not None:
        raise MessageError(reason, f"touch {row['touch_id']}: {reason}")
    values = {name: row[name] for name in _AS_THEY_ARE}
    return DueTouch(**values, basis_records=tuple(row["basis_records"] or ()), code=code)


def _hindrance(row: Mapping[str, Any]) -> str | None:
    """Why a touch is not drafted whatever its template says, as a code."""
    if row["decision"] not in ("enrol", "review") and row["decisive"] != _RESTING:
        return f"decision:{row['decision'] or 'none'}"
    refused = why_not(row, row["channel"])
    if refused is not None:
        return refused
    if row["current_key"] != row["address_key"]:
        return "address_changed"
    if row["planned_send"] is None:
        return "no_legal_instant"
    if row["planned_send"] >= row["not_after"]:
        return "window_over"
    return None
