"""From due touches to intents: each customer asked about anew, judged, and claimed in one transaction per batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation import paths
from reactivation.approvals import NotSendable, SendableTouch, sendable
from reactivation.contract.tables import TIME
from reactivation.delivery import may_send
from reactivation.evidence import EvidenceError, SnapshotFolder
from reactivation.ledger import courses, enrolments, extract, sends, stops, suppressions, touches
from reactivation.ledger.enrolments import Enrolment
from reactivation.ledger.locks import CLAIMING, PERMISSION, exclusive, shared
from reactivation.ledger.mail import EMAIL
from reactivation.ledger.sends import Send
from reactivation.ledger.touches import Touch
from reactivation.messages.claims import read_text
from reactivation.outcomes import exit_of_no
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.model import Touch as Declared
from reactivation.policy.climbs import hindered
from reactivation.policy.decisions import GATES
from reactivation.policy.timing import PLACE_COLUMNS, TimingRules, is_legal, local_time, recipient_zone
from reactivation.policy.waits import earliest_after
from reactivation.steps.accepting import rules_in_force
from reactivation.steps.decide import decide_snapshot
from reactivation.steps.verdicts import Verdict, claims_hold, for_sending, verdict

if TYPE_CHECKING:
    from reactivation.steps.deliverability import Domain
    from reactivation.steps.workspace import Workspace

ACTOR = "dispatch"
#: How long a claim lasts without a sign of its dispatcher; each call ends within ten seconds.
LEASE = timedelta(minutes=10)
#: What is said of an e-mail that the sending domain cannot carry today.
BEYOND_RAMP = Verdict("wait", "ramp")


@dataclass(frozen=True)
class Case:
    """One due touch with everything its claim is decided on. ``row``: its customer's decision at this moment."""

    touch: Touch
    enrolment: Enrolment
    keys: frozenset[str]
    draft: Mapping[str, Any] = field(repr=False)
    row: Mapping[str, Any] | None = None
    zone: str | None = None
    local_time: str | None = None
    legal: bool = False


@dataclass(frozen=True)
class Claim:
    """An intent of ours, and the proof that its bytes may go out."""

    case: Case
    intent: Send
    sendable: SendableTouch


@dataclass(frozen=True)
class Drafts:
    """The drafts of the runs that were read so far, by run."""

    workspace: Workspace
    read: dict[str, pa.Table | None] = field(default_factory=dict)

    def of(self, touch: Touch) -> Mapping[str, Any] | Verdict:
        """The draft of a touch, or why there is none to send."""
        run_id = touch.draft_run_id
        if run_id is None:
            return Verdict("hold", "draft_missing")
        if run_id not in self.read:
            try:
                self.read[run_id] = self.workspace.run_folder(run_id).read("drafts")
            except EvidenceError:
                self.read[run_id] = None
        drafts = self.read[run_id]
        if drafts is None:
            return Verdict("wait", "draft_unreadable")
        rows = drafts.filter(pc.equal(drafts["touch_id"], touch.touch_id)).to_pylist()
        return rows[0] if len(rows) == 1 else Verdict("hold", "draft_missing")


def judge(
    workspace: Workspace, folder: SnapshotFolder, playbook: Playbook, cases: Sequence[Case], now: datetime
) -> list[tuple[Case, Verdict]]:
    """The verdict on each case by what ``folder`` says, all of one playbook. Runs the very ladder of the run."""
    contacts = folder.read("contacts")
    keys = {key for column in ("email_key", "phone_key") for key in contacts[column].drop_null().to_pylist()}
    with workspace.ledger.begin() as conn:
        ids = {case.enrolment.enrolment_id for case in cases}
        course, redeemed = courses.of_enrolments(conn, ids), courses.redeemed(conn, ids)
        known = extract.ledger_extract(
            conn, brand=playbook.brand, now=now, address_keys=keys.union(*(case.keys for case in cases)),
            excluding_enrolments=ids,
        )  # fmt: skip
        rules = rules_in_force(workspace, conn)
    decided = decide_snapshot(folder, known, for_sending(playbook), rules, workspace.owners, at=now, planned_on=now)
    rows = {row["customer_id"]: row for row in decided.table.to_pylist()}
    declared = {touch.number: touch for touch in playbook.touches}
    latest = {row["claim_id"]: row for row in folder.read("claims").to_pylist()}
    timing = workspace.rules.timing
    not_climbed = hindered(course, playbook, redeemed)
    clocks = _clocks(workspace, contacts, cases, now)
    waits = _waits(cases, [zone for _, zone, _ in clocks], courses.last_sent(course), playbook, timing)
    judged = []
    for case, (legal, zone, wall), until in zip(cases, clocks, waits, strict=True):
        row = rows.get(case.touch.customer_id)
        placed = Case(case.touch, case.enrolment, case.keys, case.draft, row, zone, wall, legal)
        said = verdict(
            case.touch, case.enrolment, case.draft, row, legal=legal, now=now, timing=timing,
            not_climbed=not_climbed.get(case.touch.touch_id), waits_until=until,
        )  # fmt: skip
        if said.do == "send":
            said = _of_what_is_declared(case, declared.get(case.touch.number), latest, now) or said
        judged.append((placed, said))
    return judged


