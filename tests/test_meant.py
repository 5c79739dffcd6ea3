"""What customers meant: through the turn, with an echo for a brain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.dialogue.contract import Outcome
from bot.folding import Heard, fold
from bot.message import (
    RATE,
    Album,
    Choice,
    Choices,
    Content,
    Deletion,
    Edit,
    Inbound,
    Location,
    Media,
    Menu,
    Option,
    Reaction,
    Section,
    Text,
    Unsupported,
    decode,
    encode,
    utcnow,
)
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.messages import DONE, DROPPED, FAILED, HELD, PENDING, SENT, Message, to_message
from bot.store.turns import Turn
from bot.turn import Turns
from tests.kit.build import address, inbound, row
from tests.kit.channel import CAN

YES_NO = (Option("Yes", "/affirm"), Option("No", "/deny"))
FRUIT = (Option("Apple", '/take{"fruit": "apple"}'), Option("Pear", '/take{"fruit": "pear"}'))


class Ear:
    """A brain that says nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.heard: list[Content] = []

    async def take(self, said: Inbound, state: dict[str, Any] | None, hints: Any = None) -> Outcome:
        self.heard.append(said.content)
        return Outcome([], [Text("well")], state or {}, {}, None)


async def asked(store: AsyncStore, *contents: Content, turn: str = "t1") -> None:
    """The bot said this in one turn, and it was sent."""
    for n, content in enumerate(contents):
        said = row(
            content, n=n, id=f"{turn}:{n}", turn=turn, status=SENT, provider_id=f"{turn}.{n}"
        )
        await store.insert(said)


async def hear(
    store: AsyncStore, content: Content, *behind: Content, reply_to: str = ""
) -> tuple[Turn, list[Content]]:
    """Take the turn of a message, with others pending behind it."""
    rows = [to_message(replace(inbound(c), reply_to=reply_to)) for c in (content, *behind)]
    await store.insert_new(rows)
    ear = Ear()
    return await taken(store, ear, *rows), ear.heard


async def taken(store: AsyncStore, ear: Ear, *rows: Message) -> Turn:
    """Take the turn of the first of these rows."""
    turns = Turns(store, ear, lambda channel: CAN, turn_seconds=5)
    lease = Conversation(id=address().key, lease_until=utcnow(), created=utcnow(), lease_epoch=1)
    return await turns.take(rows[0], lease, behind=rows[1:])


def numbered(options: Sequence[Option] = FRUIT) -> Text:
    return Text("Which?", tuple(options))


@pytest.mark.parametrize(
    "said",
    [
        *("2", " 2. ", "2)", "#2", "no. 2", "option 2", "Number Two", "2️⃣", "２", "٢"),
        *("two", "zwei", "deux", "dos", "dois", "due", "twee", "dwa", "iki", "second"),
        *("pear", "PEAR!", " Pear. "),
    ],
)
async def test_a_typed_answer_means_the_option_it_names(store: AsyncStore, said: str) -> None:
    await asked(store, numbered())
    _, heard = await hear(store, Text(said))
    assert heard == [Choice(FRUIT[1].payload, "Pear", "t1.0")]


@pytest.mark.parametrize(
    "said",
    [
        *("3", "0", "22", "2 apples", "a pear please", "", "1042", "-2"),
        # Words that begin as "no" and "n" do, and end in a number.
        *("none", "noun", "nuno"),
    ],
)
async def test_what_names_no_option_stays_words(store: AsyncStore, said: str) -> None:
    await asked(store, numbered())
    _, heard = await hear(store, Text(said))
    assert heard == [Text(said)]


async def test_numbers_count_only_where_they_were_shown_and_titles_everywhere(
    store: AsyncStore,
) -> None:
    await asked(store, Choices("Which?", FRUIT))
    assert (await hear(store, Text("2")))[1] == [Text("2")]
    await asked(store, Menu("Which?", (Section("Fruit", FRUIT),)), turn="t2")
    assert (await hear(store, Text("apple")))[1] == [Choice(FRUIT[0].payload, "Apple", "t2.0")]


STARS = tuple(Option("★" * n, f'{RATE}{{"case": "c", "stars": {n}}}') for n in range(1, 6))


