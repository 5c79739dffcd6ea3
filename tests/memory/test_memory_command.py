"""``bot customer`` and what is known: shown, corrected, exported, forgotten."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.cli import parser
from bot.customer import customer
from bot.identity import customer_of
from bot.media.folder import FolderVault
from bot.media.vault import key_of
from bot.memory.asking import ask
from bot.memory.exporting import EXPORTED
from bot.message import Address, Media, Profile, Text, encode, utcnow
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.customers import Customer, LinkCode, LinkTry
from bot.store.dead_letters import DeadLetter
from bot.store.documents import DOCUMENTS
from bot.store.files import KEPT, StoredFile
from bot.store.lessons import Lesson
from bot.store.memory import FORGOTTEN, GONE, Fact, Forgetting
from bot.store.messages import Message, arrival
from bot.store.proofs import Challenge, Proof
from bot.store.slack import SlackThread
from bot.store.steps import Undertaking
from tests.kit.settings import settings_in

WHATSAPP = Address("whatsapp", "shop", "447700900123")
SMS = Address("sms", "shop", "+447700900123")
PICTURE = b"GIF89a of a mug"

Command = Callable[..., Any]


@pytest.fixture
def bot_customer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    settings = settings_in(tmp_path)

    async def run(*arguments: Any) -> tuple[int, str, str]:
        args = parser().parse_args(["customer", *map(str, arguments)])
        status = await customer(args, settings)
        return (status, *capsys.readouterr())

    return run


async def wrote(store: AsyncStore, address: Address, text: str) -> None:
    now = utcnow()
    talk = Conversation(id=address.key, created=now, lease_until=now, last_in=now)
    await store.insert_new([talk])
    await customer_of(store, address, Profile("Amara", "", "en"))
    row = Message(
        id=f"{address.channel}:shop:m1",
        direction="in",
        conversation=address.key,
        channel=address.channel,
        account="shop",
        status="done",
        content=encode(Text(text)),
        arrived=arrival(),
        sent=now,
        due=now,
    )
    await store.insert(row)


async def test_facts_are_set_shown_on_each_channel_and_taken_away(
    store: AsyncStore, bot_customer: Command
) -> None:
    await wrote(store, WHATSAPP, "hello")
    await wrote(store, SMS, "hello")
    assert (await bot_customer("set", WHATSAPP.key, "Shoe size", "41"))[0] == 0
    status, out, _ = await bot_customer("show", SMS.key)
    assert status == 0
    assert "remembered" in out
    assert "shoe_size: 41  (agent, command)" in out
    await store.change(Customer, {"address": SMS.key}, set={"name": "Amara\x1b[2J"})
    await bot_customer("set", WHATSAPP.key, "Colour", "red\x1b]0;evil\x07")
    assert "\x1b" not in (await bot_customer("show", SMS.key))[1]
    status, _, err = await bot_customer("set", SMS.key, "Card", "4111 1111 1111 1111")
    assert (status, "payment data" in err, "4111" in err) == (1, True, False)
    assert (await bot_customer("unset", SMS.key, "shoe_size"))[0] == 0
    assert "shoe_size" not in (await bot_customer("show", WHATSAPP.key))[1]
    assert (await bot_customer("unset", SMS.key, "shoe_size"))[0] == 1


async def test_an_export_holds_everything_and_the_files(
    store: AsyncStore, bot_customer: Command, tmp_path: Path
) -> None:
    await wrote(store, WHATSAPP, "the mug is broken")
    await wrote(store, SMS, "it is me again")
    await bot_customer("set", WHATSAPP.key, "Shoe size", "41")
    key = key_of(PICTURE)
    FolderVault(tmp_path / "media").put(key, PICTURE, "image/gif")
    row = StoredFile(
        id="whatsapp:shop:m1:0",
        handle="h",
        message="whatsapp:shop:m1",
        conversation=WHATSAPP.key,
        channel="whatsapp",
        account="shop",
        status=KEPT,
        type="image",
        media=encode(Media("image", ref="x")),
        filename="mug.gif",
        key=key,
        due=utcnow(),
        at=utcnow(),
    )
    await store.insert(row)
    status, out, _ = await bot_customer("export", SMS.key)
    told = json.loads(out)
    assert status == 0
    assert (told["name"], told["phones"]) == ("Amara", ["+447700900123"])
    texts = [a["messages"][0]["content"]["text"] for a in told["addresses"].values()]
    assert sorted(texts) == ["it is me again", "the mug is broken"]
    assert told["memory"][0]["value"] == "41"
    assert "handle" not in told["addresses"][WHATSAPP.key]["files"][0]
    file = tmp_path / "amara.zip"
    status, out, _ = await bot_customer("export", SMS.key, "--file", file)
    assert (status, "1 files" in out) == (0, True)
    assert file.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(file) as archive:
        assert archive.read("files/0000-mug.gif") == PICTURE
        assert json.loads(archive.read("data.json"))["id"] == told["id"]
    status, _, err = await bot_customer("export", SMS.key, "--file", file)
    assert (status, str(file) in err) == (1, True)


def test_every_kind_of_row_that_is_of_a_customer_is_in_an_export() -> None:
    names = {"conversation", "customer", "person", "one", "address"}
    of_customers = {cls for cls in DOCUMENTS if names & set(cls._fields)}
    assert of_customers - EXPORTED == {LinkCode, LinkTry, SlackThread}


async def test_codes_and_dead_letters_are_exported_without_what_opens_something(
    store: AsyncStore, bot_customer: Command
) -> None:
    await wrote(store, WHATSAPP, "hello")
    id = (await customer_of(store, WHATSAPP)).id
    now = utcnow()
    await store.insert_new(
        [
            Proof(id="p", customer=id, account="a", by="mail", at=now, until=now),
            Challenge(id="c", customer=id, person=id, account="a", hashed="h4sh", made=now,
                      until=now, letter={"body": "code 123456"}, status="queued", due=now),
            DeadLetter(stage="turn", channel="whatsapp", account="shop", ref="whatsapp:shop:m1",
                       reason="r", at=now),
            DeadLetter(stage="receive", channel="whatsapp", account="shop", reason="odd",
                       body=b"From=%2B447700900123&of=somebody-else", at=now,
                       headers={"x-signature": "s3cret"}),
            DeadLetter(stage="receive", channel="whatsapp", account="shop", reason="not his",
                       body=b"{4477009001234}", at=now),
            Lesson(id="whatsapp:shop:m1", conversation=WHATSAPP.key, at=now,
                   confidence=float("nan")),
        ]
    )  # fmt: skip
    _, out, _ = await bot_customer("export", WHATSAPP.key)
    here = json.loads(out, parse_constant=pytest.fail)["addresses"][WHATSAPP.key]
    assert [row["by"] for row in here["proofs"]] == ["mail"]
    assert [row["status"] for row in here["codes"]] == ["queued"]
    assert [row["stage"] for row in here["dead_letters"]] == ["turn", "receive"]
    for secret in ("h4sh", "s3cret", "somebody-else"):
        assert secret not in out
    assert "123456" not in out


async def test_it_is_finished_by_the_command_whose_process_was_killed(
    store: AsyncStore, bot_customer: Command
) -> None:
    await wrote(store, WHATSAPP, "Zaubernuss")
    found = await customer_of(store, WHATSAPP)
    await ask(store, found, by="command")
    await store.delete(Customer, {"address": WHATSAPP.key})
    assert (await bot_customer("export", WHATSAPP.key))[0] == 1
    status, out, _ = await bot_customer("forget", WHATSAPP.key, "--yes")
    assert (status, out.strip()) == (0, "forgotten everywhere")
    assert await store.find(Message, {}) == []
    # Killed at the very end.
    await store.change(Forgetting, {"status": FORGOTTEN}, set={"status": GONE, "owner": ""})
    assert (await bot_customer("forget", WHATSAPP.key, "--yes"))[0] == 0
    assert (await bot_customer("forget", WHATSAPP.key, "--yes"))[0] == 1


async def test_what_the_shop_has_not_answered_is_told_before_all_is_forgotten(
    store: AsyncStore, bot_customer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wrote(store, WHATSAPP, "hello")
    now = utcnow()
    row = {"conversation": WHATSAPP.key, "tool": "refund", "at": now, "due": now, "until": now}
    await store.insert(Undertaking(id="m1:refund", **row))
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
    status, out, _ = await bot_customer("forget", WHATSAPP.key)
    assert (status, "not asked again: refund (m1:refund)" in out) == (1, True)


async def test_forgetting_asks_first_and_leaves_only_that_it_was_done(
    store: AsyncStore,
    bot_customer: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await wrote(store, WHATSAPP, "Zaubernuss")
    await wrote(store, SMS, "Zaubernuss")
    await bot_customer("set", WHATSAPP.key, "Street", "Zaubernuss 1")
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
    status, out, _ = await bot_customer("forget", SMS.key)
    assert (status, "nothing was deleted" in out) == (1, True)
    assert await store.find(Forgetting, {}) == []
    status, out, _ = await bot_customer("forget", SMS.key, "--yes")
    assert (status, out.strip()) == (0, "forgotten everywhere")
    for cls in (Customer, Conversation, Message, Fact):
        assert await store.find(cls, {}) == [], cls
    (row,) = await store.find(Forgetting, {})
    assert (row.status, row.members, row.held, row.done) == (FORGOTTEN, [], {}, [])
    for path in tmp_path.glob("bot.db*"):
        data = path.read_bytes()
        assert b"Zaubernuss" not in data
        assert b"447700900123" not in data
    status, _, err = await bot_customer("forget", SMS.key, "--yes")
    assert (status, "nobody has written" in err) == (1, True)
