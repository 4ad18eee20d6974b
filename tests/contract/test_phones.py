"""Many phone numbers at once, held to the library's own answers."""

from __future__ import annotations

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.timezone import time_zones_for_number

from reactivation.contract.addresses import canonical_phone
from reactivation.contract.phones import phone_facts

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TYPES = sorted(phonenumbers.PhoneNumberType.values())


def by_library(text: str, country: str | None) -> dict[str, object]:
    """What ``phonenumbers`` says of one number, asked one by one."""
    canonical = canonical_phone(text, country)
    facts = {"canonical": canonical, "problem": "invalid", "phone_country": None, "zones": []}
    if canonical is None or not phonenumbers.is_valid_number(phonenumbers.parse(canonical)):
        return facts
    number = phonenumbers.parse(canonical)
    mobile = phonenumbers.number_type(number) in (1, 2)
    region = phonenumbers.region_code_for_number(number)
    return facts | {
        "problem": None if mobile else "not_mobile",
        "phone_country": None if region == "001" else region,
        "zones": [zone for zone in time_zones_for_number(number) if zone != "Etc/Unknown"],
    }


def facts(pairs: list[tuple[str, str | None]]) -> list[dict[str, object]]:
    """What ``phone_facts`` says of them, without the question."""
    texts, countries = [text for text, _ in pairs], [country for _, country in pairs]
    found = phone_facts(pa.array(texts, pa.string()), pa.array(countries, pa.string())).to_pylist()
    return [{name: row[name] for name in ("canonical", "problem", "phone_country", "zones")} for row in found]


@st.composite
def dialled(draw: st.DrawFn) -> tuple[str, str | None]:
    """A number of some country and type as people write it, sometimes with digits changed, lost or added."""
    region = draw(st.sampled_from(REGIONS))
    example = phonenumbers.example_number_for_type(region, draw(st.sampled_from(TYPES)))
    if example is None:
        example = phonenumbers.example_number(region)
    text = phonenumbers.format_number(example, draw(st.sampled_from([0, 1, 2])))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(text) - 1))
        text = text[:place] + draw(st.sampled_from("0123456789 -/")) + text[place + draw(st.integers(0, 1)) :]
    text = draw(st.sampled_from([text, text.replace("+", "00"), text.replace("+", "")]))
    return text, draw(st.sampled_from([region, region.lower(), None, "US", "GB", "IT", "AR", "XX"]))


class TestPhoneFacts:
    @pytest.mark.parametrize(
        ("text", "country", "problem", "phone_country", "zones"),
        [
            ("+14155552671", None, None, "US", ["America/Los_Angeles"]),
            ("0131 496 0000", "GB", "not_mobile", "GB", ["Europe/London"]),
            ("+4915123456789", None, None, "DE", ["Europe/Berlin"]),
            ("+1 246 412 3456", None, "not_mobile", "BB", ["America/Barbados"]),
            ("+883 510 000 000 094", None, "not_mobile", None, []),
            ("+44 999 999 9999", None, "invalid", None, []),
            ("nobody", "GB", "invalid", None, []),
        ],
    )
    def test_examples(
        self, text: str, country: str | None, problem: str | None, phone_country: str | None, zones: list[str]
    ) -> None:
        """Line type, country and zones of numbers in plain and in worldwide plans."""
        (found,) = facts([(text, country)])
        assert (found["problem"], found["phone_country"], found["zones"]) == (problem, phone_country, zones)

    def test_no_numbers(self) -> None:
        """Nothing in, nothing out."""
        assert facts([]) == []

    @settings(deadline=None, max_examples=60)
    @given(st.lists(dialled(), max_size=60, unique=True))
    def test_the_fast_way_says_what_the_library_says(self, pairs: list[tuple[str, str | None]]) -> None:
        """Column by column or number by number: the same form, type, country and zones, in the same order."""
        assert facts(pairs) == [by_library(text, country.upper() if country else None) for text, country in pairs]
