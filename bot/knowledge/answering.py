"""A question in, an answer out that an article backs; or the honest word that there is none.

With a language model its answer is sent only if every sentence of it is backed by the
passages it was given. Without one, or when it fails or says more than they do, the best
passage is quoted if it is likely enough to be the right one; else the likeliest articles are
offered. Where nothing fits, nothing is said but that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.knowledge.by_model import ByModel, judge
from bot.knowledge.confidence import ENOUGH, SOME, confidence
from bot.knowledge.contract import About, Answer, Hit, Passage, Sheet, Source
from bot.knowledge.looking_up import LookingUp, Searches
from bot.knowledge.quoting import quote_all
from bot.llm.contract import Talks
from bot.llm.prompts import Prompt
from bot.store.gaps import UNANSWERED, UNSUPPORTED

#: Passages that a model reads of those that were found.
_READ = 5
#: Articles that are offered when none is likely enough.
_OFFERED = 3
#: Passages of one article that are quoted together, and how near they must come to the best.
_QUOTED, _BESIDE = 3, 0.6
#: How deep the passages of one article are searched for.
_DEEP = 60
#: Below this cosine and with none of its words in any article a text is no question to us.
_STRANGE = 0.25


class Answering:
    """Answers questions. `prompts` are those of ``data/prompts``, by name."""

    def __init__(
        self,
        search: Searches,
        talks: Talks | None,
        prompts: Mapping[str, Prompt],
        sheet: Sheet,
    ) -> None:
        self._talks = talks if talks is not None and talks.available else None
        self._prompts = prompts
        self._sheet = sheet
        self._looking = LookingUp(search, self._talks, prompts)
        self._model = ByModel(self._talks, prompts["answer"], sheet) if self._talks else None

    async def ready(self) -> None:
        """Have the articles loaded before the first question needs them."""
        await self._looking.ready()

    async def answer(self, question: str, about: About) -> Answer:
        """Answer a question. Never raises what a model or its answer is the cause of."""
        why: list[str] = []
        asked, base, hits = await self._looking.look_up(question, about, why)
        return replace(await self._answered(asked, hits, about, why), base=base)

    async def _answered(self, asked: str, hits: list[Hit], about: About, why: list[str]) -> Answer:
        sure = confidence(hits)
        nearest = tuple(hit.passage.id for hit in hits[:3])
        why.append(f"confidence {sure:.2f}" + (f" in {nearest[0]}" if nearest else ""))
        if not _about_us(hits):
            return Answer("unclear", "", asked, sure, nearest=nearest, why=tuple(why))
        gap = UNANSWERED
        if self._model is not None:
            said = await self._model.answer(asked, hits[:_READ], about, why)
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
                offered.setdefault(hit.passage.article, Source.of(hit.passage))
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
        hits = (await self._looking.found(question, about))[:_READ]
        quote = ""
        if confidence(hits) >= ENOUGH:
            quote = quote_all([hits[0].passage], question, about.limit)
        return [hit.passage for hit in hits], quote

    def judge(self, text: str, passages: Sequence[Passage], told: Sequence[str] = ()) -> str:
        """Return why a model's words must not be sent, "" when they may.

        `told` is what else they may rest on.
        """
        return judge(text, passages, told, self._sheet.domains)

    async def from_article(self, article: str, title: str, question: str, about: About) -> Answer:
        """Quote the passage of an article that answers best; "none" when it is gone."""
        for query in (question, title):
            hits = await self._looking.searched(query, _DEEP)
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
        return Answer("quote", text, question, sure, (Source.of(passages[0]),), nearest, tuple(why))


def _about_us(hits: Sequence[Hit]) -> bool:
    return any(hit.coverage > 0 or hit.cosine >= _STRANGE for hit in hits)
