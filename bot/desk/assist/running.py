"""Custom actions, run for an agent: the same code as in a conversation, heard by nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bot.message import encode
from bot.store import StoreError

if TYPE_CHECKING:
    from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator

    from bot.dialogue.actions import InProcessActions


@dataclass(frozen=True, slots=True)
class Ran:
    """What an action did. `texts` are what it would have said to the customer.

    `why` is what it did not do, or why it failed, "" when all went well. `unsure` says
    that it may have done something all the same: it failed in the middle, or took too long.
    """

    texts: tuple[str, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    why: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """Which custom action is to be run, with which slots, for whom.

    `agent` is the agent's id, `deed` the id of what he did to have it run.
    """

    action: str
    slots: Mapping[str, Any]
    conversation: str
    channel: str
    language: str
    agent: str
    deed: str


class Runs(Protocol):
    """Runs custom actions."""

    async def run(self, call: Call) -> Ran:
        """Run one and return what came of it. Raises StoreError, after which it is to be redone."""

    def close(self) -> None:
        """Let go of threads."""


class Running:
    """Runs the actions of a package with the responses of a domain.

    Both are loaded when first used. `seconds` is how long one action may take.
    """

    def __init__(self, root: Path = Path(), package: str = "actions", seconds: float = 10) -> None:
        self._domain_file = root / "domain.yml"
        self._package = package
        self._seconds = seconds
        self._loading = threading.Lock()
        self._loaded: tuple[InProcessActions, TemplatedNaturalLanguageGenerator] | None = None

    async def run(self, call: Call) -> Ran:
        """Run an action.

        Raises StoreError where the action met one: then nobody knows what it has done, and
        doing it again tells. Raises ModelUnreadable when the package or the domain is unusable.
        """
        from rasa.utils.endpoints import ClientResponseError

        from actions.agents import OUTCOME, Agent, as_agent
        from bot.dialogue.actions import ActionFailed

        loaded = self._loaded
        if loaded is None:
            loaded = await asyncio.to_thread(self._load)
        endpoint, generator = loaded
        try:
            with as_agent(Agent(call.agent, call.deed)) as metadata:
                done = await endpoint.request(json=_payload(call, metadata))
        except ActionFailed as failed:
            if isinstance(failed.__cause__, StoreError):
                raise failed.__cause__ from failed
            return Ran(why=failed.failure.reason, unsure=True)
        except ClientResponseError:
            return Ran(why="the action does not want to be run here")
        events = tuple(dict(event) for event in done.get("events") or ())
        told = next((e.get("value") for e in reversed(events) if e.get("name") == OUTCOME), None)
        why = "" if not isinstance(told, dict) or told.get("ok") else str(told.get("why") or "no")
        texts = [
            text for said in done.get("responses") or () for text in _texts(generator, said, call)
        ]
        return Ran(tuple(texts), events, why)

    def close(self) -> None:
        """Let go of the threads that run actions."""
        if self._loaded is not None:
            self._loaded[0].close()

    def _load(self) -> tuple[InProcessActions, TemplatedNaturalLanguageGenerator]:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._made()
            return self._loaded

    def _made(self) -> tuple[InProcessActions, TemplatedNaturalLanguageGenerator]:
        from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
        from rasa.shared.core.domain import Domain, InvalidDomain
        from rasa.shared.exceptions import RasaException

        from bot.dialogue.actions import InProcessActions
        from bot.dialogue.errors import ModelUnreadable

        try:
            domain = Domain.load(str(self._domain_file))
        except (RasaException, InvalidDomain, OSError) as error:
            raise ModelUnreadable(f"{self._domain_file}: {type(error).__name__}") from error
        endpoint = InProcessActions(self._package, seconds=self._seconds)
        endpoint.serve(domain.as_dict())
        return endpoint, TemplatedNaturalLanguageGenerator(domain.responses)


def _payload(call: Call, metadata: Mapping[str, Any]) -> dict[str, Any]:
    seen = {"perception": {"language": call.language}}
    return {
        "next_action": call.action,
        "sender_id": call.conversation,
        "tracker": {
            "sender_id": call.conversation,
            "slots": dict(call.slots),
            "latest_message": {
                "text": "",
                "intent": {},
                "entities": [],
                "metadata": {**metadata, **seen},
            },
            "events": [],
            "paused": False,
            "followup_action": None,
            "active_loop": {},
            "latest_action_name": "action_listen",
        },
    }


def _texts(
    generator: TemplatedNaturalLanguageGenerator, said: Mapping[str, Any], call: Call
) -> list[str]:
    """Return what one utterance says in words; its buttons are for a conversation."""
    from bot.desk.timeline import words
    from bot.dialogue.replies import contents

    told = {key: value for key, value in said.items() if value}
    name = told.pop("response", None)
    if name:
        made = generator.generate_from_slots(name, dict(call.slots), call.channel, **told)
        told = made or {}
    return [words(encode(content)) for content in contents(told)]
