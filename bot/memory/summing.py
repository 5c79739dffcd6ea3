"""What a conversation was about, by a language model, once it has been quiet for a while.

Only what stands in the conversation counts: the model's sentences are held against it, and
what it does not say is not kept. Of a sensitive matter no model is asked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.llm.contract import Ask, Said, Talks
from bot.llm.errors import LlmError
from bot.llm.grounding import check
from bot.llm.masking import parts_of_name, redact
from bot.llm.prompts import Prompt
from bot.llm.untrusted import mark, rule, wrap
from bot.memory.contract import LONGEST_SUMMARY, NotRemembered
from bot.memory.file import MemoryRules
from bot.memory.keeping import customer_at, remember, why_not
from bot.message import decode, utcnow
from bot.perception.escalation import Escalation
from bot.rounds import Rounds
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.conversations import Conversation
from bot.store.memory import MODEL, SUMMARY, Quiet
from bot.store.turns import Turn

log = logging.getLogger(__name__)

_TURNS = 30
_MOST = 6000
_ATTEMPTS = 3
_CLAIM = timedelta(minutes=5)
_NONE = "none"


class Summing(Rounds):
    """Sums quiet conversations up; any number of processes may, each is done by one."""

    def __init__(
        self,
        store: AsyncStore,
        talks: Talks,
        prompt: Prompt,
        rules: MemoryRules,
        escalation: Escalation | None,
        limits: Limits,
        *,
        pace: float = 20.0,
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._talks = talks
        self._prompt = prompt
        self._rules = rules
        self._escalation = escalation
        self._pace = pace
        self._next = 0.0

    async def _round(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._pace
        while not self._stopping and await self.one():
            pass

    async def one(self) -> bool:
        """Sum one conversation up; False when none is due. Raises StoreDown."""
        now = utcnow()
        row = await self._store.claim(
            Quiet,
            {"due": {"$lte": now}},
            sort=("due",),
            set={"due": now + _CLAIM},
            inc={"attempts": 1},
        )
        if row is None:
            return False
        try:
            done = await self._sum(str(row.id))
        except StoreDown:
            raise
        except Exception:
            log.exception("%s: could not be summed up", row.id)
            done = False
        if done or row.attempts >= _ATTEMPTS:
            # Not if something was said meanwhile: then it is to be summed up again.
            await self._store.delete(Quiet, {"id": row.id, "seq": row.seq})
        return True

    async def _sum(self, conversation: str) -> bool:
        """Return whether there is nothing more to be done."""
        turns = await self._store.find(
            Turn, {"conversation": conversation}, sort=("-seq",), limit=_TURNS
        )
        if any((turn.perception or {}).get("sensitive") for turn in turns):
            return True
        lines = [line for turn in reversed(turns) for line in _lines(turn)]
        who = await customer_at(self._store, conversation)
        if len(lines) < 2 or who is None:
            return True
        talk = await self._store.get(Conversation, conversation)
        names = parts_of_name(((talk.profile if talk else None) or {}).get("name"))
        said = redact("\n".join(lines), names, full=True)[-_MOST:]
        border = mark()
        language = str((talk.language if talk else "") or "en")
        text = self._prompt.fill(conversation=wrap("conversation", said, border), language=language)
        ask = Ask(
            (Said("system", rule(border)), Said("user", text)),
            conversation,
            "summary",
            self._prompt.tokens,
            known=names,
        )
        try:
            reply = await self._talks.ask(ask)
        except LlmError as error:
            log.info("%s: no summary: %s", conversation, error)
            return False
        still = await customer_at(self._store, conversation)
        if still is None or still.created != who.created:
            # He was forgotten while the model was at it.
            return True
        return await self._keep(conversation, reply.text, said, turns[0].at, turns[0].id, language)

    async def _keep(
        self, conversation: str, text: str, said: str, at: datetime, source: str, language: str
    ) -> bool:
        never = self._rules.never
        summary = grounded(text, said, language, lambda one: why_not(one, None, never))
        if not summary:
            return True
        try:
            await remember(
                self._store,
                conversation,
                kind=SUMMARY,
                key="conversation",
                about="Last conversation",
                value=summary,
                source=source,
                by=MODEL,
                at=at,
                days=self._rules.days,
                escalation=self._escalation,
                never=never,
            )
        except NotRemembered as error:
            log.info("%s: its summary is not kept: %s", conversation, error)
        return True


def grounded(
    text: str, said: str, language: str, refused: Callable[[str], str] = lambda sentence: ""
) -> str:
    """Return the sentences of a summary that the conversation backs; "" without any.

    `refused` tells why one is not to be kept all the same.
    """
    sentences = [" ".join(line.split()).lstrip("-• ") for line in text.splitlines()]
    kept = ""
    for sentence in sentences:
        if not sentence or sentence.casefold().rstrip(".") == _NONE:
            continue
        backed = check(sentence, [said], question=said, language=language).ok
        backed = backed and not refused(sentence)
        if backed and len(kept) + len(sentence) < LONGEST_SUMMARY:
            kept = f"{kept} {sentence}".strip()
    return redact(kept)


def _lines(turn: Turn) -> list[str]:
    heard = decode(turn.heard) if turn.heard else None
    text = str(getattr(heard, "text", "") or getattr(heard, "title", "") or "")
    lines = [f"Customer: {' '.join(text.split())}"] if text else []
    for reply in turn.replies or []:
        words = " ".join(str(reply.get("text") or reply.get("caption") or "").split())
        if words:
            lines.append(f"Shop: {words}")
    return lines
