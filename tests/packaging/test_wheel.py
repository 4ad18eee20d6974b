"""The wheel works without the checkout it was built from."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT, check=True,
                   capture_output=True)  # fmt: skip
    return next(out.glob("*.whl"))


def test_wheel_carries_what_the_project_declares(wheel: Path) -> None:
    """Every file of include/ and expectations/ is in the wheel."""
    carried = set(zipfile.ZipFile(wheel).namelist())
    declared = [p for folder in ("include", "expectations") for p in (ROOT / folder).rglob("*") if p.is_file()]
    assert declared
    assert not [p for p in declared if f"reactivation/{p.relative_to(ROOT)}" not in carried]


def test_wheel_registers_the_plugin_once(wheel: Path) -> None:
    """An entry point for it, one for our connections, and a plugins folder that registers nothing a second time."""
    with zipfile.ZipFile(wheel) as opened:
        name = next(n for n in opened.namelist() if n.endswith("entry_points.txt"))
        entries = opened.read(name).decode()
    assert entries.count("reactivation.plugin:ReactivationPlugin") == 1
    assert "[airflow.plugins]" in entries
    assert "[apache_airflow_provider]\nprovider_info = reactivation.orchestration.provider_info:" in entries
    ignored = (ROOT / "plugins" / ".airflowignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in ignored if not line.startswith("#")] == ["*"]


def test_installed_package_finds_its_files(wheel: Path, tmp_path: Path) -> None:
    """Imported from the wheel alone, the package reads its own playbooks."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import reactivation; from reactivation import paths; from reactivation.playbooks.loader import load_all;"
        "assert paths.INCLUDE.parent == __import__('pathlib').Path(reactivation.__file__).parent;"
        "print([p.playbook.playbook for p in load_all(paths.PLAYBOOKS)])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout.strip() == "['dormant_account_outreach', 'customer_reactivation', 'customers_not_active']", (
        done.stderr
    )
