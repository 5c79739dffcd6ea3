"""The page that `make run` opens, in headless Chromium, on a running instance."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.kit.browser import chromium, needs_chromium
from tests.kit.instance import Instance

TITLES = ("Telegram", "WhatsApp", "Messenger", "SMS", "web chat")

pytestmark = needs_chromium


@pytest.fixture
async def page(instance: Instance) -> AsyncIterator[Page]:
    """The page, of which nothing may go wrong unseen."""
    errors: list[str] = []
    async with chromium() as browser:
        context = await browser.new_context(
            viewport={"width": 1280, "height": 860}, locale="en-GB", device_scale_factor=1
        )
        context.set_default_timeout(30_000)
        made = await context.new_page()
        made.on("pageerror", lambda error: errors.append(str(error)))
        made.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        made.on("requestfailed", lambda request: errors.append(f"{request.url} did not load"))
        await made.goto(instance.sandbox_url)
        await expect(made.locator("#gateway")).to_have_text("gateway up")
        yield made
    assert errors == []


def phone(page: Page, title: str) -> Locator:
    """Where a phone's messages are."""
    if title == "web chat":
        return page.locator("support-chat")
    return page.get_by_role("log", name=f"{title} conversation")


async def say(page: Page, title: str, text: str) -> None:
    if title == "web chat":
        field = page.locator("support-chat").locator("textarea")
        await field.fill(text)
        await field.press("Enter")
    else:
        await page.get_by_label(f"Message to the bot on {title}").fill(text)
        await page.get_by_role("button", name=f"Send on {title}", exact=True).click()


def button(page: Page, title: str, name: str) -> Locator:
    """The newest button of that name; Messenger's quick replies stand below the messages."""
    below = title == "Messenger"
    place = page.get_by_role("region", name=f"{title} phone") if below else phone(page, title)
    return place.get_by_role("button", name=name, exact=True).last


async def loaded(picture: Locator) -> None:
    """Wait until a picture is really there; one that cannot be loaded has no width."""
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async (i) => { await i.decode(); return i.naturalWidth }") > 0


async def converse(page: Page, title: str) -> None:
    """A greeting, a button with a picture for an answer, a question, an order by its number."""
    here = phone(page, title)
    await say(page, title, "Hello!")
    await expect(here.get_by_text("Hello! I'm the assistant of Larkfield Goods")).to_be_visible()
    if title == "SMS":
        await say(page, title, "2")
    else:
        await button(page, title, "Opening hours").click()
    await expect(here.get_by_text("Monday to Friday 9 to 18")).to_be_visible()
    await loaded(here.locator("img").last)
    await say(page, title, "Where is my order?")
    await expect(here.get_by_text("What is your order number?")).to_be_visible()
    await say(page, title, "1042")
    await expect(here.get_by_text(re.compile(r"Order 1042 \(3 items\)"))).to_be_visible()
    await expect(here.get_by_text("Does that answer your question?")).to_be_visible()


async def test_a_conversation_on_each_phone(page: Page) -> None:
    for title in TITLES:
        await converse(page, title)
        here = phone(page, title)
        if title == "SMS":
            await say(page, title, "one")
        else:
            await button(page, title, "Yes").click()
        await expect(here.get_by_text("Glad to hear it")).to_be_visible()


async def test_every_kind_of_message_on_five_phones(page: Page, tmp_path: Path) -> None:
    """docs/phones.png is the first of these pictures, docs/phones-before.png the second."""
    await page.set_viewport_size({"width": 1920, "height": 1000})
    for title in TITLES:
        await say(page, title, "take me on a tour")
    for title in TITLES:
        here = phone(page, title)
        await expect(here.get_by_text("Was that all of it?")).to_be_visible(timeout=60_000)
        await expect(here.get_by_text("Welcome to the tour!")).to_be_attached()
        for picture in await here.locator("img").all():
            await loaded(picture)
    await page.wait_for_timeout(500)
    assert len(await page.screenshot(path=tmp_path / "phones.png")) > 50_000
    for title in TITLES[:-1]:
        await phone(page, title).get_by_text("Welcome to the tour!").scroll_into_view_if_needed()
    await (
        page.locator("support-chat")
        .get_by_text("Welcome to the tour!")
        .scroll_into_view_if_needed()
    )
    await page.wait_for_timeout(500)
    assert len(await page.screenshot(path=tmp_path / "phones-before.png")) > 50_000
