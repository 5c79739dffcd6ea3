"""An audit as people read it: the worst first, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from bot.knowledge.auditing import findings as f
from bot.knowledge.auditing.findings import SEVERITIES, Audit, Finding

_TITLES = {
    f.CONTRADICTION: "Contradictions",
    f.UNANSWERED: "Questions no article answers",
    f.LINK: "Broken links",
    f.STALE: "Stale",
    f.DUPLICATE: "Said twice",
    f.TERM: "Unexplained words",
    f.UNREACHED: "Articles nobody finds",
}
_SEVERITY = {
    f.HIGH: "To do before going live",
    f.MEDIUM: "To do soon",
    f.LOW: "To do some day",
}


def summary(audit: Audit) -> str:
    """Return what was looked at and how much was found, in one line."""
    counts = audit.counts()
    looked = f"{audit.articles} articles, {audit.passages} passages, {audit.questions} questions: "
    if not audit.findings:
        return looked + "nothing is wrong that an audit can see"
    found = ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name])
    return f"{looked}{len(audit.findings)} findings ({found})"


def to_text(audit: Audit, width: int = 100) -> str:
    """Return the report for a terminal of `width` columns."""
    lines = [summary(audit)]
    for severity, kind, found in _grouped(audit):
        if kind is None:
            lines += ["", f"== {_SEVERITY[severity]} ({len(found)}) =="]
            continue
        lines += ["", f"{_TITLES[kind]} ({len(found)})"]
        for finding in found:
            place = f"{finding.place}: " if finding.place else ""
            lines.append(_wrapped(f"- {place}{finding.what}", "  ", width))
            for where, text in finding.quotes:
                lines.append(
                    _wrapped(f"    {where + '  ' if where else ''}“{text}”", "      ", width)
                )
            lines.append(_wrapped(f"    → {finding.todo}", "      ", width))
    return "\n".join(lines) + "\n"


def to_markdown(audit: Audit) -> str:
    """Return the report as Markdown."""
    lines = ["# Audit of the articles", "", f"{summary(audit)}."]
    for severity, kind, found in _grouped(audit):
        if kind is None:
            lines += ["", f"## {_SEVERITY[severity]} ({len(found)})"]
            continue
        lines += ["", f"### {_TITLES[kind]} ({len(found)})", ""]
        for finding in found:
            place = f"`{finding.place}` " if finding.place else ""
            lines.append(f"- [ ] {place}{_plain(finding.what)}; **{_plain(finding.todo)}**")
            for where, text in finding.quotes:
                lines.append(f"  - {f'`{where}` ' if where else ''}“{_plain(text)}”")
    return "\n".join(lines) + "\n"


def _grouped(audit: Audit) -> Iterator[tuple[str, str | None, Sequence[Finding]]]:
    for severity in SEVERITIES:
        here = [finding for finding in audit.findings if finding.severity == severity]
        if here:
            yield severity, None, here
        for kind in f.KINDS:
            found = [finding for finding in here if finding.kind == kind]
            if found:
                yield severity, kind, found


def _wrapped(text: str, indent: str, width: int) -> str:
    first = text[: len(text) - len(text.lstrip())]
    return fill(
        text.strip(), max(width, 40), initial_indent=first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _plain(text: str) -> str:
    """Keep what was written by others from being Markdown of the report."""
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
