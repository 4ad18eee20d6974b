"""Which clocks a person may live by."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.builders import contact
from tests.sources.reads import read, rows

from reactivation.sources.clocks import clocks_of, read_zone_tables

TABLES = read_zone_tables()


class TestOfAddress:
    @pytest.mark.parametrize(
        ("country", "region", "zones"),
        [
            ("GB", None, ("Europe/London",)),
            ("US", "CA", ("America/Los_Angeles",)),
            ("US", "us-tx", ("America/Chicago", "America/Denver")),
            ("US", "New York", ("America/New_York",)),
            ("CA", "ON", ("America/Toronto", "America/Winnipeg")),
            ("AU", "nsw", ("Australia/Sydney", "Australia/Adelaide")),
            ("XX", None, ()),
            (None, "CA", ()),
        ],
    )
    def test_zones(self, country: str | None, region: str | None, zones: tuple[str, ...]) -> None:
        """A region by code or name where the country has several zones; a country's own else."""
        assert TABLES.of_address(country, region) == zones

    def test_an_unknown_region_means_the_whole_country(self) -> None:
        """Somewhere in the country is every zone of it."""
        assert len(TABLES.of_address("US", "Nowhere")) == len(TABLES.of_address("US", None)) > 5

    def test_every_declared_zone_is_real(self) -> None:
        """The tables name no zone that IANA does not know."""
        declared = {zone for zones in (*TABLES.of_region.values(), *TABLES.of_country.values()) for zone in zones}
        assert declared <= TABLES.known


class TestClocksOf:
    def test_all_sources_count_the_likeliest_first(self) -> None:
        """Profile, then address, then phone, nothing twice."""
        zones, sources = clocks_of(TABLES, "GB", None, "Europe/Paris", ["Europe/Jersey", "Europe/London"])
        assert zones == ["Europe/Paris", "Europe/London", "Europe/Jersey"]
        assert sources == ["profile", "address", "phone"]

    def test_a_profile_zone_that_cannot_be_read_may_be_any(self) -> None:
        """It is not ignored."""
        assert clocks_of(TABLES, None, None, "London time", []) == (["Etc/Unknown"], ["profile"])

    def test_nothing_known(self) -> None:
        """No clock at all."""
        assert clocks_of(TABLES, None, None, None, []) == ([], [])


def test_a_snapshot_has_them(tmp_path: Path) -> None:
    """Zones and where they come from, with the phone's country."""
    person = contact("c-ada", country="US", region="CA", timezone=None, phone="(212) 555-2368")
    (row,) = rows(read(tmp_path, contacts=[person]), "contacts")
    assert row["zones"] == ["America/Los_Angeles", "America/New_York"]
    assert (row["zone_sources"], row["phone_country"], row["phone_problem"]) == (["address", "phone"], "US", None)
