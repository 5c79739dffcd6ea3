"""The questions of the benchmark, and what a right answer to each is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HERE = Path(__file__).parent
KINDS = ("plain", "paraphrase", "typo", "followup", "none")


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `articles` are those that answer it, none for kind "none".

    `fact` is what a right answer holds, letter for letter; `after` is the question before a
    "followup". What is fitted looks at split "dev" alone, what is reported at "test".
    """

    text: str
    kind: str
    articles: tuple[str, ...]
    fact: str
    after: str
    split: str
    language: str

    @property
    def answerable(self) -> bool:
        """Tell whether an article answers it."""
        return bool(self.articles)


def load(folder: Path = HERE) -> list[Question]:
    """Read all ``questions_*.yml``. Raises ValueError for a row that says too little."""
    found = []
    for path in sorted(folder.glob("questions_*.yml")):
        for n, row in enumerate(YAML(typ="safe").load(path)):
            found.append(_question(row, f"{path.name}[{n}]"))
    return found


def _question(row: dict[str, Any], where: str) -> Question:
    articles = row.get("article") or ()
    question = Question(
        text=str(row["q"]),
        kind=str(row["kind"]),
        articles=(articles,) if isinstance(articles, str) else tuple(articles),
        fact=str(row.get("fact") or ""),
        after=str(row.get("after") or ""),
        split=str(row["split"]),
        language=str(row.get("language") or "en"),
    )
    if question.kind not in KINDS or question.split not in ("dev", "test"):
        raise ValueError(f"{where}: kind or split is not known")
    if (question.kind == "none") == question.answerable:
        raise ValueError(f"{where}: needs articles, or kind none")
    return question
