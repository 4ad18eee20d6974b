"""Airflow's own security in front of our pages: an upgrade of Airflow that moves or changes it is seen here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser

from reactivation.steps.workspace import Workspace
from reactivation.web.auth import Visitor, current_visitor


class TestAirflowsUsers:
    def test_who_gets_in_and_who_does_not(self, workspace: Workspace) -> None:
        """By token and by cookie alike: signers and overseers are let in, everybody else is refused."""
        url = workspace.ledger.engine.url.render_as_string(hide_password=False)
        root = Path(__file__).parents[2]
        program = [sys.executable, "-m", "tests.web.with_airflow", str(workspace.settings.home), url]
        home = workspace.settings.home / "airflow"
        environment = os.environ | {
            "PYTHONPATH": f"{root / 'plugins'}{os.pathsep}{root}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}.db",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "ada:user,olu:user,vera:viewer,operator:user",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of these tests, " * 4,
            "AIRFLOW__CORE__LAZY_LOAD_PLUGINS": "True",
        }
        done = subprocess.run(
            program, cwd=root, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]

        told = json.loads(done.stdout.splitlines()[-1])
        assert told.pop("anonymous") == told.pop("anonymous style") == 401
        assert told.pop("forged") == 403
        assert told == {
            f"{name} by {way}": status
            for name, status in (("ada", 200), ("olu", 200), ("vera", 403), ("operator", 403), ("stranger", 403))
            for way in ("token", "cookie")
        }

    def test_a_user_whose_id_is_a_number_is_the_one_in_the_configuration(self) -> None:
        """Some auth managers count their users; the owners' file has the same number as text."""

        class Counted(BaseUser):
            def get_id(self) -> int:  # type: ignore[override]
                return 7

            def get_name(self) -> str:
                return "Ada Marsh"

        assert current_visitor(Counted()) == Visitor("7", "Ada Marsh")
