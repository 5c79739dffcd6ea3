"""What the package of actions defines and mentions, read without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from bot.dialogue.checking.finding import Findings, Place


@dataclass
class Code:
    """What was found. `dynamic` says that a name is made only when the code runs."""

    actions: dict[str, Place] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    patterns: list[re.Pattern[str]] = field(default_factory=list)
    keywords: set[str] = field(default_factory=set)
    dynamic: bool = False
    there: bool = False

    def join(self, other: Code) -> None:
        """Add what another module has."""
        self.actions = {**other.actions, **self.actions}
        self.words |= other.words
        self.patterns += other.patterns
        self.keywords |= other.keywords
        self.dynamic |= other.dynamic

    def mentions(self, name: str) -> bool:
        """Tell whether the code has this text, or one it may make of parts."""
        return name in self.words or any(one.fullmatch(name) for one in self.patterns)


def read_code(package: Path, name: str, findings: Findings) -> Code:
    """Read all modules of a package of actions; `name` is what it is called in findings."""
    code = Code(there=package.is_dir())
    for path in sorted(package.rglob("*.py")):
        file = f"{name}/{path.relative_to(package)}"
        try:
            stat = path.stat()
            one = _module(path, file, stat.st_mtime_ns, stat.st_size)
        except SyntaxError as error:
            at = Place(file, error.lineno or 0)
            findings.error(at, "code", f"is not Python: {error.msg}")
        except (OSError, ValueError):
            findings.error(Place(file, 0), "code", "cannot be read as Python")
        else:
            code.join(one)
    return code


@lru_cache(maxsize=512)
def _module(path: Path, file: str, written: int, size: int) -> Code:
    """Read one module. Code takes longer than all else, and a designer seldom changes it."""
    code = Code(there=True)
    _read(ast.parse(path.read_text("utf-8")), file, code)
    return code


def _read(tree: ast.Module, file: str, code: Code) -> None:
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            _action(node, file, constants, code)
        elif isinstance(node, ast.Call):
            code.keywords |= {word.arg for word in node.keywords if word.arg}
        elif isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            _pattern(node, code)
        elif isinstance(node, ast.Dict):
            code.keywords |= set(_texts(node.keys))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            code.words.add(node.value)


def _texts(nodes: list[ast.expr | None]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _pattern(node: ast.JoinedStr, code: Code) -> None:
    """Keep ``f"utter_order_{stage}"`` as what it may become, if enough of it is fixed."""
    parts = [
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*"
        for part in node.values
    ]
    if len("".join(part for part in parts if part != ".*")) >= len("utter_"):
        code.patterns.append(re.compile("".join(parts), re.DOTALL))


def _action(node: ast.ClassDef, file: str, constants: dict[str, str], code: Code) -> None:
    for item in node.body:
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) or item.name != "name":
            continue
        for inner in ast.walk(item):
            if not isinstance(inner, ast.Return) or inner.value is None:
                continue
            value = inner.value
            named = ""
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                named = value.value
            elif isinstance(value, ast.Name) and value.id in constants:
                named = constants[value.id]
            elif _is_action(node, ""):
                code.dynamic = True
            if named and _is_action(node, named):
                code.actions.setdefault(named, Place(file, node.lineno))


def _is_action(node: ast.ClassDef, named: str) -> bool:
    bases = " ".join(ast.unparse(base) for base in node.bases)
    return named.startswith(("action_", "validate_")) or "Action" in bases
