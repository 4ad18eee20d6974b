"""The world of the sample: Harbour & Finch of Bristol, its segments, its services and its seasons.

Every address is below a reserved domain (RFC 2606: ``.example``), so nothing here can reach anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

BRAND = "harbour_finch"
SITE = "https://harbour-finch.example"
SEGMENTS = ("household", "care_plan", "business")
HOUSEHOLD, CARE_PLAN, BUSINESS = range(3)


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
