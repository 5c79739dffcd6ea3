"""``bot check``: is everything set right, and, asked with ``--online``, does it answer?"""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import redis.asyncio as redis_client

from actions.backends.errors import BackendError
from bot import mail
from bot.data_files import mappings_of, wrong_files
from bot.desk.slack.client import SlackClient, SlackTrouble
from bot.dialogue.checking import check_project, errors_of
from bot.dialogue.checking.files import has_project
from bot.llm.contract import Said
from bot.llm.endpoint import Endpoint, is_here
from bot.llm.engine import Misconfigured, ModelFailed, Request
from bot.media.vault import AsyncVault, open_vault, place_of
from bot.senses import asking
from bot.senses.contract import EngineMissing, NotSensed
from bot.settings import (
    Backend,
    Llm,
    Settings,
    SettingsInvalid,
    SlackAccount,
    Transcription,
    secrets_of,
)
from bot.store import AsyncStore, open_store
from connectors import connector_class
from connectors.base import Connector
from connectors.errors import ConnectorError

INVALID, FAILED, OK = 2, 1, 0

# What says itself what is wrong.
_TOLD = (
    BackendError,
    ConnectorError,
    EngineMissing,
    ModelFailed,
    NotSensed,
    SlackTrouble,
    mail.MailTrouble,
)
# A provider's library that never lets go of a cancelled call must not hang the check.
_CLOSING_SECONDS = 3.0
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
# Tokens: enough for one that thinks aloud before it says a word.
_TINY_ANSWER = 256


@dataclass(frozen=True)
class Probe:
    """One question to the outside: who is asked, how, and what must not be shown."""

    name: str
    ask: Callable[[], Awaitable[str]]
    secrets: tuple[str, ...] = ()


