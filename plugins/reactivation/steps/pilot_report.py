"""Whether a pilot showed what its document asks: its threshold with the rows, the baseline metric before and after, and
the document's own test. It is pilot evidence, not validation.

Reads and writes nothing; ids, codes and counts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from reactivation.ledger import piloted, pilots, runs
from reactivation.ledger.piloted import Seen, Sent
from reactivation.ledger.pilots import Pilot
from reactivation.ledger.runs import StepError
from reactivation.measures.proofs import Proof, before_outreach, before_send
from reactivation.measures.workflow_test import SENTENCES, Checked, Told, workflow_test
from reactivation.playbooks.model import Playbook
from reactivation.policy.pilots import SUBJECT_COLUMN, Sample, in_sample
from reactivation.steps.metrics import metrics
from reactivation.steps.piloting import as_sample
from reactivation.steps.results import decisions_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: Seeds 000 and 001, Claim level.
CLAIM = "Pilot evidence, not validation: it says what happened with this sample in these days, and no more."
RUNNING, OVER, ENDED = "running", "over", "ended"


@dataclass(frozen=True)
class PilotReport:
    """``before`` and ``after``: the baseline metric (measure, count, of, rate, run_id, at) as it was before the first
    enrolment and as it is by the last run; ``test``: the document's sentence and the sampled subjects."""

    pilot: Pilot
    state: str
    at: datetime
    claim: str
    threshold: Proof
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    test_sentence: str
    test: tuple[Checked, ...]


def pilot_report(workspace: Workspace, name: str, now: datetime) -> PilotReport:
    """The report of the playbook's last pilot. Raises ``StepError`` when there was none."""
    playbook = workspace.playbook(name).playbook
    kind = playbook.subject
    with workspace.ledger.begin() as conn:
        pilot = pilots.latest(conn, name)
        if pilot is None:
            raise StepError(f"playbook {name} was in no pilot yet; say: reactivation pilot begin {name}")
        sent = piloted.sent_since(conn, name, kind, pilot.began_at)
        seen = piloted.seen_since(conn, name, kind, pilot.began_at)
        ended = piloted.ended_since(conn, name, kind, pilot.began_at)
        decided = runs.decided_since(conn, name, pilot.began_at)
    sent, seen = _within(pilot, sent, seen)
    sample = as_sample(pilot, playbook, now)
    _, decisions = decisions_of(workspace, name)
    mine = decisions.filter(in_sample(decisions, sample))
    latest = {row[SUBJECT_COLUMN[kind]]: row for row in mine.to_pylist() if row[SUBJECT_COLUMN[kind]] is not None}
    seen = seen if kind == "customer" else _of_accounts(workspace, seen, decided)
    answered = {one.subject for one in seen if one.by is not None}
    outcomes = {*ended, *(one.subject for one in seen)}
    after = metrics(workspace, name, now)
    return PilotReport(
        pilot=pilot, state=_state(pilot, now), at=now, claim=CLAIM,
        threshold=_proof(playbook, pilot, sample, set(latest), sent=sent, seen=seen),
        before=pilot.baseline,
        after=next(
            {"measure": one.measure, "count": one.count, "of": one.of, "rate": one.rate, "run_id": after.run_id,
             "at": now.isoformat()}
            for one in after.figures if one.measure == pilot.baseline["measure"] and one.by is None
        ),
        test_sentence=SENTENCES[kind],
        test=workflow_test(kind, latest, Told(answered, outcomes), pilot.pilot_id),
    )  # fmt: skip


def _state(pilot: Pilot, now: datetime) -> str:
    if pilot.ended_at is not None:
        return ENDED
    return OVER if now >= pilot.ends_at else RUNNING


def _within(pilot: Pilot, sent: list[Sent], seen: list[Seen]) -> tuple[list[Sent], list[Seen]]:
    """What happened before the pilot was ended: afterwards anybody may be written to."""
    if pilot.ended_at is None:
        return sent, seen
    until = pilot.ended_at
    return [one for one in sent if one.intended_at < until], [one for one in seen if one.at < until]


def _of_accounts(workspace: Workspace, seen: list[Seen], run_ids: Sequence[str]) -> list[Seen]:
    """What the rules said of a contact is said of its account: of one, too, that came back and is no candidate now."""
    account: dict[str, str | None] = {}
    for run_id in run_ids:
        decided = workspace.run_folder(run_id).read("decisions", ("customer_id", "account_id"))
        account |= dict(zip(decided["customer_id"].to_pylist(), decided["account_id"].to_pylist(), strict=True))
    return [Seen(account.get(one.subject) or one.subject, one.what, one.at, one.by) for one in seen]


def _proof(
    playbook: Playbook, pilot: Pilot, sample: Sample, candidates: set[str], *, sent: list[Sent], seen: list[Seen]
) -> Proof:
    if playbook.subject == "account":
        subjects = {*candidates, *pilot.subjects}
        over = sample.is_over or pilot.ended_at is not None
        return before_outreach(subjects, sent, seen, pilot.threshold, is_over=over)
    columns = {
        "customer_id": [one.customer_id for one in sent], "account_id": [one.subject for one in sent],
        "business_segment": [one.segment for one in sent], "owner_id": [one.owner_id for one in sent],
    }  # fmt: skip
    inside = in_sample(pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}), sample)
    outside = {one.send_id for one, is_in in zip(sent, inside.to_pylist(), strict=True) if not is_in}
    return before_send(sent, seen, outside, pilot.threshold)
