"""Everything a customer can do on a phone, done by hand, and the webhook that comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.async_api import Locator, Page, expect

from bot.sandbox.media import kind_of
from tests.kit.waiting import until
from tests.sandbox.conftest import opened

# Each of them opens the whole page; what it stands on is tried without it.
pytestmark = pytest.mark.slow

TITLES = {
    "telegram": "Telegram",
    "whatsapp": "WhatsApp",
    "messenger": "Messenger",
    "sms": "SMS",
}


class Hand:
    """Somebody who holds the phones, and what the gateway is told of it."""

    def __init__(self, phones, gateway, page: Page) -> None:
        self.phones = phones
        self.gateway = gateway
        self.page = page

    def phone(self, channel: str) -> Locator:
        return self.page.locator(f"#phone-{channel}")

    def log(self, channel: str) -> Locator:
        return self.phone(channel).get_by_role("log")

    async def user(self, channel: str) -> str:
        stored = await self.page.evaluate(
            "(key) => localStorage.getItem(key)", f"sandbox.customers.{channel}"
        )
        return json.loads(stored)[0]["user"]

    async def write(self, channel: str, text: str) -> None:
        await self.page.get_by_label(f"Message to the bot on {TITLES[channel]}").fill(text)
        await self.send(channel)

    async def send(self, channel: str) -> None:
        name = f"Send on {TITLES[channel]}"
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def menu(self, channel: str) -> Locator:
        await self.page.get_by_role("button", name=f"More on {TITLES[channel]}").click()
        return self.phone(channel).get_by_role("dialog")

    async def do(self, channel: str, deed: str) -> None:
        """Choose something of the menu behind the plus sign."""
        menu = await self.menu(channel)
        await menu.get_by_role("button", name=deed, exact=True).click()

    async def of(self, row: Locator, deed: str) -> None:
        """Choose something of a message's own menu."""
        await row.get_by_role("button", name="Message menu").click()
        await row.get_by_role("menuitem", name=deed, exact=True).click()

    async def told(self, channel: str, count: int) -> Any:
        """Wait for the `count`th webhook of a channel, and return the newest one's event."""
        received = (await self.gateway.taken(count, channel=channel))[count - 1]
        if channel == "sms":
            return {k: v[0] for k, v in parse_qs(received.raw.decode()).items()}
        if channel == "telegram":
            return received.json
        entry = received.json["entry"][0]
        return entry["messaging"][0] if channel == "messenger" else entry["changes"][0]["value"]

    async def out(self, channel: str, text: str) -> Locator:
        """Let the bot write to the customer, and return the message."""
        user = await self.user(channel)
        if channel == "telegram":
            url = f"telegram/bot{self.phones.telegram['token']}/sendMessage"
            options: dict[str, Any] = {"json": {"chat_id": user, "text": text}}
        else:
            account = self.phones.whatsapp
            url = f"whatsapp/v24.0/{account['phone_id']}/messages"
            body = {"messaging_product": "whatsapp", "to": user, "text": {"body": text}}
            options = {"json": body, "headers": {"Authorization": f"Bearer {account['token']}"}}
        async with self.phones.http.post(f"{self.phones.url}/{url}", **options) as answer:
            assert answer.status == 200
        row = self.log(channel).locator(".row.theirs").filter(has_text=text)
        await expect(row).to_be_visible()
        return row

    async def bytes_of(self, row: Locator) -> bytes:
        """Return the file that a message shows."""
        place = await row.locator("audio, video, img, a.file").first.evaluate(
            "(e) => e.src || e.href"
        )
        async with self.phones.http.get(place) as answer:
            return await answer.read()


@pytest.fixture
async def hand(browser, phones, gateway) -> AsyncIterator[Hand]:
    async with opened(browser, phones.url) as page:
        yield Hand(phones, gateway, page)


FILES = {
    # The menu's word, whether it is a draft that has a caption, and what the bytes are.
    "Photo": (True, "image/png"),
    "Document": (True, "application/pdf"),
    "Voice note": (False, "audio/ogg"),
    "Audio": (False, "audio/wav"),
    "Sticker": (False, "image/webp"),
    "Video": (True, "video/mp4"),
}


