"""A whole instance as an operator runs it: `bot run`, its children, and the sandbox."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

from bot.sandbox.shopify import TOKEN
from bot.settings import Settings, load
from bot.store import Store, open_store
from bot.store.messages import Message
from bot.store.turns import Turn
from connectors import CHANNELS, connector_class
from tests.kit.ports import free_ports

REPOSITORY = Path(__file__).parents[2]
#: Importing Rasa takes ten seconds on an idle machine, training as long again, and either takes
#: many times that where others are at work.
START_SECONDS = 200.0
STOP_SECONDS = 10.0
#: Times an operator would set for a test: what takes seconds in production takes tenths.
LIMITS = {
    "poll_seconds": 0.2,
    "lease_seconds": 5,
    "send_timeout_seconds": 3,
    "retry_base_seconds": 0.1,
    "retry_cap_seconds": 2,
    "unsure_grace_seconds": 2,
    "restart_cap_seconds": 0.5,
}
#: The stand-in of a model answers at once, as far as the machine lets it.
MODEL_SECONDS = {"timeout_seconds": 40, "first_seconds": 40}
_READY = "ready, model"
_ANY_ENTRY = "bot.cli"


class Instance:
    """One instance in a directory of its own.

    Without `apart` the sandbox is a child of `bot run`, as with `make run`. With it the
    sandbox is a process beside it, as providers are: it survives a kill of `bot run`.
    With `shopify` orders are those of the sandbox's shop, and not in the store. With `senses`
    the sandbox's models look at pictures and listen to recordings.
    """

    def __init__(
        self,
        directory: Path,
        *,
        apart: bool = False,
        workers: int = 1,
        limits: Mapping[str, Any] = LIMITS,
        models: Path | None = None,
        shopify: bool = False,
        senses: bool = False,
    ) -> None:
        self.directory = directory
        self.var = directory / "var"
        self.apart = apart
        self.log = directory / "instance.log"
        #: The store's own directory, so that it can be taken away.
        self.store_directory = directory / "db"
        self._store_url = f"sqlite:{self.store_directory / 'bot.db'}"
        port, sandbox_port = free_ports(2)
        self.gateway_url = f"http://127.0.0.1:{port}"
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        self._endpoints = directory / "endpoints.yml"
        # No credentials.yml that a developer has in the repository is to be read.
        self._no_credentials = directory / "credentials.yml"
        self._credentials = self.var / "sandbox" / "credentials.yml"
        directory.mkdir(parents=True, exist_ok=True)
        self._no_credentials.write_text("")
        llm = {"url": f"{self.sandbox_url}/llm/v1"}
        settings = {
            "server": {"port": port, "public_url": self.gateway_url},
            "sandbox": {"port": sandbox_port},
            "store": {"url": self._store_url},
            "worker": {"concurrency": workers},
            "limits": dict(limits),
            # The sandbox's stand-in of a language model, treated as somebody else's.
            "llm": [{**llm, "model": "helper", "mask": "always", **MODEL_SECONDS}],
            "budget": {"conversation_tokens": 0},
            # Somebody is always here: what is said at night is tested by the turn's own tests.
            "desk": {"routing": str(_open_at_all_hours(directory))},
            "model": str(models or REPOSITORY / "models"),
        }
        if shopify:
            url = f"{self.sandbox_url}/shopify"
            settings["backends"] = {"shop": {"kind": "shopify", "url": url, "token": TOKEN}}
        if senses:
            settings["llm"] = [{**llm, "model": "honest", "vision": True, **MODEL_SECONDS}]
            ears = {"engine": "endpoint", "model": "honest", "timeout_seconds": 40}
            settings["transcription"] = {**llm, **ears}
            settings["media"] = {"wait_seconds": 20}
        with self._endpoints.open("w") as file:
            YAML(typ="safe").dump(settings, file)
        self._run: subprocess.Popen[bytes] | None = None
        self._sandbox: subprocess.Popen[bytes] | None = None
        self._sessions: list[int] = []

    def start(self) -> None:
        """Start the processes; `ready` tells when the workers answer."""
        if self.apart and self._sandbox is None:
            self._sandbox = self._begin("sandbox", *self._files(self._no_credentials))
            wait_for(self._credentials.exists, "the sandbox wrote its credentials")
            # Customers write as soon as it listens, whatever else is not there yet.
            wait_for(lambda: _listens(self.sandbox_url), "the sandbox listens")
        if self.apart:
            self._run = self._begin("run", *self._files(self._credentials))
        else:
            self._run = self._begin("run", "--sandbox", *self._files(self._no_credentials))

    def ready(self, workers: int = 1, since: int = 0) -> None:
        """Wait until `workers` of them said so in the log after its byte `since`."""

        def said() -> bool:
            assert self._run is not None
            if self._run.poll() is not None:
                raise AssertionError(f"bot run ended with {self._run.returncode}\n{self.tail()}")
            return self.logged(since).count(_READY) >= workers

        wait_for(said, "a worker is ready", START_SECONDS, self.tail)

    @property
    def is_ready(self) -> bool:
        """Whether any worker was ever ready."""
        return _READY in self.logged()

    def logged(self, since: int = 0) -> str:
        """What the processes logged after the byte `since`."""
        with contextlib.suppress(FileNotFoundError), self.log.open("rb") as file:
            file.seek(since)
            return file.read().decode("utf-8", "replace")
        return ""

    @property
    def log_size(self) -> int:
        """The log's length in bytes, to be given to `logged` and `ready` later."""
        return self.log.stat().st_size if self.log.exists() else 0

    def tail(self, lines: int = 60) -> str:
        """The end of the log, for a failed assertion."""
        return "\n".join(self.logged().splitlines()[-lines:])

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one `bot` command against this instance to its end."""
        verb, *rest = arguments
        return subprocess.run(
            [*_BOT, verb, *self._files(self._credentials), *rest],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            env=_environ(),
            timeout=120,
        )

    def files(self) -> list[str]:
        """The arguments that point a `bot` command at this instance."""
        return self._files(self._credentials)

    def settings(self) -> Settings:
        """The settings its processes run with."""
        credentials = self._credentials if self._credentials.exists() else self._no_credentials
        return load(
            channels=CHANNELS,
            schema_of=lambda channel: connector_class(channel).Account,
            endpoints=self._endpoints,
            credentials=credentials,
            var=self.var,
        )

    def store(self) -> Store:
        """The instance's store, opened anew; close it."""
        return open_store(self._store_url)

    def rows(self, conversation: str) -> str:
        """A conversation's messages and turns as the store has them, for a failed assertion."""
        store = self.store()
        try:
            messages = store.find(
                Message, {"conversation": conversation}, sort=("arrived",), limit=400
            )
            turns = store.find(Turn, {"conversation": conversation}, sort=("seq",), limit=400)
        finally:
            store.close()
        lines = [f"conversation {conversation}"]
        for m in messages:
            lines.append(
                f"  {m.arrived} {m.direction:3} {m.status:9} order {m.order} tries {m.attempts} "
                f"due {m.due:%H:%M:%S.%f} {m.id} -> {m.provider_id} {m.reason or ''} "
                f"{str(m.content)[:90]}"
            )
        lines += [f"  turn {t.seq} {t.at:%H:%M:%S.%f} {t.id} {t.decision}" for t in turns]
        return "\n".join(lines)

    # Processes.

    @property
    def run(self) -> psutil.Process:
        """The process `bot run`."""
        assert self._run is not None
        return psutil.Process(self._run.pid)

    def processes(self, role: str) -> list[psutil.Process]:
        """The living processes of a role: gateway, sandbox, zygote or worker.

        The zygote has Rasa imported and forks the workers.
        """
        wanted = "worker" if role == "zygote" else role
        found = [p for p in self._living() if _role(p) == wanted]
        if wanted != "worker":
            return found
        assert self._run is not None
        run = self._run.pid
        return [p for p in found if (_parent(p) == run) == (role == "zygote")]

    def training(self) -> list[psutil.Process]:
        """The processes in which Rasa trains."""
        return [p for p in self._living() if "bot.dialogue.child" in _cmdline(p)]

    def kill(self, role: str, most: int = 1000) -> int:
        """Kill -9 the processes of a role, or `run`; return how many there were."""
        victims = [self.run] if role == "run" else self.processes(role)[:most]
        killed = 0
        for process in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
                killed += 1
        if role == "run" and self._run is not None:
            self._run.wait()
        return killed

    def stop(self) -> tuple[int, float]:
        """Ask `bot run` to stop; return its exit status and the seconds it took.

        Raises subprocess.TimeoutExpired when it is still there after three times what it may take.
        """
        assert self._run is not None
        began = time.monotonic()
        self._run.send_signal(signal.SIGTERM)
        status = self._run.wait(STOP_SECONDS * 3)
        return status, time.monotonic() - began

    def left(self) -> list[str]:
        """The processes of `bot run` and of whatever it started that still live."""
        aside = self._sandbox.pid if self._sandbox else 0
        return [_line(p) for p in self._living() if p.pid != aside]

    def close(self) -> None:
        """End everything, whatever state it is in."""
        for process in (self._run, self._sandbox):
            if process is not None and process.poll() is None:
                process.terminate()
        for process in (self._run, self._sandbox):
            if process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_SECONDS + 5)
        rest = self._living()
        for one in rest:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(rest, 5)
        for process in (self._run, self._sandbox):
            if process is not None:
                process.wait(5)
                if process.stdin is not None:
                    process.stdin.close()

    def _files(self, credentials: Path) -> list[str]:
        files = {"endpoints": self._endpoints, "credentials": credentials, "var": self.var}
        return [part for name, path in files.items() for part in (f"--{name}", str(path))]

    def _begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*_BOT, *arguments],
                # The end of its input is the end of this process, also by kill -9.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
                env={**_environ(), "FRONTDESK_SUPERVISED": "1"},
                # A session finds all descendants again, also those whose parent is gone.
                start_new_session=True,
            )
        self._sessions.append(process.pid)
        return process

    def _living(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                ours = os.getsid(process.pid) in self._sessions
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


@contextlib.contextmanager
def running(directory: Path, **how: Any) -> Iterator[Instance]:
    """Give an instance, made as `Instance` says, that answers; nothing of it may be left."""
    made = Instance(directory, **how)
    try:
        made.start()
        made.ready()
        yield made
    finally:
        made.close()
    assert made.left() == []


@contextlib.contextmanager
def watching(instance: Instance, project: Path, *options: str) -> Iterator[Path]:
    """Run ``bot watch`` on a project's copy beside an instance; yield the file it talks into."""
    said = instance.directory / "watch.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [*_BOT, "watch", *instance.files(), "--live", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=project,
            # The data is the copy's, the program is this one.
            env={**_environ(), "PYTHONPATH": str(REPOSITORY)},
        )
    try:
        yield said
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


