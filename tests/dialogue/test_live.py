"""Words that a designer has just saved, said by a brain of a model that knows others."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.dialogue.live import LiveText, LiveWords, publish, read_words, rest_of, withdraw
from bot.dialogue.thread import BrainThread
from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.live import LIVE, LiveResponses
from bot.watch_command import show
from tests.dialogue.conftest import ROOT
from tests.kit.settings import settings_in
from tests.kit.stores import KINDS, store_of_kind
from tests.kit.waiting import until

if TYPE_CHECKING:
    from bot.dialogue.brain import Brain

OWN = "You're welcome!"
NEW = "Any time, really."


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("config.yml", "domain.yml"):
        shutil.copy(ROOT / name, tmp_path)
    for part in ("nlu", "rules", "stories"):
        shutil.copytree(ROOT / "data" / part, tmp_path / "data" / part)
    shutil.copytree(ROOT / "actions", tmp_path / "actions")
    return tmp_path


@pytest.fixture
def spoken(brain: Brain) -> Iterator[Brain]:
    yield brain
    brain.speak(None)


def edit(project: Path, old: str, new: str) -> LiveWords | None:
    path = project / "domain.yml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return read_words(project)


async def thanked(brain: Brain) -> list[str]:
    from tests.kit.talk import Conversation

    return await Conversation(brain).say("thank you")


async def test_a_changed_text_is_said_without_training(spoken: Brain, project: Path) -> None:
    words = edit(project, OWN, NEW)
    assert words is not None
    assert spoken.speak(words) is True
    assert await thanked(spoken) == [NEW]
    assert spoken.speak(None) is False
    assert await thanked(spoken) == [OWN]


async def test_actions_say_the_new_words_too(spoken: Brain, project: Path) -> None:
    from tests.kit.talk import Conversation

    assert spoken.speak(edit(project, "You find us at 14 Mill Lane", "We are at 14 Mill Lane"))
    said = await Conversation(spoken).say("/store_location")
    assert any(text.startswith("We are at 14 Mill Lane") for text in said)


async def test_a_turn_in_hand_ends_with_the_words_it_began_with(
    spoken: Brain, project: Path
) -> None:
    from tests.kit.talk import Conversation, words

    old, new = "Welcome to the tour!", "Was that all of it?"
    before = words((await Conversation(spoken).take("/tour")).replies)
    edit(project, old, "Come along!")
    changed = edit(project, new, "Seen enough?")
    swapped: list[int] = []

    turn = asyncio.create_task(Conversation(spoken).take("/tour"))
    await asyncio.sleep(0)
    while not turn.done() and not swapped:
        await asyncio.sleep(0)
        if len(asyncio.all_tasks()) > 2:
            spoken.speak(changed)
            swapped.append(1)
    assert words((await turn).replies) == before
    assert swapped
    after = words((await Conversation(spoken).take("/tour")).replies)
    assert "Seen enough?" in after
    assert any(text.startswith("Come along!") for text in after)


async def test_the_domain_of_the_files_is_that_of_the_model(brain: Brain) -> None:
    words = read_words(ROOT)
    assert words is not None
    assert words.rest == rest_of(brain._trained.domain.as_dict())
    assert words.responses == brain._trained.domain.responses


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  - tour\n", "  - tour\n  - brand_new\n"),
        ("    influence_conversation: false", "    influence_conversation: true"),
        ("      - order_number\n", "      - order_number\n      - link_code\n"),
    ],
)
async def test_with_anything_else_of_the_domain_changed_the_words_wait_for_training(
    spoken: Brain, project: Path, old: str, new: str
) -> None:
    edit(project, OWN, NEW)
    assert spoken.speak(edit(project, old, new)) is False
    assert await thanked(spoken) == [OWN]


async def test_what_is_live_stays_while_later_words_wait_for_training(
    brain: Brain, project: Path, tmp_path: Path, model: Path
) -> None:
    store: AsyncStore = store_of_kind("sqlite", tmp_path, DOCUMENTS)
    settings = settings_in(tmp_path, model=str(model))
    shown = edit(project, OWN, NEW)
    assert shown is not None
    assert await show(shown, store, settings)
    later = edit(project, "  - tour\n", "  - tour\n  - brand_new\n")
    assert later is not None
    assert not await show(later, store, settings)
    row = await store.get(LiveResponses, LIVE)
    assert row is not None
    assert row.digest == shown.digest
    await store.close()


async def test_words_that_lack_one_the_model_needs_are_not_taken(
    spoken: Brain, project: Path
) -> None:
    words = edit(project, "utter_you_are_welcome:", "utter_you_were_welcome:")
    assert spoken.speak(words) is False
    assert await thanked(spoken) == [OWN]


async def test_words_older_than_the_models_data_are_not_taken(spoken: Brain, project: Path) -> None:
    words = edit(project, OWN, NEW)
    assert words is not None
    old = LiveWords(words.responses, words.rest, spoken._began - timedelta(seconds=1))
    assert spoken.speak(old) is False
    assert await thanked(spoken) == [OWN]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f'    - text: "{OWN}"', f'\t- text: "{OWN}"'),
        (f'    - text: "{OWN}"', "    []"),
        (f'    - text: "{OWN}"', "    just words"),
        ("responses:\n", "responses: [\n"),
        ("responses:\n", "respones:\n"),
    ],
)
def test_of_a_broken_file_no_words_are_read(project: Path, old: str, new: str) -> None:
    assert edit(project, old, new) is None


@pytest.mark.parametrize("kind", KINDS)
async def test_workers_take_up_and_give_back_what_is_in_the_store(
    spoken: Brain, project: Path, tmp_path: Path, kind: str
) -> None:
    store: AsyncStore = store_of_kind(kind, tmp_path, DOCUMENTS)
    thread = BrainThread(lambda: spoken)
    await thread.start()
    live = LiveText(store, thread)
    await live.look()
    words = edit(project, OWN, NEW)
    assert words is not None
    await publish(store, words)
    await live.look()
    assert await thanked(spoken) == [NEW]
    assert not await withdraw(store, "another digest")
    assert await store.get(LiveResponses, LIVE) is not None
    assert await withdraw(store, words.digest)
    await live.look()
    assert await thanked(spoken) == [OWN]
    # Its actions are still needed by other tests: the thread alone is ended.
    thread._loop.call_soon_threadsafe(thread._loop.stop)
    await store.close()


async def test_a_brain_put_in_the_place_of_another_gets_the_words_as_well(tmp_path: Path) -> None:
    class Swapped:
        model_id = "first"

        def __init__(self) -> None:
            self.spoken: list[str] = []

        async def speak(self, words: LiveWords | None) -> bool:
            self.spoken.append(self.model_id if words else "")
            return True

    store = store_of_kind("sqlite", tmp_path, DOCUMENTS)
    brain = Swapped()
    live = LiveText(store, brain)
    words = read_words(ROOT)
    assert words is not None
    await publish(store, words)
    await live.look()
    await live.look()
    brain.model_id = "second"
    await live.look()
    assert brain.spoken == ["first", "second"]
    await store.close()


async def test_a_save_under_watch_is_said_on_the_phone_within_seconds(
    spoken: Brain, project: Path, tmp_path: Path
) -> None:
    from bot.watch_command import Watching

    store = store_of_kind("sqlite", tmp_path, DOCUMENTS)
    thread = BrainThread(lambda: spoken)
    await thread.start()
    lines: list[str] = []
    running = [
        asyncio.create_task(LiveText(store, thread).run()),
        asyncio.create_task(
            Watching(project, lines.append, publish=lambda words: publish(store, words)).run()
        ),
    ]

    async def until_said(wanted: list[str]) -> None:
        async def is_said() -> bool:
            return await thanked(spoken) == wanted

        await until(is_said, pause=0.1)

    async def published() -> bool:
        return await store.get(LiveResponses, LIVE) is not None

    async def refused() -> bool:
        return any(line.endswith("is left as it is") for line in lines)

    await until(published, pause=0.05)
    edit(project, OWN, NEW)
    await until_said([NEW])
    # A fault changes nothing, nor does a save that is only half of one.
    edit(project, f'- text: "{NEW}"', f'- text: "{NEW}')
    await until(refused, pause=0.05)
    await asyncio.sleep(1.2)
    assert await thanked(spoken) == [NEW]
    edit(project, f'- text: "{NEW}', '- text: "Gladly!"')
    await until_said(["Gladly!"])
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    thread._loop.call_soon_threadsafe(thread._loop.stop)
    await store.close()
