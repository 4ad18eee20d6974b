"""The form a signer fills in: options, fields and the closed lists of codes it may hold.

Airflow shows form values to every viewer and writes them to its event log, so a field takes codes and numbers only.
Every default is the empty text, and an empty required field means *held*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SIGN, HOLD_ALL, REJECT_ALL = "Sign", "Hold all", "Reject all"
OPTIONS = (SIGN, HOLD_ALL, REJECT_ALL)

#: Why items are left out, held or rejected. Free text has no place in Airflow's form.
REASONS = (
    "content",
    "offer",
    "timing",
    "channel",
    "wrong_person",
    "relationship",
    "consent",
    "not_worthwhile",
    "other",
)

OK, CONCERN = "ok", "concern"
POINT_ANSWERS = ("", OK, CONCERN)
POINT_PREFIX = "point_"


@dataclass(frozen=True)
class FormField:
    """One text field with the default ``""``; ``choices``, when there are any, include it."""

    name: str
    title: str
    description: str
    choices: tuple[str, ...] = ()


def fields(review_points: Sequence[str]) -> tuple[FormField, ...]:
    """The fields of one request, in the order a signer meets them."""
    return (
        FormField("signing_code", "Signing code", "At the end of the list's page; needed to sign and to reject."),
        FormField("left_out", "Leave out", "Item numbers that must not go out, commas between; empty for none."),
        FormField("individual", "Individual items agreed to", "Item numbers; an individual item not named is held."),
        FormField("reason", "Reason", "Why items are left out, held or rejected.", ("", *REASONS)),
        *(
            FormField(
                point_field(p), p.replace("_", " ").capitalize(), "To sign, every point must be ok.", POINT_ANSWERS
            )
            for p in review_points
        ),
    )


def point_field(point: str) -> str:
    """The name of the form field of one review point."""
    return f"{POINT_PREFIX}{point}"
