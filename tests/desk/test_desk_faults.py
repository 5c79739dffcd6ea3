"""Every call to the store breaks in turn, in every kind of deed, and the deed is done again.

At the end all is as if nothing had broken: the customer gets it once, a note never goes out.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.desk.contract import Done
from bot.desk.deeds import wish
from bot.message import decode, utcnow
from bot.store import AsyncStore, StoreDown
from bot.store.cases import Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.deeds import Deed
from bot.store.journal import NOTE
from bot.store.messages import SENT, Message
from tests.kit.at_desk import CHANGES, deed, desk_of, journal, out, talk
from tests.kit.build import address
from tests.kit.processes import Failing

_users = itertools.count(1)
Prepare = Callable[[AsyncStore, str, str], Awaitable[None]]
Between = Callable[[AsyncStore, str], Awaitable[None]]


async def with_case(store: AsyncStore, user: str, holder: str) -> None:
    await talk(store, user, holder=holder, agent="anna" if holder == AGENT else "")
    key = address(user).key
    for n in (1, 2):
        part_of = f"{key}-1" if n == 2 else ""
        case = Case(id=f"{key}-{n}", conversation=key, topic="human", at=utcnow(), part_of=part_of)
        await store.insert(case)


async def with_message(store: AsyncStore, user: str, holder: str) -> None:
    await with_case(store, user, holder)
    key = address(user).key
    first = deed("say", "anna", "It comes at 5.", id=f"first-{user}", conversation=key)
    await wish(store, first)
    await desk_of(store, CHANGES).perform(first)
    await store.change(Deed, {"id": first.id}, set={"status": "done"})


async def with_sent_message(store: AsyncStore, user: str, holder: str) -> None:
    await with_message(store, user, holder)
    where = {"conversation": address(user).key, "direction": "out"}
    await store.change(Message, where, set={"status": SENT, "provider_id": "p0"})


async def with_closed_case(store: AsyncStore, user: str, holder: str) -> None:
    await with_case(store, user, holder)
    key = address(user).key
    for n in (1, 2):
        change = {"status": "resolved", "resolved": utcnow()}
        await store.change(Case, {"id": f"{key}-{n}"}, set=change)


async def nothing_happens(store: AsyncStore, key: str) -> None:
    """Nobody does anything between two attempts."""


async def she_takes_it(store: AsyncStore, key: str) -> None:
    where = {"id": key, "holder": WAITING}
    await store.change(Conversation, where, set={"holder": AGENT, "agent": "anna"})


async def she_gives_it_back(store: AsyncStore, key: str) -> None:
    await store.change(Conversation, {"id": key}, set={"holder": BOT, "agent": ""})


DEEDS: list[tuple[str, str, str, dict[str, Any], Prepare]] = [
    ("take", WAITING, "", {}, with_case),
    ("take", BOT, "", {}, talk),
    ("assign", AGENT, "", {"to": "ben"}, with_case),
    ("back", AGENT, "for the bot", {}, with_case),
    ("resolve", AGENT, "paid back", {}, with_case),
    ("resolve", AGENT, "paid back", {}, with_message),
    ("reopen", BOT, "", {}, with_closed_case),
    ("write", AGENT, "Your parcel is here.", {}, with_case),
    ("write", AGENT, "// he lies", {}, with_case),
    ("write", WAITING, "he lies", {}, with_case),
    ("say", AGENT, "One. " * 60, {}, with_case),
    ("note", AGENT, "he lies", {}, with_case),
    ("edit", AGENT, "It comes at 6.", {"of": "first"}, with_message),
    ("edit", AGENT, "It comes at 6.", {"of": "first"}, with_sent_message),
    ("delete", AGENT, "", {"of": "first"}, with_message),
    ("delete", AGENT, "", {"of": "first"}, with_sent_message),
]


async def attempt(
    store: AsyncStore,
    what: tuple[str, str, str, dict[str, Any], Prepare],
    *,
    at: int = 0,
    kill: bool = False,
    applied: bool = False,
    between: Between = nothing_happens,
) -> tuple[str, str, int, Done]:
    """Do a deed for a customer of its own, its `at`-th call broken; return user, key, calls."""
    kind, holder, text, args, prepare = what
    user = f"user{next(_users)}"
    key = address(user).key
    await prepare(store, user, holder)
    if "of" in args:
        args = {"of": f"first-{user}"}
    wanted = deed(kind, "anna", text, id=f"deed-{user}", conversation=key, **args)
    await wish(store, wanted)
    failing = Failing(store, at=at, what="kill" if kill else "down", applied=applied)
    try:
        done = await desk_of(failing, CHANGES).perform(wanted)
    except (StoreDown, asyncio.CancelledError):
        await between(store, key)
        again = await store.get(Deed, wanted.id)
        assert again is not None
        done = await desk_of(store, CHANGES).perform(again)
    return user, key, failing.calls, done


async def picture(store: AsyncStore, user: str, key: str) -> Any:
    """All that has come of it, without names and times."""

    def bare(text: str) -> str:
        return text.replace(user, "USER")

    conversation = await store.get(Conversation, key)
    assert conversation is not None
    cases = await store.find(Case, {"conversation": key}, sort=("at",))
    return (
        (conversation.holder, conversation.agent, conversation.epoch),
        [(bare(c.id), c.status, c.agent, bare(c.resolution), c.opened) for c in cases],
        [
            (bare(r.id), bare(repr(decode(r.content))), r.status, r.epoch, r.due <= utcnow())
            for r in await out(store, key)
        ],
        [(bare(e.id), e.kind, bare(e.text), bare(e.case)) for e in await journal(store, key)],
    )


@pytest.mark.parametrize("what", DEEDS, ids=lambda what: f"{what[0]} {what[1]} {what[4].__name__}")
async def test_a_deed_that_breaks_anywhere_and_is_done_again_is_done_once(
    store: AsyncStore, what: Any
) -> None:
    user, key, calls, done = await attempt(store, what)
    assert done.ok, done.text
    assert calls >= 3
    wanted = await picture(store, user, key)
    for at in range(1, calls + 1):
        for applied in (False, True):
            user, key, _, done = await attempt(store, what, at=at, applied=applied)
            assert done.ok, (at, applied, done.text)
            assert await picture(store, user, key) == wanted, (at, applied)


@pytest.mark.parametrize(
    ("text", "holder", "between"),
    [
        ("he lies", WAITING, she_takes_it),
        ("// he lies", AGENT, she_gives_it_back),
    ],
)
async def test_a_note_never_goes_out_however_it_breaks_and_whoever_has_it_then(
    store: AsyncStore, text: str, holder: str, between: Between
) -> None:
    what = ("write", holder, text, {}, with_case)
    _, _, calls, _ = await attempt(store, what)
    ends = set()
    for at in range(1, calls + 1):
        for applied in (False, True):
            _, key, _, _ = await attempt(
                store, what, at=at, applied=applied, kill=True, between=between
            )
            said = await out(store, key)
            notes = [e for e in await journal(store, key) if e.kind == NOTE]
            # Before anything was settled it is what it is when it is done: one of the two.
            assert len(said) + len(notes) == 1, (at, applied)
            ends.add((at, applied, bool(said)))
    # Of the calls the first reads and the second settles.
    assert all(
        not sent or (at, applied) in {(1, False), (1, True), (2, False)}
        for at, applied, sent in ends
    )
    if text.startswith("//"):
        assert not any(sent for _, _, sent in ends)


async def test_words_to_the_customer_never_become_a_note_once_that_was_settled(
    store: AsyncStore,
) -> None:
    what = ("write", AGENT, "Your parcel is here.", {}, with_case)
    _, _, calls, _ = await attempt(store, what)
    for at in range(1, calls + 1):
        for applied in (False, True):
            _, key, _, _ = await attempt(
                store, what, at=at, applied=applied, kill=True, between=she_gives_it_back
            )
            said = await out(store, key)
            notes = [e for e in await journal(store, key) if e.kind == NOTE]
            assert len(said) + len(notes) == 1, (at, applied)
            if at > 2 or (at == 2 and applied):
                assert len(said) == 1
