"""Many phone numbers at once: E.164 form, line type, country and time zones, by the tables of ``phonenumbers``.

The library needs a tenth of a millisecond for a number. Here the plain forms, ``+`` and digits or local digits that
fit the country's numbering plan as they stand, are judged by the library's own patterns over whole columns; whatever
its parser would treat in a special way (other prefixes, carrier codes, transformations, letters, extensions) goes
through the library itself. A property test holds both to the same answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberType
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from reactivation.contract.addresses import canonical_phone

PHONE_FACTS = pa.schema(
    [
        ("text", pa.string()),
        ("country", pa.string()),
        ("canonical", pa.string()),
        ("problem", pa.string()),
        ("phone_country", pa.string()),
        ("zones", pa.list_(pa.string())),
    ]
)

_NO_ZONES: tuple[str, ...] = ()
_REACHED_BY_SMS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_FORMATTING = r"[\s\x{00a0}().\-/]"
_REGIONS = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
#: In the library's order; fixed line and mobile come after them.
_SPECIAL_TYPES = (
    ("premium_rate", PhoneNumberType.PREMIUM_RATE), ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST), ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER), ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN), ("voicemail", PhoneNumberType.VOICEMAIL),
)  # fmt: skip

_FOUND = pa.schema([PHONE_FACTS.field(name) for name in ("canonical", "problem", "phone_country", "zones")])
_PROBLEMS = pa.array([None, "not_mobile", "invalid"])


def phone_facts(texts: pa.Array, countries: pa.Array) -> pa.Table:
    """``PHONE_FACTS`` of distinct pairs of a non-null text and a country (ISO two letters or null), in their order.

    ``problem`` is null (can be reached by SMS), ``invalid`` or ``not_mobile``; ``zones`` is empty where the library
    knows none. An invalid number may still have a canonical form.
    """
    compact = pc.replace_substring_regex(texts, _FORMATTING, "")
    countries = pc.utf8_upper(countries)
    groups = [*_international(compact), *_local(compact, countries)]
    rest = np.ones(len(texts), bool)
    for _, positions, _ in groups:
        rest[positions] = False
    slow = pa.table({"text": texts, "country": countries}).filter(pa.array(rest)).to_pylist()
    found = [_judge(code, national) for code, _, national in groups]
    found.append(pa.Table.from_pylist([_by_library(row["text"], row["country"]) for row in slow], schema=_FOUND))
    places = np.concatenate([*(positions for _, positions, _ in groups), np.flatnonzero(rest)])
    facts = pa.concat_tables(found).take(pa.array(np.argsort(places)))
    return pa.table([texts, countries, *facts.columns], schema=PHONE_FACTS)


Group = tuple[int, np.ndarray[Any, Any], pa.Array]


def _international(compact: pa.Array) -> Iterator[Group]:
    """``+`` and digits, by country code, where nothing looks like a national prefix after it."""
    plus = pc.match_substring_regex(compact, r"^\+[1-9][0-9]{6,14}$")
    for width in (1, 2, 3):
        code = pc.utf8_slice_codeunits(compact, 1, 1 + width)
        known = pa.array([str(number) for number in _REGIONS if len(str(number)) == width])
        chosen = pc.and_(plus, pc.is_in(code, value_set=known))
        for number in pc.unique(pc.filter(code, chosen)).to_pylist():
            metadata = _plan(int(number), _REGIONS[int(number)][0])
            positions = np.flatnonzero(pc.and_(chosen, pc.equal(code, number)))
            national = pc.utf8_slice_codeunits(compact.take(pa.array(positions)), 1 + width)
            plain = _fits(national, metadata.general_desc)
            if metadata.national_prefix_for_parsing:
                prefixed = pc.match_substring_regex(national, f"^(?:{metadata.national_prefix_for_parsing})")
                plain = pc.and_not(plain, prefixed)
            yield int(number), positions[np.asarray(plain)], national.filter(plain)


def _local(compact: pa.Array, countries: pa.Array) -> Iterator[Group]:
    """Digits alone, by the contact's country, with or without its national prefix."""
    digits = pc.match_substring_regex(compact, r"^[0-9]{4,15}$")
    for country in pc.unique(countries.filter(digits)).drop_null().to_pylist():
        metadata = PhoneMetadata.metadata_for_region(country, None)
        if metadata is None or metadata.country_code is None or _captures(metadata.national_prefix_for_parsing):
            continue
        positions = np.flatnonzero(pc.fill_null(pc.and_(digits, pc.equal(countries, country)), False))
        dialled = compact.take(pa.array(positions))
        national, plain = _without_prefix(dialled, metadata)
        yield metadata.country_code, positions[np.asarray(plain)], national.filter(plain)


def _without_prefix(dialled: pa.Array, metadata: PhoneMetadata) -> tuple[pa.Array, pa.Array]:
    """The number without its national prefix, and where the library's parser would read it just so."""
    prefix, pattern, code = metadata.national_prefix, metadata.national_prefix_for_parsing, str(metadata.country_code)
    national = dialled
    plain = pa.array(np.ones(len(dialled), bool))
    if metadata.international_prefix:
        plain = pc.and_not(plain, pc.match_substring_regex(dialled, f"^(?:{metadata.international_prefix})"))
    if pattern:
        stripped = pc.replace_substring_regex(dialled, f"^(?:{pattern})", "")
        expected = pc.replace_substring_regex(dialled, f"^{prefix}", "") if prefix else dialled
        plain = pc.and_(plain, pc.equal(stripped, expected))
        national = stripped
    if code != prefix:
        untouched = pc.equal(national, dialled)
        plain = pc.and_(plain, pc.or_(untouched, pc.invert(pc.starts_with(dialled, code))))
    return national, pc.and_(plain, _fits(national, metadata.general_desc))


