"""What was said once is said again, and only to the very same question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from reactivation.readiness import answered as module
from reactivation.readiness.answered import Said, answered

FRAME = pd.DataFrame({"source": ["crm", "shop"], "hours_old": [1.0, 2.0]})
#: A limit of the playbook's, and one of the suite's.
AT_MOST = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "hours_old", "max_value": {"$PARAMETER": "stale_after_hours"}},
    "meta": {"place": 0},
}
UNIQUE = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "source"}, "meta": {"place": 1}}


@dataclass
class Result:
    exception_info: dict[str, bool]


@dataclass
class Results:
    results: list[Result]


@dataclass
class Asked:
    """Answers, and counts how often it had to."""

    raised: bool = False
    times: int = 0

    def __call__(self) -> Results:
        self.times += 1
        return Results([Result({"raised_exception": self.raised})])


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "_kept", {})
    return


def ask(
    asked: Asked, *, name: str = "sources", questions: tuple[Mapping[str, Any], ...] = (AT_MOST, UNIQUE),
    frame: pd.DataFrame = FRAME, hours: int = 24, joined: float = 0.9,
) -> Said:  # fmt: skip
    return answered(name, questions, frame, {"stale_after_hours": hours, "joined_share": joined}, asked)


def test_the_same_question_is_asked_once() -> None:
    asked = Asked()
    assert ask(asked) is ask(asked, frame=FRAME.copy())
    assert asked.times == 1


def test_a_value_no_question_names_makes_no_difference() -> None:
    """The playbooks of a morning differ in limits that this suite does not ask for."""
    asked = Asked()
    ask(asked)
    ask(asked, joined=0.5)
    assert asked.times == 1


@pytest.mark.parametrize("change", [
    {"name": "sizes"},
    {"questions": (AT_MOST,)},
    {"questions": (AT_MOST, UNIQUE | {"kwargs": {"column": "hours_old"}})},
    {"hours": 25},
    {"frame": FRAME.assign(hours_old=[1.0, 2.5])},
    {"frame": FRAME.assign(hours_old=[1, 2])},
    {"frame": FRAME.iloc[:1]},
    {"frame": FRAME.iloc[::-1]},
    {"frame": FRAME.rename(columns={"source": "system"})},
], ids=["suite", "questions", "column", "limit", "value", "type", "rows", "order", "name"])  # fmt: skip
def test_whatever_is_different_is_asked_about(change: dict[str, Any]) -> None:
    """No edit of a suite or a playbook and no row of a snapshot goes unseen while the process lives."""
    asked = Asked()
    ask(asked)
    ask(asked, **change)
    assert asked.times == 2


def test_a_check_that_could_not_be_made_is_made_again() -> None:
    asked = Asked(raised=True)
    ask(asked)
    ask(asked)
    assert asked.times == 2


def test_the_oldest_goes_when_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    asked = Asked()
    for hours in (1, 2, 3, 3, 1):
        ask(asked, hours=hours)
    assert asked.times == 4


def test_a_large_frame_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST", 1)
    asked = Asked()
    ask(asked)
    ask(asked)
    assert asked.times == 2
