"""Who sees to what, when, and by when: what ``data/routing.yml`` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Literal

from bot.desk.hours import Hours
from bot.desk.when import SAYS, in_words

__all__ = ["NORMAL", "Hours", "Route", "Routing", "Within"]

#: The priority of what has none, or one that the file does not know.
NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class Within:
    """How soon an agent must answer a customer for the first time, and after that."""

    first: timedelta
    next: timedelta


@dataclass(frozen=True, slots=True)
class Route:
    """Where cases go. Each of the conditions has the values that match, () matches all.

    `slack` is the Slack channel's id ("" for the account's own), `on_call` are agents' ids or
    Slack user ids who are called last.
    """

    name: str
    topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    slack: str = ""
    on_call: tuple[str, ...] = ()

    def matches(self, *, topic: str, language: str, channel: str, tier: str, priority: str) -> bool:
        """Tell whether it is for such a case."""
        wanted = (
            (self.topics, topic),
            (self.languages, language),
            (self.channels, channel),
            (self.tiers, tier),
            (self.priorities, priority),
        )
        return all(not values or value in values for values, value in wanted)


@dataclass(frozen=True, slots=True)
class Routing:
    """The whole file.

    `within` is by priority, those in `always` count round the clock, others in business hours.
    `remind` is how long after a deadline the thread, the channel and the on-call are reminded. A
    conversation without a word for `idle` is closed, None for never. `rate` says whether
    customers are asked. A message after a case was closed goes to the bot, or opens the case again
    when `after_close` is "reopen", for `reopen_within`; a handoff within that time opens the same
    case again either way. `undelivered` says whether a message that could not be delivered
    for good makes a case. `frustrated` says whether an angry customer is given to a person.
    `texts` are by name, then by language, see `says`. `aliases` are the names that the file gives
    to Slack channels; a `Route.slack` is an id already.
    """

    default: str
    hours: Hours
    routes: tuple[Route, ...]
    within: Mapping[str, Within]
    always: frozenset[str]
    remind: tuple[timedelta, timedelta, timedelta]
    idle: timedelta | None
    rate: bool
    after_close: Literal["bot", "reopen"]
    reopen_within: timedelta
    undelivered: bool
    frustrated: bool
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def route(
        self, *, topic: str, language: str, channel: str, tier: str = "", priority: str = ""
    ) -> Route:
        """Return the first route that matches; there is always one."""
        for route in self.routes:
            if route.matches(
                topic=topic, language=language, channel=channel, tier=tier, priority=priority
            ):
                return route
        # A file has a last route without conditions; what a test or a tool made may not.
        return Route("everything")

    def named(self, name: str) -> Route | None:
        """Return the route that a `Case.to` names, None when the file has it no longer."""
        return next((route for route in self.routes if route.name == name), None)

    def says(self, name: str, language: str, **fields: str) -> str:
        """Return a text in a language, or in the default one; "" when it is not there.

        The names: ``closed`` (nobody is here; {opens}), ``handed`` (an angry customer is passed
        on), ``returned`` (the bot is back), ``rating`` (asks for one), ``rated`` (thanks),
        ``idle`` (closed for nobody wrote).
        """
        by_language = self.texts.get(name, {})
        said = by_language.get(_short(language)) or by_language.get(self.default, "")
        for field_, value in fields.items():
            said = said.replace(f"{{{field_}}}", value)
        return said

    def is_open(self, at: datetime) -> bool:
        """Tell whether somebody is here at that moment."""
        return self.hours.is_open(at)

    def opens(self, at: datetime) -> datetime | None:
        """Return when somebody will next be here, `at` itself when now; None for never."""
        return self.hours.opens(at)

    def opens_in_words(self, at: datetime, language: str) -> str:
        """Return that moment as customers read it: "tomorrow at 09:00", "Monday at 09:00".

        It is in the language in which ``closed`` is said; "" for never. The time is that of the
        business's zone.
        """
        opens = self.opens(at)
        if opens is None:
            return ""
        zone, said = self.hours.zone, self.texts.get("closed", {})
        own = _short(language)
        spoken = own if own in (said or SAYS) else self.default
        return in_words(opens.astimezone(zone), at.astimezone(zone), spoken)

    def due(self, since: datetime, priority: str, *, first: bool) -> datetime:
        """Return by when a customer who wrote at `since` is to be answered."""
        within = self.within.get(priority) or self.within[NORMAL]
        return self.later(since, within.first if first else within.next, priority)

    def later(self, at: datetime, span: timedelta, priority: str) -> datetime:
        """Return the moment that is `span` later, as time counts for a priority; in UTC."""
        if priority in self.always:
            return at.astimezone(timezone.utc) + span
        return self.hours.after(at, span)


def _short(language: str) -> str:
    """Return ``pt`` of ``pt-BR``."""
    return language.replace("_", "-").partition("-")[0].lower()
