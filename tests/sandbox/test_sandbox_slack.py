"""The sandbox's Slack, spoken to by Slack's own SDK, over real HTTP and real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.kit.waiting import PATIENCE, until

DESK = "C0DESK"


def button(action_id: str = "take", value: str = "case-1") -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Take over"}
    return {"type": "button", "action_id": action_id, "text": text, "value": value}


def section(text: str = "*Amara Osei* wants a person", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


MODAL = {
    "type": "modal",
    "callback_id": "resolve",
    "private_metadata": "case-1",
    "notify_on_close": True,
    "title": plain("Resolve"),
    "submit": plain("Resolve"),
    "blocks": [
        {
            "type": "input",
            "block_id": "words",
            "label": plain("Words"),
            "element": {"type": "plain_text_input", "action_id": "text", "initial_value": "Hi"},
        },
        {
            "type": "input",
            "block_id": "tags",
            "optional": True,
            "label": plain("Tags"),
            "element": {
                "type": "checkboxes",
                "action_id": "tags",
                "options": [option("vip"), option("late")],
            },
        },
        section("Who?", block_id="who", accessory={"type": "users_select", "action_id": "user"}),
    ],
}


@dataclass
class Team:
    """The workspace: the app's client, and what people do."""

    phones: Any
    client: AsyncWebClient

    async def do(self, verb: str, status: int = 200, **body: Any) -> dict[str, Any]:
        given = body if verb == "disconnect" else {"agent": "U0ANNA", **body}
        return await self.phones.post(f"slack/{verb}", status, **given)

    async def state(self) -> dict[str, Any]:
        async with self.phones.http.get(f"{self.phones.url}/control/slack/state") as answer:
            return await answer.json()

    async def shown(self, ts: str) -> dict[str, Any]:
        return next(m for m in (await self.state())["messages"] if m["ts"] == ts)

    async def post(self, text: str = "card", **more: Any) -> str:
        return (await self.client.chat_postMessage(channel=DESK, text=text, **more))["ts"]

    async def refused(self, method: str, **arguments: Any) -> dict[str, Any]:
        with pytest.raises(SlackApiError) as error:
            await self.client.api_call(method, json=arguments)
        return error.value.response.data


@pytest.fixture
async def team(phones) -> Team:
    token = phones.accounts["slack"]["bot_token"]
    phones.sandbox.slack.sender.delays = (0.01, 0.01, 0.01)
    client = AsyncWebClient(token=token, base_url=f"{phones.url}/slack/api/")
    return Team(phones, client)


@dataclass
class Socket:
    """The app's Socket Mode connection, which acknowledges as `answer` says."""

    client: SocketModeClient
    got: list[Any] = field(default_factory=list)
    answer: Callable[[Any], Any] = lambda request: {}
    act: Callable[[Any], Any] | None = None

    async def heard(self, client: SocketModeClient, request: Any) -> None:
        self.got.append(request)
        answer = self.answer(request)
        if answer is not None:
            reply = SocketModeResponse(request.envelope_id, answer or None)
            await client.send_socket_mode_response(reply)
        if self.act:
            await self.act(request)

    async def until(self, number: int, kind: str = "") -> list[Any]:
        """Wait for that many envelopes, of events the type or subtype given by `kind`."""

        def matching() -> list[Any]:
            found = []
            for got in self.got:
                event = got.payload.get("event", {})
                if kind in ("", got.type, event.get("type"), event.get("subtype")):
                    found.append(event or got.payload)
            return found

        await until(lambda: len(matching()) >= number)
        return matching()


@pytest.fixture
async def socket(team) -> AsyncIterator[Socket]:
    app_token = team.phones.accounts["slack"]["app_token"]
    client = SocketModeClient(app_token=app_token, web_client=team.client, ping_interval=0.5)
    made = Socket(client)
    client.socket_mode_request_listeners.append(made.heard)
    await client.connect()
    await connected(team, 1)
    yield made
    await client.close()


async def connected(team: Team, number: int) -> None:
    await until(lambda: team.phones.sandbox.slack.sender.connections == number)


# -- the Web API ------------------------------------------------------------------


async def test_the_app_is_who_its_token_says(team):
    me = await team.client.auth_test()
    assert (me["team_id"], me["user_id"], me["bot_id"]) == ("T0LARK", "U0BOT", "B0BOT")
    for token, error in (("xoxb-wrong", "invalid_auth"), (None, "not_authed")):
        client = AsyncWebClient(token=token, base_url=team.client.base_url)
        with pytest.raises(SlackApiError) as refused:
            await client.auth_test()
        assert refused.value.response["error"] == error
    app = AsyncWebClient(
        token=team.phones.accounts["slack"]["app_token"], base_url=team.client.base_url
    )
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await app.auth_test()
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await team.client.apps_connections_open(app_token=team.client.token)
    assert (await team.refused("chat.shout"))["error"] == "unknown_method"


