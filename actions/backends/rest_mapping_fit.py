"""A mapping held against the API's OpenAPI description: a field that was renamed is found here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.backends.rest_mapping import LISTS, Call, Path_
from actions.backends.rest_openapi import Description, Operation
from bot.settings.nodes import Origin, Table
from bot.settings.problems import Problem, suggestion


class Fit:
    """Tells what of the file `top` its `description` has not, in `problems`."""

    def __init__(
        self,
        top: Table,
        description: Description,
        problems: list[Problem],
    ) -> None:
        self._top = top
        self.description = description
        self._problems = problems

    def sent(self, table: Table, path: str, operation: Operation, send: Any) -> None:
        """Hold what a call sends against the operation's parameters."""
        where = table.entries["send"].origin if "send" in table.entries else table.origin
        given = send if isinstance(send, dict) else {}
        for name in given:
            if name not in operation.parameters:
                what = f"{path}.send.{name} is no parameter of {operation.id}"
                self._tell(where, what, suggestion(name, operation.parameters))
        for name, (_, required) in operation.parameters.items():
            if required and name not in given:
                self._tell(where, f"{path}.send has no {name}", f"{operation.id} requires it")

    def bodied(self, table: Table, path: str, operation: Operation, body: Any) -> None:
        """Hold a call's body against what the operation takes."""
        where = table.entries["body"].origin if "body" in table.entries else table.origin
        known = self.description.properties(operation.body)
        given = body if isinstance(body, dict) else {}
        for name in given:
            if known and name not in known:
                what = f"{path}.body.{name} is nothing that {operation.id} takes"
                self._tell(where, what, suggestion(name, known))
        for name in self.description.required(operation.body):
            if name not in given:
                self._tell(where, f"{path}.body has no {name}", f"{operation.id} requires it")

    def answers(
        self,
        calls: Mapping[str, Call],
        shapes: Mapping[str, Mapping[str, Path_]],
        address: Mapping[str, Path_],
        lists: Mapping[str, Mapping[str, Path_]],
    ) -> None:
        """Hold the paths against what the operations are described to answer."""
        for verb, call in calls.items():
            found = self.description.lacks(call.operation.answer, call.at)
            where = _line_of(self._top, ["calls", verb])
            if found:
                self._lacking(where, f"calls.{verb}.at", found)
                continue
            schema = self.description.at(call.operation.answer, call.at)
            if verb in LISTS:
                schema = self.description.item(schema)
            section = {"find": "order", "parcels": "parcel", "track": "parcel"}
            section |= {"account": "account", "refunds": "refund"}
            if verb in section:
                self._shape(schema, section[verb], shapes[verb])
            if verb == "find":
                self._shape(schema, "order.address", address)
                for name, paths in lists.items():
                    each = paths.get("each", ())
                    self._shape(schema, f"order.{name}", {"each": each})
                    inner = self.description.item(self.description.at(schema, each))
                    rest = {key: path for key, path in paths.items() if key != "each"}
                    self._shape(inner, f"order.{name}", rest)

    def _shape(
        self,
        schema: Any,
        section: str,
        paths: Mapping[str, Path_],
    ) -> None:
        for key, path in paths.items():
            found = self.description.lacks(schema, path)
            if found:
                self._lacking(
                    _line_of(self._top, [*section.split("."), key]), f"{section}.{key}", found
                )

    def _tell(self, where: Origin, what: str, right: str) -> None:
        self._problems.append(Problem(where.file, where.line, what, right))

    def _lacking(self, where: Origin, path: str, found: tuple[str, list[str]]) -> None:
        name, known = found
        what = f"{path} goes to {name}, which the API's answer has not"
        problem = Problem(where.file, where.line, what, suggestion(name, known))
        # Several calls may answer with the same thing.
        if problem not in self._problems:
            self._problems.append(problem)


def _line_of(top: Table, path: list[str]) -> Origin:
    where, table = top.origin, top
    for name in path:
        entry = table.entries.get(name)
        if entry is None:
            break
        where = entry.origin
        if not isinstance(entry.node, Table):
            break
        table = entry.node
    return where
