"""The embedded provider: one ``.eml`` file per send in a folder, named by its key. Nothing leaves the machine.

A file appears whole or not at all, and is never written over, so a repeat under the same key is harmless and the file
is the proof that the send happened.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import ClassVar

from reactivation.approvals import SendableTouch
from reactivation.delivery.base import DeliveryError, Provider, Result
from reactivation.delivery.message import MessageError, build


class Outbox(Provider):
    """Writes messages into ``folder``."""

    name: ClassVar[str] = "outbox"
    repeatable: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, touch: SendableTouch, key: str, at: datetime) -> Result:
        """Write the file of ``key``, unless it is there. Raises ``DeliveryError`` when the folder cannot be written."""
        if touch.channel != "email":
            return Result("refused", reason="channel_not_supported")
        try:
            message = build(touch, key, at)
        except MessageError as error:
            return Result("refused", reason=error.code)
        try:
            self._write(self._file(key), message)
        except OSError as error:
            if self.find(key) is not None:  # written, and perhaps not yet safe on the disk
                return Result("unknown", reason="outbox_not_flushed")
            raise DeliveryError(
                f"the outbox {self.folder} cannot be written ({error.strerror}); make room or correct its rights"
            ) from error
        return Result("accepted", reference=self._file(key).name)

    def find(self, key: str) -> Result | None:
        """Accepted when the file is there; what a dispatcher that died beside it left is swept."""
        file = self._file(key)
        if not file.exists():
            return None
        self._sweep(file)
        return Result("accepted", reference=file.name)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.eml"

    def _sweep(self, file: Path) -> None:
        for left in self.folder.glob(f".{file.stem}.*.tmp"):
            left.unlink(missing_ok=True)

    def _write(self, file: Path, message: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with NamedTemporaryFile(dir=self.folder, prefix=f".{file.stem}.", suffix=".tmp", delete=False) as made:
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
            self._sweep(file)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
