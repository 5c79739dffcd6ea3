"""The two processes of a measurement: one that trains, one that understands.

Processor seconds are counted beside the clock's, for the machine may be shared.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.pipelines.examples import Example

#: Messages before counting: what is loaded late is loaded.
_WARM = 10
#: Messages timed; all are classified.
_TIMED = 300
_UNSURE = "nlu_fallback"


def train(config: Path, examples: Path, model: Path) -> dict[str, Any]:
    """Train a pipeline; return seconds and megabytes."""
    from rasa.model_training import train_nlu

    from bot.dialogue.preload import preload

    preload()
    clock, cpu = time.perf_counter(), _cpu()
    made = train_nlu(
        str(config), str(examples), str(model.parent), fixed_model_name=model.name.split(".")[0]
    )
    if made is None:
        raise SystemExit(f"{config}: Rasa made no model")
    return {
        "train_seconds": time.perf_counter() - clock,
        "train_cpu": _cpu() - cpu,
        "train_megabytes": _megabytes(),
        "model_megabytes": Path(made).stat().st_size / 1e6,
    }


def train_bot(config: Path, root: Path, model: Path) -> dict[str, Any]:
    """Train a bot's pipeline and policies; return seconds and megabytes."""
    import rasa.model_training

    from bot.dialogue.preload import preload
    from bot.dialogue.sources import domain_of

    preload()
    clock, cpu = time.perf_counter(), _cpu()
    made = rasa.model_training.train(
        str(domain_of(root)),
        str(config),
        str(root / "data"),
        output=str(model.parent),
        fixed_model_name=model.name.split(".")[0],
    )
    if made.code or not made.model:
        raise SystemExit(f"{config}: Rasa made no model")
    return {
        "train_seconds": time.perf_counter() - clock,
        "train_cpu": _cpu() - cpu,
        "train_megabytes": _megabytes(),
        "model_megabytes": Path(made.model).stat().st_size / 1e6,
    }


def follow(root: Path, model: Path) -> dict[str, Any]:
    """Follow the stories of a bot's tests; return how many went as they should, and times."""
    from bot.dialogue.preload import preload

    preload()
    from bot.dialogue.examining import examine

    cpu = _cpu()
    examine(model, None, None)
    loaded = _cpu() - cpu
    exam = examine(model, None, str(root / "tests" / "stories"))
    return {
        "stories": len(exam["stories"]),
        "passed": sum(not reason for reason in exam["stories"].values()),
        "guessed": len(exam["unseen"]),
        "load_seconds": loaded,
        "follow_cpu": _cpu() - cpu - 2 * loaded,
        "serve_megabytes": _megabytes(),
    }


def understand(model: Path, asked: list[Example]) -> dict[str, Any]:
    """Classify `asked` one by one; return accuracy and milliseconds a message."""
    from rasa.core.channels.channel import UserMessage
    from rasa.engine import loader
    from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
    from rasa.engine.storage.local_model_storage import LocalModelStorage

    from bot.dialogue.preload import preload
    from bot.dialogue.runner import SequentialRunner

    preload()
    before = _megabytes()
    clock = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        metadata, runner = loader.load_predict_graph_runner(
            Path(folder), model, LocalModelStorage, SequentialRunner
        )
    loaded = time.perf_counter() - clock
    target = runner.before(str(metadata.nlu_target))

    unsure = 0

    def parse(text: str) -> dict[str, Any]:
        inputs = {PLACEHOLDER_MESSAGE: [UserMessage(text)], PLACEHOLDER_TRACKER: None}
        message = runner.run(inputs, [target])[target][0]
        intent: dict[str, Any] = message.get("intent")
        if intent["name"] == _UNSURE:
            nonlocal unsure
            unsure += 1
            intent = next(i for i in message.get("intent_ranking") if i["name"] != _UNSURE)
        return intent

    for text, _ in asked[:_WARM]:
        parse(text)
    unsure = 0
    walls, cpus, said = [], [], []
    for text, _ in asked:
        wall, cpu = time.perf_counter(), time.process_time()
        said.append(parse(text))
        cpus.append((time.process_time() - cpu) * 1e3)
        walls.append((time.perf_counter() - wall) * 1e3)
    return {
        **score([intent for _, intent in asked], said),
        "unsure": unsure / len(asked),
        "load_seconds": loaded,
        "serve_megabytes": _megabytes(),
        "added_megabytes": _megabytes() - before,
        "ms_p50": _quantile(walls[:_TIMED], 0.5),
        "ms_p95": _quantile(walls[:_TIMED], 0.95),
        "cpu_ms_p50": _quantile(cpus[:_TIMED], 0.5),
        "cpu_ms_p95": _quantile(cpus[:_TIMED], 0.95),
    }


def score(truth: list[str], said: list[dict[str, Any]]) -> dict[str, Any]:
    """Return accuracy, macro F1, and how far confidences are from what they promise.

    The last is the expected calibration error over ten bins.
    """
    names = [str(one["name"]) for one in said]
    sure = [float(one["confidence"]) for one in said]
    right = [name == true for name, true in zip(names, truth, strict=True)]
    f1s = []
    for intent in sorted(set(truth)):
        hit = sum(n == t == intent for n, t in zip(names, truth, strict=True))
        f1s.append(2 * hit / (names.count(intent) + truth.count(intent)))
    error = 0.0
    for step in range(10):
        mine = [n for n, c in enumerate(sure) if min(int(c * 10), 9) == step]
        if mine:
            promised = statistics.fmean(sure[n] for n in mine)
            kept = statistics.fmean(right[n] for n in mine)
            error += abs(promised - kept) * len(mine) / len(sure)
    return {
        "asked": len(truth),
        "accuracy": statistics.fmean(right),
        "macro_f1": statistics.fmean(f1s),
        "calibration_error": error,
    }


def _quantile(numbers: list[float], part: float) -> float:
    ordered = sorted(numbers)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    what, model, out, *more = sys.argv[1:]
    if what == "train":
        told = train(Path(more[0]), Path(more[1]), Path(model))
    elif what == "train_bot":
        told = train_bot(Path(more[0]), Path(more[1]), Path(model))
    elif what == "follow":
        told = follow(Path(more[0]), Path(model))
    else:
        told = understand(Path(model), [tuple(e) for e in json.loads(Path(more[0]).read_text())])
    Path(out).write_text(json.dumps(told))
