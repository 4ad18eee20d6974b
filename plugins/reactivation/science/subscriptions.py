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

#: A period that begins so many days after the end of the one before renews it; later, it is a restart.
GRACE_DAYS = 7

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
    """Periods that fell ``due`` and how many were ``renewed``; of those that ``lapsed``, how many ``restarted``."""

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


def count_renewals(customers: Whole, start: Whole, end: Whole, until: int, days: int) -> Renewals:
    """What became of the periods that had ended by day ``until``; one row per period, in any order.

    A period counts as due once its grace is over, and as lapsed once ``days`` more could have brought a restart.
    """
    require_one_length(customers=customers, start=start, end=end)
    begun = start <= until
    order = np.lexsort((end[begun], start[begun], customers[begun]))
    who, since, ends = (column[begun][order] for column in (customers, start, end))
    follows = np.r_[who[1:] == who[:-1], False][: len(who)]
    pause = np.where(follows, np.r_[since[1:], 0][: len(who)] - ends, np.iinfo(np.int64).max)
    due = ends + GRACE_DAYS <= until
    renewed = due & (pause <= GRACE_DAYS)
    lapsed = due & ~renewed & (ends + days <= until)
    restarted = lapsed & (pause <= days)
    return Renewals(*(int(np.count_nonzero(those)) for those in (due, renewed, lapsed, restarted)))


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
