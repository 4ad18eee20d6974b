"""What came of it, counted: every measure the playbooks' source documents name, each with what it is a share of."""

from reactivation.measures.accounting import SAID, account_figures
from reactivation.measures.comparing import Compared, added_efficiency, comparison_figures, count_compared
from reactivation.measures.counting import Outreach, count_outreach
from reactivation.measures.definitions import MEASURES, Measure
from reactivation.measures.figures import Figure
from reactivation.measures.outreach import Answers, outreach_figures
from reactivation.measures.reviewing import review_figures
from reactivation.measures.segments import return_figures
from reactivation.measures.splitting import (
    OF_PEOPLE,
    SPLITS,
    split_accounts,
    split_cohorts,
    split_comparison,
    split_exits,
    split_outreach,
    split_review,
    split_verdicts,
)  # fmt: skip
from reactivation.measures.withholding import touch_value_figures

__all__ = [
    "MEASURES", "OF_PEOPLE", "SAID", "SPLITS", "Answers", "Compared", "Figure", "Measure", "Outreach",
    "account_figures", "added_efficiency", "comparison_figures", "count_compared", "count_outreach",
    "outreach_figures", "return_figures", "review_figures", "split_accounts", "split_cohorts", "split_comparison",
    "split_exits", "split_outreach", "split_review", "split_verdicts",
    "touch_value_figures",
]  # fmt: skip
