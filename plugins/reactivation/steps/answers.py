"""Asks people and records what they answer. The ledger, not Airflow, says which list a request shows.

The first ``execute`` of a request binds it to its question; the answer is judged against the list of that binding,
whatever an edited argument or XCom says later. The first answer closes the list: what it does not sign is held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection

from reactivation.approvals import AskedList, Judgement, judge_answer
from reactivation.approvals.brief import body, list_path, subject
from reactivation.approvals.deciding import FIELDS
from reactivation.approvals.form import HOLD_ALL, OPTIONS, fields
from reactivation.ledger import accounts, audit, lists, measurements, pauses, questions, runs, seals, views
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.questions import QuestionRow, RequestId
from reactivation.ledger.runs import StepError
from reactivation.ledger.stops import Stop
from reactivation.playbooks.declared import DeclarationError
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.variants import SCOPE
from reactivation.policy.pausing import PLAYBOOK_PAUSED, VARIANT_PAUSED
from reactivation.steps.accepting import ACCEPTING
from reactivation.steps.accepting import KIND as SIGN_SETTING
from reactivation.steps.bound import AskedUser, BoundQuestion, keep_answer
from reactivation.steps.claimed import claims_of
from reactivation.steps.coded import Kind, Shown, close_expired_questions
from reactivation.steps.confirming import CONFIRMING, ask_to_confirm
from reactivation.steps.confirming import KIND as CONFIRM_SEND
from reactivation.steps.deciding import DECIDING, judge_beside, settle_beside, today_of
from reactivation.steps.deciding import KIND as DECIDE_ACCOUNT
from reactivation.steps.editing import ask_second, edit_meant, second_list
from reactivation.steps.labelling import KIND as LABEL_REPLY
from reactivation.steps.labelling import LABELLING, ask_to_label
from reactivation.steps.resuming import KIND as RESUME
from reactivation.steps.resuming import RESUMING, ask_to_resume
from reactivation.steps.settings import ConfigurationError
from reactivation.steps.signing import may_sign
from reactivation.steps.waiving import KIND as WAIVE
from reactivation.steps.waiving import WAIVING
from reactivation.steps.workspace import Workspace

#: The questions that are about no list.
_CODED: Mapping[str, Kind] = {
    WAIVE: WAIVING, SIGN_SETTING: ACCEPTING, RESUME: RESUMING, CONFIRM_SEND: CONFIRMING, LABEL_REPLY: LABELLING,
    DECIDE_ACCOUNT: DECIDING,
}  # fmt: skip

MOST_OPEN_REQUESTS = 500
_ID_LENGTH = 36


class RequestRefused(StepError):
    """A request may not ask this question; ``code`` says why. Nothing was opened."""

    def __init__(self, code: str, question_id: str) -> None:
        super().__init__(f"question {question_id} is not asked by this request: {code}")
        self.code = code


def questions_to_ask(workspace: Workspace, now: datetime) -> list[str]:
    """The ids of open questions no request shows yet, as many as may wait at a time; closes what expired before, and
    asks about stops, sends of unknown outcome and unlabelled replies that nobody is asked about."""
    with workspace.ledger.begin() as conn:
        close_expired(conn, now)
        close_expired_questions(conn, now)
        ask_to_resume(workspace, conn, now)
        ask_to_confirm(workspace, conn, now)
        ask_to_label(workspace, conn, now)
        free = max(0, MOST_OPEN_REQUESTS - questions.open_requests(conn))
        return questions.unasked_questions(conn, now, free)


def bind_request(workspace: Workspace, request: RequestId, question_id: object, now: datetime) -> BoundQuestion:
    """Bind a request to its question, or find what it is bound to, and say what it shows.

    A request that was bound before shows its own question again, whatever ``question_id`` says. Raises
    ``RequestRefused`` for a question that is unknown, closed, expired, shown by another request, or unanswerable.
    """
    with workspace.ledger.begin() as conn:
        bound = questions.bound_question(conn, request)
        wanted = bound or _id(question_id)
        question = questions.question_of(conn, wanted, lock=True)
        refusal = _refusal(conn, question, bound, now)
        shown = None
        if refusal is None and question is not None:
            shown, refusal = _show(workspace, conn, question)
        if refusal is None and bound is None:
            questions.bind(conn, request, wanted, now)
        audit.write(
            conn, at=now, actor=request.dag_id, action="request_refused" if refusal else "request_bound",
            subject=question.question_id if question else "unknown",
            details={"dag_run_id": request.dag_run_id, "task_id": request.task_id, "map_index": request.map_index,
                     "again": bound is not None, "refusal": refusal},
        )  # fmt: skip
    if shown is None or refusal is not None:
        raise RequestRefused(refusal or "question_unknown", wanted)
    return shown


def record_answer(workspace: Workspace, request: RequestId, event: object, now: datetime) -> str:
    """Judge and keep the answer to a request; returns what came of it, in ids, codes and counts.

    ``event`` is what Airflow hands to ``execute_complete``; nothing in it makes this raise.
    """
    with workspace.ledger.begin() as conn:
        question_id = questions.bound_question(conn, request)
        question = None if question_id is None else questions.question_of(conn, question_id, lock=True)
        row = None if question is None or question.list_id is None else lists.list_of(conn, question.list_id, lock=True)
        if question is not None and question.kind in _CODED:
            outcome = _CODED[question.kind].record(workspace, conn, question, event, now)
        elif question is None or row is None:
            audit.write(
                conn, at=now, actor=request.dag_id, action="answer_unbound", subject="unknown",
                details={"dag_run_id": request.dag_run_id, "task_id": request.task_id, "map_index": request.map_index},
            )  # fmt: skip
            outcome = "held: this request is bound to no list"
        else:
            outcome = _record(workspace, conn, question, row, event=event, now=now)
    seals.seal(workspace.ledger, now)
    return outcome


def asked_list(workspace: Workspace, conn: Connection, row: ListRow) -> AskedList:
    """A list as its answers are judged, and as its page shows how far a signer has come."""
    playbook, hindrance = _playbook(workspace, conn, row)
    stop = pausing_stop(conn, row)
    return AskedList(
        list_id=row.list_id, state=row.state, expires_at=row.expires_at, signing_code=row.signing_code,
        signers=frozenset(s.user_id for s in may_sign(workspace, conn, row)), authors=frozenset(row.authors),
        items=lists.items_of(conn, row.list_id), views=views.views_of(conn, row.list_id),
        review_points=playbook.approval.review_points if playbook else (),
        sample_size=playbook.approval.sample_size if playbook else 1, hindrance=hindrance,
        paused=None if stop is None else VARIANT_PAUSED if stop.scope.startswith(SCOPE) else PLAYBOOK_PAUSED,
    )  # fmt: skip


def pausing_stop(conn: Connection, row: ListRow) -> Stop | None:
    """The stop by which a list's people wait, if one stands. What is of it is not sent and not drafted, so it is not
    signed either: once it may go on, it is drafted anew and asked about with what is known then."""
    return pauses.holding(conn, playbook=row.playbook, variant=row.variant, segment=row.segment)


def close_expired(conn: Connection, now: datetime) -> int:
    """Close as held every list nobody answered in time; returns how many."""
    closed = []
    for list_id in lists.expired_lists(conn, now):
        row = lists.list_of(conn, list_id, lock=True)
        if row is not None and row.state == "open":
            items = lists.items_of(conn, list_id)
            _close(conn, row, items, {item.touch_id: "held" for item in items}, reason="not_answered", now=now)
            closed.append((list_id, {"items": len(items)}))
    audit.write_many(conn, at=now, actor="ask_people", action="list_expired", subjects=closed)
    return len(closed)


def _id(given: object) -> str:
    """The argument as an id; one that cannot be an id names no question."""
    return given if isinstance(given, str) and len(given) <= _ID_LENGTH and given.isprintable() else "unknown"


def _refusal(conn: Connection, question: QuestionRow | None, bound: str | None, now: datetime) -> str | None:
    if question is None:
        return "question_unknown"
    if question.state != "open":
        return "question_closed"
    if now >= question.expires_at:
        return "question_expired"
    if bound is None and questions.request_of(conn, question.question_id) is not None:
        return "asked_by_another_request"
    return None


def _show(workspace: Workspace, conn: Connection, question: QuestionRow) -> Shown:
    """What the request shows, or the code of why it cannot be asked."""
    if question.kind in _CODED:
        return _CODED[question.kind].show(workspace, conn, question)
    row = lists.list_of(conn, question.subject)
    if row is None:
        return None, "question_unknown"
    playbook, hindrance = _playbook(workspace, conn, row)
    signers = may_sign(workspace, conn, row)
    if playbook is None or not signers:
        return None, hindrance or "no_signers"
    items = lists.items_of(conn, row.list_id)
    names = {owner.user: owner.name for owner in workspace.owners.by_id.values()}
    shown = BoundQuestion(
        question_id=question.question_id, page=list_path(row.list_id), subject=subject(row, items),
        body=body(row, items, playbook, claims_of(workspace, row, items)), options=OPTIONS, default=HOLD_ALL,
        form=(*fields(playbook.approval.review_points), *(FIELDS if playbook.subject == "account" else ())),
        signers=tuple(AskedUser(s.user_id, names.get(s.user_id, s.user_id)) for s in signers),
        expires_at=row.expires_at,
    )  # fmt: skip
    return shown, None


def _playbook(workspace: Workspace, conn: Connection, row: ListRow) -> tuple[Playbook | None, str | None]:
    """The playbook a list was made under; another one than that, or none, hinders every signature."""
    try:
        loaded = workspace.playbook(row.playbook)
    except (DeclarationError, ConfigurationError):
        return None, "playbook_unreadable"
    if loaded.digest != runs.run_of(conn, row.run_id).playbook_digest:
        return None, "playbook_changed"
    return loaded.playbook, None


def _record(
    workspace: Workspace, conn: Connection, question: QuestionRow, row: ListRow, *, event: object, now: datetime
) -> str:
    asked, about = asked_list(workspace, conn, row), accounts.question_of(conn, question.question_id)
    edit = None if about is None else edit_meant(conn, row, event)
    if edit is not None:
        asked = replace(asked, signing_code=edit.signing_code)
    judged, decision = judge_answer(asked, event, now), None
    if about is not None:
        judged, decision = judge_beside(about, asked, judged, event, today=today_of(workspace, now))
    approves, second = "signed" in judged.verdicts.values(), None
    if edit is not None and approves:
        second, judged = second_list(
            workspace, conn, row, asked.items[0], edit=edit, judged=judged, now=now
        )  # fmt: skip
        decision = decision if second is not None else None
    answer_id = keep_answer(conn, question.question_id, judged, now)
    counts = dict(Counter(judged.verdicts.values()))
    if row.state == "open":
        questions.insert_verdicts(conn, row.list_id, answer_id, judged.verdicts)
        reason = "edited" if second is not None else _reason(judged)
        _close(conn, row, asked.items, judged.verdicts, reason=reason, now=now, state=judged.list_state)
    if about is not None and decision is not None:
        settle_beside(
            workspace, conn, about, decision, signed=approves, answer_id=answer_id,
            actor=judged.responder or "nobody", now=now,
        )  # fmt: skip
    if about is not None and edit is not None and second is not None:
        ask_second(conn, second, edit, about, approved_by=judged.responder or "nobody", now=now)
    audit.write(
        conn, at=now, actor=judged.responder or "nobody", subject=row.list_id,
        action="answer_accepted" if judged.accepted else "answer_refused",
        details={"answer_id": answer_id, "chosen": judged.chosen, "refusal": judged.refusal, "verdicts": counts},
    )  # fmt: skip
    if row.state != "open":
        return f"list {row.list_id} was closed before as {row.state}; this answer is kept and changes nothing"
    if second is not None:
        return f"list {row.list_id} is approved with a change, which is asked of a second approver; nothing is signed"
    told = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
    return f"list {row.list_id} is {judged.list_state}: {told}" + (f" ({judged.refusal})" if judged.refusal else "")


def _reason(judged: Judgement) -> str | None:
    return judged.refusal or judged.reason


def _close(
    conn: Connection, row: ListRow, items: tuple[ListItem, ...], verdicts: Mapping[str, str], *, reason: str | None,
    now: datetime, state: str = "held",
) -> None:  # fmt: skip
    """Close a list, move its touches, and write one measurement event per item."""
    lists.close_list(conn, row.list_id, state, reason, now)
    rules_version = runs.run_of(conn, row.run_id).rules_version
    of = "offer_" if row.kind == "offer" else ""
    measurements.insert_events(
        conn,
        [
            {
                # A customer may be in two lists closed at the same instant, so the id is made of list and touch.
                "event_id": str(uuid5(NAMESPACE_URL, f"approval:{row.list_id}:{item.touch_id}")),
                "run_id": row.run_id, "playbook": row.playbook, "subject": item.customer_id, "kind": "approval",
                "outcome": f"{of}{verdicts[item.touch_id]}",
                "reason": None if verdicts[item.touch_id] == "signed" else reason,
                "occurred_at": now, "rules_version": rules_version,
            }
            for item in items
        ],
    )  # fmt: skip
