"""What colleagues are called: those who only ever were in Slack, too."""

from __future__ import annotations

from bot.desk.people import People
from bot.store import AsyncStore
from bot.store.journal import Entry

_REMEMBERED = 1000


class Names:
    """Names of agents by their ids."""

    def __init__(self, store: AsyncStore, people: People) -> None:
        self._store = store
        self._people = people
        self._met: dict[str, str] = {}

    async def of(self, agent: str) -> str:
        """Return an agent's name, "" for no agent. Raises StoreDown."""
        if not agent:
            return ""
        known = self._people.by_id(agent).name
        if known != agent:
            return known
        if agent not in self._met:
            # Whoever has done anything here has told his name with it.
            last = await self._store.find(Entry, {"agent": agent}, sort=("-at",), limit=1)
            name = str(last[0].name or "") if last else ""
            if not name:
                return "A colleague" if agent.startswith("slack:") else agent
            if len(self._met) >= _REMEMBERED:
                self._met.clear()
            self._met[agent] = name
        return self._met[agent]
