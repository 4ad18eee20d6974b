"""What Airflow sees of the product besides its DAGs: the pages for people who sign. A leaf nobody imports."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from reactivation.orchestration.links import PREFIX


@cache
def _pages() -> list[dict[str, Any]]:
    from reactivation.orchestration.rooms import open_rooms
    from reactivation.web.app import create_app

    return [{"app": create_app(open_rooms), "url_prefix": PREFIX, "name": "Reactivation"}]


class _WhenAsked:
    """Every worker loads plugins; only the API server asks for pages, and only there their imports are paid for."""

    def __get__(self, instance: object, owner: type) -> list[dict[str, Any]]:
        return _pages()


class ReactivationPlugin(AirflowPlugin):
    """Registered by the entry point ``airflow.plugins``."""

    name = "reactivation"
    fastapi_apps = _WhenAsked()
    external_views: ClassVar[list[dict[str, Any]]] = [
        {"name": "Lists to sign", "href": f"{PREFIX}/", "destination": "nav", "url_route": "lists"}
    ]
