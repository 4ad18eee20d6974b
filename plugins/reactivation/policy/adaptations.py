"""How the sequence of some differs from everybody's, by rules that the playbook declares, each with its reason.

A rule may leave touches out, keep incentives small, wait, prefer a channel, or give other words. It asks for what the
decision knows: the stage of life, value, dormancy, objections, how the last enrolment ended, the score, and the season.
What is unknown meets no rule. A decision names the rules that were met; what they do is read from the playbook.

Source: seed 000 (advanced version); framework 003 (scores trigger campaigns); METHODS.md sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import and_

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.playbooks.model import Playbook
from reactivation.playbooks.touches import Adaptation, Touch, When
from reactivation.playbooks.words import Channel
from reactivation.policy.arrays import any_of
from reactivation.policy.columns import arrow, choose, constant, contains, holds, listed, series
from reactivation.policy.reasons import objection_of
from reactivation.policy.segments import UNIT

#: What a skipped touch, or a channel, was adapted by.
REASON = "adapted:"


def adaptations(known: pd.DataFrame, playbook: Playbook) -> pd.Series:
    """The names of the rules that each candidate meets, in the playbook's order."""
    met = [choose([(_meets(known, one.when), one.name)], None) for one in playbook.adaptations]
    return listed(*met) if met else listed(constant(None, len(known)))


def skipped_by(touch: Touch, people: pa.Table, playbook: Playbook) -> Iterator[tuple[str, pa.Array]]:
    """The rules that leave a touch out, as reasons, and whose touch it is. ``people`` has ``adaptations``."""
    for one in playbook.adaptations:
        if one.skips(touch):
            yield f"{REASON}{one.name}", _bearers(people, one)


def days_to_wait(people: pa.Table, playbook: Playbook) -> np.ndarray:
    """How many days later each begins: the longest wait of the rules that are met."""
    days = np.zeros(people.num_rows, dtype=np.int64)
    for one in playbook.adaptations:
        if one.wait_days:
            days = np.where(_bearers(people, one).to_numpy(False), np.maximum(days, one.wait_days), days)
    return days


def who_prefer(channel: Channel, people: pa.Table, playbook: Playbook) -> pa.Array:
    """Who is written to by this channel first, where it may be used."""
    prefer = [_bearers(people, one) for one in playbook.adaptations if one.channel == channel]
    return any_of(prefer) if prefer else pa.repeat(False, people.num_rows)


def preferred(known: pd.DataFrame, playbook: Playbook) -> pd.DataFrame:
    """recommended_channel and channel_reason, where a rule prefers a channel that is permitted and can be reached."""
    channel, reason = known["recommended_channel"], known["channel_reason"]
    for one in reversed(playbook.adaptations):
        if one.channel is not None:
            usable = known[f"{one.channel}_ok"] & known[f"{one.channel}_unreachable"].isna()
            mine = holds(usable) & contains(known["adaptations"], one.name)
            channel = choose([(mine, one.channel)], channel)
            reason = choose([(mine, f"{REASON}{one.name}")], reason)
    return pd.DataFrame({"recommended_channel": channel, "channel_reason": reason})


def messages(known: pd.DataFrame, variants: pd.Series, held_out: pd.Series, playbook: Playbook) -> pd.Series:
    """``variants``, but for whom a rule gives a message of its own: the first of the rules that are met. Nothing for
    whoever is held out of all touches."""
    given = [
        (contains(known["adaptations"], one.name) & ~held_out, one.message)
        for one in playbook.adaptations
        if one.message is not None
    ]
    return choose(given, variants) if given else variants


def _bearers(people: pa.Table, one: Adaptation) -> pa.Array:
    return arrow(contains(series(people["adaptations"].combine_chunks()), one.name))


def _meets(known: pd.DataFrame, when: When) -> pd.Series:
    words = (
        (when.lifecycle_stages, known["lifecycle_stage"]), (when.value_tiers, known["value_tier"]),
        (when.dormancy_ranges, known["dormancy_range"]), (when.objections, objection_of(known)),
        (when.earlier_outcomes, known["last_ended_as"]),
    )  # fmt: skip
    bounds = ((when.churn_from, when.churn_below, known["churn"]),
              (when.month_share_from, when.month_share_below, known["month_share"]))  # fmt: skip
    asked = [series(pc.is_in(arrow(column), pa.array(list(any_))).fill_null(False)) for any_, column in words if any_]
    for least, below, column in bounds:
        asked += [holds(column >= round(least * UNIT))] if least is not None else []
        asked += [holds(column < round(below * UNIT))] if below is not None else []
    return reduce(and_, asked)
