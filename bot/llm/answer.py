"""Getting what was asked for out of what a model wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.llm.engine import Unusable

# Models that think aloud do it first, between these.
_THOUGHTS = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL)
# One object, with all a model may write around it.
_DECODER = json.JSONDecoder()


def spoken(text: str) -> str:
    """Return an answer without the thoughts before it, trimmed."""
    return _THOUGHTS.sub("", text, count=1).strip()


def as_schema(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON object in an answer that follows `schema`.

    A fence or words around it are forgiven, anything else is not: raises Unusable.
    """
    found = _object(text)
    if found is None:
        raise Unusable("answered with no JSON object where one was asked for")
    from jsonschema import Draft7Validator

    error = next(iter(Draft7Validator(dict(schema)).iter_errors(found)), None)
    if error is not None:
        # The validator's own message quotes the answer; the path holds the schema's names,
        # or the answer's where it is made of those.
        known = schema.get("properties", {})
        where = error.absolute_path[0] if error.absolute_path else ""
        place = f" at {where!r}" if where in known else ""
        raise Unusable(f"answered with JSON that breaks the schema's {error.validator!r}{place}")
    return found


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with `change` done to every text in it, keys excepted."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: each_text(held, change) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [each_text(held, change) for held in value]
    return value


def texts_in(value: Any) -> list[str]:
    """Return the texts of a JSON value in the order in which `each_text` meets them."""
    found: list[str] = []

    def meet(text: str) -> str:
        found.append(text)
        return text

    each_text(value, meet)
    return found


def _object(text: str) -> dict[str, Any] | None:
    start = text.find("{")
    while start >= 0:
        try:
            found, _ = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        return found if isinstance(found, dict) else None
    return None
