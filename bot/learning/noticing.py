"""What in a conversation shows that the bot may learn from a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.dialogue.contract import ANSWERED_SLOT
from bot.dialogue.heard import Words, heard
from bot.lesson_words import CORRECTED, HANDED, RATED, UNSURE
from bot.message import Choice, Content, decode
from bot.store.conversations import BOT
from bot.store.turns import Turn

#: Turns before one that it may say something of.
LOOKED_AT = 6
#: Above the threshold of the fallback a message is answered; up to so much above, by a guess.
NEARLY = 0.15
FALLBACK = "nlu_fallback"
#: Intents by which customers say, right after an answer, that it was not what they meant.
MISSED = ("answer_missed",)
NO, STOP, CORRECTS = "deny", "stop", "correct_"
#: Responses that ask whether an answer was one.
ASKED_IF_SOLVED = ("utter_ask_solved", "utter_ask_helped")
#: What became of it, by `how` of the slot.
_ANSWERED = {
    "model": ", answered from the articles",
    "quote": ", answered by a passage of an article",
    "offer": ", a few articles were offered",
    "missed": ", and the answer was not what was wanted",
    "none": ", and no article answers it",
}
#: What a person had to take over because the bot could not: `Handoff.topic`.
NOT_UNDERSTOOD = ("human", "unanswered", "frustrated")
WORST_STARS = 2

_MOST_OF_A_CASE = 4
_SOON = timedelta(minutes=3)
_AS_BEFORE = 0.55
_LISTEN = ("action_listen", "action_session_start")
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Noticed:
    """A turn whose message the bot may learn from, and why: see `bot.lesson_words`."""

    turn: Turn
    reason: str
    detail: str


def notice(
    turn: Turn,
    before: Sequence[Turn],
    *,
    threshold: float,
    delicate: AbstractSet[str] = frozenset(),
) -> list[Noticed]:
    """Return what a turn shows, of itself or of those `before` it, the newest first.

    `threshold` is the one of the model's fallback; `delicate` are topics (of
    ``data/escalation.yml``) whose messages are never learned from.
    """
    found = [*_of_itself(turn, threshold), *_of_the_last(turn, before)]
    found += [*_handed(turn, before), *_rated(turn, before)]
    # Who speaks of a death says more of it in other messages than patterns find.
    if any(is_delicate(one, delicate) for one in (turn, *before)):
        return []
    return [one for one in found if teaches(one.turn)]


def worth_a_look(turn: Turn) -> bool:
    """Tell whether a turn can show anything, so that what was before it must be read."""
    decision = turn.decision or {}
    if decision.get("handoff") or decision.get("rated"):
        return True
    return decision.get("by") == BOT and bool(turn.parse)


def words_of(turn: Turn) -> str:
    """Return what a customer wrote, as the model read it; "" for buttons and files."""
    content = _content(turn)
    what = heard(content) if content is not None else None
    return what.text if isinstance(what, Words) else ""


def teaches(turn: Turn) -> bool:
    """Tell whether a turn's message was written, and was the bot's to understand."""
    decision = turn.decision or {}
    return (
        decision.get("by") == BOT
        and bool((turn.parse or {}).get("intent"))
        and not decision.get("failure")
        and bool(words_of(turn))
    )


def is_delicate(turn: Turn, topics: AbstractSet[str]) -> bool:
    """Tell whether a turn is about what must be no training data."""
    handed = (turn.decision or {}).get("handoff") or {}
    # What a person got unread by the model was found to be sensitive before.
    unread = bool(handed) and not turn.events
    sensitive = (turn.perception or {}).get("sensitive")
    return bool(sensitive) or unread or handed.get("topic") in topics


def _of_itself(turn: Turn, threshold: float) -> Iterator[Noticed]:
    parse = turn.parse or {}
    confidence = float(parse.get("confidence") or 0.0)
    if _was_an_answer(turn):
        # The form asked for words of any kind, and took these.
        return
    if parse.get("intent") == FALLBACK:
        how = ((turn.decision or {}).get(ANSWERED_SLOT) or {}).get("how") or ""
        answer = _ANSWERED.get(how, "")
        yield Noticed(turn, UNSURE, f"not understood{answer}")
    elif parse.get("intent") and confidence < threshold + NEARLY:
        yield Noticed(turn, UNSURE, f"understood as {parse['intent']}, {confidence:.2f} sure")


def _of_the_last(turn: Turn, before: Sequence[Turn]) -> Iterator[Noticed]:
    if not before or (turn.decision or {}).get("by") != BOT or not turn.parse:
        return
    last = before[0]
    intent = str(turn.parse.get("intent") or "")
    written = bool(words_of(turn))
    if intent in MISSED or (intent == NO and _asked_if_solved(last)):
        # The question whether it was solved may have followed other turns of the matter.
        yield Noticed(last, CORRECTED, "the customer said that this was no answer")
    elif intent.startswith(CORRECTS) and not _kinds(turn) & _kinds(last):
        # With another number the customer mends a slip of his own.
        yield Noticed(last, CORRECTED, "the customer said that something else was meant")
    elif intent == STOP and written and _opened(last):
        yield Noticed(last, CORRECTED, f"the customer stopped {_opened(last)} at once")
    elif _again(turn, last):
        yield Noticed(last, CORRECTED, "the customer asked again in other words")


def _handed(turn: Turn, before: Sequence[Turn]) -> Iterator[Noticed]:
    handed = (turn.decision or {}).get("handoff") or {}
    topic = handed.get("topic")
    if topic not in NOT_UNDERSTOOD:
        return
    detail = "a person had to take over" if topic != "human" else "the customer wanted a person"
    if topic != "human":
        yield Noticed(turn, HANDED, detail)
    for one in before[:2]:
        if (one.decision or {}).get("by") != BOT:
            return
        if not _was_an_answer(one) and _is_sentence(one):
            yield Noticed(one, HANDED, detail)


def _rated(turn: Turn, before: Sequence[Turn]) -> Iterator[Noticed]:
    rated = (turn.decision or {}).get("rated") or {}
    stars = rated.get("stars")
    if not isinstance(stars, int) or not 1 <= stars <= WORST_STARS:
        return
    # The case was made by a turn whose id it has; what came after it was a person's.
    ids = [one.id for one in before]
    start = ids.index(rated["case"]) if rated.get("case") in ids else 0
    mine = [one for one in before[start:] if teaches(one) and _is_sentence(one)]
    mine = [one for one in mine if not _was_an_answer(one) and not _wants_a_person(one)]
    for one in mine[:_MOST_OF_A_CASE]:
        yield Noticed(one, RATED, f"the case was rated {stars} of 5")


def _content(turn: Turn) -> Content | None:
    try:
        return decode(turn.heard) if turn.heard else None
    except (ValueError, TypeError):
        return None


def _was_an_answer(turn: Turn) -> bool:
    """Tell whether a form took the words as they are for what it had asked."""
    words, acted = words_of(turn), False
    for event in turn.events or []:
        kind = event.get("event")
        acted = acted or (kind == "action" and event.get("name") not in _LISTEN)
        if acted and kind == "slot" and words and event.get("value") == words:
            return True
    return False


def _asked_if_solved(turn: Turn) -> bool:
    said = {
        (event.get("metadata") or {}).get("utter_action")
        for event in turn.events or []
        if event.get("event") == "bot"
    }
    answered = (turn.decision or {}).get(ANSWERED_SLOT) or {}
    return bool(said & set(ASKED_IF_SOLVED)) or answered.get("how") not in (None, "", "unclear")


def _opened(turn: Turn) -> str:
    """Return the form that a turn began and left open."""
    name = ""
    for event in turn.events or []:
        if event.get("event") == "active_loop":
            name = str(event.get("name") or "")
    return name


def _wants_a_person(turn: Turn) -> bool:
    return ((turn.decision or {}).get("handoff") or {}).get("topic") == "human"


def _is_sentence(turn: Turn) -> bool:
    """Tell whether it is more than a yes or a greeting, which are not what went wrong."""
    return len(_LETTERS.findall(words_of(turn))) > 1


def _kinds(turn: Turn) -> set[str]:
    return {str(one.get("entity")) for one in (turn.parse or {}).get("entities") or []}


def _values(turn: Turn) -> set[tuple[str, Any]]:
    found = (turn.parse or {}).get("entities") or []
    return {(str(one.get("entity")), str(one.get("value"))) for one in found}


def _again(turn: Turn, last: Turn) -> bool:
    """Tell whether a message is the one before it in other words."""
    if turn.at - last.at > _SOON or isinstance(_content(turn), Choice):
        return False
    if _was_an_answer(turn) or _was_an_answer(last) or _opened(last):
        return False
    if _values(turn) ^ _values(last) and _kinds(turn) & _kinds(last):
        return False
    one, other = _grams(words_of(turn)), _grams(words_of(last))
    return bool(one and other) and 2 * len(one & other) / (len(one) + len(other)) >= _AS_BEFORE


def _grams(text: str) -> set[str]:
    words = _LETTERS.findall(text.casefold())
    if len(words) < 2:
        return set()
    return {f" {word} "[n : n + 3] for word in words for n in range(len(word))}
