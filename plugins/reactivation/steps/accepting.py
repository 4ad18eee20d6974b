"""Settings that compliance signs: what the tenant accepts as permission beyond evidenced consent, in force while its
file asks for it and for exactly the terms that stand in the rules; and that a provider may really send.

Source: RULES.md, Permission (signed tenant settings); ARCHITECTURE.md, the word *question*, invariant 12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import Connection

from reactivation.approvals import signing_code
from reactivation.approvals.brief import question_path, setting_body, setting_subject
from reactivation.approvals.coded import AskedCoded, judge_coded
from reactivation.approvals.form import HOLD_ALL, SIGN, FormField
from reactivation.approvals.lists import users_behind
from reactivation.contract.digests import digest
from reactivation.ledger import judged, settings
from reactivation.ledger.questions import QuestionRow
from reactivation.playbooks.tenant import Acceptance
from reactivation.policy.rules import Rules, terms_to_sign
from reactivation.steps.coded import Kind, Shown, ask_again, bound, keep, signers_in, write_answer
from reactivation.steps.going_live import live_settings, live_value

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

KIND = "sign_setting"
OPTIONS = (SIGN, HOLD_ALL)

_ACCEPTANCES: tuple[Acceptance, ...] = get_args(Acceptance)
_ROLE = "compliance"
#: Who held it is not asked the same again before so many days.
_ASK_AGAIN = timedelta(days=7)
_FORM = (FormField("signing_code", "Signing code", "At the end of the question's page; needed to sign."),)
#: Why the last run stopped those whom a setting could let through.
_STOPPED_AS = {"flag_only_email": "permission:unverified", "opt_out_email": "permission:basis_not_accepted"}


def rules_in_force(workspace: Workspace, conn: Connection) -> Rules:
    """The rules with what was signed for the tenant. A signature of other terms than today's counts for nothing."""
    found = {name: settings.signed(conn, name) for name in _asked_for(workspace)}
    return replace(workspace.rules, signed={
        name: one.setting_id for name, one in found.items() if one and one.value == terms(workspace, name)
    })  # fmt: skip


def terms(workspace: Workspace, name: Acceptance) -> dict[str, Any]:
    """What a signature is of: the setting, the brand it is for, and its terms in each place."""
    return {"brand": workspace.tenant.brand, "terms": terms_to_sign(workspace.rules.permission, name)}


def value_of(workspace: Workspace, conn: Connection, name: str) -> dict[str, Any]:
    """What a signature of a setting would be of today."""
    for acceptance in _ACCEPTANCES:
        if acceptance == name:
            return terms(workspace, acceptance)
    return live_value(workspace, conn, name)


def is_in_force(workspace: Workspace, conn: Connection, name: str) -> bool:
    """Whether a setting is asked for, and signed as it stands."""
    found = settings.signed(conn, name)
    return name in _wanted(workspace) and found is not None and found.value == value_of(workspace, conn, name)


def ask_to_accept(workspace: Workspace, conn: Connection, now: datetime) -> list[str]:
    """Open a question for each setting that is asked for and not in force; the ids of those opened."""
    return [
        question_id for name in _wanted(workspace) if not is_in_force(workspace, conn, name)
        for question_id in ask_again(
            conn, KIND, name, signers=signers_in(workspace, _ROLE) - _authors(workspace, name), word="setting",
            actor="open_lists", now=now, again_after=_ASK_AGAIN,
        )
    ]  # fmt: skip


def asked_setting(workspace: Workspace, conn: Connection, question: QuestionRow) -> AskedCoded:
    """The question as its answers are judged, and as its page shows it."""
    name = question.subject
    value = value_of(workspace, conn, name)
    wanted = name not in _ACCEPTANCES or name in _asked_for(workspace)
    return AskedCoded(
        state=question.state, expires_at=question.expires_at, hindrance=None if wanted else "not_asked_for",
        signing_code=signing_code(digest([question.question_id, name, value])),
        signers=signers_in(workspace, _ROLE), authors=_authors(workspace, name),
    )  # fmt: skip


def stopped_by_it(workspace: Workspace, conn: Connection, name: str) -> Mapping[str, int]:
    """By playbook, how many candidates its last run stopped for want of what the setting accepts, at most."""
    found: Counter[str] = Counter()
    for loaded in workspace.all_playbooks():
        playbook = loaded.playbook.playbook
        found[playbook] = judged.decided_for(conn, playbook, _STOPPED_AS[name])
    return dict(found)


def _show(workspace: Workspace, conn: Connection, question: QuestionRow) -> Shown:
    asked = asked_setting(workspace, conn, question)
    allowed = asked.signers - asked.authors
    if asked.hindrance or not allowed:
        return None, asked.hindrance or "no_signers"
    name, value = question.subject, value_of(workspace, conn, question.subject)
    shown = bound(
        workspace, question, page=question_path(question.question_id), subject=setting_subject(name),
        body=setting_body(question.question_id, name, value, question.expires_at), options=OPTIONS,
        form=_FORM, signers=allowed,
    )  # fmt: skip
    return shown, None


def _record(workspace: Workspace, conn: Connection, question: QuestionRow, event: object, now: datetime) -> str:
    name = question.subject
    judged_ = judge_coded(asked_setting(workspace, conn, question), event, now, options=OPTIONS, choices={})
    answer_id = keep(conn, question, judged_, now)
    value = value_of(workspace, conn, name)
    setting_id = None
    if judged_.agreed:
        setting_id = settings.insert_setting(conn, name=name, value=value, answer_id=answer_id, now=now)
    write_answer(
        conn, question, judged_, answer_id, now,
        action="setting_signed" if setting_id else None,
        setting_id=setting_id, value=value if setting_id else None,
    )  # fmt: skip
    if setting_id is None:
        return f"setting {name} is not signed" + (f" ({judged_.refusal})" if judged_.refusal else "")
    return f"setting {name} is signed: {setting_id}"


#: The kind ``sign_setting``.
ACCEPTING = Kind(_show, _record)


def _asked_for(workspace: Workspace) -> tuple[Acceptance, ...]:
    accept = workspace.tenant.accept
    return () if accept is None else accept.settings


def _wanted(workspace: Workspace) -> tuple[str, ...]:
    return (*_asked_for(workspace), *live_settings(workspace))


def _authors(workspace: Workspace, name: str) -> frozenset[str]:
    """Who asks for it in the tenant's file, and so cannot sign it."""
    accept = workspace.tenant.accept
    asks = {accept.authored_by} if accept is not None and name in _ACCEPTANCES else set[str]()
    return frozenset(users_behind(asks, workspace.owners))
