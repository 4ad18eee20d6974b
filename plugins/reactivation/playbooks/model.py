"""What a playbook file may declare. Everything here is marketing's to write and a reviewer's to read.

Source: seed documents 000, 001, 002 and framework 003; lengths are whole days, shares are between 0 and 1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from reactivation.contract.tables import TABLES
from reactivation.playbooks.touches import (
    Adaptation,
    Message,
    Optimizer,
    Touch,
    Variant,
    VariantTouch,
)
from reactivation.playbooks.variants import comparable, differing
from reactivation.playbooks.words import (
    INPUTS_OF_CUSTOMERS,
    ActivitySegment,
    ActivitySignal,
    Channel,
    Days,
    Declared,
    Input,
    Severity,
    Share,
    SourceName,
    WeighedCondition,
)

#: From which share on so many are withheld a touch that its worth can be told. Source: METHODS.md section 4.
LEAST_SKIPPED = 0.05


class Population(Declared):
    """Who may be a candidate at all; subscribers who never bought belong to no playbook."""

    precedence: int = Field(ge=1, description="lower goes first when two playbooks want one person")
    cool_down_days: Days = 180
    lifetime_enrolments: int = Field(default=3, ge=1)
    only_tags: tuple[str, ...] = ()
    only_segments: tuple[ActivitySegment, ...] = ()


class Accounts(Declared):
    """What a playbook about accounts asks beside: which words of a status say dormant, and up to which value an account
    without context is left to the playbook of its contacts (seed 001)."""

    dormant_statuses: tuple[str, ...] = ()
    marketing_led_tiers: tuple[Literal["high", "mid", "low"], ...] = ()


class Segments(Declared):
    """Thresholds of the six dimensions (framework 003). Lower bounds are inclusive."""

    high_margin_rate: Share = 0.4
    aov_mid_from: Decimal = Decimal(100)
    aov_high_from: Decimal = Decimal(300)
    repeat_from_purchases: int = Field(default=2, ge=2)
    engagement_lookback_days: Days = 180
    value_high_share: Share = 0.2
    value_mid_share: Share = 0.3


class Scoring(Declared):
    """Which model of silent customers scores (METHODS.md section 1)."""

    model: Literal["mbg_nbd", "bg_nbd"] = "mbg_nbd"


class ReadinessLimits(Declared):
    """How unclear data may be before the run stops. A playbook may tighten these, never loosen them; how heavily a
    condition weighs that is no sentence of the source documents is its own business (``severities``).

    Source: 000 and 001, Not Ready If; RULES.md, Timing (deliverability).
    """

    consent_unclear_share: Annotated[float, Field(ge=0, le=0.05)] = 0.05
    joined_share: Annotated[float, Field(ge=0.95, le=1)] = 0.95
    stale_after_hours: Annotated[int, Field(ge=1, le=24)] = 24
    shrunken_share: Annotated[float, Field(gt=0, le=0.2)] = 0.2
    off_trend_share: Annotated[float, Field(gt=0, le=0.5)] = 0.5
    contradicting_share: Annotated[float, Field(ge=0, le=0.05)] = 0.05
    complaint_share: Annotated[float, Field(gt=0, le=0.001)] = 0.001
    hard_bounce_share: Annotated[float, Field(gt=0, le=0.02)] = 0.02
    severities: dict[WeighedCondition, Severity] = Field(default={})


class Intake(Declared):
    """How many enrolments a day may begin."""

    per_day: int = Field(ge=1)
    review_capacity_per_owner: int = Field(ge=1, description="items one owner can look at a day")


class Approval(Declared):
    """How far ahead touches are drafted and asked about, and how long a person has to answer."""

    horizon_days: int = Field(ge=1, le=30)
    answer_within_days: int = Field(default=3, ge=1, le=14)
    sample_size: int = Field(default=5, ge=1)
    review_points: tuple[str, ...] = Field(min_length=1)
    stop_rules: tuple[str, ...] = Field(min_length=1)


class Pilot(Declared):
    """The seeds' minimum viable pilot: length, sample, one owner and the threshold that is proven from the ledger."""

    days: Days
    sample: str
    owner: str
    threshold_share: Share


