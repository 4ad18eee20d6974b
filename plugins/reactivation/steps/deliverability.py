"""Keeps the sending domain in good standing: how many e-mails it may send today, and the stops of all e-mail.

A stop of ours has the scope ``channel:email`` and a reason that begins with ``deliverability:``; a person ends it by an
answer. What he has answered for does not stop e-mail again; an open circuit does, until its clean days are over.

Source: RULES.md, Timing (daily ramp; deliverability).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.ledger import mail, stops
from reactivation.ledger.locks import PERMISSION, exclusive
from reactivation.ledger.stops import Stop
from reactivation.policy.deliverability import BOUNCES, COMPLAINTS, FEW_AND_A_COMPLAINT, Circuit, allowance, circuit

if TYPE_CHECKING:
    from reactivation.policy.deliverability_rules import DeliverabilityRules
    from reactivation.steps.workspace import Workspace

SCOPE, PREFIX = "channel:email", "deliverability:"
#: What readiness found in the sources' own figures of the domain.
SOURCES = "sources"

_A_MOMENT = timedelta(seconds=1)
#: Which events a person has answered for who ended a stop.
_ABOUT = {COMPLAINTS: mail.COMPLAINT, FEW_AND_A_COMPLAINT: mail.COMPLAINT, BOUNCES: mail.BOUNCE}


def standing(conn: Connection, now: datetime) -> tuple[Stop, ...]:
    """The stops of ours that stand now, oldest first."""
    return tuple(one for one in stops.standing(conn, now) if one.reason.startswith(PREFIX))


def stop(conn: Connection, reason: str, *, actor: str, now: datetime) -> Stop | None:
    """Stop all e-mail for a reason (without the prefix); ``None`` when a stop for it stands."""
    exclusive(conn, PERMISSION)
    if any(one.reason == PREFIX + reason for one in standing(conn, now)):
        return None
    return stops.stop(conn, scope=SCOPE, reason=PREFIX + reason, actor=actor, now=now)


def allowed_today(conn: Connection, workspace: Workspace, now: datetime) -> int:
    """How many e-mails the domain may send on the day of ``now``, those it has sent today included."""
    rules, floor = workspace.rules.deliverability, workspace.tenant.sender.daily_floor
    return allowance(mail.days(conn, _first_day(rules, now)), floor, rules, _day(now))


@dataclass
class Domain:
    """The sending domain as one dispatcher sees it. Every send ever made is read for it, so that is done when it must
    be: when something came back or was answered, when a day begins, and when the allowance may be used up."""

    workspace: Workspace
    _looked_at: datetime | None = None
    _heard: object = None
    _day: date | None = None
    _allowed: int = 0
    _sent: int = 0
    _counted_at: int = 0

    def look(self, actor: str, now: datetime) -> None:
        """Stop all e-mail if what came back of it says so; asked again within a second, it has just looked."""
        if self._looked_at is not None and now - self._looked_at < _A_MOMENT:
            return
        self._looked_at = now
        rules = self.workspace.rules.deliverability
        with self.workspace.ledger.begin() as conn:
            ended = stops.ended(conn, now)
            heard = (_day(now), mail.told(conn), ended)
            if heard == self._heard:
                return
            found = _circuit(conn, rules, ended, now)
        if found.reason is not None:
            with self.workspace.ledger.begin() as conn:
                stop(conn, found.reason, actor=actor, now=now)
        self._heard = heard

    def left(self, conn: Connection, now: datetime, wanted: int, written: int) -> int:
        """How many e-mails may still go today: all of them, or at least as many as ``wanted``.

        To be asked where nobody else can claim. Each intent leaves a row in the audit trail, so since they were counted
        no more were written than the trail has grown: ``written`` is the number of its last row.
        """
        if self._day != _day(now):
            self._day, self._allowed = _day(now), allowed_today(conn, self.workspace, now)
            self._sent, self._counted_at = mail.sent_since(conn, _midnight(now)), written
        if self._allowed - self._sent - (written - self._counted_at) < wanted:
            self._sent, self._counted_at = mail.sent_since(conn, _midnight(now)), written
        return self._allowed - self._sent - (written - self._counted_at)


def _circuit(
    conn: Connection, rules: DeliverabilityRules, ended: Mapping[str, datetime], now: datetime
) -> Circuit:  # fmt: skip
    """What all days say, when that is *open*; else what they say without what a person has answered for."""
    since = _first_day(rules, now)
    found = circuit(mail.days(conn, since), rules, _day(now))
    answered: dict[str, datetime] = {}
    for reason, kind in _ABOUT.items():
        until = ended.get(PREFIX + reason)
        if until is not None:
            answered[kind] = max(until, answered.get(kind, until))
    if found.state != "paused" or not answered:
        return found
    return circuit(mail.days(conn, since, answered=answered), rules, _day(now))


def _first_day(rules: DeliverabilityRules, now: datetime) -> datetime:
    """The beginning of the first day that any of the rules looks at."""
    return _midnight(now) - timedelta(days=max(rules.trailing_days, rules.clean_days))


def _midnight(now: datetime) -> datetime:
    return datetime.combine(_day(now), time(), UTC)


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
