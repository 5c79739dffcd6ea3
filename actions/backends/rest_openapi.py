"""An OpenAPI 3 description (https://spec.openapis.org/oas/v3.0.3), as far as a mapping needs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actions.backends.rest_paths import Step

#: Bytes. Descriptions of whole platforms have some.
LARGEST = 8 * 1024 * 1024
_METHODS = ("get", "put", "post", "delete", "patch")
_DEEPEST = 30


class NoDescription(ValueError):
    """A file that is no OpenAPI description; the text says why."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `parameters` are where each goes (path, query, header) and if it must."""

    id: str
    method: str
    path: str
    parameters: Mapping[str, tuple[str, bool]]
    body: Any
    answer: Any


class Description:
    """A description that was read: its `operations` by their ids."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Raises NoDescription."""
        version = str(document.get("openapi") or document.get("swagger") or "")
        if not version.startswith("3."):
            said = f"is version {version[:10]}" if version else "is no OpenAPI description"
            raise NoDescription(f"{said}, should be OpenAPI 3")
        self._document = document
        self.operations: dict[str, Operation] = {}
        paths = document.get("paths")
        for path, item in (paths if isinstance(paths, Mapping) else {}).items():
            shared = item.get("parameters") or []
            for method in _METHODS:
                if isinstance(item.get(method), Mapping):
                    made = self._operation(str(path), method, item[method], shared)
                    self.operations[made.id] = made
        if not self.operations:
            raise NoDescription("describes no operation")

    def lacks(self, schema: Any, path: tuple[Step, ...]) -> tuple[str, list[str]] | None:
        """Return the first name of a path that a schema has not, with those that it has.

        None for a path that it has, and where the schema does not say.
        """
        for step in path:
            schema = self._resolved(schema)
            if isinstance(step, int):
                schema = schema.get("items", {})
                continue
            known = self.properties(schema)
            if step in known:
                schema = known[step]
            elif known and not schema.get("additionalProperties"):
                return step, sorted(known)
            else:
                return None
        return None

    def properties(self, schema: Any) -> dict[str, Any]:
        """Return the properties of an object's schema, none where it does not say."""
        schema = self._resolved(schema)
        if "oneOf" in schema or "anyOf" in schema:
            return {}
        found = dict(schema.get("properties") or {})
        for part in schema.get("allOf") or []:
            found |= self.properties(part)
        return found

    def required(self, schema: Any) -> list[str]:
        """Return the names of the properties that an object must have."""
        return list(self._resolved(schema).get("required") or [])

    def at(self, schema: Any, path: tuple[Step, ...]) -> Any:
        """Return the schema at a path, {} where that is not known."""
        for step in path:
            schema = self._resolved(schema)
            known = self.properties(schema)
            schema = schema.get("items", {}) if isinstance(step, int) else known.get(step, {})
        return schema

    def item(self, schema: Any) -> Any:
        """Return the schema of a list's items."""
        return self._resolved(schema).get("items", {})

    def _operation(
        self, path: str, method: str, raw: Mapping[str, Any], shared: list[Any]
    ) -> Operation:
        parameters = {}
        for given in (*shared, *(raw.get("parameters") or [])):
            one = self._resolved(given)
            place = str(one.get("in"))
            parameters[str(one.get("name"))] = place, bool(one.get("required")) or place == "path"
        body = self._resolved(raw.get("requestBody") or {})
        answers = raw.get("responses") or {}
        codes = sorted((code for code in answers if str(code).startswith("2")), key=str)
        good = answers[codes[0]] if codes else {}
        # Without an id an operation is called by its method and path, as in "GET /orders".
        id_ = str(raw.get("operationId") or f"{method.upper()} {path}")
        answer = _schema(self._resolved(good))
        return Operation(id_, method.upper(), path, parameters, _schema(body), answer)

    def _resolved(self, value: Any) -> dict[str, Any]:
        for _ in range(_DEEPEST):
            if not isinstance(value, Mapping):
                return {}
            ref = value.get("$ref")
            if not isinstance(ref, str):
                return dict(value)
            found: Any = self._document
            for part in ref.removeprefix("#/").split("/"):
                part = part.replace("~1", "/").replace("~0", "~")
                found = found.get(part) if isinstance(found, Mapping) else None
            value = found
        return {}


def load_description(path: Path) -> Description:
    """Read a description, JSON or YAML. Raises NoDescription, whose text quotes nothing of it."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise NoDescription(f"cannot be read: {error.strerror or 'no such file'}") from None
    if len(data) > LARGEST:
        raise NoDescription(f"is larger than {LARGEST // 1024 // 1024} MiB")
    document = _parsed(data)
    if not isinstance(document, Mapping):
        raise NoDescription("is neither JSON nor YAML")
    return Description(document)


def _parsed(data: bytes) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = data.decode("utf-8-sig")
        if text.lstrip().startswith("{"):
            return json.loads(text)
        return YAML(typ="safe", pure=True).load(text)
    except (ValueError, YAMLError, RecursionError):
        return None


def _schema(holder: Mapping[str, Any]) -> Any:
    content = holder.get("content") or {}
    return (content.get("application/json") or {}).get("schema") or {}
