"""The answering window: what goes out, what waits, and what asks the customer to write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.message import Content, Event, Inbound, Outbound, Template, Text, utcnow
from bot.outbox import Outbox
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.dead_letters import DeadLetter
from bot.store.messages import FAILED, HELD, QUEUED, SENT, UNSENT, Message, to_message
from bot.turn import Turns
from bot.window import hold, outbound_of, release
from connectors.errors import WindowClosed
from tests.kit.build import address, inbound, row
from tests.kit.channel import CAN, Echo, Line, Provider, Refuse
from tests.kit.processes import QUICK
from tests.kit.waiting import until

ASK = Template("write_again", "en", text="We have an answer for you. Write to get it.")
DAY = replace(CAN, window_hours=24.0)


class Meta(Line):
    """A line with a window; `beyond` says what may be sent outside of it."""

    def __init__(self, provider: Provider, beyond: str = "") -> None:
        super().__init__(provider, can=DAY)
        self.beyond = beyond

    def beyond_window(self, outbound: Outbound) -> Outbound | None:
        if self.beyond == "template":
            return replace(outbound, content=ASK)
        return replace(outbound, tag=self.beyond) if self.beyond else None


Deliver = Callable[..., Awaitable[Provider]]


@pytest.fixture
def deliver(store: AsyncStore) -> Deliver:
    async def run(*script: Any, beyond: str = "") -> Provider:
        line = Meta(Provider(*script), beyond)
        outbox = Outbox(store, {("line", "shop"): line}, QUICK, lambda: None)
        task = asyncio.create_task(outbox.run())
        await until(lambda: _idle(store))
        await outbox.stop()
        await task
        return line.provider

    return run


async def _idle(store: AsyncStore) -> bool:
    return not await store.count(Message, {"direction": "out", "status": {"$in": UNSENT}})


async def wrote(store: AsyncStore, hours: float, **fields: Any) -> None:
    at = utcnow() - timedelta(hours=hours)
    values = {"id": address().key, "created": at, "lease_until": at, "last_in": at}
    await store.put(Conversation(**{**values, **fields}))


async def statuses(store: AsyncStore) -> list[str]:
    rows = await store.find(
        Message, {"conversation": address().key, "direction": "out"}, sort=("order", "arrived")
    )
    return [r.status for r in rows]


async def test_within_the_window_it_is_sent_as_it_is(store: AsyncStore, deliver: Deliver) -> None:
    await wrote(store, 23.9)
    await store.insert(row("hello"))
    assert (await deliver(beyond="template")).said() == ["hello"]


async def test_without_a_template_it_is_held_and_the_desk_told(
    store: AsyncStore, deliver: Deliver
) -> None:
    await wrote(store, 24.1)
    await store.insert_new([row("one", n=1), row("two", n=2)])
    provider = await deliver()
    assert provider.attempts == []
    assert await statuses(store) == [HELD, HELD]
    letters = await store.find(DeadLetter, {}, sort=("at",))
    assert ["WindowClosed" in x.reason for x in letters] == [True, True]


async def test_one_template_asks_the_customer_to_write(store: AsyncStore, deliver: Deliver) -> None:
    await wrote(store, 30)
    await store.insert_new([row("one", n=1), row("two", n=2)])
    provider = await deliver(beyond="template")
    assert [o.content for o in provider.taken] == [ASK]
    assert sorted(await statuses(store)) == [HELD, HELD, SENT]


async def test_what_was_held_goes_out_first_when_the_customer_writes(
    store: AsyncStore, deliver: Deliver
) -> None:
    await wrote(store, 30)
    await store.insert_new([row("one", n=1, order=1), row("two", n=2, order=2)])
    await deliver(beyond="template")
    said = inbound("I am here", n=9)
    message = to_message(said)
    await store.insert(message)
    turns = Turns(store, Echo(), lambda channel: DAY, turn_seconds=5)
    lease = await store.get(Conversation, address().key)
    assert lease is not None
    await turns.take(message, lease)
    assert await store.count(DeadLetter, {}) == 0
    # The conversation does not know of the new message yet; the messages do.
    assert (await deliver()).said() == ["one", "two", "1: I am here"]


async def test_a_tag_lets_it_through(store: AsyncStore, deliver: Deliver) -> None:
    await wrote(store, 30)
    await store.insert(row("hello"))
    provider = await deliver(beyond="HUMAN_AGENT")
    assert [(o.content, o.tag) for o in provider.taken] == [(Text("hello"), "HUMAN_AGENT")]


async def test_a_template_needs_no_window(store: AsyncStore, deliver: Deliver) -> None:
    await wrote(store, 300)
    await store.insert(row(ASK))
    assert [o.content for o in (await deliver()).taken] == [ASK]


@pytest.mark.parametrize("beyond", ["", "template"])
async def test_the_providers_clock_counts(store: AsyncStore, deliver: Deliver, beyond: str) -> None:
    await wrote(store, 1)
    await store.insert(row("hello"))
    closed = Refuse(WindowClosed("over 24 hours", "131047"))
    provider = await deliver(closed, beyond=beyond)
    assert [o.content for o in provider.taken] == ([ASK] if beyond else [])
    assert HELD in await statuses(store)


async def test_a_template_the_provider_refuses_as_too_late_has_failed(
    store: AsyncStore, deliver: Deliver
) -> None:
    await wrote(store, 30)
    await store.insert(row(ASK))
    await deliver(Refuse(WindowClosed("over 24 hours", "131047")))
    assert await statuses(store) == [FAILED]


@pytest.mark.parametrize(
    ("content", "opens"),
    [(Text("hi"), True), (Event("start"), True), (Event("blocked"), False)],
)
async def test_messages_that_the_conversation_forgot_count(
    store: AsyncStore, deliver: Deliver, content: Content, opens: bool
) -> None:
    await wrote(store, 30)
    said = to_message(Inbound(address(), "m1", content))
    said.status = "done"
    await store.insert(said)
    await store.insert(row("hello"))
    assert (await deliver()).said() == (["hello"] if opens else [])


async def test_a_message_that_came_a_day_late_opens_nothing(
    store: AsyncStore, deliver: Deliver
) -> None:
    await wrote(store, 30)
    late = Inbound(address(), "m1", Text("hi"), sent=utcnow() - timedelta(hours=25))
    await store.insert(to_message(late))
    await store.insert(row("hello"))
    assert (await deliver()).said() == []
    assert QUEUED not in await statuses(store)


async def test_a_tag_that_our_clock_found_no_need_for_sends_it_once(
    store: AsyncStore, deliver: Deliver
) -> None:
    await wrote(store, 23.9)
    await store.insert(row("hello"))
    closed = Refuse(WindowClosed("over 24 hours", "10"))
    provider = await deliver(closed, beyond="HUMAN_AGENT")
    assert [(o.content, o.tag) for o in provider.taken] == [(Text("hello"), "HUMAN_AGENT")]
    assert await statuses(store) == [SENT]


async def test_a_tag_the_provider_refuses_as_too_late_has_failed(
    store: AsyncStore, deliver: Deliver
) -> None:
    await wrote(store, 23.9)
    await store.insert(row("hello"))
    closed = Refuse(WindowClosed("over 24 hours", "10"))
    assert (await deliver(closed, closed, beyond="HUMAN_AGENT")).taken == []
    assert await statuses(store) == [FAILED]


async def test_what_was_held_goes_before_what_is_new_though_no_turn_came_yet(
    store: AsyncStore, deliver: Deliver
) -> None:
    await wrote(store, 30)
    await store.insert_new([row("one", n=1), row("two", n=2)])
    await deliver()
    await store.insert(to_message(inbound("I am here", n=9)))
    await store.insert(row("from the desk", n=3))
    assert (await deliver()).said() == ["one", "two", "from the desk"]
    assert await store.count(DeadLetter, {}) == 0


async def test_a_late_message_releases_nothing(store: AsyncStore, deliver: Deliver) -> None:
    await wrote(store, 30)
    await store.insert(row("one", n=1))
    await deliver()
    late = Inbound(address(), "m1", Text("hi"), sent=utcnow() - timedelta(hours=25))
    await store.insert(to_message(late))
    await wrote(store, 1)
    await store.insert(row("two", n=2))
    assert (await deliver()).said() == ["two"]
    assert await statuses(store) == [HELD, SENT]


@pytest.mark.parametrize("beyond", ["", "template"])
async def test_who_writes_while_his_message_is_being_held_gets_it(
    store: AsyncStore, deliver: Deliver, beyond: str
) -> None:
    await wrote(store, 30)
    hello = row("hello")
    await store.insert(hello)
    # What the outbox has read before he wrote, it holds after.
    tried = await store.change(Message, {"id": hello.id}, set={"tried": utcnow()})
    assert tried is not None
    await store.insert(to_message(inbound("I am here", n=9)))
    await release(store, address().key)
    asking = replace(outbound_of(tried), content=ASK) if beyond else None
    assert await hold(store, tried, asking, 24.0)
    assert await store.count(DeadLetter, {}) == 0
    assert (await deliver(beyond=beyond)).said() == ["hello"]


async def test_what_another_process_sent_meanwhile_is_not_held(store: AsyncStore) -> None:
    hello = row("hello")
    await store.insert(hello)
    await store.change(Message, {"id": hello.id}, set={"status": SENT})
    assert not await hold(store, hello, None, 24.0)
    assert await store.count(DeadLetter, {}) == 0


async def test_much_that_was_held_is_released_whole(store: AsyncStore) -> None:
    await store.insert_new([row(str(n), n=n, status=HELD) for n in range(250)])
    await release(store, address().key)
    assert set(await statuses(store)) == {QUEUED}
