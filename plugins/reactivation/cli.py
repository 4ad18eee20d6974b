"""The command line: the same steps as the DAGs, for people who would rather type.

Exit codes: 0 fine · 2 wrong usage, configuration or unreadable input · 3 not ready. No command approves anything.
Results go to standard output (``--json`` and ``--csv`` for programs), progress and errors to standard error.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from reactivation.steps.settings import Settings
    from reactivation.steps.workspace import Workspace

OK, WRONG, NOT_READY = 0, 2, 3

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

CANDIDATE_COLUMNS = (
    "customer_id", "business_segment", "value_tier", "dormant_days", "last_activity_at", "inactivity_reason",
    "recommended_channel", "email_basis", "next_best_action", "decision", "reason_codes", "owner_id",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = parser().parse_args(argv)
    from reactivation.steps.errors import EXPECTED_ERRORS
    from reactivation.steps.readiness import NotReady

    try:
        code: int = arguments.command(arguments)
    except NotReady as stopped:
        _say(f"not ready: {stopped}")
        return NOT_READY
    except EXPECTED_ERRORS as error:
        _say(f"error: {error}")
        return WRONG
    return code


# --- the commands ---------------------------------------------------------------------------------------------------
def _check(arguments: argparse.Namespace) -> int:
    from reactivation.steps.check import check

    findings = check(_settings(arguments))
    if arguments.json:
        _json([asdict(f) for f in findings])
    for finding in [] if arguments.json else findings:
        print(finding)
    if not findings:
        _say("playbooks, templates, offers, owners, tenant and rules hold together")
    return WRONG if findings else OK


def _sample(arguments: argparse.Namespace) -> int:
    from reactivation.sample import dress, generate

    rest = {"seed": arguments.seed, "format": arguments.format}
    if arguments.purchases:
        summary = dress(arguments.purchases, arguments.out, as_of=arguments.as_of, **rest)
    else:
        as_of = arguments.as_of or _this_hour()
        summary = generate(arguments.out, customers=arguments.customers, as_of=as_of, **rest)
    if arguments.json:
        _json(asdict(summary))
    else:
        rows = [(table, rows, summary.dirty.get(table, 0)) for table, rows in summary.rows.items()]
        _table("sample CRM", ("table", "rows", "dirty"), rows)
        _say(f"written to {arguments.out} as of {summary.as_of.isoformat()}; its README.txt tells what is in it")
    return OK


def _run(arguments: argparse.Namespace) -> int:
    from reactivation.steps.funnel import funnel
    from reactivation.steps.whole import RunRequest, run_playbook

    workspace = _workspace(arguments)
    request = RunRequest(
        arguments.playbook, dry=arguments.dry_run, segment=arguments.segment, sample_size=arguments.sample_size,
        triggered_by=arguments.user,
    )  # fmt: skip
    run_id = run_playbook(workspace, request, now=workspace.now(), as_of=arguments.as_of, say=_say)
    counts = funnel(workspace, run_id)
    if arguments.json:
        _json({"run_id": run_id, "dry": arguments.dry_run, "funnel": counts})
    else:
        _table(f"{arguments.playbook} · run {run_id}", ("stage", "customers"), counts.items())
    return OK


def _readiness(arguments: argparse.Namespace) -> int:
    from reactivation.steps.whole import readiness_only

    workspace = _workspace(arguments)
    report = readiness_only(workspace, arguments.playbook, now=workspace.now(), as_of=arguments.as_of)
    if arguments.json:
        _json(report)
    else:
        columns = ("id", "subject", "severity", "passed", "observed", "threshold", "fix")
        rows = [[c[name] for name in columns] for c in report["conditions"] if not c["passed"]]
        if rows:
            _table("what is wrong", columns, rows)
        print(report["message"])
    return OK if report["ready"] else NOT_READY


def _candidates(arguments: argparse.Namespace) -> int:
    from reactivation.steps.results import decisions_of

    run_id, decisions = decisions_of(_workspace(arguments), arguments.playbook, arguments.run)
    rows = decisions.select(list(CANDIDATE_COLUMNS)).to_pylist()
    _rows(arguments, f"candidates of run {run_id}", CANDIDATE_COLUMNS, rows)
    return OK


def _plan(arguments: argparse.Namespace) -> int:
    from reactivation.steps.calendar import SCHEDULE, calendar, schedule

    found = schedule(_workspace(arguments), arguments.playbook, arguments.run)
    rows = calendar(found) if arguments.calendar else found.to_pylist()
    columns = (list(rows[0]) if rows else ["day"]) if arguments.calendar else SCHEDULE.names
    _rows(arguments, f"plan of {arguments.playbook}", columns, rows)
    return OK


def _explain(arguments: argparse.Namespace) -> int:
    from reactivation.steps.explain import explain_customer

    print(explain_customer(_workspace(arguments), arguments.customer, arguments.playbook, arguments.run))
    return OK


def _preview(arguments: argparse.Namespace) -> int:
    from reactivation.steps.preview import preview

    workspace = _workspace(arguments)
    shown = preview(workspace, arguments.playbook, arguments.touch, arguments.customer, workspace.now())
    if arguments.json:
        _json(asdict(shown))
    elif shown.draft is None:
        print(f"no draft for {arguments.customer}: {shown.reason}")
    else:
        subject = shown.draft["subject"]
        heading = f"To: {shown.draft['recipient']}\n" + (f"Subject: {subject}\n" if subject else "")
        print(f"{heading}\n{shown.draft['text']}")
    return OK


def _dispatch(arguments: argparse.Namespace) -> int:
    from reactivation.steps.dispatch import dispatch

    workspace = _workspace(arguments)
    now = workspace.now() if arguments.now is None else workspace.accept_clock(arguments.now)
    summary = dispatch(workspace, now)
    if arguments.json:
        _json(asdict(summary))
    else:
        _table(f"dispatch at {now.isoformat(timespec='minutes')}", ("outcome", "touches"), asdict(summary).items())
    return OK


def _outcomes(arguments: argparse.Namespace) -> int:
    from reactivation.steps.outcomes import record_outcomes

    workspace = _workspace(arguments)
    counts = record_outcomes(workspace, workspace.now())
    if arguments.json:
        _json(counts)
    else:
        _table("outcomes", ("what", "count"), counts.items())
    return OK


def _tags(arguments: argparse.Namespace) -> int:
    from reactivation.steps.tagged import COLUMNS, tagged

    rows = tagged(_workspace(arguments), arguments.playbook)
    _rows(arguments, f"tagged in {arguments.playbook}", COLUMNS, rows)
    return OK


def _metrics(arguments: argparse.Namespace) -> int:
    from reactivation.steps.metrics import SHOWN, metrics, shown

    workspace = _workspace(arguments)
    found = metrics(workspace, arguments.playbook, workspace.now())
    if arguments.json:
        _json(asdict(found))
    else:
        at = found.at.isoformat(timespec="minutes")
        _table(f"{found.playbook} · candidates of run {found.run_id}, outreach up to {at}", SHOWN, shown(found))
    return OK


def _audit_verify(arguments: argparse.Namespace) -> int:
    from reactivation.steps.audit import verify_audit

    report = verify_audit(_workspace(arguments))
    if arguments.json:
        _json(asdict(report))
    else:
        print(report)
    return OK if report.intact else WRONG


def _ledger_upgrade(arguments: argparse.Namespace) -> int:
    from reactivation.ledger import migrations

    migrations.upgrade(_settings(arguments).ledger_url)
    _say("the ledger is up to date")
    return OK


def _clean(arguments: argparse.Namespace) -> int:
    from reactivation.steps.clean import clean

    settings = _settings(arguments)
    clean(settings)
    _say(f"removed {settings.home}")
    return OK


# --- arguments ------------------------------------------------------------------------------------------------------
def parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    root = argparse.ArgumentParser(prog="reactivation", description=__doc__.splitlines()[0])
    commands = root.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Callable[[argparse.Namespace], int], help_: str, *, to: Subcommands | None = None
    ) -> argparse.ArgumentParser:
        sub = (to or commands).add_parser(name, help=help_, description=help_)
        sub.set_defaults(command=command)
        sub.add_argument("--json", action="store_true", help="one JSON document on standard output")
        return sub

    add("check", _check, "check every playbook with its templates, offers, owners, tenant and rules")

    sub = add("sample", _sample, "write a believable sample CRM, made up or around a real purchase history")
    whose = sub.add_mutually_exclusive_group()
    whose.add_argument("--customers", type=_positive, default=400)
    whose.add_argument(
        "--purchases", type=Path, metavar="FILE",
        help="dress the purchases in FILE: the contract's purchases, CDNOW's or Online Retail's own file",
    )  # fmt: skip
    sub.add_argument("--seed", type=int, default=7)
    sub.add_argument(
        "--as-of", type=_instant, help="the instant the CRM speaks of (default: this hour, or after the history's end)"
    )
    sub.add_argument("--out", type=Path, required=True)
    sub.add_argument("--format", choices=("csv", "parquet"), default="csv")

    sub = add("run", _run, "snapshot, decide, judge readiness, plan, draft and open lists")
    _playbook(sub)
    _source(sub)
    sub.add_argument("--dry-run", action="store_true", help="evidence only: nobody is enrolled, nothing is asked")
    sub.add_argument("--segment", help="only this business segment")
    sub.add_argument("--sample-size", type=_positive, help="at most this many enrolments")
    sub.add_argument("--user", default="operator", help="who runs it; he may not sign what comes of it")

    sub = add("readiness", _readiness, "only the verdict: may a run proceed?")
    _playbook(sub)
    _source(sub)

    sub = add("candidates", _candidates, "who is quiet, and what was decided about each")
    _playbook(sub, default="customer_reactivation")
    _of_run(sub)
    sub.add_argument("--csv", action="store_true", help="comma-separated values on standard output")

    sub = add("plan", _plan, "who hears from us when, by which touch, and how far each has come")
    _playbook(sub)
    _of_run(sub, "every active enrolment")
    sub.add_argument("--csv", action="store_true", help="comma-separated values on standard output")
    sub.add_argument("--calendar", action="store_true", help="how many of each touch on each day")

    sub = add("explain", _explain, "one customer's story: every gate with its records, and what happened since")
    sub.add_argument("customer", metavar="CUSTOMER")
    sub.add_argument("--playbook", default="customer_reactivation")
    _of_run(sub)

    sub = add("preview", _preview, "what one customer would read; without permission, the reason")
    _playbook(sub)
    sub.add_argument("touch", type=_positive, metavar="TOUCH")
    sub.add_argument("--customer", required=True)

    sub = add("dispatch", _dispatch, "send what is due, signed and still allowed")
    sub.add_argument("--now", type=_instant, help="a given clock; refused unless every provider is the outbox")

    add("outcomes", _outcomes, "record what came back: opt-outs first, then exits")

    sub = add("tags", _tags, "who did not respond and has not come back since: the customers who bear the tag")
    _playbook(sub)
    sub.add_argument("--csv", action="store_true", help="comma-separated values on standard output")

    sub = add("metrics", _metrics, "what came of it: every measure, with what it is a share of")
    _playbook(sub)

    audit = commands.add_parser("audit", help="the audit trail").add_subparsers(required=True, metavar="COMMAND")
    add("verify", _audit_verify, "check every row of the audit trail against its seals", to=audit)
    ledger = commands.add_parser("ledger", help="the ledger").add_subparsers(required=True, metavar="COMMAND")
    add("upgrade", _ledger_upgrade, "bring the ledger's tables up to date", to=ledger)
    add("clean", _clean, "remove all local state; refused if the ledger ever really sent")
    return root


def _playbook(sub: argparse.ArgumentParser, default: str | None = None) -> None:
    sub.add_argument("playbook", metavar="PLAYBOOK", nargs="?" if default else None, default=default)


def _source(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--source", help="a folder or object-store URL with the contract's tables")
    sub.add_argument("--as-of", type=_instant, help="decide as of this instant; older than 24 h is a dry run only")


def _of_run(sub: argparse.ArgumentParser, default: str = "the last") -> None:
    sub.add_argument("--run", help=f"a run's id (default: {default})")


def _instant(text: str) -> datetime:
    """An ISO 8601 instant; a bare date is its midnight in UTC, a time without zone is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date or time; write 2026-11-24 or 2026-11-24T11:00+00:00"
        ) from None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _settings(arguments: argparse.Namespace) -> Settings:
    from reactivation.orchestration.connections import settings_from_environment

    settings = settings_from_environment()
    source = getattr(arguments, "source", None)
    # everything from there, whatever the playbooks say
    return replace(settings, source=source, named_sources=None) if source else settings


def _workspace(arguments: argparse.Namespace) -> Workspace:
    from reactivation.steps.workspace import open_workspace

    return open_workspace(_settings(arguments))


# --- output ---------------------------------------------------------------------------------------------------------
def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _json(value: object) -> None:
    json.dump(value, sys.stdout, indent=2, default=str, ensure_ascii=False)
    print()


def _rows(arguments: argparse.Namespace, title: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> None:
    if arguments.json:
        _json(rows)
    elif arguments.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(columns)
        writer.writerows([_cell(row[c]) for c in columns] for row in rows)
    else:
        _table(title, columns, ([_cell(row[c]) for c in columns] for row in rows))


def _table(title: str, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    Console().print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, Mapping):
        return json.dumps(value, default=str)
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


if __name__ == "__main__":
    sys.exit(main())
