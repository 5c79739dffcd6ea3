"""Messages a second end to end, beside stock `rasa run` on the same model, and memory.

``python -m bench.throughput``, about two minutes. Both sides serve 64 customers of several bots who
each wait for their answer before they go on; with fewer, or with one bot, how many messages
Telegram allows would be measured. Ours takes webhooks, stores everything durably and sends
the answers to a provider over HTTP; stock answers its REST channel from memory.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.load import SCRIPT, Customers, Provider
from bench.running import ROOT, free_port, memory, ours, stock
from bot.dialogue.brain import newest

CLIENTS = 64
SECONDS = 20.0
WARM_UP = 4.0
SILENCE = 1.5


async def stock_rate(url: str) -> float:
    """Return messages a second through stock Rasa's REST channel."""
    done = 0
    begin = time.perf_counter() + WARM_UP

    async def customer(session: aiohttp.ClientSession, n: int) -> None:
        nonlocal done
        turn = 0
        while time.perf_counter() < begin + SECONDS:
            # A new conversation after 40 messages: stock slows down as they grow.
            body = {"sender": f"c{n}-{turn // 40}", "message": SCRIPT[turn % len(SCRIPT)]}
            async with session.post(url, json=body) as answer:
                replies = await answer.json()
            if not replies:
                raise RuntimeError(f"stock did not answer {body}")
            done += begin < time.perf_counter() < begin + SECONDS
            turn += 1

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(customer(session, n) for n in range(CLIENTS)))
    return done / SECONDS


async def our_rate(url: str, provider: Provider) -> float:
    """Return messages a second from webhook to the provider's API."""
    done = 0
    async with aiohttp.ClientSession() as session:
        customers = Customers(url, session)
        replies = [await _replies(customers, provider, text) for text in SCRIPT]
        begin = time.perf_counter() + WARM_UP

        async def customer(n: int) -> None:
            nonlocal done
            turn = 0
            while time.perf_counter() < begin + SECONDS:
                # Of other bots, as 1,001 is no multiple of their number.
                chat = 10_000 + n * 1_001 + turn // 40
                await customers.say(chat, SCRIPT[turn % len(SCRIPT)])
                for _ in range(replies[turn % len(SCRIPT)]):
                    await asyncio.wait_for(provider.got[str(chat)].get(), 60)
                done += begin < time.perf_counter() < begin + SECONDS
                turn += 1

        await asyncio.gather(*(customer(n) for n in range(CLIENTS)))
    return done / SECONDS


async def _replies(customers: Customers, provider: Provider, text: str) -> int:
    """Return how many messages answer `text`, by waiting until no more come."""
    await customers.say(5_000, text)
    count = 0
    while True:
        try:
            await asyncio.wait_for(provider.got["5000"].get(), SILENCE if count else 30)
        except asyncio.TimeoutError:
            return count
        count += 1


async def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with stock(directory, newest(ROOT / "models")) as (url, running):
            theirs = await stock_rate(url)
            their_memory = memory(running)
        provider = Provider(free_port())
        await provider.start()
        with ours(directory, provider.port) as (url, running):
            mine = await our_rate(url, provider)
            my_memory = memory(running)
        await provider.close()
    print(f"stock rasa run   {theirs:7.1f} messages/s (REST, answers kept in memory)")
    print(f"bot run          {mine:7.1f} messages/s (webhook to provider, all stored)")
    print(f"ratio            {mine / theirs:7.2f}")
    print("\nmemory, proportional, MB")
    for side, rows in (("stock", their_memory), ("ours", my_memory)):
        for process, size in rows:
            print(f"  {side:6} {process:28} {size:7.0f}")


if __name__ == "__main__":
    asyncio.run(main())
