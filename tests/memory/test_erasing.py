"""Forgetting a person: nothing personal is left in any file, nothing of others is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mongoengine import Document

from bot.consent import change, kept_out
from bot.desk.finishing import Finisher
from bot.desk.forgotten import find_forgotten
from bot.desk.routing_file import load_routing
from bot.identity import Person, customer_of, merge, moved, undo
from bot.media.folder import FolderVault
from bot.media.vault import AsyncVault, key_of
from bot.memory import erasing
from bot.memory.asking import ask
from bot.memory.erasing import Eraser, Overtaken, SlackAway
from bot.memory.keeping import remember
from bot.memory.quieting import Busy
from bot.message import Address, Profile, Text, encode, utcnow
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.cases import Case
from bot.store.consents import Consent
from bot.store.conversations import WAITING, Conversation
from bot.store.customers import Customer, LinkCode, LinkTry, Merge
from bot.store.dead_letters import RECEIVE, DeadLetter
from bot.store.deeds import Deed
from bot.store.documents import DOCUMENTS
from bot.store.files import KEPT, WANTED, StoredFile, handle_of
from bot.store.gaps import Gap
from bot.store.journal import Entry
from bot.store.lessons import Lesson
from bot.store.memory import ASKED, FORGOTTEN, Fact, Forgetting, Quiet
from bot.store.messages import DONE, PENDING, QUEUED, SENDING, Message, arrival, queued
from bot.store.proofs import FAILED, NOBODY, Challenge, Proof, ProofTry
from bot.store.reviews import Review
from bot.store.slack import POSTED, SlackPost, SlackThread
from bot.store.spending import Spending
from bot.store.steps import CARRIED_OUT, Step, Undertaking
from bot.store.turns import Turn

WHATSAPP = Address("whatsapp", "shop", "447700900123")
SMS = Address("sms", "shop", "+447700900123")
OTHER = Address("telegram", "shop", "5550001")
THIRD = Address("telegram", "shop", "5550002")
#: Planted wherever somebody's words may stand.
SECRET = "Zaubernuss-Weg"
PICTURE, SHARED = b"GIF89a Zaubernuss-Weg picture", b"a file that two have sent"


class Slack:
    """Slack's part of it: what was deleted there; or it is away, or does not let us."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.away = 0
        self.kept: set[str] = set()

    async def delete(self, account: str, channel: str, ts: str) -> bool:
        if self.away:
            self.away -= 1
            raise SlackAway("rate limited")
        if ts in self.kept:
            return False
        self.deleted.append(ts)
        return True

    async def delete_file(self, account: str, file: str) -> bool:
        return await self.delete(account, "", file)


@pytest.fixture
def vault(tmp_path: Path) -> AsyncVault:
    return AsyncVault(FolderVault(tmp_path / "media"))


def message(n: int, address: Address, text: str = SECRET, **more: Any) -> Message:
    now = utcnow()
    fields: dict[str, Any] = {
        "id": f"{address.channel}:{address.account}:p{n}",
        "direction": "in",
        "conversation": address.key,
        "channel": address.channel,
        "account": address.account,
        "status": DONE,
        "content": encode(Text(text)),
        "profile": {"name": SECRET},
        "arrived": arrival(),
        "sent": now,
        "due": now,
    }
    return Message(**{**fields, **more})


async def file(store: AsyncStore, vault: AsyncVault, address: Address, n: int, data: bytes) -> None:
    id = f"{address.channel}:{address.account}:p1:{n}"
    await vault.put(key_of(data), data, "image/gif")
    row = StoredFile(
        id=id,
        handle=handle_of(id),
        message=id[:-2],
        conversation=address.key,
        channel=address.channel,
        account=address.account,
        status=KEPT,
        type="image",
        media={"caption": SECRET},
        filename=f"{SECRET}.gif",
        key=key_of(data),
        due=utcnow(),
        at=utcnow(),
    )
    await store.insert(row)


