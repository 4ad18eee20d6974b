"""Do people complain, unsubscribe or bounce more often than the limit allows?

"Observed is above the limit" is true sooner or later of nearly every stream that is looked at often; the evidence here
is an e-value, the mean of four bets that the true rate is q times the limit, which reaches 20 in at most one stream in
twenty that is within it. Beside it stand an alert, which asks a person, and an absolute stop, which does not wait for
evidence. None of them delays a stop that the law or a provider asks for.

Source: METHODS.md section 3; Waudby-Smith & Ramdas (2024), JRSS B 86(1) on betting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from reactivation.science.arrays import Floats, require
from reactivation.science.errors import ScienceError

#: How many times the limit each bet takes the true rate for.
TIMES = (1.5, 2.0, 3.0, 5.0)
STOP_AT = 20.0
ALERT_FROM_SENDS = 2_000
ABSOLUTE_TIMES, ABSOLUTE_FROM_SENDS = 3, 1_000

Stop = Literal["evidence", "absolute"]


@dataclass(frozen=True)
class Harm:
    """``alert`` asks a person to look; ``stop`` says why nothing more goes out, ``None`` where it may."""

    rate: float | None
    log_e: float
    alert: bool
    stop: Stop | None


def log_e_harm(events: npt.ArrayLike, sends: npt.ArrayLike, limit: float) -> Floats:
    """The logarithm of the evidence that the true rate is above ``limit``: events x among n sends, of any one shape."""
    x, n = np.asarray(events, dtype=float), np.asarray(sends, dtype=float)
    require((x >= 0) & (x <= n), "events are at most as many as sends")
    if not 0 < limit < 1 / max(TIMES):
        raise ScienceError(f"a limit lies between 0 and {1 / max(TIMES)}, not {limit}")
    bets = [x * math.log(q) + (n - x) * (math.log1p(-q * limit) - math.log1p(-limit)) for q in TIMES]
    evidence: Floats = logsumexp(np.stack(bets), axis=0) - math.log(len(TIMES))
    return evidence


def judge_harm(events: int, sends: int, limit: float) -> Harm:
    """What is to be done about so many events among so many sends."""
    log_e = float(log_e_harm(events, sends, limit))
    stop: Stop | None = None
    # What is exactly at three times the limit must not pass by a rounding error.
    if sends >= ABSOLUTE_FROM_SENDS and events >= ABSOLUTE_TIMES * limit * sends * (1 - 1e-12):
        stop = "absolute"
    elif log_e >= math.log(STOP_AT):
        stop = "evidence"
    return Harm(
        rate=events / sends if sends else None,
        log_e=log_e,
        alert=sends >= ALERT_FROM_SENDS and events > limit * sends,
        stop=stop,
    )