async def test_every_sort_of_file_is_made_on_the_spot_and_sent(hand):
    names = {"Photo": "photo", "Voice note": "voice"}
    for count, (deed, (draft, mime)) in enumerate(FILES.items(), 1):
        await hand.do("telegram", deed)
        if draft:
            remove = hand.phone("telegram").get_by_role("button", name="Remove")
            await expect(remove).to_be_visible()
            await hand.write("telegram", f"My {deed}")
        message = (await hand.told("telegram", count))["message"]
        assert names.get(deed, deed.lower()) in message, message
        assert message.get("caption", "") == (f"My {deed}" if draft else "")
        await expect(hand.log("telegram").locator(".row.own")).to_have_count(count)
        row = hand.log("telegram").locator(".row.own").last
        assert kind_of(await hand.bytes_of(row))[0] == mime
        if deed in ("Voice note", "Audio"):
            length = "async (a) => { for (; !(a.duration > 0); ) await 0; return a.duration }"
            await expect(row.locator(".time")).not_to_have_text(re.compile("^0:00"))
            assert 2.5 < await row.locator("audio").evaluate(length) < 4.5


async def test_a_voice_note_on_whatsapp_is_opus_in_ogg(hand):
    await hand.do("whatsapp", "Voice note")
    [message] = (await hand.told("whatsapp", 1))["messages"]
    assert message["audio"]["voice"] is True
    assert message["audio"]["mime_type"] == "audio/ogg; codecs=opus"
    data = await hand.bytes_of(hand.log("whatsapp").locator(".row.own"))
    assert b"OpusHead" in data[:64]


@pytest.mark.parametrize("channel", ["telegram", "messenger", "sms"])
async def test_several_files_are_sent_as_an_album(hand, channel):
    await hand.do(channel, "Album")
    await expect(hand.phone(channel).get_by_role("button", name="Remove")).to_have_count(3)
    await hand.write(channel, "All three")
    await expect(hand.log(channel).locator(".album-group img")).to_have_count(3)
    if channel == "telegram":
        found = [(await hand.told(channel, n))["message"] for n in (1, 2, 3)]
        assert len({message["media_group_id"] for message in found}) == 1
        assert [message.get("caption") for message in found] == ["All three", None, None]
    elif channel == "messenger":
        message = (await hand.told(channel, 1))["message"]
        assert [a["type"] for a in message["attachments"]] == ["image"] * 3
    else:
        form = await hand.told(channel, 1)
        assert (form["NumMedia"], form["Body"]) == ("3", "All three")


async def test_files_of_one_s_own_are_taken(hand, png):
    given = [
        {"name": "p.png", "mimeType": "image/png", "buffer": png},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": "Grüße".encode()},
    ]
    # WhatsApp has no albums: they go one by one.
    await hand.page.get_by_label("File for WhatsApp").set_input_files(given)
    await hand.phone("whatsapp").get_by_role("button", name="Remove p.png").click()
    await hand.page.get_by_label("File for WhatsApp").set_input_files(given[:1])
    await hand.write("whatsapp", "Two")
    kinds = [(await hand.told("whatsapp", n))["messages"][0] for n in (1, 2)]
    assert [message["type"] for message in kinds] == ["document", "image"]
    assert kinds[0]["document"]["filename"] == "notes.txt"
    assert kinds[0]["document"]["caption"] == "Two"


async def test_places_and_people_are_sent(hand):
    for deed in ("Location", "Venue", "Contact", "My number"):
        await hand.do("telegram", deed)
    found = [(await hand.told("telegram", n))["message"] for n in (1, 2, 3, 4)]
    assert "venue" not in found[0]
    assert found[0]["location"]["latitude"] == pytest.approx(51.7592)
    assert found[1]["venue"]["title"] == "Larkfield Goods"
    user = int(await hand.user("telegram"))
    assert [message["contact"].get("user_id") for message in found[2:]] == [None, user]
    await expect(hand.log("telegram").locator(".place")).to_have_count(2)
    await expect(hand.log("telegram").locator(".person")).to_have_count(2)


async def test_a_cart_is_filled_and_ordered(hand):
    await hand.do("whatsapp", "Order")
    shop = hand.phone("whatsapp").get_by_role("dialog", name="Catalogue")
    order = shop.get_by_role("button", name="Place order")
    await expect(order).to_be_disabled()
    more = shop.get_by_role("button", name="One Mug, blue more")
    await more.click()
    await more.click()
    await shop.get_by_role("button", name="One Wool throw more").click()
    await shop.get_by_role("button", name="One Wool throw less").click()
    await order.click()
    [message] = (await hand.told("whatsapp", 1))["messages"]
    [item] = message["order"]["product_items"]
    assert (item["product_retailer_id"], item["quantity"]) == ("mug-blue", 2)
    row = hand.log("whatsapp").locator(".row.own")
    await expect(row).to_contain_text("2 × Mug, blue")
    await expect(row).to_contain_text("29.80 EUR")


