"""One message and a short past in, replies and the state to go on from out."""

from __future__ import annotations

import copy
import logging
import re
import warnings
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.core.policies.policy import Policy
from rasa.exceptions import ModelNotFound
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.actions import ActionFailed, InProcessActions, failure_of
from bot.dialogue.contract import (
    ANSWERED_SLOT,
    HANDOFF_SLOT,
    Failure,
    Handoff,
    Hints,
    Outcome,
)
from bot.dialogue.errors import ModelMissing, ModelUnreadable
from bot.dialogue.events import pack, plain
from bot.dialogue.heard import Command, Deed, Words, heard, sensed_in
from bot.dialogue.live import LiveWords, fits
from bot.dialogue.meanwhile import catch_up
from bot.dialogue.processor import OneConversation, Processor, too_many_actions
from bot.dialogue.quiet import quiet
from bot.dialogue.replies import Replies, contents
from bot.dialogue.resolving import forget, routed
from bot.dialogue.schema import check_schema_once, trust_the_domain
from bot.dialogue.state import Reach, State, carry, reach, rebuild
from bot.llm.untrusted import line
from bot.message import Content, Inbound, Text
from bot.message import plain as plain_values
from bot.translation.contract import origin

log = logging.getLogger(__name__)

_APOLOGY = "utter_apology"
# Says what a model was not sure to have heard, {words}; so much of it, in characters.
_UNDERSTOOD = "utter_heard"
_ECHO = 240
_DEFAULT_APOLOGY = "Sorry, something went wrong on our side. Please try again in a moment."
_FALLBACK_INTENT = "nlu_fallback"
# As `bot.dialogue.training` names models.
_NAMED = re.compile(r"(\d{8}-\d{6})-")

__all__ = ["Brain", "Failure", "Outcome"]


