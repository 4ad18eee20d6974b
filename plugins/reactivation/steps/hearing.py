"""Asks the providers what came back, and takes it in page by page.

Each is asked from where the last asking ended, and a few days before that: what it was told late, or of a message on
its way for long, is not lost, and what was told before is nothing new. A provider of which we can ask it is a feed of
opt-outs, so nothing is sent while one has not answered for as long as a source may be silent.

Source: ARCHITECTURE.md, A day, 5; invariants 4 and 11; PROVIDERS.md (pulling is the default).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reactivation.delivery import NotTold, Provider
from reactivation.ledger import feeds
from reactivation.steps.provider_events import take_in_provider_events

if TYPE_CHECKING:
    from reactivation.steps.workspace import Workspace

#: From when on a provider is asked the first time, and how long before the last asking each further time.
_AT_FIRST, _AGAIN = timedelta(days=30), timedelta(days=3)


@dataclass(frozen=True)
class Heard:
    """What was taken in, as ``take_in_provider_events`` counts it, with ``problem:<code>`` for rows that cannot be
    read. ``silent``: the sentences of providers that did not answer; what the others told is committed."""

    counts: Mapping[str, int]
    silent: tuple[str, ...]

    def require_all(self) -> None:
        """Raises ``NotTold`` with the first provider that did not answer."""
        if self.silent:
            raise NotTold(self.silent[0])


def hear_providers(workspace: Workspace, now: datetime) -> Heard:
    """Ask every provider that can be asked, by ``now``. Raises ``LedgerError``."""
    return asyncio.run(hear(workspace, now))


def is_deaf(workspace: Workspace, now: datetime, silent_for: timedelta) -> bool:
    """Whether a provider that is a feed of opt-outs was not heard for so long, or never."""
    asked = {one.name for one in _asked(workspace)}
    if not asked:
        return False
    with workspace.ledger.begin() as conn:
        until = feeds.told_until(conn, asked)
    return any(name not in until or until[name] < now - silent_for for name in asked)


def _asked(workspace: Workspace) -> list[Provider]:
    return list({one.name: one for one in workspace.providers.values() if one.tells}.values())


async def hear(workspace: Workspace, now: datetime) -> Heard:
    """The same, in a loop that runs."""
    counts: Counter[str] = Counter()
    silent: list[str] = []
    for provider in _asked(workspace):
        with workspace.ledger.begin() as conn:
            before = feeds.told_until(conn, [provider.name]).get(provider.name)
        since = now - _AT_FIRST if before is None else before - _AGAIN
        try:
            async for told in provider.told(since, now):
                counts.update({f"problem:{code}": count for code, count in told.problems.items()})
                counts.update(take_in_provider_events(workspace, told.events, now))
        except NotTold as error:
            silent.append(str(error))
            continue
        finally:
            await provider.close()
        with workspace.ledger.begin() as conn:
            feeds.advance(conn, provider.name, until=now, now=now)
    return Heard(dict(sorted((+counts).items())), tuple(silent))
