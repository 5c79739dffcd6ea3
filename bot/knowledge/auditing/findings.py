"""What an audit says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bot.knowledge.contract import Article, Passage

HIGH, MEDIUM, LOW = "high", "medium", "low"
SEVERITIES = (HIGH, MEDIUM, LOW)

DUPLICATE, CONTRADICTION, STALE, LINK, TERM, UNREACHED, UNANSWERED = (
    "duplicate", "contradiction", "stale", "link", "term", "unreached", "unanswered",
)  # fmt: skip
#: In the order they are reported in when equally bad.
KINDS = (CONTRADICTION, UNANSWERED, LINK, STALE, DUPLICATE, TERM, UNREACHED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: where it is, what it is, and what is to be done about it.

    `file` is "" and `line` 0 for what stands nowhere (a question no article answers).
    `quotes` are the sentences it is about, each as ``(file:line, text)``.
    """

    kind: str
    severity: str
    file: str
    line: int
    what: str
    todo: str
    quotes: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> str:
        """``file:line``, "" for nowhere."""
        return f"{self.file}:{self.line}" if self.file else ""


@dataclass(frozen=True, slots=True)
class Audit:
    """All findings, the worst first, and how much was looked at."""

    findings: tuple[Finding, ...]
    articles: int
    passages: int
    questions: int

    def counts(self) -> Counter[str]:
        """Return how many findings there are of each severity and of each kind."""
        return Counter(name for f in self.findings for name in (f.severity, f.kind))


def ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity, kind and place."""
    return tuple(
        sorted(
            findings,
            key=lambda f: (
                SEVERITIES.index(f.severity),
                KINDS.index(f.kind),
                f.file,
                f.line,
                f.what,
            ),
        )
    )


def file_of(article: Article) -> str:
    """Return the file to name for an article."""
    return article.file or f"{article.id}.md"


@dataclass(frozen=True)
class Corpus:
    """Articles and their passages, as the checks look at them."""

    articles: tuple[Article, ...]
    passages: tuple[Passage, ...]
    by_id: dict[str, Article] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {article.id: article for article in self.articles})

    def place(self, passage: Passage) -> tuple[str, int]:
        """Return the file of a passage and the line it begins in."""
        article = self.by_id[passage.article]
        first = next((line.strip() for line in passage.text.splitlines() if line.strip()), "")
        lines = article.body.splitlines()
        start = 0
        for heading in passage.headings[-1:]:
            start = next((n for n, line in enumerate(lines) if _is_heading(line, heading)), 0)
        for number in (*range(start, len(lines)), *range(start)):
            if first and first[:60] in lines[number]:
                return file_of(article), article.line + number
        return file_of(article), article.line + start


def _is_heading(line: str, heading: str) -> bool:
    return line.startswith("#") and line.lstrip("#").strip().rstrip("#").strip() == heading