def check(
    load: Callable[[], Settings],
    *,
    online: bool = False,
    timeout: float = 10.0,
    connector_of: Callable[[str], type[Connector]] = connector_class,
    root: Path = Path(),
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Load the settings, and the files of ``data/`` in `root`; tell what is wrong, or what is set.

    Problems go to `err`, one a line. With `online` every account's `identity` and every
    language model is asked, what hears recordings gets a second of silence, models in folders
    are looked at, the store and redis are pinged, all at once, each for at most `timeout`
    seconds.

    Returns the exit status: 0, 1 when something did not answer, 2 when something is wrong.
    """
    out, err = out or sys.stdout, err or sys.stderr
    wrong: list[str] = []
    routing, mappings = "", list[str]()
    try:
        settings = load()
        routing = settings.desk.routing
        mappings = mappings_of(settings)
    except SettingsInvalid as error:
        wrong += map(str, error.problems)
    wrong += wrong_files(root, routing, mappings)
    # An installation may have its model made elsewhere.
    findings = check_project(root) if has_project(root) else []
    wrong += map(str, errors_of(findings))
    if wrong:
        print(*wrong, sep="\n", file=err)
        return INVALID
    for line in describe(settings):
        print(line, file=out)
    for found in findings:
        print(found, file=err)
    if not online:
        return OK
    return asyncio.run(_online(settings, timeout, connector_of, out))


def describe(settings: Settings) -> list[str]:
    """Return what is set, one thing a line, without secrets."""
    server = settings.server
    lines = [
        f"store     {store_place(settings.store.url)}",
        f"redis     {_hosts(settings.redis.url) if settings.redis.url else 'none'}",
        f"media     {place_of(settings)}",
        f"address   http://{_bracketed(server.host)}:{server.port}"
        + (f", public {server.public_url}" if server.public_url else ", no public_url"),
        f"workers   {settings.worker.concurrency}",
        f"data      {settings.var}",
    ]
    for channel, accounts in settings.channels.items():
        for account in accounts:
            api = getattr(account, "api_url", "")
            lines.append(
                f"account   {channel}:{account.account}{f', at {_hosts(api)}' if api else ''}"
            )
    lines += [
        f"account   slack:{account.account}, channel {account.channel}, "
        + ("Socket Mode" if account.app_token else "signed HTTP")
        + (f", at {_hosts(account.api_url)}" if account.api_url else "")
        for account in settings.slack
    ]
    lines += [f"console   {account.account}" for account in settings.console]
    if not settings.channels:
        lines.append("account   none in credentials.yml")
    lines += [f"backend   {part}: {_backend(b)}" for part, b in settings.backends.items()]
    if "shop" not in settings.backends:
        lines.append("backend   shop: the demonstration shop, in the store")
    by = f"at {_hosts(settings.mail.url)}, from {settings.mail.sender}"
    lines.append(f"mail      {by if settings.mail.url else 'none: no codes by mail'}")
    lines += [f"llm       {_model(llm)}" for llm in settings.llm]
    if not settings.llm:
        lines.append("llm       none: articles are quoted")
    lines += _hearing(settings.transcription)
    known, seen = settings.knowledge, settings.perception
    there = "" if Path(known.dir).is_dir() else " (is no folder)"
    lines += [
        f"knowledge {known.dir}{there}, by {known.embeddings or 'words alone'}",
        f"perception {', '.join(seen.languages)}; mood by {seen.sentiment or 'a lexicon'}",
        f"translation {_translation(settings)}",
    ]
    return lines


def _backend(backend: Backend) -> str:
    if backend.kind == "demo":
        return "the demonstration shop, in the store"
    by = f", by {backend.mapping}" if backend.mapping else ""
    return f"{backend.kind} at {_hosts(backend.url)}{by}"


def _translation(settings: Settings) -> str:
    set_up = settings.translation
    own = (settings.perception.languages[0], *set_up.own)
    if set_up.engine == "llm" and settings.llm:
        by = "by the language models"
    elif set_up.engine == "marian":
        by = f"by Marian models, {', '.join(set_up.models)}"
    else:
        by = "none: others are told so and offered a person"
    return f"{by}; own {', '.join(dict.fromkeys(own))}"


def _model(llm: Llm) -> str:
    place = "in each worker" if llm.url.startswith("local:") else f"at {_hosts(llm.url)}"
    masked = llm.mask == "always" or (llm.mask == "auto" and not is_here(llm.url))
    sees = ", is sent pictures as they are" if llm.vision else ""
    return f"{llm.model} {place}, personal data {'' if masked else 'not '}masked{sees}"


def _hearing(told: Transcription) -> list[str]:
    if told.engine == "none":
        return []
    place = f"at {_hosts(told.url)}" if told.engine == "endpoint" else "in each worker"
    return [f"hearing   {told.model} {place}, is sent recordings as they are"]


def store_place(url: str) -> str:
    """Return the kind and place of a store URL without its user and password."""
    if url.startswith("sqlite:"):
        return f"SQLite, {url.removeprefix('sqlite:')}"
    path = url.partition("://")[2].rpartition("@")[2].partition("?")[0]
    return f"MongoDB, {path}"


def _hosts(url: str) -> str:
    # Neither user and password nor the query, where some providers put a key.
    rest = url.partition("://")[2].rpartition("@")[2]
    return rest.partition("?")[0].partition("#")[0]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def scrubbed(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` on one line with every secret in it replaced."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


async def _online(
    settings: Settings,
    timeout: float,
    connector_of: Callable[[str], type[Connector]],
    out: TextIO,
) -> int:
    probes = [Probe("store", lambda: _ping_store(settings.store.url), _parts(settings.store.url))]
    media = AsyncVault(open_vault(settings))
    probes.append(
        Probe("media", media.ping, (*secrets_of(settings.media), *_parts(settings.store.url)))
    )
    if settings.redis.url:
        url = settings.redis.url
        probes.append(Probe("redis", lambda: _ping_redis(url), _parts(url)))
    for channel, accounts in settings.channels.items():
        probes += [_account_probe(channel, account, connector_of) for account in accounts]
    probes += [_slack_probe(account) for account in settings.slack]
    probes += [_backend_probe(part, backend) for part, backend in settings.backends.items()]
    if settings.mail.url:
        ask_mail = partial(asyncio.to_thread, mail.ask, settings.mail)
        probes.append(Probe("mail", ask_mail, secrets_of(settings.mail)))
    probes += [_llm_probe(llm, timeout) for llm in settings.llm]
    probes += _hearing_probes(settings.transcription, timeout)
    for name, model in (
        ("knowledge.embeddings", settings.knowledge.embeddings),
        ("perception.sentiment", settings.perception.sentiment),
        *((f"translation {pair}", model) for pair, model in settings.translation.models.items()),
    ):
        if model:
            probes.append(Probe(name, partial(asyncio.to_thread, _look_at, model)))
    if any(not llm.url.startswith("local:") for llm in settings.llm):
        # Its import may take longer than an answer may.
        importlib.import_module("openai")
    # asyncio logs what a task left behind raised, and that may quote a URL with a token.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    results = await asyncio.gather(*(_answer(probe, timeout) for probe in probes))
    for probe, (ok, said) in zip(probes, results, strict=True):
        verdict = "ok" if ok else "failed"
        print(f"{verdict:<9} {probe.name}: {scrubbed(said, probe.secrets)}", file=out)
    return OK if all(ok for ok, _ in results) else FAILED


async def _answer(probe: Probe, timeout: float) -> tuple[bool, str]:
    task = asyncio.ensure_future(probe.ask())
    done, _ = await asyncio.wait({task}, timeout=timeout)
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=_CLOSING_SECONDS)
        return False, f"no answer within {timeout:g} seconds"
    try:
        return True, task.result()
    except _TOLD as error:
        return False, str(error) or type(error).__name__
    except Exception as error:
        # Whatever a provider's library throws is this account's failure, not the end of
        # the check of the others.
        return False, f"{type(error).__name__}: {error}"


def _account_probe(
    channel: str, account: Any, connector_of: Callable[[str], type[Connector]]
) -> Probe:
    async def ask() -> str:
        connector = connector_of(channel)(account)
        try:
            return await connector.identity()
        finally:
            await asyncio.wait({asyncio.ensure_future(connector.close())}, timeout=_CLOSING_SECONDS)

    return Probe(f"{channel}:{account.account}", ask, secrets_of(account))


def _slack_probe(account: SlackAccount) -> Probe:
    async def ask() -> str:
        client = SlackClient(account)
        try:
            known = await client.call("auth.test")
            # The one thing that is easily forgotten when an app is installed.
            await client.call("conversations.info", channel=account.channel)
        finally:
            await client.close()
        return f"{known.get('user')} in {known.get('team')}, channel {account.channel}"

    return Probe(f"slack:{account.account}", ask, secrets_of(account))


def _backend_probe(part: str, backend: Backend) -> Probe:
    async def ask() -> str:
        from actions.backends.demo import DOCUMENTS
        from actions.backends.opening import opened

        # Asking begins no effect, so that no store has to know of it.
        with TemporaryDirectory() as folder:
            store = AsyncStore(open_store(f"sqlite:{folder}/bot.db"), DOCUMENTS, threads=1)
            shop = await opened({"shop": backend}, store)
            try:
                return await shop.ask()
            finally:
                await shop.close()
                await store.close()

    return Probe(f"backend {part}", ask, secrets_of(backend))


def _llm_probe(llm: Llm, timeout: float) -> Probe:
    ask: Callable[[], Awaitable[str]]
    if llm.url.startswith("local:"):
        ask = partial(asyncio.to_thread, _look_at, llm.model)
    else:
        ask = partial(_ask_model, llm, timeout)
    return Probe(f"llm {llm.model}", ask, (*secrets_of(llm), *_parts(llm.url)))


def _hearing_probes(told: Transcription, timeout: float) -> list[Probe]:
    if told.engine == "none":
        return []
    secrets = (*secrets_of(told), *_parts(told.url))
    return [Probe(f"hearing {told.model}", partial(asking.ask, told, timeout), secrets)]


def _look_at(model: str) -> str:
    """Tell what a name of a model of `transformers` means here. Raises Misconfigured."""
    folder = Path(model)
    if not folder.exists():
        if not _HUB_ID.fullmatch(model):
            raise Misconfigured("there is no such folder")
        return f"{model} is no folder, so the hub is asked for it at its first use"
    if not (folder / "config.json").is_file():
        raise Misconfigured("its folder has no config.json, it is no model that was saved")
    if not any(file.suffix in (".safetensors", ".h5") for file in folder.iterdir()):
        raise Misconfigured("its folder has neither safetensors nor h5 weights")
    return f"folder {model}"


async def _ask_model(llm: Llm, timeout: float) -> str:
    endpoint = Endpoint(llm)
    try:
        # Its list costs nothing, and no wait for a model that has to be loaded first.
        if llm.model in await endpoint.models(timeout):
            return f"{_hosts(llm.url)} has it"
        said = (Said("user", "Answer with the word OK and nothing else."),)
        await endpoint.complete(Request(said, "check", _TINY_ANSWER, timeout))
        return f"{_hosts(llm.url)} answered with it"
    finally:
        await endpoint.close()


async def _ping_store(url: str) -> str:
    store = AsyncStore(open_store(url), threads=1)
    try:
        await store.ping()
    finally:
        await store.close()
    return store_place(url)


async def _ping_redis(url: str) -> str:
    client = redis_client.from_url(url)
    try:
        await client.ping()
    finally:
        await client.close()
    return _hosts(url)


def _parts(url: str) -> tuple[str, ...]:
    """Return the parts of a URL that must not be shown in a driver's error."""
    userinfo = url.partition("://")[2].rpartition("@")[0]
    password = userinfo.partition(":")[2]
    return tuple(p for p in (url if userinfo else "", userinfo, password) if p)
