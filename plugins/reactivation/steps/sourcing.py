"""Which table comes from which source: what the playbooks say, and where the settings say each source is.

One snapshot serves all playbooks, so all of them must take every table from the same source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reactivation.contract.tables import TABLES
from reactivation.evidence import as_path
from reactivation.playbooks.declared import Problem, line_of
from reactivation.playbooks.loader import LoadedPlaybook, PlaybookError
from reactivation.playbooks.words import DEFAULT_SOURCE
from reactivation.sources import DatabaseSource, Source, Sources, by_table, open_source, sources_of
from reactivation.steps.settings import ConfigurationError, Settings

VARIABLE = "REACTIVATION_SOURCE"
_CONNECTION = "connection:"


def open_sources(settings: Settings, playbooks: Sequence[LoadedPlaybook]) -> Sources:
    """Every source a table is taken from. Raises ``SourceError`` or ``ConfigurationError`` where one is not there, and
    ``PlaybookError`` where playbooks name a source there is not, or disagree."""
    if settings.named_sources is None:
        return sources_of(_open(settings, settings.source, DEFAULT_SOURCE))
    for loaded in playbooks:
        problems = sorted(source_problems(loaded, playbooks, settings))
        if problems:
            raise PlaybookError(str(loaded.path), problems)
    taken = dict(playbooks[0].playbook.sources) if playbooks else {}
    used = {taken.get(table, DEFAULT_SOURCE) for table in TABLES}
    if used == {DEFAULT_SOURCE}:
        return sources_of(_open(settings, settings.source, DEFAULT_SOURCE))
    places = {DEFAULT_SOURCE: settings.source, **settings.named_sources}
    return by_table({name: _open(settings, places[name], name) for name in sorted(used)}, taken, DEFAULT_SOURCE)


def source_problems(
    loaded: LoadedPlaybook, playbooks: Sequence[LoadedPlaybook], settings: Settings
) -> Iterator[Problem]:
    """What a playbook says of its sources that settings do not know, or that a playbook before it says otherwise."""
    if settings.named_sources is None:
        return
    text, mine = loaded.path.read_text(encoding="utf-8"), loaded.playbook.sources
    known = {DEFAULT_SOURCE, *settings.named_sources}
    for table, name in mine.items():
        if name not in known:
            message = (
                f"there is no source {name}; set {VARIABLE}_{name.upper()}, or take the table from "
                f"{', '.join(sorted(known))}"
            )
            yield Problem(line_of(text, "sources", table), f"sources.{table}", message)
    first = playbooks[0]
    theirs = first.playbook.sources
    for table in TABLES if first is not loaded else ():
        here, there = mine.get(table, DEFAULT_SOURCE), theirs.get(table, DEFAULT_SOURCE)
        if here != there:
            line = line_of(first.path.read_text(encoding="utf-8"), "sources", table)
            message = (
                f"is taken from {here} here and from {there} in {first.path.name}:{line}; one snapshot serves all "
                "playbooks, so write the same in all of them"
            )
            yield Problem(line_of(text, "sources", table), f"sources.{table}", message)


def is_nowhere(place: str) -> bool:
    """Whether a setting names no place, or a folder that is not there yet."""
    return not place or not (place.startswith(_CONNECTION) or as_path(place).exists())


def named_connection(variable: str, place: str) -> tuple[str, str | None] | None:
    """The connection a setting names, and the schema; ``None`` where it names a folder or an object store. Raises
    ``ConfigurationError``."""
    if not place.startswith(_CONNECTION):
        return None
    conn_id, _, schema = place.removeprefix(_CONNECTION).partition("/")
    if not conn_id:
        raise ConfigurationError(f"{variable}={place} names no connection; write connection:ID")
    return conn_id, schema or None


def _open(settings: Settings, place: str, name: str) -> Source:
    if not place:
        raise ConfigurationError(f"{_variable(name)} is empty; name a folder, an object-store URL or connection:ID")
    named = named_connection(_variable(name), place)
    if named is None:
        return open_source(place)
    conn_id, schema = named
    return DatabaseSource(settings.connect(conn_id), conn_id, schema)


def _variable(name: str) -> str:
    return VARIABLE if name == DEFAULT_SOURCE else f"{VARIABLE}_{name.upper()}"
