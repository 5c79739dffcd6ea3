"""The console's API, served for real, with the store, the desk and its clerk behind it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.desk.console_files import ConsoleFiles
from bot.media.seal import Seal
from bot.media.vault import AsyncVault
from bot.message import Event, Media, Reaction, utcnow
from bot.settings import Server
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.deeds import Deed
from bot.store.files import StoredFile
from bot.store.files import wanted as files_of
from bot.store.journal import Entry
from bot.store.messages import READ, Message
from bot.store.reviews import Review
from bot.store.turns import Turn
from connectors.errors import NoFile
from tests.kit.console import (
    KEY,
    Browser,
    Served,
    browsing,
    heard,
    said,
    serving,
    settings_of,
    waits,
)
from tests.kit.waiting import PATIENCE, until

BEN = ("ben", "staple of another one")
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
async def served(store: AsyncStore, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(store, settings_of(tmp_path)) as made:
        yield made


@pytest.fixture
async def anna(served: Served) -> AsyncIterator[Browser]:
    async with browsing(served, "anna") as made:
        yield made


async def rows(browser: Browser, view: str) -> list[dict[str, Any]]:
    status, told = await browser.get("inbox", view=view)
    assert status == 200
    found: list[dict[str, Any]] = told["rows"]
    return found


async def names(browser: Browser, view: str) -> list[str]:
    return [row["name"] for row in await rows(browser, view)]


def wish(kind: str = "note", **what: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "kind": kind, "conversation": KEY, "text": "x", **what}


async def test_every_route_asks_who_it_is(served: Served) -> None:
    async with browsing(served) as nobody:
        for name in ("me", "inbox", "conversation", "deed", "events"):
            assert (await nobody.get(name, id=KEY))[0] == 401
        assert (await nobody.post("/api/deed", wish()))[0] == 401
        assert (await nobody.post("/api/file", {}))[0] == 401


async def test_what_another_site_sends_is_not_done(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    await waits(store)
    evil = "https://evil.example"
    forged: list[dict[str, str]] = [
        {"Origin": evil},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": served.url, "Sec-Fetch-Site": "cross-site"},
        {"Origin": served.url, "Sec-Fetch-Site": "same-site"},
        {"Origin": f"{served.url}.evil.example"},
        {"Origin": served.url.replace("127.0.0.1", "127.0.0.2")},
    ]
    for headers in forged:
        for path in ("/api/deed", "/api/file", "/logout", "/login"):
            assert (await anna.post(path, wish(), **headers))[0] == 403
    # As a form of another site sends it: with a type that needs no leave.
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        for path in ("deed", "file"):
            async with anna.session.post(
                f"{served.url}/console/api/{path}",
                data=json.dumps(wish()),
                headers={**anna.headers, "Content-Type": kind},
            ) as answer:
                assert answer.status == 415
    assert await store.count(Deed, {}) == 0
    assert (await anna.post("/api/deed", wish(), **{"Sec-Fetch-Site": "same-origin"}))[0] == 200


async def test_behind_a_proxy_the_public_address_is_ours(store: AsyncStore, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, server=Server(public_url="https://bot.example.com/"))
    async with serving(store, settings, clerk=False) as served, browsing(served) as anna:
        body = {"account": "anna", "password": "wrong password"}
        assert (await anna.post("/login", body, Origin="https://bot.example.com"))[0] == 401
        assert (await anna.post("/login", body, Origin="https://bot.example.com.evil"))[0] == 403


async def test_the_most_urgent_stands_first_in_every_list(anna: Browser, store: AsyncStore) -> None:
    await waits(store, "sms:shop:1", name="Old", minutes=90)
    await waits(store, "sms:shop:2", name="Urgent", minutes=1, priority="urgent", topic="legal")
    await waits(store, "sms:shop:3", name="New", minutes=2)
    await waits(store, "sms:shop:4", name="High", minutes=3, priority="high")
    assert await names(anna, "waiting") == ["Urgent", "High", "Old", "New"]
    await anna.deed("take", "sms:shop:1")
    await anna.deed("say", "sms:shop:1", text="Hello, Anna here.")
    assert await names(anna, "waiting") == ["Urgent", "High", "New"]
    (mine,) = await rows(anna, "mine")
    assert (mine["name"], mine["agent_name"], mine["since"]) == ("Old", "Anna Keller", "")
    assert mine["last"]["text"] == "Hello, Anna here."
    assert len(await names(anna, "all")) == 4
    assert (await anna.get("me"))[1]["counts"] == {"waiting": 3, "mine": 1, "all": 4}
    (urgent, *_) = await rows(anna, "waiting")
    assert urgent["due"] > urgent["since"] > ""
    assert (await anna.get("inbox", view="everything"))[0] == 400


async def test_conversations_of_the_bot_can_be_taken_unasked(
    anna: Browser, store: AsyncStore
) -> None:
    at = utcnow() - timedelta(seconds=30)
    for n in range(3):
        key = f"telegram:shop:{n}"
        await store.insert(Conversation(id=key, lease_until=at, created=at, last_in=at))
        await store.insert(heard("hello", key, n, at=at + timedelta(seconds=n), name=f"Bot {n}"))
    assert await names(anna, "bot") == ["Bot 2", "Bot 1", "Bot 0"]
    done = await anna.deed("take", "telegram:shop:1")
    assert done["ok"]
    assert await names(anna, "bot") == ["Bot 2", "Bot 0"]
    (mine,) = await rows(anna, "mine")
    # The bot had not answered yet: now it is Anna whom the customer waits for.
    wrote = (at + timedelta(seconds=1)).isoformat()
    assert (mine["conversation"], mine["since"][:19]) == ("telegram:shop:1", wrote[:19])


async def test_a_conversation_is_told_whole(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    case = await waits(store, language="en")
    await store.insert(said("I pass you on.", n=1, status=READ))
    reaction = heard(Reaction("in-0", "👍"), n=2)
    await store.insert(reaction)
    picture = heard(Media("image", ref="r", caption="look", filename="a.png"), n=3)
    await store.insert(picture)
    (file,) = files_of(picture)
    file.status, file.mime, file.filename, file.size = "kept", "image/png", "a.png", 7
    file.key = file.sha256 = "0" * 64
    await store.insert(file)
    seen = {"language": "en", "mood": -0.5, "urgency": 0.2, "frustrated": True}
    await store.insert(Turn(id="t", conversation=KEY, seq=1, at=utcnow(), perception=seen))
    await store.insert(Review(id="r", conversation=KEY, agent="ben", draft="d", at=utcnow()))
    old = Case(id="old", conversation=KEY, status=RESOLVED, topic="delivery", at=utcnow(), rating=4)
    await store.insert(old)
    await anna.deed("note", text="only for us")
    status, told = await anna.get("conversation", id=KEY)
    assert status == 200
    assert (told["name"], told["holder"], told["window"]["open"]) == ("Amara Osei", WAITING, True)
    assert (told["case"]["id"], told["case"]["why"]) == (case.id, "asked for a person")
    assert [c["id"] for c in told["before"]] == ["old"]
    assert (told["seen"]["mood"], told["seen"]["frustrated"]) == (-0.5, True)
    assert told["draft"]["review"] == "r"
    by_id = {line["id"]: line for line in told["lines"]}
    assert [line["who"] for line in told["lines"]] == [
        *("customer", "bot", "customer", "customer", "desk"),
    ]
    assert by_id[f"{KEY}:out-1"]["status"] == READ
    assert (by_id[reaction.id]["kind"], by_id[reaction.id]["of"]) == ("reaction", "in-0")
    note = told["lines"][-1]
    assert (note["kind"], note["text"], note["name"]) == ("note", "only for us", "Anna Keller")
    (shown,) = by_id[picture.id]["files"]
    assert shown["url"].startswith(f"/media/{file.handle}?expires=")
    expires = int(shown["url"].split("expires=")[1].split("&")[0])
    assert 3600 <= expires - utcnow().timestamp() <= 7200
    # The file's bytes are not there, but the link is good.
    async with anna.session.get(served.url + shown["url"]) as answer:
        assert answer.status == 404
    later = told["lines"][2]["arrived"]
    rest = (await anna.get("conversation", id=KEY, after=str(later)))[1]["lines"]
    assert [line["id"] for line in rest] == [picture.id, note["id"]]


async def test_ids_that_are_none_find_nothing(anna: Browser, store: AsyncStore) -> None:
    await waits(store)
    for id in ("whatsapp:shop:1", "../../etc/passwd", "a\x00b", "$gt", "x" * 1000, "a:b"):
        assert (await anna.get("conversation", id=id))[0] == 404
        assert (await anna.get("deed", id=id))[0] == 404
        assert (await anna.post("/api/deed", wish(conversation=id)))[0] == 404
    for query in ({}, {"id": "x" * 1001}, {"id": KEY, "after": "-1"}, {"id": KEY, "after": "１"}):
        assert (await anna.get("conversation", **query))[0] == 400
    for path in ("app.py", "..%2Fapp.py", "%2e%2e/app.py", "index.html%00.js", ".hidden.js"):
        async with anna.session.get(
            aiohttp.client.URL(f"{anna.url}/console/page/{path}", encoded=True)
        ) as answer:
            assert answer.status == 404


async def test_a_deed_is_done_once_however_often_it_is_sent(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    await waits(store)
    asked = wish("note", text="once")
    answers = await asyncio.gather(*(anna.post("/api/deed", asked) for _ in range(8)))
    assert {status for status, _ in answers} == {200}
    assert len({json.dumps(told) for _, told in answers}) == 1
    assert await store.count(Entry, {"conversation": KEY}) == 1
    told = answers[0][1]
    assert (told["status"], told["result"]["ok"]) == ("done", True)
    assert (await anna.get("deed", id=told["id"])) == (200, told)
    assert (await anna.post("/api/deed", {**asked, "text": "twice"}))[0] == 409
    assert "desk" in served.rung
    # What is another agent's is not to be seen, nor to be made in that name.
    async with browsing(served, *BEN) as ben:
        assert (await ben.get("deed", id=told["id"]))[0] == 404
        await ben.post("/api/deed", {**asked, "agent": "anna", "name": "Anna", "via": "cli"})
    deeds = await store.find(Deed, {"conversation": KEY})
    assert sorted((d.agent, d.name, d.via) for d in deeds) == [
        ("anna", "Anna Keller", "console"),
        ("ben", "Ben Okafor", "console"),
    ]


async def test_what_cannot_be_kept_or_is_no_deed_is_refused(
    anna: Browser, store: AsyncStore
) -> None:
    await waits(store)
    deep: Any = "x"
    for _ in range(20):
        deep = [deep]
    wrong: list[Any] = [
        [],
        wish("nonsense"),
        wish(id="1"),
        wish(id="../" + str(uuid.uuid4())),
        wish(conversation=""),
        wish(conversation=7),
        wish(text=["x"]),
        wish(text="x" * 20_001),
        wish(args=["x"]),
        wish(args={"a": deep}),
        wish(args={"$set": 1}),
        wish(args={"a.b": 1}),
        wish(args={"n": 2**70}),
        wish(args={"n": float("nan")}),
        wish(files="x"),
        wish(files=[{"ref": "kept:" + "0" * 64 + "." + "0" * 64}]),
        wish(files=[None]),
    ]
    for asked in wrong:
        status, told = await anna.post("/api/deed", asked)
        assert status == 400, asked
        assert told["error"]
    raw = {**anna.headers, "Content-Type": "application/json"}
    for data, status in ((b"{", 400), (b"[" * 100_000, 400), (b"x" * 300_000, 413)):
        async with anna.session.post(
            f"{anna.url}/console/api/deed", data=data, headers=raw
        ) as answer:
            assert answer.status == status
    assert await store.count(Deed, {}) == 0
    # The desk's own word for what was settled cannot be brought along.
    await anna.deed("take", args={"plan": {"agent": "ben"}, "priority": "high"})
    deed = (await store.find(Deed, {"conversation": KEY}))[0]
    assert (deed.args or {}).get("plan") != {"agent": "ben"}


async def test_of_fifty_takes_at_once_one_has_it_and_all_are_told(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    await waits(store)
    async with browsing(served, *BEN) as ben:
        who = [anna, ben]
        results = await asyncio.gather(*(who[n % 2].deed("take") for n in range(50)))
    held = await store.get(Conversation, KEY)
    assert held is not None
    assert (held.holder, held.epoch) == (AGENT, 1)
    won = {"anna": 0, "ben": 1}[held.agent]
    assert [r["ok"] for r in results] == [n % 2 == won for n in range(50)]
    name = ("Anna Keller", "Ben Okafor")[won]
    assert all(name in r["text"] for r in results[1 - won :: 2])


async def test_only_who_has_it_speaks_and_a_note_never_leaves(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    await waits(store)
    assert not (await anna.deed("say", text="too early"))["ok"]
    assert (await anna.deed("take"))["ok"]
    assert (await anna.deed("note", text="secret"))["ok"]
    assert (await anna.deed("say", text="Hello."))["ok"]
    async with browsing(served, *BEN) as ben:
        refused = await ben.deed("say", text="me too")
        assert (refused["ok"], "Anna Keller" in refused["text"]) == (False, True)
    assert (await anna.deed("resolve", text="Done.", args={"rate": False}))["ok"]
    out = [r for r in await store.find(Message, {"conversation": KEY}) if r.direction == "out"]
    assert [r.content["text"] for r in out if r.agent] == ["Hello."]
    case = (await store.find(Case, {"conversation": KEY}))[0]
    held = await store.get(Conversation, KEY)
    assert held is not None
    assert (case.status, held.holder) == (RESOLVED, BOT)
    (closed,) = await rows(anna, "closed")
    assert (closed["conversation"], closed["since"]) == (KEY, "")
    assert (await anna.deed("reopen"))["ok"]
    case = (await store.find(Case, {"conversation": KEY}))[0]
    assert case.status == OPEN


async def test_what_was_said_here_can_be_changed_by_who_said_it(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    await waits(store)
    await anna.deed("take")
    await anna.deed("note", text="a nite")
    await anna.deed("say", text="Hallo.")
    lines = (await anna.get("conversation", id=KEY))[1]["lines"]
    note, spoken = (next(x for x in lines if x["text"] == t) for t in ("a nite", "Hallo."))
    assert not any(line["deed"] for line in lines if line not in (note, spoken))
    async with browsing(served, *BEN) as ben:
        for line in (note, spoken):
            assert not (await ben.deed("edit", text="x", args={"of": line["deed"]}))["ok"]
    for line, text in ((note, "a note"), (spoken, "Hello.")):
        done = await anna.deed("edit", text=text, args={"of": line["deed"]})
        assert done["ok"], done
    lines = (await anna.get("conversation", id=KEY))[1]["lines"]
    changed = {line["id"]: line["text"] for line in lines}
    assert (changed[note["id"]], changed[spoken["id"]]) == ("a note", "Hello.")


async def test_a_deed_without_a_worker_is_told_later(
    store: AsyncStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.console.wishes.PATIENCE", 0.2)
    await waits(store)
    async with (
        serving(store, settings_of(tmp_path), clerk=False) as served,
        browsing(served, "anna") as anna,
    ):
        status, told = await anna.post("/api/deed", wish("take"))
        assert (status, told["status"], told["result"]) == (202, "pending", None)
    async with (
        serving(store, settings_of(tmp_path)) as served,
        browsing(served, "anna") as anna,
    ):

        async def is_done() -> bool:
            return (await anna.get("deed", id=told["id"]))[0] == 200

        await until(is_done, pause=0.02)
        assert (await anna.get("deed", id=told["id"]))[1]["result"]["ok"]


async def upload(browser: Browser, data: bytes, name: str = "bill.pdf") -> tuple[int, Any]:
    async with browser.session.post(
        f"{browser.url}/console/api/file",
        params={"conversation": KEY, "name": name},
        data=data,
        headers={**browser.headers, "Content-Type": "application/octet-stream"},
    ) as answer:
        return answer.status, await answer.json()


async def test_a_file_goes_to_the_customer_and_only_from_who_attached_it(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    await waits(store)
    # Larger than what a webhook may bring.
    status, file = await upload(anna, PDF + b" " * 2_000_000, "../../etc/bill\u202e.exe")
    assert (status, file["mime"], file["name"]) == (200, "application/pdf", "bill.exe.pdf")
    async with browsing(served, *BEN) as ben:
        assert (await ben.post("/api/deed", wish("say", files=[file])))[0] == 400
    await anna.deed("take")
    done = await anna.deed("say", text="Your bill.", files=[file])
    assert done["ok"], done
    (kept,) = await store.find(StoredFile, {"conversation": KEY})
    assert (kept.mime, kept.filename) == ("application/pdf", "bill.exe.pdf")
    lines = (await anna.get("conversation", id=KEY))[1]["lines"]
    (shown,) = [f for line in lines if line["who"] == "agent" for f in line["files"]]
    async with anna.session.get(served.url + shown["url"]) as answer:
        assert (await answer.read()).startswith(PDF)
    for data in (b"", b"MZ\x90\x00" + b"\x00" * 60, b"<html><script>alert(1)</script></html>"):
        status, told = await upload(anna, data, "x.txt")
        assert status == 422, told


async def test_a_file_that_is_too_large_is_not_read_to_its_end(
    store: AsyncStore, tmp_path: Path
) -> None:
    from dataclasses import replace

    settings = settings_of(tmp_path)
    settings = replace(settings, media=replace(settings.media, max_bytes=1000))
    async with serving(store, settings, clerk=False) as served, browsing(served, "anna") as anna:

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(50):
                yield b"x" * 100

        for data in (b"x" * 1001, endless()):
            status, told = await upload(anna, data)  # type: ignore[arg-type]
            assert (status, "1000" in told["error"]) == (413, True)


async def test_references_to_files_cannot_be_made_or_lent(tmp_path: Path) -> None:
    from bot.media.folder import FolderVault

    vault = AsyncVault(FolderVault(tmp_path))
    files = ConsoleFiles(vault, Seal("a secret of sixteen letters"), 1000)
    kept = await files.keep("anna", PDF, "bill.pdf")
    assert await files.fetch(kept) == (PDF, "application/pdf", "bill.pdf")
    other = ConsoleFiles(vault, Seal("another secret, as long"), 1000)
    for where, file in (
        (other, kept),
        (files, {**kept, "account": "ben"}),
        (files, {**kept, "ref": kept["ref"].replace("kept:", "kept:../")}),
        (files, {}),
    ):
        with pytest.raises(NoFile):
            await where.fetch(file)
    await vault.delete(kept["ref"].removeprefix("kept:").partition(".")[0])
    with pytest.raises(NoFile, match="not kept any more"):
        await files.fetch(kept)


class Stream:
    """What a page hears."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self) -> dict[str, Any]:
        async for line in self._answer.content:
            if line.startswith(b"data: "):
                told: dict[str, Any] = json.loads(line[6:])
                return told
        raise AssertionError("the stream has ended")


