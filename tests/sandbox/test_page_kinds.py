"""Every kind a bot can send, asked for as bots ask the providers, and drawn on the phones."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Locator, Page, expect

from bot.message import utcnow
from tests.sandbox.conftest import PNG, opened

# Each of them opens the whole page; what it stands on is tried without it.
pytestmark = pytest.mark.slow

STATIC = Path(__file__).parents[2] / "bot" / "static"
SHOP = "https://larkfield.example/"
PLACE = {"latitude": 51.7592, "longitude": -0.4617}


class Bot:
    """A bot on all channels at once, and the customers its page shows."""

    def __init__(self, phones, page: Page) -> None:
        self.phones = phones
        self.page = page
        self.users: dict[str, str] = {}

    async def meet(self, channel: str) -> str:
        """Let the page's customer of a channel write; return its address."""
        key = f"sandbox.customers.{channel}"
        stored = await self.page.evaluate("(key) => localStorage.getItem(key)", key)
        self.users[channel] = json.loads(stored)[0]["user"]
        await self.phones.say(channel, self.users[channel], "Hello!", name="Anna Berg")
        await expect(self.log(channel).get_by_text("Hello!")).to_be_visible()
        return self.users[channel]

    async def file(self, name: str) -> str:
        """Return the URL of one of the shop's files, as the phones can load it."""
        async with self.phones.http.post(
            f"{self.phones.url}/control/files",
            data=(STATIC / name).read_bytes(),
            params={"name": name},
            headers={"Content-Type": "application/octet-stream"},
        ) as answer:
            return self.phones.url + (await answer.json())["url"]

    async def _post(self, url: str, **options: Any) -> Any:
        async with self.phones.http.post(f"{self.phones.url}/{url}", **options) as answer:
            found = await answer.json()
            assert answer.status < 300, found
            return found

    async def telegram(self, method: str, **parameters: Any) -> Any:
        token = self.phones.telegram["token"]
        body = {"chat_id": self.users["telegram"], **parameters}
        return (await self._post(f"telegram/bot{token}/{method}", json=body))["result"]

    async def whatsapp(self, kind: str, content: Any, **more: Any) -> str:
        account = self.phones.whatsapp
        body = {
            "messaging_product": "whatsapp",
            "to": self.users["whatsapp"],
            "type": kind,
            kind: content,
            **more,
        }
        url = f"whatsapp/v24.0/{account['phone_id']}/messages"
        headers = {"Authorization": f"Bearer {account['token']}"}
        return (await self._post(url, json=body, headers=headers))["messages"][0]["id"]

    async def messenger(self, path: str = "messages", **body: Any) -> Any:
        account = self.phones.accounts["messenger"]
        if path == "messages":
            body = {"recipient": {"id": self.users["messenger"]}, **body}
            if "message" in body:
                body = {"messaging_type": "RESPONSE", **body}
        headers = {"Authorization": f"Bearer {account['token']}"}
        return await self._post(
            f"messenger/v25.0/{account['page_id']}/{path}", json=body, headers=headers
        )

    async def sms(self, **form: str) -> Any:
        account = self.phones.accounts["sms"]
        sid = account["account_sid"]
        return await self._post(
            f"sms/2010-04-01/Accounts/{sid}/Messages.json",
            data={"To": self.users["sms"], "From": account["from"], **form},
            auth=aiohttp.BasicAuth(sid, account["auth_token"]),
        )

    def log(self, channel: str) -> Locator:
        return self.page.locator(f"#phone-{channel} .log")

    def phone(self, channel: str) -> Locator:
        return self.page.locator(f"#phone-{channel}")

    def last(self, channel: str) -> Locator:
        """The newest message of the bot's."""
        return self.log(channel).locator(".row.theirs:not(.typing-row)").last


@pytest.fixture
async def bot(browser, phones) -> AsyncIterator[Bot]:
    async with opened(browser, phones.url) as page:
        yield Bot(phones, page)


async def plays(sound: Locator) -> None:
    """Wait until a file is loaded, which has a length once it is."""
    await sound.evaluate(
        """async (e) => {
            for (let n = 0; n < 200 && !(e.duration > 0); n++)
                await new Promise((next) => setTimeout(next, 25));
            if (!(e.duration > 0)) throw new Error(`not loaded: ${e.error?.message}`);
        }"""
    )


async def seen(picture: Locator) -> None:
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async (i) => { await i.decode(); return i.naturalWidth }") > 0


