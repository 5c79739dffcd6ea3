"""The page in Chromium, with the real connectors and an echo for a bot."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import fields
from itertools import chain
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from bot import mail
from bot.message import Choice, Choices, Inbound, Media, Option, Outbound, Text
from bot.sandbox import credentials
from bot.sandbox.server import Sandbox
from bot.settings import Mail as MailSettings
from connectors import connector_class
from connectors.base import Request
from connectors.render import render
from tests.kit.host import MemoryHost
from tests.kit.waiting import until
from tests.sandbox.conftest import opened

# Each of them opens the whole page; tests/e2e/test_e2e_phones.py does so with a real bot.
pytestmark = pytest.mark.slow

STATIC = Path(__file__).parents[2] / "bot" / "static"
TITLES = {
    "telegram": "Telegram",
    "whatsapp": "WhatsApp",
    "messenger": "Messenger",
    "sms": "SMS",
}


class Echo:
    """A gateway and a bot in one: real connectors, and an answer to every message."""

    def __init__(self) -> None:
        self.host = MemoryHost(self.answer)
        self.url = ""
        self.connectors = {}
        self.down = False

    def answer(self, inbound: Inbound):
        said = inbound.content
        if isinstance(said, Choice):
            return [Text(f"You chose {said.payload}")]
        if isinstance(said, Media):
            return [Text(f"A fine picture: {said.caption}")]
        if "picture" in said.text:
            return [Media("image", url=f"{self.url}/opening-hours.png", caption="Opening hours")]
        if "choose" in said.text:
            options = (Option("My order", "order"), Option("Opening hours", "hours"))
            return [Choices("What is it about?", options)]
        if "list" in said.text:
            options = tuple(Option(f"Topic {n}", f"t{n}", "About it") for n in range(6))
            return [Choices("Pick one:", options)]
        return [Text(f"You said: {said.text} (see https://shop.example.com/help)")]

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(status=503 if self.down else 200)

    async def webhook(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        connector = self.connectors[request.match_info["channel"]]
        asked = Request(
            request.method,
            request.path,
            dict(request.query),
            {k.lower(): v for k, v in request.headers.items()},
            await request.read(),
        )
        if request.method == "GET":
            answer = await connector.handshake(asked)
            return web.Response(status=answer.status, text=answer.body)
        arrived = await connector.receive(asked)
        await self.host.accept(arrived)
        for inbound in arrived:
            if isinstance(inbound, Inbound):
                await connector.typing(inbound.address)
                answers = [render(a, connector.capabilities) for a in self.answer(inbound)]
                for n, content in enumerate(chain(*answers)):
                    await connector.send(Outbound(f"{inbound.id}:{n}", inbound.address, content))
        return web.Response()


@pytest.fixture
async def echo(tmp_path: Path) -> AsyncIterator[Echo]:
    made = Echo()
    chat = connector_class("webchat")
    webchat = chat(chat.Account(account="demo"))
    app = web.Application()
    app.router.add_route("*", "/webhooks/{channel}/{account}", made.webhook)
    app.router.add_get("/healthz", made.health)
    app.add_routes(webchat.routes(made.host))
    app.router.add_static("/", STATIC)

    async def close(app: web.Application) -> None:
        for connector in (webchat, *made.connectors.values()):
            await connector.close()

    app.on_shutdown.append(close)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def sandbox(echo: Echo, tmp_path: Path) -> AsyncIterator[Sandbox]:
    path = credentials.ensure(tmp_path, echo.url, "http://127.0.0.1:8090")
    made = Sandbox(path, echo.url, port=0)
    url = await made.start()
    for channel in TITLES:
        found = connector_class(channel)
        account = credentials.load(path)[channel][0]
        account["api_url"] = f"{url}/{channel}"
        names = {f.metadata.get("key", f.name): f.name for f in fields(found.Account)}
        given = {names[key]: value for key, value in account.items()}
        echo.connectors[channel] = found(found.Account(**given))
    yield made
    await made.close()


@pytest.fixture
async def page(browser: Browser, sandbox: Sandbox) -> AsyncIterator[Page]:
    async with opened(browser, sandbox.url) as made:
        yield made


async def say(page: Page, title: str, text: str) -> None:
    await page.get_by_label(f"Message to the bot on {title}").fill(text)
    await page.get_by_role("button", name=f"Send on {title}", exact=True).click()


def log(page: Page, title: str):
    return page.get_by_role("log", name=f"{title} conversation")


@pytest.mark.parametrize("title", ["Telegram", "WhatsApp", "Messenger"])
async def test_a_typed_message_is_answered_and_buttons_can_be_pressed(page, title):
    phone = log(page, title)
    await say(page, title, "hello <b>there</b>")
    await expect(phone.get_by_text("You said: hello <b>there</b>")).to_be_visible()
    link = phone.get_by_role("link", name="https://shop.example.com/help")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(phone.locator(".own .ticks").first).to_have_class(re.compile("delivered|read"))
    await say(page, title, "let me choose")
    # Quick replies stand above Messenger's composer.
    here = page.get_by_label(f"{title} phone")
    await here.get_by_role("button", name="Opening hours", exact=True).click()
    await expect(phone.get_by_text("You chose hours")).to_be_visible()
    await say(page, title, "a picture")
    picture = phone.locator(".theirs img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async (i) => { await i.decode(); return i.naturalWidth }") > 0


async def test_words_and_pictures_go_by_sms(page):
    phone = log(page, "SMS")
    await say(page, "SMS", "hello <b>there</b>")
    await expect(phone.get_by_text("You said: hello <b>there</b>")).to_be_visible()
    await expect(phone.locator(".own .ticks")).to_have_text("Delivered")
    await say(page, "SMS", "a picture")
    await expect(phone.locator(".theirs img")).to_be_visible()


async def test_the_web_chat_is_the_real_widget(page, echo):
    chat = page.locator("support-chat")
    await chat.locator("textarea").fill("hello widget")
    await chat.locator("textarea").press("Enter")
    await expect(chat.get_by_text("You said: hello widget")).to_be_visible()
    user = echo.host.inbound[-1].address.user
    await page.get_by_role("button", name="New customer on web chat").click()
    await expect(chat.get_by_text("You said: hello widget")).to_have_count(0)
    await chat.locator("textarea").fill("and again")
    await chat.locator("textarea").press("Enter")
    await expect(chat.get_by_text("You said: and again")).to_be_visible()
    assert echo.host.inbound[-1].address.user != user


async def test_a_list_opens_as_a_sheet_and_a_row_is_chosen(page):
    await say(page, "WhatsApp", "the list")
    await log(page, "WhatsApp").locator(".theirs .choice").click()
    sheet = page.get_by_label("WhatsApp phone").get_by_role("dialog")
    await expect(sheet.get_by_role("button", name="Topic 3")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await log(page, "WhatsApp").locator(".theirs .choice").click()
    await sheet.get_by_role("button", name="Topic 3").click()
    await expect(log(page, "WhatsApp").get_by_text("You chose t3")).to_be_visible()


@pytest.mark.parametrize("title", TITLES.values())
async def test_a_picture_can_be_attached(page, title, png):
    file = {"name": "p.png", "mimeType": "image/png", "buffer": png}
    await page.get_by_label(f"File for {title}").set_input_files(file)
    await expect(page.get_by_alt_text("To be sent: p.png")).to_be_visible()
    await say(page, title, "my parcel")
    await expect(log(page, title).get_by_text("A fine picture: my parcel")).to_be_visible()
    await expect(log(page, title).locator(".own img")).to_be_visible()


async def test_a_reload_keeps_the_conversation_and_a_new_customer_begins_one(page):
    await say(page, "Telegram", "first")
    await expect(log(page, "Telegram").get_by_text("You said: first")).to_be_visible()
    await page.reload()
    await expect(log(page, "Telegram").get_by_text("You said: first")).to_be_visible()
    await page.get_by_role("button", name="New customer on Telegram").click()
    await expect(log(page, "Telegram").get_by_text("You said: first")).to_have_count(0)
    await page.get_by_role("button", name="START", exact=True).click()
    await expect(log(page, "Telegram").locator(".own")).to_have_text(re.compile("/start"))


@pytest.mark.parametrize("title", ["Telegram", "WhatsApp", "Messenger"])
async def test_messages_wait_with_one_tick_while_the_gateway_is_down(page, echo, title):
    echo.down = True
    await expect(page.locator("#gateway")).to_have_text("gateway down")
    await say(page, title, "anybody there?")
    await expect(log(page, title).get_by_label("sent")).to_be_visible()
    echo.down = False
    await expect(page.locator("#gateway")).to_have_text("gateway up")
    await expect(log(page, title).get_by_text("You said: anybody there?")).to_be_visible()
    await expect(log(page, title).get_by_label("sent")).to_have_count(0)


async def test_typing_shows_until_the_answer(page, echo):
    await say(page, "Telegram", "hello")
    await expect(log(page, "Telegram").get_by_text("You said: hello")).to_be_visible()
    await echo.connectors["telegram"].typing(echo.host.inbound[-1].address)
    subtitle = page.get_by_label("Telegram phone").locator(".subtitle")
    await expect(subtitle).to_have_text("typing")
    await say(page, "Telegram", "more")
    await expect(log(page, "Telegram").get_by_text("You said: more")).to_be_visible()
    await expect(subtitle).not_to_have_text("typing")


async def test_whatsapp_shows_that_the_business_has_read_and_is_typing(page, echo, sandbox):
    await say(page, "WhatsApp", "hello")
    await expect(log(page, "WhatsApp").get_by_label("delivered")).to_be_visible()
    account = echo.connectors["whatsapp"].account
    body = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": echo.host.inbound[-1].provider_id,
        "typing_indicator": {"type": "text"},
    }
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{account.api_url}/v24.0/{account.phone_id}/messages",
            json=body,
            headers={"Authorization": f"Bearer {account.token}"},
        ) as answer,
    ):
        assert await answer.json() == {"success": True}
    await expect(log(page, "WhatsApp").get_by_label("read")).to_be_visible()
    await expect(page.get_by_label("WhatsApp phone").locator(".subtitle")).to_have_text("typing")


async def test_fault_switches_switch(page, sandbox):
    switch = page.get_by_role("button", name="429", exact=True)
    await switch.click()
    await expect(switch).to_have_attribute("aria-pressed", "true")
    all_four = {(channel, "429") for channel in TITLES}
    # One request a channel: the switch shows the first before the others are there.
    await until(lambda: {(f["channel"], f["kind"]) for f in sandbox.state()["faults"]} == all_four)
    await switch.click()
    await expect(switch).to_have_attribute("aria-pressed", "false")
    assert sandbox.state()["faults"] == []


async def test_looking_at_the_phone_makes_messages_read(page, echo):
    await say(page, "WhatsApp", "hello")
    await echo.host.until(lambda: "read" in [r.status for r in echo.host.receipts])
    assert [r.status for r in echo.host.receipts] == ["sent", "delivered", "read"]
    assert len({r.ref for r in echo.host.receipts}) == 1


async def test_every_control_has_a_name_and_the_page_fits_a_phone(page, tmp_path):
    await page.set_viewport_size({"width": 390, "height": 780})
    await asyncio.sleep(0)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    unnamed = await page.evaluate(
        """() => [...document.querySelectorAll('button, textarea, input')]
            .filter((e) => !e.textContent.trim() && !e.getAttribute('aria-label'))
            .map((e) => e.outerHTML)"""
    )
    assert unnamed == []
    await page.get_by_role("navigation").get_by_role("button", name="WhatsApp").click()
    field = page.get_by_label("Message to the bot on WhatsApp")
    await expect(field).to_be_in_viewport(ratio=1)


async def test_the_mailbox_shows_what_is_mailed(page: Page, sandbox: Sandbox) -> None:
    server = MailSettings(sandbox.mail_url, sender="Larkfield <help@larkfield.example>")
    flip = page.get_by_role("button", name="Mailbox")
    box = page.get_by_role("region", name="Customers' mailbox")
    await flip.click()
    await expect(box).to_contain_text("No mail yet")
    await flip.click()
    words = "Your code: 482913\n<b>not bold</b>"
    await asyncio.to_thread(
        mail.send, server, "ada@post.example", "Your code", words, "k1", lambda: None
    )
    await expect(flip).to_have_class(re.compile("fresh"))
    await expect(box).to_be_hidden()
    await flip.click()
    await expect(box).to_contain_text("ada@post.example")
    await expect(box).to_contain_text("482913 <b>not bold</b>")
    # Also for who comes later.
    await page.reload()
    await flip.click()
    await expect(box.get_by_role("listitem")).to_have_count(1)
