"""The door to Slack for tests: it listens on loopback, and Slack's Web API is behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.desk.deeds import wish
from bot.desk.people import People
from bot.desk.slack.client import SlackClient
from bot.desk.slack.door import Door
from bot.desk.templates import Approved
from bot.message import utcnow
from bot.settings import ConsoleAccount, SlackAccount
from bot.store import AsyncStore, open_store
from bot.store.conversations import Conversation
from bot.store.deeds import Deed
from bot.store.reviews import Review
from bot.store.slack import SlackPost, SlackThread
from tests.kit.processes import Failing
from tests.kit.slack_api import (
    BOT_ID,
    DESK,
    SECRET,
    TEAM,
    SlackApi,
    callback,
    form_body,
    press,
    signed,
)
from tests.kit.waiting import until

HOOK = "/webhooks/slack/desk"
AMARA = "whatsapp:shop:447700900001"
ROOT = "1700000000.000100"
TS = "1700000100.000200"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEPT = (Deed, SlackThread, SlackPost, Review, Conversation)
TEMPLATE = Approved("order_update", "whatsapp", "en", "utility", "About {1}", ("the order",))


@dataclass
class Desk:
    """A door that listens on loopback, and Slack behind it."""

    slack: SlackApi
    door: Door
    store: Failing
    http: aiohttp.ClientSession
    rung: list[int]
    kept: list[str]

    async def post(self, body: str, headers: dict[str, str] | None = None, **sign: Any) -> int:
        kind = JSON if body.startswith("{") else FORM
        sent = {**kind, **signed(body, **sign), **(headers or {})}
        async with self.http.post(HOOK, data=body.encode(), headers=sent) as answer:
            self.said = await answer.text()
            return answer.status

    async def event(self, event: dict[str, Any], **more: Any) -> int:
        return await self.post(json.dumps(callback(event, **more)))

    async def press(self, action: dict[str, Any], trigger: str = "13.99.abc", **more: Any) -> int:
        return await self.post(form_body(press(action, ROOT, trigger, **more)))

    async def deeds(self) -> list[Deed]:
        self.store.is_down = False
        return await self.store.find(Deed, {}, sort=())

    async def deed(self) -> Deed:
        found = await self.deeds()
        assert len(found) == 1, [d.id for d in found]
        return found[0]

    async def form(self) -> dict[str, Any]:
        """Return the form that was opened last."""
        await until(lambda: self.slack.called("views.open"))
        view = self.slack.called("views.open")[-1]["view"]
        return dict(json.loads(view) if isinstance(view, str) else view)

    async def submit(self, view: dict[str, Any], values: dict[str, Any], hash: str = "1.x") -> int:
        payload = {
            "type": "view_submission",
            "team": {"id": TEAM, "domain": "larkfield"},
            "user": {"id": "U0ANNA", "username": "anna", "name": "anna", "team_id": TEAM},
            "api_app_id": "A0DESK",
            "token": "XXYYZZ",
            "trigger_id": "14.99.def",
            "view": {
                **{k: view[k] for k in ("callback_id", "private_metadata", "title", "blocks")},
                "id": "V0FORM",
                "team_id": TEAM,
                "type": "modal",
                "state": {"values": values},
                "hash": hash,
                "root_view_id": "V0FORM",
                "app_id": "A0DESK",
                "bot_id": BOT_ID,
            },
            "response_urls": [],
            "is_enterprise_install": False,
            "enterprise": None,
        }
        return await self.post(form_body(payload))


def account_at(url: str, app_token: str = "") -> SlackAccount:
    return SlackAccount(
        account="desk",
        bot_token="xoxb-1",
        signing_secret=SECRET,
        channel=DESK,
        app_token=app_token,
        api_url=url,
    )


@asynccontextmanager
async def opened(tmp_path: Path, app_token: str = "") -> AsyncIterator[Desk]:
    """Serve a door whose store has one thread; with `app_token` it is there for Socket Mode."""
    store = Failing(AsyncStore(open_store(f"sqlite:{tmp_path}/x.db"), KEPT))
    anna = ConsoleAccount("anna", "a long enough password", "Anna Keller", "U0ANNA")
    rung: list[int] = []
    kept: list[str] = []

    async def keep(deed: Deed) -> bool:
        new = await wish(store, deed)  # type: ignore[arg-type]
        kept.append(str(deed.text))
        return new

    async with SlackApi().serving() as slack:
        client = SlackClient(account_at(slack.url))
        door = Door(
            account_at(slack.url, app_token),
            store,  # type: ignore[arg-type]
            People([anna]),
            keep,
            lambda: rung.append(1),
            client,
            templates=(TEMPLATE,),
            canned=lambda: [("returns", "Returns")],
            pause=0.01,
        )
        app = web.Application(client_max_size=64 * 1024)
        app.add_routes(door.routes())
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        await store.insert(thread())
        try:
            async with aiohttp.ClientSession(base) as http:
                yield Desk(slack, door, store, http, rung, kept)
        finally:
            await door.close()
            await client.close()
            await runner.cleanup()
            await store.close()


def thread(**more: Any) -> SlackThread:
    """A thread of Amara's case, with its card at `ROOT`."""
    now = utcnow()
    fields = {
        "id": "desk:case1",
        "case": "case1",
        "conversation": AMARA,
        "account": "desk",
        "channel": DESK,
        "ts": ROOT,
        "at": now,
        "until": now,
        "due": now,
    }
    return SlackThread(**{**fields, **more})
