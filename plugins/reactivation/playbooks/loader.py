"""Reads playbook files. A playbook's digest is of the file's bytes: a changed comment is a changed playbook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reactivation.playbooks.declared import DeclarationError, Problem, line_of, parse_declared, read_bytes
from reactivation.playbooks.model import Playbook


class PlaybookError(DeclarationError):
    """A playbook file is refused; every problem with its line, the field and what was expected."""

    kind = "playbook"


@dataclass(frozen=True)
class LoadedPlaybook:
    """A playbook, the hex SHA-256 of its file and where it was read from."""

    playbook: Playbook
    digest: str
    path: Path


def parse_playbook(text: str, name: str) -> Playbook:
    """The playbook a YAML text declares; ``name`` is the file's name in messages. Raises ``PlaybookError``."""
    return parse_declared(text, name, Playbook, PlaybookError)


def load_playbook(path: Path) -> LoadedPlaybook:
    """The playbook of one file, which must be called ``<playbook>.yaml``. Raises ``PlaybookError``."""
    text, digest = read_bytes(path, PlaybookError)
    playbook = parse_playbook(text, str(path))
    if playbook.playbook != path.stem:
        found = f"found {playbook.playbook!r}, expected {path.stem!r}: the name of the file without .yaml"
        raise PlaybookError(str(path), [Problem(line_of(text, "playbook"), "playbook", found)])
    return LoadedPlaybook(playbook, digest, path)


def load_all(folder: Path) -> tuple[LoadedPlaybook, ...]:
    """Every playbook of a folder, by precedence. Raises ``PlaybookError`` for the first file refused, or for none."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise PlaybookError(str(folder), [Problem(1, "", "has no *.yaml file; put a playbook there")])
    loaded = [load_playbook(path) for path in paths]
    return tuple(sorted(loaded, key=lambda one: (one.playbook.population.precedence, one.playbook.playbook)))
