"""From due touches to intents: each customer asked about anew, judged, and claimed in one transaction per batch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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
from reactivation.approvals import NotSendable, SendableTouch, proofs
from reactivation.contract.tables import TIME
from reactivation.delivery import Intent, may_send
from reactivation.evidence import SnapshotFolder
from reactivation.ledger import (
    courses,
    enrolments,
    extract,
    replies,
    sends,
    settings,
    standing,
    stops,
    suppressions,
    touches,
)
from reactivation.ledger.enrolments import Enrolment
from reactivation.ledger.mail import EMAIL
from reactivation.ledger.sends import Send
from reactivation.ledger.settings import Licence
from reactivation.ledger.standing import Standing
from reactivation.ledger.together import answer
from reactivation.ledger.touches import Touch
from reactivation.messages.claims import read_text
from reactivation.outcomes import exit_of_no
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Touch as Declared
from reactivation.policy.climbs import hindered
from reactivation.policy.decisions import GATES
from reactivation.policy.timing import PLACE_COLUMNS, TimingRules, is_legal, local_time, recipient_zone
from reactivation.policy.waits import earliest_after
from reactivation.steps.accepting import rules_in_force
from reactivation.steps.decide import decide_snapshot, owners_said
from reactivation.steps.verdicts import Verdict, claims_hold, for_sending, verdict

if TYPE_CHECKING:
    from reactivation.steps.deliverability import Domain
    from reactivation.steps.workspace import Workspace

ACTOR = "dispatch"
#: How long a claim lasts without a sign of its dispatcher; each call ends within ten seconds.
LEASE = timedelta(minutes=10)
#: What is said of an e-mail that the sending domain cannot carry today.
BEYOND_RAMP = Verdict("wait", "ramp")
#: What is said of somebody who was written to often enough.
OVER_CAP = Verdict("wait", "timing:cap")
#: What is said of somebody who answered what nobody recognised, until a person has labelled it.
UNLABELLED = Verdict("wait", "reply_unlabelled")


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
    """A case that was claimed: an intent of ours with the proof that its bytes may go out."""

    case: Case
    intent: Intent


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
        rules, said = rules_in_force(workspace, conn), owners_said(conn, playbook)
    decided = decide_snapshot(
        folder, known, for_sending(playbook), rules, workspace.owners, at=now, planned_on=now, owners_said=said
    )
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
    workspace: Workspace, playbook: Playbook, cases: Sequence[Case], *, domain: Domain, worker: str, now: datetime
) -> tuple[list[Claim], list[tuple[Touch, Verdict]]]:  # fmt: skip
    """Write the intents of those that may go, and settle the others, in one transaction: all of it or nothing. All of
    one channel.

    Suppressions, stops, caps, the ramp, the enrolment, the signature and the provider's licence are asked once more in
    here, where no suppression and no other claim can be committed meanwhile: in one breath, with the locks first.
    """
    (channel,) = {case.touch.channel for case in cases}
    keys = {key for case in cases for key in case.keys}
    since = now - timedelta(hours=workspace.rules.timing.caps.any_hours)
    claims: list[Claim] = []
    others: list[tuple[Touch, Verdict]] = []
    asking = (
        sends.claimable(workspace.ledger.dialect, [case.touch.touch_id for case in cases], worker)
        & standing.against_intents(keys, since=since, now=now)
        & proofs([case.draft for case in cases], now)
        & settings.licence(channel)
    )
    with workspace.ledger.begin_by_asking(asking) as (conn, (((ours, against), proof), licence)):
        going = {case.touch.touch_id: made for case, made in zip(cases, proof, strict=True)}
        locked = [case for case in cases if case.touch.touch_id in ours]
        kept = _kept(conn, workspace, locked, playbook, against=against, now=now)
        room = domain.left(conn, now, len(locked), against.written) if channel == EMAIL else len(locked)
        written = sends.written_to(conn, keys, since) if against.written_to else set[str]()
        for case in locked:
            said = kept.get(case.touch.touch_id)
            if said is None and written & case.keys:
                said = OVER_CAP
            if said is None and room <= 0:
                said = BEYOND_RAMP
            made = said or _unlicensed(workspace, licence, case) or _proven(going[case.touch.touch_id])
            if isinstance(made, SendableTouch):
                claims.append(_claimed(workspace, case, made, worker, now))
                written.add(case.touch.address_key)  # the next touch of this batch may be of the same person
                room -= 1
            else:
                others.append((case.touch, made))
        if claims:
            sends.intend(conn, [_evidence(one) for one in claims])
        settle(conn, others, now)
    return claims, others


def _kept(
    conn: Connection, workspace: Workspace, cases: Sequence[Case], playbook: Playbook, *, against: Standing,
    now: datetime,
) -> dict[str, Verdict]:  # fmt: skip
    """By touch id, what of the ledger keeps it, whatever else is claimed with it."""
    said = _forbidden(conn, against, cases, playbook, now)
    keys = {key for case in cases if case.touch.channel == "sms" for key in case.keys}
    texted = sends.texted(conn, keys, now - timedelta(days=7)) if keys else Counter[str]()
    most = workspace.rules.timing.caps.sms_per_7d
    full = [case for case in cases if case.touch.channel == "sms" and sum(texted[key] for key in case.keys) >= most]
    return {case.touch.touch_id: OVER_CAP for case in full} | said


def last_word(conn: Connection, cases: Sequence[Case], playbook: Playbook, now: datetime) -> dict[str, Verdict]:
    """By touch id, what was committed since the question was asked and keeps it from going out."""
    keys, ids = {key for case in cases for key in case.keys}, {case.enrolment.enrolment_id for case in cases}
    against = answer(conn, standing.against_calls(keys, ids, now=now))
    said = _forbidden(conn, against, cases, playbook, now)
    known = enrolments.enrolments_of(conn, ids) if against.over else {}
    over = [case for case in cases if known and known[case.enrolment.enrolment_id].state != "active"]
    return {case.touch.touch_id: Verdict("end", "enrolment_ended") for case in over} | said


def _forbidden(
    conn: Connection, against: Standing, cases: Sequence[Case], playbook: Playbook, now: datetime
) -> dict[str, Verdict]:  # fmt: skip
    """The same of touches whose enrolment is known to be active; what stands ``against`` any of them is asked for."""
    keys = {key for case in cases for key in case.keys}
    said_no = suppressions.standing(conn, keys, brand=playbook.brand) if against.suppressed else {}
    held, customers = set[str](), set[str]()
    if against.held:
        held, customers = replies.holding(conn, keys, {case.touch.customer_id for case in cases})
    stopped = stops.standing(conn, now) if against.stopped else ()
    said: dict[str, Verdict] = {}
    for case in cases:
        noes = {said_no[key] for key in case.keys if key in said_no}
        if noes:
            said[case.touch.touch_id] = Verdict("end", f"suppressed:{min(noes)}")
        elif held & case.keys or case.touch.customer_id in customers:
            said[case.touch.touch_id] = UNLABELLED
        elif stops.applying(
            stopped, playbook=playbook.playbook, channel=case.touch.channel, variant=case.enrolment.variant,
            segment=case.enrolment.segment,
        ):  # fmt: skip
            said[case.touch.touch_id] = Verdict("wait", "stopped")
        elif now >= case.touch.not_after:
            said[case.touch.touch_id] = Verdict("wait", "too_late")
    return said


def settle(conn: Connection, some: Sequence[tuple[Touch, Verdict]], now: datetime) -> None:
    """Do what verdicts say about touches that are not sent."""
    waiting: dict[str, list[Touch]] = defaultdict(list)
    held: dict[str, list[Touch]] = defaultdict(list)
    for touch, said in some:
        if said.do == "wait":
            waiting[said.reason].append(touch)
        elif said.do == "hold":
            held[said.reason].append(touch)
        elif said.do == "end":
            no = said.reason.removeprefix("suppressed:")
            reason = exit_of_no(no).reason if no != said.reason else said.family
            ended = enrolments.end_enrolment(
                conn, touch.enrolment_id, reason=reason, because=said.reason, actor=ACTOR, now=now
            )
            if not ended:  # by somebody else, while we had the touch: it is not left behind as signed
                touches.set_state(conn, [touch], "cancelled", reason=said.reason, actor=ACTOR, now=now)
    for reason, those in sorted(held.items()):
        touches.set_state(conn, those, "held", reason=reason, actor=ACTOR, now=now)
    for reason, those in sorted(waiting.items()):
        touches.keep_waiting(conn, those, reason=reason, now=now)


def _unlicensed(workspace: Workspace, licence: Licence | None, case: Case) -> Verdict | None:
    """Why nothing of this channel may go out as the draft's sender; else ``None``."""
    provider = workspace.providers.get(case.touch.channel)
    if provider is None:
        return Verdict("wait", "no_provider")
    why = may_send(licence, provider, environment=workspace.settings.environment, sender=case.draft["sender"])
    return None if why is None else Verdict("wait", why)