class Measurement(Declared):
    """What is counted, and the baseline metric that is stored before the first enrolment. ``compared_after_days``:
    variants are compared by what people did within so many days of their first message."""

    baseline_metric: str
    measures: tuple[str, ...] = Field(min_length=1)
    reactivated_within_days: Days = 90
    response_within_days: Days = 30
    compared_after_days: Annotated[int, Field(ge=1, le=3650)] = 30
    final_check_after_days: Days = 7


class Playbook(Declared):
    """One reactivation programme, as declared in ``include/playbooks/<name>.yaml``."""

    playbook: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    story: str
    subject: Literal["customer", "account"]
    authored_by: str
    brand: str
    population: Population
    activity: tuple[ActivitySignal, ...] = Field(min_length=1)
    windows: dict[str, Annotated[int, Field(ge=1, le=3650)]] = Field(min_length=1)
    segments: Segments = Segments()
    scoring: Scoring = Scoring()
    accounts: Accounts | None = None
    requires: dict[str, tuple[str, ...]]
    inputs: tuple[Input, ...] = Field(default=INPUTS_OF_CUSTOMERS, min_length=1)
    sources: dict[str, SourceName] = Field(default={})
    readiness: ReadinessLimits = ReadinessLimits()
    channels: tuple[Channel, ...] = Field(min_length=1)
    owners: dict[str, str]
    touches: tuple[Touch, ...] = Field(min_length=1, max_length=7)
    optimizer: Optimizer | None = None
    intake: Intake
    approval: Approval
    exits: tuple[ActivitySignal, ...] = Field(min_length=1)
    no_response_tag: str
    holdout_share: Share = 0.1
    holdout_salt: str
    skipped_share: Annotated[float, Field(ge=0, le=0.1)] = 0
    pilot: Pilot
    measurement: Measurement
    variants: tuple[Variant, ...] = ()
    messages: tuple[Message, ...] = ()
    adaptations: tuple[Adaptation, ...] = ()

    @field_validator("owners")
    @classmethod
    def _every_segment_is_owned(cls, owners: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        without = sorted(set(info.data.get("windows", {})) - set(owners))
        if without:
            raise ValueError(f"no marketing owner for segment {', '.join(without)}")
        return owners

    @model_validator(mode="after")
    def _accounts_are_declared(self) -> Playbook:
        if (self.subject == "account") != (self.accounts is not None):
            raise ValueError("accounts is declared by a playbook whose subject is account, and by no other")
        return self

    @field_validator("optimizer")
    @classmethod
    def _every_segment_has_a_rung(cls, optimizer: Optimizer | None, info: ValidationInfo) -> Optimizer | None:
        segments = set(info.data.get("windows", {}))
        if optimizer is not None and segments:
            without, unknown = segments - set(optimizer.rungs), {*optimizer.rungs, *optimizer.uplifts} - segments
            if without or unknown:
                what = "no rung for" if without else "there is no"
                raise ValueError(f"{what} segment {', '.join(sorted(without or unknown))}")
        return optimizer

    @field_validator("sources")
    @classmethod
    def _sources_are_of_tables(cls, sources: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(sources) - set(TABLES))
        if unknown:
            raise ValueError(f"no table {', '.join(unknown)}; the tables are {', '.join(TABLES)}")
        return sources

    @field_validator("touches")
    @classmethod
    def _touches_follow(cls, touches: tuple[Touch, ...], info: ValidationInfo) -> tuple[Touch, ...]:
        for what, values in (("numbers", [t.number for t in touches]), ("days", [t.day for t in touches])):
            if values != sorted(set(values)):
                raise ValueError(f"{what} must rise without repeating, found {values}")
        for touch in touches:
            foreign = sorted(set(touch.channels) - set(info.data.get("channels", touch.channels)))
            if foreign:
                raise ValueError(f"touch {touch.number} uses {', '.join(foreign)}, which channels does not list")
        return touches

    @field_validator("skipped_share")
    @classmethod
    def _skips_tell_something(cls, share: float, info: ValidationInfo) -> float:
        if 0 < share < LEAST_SKIPPED:
            raise ValueError(f"skips {share:g} of each touch; below {LEAST_SKIPPED:g} nothing can be told from it")
        if share and len(info.data.get("touches", ())) == 1:
            raise ValueError("is of one touch alone; who is sent nothing is for holdout_share to say")
        return share

    @field_validator("adaptations")
    @classmethod
    def _adaptations_fit(cls, adaptations: tuple[Adaptation, ...], info: ValidationInfo) -> tuple[Adaptation, ...]:
        numbers = {touch.number for touch in info.data.get("touches", ())}
        names = [one.name for one in adaptations]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is there twice; a decision names its adaptations")
        for one in adaptations:
            unknown = sorted(set(one.skip_touches) - numbers)
            if unknown and numbers:
                raise ValueError(f"{one.name} skips touch {unknown[0]}, which touches does not have")
            if one.channel is not None and one.channel not in info.data.get("channels", (one.channel,)):
                raise ValueError(f"{one.name} prefers {one.channel}, which channels does not list")
            if one.message is not None and one.message not in {m.message for m in info.data.get("messages", ())}:
                raise ValueError(f"{one.name} gives the message {one.message}, which messages does not have")
            if numbers and all(one.skips(touch) for touch in info.data["touches"]):
                raise ValueError(f"{one.name} skips every touch; whom nothing is sent is for a gate to say")
        return adaptations

    @field_validator("variants")
    @classmethod
    def _variants_are_comparable(cls, variants: tuple[Variant, ...], info: ValidationInfo) -> tuple[Variant, ...]:
        if variants:
            comparable(variants, info.data)
        return variants

    @field_validator("messages")
    @classmethod
    def _messages_differ(cls, messages: tuple[Message, ...], info: ValidationInfo) -> tuple[Message, ...]:
        if messages:
            differing(messages, info.data)
        return messages

    @property
    def control(self) -> str | None:
        """The variant that the others are compared with; ``None`` without variants."""
        return next((one.variant for one in self.variants if not one.touches), None)

    @property
    def ways(self) -> tuple[Playbook, ...]:
        """The playbook as it stands, then as each variant but the control, and each message, makes it."""
        return (self, *(self.of_variant(name) for name, touches in self.changed.items() if touches))

    @property
    def changed(self) -> dict[str, tuple[VariantTouch, ...]]:
        """What each variant, and each message, changes."""
        return {one.variant: one.touches for one in self.variants} | {one.message: one.touches for one in self.messages}

    def of_variant(self, name: str | None) -> Playbook:
        """The playbook as people of a variant or a message get it, as it stands for ``None``; ``KeyError`` names the
        playbook."""
        if name is None:
            return self
        declared = self.changed
        if name not in declared:
            raise KeyError(f"playbook {self.playbook} has no variant {name}")
        changed = {one.number: one.changes for one in declared[name]}
        touches = tuple(touch.model_copy(update=changed.get(touch.number, {})) for touch in self.touches)
        return self.model_copy(update={"touches": touches})

    def touch(self, number: int) -> Touch:
        """The touch of that number; ``KeyError`` names the playbook."""
        for touch in self.touches:
            if touch.number == number:
                return touch
        raise KeyError(f"playbook {self.playbook} has no touch {number}")

    def only_exits(self) -> Playbook:
        """The playbook for those already enrolled: nothing but what ends an enrolment counts as activity."""
        signals = tuple(signal for signal in self.activity if signal in self.exits)
        return self.model_copy(update={"activity": signals})
