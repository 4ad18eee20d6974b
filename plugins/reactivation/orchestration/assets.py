"""What one DAG leaves behind for the next. The assets say *when*; what there is to do is read in the ledger."""

from __future__ import annotations

from airflow.sdk import Asset

SNAPSHOT = Asset("reactivation_snapshot", uri="reactivation://snapshot", group="reactivation")
LISTS = Asset("reactivation_lists", uri="reactivation://lists", group="reactivation")
QUESTIONS = Asset("reactivation_questions", uri="reactivation://questions", group="reactivation")
