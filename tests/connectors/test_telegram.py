"""The Telegram connector against a Bot API on loopback."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.message import (
    Address,
    Ask,
    Card,
    Cards,
    Choices,
    Contact,
    Content,
    Inbound,
    Location,
    Media,
    Option,
    Outbound,
    Reaction,
    Text,
    encode,
)
from connectors import connector_class, telegram
from connectors.base import Request
from connectors.errors import (
    AddressGone,
    BadSignature,
    ConnectorError,
    NoFile,
    Rejected,
    RetryLater,
    Unreadable,
    Unsure,
)
from connectors.telegram import Telegram, TelegramAccount
from tests.connectors.cases.telegram import (
    DATE,
    FAILURES,
    UNREADABLE,
    UNSENDABLE,
    Failure,
    keyboard,
    message,
    pressed,
    refusal,
    said,
    update,
)
from tests.connectors.cases.telegram_in import BOT, CLUB, INBOUND, in_club, named
from tests.connectors.cases.telegram_out import OUTBOUND
from tests.kit.dice import examples
from tests.kit.http import (
    Answer,
    Provider,
    Recorded,
    Reset,
    Step,
    Truncated,
    closed_url,
    patience,
    provider,
)
from tests.kit.waiting import until

TOKEN = "123456:AAH-secret_bot_token"
SECRET = "hook-Secret_1"
ADA = Address("telegram", "shop", "4711")
YES = Answer({"ok": True, "result": True})
SENT = Answer(
    {
        "ok": True,
        "result": {"message_id": 77, "date": DATE, "chat": {"id": 4711, "type": "private"}},
    }
)


@asynccontextmanager
async def shop(url: str = "http://127.0.0.1:9", **fields: Any) -> AsyncIterator[Telegram]:
    """A connector of the account "shop", closed at the end."""
    account = {"account": "shop", "token": TOKEN, "secret_token": SECRET, "api_url": url}
    connector = Telegram(TelegramAccount(**{**account, **fields}))
    try:
        yield connector
    finally:
        await connector.close()


def post(body: bytes | dict[str, Any], secret: str | None = SECRET) -> Request:
    headers = {} if secret is None else {"x-telegram-bot-api-secret-token": secret}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", "/webhooks/telegram/shop", headers=headers, body=data)


def out(content: Content, user: str = "4711") -> Outbound:
    return Outbound("turn:0", Address("telegram", "shop", user), content)


#: The updates of the table that are understood.
UPDATES: list[Any] = [
    json.loads(case.request.body) for case in INBOUND if case.status == 200 and not case.dead
]


def label(case: Any) -> str:
    return str(case.label)


@pytest.fixture
def fast(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses and timeouts short enough for tests."""
    monkeypatch.setattr(telegram, "READ_TIMEOUT", patience(request))
    monkeypatch.setattr(telegram, "BACKOFF_FIRST", 0.01)
    monkeypatch.setattr(telegram, "BACKOFF_LIMIT", 0.02)


# -- in


async def test_the_profile_and_the_time_are_the_customers() -> None:
    async with shop() as connector:
        [inbound] = await connector.receive(post(said("hi")))
    assert isinstance(inbound, Inbound)
    assert inbound.sent == datetime.fromtimestamp(DATE, timezone.utc)
    profile = inbound.profile
    assert (profile.name, profile.username, profile.language) == ("Ada L", "ada", "en-GB")


async def test_a_redelivery_has_the_same_ids_and_another_update_has_not() -> None:
    ids: set[str] = set()
    async with provider(lambda _: YES) as server, shop(server.url) as connector:
        for body in UPDATES:
            first = [a.id for a in await connector.receive(post(body))]  # type: ignore[union-attr]
            again = [a.id for a in await connector.receive(post(body))]  # type: ignore[union-attr]
            assert first == again
        for number in range(900, 950):
            edit = update(number, edited_message=message(text="x", edit_date=DATE))
            for body in (said("hi", number), edit):
                ids |= {a.id for a in await connector.receive(post(body))}  # type: ignore[union-attr]
    assert len(ids) == 100


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_cannot_be_understood_is_unreadable(body: bytes) -> None:
    async with shop() as connector:
        with pytest.raises(Unreadable) as caught:
            await connector.receive(post(body))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_the_reason_of_an_unreadable_update_does_not_quote_the_customer() -> None:
    body = update(message={**message(text="my card is 4111"), "date": "4111 1111"})
    async with shop() as connector:
        with pytest.raises(Unreadable) as caught:
            await connector.receive(post(body))
    assert "900" in str(caught.value)
    assert "4111" not in str(caught.value)


# -- the signature


@pytest.mark.parametrize(
    "given",
    [None, "", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "\udcff\ud800", "é"],
)
async def test_a_wrong_secret_is_refused_before_anything_is_parsed(given: str | None) -> None:
    async with shop() as connector:
        for body in (b"not json", said("hi")):
            with pytest.raises(BadSignature):
                await connector.receive(post(body, given))


@pytest.mark.parametrize("given", [None, "", "None"])
async def test_without_a_secret_every_webhook_is_refused(given: str | None) -> None:
    async with shop(mode="polling", secret_token="") as connector:
        with pytest.raises(BadSignature):
            await connector.receive(post(said("hi"), given))


async def test_a_replayed_request_is_vouched_for() -> None:
    async with shop() as connector:
        [inbound] = await connector.receive(connector.vouch(post(said("hi"), None)))
    assert isinstance(inbound, Inbound)


async def test_the_webhook_has_no_handshake() -> None:
    async with shop() as connector:
        assert (await connector.handshake(post(b""))).status == 405


