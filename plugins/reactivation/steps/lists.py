"""Opens lists: the run's drafts become questions to named people.

A touch is asked about once at a time: what already sits in an open list, or is signed as it stands, is not listed
again. A list nobody may sign is not opened; its count and the reason are in the step's counts and in ``lists.json``.
A dry run writes only what it would have asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pyarrow as pa
from sqlalchemy import Connection

from reactivation.approvals import ListToSign, NotOpened, content_lists, offer_lists, signing_code
from reactivation.approvals.lists import DraftedTouch, Lists, Offer
from reactivation.evidence import RunFolder, SnapshotFolder
from reactivation.ledger import audit, lists, questions, runs, seals
from reactivation.ledger.lists import Enrolled, ListSigner
from reactivation.ledger.runs import Run, StepError
from reactivation.playbooks.model import Playbook
from reactivation.steps.accepting import ask_to_accept
from reactivation.steps.answers import close_expired
from reactivation.steps.deciding import ask_owners
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
        drafted = _drafted(conn, run, folder, _offers(workspace.snapshot_folder(run.snapshot_id)), now)
        made = _lists(workspace, run, playbook, drafted, asked=lists.asked_about(conn, run_id), now=now)
        digest = folder.add_file("lists.json", _evidence(made))
        question_ids = [] if run.dry else [_open(conn, run, one, now) for one in made.opened]
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
    conn: Connection, run: Run, folder: RunFolder, offers: Mapping[str, Mapping[str, Any]], now: datetime
) -> list[DraftedTouch]:
    """The drafts somebody must be asked about, with who that is."""
    drafts = folder.read("drafts", _DRAFT_COLUMNS).to_pylist()
    enrolled = lists.active_enrolments(conn, run.playbook)
    if run.dry:
        waiting = {draft["touch_id"]: draft["digest"] for draft in drafts}
        enrolled = _would_enrol(drafts, folder.read("decisions")) | enrolled
    else:
        waiting = lists.waiting_drafts(conn, run.run_id)
    return [
        _touch(run.playbook, draft, enrolled[draft["enrolment_id"]], offers)
        for draft in drafts
        if waiting.get(draft["touch_id"]) == draft["digest"]
        and draft["enrolment_id"] in enrolled
        and draft["not_after"] > now
    ]


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
        owners=workspace.owners, authors=authors, now=now, answer_within=within,
        of_accounts=playbook.subject == "account",
    )  # fmt: skip
    offer = offer_lists(
        [t for t in drafted if (t.touch_id, "offer") not in asked],
        owners=workspace.owners, authors=authors, now=now, answer_within=within,
    )  # fmt: skip
    return Lists(content.opened + offer.opened, content.not_opened + offer.not_opened)


def _open(conn: Connection, run: Run, to_sign: ListToSign, now: datetime) -> str:
    """Freeze one list with its question; returns the question's id."""
    list_id, question_id = str(uuid4()), str(uuid4())
    digest = to_sign.digest(list_id)
    row = {
        "list_id": list_id, "run_id": run.run_id, "playbook": run.playbook, "kind": to_sign.kind,
        "channel": to_sign.channel, "touch_number": to_sign.touch_number, "segment": to_sign.segment,
        "variant": to_sign.variant, "owner_id": to_sign.owner_id, "offer_id": to_sign.offer_id,
        "offer_terms": to_sign.offer_terms, "cost": to_sign.cost,
        "currency": to_sign.currency, "authors": list(to_sign.authors), "digest": digest,
        "signing_code": signing_code(digest), "opened_at": now, "expires_at": to_sign.expires_at, "state": "open",
    }  # fmt: skip
    signers = [ListSigner(s.user_id, s.owner_id, s.role) for s in to_sign.signers]
    lists.insert_list(conn, row, to_sign.items, signers)
    questions.insert_question(
        conn, question_id=question_id, kind="sign_offer" if to_sign.kind == "offer" else "sign_list", subject=list_id,
        list_id=list_id, opened_at=now, expires_at=to_sign.expires_at,
    )  # fmt: skip
    audit.write(
        conn, at=now, actor=run.playbook, action="list_opened", subject=list_id,
        details={"run_id": run.run_id, "question_id": question_id, "digest": digest, "authors": list(to_sign.authors),
                 "signers": [s.user_id for s in to_sign.signers], **_facts(to_sign)},
    )  # fmt: skip
    return question_id


def _tell_not_opened(conn: Connection, run: Run, not_opened: Iterable[NotOpened], now: datetime) -> None:
    details = [(run.run_id, vars(one)) for one in not_opened]
    audit.write_many(conn, at=now, actor=run.playbook, action="list_not_opened", subjects=details)


def _facts(made: ListToSign) -> dict[str, Any]:
    return {
        "kind": made.kind, "owner_id": made.owner_id, "segment": made.segment, "variant": made.variant,
        "touch_number": made.touch_number, "channel": made.channel, "offer_id": made.offer_id, "cost": made.cost,
        "currency": made.currency, "expires_at": made.expires_at, "items": len(made.items),
        "individual": sum(i.individual for i in made.items),
    }  # fmt: skip


def _evidence(made: Lists) -> dict[str, Any]:
    return {"opened": [_facts(one) for one in made.opened], "not_opened": [vars(one) for one in made.not_opened]}


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
