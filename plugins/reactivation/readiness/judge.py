"""May a run proceed? One verdict over the facts of a snapshot, the playbook and the decided candidates.

Source: 000 and 001, Not Ready If; 000, Quality and stop gates; ARCHITECTURE.md, A day, 1 and 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
import pyarrow as pa

from reactivation.contract.tables import FORBIDDING, TABLES
from reactivation.evidence import SnapshotFolder
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.owners import Owners
from reactivation.readiness import frames
from reactivation.readiness.suites import Checker
from reactivation.readiness.verdict import ConditionResult, Verdict

_ALWAYS = frozenset({"always"})
_OF_PURCHASES = ["customer_id", "purchases", "last_purchase_at"]
_OF_ENGAGEMENTS = [
    "customer_id", "last_open_at", "last_click_at", "last_visit_at", "last_login_at", "last_reply_at",
]  # fmt: skip


def judge_tables(folder: SnapshotFolder) -> Verdict:
    """Whether a snapshot can serve any playbook: contacts are there, whole, and no *no* is unreadable."""
    return Verdict(tuple(_tables(Checker(), folder, {"contacts": TABLES["contacts"].required}, {})))


def judge(
    folder: SnapshotFolder, playbook: Playbook, owners: Owners, candidates: pa.Table | None, at: datetime
) -> Verdict:
    """Whether a run of the playbook may proceed.

    ``candidates`` are ``CANDIDATE_COLUMNS`` of the run's decisions (``None`` where nothing was decided yet); ``at`` is
    the instant at which the sources must still be fresh.
    """
    checker, limits = Checker(), playbook.readiness
    contacts = folder.read("contacts", frames.SEGMENT_COLUMNS)
    asked: list[tuple[str, pd.DataFrame]] = [
        ("sources", frames.sources(folder.manifest, at, {*playbook.requires, *FORBIDDING})),
        ("segments", frames.segments(contacts, playbook)),
        ("approval_points", frames.approval_points(playbook, owners)),
        ("measurement", frames.measurement(playbook)),
        ("purchase_summary", folder.read("purchase_summary", _OF_PURCHASES).to_pandas()),
        ("engagement_summary", folder.read("engagement_summary", _OF_ENGAGEMENTS).to_pandas()),
        ("profile", frames.profile(folder.read("profile"))),
    ]
    if candidates is not None:
        asked.append(("candidates", frames.candidates(candidates, owners)))
    parameters = {
        "stale_after_hours": limits.stale_after_hours,
        "consent_clear_share": 1 - limits.consent_unclear_share,
        "joined_share": limits.joined_share,
        "as_of": folder.as_of,
    }
    results = _tables(checker, folder, frames.required_columns(playbook), parameters)
    if contacts.num_rows == 0:
        return Verdict(tuple(results))  # the rest would be asked about nobody
    for name, frame in asked:
        results += checker.ask(name, frame, _ALWAYS, parameters)
    return Verdict(tuple(results))


def _tables(
    checker: Checker, folder: SnapshotFolder, required: Mapping[str, tuple[str, ...]], parameters: Mapping[str, object]
) -> list[ConditionResult]:
    """What the suite of each table says. Of a table that is missing or empty nothing more is asked."""
    manifest, profile = folder.manifest, folder.read("profile")
    relationships = folder.read("contacts", ["relationship"])["relationship"]
    known = len(relationships) - relationships.null_count
    results: list[ConditionResult] = []
    for name in TABLES:
        facts = frames.table_facts(name, manifest, profile, required.get(name, ()), known)
        results += checker.ask(name, facts, _asked(facts, name in required), parameters)
    return results


def _asked(facts: pd.DataFrame, required: bool) -> set[str]:
    """Which expectations of a table's suite apply: of what is missing nothing more is asked."""
    present, filled = bool(facts["present"].iloc[0]), bool(facts["rows"].iloc[0])
    whole = filled and not facts["missing_columns"].iloc[0]
    asked = {"always": True, "present": present, "required": required, "required_present": required and present,
             "required_filled": required and filled, "required_whole": required and whole}  # fmt: skip
    return {when for when, applies in asked.items() if applies}