# -- hostile input

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "text", "chat", "type", "date", "message_id", "from", "data"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_FUZZ = settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [at, *(p for key, child in children for p in _paths(child, (*at, key)))]


@st.composite
def _mutated(draw: st.DrawFn) -> Any:
    """A valid update with up to three of its values replaced or removed."""
    body: Any = copy.deepcopy(draw(st.sampled_from(UPDATES)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_paths(body)))
        if not path:
            continue
        holder = body
        for key in path[:-1]:
            holder = holder[key]
        if isinstance(holder, dict) and draw(st.booleans()) and draw(st.booleans()):
            del holder[path[-1]]
        else:
            holder[path[-1]] = draw(_JSON)
    return body


class _Deaf(Telegram):
    """Answers no buttons, so that fuzzing needs no server."""

    def _answer_button(self, press: Any) -> None:
        return None


@pytest.fixture(scope="module", params=[False, True], ids=["private", "groups"])
def deaf(request: pytest.FixtureRequest) -> Telegram:
    connector = _Deaf(TelegramAccount("shop", TOKEN, SECRET, groups=request.param))
    connector._me = telegram._Me(BOT["id"], BOT["username"])
    return connector


def receive_hostile(connector: Telegram, body: bytes) -> None:
    """Receive `body`: Unreadable is fine, and what is made of it must suit any store."""
    try:
        arrived = asyncio.run(connector.receive(post(body)))
    except Unreadable:
        return
    for inbound in arrived:
        assert isinstance(inbound, Inbound)
        assert re.fullmatch(r"-?\d+(/[1-9]\d*)?", inbound.address.user)
        assert abs(inbound.order) < 2**63
        assert inbound.sent.tzinfo is not None
        # UTF-8 without NULs, and no number that JSON lacks.
        values = [inbound.id, encode(inbound.content), *astuple(inbound.profile)]
        stored = json.dumps(values, allow_nan=False, ensure_ascii=False)
        stored.encode()
        assert "\\u0000" not in stored


@given(_JSON)
@_FUZZ
def test_no_json_breaks_receive(deaf: Telegram, body: Any) -> None:
    receive_hostile(deaf, json.dumps(body).encode())


@given(_mutated())
@_FUZZ
def test_no_mutation_of_an_update_breaks_receive(deaf: Telegram, body: Any) -> None:
    receive_hostile(deaf, json.dumps(body).encode())


@given(st.binary(max_size=200))
@_FUZZ
def test_no_bytes_break_receive(deaf: Telegram, body: bytes) -> None:
    receive_hostile(deaf, body)


# -- pressed buttons are answered


async def test_a_pressed_button_is_answered_and_then_shows_that_it_was_chosen() -> None:
    async with provider([YES, SENT]) as server, shop(server.url) as connector:
        await connector.receive(post(update(callback_query=pressed())))
        await server.wait_for(2)
        await _settled(connector)
    answered, changed = server.requests
    assert answered.path == f"/bot{TOKEN}/answerCallbackQuery"
    assert answered.form == {"callback_query_id": "99887766"}
    assert changed.path == f"/bot{TOKEN}/editMessageReplyMarkup"
    form: dict[str, Any] = changed.form
    assert json.loads(form.pop("reply_markup")) == keyboard([("✓ Track it", "#")])
    assert form == {"chat_id": "4711", "message_id": "10"}


async def test_links_stay_beside_the_chosen_option() -> None:
    link = {"text": "Terms", "url": "https://example.com/terms"}
    question = pressed()
    question["message"]["reply_markup"]["inline_keyboard"].insert(0, [link])
    async with provider([YES, SENT]) as server, shop(server.url) as connector:
        await connector.receive(post(update(callback_query=question)))
        await server.wait_for(2)
        await _settled(connector)
    left = json.loads(server.requests[1].form["reply_markup"])["inline_keyboard"]
    assert left == [[{"text": "✓ Track it", "callback_data": "#"}], [link]]


async def test_a_keyboard_changes_once_however_often_and_whatever_is_pressed() -> None:
    presses = [pressed(), pressed(), {**pressed("#1"), "id": "5"}]
    async with provider([YES, SENT, YES, YES]) as server, shop(server.url) as connector:
        for press in presses:
            [inbound] = await connector.receive(post(update(callback_query=press)))
            assert isinstance(inbound, Inbound)
            await _settled(connector)
    asked = [r.path.rpartition("/")[2] for r in server.requests]
    assert asked == ["answerCallbackQuery", "editMessageReplyMarkup"] + ["answerCallbackQuery"] * 2


async def test_two_presses_at_once_change_a_keyboard_once() -> None:
    def answer(asked: Recorded) -> Step:
        return SENT if "edit" in asked.path else Answer(YES.body, delay=0.05)

    async with provider(answer) as server, shop(server.url) as connector:
        for press in (pressed(), {**pressed("#1"), "id": "5"}):
            await connector.receive(post(update(callback_query=press)))
        await _settled(connector)
        paths = [r.path.rpartition("/")[2] for r in server.requests]
    assert sorted(paths) == ["answerCallbackQuery"] * 2 + ["editMessageReplyMarkup"]


async def test_a_chosen_option_pressed_again_is_answered_and_says_nothing() -> None:
    shown = pressed("#", reply_markup=keyboard([("✓ Track it", "#")]))
    async with provider([YES]) as server, shop(server.url) as connector:
        assert await connector.receive(post(update(callback_query=shown))) == []
        await _settled(connector)
    assert server.requests[0].form == {"callback_query_id": "99887766"}


