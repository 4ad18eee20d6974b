"""Telephone numbers that the regulators keep for fiction, so nothing here can reach anybody."""

from __future__ import annotations

from functools import cache

from reactivation.sample.countries import COUNTRIES

AREA_CODES = {"US": (212, 312, 303, 310), "CA": (416, 604)}


@cache
def telephone_numbers(code: str, place: int) -> tuple[str, ...]:
    """Numbers reserved for fiction, in local notation; each belongs to one place of one country (by position).

    None where no such numbers are known here.

    Ofcom (07700 900, 0117 496 0 and other cities), Bundesnetzagentur (0171 39200, 0176 040690, 030 23125), ARCEP
    (06 39 98, 01 99 00), ComReg (020 91), NANPA (555-01xx), ACMA (0491 570, 5550).
    """
    if code not in _NATIONAL and code not in AREA_CODES:
        return ()
    if code in AREA_CODES:
        return tuple(f"({AREA_CODES[code][place]}) 555-01{n:02d}" for n in _scattered(100))
    numbers = _NATIONAL[code]()
    places = next(len(country.places) for country in COUNTRIES if country.code == code)
    return tuple(numbers[place::places])


def _scattered(size: int) -> list[int]:
    """``0..size-1`` out of order; ``size`` is a power of ten."""
    return [(n * 389 + 123) % size for n in range(size)]


def _british() -> list[str]:
    near = [f"{start}{n:03d}" for n in _scattered(1000) for start in ("07700 900", "0117 496 0")]
    cities = (161, 113, 114, 115, 116, 118, 121, 131, 141, 151)
    return near + [f"0{area} 496 0{n:03d}" for area in cities for n in _scattered(1000)]


def _german() -> list[str]:
    mobile = [f"{start}{n:02d}" for n in _scattered(100) for start in ("0171 39200", "0176 040690")]
    return mobile + [f"030 23125{n:03d}" for n in _scattered(1000)]


def _french() -> list[str]:
    ends = [f"{n // 100:02d} {n % 100:02d}" for n in _scattered(10_000)]
    return [start + end for end in ends for start in ("06 39 98 ", "01 99 00 ")]


def _irish() -> list[str]:
    return [f"020 91{n % 10} {end:04d}" for n, end in enumerate(_scattered(10_000))]


def _australian() -> list[str]:
    mobile = ("006", "156", "157", "158", "159", "110", "313", "737")
    return [f"0491 570 {end}" for end in mobile] + [f"(02) 5550 {end:04d}" for end in _scattered(10_000)]


_NATIONAL = {"GB": _british, "DE": _german, "FR": _french, "IE": _irish, "AU": _australian}