_BOT: Sequence[str] = (sys.executable, "-m", _ANY_ENTRY)


def wait_for(
    true: Callable[[], Any],
    what: str,
    timeout: float = 60.0,
    why: Callable[[], str] = lambda: "",
) -> Any:
    """Return what `true` gives once that is truthy; AssertionError with `why` in the end."""
    end = time.monotonic() + timeout
    while not (found := true()):
        assert time.monotonic() < end, f"not in {timeout:g} s: {what}\n{why()}"
        time.sleep(0.02)
    return found


def _open_at_all_hours(directory: Path) -> Path:
    """Write the project's routing with other hours; return the file."""
    text = (REPOSITORY / "data" / "routing.yml").read_text("utf-8")
    hours = re.compile(r"^  (mon-fri|sat|sun): .*$", re.M)
    text, count = hours.subn(r"  \1: 00:00-24:00", text)
    assert count == 3, "the days of data/routing.yml are written otherwise"
    text = re.sub(r"^  holidays:\n(    - .*\n)+", "", text, flags=re.M)
    path = directory / "routing.yml"
    path.write_text(text, "utf-8")
    return path


def _environ() -> dict[str, str]:
    ours = ("FRONTDESK_", "CREDENTIALS_FILE", "ENDPOINTS_FILE")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)}


def _listens(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
        return True
    return False


def _role(process: psutil.Process) -> str:
    line = _cmdline(process)
    return line[line.index(_ANY_ENTRY) + 1] if _ANY_ENTRY in line[:-1] else ""


def _cmdline(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return list(process.cmdline())
    return []


def _parent(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return int(process.ppid())
    return 0


def _line(process: psutil.Process) -> str:
    return f"{process.pid} {' '.join(_cmdline(process))[:120]}"
