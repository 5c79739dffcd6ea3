"""What Slack shows of somebody is taken back through Slack's Web API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.desk.slack.client import SlackClient
from bot.memory.erasing import SlackAway
from bot.memory_roles import SlackPosts
from tests.kit.slack import Limit, No, Slack, Status, slack


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
    for fault in (No("cant_delete_message"), Limit(0), Status(503)):
        server.faults.append(("chat.delete", fault))
    assert not await posts.delete("desk", "C1", ts)
    for _ in range(2):
        with pytest.raises(SlackAway):
            await posts.delete("desk", "C1", ts)
    assert await posts.delete("desk", "C1", ts)
