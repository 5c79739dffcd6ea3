"""The page of stories and rules in Chromium: one follows a question to its answer, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Error, Page, expect

from bot.store import AsyncStore
from tests.kit.browser import chromium, needs_chromium
from tests.kit.console import PASSWORD, serving, settings_of

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
DOMAIN = f"""\
intents: [greet, affirm, order]
responses:
  utter_greet:
  - text: "Hello! {HOSTILE}"
    buttons: [{{title: "My order", payload: /order}}]
  utter_glad:
  - text: "Glad to hear it"
    channel: sms
"""
RULES = """\
rules:
- rule: A greeting
  steps: [{intent: greet}, {action: utter_greet}]
- rule: All is well
  steps: [{action: utter_greet}, {intent: affirm}, {action: utter_glad}]
"""
NLU = """\
nlu:
- intent: greet
  examples: |
    - good morning to you
"""

DRAWN = """async (svg) => {
    (await import("/console/page/design_stories.js")).drawn(svg);
}"""

pytestmark = needs_chromium


def write(root: Path) -> None:
    for name, text in {
        "domain.yml": DOMAIN,
        "data/rules/hello.yml": RULES,
        "data/nlu/hello.yml": NLU,
        "data/stories/bad.yml": "stories: [\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


async def log_in(page: Page, url: str) -> None:
    told = {"account": "anna", "password": PASSWORD}
    answer = await page.request.post(f"{url}/console/login", data=told, headers={"Origin": url})
    assert answer.ok


async def test_one_follows_a_question_to_its_answer(
    store: AsyncStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[str] = []
    async with (
        serving(store, settings_of(tmp_path), clerk=False) as served,
        chromium() as browser,
    ):
        write(tmp_path / "project")
        monkeypatch.chdir(tmp_path / "project")
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("dialog", lambda dialog: errors.append(f"dialog {dialog.message}"))
        await log_in(page, served.url)
        await page.goto(f"{served.url}/console/designers#stories")

        await expect(page.get_by_text("data/stories/bad.yml:")).to_be_visible()
        await page.get_by_role("searchbox").fill("good morning")
        await page.get_by_role("list", name="Found").get_by_role("link", name="greet").click()

        picture = page.locator("svg.graph")
        about = page.get_by_role("complementary", name="About")
        await expect(about.get_by_text("“good morning to you”")).to_be_visible()
        await expect(picture.locator(".box.focus .name")).to_have_text("greet")
        # By the keyboard alone.
        await picture.get_by_role("link", name="utter_glad").focus()
        await page.keyboard.press("Enter")
        await expect(about.get_by_text("Says on sms")).to_be_visible()
        await expect(about.get_by_text("domain.yml:6")).to_be_visible()
        assert "about=response%3Autter_glad" in page.url

        await picture.get_by_role("link", name="utter_greet").click()
        await expect(about.get_by_text(HOSTILE)).to_be_visible()
        await about.get_by_role("link", name="“My order”").click()
        await about.get_by_role("link", name="Follow").click()
        await expect(picture.locator(".box.focus .name")).to_have_text("order")
        for name in ("order", "utter_greet", "utter_glad"):
            await page.go_back()
            await expect(about.get_by_role("heading", name=name, exact=True)).to_be_visible()
        await expect(picture.locator(".box.focus .name")).to_have_text("greet")

        assert errors == []
        # What the gateway would never send is not put in.
        for bad in ("<script/>", "<rect onclick='x'/>", "<a href='javascript:x'/>", "<style/>"):
            with pytest.raises(Error, match="The picture cannot be shown"):
                await page.evaluate(DRAWN, f'<svg xmlns="http://www.w3.org/2000/svg">{bad}</svg>')
