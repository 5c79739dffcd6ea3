"""Whether an answer says yes where its source says no."""

from __future__ import annotations

from collections.abc import Iterator

from bot.llm.grounding.facts import Fact
from bot.llm.grounding.reading import Sentence, alike
from bot.llm.grounding.sources import Sources, has, within
from bot.llm.grounding.verdict import Claim

#: Sentences nearly as like the answer as the most alike count as what it was drawn from.
_NEARLY = 0.85


def contradiction(claim: Sentence, sources: Sources) -> Iterator[Claim]:
    """Yield the words that the sources deny and the answer does not, or the other way round."""
    yield from _other_day(claim, sources)
    yield from _denied_alone(claim, sources)
    scored = [(_likeness(claim, s, sources), s) for s in sources.sentences if not s.heading]
    best = max((score for score, _ in scored), default=0.0)
    if best <= 0:
        return
    against: list[str] = []
    for score, sentence in scored:
        if score < best * _NEARLY:
            continue
        wrong = _wrong(claim, sentence, sources)
        if not wrong:
            return
        against += wrong
    if against:
        yield Claim(
            "negation", against[0], "one of source and answer denies it, the other does not"
        )


def _denied_alone(claim: Sentence, sources: Sources) -> Iterator[Claim]:
    """Yield what the answer denies though every source that speaks of it affirms it."""
    known: dict[str, bool] = {}
    for word in claim.words:
        if word.denied:
            theirs = [
                w.denied for s in sources.sentences for w in s.every if alike(w.stem, word.stem)
            ]
            if theirs:
                known[word.said] = any(theirs)
    if known and not any(known.values()):
        yield Claim("negation", next(iter(known)), "no source denies it")


def _other_day(claim: Sentence, sources: Sources) -> Iterator[Claim]:
    """Yield days of which the sources say the opposite: open on one that is for closing."""
    for fact in claim.facts:
        if fact.kind not in ("weekday", "through"):
            continue
        mine = _near(claim, fact)
        theirs = [
            _near(sentence, other)
            for sentence in sources.sentences
            for other in sentence.facts
            if other.kind in ("weekday", "through") and other.value == fact.value
        ]
        opposed = [
            stem
            for stem, denied in mine
            if any((stem, not denied) in near and (stem, denied) not in near for near in theirs)
            and not any((stem, denied) in near for near in theirs)
        ]
        if opposed:
            said = claim.text[fact.start : fact.end]
            yield Claim("negation", said, "a source says the opposite of that day")


def _near(sentence: Sentence, fact: Fact) -> set[tuple[str, bool]]:
    return {(word.stem, word.denied) for word in within(sentence, fact)[0]}


def _likeness(claim: Sentence, sentence: Sentence, sources: Sources) -> float:
    topic = sources.topics.get(id(sentence), frozenset())
    score = 0.0
    for stem in claim.stems:
        if has(sentence.stems, stem):
            score += sources.weight(stem)
        elif has(topic, stem):
            score += sources.weight(stem) / 2
    values = {(f.kind, f.value) for f in sentence.facts}
    return score + 2 * sum((f.kind, f.value) in values for f in claim.facts)


def _wrong(claim: Sentence, sentence: Sentence, sources: Sources) -> list[str]:
    """Return the words on which the two differ, when those outweigh where they agree."""
    agree = differ = 0.0
    words: list[str] = []
    for stem in sorted(claim.stems):
        mine = {w.denied for w in claim.every if w.stem == stem}
        theirs = {w.denied for w in sentence.every if alike(w.stem, stem)}
        beside = any(w.beside and not w.denied for w in sentence.every if alike(w.stem, stem))
        if mine == {True} and beside:
            # "Neither can gift cards" and "gift cards cannot" deny the same.
            continue
        if not theirs or (True not in mine and True not in theirs):
            continue
        weight = sources.weight(stem)
        if mine & theirs:
            agree += weight
        else:
            differ += weight
            words += [w.said for w in claim.every if w.stem == stem][:1]
    return words if differ > agree else []
