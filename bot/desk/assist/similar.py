"""Resolved cases like an open one, and what agents said in them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.desk.assist.ranking import Ranking
from bot.desk.assist.reading import Reading
from bot.desk.timeline import words
from bot.llm.masking import parts_of_name, redact
from bot.store import AsyncStore
from bot.store.cases import RESOLVED, Case
from bot.store.messages import DROPPED, FAILED, Message

#: Resolved cases that are looked at, the last of all and the last of the topic.
_LAST, _OF_TOPIC = 300, 100
#: How many are told.
_TOLD = 5
#: From where on a case is like another, by its words; what the same topic adds.
_ALIKE, _TOPIC = 0.2, 0.15
#: Topics that say how a case came, not what it is about.
_VAGUE = frozenset({"human", "unanswered", "undelivered", "taken", "frustrated", ""})
#: From where on a case is near enough for its agent's words to be a draft, and they to it.
_NEAR, _FITS = 0.35, 0.12
#: Letters of an agent's words that are more than a greeting.
_WORTH = 40
_MESSAGES = 200
_SALUTATION = re.compile(
    r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)"
    r"|liebe[rs]?|sehr geehrte[rs]?)\b[^,.!\n]{0,40}[,.!\n]\s*",
    re.IGNORECASE,
)
#: An order, a house, a phone, an amount: of that other customer alone.
_PARTICULAR = re.compile(r"[0-9]{4,}|[£€$]\s?[0-9]|[0-9]\s?[£€$]")


@dataclass(frozen=True, slots=True)
class Alike:
    """A resolved case. `score` orders cases; `sure` is how much its words say the same, 0 to 1."""

    case: Case
    score: float
    sure: float


@dataclass(frozen=True, slots=True)
class Precedent:
    """What an agent said in a resolved case, which may be said again."""

    case: Case
    text: str


async def alike(store: AsyncStore, reading: Reading) -> list[Alike]:
    """Return resolved cases like the open one, the best first, at most five."""
    own, topic = reading.case, reading.case.topic if reading.case else ""
    rows = await store.find(Case, {"status": RESOLVED}, sort=("-resolved",), limit=_LAST)
    if topic not in _VAGUE:
        where = {"topic": topic, "status": RESOLVED}
        rows += await store.find(Case, where, sort=("-resolved",), limit=_OF_TOPIC)
    others = {r.id: r for r in rows if not r.part_of and (own is None or r.id != own.id)}
    cases = list(others.values())
    summary = str(own.summary) if own else ""
    wanted = f"{summary}\n{redact(reading.question, reading.known)}"
    texts = [(f"{row.summary}\n{row.resolution}", str(row.language or "en")) for row in cases]
    # Hundreds of texts are some hundredths of a second, too long for a loop that serves others.
    likeness, known = await asyncio.to_thread(_likeness, texts, wanted, reading.language)
    found = []
    for row, like in zip(cases, likeness, strict=True):
        same = row.topic == topic and topic not in _VAGUE
        if like >= _ALIKE or same:
            found.append(Alike(row, like + (_TOPIC if same else 0.0), like * known))
    found.sort(key=lambda one: (one.score, _stamp(one.case)), reverse=True)
    return found[:_TOLD]


async def precedent(
    store: AsyncStore, reading: Reading, cases: Sequence[Alike]
) -> Precedent | None:
    """Return what an agent said in the nearest of the cases, if it fits and tells nothing.

    It is another customer's: words with a name, a number or an amount in them are left out.
    """
    for one in cases:
        if one.sure < _NEAR or str(one.case.language or "en") != reading.language:
            continue
        said = await _said_in(store, one.case)
        if not said:
            continue
        wanted = f"{one.case.summary}\n{reading.question}"
        texts = [(text, reading.language) for text in said]
        likeness, _ = await asyncio.to_thread(_likeness, texts, wanted, reading.language)
        best = max(range(len(said)), key=lambda n: likeness[n])
        if likeness[best] >= _FITS:
            return Precedent(one.case, said[best])
    return None


async def _said_in(store: AsyncStore, case: Case) -> list[str]:
    """Return what agents told the customer of a case, so far as it may be told another."""
    if case.resolved is None:
        return []
    rows = await store.find(
        Message,
        {
            "conversation": case.conversation,
            "arrived": {"$gte": _micros(case.at), "$lte": _micros(case.resolved)},
        },
        sort=("arrived",),
        limit=_MESSAGES,
    )
    names = {str((row.profile or {}).get("name") or "") for row in rows if row.direction == "in"}
    known = [part for name in names for part in parts_of_name(name)]
    found = []
    for row in rows:
        if row.direction == "in" or not row.agent or row.status in (FAILED, DROPPED):
            continue
        if (row.content or {}).get("kind") != "text":
            continue
        text = _SALUTATION.sub("", words(dict(row.content))).strip()
        if len(text) >= _WORTH and not _PARTICULAR.search(text) and redact(text, known) == text:
            found.append(text[:1].upper() + text[1:])
    return found


def _likeness(
    texts: Sequence[tuple[str, str]], wanted: str, language: str
) -> tuple[list[float], float]:
    """Return how much texts are like what is wanted, and how much of it they know at all."""
    ranking = Ranking(texts)
    return ranking.like(wanted, language), ranking.known(wanted, language)


def _micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _stamp(case: Case) -> float:
    return float(case.resolved.timestamp()) if case.resolved else 0.0
