from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import identity
from bot.identity import (
    NoSuchCustomer,
    NoSuchMerge,
    Person,
    TooManyAddresses,
    codes,
    customer_of,
    issue,
    merge,
    moved,
    people,
    redeem,
    settle,
    shared,
    undo,
)
from bot.identity.codes import read_code
from bot.identity.phones import e164, phone_of
from bot.message import Address, Contact, Profile, utcnow
from bot.store import AsyncStore, StoreDown
from bot.store.conversations import Conversation
from bot.store.customers import AGENT, Customer, LinkCode, LinkTry, Merge, customer_id
from bot.store.documents import DOCUMENTS
from bot.store.sqlite import SqliteStore
from tests.kit.processes import Failing
from tests.kit.stores import store_in

NUMBER = "+4915112345678"
WHATSAPP = Address("whatsapp", "shop", "4915112345678")
SMS = Address("sms", "shop", NUMBER)
TELEGRAM = Address("telegram", "shop", "42")
WEB = Address("webchat", "site", "a1b2")
MESSENGER = Address("messenger", "shop", "77")
FREE = datetime(1970, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash as cheap as it is unsafe: it is not what is tried here, but for one test."""
    monkeypatch.setattr(codes, "_COST", 2)


async def open_talk(store: AsyncStore, *addresses: Address) -> None:
    """The worker has leased these conversations before it asks who they are."""
    now = utcnow()
    rows = [Conversation(id=a.key, created=now, lease_until=FREE) for a in addresses]
    await store.insert_new(rows)


async def said(store: AsyncStore, address: Address, name: str = "", language: str = "") -> Person:
    """Somebody writes from an address."""
    await open_talk(store, address)
    return await customer_of(store, address, Profile(name, "", language))


async def whose(store: AsyncStore, address: Address) -> str:
    talk = await store.get(Conversation, address.key)
    assert talk is not None
    return str(talk.customer)


async def together(store: AsyncStore, *addresses: Address) -> bool:
    """Tell whether they are one person, and whether their conversations say so as well."""
    found = {(await customer_of(store, a)).id for a in addresses}
    told = {await whose(store, a) for a in addresses}
    assert len(found) == len(told)
    return len(found) == 1


def own(phone: str = NUMBER, *more: str) -> Contact:
    return Contact("Ada", (phone, *more), own=True)


# Phone numbers.


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+4915112345678", NUMBER),
        ("4915112345678", NUMBER),
        ("+49 (151) 123-456-78", NUMBER),
        ("+49\u00a0151.12345678", NUMBER),
        ("447700900123", "+447700900123"),
        ("+5215512345678", "+525512345678"),
        ("+525512345678", "+525512345678"),
        ("+553187654321", "+5531987654321"),
        ("+5531987654321", "+5531987654321"),
        # A landline of eight digits in Brazil keeps them.
        ("+551132654321", "+551132654321"),
        ("+5491123456789", "+5491123456789"),
        ("12345", ""),
        ("+1", ""),
        ("", ""),
        ("+", ""),
        ("ALERTS", ""),
        ("US.13491208655302741918", ""),
        ("+999123456789", ""),
        ("+15550100", ""),
        ("+" + "1" * 40, ""),
        ("+49151\n12345678\x00", ""),
        ("+٤٩١٥١١٢٣٤٥٦٧٨", ""),
    ],
)
def test_a_number_is_written_in_one_way(text: str, number: str) -> None:
    assert e164(text) == number


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = e164(text)
    assert number == "" or (number.startswith("+") and e164(number) == number)


@pytest.mark.parametrize(
    ("address", "number"),
    [
        (WHATSAPP, NUMBER),
        (SMS, NUMBER),
        (Address("whatsapp", "shop", "DE.13491208655302741918"), ""),
        (Address("whatsapp", "shop", "+4915112345678"), ""),
        (Address("sms", "shop", "4915112345678"), ""),
        (Address("sms", "shop", "32665"), ""),
        (Address("sms", "shop", "PARCELS"), ""),
        # A Telegram id of as many digits is no number.
        (Address("telegram", "shop", "4915112345678"), ""),
        (Address("messenger", "shop", "4915112345678"), ""),
    ],
)
def test_an_address_is_a_phone_number_where_the_provider_vouches_for_it(
    address: Address, number: str
) -> None:
    assert phone_of(address) == number


# Meeting somebody.


async def test_somebody_new_is_one_customer_however_often_met(store: AsyncStore) -> None:
    first = await said(store, TELEGRAM, "Ada", "de")
    again = await said(store, TELEGRAM)
    assert (first.id, first.name, first.language) == (again.id, "Ada", "de")
    assert first.addresses == (TELEGRAM.key,)
    assert await whose(store, TELEGRAM) == first.id
    assert await store.count(Customer, {}) == 1


async def test_the_profile_is_kept_up_to_date_and_never_emptied(store: AsyncStore) -> None:
    await said(store, TELEGRAM, "Ada", "de")
    await said(store, TELEGRAM, "Ada L.\x00\ud800", "")
    found = await said(store, TELEGRAM, "", "en")
    assert (found.name, found.language) == ("Ada L.\ufffd", "en")


async def test_a_conversation_that_is_not_there_yet_is_no_obstacle(store: AsyncStore) -> None:
    found = await customer_of(store, TELEGRAM, Profile("Ada"))
    await open_talk(store, TELEGRAM)
    assert (await customer_of(store, TELEGRAM, known="")).id == found.id
    assert await whose(store, TELEGRAM) == found.id


async def test_two_workers_who_meet_a_new_customer_at_once_make_one(store: AsyncStore) -> None:
    await open_talk(store, TELEGRAM)
    found = await asyncio.gather(*(customer_of(store, TELEGRAM, Profile("Ada")) for _ in range(8)))
    assert len({p.id for p in found}) == 1
    assert await store.count(Customer, {}) == 1


async def test_the_same_number_on_whatsapp_and_sms_is_the_same_person(store: AsyncStore) -> None:
    first = await said(store, WHATSAPP, "Ada")
    second = await said(store, SMS)
    assert second.id == first.id
    assert set(second.addresses) == {WHATSAPP.key, SMS.key}
    assert (second.name, second.phones) == ("Ada", (NUMBER,))
    (joined,) = await store.find(Merge, {})
    assert (joined.by, joined.addresses, joined.kept) == ("phone", [SMS.key], first.id)
    assert await together(store, WHATSAPP, SMS)


async def test_an_old_brazilian_whatsapp_id_is_the_number_sms_come_from(store: AsyncStore) -> None:
    old = Address("whatsapp", "shop", "553187654321")
    new = Address("sms", "shop", "+5531987654321")
    assert (await said(store, old)).id == (await said(store, new)).id


async def test_who_has_no_number_is_nobody_else(store: AsyncStore) -> None:
    strangers = [
        Address("sms", "shop", "32665"),
        Address("sms", "other", "32665"),
        Address("whatsapp", "shop", "DE.134912086553"),
        Address("telegram", "shop", "4915112345678"),
        WHATSAPP,
    ]
    assert len({(await said(store, a)).id for a in strangers}) == len(strangers)


@pytest.mark.parametrize("seed", range(12))
async def test_all_addresses_of_a_number_met_at_once_are_joined(
    store: AsyncStore, seed: int
) -> None:
    dice = random.Random(seed)
    accounts = [
        Address(channel, account, NUMBER if channel == "sms" else NUMBER[1:])
        for channel in ("sms", "whatsapp")
        for account in ("one", "two", "three")
    ]
    dice.shuffle(accounts)
    await open_talk(store, *accounts)
    slow = Dice(store, seed)
    await asyncio.gather(*(customer_of(slow, a) for a in accounts))  # type: ignore[arg-type]
    assert await together(store, *accounts)


# Contact cards.


async def test_the_own_contact_of_a_known_number_joins(store: AsyncStore) -> None:
    await said(store, WHATSAPP, "Ada")
    await said(store, TELEGRAM, "ada_l")
    found = await shared(store, TELEGRAM, own("49 151 12345678"))
    assert found is not None
    assert set(found.addresses) == {WHATSAPP.key, TELEGRAM.key}
    assert await together(store, WHATSAPP, TELEGRAM)
    assert [m.by for m in await store.find(Merge, {})] == ["customer"]


async def test_the_own_contact_is_remembered_for_who_comes_later(store: AsyncStore) -> None:
    await said(store, TELEGRAM)
    await shared(store, TELEGRAM, own())
    await said(store, SMS)
    assert await together(store, SMS, TELEGRAM)


@pytest.mark.parametrize(
    "card",
    [
        Contact("Ada", (NUMBER,), own=False),
        Contact("Ada", (), own=True),
        Contact("Ada", ("call me", "110"), own=True),
    ],
)
async def test_a_card_that_is_not_the_own_proves_nothing(store: AsyncStore, card: Contact) -> None:
    await said(store, WHATSAPP)
    await said(store, TELEGRAM)
    assert await shared(store, TELEGRAM, card) is None
    assert not await together(store, WHATSAPP, TELEGRAM)
    assert (await customer_of(store, TELEGRAM)).phones == ()


async def test_a_card_does_not_replace_the_number_that_an_address_is(store: AsyncStore) -> None:
    await said(store, SMS)
    await said(store, Address("whatsapp", "shop", "14155238886"))
    assert await shared(store, SMS, own("+14155238886")) is None
    assert (await customer_of(store, SMS)).phones == (NUMBER,)


# Joining and parting.


async def test_an_undone_merge_leaves_both_as_they_were(store: AsyncStore) -> None:
    ada, bob = await said(store, TELEGRAM, "Ada"), await said(store, WEB, "Bob")
    made = await merge(store, _node(TELEGRAM), _node(WEB), AGENT, "one mail address")
    assert await together(store, TELEGRAM, WEB)
    undone = await undo(store, made.id, "bea")
    assert (undone.undone_by, undone.why) == ("bea", "one mail address")
    assert undone.undone_at >= undone.at
    assert not await together(store, TELEGRAM, WEB)
    assert (await said(store, TELEGRAM)).id == ada.id
    assert ((await said(store, WEB)).id, (await said(store, WEB)).name) == (bob.id, "Bob")


async def test_undoing_parts_exactly_what_that_merge_joined(store: AsyncStore) -> None:
    for address in (TELEGRAM, WEB, MESSENGER):
        await said(store, address)
    first = await merge(store, _node(TELEGRAM), _node(WEB), AGENT, "")
    # Proven from the web chat, so it stays with the web chat.
    await merge(store, _node(WEB), _node(MESSENGER), AGENT, "")
    assert await together(store, TELEGRAM, WEB, MESSENGER)
    await undo(store, first.id, "bea")
    assert await together(store, WEB, MESSENGER)
    assert not await together(store, TELEGRAM, WEB)


async def test_what_two_merges_hold_together_one_undoing_does_not_part(store: AsyncStore) -> None:
    for address in (TELEGRAM, WEB):
        await said(store, address)
    made = await merge(store, _node(TELEGRAM), _node(WEB), AGENT, "")
    assert (await merge(store, _node(WEB), _node(TELEGRAM), AGENT, "again")).id == made.id
    await undo(store, made.id, "bea")
    assert not await together(store, TELEGRAM, WEB)
    undone_at = (await undo(store, made.id, "cleo")).undone_at
    assert (await undo(store, made.id, "dora")).undone_at == undone_at
    again = await merge(store, _node(WEB), _node(TELEGRAM), AGENT, "after all")
    assert again.id != made.id
    assert await together(store, TELEGRAM, WEB)


async def test_a_number_does_not_overrule_who_parted_two_but_the_own_card_does(
    store: AsyncStore,
) -> None:
    await said(store, WHATSAPP)
    await said(store, SMS)
    (made,) = await store.find(Merge, {})
    await undo(store, made.id, "bea")
    await said(store, SMS)
    await said(store, WHATSAPP)
    assert not await together(store, SMS, WHATSAPP)
    # As a worker leaves it that died before it noted that it had looked for others.
    await store.change(Customer, {"id": _node(SMS)}, set={"matched": False})
    assert not await together(store, SMS, WHATSAPP)
    await shared(store, SMS, own())
    assert await together(store, SMS, WHATSAPP)


async def test_what_is_not_there_cannot_be_joined_or_parted(store: AsyncStore) -> None:
    await said(store, WEB)
    with pytest.raises(NoSuchCustomer):
        await merge(store, _node(WEB), _node(TELEGRAM), AGENT, "")
    with pytest.raises(NoSuchMerge):
        await undo(store, _node(WEB), "bea")
    assert await store.count(Merge, {}) == 0


async def test_nobody_has_more_addresses_than_anybody_has(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "MOST_ADDRESSES", 3)
    everywhere = [Address("sms", f"account{n}", NUMBER) for n in range(5)]
    sizes = [len((await said(store, a)).addresses) for a in everywhere]
    assert sizes == [1, 2, 3, 1, 1]
    with pytest.raises(TooManyAddresses):
        await merge(store, _node(everywhere[0]), _node(everywhere[4]), AGENT, "")


# Moving.


async def test_who_moves_is_the_same_at_the_new_address(store: AsyncStore) -> None:
    ada = await said(store, WHATSAPP, "Ada", "de")
    new = Address("whatsapp", "shop", "14155238886")
    for _ in range(2):
        found = await moved(store, WHATSAPP, "14155238886")
        assert (found.id, found.addresses, found.name) == (ada.id, (new.key,), "Ada")
        assert found.phones == (NUMBER, "+14155238886")
    assert (await said(store, new)).id == ada.id
    assert await whose(store, new) == ada.id
    assert await store.count(Customer, {}) == 2


async def test_whoever_gets_an_old_number_is_somebody_else(store: AsyncStore) -> None:
    ada = await said(store, WHATSAPP, "Ada")
    await moved(store, WHATSAPP, "14155238886")
    assert await whose(store, WHATSAPP) == ""
    stranger = await said(store, WHATSAPP, "Eve")
    assert stranger.id != ada.id
    assert stranger.addresses == (WHATSAPP.key,)
    # Neither is who texts from it from now on the one who left it.
    assert (await said(store, SMS)).id == stranger.id
    assert (await said(store, Address("whatsapp", "shop", "14155238886"))).id == ada.id


async def test_who_moves_back_is_still_the_same(store: AsyncStore) -> None:
    ada = await said(store, WHATSAPP)
    new = Address("whatsapp", "shop", "14155238886")
    await moved(store, WHATSAPP, new.user)
    back = await moved(store, new, WHATSAPP.user)
    assert (back.id, back.addresses) == (ada.id, (WHATSAPP.key,))


@pytest.mark.parametrize("new", ["", WHATSAPP.user])
async def test_to_move_nowhere_is_not_to_move(store: AsyncStore, new: str) -> None:
    ada = await said(store, WHATSAPP)
    assert (await moved(store, WHATSAPP, new)).addresses == ada.addresses


# Codes.


async def test_a_code_typed_elsewhere_joins(store: AsyncStore) -> None:
    await said(store, WEB)
    await said(store, TELEGRAM)
    code = await issue(store, WEB)
    assert len(code) == 6
    assert code.isdecimal()
    done = await redeem(store, TELEGRAM, code)
    assert (done.became, done.other) == ("linked", WEB)
    assert await together(store, WEB, TELEGRAM)
    assert (await store.find(Merge, {}))[0].why == "link code"


async def test_a_code_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    store = AsyncStore(SqliteStore(tmp_path / "codes.db"), DOCUMENTS)
    try:
        code = await issue(store, WEB)
        (kept,) = await store.find(LinkCode, {})
        assert code not in str(kept.to_mongo().to_dict())
        assert (await redeem(store, TELEGRAM, code)).became == "linked"
    finally:
        await store.close()


async def test_a_code_is_good_for_one_use_elsewhere(store: AsyncStore) -> None:
    code = await issue(store, WEB)
    assert (await redeem(store, WEB, code)).became == "here"
    assert (await redeem(store, TELEGRAM, code)).became == "linked"
    assert (await redeem(store, MESSENGER, code)).became == "wrong"
    # A worker that died after it may do the same again.
    assert (await redeem(store, TELEGRAM, code)).became == "linked"
    await open_talk(store, WEB, MESSENGER)
    assert not await together(store, WEB, MESSENGER)


async def test_two_who_type_a_code_at_once_do_not_both_get_in(store: AsyncStore) -> None:
    code = await issue(store, WEB)
    both = await asyncio.gather(redeem(store, TELEGRAM, code), redeem(store, MESSENGER, code))
    assert sorted(done.became for done in both) == ["linked", "wrong"]


async def test_a_new_code_ends_the_old_one(store: AsyncStore) -> None:
    old, new = await issue(store, WEB), await issue(store, WEB)
    while new == old:
        new = await issue(store, WEB)
    assert (await redeem(store, TELEGRAM, old)).became == "wrong"
    assert (await redeem(store, TELEGRAM, new)).became == "linked"


async def test_a_code_dies_of_age(store: AsyncStore, monkeypatch: pytest.MonkeyPatch) -> None:
    code = await issue(store, WEB)
    later = utcnow() + codes.LIFE
    monkeypatch.setattr(codes, "utcnow", lambda: later)
    assert (await redeem(store, TELEGRAM, code)).became == "wrong"
    # And makes room for another.
    await issue(store, TELEGRAM)
    monkeypatch.setattr(codes, "utcnow", lambda: later + timedelta(hours=2))
    await issue(store, MESSENGER)
    assert [c.conversation for c in await store.find(LinkCode, {})] == [MESSENGER.key]


async def test_a_code_that_is_taken_is_not_given_twice(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    thrown = iter([7, 7, 8])
    monkeypatch.setattr(codes.secrets, "randbelow", lambda most: next(thrown))
    assert await issue(store, WEB) == "000007"
    assert await issue(store, TELEGRAM) == "000008"
    monkeypatch.setattr(codes.secrets, "randbelow", lambda most: 8)
    with pytest.raises(identity.codes.NoCode):
        await issue(store, MESSENGER)


async def test_guessing_in_one_conversation_ends_after_five(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await issue(store, WEB)
    guesses = [await redeem(store, TELEGRAM, _wrong(code, n)) for n in range(7)]
    assert [g.became for g in guesses] == ["wrong"] * 5 + ["too often"] * 2
    assert (await redeem(store, TELEGRAM, code)).became == "too often"
    later = utcnow() + codes.PERIOD + timedelta(seconds=1)
    monkeypatch.setattr(codes, "utcnow", lambda: later)
    assert (await redeem(store, TELEGRAM, await issue(store, WEB))).became == "linked"
    assert await store.count(LinkTry, {}) == 0


async def test_a_code_dies_after_ten_wrong_ones_from_anywhere(store: AsyncStore) -> None:
    code = await issue(store, WEB)
    for n in range(10):
        await redeem(store, Address("webchat", "site", f"eve{n}"), _wrong(code, n))
    assert (await redeem(store, TELEGRAM, code)).became == "wrong"


async def test_a_code_outlives_nine_wrong_ones_from_anywhere(store: AsyncStore) -> None:
    code = await issue(store, WEB)
    for n in range(9):
        await redeem(store, Address("webchat", "site", f"eve{n}"), _wrong(code, n))
    assert (await redeem(store, TELEGRAM, code)).became == "linked"


async def test_guessing_makes_codes_longer_and_ends_none_of_those(store: AsyncStore) -> None:
    guesses = iter(range(100))

    async def guessed(code: str, times: int) -> None:
        for n in range(times):
            eve = Address("webchat", "site", f"eve{next(guesses)}")
            assert (await redeem(store, eve, _wrong(code, n))).became == "wrong"

    await guessed(await issue(store, WEB), 11)
    code = await issue(store, WEB)
    assert len(code) == codes.LONG_DIGITS
    await guessed(code[:6], 30)
    assert (await redeem(store, TELEGRAM, code)).became == "linked"


async def test_guesses_made_at_once_are_bounded_too(store: AsyncStore) -> None:
    """The right one among a hundred at once: at most ten may have been looked at before it."""
    for _ in range(5):
        code = await issue(store, WEB)
        order: list[str] = []
        noted = Noted(store, order)
        guesses = [_wrong(code, n) for n in range(60)] + [code]
        random.shuffle(guesses)
        who = [Address("webchat", "site", f"eve{n}") for n in range(len(guesses))]
        done = await asyncio.gather(
            *(redeem(noted, a, g) for a, g in zip(who, guesses, strict=True))  # type: ignore[arg-type]
        )
        right = who[guesses.index(code)].key
        if done[guesses.index(code)].became == "linked":
            assert order.index(right) < codes.MOST_WRONG_IN_ALL
        await store.delete(LinkTry, {})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("482913", "482913"),
        ("link 482913", "482913"),
        ("the code is 482 913!", "482913"),
        ("482-913", "482913"),
        ("４８２９１３", "482913"),
        ("٤٨٢٩١٣", "482913"),
        ("482913 yes 482913", "482913"),
        ("482913105", "482913105"),
        ("my code is 482 913-105", "482913105"),
        ("482913 or 482914", None),
        ("482913 482914", None),
        ("48291310", None),
        ("48291", None),
        ("4829130", None),
        ("", None),
        ("link my whatsapp", None),
    ],
)
def test_a_code_is_read(text: str, code: str | None) -> None:
    assert read_code(text) == code


# Races and crashes.


class Dice:
    """A store whose calls begin in an order of chance."""

    def __init__(self, store: AsyncStore, seed: int) -> None:
        self._store, self._dice = store, random.Random(seed)

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._store, name)

        async def call(*args: Any, **options: Any) -> Any:
            await asyncio.sleep(self._dice.choice((0, 0, 0.001, 0.004)))
            found = await verb(*args, **options)
            await asyncio.sleep(self._dice.choice((0, 0, 0.001, 0.004)))
            return found

        return call


class Before:
    """A store where another worker does something right before the first such call."""

    def __init__(
        self, store: AsyncStore, verb: str, cls: type, do: Callable[[], Awaitable[Any]]
    ) -> None:
        self._store, self._verb, self._cls = store, verb, cls
        self._do: Callable[[], Awaitable[Any]] | None = do

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._store, name)

        async def call(cls: Any, *args: Any, **options: Any) -> Any:
            if name == self._verb and cls is self._cls and self._do is not None:
                do, self._do = self._do, None
                await do()
            return await verb(cls, *args, **options)

        return call


class Noted:
    """A store that notes in which order wrong codes are counted."""

    def __init__(self, store: AsyncStore, order: list[str]) -> None:
        self._store, self._order = store, order

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._store, name)

        async def insert(document: Any) -> None:
            await verb(document)
            if isinstance(document, LinkTry):
                self._order.append(document.conversation)

        return insert if name == "insert" else verb


@pytest.mark.parametrize("seed", range(15))
async def test_merges_that_cross_lose_nobody(store: AsyncStore, seed: int) -> None:
    """Everybody is joined with everybody, both ways round, all at once."""
    line = [Address("line", "shop", f"user{n}") for n in range(5)]
    for address in line:
        await said(store, address)
    dice = random.Random(seed)
    pairs = [(a, b) for a in line for b in line if a != b]
    dice.shuffle(pairs)
    slow = Dice(store, seed)
    await asyncio.gather(
        *(merge(slow, _node(a), _node(b), AGENT, "") for a, b in pairs[: dice.randint(8, 20)])  # type: ignore[arg-type]
    )
    await _right(store, line)


async def test_who_tells_conversations_what_was_true_tells_them_again(store: AsyncStore) -> None:
    for address in (MESSENGER, TELEGRAM, WEB):
        await said(store, address)
    # All of it happens while the first merge is about to tell its conversations.
    late: Any = Before(
        store,
        "find",
        Conversation,
        lambda: merge(store, _node(MESSENGER), _node(TELEGRAM), AGENT, ""),
    )
    await merge(late, _node(TELEGRAM), _node(WEB), AGENT, "")
    assert await store.count(Merge, {}) == 2
    assert {await whose(store, a) for a in (MESSENGER, TELEGRAM, WEB)} == {str(_node(MESSENGER))}


async def test_two_workers_with_the_same_merge_make_one(store: AsyncStore) -> None:
    for address in (TELEGRAM, WEB):
        await said(store, address)
    for verb, cls in (("change", Customer), ("find", Merge)):
        late: Any = Before(
            store, verb, cls, lambda: merge(store, _node(WEB), _node(TELEGRAM), AGENT, "first")
        )
        made = await merge(late, _node(TELEGRAM), _node(WEB), AGENT, "second")
        assert made.why == "first"
        await undo(store, made.id, "bea")
        assert not await together(store, TELEGRAM, WEB)


@pytest.mark.parametrize("seed", range(15))
async def test_joining_and_parting_at_once_leaves_conversations_right(
    store: AsyncStore, seed: int
) -> None:
    line = [Address("line", "shop", f"user{n}") for n in range(5)]
    for address in line:
        await said(store, address)
    dice = random.Random(seed)
    slow: Any = Dice(store, seed)
    for _ in range(4):
        active = await store.find(Merge, {"undone_at": None})
        doing: list[Awaitable[Any]] = [
            undo(slow, m.id, "bea") for m in active if dice.random() < 0.5
        ]
        for _ in range(4):
            a, b = dice.sample(line, 2)
            doing.append(merge(slow, _node(a), _node(b), AGENT, ""))
        doing += [customer_of(slow, a) for a in line]
        await asyncio.gather(*doing)
        await _right(store, line)


async def _right(store: AsyncStore, line: list[Address]) -> None:
    """What merges say, worked out in another way, is what customers and conversations say."""
    group = {_node(a): {_node(a)} for a in line}
    merges = await store.find(Merge, {})
    for one in merges:
        assert one.settled
        if one.undone_at is None:
            both = group[one.one] | group[one.other]
            group.update(dict.fromkeys(both, both))
    for a in line:
        mine = {b.key for b in line if _node(b) in group[_node(a)]}
        told = await whose(store, a)
        found = await customer_of(store, a)
        assert (set(found.addresses), found.id) == (mine, told)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Callable[[], AsyncStore]]:
    """As many stores as a test wants."""
    opened: list[AsyncStore] = []

    def another() -> AsyncStore:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(store_in(folder))
        return opened[-1]

    yield another
    for one in opened:
        await one.close()


@dataclass(frozen=True)
class Play:
    """Who has written before, what happens then, and who are one person in the end."""

    before: Sequence[Address]
    then: Callable[[Any], Awaitable[Any]]
    persons: Sequence[Sequence[Address]]


async def _part(store: Any) -> None:
    (made,) = await store.find(Merge, {})
    await undo(store, made.id, "bea")


async def _link(store: Any) -> None:
    assert (await redeem(store, TELEGRAM, "000007")).became == "linked"


NEW = Address("webchat", "site", "c3d4")
PLAYS = {
    "a new customer": Play([], lambda s: customer_of(s, WEB, Profile("Ada")), [[WEB]]),
    "the same number": Play([WHATSAPP], lambda s: customer_of(s, SMS), [[WHATSAPP, SMS]]),
    "the own card": Play([TELEGRAM, SMS], lambda s: shared(s, TELEGRAM, own()), [[TELEGRAM, SMS]]),
    "joined by hand": Play(
        [TELEGRAM, WEB],
        lambda s: merge(s, _node(WEB), _node(TELEGRAM), AGENT, "seen at the counter"),
        [[TELEGRAM, WEB]],
    ),
    "parted": Play([WHATSAPP, SMS], _part, [[WHATSAPP], [SMS]]),
    "moved": Play([WEB], lambda s: moved(s, WEB, NEW.user), [[NEW], [WEB]]),
    "a code": Play([WEB, TELEGRAM], _link, [[TELEGRAM, WEB]]),
}


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", PLAYS)
async def test_a_failed_call_to_the_store_changes_nothing_in_the_end(
    stores: Callable[[], AsyncStore], name: str, applied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call fails in turn, and what was under way is done once more, as after a crash."""
    monkeypatch.setattr(codes.secrets, "randbelow", lambda most: 7)
    play = PLAYS[name]
    for at in range(1, 200):
        store = stores()
        await open_talk(store, *(a for group in play.persons for a in group))
        for address in play.before:
            await said(store, address)
        if name == "a code":
            await issue(store, WEB)
        failing = Failing(store, at=at, applied=applied)
        failed = False
        try:
            await play.then(failing)
        except StoreDown:
            failed = True
            await play.then(store)
        ids = []
        for group in play.persons:
            found = await customer_of(store, group[0])
            assert set(found.addresses) == {a.key for a in group}, f"call {at}"
            assert {await whose(store, a) for a in group} == {found.id}, f"call {at}"
            ids.append(found.id)
        assert len(set(ids)) == len(play.persons)
        assert await store.count(Merge, {"settled": False}) == 0, f"call {at}"
        if not failed:
            assert at > 3
            return
    raise AssertionError("it never ended")


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
async def test_what_a_dead_worker_left_of_a_merge_is_finished_by_another(
    stores: Callable[[], AsyncStore], applied: bool
) -> None:
    for at in range(1, 40):
        store = stores()
        for address in (TELEGRAM, WEB):
            await said(store, address)
        dying = Failing(store, at=at, applied=applied)
        with contextlib.suppress(StoreDown):
            await merge(dying, _node(TELEGRAM), _node(WEB), AGENT, "")  # type: ignore[arg-type]
        if dying.calls < at:
            return
        committed = await store.count(Merge, {})
        await settle(store)
        assert await together(store, TELEGRAM, WEB) == bool(committed)
        assert await store.count(Merge, {"settled": False}) == 0
    raise AssertionError("a merge never ended")


def _node(address: Address) -> Any:
    return customer_id(address.key)


def _wrong(code: str, n: int) -> str:
    return f"{(int(code) + 1 + n) % 1_000_000:06}"
