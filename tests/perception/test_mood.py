from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.perception.contract import Perception
from bot.perception.escalation import Escalation
from bot.perception.mood import VERY_BAD, repeated
from bot.perception.perceiving import Perceiver
from bot.settings.schema import Perception as Settings

NOTHING = Escalation(default="en", llm="never", topics=(), waiting={})
PERCEIVER = Perceiver(Settings(languages=("en",)), NOTHING)


async def heard(texts: Sequence[str], waited: float = 0.0) -> list[Perception]:
    """Perceive a conversation, each turn from what the one before was stored as."""
    seen: list[Perception] = []
    for n, text in enumerate(texts):
        last = Perception.decode(seen[-1].encode()) if seen else None
        earlier = texts[max(0, n - 5) : n]
        seen.append(await PERCEIVER.perceive(text, last=last, earlier=earlier, waited=waited))
    return seen


MILDLY_BAD = [
    *("my lamp is broken", "this is bad", "I am a bit disappointed", "it is late again"),
    *("the parcel is missing, sadly", "this is terrible", "I AM NOT HAPPY", "wrong size!!"),
    "the lamp is broken and the box is damaged, I'm disappointed",
]


@pytest.mark.parametrize("text", MILDLY_BAD)
async def test_one_bad_message_is_no_frustration(text: str) -> None:
    (seen,) = await heard([text])
    assert seen.sentiment < 0
    assert not seen.frustrated


@pytest.mark.parametrize("text", MILDLY_BAD)
async def test_nor_is_one_among_ordinary_ones(text: str) -> None:
    seen = await heard(["hello", "order 1042", text, "the blue one", "by card"])
    assert not any(one.frustrated for one in seen)


async def test_several_bad_messages_are() -> None:
    seen = await heard(
        ["my lamp is broken", "nobody answers, this is terrible", "still nothing, useless service"]
    )
    assert not seen[0].frustrated
    assert seen[1].sentiment > VERY_BAD
    assert seen[2].frustrated
    assert any(line.startswith("frustrated: several bad messages") for line in seen[2].why)


async def test_one_very_bad_message_is_enough() -> None:
    (seen,) = await heard(["you fucking thieves, worst shop ever, I hate you"])
    assert seen.frustrated
    assert any(line.startswith("frustrated: one message of -0.9") for line in seen.why)
    assert seen.sensitive is None


async def test_frustration_outlasts_a_number_and_ends_with_thanks() -> None:
    bad = "this is a disgrace, you are liars and I am furious, awful"
    seen = await heard([bad, bad, "1042", "the blue one", "thank you, great, that is sorted"])
    assert [one.frustrated for one in seen] == [True, True, True, True, False]
    assert "not frustrated any more" in seen[-1].why
    assert seen[2].mood > seen[1].mood


async def test_the_mood_is_carried_and_forgets() -> None:
    seen = await heard(["this is terrible", *map(str, range(1000, 1012))])
    moods = [one.mood for one in seen]
    assert moods[0] < -0.2
    assert moods == sorted(moods)
    assert moods[-1] > -0.1


async def test_asking_the_same_again_tells() -> None:
    seen = await heard(["where is my parcel", "hello?", "where is my parcel please"])
    assert seen[2].urgency > seen[0].urgency + 0.25
    assert seen[2].mood < seen[0].mood
    assert "asked the same again" in seen[2].why
    assert not seen[2].frustrated


@pytest.mark.parametrize(
    ("text", "earlier", "times"),
    [
        ("where is my parcel", ["Where is my parcel???"], 1),
        ("where is my parcel now", ["where is my parcel", "ok", "so where is my parcel"], 2),
        ("where is my parcel", ["what do you sell"], 0),
        ("ok", ["ok", "ok"], 0),
        ("1042", ["1042"], 0),
        ("", [""], 0),
    ],
)
def test_what_is_the_same_question(text: str, earlier: list[str], times: int) -> None:
    assert repeated(text, earlier) == times


@pytest.mark.parametrize(("waited", "urgency"), [(0, 0), (660, 0.15), (3700, 0.3), (90_000, 0.5)])
async def test_waiting_makes_it_urgent(waited: float, urgency: float) -> None:
    (seen,) = await heard(["my order is 1042"], waited)
    assert seen.urgency == pytest.approx(urgency)


async def test_urgency_fades_and_no_hurry_ends_it() -> None:
    seen = await heard(["I need it today, this is urgent", "1042", "the blue one", "no rush"])
    urgencies = [one.urgency for one in seen]
    assert urgencies == sorted(urgencies, reverse=True)
    assert urgencies[0] > 0.7
    assert urgencies[2] > 0.2
    assert urgencies[3] == 0
