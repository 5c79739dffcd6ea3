"""Reading examples, and what is wrong with them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.dialogue.checking import names
from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.finding import Findings, Place, lacking, near
from bot.dialogue.checking.reading import Map, Node, Seq, Text, text_of
from bot.settings.problems import closest

#: Fewer examples than this teach an intent badly; more than this crowd out the others.
FEW, MANY = 5, 2000

# As Rasa reads it, rasa/shared/nlu/training_data/entities_parser.py
_ENTITY = re.compile(
    r"\[(?P<text>[^\]]+?)\](?:\((?P<entity>[^:)]+?)(?::(?P<value>[^)]+))?\)"
    r"|(?P<dict>\{[^}]+?\})|\[(?P<list>.*?)\])"
)
_OPEN = re.compile(r"\[[^\]]*\](?:\([^)]*$|\{[^}]*$|\(\s*\)|\{\s*\})")
_UNCLOSED = re.compile(r"\[[^\]\[]*(?:\([\w:]+\)|$)")
_EMPTY = re.compile(r"\[\s*\]\([^)]*\)")
_APART = re.compile(r"\[[^\]]+\]\s+\(\w+\)")
_SPACE = re.compile(r"\s+")
_EDGES = re.compile(r"[\s.!…]+$")
#: Brackets and braces that are mixed up, and words in brackets without an entity.
_SWAPPED = re.compile(r"\([^()\[\]]+\)\[\w+\]|\{[^{}]*\}\(\w+\)")
_NAMELESS = re.compile(r"\[[^\]\[]*\]")
_SHOWN = 40
_KEYS = ("entity", "role", "group", "value")


@dataclass
class Nlu:
    """Examples by intent, each with its place, and the entities that are found in words.

    `unknown` are entities that have been told of, by file, and `empty` intents with examples
    of which none can be read.
    """

    examples: dict[str, list[tuple[str, Place]]] = field(default_factory=dict)
    found: dict[str, Place] = field(default_factory=dict)
    first: dict[str, Place] = field(default_factory=dict)
    synonyms: dict[str, tuple[str, Place]] = field(default_factory=dict)
    unknown: set[tuple[str, str]] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)


def read_nlu(node: Node | None, at: Place, nlu: Nlu, domain: Domain, findings: Findings) -> None:
    """Read the section ``nlu`` of a file."""
    if node is None:
        return
    if not isinstance(node, Seq):
        findings.error(at, "shape", "nlu is no list", "should be '- intent: …' lines")
        return
    for item in node.items:
        kind = next((k for k in names.NLU_KINDS if isinstance(item, Map) and k in item.pairs), "")
        if not isinstance(item, Map) or not kind:
            what = "nlu has an item that is neither intent, synonym, regex nor lookup"
            findings.error(item.at, "shape", what, "should begin with '- intent: name'")
            continue
        name, here = text_of(item.get(kind)), item.pairs[kind].at
        for key, pair in item.pairs.items():
            if key != kind and key not in names.NLU_KEYS:
                what = f"{kind} {name} has the unknown key {key}"
                findings.error(pair.at, "key", what, near(key, names.NLU_KEYS))
        if not name:
            findings.error(here, "shape", f"an item of nlu has no name of its {kind}")
            continue
        lines = list(_examples(item, name, here, findings))
        if kind == "synonym":
            for text, place in lines:
                _synonym(text, name, place, nlu, findings)
        elif kind == "intent":
            nlu.first.setdefault(name, here)
            into = nlu.examples.setdefault(name, [])
            if not lines:
                nlu.empty.add(name)
            for text, place in lines:
                check_entities(text, place, nlu, domain, findings)
                into.append((text, place))
        elif kind in ("regex", "lookup"):
            if name in domain.entities:
                nlu.found.setdefault(name, here)
            elif kind == "lookup":
                what = f"lookup {name} is no entity of the domain"
                findings.warn(
                    here, "unknown entity", what, lacking(name, domain.entities, "entities")
                )
            if kind == "regex":
                _check_patterns(name, lines, findings)


def _examples(item: Map, name: str, at: Place, findings: Findings) -> Iterator[tuple[str, Place]]:
    node = item.get("examples")
    if isinstance(node, Text) and node.folded:
        what = f"examples of {name} begin with >, which makes one of them all"
        findings.error(item.pairs["examples"].at, "examples", what, "should be 'examples: |'")
    elif isinstance(node, Seq) and (
        "intent" not in item.pairs
        or any(isinstance(one, Text) and not one.null for one in node.items)
    ):
        what, right = f"examples of {name} are a list", "should be 'examples: |' with '- …' lines"
        findings.error(item.pairs["examples"].at, "examples", what, right)
    elif node is None and closest("examples", item.pairs.keys() - {*names.NLU_KEYS}):
        # What is mistyped is told already.
        return
    elif node is None:
        what = f"{name} has no examples"
        at = item.pairs["examples"].at if "examples" in item.pairs else at
        findings.error(at, "examples", what, "add 'examples: |' with '- …' lines below")
    elif isinstance(node, Seq):
        for one in node.items:
            for key, pair in one.pairs.items() if isinstance(one, Map) else ():
                if key not in ("text", "metadata"):
                    what = f"an example of {name} has the unknown key {key}"
                    findings.error(pair.at, "key", what, near(key, ("text", "metadata")))
            text = one.get("text") if isinstance(one, Map) else one
            if not isinstance(text, Text) or text.null:
                findings.error(one.at, "examples", f"{name} has an example without text")
                continue
            for line, place in text.lines():
                if line.strip():
                    yield line.strip().removeprefix("- ").strip(), place
    elif isinstance(node, Text):
        for line, place in node.lines():
            said = line.strip()
            if said.startswith("-") and line[0] != "-":
                what = f"{name} has an example indented more than the first, so Rasa reads none"
                findings.error(place, "examples", what, "line it up with the first")
            elif said.startswith("- ") and said[2:].strip():
                yield said[2:].strip(), place
            elif said in ("-", "-  "):
                findings.error(place, "examples", f"{name} has an empty example", "take it out")
            elif said and not said.startswith("#"):
                what = f"{name} has a line among its examples that Rasa does not read"
                findings.error(place, "examples", what, f"should be '- {_bare_line(said)}'")
    else:
        findings.error(node.at, "examples", f"examples of {name} are no list of lines")


def _bare_line(said: str) -> str:
    text = re.sub(r"^[-*•–—]\s*", "", said)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _synonym(text: str, value: str, at: Place, nlu: Nlu, findings: Findings) -> None:
    """Note that `text` stands for `value`; it can stand for one thing alone."""
    if text == value:
        return
    other, first = nlu.synonyms.setdefault(text.lower(), (value, at))
    if other != value:
        where = f"line {first.line}" if first.file == at.file else f"{first.file}:{first.line}"
        what = f"{text!r} stands for {value!r} here, and for {other!r} in {where}"
        findings.error(at, "synonym", what, "keep one of them")


def _check_patterns(name: str, lines: list[tuple[str, Place]], findings: Findings) -> None:
    for text, place in lines:
        try:
            re.compile(text)
        except re.error as error:
            what = f"regex {name} is no regular expression: {error.msg}"
            findings.error(place, "regex", what)


def check_entities(text: str, at: Place, nlu: Nlu, domain: Domain, findings: Findings) -> None:
    """Check what is annotated in one example, and note which entities are."""
    if "[" not in text and "](" not in text and "}(" not in text:
        return
    for match in _ENTITY.finditer(text):
        marks = _marks(match)
        if marks is None:
            what = "has an entity whose braces hold no JSON"
            findings.error(at, "annotation", what, 'as in [two]{"entity": "count"}')
            continue
        for mark in marks:
            name = mark.get("entity")
            if not isinstance(name, str) or not name:
                what = "has an entity in braces without a name"
                findings.error(at, "annotation", what, 'as in [two]{"entity": "count"}')
                continue
            for key in mark:
                if key not in _KEYS:
                    what = f"has an entity with the unknown key {key}"
                    findings.error(at, "key", what, near(key, _KEYS))
            name = name.strip()
            nlu.found.setdefault(name, at)
            if isinstance(mark.get("value"), str):
                _synonym(match["text"], str(mark["value"]), at, nlu, findings)
            if name not in domain.entities and (at.file, name) not in nlu.unknown:
                nlu.unknown.add((at.file, name))
                what = f"annotates {name}, which is no entity of the domain"
                findings.error(
                    at, "unknown entity", what, lacking(name, domain.entities, "entities")
                )
    rest = _ENTITY.sub("", text)
    if _EMPTY.search(rest):
        findings.error(at, "annotation", "has an entity without words", "as in [1042](number)")
    elif _OPEN.search(rest) or ("](" in rest or "]{" in rest):
        what = "has an entity that is not closed or has no name"
        findings.error(at, "annotation", what, "should be [words](entity)")
    elif _UNCLOSED.search(rest):
        what = "has a bracket [ that is not closed"
        findings.error(at, "annotation", what, "should be [words](entity)")
    elif _APART.search(rest):
        what = "has a space between [words] and (entity)"
        findings.error(at, "annotation", what, "take the space out")
    elif _SWAPPED.search(rest):
        what = "has an entity in the wrong brackets"
        findings.error(at, "annotation", what, "should be [words](entity)")
    elif (nameless := _NAMELESS.search(rest)) is not None:
        what = f"has {nameless[0]} without an entity behind it"
        findings.warn(at, "annotation", what, "should be [words](entity), or stand without [ ]")


def _marks(match: re.Match[str]) -> list[dict[str, object]] | None:
    if match["entity"]:
        value = {"value": match["value"]} if match["value"] else {}
        return [{"entity": match["entity"], **value}]
    try:
        read = json.loads(match["dict"] or f"[{match['list']}]")
    except ValueError:
        return None if match["dict"] else []
    marks = read if isinstance(read, list) else [read]
    return marks if all(isinstance(mark, dict) for mark in marks) else []


def bare(text: str) -> str:
    """Return an example without annotations."""
    return _ENTITY.sub(lambda match: match["text"], text)


def marked(text: str) -> list[tuple[int, int]]:
    """Return where in the `bare` example, from and to (exclusive), entities are annotated."""
    found, gone = [], 0
    for match in _ENTITY.finditer(text):
        start = match.start() - gone
        found.append((start, start + len(match["text"])))
        gone += len(match[0]) - len(match["text"])
    return found


def normal(text: str) -> str:
    """Return an example as a bot that overlooks case, marks and spaces would see it."""
    said = unicodedata.normalize("NFKC", bare(text)).casefold()
    return _SPACE.sub(" ", _EDGES.sub("", said) or said).strip()


def check_examples(nlu: Nlu, domain: Domain, findings: Findings, few: int = FEW) -> None:
    """Tell of examples that are there twice, in two intents, too few or far too many."""
    met: dict[str, tuple[str, Place]] = {}
    twice: set[str] = set()
    for intent, examples in nlu.examples.items():
        at = nlu.first[intent]
        if not domain.known_intent(intent):
            right = lacking(intent, domain.intents, "intents")
            what = f"intent {intent} is not in the domain"
            findings.error(at, "unknown intent", what, right)
        for text, place in examples:
            key = normal(text)
            other, first = met.setdefault(key, (intent, place))
            if first == place:
                continue
            where = (
                f"{first.file}:{first.line}" if first.file != place.file else f"line {first.line}"
            )
            if other == intent:
                # Of thousands of the same one line says as much.
                if key not in twice:
                    what = f"{intent} has this example already, see {where}"
                    findings.warn(place, "example twice", what, "keep one of them")
                twice.add(key)
            else:
                what = f"is an example of {intent}, and of {other} in {where}"
                findings.error(place, "two intents", what, "keep it where it belongs")
        if len(examples) > MANY:
            usual = sorted(len(found) for found in nlu.examples.values())[len(nlu.examples) // 2]
            what = f"intent {intent} has {len(examples)} examples, others have about {usual}"
            right = f"keep the {max(usual, 50)} most different ones, or the bot hears it everywhere"
            findings.warn(at, "many examples", what, right)
        elif 0 < len(examples) < few:
            what = f"intent {intent} has {_count(len(examples), 'example')}"
            findings.warn(at, "few examples", what, f"give it {few} or more that differ")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
