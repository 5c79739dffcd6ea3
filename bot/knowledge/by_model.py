"""An answer in a model's own words: sent only if the passages that it was given back all of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bot.knowledge.confidence import confidence
from bot.knowledge.contract import About, Answer, Hit, Passage, Sheet, Source
from bot.knowledge.model_words import PAST, told_by
from bot.llm import grounding, links
from bot.llm.contract import Ask, Reply, Said, Talks
from bot.llm.errors import LlmError
from bot.llm.overreach import overreach
from bot.llm.prompts import Prompt
from bot.llm.untrusted import harmless, mark, rule, wrap
from bot.message import utcnow
from bot.store import StoreError
from bot.store.gaps import UNANSWERED, UNSUPPORTED

#: A model's answer may be longer than the channel likes by this much.
_LONGER = 2
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


class ByModel:
    """Has `talks` answer by the prompt ``answer`` of ``data/prompts``."""

    def __init__(self, talks: Talks, prompt: Prompt, sheet: Sheet) -> None:
        self._talks = talks
        self._prompt = prompt
        self._sheet = sheet

    async def answer(
        self, question: str, hits: Sequence[Hit], about: About, why: list[str]
    ) -> Answer | None:
        """Return the model's answer if it can be sent; None when there is none to judge."""
        try:
            reply = await self._talks.ask(self.asks(question, hits, about))
        except (LlmError, StoreError) as error:
            why.append(f"no model answered: {type(error).__name__}")
            return None
        told = told_by(reply)
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
            tuple(dict.fromkeys(Source.of(passage) for passage in cited)),
            tuple(hit.passage.id for hit in hits[:3]),
            tuple(why),
        )

    def asks(self, question: str, hits: Sequence[Hit], about: About) -> Ask:
        """Return what the model is asked."""
        past = tuple(Said(role, harmless(text)) for role, text in about.past[-PAST:])
        # What depends on one customer's words alone is nobody else's to read.
        alike = not past and not about.memory and not about.known and not about.seen
        seed = "\n".join([question, *(hit.passage.digest for hit in hits)])
        border = mark(seed if alike else "")
        passages = "\n\n".join(
            f"[{n}] " + wrap("article", hit.passage.text, border, name=hit.passage.heading)
            for n, hit in enumerate(hits, 1)
        )
        topics = "\n".join(f"- {name}: {what}" for name, what in self._sheet.topics.items())
        system = self._prompt.fill(
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
            tokens=self._prompt.tokens,
            schema=_SCHEMA,
            cacheable=alike,
            known=about.known,
        )


def judge(
    text: str, passages: Sequence[Passage], told: Sequence[str], domains: Collection[str]
) -> str:
    """Return why a model's words must not be sent, "" when they may.

    `told` is what else they may rest on, `domains` those that they may link to.
    """
    sources = [*(f"{one.heading}.\n\n{one.text}" for one in passages), *told]
    if links.foreign(text, sources, domains):
        return "links of its own"
    verdict = grounding.check(text, sources, domains=domains)
    if not verdict.ok:
        return f"not backed: {', '.join(dict.fromkeys(c.kind for c in verdict.unsupported))}"
    return overreach(text, sources, verdict)


def _cited(cites: Any, hits: Sequence[Hit]) -> list[Passage]:
    if not isinstance(cites, list):
        return []
    numbers = [n for n in cites if isinstance(n, int) and 1 <= n <= len(hits)]
    return [hits[n - 1].passage for n in dict.fromkeys(numbers)]
