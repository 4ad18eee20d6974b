"""The verdict on whether a run may proceed, from the reviewed suites of ``expectations/``.

Great Expectations judges the manifest's facts, the profile, the summaries, the playbook and the decided candidates,
never raw facts; a check that fails itself blocks the run and says so.
"""

from __future__ import annotations

from reactivation.readiness.frames import CANDIDATE_COLUMNS
from reactivation.readiness.judge import Known, judge, judge_tables
from reactivation.readiness.verdict import ConditionResult, Verdict

__all__ = ["CANDIDATE_COLUMNS", "ConditionResult", "Known", "Verdict", "judge", "judge_tables"]