@pytest.mark.parametrize(
    "said",
    [
        *("4", "four", "vier", "4 stars", "Four stars!", "4 Sterne", "4 étoiles", "4/5", "4 / 5"),
        *("4 out of 5", "4 von 5", "★★★★", "⭐⭐⭐⭐", "4 ⭐", "4⭐", "4️⃣"),
    ],
)
async def test_stars_may_be_typed_where_they_are_buttons(store: AsyncStore, said: str) -> None:
    await asked(store, Choices("How was it?", STARS))
    turn, _ = await hear(store, Text(said))
    assert decode(turn.heard) == Choice(STARS[3].payload, "★★★★", "t1.0")


@pytest.mark.parametrize(
    "said", ["6 stars", "0", "4 lamps", "no stars", "where is order 4", "★★★★★★"]
)
async def test_what_are_no_stars_to_be_given_stays_words(store: AsyncStore, said: str) -> None:
    await asked(store, Choices("How was it?", STARS))
    assert (await hear(store, Text(said)))[1] == [Text(said)]


async def test_only_the_last_question_is_answered(store: AsyncStore) -> None:
    await asked(store, numbered(), turn="t1")
    await asked(store, Text("By the way."), turn="t2")
    assert (await hear(store, Text("2")))[1] == [Text("2")]


async def test_a_question_followed_by_words_in_the_same_turn_is_still_the_last(
    store: AsyncStore,
) -> None:
    await asked(store, numbered(), Text("Take your time."))
    assert (await hear(store, Text("1")))[1] == [Choice(FRUIT[0].payload, "Apple", "t1.0")]


@pytest.mark.parametrize("status", [DROPPED, FAILED, HELD])
async def test_a_question_that_was_never_seen_is_not_answered(
    store: AsyncStore, status: str
) -> None:
    await asked(store, numbered(), turn="t1")
    await asked(store, numbered(YES_NO), turn="t2")
    await store.change(Message, {"id": "t2:0"}, set={"status": status})
    assert (await hear(store, Text("2")))[1] == [Choice(FRUIT[1].payload, "Pear", "t1.0")]
    # Nor was its button offered, unless it is the very one that was pressed.
    assert (await hear(store, Choice("/deny", "No")))[1] == [Text("No")]
    assert (await hear(store, Choice("/deny", "No", "t2.0")))[1] == [Choice("/deny", "No", "t2.0")]


async def test_a_number_answers_the_question_it_quotes(store: AsyncStore) -> None:
    await asked(store, numbered(), turn="t1")
    await asked(store, numbered(YES_NO), Text("Take your time."), turn="t2")
    assert (await hear(store, Text("2"), reply_to="t1.0"))[1] == [
        Choice(FRUIT[1].payload, "Pear", "t1.0")
    ]


async def test_a_number_that_quotes_other_words_of_the_bot(store: AsyncStore) -> None:
    await asked(store, Text("By the way."), turn="t1")
    await asked(store, numbered(), Text("Take your time."), turn="t2")
    # Those said with the question stand for it, older ones do not.
    (meaning,) = (await hear(store, Text("2"), reply_to="t2.1"))[1]
    assert meaning == Choice(FRUIT[1].payload, "Pear", "t2.0")
    await asked(store, numbered(), turn="t3")
    assert (await hear(store, Text("2"), reply_to="t1.0"))[1] == [Text("2")]


async def test_one_tap_too_many_is_not_another_answer(store: AsyncStore) -> None:
    await asked(store, Choices("Right?", YES_NO))
    taps = [to_message(inbound(Choice(p, "", "t1.0"))) for p in ("/affirm", "#0", "#0", "/deny")]
    await store.insert_new(taps)
    ear = Ear()
    for tap in taps:
        await taken(store, ear, tap)
    assert ear.heard == [Choice("/affirm", "Yes", "t1.0"), Choice("/deny", "No", "t1.0")]
    # Once it was answered, whoever presses it again means it.
    assert (await hear(store, Choice("/deny", "No", "t1.0")))[1] == [Choice("/deny", "No", "t1.0")]


async def test_a_second_thumb_is_not_another_answer(store: AsyncStore) -> None:
    await asked(store, Choices("Right?", YES_NO))
    thumbs = [to_message(inbound(Reaction("t1.0", emoji))) for emoji in "👍❤"]
    await store.insert_new(thumbs)
    ear = Ear()
    for thumb in thumbs:
        await taken(store, ear, thumb)
    assert [c.title for c in ear.heard if isinstance(c, Choice)] == ["Yes"]


