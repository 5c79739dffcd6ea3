"""A conversation turn by turn, and how one is found."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.dialogue.why import explain, explain_page
from bot.insight.recent import recent, search
from bot.message import Text, utcnow
from bot.store import AsyncStore
from bot.store.messages import SENT, queued
from tests.kit.designs import sound_project
from tests.kit.traffic import HELLO, KEY, NUMBER, ORDER, PERSON, STOP, Heard, traffic

OTHER = "sms:shop:447700900999"
AGO = timedelta(minutes=30)


async def test_a_page_says_of_each_turn_what_is_said_of_it_alone(
    store: AsyncStore, tmp_path: Path
) -> None:
    root = sound_project(tmp_path / "shop")
    ids = await traffic(store, utcnow() - AGO, HELLO, ORDER, NUMBER, HELLO, STOP)
    page = await explain_page(store, KEY, root=root)
    assert [one.message for one in page.turns] == ids
    assert list(page.turns) == [await explain(store, id, root=root) for id in ids]
    assert page.more is False
    assert [step.source for step in page.turns[2].steps] == [
        "the form order_form goes on",
        "rule 'The number is known'",
    ]
    assert [step.source for step in page.turns[4].steps] == ["story 'Hello and stop'"]


async def test_a_long_conversation_is_read_from_its_end(store: AsyncStore, tmp_path: Path) -> None:
    root = sound_project(tmp_path / "shop")
    ids = await traffic(store, utcnow() - AGO, *[HELLO, ORDER, NUMBER] * 4)
    newest = await explain_page(store, KEY, count=5, root=root)
    assert [one.message for one in newest.turns] == ids[-5:]
    assert newest.more
    before = newest.turns[0].seq
    older = await explain_page(store, KEY, before=before, count=5, root=root)
    assert [one.message for one in older.turns] == ids[-10:-5]
    # The first of a page has its past all the same.
    alone = [await explain(store, id, root=root) for id in ids[-10:-5]]
    assert list(older.turns) == alone
    first = await explain_page(store, KEY, before=3, count=5, root=root)
    assert (len(first.turns), first.more) == (2, False)


async def test_words_of_a_person_stand_between_the_turns(store: AsyncStore) -> None:
    at = utcnow() - AGO
    await traffic(store, at, PERSON, HELLO, apart=300)
    for n, (minute, words) in enumerate(((2, "Anna here, Amara"), (12, "later"))):
        row = queued(f"a{n}", KEY, Text(words), order=5000 + n, agent="Anna")
        row.arrived = int((at + timedelta(minutes=minute)).timestamp() * 1_000_000)
        row.sent, row.status = at + timedelta(minutes=minute), SENT
        await store.insert(row)
    page = await explain_page(store, KEY)
    assert [(one.by, one.text) for one in page.said] == [
        ("Anna", "Anna here, [name]"),
        ("Anna", "later"),
    ]
    # What came after the page's last turn belongs to the next page.
    first = await explain_page(store, KEY, before=2)
    assert [one.text for one in first.said] == ["Anna here, [name]"]


async def test_nobody_has_written(store: AsyncStore) -> None:
    assert (await explain_page(store, KEY)).turns == ()
    assert await recent(store) == []


async def test_conversations_are_found_by_what_one_knows_of_them(store: AsyncStore) -> None:
    now = utcnow()
    mail = Heard("mail me at amara@example.com", "order", 0.6)
    (first, _) = await traffic(store, now - AGO, HELLO, mail)
    await traffic(store, now - AGO * 2, HELLO, PERSON, key=OTHER)
    told = await recent(store)
    assert [one["id"] for one in told] == [KEY, OTHER]
    assert told[0]["said"] == "mail me at [email]"
    assert (told[0]["turns"], told[0]["intent"], told[0]["handed"]) == (2, "order", False)
    assert told[1]["handed"] is True
    assert [one["id"] for one in await search(store, "sms:")] == [OTHER]
    assert [one["id"] for one in await search(store, KEY)] == [KEY]
    assert [one["id"] for one in await search(store, first)] == [KEY]
    assert await search(store, "telegram:shop:1") == []
