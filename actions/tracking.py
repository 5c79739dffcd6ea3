"""Where is the parcel with this number? Its stage; whose it is and which order is not told."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.asking import OUT_OF_REACH, say_out_of_reach
from actions.backends.contract import Parcel
from actions.backends.errors import NotFound
from actions.backends.opening import shop
from actions.handoff import handed
from actions.order_status import day, late_or
from actions.proving import Wanted, require

#: Where a parcel is, for customers.
WORDS = {
    "shipped": "on its way",
    "out_for_delivery": "in the van and should arrive today",
    "delivered": "delivered",
    "delayed": "delayed on its way",
    "overdue": "late, and I have no newer word of it",
}


class ActionTrack(Action):
    """Says where a parcel is, or where customers find its number."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_track"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Look the number up, if there is one. Raises StoreDown."""
        entities = tracker.latest_message.get("entities") or []
        number = next(
            (str(e["value"]) for e in entities if e.get("entity") == "tracking_number"), ""
        )
        if not number:
            dispatcher.utter_message(response="utter_tracking")
            return []
        try:
            parcel = await _find(number.upper())
        except OUT_OF_REACH as error:
            say_out_of_reach(dispatcher, error, f'/track_parcel{{"tracking_number": "{number}"}}')
            return []
        where = WORDS.get(late_or(parcel.status, parcel.eta), "") if parcel is not None else ""
        if parcel is None or not where:
            dispatcher.utter_message(response="utter_tracking_unknown", tracking=number)
            return []
        # Once it is proven, the order is told of: the number of the parcel was said before.
        why = f"asks where parcel {number.upper()} is"
        wanted = Wanted("action_order_status", "human", why, number=parcel.order)
        standing = await require(dispatcher, tracker, domain, "tracking", wanted)
        if standing.events is not None:
            return standing.events
        if not standing.enough:
            dispatcher.utter_message(response="utter_handoff")
            return handed(tracker, "human", standing.with_why(why), "normal")
        response = "utter_tracked_delivered" if parcel.delivered else "utter_tracked"
        dispatcher.utter_message(
            response=response,
            tracking=number.upper(),
            where=where,
            carrier=parcel.carrier or "the carrier",
            eta=day(parcel.eta),
            delivered=day(parcel.delivered),
        )
        return []


async def _find(tracking: str) -> Parcel | None:
    try:
        return await (await shop()).track(tracking)
    except NotFound:
        return None
