"""The widget in headless Chromium, against the connector over real HTTP and WebSockets."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.message import (
    Ask,
    Card,
    Cards,
    Choice,
    Choices,
    Contact,
    Content,
    Deletion,
    Edit,
    Location,
    Media,
    Menu,
    Option,
    Reaction,
    Referral,
    Section,
    Template,
    Text,
)
from connectors.webchat import REFUSALS, WebChat, WebChatAccount
from tests.kit.browser import chromium, needs_chromium
from tests.kit.host import MemoryHost, gateway
from tests.kit.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_chromium]

MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

EVIL = [
    "<img src=x onerror=\"window.pwned='img'\">",
    "<script>window.pwned='script'</script>",
    "</div></template><svg onload=window.pwned='svg'>",
    "javascript:window.pwned='url'",
    "https://a.example/\"onmouseover=\"window.pwned='attribute'",
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium(*MICROPHONE) as browser:
        yield browser


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


#: A message that was stored, and one that was answered too.
TAKEN = re.compile("^(Sent|Read)$")

PAGE = "<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1>{body}"
TAG = '<script src="/widget.js"></script><support-chat account="site" {attributes}></support-chat>'
STRICT = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:"
)


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
        await expect(sent.get_by_role("img", name=TAKEN)).to_be_visible()
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
        await expect(mine(page, "second").get_by_role("img", name=TAKEN)).to_be_visible()
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
    assert said.content.filename == "big.jpg"
    data, mime, _ = host.kept[said.content.ref]
    assert (data[:3], mime) == (b"\xff\xd8\xff", "image/jpeg")
    assert 0 < len(data) == said.content.size < len(big["buffer"])


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
        await expect(mine(page, "only once").get_by_role("img", name=TAKEN)).to_be_visible()
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
        await expect(mine(page, "three").get_by_role("img", name=TAKEN)).to_be_visible()
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
        await expect(mine(page, "pwned").get_by_role("img", name=TAKEN)).to_be_visible()
        address = host.inbound[0].address
        for evil in EVIL:
            await host.send(address, Text(evil))
            await host.send(address, Choices(evil, (Option(evil, evil, evil),)))
            await host.send(address, Media("image", url=evil, caption=evil))
            await host.send(address, Media("document", url=evil, filename=evil))
            await host.send(address, Location(1, 2, evil, evil))
            await host.send(address, Contact(evil, (evil,), (evil,)))
            await host.send(address, Text(f"[{evil}]({evil}) **{evil}**"))
            await host.send(address, Choices(evil, (Option(evil, "", evil, evil),)))
            await host.send(
                address, Menu(evil, (Section(evil, (Option(evil, evil, evil),)),), evil)
            )
            await host.send(
                address, Cards((Card(evil, evil, evil, evil, (Option(evil, "", "", evil),)),))
            )
            for type in ("audio", "voice", "video", "sticker"):
                await host.send(address, Media(type, url=evil, caption=evil, filename=evil))
            await host.send(address, Reaction(host.inbound[0].provider_id, evil))
            await host.send(address, Template(evil, "en", text=evil))
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
            assert href.startswith("https://")
            assert await links.nth(at).get_attribute("rel") == "noopener noreferrer"


async def test_links_places_and_other_kinds_are_shown_for_what_they_are(page):
    host = MemoryHost()
    picture = f"data:image/png;base64,{base64.b64encode(png(4, 4)).decode()}"
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "hello")
        await expect(mine(page, "hello").get_by_role("img", name=TAKEN)).to_be_visible()
        address = host.inbound[0].address
        await host.send(address, Text("See https://shop.example.com/a_(b)?c=1, or ask."))
        await host.send(address, Location(48.2, 16.37, "The shop", "Main Street 1"))
        await host.send(address, Media("image", url=picture, caption="A tiny picture"))
        await host.send(address, Media("document", url="https://a.example/f", filename="bill.pdf"))
        await host.send(address, Media("voice", ref="7"))
        await host.send(address, Contact("Ada", ("+43 1 234",), ("ada@example.com",)))
        see = page.get_by_role("link", name="https://shop.example.com")
        await expect(see).to_have_attribute("href", "https://shop.example.com/a_(b)?c=1")
        await expect(theirs(page, "The shop")).to_contain_text("Main Street 1")
        await expect(page.get_by_role("link", name="Open map")).to_have_attribute(
            "href", "https://www.openstreetmap.org/?mlat=48.2&mlon=16.37#map=16/48.2/16.37"
        )
        tiny = page.get_by_role("img", name="A tiny picture")
        assert await tiny.evaluate("i => i.decode().then(() => i.naturalWidth)") == 4
        await expect(page.get_by_role("link", name="bill.pdf")).to_be_visible()
        await expect(theirs(page, "Voice message")).to_be_visible()
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
        await expect(mine(page, "after").get_by_role("img", name=TAKEN)).to_be_visible()
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
    begin = source.index("const STRINGS = ")
    table = source[begin : source.index("};", begin) + 2]
    words = await page.evaluate(f"() => {{ {table}; return STRINGS; }}")
    keys = {language: {*entries} for language, entries in words.items()}
    assert set(keys) == {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "ar"}
    assert all(found == keys["en"] for found in keys.values())
    assert all(word.strip() for entries in words.values() for word in entries.values())
    assert all("{n}" in entries["unread"] for entries in words.values())
    assert set(REFUSALS) <= keys["en"]
    # What the other parts ask for is there, or it would be shown as nothing.
    assert set(re.findall(r"\bwords\.([a-z_]+)", source)) <= keys["en"]


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


async def opened(page: Page, row: object) -> None:
    """Show what can be done with a message."""
    await row.hover()
    await row.get_by_role("button", name="Options").click()


async def begun(page: Page, host: MemoryHost, url: str, text: str = "hello") -> object:
    """Open the chat, say something, and return the visitor's address."""
    await page.goto(url)
    await write(page, text)
    await expect(mine(page, text).get_by_role("img", name=TAKEN)).to_be_visible()
    return host.inbound[0].address


