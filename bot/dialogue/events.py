"""Rasa's events as plain dictionaries, without what nobody reads again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy
from rasa.shared.core.events import Event, UserUttered
from rasa.shared.utils.common import all_subclasses

from bot.message import clean

_RANKED = 3
#: On every event alike, a turn names its model once; what is known of a customer is kept in one
#: place, where it can be forgotten.
_METADATA = ("model_id", "assistant_id", "memory", "sensed")

_TYPES: dict[str, type[Event]] = {}


def pack(events: Iterable[Event], *, brief: bool = False) -> list[dict[str, Any]]:
    """Return events as dictionaries of plain values that any store keeps.

    Of the parse of a message, text, intent, the three likeliest intents and entities
    remain. With `brief`, what policies do not look at goes as well: the likeliest
    intents, the buttons of utterances, confidences, and the time of all but messages.
    """
    return [_packed(event, brief) for event in events]


def unpack(events: Iterable[dict[str, Any]]) -> list[Event]:
    """Return the events of dictionaries that `pack` made.

    An event without a time gets that of the one before it. Raises ValueError for a kind
    of event that Rasa does not know.
    """
    unpacked: list[Event] = []
    stamp = 0.0
    for data in events:
        stamp = data.get("timestamp", stamp)
        kind = _type(str(data.get("event")))
        event = kind._from_parameters({**data, "timestamp": stamp})
        if event is not None:
            unpacked.append(event)
    return unpacked


def plain(value: Any) -> Any:
    """Return `value` as dictionaries, lists and scalars; numpy's numbers become Python's."""
    if type(value) is str:
        return clean(value)
    if isinstance(value, numpy.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, numpy.ndarray)):
        return [plain(v) for v in value]
    return str(value)


def _packed(event: Event, brief: bool) -> dict[str, Any]:
    data = {k: v for k, v in event.as_dict().items() if v is not None or k in ("name", "value")}
    metadata = {k: v for k, v in (data.pop("metadata", None) or {}).items() if k not in _METADATA}
    if metadata and not brief:
        data["metadata"] = metadata
    if isinstance(event, UserUttered):
        data["parse_data"] = _parse(event, brief)
    elif brief:
        data.pop("timestamp")
        data.pop("policy", None)
        data.pop("confidence", None)
    if data["event"] == "bot":
        found = {k: v for k, v in (data.get("data") or {}).items() if v is not None}
        data["data"] = {} if brief else found
    if not data.get("hide_rule_turn", True):
        del data["hide_rule_turn"]
    packed: dict[str, Any] = plain(data)
    return packed


def _parse(event: UserUttered, brief: bool) -> dict[str, Any]:
    parse: dict[str, Any] = dict(event.parse_data)
    kept = {"intent": parse.get("intent") or {}, "entities": parse.get("entities") or []}
    if not brief and parse.get("intent_ranking"):
        kept["intent_ranking"] = parse["intent_ranking"][:_RANKED]
    return kept


def _type(name: str) -> type[Event]:
    # Event.resolve_by_type walks over all classes of events for each event.
    if not _TYPES:
        for cls in all_subclasses(Event):
            _TYPES.setdefault(cls.type_name, cls)
    try:
        return _TYPES[name]
    except KeyError:
        raise ValueError(f"unknown event {name!r}") from None
