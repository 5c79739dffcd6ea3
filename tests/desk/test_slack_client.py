"""The client over real HTTP: each of Slack's failures is one of five errors."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.desk.slack.client import (
    Away,
    Gone,
    RateLimited,
    Refused,
    SlackClient,
    SlackTrouble,
    Unsure,
    mark_of,
)
from bot.settings import SlackAccount
from tests.kit.http import closed_url
from tests.kit.slack import TOKEN, Drop, Fault, Hang, Limit, No, Slack, Status, slack


@pytest.fixture
async def server() -> AsyncIterator[Slack]:
    async with slack() as running:
        yield running


@pytest.fixture
async def client(server: Slack) -> AsyncIterator[SlackClient]:
    made = SlackClient(server.account(), timeout=1.5)
    yield made
    await made.close()


async def test_a_message_is_posted_with_our_mark_and_nothing_read_into_it(
    server: Slack, client: SlackClient
) -> None:
    ts = await client.post("C1", {"text": "hello"}, mark="m1")
    reply = await client.post("C1", {"text": "again"}, thread=ts, mark="m2")
    (root, *rest) = await client.messages("C1", thread=ts, since=0)
    assert (root["ts"], mark_of(root)) == (ts, "m1")
    assert [(m["ts"], mark_of(m)) for m in rest] == [(reply, "m2")]
    sent = server.asked("chat.postMessage")[0]
    assert (sent["unfurl_links"], sent["unfurl_media"]) == (False, False)
    assert (sent["parse"], sent["link_names"]) == ("none", False)


async def test_messages_are_read_over_all_pages(server: Slack, client: SlackClient) -> None:
    root = await client.post("C1", {"text": "root"})
    for n in range(10):
        await client.post("C1", {"text": str(n)}, thread=root, mark=f"m{n}")
    found = await client.messages("C1", thread=root, since=0)
    assert [mark_of(m) for m in found] == ["", *(f"m{n}" for n in range(10))]
    assert len(server.asked("conversations.replies")) == 4
    assert [m["ts"] for m in await client.messages("C1", since=0)] == [root]


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        (Limit(7), RateLimited, "too many requests, again in 7 s"),
        (No("ratelimited"), RateLimited, "too many requests, again in 30 s"),
        (No("channel_not_found"), Gone, "channel_not_found"),
        (No("is_archived"), Gone, "is_archived"),
        (No("thread_not_found"), Gone, "thread_not_found"),
        (No("message_not_found"), Gone, "message_not_found"),
        (No("invalid_auth"), Refused, "invalid_auth"),
        (No("missing_scope"), Refused, "missing_scope"),
        (No("not_in_channel"), Refused, "not_in_channel"),
        (No("something_new"), Refused, "something_new"),
        (No("service_unavailable"), Away, "service_unavailable"),
        (No("internal_error"), Unsure, "internal_error"),
        (No("fatal_error"), Unsure, "fatal_error"),
        (Status(500, taken=True), Unsure, "an answer with status 500"),
        (Status(503), Unsure, "an answer with status 503"),
        (Status(200), Unsure, "no readable answer"),
        (Drop(taken=True), Unsure, "no readable answer"),
        (Drop(taken=False), Unsure, "no readable answer"),
        (Hang(taken=True), Unsure, "no answer in 1.5 s"),
    ],
    ids=str,
)
async def test_failures_have_names(
    server: Slack,
    client: SlackClient,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
    error: type[SlackTrouble],
    reason: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults = [("chat.postMessage", fault)]
    with pytest.raises(error) as raised:
        await client.post("C1", {"text": "my card is 4111"})
    assert type(raised.value) is error
    assert reason in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    for told in (str(raised.value), caplog.text):
        assert TOKEN not in told
        assert "4111" not in told
    # One request each: nothing is tried again on its own.
    assert len(server.calls) == 1
    await client.post("C1", {"text": "next"})


async def test_nobody_there(client: SlackClient, server: Slack) -> None:
    there = SlackClient(replace(server.account(), api_url=closed_url()))
    with pytest.raises(Away, match="cannot connect"):
        await there.post("C1", {"text": "x"})
    await there.close()
    await there.close()


async def test_a_reaction_twice_is_a_reaction_once(server: Slack, client: SlackClient) -> None:
    ts = await client.post("C1", {"text": "x"})
    await client.react("C1", ts, "eyes")
    await client.react("C1", ts, "eyes")
    assert server.roots()[0].reactions == ["eyes"]
    with pytest.raises(Gone):
        await client.react("C1", "1.000001", "eyes")


async def test_a_file_goes_up_into_a_thread(server: Slack, client: SlackClient) -> None:
    ts = await client.post("C1", {"text": "x"})
    id = await client.begin_upload("mug.png", b"pixels")
    assert server.thread(server.roots()[0]) == []
    await client.finish_upload(id, "A mug", "C1", ts)
    (shown,) = server.thread(server.roots()[0])
    assert shown.files == [{"id": id, "title": "A mug"}]
    assert server.uploads[id] == b"pixels"


async def test_the_token_goes_to_slack_alone(server: Slack, client: SlackClient) -> None:
    assert await client.download(f"{server.url}/files/a.png", 100) == (b"picture", "image/png")
    with pytest.raises(Refused, match="more than 3 bytes"):
        await client.download(f"{server.url}/files/a.png", 3)
    asked = len(server.calls)
    for url in ("http://127.0.0.1:1/files/a.png", "https://slack.com.evil.example/a", "//x", ""):
        with pytest.raises(Refused, match="not an address of Slack"):
            await client.download(url, 100)
    assert len(server.calls) == asked


@pytest.mark.parametrize(
    ("url", "slack_s"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.png", True),
        ("https://slack.com/a.png", True),
        ("http://files.slack.com/a.png", False),
        ("https://slack.com.evil.example/a.png", False),
        ("https://evilslack.com/a.png", False),
        ("https://slack.com@evil.example/a.png", False),
    ],
)
def test_what_is_slacks(url: str, slack_s: bool) -> None:
    account = SlackAccount("desk", "xoxb-1", "s", "C1")
    assert SlackClient(account)._is_slack(url) is slack_s


@pytest.mark.parametrize("error", ["", "cant_delete_message", "ratelimited"])
async def test_a_reply_that_lands_in_the_channel_is_taken_away(
    server: Slack, client: SlackClient, error: str
) -> None:
    root = await client.post("C1", {"text": "card"})
    reply = await client.post("C1", {"text": "one"}, thread=root)
    server.delete(root)
    server.strays = True
    server.faults = [("chat.delete", No(error))] if error else []
    # Whatever becomes of it: it is not posted there again.
    with pytest.raises(Gone, match="thread_not_found"):
        await client.post("C1", {"text": "two"}, thread=root)
    assert server.said("C1") == (["two"] if error else [])
    assert server.said("C1", root) == ["one"]
    assert reply in [m.ts for m in server.channels["C1"]]
