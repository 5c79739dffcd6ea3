"""The roles: what one process of each does from its start until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiohttp import web

from bot.attention import Attention
from bot.consent import load_rules
from bot.desk_roles import DeskDoors, DeskWork
from bot.ending import end
from bot.gateway import Gateway
from bot.identity import settle
from bot.identity.post import Post
from bot.identity.reaching import Ways
from bot.identity.reaching import provide as provide_ways
from bot.inbox import Inbox
from bot.media.keeper import Keeper
from bot.media.seal import Seal
from bot.media.shelf import Shelf
from bot.media.vault import AsyncVault, open_vault
from bot.outbox import Outbox
from bot.presence import say_so
from bot.rate import rates
from bot.rounds import Rounds
from bot.settings import Settings
from bot.store import AsyncStore, StoreError, open_store
from bot.store.documents import DOCUMENTS
from bot.store.files import wanted
from bot.store.wake import Bells, open_bells
from connectors import CHANNELS, connector_class
from connectors.base import Connector

log = logging.getLogger(__name__)

# A worker's turn in hand gets this long, in seconds, before its process ends anyway; the
# supervisor kills after ten.
_FINISH_SECONDS = 8.0
#: Names the descriptor of a listening socket that `bot run` made for this process.
LISTENER = "FRONTDESK_LISTENER"
_BACKLOG = 1024
# Of a turn's time an action may take this much: a language model is slow, and a turn that
# was given up says less than one that quotes an article instead.
_ACTION_SHARE = 0.8
_SETTLE_PAUSE = 10.0


def heavy_modules(settings: Settings) -> list[str]:
    """Return the modules that every worker needs beside the brain's, to be imported once."""
    names = ["bot.desk.opening", "bot.knowledge.opening", "bot.turn", "bot.worker"]
    names += ["bot.translation.opening"]
    if any(llm.vision for llm in settings.llm):
        names.append("PIL.Image")
    names += ["lingua", "Stemmer", "sklearn.feature_extraction.text", "scipy.sparse"]
    if settings.llm:
        names += ["jsonschema", "bot.llm.masking"]
    if any(llm.url.startswith("http") for llm in settings.llm):
        names.append("openai")
    return names


