"""Agents of a running instance: in the sandbox's Slack, and on the console."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.desk.slack import ids
from bot.sandbox import credentials
from tests.kit.customers import Control, Customer
from tests.kit.instance import Instance

Json = dict[str, Any]

SUPPORT = "C0DESK"
ANNA, BEN, CARA = "U0ANNA", "U0BEN", "U0CARA"
#: Seconds an agent waits for something before the test fails.
PATIENCE = 60.0


@dataclass(frozen=True)
class Thread:
    """A thread in Slack; `ts` is its card's."""

    channel: str
    ts: str


def words(message: Json) -> str:
    """All that a message of the sandbox's Slack shows, without what its buttons hold."""
    shown: list[str] = [str(message["text"])]

    def read(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "text" and isinstance(inner, str):
                    shown.append(inner)
                elif key not in ("value", "block_id", "action_id"):
                    read(inner)
        elif isinstance(value, list):
            for inner in value:
                read(inner)

    read(message["blocks"])
    # What is shown literally has signs between its marks that nobody sees.
    return "\n".join(shown).replace("\u200b", "").replace("\u2060", "")


async def eventually(true: Callable[[], Any], *, timeout: float = PATIENCE) -> Any:
    """Like `tests.kit.waiting.until`, for what is costly to look at."""
    end = time.monotonic() + timeout
    while True:
        found = true()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, f"did not become true in {timeout:g} s"
        await asyncio.sleep(0.05)


class SlackAgent:
    """A person in the sandbox's Slack, by its control API."""

    def __init__(self, http: aiohttp.ClientSession, sandbox_url: str, id: str) -> None:
        self.id = id
        self._http = http
        self._url = f"{sandbox_url}/control/slack"
        self._control = Control(http, sandbox_url)

    # What there is to see.

    async def state(self) -> Json:
        """All of the workspace."""
        async with self._http.get(f"{self._url}/state") as answer:
            found: Json = await answer.json()
            return found

    async def messages(self) -> list[Json]:
        """Every message this agent can see, in order."""
        found: list[Json] = (await self.state())["messages"]
        return [m for m in found if not m["deleted"] and m["ephemeral_for"] in (None, "", self.id)]

    async def cards(self, customer: Customer | str) -> list[Json]:
        """The cards of a customer's conversation, the oldest first."""
        key = customer if isinstance(customer, str) else customer.conversation
        return [
            m
            for m in await self.messages()
            if not m["thread_ts"]
            and m["bot"]
            and not m["ephemeral_for"]
            and json.dumps(key) in json.dumps(m["blocks"]).replace('"desk:', '"')
        ]

    async def card(self, customer: Customer | str, *, after: Sequence[Thread] = ()) -> Thread:
        """Wait for the card of a customer's conversation, for another than those `after`."""
        known = {thread.ts for thread in after}

        async def there() -> Thread | None:
            found = [c for c in await self.cards(customer) if c["ts"] not in known]
            return Thread(found[-1]["channel"], found[-1]["ts"]) if found else None

        made: Thread = await eventually(there, timeout=PATIENCE)
        return made

    async def thread(self, thread: Thread) -> list[Json]:
        """What this agent sees in a thread, the card first."""
        return [
            m
            for m in await self.messages()
            if m["channel"] == thread.channel and thread.ts in (m["ts"], m["thread_ts"])
        ]

    async def sees(self, thread: Thread, text: str) -> Json:
        """Wait until a message in a thread shows `text`, and return the newest of them."""
        return await self._find(text, lambda: self.thread(thread))

    async def told(self, text: str) -> Json:
        """Wait until this agent alone is told `text`, and return that message."""

        async def mine() -> list[Json]:
            return [m for m in await self.messages() if m["ephemeral_for"] == self.id]

        return await self._find(text, mine)

    async def _find(self, text: str, look: Callable[[], Any]) -> Json:
        async def there() -> Json | None:
            return next((m for m in reversed(await look()) if text in words(m)), None)

        try:
            found: Json = await eventually(there, timeout=PATIENCE)
        except AssertionError:
            shown = [words(m)[:200] for m in await look()]
            raise AssertionError(f"{self.id} does not see {text!r} among {shown}") from None
        return found

    async def marks(self, thread: Thread, ts: str) -> set[str]:
        """The names of the reactions on a message."""
        found = [m for m in await self.thread(thread) if m["ts"] == ts]
        return {r["name"] for m in found for r in m["reactions"]}

    async def marked(self, thread: Thread, ts: str, *names: str) -> None:
        """Wait until a message has these reactions."""

        async def there() -> bool:
            return set(names) <= await self.marks(thread, ts)

        await eventually(there, timeout=PATIENCE)

    # What there is to do.

    async def do(self, deed: str, **what: Any) -> Json:
        """Do something of the control API in this agent's name."""
        return await self._control.post(f"slack/{deed}", {"agent": self.id, **what})

    async def press(self, thread: Thread, action_id: str, **more: Any) -> None:
        """Press a button of the card, or of another message with its `ts`."""
        where = {"channel": thread.channel, "ts": thread.ts, "action_id": action_id}
        await self.do("press", **{**where, **more})

    async def take(self, thread: Thread) -> None:
        """Take the conversation over, and wait until the card says so."""
        await self.press(thread, ids.TAKE)
        await self.sees(thread, "has the conversation")

    async def write(
        self, thread: Thread, text: str, *, files: Sequence[str] = (), copies: int = 1
    ) -> str:
        """Write into a thread; return the message's ts."""
        where = {"channel": thread.channel, "thread_ts": thread.ts}
        said = await self.do("message", **where, text=text, files=list(files), copies=copies)
        return str(said["ts"])

    async def note(self, thread: Thread, text: str) -> str:
        """Write what no customer sees."""
        return await self.write(thread, f"// {text}")

    async def edit(self, thread: Thread, ts: str, text: str) -> None:
        """Change a message of one's own."""
        await self.do("edit", channel=thread.channel, ts=ts, text=text)

    async def delete(self, thread: Thread, ts: str) -> None:
        """Delete a message."""
        await self.do("delete", channel=thread.channel, ts=ts)

    async def attach(self, data: bytes, name: str) -> str:
        """Upload a file; return its id, for `write`."""
        async with self._http.post(
            f"{self._url}/files",
            params={"name": name},
            data=data,
            headers={"Content-Type": "application/octet-stream"},
        ) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["id"])

    async def command(self, text: str, command: str = "/takeover") -> None:
        """Give a slash command in the desk's channel."""
        await self.do("command", channel=SUPPORT, command=command, text=text)

    async def modal(self, title: str) -> Json:
        """Wait for a form of this agent's."""

        async def there() -> Json | None:
            return next(
                (
                    m
                    for m in reversed((await self.state())["modals"])
                    if m["agent"] == self.id and m["view"]["title"]["text"] == title
                ),
                None,
            )

        found: Json = await eventually(there, timeout=PATIENCE)
        return found

    async def submit(self, modal: Json, **given: Any) -> None:
        """Send a form: `given` by block, all else as it stands there."""
        values: dict[str, Json] = {}
        for block in modal["view"]["blocks"]:
            if block["type"] != "input":
                continue
            element = block["element"]
            begun: Any = element.get("initial_value", "")
            if "options" in element:
                begun = [one["value"] for one in element.get("initial_options", [])]
            value = given.pop(block["block_id"], begun)
            values[block["block_id"]] = {element["action_id"]: value}
        assert not given, f"the form has no {sorted(given)}"
        said = await self.do("submit", view_id=modal["view_id"], values=values)
        assert not said["errors"], said

    async def resolve(self, thread: Thread, resolution: str) -> None:
        """Resolve the case by its form."""
        await self.press(thread, ids.RESOLVE)
        await self.submit(await self.modal("Resolve"), text=resolution)


