"""The tables of the data contract: the only definition of columns, types, codes and what an empty value means.

Readers, expectations, SQL, the sample generator and the docs follow this module. Times are UTC instants, money is a
decimal amount beside its currency, ids are strings. ``Column.null`` is ``None`` where a value is always needed, else
it says what an empty value means; *unknown* never counts as yes.

Source: the data contract of the design; seed documents 000 and 001 (required inputs), 002 (data structure).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

TEXT = pa.string()
FLAG = pa.bool_()
WHOLE = pa.int64()
TIME = pa.timestamp("us", tz="UTC")
MONEY = pa.decimal128(18, 4)
TEXTS = pa.list_(pa.string())

UNKNOWN = "unknown"

RELATIONSHIPS = ("normal", "sensitive", "poor", "dispute", "legal", "no_contact")
ENGAGEMENT_KINDS = (
    "open", "click", "visit", "login", "usage", "reply", "browse", "cart_add", "cart_abandon",
    "sent", "delivered", "bounce", "complaint", "unsubscribe",
)  # fmt: skip
CONSENT_BASES = (
    "express_written", "express", "double_opt_in", "soft_opt_in", "implied_purchase", "implied_inquiry",
    "opt_out_regime", "flag_only",
)  # fmt: skip
CHANNELS = ("email", "sms")


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, what empty means, its codes, whether it is personal, and which codes say *no*."""

    name: str
    type: pa.DataType
    null: str | None = None
    values: tuple[str, ...] = ()
    personal: bool = False
    forbids: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.null is None


