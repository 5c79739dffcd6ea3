"""Trains a model when what designers edit has changed. Imports nothing heavy.

A model's name ends with the fingerprint of what it was trained from, so that the
model of unchanged data is found by its name. Training runs in a process of its own
(`bot.dialogue.child`); what that says goes to ``train.log`` beside the models.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bot
from bot.dialogue.checking import check_project, errors_of
from bot.dialogue.errors import TrainingFailed
from bot.dialogue.plain import confirmed, in_plain_words
from bot.dialogue.sources import DATA, HELD_OUT, STORIES, domain_of, fingerprint_of
from bot.message import utcnow

__all__ = ["Made", "alone", "fingerprint_of", "make", "train", "trained"]

_LOG = "train.log"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_SPOILT = re.compile(r"^(?:Traceback|[\w.]*(?:Error|Exception)\b)")

#: Told the share that is done, 0.0 to 1.0, and what is being done.
Progress = Callable[[float, str], None]


@dataclass
class Made:
    """What a child process did: the model, and how each model did in the tests.

    `exams` is by the model's path; `confusions` and `unseen` concern the first one (see
    `bot.dialogue.examining`). `untested` is why the model in use could not be tested, and
    `seconds` how long each part took.
    """

    model: Path
    exams: dict[str, dict[str, Any]] = field(default_factory=dict)
    confusions: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    untested: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


def train(root: Path, models: Path, *, force: bool = False) -> Path:
    """Return a model of the data under `root`, trained only if that has changed.

    The model returned is always the newest in `models`, which a directory loads. With
    `force` it is trained anew. Raises TrainingFailed, naming file and line where Rasa
    or a search of the files can tell; models that were there stay.
    """
    fingerprint = fingerprint_of(root)
    with alone(models):
        present = None if force else trained(models, fingerprint)
        return present or make(root, models).model


def trained(models: Path, fingerprint: str) -> Path | None:
    """Return the model of that fingerprint, made the newest in `models`; None without one."""
    mine = sorted(models.glob(f"*-{fingerprint}.tar.gz"))
    if not mine:
        return None
    newest = max(models.glob("*.tar.gz"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    if newest != mine[-1]:
        # The data went back to an earlier version of itself.
        os.utime(mine[-1])
    return mine[-1]


def make(
    root: Path,
    models: Path,
    *,
    present: Path | None = None,
    against: Path | None = None,
    tests: bool = False,
    progress: Progress | None = None,
) -> Made:
    """Train a model of the data under `root` into `models`, unless it is `present`.

    With `tests` it is tested, and so is the model `against`. Whoever calls holds `alone`.
    Raises TrainingFailed.
    """
    notes = _checked(root)
    name = f"{utcnow():%Y%m%d-%H%M%S}-{fingerprint_of(root)}"
    work = Path(tempfile.mkdtemp(prefix=".training-", dir=models.resolve()))
    model = present or work / f"{name}.tar.gz"
    wanted = {
        "train": None if present else {"out": str(work), "name": name},
        "domain": domain_of(root).name,
        "data": [part for part in DATA if (root / part).is_dir()],
        "models": [str(path.resolve()) for path in (model, against) if path] if tests else [],
        "held_out": HELD_OUT if (root / HELD_OUT).is_file() else None,
        "stories": STORIES if any((root / STORIES).glob("**/test_*.yml")) else None,
        "report": str(work / "report.json"),
    }
    try:
        said = _child(root, models, wanted, progress)
        if not model.is_file():
            raise TrainingFailed("training ended without a model; see train.log")
        if not present:
            model = (work / model.name).rename(models / model.name)
        exams = {Path(path).name: exam for path, exam in said["exams"].items()}
    finally:
        shutil.rmtree(work, ignore_errors=True)
    notes += in_plain_words(said["warnings"])
    return Made(model, exams, said["confusions"], notes, said["untested"], said["seconds"])


def _checked(root: Path) -> list[str]:
    """Return the warnings about designers' files. Raises TrainingFailed for errors in them."""
    found = check_project(root)
    if errors := errors_of(found):
        raise TrainingFailed("\n".join(map(str, errors)))
    return [str(one) for one in found]


def _child(
    root: Path, models: Path, wanted: dict[str, Any], progress: Progress | None
) -> dict[str, Any]:
    """Run `bot.dialogue.child` and return its report. Raises TrainingFailed."""
    log = models / _LOG
    reads, writes = os.pipe()
    path = [str(Path(bot.__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    environ = {
        **os.environ,
        # The data may be anywhere, what reads it is this program.
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "PYTHONWARNINGS": "ignore",
        "RASA_CACHE_DIRECTORY": str((models / ".cache").resolve()),
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with log.open("wb") as output, open(reads, "rb") as told:
        try:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "bot.dialogue.child", json.dumps(wanted), str(writes)],
                cwd=root,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(writes,),
            )
        finally:
            os.close(writes)
        with _ended(process):
            for line in told:
                done, _, what = line.decode().rstrip("\n").partition(" ")
                if progress:
                    progress(float(done), what)
            status = process.wait()
    report = Path(wanted["report"])
    try:
        answer: dict[str, Any] = json.loads(report.read_text("utf-8"))
    except (OSError, ValueError):
        answer = {}
    problems = confirmed(root, answer)
    if status != 0 and not problems:
        problems = _last_words(_COLOURS.sub("", log.read_text("utf-8", "replace")))
        if status < 0:
            problems.append(f"the process was ended by signal {-status}")
    if problems:
        raise TrainingFailed("\n".join([*problems, f"(all of it: {log})"]))
    return answer


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Take the process along when this one is told to end."""
    try:
        yield
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


def _last_words(said: str) -> list[str]:
    """Return what training said of its failure: the last lines, from the error's name on."""
    lines = [line.rstrip() for line in said.replace("\r", "\n").splitlines() if line.strip()]
    for n in range(len(lines) - 1, -1, -1):
        if _SPOILT.match(lines[n]) and not lines[n].startswith("Traceback"):
            told = [line for line in lines[n:] if not line.startswith("\t - ")]
            return told[:12]
    return lines[-5:] or ["training said nothing"]


@contextmanager
def alone(models: Path) -> Iterator[None]:
    """Wait until no other process trains into `models`, which is made."""
    models.mkdir(parents=True, exist_ok=True)
    with (models / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
