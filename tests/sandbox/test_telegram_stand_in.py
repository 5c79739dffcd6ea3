"""The Bot API stand-in, driven by python-telegram-bot over HTTP."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
import telegram
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter

from bot.message import (
    Address,
    Ask,
    Card,
    Cards,
    Choice,
    Choices,
    Contact,
    Edit,
    Event,
    Location,
    Media,
    Option,
    Outbound,
    Reaction,
    Referral,
    Text,
    decode,
    encode,
)
from connectors.base import Request
from connectors.telegram import Telegram, TelegramAccount
from tests.kit.waiting import until


def bot_at(phones) -> telegram.Bot:
    return telegram.Bot(
        phones.telegram["token"],
        base_url=f"{phones.url}/telegram/bot",
        base_file_url=f"{phones.url}/telegram/file/bot",
    )


@pytest.fixture
async def bot(phones) -> AsyncIterator[telegram.Bot]:
    async with bot_at(phones) as made:
        yield made


ANNA = "700000001"
YES_NO = InlineKeyboardMarkup(
    [
        [
            InlineKeyboardButton("Yes", callback_data="yes"),
            InlineKeyboardButton("No", callback_data="no"),
        ]
    ]
)


async def updates_of(bot, gateway, number):
    return [telegram.Update.de_json(r.json, bot) for r in await gateway.taken(number)]


async def test_a_text_reaches_the_gateway_signed_and_parseable(phones, gateway, bot):
    id_ = await phones.say("telegram", ANNA, "/start now", name="Anna Berg")
    (update,) = await updates_of(bot, gateway, 1)
    assert (update.message.text, str(update.message.message_id)) == ("/start now", id_)
    assert update.effective_user.full_name == "Anna Berg"
    assert update.effective_chat.type == "private"
    assert update.message.parse_entities() == {update.message.entities[0]: "/start"}
    headers = gateway.got[0].headers
    assert headers["X-Telegram-Bot-Api-Secret-Token"] == phones.telegram["secret_token"]
    await phones.until(lambda ms: ms[0]["status"] == "delivered")


async def test_message_ids_are_one_series_of_both_directions_and_all_chats(phones, gateway, bot):
    first = int(await phones.say("telegram", ANNA, "a"))
    second = int(await phones.say("telegram", "700000002", "b"))
    answer = await bot.send_message(int(ANNA), "c")
    assert [second, answer.message_id] == [first + 1, first + 2]
    updates = await updates_of(bot, gateway, 2)
    assert len({u.update_id for u in updates}) == 2


async def test_a_pressed_button_arrives_and_is_answered_once(phones, gateway, bot):
    await phones.say("telegram", ANNA, "hi")
    sent = await bot.send_message(int(ANNA), "Sure?", reply_markup=YES_NO)
    assert sent.reply_markup == YES_NO
    query = await phones.say("telegram", ANNA, payload="no", of=str(sent.message_id))
    update = (await updates_of(bot, gateway, 2))[1]
    assert (update.callback_query.data, update.callback_query.id) == ("no", query)
    assert update.callback_query.message.message_id == sent.message_id
    assert await bot.answer_callback_query(query)
    assert (await phones.message(query))["status"] == "read"
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(query)


async def test_a_button_that_is_not_there_cannot_be_pressed(phones, gateway, bot):
    await phones.say("telegram", ANNA, "hi")
    sent = await bot.send_message(int(ANNA), "Sure?", reply_markup=YES_NO)
    body = {"channel": "telegram", "user": ANNA, "payload": "maybe", "of": str(sent.message_id)}
    assert "no message" in (await phones.post("say", 400, **body))["error"]


async def test_pictures_go_both_ways(phones, gateway, bot, png, tmp_path):
    import base64

    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    await phones.say("telegram", ANNA, "my parcel", image=url)
    (update,) = await updates_of(bot, gateway, 1)
    photo = update.message.photo[-1]
    assert (photo.width, photo.height, update.message.caption) == (2, 3, "my parcel")
    file = await bot.get_file(photo.file_id)
    assert bytes(await file.download_as_bytearray()) == png

    sent = await bot.send_photo(int(ANNA), io.BytesIO(png), caption="yours", reply_markup=YES_NO)
    shown = await phones.message(str(sent.message_id))
    assert (shown["text"], shown["buttons"][0][0]["title"]) == ("yours", "Yes")
    async with phones.http.get(phones.url + shown["image"]) as picture:
        assert (await picture.read(), picture.content_type) == (png, "image/png")

    again = await bot.send_photo(int(ANNA), sent.photo[-1].file_id)
    assert again.photo[-1].file_unique_id == sent.photo[-1].file_unique_id
    linked = await bot.send_photo(int(ANNA), "https://shop.example.com/p.jpg")
    assert (await phones.message(str(linked.message_id)))["image"].endswith("/p.jpg")


async def test_other_kinds_are_shown(phones, gateway, bot, png):
    await phones.say("telegram", ANNA, "hi")
    await bot.send_document(int(ANNA), b"%PDF-1.4 bill", filename="bill.pdf", caption="Your bill")
    await bot.send_location(int(ANNA), 52.52, 13.405)
    await bot.send_message(int(ANNA), "Which?", reply_markup=ReplyKeyboardMarkup([["A", "B"]]))
    document, location, keyboard = (await phones.messages())[-3:]
    assert (document["file"]["name"], document["text"]) == ("bill.pdf", "Your bill")
    place = {"latitude": 52.52, "longitude": 13.405, "name": "", "address": ""}
    assert location["location"] == place
    assert keyboard["keyboard"] == [[{"title": t, "text": t} for t in "AB"]]
    assert keyboard["buttons"] == []


async def test_edits_change_the_message_and_take_the_keyboard_off(phones, gateway, bot):
    await phones.say("telegram", ANNA, "hi")
    sent = await bot.send_message(int(ANNA), "One", reply_markup=YES_NO)
    edited = await bot.edit_message_text("Two", int(ANNA), sent.message_id)
    assert (edited.text, edited.reply_markup, edited.edit_date is not None) == ("Two", None, True)
    await bot.edit_message_reply_markup(int(ANNA), sent.message_id, reply_markup=YES_NO)
    shown = await phones.message(str(sent.message_id))
    assert (shown["text"], len(shown["buttons"])) == ("Two", 1)
    await bot.delete_message(int(ANNA), sent.message_id)
    assert (await phones.message(str(sent.message_id)))["deleted"]


async def test_an_edit_fails_as_the_real_one_does(phones, gateway, bot):
    mine = int(await phones.say("telegram", ANNA, "hi"))
    sent = await bot.send_message(int(ANNA), "One", reply_markup=YES_NO)
    photo = await bot.send_photo(int(ANNA), "https://shop.example.com/p.jpg", caption="c")
    same = "message is not modified: specified new message content and reply markup are exactly"
    for call, reason in (
        (bot.edit_message_text("One", int(ANNA), sent.message_id, reply_markup=YES_NO), same),
        (bot.edit_message_reply_markup(int(ANNA), sent.message_id, reply_markup=YES_NO), same),
        (bot.edit_message_reply_markup(int(ANNA), photo.message_id), same),
        (bot.edit_message_caption(int(ANNA), photo.message_id, caption="c"), same),
        (bot.edit_message_reply_markup(int(ANNA), 99_999), "message to edit not found"),
        (bot.edit_message_reply_markup(int(ANNA), mine), "message can't be edited"),
        (bot.edit_message_text("x", int(ANNA), photo.message_id), "there is no text"),
        (bot.edit_message_caption(int(ANNA), sent.message_id, caption="x"), "there is no caption"),
        (bot.delete_message(int(ANNA), 99_999), "message to delete not found"),
    ):
        with pytest.raises(BadRequest, match=f"(?i){reason}"):
            await call


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  ", "text is empty"),
        ("x" * 4097, "message is too long"),
        ("😀" * 2049, "message is too long"),
    ],
)
async def test_texts_that_do_not_fit_are_refused(phones, gateway, bot, text, reason):
    await phones.say("telegram", ANNA, "hi")
    with pytest.raises(BadRequest, match=f"(?i){reason}"):
        await bot.send_message(int(ANNA), text)
    assert len(await phones.messages()) == 1
    await bot.send_message(int(ANNA), "😀" * 2048)


async def test_buttons_are_measured_in_bytes(phones, gateway, bot):
    await phones.say("telegram", ANNA, "hi")

    def with_data(data: str) -> InlineKeyboardMarkup:
        return InlineKeyboardMarkup([[InlineKeyboardButton("b", callback_data=data)]])

    await bot.send_message(int(ANNA), "fits", reply_markup=with_data("ä" * 32))
    with pytest.raises(BadRequest, match=r"(?i)button_data_invalid"):
        await bot.send_message(int(ANNA), "does not", reply_markup=with_data("ä" * 32 + "x"))


async def test_strangers_cannot_be_written_to_and_blockers_neither(phones, gateway, bot):
    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await bot.send_message(123, "hello?")
    await phones.say("telegram", ANNA, "hi")
    await phones.say("telegram", ANNA, event="block")
    update = (await updates_of(bot, gateway, 2))[1]
    assert update.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(int(ANNA), "hello?")
    await phones.say("telegram", ANNA, event="unblock")
    assert await bot.send_message(int(ANNA), "hello!")


async def test_a_wrong_token_is_unauthorized(phones, gateway):
    wrong = telegram.Bot("1234567:wrong", base_url=f"{phones.url}/telegram/bot")
    with pytest.raises(InvalidToken):
        await wrong.get_me()
    async with phones.http.get(f"{phones.url}/telegram/bot12:x/getMe") as answer:
        assert answer.status == 401
        assert await answer.json() == {
            "ok": False,
            "error_code": 401,
            "description": "Unauthorized",
        }


async def test_typing_shows_and_wrong_actions_do_not(phones, gateway, bot):
    await phones.say("telegram", ANNA, "hi")
    async with phones.events() as events:
        await bot.send_chat_action(int(ANNA), "typing")
        while (event := await events.next())["event"] != "typing":
            continue
        assert event["user"] == ANNA
    with pytest.raises(BadRequest, match=r"(?i)wrong parameter action"):
        await bot.send_chat_action(int(ANNA), "thinking")


async def test_an_edited_message_and_a_raw_update_arrive(phones, gateway, bot):
    id_ = await phones.say("telegram", ANNA, "one")
    await phones.say("telegram", ANNA, edit="two", of=id_)
    await phones.say("telegram", ANNA, raw={"poll": {"id": "1"}})
    edited, raw = (r.json for r in (await gateway.taken(3))[1:])
    assert edited["edited_message"]["text"] == "two"
    assert raw["poll"] == {"id": "1"}


async def is_polling(phones) -> None:
    stand_in = phones.sandbox._stand_ins["telegram"]
    await until(lambda: stand_in._bots["demo"].polling)


async def test_polling_works_as_documented(phones, gateway, bot):
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    assert (await bot.get_webhook_info()).url == f"{gateway.url}/webhooks/telegram/demo"
    await bot.delete_webhook()
    waiting = asyncio.create_task(bot.get_updates(timeout=20))
    await is_polling(phones)
    await phones.say("telegram", ANNA, "one")
    (first,) = await waiting
    await phones.say("telegram", ANNA, "two")
    both = await bot.get_updates()
    assert [u.message.text for u in both] == ["one", "two"]
    (rest,) = await bot.get_updates(offset=first.update_id + 1)
    assert rest.message.text == "two"
    assert not await bot.get_updates(offset=rest.update_id + 1)
    assert [m["status"] for m in await phones.messages()] == ["delivered", "delivered"]
    assert gateway.got == []


async def test_a_second_poll_ends_the_first(phones, gateway, bot):
    await bot.delete_webhook()
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await is_polling(phones)
    async with bot_at(phones) as other:
        second = asyncio.create_task(other.get_updates(timeout=20))
        with pytest.raises(Conflict, match=r"(?i)terminated by other getUpdates"):
            await first
        await bot.set_webhook(f"{gateway.url}/webhooks/telegram/demo", secret_token="abc")
        with pytest.raises(Conflict, match=r"(?i)terminated by setWebhook"):
            await second


async def test_updates_wait_for_a_webhook(phones, gateway, bot):
    await bot.delete_webhook()
    await phones.say("telegram", ANNA, "early")
    assert (await bot.get_webhook_info()).pending_update_count == 1
    await bot.set_webhook(f"{gateway.url}/webhooks/telegram/demo", secret_token="abc")
    (received,) = await gateway.taken(1)
    assert received.headers["X-Telegram-Bot-Api-Secret-Token"] == "abc"
    with pytest.raises(BadRequest, match=r"(?i)bad webhook"):
        await bot.set_webhook("https://elsewhere.example.com/hook")


async def test_too_many_requests_name_their_time(phones, gateway, bot):
    await phones.say("telegram", ANNA, "hi")
    await phones.fault("telegram", "429", retry_after=7, count=1, method="sendMessage")
    with pytest.raises(RetryAfter) as refused:
        await bot.send_message(int(ANNA), "x")
    assert refused.value.retry_after == 7
    assert await bot.send_message(int(ANNA), "y")


@pytest.mark.parametrize(
    ("kind", "taken"), [("500", 0), ("reset", 0), ("timeout", 0), ("reset_after", 1)]
)
async def test_faults_lose_the_answer_or_the_message(phones, gateway, bot, kind, taken):
    await phones.say("telegram", ANNA, "hi")
    await phones.fault("telegram", kind, count=1, seconds=0.1)
    with pytest.raises(NetworkError):
        await bot.send_message(int(ANNA), "x")
    assert len([m for m in await phones.messages() if m["direction"] == "out"]) == taken
    await bot.send_message(int(ANNA), "y")


async def test_a_slow_answer_is_an_answer(phones, gateway, bot):
    await phones.fault("telegram", "slow", seconds=0.2, count=1)
    assert (await bot.get_me()).is_bot


# -- the connector and the stand-in understand each other


@pytest.fixture
async def connector(phones, gateway) -> AsyncIterator[Telegram]:
    # The sandbox took a free port; its credentials name the usual one.
    account = {**phones.telegram, "api_url": f"{phones.url}/telegram"}
    made = Telegram(TelegramAccount(**account))
    yield made
    await made.close()


async def heard(connector, gateway, number):
    """Return what the connector makes of the last of `number` webhooks."""
    taken = (await gateway.taken(number))[-1]
    headers = {name.lower(): value for name, value in taken.headers.items()}
    request = Request("POST", "/webhooks/telegram/demo", headers=headers, body=taken.raw)
    [inbound] = await connector.receive(request)
    return inbound


def out(content, user=ANNA):
    return Outbound("turn:0", Address("telegram", "demo", user), content)


def number_of(provider_id: str) -> str:
    return provider_id.partition(".")[2]


async def upload(phones, data: bytes, name: str) -> str:
    headers = {"Content-Type": "application/octet-stream"}
    url = f"{phones.url}/control/files?name={name}"
    async with phones.http.post(url, data=data, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.json())["url"]


@pytest.mark.parametrize(
    "content",
    [
        Text("where is it? 🦊"),
        Location(52.5, -13.25),
        Location(52.5, 13.25, name="Depot", address="Quay 1"),
        Contact("Ben King", ("+4930",)),
        Contact("Anna", ("+4915112345678",), own=True),
        Contact("Ann", ("+49301", "+49302"), ("ann@example.com",)),
        Event("start"),
        Event("start", data="sale"),
        Event("blocked"),
    ],
    ids=lambda content: content.kind,
)
async def test_what_a_customer_says_is_what_the_connector_hears(
    phones, gateway, connector, content
):
    await phones.say("telegram", ANNA, content=encode(content), name="Anna Berg")
    inbound = await heard(connector, gateway, 1)
    assert inbound.content == content
    assert (inbound.address.user, inbound.profile.name) == (ANNA, "Anna Berg")
    expected = Referral("link", ref="sale") if content == Event("start", data="sale") else None
    assert inbound.referral == expected


OGG = b"OggS" + bytes(60)
MP3 = b"ID3" + bytes(60)
MP4 = bytes(4) + b"ftypisom" + bytes(60)
WEBP = b"RIFF" + bytes(4) + b"WEBP" + bytes(60)
PDF = b"%PDF-1.4 bill"
GIF = b"GIF89a" + bytes(20)


@pytest.mark.parametrize(
    ("type", "data", "name", "mime", "heard_as"),
    [
        ("voice", OGG, "", "audio/ogg", "voice"),
        ("audio", MP3, "a.mp3", "audio/mpeg", "audio"),
        ("video", MP4, "v.mp4", "video/mp4", "video"),
        ("document", PDF, "bill.pdf", "application/pdf", "document"),
        ("sticker", WEBP, "", "image/webp", "sticker"),
        ("image", GIF, "fox.gif", "image/gif", "video"),
    ],
    ids=["voice", "audio", "video", "document", "sticker", "GIF"],
)
async def test_a_customers_file_comes_whole(
    phones, gateway, connector, type, data, name, mime, heard_as
):
    said = Media(type, url=await upload(phones, data, name), filename=name)
    await phones.say("telegram", ANNA, content=encode(said))
    media = (await heard(connector, gateway, 1)).content
    assert (media.type, media.mime, media.size) == (heard_as, mime, len(data))
    file = await connector.fetch(media, 1000)
    assert (file.data, file.mime) == (data, mime)
    assert not name or file.filename == name
    (shown,) = await phones.messages()
    assert decode(shown["content"]) == said


async def test_an_album_comes_as_parts_of_one(phones, gateway, connector, png):
    url = await upload(phones, png, "p.png")
    for words in ("both broken", ""):
        part = encode(Media("image", url=url, caption=words))
        await phones.say("telegram", ANNA, content=part, album="a1")
    first = await heard(connector, gateway, 1)
    second = await heard(connector, gateway, 2)
    assert first.album == second.album != ""
    assert (first.content.caption, second.content.caption) == ("both broken", "")
    assert {m["album"] for m in await phones.messages()} == {first.album}
    body = {"content": encode(Text("x")), "album": "a1"}
    refused = await phones.post("say", 400, channel="telegram", user=ANNA, **body)
    assert "an album is of" in refused["error"]


async def test_a_quoted_message_is_told(phones, gateway, connector):
    first = await phones.say("telegram", ANNA, "one")
    sent = await connector.send(out(Text("which?")))
    await phones.say("telegram", ANNA, "that one", reply_to=number_of(sent))
    inbound = await heard(connector, gateway, 2)
    assert inbound.reply_to == sent
    assert (await phones.messages())[-1]["quote"] == number_of(sent)
    await phones.say("telegram", ANNA, "and that", reply_to=first)
    assert (await heard(connector, gateway, 3)).reply_to == f"{ANNA}.{first}"


async def test_the_customers_own_time_counts(phones, gateway, connector):
    await phones.say("telegram", ANNA, "late", sent="2026-01-02T03:04:05+00:00")
    inbound = await heard(connector, gateway, 1)
    assert inbound.sent.isoformat() == "2026-01-02T03:04:05+00:00"


async def test_edits_of_words_and_captions_arrive(phones, gateway, connector, png):
    text = await phones.say("telegram", ANNA, "eleven")
    picture = encode(Media("image", url=await upload(phones, png, ""), caption="front"))
    caption = await phones.say("telegram", ANNA, content=picture)
    for n, (id_, words) in enumerate(((text, "twelve"), (caption, "back")), 3):
        await phones.say("telegram", ANNA, content=encode(Edit(id_, words)))
        assert (await heard(connector, gateway, n)).content == Edit(f"{ANNA}.{id_}", words)
        shown = await phones.message(id_)
        assert (shown["text"], shown["edited"]) == (words, True)


async def test_reactions_go_both_ways_and_off_again(phones, gateway, connector, bot):
    # They come only to those who ask for them by name.
    secret, wanted = phones.telegram["secret_token"], ["message", "message_reaction"]
    url = f"{gateway.url}/webhooks/telegram/demo"
    await bot.set_webhook(url, secret_token=secret, allowed_updates=wanted)
    said = await phones.say("telegram", ANNA, "hi")
    sent = number_of(await connector.send(out(Text("hello"))))
    steps = [Reaction(sent, "👍"), Reaction(sent, "👍", removed=True)]
    for n, reaction in enumerate(steps, 2):
        await phones.say("telegram", ANNA, content=encode(reaction))
        expected = Reaction(f"{ANNA}.{sent}", "👍", reaction.removed)
        assert (await heard(connector, gateway, n)).content == expected
    of = f"{ANNA}.{said}"
    assert await connector.send(out(Reaction(of, "👏"))) == f"{of}.r"
    assert (await phones.message(said))["reactions"] == {"out": "👏"}
    await connector.send(out(Reaction(of, removed=True)))
    assert (await phones.message(said))["reactions"] == {}


async def test_a_chosen_option_is_marked_and_says_nothing_more(phones, gateway, connector):
    await phones.say("telegram", ANNA, "hi")
    options = (Option("Yes", "/affirm"), Option("Terms", "", url="https://example.com/t"))
    sent = await connector.send(out(Choices("**Sure?**", options)))
    query = await phones.say("telegram", ANNA, payload="/affirm", of=number_of(sent))
    inbound = await heard(connector, gateway, 2)
    assert inbound.content == Choice("/affirm", "Yes", sent)
    marked = await phones.until(
        lambda ms: next((m for m in ms if m["buttons"][:1] == [MARKED]), None)
    )
    assert marked["buttons"] == [MARKED, [{"title": "Terms", "url": "https://example.com/t"}]]
    assert not marked["edited"]
    assert marked["styled"]["text"]["marks"][0]["style"] == "bold"
    assert (await phones.message(query))["status"] == "read"
    await phones.say("telegram", ANNA, payload="#", of=number_of(sent))
    taken = (await gateway.taken(3))[-1]
    headers = {name.lower(): value for name, value in taken.headers.items()}
    request = Request("POST", "/webhooks/telegram/demo", headers=headers, body=taken.raw)
    assert await connector.receive(request) == []


MARKED = [{"title": "✓ Yes", "payload": "#"}]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (Text("a **b** [c](https://example.com/)"), Text("a b c")),
        (
            Choices("?", (Option("A", "/a"), Option("B", "", url="https://example.com/"))),
            Choices("?", (Option("A", "/a"), Option("B", "", url="https://example.com/"))),
        ),
        (
            Media("image", url="https://example.com/a.png", caption="_hi_"),
            Media("image", url="https://example.com/a.png", caption="hi", filename="a.png"),
        ),
        (
            Cards((Card("Fox", "red", "https://example.com/a.png", options=(Option("B", "/b"),)),)),
            Media("image", url="https://example.com/a.png", caption="Fox\nred", filename="a.png"),
        ),
        (
            Media("voice", url="https://example.com/a.ogg"),
            Media("voice", url="https://example.com/a.ogg", filename="a.ogg"),
        ),
        (Location(1.5, 2.5), Location(1.5, 2.5)),
        (Location(1.5, 2.5, "Depot", "Quay"), Location(1.5, 2.5, "Depot", "Quay")),
        (Contact("Ann", ("+4930",)), Contact("Ann", ("+4930",))),
    ],
    ids=lambda content: content.kind,
)
async def test_what_the_connector_sends_is_shown_and_found_again(
    phones, gateway, connector, content, shown
):
    first = await phones.say("telegram", ANNA, "hi")
    sent = await connector.send(out(content))
    entry = await phones.message(number_of(sent))
    assert decode(entry["content"]) == shown
    known = [f"{ANNA}.{first}"]
    assert await connector.confirm(out(content), known) == sent
    assert (await phones.message(number_of(sent)))["edited"] is False
    assert await connector.confirm(out(content), [sent]) is None


async def test_styles_are_shown_by_code_points(phones, gateway, connector):
    await phones.say("telegram", ANNA, "hi")
    sent = await connector.send(out(Text("🦊 **bold** [page](https://example.com/)")))
    shown = (await phones.message(number_of(sent)))["styled"]["text"]
    assert shown["words"] == "🦊 bold page"
    assert [(m["start"], m["end"], m["style"]) for m in shown["marks"]] == [
        (2, 6, "bold"),
        (7, 11, "link"),
    ]


async def test_a_number_is_shared_by_a_keyboard(phones, gateway, connector, bot):
    await phones.say("telegram", ANNA, "hi")
    sent = number_of(await connector.send(out(Ask("Your number?", "phone"))))
    shown = await phones.message(sent)
    assert shown["keyboard"] == [[{"title": "📱 Send my number", "ask": "phone"}]]
    with pytest.raises(BadRequest, match=r"(?i)message can't be edited"):
        await bot.edit_message_text("x", int(ANNA), int(sent))
    gone = await bot.send_message(int(ANNA), "Thanks", reply_markup=ReplyKeyboardRemove())
    assert (await phones.message(str(gone.message_id)))["keyboard"] == []


async def test_a_topic_is_a_phone_of_its_own(phones, gateway, connector, bot):
    topic = f"{ANNA}/7"
    await phones.say("telegram", topic, "hi")
    inbound = await heard(connector, gateway, 1)
    assert inbound.address.user == topic
    await connector.typing(inbound.address)
    options = (Option("Yes", "/affirm"),)
    sent = await connector.send(out(Choices("Sure?", options), topic))
    (question,) = [m for m in await phones.messages(user=topic) if m["direction"] == "out"]
    assert question["id"] == number_of(sent)
    await phones.say("telegram", topic, payload="/affirm")
    pressed = await heard(connector, gateway, 2)
    assert (pressed.address.user, pressed.content.of) == (topic, sent)
    with pytest.raises(BadRequest, match=r"(?i)message thread not found"):
        await bot.send_message(int(ANNA), "x", message_thread_id=8)


async def test_what_customers_of_telegram_cannot_do_is_refused(phones, gateway):
    id_ = await phones.say("telegram", ANNA, "hi")
    for content, reason in (
        ({"kind": "deletion", "of": id_}, "no deletion"),
        ({"kind": "order", "items": [{"product": "1", "quantity": 1}]}, "no order"),
        ({"kind": "event", "name": "moved", "data": "5"}, "no event"),
        ({"kind": "contact", "name": "Ann"}, "has a phone number"),
        ({"kind": "media", "type": "image", "url": "/control/media/none"}, "no uploaded file"),
        ({"kind": "edit", "of": "999", "text": "x"}, "no message"),
    ):
        refused = await phones.post("say", 400, channel="telegram", user=ANNA, content=content)
        assert reason in refused["error"]


async def test_links_and_entities_are_checked_as_the_real_one_does(phones, gateway, bot):
    await phones.say("telegram", ANNA, "hi")
    link = MessageEntity("text_link", 0, 1, url="mailto:a@example.com")
    with pytest.raises(BadRequest, match=r"(?i)wrong message entity"):
        await bot.send_message(int(ANNA), "x", entities=[link])
    page = InlineKeyboardMarkup([[InlineKeyboardButton("b", url="http://localhost/")]])
    with pytest.raises(BadRequest, match=r"(?i)is invalid: wrong HTTP URL"):
        await bot.send_message(int(ANNA), "x", reply_markup=page)
    with pytest.raises(BadRequest, match=r"(?i)reaction_invalid"):
        await bot.set_message_reaction(
            int(ANNA), int((await phones.messages())[0]["id"]), telegram.ReactionTypeEmoji("🚲")
        )


async def test_entities_count_when_a_message_is_changed(phones, gateway, bot):
    await phones.say("telegram", ANNA, "hi")
    bold = [MessageEntity("bold", 0, 2)]
    sent = await bot.send_message(int(ANNA), "no", entities=bold)
    with pytest.raises(BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_text("no", int(ANNA), sent.message_id, entities=bold)
    plain = await bot.edit_message_text("no", int(ANNA), sent.message_id)
    assert plain.entities == ()
    with pytest.raises(BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_text("no", int(ANNA), sent.message_id)


async def test_a_file_too_big_for_bots_is_not_given(phones, gateway, bot):
    url = await upload(phones, b"%PDF" + bytes(20 * 1024 * 1024), "big.pdf")
    await phones.say("telegram", ANNA, content=encode(Media("document", url=url)))
    (update,) = await updates_of(bot, gateway, 1)
    with pytest.raises(BadRequest, match=r"(?i)file is too big"):
        await bot.get_file(update.message.document.file_id)