@dataclass(frozen=True)
class Table:
    """One table of the contract.

    ``duplicates`` says which row of one key wins: the most restrictive, or the latest ``updated_at`` (else both are
    quarantined). ``raw_facts`` tables never enter a snapshot: only their summary does. ``forbids`` marks tables whose
    every row says *no* (suppressions) or may say it (see the columns).
    """

    name: str
    key: str
    columns: tuple[Column, ...]
    duplicates: Literal["most_restrictive", "latest"]
    raw_facts: bool = False
    every_row_forbids: bool = False

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, c.type, nullable=not c.required) for c in self.columns])

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.required)

    @property
    def personal(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.personal)

    def column(self, name: str) -> Column:
        """The column of that name; ``KeyError`` names the table."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name}")


def _col(name: str, type_: pa.DataType = TEXT, null: str | None = None, values: tuple[str, ...] = (),
         *, personal: bool = False, forbids: tuple[str, ...] = ()) -> Column:  # fmt: skip
    return Column(name, type_, null, values, personal, forbids)


_FIT = _col("fit", null=UNKNOWN, values=("good", "bad"), forbids=("bad",))
_RELATIONSHIP = _col(
    "relationship", null=UNKNOWN, values=RELATIONSHIPS, forbids=("sensitive", "poor", "dispute", "legal", "no_contact")
)
_NOTES = _col("relationship_notes", null="no notes", personal=True)
_REASON = _col("inactivity_reason", null=UNKNOWN)
_NO_ACTIVITY = "no such activity"

CONTACTS = Table(
    "contacts", "customer_id",
    (
        _col("customer_id"), _col("account_id", null="belongs to no account"),
        _col("first_name", null=UNKNOWN, personal=True), _col("last_name", null=UNKNOWN, personal=True),
        _col("email", null="no address", personal=True), _col("phone", null="no number", personal=True),
        _col("country", null=UNKNOWN), _col("region", null=UNKNOWN), _col("timezone", null=UNKNOWN),
        _col("language", null=UNKNOWN), _col("business_segment"), _col("lifecycle_stage", null=UNKNOWN),
        _col("acquisition_channel", null=UNKNOWN), _FIT, _RELATIONSHIP, _NOTES, _REASON,
        _col("owner_id", null="the segment's marketing owner"),
        _col("value_tier", null="computed from 24-month margin", values=("high", "mid", "low")),
        _col("consent_email", FLAG, null=UNKNOWN), _col("tags", TEXTS, null="no tags"),
        _col("is_subscriber_only", FLAG), _col("created_at", TIME),
        _col("last_seen", TIME, null=_NO_ACTIVITY), _col("last_email_opened", TIME, null=_NO_ACTIVITY),
        _col("last_email_link_clicked", TIME, null=_NO_ACTIVITY), _col("updated_at", TIME),
    ),
    "most_restrictive",
)  # fmt: skip

ACCOUNTS = Table(
    "accounts", "account_id",
    (
        _col("account_id"), _col("name", personal=True), _col("business_segment", null=UNKNOWN),
        _col("status", null=UNKNOWN), _col("expected_interval_days", WHOLE, null="the segment's window"),
        _col("owner_id", null=UNKNOWN), _col("primary_contact_id", null=UNKNOWN), _col("tier", null=UNKNOWN),
        _col("annual_value", MONEY, null=UNKNOWN), _col("currency", null=UNKNOWN), _col("health", null=UNKNOWN),
        _FIT, _RELATIONSHIP, _NOTES, _REASON, _col("next_step", null="none recorded"),
        _col("renewal_at", TIME, null="none recorded"), _col("open_deal", FLAG, null=UNKNOWN),
        _col("cancelled_at", TIME, null="not cancelled"), _col("cancellation_reason", null=UNKNOWN),
        _col("updated_at", TIME),
    ),
    "most_restrictive",
)  # fmt: skip

PRODUCTS = Table(
    "products", "product_id",
    (
        _col("product_id"), _col("name"), _col("category"), _col("url", null="no page"),
        _col("in_stock", FLAG, null=UNKNOWN), _col("updated_at", TIME),
    ),
    "latest",
)  # fmt: skip

PURCHASES = Table(
    "purchases", "purchase_id",
    (
        _col("purchase_id"), _col("customer_id"), _col("occurred_at", TIME),
        _col("kind", values=("order", "booking", "subscription")), _col("amount", MONEY), _col("currency"),
        _col("margin", MONEY, null=UNKNOWN), _col("discount", MONEY, null="no discount"),
        _col("offer_code", null="no code"), _col("category", null=UNKNOWN), _col("product", null=UNKNOWN),
        _col("quantity", WHOLE), _col("period_end", TIME, null="no period"),
        _col("cancelled_at", TIME, null="not cancelled"),
    ),
    "latest", raw_facts=True,
)  # fmt: skip

ENGAGEMENTS = Table(
    "engagements", "event_id",
    (
        _col("event_id"), _col("customer_id"), _col("occurred_at", TIME),
        _col("kind", values=ENGAGEMENT_KINDS, forbids=("bounce", "complaint", "unsubscribe")),
        _col("channel", null=UNKNOWN), _col("category", null=UNKNOWN), _col("product", null=UNKNOWN),
        _col("objection", null="none recorded"), _col("touch_id", null="not of a touch of ours"),
    ),
    "latest", raw_facts=True,
)  # fmt: skip

CASES = Table(
    "cases", "case_id",
    (
        _col("case_id"), _col("customer_id", null="the account's case"), _col("account_id", null="the customer's case"),
        _col("opened_at", TIME), _col("closed_at", TIME, null="open"),
        _col("kind", values=("question", "billing", "complaint", "cancellation", "other")),
        _col("severity", null=UNKNOWN), _col("objection", null="none recorded"), _col("status"),
    ),
    # Which statuses mean closed is a rule, and no rule is known where rows are read.
    "most_restrictive", every_row_forbids=True,
)  # fmt: skip

CONSENTS = Table(
    "consents", "record_id",
    (
        _col("record_id"), _col("customer_id"), _col("channel", values=CHANNELS), _col("purpose"),
        _col("state", values=("granted", "withdrawn", "objected", "unknown"), forbids=("withdrawn", "objected")),
        _col("basis", values=CONSENT_BASES), _col("occurred_at", TIME), _col("source"),
        _col("method", null=UNKNOWN), _col("disclosure_version", null=UNKNOWN),
        _col("evidence_ref", null="no evidence"), _col("affirmative_action", FLAG, null=UNKNOWN), _col("brand"),
        _col("collected_by_brand", null=UNKNOWN), _col("jurisdiction", null=UNKNOWN),
        _col("confirmed_at", TIME, null="not confirmed"), _col("event_date", TIME, null=UNKNOWN),
        _col("conditions", TEXTS, null="none evidenced"),
    ),
    "most_restrictive",
)  # fmt: skip

SUPPRESSIONS = Table(
    "suppressions", "suppression_id",
    (
        _col("suppression_id"), _col("customer_id", null="known by address only"),
        _col("address", null="known by customer only", personal=True), _col("brand", null="all"),
        _col("channel", null="all", values=CHANNELS),
        _col("reason", values=("opt_out", "complaint", "hard_bounce", "objection", "internal", "deactivated")),
        _col("occurred_at", TIME), _col("source"),
    ),
    "most_restrictive", every_row_forbids=True,
)  # fmt: skip

OFFERS = Table(
    "offers", "offer_id",
    (
        _col("offer_id"), _col("name"), _col("kind", values=("none", "early_access", "points", "credit", "percent")),
        _col("value", MONEY), _col("currency", null="not an amount of money"), _col("unit_cost", MONEY),
        _col("redeem_within_hours", WHOLE, null="until it ends"), _col("starts_at", TIME), _col("ends_at", TIME),
        _col("margin_floor", MONEY), _col("budget", MONEY), _col("codes_available", WHOLE, null="needs no code"),
        _col("terms"), _col("conditions"),
    ),
    "latest",
)  # fmt: skip

CLAIMS = Table(
    "claims", "claim_id",
    (
        _col("claim_id"), _col("kind", values=("review", "community", "stock", "closure", "benefit")),
        _col("text_ref"), _col("evidence_ref"), _col("captured_at", TIME), _col("valid_until", TIME, null="no end"),
        _col("audience_category", null="everybody"), _col("rights_ok", FLAG), _col("reviewed_by", null="not reviewed"),
        _col("reviewed_at", TIME, null="not reviewed"),
    ),
    "latest",
)  # fmt: skip

TABLES: dict[str, Table] = {
    t.name: t
    for t in (CONTACTS, ACCOUNTS, PRODUCTS, PURCHASES, ENGAGEMENTS, CASES, CONSENTS, SUPPRESSIONS, OFFERS, CLAIMS)
}

#: The tables that can say *no*: by a row or by a code.
FORBIDDING: tuple[str, ...] = tuple(
    name for name, t in TABLES.items() if t.every_row_forbids or any(c.forbids for c in t.columns)
)
