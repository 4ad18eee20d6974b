"""Who is a candidate at all: in the playbook's population, dormant, and of no playbook that goes first. Pure.

Source: PLAYBOOKS.md, Across playbooks (duplicate guard, precedence); seed 000 (trigger); seeds 000 and 001 (duplicate
guard).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
import pyarrow as pa

from reactivation.policy.accounts import is_marketing_led
from reactivation.policy.activity_segments import activity_segments
from reactivation.policy.columns import any_of, arrow, beside, choose, constant, frame_of
from reactivation.policy.context import Context
from reactivation.policy.dormancy import dormancy
from reactivation.policy.gates import LADDER
from reactivation.policy.ladder import ask, failed
from reactivation.policy.segments import value_tiers

_CANDIDACY = LADDER[:2]


@dataclass(frozen=True)
class Asked:
    """A share of everybody: who are candidates, with what is known of them; who are not; and what said so."""

    is_candidate: pd.Series
    candidates: pd.DataFrame
    others: pa.Table
    scope: pd.DataFrame


def ask_scope(facts: pa.Table, context: Context) -> Asked:
    """Who of ``facts`` (``candidates.sql`` or ``account_candidates.sql``) is a candidate of the context's playbook."""
    everybody = _known(frame_of(facts), context)
    scope = ask(_CANDIDACY, everybody, context)
    is_candidate = _are_candidates(scope)
    others = beside(everybody[["customer_id", "dormant_days", "window_days"]], scope)[~is_candidate]
    return Asked(
        is_candidate, everybody[is_candidate].reset_index(drop=True),
        pa.table({name: arrow(others[name]) for name in others}), scope,
    )  # fmt: skip


def _known(facts: pd.DataFrame, context: Context) -> pd.DataFrame:
    """What has to be known of every customer before it is said who is a candidate. Whoever is enrolled stays one until
    he does what ends the enrolment: one who merely opened touch 1 is still to hear touch 2."""
    playbook = context.playbook
    enrolled = any_of(*(facts[f"{key}_active_playbook"] == playbook.playbook for key in ("email", "phone")))
    segment = facts["business_segment"]
    owner = choose([(segment == name, owner_id) for name, owner_id in playbook.owners.items()], None)
    quiet = dormancy(facts, playbook, context.rules.permission, context.at)
    back = dormancy(facts, playbook.only_exits(), context.rules.permission, context.at)
    quiet = pd.DataFrame({name: choose([(enrolled, back[name])], quiet[name]) for name in quiet})
    given = facts["account_owner_id"] if context.of_accounts else facts["contact_owner_id"]
    known = facts.assign(owner_id=choose([(given.notna(), given)], owner), enrolled=enrolled)
    if playbook.population.only_segments:
        known = beside(known, activity_segments(facts, playbook, context.rules.permission, context.at))
    return beside(known.assign(goes_first=_goes_first(facts, context)), quiet)


def _goes_first(facts: pd.DataFrame, context: Context) -> pd.Series:
    """The playbook before this one whose candidate a customer is; empty where there is none. Whoever runs first: all
    are asked by the same facts."""
    wanted: list[tuple[pd.Series, str]] = []
    for playbook in context.before:
        theirs = replace(context, playbook=playbook, before=())
        if playbook.subject == "account":
            is_theirs = facts["account_id"].isin(context.led_by_owners[playbook.playbook])
        else:
            is_theirs = _are_candidates(ask(_CANDIDACY, _known(facts, theirs), theirs))
        wanted.append((is_theirs, playbook.playbook))
    return choose(wanted, None) if wanted else constant(None, len(facts))


def _are_candidates(scope: pd.DataFrame) -> pd.Series:
    return ~any_of(*(failed(scope[column]) for column in scope))


def led_by_owners(accounts: pa.Table, context: Context) -> dict[str, frozenset[str]]:
    """By playbook about accounts that goes first, the accounts that are its candidates and led by their owners."""
    led: dict[str, frozenset[str]] = {}
    for playbook in context.before:
        if playbook.subject == "account":
            theirs = replace(context, playbook=playbook, before=())
            known = _known(frame_of(accounts), theirs)
            tier = value_tiers(known, playbook.segments)[0]
            wanted = _are_candidates(ask(_CANDIDACY, known, theirs)) & ~is_marketing_led(known, tier, playbook)
            led[playbook.playbook] = frozenset(known["account_id"][wanted])
    return led
