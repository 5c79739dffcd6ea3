"""What Slack shows of somebody is taken back through Slack's Web API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from bson import ObjectId

from bot.desk.slack.client import SlackClient
from bot.identity import customer_of
from bot.media.vault import AsyncVault, open_vault
from bot.memory.asking import ask
from bot.memory.erasing import SlackAway
from bot.memory_roles import Remembering, SlackPosts
from bot.message import Address, utcnow
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.memory import FORGOTTEN, Forgetting
from tests.kit.settings import settings_in
from tests.kit.slack import Limit, No, Slack, Status, slack
from tests.kit.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def server() -> AsyncIterator[Slack]:
    async with slack() as running:
        yield running


@pytest.fixture
async def client(server: Slack) -> AsyncIterator[SlackClient]:
    made = SlackClient(server.account(), timeout=2.0)
    yield made
    await made.close()


async def test_posts_are_deleted_and_what_is_gone_is_no_trouble(
    server: Slack, client: SlackClient
) -> None:
    posts = SlackPosts({"desk": client})
    card = await client.post("C1", {"text": "a card"})
    reply = await client.post("C1", {"text": "words"}, thread=card)
    for ts in (reply, card, reply):
        assert await posts.delete("desk", "C1", ts)
    assert server.said() == []
    assert not await posts.delete("another account", "C1", card)


async def test_what_slack_refuses_stays_and_what_it_cannot_now_is_tried_again(
    server: Slack, client: SlackClient
) -> None:
    posts = SlackPosts({"desk": client})
    ts = await client.post("C1", {"text": "words"})
    for fault in (No("cant_delete_message"), Limit(1), Status(503)):
        server.faults.append(("chat.delete", fault))
    assert not await posts.delete("desk", "C1", ts)
    for _ in range(2):
        with pytest.raises(SlackAway):
            await posts.delete("desk", "C1", ts)
    assert await posts.delete("desk", "C1", ts)


async def test_a_worker_goes_on_with_what_is_to_be_forgotten(
    store: AsyncStore, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path)
    now, key = utcnow(), "telegram:shop:77"
    held = Conversation(
        id=key, created=now, lease_owner="elsewhere/1/1", lease_until=now + timedelta(minutes=1)
    )
    await store.insert(held)
    row = await ask(store, await customer_of(store, Address.parse(key)), by="cli")
    remembering = Remembering(settings, store, AsyncVault(open_vault(settings)), ROOT)
    (forgetter,) = remembering.rounds
    running = asyncio.create_task(forgetter.run())
    try:
        await until(lambda: _owner(store, row.id))
        assert await store.get(Conversation, key) is not None
        await store.change(Conversation, {"id": key}, set={"lease_owner": ""})
        await until(lambda: _is(store, row.id, FORGOTTEN))
        assert await store.get(Conversation, key) is None
    finally:
        await forgetter.stop()
        await running
        await remembering.close()


async def _owner(store: AsyncStore, id: ObjectId) -> bool:
    found = await store.get(Forgetting, id)
    # It was tried, and put back because a worker has the conversation.
    return found is not None and not found.owner and found.due > found.at


async def _is(store: AsyncStore, id: ObjectId, status: str) -> bool:
    found = await store.get(Forgetting, id)
    return found is not None and found.status == status
