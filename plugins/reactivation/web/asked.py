"""What every route is asked by: who is looking, and which page of something."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from reactivation.web.auth import Visitor, current_visitor

Who = Annotated[Visitor, Depends(current_visitor)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
#: A name of ours (a condition, a table): never anything that came from a source.
Code = Annotated[str | None, Query(pattern=r"^[a-z0-9_]+$", max_length=80)]
