"""What Rasa says of training data, in plain words and with file and line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bot.dialogue.sources import domain_of, place_of, place_of_story

#: Rasa only warns of these, and trains a bot that never does what the story says.
_UNKNOWN = re.compile(
    r"Found (?:intent|entity|slot) '([^']+)' in stories which is not part of the domain"
    r"|The intent '([^']+)' is used in your stories, but it is not listed"
    r"|There is a message in the training data labeled with intent '([^']+)'"
    r"|The (?:action|form) '([^']+)' is used in the"
)
_NAMED = re.compile(r"'([\w/.-]+)'")
_CONTRADICTS = re.compile(
    r"the prediction of the action '(.+?)' in (rule|story) '(.+?)' is contradicting with "
    r"rule\(s\) '(.+?)'(?: which predicted action '(.+?)')?\.(?:\s|$)"
)
_NO_EXAMPLES = re.compile(r"The intent '([^']+)' is listed in the domain file, but is not found")
_UNUSED_INTENT = re.compile(r"The intent '([^']+)' is not used in any story or rule")
_FEW = re.compile(r"Intent '([^']+)' has only (\d+) training examples")
_MAPPED = re.compile(r"Slot '([^']+)' has a mapping condition for form '([^']+)'(, but)?")
_CONFLICT = re.compile(
    r"Story structure conflict (after [^\n]*|at the beginning[^\n]*):\n(.*)", re.S
)


def confirmed(root: Path, answer: dict[str, Any]) -> list[str]:
    """Return what made a child's work fail or worthless, a line each; none when it is good."""
    problems = []
    for text in answer.get("warnings", ()):
        for match in _UNKNOWN.finditer(text):
            name = next(filter(None, match.groups()))
            problems.append(f"{place_of(root, name) or root}: {name!r} is not in the domain")
    if answer.get("failed"):
        kind, text = answer["failed"]
        problems += _contradictions(root, text) or _located(root, f"{kind}: {text.strip()}")
    return list(dict.fromkeys(problems))


def in_plain_words(root: Path, warnings: list[str]) -> list[str]:
    """Return Rasa's warnings that a designer can do something about, a line each."""
    told = []
    for text in warnings:
        if (match := _NO_EXAMPLES.search(text)) and not _without_words(root, match[1]):
            told.append(_note(root, match[1], f"intent {match[1]!r} has no examples in data/nlu"))
        elif match := _FEW.search(text):
            told.append(
                _note(root, match[1], f"intent {match[1]!r} has only {match[2]} example(s)")
            )
        elif match := _UNUSED_INTENT.search(text):
            told.append(_note(root, match[1], f"no story or rule uses intent {match[1]!r}"))
        elif match := _MAPPED.search(text):
            wrong = "does not ask for it" if match[3] else "is not in the domain"
            what = f"slot {match[1]!r} is filled while form {match[2]!r} is active, which {wrong}"
            told.append(_note(root, match[1], what))
        elif match := _CONFLICT.search(text):
            told.append(f"stories go different ways {match[1]}: {' '.join(match[2].split())}")
    return list(dict.fromkeys(told))


def _without_words(root: Path, intent: str) -> bool:
    """Tell whether an intent is meant by what is done, as in `bot.dialogue.heard`, or pressed."""
    if intent == "start" or intent.startswith("share_"):
        return True
    payload = re.compile(rf"/{re.escape(intent)}(?![\w/])")
    domain = domain_of(root)
    files = [domain] if domain.is_file() else sorted(domain.rglob("*.yml"))
    files += sorted((root / "actions").rglob("*.py"))
    return any(payload.search(path.read_text("utf-8", "replace")) for path in files)


def _note(root: Path, name: str, what: str) -> str:
    where = place_of(root, name)
    return f"{where}: {what}" if where else what


def _contradictions(root: Path, text: str) -> list[str]:
    lines = []
    for action, kind, title, others, otherwise in _CONTRADICTS.findall(text):
        # Rasa joins names with a comma, which a name may have as well.
        named = [others] if place_of_story(root, others) else others.split(", ")
        also = ", ".join(f"{one!r} ({place_of_story(root, one) or 'built in'})" for one in named)
        lines.append(
            f"{place_of_story(root, title) or root}: {kind} {title!r} goes on with {action}, but"
            f" {also} with {otherwise or 'something else'} in the same situation; change one of"
            " them, or give it a condition that the other does not have"
        )
    return lines


def _located(root: Path, text: str) -> list[str]:
    """Put file and line before a message that only quotes a name."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][:12]
    if any(re.search(r"\.ya?ml:?\d*", line) for line in lines):
        return lines
    for line in lines:
        for name in _NAMED.findall(line):
            where = place_of(root, name)
            if where:
                return [f"{where}: {lines[0]}", *lines[1:]]
    return lines
