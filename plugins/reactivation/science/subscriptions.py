"""Churn of subscribers, by their contract: what is paid for, what is cancelled, and what falls due.

Who has a contract does not leave silently, so no model of silence is asked. Churned means: no running subscription in
H days' time. A subscription paid for beyond them is certain to run; a cancelled one ends with its period; one that
falls due runs on by the rate at which such periods were renewed; one that has ended by the rate at which ended ones
were taken up again within H days.

Source: METHODS.md section 1; Fader & Hardie (2009), JIM 23(1) on contractual settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reactivation.science.arrays import Flags, Floats, Whole, require, require_one_length

States = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Subscriptions:
    """One row per subscriber: the latest period, as numbers of days (``end`` is the first day no longer paid for), and
    whether it was cancelled."""

    start: Whole
    end: Whole
    cancelled: Flags

    def __post_init__(self) -> None:
        require_one_length(start=self.start, end=self.end, cancelled=self.cancelled)
        require(self.end > self.start, "a period ends after it starts")


@dataclass(frozen=True)
class Renewals:
    """Periods that fell ``due`` and how many were ``renewed``; of those that ``lapsed``, how many ``restarted``
    (``purchase_summary.sql`` counts them)."""

    due: int
    renewed: int
    lapsed: int
    restarted: int

    @property
    def renewal_rate(self) -> float:
        """The posterior mean under Jeffreys' prior: a half while nothing fell due."""
        return (self.renewed + 0.5) / (self.due + 1)

    @property
    def restart_rate(self) -> float:
        """The same of lapsed subscriptions."""
        return (self.restarted + 0.5) / (self.lapsed + 1)


def subscription_states(subscriptions: Subscriptions, as_of: int) -> States:
    """``running``, ``ending`` (cancelled, still paid for) or ``ended``, per subscriber."""
    paid = subscriptions.end > as_of
    return np.where(~paid, "ended", np.where(subscriptions.cancelled, "ending", "running"))


def subscription_churn(subscriptions: Subscriptions, renewals: Renewals, as_of: int, days: int) -> Floats:
    """P(no running subscription ``days`` after day ``as_of``), per subscriber."""
    length, left = subscriptions.end - subscriptions.start, as_of + days - subscriptions.end
    falls_due = np.where(left >= 0, 1 + left // length, 0)
    state = subscription_states(subscriptions, as_of)
    churn: Floats = np.select(
        [state == "ended", state == "ending"],
        [np.full(len(left), 1 - renewals.restart_rate), (left >= 0).astype(float)],
        1 - renewals.renewal_rate**falls_due,
    )
    return churn
