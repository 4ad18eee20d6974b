"""Decides who is a candidate, why, how and what next: the same function for runs, dry runs, previews and the sender.

``decide_snapshot`` reads one snapshot folder and one extract of the ledger and nothing else; the same files, playbook,
rules and signed settings give the same table, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Connection

from reactivation import paths
from reactivation.contract.tables import TABLES
from reactivation.evidence import SnapshotFolder, in_order, questions
from reactivation.evidence.folders import Content
from reactivation.ledger import accounts, extract, runs, seals
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.owners import SIGNS_FOR, Owners
from reactivation.policy.accounts import OWNER_SAID
from reactivation.policy.activity_segments import segment_counts, segment_table
from reactivation.policy.candidates import Counts, Decided, Share, decide_facts, decide_in_shares
from reactivation.policy.context import Context
from reactivation.policy.decisions import DECISIONS
from reactivation.policy.rules import Rules
from reactivation.policy.scores import score_customers, with_scores
from reactivation.policy.skips import hashed_for_skips
from reactivation.steps.accepting import rules_in_force
from reactivation.steps.begun import before_of, playbook_of, snapshot_of

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

STEP, BEFORE = "decide", "begin"
SETTINGS, OWNERS_SAID = "signed_settings.json", "owners_said"
SEGMENTS_FILE, SCORING = "segments", "scoring.json"

#: Ids of one kind that one address may bring into a decision's evidence.
_MOST_IDS = 20


def decide_run(workspace: Workspace, run_id: str, now: datetime) -> dict[str, Any]:
    """Decide a run: writes ``ledger_extract``, the signed settings, how everybody was scored, ``decisions`` and, for a
    playbook that asks for segments, who is in which (``segments``); records the step and returns the counts.

    Raises ``StepError`` when the beginning, the snapshot, the playbook or the rules are not those of the run.
    """
    folder = workspace.run_folder(run_id)
    with workspace.ledger.begin() as conn:
        runs.require_step(conn, run_id, BEFORE, folder.manifest_digest)
        run = runs.run_of(conn, run_id)
        playbook, before = playbook_of(workspace, run).playbook, before_of(workspace, run)
        known, rules = extract.ledger_extract(conn, brand=playbook.brand, now=now), rules_in_force(workspace, conn)
        said = owners_said(conn, playbook, *before)
    snapshot = snapshot_of(workspace, run)
    scores, scoring = scored(snapshot, playbook)
    pa.default_memory_pool().release_unused()  # it keeps what is freed, and DuckDB has no use for that
    facts, consents, context, of_accounts = gathered(
        snapshot, known, playbook, rules, workspace.owners, run.as_of, before=before, owners_said=said, scores=scores
    )
    segments = segment_table(facts, context) if playbook.population.only_segments else None
    counts, shares = Counts(), decide_in_shares(facts, consents, context, of_accounts)
    del facts, consents, of_accounts, scores  # as large as the decisions, which are written as they come
    files: dict[str, Content] = {
        "ledger_extract": known, SETTINGS: dict(rules.signed), SCORING: scoring, "decisions": _rows(shares, counts),
        OWNERS_SAID: said,
    }  # fmt: skip
    if segments is not None:
        files[SEGMENTS_FILE] = segments
    digest = folder.add(files)
    told = counts.told() | ({} if segments is None else {SEGMENTS_FILE: segment_counts(segments)})
    with workspace.ledger.begin() as conn:
        runs.record_step(conn, run_id, STEP, state="succeeded", manifest_digest=digest, counts=told, now=now)
    seals.seal(workspace.ledger, now)
    return told


def _rows(shares: Iterator[Share], counts: Counts) -> pa.RecordBatchReader:
    """The decisions of shares that are yet to come, each counted when it does."""

    def batches() -> Iterator[pa.RecordBatch]:
        for share in shares:
            counts.add(share)
            yield from share.table.to_batches()

    return pa.RecordBatchReader.from_batches(DECISIONS, batches())


def scored(snapshot: SnapshotFolder, playbook: Playbook) -> tuple[pa.Table, dict[str, Any]]:
    """The scores of everybody who ever bought (``score_customers``), and how they were come to: the model, the instant
    it was fitted at, the digest of the purchases it was fitted to, and every business segment's fit and backtest."""
    with questions(snapshot, only=("purchase_summary", "contacts")) as ask:
        bought = ask(paths.sql("bought"), {"at": snapshot.as_of})
    found = score_customers(bought, playbook.scoring.model, snapshot.as_of.month)
    return found.table, {
        "model": playbook.scoring.model, "fitted_at": snapshot.as_of,
        "data": snapshot.files["purchase_summary.parquet"], "segments": found.segments,
    }  # fmt: skip