def _proven(proof: SendableTouch | NotSendable) -> SendableTouch | Verdict:
    if isinstance(proof, NotSendable):
        return Verdict("wait" if proof.reason in ("too_early", "too_late") else "hold", proof.reason)
    return proof


def _claimed(workspace: Workspace, case: Case, proof: SendableTouch, worker: str, now: datetime) -> Claim:
    touch = case.touch
    send = Send(
        send_id=str(uuid5(NAMESPACE_URL, touch.touch_id)), touch_id=touch.touch_id,
        provider=workspace.providers[touch.channel].name, channel=touch.channel, address_key=touch.address_key,
        worker=worker, state="intent", intended_at=now, lease_until=now + LEASE, called_at=None,
    )  # fmt: skip
    return Claim(case, Intent(send, proof))


def _evidence(one: Claim) -> dict[str, Any]:
    """The row of ``sends`` of an intent."""
    case, proof, channel = one.case, one.intent.touch, one.case.touch.channel
    row = case.row or {}
    return {
        **vars(one.intent.send), "draft_digest": proof.draft_digest, "answer_ids": list(proof.answer_ids),
        "basis": {"basis": row[f"{channel}_basis"], "records": row[f"{channel}_records"]},
        "gates": {gate: row[f"gate_{gate}"] for gate in GATES}, "local_time": case.local_time, "zone": case.zone,
        "zone_source": "+".join(row["zone_sources"]), "rules_version": row["rules_version"],
    }  # fmt: skip


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
