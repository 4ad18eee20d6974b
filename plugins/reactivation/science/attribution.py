"""Which touches a reactivation is put down to.

Only eligible touches (delivered) before it and within the window count; a reactivation without one is nobody's. By
default the last one has all of it. Attribution divides what happened among touches; what would have happened without
any is told by the holdout (``incrementality``) and belongs beside it.

Channels can also be told by what would be lost without each (``removal``). Touches cannot: in a fixed ladder each path
begins with touch 1, which would have all of it.

Source: METHODS.md section 4; Anderl, Becker, von Wangenheim and Schumann, Mapping the customer journey (International
Journal of Research in Marketing 33, 2016), the chain of first order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reactivation.science.arrays import Floats, Whole, require, require_one_length

Rule = Literal["last", "position", "linear"]

#: First and last touch of three or more; those between share the rest. Two share evenly.
_ENDS = 0.4


@dataclass(frozen=True, eq=False)
class Moments:
    """One row per touch, or per reactivation: a customer's whole number and a time in any one unit (say, seconds)."""

    customer: Whole
    at: Whole

    def __post_init__(self) -> None:
        require_one_length(customer=self.customer, at=self.at)


@dataclass(frozen=True, eq=False)
class Credit:
    """One row per reactivation and touch with a share in it: positions in the columns given, and the ``share``.

    Ordered by reactivation, then by time; the shares of a reactivation sum to 1.
    """

    reactivation: Whole
    touch: Whole
    share: Floats


@dataclass(frozen=True, eq=False)
class Journeys:
    """Which channels people were reached by, one after the other.

    One row per step, the steps of a journey together and in their order: the number of the ``journey`` and of the
    ``channel``, each from 0. One row per journey: how many people went that way and ``converted``, and how many were
    ``lost``. Every journey has a step.
    """

    journey: Whole
    channel: Whole
    converted: Whole
    lost: Whole

    def __post_init__(self) -> None:
        require_one_length(journey=self.journey, channel=self.channel)
        require_one_length(converted=self.converted, lost=self.lost)
        require(np.diff(self.journey) >= 0, "the steps of a journey stand together")
        require(np.bincount(self.journey, minlength=len(self.converted)) > 0, "a journey has a step")
        require(np.r_[self.converted, self.lost] >= 0, "nobody is less than nobody")


@dataclass(frozen=True, eq=False)
class Removal:
    """The chain's chance of ``conversion``; by channel, the share of it that is lost without the channel (``effect``),
    and the same divided by their sum (``share``)."""

    conversion: float
    effect: Floats
    share: Floats


def attribute(reactivations: Moments, touches: Moments, window: int, rule: Rule = "last") -> Credit:
    """A touch counts from the moment after it until ``window`` after it, inclusive. Of touches at one time, the one
    later in the columns is the later one."""
    require(window > 0, "a window is longer than nothing")
    order = np.lexsort((touches.at, touches.customer))
    customer, at = touches.customer[order], touches.at[order]
    first = _places(customer, at, reactivations.customer, reactivations.at - window)
    end = _places(customer, at, reactivations.customer, reactivations.at)
    count = end - first
    whose = np.repeat(np.arange(len(count)), count)
    position = np.arange(len(whose)) - np.repeat(np.cumsum(count) - count, count)
    share = _shares(position, count[whose], rule)
    some = share > 0
    return Credit(whose[some], order[first[whose] + position][some], share[some])


def removal(journeys: Journeys) -> Removal | None:
    """Markov removal effects: 1 - the chance of conversion without the channel ÷ the chance with it, where whoever
    would have gone on to that channel is lost.

    ``None`` where they say nothing: nobody converted, or there is one channel only, without which there is nobody. A
    channel that follows itself changes nothing: what counts is where people go when they leave it.
    """
    people = journeys.converted + journeys.lost
    count = int(journeys.channel.max(initial=-1)) + 1
    if len(np.unique(journeys.channel)) < 2 or journeys.converted.sum() == 0:
        return None
    same = np.diff(journeys.journey) == 0
    first, last = np.r_[True, ~same], np.r_[~same, True]
    weight, channel = people[journeys.journey], journeys.channel
    begun = np.bincount(channel[first], weight[first], count)
    moved = np.bincount(channel[:-1][same] * count + channel[1:][same], weight[:-1][same], count**2)
    converted = np.bincount(channel[last], journeys.converted, count)
    passed = np.maximum(np.bincount(channel, weight, count), 1)
    begin, move, convert = begun / begun.sum(), moved.reshape(count, count) / passed[:, None], converted / passed
    # One chain per row: the first with every channel, then without each, which nobody begins with or moves to.
    kept = np.r_[np.ones((1, count)), 1 - np.eye(count)]
    stays = np.eye(count) - move * kept[:, None, :]
    chance = np.linalg.solve(stays, np.broadcast_to(convert[:, None], (count + 1, count, 1)))[..., 0]
    reached = (kept * begin * chance).sum(axis=1)
    effect: Floats = np.maximum(1 - reached[1:] / reached[0], 0)  # nobody comes back because a channel is gone
    share: Floats = effect / effect.sum()
    return Removal(float(reached[0]), effect, share)


def _places(customer: Whole, at: Whole, of: Whole, time: Whole) -> Whole:
    """Before how many of the sorted touches each (customer, time) belongs."""
    everything = np.lexsort((
        np.r_[np.ones(len(at), np.int8), np.zeros(len(time), np.int8)], np.r_[at, time], np.r_[customer, of],
    ))  # fmt: skip
    asked = everything >= len(at)
    before = np.cumsum(~asked)
    places = np.empty(len(time), dtype=np.int64)
    places[everything[asked] - len(at)] = before[asked]
    return places


def _shares(position: Whole, count: Whole, rule: Rule) -> Floats:
    last = position == count - 1
    even: Floats = np.divide(1.0, count)
    if rule == "last":
        alone: Floats = last.astype(np.float64)
        return alone
    if rule == "linear":
        return even
    between = (1 - 2 * _ENDS) / np.maximum(count - 2, 1)
    shares: Floats = np.where(count <= 2, even, np.where(last | (position == 0), _ENDS, between))
    return shares