async def test_a_message_is_quoted_changed_taken_back_and_reacted_to(hand):
    await hand.write("whatsapp", "First")
    await hand.told("whatsapp", 1)
    theirs = await hand.out("whatsapp", "An answer")
    id_ = await theirs.get_attribute("data-id")
    ours = hand.log("whatsapp").locator(".row.own").first

    def messages() -> list[Any]:
        return [
            message
            for received in hand.gateway.got
            for change in received.json["entry"][0]["changes"]
            for message in change["value"].get("messages", [])
        ]

    async def newest(count: int) -> Any:
        await until(lambda: len(messages()) >= count)
        return messages()[count - 1]

    await hand.of(theirs, "Reply")
    await expect(hand.phone("whatsapp").locator(".draft-note")).to_contain_text("An answer")
    await hand.write("whatsapp", "To that")
    assert (await newest(2))["context"]["id"] == id_
    await expect(hand.log("whatsapp").locator(".quote")).to_contain_text("An answer")

    await hand.of(theirs, "React with 👍")
    await expect(theirs.locator(".reaction")).to_have_text("👍")
    assert (await newest(3))["reaction"] == {"message_id": id_, "emoji": "👍"}
    await hand.of(theirs, "Take 👍 off")
    await expect(theirs.locator(".reaction")).to_have_count(0)
    assert not (await newest(4))["reaction"].get("emoji")

    await hand.of(ours, "Edit")
    field = hand.page.get_by_label("Message to the bot on WhatsApp")
    await expect(field).to_have_value("First")
    await hand.write("whatsapp", "First, changed")
    await expect(ours).to_contain_text("First, changed")
    await expect(ours).to_contain_text("edited")
    assert (await newest(5))["type"] == "edit"

    await hand.of(ours, "Delete for everyone")
    await expect(ours).to_contain_text("You deleted this message")
    assert (await newest(6))["type"] == "revoke"
    await expect(ours.get_by_role("button", name="Message menu")).to_have_count(0)


async def test_leaving_an_edit_gives_the_composer_back(hand):
    await hand.write("telegram", "First")
    ours = hand.log("telegram").locator(".row.own")
    await hand.of(ours, "Edit")
    field = hand.page.get_by_label("Message to the bot on Telegram")
    await field.press("Escape")
    await expect(field).to_have_value("")
    await hand.write("telegram", "Second")
    assert "message" in await hand.told("telegram", 2)


async def test_blocking_is_undone_from_the_same_place(hand):
    await hand.write("telegram", "hi")
    await hand.do("telegram", "Block")
    change = (await hand.told("telegram", 2))["my_chat_member"]
    assert change["new_chat_member"]["status"] == "kicked"
    await expect(hand.log("telegram").get_by_text("You blocked this account")).to_be_visible()
    await hand.write("telegram", "still there?")
    toast = hand.phone("telegram").get_by_role("status")
    await expect(toast).to_contain_text("unblock it first")
    # What could not be said is not lost.
    field = hand.page.get_by_label("Message to the bot on Telegram")
    await expect(field).to_have_value("still there?")
    await hand.do("telegram", "Unblock")
    change = (await hand.told("telegram", 3))["my_chat_member"]
    assert change["new_chat_member"]["status"] == "member"
    await hand.send("telegram")
    assert (await hand.told("telegram", 4))["message"]["text"] == "still there?"


async def test_offers_are_stopped_and_allowed_again(hand):
    await hand.write("whatsapp", "hi")
    for count, (deed, value) in enumerate(
        (("Stop offers", "stop"), ("Allow offers again", "resume")), 2
    ):
        await hand.do("whatsapp", deed)
        [preference] = (await hand.told("whatsapp", count))["user_preferences"]
        assert preference["value"] == value
    await hand.do("sms", "Opt out, as the provider tells it")
    assert (await hand.told("sms", 1))["OptOutType"] == "STOP"
    await expect(hand.log("sms").locator(".row.theirs").first).to_contain_text("unsubscribed")


async def test_the_chat_is_opened_by_a_link_with_a_word(hand):
    for channel in ("telegram", "messenger"):
        await hand.do(channel, "Start by a link")
        await hand.phone(channel).get_by_label("The link’s word").fill("autumn")
        await hand.phone(channel).get_by_role("button", name="Start", exact=True).click()
    assert (await hand.told("telegram", 1))["message"]["text"] == "/start autumn"
    assert (await hand.told("messenger", 1))["postback"]["referral"]["ref"] == "autumn"


async def test_the_customer_comes_from_an_advertisement(hand):
    for channel in ("whatsapp", "messenger"):
        await hand.do(channel, "Come from an ad")
        await hand.phone(channel).get_by_role("button", name="Open the chat").click()
        message = await hand.told(channel, 1)
        message = message["messages"][0] if channel == "whatsapp" else message["message"]
        assert "120208" in json.dumps(message["referral"])
        assert "I saw your ad" in json.dumps(message)
        row = hand.log(channel).locator(".row.own")
        await expect(row.locator(".came")).to_contain_text("Spring sale")


