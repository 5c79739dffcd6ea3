"""Memory's part of a worker: what turns know and tell, summaries, and forgetting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from bson import ObjectId

from bot.consent import CONSENT_FILE, load_rules
from bot.desk.slack.client import Gone, Refused, SlackClient, SlackTrouble
from bot.learning.lessons import forget as forget_lessons
from bot.llm.client import open_llm
from bot.llm.prompts import load_prompt
from bot.media.vault import AsyncVault
from bot.memory.erasing import Eraser, Overtaken, SlackAway
from bot.memory.file import MEMORY_FILE, load_memory
from bot.memory.quieting import Busy
from bot.memory.service import Memories
from bot.memory.summing import Summing
from bot.perception.escalation_file import ESCALATION_FILE, load_escalation
from bot.rounds import Rounds
from bot.settings import Limits, Settings
from bot.store import AsyncStore, StoreDown

log = logging.getLogger(__name__)

# Seconds for which Slack may ask to be left alone.
_LONGEST_PAUSE = 30.0


class SlackPosts:
    """Takes posts of ours back. What agents wrote in Slack a bot may not delete.

    https://docs.slack.dev/reference/methods/chat.delete
    """

    def __init__(self, clients: Mapping[str, SlackClient]) -> None:
        self._clients = clients

    async def delete(self, account: str, channel: str, ts: str) -> bool:
        """See `bot.memory.erasing.Unposts`."""
        return await self._call(account, "chat.delete", channel=channel, ts=ts)

    async def delete_file(self, account: str, file: str) -> bool:
        """See `bot.memory.erasing.Unposts`. https://docs.slack.dev/reference/methods/files.delete"""
        return await self._call(account, "files.delete", file=file)

    async def _call(self, account: str, method: str, **args: str) -> bool:
        client = self._clients.get(account)
        if client is None:
            return False
        try:
            await client.call(method, **args)
        except Gone:
            return True
        except Refused as error:
            log.warning("something of somebody who is forgotten stays in Slack: %s", error)
            return False
        except SlackTrouble as error:
            after = min(getattr(error, "after", 0.0), _LONGEST_PAUSE)
            await asyncio.sleep(after)
            raise SlackAway(str(error)) from None
        return True


def eraser_of(
    store: AsyncStore,
    vault: AsyncVault,
    clients: Mapping[str, SlackClient],
    root: Path = Path(),
) -> Eraser:
    """Return what forgets people of this installation. Raises SettingsInvalid."""
    slack = SlackPosts(clients) if clients else None
    rules = load_rules(root / CONSENT_FILE)
    return Eraser(store, vault, slack, lessons=forget_lessons, rules=rules)


class Forgetter(Rounds):
    """Does what is to be forgotten, and goes on with what dead processes left of it."""

    def __init__(self, eraser: Eraser, limits: Limits) -> None:
        super().__init__(limits)
        self._eraser = eraser

    async def _round(self) -> None:
        for id in await self._eraser.due():
            key = str(id)
            if key not in self._serving and not self._stopping:
                self._serving[key] = asyncio.create_task(self._serve(key, id), name=key)

    async def _serve(self, key: str, id: ObjectId) -> None:
        try:
            await self._eraser.work(id)
            log.info("forgetting %s is done", key)
        except (Busy, Overtaken, SlackAway) as error:
            log.info("forgetting %s: %s, again soon", key, error)
        except StoreDown as error:
            log.error("forgetting %s: the store is down: %s", key, error)
        except Exception:
            log.exception("forgetting %s failed", key)
        finally:
            del self._serving[key]


class Remembering:
    """For one worker process. Raises SettingsInvalid, PromptInvalid for files in ``data/``."""

    def __init__(
        self, settings: Settings, store: AsyncStore, vault: AsyncVault, root: Path = Path()
    ) -> None:
        rules = load_memory(root / MEMORY_FILE)
        escalation = load_escalation(root / ESCALATION_FILE)
        self.memories = Memories(store, rules, escalation, summed=bool(settings.llm))
        self._clients = {account.account: SlackClient(account) for account in settings.slack}
        eraser = eraser_of(store, vault, self._clients, root)
        self.rounds: list[Rounds] = [Forgetter(eraser, settings.limits)]
        self._talks = None
        if settings.llm and rules.summary_after:
            self._talks = open_llm(settings, store)
            prompt = load_prompt("summary", root / "data" / "prompts")
            self.rounds.append(
                Summing(store, self._talks, prompt, rules, escalation, settings.limits)
            )

    async def close(self) -> None:
        """Let go of connections, after the rounds have stopped."""
        for client in self._clients.values():
            await client.close()
        if self._talks is not None:
            await self._talks.close()
