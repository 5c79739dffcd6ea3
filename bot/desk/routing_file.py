"""Reading ``data/routing.yml``; everything wrong in it is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.desk.hours_file import HoursCheck
from bot.desk.routing import Route, Routing, Within
from bot.perception.contract import PRIORITIES
from bot.perception.language import SUPPORTED
from bot.settings.nodes import Broken, Entry, Items, Origin, Scalar, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid, suggestion
from bot.settings.validate import kind_of
from bot.settings.yaml_lines import parse, read

ROUTING_FILE = Path("data/routing.yml")
#: The topic of a case made for a message that could not be delivered.
UNDELIVERED = "undelivered"
#: A text message of four segments.
LONGEST_TEXT = 600

_KEYS = (
    *("default", "hours", "slack_channels", "routes", "deadlines", "always", "remind"),
    *("idle", "rate", "after_close", "reopen_within", "undelivered", "frustrated", "texts"),
)
_STAGES = ("thread", "channel", "on_call")
#: The conditions of a route, and what one of them is called.
_CONDITIONS = {
    "topics": "topic",
    "languages": "language",
    "channels": "channel",
    "tiers": "tier",
    "priorities": "priority",
}
#: The texts, and what must stand in each of them.
_TEXTS = {
    "closed": ("opens",),
    "handed": (),
    "returned": (),
    "rating": (),
    "rated": (),
    "idle": (),
}
_OF_RATING = ("rating", "rated")
_LANGUAGE = re.compile(r"[a-z]{2}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SLACK_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
_SLACK_USER = re.compile(r"(slack:)?[UW][A-Z0-9]{2,20}")
_AGENT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PLACEHOLDER = re.compile(r"\{([^}]*)\}")
_LONGEST_DEADLINE = timedelta(days=31)
_LONGEST_WAIT = timedelta(days=366)


def load_routing(
    path: Path = ROUTING_FILE,
    *,
    topics: Iterable[str] | None = None,
    channels: Iterable[str] | None = None,
    agents: Iterable[str] | None = None,
) -> Routing:
    """Read the file.

    `topics` are all that cases may have beside `UNDELIVERED`, `channels` those of customers,
    `agents` the ids of those who have one; each is only checked where it is given. Raises
    SettingsInvalid with everything that is wrong, each with its line.
    """
    problems: list[Problem] = []
    top = read(path, str(path), problems)
    return _made(top, str(path), _Check(problems, topics, channels, agents))


def parse_routing(
    text: str,
    name: str = "routing.yml",
    *,
    topics: Iterable[str] | None = None,
    channels: Iterable[str] | None = None,
    agents: Iterable[str] | None = None,
) -> Routing:
    """Read the text of such a file; see `load_routing`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), name, _Check(problems, topics, channels, agents))


def _made(top: Table | None, name: str, check: _Check) -> Routing:
    if top is None:
        raise SettingsInvalid(check.problems)
    origin = Origin(name, top.origin.line)
    entries = top.entries
    check.keys(top, "", _KEYS)
    check.default = check.language(entries.get("default"), origin)
    hours = check.hours(entries.get("hours"), origin)
    check.aliases = check.slack_channels(entries.get("slack_channels"))
    routes = check.routes(entries.get("routes"), origin)
    within = check.deadlines(entries.get("deadlines"), origin)
    always = check.some_of(entries.get("always"), "always", PRIORITIES, "priority")
    remind = check.remind(entries.get("remind"), origin)
    idle = check.wait(entries.get("idle"), "idle", origin)
    rate = check.flag(entries.get("rate"), "rate", True)
    after_close: Any = check.choice(
        entries.get("after_close"), "after_close", ("bot", "reopen"), "bot"
    )
    reopen_within = check.wait(entries.get("reopen_within"), "reopen_within", origin)
    undelivered = check.flag(entries.get("undelivered"), "undelivered", True)
    frustrated = check.flag(entries.get("frustrated"), "frustrated", True)
    needed = [text for text in _TEXTS if rate or text not in _OF_RATING]
    texts = check.texts_by_name(entries.get("texts"), needed, origin)
    if check.problems or hours is None:
        raise SettingsInvalid(check.problems)
    return Routing(
        default=check.default,
        hours=hours,
        routes=routes,
        within=within,
        always=frozenset(always),
        remind=remind,
        idle=idle,
        rate=rate,
        after_close=after_close,
        reopen_within=reopen_within or timedelta(),
        undelivered=undelivered,
        frustrated=frustrated,
        texts=texts,
        aliases=check.aliases,
    )


