"""A channel and a brain that do as they are told.

`Provider` stands for the company behind the channel: it keeps what it took, and a
script tells what becomes of each request to it. `Line` is a connector to it, with the
same contract as the real ones. Several `Line`s may share a provider, as processes do.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.dialogue.contract import Failure, Outcome
from bot.message import Choice, Inbound, Outbound, Receipt, Text, decode
from connectors.base import Arrived, Capabilities, Connector, Request, Response
from connectors.errors import BadSignature, Rejected, RetryLater, Unreadable, Unsure

CAN = Capabilities(
    kinds_in=frozenset({"text", "choice"}),
    kinds_out=frozenset({"text", "choices", "media"}),
    text_limit=200,
    text_unit="characters",
    caption_limit=50,
    buttons=3,
    button_title=20,
    payload_limit=64,
    rate=10_000.0,
    grace=0.01,
)
SECRET = "line-secret"


@dataclass(frozen=True)
class Take:
    """Take the message and say so."""


@dataclass(frozen=True)
class Later:
    """Do not take it; come again after so many seconds."""

    after: float | None = None


@dataclass(frozen=True)
class Lose:
    """Break the connection, before or after the message was `taken`."""

    taken: bool


@dataclass(frozen=True)
class Refuse:
    """Refuse it for good."""

    error: Rejected = field(default_factory=lambda: Rejected("no such recipient", "404"))


@dataclass(frozen=True)
class Hang:
    """Never answer, with the message `taken` or not."""

    taken: bool = False


@dataclass(frozen=True)
class Break:
    """Meet a bug in the connector, after the message was `taken` or not."""

    taken: bool = False


Step = Take | Later | Lose | Refuse | Hang | Break


class Provider:
    """What was `taken`, in order; `attempts` is every request. The script is used up, then `Take`.

    `on_send` is awaited at each request before it is answered. Without `confirms` it
    cannot tell what it took; `confirming` is a script of errors for the asking.
    """

    def __init__(self, *script: Step, confirms: bool = True) -> None:
        self.script = list(script)
        self.confirms = confirms
        self.confirming: list[Exception] = []
        self.taken: list[Outbound] = []
        self.attempts: list[str] = []
        self.asked: list[tuple[str, list[str]]] = []
        self.on_send: Callable[[Outbound], Awaitable[None]] | None = None

    def said(self, user: str = "ann") -> list[str]:
        """The words that reached `user`, in order."""
        mine = [o.content for o in self.taken if o.address.user == user]
        return [getattr(c, "text", "") for c in mine]

    def take(self, outbound: Outbound) -> str:
        self.taken.append(outbound)
        return f"p{len(self.taken)}"

    def number(self, id: str) -> str | None:
        """The provider's id of the first message it took with our id."""
        found = [n for n, o in enumerate(self.taken, 1) if o.id == id]
        return f"p{found[0]}" if found else None


