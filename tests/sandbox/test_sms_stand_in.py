"""Twilio's stand-in: driven by twilio's own client, and against the real gateway and connector."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from bot.gateway import Gateway
from bot.inbox import Inbox
from bot.message import (
    Address,
    Contact,
    Content,
    Event,
    Inbound,
    Media,
    Outbound,
    Text,
    encode,
    utcnow,
)
from bot.sandbox import credentials
from bot.sandbox.server import Sandbox
from bot.store import AsyncStore
from bot.store.messages import Message, arrival, from_message
from connectors.errors import AddressGone, NoFile, OptedOut, Rejected, RetryLater, Unsure
from connectors.sms import Sms
from tests.kit.http import closed_url
from tests.kit.stores import store_in
from tests.kit.waiting import until

ANN = "+12025550123"
BEN = "+12025550124"


class Silence:
    def ring(self, topic: str) -> None:
        return None


@dataclass
class Line:
    """The sandbox, the real gateway with its store, and the connector between them."""

    url: str
    http: aiohttp.ClientSession
    connector: Sms
    store: AsyncStore
    sandbox: Sandbox

    async def say(self, content: Content | None = None, user: str = ANN, **more: Any) -> list[str]:
        said = {"channel": "sms", "user": user, **more}
        if content is not None:
            said["content"] = encode(content)
        return (await self.post("say", said))["ids"]

    async def post(self, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
        async with self.http.post(f"{self.url}/control/{path}", json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def upload(self, data: bytes, name: str = "") -> str:
        headers = {"Content-Type": "application/octet-stream"}
        url = f"{self.url}/control/files?{urlencode({'name': name})}"
        async with self.http.post(url, data=data, headers=headers) as answer:
            return (await answer.json())["url"]

    async def shown(self, user: str = ANN) -> list[dict[str, Any]]:
        async with self.http.get(f"{self.url}/control/messages?channel=sms") as answer:
            return [m for m in (await answer.json())["messages"] if m["user"] == user]

    async def stored(self, count: int) -> list[Inbound]:
        async def there() -> bool:
            return len(await self.store.find(Message, {"direction": "in"})) >= count

        await until(there)
        rows = await self.store.find(Message, {"direction": "in"}, sort=("arrived",))
        assert len(rows) == count
        return [from_message(row) for row in rows]

    async def send(self, content: Content, id: str, user: str = ANN) -> str:
        """Send as the outbox does, with a row whose outcome is not known yet."""
        address, now = Address("sms", "demo", user), utcnow()
        await self.store.insert(
            Message(
                id=id,
                direction="out",
                conversation=address.key,
                channel="sms",
                account="demo",
                status="unknown",
                content=encode(content),
                order=1,
                arrived=arrival(),
                sent=now,
                due=now,
            )
        )
        return await self.connector.send(Outbound(id, address, content))

    async def became(self, id: str, status: str) -> Message:
        async def so() -> bool:
            row = await self.store.get(Message, id)
            return row is not None and row.status == status

        await until(so)
        row = await self.store.get(Message, id)
        assert row is not None
        return row


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    gateway_url = closed_url()
    path = credentials.ensure(tmp_path / "var", gateway_url, "http://127.0.0.1:8090")
    sandbox = Sandbox(path, gateway_url, port=0)
    url = await sandbox.start()
    (account,) = credentials.load(path)["sms"]
    values = {**account, "sender": account["from"], "api_url": f"{url}/sms"}
    del values["from"]
    connector = Sms(Sms.Account(**values))
    store = store_in(tmp_path)
    inbox = Inbox(store, Silence())  # type: ignore[arg-type]
    gateway = Gateway(store, inbox, {("sms", "demo"): connector}, body_limit=2**20)
    runner = web.AppRunner(gateway.app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", urlsplit(gateway_url).port).start()
    async with aiohttp.ClientSession() as http:
        yield Line(url, http, connector, store, sandbox)
    await sandbox.close()
    await runner.cleanup()
    await store.close()


# --- with the real connector ---


async def test_words_come_in_signed(line: Line) -> None:
    (sid,) = await line.say(Text("grüße 漢字 👩‍👩‍👧 a+b&c=d%20"))
    (got,) = await line.stored(1)
    assert got.content == Text("grüße 漢字 👩‍👩‍👧 a+b&c=d%20")
    assert (got.provider_id, got.address.user) == (sid, ANN)
    (shown,) = await line.shown()
    assert (shown["id"], shown["content"]["text"]) == (sid, got.content.text)


async def test_what_is_sent_is_queued_sent_and_delivered(line: Line) -> None:
    sid = await line.send(Text("Hello"), "turn:0")
    row = await line.became("turn:0", "delivered")
    assert row.provider_id == sid
    assert set(row.receipts or {}) == {"sent", "delivered"}
    (shown,) = await line.shown()
    assert (shown["id"], shown["status"], shown["direction"]) == (sid, "delivered", "out")


async def test_long_words_say_their_segments(line: Line) -> None:
    await line.send(Text("漢" * 71), "turn:0")
    await line.send(Text("a" * 160), "turn:1")
    shown = await line.shown()
    assert [m["footer"] for m in shown] == ["2 segments, UCS-2", ""]


async def test_files_of_one_album_are_one_mms(line: Line, png: bytes) -> None:
    url = await line.upload(png, "p.png")
    batch = [
        {"content": encode(Media("image", url=url, caption="see")), "album": "a"},
        {"content": encode(Media("image", url=url)), "album": "a"},
    ]
    ids = await line.say(batch=batch)
    one, two = await line.stored(2)
    assert [one.provider_id, two.provider_id] == ids
    assert one.album == two.album == ids[0].partition(".")[0]
    assert isinstance(one.content, Media)
    assert (one.content.type, one.content.mime, one.content.caption) == (
        "image",
        "image/png",
        "see",
    )
    file = await line.connector.fetch(one.content, 10_000)
    assert (file.data, file.mime) == (png, "image/png")
    with pytest.raises(NoFile):
        await line.connector.fetch(one.content, len(png) - 1)
    # Nobody else gets it.
    async with line.http.get(one.content.url) as answer:
        assert answer.status == 401


async def test_a_contact_is_sent_as_a_card(line: Line) -> None:
    await line.say(Contact("Ada; Byron", ("+15550101",), ("ada@example.com",)))
    (got,) = await line.stored(1)
    assert isinstance(got.content, Media)
    assert (got.content.type, got.content.mime) == ("document", "text/x-vcard")
    card = (await line.connector.fetch(got.content, 10_000)).data.decode()
    assert "FN:Ada\\; Byron\r\n" in card
    assert "TEL;TYPE=CELL:+15550101\r\n" in card


async def test_a_picture_is_shown_on_the_phone(line: Line) -> None:
    picture = Media("image", url="https://shop.example.com/p.jpg", caption="Here")
    sid = await line.send(picture, "turn:0")
    assert sid.startswith("MM")
    (shown,) = await line.shown()
    assert shown["content"]["url"] == "https://shop.example.com/p.jpg"
    assert shown["content"]["caption"] == "Here"


@pytest.mark.parametrize("word", ["STOP", " stop ", "Unsubscribe"])
async def test_stop_is_answered_by_twilio_and_holds_until_start(line: Line, word: str) -> None:
    await line.say(Text(word))
    (got,) = await line.stored(1)
    assert got.content == Text(word)
    with pytest.raises(OptedOut):
        await line.send(Text("Buy!"), "turn:0")
    # Others still hear from us.
    await line.send(Text("Hello"), "turn:1", user=BEN)
    await line.say(Text("START"))
    await line.stored(2)
    await line.send(Text("Welcome back"), "turn:2")
    said = [(m["direction"], m["text"]) for m in await line.shown()]
    assert said[0] == ("in", word)
    assert said[1][1].startswith("You have successfully been unsubscribed.")
    assert said[2] == ("in", "START")
    assert said[3][1].startswith("You have successfully been re-subscribed")
    assert said[4] == ("out", "Welcome back")


async def test_yes_is_an_answer_unless_somebody_is_opted_out(line: Line) -> None:
    await line.say(Text("yes"))
    await line.stored(1)
    assert len(await line.shown()) == 1
    await line.say(Text("STOP"))
    await line.say(Text("Yes"))
    await line.stored(3)
    await line.send(Text("Hello"), "turn:0")
    assert len(await line.shown()) == 6


async def test_stop_please_is_not_stop(line: Line) -> None:
    await line.say(Text("stop please"))
    await line.stored(1)
    await line.send(Text("Sure"), "turn:0")


async def test_advanced_opt_out_says_so_in_the_webhook(line: Line) -> None:
    await line.say(Event("opt_out"))
    await line.say(Event("opt_in"))
    out, back = await line.stored(2)
    assert out.content == Event("opt_out", data="answered")
    assert back.content == Event("opt_in", data="answered")


async def test_a_lost_answer_is_settled_by_the_status_and_by_the_list(line: Line) -> None:
    await line.say(Text("hi"))
    (got,) = await line.stored(1)
    known = [got.provider_id]
    await line.post("faults", {"channel": "sms", "kind": "reset_after", "count": 1})
    with pytest.raises(Unsure):
        await line.send(Text("Hello"), "turn:0")
    row = await line.became("turn:0", "delivered")
    outbound = Outbound("turn:0", Address("sms", "demo", ANN), Text("Hello"))
    assert await line.connector.confirm(outbound, known) == row.provider_id
    # What was not taken is not there.
    await line.post("faults", {"channel": "sms", "kind": "reset", "count": 1})
    with pytest.raises(Unsure):
        await line.send(Text("Hello"), "turn:1")
    again = Outbound("turn:1", Address("sms", "demo", ANN), Text("Hello"))
    assert await line.connector.confirm(again, [row.provider_id or "", *known]) is None


async def test_too_many_requests_and_internal_errors(line: Line) -> None:
    await line.post("faults", {"channel": "sms", "kind": "429", "retry_after": 3, "count": 1})
    with pytest.raises(RetryLater) as refused:
        await line.send(Text("Hello"), "turn:0")
    assert refused.value.after == 3
    await line.post("faults", {"channel": "sms", "kind": "500", "count": 1})
    with pytest.raises(Unsure):
        await line.send(Text("Hello"), "turn:1")


@pytest.mark.parametrize(
    ("user", "kind", "code"),
    [
        ("+15005550001", AddressGone, "21211"),
        ("+15005550002", Rejected, "21612"),
        ("+15005550003", Rejected, "21408"),
        ("+15005550004", OptedOut, "21610"),
        ("+15005550009", AddressGone, "21614"),
        ("729725", AddressGone, "21211"),
    ],
)
async def test_twilios_magic_numbers(
    line: Line, user: str, kind: type[Rejected], code: str
) -> None:
    with pytest.raises(kind) as refused:
        await line.send(Text("Hello"), "turn:0", user=user)
    assert refused.value.code == code


async def test_who_it_is(line: Line) -> None:
    assert await line.connector.identity() == f"Frontdesk demo {line.connector.account.sender}"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"user": "12025550123", "text": "hi"}, "numbers like"),
        (
            {"user": ANN, "location": {"latitude": 1, "longitude": 2}},
            "SMS has nothing like location",
        ),
        ({"user": ANN, "emoji": "👍", "of": "x"}, "SMS has nothing like reaction"),
        ({"user": ANN, "event": "block"}, "SMS has nothing like blocked"),
        ({"user": ANN, "batch": [{"text": "1"}, {"text": "2"}]}, "in a request of its own"),
    ],
)
async def test_what_sms_cannot_do_is_refused(line: Line, said: Any, told: str) -> None:
    answer = await line.post("say", {"channel": "sms", **said}, status=400)
    assert told in answer["error"]
    assert await line.shown() == []


async def test_the_same_said_three_times_is_three_messages(line: Line) -> None:
    ids = await line.say(Text("hi"), count=3)
    assert len(set(ids)) == 3
    assert [got.provider_id for got in await line.stored(3)] == ids


async def test_copies_of_a_webhook_are_one_message(line: Line) -> None:
    await line.say(Text("hi"), copies=5)
    await line.say(Text("end"))
    assert [got.content for got in await line.stored(2)] == [Text("hi"), Text("end")]


# --- what goes over the wire ---


async def test_the_signature_holds_under_twilios_validator_and_openssl(phones, gateway) -> None:
    await phones.say("sms", ANN, "grüße & mehr")
    (received,) = await gateway.taken(1)
    account = phones.accounts["sms"]
    url = f"{gateway.url}/webhooks/sms/demo"
    pairs = parse_qsl(received.raw.decode(), keep_blank_values=True)
    given = received.headers["X-Twilio-Signature"]
    assert RequestValidator(account["auth_token"]).validate(url, dict(pairs), given)
    words = url + "".join(n + v for n, v in sorted(pairs))
    openssl = subprocess.run(
        ["openssl", "dgst", "-sha1", "-hmac", account["auth_token"], "-binary"],
        input=words.encode(),
        capture_output=True,
        check=True,
    )
    assert base64.b64encode(openssl.stdout).decode() == given
    form = dict(pairs)
    assert (form["Body"], form["NumMedia"], form["SmsStatus"]) == ("grüße & mehr", "0", "received")
    assert "OptOutType" not in form


async def test_raw_bodies_go_out_signed_right_wrong_or_not(phones, gateway) -> None:
    body = urlencode({"MessageSid": "SM1", "Body": "hi"})
    for kind in ("right", "wrong", "none"):
        answer = await phones.post("raw", channel="sms", body=body, signature=kind)
        assert answer == {"status": 200, "body": "said the gateway"}
    right, wrong, none = gateway.got
    words = f"{gateway.url}/webhooks/sms/demoBodyhiMessageSidSM1".encode()
    token = phones.accounts["sms"]["auth_token"].encode()
    wanted = base64.b64encode(hmac.new(token, words, hashlib.sha1).digest()).decode()
    assert right.headers["X-Twilio-Signature"] == wanted
    assert wrong.headers["X-Twilio-Signature"] != wanted
    assert "X-Twilio-Signature" not in none.headers
    assert right.headers["Content-Type"].startswith("application/x-www-form-urlencoded")


async def test_a_raw_message_takes_any_field(phones, gateway) -> None:
    await phones.say("sms", ANN, raw={"Body": "x", "OptOutType": "HELP", "New": 1})
    (received,) = await gateway.taken(1)
    form = dict(parse_qsl(received.raw.decode(), keep_blank_values=True))
    assert (form["OptOutType"], form["New"], form["From"]) == ("HELP", "1", ANN)


async def api(phones, method: str, path: str, auth: Any = ..., **more: Any) -> tuple[int, Any]:
    account = phones.accounts["sms"]
    if auth is ...:
        auth = aiohttp.BasicAuth(account["account_sid"], account["auth_token"])
    url = f"{phones.url}/sms/2010-04-01/Accounts/{account['account_sid']}{path}"
    async with phones.http.request(method, url, auth=auth, **more) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "none"}, 21211),
        ({"To": "12025550123"}, 21211),
        ({"From": None}, 21603),
        ({"From": "+15550100"}, 21659),
        ({"From": None, "MessagingServiceSid": "MG1"}, 21705),
        ({"Body": None}, 21619),
        ({"Body": "x" * 1601}, 21617),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"MediaUrl": "file:///etc/passwd"}, 21620),
    ],
)
async def test_what_twilio_refuses_is_refused(phones, changed: Any, code: int) -> None:
    number = phones.accounts["sms"]["from"]
    form = {"To": ANN, "From": number, "Body": "x", **changed}
    form = {k: v for k, v in form.items() if v is not None}
    status, body = await api(phones, "POST", "/Messages.json", data=form)
    assert (status, body["code"], body["status"]) == (400, code, 400)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert await phones.messages() == []


async def test_nobody_writes_to_himself_or_sends_eleven_files(phones) -> None:
    number = phones.accounts["sms"]["from"]
    form = {"To": number, "From": number, "Body": "x"}
    assert (await api(phones, "POST", "/Messages.json", data=form))[1]["code"] == 21266
    files = [("To", ANN), ("From", number), *[("MediaUrl", "https://x.example/a")] * 11]
    assert (await api(phones, "POST", "/Messages.json", data=files))[1]["code"] == 21623


@pytest.mark.parametrize("auth", [None, aiohttp.BasicAuth("AC1", "x")])
async def test_wrong_credentials_are_20003(phones, auth: Any) -> None:
    status, body = await api(phones, "GET", "/Messages.json", auth)
    assert (status, body["code"]) == (401, 20003)
    sid = phones.accounts["sms"]["account_sid"]
    status, body = await api(phones, "GET", "/Messages.json", aiohttp.BasicAuth(sid, "wrong"))
    assert (status, body["code"]) == (401, 20003)


async def test_the_list_is_newest_first_filtered_and_in_pages(phones, gateway) -> None:
    number = phones.accounts["sms"]["from"]
    for n, to in enumerate((ANN, BEN, ANN, ANN)):
        form = {"To": to, "From": number, "Body": str(n)}
        await api(phones, "POST", "/Messages.json", data=form)
    await phones.say("sms", ANN, "mine")
    await gateway.taken(1)

    async def bodies(**query: str) -> list[str]:
        _, page = await api(phones, "GET", "/Messages.json", params=query)
        return [m["body"] for m in page["messages"]]

    assert await bodies() == ["mine", "3", "2", "1", "0"]
    assert await bodies(To=ANN) == ["3", "2", "0"]
    assert await bodies(To=number, From=ANN) == ["mine"]
    assert await bodies(From=number, To=BEN) == ["1"]
    _, page = await api(phones, "GET", "/Messages.json", params={"To": ANN, "PageSize": "2"})
    assert [m["body"] for m in page["messages"]] == ["3", "2"]
    assert "Page=1" in page["next_page_uri"]
    query = dict(parse_qsl(urlsplit(page["next_page_uri"]).query))
    assert await bodies(**query) == ["0"]
    await phones.until(lambda ms: all(m["status"] == "delivered" for m in ms))
    # The day that they were sent on, which may be over by now.
    today = parsedate_to_datetime(page["messages"][0]["date_created"]).date().isoformat()
    for query in ({"DateSent": today}, {"DateSent>": today}, {"DateSent<": today}):
        assert len(await bodies(**query)) == 5
    assert await bodies(**{"DateSent>": "2999-01-01"}) == []
    assert await bodies(DateSent="2001-01-01") == []


async def test_a_message_has_twilios_shape(phones) -> None:
    number = phones.accounts["sms"]["from"]
    form = {"To": ANN, "From": number, "Body": "a" * 161}
    status, made = await api(phones, "POST", "/Messages.json", data=form)
    assert (status, made["status"], made["num_segments"]) == (201, "queued", "2")
    assert (made["direction"], made["date_sent"], made["num_media"]) == ("outbound-api", None, "0")
    await phones.until(lambda ms: ms and ms[0]["status"] == "delivered")
    _, now = await api(phones, "GET", f"/Messages/{made['sid']}.json")
    assert (now["status"], now["body"], now["sid"]) == ("delivered", "a" * 161, made["sid"])
    assert now["date_sent"]
    status, body = await api(phones, "GET", "/Messages/SM1.json")
    assert (status, body["code"]) == (404, 20404)


async def test_statuses_go_to_the_gateway_alone(phones, gateway) -> None:
    number = phones.accounts["sms"]["from"]
    elsewhere = {"To": ANN, "From": number, "Body": "x", "StatusCallback": f"{phones.url}/x"}
    await api(phones, "POST", "/Messages.json", data=elsewhere)
    await phones.until(lambda ms: ms and ms[0]["status"] == "delivered")
    assert gateway.got == []
    asked = f"{gateway.url}/webhooks/sms/demo?ref=abc"
    here = {**elsewhere, "StatusCallback": asked}
    await api(phones, "POST", "/Messages.json", data=here)
    received = await gateway.taken(3)
    forms = [dict(parse_qsl(r.raw.decode())) for r in received]
    assert [f["MessageStatus"] for f in forms] == ["queued", "sent", "delivered"]
    validator = RequestValidator(phones.accounts["sms"]["auth_token"])
    for r, f in zip(received, forms, strict=True):
        assert validator.validate(asked, f, r.headers["X-Twilio-Signature"])
    assert "RawDlrDoneDate" in forms[2]