async def test_only_so_many_questions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram, "CHOSEN", 3)

    def answer(asked: Recorded) -> Step:
        return SENT if "edit" in asked.path else YES

    async with provider(answer) as server, shop(server.url) as connector:
        for number in range(1, 8):
            press = pressed(message_id=number)
            await connector.receive(post(update(callback_query=press)))
            await _settled(connector)
        assert list(connector._chosen) == [(4711, 5), (4711, 6), (4711, 7)]


@pytest.mark.parametrize("step", [refusal(400, "Bad Request: query is too old"), Reset()])
async def test_a_failing_answer_to_a_button_harms_nothing(step: Step) -> None:
    async with provider([step, step]) as server, shop(server.url) as connector:
        [inbound] = await connector.receive(post(update(callback_query=pressed())))
        await server.wait_for(2)
        await _settled(connector)
    assert isinstance(inbound, Inbound)


async def test_a_slow_answer_to_a_button_delays_nothing() -> None:
    release = asyncio.Event()

    async def answer(_: Recorded) -> Step:
        await release.wait()
        return YES

    async with provider(answer) as server, shop(server.url) as connector:
        [inbound] = await connector.receive(post(update(callback_query=pressed())))
        assert isinstance(inbound, Inbound)
        assert not release.is_set()
        release.set()
        await _settled(connector)
        assert len(server.requests) == 2


async def test_closing_gives_up_answers_under_way() -> None:
    never = asyncio.Event()

    async def answer(_: Recorded) -> Step:
        await never.wait()
        return YES

    async with provider(answer) as server:
        async with shop(server.url) as connector:
            await connector.receive(post(update(callback_query=pressed())))
            await server.wait_for(1)
        assert not connector._answers
        never.set()


async def _settled(connector: Telegram) -> None:
    while connector._answers:
        await asyncio.gather(*connector._answers)
        await asyncio.sleep(0)


# -- out


async def test_a_file_id_that_is_the_name_of_a_file_here_stays_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "README").write_text("private")
    monkeypatch.chdir(tmp_path)
    async with provider([SENT]) as server, shop(server.url) as connector:
        assert await connector.send(out(Media("document", ref="README"))) == "4711.77"
    assert server.requests[0].form == {"chat_id": "4711", "document": "README"}


async def test_the_id_of_a_sent_message_is_the_one_its_buttons_name() -> None:
    question = Choices("What next?", (Option("Track it", "track"),))
    async with provider([SENT, YES, SENT]) as server, shop(server.url) as connector:
        sent = await connector.send(out(question))
        [chosen] = await connector.receive(post(update(callback_query=pressed(message_id=77))))
        await _settled(connector)
    assert isinstance(chosen, Inbound)
    assert chosen.content.of == sent  # type: ignore[union-attr]


@pytest.mark.parametrize("content", UNSENDABLE.values(), ids=UNSENDABLE.keys())
async def test_what_telegram_cannot_carry_is_rejected_unsent(content: Content) -> None:
    async with provider([]) as server, shop(server.url) as connector:
        with pytest.raises(Rejected):
            await connector.send(out(content))


@pytest.mark.parametrize(
    "user", ["@shop_news", "", "-100200300", "0", "4711x", "9" * 30, "４７１１"]
)
async def test_an_address_that_is_no_private_chat_is_gone(user: str) -> None:
    async with provider([]) as server, shop(server.url) as connector:
        with pytest.raises(AddressGone):
            await connector.send(out(Text("hi"), user))


@pytest.mark.parametrize("case", FAILURES, ids=label)
async def test_a_failure_has_a_name(case: Failure, fast: None) -> None:
    async with provider([case.step]) as server, shop(server.url) as connector:
        with pytest.raises(ConnectorError) as caught:
            await connector.send(out(Text("hi")))
    assert type(caught.value) is case.error
    assert case.reason in str(caught.value)
    assert getattr(caught.value, "after", None) == case.after
    assert getattr(caught.value, "code", "") == case.code


async def test_a_refused_connection_can_be_tried_again() -> None:
    async with shop(closed_url()) as connector:
        with pytest.raises(RetryLater, match="cannot be reached"):
            await connector.send(out(Text("hi")))


async def test_a_pool_without_a_free_connection_can_be_tried_again(
    fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram, "CONNECTIONS", 1)
    monkeypatch.setattr(telegram, "POOL_TIMEOUT", 0.05)
    monkeypatch.setattr(telegram, "READ_TIMEOUT", 10)
    release = asyncio.Event()

    async def answer(_: Recorded) -> Step:
        await release.wait()
        return SENT

    async with provider(answer) as server, shop(server.url) as connector:
        first = asyncio.create_task(connector.send(out(Text("one"))))
        await server.wait_for(1)
        with pytest.raises(RetryLater, match="PoolTimeout"):
            await connector.send(out(Text("two")))
        release.set()
        assert await first == "4711.77"
        assert len(server.requests) == 1


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, closed_url())
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with provider([SENT]) as server, shop(server.url) as connector:
        assert await connector.send(out(Text("hi"))) == "4711.77"


async def test_typing_is_a_chat_action() -> None:
    async with provider([YES]) as server, shop(server.url) as connector:
        await connector.typing(ADA)
    [asked] = server.requests
    assert asked.path == f"/bot{TOKEN}/sendChatAction"
    assert asked.form == {"chat_id": "4711", "action": "typing"}


async def test_typing_shows_in_its_topic() -> None:
    async with provider([YES]) as server, shop(server.url) as connector:
        await connector.typing(Address("telegram", "shop", "4711/7"), "4711.12")
    assert server.requests[0].form == {
        "chat_id": "4711",
        "action": "typing",
        "message_thread_id": "7",
    }


