"""Sensitive matters: what is a person's, by pattern, intent or the LLM's verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.perception.contract import PRIORITIES, Sensitive
from bot.perception.patterns import Index, Pattern, plain

Llm = Literal["never", "fallback", "every"]
#: For each language.
Texts = Mapping[str, str]
_URGENT = {priority: n for n, priority in enumerate(reversed(PRIORITIES))}


@dataclass(frozen=True)
class Topic:
    """One kind of matter, as it stands in the file.

    `about` is for the LLM, `says` for customers. A pattern's match counts unless one of
    `unless` matches over it. Both are by language.
    """

    name: str
    about: str
    priority: str
    intents: tuple[str, ...]
    patterns: Mapping[str, tuple[Pattern, ...]] = field(repr=False)
    unless: Mapping[str, tuple[Pattern, ...]] = field(repr=False)
    says: Texts = field(repr=False)


class Escalation:
    """The file, read: tells whether a message is a sensitive matter, and what is said then.

    `llm` says when a model is asked too: ``never``, on what no story covers (``fallback``),
    or on ``every`` message. Does no I/O and may be shared by threads.
    """

    def __init__(
        self,
        *,
        default: str,
        llm: Llm,
        topics: Iterable[Topic],
        waiting: Texts,
    ) -> None:
        self.default = default
        self.llm: Llm = llm
        self._topics = {topic.name: topic for topic in topics}
        self._waiting = waiting
        self._by_intent = {i: t for t in self._topics.values() for i in t.intents}
        # Topic and language of each pattern, in the order of the index.
        self._whose = [
            (topic, language)
            for topic in self._topics.values()
            for language, patterns in topic.patterns.items()
            for _ in patterns
        ]
        self._patterns = Index(
            pattern
            for topic in self._topics.values()
            for patterns in topic.patterns.values()
            for pattern in patterns
        )
        self._unless = {
            topic.name: Index(p for patterns in topic.unless.values() for p in patterns)
            for topic in self._topics.values()
        }

    @property
    def topics(self) -> Mapping[str, str]:
        """What each topic is about, by its name, for the prompt of an LLM."""
        return {topic.name: topic.about for topic in self._topics.values()}

    @property
    def intents(self) -> frozenset[str]:
        """The intents of Rasa's that are a sensitive matter by themselves."""
        return frozenset(self._by_intent)

    def match(self, text: str, language: str) -> Sensitive | None:
        """Tell what sensitive matter a message is by its words, in whichever language.

        Of several topics the most urgent is told, then the first of the file; `why` names
        all of them.
        """
        said = plain(text)
        found: dict[str, tuple[str, Pattern]] = {}
        for n, pattern, span in self._patterns.matches(said):
            topic, written_in = self._whose[n]
            # One reason for each topic, of the customer's language if there is one.
            told = found.get(topic.name)
            if told and (told[0] == language or written_in != language):
                continue
            if not self._excused(topic, said, span):
                found[topic.name] = (written_in, pattern)
        if not found:
            return None
        order = [name for name in self._topics if name in found]
        order.sort(key=lambda name: _URGENT[self._topics[name].priority])
        reasons = (
            f'{name}: pattern "{found[name][1].written}" ({found[name][0]})' for name in order
        )
        return self._sensitive(self._topics[order[0]], language, "; ".join(reasons))

    def by_intent(self, intent: str, language: str) -> Sensitive | None:
        """Tell what sensitive matter an intent of Rasa's is."""
        topic = self._by_intent.get(intent)
        if topic is None:
            return None
        return self._sensitive(topic, language, f"{topic.name}: intent {intent}")

    def by_topic(self, topic: str, language: str, why: str) -> Sensitive | None:
        """Return the topic that somebody else found, an LLM; None when there is no such."""
        known = self._topics.get(topic)
        return self._sensitive(known, language, f"{known.name}: {why}") if known else None

    def speaks(self, topic: str, language: str) -> bool:
        """Tell whether a topic's first sentence is written in a language."""
        known = self._topics.get(topic)
        return known is not None and language in known.says

    def waiting(self, language: str) -> str:
        """Return what is told to who waits for a person."""
        return self._in(language, self._waiting)

    def _excused(self, topic: Topic, said: str, span: tuple[int, int]) -> bool:
        return any(
            start < span[1] and span[0] < end
            for _, _, (start, end) in self._unless[topic.name].matches(said)
        )

    def _sensitive(self, topic: Topic, language: str, why: str) -> Sensitive:
        return Sensitive(topic.name, topic.priority, self._in(language, topic.says), why)

    def _in(self, language: str, texts: Texts) -> str:
        code = language.lower().replace("_", "-").partition("-")[0]
        return texts.get(code) or texts[self.default]
