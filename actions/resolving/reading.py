"""Tools that look something up. What they find is told in the designers' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from actions.asking import OUT_OF_REACH, Guessing, find_order_for, log_out_of_reach
from actions.backends.errors import BackendError, NotFound
from actions.backends.opening import shop
from actions.order_status import day, facts, late_or, told
from actions.resolving.matter import Matter, store
from actions.tracking import WORDS
from bot.knowledge.answering import About, Answering
from bot.knowledge.contract import Passage
from bot.store.cases import OPEN, Case

_CASES = 2


@dataclass(frozen=True)
class Found:
    """What a tool has found: a response and its values, and what the model reads of it.

    `passages` are of articles, `quote` is what the best of them says to it, "" when none is good
    enough. `down` says that the shop could not be asked.
    """

    response: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    told: str = ""
    passages: Sequence[Passage] = ()
    quote: str = ""
    down: bool = False


#: What is found when the shop's system does not answer.
SILENT = Found("utter_shop_out_of_reach", {}, "the shop's system does not answer now", down=True)


async def order_status(matter: Matter, arguments: Mapping[str, str]) -> Found:
    """Find an order's stage: nothing of it is personal. Raises StoreDown."""
    number = arguments["number"]
    try:
        order = await find_order_for(matter.tracker, number)
    except Guessing:
        return _told(matter, "utter_order_guesses", {})
    except OUT_OF_REACH as error:
        return _down(error)
    if order is None:
        return _told(matter, "utter_order_not_found", {"number": number})
    return _told(matter, told(order), facts(order))


async def track(matter: Matter, arguments: Mapping[str, str]) -> Found:
    """Find a parcel. Raises StoreDown."""
    number = arguments["tracking_number"].upper()
    try:
        parcel = await (await shop()).track(number)
    except NotFound:
        return _told(matter, "utter_tracking_unknown", {"tracking": number})
    except OUT_OF_REACH as error:
        return _down(error)
    where = WORDS.get(late_or(parcel.status, parcel.eta), "")
    if not where:
        return _told(matter, "utter_tracking_unknown", {"tracking": number})
    values = {
        "tracking": number,
        "where": where,
        "carrier": parcel.carrier or "the carrier",
        "eta": day(parcel.eta),
        "delivered": day(parcel.delivered),
    }
    response = "utter_tracked_delivered" if parcel.delivered else "utter_tracked"
    return _told(matter, response, values)


async def case_lookup(matter: Matter) -> Found:
    """Find what became of the last request from this very address. Raises StoreDown."""
    where = {"conversation": matter.conversation}
    cases = await store().find(Case, where, sort=("-at",), limit=_CASES)
    if not cases:
        return _told(matter, "utter_no_case", {})
    case = next((one for one in cases if one.status == OPEN), cases[0])
    values = {"day": day(case.at), "topic": str(case.topic).replace("_", " ")}
    if case.status == OPEN:
        return _told(matter, "utter_your_case", values)
    return _told(matter, "utter_your_case_closed", {**values, "closed": day(case.resolved)})


async def search_articles(
    matter: Matter, answering: Answering, arguments: Mapping[str, str]
) -> Found:
    """Find passages of articles."""
    about = About(matter.conversation, matter.channel, matter.language, known=matter.known)
    passages, quote = await answering.passages(arguments["query"], about)
    told = "\n\n".join(f"{one.heading}. {one.text}" for one in passages)
    return Found(
        told=told or "no article says anything of it", passages=tuple(passages), quote=quote
    )


def _told(matter: Matter, response: str, values: Mapping[str, str]) -> Found:
    return Found(response, values, matter.words(response, values))


def _down(error: BackendError) -> Found:
    log_out_of_reach(error)
    return SILENT
