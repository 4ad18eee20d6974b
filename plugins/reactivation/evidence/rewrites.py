"""What erasure and retention made of a folder's files: ``rewrites.json``, beside a manifest that never changes.

The ledger vouches for the manifest as it was written, so what happens to a file later is told next to it: old digest,
new digest, reason. A rewrite is noted before the file changes and noted as done afterwards; between the two, whoever
reads accepts either file, and afterwards only the new one: an erased file that is put back shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from upath import UPath

from reactivation.contract.digests import canonical_json
from reactivation.evidence.building import replace_file
from reactivation.evidence.errors import EvidenceError

REWRITES = "rewrites.json"


@dataclass(frozen=True)
class Rewrite:
    """One file that lost rows: its digest before and after, why, when, and how many rows."""

    file: str
    old: str
    new: str
    reason: str
    at: datetime
    rows_removed: int
    rows_left: int
    done: bool = False


def read_rewrites(folder: UPath) -> list[Rewrite]:
    """Every rewrite of a folder's files, oldest first; none where nothing was ever rewritten."""
    try:
        told = json.loads((folder / REWRITES).read_bytes())
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise EvidenceError(f"{folder / REWRITES} is broken; restore it from a copy of the folder") from error
    return [Rewrite(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in told["rewrites"]]


def note(folder: UPath, made: Rewrite) -> None:
    """Add a rewrite, or say anew how far it has come: one that a killed process began and this one does again."""
    others = [one for one in read_rewrites(folder) if one.done or one.file != made.file]
    told = {"rewrites": [asdict(one) for one in [*others, made]]}
    replace_file(folder / REWRITES, canonical_json(told))


def note_done(folder: UPath, made: Rewrite) -> None:
    """Say that the file is the new one, and no other counts any more."""
    note(folder, replace(made, done=True))


def accepted(digest: str, rewrites: Iterable[Rewrite]) -> frozenset[str]:
    """What one file may be now, by the manifest's digest of it and its rewrites: one digest, or two while a rewrite is
    under way."""
    now = frozenset({digest})
    for one in rewrites:
        now = frozenset({one.new}) if one.done else now | {one.new}
    return now
