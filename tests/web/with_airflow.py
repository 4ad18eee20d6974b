"""Run as a program: asks our pages for themselves as Airflow's own users, with Airflow's own security, and prints the
status codes as JSON. The caller says by environment which Airflow; its tables are made here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from airflow import settings
from airflow.api_fastapi.app import init_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models import import_all_models
from airflow.models.base import Base
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.approvals import house

from reactivation.ledger import lists
from reactivation.ledger.engine import open_ledger
from reactivation.web import create_app

ROLES = {"ada": "USER", "olu": "USER", "vera": "VIEWER", "operator": "USER", "stranger": None}


def main() -> None:
    settings.initialize()
    import_all_models()
    Base.metadata.create_all(settings.engine)
    manager = init_auth_manager()
    workspace = house.house(Path(sys.argv[1]), open_ledger(sys.argv[2]))
    with workspace.ledger.begin() as conn:
        row = next(r for r in lists.open_lists(conn) if r.kind == "content")
    host = FastAPI()
    host.mount("/reactivation", create_app(lambda: workspace))
    client = TestClient(host)
    address = f"/reactivation/lists/{row.list_id}"
    told = {
        "anonymous": client.get(address).status_code,
        "anonymous style": client.get("/reactivation/style.css").status_code,
        "forged": client.get(address, headers={"Authorization": "Bearer forged"}).status_code,
    }
    for name, role in ROLES.items():
        token = manager.generate_jwt(SimpleAuthManagerUser(username=name, role=role))
        told[f"{name} by token"] = client.get(address, headers={"Authorization": f"Bearer {token}"}).status_code
        told[f"{name} by cookie"] = client.get(
            address, headers={"Cookie": f"{COOKIE_NAME_JWT_TOKEN}={token}"}
        ).status_code
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
