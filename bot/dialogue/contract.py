"""What a turn gives the brain and gets back; free of Rasa, so that it costs nothing to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.message import Content
from bot.translation.contract import Origin


@dataclass(frozen=True)
class Failure:
    """Why a message could not be answered: for the operator, never for the customer.

    `detail` is a traceback; it holds neither secrets nor the customer's words.
    """

    action: str
    reason: str
    detail: str


#: Slots by which custom actions tell the turn more than words: that a person is to take
#: over, as the fields of `Handoff`, and how a question was answered (`actions.answer`).
HANDOFF_SLOT, ANSWERED_SLOT = "handoff", "answered"


@dataclass(frozen=True)
class Handoff:
    """A person is to take over: what it is about, why, and how urgent it is.

    `topic` is of ``data/escalation.yml``, or a word of an action's own, such as ``human``.
    `priority` is low, normal, high or urgent.
    """

    topic: str
    why: str
    priority: str = "normal"


@dataclass(frozen=True)
class Spoken:
    """Words of an agent, or with `agent` "" of the customer. `at` is Unix time."""

    text: str
    agent: str
    at: float


@dataclass(frozen=True)
class Hints:
    """What was seen in a message before the brain reads it.

    `perception` is `bot.perception` 's, encoded; actions find it in the message's metadata.
    A message of one of the `intents` is a person's: it is read, and no action is run.
    `resumed` says that a person has had the conversation; `meanwhile` is what was said then,
    the oldest first. `memory` is what is known of the customer, a `bot.memory.contract.Memory`
    encoded; actions find it in the metadata, too.
    """

    perception: Mapping[str, Any] = field(default_factory=dict)
    intents: frozenset[str] = frozenset()
    resumed: bool = False
    meanwhile: tuple[Spoken, ...] = ()
    memory: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What the brain made of one message.

    `events` are new Rasa events as dictionaries, `state` is the state after them,
    `parse` holds intent, confidence and entities. With a `failure`, `events` is
    empty, `state` is the one before, and `replies` is one apology. `stopped` is the
    intent for which no action was run, see `Hints`. `answered` is what an action told of
    how it answered a question. `model` is the name of the model, "" when none was asked.
    `origins` are the responses that replies were made of, one a reply or none at all;
    `spoken` says that the replies are in the customer's language already. `translated` tells
    of a message in another language than the company's.
    """

    events: list[dict[str, Any]]
    replies: list[Content]
    state: dict[str, Any]
    parse: dict[str, Any]
    failure: Failure | None
    handoff: Handoff | None = None
    answered: Mapping[str, Any] | None = None
    stopped: str = ""
    model: str = ""
    origins: tuple[Origin | None, ...] = ()
    spoken: bool = False
    translated: Mapping[str, Any] | None = None
