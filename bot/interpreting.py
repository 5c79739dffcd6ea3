"""A turn in two languages: what the brain hears, and what the customer reads.

The brain hears the company's language and answers in it. A sentence that designers wrote is
translated with its places empty, once for all customers, or taken from their own translation
of it; what fills the places, and what actions said freely, is translated for this customer
alone. Words that are in the customer's language already never come here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.desk.watch import words_of
from bot.dialogue.contract import Outcome
from bot.llm.orders import orders
from bot.message import Choice, Choices, Content, Option, Text, utcnow
from bot.perception.contract import Perception
from bot.perception.language import KNOWN_SURE
from bot.store.turns import Turn
from bot.translation.contents import changed, with_words, words_in
from bot.translation.contract import EngineFailed, NotTranslated, Origin, TranslationError
from bot.translation.protecting import with_figures
from bot.translation.templates import Made, made_of
from bot.translation.translator import Translator
from bot.translation.verifying import Tells
from bot.translation.words_file import Words

log = logging.getLogger(__name__)

#: A customer who could not be understood is told so again after this long: a session of Rasa's.
TELL_AGAIN = timedelta(hours=24)
#: Seconds that a message may take, and its replies.
SECONDS = 20.0
_FALLBACK = "nlu_fallback"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of a customer whose language is not the company's.

    `content` is what the brain is to hear. `read` says that it is in the company's language,
    or has no words; then the brain answers in that language. `text` are the translated words,
    "" for none. With `down` the engine is not asked again. It is `certain` that the customer speaks
    the language if he wrote more than a word or two of it; `mistaken` says that he does not:
    the engine found nothing to translate. `record` is for the turn's decision.
    """

    content: Content
    language: str
    conversation: str
    read: bool
    text: str = ""
    down: bool = False
    certain: bool = True
    mistaken: bool = False
    known: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)