async def test_the_buttons_that_share_say_what_the_account_says() -> None:
    labels = {"location_button": "Meinen Ort senden", "phone_button": "Meine Nummer senden"}
    async with provider([SENT, SENT]) as server, shop(server.url, **labels) as connector:
        await connector.send(out(Ask("Wo?", "location")))
        await connector.send(out(Ask("Wie?", "phone")))
    shown = [json.loads(r.form["reply_markup"])["keyboard"] for r in server.requests]
    assert [row["text"] for [[row]] in shown] == list(labels.values())


# -- too many requests, of whom?


FLOOD = refusal(429, "Too Many Requests: retry after 5", retry_after=5)


async def flooded(connector: Telegram, user: str) -> bool:
    """Send where Telegram refuses; tell whether it is of the customer alone."""
    with pytest.raises(RetryLater) as caught:
        await connector.send(out(Text("hi"), user))
    assert type(caught.value) is RetryLater
    assert caught.value.after == 5.0
    return caught.value.pair


async def test_flood_control_is_of_the_chat_until_a_second_chat_meets_it() -> None:
    async with provider([FLOOD] * 4) as server, shop(server.url) as connector:
        assert await flooded(connector, "1")
        assert await flooded(connector, "1")
        assert not await flooded(connector, "2")
        assert not await flooded(connector, "1")


async def test_flood_control_of_long_ago_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(telegram.time, "monotonic", lambda: now)
    async with provider([FLOOD] * 2) as server, shop(server.url) as connector:
        assert await flooded(connector, "1")
        now += 5.1
        assert await flooded(connector, "2")
        assert list(connector._floods) == [2]


async def test_flood_control_of_groups_is_always_of_the_group() -> None:
    async with provider([FLOOD] * 4) as server, shop(server.url, groups=True) as connector:
        assert await flooded(connector, "-1001")
        assert await flooded(connector, "-1002")
        assert await flooded(connector, "5")
        assert await flooded(connector, "-1002/7")


# -- a customer's files


FOUND = Answer({"ok": True, "result": {"file_id": "f", "file_path": "documents/my bill.pdf"}})
PDF = Media("document", ref="BQAC", mime="application/pdf", filename="bill.pdf", size=8)


async def test_a_file_is_asked_for_and_then_fetched() -> None:
    body = Answer(b"%PDF-1.7", headers={"Content-Type": "application/octet-stream"})
    async with provider([FOUND, body]) as server, shop(server.url) as connector:
        file = await connector.fetch(PDF, 100)
    assert (file.data, file.mime, file.filename) == (b"%PDF-1.7", "application/pdf", "bill.pdf")
    asked, fetched = server.requests
    assert (asked.path, asked.form) == (f"/bot{TOKEN}/getFile", {"file_id": "BQAC"})
    assert (fetched.method, fetched.path) == (
        "GET",
        f"/file/bot{TOKEN}/documents/my bill.pdf",
    )


async def test_a_file_without_name_and_type_has_those_of_telegram() -> None:
    body = Answer(b"x", headers={"Content-Type": "image/jpeg"})
    async with provider([FOUND, body]) as server, shop(server.url) as connector:
        file = await connector.fetch(Media("image", ref="BQAC"), 100)
    assert (file.mime, file.filename) == ("image/jpeg", "my bill.pdf")


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        (Media("video", ref="v", size=20 * 1024 * 1024 + 1), "20971520 are allowed"),
        (Media("image", ref="v", size=101), "100 are allowed"),
        (Media("image"), "no id"),
        (Media("image", url="https://example.com/x.png"), "no id"),
    ],
)
async def test_a_file_that_cannot_be_had_is_not_even_asked_for(media: Media, reason: str) -> None:
    most = 100 if media.size < 1000 else 2**30
    async with provider([]) as server, shop(server.url) as connector:
        with pytest.raises(NoFile, match=reason):
            await connector.fetch(media, most)


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([refusal(400, "Bad Request: file is too big")], NoFile),
        ([refusal(400, "Bad Request: invalid file_id")], NoFile),
        (
            [refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")],
            RetryLater,
        ),
        ([FLOOD], RetryLater),
        ([refusal(401, "Unauthorized")], RetryLater),
        ([refusal(502, "Bad Gateway")], RetryLater),
        ([Reset()], RetryLater),
        ([Answer({"ok": True, "result": True})], NoFile),
        ([Answer({"ok": True, "result": {"file_id": "f"}})], NoFile),
        ([Answer({"ok": True, "result": {"file_id": "f", "file_path": ["a"]}})], NoFile),
        # A Bot API server of one's own, in local mode, tells where the file lies on its disk.
        ([Answer({"ok": True, "result": {"file_path": "/etc/passwd"}})], NoFile),
        ([FOUND, Answer("gone", status=404)], NoFile),
        ([FOUND, Answer("busy", status=503)], RetryLater),
        ([FOUND, Truncated(b"half")], RetryLater),
        ([FOUND, Answer(b"x" * 2001)], NoFile),
    ],
)
async def test_a_file_that_does_not_come_is_named_without_the_token(
    steps: list[Step], error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with provider(steps) as server, shop(server.url) as connector:
        with pytest.raises(ConnectorError) as caught:
            await connector.fetch(replace(PDF, size=0), 2000)
    assert isinstance(caught.value, error)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert TOKEN.split(":")[1] not in repr(chain) + str(chain)
        chain = chain.__cause__ or chain.__context__
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("aiohttp", "asyncio"))]
    assert not any(TOKEN.split(":")[1] in line for line in ours)


