"""Which messages are a model's that may act, and what yes and no mean after it proposed something.

The model itself, its tools and the rules are in `actions.resolving`, which the slot
``resolving`` is of.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

SLOT = "resolving"
_ASKED, _OPEN = "asked", "open"
_MODEL = "question"
_YES, _NO = "confirm_effect", "refuse_effect"
_WORDS = {"affirm": _YES, "deny": _NO, "stop": _NO}
#: What a customer may say when he was asked for something, and that is no answer to it.
_NO_ANSWER = frozenset(
    {
        "human",
        "stop",
        "greet",
        "goodbye",
        "thank",
        "start",
        "abuse",
        "bot_challenge",
        "complaint",
        "data_request",
        "delete_data",
        "link_channels",
        "inform_link_code",
        "show_article",
    }
)


def routed(
    parse: dict[str, Any], tracker: DialogueStateTracker, intents: Collection[str]
) -> dict[str, Any]:
    """Return how words are taken: as they were understood, or for the model, a yes, or a no.

    `intents` are those that go to the model, none without one; a proposal may come from a form,
    too. What was understood stays in the intent's ``was``.
    """
    heard = str((parse.get("intent") or {}).get("name") or "")
    if tracker.active_loop_name:
        return parse
    told = _told(tracker)
    if told.get("state") == _ASKED and heard in _WORDS:
        entity = {"entity": "effect", "value": str(told.get("id") or "")}
        taken = _as(parse, _WORDS[heard])
        return {**taken, "entities": [*(parse.get("entities") or []), entity]}
    if not intents or heard == _MODEL or heard == "nlu_fallback":
        return parse
    answers = told.get("state") == _OPEN and heard not in _NO_ANSWER
    return _as(parse, _MODEL) if answers or heard in intents else parse


def forget(text: str, parse: dict[str, Any] | None, tracker: DialogueStateTracker) -> None:
    """Drop what was proposed when a message is neither yes nor no to it.

    `parse` is that of words, None for a button's payload `text`.
    """
    state = _told(tracker).get("state")
    if state is None or tracker.active_loop_name:
        return
    if parse is None:
        heard = text[1:].split("{", 1)[0].split("@", 1)[0].strip()
    else:
        heard = str((parse.get("intent") or {}).get("name") or "")
    if heard in (_YES, _NO) and state == _ASKED:
        return
    if heard in (_MODEL, "nlu_fallback") and state == _OPEN:
        return
    tracker.update(SlotSet(SLOT, None))


def _told(tracker: DialogueStateTracker) -> dict[str, Any]:
    slot = tracker.slots.get(SLOT)
    return slot.value if slot is not None and isinstance(slot.value, dict) else {}


def _as(parse: dict[str, Any], intent: str) -> dict[str, Any]:
    heard = dict(parse.get("intent") or {})
    return {**parse, "intent": {**heard, "name": intent, "was": heard.get("name")}}
