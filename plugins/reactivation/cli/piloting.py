"""The commands of a pilot: begin one, report on it, end it. They print ids, codes and counts."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reactivation.cli.commands import OK, workspace_of
from reactivation.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reactivation.steps.pilot_report import PilotReport


def begin(arguments: argparse.Namespace) -> int:
    from reactivation.steps.piloting import begin_pilot

    workspace = workspace_of(arguments)
    made = begin_pilot(
        workspace, arguments.playbook, segment=arguments.segment, most=arguments.top, user=arguments.user,
        now=workspace.now(),
    )  # fmt: skip
    if arguments.json:
        print_json(asdict(made))
    else:
        of = f"segment {made.segment}" if made.segment else f"{len(made.subjects)} by priority"
        say(f"{made.playbook} is in a pilot of {of} until {made.ends_at.isoformat(timespec='minutes')}, owner "
            f"{made.owner_id}; before: {_metric(made.baseline)}")  # fmt: skip
    return OK


def end(arguments: argparse.Namespace) -> int:
    from reactivation.steps.piloting import end_pilot

    workspace = workspace_of(arguments)
    end_pilot(workspace, arguments.playbook, user=arguments.user, now=workspace.now())
    if arguments.json:
        print_json({"playbook": arguments.playbook, "pilot": "ended"})
    else:
        say(f"the pilot of {arguments.playbook} is ended: from now on everybody may be enrolled")
    return OK


def report(arguments: argparse.Namespace) -> int:
    from reactivation.steps.pilot_report import pilot_report

    workspace = workspace_of(arguments)
    found = pilot_report(workspace, arguments.playbook, workspace.now())
    if arguments.json:
        proof = asdict(found.threshold) | {
            "counter_examples": [asdict(row) for row in found.threshold.counter_examples]
        }
        print_json(asdict(found) | {"threshold": proof})
    else:
        _print(found)
    return OK


def _print(found: PilotReport) -> None:
    pilot, proof = found.pilot, found.threshold
    of = f"segment {pilot.segment}" if pilot.segment else f"the {len(pilot.subjects)} best by priority"
    print_table(
        f"pilot of {pilot.playbook}", ("what", "is"),
        [
            ("state", found.state), ("sample", of), ("owner", pilot.owner_id),
            ("from", pilot.began_at.isoformat(timespec="minutes")),
            ("until", pilot.ends_at.isoformat(timespec="minutes")),
            ("threshold", f"{proof.threshold:.0%} of {proof.sentence}"),
            ("found", f"{proof.passed} of {proof.of}: {proof.verdict}"),
            ("before", _metric(found.before)), ("after", _metric(found.after)),
        ],
    )  # fmt: skip
    if proof.counter_examples:
        rows = [(row.subject, row.sends, ", ".join(row.missing)) for row in proof.counter_examples]
        print_table("counter-examples", ("subject", "messages", "missing"), rows)
    if found.test:
        items = list(found.test[0].items)
        rows_of = [(one.subject, *("yes" if one.items[name] else "NO" for name in items)) for one in found.test]
        print_table(found.test_sentence, ("subject", *items), rows_of)
    print(found.claim)


def _metric(metric: Mapping[str, Any]) -> str:
    rate = "not enough data" if metric["rate"] is None else f"{metric['rate']:.1%}"
    return f"{metric['measure']} {metric['count']} of {metric['of']} ({rate}), run {metric['run_id']}"
