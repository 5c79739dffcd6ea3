"""What the page of stories and rules asks the gateway, of small and broken projects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.store import AsyncStore
from tests.kit.console import Browser, browsing, serving, settings_of

DOMAIN = """\
intents: [greet]
responses:
  utter_greet:
  - text: "Hello <b>you</b>!"
"""
RULES = """\
# Saying hello.
rules:
- rule: A greeting
  steps: [{intent: greet}, {action: utter_greet}]
"""


@pytest.fixture
async def anna(
    store: AsyncStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Browser]:
    async with serving(store, settings_of(tmp_path), clerk=False) as served:
        # The gateway works where it was started.
        (tmp_path / "project").mkdir()
        monkeypatch.chdir(tmp_path / "project")
        async with browsing(served, "anna") as made:
            yield made


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


async def look(browser: Browser, path: str, status: int = 200, **query: str) -> Any:
    got, told = await browser.get(f"design/{path}", **query)
    assert got == status, told
    return told


async def test_a_gateway_without_a_project_says_so(anna: Browser) -> None:
    told = await look(anna, "stories")
    assert "no stories, rules or domain" in told["missing"]
    assert "svg" not in told


async def test_files_are_shown_as_they_are_now(anna: Browser) -> None:
    write("domain.yml", DOMAIN)
    write("data/rules/hello.yml", RULES)
    all_of_it = await look(anna, "stories")
    assert [(t["name"], t["counts"], t["about"]) for t in all_of_it["topics"]] == [
        ("hello", "1 rule", "Saying hello.")
    ]
    hello = await look(anna, "stories", show="topic:hello")
    assert hello["told"] == [{"kind": "rule", "name": "A greeting", "at": "data/rules/hello.yml:3"}]
    assert "Hello &lt;b&gt;you" in hello["svg"]

    write("data/stories/bad.yml", "stories:\n\t- story: x\n")
    write("domain.yml", DOMAIN.replace("you", "all of you"))
    changed = await look(anna, "stories", show="topic:hello")
    assert [one["at"] for one in changed["broken"]] == ["data/stories/bad.yml:2"]
    assert "all of you" in changed["svg"]


async def test_what_is_told_and_found(anna: Browser) -> None:
    write("domain.yml", DOMAIN)
    write("data/rules/hello.yml", RULES)
    told = await look(anna, "stories/about", of="response:utter_greet")
    assert (told["at"], told["show"]) == ("domain.yml:3", "response:utter_greet")
    assert told["sections"][0]["items"][0]["text"] == "Hello <b>you</b>!"
    found = await look(anna, "stories/search", q="hello you")
    assert [(one["kind"], one["name"]) for one in found["found"]] == [("response", "utter_greet")]
    assert (await look(anna, "stories/search", q=""))["found"] == []


async def test_what_there_is_not_is_refused_in_words(anna: Browser) -> None:
    write("domain.yml", DOMAIN)
    for path, query in (
        ("stories", {"show": "intent:no_such"}),
        ("stories", {"show": "nothing"}),
        ("stories/about", {"of": "intent:no_such"}),
    ):
        assert (await look(anna, path, 404, **query))["error"]
    assert (await look(anna, "stories/about", 400))[
        "error"
    ] == "of: should be one to 500 characters"
    assert await look(anna, "stories", 400, show="x" * 501)


async def test_only_who_is_logged_in_sees_them(anna: Browser) -> None:
    anna.session.cookie_jar.clear()
    assert await look(anna, "stories", 401)
