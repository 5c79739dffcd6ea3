"""One process until its first answer: ``python -m bench.ready brain|stock MODEL``.

Prints seconds as JSON: ``imports``, ``load``, ``answer``, by the clock and of the processor.
`bench.brain` runs it for each, since what was loaded once is quicker the second time. A worker
is forked from a process that has the imports behind it; ``rasa run`` has not.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench.shop import open_shop


async def measure(what: str, model: Path) -> dict[str, tuple[float, float]]:
    """Return clock and processor seconds of each step."""
    marks = [_now()]
    if what == "brain":
        from bot.dialogue.preload import preload

        preload()
        from bot.dialogue.brain import Brain
        from tests.kit.talk import Conversation

        marks.append(_now())
        conversation = Conversation(Brain.load(model))
        marks.append(_now())
        await conversation.take("hi")
    else:
        from rasa.engine.recipes import default_components  # noqa: F401

        from tests.kit.talk import Stock

        marks.append(_now())
        stock = Stock(model)
        marks.append(_now())
        await stock.take("hi", "u")
    marks.append(_now())
    steps = zip(("imports", "load", "answer"), marks, marks[1:], strict=False)
    return {name: (b[0] - a[0], b[1] - a[1]) for name, a, b in steps}


def _now() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        open_shop(Path(directory))
        print(json.dumps(asyncio.run(measure(sys.argv[1], Path(sys.argv[2])))))