async def test_a_path_of_a_file_leads_nowhere_else() -> None:
    """Whatever Telegram names stays below the bot's files of the account's own server."""
    answer = Answer({"ok": True, "result": {"file_path": "x?y=1#z/@evil.example.com/ü"}})
    async with provider([answer, Answer(b"x")]) as server, shop(server.url) as connector:
        await connector.fetch(replace(PDF, size=0), 100)
    assert server.requests[1].path == f"/file/bot{TOKEN}/x?y=1#z/@evil.example.com/ü"
    assert server.requests[1].query == {}


# -- groups


async def test_a_bot_asks_for_its_name_once_and_only_in_groups() -> None:
    me = Answer({"ok": True, "result": BOT})
    async with provider([me]) as server, shop(server.url, groups=True) as connector:
        await connector.receive(post(said("hi")))
        for _ in range(3):
            [inbound] = await connector.receive(post(in_club(**named("@Shop_Bot hi", "@Shop_Bot"))))
            assert isinstance(inbound, Inbound)
            assert inbound.address.user == str(CLUB)
    assert [r.path for r in server.requests] == [f"/bot{TOKEN}/getMe"]


async def test_a_bot_that_could_not_ask_for_its_name_asks_again() -> None:
    steps = [refusal(500, "Internal Server Error"), Answer({"ok": True, "result": BOT})]
    async with provider(steps) as server, shop(server.url, groups=True) as connector:
        body = in_club(**named("@Shop_Bot hi", "@Shop_Bot"))
        with pytest.raises(Unreadable, match="who the bot is in groups is not known: 500"):
            await connector.receive(post(body))
        assert len(await connector.receive(post(body))) == 1


async def test_identity_is_get_me() -> None:
    me = {"id": 123456, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}
    answer = Answer({"ok": True, "result": me})
    async with provider([answer]) as server, shop(server.url) as connector:
        assert await connector.identity() == "@shop_bot (Shop), id 123456"
    assert [r.path for r in server.requests] == [f"/bot{TOKEN}/getMe"]


async def test_identity_tells_of_a_bad_token() -> None:
    step = refusal(401, "Unauthorized")
    async with provider([step]) as server, shop(server.url) as connector:
        with pytest.raises(ConnectorError, match="token is not accepted"):
            await connector.identity()


# -- was it taken?

SAME = refusal(
    400,
    "Bad Request: message is not modified: specified new message content and reply markup are"
    " exactly the same as a current content and reply markup of the message",
)
MISSING = refusal(400, "Bad Request: message to edit not found")
CUSTOMERS = refusal(400, "Bad Request: message can't be edited")


@pytest.mark.parametrize(
    ("content", "method", "form"),
    [
        (Text("hi\x00"), "editMessageText", {"text": "hi"}),
        (
            Choices("?", (Option("Yes", "y" * 65),)),
            "editMessageText",
            {
                "text": "?",
                "reply_markup": keyboard([("Yes", "#0")]),
            },
        ),
        (Media("image", ref="r", caption="c"), "editMessageCaption", {"caption": "c"}),
        (Media("image", ref="r"), "editMessageCaption", {"caption": ""}),
        (Media("sticker", ref="r"), "editMessageReplyMarkup", {}),
        (Location(1, 2), "editMessageReplyMarkup", {}),
        (Contact("A", ("1",)), "editMessageReplyMarkup", {}),
        (
            Text("🦊 **hi**"),
            "editMessageText",
            {"text": "🦊 hi", "entities": [{"type": "bold", "offset": 3, "length": 2}]},
        ),
        (
            Media("image", ref="r", caption="_c_"),
            "editMessageCaption",
            {"caption": "c", "caption_entities": [{"type": "italic", "offset": 0, "length": 1}]},
        ),
        (
            Cards((Card("A", image="https://example.com/a.png", options=(Option("B", "b"),)),)),
            "editMessageCaption",
            {
                "caption": "A",
                "caption_entities": [{"type": "bold", "offset": 0, "length": 1}],
                "reply_markup": keyboard([("B", "b")]),
            },
        ),
        (
            Cards((Card("A"),)),
            "editMessageText",
            {"text": "A", "entities": [{"type": "bold", "offset": 0, "length": 1}]},
        ),
    ],
)
async def test_a_message_that_was_taken_is_found_by_an_edit_that_changes_nothing(
    content: Content, method: str, form: dict[str, Any]
) -> None:
    async with provider([MISSING, CUSTOMERS, SAME]) as server, shop(server.url) as connector:
        assert await connector.confirm(out(content), ["4711.12", "4711.9"]) == "4711.15"
    for number, asked in enumerate(server.requests):
        assert asked.path == f"/bot{TOKEN}/{method}"
        asked_form: dict[str, Any] = asked.form
        for name in asked_form.keys() & {"reply_markup", "entities", "caption_entities"}:
            asked_form[name] = json.loads(asked_form[name])
        assert asked_form == {"chat_id": "4711", "message_id": str(13 + number), **form}


async def test_a_message_in_a_topic_is_looked_for_in_its_chat() -> None:
    async with provider([SAME]) as server, shop(server.url) as connector:
        assert await connector.confirm(out(Text("hi"), "4711/7"), ["4711.12"]) == "4711.13"
    assert server.requests[0].form == {"chat_id": "4711", "message_id": "13", "text": "hi"}


