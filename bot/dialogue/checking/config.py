"""Whether config.yml names components and policies that exist."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from bot.dialogue.checking import names
from bot.dialogue.checking.finding import Findings, Place, near
from bot.dialogue.checking.reading import Map, Node, Seq, Text, text_of

_RECIPES = ("default.v1", "graph.v1")


@dataclass
class Config:
    """What config.yml says that matters to other files; components by their names."""

    components: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    restricted: bool = True
    at: Place | None = None


def check_config(top: Map, root: Path, findings: Findings) -> Config:
    """Tell what is wrong in config.yml."""
    for key, pair in top.pairs.items():
        if key not in names.CONFIG_KEYS:
            what = f"has the unknown key {key}"
            findings.error(pair.at, "key", what, near(key, names.CONFIG_KEYS))
    recipe = text_of(top.get("recipe"))
    if recipe and recipe not in _RECIPES:
        what = f"recipe is {recipe}"
        findings.error(top.pairs["recipe"].at, "config", what, near(recipe, _RECIPES))
    if recipe == "graph.v1":
        return Config()
    for key in ("language", "assistant_id"):
        if not text_of(top.get(key)):
            at = top.pairs[key].at if key in top.pairs else Place(top.at.file, 1)
            findings.warn(at, "config", f"has no {key}", f"add '{key}: …'")
    made = Config()
    for section, known in (("pipeline", names.COMPONENTS), ("policies", names.POLICIES)):
        node = top.get(section)
        at = top.pairs[section].at if section in top.pairs else Place(top.at.file, 1)
        if node is None:
            what = f"has no {section}"
            findings.error(at, "config", what, "Rasa would choose one that nobody has measured")
        elif not isinstance(node, Seq):
            findings.error(at, "config", f"{section} is no list", "should be '- name: …' lines")
        else:
            found = made.components if known is names.COMPONENTS else made.policies
            for item in node.items:
                name = _component(item, section, known, root, findings)
                if known is names.COMPONENTS:
                    _order(name, item.at, found, findings)
                elif name == "RulePolicy" and isinstance(item, Map):
                    made.restricted = text_of(item.get("restrict_rules")).lower() != "false"
                if name:
                    found.append(name)
            if known is names.POLICIES:
                made.at = at
    return made


def check_policies(config: Config, forms: bool, rules: bool, findings: Findings) -> None:
    """Tell of forms and rules that no policy follows."""
    if config.at is None or any(name == "RulePolicy" or "." in name for name in config.policies):
        return
    if forms or rules:
        what = f"has no RulePolicy, and there are {'forms' if forms else 'rules'}"
        findings.error(config.at, "config", what, "add '- name: RulePolicy' to the policies")


def _order(name: str, at: Place, before: list[str], findings: Findings) -> None:
    """Tell of a component that needs another before it, or is one too many."""
    others = [one for one in before if one in names.TOKENIZERS]
    if name in names.TOKENIZERS and others:
        what = f"{name} is a second tokenizer beside {others[0]}"
        findings.error(at, "config", what, "keep one of them")
    # A component of one's own may be any of these.
    if any("." in one for one in before):
        return
    for called, wanted in names.NEEDS.get(name, ()):
        if not wanted & set(before):
            what = f"{name} needs {called} before it in the pipeline"
            findings.error(at, "config", what, "add '- name: …' above it")


def _component(
    item: Node, section: str, known: frozenset[str], root: Path, findings: Findings
) -> str:
    if isinstance(item, Text) and not item.null:
        name, at = item.value, item.at
    elif isinstance(item, Map) and text_of(item.get("name")):
        name, at = text_of(item.get("name")), item.pairs["name"].at
    else:
        findings.error(item.at, "config", f"an item of {section} has no name", "add '- name: …'")
        return ""
    if "." in name:
        _module(name, at, root, findings)
    elif name not in known:
        other = names.POLICIES if known is names.COMPONENTS else names.COMPONENTS
        if name in other:
            right = f"it belongs to {'policies' if other is names.POLICIES else 'pipeline'}"
        else:
            right = near(name, known) or "a component of your own is named by its module"
        what = f"there is no {name} for {section}"
        findings.error(at, "component", what, right)
    return name


def _module(name: str, at: Place, root: Path, findings: Findings) -> None:
    """Look for ``package.module.Class`` without importing it."""
    module, _, cls = name.rpartition(".")
    top = module.split(".", 1)[0]
    base = root.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            classes = _names(path)
            if classes is not None and cls not in classes:
                what = f"there is no {cls} in {path.relative_to(root)}"
                findings.error(at, "component", what, near(cls, classes))
            return
    if (root / top).is_dir() and any((root / top).glob("*.py")):
        what, right = f"there is no module {module}", "is its file misspelt?"
        findings.error(at, "component", what, right)
    elif top == "rasa":
        if cls not in names.COMPONENTS | names.POLICIES:
            what = f"Rasa has no {cls}"
            findings.error(at, "component", what, near(cls, names.COMPONENTS | names.POLICIES))
    else:
        try:
            spec = find_spec(top)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            findings.error(at, "component", f"there is no package {top}", "is it installed?")


def _names(path: Path) -> set[str] | None:
    """Return what a module defines at its top; None if that cannot be told."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif not isinstance(node, ast.Expr):
            # An ``if`` or ``try`` may define anything.
            return None
    return found
