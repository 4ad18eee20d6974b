"""The command that stops messages at once; what ends a stop is an answer, not a command."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from reactivation.cli.commands import OK, WRONG, workspace_of
from reactivation.cli.output import print_json, print_table, say


def stop(arguments: argparse.Namespace) -> int:
    from reactivation.steps.stopping import standing_stops, stop_by_hand

    if (arguments.scope is None) != (arguments.user is None):
        say("error: say what to stop and who stops it, --user NAME; with neither, the stops that stand are listed")
        return WRONG
    workspace = workspace_of(arguments)
    now = workspace.now()
    if arguments.scope is not None:
        told = stop_by_hand(workspace, arguments.scope, reason=arguments.reason, user=arguments.user, now=now)
        if arguments.json:
            print_json({"told": told})
        else:
            say(told)
        return OK
    found = standing_stops(workspace, now)
    if arguments.json:
        print_json([asdict(one) for one in found])
    else:
        rows = [(one.scope, one.reason, one.actor, one.since.isoformat(timespec="minutes")) for one in found]
        print_table("stops that stand", ("what", "because of", "by", "since"), rows)
    return OK
