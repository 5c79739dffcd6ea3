"""Messages with files through real turns: fetched before they are answered, and read once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.desk.watch import Watch
from bot.dialogue.contract import Outcome
from bot.dialogue.heard import Deed, Words
from bot.dialogue.heard import heard as read
from bot.llm.client import Llm
from bot.llm.prompts import load_prompt
from bot.media.folder import FolderVault
from bot.media.keeper import Keeper
from bot.media.seal import Seal
from bot.media.vault import AsyncVault, VaultDown
from bot.message import (
    Album,
    Choice,
    Choices,
    Content,
    Deletion,
    Inbound,
    Media,
    Option,
    Sensed,
    decode,
    encode,
)
from bot.perception.escalation_file import load_escalation
from bot.perception.perceiving import Perceiver
from bot.sandbox.letters import drawn
from bot.sandbox.voices import spoken
from bot.senses import reading
from bot.senses.ears import Ears
from bot.senses.endpoint import Endpoint
from bot.senses.eyes import Eyes
from bot.senses.reading import TRIES, Senses
from bot.settings import Budget, Limits, Transcription
from bot.settings import Media as MediaSettings
from bot.settings import Perception as PerceptionSettings
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import AGENT, Conversation
from bot.store.files import KEPT, REFUSED, WANTED, StoredFile
from bot.store.journal import SENSED, Entry
from bot.store.messages import DONE, PENDING, SENT, Message
from bot.store.turns import Turn
from bot.turn import Turns
from bot.worker import Worker
from connectors.base import File
from connectors.errors import NoFile, RetryLater
from tests.kit.build import address, inbound, row
from tests.kit.channel import CAN, Echo, Line
from tests.kit.chat import Server, chat_server
from tests.kit.waiting import until
from tests.test_turn import leased, pending

WORDS = "Where is my order 1042?"
VOICE = Media("voice", ref="v")
PHOTO = Media("image", ref="p")
QUICK = Limits(poll_seconds=0.02, retry_base_seconds=0.01, retry_cap_seconds=0.02)
ESCALATION = load_escalation()
WATCH = Watch(Perceiver(PerceptionSettings(("en", "de")), ESCALATION), ESCALATION)


class Files(Line):
    """A connector that has files by `ref`; an exception is raised, None never comes."""

    def __init__(self, **files: bytes | Exception | None) -> None:
        super().__init__()
        self.files = files
        self.fetched: list[str] = []

    async def fetch(self, media: Media, most: int) -> File:
        self.fetched.append(media.ref)
        file = self.files[media.ref]
        if file is None:
            await asyncio.Event().wait()
        if isinstance(file, Exception):
            raise file
        assert isinstance(file, bytes)
        return File(file)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with chat_server() as made:
        yield made


class Shop:
    """What one worker process has, but for the brain's own part."""

    def __init__(self, store: AsyncStore, folder: Path, server: Server, line: Files) -> None:
        self.store = store
        self.server = server
        self.line = line
        self.vault = AsyncVault(FolderVault(folder / "media"))
        self.keeper = Keeper(
            store, self.vault, {("line", "shop"): line}, Seal("s"), MediaSettings(), QUICK
        )
        self.brain = Echo()
        self.senses = self.sensing()

    def sensing(self, wait: float = 10.0, ear: str = "honest", **model: Any) -> Senses:
        told = Transcription("endpoint", f"{self.server.url}/llm/v1", ear)
        entry = self.server.model(vision=True, **model)
        eyes = Eyes(Llm([entry], Budget(), None), load_prompt("picture"), "Larkfield Goods", "en")
        ears = Ears(Endpoint(told), told, None)
        return Senses(
            self.store, self.vault, eyes, ears, wait_seconds=wait, fetch=self.keeper.wake.set
        )

    def turns(self, brain: Any = None, watch: Watch | None = None) -> Turns:
        return Turns(
            self.store,
            brain or self.brain,
            lambda channel: CAN,
            turn_seconds=5.0,
            watch=watch,
            senses=self.senses,
        )

    async def takes(self, content: Content, n: int = 1, **more: Any) -> Turn:
        message = await pending(self.store, inbound(content, n=n))
        return await self.turns(**more).take(message, leased())

    @property
    def read(self) -> Content:
        """What the brain was given last."""
        return self.brain.heard[-1].content

    async def file(self, turn: Turn, n: int = 0) -> StoredFile:
        found = await self.store.get(StoredFile, f"{turn.id}:{n}")
        assert found is not None
        return found


