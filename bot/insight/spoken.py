"""Which responses the code of an action may say, read without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.dialogue.checking.finding import Finding, Findings, Place

_RESPONSE = "utter_"


@dataclass
class Spoken:
    """Actions by name: where their class begins, and the responses they may say."""

    at: dict[str, Place] = field(default_factory=dict)
    says: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class Module:
    """One file: its actions with the texts and patterns of responses that each may say."""

    actions: dict[str, tuple[Place, list[re.Pattern[str]]]] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)


@dataclass
class _Piece:
    """A class or function of a module: names it uses, and texts or patterns of responses."""

    uses: set[str]
    said: list[re.Pattern[str]]


def read_module(path: Path, name: str) -> Module:
    """Read one file of code, called `name` in places. What cannot be parsed is told of.

    Functions of the same module are followed, those of others are not.
    """
    made, findings = Module(), Findings()
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except SyntaxError as error:
        findings.error(Place(name, error.lineno or 0), "code", f"is not Python: {error.msg}")
    except (OSError, ValueError, RecursionError):
        findings.error(Place(name, 0), "code", "cannot be read as Python")
    else:
        _read(tree, name, made)
    made.faults = findings.all()
    return made


def spoken_of(modules: Iterable[Module], responses: Collection[str]) -> Spoken:
    """Return what all modules say of the `responses` that there are."""
    spoken = Spoken()
    for module in modules:
        for action, (at, patterns) in module.actions.items():
            if action not in spoken.at:
                spoken.at[action] = at
                said = (r for r in responses if any(p.fullmatch(r) for p in patterns))
                spoken.says[action] = tuple(sorted(said))
    return spoken


def _read(tree: ast.Module, file: str, made: Module) -> None:
    constants: dict[str, str] = {}
    pieces: dict[str, _Piece] = {}
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            pieces[node.name] = _piece(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    pieces[target.id] = _piece(node)
                    if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                        constants[target.id] = node.value.value
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for action in _named(node, constants):
                at = Place(file, node.lineno)
                made.actions.setdefault(action, (at, list(_reached(node.name, pieces))))


def _piece(node: ast.stmt) -> _Piece:
    uses: set[str] = set()
    said: list[re.Pattern[str]] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            uses.add(part.id)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            if part.value.startswith(_RESPONSE) and len(part.value) > len(_RESPONSE):
                said.append(re.compile(re.escape(part.value)))
        elif isinstance(part, ast.JoinedStr):
            first = part.values[0] if part.values else None
            if not isinstance(first, ast.Constant) or not str(first.value).startswith(_RESPONSE):
                continue
            texts = [
                re.escape(str(one.value)) if isinstance(one, ast.Constant) else r"\w+"
                for one in part.values
            ]
            if len(str(first.value)) > len(_RESPONSE):
                said.append(re.compile("".join(texts)))
    return _Piece(uses, said)


def _reached(name: str, pieces: dict[str, _Piece]) -> Iterator[re.Pattern[str]]:
    todo, seen = [name], {name}
    while todo:
        piece = pieces[todo.pop()]
        yield from piece.said
        new = (piece.uses & pieces.keys()) - seen
        seen |= new
        todo += sorted(new)


def _named(node: ast.ClassDef, constants: dict[str, str]) -> Iterator[str]:
    """Return what its method ``name`` returns."""
    for item in node.body:
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) or item.name != "name":
            continue
        for inner in ast.walk(item):
            if not isinstance(inner, ast.Return):
                continue
            value = inner.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value
            elif isinstance(value, ast.Name) and value.id in constants:
                yield constants[value.id]
