"""Small changes to the text of a YAML file: everything that is not changed stays byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.dialogue.checking.finding import Findings, Place, errors_of
from bot.dialogue.checking.reading import Map, Node, Seq, Text, parse, plain, text_of
from bot.learning.contract import NotAllowed

# As YAML counts lines: https://yaml.org/spec/1.1/#id871136
_LINE = re.compile("[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029]|\\Z)")
_BREAKS = "\n\r\x85\u2028\u2029"
_DASH = re.compile(r"^( *)-")
_ITEM = re.compile(r"^(?P<dash> *- +)text: *(?P<value>.*?)$")
_PLAIN = re.compile(r"[^\W\d_](?:[\w ,.?!'’/()+£€$;-]*[\w.?!)])?")
# What YAML reads as something other than text.
_OTHER = re.compile(r"(?:true|false|yes|no|on|off|null|y|n|~)", re.IGNORECASE)
_BOM = "\ufeff"


@dataclass(frozen=True)
class Placed:
    """An example where it stands: as it is written, in a file, in a line from 1."""

    intent: str
    text: str
    file: str
    line: int


@dataclass(frozen=True)
class Edited:
    """A file's text after a change, and the line (from 1) of what was put in."""

    text: str
    line: int


def parsed(text: str, file: str) -> Map:
    """Return the tree of a file. Raises NotAllowed for one that is broken."""
    findings = Findings()
    top = parse(text.removeprefix(_BOM), file, findings)
    wrong = errors_of(findings.all())
    if top is None or wrong:
        raise NotAllowed(f"{wrong[0] if wrong else file}; put this right first")
    return top


def intents_in(top: Map) -> Iterator[tuple[str, Map]]:
    """Return the items of ``nlu`` that have examples of an intent."""
    nlu = top.get("nlu")
    for item in nlu.items if isinstance(nlu, Seq) else ():
        if isinstance(item, Map) and text_of(item.get("intent")):
            yield text_of(item.get("intent")), item


def examples_in(top: Map, kind: str = "intent") -> Iterator[Placed]:
    """Return the examples of a file; of synonyms with `kind` ``synonym``."""
    nlu = top.get("nlu")
    for item in nlu.items if isinstance(nlu, Seq) else ():
        name = text_of(item.get(kind)) if isinstance(item, Map) else ""
        if isinstance(item, Map) and name:
            for text, at in _lines_of(item.get("examples")):
                yield Placed(name, text, at.file, at.line)


def _lines_of(node: Node | None) -> Iterator[tuple[str, Place]]:
    if isinstance(node, Text):
        for line, at in node.lines():
            if line.startswith("-") and line[1:].strip():
                yield line[1:].strip(), at
    elif isinstance(node, Seq):
        for item in node.items:
            said = item.get("text") if isinstance(item, Map) else item
            if isinstance(said, Text) and not said.null and said.value.strip():
                yield said.value.strip(), item.at


def add_example(text: str, file: str, intent: str, example: str) -> Edited | None:
    """Put an example after the last one of an intent, in the way that one is written.

    None when the file has no examples of the intent. Raises NotAllowed for a way of writing
    them that cannot be gone on with.
    """
    top = parsed(text, file)
    items = [item for name, item in intents_in(top) if name == intent]
    found = [(len(list(_lines_of(item.get("examples")))), item) for item in items]
    found = [(count, item) for count, item in found if count]
    if not found:
        return None
    node = max(found, key=lambda one: one[0])[1].get("examples")
    lines = _split(text)
    if isinstance(node, Text) and node.block:
        at, new = _after_line(lines, node, example)
    elif isinstance(node, Seq):
        at, new = _after_item(lines, node, example)
    else:
        line = node.at.line if node is not None else 0
        raise NotAllowed(
            f"{file}:{line}: the examples of {intent} are not written below 'examples: |'"
        )
    changed = _put(lines, at, new)
    _only_more(top, parsed(changed, file), (intent, example), file)
    return Edited(changed, at + 1)


def remove_example(text: str, placed: Placed) -> str:
    """Take an example out. Raises NotAllowed when it is an intent's last or cannot be cut out."""
    top = parsed(text, placed.file)
    mine = [one for one in examples_in(top) if one.intent == placed.intent]
    if placed not in mine:
        raise NotAllowed(f"{placed.file}:{placed.line} has been changed; look again")
    if len(mine) == 1:
        what = f"it is the only example of {placed.intent}, in {placed.file}:{placed.line}"
        raise NotAllowed(f"{what}; give that another one first")
    lines = _split(text)
    start = placed.line - 1
    end = start + 1
    if _ITEM.match(_bare(lines[start])) and not lines[start].lstrip().startswith("- -"):
        end = _end_of_item(lines, start)
    changed = "".join(lines[:start] + lines[end:])
    _only_more(parsed(changed, placed.file), top, (placed.intent, placed.text), placed.file)
    return changed


