"""A real conversation becomes a test that the model passes, and a story that fits the others."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.learning import STORY, TEST, Learning, NoSuchLesson, NotAllowed
from bot.message import Choice, Inbound, Media, Profile, Text
from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.messages import to_message
from bot.store.turns import Turn
from tests.dialogue.conftest import ROOT
from tests.kit.build import address
from tests.kit.stores import store_of_kind
from tests.kit.talk import Conversation

if TYPE_CHECKING:
    from bot.dialogue.brain import Brain

KEY = "telegram:shop:u1"
SAID = (
    "i want to return my lamp",
    "77042",
    "i want to send back two of the mugs for Tom Lindqvist",
    Choice("/stop", "Stop"),
    "my mail is tom.l@post.example",
    "how late are you open today",
    Media("image", url="https://shop.example/a.png"),
    "call me on +44 7911 123456",
)


@pytest.fixture
async def talk(brain: Brain, tmp_path: Path) -> AsyncIterator[AsyncStore]:
    """The store after a conversation, its turns as `bot.turn` commits them."""
    store = store_of_kind("sqlite", tmp_path, DOCUMENTS)
    conversation = Conversation(brain)
    for seq, said in enumerate(SAID, start=1):
        content = Text(said) if isinstance(said, str) else said
        outcome = await conversation.take(content)
        inbound = Inbound(
            conversation.address, f"u1.{seq}", content, profile=Profile("Tom Lindqvist")
        )
        row = to_message(inbound)
        await store.insert(row)
        await store.insert(_turn(row.id, seq, row.content, outcome))
    yield store
    await store.close()


def _turn(id: str, seq: int, heard: dict[str, Any], outcome: Any) -> Turn:
    from bot.message import utcnow

    return Turn(
        id=id, conversation=KEY, seq=seq, at=utcnow(), events=outcome.events, parse=outcome.parse,
        decision={"by": "bot"}, state=outcome.state, heard=heard,
    )  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the project's own files."""
    folder = tmp_path / "bot"
    for name in ("config.yml", "domain.yml"):
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder)
    for name in ("data/nlu", "data/rules", "data/stories", "tests/stories", "actions"):
        shutil.copytree(ROOT / name, folder / name)
    for path in (ROOT / "data").glob("*.yml"):
        shutil.copy(path, folder / "data")
    return folder


async def test_a_conversation_is_a_test_that_passes(
    brain: Brain, talk: AsyncStore, root: Path, tmp_path: Path
) -> None:
    from bot.dialogue.examining import _stories

    learning = Learning(talk, root)
    draft = await learning.draft(KEY, kind=TEST)
    assert draft.file == "tests/stories/test_returns.yml"
    assert draft.title == "Return item, as a customer wrote it (returns)"
    assert not draft.warnings
    for personal in ("77042", "Tom", "Lindqvist", "tom.l", "7911"):
        assert personal not in draft.yaml
    assert '[lamp]{"entity": "product", "value": "Oak desk lamp"}' in draft.yaml
    assert "[today](date)" in draft.yaml
    before = (root / draft.file).read_text("utf-8")
    done = await learning.save(draft, "anna")
    assert done.new
    assert (root / draft.file).read_text("utf-8") == f"{before}\n{draft.yaml}"
    only = tmp_path / "only"
    only.mkdir()
    (only / "test_one.yml").write_text(f'version: "3.1"\nstories:\n{draft.yaml}', "utf-8")
    exam: dict[str, Any] = {"stories": {}, "unseen": []}
    await _stories(brain._processor, str(only), exam)
    assert exam["stories"] == {draft.title: ""}
    # The next one of the same kind is told from it.
    assert (await learning.draft(KEY, kind=TEST)).title == f"{draft.title} 2"


async def test_a_conversation_is_a_story_that_contradicts_no_rule(
    talk: AsyncStore, root: Path
) -> None:
    learning = Learning(talk, root)
    draft = await learning.draft(KEY, kind=STORY, title="A lamp: returned")
    assert draft.yaml.startswith(
        '  - story: "A lamp: returned"\n    steps:\n      - intent: return_item\n'
    )
    assert "77042" not in draft.yaml
    assert "requested_slot" not in draft.yaml
    done = await learning.save(draft, "anna")
    assert (done.file, done.new) == ("data/stories/learned.yml", True)
    assert (root / done.file).read_text("utf-8").startswith('version: "3.1"\n')


async def test_a_part_of_a_conversation_says_what_is_missing(talk: AsyncStore, root: Path) -> None:
    learning = Learning(talk, root)
    part = await learning.draft(KEY, kind=TEST, first=2, last=4)
    assert part.warnings[0] == (
        "it begins within the form return_form at turn 2: what was said before is missing"
    )
    assert part.yaml.count("- user:") == 3
    with pytest.raises(NoSuchLesson):
        await learning.draft(KEY, kind=TEST, first=99)
    with pytest.raises(NoSuchLesson):
        await learning.draft(address("nobody").key, kind=TEST)
    with pytest.raises(NotAllowed, match="neither"):
        await learning.draft(KEY, kind="poem")


async def test_what_people_answered_and_what_is_sensitive_is_left_out(
    talk: AsyncStore, root: Path
) -> None:
    turns = await talk.find(Turn, {"conversation": KEY}, sort=("seq",))
    for n, change in (
        (5, {"decision": {"by": "agent"}}),
        (6, {"perception": {"sensitive": {"topic": "legal"}}}),
    ):
        await talk.change(Turn, {"id": turns[n - 1].id}, set=change)
    draft = await Learning(talk, root).draft(KEY, kind=TEST)
    assert draft.yaml.count("- user:") == 6
    assert set(draft.warnings) >= {
        "1 message that people answered are left out",
        "turn 6 is about a sensitive matter and is left out",
    }