@pytest.mark.parametrize("form", [False, True])
async def test_forms_and_json_say_the_same(team, form):
    body = {"channel": "#support", "text": "x", "blocks": [section()], "unfurl_links": False}
    if form:
        body = {**body, "blocks": json.dumps(body["blocks"]), "unfurl_links": "false"}
    kind = {"data" if form else "json": body}
    made = await team.client.api_call("chat.postMessage", **kind)
    assert made["channel"] == DESK
    assert made["message"]["blocks"][0]["text"] == section()["text"]
    assert made["message"]["blocks"][0]["block_id"]
    assert made["message"]["bot_id"] == "B0BOT"


async def test_a_thread_is_read_back_with_its_metadata(team):
    root = await team.post()
    metadata = {"event_type": "frontdesk", "event_payload": {"id": "turn:1"}}
    made = [await team.post(f"reply {n}", thread_ts=root, metadata=metadata) for n in range(5)]
    assert sorted({root, *made}) == [root, *made]

    thread = await team.client.conversations_replies(
        channel=DESK, ts=root, include_all_metadata=True
    )
    assert [m["ts"] for m in thread["messages"]] == [root, *made]
    assert thread["messages"][0]["reply_count"] == 5
    assert thread["messages"][1]["metadata"] == metadata
    assert thread["messages"][1]["parent_user_id"] == "U0BOT"
    bare = await team.client.conversations_replies(channel=DESK, ts=root, oldest=made[1])
    assert [m["ts"] for m in bare["messages"]] == [root, *made[2:]]
    assert all("metadata" not in m for m in bare["messages"])

    first = await team.client.conversations_replies(channel=DESK, ts=root, limit=3)
    assert first["has_more"]
    cursor = first["response_metadata"]["next_cursor"]
    second = await team.client.conversations_replies(channel=DESK, ts=root, limit=3, cursor=cursor)
    assert [m["ts"] for m in second["messages"]] == [root, *made[3:]]
    assert not second["has_more"]
    history = await team.client.conversations_history(channel=DESK)
    assert [m["ts"] for m in history["messages"]] == [root]
    latest = await team.client.conversations_history(channel=DESK, latest=root, inclusive=True)
    assert len(latest["messages"]) == 1


async def test_a_reply_may_be_shown_in_the_channel_too(team):
    root = await team.post()
    reply = await team.post("late", thread_ts=root, reply_broadcast=True)
    history = await team.client.conversations_history(channel=DESK)
    assert [m["ts"] for m in history["messages"]] == [reply, root]
    assert history["messages"][0]["subtype"] == "thread_broadcast"


async def test_a_name_of_its_own_is_shown(team):
    made = await team.client.chat_postMessage(channel=DESK, text="hi", username="Amara Osei")
    assert made["message"]["subtype"] == "bot_message"
    assert (await team.shown(made["ts"]))["name"] == "Amara Osei"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NONE", "text": "x"}, "channel_not_found"),
        ({"channel": DESK}, "no_text"),
        ({"channel": DESK, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": DESK, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": DESK, "text": "x", "metadata": {"event_type": "a b"}}, "invalid_metadata"),
        ({"channel": DESK, "text": "x", "blocks": "["}, "invalid_blocks_format"),
    ],
)
async def test_what_cannot_be_posted_is_refused(team, arguments, error):
    assert (await team.refused("chat.postMessage", **arguments))["error"].startswith(error)


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
        ([section("x" * 3001)], "must be less than 3001 characters"),
        ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ([{"type": "section"}], "missing required field: text"),
        ([{"type": "poem"}], "unsupported type: poem"),
        ([section(block_id="a"), section(block_id="a")], "`block_id` a already exists"),
        ([{"type": "header", "text": plain("x" * 151)}], "must be less than 151 characters"),
        (
            [{"type": "actions", "elements": [button(f"b{n}") for n in range(26)]}],
            "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            [{"type": "actions", "elements": [button(), button()]}],
            "`action_id` take already exists",
        ),
        (
            [{"type": "actions", "elements": [{**button(), "text": plain("x" * 76)}]}],
            "must be less than 76 characters",
        ),
        (
            [{"type": "actions", "elements": [button(value="x" * 2001)]}],
            "must be less than 2001 characters",
        ),
        (
            [section(accessory={"type": "overflow", "options": [option("a")] * 6})],
            "no more than 5 items allowed",
        ),
        ([{"type": "context", "elements": [plain("a")] * 11}], "no more than 10 items allowed"),
    ],
)
async def test_blocks_beyond_slacks_limits_are_refused_with_the_place(team, blocks, reason):
    refusal = await team.refused("chat.postMessage", channel=DESK, text="x", blocks=blocks)
    assert refusal["error"] == "invalid_blocks"
    assert any(reason in m for m in refusal["response_metadata"]["messages"]), refusal


async def test_blocks_with_too_many_words_together_are_refused(team):
    blocks = [section("x" * 3000)] * 4
    await team.client.chat_postMessage(channel=DESK, text="x", blocks=blocks)
    blocks.append(section("x"))
    refusal = await team.refused("chat.postMessage", channel=DESK, text="x", blocks=blocks)
    assert refusal["error"] == "msg_blocks_too_long"


