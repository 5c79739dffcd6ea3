"""A question in, an answer out that an article backs; or the honest word that there is none.

With a language model its answer is sent only if every sentence of it is backed by the
passages it was given. Without one, or when it fails or says more than they do, the best
passage is quoted if it is likely enough to be the right one; else the likeliest articles are
offered. Where nothing fits, nothing is said but that.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from bot.knowledge.confidence import ENOUGH, SOME, confidence
from bot.knowledge.contract import CUSTOMERS, Hit, Passage
from bot.knowledge.followup import is_followup, joined
from bot.knowledge.quoting import quote_all
from bot.llm import grounding, links
from bot.llm.contract import Ask, Reply, Said, Talks
from bot.llm.errors import LlmError
from bot.llm.grounding.lexicon import SMALL_WORDS
from bot.llm.orders import orders
from bot.llm.overreach import overreach
from bot.llm.prompts import Prompt
from bot.llm.untrusted import harmless, mark, rule, wrap
from bot.message import utcnow
from bot.store import StoreError
from bot.store.gaps import UNANSWERED, UNSUPPORTED

log = logging.getLogger(__name__)

#: Passages that a search gives, and those that a model reads of them.
_FOUND, _READ = 12, 5
#: Articles that are offered when none is likely enough.
_OFFERED = 3
#: What was said before that a model reads, in messages.
_PAST = 6
#: Passages of one article that are quoted together, and how near they must come to the best.
_QUOTED, _BESIDE = 3, 0.6
#: A model's answer may be longer than the channel likes by this much.
_LONGER = 2
#: How deep the passages of one article are searched for.
_DEEP = 60
#: Below this cosine and with none of its words in any article a text is no question to us.
_STRANGE = 0.25
#: Of a question that a model has put together: characters more than all that was said, and
#: letters in which its words must be alike those.
_MORE, _STEM = 60, 4
_WORDS = re.compile(r"\w+")
_FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"type": "string"},
        "cites": {"type": "array", "items": {"type": "integer"}},
        "enough": {"type": "boolean"},
        "escalate": {"type": ["string", "null"]},
    },
    "required": ["answer", "cites", "enough", "escalate"],
    "additionalProperties": False,
}
_STANDALONE: dict[str, Any] = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}


class Searches(Protocol):
    """What answering needs of the knowledge base."""

    async def search(
        self,
        query: str,
        *,
        k: int = 5,
        language: str | None = None,
        product: str | None = None,
        audience: str = CUSTOMERS,
    ) -> list[Hit]:
        """See `bot.knowledge.library.Library.search`."""

    async def ready(self) -> None:
        """See `bot.knowledge.library.Library.ready`."""


@dataclass(frozen=True, slots=True)
class About:
    """Who asks, and where.

    `limit` is how many characters of an answer the channel likes. `past` are the messages
    before this one, ``(role, text)`` with role "user" or "assistant". `previous` is the
    question that was answered before this one, "" for none. `known` are strings of the
    customer's profile that no third party's model is to see. `memory` is what is known of
    the customer, one fact a line. `seen` is what a model saw in pictures that came with the
    question, "" for none.
    """

    conversation: str
    channel: str = ""
    language: str = "en"
    limit: int = 900
    past: tuple[tuple[Literal["user", "assistant"], str], ...] = ()
    previous: str = ""
    known: tuple[str, ...] = ()
    memory: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """An article that an answer comes from."""

    article: str
    title: str
    url: str
    passage: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said, and why.

    `how` is "model", "quote", "offer" (`sources` are the articles that may answer it), "none"
    (no article does) or "unclear" (it does not look like a question to a company). `text` is
    "" with the last three. `question` is the one that was looked up, `base` the one that
    another question right after it may lean on. `gap` is why it belongs to the gaps, "" when
    it does not. `escalate` is the sensitive topic that the model saw, "" for none.
    """

    how: Literal["model", "quote", "offer", "none", "unclear"]
    text: str
    question: str
    confidence: float
    sources: tuple[Source, ...] = ()
    nearest: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    gap: str = ""
    escalate: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an installation says of itself to the model; see ``data/prompts/answer.md``.

    `rules` are the company's own, which come before what articles and customers say.
    """

    company: str
    rules: str = ""
    topics: Mapping[str, str] = field(default_factory=dict)
    domains: Collection[str] = ()


class Answering:
    """Answers questions. `prompts` are those of ``data/prompts``, by name."""

    def __init__(
        self,
        search: Searches,
        talks: Talks | None,
        prompts: Mapping[str, Prompt],
        sheet: Sheet,
    ) -> None:
        self._search = search
        self._talks = talks if talks is not None and talks.available else None
        self._prompts = prompts
        self._sheet = sheet

    async def ready(self) -> None:
        """Have the articles loaded before the first question needs them."""
        await self._search.ready()

    async def answer(self, question: str, about: About) -> Answer:
        """Answer a question. Never raises what a model or its answer is the cause of."""
        why: list[str] = []
        asked, base, hits = await self._look_up(question, about, why)
        return replace(await self._answered(asked, hits, about, why), base=base)

    async def _answered(self, asked: str, hits: list[Hit], about: About, why: list[str]) -> Answer:
        sure = confidence(hits)
        nearest = tuple(hit.passage.id for hit in hits[:3])
        why.append(f"confidence {sure:.2f}" + (f" in {nearest[0]}" if nearest else ""))
        if not _about_us(hits):
            return Answer("unclear", "", asked, sure, nearest=nearest, why=tuple(why))
        gap = UNANSWERED
        if self._talks is not None:
            said = await self._by_model(self._talks, asked, hits[:_READ], about, why)
            if said is not None and (said.how == "model" or said.escalate):
                return said
            if said is not None and said.gap == UNSUPPORTED:
                gap = UNSUPPORTED
            elif said is not None:
                # It has read the passages and says that they do not answer it.
                return Answer(
                    "none", "", asked, sure, nearest=nearest, why=tuple(why), gap=UNANSWERED
                )
        if sure < SOME:
            return Answer("none", "", asked, sure, nearest=nearest, why=tuple(why), gap=gap)
        if sure < ENOUGH:
            offered: dict[str, Source] = {}
            for hit in hits:
                offered.setdefault(hit.passage.article, _source(hit.passage))
            likeliest = tuple(offered.values())[:_OFFERED]
            return Answer("offer", "", asked, sure, likeliest, nearest, tuple(why))
        best = hits[0]
        beside = [
            hit.passage
            for hit in hits
            if hit.passage.article == best.passage.article and hit.score >= best.score * _BESIDE
        ]
        return self._quoted(beside[:_QUOTED], asked, sure, about, why, nearest)

    @property
    def talks(self) -> Talks | None:
        """The language models; None without any."""
        return self._talks

    @property
    def prompts(self) -> Mapping[str, Prompt]:
        """The prompts of ``data/prompts``."""
        return self._prompts

    @property
    def sheet(self) -> Sheet:
        """What the installation says of itself."""
        return self._sheet

    async def passages(self, question: str, about: About) -> tuple[list[Passage], str]:
        """Return the passages that a model would answer a question from, the best first.

        And what is quoted of the best, "" when it is not likely enough to answer it.
        """
        hits = (await self._found(question, about))[:_READ]
        quote = ""
        if confidence(hits) >= ENOUGH:
            quote = quote_all([hits[0].passage], question, about.limit)
        return [hit.passage for hit in hits], quote

    def judge(self, text: str, passages: Sequence[Passage], told: Sequence[str] = ()) -> str:
        """Return why a model's words must not be sent, "" when they may.

        `told` is what else they may rest on.
        """
        sources = [*(f"{one.heading}.\n\n{one.text}" for one in passages), *told]
        if links.foreign(text, sources, self._sheet.domains):
            return "links of its own"
        verdict = grounding.check(text, sources, domains=self._sheet.domains)
        if not verdict.ok:
            return f"not backed: {', '.join(dict.fromkeys(c.kind for c in verdict.unsupported))}"
        return overreach(text, sources, verdict)

    async def from_article(self, article: str, title: str, question: str, about: About) -> Answer:
        """Quote the passage of an article that answers best; "none" when it is gone."""
        for query in (question, title):
            hits = await self._searched(query, _DEEP)
            own = [hit.passage for hit in hits if hit.passage.article == article]
            if own:
                return self._quoted(own, question, 1.0, about, ["chosen by the customer"])
        return Answer("none", "", question, 0.0, why=("the article is gone",))

    def _quoted(
        self,
        passages: Sequence[Passage],
        question: str,
        sure: float,
        about: About,
        why: list[str],
        nearest: tuple[str, ...] = (),
    ) -> Answer:
        text = quote_all(passages, question, about.limit)
        why.append(f"quoted {passages[0].id}")
        return Answer("quote", text, question, sure, (_source(passages[0]),), nearest, tuple(why))

    async def _look_up(
        self, question: str, about: About, why: list[str]
    ) -> tuple[str, str, list[Hit]]:
        """Return the question as it stands by itself, its base, and what was found for it.

        Questions that are only put together would grow with each one that follows: the
        next one leans on the first of them again.
        """
        if about.previous and is_followup(question, about.language):
            why.append("read together with the question before it")
            alone = await self._rewritten(question, about, why)
            if alone:
                return alone, alone, await self._found(alone, about)
            both = joined(about.previous, question)
            return both, about.previous, await self._found(both, about)
        hits = await self._found(question, about)
        if about.previous and confidence(hits) < ENOUGH:
            both = joined(about.previous, question)
            again = await self._found(both, about)
            if confidence(again) >= max(ENOUGH, confidence(hits)):
                why.append("found together with the question before it")
                return both, about.previous, again
        return question, question, hits

    async def _found(self, question: str, about: About) -> list[Hit]:
        hits = await self._searched(question, _FOUND, about.language)
        if confidence(hits) >= ENOUGH:
            return hits
        # Better an answer in the company's own language than none.
        anywhere = await self._searched(question, _FOUND)
        return anywhere if confidence(anywhere) > confidence(hits) else hits

    async def _searched(self, query: str, k: int, language: str | None = None) -> list[Hit]:
        hits = await self._search.search(query, k=k, language=language)
        kept = [hit for hit in hits if not orders(f"{hit.passage.heading}\n{hit.passage.text}")]
        if len(kept) < len(hits):
            bad = {hit.passage.id for hit in hits} - {hit.passage.id for hit in kept}
            # Neither told to a model nor quoted: somebody has put it there.
            log.warning("passages that give orders to a model are left out: %s", sorted(bad))
        return kept

    async def _rewritten(self, question: str, about: About, why: list[str]) -> str:
        if self._talks is None:
            return ""
        past = "\n".join(f"{role}: {text}" for role, text in about.past[-_PAST:])
        border, prompt = mark(), self._prompts["rewrite"]
        system = prompt.fill(
            turns=wrap("conversation", past or about.previous, border),
            question=wrap("message", question, border),
            language=about.language,
        )
        asked = (Said("system", f"{system}\n\n{rule(border)}"), Said("user", harmless(question)))
        ask = Ask(
            asked,
            about.conversation,
            "rewrite",
            prompt.tokens,
            _STANDALONE,
            known=about.known,
        )
        try:
            reply = await self._talks.ask(ask)
        except (LlmError, StoreError) as error:
            why.append(f"the question could not be rewritten: {type(error).__name__}")
            return ""
        told = _json(reply.text).get("question")
        alone = told.strip() if isinstance(told, str) else ""
        if not _of_words(alone, [past, about.previous, question], about.language):
            why.append(f"{reply.model}: put words of its own into the question")
            return ""
        return alone

    async def _by_model(
        self, talks: Talks, question: str, hits: Sequence[Hit], about: About, why: list[str]
    ) -> Answer | None:
        """Return the model's answer if it can be sent; None when there is none to judge."""
        try:
            reply = await talks.ask(self._ask(question, hits, about))
        except (LlmError, StoreError) as error:
            why.append(f"no model answered: {type(error).__name__}")
            return None
        told = _json(reply.text)
        if not told:
            why.append(f"{reply.model}: its answer is not what was asked for")
            return None
        escalate = told.get("escalate")
        if isinstance(escalate, str) and escalate in self._sheet.topics:
            why.append(f"{reply.model}: {escalate}")
            return Answer("none", "", question, confidence(hits), why=tuple(why), escalate=escalate)
        if told.get("enough") is not True:
            why.append(f"{reply.model}: the articles do not say")
            return Answer("none", "", question, confidence(hits), why=tuple(why), gap=UNANSWERED)
        return self._judged(told, reply, question, hits, about, why)

    def _judged(
        self,
        told: Mapping[str, Any],
        reply: Reply,
        question: str,
        hits: Sequence[Hit],
        about: About,
        why: list[str],
    ) -> Answer:
        cited = _cited(told.get("cites"), hits)
        text = str(told.get("answer") or "").strip()
        reason = ""
        if not cited or not text:
            reason = "cites nothing" if text else "says nothing"
        elif len(text) > about.limit * _LONGER:
            # Not cut: without its end it may say something else.
            reason = "too long"
        elif stray := links.foreign(text, [p.text for p in cited], self._sheet.domains):
            reason = f"{len(stray)} links of its own"
        else:
            sources = [f"{passage.heading}.\n\n{passage.text}" for passage in cited]
            verdict = grounding.check(text, sources, question=question, domains=self._sheet.domains)
            if not verdict.ok:
                kinds = dict.fromkeys(claim.kind for claim in verdict.unsupported)
                reason = f"not backed: {', '.join(kinds)}"
            else:
                reason = overreach(text, sources, verdict)
        sure = confidence(hits)
        if reason:
            why.append(f"{reply.model}: {reason}")
            return Answer("none", "", question, sure, why=tuple(why), gap=UNSUPPORTED)
        why.append(f"{reply.model}: backed by {', '.join(p.id for p in cited)}")
        return Answer(
            "model",
            text,
            question,
            sure,
            tuple(dict.fromkeys(_source(passage) for passage in cited)),
            tuple(hit.passage.id for hit in hits[:3]),
            tuple(why),
        )

    def _ask(self, question: str, hits: Sequence[Hit], about: About) -> Ask:
        past = tuple(Said(role, harmless(text)) for role, text in about.past[-_PAST:])
        # What depends on one customer's words alone is nobody else's to read.
        alike = not past and not about.memory and not about.known and not about.seen
        seed = "\n".join([question, *(hit.passage.digest for hit in hits)])
        border, prompt = mark(seed if alike else ""), self._prompts["answer"]
        passages = "\n\n".join(
            f"[{n}] " + wrap("article", hit.passage.text, border, name=hit.passage.heading)
            for n, hit in enumerate(hits, 1)
        )
        topics = "\n".join(f"- {name}: {what}" for name, what in self._sheet.topics.items())
        system = prompt.fill(
            company=self._sheet.company,
            persona="",
            language=about.language,
            channel=about.channel or "chat",
            length=f"Write at most {about.limit} characters.",
            rules=self._sheet.rules or "none",
            topics=topics or "none",
            memory=wrap("memory", about.memory, border) if about.memory else "nothing",
            passages=passages or "none",
            today=f"{utcnow():%A %d %B %Y}",
        )
        asked = harmless(question)
        if about.seen:
            asked += f"\n\n{wrap('picture', about.seen, border)}"
        return Ask(
            (
                Said("system", f"{system}\n\n{rule(border)}"),
                *past,
                Said("user", asked),
            ),
            about.conversation,
            "answer",
            tokens=prompt.tokens,
            schema=_SCHEMA,
            cacheable=alike,
            known=about.known,
        )