async def life(store: AsyncStore, vault: AsyncVault, address: Address) -> Person:
    """Leave a trace of somebody in every collection where there can be one."""
    now, key = utcnow(), address.key
    talk = Conversation(id=key, created=now, lease_until=now, last_in=now, profile={"name": SECRET})
    await store.insert(talk)
    found = await customer_of(store, address, Profile(SECRET, "", "en"))
    asked = message(1, address)
    first = f"{asked.id}"
    thread = f"desk:{first}"
    rows: list[Document] = [
        asked,
        queued(f"{first}:0", key, Text(f"Hello {SECRET}"), order=1000, turn=first),
        Turn(
            id=first,
            conversation=key,
            seq=1,
            at=now,
            events=[{"text": SECRET}],
            heard=encode(Text(SECRET)),
            state={"slots": {"new_address": SECRET}},
        ),
        Case(id=first, conversation=key, topic="human", summary=SECRET, why=SECRET, at=now),
        Entry(id=f"note:{first}", conversation=key, kind="note", text=SECRET, at=now, arrived=1),
        Deed(
            id=f"console:{first}",
            kind="say",
            conversation=key,
            agent="anna",
            via="console",
            text=SECRET,
            status="done",
            at=now,
            arrived=1,
            due=now,
        ),
        Review(id=f"r{first}", conversation=key, agent="anna", draft=SECRET, at=now),
        Gap(id=first, conversation=key, why="unanswered", question=SECRET, at=now),
        Lesson(id=first, conversation=key, text=SECRET, at=now),
        Consent(id=first, conversation=key, state="in", scope="all", how="keyword", at=now),
        LinkCode(id=f"h{first}", conversation="web:s:x", made=now, until=now, used_by=key),
        LinkTry(conversation=key, at=now),
        Quiet(id=key, seq=1, due=now),
        Step(id=f"{first}:1", turn=first, conversation=key, n=1, at=now, tool="refund",
             args={"why": SECRET}, verdict="done"),
        Undertaking(id=f"{first}:refund", conversation=key, tool="refund", says={"what": SECRET},
                    at=now, due=now, until=now),
        Challenge(id=f"c{first}", customer=found.id, person=found.id, account="a", hashed="h",
                  made=now, until=now, letter={"to": SECRET}, status="queued", due=now),
        Proof(id=f"p{first}", customer=found.id, account="a", at=now, until=now),
        ProofTry(id=f"t{first}", person=found.id, account="a", at=now),
        Spending(id=f"conversation:{key}:2026-11-25", tokens=5, at=now),
        SlackThread(
            id=thread,
            case=first,
            conversation=key,
            account="desk",
            channel="C1",
            ts=f"card-{address.channel}",
            at=now,
            until=now,
            due=now,
        ),
        SlackPost(
            id=f"{thread}:{first}",
            thread=thread,
            order=1,
            shows=first,
            body={"text": SECRET},
            status=POSTED,
            ts=f"post-{address.channel}",
            due=now,
        ),
        DeadLetter(
            stage="turn", channel=address.channel, account=address.account, ref=first,
            reason="failed", detail=SECRET, at=now,
        ),
        DeadLetter(
            stage=RECEIVE, channel=address.channel, account=address.account, reason="unreadable",
            body=f'{{"from": "{address.user.lstrip("+")}", "text": "{SECRET}"}}'.encode(), at=now,
        ),
    ]  # fmt: skip
    await store.insert_new(rows)
    await remember(
        store, key, kind="fact", key="address", about="Address", value=SECRET, source=first,
        by="rule", at=now, days=30,
    )  # fmt: skip
    return found


async def left(store: AsyncStore) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {c.__name__: await store.find(c, {}) for c in DOCUMENTS}
    whose = {
        name: [row.id for row in rows if getattr(row, "person", "") != NOBODY]
        for name, rows in found.items()
    }
    return {name: ids for name, ids in whose.items() if ids}


def traces(folder: Path, *words: str) -> Iterator[str]:
    """Find words in the bytes of every file there is: pages in use or free, and the log."""
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for word in words:
                if word.encode() in data or word in path.name:
                    yield f"{path.name}: {word}"


