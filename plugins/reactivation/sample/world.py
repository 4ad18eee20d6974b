"""The world of the sample: Harbour & Finch of Bristol, its services, its customers' countries, names and numbers.

Every address is below a reserved domain (RFC 2606: ``.example``) and every telephone number is one that the country's
regulator keeps for fiction, so nothing here can reach anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

BRAND = "harbour_finch"
SITE = "https://harbour-finch.example"
SEGMENTS = ("household", "care_plan", "business")
HOUSEHOLD, CARE_PLAN, BUSINESS = range(3)


@dataclass(frozen=True)
class Country:
    """A country: its share of the customers (per mille), money, language, pool of names and places."""

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
COUNTRIES = (
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
COUNTRY = {country.code: number for number, country in enumerate(COUNTRIES)}
AREA_CODES = {"US": (212, 312, 303, 310), "CA": (416, 604)}

NAMES = {
    "english": (
        ("Amelia", "Oliver", "Isla", "Harry", "Priya", "Mohammed", "Grace", "Callum", "Ffion", "Rhys", "Zainab", "Tom",
         "Beth", "Kofi", "Maeve", "Declan", "Sunita", "Alfie", "Hannah", "Piotr", "Leila", "Marcus", "Eve", "Winston",
         "Siobhan", "George", "Noor", "Jack", "Martha", "Delroy", "Keira", "Samuel"),
        ("Penrose", "Whitcombe", "Okonkwo", "Patel", "Davies", "Trevelyan", "Hussain", "Baker", "Llewellyn", "Shaw",
         "Chowdhury", "Fairfax", "Kelly", "Mensah", "Gallagher", "Rossiter", "Nowak", "Hale", "Singh", "Marlowe",
         "Campbell", "Webb", "Sharma", "Tolliver", "Barrett", "Quick", "Ahmed", "Yeo", "Pascoe", "Brennan"),
    ),
    "german": (
        ("Anke", "Jürgen", "Lena", "Matthias", "Ayşe", "Björn", "Katrin", "Uwe", "Marlene", "Tobias"),
        ("Müller", "Schröder", "Weiß", "Yılmaz", "Köhler", "Brandt", "Großmann", "Petersen", "Lange", "Vogt"),
    ),
    "french": (
        ("Camille", "Étienne", "Maëlys", "Yannick", "Aïcha", "Loïc", "Océane", "François", "Solène", "Rachid"),
        ("Lefèvre", "Le Goff", "Benali", "Marchand", "Dubois", "Garçon", "Noël", "Rousseau", "Kervella", "Fabre"),
    ),
}  # fmt: skip
FIRM_PLACES = ("Clifton", "Redland", "Temple Quay", "Bedminster", "Avonmouth", "Stokes Croft", "Keynsham", "Portishead")
FIRM_TRADES = ("Dental Practice", "Lettings", "Bakery", "Veterinary Clinic", "Studios", "Nursery School", "Garage")
MAIL_DOMAINS = ("quaymail.example", "westpost.example", "suspension.example", "tidewater.example", "example.com")

# Acquisition channels in raw form, as systems and people write them, per mille.
ACQUISITION = {
    "facebook": 140, "ig": 70, "google organic": 220, "referral": 150, "newsletter": 60, "direct": 130, "walk-in": 60,
    "FB": 30, "tiktok": 20, "Bing / organic": 40, "van sign": 40, "": 40,
}  # fmt: skip


@dataclass(frozen=True)
class Product:
    """One service: price and margin in pence and per mille; a subscription is paid monthly."""

    product_id: str
    name: str
    category: str
    price: int
    margin: int
    in_stock: bool | None = True
    has_page: bool = True


PRODUCTS = (
    Product("prd-boiler-service", "Annual boiler service", "boilers", 9500, 520),
    Product("prd-boiler-repair", "Boiler repair visit", "boilers", 16800, 430),
    Product("prd-boiler-swap", "Boiler replacement", "boilers", 214000, 240),
    Product("prd-garden-tidy", "Spring garden tidy", "gardens", 13500, 480),
    Product("prd-hedge", "Hedge and lawn visit", "gardens", 6800, 450),
    Product("prd-tree", "Tree pruning", "gardens", 29500, 330, in_stock=False),
    Product("prd-gutter", "Gutter clearing", "gutters", 8900, 560),
    Product("prd-gutter-guard", "Gutter guards fitted", "gutters", 24500, 380),
    Product("prd-window", "Window cleaning", "windows", 3400, 600),
    Product("prd-window-seal", "Window resealing", "windows", 18900, 410, has_page=False),
    Product("prd-eicr", "Electrical safety check", "electrics", 17500, 470),
    Product("prd-sockets", "Sockets and lighting", "electrics", 12400, 400, in_stock=None),
    Product("prd-tap", "Tap or leak repair", "plumbing", 9800, 440),
    Product("prd-bathroom", "Bathroom refit", "plumbing", 385000, 260),
    Product("prd-plan-essential", "Home Care Plan Essential", "care_plan", 1450, 620),
    Product("prd-plan-complete", "Home Care Plan Complete", "care_plan", 2600, 550),
    Product("prd-plan-landlord", "Landlord Care Plan", "care_plan", 3400, 510),
    Product("prd-fire-test", "Fire alarm test", "workplace", 14500, 540),
    Product("prd-office-visit", "Workplace maintenance visit", "workplace", 38000, 360),
    Product("prd-boiler-contract", "Quarterly plant inspection", "workplace", 62000, 310),
)
CATEGORIES = tuple(dict.fromkeys(product.category for product in PRODUCTS))

# Bookings by month, January first, in per mille of a month: boilers in winter, gardens in spring, gutters in autumn.
HOUSEHOLD_MONTHS = tuple(
    dict(zip(("boilers", "gardens", "gutters", "windows", "electrics", "plumbing"), shares, strict=True))
    for shares in (
        (470, 20, 90, 110, 130, 180), (420, 60, 80, 130, 130, 180), (230, 280, 70, 160, 110, 150),
        (120, 430, 50, 170, 100, 130), (80, 460, 40, 190, 100, 130), (70, 380, 40, 240, 120, 150),
        (70, 320, 50, 270, 130, 160), (90, 280, 60, 260, 140, 170), (210, 180, 140, 180, 130, 160),
        (340, 90, 220, 110, 100, 140), (430, 30, 240, 80, 90, 130), (480, 10, 130, 90, 120, 170),
    )
)  # fmt: skip
# How busy a month is: of two possible dates the one in the busier month is kept.
BUSY_MONTHS = (9, 7, 8, 10, 8, 5, 3, 2, 6, 9, 10, 6)


@cache
def telephone_numbers(code: str, place: int) -> tuple[str, ...]:
    """Numbers reserved for fiction, in local notation; each belongs to one place of one country (by position).

    Ofcom (07700 900, 0117 496 0 and other cities), Bundesnetzagentur (0171 39200, 0176 040690, 030 23125), ARCEP
    (06 39 98, 01 99 00), ComReg (020 91), NANPA (555-01xx), ACMA (0491 570, 5550).
    """
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
