"""What pipelines learn from and are asked: a folder of utterances, or a bot's own."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

Example = tuple[str, str]
"""A text and its intent."""

_HELD_OUT = Path("tests") / "nlu" / "heldout.yml"
#: Of a bot without held-out examples: one of so many of each intent is asked, not learned.
_EVERY = 5


@dataclass(frozen=True)
class Examples:
    """`named` says of what, for the table; `folder` is where a bot has them, entities and all."""

    named: str
    learned: list[Example]
    asked: list[Example]
    folder: Path | None = None


def load(folder: Path, few: int | None) -> Examples:
    """Return the examples in ``train.jsonl`` and ``test.jsonl``, or those of a bot's root.

    With `few`, only so many of each intent are learned, chosen by a fixed seed.
    """
    whole = None
    if (folder / "train.jsonl").is_file():
        learned, asked = _lines(folder / "train.jsonl"), _lines(folder / "test.jsonl")
        named = folder.name
    else:
        learned = _of_rasa(folder / "data" / "nlu")
        named = "starter"
        if (folder / _HELD_OUT).is_file():
            asked = _of_rasa(folder / _HELD_OUT)
            whole = folder / "data" / "nlu" if few is None else None
        else:
            learned, asked = _split(learned)
            named += ", split 4:1"
    if few is not None:
        learned, named = _few(learned, few), f"{named}, {few} an intent"
    return Examples(named, learned, asked, whole)


def write(examples: list[Example], file: Path) -> None:
    """Write examples as training data of Rasa, which takes JSON as it is, brackets and all."""
    common = [{"text": text, "intent": intent, "entities": []} for text, intent in examples]
    file.write_text(json.dumps({"rasa_nlu_data": {"common_examples": common}}), "utf-8")


def _lines(file: Path) -> list[Example]:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    return [(row["text"], row["intent"]) for row in rows]


def _of_rasa(path: Path) -> list[Example]:
    from rasa.shared.nlu.training_data.loading import load_data

    return [
        (str(e.get("text")), str(e.get("intent"))) for e in load_data(str(path)).intent_examples
    ]


def _grouped(examples: list[Example]) -> dict[str, list[Example]]:
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in dict.fromkeys(examples):
        groups[example[1]].append(example)
    return groups


def _few(examples: list[Example], few: int) -> list[Example]:
    pick = random.Random(0)
    groups = _grouped(examples)
    return [
        example
        for intent in sorted(groups)
        for example in pick.sample(groups[intent], min(few, len(groups[intent])))
    ]


def _split(examples: list[Example]) -> tuple[list[Example], list[Example]]:
    pick = random.Random(0)
    learned: list[Example] = []
    asked: list[Example] = []
    for _, group in sorted(_grouped(examples).items()):
        pick.shuffle(group)
        most = len(group) // _EVERY
        asked += group[:most]
        learned += group[most:]
    return learned, asked
