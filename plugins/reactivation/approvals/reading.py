"""Reading an answer nobody checked: what is understood becomes codes, item numbers and ids, the rest is set aside.

Airflow hands on whatever was posted: any field may be missing, of another type, or anything at all. Nothing here
raises, and nothing somebody typed leaves here as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reactivation.approvals.form import OPTIONS, POINT_ANSWERS, REASONS, point_field
from reactivation.ledger.lists import ListItem

_ID_LENGTH = 80
_TEXT_LENGTH = 20_000
_CODE = re.compile(r"[0-9a-f]{8}")
_SEPARATORS = re.compile(r"[\s,;]+")
_NOBODY = ("none", "-")


@dataclass(frozen=True)
class Named:
    """The items a field names, and how many of its words name none."""

    touch_ids: frozenset[str] = frozenset()
    unknown: int = 0


@dataclass(frozen=True)
class Answer:
    """An answer with everything unreadable already set aside; ``None`` stands for what was not understood.

    ``known_as``: the id and the name of who answered. Airflow tells who triggered a run by the name alone, which is
    not the id wherever an auth manager counts its users.
    """

    readable: bool = False
    timed_out: bool = False
    responder: str | None = None
    known_as: frozenset[str] = frozenset()
    chosen: str | None = None
    responded_at: datetime | None = None
    signing_code: str | None = None
    reason: str | None = None
    left_out: Named = Named()
    individual: Named = Named()
    points: Mapping[str, str | None] = field(default_factory=dict)

    def as_codes(self, items: Sequence[ListItem]) -> dict[str, Any]:
        """What is kept of the form: codes, item numbers and counts, never what somebody typed."""

        def numbers(named: Named) -> list[int]:
            return [i.position for i in items if i.touch_id in named.touch_ids]

        return {
            "signing_code": "unknown" if self.signing_code is None else self.signing_code,
            "reason": "unknown" if self.reason is None else self.reason,
            "left_out": numbers(self.left_out), "left_out_unknown": self.left_out.unknown,
            "individual": numbers(self.individual), "individual_unknown": self.individual.unknown,
            "points": {point: "unknown" if value is None else value for point, value in self.points.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class CodedAnswer:
    """An answer to a question about no items: who (``known_as`` as of ``Answer``), which option, the signing code, and
    a code per field."""

    readable: bool
    timed_out: bool
    responder: str | None
    known_as: frozenset[str]
    chosen: str | None
    responded_at: datetime | None
    signing_code: str | None
    codes: Mapping[str, str | None]

    def as_codes(self) -> dict[str, Any]:
        """What is kept of the form: codes, never what somebody typed."""
        known = {"signing_code": self.signing_code, **self.codes}
        return {name: "unknown" if value is None else value for name, value in known.items()}


def read_codes(event: object, options: Sequence[str], choices: Mapping[str, Sequence[str]]) -> CodedAnswer:
    """The answer in an event as Airflow gives it, to a form with a signing code and fields of these codes."""
    given: Mapping[Any, Any] = event if isinstance(event, Mapping) else {}
    form = given.get("params_input")
    values: Mapping[Any, Any] = form if isinstance(form, Mapping) else {}
    return CodedAnswer(
        readable=isinstance(event, Mapping),
        timed_out=_timed_out(given),
        responder=_responder(given),
        known_as=_known_as(given),
        chosen=_chosen(given.get("chosen_options"), options),
        responded_at=_instant(given.get("responded_at")),
        signing_code=_signing_code(values.get("signing_code")),
        codes={name: _code(values.get(name), known) for name, known in choices.items()},
    )


def read_answer(event: object, items: Sequence[ListItem], review_points: Sequence[str]) -> Answer:
    """The answer in an event as Airflow gives it to ``execute_complete``."""
    if not isinstance(event, Mapping):
        return Answer()
    form = event.get("params_input")
    values: Mapping[Any, Any] = form if isinstance(form, Mapping) else {}
    return Answer(
        readable=True,
        timed_out=_timed_out(event),
        responder=_responder(event),
        known_as=_known_as(event),
        chosen=_chosen(event.get("chosen_options"), OPTIONS),
        responded_at=_instant(event.get("responded_at")),
        signing_code=_signing_code(values.get("signing_code")),
        reason=_code(values.get("reason"), ("", *REASONS)),
        left_out=_named(values.get("left_out"), items, only_one=False),
        individual=_named(values.get("individual"), items, only_one=True),
        points={point: _code(values.get(point_field(point)), POINT_ANSWERS) for point in review_points},
    )


def _timed_out(event: Mapping[Any, Any]) -> bool:
    return event.get("timedout") is not False and event.get("timedout") is not None


def _responder(event: Mapping[Any, Any]) -> str | None:
    """The id of who answered; ``None`` also without a name, since nobody could tell who triggered what."""
    user = event.get("responded_by_user")
    if not isinstance(user, Mapping) or _user_id(user.get("name")) is None:
        return None
    return _user_id(user.get("id"))


def _known_as(event: Mapping[Any, Any]) -> frozenset[str]:
    user = event.get("responded_by_user")
    named = [_user_id(user.get(part)) for part in ("id", "name")] if isinstance(user, Mapping) else []
    return frozenset(one for one in named if one is not None)


def _user_id(value: object) -> str | None:
    """An auth manager's id: text, or a whole number for those that count their users."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18 else value
    return text if isinstance(text, str) and 0 < len(text) <= _ID_LENGTH and text.isprintable() else None