Open = Callable[..., Any]


@pytest.fixture
async def shop(
    store: AsyncStore, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Open]:
    """Open a shop whose provider has these files; its keeper works."""
    monkeypatch.setattr(Keeper, "finish_seconds", 0.05)
    async with contextlib.AsyncExitStack() as ends:

        async def opened(**files: bytes | Exception | None) -> Shop:
            given = {"v": spoken(WORDS), "p": drawn("Larkfield Goods\nOrder 1042"), **files}
            made = Shop(store, tmp_path, server, Files(**given))
            working = asyncio.create_task(made.keeper.run())

            async def end() -> None:
                await made.keeper.stop()
                await working
                if made.senses is not None:
                    await made.senses.close()

            ends.push_async_callback(end)
            return made

        yield opened


async def test_a_voice_note_is_the_customers_words(shop: Open) -> None:
    at = await shop()
    turn = await at.takes(VOICE, watch=WATCH)
    assert read(at.read) == Words(WORDS)
    kept = decode(turn.heard)
    assert isinstance(kept, Media)
    assert (kept.ref, kept.sensed) == ("v", (Sensed("spoken", WORDS, by="honest"),))
    assert turn.perception["language"] == "en"
    file = await at.file(turn)
    assert (file.status, file.sensed["words"], file.sense_tries) == (KEPT, WORDS, 1)
    assert file.sensed_at is not None
    assert at.line.fetched == ["v"]


async def test_a_picture_is_a_deed_and_its_caption_words(shop: Open) -> None:
    at = await shop()
    await at.takes(PHOTO)
    assert read(at.read) == Deed("share_image")
    assert at.read.sensed[0].numbers == ("1042",)
    await at.takes(replace(PHOTO, caption="where is it?"), n=2)
    assert read(at.read) == Words("where is it?")
    assert at.read.sensed[0].written == "Larkfield Goods\nOrder 1042"


async def test_a_caption_comes_before_what_is_said(shop: Open) -> None:
    at = await shop()
    await at.takes(replace(VOICE, caption="urgent"))
    assert read(at.read) == Words(f"urgent\n{WORDS}")


async def test_a_picture_sent_as_a_file_is_looked_at_too(shop: Open) -> None:
    at = await shop()
    await at.takes(Media("document", ref="p", mime="image/png"))
    assert read(at.read) == Deed("share_image")
    await at.takes(Media("document", ref="p", mime="application/pdf"), n=2)
    assert read(at.read) == Deed("share_document")


async def test_what_is_said_is_as_sensitive_as_what_is_written(shop: Open) -> None:
    legal = "If I don't get my money back you'll hear from my solicitor."
    at = await shop(v=spoken(legal))
    turn = await at.takes(VOICE, watch=WATCH)
    assert at.brain.heard == []
    case = await at.store.get(Case, turn.id)
    assert case is not None
    assert case.topic == "legal"


async def test_agents_read_beside_the_file_what_a_model_made_of_it(shop: Open) -> None:
    at = await shop()
    turn = await at.takes(Album((VOICE, PHOTO)))
    for _ in range(2):
        await at.turns().deriving.derive(turn, await at.store.get(Message, turn.id))
    entries = await at.store.find(Entry, {"conversation": address().key})
    told = sorted(entry.text for entry in entries)
    assert told == [
        f"a model (honest) heard “{WORDS}”",
        "a model (honest) sees: a label on white paper. It reads: “Larkfield Goods\nOrder 1042”",
    ]
    assert {entry.kind for entry in entries} == {SENSED}


