"""The performance monitor: pauses what does harm or is worse, each with its evidence, and says how everything stands.

It may look as often as it likes: its tests are made for that. Only an owner's answer resumes what it paused
(``resuming``). What is harmful enough to look at, and not to stop, is an alert: recorded once, and told to people.

Source: framework 003 (performance monitor); METHODS.md section 3; docs/decisions/0026.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Connection

from reactivation.ledger import audit, monitored, pauses, seals
from reactivation.ledger.locks import PERMISSION, exclusive
from reactivation.ledger.pauses import Pause
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.variants import scope_of
from reactivation.policy.monitor import HARMS, Because, Finding, judge
from reactivation.policy.pausing import Part
from reactivation.steps.resuming import owners_of
from reactivation.steps.splitting import halts_of, paused_parts, splits_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

ACTOR = "monitor"
ALERTED = "monitor_alerted"

SHOWN = (
    "variant", "segment", "assigned", "sent", "compared", "came back", "e", "complaints", "unsubscribes", "bounces",
    "state", "evidence",
)  # fmt: skip
_EVERY, _LARGEST = "all", 700.0


@dataclass(frozen=True)
class Watched:
    """One part of a playbook: what was found now, and the pause of it (or of what it is in) that stands."""

    finding: Finding
    pause: Pause | None


@dataclass(frozen=True)
class Alert:
    """A harm above its limit that a person has to look at; ``people``: the users whose it is."""

    part: Part
    scope: str
    measure: Because
    events: int
    sends: int
    limit: float
    people: frozenset[str]

    @property
    def message(self) -> str:
        """In one sentence of codes and counts."""
        return f"{self.scope}: {self.events} {self.measure} of {self.sends} messages, the limit is {self.limit:.2%}"


@dataclass(frozen=True)
class Report:
    """Every part of a playbook, the whole of it first. ``paused``: by this very look; ``alerted``: what nobody was told
    of before."""

    playbook: str
    at: datetime
    watched: tuple[Watched, ...]
    paused: tuple[Pause, ...]
    alerted: tuple[Alert, ...]


def monitor(workspace: Workspace, name: str, now: datetime, *, only_look: bool = False) -> Report:
    """Judge a playbook and pause what is to be paused; with ``only_look`` nothing is paused or recorded."""
    playbook = workspace.playbook(name).playbook
    with workspace.ledger.begin() as conn:
        found = _findings(workspace, conn, playbook, now)
    paused: list[Pause] = []
    alerted: list[Alert] = []
    if not only_look:
        with workspace.ledger.begin() as conn:
            paused = _pause(workspace, conn, name, found, now)
            alerted = _alert(workspace, conn, name, found, now)
        if paused or alerted:
            seals.seal(workspace.ledger, now)
    with workspace.ledger.begin() as conn:
        standing = pauses.standing(conn, name)
    watched = tuple(Watched(one, _pause_of(one.part, standing)) for one in found)
    return Report(name, now, watched, tuple(paused), tuple(alerted))


def monitor_all(workspace: Workspace, now: datetime) -> list[Report]:
    """Judge every playbook."""
    return [monitor(workspace, one.playbook.playbook, now) for one in workspace.all_playbooks()]


def _findings(workspace: Workspace, conn: Connection, playbook: Playbook, now: datetime) -> list[Finding]:
    name = playbook.playbook
    window = timedelta(days=playbook.measurement.compared_after_days)

    @cache
    def counted(since: datetime | None) -> pa.Table:
        return monitored.counted(conn, name, since=since, until=now)

    compared = (
        monitored.compared(conn, name, first_before=now - window, until=now)
        if playbook.variants
        else monitored.COMPARED.empty_table()
    )
    return judge(
        playbook, workspace.rules.monitor, splits=splits_of(conn, name), halts=halts_of(conn, name), compared=compared,
        counted=counted, now=now,
    )  # fmt: skip


def _pause(workspace: Workspace, conn: Connection, name: str, found: list[Finding], now: datetime) -> list[Pause]:
    """Begin the stops, unless another look was faster."""
    exclusive(conn, PERMISSION)
    standing = paused_parts(conn, name)
    for one in found:
        if one.because is not None and not any(part.covers(one.part) for part in standing):
            pauses.pause(
                conn, playbook=name, variant=one.part.variant, segment=one.part.segment, because=one.because,
                evidence=one.evidence(one.because), rules_version=workspace.rules.version, actor=ACTOR, now=now,
            )  # fmt: skip
    return [one for one in pauses.standing(conn, name) if one.since == now and one.as_of == now]


def _alert(workspace: Workspace, conn: Connection, name: str, found: list[Finding], now: datetime) -> list[Alert]:
    """Record what a person has to look at, once until an owner has answered for it."""
    new: list[Alert] = []
    for one in found:
        scope, answered = scope_of(name, one.part.variant, one.part.segment), max(one.since.values(), default=None)
        known = audit.about(conn, scope, [ALERTED])
        told = {row.details["measure"] for row in known if answered is None or row.at > answered}
        for measure in () if one.state == "paused" else one.alerts:
            if measure not in told:
                counts = {"events": one.counts[measure], "sends": one.counts["sends"]}
                audit.write(
                    conn, at=now, actor=ACTOR, action=ALERTED, subject=scope, details={"measure": measure, **counts}
                )
                people = owners_of(workspace, name, one.part.segment)
                new.append(Alert(one.part, scope, measure, **counts, limit=one.limits[measure], people=people))
    return new


def _pause_of(part: Part, standing: list[Pause]) -> Pause | None:
    return next((one for one in standing if Part(one.variant, one.segment).covers(part)), None)


def shown(report: Report) -> Iterator[tuple[str, ...]]:
    """The report as a table of ``SHOWN`` for people."""
    for one in report.watched:
        yield tuple(str(value) for value in row_of(one).values())


def row_of(one: Watched) -> dict[str, Any]:
    """One part as a row of ``SHOWN``."""
    found, comparison = one.finding, one.finding.comparison
    arms = None if comparison is None else (comparison.arm("variant"), comparison.arm("control"))
    return {
        "variant": found.part.variant or _EVERY, "segment": found.part.segment or _EVERY,
        "assigned": found.counts["assigned"], "sent": found.counts["sends"],
        "compared": "" if arms is None else f"{arms[0].reached} : {arms[1].reached}",
        "came back": "" if arms is None else f"{arms[0].converted} : {arms[1].converted}",
        "e": "" if comparison is None else f"{e_value(comparison.log_e)} of {e_value(comparison.threshold)}",
        **{name: _of(found, name) for name in HARMS},
        "state": found.state, "evidence": "" if one.pause is None else f"{one.pause.because}, {one.pause.stop_id}",
    }  # fmt: skip


def as_document(report: Report) -> list[Mapping[str, Any]]:
    """The report for machines: every part with its figures, and the evidence of the pause that stands."""
    return [_document(one) for one in report.watched]


def _document(one: Watched) -> dict[str, Any]:
    found, pause = one.finding, one.pause
    harm = {name: {**vars(found.harm[name]), "limit": found.limits[name]} for name in HARMS}
    return {
        "variant": found.part.variant, "segment": found.part.segment, "state": found.state, "since": dict(found.since),
        "counts": dict(found.counts), "harm": harm,
        "comparison": None if found.comparison is None else found.evidence("worse"),
        "pause": None if pause is None else {
            "stop_id": pause.stop_id, "because": pause.because, "since": pause.since, "evidence": dict(pause.evidence),
        },
    }  # fmt: skip


def _of(found: Finding, measure: Because) -> str:
    return f"{found.counts[measure]}{'!' if measure in found.alerts else ''}"


def e_value(log_e: float) -> str:
    """An e-value for people: a bet's winnings, of which beyond some size nothing more is learned."""
    return f"{math.exp(min(log_e, _LARGEST)):.3g}" if log_e < _LARGEST else "more than 1e+300"
