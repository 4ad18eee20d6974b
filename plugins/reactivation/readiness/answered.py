"""What Great Expectations said is kept as long as the process lives: to the same questions about the same frame it says
the same again, and to say it takes it much longer than to compare the two.

The playbooks of a morning share their snapshot, and what one table has hardly changes from day to day.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

import pandas as pd

from reactivation.readiness.data_docs import page_of

#: A larger frame is seldom asked about twice, and is long to compare.
_LARGEST = 10_000
#: So many answers are kept, each of some kilobytes; the oldest goes first.
_MOST = 500


@dataclass(frozen=True, eq=False)
class Said:
    """Great Expectations' result of a suite; ``found``: what came of each question, by its place; ``page``: its own
    page. Whoever asks the same is given the same, so that nobody may change it."""

    result: Any

    @cached_property
    def found(self) -> Mapping[int, Mapping[str, Any]]:
        return {one.expectation_config.meta["place"]: one.to_json_dict() for one in self.result.results}

    @cached_property
    def page(self) -> str:
        return page_of(self.result)


_kept: dict[str, Said] = {}
_keeping = Lock()


def answered(
    name: str, questions: Sequence[Mapping[str, Any]], frame: pd.DataFrame, parameters: Mapping[str, Any],
    ask: Callable[[], Any],
) -> Said:  # fmt: skip
    """Great Expectations' result: the one it gave to the same suite ``name``, expectations, values of the parameters
    they name, and rows, or what ``ask`` returns. A result in which a check could not be made is not kept."""
    if len(frame) > _LARGEST:
        return Said(ask())
    # Equal bytes are of equal frames: dtypes, index and every value are in them.
    asked = pickle.dumps((name, list(questions), _named(questions, parameters), frame))
    key = hashlib.sha256(asked).hexdigest()
    with _keeping:
        kept = _kept.get(key)
    if kept is not None:
        return kept
    said = Said(ask())
    if not any(one.exception_info.get("raised_exception", True) for one in said.result.results):
        with _keeping:
            while len(_kept) >= _MOST:
                del _kept[next(iter(_kept))]
            _kept[key] = said
    return said


def _named(questions: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that these expectations ask for, with their values."""
    limits = (limit for one in questions for limit in one["kwargs"].values())
    named = sorted({limit["$PARAMETER"] for limit in limits if isinstance(limit, Mapping)})
    return {name: parameters.get(name) for name in named}
