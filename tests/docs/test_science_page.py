"""docs/science.md quotes what the science room has."""

from __future__ import annotations

import re
from pathlib import Path

from reactivation.science import (
    backtest,
    harm,
    hazards,
    likelihood,
    proportions,
    response,
    scoring,
    sequential,
)  # fmt: skip

ROOT = Path(__file__).parents[2]
PAGE = " ".join((ROOT / "docs" / "science.md").read_text(encoding="utf-8").split())
ROOM = ROOT / "plugins" / "reactivation" / "science"


def test_every_module_is_on_the_page() -> None:
    """All that is asked of the room, and nothing that it does not have."""
    modules = {file.stem for file in ROOM.glob("*.py")} - {"__init__", "arrays", "errors"}
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert modules <= named
    assert named - modules == {"hazard", "none", "lifetimes"}, "two methods, and a library that is not used"


def test_the_numbers_of_the_rules_are_those_of_the_code() -> None:
    """Where the page says how many, how sure and how long, it says what is used."""
    quoted = (
        f"H = {scoring.HORIZON_DAYS},",
        f"fewer than {likelihood.LEAST_CUSTOMERS} customers who bought again",
        f"fewer than {hazards.LEAST_CUSTOMERS} customers to learn from",
        f"by {hazards.DRAWN_BY:g} customers' weight",
        f"lower bound of {response.CREDIBILITY:.0%}".replace("%", " %"),
        f"probability above {response.SURE}".replace("0.", "."),
        f"at least {response.LEAST_SENT} people on both",
        f"e ≥ K/{sequential.ALPHA}".replace("0.", "."),
        f"q in {{{', '.join(f'{q:g}' for q in harm.TIMES)}}}",
        f"stop at {harm.STOP_AT:g}",
        f"above the limit from {harm.ALERT_FROM_SENDS:,} sends",
        f"from {harm.ABSOLUTE_FROM_SENDS:,} sends, it stops without evidence",
        f"p < {proportions.SAMPLE_RATIO_P}".replace("0.", "."),
    )
    assert [sentence for sentence in quoted if sentence not in PAGE] == []
    assert (backtest.BANDS, harm.ABSOLUTE_TIMES) == (10, 3), "ten bands, three times the limit"
