"""The widget in headless Chromium, against the connector over real HTTP and WebSockets."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shutil
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from bot.message import Choice, Choices, Contact, Location, Media, Option, Text
from connectors.webchat import WebChat, WebChatAccount
from tests.kit.host import MemoryHost, gateway

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

EVIL = [
    "<img src=x onerror=\"window.pwned='img'\">",
    "<script>window.pwned='script'</script>",
    "</div></template><svg onload=window.pwned='svg'>",
    "javascript:window.pwned='url'",
    "https://a.example/\"onmouseover=\"window.pwned='attribute'",
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(locale="en-GB", viewport={"width": 900, "height": 720})
    context.set_default_timeout(15_000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    page = await context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    assert failures == [], "the widget threw"


expect.set_options(timeout=15_000)

PAGE = "<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1>{body}"
TAG = '<script src="/widget.js"></script><support-chat account="site" {attributes}></support-chat>'
STRICT = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:"


def shop(attributes: str = "open", body: str = TAG) -> list[web.RouteDef]:
    """Serve a page that embeds the widget, under a policy which forbids inline code and style."""

    async def show(request: web.Request) -> web.Response:
        asked = request.query.get("attributes", attributes)
        return web.Response(
            text=PAGE.format(body=body.format(attributes=asked)),
            content_type="text/html",
            headers={"Content-Security-Policy": STRICT},
        )

    return [web.get("/", show)]


def chat(**account: object) -> WebChat:
    return WebChat(WebChatAccount(account="site", **account))


def echo(said: object) -> list[object]:
    content = getattr(said, "content", None)
    return [Text(f"You said {content.text}")] if isinstance(content, Text) else []


async def write(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Write a message")
    await box.fill(text)
    await box.press("Enter")


def mine(page: Page, text: str):
    return page.locator(".mine", has_text=text)


def theirs(page: Page, text: str):
    return page.locator(".theirs", has_text=text)


async def test_a_message_typed_gets_its_tick_and_its_answer(page, tmp_path):
    host = MemoryHost(echo)
    async with gateway(host, chat(title="Shop help"), routes=shop("")) as url:
        await page.goto(url)
        await page.get_by_role("button", name="Open chat").click()
        await expect(page.get_by_role("dialog", name="Shop help")).to_be_visible()
        await expect(page.get_by_role("textbox", name="Write a message")).to_be_focused()
        await page.keyboard.type("Where is my order?")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("It is 1042.")
        await page.keyboard.press("Enter")
        await expect(theirs(page, "You said Where is my order?")).to_be_visible()
        sent = mine(page, "Where is my order?")
        await expect(sent.get_by_role("img", name="Sent")).to_be_visible()
        await expect(page.locator(".typing")).to_have_count(0)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(page.get_by_role("button", name="Open chat")).to_be_focused()
    assert [i.content for i in host.inbound] == [Text("Where is my order?\nIt is 1042.")]
    assert host.receipts[-1].status == "read"


async def test_without_the_store_a_message_waits_under_a_clock_and_is_then_taken(page):
    host = MemoryHost(echo)
    host.down = True
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "first")
        await write(page, "second")
        await expect(mine(page, "first").get_by_role("img", name="Sending")).to_be_visible()
        await host_saw(host, attempts=1)
        assert host.inbound == []
        host.down = False
        await expect(theirs(page, "You said second")).to_be_visible()
        await expect(mine(page, "second").get_by_role("img", name="Sent")).to_be_visible()
    assert [i.content for i in host.inbound] == [Text("first"), Text("second")]


async def host_saw(host: MemoryHost, attempts: int) -> None:
    while host.attempts < attempts:
        await asyncio.sleep(0.02)


async def test_a_button_is_chosen_once_and_stays_chosen_after_a_reload(page):
    host = MemoryHost()
    question = Choices("Which size?", (Option("Small", "/size{s}"), Option("Large", "/size{l}")))
    host.answer = lambda said: [question] if isinstance(said.content, Text) else [Text("Noted.")]
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "a shirt")
        group = page.get_by_role("group", name="Which size?")
        await group.get_by_role("button", name="Large").click()
        await expect(theirs(page, "Noted.")).to_be_visible()
        await page.reload()
        for name, pressed in (("Large", "true"), ("Small", "false")):
            button = group.get_by_role("button", name=name)
            await expect(button).to_be_disabled()
            await expect(button).to_have_attribute("aria-pressed", pressed)
        await expect(mine(page, "Large")).to_have_count(1)
    asked, chosen = host.inbound
    assert chosen.content == Choice("/size{l}", "Large", of=f"{asked.id}:0")


def png(width: int, height: int) -> bytes:
    """Return a picture that compresses badly: every pixel differs from its neighbours."""

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)

    state, rows = 1, bytearray()
    for _ in range(height):
        rows.append(0)
        for _ in range(width * 3):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            rows.append(state >> 16 & 255)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


async def test_an_image_is_made_to_fit_sent_and_shown(page):
    host = MemoryHost(lambda said: [Text("Nice picture.")])
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        big = {"name": "big.png", "mimeType": "image/png", "buffer": png(1500, 900)}
        await page.locator("input[type=file]").set_input_files(big)
        await expect(theirs(page, "Nice picture.")).to_be_visible()
        await page.reload()
        shown = page.locator(".mine img")
        await expect(shown).to_be_visible()
        assert await shown.evaluate("i => i.decode().then(() => i.naturalWidth)") <= 1280
        none = {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
        await page.locator("input[type=file]").set_input_files(none)
        await expect(page.get_by_role("status")).to_contain_text("not an image")
    (said,) = host.inbound
    assert isinstance(said.content, Media)
    assert said.content.mime == "image/jpeg"
    assert 0 < said.content.size <= 512 * 1024
    assert base64.b64decode(said.content.url.split(",")[1])[:3] == b"\xff\xd8\xff"


async def test_a_reload_keeps_the_conversation_and_shows_what_came_meanwhile(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "hello")
        await expect(theirs(page, "You said hello")).to_be_visible()
        address = host.inbound[0].address
        await page.goto("about:blank")
        await host.send(address, Text("Are you still there?"))
        await page.goto(url)
        await expect(theirs(page, "Are you still there?")).to_be_visible()
        assert await texts(page) == ["hello", "You said hello", "Are you still there?"]
        await write(page, "yes")
        await expect(theirs(page, "You said yes")).to_be_visible()
    assert {i.address for i in host.inbound} == {address}


async def texts(page: Page) -> list[str]:
    """Return what the log shows, message by message, without what is for screen readers only."""
    found = await page.locator(".bubble").all_inner_texts()
    return [re.sub(r"^(You:|Support:)\s*", "", text) for text in found]


async def test_a_gateway_that_restarts_loses_and_doubles_nothing(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "before")
        await expect(theirs(page, "You said before")).to_be_visible()
    port = int(url.rpartition(":")[2])
    await write(page, "meanwhile 1")
    await write(page, "meanwhile 2")
    await host.send(host.inbound[0].address, Text("News from the desk"))
    await expect(page.get_by_role("status")).to_contain_text("No connection")
    await expect(mine(page, "meanwhile 1").get_by_role("img", name="Sending")).to_be_visible()
    async with gateway(host, chat(), routes=shop(), port=port):
        await expect(theirs(page, "You said meanwhile 2")).to_be_visible()
        await expect(page.get_by_role("status")).to_be_empty()
        said = [getattr(i.content, "text", "") for i in host.inbound]
        assert said == ["before", "meanwhile 1", "meanwhile 2"]
        assert await texts(page) == [
            "before",
            "You said before",
            "meanwhile 1",
            "meanwhile 2",
            "News from the desk",
            "You said meanwhile 1",
            "You said meanwhile 2",
        ]


async def test_an_ack_lost_with_the_connection_leads_to_no_second_message(page):
    host = MemoryHost()
    first = chat()
    entered, go = asyncio.Event(), asyncio.Event()
    accept = host.accept

    async def stored_but_not_told(arrived):
        await accept(arrived)
        entered.set()
        await go.wait()

    async with gateway(host, first, routes=shop()) as url:
        await page.goto(url)
        host.accept = stored_but_not_told
        await write(page, "only once")
        await entered.wait()
        closing = asyncio.create_task(first.close())
        go.set()
        await closing
    host.accept = accept
    async with gateway(host, chat(), routes=shop(), port=int(url.rpartition(":")[2])):
        await expect(mine(page, "only once").get_by_role("img", name="Sent")).to_be_visible()
    assert len(host.inbound) == 1


async def test_messages_go_one_at_a_time_each_after_the_ack_of_the_one_before(page):
    host = MemoryHost()
    accept, go = host.accept, asyncio.Event()

    async def slow(arrived):
        await go.wait()
        await accept(arrived)

    host.accept = slow
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        for text in ("one", "two", "three"):
            await write(page, text)
        go.set()
        await expect(mine(page, "three").get_by_role("img", name="Sent")).to_be_visible()
    assert [i.content for i in host.inbound] == [Text("one"), Text("two"), Text("three")]
    assert host.attempts == 3


async def test_what_was_not_sent_survives_the_page(page):
    host = MemoryHost(echo)
    host.down = True
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "kept")
        await host_saw(host, attempts=1)
        await page.goto("about:blank")
        host.down = False
        await page.goto(url)
        await expect(theirs(page, "You said kept")).to_be_visible()
    assert [i.content for i in host.inbound] == [Text("kept")]


async def test_code_in_a_message_is_shown_as_text(page):
    host = MemoryHost()
    async with gateway(host, chat(title=EVIL[0]), routes=shop()) as url:
        await page.goto(url)
        await write(page, EVIL[1])
        await expect(mine(page, "pwned").get_by_role("img", name="Sent")).to_be_visible()
        address = host.inbound[0].address
        for evil in EVIL:
            await host.send(address, Text(evil))
            await host.send(address, Choices(evil, (Option(evil, evil, evil),)))
            await host.send(address, Media("image", url=evil, caption=evil))
            await host.send(address, Media("document", url=evil, filename=evil))
            await host.send(address, Location(1, 2, evil, evil))
            await host.send(address, Contact(evil, (evil,), (evil,)))
        await host.send(address, Media("image", url="data:text/html,<script>pwned=1</script>"))
        await host.send(address, Media("image", url="data:image/svg+xml;base64,PHN2Zz4="))
        await host.send(address, Text("the end"))
        await expect(theirs(page, "the end")).to_be_visible()
        await expect(page.get_by_role("heading", name=EVIL[0])).to_be_visible()
        for evil in EVIL:
            await expect(page.locator(".theirs .bubble", has_text=evil).first).to_be_visible()
            await page.get_by_role("button", name=evil).last.click()
        await page.reload()
        await expect(theirs(page, "the end")).to_be_visible()
        assert await page.evaluate("window.pwned") is None
        inside = "document.querySelector('support-chat').shadowRoot"
        assert (
            await page.evaluate(f"{inside}.querySelectorAll('script, .log [onerror]').length") == 0
        )
        links = page.locator(".log a")
        for at in range(await links.count()):
            href = await links.nth(at).get_attribute("href")
            assert href is not None
            assert href.startswith(("https://", "http://"))
            assert await links.nth(at).get_attribute("rel") == "noopener noreferrer"


async def test_links_places_and_other_kinds_are_shown_for_what_they_are(page):
    host = MemoryHost()
    picture = f"data:image/png;base64,{base64.b64encode(png(4, 4)).decode()}"
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "hello")
        await expect(mine(page, "hello").get_by_role("img", name="Sent")).to_be_visible()
        address = host.inbound[0].address
        await host.send(address, Text("See https://shop.example.com/a_(b)?c=1, or ask."))
        await host.send(address, Location(48.2, 16.37, "The shop", "Main Street 1"))
        await host.send(address, Media("image", url=picture, caption="A tiny picture"))
        await host.send(address, Media("document", url="https://a.example/f", filename="bill.pdf"))
        await host.send(address, Media("voice", ref="7"))
        await host.send(address, Contact("Ada", ("+43 1 234",), ("ada@example.com",)))
        see = page.get_by_role("link", name="https://shop.example.com")
        await expect(see).to_have_attribute("href", "https://shop.example.com/a_(b)?c=1")
        await expect(page.get_by_role("link", name="The shop, Main Street 1")).to_have_attribute(
            "href", "https://www.openstreetmap.org/?mlat=48.2&mlon=16.37"
        )
        tiny = page.get_by_role("img", name="A tiny picture")
        assert await tiny.evaluate("i => i.decode().then(() => i.naturalWidth)") == 4
        await expect(page.get_by_role("link", name="bill.pdf")).to_be_visible()
        await expect(theirs(page, "[File]")).to_be_visible()
        await expect(theirs(page, "ada@example.com")).to_contain_text("+43 1 234")


async def test_messages_that_come_while_the_chat_is_closed_are_counted_then_read(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop("")) as url:
        await page.goto(url)
        await page.get_by_role("button", name="Open chat").click()
        await write(page, "hello")
        await expect(theirs(page, "You said hello")).to_be_visible()
        await page.get_by_role("dialog").get_by_role("button", name="Close chat").click()
        address = host.inbound[0].address
        sent = [await host.send(address, Text(f"news {n}")) for n in range(2)]
        launcher = page.get_by_role("button", name="Open chat (2 unread)")
        await expect(launcher).to_be_visible()
        await host.until(lambda: len(host.receipts) >= 3)
        assert [(r.ref, r.status) for r in host.receipts[1:]] == [(s.id, "delivered") for s in sent]
        await page.reload()
        await launcher.click()
        await expect(theirs(page, "news 1")).to_be_visible()
        await host.until(lambda: sum(r.status == "read" for r in host.receipts) == 3)
        await expect(page.get_by_role("button", name="unread")).to_have_count(0)


async def test_two_tabs_are_one_conversation(context, page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "from the first")
        await expect(theirs(page, "You said from the first")).to_be_visible()
        other = await context.new_page()
        await other.goto(url)
        await expect(mine(other, "from the first")).to_be_visible()
        await write(other, "from the second")
        for tab in (page, other):
            await expect(theirs(tab, "You said from the second")).to_have_count(1)
            await expect(mine(tab, "from the second")).to_have_count(1)
    assert [getattr(i.content, "text", "") for i in host.inbound] == [
        "from the first",
        "from the second",
    ]
    assert len({i.address for i in host.inbound}) == 1


async def test_a_store_that_was_set_back_is_noticed(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop()) as url:
        await page.clock.install()
        await page.goto(url)
        for n in range(3):
            await write(page, f"before {n}")
            await expect(theirs(page, f"You said before {n}")).to_be_visible()
    host._sent.clear()
    async with gateway(host, chat(), routes=shop(), port=int(url.rpartition(":")[2])):
        await page.clock.run_for(2_000)
        await write(page, "after")
        await expect(mine(page, "after").get_by_role("img", name="Sent")).to_be_visible()
        await page.clock.run_for(16_000)
        await expect(theirs(page, "You said after")).to_be_visible()
        assert (await texts(page)).count("before 1") == 1


@pytest.mark.parametrize(
    ("language", "placeholder"),
    [
        ("de", "Nachricht schreiben"),
        ("fr-CA", "Écrire un message"),
        ("es", "Escriba un mensaje"),
        ("pt-BR", "Escreva uma mensagem"),
        ("xx", "Write a message"),
    ],
)
async def test_the_widget_speaks_the_customers_language(page, language, placeholder):
    async with gateway(MemoryHost(), chat(), routes=shop(f"open lang={language}")) as url:
        await page.goto(url)
        await expect(page.get_by_role("textbox", name=placeholder)).to_be_visible()


async def test_every_language_has_every_word(page):
    async with gateway(MemoryHost(), chat(), routes=shop()) as url:
        await page.goto(url)
        source = await (await page.request.get(f"{url}/widget.js")).text()
    table = source[source.index("const STRINGS = ") : source.index("const STYLE")]
    words = await page.evaluate(f"() => {{ {table}; return STRINGS; }}")
    keys = {language: {*entries} for language, entries in words.items()}
    assert {"en", "de", "fr", "es", "pt"} <= set(keys)
    assert all(found == keys["en"] for found in keys.values())


async def test_one_script_tag_is_enough(page):
    host = MemoryHost(echo)
    tag = '<script src="/widget.js" data-account="site" data-title="Ask us" data-open></script>'
    async with gateway(host, chat(), routes=shop(body=tag)) as url:
        await page.goto(url)
        await expect(page.get_by_role("dialog", name="Ask us")).to_be_visible()
        await write(page, "hello")
        await expect(theirs(page, "You said hello")).to_be_visible()


async def test_inline_it_fills_its_container(page):
    body = (
        '<link rel="stylesheet" href="/phone.css"><script src="/widget.js"></script>'
        '<div id="phone"><support-chat account="site" inline></support-chat></div>'
    )
    host = MemoryHost(echo)

    async def phone(request: web.Request) -> web.Response:
        css = "#phone { width: 320px; height: 500px; }"
        return web.Response(text=css, content_type="text/css")

    async def show(request: web.Request) -> web.Response:
        return web.Response(text=PAGE.format(body=body), content_type="text/html")

    routes = [web.get("/phone.css", phone), web.get("/", show)]
    async with gateway(host, chat(), routes=routes) as url:
        await page.goto(url)
        region = page.get_by_role("region", name="Support")
        await expect(region).to_be_visible()
        box = await region.bounding_box()
        assert (box["width"], box["height"]) == (320, 500)
        await expect(page.get_by_role("button", name="Close chat")).to_have_count(0)
        for n in range(12):
            await write(page, f"message {n}.")
            await expect(theirs(page, f"You said message {n}.")).to_be_in_viewport()
        assert await region.bounding_box() == box
        await page.locator(".log").evaluate("log => log.scrollTo(0, 0)")
        await expect(mine(page, "message 0.")).to_be_in_viewport()
        await host.send(host.inbound[0].address, Text("The last word"))
        await expect(theirs(page, "The last word")).to_be_attached()
        await expect(mine(page, "message 0.")).to_be_in_viewport()


async def test_on_a_phone_the_open_chat_fills_the_screen(context, page):
    await page.set_viewport_size({"width": 375, "height": 667})
    async with gateway(MemoryHost(), chat(), routes=shop()) as url:
        await page.goto(url)
        box = await page.get_by_role("dialog").bounding_box()
        assert box == {"x": 0, "y": 0, "width": 375, "height": 667}
        await page.get_by_role("button", name="Close chat").first.click()
        await expect(page.get_by_role("button", name="Open chat")).to_be_visible()


async def test_without_storage_the_chat_still_works_until_the_page_is_left(page):
    host = MemoryHost(echo)
    await page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        "  Object.defineProperty(window, name, { get() { throw new DOMException('no'); } });"
    )
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "hello")
        await expect(theirs(page, "You said hello")).to_be_visible()


async def test_with_storage_full_of_images_words_are_still_kept(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "hello")
        await expect(theirs(page, "You said hello")).to_be_visible()
        key = await page.evaluate("Object.keys(localStorage).find(k => k.startsWith('support'))")
        await page.evaluate(
            """() => { let size = 4e6; let n = 0;
                while (size > 200) { try { localStorage["x" + n++] = "x".repeat(size); }
                                     catch { size = Math.floor(size / 2); } } }"""
        )
        small = {"name": "a.png", "mimeType": "image/png", "buffer": png(300, 300)}
        await page.locator("input[type=file]").set_input_files(small)
        await expect(page.locator(".mine img")).to_be_visible()
        await host.until(lambda: len(host.inbound) == 2)
        kept = json.loads(await page.evaluate("key => localStorage[key]", key))
        assert [e["content"].get("text") for e in kept["entries"]][:2] == [
            "hello",
            "You said hello",
        ]


async def test_a_broken_store_of_the_browser_is_begun_anew(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await page.evaluate(f"localStorage['support-chat {url} site'] = '{{broken'")
        await page.reload()
        await write(page, "hello")
        await expect(theirs(page, "You said hello")).to_be_visible()


async def test_a_page_of_another_site_gets_no_chat(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(origins=("https://shop.example.com",)), routes=shop()) as url:
        await page.goto(url)
        await write(page, "hello")
        await expect(page.get_by_role("status")).to_contain_text("No connection")
    assert host.attempts == 0
