"""What `bot train` keeps of a model, and the shop whose examples it names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.models import StoredModel
from tests.kit.designs import sound_project

ROWS = [
    ("greet", "greet", 4),
    ("greet", "stop", 1),
    ("order", "order", 5),
    ("stop", "greet", 2),
    ("stop", "stop", 2),
    ("stop", "nlu_fallback", 1),
]
REPORT: dict[str, Any] = {
    "accuracy": 11 / 15,
    "examples": 15,
    "f1": 0.7,
    "intents": {"greet": [0.73, 5], "order": [1.0, 5], "stop": [0.5, 5]},
    "matrix": [list(row) for row in ROWS],
    "confidence": [[0] * 10] * 3,
    "causes": [
        {
            "intent": "stop",
            "predicted": "greet",
            "count": 2,
            "messages": [
                {"text": "hey stop", "example": "stop it", "other": "hey", "like": 0.8},
                {"text": "hi, leave it", "example": "gone since", "other": "hi there", "like": 0.5},
            ],
        }
    ],
}
HELD_OUT = 'version: "3.1"\nnlu:\n  - intent: stop\n    examples: |\n      - hey stop\n'


async def keep_model(store: AsyncStore, name: str, report: dict[str, Any], days: int = 0) -> None:
    """Keep a model that was made so many days ago."""
    row = StoredModel(id=name, created=utcnow() - timedelta(days=days), sha256="0", size=1)
    row.report = report
    await store.insert(row)


def shop(folder: Path) -> Path:
    """Make a project with held-out messages below `folder` and return its root."""
    root = sound_project(folder / "shop")
    (root / "tests/nlu").mkdir(parents=True)
    (root / "tests/nlu/heldout.yml").write_text(HELD_OUT)
    return root
