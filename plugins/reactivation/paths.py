"""Where the declared files of the project are: SQL, templates, playbooks, rules, expectations.

In a wheel they lie inside the package; in a checkout beside ``plugins/``.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "include"
_ROOT = _PACKAGE if _BUNDLED.is_dir() else _PACKAGE.parents[1]

INCLUDE = _ROOT / "include"
EXPECTATIONS = _ROOT / "expectations"
SQL = INCLUDE / "sql"
TEMPLATES = INCLUDE / "templates"
PLAYBOOKS = INCLUDE / "playbooks"
RULES = INCLUDE / "rules"
OWNERS = INCLUDE / "owners.yaml"
TENANT = INCLUDE / "tenant.yaml"


def sql(name: str) -> str:
    """The text of ``include/sql/<name>.sql``."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
