"""The same measures of parts of the people or of the messages: a segment, a touch, an offer.

A part is counted by the very statements that count the whole, over its messages alone, so that a number means the same
wherever it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.measures.accounting import account_figures
from reactivation.measures.comparing import count_compared, group_figures
from reactivation.measures.counting import count_outreach
from reactivation.measures.crediting import credit_figures, removal_figures
from reactivation.measures.figures import Figure, share, shares
from reactivation.measures.outreach import cohort_figures, people_figures, whole_efficiency
from reactivation.measures.reviewing import review_figures

#: What people can be divided by: as they were when they were enrolled, or decided about. The column of ``SENT``, and
#: that of ``DECISIONS``. Source: framework 003 (dimensions), seed 000 (value tier).
OF_PEOPLE = {
    "segment": ("segment", "business_segment"),
    **{by: (column, column) for by, column in {
        "dormancy": "dormancy_range", "margin": "margin_class", "contract": "purchase_kind",
        "repeat": "purchase_repeat", "order_value": "aov_tier", "engagement": "engagement_pattern",
        "affinity": "product_affinity", "acquisition": "acquisition_channel", "value": "value_tier",
        "variant": "variant",
    }.items()},
}  # fmt: skip
#: What messages can be divided by: the column of ``SENT``.
OF_MESSAGES = {"channel": "channel", "touch": "number", "offer": "offer_id"}
SPLITS = (*OF_PEOPLE, *OF_MESSAGES)
#: What can be said of one message among several: what a person did in the end is no answer to each of them. Which one
#: brought people back is told by attribution.
_TOLD_OF_MESSAGES = frozenset({"response_rate", "bounces", "discount_use", "incentive_efficiency"})
UNKNOWN = "unknown"


def split_outreach(
    sent: pa.Table, told: pa.Table, by: str, *, response_days: int, reactivated_days: int, now: datetime
) -> list[Figure]:
    """The figures of each part of what was ``sent``; tables as ``ledger.measured`` gives them."""
    column = sent[OF_PEOPLE[by][0] if by in OF_PEOPLE else OF_MESSAGES[by]].cast(pa.string())
    if by not in ("offer", "variant"):  # a message without an offer is of no offer at all
        column = pc.fill_null(column, UNKNOWN)
    nobody = pa.table(
        {"customer_id": pa.array([], pa.string()), "first_at": pa.array([], pa.timestamp("us", tz="UTC"))}
    )
    figures: list[Figure] = []
    for value in sorted(column.drop_null().unique().to_pylist()):
        outreach = count_outreach(
            sent.filter(pc.equal(column, value)), told, nobody, response_days=response_days,
            reactivated_days=reactivated_days, now=now,
        )  # fmt: skip
        codes = [sum(row[name] for row in outreach.offers) for name in ("redeemed", "codes_sent")]
        found = [*people_figures(outreach), share("discount_use", *codes), *whole_efficiency(outreach.offers)]
        wanted = [figure for figure in found if by in OF_PEOPLE or figure.measure in _TOLD_OF_MESSAGES]
        figures += [replace(figure, by=f"{by} {value}") for figure in wanted if figure.by is None]
        if by in OF_PEOPLE:
            credited = [*credit_figures(outreach.credits), *removal_figures(outreach.journeys)]
            figures += [
                replace(figure, by=f"{by} {value}" if figure.by is None else f"{by} {value}, {figure.by}")
                for figure in credited
            ]
    return figures


def split_verdicts(by: str, verdicts: Mapping[str, Mapping[str, int]]) -> list[Figure]:
    """How many messages were approved of each part; ``verdicts`` as ``ledger.measured`` counts them."""
    return [
        share("outreach_approved", said["signed"], sum(said.values()), f"{by} {part}")
        for part, said in sorted(verdicts.items())
    ]


def split_exits(by: str, exits: Mapping[str, Mapping[str, int]]) -> list[Figure]:
    """Why enrolments ended, of each part; ``exits`` as ``ledger.measured`` counts them."""
    return [
        replace(figure, by=f"{by} {part}, {figure.by}")
        for part, reasons in sorted(exits.items())
        for figure in shares("closed_reasons", reasons, sum(reasons.values()))
    ]


def split_accounts(decisions: pa.Table, said: pa.Table, flagged: pa.Array, by: str) -> list[Figure]:
    """What came of the accounts of each part of a run's candidates; messages have no part in them."""
    if by not in OF_PEOPLE:
        return []
    column = pc.fill_null(decisions[OF_PEOPLE[by][1]], UNKNOWN)
    return [
        replace(figure, by=f"{by} {value}" if figure.by is None else f"{by} {value}, {figure.by}")
        for value in sorted(column.unique().to_pylist())
        for figure in account_figures(decisions.filter(pc.equal(column, value)), said, flagged)
    ]


def split_cohorts(
    sent: pa.Table, told: pa.Table, first_decided: pa.Table, by: str, *, response_days: int, reactivated_days: int,
    now: datetime,
) -> list[Figure]:  # fmt: skip
    """The reactivation rate of each part of everybody decided about, and of each of its weeks.

    ``first_decided`` has the column ``part``: what people were when they were first decided about. They are counted
    where they began: who was early to leave is not found among those long gone.
    """
    if by not in OF_PEOPLE:
        return []
    column = pc.fill_null(first_decided["part"], UNKNOWN)
    figures: list[Figure] = []
    for value in sorted(column.unique().to_pylist()):
        decided = first_decided.filter(pc.equal(column, value))
        outreach = count_outreach(
            sent, told, decided, response_days=response_days, reactivated_days=reactivated_days, now=now
        )
        part = f"{by} {value}"
        figures += [
            replace(figure, by=part if figure.by is None else f"{part}, {figure.by}")
            for figure in cohort_figures(outreach.cohorts)
        ]
    return figures


def split_comparison(
    assigned: pa.Table, bought: pa.Table, by: str, *, holdout_share: float, reactivated_days: int, now: datetime
) -> list[Figure]:
    """What was added in each part of everybody assigned; tables as ``ledger.compared`` gives them.

    ``assigned`` has the column ``part``: what people were when they were assigned, in both groups alike. Variants are
    no such parts: nobody held out has one.
    """
    if by not in OF_PEOPLE or by == "variant" or not 0 < holdout_share < 1:
        return []
    column = pc.fill_null(assigned["part"], UNKNOWN)
    figures: list[Figure] = []
    for value in sorted(column.unique().to_pylist()):
        compared = count_compared(
            assigned.filter(pc.equal(column, value)), bought, holdout_share=holdout_share,
            reactivated_days=reactivated_days, now=now,
        )  # fmt: skip
        part = f"{by} {value}"
        figures += [
            replace(figure, by=part if figure.by is None else f"{part}, {figure.by}")
            for figure in group_figures(compared)
        ]
    return figures


def split_review(decisions: pa.Table, by: str, *, accounts_alone: bool = False) -> list[Figure]:
    """The figures of each part of a run's candidates; messages have no part in them."""
    if by not in OF_PEOPLE:
        return []
    column = pc.fill_null(decisions[OF_PEOPLE[by][1]], UNKNOWN)
    return [
        replace(figure, by=f"{by} {value}")
        for value in sorted(column.unique().to_pylist())
        for figure in review_figures(decisions.filter(pc.equal(column, value)), accounts_alone=accounts_alone)
        if figure.by is None
    ]
