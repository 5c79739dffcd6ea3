"""Sentences that say different things of the same subject.

What is compared is what two sentences are about, by their telling words, weighted by
rarity, those of title and headings counting as known. It is meant to be right when it
speaks: what may be an exception (``sale items``, ``to Norway``) is passed over.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from bot.knowledge.auditing.findings import CONTRADICTION, HIGH, MEDIUM, Corpus, Finding, file_of
from bot.knowledge.auditing.quantities import Quantity, quantities, same
from bot.knowledge.auditing.sentences import Sentence, sentences
from bot.knowledge.auditing.words import fold, stems

#: Share of each sentence's words, by rarity, that the other has to know.
_ALIKE, _NEARLY_EQUAL = 0.7, 0.85
_POLAR = 0.8
#: Words that both sentences themselves have to share.
_SHARED, _SHARED_POLAR = 2, 3
#: In fewer sentences than this, a word that stands in one of them is not rare for that.
_FEW = 100
#: Words of more sentences than this find no pair by themselves.
_COMMON = 150

_NEGATIVE = re.compile(
    r"\b(not|no|never|none|neither|cannot|without|nor)\b|n't\b|\bnon-?(?=\w)"
    r"|\b(nicht|nie|niemals|kein\w{0,2}|ohne|ne|pas|jamais|aucune?|sans|nunca|ninguna?|ning[uú]n"
    r"|sin|non|mai|nessun\w?|senza|niet|geen|nooit|zonder|não|nenhuma?|sem|nie|żad\w+|bez)\b"
)
#: Words that deny by themselves, and what they deny.
_OPPOSITES = {
    "impossible": "possible", "unable": "able", "refuse": "accept", "refused": "accepted",
    "decline": "accept", "excluded": "included", "excludes": "includes", "unavailable": "available",
    "closed": "open", "forbidden": "allowed", "unmöglich": "möglich", "geschlossen": "geöffnet",
    "ausgeschlossen": "eingeschlossen", "impossibile": "possibile", "imposible": "posible",
    "onmogelijk": "mogelijk", "impossível": "possível", "niemożliwe": "możliwe",
}  # fmt: skip
#: Begins what is said on of a quantity and does not narrow what has it.
_AFTERWARDS = re.compile(
    r"[,;:(]|\b(from|after|since|once|and|but|so|which|ab|nach|seit|sobald|und|aber|à partir|après"
    r"|dès|et|desde|después|y|dal|dopo|e|vanaf|na|en|após|depois|od|po|i)\b"
)
_NAME = re.compile(r"(?<=[a-zà-ÿ,&] )[A-ZÀ-Þ][\w-]+")
_CONDITION = re.compile(
    r"\b(if|unless|when|while|until|except|but|only|wenn|falls|außer|nur|aber|si|sauf|quand|mais"
    r"|cuando|salvo|pero|solo|se|quando|tranne|ma|als|tenzij|maar|alleen|exceto|mas|jeśli|chyba"
    r"|ale|tylko)\b"
)
#: Titles say these of any subject.
_GENERIC_WORDS = """
about and all answers article articles faq frequently asked questions question policy
policies help information info guide overview how to your our the item items product
products goods order orders customer customers details terms conditions everything page shop
store general häufige fragen hilfe übersicht aide guide questions ayuda preguntas guía
domande guida aiuto vragen hulp perguntas ajuda pomoc pytania
"""
_GENERIC = frozenset(_GENERIC_WORDS.split())


@dataclass(frozen=True)
class _Claim:
    """A sentence, what it is about, and what it states."""

    sentence: Sentence
    own: frozenset[str]
    core: frozenset[str]
    known: frozenset[str]
    stated: tuple[Quantity, ...]
    negative: bool
    names: frozenset[str]


def contradictions(corpus: Corpus) -> Iterator[Finding]:
    """Find pairs of sentences that differ in a quantity, or of which one denies the other."""
    by_language: dict[str, list[_Claim]] = defaultdict(list)
    for article in corpus.articles:
        for sentence in sentences(article):
            by_language[article.language].append(_claim(sentence))
    for language, claims in sorted(by_language.items()):
        special = _special(corpus, language)
        counts = Counter(word for claim in claims for word in claim.own)
        size = max(len(claims), _FEW)
        weights = {word: math.log(1 + size / count) for word, count in counts.items()}
        told: set[tuple[str, str, str]] = set()
        for one, other in _pairs(claims, counts):
            found = _clash(one, other, weights, special) or _clash(
                replace(one, own=one.core), replace(other, own=other.core), weights, special
            )
            if found is None:
                continue
            # Of what two files clash in, each thing once.
            subject = (file_of(one.sentence.article), file_of(other.sentence.article), found.what)
            if subject not in told:
                told.add(subject)
                yield found


def _claim(sentence: Sentence) -> _Claim:
    article, language = sentence.article, sentence.article.language
    stated, rest = quantities(sentence.text, language)
    denies = bool(_NEGATIVE.search(rest))
    for word, opposite in _OPPOSITES.items():
        rest, count = re.subn(rf"\b{word}\b", opposite, rest)
        denies ^= bool(count)
    rest = _NEGATIVE.sub(lambda found: " " * len(found[0]), rest)
    own = frozenset(stems(rest, language))
    core = frozenset(stems(_core(sentence.text, rest, stated), language))
    above = (article.title, article.product, *sentence.headings)
    around = frozenset(word for text in above for word in stems(text, language))
    # A name inside a sentence or title is what it is about: Norway, Klarna.
    names = [name for text in (sentence.text, *above) for name in _NAME.findall(text)]
    named = frozenset(stems(" ".join((*names, article.product)), language))
    return _Claim(
        sentence,
        own,
        core,
        own | around,
        tuple(stated),
        denies,
        named & (own | around),
    )


def _core(text: str, rest: str, stated: Sequence[Quantity]) -> str:
    """Return a sentence without its quantities, and without what follows the last of them.

    "24 months, from the day it was bought" is about the same as "24 months"; what narrows
    the subject, as "for sale items" does, stays.
    """
    folded = fold(text)
    ends = [folded.rfind(quantity.shown) + len(quantity.shown) for quantity in stated]
    after = _AFTERWARDS.search(rest, max(ends)) if ends and len(folded) == len(rest) else None
    return rest[: after.start()] if after else rest


def _special(corpus: Corpus, language: str) -> frozenset[str]:
    """Return the words that titles, headings, tags and products set articles apart by."""
    found: set[str] = set()
    for article in corpus.articles:
        if article.language == language:
            headings = [h for s in sentences(article) for h in s.headings]
            for text in (article.title, article.product, *article.tags, *headings):
                words = " ".join(w for w in re.findall(r"\w+", fold(text)) if w not in _GENERIC)
                found.update(stems(words, language))
    return frozenset(found)


def _pairs(claims: list[_Claim], counts: Counter[str]) -> Iterator[tuple[_Claim, _Claim]]:
    holders: dict[str, list[int]] = defaultdict(list)
    for number, claim in enumerate(claims):
        for word in claim.own:
            if counts[word] <= _COMMON:
                holders[word].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in holders.values():
        shared.update(combinations(numbers, 2))
    for (first, second), count in sorted(shared.items()):
        if count >= _SHARED:
            yield claims[first], claims[second]


def _clash(
    one: _Claim, other: _Claim, weights: dict[str, float], special: frozenset[str]
) -> Finding | None:
    if one.sentence.text.endswith("?") or other.sentence.text.endswith("?"):
        return None
    quantity = _differing(one, other)
    if quantity is None and one.negative == other.negative:
        return None
    alike = min(_known(one, other, weights), _known(other, one, weights))
    if alike < _ALIKE and not (quantity and _within(one, other, quantity[0].kind)):
        return None
    if not _comparable(one, other, special, alike):
        return None
    certain = alike >= _NEARLY_EQUAL and not (
        (one.known - other.known) & special and (other.known - one.known) & special
    )
    if quantity is not None:
        mine, theirs = quantity
        what = f"says {mine.shown}, {other.sentence.place} says {theirs.shown}"
        severity = HIGH if certain else MEDIUM
    elif (
        alike >= _POLAR
        and len(one.own & other.own) >= _SHARED_POLAR
        and not _conditional(one, other)
    ):
        what = f"is denied by {other.sentence.place}" if not one.negative else (
            f"denies what {other.sentence.place} says"
        )  # fmt: skip
        severity = HIGH if certain else MEDIUM
    else:
        return None
    first, second = one.sentence, other.sentence
    return Finding(
        CONTRADICTION,
        severity,
        file_of(first.article),
        first.line,
        what,
        "find out which is right and correct the other, or say in each what it is about",
        ((first.place, first.text), (second.place, second.text)),
    )


def _differing(one: _Claim, other: _Claim) -> tuple[Quantity, Quantity] | None:
    """Return the first quantities of one kind that each sentence has and the other has not."""
    for mine in one.stated:
        rivals = [theirs for theirs in other.stated if theirs.kind == mine.kind]
        if not rivals or any(same(mine, theirs) for theirs in rivals):
            continue
        own = [q for q in one.stated if q.kind == mine.kind]
        for theirs in rivals:
            if not any(same(theirs, q) for q in own):
                return mine, theirs
    return None


def _within(one: _Claim, other: _Claim, kind: str) -> bool:
    """Tell whether a longer sentence says all of a shorter one, and one quantity of the kind."""
    short, long = sorted((one, other), key=lambda claim: len(claim.own))
    least = _SHARED if kind.startswith("hours") else _SHARED_POLAR
    alone = all(sum(q.kind == kind for q in claim.stated) == 1 for claim in (one, other))
    return alone and len(short.own) >= least and short.own <= long.own


def _known(one: _Claim, other: _Claim, weights: dict[str, float]) -> float:
    """Return the share of one's own words, by rarity, that the other knows."""
    whole = sum(weights[word] for word in one.own)
    return sum(weights[word] for word in one.own & other.known) / whole if whole else 0.0


def _comparable(one: _Claim, other: _Claim, special: frozenset[str], alike: float) -> bool:
    """Tell whether neither may be an exception of the other."""
    mine = (one.known - other.known) & (special | one.names)
    theirs = (other.known - one.known) & (special | other.names)
    named = bool(mine & one.names), bool(theirs & other.names)
    if mine & one.own or theirs & other.own or all(named):
        return False
    if (mine and theirs) or any(named):
        # Only their titles tell them apart: the same words, and enough of them, are needed.
        hours = any(quantity.kind.startswith("hours") for quantity in one.stated)
        enough = len(one.own & other.own) >= (_SHARED if hours else _SHARED_POLAR)
        return enough and _overlap(one, other) >= _NEARLY_EQUAL
    return not (mine or theirs) or alike >= _NEARLY_EQUAL


def _overlap(one: _Claim, other: _Claim) -> float:
    return min(len(a.own & b.known) / len(a.own) for a, b in ((one, other), (other, one)))


def _conditional(one: _Claim, other: _Claim) -> bool:
    return any(_CONDITION.search(fold(claim.sentence.text)) for claim in (one, other))
