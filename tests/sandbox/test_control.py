"""The control API: clear errors, faults, bounds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.message import (
    Card,
    Cards,
    Choices,
    Location,
    Media,
    Menu,
    Option,
    Section,
    Text,
    encode,
    utcnow,
)
from bot.sandbox import formatting
from bot.sandbox.errors import BadRequest
from bot.sandbox.ledger import Entry, Ledger
from bot.sandbox.media import MediaStore, dimensions, kind_of
from bot.sandbox.standin import DEEDS
from connectors.markup import Mark

TELL = {"channel": "telegram", "user": "700000001"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "channel must be one of telegram, whatsapp, messenger, sms"),
        ({**TELL, "channel": "webchat", "text": "x"}, "channel must be one of"),
        (TELL, "say one of"),
        ({**TELL, "text": "x", "payload": "y"}, "say one of"),
        ({**TELL, "text": ""}, "text is empty"),
        ({**TELL, "text": 1.5}, "text must be a string"),
        ({**TELL, "user": "anna", "text": "x"}, "users of telegram are numbers"),
        ({**TELL, "user": "", "text": "x"}, "user is missing"),
        ({**TELL, "text": "x", "account": "none"}, "no telegram account 'none'"),
        ({**TELL, "text": "x", "count": 0}, "count must be an integer"),
        ({**TELL, "text": "x", "count": 10**9}, "count must be an integer"),
        ({**TELL, "text": "x", "copies": True}, "copies must be an integer"),
        ({**TELL, "image": "x.png"}, "image must be a base64 data URL"),
        ({**TELL, "image": "data:image/png;base64,AAAA"}, "image must be a PNG"),
        ({**TELL, "image": "data:image/png;base64,%"}, "image is not base64"),
        ({**TELL, "location": {"latitude": 91, "longitude": 0}}, "latitude must be within 90"),
        ({**TELL, "location": "here"}, "location must have"),
        ({**TELL, "payload": "x", "of": "1"}, "no message on this phone has such a button"),
        ({**TELL, "event": "explode"}, "event must be block or unblock"),
        ({**TELL, "raw": []}, "raw must be an object"),
        ({**TELL, "batch": [{"text": "a"}]}, "Telegram sends one update a request"),
        ({**TELL, "channel": "whatsapp", "event": "block"}, "WhatsApp tells businesses nothing"),
        ({**TELL, "content": "hello"}, "content must be an object"),
        ({**TELL, "content": {"kind": "text", "text": "x"}, "text": "y"}, "say one of"),
        ({**TELL, "content": {"kind": "telepathy"}}, "unknown content kind 'telepathy'"),
        ({**TELL, "content": {"kind": "text", "words": "x"}}, "content cannot be read"),
        ({**TELL, "content": {"kind": "text", "text": 7}}, "content's text must be a string"),
        ({**TELL, "content": {"kind": "text", "text": ""}}, "text is empty"),
        ({**TELL, "content": {"kind": "choices", "text": "?", "options": []}}, "do not send choi"),
        ({**TELL, "content": {"kind": "media", "type": "smell"}}, "content's type must be one of"),
        (
            {**TELL, "content": {"kind": "media", "type": "image", "url": "/control/media/no"}},
            "there is no uploaded file '/control/media/no'",
        ),
        (
            {**TELL, "content": {"kind": "media", "type": "image", "url": "file:///etc/passwd"}},
            "there is no uploaded file",
        ),
        (
            {**TELL, "content": {"kind": "location", "latitude": 91, "longitude": 0}},
            "latitude must be within 90",
        ),
        (
            {**TELL, "content": {"kind": "contact", "name": "Mira", "phones": [7]}},
            "content's phones must be a list of strings",
        ),
        (
            {**TELL, "content": {"kind": "order", "items": [{"product": "a", "quantity": True}]}},
            "content's quantity must be an integer",
        ),
        ({**TELL, "content": {"kind": "order", "items": []}}, "an order has at least one item"),
        ({**TELL, "content": {"kind": "order", "items": ["a"]}}, "content cannot be read"),
        ({**TELL, "content": {"kind": "event", "name": "text"}}, "customers do not do 'text'"),
        ({**TELL, "text": "x", "sent": "yesterday"}, "sent must be a time of ISO 8601"),
        ({**TELL, "text": "x", "sent": "2026-01-01T10:00:00"}, "sent must have a time zone"),
        ({**TELL, "text": "x", "sent": "1999-01-01T10:00:00Z"}, "within a year of now"),
        ({**TELL, "text": "x", "referral": {"ref": "a"}}, "referral must be of strings"),
        ({**TELL, "text": "x", "referral": {"source": "ad", "ref": 5}}, "referral must be of"),
    ],
)
async def test_what_cannot_be_said_is_told(phones, body, reason):
    assert reason in (await phones.post("say", 400, **body))["error"]
    assert await phones.messages() == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"channel": "fax", "kind": "429"}, "channel must be one of"),
        ({"channel": "telegram", "kind": "404"}, "kind must be one of"),
        ({"channel": "telegram", "kind": "429", "retry_after": "soon"}, "must be integers"),
        ({"channel": "telegram", "kind": "429", "chance": 2}, "chance must be between"),
        ({"channel": "telegram", "kind": "429", "count": 0}, "count must be at least 1"),
        ({"channel": "telegram", "kind": "slow", "seconds": -1}, "seconds must be"),
    ],
)
async def test_a_wrong_fault_is_told(phones, body, reason):
    assert reason in (await phones.post("faults", 400, **body))["error"]


async def test_faults_are_counted_limited_to_methods_and_lifted(phones):
    url = f"{phones.url}/telegram/bot{phones.telegram['token']}"

    async def status(method):
        async with phones.http.get(f"{url}/{method}") as answer:
            return answer.status

    await phones.fault("telegram", "500", method="getMe", count=2)
    assert [await status(m) for m in ("getWebhookInfo", "getme", "getMe", "getMe")] == [
        200,
        500,
        500,
        200,
    ]
    await phones.fault("telegram", "500", chance=0)
    assert await status("getMe") == 200
    await phones.fault("telegram", "429")
    await phones.fault("whatsapp", "429")
    assert await status("getMe") == 429
    async with phones.http.delete(f"{phones.url}/control/faults?channel=telegram") as answer:
        assert [f["channel"] for f in (await answer.json())["faults"]] == ["whatsapp"]
    assert await status("getMe") == 200


async def test_messages_are_listed_by_customer_and_forgotten(phones, gateway):
    for user in ("700000001", "700000002"):
        await phones.say("telegram", user, f"from {user}", count=2)
    mine = await phones.messages(channel="telegram", user="700000002")
    assert [m["text"] for m in mine] == ["from 700000002"] * 2
    async with phones.http.delete(
        f"{phones.url}/control/messages", params={"user": "700000002"}
    ) as answer:
        assert await answer.json() == {"cleared": 2}
    assert len(await phones.messages()) == 2


async def test_the_page_hears_of_changes(phones, gateway):
    async with phones.events() as events:
        assert events.state["accounts"]["telegram"] == [
            {"account": "demo", "name": "Frontdesk demo"}
        ]
        await phones.say("telegram", "700000001", "hi")
        seen = []
        while "delivered" not in seen:
            event = await events.next()
            if event["event"] == "message":
                seen.append(event["message"]["status"])
        assert seen == ["pending", "delivered"]


async def test_an_uploaded_file_is_what_its_bytes_say(phones, png):
    async def upload(data, name="", kind="application/octet-stream"):
        url = f"{phones.url}/control/files"
        headers = {"Content-Type": kind}
        async with phones.http.post(
            url, params={"name": name}, data=data, headers=headers
        ) as answer:
            return answer.status, await answer.json()

    status, file = await upload(png, "receipt.pdf")
    assert status == 200
    assert {k: file[k] for k in ("type", "mime", "size", "filename")} == {
        "type": "image",
        "mime": "image/png",
        "size": len(png),
        "filename": "receipt.pdf",
    }
    async with phones.http.get(phones.url + file["url"]) as answer:
        assert (await answer.read(), answer.content_type) == (png, "image/png")
    assert await upload(b"") == (400, {"error": "the file is empty"})
    assert (await upload(png, kind="image/png"))[0] == 415
    assert (await upload(b"x", kind="multipart/form-data; boundary=b"))[0] == 415


async def test_an_uploaded_file_is_sent_in_the_way_that_is_asked_for(phones, gateway, png):
    async with phones.http.post(
        f"{phones.url}/control/files",
        data=png,
        headers={"Content-Type": "application/octet-stream"},
    ) as answer:
        file = await answer.json()
    for type_ in ("image", "document"):
        content = {"kind": "media", "type": type_, "url": file["url"], "caption": "Look"}
        await phones.post("say", channel="telegram", user="700000001", content=content)
    first, second = (r.json["message"] for r in await gateway.taken(2))
    assert (first["photo"][0]["width"], first["caption"]) == (2, "Look")
    assert second["document"]["mime_type"] == "image/png"


async def test_players_get_the_part_they_ask_for(phones):
    async with phones.http.post(
        f"{phones.url}/control/files",
        data=b"RIFF....WAVE0123456789",
        headers={"Content-Type": "application/octet-stream"},
    ) as answer:
        url = phones.url + (await answer.json())["url"]

    async def part(wanted):
        async with phones.http.get(url, headers={"Range": wanted}) as answer:
            return answer.status, answer.headers.get("Content-Range"), await answer.read()

    assert await part("bytes=12-14") == (206, "bytes 12-14/22", b"012")
    assert await part("bytes=20-") == (206, "bytes 20-21/22", b"89")
    assert await part("bytes=20-999") == (206, "bytes 20-21/22", b"89")
    for nonsense in ("bytes=22-", "bytes=-5", "lines=1-2", "bytes=9-4"):
        status, range_, body = await part(nonsense)
        assert (status, range_, len(body)) == (200, None, 22)


async def test_a_customer_may_claim_to_have_written_long_ago(phones, gateway):
    then = utcnow().replace(microsecond=0) - timedelta(hours=25)
    await phones.say("telegram", "700000001", "old news", sent=then.isoformat())
    [told] = await gateway.taken(1)
    assert told.json["message"]["date"] == then.timestamp()
    assert (await phones.messages())[0]["at"] == then.isoformat(timespec="milliseconds")


async def test_the_short_forms_and_the_contents_are_the_same(phones, gateway):
    place = {"latitude": 51, "longitude": -1}
    await phones.say("telegram", "700000001", location=place)
    await phones.say("telegram", "700000001", content={"kind": "location", **place})
    short, long = (r.json["message"] for r in await gateway.taken(2))
    assert short["location"] == long["location"] == {"latitude": 51.0, "longitude": -1.0}
    listed = await phones.messages()
    assert listed[0]["content"] == listed[1]["content"]
    assert listed[0]["location"]["latitude"] == 51


async def test_the_state_says_what_customers_can_do(phones):
    async with phones.http.get(f"{phones.url}/control/state") as answer:
        state = await answer.json()
    assert list(state["channels"]) == ["telegram", "whatsapp", "messenger", "sms"]
    for told in state["channels"].values():
        assert set(told["can"]) <= DEEDS
        assert {"text", "image"} <= set(told["can"])
    assert state["channels"]["whatsapp"]["window_hours"] == 24
    assert state["channels"]["sms"]["window_hours"] is None
    assert "mug-blue" in [good["id"] for good in state["goods"]]


async def test_a_raw_body_may_be_no_json_at_all(phones, gateway):
    answer = await phones.post("raw", channel="telegram", body="\x00 not json \ud800")
    assert answer["status"] == 200
    assert gateway.got[0].raw == b"\x00 not json \xed\xa0\x80"
    assert (
        "no telegram account"
        in (await phones.post("raw", 400, channel="telegram", account="x", body=""))["error"]
    )


async def test_files_are_served_so_that_nothing_in_them_runs(phones, gateway):
    await phones.say("telegram", "700000001", "hi")
    url = f"{phones.url}/telegram/bot{phones.telegram['token']}/sendDocument"
    form = {"chat_id": "700000001", "document": b"<script>alert(1)</script>"}
    async with phones.http.post(url, data=form) as answer:
        assert (await answer.json())["ok"]
    shown = (await phones.messages())[-1]
    async with phones.http.get(phones.url + shown["file"]["url"]) as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def entry(n: int) -> Entry:
    return Entry("telegram", "demo", "1", str(n), "in", "text", f"m{n}")


def test_the_ledger_keeps_the_newest():
    ledger = Ledger(keep=3)
    for n in range(5):
        ledger.add(entry(n))
    assert [e.text for e in ledger.select()] == ["m2", "m3", "m4"]
    assert ledger.get("telegram", "demo", "1") is None


def sent(id_: str, content, **more) -> Entry:
    return Entry("telegram", "demo", "1", id_, "out", content=encode(content), **more)


def test_an_entry_says_the_same_in_the_older_fields():
    choices = Choices("Which?", (Option("A", "a"), Option("Page", "", url="https://x.example")))
    shown = sent("1", choices).plain()
    assert (shown["kind"], shown["text"]) == ("choices", "Which?")
    assert shown["buttons"] == [
        [{"title": "A", "payload": "a"}],
        [{"title": "Page", "url": "https://x.example"}],
    ]
    menu = sent("2", Menu("Which?", (Section("S", (Option("B", "b", "bee"),)),))).plain()["menu"]
    assert menu["sections"][0]["rows"] == [{"id": "b", "title": "B", "description": "bee"}]
    assert sent("3", Media("image", url="/x.png", caption="C")).plain()["image"] == "/x.png"
    voice = sent("4", Media("voice", url="/x.ogg")).plain()
    assert voice["file"] == {"name": "voice", "url": "/x.ogg", "size": 0}
    assert sent("5", Location(1.0, 2.0, "Here")).plain()["location"]["name"] == "Here"
    # And the other way round, for stand-ins that know the older fields alone.
    old = Entry("telegram", "demo", "1", "6", "in", "photo", "C", image="/x.png").plain()
    assert (old["content"]["type"], old["content"]["caption"]) == ("image", "C")


def test_what_can_be_pressed_is_found_newest_first():
    ledger = Ledger()
    card = Cards((Card("One", options=(Option("Buy", "buy"), Option("See", "", url="/x"))),))
    ledger.add(sent("1", card))
    ledger.add(sent("2", Choices("Again?", (Option("Do buy", "buy"),))))
    entry, option = ledger.pressable("telegram", "demo", "1", "buy")
    assert (entry.id, option.title) == ("2", "Do buy")
    assert ledger.pressable("telegram", "demo", "1", "buy", of="1")[1].title == "Buy"
    ledger.delete(entry)
    assert ledger.pressable("telegram", "demo", "1", "buy")[0].id == "1"
    with pytest.raises(BadRequest, match="has such a button"):
        ledger.pressable("telegram", "demo", "1", "")


def test_a_status_moves_forwards_only():
    ledger = Ledger()
    entry = ledger.add(sent("1", Text("x"), status="sent"))
    assert ledger.settle(entry, "read")
    assert not ledger.settle(entry, "delivered")
    assert not ledger.settle(entry, "failed", "too late")
    assert (entry.status, entry.reason) == ("read", "")
    other = ledger.add(sent("2", Text("x"), status="sent"))
    assert ledger.settle(other, "failed", "too late", "131047")
    assert not ledger.settle(other, "read")
    assert (other.reason, other.code) == ("too late", "131047")


def test_both_sides_react_and_take_it_off_again():
    ledger = Ledger()
    entry = ledger.add(sent("1", Text("x")))
    ledger.react(entry, "in", "👍")
    ledger.react(entry, "out", "❤")
    assert entry.plain()["reactions"] == {"in": "👍", "out": "❤"}
    ledger.react(entry, "in", "")
    assert entry.plain()["reactions"] == {"out": "❤"}


def test_messages_of_a_phone_move_with_its_number():
    ledger = Ledger()
    ledger.add(sent("1", Text("x")))
    ledger.move("telegram", "demo", "1", "2")
    assert [e.id for e in ledger.select(user="2")] == ["1"]
    with pytest.raises(BadRequest, match="no message '1' on this phone"):
        ledger.own("telegram", "demo", "1", "1")


@pytest.mark.parametrize(
    ("text", "words", "marks"),
    [
        ("*bold* _it_ ~no~", "bold it no", [(0, 4, "bold"), (5, 7, "italic"), (8, 10, "strike")]),
        ("_a *b* c_", "a b c", [(0, 5, "italic"), (2, 3, "bold")]),
        ("`a*b*c` ```x\ny```", "a*b*c x\ny", [(0, 5, "code"), (6, 9, "pre")]),
        ("2*3*4 snake_case_name * a *", "2*3*4 snake_case_name * a *", []),
        ("*two\nlines*", "*two\nlines*", []),
        ("😀 *é*", "😀 é", [(2, 3, "bold")]),
    ],
)
def test_whatsapp_signs_are_read_as_its_app_reads_them(text, words, marks):
    assert formatting.whatsapp(text) == (words, [Mark(*mark) for mark in marks])


def test_telegrams_entities_count_utf16_units():
    given = [
        {"type": "bold", "offset": 3, "length": 4},
        {"type": "text_link", "offset": 0, "length": 2, "url": "https://x.example"},
        {"type": "mention", "offset": 0, "length": 2},
        {"type": "italic", "offset": 6, "length": 9},
        {"type": "code", "offset": "0", "length": 1},
    ]
    assert formatting.entities("😀 bold", given)[1] == [
        Mark(0, 1, "link", "https://x.example"),
        Mark(2, 6, "bold"),
    ]


def test_a_listener_that_falls_behind_is_cut_off():
    ledger = Ledger()
    with ledger.listen() as queue:
        for n in range(2_100):
            ledger.add(entry(n))
        events = [queue.get_nowait() for _ in range(queue.qsize())]
    assert events[-1] is None
    assert len(events) == 2_000


def test_the_media_store_is_bounded():
    store = MediaStore()
    first = store.put(b"first")
    for n in range(500):
        last = store.put(str(n).encode())
    assert store.get(first.id) is None
    assert store.get(last.id) == last
    assert store.drop(last.id)
    assert not store.drop(last.id)


@pytest.mark.parametrize(
    ("data", "mime", "size"),
    [
        (b"GIF89a\x05\x00\x07\x00", "image/gif", (5, 7)),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", None),
        (bytes.fromhex("ffd8ffe000040000ffc0000b080009000a010111 00"), "image/jpeg", (10, 9)),
        (b"%PDF-1.7", "application/pdf", None),
        (b"<svg onload=x>", "application/octet-stream", None),
        (b" <!doctype html>", "application/octet-stream", None),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav", None),
        (b"ID3\x03", "audio/mpeg", None),
        (b"\xff\xfb\x90\x00", "audio/mpeg", None),
        (b"\xff\xf1\x50\x80", "audio/aac", None),
        (b"#!AMR\n", "audio/amr", None),
        (b"\x00\x00\x00\x18ftypisom....vide", "video/mp4", None),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4", None),
        (b"\x1aE\xdf\xa3....V_VP8", "video/webm", None),
        (b"\x1aE\xdf\xa3....A_OPUS", "audio/webm", None),
        (b"PK\x03\x04", "application/zip", None),
        ("Grüße,\nAnna".encode(), "text/plain", None),
        (b"\x00\x01", "application/octet-stream", None),
        (b"", "application/octet-stream", None),
        (b"\x89PNG\r\n\x1a\n", "image/png", None),
        (b"\xff\xd8\xff", "image/jpeg", None),
    ],
)
def test_files_are_what_their_bytes_say(data, mime, size):
    assert kind_of(data)[0] == mime
    assert dimensions(data) == size
