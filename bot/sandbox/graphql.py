"""As much of GraphQL as a strict stand-in needs: it reads a request, and refuses what is wrong.

One operation, variables, arguments, aliases and directives; no fragments, for nobody sends any.
https://spec.graphql.org/October2021/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r'\s*(?:#[^\n]*\n\s*)*(\$?[A-Za-z_][A-Za-z0-9_]*|-?[0-9]+|"(?:[^"\\]|\\.)*"|[{}()\[\]:!=@,])'
)
_DEEPEST = 20

#: Types by name, their fields with the type of each: "" a scalar, "X" an object, "[X]" a list.
Schema = Mapping[str, Mapping[str, str]]


class GraphQLWrong(Exception):
    """A request that a server refuses whole; `error` is what it answers."""

    def __init__(self, message: str, code: str) -> None:
        self.error = {"message": message, "extensions": {"code": code}}
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is asked for: `key` is its name in the answer."""

    name: str
    key: str
    arguments: dict[str, Any]
    directives: dict[str, dict[str, Any]]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """A request, its variables put in."""

    kind: str
    name: str
    fields: tuple[Field, ...]


def read(text: str, variables: Mapping[str, Any]) -> Operation:
    """Read a request. Raises GraphQLWrong for what is none, and for variables that lack."""
    return _Reader(text, variables).operation()


def check(fields: tuple[Field, ...], type_: str, schema: Schema) -> None:
    """Raise GraphQLWrong for fields that a type has not, and for objects without fields."""
    for field in fields:
        known = schema[type_]
        if field.name not in known:
            message = f"Field '{field.name}' doesn't exist on type '{type_}'"
            raise GraphQLWrong(message, "undefinedField")
        inner = known[field.name].strip("[]")
        if bool(inner) != bool(field.fields):
            message = f"Field '{field.name}' of type '{inner or 'scalar'}' has a wrong selection"
            raise GraphQLWrong(message, "selectionMismatch")
        if inner:
            check(field.fields, inner, schema)


def cost(fields: tuple[Field, ...], times: int = 1) -> int:
    """Return what a request may cost: a point for each object that it may give.

    https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits
    """
    total = 0
    for field in fields:
        if field.fields and field.directives.get("include", {}).get("if") is not False:
            rows = field.arguments.get("first")
            many = times * rows if isinstance(rows, int) else times
            # A page is paid for by its rows.
            total += many if field.name not in ("nodes", "pageInfo") else 0
            total += cost(field.fields, many)
    return total


def objects(value: Any) -> int:
    """Return how many objects are in an answer: what it has cost."""
    if isinstance(value, list):
        return sum(map(objects, value))
    if isinstance(value, Mapping):
        return 1 + sum(map(objects, value.values()))
    return 0


def project(value: Any, fields: tuple[Field, ...], hide: frozenset[str] = frozenset()) -> Any:
    """Return of a value what was asked for. Fields named in `hide` are null."""
    if isinstance(value, list):
        return [project(one, fields, hide) for one in value]
    if not isinstance(value, Mapping):
        return value
    made = {}
    for field in fields:
        if field.directives.get("include", {}).get("if") is False:
            continue
        inner = None if field.name in hide else value.get(field.name)
        made[field.key] = project(inner, field.fields, hide) if field.fields else inner
    return made


class _Reader:
    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self.tokens = self._split(text)
        self.at = 0
        self.given = variables
        self.values: dict[str, Any] = {}

    def _split(self, text: str) -> list[str]:
        tokens, at = [], 0
        text = text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise GraphQLWrong("Parse error", "parseError")
            tokens.append(found[1])
            at = found.end()
        return [found for found in tokens if found != ","]

    def operation(self) -> Operation:
        kind = self._next()
        if kind not in ("query", "mutation"):
            raise GraphQLWrong("Parse error: expected an operation", "parseError")
        name = "" if self._peek() in "({" else self._next()
        if self._peek() == "(":
            self._variables()
        fields = self._fields(0)
        if self.at != len(self.tokens):
            raise GraphQLWrong("Parse error: more than one operation", "parseError")
        return Operation(kind, name, fields)

    def _variables(self) -> None:
        self._take("(")
        while self._peek() != ")":
            name = self._next().removeprefix("$")
            self._take(":")
            type_ = self._next()
            if type_ == "[":
                type_ = self._next()
                while self._next() != "]":
                    pass
            needed = self._peek() == "!"
            if needed:
                self._next()
            if self.given.get(name) is None and needed:
                message = f"Variable ${name} of type {type_}! was provided invalid value"
                raise GraphQLWrong(message, "INVALID_VARIABLE")
            self.values[name] = self.given.get(name)
        self._take(")")

    def _fields(self, depth: int) -> tuple[Field, ...]:
        if depth > _DEEPEST:
            raise GraphQLWrong("Query has depth that is too deep", "maxDepth")
        self._take("{")
        made = []
        while self._peek() != "}":
            name = key = self._next()
            if self._peek() == ":":
                self._next()
                name = self._next()
            arguments = self._arguments()
            directives = {}
            while self._peek() == "@":
                self._next()
                directive = self._next()
                directives[directive] = self._arguments()
            inner = self._fields(depth + 1) if self._peek() == "{" else ()
            made.append(Field(name, key, arguments, directives, inner))
        self._take("}")
        return tuple(made)

    def _arguments(self) -> dict[str, Any]:
        if self._peek() != "(":
            return {}
        self._take("(")
        made = {}
        while self._peek() != ")":
            name = self._next()
            self._take(":")
            made[name] = self._value()
        self._take(")")
        return made

    def _value(self) -> Any:
        token = self._next()
        if token.startswith("$"):
            if token[1:] not in self.values:
                message = f"Variable {token} is used but not declared"
                raise GraphQLWrong(message, "variableNotDefined")
            return self.values[token[1:]]
        if token.startswith('"'):
            return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if re.fullmatch(r"-?[0-9]+", token):
            return int(token)
        return {"true": True, "false": False, "null": None}.get(token, token)

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise GraphQLWrong("Parse error: unexpected end", "parseError")
        self.at += 1
        return token

    def _take(self, wanted: str) -> None:
        token = self._next()
        if token != wanted:
            raise GraphQLWrong(f"Parse error on {token!r}, expected {wanted!r}", "parseError")
