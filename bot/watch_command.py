"""``bot watch``: each save of a designer is checked, its words go live, and training follows.

It goes on until it is interrupted, whatever is wrong with the files: the bot that runs is
changed by nothing that has an error.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.dialogue.checking import ERROR, Finding, check_project, errors_of
from bot.dialogue.checking.files import Stamp, files_of, stamps
from bot.dialogue.errors import ModelError, TrainingFailed
from bot.dialogue.live import LiveWords, domain_in, fits, publish, read_words, withdraw
from bot.dialogue.promoting import Models
from bot.dialogue.sources import fingerprint_of
from bot.media.vault import AsyncVault, open_vault
from bot.message import utcnow
from bot.settings import Settings
from bot.store import AsyncStore, StoreError, open_store
from bot.store.documents import DOCUMENTS

#: Seconds between two looks at the files; after a save, until an editor has written all of it;
#: after the last save, until training begins.
_POLL, _SETTLE, _QUIET = 0.3, 0.1, 2.0
#: Seconds in which workers take up a model that was trained; then its words need not be live.
_TAKEN_UP = 15.0
_SHOWN = 40

Seen = dict[Path, Stamp]


@dataclass
class Trained:
    """How training ended."""

    ok: bool
    said: Sequence[str]


def look(root: Path) -> Seen:
    """Return what tells one version of the files from the next."""
    return stamps(files_of(root))


@dataclass
class Watching:
    """What is done at each save. `say` prints a line; `train` makes a model, niced.

    `publish` and `withdraw` put words into the running bot, if they go with its model, and take
    them out again; None where that is not wanted.
    """

    root: Path
    say: Callable[[str], None]
    train: Callable[[], Awaitable[Trained]] | None = None
    publish: Callable[[LiveWords], Awaitable[bool]] | None = None
    withdraw: Callable[[str], Awaitable[bool]] | None = None
    quiet: float = _QUIET
    taken_up: float = _TAKEN_UP
    _wanted: float = field(default=0.0, init=False)
    _tried: str = field(default="", init=False)
    _live: str = field(default="", init=False)
    _training: asyncio.Task[None] | None = field(default=None, init=False)

    async def run(self) -> None:
        """Watch until cancelled."""
        seen = look(self.root)
        try:
            await self._guarded(self.saved([], first=True))
            while True:
                await asyncio.sleep(_POLL)
                now = look(self.root)
                if now != seen:
                    await asyncio.sleep(_SETTLE)
                    now = look(self.root)
                    changed = [p for p in {**seen, **now} if seen.get(p) != now.get(p)]
                    seen = now
                    await self._guarded(self.saved(changed))
                self._train_when_due()
        finally:
            if self._training is not None:
                self._training.cancel()
                await asyncio.gather(self._training, return_exceptions=True)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except StoreError as error:
            self.say(f"the store: {error}")
        except Exception as error:
            # A designer's next save must find this still running.
            self.say(f"{type(error).__name__}: {error}")

    async def saved(self, changed: Sequence[Path], *, first: bool = False) -> None:
        """Check everything, say what is wrong, and pass on what is right."""
        if changed:
            names = sorted(path.relative_to(self.root).as_posix() for path in changed)
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            self.say(f"{', '.join(names[:3])}{more} changed")
        before = look(self.root)
        # In a thread of its own: Ctrl-C is heard, and training goes on being read from.
        findings = await asyncio.to_thread(check_project, self.root)
        self.say_findings(findings)
        if errors_of(findings):
            self._wanted = 0.0
            return
        words = await asyncio.to_thread(read_words, self.root)
        if look(self.root) != before:
            # What was saved meanwhile is checked before anybody reads it.
            return
        if self.publish is not None and words is not None and words.digest != self._live:
            if await self.publish(words):
                self._live = words.digest
                if not first:
                    self.say("responses are live")
            else:
                self.say("responses wait for the next model: not only words have changed")
        self._wanted = time.monotonic()

    def say_findings(self, findings: Sequence[Finding]) -> None:
        """Say what is wrong, errors last: they are read first in a terminal."""
        for found in sorted(findings, key=lambda one: one.level == ERROR)[-_SHOWN:]:
            self.say(str(found))
        if len(findings) > _SHOWN:
            self.say(f"and {len(findings) - _SHOWN} more")
        wrong = len(errors_of(findings))
        if wrong:
            self.say(f"{_count(wrong, 'error')}: the running bot is left as it is")
        elif findings:
            self.say(f"{_count(len(findings), 'warning')}, no error")
        else:
            self.say("all is well")

    def _train_when_due(self) -> None:
        if self.train is None or not self._wanted:
            return
        if self._training is not None and not self._training.done():
            return
        if time.monotonic() - self._wanted < self.quiet:
            return
        self._wanted = 0.0
        try:
            fingerprint = fingerprint_of(self.root)
        except (TrainingFailed, OSError) as error:
            self.say(str(error))
            return
        if fingerprint != self._tried:
            self._tried = fingerprint
            self._training = asyncio.create_task(self._trained(self.train, self._live))

    async def _trained(self, train: Callable[[], Awaitable[Trained]], live: str) -> None:
        began = time.monotonic()
        self.say("training in the background")
        done = await train()
        for line in done.said:
            self.say(f"  {line}")
        took = time.monotonic() - began
        if not done.ok:
            self.say(f"training ended without a model to use, after {took:.0f} s")
            return
        self.say(f"done in {took:.0f} s")
        if self.withdraw is not None and live:
            # The model has these words now, and one that is gone back to keeps its own.
            await asyncio.sleep(self.taken_up)
            with contextlib.suppress(StoreError):
                await self.withdraw(live)


async def train_niced(command: Sequence[str]) -> Trained:
    """Run ``bot train`` with what the machine has to spare; end it when cancelled."""
    process = await asyncio.create_subprocess_exec(
        "nice",
        "-n",
        "15",
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
    text = said.decode("utf-8", "replace").replace("\r", "\n")
    return Trained(process.returncode == 0, [line for line in text.splitlines() if line.strip()])


async def watch(args: argparse.Namespace, settings: Settings) -> int:
    """Watch the project in this directory until interrupted."""
    live = args.live or not settings.channels
    store = AsyncStore(open_store(settings.store.url), DOCUMENTS) if live else None
    if not live:
        print("real accounts are configured: responses go live by training, or with --live")

    def say(line: str) -> None:
        print(f"{utcnow().astimezone():%H:%M:%S}  {line}", flush=True)

    command = [sys.executable, "-m", "bot.cli", "train"]
    for name in ("endpoints", "credentials", "var"):
        value = getattr(args, name)
        command += [f"--{name}", str(value)] if value else []
    watching = Watching(
        Path(),
        say,
        train=None if args.no_train else lambda: train_niced(command),
        publish=(lambda words: show(words, store, settings)) if store else None,
        withdraw=(lambda digest: withdraw(store, digest)) if store else None,
    )
    running = asyncio.create_task(watching.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    if store is not None:
        await store.close()
    return 0


async def show(words: LiveWords, store: AsyncStore, settings: Settings) -> bool:
    """Have the workers say `words`, unless the model in use would not take them.

    Then what is live stays so. Returns whether they are said. Raises StoreError.
    """
    domain = await _domain_in_use(store, settings)
    if domain is not None and not fits(words, domain):
        return False
    await publish(store, words)
    return True


async def _domain_in_use(store: AsyncStore, settings: Settings) -> dict[str, Any] | None:
    model = Path(settings.model)
    if not await asyncio.to_thread(model.is_file):
        models = Models(store, AsyncVault(open_vault(settings)))
        pointer = await models.in_use()
        if pointer is None:
            return None
        try:
            model = await models.fetch(pointer.model, model)
        except ModelError:
            # Workers will say so; what they make of the words is not known here.
            return None
    return await asyncio.to_thread(domain_in, model)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
