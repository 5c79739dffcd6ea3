"""Codes to addresses on file, and those who try to do without."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.identity import guarding, moved, proving
from bot.identity.guarding import (
    LONG_DIGITS,
    MOST_CODES,
    MOST_CODES_OF_ACCOUNT,
    MOST_WRONG,
    MOST_WRONG_OF_ACCOUNT,
)
from bot.identity.proving import (
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
    found = re.match(r"(\d{6,9}) for 10 minutes", rows[0].letter["body"])
    assert found
    return found[1]


def other(code: str, n: int = 1) -> str:
    return f"{(int(code) + n) % 10 ** len(code):0{len(code)}}"


def chat(n: object, channel: str = "webchat") -> Address:
    return Address(channel, "site", f"chat{n}")


async def guess(store: AsyncStore, here: Address, on_file: OnFile, cause: str) -> str:
    """A wrong code for the newest that was sent."""
    wrong = other(await code(store, on_file))
    return await check(store, here, account_of(on_file), wrong, cause, HOUR)


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


async def test_an_account_has_few_guesses_a_day(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, became = utcnow(), []
    for hour in range(3):
        now = begin + hour * timedelta(hours=1, minutes=1)
        for module in (proving, guarding):
            monkeypatch.setattr(module, "utcnow", lambda now=now: now, raising=False)
        for n in range(2):
            await ask(store, chat(f"{hour}.{n}"), cause=f"ask{hour}.{n}")
            causes = [f"g{hour}.{n}.{i}" for i in range(MOST_WRONG)]
            became += [await guess(store, chat(f"{hour}.{n}"), ADA, c) for c in causes]
    assert became == ["wrong"] * 20 + ["guarded"] * 10


async def test_guessers_take_nothing_from_an_honest_customer(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose code was sent before it began, was sent after it, or goes to another channel."""
    monkeypatch.setattr(guarding, "CALM_WRONG", 2 * MOST_WRONG)
    before, after, away = (OnFile(f"{name}@post.example") for name in ("ann", "bob", "cy"))
    assert (await ask(store, chat("ann"), before, "ask ann")).digits == 6
    for n in range(4):
        victim = OnFile(f"x{n}@post.example")
        assert (await ask(store, chat(n), victim, f"ask{n}")).became == "sent"
        became = [await guess(store, chat(n), victim, f"g{n}.{i}") for i in range(MOST_WRONG + 1)]
    assert became == ["wrong"] * MOST_WRONG + ["too often"]
    right = await code(store, before)
    assert await check(store, chat("ann"), account_of(before), right, "ann", HOUR) == "proven"
    assert await ask(store, chat("bob"), after, "ask bob") == Asked(
        "sent", "b…@p…", "mail", LONG_DIGITS
    )
    assert await guess(store, chat("bob"), after, "bob slips") == "wrong"
    right = await code(store, after)
    assert len(right) == LONG_DIGITS
    assert await check(store, chat("bob"), account_of(after), right, "bob", HOUR) == "proven"
    assert (await ask(store, chat("cy", "whatsapp"), away, "ask cy")).digits == 6


async def test_short_codes_that_were_hoarded_are_good_for_one_guess_under_strain(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    victims = [OnFile(f"x{n}@post.example") for n in range(4)]
    for n, victim in enumerate(victims):
        await ask(store, chat(n), victim, f"ask{n}")
    monkeypatch.setattr(guarding, "CALM_WRONG", 2)
    became = []
    for i in range(3):
        for n, victim in enumerate(victims):
            became.append(await guess(store, chat(n), victim, f"g{n}.{i}"))
    assert became == ["wrong"] * 4 + ["none"] * 8


async def test_so_many_codes_at_once_are_strain_and_longer(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "CALM_CODES", 3)
    asked = [await ask(store, chat(n), OnFile(f"x{n}@post.example"), f"a{n}") for n in range(6)]
    assert [one.became for one in asked] == ["sent"] * 6
    assert [one.digits for one in asked] == [6] * 4 + [LONG_DIGITS] * 2
    # A box gets fewer of them.
    again = [await ask(store, chat(f"y{n}"), BEN, f"b{n}") for n in range(3)]
    assert [one.became for one in again] == ["sent", "sent", "guarded"]


async def test_who_has_proven_an_account_keeps_it_while_strangers_attack_it(
    store: AsyncStore,
) -> None:
    account = account_of(ADA)
    await ask(store)
    assert await check(store, HERE, account, await code(store), "m2", HOUR) == "proven"
    (row,) = await store.find(Proof, {"until": {"$gt": utcnow()}})
    await store.change(Proof, {"id": row.id}, set={"until": utcnow()})
    for n in range(MOST_CODES_OF_ACCOUNT + 1):
        if (await ask(store, chat(n), cause=f"ask{n}")).became == "sent":
            for i in range(3):
                last = await guess(store, chat(n), ADA, f"g{n}.{i}")
    assert last == "guarded"
    assert not await proven(store, HERE, account)
    assert (await ask(store, cause="m3")).became == "sent"
    assert await check(store, HERE, account, await code(store), "m4", HOUR) == "proven"


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
