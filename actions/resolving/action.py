"""Where the dialogue and the model's loop meet: a message in, words and slots out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.agents import acting
from actions.resolving.judging import Wish
from actions.resolving.loop import Loop, Past, Resolved
from actions.resolving.matter import matter_of
from actions.resolving.proposing import (
    OPEN,
    PROOF,
    SLOT,
    Events,
    Talk,
    advance,
    confirmed,
    refused,
    to_person,
)
from actions.resolving.steps import Steps
from actions.several import ActionSeveral
from actions.tool_rules import INTENTS
from bot.knowledge.answering import Answering
from bot.llm.untrusted import line

_PERSON = {"title": "Talk to a person", "payload": "/human"}


async def resolve(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    domain: dict[str, Any],
    answering: Answering,
    past: Past,
) -> Events | None:
    """Let the model see to a message with its tools.

    None where it is no matter for it: there is no model, the rules do not give it such messages,
    or all that it wanted were articles. Raises StoreDown, SettingsInvalid.
    """
    talks = answering.talks
    text = str(tracker.latest_message.get("text") or "")
    if talks is None or text.startswith("/") or acting(tracker) is not None:
        return None
    matter = matter_of(tracker, domain)
    intent = tracker.latest_message.get("intent") or {}
    heard = str(intent.get("was") or intent.get("name") or "")
    taken = heard in matter.rules.resolving.intents or _is_open(tracker)
    if not matter.rules.tools or not taken:
        return None
    talk = Talk(matter, dispatcher, Steps(matter))
    resolved = await Loop(matter, answering, talk.steps, past).run(talks)
    if not resolved.acts:
        return None
    _say(talk, resolved, answering)
    events: Events = [SlotSet("answered", None), SlotSet("order_number", None)]
    if resolved.person:
        # Words of a model: they are shown as such, for an agent to judge.
        why = f"the assistant passes on: “{line(resolved.person, 160)}”"
        return [*events, *await to_person(talk, resolved.wishes, why, topic="human")]
    if resolved.wishes:
        return [*events, *await advance(talk, resolved.wishes)]
    if resolved.asks:
        talk.say(f"utter_ask_for_{resolved.asks}")
        return [*events, SlotSet(SLOT, {"state": OPEN, "at": matter.at})]
    return [*events, SlotSet(SLOT, None)]


async def instead(dispatcher: CollectingDispatcher, tracker: Tracker) -> Events | None:
    """Do what a message's own rule does, when it was given to the model and it did not take it.

    None for what is answered from the articles.
    """
    was = str((tracker.latest_message.get("intent") or {}).get("was") or "")
    action = INTENTS.get(was, "")
    if not action:
        return None
    if action == "action_several":
        return await ActionSeveral().run(dispatcher, tracker, {})
    if action.startswith("utter_"):
        dispatcher.utter_message(response=action)
        return []
    return [FollowupAction(action)]


class ActionResolve(Action):
    """Goes on with what was wanted, once it is proven who wants it; see `actions.proving`."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_resolve"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        """Propose it. Raises StoreDown, SettingsInvalid."""
        told = tracker.slots.get(SLOT) or {}
        if told.get("state") != PROOF:
            return []
        wishes = [Wish.decode(one) for one in told["wishes"]]
        return await advance(_talk(dispatcher, tracker, domain), wishes)


class ActionConfirmEffect(Action):
    """The customer's yes to what was proposed."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_confirm_effect"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        """Do it, and say what the shop answered. Raises StoreDown, SettingsInvalid."""
        return await confirmed(_talk(dispatcher, tracker, domain), _which(tracker))


class ActionRefuseEffect(Action):
    """The customer's no to what was proposed."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_refuse_effect"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        """Drop it. Raises StoreDown, SettingsInvalid."""
        return await refused(_talk(dispatcher, tracker, domain), _which(tracker))


def _talk(dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Talk:
    matter = matter_of(tracker, domain)
    return Talk(matter, dispatcher, Steps(matter))


def _which(tracker: Tracker) -> str:
    """Return the proposal that a button, or a yes right after it, belongs to."""
    entities: Sequence[dict[str, Any]] = tracker.latest_message.get("entities") or []
    return next((str(e.get("value")) for e in entities if e.get("entity") == "effect"), "")


def _is_open(tracker: Tracker) -> bool:
    return (tracker.slots.get(SLOT) or {}).get("state") == OPEN


def _say(talk: Talk, resolved: Resolved, answering: Answering) -> None:
    """Say what was found: of shops in the designers' words, of articles in theirs."""
    for found in resolved.found:
        if found.down:
            talk.dispatcher.utter_message(
                response=talk.matter.response(found.response), buttons=[dict(_PERSON)]
            )
        else:
            talk.say(found.response, **found.values)
    passages = [passage for found in resolved.articles for passage in found.passages]
    if not passages:
        return
    best = passages[0]
    text = resolved.text if resolved.text and not answering.judge(resolved.text, passages) else ""
    how = "model" if text else "quote"
    text = text or next((found.quote for found in resolved.articles if found.quote), "")
    if text:
        talk.say(
            f"utter_answer_{how}",
            answer=text,
            title=best.title,
            link=f" ({best.url})" if best.url else "",
        )
