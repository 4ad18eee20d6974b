"""An account whose owner has to decide: asked with the message to sign where there is one, and by itself where not.

A decision about an account is an answer of one of its owner's signers, with the signing code of what he was shown. It
has its consequence in the ladder of every later run (``policy/accounts.py``); one that is not to write ends the
account's enrolment at once.

Source: seed 001 (human approval point, what stays human); PLAYBOOKS.md section 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from reactivation.approvals import AskedList, Judgement, signing_code
from reactivation.approvals.answers import Verdict
from reactivation.approvals.brief import account_body, account_subject, question_path
from reactivation.approvals.coded import AskedCoded, CodedJudgement, judge_coded
from reactivation.approvals.deciding import FIELDS, Decision, read_decision
from reactivation.approvals.form import HOLD_ALL, SIGN, FormField
from reactivation.approvals.reading import read_codes
from reactivation.contract.digests import digest
from reactivation.ledger import accounts, audit, enrolments, questions, runs, seals
from reactivation.ledger.accounts import AccountDecision, AccountQuestion
from reactivation.ledger.questions import QuestionRow
from reactivation.ledger.runs import Run, StepError
from reactivation.playbooks.model import Playbook
from reactivation.policy.accounts import APPROVE, OWNER_DECISIONS, OWNER_EXIT, WRITING
from reactivation.steps.coded import Kind, Shown, bound, keep, write_answer
from reactivation.steps.results import decisions_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

KIND = "decide_account"
DECIDE = "Decide"
OPTIONS = (DECIDE, HOLD_ALL)

#: Who decides about accounts.
ROLE = "account_owner"
#: Whom nobody can write to without a word of the owner: the first letters of a decisive reason.
_ASKED_ABOUT = ("open_issue:", "context_conflict:", "suppressed:contact_said_no")
_ASK_AGAIN = timedelta(days=7)
_CHOICES = {"decision": ("", *OWNER_DECISIONS)}
_FORM = (
    FormField("signing_code", "Signing code", "At the end of the question's page; needed to decide."), *FIELDS,
)  # fmt: skip
_COLUMNS = (
    "account_id", "customer_id", "owner_id", "decision", "reason_codes", "priority", "account_contacts",
    "contacts_said_no",
)  # fmt: skip


# --- asking ---------------------------------------------------------------------------------------------------------
def ask_owners(
    workspace: Workspace, conn: Connection, run: Run, playbook: Playbook, decisions: pa.Table, *,
    with_lists: dict[str, str], now: datetime,
) -> list[str]:  # fmt: skip
    """Say of the lists just opened (customer by question id) which account each is about, and open a question for each
    other account whose owner has to decide; the ids of those opened.

    The most pressing first, and no more than their owner can look at in a day. What nobody answered is asked again by
    the next run, of the deputy besides.
    """
    rows = decisions.select(_COLUMNS).sort_by([("priority", "descending"), ("account_id", "ascending")]).to_pylist()
    shown = {row["customer_id"]: row for row in rows}
    known = [_about(run, shown[one], question) for question, one in with_lists.items() if one in shown]
    accounts.insert_questions(conn, known)
    looked_at = Counter(one.owner_id for one in known)
    waiting = accounts.waiting(conn, playbook.playbook, now)
    lately = accounts.asked_since(conn, playbook.playbook, now - _ASK_AGAIN)
    silent = accounts.unanswered(conn, playbook.playbook)
    opened: list[AccountQuestion] = []
    unasked: list[tuple[str, dict[str, str]]] = []
    for row in rows:
        decisive = (row["reason_codes"] or [""])[0]
        if not decisive.startswith(_ASKED_ABOUT) or row["account_id"] in waiting | (lately - silent):
            continue
        owner_id = row["owner_id"] or ""
        if looked_at[owner_id] >= playbook.intake.review_capacity_per_owner:
            continue
        if not _signers(workspace, owner_id, now, escalated=row["account_id"] in silent):
            unasked.append((row["account_id"], {"owner_id": owner_id, "reason": "owner_away_or_unknown"}))
            continue
        looked_at[owner_id] += 1
        opened.append(_about(run, row, str(uuid4())))
    until = now + timedelta(days=playbook.approval.answer_within_days)
    _open(conn, opened, actor=run.playbook, until=until, now=now)
    audit.write_many(conn, at=now, actor=run.playbook, action="account_not_asked", subjects=unasked)
    return [one.question_id for one in opened]


def reopen(workspace: Workspace, playbook_name: str, account_id: str, now: datetime) -> str:
    """Ask the owner of an account anew, whatever he decided before; the question's id. Raises ``StepError`` for an
    account the last run did not decide about, whose owner is asked already, or who may not sign."""
    playbook = workspace.playbook(playbook_name).playbook
    run_id, decisions = decisions_of(workspace, playbook_name)
    rows = decisions.filter(pc.equal(decisions["account_id"], account_id)).select(_COLUMNS).to_pylist()
    if not rows:
        raise StepError(f"run {run_id} decided nothing about account {account_id}: not dormant, or not known")
    with workspace.ledger.begin() as conn:
        if account_id in accounts.waiting(conn, playbook_name, now):
            raise StepError(f"the owner of account {account_id} is being asked; see the page of his questions")
        about = _about(runs.run_of(conn, run_id), rows[0], str(uuid4()))
        if not _signers(workspace, about.owner_id, now):
            raise StepError(
                f"account {account_id} has no owner who may decide and is not away; give it one in the CRM, and in "
                "owners.yaml a delegate or a deputy for account_owner"
            )
        _open(conn, [about], actor="reopen", until=now + timedelta(days=playbook.approval.answer_within_days), now=now)
    seals.seal(workspace.ledger, now)
    return about.question_id


def _open(
    conn: Connection, opened: Sequence[AccountQuestion], *, actor: str, until: datetime, now: datetime
) -> None:  # fmt: skip
    for one in opened:
        questions.insert_question(
            conn, question_id=one.question_id, kind=KIND, subject=one.account_id, opened_at=now, expires_at=until
        )
    accounts.insert_questions(conn, opened)
    told = [(one.account_id, {"question_id": one.question_id, "owner_id": one.owner_id}) for one in opened]
    audit.write_many(conn, at=now, actor=actor, action="account_asked", subjects=told)


def _about(run: Run, row: dict[str, object], question_id: str) -> AccountQuestion:
    contacts, noes = row["account_contacts"], row["contacts_said_no"]
    return AccountQuestion(
        question_id, run.run_id, run.playbook, str(row["account_id"]), str(row["owner_id"] or ""),
        list(contacts) if isinstance(contacts, list) else [], int(noes) if isinstance(noes, int) else 0,
    )  # fmt: skip


def _signers(workspace: Workspace, owner_id: str, now: datetime, *, escalated: bool = False) -> frozenset[str]:
    asked = workspace.owners.asked_for(owner_id, ROLE, today_of(workspace, now), escalated=escalated)
    return frozenset(signer.user_id for signer in asked)


# --- a question by itself -------------------------------------------------------------------------------------------
def asked_account(workspace: Workspace, conn: Connection, question: QuestionRow) -> AskedCoded:
    """The question as its answers are judged, and as its page shows it. Who answers is who was there, by the
    configuration of today, on the day it was opened."""
    about = accounts.question_of(conn, question.question_id)
    signers: frozenset[str] = frozenset()
    if about is not None:
        escalated = about.account_id in accounts.unanswered(conn, about.playbook, before=question.opened_at)
        signers = _signers(workspace, about.owner_id, question.opened_at, escalated=escalated)
    return AskedCoded(
        state=question.state, expires_at=question.expires_at, authors=frozenset(), signers=signers,
        signing_code=signing_code(digest([question.question_id, question.subject])),
        hindrance=None if about else "question_unknown",
    )  # fmt: skip


def _show(workspace: Workspace, conn: Connection, question: QuestionRow) -> Shown:
    asked, about = asked_account(workspace, conn, question), accounts.question_of(conn, question.question_id)
    if about is None or not asked.signers:
        return None, asked.hindrance or "no_signers"
    shown = bound(
        workspace, question, page=question_path(question.question_id), subject=account_subject(about.account_id),
        body=account_body(question.question_id, about.account_id, about.playbook, question.expires_at),
        options=OPTIONS, form=_FORM, signers=asked.signers,
    )  # fmt: skip
    return shown, None


def _record(workspace: Workspace, conn: Connection, question: QuestionRow, event: object, now: datetime) -> str:
    about = accounts.question_of(conn, question.question_id)
    contacts = about.contacts if about else []
    decision = read_decision(event, contacts, today_of(workspace, now))
    judged = judge_coded(
        asked_account(workspace, conn, question), event, now, options=OPTIONS, choices=_CHOICES
    )  # fmt: skip
    if judged.agreed and decision.refusal is not None:
        judged = replace(judged, refusal=decision.refusal, agreed=False)
    judged = replace(judged, form={**judged.form, **decision.as_codes()})
    answer_id = keep(conn, question, judged, now)
    if judged.agreed and about is not None:
        kept = _keep(workspace, about, decision, answer_id=answer_id, actor=judged.responder or "nobody", now=now)
        accounts.decide(conn, kept)
        if decision.decision != APPROVE or decision.recipient is not None:
            _end(conn, kept)
    write_answer(conn, question, judged, answer_id, now, decision=decision.decision if judged.agreed else None)
    return _told(question.subject, judged, decision)


def _told(account_id: str, judged: CodedJudgement, decision: Decision) -> str:
    if judged.agreed:
        return f"account {account_id} is decided: {decision.decision}"
    return f"account {account_id} is not decided" + (f" ({judged.refusal})" if judged.refusal else "")


# --- beside a signature ---------------------------------------------------------------------------------------------
def judge_beside(
    about: AccountQuestion, asked: AskedList, judged: Judgement, event: object, *, today: date
) -> tuple[Judgement, Decision | None]:
    """The answer to a list of one account's message, with what its owner decides beside: to sign is to approve, and
    anything else is decided with the signing code. A decision that contradicts the signature makes it none."""
    decision = read_decision(event, about.contacts, today)
    judged = replace(judged, form={**judged.form, **decision.as_codes()})
    if not judged.accepted or (judged.chosen == SIGN and "signed" not in judged.verdicts.values()):
        return judged, None
    signs = judged.chosen == SIGN
    typed = read_codes(event, (), {}).signing_code
    checks = [
        (decision.refusal or "", decision.refusal is not None),
        ("decision_differs", signs and decision.decision not in ("", *WRITING)),
        ("decision_differs", judged.chosen == HOLD_ALL and decision.decision in WRITING),
        ("contact_out_of_place", signs and decision.recipient is not None),
        ("signing_code_differs", bool(decision.decision) and typed != asked.signing_code),
    ]
    refusal = next((code for code, fails in checks if fails), None)
    if refusal is not None:
        held: dict[str, Verdict] = dict.fromkeys(judged.verdicts, "held")
        return replace(judged, accepted=False, refusal=refusal, verdicts=held), None
    if signs:
        return judged, replace(decision, decision=decision.decision or APPROVE)
    return judged, decision if decision.decision else None


def settle_beside(
    workspace: Workspace, conn: Connection, about: AccountQuestion, decision: Decision, *, signed: bool, answer_id: str,
    actor: str, now: datetime,
) -> None:  # fmt: skip
    """Keep what was decided beside a signature. Who signs a message about an issue still resolves it, and still writes
    to the contact he chose before; whatever is no signature ends the enrolment."""
    if signed:
        standing = next(iter(accounts.decisions(conn, about.playbook, [about.account_id])), None)
        if standing is not None and standing.decision in WRITING:
            decision = replace(decision, decision=standing.decision, recipient=standing.recipient)
    kept = _keep(workspace, about, decision, answer_id=answer_id, actor=actor, now=now)
    accounts.decide(conn, kept)
    if not signed:
        _end(conn, kept)


# --- what follows ---------------------------------------------------------------------------------------------------
def _keep(
    workspace: Workspace, about: AccountQuestion, decision: Decision, *, answer_id: str, actor: str, now: datetime
) -> AccountDecision:
    zone = ZoneInfo(workspace.tenant.timezone)
    until = None if decision.until is None else datetime.combine(decision.until, time(), zone)
    return AccountDecision(
        answer_id=answer_id, playbook=about.playbook, account_id=about.account_id, decision=decision.decision,
        reason=decision.reason, until=until, recipient=decision.recipient, noes=about.noes, decided_by=actor,
        decided_at=now,
    )  # fmt: skip


def _end(conn: Connection, kept: AccountDecision) -> None:
    """End what has begun for the account: what its owner decided is another thing, or for another contact."""
    for enrolment_id in enrolments.active_of_account(conn, kept.playbook, kept.account_id):
        enrolments.end_enrolment(
            conn, enrolment_id, reason=f"{OWNER_EXIT}{kept.decision}", because=kept.reason, actor=kept.decided_by,
            now=kept.decided_at,
        )  # fmt: skip


def today_of(workspace: Workspace, now: datetime) -> date:
    """The day on the tenant's clock."""
    return now.astimezone(ZoneInfo(workspace.tenant.timezone)).date()


#: The kind ``decide_account``.
DECIDING = Kind(_show, _record)
