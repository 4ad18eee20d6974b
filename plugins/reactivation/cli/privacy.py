"""The commands of privacy: purge, erase, hold. They print ids, codes and counts, never an address."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from getpass import getpass
from typing import TYPE_CHECKING

from reactivation.cli.commands import OK, WRONG, workspace_of
from reactivation.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reactivation.steps.taking_out import TakenOut


def purge(arguments: argparse.Namespace) -> int:
    from reactivation.steps.purge import purge

    workspace = workspace_of(arguments)
    done = purge(workspace, workspace.now(), dry=arguments.dry_run)
    if arguments.json:
        print_json({**asdict(done), "rows": done.rows, "folders": done.folders})
    else:
        _print_taken_out("would go" if done.dry else "gone", done.taken_out)
        say(
            "stopped: a legal hold on everything stands"
            if done.stopped
            else _in_words(done.rows, done.folders, done.dry)
        )
        if done.on_hold:
            say(f"kept for a legal hold: what concerns {done.on_hold} customer(s)")
    _tell(done.problems)
    return WRONG if done.problems else OK


def erase(arguments: argparse.Namespace) -> int:
    from reactivation.steps.erase import erase

    workspace = workspace_of(arguments)
    done = erase(
        workspace, customer_id=arguments.customer, address=_address() if arguments.address_stdin else None,
        user=arguments.user, reason=arguments.reason, now=workspace.now(), dry=arguments.dry_run,
    )  # fmt: skip
    if arguments.json:
        print_json(asdict(done))
    else:
        _print_taken_out("would go" if done.dry else "erased", done.taken_out)
        counts = {"customers": len(done.customers), "addresses": done.addresses, "new suppressions": done.suppressions,
                  "enrolments ended": done.enrolments_ended}  # fmt: skip
        say(("would be: " if done.dry else "") + _listed(counts))
        if done.stays is not None:
            say(f"would stay, by id and HMAC alone: {_listed(done.stays)}; nothing was changed")
        say("erase them at the sources, too: what a source goes on telling is taken out of every snapshot anew")
    _tell(done.problems)
    return WRONG if done.problems else OK


def hold(arguments: argparse.Namespace) -> int:
    from reactivation.steps.hold import begin_hold, lift_hold, standing_holds

    scoped = arguments.customer is not None or arguments.everything
    if (arguments.lift or arguments.user) and not (scoped and arguments.user):
        say("error: say on what, --customer ID or --everything, and who, --user NAME; with neither, holds are listed")
        return WRONG
    workspace = workspace_of(arguments)
    if not scoped:
        found = standing_holds(workspace)
        if arguments.json:
            print_json([asdict(one) for one in found])
        else:
            rows = [(one.customer_id or "everything", one.began_by, one.began_at.isoformat()) for one in found]
            print_table("legal holds that stand", ("on", "by", "since"), rows)
        return OK
    change = lift_hold if arguments.lift else begin_hold
    told = change(workspace, arguments.customer, user=arguments.user, now=workspace.now())
    if arguments.json:
        print_json({"told": told})
    else:
        say(told)
    return OK


def _address() -> str:
    """The first line of standard input; typed, it is not shown."""
    return getpass("address: ") if sys.stdin.isatty() else sys.stdin.readline()


def _listed(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{count} {what}" for what, count in counts.items())


def _in_words(rows: int, folders: int, dry: bool) -> str:
    would = "would be taken" if dry else "taken"
    return f"{rows} row(s) {would} out of {folders} folder(s)"


def _print_taken_out(title: str, taken: Iterable[TakenOut]) -> None:
    rows = [(one.folder, one.file, one.reason, one.rows) for one in taken]
    if rows:
        print_table(title, ("folder", "file", "because of", "rows"), rows)


def _tell(problems: Iterable[str]) -> None:
    for problem in problems:
        say(f"error: {problem}")