async def test_a_message_is_updated_and_deleted(team):
    ts = await team.post(blocks=[section()])
    await team.client.chat_update(channel=DESK, ts=ts, text="new", blocks=[section("other")])
    assert (await team.shown(ts))["blocks"][0]["text"]["text"] == "other"
    assert not (await team.shown(ts))["edited"]
    # Text alone takes the blocks away.
    await team.client.chat_update(channel=DESK, ts=ts, text="words")
    shown = await team.shown(ts)
    assert (shown["text"], shown["blocks"], shown["edited"]) == ("words", [], True)
    link = await team.client.chat_getPermalink(channel=DESK, message_ts=ts)
    assert link["permalink"].endswith(f"/archives/C0DESK/p{ts.replace('.', '')}")
    await team.client.chat_delete(channel=DESK, ts=ts)
    assert (await team.shown(ts))["deleted"]
    refusal = await team.refused("chat.update", channel=DESK, ts=ts, text="x")
    assert refusal["error"] == "message_not_found"
    assert (await team.refused("conversations.replies", channel=DESK, ts=ts))["error"] == (
        "thread_not_found"
    )
    refusal = await team.refused("chat.postMessage", channel=DESK, text="x", thread_ts=ts)
    assert refusal["error"] == "thread_not_found"
    hers = (await team.do("message", channel=DESK, text="mine"))["ts"]
    for method, error in (("update", "cant_update_message"), ("delete", "cant_delete_message")):
        refusal = await team.refused(f"chat.{method}", channel=DESK, ts=hers, text="x")
        assert refusal["error"] == error


async def test_reactions_are_put_on_once(team):
    ts = await team.post()
    at = {"channel": DESK, "timestamp": ts}
    await team.client.reactions_add(name="white_check_mark", **at)
    assert (await team.refused("reactions.add", name="white_check_mark", **at))["error"] == (
        "already_reacted"
    )
    assert (await team.refused("reactions.add", name="no_such_emoji", **at))["error"] == (
        "invalid_name"
    )
    await team.do("react", channel=DESK, ts=ts, name="white_check_mark")
    assert (await team.shown(ts))["reactions"] == [
        {"name": "white_check_mark", "users": ["U0BOT", "U0ANNA"]}
    ]
    await team.client.reactions_remove(name="white_check_mark", **at)
    assert (await team.refused("reactions.remove", name="white_check_mark", **at))["error"] == (
        "no_reaction"
    )
    assert (await team.refused("reactions.add", name="eyes", **{**at, "timestamp": "1.0"}))[
        "error"
    ] == "message_not_found"


async def test_people_and_channels_can_be_looked_up(team):
    anna = (await team.client.users_info(user="U0ANNA"))["user"]
    assert anna["profile"]["real_name"] == "Anna Keller"
    assert (await team.refused("users.info", user="U0X"))["error"] == "user_not_found"
    users = await team.client.users_list()
    assert [u["id"] for u in users["members"]] == ["U0ANNA", "U0BEN", "U0CARA", "U0BOT"]
    channels = (await team.client.conversations_list())["channels"]
    assert [c["name"] for c in channels] == ["support", "support-legal", "support-urgent"]
    assert (await team.client.users_conversations())["channels"] == channels
    assert (await team.client.conversations_info(channel=DESK))["channel"]["is_member"]
    direct = (await team.client.conversations_open(users=["U0BEN"]))["channel"]["id"]
    assert (await team.client.chat_postMessage(channel="U0BEN", text="hi"))["channel"] == direct
    one = await team.client.conversations_list(limit=2)
    rest = await team.client.conversations_list(cursor=one["response_metadata"]["next_cursor"])
    assert [c["id"] for c in rest["channels"]] == ["C0URGENT"]


