"""How long a customer waits for an answer while a worker takes another model up.

``python -m bench.swap [SWAPS]``, about a minute. One worker, customers who write four times a
second from the webhook to the provider; models are promoted one after the other meanwhile. Prints
waits in calm and during swaps, and what a swap costs in excess of calm.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.load import Customers, Provider, percentile
from bench.running import ROOT, free_port, ours
from bot.dialogue.brain import newest
from bot.dialogue.promoting import SUFFIX, Models
from bot.media.folder import FolderVault
from bot.media.vault import AsyncVault
from bot.store import AsyncStore, open_store
from bot.store.documents import DOCUMENTS

SWAPS = 5
PER_SECOND = 4
WARM_UP, CALM_SECONDS = 3.0, 10.0
#: What is answered by one message, and does not lead into a form.
TEXT = "what are your opening hours?"
_SWAPPED = re.compile(rb"model \S+ instead of \S+, after ([\d.]+) s")
# What was written up to this long after a swap counts as written during it.
_TAIL_SECONDS = 1.0


@dataclass
class Waits:
    """When each message was written, and the seconds until its answer was there."""

    seconds: list[tuple[float, float]] = field(default_factory=list)
    sent: int = 0

    def between(self, begin: float, end: float) -> list[float]:
        """Return the waits of the messages that were open at any time from `begin` to `end`."""
        return [took for at, took in self.seconds if at <= end and at + took >= begin]


async def write(customers: Customers, provider: Provider, waits: Waits) -> None:
    """Have another customer write at each beat, whatever the answers take; until cancelled."""
    begin = time.perf_counter()
    tasks = set()

    async def one(chat: int) -> None:
        at = time.perf_counter()
        await customers.say(chat, TEXT)
        heard = await asyncio.wait_for(provider.got[str(chat)].get(), 60)
        waits.seconds.append((at, heard - at))

    try:
        while True:
            await asyncio.sleep(max(0.0, begin + waits.sent / PER_SECOND - time.perf_counter()))
            tasks.add(asyncio.create_task(one(10_000 + waits.sent)))
            waits.sent += 1
    except asyncio.CancelledError:
        await asyncio.gather(*tasks)


async def swap(models: Models, name: str, log: Path) -> tuple[float, float, float]:
    """Promote a model; return begin and end of its taking up, and how long the worker says."""
    before = len(_taken_up(log))
    begin = time.perf_counter()
    await models.promote(name, by="bench")
    while len(found := _taken_up(log)) == before:
        await asyncio.sleep(0.02)
        if time.perf_counter() - begin > 60:
            raise TimeoutError(f"{name} was not taken up, see {log}")
    return begin, time.perf_counter(), float(found[-1])


def _taken_up(log: Path) -> list[bytes]:
    return _SWAPPED.findall(log.read_bytes())


async def main(swaps: int) -> None:
    """Print the table."""
    provider = Provider(free_port())
    await provider.start()
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder, var, log = directory / "models", directory / "var", directory / "ours.log"
        folder.mkdir()
        model = Path(shutil.copy2(newest(ROOT / "models"), folder))
        url, _ = stack.enter_context(ours(directory, provider.port, folder))
        store = AsyncStore(open_store(f"sqlite:{var / 'bot.db'}"), DOCUMENTS)
        models = Models(store, AsyncVault(FolderVault(var / "media")))
        waits = Waits()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            customers = Customers(url, session)
            writing = asyncio.create_task(write(customers, provider, waits))
            await asyncio.sleep(WARM_UP)
            calm = time.perf_counter()
            await asyncio.sleep(CALM_SECONDS)
            windows = [(calm, time.perf_counter(), 0.0)]
            for number in range(swaps):
                copied = directory / f"swap{number}{SUFFIX}"
                shutil.copy(model, copied)
                await models.take_in(copied)
                windows.append(await swap(models, f"swap{number}", log))
                await asyncio.sleep(_TAIL_SECONDS)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        await store.close()
    await provider.close()
    usual = percentile(waits.between(*windows[0][:2]), 0.5)
    worst = 0.0
    for number, (begin, end, took) in enumerate(windows):
        found = waits.between(begin, end + _TAIL_SECONDS if number else end)
        what = f"swap {number}, {took:.1f} s" if number else "calm"
        print(
            f"{what:14} {len(found):3} messages, p50 {percentile(found, 0.5) * 1e3:5.0f} ms, "
            f"worst {max(found) * 1e3:5.0f} ms"
        )
        worst = max(worst, max(found) if number else 0.0)
    print(f"longest wait during a swap beyond the usual: {(worst - usual) * 1e3:.0f} ms")
    print(f"written {waits.sent}, answered {len(waits.seconds)}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else SWAPS))
