"""Codes to addresses on file, and those who try to do without."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.identity import moved, proving
from bot.identity.proving import (
    MOST_CODES,
    MOST_CODES_OF_ACCOUNT,
    MOST_WRONG,
    MOST_WRONG_OF_ACCOUNT,
    Asked,
    Words,
    account_of,
    by_channel,
    challenge,
    check,
    forget,
    proven,
)
from bot.identity.reaching import OnFile, Ways, hint
from bot.message import Address, utcnow
from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.proofs import HELD, NOWHERE, QUEUED, Challenge, Proof, ProofTry
from tests.kit.stores import KINDS, store_of_kind

ADA = OnFile("Ada@post.example", "+44 7700 900123")
BEN = OnFile("ben@post.example")
MAIL = Ways(mail=True)
WORDS = Words("code", "{code} for {minutes} minutes", "{code}")
HOUR = timedelta(hours=1)
HERE = Address("telegram", "shop", "1")


@pytest.fixture(params=KINDS)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncStore]:
    # The cost of a hash is not what is tried here.
    monkeypatch.setattr(proving, "_COST", 2)
    opened = store_of_kind(request.param, tmp_path, DOCUMENTS)
    yield opened
    await opened.close()


async def ask(
    store: AsyncStore, here: Address = HERE, on_file: OnFile = ADA, cause: str = "m1"
) -> Asked:
    return await challenge(store, here, on_file, MAIL, WORDS, cause)


async def code(store: AsyncStore, on_file: OnFile = ADA) -> str:
    """The newest code that was sent to an account."""
    rows = await store.find(Challenge, {"account": account_of(on_file)}, sort=("-made",))
    found = re.match(r"(\d{6}) for 10 minutes", rows[0].letter["body"])
    assert found
    return found[1]


def other(code: str, n: int = 1) -> str:
    return f"{(int(code) + n) % 1_000_000:06}"


async def test_a_code_proves_one_account_to_one_customer_for_a_time(store: AsyncStore) -> None:
    account = account_of(ADA)
    assert await ask(store) == Asked("sent", "A…@p…", "mail")
    assert not await proven(store, HERE, account)
    assert await check(store, HERE, account, await code(store), "m2", HOUR) == "proven"
    assert await proven(store, HERE, account)
    assert account == account_of(OnFile("ada@post.example"))
    assert not await proven(store, HERE, account_of(BEN))
    assert not await proven(store, Address("telegram", "shop", "2"), account)
    (row,) = await store.find(Proof, {"until": {"$gt": utcnow()}})
    await store.change(Proof, {"id": row.id}, set={"until": utcnow()})
    assert not await proven(store, HERE, account)


async def test_a_code_is_good_once_but_for_the_same_message_done_again(store: AsyncStore) -> None:
    account = account_of(ADA)
    await ask(store)
    right = await code(store)
    for _ in range(2):
        assert await check(store, HERE, account, right, "m2", HOUR) == "proven"
    assert await check(store, HERE, account, right, "m3", HOUR) == "wrong"


async def test_a_code_is_of_no_use_for_another_account_or_in_another_chat(
    store: AsyncStore,
) -> None:
    await ask(store)
    await ask(store, on_file=BEN, cause="m2")
    right = await code(store)
    assert await check(store, HERE, account_of(BEN), right, "m3", HOUR) == "wrong"
    elsewhere = Address("telegram", "shop", "thief")
    assert await check(store, elsewhere, account_of(ADA), right, "m4", HOUR) == "none"
    assert await check(store, HERE, account_of(ADA), right, "m5", HOUR) == "proven"


async def test_a_code_is_too_old_after_ten_minutes(store: AsyncStore) -> None:
    await ask(store)
    right = await code(store)
    (row,) = await store.find(Challenge, {"account": account_of(ADA)})
    await store.change(Challenge, {"id": row.id}, set={"until": utcnow()})
    assert await check(store, HERE, account_of(ADA), right, "m2", HOUR) == "none"


async def test_a_mail_that_comes_late_is_as_good_as_the_newest(store: AsyncStore) -> None:
    await ask(store)
    first = await code(store)
    await ask(store, cause="m2")
    assert await check(store, HERE, account_of(ADA), first, "m3", HOUR) == "proven"
    newest = await store.find(Challenge, {"account": account_of(ADA)}, sort=("-made",))
    assert all(row.used_by == "m3" for row in newest)


async def test_a_person_has_few_guesses_also_all_at_once(store: AsyncStore) -> None:
    account = account_of(ADA)
    await ask(store)
    right = await code(store)
    guesses = [check(store, HERE, account, other(right, n), f"g{n}", HOUR) for n in range(1, 21)]
    became = await asyncio.gather(*guesses)
    assert set(became) <= {"wrong", "too often"}
    assert became.count("wrong") <= MOST_WRONG
    for n in range(30, 40):
        last = await check(store, HERE, account, other(right, n), f"g{n}", HOUR)
    assert last == "too often"
    assert await check(store, HERE, account, right, "late", HOUR) == "too often"
    assert not await proven(store, HERE, account)


async def test_a_wrong_code_done_again_counts_once(store: AsyncStore) -> None:
    await ask(store)
    wrong = other(await code(store))
    for _ in range(MOST_WRONG + 2):
        assert await check(store, HERE, account_of(ADA), wrong, "same", HOUR) == "wrong"
    assert await store.count(ProofTry, {"at": {"$lte": utcnow()}}) == 1


async def test_many_chats_have_no_more_guesses_at_an_account_than_few(store: AsyncStore) -> None:
    account, wrong, n = account_of(ADA), 0, 0
    for chat in range(MOST_CODES_OF_ACCOUNT + 2):
        here = Address("webchat", "site", f"bot{chat}")
        if (await ask(store, here, cause=f"ask{chat}")).became != "sent":
            assert chat >= MOST_CODES_OF_ACCOUNT
            continue
        right = await code(store)
        for _ in range(MOST_WRONG - 1):
            n += 1
            wrong += await check(store, here, account, other(right, n), f"g{n}", HOUR) == "wrong"
    assert wrong == MOST_WRONG_OF_ACCOUNT


async def test_guesses_of_all_are_bounded(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "MOST_WRONG_IN_ALL", 3)
    became = []
    for n in range(5):
        here, on_file = Address("webchat", "site", f"c{n}"), OnFile(f"x{n}@post.example")
        await ask(store, here, on_file, f"ask{n}")
        wrong = other(await code(store, on_file))
        became.append(await check(store, here, account_of(on_file), wrong, f"g{n}", HOUR))
    assert became == ["wrong"] * 3 + ["too often"] * 2


async def test_nobody_can_fill_a_box_with_codes(store: AsyncStore) -> None:
    became = [(await ask(store, cause=f"m{n}")).became for n in range(MOST_CODES + 2)]
    assert became == ["sent"] * MOST_CODES + ["too often"] * 2
    assert await store.count(Challenge, {"account": account_of(ADA)}) == MOST_CODES


async def test_a_message_done_again_sends_one_code_wherever_it_was_cut_off(
    store: AsyncStore,
) -> None:
    await ask(store)
    first = await code(store)
    await ask(store)
    assert await code(store) == first
    (row,) = await store.find(Challenge, {"account": account_of(ADA)})
    assert row.status == QUEUED
    # Killed before it was counted.
    await store.change(Challenge, {"id": row.id}, set={"status": HELD})
    assert (await ask(store)).became == "sent"
    (row,) = await store.find(Challenge, {"account": account_of(ADA)})
    assert (row.status, await code(store)) == (QUEUED, first)


async def test_a_new_owner_of_the_address_has_proven_nothing(store: AsyncStore) -> None:
    account, phone = account_of(ADA), Address("whatsapp", "shop", "447700900123")
    await ask(store, phone)
    assert await check(store, phone, account, await code(store), "m2", HOUR) == "proven"
    await moved(store, phone, "447700900999")
    assert not await proven(store, phone, account)
    assert not await proven(store, Address("whatsapp", "shop", "447700900999"), account)


async def test_who_is_to_be_forgotten_has_proven_nothing_any_more(store: AsyncStore) -> None:
    account = account_of(ADA)
    await ask(store)
    await check(store, HERE, account, await code(store), "m2", HOUR)
    await ask(store, cause="m3")
    right = await code(store)
    await forget(store, HERE)
    assert not await proven(store, HERE, account)
    assert await check(store, HERE, account, right, "m4", HOUR) == "wrong"
    rows = await store.find(Challenge, {"account": account})
    assert [row.letter for row in rows] == [None, None]


async def test_an_account_that_there_is_not_is_asked_for_a_code_that_nobody_gets(
    store: AsyncStore,
) -> None:
    asked = await challenge(store, HERE, BEN, MAIL, WORDS, "m1", real=False)
    assert asked == Asked("sent", "b…@p…", "mail")
    (row,) = await store.find(Challenge, {"account": account_of(BEN)})
    assert (row.status, row.letter) == (NOWHERE, None)


async def test_no_way_is_no_way(store: AsyncStore) -> None:
    for on_file, ways in ((ADA, Ways()), (OnFile(), MAIL), (OnFile(phone="+447700900123"), MAIL)):
        asked = await challenge(store, HERE, on_file, ways, WORDS, "m1")
        assert asked.became == "no way"
    assert not await proven(store, HERE, "")


@pytest.mark.parametrize(
    ("channel", "user", "yes"),
    [
        ("whatsapp", "447700900123", True),
        ("whatsapp", "447700900124", False),
        ("whatsapp", "US.13491208655302741918", False),
        ("sms", "+447700900123", False),
        ("telegram", "447700900123", False),
    ],
)
def test_a_number_proves_itself_only_where_it_is_allowed(
    channel: str, user: str, yes: bool
) -> None:
    here = Address(channel, "shop", user)
    assert by_channel(here, ADA, ("whatsapp",)) is yes
    assert not by_channel(here, BEN, ("whatsapp", "sms"))


def test_a_hint_tells_little() -> None:
    assert [hint(a) for a in ("ada@post.example", "+447700900123")] == ["a…@p…", "…23"]
