"""What the bot knows of customers, and sees and hears of them, on one running instance.

In Chromium as people have it: the sandbox's page with its phones, and the console.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from actions.remembered import masked
from bot.message import utcnow
from bot.sandbox.letters import drawn
from bot.sandbox.voices import spoken
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import BOT, Conversation
from tests.e2e.test_e2e_phones import TITLES, phone, say
from tests.kit.agents import ANNA, SlackAgent, eventually, files_of, login
from tests.kit.browser import chromium, needs_chromium
from tests.kit.customers import Control, Customer, Phone, new_user
from tests.kit.instance import Instance, running

Meet = Callable[[str], Customer]
CHANNELS = dict(zip(TITLES, ("telegram", "whatsapp", "messenger", "sms", "webchat"), strict=True))
LABEL, VOICE = "Larkfield Goods\nOrder 1042", "Where is my order 1043?"
WISH = "I want to talk to a human"
NAME, STREET = "Zenobia Quill", "22 Quince Street, Larkfield LK1 4AB"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance with models that see and hear, for this module alone."""
    with running(tmp_path_factory.mktemp("seeing"), senses=True) as made:
        yield made


@pytest.fixture
def anna(http: aiohttp.ClientSession, instance: Instance) -> SlackAgent:
    return SlackAgent(http, instance.sandbox_url, ANNA)


@asynccontextmanager
async def browser(**held: str) -> AsyncIterator[BrowserContext]:
    """Chromium, on whose phones are the users `held` by channel; nothing may go wrong in it."""
    errors: list[str] = []
    async with chromium() as made:
        context = await made.new_context(viewport={"width": 1920, "height": 1000}, locale="en-GB")
        context.set_default_timeout(30_000)
        for channel, user in held.items():
            kept = json.dumps(json.dumps([{"user": user, "name": "Amara Osei"}]))
            # Frames of files have no storage.
            holds = f"localStorage.setItem('sandbox.customers.{channel}', {kept})"
            await context.add_init_script(f"try {{ {holds} }} catch {{}}")
        context.on("weberror", lambda error: errors.append(str(error.error)))
        yield context
    assert errors == []


async def visitor(instance: Instance) -> str:
    """Return the conversation of the one visitor of the web chat."""

    def there() -> str:
        store = instance.store()
        found = store.find(Conversation, {}, limit=100)
        store.close()
        return next((str(one.id) for one in found if one.id.startswith("webchat:")), "")

    return str(await eventually(there))


async def chosen(page: Page, title: str, deed: str, words: str) -> None:
    """Let a phone's customer do something of the menu with what is typed."""
    await page.get_by_label(f"Message to the bot on {title}").fill(words)
    await page.get_by_label(f"More on {title}").click()
    await page.get_by_role("dialog").get_by_role("button", name=deed, exact=True).click()


async def test_a_photo_is_seen_and_a_voice_note_heard_on_every_phone_of_the_page(
    instance: Instance, anna: SlackAgent, tmp_path: Path
) -> None:
    users = {channel: new_user(channel) for channel in list(CHANNELS.values())[:-1]}
    async with browser(**users) as context:
        page = await context.new_page()
        await page.goto(instance.sandbox_url)
        await expect(page.locator("#gateway")).to_have_text("gateway up")
        for title in TITLES[:-1]:
            await chosen(page, title, "Label", LABEL)
            await expect(page.get_by_alt_text("To be sent: label.png")).to_be_visible()
            await page.get_by_role("button", name=f"Send on {title}", exact=True).click()
        picture = {"name": "label.png", "mimeType": "image/png", "buffer": drawn(LABEL)}
        upload = page.locator("support-chat").locator("input[type=file]")
        await upload.set_input_files(picture)
        for title in TITLES:
            await seen(phone(page, title), "I think I can read order number 1042 in your picture.")
        for title in TITLES[:-1]:
            await chosen(page, title, "Voice note", VOICE)
        note = {"name": "note.ogg", "mimeType": "audio/ogg", "buffer": spoken(VOICE)}
        await upload.set_input_files(note)
        for title in TITLES:
            await seen(phone(page, title), "Order 1043 (")
            await say(page, title, WISH)
        await page.wait_for_timeout(300)
        assert len(await page.screenshot(path=tmp_path / "senses.png")) > 50_000
        keys = [f"{channel}:demo:{user}" for channel, user in users.items()]
        for key in (*keys, await visitor(instance)):
            thread = await anna.card(key)
            await anna.sees(thread, "a model (honest) heard “Where is my order 1043?”")
            assert await files_of(anna, thread, instance, key) == ["audio", "image"]


