"""The countries that customers live in: those of the made-up company, and those that a real history may name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """A country: its share of the made-up customers (per mille), money, language, pool of names and places.

    A share of nothing means that only a history brings in its people; such a country has no price of a pound.
    """

    code: str
    dialling: int
    share: int
    currency: str
    per_pound: int
    """Price of one pound in hundredths of the currency."""
    language: str
    names: str
    places: tuple[tuple[str, str], ...]
    """(region, IANA zone)."""


_ENGLAND = tuple(
    (name, "Europe/London")
    for name in ("Bristol", "Bristol", "Bristol", "Bath", "Somerset", "South Gloucestershire", "Wiltshire", "Cardiff")
)
_HOME = (
    Country("GB", 44, 700, "GBP", 100, "en", "english", _ENGLAND),
    Country("DE", 49, 70, "EUR", 117, "de", "german",
            (("Hamburg", "Europe/Berlin"), ("Berlin", "Europe/Berlin"), ("Bayern", "Europe/Berlin"))),
    Country("FR", 33, 60, "EUR", 117, "fr", "french",
            (("Bretagne", "Europe/Paris"), ("Île-de-France", "Europe/Paris"))),
    Country("IE", 353, 60, "EUR", 117, "en", "english", (("Dublin", "Europe/Dublin"), ("Cork", "Europe/Dublin"))),
    Country("US", 1, 60, "USD", 128, "en", "english",
            (("NY", "America/New_York"), ("IL", "America/Chicago"), ("CO", "America/Denver"),
             ("CA", "America/Los_Angeles"))),
    Country("CA", 1, 30, "CAD", 174, "en", "english", (("ON", "America/Toronto"), ("BC", "America/Vancouver"))),
    Country("AU", 61, 20, "AUD", 196, "en", "english", (("NSW", "Australia/Sydney"), ("WA", "Australia/Perth"))),
)  # fmt: skip
# code, calling code, currency, language, pool of names, region, zone: places that only a history can bring in.
_ABROAD = (
    ("AE", 971, "AED", "ar", "arabic", "Dubai", "Asia/Dubai"),
    ("AT", 43, "EUR", "de", "german", "Wien", "Europe/Vienna"),
    ("BE", 32, "EUR", "nl", "dutch", "Vlaanderen", "Europe/Brussels"),
    ("BH", 973, "BHD", "ar", "arabic", "Manama", "Asia/Bahrain"),
    ("BR", 55, "BRL", "pt", "iberian", "São Paulo", "America/Sao_Paulo"),
    ("CH", 41, "CHF", "de", "german", "Zürich", "Europe/Zurich"),
    ("CY", 357, "EUR", "el", "greek", "Lefkosia", "Asia/Nicosia"),
    ("CZ", 420, "CZK", "cs", "slavic", "Praha", "Europe/Prague"),
    ("DK", 45, "DKK", "da", "nordic", "Hovedstaden", "Europe/Copenhagen"),
    ("ES", 34, "EUR", "es", "iberian", "Madrid", "Europe/Madrid"),
    ("FI", 358, "EUR", "fi", "nordic", "Uusimaa", "Europe/Helsinki"),
    ("GR", 30, "EUR", "el", "greek", "Attiki", "Europe/Athens"),
    ("HK", 852, "HKD", "zh", "eastern", "Kowloon", "Asia/Hong_Kong"),
    ("IL", 972, "ILS", "he", "arabic", "Tel Aviv", "Asia/Jerusalem"),
    ("IS", 354, "ISK", "is", "nordic", "Reykjavík", "Atlantic/Reykjavik"),
    ("IT", 39, "EUR", "it", "italian", "Lombardia", "Europe/Rome"),
    ("JE", 44, "GBP", "en", "english", "Saint Helier", "Europe/Jersey"),
    ("JP", 81, "JPY", "ja", "eastern", "Tokyo", "Asia/Tokyo"),
    ("LB", 961, "LBP", "ar", "arabic", "Beirut", "Asia/Beirut"),
    ("LT", 370, "EUR", "lt", "slavic", "Vilnius", "Europe/Vilnius"),
    ("MT", 356, "EUR", "en", "italian", "Valletta", "Europe/Malta"),
    ("NL", 31, "EUR", "nl", "dutch", "Noord-Holland", "Europe/Amsterdam"),
    ("NO", 47, "NOK", "no", "nordic", "Oslo", "Europe/Oslo"),
    ("PL", 48, "PLN", "pl", "slavic", "Mazowieckie", "Europe/Warsaw"),
    ("PT", 351, "EUR", "pt", "iberian", "Lisboa", "Europe/Lisbon"),
    ("SA", 966, "SAR", "ar", "arabic", "Riyadh", "Asia/Riyadh"),
    ("SE", 46, "SEK", "sv", "nordic", "Stockholm", "Europe/Stockholm"),
    ("SG", 65, "SGD", "en", "eastern", "Singapore", "Asia/Singapore"),
    ("ZA", 27, "ZAR", "en", "english", "Gauteng", "Africa/Johannesburg"),
)  # fmt: skip
NOWHERE = ""
"""The code of the country that is not known."""
COUNTRIES = (
    *_HOME,
    *(
        Country(code, dialling, 0, currency, 0, language, names, ((region, zone),))
        for code, dialling, currency, language, names, region, zone in _ABROAD
    ),
    Country(NOWHERE, 0, 0, "", 0, "", "english", (("", ""),)),
)
COUNTRY = {country.code: number for number, country in enumerate(COUNTRIES)}
