"""Whether an answer agrees to what a question asks for: one that is about no items, and is answered in codes. Pure.

As with a list, nothing that arrives is trusted, nothing raises, and silence agrees to nothing.

Source: ARCHITECTURE.md, A day, 3; the word *question*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reactivation.approvals.reading import read_codes


@dataclass(frozen=True)
class AskedCoded:
    """What is asked: the question as it is now, who may answer, and the code of what the asked was shown."""

    state: str
    expires_at: datetime
    signing_code: str
    signers: frozenset[str]
    authors: frozenset[str]
    hindrance: str | None = None


@dataclass(frozen=True)
class CodedJudgement:
    """What an answer amounts to. ``refusal`` says why it does not count; ``codes`` are its fields, as far as read."""

    refusal: str | None
    responder: str | None
    chosen: str
    form: Mapping[str, Any]
    responded_at: datetime | None
    agreed: bool
    codes: Mapping[str, str]

    @property
    def accepted(self) -> bool:
        """Whether it is a valid answer, whatever it says."""
        return self.refusal is None


def judge_coded(
    asked: AskedCoded, event: object, now: datetime, *, options: Sequence[str], choices: Mapping[str, Sequence[str]]
) -> CodedJudgement:
    """Judge one answer as Airflow hands it over.

    The first of ``options`` agrees, and needs the signing code and a word in every field of ``choices`` (by field, the
    words it may hold, the empty one among them).
    """
    answer = read_codes(event, options, choices)
    who, agrees = answer.responder, answer.chosen == options[0]
    checks = [
        ("unreadable_answer", not answer.readable),
        ("timed_out", answer.timed_out),
        ("no_responder", who is None),
        ("question_closed", asked.state != "open"),
        ("question_expired", now >= asked.expires_at),
        ("not_a_signer", who not in asked.signers),
        ("author_may_not_sign", bool(answer.known_as & asked.authors)),
        ("option_unknown", answer.chosen is None),
    ]
    if agrees:
        checks += [
            (asked.hindrance or "", asked.hindrance is not None),
            ("signing_code_differs", answer.signing_code != asked.signing_code),
            *((f"{name}_missing", not answer.codes[name]) for name in choices),
        ]
    refusal = next((code for code, fails in checks if fails), None)
    return CodedJudgement(
        refusal=refusal, responder=who, chosen=answer.chosen or "unknown", form=answer.as_codes(),
        responded_at=answer.responded_at, agreed=refusal is None and agrees,
        codes={name: code or "" for name, code in answer.codes.items()},
    )  # fmt: skip