class Brain:
    """A loaded model. `take` may be called for several conversations at once.

    The state after a turn itself carries what the policies look back at.
    """

    def __init__(
        self,
        processor: Processor,
        actions: InProcessActions,
        reach: Reach,
        began: datetime,
        resolves: frozenset[str] = frozenset(),
        name: str = "",
    ) -> None:
        self._name = name
        self._trained = processor
        self._processor = processor
        self._actions = actions
        self._domain: Domain = processor.domain
        self._reach = reach
        self._began = began
        self._resolves = resolves

    @classmethod
    def load(
        cls,
        model: Path,
        *,
        actions: str = "actions",
        action_seconds: float = 10.0,
        resolves: frozenset[str] = frozenset(),
    ) -> Brain:
        """Load a model, a file or the newest of a directory, and the package of its actions.

        `action_seconds` is how long one custom action may take. Messages of the intents
        `resolves` go to a language model that may act, see `bot.dialogue.resolving`. Raises
        ModelMissing, ModelUnreadable.
        """
        archive = newest(model)
        quiet()
        check_schema_once()
        trust_the_domain()
        endpoint = InProcessActions(actions, seconds=action_seconds)
        try:
            generator = TemplatedNaturalLanguageGenerator({})
            with warnings.catch_warnings():
                # Of things that were checked when the model was trained.
                warnings.simplefilter("ignore")
                processor = Processor(
                    archive,
                    tracker_store=None,  # each message brings its own
                    lock_store=InMemoryLockStore(),
                    generator=generator,
                    action_endpoint=endpoint,
                    on_circuit_break=too_many_actions,
                )
        except ModelNotFound as error:
            endpoint.close()
            raise ModelUnreadable(f"{archive}: is not a model archive") from error
        except Exception as error:
            endpoint.close()
            raise ModelUnreadable(f"{archive}: {type(error).__name__}: {error}") from error
        generator.responses = processor.domain.responses
        endpoint.serve(processor.domain.as_dict())
        for name in set(processor.domain.user_actions) - endpoint.names():
            if not name.startswith("utter_") and name not in processor.domain.form_names:
                log.error("action %s of the domain is not in the package %s", name, actions)
        policies = (
            c for c in processor.graph_runner.components().values() if isinstance(c, Policy)
        )
        began = _began(archive, processor.model_metadata.trained_at)
        name = archive.name.removesuffix(".tar.gz")
        return cls(processor, endpoint, reach(policies), began, resolves, name)

    @property
    def model_id(self) -> str:
        """The id that Rasa gave the model when it was trained."""
        return str(self._processor.model_metadata.model_id)

    async def take(self, said: Inbound, state: State | None, hints: Hints | None = None) -> Outcome:
        """Answer one message. `state` is that of the conversation's last `Outcome`, None at first.

        What is not to be answered (a reaction, an edit) gives an outcome without events
        and replies. Whatever fails gives one with a `Failure`, an apology, and the state
        from before: nothing is raised but what cancels this task.
        """
        before: State = state or {}
        hints = hints or Hints()
        what = heard(said.content)
        if what is None:
            return Outcome([], [], before, {}, None)
        replies = Replies(said.address.channel)
        try:
            tracker = rebuild(said.address.key, self._domain, before)
            past = len(tracker.events)
            if hints.resumed:
                catch_up(tracker, self._domain, hints.meanwhile)
            store = OneConversation(self._domain, tracker)
            processor = copy.copy(self._processor)
            processor.tracker_store = store
            said_by = processor.domain.responses
            message = self._message(what, said, replies, tracker, hints)
            if message.parse_data:
                parse = _parse(message.parse_data)
                if parse["intent"] in hints.intents:
                    return Outcome([], [], before, parse, None, stopped=parse["intent"])
            await processor.handle_message(message)
            tracker = store.tracker
            new = list(tracker.events)[past:]
            return Outcome(
                events=pack(new),
                replies=[*await self._understood(said, tracker), *replies.contents],
                state=carry(tracker, self._domain, self._reach),
                parse=_parse(_heard(tracker)),
                failure=None,
                handoff=_handoff(new),
                answered=_told(new, ANSWERED_SLOT),
                model=self._name,
                origins=tuple(origin(name, said_by) for name in replies.responses),
            )
        except ActionFailed as failed:
            return await self._sorry(said, before, failed.failure)
        except Exception as error:
            return await self._sorry(said, before, failure_of("", error))

    def speak(self, words: LiveWords | None) -> bool:
        """Say other words than the model was trained with, from the next message on.

        Turns in hand end with the words they began with. They are taken whole or not at all:
        only if they are newer than the data of the model, and all else in their domain is
        what it was trained on. None gives the model its own words back. Returns whether words
        other than the model's own are said now. To be called in the loop of `take`.
        """
        own: Domain = self._trained.domain
        responses = own.responses
        if words is not None and words.at > self._began and fits(words, own.as_dict()):
            responses = words.responses
        domain = copy.copy(own)
        domain.responses = responses
        domain._data = {**own.as_dict(), "responses": responses}
        processor = copy.copy(self._trained)
        processor.domain = domain
        processor.nlg = TemplatedNaturalLanguageGenerator(responses)
        self._actions.serve(domain.as_dict())
        self._domain, self._processor = domain, processor
        return bool(responses != own.responses)

    def close(self) -> None:
        """Let go of the threads that run actions."""
        self._actions.close()

    def _message(
        self,
        what: Words | Command | Deed,
        said: Inbound,
        replies: Replies,
        tracker: DialogueStateTracker,
        hints: Hints,
    ) -> UserMessage:
        parse: dict[str, Any] | None = None
        if isinstance(what, Command) and self._offered(what.payload):
            text = what.payload
        elif isinstance(what, Deed):
            text = f"/{what.intent}"
            name = what.intent if what.intent in self._domain.intents else _FALLBACK_INTENT
            parse = {"text": text, "intent": {"name": name, "confidence": 1.0}, "entities": []}
        else:
            # A button older than the model, whose intent is gone, is read as its title.
            text = what.text if isinstance(what, Words) else what.title or what.payload
            parse = self._processor.understand(text, tracker)
            if (parse.get("intent") or {}).get("name") not in hints.intents:
                parse = routed(parse, tracker, self._resolves)
        forget(text, parse, tracker)
        return UserMessage(
            text,
            output_channel=replies,
            sender_id=said.address.key,
            parse_data=parse,
            input_channel=said.address.channel,
            message_id=said.id,
            metadata=_metadata(said, hints),
        )

    def _offered(self, payload: str) -> bool:
        name = payload[1:].split("{", 1)[0].split("@", 1)[0].strip()
        return name in self._domain.intents

    async def _understood(self, said: Inbound, tracker: DialogueStateTracker) -> list[Content]:
        """Return what to say of a recording whose words a model was not sure of; often nothing."""
        spoken = [s for s in sensed_in(said.content) if s.kind == "spoken" and not s.sure]
        words = " ".join(s.words for s in spoken if s.words)
        if not words or _UNDERSTOOD not in self._domain.responses:
            return []
        response = await self._processor.nlg.generate(
            _UNDERSTOOD, tracker, said.address.channel, words=line(words, _ECHO)
        )
        return contents(response or {})[:1]

    async def _sorry(self, said: Inbound, before: State, failure: Failure) -> Outcome:
        log.error("%s: %s failed: %s", said.id, failure.action or "the model", failure.reason)
        apology: list[Content] = []
        try:
            tracker = DialogueStateTracker(said.address.key, self._domain.slots)
            response = await self._processor.nlg.generate(_APOLOGY, tracker, said.address.channel)
            apology = contents(response or {})[:1]
        except Exception:
            log.exception("%s cannot be said", _APOLOGY)
        said_instead = apology or [Text(_DEFAULT_APOLOGY)]
        origins = (origin(_APOLOGY, self._domain.responses),) if apology else ()
        return Outcome([], said_instead, before, {}, failure, model=self._name, origins=origins)


