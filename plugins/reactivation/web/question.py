"""The page of a question about no list and no run: what is asked, what speaks for and against it, and what came of it.

Codes and counts only, so whoever may read the pages may see it; the signing code, and the words of a reply, are for
those alone who may sign.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from reactivation.approvals.brief import SETTINGS
from reactivation.approvals.coded import AskedCoded
from reactivation.ledger import accounts, audit, mail, pauses, questions, settings
from reactivation.ledger.accounts import AccountQuestion
from reactivation.ledger.questions import QuestionRow, RequestId
from reactivation.steps import accepting, confirming, deciding, deliverability, labelling, resuming
from reactivation.steps.account_brief import brief_of
from reactivation.steps.workspace import Workspace
from reactivation.web import happened, pausing
from reactivation.web.auth import Visitor
from reactivation.web.happened import Happened
from reactivation.web.reasons import apart, words
from reactivation.web.rendering import moment

_SHOWN = timedelta(days=14)
_TITLES = {"flag_only_email": "A flag as consent to e-mail", "opt_out_email": "E-mail under an opt-out regime",
           "live_email": "E-mail goes live", "live_sms": "Text messages go live"}  # fmt: skip
#: What the counts behind a pause are of: a comparison, or harm.
_PAUSED = {
    True: "People whose time to come back is over, by how they were split; each batch until it was paused. Once "
    "resumed, the variant is compared anew.",
    False: "Messages sent, and the people who reacted so to one. Once resumed, they are counted anew.",
}


class NoSuchQuestion(LookupError):
    """There is no question of that id that has a page here."""


@dataclass(frozen=True)
class Shown:
    """A table of texts beneath a heading and a hint; ``empty`` stands where it has no rows."""

    title: str
    hint: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str = ""


@dataclass(frozen=True)
class About:
    """What a question is about, in words: ``state`` now, which is ``well`` or not, the option that agrees, what a
    closed question means, and who answers it."""

    eyebrow: str
    state: str
    well: bool
    title: str
    means: str
    facts: Mapping[str, str]
    tables: Sequence[Shown]
    agrees: str
    closed: str
    answered_by: str
    hindered: str


@dataclass(frozen=True)
class QuestionPage:
    """Everything the page shows. ``code`` is there only for whoever may sign it now; ``hindrance`` says why nobody
    can. ``said``: the words of a reply, for the same eyes only, and audited."""

    visitor: Visitor
    question: QuestionRow
    about: About
    said: str | None
    is_open: bool
    may_sign: bool
    hindrance: str | None
    code: str | None
    request: RequestId | None
    happened: Sequence[Happened]


def question_page(workspace: Workspace, question_id: str, visitor: Visitor, now: datetime) -> QuestionPage:
    """The page for one visitor. Raises ``NoSuchQuestion``."""
    with workspace.ledger.begin() as conn:
        question = questions.question_of(conn, question_id)
        if question is None or question.kind not in _PAGES:
            raise NoSuchQuestion(question_id)
        asked, about = _PAGES[question.kind](workspace, conn, question, now)
        is_open = question.state == "open" and now < question.expires_at
        may_sign = visitor.user_id in asked.signers and not visitor.is_one_of(asked.authors)
        answers_now = is_open and may_sign and asked.hindrance is None
        if answers_now and question.kind == deciding.KIND:
            who, read = visitor.user_id, question.subject
            audit.write(conn, at=now, actor=who, action="account_read", subject=read, details={})
        if question.kind == deciding.KIND:
            about = _with_brief(workspace, conn, question, about, personal=answers_now)
        return QuestionPage(
            visitor=visitor, question=question, about=about, is_open=is_open, may_sign=may_sign,
            said=_said(conn, question, visitor, now) if answers_now else None, hindrance=asked.hindrance,
            code=asked.signing_code if answers_now else None,
            request=questions.request_of(conn, question_id), happened=happened.of_question(conn, question.subject),
        )  # fmt: skip


def _setting(workspace: Workspace, conn: Connection, question: QuestionRow, _: datetime) -> tuple[AskedCoded, About]:
    name = question.subject
    value, last = accepting.value_of(workspace, conn, name), settings.signed(conn, name)
    in_force = last is not None and last.value == value
    if "terms" in value:
        facts, tables = {"Brand": value["brand"]}, _terms(workspace, conn, name, value)
    else:
        facts = {"Environment": value["environment"], "Ledger": str(value["ledger_id"]), "Sender": value["sender"]}
        tables = []
    if last is not None:
        facts["Last signed"] = f"{last.signed_by}, {moment(last.signed_at)}"
    asked = accepting.asked_setting(workspace, conn, question)
    in_force &= asked.hindrance is None
    return asked, About(
        eyebrow="A setting to sign", state="in force" if in_force else "not in force", well=in_force,
        title=_TITLES[name], means=SETTINGS[name], facts=facts, tables=tables,
        agrees=accepting.OPTIONS[0], closed="The next run asks again, a week after it was asked.",
        answered_by="Compliance", hindered="The configuration no longer asks for this setting, so it cannot be signed.",
    )  # fmt: skip


def _terms(workspace: Workspace, conn: Connection, name: str, value: Mapping[str, Any]) -> list[Shown]:
    terms = [
        (law.upper(), ", ".join(one["countries"]), f"{one['months']} months" if one["months"] else "without end",
         words(one["counted_from"]), ", ".join(map(words, one["conditions"])) or "nothing")
        for law, one in value["terms"].items()
    ]  # fmt: skip
    stopped = accepting.stopped_by_it(workspace, conn, name)
    return [
        Shown("The terms", "A signature is of exactly these. When the rules change, it counts for nothing and is "
              "asked for again. It is never enough for a text message, and a no of the customer beats it.",
              ("Law", "Countries", "Holds", "Counted from", "Must be on record besides"), terms,
              "The rules name no place where it would count: signing it would change nothing."),
        Shown("Whom it would concern", "Candidates whom the last run of each playbook stopped for want of it, at "
              "most: every other rule still has to let them pass.", ("Playbook", "Candidates"),
              [(words(playbook), f"{count:,}") for playbook, count in stopped.items()]),
    ]  # fmt: skip


def _stop(workspace: Workspace, conn: Connection, question: QuestionRow, now: datetime) -> tuple[AskedCoded, About]:
    asked, stop = resuming.asked_stop(workspace, conn, question, now), resuming.standing_stop(conn, question, now)
    pause = pauses.of_stop(conn, question.subject)
    facts = {} if stop is None else {
        "Stopped": apart(stop.scope), "Because of": apart(stop.reason), "Since": moment(stop.since), "By": stop.actor,
    }  # fmt: skip
    tables = _mail(conn, now) if stop and stop.scope == deliverability.SCOPE else []
    if pause is not None:
        facts |= pausing.facts(pause)
        tables = [Shown("What the monitor saw", _PAUSED[pause.because == "worse"], pausing.columns(pause),
                        pausing.rows(pause))]  # fmt: skip
    return asked, About(
        eyebrow="A stop to end", state="stands" if stop else "ended", well=stop is None,
        title=pausing.title(stop, pause) if stop else "The stop has ended",
        means="While it stands, nothing in its scope is sent. What is past its window by then is not sent at all.",
        facts=facts, tables=tables, agrees=resuming.RESUME, closed="You are asked again a day after you were asked.",
        answered_by="A marketing owner" if pause is None else "An owner of what is paused",
        hindered="The stop has ended already.",
    )  # fmt: skip


def _send(workspace: Workspace, conn: Connection, question: QuestionRow, _: datetime) -> tuple[AskedCoded, About]:
    send = confirming.unknown_send(conn, question)
    facts = {"Send": question.subject} | ({} if send is None else {
        "Touch": send.touch_id, "Provider": send.provider, "Channel": send.channel,
        "Called": moment(send.called_at or send.intended_at),
    })  # fmt: skip
    return confirming.asked_send(workspace, conn, question), About(
        eyebrow="A send of unknown outcome", state="unknown" if send else "settled", well=send is None,
        title="Was it sent?", means="The provider was called and did not say what became of the message. It is not "
        "sent again unless you say that it was not sent.",
        facts=facts, tables=[], agrees=confirming.CONFIRM, closed="You are asked again a day after you were asked.",
        answered_by="A marketing owner", hindered="What became of it is known by now.",
    )  # fmt: skip


def _reply(workspace: Workspace, conn: Connection, question: QuestionRow, _: datetime) -> tuple[AskedCoded, About]:
    reply = labelling.open_reply(conn, question)
    facts = {"Reply": question.subject} | ({} if reply is None else {
        "Customer": reply.customer_id or "unknown", "Channel": reply.channel, "Said": moment(reply.occurred_at),
    })  # fmt: skip
    gone = [Shown("The words", "", (), (), "The words are no longer kept. Without them it is an opt-out.")]
    return labelling.asked_reply(workspace, conn, question), About(
        eyebrow="A reply nobody recognised", state="holds" if reply else "labelled", well=reply is None,
        title="What does it say?", means="Nothing is sent to whoever wrote it until it has a label. An opt-out or a "
        "complaint keeps it so for ever; anything else ends the hold and permits nothing.",
        facts=facts, tables=gone if reply is not None and reply.words is None else [], agrees=labelling.LABEL,
        closed="You are asked again a day after you were asked.", answered_by="A marketing owner",
        hindered="It has a label already.",
    )  # fmt: skip


def _account(workspace: Workspace, conn: Connection, question: QuestionRow, _: datetime) -> tuple[AskedCoded, About]:
    return deciding.asked_account(workspace, conn, question), About(
        eyebrow="An account to decide", state="open" if question.state == "open" else "decided",
        well=question.state != "open", title=f"What becomes of account {question.subject}?",
        means="Nothing is written to it before its owner decides. No answer leaves it as it is, and asks again.",
        facts={"Account": question.subject}, tables=(), agrees=deciding.DECIDE,
        closed="Its owner is asked again where it is still needed.",
        answered_by="The owner of the account, or the one who stands in for him,",
        hindered="Nothing is on record of what was asked.",
    )  # fmt: skip


def _with_brief(
    workspace: Workspace, conn: Connection, question: QuestionRow, about: About, *, personal: bool
) -> About:
    """With the review brief of the account; names and notes stand in it for whoever decides the account now."""
    asked_about = accounts.question_of(conn, question.question_id)
    if asked_about is None:
        return about
    tables, facts = brief_tables(workspace, conn, asked_about, personal=personal)
    return replace(about, tables=tables, facts=facts)


def brief_tables(
    workspace: Workspace, conn: Connection, about: AccountQuestion, *, personal: bool
) -> tuple[list[Shown], dict[str, str]]:
    """The review brief of an account as tables, and what stands above them."""
    brief = brief_of(workspace, conn, about.playbook, about.account_id, run_id=about.run_id, personal=personal)
    tables = [Shown(part.title, "", part.columns, part.rows, "Nothing on record.") for part in brief.parts]
    facts = {
        "Account": brief.account_id, "Recommended": brief.recommendation, "Path": words(brief.path),
        "As of": moment(brief.as_of),
    }  # fmt: skip
    return tables, facts


def _said(conn: Connection, question: QuestionRow, visitor: Visitor, now: datetime) -> str | None:
    reply = labelling.open_reply(conn, question) if question.kind == labelling.KIND else None
    if reply is None or reply.words is None:
        return None
    audit.write(conn, at=now, actor=visitor.user_id, action="reply_read", subject=reply.reply_id, details={})
    return reply.words or "(a text without words)"


def _mail(conn: Connection, now: datetime) -> list[Shown]:
    days = [
        (f"{one.day:%a %d %b}", *map(_count, (one.sent, one.delivered, one.complaints, one.hard_bounces)))
        for one in reversed(mail.days(conn, now - _SHOWN))
    ]
    return [
        Shown("What our e-mail did", "By day of UTC, the last one first: what the rules of deliverability judge by.",
              ("Day", "Sent", "Delivered", "Complaints", "Bounces"), days, "Nothing was sent in the last two weeks.")
    ]  # fmt: skip


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


_PAGES: Mapping[str, Callable[[Workspace, Connection, QuestionRow, datetime], tuple[AskedCoded, About]]] = {
    accepting.KIND: _setting, resuming.KIND: _stop, confirming.KIND: _send, labelling.KIND: _reply,
    deciding.KIND: _account,
}  # fmt: skip
