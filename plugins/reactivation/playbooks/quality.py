"""The quality and stop gates of the source documents, as they are declared in ``include/rules/quality_gates.yaml``."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field, model_validator

from reactivation import paths
from reactivation.playbooks.declared import DeclarationError, parse_declared, read_bytes
from reactivation.playbooks.words import Declared

FILE = paths.RULES / "quality_gates.yaml"


class QualityError(DeclarationError):
    """The file of quality gates is refused; every problem with its line."""

    kind = "file of quality gates"


class QualityGate(Declared):
    """One gate: the document's ``sentence``, and what proves it of a playbook and of a run (one of them at least).
    ``stops``: a run whose data does not prove it goes no further."""

    sentence: str = Field(min_length=1)
    document: str = Field(pattern=r"^00[0-3], .+$")
    of_playbook: str | None = None
    of_run: str | None = None
    stops: bool

    @model_validator(mode="after")
    def _is_proven_somewhere(self) -> QualityGate:
        if self.of_playbook is None and self.of_run is None:
            raise ValueError("a gate is proven of the playbook (of_playbook), of a run (of_run), or of both")
        return self


class ReviewPoints(Declared):
    """What a person is asked one by one: always, and where something is offered."""

    always: tuple[str, ...] = Field(min_length=1)
    offers: tuple[str, ...]


class Quality(Declared):
    """``quality_gates.yaml``: the gates in the order of the documents, and the review points of each kind."""

    gates: dict[str, QualityGate] = Field(min_length=1)
    review_points: dict[Literal["customer", "account"], ReviewPoints]


@cache
def quality() -> Quality:
    """The declared gates. Raises ``QualityError`` with file, line and fix."""
    text, _ = read_bytes(FILE, QualityError)
    return parse_declared(text, str(FILE), Quality, QualityError)
