"""Records what came back, every hour: a no first, then events, exits at once, and the final check.

Asked about: everybody in an active enrolment, everybody written to in the last 90 days, everybody who has bought since
for as long as what they are worth is counted, and everybody who still bears a *no response* tag, so that a late
purchase takes it off. Once a day besides, the holdout (``steps.comparing``).

Source: ARCHITECTURE.md, A day, 5; invariant 4; PLAYBOOKS.md section 1 (final check, tag).
"""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Connection

from reactivation.ledger import enrolments, events, measurements, seals, sends, tags, touches, workers
from reactivation.ledger.enrolments import Enrolment
from reactivation.measures.windows import RETAINED_DAYS
from reactivation.outcomes import final_exit
from reactivation.playbooks.model import Playbook
from reactivation.steps.asking import asked_again, asking_root, is_stale, take_in
from reactivation.steps.comparing import record_comparisons
from reactivation.steps.going_on import going_on

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

ACTOR = "record_outcomes"
_AT_ONCE = 2_000


def record_outcomes(workspace: Workspace, now: datetime) -> dict[str, int]:
    """Record what the source says came back by ``now``; counts: asked, suppressions, events, exit:<reason>, tagged,
    untagged. Raises ``SourceError`` when the source cannot be read.

    What a stale source says counts; what it does not say proves nothing, so no enrolment ends for want of an answer.
    """
    source = workspace.source()
    counts: Counter[str] = Counter(asked=0, suppressions=0, events=0)
    ends: dict[str, dict[str, datetime]] = {}
    known: dict[str, set[str]] = defaultdict(set)
    with workers.at_work(workspace.ledger) as worker:
        try:
            for some in _at_once(_watched(workspace, now)):
                everybody = [one for _, people in some for one in people]
                customers = {one.customer_id for one in everybody}
                # A source is asked once about people of every playbook: asking costs more than what it tells of them.
                with asked_again(workspace, source, customers, now, worker=worker) as folder:
                    counts.update(take_in(workspace, source, folder, everybody, now))
                for playbook, people in some:
                    counts["asked"] += len(people)
                    known[playbook.playbook].update(one.customer_id for one in people)
                    with workspace.ledger.begin() as conn:
                        fresh = not is_stale(source, playbook, now)
                        counts.update(_close(workspace, conn, playbook, people, ends=ends, fresh=fresh, now=now))
        finally:
            shutil.rmtree(asking_root(workspace) / worker, ignore_errors=True)
    counts.update(record_comparisons(workspace, source, known, now))
    seals.seal(workspace.ledger, now)
    return dict(sorted(counts.items()))


def _watched(workspace: Workspace, now: datetime) -> Iterator[tuple[Playbook, list[Enrolment]]]:
    """The enrolments to ask about, by playbook; of a customer's, the latest."""
    with workspace.ledger.begin() as conn:
        names = enrolments.playbooks(conn)
    for name in names:
        playbook = workspace.playbook(name).playbook
        since = now - timedelta(days=playbook.measurement.reactivated_within_days)
        with workspace.ledger.begin() as conn:
            people = enrolments.watched(
                conn, name, since=since, bought_since=now - timedelta(days=RETAINED_DAYS), tag=playbook.no_response_tag
            )
        if people:
            yield playbook, people


def _at_once(watched: Iterable[tuple[Playbook, list[Enrolment]]]) -> Iterator[list[tuple[Playbook, list[Enrolment]]]]:
    """The same, so many enrolments at a time as a source is asked about at once."""
    some: list[tuple[Playbook, list[Enrolment]]] = []
    room = _AT_ONCE
    for playbook, people in watched:
        rest = people
        while rest:
            some.append((playbook, rest[:room]))
            rest, room = rest[room:], room - len(rest[:room])
            if not room:
                yield some
                some, room = [], _AT_ONCE
    if some:
        yield some


def _close(
    workspace: Workspace, conn: Connection, playbook: Playbook, people: Sequence[Enrolment], *,
    ends: dict[str, dict[str, datetime]], fresh: bool, now: datetime,
) -> Counter[str]:  # fmt: skip
    """Final checks of those still active, with the tag for whom the last touch was really sent; and tags taken off from
    those who bought since.

    ``ends``: by playbook, when its enrolments' last windows end, filled in where somebody may be over.
    """
    counts: Counter[str] = Counter()
    ids = [one.enrolment_id for one in people]
    current = enrolments.enrolments_of(conn, ids)
    last, still_open = sends.last_sent(conn, ids), touches.open_of(conn, ids)
    tag, bought = playbook.no_response_tag, events.bought_since_enrolled(conn, ids)
    tagged = tags.standing(conn, tag, {one.customer_id for one in people})
    for one in sorted(current.values(), key=lambda one: one.enrolment_id):
        if one.customer_id in tagged and one.enrolment_id in bought:
            removed = tags.take_off(conn, customer_id=one.customer_id, tag=tag, actor=ACTOR, now=now)
            if removed:
                measurements.insert_events(conn, [_tag_event(one, "removed", tag, now)])
            counts["untagged"] += removed
        if one.state != "active" or not fresh or still_open.get(one.enrolment_id):
            continue
        if playbook.playbook not in ends:
            ends[playbook.playbook] = _ends(workspace, conn, playbook)
        sent_at, until = last.get(one.enrolment_id, (None, None))
        moved_end = ends[playbook.playbook].get(one.enrolment_id, one.plan_ends_at)
        over = final_exit(
            now=now, plan_ends_at=max(one.plan_ends_at, moved_end),
            last_sent_at=sent_at, last_sent_until=until,
            wait_days=playbook.measurement.final_check_after_days,
        )  # fmt: skip
        if over is None:
            continue
        ended = enrolments.end_enrolment(
            conn, one.enrolment_id, reason=over.reason, because=over.because, actor=ACTOR, now=now
        )
        counts[f"exit:{over.reason}"] += ended
        if ended and over.reason == "no_response":
            put = tags.put(conn, customer_id=one.customer_id, tag=tag, actor=ACTOR, now=now)
            if put:
                measurements.insert_events(conn, [_tag_event(one, "set", tag, now)])
            counts["tagged"] += put
    return +counts


def _tag_event(one: Enrolment, outcome: str, tag: str, now: datetime) -> dict[str, Any]:
    """The measurement event of a tag that was set or removed."""
    return {
        "run_id": one.run_id, "playbook": one.playbook, "subject": one.customer_id, "kind": "tag", "outcome": outcome,
        "reason": tag, "occurred_at": now, "rules_version": one.rules_version,
    }  # fmt: skip


def _ends(workspace: Workspace, conn: Connection, playbook: Playbook) -> dict[str, datetime]:
    """By active enrolment, when the last of its touches' windows ends, as late sends have moved them since."""
    course = going_on(workspace, conn, playbook, None)
    columns = ["enrolment_id", "not_after"]
    windows = pa.concat_tables([course.known.select(columns), course.waiting.select(columns)])
    ends = windows.group_by("enrolment_id").aggregate([("not_after", "max")])
    return dict(zip(ends["enrolment_id"].to_pylist(), ends["not_after_max"].to_pylist(), strict=True))