async def test_pages_hear_of_what_changes_at_once(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    await waits(store)
    events = f"{served.url}/console/api/events"
    async with anna.session.get(events, params={"conversation": KEY}) as answer:
        assert answer.content_type == "text/event-stream"
        page = Stream(answer)
        first = await page.next()
        counts = {"waiting": 1, "mine": 0, "all": 1}
        assert first == {"lists": True, "conversations": [KEY], "counts": counts}
        async with browsing(served, *BEN) as ben:
            await ben.deed("take")
            told = await asyncio.wait_for(page.next(), PATIENCE)
            assert told["conversations"] == [KEY]
            while told["counts"]["waiting"]:
                told = await asyncio.wait_for(page.next(), PATIENCE)
        # Of what no bell told it hears by its own look.
        await store.insert(heard("and one thing more", n=5))
        told = await asyncio.wait_for(page.next(), PATIENCE)
        assert told["conversations"] == [KEY]
        # A note is nothing to the lists.
        await store.insert(Entry(id="e", conversation=KEY, kind="note", at=utcnow(), arrived=1))
        await served.console.changed()
    # Come again, it is told everything once more.
    async with anna.session.get(events, params={"conversation": KEY}) as answer:
        told = await asyncio.wait_for(Stream(answer).next(), PATIENCE)
        assert (told["lists"], told["conversations"]) == (True, [KEY])
        assert told["counts"] == {"waiting": 0, "mine": 0, "all": 1}


async def test_a_stream_ends_with_its_session_and_with_the_gateway(
    anna: Browser, served: Served, store: AsyncStore
) -> None:
    await waits(store)
    async with anna.session.get(f"{served.url}/console/api/events") as answer:
        await Stream(answer).next()
        await anna.post("/logout", {})
        await store.change(Conversation, {"id": KEY}, set={"holder": AGENT, "agent": "ben"})
        await served.console.changed()
        rest = await asyncio.wait_for(answer.content.read(), PATIENCE)
        assert b"data:" not in rest
    async with (
        browsing(served, "anna") as again,
        again.session.get(f"{served.url}/console/api/events") as answer,
    ):
        await Stream(answer).next()
        await served.console.close()
        assert await asyncio.wait_for(answer.content.read(), PATIENCE) is not None


async def test_a_colleague_of_slack_has_a_name_here_too(anna: Browser, store: AsyncStore) -> None:
    await waits(store)
    where = {"id": KEY}
    await store.change(Conversation, where, set={"holder": AGENT, "agent": "slack:U0EVE"})
    assert [row["agent_name"] for row in await rows(anna, "all")] == ["A colleague"]
    entry = Entry(id="e", conversation=KEY, kind="taken", at=utcnow(), arrived=1)
    entry.agent, entry.name = "slack:U0EVE", "Eve Adams"
    await store.insert(entry)
    assert [row["agent_name"] for row in await rows(anna, "all")] == ["Eve Adams"]
    assert (await anna.get("conversation", id=KEY))[1]["agent_name"] == "Eve Adams"


async def test_what_a_customer_presses_is_no_last_word(anna: Browser, store: AsyncStore) -> None:
    await waits(store)
    await store.insert(heard(Event("start"), n=4))
    await store.insert(heard(Reaction("in-0", "🎉"), n=5))
    (row,) = await rows(anna, "waiting")
    assert row["last"]["text"] == "The kettle leaks, I want a person."


async def test_a_store_that_is_down_is_said_and_nothing_else(
    anna: Browser, store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.store import StoreDown

    def down(*args: Any, **options: Any) -> None:
        raise StoreDown("disk I/O error at /secret/path")

    await waits(store)
    monkeypatch.setattr(store.sync, "find", down)
    monkeypatch.setattr(store.sync, "get", down)
    for answer in (await anna.get("inbox"), await anna.post("/api/deed", wish())):
        assert answer[0] == 503
        assert "secret" not in answer[1]["error"]


async def test_the_page_lets_nothing_in_from_elsewhere(anna: Browser) -> None:
    for path in ("/console", "/console/", "/console/page/main.js", "/console/page/base.css"):
        async with anna.session.get(anna.url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert answer.status == 200
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    folder = Path("bot/console/page")
    for file in folder.iterdir():
        text = file.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, file
        # The namespace of SVG is an address only in name.
        assert "//" not in text.replace("http://www.w3.org/", "").replace("// ", "").replace(
            "//\n", ""
        ), file
    html = (folder / "index.html").read_text()
    assert "<style" not in html
    assert "onclick" not in html
