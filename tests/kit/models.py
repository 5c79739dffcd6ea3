"""Models that differ in what they say, made of one that was trained."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path


def saying(model: Path, folder: Path, name: str, greeting: str) -> Path:
    """A copy of a trained model that greets otherwise: as good as one trained anew.

    Its id and its file are `name`, with which its turns are recorded.
    """
    unpacked = folder / name
    with tarfile.open(model) as tar:
        tar.extractall(unpacked)
    metadata = unpacked / "metadata.json"
    told = json.loads(metadata.read_text("utf-8"))
    assert "utter_greet" in told["domain"]["responses"]
    assert "model_id" in told
    told["model_id"] = name
    told["domain"]["responses"]["utter_greet"] = [{"text": greeting}]
    metadata.write_text(json.dumps(told), "utf-8")
    path = folder / f"{name}.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for part in sorted(unpacked.iterdir()):
            tar.add(part, part.name)
    shutil.rmtree(unpacked)
    return path


def unreadable(folder: Path, name: str) -> Path:
    """A file that looks like a model as long as nobody loads it."""
    folder.mkdir(exist_ok=True)
    path, inside = folder / f"{name}.tar.gz", folder / "metadata.json"
    inside.write_text("{}")
    with tarfile.open(path, "w:gz") as tar:
        tar.add(inside, "metadata.json")
    return path
