"""The desk's door against the sandbox's Slack: by Socket Mode, with modals, files and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.desk.contract import Done
from bot.desk.deeds import wish
from bot.desk.people import People
from bot.desk.slack.blocks import Card, card
from bot.desk.slack.client import SlackClient
from bot.desk.slack.door import Door
from bot.desk.slack.files import SlackFiles
from bot.desk.slack.tells import Tells
from bot.message import utcnow
from bot.settings import ConsoleAccount, SlackAccount
from bot.store import AsyncStore, open_store
from bot.store.conversations import Conversation
from bot.store.deeds import Deed
from bot.store.reviews import Review
from bot.store.slack import SlackThread
from tests.kit.waiting import until

DESK = "C0DESK"
AMARA = "whatsapp:shop:447700900001"
KEPT = (Deed, SlackThread, Review, Conversation)
CARD = Card(AMARA, "Amara", "whatsapp", "shop", "en", "A person", "calm", "asked", "human", "high")


@dataclass
class Desk:
    """The door, and what people do in Slack."""

    phones: Any
    store: AsyncStore
    client: SlackClient
    root: str

    async def do(self, verb: str, **body: Any) -> dict[str, Any]:
        return dict(await self.phones.post(f"slack/{verb}", 200, **{"agent": "U0ANNA", **body}))

    async def say(self, text: str, **more: Any) -> str:
        said = await self.do("message", channel=DESK, thread_ts=self.root, text=text, **more)
        return str(said["ts"])

    async def state(self) -> dict[str, Any]:
        async with self.phones.http.get(f"{self.phones.url}/control/slack/state") as answer:
            return dict(await answer.json())

    async def deed(self, kind: str) -> Deed:
        async def found() -> Deed | None:
            deeds = await self.store.find(Deed, {})
            return next((deed for deed in deeds if deed.kind == kind), None)

        return await until(found)  # type: ignore[no-any-return]


@pytest.fixture
async def desk(phones: Any, tmp_path: Path) -> AsyncIterator[Desk]:
    given = phones.accounts["slack"]
    account = SlackAccount(**{**given, "api_url": f"{phones.url}/slack"})
    phones.sandbox.slack.sender.delays = (0.05, 0.05, 0.05)
    store = AsyncStore(open_store(f"sqlite:{tmp_path}/x.db"), KEPT)
    client = SlackClient(account)
    anna = ConsoleAccount("anna", "a long enough password", "Anna Keller", "U0ANNA")
    door = Door(
        account,
        store,
        People([anna]),
        lambda deed: wish(store, deed),
        lambda: None,
        client,
        canned=lambda: [("returns", "Returns")],
        pause=0.01,
    )
    running = asyncio.create_task(door.run())
    root = await client.post(DESK, card(CARD))
    now = utcnow()
    await store.insert(
        SlackThread(
            id=f"{account.account}:case1",
            case="case1",
            conversation=AMARA,
            account=account.account,
            channel=DESK,
            ts=root,
            at=now,
            until=now,
            due=now,
        )
    )
    sender = phones.sandbox.slack.sender
    await until(lambda: sender._sockets)
    yield Desk(phones, store, client, root)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await door.close()
    await client.close()
    await store.close()


async def test_words_edits_deletions_and_files(desk: Desk) -> None:
    ts = await desk.say("It *ships* today @Ben Okafor &amp & co 🎉", copies=3)
    written = await desk.deed("write")
    assert (written.text, written.agent) == ("It **ships** today Ben &amp & co 🎉", "anna")
    await desk.do("edit", channel=DESK, ts=ts, text="It ships tomorrow")
    edited = await desk.deed("edit")
    assert (edited.args["of"], edited.text) == (written.id, "It ships tomorrow")
    await desk.do("delete", channel=DESK, ts=ts)
    assert (await desk.deed("delete")).args["of"] == written.id
    assert len(await desk.store.find(Deed, {})) == 3


async def test_a_file_is_fetched(desk: Desk) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(50)
    url = f"{desk.phones.url}/control/slack/files?name=label.png"
    octets = {"Content-Type": "application/octet-stream"}
    async with desk.phones.http.post(url, data=png, headers=octets) as answer:
        file = (await answer.json())["id"]
    await desk.say("", files=[file])
    written = await desk.deed("write")
    data, mime, name = await SlackFiles(desk.client).fetch(written.files[0])
    assert (data, mime, name) == (png, "image/png", "label.png")


async def test_a_deleted_card(desk: Desk) -> None:
    await desk.say("hello")
    await desk.deed("write")
    await desk.phones.post("slack/delete", 200, agent="U0ANNA", channel=DESK, ts=desk.root)
    name = f"{desk.client.account.account}:case1"

    async def lost() -> bool:
        row = await desk.store.get(SlackThread, name)
        return row is not None and row.ts == ""

    await until(lost)


async def test_buttons_and_forms(desk: Desk) -> None:
    at = {"channel": DESK, "ts": desk.root}
    await desk.do("press", **at, action_id="desk_take")
    taken = await desk.deed("take")
    assert (taken.conversation, taken.args["thread"]) == (AMARA, desk.root)
    await desk.do("press", **at, action_id="desk_resolve")
    view = (await until(lambda: _modals(desk)))[0]
    values = {"text": {"text": "Sent a new one"}, "rate": {"rate": []}}
    await desk.do("submit", view_id=view["view_id"], values=values)
    resolved = await desk.deed("resolve")
    assert (resolved.text, resolved.args["rate"]) == ("Sent a new one", False)


async def _modals(desk: Desk) -> list[dict[str, Any]]:
    return list((await desk.state())["modals"])


async def test_a_result_is_shown_to_who_asked(desk: Desk) -> None:
    await desk.do("command", channel=DESK, command="/takeover", text="Amara")
    find = await desk.deed("find")
    found = Done(True, "", {"conversations": [{"id": AMARA, "name": "Amara", "last": "hi"}]})
    await Tells({desk.client.account.account: desk.client})(find, found)
    shown = [m for m in (await desk.state())["messages"] if m.get("ephemeral_for") == "U0ANNA"]
    assert len(shown) == 1
    await desk.do("press", channel=DESK, ts=shown[0]["ts"], action_id="desk_pick")
    assert (await desk.deed("take")).conversation == AMARA
