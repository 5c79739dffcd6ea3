"""What the bot did with its tools for a case, in a few lines for agents."""

from __future__ import annotations

from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.steps import ASKED, DONE, FORBIDDEN, PERSON, PROPOSED, WAITS, Step

_LOOKED_AT = 30
#: What was asked when the result of a step is this.
_WHO = "who it is"
#: How agents read a verdict. What was only looked up, or was no call at all, says little.
_WORDS = {
    PROPOSED: "proposed to the customer",
    PERSON: "for a person",
    FORBIDDEN: "not allowed",
    DONE: "done",
    WAITS: "waits for the shop",
    ASKED: "asked the customer",
}


async def tool_lines(store: AsyncStore, case: Case, most: int) -> tuple[str, ...]:
    """Return the last steps up to a case that say something, the oldest first."""
    where = {"conversation": case.conversation}
    rows = await store.find(Step, where, sort=("-at",), limit=_LOOKED_AT)
    told = [
        row for row in rows if row.verdict in _WORDS and (row.at <= case.at or row.turn == case.id)
    ]
    return tuple(_line(row) for row in reversed(told[:most]))


def _line(row: Step) -> str:
    args = dict(row.args or {})
    about = [f"order {args['number']}"] if args.get("number") else []
    about += [f"£{args['amount']}"] if args.get("amount") else []
    named = f" ({', '.join(about)})" if about else ""
    # Why a person has it stands in the case.
    result = f": {row.result}" if row.verdict == FORBIDDEN and row.result else ""
    result = f" {_WHO}" if row.verdict == ASKED and row.result == _WHO else result
    return f"{str(row.tool).replace('_', ' ')}{named}, {_WORDS[str(row.verdict)]}{result}"