async def seen(where: Locator, text: str) -> None:
    await expect(where.get_by_text(text).last).to_be_visible()


async def test_known_on_sms_who_wrote_on_whatsapp_and_forgotten_everywhere(
    instance: Instance, control: Control, anna: SlackAgent, png: bytes
) -> None:
    number = new_user("sms")
    sms, whatsapp = Named(control, "sms", number), Named(control, "whatsapp", number[1:])
    await whatsapp.ask("you can call me Zenobia")
    await whatsapp.give(png, "image", "image/png")
    await whatsapp.hears(2)
    await whatsapp.ask("please change the delivery address of order 1047")
    await whatsapp.ask(STREET, answers=2)
    await whatsapp.ask(await code(control), answers=2)
    thread = await anna.card(whatsapp)
    await anna.sees(thread, "Wants to be called: Zenobia")
    await anna.sees(thread, "please change the delivery address")
    a_week_later(instance, whatsapp)

    (hello,) = await sms.ask("hello")
    assert hello.text.startswith("Hello again, Zenobia! Last time it was about order 1047.")
    await sms.ask("no")
    (offer,) = await sms.ask("please change the delivery address of order 1047")
    assert offer.text.startswith(f"Order 1047: same address as last time, {masked(STREET)}?")
    await sms.ask("yes", answers=2)
    await anna_corrects_it(instance, whatsapp)

    known = instance.command("customer", "show", sms.conversation).stdout
    assert re.search(r"favourite_colour: moss green  \(agent", known), known
    assert "shoe_size" not in known
    said = instance.command("customer", "forget", "--yes", whatsapp.conversation)
    assert "forgotten everywhere" in said.stdout, said
    assert left_of(instance, number[1:], "Zenobia", "Quince Street", "moss green") == []
    assert left_of(instance, png.decode("latin-1")) == []
    assert "Zenobia" not in json.dumps(await anna.messages())
    (hello,) = await sms.ask("hello")
    assert hello.text.startswith("Hello! I'm the assistant")


class Named(Phone):
    """A customer whose name nobody else has."""

    async def _say(self, **what: Any) -> str:
        return await super()._say(**{"name": NAME, **what})


async def code(control: Control) -> str:
    """Return the code of the newest mail."""

    async def mailed() -> str:
        mails = (await control.state())["mails"]
        found = re.search(r"\b\d{6}\b", mails[-1]["text"]) if mails else None
        return found[0] if found else ""

    return str(await eventually(mailed))


def a_week_later(instance: Instance, customer: Customer) -> None:
    """Let a customer's case be closed, and a week go by."""
    ago = utcnow() - timedelta(days=7)
    store = instance.store()
    key = {"conversation": customer.conversation}
    for case in store.find(Case, {**key, "status": OPEN}):
        store.change(Case, {"id": case.id}, set={"status": RESOLVED, "resolved": ago})
    held = {"holder": BOT, "last_in": ago}
    store.change(Conversation, {"id": customer.conversation}, set=held, inc={"epoch": 1})
    store.close()


async def anna_corrects_it(instance: Instance, customer: Customer) -> None:
    """On the console's page: what is remembered is seen, added to and taken away from."""
    async with browser() as context:
        page = await context.new_page()
        await page.goto(f"{instance.gateway_url}/console#{customer.conversation}")
        account, password = login(instance, "anna")
        await page.get_by_label("Account").fill(account)
        await page.get_by_label("Password").fill(password)
        await page.get_by_role("button", name="Log in").click()
        facts = page.get_by_role("complementary", name="Customer and case")
        await expect(facts).to_contain_text(STREET)
        for about, value in (("Favourite colour", "moss green"), ("Shoe size", "41")):
            await facts.get_by_role("button", name="Remember something").click()
            asked = page.get_by_role("dialog", name="Remember something")
            await asked.get_by_label("What it is about").fill(about)
            await asked.get_by_label("What is to be remembered").fill(value)
            await asked.get_by_role("button", name="Remember", exact=True).click()
            await expect(facts).to_contain_text(value)
        await facts.get_by_role("button", name="Forget Shoe size").click()
        sure = page.get_by_role("dialog", name="Forget Shoe size?")
        await sure.get_by_role("button", name="Forget", exact=True).click()
        await expect(facts.get_by_text("Shoe size")).to_have_count(0)


def left_of(instance: Instance, *words: str) -> list[str]:
    """Return the files of the store and the media folder in which any of some words still is."""
    found = []
    for folder in (instance.store_directory, instance.var):
        for path in folder.rglob("*"):
            if path.is_file():
                held = path.read_bytes()
                found += [f"{path}: {w}" for w in words if w.encode("latin-1") in held]
    return found
