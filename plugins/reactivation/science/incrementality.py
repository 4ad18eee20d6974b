"""What was added: people treated against people held out, each counted as assigned (intention to treat).

Source: METHODS.md section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from reactivation.science.proportions import (
    SAMPLE_RATIO_P,
    Interval,
    minimum_detectable_effect,
    newcombe,
    sample_ratio_p,
    wilson,
)  # fmt: skip

NOT_MEASURABLE = "not measurable yet"
WRONG_SPLIT = "the groups are not the split that was meant"


@dataclass(frozen=True)
class Group:
    """People assigned, whether or not anything reached them, and those of them who came back."""

    assigned: int
    returned: int


@dataclass(frozen=True)
class Increment:
    """What treatment added. Rates are of people assigned; ``None`` where there is nothing to take a share of.

    ``customers`` are the reactivations that would not have been, ``share`` their share of all reactivations among the
    treated, ``smallest`` the minimum detectable effect. ``note`` says why nothing may be concluded yet.
    """

    rate: float | None
    rate_interval: Interval | None
    holdout_rate: float | None
    holdout_interval: Interval | None
    difference: float | None
    interval: Interval | None
    customers: float | None
    share: float | None
    smallest: float | None
    sample_ratio_p: float
    note: str | None


def increment(treated: Group, holdout: Group, holdout_share: float) -> Increment:
    """The comparison; ``holdout_share`` is what the experiment meant to hold out (between 0 and 1).

    The smallest detectable effect is taken at the holdout's rate, or at the treated's while nobody held out returned.
    """
    rate, base = _rate(treated), _rate(holdout)
    people = treated.assigned + holdout.assigned
    split = sample_ratio_p(holdout.assigned, people, holdout_share)
    difference = None if rate is None or base is None else rate - base
    interval = newcombe(treated.returned, treated.assigned, holdout.returned, holdout.assigned)
    return Increment(
        rate=rate,
        rate_interval=wilson(treated.returned, treated.assigned),
        holdout_rate=base,
        holdout_interval=wilson(holdout.returned, holdout.assigned),
        difference=difference,
        interval=interval,
        customers=None if difference is None else difference * treated.assigned,
        share=difference / rate if difference is not None and rate else None,
        smallest=minimum_detectable_effect(base or rate or 0.0, treated.assigned, holdout.assigned),
        sample_ratio_p=split,
        note=WRONG_SPLIT if split < SAMPLE_RATIO_P else _conclusion(interval),
    )


def incremental_efficiency(
    revenue: float, treated: Group, holdout_revenue: float, holdout: Group, cost: float
) -> float | None:
    """(Revenue of the treated - what the holdout's says they would have spent anyway) ÷ the cost of *all* redemptions.

    ``None``, not infinity, where nothing was spent or nobody was held out.
    """
    if not cost or not holdout.assigned:
        return None
    return (revenue - holdout_revenue / holdout.assigned * treated.assigned) / cost


def _rate(group: Group) -> float | None:
    return group.returned / group.assigned if group.assigned else None


def _conclusion(interval: Interval | None) -> str | None:
    return NOT_MEASURABLE if interval is None or interval.low <= 0 <= interval.high else None