def _chosen(value: object, options: Sequence[str]) -> str | None:
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and len(value) == 1:
        return _one_of(value[0], options)
    return None


def _one_of(value: object, known: Sequence[str]) -> str | None:
    return value if isinstance(value, str) and value in known else None


def _code(value: object, known: Sequence[str]) -> str | None:
    """One of the codes of a field; a field that was cleared arrives as nothing at all."""
    return _one_of("" if value is None else value, known)


def _signing_code(value: object) -> str | None:
    """The code as typed, forgiving about case, spaces and hyphens; ``None`` when it is none."""
    if not isinstance(value, str) or len(value) > _ID_LENGTH:
        return None
    typed = re.sub(r"[\s-]", "", value).lower()
    return typed if _CODE.fullmatch(typed) else None


def _named(value: object, items: Sequence[ListItem], *, only_one: bool) -> Named:
    """The items named by number, customer id or touch id. A word that could mean two items names both, or, with
    ``only_one``, none."""
    words = _words(value)
    if words is None:
        return Named(unknown=1)
    if len(words) == 1 and words[0].lower() in _NOBODY and words[0] not in {item.customer_id for item in items}:
        return Named()
    by_name: dict[str, set[str]] = {}
    for item in items:
        for name in (str(item.position), item.customer_id, item.touch_id):
            by_name.setdefault(name, set()).add(item.touch_id)
    found: set[str] = set()
    unknown = 0
    for word in words:
        meant = by_name.get(word, set())
        if len(meant) == 1 or (meant and not only_one):
            found |= meant
        else:
            unknown += 1
    return Named(frozenset(found), unknown)


def _words(value: object) -> list[str] | None:
    """The words of a text, or of a list of texts and numbers; ``None`` when it is neither."""
    if value is None:
        return []
    texts = []
    for part in value if isinstance(value, (list, tuple)) else [value]:
        text = str(part) if isinstance(part, int) and not isinstance(part, bool) and abs(part) < 10**9 else part
        if not isinstance(text, str):
            return None
        texts.append(text)
    if sum(map(len, texts)) > _TEXT_LENGTH:
        return None
    return [word for text in texts for word in _SEPARATORS.split(text) if word]


def _instant(value: object) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else value
        return parsed.astimezone(UTC) if isinstance(parsed, datetime) and parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
