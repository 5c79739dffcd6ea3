"""The control API: clear errors, faults, bounds."""

from __future__ import annotations

import asyncio

import pytest

from bot.sandbox.ledger import Entry, Ledger
from bot.sandbox.media import MediaStore, dimensions, kind_of

TELL = {"channel": "telegram", "user": "700000001"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "channel must be one of telegram, whatsapp"),
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
    async with phones.http.ws_connect(f"{phones.url}/control/events") as events:
        state = await asyncio.wait_for(events.receive_json(), 10)
        assert state["accounts"]["telegram"] == [{"account": "demo", "name": "Frontdesk demo"}]
        await phones.say("telegram", "700000001", "hi")
        seen = []
        while "delivered" not in seen:
            event = await asyncio.wait_for(events.receive_json(), 10)
            if event["event"] == "message":
                seen.append(event["message"]["status"])
        assert seen == ["pending", "delivered"]


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
        (b"", "application/octet-stream", None),
        (b"\x89PNG\r\n\x1a\n", "image/png", None),
        (b"\xff\xd8\xff", "image/jpeg", None),
    ],
)
def test_files_are_what_their_bytes_say(data, mime, size):
    assert kind_of(data)[0] == mime
    assert dimensions(data) == size