async def the_files(bot: Bot, channel: str, send: Any) -> None:
    """Send each sort of file with `send(type, url)`, and look at it."""
    last = bot.last(channel)
    await send("image", await bot.file("mug-blue.png"))
    await seen(last.locator("img"))
    await send("audio", await bot.file("jingle.mp3"))
    await expect(last.get_by_role("button", name="Play the")).to_be_visible()
    await plays(last.locator("audio"))
    await send("video", await bot.file("parcel.mp4"))
    await expect(last.get_by_role("button", name="Play the video")).to_be_visible()
    await plays(last.locator("video"))
    await send("document", await bot.file("returns.pdf"))
    await expect(last.locator("a.file")).to_have_attribute("rel", "noopener noreferrer")


async def test_telegram_draws_every_kind(bot):
    await bot.meet("telegram")
    last, phone = bot.last("telegram"), bot.phone("telegram")

    # Offsets are in UTF-16 units, and what looks like HTML is words.
    entities = [
        {"type": "bold", "offset": 3, "length": 4},
        {"type": "text_link", "offset": 8, "length": 5, "url": SHOP},
        {"type": "code", "offset": 14, "length": 6},
    ]
    text = "😀 bold pages <b>x</ and more"
    sent = await bot.telegram("sendMessage", text=text, entities=entities)
    await expect(last.locator("strong")).to_have_text("bold")
    await expect(last.locator("code")).to_have_text("<b>x</")
    await expect(last.get_by_role("link")).to_have_count(1)
    await expect(last.get_by_role("link", name="pages")).to_have_attribute("href", SHOP)

    async def send(type_: str, url: str) -> None:
        name = {"image": "Photo"}.get(type_, type_.capitalize())
        field = {"image": "photo"}.get(type_, type_)
        await bot.telegram(f"send{name}", **{field: url})

    await the_files(bot, "telegram", send)
    await send("voice", await bot.file("greeting.ogg"))
    await expect(last.locator(".wave i")).to_have_count(34)
    await plays(last.locator("audio"))
    await send("sticker", await bot.file("smile.webp"))
    await seen(last.locator(".sticker img"))

    await bot.telegram("sendVenue", **PLACE, title="Larkfield Goods", address="14 Mill Lane")
    await expect(last.get_by_role("img", name="Map")).to_be_visible()
    await expect(last.locator(".place")).to_contain_text("14 Mill Lane")
    await bot.telegram("sendContact", phone_number="+442079460123", first_name="Larkfield")
    await expect(last.locator(".person")).to_contain_text("+442079460123")

    rows = [
        [{"text": "Yes", "callback_data": "y"}, {"text": "No", "callback_data": "n"}],
        [{"text": "Our pages", "url": SHOP}],
    ]
    markup = {"inline_keyboard": rows}
    await bot.telegram("sendMessage", text="All of it?", reply_markup=markup)
    await expect(last.locator(".button-row")).to_have_count(2)
    await expect(last.locator(".button-row").first.get_by_role("button")).to_have_text(
        ["Yes", "No"]
    )
    await expect(last.get_by_role("link", name="Our pages")).to_have_attribute("href", SHOP)

    keys = [[{"text": "Send location", "request_location": True}, {"text": "Rather not"}]]
    await bot.telegram("sendMessage", text="Where?", reply_markup={"keyboard": keys})
    keyboard = phone.locator(".keyboard")
    await expect(keyboard.get_by_role("button")).to_have_text(["Send location", "Rather not"])
    # Keys are no choices of the message above them, and look alike.
    await expect(keyboard.locator(".choice, .icon")).to_have_count(0)
    await bot.telegram("sendMessage", text="Never mind", reply_markup={"remove_keyboard": True})
    await expect(keyboard).to_be_hidden()

    row = bot.log("telegram").locator(f'[data-id="{sent["message_id"]}"]')
    reaction = [{"type": "emoji", "emoji": "❤"}]
    mine = bot.log("telegram").locator(".row.own").first
    await bot.telegram(
        "setMessageReaction", message_id=await mine.get_attribute("data-id"), reaction=reaction
    )
    await expect(mine.locator(".reaction")).to_have_text("❤")
    await bot.telegram("editMessageText", message_id=sent["message_id"], text="other words")
    await expect(row.locator(".text")).to_have_text("other words")
    await expect(row.locator(".meta")).to_contain_text("edited")
    await bot.telegram("deleteMessage", message_id=sent["message_id"])
    await expect(row).to_contain_text("This message was deleted")
    await bot.telegram("sendChatAction", action="typing")
    await expect(phone.locator(".subtitle")).to_have_text("typing")


