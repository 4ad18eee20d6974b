"""The figures of one playbook: of its last run's decisions, and of everything the ledger has of it.

Reads and writes nothing; ids, codes, counts and amounts only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Connection

from reactivation.ledger import accounts, compared, measured, runs
from reactivation.ledger.runs import StepError
from reactivation.measures import (
    MEASURES,
    SAID,
    Answers,
    Figure,
    account_figures,
    added_efficiency,
    comparison_figures,
    count_compared,
    count_outreach,
    outreach_figures,
    return_figures,
    review_figures,
    split_accounts,
    split_cohorts,
    split_comparison,
    split_exits,
    split_outreach,
    split_review,
    split_verdicts,
    touch_value_figures,
)
from reactivation.steps.decide import SEGMENTS_FILE
from reactivation.steps.parts import with_part
from reactivation.steps.results import decisions_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace


@dataclass(frozen=True)
class Metrics:
    """``run_id``: the run whose decisions were counted; the figures stand in the order of ``MEASURES``."""

    playbook: str
    run_id: str
    at: datetime
    figures: tuple[Figure, ...]


FIGURE_COLUMNS = tuple(field.name for field in fields(Figure))
SHOWN = ("measure", "part", "count", "of", "rate", "95 % interval", "amount", "note")


def shown(found: Metrics) -> Iterator[tuple[str, ...]]:
    """The figures as a table of ``SHOWN`` for people; parts stand below their measure."""
    last = ""
    for figure in found.figures:
        measure = MEASURES[figure.measure]
        title = "" if figure.measure == last else measure.title
        last = figure.measure
        yield (
            title, figure.by or "", _whole(figure.count), f"{_whole(figure.of)} {measure.unit if figure.of else ''}",
            _rate(figure), _interval(figure), _amount(figure), figure.note or "",
        )  # fmt: skip


def _whole(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _rate(figure: Figure) -> str:
    if figure.days is not None:
        return f"{figure.days:g} days"
    if figure.rate is None:
        return ""
    return f"{figure.rate:.2f}" if figure.of is None else f"{figure.rate:.1%}"


def _interval(figure: Figure) -> str:
    return "" if figure.low is None or figure.high is None else f"{figure.low:.1%} to {figure.high:.1%}"


def _amount(figure: Figure) -> str:
    money = [("", figure.amount), ("cost ", figure.cost)]
    return ", ".join(
        f"{word}{figure.currency or ''} {value:,.2f}".strip() for word, value in money if value is not None
    )


def metrics(
    workspace: Workspace, name: str, now: datetime, as_of: datetime | None = None, by: str | None = None
) -> Metrics:  # fmt: skip
    """The figures of a playbook at ``now``, or as they were known ``as_of`` an instant before it; ``by`` (one of
    ``SPLITS``) has their parts besides.

    Raises ``StepError`` when it had decided nothing yet, or of what is still to come.
    """
    at = now if as_of is None else as_of
    if at > now:
        raise StepError(f"nobody knows what will have come of it at {at.isoformat()}; say an instant before now")
    playbook = workspace.playbook(name).playbook
    measurement, of_accounts = playbook.measurement, playbook.subject == "account"
    run_id, decisions = decisions_of(workspace, name, _last_decided(workspace, name, at))
    with workspace.ledger.begin() as conn:
        sent, told = measured.sent(conn, name, at), measured.told(conn, name, at)
        first_decided = measured.first_decided(conn, name, at)
        assigned, bought = compared.assigned(conn, name, at), compared.bought(conn, name, at)
        drawn = compared.drawn(conn, name, at) if playbook.skipped_share else None
        answers = Answers(
            verdicts=measured.verdicts(conn, name, at), sends=measured.send_states(conn, name, at),
            exits=measured.exit_reasons(conn, name, at), suppressed=measured.suppressed_since(conn, name, at),
        )  # fmt: skip
        re_engaged = measured.customers_ended(conn, name, at, "re_engaged")
        ended = measured.customers_ended(conn, name, at)
        parts = _parts_of_answers(conn, name, at, by)
        account_words = _account_words(conn, name, at) if of_accounts else None
    folder = workspace.run_folder(run_id)
    columns = ("customer_id", "customers", "customers_active")
    segments = folder.read(SEGMENTS_FILE, columns) if folder.has(SEGMENTS_FILE) else None
    windows: dict[str, Any] = {
        "response_days": measurement.response_within_days, "reactivated_days": measurement.reactivated_within_days,
        "now": at,
    }  # fmt: skip
    outreach = count_outreach(sent, told, first_decided, **windows)
    split: dict[str, Any] = {
        "holdout_share": playbook.holdout_share, "reactivated_days": measurement.reactivated_within_days, "now": at,
    }  # fmt: skip
    against = count_compared(assigned, bought, **split)
    place = {measure: position for position, measure in enumerate(MEASURES)}
    figures = [
        *review_figures(decisions, accounts_alone=of_accounts), *outreach_figures(answers, outreach),
        *comparison_figures(against), *added_efficiency(against, outreach.offers),
        *return_figures(re_engaged, ended, segments),
    ]  # fmt: skip
    if drawn is not None:
        figures += touch_value_figures(
            drawn, bought, {touch.number: touch.day for touch in playbook.touches}, now=at,
            skipped_share=playbook.skipped_share, reactivated_days=measurement.reactivated_within_days,
        )  # fmt: skip
    if account_words is not None:
        figures += account_figures(decisions, *account_words)
    if by is not None and account_words is not None:
        figures += split_accounts(decisions, *account_words, by)
    if by is not None:
        figures += parts
        figures += split_review(decisions, by, accounts_alone=of_accounts)
        figures += split_outreach(sent, told, by, **windows)
        figures += split_cohorts(sent, told, with_part(workspace, first_decided, by), by, **windows)
        figures += split_comparison(with_part(workspace, assigned, by), bought, by, **split)
    return Metrics(name, run_id, at, tuple(sorted(figures, key=lambda figure: place[figure.measure])))


def _account_words(conn: Connection, name: str, at: datetime) -> tuple[pa.Table, pa.Array]:
    """What owners said of their accounts, as ``SAID``, and the customers of whom an issue was ever found open."""
    said = [
        {"account_id": one.account_id, "decision": one.decision, "reason": one.reason}
        for one in accounts.decisions(conn, name, until=at)
    ]
    flagged = pa.array(sorted(measured.with_open_issue(conn, name, at)), pa.string())
    return pa.Table.from_pylist(said, SAID), flagged


def _parts_of_answers(conn: Connection, name: str, at: datetime, by: str | None) -> list[Figure]:
    """What was approved and why enrolments ended, of each part; nothing where they have no such parts."""
    figures: list[Figure] = []
    if by in measured.ASKED_BY:
        figures += split_verdicts(by, measured.verdicts_of_parts(conn, name, at, measured.ASKED_BY[by]))
    if by in measured.ENDED_BY:
        figures += split_exits(by, measured.exits_of_parts(conn, name, at, measured.ENDED_BY[by]))
    return figures


def _last_decided(workspace: Workspace, name: str, at: datetime) -> str:
    """The id of the run that had decided last then."""
    with workspace.ledger.begin() as conn:
        run = runs.latest_run(conn, name, step="decide", until=at)
    if run is None:
        raise StepError(f"playbook {name} had decided nothing by {at.isoformat()}; say: reactivation run {name}")
    return run.run_id
