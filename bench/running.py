"""Ours and stock Rasa as whole processes, on the same model."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
from ruamel.yaml import YAML

from bench.load import ACCOUNTS, SECRET, account_of

ROOT = Path(__file__).parents[1]
START_SECONDS = 180.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def wait(true: Callable[[], bool], what: str) -> None:
    """Return once `true` holds. Raises TimeoutError naming `what`."""
    end = time.monotonic() + START_SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)


@contextlib.contextmanager
def process(
    arguments: list[str], log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in the repository's root with its output in `log`; end it and its children."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            arguments,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


@contextlib.contextmanager
def ours(
    directory: Path, provider_port: int, models: Path = ROOT / "models"
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run `bot run` with Telegram accounts at the bench's provider; yield its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    accounts = [
        {
            "account": account_of(n),
            "token": f"{n + 1}:bench",
            "secret_token": SECRET,
            "api_url": f"http://127.0.0.1:{provider_port}",
        }
        for n in range(ACCOUNTS)
    ]
    files = {
        "endpoints": {"server": {"port": port, "public_url": url}, "model": str(models)},
        "credentials": {"telegram": accounts},
    }
    arguments = [sys.executable, "-m", "bot.cli", "run", "--var", str(directory / "var")]
    for name, content in files.items():
        with (directory / f"{name}.yml").open("w") as file:
            YAML(typ="safe").dump(content, file)
        arguments += [f"--{name}", str(directory / f"{name}.yml")]
    log = directory / "ours.log"
    with process(arguments, log) as running:
        wait(lambda: b"ready, model" in log.read_bytes(), f"ours is not ready, see {log}")
        yield url, running


@contextlib.contextmanager
def stock(directory: Path, model: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run `rasa run` with its REST channel and an action server; yield the webhook's URL."""
    port, actions_port = free_port(), free_port()
    environ = {
        "FRONTDESK_STORE_URL": f"sqlite:{directory / 'stock.db'}",
        "FRONTDESK_PUBLIC_URL": "http://127.0.0.1:8080",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "RASA_TELEMETRY_ENABLED": "false",
    }
    (directory / "rest.yml").write_text("rest:\n")
    (directory / "stock.yml").write_text(
        f'action_endpoint: {{url: "http://127.0.0.1:{actions_port}/webhook"}}\n'
    )
    rasa = [sys.executable, "-m", "rasa"]
    serve = [*rasa, "run", "--model", str(model), "--port", str(port), "--interface", "127.0.0.1"]
    serve += ["--endpoints", str(directory / "stock.yml")]
    serve += ["--credentials", str(directory / "rest.yml")]
    act = [*rasa, "run", "actions", "--port", str(actions_port)]
    with (
        process(act, directory / "actions.log", environ),
        process(serve, directory / "stock.log", environ) as running,
    ):
        wait(lambda: _answers(f"http://127.0.0.1:{port}/"), "stock rasa is not ready")
        wait(lambda: _answers(f"http://127.0.0.1:{actions_port}/health"), "no action server")
        yield f"http://127.0.0.1:{port}/webhooks/rest/webhook", running


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def memory(running: subprocess.Popen[bytes]) -> list[tuple[str, float]]:
    """Return name and proportional memory in MB of a process and all below it.

    Proportional (PSS): what forked workers share is counted once, in parts.
    """
    top = psutil.Process(running.pid)
    found = []
    for one in [top, *top.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            words = one.cmdline()
            name = " ".join(words[words.index("-m") + 1 :][:2]) if "-m" in words else one.name()
            if one.pid != top.pid and one.ppid() != top.pid:
                name += " (forked)"
            found.append((name, one.memory_full_info().pss / 2**20))
    return found
