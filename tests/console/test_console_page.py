"""The console's page in Chromium: from the login to a resolved case."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.cases import RESOLVED, Case
from bot.store.conversations import Conversation
from bot.store.journal import Entry
from bot.store.messages import FAILED, READ, Message
from bot.store.reviews import Review
from tests.kit.browser import chromium, needs_chromium
from tests.kit.console import KEY, PASSWORD, Served, heard, serving, settings_of, waits

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>&amp;"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8"
    "cfc0f01f00050001ff56a12d9d0000000049454e44ae426082"
)

pytestmark = [
    needs_chromium,
    # One browser for all of them.
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def served(store: AsyncStore, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(store, settings_of(tmp_path)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


async def open_page(browser: Browser, served: Served, errors: list[str], **more: object) -> Page:
    """A page on which nothing may go wrong unseen."""
    viewport = {"width": 1400, "height": 900}
    context = await browser.new_context(**{"viewport": viewport, "locale": "en-GB", **more})  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    # What the gateway refuses stands there as an error too, with its status.
    page.on(
        "console",
        lambda m: (
            errors.append(m.text) if m.type == "error" and "status of 401" not in m.text else None
        ),
    )
    page.on("dialog", lambda dialog: errors.append(f"dialog {dialog.message}"))
    await page.goto(f"{served.url}/console")
    return page


async def log_in(page: Page, account: str = "anna", password: str = PASSWORD) -> None:
    await page.get_by_label("Account").fill(account)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_text("live", exact=True)).to_be_visible()


async def words_to_customer(store: AsyncStore) -> list[str]:
    rows = await store.find(Message, {"conversation": KEY}, sort=("arrived",))
    return [
        row.content.get("text") or row.content.get("filename")
        for row in rows
        if row.direction == "out" and row.agent
    ]


async def test_an_agents_day_on_the_page(
    served: Served, store: AsyncStore, browser: Browser, tmp_path: Path
) -> None:
    await waits(store, said=("Where is my order?", f"It is late! {HOSTILE}"), priority="high")
    await store.insert(
        Review(
            id="r1",
            conversation=KEY,
            agent="ben",
            draft="Hello, it is on its way.",
            sources=[{"article": "late", "title": "Late parcels", "url": "javascript:alert(3)"}],
            at=utcnow(),
        )
    )
    errors: list[str] = []
    page = await open_page(browser, served, errors)
    await page.get_by_label("Account").fill("anna")
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_have_text("The account or the password is wrong.")
    await log_in(page)

    inbox = page.get_by_role("region", name="Inbox")
    await expect(inbox.get_by_role("tab", name="Waiting")).to_have_text("Waiting1")
    await inbox.get_by_role("button", name="Amara Osei").click()
    log = page.get_by_role("log", name="Conversation")
    await expect(log.get_by_text(HOSTILE)).to_be_visible()

    # Nobody has it: what is written is a note.
    await page.get_by_role("textbox", name="Internal note").fill("She has written before.")
    await page.get_by_role("textbox", name="Internal note").press("Control+Enter")
    note = log.get_by_role("article", name="Internal note by Anna Keller")
    await expect(note).to_contain_text("She has written before.")
    await note.hover()
    await note.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Change the note")
    await dialog.get_by_label("Text").fill("She has written twice before.")
    await dialog.get_by_role("button", name="Change").click()
    await expect(note).to_contain_text("She has written twice before.")
    await page.get_by_role("tab", name="Reply").click()
    await expect(page.get_by_label("Reply to the customer")).to_be_disabled()
    await expect(page.get_by_text("Take over to reply.")).to_be_visible()
    assert await words_to_customer(store) == []

    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_text("You have it")).to_be_visible()
    await expect(inbox.get_by_role("tab", name="Mine")).to_have_text("Mine1")

    # What was begun as a reply does not become a note.
    await page.get_by_label("Reply to the customer").fill("I am looking at it.")
    await page.keyboard.press("Alt+n")
    await expect(page.get_by_role("textbox", name="Internal note")).to_have_value("")
    await page.keyboard.press("Alt+r")
    await page.set_input_files(
        "input[type=file]", {"name": "pic.png", "mimeType": "image/png", "buffer": PIXEL}
    )
    await expect(page.get_by_text("pic.png · ")).to_be_visible()
    await page.get_by_label("Reply to the customer").press("Control+Enter")
    answer = log.get_by_role("article", name="Agent Anna Keller")
    await expect(answer).to_contain_text("I am looking at it.")
    picture = answer.get_by_role("img", name="pic.png")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async (i) => { await i.decode(); return i.naturalWidth }") == 1
    await expect(page.get_by_label("Reply to the customer")).to_have_value("")

    # What the store says is shown as soon as it says so, without a bell too.
    row = (await store.find(Message, {"conversation": KEY}, sort=("-arrived",), limit=1))[0]
    await store.change(Message, {"id": row.id}, set={"status": READ})
    await store.insert(heard("Thank you so much!", n=7))
    await served.console.changed()
    await expect(answer.get_by_label("read")).to_be_visible()
    await expect(log.get_by_text("Thank you so much!")).to_be_visible()
    await store.change(Message, {"id": row.id}, set={"status": FAILED, "reason": "nobody there"})
    await expect(answer.get_by_label("could not be delivered: nobody there")).to_be_visible()

    # A draft: edited, and sent from there.
    draft = page.get_by_label("Draft of an answer")
    await expect(draft).to_have_value("Hello, it is on its way.")
    assert await page.locator("a[href^=javascript]").count() == 0
    await draft.fill("Hello Amara, it is on its way.")
    await page.get_by_role("button", name="Send draft").click()
    await expect(log.get_by_text("Hello Amara, it is on its way.")).to_be_visible()
    await expect(draft).to_be_hidden()

    await page.get_by_role("button", name="Resolve").click()
    dialog = page.get_by_role("dialog", name="Resolve")
    await dialog.get_by_label("Resolution").fill("Sent again.")
    await dialog.get_by_role("button", name="Resolve").click()
    await expect(page.get_by_text("With the bot").last).to_be_visible()
    await expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    case = (await store.find(Case, {"conversation": KEY}))[0]
    assert (case.status, case.resolution, case.agent) == (RESOLVED, "Sent again.", "anna")
    assert "She has written twice before." not in await words_to_customer(store)
    await inbox.get_by_role("tab", name="Closed").click()
    await expect(inbox.get_by_role("button", name="Amara Osei")).to_be_visible()

    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert errors == []


async def test_two_agents_and_a_phone_see_the_same(
    served: Served, store: AsyncStore, browser: Browser
) -> None:
    await waits(store)
    errors: list[str] = []
    anna = await open_page(browser, served, errors)
    await log_in(anna)
    phone = {"width": 390, "height": 780}
    ben = await open_page(browser, served, errors, viewport=phone, has_touch=True)
    await log_in(ben, "ben", "staple of another one")
    for page in (anna, ben):
        await page.get_by_role("button", name="Amara Osei").click()
        await expect(page.get_by_role("button", name="Take over")).to_be_enabled()
    await ben.get_by_role("button", name="Take over").click()
    await expect(anna.get_by_text("Ben Okafor has it")).to_be_visible()
    await expect(anna.get_by_role("button", name="Take over")).to_be_disabled()
    await anna.get_by_role("tab", name="Reply").click()
    await expect(anna.get_by_label("Reply to the customer")).to_be_disabled()
    await ben.get_by_label("Reply to the customer").fill("Hello from my phone.")
    await ben.get_by_role("button", name="Send", exact=True).click()
    await expect(anna.get_by_role("log").get_by_text("Hello from my phone.")).to_be_visible()
    # Nothing of the page is wider than the phone.
    assert await ben.evaluate("document.documentElement.scrollWidth") <= phone["width"]
    await ben.get_by_role("button", name="Back to the list").click()
    await expect(ben.get_by_role("tab", name="Mine")).to_be_visible()
    assert errors == []


async def test_what_helps_an_agent_is_shown_before_anything_is_sent(
    served: Served, store: AsyncStore, browser: Browser
) -> None:
    await waits(store, said=("Where is order 1042? I am waiting.",), topic="complaint")
    resolved = Case(
        id="old",
        conversation="sms:shop:1",
        status=RESOLVED,
        topic="complaint",
        summary="Order was late",
        resolution=f"Sent it again {HOSTILE}",
        at=utcnow(),
        resolved=utcnow(),
    )
    await store.insert(resolved)
    errors: list[str] = []
    page = await open_page(browser, served, errors)
    await log_in(page)
    await page.get_by_role("button", name="Amara Osei").click()
    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_text("You have it")).to_be_visible()
    reply = page.get_by_label("Reply to the customer")

    await page.get_by_role("button", name="Canned").click()
    dialog = page.get_by_role("dialog", name="Canned replies")
    await dialog.get_by_label("Filter canned replies").fill("greet")
    await dialog.get_by_role("button", name="Greeting").click()
    await expect(reply).to_have_value(re.compile("Hello Amara, this is Anna"))
    await reply.fill("")

    await page.get_by_role("button", name="Similar").click()
    dialog = page.get_by_role("dialog", name="Similar cases")
    await expect(dialog.get_by_text(HOSTILE)).to_be_visible()
    await dialog.get_by_role("button", name="Put into reply").click()
    await expect(reply).to_have_value(f"Sent it again {HOSTILE}")
    await reply.fill("")

    await page.get_by_role("button", name="Actions").click()
    await page.get_by_role("dialog", name="Actions").get_by_text("Check order").click()
    dialog = page.get_by_role("dialog", name="Check order")
    await expect(dialog.get_by_label("Order number")).to_have_value("1042")
    await dialog.get_by_role("button", name="Cancel").click()
    assert await store.count(Entry, {"conversation": KEY}) == 1
    assert await words_to_customer(store) == []

    # Two days later nothing but a template may be sent.
    ago = utcnow() - timedelta(days=2)
    await store.change(Conversation, {"id": KEY}, set={"last_in": ago})
    (row,) = await store.find(Message, {"conversation": KEY})
    await store.change(Message, {"id": row.id}, set={"sent": ago})
    await page.reload()
    await expect(page.get_by_text(re.compile("The answering window closed"))).to_be_visible()
    await expect(reply).to_be_disabled()
    await page.get_by_role("button", name="Template").click()
    await page.get_by_role("dialog", name="Templates").get_by_text("order_update").click()
    dialog = page.get_by_role("dialog", name="Send order_update")
    await dialog.get_by_label("order number").fill("1042")
    await dialog.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Your order 1042 is on its way.").first).to_be_visible()
    assert await words_to_customer(store) == ["Your order 1042 is on its way."]
    assert errors == []


async def take_over(page: Page) -> None:
    await page.get_by_role("button", name="Amara Osei").click()
    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_text("You have it")).to_be_visible()


async def test_what_was_perhaps_sent_is_sent_again_as_the_same(
    served: Served, store: AsyncStore, browser: Browser
) -> None:
    await waits(store)
    page = await open_page(browser, served, [])
    await log_in(page)
    await take_over(page)
    sent: list[dict[str, str]] = []
    mode = "lost"

    async def deeds(route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        sent.append(route.request.post_data_json)
        if mode == "lost":
            # Done, and nobody learns of it.
            await route.fetch()
            await route.fulfill(status=500, json={"error": "The answer was lost."})
        elif mode == "refused":
            refusal = {"ok": False, "text": "That was not possible.", "data": {}}
            await route.fulfill(json={"id": "x", "status": "refused", "result": refusal})
        else:
            await route.continue_()

    await page.route("**/console/api/deed", deeds)
    reply = page.get_by_label("Reply to the customer")
    send = page.get_by_role("button", name="Send", exact=True)

    async def say(what: str, *, then: str) -> None:
        before = len(sent)
        if what:
            await reply.fill(what)
        await send.click()
        await expect(reply).to_have_value(then)
        await expect(reply).to_be_enabled()
        assert len(sent) == before + 1

    await say("It is on its way.", then="It is on its way.")
    await expect(page.get_by_text("The answer was lost.")).to_be_visible()
    mode = ""
    await say("", then="")
    assert sent[0]["id"] == sent[1]["id"]
    assert await words_to_customer(store) == ["It is on its way."]

    # The same words once more are another message.
    await say("It is on its way.", then="")
    assert await words_to_customer(store) == ["It is on its way."] * 2

    # Other words are never taken for those that were perhaps sent.
    mode = "lost"
    await say("One.", then="One.")
    mode = ""
    await say("One, and two.", then="")

    # What was refused is wished for anew.
    mode = "refused"
    await say("Three.", then="Three.")
    mode = ""
    await say("", then="")
    assert len({one["id"] for one in sent}) == len(sent) - 1
    assert (await words_to_customer(store))[2:] == ["One.", "One, and two.", "Three."]


async def test_what_was_begun_outlives_the_session_but_not_a_logout(
    served: Served, store: AsyncStore, browser: Browser
) -> None:
    await waits(store)
    errors: list[str] = []
    page = await open_page(browser, served, errors)
    await log_in(page)
    await take_over(page)
    reply = page.get_by_label("Reply to the customer")
    note = page.get_by_role("textbox", name="Internal note")
    begins = page.get_by_role("log", name="Conversation").get_by_text("The kettle leaks")
    await reply.fill("A long letter")
    await page.keyboard.press("Alt+n")
    await note.fill("And a note")

    await page.context.clear_cookies()
    await page.get_by_role("button", name="Add note").click()
    await expect(page.get_by_text("You have been logged out.")).to_be_visible()
    # On this page another one finds nothing of it.
    await log_in(page, "ben", "staple of another one")
    await expect(begins).to_be_visible()
    await page.keyboard.press("Alt+n")
    await expect(note).to_have_value("")
    await note.fill("Of Ben")
    await page.context.clear_cookies()
    # The page is not taken away from who is writing when it hears of something new.
    await store.insert(heard("Hello?", n=8))
    await served.console.changed()
    await expect(page.get_by_text("logged out", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Add note").click()
    await expect(page.get_by_text("You have been logged out.")).to_be_visible()

    await log_in(page)
    await expect(begins).to_be_visible()
    await expect(reply).to_have_value("A long letter")
    await page.keyboard.press("Alt+n")
    await expect(note).to_have_value("And a note")
    await page.get_by_role("button", name="Add note").click()
    await expect(note).to_have_value("")
    await note.fill("Not for long")
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("button", name="Log in")).to_be_visible()
    await log_in(page)
    await expect(begins).to_be_visible()
    await expect(reply).to_have_value("")
    await page.keyboard.press("Alt+n")
    await expect(note).to_have_value("")
    notes = await store.find(Entry, {"kind": "note"})
    assert [entry.text for entry in notes] == ["And a note"]
    assert errors == []
