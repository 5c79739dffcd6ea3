"""Confusions, coverage and conversations of the designers' pages: what is asked, what is seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.insight.rollup import Rollup
from bot.message import utcnow
from bot.settings import Limits
from bot.store import AsyncStore
from bot.store.models import POINTER, ModelInUse
from tests.kit.browser import chromium, needs_chromium
from tests.kit.console import PASSWORD, Served, browsing, serving, settings_of
from tests.kit.reports import REPORT, keep_model, shop
from tests.kit.traffic import HELLO, KEY, NUMBER, ORDER, PERSON, UNSURE, Heard, traffic

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>&amp;"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def served(store: AsyncStore, tmp_path: Path) -> AsyncIterator[Served]:
    root = shop(tmp_path)
    async with serving(store, settings_of(tmp_path), clerk=False, root=root) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


async def opened(browser: Browser, served: Served, errors: list[str], at: str, wide: int) -> Page:
    context = await browser.new_context(
        viewport={"width": wide, "height": 850}, locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(20_000)
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda m: (
            errors.append(m.text) if m.type == "error" and "status of 401" not in m.text else None
        ),
    )
    page.on("dialog", lambda dialog: errors.append(f"dialog {dialog.message}"))
    told = await context.request.post(
        f"{served.url}/console/login",
        data={"account": "anna", "password": PASSWORD},
        headers={"Origin": served.url},
    )
    assert told.ok
    await page.goto(f"{served.url}/console/designers#{at}")
    return page


async def test_only_who_is_logged_in_is_told_anything(served: Served) -> None:
    async with browsing(served) as stranger:
        for name in ("matrix", "coverage", "why", "why/conversations"):
            status, _ = await stranger.get(f"design/{name}")
            assert status == 401


async def test_what_is_asked_wrongly_is_refused_in_words(served: Served) -> None:
    async with browsing(served, "anna") as anna:
        for name, query, status, words in (
            ("coverage", {"days": "2"}, 400, "days: should be one of 1, 7, 30"),
            ("coverage", {"days": "-7"}, 400, "days: should be a whole number"),
            ("matrix", {"model": "none"}, 404, "none: the store knows no such model"),
            ("why", {}, 400, "message or conversation: say which one"),
            ("why", {"message": "x:y:z"}, 404, "There is no such message."),
            ("why", {"conversation": "x" * 1001}, 400, "has 1001 characters"),
            ("why", {"conversation": KEY}, 404, "There is no such conversation"),
        ):
            got, told = await anna.get(f"design/{name}", **query)
            assert (got, words in told["error"]) == (status, True), told


async def test_a_message_is_shown_among_its_neighbours(served: Served, store: AsyncStore) -> None:
    ids = await traffic(store, utcnow() - timedelta(hours=2), *[HELLO, ORDER, NUMBER] * 10)
    async with browsing(served, "anna") as anna:
        _, told = await anna.get("design/why", message=ids[9])
        shown = [turn["message"] for turn in told["turns"]]
        assert (shown[-1], told["message"], told["newer"]) == (ids[13], ids[9], True)
        # By a reply of the bot's, too.
        _, by_reply = await anna.get("design/why", message=f"{ids[9]}:0")
        assert by_reply["message"] == ids[9]
        _, newest = await anna.get("design/why", conversation=KEY)
        assert (len(newest["turns"]), newest["more"], newest["newer"]) == (15, True, False)


async def test_a_message_without_a_turn_says_why(served: Served, store: AsyncStore) -> None:
    from tests.kit.console import heard

    await store.insert(heard("hello?", n=3))
    async with browsing(served, "anna") as anna:
        status, told = await anna.get("design/why", message=f"{KEY}:in-3")
        assert (status, told["turns"]) == (200, [])
        assert told["alone"]["note"] == "had no turn"


@needs_chromium
async def test_the_confusions_on_the_page(
    served: Served, store: AsyncStore, browser: Browser
) -> None:
    await keep_model(store, "bare", {"accuracy": 0.7, "examples": 15, "intents": {}}, 2)
    await keep_model(store, "used", REPORT, 1)
    await store.insert(ModelInUse(id=POINTER, model="used", at=utcnow()))
    errors: list[str] = []
    page = await opened(browser, served, errors, "matrix", 1300)
    await expect(page.get_by_text("11 of 15 held-out messages")).to_be_visible()
    await page.get_by_role("button", name="greet understood as stop: 1 of 5").click()
    await expect(page.get_by_text("no texts were kept")).to_be_visible()
    await page.get_by_role("button", name="2 stop understood as greet").click()
    await expect(page.get_by_text("hey stop", exact=True)).to_be_visible()
    await expect(page.get_by_text("tests/nlu/heldout.yml:5")).to_be_visible()
    await expect(page.get_by_text("data/nlu/all.yml:19")).to_be_visible()
    heat = page.get_by_role("group", name="Confusions, rows")
    await expect(heat.get_by_text("order", exact=True)).to_have_count(0)
    await page.get_by_label("Only intents that are confused").uncheck()
    await expect(heat.get_by_text("order", exact=True)).to_have_count(2)
    rows = page.get_by_role("table", name="Intents").get_by_role("row")
    await page.get_by_role("button", name="Intent", exact=True).click()
    await expect(rows.nth(1)).to_contain_text("greet")
    await page.get_by_label("Model", exact=True).select_option("bare")
    await expect(page.get_by_text("measured before confusions were kept")).to_be_visible()
    assert errors == []


@needs_chromium
async def test_the_coverage_on_the_page(
    served: Served, store: AsyncStore, browser: Browser, tmp_path: Path
) -> None:
    await traffic(store, utcnow() - timedelta(days=2), HELLO, ORDER, NUMBER, UNSURE, PERSON)
    rollup = Rollup(store, Limits(), tmp_path / "shop")
    while await rollup.look():
        pass
    errors: list[str] = []
    page = await opened(browser, served, errors, "coverage", 390)
    await expect(page.get_by_text("1 new conversations")).to_be_visible()
    await page.get_by_role("tab", name="Rules").click()
    table = page.get_by_role("table", name="rules")
    await expect(table.get_by_role("row", name="Hello 1")).to_be_visible()
    await page.get_by_role("button", name="Never used").click()
    await expect(table.get_by_role("row")).to_have_count(2)
    await expect(table.get_by_role("row", name="The customer stops never")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.get_by_role("button", name="Today").click()
    await expect(page.get_by_text("No customer wrote in this time.")).to_be_visible()
    assert errors == []


@needs_chromium
async def test_a_conversation_on_the_page(
    served: Served, store: AsyncStore, browser: Browser
) -> None:
    hostile = Heard(f"hello {HOSTILE} amara@example.com", "greet", 0.9, HELLO.did)
    ids = await traffic(store, utcnow() - timedelta(hours=1), hostile, ORDER, NUMBER, PERSON)
    errors: list[str] = []
    page = await opened(browser, served, errors, "why", 1300)
    await page.get_by_role("table", name="Conversations").get_by_role("link").click()
    turn = page.get_by_role("article", name="Turn 1")
    await expect(turn.get_by_text(f"hello {HOSTILE} [email]")).to_be_visible()
    await expect(turn.get_by_text("because: rule 'Hello'")).to_contain_text("data/rules/all.yml:3")
    await expect(turn.get_by_text("said: utter_greet")).to_contain_text("domain.yml:")
    handed = page.get_by_role("article", name="Turn 4")
    await expect(handed.get_by_text("asked for a person")).to_be_visible()
    await turn.get_by_role("link", name=ids[0]).click()
    await expect(page.locator(".turn.asked")).to_have_count(1)
    await page.get_by_role("link", name="On the desk").click()
    line = page.get_by_role("log").get_by_role("article").filter(has_text="1042").first
    await line.hover()
    await line.get_by_role("link", name="Why").click()
    await expect(page.locator(".turn.asked")).to_contain_text("1042")
    for kind in ("story", "test"):
        async with page.expect_request("**/design/draft?*") as asked:
            await page.get_by_role("button", name=f"Make a {kind}").click()
        told = parse_qs(urlsplit((await asked.value).url).query)
        assert (told["conversation"], told["kind"], told["around"]) == ([KEY], [kind], ["3"])
        sheet = page.get_by_role("dialog", name=f"A {kind} of this conversation")
        await sheet.get_by_role("button", name="Cancel").click()
    assert errors == []
