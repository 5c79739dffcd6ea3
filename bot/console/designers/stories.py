"""The page of stories and rules: pictures of them, what is told of a thing, and the search."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from bot.console.guard import Refused, answer
from bot.desk.contract import Person
from bot.insight.about import FOLLOWED, about
from bot.insight.cards import counts, svg_of, svg_of_topics
from bot.insight.designed import Designed, Designs
from bot.insight.searching import search
from bot.insight.topics import topics_of
from bot.insight.views import Unknown, view

if TYPE_CHECKING:
    from bot.console.designers.pages import Handler

_MOST_BROKEN = 20
_LONGEST = 500
_MISSING = (
    "There are no stories, rules or domain in the folder that this gateway was started in. "
    "Start it where domain.yml and data/ are."
)
T = TypeVar("T")


class Stories:
    """Reads the project below `root`; a changed file is seen at the next request."""

    def __init__(self, root: Path) -> None:
        self._designs = Designs(root)

    def reads(self) -> Mapping[str, Handler]:
        """Return a picture, what is told of a thing, and what is found."""
        return {
            "stories": self._picture,
            "stories/about": self._about,
            "stories/search": self._find,
        }

    def changes(self) -> Mapping[str, Handler]:
        """Return nothing: one only looks here."""
        return {}

    async def _picture(self, request: web.Request, person: Person) -> web.Response:
        show = _asked(request, "show", empty=True)
        return answer(await self._told(lambda designed: _shown(designed, show)))

    async def _about(self, request: web.Request, person: Person) -> web.Response:
        kind, _, name = _asked(request, "of").partition(":")

        def tell(designed: Designed) -> dict[str, Any]:
            follow = f"{kind}:{name}" if kind in FOLLOWED else ""
            return {**asdict(about(designed, kind, name)), "show": follow}

        return answer(await self._told(tell))

    async def _find(self, request: web.Request, person: Person) -> web.Response:
        words = _asked(request, "q", empty=True)
        return answer(
            await self._told(
                lambda designed: {"found": [asdict(hit) for hit in search(designed, words)]}
            )
        )

    async def _told(self, tell: Callable[[Designed], T]) -> T:
        """Read the files and tell of them in a thread: both take longer than others may wait."""

        def work() -> T:
            return tell(self._designs.read())

        try:
            return await asyncio.to_thread(work)
        except Unknown as error:
            raise Refused(404, str(error)) from None


def _asked(request: web.Request, name: str, *, empty: bool = False) -> str:
    value = request.query.get(name, "")
    if len(value) > _LONGEST or not (value or empty):
        raise Refused(400, f"{name}: should be one to {_LONGEST} characters")
    return value


def _shown(designed: Designed, show: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "show": show,
        "missing": _MISSING if designed.missing else "",
        "broken": [
            {
                "at": f"{one.file}:{one.line}" if one.line else one.file,
                "what": one.what,
                "right": one.right,
            }
            for one in designed.broken[:_MOST_BROKEN]
        ],
        "more_broken": max(0, len(designed.broken) - _MOST_BROKEN),
        "notes": [],
    }
    if designed.missing:
        return found
    topics = topics_of(designed)
    if not show:
        found["svg"] = svg_of_topics(topics)
        found["topics"] = [
            {
                "name": one.name,
                "about": one.about,
                "counts": counts(one),
                "forms": one.forms,
                "leads": sorted(one.leads),
                "comes": sorted(n for n, other in topics.items() if one.name in other.leads),
            }
            for one in topics.values()
        ]
        return found
    kind, _, name = show.partition(":")
    picture = view(designed, kind, name)
    found["kind"], found["name"] = kind, name
    found["notes"] = picture.notes
    found["svg"] = svg_of(picture, designed, show, f"What leads where: {kind} {name}")
    if kind == "topic":
        one = topics[name]
        found["about"] = one.about
        found["told"] = [
            {"kind": told.kind, "name": told.name, "at": f"{told.at.file}:{told.at.line}"}
            for told in (designed.told[n] for n in one.told)
        ]
    return found
