"""Folders that appear whole or not at all, on a disk and in an object store."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath

import reactivation
from reactivation.evidence.building import MANIFEST, as_path, building, replace_file, replacing
from reactivation.evidence.errors import EvidenceError

PLUGINS = Path(reactivation.__file__).parents[1]


@pytest.fixture(params=["disk", "memory"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    """A place for a folder, on this disk and in an object store."""
    return UPath(tmp_path / "snapshots" / "s-1") if request.param == "disk" else UPath(f"memory://{uuid4()}/s-1")


class TestBuilding:
    def test_the_folder_appears_at_the_end(self, target: UPath) -> None:
        """Nothing is there until the block ends; then everything is."""
        with building(target) as place:
            (place / MANIFEST).write_text("{}")
            (place / "contacts.parquet").write_bytes(b"rows")
            assert not target.exists()
        assert sorted(file.name for file in target.iterdir()) == ["contacts.parquet", MANIFEST]
        assert (target / "contacts.parquet").read_bytes() == b"rows"

    def test_an_error_leaves_nothing(self, target: UPath) -> None:
        """A folder whose making failed was never there, nor was any temporary one."""
        with pytest.raises(RuntimeError), building(target) as place:
            (place / MANIFEST).write_text("{}")
            raise RuntimeError("the source broke")
        assert not target.exists()
        assert not target.parent.exists() or not list(target.parent.iterdir())

    def test_what_is_there_is_never_rewritten(self, target: UPath) -> None:
        """A second folder under the same id is refused, and the first stays as it was."""
        with building(target) as place:
            (place / MANIFEST).write_text("first")
        with pytest.raises(EvidenceError, match="never rewritten"), building(target) as place:
            (place / MANIFEST).write_text("second")
        assert (target / MANIFEST).read_text() == "first"

    def test_a_killed_process_leaves_nothing_that_stays(self, tmp_path: Path) -> None:
        """Its half-made folder is not under the folder's name, and whoever builds next removes it."""
        _kill_within(
            f"building(as_path({str(tmp_path / 's-1')!r}))", "(place / 'people.parquet').write_bytes(b'Ada Hart')"
        )
        assert not (tmp_path / "s-1").exists()
        assert [file.name[:5] for file in tmp_path.iterdir()] == [".tmp-"]
        with building(as_path(tmp_path / "s-2")) as place:
            (place / MANIFEST).write_text("{}")
        assert [file.name for file in tmp_path.iterdir()] == ["s-2"]

    def test_a_process_at_work_is_left_alone(self, tmp_path: Path) -> None:
        """Two snapshots may be built beside each other."""
        with building(as_path(tmp_path / "s-1")) as first:
            (first / MANIFEST).write_text("{}")
            with building(as_path(tmp_path / "s-2")) as second:
                (second / MANIFEST).write_text("{}")
            assert (first / MANIFEST).exists()
        assert sorted(file.name for file in tmp_path.iterdir()) == ["s-1", "s-2"]


class TestReplaceFile:
    def test_replaces_whole(self, target: UPath) -> None:
        """The new bytes take the place of the old, and nothing temporary stays."""
        target.mkdir(parents=True)
        replace_file(target / MANIFEST, b"old")
        replace_file(target / MANIFEST, b"new")
        assert [(file.name, file.read_bytes()) for file in target.iterdir()] == [(MANIFEST, b"new")]

    def test_an_error_keeps_the_old(self, target: UPath) -> None:
        """A file half written never has the name."""
        target.mkdir(parents=True)
        replace_file(target / MANIFEST, b"old")
        with pytest.raises(OSError, match="no more room"), replacing(target / MANIFEST) as place:
            place.write_bytes(b"ha")
            raise OSError("no more room")
        assert [(file.name, file.read_bytes()) for file in target.iterdir()] == [(MANIFEST, b"old")]

    def test_a_killed_process_leaves_no_half_file(self, tmp_path: Path) -> None:
        """What it leaves has another name, and whoever makes the file next writes over it."""
        _kill_within(f"replacing(as_path({str(tmp_path / 'drafts.parquet')!r}))", "place.write_bytes(b'half')")
        assert [file.name for file in tmp_path.iterdir()] == [".tmp-drafts.parquet"]
        replace_file(as_path(tmp_path / "drafts.parquet"), b"whole")
        assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("drafts.parquet", b"whole")]


def _kill_within(block: str, work: str) -> None:
    """Kills a process that has done its work in a block and has not left it."""
    script = textwrap.dedent(
        f"""
        from reactivation.evidence.building import as_path, building, replacing
        with {block} as place:
            {work}
            print("begun", flush=True)
            input()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PLUGINS
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGKILL)
