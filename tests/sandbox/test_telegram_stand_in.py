"""The Bot API stand-in, driven by python-telegram-bot over HTTP."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
import telegram
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter


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
    assert location["location"] == {"latitude": 52.52, "longitude": 13.405}
    assert keyboard["buttons"] == [[{"title": t, "text": t} for t in "AB"]]


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
    async with phones.http.ws_connect(f"{phones.url}/control/events") as events:
        assert (await events.receive_json())["event"] == "state"
        await bot.send_chat_action(int(ANNA), "typing")
        event = await asyncio.wait_for(events.receive_json(), 10)
        while event["event"] != "typing":
            event = await asyncio.wait_for(events.receive_json(), 10)
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


async def test_polling_works_as_documented(phones, gateway, bot):
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    assert (await bot.get_webhook_info()).url == f"{gateway.url}/webhooks/telegram/demo"
    await bot.delete_webhook()
    waiting = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
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
    await asyncio.sleep(0.1)
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
