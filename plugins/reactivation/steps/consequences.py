"""What follows from a provider's answer beyond the one message: a no, a dead address, or a stop of the channel.

Committed before the answer itself is recorded, so that nothing else goes out meanwhile.

Source: ARCHITECTURE.md, invariant 4; PROVIDERS.md, Sending.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from reactivation.delivery import Result
from reactivation.ledger import enrolments, stops, suppressions
from reactivation.ledger.suppressions import EVERY, Suppression
from reactivation.outcomes import exit_of_no
from reactivation.playbooks.model import Playbook

if TYPE_CHECKING:
    from reactivation.steps.claims import Case
    from reactivation.steps.workspace import Workspace

ACTOR = "dispatch"
#: What a stop's reason begins with that a provider's answer began.
PREFIX = "provider:"


def obey(workspace: Workspace, playbook: Playbook, answers: Iterable[tuple[Case, Result]], now: datetime) -> None:
    """Commit what follows from answers: suppressions first, then the exits of who said no, then stops."""
    following = [(case, result) for case, result in answers if result.consequence is not None]
    noes = [no for case, result in following for no in _noes(case, playbook, result, now)]
    suppressions.commit(workspace.ledger, noes, actor=ACTOR, now=now)
    with workspace.ledger.begin() as conn:
        for case, result in following:
            if result.consequence == "suppress":
                enrolments.end_enrolment(
                    conn, case.touch.enrolment_id, reason=exit_of_no("opt_out").reason, because="suppressed:opt_out",
                    actor=ACTOR, now=now,
                )  # fmt: skip
            elif result.consequence == "stop_channel":
                scope, reason = f"channel:{case.touch.channel}", f"{PREFIX}{result.reason}"
                if not any((one.scope, one.reason) == (scope, reason) for one in stops.standing(conn, now)):
                    stops.stop(conn, scope=scope, reason=reason, actor=ACTOR, now=now)


def _noes(case: Case, playbook: Playbook, result: Result, now: datetime) -> Iterable[Suppression]:
    """A person who said no is written to at none of his addresses; a dead address says nothing about another."""
    if result.consequence == "suppress":
        return [Suppression(key, playbook.brand, EVERY, "opt_out", ACTOR, now) for key in sorted(case.keys)]
    if result.consequence == "drop_address":
        return [Suppression(case.touch.address_key, EVERY, EVERY, "hard_bounce", ACTOR, now)]
    return []
