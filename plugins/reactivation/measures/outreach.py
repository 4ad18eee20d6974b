"""What the outreach came to: figures over what was signed, sent and came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from reactivation.measures.counting import Outreach, Row
from reactivation.measures.crediting import credit_figures, removal_figures
from reactivation.measures.figures import NOT_ENOUGH, Figure, ratio, share, shares
from reactivation.measures.waiting import waiting_figures
from reactivation.measures.windows import VALUE_DAYS


@dataclass(frozen=True)
class Answers:
    """Counts by word: what owners said of messages, what providers said of sends, why enrolments ended, and why people
    may not be written to any more."""

    verdicts: Mapping[str, int]
    sends: Mapping[str, int]
    exits: Mapping[str, int]
    suppressed: Mapping[str, int]


def outreach_figures(answers: Answers, outreach: Outreach) -> list[Figure]:
    """Every figure that the ledger has of what was written."""
    judged, ended = sum(answers.verdicts.values()), sum(answers.exits.values())
    return [
        *(Figure("suppressed_since", reason, count) for reason, count in _largest_first(answers.suppressed)),
        share("outreach_approved", answers.verdicts["signed"], judged),
        *(share("outreach_approved", answers.verdicts[word], judged, word) for word in ("held", "rejected")),
        *(Figure("sends", state, answers.sends.get(state, 0)) for state in ("accepted", "refused", "unknown")),
        *people_figures(outreach),
        *_discount_use(outreach.offers),
        Figure("closed_reasons", count=ended),
        *shares("closed_reasons", answers.exits, ended),
        *cohort_figures(outreach.cohorts),
        *credit_figures(outreach.credits),
        *removal_figures(outreach.journeys),
        *_efficiency(outreach.offers),
    ]  # fmt: skip


def people_figures(outreach: Outreach) -> list[Figure]:
    """What the people did who were written to, and what it was worth."""
    totals = outreach.totals
    written, delivered, reactivated = totals["written_to"], totals["delivered_to"], totals["reactivated"]
    return [
        share("response_rate", totals["responded"], delivered),
        share("reactivations", reactivated, written),
        share("unsubscribes", totals["unsubscribed"], delivered),
        share("complaints", totals["complained"], delivered),
        share("bounces", totals["bounced"], written),
        share("repeat_purchases", totals["bought_again"], reactivated,
              note=f"{totals['repeat_purchases']} further purchases"),
        *_money("retained_revenue", "retained", outreach.money),
        *waiting_figures(outreach.waits),
        *(_seen(figure, totals) for figure in _money("reactivated_ltv", "value", outreach.money)),
    ]  # fmt: skip


def _largest_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _discount_use(offers: list[Row]) -> list[Figure]:
    sent = {row["offer_id"]: row["codes_sent"] for row in offers}
    whole = share("discount_use", sum(row["redeemed"] for row in offers), sum(sent.values()))
    return [whole, *(_redeemed(row) for row in offers)]


def _redeemed(row: Row) -> Figure:
    of_codes = share("discount_use", row["redeemed"], row["codes_sent"], row["offer_id"], _unknown(row))
    return replace(of_codes, cost=row["cost"], currency=row["currency"])


def _unknown(row: Row) -> str | None:
    return f"cost of {row['cost_unknown']} unknown" if row["cost_unknown"] else None


def _money(measure: str, window: str, rows: Iterable[Row]) -> list[Figure]:
    """An amount per currency; what no source priced is said."""
    found = [
        Figure(measure, count=row["customers"], amount=row["amount"], currency=row["currency"],
               note=f"{row['unpriced']} without an amount" if row["unpriced"] else None)
        for row in rows if row["window"] == window
    ]  # fmt: skip
    return found or [Figure(measure, count=0, amount=Decimal(0), note=NOT_ENOUGH)]


def _seen(figure: Figure, totals: Row) -> Figure:
    """Lifetime value says for how many the whole window has passed."""
    if figure.note is not None:
        return figure
    note = f"{totals['seen_for_long']} of {totals['reactivated']} seen for all {VALUE_DAYS} days"
    return replace(figure, note=note)


def cohort_figures(rows: list[Row]) -> list[Figure]:
    """Of everybody decided about, and of each week; ``rows`` as ``measured_cohorts`` counts them."""
    whole = share(
        "reactivation_rate_by_cohort", sum(row["reactivated"] for row in rows), sum(row["candidates"] for row in rows)
    )
    weeks = (
        share("reactivation_rate_by_cohort", row["reactivated"], row["candidates"], f"week of {row['week']}")
        for row in rows
    )
    return [whole, *weeks]


def whole_efficiency(offers: list[Row]) -> list[Figure]:
    """Revenue ÷ cost of all offers together, one figure per currency in which a code was redeemed."""
    figures = []
    for currency in sorted({row["currency"] for row in offers if row["currency"] is not None}):
        mine = [row for row in offers if row["currency"] == currency]
        revenue, cost = (sum((row[name] or Decimal(0) for row in mine), Decimal(0)) for name in ("revenue", "cost"))
        unknown = _unknown({"cost_unknown": sum(row["cost_unknown"] for row in mine)})
        figures.append(
            Figure("incentive_efficiency", count=sum(row["redeemed"] for row in mine), rate=ratio(revenue, cost),
                   amount=revenue, cost=cost, currency=currency, note=unknown or (None if cost else NOT_ENOUGH))
        )  # fmt: skip
    return figures


def _efficiency(offers: list[Row]) -> list[Figure]:
    figures = [
        Figure("incentive_efficiency", row["offer_id"], row["redeemed"], rate=ratio(row["revenue"], row["cost"]),
               amount=row["revenue"], cost=row["cost"], currency=row["currency"],
               note=_unknown(row) or (None if row["cost"] else NOT_ENOUGH))
        for row in offers
    ]  # fmt: skip
    types = sorted({row["incentive"] for row in offers})
    figures += [
        replace(figure, by=f"all of {of_type}")
        for of_type in types
        for figure in whole_efficiency([row for row in offers if row["incentive"] == of_type])
    ]
    return figures or [Figure("incentive_efficiency", note=NOT_ENOUGH)]
