"""Rasa's message processor, made to carry one conversation and to fail aloud."""

from __future__ import annotations

import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rasa.core.actions.action import Action, ActionExecutionRejection
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import TrackerStore
from rasa.engine import loader
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata
from rasa.exceptions import ModelNotFound
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    Event,
    ReminderCancelled,
    ReminderScheduled,
    UserUtteranceReverted,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.dialogue.actions import ActionFailed, failure_of
from bot.dialogue.contract import Failure
from bot.dialogue.runner import SequentialRunner


class OneConversation(TrackerStore):
    """A tracker store that holds the tracker of the message at hand."""

    def __init__(self, domain: Domain, tracker: DialogueStateTracker) -> None:
        super().__init__(domain)
        self.tracker = tracker

    async def retrieve(self, sender_id: str) -> DialogueStateTracker:
        """Return the tracker."""
        return self.tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep the tracker."""
        self.tracker = tracker


class Processor(MessageProcessor):
    """Rasa's processor with another graph runner, and failures that end the turn.

    One is loaded for a model; each message gets a shallow copy with a store of its own,
    so that messages of several conversations can be in progress at once.
    """

    graph_runner: SequentialRunner
    model_metadata: ModelMetadata

    @staticmethod
    def _load_model(model_path: str | Path) -> tuple[str, ModelMetadata, SequentialRunner]:
        with TemporaryDirectory() as directory:
            try:
                metadata, runner = loader.load_predict_graph_runner(
                    Path(directory), Path(model_path), LocalModelStorage, SequentialRunner
                )
            except tarfile.ReadError as error:
                raise ModelNotFound(f"{model_path} is not a model archive") from error
        return Path(model_path).name, metadata, runner

    def understand(self, text: str, tracker: DialogueStateTracker) -> dict[str, Any]:
        """Parse words that are never a command.

        The graph is run up to what feeds Rasa's RegexMessageHandler, which would make
        intents of ``/restart`` and the like.
        """
        written = str(self.model_metadata.nlu_target)
        target = self.graph_runner.before(written)
        results = self.graph_runner.run(
            inputs={
                PLACEHOLDER_MESSAGE: [UserMessage(text)],
                PLACEHOLDER_TRACKER: tracker,
            },
            targets=[target],
        )
        parse: dict[str, Any] = {
            "text": text,
            "intent": {"name": None, "confidence": 0.0},
            "entities": [],
        }
        parse.update(results[target][0].as_dict(only_output_properties=True))
        self._update_full_retrieval_intent(parse)
        return parse

    async def _update_tracker_session(
        self,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        # A session's metadata is a slot, and carried for as long as the session lasts: what was in
        # a file of its first message is not the session's.
        kept = {key: value for key, value in (metadata or {}).items() if key != "sensed"}
        await super()._update_tracker_session(tracker, output_channel, kept or None)

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: Any,
        prediction: PolicyPrediction,
    ) -> bool:
        more: bool = await super()._run_action(
            _Aloud(action), tracker, output_channel, nlg, prediction
        )
        taken_back = more and isinstance(tracker.events[-1], UserUtteranceReverted)
        if taken_back and tracker.latest_action_name == ACTION_LISTEN_NAME:
            # What is left ends with what an agent and the customer said to each other, to
            # which Rasa would find no answer either, and take it back as well.
            tracker.update(ActionExecuted(ACTION_LISTEN_NAME), self.domain)
            return False
        return more

    async def _schedule_reminders(
        self, events: list[Event], tracker: DialogueStateTracker, output_channel: OutputChannel
    ) -> None:
        # Rasa would keep them in the memory of this process, bound to this very tracker.
        if any(isinstance(event, (ReminderScheduled, ReminderCancelled)) for event in events):
            raise ActionFailed(
                Failure(str(tracker.latest_action_name), "reminders are not supported", "")
            )

    async def _cancel_reminders(self, events: list[Event], tracker: DialogueStateTracker) -> None:
        """See `_schedule_reminders`."""


class _Aloud(Action):
    """An action whose errors end the turn instead of being logged and passed over."""

    def __init__(self, action: Action) -> None:
        self._action = action

    def name(self) -> str:
        return str(self._action.name())

    async def run(
        self, output_channel: OutputChannel, nlg: Any, tracker: DialogueStateTracker, domain: Domain
    ) -> list[Event]:
        try:
            events: list[Event] = await self._action.run(output_channel, nlg, tracker, domain)
        except ActionExecutionRejection:
            raise
        except Exception as error:
            raise ActionFailed(failure_of(self.name(), error)) from error
        return events

    def event_for_successful_execution(self, prediction: PolicyPrediction) -> Event:
        return self._action.event_for_successful_execution(prediction)


def too_many_actions(*_: Any) -> None:
    """End the turn when actions were predicted without end. Raises ActionFailed."""
    raise ActionFailed(Failure("", "actions were predicted without end", ""))
