"""Whether what the variants and messages of a playbook change may go out: their subjects, and their offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from reactivation.messages.fields import Offer
from reactivation.messages.subjects import subject_problems
from reactivation.playbooks.declared import near_miss
from reactivation.playbooks.loader import LoadedPlaybook
from reactivation.playbooks.touches import Touch
from reactivation.policy.variants import why_larger

#: What is wrong, and the way to the field in the playbook.
Problem = tuple[str | int, ...]


def every_touch(loaded: LoadedPlaybook) -> Iterator[tuple[LoadedPlaybook, Touch, tuple[str | int, ...]]]:
    """Each touch, and each as a variant or message changes it, with the playbook it is of then, and where it stands."""
    for position, touch in enumerate(loaded.playbook.touches):
        yield loaded, touch, ("touches", position)
    playbook = loaded.playbook
    named = [
        *(("variants", position, one.variant) for position, one in enumerate(playbook.variants)),
        *(("messages", position, one.message) for position, one in enumerate(playbook.messages)),
    ]
    for field, position, name in named:
        way = replace(loaded, playbook=playbook.of_variant(name))
        for place, changed in enumerate(playbook.changed[name]):
            yield way, way.playbook.touch(changed.number), (field, position, "touches", place)


def with_subjects(loaded: LoadedPlaybook) -> Iterator[Problem]:
    """Every subject a playbook gives is one line that names nothing but allowed fields."""
    for _, touch, loc in every_touch(loaded):
        for problem in subject_problems(touch.subject or ""):
            yield problem, *loc, "subject"


def with_offers(loaded: LoadedPlaybook, known: Mapping[str, Offer]) -> Iterator[Problem]:
    """Every offer of a variant is one the source has, and no more than the one it takes the place of."""
    own = {touch.number: touch.offer for touch in loaded.playbook.touches}
    for way, touch, loc in every_touch(loaded):
        offer_id, control = touch.offer or "", known.get(own[touch.number] or "")
        if way is loaded or touch.offer == own[touch.number]:
            continue
        if offer_id not in known:
            hint = near_miss(offer_id, list(known)) or f"; it has {', '.join(sorted(known))}"
            yield f"the source has no offer {offer_id}{hint}", *loc, "offer"
        elif control is not None and (column := why_larger(asdict(known[offer_id]), asdict(control))) is not None:
            yield (
                f"{offer_id} cannot take the place of {control.offer_id} because of its {column}: it must be of the "
                "same kind and currency and no more, since the touch's own offer is what the margin guard judges by",
                *loc, "offer",
            )  # fmt: skip