def append_item(text: str, file: str, section: str, item: str) -> Edited:
    """Put an item (lines that begin with ``- ``) at the end of a list at the top of a file.

    The item is indented as the others are. Raises NotAllowed.
    """
    top = parsed(text, file)
    lines = _split(text)
    pair = top.pairs.get(section)
    node = top.get(section)
    if pair is None:
        lines, at, indent, gap = _put_section(lines, section), 0, "  ", False
        at = len(lines)
    elif node is None:
        at, indent, gap = pair.at.line, "  ", False
    elif isinstance(node, Seq) and node.items and _DASH.match(lines[node.items[-1].at.line - 1]):
        last = node.items[-1].at.line - 1
        dash = _DASH.match(lines[last])
        indent = dash[1] if dash else "  "
        at = _end_of_item(lines, last)
        gap = section == "stories" if len(node.items) == 1 else not _bare(lines[last - 1]).strip()
    else:
        raise NotAllowed(f"{file}:{pair.at.line}: {section} is not written as '- …' lines below it")
    new = [f"{indent}{line}" if line else "" for line in _dedented(item)]
    new = ["", *new] if gap else new
    changed = _put(lines, at, new)
    after = plain(parsed(changed, file).get(section))
    before = plain(node) if isinstance(node, Seq) else []
    if not isinstance(after, list) or after[:-1] != before:
        raise NotAllowed(f"{file}: nothing can be put after the last item of {section}")
    return Edited(changed, at + (2 if gap else 1))


def quoted(text: str, like: str = "") -> str:
    """Return a text as a YAML scalar in one line; quoted as `like` is, or as it has to be."""
    if like.startswith("'"):
        return "'" + text.replace("'", "''") + "'"
    bare = _PLAIN.fullmatch(text) and not _OTHER.fullmatch(text)
    if like.startswith('"') or not bare:
        return json.dumps(text, ensure_ascii=False)
    return text


def _split(text: str) -> list[str]:
    """Return the lines with what ends them."""
    return [line for line in _LINE.findall(text) if line]


def _bare(line: str) -> str:
    return line.rstrip(_BREAKS)


def _put(lines: list[str], at: int, new: list[str]) -> str:
    """Return the text with lines put in before the one of index `at`."""
    before = lines[at - 1] if at else ""
    ending = before[len(_bare(before)) :] or next(
        (line[len(_bare(line)) :] for line in lines if line[len(_bare(line)) :]), "\n"
    )
    if before and before == _bare(before):
        # The last line has no end, and so has the one that is the last now.
        return "".join(lines[:at]) + "".join(ending + line for line in new)
    return "".join([*lines[:at], *(line + ending for line in new), *lines[at:]])


def _after_line(lines: list[str], node: Text, example: str) -> tuple[int, list[str]]:
    within = node.value.split("\n")
    last = max(n for n, line in enumerate(within) if line.startswith("-") and line[1:].strip())
    at = node.at.line + last
    line = _bare(lines[at])
    indent = line[: len(line) - len(line.lstrip(" "))]
    space = re.match(r"- +", line.lstrip(" "))
    return at + 1, [f"{indent}{space.group() if space else '- '}{example}"]


def _after_item(lines: list[str], node: Seq, example: str) -> tuple[int, list[str]]:
    start = node.items[-1].at.line - 1
    line = _bare(lines[start])
    match = _ITEM.match(line)
    if match is None:
        file = node.at.file
        raise NotAllowed(f"{file}:{start + 1}: this example is not written as '- text: …'")
    end = _end_of_item(lines, start)
    value = match["value"]
    if value[:1] in ("|", ">"):
        below = _bare(lines[start + 1]) if start + 1 < len(lines) else ""
        indent = below[: len(below) - len(below.lstrip(" "))]
        return end, [line, f"{indent}{example}"]
    return end, [f"{match['dash']}text: {quoted(example, value)}"]


def _end_of_item(lines: list[str], start: int) -> int:
    """Return the index after the last line of a list's item that begins in line `start`."""
    dash = _DASH.match(lines[start])
    indent = len(dash[1]) if dash else 0
    end = last = start + 1
    while end < len(lines):
        line = _bare(lines[end])
        deeper = len(line) - len(line.lstrip(" ")) > indent
        if line.strip() and deeper:
            last = end + 1
        elif line.strip() and not line.lstrip().startswith("#"):
            # A comment may stand anywhere and ends nothing.
            break
        end += 1
    return last


def _put_section(lines: list[str], section: str) -> list[str]:
    text = "".join(lines)
    if text and text == _bare(text):
        text += "\n"
    gap = "\n" if text else ""
    return _split(f"{text}{gap}{section}:\n")


def _dedented(item: str) -> list[str]:
    lines = [line.rstrip() for line in item.strip("\n").splitlines()]
    first = len(lines[0]) - len(lines[0].lstrip(" ")) if lines else 0
    return [line[first:] if line[:first].strip(" ") == "" else line for line in lines]


def _only_more(less: Map, more: Map, one: tuple[str, str], file: str) -> None:
    """See that `more` has exactly one example more, or change nothing at all."""
    was = sorted((placed.intent, placed.text) for placed in examples_in(less))
    now = sorted((placed.intent, placed.text) for placed in examples_in(more))
    if sorted([*was, one]) != now:
        raise NotAllowed(
            f"{file}: the examples of {one[0]} are written in a way that cannot be kept"
        )
