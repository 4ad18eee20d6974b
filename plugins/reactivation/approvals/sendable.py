"""The one proof that a message may go out: its very bytes were signed, by somebody allowed to, for this moment.

``SendableTouch`` cannot be made anywhere else, so whoever holds one holds the proof. It is read from the ledger alone;
task state, XCom and form values prove nothing. Everything missing is a *no* with a code.

Source: ARCHITECTURE.md, invariants 1 and 2; RULES.md, Approval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reactivation.contract.digests import item_digest
from reactivation.ledger.questions import SignatureRow, TouchRow, signed_of
from reactivation.ledger.together import Asking, Rows, answer

_MAKER = object()


@dataclass(frozen=True)
class SendableTouch:
    """The signed bytes of one touch and the signatures that cover them. Only ``sendable`` makes one; personal fields
    stay out of ``repr``. ``headers`` are (name, value) pairs in the order they were signed."""

    made_by: InitVar[object]
    touch_id: str
    customer_id: str
    channel: str
    sender: str
    recipient: str = field(repr=False)
    subject: str | None = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    address_key: str
    offer_id: str | None
    not_before: datetime
    not_after: datetime
    draft_digest: str
    answer_ids: tuple[str, ...]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MAKER:
            raise TypeError("a SendableTouch is made by approvals.sendable alone: ask it with the draft and the ledger")


@dataclass(frozen=True)
class NotSendable:
    """Why a draft may not go out, as a code."""

    touch_id: str
    reason: str


def sendable(
    conn: Connection, drafts: Sequence[Mapping[str, Any]], now: datetime
) -> list[SendableTouch | NotSendable]:  # fmt: skip
    """For each row of ``drafts.parquet`` the proof at this moment, or the reason there is none."""
    return answer(conn, proofs(drafts, now))


def proofs(drafts: Sequence[Mapping[str, Any]], now: datetime) -> Asking[list[SendableTouch | NotSendable]]:
    """The same, to be asked with other questions.

    The digest is computed anew from the row, so a row whose bytes differ from what was signed proves nothing.
    """
    digests = {str(draft["touch_id"]): item_digest(draft) for draft in drafts}
    asking = signed_of(digests)

    def read(found: list[Rows]) -> list[SendableTouch | NotSendable]:
        known, signed = asking.read(found)
        return [
            _proof(draft, digests[touch_id], known.get(touch_id), signed[touch_id], now)
            for draft in drafts
            for touch_id in [str(draft["touch_id"])]
        ]

    return Asking(asking.questions, read)


def _proof(
    draft: Mapping[str, Any], digest: str, touch: TouchRow | None, signed: Sequence[SignatureRow], now: datetime
) -> SendableTouch | NotSendable:  # fmt: skip
    if touch is None:
        return NotSendable(str(draft["touch_id"]), "touch_unknown")
    content = [s for s in signed if s.kind == "content" and s.channel == draft["channel"]]
    needs_offer = any(v is not None for v in (touch.offer_id, draft["offer_id"], draft["offer_terms"], draft["code"]))
    offer = [s for s in signed if s.kind == "offer" and (s.offer_id, s.offer_terms) == _terms(draft)]
    refusal = _refusal(draft, touch, now) or _unsigned("content", content)
    if refusal is None and needs_offer:
        refusal = _unsigned("offer", offer)
    if refusal is not None:
        return NotSendable(touch.touch_id, refusal)
    signatures = content + offer if needs_offer else content
    return SendableTouch(
        made_by=_MAKER, touch_id=touch.touch_id, customer_id=touch.customer_id, channel=draft["channel"],
        sender=draft["sender"], recipient=draft["recipient"], subject=draft["subject"], text=draft["text"],
        html=draft["html"], headers=tuple((h["name"], h["value"]) for h in draft["headers"] or ()),
        address_key=draft["address_key"], offer_id=draft["offer_id"], not_before=draft["not_before"],
        not_after=draft["not_after"], draft_digest=digest,
        answer_ids=tuple(sorted({s.answer_id for s in signatures if _allowed(s)})),
    )  # fmt: skip


def _refusal(draft: Mapping[str, Any], touch: TouchRow, now: datetime) -> str | None:
    """What keeps the touch itself from going out now, signatures aside."""
    checks = [
        ("touch_not_signed", touch.state not in ("signed", "claimed")),
        ("draft_of_another_person", draft["address_key"] != touch.address_key),
        ("channel_differs", draft["channel"] != touch.channel),
        ("offer_differs", draft["offer_id"] != touch.offer_id),
        ("too_early", now < draft["not_before"]),
        ("too_late", now >= draft["not_after"]),
    ]
    return next((code for code, fails in checks if fails), None)


def _unsigned(kind: str, signatures: list[SignatureRow]) -> str | None:
    if not signatures:
        return f"{kind}_not_signed"
    return None if any(_allowed(s) for s in signatures) else f"{kind}_signer_not_allowed"


def _allowed(signature: SignatureRow) -> bool:
    """The answer was accepted, and its responder is a frozen signer of the list and none of its authors."""
    return signature.accepted and signature.is_signer and signature.responder not in signature.authors


def _terms(draft: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return draft["offer_id"], draft["offer_terms"]
