"""Where scenarios are played: a worker's real parts in this process, and customers' phones.

Store, inbox, worker, turn, brain, perception, knowledge, desk and outbox are those of
``bot run``; only the providers' networks are left out, for `Handset`s, and agents' clicks are
wished for as the console wishes for them. A worker can die as it commits a turn.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import web

from bench.answers.shelf import Shelf
from bot.consent import ConsentRules, load_rules
from bot.desk.clerk import Clerk
from bot.desk.deadlines import Deadlines
from bot.desk.deeds import wish
from bot.desk.desk import Desk
from bot.desk.watch import Watch
from bot.identity.meeting import customer_of
from bot.identity.post import Post
from bot.identity.reaching import Ways
from bot.identity.reaching import provide as provide_ways
from bot.inbox import Inbox
from bot.interpreting import Interpreter
from bot.knowledge.answering import Answering
from bot.knowledge.contract import Sheet
from bot.knowledge.service import provide
from bot.learning.lessons import forget as forget_lessons
from bot.llm.client import Llm
from bot.llm.prompts import load_prompts
from bot.media.vault import AsyncVault, open_vault
from bot.memory.asking import ask
from bot.memory.erasing import Eraser
from bot.memory.file import MEMORY_FILE, load_memory
from bot.memory.service import Memories
from bot.message import Address, Content, Inbound, Profile
from bot.outbox import Outbox
from bot.rate import LocalRate
from bot.sandbox.llm import ChatModels
from bot.sandbox.smtp import Smtp
from bot.settings import Budget, Mail
from bot.settings import Llm as Entry
from bot.store import AsyncStore
from bot.store.deeds import PENDING as WISHED
from bot.store.deeds import Deed
from bot.store.files import wanted
from bot.store.memory import FORGOTTEN
from bot.store.messages import PENDING, UNSENT, Message
from bot.store.proofs import HANDING, QUEUED, SENDING, Challenge
from bot.store.turns import Turn
from bot.store.wake import LocalBell
from bot.translation.opening import Telling, open_translator
from bot.translation.words_file import load_words
from bot.turn import Turns
from bot.worker import Worker
from connectors import CHANNELS, connector_class
from tests.kit.at_desk import PEOPLE, deed
from tests.kit.handset import ACCOUNT, Handset
from tests.kit.processes import QUICK, Failing, Machine
from tests.kit.settings import settings_in
from tests.kit.waiting import until

_LIMITS = replace(QUICK, turn_seconds=60.0, lease_seconds=30.0)
_numbers = itertools.count(1)


@dataclass
class Company:
    """What all scenarios share, for it takes long to load: the brain, and what it knows."""

    load: Callable[[frozenset[str]], Any]
    watch: Watch
    rules: ConsentRules
    shelf: Shelf
    root: Path

    @classmethod
    def of(cls, load: Callable[[frozenset[str]], Any], watch: Watch, root: Path) -> Company:
        """Read the company's own files; `load` gives a brain that acts on these intents."""
        return cls(
            load,
            watch,
            load_rules(channels=CHANNELS),
            Shelf.of(root / "data" / "knowledge"),
            root,
        )


class _Mortal(Failing):
    """The store of a worker that dies at the commit of its next turn, once `doomed` says how."""

    doomed = ""

    async def insert(self, document: Any) -> Any:
        self.check()
        if self.doomed and isinstance(document, Turn):
            if self.doomed == "after":
                await self._store.insert(document)
            self.alive = False
            self._killed()
            self.check()
        return await self._store.insert(document)


class _Host:
    """One worker process."""

    def __init__(self, stage: Stage) -> None:
        self.name = f"worker {next(_numbers)}"
        self._machine = stage.machine
        self.store = _Mortal(stage.store, killed=self._die)
        company = stage.company
        turns = Turns(
            self.store,  # type: ignore[arg-type]
            company.load(stage.resolves),
            lambda channel: connector_class(channel).capabilities,
            turn_seconds=_LIMITS.turn_seconds,
            rules=company.rules,
            files=wanted,
            watch=company.watch,
            interpreter=stage.interpreter,
            memory=stage.memories,
        )
        phones = {(name, ACCOUNT): phone for name, phone in stage.phones.items()}
        self.outbox = Outbox(
            self.store,  # type: ignore[arg-type]
            phones,
            _LIMITS,
            lambda: None,
            lambda _name, _rate: LocalRate(1000.0),
        )
        self.worker = Worker(self.store, turns, _LIMITS, self.outbox.wake.set)  # type: ignore[arg-type]
        with self._machine.being(self.name):
            self._tasks = [asyncio.create_task(one.run()) for one in (self.worker, self.outbox)]

    def wake(self) -> None:
        self.worker.wake.set()
        self.outbox.wake.set()

    def _die(self) -> None:
        self._machine.dead.add(self.name)
        for task in self._all():
            task.cancel()

    async def end(self) -> None:
        if self.store.alive:
            with self._machine.being(self.name):
                await asyncio.gather(self.worker.stop(), self.outbox.stop())
        for task in self._all():
            task.cancel()
        await asyncio.gather(*self._all(), return_exceptions=True)

    def _all(self) -> list[asyncio.Task[None]]:
        return [*self._tasks, *self.worker._serving.values(), *self.outbox._serving.values()]


