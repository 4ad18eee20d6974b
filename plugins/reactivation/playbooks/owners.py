"""Who may sign what, and who stands in for whom. Read from configuration only: an edit in a source must not make an
approver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from reactivation.playbooks.declared import DeclarationError, parse_declared, read_bytes
from reactivation.playbooks.words import Declared, Line

Role = Literal["marketing_owner", "account_owner", "offer_approver", "compliance"]
#: Who signs for what a playbook is about.
SIGNS_FOR: Mapping[str, Role] = {"customer": "marketing_owner", "account": "account_owner"}
OwnerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]


class OwnersError(DeclarationError):
    """The file of owners is refused; every problem with its line."""

    kind = "owners file"


class Absence(Declared):
    """Days on which somebody answers nothing, both included, on the tenant's calendar."""

    since: date
    until: date

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Absence:
        if self.until < self.since:
            raise ValueError(f"ends on {self.until} before it begins on {self.since}")
        return self

    def covers(self, day: date) -> bool:
        return self.since <= day <= self.until


class Owner(Declared):
    """One person who answers questions. ``user`` is the Airflow user id as the auth manager gives it."""

    user: Annotated[str, Field(coerce_numbers_to_str=True, min_length=1, max_length=80)]
    name: Line
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    roles: tuple[Role, ...] = Field(min_length=1)
    delegate: str | None = None
    away: tuple[Absence, ...] = ()

    def is_away(self, day: date) -> bool:
        return any(absence.covers(day) for absence in self.away)


class DeclaredOwners(Declared):
    """The file ``owners.yaml``. ``deputies``: by role, who is asked when nobody else can, or did, answer."""

    owners: dict[OwnerId, Owner] = Field(min_length=1)
    deputies: dict[Role, OwnerId] = Field(default_factory=dict)

    @field_validator("owners")
    @classmethod
    def _hold_together(cls, owners: dict[str, Owner]) -> dict[str, Owner]:
        users: dict[str, str] = {}
        for owner_id, owner in owners.items():
            if owner.user in users:
                raise ValueError(
                    f"{owner_id} has the user of {users[owner.user]}: one person would count as two signers"
                )
            users[owner.user] = owner_id
            if owner.delegate == owner_id:
                raise ValueError(f"{owner_id} delegates to itself; name somebody else or nobody")
            if owner.delegate is not None and owner.delegate not in owners:
                raise ValueError(f"{owner_id} delegates to {owner.delegate}, who is not in this file")
        for owner_id in owners:
            chain = _chain(owners, owner_id)
            last = owners[chain[-1]].delegate
            if last is not None:
                circle = " to ".join([*chain[chain.index(last) :], last])
                raise ValueError(f"delegation goes in a circle, {circle}: let one of them delegate to nobody")
        return owners

    @model_validator(mode="after")
    def _deputies_may_sign(self) -> DeclaredOwners:
        for role, owner_id in self.deputies.items():
            if owner_id not in self.owners:
                raise ValueError(f"the deputy for {role} is {owner_id}, who is not in this file")
            if role not in self.owners[owner_id].roles:
                raise ValueError(f"the deputy for {role} is {owner_id}, who does not have that role")
        return self


@dataclass(frozen=True)
class Signer:
    """A person who may sign in a role, and the owner entry he signs as."""

    user_id: str
    owner_id: str
    role: str
    name: str


@dataclass(frozen=True)
class Owners:
    """The owners by id, the hex SHA-256 of the file, and the deputy of each role that has one, by owner id."""

    by_id: dict[str, Owner]
    digest: str
    deputies: Mapping[str, str] = field(default_factory=dict)

    def knows(self, owner_id: str) -> bool:
        return owner_id in self.by_id

    def signers_for(self, owner_id: str, role: str) -> tuple[Signer, ...]:
        """The owner and the delegate, as far as each has the role himself; nobody for an unknown owner."""
        if owner_id not in self.by_id:
            return ()
        asked = _chain(self.by_id, owner_id)[:2]
        return tuple(self._signer(one, role) for one in asked if role in self.by_id[one].roles)

    def asked_for(self, owner_id: str, role: str, day: date, *, escalated: bool = False) -> tuple[Signer, ...]:
        """Who is asked on a day, each with the role: of ``signers_for`` those who are there; for an owner who is away
        the first who is there along the delegations; where that is nobody, the deputy of the role.

        ``escalated``: the deputy besides, since nobody answered before. Nobody for an owner ``signers_for`` has nobody
        for: a deputy stands in for people, never for a right.
        """
        entitled = self.signers_for(owner_id, role)
        if not entitled:
            return ()
        chain = _chain(self.by_id, owner_id)
        there = [one for one in chain if role in self.by_id[one].roles and not self.by_id[one].is_away(day)]
        asked = there[:1] if self.by_id[owner_id].is_away(day) else [one for one in there if one in chain[:2]]
        deputy = self.deputies.get(role)
        if deputy is not None and (escalated or not asked) and not self.by_id[deputy].is_away(day):
            asked = [*asked, *([] if deputy in asked else [deputy])]
        return tuple(self._signer(one, role) for one in asked)

    def by_role(self, role: str) -> tuple[Signer, ...]:
        """Everybody who has the role, by owner id."""
        return tuple(self._signer(one, role) for one in sorted(self.by_id) if role in self.by_id[one].roles)

    def owner_of_user(self, user_id: str) -> str | None:
        """The owner id behind an Airflow user id."""
        return self._users.get(user_id)

    def _signer(self, owner_id: str, role: str) -> Signer:
        owner = self.by_id[owner_id]
        return Signer(owner.user, owner_id, role, owner.name)

    @cached_property
    def _users(self) -> dict[str, str]:
        return {owner.user: owner_id for owner_id, owner in self.by_id.items()}


def _chain(owners: Mapping[str, Owner], owner_id: str) -> list[str]:
    """An owner, his delegate, the delegate's delegate and so on, each once."""
    chain = [owner_id]
    while (after := owners[chain[-1]].delegate) is not None and after not in chain:
        chain.append(after)
    return chain


def parse_owners(text: str, name: str) -> dict[str, Owner]:
    """The owners a YAML text declares. Raises ``OwnersError``."""
    return parse_declared(text, name, DeclaredOwners, OwnersError).owners


def load_owners(path: Path) -> Owners:
    """The owners of one file. Raises ``OwnersError``."""
    text, digest = read_bytes(path, OwnersError)
    declared = parse_declared(text, str(path), DeclaredOwners, OwnersError)
    return Owners(declared.owners, digest, {str(role): owner_id for role, owner_id in declared.deputies.items()})
