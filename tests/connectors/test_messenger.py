"""What Messenger's tables cannot say: requests made at random, secrets, clocks, connections."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.inbox import Inbox
from bot.message import (
    Address,
    Choices,
    Inbound,
    Media,
    Notice,
    Option,
    Outbound,
    Receipt,
    Template,
    Text,
    encode,
    utcnow,
)
from bot.store import AsyncStore
from bot.store.messages import SENT, UNKNOWN, Message, arrival
from connectors import CHANNELS, connector_class, messenger
from connectors.base import Request
from connectors.errors import (
    BadSignature,
    ConnectorError,
    NoFile,
    Rejected,
    RetryLater,
    Unreadable,
    Unsure,
)
from connectors.messenger import Messenger, MessengerAccount
from tests.connectors.cases.messenger_in import (
    PAGE,
    SECRET,
    STAMP,
    TOKEN,
    USER,
    VERIFY,
    echo,
    entry,
    event,
    hook,
    one,
    signature,
    text,
    webhook,
)
from tests.kit.dice import examples
from tests.kit.http import Answer, Hang, Provider, Script, closed_url, provider
from tests.kit.stores import store_in

ADDRESS = Address("messenger", "page", USER)
HELLO = Outbound("t-1:0", ADDRESS, Text("Hello"))
TAKEN = Answer({"recipient_id": USER, "message_id": "m_SENT"})


def connect(api_url: str = "", **more: Any) -> Messenger:
    account = {
        "account": "page",
        "page_id": PAGE,
        "token": TOKEN,
        "app_secret": SECRET,
        "verify_token": VERIFY,
        "api_url": api_url,
        **more,
    }
    return Messenger(MessengerAccount(**account))


@asynccontextmanager
async def graph(script: Script, **more: Any) -> AsyncIterator[tuple[Messenger, Provider]]:
    async with provider(script) as server:
        made = connect(server.url, **more)
        try:
            yield made, server
        finally:
            await made.close()


def test_the_channel_is_known() -> None:
    assert "messenger" in CHANNELS
    assert connector_class("messenger") is Messenger


@pytest.mark.parametrize("page_id", ["", "my-shop", "1/../2"])
def test_a_page_id_that_is_none_is_told_at_once(page_id: str) -> None:
    with pytest.raises(ValueError, match="page_id"):
        connect(page_id=page_id)


# --- the handshake ---


def asked(**query: str) -> Request:
    return Request(
        "GET", "/webhooks/messenger/page", {k.replace("_", ".", 1): v for k, v in query.items()}
    )


async def test_the_handshake_gives_the_challenge_back() -> None:
    query = {"hub_mode": "subscribe", "hub_challenge": "115820", "hub_verify_token": VERIFY}
    answer = await connect().handshake(asked(**query))
    assert (answer.status, answer.body) == (200, "115820")


@pytest.mark.parametrize(
    "wrong",
    [
        {"hub_verify_token": "another"},
        {"hub_verify_token": ""},
        {"hub_verify_token": "\ud800"},
        {"hub_mode": "unsubscribe"},
        {"hub_challenge": ""},
    ],
)
async def test_the_handshake_is_refused(wrong: dict[str, str]) -> None:
    right = {"hub_mode": "subscribe", "hub_challenge": "115820", "hub_verify_token": VERIFY}
    answer = await connect().handshake(asked(**{**right, **wrong}))
    assert answer.status == 403
    assert "115820" not in answer.body


async def test_without_a_word_agreed_on_no_handshake_is_right() -> None:
    query = {"hub_mode": "subscribe", "hub_challenge": "1", "hub_verify_token": ""}
    assert (await connect(verify_token="").handshake(asked(**query))).status == 403


# --- signatures ---


async def test_without_a_secret_no_request_is_taken() -> None:
    body = json.dumps(one(text())).encode()
    with pytest.raises(BadSignature):
        await connect(app_secret="").receive(hook(body, x_hub_signature_256=signature(body, "")))


async def test_a_request_is_vouched_for_anew() -> None:
    request = replace(hook(one(text())), headers={"x-other": "1"})
    made = connect()
    with pytest.raises(BadSignature):
        await made.receive(request)
    (found,) = await made.receive(made.vouch(request))
    assert isinstance(found, Inbound)
    assert made.vouch(request).headers["x-other"] == "1"


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
async def test_any_changed_bit_is_seen(at: int, bit: int) -> None:
    body = json.dumps(one(text("Grüße 👍")), ensure_ascii=False).encode()
    changed = bytearray(body)
    changed[at % len(body)] ^= 1 << bit
    with pytest.raises(BadSignature):
        await connect().receive(hook(bytes(changed), x_hub_signature_256=signature(body)))


# --- requests made at random ---

WORDS = """
    object entry id time messaging changes field value sender recipient timestamp message mid
    text attachments type payload url sticker_id coordinates lat long title product elements
    quick_reply reply_to referral ref source ad_id ads_context_data postback reaction action
    emoji message_edit num_edit order products quantity unit_price optin delivery mids read
    notification_messages_status watermark is_echo is_deleted metadata policy_enforcement
    reason user_ref
