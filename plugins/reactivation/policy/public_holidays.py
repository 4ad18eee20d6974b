"""The public holidays of the places a person may be in. A country we know nothing about has no known working day.

Source: RULES.md, Timing (no public holiday).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import holidays
import numpy as np


def days_off(places: Iterable[tuple[str, str]], days: np.ndarray) -> np.ndarray | None:
    """Which of ``days`` (``datetime64[D]``) is a holiday in any of the (country, region) places, as booleans.

    An empty country says nothing; a region that is empty or not known counts as every region of its country.
    ``None`` when no place has a country, or a country's holidays are not known.
    """
    known = [(country.upper(), region) for country, region in places if country]
    years = range(days.min().astype(object).year, days.max().astype(object).year + 1)
    off: set[np.datetime64] = set()
    for country, region in known:
        for year in years:
            that_year = _holidays(country, region, year)
            if that_year is None:
                return None
            off |= that_year
    return np.isin(days, np.array(sorted(off), dtype="datetime64[D]")) if known else None


@cache
def _holidays(country: str, region: str, year: int) -> frozenset[np.datetime64] | None:
    regions = _regions(country)
    if regions is None:
        return None
    wanted = region.upper().removeprefix(f"{country}-")
    asked = [regions[wanted]] if wanted in regions else [None, *sorted(set(regions.values()))]
    return frozenset(
        np.datetime64(day, "D") for subdivision in asked
        for day in holidays.country_holidays(country, subdiv=subdivision, years=year)
    )  # fmt: skip


@cache
def _regions(country: str) -> dict[str, str] | None:
    """Codes and names of a country's regions in capitals, with their codes; ``None`` for an unknown country."""
    try:
        calendar = holidays.country_holidays(country)
    except NotImplementedError:
        return None
    named = {name.upper(): code for name, code in calendar.subdivisions_aliases.items()}
    return {**named, **{code.upper(): code for code in calendar.subdivisions}}
