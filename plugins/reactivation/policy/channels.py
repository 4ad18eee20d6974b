"""Which channels can reach a person, and which one is recommended, with the reason.

Never infers one channel from another: a channel needs its own permission and its own working address.
Source: RULES.md, gate ``reachable``; seed 000 (recommended channel).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.playbooks.model import Playbook
from reactivation.playbooks.words import Channel
from reactivation.policy.columns import choose, holds_or_unknown, joined, latest
from reactivation.policy.decisions import DROP, PASS

#: The column of a decision or contact with the address key of each channel.
KEY_OF = {"email": "email_key", "sms": "phone_key"}
_OTHER: dict[str, str] = {"email": "sms", "sms": "email"}


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


def may_use(decisions: pa.Table, channel: Channel) -> pa.ChunkedArray:
    """Whether each person of ``decisions`` permits a channel and can be reached by it, as he was decided."""
    permitted = pc.is_valid(decisions[f"{channel}_basis"])
    reached = pc.is_in(decisions["gate_reachable"], pa.array([PASS, f"{DROP}{_OTHER[channel]}"]))
    return pc.and_(permitted, reached)


def why_not(row: Mapping[str, Any], channel: str) -> str | None:
    """Why a person decided as ``row`` is not written to by a channel, as a code; the same question as ``may_use``."""
    if row[f"{channel}_basis"] is None:
        return "channel_not_permitted"
    return None if row["gate_reachable"] in (PASS, f"{DROP}{_OTHER[channel]}") else "channel_dropped"
