"""The files a model is made of, what identifies them, and where a name stands in them."""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import version
from pathlib import Path

from bot.dialogue.errors import TrainingFailed

#: What a model is made of, beside config.yml and domain.yml (or a directory ``domain``).
DATA = ("data/nlu", "data/rules", "data/stories")
#: Kept away from training: what a model is measured by.
HELD_OUT = "tests/nlu/heldout.yml"
STORIES = "tests/stories"

_DIGITS = 12


def domain_of(root: Path) -> Path:
    """Return the domain under `root`: the file or, without one, the directory."""
    return root / "domain.yml" if (root / "domain.yml").is_file() else root / "domain"


def sources(root: Path) -> list[Path]:
    """Return the files under `root` that a model is made of. Raises TrainingFailed."""
    needed = [root / "config.yml", domain_of(root)]
    for path in needed:
        if not path.exists():
            raise TrainingFailed(f"{path}: is missing; it is needed to train a model")
    found: list[Path] = []
    for path in [*needed, *(root / part for part in DATA)]:
        found += [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [path for path in found if path.suffix in (".yml", ".yaml", ".json", ".txt")]


def fingerprint_of(root: Path) -> str:
    """Return what identifies the training data under `root` and the code that learns from it.

    Raises TrainingFailed when there is none.
    """
    digest = hashlib.sha256(version("rasa").encode())
    for component in sorted((Path(__file__).parent / "components").glob("*.py")):
        digest.update(component.read_bytes())
    for path in sources(root):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(root)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_DIGITS]


def place_of(root: Path, name: str) -> str | None:
    """Return ``file:line`` of the first use of a name in rules and stories, then elsewhere.

    A line that has it as a key, an item or a value goes before one that has it among words.
    """
    named = rf"(?<![\w/-]){re.escape(name)}(?![\w/-])"
    exact = re.compile(rf"(?:^|[:\-\[,])\s*['\"]?{named}['\"]?\s*(?:[\]:,#]|$)")
    texts = [
        (path, path.read_text("utf-8", "replace").splitlines())
        for path in sorted(sources(root), key=lambda p: ("domain" in p.name, "nlu" in p.parts))
    ]
    for pattern in (exact, re.compile(named)):
        for path, lines in texts:
            for number, line in enumerate(lines, start=1):
                if pattern.search(line):
                    return f"{path}:{number}"
    return None


def place_of_story(root: Path, title: str) -> str | None:
    """Return ``file:line`` where a story or rule of that title begins."""
    begins = re.compile(rf"^\s*-?\s*(?:story|rule)\s*:\s*(['\"]?){re.escape(title)}\1\s*(?:#.*)?$")
    for path in [*sources(root), *sorted((root / STORIES).rglob("*.yml"))]:
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if begins.match(line):
                return f"{path}:{number}"
    return None