class Line(Connector):
    """The channel ``line``: a JSON webhook with a shared secret in a header."""

    channel = "line"
    capabilities = CAN

    @dataclass(frozen=True)
    class Account:
        account: str = "shop"
        secret: str = field(default=SECRET, metadata={"secret": True})
        api_url: str = ""

    def __init__(
        self,
        provider: Provider | None = None,
        *,
        account: str = "shop",
        can: Capabilities = CAN,
        **changes: Any,
    ) -> None:
        super().__init__(self.Account(account))
        self.provider = provider or Provider()
        self.capabilities = replace(can, **changes)  # type: ignore[misc]
        self.closed = False

    async def handshake(self, request: Request) -> Response:
        if request.query.get("secret") != SECRET:
            raise BadSignature("wrong secret")
        return Response(body=request.query.get("challenge", ""))

    async def receive(self, request: Request) -> list[Arrived]:
        if request.headers.get("x-line-secret") != self.account.secret:
            raise BadSignature("wrong secret")
        try:
            items = json.loads(request.body)["items"]
        except (ValueError, KeyError, TypeError):
            raise Unreadable("not a request of this channel") from None
        parsed: list[Arrived] = []
        unreadable = 0
        for one in items:
            if one == "bug":
                raise ZeroDivisionError("a bug in the connector")
            try:
                parsed.append(self._read(one))
            except (KeyError, TypeError, ValueError):
                unreadable += 1
        if unreadable:
            raise Unreadable(f"{unreadable} of {len(items)} items", parsed)
        return parsed

    def _read(self, one: dict[str, Any]) -> Arrived:
        account = self.account.account
        if "status" in one:
            return Receipt("line", account, one["id"], one["status"], ref=one.get("ref", ""))
        from bot.message import Address

        content = decode(one["content"]) if "content" in one else Text(one["text"])
        return Inbound(Address("line", account, one["user"]), one["id"], content)

    async def send(self, outbound: Outbound) -> str:
        provider = self.provider
        provider.attempts.append(outbound.id)
        if provider.on_send is not None:
            await provider.on_send(outbound)
        step = provider.script.pop(0) if provider.script else Take()
        if getattr(step, "taken", False):
            provider.take(outbound)
        if isinstance(step, Later):
            raise RetryLater("too many requests", step.after)
        if isinstance(step, Lose):
            raise Unsure("connection reset")
        if isinstance(step, Refuse):
            raise step.error
        if isinstance(step, Hang):
            await asyncio.Event().wait()
        if isinstance(step, Break):
            raise ZeroDivisionError("a bug in the connector")
        return provider.take(outbound)

    async def confirm(self, outbound: Outbound, known: Sequence[str]) -> str | None:
        self.provider.asked.append((outbound.id, list(known)))
        if self.provider.confirming:
            raise self.provider.confirming.pop(0)
        if not self.provider.confirms:
            return await super().confirm(outbound, known)
        return self.provider.number(outbound.id)

    async def identity(self) -> str:
        return "the line of the tests"

    def vouch(self, request: Request) -> Request:
        headers = {**request.headers, "x-line-secret": self.account.secret}
        return replace(request, headers=headers)

    async def close(self) -> None:
        self.closed = True


class Echo:
    """A brain that says back what it heard with the number of the turn, ``2: hello``.

    The number is counted from the state alone, so that a turn built on a state that is
    stale shows. `hook` is awaited first and may raise, hang or return an `Outcome`.
    """

    def __init__(
        self,
        hook: Callable[[Inbound, int], Awaitable[Outcome | None]] | None = None,
    ) -> None:
        self.hook = hook
        self.heard: list[Inbound] = []

    async def take(self, said: Inbound, state: dict[str, Any] | None, hints: Any = None) -> Outcome:
        self.heard.append(said)
        number = (state or {}).get("count", 0) + 1
        if self.hook is not None:
            outcome = await self.hook(said, number)
            if outcome is not None:
                return outcome
        return answer(said, number, f"{number}: {words(said)}")


def answer(said: Inbound, number: int, *replies: str) -> Outcome:
    """What `Echo` makes of a message: one event, the replies, the number as state."""
    events = [{"event": "user", "text": words(said)}]
    return Outcome(events, [Text(r) for r in replies], {"count": number}, {}, None)


def failure(number: int, apology: str = "sorry") -> Outcome:
    """What a brain makes of an action that raised."""
    why = Failure("action_order_status", "ZeroDivisionError", "Traceback ...")
    return Outcome([], [Text(apology)], {"count": number - 1}, {}, why)


def words(said: Inbound) -> str:
    content = said.content
    if isinstance(content, Choice):
        return content.payload
    return getattr(content, "text", content.kind)


class ConfiguredLine(Line):
    """A `Line` as it is made of credentials.yml."""

    def __init__(self, account: Line.Account) -> None:
        super().__init__(account=account.account)
