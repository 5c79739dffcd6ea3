"""The web chat's protocol, by real WebSocket clients against the connector's own routes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.message import (
    Address,
    Choice,
    Choices,
    Event,
    Location,
    Media,
    Option,
    Outbound,
    Reaction,
    Receipt,
    Referral,
    Text,
    decode,
)
from connectors import webchat
from connectors.base import Request
from connectors.errors import BadSignature
from connectors.webchat import WebChat, WebChatAccount
from tests.kit.dice import examples
from tests.kit.host import MemoryHost, gateway
from tests.kit.waiting import until

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Page:
    """A visitor's page: one connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.token = ""

    async def say(self, **frame: Any) -> None:
        await self.socket.send_str(json.dumps(frame))

    async def hear(self) -> dict[str, Any]:
        frame = await asyncio.wait_for(self.socket.receive(), 10)
        assert frame.type is WSMsgType.TEXT, f"closed: {frame}"
        heard: dict[str, Any] = json.loads(frame.data)
        return heard

    async def hello(self, token: str | None = None, after: Any = 0, **more: Any) -> dict[str, Any]:
        await self.say(type="hello", token=token, after=after, **more)
        welcome = await self.hear()
        self.token = welcome.get("token", "")
        return welcome

    async def send(self, id: str, text: str) -> dict[str, Any]:
        await self.say(type="send", id=id, text=text)
        return await self.hear()

    async def closed(self) -> int:
        """Read on to the end of the connection; return the server's close code."""
        while True:
            frame = await asyncio.wait_for(self.socket.receive(), 10)
            if frame.type is WSMsgType.CLOSE:
                return int(frame.data)
            assert frame.type is WSMsgType.TEXT, f"no close frame but {frame}"

    @property
    def user(self) -> str:
        return user_of(self.token)


def user_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def id_of(n: int) -> str:
    return f"message-{n:04}"


def chat(**account: Any) -> WebChat:
    return WebChat(WebChatAccount(account="site", **account))


