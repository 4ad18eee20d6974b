"""The gate ladder: an ordered list of small questions about a candidate. Source: RULES.md, The gate ladder."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pyarrow as pa

from reactivation.playbooks.words import Input
from reactivation.policy.accounts import ISSUE, is_held, left_alone, said_no_since
from reactivation.policy.columns import (
    any_of,
    arrow,
    choose,
    constant,
    contains,
    first_value,
    holds,
    holds_or_unknown,
    joined,
    later,
    latest,
    lengths,
    series,
)
from reactivation.policy.context import Context
from reactivation.policy.decisions import FAIL, GATES, PASS
from reactivation.policy.ladder import Gate, verdict
from reactivation.policy.timing import PLACE_COLUMNS, next_legal_instant

#: Relationships that end it, worst first; ``sensitive`` asks for a person.
_ENDED = ("no_contact", "legal", "dispute", "poor")


def in_scope(facts: pd.DataFrame, context: Context) -> pd.Series:
    """In this playbook's population, in no other playbook and wanted by none that goes first, not in cool-down, not
    too often enrolled."""
    population = context.playbook.population
    cooling = later(facts["last_ended_at"], timedelta(population.cool_down_days)) > context.at
    ended_here = facts["last_ended_playbook"] == context.playbook.playbook
    elsewhere = [holds(facts[f"{key}_active_playbook"] != context.playbook.playbook) for key in ("email", "phone")]
    new = ~facts["enrolled"]
    cases = [
        ("fail:subscriber_only", facts["is_subscriber_only"]),
        ("fail:other_playbook", elsewhere[0] | elsewhere[1]),
        ("fail:cool_down", new & holds(cooling & ended_here)),
        ("fail:lifetime_cap", new & (facts["enrolments_total"] >= population.lifetime_enrolments)),
        ("fail:precedence", new & facts["goes_first"].notna()),
    ]
    if population.only_tags:
        cases.append(("fail:tag", ~any_of(*(contains(facts["tags"], tag) for tag in population.only_tags))))
    if population.only_segments:
        cases.append(("fail:segment", new & ~any_of(*(facts[segment] for segment in population.only_segments))))
    return verdict(*cases)


def dormant(facts: pd.DataFrame, context: Context) -> pd.Series:
    """Inactive for at least the window of the customer's own business segment; exactly the window is inactive. An
    account is dormant, too, where its status says so."""
    active = holds(facts["dormant_days"] < facts["window_days"])
    if context.of_accounts:
        active &= facts["enrolled"] | ~facts["said_dormant"]
    return verdict(("fail:no_window", facts["window_days"].isna()), ("fail:active", active))


def evidence(facts: pd.DataFrame, context: Context) -> pd.Series:
    """The inputs the playbook asks for (all eight of seed 000 by default), known and fresh; fit and relationship have
    gates of their own."""
    everybody = len(facts)

    def unread(*tables: str) -> pd.Series:
        return constant(bool(context.unread.intersection(tables)), everybody, pa.bool_())

    plans_offers = any(touch.offer for touch in context.playbook.touches)
    missing: dict[Input, pd.Series] = {
        "last_activity": unread("contacts", "purchases", "engagements") | facts["last_activity_at"].isna(),
        "value_tier": facts["value_tier"] == "unknown",
        "purchase_history": unread("purchases") | (facts["purchases"] < 1),
        "inactivity_reason": unread("cases", "purchases", "engagements"),
        "consent": unread("consents", "suppressions"),
        "relationship_notes": unread("cases") | facts["has_notes"].isna(),
        "offer_boundaries": unread("offers") & plans_offers,
        "owner": ~facts["owner_id"].isin(sorted(context.owners)),
    }
    if context.of_accounts:
        unknown_value = facts["annual_value"].isna() & (facts["value_tier"] == "unknown")
        never_used = (facts["purchases"] < 1) & facts["last_usage_at"].isna()
        missing |= {
            "account_value": unread("accounts") | unknown_value,
            "account_history": unread("purchases", "engagements") | never_used,
            "recipient": ~facts["recipient_known"],
        }
    return verdict(*((f"fail:{what}", missing[what]) for what in missing if what in context.playbook.inputs))


def not_suppressed(facts: pd.DataFrame, context: Context) -> pd.Series:
    """No opt-out, objection, complaint, hard bounce, deactivation or do-not-contact, on any channel of the brand."""
    known = [(contains(facts["suppression_reasons"], r), r) for r in context.rules.words.suppression_order]
    reason = choose(known, first_value(facts["suppression_reasons"]))
    return verdict(
        (joined("fail:evidence_broken:", first_value(facts["broken_tables"])), lengths(facts["broken_tables"]) > 0),
        (joined(FAIL, reason), lengths(facts["suppression_reasons"]) > 0),
        (joined(FAIL, facts["ledger_suppressed_reason"]), facts["ledger_suppressed_reason"].notna()),
        ("fail:deactivated", holds(facts["lifecycle_stage"].str.lower().isin(context.rules.words.deactivated_stages))),
        *([("fail:contact_said_no", said_no_since(facts))] if context.of_accounts else []),
    )


def relationship(facts: pd.DataFrame, context: Context) -> pd.Series:
    """Not poor, in dispute, legal or no-contact; sensitive, unknown or uncoded notes ask for the owner."""
    notes = holds_or_unknown(facts["has_notes"]) | (
        facts["account_id"].notna() & holds_or_unknown(facts["account_has_notes"])
    )
    worst = facts["worst_relationship"]
    return verdict(
        *((f"fail:{code}", worst == code) for code in _ENDED),
        *(left_alone(facts) if context.of_accounts else []),
        ("review:sensitive", worst == "sensitive"),
        ("review:uncoded_notes", (worst != "normal") & notes),
        ("review:relationship_unknown", worst != "normal"),
    )


def fit(facts: pd.DataFrame, context: Context) -> pd.Series:
    """Not a bad fit and not sold to at a loss; unknown asks for a person."""
    return verdict(
        ("fail:bad_fit", facts["worst_fit"] == "bad"),
        ("fail:unprofitable", holds(facts["margin_24m"] < 0)),
        ("review:fit_unknown", facts["worst_fit"] != "good"),
    )


def no_open_issue(facts: pd.DataFrame, context: Context) -> pd.Series:
    """No unresolved case of the person or the account, unless the touches are there to resolve it."""
    return verdict(
        ("fail:cases_unread", constant("cases" in context.unread, len(facts), pa.bool_())),
        ("fail:open_case", (lengths(facts["open_case_ids"]) > 0) & (facts["route"] != ISSUE)),
    )


def permission(facts: pd.DataFrame, context: Context) -> pd.Series:
    """A channel of the playbook with a valid, evidenced basis on the planned date; else why the first has none."""
    channels = context.playbook.channels
    allowed = any_of(*(facts[f"{channel}_ok"] for channel in channels))
    return verdict((joined(FAIL, facts[f"{channels[0]}_why"]), ~allowed))


def reachable(facts: pd.DataFrame, context: Context) -> pd.Series:
    """A permitted channel whose address works; where none is permitted, any channel is asked about."""
    channels = context.playbook.channels
    works = {channel: facts[f"{channel}_unreachable"].isna() for channel in channels}
    none_permitted = ~any_of(*(facts[f"{channel}_ok"] for channel in channels))
    usable = any_of(*(works[c] & (holds(facts[f"{c}_ok"]) | none_permitted) for c in channels))
    dropped = choose([(~works[c] & usable, f"drop:{c}") for c in channels], PASS)
    return verdict((joined(FAIL, facts[f"{channels[0]}_unreachable"]), ~usable), otherwise=dropped)


def context_consistent(facts: pd.DataFrame, context: Context) -> pd.Series:
    """The sources agree on the account, its owner and status, and on consent."""
    has_account = facts["account_id"].notna()
    owners_differ = has_account & holds(facts["contact_owner_id"] != facts["account_owner_id"])
    ended = facts["account_cancelled_at"].notna() | facts["account_status"].isin(
        list(context.rules.words.ended_account_statuses)
    )
    subscribes = holds(facts["period_end"] > context.at) & facts["subscription_cancelled_at"].isna()
    return verdict(
        ("fail:account", has_account & ~facts["account_known"]),
        ("fail:owner", owners_differ),
        ("fail:status", ended & subscribes),
        ("fail:status", holds(facts["last_purchase_at"] > facts["account_cancelled_at"])),
        ("fail:consent", holds(~facts["consent_email"]) & facts["email_ok"]),
    )


def offer_allowed(facts: pd.DataFrame, context: Context) -> pd.Series:
    """Every offer the playbook plans is allowed for this person; if not, the touches go without."""
    return facts["offer_result"]


def timing(facts: pd.DataFrame, context: Context) -> pd.Series:
    """No message within the last hours of the cap, and some legal instant ahead in all of the person's zones."""
    free = facts["cap_until"]
    earliest = latest(free, constant(context.at, len(facts), arrow(free).type))
    places = pa.table({name: arrow(facts[name]) for name in PLACE_COLUMNS})
    legal = series(next_legal_instant(arrow(earliest), places, context.rules.timing))
    return verdict(
        *([("fail:owner_holds", is_held(facts, context.at))] if context.of_accounts else []),
        ("fail:no_legal_window", legal.isna()),
        ("fail:cap", holds(free > context.at)),
    )


#: In the order of RULES.md. What is not a candidate has no row; the rest are decided by their first no.
LADDER: tuple[Gate, ...] = (
    Gate("in_scope", in_scope, "not_a_candidate", "in_scope"),
    Gate("dormant", dormant, "not_a_candidate", "dormant"),
    Gate("evidence", evidence, "suppress", "evidence_missing"),
    Gate("not_suppressed", not_suppressed, "suppress", "suppressed"),
    Gate("relationship", relationship, "suppress", "relationship"),
    Gate("fit", fit, "suppress", "fit"),
    Gate("no_open_issue", no_open_issue, "hold", "open_issue"),
    Gate("permission", permission, "suppress", "permission"),
    Gate("reachable", reachable, "suppress", "unreachable"),
    Gate("context_consistent", context_consistent, "hold", "context_conflict"),
    Gate("offer_allowed", offer_allowed, "suppress", "offer"),
    Gate("timing", timing, "hold", "timing"),
)
assert tuple(gate.name for gate in LADDER) == GATES  # noqa: S101  (the file's columns are in the ladder's order)
