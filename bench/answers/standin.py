"""The sandbox's chat models, on a port of this process's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.llm.client import Llm
from bot.sandbox.llm import ChatModels
from bot.settings import Budget
from bot.settings import Llm as Entry


@asynccontextmanager
async def stand_in(manner: str) -> AsyncIterator[Llm]:
    """Serve a model of this manner, and give a client of it."""
    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.add_routes(ChatModels().routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    client = Llm([Entry(f"http://127.0.0.1:{port}/llm/v1", manner)], Budget(), None)
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()