class Interpreter:
    """Stands between customers and the brain. `translator` None translates nothing.

    `company` is the company's language (ISO 639-1); `own` are others that the bot's data is
    written in. `tells` tells the language of a text; `seconds` is what a customer waits for a
    translation, each way.
    """

    def __init__(
        self,
        translator: Translator | None,
        words: Words,
        company: str,
        own: Collection[str] = (),
        *,
        tells: Tells,
        seconds: float = SECONDS,
    ) -> None:
        self._tells = tells
        self._seconds = seconds
        self.company = company
        self._translator = translator
        self._words = words
        self._own = frozenset((company, *own))

    async def hear(
        self,
        content: Content,
        seen: Perception | None,
        conversation: str,
        *,
        state: Mapping[str, Any],
        last: Turn | None,
        known: Sequence[str] = (),
    ) -> Heard | None:
        """Return what the brain is to hear; None where the customer's language is the bot's.

        `state` is that of the dialogue, `last` the turn before, `known` the customer's names.
        Never raises for what an engine does.
        """
        if seen is None:
            return None
        if seen.sure < KNOWN_SURE:
            return self._asking(content, conversation, known)
        if seen.language in self._own:
            return None
        record: dict[str, Any] = {"from": seen.language, "to": self.company}
        before: Mapping[str, Any] = (last.decision or {}).get("translated") or {} if last else {}
        if before.get("told"):
            record["told"] = before["told"]
        words = words_of(content)
        # Not what perception saw before: a word of nonsense is carried on by what has no words.
        again = bool(before.get("certain")) and before.get("from") == seen.language
        certain = again or self._tells.clearly(words) == seen.language
        record["certain"] = certain
        heard = Heard(
            content,
            seen.language,
            conversation,
            False,
            known=tuple(known),
            certain=certain,
            record=record,
        )
        if self._translator is None:
            return self._or_person(heard)
        record["engine"] = self._translator.engine
        if not words or (isinstance(content, Choice) and content.payload.startswith("/")):
            ways = self._translator.can(self.company, seen.language)
            return replace(heard, read=ways)
        if self._as_written(words, state):
            return replace(heard, content=with_words(content, with_figures(words)), read=True)
        try:
            translating = self._translator.translate(
                [words],
                seen.language,
                self.company,
                conversation=conversation,
                purpose="hear",
                known=known,
            )
            (text,) = await asyncio.wait_for(translating, self._seconds)
        except (TranslationError, asyncio.TimeoutError) as error:
            log.warning("%s: not translated: %s", conversation, error)
            record["why"] = f"{type(error).__name__}: {error}".removesuffix(": ")
            # Who waited for an engine that is down does not wait for it twice.
            return self._or_person(replace(heard, down=not isinstance(error, NotTranslated)))
        except Exception as error:
            # A bug of ours or of a library's: the customer is answered all the same.
            log.exception("%s: could not be translated", conversation)
            record["why"] = type(error).__name__
            return self._or_person(replace(heard, down=True))
        if not heard.certain and text.strip().casefold() == words.strip().casefold():
            return replace(heard, mistaken=True)
        record["heard"] = text
        return replace(heard, content=with_words(content, text), read=True, text=text)

    def _asking(self, content: Content, conversation: str, known: Sequence[str]) -> Heard | None:
        """Return who asks for a person in words that tell a language; None for all others."""
        heard = Heard(content, "", conversation, False, known=tuple(known))
        asking = self._or_person(heard)
        return None if asking is heard or asking.language in self._own else asking

    def _or_person(self, heard: Heard) -> Heard:
        """Return what cannot be translated; who asks for a person is understood all the same."""
        words = words_of(heard.content)
        # The words tell the language better than perception can, which has its configured few.
        language = self._words.asks_person(words)
        if not language:
            return heard
        person = Choice(self._words.person, words)
        record = {**heard.record, "from": language, "to": self.company}
        return replace(heard, content=person, language=language, certain=True, record=record)

    async def say(self, outcome: Outcome, heard: Heard) -> Outcome:
        """Return an outcome of the brain's with its replies in the customer's language.

        What cannot be translated stays as it is, and the customer is told so.
        """
        missed, replies, made = await self._translated(outcome, heard)
        record = dict(heard.record)
        if made:
            pairs = zip(replies, outcome.replies, strict=True)
            record["said"] = [[shown(now), shown(was)] for now, was in pairs if now != was]
        intent = outcome.parse.get("intent")
        lost = not heard.read and bool(words_of(heard.content)) and intent == _FALLBACK
        now = utcnow()
        understood = self._understands(replies, heard.language)
        handed = outcome.handoff is not None
        # That a person comes is worth saying to who was told before that he is not understood.
        again = not handed and _lately(record.get("told"), now)
        if (missed or lost) and heard.certain and not (understood or again):
            words = self._sorry(heard.language, handed=handed)
            if words is not None:
                replies = [*replies, words]
                record["told"] = now.isoformat()
        return replace(outcome, replies=replies, translated=record)

    def _understands(self, replies: Sequence[Content], language: str) -> bool:
        """Tell whether most of what is said is in the customer's language all the same."""
        texts = [text for reply in replies for text in words_in(reply)]
        return bool(texts) and self._tells.clearly(max(texts, key=len)) == language

    def _as_written(self, words: str, state: Mapping[str, Any]) -> bool:
        """Tell whether a form asked for this, as an address, of which no word may change."""
        asked = (state.get("slots") or {}).get("requested_slot")
        return asked in self._words.as_written and any(c.isdigit() or c == "@" for c in words)

    async def _translated(self, outcome: Outcome, heard: Heard) -> tuple[bool, list[Content], bool]:
        """Return whether something could not be translated, the replies, and if any was."""
        origins: Sequence[Origin | None] = outcome.origins
        if len(origins) != len(outcome.replies):
            origins = (None,) * len(outcome.replies)
        plans = [
            self._plan(text, origin, heard)
            for reply, origin in zip(outcome.replies, origins, strict=True)
            for text in words_in(reply)
        ]
        fixed = [p.sentence for p in plans if p.sentence and not p.own]
        free = [text for p in plans for text in p.free]
        # At once: the customer waits for the longer of the two only.
        both = await asyncio.gather(self._ask(fixed, heard, "fixed"), self._ask(free, heard, "say"))
        found = both[0] | both[1]
        texts = iter([plan.put(found) for plan in plans])
        replies = [changed(reply, lambda _: next(texts)) for reply in outcome.replies]
        # What fills a place after words that were not read may be those, and needs nothing then.
        missed = any(
            isinstance(found.get(text), TranslationError)
            for text in (*fixed, *(free if heard.read else ()))
            if _has_words(text)
        )
        return missed, replies, replies != outcome.replies

    def _plan(self, text: str, origin: Origin | None, heard: Heard) -> _Plan:
        if origin is not None and origin.name.endswith(f"_{heard.language}"):
            return _Plan(text)
        made = made_of(text, origin, heard.language) if origin is not None else None
        if made is not None:
            free = [value for place, value in made.values.items() if self._free(place, value)]
            return _Plan(text, made.sentence, made, made.own, tuple(free))
        # What an action says freely is in the language that it was told of.
        free = [text] if heard.read and not orders(text) else []
        return _Plan(text, free=tuple(free))

    def _free(self, place: str, value: str) -> bool:
        kept = all(name in self._words.keep for name in place.strip("{}").split("}{"))
        return _has_words(value) and not kept and not orders(value)

    async def _ask(
        self, texts: Sequence[str], heard: Heard, purpose: Any
    ) -> dict[str, str | TranslationError]:
        asked = list(dict.fromkeys(texts))
        if not asked:
            return {}
        if self._translator is None:
            return dict.fromkeys(asked, NotTranslated("there is no engine"))
        translating = self._translator.each(
            asked,
            self.company,
            heard.language,
            conversation=heard.conversation,
            purpose=purpose,
            known=() if purpose == "fixed" else heard.known,
            only_kept=heard.down,
        )
        try:
            made = await asyncio.wait_for(translating, self._seconds)
        except asyncio.TimeoutError:
            late = EngineFailed(f"{self._translator.engine}: took more than {self._seconds:g} s")
            return dict.fromkeys(asked, late)
        except Exception as error:
            log.exception("%s: a reply could not be translated", heard.conversation)
            broken = EngineFailed(f"{self._translator.engine}: {type(error).__name__}")
            return dict.fromkeys(asked, broken)
        for why in {str(one) for one in made if isinstance(one, TranslationError)}:
            log.warning("%s: a reply is not translated: %s", heard.conversation, why)
        return dict(zip(asked, made, strict=True))

    def _sorry(self, language: str, *, handed: bool) -> Content | None:
        words = self._words.says("handed" if handed else "sorry", language)
        if not words:
            return None
        if handed:
            return Text(words)
        button = self._words.says("button", language)
        return Choices(words, (Option(button, self._words.person),)) if button else Text(words)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What becomes of one text: its sentence and the free parts are translated."""

    text: str
    sentence: str = ""
    made: Made | None = None
    own: str = ""
    free: tuple[str, ...] = ()

    def put(self, found: Mapping[str, str | TranslationError]) -> str:
        """Return the text as it is to be said."""
        if self.made is None:
            whole = found.get(self.text) if self.free else None
            return whole if isinstance(whole, str) else self.text
        sentence = self.own or found.get(self.sentence)
        if not isinstance(sentence, str):
            return self.text
        values: dict[str, str] = {}
        for place, value in self.made.values.items():
            said = found.get(value) if value in self.free else None
            values[place] = said if isinstance(said, str) else value
        return self.made.filled(sentence, values)


def _has_words(text: str) -> bool:
    return any(c.isalpha() for c in text)


def shown(content: Content) -> str:
    """Return the words of a content on one line, as a turn keeps them."""
    return " / ".join(words_in(content))


def _lately(told: object, now: datetime) -> bool:
    return bool(told) and now - datetime.fromisoformat(str(told)) < TELL_AGAIN
