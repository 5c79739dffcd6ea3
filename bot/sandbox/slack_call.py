"""One call of Slack's Web API: its arguments, however they came, and its named failures.

https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web


class SlackError(Exception):
    """A failure by Slack's own name of it; `more` goes into the answer beside it."""

    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name)
        self.name = name
        self.more = more

    @property
    def answer(self) -> dict[str, Any]:
        """The body Slack answers with."""
        return {"ok": False, "error": self.name, **self.more}


class Call:
    """The arguments of a call, of query, form and JSON alike. Header tokens win."""

    def __init__(self, values: Mapping[str, Any], header: str = "") -> None:
        self._values = values
        scheme, _, token = header.partition(" ")
        self.header_token = token.strip() if scheme.lower() == "bearer" else ""

    @classmethod
    async def read(cls, request: web.Request) -> Call:
        """Read a request. Raises SlackError for a body that is none."""
        values: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json":
            try:
                body = await request.json()
            except ValueError:
                raise SlackError("invalid_json") from None
            if not isinstance(body, dict):
                raise SlackError("json_not_object")
            values.update(body)
        elif request.method == "POST":
            form = await request.post()
            values.update({k: v for k, v in form.items() if isinstance(v, str)})
        return cls(values, request.headers.get("Authorization", ""))

    @property
    def token(self) -> str:
        """The token it came with, "" for none."""
        return self.header_token or self.text("token")

    def has(self, name: str) -> bool:
        """Whether the argument was given at all."""
        return self._values.get(name) is not None

    def text(self, name: str) -> str:
        """Return a string argument, "" where it is missing."""
        value = self._values.get(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    def needed(self, name: str) -> str:
        """Return a string argument. Raises SlackError where it is missing."""
        value = self.text(name)
        if not value:
            reason = f"[ERROR] missing required field: {name}"
            raise SlackError("invalid_arguments", response_metadata={"messages": [reason]})
        return value

    def flag(self, name: str) -> bool:
        """Return a truth value, false where it is missing."""
        return self.text(name).lower() in ("true", "1")

    def limit(self, default: int, most: int) -> int:
        """Return how many are asked for. Raises SlackError."""
        given = self.text("limit")
        if not given:
            return default
        if not given.isdigit() or not 1 <= int(given) <= most:
            raise SlackError("invalid_limit")
        return int(given)

    def structure(self, name: str, error: str) -> Any:
        """Return an argument that is JSON, spelt out in forms. Raises SlackError `error`."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(error) from None
