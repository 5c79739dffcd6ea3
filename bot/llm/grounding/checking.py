"""The check of an answer, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bot.llm.grounding.bounds import beyond
from bot.llm.grounding.facts import Fact
from bot.llm.grounding.polarity import contradiction
from bot.llm.grounding.politeness import FILLERS
from bot.llm.grounding.promising import ACTS, CONDITIONS, COSTS, PROMISES, THINGS
from bot.llm.grounding.reading import Sentence, guess, plain, read, split
from bot.llm.grounding.sources import Sources, Window, has, promises, territory
from bot.llm.grounding.verdict import Claim, Support, Verdict
from bot.llm.links import foreign, links
from bot.llm.masking.phones import phones

#: Of the words of a sentence, by rarity, this share must stand in one neighbourhood.
SHARE = 0.7
#: So many words of a sentence may be in no source, and none that is a name.
STRANGERS = 1
#: What another value of the kind may have more in common with a statement than its own.
_SLACK = 0.05
#: More figures in a sentence than any honest one has, and than can be looked at quickly.
_MOST_FACTS = 30

_CLAUSE = re.compile(
    r"\s*[;,]\s+(?:and |but |or |while |whereas |und |aber |et |mais |y |e |ma |pero )?|"
    r"\s+(?:and|but|while|whereas|und|aber|et|mais|y|pero|ma|en|maar|mas|oraz|ale)\s+|\s+-\s+|"
    r"\s*\(|\)\s*|:\s+"
)
_PRONOUN = re.compile(
    r"^(?:it|this|that|they|these|those|both|es|das|dies|sie|il|elle|cela|ce|ils|esto|eso|"
    r"questo|dit|het|isto|to)\b",
    re.I,
)
_YES = re.compile(
    r"^\W*(?:(yes|yep|ja|oui|sí|si|sì|sim|tak|of course|certainly|sure)|(no|nope|nein|non|nee|"
    r"não|nie))\b",
    re.I,
)


def check(
    answer: str,
    sources: Sequence[str],
    *,
    question: str = "",
    domains: Collection[str] = (),
    allowed: Collection[str] = (),
    language: str = "",
) -> Verdict:
    """Return whether every sentence of `answer` is backed by `sources`.

    `question` is the customer's: an order number in it may be said again, nothing else.
    `domains` are hosts that links may lead to. `allowed` are strings that may be said though
    no source holds them: the shop's name, the customer's. `language` (ISO 639-1) is guessed
    when not given.
    """
    text = plain(answer)
    language = language or guess(f"{text} {text} {' '.join(sources)}")
    judge = _Judge(Sources(sources, language), language, question, allowed)
    claims: list[Claim] = [
        Claim("link", f.link.text, f.why) for f in foreign(answer, [*sources, *allowed], domains)
    ]
    claims += _strange_phones(text, [*sources, *allowed])
    text = _without(text)
    supports: list[Support] = []
    before: Sentence | None = None
    for one in split(text):
        sentence = read(one, language)
        support, found = judge.judge(sentence, before)
        supports.append(support)
        claims += found
        before = sentence
    if not supports:
        claims.append(Claim("nothing", "", "the answer says nothing"))
    return Verdict(not claims, tuple(claims), tuple(supports))


def _without(text: str) -> str:
    """Return `text` without links and phone numbers, which are looked at by themselves."""
    spans = [(link.start, link.end) for link in links(text)]
    spans += [(found.start, found.end) for found in phones(text)]
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return re.sub(r"[ \t]+", " ", text)


def _strange_phones(text: str, sources: Sequence[str]) -> Iterator[Claim]:
    known = [
        _digits(source[f.start : f.end]) for source in map(plain, sources) for f in phones(source)
    ]
    for found in phones(text):
        said = text[found.start : found.end]
        digits = _digits(said)
        if not any(digits == k or (digits[-9:] == k[-9:] and len(digits) > 8) for k in known):
            yield Claim("phone", said, "the number is in no source")


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text).lstrip("0")


class _Judge:
    """Judges sentences of one answer."""

    def __init__(
        self, sources: Sources, language: str, question: str, allowed: Collection[str]
    ) -> None:
        self._sources = sources
        self._language = language
        asked = read(plain(question), language)
        self._asked = asked
        # An order's number may be echoed; whatever else was asked is no promise of ours.
        self._echo = {
            f.value
            for f in asked.facts
            if f.kind == "id" or (f.kind == "number" and len(f.value) >= 4)
        }
        free = [read(plain(one), language, source=True) for one in allowed]
        self._allowed = frozenset(stem for one in free for stem in one.stems)
        self._allowed_facts = {(f.kind, f.value) for one in free for f in one.facts}

    def judge(self, sentence: Sentence, before: Sentence | None) -> tuple[Support, list[Claim]]:
        rest = _impolite(sentence.text)
        claim = sentence if rest == sentence.text else read(rest, self._language)
        if len(claim.facts) > _MOST_FACTS:
            many = Claim("statement", sentence.text[:80], f"more than {_MOST_FACTS} figures in it")
            return Support(sentence.text, None, 0.0), [many]
        spoken = promises(rest)
        acts = ACTS.search(rest)
        if acts and not any(acts.group().lower() in w.text.lower() for w in self._sources.windows):
            found = [Claim("promise", acts.group(), "no source says that this was or will be done")]
            return Support(sentence.text, None, 0.0), found
        if not claim.words and not claim.facts and not spoken:
            return self._said_little(sentence, claim)
        claims: list[Claim] = []
        window, share, missing = self._best(claim)
        if missing:
            clauses = self._clauses(claim)
            if clauses:
                parts = [self._best(clause) for clause in clauses]
                if not any(part[2] for part in parts):
                    window, share, missing = min(parts, key=lambda part: part[1])
        claims += missing
        if not claims:
            claims += self._swapped(claim, before)
        if not claims:
            claims += contradiction(claim, self._sources)
        if not claims and (late := beyond(claim, self._sources.sentences)) is not None:
            span = claim.text[late.start : late.end]
            claims.append(Claim("duration", span, "a source says within it, not after it"))
        if not claims and window is not None:
            claims += [*self._unconditional(claim), *self._unearned(claim)]
        return Support(sentence.text, window.source if window else None, share), claims

    def _said_little(self, sentence: Sentence, claim: Sentence) -> tuple[Support, list[Claim]]:
        """Judge a sentence without a word of its own: polite, or a bare yes or no."""
        yes = _YES.match(sentence.text)
        if not yes or not self._asked.words or sentence.text.rstrip().endswith("?"):
            return Support(sentence.text, None, 1.0, polite=True), []
        if re.search(r"\b(?:happy|glad|help|thank)", sentence.text, re.I):
            return Support(sentence.text, None, 1.0, polite=True), []
        asked = re.sub(r"[?¿]", "", self._asked.text)
        statement = asked[:1].lower() + asked[1:]
        implied = read(("not " if yes[2] else "") + statement, self._language)
        window, share, missing = self._best(implied)
        found = missing or contradiction(implied, self._sources)
        return Support(sentence.text, window.source if window else None, share), list(found)

    def _clauses(self, sentence: Sentence) -> list[Sentence]:
        parts = [p.strip() for p in _CLAUSE.split(sentence.text) if p and p.strip()]
        if len(parts) < 2:
            return []
        clauses = [read(part, self._language) for part in parts]
        return [c for c in clauses if c.words or c.facts or promises(c.text)]

    def _best(self, claim: Sentence) -> tuple[Window | None, float, list[Claim]]:
        """Return the neighbourhood that backs `claim` best, how far, and what it lacks."""
        best: tuple[tuple[int, float], Window | None, float, list[Claim]] = (
            (10**6, 0.0),
            None,
            0.0,
            [],
        )
        for window in self._sources.windows:
            lacks, share = self._lacks(claim, window)
            rank = (len(lacks), -share)
            if rank < best[0]:
                best = (rank, window, share, lacks)
        if best[1] is None:
            return None, 0.0, [Claim("statement", claim.text, "there is no source")]
        return best[1], best[2], best[3]

    def _lacks(self, claim: Sentence, window: Window) -> tuple[list[Claim], float]:
        lacks: list[Claim] = []
        for fact in claim.facts:
            if fact.kind == "through" or self._may_say(fact):
                continue
            if (fact.kind, fact.value) not in window.facts:
                anywhere = (fact.kind, fact.value) in self._sources.facts
                why = "a source says it, but not of this" if anywhere else "is in no source"
                lacks.append(Claim(fact.kind, claim.text[fact.start : fact.end], why))
        for kind in sorted(promises(claim.text) - window.promises):
            said = PROMISES[kind].search(claim.text)
            lacks.append(
                Claim("promise", said.group() if said else kind, f"{kind}: not promised there")
            )
        total = covered = 0.0
        strangers: list[str] = []
        priced = any(fact.kind == "amount" for fact in claim.facts)
        for word in claim.words:
            if word.said in THINGS or (priced and COSTS.fullmatch(word.said)):
                continue
            weight = self._sources.weight(word.stem)
            total += weight
            if has(window.stems, word.stem) or word.stem in self._allowed:
                covered += weight
            else:
                strangers.append(word.said)
                if self._name(claim, word.start, word.said):
                    lacks.append(Claim("name", word.said, "is not spoken of there"))
        share = covered / total if total else 1.0
        most = STRANGERS if len(claim.words) > 3 else 0
        if share < SHARE or len(strangers) > most:
            lacks.append(Claim("statement", claim.text, f"not said there: {', '.join(strangers)}"))
        return lacks, share

    def _may_say(self, fact: Fact) -> bool:
        if (fact.kind, fact.value) in self._allowed_facts:
            return True
        return fact.kind in ("id", "number") and fact.value in self._echo

    def _name(self, claim: Sentence, start: int, said: str) -> bool:
        """Tell whether a word is written like a name; in German every noun is."""
        written = claim.text[start : start + len(said)]
        first = start == 0 or claim.text[:start].rstrip()[-1:] in ("", ":", '"', "-", "(")
        return written[:1].isupper() and not first and self._language != "de"

    def _swapped(self, claim: Sentence, before: Sentence | None) -> Iterator[Claim]:
        """Yield facts that the sources give of something else than the answer does."""
        extra: frozenset[str] = frozenset()
        if before is not None and _PRONOUN.match(claim.text):
            extra = before.stems
        for fact in claim.facts:
            if fact.kind in ("weekday", "through", "id") or self._may_say(fact):
                continue
            said = territory(claim, fact)
            own: list[_Place] = []
            others: list[_Place] = []
            for sentence in self._sources.sentences:
                topic = self._sources.topics[id(sentence)]
                for other in sentence.facts:
                    if other.kind == fact.kind:
                        near = territory(sentence, other)
                        if all(COSTS.fullmatch(w) or PROMISES["free"].fullmatch(w) for w in near):
                            # "…, free from £120": what is free was said before.
                            near = sentence.stems
                        near |= topic
                        place = _Place(near, sentence.stems, sentence.text)
                        (own if other.value == fact.value else others).append(place)
            why = self._elsewhere(said, extra - said, own, others)
            if why:
                yield Claim(fact.kind, claim.text[fact.start : fact.end], why)

    def _elsewhere(
        self,
        said: frozenset[str],
        extra: frozenset[str],
        own: list[_Place],
        others: list[_Place],
    ) -> str:
        def only(place: _Place, other: _Place) -> float:
            near = ((stem, place.has(stem) - other.has(stem)) for stem in said)
            # What a pronoun stands for is of the sentence, not of one part of it.
            far = ((stem, place.holds(stem) - other.holds(stem)) for stem in extra)
            return sum(max(0.0, more) * self._sources.weight(stem) for stem, more in (*near, *far))

        if not own:
            return ""
        nowhere = _Place(frozenset(), frozenset(), "")
        mine = max(own, key=lambda place: only(place, nowhere))
        days = {s for s in said if s.startswith("day ")}
        for place in others:
            if only(place, mine) > only(mine, place) + _SLACK:
                return f"a source gives it of something else: {place.text[:80]}"
            if any(day in place.near and day not in mine.near for day in days):
                return f"a source has another for that day: {place.text[:80]}"
        return ""

    def _unearned(self, claim: Sentence) -> Iterator[Claim]:
        """Yield "free" that the sources say of something else."""
        free = PROMISES["free"]
        said = free.search(claim.text)
        part = _part(claim, said.start()) if said else frozenset()
        words = {w.stem for w in claim.words if w.stem in part and not free.fullmatch(w.said)}
        if not said or not words:
            return
        total = sum(map(self._sources.weight, words))
        for sentence in self._sources.sentences:
            for match in free.finditer(sentence.text):
                place = _part(sentence, match.start()) | self._sources.topics[id(sentence)]
                place |= self._before(sentence)
                if sum(self._sources.weight(w) for w in words if has(place, w)) >= total / 2:
                    return
        yield Claim("promise", said.group(), "the sources say it of something else")

    def _before(self, sentence: Sentence) -> frozenset[str]:
        """Return the stems of the sentence that a pronoun at the beginning refers to."""
        before = self._sources.before(sentence)
        if before is not None and _PRONOUN.match(sentence.text):
            return before.stems
        return frozenset()

    def _unconditional(self, claim: Sentence) -> Iterator[Claim]:
        """Yield a promise of something free that every source ties to a condition."""
        said = PROMISES["free"].search(claim.text)
        if not said or CONDITIONS.search(claim.text) or claim.facts:
            return
        words = [w.stem for w in claim.words if not PROMISES["free"].fullmatch(w.said)]
        tied = False
        for sentence in self._sources.sentences:
            stems = sentence.stems | self._sources.topics[id(sentence)]
            for part in re.split(r"[;,:()]", sentence.text):
                if not PROMISES["free"].search(part):
                    continue
                if CONDITIONS.search(part):
                    tied = tied or any(has(stems, stem) for stem in words)
                elif all(has(sentence.stems, stem) for stem in words):
                    return
        if tied:
            yield Claim("promise", said.group(), "the source says when; the answer does not")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fact stands in the sources: the words near it, and all of its sentence."""

    near: frozenset[str]
    around: frozenset[str]
    text: str

    def has(self, stem: str) -> float:
        """Return 1 for a word near the fact, ½ for one of its sentence, else 0."""
        return 1.0 if has(self.near, stem) else 0.5 if has(self.around, stem) else 0.0

    def holds(self, stem: str) -> float:
        """Return ½ for a word near the fact or in its sentence, else 0."""
        return 0.5 if self.has(stem) else 0.0


_PART = re.compile(r"[;,()]|\b(?:and|but|while|und|aber|et|mais|y|pero|e|ma|en|maar|mas|i|ale)\b")


def _part(sentence: Sentence, at: int) -> frozenset[str]:
    """Return the stems of the part of a sentence in which the character `at` stands."""
    borders = [m.start() for m in _PART.finditer(sentence.text)]
    start = max((b for b in borders if b < at), default=0)
    end = min((b for b in borders if b > at), default=len(sentence.text))
    near = frozenset(w.stem for w in sentence.words if start <= w.start < end)
    return near if len(near) > 1 else sentence.stems


def _impolite(text: str) -> str:
    """Return what of a sentence is left without its polite phrases."""
    for pattern in FILLERS:
        text = pattern.sub(" ", text)
    return re.sub(r"^[\s,.!?:;\-]+", "", re.sub(r"\s+", " ", text))
