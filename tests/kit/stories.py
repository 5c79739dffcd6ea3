"""The end-to-end stories under tests/stories, as Rasa's own `rasa test` reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

STORIES = Path(__file__).parents[1] / "stories"


@dataclass
class Turn:
    text: str
    intent: str
    actions: list[str] = field(default_factory=list)


@dataclass
class Story:
    name: str
    turns: list[Turn] = field(default_factory=list)


def stories() -> list[Story]:
    found = []
    for path in sorted(STORIES.glob("test_*.yml")):
        for data in YAML(typ="safe").load(path)["stories"]:
            story = Story(f"{path.stem.removeprefix('test_')}: {data['story']}")
            for step in data["steps"]:
                if "user" in step:
                    story.turns.append(Turn(_unmarked(step["user"]), step["intent"]))
                elif "action" in step:
                    story.turns[-1].actions.append(step["action"])
            found.append(story)
    return found


def _unmarked(text: str) -> str:
    """The text without Rasa's marks of entities, ``[1042](order_number)`` or ``[mug]{…}``."""
    return re.sub(r"\[([^\]]+)\](?:\(\w+\)|\{[^}]*\})", r"\1", text.strip())
