"""Dispatchers killed at random instants, many times over, each followed by one that finishes."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.faults.agreeing import each_exactly_once
from tests.faults.killing import SPAN, is_killed, noticed, start
from tests.sending import NOW, Ready, prepare

from reactivation.ledger import migrations
from reactivation.steps.dispatch import dispatch


def kill_often(folder: Path, ledger: str, count: int, seed: int) -> tuple[int, int]:
    """How many of so many dispatchers were killed, and after how many of these something went out twice, was lost, or
    was not as the ledger says. ``ledger``: a PostgreSQL database to be copied, or none."""
    chance = random.Random(seed)  # noqa: S311
    made = folder / "prepared"
    url = ledger or f"sqlite:///{made / 'ledger' / 'ledger.db'}"
    migrations.upgrade(url)
    prepare(made, url)
    killed = wrong = 0
    for _ in range(count):
        with _copy(made, folder / "killed", ledger) as ready:
            killed += is_killed(start(ready.home, ready.url, NOW, counted=chance.randrange(1, SPAN)))
            noticed(ready.workspace.ledger)
            dispatch(ready.workspace, NOW)
            try:
                each_exactly_once(ready)
            except AssertionError:
                wrong += 1
    return killed, wrong


@contextmanager
def _copy(made: Path, home: Path, ledger: str) -> Iterator[Ready]:
    shutil.copytree(made, home)
    if not ledger:
        ready = Ready(home, f"sqlite:///{home / 'ledger' / 'ledger.db'}")
        try:
            yield ready
        finally:
            ready.close()
            shutil.rmtree(home)
        return
    server, _, name = ledger.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}_killed TEMPLATE {name}")
        ready = Ready(home, f"{ledger}_killed")
        try:
            yield ready
        finally:
            ready.close()
            admin.execute(f"DROP DATABASE {name}_killed WITH (FORCE)")
            shutil.rmtree(home)
