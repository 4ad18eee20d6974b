"""The default sample, written once for all tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.sample.crm import AS_OF

from reactivation.paths import PLAYBOOKS
from reactivation.playbooks.model import Playbook
from reactivation.sample import SampleSummary, generate


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleSummary]:
    """The default sample of 400 customers: its folder and its summary."""
    folder = tmp_path_factory.mktemp("crm")
    return folder, generate(folder, as_of=AS_OF)


@pytest.fixture(scope="session")
def crm(made: tuple[Path, SampleSummary]) -> Path:
    """The folder of the default sample."""
    return made[0]


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A larger sample without spoilt rows, for shares."""
    folder = tmp_path_factory.mktemp("many")
    generate(folder, customers=6000, as_of=AS_OF, dirty_share=0)
    return folder


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    """The customer playbook as declared."""
    return Playbook.model_validate(yaml.safe_load((PLAYBOOKS / "customer_reactivation.yaml").read_text()))
