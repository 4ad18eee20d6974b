"""What a fake does wrong with a call, once, in order."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

#: hang: no answer. drop: the connection is cut. answer: this answer instead of its own. after: it took the message
#: first. Unknown words in an answer's body are the fake's own affair.
Kind = Literal["hang_before", "hang_after", "drop_before", "drop_after", "answer", "answer_after"]


@dataclass(frozen=True)
class Fault:
    """One of them; status, headers and body are of an ``answer``."""

    kind: Kind
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def takes_it(self) -> bool:
        """Whether the message is taken all the same."""
        return self.kind.endswith("_after")


class Faults:
    """Those given, then those of a file of JSON lines, which may grow while the fake runs; ``null``: none this time."""

    def __init__(self, *given: Fault | None, file: Path | None = None) -> None:
        self._given = list(given)
        self._file = file
        self._read = 0
        self._lines: deque[str] = deque()

    def next(self) -> Fault | None:
        """What goes wrong with this call."""
        if self._given:
            return self._given.pop(0)
        if not self._lines:
            self._lines.extend(self._more())
        read = json.loads(self._lines.popleft()) if self._lines else None
        return None if read is None else Fault(**read)

    def _more(self) -> list[str]:
        """The lines that were added since."""
        if self._file is None or not self._file.exists():
            return []
        with self._file.open(encoding="utf-8") as lines:
            lines.seek(self._read)
            added = lines.read()
            self._read = lines.tell()
        return added.splitlines()
