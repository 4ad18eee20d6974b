"""Whether the variants a playbook declares can be told apart and compared, and its messages told from them. Pure:
variants in, one ``ValueError`` out.

Source: METHODS.md section 3 (variants); PLAYBOOKS.md (variants: subject, template, offer level).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reactivation.playbooks.touches import Message, Touch, Variant, VariantTouch

#: What the ledger calls a variant that is stopped, in all segments or in one; the ledger keeps eighty characters.
SCOPE, _LONGEST = "variant:", 80


def scope_of(playbook: str, variant: str | None, segment: str | None) -> str:
    """What is stopped, in one word: a playbook, a variant of it, or one segment of a variant."""
    if variant is None:
        return f"playbook:{playbook}"
    return f"{SCOPE}{playbook}/{variant}" + (f"/{segment}" if segment is not None else "")


def part_of(scope: str) -> tuple[str, str | None]:
    """The variant, and the segment of it if any, that a scope of a variant names."""
    _, variant, *segment = scope.removeprefix(SCOPE).split("/", 2)
    return variant, segment[0] if segment else None


def comparable(variants: Sequence[Variant], of: Mapping[str, Any]) -> None:
    """Raises ``ValueError`` with every problem. ``of``: the playbook's other fields, as far as they hold."""
    problems = [*_together(variants, of), *_each(variants, of)]
    if problems:
        raise ValueError("; ".join(problems))


def differing(messages: Sequence[Message], of: Mapping[str, Any]) -> None:
    """The same of messages that are given by rule, which are compared with nothing."""
    names = [one.message for one in messages] + [one.variant for one in of.get("variants", ())]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [f"{', '.join(twice)} stands twice among variants and messages"] if twice else []
    for one in messages:
        problems += _of_touches(one.message, one.touches, of)
    if problems:
        raise ValueError("; ".join(problems))


def _together(variants: Sequence[Variant], of: Mapping[str, Any]) -> Iterator[str]:
    names = [one.variant for one in variants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield f"{', '.join(twice)} stands here twice"
    controls = [one.variant for one in variants if not one.touches]
    if len(controls) != 1:
        found = f"found {', '.join(controls)}" if controls else "found none"
        yield f"exactly one variant changes nothing, and is the control; {found}"
    if len(variants) < 2:
        yield "one variant alone is compared with nothing; declare a second, or none"
    total = math.fsum(one.share for one in variants)
    if not math.isclose(total, 1, abs_tol=1e-9):
        yield f"the shares must sum to 1, found {total:g}"
    longest = max(of.get("windows", {}), key=len, default="")
    for name in names:
        scope = scope_of(of.get("playbook", ""), name, longest)
        if len(scope) > _LONGEST:
            yield f"{scope} is longer than {_LONGEST} characters; shorten the name of the variant"


def _each(variants: Sequence[Variant], of: Mapping[str, Any]) -> Iterator[str]:
    days = of["measurement"].compared_after_days if "measurement" in of else None
    for one in variants:
        yield from _of_touches(one.variant, one.touches, of)
        late = [] if days is None else [t for t in _changed(one.touches, of) if t.day >= days]
        for touch in late:
            yield (f"{one.variant} changes touch {touch.number} of day {touch.day}, but people are compared by "
                   f"what they did within {days} days (measurement.compared_after_days)")  # fmt: skip


def _changed(changes: Sequence[VariantTouch], of: Mapping[str, Any]) -> list[Touch]:
    numbers = {changed.number for changed in changes}
    return [touch for touch in of.get("touches", ()) if touch.number in numbers]


def _of_touches(name: str, changes: Sequence[VariantTouch], of: Mapping[str, Any]) -> Iterator[str]:
    touches: dict[int, Touch] = {touch.number: touch for touch in of.get("touches", ())}
    numbers = [changed.number for changed in changes]
    if len(set(numbers)) < len(numbers):
        yield f"{name} changes a touch twice"
    for changed in changes:
        touch = touches.get(changed.number)
        if touch is not None:
            yield from (f"{name}, touch {touch.number}: {problem}" for problem in _of_touch(changed, touch))
        elif touches:
            yield f"{name} changes touch {changed.number}, which the playbook does not have"


def _of_touch(changed: VariantTouch, touch: Touch) -> Iterator[str]:
    changes = changed.changes
    if not changes:
        yield "changes nothing; name a subject, a template or an offer"
    same = sorted(name for name, value in changes.items() if getattr(touch, name) == value)
    if same:
        yield f"{', '.join(same)} is what the touch has already"
    if "offer" in changes and touch.offer is None:
        yield "a variant changes the level of an offer, and this touch makes none"
    if touch.template is None:
        yield "the touch has no template, so nothing of it is sent"
    if "subject" in changes and "email" not in touch.channels:
        yield "has no subject, since it goes by text message alone"
