"""One message in, one Turn committed, and what follows from it.

The commit is the insert of the Turn. Everything before it may be thrown away and
everything after it is derived from it, may be done again, and then changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bot.consent import ConsentRules, Verdict, record, verdict
from bot.dialogue.contract import Failure, Outcome
from bot.folding import fold
from bot.meant import meant
from bot.meeting import meet
from bot.message import Content, Deletion, Inbound, Media, Text, decode, encode, utcnow
from bot.store import AsyncStore, Duplicate, StoreError
from bot.store.conversations import BOT, Conversation
from bot.store.dead_letters import TURN, lost
from bot.store.files import StoredFile
from bot.store.messages import DONE, PENDING, QUEUED, Message, arrival, from_message
from bot.store.turns import Turn
from bot.window import release
from connectors.base import Capabilities
from connectors.render import render

log = logging.getLogger(__name__)

APOLOGY = "Sorry, something went wrong on our side and I could not deal with that message."
CUSTOMER = "customer"


class Overtaken(Exception):
    """Another worker took a turn of this conversation meanwhile; begin again from the store."""


class Thinker(Protocol):
    """What a turn needs of the brain."""

    async def take(self, said: Inbound, state: dict[str, Any] | None) -> Outcome:
        """See `bot.dialogue.brain.Brain.take`."""


class Turns:
    """Takes turns for one worker process.

    `rules` are those of consent, without which nobody can opt out; `files` makes rows of
    the files of a message, which are to be fetched.
    """

    def __init__(
        self,
        store: AsyncStore,
        brain: Thinker,
        capabilities: Callable[[str], Capabilities],
        *,
        turn_seconds: float,
        rules: ConsentRules | None = None,
        files: Callable[[Message], list[StoredFile]] = lambda message: [],
    ) -> None:
        self._store = store
        self._brain = brain
        self._capabilities = capabilities
        self._seconds = turn_seconds
        self._rules = rules
        self._files = files

    async def take(
        self,
        message: Message,
        lease: Conversation,
        *,
        behind: Sequence[Message] = (),
        hopeless: str = "",
    ) -> Turn:
        """Answer one pending message, commit its turn and derive what follows.

        `behind` are those that are pending after it: some may be a part of it, see
        `bot.folding`.
        `hopeless` is why the message is not to be given to the brain at all (workers
        died of it): the customer then gets the apology. Raises Overtaken, StoreDown.
        """
        turn = await self._store.get(Turn, message.id)
        if turn is None:
            turn = await self._commit(message, lease, behind, hopeless)
        await self.derive(turn, message)
        return turn

    async def _commit(
        self, message: Message, lease: Conversation, behind: Sequence[Message], hopeless: str
    ) -> Turn:
        began = time.monotonic()
        heard = fold([message, *behind])
        last = await self._last(lease.id)
        state = (last.state or {}) if last else {}
        content = heard.content
        nothing = Outcome([], [], state, {}, None)
        decision: dict[str, Any] = {"by": lease.holder}
        wish = await self._wish(message, content, lease)
        if content is None:
            outcome, decision = nothing, {"by": CUSTOMER, "withdrawn": True}
        elif wish is not None and not wish.goes_on:
            outcome, decision = nothing, {"by": CUSTOMER}
        elif lease.holder != BOT or await self._answered_with(message, content, last):
            outcome = nothing
        else:
            meaning = await meant(self._store, message, content, last)
            content = meaning or content
            outcome = await self._outcome(message, meaning, state, hopeless) if meaning else nothing
        replies = list(outcome.replies)
        if wish is not None:
            decision["consent"] = wish.encode()
            if wish.reply:
                replies.insert(0, Text(wish.reply))
        if outcome.failure:
            failure = outcome.failure
            decision["failure"] = {
                "action": failure.action,
                "reason": failure.reason,
                "detail": failure.detail,
            }
        turn = Turn(
            id=message.id,
            conversation=message.conversation,
            seq=(last.seq if last else 0) + 1,
            at=utcnow(),
            events=outcome.events,
            replies=[encode(r) for r in replies],
            parse=outcome.parse,
            decision=decision,
            state=outcome.state,
            heard=encode(content) if content else None,
            folded=list(heard.folded),
            epoch=lease.epoch,
            took_ms=int((time.monotonic() - began) * 1000),
        )
        try:
            await self._store.insert(turn)
        except Duplicate:
            committed = await self._store.get(Turn, message.id)
            if committed is None:
                raise Overtaken(message.conversation) from None
            return committed
        return turn

    async def _wish(
        self, message: Message, content: Content | None, lease: Conversation
    ) -> Verdict | None:
        """Return what a message means for being written to; see first who it is."""
        said = replace(from_message(message), content=content or Deletion(message.provider_id))
        await meet(self._store, said, lease)
        return None if self._rules is None else verdict(said, lease, self._rules)

    async def _answered_with(self, message: Message, content: Content, last: Turn | None) -> bool:
        """Tell whether it is a part of an album that came after the others were answered."""
        if not message.album or last is None or not isinstance(content, Media) or content.caption:
            return False
        before = await self._store.get(Message, last.id)
        return before is not None and before.album == message.album

    async def _outcome(
        self, message: Message, content: Content, state: dict[str, Any], hopeless: str
    ) -> Outcome:
        if hopeless:
            return _failed(state, Failure("worker", hopeless, ""))
        said = replace(from_message(message), content=content)
        try:
            return await asyncio.wait_for(self._brain.take(said, state or None), self._seconds)
        except asyncio.TimeoutError:
            reason = f"no answer within {self._seconds:g} s"
            return _failed(state, Failure("brain", reason, ""))
        except Exception as error:
            # Whatever a pipeline component raises must not take the conversation with it.
            log.exception("%s: the brain failed", message.id)
            return _failed(state, Failure("brain", type(error).__name__, ""))

    async def _last(self, conversation: str) -> Turn | None:
        """Return a conversation's last turn, and see that it is finished."""
        last = await self._store.find(Turn, {"conversation": conversation}, sort=("-seq",), limit=1)
        if not last:
            return None
        await self._finish(last[0])
        return last[0]

    async def _finish(self, turn: Turn) -> None:
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
        if self._capabilities(message.channel).window_hours is not None:
            await release(self._store, message.conversation)
        rows = self.outbound(turn, message)
        if rows:
            await self._store.insert_new(rows)
        # The message itself last: until then whoever takes it again does all of this.
        for id in [*(turn.folded or []), message.id]:
            await self._store.change(Message, {"id": id, "status": PENDING}, set={"status": DONE})

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
        contents: list[Content] = [
            part for reply in turn.replies or [] for part in render(decode(reply), can)
        ]
        consent = (turn.decision or {}).get("consent") or {}
        notice = consent.get("reply", "")
        notices = len(render(Text(notice), can)) if notice else 0
        now = utcnow()
        return [
            Message(
                id=f"{turn.id}:{n}",
                direction="out",
                conversation=turn.conversation,
                channel=message.channel,
                account=message.account,
                status=QUEUED,
                content=encode(content),
                order=turn.seq * 1000 + n,
                arrived=arrival(),
                sent=now,
                due=now,
                turn=turn.id,
                epoch=turn.epoch,
                notice=n < notices,
            )
            for n, content in enumerate(contents)
        ]


def _failed(state: dict[str, Any], failure: Failure) -> Outcome:
    return Outcome([], [Text(APOLOGY)], state, {}, failure)
