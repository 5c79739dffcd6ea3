"""Reading a chat request as the sandbox's models see it: who says what, and what is wanted."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NUMBERED = re.compile(r"\s*\[(\d{1,3})\]\s?(.*)")
# What closes or opens a block of data, however a prompt marks it.
_OPENS = re.compile(r"\s*(<<<(?!end\b)|<[a-zA-Z][\w-]*[^<>/]*>\s*$|\[\[|BEGIN\b|-{3,}\s*BEGIN)")
_CLOSES = re.compile(r"\s*(<<<end\b|>>>|</[a-zA-Z][\w-]*[^<>]*>\s*$|\]\]|END\b|-{3,}\s*END)")
_RULE = re.compile(r"\s*([-=~`*]{3,})\s*$|#{1,3} ")
_JSON_KEY = re.compile(r'"([a-z_]+)"\s*:')


@dataclass(frozen=True, slots=True)
class Prompted:
    """A request, read. `passages` are (number, text); `data` is all that is no instruction.

    `wants` are the keys of the JSON object that is asked for, empty for free text. `results`
    are what tools have given back since the last question, `said` all that the customer said.
    `pictures` are files as they came in ``image_url`` parts with data URLs.
    """

    system: str
    question: str
    passages: tuple[tuple[int, str], ...]
    data: tuple[str, ...]
    blocks: tuple[str, ...]
    wants: frozenset[str]
    tools: tuple[str, ...]
    results: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    pictures: tuple[bytes, ...] = ()


def read(body: Mapping[str, Any]) -> Prompted:
    """Read the body of a chat request."""
    messages = [m for m in body.get("messages") or () if isinstance(m, Mapping)]
    system = "\n".join(_text(m) for m in messages if m.get("role") in ("system", "developer"))
    passages: list[tuple[int, str]] = []
    for message in messages:
        passages.extend(_passages(_text(message)))
    blocks = tuple(block for m in messages for block in _blocks(_text(m)))
    asked = [_text(m) for m in messages if m.get("role") == "user"]
    heard = [_text(m) for m in messages if m.get("role") in ("user", "tool")]
    question = _outside(asked[-1]) if asked else (blocks[-1] if blocks else "")
    tools = (tool.get("function", {}).get("name", "") for tool in body.get("tools") or ())
    return Prompted(
        system=system,
        question=question,
        passages=tuple(passages),
        data=(*heard, *(text for _, text in passages), *blocks),
        blocks=blocks,
        wants=_wants(body, messages),
        tools=tuple(name for name in tools if name),
        results=_results(messages),
        said=tuple(map(_outside, asked)),
        pictures=tuple(picture for m in messages for picture in _pictures(m)),
    )


def _results(messages: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what tools answered after the last message of the customer."""
    found: list[str] = []
    for message in messages:
        if message.get("role") == "user":
            found.clear()
        elif message.get("role") == "tool":
            found.append(_text(message))
    return tuple(found)


def _pictures(message: Mapping[str, Any]) -> list[bytes]:
    content = message.get("content")
    found = []
    for part in content if isinstance(content, list) else ():
        url = str((part.get("image_url") or {}).get("url", ""))
        kind, _, data = url.partition(";base64,")
        if kind.startswith("data:image/"):
            found.append(base64.b64decode(data, validate=True))
    return found


def _wants(body: Mapping[str, Any], messages: list[Mapping[str, Any]]) -> frozenset[str]:
    form = body.get("response_format") or {}
    schema = (form.get("json_schema") or {}).get("schema") or {}
    if schema.get("properties"):
        return frozenset(schema["properties"])
    for message in messages:
        _, found, said = _text(message).rpartition("JSON object")
        if found:
            return frozenset(_JSON_KEY.findall(said))
    return frozenset()


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return str(content or "")


def _passages(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, list[str]]] = []
    within = False
    for line in text.splitlines():
        numbered = _NUMBERED.match(line)
        if numbered:
            marked = _OPENS.match(numbered[2])
            found.append((int(numbered[1]), [] if marked else [numbered[2]]))
            within = True
        elif _CLOSES.match(line) or _OPENS.match(line) or _RULE.match(line):
            within = False
        elif within:
            found[-1][1].append(line)
    return [(number, "\n".join(lines).strip()) for number, lines in found]


def _blocks(text: str) -> list[str]:
    found: list[list[str]] = []
    within = False
    for line in text.splitlines():
        numbered = _NUMBERED.match(line)
        if _CLOSES.match(line):
            within = False
        elif _OPENS.match(numbered[2] if numbered else line):
            found.append([])
            within = True
        elif within:
            found[-1].append(line)
    return ["\n".join(lines).strip() for lines in found]


def _outside(text: str) -> str:
    """Return what of a message is neither a passage nor a mark around data."""
    kept: list[str] = []
    within = False
    for line in text.splitlines():
        if _NUMBERED.match(line):
            within = True
        elif _CLOSES.match(line) or _OPENS.match(line) or _RULE.match(line):
            within = False
        elif not within:
            kept.append(line)
    return "\n".join(kept).strip()
