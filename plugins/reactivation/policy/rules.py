"""All rule data as one typed, versioned value. Every number and list of the policy is here, none is in code.

Parsing is of text; which file the text came from is the caller's business. Source: RULES.md ("every number is data").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from reactivation.contract.digests import digest
from reactivation.playbooks.declared import DeclarationError, Problem, parse_declared
from reactivation.playbooks.tenant import Acceptance
from reactivation.playbooks.words import Declared
from reactivation.policy.deliverability_rules import DeliverabilityRules
from reactivation.policy.gate_rules import GateRules
from reactivation.policy.monitor_rules import MonitorRules
from reactivation.policy.retention import RetentionRules
from reactivation.policy.timing import TimingRules

ConsentBasis = Literal[
    "express_written", "express", "double_opt_in", "soft_opt_in", "implied_purchase", "implied_inquiry",
    "opt_out_regime", "flag_only",
]  # fmt: skip
#: What permits only where somebody signed it for the tenant: each setting by the basis it lets count.
SETTING_OF: Mapping[str, Acceptance] = {"flag_only": "flag_only_email", "opt_out_regime": "opt_out_email"}
EvidenceField = Literal["method", "disclosure_version", "evidence_ref", "affirmative_action", "collected_by_brand"]
Condition = Literal[
    "obtained_in_sale", "own_similar_products", "opt_out_at_collection", "opt_out_in_every_message", "no_objection",
    "not_prechecked", "not_condition_of_purchase",
]  # fmt: skip
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
#: A word as replies are compared with it: letters only.
Keyword = Annotated[str, Field(pattern=r"^[A-Z]+$")]
Part = Annotated[Decimal, Field(ge=0, le=1)]


class RulesError(DeclarationError):
    """A rules file is refused; every problem with its line."""

    kind = "rules file"


class Accepted(Declared):
    """On which terms one basis permits: how long, counted from what, and what must be evidenced."""

    months: int | None = Field(default=None, ge=1)
    counted_from: Literal["last_evidence", "event_date"] = "last_evidence"
    confirmed: bool = False
    conditions: tuple[Condition, ...] = ()


class Regime(Declared):
    """The law of some countries: which bases permit, by channel."""

    countries: tuple[Country, ...] = Field(min_length=1)
    email: dict[ConsentBasis, Accepted]
    sms: dict[ConsentBasis, Accepted]

    @field_validator("sms")
    @classmethod
    def _is_evidenced(cls, bases: dict[ConsentBasis, Accepted]) -> dict[ConsentBasis, Accepted]:
        bare = sorted(set(bases) & set(SETTING_OF))
        if bare:
            raise ValueError(f"{bare[0]} is never enough for a text message, signed or not")
        return bases


class PermissionRules(Declared):
    """``permission.yaml``."""

    version: str
    purposes: tuple[str, ...] = Field(min_length=1)
    crowd: int = Field(ge=2)
    evidence: dict[ConsentBasis, tuple[EvidenceField, ...]]
    regimes: dict[str, Regime]
    opens_never_count: tuple[Country, ...]

    @field_validator("regimes")
    @classmethod
    def _hold_together(cls, regimes: dict[str, Regime], info: ValidationInfo) -> dict[str, Regime]:
        law_of: dict[str, str] = {}
        for name, regime in regimes.items():
            for country in regime.countries:
                if country in law_of:
                    raise ValueError(f"{country} is in {law_of[country]} and in {name}; a country has one regime")
                law_of[country] = name
            unproven = sorted({*regime.email, *regime.sms} - set(info.data.get("evidence", {})))
            if unproven:
                raise ValueError(f"{name} accepts {unproven[0]}, but evidence does not say what it needs on record")
        return regimes


class Words(Declared):
    """``words.yaml``."""

    version: str
    closed_case_statuses: tuple[str, ...]
    deactivated_stages: tuple[str, ...]
    ended_account_statuses: tuple[str, ...]
    suppression_order: tuple[str, ...]
    acquisition: dict[Literal["paid_social", "organic_search", "email_referral", "direct"], tuple[str, ...]]


class Seasonal(Declared):
    """When purchases count as seasonal."""

    purchases: int = Field(ge=2)
    share: Part


class ReasonRules(Declared):
    """``reasons.yaml``."""

    version: str
    problem_before_silence_days: int = Field(ge=0)
    subscription_end_days: int = Field(ge=0)
    seasonal: Seasonal


class IncentiveRules(Declared):
    """``incentives.yaml``."""

    version: str
    cooldown_days: int = Field(ge=0)
    monetary_after_days: int = Field(ge=0)
    lifetime_incentives: int = Field(ge=0)
    no_escalation_after: int = Field(ge=0)
    lifetime_share: Part
    equal_or_better_after_days: int = Field(ge=30)
    discounted_share: Annotated[Decimal, Field(gt=0, le=1)]
    uplift: Annotated[Decimal, Field(ge=1)]
    conversion: Annotated[Decimal, Field(gt=0, le=1)]
    contact_cost: Annotated[Decimal, Field(ge=0)]
    margin_floor: Part


class Weights(Declared):
    """What each part of the priority weighs."""

    value: Part
    recency: Part
    engagement: Part
    chance: Part

    @model_validator(mode="after")
    def _are_shares(self) -> Weights:
        total = self.value + self.recency + self.engagement + self.chance
        if total != 1:
            raise ValueError(f"the weights add up to {total}, expected 1")
        return self


class PriorityRules(Declared):
    """``priority.yaml``."""

    version: str
    weights: Weights
    value: dict[Literal["high", "mid", "low", "unknown"], Part]
    recency_days: int = Field(ge=1)
    engagement: dict[Literal["clicks_no_purchase", "opens_no_clicks", "unknown", "dark"], Part]
    chance_unknown: Part


class InboundRules(Declared):
    """``inbound.yaml``."""

    version: str
    opt_out: tuple[Keyword, ...] = Field(min_length=1)
    help: tuple[Keyword, ...] = Field(min_length=1)
    start: tuple[Keyword, ...] = Field(min_length=1)
    courtesies: tuple[Keyword, ...]

    @field_validator("help", "start", "courtesies")
    @classmethod
    def _mean_one_thing(cls, words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for other in ("opt_out", "help", "start"):
            twice = sorted(set(words) & set(info.data.get(other, ())))
            if twice:
                raise ValueError(f"{twice[0]} is in {other} too; a word has one meaning")
        return words


def terms_to_sign(rules: PermissionRules, setting: Acceptance) -> dict[str, Any]:
    """What a signature under a setting is of: per regime, the terms on which its basis counts for an e-mail."""
    [basis] = (basis for basis, name in SETTING_OF.items() if name == setting)
    regimes = rules.regimes.items()
    return {
        name: {"countries": list(regime.countries), **terms.model_dump(mode="json")}
        for name, regime in regimes
        for accepted, terms in regime.email.items()
        if accepted == basis
    }


@dataclass(frozen=True)
class Rules:
    """Every rule of the policy. ``version`` is the newest declared version and the digest of all the files' text.

    ``signed``: the id of the signature by which each setting is in force for the tenant; the rest are not.
    """

    permission: PermissionRules
    words: Words
    reasons: ReasonRules
    incentives: IncentiveRules
    priority: PriorityRules
    timing: TimingRules
    gates: GateRules
    inbound: InboundRules
    deliverability: DeliverabilityRules
    monitor: MonitorRules
    retention: RetentionRules
    version: str
    signed: Mapping[str, str] = field(default_factory=dict)


#: The rule files, each with what it declares.
FILES: dict[str, type[BaseModel]] = {
    "permission": PermissionRules, "words": Words, "reasons": ReasonRules, "incentives": IncentiveRules,
    "priority": PriorityRules, "timing": TimingRules, "gates": GateRules, "inbound": InboundRules,
    "deliverability": DeliverabilityRules, "monitor": MonitorRules, "retention": RetentionRules,
}  # fmt: skip


def parse_rules(texts: Mapping[str, str]) -> Rules:
    """The rules of the texts of ``FILES``, by name. Raises ``RulesError`` for one that is missing or refused."""
    missing = sorted(set(FILES) - set(texts))
    if missing:
        raise RulesError(f"{missing[0]}.yaml", [Problem(1, "", "is missing; put it beside the other rules files")])
    parsed: dict[str, Any] = {
        name: parse_declared(texts[name], f"{name}.yaml", model, RulesError) for name, model in FILES.items()
    }
    newest = max(part.version for part in parsed.values())
    return Rules(**parsed, version=f"{newest}+{digest({name: texts[name] for name in FILES})[:12]}")
