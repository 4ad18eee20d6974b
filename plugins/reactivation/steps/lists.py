"""Opens lists: the run's drafts become questions to named people.

A touch is asked about once at a time: what already sits in an open list, or is signed as it stands, is not listed
again. A list nobody may sign is not opened; its count and the reason are in the step's counts and in ``lists.json``.
A dry run writes only what it would have asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.approvals import NotOpened, content_lists, offer_lists
from reactivation.approvals.lists import OWNER_AWAY, DraftedTouch, Lists, Offer
from reactivation.evidence import RunFolder, SnapshotFolder
from reactivation.ledger import accounts, audit, lists, runs, seals, touches
from reactivation.ledger.lists import Enrolled
from reactivation.ledger.runs import Run, StepError
from reactivation.playbooks.model import Playbook
from reactivation.steps.accepting import ask_to_accept
from reactivation.steps.answers import close_expired
from reactivation.steps.deciding import ask_owners, today_of
from reactivation.steps.opening import facts_of, open_list
from reactivation.steps.workspace import Workspace

STEP, BEFORE = "open_lists", "draft"

_DRAFT_COLUMNS = (
    "touch_id", "enrolment_id", "customer_id", "number", "channel", "offer_id", "offer_terms", "not_after", "digest",
)  # fmt: skip
_DECISION_COLUMNS = ("customer_id", "owner_id", "business_segment", "decision", "review_reasons", "variant")


def open_lists(workspace: Workspace, run_id: str, now: datetime) -> list[str]:
    """Open the lists of a run, and ask for settings that wait for a signature; returns the ids of the questions
    opened, none in a dry run. Raises ``StepError``."""
    folder = workspace.run_folder(run_id)
    with workspace.ledger.begin() as conn:
        runs.require_step(conn, run_id, BEFORE, folder.manifest_digest)
        run = runs.run_of(conn, run_id)
        playbook = _unchanged_playbook(workspace, run)
        close_expired(conn, now)
        unanswered = _unanswered(conn, playbook, folder)
        offers = _offers(workspace.snapshot_folder(run.snapshot_id))
        drafted = _drafted(conn, run, folder, offers, unanswered=unanswered, now=now)
        made = _lists(workspace, run, playbook, drafted, asked=lists.asked_about(conn, run_id), now=now)
        digest = folder.add_file("lists.json", _evidence(made))
        question_ids = [] if run.dry else [open_list(conn, run, one, now) for one in made.opened]
        if not run.dry:
            _tell_not_opened(conn, run, made.not_opened, now)
            if playbook.subject == "account":
                about = [one.items[0].customer_id for one in made.opened]
                listed = dict(zip(question_ids, about, strict=True))
                question_ids += ask_owners(
                    workspace, conn, run, playbook, folder.read("decisions"), with_lists=listed, now=now
                )  # fmt: skip
            question_ids += ask_to_accept(workspace, conn, now)
        runs.record_step(
            conn, run_id, STEP, state="succeeded", manifest_digest=digest, counts=_counts(made), now=now
        )  # fmt: skip
    seals.seal(workspace.ledger, now)
    return question_ids


def _unchanged_playbook(workspace: Workspace, run: Run) -> Playbook:
    loaded = workspace.playbook(run.playbook)
    if loaded.digest != run.playbook_digest:
        raise StepError(f"run {run.run_id}: playbook {run.playbook} was changed since the run began; begin a new run")
    return loaded.playbook


def _offers(snapshot: SnapshotFolder) -> dict[str, dict[str, Any]]:
    return {
        row["offer_id"]: row
        for row in snapshot.read("offers").select(["offer_id", "unit_cost", "currency"]).to_pylist()
    }


def _drafted(
    conn: Connection, run: Run, folder: RunFolder, offers: Mapping[str, Mapping[str, Any]], *,
    unanswered: Collection[str], now: datetime,
) -> list[DraftedTouch]:  # fmt: skip
    """The drafts somebody must be asked about, with who that is. ``unanswered``: customers of whom nobody answered."""
    drafts = folder.read("drafts", _DRAFT_COLUMNS).to_pylist()
    enrolled = lists.active_enrolments(conn, run.playbook)
    if run.dry:
        waiting = {draft["touch_id"]: draft["digest"] for draft in drafts}
        enrolled = _would_enrol(drafts, folder.read("decisions")) | enrolled
    else:
        waiting = lists.waiting_drafts(conn, run.run_id)
    return [
        replace(
            _touch(run.playbook, draft, enrolled[draft["enrolment_id"]], offers),
            escalated=draft["customer_id"] in unanswered,
        )
        for draft in drafts
        if waiting.get(draft["touch_id"]) == draft["digest"]
        and draft["enrolment_id"] in enrolled
        and draft["not_after"] > now
    ]


def _unanswered(conn: Connection, playbook: Playbook, folder: RunFolder) -> set[str]:
    """The customers whose account was asked about last in vain."""
    if playbook.subject != "account":
        return set()
    silent = pa.array(sorted(accounts.unanswered(conn, playbook.playbook)), pa.string())
    decided = folder.read("decisions", ("account_id", "customer_id"))
    return set(decided.filter(pc.is_in(decided["account_id"], value_set=silent))["customer_id"].to_pylist())


def _would_enrol(drafts: Iterable[Mapping[str, Any]], decisions: pa.Table) -> dict[str, Enrolled]:
    """What the enrolments of a dry run would say: their customers' decisions."""
    decided = {row["customer_id"]: row for row in decisions.select(list(_DECISION_COLUMNS)).to_pylist()}
    return {
        draft["enrolment_id"]: Enrolled(
            row["owner_id"] or "",
            row["business_segment"],
            row["decision"],
            list(row["review_reasons"] or ()),
            row["variant"],
        )
        for draft in drafts
        if (row := decided.get(draft["customer_id"])) is not None
    }


