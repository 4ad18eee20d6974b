"""The tables of the ledger: what was decided, asked, signed, sent and observed.

Ids and codes only: no names, addresses, notes or bodies ever stand here (ARCHITECTURE invariant 8), but for the words
of ``replies``. Rows of
``APPEND_ONLY`` tables are kept from change by triggers made by the migration that makes the table.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)  # fmt: skip

from reactivation.ledger.types import Code, Digest, Id, Money, Sequence, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{v}'" for v in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


# --- identity -------------------------------------------------------------------------------------------------------
identity = Table(
    "identity", metadata,
    Column("ledger_id", Id, primary_key=True),
    Column("environment", Code, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)  # fmt: skip

address_key_checks = Table(
    "address_key_checks", metadata,
    Column("position", Integer, primary_key=True, comment="0 for the first key, one more for each rotation"),
    Column("check_value", Digest, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)  # fmt: skip

# --- evidence this ledger vouches for -------------------------------------------------------------------------------
snapshots = Table(
    "snapshots", metadata,
    Column("snapshot_id", Id, primary_key=True),
    Column("as_of", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("manifest_digest", Digest, nullable=False),
    Column("state", Code, nullable=False),
    _one_of("state", "ready", "not_ready"),
)  # fmt: skip

runs = Table(
    "runs", metadata,
    Column("run_id", Id, primary_key=True),
    Column("playbook", Code, nullable=False),
    Column("snapshot_id", Id, ForeignKey("snapshots.snapshot_id"), nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("playbook_digest", Digest, nullable=False),
    Column("rules_version", Code, nullable=False),
    Column("dry", Boolean, nullable=False),
    Column("segment", Code, comment="only this business segment; null for all"),
    Column("sample_size", Integer, comment="at most this many enrolments; null for no limit"),
    Column("triggered_by", Code, nullable=False, comment="the Airflow user id, or schedule"),
    Column("started_at", UtcDateTime, nullable=False),
)  # fmt: skip

steps = Table(
    "steps", metadata,
    Column("run_id", Id, ForeignKey("runs.run_id"), nullable=False),
    Column("step", Code, nullable=False),
    Column("state", Code, nullable=False),
    Column("manifest_digest", Digest, nullable=False, comment="of the run's manifest when the step ended"),
    Column("counts", JSON, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("run_id", "step"),
    _one_of("state", "succeeded", "not_ready", "failed"),
)  # fmt: skip

# --- enrolments and touches -----------------------------------------------------------------------------------------
enrolments = Table(
    "enrolments", metadata,
    Column("enrolment_id", Id, primary_key=True),
    Column("playbook", Code, nullable=False),
    Column("run_id", Id, ForeignKey("runs.run_id"), nullable=False),
    Column("customer_id", Code, nullable=False),
    Column("account_id", Code),
    Column("segment", Code, nullable=False),
    Column("variant", Code, comment="which variant of the playbook, for the whole course; null where it has none"),
    Column("batch_id", Id, comment="the split of variants that chance made it under"),
    Column("owner_id", Code, nullable=False),
    Column("decision", Code, nullable=False),
    Column("review_reasons", JSON, nullable=False),
    Column("dimensions", JSON, nullable=False, comment="the six segmentation dimensions, value tier, population"),
    Column("state", Code, nullable=False),
    Column("enrolled_at", UtcDateTime, nullable=False),
    Column("plan_ends_at", UtcDateTime, nullable=False, comment="end of the window of the last touch planned"),
    Column("ended_at", UtcDateTime),
    Column("exit_reason", Code),
    _one_of("decision", "enrol", "review"),
    _one_of("state", "active", "ended"),
    Index(None, "playbook", "state"),
    Index(None, "customer_id"),
)  # fmt: skip

#: One row per address key behind an enrolment. The partial unique index is invariant 6: one playbook per person.
enrolment_keys = Table(
    "enrolment_keys", metadata,
    Column("enrolment_id", Id, ForeignKey("enrolments.enrolment_id"), nullable=False),
    Column("address_key", Digest, nullable=False),
    Column("channel", Code, nullable=False),
    Column("active", Boolean, nullable=False),
    PrimaryKeyConstraint("enrolment_id", "address_key"),
    Index("uq_enrolment_keys_one_active", "address_key", unique=True,
          sqlite_where=text("active = 1"), postgresql_where=text("active")),
    Index(None, "address_key"),
)  # fmt: skip

touches = Table(
    "touches", metadata,
    Column("touch_id", Id, primary_key=True),
    Column("enrolment_id", Id, ForeignKey("enrolments.enrolment_id"), nullable=False),
    Column("playbook", Code, nullable=False),
    Column("number", Integer, nullable=False),
    Column("pattern", Code, nullable=False),
    Column("purpose", Code, nullable=False),
    Column("channel", Code, nullable=False),
    Column("incentive", Code, nullable=False),
    Column("offer_id", Code),
    Column("address_key", Digest, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime, nullable=False),
    Column("state", Code, nullable=False),
    Column("reason", Code, comment="why it is in that state, as a code"),
    Column("draft_digest", Digest, comment="of the bytes last drafted"),
    Column("draft_run_id", Id, ForeignKey("runs.run_id"), comment="whose drafts.parquet has the bytes"),
    Column("reserved_by", Code, comment="the dispatcher that looks at it now; means nothing when that one is gone"),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("enrolment_id", "number"),
    _one_of("state", "planned", "drafted", "listed", "signed", "claimed", "accepted", "refused", "unknown",
            "held", "rejected", "expired", "cancelled"),
    CheckConstraint("not_before < not_after", name="window_open"),
    Index(None, "state", "not_before", "touch_id"),
)  # fmt: skip

offer_codes = Table(
    "offer_codes", metadata,
    Column("code", Code, primary_key=True),
    Column("offer_id", Code, nullable=False),
    Column("touch_id", Id, ForeignKey("touches.touch_id"), nullable=False, unique=True),
    Column("state", Code, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    _one_of("state", "reserved", "committed", "released"),
)  # fmt: skip

# --- lists, questions, answers --------------------------------------------------------------------------------------
lists = Table(
    "lists", metadata,
    Column("list_id", Id, primary_key=True),
    Column("run_id", Id, ForeignKey("runs.run_id"), nullable=False),
    Column("playbook", Code, nullable=False),
    Column("kind", Code, nullable=False),
    Column("channel", Code, nullable=False),
    Column("touch_number", Integer, nullable=False),
    Column("segment", Code, nullable=False),
    Column("variant", Code, comment="whose messages these are; null where the playbook has none, and for offers"),
    Column("owner_id", Code, nullable=False),
    Column("offer_id", Code),
    Column("offer_terms", Text),
    Column("cost", Money, comment="the most this list can cost, if every offer in it is redeemed"),
    Column("currency", Code),
    Column("authors", JSON, nullable=False, comment="user ids that may not sign: who wrote it, who triggered the run"),
    Column("digest", Digest, nullable=False),
    Column("signing_code", Code, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("state", Code, nullable=False),
    Column("closed_at", UtcDateTime),
    _one_of("kind", "content", "offer"),
    _one_of("state", "open", "signed", "held", "rejected"),
    Index(None, "state"),
)  # fmt: skip

list_items = Table(
    "list_items", metadata,
    Column("list_id", Id, ForeignKey("lists.list_id"), nullable=False),
    Column("touch_id", Id, ForeignKey("touches.touch_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("customer_id", Code, nullable=False),
    Column("draft_digest", Digest, nullable=False),
    Column("individual", Boolean, nullable=False, comment="counts as signed only when named"),
    Column("review_reasons", JSON, nullable=False),
    PrimaryKeyConstraint("list_id", "touch_id"),
    UniqueConstraint("list_id", "position"),
    Index(None, "touch_id"),
)  # fmt: skip

list_signers = Table(
    "list_signers", metadata,
    Column("list_id", Id, ForeignKey("lists.list_id"), nullable=False),
    Column("user_id", Code, nullable=False),
    Column("owner_id", Code, nullable=False),
    Column("role", Code, nullable=False),
    PrimaryKeyConstraint("list_id", "user_id"),
)  # fmt: skip

#: Which items a signer really had on the screen; a group signature needs one.
list_views = Table(
    "list_views", metadata,
    Column("view_id", Id, primary_key=True),
    Column("list_id", Id, ForeignKey("lists.list_id"), nullable=False),
    Column("user_id", Code, nullable=False),
    Column("touch_ids", JSON, nullable=False),
    Column("viewed_at", UtcDateTime, nullable=False),
    Index(None, "list_id", "user_id"),
)  # fmt: skip

questions = Table(
    "questions", metadata,
    Column("question_id", Id, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("list_id", Id, ForeignKey("lists.list_id")),
    Column("subject", Code, nullable=False, comment="what is asked about, as an id"),
    Column("state", Code, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    _one_of("kind", "sign_list", "sign_offer", "sign_setting", "waive", "resume", "label_reply", "confirm_send",
            "decide_account"),
    _one_of("state", "open", "answered", "held"),
    Index(None, "state"),
)  # fmt: skip

#: Which question one Airflow request shows. Written once, by the request's first ``execute``; never updated.
request_bindings = Table(
    "request_bindings", metadata,
    Column("dag_id", Code, nullable=False),
    Column("dag_run_id", Text, nullable=False),
    Column("task_id", Code, nullable=False),
    Column("map_index", Integer, nullable=False),
    Column("question_id", Id, ForeignKey("questions.question_id"), nullable=False, unique=True),
    Column("bound_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("dag_id", "dag_run_id", "task_id", "map_index"),
)  # fmt: skip

answers = Table(
    "answers", metadata,
    Column("answer_id", Id, primary_key=True),
    Column("question_id", Id, ForeignKey("questions.question_id"), nullable=False),
    Column("responder", Code, comment="the Airflow user id; null when the request timed out"),
    Column("chosen", Code, nullable=False),
    Column("form", JSON, nullable=False, comment="codes and ids only"),
    Column("responded_at", UtcDateTime, comment="as Airflow says"),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("refusal", Code, comment="why it does not count; null when accepted"),
    Index(None, "question_id"),
)  # fmt: skip

item_verdicts = Table(
    "item_verdicts", metadata,
    Column("list_id", Id, nullable=False),
    Column("touch_id", Id, nullable=False),
    Column("verdict", Code, nullable=False),
    Column("answer_id", Id, ForeignKey("answers.answer_id"), nullable=False),
    PrimaryKeyConstraint("list_id", "touch_id"),
    _one_of("verdict", "signed", "held", "rejected"),
)  # fmt: skip

waivers = Table(
    "waivers", metadata,
    Column("run_id", Id, ForeignKey("runs.run_id"), nullable=False),
    Column("condition", Code, nullable=False),
    Column("reason", Code, nullable=False),
    Column("answer_id", Id, ForeignKey("answers.answer_id"), nullable=False, comment="the signature"),
    Column("signed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("run_id", "condition"),
)  # fmt: skip

# --- accounts: what their owners decide -------------------------------------------------------------------------------
#: What an owner is asked about an account, as it stood when the question was opened.
account_questions = Table(
    "account_questions", metadata,
    Column("question_id", Id, ForeignKey("questions.question_id"), primary_key=True),
    Column("run_id", Id, ForeignKey("runs.run_id"), nullable=False, comment="whose decisions.parquet has the account"),
    Column("playbook", Code, nullable=False),
    Column("account_id", Code, nullable=False),
    Column("owner_id", Code, nullable=False),
    Column("contacts", JSON, nullable=False, comment="customer ids of its contacts, in the order they are shown"),
    Column("noes", Integer, nullable=False, comment="how many contacts beside the recipient had said no"),
    Index(None, "playbook", "account_id"),
)  # fmt: skip

#: What owners decided; the last word about an account stands.
account_decisions = Table(
    "account_decisions", metadata,
    Column("answer_id", Id, ForeignKey("answers.answer_id"), primary_key=True, comment="the signature"),
    Column("playbook", Code, nullable=False),
    Column("account_id", Code, nullable=False),
    Column("decision", Code, nullable=False),
    Column("reason", Code),
    Column("until", UtcDateTime, comment="until when it is held"),
    Column("recipient", Code, comment="the contact to be written to, where the owner chose another"),
    Column("noes", Integer, nullable=False, comment="how many contacts had said no, as he knew"),
    Column("decided_by", Code, nullable=False, comment="the Airflow user id"),
    Column("decided_at", UtcDateTime, nullable=False),
    _one_of("decision", "approve", "resolve_issue", "hold_until", "close", "monitor", "no_outreach"),
    Index(None, "playbook", "account_id", "decided_at"),
)  # fmt: skip

#: Drafts in the words of an account's owner, each in the file of a run of its own. Proposed; whoever approves one asks
#: its second approver by a list of that run.
draft_edits = Table(
    "draft_edits", metadata,
    Column("edit_id", Id, ForeignKey("runs.run_id"), primary_key=True, comment="the run whose drafts.parquet has it"),
    Column("list_id", Id, ForeignKey("lists.list_id"), nullable=False, comment="the list whose message it changes"),
    Column("touch_id", Id, ForeignKey("touches.touch_id"), nullable=False),
    Column("draft_digest", Digest, nullable=False),
    Column("signing_code", Code, nullable=False, comment="to approve the message as changed"),
    Column("parts", JSON, nullable=False, comment="what is changed, by name"),
    Column("proposed_by", Code, nullable=False, comment="the Airflow user id, as he was named"),
    Column("proposed_at", UtcDateTime, nullable=False),
    Index(None, "list_id"),
    Index(None, "touch_id"),
)  # fmt: skip

# --- sends and what came back ---------------------------------------------------------------------------------------
sends = Table(
    "sends", metadata,
    Column("send_id", Id, primary_key=True, comment="also the idempotency key"),
    Column("touch_id", Id, ForeignKey("touches.touch_id"), nullable=False, unique=True),
    Column("provider", Code, nullable=False),
    Column("channel", Code, nullable=False),
    Column("address_key", Digest, nullable=False),
    Column("draft_digest", Digest, nullable=False),
    Column("answer_ids", JSON, nullable=False, comment="the signatures that allow it"),
    Column("basis", JSON, nullable=False, comment="permission basis and record ids at the moment of the intent"),
    Column("gates", JSON, nullable=False, comment="result of every gate at the moment of the intent"),
    Column("local_time", Code, nullable=False),
    Column("zone", Code, nullable=False),
    Column("zone_source", Code, nullable=False),
    Column("rules_version", Code, nullable=False),
    Column("worker", Code, nullable=False),
    Column("state", Code, nullable=False),
    Column("intended_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
    Column("called_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("provider_ref", Code),
    Column("reason", Code),
    _one_of("state", "intent", "called", "accepted", "refused", "unknown"),
    Index(None, "state"),
    Index(None, "address_key", "intended_at"),
    Index(None, "provider_ref"),
)  # fmt: skip

events = Table(
    "events", metadata,
    Column("event_id", Code, primary_key=True, comment="the source's own id: a repeat is nothing new"),
    Column("customer_id", Code),
    Column("address_key", Digest),
    Column("enrolment_id", Id),
    Column("touch_id", Id),
    Column("kind", Code, nullable=False),
    Column("channel", Code),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("source", Code, nullable=False),
    Column("crossed", Boolean, nullable=False, comment="came after the intent of a send it would have stopped"),
    Column("amount", Money, comment="what a purchase came to, after discount"),
    Column("currency", Code),
    Column("discount", Money, comment="what the source says was taken off"),
    Column("about", Code, comment="the purchase a cancellation or a redeemed code is of"),
    Index(None, "enrolment_id"),
    Index(None, "customer_id"),
    Index(None, "kind", "occurred_at"),
)  # fmt: skip

measurement_events = Table(
    "measurement_events", metadata,
    Column("event_id", Id, primary_key=True),
    Column("run_id", Id),
    Column("playbook", Code, nullable=False),
    Column("subject", Code, nullable=False, comment="customer or account id"),
    Column("kind", Code, nullable=False, comment="decision, approval, send, exit, suppression, tag"),
    Column("outcome", Code, nullable=False),
    Column("reason", Code),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("rules_version", Code, nullable=False),
    Index(None, "playbook", "kind", "occurred_at"),
)  # fmt: skip

#: Replies nobody recognised. While one has no label, nothing is sent to its person. Their words are the only ones in
#: the ledger: they are shown on the page of their question, and go by retention and erasure.
replies = Table(
    "replies", metadata,
    Column("reply_id", Id, primary_key=True),
    Column("address_key", Digest, comment="who said it; null when that could not be read"),
    Column("customer_id", Code),
    Column("enrolment_id", Id, comment="all of its addresses are written to no more"),
    Column("provider", Code, nullable=False),
    Column("channel", Code, nullable=False),
    Column("words", Text, comment="personal; null once they are gone"),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("label", Code, comment="what a person says it is; null while it holds"),
    Column("labelled_at", UtcDateTime),
    Index("ix_replies_open", "address_key", sqlite_where=text("label IS NULL"), postgresql_where=text("label IS NULL")),
)  # fmt: skip

#: How far the events of each provider were asked for.
provider_feeds = Table(
    "provider_feeds", metadata,
    Column("provider", Code, primary_key=True),
    Column("told_until", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
)  # fmt: skip

# --- what forbids, marks and stops ----------------------------------------------------------------------------------
suppressions = Table(
    "suppressions", metadata,
    Column("address_key", Digest, nullable=False),
    Column("brand", Code, nullable=False, comment="* for every brand"),
    Column("channel", Code, nullable=False, comment="* for every channel"),
    Column("reason", Code, nullable=False),
    Column("source", Code, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("address_key", "brand", "channel", "reason"),
)  # fmt: skip

tags = Table(
    "tags", metadata,
    Column("customer_id", Code, nullable=False),
    Column("tag", Code, nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    PrimaryKeyConstraint("customer_id", "tag", "set_at"),
    Index("uq_tags_one_standing", "customer_id", "tag", unique=True,
          sqlite_where=text("removed_at IS NULL"), postgresql_where=text("removed_at IS NULL")),
)  # fmt: skip

stops = Table(
    "stops", metadata,
    Column("stop_id", Id, primary_key=True),
    Column("scope", Code, nullable=False, comment="everything, channel:<name>, playbook:<name> or variant:<of it>"),
    Column("reason", Code, nullable=False),
    Column("actor", Code, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
)  # fmt: skip

#: How a playbook splits people among its variants, as long as nothing about that changes.
variant_batches = Table(
    "variant_batches", metadata,
    Column("batch_id", Id, primary_key=True),
    Column("playbook", Code, nullable=False),
    Column("run_id", Id, ForeignKey("runs.run_id"), nullable=False, comment="the first run that enrolled in it"),
    Column("split", JSON, nullable=False, comment="share and digest of each variant; what is paused; resumptions"),
    Column("began_at", UtcDateTime, nullable=False),
    Index(None, "playbook", "began_at"),
)  # fmt: skip

#: What the monitor saw when it began a stop.
pauses = Table(
    "pauses", metadata,
    Column("stop_id", Id, ForeignKey("stops.stop_id"), primary_key=True),
    Column("playbook", Code, nullable=False),
    Column("variant", Code, comment="null for the whole playbook"),
    Column("segment", Code, comment="null for all segments"),
    Column("because", Code, nullable=False),
    Column("evidence", JSON, nullable=False, comment="counts, e-value, limit or threshold, batches with their shares"),
    Column("as_of", UtcDateTime, nullable=False, comment="what was recorded later is not in the evidence"),
    Column("rules_version", Code, nullable=False),
    _one_of("because", "worse", "complaints", "unsubscribes", "bounces"),
    Index(None, "playbook"),
)  # fmt: skip

settings = Table(
    "settings", metadata,
    Column("setting_id", Id, primary_key=True),
    Column("name", Code, nullable=False),
    Column("value", JSON, nullable=False),
    Column("answer_id", Id, ForeignKey("answers.answer_id"), nullable=False, comment="the signature"),
    Column("signed_at", UtcDateTime, nullable=False),
)  # fmt: skip

#: While one stands, its playbook enrols nobody outside the sample, and after ``ends_at`` nobody at all.
pilots = Table(
    "pilots", metadata,
    Column("pilot_id", Id, primary_key=True),
    Column("playbook", Code, nullable=False),
    Column("playbook_digest", Digest, nullable=False, comment="whose terms they are"),
    Column("segment", Code, comment="the one business segment it is of; null for the subjects"),
    Column("subjects", JSON, nullable=False, comment="ids of the customers or accounts it is of; empty for a segment"),
    Column("owner_id", Code, nullable=False),
    Column("threshold", JSON, nullable=False, comment="the share to be proven"),
    Column("baseline", JSON, nullable=False, comment="the metric before the first enrolment: measure, count, of, run"),
    Column("began_by", Code, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("ended_by", Code),
    Column("ended_at", UtcDateTime),
    Index("uq_pilots_one_standing", "playbook", unique=True,
          sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)  # fmt: skip

# --- privacy --------------------------------------------------------------------------------------------------------
#: While one stands, nothing that concerns its customer (or anybody) is purged or erased.
holds = Table(
    "holds", metadata,
    Column("hold_id", Id, primary_key=True),
    Column("customer_id", Code, comment="whom it is about; null for everybody"),
    Column("began_by", Code, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_by", Code),
    Column("ended_at", UtcDateTime),
)  # fmt: skip

erased_customers = Table(
    "erased_customers", metadata,
    Column("customer_id", Code, primary_key=True),
    Column("reason", Code, nullable=False),
    Column("erased_by", Code, nullable=False),
    Column("erased_at", UtcDateTime, nullable=False),
)  # fmt: skip

erased_addresses = Table(
    "erased_addresses", metadata,
    Column("address_key", Digest, primary_key=True),
    Column("reason", Code, nullable=False),
    Column("erased_by", Code, nullable=False),
    Column("erased_at", UtcDateTime, nullable=False),
)  # fmt: skip

# --- audit ----------------------------------------------------------------------------------------------------------
audit = Table(
    "audit", metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Code, nullable=False, comment="a user id, or the step"),
    Column("action", Code, nullable=False),
    Column("subject", Code, nullable=False),
    Column("details", Text, nullable=False, comment="canonical JSON of ids, codes and counts"),
    Index(None, "subject"),
)  # fmt: skip

seals = Table(
    "seals", metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("from_seq", Sequence, nullable=False),
    Column("to_seq", Sequence, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("root", Digest, nullable=False),
    Column("previous", Digest, nullable=False),
    Column("head", Digest, nullable=False, comment="digest of this row's other fields"),
    Column("sealed_at", UtcDateTime, nullable=False),
)  # fmt: skip

#: Inserted, never changed and never removed: triggers on both databases say so.
APPEND_ONLY = (
    "account_decisions", "account_questions", "address_key_checks", "answers", "audit", "draft_edits",
    "erased_addresses", "erased_customers", "events", "identity", "item_verdicts", "list_items", "list_signers",
    "list_views", "measurement_events", "pauses", "request_bindings", "runs", "seals", "settings", "snapshots",
    "suppressions", "variant_batches", "waivers",
)  # fmt: skip

#: Frozen when inserted, but for these columns, and never removed; a closed list or question and a hold or pilot
#: that has ended never change again.
#: An intent that was never called may be removed: then nothing was handed to anybody.
CHANGES_ONLY = {
    "lists": ("state", "closed_at"),
    "questions": ("state", "closed_at"),
    "enrolments": ("state", "ended_at", "exit_reason"),
    "holds": ("ended_by", "ended_at"),
    "pilots": ("ended_by", "ended_at"),
    "replies": ("words", "label", "labelled_at"),
    "sends": ("state", "lease_until", "called_at", "finished_at", "provider_ref", "reason"),
}
