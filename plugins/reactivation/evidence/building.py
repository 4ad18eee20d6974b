"""Making a folder appear whole or not at all.

On a local disk it is filled under a temporary name beside its place, synced and renamed; what a killed process leaves
is removed by whoever builds in the same place next. An object store has no rename, so there the folder is filled
locally and its manifest, without which a folder is no evidence, is uploaded last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath

from reactivation.evidence.errors import EvidenceError

MANIFEST = "manifest.json"
_TEMPORARY = ".tmp-"


def as_path(location: UPath | Path | str) -> UPath:
    """The location as a universal path: a local path, a URL, or Airflow's ``ObjectStoragePath``."""
    return location if isinstance(location, UPath) else UPath(location)


def local_path(path: UPath) -> Path | None:
    """The path on this machine's disk, or ``None`` for an object store."""
    return Path(path.path) if path.protocol in ("", "file", "local") else None


@contextmanager
def building(target: UPath) -> Iterator[Path]:
    """An empty local folder to fill, manifest included; it becomes ``target`` when the block ends without error.

    Raises ``EvidenceError`` if there already is such a folder.
    """
    if (target / MANIFEST).exists():
        raise EvidenceError(f"{target} already exists; evidence is never rewritten, give a new id")
    place = local_path(target)
    if place is None:
        with tempfile.TemporaryDirectory() as here:
            yield Path(here)
            _upload(Path(here), target)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place.parent)
    temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=place.parent))
    lock = os.open(temporary, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield temporary
        temporary.chmod(0o755)
        for file in sorted(temporary.iterdir()):
            sync(file)
        sync(temporary)
        temporary.rename(place)
        sync(place.parent)
    finally:
        os.close(lock)
        shutil.rmtree(temporary, ignore_errors=True)


def replace_file(path: UPath, content: bytes) -> None:
    """Writes a file whole or not at all, also over an existing one."""
    with replacing(path) as place:
        place.write_bytes(content)


@contextmanager
def replacing(path: UPath) -> Iterator[Path]:
    """A local file to write; it becomes ``path``, also over an existing one, when the block ends without error.

    What a killed process leaves has another name and is written over by whoever makes the same file next.
    """
    place = local_path(path)
    if place is None:
        with tempfile.TemporaryDirectory() as here:
            made = Path(here) / path.name
            yield made
            _copy(made, path)
        return
    temporary = place.with_name(f"{_TEMPORARY}{place.name}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(place)
        sync(place.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def alone(folder: UPath) -> Iterator[None]:
    """Nobody else who asks for it changes the folder meanwhile. An object store has no locks: there, take turns."""
    place = local_path(folder)
    if place is None:
        yield
        return
    lock = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def forget_half(path: UPath) -> None:
    """Removes what a killed process left of a new file in the place of ``path``."""
    place = local_path(path)
    if place is not None:
        place.with_name(f"{_TEMPORARY}{place.name}").unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Asks the disk to keep a file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _upload(made: Path, target: UPath) -> None:
    target.mkdir(parents=True, exist_ok=True)
    files = sorted(made.iterdir(), key=lambda file: (file.name == MANIFEST, file.name))
    for file in files:
        _copy(file, target / file.name)


def _copy(file: Path, target: UPath) -> None:
    with file.open("rb") as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)


def _sweep(parent: Path) -> None:
    """Removes temporary folders nobody holds any more: their process was killed."""
    for left in parent.glob(f"{_TEMPORARY}*"):
        try:
            handle = os.open(left, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)
