"""Turns as workers leave them in the store, of customers of `tests.kit.designs.sound_project`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.message import Choice, Text, encode
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.messages import DONE, READ, Message, queued
from bot.store.turns import Turn

KEY = "whatsapp:shop:447700900123"


@dataclass
class Heard:
    """A message and what the bot made of it; `did` are ``(action, policy, responses)``.

    `loop` is the form that is active afterwards, `more` goes into the turn's decision.
    """

    said: str
    intent: str
    confidence: float = 0.9
    did: Sequence[tuple[str, str, Sequence[str]]] = ()
    loop: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    second: str = "stop"


HELLO = Heard("hello", "greet", 0.95, [("utter_greet", "RulePolicy", ["utter_greet"])])
ORDER = Heard(
    "where is my parcel",
    "order",
    0.8,
    [("order_form", "RulePolicy", ["utter_ask_number"])],
    loop="order_form",
)
NUMBER = Heard(
    "1042",
    "order",
    0.6,
    [
        ("order_form", "RulePolicy", []),
        ("action_look", "RulePolicy", ["utter_found_one"]),
    ],
)
STOP = Heard("/stop", "stop", 1.0, [("utter_stopped", "AugmentedMemoizationPolicy", [])])
UNSURE = Heard(
    "asdf",
    "nlu_fallback",
    0.3,
    [("action_default_fallback", "RulePolicy", [])],
    second="greet",
)
PERSON = Heard(
    "a person, please",
    "stop",
    0.7,
    [],
    more={"handoff": {"topic": "human", "why": "asked for a person", "priority": "normal"}},
)


async def traffic(
    store: AsyncStore,
    at: datetime,
    *heard: Heard,
    key: str = KEY,
    first: int = 1,
    apart: float = 20.0,
    name: str = "Amara Osei",
) -> list[str]:
    """Keep a conversation's turns, `apart` seconds from each other; return the messages' ids."""
    channel, account, _ = key.split(":", 2)
    held = Conversation(id=key, lease_until=at, created=at, last_in=at, profile={"name": name})
    rows: list[Any] = [held]
    ids = []
    for n, one in enumerate(heard):
        seq, when = first + n, at + timedelta(seconds=apart * n)
        content = encode(Choice(one.said, "x") if one.said.startswith("/") else Text(one.said))
        arrived = int(when.timestamp() * 1_000_000)
        row = Message(
            id=f"{channel}:{account}:{key[-4:]}-{seq}",
            direction="in",
            conversation=key,
            channel=channel,
            account=account,
            status=DONE,
            content=content,
            profile={"name": name},
            order=seq,
            arrived=arrived,
            sent=when,
            due=when,
        )
        replies = [name for _, _, names in one.did for name in names]
        turn = Turn(
            id=row.id,
            conversation=key,
            seq=seq,
            at=when,
            events=_events(one, begins=seq == 1),
            replies=[encode(Text(said)) for said in replies],
            parse={"intent": one.intent, "confidence": one.confidence, "entities": []},
            decision={"by": "bot", **one.more},
            state={"active_loop": one.loop or None},
            heard=content,
            perception={
                **{"language": "en", "sure": 0.9, "sentiment": 0.0, "mood": 0.1 * seq},
                **{"urgency": 0.0, "frustrated": False, "sensitive": None, "why": []},
            },
            took_ms=40,
            model="m1",
        )
        rows += [row, turn]
        for n_reply, said in enumerate(replies):
            out = queued(
                f"{row.id}:{n_reply}", key, Text(said), order=seq * 1000 + n_reply, turn=row.id
            )
            out.status, out.arrived = READ, arrived + 1 + n_reply
            rows.append(out)
        ids.append(str(row.id))
    await store.insert_new(rows)
    return ids


def _events(one: Heard, *, begins: bool) -> list[dict[str, Any]]:
    """Events in the order and with the fields that the brain gives them."""
    intent = {"name": one.intent, "confidence": one.confidence}
    other = {"name": one.second, "confidence": (1 - one.confidence) / 2}
    events: list[dict[str, Any]] = []
    if begins:
        events += [
            {"event": "action", "name": "action_session_start", "confidence": 1.0},
            {"event": "session_started"},
            {"event": "action", "name": "action_listen"},
        ]
    parsed = {"intent": intent, "entities": [], "intent_ranking": [intent, other]}
    events.append({"event": "user", "text": one.said, "parse_data": parsed})
    for action, policy, responses in one.did:
        events.append({"event": "action", "name": action, "policy": policy, "confidence": 1.0})
        events += [
            {"event": "bot", "text": name, "data": {}, "metadata": {"utter_action": name}}
            for name in responses
        ]
        if action.endswith("_form"):
            events.append({"event": "active_loop", "name": one.loop or None})
    events.append({"event": "action", "name": "action_listen", "policy": "RulePolicy"})
    return events