async def test_light_formatting_is_drawn_by_elements(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(
            address, Text("😀 **bold _both_** ~~no~~ `a<b>` [our *page*](https://a.example/x)")
        )
        await host.send(
            address, Text("See\n```\nx = **1** https://b.example\n```\n[call](tel:+431234)")
        )
        await host.send(address, Choices("Which **one**?", (Option("A", "/a"),)))
        bubble = theirs(page, "both").locator(".bubble")
        await expect(bubble).to_contain_text("😀 bold both no a<b> our page")
        await expect(bubble.locator("strong")).to_have_text("bold both")
        await expect(bubble.locator("strong em")).to_have_text("both")
        await expect(bubble.locator("s")).to_have_text("no")
        await expect(bubble.locator("code")).to_have_text("a<b>")
        link = bubble.get_by_role("link", name="our page")
        await expect(link).to_have_attribute("href", "https://a.example/x")
        await expect(link).to_have_attribute("rel", "noopener noreferrer")
        await expect(link.locator("em")).to_have_text("page")
        block = page.locator(".theirs pre")
        await expect(block).to_have_text("x = **1** https://b.example")
        await expect(block.locator("a, strong")).to_have_count(0)
        await expect(page.get_by_role("link", name="call")).to_have_attribute("href", "tel:+431234")
        await expect(page.get_by_role("group", name="Which one?", exact=True)).to_be_visible()
        await page.reload()
        await expect(bubble.locator("strong em")).to_have_text("both")


async def test_marks_that_make_no_sense_lose_no_words(page):
    async with gateway(MemoryHost(), chat(), routes=shop()) as url:
        await page.goto(url)
        parts = [await (await page.request.get(f"{url}/widget.js")).text()]
    source = parts[0]
    begin = source.index("(() => {")
    inside = source[begin + len("(() => {") : source.index('customElements.define("support-chat"')]
    inside = inside.replace('if (customElements.get("support-chat")) return;', "")
    odd = [
        [{"start": 2, "end": 1, "style": "bold", "url": ""}],
        [{"start": -5, "end": 99, "style": "bold", "url": ""}],
        [
            {"start": 0, "end": 4, "style": "bold", "url": ""},
            {"start": 2, "end": 6, "style": "italic", "url": ""},
        ],
        [{"start": 0, "end": 3, "style": "link", "url": "javascript:window.pwned=1"}],
        [{"start": 0, "end": 3, "style": "blink", "url": ""}],
        [{"start": 0, "end": 3, "style": "link", "url": "data:text/html,x"}],
    ]
    drawn = await page.evaluate(
        f"""(odd) => {{ {inside}
            return odd.map((marks) => {{
              const box = document.createElement("div");
              box.append(...marked("😀bcdefgh", marks));
              return [box.textContent, box.querySelectorAll("a").length];
            }}); }}""",
        odd,
    )
    assert drawn == [["😀bcdefgh", 0]] * len(odd)


async def test_a_list_opens_and_a_row_is_chosen_with_the_keyboard(page):
    host = MemoryHost()
    menu = Menu(
        "What about?",
        (
            Section(
                "Orders", (Option("Where is it?", "/where", "A parcel"), Option("Return", "/back"))
            ),
            Section("Account", (Option("Password", "/password"),)),
        ),
        "Topics",
    )
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(address, menu)
        opener = page.get_by_role("button", name="Topics")
        await expect(opener).to_have_attribute("aria-expanded", "false")
        await expect(page.get_by_role("button", name="Password")).to_be_hidden()
        await opener.focus()
        await page.keyboard.press("Enter")
        await expect(opener).to_have_attribute("aria-expanded", "true")
        await expect(page.get_by_role("button", name="Where is it?")).to_be_focused()
        await expect(page.get_by_role("group", name="Account")).to_contain_text("Account")
        await page.keyboard.press("Escape")
        await expect(opener).to_be_focused()
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Enter")
        await page.keyboard.press("ArrowUp")
        await expect(page.get_by_role("button", name="Password")).to_be_focused()
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("Enter")
        await expect(mine(page, "Return")).to_be_visible()
        await opener.click()
        await expect(page.get_by_role("button", name="Where is it?")).to_be_disabled()
        await host.until(lambda: len(host.inbound) == 2)
    assert host.inbound[1].content == Choice("/back", "Return", "test:" + address.user + ":0")


async def test_buttons_may_open_pages_and_only_pages(page):
    host = MemoryHost()
    options = (
        Option("Order", "/order"),
        Option("The page", "", "of the shop", "https://shop.example.com/a"),
        Option("Write", "", url="mailto:shop@example.com"),
        Option("Bad", "", url="javascript:alert(1)"),
    )
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(address, Choices("How?", options))
        group = page.get_by_role("group", name="How?")
        link = group.get_by_role("link", name="The page")
        await expect(link).to_have_attribute("href", "https://shop.example.com/a")
        await expect(link).to_have_attribute("target", "_blank")
        await expect(link).to_have_attribute("rel", "noopener noreferrer")
        await expect(group.get_by_role("link", name="Write")).to_have_attribute(
            "href", "mailto:shop@example.com"
        )
        await expect(group.get_by_text("Bad")).to_be_visible()
        await expect(group.get_by_role("link")).to_have_count(2)
        await expect(group.get_by_role("button")).to_have_count(1)


async def test_cards_stand_side_by_side_and_each_can_be_used(page):
    host = MemoryHost()
    cards = tuple(
        Card(
            f"Mug {n}",
            "Holds **tea**",
            "",
            "https://shop.example.com/m",
            (Option(f"Buy {n}", f"/b{n}"),),
        )
        for n in range(4)
    )
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(address, Cards(cards))
        strip = page.get_by_role("list", name="Cards")
        await expect(strip.get_by_role("listitem")).to_have_count(4)
        await expect(strip.get_by_role("link", name="Mug 0")).to_have_attribute(
            "href", "https://shop.example.com/m"
        )
        await expect(strip).to_contain_text("Holds **tea**")
        await expect(strip.get_by_role("listitem").last).not_to_be_in_viewport(ratio=0.5)
        await strip.focus()
        for _ in range(12):
            await page.keyboard.press("ArrowRight")
        # How far twelve keys go depends on how fast they come.
        await until(lambda: strip.evaluate("s => s.scrollLeft > 30"))

        async def is_at_the_end() -> bool:
            await page.get_by_role("button", name="Next").click()
            return await strip.evaluate("s => s.scrollLeft + s.clientWidth >= s.scrollWidth - 2")

        # It goes smoothly, and less far when it is asked before it has arrived.
        await until(is_at_the_end, pause=0.3)
        await expect(strip.get_by_role("listitem").last).to_be_in_viewport(ratio=0.9)
        await strip.get_by_role("button", name="Buy 3").click()
        await expect(strip.get_by_role("button", name="Buy 3")).to_be_disabled()
        await strip.get_by_role("button", name="Buy 1").click()
        await host.until(lambda: len(host.inbound) == 3)
        box = await page.locator(".log").evaluate("l => [l.scrollWidth, l.clientWidth]")
        assert box[0] == box[1]
    assert [i.content.payload for i in host.inbound[1:]] == ["/b3", "/b1"]


def wav(seconds: int = 1) -> bytes:
    """Return silence as a WAV file."""
    data = bytes([128]) * 8000 * seconds
    form = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVEfmt " + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


async def test_sound_plays_and_what_cannot_be_played_can_be_had(page):
    host = MemoryHost()

    async def sound(request: web.Request) -> web.Response:
        return web.Response(body=wav(), content_type="audio/wav")

    routes = [*shop(), web.get("/sound", sound)]
    async with gateway(host, chat(), routes=routes) as url:
        address = await begun(page, host, url)
        await host.send(address, Media("voice", url=f"{url}/sound"))
        await host.send(address, Media("video", url=f"{url}/none.mp4", filename="how-to.mp4"))
        player = page.locator("audio")
        await expect(player).to_have_attribute("aria-label", "Voice message")
        seconds = """a => new Promise((done) => {
            a.onloadedmetadata = () => done(a.duration);
            a.preload = "auto";
            a.load();
        })"""
        assert await player.evaluate(seconds) == 1
        link = page.get_by_role("link", name="how-to.mp4")
        await expect(link).to_have_attribute("href", f"{url}/none.mp4")
        await expect(page.locator("video")).to_be_hidden()


async def test_a_place_asks_no_other_site_by_itself(page):
    host = MemoryHost()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(address, Location(48.2, 16.37, "The shop", "Main Street 1"))
        await expect(theirs(page, "48.2; 16.37")).to_be_visible()
        assert [a for a in asked if not a.startswith(url)] == []


async def test_a_contact_is_saved_as_a_vcard_made_here(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        evil = "Ada; Lovelace,\nEND:VCARD"
        await host.send(address, Contact(evil, ("+43 1 234567",), ("ada@example.com",)))
        phone = page.get_by_role("link", name="+43 1 234567")
        await expect(phone).to_have_attribute("href", "tel:+431234567")
        await expect(page.get_by_role("link", name="ada@example.com")).to_have_attribute(
            "href", "mailto:ada@example.com"
        )
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Save contact").click()
        saved = (await (await downloading.value).path()).read_text()
    assert saved.splitlines() == [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "N:Ada\\; Lovelace\\,\\nEND:VCARD;;;;",
        "FN:Ada\\; Lovelace\\,\\nEND:VCARD",
        "TEL:+43 1 234567",
        "EMAIL:ada@example.com",
        "END:VCARD",
    ]


async def test_where_the_customer_is_goes_out_only_on_a_click(context, page):
    host = MemoryHost()
    await context.grant_permissions(["geolocation"])
    await context.set_geolocation({"latitude": 48.2082, "longitude": 16.3738})
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(address, Ask("Where are you?", "location"))
        button = page.get_by_role("group", name="Where are you?").get_by_role("button")
        await expect(button).to_have_text("My location")
        assert len(host.inbound) == 1
        await button.click()
        await host.until(lambda: len(host.inbound) == 2)
        await expect(mine(page, "48.2082; 16.3738")).to_be_visible()
        await page.get_by_role("button", name="Attach").click()
        await (
            page.get_by_role("group", name="Attach")
            .get_by_role("button", name="My location")
            .click()
        )
        await host.until(lambda: len(host.inbound) == 3)
    assert [i.content for i in host.inbound[1:]] == [Location(48.2082, 16.3738)] * 2


async def test_a_customer_who_does_not_tell_where_he_is_is_told_that(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(address, Ask("Where are you?", "location"))
        button = page.get_by_role("group", name="Where are you?").get_by_role("button")
        await button.click()
        await expect(page.get_by_role("status")).to_contain_text("could not be found")
        await expect(button).to_be_enabled()
    assert len(host.inbound) == 1


async def test_a_telephone_number_is_asked_for_in_a_field_of_its_own(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(address, Ask("Your number?", "phone"))
        field = page.get_by_role("form", name="Your number?").get_by_role("textbox")
        await field.fill("call me")
        await field.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("not a phone number")
        await field.fill("+43 1 234567")
        await field.press("Enter")
        await expect(mine(page, "+43 1 234567").get_by_role("img", name=TAKEN)).to_be_visible()
        await expect(page.get_by_role("status")).to_be_empty()
        await page.get_by_role("button", name="Attach").click()
        await page.get_by_role("button", name="My phone number").click()
        await page.keyboard.type("+43 1 765432")
        await page.keyboard.press("Enter")
        await host.until(lambda: len(host.inbound) == 3)
        await expect(page.get_by_role("textbox", name="Write a message")).to_be_focused()
    assert [i.content for i in host.inbound[1:]] == [
        Contact("", ("+43 1 234567",)),
        Contact("", ("+43 1 765432",)),
    ]


PDF = {"name": "bill.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\n1 0 obj\n<<>>\n"}


async def test_files_are_sent_in_order_with_what_is_written(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "here they are")
        sound = {"name": "a.wav", "mimeType": "audio/wav", "buffer": wav()}
        await page.locator("input[type=file]").set_input_files([PDF, sound])
        await expect(mine(page, "bill.pdf")).to_be_visible()
        await expect(page.locator(".mine audio")).to_be_visible()
        await write(page, "that is all")
        await expect(theirs(page, "You said that is all")).to_be_visible()
        await page.reload()
        await expect(mine(page, "bill.pdf")).to_be_visible()
        await expect(mine(page, "a.wav")).to_be_visible()
    first, bill, tune, last = (i.content for i in host.inbound)
    assert (first, last) == (Text("here they are"), Text("that is all"))
    assert (bill.type, bill.filename) == ("document", "bill.pdf")
    assert host.kept[bill.ref][0] == PDF["buffer"]
    assert (tune.type, tune.mime) == ("audio", "audio/wav")


async def page_keeps(page: Page, files: int) -> None:
    async def does() -> bool:
        found = await page.evaluate(
            """async () => { const [base] = await indexedDB.databases();
                if (!base) return 0;
                const open = indexedDB.open(base.name);
                const db = await new Promise((d) => { open.onsuccess = () => d(open.result); });
                const asked = db.transaction("files").objectStore("files").count();
                await new Promise((d) => { asked.onsuccess = d; });
                db.close();
                return asked.result; }"""
        )
        return found == files

    await until(does, pause=0.02)


async def test_a_file_that_was_not_sent_survives_the_page(page):
    host = MemoryHost()
    host.down = True
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await page.locator("input[type=file]").set_input_files(PDF)
        await expect(mine(page, "bill.pdf").get_by_role("img", name="Sending")).to_be_visible()
        await page_keeps(page, 1)
        await page.goto("about:blank")
        host.down = False
        await page.goto(url)
        await expect(mine(page, "bill.pdf").get_by_role("img", name=TAKEN)).to_be_visible()
        await page_keeps(page, 0)
    assert [host.kept[i.content.ref][0] for i in host.inbound] == [PDF["buffer"]]


async def test_a_gateway_that_goes_away_during_a_file_gets_it_once_it_is_back(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await write(page, "before")
        await expect(mine(page, "before").get_by_role("img", name=TAKEN)).to_be_visible()
    await page.locator("input[type=file]").set_input_files(PDF)
    await expect(mine(page, "bill.pdf")).to_be_visible()
    await write(page, "after")
    await expect(page.get_by_role("status")).to_contain_text("No connection")
    async with gateway(host, chat(), routes=shop(), port=int(url.rpartition(":")[2])):
        await expect(mine(page, "after").get_by_role("img", name=TAKEN)).to_be_visible()
    assert [i.content.kind for i in host.inbound] == ["text", "media", "text"]


async def test_a_file_that_is_too_big_or_not_taken_says_so(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        big = {"name": "big.bin", "mimeType": "", "buffer": bytes(10 * 1024 * 1024 + 1)}
        await page.locator("input[type=file]").set_input_files(big)
        await expect(page.get_by_role("status")).to_contain_text("too big")
        run = {"name": "run.html", "mimeType": "text/html", "buffer": b"<html><script>"}
        await page.locator("input[type=file]").set_input_files(run)
        await expect(mine(page, "run.html")).to_contain_text("files of this kind are not taken")
        await write(page, "next")
        await expect(mine(page, "next").get_by_role("img", name=TAKEN)).to_be_visible()
    assert [i.content for i in host.inbound] == [Text("next")]


async def test_from_the_page_of_another_origin_files_go_too(context, page):
    host = MemoryHost()
    elsewhere = MemoryHost()
    tag = (
        '<script src="{home}/widget.js"></script><support-chat account="site" open></support-chat>'
    )
    async with gateway(host, chat()) as home:

        async def show(request: web.Request) -> web.Response:
            body = PAGE.format(body=tag.format(home=home))
            return web.Response(text=body, content_type="text/html")

        async with gateway(elsewhere, routes=[web.get("/", show)]) as site:
            await page.goto(site)
            await page.locator("input[type=file]").set_input_files(PDF)
            await expect(mine(page, "bill.pdf").get_by_role("img", name=TAKEN)).to_be_visible()
    assert [i.content.filename for i in host.inbound] == ["bill.pdf"]


async def test_a_voice_note_is_recorded_sent_and_can_be_heard_again(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await page.get_by_role("button", name="Record a voice message").click()
        await expect(page.get_by_role("timer")).to_have_text("0:01")
        await expect(page.get_by_role("textbox", name="Write a message")).to_be_hidden()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("textbox", name="Write a message")).to_be_visible()
        await page.get_by_role("button", name="Record a voice message").click()
        await expect(page.get_by_role("timer")).to_have_text("0:01")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".mine audio")).to_be_visible()
        await host.until(lambda: len(host.inbound) == 1)
    (said,) = host.inbound
    assert said.content.type == "voice"
    assert said.content.mime.startswith("audio/")
    assert said.content.size > 500


async def test_without_a_microphone_the_customer_is_told(page):
    host = MemoryHost()
    await page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no'));"
    )
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(url)
        await page.get_by_role("button", name="Record a voice message").click()
        await expect(page.get_by_role("status")).to_contain_text("microphone")


async def test_a_message_is_edited(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        await begun(page, host, url, "I want the rde one")
        await opened(page, mine(page, "rde"))
        await page.get_by_role("button", name="Edit").click()
        box = page.get_by_role("textbox", name="Write a message")
        await expect(box).to_be_focused()
        await expect(box).to_have_value("I want the rde one")
        await page.keyboard.press("Escape")
        await expect(box).to_have_value("")
        await opened(page, mine(page, "rde"))
        await page.get_by_role("button", name="Edit").click()
        await box.fill("I want the red one")
        await box.press("Enter")
        row = mine(page, "I want the red one")
        await expect(row).to_contain_text("edited")
        await host.until(lambda: len(host.inbound) == 2)
        await page.reload()
        await expect(row).to_contain_text("edited")
        await expect(page.locator(".row")).to_have_count(1)
    said, edit = host.inbound
    assert edit.content == Edit(said.provider_id, "I want the red one")


async def test_a_message_is_deleted_and_its_words_stay_nowhere(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        await begun(page, host, url, "my PIN is 1234")
        await opened(page, mine(page, "1234"))
        await page.get_by_role("button", name="Delete").click()
        await expect(mine(page, "Message deleted")).to_be_visible()
        await host.until(lambda: len(host.inbound) == 2)
        await expect(page.get_by_role("button", name="Options")).to_have_count(0)
        stored = "Object.keys(localStorage).map((key) => localStorage[key]).join()"
        await page.wait_for_function(f"!({stored}).includes('1234')")
        await page.reload()
        await expect(mine(page, "Message deleted")).to_be_visible()
    said, deletion = host.inbound
    assert deletion.content == Deletion(said.provider_id)


async def test_what_was_done_offline_is_done_once_there_is_a_connection(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url, "one")
        await host.send(address, Text("an answer"))
        await expect(theirs(page, "an answer")).to_be_visible()
    await write(page, "two")
    await opened(page, mine(page, "two"))
    await page.get_by_role("button", name="Edit").click()
    await write(page, "three")
    await opened(page, theirs(page, "an answer"))
    await page.get_by_role("button", name="👍").click()
    await expect(mine(page, "three")).to_contain_text("edited")
    async with gateway(host, chat(), routes=shop(), port=int(url.rpartition(":")[2])):
        await host.until(lambda: len(host.inbound) == 4)
        await expect(mine(page, "three").get_by_role("img", name=TAKEN)).to_be_visible()
    one, two, edit, reaction = host.inbound
    assert two.content == Text("two")
    assert edit.content == Edit(two.provider_id, "three")
    assert reaction.content.emoji == "👍"
    assert one.content == Text("one")


async def test_a_reaction_is_put_changed_and_taken_off(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        sent = await host.send(address, Text("Was that helpful?"))
        row = theirs(page, "Was that helpful?")
        for emoji, count in (("👍", 2), ("😢", 3), ("😢", 4)):
            await opened(page, row)
            await row.get_by_role("button", name=emoji).click()
            await host.until(lambda count=count: len(host.inbound) == count)
        await expect(row.locator(".reactions")).to_have_count(0)
        await opened(page, row)
        await row.get_by_role("button", name="👍").click()
        await expect(row.locator(".reactions")).to_contain_text("👍")
        await page.reload()
        await expect(row.locator(".reactions")).to_contain_text("👍")
        await host.until(lambda: len(host.inbound) == 5)
    assert [i.content for i in host.inbound[1:]] == [
        Reaction(sent.id, "👍"),
        Reaction(sent.id, "😢"),
        Reaction(sent.id, "😢", removed=True),
        Reaction(sent.id, "👍"),
    ]


async def test_the_bots_reaction_is_shown_on_the_message_it_is_about(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        of = host.inbound[0].provider_id
        await host.send(address, Reaction(of, "❤️"))
        await expect(mine(page, "hello").locator(".reactions")).to_contain_text("❤️")
        await expect(page.locator(".theirs")).to_have_count(0)
        await page.reload()
        await expect(mine(page, "hello").locator(".reactions")).to_contain_text("❤️")
        await host.send(address, Reaction(of, "❤️", removed=True))
        await expect(page.locator(".reactions")).to_have_count(0)
        await host.until(lambda: len(host.receipts) == 2)


async def test_an_answer_quotes_what_it_answers(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        sent = await host.send(address, Text("Is it **blue**?"))
        row = theirs(page, "Is it blue?")
        await opened(page, row)
        await row.get_by_role("button", name="Reply").click()
        await expect(page.locator(".about")).to_contain_text("Is it blue?")
        await write(page, "yes")
        await expect(page.locator(".about")).to_be_hidden()
        await expect(mine(page, "yes").locator(".quote")).to_have_text("Is it blue?")
        await host.until(lambda: len(host.inbound) == 2)
        await page.reload()
        await expect(mine(page, "yes").locator(".quote")).to_have_text("Is it blue?")
    assert host.inbound[1].reply_to == sent.id


async def test_a_message_is_marked_as_read_once_it_was_answered(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        await begun(page, host, url, "one")
        await write(page, "two")
        for text in ("one", "two"):
            await expect(mine(page, text).get_by_role("img", name="Sent")).to_be_visible()
        first = host.inbound[0]
        await host.send(first.address, Text("answer to one"), id=f"{first.id}:0")
        await expect(mine(page, "one").get_by_role("img", name="Read")).to_be_visible()
        await expect(mine(page, "two").get_by_role("img", name="Sent")).to_be_visible()
        await host.send(first.address, Text("from the desk"), id="desk:1", agent="Anna")
        await expect(mine(page, "two").get_by_role("img", name="Read")).to_be_visible()
        await expect(theirs(page, "from the desk")).to_contain_text("Anna")
        await page.reload()
        await expect(mine(page, "two").get_by_role("img", name="Read")).to_be_visible()


async def test_an_answer_is_awaited_with_dots_and_not_for_ever(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        await page.clock.install()
        await page.goto(url)
        await write(page, "hello")
        dots = page.get_by_role("img", name="An answer is being written")
        await expect(dots).to_be_visible()
        await page.clock.run_for(21_000)
        await expect(dots).to_have_count(0)
        await opened(page, mine(page, "hello"))
        await page.get_by_role("button", name="Delete").click()
        await host.until(lambda: len(host.inbound) == 2)
        await expect(dots).to_have_count(0)


async def test_the_page_tells_where_the_customer_came_from(page):
    host = MemoryHost(echo)
    async with gateway(host, chat(), routes=shop()) as url:
        await page.goto(f"{url}/?utm_source=news&token=secret#x")
        await write(page, "hello")
        await expect(theirs(page, "You said hello")).to_be_visible()
        await write(page, "again")
        await expect(theirs(page, "You said again")).to_be_visible()
    assert [i.referral for i in host.inbound] == [
        Referral("page", "utm_source=news", f"{url}/", "Shop"),
        None,
    ]


async def test_in_arabic_the_widget_is_laid_out_from_the_right(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop("open lang=ar")) as url:
        await page.goto(url)
        box = page.get_by_role("textbox", name="اكتب رسالة")
        await box.fill("hello (world).")
        await box.press("Enter")
        await host.until(lambda: len(host.inbound) == 1)
        address = host.inbound[0].address
        await host.send(address, Text("مرحبًا"))
        await expect(theirs(page, "مرحبًا")).to_be_visible()
        direction = "e => getComputedStyle(e).direction"
        assert await page.locator(".panel").evaluate(direction) == "rtl"
        # Each text has its own direction, whatever ours is.
        assert await page.locator(".mine .bubble").evaluate(direction) == "ltr"
        assert await page.locator(".theirs .bubble").evaluate(direction) == "rtl"
        ours = await page.locator(".mine").bounding_box()
        answer = await page.locator(".theirs").bounding_box()
        assert ours["x"] < answer["x"] + answer["width"] - ours["width"]


EVERYTHING: list[Content] = [
    Text("x" * 300),
    Text(f"https://shop.example.com/{'y' * 200}"),
    Text("```\n" + "z" * 200 + "\n```"),
    Choices("w" * 100, (Option("v" * 80, "/v", "u" * 100),)),
    Menu("Menu", (Section("t" * 60, (Option("s" * 80, "/s", "r" * 100),)),), "q" * 60),
    Cards(
        tuple(Card("p" * 100, "o" * 200, options=(Option("n" * 60, f"/{n}"),)) for n in range(3))
    ),
    Media("document", url="https://a.example/f", filename="m" * 100 + ".pdf", size=10**9),
    Media("audio", url="https://a.example/a.mp3", caption="l" * 100),
    Location(48.2, 16.37, "k" * 100, "j" * 100),
    Contact("i" * 100, ("+43 1 234567890123",), ("h" * 60 + "@example.com",)),
    Ask("Place?", "location"),
    Ask("Number?", "phone"),
]


@pytest.mark.parametrize("width", [320, 900])
async def test_nothing_is_wider_than_the_chat(page, width):
    host = MemoryHost()
    await page.set_viewport_size({"width": width, "height": 600})
    async with gateway(host, chat(title="g" * 100), routes=shop()) as url:
        address = await begun(page, host, url, "f" * 200)
        for content in EVERYTHING:
            await host.send(address, content)
        await expect(page.locator(".theirs")).to_have_count(len(EVERYTHING))
        await page.get_by_role("button", name="q" * 60).click()
        for row in (page.locator(".mine").first, page.locator(".theirs").first):
            await opened(page, row)
            box = await row.locator(".tools").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        wide = await page.evaluate(
            """() => { const root = document.querySelector("support-chat").shadowRoot;
                const log = root.querySelector(".log");
                const right = log.getBoundingClientRect().right;
                const out = [...root.querySelectorAll(".log *")].filter((e) =>
                  e.getBoundingClientRect().right > right && !e.closest(".strip, pre, .aside"));
                return [log.scrollWidth - log.clientWidth, out.map((e) => e.className)]; }"""
        )
        assert wide == [0, []]


async def test_everything_can_be_reached_and_is_named_without_a_mouse(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        for content in EVERYTHING:
            await host.send(address, content)
        await expect(page.locator(".theirs")).to_have_count(len(EVERYTHING))
        nameless = await page.evaluate(
            """() => { const root = document.querySelector("support-chat").shadowRoot;
                const found = root.querySelectorAll("button, a, input:not([hidden]), "
                  + "textarea, img, [role=log], [role=group], [role=dialog], audio, form.phone");
                const named = (e) => e.getAttribute("aria-label") || e.textContent.trim()
                  || e.alt || e.getAttribute("aria-labelledby");
                return [...found].filter((e) => !named(e)).map((e) => e.outerHTML); }"""
        )
        assert nameless == []
        small = await page.evaluate(
            """() => { const root = document.querySelector("support-chat").shadowRoot;
                return [...root.querySelectorAll("button")].filter((e) => {
                  const { width, height } = e.getBoundingClientRect();
                  return width && (width < 24 || height < 24); }).map((e) => e.className); }"""
        )
        # https://www.w3.org/TR/WCAG22/#target-size-minimum
        assert small == []
        await page.get_by_role("log").focus()
        for _ in range(60):
            await page.keyboard.press("Tab")
            name = await page.evaluate(
                "document.querySelector('support-chat').shadowRoot.activeElement?.className"
            )
            if name == "more":
                break
        assert name == "more"
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_visible()


async def test_a_message_that_changes_is_not_read_out_again(page):
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url)
        await host.send(address, Choices("Which?", (Option("A", "/a"), Option("B", "/b"))))
        await expect(theirs(page, "Which?")).to_be_visible()
        mark = "r => r.querySelectorAll('.bubble').forEach((b) => { b.seen = true; })"
        await page.locator(".log").evaluate(mark)
        await page.get_by_role("button", name="B", exact=True).click()
        await host.send(address, Text("Thanks"))
        await expect(theirs(page, "Thanks")).to_be_visible()
        await host.send(address, Reaction(host.inbound[0].provider_id, "👍"))
        await expect(page.locator(".reactions")).to_be_visible()
        kept = "r => [...r.querySelectorAll('.bubble')].map((b) => Boolean(b.seen))"
        assert await page.locator(".log").evaluate(kept) == [True, True, False, False]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_words_stand_out_from_what_they_stand_on(browser, scheme):
    context = await browser.new_context(color_scheme=scheme)
    page = await context.new_page()
    host = MemoryHost()
    async with gateway(host, chat(), routes=shop()) as url:
        address = await begun(page, host, url, "see https://shop.example.com")
        for content in EVERYTHING[3:]:
            await host.send(address, content)
        await expect(page.locator(".theirs")).to_have_count(len(EVERYTHING) - 3)
        low = await page.evaluate(CONTRASTS)
        assert low == []
    await context.close()


# https://www.w3.org/TR/WCAG22/#contrast-minimum
CONTRASTS = """() => {
  const root = document.querySelector("support-chat").shadowRoot;
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const low = [];
  for (const node of root.querySelectorAll(".panel *")) {
    const words = [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!words || !node.getClientRects().length || node.closest(".aside, :disabled")) continue;
    const ground = [];
    for (let n = node; n && n.nodeType === 1; n = n.parentElement) {
      ground.unshift(getComputedStyle(n).backgroundColor);
    }
    const under = over(["#fff", ...ground]);
    const ink = over([`rgb(${under})`, getComputedStyle(node).color]);
    const [a, b] = [light(under), light(ink)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push([node.className || node.tagName, under, ink]);
  }
  return low;
}"""
