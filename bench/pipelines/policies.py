"""Compare policies: ``python -m bench.pipelines.policies [--epochs 100] [--only NAME …]``.

A bot is trained with its own pipeline and each combination of policies, and the stories
under its ``tests/stories`` are followed end to end, in processes of their own. Results are kept as
those of `bench.pipelines`. Times are of the processor and of the whole bot: understanding, the same
in all, is included. An action is guessed when no rule and no story of the training predicted it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bench.pipelines import candidates
from bench.pipelines.__main__ import process


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the results as a table in Markdown."""
    lines = [
        "| policies | stories | actions guessed | ms a message | training CPU s | training MB"
        " | serving MB | loads in CPU s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, r in results.items():
        lines.append(
            f"| {name} | {r['passed']} of {r['stories']} | {r['guessed']}"
            f" | {r['follow_cpu'] * 1e3 / r['messages']:.1f} | {r['train_cpu']:.0f}"
            f" | {r['train_megabytes']:.0f} | {r['serve_megabytes']:.0f}"
            f" | {r['load_seconds']:.1f} |"
        )
    return "\n".join(lines)


def measure(root: Path, pipeline: Any, ways: Any, work: Path) -> dict[str, Any]:
    """Train a bot with some policies and follow its stories."""
    from tests.kit.stories import stories

    config, model = work / "config.yml", work / "model.tar.gz"
    candidates.write(config, pipeline, ways, "")
    told: dict[str, Any] = {"messages": sum(len(story.turns) for story in stories())}
    told |= process("train_bot", model, work, [config, root])
    return told | process("follow", model, work, [root])


def main() -> None:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(), help="root of a bot")
    parser.add_argument("--epochs", type=int, default=100, help="of TED and UnexpecTED")
    parser.add_argument("--only", nargs="*", help="names of combinations")
    parser.add_argument("--results", type=Path, default=Path("models/policies.json"))
    chosen = parser.parse_args()
    results = json.loads(chosen.results.read_text()) if chosen.results.is_file() else {}
    pipeline = YAML(typ="safe").load(chosen.data / "config.yml")["pipeline"]
    for name, ways in candidates.policies(chosen.epochs).items():
        label = f"{name}, {chosen.epochs} epochs" if "TED" in name else name
        if label in results or (chosen.only and name not in chosen.only):
            continue
        print(f"{label} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="policies-") as folder:
            results[label] = measure(chosen.data, pipeline, ways, Path(folder))
        chosen.results.parent.mkdir(parents=True, exist_ok=True)
        chosen.results.write_text(json.dumps(results, indent=1))
    print(table(results))


if __name__ == "__main__":
    main()