async def test_whatsapp_draws_every_kind(bot):
    await bot.meet("whatsapp")
    last, phone = bot.last("whatsapp"), bot.phone("whatsapp")

    await bot.whatsapp("text", {"body": "*bold*, _italic_ and `code` at https://x.example/."})
    await expect(last.locator("strong")).to_have_text("bold")
    await expect(last.locator("em")).to_have_text("italic")
    await expect(last.get_by_role("link")).to_have_text("https://x.example/")

    async def send(type_: str, url: str) -> None:
        more = {"filename": "returns.pdf"} if type_ == "document" else {}
        await bot.whatsapp(type_, {"link": url, **more})

    await the_files(bot, "whatsapp", send)
    await send("sticker", await bot.file("smile.webp"))
    await seen(last.locator(".sticker img"))

    await bot.whatsapp("location", {**PLACE, "name": "Larkfield", "address": "14 Mill Lane"})
    await expect(last.locator(".place")).to_contain_text("Larkfield14 Mill Lane")
    card = {
        "name": {"formatted_name": "Mira Holm", "first_name": "Mira"},
        "phones": [{"phone": "+12025550143", "type": "CELL"}],
    }
    await bot.whatsapp("contacts", [card])
    await expect(last.locator(".person")).to_contain_text("Mira Holm+12025550143")

    buttons = [
        {"type": "reply", "reply": {"id": "y", "title": "Yes"}},
        {"type": "reply", "reply": {"id": "n", "title": "No"}},
    ]
    question = {
        "type": "button",
        "header": {"type": "text", "text": "A question"},
        "body": {"text": "All of it?"},
        "footer": {"text": "Larkfield Goods"},
        "action": {"buttons": buttons},
    }
    await bot.whatsapp("interactive", question)
    await expect(last.get_by_role("button", name="Yes", exact=True)).to_be_visible()
    await expect(last.locator(".head")).to_have_text("A question")
    await expect(last.locator(".foot")).to_have_text("Larkfield Goods")

    rows = [{"id": "t", "title": "Track an order", "description": "where it is now"}]
    sections = [{"title": "Orders", "rows": rows}]
    choice = {
        "type": "list",
        "body": {"text": "Pick one"},
        "action": {"button": "Choose", "sections": sections},
    }
    await bot.whatsapp("interactive", choice)
    await last.get_by_role("button", name="Choose").click()
    sheet = phone.get_by_role("dialog", name="Choose")
    await expect(sheet.get_by_role("heading", name="Orders")).to_be_visible()
    await expect(sheet.get_by_role("button", name="Track an order")).to_contain_text("where it is")
    await bot.page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)

    link = {"display_text": "Our pages", "url": SHOP}
    pages = {
        "type": "cta_url",
        "body": {"text": "See our pages."},
        "action": {"name": "cta_url", "parameters": link},
    }
    await bot.whatsapp("interactive", pages)
    await expect(last.get_by_role("link", name="Our pages")).to_have_attribute("href", SHOP)

    action = {"name": "send_location"}
    where = {"type": "location_request_message", "body": {"text": "Where?"}, "action": action}
    await bot.whatsapp("interactive", where)
    await expect(last.get_by_role("button", name="Send location")).to_be_visible()

    header = {"type": "image", "image": {"link": await bot.file("mug-blue.png")}}
    filled = {
        "name": "new_arrivals",
        "language": {"code": "en"},
        "components": [
            {"type": "header", "parameters": [header]},
            {"type": "body", "parameters": [{"type": "text", "text": "Anna"}]},
        ],
    }
    await bot.whatsapp("template", filled)
    await seen(last.locator("img"))
    await expect(last).to_contain_text("Hello Anna")
    await expect(last.get_by_role("button", name="Show me")).to_be_visible()

    products = [{"product_retailer_id": "mug-blue"}, {"product_retailer_id": "mug-green"}]
    shelf = {
        "type": "product_list",
        "header": {"type": "text", "text": "Mugs"},
        "body": {"text": "Our mugs"},
        "action": {
            "catalog_id": bot.phones.whatsapp["catalog"],
            "sections": [{"title": "Mugs", "product_items": products}],
        },
    }
    await bot.whatsapp("interactive", shelf)
    await expect(last.locator(".goods")).to_contain_text("2 items")
    await expect(last.get_by_text("Mugs", exact=True)).to_have_count(1)
    await last.get_by_role("button", name="View items").click()
    catalogue = phone.get_by_role("dialog", name="Catalogue")
    await expect(catalogue.locator(".shelf")).to_have_count(2)
    await expect(catalogue.locator(".shelf").first).to_contain_text("Mug, blue")
    await bot.page.keyboard.press("Escape")

    mine = bot.log("whatsapp").locator(".row.own").first
    id_ = await mine.get_attribute("data-id")
    await bot.whatsapp("reaction", {"message_id": id_, "emoji": "👍"})
    await expect(mine.locator(".reaction")).to_have_text("👍")
    await bot.whatsapp("text", {"body": "To that"}, context={"message_id": id_})
    await expect(last.locator(".quote")).to_contain_text("Hello!")