class ConsoleAgent:
    """A person who is logged in to the console, by its API."""

    def __init__(self, session: aiohttp.ClientSession, gateway_url: str) -> None:
        self._session = session
        self._url = f"{gateway_url}/console"
        self._headers = {"Origin": gateway_url}

    async def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """Post JSON; AssertionError when it is refused."""
        async with self._session.post(
            f"{self._url}{path}", json=dict(body), headers=self._headers
        ) as answer:
            said: Json = await answer.json()
            assert answer.status in (200, 202), said
            return said

    async def see(self, customer: Customer) -> Json:
        """A customer's conversation as the page gets it."""
        return await self.see_key(customer.conversation)

    async def see_key(self, conversation: str) -> Json:
        """Do as `see`, by the conversation's id."""
        query = {"id": conversation}
        async with self._session.get(f"{self._url}/api/conversation", params=query) as answer:
            found: Json = await answer.json()
            assert answer.status == 200, found
            return found

    async def sees(self, customer: Customer, text: str) -> Json:
        """Wait until a line of a conversation holds `text`, and return it."""

        async def there() -> Json | None:
            lines: list[Json] = (await self.see(customer))["lines"]
            return next((line for line in reversed(lines) if text in line["text"]), None)

        found: Json = await eventually(there, timeout=PATIENCE)
        return found

    async def deed(self, kind: str, customer: Customer, **what: Any) -> Json:
        """Have a deed done; return its result."""
        asked = {"id": str(uuid.uuid4()), "kind": kind, "conversation": customer.conversation}
        told = await self.post("/api/deed", {**asked, **what})
        assert told["status"] != "pending", told
        result: Json = told["result"]
        return result


def login(instance: Instance, account: str) -> tuple[str, str]:
    """Return the account and the password of one of the sandbox's logins."""
    logins = credentials.load(instance.var / "sandbox" / "credentials.yml")["console"]
    return account, next(str(one["password"]) for one in logins if one["account"] == account)


@asynccontextmanager
async def at_console(instance: Instance, account: str) -> AsyncIterator[ConsoleAgent]:
    """A browser of its own, logged in to the console of an instance."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        agent = ConsoleAgent(session, instance.gateway_url)
        name, password = login(instance, account)
        await agent.post("/login", {"account": name, "password": password})
        yield agent


async def files_of(
    agent: SlackAgent, thread: Thread, instance: Instance, conversation: str
) -> list[str]:
    """Return of what kinds a customer's files are that agents have, in order of the alphabet.

    AssertionError where they have not the same in Slack and on the console.
    """
    async with at_console(instance, "anna") as console:

        async def fetched() -> list[Json]:
            lines = (await console.see_key(conversation))["lines"]
            files: list[Json] = [file for line in lines for file in line["files"]]
            return files if all(file["url"].startswith("/media/") for file in files) else []

        files: list[Json] = await eventually(fetched)
    kinds = sorted(file["mime"].partition("/")[0] for file in files)

    async def shown() -> bool:
        there = [file for message in await agent.thread(thread) for file in message["files"]]
        return sorted(one["mimetype"].partition("/")[0] for one in there) == kinds

    await eventually(shown)
    return kinds
