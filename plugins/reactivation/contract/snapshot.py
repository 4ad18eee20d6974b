"""The files of a snapshot: the contract tables without their personal columns, the summaries, and what went wrong.

Every snapshot has every file, empty where the source had no such table: the manifest says which were present. Rows are
ordered by the columns of ``ORDER``, so that the same source and as-of give the same bytes.
"""

from __future__ import annotations

import pyarrow as pa

from reactivation.contract.tables import FLAG, MONEY, TABLES, TEXT, TEXTS, TIME, WHOLE

#: What a contact's addresses and clock were found to be. ``zones`` is the union of profile, address and phone, in this
#: order; ``zone_sources`` names those that gave any. ``Etc/Unknown`` stands for a profile zone that could not be read.
_OF_CONTACTS = (
    ("email_key", TEXT), ("phone_key", TEXT), ("email_problem", TEXT), ("phone_problem", TEXT),
    ("phone_country", TEXT), ("zones", TEXTS), ("zone_sources", TEXTS), ("has_notes", FLAG),
)  # fmt: skip

EMAIL_PROBLEMS = ("missing", "invalid", "role", "disposable")
PHONE_PROBLEMS = ("missing", "invalid", "not_mobile")

_EXTRA: dict[str, tuple[tuple[str, pa.DataType], ...]] = {
    "contacts": _OF_CONTACTS,
    "accounts": (("has_notes", FLAG),),
    "suppressions": (("address_key", TEXT),),
}

#: One row per customer with at least one purchase at the as-of. Money is null where currencies are mixed.
PURCHASE_SUMMARY = pa.schema([
    ("customer_id", TEXT), ("purchases", WHOLE), ("purchase_days", WHOLE), ("first_purchase_at", TIME),
    ("last_purchase_at", TIME), ("last_order_at", TIME), ("last_booking_at", TIME), ("last_subscription_at", TIME),
    ("orders", WHOLE), ("bookings", WHOLE), ("subscriptions", WHOLE), ("period_end", TIME),
    ("subscription_cancelled_at", TIME), ("currency", TEXT), ("currencies", WHOLE), ("revenue", MONEY),
    ("revenue_24m", MONEY), ("margin_24m", MONEY), ("margin_revenue_24m", MONEY), ("margin_known_rows", WHOLE),
    ("discounted_purchases", WHOLE), ("discount_total", MONEY), ("gap_seconds_total", WHOLE), ("gaps", WHOLE),
    ("top_category", TEXT), ("last_category", TEXT), ("last_product", TEXT), ("codes_redeemed", WHOLE),
    ("same_day_merges", WHOLE), ("purchase_days_90d", WHOLE), ("last_purchase_before_90d_at", TIME),
    ("periods_due", WHOLE), ("periods_renewed", WHOLE), ("periods_lapsed", WHOLE), ("periods_restarted", WHOLE),
    ("month_counts", pa.list_(WHOLE)),
])  # fmt: skip

#: One row per customer with at least one engagement that counts.
ENGAGEMENT_SUMMARY = pa.schema([
    ("customer_id", TEXT), ("last_open_at", TIME), ("last_click_at", TIME), ("last_visit_at", TIME),
    ("last_login_at", TIME), ("last_usage_at", TIME), ("last_reply_at", TIME), ("last_browse_at", TIME),
    ("last_cart_abandon_at", TIME), ("opens_180d", WHOLE), ("clicks_180d", WHOLE), ("sent_180d", WHOLE),
    ("last_email_sent_at", TIME), ("last_sms_sent_at", TIME), ("sms_sent_7d", WHOLE), ("sent_48h", WHOLE),
    ("bounces", WHOLE), ("last_bounce_at", TIME), ("last_complaint_at", TIME), ("last_unsubscribe_at", TIME),
    ("browse_category", TEXT), ("cart_category", TEXT), ("last_objection", TEXT),
])  # fmt: skip

#: What the row rules found: how many of a table's rows a rule was asked of, and how many broke it.
PROFILE = pa.schema([("table", TEXT), ("rule", TEXT), ("rows", WHOLE), ("bad_rows", WHOLE)])

#: One row per broken value: where it is (``row`` counts from 1, a header not counted) and what is wrong with it.
QUARANTINE = pa.schema([("table", TEXT), ("key", TEXT), ("row", WHOLE), ("column", TEXT), ("reason", TEXT)])

#: One row per subject of a broken row that says *no*; whatever of the subject could be read.
BROKEN_NOS = pa.schema(
    [("table", TEXT), ("key", TEXT), ("customer_id", TEXT), ("account_id", TEXT), ("address_key", TEXT)]
)

#: The personal file: people and accounts as they are addressed, and the original of each quarantined row.
PEOPLE = pa.schema([
    ("kind", TEXT), ("customer_id", TEXT), ("account_name", TEXT), ("first_name", TEXT), ("last_name", TEXT),
    ("email", TEXT), ("phone", TEXT), ("relationship_notes", TEXT), ("table", TEXT), ("key", TEXT),
    ("original", TEXT),
])  # fmt: skip


def _of_table(name: str) -> pa.Schema:
    table = TABLES[name]
    kept = [pa.field(column.name, column.type) for column in table.columns if not column.personal]
    return pa.schema([*kept, *(pa.field(extra, type_) for extra, type_ in _EXTRA.get(name, ()))])


SNAPSHOT: dict[str, pa.Schema] = {
    **{name: _of_table(name) for name, table in TABLES.items() if not table.raw_facts},
    "purchase_summary": PURCHASE_SUMMARY,
    "engagement_summary": ENGAGEMENT_SUMMARY,
    "profile": PROFILE,
    "quarantine": QUARANTINE,
    "broken_nos": BROKEN_NOS,
    "people": PEOPLE,
}

ORDER: dict[str, tuple[str, ...]] = {
    **{name: (table.key,) for name, table in TABLES.items() if not table.raw_facts},
    "purchase_summary": ("customer_id",),
    "engagement_summary": ("customer_id",),
    "profile": ("table", "rule"),
    "quarantine": ("table", "row", "column", "reason"),
    "broken_nos": ("table", "key", "customer_id", "account_id", "address_key"),
    "people": ("kind", "customer_id", "table", "key", "original"),
}
