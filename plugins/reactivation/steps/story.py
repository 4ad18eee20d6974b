"""What has happened with one customer, from the ledger: enrolments, touches, signatures, sends, answers, noes.

Ids, codes, user ids and dates only; no names, addresses or notes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.evidence import EvidenceError
from reactivation.ledger import edits, erasures, history

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: What the audit trail says of a touch that the touch itself does not.
_TOLD = {
    "touch_moved": "moved", "touch_held": "held", "touch_waits": "waits", "touch_expired": "expired",
    "touch_cancelled": "cancelled", "touch_rejected": "rejected",
}  # fmt: skip


def story(workspace: Workspace, customer_id: str, address_keys: Collection[str] = ()) -> list[str]:
    """The history of a customer as lines; none where the ledger knows nothing of him.

    ``address_keys``: his, where a decision has them; those of his enrolments are asked about anyway.
    """
    with workspace.ledger.begin() as conn:
        enrolled = history.enrolments_of(conn, customer_id)
        exits = {(e.playbook, e.occurred_at): e for e in history.exits_of(conn, customer_id)}
        lines: list[str] = []
        for one in enrolled:
            exit_ = exits.get((one.playbook, one.ended_at))
            lines += [_enrolment(one, exit_.reason if exit_ else None), *_touches(workspace, conn, one)]
        for event in history.events_of(conn, customer_id):
            crossed = "; crossed a send" if event.crossed else ""
            of_touch = f" of touch {_number(conn, event)}" if event.touch_id else ""
            lines.append(
                f"came back {_time(event.occurred_at)}: {event.kind}{of_touch} ({event.event_id}), "
                f"recorded {_time(event.recorded_at)}{crossed}"
            )
        for tag in history.tags_of(conn, customer_id):
            until = f", taken off {_time(tag.removed_at)}" if tag.removed_at else ""
            lines.append(f"tag {tag.tag}: set {_time(tag.set_at)}{until}")
        for no in history.suppressions_of(conn, [one.enrolment_id for one in enrolled], address_keys):
            where = "every channel" if no.channel == "*" else no.channel
            lines.append(
                f"suppressed for {where}: {no.reason}, said {_time(no.occurred_at)} in {no.source}, "
                f"recorded {_time(no.recorded_at)}"
            )
        erased = erasures.erasure_of(conn, customer_id)
    if erased is not None:
        lines.append(
            f"erased {_time(erased.erased_at)} by {erased.erased_by} ({erased.reason}): names, addresses and messages "
            "are gone, that nobody may write to them stays"
        )
    return lines


def _enrolment(one: Any, because: str | None) -> str:  # noqa: ANN401  (a row of the ledger)
    began = f"enrolment {one.enrolment_id} in {one.playbook}: began {_time(one.enrolled_at)} by run {one.run_id}, "
    variant = f", variant {one.variant}" if one.variant else ""
    about = f"{one.decision}, owner {one.owner_id}, segment {one.segment}{variant}"
    if one.state == "active":
        return f"{began}{about}; active"
    why = f" ({because})" if because else ""
    return f"{began}{about}; ended {_time(one.ended_at)}: {one.exit_reason}{why}"


def _touches(workspace: Workspace, conn: Connection, one: Any) -> Iterator[str]:  # noqa: ANN401
    """Every touch of the plan: as the ledger has it, or as it was planned."""
    known = {touch.number: touch for touch in history.touches_of(conn, one.enrolment_id)}
    planned = _plan(workspace, one.run_id, one.enrolment_id)
    for number in sorted({*known, *planned}):
        if number in known:
            yield from _touch(conn, known[number])
            continue
        row = planned[number]
        if row["state"] == "skipped":
            state = f"skipped ({row['reason']})"
        elif one.state == "active":
            state = f"planned, from {_time(row['not_before'])} on"
        else:
            state = "never asked about: the enrolment had ended"
        yield f"  touch {number} {row['pattern']} by {row['channel']}: {state}"


def _touch(conn: Connection, touch: Any) -> Iterator[str]:  # noqa: ANN401
    reason = f" ({touch.reason})" if touch.reason else ""
    window = f"{_time(touch.not_before)} to {_time(touch.not_after)}"
    yield f"  touch {touch.number} {touch.pattern} by {touch.channel}: {touch.state}{reason}; window {window}"
    if touch.drafted_at:
        yield f"    drafted {_time(touch.drafted_at)} in run {touch.draft_run_id}, digest {touch.draft_digest[:12]}"
    changed = edits.of_touch(conn, touch.touch_id)
    for edit, _ in changed:
        yield (f"    changed {_time(edit.proposed_at)} by {edit.proposed_by} in list {edit.list_id}: "
               f"{', '.join(edit.parts)}, digest {edit.draft_digest[:12]}")  # fmt: skip
    approved = {edit.list_id for edit, was_approved in changed if was_approved}
    for asked in history.asked_of(conn, touch.touch_id):
        if asked.responder and asked.list_id in approved:
            answer = f"approved as changed by {asked.responder} {_time(asked.recorded_at)}; a second approver was asked"
        elif asked.responder:
            answer = f"{asked.verdict} by {asked.responder} {_time(asked.recorded_at)}"
        else:
            answer = f"{asked.verdict or asked.state}{' ' + _time(asked.closed_at) if asked.closed_at else ''}"
        yield f"    asked {_time(asked.opened_at)} in {asked.kind} list {asked.list_id}: {answer}"
    for moved in history.moves_of(conn, touch.touch_id):
        if moved.action in _TOLD:
            yield f"    {_TOLD[moved.action]} {_time(moved.at)}{_details(json.loads(moved.details))}"
    if touch.send_state:
        at = touch.finished_at or touch.called_at or touch.intended_at
        ref = f" as {touch.provider_ref}" if touch.provider_ref else ""
        why = f" ({touch.send_reason})" if touch.send_reason else ""
        said = "sent" if touch.send_state == "accepted" else f"send {touch.send_state}"
        yield f"    {said} {_time(at)} ({touch.local_time} in {touch.zone}) by {touch.provider}{ref}{why}"
    if touch.code_state:
        yield f"    offer {touch.offer_id}: code {touch.code_state} {_time(touch.code_changed_at)}"


def _details(details: Mapping[str, Any]) -> str:
    if "not_before" in details:
        return f" to {details['not_before']}"
    return f": {details['reason']}" if details.get("reason") else ""


def _plan(workspace: Workspace, run_id: str, enrolment_id: str) -> dict[int, dict[str, Any]]:
    """The enrolment's rows of its plan, by number; none when the run's files are gone."""
    try:
        plan = workspace.run_folder(run_id).read("plan")
    except EvidenceError:
        return {}
    rows = plan.filter(pc.equal(plan["enrolment_id"], enrolment_id)).to_pylist()
    return {row["number"]: row for row in rows}


def _number(conn: Connection, event: Any) -> int | str:  # noqa: ANN401
    known = history.touches_of(conn, event.enrolment_id) if event.enrolment_id else ()
    return next((touch.number for touch in known if touch.touch_id == event.touch_id), "unknown")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
