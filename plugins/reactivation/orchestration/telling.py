"""Tells compliance that data is not ready, and owners that something does harm, by any of Airflow's notifiers, and
keeps whether that worked.

``REACTIVATION_NOTIFIER`` is JSON: ``{"notifier": "airflow.providers.http.notifications.HttpNotifier", "arguments":
{"http_conn_id": "…", "json": {"text": "{{ stopped.message }} {{ stopped.page }}"}}}``. Its templates see ``stopped``:
``kind``, ``id``, ``message`` (conditions, codes and counts, nothing personal), ``page`` and ``people`` (user ids).
Without it the task's log is the notice. Airflow itself swallows what goes wrong in a notifier; here it is recorded.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
from collections.abc import Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier

from reactivation.steps.settings import ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from reactivation.steps.monitoring import Alert
    from reactivation.steps.readiness import NotReady
    from reactivation.steps.workspace import Workspace

log = logging.getLogger(__name__)

VARIABLE = "REACTIVATION_NOTIFIER"
#: A notifier that does not answer must not keep the task from failing.
_SECONDS = 30
#: Where whoever is told looks first.
_FIRST_PAGE = "/reactivation/"


def tell_compliance(stopped: NotReady, page: str, context: Context) -> None:
    """Tell everybody with the compliance role, and record whom, by which means, and whether it failed."""
    from reactivation.orchestration.rooms import open_rooms

    workspace = open_rooms()
    people = [signer.user_id for signer in workspace.owners.by_role("compliance")]
    told = {
        "kind": stopped.kind, "id": stopped.subject_id, "message": stopped.message, "page": _address(page),
        "people": people,
    }  # fmt: skip
    log.error("not ready: %s %s. For compliance (%s): %s", stopped.kind, stopped.subject_id, ", ".join(people), page)
    _tell(workspace, told, context, who="compliance")


def tell_owners(workspace: Workspace, alert: Alert, context: Context) -> None:
    """Tell the owners of a part that it does more harm than the limit, and is not stopped for want of evidence."""
    people = sorted(alert.people)
    told = {
        "kind": "alert", "id": alert.scope, "message": alert.message, "page": _address(_FIRST_PAGE), "people": people,
    }  # fmt: skip
    log.error("for %s: %s", ", ".join(people), alert.message)
    _tell(workspace, told, context, who="owners")


def _tell(workspace: Workspace, told: Mapping[str, Any], context: Context, *, who: str) -> None:
    """By the notifier there is, and on record."""
    from reactivation.steps.readiness import record_told

    try:
        notifier = notifier_from_environment()
        means = "log" if notifier is None else type(notifier).__name__
        problem = None if notifier is None else _notify(notifier, {**context, "stopped": told})
    except ConfigurationError as error:
        log.error("%s", error)
        means, problem = "notifier", "misconfigured"
    record_told(
        workspace, told["id"], people=told["people"], means=means, problem=problem, now=workspace.now(), who=who
    )  # fmt: skip


def notifier_from_environment() -> BaseNotifier | None:
    """The notifier that is configured. Raises ``ConfigurationError`` for one that cannot be made."""
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    try:
        given = json.loads(text)
        module, _, name = str(given["notifier"]).rpartition(".")
        made = getattr(importlib.import_module(module), name)(**given.get("arguments", {}))
    except (ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        raise ConfigurationError(
            f"{VARIABLE} makes no notifier ({type(error).__name__}); write "
            '{"notifier": "MODULE.CLASS", "arguments": {…}} with a class of an installed provider'
        ) from None
    if not isinstance(made, BaseNotifier):
        raise ConfigurationError(f"{VARIABLE}: {given['notifier']} is no Airflow notifier")
    return made


def _notify(notifier: BaseNotifier, context: Any) -> str | None:  # Airflow's context has fixed keys, and ours one more
    """Nothing when it worked, else the name of what went wrong: its words may hold a secret."""
    problems: list[str] = ["timed_out"]

    def work() -> None:
        try:
            notifier.render_template_fields(context)
            notifier.notify(context)
            problems.clear()
        except Exception as error:  # whatever it is, it is recorded and the task fails as it must
            log.warning("the notifier failed: %s", type(error).__name__)
            problems[:] = [type(error).__name__]

    thread = Thread(target=work, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return problems[0] if problems else None


def _address(page: str) -> str:
    from airflow.sdk.configuration import conf

    return str(conf.get("api", "base_url", fallback="")).rstrip("/") + page
