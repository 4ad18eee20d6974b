"""Asks Great Expectations the questions of a suite, in memory, and tells what came of each.

Great Expectations gives the verdict; which rows failed we say ourselves, whole, and the two must count the same. A
check that cannot be made (an exception, a missing column, a suite that is refused) is told apart from data that fails.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, reduce
from numbers import Real
from typing import Any

import pandas as pd
import pyarrow as pa

from reactivation import paths
from reactivation.contract.tables import TEXT
from reactivation.playbooks.words import Severity, WeighedCondition
from reactivation.readiness.answered import Said, answered
from reactivation.readiness.conditions import conditions
from reactivation.readiness.suites import Expectation, Kwargs, Parameter, Suite, SuiteError, read_suite
from reactivation.readiness.verdict import ConditionResult

#: Which rows a condition concerns: ids only. ``subject`` is the table or list they are of.
CONCERNED = pa.schema([("condition", TEXT), ("severity", TEXT), ("subject", TEXT), ("key", TEXT)])

_UNKNOWN = "unknown"
#: So many allowed values are named, more only counted.
_FEW = 3


@dataclass(frozen=True)
class Answer:
    """What came of one suite: results in its order, the rows concerned (``CONCERNED``), and what Great Expectations
    said, for its own pages; ``None`` where it could not say anything."""

    results: tuple[ConditionResult, ...]
    rows: pa.Table
    said: Said | None = None


class Checker:
    """One in-memory context of Great Expectations, for as many suites as a verdict needs."""

    def __init__(self, severities: Mapping[WeighedCondition, Severity] | None = None) -> None:
        """``severities``: how the playbook weighs conditions that are its own business."""
        self._severities: dict[str, Severity] = {str(one): how for one, how in (severities or {}).items()}

    @cached_property
    def _frame(self) -> Any:  # noqa: ANN401
        """Where Great Expectations takes a frame from; made for the first question that was not asked before."""
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
        source = gx.get_context(mode="ephemeral", project_config=in_memory).data_sources.add_pandas("frames")
        return source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")

    def ask(
        self, name: str, frame: pd.DataFrame, asked: Set[str], parameters: Mapping[str, Any],
        keys: pa.ChunkedArray | None = None,
    ) -> Answer:  # fmt: skip
        """The results of suite ``expectations/<name>.json`` on the frame, in the suite's order.

        ``asked`` are the values of ``meta.when`` that apply; ``parameters`` fill the suite's ``$PARAMETER`` values;
        ``keys`` are the ids of the frame's rows, where they have any.
        """
        try:
            suite, raw = read_suite(paths.EXPECTATIONS / f"{name}.json")
        except SuiteError as error:
            return Answer((_refused(name, error),), CONCERNED.empty_table())
        places = [place for place, one in enumerate(suite.expectations) if one.meta.when in asked]
        try:
            said = self._said(suite, [raw[place] for place in places], frame, parameters)
            found = said.found
        except Exception as error:  # whatever a check raises blocks the run: unknown is no
            broken = (self._broken(name, suite.expectations[place], type(error).__name__) for place in places)
            return Answer(tuple(broken), CONCERNED.empty_table())
        results, rows = [], []
        for number, place in enumerate(places):
            one = suite.expectations[place]
            try:
                result, of_rows = self._judged(
                    name, one, found.get(number), frame=frame, parameters=parameters, keys=keys
                )
            except Exception as error:  # what cannot be told is not known
                result, of_rows = self._broken(name, one, type(error).__name__), CONCERNED.empty_table()
            results.append(result)
            rows.append(of_rows)
        return Answer(tuple(results), pa.concat_tables([CONCERNED.empty_table(), *rows]), said)

    def _said(
        self, suite: Suite, chosen: list[dict[str, Any]], frame: pd.DataFrame, parameters: Mapping[str, Any]
    ) -> Said:
        """Great Expectations' own result. It does not keep the order, so each expectation has its place in ``meta``."""
        numbered = [{**one, "meta": {"place": place}} for place, one in enumerate(chosen)]

        def ask() -> Any:  # noqa: ANN401
            batch = self._frame.get_batch(batch_parameters={"dataframe": frame})
            # not before ``_frame``, which says that nobody is to be told of our use of the library
            from great_expectations import ExpectationSuite  # noqa: PLC0415

            return batch.validate(
                ExpectationSuite(name=suite.name, expectations=numbered), expectation_parameters=dict(parameters),
                result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
            )  # fmt: skip

        return answered(suite.name, numbered, frame, parameters, ask)

    def _judged(
        self, name: str, asked: Expectation, found: Mapping[str, Any] | None, *, frame: pd.DataFrame,
        parameters: Mapping[str, Any], keys: pa.ChunkedArray | None,
    ) -> tuple[ConditionResult, pa.Table]:  # fmt: skip
        nobody = CONCERNED.empty_table()
        if found is None:
            return self._broken(name, asked, "no result came back"), nobody
        if found["exception_info"].get("raised_exception", True):
            return self._broken(name, asked, "Great Expectations raised an exception"), nobody
        meta, result, passed = asked.meta, found["result"], bool(found["success"])
        limits = _Limits(asked.kwargs, parameters)
        # where Great Expectations found none, nobody need be looked for
        failing = _failing(asked, limits, frame) if result.get("unexpected_count") else pd.Series(False, frame.index)
        if int(failing.sum()) != result.get("unexpected_count", int(failing.sum())):
            return self._broken(name, asked, "two ways of counting the rows disagree"), nobody
        rows = frame[failing.to_numpy()]
        affected = int(rows[meta.affected].sum()) if meta.affected else len(rows)
        words = {
            "count": len(rows),
            "of": result.get("element_count", 0),
            "value": _value(asked, result, frame),
            "limit": limits.max,
            "affected": affected,
            "names": ", ".join(dict.fromkeys(map(str, rows[meta.names]))) if meta.names else "",
            "file": "".join(frame.get("file", [])[:1]),
        }
        told = ConditionResult(
            id=meta.condition,
            subject=name,
            why=meta.why,
            source=meta.source,
            observed="as needed" if passed else meta.found.format(**words),
            threshold=limits.told(),
            severity=self._severity(asked),
            passed=passed,
            affected=0 if passed else affected,
            fix=meta.fix.format(**words),
            column=asked.kwargs.column,
            figure=_figure(asked, limits, failing, frame, result),
            is_share=_is_share(asked),
        )
        if keys is None or passed:
            return told, nobody
        return told, concerned(told, keys.filter(pa.array(failing.to_numpy())))

    def _severity(self, asked: Expectation) -> Severity:
        """The suite's, unless the playbook weighs the condition otherwise; a side remark stays one."""
        declared = conditions()[asked.meta.condition]
        chosen = self._severities.get(asked.meta.condition) if declared.severity_by_playbook else None
        return chosen if chosen is not None and asked.severity == declared.severity else asked.severity

    def _broken(self, name: str, asked: Expectation, problem: str) -> ConditionResult:
        return ConditionResult(
            id=asked.meta.condition,
            subject=name,
            why=asked.meta.why,
            source=asked.meta.source,
            observed=_UNKNOWN,
            threshold=_UNKNOWN,
            severity=self._severity(asked),
            passed=False,
            affected=0,
            fix=f"Correct expectations/{name}.json ({asked.type}), or its input, and run again.",
            column=asked.kwargs.column,
            broken=problem,
        )


