"""What is asked of an account beside what is asked of everybody: its context, what its owner decided, and its path.

An account's facts have the columns of a customer's (``include/sql/account_candidates.sql``) and some of their own.

Source: seed 001 (decision rules, economic logic, what stays human); PLAYBOOKS.md section 2.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pyarrow as pa

from reactivation.contract.tables import TEXTS, TIME
from reactivation.playbooks.model import Playbook
from reactivation.policy.columns import choose, constant, holds, holds_or_unknown, lengths

#: What an owner may decide about an account. The first lets its touches be drafted and asked about.
APPROVE, RESOLVE_ISSUE, HOLD_UNTIL, CLOSE, MONITOR, NO_OUTREACH = (
    "approve", "resolve_issue", "hold_until", "close", "monitor", "no_outreach",
)  # fmt: skip
OWNER_DECISIONS = (APPROVE, RESOLVE_ISSUE, HOLD_UNTIL, CLOSE, MONITOR, NO_OUTREACH)

#: Those by which something may be written to the account.
WRITING = (APPROVE, RESOLVE_ISSUE)

#: How the reasons of exits begin that an account's owner decided, or has to: no sequence came to its end by them.
OWNER_EXIT = "owner_"
#: Why an account waits for its owner, and the exit it is: another contact than the one written to said no.
CONTACT_SAID_NO, TO_DECIDE = "contact_said_no", f"{OWNER_EXIT}to_decide"

#: Where an account goes (seed 001, economic logic).
PATHS = ("account_led", "marketing_led", "suppressed", "delayed")
#: The usual way of a sequence, and the one that is there to resolve an issue: a touch of that purpose.
ROUTES = OUTREACH, ISSUE = ("outreach", "issue_resolution")

#: What each account's owner last decided, as far as it still stands.
OWNER_SAID = pa.schema([
    ("account_id", pa.string()), ("owner_decision", pa.string()), ("owner_decided_at", TIME),
    ("owner_hold_until", TIME), ("owner_recipient", pa.string()), ("owner_knew_noes", pa.int64()),
])  # fmt: skip
#: What a decision about an account has and one about a customer has not: the column, and its type.
OF_ACCOUNTS = {
    "account_contacts": TEXTS, "account_email_keys": TEXTS, "account_phone_keys": TEXTS, "annual_value": pa.int64(),
    "annual_currency": pa.string(), "contacts_said_no": pa.int64(), "has_next_step": pa.bool_(), "renewal_at": TIME,
    "owner_decision": pa.string(), "owner_decided_at": TIME, "owner_hold_until": TIME, "path": pa.string(),
    "high_context": pa.bool_(),
}  # fmt: skip


def without_account(rows: int) -> pd.DataFrame:
    """The columns ``OF_ACCOUNTS`` of decisions about customers: empty."""
    return pd.DataFrame({name: constant(None, rows, type_) for name, type_ in OF_ACCOUNTS.items()})


def windows_of_accounts(facts: pd.DataFrame, by_segment: pd.Series) -> pd.Series:
    """The account's own expected interval in days, else the window of its business segment."""
    own = facts["expected_interval_days"]
    return choose([(own > 0, own)], by_segment)


def high_context(facts: pd.DataFrame, value_tier: pd.Series) -> pd.Series:
    """Whether an account is one to be led by its owner: an owner and notes, a past case, or a value of the highest."""
    noted = facts["account_owner_id"].notna() & holds_or_unknown(facts["account_has_notes"])
    return noted | (lengths(facts["past_case_ids"]) > 0) | holds(value_tier == "high")


def is_marketing_led(facts: pd.DataFrame, value_tier: pd.Series, playbook: Playbook) -> pd.Series:
    """Whether an account has nothing its owner knows better than the playbook of its contacts does; ``playbook``
    declares up to which value. Whatever an owner has decided about stays with the owner."""
    declared = playbook.accounts
    if declared is None or not declared.marketing_led_tiers:
        return constant(value=False, rows=len(facts), type_=pa.bool_())
    light = value_tier.isin(list(declared.marketing_led_tiers)) & ~high_context(facts, value_tier)
    troubled = (lengths(facts["open_case_ids"]) > 0) | (facts["contacts_said_no"] > 0)
    return light & ~troubled & facts["owner_decision"].isna()


def left_alone(facts: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    """What its owner's last word says against writing to an account now, by the word of the gate ``relationship``.

    A closed account stays closed until its owner decides anew. One that is monitored is decided afresh once somebody of
    it did anything since.
    """
    said = facts["owner_decision"]
    new_activity = holds(facts["last_activity_at"] > facts["owner_decided_at"])
    return [
        ("fail:owner_closed", holds(said == CLOSE)),
        ("fail:owner_no_outreach", holds(said == NO_OUTREACH) & ~new_activity),
        ("fail:owner_monitors", holds(said == MONITOR) & ~new_activity),
    ]


def is_held(facts: pd.DataFrame, at: datetime) -> pd.Series:
    """Whether its owner holds an account until a later day; it wakes up on that day."""
    return holds(facts["owner_decision"] == HOLD_UNTIL) & holds_or_unknown(facts["owner_hold_until"] > at)


def said_no_since(facts: pd.DataFrame) -> pd.Series:
    """Whether a contact other than the one written to said no since the owner last decided to write to the account; his
    word is about those who had said no by then and nobody else."""
    went_on = facts["owner_decision"].isin(list(WRITING))
    known = choose([(went_on, facts["owner_knew_noes"])], constant(0, len(facts), pa.int64()))
    return holds_or_unknown(facts["contacts_said_no"] > known)


def resolves_issue(facts: pd.DataFrame) -> pd.Series:
    """Whether its owner sent an account on the way to resolve its issue."""
    return holds(facts["owner_decision"] == RESOLVE_ISSUE)


def paths(decision: pd.Series, marketing_led: pd.Series) -> pd.Series:
    """The path of each account (``PATHS``)."""
    return choose(
        [
            (decision == "suppress", "suppressed"),
            (marketing_led, "marketing_led"),
            (decision == "hold", "delayed"),
        ],
        "account_led",
    )
