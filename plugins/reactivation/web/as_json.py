"""A list's page for scripts: the same facts under the same rules, and recorded as seen just the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reactivation.web.listing import ListPage, ShownItem

_DRAFT_FIELDS = (
    "recipient",
    "sender",
    "subject",
    "text",
    "html",
    "headers",
    "claims",
    "offer_terms",
    "deadline",
    "code",
)


def page_as_json(view: ListPage) -> dict[str, Any]:
    """One JSON document. ``signing_code`` is null until the signer has seen enough of an open list."""
    row = view.row
    return {
        "list_id": row.list_id,
        "kind": row.kind,
        "state": row.state,
        "open": view.is_open,
        "playbook": row.playbook,
        "touch_number": row.touch_number,
        "segment": row.segment,
        "variant": row.variant,
        "channel": row.channel,
        "owner_id": row.owner_id,
        "offer_id": row.offer_id,
        "offer_terms": row.offer_terms,
        "cost": None if row.cost is None else str(row.cost),
        "currency": row.currency,
        "expires_at": _plain(row.expires_at),
        "items_total": len(view.asked.items),
        "page": view.page,
        "pages": view.pages,
        "items": [_item(one) for one in view.shown],
        "review_points": list(view.asked.review_points),
        "sample_needed": view.asked.sample_needed,
        "sample_seen": view.sample_seen,
        "may_sign": view.may_sign,
        "signing_code": view.signing_code,
        "paused": None if view.paused is None else {**vars(view.paused), "since": _plain(view.paused.since)},
        "edit": _edit(view),
        "request": None if view.request is None else vars(view.request),
    }


def _edit(view: ListPage) -> dict[str, Any] | None:
    """The message in its owner's words, if any; ``signing_code`` is there only for whoever may approve it now."""
    if view.edit is None:
        return None
    return {
        "edit_id": view.edit.edit.edit_id,
        "proposed_by": view.edit.edit.proposed_by,
        "asks_second": view.edit.asks_second,
        "intact": view.edit.draft is not None,
        "changes": [{"part": part, "before": old, "after": new} for part, old, new in view.edit.changes],
        "signing_code": view.edit_code,
    }


def _item(one: ShownItem) -> dict[str, Any]:
    return {
        "position": one.item.position,
        "touch_id": one.item.touch_id,
        "customer_id": one.item.customer_id,
        "individual": one.item.individual,
        "review_reasons": list(one.item.review_reasons),
        "draft_digest": one.item.draft_digest,
        "verdict": one.verdict,
        "erased": one.erased,
        "draft": None if one.draft is None else {name: _plain(one.draft[name]) for name in _DRAFT_FIELDS},
        "why": [{"label": f.label, "value": f.value, "records": list(f.records)} for f in one.why],
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
