"""The console's routes: the page, the login, and the API that the page uses."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from aiohttp import web

from bot.console.designers import Designers, Handler
from bot.console.detail import Details
from bot.console.guard import (
    HEADERS,
    Refused,
    answer,
    body_of,
    check_origin,
    json_of,
    peer,
)
from bot.console.lists import VIEWS, Lists, overview
from bot.console.names import Names
from bot.console.pages import Pages
from bot.console.session import COOKIE, LIFETIME, Sessions
from bot.console.streams import Streams
from bot.console.tries import Tries
from bot.console.wishes import Wishes, told
from bot.desk.assist.canned import Canned
from bot.desk.console_files import ConsoleFiles
from bot.desk.contract import Person
from bot.desk.people import People
from bot.desk.routing import Routing
from bot.desk.templates import Approved
from bot.media.seal import Seal
from bot.message import clean
from bot.settings import Settings
from bot.store import AsyncStore, StoreDown
from bot.store.deeds import PENDING
from connectors.errors import NoFile

log = logging.getLogger(__name__)

PAGE = Path(__file__).with_name("page")
_MOST_KNOWN = 1000
_NOBODY = (
    "There is no console: nobody may log in. Add an account to credentials.yml and start again:\n"
    "\n"
    "console:\n"
    "  - account: anna\n"
    "    name: Anna Keller\n"
    "    password: ${ANNA_PASSWORD}\n"
)
# Per address a guess soon costs minutes. Per account less: whoever guesses from many
# addresses is slowed down, but cannot keep the agent out for long.
_ADDRESS_FREE, _ADDRESS_LONGEST = 5, 300.0
_ACCOUNT_FREE, _ACCOUNT_LONGEST = 10, 10.0
_ID = 1000
_FILE_SECONDS = 300.0
_WRONG = "The account or the password is wrong."


class Console:
    """The desk on a web page.

    `ring` wakes the workers (topic "desk"); `changed` is to be called when they ring back.
    `files` keeps what agents attach. `canned` and `templates` are what the page offers of
    ``data/canned.yml`` and ``data/templates.yml``, `root` the folder that designers work in.
    """

    def __init__(
        self,
        store: AsyncStore,
        settings: Settings,
        people: People,
        routing: Routing,
        ring: Callable[[str], None],
        seal: Seal,
        *,
        files: ConsoleFiles,
        canned: Mapping[str, Canned] | None = None,
        templates: Sequence[Approved] = (),
        root: Path = Path(),
    ) -> None:
        self._store = store
        self._people = people
        self._routing = routing
        self._url = settings.server.public_url
        self._accounts = settings.console
        self._sessions = Sessions(settings.console, seal)
        # From where who has logged in lately.
        self._known: dict[tuple[str, str], None] = {}
        self._files = files
        self._offers = {
            "canned": [
                {"key": reply.key, "title": reply.title, "text": reply.text("")}
                for reply in (canned or {}).values()
            ],
            "templates": [asdict(template) for template in templates],
        }
        base = self._url or f"http://{settings.server.host}:{settings.server.port}"
        names = Names(store, people)
        self._lists = Lists(store, names, routing)
        self._details = Details(store, names, routing, seal, base)
        self._designers = Designers(store, root)
        self._wishes = Wishes(store, self._files, ring)
        self._streams = Streams(store, self._details)
        self._addresses = Tries(_ADDRESS_FREE, _ADDRESS_LONGEST)
        self._logins = Tries(_ACCOUNT_FREE, _ACCOUNT_LONGEST)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return what the gateway serves."""
        if not self._accounts:
            return [web.get("/console", _nobody), web.get("/console/{rest:.*}", _nobody)]
        page = Pages(PAGE)
        api = "/console/api"
        routes: list[web.AbstractRouteDef] = [
            web.get("/console", partial(page.get, "index.html")),
            web.get("/console/", partial(page.get, "index.html")),
            web.get("/console/designers", partial(page.get, "designers.html")),
            web.get("/console/page/{name}", page.named),
            web.post("/console/login", self._plainly(self._log_in)),
            web.post("/console/logout", self._plainly(self._log_out)),
            web.get(f"{api}/events", self._guarded(self._events)),
        ]
        for name, looks in {
            "me": self._me,
            "inbox": self._inbox,
            "conversation": self._conversation,
            "deed": self._result,
            **self._designers.reads(),
        }.items():
            routes.append(web.get(f"{api}/{name}", self._guarded(looks)))
        changes = {"deed": self._deed, "file": self._file, **self._designers.changes()}
        for name, does in changes.items():
            routes.append(web.post(f"{api}/{name}", self._guarded(does, changes=True)))
        return routes

    async def changed(self) -> None:
        """Have waiting requests and event streams look at once: a bell has rung."""
        self._wishes.changed()
        self._streams.changed()

    async def close(self) -> None:
        """End the event streams; at the gateway's shutdown."""
        self._streams.close()

    def _plainly(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Answer what is refused, and a store that is down, in JSON."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as error:
                return answer({"error": str(error)}, error.status, error.headers)
            except StoreDown as error:
                log.error("the console: the store is down: %s", error)
                retry = {"Retry-After": "1"}
                return answer({"error": "The store does not answer, try again."}, 503, retry)

        return handle

    def _guarded(
        self, handler: Handler, *, changes: bool = False
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Let only who is logged in, and only our own page, get to a handler."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if changes:
                check_origin(request, self._url)
            person = self._sessions.who(request.cookies.get(COOKIE, ""))
            if person is None:
                raise Refused(401, "log in first")
            return await handler(request, person)

        return self._plainly(handle)

    async def _log_in(self, request: web.Request) -> web.Response:
        check_origin(request, self._url)
        asked = await json_of(request)
        account, password = asked.get("account"), asked.get("password")
        if not isinstance(account, str) or not isinstance(password, str):
            raise Refused(400, "account and password should be texts")
        address, login = peer(request), clean(account)[:100]
        # Who guesses an account's password from elsewhere must not keep its owner out.
        known = (login, address) in self._known
        pause = max(self._addresses.wait(address), 0.0 if known else self._logins.wait(login))
        if pause > 0:
            seconds = math.ceil(pause)
            raise Refused(
                429,
                f"Too many wrong passwords. Try again in {seconds} s.",
                {"Retry-After": str(seconds)},
            )
        for tries, key in ((self._addresses, address), (self._logins, login)):
            tries.failed(key)
        person = self._sessions.proven(login, clean(password))
        if person is None:
            log.warning("the console refused a login from %s", address)
            raise Refused(401, _WRONG)
        self._addresses.succeeded(address)
        self._logins.succeeded(login)
        self._known[login, address] = None
        while len(self._known) > _MOST_KNOWN:
            self._known.pop(next(iter(self._known)))
        response = answer({"account": person.id, "name": person.name})
        response.set_cookie(
            COOKIE,
            self._sessions.begin(person),
            path="/console",
            max_age=LIFETIME,
            httponly=True,
            samesite="Strict",
            secure=self._url.startswith("https:"),
        )
        return response

    async def _log_out(self, request: web.Request) -> web.Response:
        check_origin(request, self._url)
        await json_of(request)
        self._sessions.end(request.cookies.get(COOKIE, ""))
        response = answer({})
        response.del_cookie(COOKIE, path="/console", httponly=True, samesite="Strict")
        return response

    async def _me(self, request: web.Request, person: Person) -> web.Response:
        seen = await overview(self._store)
        return answer(
            {
                "account": person.id,
                "name": person.name,
                "people": [{"id": p.id, "name": p.name} for p in self._people.all()],
                "rate": self._routing.rate,
                "most_bytes": self._files.most,
                "counts": seen.counts(person.id),
                **self._offers,
            }
        )

    async def _inbox(self, request: web.Request, person: Person) -> web.Response:
        view = request.query.get("view", "waiting")
        for known in VIEWS:
            if view == known:
                return answer(await self._lists.read(known, person.id))
        raise Refused(400, f"view: should be one of {', '.join(VIEWS)}")

    async def _conversation(self, request: web.Request, person: Person) -> web.Response:
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= 16):
            raise Refused(400, "after: should be microseconds since 1970")
        found = await self._details.read(_id(request, "id"), int(after))
        if found is None:
            raise Refused(404, "there is no such conversation")
        return answer(found)

    async def _deed(self, request: web.Request, person: Person) -> web.Response:
        deed = await self._wishes.wish(person, await json_of(request))
        return answer(told(deed), 202 if deed.status == PENDING else 200)

    async def _result(self, request: web.Request, person: Person) -> web.Response:
        deed = await self._wishes.result(person, _id(request, "id"))
        return answer(told(deed), 202 if deed.status == PENDING else 200)

    async def _file(self, request: web.Request, person: Person) -> web.Response:
        # No form of another site's can send this type. Not `content_type`, which says so too
        # where the header is missing, as in what any page may send.
        if request.headers.get("Content-Type", "") != "application/octet-stream":
            raise Refused(415, "the body should be application/octet-stream")
        data = await body_of(request, self._files.most, _FILE_SECONDS)
        try:
            kept = await self._files.keep(person.id, data, clean(request.query.get("name", "")))
        except NoFile as error:
            raise Refused(422, f"This file cannot be sent: {error}") from None
        return answer(kept)

    async def _events(self, request: web.Request, person: Person) -> web.StreamResponse:
        if self._streams.is_full(person.id):
            raise Refused(429, "too many pages are open", {"Retry-After": "30"})
        response = web.StreamResponse(
            headers={**HEADERS, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        response.content_type = "text/event-stream"
        await response.prepare(request)
        conversation = clean(request.query.get("conversation", ""))[:_ID]
        token = request.cookies.get(COOKIE, "")
        try:
            async with contextlib.aclosing(self._streams.events(person.id, conversation)) as events:
                async for event in events:
                    if self._sessions.who(token) is None:
                        break
                    await response.write(event)
        except ConnectionError:
            log.debug("a page of the console is gone")
        return response


async def _nobody(request: web.Request) -> web.Response:
    return web.Response(status=404, text=_NOBODY, headers=HEADERS)


def _id(request: web.Request, name: str) -> str:
    value = clean(request.query.get(name, ""))
    if not value or len(value) > _ID:
        raise Refused(400, f"{name}: say which one")
    return value