async def test_an_option_that_opens_a_page_cannot_be_chosen(store: AsyncStore) -> None:
    await asked(store, numbered([Option("Page", "", url="https://x.example"), *FRUIT]))
    assert (await hear(store, Text("1")))[1] == [Text("1")]
    assert (await hear(store, Choice("", "Page")))[1] == [Text("Page")]


@pytest.mark.parametrize(
    ("emoji", "means"),
    [("👍", "Yes"), ("👍🏽", "Yes"), ("❤️", "Yes"), ("✅", "Yes"), ("👎", "No"), ("🙅🏻‍♀️", "No")],
)
async def test_a_thumb_on_a_yes_or_no_question_answers_it(
    store: AsyncStore, emoji: str, means: str
) -> None:
    await asked(store, Choices("Right?", YES_NO))
    _, heard = await hear(store, Reaction("t1.0", emoji))
    assert [c.title for c in heard if isinstance(c, Choice)] == [means]


@pytest.mark.parametrize(
    "reaction",
    [
        Reaction("t1.0", "👍", removed=True),
        Reaction("t1.0", "🤔"),
        Reaction("t0.0", "👍"),
        Reaction("nothing", "👍"),
        Reaction("", "👍"),
    ],
)
async def test_other_reactions_are_not_answered(store: AsyncStore, reaction: Reaction) -> None:
    await asked(store, Choices("Right?", YES_NO), turn="t0")
    await asked(store, Choices("Which?", FRUIT), turn="t1")
    turn, heard = await hear(store, reaction)
    assert heard == []
    assert turn.replies == []


async def test_a_correction_in_time_changes_the_message(store: AsyncStore) -> None:
    first = inbound("helo", n=1)
    edit = Edit(first.provider_id, "hello")
    rows = [to_message(first), to_message(inbound("and", n=2)), to_message(inbound(edit, n=3))]
    await store.insert_new(rows)
    ear = Ear()
    turns = Turns(store, ear, lambda channel: CAN, turn_seconds=5)
    lease = Conversation(id=address().key, lease_until=utcnow(), created=utcnow(), lease_epoch=1)
    turn = await turns.take(rows[0], lease, behind=rows[1:])
    assert ear.heard == [Text("hello")]
    assert turn.folded == [rows[2].id]
    assert decode(turn.heard) == Text("hello")
    statuses = [(await store.get(Message, r.id)).status for r in rows]  # type: ignore[union-attr]
    assert statuses == [DONE, PENDING, DONE]


async def test_a_thumb_that_is_written_answers_as_well(store: AsyncStore) -> None:
    await asked(store, Choices("Right?", YES_NO))
    assert (await hear(store, Text("👍🏽")))[1] == [Choice("/affirm", "Yes", "t1.0")]
    assert (await hear(store, Text("👍 great")))[1] == [Text("👍 great")]


async def test_a_message_cut_into_files_is_changed_as_a_whole(store: AsyncStore) -> None:
    files = [
        Inbound(address(), f"mid.{n}", Media("image", ref=f"f{n}"), album="mid") for n in range(2)
    ]
    for change, heard in ((Edit("mid", "see"), "see"), (Deletion("mid"), None)):
        rows = [to_message(f) for f in files]
        rows.append(to_message(Inbound(address(), "later", change)))
        said = fold(rows)
        assert getattr(said.content, "caption", None) == heard
        assert len(said.folded) == 2


def test_a_message_cut_into_several_turns_is_taken_back_in_each() -> None:
    said: list[Content] = [Text("Here I am"), Location(1.0, 2.0)]
    rows = [to_message(Inbound(address(), f"mid.{n}", c)) for n, c in enumerate(said)]
    rows.append(to_message(Inbound(address(), "later", Deletion("mid"))))
    assert fold(rows) == Heard(None, ())
    assert fold(rows[1:]) == Heard(None, (rows[2].id,))


def test_what_is_no_file_of_an_album_is_answered_on_its_own() -> None:
    rows = [part(0), to_message(Inbound(address(), "x", Unsupported("poll"), album="a1")), part(1)]
    heard = fold(rows)
    assert isinstance(heard.content, Album)
    assert heard.folded == (rows[2].id,)
    assert fold(rows[1:]) == Heard(Unsupported("poll"), ())


