"""Who the agents are: one person is one agent, in Slack and in the console."""

from __future__ import annotations

from collections.abc import Sequence

from bot.desk.contract import Person
from bot.settings import ConsoleAccount

_SLACK = "slack:"


class People:
    """The agents that ``credentials.yml`` names, and whoever else writes in Slack."""

    def __init__(self, accounts: Sequence[ConsoleAccount] = ()) -> None:
        self._known = {a.account: Person(a.account, a.name or a.account, a.slack) for a in accounts}
        self._of_slack = {person.slack: person for person in self._known.values() if person.slack}

    def all(self) -> list[Person]:
        """Return those that are named, in order."""
        return list(self._known.values())

    def by_id(self, id: str, name: str = "") -> Person:
        """Return the agent with an id; `name` is his own word for himself, if he is not named."""
        found = self._known.get(id)
        if found is not None:
            return found
        return Person(id, name or id, id.removeprefix(_SLACK) if id.startswith(_SLACK) else "")

    def by_slack(self, user: str, name: str = "") -> Person:
        """Return the agent who is `user` in Slack, where he calls himself `name`."""
        found = self._of_slack.get(user)
        return found if found is not None else Person(f"{_SLACK}{user}", name or "Agent", user)
