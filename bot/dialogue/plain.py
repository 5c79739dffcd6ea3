"""What Rasa says of training data, in plain words and with file and line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bot.dialogue.sources import place_of, place_of_story

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


def in_plain_words(warnings: list[str]) -> list[str]:
    """Return those of Rasa's warnings that only it can tell of, a line each.

    The others `bot.dialogue.checking` tells before training, with their lines.
    """
    found = filter(None, map(_CONFLICT.search, warnings))
    told = [f"stories go different ways {one[1]}: {' '.join(one[2].split())}" for one in found]
    return list(dict.fromkeys(told))


def _contradictions(root: Path, text: str) -> list[str]:
    lines = []
    for action, kind, title, others, otherwise in _CONTRADICTS.findall(text):
        # Rasa joins names with a comma, which a name may have as well.
        named = [others] if place_of_story(root, others) else others.split(", ")
        also = ", ".join(f"{one!r} ({place_of_story(root, one) or 'built in'})" for one in named)
        lines.append(
            f"{_place_of_story(root, title) or root}: {kind} {title!r} goes on with {action}, but"
            f" {also} with {otherwise or 'something else'} in the same situation; change one of"
            " them, or give it a condition that the other does not have"
        )
    return lines


def _place_of_story(root: Path, title: str) -> str | None:
    """Return where a story begins; after checkpoints Rasa calls it by all that led there."""
    return place_of_story(root, title) or place_of_story(root, title.split(" > ")[-1])


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