def _touch(
    playbook: str, draft: Mapping[str, Any], enrolled: Enrolled, offers: Mapping[str, Mapping[str, Any]]
) -> DraftedTouch:
    offer = None
    if draft["offer_id"] is not None:
        terms = offers.get(draft["offer_id"], {"unit_cost": None, "currency": None})
        offer = Offer(draft["offer_id"], draft["offer_terms"] or "", terms["unit_cost"], terms["currency"])
    return DraftedTouch(
        touch_id=draft["touch_id"], customer_id=draft["customer_id"], playbook=playbook, owner_id=enrolled.owner_id,
        segment=enrolled.segment, number=draft["number"], channel=draft["channel"], draft_digest=draft["digest"],
        not_after=draft["not_after"], individual=enrolled.decision == "review",
        review_reasons=tuple(enrolled.review_reasons), offer=offer, variant=enrolled.variant,
    )  # fmt: skip


def _lists(
    workspace: Workspace, run: Run, playbook: Playbook, drafted: list[DraftedTouch], *, asked: set[tuple[str, str]],
    now: datetime,
) -> Lists:  # fmt: skip
    within = timedelta(days=playbook.approval.answer_within_days)
    authors = {playbook.authored_by, run.triggered_by}
    content = content_lists(
        [t for t in drafted if (t.touch_id, "content") not in asked],
        owners=workspace.owners, authors=authors, now=now, today=today_of(workspace, now), answer_within=within,
        of_accounts=playbook.subject == "account",
    )  # fmt: skip
    offer = offer_lists(
        [t for t in drafted if (t.touch_id, "offer") not in asked],
        owners=workspace.owners, authors=authors, now=now, answer_within=within,
    )  # fmt: skip
    return Lists(content.opened + offer.opened, content.not_opened + offer.not_opened)


def _tell_not_opened(conn: Connection, run: Run, not_opened: Sequence[NotOpened], now: datetime) -> None:
    details = [(run.run_id, vars(one)) for one in not_opened]
    audit.write_many(conn, at=now, actor=run.playbook, action="list_not_opened", subjects=details)
    away = {touch_id for one in not_opened if one.reason == OWNER_AWAY for touch_id in one.touch_ids}
    kept = touches.touches_of(conn, away)
    touches.set_state(conn, kept, "held", reason=OWNER_AWAY, actor=run.playbook, now=now)


def _evidence(made: Lists) -> dict[str, Any]:
    return {"opened": [facts_of(one) for one in made.opened], "not_opened": [vars(one) for one in made.not_opened]}


def _counts(made: Lists) -> dict[str, Any]:
    refused: Counter[str] = Counter()
    for one in made.not_opened:
        refused[one.reason] += one.items
    return {
        "lists": len(made.opened),
        "items": sum(len(one.items) for one in made.opened if one.kind == "content"),
        "individual": sum(i.individual for one in made.opened for i in one.items),
        "offer_items": sum(len(one.items) for one in made.opened if one.kind == "offer"),
        "not_opened": dict(sorted(refused.items())),
    }
