"""May a run proceed? One verdict over the facts of a snapshot, the playbook and the decided candidates.

Source: 000 and 001, Not Ready If; 000, Quality and stop gates; ARCHITECTURE.md, A day, 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
import pyarrow as pa

from reactivation.contract.tables import FORBIDDING, TABLES
from reactivation.evidence import SnapshotFolder
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.owners import Owners
from reactivation.readiness import frames
from reactivation.readiness.checker import Answer, Checker
from reactivation.readiness.concerned import concerned_in_sources
from reactivation.readiness.verdict import Verdict

_OF_PURCHASES = ["customer_id", "purchases", "last_purchase_at"]
_OF_ENGAGEMENTS = [
    "customer_id", "last_open_at", "last_click_at", "last_visit_at", "last_login_at", "last_reply_at",
]  # fmt: skip
_NOTHING_SENT = {"sent": 0, "bounced": 0, "complained": 0}


@dataclass(frozen=True)
class Known:
    """What the ledger and the tenant know beside the snapshot: rows by table of earlier runs that went on, the last
    first; what was sent in the last 30 days, how much of it bounced and was complained about; the sending domain."""

    earlier: Sequence[Mapping[str, int]] = ()
    sent: Mapping[str, int] = field(default_factory=lambda: _NOTHING_SENT)
    domain: str = "the sending domain"


def judge_tables(folder: SnapshotFolder) -> Verdict:
    """Whether a snapshot can serve any playbook: contacts are there, whole, and no *no* is unreadable."""
    return _verdict(folder, None, _tables(Checker(), folder, {"contacts": TABLES["contacts"].required}, {}))


def judge(
    folder: SnapshotFolder, playbook: Playbook, owners: Owners, candidates: pa.Table | None, at: datetime,
    *, known: Known | None = None,
) -> Verdict:  # fmt: skip
    """Whether a run of the playbook may proceed.

    ``candidates`` are ``CANDIDATE_COLUMNS`` of the run's decisions (``None`` where nothing was decided yet); ``at`` is
    the instant at which the sources must still be fresh.
    """
    checker, limits, known = Checker(playbook.readiness.severities), playbook.readiness, known or Known()
    contacts = folder.read("contacts", frames.SEGMENT_COLUMNS)
    parameters = {
        "stale_after_hours": limits.stale_after_hours,
        "consent_clear_share": 1 - limits.consent_unclear_share,
        "joined_share": limits.joined_share,
        "agreeing_share": 1 - limits.contradicting_share,
        "of_last_share": 1 - limits.shrunken_share,
        "off_trend_share": limits.off_trend_share,
        "complaint_share": limits.complaint_share,
        "hard_bounce_share": limits.hard_bounce_share,
        "as_of": folder.as_of,
    }
    answers = dict(_tables(checker, folder, frames.required_columns(playbook), parameters))
    if contacts.num_rows:  # else the rest would be asked about nobody
        asked = {"always", playbook.subject}
        for name, frame, keys in _frames(folder, playbook, owners, contacts, candidates=candidates, at=at, known=known):
            answers[name] = checker.ask(name, frame, asked, parameters, keys)
    return _verdict(folder, playbook, answers.items())


def _frames(
    folder: SnapshotFolder, playbook: Playbook, owners: Owners, contacts: pa.Table, *, candidates: pa.Table | None,
    at: datetime, known: Known,
) -> Iterator[tuple[str, pd.DataFrame, pa.ChunkedArray | None]]:  # fmt: skip
    """Each suite's frame as it is asked about, one in memory at a time, with its rows' ids where they are people."""
    required = frames.required_columns(playbook)
    yield "sources", frames.sources(folder.manifest, at, {*playbook.requires, *FORBIDDING}), None
    yield "sizes", frames.sizes(folder.manifest, required, known.earlier), None
    yield "segments", frames.segments(contacts, playbook), None
    yield "approval_points", frames.approval_points(playbook, owners), None
    yield "measurement", frames.measurement(playbook), None
    if "email" in playbook.channels:
        engagements = folder.read("engagement_summary", frames.DELIVERY_COLUMNS)
        yield "deliverability", frames.deliverability(engagements, folder.as_of, known.sent, known.domain), None
    yield "purchase_summary", folder.read("purchase_summary", _OF_PURCHASES).to_pandas(), None
    yield "engagement_summary", folder.read("engagement_summary", _OF_ENGAGEMENTS).to_pandas(), None
    yield "profile", frames.profile(folder.read("profile")), None
    if candidates is not None:
        accounts = folder.read("accounts", frames.ACCOUNT_COLUMNS)
        yield "candidates", frames.candidates(candidates, owners, accounts), candidates["customer_id"]


def _tables(
    checker: Checker, folder: SnapshotFolder, required: Mapping[str, tuple[str, ...]], parameters: Mapping[str, object]
) -> Iterator[tuple[str, Answer]]:
    """What the suite of each table says. Of a table that is missing or empty nothing more is asked."""
    manifest, profile = folder.manifest, folder.read("profile")
    relationships = folder.read("contacts", ["relationship"])["relationship"]
    related = len(relationships) - relationships.null_count
    for name in TABLES:
        facts = frames.table_facts(name, manifest, profile, required.get(name, ()), related)
        asked = _asked(facts, name in required, joinable=len(relationships) > 0)
        yield name, checker.ask(name, facts, asked, parameters)


def _asked(facts: pd.DataFrame, required: bool, *, joinable: bool) -> set[str]:
    """Which expectations of a table's suite apply: of what is missing nothing more is asked."""
    present, filled = bool(facts["present"].iloc[0]), bool(facts["rows"].iloc[0])
    whole = filled and not facts["missing_columns"].iloc[0]
    asked = {"always": True, "present": present, "required": required, "required_present": required and present,
             "required_filled": required and filled, "required_whole": required and whole,
             "joinable": required and whole and joinable}  # fmt: skip
    return {when for when, applies in asked.items() if applies}


def _verdict(folder: SnapshotFolder, playbook: Playbook | None, answers: Iterable[tuple[str, Answer]]) -> Verdict:
    told = dict(answers)
    results = tuple(result for answer in told.values() for result in answer.results)
    rows = [answer.rows for answer in told.values()]
    rows.append(concerned_in_sources(folder, playbook, results))
    said = {name: answer.said for name, answer in told.items() if answer.said is not None}
    return Verdict(results, pa.concat_tables(rows), said)
