"""One message in, one Turn committed.

The commit is the insert of the Turn. Everything before it may be thrown away and
everything after it is derived from it, see `bot.deriving`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

from bot.consent import ConsentRules, Verdict, verdict
from bot.deriving import Deriving, Notices
from bot.desk import rating
from bot.desk.again import last_closed, mark
from bot.desk.meanwhile import meanwhile
from bot.desk.watch import Watch, waiting_since, words_of
from bot.dialogue.contract import ANSWERED_SLOT, Outcome
from bot.dialogue.heard import heard as read
from bot.folding import fold
from bot.interpreting import Heard, Interpreter
from bot.llm.masking import parts_of_name
from bot.meant import meant
from bot.meeting import meet
from bot.message import Content, Deletion, Media, Text, encode, utcnow
from bot.perception.contract import Perception
from bot.perception.language import DEFAULT_SURE
from bot.senses.reading import Senses
from bot.store import AsyncStore, Duplicate
from bot.store.cases import Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.files import StoredFile
from bot.store.messages import Message, from_message
from bot.store.turns import Turn
from bot.thinking import Knows, Thinker, Thinking
from connectors.base import Capabilities

log = logging.getLogger(__name__)

CUSTOMER = "customer"

# Turns before this one that are looked at: a question asked for the third time is urgent.
_LOOKED_AT = 4


class Overtaken(Exception):
    """Another worker took a turn of this conversation meanwhile; begin again from the store."""


class Remembers(Knows, Notices, Protocol):
    """What a turn needs of memory."""


class Turns:
    """Takes turns for one worker process.

    `rules` are those of consent, without which nobody can opt out; `files` makes rows of
    the files of a message, which are to be fetched; `watch` looks at each message first,
    without it nothing is kept from the brain. `interpreter` is for customers whose language is
    not the company's, `senses` make files into words, where configured.
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
        watch: Watch | None = None,
        interpreter: Interpreter | None = None,
        memory: Remembers | None = None,
        senses: Senses | None = None,
    ) -> None:
        self._senses = senses
        self._store = store
        self._interpreter = interpreter
        self._rules = rules
        self._watch = watch
        self._thinking = Thinking(
            brain, turn_seconds, watch=watch, interpreter=interpreter, memory=memory
        )
        self.deriving = Deriving(
            store,
            capabilities,
            files=files,
            routing=watch.routing if watch is not None else None,
            memory=memory,
        )

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
        await self.deriving.derive(turn, message)
        return turn

    async def _commit(
        self, message: Message, lease: Conversation, behind: Sequence[Message], hopeless: str
    ) -> Turn:
        began = time.monotonic()
        heard = fold([message, *behind])
        before = await self._before(lease.id)
        last = before[0] if before else None
        state = (last.state or {}) if last else {}
        content = heard.content
        nothing = Outcome([], [], state, {}, None)
        holder = _holder(lease, last)
        # Kept by every turn of who waits, also by a STOP or a picture: the next one looks here.
        waits: dict[str, Any] = dict(waiting_since(last)) if holder != BOT else {}
        # An agent has been here, and no turn of the bot has taken note of it yet.
        resumed = holder == BOT and last is not None and _unheard(last, lease)
        if resumed:
            waits["unheard"] = True
        decision: dict[str, Any] = {"by": holder, **waits}
        seen: Perception | None = None
        translated: Heard | None = None
        wish = await self._wish(message, content, lease)
        if content is None:
            outcome, decision = nothing, {**waits, "by": CUSTOMER, "withdrawn": True}
        elif wish is not None and not wish.goes_on:
            outcome, decision = nothing, {**waits, "by": CUSTOMER}
            if holder == BOT and not hopeless:
                seen = await self._see(message, content, before, resumed)
                # Who wants no messages gets none, and yet somebody must know of this.
                if self._watch is not None and seen is not None and seen.sensitive is not None:
                    outcome = replace(self._watch.handed(seen.sensitive, state, {}), replies=[])
        elif await self._answered_with(message, content, last):
            outcome = nothing
        elif holder == AGENT and rating.read(content) is None:
            content = await self._sensed(message, behind, content, hopeless, holder)
            outcome, seen, translated = await self._under_agent(message, content, before, state)
        else:
            content = await self._sensed(message, behind, content, hopeless, holder)
            meaning = await meant(self._store, message, content, last)
            content = meaning or content
            outcome = nothing
            stars = rating.read(meaning) if meaning else None
            if meaning and not stars and not hopeless and holder != AGENT:
                seen = await self._see(message, meaning, before, resumed)
                translated, seen = await self._interpreted(message, meaning, seen, state, last)
            if stars:
                outcome = replace(nothing, replies=await self._thanks(stars[0], lease))
                decision["rated"] = {"case": stars[0], "stars": stars[1]}
            elif meaning and holder == BOT:
                spoken = await meanwhile(self._store, message) if resumed else ()
                outcome = await self._thinking.outcome(
                    message, meaning, state, hopeless, seen, spoken, resumed, translated
                )
                persons = seen is not None and seen.sensitive is not None
                if read(meaning) and not (outcome.failure or outcome.stopped or persons):
                    decision.pop("unheard", None)
                outcome = await self._after_case(outcome, meaning, lease, seen, decision)
            elif (
                meaning
                and read(meaning)
                and holder == WAITING
                and self._watch is not None
                and seen is not None
            ):
                outcome, told = self._watch.while_waiting(seen, last, state, utcnow())
                decision["told"] = told
        replies = list(outcome.replies)
        if wish is not None:
            decision["consent"] = wish.encode()
            if wish.reply:
                replies.insert(0, Text(wish.reply))
        record = outcome.translated or (translated.record if translated else {})
        if "engine" in record or "told" in record:
            decision["translated"] = dict(record)
        if outcome.failure:
            failure = outcome.failure
            decision["failure"] = {
                "action": failure.action,
                "reason": failure.reason,
                "detail": failure.detail,
            }
        if outcome.handoff:
            decision["handoff"] = {**asdict(outcome.handoff), **decision.pop("again", {})}
        if outcome.answered:
            decision[ANSWERED_SLOT] = dict(outcome.answered)
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
            perception=seen.encode() if seen else (last.perception if last else None),
            folded=list(heard.folded),
            epoch=lease.epoch,
            took_ms=int((time.monotonic() - began) * 1000),
            model=outcome.model,
        )
        if holder != BOT:
            # Nobody would answer a message whose turn is silent for an agent who has just left.
            now = await self._store.get(Conversation, lease.id)
            if now is not None and now.holder == BOT and now.epoch != lease.epoch:
                raise Overtaken(message.conversation)
        try:
            await self._store.insert(turn)
        except Duplicate:
            committed = await self._store.get(Turn, message.id)
            if committed is None:
                raise Overtaken(message.conversation) from None
            return committed
        if seen is not None and seen.language != lease.language:
            # For whoever writes to the customer unasked: the desk, and the answer to a STOP.
            where = {"id": lease.id, "lease_epoch": lease.lease_epoch}
            await self._store.change(Conversation, where, set={"language": seen.language})
        return turn

    async def _sensed(
        self,
        message: Message,
        behind: Sequence[Message],
        content: Content,
        hopeless: str,
        holder: str,
    ) -> Content:
        """Return a content with what is seen and heard in its files.

        What workers died of may be a file. An agent looks at pictures himself, but is told what
        is said, for it may be more urgent than he knows.
        """
        if self._senses is None or hopeless:
            return content
        return await self._senses.sensed([message, *behind], content, pictures=holder != AGENT)

    async def _thanks(self, case: str, lease: Conversation) -> list[Content]:
        routing = self._watch.routing if self._watch is not None else None
        rated = await self._store.get(Case, case)
        if routing is None or rated is None or rated.conversation != lease.id:
            return []
        words = routing.says("rated", str(lease.language or ""))
        return [Text(words)] if words else []

    async def _under_agent(
        self, message: Message, content: Content, before: Sequence[Turn], state: dict[str, Any]
    ) -> tuple[Outcome, Perception | None, Heard | None]:
        """Say nothing while an agent has the conversation.

        What is more urgent than what the agent has it for is a case all the same: he may not
        be there.
        """
        nothing = Outcome([], [], state, {}, None)
        if self._watch is None or not words_of(content):
            return nothing, None, None
        seen = await self._see(message, content, before)
        last = before[0] if before else None
        translated, seen = await self._interpreted(message, content, seen, state, last)
        matter = self._watch.more_urgent(seen, last) if seen is not None else None
        if matter is None:
            return nothing, seen, translated
        return replace(self._watch.handed(matter, state, {}), replies=[]), seen, translated

    async def _after_case(
        self,
        outcome: Outcome,
        meaning: Content,
        lease: Conversation,
        seen: Perception | None,
        decision: dict[str, Any],
    ) -> Outcome:
        """Give to a person what is his: the case that was closed just now, an angry customer.

        `decision` gets the case that is opened again.
        """
        watch = self._watch
        if watch is None or watch.routing is None or seen is None:
            return outcome
        now = utcnow()
        outcome = watch.angry(outcome, seen)
        reopens = watch.routing.after_close == "reopen"
        before = None
        if read(meaning) and (outcome.handoff is not None or reopens):
            before = await last_closed(self._store, watch.routing, lease.id, now)
        if outcome.handoff is not None and not watch.is_that(before, outcome.handoff, seen):
            before = None
        if before is not None and outcome.handoff is None:
            outcome = watch.once_more(outcome, before.topic, before.priority, seen)
        if before is not None and outcome.handoff is not None:
            decision["again"] = {"again": mark(before)}
        return watch.with_hours(outcome, seen.language, now)

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

    async def _see(
        self, message: Message, content: Content, before: Sequence[Turn], afresh: bool = False
    ) -> Perception | None:
        """Return what a message looks like; None without anybody to look, or if that failed.

        `afresh` says that an agent has been here: what the mood was before him is over.
        """
        if self._watch is None:
            return None
        try:
            language = str((message.profile or {}).get("language") or "")
            return await self._watch.see(
                content, before, message.conversation, language, _names(message), afresh
            )
        except Exception:
            # The customer is answered all the same; what is sensitive is found by the
            # intent, or by who reads the log.
            log.exception("%s: could not be looked at", message.id)
            return None

    async def _interpreted(
        self,
        message: Message,
        content: Content,
        seen: Perception | None,
        state: dict[str, Any],
        last: Turn | None,
    ) -> tuple[Heard | None, Perception | None]:
        """Return a message in the company's language, None where it is; look at that as well.

        A sensitive matter may be told by the words of either language.
        """
        if self._interpreter is None or self._watch is None or seen is None:
            return None, seen
        heard = await self._interpreter.hear(
            content, seen, message.conversation, state=state, last=last, known=_names(message)
        )
        if heard is not None and heard.mistaken:
            # A word or two, and the engine knows them as the company's own language.
            why = (*seen.why, f"language {self._interpreter.company}: nothing to translate")
            return None, replace(
                seen, language=self._interpreter.company, sure=DEFAULT_SURE, why=why
            )
        if heard is None or not heard.text or seen.sensitive is not None:
            return heard, seen
        return heard, self._watch.also(seen, heard.text, self._interpreter.company)

    async def _before(self, conversation: str) -> list[Turn]:
        """Return a conversation's last turns, the newest first, and see that it is finished."""
        where = {"conversation": conversation}
        last = await self._store.find(Turn, where, sort=("-seq",), limit=_LOOKED_AT)
        if last:
            await self.deriving.finish(last[0])
        return last


def _names(message: Message) -> tuple[str, ...]:
    return parts_of_name((message.profile or {}).get("name"))


def _holder(lease: Conversation, last: Turn | None) -> str:
    """Return who has a conversation.

    The lease may be older than the last turn's handoff, if that turn was finished just now.
    """
    handed = last is not None and bool((last.decision or {}).get("handoff"))
    if lease.holder == BOT and handed and last is not None and last.epoch == lease.epoch:
        return WAITING
    return str(lease.holder)


def _unheard(last: Turn, lease: Conversation) -> bool:
    """Tell whether an agent had the conversation since the bot took note of what was said."""
    return last.epoch != lease.epoch or bool((last.decision or {}).get("unheard"))