def _about_us(hits: Sequence[Hit]) -> bool:
    return any(hit.coverage > 0 or hit.cosine >= _STRANGE for hit in hits)


def _cited(cites: Any, hits: Sequence[Hit]) -> list[Passage]:
    if not isinstance(cites, list):
        return []
    numbers = [n for n in cites if isinstance(n, int) and 1 <= n <= len(hits)]
    return [hits[n - 1].passage for n in dict.fromkeys(numbers)]


def _of_words(question: str, said: Sequence[str], language: str) -> bool:
    """Tell whether a question has no other words than the conversation it was made of.

    It is noted as the customer's, and what he asked may be said again to him.
    """
    known = " ".join(said).lower()
    if len(question) > len(known) + _MORE or links.links(question) != []:
        return False
    small = SMALL_WORDS["en"] | SMALL_WORDS.get(language, frozenset())
    stems = {word[:_STEM] for word in _WORDS.findall(known)}
    words = _WORDS.findall(question.lower())
    numbers = {word for word in words if any(c.isdigit() for c in word)}
    if not numbers.issubset(_WORDS.findall(known)):
        return False
    return all(word in small or word[:_STEM] in stems for word in words)


def _source(passage: Passage) -> Source:
    return Source(passage.article, passage.title, passage.url, passage.id)


def _json(text: str) -> dict[str, Any]:
    """Read the object that a model was asked for; {} for anything else."""
    try:
        told = json.loads(_FENCE.sub("", text.strip()))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
