"""What a gate is, and how a ladder of them is climbed: every gate is asked, the first that fails decides.

A gate is a small function from columns to one column of results (``pass``, ``fail:…``, ``review:…``, ``drop:…``). It
fails closed: an exception in it fails everybody it was asked about, an empty result fails that row, and a no that is
unknown is a no.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow.compute as pc

from reactivation.policy.columns import arrow, choose, constant, holds, holds_or_unknown, joined, listed, series
from reactivation.policy.context import Context
from reactivation.policy.decisions import FAIL, PASS, REVIEW, Outcome

_LOG = logging.getLogger(__name__)

Test = Callable[[pd.DataFrame, Context], pd.Series]


@dataclass(frozen=True)
class Gate:
    """One ordered question: what its no leads to, and the word its reasons begin with."""

    name: str
    test: Test
    on_no: Outcome
    prefix: str


def verdict(*cases: tuple[str | pd.Series, pd.Series], otherwise: str | pd.Series = PASS) -> pd.Series:
    """The result of the first case whose condition holds or is unknown, else ``otherwise``."""
    return choose([(holds_or_unknown(condition), result) for result, condition in cases], otherwise)


def ask(gates: Sequence[Gate], facts: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Every gate's result, in a column ``gate_<name>`` each; never empty."""
    return pd.DataFrame({f"gate_{gate.name}": _ask(gate, facts, context) for gate in gates})


def failed(result: pd.Series) -> pd.Series:
    """Whether a gate's result is a no."""
    return result.str.startswith(FAIL)


def decide(gates: Sequence[Gate], results: pd.DataFrame, review_reasons: pd.Series) -> pd.DataFrame:
    """decision and reason_codes: the first failing gate's outcome, else ``review`` if a reason asks so, else ``enrol``.

    ``review_reasons`` is a column of lists. Reasons are ``<prefix>:<reason>``, the decisive one first.
    """
    fails = [(failed(results[f"gate_{gate.name}"]), gate) for gate in gates]
    codes = [_code(results[f"gate_{gate.name}"], gate.prefix) for gate in gates]
    asked = review_reasons.list.len() > 0
    stopped = choose([(no, gate.on_no) for no, gate in fails], None)
    decision = choose([(stopped.notna(), stopped), (holds(asked), "review")], "enrol")
    reasons = series(pc.if_else(arrow(decision == "review"), arrow(review_reasons), arrow(listed(*codes))))
    return pd.DataFrame({"decision": decision, "reason_codes": reasons})


def reviews(gate: str, results: pd.DataFrame) -> pd.Series:
    """The reason for which a gate asks for a person, else empty."""
    result = results[f"gate_{gate}"]
    return choose([(result.str.startswith(REVIEW), result.str.slice(len(REVIEW)))], None)


def _code(result: pd.Series, prefix: str) -> pd.Series:
    reason = result.str.slice(len(FAIL))
    complete = reason.str.contains(":", regex=False)
    return choose([(failed(result) & complete, reason), (failed(result), joined(f"{prefix}:", reason))], None)


def _ask(gate: Gate, facts: pd.DataFrame, context: Context) -> pd.Series:
    try:
        return gate.test(facts, context).fillna(f"{FAIL}unknown")
    except Exception as error:
        _LOG.error("gate %s failed for everybody: %s", gate.name, type(error).__name__)
        return constant(f"{FAIL}error", len(facts))