def _metadata(said: Inbound, hints: Hints) -> dict[str, Any]:
    """Return what custom actions may want to know beside the words, as the event's metadata."""
    told = {
        "name": said.profile.name,
        "language": said.profile.language,
        "reply_to": said.reply_to,
        "referral": plain_values(said.referral) if said.referral else None,
        "perception": dict(hints.perception),
        "memory": dict(hints.memory),
        "sensed": [plain_values(sensed) for sensed in sensed_in(said.content)],
    }
    return {key: value for key, value in told.items() if value}


def newest(model: Path) -> Path:
    """Return a model file: `model` itself, or the newest in the directory. Raises ModelMissing."""
    if model.is_file():
        return model
    found = [path for path in model.glob("*.tar.gz") if path.is_file()] if model.is_dir() else []
    if not found:
        raise ModelMissing(f"{model}: there is no model here; `bot train` makes one")
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _began(archive: Path, trained: datetime) -> datetime:
    """Return a time before the data of a model was read: its name begins with one."""
    named = _NAMED.match(archive.name)
    try:
        at = datetime.strptime(named[1], "%Y%m%d-%H%M%S") if named else trained
    except ValueError:
        at = trained
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def _heard(tracker: DialogueStateTracker) -> dict[str, Any]:
    message = next((e for e in reversed(tracker.events) if e.type_name == "user"), None)
    return message.parse_data if message else {}


def _parse(data: dict[str, Any]) -> dict[str, Any]:
    intent = data.get("intent") or {}
    parse: dict[str, Any] = plain(
        {
            "intent": intent.get("name"),
            "confidence": intent.get("confidence", 0.0),
            "entities": data.get("entities") or [],
        }
    )
    return parse


def _told(events: list[Event], slot: str) -> dict[str, Any] | None:
    """Return what actions of this turn put into a slot, None when nothing.

    A new session sets all slots again, before it comes to the customer's message; so does
    what was said meanwhile come before it.
    """
    said = [n for n, e in enumerate(events) if isinstance(e, UserUttered)]
    after = events[said[-1] :] if said else []
    values = [e.value for e in after if isinstance(e, SlotSet) and e.key == slot]
    return values[-1] if values and isinstance(values[-1], dict) else None


def _handoff(events: list[Event]) -> Handoff | None:
    told = _told(events, HANDOFF_SLOT)
    if told is None:
        return None
    return Handoff(
        str(told.get("topic") or "human"),
        str(told.get("why") or ""),
        str(told.get("priority") or "normal"),
    )
