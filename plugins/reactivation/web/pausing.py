"""What is stopped, and why: of what the monitor paused its evidence, counts and shares, so whoever may read the pages
may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reactivation.ledger import pauses, questions, stops
from reactivation.ledger.lists import ListRow
from reactivation.ledger.pauses import Pause
from reactivation.ledger.stops import Stop
from reactivation.playbooks.variants import SCOPE, part_of
from reactivation.steps.answers import pausing_stop
from reactivation.steps.monitoring import e_value
from reactivation.steps.resuming import KIND as RESUME
from reactivation.steps.resuming import signers_of
from reactivation.steps.workspace import Workspace
from reactivation.web.reasons import apart, words
from reactivation.web.rendering import moment

Rows = Sequence[Sequence[str]]
_SCOPES = {"everything": "Everything is stopped", "channel:email": "All e-mail is stopped",
           "channel:sms": "All texts are stopped"}  # fmt: skip


def facts(pause: Pause) -> dict[str, str]:
    """By what evidence it is paused."""
    found = pause.evidence
    told = {"Evidence as of": moment(pause.as_of), "Rules": pause.rules_version}
    for part, since in found["since"].items():
        told[f"{words(part.replace('/', ': '))} counted since"] = moment(datetime.fromisoformat(since))
    if pause.because == "worse":
        needed = f"at least {e_value(found['threshold'])} ({found['watched']} watched, α = {found['alpha']:g})"
        return told | {"e-value": e_value(found["log_e"]), "Needed": needed}
    limit = f"{found['limit']:.2%} of the messages sent"
    how = "three times the limit" if found["stop"] == "absolute" else "evidence that the true share is above it"
    return told | {"e-value": e_value(found["log_e"]), "Limit": limit, "Stopped by": how}


@dataclass(frozen=True)
class StoppedShown:
    """One stop that stands, for the first page: what is stopped, why and by whom, or what the monitor saw, since when,
    and the last question whether it may go on, if one was asked."""

    what: str
    why: str
    since: datetime
    question_id: str | None


def standing(conn: Connection, now: datetime) -> list[StoppedShown]:
    """Every stop that stands, the oldest first."""
    paused = {one.stop_id: one for one in pauses.standing(conn)}
    found = stops.standing(conn, now)
    asked = [questions.question_about(conn, RESUME, one.stop_id) for one in found]
    return [
        StoppedShown(title(stop, pause), _why(stop, pause), stop.since, question.question_id if question else None)
        for stop, question in zip(found, asked, strict=True)
        for pause in [paused.get(stop.stop_id)]
    ]


def title(stop: Stop, pause: Pause | None) -> str:
    """What is stopped, as a sentence; ``pause``: what the monitor saw, where it stopped it."""
    if pause is not None:
        return f"Paused: {what(pause)}"
    return _SCOPES.get(stop.scope, f"{apart(stop.scope)} is stopped")


def _why(stop: Stop, pause: Pause | None) -> str:
    return f"{apart(stop.reason)}, by {words(stop.actor)}" if pause is None else _saw(pause)


@dataclass(frozen=True)
class ListPaused:
    """What keeps a list's messages back: what is stopped, why, since when and by whom (a user, or the monitor), and the
    users who may let it go on."""

    what: str
    why: str
    since: datetime
    actor: str
    may_resume: Sequence[str]


def of_list(workspace: Workspace, conn: Connection, row: ListRow) -> ListPaused | None:
    """What pauses the playbook, variant or segment of a list; ``None`` where nothing does."""
    stop = pausing_stop(conn, row)
    if stop is None:
        return None
    variant, segment = part_of(stop.scope) if stop.scope.startswith(SCOPE) else (None, None)
    may_resume = sorted(signers_of(workspace, conn, stop.stop_id) - {stop.actor})
    why = words(stop.reason.partition(":")[2] or stop.reason)
    return ListPaused(_named(row.playbook, variant, segment), why, stop.since, stop.actor, may_resume)


def what(pause: Pause) -> str:
    """What is paused."""
    return _named(pause.playbook, pause.variant, pause.segment)


def _named(playbook: str, variant: str | None, segment: str | None) -> str:
    named = [playbook, variant and f"variant {variant}", segment]
    return ", ".join(words(name) for name in named if name)


def _saw(pause: Pause) -> str:
    found = pause.evidence
    if pause.because != "worse":
        return f"{found['events']:,} {words(pause.because)} of {found['sends']:,} messages, limit {found['limit']:.2%}"
    arms = [_together(found["batches"], arm) for arm in ("variant", "control")]
    return f"{_arm(arms[0])} came back, of the control {_arm(arms[1])}"


def _together(batches: Sequence[Mapping[str, Any]], arm: str) -> dict[str, int]:
    return {name: sum(one[arm][name] for one in batches) for name in ("reached", "converted")}


def columns(pause: Pause) -> Sequence[str]:
    """The heads of ``rows``."""
    if pause.because == "worse":
        return "Since", "Counted until", "Share", "Came back", "Of the control"
    return "Sent", words(pause.because), "Share"


def rows(pause: Pause) -> Rows:
    """The counts behind it: of each batch both arms, or what came back."""
    found = pause.evidence
    if pause.because != "worse":
        return [(f"{found['sends']:,}", f"{found['events']:,}", _rate(found["rate"]))]
    return [
        (moment(datetime.fromisoformat(one["began_at"])), moment(datetime.fromisoformat(one["until"])),
         f"{one['share']:.0%}", _arm(one["variant"]), _arm(one["control"]))
        for one in found["batches"]
    ]  # fmt: skip


def _arm(arm: Mapping[str, Any]) -> str:
    share = arm["converted"] / arm["reached"] if arm["reached"] else None
    return f"{arm['converted']:,} of {arm['reached']:,} ({_rate(share)})"


def _rate(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.2%}"
