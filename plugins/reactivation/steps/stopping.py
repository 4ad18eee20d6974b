"""Stopping by hand: a row of the ledger that keeps everything, a channel, a playbook, a variant or one segment of a
variant back, within one batch. Of a variant nothing is begun or drafted either, as where the monitor paused it.

Whoever began it does not end it alone: that is asked of a marketing owner (``resuming``). A variable of Airflow may
stop as well; it is copied when it is first seen, and taking it away resumes nothing.

Source: ARCHITECTURE.md, invariant 12.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from reactivation.contract.tables import CHANNELS
from reactivation.ledger import seals, stops
from reactivation.ledger.runs import StepError
from reactivation.ledger.stops import EVERYTHING, Stop
from reactivation.playbooks.declared import DeclarationError
from reactivation.playbooks.variants import scope_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: Why somebody stops.
REASONS = ("complaints", "wrong_content", "wrong_people", "provider_trouble", "precaution", "other")
#: Who stopped by the variable, and why, as far as anybody knows.
BY_VARIABLE = "airflow_variable"


def stop_by_hand(workspace: Workspace, scope: str, *, reason: str, user: str, now: datetime) -> str:
    """Begin a stop; what came of it, in words. Raises ``StepError`` for a scope or a reason nobody knows."""
    if reason not in REASONS:
        raise StepError(f"{reason} is no reason to stop; give one of {', '.join(REASONS)}")
    known = _scopes(workspace)
    if scope not in known:
        raise StepError(f"there is nothing called {scope} to stop; give one of {', '.join(known)}")
    new = _begin(workspace, scope, reason=f"by_hand:{reason}", actor=user, now=now)
    return f"{scope} is stopped, by {user}" if new else f"{scope} is stopped already; nothing changed"


def copy_variable(workspace: Workspace, text: str | None, now: datetime) -> tuple[str, ...]:
    """Begin the stops that the variable names, scopes with commas between; returns those that are new.

    What cannot be read may have been meant to stop anything, so it stops everything.
    """
    named = [scope for scope in (part.strip() for part in (text or "").split(",")) if scope]
    known = _scopes(workspace) if named else ()
    meant = sorted({scope if scope in known else EVERYTHING for scope in named})
    return tuple(
        scope for scope in meant
        if _begin(workspace, scope, reason=BY_VARIABLE, actor=BY_VARIABLE, now=now)
    )  # fmt: skip


def standing_stops(workspace: Workspace, now: datetime) -> tuple[Stop, ...]:
    """The stops that stand, oldest first."""
    with workspace.ledger.begin() as conn:
        return stops.standing(conn, now)


def _begin(workspace: Workspace, scope: str, *, reason: str, actor: str, now: datetime) -> bool:
    """False when the same stop stands already."""
    with workspace.ledger.begin() as conn:
        if any((one.scope, one.reason) == (scope, reason) for one in stops.standing(conn, now)):
            return False
        stops.stop(conn, scope=scope, reason=reason, actor=actor, now=now)
    seals.seal(workspace.ledger, now)
    return True


def _scopes(workspace: Workspace) -> Sequence[str]:
    playbooks = sorted(path.stem for path in workspace.settings.playbooks.glob("*.yaml"))
    return (
        EVERYTHING, *(f"channel:{name}" for name in CHANNELS), *(scope_of(name, None, None) for name in playbooks),
        *(scope for name in playbooks for scope in _inside(workspace, name)),
    )  # fmt: skip


def _inside(workspace: Workspace, name: str) -> Iterator[str]:
    """A playbook's variants, each whole and by segment; none of one that cannot be read, which is stopped whole."""
    try:
        playbook = workspace.playbook(name).playbook
    except DeclarationError:
        return
    for one in playbook.variants:
        yield from (scope_of(name, one.variant, segment) for segment in (None, *playbook.windows))