async def test_a_new_number_keeps_the_conversation(hand):
    await hand.write("whatsapp", "hi")
    old = await hand.user("whatsapp")
    await hand.do("whatsapp", "Change number")
    await hand.phone("whatsapp").get_by_label("The new number or id").fill("12025550177")
    await hand.phone("whatsapp").get_by_role("button", name="Change", exact=True).click()
    [message] = (await hand.told("whatsapp", 2))["messages"]
    assert (message["from"], message["system"]["wa_id"]) == (old, "12025550177")
    log = hand.log("whatsapp")
    await expect(log.get_by_text("You changed your number to 12025550177")).to_be_visible()
    await expect(log.locator(".row.own")).to_contain_text("hi")
    assert await hand.user("whatsapp") == "12025550177"
    await hand.write("whatsapp", "from the new one")
    [message] = (await hand.told("whatsapp", 3))["messages"]
    assert message["from"] == "12025550177"


async def test_the_clock_of_a_phone_moves(hand):
    phone = hand.phone("whatsapp")
    await phone.get_by_role("button", name="Clock of the WhatsApp phone").click()
    sheet = phone.get_by_role("dialog", name="This phone’s clock")
    await sheet.get_by_role("button", name="25 h back").click()
    await expect(phone.locator(".banner")).to_contain_text("out of the 24-hour window")
    await hand.write("whatsapp", "yesterday’s news")
    [message] = (await hand.told("whatsapp", 1))["messages"]
    claimed = datetime.fromtimestamp(int(message["timestamp"]), timezone.utc)
    assert abs(datetime.now(timezone.utc) - claimed - timedelta(hours=25)) < timedelta(minutes=1)
    await expect(hand.log("whatsapp").get_by_text("Yesterday", exact=True)).to_be_visible()
    await phone.get_by_role("button", name="Back to now").click()
    await expect(phone.locator(".banner")).to_be_hidden()
    await hand.write("whatsapp", "today’s")
    [message] = (await hand.told("whatsapp", 2))["messages"]
    claimed = datetime.fromtimestamp(int(message["timestamp"]), timezone.utc)
    assert abs(datetime.now(timezone.utc) - claimed) < timedelta(minutes=1)


async def test_several_customers_share_a_phone(hand):
    await hand.write("sms", "I am the first")
    first = await hand.user("sms")
    await hand.page.get_by_role("button", name="New customer on SMS").click()
    await expect(hand.log("sms").locator(".row")).to_have_count(1)
    await hand.write("sms", "I am the second")
    assert await hand.user("sms") != first
    people = hand.page.get_by_label("Customer on SMS", exact=True)
    assert await people.locator("option").count() == 2
    await people.select_option(first)
    await expect(hand.log("sms").locator(".row.own")).to_have_text(re.compile("I am the first"))
    await hand.page.reload()
    await expect(hand.log("sms").locator(".row.own")).to_have_text(re.compile("I am the first"))
    await hand.do("sms", "Clear the screen")
    await expect(hand.log("sms").locator(".row.own")).to_have_count(0)


async def test_a_channel_offers_only_what_it_has(hand):
    offered = {}
    for channel in TITLES:
        menu = await hand.menu(channel)
        offered[channel] = set(await menu.get_by_role("button").all_inner_texts())
        await hand.page.keyboard.press("Escape")
    assert "Order" not in offered["telegram"]
    assert "Block" not in offered["sms"]
    assert "Location" not in offered["sms"]
    assert "My number" not in offered["whatsapp"]
    assert {"Order", "Change number"} <= offered["whatsapp"]
    await hand.write("sms", "hi")
    own = hand.log("sms").locator(".row.own")
    await expect(own.get_by_role("button", name="Message menu")).to_have_count(0)


async def test_all_of_it_is_done_by_keys_alone(hand):
    page = hand.page
    await hand.write("telegram", "hi")
    theirs = await hand.out("telegram", "An answer")
    more = page.get_by_role("button", name="More on Telegram")
    await more.focus()
    await page.keyboard.press("Enter")
    dialog = hand.phone("telegram").get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    # The focus stays in what is open, and goes back to where it came from.
    await page.keyboard.press("Shift+Tab")
    await expect(dialog.get_by_role("button", name="Clear the screen")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(more).to_be_focused()
    handle = theirs.get_by_role("button", name="Message menu")
    await handle.focus()
    await page.keyboard.press("Enter")
    await expect(theirs.get_by_role("menuitem", name="React with 👍")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(theirs.get_by_role("menuitem", name="React with ❤️")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(theirs.locator(".reaction")).to_have_text("❤️")
    await handle.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(handle).to_be_focused()
    await expect(theirs.get_by_role("menu")).to_have_count(0)
