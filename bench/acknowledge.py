"""How long a webhook waits for its 200 while the worker has more than it can do.

``python -m bench.acknowledge``, under a minute. Prints p50 and p99 idle and saturated, and ratios.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.load import SCRIPT, Customers, Provider, percentile
from bench.running import free_port, ours

IDLE_RATE, FLOOD_RATE = 5, 120
SECONDS = 15.0


async def measure(customers: Customers, per_second: int, first_chat: int) -> list[float]:
    """Post at a fixed rate, whatever the answers take; return each acknowledgement's seconds."""
    begin = time.perf_counter()
    tasks = []
    for n in range(int(per_second * SECONDS)):
        await asyncio.sleep(max(0.0, begin + n / per_second - time.perf_counter()))
        chat = first_chat + n % 200
        tasks.append(asyncio.create_task(customers.say(chat, SCRIPT[n % len(SCRIPT)])))
    return list(await asyncio.gather(*tasks))


async def main() -> None:
    """Print the table."""
    provider = Provider(free_port())
    await provider.start()
    with tempfile.TemporaryDirectory() as name, ours(Path(name), provider.port) as (url, _):
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            customers = Customers(url, session)
            for n in range(8):
                await customers.say(100 + n, "hello")
            await asyncio.sleep(3)
            idle = await measure(customers, IDLE_RATE, 1_000)
            answered = sum(q.qsize() for q in provider.got.values())
            flood = await measure(customers, FLOOD_RATE, 2_000)
            answered = sum(q.qsize() for q in provider.got.values()) - answered
    await provider.close()
    for label, values, rate in (("idle", idle, IDLE_RATE), ("saturated", flood, FLOOD_RATE)):
        print(
            f"{label:10} {rate:4}/s  p50 {percentile(values, 0.5) * 1e3:7.1f} ms  "
            f"p99 {percentile(values, 0.99) * 1e3:7.1f} ms  max {max(values) * 1e3:7.1f} ms"
        )
    ratio = percentile(flood, 0.5) / percentile(idle, 0.5)
    print(f"saturated / idle, p50: {ratio:.2f}")
    print(f"messages sent while {len(flood)} arrived: {answered}")


if __name__ == "__main__":
    asyncio.run(main())