async def test_a_turn_taken_again_pays_nothing(shop: Open) -> None:
    at = await shop()
    hangs = asyncio.Event()

    async def dies(said: Inbound, number: int) -> Outcome | None:
        hangs.set()
        await asyncio.Event().wait()
        return None

    message = await pending(at.store, inbound(VOICE, n=1))
    first = asyncio.create_task(at.turns(Echo(dies)).take(message, leased()))
    await hangs.wait()
    first.cancel()
    await asyncio.wait({first})
    at.senses = at.sensing()
    await at.turns().take(message, leased(epoch=2))
    assert read(at.read) == Words(WORDS)
    assert len(at.server.bodies) == 1
    assert at.line.fetched == ["v"]


async def test_a_file_that_workers_die_of_is_not_asked_about_for_ever(shop: Open) -> None:
    at = await shop()
    at.senses = at.sensing(ear="500")
    message = await pending(at.store, inbound(VOICE, n=1))
    for _ in range(TRIES + 2):
        found = await at.senses.sensed([message], VOICE)
    assert found.sensed[0].failed == "refused"
    assert len(at.server.bodies) == TRIES


async def test_what_will_never_be_read_is_not_asked_about_again(shop: Open) -> None:
    at = await shop(v=spoken(""))
    message = await pending(at.store, inbound(VOICE, n=1))
    for _ in range(2):
        found = await at.senses.sensed([message], VOICE)
        assert found.sensed[0].failed == "unclear"
    assert len(at.server.bodies) == 1


async def test_a_message_that_workers_died_of_has_no_file_read(shop: Open) -> None:
    at = await shop()
    message = await pending(at.store, inbound(VOICE, n=1))
    await at.turns().take(message, leased(), hopeless="3 workers died")
    assert at.server.bodies == []


@pytest.mark.parametrize(
    ("file", "failed"),
    [
        (None, "late"),
        (RetryLater("busy", 60.0), "late"),
        (NoFile("it is gone"), "refused"),
        (b"%PDF-1.7 no sound", "refused"),
    ],
)
async def test_without_its_file_a_message_is_answered_all_the_same(
    shop: Open, file: Any, failed: str
) -> None:
    at = await shop(v=file)
    at.senses = at.sensing(wait=0.2)
    turn = await at.takes(VOICE)
    assert read(at.read) == Deed("share_audio")
    assert at.read.sensed == (Sensed("spoken", failed=failed),)
    message = await at.store.get(Message, turn.id)
    assert message.status == DONE
    assert (await at.file(turn)).status == (REFUSED if failed == "refused" else WANTED)


@pytest.mark.parametrize(("manner", "failed"), [("500", "down"), ("deaf", "format")])
async def test_without_its_model_too_and_the_file_is_kept(
    shop: Open, manner: str, failed: str
) -> None:
    at = await shop()
    at.senses = at.sensing(ear=manner)
    turn = await at.takes(VOICE)
    assert at.read.sensed == (Sensed("spoken", failed=failed),)
    assert (await at.file(turn)).status == KEPT
    assert not await at.store.count(Entry, {"conversation": address().key})


