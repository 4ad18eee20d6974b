"""What each command does: open the rooms, take one step, print what came of it. Each returns its exit code.

Steps are imported where they are used, so that help and errors in usage come at once.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from reactivation.cli.output import print_json, print_rows, print_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reactivation.steps.settings import Settings
    from reactivation.steps.workspace import Workspace

OK, WRONG, NOT_READY = 0, 2, 3

CANDIDATE_COLUMNS = (
    "customer_id", "business_segment", "value_tier", "dormant_days", "last_activity_at", "inactivity_reason",
    "churn", "priority", "recommended_channel", "email_basis", "next_best_action", "decision", "reason_codes",
    "owner_id",
)  # fmt: skip


def check(arguments: argparse.Namespace) -> int:
    from reactivation.playbooks.quality import quality
    from reactivation.steps.check import check

    findings = check(_settings(arguments))
    if arguments.json:
        print_json([asdict(f) for f in findings])
    for finding in [] if arguments.json else findings:
        print(finding)
    if not findings:
        gates = [name for name, gate in quality().gates.items() if gate.of_playbook]
        say("playbooks, templates, offers, owners, tenant, rules and suites hold together")
        say(f"quality gates that hold of every playbook: {', '.join(gates)}")
    return WRONG if findings else OK


def sample(arguments: argparse.Namespace) -> int:
    from reactivation.sample import dress, generate

    rest = {"seed": arguments.seed, "format": arguments.format}
    as_of = arguments.as_of
    if as_of is not None and as_of.tzinfo is None:  # whose company it will be, nobody knows yet
        as_of = as_of.replace(tzinfo=UTC)
    if arguments.purchases:
        summary = dress(arguments.purchases, arguments.out, as_of=as_of, **rest)
    else:
        as_of = as_of or _this_hour()
        summary = generate(arguments.out, customers=arguments.customers, as_of=as_of, **rest)
    if arguments.json:
        print_json(asdict(summary))
    else:
        rows = [(table, rows, summary.dirty.get(table, 0)) for table, rows in summary.rows.items()]
        print_table("sample CRM", ("table", "rows", "dirty"), rows)
        say(f"written to {arguments.out} as of {summary.as_of.isoformat()}; its README.txt tells what is in it")
    return OK


def run(arguments: argparse.Namespace) -> int:
    from reactivation.steps.funnel import funnel
    from reactivation.steps.whole import RunRequest, run_playbook

    workspace = workspace_of(arguments)
    request = RunRequest(
        arguments.playbook, dry=arguments.dry_run, segment=arguments.segment, sample_size=arguments.sample_size,
        triggered_by=arguments.user,
    )  # fmt: skip
    run_id = run_playbook(workspace, request, now=workspace.now(), as_of=_at(workspace, arguments.as_of), say=say)
    counts = funnel(workspace, run_id)
    if arguments.json:
        print_json({"run_id": run_id, "dry": arguments.dry_run, "funnel": counts})
    else:
        print_table(f"{arguments.playbook} · run {run_id}", ("stage", "customers"), counts.items())
    return OK


def readiness(arguments: argparse.Namespace) -> int:
    from reactivation.steps.whole import readiness_only

    workspace = workspace_of(arguments)
    at = _at(workspace, arguments.as_of)
    report, rows = readiness_only(workspace, arguments.playbook, now=workspace.now(), as_of=at)
    if arguments.json:
        print_json(report)
    elif arguments.csv:
        print_rows(arguments, "rows concerned", rows.column_names, rows.to_pylist())
    else:
        for one in (c for c in report["conditions"] if not c["passed"]):
            print(_failed(one))
        print(report["message"].partition(".")[0] + "." if report["ready"] else "Not ready.")
    return OK if report["ready"] else NOT_READY


def _failed(one: Mapping[str, Any]) -> str:
    """One check that failed, as a few lines."""
    found = f"the check itself failed ({one['broken']})" if one["broken"] else one["observed"]
    lines = [
        f"{one['id']} ({one['subject']}, {'blocks' if one['blocks'] else one['severity']})",
        f"  found   {found}", f"  needed  {one['threshold']}", f"  why     {one['why']} [{one['source']}]",
        f"  fix     {one['fix']}", "",
    ]  # fmt: skip
    return "\n".join(lines)


def candidates(arguments: argparse.Namespace) -> int:
    from reactivation.steps.results import decisions_of

    run_id, decisions = decisions_of(workspace_of(arguments), arguments.playbook, arguments.run)
    rows = decisions.select(list(CANDIDATE_COLUMNS)).to_pylist()
    print_rows(arguments, f"candidates of run {run_id}", CANDIDATE_COLUMNS, rows)
    return OK


def plan(arguments: argparse.Namespace) -> int:
    from reactivation.steps.calendar import SCHEDULE, calendar, schedule

    found = schedule(workspace_of(arguments), arguments.playbook, arguments.run)
    rows = calendar(found) if arguments.calendar else found.to_pylist()
    columns = (list(rows[0]) if rows else ["day"]) if arguments.calendar else SCHEDULE.names
    print_rows(arguments, f"plan of {arguments.playbook}", columns, rows)
    return OK


def explain(arguments: argparse.Namespace) -> int:
    from reactivation.steps.explain import explain_customer

    told = explain_customer(workspace_of(arguments), arguments.customer, arguments.playbook, arguments.run)
    if arguments.json:
        print_json(
            {"customer_id": arguments.customer, "playbook": arguments.playbook, "told": told.splitlines()}
        )  # fmt: skip
    else:
        print(told)
    return OK


def brief(arguments: argparse.Namespace) -> int:
    from reactivation.steps.account_brief import brief_of
    from reactivation.steps.brief_file import brief_html

    workspace = workspace_of(arguments)
    with workspace.ledger.begin() as conn:
        made = brief_of(
            workspace, conn, arguments.playbook, arguments.account, run_id=arguments.run, personal=False
        )  # fmt: skip
    if arguments.html is not None:
        arguments.html.write_text(brief_html(made, personal=False), encoding="utf-8")
        say(f"the brief of account {arguments.account} is in {arguments.html}")
    elif arguments.json:
        print_json(asdict(made))
    else:
        print(made.markdown(), end="")
    return OK


def reopen(arguments: argparse.Namespace) -> int:
    from reactivation.steps.deciding import reopen

    workspace = workspace_of(arguments)
    question_id = reopen(workspace, arguments.playbook, arguments.account, workspace.now())
    say(f"the owner of account {arguments.account} is asked: question {question_id}")
    return OK


def exception(arguments: argparse.Namespace) -> int:
    from reactivation.steps.exceptions import refuse_exception

    workspace = workspace_of(arguments)
    now = workspace.now()
    told = refuse_exception(workspace, arguments.customer, arguments.playbook, user=arguments.user, now=now)
    if arguments.json:
        print_json({"refused": told})
    else:
        say(told)
    return WRONG


def preview(arguments: argparse.Namespace) -> int:
    from reactivation.steps.preview import preview

    workspace = workspace_of(arguments)
    shown = preview(workspace, arguments.playbook, arguments.touch, arguments.customer, workspace.now())
    if arguments.json:
        print_json(asdict(shown))
    elif shown.draft is None:
        print(f"no draft for {arguments.customer}: {shown.reason}")
    else:
        subject = shown.draft["subject"]
        heading = f"To: {shown.draft['recipient']}\n" + (f"Subject: {subject}\n" if subject else "")
        print(f"{heading}\n{shown.draft['text']}")
    return OK


def dispatch(arguments: argparse.Namespace) -> int:
    from reactivation.steps.dispatch import dispatch

    workspace = workspace_of(arguments)
    given = _at(workspace, arguments.now)
    now = workspace.now() if given is None else workspace.accept_clock(given)
    summary = dispatch(workspace, now)
    if arguments.json:
        print_json(asdict(summary))
    else:
        print_table(f"dispatch at {now.isoformat(timespec='minutes')}", ("outcome", "touches"), asdict(summary).items())
    return OK


def outcomes(arguments: argparse.Namespace) -> int:
    from reactivation.steps.errors import EXPECTED_ERRORS
    from reactivation.steps.hearing import hear_providers
    from reactivation.steps.outcomes import record_outcomes
    from reactivation.steps.writing_back import write_segments_back, write_tags_back

    workspace = workspace_of(arguments)
    heard = hear_providers(workspace, workspace.now())
    for silent in heard.silent:
        say(f"error: {silent}")
    counts = Counter(heard.counts) + Counter(record_outcomes(workspace, workspace.now()))
    code = WRONG if heard.silent else OK
    for write_back in (write_tags_back, write_segments_back):
        try:
            counts += Counter(write_back(workspace))
        except EXPECTED_ERRORS as error:  # what came back is recorded, and shown
            say(f"error: {error}")
            code = WRONG
    shown = dict(sorted({"asked": 0, "events": 0, "suppressions": 0, **counts}.items()))
    if arguments.json:
        print_json(shown)
    else:
        print_table("outcomes", ("what", "count"), shown.items())
    return code


def tags(arguments: argparse.Namespace) -> int:
    from reactivation.steps.tagged import COLUMNS, tagged

    rows = tagged(workspace_of(arguments), arguments.playbook)
    print_rows(arguments, f"tagged in {arguments.playbook}", COLUMNS, rows)
    return OK


def segment(arguments: argparse.Namespace) -> int:
    from reactivation.steps.segmented import COLUMNS, segment_members

    rows = segment_members(workspace_of(arguments), arguments.playbook, arguments.name, arguments.run)
    print_rows(arguments, f"{arguments.name} of {arguments.playbook}", COLUMNS, rows)
    return OK


def metrics(arguments: argparse.Namespace) -> int:
    from reactivation.steps.metrics import FIGURE_COLUMNS, SHOWN, metrics, shown

    workspace = workspace_of(arguments)
    as_of = _at(workspace, arguments.as_of)
    found = metrics(workspace, arguments.playbook, workspace.now(), as_of, arguments.by)
    if arguments.json:
        print_json(asdict(found))
    elif arguments.csv:
        print_rows(arguments, found.playbook, FIGURE_COLUMNS, [asdict(figure) for figure in found.figures])
    else:
        at = found.at.isoformat(timespec="minutes")
        print_table(f"{found.playbook} · candidates of run {found.run_id}, outreach up to {at}", SHOWN, shown(found))
    return OK


def audit_verify(arguments: argparse.Namespace) -> int:
    from reactivation.steps.audit import verify_audit

    report = verify_audit(workspace_of(arguments))
    if arguments.json:
        print_json(asdict(report))
    else:
        print(report)
    return OK if report.intact else WRONG


def ledger_upgrade(arguments: argparse.Namespace) -> int:
    from reactivation.ledger import migrations

    migrations.upgrade(_settings(arguments).ledger_url)
    say("the ledger is up to date")
    return OK


def clean(arguments: argparse.Namespace) -> int:
    from reactivation.steps.clean import clean

    settings = _settings(arguments)
    clean(settings)
    say(f"removed {settings.home}")
    return OK


def _this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _settings(arguments: argparse.Namespace) -> Settings:
    from reactivation.orchestration.connections import settings_from_environment

    settings = settings_from_environment()
    source = getattr(arguments, "source", None)
    # everything from there, whatever the playbooks say
    return replace(settings, source=source, named_sources=None) if source else settings


def _at(workspace: Workspace, given: datetime | None) -> datetime | None:
    """The instant asked for; one without a zone is on the tenant's clock."""
    if given is None or given.tzinfo is not None:
        return given
    return given.replace(tzinfo=ZoneInfo(workspace.tenant.timezone)).astimezone(UTC)


def workspace_of(arguments: argparse.Namespace) -> Workspace:
    """The rooms of this installation, opened."""
    from reactivation.steps.workspace import open_workspace

    return open_workspace(_settings(arguments))
