"""When an enrolment is over because the person came back, or said no. Pure: facts in, one exit out.

Source: PLAYBOOKS.md (exits; *reactivated* and *re-engaged*), framework 003.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from reactivation.playbooks.model import Playbook
from reactivation.policy.accounts import CONTACT_SAID_NO, TO_DECIDE

#: Which signal of a playbook's ``exits`` a fact of the source is. What is not here (delivered) is no sign of life.
SIGNALS = {
    "order": "purchase", "subscription": "purchase", "booking": "booking", "open": "open", "click": "click",
    "visit": "visit", "browse": "visit", "cart_add": "visit", "cart_abandon": "visit", "login": "login",
    "usage": "usage", "reply": "reply", "seen": "seen",
}  # fmt: skip

#: Where a mail client may have opened it by itself, an open is no sign of life.
OPEN = "open"
_BOUGHT = ("purchase", "booking")
#: A message that came back undelivered: no later touch will reach anybody there.
UNDELIVERED = "bounce"
#: What says no: kinds of events, and reasons of suppressions.
NOES = (
    "unsubscribe", "complaint", "unreadable", "opt_out", "objection", "hard_bounce", "internal", "deactivated",
)  # fmt: skip

_DEAD_ADDRESS = "hard_bounce"
_OF_NOES = {
    "opt_out": "opted_out", "objection": "opted_out", "complaint": "complained", _DEAD_ADDRESS: "unreachable",
    CONTACT_SAID_NO: TO_DECIDE,
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """Something a person did, as the source calls it."""

    kind: str
    occurred_at: datetime


@dataclass(frozen=True)
class Exit:
    """Why an enrolment ends (``reason``), and the fact behind it (``because``); codes."""

    reason: str
    because: str


def exit_of(facts: Sequence[Fact], playbook: Playbook, *, since: datetime, contacted: bool) -> Exit | None:
    """The exit the facts after ``since`` amount to, or ``None``. Having bought outweighs everything else.

    ``contacted``: a touch was accepted before. Who comes back without one came back by himself, and is no success of
    ours.
    """
    new = sorted((f for f in facts if f.occurred_at > since), key=lambda fact: (fact.occurred_at, fact.kind))
    signals = [SIGNALS[fact.kind] for fact in new if SIGNALS.get(fact.kind) in playbook.exits]
    for signal in (*(s for s in signals if s in _BOUGHT), *signals):
        if not contacted:
            return Exit("returned_unprompted", signal)
        return Exit("reactivated" if signal in _BOUGHT else "re_engaged", signal)
    return Exit("unreachable", UNDELIVERED) if any(fact.kind == UNDELIVERED for fact in new) else None


def exit_of_no(reason: str) -> Exit:
    """The exit a standing suppression amounts to."""
    return Exit(_OF_NOES.get(reason, "suppressed"), reason)


def exit_of_all(reasons: Collection[str], returned: Exit | None) -> Exit | None:
    """The one exit of standing suppressions (their ``reasons``) and of what came back, or ``None``.

    A no outweighs a return; only that an address is dead undoes none.
    """
    said = sorted(reason for reason in reasons if reason != _DEAD_ADDRESS)
    if said:
        return exit_of_no(said[0])
    return returned if returned is not None or not reasons else exit_of_no(_DEAD_ADDRESS)


def stops(playbook: Playbook) -> frozenset[str]:
    """The kinds of events that end an enrolment of the playbook, or hold its touches: what a send should have seen."""
    return frozenset({kind for kind, signal in SIGNALS.items() if signal in playbook.exits} | {*NOES, UNDELIVERED})