def claim(
    workspace: Workspace, playbook: Playbook, judged: Iterable[tuple[Case, Verdict]], *, domain: Domain, worker: str,
    now: datetime,
) -> tuple[list[Claim], list[tuple[Touch, Verdict]]]:  # fmt: skip
    """Write the intents of those that may go, and settle the others, in one transaction: all of it or nothing.

    Suppressions, stops, caps, the ramp, the enrolment, the signature and the provider's licence are asked once more in
    here, where no suppression and no other claim can be committed meanwhile.
    """
    claims: list[Claim] = []
    others: list[tuple[Touch, Verdict]] = []
    judged = list(judged)
    mailed = sum(said.do == "send" and case.touch.channel == EMAIL for case, said in judged)
    with workspace.ledger.begin() as conn:
        shared(conn, PERMISSION)
        exclusive(conn, CLAIMING)
        ours = sends.lock_signed(conn, [case.touch.touch_id for case, _ in judged], worker)
        left = domain.left(conn, now, mailed) if mailed else 0
        for case, said in judged:
            if case.touch.touch_id not in ours:
                continue
            made: Claim | Verdict = said
            if said.do == "send":
                no = last_word(conn, case, playbook, now) or _capped(conn, workspace, case, now)
                if case.touch.channel == EMAIL and left <= 0:
                    no = no or BEYOND_RAMP
                made = no or _intend(conn, workspace, case, worker, now)
            if isinstance(made, Claim):
                claims.append(made)
                left -= made.intent.channel == EMAIL
            else:
                settle(conn, case.touch, made, now)
                others.append((case.touch, made))
    return claims, others


def last_word(conn: Connection, case: Case, playbook: Playbook, now: datetime) -> Verdict | None:
    """What was committed since the question was asked and keeps the touch from going out."""
    said_no = suppressions.standing(conn, case.keys, brand=playbook.brand)
    if said_no:
        return Verdict("end", f"suppressed:{min(said_no.values())}")
    if stops.applying(stops.standing(conn, now), playbook=playbook.playbook, channel=case.touch.channel):
        return Verdict("wait", "stopped")
    enrolment = enrolments.enrolments_of(conn, [case.enrolment.enrolment_id])[case.enrolment.enrolment_id]
    if enrolment.state != "active":
        return Verdict("end", "enrolment_ended")
    return Verdict("wait", "too_late") if now >= case.touch.not_after else None


def settle(conn: Connection, touch: Touch, said: Verdict, now: datetime) -> None:
    """Do what a verdict says about a touch that is not sent."""
    if said.do == "wait":
        touches.keep_waiting(conn, touch, reason=said.reason, now=now)
    elif said.do == "hold":
        touches.set_state(conn, touch, "held", reason=said.reason, actor=ACTOR, now=now)
    elif said.do == "end":
        no = said.reason.removeprefix("suppressed:")
        reason = exit_of_no(no).reason if no != said.reason else said.family
        ended = enrolments.end_enrolment(
            conn, touch.enrolment_id, reason=reason, because=said.reason, actor=ACTOR, now=now
        )
        if not ended:  # by somebody else, while we had the touch: it is not left behind as signed
            touches.set_state(conn, touch, "cancelled", reason=said.reason, actor=ACTOR, now=now)


