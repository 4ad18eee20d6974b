"""The small files beside the tables: what the sample tells, who may sign, and when the CRM speaks."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from datetime import datetime

from reactivation.paths import OWNERS
from reactivation.sample.cast import Cast
from reactivation.sample.dirt import KINDS
from reactivation.sample.histories import History


@dataclass(frozen=True)
class SampleSummary:
    """What was written: rows (spoilt duplicates included) and spoilt rows of each table, these by kind, some counts."""

    customers: int
    as_of: datetime
    rows: dict[str, int]
    dirty: dict[str, int]
    dirt: dict[str, dict[str, int]]
    counts: dict[str, int]


def source_json(as_of: datetime) -> str:
    """When the source speaks."""
    return json.dumps({"as_of": as_of.isoformat().replace("+00:00", "Z")}) + "\n"


def owners_yaml() -> str:
    """The declared owners of the project: the ids that the sample's contacts, accounts and segments use."""
    return OWNERS.read_text(encoding="utf-8")


def readme(summary: SampleSummary, seed: int, dirty_share: float) -> str:
    """The stories planted in the tables, and how many rows were spoilt in which way."""
    stories = "\n".join(f"  {line}" for line in Cast().lines(summary.customers))
    return f"""Harbour & Finch of Bristol: a sample CRM, speaking as of {summary.as_of.isoformat()}
{"=" * 78}
{
        _SCENE.format(
            customers=summary.customers,
            dormant=summary.counts["dormant"],
            subscribers=summary.counts["subscriber_only"],
        )
    }
{_rows(summary)}

Customers written by hand
{stories}

{_spoilt(summary, dirty_share)}
accounts.csv comes from a spreadsheet: byte order mark and CRLF. Lists are joined by "|".

Made by `reactivation sample --customers {summary.customers} --seed {seed} --as-of {summary.as_of.isoformat()}`.
Every address is below a reserved domain and every number is reserved for fiction: nobody can be reached.
"""


def readme_of_history(
    summary: SampleSummary, history: History, file: str, *, left_out: int, seed: int, dirty_share: float
) -> str:
    """What is real in a dressed history, what its rows were taken for, and what was made up."""
    counted = "\n".join(f"  {name:<27}{count:>16,}" for name, count in history.counts.items())
    taken = (*history.decided, *_DRESSED)
    decided = "\n".join(textwrap.fill(f"- {line}", 110, subsequent_indent="  ") for line in taken)
    scene = _HISTORY_SCENE.format(
        title=history.title, customers=summary.customers, dormant=summary.counts["dormant"], left_out=left_out,
        margins="real where the file has them" if history.margins else "made up, unknown for six in a hundred",
    )  # fmt: skip
    return f"""A real purchase history dressed as a CRM, speaking as of {summary.as_of.isoformat()}
{"=" * 78}
{scene}
Counted in {file}
{counted}

What its rows were taken for
{decided}

{_rows(summary)}

{_spoilt(summary, dirty_share)}
Nothing is spoilt in the purchases. A CSV of accounts comes from a spreadsheet: byte order mark and CRLF.

Made by `reactivation sample --purchases {file} --seed {seed} --as-of {summary.as_of.isoformat()}`.
Every address is below a reserved domain and every number is reserved for fiction: nobody can be reached.
"""


def _rows(summary: SampleSummary) -> str:
    rows = "\n".join(f"  {name:<13}{count:>12,}" for name, count in summary.rows.items())
    return f"Rows (spoilt duplicates included)\n{rows}"


def _spoilt(summary: SampleSummary, dirty_share: float) -> str:
    kinds = "\n".join(f"  {kind:<22}{text}" for kind, text in KINDS.items())
    spoilt = "\n".join(
        f"  {name:<13}" + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds_.items()))
        for name, kinds_ in summary.dirt.items()
    )
    return f"Spoilt rows: {dirty_share:.1%} of each larger table\n{kinds}\nplanted here:\n{spoilt or '  none'}"


_DRESSED = (
    "Who pays a subscription is on a care plan; who bought three times or more, for two and a half times what the usual"
    " customer spends on a purchase, is a business with an account of its own; the rest are households.",
    "The last sign of life is the last purchase or, for some, a visit, click, login or reply up to 120 days later.",
)
_HISTORY_SCENE = """
The purchases are those of {title}; their margins are {margins}.
Everything else is made up around them: people, addresses, accounts, engagements, consents with and
without evidence, suppressions, cases, offers, claims, stock. {customers:,} customers bought, and {dormant:,} of
them have been quiet for longer than is usual in their segment. What the file has after this instant
is left out, {left_out:,} purchases: the CRM does not know it yet.
"""
_SCENE = """
A local home-services company has a list of {customers:,} customers, and {dormant:,} of them have not booked, called
or looked in for longer than is usual in their segment; nine months is a common silence. Who among them
should hear from us? Households book boilers in winter, gardens in spring and gutters in autumn. Care
plans pay by the month. Business accounts have several contacts and an owner, Ben. Most live around
Bristol; some own a home there and live in Germany, France, Ireland, North America or Australia.
Some are high-value regulars, some bought once with a discount. Some gave consent that can be proven,
some a flag without evidence, some said no. {subscribers:,} only read the newsletter and never bought.
Some have an open case, a history that asks for tact, or an address that does not work.
Another newsletter tool writes to them too (engagements "sent", "delivered", "bounce", "complaint").
"""
