"""From facts to decisions: the one function that says who, why, how and what next. Pure; one row per candidate.

Source: RULES.md (gates), PLAYBOOKS.md section 1 (dimensions, next best action), DATA_CONTRACT.md (the decision row).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from reactivation.contract.tables import CHANNELS, MONEY, TIME
from reactivation.policy.accounts import (
    ISSUE,
    OUTREACH,
    high_context,
    is_marketing_led,
    paths,
    resolves_issue,
    without_account,
)
from reactivation.policy.adaptations import adaptations, messages, preferred
from reactivation.policy.channels import reachability, recommended
from reactivation.policy.columns import (
    any_of,
    arrow,
    beside,
    choose,
    constant,
    first_value,
    frame_of,
    holds,
    later,
    latest,
    listed,
    money,
    series,
)
from reactivation.policy.context import Context
from reactivation.policy.decisions import DECISIONS, EVIDENCE, FAIL, PASS
from reactivation.policy.experiments import holdout, variant
from reactivation.policy.gates import LADDER
from reactivation.policy.incentives import incentives
from reactivation.policy.ladder import ask, decide, failed, reviews
from reactivation.policy.next_action import next_action
from reactivation.policy.permission import PEOPLE_COLUMNS, permissions
from reactivation.policy.priority import priority
from reactivation.policy.reasons import reasons
from reactivation.policy.rungs import rungs
from reactivation.policy.scope import Asked, ask_scope, led_by_owners
from reactivation.policy.segments import dimensions, population
from reactivation.policy.skips import skipped_touches
from reactivation.policy.standing import worst_fit, worst_relationship

#: What is asked of one customer asks nobody else, so that everybody is decided in shares: so many customers each, and
#: so many shares at a time.
_SHARE, _AT_A_TIME = 131_072, 2


@dataclass(frozen=True)
class Decided:
    """``table`` has the schema ``DECISIONS``, sorted by customer_id; ``counts`` add up to all customers.

    ``others`` are those who are no candidates: customer_id, gate_in_scope, gate_dormant, dormant_days, window_days.
    """

    table: pa.Table
    counts: dict[str, Any]
    others: pa.Table


@dataclass(frozen=True)
class Share:
    """A share of everybody, decided: its rows of ``Decided.table`` and ``Decided.others``, and who was asked what to
    tell them apart."""

    table: pa.Table
    others: pa.Table
    scope: pd.DataFrame


class Counts:
    """What shares add up to: how many were asked, were no candidates and why, and what became of the candidates."""

    def __init__(self) -> None:
        self._customers = self._candidates = 0
        self._not_candidates: Counter[str] = Counter()
        self._decisions: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    def add(self, share: Share) -> None:
        """Counts a share too."""
        scope, table = share.scope, share.table
        first_no = choose([(failed(scope[column]), scope[column].str.slice(len(FAIL))) for column in scope], None)
        decisive = first_value(series(table["reason_codes"].combine_chunks()))
        self._customers += len(scope)
        self._candidates += len(table)
        self._not_candidates += _tally(arrow(first_no.dropna()))
        self._decisions += _tally(table["decision"])
        self._reasons += _tally(arrow(decisive.dropna()))

    def told(self) -> dict[str, Any]:
        """The counts, words in alphabetical order."""
        return {
            "customers": self._customers,
            "not_candidates": dict(sorted(self._not_candidates.items())),
            "candidates": self._candidates,
            "decisions": dict(sorted(self._decisions.items())),
            "reasons": dict(sorted(self._reasons.items())),
        }


def decide_facts(facts: pa.Table, consents: pa.Table, context: Context, accounts: pa.Table | None = None) -> Decided:
    """The decisions about everybody in ``facts`` (``candidates.sql``), with ``consents`` (``consent_rows.sql``); about
    the ``accounts`` (``account_candidates.sql``) where the playbook is about them, or where one that goes first is."""
    counts, shares = Counts(), list(decide_in_shares(facts, consents, context, accounts))
    for share in shares:
        counts.add(share)
    table, others = (
        pa.concat_tables(parts) for parts in zip(*((one.table, one.others) for one in shares), strict=True)
    )
    return Decided(table, counts.told(), others)


def decide_in_shares(
    facts: pa.Table, consents: pa.Table, context: Context, accounts: pa.Table | None = None
) -> Iterator[Share]:
    """``decide_facts``, a share after the other: all decisions together take as much memory as the facts, whose chunks
    are let go of one after another if nobody else holds them."""
    if accounts is not None:
        context = replace(context, led_by_owners=led_by_owners(accounts, context))
    everybody, facts = facts, accounts if context.of_accounts and accounts is not None else facts
    shares = [facts.slice(begin, _SHARE) for begin in range(0, max(len(facts), 1), _SHARE)]
    with ThreadPoolExecutor(max_workers=_AT_A_TIME) as pool:
        # An address shared with somebody who refused is nobody's: permission alone is asked of all together.
        people = frame_of(everybody.select(PEOPLE_COLUMNS))
        # Whoever holds one column of a chunk holds all of it: what is wanted until the end is copied.
        ids = facts["customer_id"].combine_chunks()
        permitted = pool.submit(_permitted, people, ids, consents, context)
        scoped, numbers = pool.map(lambda share: ask_scope(share, context), shares), range(len(shares))
        del everybody, facts, accounts, consents, people, shares
        asked: dict[int, Asked] = {}
        for number, one in enumerate(scoped):
            asked[number] = one
            # The chunks were made by other threads, whose memory nobody else is given before it was given back.
            pa.default_memory_pool().release_unused()

        def decided(number: int) -> Share:
            # What is known of all candidates at once takes as much memory as their facts: a share is let go of.
            mine, one = permitted.result().iloc[number * _SHARE : (number + 1) * _SHARE], asked.pop(number)
            theirs = mine[one.is_candidate.to_numpy(dtype=bool)].reset_index(drop=True)
            return Share(_table(_decided(beside(one.candidates, theirs), context)), one.others, one.scope)

        yield from pool.map(decided, numbers)


def _permitted(people: pd.DataFrame, ids: pa.Array, consents: pa.Table, context: Context) -> pd.DataFrame:
    """What each of ``ids`` permits, in their order; nothing is permitted for an id that is nobody's."""
    found = permissions(
        people, consents, context.rules.permission, at=context.at, planned_on=context.planned_on,
        signed=context.rules.signed,
    )  # fmt: skip
    if not context.of_accounts:
        return found
    places = pc.index_in(ids, arrow(people["customer_id"]))
    theirs = pd.DataFrame({name: series(arrow(found[name]).take(places)) for name in found})
    nothing = {f"{channel}_ok": False for channel in CHANNELS} | {f"{channel}_why": "no_record" for channel in CHANNELS}
    nobody = series(pc.is_null(places))
    return theirs.assign(**{name: theirs[name].mask(nobody, said) for name, said in nothing.items()})


