"""What every step works with: settings made into open rooms, and the one clock.

A given clock is for demonstrations: it is accepted only while the outbox is the only provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock

from reactivation.contract.addresses import AddressKeys
from reactivation.contract.links import LinkKeys
from reactivation.delivery import Outbox, Provider
from reactivation.evidence import RunFolder, SnapshotFolder
from reactivation.ledger import identity, migrations
from reactivation.ledger.engine import Ledger, open_ledger
from reactivation.playbooks.loader import LoadedPlaybook, load_all, load_playbook
from reactivation.playbooks.owners import Owners, load_owners
from reactivation.playbooks.tenant import Tenant, load_tenant
from reactivation.policy.rules import Rules
from reactivation.sources import Sources
from reactivation.steps.providers import open_providers
from reactivation.steps.rules import read_rules
from reactivation.steps.settings import ConfigurationError, Settings
from reactivation.steps.sourcing import open_sources


@dataclass(frozen=True)
class Workspace:
    """The open rooms of one process. Make one with ``open_workspace``."""

    settings: Settings
    ledger: Ledger
    keys: AddressKeys

    def now(self) -> datetime:
        """The clock: real, or the given one while nothing but the outbox can send."""
        given = self.settings.given_now
        if given is None:
            return datetime.now(UTC)
        return self.accept_clock(given)

    def accept_clock(self, given: datetime) -> datetime:
        """``given``, if every provider is the outbox; else ``ConfigurationError``."""
        real = sorted(name for name, provider in self.providers.items() if not isinstance(provider, Outbox))
        if real:
            raise ConfigurationError(
                f"a given clock ({given.isoformat()}) is refused: {', '.join(real)} would really send. "
                "Remove REACTIVATION_NOW or --now, or use the outbox"
            )
        return given

    @cached_property
    def owners(self) -> Owners:
        return load_owners(self.settings.owners)

    @cached_property
    def tenant(self) -> Tenant:
        return load_tenant(self.settings.tenant)

    @cached_property
    def links(self) -> LinkKeys:
        """The keys of recipients' own links."""
        return LinkKeys(self.settings.address_keys)

    @cached_property
    def rules(self) -> Rules:
        return read_rules()

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """The provider of each channel."""
        return open_providers(self.settings)

    def source(self) -> Sources:
        """Every source, opened afresh; see ``open_sources``."""
        playbooks = () if self.settings.named_sources is None else self.all_playbooks()
        return open_sources(self.settings, playbooks)

    def playbook(self, name: str) -> LoadedPlaybook:
        """The playbook of that name; ``ConfigurationError`` lists those there are."""
        path = self.settings.playbooks / f"{name}.yaml"
        if not path.is_file():
            there = ", ".join(sorted(p.stem for p in self.settings.playbooks.glob("*.yaml"))) or "none"
            raise ConfigurationError(f"no playbook {name} in {self.settings.playbooks}; there are: {there}")
        return load_playbook(path)

    def all_playbooks(self) -> tuple[LoadedPlaybook, ...]:
        return load_all(self.settings.playbooks)

    def before(self, name: str) -> tuple[LoadedPlaybook, ...]:
        """The playbooks that go first where they and this one want the same person, in their order."""
        everyone = self.all_playbooks()
        place = [one.playbook.playbook for one in everyone].index(name)
        return everyone[:place]

    def snapshot_folder(self, snapshot_id: str) -> SnapshotFolder:
        return SnapshotFolder(self.settings.evidence / "snapshots" / snapshot_id)

    def run_folder(self, run_id: str) -> RunFolder:
        return RunFolder(self.settings.evidence / "runs" / run_id)


class OnDemand:
    """A workspace for a process that answers requests: opened when it is first asked for, by whichever thread, and
    kept. What it has read of the configuration is read anew each time."""

    def __init__(self, open_: Callable[[], Workspace]) -> None:
        self._open = open_
        self._opened: Workspace | None = None
        self._lock = Lock()

    def __call__(self) -> Workspace:
        """The workspace. Raises what opening it raises, and tries again the next time."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return replace(self._opened)

    def close(self) -> None:
        """Let go of the ledger."""
        with self._lock:
            if self._opened is not None:
                self._opened.ledger.close()
                self._opened = None


def open_workspace(settings: Settings) -> Workspace:
    """The rooms, opened: the ledger migrated, known by its id, and its address keys the right ones.

    The embedded ledger is made on first use; any other must have been upgraded. Raises ``ConfigurationError`` without
    an address key and ``LedgerError`` for a ledger that is unreachable, not migrated, or made with another key.
    """
    if not settings.address_keys:
        raise ConfigurationError(
            "there is no address key, so nobody could be recognised; run make run once, or set the connection "
            "reactivation_address_key"
        )
    if settings.ledger_is_embedded and not settings.embedded_ledger.exists():
        migrations.upgrade(settings.ledger_url)
    keys = AddressKeys(settings.address_keys)
    workspace = Workspace(settings, open_ledger(settings.ledger_url), keys)
    try:
        with workspace.ledger.begin() as conn:
            identity.identify(
                conn, environment=settings.environment, check_values=keys.check_values(), now=workspace.now()
            )
    except BaseException:
        workspace.ledger.close()
        raise
    return workspace
