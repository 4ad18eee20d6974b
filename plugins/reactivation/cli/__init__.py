"""The command line: the same steps as the DAGs, for people who would rather type.

Exit codes: 0 fine · 2 wrong usage, configuration or unreadable input · 3 not ready. No command approves anything.
Results go to standard output (``--json`` and ``--csv`` for programs), progress and errors to standard error.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from reactivation.cli import arguments
from reactivation.cli.commands import NOT_READY, WRONG
from reactivation.cli.output import say


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    return arguments.parser(__doc__.splitlines()[0])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    asked = parser().parse_args(argv)
    from reactivation.steps.errors import EXPECTED_ERRORS
    from reactivation.steps.readiness import NotReady

    try:
        code: int = asked.command(asked)
    except NotReady as stopped:
        say(f"not ready: {stopped}")
        return NOT_READY
    except EXPECTED_ERRORS as error:
        say(f"error: {error}")
        return WRONG
    return code