class CannotListen(Exception):
    """An address cannot be listened on; the text says which and why."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises CannotListen."""
    try:
        return socket.create_server(
            (host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            backlog=_BACKLOG,
        )
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise CannotListen(f"cannot listen on {host}:{port}: {reason}") from error


def listener(host: str, port: int) -> socket.socket:
    """Return the socket that `bot run` made for this process, or `listen`. Raises CannotListen."""
    if LISTENER in os.environ:
        return socket.socket(fileno=int(os.environ[LISTENER]))
    return listen(host, port)


def store_of(settings: Settings) -> AsyncStore:
    """Return the configured store; its collections are made at the first use."""
    return AsyncStore(open_store(settings.store.url), DOCUMENTS)


def connectors_of(settings: Settings) -> dict[tuple[str, str], Connector]:
    """Return a connector for each configured account."""
    return {
        (channel, account.account): connector_class(channel)(account)
        for channel, accounts in settings.channels.items()
        for account in accounts
    }


def address_of(settings: Settings) -> str:
    """Return the gateway's own URL, for people and programs on this machine."""
    host = settings.server.host
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


def sandbox_of(settings: Settings) -> str:
    """Return the URL of the sandbox and its page."""
    return f"http://{settings.sandbox.host}:{settings.sandbox.port}"


async def told_to_stop(leash: int | None = None) -> None:
    """Return at SIGTERM or SIGINT, or when whoever started this process is gone."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if leash is None and os.environ.get("FRONTDESK_SUPERVISED") == "1":
        leash = sys.stdin.fileno()
    if leash is not None:
        loop.add_reader(leash, _ended, leash, stop)
    await stop.wait()
    if leash is not None:
        loop.remove_reader(leash)


def _ended(leash: int, stop: asyncio.Event) -> None:
    if not os.read(leash, 1024):
        stop.set()


async def gateway(settings: Settings) -> int:
    """Run a gateway until told to stop."""
    store = store_of(settings)
    bells = open_bells(settings.var, settings.redis.url, {"sent", "in", "desk"})
    await bells.open()
    vault = AsyncVault(open_vault(settings))
    doors = DeskDoors(settings, store, bells, vault)
    gate = Gateway(
        store,
        Inbox(store, bells),
        connectors_of(settings),
        body_limit=settings.server.body_limit,
        public_url=settings.server.public_url,
        shelf=Shelf(store, vault, Seal.of(settings), settings.media.max_bytes),
        beside=doors.routes,
    )

    async def close_doors(app: web.Application) -> None:
        await doors.close()

    gate.app.on_shutdown.append(close_doors)
    runner = web.AppRunner(gate.app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    door = listener(settings.server.host, settings.server.port)
    await web.SockSite(runner, door, backlog=_BACKLOG).start()
    log.info("listening on %s", address_of(settings))
    running = [
        asyncio.create_task(_announce(gate, doors, bells), name="bells"),
        asyncio.create_task(doors.run(), name="slack"),
        asyncio.create_task(say_so(store), name="presence"),
    ]
    await told_to_stop()
    await end(*running)
    await runner.cleanup()
    await bells.close()
    await store.close()
    return 0


async def _announce(gate: Gateway, doors: DeskDoors, bells: Bells) -> None:
    while True:
        try:
            rung = await bells.wait(1.0)
            if "sent" in rung:
                await gate.announce()
            if rung:
                await doors.changed()
        except Exception:
            # Web chats and the console look by themselves now and then, but seconds late.
            log.exception("what waits for news could not be woken")
            await asyncio.sleep(1.0)


async def worker(settings: Settings, leash: int | None = None, processes: int = 1) -> int:
    """Run a worker until told to stop. It sends from the start, and answers once it has a brain.

    `processes` is how many of them this host runs: they share the providers' rates.
    """
    from actions.backends import opening as shops
    from actions.rules import load_rules as what_may_be_done
    from bot.desk.assist.opening import open_assist
    from bot.desk.opening import open_watch
    from bot.desk.routing_file import load_routing
    from bot.dialogue.brain import Brain
    from bot.dialogue.following import Follower
    from bot.dialogue.live import LiveText
    from bot.dialogue.promoting import Models
    from bot.insight.rollup import Rollup
    from bot.interpreting import Interpreter
    from bot.knowledge.opening import open_answering
    from bot.knowledge.service import provide
    from bot.learning.gathering import Gatherer
    from bot.memory_roles import Remembering
    from bot.senses.opening import open_senses
    from bot.translation.opening import Telling, open_translator
    from bot.translation.words_file import load_words
    from bot.turn import Turns
    from bot.worker import Worker

    store = store_of(settings)
    bells = open_bells(settings.var, settings.redis.url, {"in", "out", "desk", "model"})
    await bells.open()
    connectors = connectors_of(settings)
    outbox = Outbox(
        store,
        connectors,
        settings.limits,
        lambda: bells.ring("sent"),
        rates(settings.redis.url, processes),
    )
    vault = AsyncVault(open_vault(settings))
    keeper = Keeper(
        store,
        vault,
        connectors,
        Seal.of(settings),
        settings.media,
        settings.limits,
    )
    # The actions run in this process and find the same store by these.
    public_url = settings.server.public_url or address_of(settings)
    os.environ["FRONTDESK_STORE_URL"] = settings.store.url
    os.environ["FRONTDESK_PUBLIC_URL"] = public_url
    shops.configure(settings.backends)
    texts = settings.channels.get("sms", ())
    sms = texts[0].account if texts else ""
    provide_ways(Ways(bool(settings.mail.url), sms))
    post = Post(store, settings.mail, sms, settings.limits)
    answering = open_answering(settings, store)
    provide(answering)
    assist = open_assist(settings, store, answering=answering)
    routing = load_routing(Path(settings.desk.routing))
    desk = DeskWork(
        settings,
        store,
        bells,
        routing=routing,
        vault=vault,
        helps=assist,
        public_url=public_url,
        sent=outbox.wake.set,
    )
    wakes = {"out": [outbox.wake.set], "in": [desk.changed], "desk": [desk.wake]}
    rounds: list[Rounds] = [
        outbox,
        keeper,
        post,
        *desk.rounds,
        Rollup(store, settings.limits),
        Gatherer(store, settings.limits),
    ]
    running = [
        *(asyncio.create_task(one.run(), name=type(one).__name__.lower()) for one in rounds),
        asyncio.create_task(_listen(bells, wakes), name="bells"),
    ]
    stopping = asyncio.create_task(told_to_stop(leash))

    watch = open_watch(settings, store, routing)
    translator = open_translator(settings, store)
    company, *_ = settings.perception.languages
    interpreter = Interpreter(
        translator,
        load_words(),
        company,
        settings.translation.own,
        tells=Telling(settings.perception.languages),
    )
    remembering = Remembering(settings, store, vault)
    rounds += remembering.rounds
    running += [asyncio.create_task(r.run(), name="memory") for r in remembering.rounds]
    senses = open_senses(settings, store, vault, keeper.wake.set)
    action_seconds = settings.limits.turn_seconds * _ACTION_SHARE
    resolves = frozenset(what_may_be_done().resolving.intents if settings.llm else ())
    follower = Follower(
        Models(store, vault),
        Path(settings.model),
        lambda path: Brain.load(path, action_seconds=action_seconds, resolves=resolves),
    )
    brain = follower.brain
    wakes["model"] = [follower.wake.set]
    loading = asyncio.create_task(follower.start(), name="loading")
    running.append(asyncio.create_task(_settle(store), name="identity"))
    await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
    attention = Attention(connectors)
    if loading.done():
        await loading
        brain.beside(answering.ready())
        turns = Turns(
            store,
            brain,
            lambda channel: connector_class(channel).capabilities,
            turn_seconds=settings.limits.turn_seconds,
            rules=load_rules(channels=CHANNELS),
            files=wanted,
            watch=watch,
            interpreter=interpreter,
            memory=remembering.memories,
            senses=senses,
        )

        def answered() -> None:
            outbox.wake.set()
            keeper.wake.set()
            post.wake.set()
            desk.changed()

        works = Worker(store, turns, settings.limits, answered, attention)
        wakes["in"].append(works.wake.set)
        rounds.append(works)
        running.append(asyncio.create_task(works.run(), name="worker"))
        patience = settings.limits.turn_seconds * 2
        running.append(asyncio.create_task(brain.watch(patience), name="brain"))
        running.append(asyncio.create_task(follower.run(), name="follower"))
        running.append(asyncio.create_task(LiveText(store, brain).run(), name="live words"))
        log.info("ready, model %s", follower.name)
    else:
        # Told to stop before there was a brain: nothing is fetched for it any more.
        running.append(loading)

    await asyncio.wait({stopping, *running}, return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in running if task.done() and task.exception()]
    with contextlib.suppress(asyncio.TimeoutError):
        stops = [one.stop() for one in rounds]
        await asyncio.wait_for(asyncio.gather(*stops), _FINISH_SECONDS)
    await end(*running)
    await attention.close()
    await remembering.close()
    await desk.close()
    assist.close()
    if senses is not None:
        await senses.close()
    for connector in connectors.values():
        await connector.close()
    # The brain's thread has connections of its own to the shop.
    await shops.close()
    brain.close()
    if translator is not None:
        await translator.close()
    await bells.close()
    await store.close()
    for task in failed:
        log.error("%s failed", task.get_name(), exc_info=task.exception())
    return 1 if failed else 0


async def _settle(store: AsyncStore) -> None:
    """Finish what workers that died left of joining customers, then wait."""
    while True:
        try:
            await settle(store)
            break
        except StoreError as error:
            log.error("customers could not be settled, trying again: %s", error)
            await asyncio.sleep(_SETTLE_PAUSE)
    await asyncio.Event().wait()


async def _listen(bells: Bells, wakes: Mapping[str, Sequence[Callable[[], None]]]) -> None:
    while True:
        for topic in await bells.wait(5.0):
            for wake in wakes.get(topic, ()):
                wake()