def _capped(conn: Connection, workspace: Workspace, case: Case, now: datetime) -> Verdict | None:
    """Whether this person was written to within the caps, by this batch or by another dispatcher just now."""
    caps = workspace.rules.timing.caps
    full = bool(sends.written_to(conn, case.keys, now - timedelta(hours=caps.any_hours)))
    if case.touch.channel == "sms":
        full = full or sends.texted(conn, case.keys, now - timedelta(days=7)) >= caps.sms_per_7d
    return Verdict("wait", "timing:cap") if full else None


def _intend(conn: Connection, workspace: Workspace, case: Case, worker: str, now: datetime) -> Claim | Verdict:
    """The intent to send, or why there can be none."""
    touch, row = case.touch, case.row or {}
    provider = workspace.providers.get(touch.channel)
    if provider is None:
        return Verdict("wait", "no_provider")
    licence = may_send(conn, provider, environment=workspace.settings.environment, sender=case.draft["sender"])
    if licence is not None:
        return Verdict("wait", licence)
    proof = sendable(conn, case.draft, now)
    if isinstance(proof, NotSendable):
        return Verdict("wait" if proof.reason in ("too_early", "too_late") else "hold", proof.reason)
    intent = Send(
        send_id=str(uuid5(NAMESPACE_URL, touch.touch_id)), touch_id=touch.touch_id, provider=provider.name,
        channel=touch.channel, address_key=touch.address_key, worker=worker, state="intent", intended_at=now,
        lease_until=now + LEASE, called_at=None,
    )  # fmt: skip
    evidence = {
        "draft_digest": proof.draft_digest, "answer_ids": list(proof.answer_ids),
        "basis": {"basis": row[f"{touch.channel}_basis"], "records": row[f"{touch.channel}_records"]},
        "gates": {gate: row[f"gate_{gate}"] for gate in GATES}, "local_time": case.local_time, "zone": case.zone,
        "zone_source": "+".join(row["zone_sources"]), "rules_version": row["rules_version"],
    }  # fmt: skip
    sends.intend(conn, {**vars(intent), **evidence})
    return Claim(case, intent, proof)


def _of_what_is_declared(
    case: Case, declared: Declared | None, latest: Mapping[str, Mapping[str, Any]], now: datetime
) -> Verdict | None:
    """Why a touch that could go is kept by the playbook of today or by its claims' ``latest`` rows; else ``None``."""
    if declared is None:
        return Verdict("hold", "touch_not_declared")
    return claims_hold(case.draft, declared, latest, partial(read_text, paths.INCLUDE), now)


def _clocks(
    workspace: Workspace, contacts: pa.Table, cases: Sequence[Case], now: datetime
) -> list[tuple[bool, str | None, str | None]]:
    """For each case whether now is legal, the zone of the person's calendar, and the time on it."""
    wanted = pa.array([case.touch.customer_id for case in cases], pa.string())
    places = contacts.select(["customer_id", *PLACE_COLUMNS]).take(
        pc.index_in(wanted, value_set=contacts["customer_id"].combine_chunks())
    )
    instants = pa.array([now] * len(cases), TIME)
    zones = recipient_zone(places)
    legal = is_legal(instants, places, workspace.rules.timing)
    return list(zip(legal.to_pylist(), zones.to_pylist(), local_time(instants, zones).to_pylist(), strict=True))


def _waits(
    cases: Sequence[Case], zones: Sequence[str | None], sent: pa.Table, playbook: Playbook, timing: TimingRules
) -> list[datetime | None]:
    """For each case until when it waits for the touch sent before it, ``None`` for the first of its enrolment."""
    days = {touch.number: touch.day for touch in playbook.touches}
    before = {row["enrolment_id"]: row for row in sent.to_pylist()}
    last = [before.get(case.touch.enrolment_id, {}) for case in cases]
    gaps = [
        days.get(case.touch.number, 0) - days.get(one.get("number", 0), 0)
        for case, one in zip(cases, last, strict=True)
    ]
    at = pa.array([one.get("at") for one in last], TIME)
    until: list[datetime | None] = earliest_after(
        at, pa.array(zones, pa.string()), np.maximum(gaps, 0), timing
    ).to_pylist()
    return until
