"""Reads the DAG folder as Airflow does and says what is there, as JSON. Run in a process and home of its own."""

from __future__ import annotations

import inspect
import json
import logging
import sys
import time
import warnings
from pathlib import Path
from typing import Any

HEAVY = ("pandas", "numpy", "duckdb", "pyarrow", "great_expectations", "reactivation.ledger", "reactivation.steps")


def main(folder: Path, out: Path) -> None:
    """Writes import errors, warnings, the DAGs, what their import loaded and how long each file took."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.providers.standard.operators.hitl import HITLOperator

    logging.disable()
    before = set(sys.modules)
    milliseconds = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        errors: dict[str, str] = {}
        said: list[str] = []
        dags: dict[str, Any] = {}
        for file in sorted(folder.glob("*.py")):
            started = time.process_time()
            bag = DagBag(file, bundle_name="dags-folder")
            milliseconds[file.name] = round(1000 * (time.process_time() - started))
            errors |= bag.import_errors
            said += [str(w) for found in bag.captured_warnings.values() for w in found]
            dags |= bag.dags
    loaded = set(sys.modules) - before
    found = {
        "import_errors": errors,
        "warnings": said + [str(w.message) for w in caught],
        "milliseconds": milliseconds,
        "heavy": sorted(m for m in loaded if m.startswith(HEAVY)),
        "dags": {dag_id: describe(dag, HITLOperator) for dag_id, dag in dags.items()},
    }
    out.write_text(json.dumps(found), encoding="utf-8")


def describe(dag: Any, hitl: type) -> dict[str, Any]:
    """What the tests ask about one DAG."""
    return {
        "tags": sorted(dag.tags), "owners": sorted({t.owner for t in dag.tasks}), "doc": dag.doc_md or "",
        "description": dag.description or "", "catchup": dag.catchup, "max_active_runs": dag.max_active_runs,
        "dagrun_timeout": str(dag.dagrun_timeout) if dag.dagrun_timeout else None,
        "paused": dag.is_paused_upon_creation,
        "schedule": schedule(dag.schedule),
        "run_types": sorted(str(t) for t in dag.allowed_run_types) if dag.allowed_run_types else None,
        "params": {name: param.serialize() for name, param in dag.params.items()},
        "order": [t.task_id for t in dag.topological_sort()],
        "tasks": [task(t, hitl) for t in dag.tasks],
    }  # fmt: skip


def schedule(found: Any) -> Any:
    """The names of assets, or the cron expression and whether the moment before now is made up for."""
    if isinstance(found, list):
        return [asset.name for asset in found]
    if hasattr(found, "objects"):
        return {type(found).__name__: [asset.name for asset in found.objects]}
    return [found.expression, str(found.timezone), found.run_immediately.total_seconds()]


def task(found: Any, hitl: type) -> dict[str, Any]:
    """What the tests ask about one task; a mapped operator is asked as one of its instances would be."""
    kind = found.operator_class if found.is_mapped else type(found)
    asks = inspect.isclass(kind) and issubclass(kind, hitl)
    one = kind(task_id="one", question_id="q") if asks else found
    return {
        "id": found.task_id, "type": kind.__name__, "mapped": found.is_mapped, "asks": asks,
        "mapped_group": found.get_closest_mapped_task_group() is not None,
        "skips": any(c.__name__ in ("SkipMixin", "BranchMixIn") for c in kind.__mro__),
        "retries": found.retries, "pool": found.pool, "template_fields": list(one.template_fields),
        "outlets": [o.name for o in found.outlets],
        "wait": one.response_timeout.total_seconds() if asks and one.response_timeout else None,
        "options": one.options if asks else None, "defaults": one.defaults if asks else None,
        "assigned_to": one.assigned_users if asks else None,
        "expanded_by": type(found).__name__ if found.is_mapped else None,
        "expands": sorted(found._get_specified_expand_input().value) if found.is_mapped else [],
        "links": [link.name for link in kind.operator_extra_links], "trigger_rule": found.trigger_rule.value,
        "downstream": sorted(found.downstream_task_ids),
    }  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
