"""What a named person signs: frozen lists, the judgement of answers, and the proof that a message may go out."""

from reactivation.approvals.answers import AskedList, Judgement, judge_answer
from reactivation.approvals.lists import ListToSign, NotOpened, content_lists, nobody_signs, offer_lists, signing_code
from reactivation.approvals.sendable import NotSendable, SendableTouch, proofs, sendable

__all__ = [
    "AskedList",
    "Judgement",
    "ListToSign",
    "NotOpened",
    "NotSendable",
    "SendableTouch",
    "content_lists",
    "judge_answer",
    "nobody_signs",
    "offer_lists",
    "proofs",
    "sendable",
    "signing_code",
]
