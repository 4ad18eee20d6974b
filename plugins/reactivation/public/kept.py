"""Unsubscribes that could not be committed, kept as files until they can: a mail program may not ask twice.

A file per touch, its name the touch id and its content the instant: there are never more than messages were sent, and
nobody without a token of ours can make one. What is kept was answered with 503; nothing is promised until it is
committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from upath import UPath

from reactivation.evidence.building import replace_file
from reactivation.public.answers import Threads, Unavailable
from reactivation.public.guard import LOG, place_of
from reactivation.steps.unsubscribe import unsubscribe
from reactivation.steps.workspace import Workspace

#: How often it is tried to commit what is kept.
EVERY = 30.0
_ENDING = ".unsubscribe"


class Kept:
    """The folder of what is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, touch_id: str, at: datetime) -> bool:
        """Keep one, on disk when this returns; the first instant stays. False where it cannot be kept."""
        file = self._folder / f"{touch_id}{_ENDING}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                replace_file(UPath(file), at.isoformat().encode())
        except OSError:
            return False
        return True

    def commit(self, open_workspace: Callable[[], Workspace]) -> int:
        """Commit what is kept, one by one; how many are done. Raises as opening the workspace does, and keeps the rest.

        One the ledger does not know stays: it may be the wrong ledger.
        """
        done = 0
        for file in sorted(self._folder.glob(f"*{_ENDING}")):
            workspace = open_workspace()
            now = workspace.now()
            if unsubscribe(workspace, file.name.removesuffix(_ENDING), now, said_at=_instant(file, now)):
                file.unlink(missing_ok=True)
                done += 1
            else:
                LOG.error("an unsubscribe is kept of a touch that the ledger does not know: %s", file.name)
        return done

    async def commit_for_ever(self, threads: Threads, open_workspace: Callable[[], Workspace]) -> None:
        """``commit`` now and every half minute, until cancelled."""
        while True:
            try:
                done = await threads.run(lambda: self.commit(open_workspace))
                if done:
                    LOG.info("unsubscribes that were kept are recorded: %d", done)
            except Unavailable as error:
                LOG.warning("unsubscribes are kept still: %s", type(error.__cause__).__name__)
            except Exception as error:
                LOG.error("unsubscribes are kept still: %s", place_of(error))
            await asyncio.sleep(EVERY)


def _instant(file: Path, now: datetime) -> datetime:
    """When it was said; now, where that cannot be read."""
    try:
        return min(datetime.fromisoformat(file.read_text(encoding="ascii")), now)
    except (OSError, ValueError, TypeError):
        return now