class _Check(HoursCheck):
    """Reads the parts of the file one by one, and remembers what later ones refer to."""

    def __init__(
        self,
        problems: list[Problem],
        topics: Iterable[str] | None,
        channels: Iterable[str] | None,
        agents: Iterable[str] | None,
    ) -> None:
        super().__init__({}, problems)
        self.default = ""
        self.aliases: dict[str, str] = {}
        self._agents = None if agents is None else tuple(agents)
        self._known = {
            "topics": None if topics is None else (*topics, UNDELIVERED),
            "languages": tuple(sorted(SUPPORTED)),
            "channels": None if channels is None else tuple(channels),
            "tiers": None,
            "priorities": PRIORITIES,
        }

    def language(self, entry: Entry | None, top: Origin) -> str:
        """Return the language of those texts that a customer's own language lacks."""
        found = self.text(entry, "default", "")
        if _LANGUAGE.fullmatch(found) and found in SUPPORTED:
            return found
        what = f"default is {found!r}" if found else "there is no default"
        self.tell(entry.origin if entry else top, what, "should be a language, as in 'en'")
        return ""

    def slack_channels(self, entry: Entry | None) -> dict[str, str]:
        """Return the ids of Slack channels by the names that the file gives them."""
        made: dict[str, str] = {}
        right = "should be a mapping from names to ids, as in 'legal: C0123ABC'"
        table = self.mapping(entry, "slack_channels", right)
        for name, value in table.entries.items() if table else ():
            path = f"slack_channels.{name}"
            if not _NAME.fullmatch(name):
                right = "should be small letters, digits, '-' and '_'"
                self.tell(value.origin, "slack_channels has a key that is no name", right)
                continue
            id = self.text(value, path, "")
            if _SLACK_CHANNEL.fullmatch(id):
                made[name] = id
            elif isinstance(value.node, Scalar):
                what = f"{path} is {id!r}" if id else f"{path} is empty"
                right = "should be the id that Slack shows under 'About' of a channel: C0123ABC"
                self.tell(value.origin, what, right)
        return made

    def routes(self, entry: Entry | None, top: Origin) -> tuple[Route, ...]:
        """Return the routes, of which the last takes all."""
        if entry is None or is_null(entry.node):
            self.tell(entry.origin if entry else top, "there are no routes", "add '- name: desk'")
            return ()
        before = len(self.problems)
        made: dict[str, tuple[Route, Origin]] = {}
        for n, node in enumerate(self.items(entry, "routes", "routes")):
            path = f"routes[{n}]"
            if isinstance(node, Broken):
                return ()
            if not isinstance(node, Table):
                right = "should be a mapping, as in '- name: desk'"
                self.tell(node.origin, f"{path} is {kind_of(node)}", right)
                continue
            route = self.route(node, path)
            first = made.get(route.name)
            if first is not None:
                what = f"{path} has the name of the one in line {first[1].line}"
                self.tell(node.origin, what, "give each route a name of its own")
                continue
            hides = [(r.name, o) for r, o in made.values() if _takes_all_of(r, route)]
            if hides:
                name, where = hides[0]
                what = f"{path} can never match: {name} in line {where.line} takes all that it does"
                self.tell(node.origin, what, "put it above that one")
            made[route.name] = (route, node.origin)
        routes = tuple(route for route, _ in made.values())
        if len(self.problems) == before and not any(_takes_all_of(r, Route("")) for r in routes):
            what = "routes has none that takes what the others do not"
            self.tell(entry.origin, what, "add a last one without conditions: '- name: desk'")
        return routes

    def route(self, table: Table, path: str) -> Route:
        """Return one route."""
        entries = table.entries
        self.keys(table, path, ("name", *_CONDITIONS, "slack", "on_call"))
        name = self.text(entries.get("name"), f"{path}.name", "")
        if not _NAME.fullmatch(name):
            what = f"{path}.name is {name!r}" if name else f"{path} has no name"
            where = entries["name"].origin if "name" in entries else table.origin
            self.tell(where, what, "should be small letters, digits, '-' and '_'")
        conditions = {
            key: self.some_of(entries.get(key), f"{path}.{key}", self._known[key], what)
            for key, what in _CONDITIONS.items()
        }
        slack = self.text(entries.get("slack"), f"{path}.slack", "")
        if slack and slack not in self.aliases and not _SLACK_CHANNEL.fullmatch(slack):
            what = f"{path}.slack is {slack!r}, which is neither a channel's id nor a name"
            named = suggestion(slack, self.aliases) if self.aliases else "slack_channels has none"
            self.tell(entries["slack"].origin, what, named)
        on_call = self.listed(entries.get("on_call"), f"{path}.on_call")
        for n, (agent, where) in enumerate(on_call):
            known = self._agents is None or agent in self._agents
            if _SLACK_USER.fullmatch(agent) or (known and _AGENT.fullmatch(agent)):
                continue
            what = f"{path}.on_call[{n}] is {agent!r}, which is no agent"
            right = "should be a login of the console or a Slack user id, as in U0123ABC"
            self.tell(where, what, right)
        return Route(
            name,
            slack=self.aliases.get(slack, slack),
            on_call=tuple(agent for agent, _ in on_call),
            **conditions,
        )

    def some_of(
        self, entry: Entry | None, path: str, known: Iterable[str] | None, what: str
    ) -> tuple[str, ...]:
        """Return the texts of a list, each of which is one of `known`."""
        good: dict[str, None] = {}
        for n, (value, where) in enumerate(self.listed(entry, path)):
            if known is not None and value not in known:
                right = "should be two letters, as in 'en'"
                if what != "language":
                    right = suggestion(value, known)
                self.tell(where, f"{path}[{n}] is {value!r}, which is no {what}", right)
            elif value in good:
                self.tell(where, f"{path}[{n}] is {value!r}, which is there already", "take it out")
            good[value] = None
        if entry is not None and isinstance(entry.node, Items) and not entry.node.items:
            self.tell(entry.origin, f"{path} is an empty list", "leave it out")
        return tuple(good)

    def deadlines(self, entry: Entry | None, top: Origin) -> dict[str, Within]:
        """Return how soon to answer, by priority."""
        made: dict[str, Within] = {}
        table = self.needed(entry, "deadlines", top, "should have one line for each priority")
        if table is None:
            return made
        self.keys(table, "deadlines", PRIORITIES)
        for priority in PRIORITIES:
            path = f"deadlines.{priority}"
            right = "should be as in '{first: 15 min, next: 1 h}'"
            where = entry.origin if entry else top
            inner = self.needed(table.entries.get(priority), path, where, right)
            if inner is None:
                continue
            self.keys(inner, path, ("first", "next"))
            spans = [
                self.span(
                    inner.entries.get(key),
                    f"{path}.{key}",
                    inner.origin,
                    least=timedelta(seconds=1),
                    most=_LONGEST_DEADLINE,
                )
                for key in ("first", "next")
            ]
            made[priority] = Within(*spans)
        return made

    def remind(self, entry: Entry | None, top: Origin) -> tuple[timedelta, timedelta, timedelta]:
        """Return how long after a deadline each stage is reminded, later ones not earlier."""
        right = "should be as in '{thread: 0 min, channel: 15 min, on_call: 30 min}'"
        table = self.needed(entry, "remind", top, right)
        if table is None:
            return timedelta(), timedelta(), timedelta()
        self.keys(table, "remind", _STAGES)
        before = len(self.problems)
        spans = [
            self.span(
                table.entries.get(stage),
                f"remind.{stage}",
                table.origin,
                least=timedelta(),
                most=_LONGEST_DEADLINE,
            )
            for stage in _STAGES
        ]
        for n in (1, 2):
            if len(self.problems) == before and spans[n] < spans[n - 1]:
                what = f"remind.{_STAGES[n]} is sooner than remind.{_STAGES[n - 1]}"
                right = "should be at least as long"
                self.tell(table.entries[_STAGES[n]].origin, what, right)
        return spans[0], spans[1], spans[2]

    def wait(self, entry: Entry | None, path: str, top: Origin) -> timedelta | None:
        """Return a time, None for ``never``."""
        if entry is not None and isinstance(entry.node, Scalar) and entry.node.text == "never":
            return None
        least = timedelta(minutes=1)
        return self.span(entry, path, top, least=least, most=_LONGEST_WAIT, never=True)

    def texts_by_name(
        self, entry: Entry | None, needed: Iterable[str], top: Origin
    ) -> dict[str, Mapping[str, str]]:
        """Return what customers are told, by name and by language."""
        table = self.needed(entry, "texts", top, f"should be a mapping with {', '.join(_TEXTS)}")
        if table is None:
            return {}
        self.keys(table, "texts", tuple(_TEXTS))
        made: dict[str, Mapping[str, str]] = {}
        for name, placeholders in _TEXTS.items():
            path = f"texts.{name}"
            found = table.entries.get(name)
            if found is None and name not in needed:
                continue
            right = "should be a mapping by language, as in 'en: …'"
            inner = self.needed(found, path, table.origin, right)
            if inner is None:
                continue
            said = self.in_languages(inner, path, placeholders)
            if self.default and self.default not in inner.entries:
                what = f"{path} has no text in {self.default}, the default language"
                where = found.origin if found else table.origin
                self.tell(where, what, f"add '{self.default}: …' to it")
            made[name] = said
        return made

    def in_languages(
        self, table: Table, path: str, placeholders: tuple[str, ...]
    ) -> dict[str, str]:
        """Return a text by language."""
        made = {}
        for code, entry in table.entries.items():
            if not _LANGUAGE.fullmatch(code) or code not in SUPPORTED:
                right = "should be two letters, as in 'en'"
                self.tell(entry.origin, f"{path} has a key that is no language code", right)
                continue
            inside = f"{path}.{code}"
            said = self.text(entry, inside, "")
            if not said:
                if isinstance(entry.node, Scalar) and not entry.node.text:
                    self.tell(entry.origin, f"{inside} is empty", "say something or leave it out")
                continue
            if len(said) > LONGEST_TEXT:
                what = f"{inside} has more than {LONGEST_TEXT} characters"
                self.tell(entry.origin, what, "shorten it")
            met = set(_PLACEHOLDER.findall(said))
            if met - set(placeholders):
                there = " and ".join(f"{{{p}}}" for p in placeholders) or "none"
                what = f"{inside} has a placeholder that is not known"
                self.tell(entry.origin, what, f"there is {there}")
            for missing in sorted(set(placeholders) - met):
                what = f"{inside} does not say when somebody will be here"
                self.tell(entry.origin, what, f"put {{{missing}}} into it")
            made[code] = said
        return made


def _takes_all_of(earlier: Route, later: Route) -> bool:
    """Tell whether nothing that `later` would match ever comes to it."""

    def wider(all_of: tuple[str, ...], some: tuple[str, ...]) -> bool:
        return not all_of or (bool(some) and set(some) <= set(all_of))

    return all(wider(getattr(earlier, key), getattr(later, key)) for key in _CONDITIONS)
