"""Who is asked in the quarter, and answers as people do: at once, late, never, with exceptions, with a no.

Every answer goes the way an answer to an Airflow request goes; what it counts, the ledger says. Whoever does not answer
has his request time out. How somebody answers is drawn by what he is asked about, so that a quarter repeats itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

import numpy as np
from sqlalchemy import select
from tests.company import Company

from reactivation.approvals import signing_code
from reactivation.contract.digests import digest
from reactivation.ledger import accounts, lists, questions
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.questions import QuestionRow, RequestId
from reactivation.ledger.tables import replies
from reactivation.steps.answers import RequestRefused, bind_request, questions_to_ask, record_answer
from reactivation.steps.confirming import KIND as CONFIRM_SEND
from reactivation.steps.deciding import DECIDE
from reactivation.steps.deciding import KIND as DECIDE_ACCOUNT
from reactivation.steps.labelling import KIND as LABEL_REPLY
from reactivation.steps.labelling import LABEL
from reactivation.steps.resuming import KIND as RESUME_STOP
from reactivation.steps.resuming import RESUME

USERS = {"own-ada": "ada", "own-ben": "ben", "own-olu": "olu"}
SIGN, HOLD, REJECT = "Sign", "Hold all", "Reject all"
#: How long people take: hours after they were asked, and how many of them. Nobody answers after three days, though a
#: few try.
_WAITS = ((1, 0.58), (5, 0.12), (26, 0.12), (50, 0.07), (80, 0.04))
_LISTS = ((SIGN, 0.93), (HOLD, 0.03), (REJECT, 0.04))
_LEFT_OUT = 0.03
#: What an account's owner decides about it.
_ACCOUNTS = (("approve", 0.62), ("hold_until", 0.10), ("monitor", 0.08), ("no_outreach", 0.06), ("close", 0.06),
             ("", 0.08))  # fmt: skip
_TROUBLED = (("resolve_issue", 0.30), ("approve", 0.15), ("hold_until", 0.20), ("monitor", 0.15), ("close", 0.10),
             ("no_outreach", 0.10))  # fmt: skip


@dataclass(frozen=True)
class _Due:
    at: datetime
    request: RequestId
    question: QuestionRow
    key: str
    #: Nobody answered: the request ran out.
    silent: bool


@dataclass
class People:
    """``labelled``: by customer, when somebody said that a reply of his forbids nothing."""

    company: Company
    seed: int
    waiting: list[_Due] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    labelled: dict[str, list[datetime]] = field(default_factory=dict)

    def asked(self, now: datetime) -> None:
        """One request for every question nobody is asked about, and how its people will take it."""
        workspace = self.company.workspace
        for question_id in questions_to_ask(workspace, now):
            self.company.requests += 1
            request = RequestId("ask_people", f"asset__{self.company.requests}", "ask", 0)
            try:
                bind_request(workspace, request, question_id, now)
            except RequestRefused as refused:
                self.done[f"not asked: {refused.code}"] += 1
                continue
            with workspace.ledger.begin() as conn:
                question = questions.question_of(conn, question_id)
                assert question is not None
                about = None if question.list_id is None else lists.list_of(conn, question.list_id)
                account = accounts.question_of(conn, question_id)
            key = question.subject if about is None else _key(about, account.account_id if account else "", now)
            dice = self._dice("when", key)
            place = int(np.searchsorted(np.cumsum([share for _, share in _WAITS]), dice.random(), side="right"))
            silent = place == len(_WAITS)
            at = question.expires_at if silent else now + timedelta(hours=_WAITS[place][0])
            self.waiting.append(_Due(at, request, question, key, silent))

    def answer(self, until: datetime) -> None:
        """Everything that is answered by an instant, in the order in which it is."""
        due = sorted((one for one in self.waiting if one.at <= until), key=lambda one: (one.at, one.key))
        self.waiting = [one for one in self.waiting if one.at > until]
        for one in due:
            if one.silent:
                self._say(one, {"chosen_options": [HOLD], "params_input": {}, "timedout": True})
            elif one.question.list_id is not None:
                self._list(one, one.question.list_id)
            else:
                self._coded(one)

    # --- lists -------------------------------------------------------------------------------------------------------
    def _list(self, one: _Due, list_id: str) -> None:
        with self.company.workspace.ledger.begin() as conn:
            row, items = lists.list_of(conn, list_id), lists.items_of(conn, list_id)
            account = accounts.question_of(conn, one.question.question_id)
        assert row is not None
        by = USERS["own-olu" if row.kind == "offer" else row.owner_id]
        if account is None:
            option, fields = self._drawn(_LISTS, one.key), {}
        else:
            option, fields = self._about(one, _ACCOUNTS)
        out = self._left_out(row, items) if option == SIGN and account is None else []
        reason = "timing" if out or option != SIGN else ""
        told = self.company.answer(
            one.request, row, items, option, by=by, left_out=out, now=one.at, reason=reason, **fields
        )
        self.done[f"{row.kind}: {option}{' late' if 'expired' in told else ''}"] += 1

    def _left_out(self, row: ListRow, items: Sequence[ListItem]) -> list[str]:
        dice = {
            item.touch_id: self._dice("out", row.playbook, str(row.touch_number), item.customer_id) for item in items
        }
        out = [touch_id for touch_id, one in dice.items() if one.random() < _LEFT_OUT]
        return out if len(out) < len(items) else []

    # --- what is decided with a code ---------------------------------------------------------------------------------
    def _coded(self, one: _Due) -> None:
        kind, fields, by = one.question.kind, {}, "ada"
        option = {RESUME_STOP: RESUME, LABEL_REPLY: LABEL}.get(kind, HOLD)
        if kind == DECIDE_ACCOUNT:
            option, fields, by = DECIDE, self._about(one, _TROUBLED)[1], "ben"
        elif kind == RESUME_STOP:
            fields = {"reason": "checked"}
        elif kind == LABEL_REPLY:
            fields = {"label": self._drawn((("opt_out", 0.5), ("other", 0.5)), one.key)}
        elif kind == CONFIRM_SEND:
            raise AssertionError("an outbox knows what became of its messages")
        code = signing_code(digest([one.question.question_id, one.question.subject]))
        self._say(one, {"chosen_options": [option], "params_input": {"signing_code": code, **fields}, "timedout": False,
                        "responded_by_user": {"id": by, "name": by}})  # fmt: skip
        if fields.get("label") == "other":
            self._let_go(one)

    def _let_go(self, one: _Due) -> None:
        with self.company.workspace.ledger.begin() as conn:
            wanted = select(replies.c.customer_id).where(replies.c.reply_id == one.question.subject)
            self.labelled.setdefault(str(conn.scalar(wanted.where(replies.c.label == "other"))), []).append(one.at)

    def _about(self, one: _Due, shares: Sequence[tuple[str, float]]) -> tuple[str, dict[str, str]]:
        """Option and fields of what an account's owner decides."""
        decision = self._drawn(shares, one.key)
        if decision in ("", "approve"):
            return (HOLD if not decision else SIGN), ({"decision": decision} if decision else {})
        fields = {"decision": decision}
        if decision == "hold_until":
            days = int(self._dice("days", one.key).integers(5, 40))
            fields["until"] = (one.at + timedelta(days=days)).date().isoformat()
        if decision in ("close", "no_outreach", "hold_until"):
            fields["why"] = "timing" if decision == "hold_until" else "no_need"
        return HOLD, fields

    # --- all of them -------------------------------------------------------------------------------------------------
    def _say(self, one: _Due, event: dict[str, object]) -> None:
        told = record_answer(self.company.workspace, one.request, event | {"responded_at": one.at.isoformat()}, one.at)
        what = "silent" if one.silent else "decided" if "not" not in told else "no decision"
        self.done[f"{one.question.kind}: {what}"] += 1

    def _drawn(self, shares: Sequence[tuple[str, float]], key: str) -> str:
        place = int(np.searchsorted(np.cumsum([share for _, share in shares]), self._dice("what", key).random()))
        return shares[min(place, len(shares) - 1)][0]

    def _dice(self, *words: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, crc32("|".join(words).encode())])


def _key(row: ListRow, account_id: str, now: datetime) -> str:
    """What a list is about, whatever its id is."""
    parts = (row.playbook, row.kind, str(row.touch_number), row.segment, row.channel, row.owner_id, row.offer_id or "")
    return "|".join((*parts, account_id, now.date().isoformat()))
