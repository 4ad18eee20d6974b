"""A household with open lists behind the application, and visitors who are whoever a test says they are."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException, Request
from tests.approvals import house
from tests.approvals.asked import NOW

from reactivation.ledger.engine import open_ledger
from reactivation.steps.lists import open_lists
from reactivation.steps.workspace import Workspace

# Importing Airflow makes its home; the one of whoever runs the tests is none of our business.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-home-"))
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another HTTP client, which Airflow does not bring
    from starlette.testclient import TestClient

Visit = Callable[..., TestClient]


@pytest.fixture
def workspace(tmp_path: Path, sqlite_template: Path) -> Iterator[Workspace]:
    """The household of ``tests.approvals.house`` with its three lists open."""
    made = empty_house(tmp_path, sqlite_template)
    house.drafted(made)
    open_lists(made, house.RUN, NOW)
    yield made
    made.ledger.close()


@pytest.fixture
def visit(workspace: Workspace) -> Visit:
    """``visit("ada")`` is a browser in which Ada is logged in; ``visit(None)`` one in which nobody is."""

    def as_user(user: str | None, *, reader: bool = True, of: Workspace = workspace) -> TestClient:
        return TestClient(application(of, user, reader=reader))

    return as_user


def empty_house(home: Path, sqlite_template: Path) -> Workspace:
    """A workspace with a migrated, empty ledger on SQLite."""
    file = home / "ledger" / "ledger.db"
    file.parent.mkdir(parents=True)
    shutil.copyfile(sqlite_template, file)
    return house.house(home, open_ledger(f"sqlite:///{file}"))


def application(workspace: Workspace, user: str | None, *, reader: bool = True) -> FastAPI:
    """The application mounted as Airflow mounts it, with Airflow's own user in place of a login."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user

    from reactivation.web import create_app
    from reactivation.web.auth import require_reader

    def logged_in(request: Request) -> SimpleAuthManagerUser:
        name = request.headers.get("x-test-user", user)
        if name is None:
            raise HTTPException(401)
        return SimpleAuthManagerUser(username=name, role="USER")

    def may_read(request: Request) -> None:
        logged_in(request)
        if not reader:
            raise HTTPException(403)

    app = create_app(lambda: workspace)
    app.dependency_overrides[get_user] = logged_in
    app.dependency_overrides[require_reader] = may_read
    host = FastAPI()
    host.mount("/reactivation", app)
    return host