@asynccontextmanager
async def page(
    url: str, origin: str | None = "", account: str = "site", **headers: str
) -> AsyncIterator[Page]:
    """Connect from a page of `origin`; "" is the gateway's own."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if origin is not None:
        sent["Origin"] = origin or url
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            # autoclose off: the client's own answer would replace the server's close code.
            f"{url}/chat/{account}",
            headers=sent,
            max_msg_size=0,
            autoclose=False,
        ) as socket,
    ):
        yield Page(socket)


async def status_for(url: str, **how: Any) -> int:
    """Return the HTTP status a connection attempt gets."""
    try:
        async with page(url, **how):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


@pytest.fixture
def host() -> MemoryHost:
    return MemoryHost()


@pytest.fixture
async def url(host: MemoryHost) -> AsyncIterator[str]:
    async with gateway(host, chat(title="Help")) as url:
        yield url


async def test_a_new_visitor_gets_a_token_and_is_known_by_its_hash_alone(url, host):
    async with page(url) as first, page(url) as second:
        welcome = await first.hello(language="de-AT")
        await second.hello()
        assert welcome["title"] == "Help"
        assert len(base64.urlsafe_b64decode(first.token)) == 24
        assert first.token != second.token
        assert await first.send(id_of(1), "Grüß Gott") == {"type": "ack", "id": id_of(1)}
    (said,) = host.inbound
    assert said.address == Address("webchat", "site", first.user)
    assert said.provider_id == f"{first.user}.{id_of(1)}"
    assert said.content == Text("Grüß Gott")
    assert said.profile.language == "de-AT"
    assert said.order == 0
    assert first.token not in repr(said)


async def test_an_ack_is_said_only_once_the_message_is_stored(url, host):
    entered, go = asyncio.Event(), asyncio.Event()
    accept = host.accept

    async def slow(arrived):
        entered.set()
        await go.wait()
        await accept(arrived)

    host.accept = slow
    async with page(url) as visitor:
        await visitor.hello()
        await visitor.say(type="send", id=id_of(1), text="hello")
        await entered.wait()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(
                asyncio.shield(heard := asyncio.ensure_future(visitor.hear())), 0.2
            )
        assert host.inbound == []
        go.set()
        assert await heard == {"type": "ack", "id": id_of(1)}
        assert len(host.inbound) == 1


async def test_answers_are_shown_live_with_their_content(url, host):
    contents = [
        Text("hello"),
        Choices("Which one?", (Option("One", "/one"), Option("Two", "/two", "the second"))),
        Media("image", url="https://shop.example.com/a.png", mime="image/png", caption="A"),
        Location(48.2, 16.37, "Shop"),
    ]
    async with page(url) as visitor:
        await visitor.hello()
        for content in contents:
            await host.send(Address("webchat", "site", visitor.user), content)
        heard = [await visitor.hear() for _ in contents]
    assert [decode(h["content"]) for h in heard] == contents
    assert [h["order"] for h in heard] == [1, 2, 3, 4]
    assert all(h["type"] == "message" and h["at"].endswith("+00:00") for h in heard)


async def test_after_a_reconnect_nothing_is_lost_and_nothing_comes_twice(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        address = Address("webchat", "site", visitor.user)
        for n in range(3):
            await host.send(address, Text(f"before {n}"))
        seen = [await visitor.hear() for _ in range(3)]
    for n in range(3):
        await host.send(address, Text(f"meanwhile {n}"))
    async with page(url) as again:
        welcome = await again.hello(visitor.token, after=seen[-1]["order"])
        assert welcome["token"] == visitor.token
        await host.send(address, Text("live"))
        seen += [await again.hear() for _ in range(4)]
        assert (await again.send(id_of(1), "x"))["type"] == "ack"
    assert [s["order"] for s in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert [s["content"]["text"] for s in seen][3:] == [
        "meanwhile 0",
        "meanwhile 1",
        "meanwhile 2",
        "live",
    ]


async def test_a_feed_that_breaks_goes_on_after_what_was_shown(url, host, monkeypatch):
    monkeypatch.setattr(webchat, "FEED_RETRY", 0.01)
    feed = host.feed

    async def breaking(address, after):
        async for sent in feed(address, after):
            yield sent
            raise RuntimeError("broken by the test")

    host.feed = breaking
    async with page(url) as visitor:
        await visitor.hello()
        for n in range(4):
            await host.send(Address("webchat", "site", visitor.user), Text(str(n)))
        assert [(await visitor.hear())["order"] for _ in range(4)] == [1, 2, 3, 4]


async def test_every_tab_of_a_visitor_sees_the_same(url, host):
    async with page(url) as one, page(url) as other:
        await one.hello()
        await other.hello(one.token)
        await host.send(Address("webchat", "site", one.user), Text("both"))
        assert (await one.hear())["id"] == (await other.hear())["id"]


async def test_a_message_sent_again_is_acknowledged_and_stored_once(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        assert (await visitor.send(id_of(1), "pay"))["type"] == "ack"
    async with page(url) as again:
        await again.hello(visitor.token)
        assert (await again.send(id_of(1), "pay"))["type"] == "ack"
        assert (await again.send(id_of(2), "pay"))["type"] == "ack"
    assert [i.provider_id.rpartition(".")[2] for i in host.inbound] == [id_of(1), id_of(2)]


async def test_two_visitors_may_use_the_same_message_id(url, host):
    async with page(url) as one, page(url) as other:
        await one.hello()
        await other.hello()
        await one.send(id_of(1), "mine")
        await other.send(id_of(1), "mine too")
    assert [i.content for i in host.inbound] == [Text("mine"), Text("mine too")]


async def test_while_the_store_is_down_the_page_is_told_to_try_again(url, host, caplog):
    async with page(url) as visitor:
        await visitor.hello()
        host.down = True
        answer = await visitor.send(id_of(1), "hello")
        assert answer == {"type": "retry", "id": id_of(1), "after": webchat.STORE_RETRY}
        assert host.inbound == []
        host.down = False
        assert (await visitor.send(id_of(1), "hello"))["type"] == "ack"
    assert len(host.inbound) == 1
    assert "was not stored" in caplog.text
    assert visitor.token not in caplog.text


async def test_messages_of_one_connection_arrive_in_the_order_they_were_sent(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        for n in range(10):
            await visitor.say(type="send", id=id_of(n), text=str(n))
        assert [(await visitor.hear())["id"] for n in range(10)] == [id_of(n) for n in range(10)]
    assert [i.content for i in host.inbound] == [Text(str(n)) for n in range(10)]


async def test_a_choice_carries_its_payload_and_its_message(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        await visitor.say(type="choose", id=id_of(1), payload="/yes", title="Yes", of="turn:0")
        assert (await visitor.hear())["type"] == "ack"
    assert host.inbound[0].content == Choice("/yes", "Yes", "turn:0")


async def test_an_image_in_a_frame_is_kept_as_a_file(url, host):
    data = base64.b64encode(PNG).decode()
    async with page(url) as visitor:
        await visitor.hello()
        await visitor.say(type="image", id=id_of(1), data=f"data:image/jpeg;base64,{data}")
        assert (await visitor.hear())["type"] == "ack"
    (ref,) = host.kept
    assert host.kept[ref][0] == PNG
    assert host.inbound[0].content == Media("image", ref=ref, mime="image/jpeg", size=len(PNG))


def data_url(data: bytes, mime: str = "image/jpeg") -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


JPEG = b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"type": "send", "text": ""}, "empty"),
        ({"type": "send", "text": " \n\t\u2003"}, "empty"),
        ({"type": "send", "text": "\x00\x00"}, "empty"),
        ({"type": "send", "text": "\u200b\u2060\ufeff"}, "empty"),
        ({"type": "send", "text": "x" * 4001}, "too_long"),
        ({"type": "choose", "payload": ""}, "empty"),
        ({"type": "choose", "payload": "x" * 1025}, "too_long"),
        ({"type": "choose", "payload": "/a", "title": "x" * 201}, "too_long"),
        ({"type": "choose", "payload": "/a", "of": "x" * 1025}, "too_long"),
        ({"type": "image", "data": ""}, "not_an_image"),
        ({"type": "image", "data": "https://shop.example.com/a.png"}, "not_an_image"),
        ({"type": "image", "data": data_url(b"<html>")}, "not_an_image"),
        ({"type": "image", "data": data_url(b"<svg xmlns='x'/>", "image/svg+xml")}, "not_an_image"),
        ({"type": "image", "data": "data:image/png;base64,%%%"}, "not_an_image"),
        ({"type": "image", "data": "data:image/png;base64,é"}, "not_an_image"),
        ({"type": "image", "data": data_url(PNG) + "\n"}, "not_an_image"),
        ({"type": "image", "data": data_url(JPEG + bytes(512 * 1024))}, "too_big"),
    ],
)
async def test_a_message_that_cannot_be_taken_is_refused_with_a_reason(url, host, frame, reason):
    assert reason in webchat.REFUSALS
    async with page(url) as visitor:
        await visitor.hello()
        await visitor.say(id=id_of(1), **frame)
        assert await visitor.hear() == {"type": "refused", "id": id_of(1), "reason": reason}
    assert host.attempts == 0


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("x" * 4000, "x" * 4000),
        ("😀" * 4000, "😀" * 4000),
        ("\U0001fae8", "\U0001fae8"),
        ("a\x00b", "ab"),
        ("\ud800!", "\ufffd!"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
    ],
)
async def test_odd_but_sensible_text_is_taken_and_cleaned(url, host, text, stored):
    async with page(url) as visitor:
        await visitor.hello()
        assert (await visitor.send(id_of(1), text))["type"] == "ack"
    assert host.inbound[0].content == Text(stored)


async def test_the_biggest_image_is_taken(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        data = JPEG + bytes(webchat.IMAGE_LIMIT - len(JPEG))
        await visitor.say(type="image", id=id_of(1), data=data_url(data))
        assert (await visitor.hear())["type"] == "ack"
    assert host.inbound[0].content.size == webchat.IMAGE_LIMIT


async def test_a_frame_over_the_limit_ends_the_connection(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        await visitor.socket.send_str('"' + "x" * webchat.FRAME_LIMIT + '"')
        assert await visitor.closed() == 1009
    async with page(url) as another:
        assert (await another.hello())["type"] == "welcome"


async def test_receipts_cover_what_was_shown_up_to_the_message_named(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        address = Address("webchat", "site", visitor.user)
        ids = [(await host.send(address, Text(str(n)))).id for n in range(3)]
        for _ in ids:
            await visitor.hear()
        await visitor.say(type="delivered", id=ids[2])
        await visitor.say(type="delivered", id=ids[2])
        await visitor.say(type="seen", id=ids[1])
        await visitor.say(type="seen", id=ids[0])
        await visitor.send(id_of(1), "done")
    assert [(r.ref, r.status) for r in host.receipts] == [
        (ids[0], "delivered"),
        (ids[1], "delivered"),
        (ids[2], "delivered"),
        (ids[0], "read"),
        (ids[1], "read"),
    ]
    assert all(r.provider_id == r.ref for r in host.receipts)
    assert host.receipts[0] == Receipt(
        "webchat", "site", ids[0], "delivered", at=host.receipts[0].at, ref=ids[0]
    )


async def test_receipts_for_messages_of_others_are_ignored(url, host):
    async with page(url) as victim, page(url) as thief:
        await victim.hello()
        await thief.hello()
        sent = await host.send(Address("webchat", "site", victim.user), Text("private"))
        await victim.hear()
        await thief.say(type="seen", id=sent.id)
        await thief.say(type="delivered", id=sent.id)
        assert (await thief.send(id_of(1), "x"))["type"] == "ack"
    assert host.receipts == []


async def test_receipts_lost_with_the_store_are_made_up_for_by_the_next(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        address = Address("webchat", "site", visitor.user)
        ids = [(await host.send(address, Text(str(n)))).id for n in range(2)]
        for _ in ids:
            await visitor.hear()
        host.down = True
        await visitor.say(type="seen", id=ids[0])
        assert (await visitor.send(id_of(1), "x"))["type"] == "retry"
        host.down = False
        await visitor.say(type="seen", id=ids[1])
        await visitor.send(id_of(1), "x")
    assert [(r.ref, r.status) for r in host.receipts] == [(ids[0], "read"), (ids[1], "read")]


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: user_of(token),
        lambda token: token[:-1],
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token + "A",
        lambda token: token.swapcase(),
        lambda token: token + "\n",
        lambda token: f"webchat:site:{user_of(token)}",
        lambda token: [token],
        lambda token: {"$ne": None},
        lambda token: True,
    ],
)
async def test_a_forged_token_opens_no_conversation(url, host, forge):
    async with page(url) as victim:
        await victim.hello()
        await host.send(Address("webchat", "site", victim.user), Text("private"))
        await victim.hear()
        async with page(url) as thief:
            welcome = await thief.hello(forge(victim.token), after=0)
            assert welcome["token"] != victim.token
            await host.send(Address("webchat", "site", thief.user), Text("for the thief"))
            assert (await thief.hear())["content"]["text"] == "for the thief"
            await thief.send(id_of(1), "I am the victim")
    assert host.inbound[0].address.user == thief.user != victim.user


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        ((), "", 101),
        ((), "http://localhost:3000", 101),
        ((), "http://shop.localhost", 101),
        ((), "http://127.9.9.9", 101),
        ((), "http://[::1]:80", 101),
        ((), None, 403),
        ((), "null", 403),
        ((), "https://evil.example", 403),
        ((), "http://127.0.0.1.evil.example", 403),
        ((), "http://localhost.evil.example", 403),
        ((), "file://", 403),
        ((), "http://[", 403),
        (("https://shop.example.com",), "https://shop.example.com", 101),
        (("https://shop.example.com/",), "https://shop.example.com:443", 101),
        (("https://SHOP.example.com:8443",), "https://shop.example.com:8443", 101),
        (("https://müller.example",), "https://xn--mller-kva.example", 101),
        (("https://shop.example.com",), "http://shop.example.com", 403),
        (("https://shop.example.com",), "https://shop.example.com.evil.example", 403),
        (("https://shop.example.com",), "https://evil.example/?https://shop.example.com", 403),
        (("https://shop.example.com",), "https://shop.example.com:8443", 403),
        (("https://shop.example.com",), "https://www.shop.example.com", 403),
        (("https://shop.example.com",), "http://localhost", 403),
        (("https://shop.example.com",), "", 403),
        (("https://shop.example.com",), None, 403),
    ],
)
async def test_only_pages_of_allowed_origins_may_connect(host, origins, origin, status):
    async with gateway(host, chat(origins=origins)) as url:
        assert await status_for(url, origin=origin) == status


async def test_the_public_url_counts_as_the_own_origin_behind_a_proxy(host):
    host.webhook_url = "https://bot.example.com/webhooks/webchat/site"
    async with gateway(host, chat()) as url:
        assert await status_for(url, origin="https://bot.example.com") == 101
        assert await status_for(url, origin="https://bot.example.com:444") == 403


@pytest.mark.parametrize(
    "origin",
    ["shop.example.com", "*", "https://*.example.com", "https://a.example/shop", "ftp://a"],
)
def test_an_origin_that_is_none_is_refused_with_a_clear_error(origin):
    with pytest.raises(ValueError, match="is not an origin"):
        chat(origins=(origin,))


async def test_an_unknown_account_is_not_found(url):
    assert await status_for(url, account="other") == 404


async def test_accounts_do_not_share_conversations(host):
    accounts = [WebChat(WebChatAccount(account=name)) for name in ("one", "two")]
    async with gateway(host, *accounts) as url:
        async with page(url, account="one") as one, page(url, account="two") as two:
            await one.hello()
            await two.hello(one.token)
            await host.send(Address("webchat", "one", one.user), Text("for one"))
            await host.send(Address("webchat", "two", one.user), Text("for two"))
            assert (await one.hear())["content"]["text"] == "for one"
            assert (await two.hear())["content"]["text"] == "for two"
        async with aiohttp.ClientSession() as session, session.get(f"{url}/widget.js") as got:
            assert got.status == 200


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        '"hello"',
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 100_000,
        '{"type": ["send"]}',
        '{"type": {}}',
        '{"type": "rm"}',
        '{"type": "hello"}',
        '{"type": "send"}',
        '{"type": "send", "id": 1, "text": "x"}',
        '{"type": "send", "id": "short", "text": "x"}',
        '{"type": "send", "id": "with:colon", "text": "x"}',
        '{"type": "send", "id": "\\ud800aaaaaaaa", "text": "x"}',
        '{"type": "send", "id": "message-0001"}',
        '{"type": "send", "id": "message-0001", "text": ["x"]}',
        '{"type": "choose", "id": "message-0001", "payload": {}}',
        '{"type": "choose", "id": "message-0001", "payload": "/a", "of": 3}',
        '{"type": "image", "id": "message-0001", "data": null}',
        '{"type": "seen", "id": ["x"]}',
        b"\x00\x01",
    ],
)
async def test_a_malformed_frame_is_answered_by_an_error_and_changes_nothing(url, host, frame):
    async with page(url) as visitor:
        await visitor.hello()
        if isinstance(frame, bytes):
            await visitor.socket.send_bytes(frame)
        else:
            await visitor.socket.send_str(frame)
        assert (await visitor.hear())["type"] == "error"
        assert (await visitor.send(id_of(1), "still here"))["type"] == "ack"
    assert [i.content for i in host.inbound] == [Text("still here")]


async def test_several_malformed_frames_end_the_connection(url):
    async with page(url) as visitor:
        await visitor.hello()
        for _ in range(webchat.MALFORMED_FRAMES):
            await visitor.socket.send_str("{")
            assert (await visitor.hear())["type"] == "error"
        assert await visitor.closed() == 1008


@pytest.mark.parametrize(
    "first",
    [
        {"type": "send", "id": "message-0001", "text": "x"},
        {"type": "hello", "after": -1},
        {"type": "hello", "after": True},
        {"type": "hello", "after": "1"},
        {"type": "hello", "after": 2**63},
        {"type": "hello", "after": None},
    ],
)
async def test_without_a_proper_hello_nothing_begins(url, host, first):
    async with page(url) as visitor:
        await visitor.say(**first)
        assert (await visitor.hear())["type"] == "error"
        assert await visitor.closed() == 1008
    assert host.attempts == 0


async def test_a_connection_that_says_no_hello_is_ended(url, monkeypatch):
    monkeypatch.setattr(webchat, "HELLO_TIME", 0.05)
    async with page(url) as visitor:
        assert await visitor.closed() == 1008


words = st.text(max_size=40) | st.sampled_from(["send", "choose", "image", "seen", "hello", "id"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(
    [
        *("hello", "send", "choose", "image", "seen", "delivered"),
        *("location", "contact", "react", "edit", "delete", "file"),
    ]
)
ids = st.just("message-0001") | values
names = (
    *("text", "payload", "title", "of", "data", "token", "after", "reply_to", "page"),
    *("latitude", "longitude", "name", "phones", "emails", "emoji", "removed", "page_title"),
)
frames = st.one_of(
    st.fixed_dictionaries(
        {"type": kinds, "id": ids}, optional={name: values for name in names}
    ).map(json.dumps),
    values.map(json.dumps),
    st.text(max_size=60).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
    st.binary(max_size=60),
)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(sequence=st.lists(frames, max_size=6), greeted=st.booleans())
async def test_no_frames_whatever_break_the_gateway(sequence, greeted):
    host, failures = MemoryHost(), []
    catch = logging.Handler(logging.ERROR)
    catch.emit = lambda record: failures.append(record.getMessage())
    logging.getLogger().addHandler(catch)
    try:
        async with gateway(host, chat()) as url, page(url) as visitor:
            if greeted:
                await visitor.hello()
            for frame in sequence:
                if isinstance(frame, bytes):
                    await visitor.socket.send_bytes(frame)
                else:
                    await visitor.socket.send_str(frame)
            await visitor.socket.close()
            async with page(url) as another:
                await another.hello()
                assert (await another.send(id_of(9), "next"))["type"] == "ack"
    finally:
        logging.getLogger().removeHandler(catch)
    assert failures == []
    assert host.inbound[-1].content == Text("next")
    # 1008 a policy's end, 1011 would be a crash.
    assert visitor.socket.close_code in (1000, 1008, None)


async def test_too_many_messages_at_once_are_to_be_sent_again_later(url, host):
    size = webchat.VISITOR_RATE[0]
    # So many that they are too many even where it takes seconds to send them.
    many = size + 20
    async with page(url) as visitor:
        await visitor.hello()
        for n in range(many):
            await visitor.say(type="send", id=id_of(n), text=str(n))
        answers = [await visitor.hear() for _ in range(many)]
        late = [a for a in answers if a["type"] == "retry"]
        assert [a["type"] for a in answers[:size]] == ["ack"] * size
        assert late
        assert 0 < late[0]["after"] <= 1
        async with page(url) as tab:
            await tab.hello(visitor.token)
            assert (await tab.send(id_of(99), "through another tab"))["type"] == "retry"
        await asyncio.sleep(late[0]["after"])
        assert (await visitor.send(late[0]["id"], "again"))["type"] == "ack"
    assert len({i.id for i in host.inbound}) == len(host.inbound) <= many


async def test_a_page_that_never_waits_is_ended(url, monkeypatch):
    monkeypatch.setattr(webchat, "IGNORED_RETRIES", 10)
    async with page(url) as visitor:
        await visitor.hello()
        for n in range(200):
            await visitor.say(type="send", id=id_of(n), text=str(n))
        assert await visitor.closed() == 1008


def test_a_rate_gives_back_with_time_and_takes_nothing_when_it_refuses(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(webchat.time, "monotonic", lambda: now[0])
    rates = webchat._Rates()
    one, both = {"a": (2, 1.0)}, {"a": (2, 1.0), "b": (1, 0.5)}
    assert rates.take(both) == 0
    assert rates.take(both) == pytest.approx(2.0)
    assert rates.take(one) == 0
    assert rates.take(one) == pytest.approx(1.0)
    now[0] += 0.95
    assert rates.take(one) == pytest.approx(0.1)
    now[0] += 0.1
    assert rates.take(one) == 0
    now[0] += 3600
    assert [rates.take(one) for _ in range(3)][:2] == [0, 0]


async def test_a_visitor_may_hold_only_so_many_connections(url, monkeypatch):
    monkeypatch.setattr(webchat, "CONNECTIONS_PER_VISITOR", 2)
    async with page(url) as one, page(url) as two, page(url) as three:
        await one.hello()
        await two.hello(one.token)
        await three.say(type="hello", token=one.token, after=0)
        assert await three.closed() == 1013
        await two.socket.close()
        async with page(url) as four:
            assert (await four.hello(one.token))["type"] == "welcome"


async def test_an_address_on_the_internet_may_hold_only_so_many_connections(url, monkeypatch):
    monkeypatch.setattr(webchat, "CONNECTIONS_PER_PEER", 1)
    proxied = {"X_Forwarded_For": "1.1.1.1, 8.8.8.8"}
    async with page(url, **proxied) as one:
        await one.hello()
        assert await status_for(url, **proxied) == 429
        # Only the entry the own proxy appended is believed.
        assert await status_for(url, X_Forwarded_For="9.9.9.9, 8.8.8.8") == 429
        assert await status_for(url, X_Forwarded_For="8.8.8.8, 9.9.9.9") == 101
        assert await status_for(url) == 101


async def test_an_ipv6_network_counts_as_one_address(url, monkeypatch):
    monkeypatch.setattr(webchat, "CONNECTIONS_PER_PEER", 1)
    async with page(url, X_Forwarded_For="2606:4700::1") as one:
        await one.hello()
        assert await status_for(url, X_Forwarded_For="2606:4700::ffff:2") == 429
        assert await status_for(url, X_Forwarded_For="2606:4700:0:1::1") == 101


async def test_ended_connections_are_forgotten(host):
    connector = chat()
    async with gateway(host, connector) as url:
        async with page(url, X_Forwarded_For="8.8.8.8") as visitor:
            await visitor.hello()
            assert len(connector._sessions) == 1
        await until(lambda: not connector._sessions)
        assert not connector._peers
        assert not connector._visitors
        others = {t.get_coro().__qualname__ for t in asyncio.all_tasks()}
        assert "_Session._feed" not in others


async def test_closing_ends_every_connection_in_order_and_takes_no_more(host):
    connector = chat()
    async with gateway(host, connector) as url, page(url) as visitor, page(url) as silent:
        await visitor.hello()
        closing = asyncio.create_task(connector.close())
        assert await visitor.closed() == 1001
        assert await silent.closed() == 1001
        await closing
        assert await status_for(url) == 503


async def test_a_message_stored_while_the_gateway_stops_is_stored_once(host):
    entered, go = asyncio.Event(), asyncio.Event()
    accept = host.accept

    async def slow(arrived):
        entered.set()
        await go.wait()
        await accept(arrived)

    host.accept = slow
    first = chat()
    async with gateway(host, first) as url, page(url) as visitor:
        await visitor.hello()
        await visitor.say(type="send", id=id_of(1), text="just before the stop")
        await entered.wait()
        closing = asyncio.create_task(first.close())
        assert await visitor.closed() == 1001
        go.set()
        await closing
    async with gateway(host, chat()) as url, page(url) as again:
        await again.hello(visitor.token)
        assert (await again.send(id_of(1), "just before the stop"))["type"] == "ack"
    assert len(host.inbound) == 1


async def test_the_widget_is_served_to_any_site_and_revalidated(url):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/widget.js") as got:
            assert got.status == 200
            assert got.content_type == "text/javascript"
            assert got.headers["Access-Control-Allow-Origin"] == "*"
            assert got.headers["X-Content-Type-Options"] == "nosniff"
            assert (await got.text()).startswith("(() => {")
            assert got.headers["Content-Encoding"] in ("gzip", "deflate")
            tag = got.headers["ETag"]
        async with session.get(f"{url}/widget.js", headers={"If-None-Match": tag}) as again:
            assert again.status == 304


async def test_sending_is_the_stores_matter_and_always_settled():
    connector = chat()
    outbound = Outbound("turn:0", Address("webchat", "site", "u"), Text("hi"))
    assert await connector.send(outbound) == "turn:0"
    assert await connector.confirm(outbound, []) == "turn:0"
    assert "/chat/site" in await connector.identity()


async def test_there_is_no_webhook_to_post_to():
    with pytest.raises(BadSignature):
        await chat().receive(Request("POST", "/webhooks/webchat/site", body=b"{}"))
    assert (await chat().handshake(Request("GET", "/webhooks/webchat/site"))).status == 405


async def test_an_error_about_a_frame_names_it_so_that_the_page_need_not_wait(url):
    async with page(url) as visitor:
        await visitor.hello()
        await visitor.say(type="from_the_future", id=id_of(1))
        heard = await visitor.hear()
        assert (heard["type"], heard["id"]) == ("error", id_of(1))
        await visitor.say(type="edit", id=id_of(2), of="turn:0", text="x")
        assert (await visitor.hear())["id"] == id_of(2)
        await visitor.say(type="send", id="no", text="x")
        assert "id" not in await visitor.hear()


async def test_an_answer_names_the_message_it_is_the_answer_to(host):
    host.answer = lambda said: [Text("one"), Text("two")]
    async with gateway(host, chat()) as url, page(url) as visitor:
        await visitor.hello()
        await visitor.say(type="send", id=id_of(1), text="hello")
        frames = [await visitor.hear() for _ in range(3)]
        assert [f.get("answers") for f in frames if f["type"] == "message"] == [id_of(1)] * 2
        address = Address("webchat", "site", visitor.user)
        others = [
            "desk:1",
            f"webchat:site:{'0' * 32}.{id_of(1)}:0",
            f"webchat:other:{visitor.user}.{id_of(1)}:0",
            f"webchat:site:{visitor.user}.start:0",
        ]
        for id in others:
            await host.send(address, Text("by itself"), id=id)
            assert "answers" not in await visitor.hear()


async def test_a_reaction_names_the_visitors_message_as_his_page_does(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        address = Address("webchat", "site", visitor.user)
        await host.send(address, Reaction(f"{visitor.user}.{id_of(1)}", "👍"))
        assert (await visitor.hear())["content"] == {
            "kind": "reaction",
            "of": id_of(1),
            "emoji": "👍",
            "removed": False,
        }


async def test_who_wrote_a_message_is_told(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        address = Address("webchat", "site", visitor.user)
        await host.send(address, Text("Anna here"), agent="Anna")
        await host.send(address, Text("beep"))
        assert (await visitor.hear())["agent"] == "Anna"
        assert "agent" not in await visitor.hear()


SHOP = "https://shop.example.com"


@pytest.mark.parametrize(
    ("page_url", "title", "referral"),
    [
        (f"{SHOP}/mugs?utm_source=news&utm_campaign=may%20sale&session=secret#top", "Mugs",
         Referral("page", "utm_source=news&utm_campaign=may+sale", f"{SHOP}/mugs", "Mugs")),
        (f"{SHOP}/?gclid=abc&utm_medium=cpc", "",
         Referral("page", "utm_medium=cpc", f"{SHOP}/", "", "abc")),
        (f"{SHOP}:443/a", "x" * 300, Referral("page", "", f"{SHOP}/a", "x" * 200)),
        (f"{SHOP}/reset?token=secret", 7, Referral("page", "", f"{SHOP}/reset")),
        ("https://evil.example/mugs", "Mugs", None),
        ("https://shop.example.com@evil.example/", "", None),
        ("javascript:alert(1)", "", None),
        ("http://shop.example.com/", "", None),
        ("/mugs", "", None),
        ("https://[", "", None),
        ("https://shop.example.com:99999999/", "", None),
        (f"{SHOP}/" + "x" * 2048, "", None),
        (f"{SHOP}/?" + "&".join(f"a{n}=1" for n in range(200)), "", None),
        ("", "", None),
        ({"href": SHOP}, "", None),
        (None, "", None),
    ],
)  # fmt: skip
async def test_the_first_message_on_a_page_tells_how_the_visitor_came(
    host, page_url, title, referral
):
    async with gateway(host, chat(origins=(SHOP,))) as url, page(url, origin=SHOP) as visitor:
        await visitor.hello(page=page_url, page_title=title)
        await visitor.send(id_of(1), "hello")
        await visitor.send(id_of(2), "again")
    assert [i.referral for i in host.inbound] == [referral, None]
    assert "secret" not in repr(host.inbound)


async def test_how_a_visitor_came_waits_for_a_message_that_is_stored(host):
    async with gateway(host, chat(origins=(SHOP,))) as url, page(url, origin=SHOP) as visitor:
        await visitor.hello(page=f"{SHOP}/a")
        host.down = True
        assert (await visitor.send(id_of(1), "hello"))["type"] == "retry"
        host.down = False
        assert (await visitor.send(id_of(1), "hello"))["type"] == "ack"
    assert host.inbound[0].referral == Referral("page", "", f"{SHOP}/a")


async def test_opening_the_chat_is_no_message_unless_it_greets(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        await visitor.send(id_of(1), "hello")
    assert [i.content for i in host.inbound] == [Text("hello")]


async def test_a_chat_that_greets_tells_once_that_a_new_visitor_came(host):
    host.answer = lambda said: [Text("Welcome!")] if isinstance(said.content, Event) else []
    async with gateway(host, chat(greet=True)) as url:
        async with page(url) as visitor:
            await visitor.hello(page=f"{url}/a?utm_source=x", language="de")
            welcome = await visitor.hear()
            assert welcome["content"]["text"] == "Welcome!"
        async with page(url) as again:
            # As if the page had forgotten what it was shown.
            await again.hello(visitor.token)
            assert (await again.hear())["id"] == welcome["id"]
        async with page(url) as later:
            await later.hello(visitor.token, after=welcome["order"])
            await later.send(id_of(1), "hello")
    start, said = host.inbound
    assert start.content == Event("start")
    assert start.provider_id == f"{visitor.user}.start"
    assert start.referral == Referral("page", "utm_source=x", f"{url}/a")
    assert start.profile.language == "de"
    assert said.content == Text("hello")


async def test_a_greeting_that_could_not_be_stored_is_made_up_for(host, caplog):
    async with gateway(host, chat(greet=True)) as url:
        host.down = True
        async with page(url) as visitor:
            await visitor.hello()
            while "start was not stored" not in caplog.text:
                await asyncio.sleep(0.01)
        host.down = False
        async with page(url) as again:
            await again.hello(visitor.token)
            await host.until(lambda: len(host.inbound) == 1)
    assert host.inbound[0].address.user == visitor.user


def test_a_worker_shows_no_dots_for_it_reaches_no_page():
    can = WebChat.capabilities
    assert (can.typing_seconds, can.seen) == (0, False)
    assert can.receipts == {"delivered", "read"}