def _decided(candidates: pd.DataFrame, context: Context) -> pd.DataFrame:
    playbook, rules = context.playbook, context.rules
    known = beside(
        candidates,
        dimensions(candidates, playbook, rules, context.at),
        reasons(candidates, candidates["last_activity_at"], rules.reasons, context.at),
        reachability(candidates),
    )
    known = known.assign(
        worst_relationship=worst_relationship(known), worst_fit=worst_fit(known),
        adaptations=adaptations(known, playbook),
    )  # fmt: skip
    known = beside(known, recommended(known, known, playbook))
    known = known.assign(**preferred(known, playbook))
    known = beside(known, incentives(known, known["average_order"], known["value_tier"], context))
    known = known.assign(cap_until=_cap_until(known, context), route=_route(known, context))

    known = beside(known, ask(LADDER, known, context))
    known = known.assign(review_reasons=_review_reasons(known, context))
    known = beside(known, decide(LADDER, known, known["review_reasons"]))
    known = _on_its_path(known, context)
    known = known.assign(decisive_reason=first_value(known["reason_codes"]))
    usable = known["decision"].isin(["enrol", "review"])
    held_out = holdout(known["holdout_point"], playbook.holdout_share)
    known = known.assign(
        playbook=playbook.playbook, as_of=constant(context.at, len(known), TIME), rules_version=rules.version,
        hold_until=_hold_until(known, context),
        recommended_channel=known["recommended_channel"].where(usable),
        review_flags=_review_flags(known), holdout=held_out,
        variant=messages(known, variant(known["variant_point"], held_out, playbook.variants), held_out, playbook),
        rung=rungs(known["rung_point"], known["business_segment"], playbook),
        skipped_touches=skipped_touches(known["skip_points"], playbook),
        population=population(
            any_of(*(failed(known[f"gate_{gate}"]) for gate in ("not_suppressed", "relationship", "permission"))),
            failed(known["gate_fit"]), known["value_tier"],
        ),
        next_best_action=next_action(known),
        **{name: series(units) for name, units in priority(known, rules.priority).items()},
    )  # fmt: skip
    return known.assign(reviewed=_reviewed(known))


def _cap_until(known: pd.DataFrame, context: Context) -> pd.Series:
    """Until when the caps forbid another message; counts what other systems sent. A week full of texts holds nobody
    back who may be written to by e-mail: each touch keeps the caps of its own channel."""
    caps = context.rules.timing.caps
    by_email = known["email_ok"] & known["email_unreachable"].isna() & ("email" in context.playbook.channels)
    full = ~by_email & (known["recommended_channel"] == "sms") & (known["sms_sent_7d"] >= caps.sms_per_7d)
    return latest(
        later(known["last_sent_at"], timedelta(hours=caps.any_hours)),
        later(known["last_sms_sent_at"], timedelta(days=7)).where(holds(full)),
    )


