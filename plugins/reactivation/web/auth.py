"""Who is looking, as Airflow's auth manager says. The only module that touches Airflow's own security code.

Those names are no public interface of Airflow: a test calls each of them, so that an upgrade that moves one is seen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import Depends

#: The DAG whose requests our pages explain.
ASKING_DAG = "ask_people"

#: Refuses anybody who may not even read the requests of ``ask_people``; nobody at all is refused with 401.
require_reader = requires_access_dag("GET", DagAccessEntity.HITL_DETAIL, ASKING_DAG)


@dataclass(frozen=True)
class Visitor:
    """The person looking at a page: the auth manager's user id, and the name to show."""

    user_id: str
    name: str

    def is_one_of(self, authors: Collection[str]) -> bool:
        """Whether any of them is this person, who may be named by id or by name (``approvals.reading``)."""
        return self.user_id in authors or self.name in authors


def current_visitor(user: Annotated[BaseUser, Depends(get_user)]) -> Visitor:
    """The visitor of this request. FAB's ids are whole numbers, everywhere else they are text."""
    return Visitor(str(user.get_id()), str(user.get_name()))
