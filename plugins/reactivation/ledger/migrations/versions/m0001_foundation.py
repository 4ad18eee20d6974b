"""The first tables of the ledger, and the triggers that keep its evidence from change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reactivation.ledger.migrations import triggers
from reactivation.ledger.types import Code, Digest, Id, Money, Sequence, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "address_key_checks",
    "answers",
    "audit",
    "events",
    "identity",
    "item_verdicts",
    "list_items",
    "list_signers",
    "list_views",
    "measurement_events",
    "request_bindings",
    "runs",
    "seals",
    "settings",
    "snapshots",
    "suppressions",
)

FROZEN = {
    "enrolments": (
        "enrolment_id",
        "playbook",
        "run_id",
        "customer_id",
        "account_id",
        "segment",
        "owner_id",
        "decision",
        "review_reasons",
        "dimensions",
        "enrolled_at",
        "plan_ends_at",
    ),
    "lists": (
        "list_id",
        "run_id",
        "playbook",
        "kind",
        "channel",
        "touch_number",
        "segment",
        "owner_id",
        "offer_id",
        "offer_terms",
        "cost",
        "currency",
        "authors",
        "digest",
        "signing_code",
        "opened_at",
        "expires_at",
    ),
    "questions": ("question_id", "kind", "list_id", "subject", "opened_at", "expires_at"),
    "sends": (
        "send_id",
        "touch_id",
        "provider",
        "channel",
        "address_key",
        "draft_digest",
        "answer_ids",
        "basis",
        "gates",
        "local_time",
        "zone",
        "zone_source",
        "rules_version",
        "worker",
        "intended_at",
    ),
}


def upgrade() -> None:
    op.create_table(
        "address_key_checks",
        sa.Column("position", sa.Integer(), nullable=False, comment="0 for the first key, one more for each rotation"),
        sa.Column("check_value", Digest, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_address_key_checks")),
    )
    op.create_table(
        "audit",
        sa.Column("seq", Sequence, autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", Code, nullable=False, comment="a user id, or the step"),
        sa.Column("action", Code, nullable=False),
        sa.Column("subject", Code, nullable=False),
        sa.Column("details", sa.Text(), nullable=False, comment="canonical JSON of ids, codes and counts"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_table(
        "events",
        sa.Column("event_id", Code, nullable=False, comment="the source's own id: a repeat is nothing new"),
        sa.Column("customer_id", Code, nullable=True),
        sa.Column("address_key", Digest, nullable=True),
        sa.Column("enrolment_id", Id, nullable=True),
        sa.Column("touch_id", Id, nullable=True),
        sa.Column("kind", Code, nullable=False),
        sa.Column("channel", Code, nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("source", Code, nullable=False),
        sa.Column(
            "crossed", sa.Boolean(), nullable=False, comment="came after the intent of a send it would have stopped"
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_enrolment_id"), "events", ["enrolment_id"], unique=False)
    op.create_index(op.f("ix_events_kind_occurred_at"), "events", ["kind", "occurred_at"], unique=False)
    op.create_table(
        "identity",
        sa.Column("ledger_id", Id, nullable=False),
        sa.Column("environment", Code, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("ledger_id", name=op.f("pk_identity")),
    )
    op.create_table(
        "measurement_events",
        sa.Column("event_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("subject", Code, nullable=False, comment="customer or account id"),
        sa.Column("kind", Code, nullable=False, comment="decision, approval, send, exit"),
        sa.Column("outcome", Code, nullable=False),
        sa.Column("reason", Code, nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("rules_version", Code, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_measurement_events")),
    )
    op.create_index(
        op.f("ix_measurement_events_playbook_kind_occurred_at"),
        "measurement_events",
        ["playbook", "kind", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "seals",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("from_seq", Sequence, nullable=False),
        sa.Column("to_seq", Sequence, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("root", Digest, nullable=False),
        sa.Column("previous", Digest, nullable=False),
        sa.Column("head", Digest, nullable=False, comment="digest of this row's other fields"),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seals")),
    )
    op.create_table(
        "snapshots",
        sa.Column("snapshot_id", Id, nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("manifest_digest", Digest, nullable=False),
        sa.Column("state", Code, nullable=False),
        sa.CheckConstraint("state IN ('ready', 'not_ready')", name=op.f("ck_snapshots_state_known")),
        sa.PrimaryKeyConstraint("snapshot_id", name=op.f("pk_snapshots")),
    )
    op.create_table(
        "stops",
        sa.Column("stop_id", Id, nullable=False),
        sa.Column("scope", Code, nullable=False, comment="everything, playbook:<name> or channel:<name>"),
        sa.Column("reason", Code, nullable=False),
        sa.Column("actor", Code, nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("stop_id", name=op.f("pk_stops")),
    )
    op.create_table(
        "suppressions",
        sa.Column("address_key", Digest, nullable=False),
        sa.Column("brand", Code, nullable=False, comment="* for every brand"),
        sa.Column("channel", Code, nullable=False, comment="* for every channel"),
        sa.Column("reason", Code, nullable=False),
        sa.Column("source", Code, nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address_key", "brand", "channel", "reason", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "tags",
        sa.Column("customer_id", Code, nullable=False),
        sa.Column("tag", Code, nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "tag", "set_at", name=op.f("pk_tags")),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("snapshot_id", Id, nullable=False),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.Column("playbook_digest", Digest, nullable=False),
        sa.Column("rules_version", Code, nullable=False),
        sa.Column("dry", sa.Boolean(), nullable=False),
        sa.Column("segment", Code, nullable=True, comment="only this business segment; null for all"),
        sa.Column(
            "sample_size", sa.Integer(), nullable=True, comment="at most this many enrolments; null for no limit"
        ),
        sa.Column("triggered_by", Code, nullable=False, comment="the Airflow user id, or schedule"),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.snapshot_id"], name=op.f("fk_runs_snapshot_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
    )
    op.create_table(
        "enrolments",
        sa.Column("enrolment_id", Id, nullable=False),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("customer_id", Code, nullable=False),
        sa.Column("account_id", Code, nullable=True),
        sa.Column("segment", Code, nullable=False),
        sa.Column("owner_id", Code, nullable=False),
        sa.Column("decision", Code, nullable=False),
        sa.Column("review_reasons", sa.JSON(), nullable=False),
        sa.Column(
            "dimensions", sa.JSON(), nullable=False, comment="the six segmentation dimensions, value tier, population"
        ),
        sa.Column("state", Code, nullable=False),
        sa.Column("enrolled_at", UtcDateTime(), nullable=False),
        sa.Column("plan_ends_at", UtcDateTime(), nullable=False, comment="end of the window of the last touch planned"),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("exit_reason", Code, nullable=True),
        sa.CheckConstraint("decision IN ('enrol', 'review')", name=op.f("ck_enrolments_decision_known")),
        sa.CheckConstraint("state IN ('active', 'ended')", name=op.f("ck_enrolments_state_known")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_enrolments_run_id")),
        sa.PrimaryKeyConstraint("enrolment_id", name=op.f("pk_enrolments")),
    )
    op.create_index(op.f("ix_enrolments_customer_id"), "enrolments", ["customer_id"], unique=False)
    op.create_index(op.f("ix_enrolments_playbook_state"), "enrolments", ["playbook", "state"], unique=False)
    op.create_table(
        "lists",
        sa.Column("list_id", Id, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("kind", Code, nullable=False),
        sa.Column("channel", Code, nullable=False),
        sa.Column("touch_number", sa.Integer(), nullable=False),
        sa.Column("segment", Code, nullable=False),
        sa.Column("owner_id", Code, nullable=False),
        sa.Column("offer_id", Code, nullable=True),
        sa.Column("offer_terms", sa.Text(), nullable=True),
        sa.Column(
            "cost", Money(), nullable=True, comment="the most this list can cost, if every offer in it is redeemed"
        ),
        sa.Column("currency", Code, nullable=True),
        sa.Column(
            "authors",
            sa.JSON(),
            nullable=False,
            comment="user ids that may not sign: who wrote it, who triggered the run",
        ),
        sa.Column("digest", Digest, nullable=False),
        sa.Column("signing_code", Code, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("state", Code, nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('content', 'offer')", name=op.f("ck_lists_kind_known")),
        sa.CheckConstraint("state IN ('open', 'signed', 'held', 'rejected')", name=op.f("ck_lists_state_known")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_lists_run_id")),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_lists")),
    )
    op.create_index(op.f("ix_lists_state"), "lists", ["state"], unique=False)
    op.create_table(
        "steps",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("step", Code, nullable=False),
        sa.Column("state", Code, nullable=False),
        sa.Column("manifest_digest", Digest, nullable=False, comment="of the run's manifest when the step ended"),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('succeeded', 'not_ready', 'failed')", name=op.f("ck_steps_state_known")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_steps_run_id")),
        sa.PrimaryKeyConstraint("run_id", "step", name=op.f("pk_steps")),
    )
    op.create_table(
        "enrolment_keys",
        sa.Column("enrolment_id", Id, nullable=False),
        sa.Column("address_key", Digest, nullable=False),
        sa.Column("channel", Code, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolments.enrolment_id"], name=op.f("fk_enrolment_keys_enrolment_id")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "address_key", name=op.f("pk_enrolment_keys")),
    )
    op.create_index(
        "uq_enrolment_keys_one_active",
        "enrolment_keys",
        ["address_key"],
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "list_signers",
        sa.Column("list_id", Id, nullable=False),
        sa.Column("user_id", Code, nullable=False),
        sa.Column("owner_id", Code, nullable=False),
        sa.Column("role", Code, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.list_id"], name=op.f("fk_list_signers_list_id")),
        sa.PrimaryKeyConstraint("list_id", "user_id", name=op.f("pk_list_signers")),
    )
    op.create_table(
        "list_views",
        sa.Column("view_id", Id, nullable=False),
        sa.Column("list_id", Id, nullable=False),
        sa.Column("user_id", Code, nullable=False),
        sa.Column("touch_ids", sa.JSON(), nullable=False),
        sa.Column("viewed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.list_id"], name=op.f("fk_list_views_list_id")),
        sa.PrimaryKeyConstraint("view_id", name=op.f("pk_list_views")),
    )
    op.create_index(op.f("ix_list_views_list_id_user_id"), "list_views", ["list_id", "user_id"], unique=False)
    op.create_table(
        "questions",
        sa.Column("question_id", Id, nullable=False),
        sa.Column("kind", Code, nullable=False),
        sa.Column("list_id", Id, nullable=True),
        sa.Column("subject", Code, nullable=False, comment="what is asked about, as an id"),
        sa.Column("state", Code, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('sign_list', 'sign_offer', 'sign_setting', 'waive', 'resume', 'label_reply', "
            "'confirm_send', 'decide_account')",
            name=op.f("ck_questions_kind_known"),
        ),
        sa.CheckConstraint("state IN ('open', 'answered', 'held')", name=op.f("ck_questions_state_known")),
        sa.ForeignKeyConstraint(["list_id"], ["lists.list_id"], name=op.f("fk_questions_list_id")),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_questions")),
    )
    op.create_index(op.f("ix_questions_state"), "questions", ["state"], unique=False)
    op.create_table(
        "touches",
        sa.Column("touch_id", Id, nullable=False),
        sa.Column("enrolment_id", Id, nullable=False),
        sa.Column("playbook", Code, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pattern", Code, nullable=False),
        sa.Column("purpose", Code, nullable=False),
        sa.Column("channel", Code, nullable=False),
        sa.Column("incentive", Code, nullable=False),
        sa.Column("offer_id", Code, nullable=True),
        sa.Column("address_key", Digest, nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("not_after", UtcDateTime(), nullable=False),
        sa.Column("state", Code, nullable=False),
        sa.Column("reason", Code, nullable=True, comment="why it is in that state, as a code"),
        sa.Column("draft_digest", Digest, nullable=True, comment="of the bytes last drafted"),
        sa.Column("draft_run_id", Id, nullable=True, comment="whose drafts.parquet has the bytes"),
        sa.Column(
            "reserved_by",
            Code,
            nullable=True,
            comment="the dispatcher that looks at it now; means nothing when that one is gone",
        ),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'drafted', 'listed', 'signed', 'claimed', 'accepted', 'refused', 'unknown', "
            "'held', 'rejected', 'expired', 'cancelled')",
            name=op.f("ck_touches_state_known"),
        ),
        sa.CheckConstraint("not_before < not_after", name=op.f("ck_touches_window_open")),
        sa.ForeignKeyConstraint(["draft_run_id"], ["runs.run_id"], name=op.f("fk_touches_draft_run_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolments.enrolment_id"], name=op.f("fk_touches_enrolment_id")),
        sa.PrimaryKeyConstraint("touch_id", name=op.f("pk_touches")),
        sa.UniqueConstraint("enrolment_id", "number", name=op.f("uq_touches_enrolment_id_number")),
    )
    op.create_index(op.f("ix_touches_state_not_before"), "touches", ["state", "not_before"], unique=False)
    op.create_table(
        "answers",
        sa.Column("answer_id", Id, nullable=False),
        sa.Column("question_id", Id, nullable=False),
        sa.Column("responder", Code, nullable=True, comment="the Airflow user id; null when the request timed out"),
        sa.Column("chosen", Code, nullable=False),
        sa.Column("form", sa.JSON(), nullable=False, comment="codes and ids only"),
        sa.Column("responded_at", UtcDateTime(), nullable=True, comment="as Airflow says"),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("refusal", Code, nullable=True, comment="why it does not count; null when accepted"),
        sa.ForeignKeyConstraint(["question_id"], ["questions.question_id"], name=op.f("fk_answers_question_id")),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_question_id"), "answers", ["question_id"], unique=False)
    op.create_table(
        "list_items",
        sa.Column("list_id", Id, nullable=False),
        sa.Column("touch_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("customer_id", Code, nullable=False),
        sa.Column("draft_digest", Digest, nullable=False),
        sa.Column("individual", sa.Boolean(), nullable=False, comment="counts as signed only when named"),
        sa.Column("review_reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.list_id"], name=op.f("fk_list_items_list_id")),
        sa.ForeignKeyConstraint(["touch_id"], ["touches.touch_id"], name=op.f("fk_list_items_touch_id")),
        sa.PrimaryKeyConstraint("list_id", "touch_id", name=op.f("pk_list_items")),
        sa.UniqueConstraint("list_id", "position", name=op.f("uq_list_items_list_id_position")),
    )
    op.create_index(op.f("ix_list_items_touch_id"), "list_items", ["touch_id"], unique=False)
    op.create_table(
        "offer_codes",
        sa.Column("code", Code, nullable=False),
        sa.Column("offer_id", Code, nullable=False),
        sa.Column("touch_id", Id, nullable=False),
        sa.Column("state", Code, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('reserved', 'committed', 'released')", name=op.f("ck_offer_codes_state_known")),
        sa.ForeignKeyConstraint(["touch_id"], ["touches.touch_id"], name=op.f("fk_offer_codes_touch_id")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_offer_codes")),
        sa.UniqueConstraint("touch_id", name=op.f("uq_offer_codes_touch_id")),
    )
    op.create_table(
        "request_bindings",
        sa.Column("dag_id", Code, nullable=False),
        sa.Column("dag_run_id", sa.Text(), nullable=False),
        sa.Column("task_id", Code, nullable=False),
        sa.Column("map_index", sa.Integer(), nullable=False),
        sa.Column("question_id", Id, nullable=False),
        sa.Column("bound_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["questions.question_id"], name=op.f("fk_request_bindings_question_id")
        ),
        sa.PrimaryKeyConstraint("dag_id", "dag_run_id", "task_id", "map_index", name=op.f("pk_request_bindings")),
        sa.UniqueConstraint("question_id", name=op.f("uq_request_bindings_question_id")),
    )
    op.create_table(
        "sends",
        sa.Column("send_id", Id, nullable=False, comment="also the idempotency key"),
        sa.Column("touch_id", Id, nullable=False),
        sa.Column("provider", Code, nullable=False),
        sa.Column("channel", Code, nullable=False),
        sa.Column("address_key", Digest, nullable=False),
        sa.Column("draft_digest", Digest, nullable=False),
        sa.Column("answer_ids", sa.JSON(), nullable=False, comment="the signatures that allow it"),
        sa.Column(
            "basis", sa.JSON(), nullable=False, comment="permission basis and record ids at the moment of the intent"
        ),
        sa.Column("gates", sa.JSON(), nullable=False, comment="result of every gate at the moment of the intent"),
        sa.Column("local_time", Code, nullable=False),
        sa.Column("zone", Code, nullable=False),
        sa.Column("zone_source", Code, nullable=False),
        sa.Column("rules_version", Code, nullable=False),
        sa.Column("worker", Code, nullable=False),
        sa.Column("state", Code, nullable=False),
        sa.Column("intended_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.Column("called_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("provider_ref", Code, nullable=True),
        sa.Column("reason", Code, nullable=True),
        sa.CheckConstraint(
            "state IN ('intent', 'called', 'accepted', 'refused', 'unknown')", name=op.f("ck_sends_state_known")
        ),
        sa.ForeignKeyConstraint(["touch_id"], ["touches.touch_id"], name=op.f("fk_sends_touch_id")),
        sa.PrimaryKeyConstraint("send_id", name=op.f("pk_sends")),
        sa.UniqueConstraint("touch_id", name=op.f("uq_sends_touch_id")),
    )
    op.create_index(op.f("ix_sends_address_key_intended_at"), "sends", ["address_key", "intended_at"], unique=False)
    op.create_index(op.f("ix_sends_state"), "sends", ["state"], unique=False)
    op.create_table(
        "item_verdicts",
        sa.Column("list_id", Id, nullable=False),
        sa.Column("touch_id", Id, nullable=False),
        sa.Column("verdict", Code, nullable=False),
        sa.Column("answer_id", Id, nullable=False),
        sa.CheckConstraint("verdict IN ('signed', 'held', 'rejected')", name=op.f("ck_item_verdicts_verdict_known")),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name=op.f("fk_item_verdicts_answer_id")),
        sa.PrimaryKeyConstraint("list_id", "touch_id", name=op.f("pk_item_verdicts")),
    )
    op.create_table(
        "settings",
        sa.Column("setting_id", Id, nullable=False),
        sa.Column("name", Code, nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("answer_id", Id, nullable=False, comment="the signature"),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.answer_id"], name=op.f("fk_settings_answer_id")),
        sa.PrimaryKeyConstraint("setting_id", name=op.f("pk_settings")),
    )
    dialect = op.get_bind().dialect.name
    for statement in _guards(dialect):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("settings")
    op.drop_table("item_verdicts")
    op.drop_table("sends")
    op.drop_table("request_bindings")
    op.drop_table("offer_codes")
    op.drop_table("list_items")
    op.drop_table("answers")
    op.drop_table("touches")
    op.drop_table("questions")
    op.drop_table("list_views")
    op.drop_table("list_signers")
    op.drop_table("enrolment_keys")
    op.drop_table("steps")
    op.drop_table("lists")
    op.drop_table("enrolments")
    op.drop_table("runs")
    op.drop_table("tags")
    op.drop_table("suppressions")
    op.drop_table("stops")
    op.drop_table("snapshots")
    op.drop_table("seals")
    op.drop_table("measurement_events")
    op.drop_table("identity")
    op.drop_table("events")
    op.drop_table("audit")
    op.drop_table("address_key_checks")
    for statement in triggers.unprepare(op.get_bind().dialect.name):
        op.execute(statement)


def _guards(dialect: str) -> list[str]:
    statements = triggers.prepare(dialect)
    for table in APPEND_ONLY:
        statements += triggers.append_only(dialect, table)
    for table, columns in FROZEN.items():
        statements.append(triggers.frozen(dialect, table, columns))
    for table in ("lists", "questions"):
        statements.append(triggers.closed(dialect, table, ["open"]))
    for table in ("lists", "questions", "enrolments"):
        statements += triggers.no_delete(dialect, table)
    return [*statements, *triggers.no_delete(dialect, "sends", unless="OLD.state = 'intent'")]
