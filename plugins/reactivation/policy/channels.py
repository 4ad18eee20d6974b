"""Which channels can reach a person, and which one is recommended, with the reason.

Never infers one channel from another: a channel needs its own permission and its own working address.
Source: RULES.md, gate ``reachable``; seed 000 (recommended channel).
"""

from __future__ import annotations

import pandas as pd

from reactivation.playbooks.model import Playbook
from reactivation.policy.columns import choose, holds_or_unknown, joined, latest


def reachability(facts: pd.DataFrame) -> pd.DataFrame:
    """By channel, ``email_unreachable`` and ``sms_unreachable``: why not, empty where it can be reached.

    A bounce counts until something proves that a later message arrived.
    """
    arrived = latest(facts["last_open_at"], facts["last_click_at"], facts["last_reply_at"])
    bounced = facts["last_bounce_at"].notna() & holds_or_unknown(facts["last_bounce_at"] >= arrived)
    return pd.DataFrame(
        {
            "email_unreachable": choose(
                [
                    (facts["email_problem"].notna(), joined("email_", facts["email_problem"])),
                    (facts["email_key"].isna(), "email_missing"),
                    (facts["email_crowded"], "email_shared_by_many"),
                    (bounced, "email_bounced"),
                ],
                None,
            ),
            "sms_unreachable": choose(
                [
                    (facts["phone_problem"].notna(), joined("phone_", facts["phone_problem"])),
                    (facts["phone_key"].isna(), "phone_missing"),
                ],
                None,
            ),
        }
    )


def recommended(permitted: pd.DataFrame, unreachable: pd.DataFrame, playbook: Playbook) -> pd.DataFrame:
    """recommended_channel: the playbook's first that is permitted and reachable; channel_reason: why, or why none."""
    cases: list[tuple[pd.Series, str, pd.Series]] = []
    refusals: list[tuple[pd.Series, pd.Series]] = []
    for channel in playbook.channels:
        why, problem = permitted[f"{channel}_why"], unreachable[f"{channel}_unreachable"]
        usable = permitted[f"{channel}_ok"] & problem.isna()
        cases.append((usable, channel, joined("permitted_by_", permitted[f"{channel}_basis"])))
        refusals += [(why.notna(), joined(f"{channel}_", why)), (problem.notna(), problem)]
    return pd.DataFrame(
        {
            "recommended_channel": choose([(usable, channel) for usable, channel, _ in cases], None),
            "channel_reason": choose([(usable, reason) for usable, _, reason in cases], choose(refusals, None)),
        }
    )
