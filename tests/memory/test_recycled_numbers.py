"""A phone number has a new owner: what was known of the one before is not for him."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.identity import customer_of, proving
from bot.identity.doubting import LONG_SILENCE, SHORT_SILENCE, SILENCE, doubted
from bot.identity.proving import Words, account_of, challenge, check
from bot.identity.reaching import OnFile, Ways
from bot.meeting import meet
from bot.memory.contract import FACT, MATTER, Memory
from bot.memory.keeping import DOUBT, recall, remember, unset
from bot.memory.service import Memories
from bot.message import Address, Contact, Inbound, Profile, Text, clean, utcnow
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import Conversation
from bot.store.documents import DOCUMENTS
from bot.store.proofs import Challenge, Proof
from tests.kit.stores import sqlite_in

PHONE = Address("whatsapp", "shop", "447700900123")
SMS = Address("sms", "shop", "+447700900123")
TELEGRAM = Address("telegram", "shop", "7")
STREET = "22 Baker Street, London NW1 6XE"
NOW = utcnow()
ADA = Profile("Ada Byron", signs=("account:GB.1", "device:x="))
HERS = account_of(OnFile("ada@post.example"))
DAY = timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncStore]:
    monkeypatch.setattr(proving, "_COST", 2)
    opened = AsyncStore(sqlite_in(tmp_path), DOCUMENTS, threads=1)
    yield opened
    await opened.close()


async def writes(
    store: AsyncStore,
    here: Address,
    ago: timedelta = timedelta(),
    profile: Profile = ADA,
    content: Any = None,
) -> Memory:
    """Somebody writes; return what he may be told, as a turn asks for it."""
    new = Conversation(id=here.key, created=NOW, lease_until=NOW)
    await store.insert_new([new])
    held = await store.get(Conversation, here.key)
    assert held is not None
    at = NOW - ago
    said = Inbound(here, f"m{ago}", content or Text("hello"), at, profile=profile)
    for _ in range(2):
        # A worker that died in the middle of it was followed by another.
        await meet(store, said, held)
    memories = Memories(store, None, None)  # type: ignore[arg-type]
    told = Memory.decode(await memories.known(here.key))
    await store.change(Conversation, {"id": here.key}, max={"last_in": at})
    return told


async def lived(store: AsyncStore, ago: timedelta, here: Address = PHONE) -> None:
    """She wrote so long ago, left an address, an open matter, and had proven her account."""
    await writes(store, here, ago)
    at = NOW - ago
    await remember(
        store, here.key, kind=FACT, key="address", about="Delivery address", value=STREET,
        source="t", by="rule", at=at, days=365 * 9,
    )  # fmt: skip
    await store.insert(Case(id="c1", conversation=here.key, topic="refund", why="mug", at=at))
    await proves(store, here, at)


async def proves(store: AsyncStore, here: Address, at: Any, mail: str = "ada@post.example") -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proving, "utcnow", lambda: at)
        on_file, words = OnFile(mail), Words("", "{code}", "{code}")
        cause = f"ask {here.key} {at}"
        asked = await challenge(store, here, on_file, Ways(mail=True), words, cause)
        assert asked.became == "sent"
        rows = await store.find(Challenge, {"account": account_of(on_file)}, sort=("-made",))
        code = rows[0].letter["body"]
        done = await check(store, here, account_of(on_file), code, f"{cause} typed", DAY)
        assert done == "proven"


def address(memory: Memory) -> str:
    return "".join(one.value for one in memory.of(FACT, "address"))


OTHER = Profile("Tom", signs=("account:GB.1", "device:x="))


@pytest.mark.parametrize(
    ("ago", "profile", "why"),
    [
        (7 * DAY, ADA, ""),
        (7 * DAY, OTHER, ""),
        (SHORT_SILENCE, ADA, ""),
        (SHORT_SILENCE, Profile("Ada"), ""),
        (SHORT_SILENCE, OTHER, "another name, after a silence of 14 days"),
        (SILENCE, ADA, ""),
        (SILENCE, Profile("Ada"), "a silence of 60 days"),
        (SILENCE, Profile(), "a silence of 60 days"),
        (LONG_SILENCE, ADA, "a silence of 365 days"),
        (DAY, Profile("Ada Byron", signs=("account:GB.2",)), "another account at the same"),
        (DAY, Profile("Ada Byron", signs=("device:y=",)), "another device at the same number"),
        # A sign that was not told before, or is not told any more, is none.
        (DAY, Profile("Ada Byron", signs=("else:1",)), ""),
        (DAY, Profile("Ada Byron"), ""),
    ],
)
async def test_who_may_be_somebody_else_is_told_nothing(
    store: AsyncStore, ago: timedelta, profile: Profile, why: str
) -> None:
    await lived(store, ago)
    told = await writes(store, PHONE, profile=profile)
    found = await customer_of(store, PHONE)
    doubt = await doubted(store, found.members[0].id)
    assert (doubt is not None) is bool(why)
    assert address(told) == ("" if why else STREET)
    assert bool(told.of(MATTER)) is not bool(why)
    assert (told.last is None) is bool(why)
    # Agents see all of it, and what is in doubt.
    known = await recall(store, found)
    assert address(known) == STREET
    assert [why in one.value for one in known.of(FACT, DOUBT)] == ([True] if why else [])


async def test_the_new_owner_has_a_memory_of_his_own(store: AsyncStore) -> None:
    await lived(store, 90 * DAY)
    await writes(store, PHONE, DAY, OTHER)
    await remember(
        store, PHONE.key, kind=FACT, key="shoe", about="Shoe size", value="41", source="t2",
        by="rule", at=NOW - DAY, days=9,
    )  # fmt: skip
    told = await writes(store, PHONE, profile=OTHER)
    assert [one.value for one in told.of(FACT)] == ["41"]
    # On all channels of the number, and on those alone.
    assert [one.value for one in (await writes(store, SMS, profile=Profile())).of(FACT)] == ["41"]


async def test_who_was_known_on_whatsapp_last_week_is_known_on_sms_today(
    store: AsyncStore,
) -> None:
    await lived(store, 7 * DAY)
    assert address(await writes(store, SMS, profile=Profile())) == STREET


async def test_a_number_that_was_silent_is_another_channels_doubt_too(store: AsyncStore) -> None:
    await lived(store, 90 * DAY)
    assert address(await writes(store, SMS, profile=Profile())) == ""
    own = Contact("Tom", ("+447700900123",), own=True)
    assert address(await writes(store, TELEGRAM, profile=OTHER, content=own)) == ""


@pytest.mark.parametrize("whose", ["hers", "his own"])
async def test_only_a_code_for_what_was_proven_before_ends_it(
    store: AsyncStore, whose: str
) -> None:
    await lived(store, 90 * DAY)
    await writes(store, PHONE, profile=OTHER)
    await proves(store, PHONE, NOW, "ada@post.example" if whose == "hers" else "tom@post.example")
    told = await writes(store, PHONE, profile=OTHER)
    assert address(told) == (STREET if whose == "hers" else "")
    assert await store.count(Proof, {"until": {"$gt": NOW}}) == 1


async def test_an_agent_who_knows_ends_it(store: AsyncStore) -> None:
    await lived(store, 90 * DAY)
    await writes(store, PHONE, profile=OTHER)
    found = await customer_of(store, PHONE)
    assert await unset(store, found, [DOUBT], by="customer", source="m") == []
    assert await unset(store, found, [DOUBT], by="agent", source="d") == [DOUBT]
    assert address(await writes(store, PHONE, profile=OTHER)) == STREET
    assert clean(PHONE.key) == found.members[0].address