def _refused(name: str, error: SuiteError) -> ConditionResult:
    """The one result of a suite that cannot be read: nothing it asks about is known."""
    where = "; ".join(f"line {one.line} {one.field}: {one.message}".replace(" :", ":") for one in error.problems)
    return ConditionResult(
        id="evidence_missing",
        subject=name,
        why="A suite that does not hold together asks nothing, so nothing is known of what it is about.",
        source="ARCHITECTURE.md, invariant 3 (unknown is no)",
        observed=_UNKNOWN,
        threshold=_UNKNOWN,
        severity="critical",
        passed=False,
        affected=0,
        fix=f"Correct expectations/{name}.json ({where}), or put the released file back, and run again.",
        broken="the suite is refused",
    )


def concerned(told: ConditionResult, keys: pa.ChunkedArray) -> pa.Table:
    """``CONCERNED``: these ids, as what a result is about."""
    same = [pa.repeat(word, len(keys)) for word in (told.id, told.severity, told.subject)]
    return pa.table([*same, keys], CONCERNED)


@dataclass(frozen=True)
class _Limits:
    """An expectation's limits, with the playbook's values in their places."""

    kwargs: Kwargs
    parameters: Mapping[str, Any]

    @property
    def min(self) -> Any:  # noqa: ANN401
        return self._of(self.kwargs.min_value)

    @property
    def max(self) -> Any:  # noqa: ANN401
        return self._of(self.kwargs.max_value)

    def told(self) -> str:
        """The limits as words."""
        is_share = (self.kwargs.column or "").endswith("_share")
        found = [
            ("exactly", self.kwargs.value, False), ("at least", self.min, is_share), ("at most", self.max, is_share),
            ("at least", self._of(self.kwargs.mostly), True),
        ]  # fmt: skip
        said = [f"{words} {_number(limit, share)}" for words, limit, share in found if limit is not None]
        if self.kwargs.value_set is not None:
            allowed = self.kwargs.value_set
            said.insert(
                0, f"one of {len(allowed)} known ones" if len(allowed) > _FEW else " or ".join(map(_word, allowed))
            )
        return " for ".join(said) or "a value in every row"

    def _of(self, limit: float | Parameter | None) -> Any:  # noqa: ANN401
        return self.parameters[limit.name] if isinstance(limit, Parameter) else limit


