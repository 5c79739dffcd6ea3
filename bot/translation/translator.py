"""Translates several texts at once; what may not change is taken out, and looked for after."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.store import StoreError
from bot.translation.contract import (
    Engine,
    EngineFailed,
    Job,
    NotTranslated,
    Purpose,
    TranslationError,
    UnsupportedPair,
)
from bot.translation.protecting import Protected, protect, with_figures
from bot.translation.verifying import SURELY, Tells, problem, untouched

log = logging.getLogger(__name__)

#: Characters that one call of an engine gets at the most, and of one text at all.
AT_ONCE, LONGEST = 2400, 6000
#: What a model is told of a text that came back as it was.
_UNTOUCHED = "a text came back as it was; only names and words that are the same in both may"
_LETTER = re.compile(r"[^\W\d_]")
# Whatever ends a line for a model: some phones write no plain one.
_LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")


class Remembers(Protocol):
    """What keeps translations of the bot's own words."""

    async def find(
        self, engine: str, pair: tuple[str, str], texts: Sequence[str]
    ) -> dict[str, str]:
        """Return those translations that are kept, by text."""

    async def keep(self, engine: str, pair: tuple[str, str], made: dict[str, str]) -> None:
        """Keep translations."""


@dataclass
class _Unit:
    """One line of one text: what an engine is given, and what came of it."""

    before: str
    line: str
    after: str
    protected: Protected
    made: str | None = None
    wrong: str = ""
    key: str = field(default="")