class Stage:
    """One scenario's world. `phones` are by channel."""

    def __init__(
        self,
        company: Company,
        store: AsyncStore,
        machine: Machine,
        folder: Path,
        resolves: frozenset[str] = frozenset(),
        box: MailBox | None = None,
        models: tuple[Entry, ...] = (),
    ) -> None:
        settings = settings_in(folder, llm=models)
        languages = settings.perception.languages
        self.translator = open_translator(settings, store, company.root)
        self.interpreter = Interpreter(
            self.translator,
            load_words(),
            languages[0],
            settings.translation.own,
            tells=Telling(languages),
        )
        self.memories = Memories(
            store, load_memory(company.root / MEMORY_FILE), None, summed=bool(models)
        )
        self._vault = AsyncVault(open_vault(settings))
        self.company = company
        self.resolves = resolves
        self.box = box
        self.store = store
        self.machine = machine
        self.phones = {channel: Handset(channel) for channel in CHANNELS}
        self._inbox = Inbox(store, LocalBell(folder))
        server = box.server if box is not None else Mail()
        provide_ways(Ways(bool(server.url), ""))
        self._post = Post(store, server, "", _LIMITS)
        self._posting = asyncio.create_task(self._post.run())
        self._hosts = [_Host(self)]
        routing = company.watch.routing
        assert routing is not None
        self._routing = routing
        can: Callable[[str], Any] = lambda channel: connector_class(channel).capabilities  # noqa: E731
        desk = Desk(store, routing=routing, people=PEOPLE, capabilities=can)
        self._clerk = Clerk(store, desk, _LIMITS, self.wake)
        self._clerking = asyncio.create_task(self._clerk.run())

    @property
    def host(self) -> _Host:
        """The worker that lives."""
        return self._hosts[-1]

    def wake(self) -> None:
        self.host.wake()

    async def arrives(self, said: Inbound) -> int:
        """Let a message arrive; return how many are new: 0 for one delivered again."""
        fresh = await self._inbox.accept([said])
        self.wake()
        await self.settle()
        return fresh

    async def dies(self, when: str) -> None:
        """Let the worker die ``before`` or ``after`` the commit of its next turn."""
        self.host.store.doomed = when

    async def wishes(self, kind: str, agent: str, conversation: str, text: str = "") -> Deed:
        """Let an agent do something, and return what became of it."""
        wanted_ = deed(kind, agent, text, conversation=conversation)
        await wish(self.store, wanted_)
        self._clerk.wake.set()
        await self.settle()
        done = await self.store.get(Deed, wanted_.id)
        assert done is not None
        return done

    async def forgets(self, address: str) -> bool:
        """Forget whoever writes from an address, as ``bot customer forget`` and workers do."""
        found = await customer_of(self.store, Address.parse(address))
        if found is None:
            return False
        row = await ask(self.store, found, by="cli")
        done = await Eraser(self.store, self._vault, lessons=forget_lessons).work(row.id)
        return bool(done.status == FORGOTTEN)

    async def looks(self) -> None:
        """Let the desk look at its clock, as it does every few seconds."""
        await Deadlines(self.store, self._routing, _LIMITS, self.wake).look()
        self.wake()
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is left to be answered, done or sent."""
        await until(self._quiet, timeout=60.0, pause=0.01)

    async def _quiet(self) -> bool:
        if not self.host.store.alive:
            self._hosts.append(_Host(self))
        count = self.store.count
        return not (
            await count(Message, {"direction": "in", "status": PENDING})
            or await count(Deed, {"status": WISHED})
            or await count(Message, {"direction": "out", "status": {"$in": UNSENT}})
            or await count(Challenge, {"status": {"$in": (QUEUED, SENDING, HANDING)}})
        )

    async def close(self) -> None:
        for host in self._hosts:
            await host.end()
        await asyncio.gather(self._clerk.stop(), self._post.stop())
        for task in (self._clerking, self._posting):
            task.cancel()
        await asyncio.gather(self._clerking, self._posting, return_exceptions=True)
        provide_ways(Ways(False, ""))
        if self.translator is not None:
            await self.translator.close()


class MailBox:
    """The sandbox's mail server, and the mails that customers got."""

    def __init__(self) -> None:
        self._smtp = Smtp(lambda event: None)
        self.server = Mail()
        self._read = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[MailBox]:
        """Listen for as long as the body lasts."""
        port = await self._smtp.start("127.0.0.1", 0)
        self.server = Mail(f"smtp://127.0.0.1:{port}", sender="Larkfield <help@larkfield.example>")
        try:
            yield self
        finally:
            await self._smtp.close()

    def unread(self) -> list[dict[str, Any]]:
        """Return the mails since the last call."""
        mails = list(self._smtp.mails)
        new, self._read = mails[self._read :], len(mails)
        return new


@asynccontextmanager
async def _served(manner: str) -> AsyncIterator[tuple[Llm, Entry]]:
    """The sandbox's models over HTTP, with a client that is as patient as a slow machine needs."""
    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.add_routes(ChatModels().routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/llm/v1"
    entry = Entry(url, manner, timeout_seconds=60.0, first_seconds=60.0)
    client = Llm([entry], Budget(), None)
    try:
        yield client, entry
    finally:
        await client.close()
        await runner.cleanup()


@asynccontextmanager
async def knowing(company: Company, model: str) -> AsyncIterator[tuple[Entry, ...]]:
    """Let the bot answer from the company's articles, with a model of that manner or, "", none.

    Yields the models' settings.
    """
    prompts = load_prompts(company.root / "data" / "prompts")
    sheet = Sheet("Larkfield Goods")
    if not model:
        provide(Answering(company.shelf, None, prompts, sheet))
        yield ()
        return
    async with _served(model) as (llm, entry):
        provide(Answering(company.shelf, llm, prompts, sheet))
        yield (entry,)


def said(channel: str, user: str, id: str, content: Content, name: str = "") -> Inbound:
    """A customer's message as a connector gives it."""
    return Inbound(Address(channel, ACCOUNT, user), id, content, profile=Profile(name))