async def test_a_supergroup_has_a_counter_of_its_own_and_fewer_probes() -> None:
    group, steps = "-1001234567890", [MISSING] * telegram.GROUP_PROBES
    known = ["4711.900", f"{group}.40", "-1009999999999.70"]
    async with provider(steps) as server, shop(server.url, groups=True) as connector:
        assert await connector.confirm(out(Text("hi"), group), known) is None
    assert server.requests[0].form["message_id"] == "41"


async def test_a_basic_group_counts_with_the_private_chats() -> None:
    async with provider([SAME]) as server, shop(server.url, groups=True) as connector:
        assert await connector.confirm(out(Text("hi"), "-42"), ["4711.900"]) == "-42.901"


async def test_a_question_with_a_reply_keyboard_cannot_be_found() -> None:
    async with provider([]) as server, shop(server.url) as connector:
        with pytest.raises(Unsure, match="reply keyboard"):
            await connector.confirm(out(Ask("Where?", "location")), ["4711.12"])


async def test_a_reaction_is_simply_set_again() -> None:
    async with provider([]) as server, shop(server.url) as connector:
        assert await connector.confirm(out(Reaction("4711.10", "👍")), ["4711.12"]) is None


async def test_an_edit_that_succeeds_is_a_find() -> None:
    async with provider([MISSING, SENT]) as server, shop(server.url) as connector:
        assert await connector.confirm(out(Text("hi")), ["4711.12"]) == "4711.14"


@pytest.mark.parametrize(
    "missing",
    [
        MISSING,
        CUSTOMERS,
        refusal(400, "Bad Request: MESSAGE_ID_INVALID"),
        refusal(400, "Bad Request: there is no text in the message to edit"),
    ],
)
async def test_a_message_that_was_not_taken_is_not_found(missing: Answer) -> None:
    async with provider([missing] * telegram.PROBES) as server, shop(server.url) as connector:
        assert await connector.confirm(out(Text("hi")), ["4711.12"]) is None
    assert [r.form["message_id"] for r in server.requests] == [
        str(n) for n in range(13, 13 + telegram.PROBES)
    ]


async def test_the_search_begins_above_the_newest_known_message_of_the_chat() -> None:
    known = ["cb.99", "4711.12.e1760000000.5", "u.900", "4711.30", "4711.98.r", "4711.31", "junk"]
    known.append("-1001234567890.99")
    async with provider([SAME]) as server, shop(server.url) as connector:
        assert await connector.confirm(out(Text("hi")), known) == "4711.32"


async def test_the_search_begins_above_the_newest_known_message_of_any_private_chat() -> None:
    """One counter numbers them all, and a busy bot is far ahead of one quiet chat."""
    async with provider([SAME]) as server, shop(server.url) as connector:
        assert await connector.confirm(out(Text("hi")), ["4711.12", "4712.930"]) == "4711.931"


@pytest.mark.parametrize(
    "known", [[], ["cb.1", "u.2", "4711.5.e1.2", "-1004712000000.4", "x.y", ""]]
)
async def test_without_a_place_to_begin_nobody_can_tell(known: list[str]) -> None:
    async with provider([]) as server, shop(server.url) as connector:
        with pytest.raises(Unsure):
            await connector.confirm(out(Text("hi")), known)


@pytest.mark.parametrize(
    ("step", "after"),
    [
        (refusal(429, "Too Many Requests", retry_after=3), 3.0),
        (refusal(500, "Internal Server Error"), None),
        (refusal(502, "Bad Gateway"), None),
        (refusal(401, "Unauthorized"), 60.0),
        (Reset(), None),
    ],
)
async def test_a_probe_without_an_answer_is_tried_again(step: Step, after: float | None) -> None:
    async with provider([MISSING, step]) as server, shop(server.url) as connector:
        with pytest.raises(RetryLater) as caught:
            await connector.confirm(out(Text("hi")), ["4711.12"])
    assert caught.value.after == after


async def test_a_probe_refused_for_an_unknown_reason_tells_nothing() -> None:
    step = refusal(400, "Bad Request: the moon is full")
    async with provider([step]) as server, shop(server.url) as connector:
        with pytest.raises(Unsure, match="moon"):
            await connector.confirm(out(Text("hi")), ["4711.12"])


async def test_a_customer_who_blocked_the_bot_is_left_to_the_next_attempt() -> None:
    step = refusal(403, "Forbidden: bot was blocked by the user")
    async with provider([step]) as server, shop(server.url) as connector:
        assert await connector.confirm(out(Text("hi")), ["4711.12"]) is None


# -- connections of its own


@dataclass
class Gateway:
    """A host that keeps what it is given, unless its store is `down` or `refuses` a text."""

    webhook_url: str = ""
    down: bool = False
    refuses: str = ""
    failed: int = 0
    accepted: list[str] = field(default_factory=list)
    letters: list[tuple[Any, str]] = field(default_factory=list)

    async def accept(self, arrived: Any) -> None:
        self._fail_when_down()
        for inbound in arrived:
            if self.refuses and inbound.content == Text(self.refuses):
                raise ValueError("no store takes this")
            self.accepted.append(inbound.provider_id)

    async def unreadable(self, body: bytes, reason: str) -> None:
        self._fail_when_down()
        self.letters.append((json.loads(body), reason))

    def feed(self, address: Address, after: int) -> Any:
        raise NotImplementedError

    def _fail_when_down(self) -> None:
        if self.down:
            self.failed += 1
            raise OSError("the store cannot be reached")


