"""Trains a model when what designers edit has changed. Imports nothing heavy.

A model's name ends with the fingerprint of what it was trained from, so that the
model of unchanged data is found by its name. Training runs in a process of its own;
what it writes goes to ``train.log`` beside the models.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.dialogue.errors import TrainingFailed
from bot.message import utcnow

#: What a model is made of, beside config.yml and domain.yml (or a directory ``domain``).
_DATA = ("data/nlu", "data/rules", "data/stories")
_DIGITS = 12
_LOG = "train.log"

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
#: Rasa only warns of these, and trains a bot that never does what the story says.
_UNKNOWN = re.compile(
    r"Found (?:intent|entity|slot) '([^']+)' in stories which is not part of the domain"
    r"|The intent '([^']+)' is used in your stories, but it is not listed"
    r"|There is a message in the training data labeled with intent '([^']+)'"
)
_NAMED = re.compile(r"'([\w/.-]+)'")
_SPOILT = re.compile(r"^(?:Traceback|[\w.]*(?:Error|Exception)\b)")


def train(root: Path, models: Path, *, force: bool = False) -> Path:
    """Return a model of the data under `root`, trained only if that has changed.

    The model returned is always the newest in `models`, which a directory loads. With
    `force` it is trained anew. Raises TrainingFailed, naming file and line where Rasa
    or a search of the files can tell; models that were there stay.
    """
    fingerprint = fingerprint_of(root)
    models.mkdir(parents=True, exist_ok=True)
    with _alone(models):
        present = None if force else trained(models, fingerprint)
        if present:
            return present
        return _train(root, models, fingerprint)


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


def fingerprint_of(root: Path) -> str:
    """Return what identifies the training data under `root` and the Rasa that reads it.

    Raises TrainingFailed when there is none.
    """
    digest = hashlib.sha256(version("rasa").encode())
    for path in _sources(root):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(root)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:_DIGITS]


def _sources(root: Path) -> list[Path]:
    domain = root / "domain.yml"
    needed = [root / "config.yml", domain if domain.is_file() else root / "domain"]
    for path in needed:
        if not path.exists():
            raise TrainingFailed(f"{path}: is missing; it is needed to train a model")
    found: list[Path] = []
    for path in [*needed, *(root / part for part in _DATA)]:
        found += [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [path for path in found if path.suffix in (".yml", ".yaml", ".json", ".txt")]


def _train(root: Path, models: Path, fingerprint: str) -> Path:
    _check_syntax(root)
    name = f"{utcnow():%Y%m%d-%H%M%S}-{fingerprint}"
    domain = "domain.yml" if (root / "domain.yml").is_file() else "domain"
    work = Path(tempfile.mkdtemp(prefix=".training-", dir=models.resolve()))
    log = models / _LOG
    command = [
        *(sys.executable, "-m", "rasa", "train", "--domain", domain, "--config", "config.yml"),
        *("--out", str(work), "--fixed-model-name", name, "--data"),
        *(part for part in _DATA if (root / part).is_dir()),
    ]
    environ = {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "RASA_CACHE_DIRECTORY": str((models / ".cache").resolve()),
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    try:
        with log.open("wb") as output:
            ended = subprocess.run(  # noqa: S603
                command,
                cwd=root,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        said = _COLOURS.sub("", log.read_text("utf-8", "replace"))
        problems = _unknown(root, said)
        made = work / f"{name}.tar.gz"
        if ended.returncode != 0 or not made.is_file():
            problems = problems or _located(root, _last_words(said))
        if problems:
            raise TrainingFailed("\n".join([*problems, f"(all of it: {log})"]))
        model = models / made.name
        made.rename(model)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return model


def _check_syntax(root: Path) -> None:
    """Say at once what Rasa would only say after it has been imported. Raises TrainingFailed."""
    problems = []
    for path in _sources(root):
        try:
            if path.suffix in (".yml", ".yaml"):
                list(YAML(typ="safe").load_all(path))
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            problems.append(f"{path}{line}: {getattr(error, 'problem', None) or error}")
        except UnicodeDecodeError as error:
            problems.append(f"{path}: is not UTF-8, byte {error.start}")
    if problems:
        raise TrainingFailed("\n".join(problems))


def _unknown(root: Path, said: str) -> list[str]:
    """Return a line for each name that stories or rules use and the domain lacks."""
    names = dict.fromkeys(
        name for match in _UNKNOWN.finditer(said) for name in match.groups() if name
    )
    return [f"{_where(root, name) or root}: {name!r} is not in the domain" for name in names]


def _last_words(said: str) -> list[str]:
    """Return what training said of its failure: the last lines, from the error's name on."""
    lines = [line.rstrip() for line in said.replace("\r", "\n").splitlines() if line.strip()]
    for n in range(len(lines) - 1, -1, -1):
        if _SPOILT.match(lines[n]) and not lines[n].startswith("Traceback"):
            told = [line for line in lines[n:] if not line.startswith("\t - ")]
            return told[:12]
    return lines[-5:] or ["training said nothing"]


def _located(root: Path, lines: list[str]) -> list[str]:
    """Put file and line before a message that only quotes a name."""
    if any(re.search(r"\.ya?ml:?\d*", line) for line in lines):
        return lines
    for line in lines:
        for name in _NAMED.findall(line):
            where = _where(root, name)
            if where:
                return [f"{where}: {lines[0]}", *lines[1:]]
    return lines


def _where(root: Path, name: str) -> str | None:
    """Return ``file:line`` of the first use of a name in rules and stories, then elsewhere."""
    word = re.compile(rf"(?<![\w/-]){re.escape(name)}(?![\w/-])")
    for path in sorted(_sources(root), key=lambda p: ("domain" in p.name, "nlu" in p.parts)):
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if word.search(line):
                return f"{path}:{number}"
    return None


@contextmanager
def _alone(models: Path) -> Iterator[None]:
    """Wait until no other process trains into `models`."""
    with (models / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