async def test_a_bug_of_ours_does_not_cost_the_answer(
    shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await shop()
    monkeypatch.setattr("bot.senses.ears.seconds", lambda data: 1 / 0)
    await at.takes(VOICE)
    assert at.read.sensed == (Sensed("spoken", failed="down"),)


async def test_a_model_that_never_ends_is_left(shop: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    at = await shop()
    at.server.models.seconds = 5.0
    at.senses = at.sensing(ear="slow")
    monkeypatch.setattr(reading, "_MODEL_SECONDS", 0.1)
    await at.takes(VOICE)
    assert at.read.sensed == (Sensed("spoken", failed="late"),)


async def test_a_vault_that_is_down_is_the_stores_failure(
    shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await shop()
    message = await pending(at.store, inbound(VOICE, n=1))
    down = VaultDown("no disk")

    async def fails(key: str) -> bytes:
        raise down

    monkeypatch.setattr(at.vault, "get", fails)
    with pytest.raises(VaultDown):
        await at.turns().take(message, leased())
    assert (await at.store.get(Message, message.id)).status == PENDING


async def test_each_picture_of_an_album_is_looked_at_up_to_a_number(shop: Open) -> None:
    pictures = {f"p{n}": drawn(f"Order {1000 + n}") for n in range(6)}
    at = await shop(**pictures)
    rows = [
        await pending(at.store, replace(inbound(Media("image", ref=ref), n=n), album="a"))
        for n, ref in enumerate(pictures)
    ]
    turn = await at.turns().take(rows[0], leased(), behind=rows[1:])
    assert len(turn.folded) == 5
    album = decode(turn.heard)
    assert isinstance(album, Album)
    numbers = [one.sensed[0].numbers if one.sensed else None for one in album.items]
    assert numbers == [("1000",), ("1001",), ("1002",), ("1003",), None, None]


async def test_an_option_may_be_said(shop: Open) -> None:
    at = await shop(v=spoken("Track an order."))
    asked = Choices(
        "What?", (Option("Opening hours", "/hours"), Option("Track an order", "/track"))
    )
    await at.store.insert(row(asked, status=SENT, turn="t"))
    turn = await at.takes(VOICE)
    assert decode(turn.heard) == Choice("/track", "Track an order", "")


async def test_with_an_agent_what_is_said_is_written_down_and_pictures_are_his(
    shop: Open,
) -> None:
    at = await shop()
    held = leased(holder=AGENT, epoch=2)
    await at.store.insert(held)
    for n, media in enumerate((VOICE, PHOTO)):
        message = await pending(at.store, inbound(media, n=n))
        await at.turns(watch=WATCH).take(message, held)
    (entry,) = await at.store.find(Entry, {"conversation": address().key})
    assert WORDS in entry.text
    assert at.brain.heard == []
    assert len(at.server.bodies) == 1


async def test_what_was_taken_back_is_neither_fetched_nor_read(shop: Open) -> None:
    at = await shop()
    message = await pending(at.store, inbound(VOICE, n=1))
    gone = await pending(at.store, inbound(Deletion("ann-1"), n=2))
    await at.turns().take(message, leased(), behind=[gone])
    assert at.line.fetched == []
    assert at.server.bodies == []


async def test_others_are_answered_while_one_waits_for_its_file(
    shop: Open, store: AsyncStore
) -> None:
    at = await shop(v=None)
    at.senses = at.sensing(wait=2.0)
    limits = replace(QUICK, lease_seconds=1.0)
    worker = Worker(store, at.turns(), limits, lambda: None)
    slow = await pending(store, inbound(VOICE, user="ann", n=1))
    working = asyncio.create_task(worker.run())
    file = f"{slow.id}:0"
    await until(lambda: store.get(StoredFile, file))
    other = await pending(store, inbound("hello", user="ben", n=1))
    worker.wake.set()

    async def done(message: Message) -> bool:
        return (await store.get(Message, message.id)).status == DONE

    await until(lambda: done(other))
    assert not await done(slow)
    await until(lambda: done(slow))
    await worker.stop()
    await working
    # One worker held it all the time.
    conversation = await store.get(Conversation, slow.conversation)
    assert conversation.lease_epoch == 1
    turn = await store.get(Turn, slow.id)
    assert decode(turn.heard).sensed == (Sensed("spoken", failed="late"),)


async def test_without_senses_nothing_is_fetched_before_the_turn(shop: Open) -> None:
    at = await shop()
    at.senses = None
    turn = await at.takes(VOICE)
    assert turn.heard == encode(VOICE)
    assert await at.store.count(StoredFile, {"message": turn.id}) == 0


async def test_other_files_are_left_alone(shop: Open) -> None:
    at = await shop()
    for n, media in enumerate((Media("video", ref="v"), Media("sticker", ref="p"))):
        turn = await at.takes(media, n=n)
        assert turn.heard == encode(media)
    assert at.server.bodies == []


def test_what_a_model_made_of_a_file_can_be_kept_and_read_back() -> None:
    told = Sensed("seen", "a mug", "m", False, "Order 1042", ("1042",), True)
    media = replace(PHOTO, sensed=(told,))
    assert decode(encode(Album((media, VOICE)))) == Album((media, VOICE))
    assert "sensed" not in encode(VOICE)
