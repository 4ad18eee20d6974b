"""Which variant, segment of one, or playbook is to be paused, by what was counted of it. Pure: counts in, findings out.

The narrowest part that the evidence is enough for is paused, and a wider one is judged without what is paused in it, so
that one bad segment does not stop the rest; where nothing would be left, it is paused as a whole. A variant is compared
with the control by the people both had while both were given out: batch by batch, each with its own share, and each
counted until it was paused. What an owner has resumed begins anew: he has read the evidence there was.

Source: METHODS.md section 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.playbooks.model import Playbook
from reactivation.policy.monitor_rules import MonitorRules
from reactivation.policy.pausing import Halt, Part
from reactivation.science.harm import Harm, judge_harm
from reactivation.science.proportions import SAMPLE_RATIO_P, sample_ratio_p
from reactivation.science.sequential import Batch, is_worse, log_e_of

State = Literal["paused", "alert", "uneven", "early", "better", "not_better", "watched"]
Because = Literal["complaints", "unsubscribes", "bounces", "worse"]
HARMS: tuple[Because, ...] = ("complaints", "unsubscribes", "bounces")
#: Counts after an instant (``None``: all), one row per variant and segment: assigned, sends and ``HARMS``.
Counted = Callable[[datetime | None], pa.Table]


@dataclass(frozen=True)
class Split:
    """A batch: share and digest of each variant by name, and what was paused while it was given out."""

    batch_id: str
    began_at: datetime
    arms: Mapping[str, tuple[float, str]]
    paused: Collection[Part]


@dataclass(frozen=True)
class Arm:
    """People whose time to come back is over, and those of them who did."""

    reached: int
    converted: int


@dataclass(frozen=True)
class InBatch:
    """The two arms of one batch; ``share`` is the variant's of the pair, ``until`` the instant they are counted to."""

    batch_id: str
    began_at: datetime
    until: datetime
    share: float
    variant: Arm
    control: Arm


@dataclass(frozen=True)
class Comparison:
    """A variant against the control; ``watched``: how many are, as ``science.sequential`` takes it."""

    batches: Sequence[InBatch]
    log_e: float
    log_e_better: float
    watched: int
    alpha: float

    @property
    def threshold(self) -> float:
        return math.log(self.watched / self.alpha)

    @property
    def is_uneven(self) -> bool:
        """Whether the arms are not the split that was meant: then nothing may be concluded from them."""
        counts = [(one.variant.reached, one.variant.reached + one.control.reached, one.share) for one in self.batches]
        return any(sample_ratio_p(mine, both, share) < SAMPLE_RATIO_P for mine, both, share in counts)

    @property
    def is_worse(self) -> bool:
        return is_worse(self.log_e, self.watched, self.alpha) and not self.is_uneven

    @property
    def is_better(self) -> bool:
        return is_worse(self.log_e_better, self.watched, self.alpha) and not self.is_uneven

    def arm(self, name: Literal["variant", "control"]) -> Arm:
        """One arm over all batches."""
        arms = [getattr(one, name) for one in self.batches]
        return Arm(sum(arm.reached for arm in arms), sum(arm.converted for arm in arms))


@dataclass(frozen=True)
class Finding:
    """What is known of one part. ``because``: why it is to be paused now. ``counts``: assigned, sends and ``HARMS``;
    ``segments``: those counted; ``since``: by variant and segment, what came before was answered for by an owner."""

    part: Part
    state: State
    because: Because | None
    since: Mapping[str, datetime]
    counts: Mapping[str, int]
    segments: Sequence[str]
    harm: Mapping[Because, Harm]
    limits: Mapping[Because, float]
    comparison: Comparison | None

    @property
    def has_people(self) -> bool:
        """Whether anybody got it."""
        return bool(self.counts["assigned"]) or bool(self.comparison and self.comparison.batches)

    @property
    def alerts(self) -> tuple[Because, ...]:
        """The harms a person has to look at."""
        return tuple(name for name in HARMS if self.harm[name].alert)

    def evidence(self, because: Because) -> dict[str, Any]:
        """What a pause for this rests on, so that it can be counted again: counts, limits, batches and shares."""
        since = {name: _text(at) for name, at in self.since.items()}
        told: dict[str, Any] = {"since": since, "segments": list(self.segments), "counts": dict(self.counts)}
        if because != "worse":
            harm = self.harm[because]
            return told | {
                "events": self.counts[because], "sends": self.counts["sends"], "rate": harm.rate,
                "limit": self.limits[because], "log_e": harm.log_e, "stop": harm.stop,
            }  # fmt: skip
        found = self.comparison
        assert found is not None  # noqa: S101 - only what was compared is worse
        batches = [
            vars(one) | {
                "began_at": _text(one.began_at), "until": _text(one.until), "variant": vars(one.variant),
                "control": vars(one.control),
            }
            for one in found.batches
        ]  # fmt: skip
        return told | {
            "log_e": found.log_e, "threshold": found.threshold, "watched": found.watched, "alpha": found.alpha,
            "batches": batches,
        }  # fmt: skip


