"""The data frames that the suites of ``expectations/`` are asked about: small, and without anything personal.

Raw facts are never judged here: the snapshot's SQL has counted them in the manifest and the profile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import TABLES
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.owners import Owners
from reactivation.policy.decisions import FAIL, PASS
from reactivation.policy.permission import UNCLEAR

#: What the sources say where they do not contradict each other.
AGREED = "the same"
#: Permission results that say neither yes nor no (000, Not Ready If: Consent status is unclear).
_UNCLEAR = tuple(f"{FAIL}{why}" for why in UNCLEAR)

#: Fewer messages than this say nothing about a rate; the sending then begins at the ramp's floor (RULES.md, Timing).
ENOUGH_SENT = 1_000
#: So many earlier runs make a trend.
_A_TREND = 3
_LOOK_BACK = timedelta(days=30)
#: The rule of the profile that asks whether a row belongs to anybody known.
_JOINS = "joins_contacts"

#: What is asked of the engagement summary about e-mail: sent, bounced, complained about.
DELIVERY_COLUMNS = ("last_email_sent_at", "last_bounce_at", "last_complaint_at")

#: What is asked of the snapshot's contacts, and of a run's decisions.
SEGMENT_COLUMNS = ("business_segment", "is_subscriber_only")
CANDIDATE_COLUMNS = (
    "customer_id", "account_id", "gate_not_suppressed", "gate_permission", "gate_context_consistent", "owner_id",
)  # fmt: skip
ACCOUNT_COLUMNS = ("account_id", "owner_id", "annual_value")


def table_facts(
    table: str, manifest: Mapping[str, Any], profile: pa.Table, required: Collection[str], relationship_known: int
) -> pd.DataFrame:
    """One row: what the manifest and the profile say about one table of the contract.

    ``required`` are the columns asked for; ``relationship_known`` counts contacts whose relationship is known.
    """
    facts = [source["tables"][table] for source in manifest["sources"] if table in source["tables"]]
    there = [fact for fact in facts if fact["present"]]
    asked = set(required) - {"relationship"}  # whether a relationship is known is a question of its own
    missing = sorted({column for fact in there for column in fact["missing_columns"]} & asked)
    rows, unjoined = _joins(table, profile)
    return pd.DataFrame([{
        "table": table,
        "file": ", ".join(fact["file"] or table for fact in there),
        "present": bool(there),
        "rows": sum(fact["rows"] for fact in there),
        "usable_rows": sum(fact["rows"] - fact["quarantined"] for fact in there),
        "missing_columns": len(missing),
        "missing_names": ", ".join(missing),
        "relationship_known": relationship_known,
        "unreadable_nos": sum(fact["broken_unreadable_nos"] for fact in there),
        "joined_share": (rows - unjoined) / rows if rows else 1.0,
        "unjoined_rows": unjoined,
    }])  # fmt: skip


def sources(manifest: Mapping[str, Any], at: datetime, tables: Collection[str]) -> pd.DataFrame:
    """One row per source that any of ``tables`` comes from: how many hours before ``at`` it spoke; null when it does
    not say."""
    counting = [source for source in manifest["sources"] if set(source["tables"]) & set(tables)]
    spoken = [source.get("speaks_as_of") for source in counting]
    hours = [(at - datetime.fromisoformat(text)).total_seconds() / 3600 if text else None for text in spoken]
    names = [source["name"] for source in counting]
    return pd.DataFrame({"source": names, "hours_old": pd.Series(hours, dtype="float64")})


def segments(contacts: pa.Table, playbook: Playbook) -> pd.DataFrame:
    """One row per business segment of customers (mere subscribers belong to no playbook), with its window."""
    customers = contacts.filter(pc.invert(pc.fill_null(contacts["is_subscriber_only"], False)))
    counted = customers.group_by("business_segment").aggregate([([], "count_all")]).sort_by("business_segment")
    names = counted["business_segment"].to_pylist()
    windows = pd.Series([playbook.windows.get(name) for name in names], dtype="float64")
    return pd.DataFrame(
        {"business_segment": names, "customers": counted["count_all"].to_pylist(), "window_days": windows}
    )


def approval_points(playbook: Playbook, owners: Owners) -> pd.DataFrame:
    """One row per signature the playbook needs: how many people other than its author may give it."""
    role = "account_owner" if playbook.subject == "account" else "marketing_owner"
    points = {
        f"segment {segment}: {owner} as {role}": owners.signers_for(owner, role)
        for segment, owner in sorted(playbook.owners.items())
    }
    if any(touch.offer for touch in playbook.touches):
        points["offers: somebody as offer_approver"] = owners.by_role("offer_approver")
    signers = [sum(s.user_id != playbook.authored_by for s in signers) for signers in points.values()]
    return pd.DataFrame({"point": list(points), "signers": pd.Series(signers, dtype="int64")})


def measurement(playbook: Playbook) -> pd.DataFrame:
    """One row per metric declared, the baseline first."""
    return pd.DataFrame({"metric": [playbook.measurement.baseline_metric, *playbook.measurement.measures]})


def candidates(decisions: pa.Table, owners: Owners, worth: pa.Table) -> pd.DataFrame:
    """One row per decision: whether consent is clear (an opt-out is a clear no), what the sources contradict each other
    about, whether somebody owns the customer, and for an account its owner and value.

    ``worth``: account_id and owner_id of the accounts whose value is known.
    """
    said_no = pc.not_equal(decisions["gate_not_suppressed"], PASS)
    unclear = pc.and_(pc.is_in(decisions["gate_permission"], pa.array(_UNCLEAR)), pc.invert(said_no))
    status = pc.if_else(pc.is_null(decisions["gate_permission"]), None, pc.if_else(unclear, "unclear", "clear"))
    conflict = decisions["gate_context_consistent"]
    agreement = pc.if_else(pc.fill_null(pc.not_equal(conflict, PASS), False), conflict, AGREED)
    known = pa.array(sorted(owners.by_id), pa.string())
    valued = worth.filter(pc.is_valid(worth["annual_value"]))["account_id"]
    owned = worth.filter(pc.is_in(worth["owner_id"], known))["account_id"]
    return pd.DataFrame({
        "consent_status": _words(status),
        "sources_say": _words(agreement),
        "owner_known": pc.is_in(decisions["owner_id"], known).to_pandas(),
        "account_owner_known": pc.is_in(decisions["account_id"], owned.combine_chunks()).to_pandas(),
        "account_value_known": pc.is_in(decisions["account_id"], valued.combine_chunks()).to_pandas(),
    })  # fmt: skip


def sizes(manifest: Mapping[str, Any], tables: Collection[str], earlier: Sequence[Mapping[str, int]]) -> pd.DataFrame:
    """One row per table: its rows, as a share of those in the last run, and how far off the middle of several runs.

    ``earlier``: rows by table, the last run first; null where there was none, or it had no rows.
    """
    rows = [
        (name, fact["rows"])
        for source in manifest["sources"]
        for name, fact in source["tables"].items()
        if name in tables and fact["present"]
    ]
    names = [name for name, _ in sorted(rows)]
    now = pd.Series([count for _, count in sorted(rows)], dtype="float64")
    before = pd.DataFrame([{name: one.get(name) for name in names} for one in earlier], columns=names, dtype="float64")
    last = before.bfill().iloc[0] if len(before) else pd.Series(None, index=names, dtype="float64")
    middle = before.median() if len(before) >= _A_TREND else pd.Series(None, index=names, dtype="float64")
    return pd.DataFrame({
        "table": names, "rows": now, "of_last_share": now / last.to_numpy(),
        "off_middle_share": (now / middle.to_numpy() - 1).abs(),
    })  # fmt: skip


def deliverability(summary: pa.Table, at: datetime, own: Mapping[str, int], domain: str) -> pd.DataFrame:
    """Two rows: what the sources and our ledger say of the e-mail the sending domain sent in the 30 days before ``at``.

    ``summary``: ``DELIVERY_COLUMNS`` of the engagement summary, counted in customers; ``own``: ``sent``, ``bounced``
    and ``complained``, counted in messages. Shares are null below ``ENOUGH_SENT``: too little to judge by.
    """
    since = pa.scalar(at - _LOOK_BACK, summary.schema.field("last_email_sent_at").type)
    sent, bounced, complained = (
        pc.fill_null(pc.greater_equal(summary[name], since), False) for name in DELIVERY_COLUMNS
    )
    told = [pc.sum(sent), pc.sum(pc.and_(sent, bounced)), pc.sum(pc.and_(sent, complained))]
    counts = [[one.as_py() or 0 for one in told], [own["sent"], own["bounced"], own["complained"]]]
    frame = pd.DataFrame(counts, columns=["sent", "bounced", "complained"], dtype="float64")
    frame.insert(0, "domain", [f"{domain} (sources)", f"{domain} (our own)"])
    judged = frame["sent"] >= ENOUGH_SENT
    frame["bounce_share"] = (frame["bounced"] / frame["sent"]).where(judged)
    frame["complaint_share"] = (frame["complained"] / frame["sent"]).where(judged)
    frame["enough"] = bool(judged.any())
    return frame


def profile(rules: pa.Table) -> pd.DataFrame:
    """One row per row rule that was asked of any row: the share that broke it."""
    # what joins nobody has a condition of its own
    of_rows = pc.and_(pc.greater(rules["rows"], 0), pc.not_equal(rules["rule"], _JOINS))
    asked = rules.filter(of_rows)
    named = pc.binary_join_element_wise(asked["table"], asked["rule"], " ")
    frame = pd.DataFrame({"rule": named.to_pandas(), "bad_rows": asked["bad_rows"].to_pandas()})
    frame["bad_share"] = frame["bad_rows"] / asked["rows"].to_pandas()
    return frame


def required_columns(playbook: Playbook) -> dict[str, tuple[str, ...]]:
    """The tables and columns a playbook needs: what it declares, and what no playbook may do without."""
    never_without = {name: TABLES[name].required for name in ("contacts", "cases", "consents", "suppressions")}
    return {
        name: tuple(dict.fromkeys((*playbook.requires.get(name, ()), *never_without.get(name, ()))))
        for name in (*playbook.requires, *(n for n in never_without if n not in playbook.requires))
    }


def _words(codes: pa.ChunkedArray) -> pd.Series:
    """A few codes over many rows: kept once each."""
    words: pd.Series = codes.dictionary_encode().to_pandas()
    return words


def _joins(table: str, profile: pa.Table) -> tuple[int, int]:
    """How many rows of a table name a customer or account, and how many of those are not known."""
    asked = pc.and_(pc.equal(profile["table"], table), pc.equal(profile["rule"], _JOINS))
    found = profile.filter(asked).select(["rows", "bad_rows"]).to_pylist()
    return sum(row["rows"] for row in found), sum(row["bad_rows"] for row in found)
