"""How customers were scored in a run: method and parameters by segment, and how good it was in the days held out."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from reactivation.cli.commands import OK, workspace_of
from reactivation.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping

_METHODS = ("segment", "customers", "method", "AUC", "predicted ÷ seen", "seen", "returned", "parameters", "because")
_BANDS = ("segment", "customers", "predicted", "used", "seen", "between", "and")
_SPENDING = ("segment", "currency", "customers", "method", "p, q, v", "correlation", "because")
_CONTRACTS = ("segment", "customers", "periods due", "renewed", "rate", "lapsed", "restarted", "restart rate")


def scores(arguments: argparse.Namespace) -> int:
    from reactivation.steps.results import scoring_of

    run_id, told = scoring_of(workspace_of(arguments), arguments.playbook, arguments.run)
    if arguments.json:
        print_json({"run": run_id, **told})
        return OK
    segments = told["segments"]
    print_table(f"scores of run {run_id}, fitted at {told['fitted_at']}", _METHODS, map(_method, segments.items()))
    tested = [(name, one["scores"]["backtest"] or {}) for name, one in segments.items()]
    bands = [(name, band) for name, backtest in tested for band in backtest.get("bands", ())]
    print_table("the last 90 days, held out", _BANDS, (_band(*one) for one in bands))
    print_table("what an order comes to", _SPENDING, (
        _spending(name, currency, fit) for name, one in segments.items() for currency, fit in one["spending"].items()
    ))  # fmt: skip
    contracts = [(name, one["subscriptions"]) for name, one in segments.items() if "subscriptions" in one]
    print_table("subscriptions", _CONTRACTS, (_contract(*one) for one in contracts))
    say("a probability is read as about; a hazard is held against the very days it was learned from")
    return OK


def _method(segment: tuple[str, Mapping[str, Any]]) -> list[Any]:
    name, told = segment
    found, fit = told["scores"], told["scores"]["fit"]
    test = found["backtest"] or {}
    parameters = {} if fit is None else fit["purchasing"]
    return [
        name, told["customers"], found["method"], test.get("auc"), test.get("level"), test.get("customers"),
        test.get("returned"), ", ".join(f"{key} {parameters[key]}" for key in ("r", "alpha", "a", "b") if parameters),
        found["because"],
    ]  # fmt: skip


def _band(segment: str, band: Mapping[str, Any]) -> list[Any]:
    interval = band["interval"] or {}
    return [segment, band["customers"], band["predicted"], band["recalibrated"], band["rate"], interval.get("low"),
            interval.get("high")]  # fmt: skip


def _spending(segment: str, currency: str, fit: Mapping[str, Any]) -> list[Any]:
    model = fit.get("spending")
    parameters = ", ".join(model[name] for name in ("p", "q", "v")) if model else None
    return [segment, currency, fit.get("customers"), fit["method"], parameters, fit.get("correlation"),
            fit.get("sentence")]  # fmt: skip


def _contract(segment: str, told: Mapping[str, Any]) -> list[Any]:
    return [segment, told["customers"], told["due"], told["renewed"], told["renewal_rate"], told["lapsed"],
            told["restarted"], told["restart_rate"]]  # fmt: skip
