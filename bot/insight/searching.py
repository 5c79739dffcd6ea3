"""Finding a thing by its name, or by words that the bot or a customer says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.dialogue.checking.finding import Place
from bot.insight.cards import texts_of, unmarked
from bot.insight.designed import Designed, buttons_of, place
from bot.insight.topics import topics_of

#: So much is found at most.
MOST = 40
_SHOWN = 160
#: Of names that fit alike, what a designer rather looks for.
_FIRST = ("topic", "intent", "form", "rule", "story", "test", "response", "action", "slot")


@dataclass(frozen=True)
class Hit:
    """A thing that was found. `text` is where the words stand, "" if it is in the name."""

    kind: str
    name: str
    text: str
    at: str


def search(designed: Designed, words: str) -> list[Hit]:
    """Return what has all the `words`, in any case: first by names, then by texts.

    Of one thing only the first text is told. At most `MOST` are returned.
    """
    wanted = words.casefold().split()
    if not wanted:
        return []
    found: dict[tuple[str, str], tuple[int, Hit]] = {}
    for kind, name, text, at in _all(designed):
        folded = name.casefold()
        plain = folded.replace("_", " ")
        if all(word in folded or word in plain for word in wanted):
            whole = " ".join(wanted)
            rank = 0 if whole in (folded, plain) else 1 if plain.startswith(whole) else 2
            hit = Hit(kind, name, "", place(at))
        elif text and all(word in text.casefold() for word in wanted):
            rank, hit = 3, Hit(kind, name, _around(text, wanted[0]), place(at))
        else:
            continue
        known = found.get((kind, name))
        if known is None or rank < known[0]:
            found[kind, name] = (rank, hit)
    ranked = sorted(
        found.values(), key=lambda one: (one[0], _FIRST.index(one[1].kind), one[1].name)
    )
    return [hit for _, hit in ranked[:MOST]]


def _around(text: str, word: str) -> str:
    """Return the part of a text in which a word stands."""
    start = max(0, text.casefold().find(word) - _SHOWN // 3)
    part = text[start : start + _SHOWN]
    return f"{'…' if start else ''}{part}{'…' if start + _SHOWN < len(text) else ''}"


def _all(designed: Designed) -> Iterator[tuple[str, str, str, Place | None]]:
    domain, nlu = designed.domain, designed.nlu
    for name, one in topics_of(designed).items():
        yield "topic", name, one.about, None
    for intent in {**domain.intents, **nlu.first}:
        yield "intent", intent, "", nlu.first.get(intent) or domain.intents[intent]
        for text, at in nlu.examples.get(intent, ()):
            yield "intent", intent, unmarked(text), at
    for response, at in domain.responses.items():
        yield "response", response, "", at
        for variation in domain.variations.get(response, ()):
            yield "response", response, texts_of(variation), variation.at
            for button in buttons_of(variation):
                yield "response", response, button.title, variation.at
    for action in {**dict.fromkeys(domain.actions), **dict.fromkeys(designed.spoken.at)}:
        yield "action", action, "", designed.spoken.at.get(action) or domain.actions[action]
    for form, one_form in domain.forms.items():
        yield "form", form, "", one_form.at
    for slot, one_slot in domain.slots.items():
        yield "slot", slot, "", one_slot.at
    for told in designed.told:
        yield told.kind, told.name, "", told.at
