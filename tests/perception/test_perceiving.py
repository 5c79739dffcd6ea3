from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.perception.contract import PRIORITIES, Perception
from bot.perception.escalation_file import ESCALATION_FILE, load_escalation
from bot.perception.perceiving import Perceiver
from bot.settings.schema import Perception as Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def perceiver() -> Perceiver:
    return Perceiver(Settings(), load_escalation(ROOT / ESCALATION_FILE))


async def test_everything_is_seen_and_every_judgement_says_why(perceiver: Perceiver) -> None:
    seen = await perceiver.perceive(
        "Das ist eine Frechheit, ich brauche es heute! Mein Anwalt meldet sich.", last=None
    )
    assert seen.language == "de"
    assert seen.sure > 0.9
    assert seen.sentiment < -0.4
    assert seen.mood < 0
    assert seen.urgency >= 0.4
    assert seen.sensitive is not None
    assert (seen.sensitive.topic, seen.sensitive.priority) == ("legal", "high")
    assert seen.sensitive.priority in PRIORITIES
    assert "Mensch" in seen.sensitive.says
    for judgement in ("language de", "sentiment -", "mood -", "urgency 0", "sensitive: legal"):
        assert any(line.startswith(judgement) for line in seen.why), seen.why


async def test_what_was_seen_can_be_stored(perceiver: Perceiver) -> None:
    seen = await perceiver.perceive("je veux mourir", last=None)
    assert seen.sensitive is not None
    assert Perception.decode(seen.encode()) == seen


@pytest.mark.parametrize("text", ["", "  \n", "\t"])
async def test_a_picture_keeps_what_was(perceiver: Perceiver, text: str) -> None:
    bad = await perceiver.perceive("DAS IST EIN SKANDAL, ihr Betrüger, ich hasse euch", last=None)
    assert bad.frustrated
    after = await perceiver.perceive(text, last=bad)
    assert (after.language, after.mood, after.urgency) == (bad.language, bad.mood, bad.urgency)
    assert after.frustrated
    assert (after.sentiment, after.sensitive) == (0.0, None)
    first = await perceiver.perceive(text, last=None, profile_language="pl")
    assert (first.language, first.mood, first.frustrated) == ("pl", 0.0, False)


async def test_the_language_is_remembered_and_left_for_two_short_messages(
    perceiver: Perceiver,
) -> None:
    last: Perception | None = None
    told: list[str] = []
    texts = ["Hallo, wo ist meine Bestellung?", "1042", "ok", "bonjour", "merci beaucoup"]
    for n, text in enumerate(texts):
        last = await perceiver.perceive(text, last=last, earlier=texts[:n], profile_language="es")
        told.append(last.language)
    assert told == ["de", "de", "de", "de", "fr"]


async def test_words_in_another_language_are_sensitive_too(perceiver: Perceiver) -> None:
    german = await perceiver.perceive("Hallo, wo ist meine Bestellung?", last=None)
    seen = await perceiver.perceive("suicide", last=german)
    assert seen.language == "de"
    assert seen.sensitive is not None
    assert "Mensch" in seen.sensitive.says


@pytest.mark.parametrize(
    "text", ["\x00", "😀" * 3000, "a" * 60_000, "!?" * 20_000, "\ud800", "'"], ids=len
)
async def test_anything_may_be_written(perceiver: Perceiver, text: str) -> None:
    seen = await perceiver.perceive(text, last=None, earlier=[text])
    assert -1 <= seen.mood <= 1
    assert seen.sensitive is None


async def test_a_message_costs_little(perceiver: Perceiver) -> None:
    texts = [
        "Hello, I ordered a lamp two weeks ago and it still has not arrived. Where is it please?",
        "wo bleibt meine Bestellung",
        "ok",
    ] * 30
    for text in texts[:3]:
        await perceiver.perceive(text, last=None, earlier=texts[:3])
    began = time.process_time()
    for text in texts:
        await perceiver.perceive(text, last=None, earlier=texts[:3])
    # Some ten times what it takes alone; a quadratic slip costs more.
    assert (time.process_time() - began) / len(texts) < 0.01
