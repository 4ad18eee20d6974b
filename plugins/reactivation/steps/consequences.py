"""What follows from a provider's answer beyond the one message: a no, a dead address, or a stop of the channel.

Committed before the answer itself is recorded, so that nothing else goes out meanwhile.

Source: ARCHITECTURE.md, invariant 4; PROVIDERS.md, Sending.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from reactivation.delivery import Result
from reactivation.ledger import enrolments, stops, suppressions, touches
from reactivation.ledger.suppressions import EVERY, Suppression
from reactivation.ledger.touches import Touch
from reactivation.outcomes import exit_of_no

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

ACTOR = "dispatch"
#: What a stop's reason begins with that a provider's answer began.
PREFIX = "provider:"


def obey(workspace: Workspace, answers: Mapping[str, Result], now: datetime) -> None:
    """Commit what follows from answers, by touch id: suppressions first, then the exits of who said no, then stops."""
    following = {touch_id: result for touch_id, result in answers.items() if result.consequence is not None}
    if not following:
        return
    with workspace.ledger.begin() as conn:
        concerned = touches.touches_of(conn, following)
        keys = enrolments.keys_of(conn, {touch.enrolment_id for touch in concerned})
    noes = [
        no for touch in concerned for no in _noes(workspace, touch, following[touch.touch_id], keys[touch.enrolment_id])
    ]  # fmt: skip
    suppressions.commit(
        workspace.ledger, [Suppression(*no, source=ACTOR, occurred_at=now) for no in noes], actor=ACTOR, now=now
    )  # fmt: skip
    with workspace.ledger.begin() as conn:
        for touch in concerned:
            result = following[touch.touch_id]
            if result.consequence == "suppress":
                enrolments.end_enrolment(
                    conn, touch.enrolment_id, reason=exit_of_no("opt_out").reason, because="suppressed:opt_out",
                    actor=ACTOR, now=now,
                )  # fmt: skip
            elif result.consequence == "stop_channel":
                stop_channel(conn, touch.channel, result.reason, actor=ACTOR, now=now)


def stop_channel(conn: Connection, channel: str, reason: str | None, *, actor: str, now: datetime) -> None:
    """Stop a channel for a reason a provider gives, until a person lets it go on; once, while it stands."""
    scope, because = f"channel:{channel}", f"{PREFIX}{reason}"
    if not any((one.scope, one.reason) == (scope, because) for one in stops.standing(conn, now)):
        stops.stop(conn, scope=scope, reason=because, actor=actor, now=now)


def _noes(workspace: Workspace, touch: Touch, result: Result, keys: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """Address key, brand, channel and reason. A person who said no is written to at none of his addresses; a dead
    address says nothing about another."""
    if result.consequence == "suppress":
        brand = workspace.playbook(touch.playbook).playbook.brand
        return [(key, brand, EVERY, "opt_out") for key in sorted(keys)]
    if result.consequence == "drop_address":
        return [(touch.address_key, EVERY, EVERY, "hard_bounce")]
    return []
