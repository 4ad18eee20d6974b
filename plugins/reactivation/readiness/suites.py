"""Runs the reviewed suites of ``expectations/`` with Great Expectations, called directly, in memory.

A suite says of each expectation which condition it is, when it is asked, why, on which source it rests and how to fix
it (``meta``). Great Expectations gives the verdict; a check that raises is told apart from data that fails.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Set
from typing import Any

import pandas as pd

from reactivation import paths
from reactivation.readiness.verdict import ConditionResult

#: Above this many rows Great Expectations is not asked which rows failed, only how many.
_ROWS_NAMED = 1_000


class Checker:
    """One in-memory context of Great Expectations, for as many suites as a verdict needs."""

    def __init__(self) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        # it takes seconds to import: only where a verdict is asked for
        import great_expectations as gx  # noqa: PLC0415
        from great_expectations.data_context.types.base import (  # noqa: PLC0415
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        in_memory = DataContextConfig(  # the default context leaves a temporary folder behind
            store_backend_defaults=InMemoryStoreBackendDefaults(), progress_bars=ProgressBarsConfig(globally=False)
        )
        self._suite = gx.ExpectationSuite
        source = gx.get_context(mode="ephemeral", project_config=in_memory).data_sources.add_pandas("frames")
        self._frame = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")

    def ask(
        self, name: str, frame: pd.DataFrame, asked: Set[str], parameters: Mapping[str, Any]
    ) -> list[ConditionResult]:
        """The results of suite ``expectations/<name>.json`` on the frame, in the suite's order.

        ``asked`` are the values of ``meta.when`` that apply; ``parameters`` fill the suite's ``$PARAMETER`` values.
        """
        suite = json.loads((paths.EXPECTATIONS / f"{name}.json").read_text(encoding="utf-8"))
        chosen = [e for e in suite["expectations"] if e["meta"]["when"] in asked]
        try:
            found = self._run(name, chosen, frame, parameters)
        except Exception as error:  # whatever a check raises blocks the run: unknown is no
            return [_broken(name, e, type(error).__name__) for e in chosen]
        return [
            _judged(name, expectation, found[number], frame, parameters)
            if number in found
            else _broken(name, expectation, "no result came back")
            for number, expectation in enumerate(chosen)
        ]

    def _run(
        self, name: str, chosen: list[dict[str, Any]], frame: pd.DataFrame, parameters: Mapping[str, Any]
    ) -> dict[int, Any]:
        """Great Expectations' results by the place of the expectation: it does not keep their order."""
        numbered = [{**e, "meta": {"place": place}} for place, e in enumerate(chosen)]
        result = self._frame.get_batch(batch_parameters={"dataframe": frame}).validate(
            self._suite(name=name, expectations=numbered),
            expectation_parameters=dict(parameters),
            result_format={"result_format": "COMPLETE" if len(frame) <= _ROWS_NAMED else "BASIC"},
        )
        return {one.expectation_config.meta["place"]: one.to_json_dict() for one in result.results}


def _judged(
    name: str, expectation: Mapping[str, Any], found: Mapping[str, Any], frame: pd.DataFrame,
    parameters: Mapping[str, Any],
) -> ConditionResult:  # fmt: skip
    if found["exception_info"].get("raised_exception", True):
        return _broken(name, expectation, "Great Expectations raised an exception")
    meta, result, passed = expectation["meta"], found["result"], bool(found["success"])
    rows = frame.iloc[[] if passed else result.get("unexpected_index_list") or []]
    count = 0 if passed else int(result.get("unexpected_count", 0))
    words = {
        "count": count,
        "of": result.get("element_count", 0),
        "value": _value(expectation, result, frame),
        "limit": _limit(expectation, "max_value", parameters),
        "affected": int(rows[meta["affected"]].sum()) if "affected" in meta else count,
        "names": ", ".join(dict.fromkeys(map(str, rows[meta["names"]]))) if "names" in meta else "",
        "file": "".join(frame.get("file", [])[:1]),
    }
    return ConditionResult(
        id=meta["condition"],
        subject=name,
        why=meta["why"],
        source=meta["source"],
        observed="as needed" if passed else meta["found"].format(**words),
        threshold=_threshold(expectation, parameters),
        severity=expectation["severity"],
        passed=passed,
        affected=words["affected"],
        fix=meta["fix"].format(**words),
    )


def _broken(name: str, expectation: Mapping[str, Any], problem: str) -> ConditionResult:
    meta = expectation["meta"]
    return ConditionResult(
        id=meta["condition"],
        subject=name,
        why=meta["why"],
        source=meta["source"],
        observed="unknown",
        threshold="unknown",
        severity=expectation["severity"],
        passed=False,
        affected=0,
        fix=f"Correct expectations/{name}.json ({expectation['type']}), or its input, and run again.",
        broken=problem,
    )


def _value(expectation: Mapping[str, Any], result: Mapping[str, Any], frame: pd.DataFrame) -> Any:  # noqa: ANN401
    """What was found where one value is asked about: a number of rows, or the fact in a frame of one row."""
    if "observed_value" in result:
        return result["observed_value"]
    return next(iter(frame[expectation["kwargs"]["column"]]), None)


def _limit(expectation: Mapping[str, Any], name: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
    declared = expectation["kwargs"].get(name)
    return parameters[declared["$PARAMETER"]] if isinstance(declared, dict) else declared


def _threshold(expectation: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    words = {"value": "exactly {}", "min_value": "at least {}", "max_value": "at most {}", "mostly": "at least {:.1%}"}
    limits = {name: _limit(expectation, name, parameters) for name in words}
    said = [words[name].format(limit) for name, limit in limits.items() if limit is not None]
    if "value_set" in expectation["kwargs"]:
        allowed = expectation["kwargs"]["value_set"]
        said.insert(0, f"one of {len(allowed)} known ones" if len(allowed) > 3 else " or ".join(map(_word, allowed)))
    return " for ".join(said) or "a value in every row"


def _word(value: object) -> str:
    return "yes" if value is True else str(value)
