"""Who may sign what. Read from configuration only: an edit in a source must not make an approver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from reactivation.playbooks.declared import DeclarationError, parse_declared, read_bytes
from reactivation.playbooks.model import Declared, Line

Role = Literal["marketing_owner", "account_owner", "offer_approver", "compliance"]
#: Who signs for what a playbook is about.
SIGNS_FOR: Mapping[str, Role] = {"customer": "marketing_owner", "account": "account_owner"}
OwnerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]


class OwnersError(DeclarationError):
    """The file of owners is refused; every problem with its line."""

    kind = "owners file"


class Owner(Declared):
    """One person who answers questions. ``user`` is the Airflow user id as the auth manager gives it."""

    user: Annotated[str, Field(coerce_numbers_to_str=True, min_length=1, max_length=80)]
    name: Line
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    roles: tuple[Role, ...] = Field(min_length=1)
    delegate: str | None = None


class DeclaredOwners(Declared):
    """The file ``owners.yaml``."""

    owners: dict[OwnerId, Owner] = Field(min_length=1)

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
        return owners


@dataclass(frozen=True)
class Signer:
    """A person who may sign in a role, and the owner entry he signs as."""

    user_id: str
    owner_id: str
    role: str
    name: str


@dataclass(frozen=True)
class Owners:
    """The owners by id, and the hex SHA-256 of the file."""

    by_id: dict[str, Owner]
    digest: str

    def knows(self, owner_id: str) -> bool:
        return owner_id in self.by_id

    def signers_for(self, owner_id: str, role: str) -> tuple[Signer, ...]:
        """The owner and the delegate, as far as each has the role himself; nobody for an unknown owner."""
        owner = self.by_id.get(owner_id)
        if owner is None:
            return ()
        asked = (owner_id,) if owner.delegate is None else (owner_id, owner.delegate)
        return tuple(self._signer(one, role) for one in asked if role in self.by_id[one].roles)

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


def parse_owners(text: str, name: str) -> dict[str, Owner]:
    """The owners a YAML text declares. Raises ``OwnersError``."""
    return parse_declared(text, name, DeclaredOwners, OwnersError).owners


def load_owners(path: Path) -> Owners:
    """The owners of one file. Raises ``OwnersError``."""
    text, digest = read_bytes(path, OwnersError)
    return Owners(parse_owners(text, str(path)), digest)
