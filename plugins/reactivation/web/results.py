"""The results page: every measure of a playbook with its interval, how its customers were scored, and how segments
respond to incentives. Counts, rates and names of ours only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from reactivation.ledger.runs import StepError
from reactivation.measures import MEASURES, SPLITS, Figure
from reactivation.policy.proposals import Proposal
from reactivation.steps.metrics import Metrics, metrics, shown
from reactivation.steps.optimizing import proposals_for
from reactivation.steps.results import scoring_of
from reactivation.steps.workspace import Workspace
from reactivation.web.asked import Code, Who
from reactivation.web.auth import Visitor
from reactivation.web.pages import Pages


class NoSuchResults(Exception):
    """No playbook of that name is declared, or there is no such way to divide."""


@dataclass(frozen=True)
class Row:
    """One figure as people read it: ``cells`` are those of ``steps.metrics.shown`` after the measure; ``interval`` its
    ends and the rate between them, each between 0 and 1, where it is a share."""

    cells: Sequence[str]
    interval: tuple[float, float, float] | None


@dataclass(frozen=True)
class Group:
    """The figures of one measure, beneath what it counts."""

    measure: str
    title: str
    means: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class ResultsPage:
    """``groups`` are empty before the playbook's first run. ``scoring`` has each segment's method and backtest."""

    visitor: Visitor
    playbook: str
    title: str
    playbooks: Sequence[tuple[str, str]]
    by: str | None
    splits: Sequence[str]
    at: datetime
    run_id: str | None
    groups: Sequence[Group]
    scoring: Mapping[str, Any]
    proposals: Sequence[Proposal]


def result_routes(pages: Pages) -> APIRouter:
    """``/results``: of the first playbook when none is named."""
    routes = APIRouter()

    @routes.get("/results")
    def results(request: Request, visitor: Who, *, playbook: Code = None, by: Code = None) -> Response:
        workspace = pages.workspace()
        try:
            view = results_page(workspace, playbook, by, visitor, workspace.now())
        except NoSuchResults:
            raise HTTPException(404) from None
        return pages.html(request, "results.html", view=view)

    return routes


def results_page(
    workspace: Workspace, playbook: str | None, by: str | None, visitor: Visitor, now: datetime
) -> ResultsPage:
    """The page of a playbook, its figures divided ``by`` one of ``SPLITS`` besides. Raises ``NoSuchResults``."""
    declared = {one.playbook.playbook: one.playbook.title for one in workspace.all_playbooks()}
    name = playbook or next(iter(declared))
    if name not in declared or by not in (None, *SPLITS):
        raise NoSuchResults
    found: Metrics | None = None
    scoring: Mapping[str, Any] = {}
    proposed: Sequence[Proposal] = ()
    with suppress(StepError):  # it has decided nothing yet
        found = metrics(workspace, name, now, by=by)
        scoring = scoring_of(workspace, name, found.run_id)[1]["segments"]
        proposed = proposals_for(workspace, name, now)
    return ResultsPage(
        visitor=visitor, playbook=name, title=declared[name], playbooks=list(declared.items()), by=by, splits=SPLITS,
        at=now, run_id=None if found is None else found.run_id, groups=[] if found is None else _groups(found),
        scoring=scoring, proposals=proposed,
    )  # fmt: skip


def _groups(found: Metrics) -> list[Group]:
    told = groupby(zip(found.figures, shown(found), strict=True), key=lambda one: one[0].measure)
    return [
        Group(name, MEASURES[name].title, MEASURES[name].definition,
              [Row(cells[1:], _interval(figure)) for figure, cells in some])
        for name, some in told
    ]  # fmt: skip


def _interval(one: Figure) -> tuple[float, float, float] | None:
    if one.low is None or one.high is None or one.rate is None or not 0 <= one.low <= one.rate <= one.high <= 1:
        return None
    return one.low, one.rate, one.high
