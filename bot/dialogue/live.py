"""Changed words of the bot, live in seconds and without training.

``bot watch`` puts the section ``responses`` of the domain, as one row, into the store. Each
worker looks for it every second and says those words instead of its model's, whole or not at
all, see `Brain.speak`. Imports nothing heavy.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bot.dialogue.checking.files import data_files, domain_files
from bot.dialogue.checking.finding import Findings, errors_of
from bot.dialogue.checking.reading import Map, plain, read
from bot.message import utcnow
from bot.store import AsyncStore, StoreError
from bot.store.live import LIVE, LiveResponses

log = logging.getLogger(__name__)

#: Seconds between two looks at the store.
_POLL = 1.0
#: Lists in a domain whose order means nothing; Rasa sorts some of them.
_UNORDERED = ("intents", "entities", "actions", "e2e_actions")
_NOT_THE_REST = ("responses", "version")


@dataclass(frozen=True)
class LiveWords:
    """Responses by name, as Rasa's domain has them, and what identifies all else in it.

    `at` is before they were read.
    """

    responses: dict[str, list[dict[str, Any]]]
    rest: str
    at: datetime

    @property
    def digest(self) -> str:
        """What identifies them."""
        return _digest([self.responses, self.rest])


class Speaks(Protocol):
    """The part of `bot.dialogue.thread.BrainThread` that is used here."""

    @property
    def model_id(self) -> str:
        """See `BrainThread.model_id`."""

    async def speak(self, words: LiveWords | None) -> bool:
        """See `BrainThread.speak`."""


def rest_of(domain: Mapping[str, Any]) -> str:
    """Return what identifies a domain without its responses, however it was read."""
    kept = {key: value for key, value in domain.items() if key not in _NOT_THE_REST and value}
    for key in _UNORDERED:
        if isinstance(kept.get(key), list):
            kept[key] = sorted(kept[key], key=lambda one: json.dumps(one, sort_keys=True))
    return _digest(kept)


def fits(words: LiveWords, domain: Mapping[str, Any]) -> bool:
    """Tell whether a model of that domain can say these words: only words may have changed."""
    own = domain.get("responses") or {}
    return words.responses.keys() >= own.keys() and words.rest == rest_of(domain)


def domain_in(archive: Path) -> dict[str, Any] | None:
    """Return the domain that a model was trained with; None when the file cannot be read."""
    try:
        with tarfile.open(archive) as model:
            told = model.extractfile("metadata.json")
            found = json.load(told)["domain"] if told else None
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError):
        return None
    return found if isinstance(found, dict) else None


def read_words(root: Path) -> LiveWords | None:
    """Read the responses of the project below `root`; None when a file cannot be read whole.

    Whether they are right is for `bot.dialogue.checking.check_project` to say.
    """
    at = utcnow()
    findings = Findings()
    domain: dict[str, Any] = {}
    responses: dict[str, Any] = {}
    paths = [*domain_files(root), *data_files(root)]
    for number, path in enumerate(paths):
        top = read(path, path.name, findings)
        if top is None:
            return None
        found = plain(top.get("responses"))
        responses.update(found if isinstance(found, dict) else {})
        if number < len(domain_files(root)):
            _merge(domain, top)
    if errors_of(findings.all()):
        return None
    whole = all(
        isinstance(some, list) and some and all(isinstance(one, dict) for one in some)
        for some in responses.values()
    )
    return LiveWords(responses, rest_of(domain), at) if whole and responses else None


def _merge(domain: dict[str, Any], top: Map) -> None:
    for key, pair in top.pairs.items():
        value = plain(pair.value)
        known = domain.get(key)
        if isinstance(known, list) and isinstance(value, list):
            domain[key] = known + [one for one in value if one not in known]
        elif isinstance(known, dict) and isinstance(value, dict):
            domain[key] = {**known, **value}
        else:
            domain[key] = value


async def publish(store: AsyncStore, words: LiveWords) -> None:
    """Have every worker say these words."""
    await store.put(
        LiveResponses(
            id=LIVE, responses=words.responses, rest=words.rest, digest=words.digest, at=words.at
        )
    )


async def withdraw(store: AsyncStore, digest: str = "") -> bool:
    """Take the live words away, with `digest` only if they are those; tell whether it was done."""
    where = {"id": LIVE, **({"digest": digest} if digest else {})}
    return await store.delete(LiveResponses, where) > 0


class LiveText:
    """Sees that a worker's brain says what ``bot watch`` has put into the store."""

    def __init__(self, store: AsyncStore, brain: Speaks) -> None:
        self._store = store
        self._brain = brain
        self._done = ("", "")

    async def run(self) -> None:
        """Look every second, until cancelled. A store that is down changes nothing."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.debug("live words cannot be had now: %s", error)
            except Exception:
                # The words a designer tries out are not worth a worker.
                log.exception("live words cannot be taken up")
                await asyncio.sleep(10 * _POLL)
            await asyncio.sleep(_POLL)

    async def look(self) -> None:
        """Take up what is in the store if that, or the model, is another one than before."""
        row = await self._store.get(LiveResponses, LIVE)
        now = (self._brain.model_id, f"{row.digest} {row.at}" if row else "")
        if now == self._done or (row is None and not self._done[1]):
            return
        words = LiveWords(row.responses, row.rest, row.at) if row else None
        if await self._brain.speak(words):
            log.info("says the words of %s, newer than its model", row.at if row else "")
        self._done = now


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
