"""One run folder to be, in each kind of place."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath


@pytest.fixture(params=["disk", "memory", "airflow"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> UPath | Path:
    """Where a run folder may lie: on a disk, in an object store, and as Airflow names a path."""
    on_disk = tmp_path / "runs" / "r-1"
    if request.param == "memory":
        return UPath(f"memory://{uuid4()}/r-1")
    if request.param == "airflow":
        from airflow.sdk import ObjectStoragePath

        return ObjectStoragePath(f"file://{on_disk}")
    return on_disk
