"""A provider's published specification, asked whether a request or an answer is one of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

_BESIDE = Path(__file__).parents[3] / "shared" / "openapi"


def folder() -> Path:
    """Where the specifications are."""
    return Path(os.environ.get("REACTIVATION_OPENAPI_DIR", _BESIDE))


def needed(*files: str) -> None:
    """Skip a test that cannot be told without these specifications; in CI it fails."""
    for name in files:
        if not (folder() / name).is_file():
            missing = f"no {name} in {folder()}; set REACTIVATION_OPENAPI_DIR to the folder of the specifications"
            if os.environ.get("CI"):
                pytest.fail(missing, pytrace=False)
            pytest.skip(missing)


@dataclass
class Asked:
    """A request as the validator wants to see it."""

    host_url: str
    path: str
    method: str
    body: bytes
    content_type: str
    parameters: RequestParameters


@dataclass
class Answered:
    """An answer as the validator wants to see it."""

    status_code: int
    data: bytes
    content_type: str
    headers: Headers = field(default_factory=Headers)


class Specification:
    """The paths of one document that a fake serves."""

    def __init__(self, file: str, *paths: str) -> None:
        document = json.loads((folder() / file).read_text(encoding="utf-8"))
        self.document = document | {"paths": {path: document["paths"][path] for path in paths}}
        self.host = document["servers"][0]["url"]
        # The documents are published as they are; only what is in the messages is judged here.
        self._judge = OpenAPI.from_dict(self.document, config=Config(spec_validator_cls=None))

    def knows(self, path: str) -> bool:
        """Whether a path is one of these, wherever its parameters are."""
        return any(_fits(path, known) for known in self.document["paths"])

    def of_request(self, asked: Asked) -> list[str]:
        """What is wrong with a request."""
        try:
            self._judge.validate_request(asked)
        except OpenAPIError as error:
            return [_told(error)]
        return []

    def of_answer(self, asked: Asked, answered: Answered) -> list[str]:
        """What is wrong with an answer, if it has a status the document tells of."""
        operation = next(item for path, item in self.document["paths"].items() if _fits(asked.path, path))[asked.method]
        if str(answered.status_code) not in operation["responses"]:
            return []
        try:
            self._judge.validate_response(asked, answered)
        except OpenAPIError as error:
            return [_told(error)]
        return []

    def asked(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Asked:
        """A request that came over the wire."""
        parameters = RequestParameters(query=ImmutableMultiDict(query), header=Headers(dict(headers)))
        return Asked(self.host, path, method.lower(), body, headers.get("Content-Type", "").lower(), parameters)

    def fields(self, path: str, method: str, kind: str) -> set[str]:
        """The names of the fields a request may have: an unknown one is not refused by a validator."""
        operation: Any = self.document["paths"][path][method]
        return set(operation["requestBody"]["content"][kind]["schema"]["properties"])


@cache
def specification(file: str, *paths: str) -> Specification | None:
    """The document with only these paths; ``None`` where the documents are not."""
    return Specification(file, *paths) if (folder() / file).is_file() else None


def _fits(path: str, known: str) -> bool:
    parts, wanted = path.split("/"), known.split("/")
    return len(parts) == len(wanted) and all(
        w == p or ("{" in w and p.endswith(w[w.index("}") + 1 :])) for p, w in zip(parts, wanted, strict=True)
    )


def _told(error: BaseException) -> str:
    causes = [type(error).__name__ + ": " + str(error)]
    for one in getattr(error.__cause__, "schema_errors", ()):
        causes.append(one.message)
    return "; ".join(causes)
