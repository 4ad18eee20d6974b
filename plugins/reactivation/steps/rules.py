"""Reads the rule files of the project."""

from __future__ import annotations

from pathlib import Path

from reactivation import paths
from reactivation.playbooks.declared import read_bytes
from reactivation.policy.rules import FILES, Rules, RulesError, parse_rules


def read_rules(folder: Path = paths.RULES) -> Rules:
    """The rules declared in ``folder``. Raises ``RulesError`` with file, line and fix."""
    return parse_rules({name: read_bytes(folder / f"{name}.yaml", RulesError)[0] for name in FILES})
