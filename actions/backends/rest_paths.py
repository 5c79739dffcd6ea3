"""Paths into JSON, ``$.a.b[0].c``, and texts with places in braces, ``/orders/{number}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[-?[0-9]{1,4}\])*")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[(-?[0-9]+)\]")
_PLACE = re.compile(r"\{([^{}]*)\}")

Step = str | int


class NoPath(ValueError):
    """A text that is no path."""


def steps(path: str) -> tuple[Step, ...]:
    """Return the names and indexes of a path. Raises NoPath."""
    if not _PATH.fullmatch(path):
        raise NoPath
    return tuple(name or int(index) for name, index in _STEP.findall(path))


def at(value: Any, path: tuple[Step, ...]) -> Any:
    """Return what is at a path; None where there is nothing."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        elif isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def places(text: str) -> tuple[str, ...]:
    """Return the names in braces in a text."""
    return tuple(_PLACE.findall(text))


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """Return a template with its places filled.

    A text that is one place alone becomes its value as it is, a number a number. Entries of
    a mapping that have become "" or None are left out.
    """
    if isinstance(template, Mapping):
        made = {key: filled(inner, values) for key, inner in template.items()}
        return {key: value for key, value in made.items() if value not in ("", None)}
    if isinstance(template, (list, tuple)):
        return [filled(inner, values) for inner in template]
    if not isinstance(template, str):
        return template
    whole = _PLACE.fullmatch(template)
    if whole:
        return values.get(whole[1])
    return _PLACE.sub(lambda m: str(values.get(m[1], "")), template)
