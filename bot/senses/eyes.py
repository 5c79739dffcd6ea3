"""Looking at pictures, by a language model that can."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from bot.llm.contract import Ask, Said, Talks
from bot.llm.errors import BudgetSpent, LlmError, Refused
from bot.llm.orders import orders
from bot.llm.prompts import Prompt
from bot.llm.untrusted import line, mark, rule, visible, wrap
from bot.message import Sensed
from bot.senses.contract import ModelDown, NoBudget, NothingInIt, Piece
from bot.senses.picture import data_url, packed

_PURPOSE = "picture"
_SHOWS = 240
_WRITTEN = 1500
_NUMBERS = 3
# As all order numbers of ours are; a model that reads others has read something else.
_NUMBER = re.compile(r"(?<![0-9])[0-9]{4,6}(?![0-9])")
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "shows": {"type": "string"},
        "written": {"type": "string"},
        "order_numbers": {"type": "array", "items": {"type": "string"}},
        "damage": {"type": "boolean"},
        "sure": {"type": "boolean"},
    },
    "required": ["shows", "written", "order_numbers", "damage", "sure"],
    "additionalProperties": False,
}


class Eyes:
    """A `Sense` for pictures. `company` is whose customers send them."""

    def __init__(self, talks: Talks, prompt: Prompt, company: str, language: str) -> None:
        self._talks = talks
        self._prompt = prompt
        self._company = company
        self._language = language

    async def read(self, piece: Piece) -> Sensed:
        """See `Sense`. What it says is a model's word, and what stands in it a stranger's."""
        picture = data_url(await asyncio.to_thread(packed, piece.data))
        border = mark()
        system = self._prompt.fill(company=self._company, language=self._language)
        asked = "The picture."
        if piece.caption:
            asked += " The customer wrote with it:\n" + wrap("message", piece.caption, border)
        ask = Ask(
            (
                Said("system", f"{system}\n\n{rule(border)}"),
                Said("user", asked, images=(picture,)),
            ),
            conversation=piece.conversation,
            purpose=_PURPOSE,
            tokens=self._prompt.tokens,
            schema=_SCHEMA,
            known=piece.known,
        )
        try:
            reply = await self._talks.ask(ask)
        except BudgetSpent as error:
            raise NoBudget(str(error)) from error
        except Refused as error:
            raise NothingInIt(str(error)) from error
        except LlmError as error:
            raise ModelDown(str(error)) from error
        return _sensed(reply.text, reply.model)

    async def close(self) -> None:
        """See `Sense`."""
        await self._talks.close()


def _sensed(text: str, model: str) -> Sensed:
    try:
        said = json.loads(text)
        shows, written = str(said["shows"]), visible(str(said["written"]), _WRITTEN)
        numbers = [str(number) for number in said["order_numbers"]]
        damage, sure = said["damage"] is True, said["sure"] is True
    except (ValueError, KeyError, TypeError) as error:
        raise ModelDown(f"{model} did not answer as it was asked to") from error
    shows = line(shows, _SHOWS)
    if orders(shows) or orders(written):
        # What stands in the picture has spoken to the model, and maybe through it.
        shows, sure, damage = "", False, False
    # A number is worth asking about only where the model has also read it somewhere.
    read = set(_NUMBER.findall(written))
    found = [n for number in numbers for n in _NUMBER.findall(number) if n in read]
    if not shows and not written:
        raise NothingInIt(f"{model} names nothing that it sees")
    return Sensed(
        kind="seen",
        words=shows,
        by=model,
        sure=sure,
        written=written,
        numbers=tuple(dict.fromkeys(found))[:_NUMBERS],
        damage=damage,
    )
