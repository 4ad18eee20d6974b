"""Everything a step needs to know that is neither data nor time, as plain values.

Built by ``orchestration`` from Airflow connections or by the command line from the environment; never from a run's
``conf``. Secrets are kept out of ``repr``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reactivation import paths

if TYPE_CHECKING:
    from sqlalchemy import Engine


class ConfigurationError(Exception):
    """A setting is wrong; the message names the setting, what was found and the fix."""


@dataclass(frozen=True)
class ProviderAccount:
    """A provider as its connection describes it; ``options`` are only those that this provider knows.

    ``host`` is a URL for a provider behind HTTP, ``None`` where it is at its usual place.
    """

    connection: str
    provider: str
    host: str | None = None
    port: int | None = None
    login: str | None = None
    secret: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Webhook:
    """A webhook that is switched on: what a provider's calls are signed with, one key or, while it is changed, several.

    ``url`` is where the provider calls, as it is entered there, for one that signs it.
    """

    connection: str
    provider: str
    keys: tuple[str, ...] = field(repr=False)
    url: str | None = None


def _no_connection(conn_id: str) -> Engine:
    raise ConfigurationError(f"there is no connection {conn_id} here; name a folder or an object-store URL")


@dataclass(frozen=True)
class Settings:
    """Where things are, which ledger, which keys, and whether time is given (only with the outbox).

    A source is a folder, an object-store URL or ``connection:ID`` (with ``/SCHEMA`` after it where the database has
    several); ``connect`` makes such a connection's engine. ``named_sources`` are those playbooks may name beside
    ``source``; ``None``: everything comes from ``source``, whatever the playbooks say. ``tags_to`` and
    ``segments_to`` say in the same words where tags and segments are written back to, nowhere if empty, and
    ``connect_to_write`` makes the engine for that.
    ``accounts`` are the providers by channel; a channel without one goes into the outbox.
    """

    home: Path
    ledger_url: str = field(repr=False)
    address_keys: tuple[bytes, ...] = field(repr=False)
    source: str
    named_sources: Mapping[str, str] | None = None
    connect: Callable[[str], Engine] = field(default=_no_connection, repr=False, compare=False)
    tags_to: str = ""
    segments_to: str = ""
    connect_to_write: Callable[[str], Engine] = field(default=_no_connection, repr=False, compare=False)
    environment: str = "local"
    accounts: Mapping[str, ProviderAccount] = field(default_factory=dict)
    owners: Path = paths.OWNERS
    tenant: Path = paths.TENANT
    playbooks: Path = paths.PLAYBOOKS
    given_now: datetime | None = None

    @property
    def embedded_ledger(self) -> Path:
        """The ledger's file when no other ledger is configured."""
        return self.home / "ledger" / "ledger.db"

    @property
    def ledger_is_embedded(self) -> bool:
        return self.ledger_url == f"sqlite:///{self.embedded_ledger}"

    @property
    def evidence(self) -> Path:
        return self.home / "evidence"

    @property
    def outbox(self) -> Path:
        return self.home / "outbox"