async def test_messenger_draws_every_kind(bot):
    await bot.meet("messenger")
    last, phone = bot.last("messenger"), bot.phone("messenger")

    await bot.messenger(message={"text": "Plain *words*"})
    await expect(last.locator(".text")).to_have_text("Plain *words*")

    async def send(type_: str, url: str) -> None:
        kind = "file" if type_ == "document" else type_
        await bot.messenger(message={"attachment": {"type": kind, "payload": {"url": url}}})

    await the_files(bot, "messenger", send)

    def template(**payload: Any) -> dict[str, Any]:
        return {"attachment": {"type": "template", "payload": payload}}

    mugs = [
        {
            "title": f"Mug, {colour}",
            "subtitle": "Stoneware, 0.3 l",
            "image_url": await bot.file(f"mug-{colour}.png"),
            "buttons": [{"type": "postback", "title": f"Take {colour}", "payload": colour}],
        }
        for colour in ("blue", "green")
    ]
    await bot.messenger(message=template(template_type="generic", elements=mugs))
    await expect(last.locator(".rail .card")).to_have_count(2)
    await seen(last.locator(".card img").first)
    before = await last.locator(".rail").evaluate("(rail) => rail.scrollLeft")
    await last.locator(".rail").hover()
    await last.get_by_role("button", name="Later cards").click()
    await expect(last.get_by_role("button", name="Take green")).to_be_in_viewport(ratio=1)
    assert await last.locator(".rail").evaluate("(rail) => rail.scrollLeft") > before

    await bot.messenger(message=template(template_type="generic", elements=mugs[:1]))
    await expect(last.locator(".card")).to_have_count(1)
    await expect(last.get_by_role("button", name="Take blue")).to_be_visible()

    buttons = [
        {"type": "web_url", "title": "Our pages", "url": SHOP},
        {"type": "postback", "title": "Something else", "payload": "/else"},
    ]
    await bot.messenger(message=template(template_type="button", text="More?", buttons=buttons))
    await expect(last.get_by_role("link", name="Our pages")).to_have_attribute("href", SHOP)
    await expect(last.get_by_role("button", name="Something else")).to_be_visible()

    chips = [{"content_type": "text", "title": t, "payload": t} for t in ("Yes", "No")]
    await bot.messenger(message={"text": "All of it?", "quick_replies": chips})
    shown = phone.locator(".chips")
    await expect(shown.get_by_role("button")).to_have_text(["Yes", "No"])
    await shown.get_by_role("button", name="Yes").click()
    await expect(bot.log("messenger").locator(".row.own").last).to_contain_text("Yes")
    await expect(shown).to_be_hidden()

    made = await bot.messenger("personas", name="Mira", profile_picture_url=f"{SHOP}mira.png")
    await bot.messenger(message={"text": "I am a person"}, persona_id=made["id"])
    await expect(last.locator(".agent")).to_have_text("Mira")

    await bot.messenger(sender_action="typing_on")
    await expect(phone.get_by_role("img", name="typing")).to_be_visible()
    await bot.messenger(message={"text": "Here I am"})
    await expect(phone.get_by_role("img", name="typing")).to_be_hidden()


async def test_sms_draws_every_kind(bot):
    await bot.meet("sms")
    last = bot.last("sms")
    await bot.sms(Body="*Plain* words")
    await expect(last.locator(".text")).to_have_text("*Plain* words")
    await bot.sms(Body="x" * 200)
    await expect(last.locator(".foot")).to_have_text("2 segments, GSM-7")

    async def send(type_: str, url: str) -> None:
        await bot.sms(MediaUrl=url)

    await send("image", await bot.file("mug-blue.png"))
    await seen(last.locator("img"))


