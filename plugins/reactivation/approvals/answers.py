"""Whether an answer is a signature. Pure: the frozen list and the answer in, one verdict per item out.

Nothing that arrives here is trusted: Airflow does not check a form's values, so any field may be missing, of another
type, or anything at all. Whatever is not a complete and valid answer means *held* and carries the code of why;
nothing raises. Silence (a timed-out request) is never a yes.

Source: ARCHITECTURE.md, A day, 3; RULES.md, Approval; seed document 000 (human review point).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from reactivation.approvals.form import CONCERN, HOLD_ALL, OK, REASONS, REJECT_ALL, SIGN
from reactivation.approvals.reading import Answer, read_answer
from reactivation.ledger.lists import ListItem

Verdict = Literal["signed", "held", "rejected"]


@dataclass(frozen=True)
class AskedList:
    """A list as it was frozen, and what each user had on the screen. ``views``: touch ids by user id.

    ``hindrance`` is a code when nothing on the list can be signed any more, for instance ``playbook_changed``;
    ``paused`` is one while nothing can be signed, and the list can still be rejected.
    """

    list_id: str
    state: str
    expires_at: datetime
    signing_code: str
    signers: frozenset[str]
    authors: frozenset[str]
    items: tuple[ListItem, ...]
    review_points: tuple[str, ...]
    sample_size: int
    views: Mapping[str, frozenset[str]]
    hindrance: str | None = None
    paused: str | None = None

    @property
    def sample_needed(self) -> int:
        """How many group items a signer must have looked at."""
        return min(self.sample_size, sum(not item.individual for item in self.items))

    def viewed_group_items(self, user_id: str) -> int:
        """How many group items this user had on the screen."""
        seen = self.views.get(user_id, frozenset())
        return sum(item.touch_id in seen for item in self.items if not item.individual)


@dataclass(frozen=True)
class Judgement:
    """What an answer amounts to. ``refusal`` says why it does not count; ``verdicts`` has every item of the list."""

    accepted: bool
    refusal: str | None
    responder: str | None
    chosen: str
    form: Mapping[str, Any]
    responded_at: datetime | None
    verdicts: Mapping[str, Verdict]

    @property
    def reason(self) -> str | None:
        """The code given in the form, if it is a known one."""
        reason = self.form.get("reason")
        return reason if reason in REASONS else None

    @property
    def list_state(self) -> Verdict:
        """What becomes of the list: signed as soon as one item is."""
        for state in ("signed", "rejected"):
            if state in self.verdicts.values():
                return state
        return "held"


def judge_answer(asked: AskedList, event: object, now: datetime) -> Judgement:
    """Judge one answer as Airflow hands it over (``chosen_options``, ``params_input``, ``responded_by_user`` …)."""
    answer = read_answer(event, asked.items, asked.review_points)
    refusal = _refusal(asked, answer, now)
    verdicts: dict[str, Verdict] = {item.touch_id: "held" for item in asked.items}
    if refusal is None and answer.chosen == REJECT_ALL:
        verdicts = {item.touch_id: "rejected" for item in asked.items}
    elif refusal is None and answer.chosen == SIGN:
        seen = asked.views.get(answer.responder or "", frozenset())
        for item in asked.items:
            agreed = not item.individual or (item.touch_id in answer.individual.touch_ids and item.touch_id in seen)
            if agreed and item.touch_id not in answer.left_out.touch_ids:
                verdicts[item.touch_id] = "signed"
    return Judgement(
        accepted=refusal is None, refusal=refusal, responder=answer.responder, chosen=answer.chosen or "unknown",
        form=answer.as_codes(asked.items), responded_at=answer.responded_at, verdicts=verdicts,
    )  # fmt: skip


def _refusal(asked: AskedList, answer: Answer, now: datetime) -> str | None:
    """Why the answer does not count; the first reason found."""
    who = answer.responder
    checks = [
        ("unreadable_answer", not answer.readable),
        ("timed_out", answer.timed_out),
        ("no_responder", who is None),
        ("list_closed", asked.state != "open"),
        ("list_expired", now >= asked.expires_at),
        ("not_a_signer", who not in asked.signers),
        ("author_may_not_sign", bool(answer.known_as & asked.authors)),
        ("option_unknown", answer.chosen is None),
    ]
    if answer.chosen != HOLD_ALL:
        checks += [
            (asked.hindrance or "", asked.hindrance is not None),
            ("signing_code_differs", answer.signing_code != asked.signing_code),
            ("reason_unknown", answer.reason is None),
        ]
    if answer.chosen == SIGN:
        points = answer.points.values()
        checks += [
            (asked.paused or "", asked.paused is not None),
            ("review_point_concern", CONCERN in points),
            ("review_point_open", not points or any(value != OK for value in points)),
            ("left_out_unknown", answer.left_out.unknown > 0),
            ("individual_unknown", answer.individual.unknown > 0),
            ("sample_not_viewed", asked.viewed_group_items(who or "") < asked.sample_needed),
        ]
    return next((code for code, fails in checks if fails), None)