async def test_nothing_is_left_in_any_file(
    store: AsyncStore, vault: AsyncVault, tmp_path: Path
) -> None:
    await life(store, vault, WHATSAPP)
    found = await life(store, vault, SMS)
    assert len(found.members) == 2
    await file(store, vault, WHATSAPP, 0, PICTURE)
    await change(store, SMS, id="stop", state="out", how="keyword", at=utcnow(), word=SECRET)
    # What stood in rows before they were changed must not be found either.
    await store.change(Case, {"id": "whatsapp:shop:p1"}, set={"summary": "short"})
    assert list(traces(tmp_path, SECRET))
    slack = Slack()
    done = await Eraser(store, vault, slack).work((await ask(store, found, by="cli")).id)
    assert done.status == FORGOTTEN
    assert done.finished is not None
    assert sorted(slack.deleted) == ["card-sms", "card-whatsapp", "post-sms", "post-whatsapp"]
    after = await left(store)
    # That he is not to be written to is known, and not who he is.
    assert sorted(after) == ["Forgetting", "OptOut", "OptOutKey"]
    assert list(traces(tmp_path, SECRET, "447700900123")) == []
    assert (await kept_out(store, SMS.key))["opted_out"] == "all"
    assert await kept_out(store, WHATSAPP.key) == {}


async def test_who_has_himself_forgotten_has_no_more_guesses(
    store: AsyncStore, vault: AsyncVault
) -> None:
    found = await life(store, vault, WHATSAPP)
    await Eraser(store, vault, Slack()).work((await ask(store, found, by="cli")).id)
    (guess,) = await store.find(ProofTry, {"account": "a"})
    (code,) = await store.find(Challenge, {"account": "a"})
    assert {guess.person, code.person, code.customer, code.hashed} == {NOBODY}
    assert (code.letter, code.status) == (None, FAILED)


async def test_others_keep_everything(store: AsyncStore, vault: AsyncVault, tmp_path: Path) -> None:
    found = await life(store, vault, WHATSAPP)
    await life(store, vault, OTHER)
    for address in (WHATSAPP, OTHER):
        await file(store, vault, address, 1, SHARED)
    before = {k: v for k, v in (await left(store)).items()}
    await Eraser(store, vault, Slack()).work((await ask(store, found, by="cli")).id)
    after = await left(store)
    assert len(after.pop("Forgetting")) == 1
    assert set(after) == set(before)
    assert all(len(after[name]) * 2 == len(rows) for name, rows in before.items()), after
    assert await vault.get(key_of(SHARED)) == SHARED
    assert list(traces(tmp_path, "447700900123")) == []


async def test_asking_twice_forgets_once_and_what_comes_later_begins_anew(
    store: AsyncStore, vault: AsyncVault
) -> None:
    found = await life(store, vault, WHATSAPP)
    eraser = Eraser(store, vault, Slack())
    row = await ask(store, found, by="cli")
    assert (await ask(store, found, by="anna")).id == row.id
    await eraser.work(row.id)
    assert (await eraser.work(row.id)).status == FORGOTTEN
    again = await life(store, vault, WHATSAPP)
    assert again.members[0].created > found.members[0].created
    other = await ask(store, again, by="cli")
    assert other.id != row.id
    # The old one, taken up by a process that has slept, does not touch who began anew.
    await store.change(Forgetting, {"id": row.id}, set={"status": ASKED, "due": utcnow()})
    stale = await store.get(Forgetting, row.id)
    assert stale is not None
    stale.members = [{"customer": str(found.members[0].id), "address": WHATSAPP.key}]
    await store.put(stale)
    await eraser.work(row.id)
    assert await store.get(Turn, "whatsapp:shop:p1") is not None
    assert await store.get(Customer, again.members[0].id) is not None


async def test_what_is_written_after_the_wish_waits_to_be_answered(
    store: AsyncStore, vault: AsyncVault
) -> None:
    found = await life(store, vault, WHATSAPP)
    early = message(2, WHATSAPP, status=PENDING)
    await store.insert(early)
    row = await ask(store, found, by="cli")
    late = message(3, WHATSAPP, "hello", status=PENDING)
    await store.insert(late)
    await Eraser(store, vault, Slack()).work(row.id)
    assert [m.id for m in await store.find(Message, {})] == [late.id]
    assert await store.find(Conversation, {}) == []