def _plan(code: int, region: str) -> PhoneMetadata:
    plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if plan is None:
        raise LookupError(f"phonenumbers has no numbering plan for +{code} {region}")
    return plan


def _captures(pattern: str | None) -> bool:
    return "(" in (pattern or "").replace("(?:", "")


def _judge(code: int, national: pa.Array) -> pa.Table:
    """Facts of national numbers that fit the numbering plan of one country code."""
    regions = _REGIONS[code]
    region = np.full(len(national), len(regions))
    kind = np.full(len(national), PhoneNumberType.UNKNOWN)
    for position, candidate in enumerate(regions):
        metadata = _plan(code, candidate)
        undecided = np.flatnonzero(region == len(regions))
        if not len(undecided):
            break
        numbers = national.take(pa.array(undecided))
        kinds = _kinds(numbers, metadata)
        if len(regions) == 1:
            here = np.ones(len(numbers), bool)
        elif metadata.leading_digits:
            here = np.asarray(pc.match_substring_regex(numbers, f"^(?:{metadata.leading_digits})"))
        else:
            here = kinds != PhoneNumberType.UNKNOWN
        region[undecided[here]], kind[undecided[here]] = position, kinds[here]
    valid = kind != PhoneNumberType.UNKNOWN
    problem = np.where(valid, np.where(np.isin(kind, _REACHED_BY_SMS), 0, 1), 2)
    countries = pa.array([_country(name) for name in regions] + [None], pa.string())
    return pa.table(
        [
            pc.binary_join_element_wise(f"+{code}", national, ""),
            _PROBLEMS.take(pa.array(problem)),
            countries.take(pa.array(np.where(valid, region, len(regions)))),
            _zones(code, national, kind),
        ],
        schema=_FOUND,
    )


def _kinds(national: pa.Array, metadata: PhoneMetadata) -> np.ndarray[Any, Any]:
    kinds = np.full(len(national), PhoneNumberType.UNKNOWN)
    open_ = np.asarray(_fits(national, metadata.general_desc))
    if not open_.any():
        return kinds
    for name, type_ in _SPECIAL_TYPES:
        here = open_ & np.asarray(_fits(national, getattr(metadata, name)))
        kinds[here] = type_
        open_ &= ~here
    fixed = np.asarray(_fits(national, metadata.fixed_line))
    mobile = fixed if metadata.same_mobile_and_fixed_line_pattern else np.asarray(_fits(national, metadata.mobile))
    kinds[open_ & fixed & mobile] = PhoneNumberType.FIXED_LINE_OR_MOBILE
    kinds[open_ & fixed & ~mobile] = PhoneNumberType.FIXED_LINE
    kinds[open_ & ~fixed & mobile] = PhoneNumberType.MOBILE
    return kinds


def _fits(national: pa.Array, description: PhoneNumberDesc | None) -> pa.Array:
    if description is None or description.national_number_pattern is None:
        return pa.array(np.zeros(len(national), bool))
    fits = pc.match_substring_regex(national, f"^(?:{description.national_number_pattern})$")
    if description.possible_length:
        lengths = pa.array(description.possible_length, pa.int32())
        fits = pc.and_(fits, pc.is_in(pc.utf8_length(national), value_set=lengths))
    return fits


def _zones(code: int, national: pa.Array, kind: np.ndarray[Any, Any]) -> pa.Array:
    heads = pc.utf8_slice_codeunits(national, 0, _zone_digits(code)).dictionary_encode()
    lists = [_zones_of(f"{code}{head}") for head in heads.dictionary.to_pylist()]
    none, country_wide = len(lists), len(lists) + 1
    local = [phonenumbers.is_number_type_geographical(type_, code) for type_ in range(PhoneNumberType.UNKNOWN + 1)]
    chosen = np.where(np.array(local)[kind], np.asarray(heads.indices), country_wide)
    chosen[kind == PhoneNumberType.UNKNOWN] = none
    return pa.array([*lists, _NO_ZONES, _zones_of(str(code))], pa.list_(pa.string())).take(pa.array(chosen))


@cache
def _zone_digits(code: int) -> int:
    """So many digits after a country's code tell the zone."""
    longest = max((len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith(str(code))), default=0)
    return max(longest - len(str(code)), 0)


def _zones_of(digits: str) -> tuple[str, ...]:
    for length in range(TIMEZONE_LONGEST_PREFIX, 0, -1):
        if digits[:length] in TIMEZONE_DATA:
            return tuple(TIMEZONE_DATA[digits[:length]])
    return _NO_ZONES


def _by_library(text: str, country: str | None) -> dict[str, Any]:
    canonical = canonical_phone(text, country)
    if canonical is None:
        return {"canonical": None, "problem": "invalid", "phone_country": None, "zones": _NO_ZONES}
    number = phonenumbers.parse(canonical, None)
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return {"canonical": canonical, "problem": "invalid", "phone_country": None, "zones": _NO_ZONES}
    return {
        "canonical": canonical,
        "problem": None if kind in _REACHED_BY_SMS else "not_mobile",
        "phone_country": _country(phonenumbers.region_code_for_number(number)),
        "zones": [zone for zone in time_zones_for_number(number) if zone != UNKNOWN_TIMEZONE],
    }


def _country(region: str | None) -> str | None:
    # The region of satellite and other worldwide numbers is "001": no country whose law could be asked.
    return None if region == "001" else region
