from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.dialogue.conftest import ROOT

FORKED = """
import asyncio, gc, os, sys, threading
from dataclasses import replace
from pathlib import Path
from bot.dialogue.preload import preload
from bot import serve
from bot.settings import Llm, load
settings = load(channels=(), schema_of=lambda channel: object, environ={}, endpoints=None)
preload(*serve.heavy_modules(replace(settings, llm=(Llm("http://127.0.0.1:1/v1", "m"),))))
assert threading.active_count() == 1, threading.enumerate()
assert "tensorflow" in sys.modules and "skops.io" in sys.modules
# A full collection looks at none of it again, for it would hold up every message.
assert gc.get_freeze_count() > 300_000 and len(gc.get_objects()) < 10_000
before = set(sys.modules)
pid = os.fork()
if pid == 0:
    from bot.dialogue.brain import Brain
    from bot.message import Address, Inbound, Text
    brain = Brain.load(Path(sys.argv[1]))
    said = Inbound(Address("telegram", "shop", "u"), "1", Text("hello"))
    outcome = asyncio.run(brain.take(said, None))
    heavy = {m.split(".")[0] for m in set(sys.modules) - before} & {"rasa", "tensorflow", "keras"}
    print("child", outcome.parse["intent"], sorted(heavy), flush=True)
    brain.close()
    os._exit(0 if outcome.failure is None else 1)
print("parent", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


# Whole instances fork their workers too (tests/e2e); what this alone knows is what forking costs.
@pytest.mark.slow
def test_a_forked_process_loads_a_brain_and_answers(model: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKED, str(model)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.stdout.splitlines() == ["child greet []", "parent 0"], ran.stderr[-2000:]


def test_the_package_itself_is_light() -> None:
    code = (
        "import sys, bot.dialogue, bot.dialogue.contract, bot.dialogue.errors\n"
        "import bot.dialogue.preload, bot.dialogue.training\n"
        "assert not {'rasa', 'numpy', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
