"""Mood and urgency over a conversation: one message is no mood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.perception.contract import Perception
from bot.perception.lexicon import split
from bot.perception.sentiment import Felt

#: How much of the mood is the newest message: one that says something, and one that does not.
_NEWEST, _NOTHING_SAID = 0.4, 0.12
# One message alone, from a neutral mood, cannot reach FRUSTRATED by the mean: it would need
# 0.35 / 0.4. Only one that is as bad as VERY_BAD is enough by itself.
#: A mood as bad as this is a person's.
FRUSTRATED = -0.35
#: It is over when the mood is better than this.
RELIEVED = -0.12
#: A single message that is as bad as this is a person's too.
VERY_BAD = -0.85
#: What asking the same again says, without a bad word.
_REPEATED_SCORE, _REPEATED_URGENCY = -0.25, 0.3
#: Share of words that two questions have in common when they are the same.
_SAME = 0.6
#: How much urgency is left of that of the message before.
_STILL_URGENT = 0.6
#: Seconds that a customer has waited for an answer, and how urgent it is by then.
_WAITED = ((24 * 3600.0, 0.5), (3600.0, 0.3), (600.0, 0.15))


@dataclass(frozen=True, slots=True)
class Mood:
    """The conversation up to a message: `mood` -1 to 1, `urgency` 0 to 1, and why."""

    mood: float
    urgency: float
    frustrated: bool
    why: tuple[str, ...]


def mood(
    felt: Felt, text: str, last: Perception | None, earlier: Sequence[str], waited: float
) -> Mood:
    """Carry the mood of the last message on to this one.

    `earlier` are the last texts of the customer before it, `waited` the seconds since the
    first one that nobody has answered.
    """
    before = last.mood if last else 0.0
    repeats = repeated(text, earlier)
    score = felt.score
    if repeats:
        score = min(score, 0.0) + _REPEATED_SCORE * min(repeats, 2)
    weight = _NEWEST if felt.certain or repeats else _NOTHING_SAID
    now = max(-1.0, before + weight * (score - before))
    urgency, pressing = _urgency(felt, last, repeats, waited)
    was = bool(last and last.frustrated)
    frustrated, because = _frustrated(now, felt.score, was)
    why = [f"mood {now:+.2f}, before {before:+.2f}"]
    if repeats:
        why.append(f"asked the same {'again' if repeats == 1 else f'{repeats} times before'}")
    return Mood(now, urgency, frustrated, (*why, *pressing, *because))


def repeated(text: str, earlier: Sequence[str]) -> int:
    """Return how many of the earlier texts ask the same as `text`; one word asks nothing."""
    words = _words(text)
    if len(words) < 2:
        return 0
    count = 0
    for other in map(_words, earlier):
        common = len(words & other)
        count += common >= 2 and common >= _SAME * len(words | other)
    return count


def _frustrated(now: float, score: float, was: bool) -> tuple[bool, tuple[str, ...]]:
    if score <= VERY_BAD:
        return True, (f"frustrated: one message of {score:+.2f}",)
    if now <= FRUSTRATED:
        return True, (f"frustrated: several bad messages, mood under {FRUSTRATED:+.2f}",)
    if was and now <= RELIEVED:
        return True, (f"frustrated: still, until the mood is over {RELIEVED:+.2f}",)
    return False, ("not frustrated any more",) if was else ()


def _urgency(
    felt: Felt, last: Perception | None, repeats: int, waited: float
) -> tuple[float, tuple[str, ...]]:
    if felt.calm:
        return 0.0, ("urgency 0.00: said that there is no hurry",)
    parts = [(felt.urgency, "words")]
    parts.append((min(_REPEATED_URGENCY * repeats, 0.6), "asked again"))
    parts.append((next((u for seconds, u in _WAITED if waited >= seconds), 0.0), "waiting"))
    left = 1.0
    for value, _ in parts:
        left *= 1 - value
    now, names = 1 - left, [name for value, name in parts if value]
    carried = last.urgency * _STILL_URGENT if last else 0.0
    if carried > now:
        now, names = carried, ["messages before"]
    return now, (f"urgency {now:.2f}: {', '.join(names)}",) if now >= 0.01 else ()


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in split(text) if word != ".")
