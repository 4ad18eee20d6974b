"""The touches a playbook may declare, and how those of some people differ from everybody's: by chance or by rule.

Source: framework 003 (seven touches, incentive optimizer); seed 000 (advanced version); METHODS.md sections 2 and 3.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from reactivation.playbooks.words import (
    INCENTIVE_STEPS,
    Channel,
    Code,
    Days,
    Declared,
    DormancyRange,
    EarlierOutcome,
    IncentivePosition,
    Line,
    Pattern,
    Purpose,
    Rung,
    Share,
    TemplateName,
    VariantName,
)

#: The incentives each pattern may carry: the seven of framework 003, and the plain messages of documents 001 and 002.
INCENTIVES: dict[str, tuple[str, ...]] = {
    "curiosity": ("none",),
    "relevance": ("none",),
    "value_reward": ("none", "points_or_credit"),
    "trust": ("none",),
    "urgency": ("none", "access"),
    "economic_incentive": ("percent",),
    "finality": ("none",),
    "re_engagement": ("none",),
    "check_in": ("none",),
    "issue_resolution": ("none",),
    "follow_up": ("none",),
}


class Touch(Declared):
    """One planned message. ``template`` is a folder below ``include/templates``; without one the touch is planned,
    shown, and skipped with the reason ``no_template``. ``subject`` stands in an e-mail instead of the template's."""

    number: int = Field(ge=1, le=7)
    pattern: Pattern
    day: Days
    purpose: Purpose
    channels: tuple[Channel, ...] = ("email",)
    incentive: IncentivePosition = "none"
    offer: str | None = None
    template: TemplateName | None = None
    subject: Line | None = None
    only_ranges: tuple[DormancyRange, ...] = ()
    window_days: int = Field(default=5, ge=1, le=14)

    @model_validator(mode="after")
    def _incentive_fits(self) -> Touch:
        if self.incentive not in INCENTIVES[self.pattern]:
            allowed = " or ".join(INCENTIVES[self.pattern])
            raise ValueError(f"pattern {self.pattern} has incentive {self.incentive}, expected {allowed}")
        if self.offer is not None and self.incentive == "none":
            raise ValueError(f"incentive {self.incentive} takes no offer, found {self.offer}")
        if self.offer is None and self.incentive not in ("none", "access") and self.template:
            raise ValueError(f"incentive {self.incentive} with a template needs an offer; name one")
        return self


class VariantTouch(Declared):
    """What a variant changes of one touch: the subject of its e-mail, its template, its offer."""

    number: int = Field(ge=1, le=7)
    subject: Line | None = None
    template: TemplateName | None = None
    offer: str | None = None

    @property
    def changes(self) -> dict[str, str]:
        """The fields of the touch it changes, with what they become."""
        fields = ("subject", "template", "offer")
        return {name: value for name in fields if (value := getattr(self, name)) is not None}


class Variant(Declared):
    """One way to write, and the share of people who get it. The one that changes nothing is the control."""

    variant: VariantName
    share: Annotated[float, Field(gt=0, lt=1)]
    touches: tuple[VariantTouch, ...] = ()


class Message(Declared):
    """Other words for some touches, for whoever an adaptation gives them to: like a variant, but by rule and not by
    chance, so compared with nothing."""

    message: VariantName
    touches: tuple[VariantTouch, ...] = Field(min_length=1)


class When(Declared):
    """What has to be so for an adaptation: everything that is said here. What is unknown is not so."""

    lifecycle_stages: tuple[str, ...] = ()
    value_tiers: tuple[Literal["high", "mid", "low", "unknown"], ...] = ()
    dormancy_ranges: tuple[DormancyRange, ...] = ()
    objections: tuple[str, ...] = ()
    earlier_outcomes: tuple[EarlierOutcome, ...] = ()
    churn_from: Share | None = None
    churn_below: Share | None = None
    month_share_from: Share | None = None
    month_share_below: Share | None = None

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if not any(condition not in ((), None) for condition in self.model_dump().values()):
            raise ValueError("says nothing, so it would be so of everybody; name a condition")
        return self


class Adaptation(Declared):
    """How the sequence of some differs from everybody's, and why. An adaptation takes away, waits or chooses among what
    the playbook declares; it adds nothing that nobody else would get."""

    name: Code
    because: Line
    when: When
    skip_touches: tuple[int, ...] = ()
    incentive_at_most: IncentivePosition | None = None
    wait_days: Annotated[int, Field(ge=0, le=90)] = 0
    channel: Channel | None = None
    message: str | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Adaptation:
        if not (self.skip_touches or self.incentive_at_most or self.wait_days or self.channel or self.message):
            raise ValueError(f"adaptation {self.name} changes nothing; say what it skips, waits for or chooses")
        return self

    def skips(self, touch: Touch) -> bool:
        """Whether a touch is left out: by its number, or because its incentive is too large a step."""
        most = self.incentive_at_most
        too_much = most is not None and INCENTIVE_STEPS.index(touch.incentive) > INCENTIVE_STEPS.index(most)
        return touch.number in self.skip_touches or too_much


class Optimizer(Declared):
    """Up to which step of the incentive ladder each business segment goes, and which share of its people chance puts on
    the step below and on the one above, so that the response to each can be known. ``uplifts``: how many times more
    people of a segment bought with the incentive than one step below, where it was measured.

    Source: framework 003 (incentive optimizer); METHODS.md section 2; decision record 0024.
    """

    rungs: dict[str, Rung] = Field(min_length=1)
    explored: Annotated[float, Field(ge=0, le=0.1)] = 0.07
    uplifts: dict[str, Annotated[Decimal, Field(ge=1)]] = Field(default={})
