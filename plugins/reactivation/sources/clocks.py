"""Which clocks a person may live by: zones of the address, of the phone number and of the profile.

All sources count (a moment must be legal in every zone). The zones of a country come from the IANA tables of the
``tzdata`` package, never from the machine, so that a snapshot does not depend on where it was taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml

from reactivation import paths

UNREADABLE = "Etc/Unknown"


@dataclass(frozen=True)
class ZoneTables:
    """Zones by country, and by country and region (code or name) where regions are known; all zones there are."""

    version: str
    of_country: dict[str, tuple[str, ...]]
    of_region: dict[tuple[str, str], tuple[str, ...]]
    known: frozenset[str]

    def of_address(self, country: str | None, region: str | None) -> tuple[str, ...]:
        """Zones of an address; of the whole country when the region is empty or unknown to us; else none."""
        if country is None:
            return ()
        if region is not None:
            place = region.strip().casefold().removeprefix(f"{country.casefold()}-")
            if (country, place) in self.of_region:
                return self.of_region[country, place]
        return self.of_country.get(country, ())


def read_zone_tables() -> ZoneTables:
    """The zone tables of the project and of the ``tzdata`` package; made anew when the project's have changed."""
    return _zone_tables((paths.RULES / "zones.yaml").read_bytes())


@lru_cache(maxsize=1)
def _zone_tables(content: bytes) -> ZoneTables:
    declared = yaml.load(content, yaml.CSafeLoader)
    of_country: dict[str, tuple[str, ...]] = {}
    of_region: dict[tuple[str, str], tuple[str, ...]] = {}
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            of_country[country] = (*of_country.get(country, ()), zone)
    for country, regions in declared["countries"].items():
        of_country[country] = tuple(sorted({zone for region in regions.values() for zone in region["zones"]}))
        for code, region in regions.items():
            of_region[country, code.casefold()] = of_region[country, region["name"].casefold()] = tuple(region["zones"])
    known = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return ZoneTables(str(declared["version"]), of_country, of_region, frozenset(known))


def clocks_of(
    tables: ZoneTables, country: str | None, region: str | None, timezone: str | None, phone_zones: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Zones of one person, and which sources (``profile``, ``address``, ``phone``) gave any.

    The likeliest comes first: the profile's zone, then the address's, then the phone's, each sorted. A profile zone
    that is no IANA zone counts as ``Etc/Unknown``: it may be any.
    """
    found = {
        "profile": () if timezone is None else (timezone if timezone in tables.known else UNREADABLE,),
        "address": tables.of_address(country, region),
        "phone": tuple(phone_zones),
    }
    zones = dict.fromkeys(zone for of_source in found.values() for zone in sorted(of_source))
    return list(zones), [source for source, of_source in found.items() if of_source]
