"""The embedded provider: one file per send in a folder, named by its key: ``.eml`` for an e-mail, ``.sms.json`` for a
text message. Nothing leaves the machine.

A file appears whole or not at all, and is never written over, so a repeat under the same key is harmless and the file
is the proof that the send happened.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import ClassVar

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import Call, DeliveryError, Provider, Result
from reactivation.delivery.message import MessageError, build
from reactivation.delivery.text_message import build_text

#: How a message of a channel is made, and how its file ends.
_MADE: Mapping[str, tuple[Callable[[SendableTouch, str, datetime], bytes], str]] = {
    "email": (build, ".eml"),
    "sms": (build_text, ".sms.json"),
}


class Outbox(Provider):
    """Writes messages into ``folder``."""

    name: ClassVar[str] = "outbox"
    repeatable: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        """Write the file of ``key``, unless it is there. Raises ``DeliveryError`` when the folder cannot be written."""
        if touch.channel not in _MADE:
            return Result("refused", reason="channel_not_supported")
        return await asyncio.to_thread(self._send, touch, key, at)

    def _send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        make, suffix = _MADE[touch.channel]
        file = self.folder / f"{key}{suffix}"
        try:
            message = make(touch, key, at)
        except MessageError as error:
            return Result("refused", reason=error.code)
        try:
            self._write(file, key, message)
        except OSError as error:
            if self._find(key) is not None:  # written, and perhaps not yet safe on the disk
                return Result("unknown", reason="outbox_not_flushed")
            raise DeliveryError(
                f"the outbox {self.folder} cannot be written ({error.strerror}); make room or correct its rights"
            ) from error
        return Result("accepted", reference=file.name)

    async def find(self, call: Call) -> Result | None:
        """Accepted when the file is there; what a dispatcher that died beside it left is swept."""
        return await asyncio.to_thread(self._find, call.key)

    def _find(self, key: str) -> Result | None:
        file = next((file for _, suffix in _MADE.values() if (file := self.folder / f"{key}{suffix}").exists()), None)
        if file is None:
            return None
        self._sweep(key)
        return Result("accepted", reference=file.name)

    def _sweep(self, key: str) -> None:
        for left in self.folder.glob(f".{key}.*.tmp"):
            left.unlink(missing_ok=True)

    def _write(self, file: Path, key: str, message: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with NamedTemporaryFile(dir=self.folder, prefix=f".{key}.", suffix=".tmp", delete=False) as made:
                made.write(message)
                made.flush()
                os.fsync(made.fileno())
            os.link(made.name, file)
        except FileExistsError:
            pass
        except FileNotFoundError:
            if not file.exists():  # else another dispatcher wrote it meanwhile and swept
                raise
        finally:
            self._sweep(key)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