async def test_files_are_uploaded_shared_and_downloaded(team, png):
    root = await team.post()
    made = await team.client.files_upload_v2(
        channel=DESK, thread_ts=root, file=png, filename="A b.png", initial_comment="look"
    )
    info = await team.client.files_info(file=made["file"]["id"])
    [share] = info["file"]["shares"]["public"][DESK]
    assert share["thread_ts"] == root
    assert (info["file"]["mimetype"], info["file"]["original_h"]) == ("image/png", 3)
    shown = await team.shown(share["ts"])
    assert (shown["text"], shown["files"][0]["size"]) == ("look", len(png))

    http, url = team.phones.http, info["file"]["url_private_download"]
    async with http.get(url, headers={"Authorization": f"Bearer {team.client.token}"}) as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", png)
    for headers in ({}, {"Authorization": "Bearer xoxb-wrong"}):
        async with http.get(url, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
    async with http.get(f"{team.phones.url}{shown['files'][0]['url']}") as answer:
        assert await answer.read() == png
    await team.client.files_delete(file=made["file"]["id"])
    assert not (await team.shown(share["ts"])).get("files")
    async with http.get(url, headers={"Authorization": f"Bearer {team.client.token}"}) as answer:
        assert answer.status == 404
    begun = await team.client.files_getUploadURLExternal(filename="x", length=3)
    async with http.post(begun["upload_url"], data=b"four") as answer:
        assert answer.status == 400
    refusal = await team.refused("files.completeUploadExternal", files=[{"id": begun["file_id"]}])
    assert refusal["error"] == "file_not_found"


async def test_slack_has_bad_days(team):
    await team.phones.fault("slack", "429", method="chat.postMessage", retry_after=7, count=1)
    with pytest.raises(SlackApiError) as limited:
        await team.post()
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "7"
    assert limited.value.response.data == {"ok": False, "error": "ratelimited"}
    await team.phones.fault("slack", "500", count=1)
    with pytest.raises(SlackApiError) as broken:
        await team.client.auth_test()
    assert broken.value.response.status_code == 500
    await team.phones.fault("slack", "reset_after", method="chat.postMessage", count=1)
    # Without its retry handlers the client does not hide that the answer was lost.
    team.client.retry_handlers.clear()
    with pytest.raises(Exception, match=r"(?i)reset|disconnect"):
        await team.post("posted all the same")
    assert [m["text"] for m in (await team.state())["messages"]] == ["posted all the same"]


# -- Socket Mode ------------------------------------------------------------------


async def test_what_people_write_comes_as_slack_sends_it(team, socket):
    root = await team.post()
    text = "Hi @ben & <you> 👍🏽 ✅, see https://larkfield.example/a?b=1&c. *Bold*"
    ts = (await team.do("message", channel=DESK, thread_ts=root, text=text))["ts"]
    # As at Slack, one may overtake the other.
    event, own = sorted(await socket.until(2, "message"), key=lambda one: "bot_id" in one)
    assert (own["bot_id"], own["user"]) == ("B0BOT", "U0BOT")
    assert event["text"] == (
        "Hi <@U0BEN> &amp; &lt;you&gt; :+1::skin-tone-4: :white_check_mark:, "
        "see <https://larkfield.example/a?b=1&amp;c>. *Bold*"
    )
    assert (event["ts"], event["event_ts"], event["thread_ts"]) == (ts, ts, root)
    assert (event["user"], event["channel_type"]) == ("U0ANNA", "channel")
    assert event["client_msg_id"]
    elements = event["blocks"][0]["elements"][0]["elements"]
    assert {"type": "user", "user_id": "U0BEN"} in elements
    assert {"type": "text", "text": "Bold", "style": {"bold": True}} in elements
    assert {"type": "link", "url": "https://larkfield.example/a?b=1&c"} in elements
    (wrapper,) = (got.payload for got in socket.got if got.payload["event"] == event)
    assert (wrapper["type"], wrapper["team_id"], wrapper["api_app_id"]) == (
        "event_callback",
        "T0LARK",
        "A0DESK",
    )
    assert wrapper["authorizations"][0]["user_id"] == "U0BOT"


async def test_edits_deletions_reactions_and_files_come_as_events(team, socket, png):
    ts = (await team.do("message", channel=DESK, text="frist"))["ts"]
    await team.do("edit", channel=DESK, ts=ts, text="first")
    await team.do("react", channel=DESK, ts=ts, name="eyes")
    await team.do("react", channel=DESK, ts=ts, name="eyes", removed=True)
    await team.do("delete", channel=DESK, ts=ts)
    events = {event.get("subtype"): event for event in await socket.until(3, "message")}
    changed, deleted = events["message_changed"], events["message_deleted"]
    assert changed["message"]["text"] == "first"
    assert changed["previous_message"]["text"] == "frist"
    assert changed["message"]["edited"]["user"] == "U0ANNA"
    assert deleted["deleted_ts"] == ts
    assert deleted["previous_message"]["text"] == "first"
    [added] = await socket.until(1, "reaction_added")
    assert added["item"] == {"type": "message", "channel": DESK, "ts": ts}
    assert (added["user"], added["reaction"], added["item_user"]) == ("U0ANNA", "eyes", "U0ANNA")
    await socket.until(1, "reaction_removed")

    url = f"{team.phones.url}/control/slack/files?name=cat.png"
    kind = {"Content-Type": "application/octet-stream"}
    async with team.phones.http.post(url, data=png, headers=kind) as answer:
        file = (await answer.json())["id"]
    await team.do("message", channel=DESK, text="", files=[file])
    await socket.until(4, "message")
    (shared,) = await socket.until(1, "file_share")
    assert shared["files"][0]["id"] == file
    assert shared["files"][0]["user"] == "U0ANNA"


async def test_of_a_deleted_root_with_replies_a_tombstone_stays(team, socket):
    root = await team.post()
    await team.do("message", channel=DESK, thread_ts=root, text="a note")
    await team.do("delete", channel=DESK, ts=root)
    await socket.until(3, "message")
    (event,) = await socket.until(1, "message_changed")
    assert event["message"]["subtype"] == "tombstone"
    assert event["previous_message"]["ts"] == root
    thread = await team.client.conversations_replies(channel=DESK, ts=root)
    assert thread["messages"][0]["subtype"] == "tombstone"


async def test_an_event_that_is_not_acknowledged_comes_again(team, socket):
    sender = team.phones.sandbox.slack.sender
    attempt = sender._attempt

    async def patient_in_the_end(kind: Any, body: Any, retry: int, reason: str) -> Any:
        sender.ack_seconds = PATIENCE if retry == 2 else 0.2
        return await attempt(kind, body, retry, reason)

    sender._attempt = patient_in_the_end
    socket.answer = lambda request: {} if request.retry_attempt == 2 else None
    await team.do("message", channel=DESK, text="hello?")
    await socket.until(3)
    await asyncio.sleep(0.3)
    assert [r.retry_attempt for r in socket.got] == [0, 1, 2]
    assert [r.retry_reason for r in socket.got] == ["", "timeout", "timeout"]
    assert len({r.payload["event_id"] for r in socket.got}) == 1
    assert len({r.envelope_id for r in socket.got}) == 3


async def test_one_event_may_come_twice_at_once(team, socket):
    await team.do("message", channel=DESK, text="twice", copies=2)
    await socket.until(2)
    assert len({r.payload["event_id"] for r in socket.got}) == 1


async def test_the_app_connects_anew_when_told(team, socket):
    assert await team.do("disconnect", reason="refresh_requested") == {"sockets": 1}
    await connected(team, 1)
    await team.do("message", channel=DESK, text="still there?")
    await socket.until(1)
    assert await team.do("disconnect", reason="cut") == {"sockets": 1}
    await connected(team, 1)


async def test_a_ticket_is_good_once(team):
    app_token = team.phones.accounts["slack"]["app_token"]
    url = (await team.client.apps_connections_open(app_token=app_token))["url"]
    async with team.phones.http.ws_connect(url) as opened:
        hello = await opened.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"] == {"app_id": "A0DESK"}
    async with team.phones.http.get(url) as answer:
        assert answer.status == 401


# -- buttons, commands and modals -------------------------------------------------


CARD = [
    section(
        block_id="top",
        accessory={
            "type": "overflow",
            "action_id": "more",
            "options": [option("resolve"), option("back")],
        },
    ),
    {
        "type": "actions",
        "block_id": "deeds",
        "elements": [
            button(),
            {"type": "static_select", "action_id": "tone", "options": [option("warm")]},
            {"type": "users_select", "action_id": "assign"},
        ],
    },
]


async def test_presses_come_with_what_was_chosen(team, socket):
    root = await team.post()
    ts = await team.post(blocks=CARD, thread_ts=root)
    at = {"channel": DESK, "ts": ts}
    assert await team.do("press", **at, action_id="take", value="ignored") == {}
    await team.do("press", **at, action_id="tone", block_id="deeds", value="warm")
    await team.do("press", **at, action_id="more", value="back")
    await team.do("press", **at, action_id="assign", value="U0BEN")
    pressed, toned, overflowed, assigned = await socket.until(4, "interactive")
    assert pressed["type"] == "block_actions"
    assert pressed["user"]["id"] == "U0ANNA"
    assert pressed["team"] == {"id": "T0LARK", "domain": "larkfield"}
    assert pressed["channel"] == {"id": DESK, "name": "support"}
    assert pressed["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": DESK,
        "is_ephemeral": False,
        "thread_ts": root,
    }
    assert pressed["message"]["thread_ts"] == root
    assert pressed["actions"][0]["value"] == "case-1"
    assert pressed["actions"][0]["block_id"] == "deeds"
    assert pressed["trigger_id"]
    assert toned["actions"][0]["selected_option"] == option("warm")
    assert toned["state"]["values"]["deeds"]["tone"]["selected_option"] == option("warm")
    assert overflowed["actions"][0]["selected_option"] == option("back")
    assert assigned["actions"][0]["selected_user"] == "U0BEN"
    for wrong, reason in (
        ({"action_id": "none"}, "action_id"),
        ({"action_id": "tone", "value": "cold"}, "no option"),
        ({"action_id": "assign"}, "value is missing"),
    ):
        assert reason in (await team.do("press", 400, **at, **wrong))["error"]


async def test_a_press_nobody_takes_fails_before_the_eyes_of_who_pressed(team, socket):
    ts = await team.post(blocks=CARD)
    team.phones.sandbox.slack.sender.ack_seconds = 0.05
    socket.answer = lambda request: None
    refused = await team.do("press", 504, channel=DESK, ts=ts, action_id="take")
    assert refused == {"error": "operation_timeout"}
    assert len(await socket.until(1, "interactive")) == 1


async def test_a_response_url_answers_and_replaces(team, socket):
    ts = await team.post(blocks=CARD)
    await team.do("press", channel=DESK, ts=ts, action_id="take")
    [pressed] = await socket.until(1, "interactive")
    hook = AsyncWebhookClient(pressed["response_url"])
    assert (await hook.send(text="only for you")).status_code == 200
    whisper = (await team.state())["messages"][-1]
    assert (whisper["text"], whisper["ephemeral_for"]) == ("only for you", "U0ANNA")
    history = await team.client.conversations_history(channel=DESK)
    assert [m["ts"] for m in history["messages"]] == [ts]
    await hook.send(text="taken", replace_original=True)
    assert (await team.shown(ts))["text"] == "taken"
    await hook.send(text="all see", response_type="in_channel")
    assert not (await team.state())["messages"][-1]["ephemeral_for"]
    for _ in range(2):
        await hook.send(text="again")
    assert (await hook.send(text="a sixth time")).status_code == 404


async def test_an_ephemeral_message_can_be_pressed_and_taken_away(team, socket):
    root = await team.post()
    made = await team.client.chat_postEphemeral(
        channel=DESK, user="U0ANNA", text="sure?", thread_ts=root, blocks=CARD
    )
    shown = await team.shown(made["message_ts"])
    assert (shown["ephemeral_for"], shown["thread_ts"]) == ("U0ANNA", root)
    at = {"channel": DESK, "ts": made["message_ts"], "action_id": "take"}
    await team.do("press", 400, **{**at, "agent": "U0BEN"})
    await team.do("press", **at)
    [pressed] = await socket.until(1, "interactive")
    assert pressed["container"]["is_ephemeral"]
    assert "message" not in pressed
    await AsyncWebhookClient(pressed["response_url"]).send_dict({"delete_original": True})
    assert [m["ts"] for m in (await team.state())["messages"]] == [root]


async def test_commands_and_shortcuts_come_and_are_answered(team, socket):
    ts = await team.post()
    socket.answer = lambda request: {"text": "taken"} if request.type == "slash_commands" else {}
    await team.do("command", channel=DESK, command="/takeover", text=" whatsapp:1 ")
    [form] = await socket.until(1, "slash_commands")
    assert (form["command"], form["text"], form["user_id"]) == (
        "/takeover",
        "whatsapp:1",
        "U0ANNA",
    )
    whisper = (await team.state())["messages"][-1]
    assert (whisper["text"], whisper["ephemeral_for"]) == ("taken", "U0ANNA")
    await team.do("shortcut", callback_id="canned")
    await team.do("shortcut", callback_id="canned", channel=DESK, ts=ts)
    everywhere, on_message = await socket.until(2, "interactive")
    assert (everywhere["type"], everywhere["callback_id"]) == ("shortcut", "canned")
    assert (on_message["type"], on_message["message"]["ts"]) == ("message_action", ts)


async def opened(team: Team, socket: Socket) -> str:
    """Open the modal from a shortcut and return the view's id."""
    made = asyncio.get_running_loop().create_future()

    async def act(request: Any) -> None:
        if request.payload.get("type") == "shortcut":
            view = await team.client.views_open(
                trigger_id=request.payload["trigger_id"], view=MODAL
            )
            made.set_result(view["view"]["id"])

    socket.act = act
    await team.do("shortcut", callback_id="resolve")
    return await asyncio.wait_for(made, PATIENCE)


async def test_a_modal_is_filled_in_and_submitted(team, socket):
    view_id = await opened(team, socket)
    [modal] = (await team.state())["modals"]
    assert (modal["view_id"], modal["agent"]) == (view_id, "U0ANNA")
    missing = await team.do("submit", view_id=view_id, values={"words": {"text": ""}})
    assert missing == {"errors": {"words": "Please complete this required field."}}

    socket.answer = lambda request: {"response_action": "errors", "errors": {"words": "rude"}}
    values = {"words": {"text": "Done"}, "tags": {"tags": ["vip"]}, "who": {"user": "U0BEN"}}
    assert await team.do("submit", view_id=view_id, values=values) == {"errors": {"words": "rude"}}
    submitted = (await socket.until(2, "interactive"))[-1]
    assert submitted["type"] == "view_submission"
    assert submitted["view"]["private_metadata"] == "case-1"
    assert submitted["view"]["state"]["values"] == {
        "words": {"text": {"type": "plain_text_input", "value": "Done"}},
        "tags": {"tags": {"type": "checkboxes", "selected_options": [option("vip")]}},
        "who": {"user": {"type": "users_select", "selected_user": "U0BEN"}},
    }
    changed = {**MODAL, "title": plain("Sure?")}
    socket.answer = lambda request: {"response_action": "update", "view": changed}
    assert await team.do("submit", view_id=view_id, values=values) == {"errors": None}
    assert (await team.state())["modals"][0]["view"]["title"]["text"] == "Sure?"
    socket.answer = lambda request: {"response_action": "push", "view": MODAL}
    await team.do("submit", view_id=view_id, values=values)
    assert len((await team.state())["modals"]) == 2
    socket.answer = lambda request: {"response_action": "clear"}
    await team.do("submit", view_id=view_id, values=values)
    assert (await team.state())["modals"] == []


async def test_a_modal_is_closed_and_the_app_hears_of_it(team, socket):
    view_id = await opened(team, socket)
    await team.do("close", view_id=view_id)
    closed = (await socket.until(2, "interactive"))[-1]
    assert (closed["type"], closed["is_cleared"]) == ("view_closed", False)
    assert (await team.state())["modals"] == []
    await team.do("submit", 400, view_id=view_id, values={})


async def test_a_modal_is_updated_by_hash_and_pressed_in(team, socket):
    view_id = await opened(team, socket)
    await team.do("press", view_id=view_id, action_id="user", value="U0CARA")
    pressed = (await socket.until(2, "interactive"))[-1]
    assert pressed["container"] == {"type": "view", "view_id": view_id}
    update = {"view_id": view_id, "view": MODAL}
    assert (await team.refused("views.update", **update, hash="1.x"))["error"] == "hash_conflict"
    await team.client.views_update(**update, hash=pressed["view"]["hash"])
    await team.client.views_push(trigger_id=pressed["trigger_id"], view=MODAL)
    assert len((await team.state())["modals"]) == 2


async def test_a_trigger_is_good_for_a_moment_and_once(team, socket):
    links = team.phones.sandbox.slack.links
    assert links.trigger_seconds == 3.0
    used, late = links.trigger("U0ANNA"), ""
    await team.client.views_open(trigger_id=used, view=MODAL)
    links.trigger_seconds = 0.0
    late = links.trigger("U0ANNA")
    for trigger, error in (
        (used, "exchanged_trigger_id"),
        (late, "expired_trigger_id"),
        ("1.2.x", "invalid_trigger_id"),
    ):
        refusal = await team.refused("views.open", trigger_id=trigger, view=MODAL)
        assert refusal["error"] == error
    bad = {**MODAL, "title": plain("x" * 25)}
    refusal = await team.refused("views.open", trigger_id=late, view=bad)
    assert "must be less than 25 characters" in refusal["response_metadata"]["messages"][0]


# -- signed HTTP ------------------------------------------------------------------


async def test_without_a_socket_events_come_signed_over_http(team, gateway):
    gateway.answers = [500]
    await team.do("message", channel=DESK, text="hello")
    [got] = await gateway.taken(1, channel="slack")
    verifier = SignatureVerifier(team.phones.accounts["slack"]["signing_secret"])
    assert verifier.is_valid_request(got.raw, got.headers)
    assert not verifier.is_valid_request(got.raw + b" ", got.headers)
    assert got.json["event"]["text"] == "hello"
    first, again = gateway.got
    assert "X-Slack-Retry-Num" not in first.headers
    assert (again.headers["X-Slack-Retry-Num"], again.headers["X-Slack-Retry-Reason"]) == (
        "1",
        "http_error",
    )
    assert first.json["event_id"] == again.json["event_id"]

    ts = await team.post(blocks=CARD)
    # The card is an event, too.
    await gateway.taken(2, channel="slack")
    await team.do("press", channel=DESK, ts=ts, action_id="take")
    payload = json.loads(parse_qs(gateway.got[-1].raw.decode())["payload"][0])
    assert payload["actions"][0]["action_id"] == "take"
    assert verifier.is_valid_request(gateway.got[-1].raw, gateway.got[-1].headers)
    await team.do("command", channel=DESK, command="/takeover", text="a&b")
    assert parse_qs(gateway.got[-1].raw.decode())["text"] == ["a&b"]
    # What the gateway answers to a command is shown to who gave it.
    assert (await team.state())["messages"][-1]["text"] == "said the gateway"
    gateway.answers = [503]
    refused = await team.do("press", 504, channel=DESK, ts=ts, action_id="take")
    assert refused == {"error": "dispatch_failed"}


async def test_four_times_and_no_more(team, gateway):
    gateway.decide = lambda body: 500
    await team.do("message", channel=DESK, text="hello")
    await until(lambda: len(gateway.got) == 4)
    await asyncio.sleep(0.1)
    assert [r.headers.get("X-Slack-Retry-Num") for r in gateway.got] == [None, "1", "2", "3"]


# -- slack-bolt, the control API, the page ----------------------------------------


async def test_an_app_of_slack_bolt_works_with_it(team):
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

    app = AsyncApp(
        client=team.client,
        signing_secret=team.phones.accounts["slack"]["signing_secret"],
        process_before_response=True,
    )
    texts: list[str] = []

    @app.action("take")
    async def take(ack: Any, body: Any, respond: Any, client: Any) -> None:
        await ack()
        await respond(text="taken", replace_original=False)
        await client.reactions_add(
            channel=DESK, timestamp=body["message"]["ts"], name="raised_hand"
        )

    @app.event("message")
    async def message(event: Any) -> None:
        texts.append(event["text"])

    handler = AsyncSocketModeHandler(app, team.phones.accounts["slack"]["app_token"])
    await handler.connect_async()
    try:
        await connected(team, 1)
        ts = await team.post(blocks=CARD)
        await team.do("message", channel=DESK, thread_ts=ts, text="a note")
        await team.do("press", channel=DESK, ts=ts, action_id="take")

        async def reacted() -> bool:
            return bool(texts and (await team.shown(ts))["reactions"])

        await until(reacted)
        # Its own messages Bolt passes over.
        assert texts == ["a note"]
        assert (await team.shown(ts))["reactions"][0]["name"] == "raised_hand"
        assert (await team.state())["messages"][-1]["text"] == "taken"
    finally:
        await handler.close_async()


async def test_the_page_hears_of_every_change(team):
    async with team.phones.events() as page:
        assert page.state["slack"] == {"accounts": ["desk"]}
        ts = await team.post(blocks=[section()])
        told = await page.next()
        assert (told["event"], told["what"]) == ("slack", "message")
        assert told["message"] == await team.shown(ts)
        assert set(told["message"]) == {
            *("channel", "ts", "thread_ts", "user", "name", "bot", "text", "blocks", "files"),
            *("reactions", "edited", "deleted", "ephemeral_for", "broadcast"),
        }


async def test_the_control_api_names_what_is_wrong(team):
    ts = await team.post()
    for verb, body, reason in (
        ("message", {"channel": "C0X", "text": "x"}, "channel must be one of"),
        ("message", {"channel": DESK, "text": ""}, "text is empty"),
        ("message", {"channel": DESK, "text": "x", "agent": "U0X"}, "agent must be one of"),
        ("message", {"channel": DESK, "files": ["F0"]}, "there is no file"),
        ("message", {"channel": DESK, "text": "x", "thread_ts": "1.1"}, "thread_not_found"),
        ("edit", {"channel": DESK, "ts": ts, "text": "x"}, "only who wrote"),
        ("edit", {"channel": DESK, "ts": "1.1", "text": "x"}, "no message"),
        ("react", {"channel": DESK, "ts": ts, "name": "nonsense_"}, "invalid_name"),
        ("command", {"channel": DESK, "command": "x"}, "slash"),
        ("disconnect", {"reason": "x"}, "reason must be one of"),
    ):
        assert reason in (await team.do(verb, 400, **body))["error"]


async def test_other_web_sites_cannot_drive_it(team):
    url = f"{team.phones.url}/control/slack/message"
    body = json.dumps({"agent": "U0ANNA", "channel": DESK, "text": "x"})
    async with team.phones.http.post(
        url, data=body, headers={"Content-Type": "text/plain"}
    ) as answer:
        assert answer.status == 415
    evil = {"Origin": "https://evil.example", "Content-Type": "application/json"}
    async with team.phones.http.post(url, data=body, headers=evil) as answer:
        assert answer.status == 403
    state = f"{team.phones.url}/control/state"
    async with team.phones.http.get(state) as answer:
        text = await answer.text()
    account = team.phones.accounts["slack"]
    assert not any(account[k] in text for k in ("bot_token", "app_token", "signing_secret"))


async def test_what_it_keeps_is_bounded(team, monkeypatch):
    monkeypatch.setattr("bot.sandbox.slack_state.KEEP", 3)
    async with team.phones.events() as page:
        made = [await team.post(f"{n}") for n in range(4)]
        while (told := await page.next()).get("what") != "gone":
            continue
        assert (told["channel"], told["ts"]) == (DESK, made[0])
    assert [m["ts"] for m in (await team.state())["messages"]] == made[1:]


async def test_events_are_spread_over_the_sockets_of_an_app(team):
    app_token = team.phones.accounts["slack"]["app_token"]
    urls = [(await team.client.apps_connections_open(app_token=app_token))["url"] for _ in range(2)]
    async with team.phones.http.ws_connect(urls[0]) as one:
        async with team.phones.http.ws_connect(urls[1]) as two:
            assert [(await s.receive_json())["num_connections"] for s in (one, two)] == [1, 2]
            for text in ("a", "b"):
                await team.do("message", channel=DESK, text=text)
            got = []
            for link in (one, two):
                envelope = await link.receive_json()
                await link.send_json({"envelope_id": envelope["envelope_id"]})
                got.append(envelope["payload"]["event"]["text"])
            assert sorted(got) == ["a", "b"]
        await connected(team, 1)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("plain", "plain"),
        (
            "@Anna Keller, @anna: @annabel me@ben.example",
            "<@U0ANNA>, <@U0ANNA>: @annabel me@ben.example",
        ),
        ("@cara silva!", "<@U0CARA>!"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("(http://a.example/x).", "(<http://a.example/x>)."),
        ("👍❤️🇬🇧👎🏿", ":+1::heart::flag-gb::-1::skin-tone-6:"),
        (":eyes: *bold* // note: x", ":eyes: *bold* // note: x"),
    ],
)
async def test_words_are_sent_as_slacks_clients_send_them(team, typed, sent):
    ts = (await team.do("message", channel=DESK, text=typed))["ts"]
    assert (await team.shown(ts))["text"] == sent