def judge(
    playbook: Playbook, rules: MonitorRules, *, splits: Sequence[Split], halts: Sequence[Halt], compared: pa.Table,
    counted: Counted, now: datetime,
) -> list[Finding]:  # fmt: skip
    """A finding about each part, the whole playbook first. ``compared``: batch_id, variant, segment, first_at and
    bought_at of everybody written to; ``splits`` and ``halts``: of the playbook, all there ever were."""
    watch = _Watch(playbook, rules, splits, list(halts), _cells(compared, playbook), counted, now)
    return watch.findings(Part())


@dataclass
class _Watch:
    """One look at a playbook. ``halts`` grows by what is to be paused, so that wider parts are judged without it."""

    playbook: Playbook
    rules: MonitorRules
    splits: Sequence[Split]
    halts: list[Halt]
    cells: _Cells
    counted: Counted
    now: datetime

    def findings(self, part: Part) -> list[Finding]:
        """Those of a part and of all that is in it, the part first."""
        before = list(self.halts)
        inside = [self.findings(one) for one in self._within(part)]
        given_out = [first for first, *_ in inside if first.has_people]
        if given_out and all(one.because is not None for one in given_out):
            found_inside, self.halts = self.halts, before
            whole = self.finding(part)
            if whole.because is not None:
                return [whole, *(replace(one, state="paused", because=None) for some in inside for one in some)]
            self.halts = found_inside
        return [self.finding(part), *(one for some in inside for one in some)]

    def _within(self, part: Part) -> list[Part]:
        """The variants of a playbook, the segments of a variant."""
        if part.variant is None:
            return [Part(one.variant) for one in self.playbook.variants]
        return [Part(part.variant, one) for one in sorted(self.playbook.windows)] if part.segment is None else []

    def finding(self, part: Part) -> Finding:
        counts, segments, since = self._counts(part)
        limits = self.rules.limits.model_dump()
        harm = {name: judge_harm(counts[name], counts["sends"], float(limits[name])) for name in HARMS}
        made = Finding(
            part=part, state="watched", because=None, since=since, counts=counts, segments=segments, harm=harm,
            limits={name: float(limits[name]) for name in HARMS}, comparison=self._comparison(part),
        )  # fmt: skip
        if any(h.stands and h.part.covers(part) for h in self.halts):
            return replace(made, state="paused")
        because = next((name for name in HARMS if harm[name].stop is not None), None)
        if because is None and made.comparison is not None and made.comparison.is_worse:
            because = "worse"
        if because is not None:
            self.halts.append(Halt(part, self.now))
            return replace(made, state="paused", because=because)
        return replace(made, state=_state(made))

    def _left_out(self, part: Part, within: Part) -> bool:
        """Whether what is paused alone, ``part``, is not counted in what is wider."""
        return any(h.stands and h.part.covers(part) and not h.part.covers(within) for h in self.halts)

    def _since(self, leaf: Part) -> datetime | None:
        """When an owner last answered for what had come of these people: it is not held against them again."""
        return max((h.until for h in self.halts if h.until is not None and h.part.covers(leaf)), default=None)

    def _counts(self, part: Part) -> tuple[dict[str, int], list[str], dict[str, datetime]]:
        """What is counted of a part, in which segments, and since when where that is not from the beginning."""
        sums, segments, since = dict.fromkeys(("assigned", "sends", *HARMS), 0), set[str](), dict[str, datetime]()
        for ever in self.counted(None).to_pylist():
            leaf = Part(ever["variant"], ever["segment"])
            if not part.covers(leaf) or self._left_out(leaf, part):
                continue
            segments.add(ever["segment"])
            resumed, row = self._since(leaf), ever
            if resumed is not None:
                since["/".join((leaf.variant or "", ever["segment"]))] = resumed
                after = self.counted(resumed).to_pylist()
                row = next(one for one in after if (one["variant"], one["segment"]) == (leaf.variant, leaf.segment))
            sums = {name: count + row[name] for name, count in sums.items()}
        return sums, sorted(segments), since

    def _comparison(self, part: Part) -> Comparison | None:
        control, variant = self.playbook.control, part.variant
        if control is None or variant is None or variant == control:
            return None
        rivals = len(self.playbook.variants) - 1
        segments = sorted(self.playbook.windows) if part.segment is None else [part.segment]
        splits = self._alike(variant, control)
        batches = [one for split in splits if (one := self._in_batch(split, part, segments, control)) is not None]
        mine = [Batch(one.share, one.variant.converted, one.control.converted) for one in batches]
        theirs = [Batch(1 - one.share, one.control.converted, one.variant.converted) for one in batches]
        return Comparison(
            batches, log_e_of(mine), log_e_of(theirs), alpha=float(self.rules.alpha),
            watched=rivals if part.segment is None else rivals * len(self.playbook.windows),
        )  # fmt: skip

    def _alike(self, variant: str, control: str) -> Iterator[Split]:
        """The batches in which both were what they were in the last: whose words were changed since is another."""
        if not self.splits:
            return
        last = self.splits[-1].arms
        for split in self.splits:
            both = [name in split.arms and name in last for name in (variant, control)]
            if all(both) and all(split.arms[name][1] == last[name][1] for name in (variant, control)):
                yield split

    def _in_batch(self, split: Split, part: Part, segments: Sequence[str], control: str) -> InBatch | None:
        share, of_control = split.arms[str(part.variant)][0], split.arms[control][0]
        arms, until = {"variant": Arm(0, 0), "control": Arm(0, 0)}, self.now
        for segment in segments:
            pair = Part(part.variant, segment), Part(control, segment)
            given_out = not any(paused.covers(one) for paused in split.paused for one in pair)
            resumed = self._since(pair[0])
            if not given_out or (resumed is not None and split.began_at < resumed):
                continue
            if any(self._left_out(one, part) for one in pair):
                continue
            halted = [h.since for h in self.halts if h.since >= split.began_at and any(h.part.covers(p) for p in pair)]
            cut = min([self.now, *halted])
            until = min(until, cut)
            for name, one in zip(arms, pair, strict=True):
                more = self.cells.arm(split.batch_id, one, cut)
                arms[name] = Arm(arms[name].reached + more.reached, arms[name].converted + more.converted)
        if not arms["variant"].reached + arms["control"].reached:
            return None
        return InBatch(
            split.batch_id, split.began_at, until, share / (share + of_control), arms["variant"], arms["control"]
        )


