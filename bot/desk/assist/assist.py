"""The help that agents get, see `bot.desk.contract.Helps`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.desk.assist.acting import act, suggest
from bot.desk.assist.canned import Canned, fill
from bot.desk.assist.desk_file import DeskAction
from bot.desk.assist.drafting import Answers, draft
from bot.desk.assist.orders import orders_in
from bot.desk.assist.reading import Reading, read
from bot.desk.assist.running import Runs
from bot.desk.assist.similar import alike
from bot.desk.contract import Done
from bot.desk.people import People
from bot.store import AsyncStore
from bot.store.deeds import Deed

#: How channels are called by those who make them.
_CHANNELS = {
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "messenger": "Messenger",
    "sms": "SMS",
    "webchat": "our web chat",
}


class Assist:
    """Drafts, similar cases, actions and canned replies.

    `runs` runs the custom actions; `canned` and `actions` are the files, read. `company`
    is its name, "" when nobody has said it.
    """

    def __init__(
        self,
        store: AsyncStore,
        *,
        answering: Answers,
        runs: Runs,
        people: People,
        canned: Mapping[str, Canned],
        actions: Mapping[str, DeskAction],
        company: str = "",
    ) -> None:
        self._store = store
        self._answering = answering
        self._runs = runs
        self._people = people
        self._canned = canned
        self._actions = actions
        self._company = company

    async def draft(self, deed: Deed) -> Done:
        """See `bot.desk.assist.drafting.draft`."""
        return await draft(self._store, self._answering, deed)

    async def similar(self, deed: Deed) -> Done:
        """Find resolved cases like the open one. Raises StoreError."""
        found = await alike(self._store, await read(self._store, deed.conversation))
        cases = [
            {
                "id": str(one.case.id),
                "summary": str(one.case.summary),
                "resolution": str(one.case.resolution),
                "topic": str(one.case.topic),
                "resolved": one.case.resolved.isoformat() if one.case.resolved else "",
                "agent": self._named(str(one.case.agent)),
            }
            for one in found
        ]
        if not cases:
            return Done(True, "No resolved case is like this one.", {"cases": []})
        much = "1 resolved case is" if len(cases) == 1 else f"{len(cases)} resolved cases are"
        return Done(True, f"{much} like this one.", {"cases": cases})

    async def suggest(self, deed: Deed) -> Done:
        """See `bot.desk.assist.acting.suggest`."""
        return await suggest(self._store, self._actions, deed)

    async def act(self, deed: Deed) -> Done:
        """See `bot.desk.assist.acting.act`."""
        return await act(self._store, self._actions, self._runs, deed)

    async def canned(self, deed: Deed) -> Done:
        """Fill a canned reply; what is not known is a gap, and told. Raises StoreError."""
        reply = self._canned.get(str((deed.args or {}).get("key") or ""))
        if reply is None:
            known = ", ".join(self._canned)
            return Done(False, f"There is no such canned reply; known: {known}.")
        reading = await read(self._store, deed.conversation)
        text = reply.text(reading.language)
        filled, missing = fill(text, await self._fields(reading, deed))
        said = f"Fill in the gaps: {', '.join(missing)}." if missing else f"{reply.title}."
        data = {"text": filled, "missing": missing, "key": reply.key, "title": reply.title}
        return Done(True, said, data)

    def close(self) -> None:
        """Let go of the threads that run actions. Closing twice is no error."""
        self._runs.close()

    async def _fields(self, reading: Reading, deed: Deed) -> dict[str, str]:
        orders = await orders_in(reading.texts)
        return {
            "name": reading.name,
            "first_name": reading.name.partition(" ")[0],
            # Of several one would be guessed.
            "order_number": orders[0].number if len(orders) == 1 else "",
            "agent": self._people.by_id(deed.agent, deed.name or "").name,
            "company": self._company,
            "channel": _CHANNELS.get(reading.channel, reading.channel),
        }

    def _named(self, agent: str) -> str:
        return self._people.by_id(agent).name if agent else ""