def owners_said(conn: Connection, *playbooks: Playbook) -> pa.Table:
    """What accounts' owners decided (``OWNER_SAID``), by the first of these playbooks that is about accounts."""
    about = next((one for one in playbooks if one.subject == "account"), None)
    return OWNER_SAID.empty_table() if about is None else accounts.owners_said(conn, about.playbook)


def decide_snapshot(  # noqa: PLR0917  (the one function that everybody shares)
    folder: SnapshotFolder,
    extract: pa.Table,
    playbook: Playbook,
    rules: Rules,
    owners: Owners,
    at: datetime,
    planned_on: datetime | None = None,
    *,
    before: Sequence[Playbook] = (),
    owners_said: pa.Table | None = None,
    scores: pa.Table | None = None,
    threads: int = 2,
) -> Decided:
    """The decisions about everybody in the snapshot: ``table`` (``DECISIONS``) and ``counts``.

    ``extract`` has the columns of ``ledger.extract.EXTRACT``. ``at`` is the instant everything is judged at;
    permissions must still hold on ``planned_on`` (``at`` when not given). ``before``: the playbooks that go first.
    ``owners_said`` (``OWNER_SAID``): what accounts' owners decided. ``scores``: those of the run; who asks about a few
    has none, and no gate asks for any.
    """
    told = gathered(
        folder,
        extract,
        playbook,
        rules,
        owners,
        at,
        planned_on,
        before=before,
        owners_said=owners_said,
        scores=scores,
        threads=threads,
    )
    return decide_facts(*told)


def gathered(  # noqa: PLR0917  (what ``decide_snapshot`` is asked)
    folder: SnapshotFolder,
    extract: pa.Table,
    playbook: Playbook,
    rules: Rules,
    owners: Owners,
    at: datetime,
    planned_on: datetime | None = None,
    *,
    before: Sequence[Playbook] = (),
    owners_said: pa.Table | None = None,
    scores: pa.Table | None = None,
    threads: int = 2,
) -> tuple[pa.Table, pa.Table, Context, pa.Table | None]:
    """What the ladder is climbed with: the facts about everybody (``candidates.sql``), the consent records
    (``consent_rows.sql``), what they are judged in, and the facts about accounts (``account_candidates.sql``) where one
    of the playbooks is about them."""
    permission, words = rules.permission, rules.words
    owners_said = OWNER_SAID.empty_table() if owners_said is None else owners_said
    with questions(folder, threads=threads) as ask:
        person_nos = ask(
            paths.sql("person_nos"),
            {"brand": playbook.brand, "at": at, "most_ids": _MOST_IDS,
             "closed_statuses": list(words.closed_case_statuses)},
        )  # fmt: skip
        facts = ask(
            paths.sql("candidates"),
            {"at": at, "salt": playbook.holdout_salt, "skips": hashed_for_skips(playbook),
             "crowd": permission.crowd, "asked_tags": _tags(playbook, *before)},
            {"person_nos": person_nos, "ledger_extract": extract},
        )  # fmt: skip
        facts = with_scores(in_order(facts, "customer_id"), scores)
        of_accounts = None
        if about := next((one for one in (playbook, *before) if one.subject == "account"), None):
            of_accounts = ask(
                paths.sql("account_candidates"),
                {"playbook": about.playbook, "salt": about.holdout_salt, "skips": hashed_for_skips(about),
                 "dormant_statuses": list(about.accounts.dormant_statuses if about.accounts else ())},
                {"candidates": facts, "owner_decisions": owners_said},
            )  # fmt: skip
        consents = ask(
            paths.sql("consent_rows"), {"brand": playbook.brand, "purposes": list(permission.purposes)}
        )  # fmt: skip
    role = SIGNS_FOR[playbook.subject]
    context = Context(
        playbook=playbook, rules=rules, at=at, planned_on=planned_on or at, unread=_unread(folder, playbook),
        owners=frozenset(owner_id for owner_id in owners.by_id if owners.signers_for(owner_id, role)),
        offers={row["offer_id"]: row for row in folder.read("offers").to_pylist()}, before=tuple(before),
    )  # fmt: skip
    return facts, consents, context, of_accounts


def _tags(*playbooks: Playbook) -> list[str]:
    """The tags that decide something in these playbooks."""
    asked = (tag for one in playbooks for tag in (*one.population.only_tags, one.no_response_tag))
    return sorted(set(asked))


def _unread(folder: SnapshotFolder, playbook: Playbook) -> frozenset[str]:
    """The tables that no fresh source had: what they would say is unknown."""
    manifest = folder.manifest
    oldest = folder.as_of - timedelta(hours=playbook.readiness.stale_after_hours)
    fresh = [source for source in manifest["sources"] if datetime.fromisoformat(source["speaks_as_of"]) >= oldest]
    read = {name for source in fresh for name, table in source["tables"].items() if table["present"]}
    return frozenset(TABLES) - read