def _hold_until(known: pd.DataFrame, context: Context) -> pd.Series:
    """Until when somebody is held, where that is known: by the caps, or by an account's owner."""
    held = known["decision"] == "hold"
    until = known["cap_until"].where(holds(held & (known["decisive_reason"] == "timing:cap")))
    if not context.of_accounts:
        return until
    by_owner = known["owner_hold_until"].where(holds(held & (known["decisive_reason"] == "timing:owner_holds")))
    return latest(until, by_owner)


def _route(known: pd.DataFrame, context: Context) -> pd.Series:
    """Whether the touches are there to resolve an issue: all of the playbook's are, or the account's owner says so."""
    if all(touch.purpose == ISSUE for touch in context.playbook.touches):
        return constant(ISSUE, len(known))
    if not context.of_accounts:
        return constant(OUTREACH, len(known))
    return choose([(resolves_issue(known), ISSUE)], OUTREACH)


def _on_its_path(known: pd.DataFrame, context: Context) -> pd.DataFrame:
    """An account's path and context beside its decision; what is left to the playbook of its contacts waits here."""
    if not context.of_accounts:
        return beside(known, without_account(len(known)))
    led_by_marketing = is_marketing_led(known, known["value_tier"], context.playbook)
    left = led_by_marketing & known["decision"].isin(["enrol", "review"])
    reason = listed(constant("path:marketing_led", len(known)))
    known = known.assign(
        decision=choose([(left, "hold")], known["decision"]),
        reason_codes=series(pc.if_else(arrow(left), arrow(reason), arrow(known["reason_codes"]))),
    )
    path = paths(known["decision"], led_by_marketing)
    return known.assign(path=path, high_context=high_context(known, known["value_tier"]))


def _review_reasons(known: pd.DataFrame, context: Context) -> pd.Series:
    """Why a person must look at this one: relationship, fit, high value, an offer to an account, an account at all."""
    offered = known["account_id"].notna() & (known["offer_position"] != "none")
    return listed(
        reviews("relationship", known),
        reviews("fit", known),
        choose([(known["value_tier"] == "high", "high_value")], None),
        choose([(offered, "offer_to_account")], None),
        constant("account" if context.of_accounts else None, len(known)),
    )


def _review_flags(known: pd.DataFrame) -> pd.Series:
    """Which of seed 000's review requirements the system flags."""
    flags = {
        "consent": any_of(known["gate_permission"] != PASS, known["gate_context_consistent"] == f"{FAIL}consent"),
        "fit": known["gate_fit"] != PASS,
        "timing": known["gate_timing"] != PASS,
        "offer": any_of(known["gate_offer_allowed"] != PASS, known["offer_position"] != "none"),
        "relationship": any_of(known["gate_relationship"] != PASS, known["gate_no_open_issue"] != PASS),
    }
    return listed(*(choose([(flagged, flag)], None) for flag, flagged in flags.items()))


def _reviewed(known: pd.DataFrame) -> pd.Series:
    """Whether value, reason, consent, relationship, offer eligibility and next action are all on record."""
    unclear = [known["gate_permission"] == f"{FAIL}{why}" for why in ("error", "unknown")]
    return (
        (known["value_tier"] != "unknown")
        & (known["gate_evidence"] == PASS)
        & (known["worst_relationship"] != "unknown")
        & ~any_of(*unclear, known["gate_offer_allowed"].str.startswith(FAIL))
        & known["next_best_action"].notna()
    )


def _table(known: pd.DataFrame) -> pa.Table:
    evidence = known.assign(fit=known["worst_fit"], relationship=known["worst_relationship"])
    columns = {
        field.name: _evidence(evidence) if field.name == "evidence" else _column(known, field) for field in DECISIONS
    }
    return pa.table(columns, schema=DECISIONS)


def _evidence(known: pd.DataFrame) -> pa.Array:
    return pa.StructArray.from_arrays([_column(known, field) for field in EVIDENCE], fields=list(EVIDENCE))


def _column(known: pd.DataFrame, field: pa.Field) -> pa.Array:
    if field.type == MONEY:
        return money(known[field.name])
    values = arrow(known[field.name])
    return values if values.type == field.type else pc.cast(values, field.type)


def _tally(words: pa.Array | pa.ChunkedArray) -> Counter[str]:
    return Counter({row["values"]: row["counts"] for row in pc.value_counts(words).to_pylist()})