class Queue:
    """Telegram's queue of updates: an offset confirms all before it, as documented."""

    def __init__(self, *updates: Any, batch: int = 100) -> None:
        self.updates = list(updates)
        self.batch = batch
        self.offsets: list[int | None] = []
        self.faults: list[Step] = []
        self.webhook = True

    async def __call__(self, asked: Recorded) -> Step:
        method = asked.path.rsplit("/", 1)[1]
        if method == "deleteWebhook":
            self.webhook = False
            return YES
        if method == "answerCallbackQuery":
            return YES
        assert method == "getUpdates"
        if self.webhook:
            return refusal(409, "Conflict: can't use getUpdates method while webhook is active")
        if self.faults:
            return self.faults.pop(0)
        offset = int(asked.form["offset"]) if "offset" in asked.form else None
        self.offsets.append(offset)
        if offset is not None:
            self.updates = [
                u
                for u in self.updates
                if not isinstance(u, dict) or u.get("update_id", 0) >= offset
            ]
        if not self.updates:
            await asyncio.sleep(0.01)
        return Answer({"ok": True, "result": self.updates[: self.batch]})

    @property
    def confirmed(self) -> bool:
        return not self.updates


@asynccontextmanager
async def polling(queue: Queue, host: Gateway) -> AsyncIterator[Provider]:
    """A connector polling `queue` for `host`, stopped at the end."""
    async with provider(queue) as server, shop(server.url, mode="polling") as connector:
        running = asyncio.create_task(connector.run(host))
        try:
            yield server
        finally:
            running.cancel()
            (ended,) = await asyncio.gather(running, return_exceptions=True)
            assert isinstance(ended, asyncio.CancelledError)


async def test_polling_stores_what_came_and_then_confirms_it(fast: None) -> None:
    queue = Queue(*(said(f"m{n}", n) for n in range(901, 906)), batch=2)
    host = Gateway()
    async with polling(queue, host) as server:
        await until(lambda: queue.confirmed)
    assert host.accepted == [f"4711.{n}" for n in range(13, 18)]
    assert queue.offsets[:4] == [None, 903, 905, 906]
    first, second = server.requests[:2]
    assert first.path == f"/bot{TOKEN}/deleteWebhook"
    assert second.form["timeout"] == "25"
    assert "message_reaction" in json.loads(second.form["allowed_updates"])


async def test_polling_goes_on_from_a_lower_number_after_a_week_of_silence(fast: None) -> None:
    queue, host = Queue(said("old", 9000)), Gateway()
    async with polling(queue, host):
        await until(lambda: None in queue.offsets[1:])
        queue.updates.append(said("new", 1000))
        await until(lambda: queue.confirmed)
    assert host.accepted == ["4711.8112", "4711.112"]


async def test_polling_confirms_nothing_while_the_store_is_down(fast: None) -> None:
    queue = Queue(said("one", 901), said("two", 902))
    host = Gateway(down=True)
    async with polling(queue, host):
        await until(lambda: host.failed > telegram.STORE_ATTEMPTS * 3)
        assert queue.offsets == [None]
        host.down = False
        await until(lambda: queue.confirmed)
    assert host.accepted == ["4711.13", "4711.14"]
    assert host.letters == []


async def test_a_stopped_poll_has_confirmed_nothing_that_was_not_stored(fast: None) -> None:
    queue = Queue(said("one", 901), said("two", 902))
    host = Gateway(down=True)
    async with polling(queue, host):
        await until(lambda: host.failed > telegram.STORE_ATTEMPTS)
    assert queue.offsets == [None]
    assert not queue.confirmed


async def test_an_update_that_cannot_be_read_is_kept_and_holds_nothing_up(fast: None) -> None:
    bad = update(902, message={"message_id": "x\ud800"})
    queue = Queue(said("one", 901), bad, 17, said("two", 903))
    host = Gateway()
    async with polling(queue, host):
        await until(lambda: len(host.accepted) == 2)
        await until(lambda: len(queue.offsets) > 1)
    assert host.accepted == ["4711.13", "4711.15"]
    assert [raw for raw, _ in host.letters[:2]] == [bad, 17]
    assert queue.offsets[1] == 904


async def test_an_update_the_store_refuses_is_kept_and_holds_nothing_up(fast: None) -> None:
    queue = Queue(said("one", 901), said("poison", 902), said("two", 903))
    host = Gateway(refuses="poison")
    async with polling(queue, host):
        await until(lambda: queue.confirmed)
    assert host.accepted == ["4711.13", "4711.15"]
    [(raw, reason)] = host.letters
    assert raw == said("poison", 902)
    assert "ValueError" in reason


async def test_a_dead_letter_is_insisted_on(fast: None) -> None:
    queue = Queue(update(901, message=5))
    host = Gateway(down=True)
    async with polling(queue, host):
        await until(lambda: host.failed > 10)
        host.down = False
        await until(lambda: queue.confirmed)
    assert [raw for raw, _ in host.letters] == [update(901, message=5)]


async def test_a_polled_button_is_answered(fast: None) -> None:
    queue, host = Queue(update(901, callback_query=pressed())), Gateway()
    async with polling(queue, host) as server:
        await until(lambda: any(r.path.endswith("answerCallbackQuery") for r in server.requests))
    assert host.accepted == ["cb.99887766"]


@pytest.mark.parametrize(
    "fault",
    [
        refusal(500, "Internal Server Error"),
        refusal(502, "Bad Gateway"),
        Reset(),
        Answer("<html>"),
        Answer({"ok": True, "result": {"not": "a list"}}),
        refusal(401, "Unauthorized"),
    ],
)
async def test_polling_survives_a_failing_telegram(
    fault: Step, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram, "TOKEN_PAUSE", 0.01)
    queue, host = Queue(said("one", 901)), Gateway()
    queue.faults = [fault, fault]
    async with polling(queue, host):
        await until(lambda: queue.confirmed)
    assert host.accepted == ["4711.13"]