async def test_a_message_taken_back_in_time_is_not_answered(store: AsyncStore) -> None:
    rows = [to_message(inbound("oops", n=5)), to_message(inbound(Deletion("ann-5"), n=6))]
    await store.insert_new(rows)
    ear = Ear()
    turns = Turns(store, ear, lambda channel: CAN, turn_seconds=5)
    lease = Conversation(id=address().key, lease_until=utcnow(), created=utcnow(), lease_epoch=1)
    turn = await turns.take(rows[0], lease, behind=rows[1:])
    assert ear.heard == []
    assert (turn.decision, turn.replies) == ({"by": "customer", "withdrawn": True}, [])
    assert turn.folded == [rows[1].id]


async def test_a_correction_of_the_message_answered_last_is_a_new_one(store: AsyncStore) -> None:
    turn, _ = await hear(store, Text("helo"))
    of = turn.id.split(":", 2)[2]
    assert (await hear(store, Edit(of, "helo")))[1] == []
    # The turn in between said nothing, so the one before it is not the last any more.
    again, _ = await hear(store, Text("wher is it"))
    of = again.id.split(":", 2)[2]
    assert (await hear(store, Edit(of, "where is it")))[1] == [Text("where is it")]


async def test_what_was_answered_last_may_be_corrected_more_than_once(store: AsyncStore) -> None:
    turn, _ = await hear(store, Text("wher is it"))
    of = turn.id.split(":", 2)[2]
    assert (await hear(store, Edit(of, "where is it")))[1] == [Text("where is it")]
    assert (await hear(store, Edit(of, "where is it?")))[1] == [Text("where is it?")]
    assert (await hear(store, Edit(of, "where is it?")))[1] == []


async def test_the_words_of_a_file_that_was_answered_with_others_may_be_corrected(
    store: AsyncStore,
) -> None:
    rows = [part(0), part(1, caption="my oder")]
    await store.insert_new(rows)
    turn = await taken(store, Ear(), *rows)
    assert turn.folded == [rows[1].id]
    assert (await hear(store, Edit(rows[1].provider_id, "my order")))[1] == [Text("my order")]


async def test_only_the_conversations_own_messages_are_meant(store: AsyncStore) -> None:
    for n in range(5):
        other = row(Choices("Right?", YES_NO), user=f"u{n}", id=f"o{n}", provider_id="t1.0")
        await store.insert(other)
    await asked(store, Choices("Right?", YES_NO))
    await asked(store, *(Text("…") for _ in range(11)), turn="t2")
    assert (await hear(store, Choice("#0", "?", "t1.0")))[1] == [Choice("/affirm", "Yes", "t1.0")]


async def test_a_correction_of_an_older_message_is_history(store: AsyncStore) -> None:
    turn, _ = await hear(store, Text("one"))
    await hear(store, Text("two"))
    assert (await hear(store, Edit(turn.id.split(":", 2)[2], "ONE")))[1] == []


def part(n: int, **fields: Any) -> Message:
    media = Media("image", ref=f"f{n}", **fields)
    said = inbound(media, n=n)
    return to_message(Inbound(said.address, said.provider_id, media, album="a1"))


async def test_the_parts_of_an_album_are_one_message(store: AsyncStore) -> None:
    rows = [part(0, caption="my order"), to_message(inbound("hm", n=9)), part(1), part(2)]
    await store.insert_new(rows)
    ear = Ear()
    turns = Turns(store, ear, lambda channel: CAN, turn_seconds=5)
    lease = Conversation(id=address().key, lease_until=utcnow(), created=utcnow(), lease_epoch=1)
    turn = await turns.take(rows[0], lease, behind=rows[1:])
    (album,) = ear.heard
    assert isinstance(album, Album)
    assert ([m.ref for m in album.items], album.caption) == (["f0", "f1", "f2"], "my order")
    assert turn.folded == [rows[2].id, rows[3].id]
    # One that comes late is a part of what has been answered.
    late = part(3)
    await store.insert(late)
    turn = await turns.take(late, lease)
    assert (len(ear.heard), turn.replies) == (1, [])
    # With words of its own it is answered.
    late = part(4, caption="and this?")
    await store.insert(late)
    assert (await turns.take(late, lease)).replies == [encode(Text("well"))]


def test_the_parts_of_an_album_wait_for_each_other() -> None:
    now = utcnow()
    assert (part(1).due - now).total_seconds() > 0.5
    assert (to_message(inbound("x")).due - utcnow()).total_seconds() <= 0
