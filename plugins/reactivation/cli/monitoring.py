"""The command that looks at how variants do, and pauses what is worse or does harm; no command resumes."""

from __future__ import annotations

import argparse

from reactivation.cli.commands import OK, workspace_of
from reactivation.cli.output import print_json, print_table, say


def monitor(arguments: argparse.Namespace) -> int:
    from reactivation.steps.monitoring import SHOWN, as_document, monitor, shown

    workspace = workspace_of(arguments)
    report = monitor(workspace, arguments.playbook, workspace.now(), only_look=arguments.dry_run)
    for pause in report.paused:
        say(f"paused: {pause.variant or report.playbook} {pause.segment or ''} ({pause.because}), stop {pause.stop_id}")
    for alert in report.alerted:
        say(f"look at this: {alert.message}")
    if arguments.json:
        print_json(as_document(report))
    else:
        print_table(f"{report.playbook}, variant : control", SHOWN, shown(report))
    return OK
