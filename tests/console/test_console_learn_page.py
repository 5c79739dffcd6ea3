"""The "Learn" page in Chromium: decisions by mouse and by keyboard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.learning import Decided
from bot.lesson_words import CONFIRMED, DISMISSED, OPEN, WRITTEN
from bot.store import AsyncStore
from bot.store.lessons import Lesson
from tests.kit.browser import chromium, needs_chromium
from tests.kit.console import PASSWORD, Served, serving, settings_of
from tests.kit.designs import sound_project
from tests.kit.inbox import KEY, a_talk, lesson, three_lessons

FIRST, SECOND, THIRD = (f"{KEY}:in-{n}" for n in (1, 2, 3))
NLU = "data/nlu/all.yml"

pytestmark = [
    needs_chromium,
    # One browser for all of them.
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def served(store: AsyncStore, tmp_path: Path) -> AsyncIterator[Served]:
    await three_lessons(store)
    root = sound_project(tmp_path / "project")
    async with serving(store, settings_of(tmp_path), clerk=False, root=root) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


async def open_page(browser: Browser, served: Served, errors: list[str], width: int) -> Page:
    """The page, on which nothing may go wrong unseen."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(20_000)
    login = await context.request.post(
        f"{served.url}/console/login",
        data={"account": "anna", "password": PASSWORD},
        headers={"Origin": served.url},
    )
    assert login.ok
    page = await context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(f"dialog {dialog.message}"))
    page.on(
        "console",
        lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None,
    )
    await page.goto(f"{served.url}/console/designers#learn")
    return page


async def is_now(store: AsyncStore, id: str) -> Lesson:
    found = await store.get(Lesson, id)
    assert found is not None
    return found


async def test_a_designers_morning(
    served: Served, store: AsyncStore, browser: Browser, tmp_path: Path
) -> None:
    errors: list[str] = []
    page = await open_page(browser, served, errors, 1300)
    rows = page.get_by_role("listbox", name="Lessons").get_by_role("option")
    said = page.get_by_label("What was said")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(2)).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(said).to_have_text("😀 wher is my parcl 1042 pls")

    # The mark is taken away, and made again by selecting the word; the emoji is one character.
    await said.get_by_role("button", name="1042: number").click()
    await page.get_by_role("button", name="Remove").click()
    await expect(said.get_by_role("button")).to_have_count(0)
    box = await said.evaluate(
        """p => { const r = document.createRange(), t = p.firstChild;
        const at = p.textContent.indexOf("1042");
        r.setStart(t, at + 1); r.setEnd(t, at + 3); const b = r.getBoundingClientRect();
        return [b.x + b.width / 2, b.y + b.height / 2]; }"""
    )
    await page.mouse.dblclick(*box)
    entity = page.get_by_role("group", name="Entity")
    await expect(entity).to_contain_text("“1042” is")
    await entity.get_by_role("button", name="number", exact=True).click()
    await expect(said.get_by_role("button", name="1042: number")).to_be_visible()

    # Pressing twice decides once, and not the next one too.
    await page.get_by_role("button", name="Confirm order").dblclick()
    status = page.get_by_role("status").filter(has_text="Written to")
    await expect(status).to_contain_text(f"order: Written to {NLU}:")
    await expect(said).to_have_text("evening all")
    nlu = tmp_path / "project" / NLU
    assert "- 😀 wher is my parcl [1042](number) pls\n" in nlu.read_text("utf-8")
    assert (await is_now(store, SECOND)).status == OPEN

    # By keyboard: back and forth, another intent by its examples, text in the files' markup.
    await page.keyboard.press("j")
    await expect(said).to_contain_text("<img")
    await page.keyboard.press("k")
    await expect(said).to_have_text("evening all")
    await page.keyboard.press("e")
    text = page.get_by_label("The text, with entities as in the files")
    await text.fill("leave [1042](number")
    await text.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="character 13")).to_be_visible()
    await text.fill("leave [1042](number) there")
    await text.press("Enter")
    await expect(said).to_have_text("leave 1042 there")
    await page.keyboard.press("/")
    await page.get_by_label("Find an intent").press_sequentially("never mind")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Change to stop")).to_be_enabled()
    await page.keyboard.press("Enter")
    await expect(status).to_contain_text("stop: Written to")
    assert "- leave [1042](number) there\n" in nlu.read_text("utf-8")

    await expect(page.get_by_role("button", name="Dismiss")).to_be_enabled()
    await page.keyboard.press("d")
    await expect(page.get_by_text("All done.")).to_be_visible()
    assert (await is_now(store, THIRD)).status == DISMISSED
    await page.get_by_label("Which lessons").select_option("written")
    await expect(rows).to_have_count(2)
    await expect(page.get_by_text("Anna Keller confirmed this as")).to_contain_text(f"{NLU}:")
    assert errors == []