ELSEWHERE = {"owner": "elsewhere/1/1"}
FIRST = "whatsapp:shop:p1"
HANDS: dict[str, tuple[type[Document], str, dict[str, str], str]] = {
    "a worker": (Conversation, WHATSAPP.key, {"lease_owner": "elsewhere/1/1"}, "lease_until"),
    "a file": (StoredFile, f"{FIRST}:0", {"status": WANTED, **ELSEWHERE}, "due"),
    "a message": (Message, f"{FIRST}:0", {"status": SENDING, **ELSEWHERE}, "due"),
    "Slack": (SlackThread, f"desk:{FIRST}", ELSEWHERE, "until"),
    "an agent": (Deed, f"console:{FIRST}", {"status": "pending", **ELSEWHERE}, "due"),
}


@pytest.mark.parametrize("whose", HANDS)
async def test_whoever_has_a_part_of_it_in_hand_is_waited_for(
    store: AsyncStore, vault: AsyncVault, whose: str
) -> None:
    found = await life(store, vault, WHATSAPP)
    await file(store, vault, WHATSAPP, 0, PICTURE)
    cls, id, hand, until = HANDS[whose]
    ends = {until: utcnow() + timedelta(minutes=1)}
    assert await store.change(cls, {"id": id}, set={**hand, **ends})
    row = await ask(store, found, by="cli")
    eraser = Eraser(store, vault, Slack())
    with pytest.raises(Busy, match=whose.split()[-1]):
        await eraser.work(row.id)
    assert await store.get(Turn, "whatsapp:shop:p1") is not None
    # The claim has run out.
    assert await store.change(cls, {"id": id}, set={until: utcnow()})
    assert (await eraser.work(row.id)).status == FORGOTTEN
    assert await left(store) == {"Forgetting": [row.id]}


async def test_the_customer_is_told_before_all_is_gone(
    store: AsyncStore, vault: AsyncVault
) -> None:
    found = await life(store, vault, WHATSAPP)
    row = await ask(store, found, by="customer")
    eraser = Eraser(store, vault, Slack())
    with pytest.raises(Busy, match="told"):
        await eraser.work(row.id)
    (word,) = await store.find(Message, {"direction": "out", "status": QUEUED})
    await store.change(Message, {"id": word.id}, set={"status": "sent"})
    assert (await eraser.work(row.id)).status == FORGOTTEN


async def test_slack_that_is_away_is_tried_again_and_what_it_keeps_is_counted(
    store: AsyncStore, vault: AsyncVault
) -> None:
    found = await life(store, vault, WHATSAPP)
    slack = Slack()
    slack.away, slack.kept = 1, {"card-whatsapp"}
    eraser = Eraser(store, vault, slack)
    row = await ask(store, found, by="cli")
    with pytest.raises(SlackAway):
        await eraser.work(row.id)
    done = await eraser.work(row.id)
    assert (done.status, done.counts) == (FORGOTTEN, {"left": 1})
    assert slack.deleted == ["post-whatsapp"]


