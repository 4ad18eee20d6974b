"""Asks the source what those have bought to whom nobody writes: the holdout, who was assigned and does not go on, and
from whom chance withheld a touch.

Whoever is written to is asked about every hour anyway (``steps.outcomes``). A comparison needs the purchases of both
groups from the same source, told in the same way; nothing waits for it, so once a day is enough.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.ledger import compared, enrolments, events
from reactivation.outcomes import purchases_of
from reactivation.playbooks.model import Playbook
from reactivation.sources import Sources, read_events

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

ACTOR = "record_outcomes"
#: A little less than a day, so that an hourly clock never skips one.
_EVERY = timedelta(hours=23)
#: Late word of a purchase within the window is still heard for so long after it.
_AFTERWARDS = timedelta(days=7)
_AT_ONCE = 2_000


def record_comparisons(
    workspace: Workspace, source: Sources, known: Mapping[str, Collection[str]], now: datetime
) -> dict[str, int]:  # fmt: skip
    """Record the purchases of everybody compared in a playbook that holds somebody out or skips touches at random, once
    a day.

    ``known``: by playbook, the customers whose events are recorded anyway. Returns how many events are new
    (``compared``), if any. Raises ``SourceError`` when the source cannot be read.
    """
    with workspace.ledger.begin() as conn:
        names = enrolments.playbooks(conn)
    playbooks = [workspace.playbook(name).playbook for name in names]
    recorded = sum(
        _record(workspace, source, playbook, known.get(playbook.playbook, ()), now)
        for playbook in playbooks
        if playbook.holdout_share or playbook.skipped_share
    )
    return {"compared": recorded} if recorded else {}


def _record(
    workspace: Workspace, source: Sources, playbook: Playbook, known: Collection[str], now: datetime
) -> int:  # fmt: skip
    name = playbook.playbook
    with workspace.ledger.begin() as conn:
        asked_at = compared.last_asked(conn, name)
        if asked_at is not None and asked_at > now - _EVERY:
            return 0
        since = _since(conn, playbook, now)
    asked = sorted(since.keys() - set(known))
    recorded = 0
    for begin in range(0, len(asked), _AT_ONCE):
        some = asked[begin : begin + _AT_ONCE]
        rows = read_events(source, customer_ids=some, since=min(since[customer] for customer in some)).to_pylist()
        told = purchases_of([row for row in rows if row["occurred_at"] > since[row["customer_id"]]], until=now)
        with workspace.ledger.begin() as conn:
            recorded += len(events.record(conn, told, stops=(), now=now))
    if asked:
        with workspace.ledger.begin() as conn:
            compared.record_asked(conn, name, people=len(asked), actor=ACTOR, now=now)
    return recorded


def _since(conn: Connection, playbook: Playbook, now: datetime) -> dict[str, datetime]:
    """Since when whose purchases count in a comparison whose window is not over: by customer."""
    name, heard = playbook.playbook, timedelta(days=playbook.measurement.reactivated_within_days) + _AFTERWARDS
    since: dict[str, datetime] = {}
    if playbook.skipped_share:
        # Each touch has a window of its own; whoever was not sent it is heard for as long as whoever was.
        to_the_last = heard + timedelta(days=playbook.touches[-1].day)
        drawn = compared.drawn(conn, name, now).to_pylist()
        since |= {row["customer_id"]: row["enrolled_at"] for row in drawn if row["enrolled_at"] + to_the_last > now}
    if playbook.holdout_share:
        assigned = compared.assigned(conn, name, now).to_pylist()
        since |= {row["customer_id"]: row["assigned_at"] for row in assigned if row["assigned_at"] + heard > now}
    return since
