"""A connection made into a plain SQLAlchemy engine, for sources that are databases and for the one
table of ours in another system.

Inside a task its own hook makes it, where the provider of that database is installed: any database Airflow knows. On
the command line, and without a provider, PostgreSQL and SQLite are reached directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import NullPool, create_engine, make_url

from reactivation.orchestration.connections import POSTGRES, connection_of, in_a_task, postgres_url, variable_of
from reactivation.steps.settings import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Engine

_CONNECT_SECONDS = 10


def engine_of(conn_id: str, *, writes: bool = False) -> Engine:
    """The engine of a connection; it connects on first use. A file is only read unless ``writes``.

    Raises ``ConfigurationError`` with the fix.
    """
    engine = _of_hook(conn_id) if in_a_task() else None
    if engine is not None:
        return engine
    connection = connection_of(conn_id)
    if connection is None:
        raise ConfigurationError(
            f"there is no connection {conn_id}; set {variable_of(conn_id)} for every process, or add it in Airflow"
        )
    if connection.conn_type == "sqlite":
        # A wrong path must not become a new, empty database.
        file = connection.schema or connection.host or ""
        return create_engine(
            f"sqlite:///file:{file}?mode={'rw' if writes else 'ro'}&uri=true", poolclass=NullPool, hide_parameters=True
        )
    if connection.conn_type in POSTGRES:
        url = make_url(postgres_url(connection)).set(drivername="postgresql+psycopg")
        return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": _CONNECT_SECONDS},
                             hide_parameters=True)  # fmt: skip
    raise ConfigurationError(
        f"connection {conn_id} is of type {connection.conn_type}; outside a task only postgres and sqlite can be "
        "reached, inside one any database whose Airflow provider is installed"
    )


def _of_hook(conn_id: str) -> Engine | None:
    """The engine of the connection's hook; ``None`` where Airflow has no hook for it."""
    from airflow.providers.common.sql.hooks.sql import DbApiHook
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowException

    try:
        hook = BaseHook.get_connection(conn_id).get_hook()
    except (AirflowException, ImportError):
        return None
    return hook.get_sqlalchemy_engine() if isinstance(hook, DbApiHook) else None