async def test_a_second_poller_and_a_webhook_are_reported(
    fast: None, caplog: pytest.LogCaptureFixture
) -> None:
    queue, host = Queue(said("one", 901)), Gateway()
    queue.faults = [
        refusal(409, "Conflict: terminated by other getUpdates request"),
    ]
    async with polling(queue, host):
        await until(lambda: queue.confirmed)
        queue.webhook = True
        queue.updates.append(said("two", 902))
        await until(lambda: queue.confirmed)
    assert host.accepted == ["4711.13", "4711.14"]
    assert "terminated by other getUpdates request" in caplog.text
    assert "telegram:shop: polling failed: 409" in caplog.text
    assert "another process polls this bot, or a webhook is set" in caplog.text


async def test_the_webhook_is_set_however_often_it_fails(fast: None) -> None:
    steps = [refusal(500, "Internal Server Error"), Reset(), refusal(400, "bad webhook"), YES]
    host = Gateway(webhook_url="https://bot.example.com/webhooks/telegram/shop")
    async with provider(steps) as server, shop(server.url) as connector:
        await connector.run(host)
    for asked in server.requests:
        assert asked.path == f"/bot{TOKEN}/setWebhook"
        form: dict[str, Any] = asked.form
        assert json.loads(form.pop("allowed_updates")) == [
            "message",
            "edited_message",
            "callback_query",
            "message_reaction",
            "my_chat_member",
        ]
        assert form == {
            "url": host.webhook_url,
            "secret_token": SECRET,
            "max_connections": "40",
        }


async def test_without_a_public_url_no_webhook_is_set(caplog: pytest.LogCaptureFixture) -> None:
    async with provider([]) as server, shop(server.url) as connector:
        await connector.run(Gateway())
    assert "server.public_url" in caplog.text


# -- secrets


def test_an_account_does_not_show_its_secrets() -> None:
    account = TelegramAccount("shop", TOKEN, SECRET)
    for text in (
        repr(account),
        str(account),
        repr(Telegram(account)),
        repr(Telegram(account)._bot),
    ):
        assert TOKEN not in text
        assert SECRET not in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"secret_token": ""}, "secret_token is missing"),
        ({"secret_token": "with space"}, "secret_token may have"),
        ({"secret_token": "x" * 257}, "secret_token may have"),
        ({"token": ""}, "token must look like"),
        ({"token": "1/../x"}, "token must look like"),
        ({"token": "1:é"}, "token must look like"),
        ({"location_button": " "}, "are the words on buttons"),
        ({"phone_button": ""}, "are the words on buttons"),
        ({"api_url": "localhost:8081"}, "api_url must be like"),
        ({"api_url": "http://h/?x=1"}, "api_url must be like"),
    ],
)
def test_a_wrong_account_is_told_without_its_secrets(fields: dict[str, str], said: str) -> None:
    values = {"account": "shop", "token": TOKEN, "secret_token": SECRET, **fields}
    with pytest.raises(ValueError, match=said) as caught:
        TelegramAccount(**values)  # type: ignore[arg-type]
    for secret in (values["token"], values["secret_token"]):
        assert not secret or secret not in str(caught.value)


def test_polling_goes_without_a_secret() -> None:
    assert TelegramAccount("shop", TOKEN, mode="polling").secret_token == ""


async def test_no_log_and_no_error_holds_a_secret(
    fast: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("", "httpx", "httpcore", "telegram", "telegram.Bot", "connectors", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    words = "my card is 4111"
    failures: list[BaseException] = []

    async def fails(call: Awaitable[Any]) -> None:
        with pytest.raises(ConnectorError) as caught:
            await call
        failures.append(caught.value)

    steps = [*(case.step for case in FAILURES), SENT, refusal(500, "x"), YES]
    async with provider(steps) as server:
        with monkeypatch.context() as impatient:
            impatient.setattr(telegram, "READ_TIMEOUT", 0.3)
            async with shop(server.url) as connector:
                for _ in FAILURES:
                    await fails(connector.send(out(Text(words))))
        async with shop(server.url) as connector:
            await connector.send(out(Text(words)))
            await connector.run(Gateway(webhook_url="https://bot.example.com/hook"))
    async with shop(closed_url()) as connector:
        await fails(connector.send(out(Text(words))))
    async with shop("http://127.0.0.1:99999") as connector:
        await fails(connector.send(out(Text(words))))

    assert "httpx" in {record.name for record in caplog.records}
    assert "/bot***/sendMessage" in caplog.text
    logged = "\n".join(f"{r.getMessage()} {r.args} {r.msg}" for r in caplog.records)
    for text in (caplog.text, logged):
        for secret in (TOKEN, TOKEN.split(":")[1], SECRET, words):
            assert secret not in text
    for failure in failures:
        assert failure.__context__ is None
        assert failure.__cause__ is None
        assert TOKEN not in repr(failure)
        assert TOKEN not in str(failure)


def test_the_channel_is_listed_and_says_what_it_can_do() -> None:
    assert connector_class("telegram") is Telegram
    can = Telegram.capabilities
    sent = {case.content.kind for case in OUTBOUND if case.follows[:1] != ["failed"]}
    # What has no form of its own on Telegram is rendered as what has.
    assert sent - {"menu", "album", "template", "products"} == can.kinds_out
    come = {a.content.kind for case in INBOUND for a in case.arrived if isinstance(a, Inbound)}
    assert come == can.kinds_in