def _state(made: Finding) -> State:
    if made.alerts:
        return "alert"
    found = made.comparison
    if found is None:
        return "watched"
    if not found.batches:
        return "early"
    if found.is_uneven:
        return "uneven"
    return "better" if found.is_better else "not_better"


@dataclass(frozen=True)
class _Cells:
    """By batch, variant and segment: when each person's time is over, in microseconds, and whether he came back."""

    of: Mapping[tuple[str, str, str], tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]]

    def arm(self, batch_id: str, part: Part, cut: datetime) -> Arm:
        over, converted = self.of.get((batch_id, str(part.variant), str(part.segment)), _NOBODY)
        counted = over <= _micros(cut)
        return Arm(int(np.count_nonzero(counted)), int(np.count_nonzero(counted & converted)))


_NOBODY = (np.empty(0, np.int64), np.empty(0, np.bool_))


def _cells(compared: pa.Table, playbook: Playbook) -> _Cells:
    after = timedelta(days=playbook.measurement.compared_after_days) // timedelta(microseconds=1)
    frame = compared.select(["batch_id", "variant", "segment"]).to_pandas()
    frame["over"] = compared["first_at"].cast(pa.int64()).to_numpy() + after
    bought = pc.fill_null(compared["bought_at"].cast(pa.int64()), np.iinfo(np.int64).max).to_numpy()
    frame["converted"] = bought <= frame["over"]
    groups = frame.groupby(["batch_id", "variant", "segment"], sort=True)
    return _Cells({key: (rows["over"].to_numpy(), rows["converted"].to_numpy()) for key, rows in groups})


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