def _failing(asked: Expectation, limits: _Limits, frame: pd.DataFrame) -> pd.Series:
    """Which rows fail, one flag per row."""
    values = frame[asked.kwargs.column]
    if asked.type == "expect_column_values_to_not_be_null":
        return values.isna()
    if asked.type == "expect_column_values_to_be_unique":
        return values.notna() & values.duplicated(keep=False)
    if asked.type == "expect_column_values_to_be_in_set":
        return values.notna() & ~values.isin(list(asked.kwargs.value_set or ()))
    outside = [values < limits.min] if limits.min is not None else []
    outside += [values > limits.max] if limits.max is not None else []
    failing: pd.Series = values.notna() & reduce(lambda a, b: a | b, outside)
    return failing


def _value(asked: Expectation, result: Mapping[str, Any], frame: pd.DataFrame) -> Any:  # noqa: ANN401
    """What was found where one value is asked about: a number of rows, or the fact in a frame of one row."""
    if "observed_value" in result:
        return result["observed_value"]
    return next(iter(frame[asked.kwargs.column]), None)


def _figure(
    asked: Expectation, limits: _Limits, failing: pd.Series, frame: pd.DataFrame, result: Mapping[str, Any]
) -> Decimal | None:
    """The one number to follow from run to run: the worst value, or the share of rows that fail; to six places."""
    if "observed_value" in result:
        return Decimal(result["observed_value"])
    if asked.type != "expect_column_values_to_be_between":
        return round(Decimal(int(failing.sum())) / len(failing), 6) if len(failing) else None
    values = frame[asked.kwargs.column].dropna()
    if values.empty or not isinstance(values.iloc[0], Real):
        return None
    return round(Decimal(float(values.min() if limits.min is not None else values.max())), 6)


def _number(limit: Any, is_share: bool) -> str:  # noqa: ANN401
    if isinstance(limit, datetime):
        return limit.isoformat(timespec="minutes")
    return f"{limit * 100:.4g}%" if is_share else f"{limit:g}"


def _word(value: object) -> str:
    return "yes" if value is True else str(value)


def _is_share(asked: Expectation) -> bool:
    counted = asked.type != "expect_column_values_to_be_between" and asked.kwargs.column is not None
    return counted or (asked.kwargs.column or "").endswith("_share")
