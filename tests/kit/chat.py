"""The sandbox's chat models on loopback, and asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from bot.llm.contract import Ask, Said, Tool
from bot.llm.engine import Request
from bot.sandbox.llm import ChatModels
from bot.settings import Llm

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "cites": {"type": "array", "items": {"type": "integer"}},
        "enough": {"type": "boolean"},
        "escalate": {"type": ["string", "null"]},
    },
    "required": ["answer", "cites", "enough", "escalate"],
    "additionalProperties": False,
}
PASSAGES = """\
Answer from the passages, with one JSON object: {"answer": "", "cites": [1], "enough": true, \
"escalate": null}

[1] <<<article "Delivery" 0123456789abcdef01234567>>>
Delivery › United Kingdom
Standard delivery takes 3–5 working days and costs £3.95. It is free from £50.
<<<end of article 0123456789abcdef01234567>>>

[2] <<<article "Returns" 0123456789abcdef01234567>>>
Returns › How long
Return unused goods within 30 days. Refunds arrive 5–7 working days later.
<<<end of article 0123456789abcdef01234567>>>

Say nothing else.
"""
QUESTION = "What does standard delivery cost?"
LOOKUP = Tool("order_status", "Looks up an order", {"type": "object", "properties": {}})
TRACK = Tool("track_parcel", "Tracks a parcel", {"type": "object", "properties": {}})


class Server:
    """Where the models are, and what they were asked."""

    def __init__(self, models: ChatModels, url: str) -> None:
        self.models = models
        self.url = url

    def model(self, name: str = "honest", **settings: Any) -> Llm:
        """Settings of a model that has this manner."""
        settings = {"url": f"{self.url}/llm/v1", "timeout_seconds": 15.0, **settings}
        return Llm(model=name, **settings)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [asked.body for asked in self.models.asked]

    @property
    def models_asked(self) -> list[str]:
        return [asked.model for asked in self.models.asked]


@asynccontextmanager
async def chat_server() -> AsyncIterator[Server]:
    models = ChatModels()
    app = web.Application()
    app.add_routes(models.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Server(models, f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


def said(question: str = QUESTION, system: str = PASSAGES) -> tuple[Said, ...]:
    return (Said("system", system), Said("user", question))


def request(**values: Any) -> Request:
    messages = values.pop("messages", said())
    return Request(
        messages, "answer", values.pop("tokens", 200), values.pop("seconds", 10), **values
    )


def ask(question: str = QUESTION, **values: Any) -> Ask:
    values = {"conversation": "line:shop:ann", "purpose": "answer", "schema": SCHEMA, **values}
    return Ask(values.pop("messages", said(question)), **values)
