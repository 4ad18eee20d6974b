"""The command that drafts a message to an account in its owner's words. It approves nothing and prints ids only."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from reactivation.cli.commands import OK, workspace_of
from reactivation.cli.output import print_json, say

_MOST_READ = 10_000


def edit(arguments: argparse.Namespace) -> int:
    from reactivation.steps.editing import propose_edit

    workspace = workspace_of(arguments)
    made = propose_edit(
        workspace, arguments.playbook, arguments.account, subject=_words(arguments.subject),
        opening=_words(arguments.opening), user=arguments.user, now=workspace.now(),
    )  # fmt: skip
    if arguments.json:
        print_json({name: value for name, value in asdict(made).items() if name != "signing_code"})
    else:
        say(
            f"the message to account {arguments.account} is drafted with another {' and '.join(made.parts)}; nothing "
            f"is approved. Its owner finds before, after and the code for it at /reactivation/lists/{made.list_id}"
        )
    return OK


def _words(file: Path | None) -> str | None:
    """What a file says, ``-`` being standard input: on the command line it would be seen. Raises ``StepError``."""
    from reactivation.ledger.runs import StepError

    if file is None:
        return None
    if str(file) == "-":
        return sys.stdin.read(_MOST_READ)
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.read(_MOST_READ)
    except (OSError, UnicodeDecodeError) as error:
        raise StepError(f"{file} cannot be read as UTF-8 text ({type(error).__name__}); give another file") from None
