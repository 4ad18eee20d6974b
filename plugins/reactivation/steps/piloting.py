"""Begins and ends the pilot of a playbook. That a playbook is in one is a fact of the ledger, never a flag in its file.

Before the first enrolment its baseline metric is computed and kept: without it nothing can be said afterwards. While
the pilot stands nobody outside its sample is enrolled; when its days have passed nobody at all is, until a person ends
it: going on with everybody is nothing that happens by itself.

Source: seeds 000 and 001 (minimum viable pilot, baseline metric).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Connection

from reactivation.ledger import pilots, seals
from reactivation.ledger.pilots import Pilot
from reactivation.ledger.runs import StepError
from reactivation.playbooks.loader import LoadedPlaybook
from reactivation.playbooks.model import Playbook
from reactivation.policy.pilots import Sample, top
from reactivation.steps.metrics import Metrics, metrics
from reactivation.steps.results import decisions_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: A pilot of more is none.
MOST = 1_000


def begin_pilot(
    workspace: Workspace, name: str, *, segment: str | None, most: int | None, user: str, now: datetime
) -> Pilot:  # fmt: skip
    """Begin the pilot a playbook declares, of a business segment or of its ``most`` best; returns it.

    Raises ``StepError``, with the fix, when it is of neither or both, when nothing was decided yet or somebody was
    enrolled before, and when one stands already.
    """
    loaded = workspace.playbook(name)
    playbook = loaded.playbook
    _check_sample(playbook, segment, most)
    baseline = _baseline(metrics(workspace, name, now), playbook)
    subjects = _subjects(workspace, loaded, baseline["run_id"], most)
    with workspace.ledger.begin() as conn:
        before = pilots.latest(conn, name)
        if before is None and pilots.has_enrolled(conn, name):
            raise StepError(
                f"playbook {name} has enrolled people already, so there is no baseline from before: a pilot begins "
                "before the first enrolment"
            )
        made = Pilot(
            pilot_id=str(uuid4()), playbook=name, playbook_digest=loaded.digest, segment=segment, subjects=subjects,
            owner_id=playbook.pilot.owner, threshold=playbook.pilot.threshold_share,
            baseline=baseline if before is None else before.baseline, began_by=user, began_at=now,
            ends_at=now + timedelta(days=playbook.pilot.days),
        )  # fmt: skip
        if not pilots.begin(conn, made):
            raise StepError(f"playbook {name} is in a pilot already; see: reactivation pilot report {name}")
    seals.seal(workspace.ledger, now)
    return made


def end_pilot(workspace: Workspace, name: str, *, user: str, now: datetime) -> None:
    """End a pilot: from now on everybody may be enrolled. Raises ``StepError`` when there is none."""
    workspace.playbook(name)
    with workspace.ledger.begin() as conn:
        if not pilots.end(conn, name, actor=user, now=now):
            raise StepError(f"playbook {name} is in no pilot")
    seals.seal(workspace.ledger, now)


def sample_of(conn: Connection, playbook: Playbook, now: datetime) -> Sample | None:
    """Whom the pilot a playbook is in lets begin; ``None`` when it is in none."""
    pilot = pilots.standing(conn, playbook.playbook)
    return None if pilot is None else as_sample(pilot, playbook, now)


def as_sample(pilot: Pilot, playbook: Playbook, now: datetime) -> Sample:
    """The sample of a pilot. A customer's owner is the pilot's; each account has its own, who decides about it."""
    return Sample(
        subject=playbook.subject, segment=pilot.segment, subjects=frozenset(pilot.subjects),
        owner_id=pilot.owner_id if playbook.subject == "customer" else None, is_over=now >= pilot.ends_at,
    )  # fmt: skip


def _check_sample(playbook: Playbook, segment: str | None, most: int | None) -> None:
    name, owner = playbook.playbook, playbook.pilot.owner
    if (segment is None) == (most is None):
        raise StepError(f"say what the pilot is of ({playbook.pilot.sample}): --segment NAME, or --top N")
    if segment is not None and segment not in playbook.windows:
        raise StepError(f"playbook {name} knows no business segment {segment}; it has {', '.join(playbook.windows)}")
    if most is not None and not 1 <= most <= MOST:
        raise StepError(f"a pilot of {most} is none; say --top with 1 to {MOST}")
    if segment is not None and playbook.subject == "customer" and playbook.owners[segment] != owner:
        raise StepError(
            f"a pilot has one owner: {segment} belongs to {playbook.owners[segment]}, and pilot.owner of {name} is "
            f"{owner}; choose a segment of theirs, or change the playbook"
        )


def _baseline(found: Metrics, playbook: Playbook) -> dict[str, Any]:
    wanted = playbook.measurement.baseline_metric
    for figure in found.figures:
        if figure.measure == wanted and figure.by is None:
            return {
                "measure": wanted, "count": figure.count, "of": figure.of, "rate": figure.rate, "run_id": found.run_id,
                "at": found.at.isoformat(),
            }  # fmt: skip
    raise StepError(f"the baseline metric {wanted} of {playbook.playbook} is counted nowhere; correct the playbook")


def _subjects(workspace: Workspace, loaded: LoadedPlaybook, run_id: str, most: int | None) -> Sequence[str]:
    """The best so many of the run the baseline is of; none for a pilot of a segment."""
    if most is None:
        return ()
    playbook = loaded.playbook
    _, decisions = decisions_of(workspace, playbook.playbook, run_id)
    owner = playbook.pilot.owner if playbook.subject == "customer" else None
    found = top(decisions, most, subject=playbook.subject, owner_id=owner)
    if not found:
        raise StepError(f"run {run_id} of {playbook.playbook} found nobody a pilot could be of")
    return found
