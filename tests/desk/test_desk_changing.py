"""Changing and taking back what was said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.desk.desk import Desk
from bot.message import Deletion, Edit, Media, Text, encode
from bot.store import AsyncStore
from bot.store.conversations import AGENT, BOT, Conversation
from bot.store.deeds import Deed
from bot.store.journal import DELETED, EDITED, NOTE
from bot.store.messages import DELIVERED, DROPPED, FAILED, QUEUED, SENDING, SENT, Message
from connectors.errors import RetryLater
from tests.kit.at_desk import CHANGES, KEY, deed, desk_of, do, journal, out, talk, to_customer


@pytest.fixture
async def anna(store: AsyncStore) -> Desk:
    await talk(store, holder=AGENT, agent="anna")
    return desk_of(store, CHANGES)


async def said(desk: Desk, text: str, kind: str = "write") -> Deed:
    wanted = deed(kind, "anna", text)
    assert (await do(desk, wanted)).ok
    return wanted


async def became(store: AsyncStore, status: str, **more: Any) -> None:
    """Let the outbox have sent everything."""
    for n, row in enumerate(await out(store)):
        if row.status == QUEUED:
            change = {"status": status, "provider_id": f"p{n}", **more}
            await store.change(Message, {"id": row.id}, set=change)


async def test_what_has_not_gone_out_is_changed_in_the_outbox(
    store: AsyncStore, anna: Desk
) -> None:
    first = await said(anna, "It comes at 5.")
    assert (await do(anna, deed("edit", "anna", "It comes at 6.", of=first.id))).ok
    assert await to_customer(store) == [Text("It comes at 6.")]
    (entry,) = await journal(store)
    assert (entry.kind, entry.text, entry.details["before"]) == (
        EDITED,
        "It comes at 6.",
        "It comes at 5.",
    )


async def test_what_has_not_gone_out_is_taken_back_and_never_goes(
    store: AsyncStore, anna: Desk
) -> None:
    first = await said(anna, "Wrong customer.")
    assert (await do(anna, deed("delete", "anna", of=first.id))).ok
    assert [row.status for row in await out(store)] == [DROPPED]
    assert [entry.kind for entry in await journal(store)] == [DELETED]


@pytest.mark.parametrize("status", [SENT, DELIVERED])
async def test_what_was_sent_is_changed_and_taken_back_by_the_channel(
    store: AsyncStore, anna: Desk, status: str
) -> None:
    first = await said(anna, "It comes at 5.")
    await became(store, status)
    again = deed("edit", "anna", "It comes at 6.", of=first.id)
    for _ in range(2):
        assert (await do(anna, again)).ok
    gone = deed("delete", "anna", of=first.id)
    assert (await do(anna, gone)).ok
    rows = await out(store)
    assert [row.id for row in rows[1:]] == [f"{KEY}:agent:{d.id}:0" for d in (again, gone)]
    assert [row.agent for row in rows] == ["Anna Keller"] * 3
    assert (await to_customer(store))[1:] == [Edit("p0", "It comes at 6."), Deletion("p0")]


async def test_there_and_back_again_is_two_changes(store: AsyncStore, anna: Desk) -> None:
    first = await said(anna, "at 5")
    await became(store, SENT)
    for text in ("at 6", "at 5"):
        assert (await do(anna, deed("edit", "anna", text, of=first.id))).ok
        await became(store, SENT)
    assert (await to_customer(store))[1:] == [Edit("p0", "at 6"), Edit("p0", "at 5")]


@pytest.mark.parametrize(("kind", "verb"), [("edit", "change"), ("delete", "take back")])
async def test_where_the_channel_cannot_the_agent_is_told(
    store: AsyncStore, kind: str, verb: str
) -> None:
    key = "whatsapp:shop:ann"
    await talk(store, holder=AGENT, agent="anna")
    whatsapp = await store.get(Conversation, KEY)
    assert whatsapp is not None
    whatsapp.id = key
    await store.insert(whatsapp)
    desk = desk_of(store)
    first = deed("say", "anna", "It comes at 5.", conversation=key)
    await do(desk, first)
    row = f"{key}:agent:{first.id}:0"
    await store.change(Message, {"id": row}, set={"status": SENT, "provider_id": "w1"})
    done = await do(desk, deed(kind, "anna", "at 6", conversation=key, of=first.id))
    assert not done.ok
    assert done.text == (f"WhatsApp cannot {verb} a message that was sent; write a correction.")
    assert await to_customer(store, key) == [Text("It comes at 5.")]
    (entry,) = await journal(store, key)
    assert entry.details["ok"] is False


async def test_only_who_wrote_it_changes_it(store: AsyncStore, anna: Desk) -> None:
    first = await said(anna, "mine")
    for kind in ("edit", "delete"):
        done = await do(anna, deed(kind, "ben", "his", of=first.id))
        assert done.text == "Only Anna Keller, who wrote it, can change it."
    assert not (await do(anna, deed("edit", "anna", "x", of="unknown"))).ok
    assert await to_customer(store) == [Text("mine")]


async def test_who_has_it_no_more_changes_nothing_at_the_customers(
    store: AsyncStore, anna: Desk
) -> None:
    first = await said(anna, "at 5")
    await became(store, SENT)
    await store.change(Conversation, {"id": KEY}, set={"holder": BOT, "agent": ""})
    assert not (await do(anna, deed("edit", "anna", "at 6", of=first.id))).ok
    assert len(await out(store)) == 1


async def test_a_note_is_changed_and_emptied_in_the_journal_and_reaches_nobody(
    store: AsyncStore, anna: Desk
) -> None:
    first = await said(anna, "// he lies")
    assert (await do(anna, deed("edit", "anna", "he is tired", of=first.id))).ok
    assert (await do(anna, deed("edit", "anna", "note: he is very tired", of=first.id))).ok
    note = next(entry for entry in await journal(store) if entry.kind == NOTE)
    assert note.text == "he is very tired"
    assert (await do(anna, deed("delete", "anna", of=first.id))).ok
    note = next(entry for entry in await journal(store) if entry.kind == NOTE)
    assert note.text == ""
    assert DELETED in note.details
    assert await out(store) == []


async def test_what_was_said_does_not_become_a_note_at_the_customers(
    store: AsyncStore, anna: Desk
) -> None:
    first = await said(anna, "Hello")
    await became(store, SENT)
    assert not (await do(anna, deed("edit", "anna", "// he lies", of=first.id))).ok
    assert not (await do(anna, deed("edit", "anna", " ", of=first.id))).ok
    assert await to_customer(store) == [Text("Hello")]


async def test_one_that_is_at_the_provider_is_waited_for(store: AsyncStore, anna: Desk) -> None:
    first = await said(anna, "at 5")
    await became(store, SENDING)
    for kind in ("edit", "delete"):
        with pytest.raises(RetryLater):
            await do(anna, deed(kind, "anna", "at 6", of=first.id))
    assert await to_customer(store) == [Text("at 5")]


async def test_one_that_never_arrived_cannot_be_changed(store: AsyncStore, anna: Desk) -> None:
    first = await said(anna, "at 5")
    await became(store, FAILED)
    assert not (await do(anna, deed("edit", "anna", "at 6", of=first.id))).ok
    assert not (await do(anna, deed("delete", "anna", of=first.id))).ok


async def test_a_longer_text_goes_on_in_a_message_more_and_a_shorter_takes_one_back(
    store: AsyncStore, anna: Desk
) -> None:
    one, two = "This is the first sentence. " * 6, "This is the second sentence. " * 6
    first = await said(anna, one)
    await became(store, SENT)
    assert (await do(anna, deed("edit", "anna", one.strip() + "\n\n" + two, of=first.id))).ok
    assert (await to_customer(store))[1:] == [Text(two.strip())]
    long = await said(anna, one.strip() + "\n\n" + two)
    await became(store, SENT)
    assert (await do(anna, deed("edit", "anna", one, of=long.id))).ok
    assert isinstance((await to_customer(store))[-1], Deletion)


@pytest.mark.parametrize("status", [QUEUED, SENT])
async def test_the_words_under_a_picture_are_changed_there(
    store: AsyncStore, anna: Desk, status: str
) -> None:
    first = await said(anna, "old words")
    (row,) = await out(store)
    picture = Media("image", url="https://bot.example.com/1", caption="old words")
    change = {"content": encode(picture), "status": status, "provider_id": "p0"}
    await store.change(Message, {"id": row.id}, set=change)
    assert (await do(anna, deed("edit", "anna", "new words", of=first.id))).ok
    last = (await to_customer(store))[-1]
    if status == QUEUED:
        assert last == replace(picture, caption="new words")
    else:
        assert last == Edit("p0", "new words", of_file=True)
