"""Conversations with a brain, and with stock Rasa on the same model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.tracker_store import InMemoryTrackerStore

from bot.dialogue.actions import InProcessActions
from bot.dialogue.brain import Brain, newest
from bot.dialogue.contract import Outcome
from bot.dialogue.events import pack
from bot.message import Address, Choice, Choices, Content, Inbound, Text

#: What differs from run to run, or only tells where an event comes from.
_PASSING = ("timestamp", "message_id", "input_channel", "metadata")


def meant(message: str | Content) -> Content:
    """Text for words, a verified choice for what begins with a slash, as in a story."""
    if not isinstance(message, str):
        return message
    return Choice(message) if message.startswith("/") else Text(message)


class Conversation:
    """One customer and a brain. Hands the state on as the turn does."""

    def __init__(self, brain: Brain, channel: str = "telegram", user: str = "u1") -> None:
        self.brain = brain
        self.address = Address(channel, "shop", user)
        self.said = 0
        self.state: dict[str, Any] = {}
        #: Of the last message.
        self.id = ""

    async def take(self, message: str | Content) -> Outcome:
        self.said += 1
        # Unique within the account, as a provider's are.
        said = Inbound(self.address, f"{self.address.user}.{self.said}", meant(message))
        self.id = said.id
        outcome = await self.brain.take(said, self.state or None)
        self.state = outcome.state
        return outcome

    async def say(self, message: str | Content) -> list[str]:
        """Return the words of the replies; of a picture its URL. Fails when the brain failed."""
        outcome = await self.take(message)
        assert outcome.failure is None, outcome.failure
        return words(outcome.replies)


def words(replies: list[Content]) -> list[str]:
    return [getattr(reply, "text", "") or getattr(reply, "url", "") for reply in replies]


def buttons(replies: list[Content]) -> list[str]:
    return [o.title for reply in replies if isinstance(reply, Choices) for o in reply.options]


class Stock:
    """Rasa's own agent: dask, in-memory tracker store; actions run in process as the brain's."""

    def __init__(self, model: Path) -> None:
        self.actions = InProcessActions("actions", seconds=10)
        self.agent = Agent.load(
            newest(model),
            tracker_store=InMemoryTrackerStore(None),
            action_endpoint=self.actions,
        )
        self.actions.serve(self.agent.domain.as_dict())
        self.began = 0.0

    async def take(
        self, text: str, user: str, channel: str = "telegram", id: str | None = None
    ) -> None:
        output = CollectingOutputChannel()
        output.name = lambda: channel
        self.began = time.time()
        await self.agent.handle_message(
            UserMessage(text, output, sender_id=user, input_channel=channel, message_id=id)
        )

    async def events(self, user: str) -> list[dict[str, Any]]:
        """The events of the last message. Stock forgets those of sessions before the last."""
        tracker = await self.agent.tracker_store.retrieve_full_tracker(user)
        assert tracker is not None
        return pack([event for event in tracker.events if event.timestamp >= self.began])

    async def memory(self, user: str) -> dict[str, Any]:
        tracker = await self.agent.tracker_store.retrieve(user)
        assert tracker is not None
        return {
            "slots": {
                k: timeless(v) for k, v in tracker.current_slot_values().items() if v is not None
            },
            "active_loop": tracker.active_loop_name,
            "latest_action": tracker.latest_action_name,
            "paused": tracker.is_paused(),
            "followup": tracker.followup_action,
        }


def comparable(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events without what passes. Slots carried into a new session count once each."""
    compared = [{k: v for k, v in e.items() if k not in _PASSING} for e in events]
    for event in compared:
        if event["event"] == "slot":
            event["value"] = timeless(event["value"])
    for n, event in enumerate(compared):
        if event["event"] == "session_started":
            end = next(i for i in range(n, len(compared)) if compared[i]["event"] == "action")
            carried = {e["name"]: e["value"] for e in compared[n + 1 : end]}
            carried = {k: v for k, v in carried.items() if v is not None}
            compared[n + 1 : end] = [{"event": "slots", "value": carried}]
            break
    return compared


def timeless(value: Any) -> Any:
    """A slot's value without when it was set (`answered` says so)."""
    return {k: v for k, v in value.items() if k != "at"} if isinstance(value, dict) else value


def remembered(state: dict[str, Any]) -> dict[str, Any]:
    slots = {k: timeless(v) for k, v in state["slots"].items() if v is not None}
    kept = ("active_loop", "latest_action", "paused", "followup")
    return {"slots": slots, **{k: state[k] for k in kept}}


async def compare(brain: Brain, stock: Stock, messages: list[str], user: str) -> list[str]:
    """Say the same to both; return what differed, one entry a message."""
    conversation = Conversation(brain, user=user)
    differences = []
    for n, message in enumerate(messages):
        outcome = await conversation.take(message)
        assert outcome.failure is None, (message, outcome.failure)
        sender = conversation.address.key
        # By its id an action puts a heart on it.
        await stock.take(message, sender, id=conversation.id)
        ours = comparable(outcome.events)
        theirs = comparable(await stock.events(sender))
        if ours != theirs:
            differences.append(
                f"{n} {message!r} after {messages[max(0, n - 6) : n]}:\n{ours}\n{theirs}"
            )
        memory = await stock.memory(sender)
        if remembered(outcome.state) != memory:
            differences.append(f"{n} {message!r}: {remembered(outcome.state)} {memory}")
    return differences


#: What customers of the small shop say, with how often; enough to meet each other oddly.
SAID = {
    "hi": 3, "good morning": 1, "thanks": 2, "bye": 2, "yes": 5, "no": 4, "stop": 2,
    "where is my order?": 6, "where is order 1042": 2, "1042": 4, "#1046": 2, "9999": 3,
    "order no. 20417": 2, "it's 1042 or 1043": 1, "what are your hours?": 4, "help": 3,
    "where is your store": 3, "are you a bot": 2, "talk to a person": 4, "tell me a joke": 3,
    "asdf qwer zxcv": 4, "xkcd": 2, "/restart": 0.4, "/share_image": 1, "/start": 1,
    "/order_status": 2, "/stop": 2, "/affirm": 1, "/deny": 1, "/session_start": 0.2,
    '/inform_order_number{"order_number": "1049"}': 1, "/back": 0.3,
}  # fmt: skip
