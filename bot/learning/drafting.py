"""Making drafts: where spaCy is not loaded, by a process of its own.

Postal addresses are found with spaCy, and the console's process must stay light.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.learning.contract import Draft, NotAllowed
from bot.learning.gathering import topics_of
from bot.learning.project import read_known
from bot.learning.telling import told
from bot.store.turns import Turn

# Seconds. It takes two, on a machine that has nothing else to do.
_PATIENCE = 90.0
_FIELDS = ("id", "conversation", "seq", "events", "parse", "decision", "heard", "perception")


def ask_of(
    root: Path,
    turns: list[Turn],
    *,
    kind: str,
    names: tuple[str, ...],
    title: str,
    before: Turn | None,
) -> dict[str, Any]:
    """Return what is to be drafted as plain values; see `bot.learning.telling.told`."""
    return {
        "root": str(root.resolve()),
        "turns": [_plain(turn) for turn in turns],
        "kind": kind,
        "names": list(names),
        "title": title,
        "before": _plain(before) if before is not None else None,
    }


async def drafted(ask: dict[str, Any]) -> Draft:
    """Return the draft that is asked for. Raises NotAllowed."""
    if "spacy" in sys.modules:
        answer = await asyncio.to_thread(_answer, ask)
    else:
        answer = await asyncio.to_thread(_apart, ask)
    if "refused" in answer:
        raise NotAllowed(answer["refused"])
    return Draft(**{**answer, "warnings": tuple(answer["warnings"])})


def _plain(turn: Turn) -> dict[str, Any]:
    found = {name: getattr(turn, name) for name in _FIELDS}
    return {**found, "state": {"active_loop": (turn.state or {}).get("active_loop")}}


def _answer(ask: dict[str, Any]) -> dict[str, Any]:
    root = Path(ask["root"])
    known = read_known(root)
    if not known.here:
        return {"refused": "there are no files of a project here, which it must fit in"}
    try:
        draft = told(
            [Turn(**one) for one in ask["turns"]],
            known,
            kind=ask["kind"],
            names=ask["names"],
            title=ask["title"],
            before=Turn(**ask["before"]) if ask["before"] else None,
            delicate=topics_of(root / "data" / "escalation.yml"),
        )
    except NotAllowed as error:
        return {"refused": str(error)}
    return asdict(draft)


def _apart(ask: dict[str, Any]) -> dict[str, Any]:
    here = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH", ""))))
    try:
        # What customers said goes by a pipe: arguments can be read by every user of a machine.
        done = subprocess.run(
            [sys.executable, "-m", "bot.learning.drafting"],
            input=json.dumps(ask, default=str).encode("utf-8"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
            timeout=_PATIENCE,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise NotAllowed(f"the draft could not be made: {type(error).__name__}") from error
    return answer


if __name__ == "__main__":
    print(json.dumps(_answer(json.load(sys.stdin))))