class Translator:
    """Implements the contract: `translate`, and `each` which tells failures text by text.

    `remembered` keeps the bot's own words, None keeps nothing.
    """

    def __init__(self, engine: Engine, tells: Tells, remembered: Remembers | None = None) -> None:
        self._engine = engine
        self._tells = tells
        self._remembered = remembered

    @property
    def engine(self) -> str:
        """The name of the engine."""
        return self._engine.name

    def can(self, source: str, target: str) -> bool:
        """Tell whether the engine knows the pair."""
        return source != target and self._engine.can(source, target)

    async def translate(
        self,
        texts: Sequence[str],
        source: str,
        target: str,
        *,
        keep: Sequence[str] = (),
        conversation: str,
        purpose: Purpose,
        known: Sequence[str] = (),
    ) -> list[str]:
        """Return the texts in another language, in order.

        `keep` are words that stay as they are, beside links, numbers, placeholders and the
        customer's names `known`. Raises NotTranslated, EngineFailed, UnsupportedPair.
        """
        made = await self.each(
            texts,
            source,
            target,
            keep=keep,
            conversation=conversation,
            purpose=purpose,
            known=known,
        )
        for one in made:
            if isinstance(one, TranslationError):
                raise one
        return [one for one in made if isinstance(one, str)]

    async def each(
        self,
        texts: Sequence[str],
        source: str,
        target: str,
        *,
        keep: Sequence[str] = (),
        conversation: str,
        purpose: Purpose,
        known: Sequence[str] = (),
        only_kept: bool = False,
    ) -> list[str | TranslationError]:
        """Do as `translate`, but return for each text why there is no translation of it.

        With `only_kept` the engine is not asked.
        """
        if source == target:
            return list(texts)
        stays = (*keep, *known)
        if purpose == "hear":
            # Forms, rules and backends know order 1042, and not ١٠٤٢.
            texts = [with_figures(text) for text in texts]
        # What is too long is not paid for.
        short = ["" if len(text) > LONGEST else text for text in texts]
        lines = [[self._unit(line, stays) for line in _LINE_ENDS.split(text)] for text in short]
        wanted = [unit for units in lines for unit in units if unit.made is None]
        pair = (source, target)
        failed: TranslationError | None = None
        job = Job(conversation, purpose, tuple(known))
        try:
            if purpose == "fixed":
                await self._recall(wanted, pair)
            wanted = [unit for unit in wanted if unit.made is None]
            if wanted and not self._engine.can(source, target):
                raise UnsupportedPair(f"{self._engine.name} has no {source} to {target}")
            if wanted and only_kept:
                raise EngineFailed(f"{self._engine.name} is not asked again")
            await self._make(wanted, pair, job)
        except (EngineFailed, UnsupportedPair) as error:
            failed = error
        if purpose == "fixed":
            await self._keep(wanted, pair)
        return [self._whole(text, units, failed) for text, units in zip(texts, lines, strict=True)]

    async def close(self) -> None:
        """Let go of the engine."""
        await self._engine.close()

    def _unit(self, line: str, keep: Sequence[str]) -> _Unit:
        bare = line.strip()
        start = line.find(bare) if bare else len(line)
        # What begins a list or a quotation is not a word's.
        bullet = re.match(r"(?:[-*•>–]\s+|\d{1,2}[.)]\s+)+", bare)
        start += bullet.end() if bullet else 0
        end = len(line.rstrip()) if bare else len(line)
        inside = line[start:end]
        protected = protect(inside, keep, self._engine.token)
        unit = _Unit(line[:start], inside, line[end:], protected)
        left = protected.text
        for token in protected.tokens:
            left = left.replace(token, "")
        if not _LETTER.search(left):
            unit.made = inside
        return unit

    def _whole(
        self, text: str, units: Sequence[_Unit], failed: TranslationError | None
    ) -> str | TranslationError:
        if len(text) > LONGEST:
            return NotTranslated(f"it has more than {LONGEST} characters")
        for unit in units:
            if unit.made is None:
                return failed or NotTranslated(unit.wrong or "it was not answered")
        return "\n".join(f"{unit.before}{unit.made}{unit.after}" for unit in units)

    async def _make(self, units: Sequence[_Unit], pair: tuple[str, str], job: Job) -> None:
        await self._attempt(units, pair, job, first=self._engine.repairs)
        left = [unit for unit in units if unit.made is None]
        if left and self._engine.repairs:
            wrong = "; ".join(dict.fromkeys(unit.wrong for unit in left))
            await self._attempt(left, pair, replace(job, wrong=wrong))
            left = [unit for unit in left if unit.made is None]
        for unit in left:
            await self._piecewise(unit, pair, job)

    async def _attempt(
        self, units: Sequence[_Unit], pair: tuple[str, str], job: Job, *, first: bool = False
    ) -> None:
        # Of a customer's words that stay as they are the language may have been mistaken.
        doubts = first and job.purpose != "hear"
        for some in _portions(units):
            # The same line is asked for once, however often it is said.
            asked = list(dict.fromkeys(unit.protected.text for unit in some))
            given = await self._ask(asked, pair, job)
            for unit in some:
                answer = given[unit.protected.text].strip()
                unit.wrong = problem(unit.protected, answer, languages=pair, tells=self._tells)
                if not unit.wrong and doubts and self._untouched(unit, answer, pair):
                    unit.wrong = _UNTOUCHED
                if not unit.wrong:
                    unit.made = unit.protected.restore(answer)

    def _untouched(self, unit: _Unit, answer: str, pair: tuple[str, str]) -> bool:
        before, given = unit.protected.text, answer
        for token in unit.protected.tokens:
            before, given = before.replace(token, " "), given.replace(token, " ")
        return bool(untouched(before, given, pair, self._tells))

    async def _ask(self, texts: list[str], pair: tuple[str, str], job: Job) -> dict[str, str]:
        given = await self._engine.translate(texts, *pair, job)
        if len(given) != len(texts):
            raise EngineFailed(f"{self._engine.name}: answered with {len(given)} texts")
        return dict(zip(texts, given, strict=True))

    async def _piecewise(self, unit: _Unit, pair: tuple[str, str], job: Job) -> None:
        """Translate what stands between the protected parts, each piece by itself."""
        if not unit.protected.tokens:
            return
        pieces = unit.protected.pieces()
        words = list(dict.fromkeys(p.strip() for p in pieces if _LETTER.search(p)))
        if not words:
            return
        given = await self._ask(words, pair, job)
        made: list[str] = []
        for piece in pieces:
            bare = piece.strip()
            if not bare or bare not in given:
                made.append(piece)
                continue
            answer = given[bare].strip()
            wrong = problem(Protected(bare, (), ()), answer, languages=pair, tells=self._tells)
            if wrong:
                unit.wrong = wrong
                return
            made.append(piece.replace(bare, answer, 1))
        values = (*unit.protected.values, "")
        unit.made = "".join(f"{p}{v}" for p, v in zip(made, values, strict=True))

    async def _recall(self, units: Sequence[_Unit], pair: tuple[str, str]) -> None:
        if self._remembered is None:
            return
        try:
            found = await self._remembered.find(
                self._engine.name, pair, list(dict.fromkeys(unit.line for unit in units))
            )
        except StoreError as error:
            log.warning("kept translations cannot be read: %s", type(error).__name__)
            return
        for unit in units:
            made = found.get(unit.line)
            if made is None or untouched(unit.line, made, pair, self._tells) != SURELY:
                unit.made = made

    async def _keep(self, units: Sequence[_Unit], pair: tuple[str, str]) -> None:
        made = {unit.line: unit.made for unit in units if unit.made is not None}
        if not made or self._remembered is None:
            return
        try:
            await self._remembered.keep(self._engine.name, pair, made)
        except StoreError as error:
            log.warning("translations cannot be kept: %s", type(error).__name__)


def _portions(units: Sequence[_Unit]) -> list[list[_Unit]]:
    """Return the units in portions that an engine reads at once."""
    portions: list[list[_Unit]] = []
    size = AT_ONCE
    for unit in units:
        size += len(unit.protected.text)
        if size > AT_ONCE:
            portions.append([])
            size = len(unit.protected.text)
        portions[-1].append(unit)
    return portions