@pytest.mark.parametrize("channel", ["whatsapp", "messenger"])
async def test_what_comes_after_the_window_is_seen_to_fail(bot, channel):
    user = await bot.meet(channel)
    # Whatever hour it is: that of noon is always yesterday's.
    noon = utcnow().replace(hour=12, minute=0, second=0) - timedelta(days=1)
    late = utcnow() - noon > timedelta(hours=24)
    old = noon if late else utcnow() - timedelta(hours=30)
    await bot.phones.say(channel, user, "long ago", sent=old.isoformat())
    await expect(bot.log(channel).get_by_text("long ago")).to_be_visible()
    if late:
        await expect(bot.log(channel).get_by_text("Yesterday")).to_be_visible()
    if channel == "whatsapp":
        await bot.whatsapp("text", {"body": "Too late"})
    else:
        with pytest.raises(AssertionError, match="2018278"):
            await bot.messenger(message={"text": "Too late"})
    failed = bot.log(channel).locator(".row.failed")
    await expect(failed).to_contain_text("Too late")
    reason = {"whatsapp": "24 hours", "messenger": "outside of allowed window"}[channel]
    await expect(failed.locator(".failure")).to_contain_text("Not delivered: ")
    await expect(failed.locator(".failure")).to_contain_text(reason)
    await expect(bot.log(channel).get_by_text("The 24-hour window was closed")).to_be_visible()
    # The phone has not got it, and does not have it after a reload either.
    await bot.page.reload()
    await expect(bot.log(channel).get_by_text("long ago")).to_be_visible()
    await expect(bot.log(channel).get_by_text("Too late")).to_have_count(0)


async def test_what_plays_goes_on_while_its_message_changes(bot):
    await bot.meet("telegram")
    await bot.telegram("sendVoice", voice=await bot.file("greeting.ogg"))
    last = bot.last("telegram")
    await plays(last.locator("audio"))
    await last.locator("audio").evaluate("(a) => { a.muted = true }")
    await last.get_by_role("button", name="Play the voice message").click()
    await expect(last.get_by_role("button", name="Pause the voice message")).to_be_visible()
    id_ = await last.get_attribute("data-id")
    await bot.phones.post(
        "say",
        channel="telegram",
        user=bot.users["telegram"],
        content={"kind": "reaction", "of": id_, "emoji": "👍"},
    )
    await expect(last.locator(".reaction")).to_have_text("👍")
    assert await last.locator("audio").evaluate("(a) => !a.paused")


async def test_nothing_of_a_message_becomes_markup(bot):
    await bot.meet("whatsapp")
    evil = "<img src=x onerror=alert(1)>"
    row = {"id": "r", "title": "<b>row</b>", "description": "<i>d</i>"}
    choice = {
        "type": "list",
        "body": {"text": evil},
        "action": {"button": "<u>Open</u>", "sections": [{"title": "", "rows": [row]}]},
    }
    await bot.whatsapp("interactive", choice)
    last = bot.last("whatsapp")
    await expect(last.get_by_text(evil)).to_be_visible()
    await last.get_by_role("button", name="<u>Open</u>").click()
    await expect(bot.page.get_by_role("button", name="<b>row</b>")).to_contain_text("<i>d</i>")
    assert await bot.page.locator("b:text-is('row'), img[src='x']").count() == 0


async def test_a_missing_picture_is_said_to_be_missing(bot):
    await bot.meet("telegram")
    # Nothing but the page itself says so: the browser's own error is this test's doing.
    await bot.page.route("**/gone.png", lambda route: route.fulfill(body=b"no picture"))
    await bot.telegram("sendPhoto", photo=f"{SHOP}gone.png")
    await expect(bot.last("telegram")).to_contain_text("This picture cannot be loaded")


async def test_pictures_sent_together_stand_side_by_side(bot):
    user = await bot.meet("telegram")
    async with bot.phones.http.post(
        f"{bot.phones.url}/control/files",
        data=PNG,
        headers={"Content-Type": "application/octet-stream"},
    ) as answer:
        url = (await answer.json())["url"]
    content = {"kind": "media", "type": "image", "url": url}
    batch = [{"content": content}] * 3
    await bot.phones.post(
        "say", channel="telegram", user=user, batch=batch, together=False, album="a"
    )
    group = bot.log("telegram").locator(".album-group.several")
    await expect(group.locator("img")).to_have_count(3)
    tops = await group.locator(".row").evaluate_all(
        "(rows) => rows.map((row) => Math.round(row.getBoundingClientRect().top))"
    )
    assert tops[0] + 50 < tops[1] == pytest.approx(tops[2], abs=2)
