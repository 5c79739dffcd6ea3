"""What an installation's files make of the answering."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bot.knowledge.articles import parse_article
from bot.knowledge.contract import About
from bot.knowledge.opening import open_answering, sheet_of
from bot.knowledge.sync import sync
from bot.llm.errors import PromptInvalid
from bot.settings import Settings, load
from bot.store import AsyncStore
from tests.kit.chat import chat_server

DATA = Path("data")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An installation of its own: the project's prompts and escalation rules."""
    shutil.copytree(DATA / "prompts", tmp_path / "data" / "prompts")
    shutil.copy(DATA / "escalation.yml", tmp_path / "data")
    return tmp_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(channels=(), schema_of=lambda channel: object, environ={}, cwd=tmp_path)


def test_the_sheet_is_what_the_files_say(root: Path, settings: Settings) -> None:
    knowledge = replace(settings.knowledge, company="Harbour Bikes", domains=("bikes.example",))
    sheet = sheet_of(replace(settings, knowledge=knowledge), root)
    assert (sheet.company, sheet.domains) == ("Harbour Bikes", ("bikes.example",))
    assert "discount code" in sheet.rules
    assert "legal" in sheet.topics


def test_without_a_name_and_rules_there_is_a_sheet_all_the_same(
    root: Path, settings: Settings
) -> None:
    (root / "data" / "prompts" / "rules.md").unlink()
    sheet = sheet_of(settings, root)
    assert (sheet.company, sheet.rules) == ("this company", "")


def test_where_no_model_is_to_judge_it_is_told_of_no_topics(root: Path, settings: Settings) -> None:
    file = root / "data" / "escalation.yml"
    file.write_text(file.read_text("utf-8").replace("llm: fallback", "llm: never"), "utf-8")
    assert sheet_of(settings, root).topics == {}


def test_rules_that_are_no_text_are_told_by_name(root: Path, settings: Settings) -> None:
    (root / "data" / "prompts" / "rules.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PromptInvalid, match=r"rules\.md: cannot be read"):
        sheet_of(settings, root)


async def test_a_model_is_told_the_companys_name_and_rules(
    root: Path, settings: Settings, store: AsyncStore
) -> None:
    article = parse_article(
        "---\ntitle: Repairs\n---\nA puncture is repaired in two days and costs 12 pounds.",
        "repairs",
    )
    await sync(store, [article])
    async with chat_server() as server:
        knowledge = replace(settings.knowledge, company="Harbour Bikes")
        wanted = replace(settings, llm=(server.model(),), knowledge=knowledge)
        answering = open_answering(wanted, store, root)
        await answering.ready()
        answer = await answering.answer("What does a puncture cost?", About("line:shop:ann"))
        asked = server.models.asked[-1].body["messages"][0]["content"]
    assert (answer.how, "12 pounds" in answer.text) == ("model", True)
    assert "Harbour Bikes" in asked
    assert "Never name a discount code" in asked
