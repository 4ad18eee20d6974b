"""The command that shows how people respond to the incentive ladder and what that proposes; no command takes it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reactivation.cli.commands import OK, workspace_of
from reactivation.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reactivation.policy.proposals import Proposal

_COLUMNS = (
    "segment",
    "step",
    "people",
    "came back",
    "rate",
    "costs of an order",
    "at",
    "proposed",
    "sure",
    "p1 ÷ p0 ≥",
)


def incentives(arguments: argparse.Namespace) -> int:
    from reactivation.steps.optimizing import proposals_for

    workspace = workspace_of(arguments)
    found = proposals_for(workspace, arguments.playbook, workspace.now())
    if arguments.json:
        print_json([asdict(one) for one in found])
        return OK
    print_table(f"incentives of {arguments.playbook}", _COLUMNS, (row for one in found for row in _rows(one)))
    for one in found:
        if one.because is not None:
            say(f"{one.segment}: {one.because}")
        elif one.proposed != one.current:
            say(f"{one.segment}: set optimizer.rungs.{one.segment} to {one.proposed}; its offers are signed like all")
    if not found:
        say(f"playbook {arguments.playbook} declares no optimizer; everybody may be offered all that it plans")
    return OK


def _rows(one: Proposal) -> Iterator[list[Any]]:
    for step in one.steps:
        here, next_ = step.rung == one.current, step.rung == one.proposed
        rate = f"{step.came_back / step.people:.3f}" if step.people else None
        cost = None if step.cost is None else f"{step.cost:.3f}"
        sure = f"{one.sure:.3f}" if here and one.sure is not None else None
        uplift = f"{one.uplift:.2f}" if here and one.uplift is not None else None
        yield [one.segment, step.rung, step.people, step.came_back, rate, cost, "●" if here else "",
               "●" if next_ else "", sure, uplift]  # fmt: skip
