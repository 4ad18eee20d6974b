"""What a decision is made in, beside the facts about the customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reactivation.playbooks.model import Playbook
from reactivation.policy.rules import Rules


@dataclass(frozen=True)
class Context:
    """``at`` is the instant everything is judged at, ``planned_on`` the one a permission must still hold on.

    ``unread`` are the tables that are missing or stale: what they would say is unknown. ``owners`` are the ids that may
    sign. ``offers`` are the rows of the offers table by id. ``before`` are the playbooks that go first where two want
    one person, in their order; ``led_by_owners``: of those about accounts, the ids of the accounts that are theirs.
    """

    playbook: Playbook
    rules: Rules
    at: datetime
    planned_on: datetime
    unread: frozenset[str]
    owners: frozenset[str]
    offers: Mapping[str, Mapping[str, Any]]
    before: tuple[Playbook, ...] = ()
    led_by_owners: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def of_accounts(self) -> bool:
        """Whether every row is an account."""
        return self.playbook.subject == "account"
