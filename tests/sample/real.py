"""Where the real histories are: data that nobody here wrote, beside the checkout or where the environment says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def real_file(name: str) -> Path:
    """The file of that name. Where it is missing the test is skipped, saying so; in CI it fails."""
    folder = Path(os.environ.get("REACTIVATION_DATA_DIR", _BESIDE))
    file = folder / name
    if not file.is_file():
        missing = f"no {name} in {folder}; set REACTIVATION_DATA_DIR to the folder of the real histories"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return file
