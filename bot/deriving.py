"""What follows from a committed turn: it may be made again at will, and then changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from bot.consent import Verdict, record
from bot.desk import rating
from bot.desk.handoff import hand_over
from bot.desk.journal import note_down
from bot.desk.routing import Routing
from bot.desk.sensed import note_sensed
from bot.desk.wish import wanted
from bot.dialogue.contract import ANSWERED_SLOT
from bot.interpreting import shown
from bot.llm.masking import parts_of_name
from bot.message import Content, Text, decode
from bot.store import AsyncStore, StoreError
from bot.store.conversations import AGENT, WAITING
from bot.store.dead_letters import TURN, lost
from bot.store.files import StoredFile
from bot.store.gaps import Gap
from bot.store.journal import TRANSLATED
from bot.store.messages import DONE, PENDING, Message, from_message, queued
from bot.store.turns import Turn
from bot.window import release
from connectors.base import Capabilities
from connectors.render import render

log = logging.getLogger(__name__)


class Notices(Protocol):
    """What memory does after a turn, see `bot.memory.service.Memories`."""

    async def notice(self, turn: Turn) -> None:
        """Remember what a committed turn tells; again, nothing more."""


class Deriving:
    """Makes what follows from turns for one worker process.

    `files` makes rows of the files of a message, which are to be fetched; `routing` is for what
    is given to a person.
    """

    def __init__(
        self,
        store: AsyncStore,
        capabilities: Callable[[str], Capabilities],
        *,
        files: Callable[[Message], list[StoredFile]],
        routing: Routing | None = None,
        memory: Notices | None = None,
    ) -> None:
        self._store = store
        self._capabilities = capabilities
        self._files = files
        self._routing = routing
        self._memory = memory

    async def derive(self, turn: Turn, message: Message) -> None:
        """Make what follows from a committed turn: outbound rows, dead letter, inbound done."""
        failure = (turn.decision or {}).get("failure")
        if failure:
            reason = f"{failure['action']}: {failure['reason']}"
            await self._store.put(lost(TURN, message, reason, detail=failure["detail"]))
        consent = (turn.decision or {}).get("consent")
        if consent:
            await record(self._store, Verdict(**consent), from_message(message))
        await self._fetch(turn, message)
        await self._note_translation(turn)
        await note_sensed(self._store, turn)
        await self._hand_over(turn, message)
        if self._capabilities(message.channel).window_hours is not None:
            await release(self._store, message.conversation)
        rows = self.outbound(turn, message)
        if rows:
            await self._store.insert_new(rows)
        await self._notice(turn)
        # The message itself last: until then whoever takes it again does all of this.
        for id in [*(turn.folded or []), message.id]:
            await self._store.change(Message, {"id": id, "status": PENDING}, set={"status": DONE})

    async def finish(self, turn: Turn) -> None:
        """Derive what follows from a turn whose worker died right after the commit.

        Its message may not be the next one to be answered: one that was sent earlier can
        arrive later, and its reply must not overtake.
        """
        message = await self._store.get(Message, turn.id)
        if message is None or message.status != PENDING:
            return
        try:
            await self.derive(turn, message)
        except StoreError:
            raise
        except Exception:
            # Not this turn's failure: it is counted when that message's own turn comes.
            log.exception("%s: a committed turn could not be finished", turn.id)

    async def _notice(self, turn: Turn) -> None:
        if self._memory is None:
            return
        try:
            await self._memory.notice(turn)
        except StoreError:
            raise
        except Exception:
            log.exception("%s: could not be remembered", turn.id)

    async def _note_translation(self, turn: Turn) -> None:
        """Let agents read what a customer wrote, beside what he wrote."""
        decision = turn.decision or {}
        words = str((decision.get("translated") or {}).get("heard") or "")
        if not words:
            return
        if decision.get("by") in (WAITING, AGENT):
            # His message is before them already.
            id = f"{turn.id}:translated"
            await note_down(self._store, id, TRANSLATED, turn.conversation, text=words)
        else:
            await self._store.change(Message, {"id": turn.id}, set={"translated": words})

    async def _hand_over(self, turn: Turn, message: Message) -> None:
        """Make a case of what is a person's, and a gap of what could not be answered."""
        decision = turn.decision or {}
        if decision.get("handoff"):
            said = await wanted(self._store, turn)
            names = parts_of_name((message.profile or {}).get("name"))
            await hand_over(self._store, turn, decision["handoff"], said, names, self._routing)
        rated = decision.get("rated")
        if rated:
            who = str((message.profile or {}).get("name") or "")
            await rating.record(
                self._store, turn.conversation, rated["case"], rated["stars"], by=turn.id, name=who
            )
        answered = decision.get(ANSWERED_SLOT) or {}
        gap = answered.get("gap")
        if gap:
            row = Gap(
                id=turn.id,
                conversation=turn.conversation,
                at=turn.at,
                question=answered["question"],
                language=answered.get("language") or "",
                **gap,
            )
            await self._store.insert_new([row])

    async def _fetch(self, turn: Turn, message: Message) -> None:
        """Have the files of a message and its parts fetched, unless it was taken back."""
        if (turn.decision or {}).get("withdrawn"):
            return
        parts = [await self._store.get(Message, id) for id in turn.folded or []]
        files = [file for row in (message, *parts) if row for file in self._files(row)]
        if files:
            await self._store.insert_new(files)

    def outbound(self, turn: Turn, message: Message) -> list[Message]:
        """Return the rows of the outbox that a turn calls for, ids ``turn:n``."""
        can = self._capabilities(message.channel)
        told = (turn.decision or {}).get("translated") or {}
        said = {str(now): str(was) for now, was in told.get("said") or ()}
        contents: list[tuple[Content, str]] = []
        for reply in map(decode, turn.replies or []):
            # Of a reply in several parts the first has it.
            words = said.get(shown(reply), "")
            for part in render(reply, can):
                contents.append((part, words))
                words = ""
        consent = (turn.decision or {}).get("consent") or {}
        notice = consent.get("reply", "")
        notices = len(render(Text(notice), can)) if notice else 0
        return [
            queued(
                f"{turn.id}:{n}",
                turn.conversation,
                content,
                order=turn.seq * 1000 + n,
                turn=turn.id,
                epoch=turn.epoch,
                notice=n < notices,
                translated=translated,
            )
            for n, (content, translated) in enumerate(contents)
        ]
