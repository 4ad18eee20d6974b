"""Maximum likelihood: L-BFGS-B on the logarithms of parameters that are above 0, with their analytic slope.

What has no maximum is said, with its reason; a bad fit is never given out as one.

Source: METHODS.md section 1; Byrd, Lu, Nocedal & Zhu (1995), SIAM J. Sci. Comput. 16(5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

from reactivation.science.arrays import Floats

#: With fewer customers to tell from, the parameters are guesses.
LEAST_CUSTOMERS = 100

#: Of the logarithms; a maximum at the edge is none.
_EDGE, _AT = 8.0, 1e-3
#: Slope per customer at a maximum. The rounding errors of a sum over a million are far below it.
_STEEPEST = 1e-5
#: A search that gave up on the way goes on from where it stopped.
_ATTEMPTS = 2
#: Of the parameters that score. A sum's last digits are the processor's; no score may depend on which one it was.
_DIGITS = 5

#: Linear algebra keeps to one thread in this process: a step of a search is about two to six numbers, and threads that
#: wait for each other over those took fifty times as long. Limited for good, since several searches go on at once.
_ONE_THREAD = ThreadpoolController().limit(limits=1, user_api="blas")

Why = Literal["too_few", "no_convergence", "at_the_edge"]


@dataclass(frozen=True)
class NoFit:
    """Why there is no model, in a word of ``Why`` and in a sentence."""

    why: Why
    sentence: str


@dataclass(frozen=True, eq=False)
class Maximum:
    """The most likely parameters and the log-likelihood there."""

    parameters: Floats
    log_likelihood: float


def maximise(
    log_likelihood: Callable[[Floats], tuple[float, Floats]], start: Floats, customers: int
) -> Maximum | NoFit:
    """The maximum of a log-likelihood over so many customers, told with its slope by each parameter."""

    def loss(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, slope = log_likelihood(parameters)
        return -value / customers, -slope * parameters / customers

    at = np.log(start)
    for _ in range(_ATTEMPTS):
        found = minimize(
            loss, at, jac=True, method="L-BFGS-B", bounds=[(-_EDGE, _EDGE)] * len(at),
            options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-9},
        )  # fmt: skip
        at = found.x
        if np.max(np.abs(at)) > _EDGE - _AT:
            return NoFit("at_the_edge", "the likelihood grows without end: customers do not differ as the model says")
        if np.max(np.abs(found.jac)) < _STEEPEST:
            return Maximum(np.exp(at), -float(found.fun) * customers)
    return NoFit("no_convergence", f"no maximum after {_ATTEMPTS} searches: {found.message}")


def published(value: float) -> float:
    """A parameter with the digits that are used and published."""
    return float(f"{value:.{_DIGITS}g}")
