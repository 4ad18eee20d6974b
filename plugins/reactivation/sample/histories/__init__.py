"""Real purchase histories: files that nobody here wrote, read as they are.

By its name a file is CDNOW's or Online Retail's own; any other CSV, JSON lines or Parquet file has the contract's table
``purchases``.
"""

from __future__ import annotations

from pathlib import Path

from reactivation.sample.errors import SampleError
from reactivation.sample.histories import cdnow, contract, retail
from reactivation.sample.histories.history import History

__all__ = ["History", "read_history"]

_BY_NAME = {
    **dict.fromkeys(map(str.casefold, cdnow.NAMES), cdnow.read_cdnow),
    **dict.fromkeys(map(str.casefold, retail.NAMES), retail.read_online_retail),
}


def read_history(path: Path) -> History:
    """The history in a file. Raises ``SampleError`` naming the file, the place and the fix."""
    if not path.is_file():
        raise SampleError(f"{path} is no file: name the file of a purchase history")
    by_name = _BY_NAME.get(path.name.casefold())
    if by_name is None and path.suffix not in contract.ENDINGS:
        known = ", ".join((*cdnow.NAMES, *retail.NAMES))
        raise SampleError(
            f"{path} is of no known format: name it as it was published ({known}), or give the contract's purchases as"
            f" {', '.join(contract.ENDINGS)}"
        )
    try:
        return (by_name or contract.read_contract)(path)
    except OSError as problem:
        raise SampleError(f"{path} cannot be read: {problem.strerror}. Check its permissions") from problem
