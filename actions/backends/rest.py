"""A shop with an API of its own, described by OpenAPI and a mapping; see docs/backends.md."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from actions.backends.contract import (
    Account,
    Address,
    Done,
    Money,
    Parcel,
    Refunded,
    ShopOrder,
    allowed,
    completed,
    mark,
    over,
    same_number,
    same_place,
    too_late,
)
from actions.backends.effects import SETTLED_SECONDS, Effects, Sent, unknown
from actions.backends.errors import BackendDown, NotFound, NotPossible
from actions.backends.http import Answer, Http, Pace, place
from actions.backends.orders import CANCELLED
from actions.backends.rest_calls import Calls
from actions.backends.rest_mapping import ApiMapping, Call
from actions.backends.rest_paths import at, places
from actions.backends.rest_read import Reader
from bot.message import clean
from bot.store import AsyncStore

_NOTE = 300


class RestBackend:
    """Implements `actions.backends.contract.Shop`.

    `url` is what the description's paths begin after; `store` keeps what was begun.
    """

    def __init__(
        self,
        url: str,
        mapping: ApiMapping,
        store: AsyncStore,
        *,
        pace: Pace | None = None,
        settled: float = SETTLED_SECONDS,
    ) -> None:
        self.name = f"the shop at {place(url)}"
        self._map = mapping
        self._read = Reader(self.name, mapping)
        self._effects = Effects(f"rest:{place(url)}", store, settled)
        self._http = Http(self.name, url, mapping.headers, pace)
        self._calls = Calls(self.name, self._http, mapping.pages)

    async def find(self, number: str) -> ShopOrder:
        """See `Orders`. Parcels that are asked for by a call of their own may be missing."""
        parcels = self._map.calls.get("parcels")
        if parcels is None:
            return await self._find(number)
        if "id" in _names(parcels):
            found = await self._find(number)
            return await self._with_parcels(found, self._parcels(number, found.id))
        asked = asyncio.ensure_future(self._parcels(number, ""))
        try:
            found = await self._find(number)
        except BaseException:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            raise
        return await self._with_parcels(found, asked)

    async def of_customer(self, email: str, limit: int = 20) -> list[ShopOrder]:
        """See `Orders`."""
        call = self._call("of_customer")
        wanted = email.strip().lower()
        found = map(self._read.order, await self._calls.rows(call, {"email": wanted}, limit))
        # An API may look for what is like it; one customer's orders are nobody else's.
        known = "email" in self._map.order
        return [one for one in found if one.email == wanted or not known]

    async def cancel(self, key: str, number: str, why: str = "") -> Done:
        """See `Orders`."""
        call = self._call("cancel")

        async def look() -> dict[str, Any] | None:
            return {} if (await self._find(number)).status == CANCELLED else None

        async def act(sent: Sent) -> dict[str, Any]:
            known = await self._find(number)
            against = too_late(known, "cancelled")
            if against:
                raise NotPossible(self.name, against)
            values = {"number": number, "id": known.id, "why": clean(why)[:_NOTE]}
            await self._effect(call, "cancel", key, values, sent)
            return {}

        return await self._done("cancel", key, act, look)

    async def change_address(self, key: str, number: str, address: Address) -> Done:
        """See `Orders`."""
        call = self._call("change_address")

        async def look() -> dict[str, Any] | None:
            return {} if same_place((await self._find(number)).address, address) else None

        async def act(sent: Sent) -> dict[str, Any]:
            known = await self._find(number)
            against = too_late(known, "sent elsewhere")
            if against:
                raise NotPossible(self.name, against)
            values = {"number": number, "id": known.id, **asdict(completed(address, known))}
            await self._effect(call, "address", key, values, sent)
            return {}

        return await self._done("address", key, act, look)

    async def of_order(self, number: str) -> tuple[Parcel, ...]:
        """See `Shipments`."""
        parcels = self._map.calls.get("parcels")
        if parcels is None:
            return (await self._find(number)).parcels
        needs = "id" in _names(parcels)
        return await self._parcels(number, (await self._find(number)).id if needs else "")

    async def track(self, tracking: str) -> Parcel:
        """See `Shipments`."""
        call = self._call("track")
        answer = await self._calls.asked(call, {"tracking": tracking}, "parcel")
        found = self._read.parcel(at(answer.body, call.at))
        if found.tracking.upper() not in ("", tracking.upper()):
            raise NotFound(self.name, "parcel")
        return found

    async def account(self, email: str) -> Account:
        """See `Accounts`."""
        call = self._call("account")
        wanted = email.strip().lower()
        answer = await self._calls.asked(call, {"email": wanted}, "account")
        found = self._read.account(at(answer.body, call.at))
        if found is None or found.email != wanted:
            raise NotFound(self.name, "account")
        return found

    async def reset_password(self, key: str, email: str) -> Done:
        """See `Accounts`."""
        call, known = self._call("reset_password"), await self.account(email)

        async def act(sent: Sent) -> dict[str, Any]:
            values = {"email": known.email, "id": known.id}
            await self._effect(call, "reset", key, values, sent)
            return {}

        return await self._done("reset", key, act, None)

    async def send_code(self, key: str, email: str, code: str, minutes: int) -> Done:
        """See `Accounts`."""
        call, known = self._call("send_code"), await self.account(email)

        async def act(sent: Sent) -> dict[str, Any]:
            values = {"email": known.email, "id": known.id, "code": code, "minutes": minutes}
            await self._effect(call, "code", key, values, sent)
            return {}

        return await self._done("code", key, act, None)

    async def refund(
        self,
        key: str,
        number: str,
        money: Money,
        why: str = "",
        forbids: Callable[[ShopOrder], str] = allowed,
        by: str = "",
    ) -> Refunded:
        """See `Payments`."""
        call, sign = self._call("refund"), mark("refund", key)

        async def look() -> dict[str, Any] | None:
            listed = self._map.calls.get("refunds")
            if listed is None:
                return None
            known = await self._find(number)
            for row in await self._calls.rows(listed, {"number": number, "id": known.id}, 1000):
                given = self._read.refund(row, sign, known)
                if given is not None:
                    return _plain(number, given)
            return None

        async def act(sent: Sent) -> dict[str, Any]:
            async with self._effects.alone(number, sign):
                return await pay(sent)

        async def pay(sent: Sent) -> dict[str, Any]:
            known, wanted = await self._find(number), _money(sent.given)
            listed = "refunds" in self._map.calls
            if sent.again and sent.old and not listed:
                # It would be paid a second time, if it was paid.
                raise unknown(self.name, 3600.0)
            # What may have been sent is sent as it was: of it the order may know already.
            unseen = sent.again and safe and (sent.busy or not listed)
            against = "" if unseen else forbids(known) or over(known, wanted)
            if against:
                raise NotPossible(self.name, against)
            values = {
                "number": number,
                "id": known.id,
                "why": clean(why)[:_NOTE],
                "by": by,
                "amount": wanted.plain(),
                "minor": wanted.minor,
                "currency": wanted.currency,
            }
            await self._effect(call, "refund", key, values, sent)
            return _plain(number, wanted)

        safe, first = bool(self._map.idempotency), _plain(number, money)
        done, again = await self._effects.once(sign, act, look, given=first, safe=safe)
        return Refunded(key, str(done["order"]), _money(done), again=again)

    async def ask(self) -> str:
        """See `Shop`. Asks for an order that there is not, and is content to hear so."""
        with contextlib.suppress(NotFound):
            await self._find("0")
        return f"{self.name} answers"

    async def close(self) -> None:
        """See `Shop`."""
        await self._http.close()

    async def _find(self, number: str) -> ShopOrder:
        call = self._call("find")
        answer = await self._calls.asked(call, {"number": number}, "order")
        found = self._read.order(at(answer.body, call.at))
        # An API may find what is like it; somebody else's order is not this one.
        if not same_number(found.number, number):
            raise NotFound(self.name, "order")
        return found

    async def _parcels(self, number: str, id_: str) -> tuple[Parcel, ...]:
        call = self._map.calls["parcels"]
        rows = await self._calls.rows(call, {"number": number, "id": id_}, 100)
        return tuple(self._read.parcel(row, number) for row in rows)

    async def _with_parcels(
        self, found: ShopOrder, asked: Awaitable[tuple[Parcel, ...]]
    ) -> ShopOrder:
        try:
            return replace(found, parcels=await asked)
        except BackendDown:
            # What is known is told, and what is not is named.
            return replace(found, missing=tuple(sorted({*found.missing, "parcels"})))

    def _call(self, verb: str) -> Call:
        call = self._map.calls.get(verb)
        if call is None:
            raise NotPossible(self.name, f"its mapping has no {verb.replace('_', ' ')}")
        return call

    async def _done(
        self,
        verb: str,
        key: str,
        act: Callable[[Sent], Awaitable[dict[str, Any]]],
        look: Callable[[], Awaitable[dict[str, Any] | None]] | None,
    ) -> Done:
        safe = bool(self._map.idempotency)
        _, again = await self._effects.once(mark(verb, key), act, look, safe=safe)
        return Done(key, again=again)

    async def _effect(
        self, call: Call, verb: str, key: str, values: Mapping[str, Any], sent: Sent
    ) -> Answer:
        sign = mark(verb, key)
        header = self._map.idempotency
        headers = {header: sign} if header else {}
        everything = {**values, "key": sign}
        busy = bool(header) and sent.busy
        return await self._calls.asked(
            call, everything, "order", headers=headers, safe=bool(header), busy=busy
        )


def _names(call: Call) -> set[str]:
    return {name for text in call.send.values() for name in places(str(text))}


def _money(plain: Mapping[str, Any]) -> Money:
    return Money(int(plain["minor"]), str(plain["currency"]))


def _plain(number: str, money: Money) -> dict[str, Any]:
    return {"order": number, "minor": money.minor, "currency": money.currency}
