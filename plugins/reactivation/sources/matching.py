"""Which columns of a file or a database table are the contract's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reactivation.contract.tables import Table
from reactivation.sources.errors import SourceError


def matched(table: Table, shown: str, titles: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Contract column to position, by name without regard to case, blanks and hyphens; and the rest.

    Raises ``SourceError`` where one stands twice or none is known; ``shown`` is what messages call the table."""
    known = {column.name for column in table.columns}
    fields: dict[str, int] = {}
    unknown = []
    for position, title in enumerate(titles):
        name = re.sub(r"[\s-]+", "_", title.strip()).casefold()
        if name in fields:
            raise SourceError(f"{shown} has the column {name} twice; leave one of them")
        if name in known:
            fields[name] = position
        else:
            unknown.append(title.strip() or f"(column {position + 1})")
    if not fields:
        # Its names may be a row of people, so they are not quoted.
        raise SourceError(f"{shown} has none of the columns of {table.name} ({', '.join(sorted(known))}); "
                          "its columns (in a file, the first line) must be named like them")  # fmt: skip
    return fields, tuple(sorted(unknown))