class Dying(AsyncStore):
    """A store whose process dies at its `n`-th change."""

    def __init__(self, store: AsyncStore, n: int) -> None:
        super().__init__(store.sync)
        self.n = n

    async def _run(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        if call.__name__ in ("change", "delete", "insert_new"):
            self.n -= 1
            if self.n < 0:
                raise StoreDown("died")
        return await super()._run(call, *args, **kwargs)


async def test_it_is_gone_on_with_wherever_it_died(
    store: AsyncStore, vault: AsyncVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await life(store, vault, WHATSAPP)
    await file(store, vault, WHATSAPP, 0, PICTURE)
    await change(store, WHATSAPP, id="stop", state="out", how="keyword", at=utcnow())
    row = await ask(store, found, by="cli")
    late = message(3, WHATSAPP, "hello", status=PENDING, profile={})
    await store.insert(late)
    for n in range(200):
        # Each process dies a step later than the one before, and another takes over at once.
        monkeypatch.setattr(erasing, "me", lambda n=n: f"host/{n}/1")
        monkeypatch.setattr(erasing, "is_dead", lambda owner: owner.startswith("host/"))
        try:
            done = await Eraser(Dying(store, n), vault, Slack()).work(row.id)
        except StoreDown:
            continue
        break
    assert n > 20
    assert done.status == FORGOTTEN
    rest = await left(store)
    assert sorted(rest) == ["Forgetting", "Message", "OptOut", "OptOutKey"]
    assert rest["Message"] == [late.id]
    assert list(traces(tmp_path, SECRET)) == []


async def test_only_one_process_works_on_it(store: AsyncStore, vault: AsyncVault) -> None:
    found = await life(store, vault, WHATSAPP)
    row = await ask(store, found, by="cli")
    soon = utcnow() + timedelta(minutes=1)
    await store.change(Forgetting, {"id": row.id}, set={"owner": "elsewhere/1/1", "due": soon})
    eraser = Eraser(store, vault, Slack())
    assert await eraser.due() == []
    with pytest.raises(Overtaken):
        await eraser.work(row.id)


async def test_of_an_address_that_was_given_up_the_next_one_keeps_his_own(
    store: AsyncStore, vault: AsyncVault
) -> None:
    await life(store, vault, WHATSAPP)
    found = await moved(store, WHATSAPP, "14155238886")
    await customer_of(store, WHATSAPP, Profile("Somebody else", "", "en"))
    mine = message(9, WHATSAPP, "mine")
    await store.insert(mine)
    await Eraser(store, vault, Slack()).work((await ask(store, found, by="cli")).id)
    assert [m.id for m in await store.find(Message, {})] == [mine.id]
    assert [c.name for c in await store.find(Customer, {})] == ["Somebody else"]
    assert await store.get(Conversation, WHATSAPP.key) is not None
    for cls in (Turn, Case, Fact, Merge, Entry):
        assert await store.find(cls, {}) == [], cls


async def test_joined_by_hand_is_forgotten_as_one(store: AsyncStore, vault: AsyncVault) -> None:
    one, two = await life(store, vault, WHATSAPP), await life(store, vault, OTHER)
    await merge(store, one.members[0].id, two.members[0].id, "agent", "seen")
    found = await customer_of(store, OTHER)
    row = await ask(store, found, by="cli")
    await Eraser(store, vault, Slack()).work(row.id)
    assert await left(store) == {"Forgetting": [row.id]}


async def test_what_the_shop_answers_later_is_not_written_down(
    store: AsyncStore, vault: AsyncVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await life(store, vault, WHATSAPP)
    row = await ask(store, found, by="cli")

    async def answers(undertaking: Undertaking) -> tuple[str, dict[str, Any]]:
        """The shop takes so long that all is forgotten when it has paid."""
        await Eraser(store, vault, Slack()).work(row.id)
        return CARRIED_OUT, {"status": CARRIED_OUT}

    monkeypatch.setattr("actions.resolving.doing.asked_again", answers)
    (pending,) = await store.find(Undertaking, {})
    await Finisher(store, Limits(), lambda: None)._finish(pending)
    assert await left(store) == {"Forgetting": [row.id]}


async def test_nobody_opens_a_case_for_who_is_being_forgotten(
    store: AsyncStore, vault: AsyncVault
) -> None:
    await life(store, vault, WHATSAPP)
    found = await life(store, vault, SMS)
    for address in (WHATSAPP, SMS):
        await store.change(Conversation, {"id": address.key}, set={"holder": WAITING})

    class Meanwhile(Slack):
        """Takes its time, in which the rounds of workers go on."""

        async def delete(self, account: str, channel: str, ts: str) -> bool:
            assert await find_forgotten(store, load_routing()) == 0
            late = Review(id=f"late {ts}", conversation=WHATSAPP.key, agent="anna", at=utcnow())
            await store.insert_new([late])
            return await super().delete(account, channel, ts)

    row = await ask(store, found, by="cli")
    await Eraser(store, vault, Meanwhile()).work(row.id)
    assert await left(store) == {"Forgetting": [row.id]}


async def test_what_joined_others_does_not_tell_his_address(
    store: AsyncStore, vault: AsyncVault, tmp_path: Path
) -> None:
    two = await life(store, vault, THIRD)
    found, one = await life(store, vault, WHATSAPP), await life(store, vault, OTHER)
    made = await merge(store, one.members[0].id, found.members[0].id, "agent", "seen")
    # The two of them were one person when the third came along.
    await merge(store, two.members[0].id, one.members[0].id, "agent", "seen")
    await undo(store, made.id, "agent")
    alone = await customer_of(store, WHATSAPP)
    assert len(alone.members) == 1
    await Eraser(store, vault, Slack()).work((await ask(store, alone, by="cli")).id)
    assert list(traces(tmp_path, "447700900123")) == []
    assert len((await customer_of(store, OTHER)).members) == 2