"""
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([PAGE, USER, "page", "m_1", "image", "react", STAMP, "https://[::1/x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=6)
    ),
    max_leaves=30,
)


async def received(request: Request) -> list[Any]:
    """Return what arrived, whether or not all could be read."""
    try:
        return list(await connect().receive(request))
    except Unreadable as error:
        return list(error.parsed)


def check(arrived: list[Any]) -> None:
    for found in arrived:
        assert isinstance(found, (Inbound, Receipt, Notice))
        if isinstance(found, Inbound):
            assert encode(found.content)
            assert found.provider_id
            assert found.address.user.isdigit()
            assert found.sent <= utcnow() + timedelta(days=1, seconds=1)
    ids = [found.id for found in arrived if isinstance(found, Inbound)]
    assert len(set(ids)) == len(ids)


@settings(max_examples=examples(200), deadline=None)
@given(st.binary())
async def test_no_bytes_do_more_than_be_unreadable(body: bytes) -> None:
    check(await received(hook(body)))


@settings(max_examples=examples(300), deadline=None)
@given(JSON)
async def test_no_json_does_more_than_be_unreadable(body: Any) -> None:
    check(await received(hook(body)))


@settings(max_examples=examples(600), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(
        [
            *("message", "postback", "message_edit", "reaction", "order", "optin", "referral"),
            *("delivery", "read", "policy_enforcement"),
        ]
    ),
    said=JSON,
    stamp=st.integers() | st.text() | st.none(),
)
async def test_no_event_costs_the_one_beside_it(kind: str, said: Any, stamp: Any) -> None:
    body = one(event(stamp=stamp, **{kind: said}), text("good", "m_GOOD"))
    arrived = await received(hook(body))
    check(arrived)
    assert any(isinstance(a, Inbound) and a.provider_id == "m_GOOD" for a in arrived)


@settings(max_examples=examples(300), deadline=None)
@given(attachment=JSON, words=st.none() | st.text())
async def test_no_attachment_leaves_its_customer_in_silence(attachment: Any, words: Any) -> None:
    said = {"mid": "m_1", "text": words, "attachments": [attachment]}
    arrived = await received(hook(one(event(message=said))))
    check(arrived)
    assert [a.address for a in arrived] == [ADDRESS] * len(arrived)
    assert arrived


# --- receipts ---


class _Silence:
    def ring(self, topic: str) -> None:
        return None


async def stored(path: Path, *rows: dict[str, Any]) -> AsyncStore:
    store = store_in(path)
    for n, row in enumerate(rows):
        made = {
            "direction": "out",
            "conversation": ADDRESS.key,
            "channel": "messenger",
            "account": "page",
            "status": SENT,
            "content": encode(Text("hi")),
            "order": n,
            "arrived": arrival(),
            "sent": utcnow(),
            "due": utcnow(),
            **row,
        }
        await store.insert(Message(**made))
    return store


async def test_an_echo_settles_a_message_whose_answer_was_lost(tmp_path: Path) -> None:
    store = await stored(tmp_path, {"id": "t-1:0", "status": UNKNOWN, "provider_id": ""})
    try:
        arrived = await connect().receive(hook(one(echo("m_LOST", metadata="t-1:0", text="hi"))))
        await Inbox(store, _Silence()).accept(arrived)  # type: ignore[arg-type]
        row = await store.get(Message, "t-1:0")
        assert row is not None
        assert (row.status, row.provider_id) == (SENT, "m_LOST")
    finally:
        await store.close()


async def test_a_watermark_is_of_all_before_it_to_that_customer(tmp_path: Path) -> None:
    now = utcnow()
    store = await stored(
        tmp_path,
        {"id": "a", "provider_id": "m_A", "tried": now - timedelta(minutes=2)},
        {"id": "b", "provider_id": "m_B", "tried": now - timedelta(minutes=1)},
        {"id": "c", "provider_id": "m_C", "tried": now + timedelta(minutes=1)},
        {
            "id": "d",
            "provider_id": "m_D",
            "tried": now - timedelta(minutes=2),
            "conversation": "messenger:page:77",
        },
    )
    stamp = int(now.timestamp() * 1000)
    try:
        for key, status in (("delivery", "delivered"), ("read", "read")):
            mark = {
                "sender": {"id": USER},
                "recipient": {"id": PAGE},
                "timestamp": stamp,
                key: {"watermark": stamp},
            }
            arrived = await connect().receive(hook(one(mark)))
            await Inbox(store, _Silence()).accept(arrived)  # type: ignore[arg-type]
            rows = [await store.get(Message, id) for id in "abcd"]
            found = [row.status for row in rows if row is not None]
            assert found == [status, status, SENT, SENT]
    finally:
        await store.close()


# --- the window ---


def test_the_bot_has_no_tag_and_a_person_has_one() -> None:
    by_person = replace(HELLO, agent="Ben")
    made = connect(human_agent=True)
    assert made.beyond_window(HELLO) is None
    assert made.beyond_window(by_person) == replace(by_person, tag="HUMAN_AGENT")
    assert made.beyond_window(replace(by_person, tag="HUMAN_AGENT")) is None
    assert connect().beyond_window(by_person) is None


def test_a_template_asks_the_customer_to_write_again() -> None:
    made = connect(reopen_template="come_back", reopen_language="de", human_agent=True)
    found = made.beyond_window(HELLO)
    assert found is not None
    assert found.content == Template("come_back", "de", text="[come_back]")
    late = made.beyond_window(replace(HELLO, agent="Ben", tag="HUMAN_AGENT"))
    assert late is not None
    assert (late.content, late.tag) == (found.content, "")
    own = replace(HELLO, content=Template("order_update", "en"))
    assert made.beyond_window(own) == own


@pytest.mark.parametrize("tag", messenger.RETIRED_TAGS)
async def test_a_tag_that_meta_has_retired_is_not_tried(tag: str) -> None:
    async with graph([]) as (made, _):
        with pytest.raises(Rejected, match="retired"):
            await made.send(replace(HELLO, tag=tag, agent="Ben"))


async def test_a_bot_is_no_human_agent() -> None:
    async with graph([]) as (made, _):
        with pytest.raises(Rejected, match="a person wrote"):
            await made.send(replace(HELLO, tag="HUMAN_AGENT"))


# --- people ---


async def test_without_a_picture_a_person_has_a_persona_only_where_there_is_one() -> None:
    listed = Answer({"data": [{"name": "Ann", "id": "7"}], "paging": {}})
    async with graph([listed, TAKEN, TAKEN, listed, TAKEN]) as (made, server):
        for _ in range(2):
            await made.send(replace(HELLO, agent="Ben"))
        await made.send(replace(HELLO, agent="Ann"))
    bodies = [r.json for r in server.requests if r.method == "POST"]
    assert [b.get("persona_id") for b in bodies] == [None, None, "7"]


async def test_many_messages_at_once_make_one_persona() -> None:
    def answer(request: Any) -> Answer:
        if request.path.endswith("/messages"):
            return TAKEN
        return Answer({"data": []} if request.method == "GET" else {"id": "8"}, delay=0.05)

    async with graph(answer, agent_picture="https://x.example/a.png") as (made, server):
        await asyncio.gather(*(made.send(replace(HELLO, agent="Ben")) for _ in range(10)))
    assert sum(r.path.endswith("/personas") for r in server.requests) == 2
    sent = [r.json["persona_id"] for r in server.requests if r.path.endswith("/messages")]
    assert sent == ["8"] * 10


async def test_a_list_of_personas_that_hangs_holds_up_no_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(messenger, "_PERSONA_SECONDS", 0.1)

    def answer(request: Any) -> Any:
        return TAKEN if request.path.endswith("/messages") else Hang()

    async with graph(answer) as (made, server):
        assert await made.send(replace(HELLO, agent="Ben")) == "m_SENT"
    assert "persona_id" not in server.requests[-1].json


# --- the other calls ---


async def test_typing_and_seen_are_actions_and_nothing_else() -> None:
    done = Answer({"recipient_id": USER})
    async with graph([done, done]) as (made, server):
        await made.typing(ADDRESS, "m_IN")
        await made.seen(ADDRESS, "m_IN")
    assert [r.json for r in server.requests] == [
        {"recipient": {"id": USER}, "sender_action": "typing_on"},
        {"recipient": {"id": USER}, "sender_action": "mark_seen"},
    ]


async def test_the_page_says_its_name() -> None:
    async with graph([Answer({"id": PAGE, "name": "Cisco Dog Page"})]) as (made, server):
        assert await made.identity() == "Cisco Dog Page"
    (request,) = server.requests
    assert (request.path, request.query) == ("/v25.0/me", {"fields": "id,name"})


async def test_a_token_of_another_page_is_told() -> None:
    async with graph([Answer({"id": "1", "name": "Other"})]) as (made, _):
        with pytest.raises(ConnectorError, match="another Page, Other"):
            await made.identity()


async def test_an_answer_without_a_name_is_no_identity() -> None:
    async with graph([Answer({"ok": True})]) as (made, _):
        with pytest.raises(ConnectorError, match="check api_url"):
            await made.identity()


async def test_a_file_is_fetched_without_the_token() -> None:
    async with graph([Answer(b"sound", headers={"Content-Type": "audio/mp4"})]) as (made, server):
        media = Media("voice", url=f"{server.url}/v/clip.mp4?oh=1")
        file = await made.fetch(media, 100)
    assert (file.data, file.mime) == (b"sound", "audio/mp4")
    assert "authorization" not in server.requests[0].headers
    assert server.requests[0].query == {"oh": "1"}


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/x", "http://169.254.169.254/latest"])
async def test_a_file_elsewhere_on_this_network_is_not(url: str) -> None:
    with pytest.raises(NoFile):
        await connect("http://127.0.0.1:2").fetch(Media("image", url=url), 100)


async def test_a_file_too_big_is_not_read() -> None:
    async with graph([Answer(b"x" * 101)]) as (made, server):
        with pytest.raises(NoFile, match="100"):
            await made.fetch(Media("image", url=f"{server.url}/1"), 100)


async def test_a_message_still_unknown_after_the_grace_was_not_taken() -> None:
    assert await connect().confirm(HELLO, ["m_1"]) is None


# --- secrets ---


def leaks(*texts: str) -> bool:
    return any(secret in text for secret in (TOKEN, SECRET, VERIFY) for text in texts)


def test_no_secret_is_shown_by_the_account() -> None:
    assert not leaks(repr(connect().account), repr(connect()), connect().name)


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"error": {"code": 190, "message": f"Bad token {TOKEN}"}}, 401),
        Answer({"error": {"code": 100, "message": "x", "error_data": {"details": TOKEN}}}, 400),
        Answer(TOKEN, 403),
    ],
)
async def test_no_secret_is_in_an_error(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with graph([answer]) as (made, _):
        with pytest.raises(ConnectorError) as caught:
            await made.send(HELLO)
    shown: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        shown += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    assert not leaks(*shown, caplog.text)


async def test_a_token_with_a_line_break_is_told_without_it() -> None:
    async with graph([], token=f"{TOKEN}\n") as (made, _):
        with pytest.raises(RetryLater, match="check token") as caught:
            await made.send(HELLO)
    assert caught.value.__context__ is None
    assert not leaks(str(caught.value))


async def test_no_secret_goes_into_a_url() -> None:
    async with graph([TAKEN]) as (made, server):
        await made.send(HELLO)
    (request,) = server.requests
    assert request.query == {}
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert not leaks(request.path, request.body.decode())


# --- connections ---


async def test_a_host_that_cannot_be_reached_took_nothing() -> None:
    made = connect(closed_url())
    try:
        with pytest.raises(RetryLater, match="could not be reached"):
            await made.send(HELLO)
    finally:
        await made.close()


@pytest.mark.parametrize("url", ["http://[::1", "ftp://x", "http://", "nonsense"])
async def test_an_api_url_that_is_none_is_the_operators(url: str) -> None:
    made = connect(url)
    try:
        with pytest.raises(RetryLater) as caught:
            await made.send(HELLO)
        assert caught.value.__context__ is None
    finally:
        await made.close()


async def test_closing_while_messages_are_on_their_way_ends_each_with_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        messenger, "TIMEOUT", aiohttp.ClientTimeout(total=None, connect=5, sock_read=5)
    )
    async with provider(lambda request: Hang()) as server:
        made = connect(server.url)
        sending = [asyncio.create_task(made.send(HELLO)) for _ in range(20)]
        await server.wait_for(20)
        await asyncio.gather(made.close(), made.close(), made.close())
        ends = await asyncio.wait_for(asyncio.gather(*sending, return_exceptions=True), 10)
    assert all(isinstance(end, (Unsure, RetryLater)) for end in ends), ends


async def test_what_comes_after_closing_is_tried_again_elsewhere() -> None:
    made = connect("http://127.0.0.1:1")
    await made.close()
    await made.close()
    with pytest.raises(RetryLater, match="closed"):
        await made.send(HELLO)


async def test_a_connector_never_used_is_closed_at_once() -> None:
    await connect().close()


async def test_a_batch_of_a_thousand_events_is_read_in_a_moment() -> None:
    events = [text(f"{n}", f"m_{n}") for n in range(1000)]
    started = asyncio.get_running_loop().time()
    arrived = await connect().receive(hook(webhook(entry(*events))))
    assert len(arrived) == 1000
    assert asyncio.get_running_loop().time() - started < 2


async def test_words_are_sent_as_they_are_whatever_they_hold() -> None:
    async with graph([TAKEN]) as (made, server):
        question = Choices("a\x00b\ud800", (Option("\u202eYes", "/x"),))
        await made.send(replace(HELLO, content=question))
    assert server.requests[0].json["message"]["text"] == "ab\ufffd"
