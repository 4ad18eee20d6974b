"""The steps as Airflow tasks. Each opens the workspace, calls one function of ``steps`` and logs counts.

Between tasks travels our run id and nothing else; what a step may build on is read in the ledger. Nothing heavy is
imported when a DAG file is read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, task
from airflow.sdk.exceptions import AirflowSkipException

from reactivation.orchestration import pools
from reactivation.orchestration.assets import LISTS, QUESTIONS, SNAPSHOT
from reactivation.orchestration.judging import JudgingOperator
from reactivation.orchestration.notifiers import StoppedNotifier
from reactivation.orchestration.rooms import explained, open_rooms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow.sdk import CronTriggerTimetable

    from reactivation.steps.workspace import Workspace

log = logging.getLogger(__name__)

OWNER = "marketing-operations"
EVERY_SEGMENT = "every segment"
#: Set in Airflow, it stops what it names (``steps.stopping``); taking it away resumes nothing.
STOP_VARIABLE = "reactivation_stop"
#: For the network and the database; what a second try cannot mend fails at once (``rooms.explained``).
RETRIES: dict[str, Any] = {"owner": OWNER, "retries": 2, "retry_delay": timedelta(seconds=30)}


def at(cron: str) -> CronTriggerTimetable:
    """A schedule in UTC whose first run is its next moment; a cron string would first catch up with its last one."""
    from airflow.sdk import CronTriggerTimetable

    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))


def trigger_form(segments: tuple[str, ...]) -> dict[str, Param]:
    """What may be chosen when a playbook is started by hand. The defaults are what the schedule does."""
    return {
        "segment": Param(
            EVERY_SEGMENT, type="string", enum=[EVERY_SEGMENT, *segments], title="Business segment",
            description="Whom to consider: everybody, or one segment (a good first pilot).",
        ),
        "sample_size": Param(
            None, type=["null", "integer"], minimum=1, maximum=10_000, title="At most this many new customers",
            description="Leave empty for as many as the playbook's daily intake allows.",
        ),
        "dry_run": Param(
            False, type="boolean", title="Dry run",
            description="Decide, plan and draft, and write the evidence; enrol nobody and ask nobody.",
        ),
    }  # fmt: skip


def playbook_settings(playbook: str, segments: tuple[str, ...]) -> dict[str, Any]:
    """What the DAGs of all playbooks have in common: each runs on a new snapshot, one run at a time, and tells people
    when it stopped."""
    return {
        "schedule": [SNAPSHOT], "catchup": False, "max_active_runs": 1, "params": trigger_form(segments),
        "tags": ["reactivation", "playbook"],
        "default_args": RETRIES | {"on_failure_callback": StoppedNotifier(playbook)},
    }  # fmt: skip


def take_snapshot() -> JudgingOperator:
    """A full read of every source at one instant, with the structural part of readiness."""
    return JudgingOperator(task_id="take_snapshot", python_callable=_take_snapshot, outlets=[SNAPSHOT])


@task
def begin(playbook: str, *, params: Mapping[str, Any] | None = None, dag_run: Any = None) -> str:
    """Opens a run of ours over the latest ready snapshot; returns its id."""
    from reactivation.steps.begin import begin_run

    chosen = params or {}
    segment = chosen.get("segment")
    with explained():
        workspace = open_rooms()
        return begin_run(
            workspace, playbook, now=workspace.now(), dry=bool(chosen.get("dry_run")),
            segment=None if segment == EVERY_SEGMENT else segment, sample_size=chosen.get("sample_size"),
            triggered_by=dag_run.triggering_user_name or "schedule",
        )  # fmt: skip


@task
def decide(run: str) -> None:
    """Every gate of every candidate, into ``decisions.parquet``."""
    from reactivation.steps.decide import decide_run

    _step(decide_run, run)


def readiness(run: str) -> JudgingOperator:
    """May this run go on? Not ready fails here, and nobody has been touched."""
    return JudgingOperator(task_id="readiness", python_callable=_readiness, op_args=[run])


@task(trigger_rule="one_failed", outlets=[QUESTIONS])
def ask_compliance() -> None:
    """Calls ``ask_people`` when a stopped run may be waived; what may be is in the ledger. Else it is skipped."""
    _only_with_questions()


@task
def plan(run: str) -> None:
    """Intake, enrolments and touches in the approval horizon."""
    from reactivation.steps.plan import plan_run

    _step(plan_run, run)


@task
def draft(run: str) -> None:
    """The exact bytes of each touch in the horizon."""
    from reactivation.steps.draft import draft_run

    _step(draft_run, run)


@task(outlets=[LISTS])
def open_lists(run: str) -> None:
    """Freezes what is to be signed. Skipped, so that nobody is called, when there is nothing to ask."""
    from reactivation.steps.lists import open_lists as step

    _step(step, run)
    _only_with_questions()


@task
def open_questions() -> list[str]:
    """The ids of the questions that no request shows yet."""
    from reactivation.steps.answers import questions_to_ask

    with explained():
        workspace = open_rooms()
        return questions_to_ask(workspace, workspace.now())


@task(pool=pools.SENDING)
def send_due() -> None:
    """Claims, asks the source again, sends what is signed and still allowed."""
    from airflow.sdk import Variable

    from reactivation.steps.dispatch import dispatch
    from reactivation.steps.stopping import copy_variable

    with explained():
        workspace = open_rooms()
        for scope in copy_variable(workspace, Variable.get(STOP_VARIABLE, default=None), workspace.now()):
            log.warning("stopped by the variable %s: %s", STOP_VARIABLE, scope)
        log.info("sent: %s", asdict(dispatch(workspace, workspace.now())))


@task(outlets=[QUESTIONS])
def ask_about_sending() -> None:
    """Calls ``ask_people`` when somebody has to say whether stopped messages may go on, or whether one was sent. Else
    skipped."""
    _only_with_questions()


@task
def ask_providers() -> None:
    """What providers were told: opt-outs, complaints, dead addresses, replies. Fails when one does not answer, after
    the others."""
    from reactivation.steps.hearing import hear_providers

    with explained():
        workspace = open_rooms()
        heard = hear_providers(workspace, workspace.now())
        log.info("heard of providers: %s", heard.counts)
        heard.require_all()


@task(trigger_rule="all_done")
def record_what_came_back() -> None:
    """Opt-outs first, then events, exits and tags."""
    from reactivation.steps.outcomes import record_outcomes

    with explained():
        workspace = open_rooms()
        log.info("recorded: %s", record_outcomes(workspace, workspace.now()))


@task
def watch_variants() -> None:
    """Pauses the variants, their segments and the playbooks that are worse or do harm. After the recording, so that it
    counts what has come back; an owner is asked by ``ask_about_sending``."""
    from airflow.sdk import get_current_context

    from reactivation.orchestration.telling import tell_owners
    from reactivation.steps.monitoring import monitor_all

    with explained():
        workspace = open_rooms()
        for report in monitor_all(workspace, workspace.now()):
            for pause in report.paused:
                log.warning("paused: %s %s %s (%s)", pause.playbook, pause.variant, pause.segment, pause.because)
            for alert in report.alerted:
                tell_owners(workspace, alert, get_current_context())


@task
def write_tags_back() -> None:
    """Who bears which tag, to where ``REACTIVATION_TAGS_TO`` says. After the recording and only after it: a CRM that
    refuses fails this task and nothing else."""
    from reactivation.steps.writing_back import write_tags_back as step

    with explained():
        done = step(open_rooms())
        if done:
            log.info("tags written back: %s", done)


@task
def write_segments_back() -> None:
    """Who is in which segment by the last real runs, to where ``REACTIVATION_SEGMENTS_TO`` says; like the tags, and
    apart from them, so that a refusal of the one keeps nothing of the other back."""
    from reactivation.steps.writing_back import write_segments_back as step

    with explained():
        done = step(open_rooms())
        if done:
            log.info("segments written back: %s", done)


@task
def purge_what_is_past() -> None:
    """What is past its time goes, and the audit trail says what. Fails when a file is damaged, after the others."""
    from reactivation.steps.purge import purge

    with explained():
        workspace = open_rooms()
        done = purge(workspace, workspace.now())
        log.info("purged: %s rows of %s folders; stopped by a hold: %s", done.rows, done.folders, done.stopped)
        done.require_whole()


def playbook_run(playbook: str) -> None:
    """The tasks of one playbook's DAG: the same for every playbook, as the command line runs them."""
    run = begin(playbook)
    judged = readiness(run)
    decide(run) >> judged >> plan(run) >> draft(run) >> open_lists(run)
    judged >> ask_compliance()


def _take_snapshot() -> None:
    from reactivation.steps.snapshot import take_snapshot as step

    with explained():
        workspace = open_rooms()
        log.info("snapshot %s", step(workspace, now=workspace.now()))


def _readiness(run: str) -> None:
    from reactivation.steps.readiness import check_readiness

    _step(check_readiness, run)


def _step(step: Callable[[Workspace, str, datetime], object], run: str) -> None:
    with explained():
        workspace = open_rooms()
        log.info("run %s: %s", run, step(workspace, run, workspace.now()))


def _only_with_questions() -> None:
    """Skips the task, so that nobody is called, when there is nothing to ask."""
    from reactivation.steps.answers import questions_to_ask

    with explained():
        workspace = open_rooms()
        if not questions_to_ask(workspace, workspace.now()):
            raise AirflowSkipException("no question waits to be asked")
