from __future__ import annotations

import pytest

from bot.dialogue.brain import Brain
from tests.kit.stories import Story, stories
from tests.kit.talk import Conversation

BETWEEN = ("action_listen", "action_session_start")


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.name)
async def test_story(brain: Brain, story: Story) -> None:
    talk = Conversation(brain)
    for turn in story.turns:
        outcome = await talk.take(turn.text)
        assert outcome.failure is None
        assert outcome.parse["intent"] == turn.intent, turn.text
        done = [e["name"] for e in outcome.events if e["event"] == "action"]
        assert [name for name in done if name not in BETWEEN] == turn.actions, turn.text
