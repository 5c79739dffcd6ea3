"""Examples as designers write them: a text with its entities in Rasa's own markup."""

from __future__ import annotations

import json
import re

from bot.learning.contract import Mark

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_KEYS = ("entity", "role", "group", "value")
_RIGHT = '[1042](order_number) or [Rome]{"entity": "city", "role": "to"}'


class BadMarkup(ValueError):
    """Marked text that cannot be read; the text says at which character, and what would be right.

    `at` counts from 0.
    """

    def __init__(self, at: int, problem: str) -> None:
        super().__init__(f"character {at + 1}: {problem}")
        self.at = at


def read_marked(marked: str) -> tuple[str, tuple[Mark, ...]]:
    """Return a text and the entities marked in it.

    The markup is Rasa's: ``[text](entity)``, ``[text](entity:value)`` and
    ``[text]{"entity": …, "role": …, "group": …, "value": …}``
    (https://rasa.com/docs/rasa/training-data-format#entities). A bracket with neither behind it is
    a bracket. White space at both ends is left out. Raises BadMarkup.
    """
    marked = marked.strip()
    text, marks, at = "", [], 0
    while (opened := marked.find("[", at)) >= 0:
        text += marked[at:opened]
        closed = marked.find("]", opened)
        behind = marked[closed + 1 : closed + 2] if closed >= 0 else ""
        if closed < 0 and re.search(r"\([A-Za-z_][^)\s]*\)|\{", marked[opened:]):
            raise BadMarkup(opened, f"this [ is never closed; write {_RIGHT}")
        if not behind or behind not in "({[":
            text, at = text + "[", opened + 1
            continue
        if behind == "[":
            raise BadMarkup(closed + 1, "a text has one entity here, two are not possible")
        said = marked[opened + 1 : closed]
        if "[" in said:
            raise BadMarkup(opened, "a [ within the text of an entity is not possible")
        if not said.strip():
            raise BadMarkup(opened, f"there is no text between [ and ]; write {_RIGHT}")
        fields, at = (_named if behind == "(" else _described)(marked, closed + 1)
        marks.append(Mark(len(text), len(text) + len(said), **fields))
        text += said
    return text + marked[at:], tuple(marks)


def write_marked(text: str, marks: tuple[Mark, ...]) -> str:
    """Return a text with its entities in Rasa's markup, as `read_marked` reads it."""
    parts, at = [], 0
    for mark in sorted(marks, key=lambda m: m.start):
        parts += [text[at : mark.start], f"[{text[mark.start : mark.end]}]", _behind(mark)]
        at = mark.end
    return "".join(parts) + text[at:]


def _behind(mark: Mark) -> str:
    more = {k: getattr(mark, k) for k in _KEYS if getattr(mark, k)}
    return f"({mark.entity})" if len(more) == 1 else json.dumps(more, ensure_ascii=False)


def _named(marked: str, at: int) -> tuple[dict[str, str], int]:
    end = marked.find(")", at)
    if end < 0:
        raise BadMarkup(at, f"this ( is never closed; write {_RIGHT}")
    name, _, value = marked[at + 1 : end].partition(":")
    return {"entity": _entity(name.strip(), at + 1), "value": value.strip()}, end + 1


def _described(marked: str, at: int) -> tuple[dict[str, str], int]:
    try:
        given, end = json.JSONDecoder().raw_decode(marked, at)
    except json.JSONDecodeError as error:
        raise BadMarkup(error.pos, f"{error.msg}; write {_RIGHT}") from None
    if "}" in marked[at : end - 1]:
        # Rasa looks for the first one, in quotes or not.
        raise BadMarkup(marked.index("}", at), "a } within the text is not possible")
    for key, value in given.items():
        if key not in _KEYS:
            raise BadMarkup(at, f"{key!r} is no key here; there are {', '.join(_KEYS)}")
        if not isinstance(value, str):
            raise BadMarkup(at, f"{key}: should be a text in quotes")
    return {**given, "entity": _entity(given.get("entity", ""), at)}, end


def _entity(name: str, at: int) -> str:
    if not name:
        raise BadMarkup(at, f"the entity has no name; write {_RIGHT}")
    if not _NAME.fullmatch(name):
        raise BadMarkup(at, f"{name!r} is no name of an entity; write {_RIGHT}")
    return name