async def test_what_stands_in_the_way_is_said(
    served: Served, store: AsyncStore, browser: Browser
) -> None:
    errors: list[str] = []
    await store.insert(lesson(4, "never mind", weight=900))
    await store.insert(lesson(5, "erm, stop", intent="nlu_fallback", weight=990))
    page = await open_page(browser, served, errors, 1300)
    said = page.get_by_label("What was said")
    # What was not understood has no answer ready.
    await expect(page.get_by_role("button", name="Choose an intent")).to_be_disabled()
    await page.keyboard.press("d")
    await expect(said).to_have_text("never mind")
    await page.get_by_role("button", name="Confirm order").click()
    alert = page.get_by_role("alert").filter(has_text="an example of stop already")
    await alert.get_by_role("button", name="choose stop").click()
    await page.get_by_role("button", name="Change to stop").click()
    await expect(page.get_by_text("It stands in")).to_contain_text(f"{NLU}:")

    # Ben is quicker.
    await expect(said).to_contain_text("wher is my parcl")
    decided = Decided("stop", "x").encode()
    theirs = {"status": CONFIRMED, "decided": decided, "decided_by": "ben"}
    assert await store.change(Lesson, {"id": FIRST}, set=theirs)
    await page.get_by_role("button", name="Confirm order").click()
    alert = page.get_by_role("alert").filter(has_text="ben has confirmed this as stop meanwhile")
    await alert.get_by_role("button", name="Show it as it is now").click()
    await expect(page.get_by_text("Ben Okafor confirmed this as stop")).to_be_visible()
    assert (await is_now(store, FIRST)).decided_by == "ben"
    assert errors == []


async def test_a_story_is_seen_before_it_is_saved(
    served: Served, store: AsyncStore, browser: Browser, tmp_path: Path
) -> None:
    # What is loaded already need not be loaded by a process for each draft.
    pytest.importorskip("spacy")
    errors: list[str] = []
    await a_talk(store)
    page = await open_page(browser, served, errors, 1300)
    await page.get_by_role("button", name="Make a story").click()
    dialog = page.get_by_role("dialog", name="A story of this conversation")
    yaml = dialog.get_by_label("YAML")
    await expect(yaml).to_have_value(re.compile("- intent: greet\n.*- action: utter_greet\n", re.S))
    await dialog.get_by_label("Title").fill("A customer leaves")
    await dialog.get_by_label("To turn").fill("1")
    await expect(yaml).not_to_have_value(re.compile("intent: stop"))
    await yaml.fill("- rule: no story\n")
    await dialog.get_by_role("button", name="Save in").click()
    await expect(dialog.get_by_role("alert")).not_to_be_empty()
    await dialog.get_by_label("To turn").fill("2")
    await expect(yaml).to_have_value(re.compile("story: A customer leaves.*intent: stop", re.S))
    await dialog.get_by_role("button", name="Save in").dblclick()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("status").filter(has_text="data/stories/")).to_be_visible()
    told = [f.read_text("utf-8") for f in (tmp_path / "project/data/stories").glob("*.yml")]
    assert "".join(told).count("story: A customer leaves\n") == 1
    assert errors == []


async def test_it_fits_a_phone(served: Served, store: AsyncStore, browser: Browser) -> None:
    errors: list[str] = []
    await store.insert(lesson(5, "x" * 300, weight=901))
    page = await open_page(browser, served, errors, 390)
    rows = page.get_by_role("listbox", name="Lessons").get_by_role("option")
    await expect(page.get_by_label("What was said")).to_be_hidden()
    await rows.nth(1).click()
    await expect(page.get_by_label("What was said")).to_be_visible()
    await expect(rows.first).to_be_hidden()
    await page.get_by_role("button", name="All lessons").click()
    await rows.nth(0).click()
    await page.get_by_role("button", name="Confirm order").click()
    await expect(page.get_by_text("order: Written to")).to_be_visible()
    wide = await page.evaluate("document.querySelector('main').scrollWidth - innerWidth")
    assert wide <= 0
    assert (await is_now(store, f"{KEY}:in-5")).status == WRITTEN
    assert errors == []
