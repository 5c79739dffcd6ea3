"""The SMS connector beyond its tables: proof of origin, confirmation, files, what never leaks."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.gateway import Gateway
from bot.inbox import Inbox
from bot.message import Address, Inbound, Media, Outbound, Receipt, Text, encode, utcnow
from bot.store import AsyncStore
from bot.store.messages import Message
from connectors import connector_class, sms
from connectors.base import File, Request
from connectors.errors import (
    BadSignature,
    ConnectorError,
    NoFile,
    Rejected,
    RetryLater,
    Unreadable,
    Unsure,
)
from connectors.sms import CAPABILITIES, REASONS, Sms
from tests.connectors.cases.sms_in import (
    ACCOUNT_SID,
    NUMBER,
    OUT,
    PATH,
    PUBLIC_URL,
    SID,
    TOKEN,
    USER,
    fields,
    message,
    mms,
    post,
    ref,
    signature,
    status,
)
from tests.connectors.cases.sms_out import PATH as MESSAGES
from tests.connectors.cases.sms_out import SENT, refused, taken
from tests.connectors.table import _row, _Silence
from tests.kit.dice import examples
from tests.kit.http import (
    Answer,
    Hang,
    Provider,
    Recorded,
    Reset,
    Step,
    closed_url,
    patience,
    provider,
)
from tests.kit.stores import store_in
from tests.kit.waiting import PATIENCE

SERVICE = "MG" + "f" * 32
HELLO = Text("Hello")


def connector(api_url: str = "", **values: Any) -> Sms:
    made = {
        "account": "shop",
        "account_sid": ACCOUNT_SID,
        "auth_token": TOKEN,
        "public_url": PUBLIC_URL,
        "sender": NUMBER,
        "api_url": api_url,
        **values,
    }
    return Sms(Sms.Account(**made))


def outbound(content: Any = HELLO, id: str = "turn:0", user: str = USER) -> Outbound:
    return Outbound(id, Address("sms", "shop", user), content)


@asynccontextmanager
async def twilio(*steps: Step, **values: Any) -> AsyncIterator[tuple[Sms, Provider]]:
    """A connector whose Twilio is a server on loopback that answers `steps`."""
    async with provider(list(steps)) as server:
        made = connector(server.url, **values)
        try:
            yield made, server
        finally:
            await made.close()


@pytest.fixture(autouse=True)
def _impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms, "TIMEOUT", httpx.Timeout(PATIENCE, read=patience(request)))


# --- the account ---


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"account_sid": "SK" + "0" * 32}, "account_sid must be AC"),
        ({"account_sid": "AC../../x"}, "account_sid must be AC"),
        ({"auth_token": ""}, "auth_token is empty"),
        ({"sender": ""}, "from is missing"),
        ({"sender": "15550100x"}, ""),
        ({"sender": "+1 555 0100"}, "from must be"),
        ({"sender": "+0555"}, "from must be"),
        ({"sender": "123456789"}, "from must be"),
        ({"sender": "My big shop!"}, "from must be"),
        ({"sender": "Twelve chars"}, "from must be"),
        ({"sender": f"whatsapp:{NUMBER}"}, "from must be"),
        ({"sender": "My Shop", "mms": True}, "mms is not possible from a name"),
        ({"messaging_service_sid": "AC" + "0" * 32}, "messaging_service_sid must be MG"),
        ({"public_url": "bot.example.com"}, "public_url must be like"),
        ({"public_url": "https://bot.example.com/?a=b"}, "public_url must be like"),
        ({"public_url": "https://user:word@bot.example.com"}, "public_url must be like"),
        ({"public_url": "https://my_bot.example.com"}, "underscore"),
        ({"api_url": "ftp://127.0.0.1"}, "api_url must be like"),
    ],
)
def test_an_account_twilio_would_not_take_is_refused_at_load(values: Any, wrong: str) -> None:
    if not wrong:
        assert connector(**values).account.is_name
        return
    with pytest.raises(ValueError, match=wrong):
        connector(**values)


@pytest.mark.parametrize(
    ("values", "rate", "files"),
    [
        ({}, 1.0, True),
        ({"sender": "+18005550100"}, 3.0, True),
        ({"sender": "+491700000001"}, 10.0, False),
        ({"sender": "+491700000001", "mms": True}, 10.0, True),
        ({"sender": "+61400000001"}, 10.0, True),
        ({"sender": "729725"}, 100.0, True),
        ({"sender": "My Shop"}, 10.0, False),
        ({"sender": "", "messaging_service_sid": SERVICE}, 10.0, True),
        ({"messages_per_second": 0.5, "mms": False}, 0.5, False),
    ],
)
def test_rate_and_files_are_the_senders(values: Any, rate: float, files: bool) -> None:
    made = connector(**values)
    assert (made.capabilities.rate, made.account.takes_files) == (rate, files)
    assert replace(made.capabilities, rate=1.0) == CAPABILITIES


def test_the_channel_is_known_by_its_name() -> None:
    assert connector_class("sms") is Sms


# --- proof of origin ---


async def test_twilios_own_example_of_a_signature_holds() -> None:
    """https://www.twilio.com/docs/usage/webhooks/webhooks-security, with twilio's test vector."""
    pairs = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature(url, pairs, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    request = Request(
        "POST",
        "/myapp.php",
        {"foo": "1", "bar": "2"},
        {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
        urlencode(pairs).encode(),
    )
    made = connector(auth_token="12345", public_url="https://mycompany.com")
    with pytest.raises(Unreadable):
        # It is Twilio's, but of a call.
        await made.receive(request)
    with pytest.raises(BadSignature):
        await made.receive(replace(request, query={"foo": "1", "bar": "3"}))


@pytest.mark.parametrize(
    ("public_url", "signed"),
    [
        ("https://bot.example.com:443", "https://bot.example.com"),
        ("https://bot.example.com:443", "https://bot.example.com:443"),
        ("https://bot.example.com:8443", "https://bot.example.com"),
        ("https://bot.example.com:8443", "https://bot.example.com:8443"),
        ("http://bot.example.com", "http://bot.example.com:80"),
        ("http://bot.example.com:8080", "http://bot.example.com:8080"),
        ("https://example.com/frontdesk/", "https://example.com/frontdesk"),
        ("https://example.com/frontdesk", "https://example.com:443/frontdesk"),
    ],
)
async def test_ports_and_prefixes_are_signed_either_way(public_url: str, signed: str) -> None:
    request = post(fields(), url=signed + PATH)
    (arrived,) = await connector(public_url=public_url).receive(request)
    assert isinstance(arrived, Inbound)
    assert arrived.content == Text("Ahoy")


@pytest.mark.parametrize("request_", [message(), mms("image/png"), status("sent")])
async def test_a_vouched_request_is_received(request_: Request) -> None:
    stored = replace(request_, query={}, headers={"content-type": "x"})
    made = connector(auth_token="rotated")
    with pytest.raises(BadSignature):
        await made.receive(stored)
    assert await made.receive(made.vouch(stored))


# --- statuses ---


@pytest.mark.parametrize("code", [c for c in REASONS if c.startswith(("30", "63"))])
async def test_a_failure_has_the_code_and_plain_words(code: str) -> None:
    (receipt,) = await connector().receive(
        status("undelivered", id="t-1:0", ErrorCode=code, RawDlrDoneDate="2504010930")
    )
    assert isinstance(receipt, Receipt)
    assert receipt == Receipt(
        "sms",
        "shop",
        OUT,
        "failed",
        receipt.at,
        "t-1:0",
        REASONS[code],
        code,
        {"status": "undelivered", "carrier_done": "2504010930"},
    )


async def test_an_unknown_code_has_twilios_words_or_none() -> None:
    said = status("failed", ErrorCode="39999", ErrorMessage="Gremlins")
    (told,) = await connector().receive(said)
    (silent,) = await connector().receive(status("failed", ErrorCode="39999"))
    assert isinstance(told, Receipt)
    assert isinstance(silent, Receipt)
    assert (told.code, told.reason) == ("39999", "Gremlins")
    assert silent.reason == "Twilio says failed without a reason"


async def gateway(tmp_path: Path) -> tuple[Gateway, Sms, AsyncStore]:
    store = store_in(tmp_path)
    made = connector()
    inbox = Inbox(store, _Silence())  # type: ignore[arg-type]
    return Gateway(store, inbox, {("sms", "shop"): made}, body_limit=2**20), made, store


async def test_statuses_out_of_order_move_a_message_forwards_only(tmp_path: Path) -> None:
    front, made, store = await gateway(tmp_path)
    row = _row("turn:0", Address("sms", "shop", USER), Text("hi"), 0)
    row.status = "unknown"
    await store.insert(row)
    seen = []
    for word in ("queued", "delivered", "sent", "sending", "undelivered", "queued"):
        await front._take(made, status(word))
        found = await store.get(Message, "turn:0")
        assert found is not None
        seen.append((found.status, found.provider_id))
    # "queued" settles an attempt whose answer was lost.
    assert seen == [("sent", OUT)] + [("delivered", OUT)] * 5
    await store.close()
    await made.close()


async def test_twilio_is_not_answered_with_words_it_would_send_on(tmp_path: Path) -> None:
    front, made, store = await gateway(tmp_path)
    for request in (message(), status("sent"), post([])):
        answer = await front._take(made, request)
        assert (answer.status, answer.text, answer.content_type) == (
            200,
            "<Response/>",
            "text/xml",
        )
    await store.close()
    await made.close()


# --- anything at all ---

# Made once, for each has a pool of connections of its own.
LISTENER = connector()

NAMES = st.sampled_from([name for name, _ in fields()] + ["MessageStatus", "OptOutType"]) | st.text(
    max_size=8
)
WORDS = st.text(max_size=40) | st.sampled_from(
    [SID, USER, "1", "2", "STOP", "delivered", "failed", "https://x.example/1", "whatsapp:+1"]
)
PAIRS = st.lists(st.tuples(NAMES, WORDS), max_size=12)


@settings(max_examples=examples(300), deadline=None)
@given(PAIRS, st.dictionaries(st.sampled_from(["ref", "q"]), st.text(max_size=12), max_size=2))
def test_whatever_twilio_signs_is_read_or_named(pairs: Any, query: dict[str, str]) -> None:
    body = urlencode([(n, v) for n, v in pairs], errors="replace").encode()
    request = LISTENER.vouch(Request("POST", PATH, query, {}, body))
    try:
        arrived: list[Any] = asyncio.run(LISTENER.receive(request))
    except Unreadable as error:
        arrived = error.parsed
    except BadSignature:
        # Only what cannot be written as a URL or a form.
        assert any("\ud800" <= c <= "\udfff" for k, v in query.items() for c in k + v)
        return
    for one in arrived:
        if isinstance(one, Inbound):
            assert one.provider_id.isascii()
            assert encode(one.content)
            assert one.address.user.strip()
        else:
            assert isinstance(one, Receipt)


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=200), st.text(max_size=60))
def test_nothing_unproven_is_parsed(body: bytes, given_signature: str) -> None:
    request = Request("POST", PATH, {}, {"x-twilio-signature": given_signature}, body)
    with pytest.raises(BadSignature):
        asyncio.run(LISTENER.receive(request))


async def test_a_form_of_far_too_many_fields_is_refused() -> None:
    pairs = [(f"f{n}", "x") for n in range(1500)]
    with pytest.raises(BadSignature):
        await connector().receive(post(pairs))


# --- sending ---


async def test_a_messaging_service_chooses_the_sender() -> None:
    async with twilio(taken(), messaging_service_sid=SERVICE) as (made, server):
        assert await made.send(outbound()) == SENT[0]
    (request,) = server.requests
    assert request.form["MessagingServiceSid"] == SERVICE
    assert "From" not in request.form


async def test_the_request_is_authorized_and_says_where_statuses_go() -> None:
    prefix = "https://example.com/frontdesk"
    async with twilio(taken(), public_url=f"{prefix}/") as (made, server):
        await made.send(outbound(id="sms:shop:SM1:0"))
    (request,) = server.requests
    wanted = base64.b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {wanted}"
    assert request.form["StatusCallback"] == f"{prefix}{PATH}?ref={ref('sms:shop:SM1:0')}"
    # What comes back is received.
    (receipt,) = await connector(public_url=prefix).receive(
        post(
            [("MessageSid", OUT), ("MessageStatus", "sent")],
            query={"ref": ref("sms:shop:SM1:0")},
            url=request.form["StatusCallback"],
        )
    )
    assert isinstance(receipt, Receipt)
    assert receipt.ref == "sms:shop:SM1:0"


@pytest.mark.parametrize("values", [{"sender": "My Shop"}, {"mms": False}])
async def test_a_sender_without_mms_sends_a_link(values: Any) -> None:
    picture = Media("image", url="https://x.example/p.jpg", caption="**Here**")
    async with twilio(taken(), **values) as (made, server):
        await made.send(outbound(picture))
    (request,) = server.requests
    assert request.form["Body"] == "Here\nhttps://x.example/p.jpg"
    assert "MediaUrl" not in request.form


async def test_a_body_longer_than_twilio_takes_is_not_sent() -> None:
    made = connector(closed_url())
    with pytest.raises(Rejected, match="1601 characters"):
        await made.send(outbound(Text("x" * 1601)))
    await made.close()


async def test_a_refused_connection_is_no_doubt() -> None:
    made = connector(closed_url())
    with pytest.raises(RetryLater, match="could not be reached"):
        await made.send(outbound())
    await made.close()


async def test_silence_is_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms, "TIMEOUT", httpx.Timeout(PATIENCE, read=0.3))
    async with twilio(Hang()) as (made, _):
        with pytest.raises(Unsure):
            await made.send(outbound())


async def test_a_hundred_at_once_are_a_hundred() -> None:
    def answer(request: Recorded) -> Answer:
        number = int(request.form["Body"])
        return Answer(taken(sid=f"SM{number:032x}").body, 201, delay=0.01)

    async with provider(answer) as server:
        made = connector(server.url)
        sids = await asyncio.gather(
            *(made.send(outbound(Text(str(n)), f"turn:{n}")) for n in range(100))
        )
        assert sids == [f"SM{n:032x}" for n in range(100)]
        callbacks = {r.form["StatusCallback"].rpartition("=")[2] for r in server.requests}
        assert callbacks == {ref(f"turn:{n}") for n in range(100)}
        await made.close()


# --- was it taken ---

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def listed(sid: str, body: str = "Hello", ago: float = 0, **values: Any) -> dict[str, Any]:
    made: dict[str, Any] = {**taken().body, "sid": sid, "body": body, **values}
    return {**made, "date_created": format_datetime(NOW - timedelta(seconds=ago))}


def page(*messages: dict[str, Any], **values: Any) -> Answer:
    uri = f"{MESSAGES}?PageSize=100&Page=0"
    made = {
        "end": 0,
        "first_page_uri": uri,
        "next_page_uri": None,
        "page": 0,
        "page_size": 100,
        "previous_page_uri": None,
        "start": 0,
        "uri": uri,
        "messages": list(messages),
    }
    return Answer({**made, **values})


A, B, C = SENT[0], SENT[1], SENT[2]


@pytest.mark.parametrize(
    ("found", "known", "content", "answer"),
    [
        ([], [], "Hello", None),
        ([listed(A)], [], "Hello", A),
        ([listed(A, ago=90000)], [], "Hello", None),
        ([listed(A, "Other")], [], "Hello", None),
        ([listed(A)], [A], "Hello", None),
        # The same words before: only what is newer than the newest known one counts.
        ([listed(B), listed(A, ago=9)], [A], "Hello", B),
        ([listed(B, ago=9), listed(A, "Other")], [A], "Hello", None),
        ([listed(C, ago=30), listed(B), listed(A, ago=20)], [A], "Hello", B),
        ([listed(B, ago=20), listed(A, ago=20)], [A], "Hello", B),
        ([listed(A, direction="inbound")], [], "Hello", None),
        ([listed(A, direction="outbound-reply")], [], "Hello", A),
        ([listed(A, status="failed")], [], "Hello", A),
        ([listed(A, num_media="1")], [], "Hello", None),
        ([listed(A, "Sent from your Twilio trial account - Hello")], [], "Hello", A),
        ([listed(A, 'It\'s "so" - OK...')], [], "It’s “so” – OK…", A),
        # Redacted: newer than all that is known, and none of it.
        ([listed(A, "")], [], "Hello", A),
        ([listed(A, "漢字 😀 ")], [], "漢字 😀", A),
    ],
)
async def test_twilios_list_says_whether_a_message_was_taken(
    found: Any, known: list[str], content: str, answer: str | None
) -> None:
    async with twilio(page(*found)) as (made, server):
        assert await made.confirm(outbound(Text(content)), known) == answer
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", MESSAGES)
    assert request.query == {"To": USER, "From": NUMBER, "PageSize": "100"}


async def test_a_messaging_services_messages_are_listed_whatever_their_sender() -> None:
    async with twilio(page(listed(A)), messaging_service_sid=SERVICE) as (made, server):
        assert await made.confirm(outbound(), []) == A
    assert "From" not in server.requests[0].query


async def test_a_picture_is_not_taken_for_words() -> None:
    picture = Media("image", url="https://x.example/p.jpg", caption="Hello")
    async with twilio(page(listed(A), listed(B, num_media="1"))) as (made, _):
        assert await made.confirm(outbound(picture), []) == B


async def test_the_customers_own_message_is_the_border() -> None:
    """The same words went to him a minute before he last wrote."""
    asked = Answer({**listed(SID, "Hi", ago=60), "direction": "inbound"})
    for ago, wanted in ((120, None), (5, A)):
        async with twilio(page(listed(A, ago=ago)), asked) as (made, server):
            assert await made.confirm(outbound(), [f"{SID}.0"]) == wanted
        assert server.requests[1].path == MESSAGES.replace("Messages", f"Messages/{SID}")


async def test_a_border_that_was_deleted_at_twilio_is_none() -> None:
    async with twilio(page(listed(A, ago=5)), refused(20404, 404)) as (made, _):
        assert await made.confirm(outbound(), [SID]) == A


async def test_ids_that_are_not_twilios_are_no_border() -> None:
    async with twilio(page(listed(A, ago=5))) as (made, _):
        assert await made.confirm(outbound(), [f"malformed:{SID}", "../../x"]) == A


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(20500, 500), RetryLater),
        (refused(20429, 429), RetryLater),
        (refused(20003, 401), RetryLater),
        (Reset(), RetryLater),
        (Hang(), RetryLater),
        (Answer(b"<html>"), RetryLater),
        (Answer({"messages": [{"sid": 1, "date_created": 7}]}), Unsure),
        (Answer({"some": "thing"}), Unsure),
    ],
)
async def test_a_list_that_does_not_come_is_asked_for_again(answer: Step, kind: type) -> None:
    async with twilio(answer) as (made, _):
        with pytest.raises(kind):
            await made.confirm(outbound(), [])


async def test_the_next_page_is_not_asked_of_strangers() -> None:
    answer = page(
        listed(A, "Other"), meta={"next_page_url": "https://evil.example/", "key": "messages"}
    )
    async with twilio(answer) as (made, server):
        with pytest.raises(ConnectorError, match="led elsewhere"):
            await made.confirm(outbound(), [])
    assert len(server.requests) == 1


async def test_a_second_page_is_asked_for() -> None:
    more = f"{MESSAGES}?To=x&PageSize=100&Page=1&PageToken=PASMx"
    first = page(listed(B, "Other"), next_page_uri=more)
    async with twilio(first, page(listed(A))) as (made, server):
        assert await made.confirm(outbound(), []) == A
    assert server.requests[1].query["PageToken"] == "PASMx"


# --- files ---


async def test_a_file_is_fetched_with_the_accounts_credentials() -> None:
    step = Answer(b"\x89PNG", headers={"Content-Type": "image/png"})
    async with twilio(step) as (made, server):
        url = f"{server.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/MM1/Media/ME1"
        file = await made.fetch(Media("image", url=url, mime="image/png"), 1000)
    assert (file.data, file.mime) == (b"\x89PNG", "image/png")
    wanted = base64.b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode()
    assert server.requests[0].headers["authorization"] == f"Basic {wanted}"


async def test_a_file_elsewhere_on_this_machine_is_not_fetched() -> None:
    async with provider() as other, twilio() as (made, _):
        with pytest.raises(NoFile):
            await made.fetch(Media("image", url=f"{other.url}/a.jpg"), 1000)
        assert other.requests == []


async def test_a_file_that_is_too_big_is_not_fetched() -> None:
    async with twilio(Answer(b"xx")) as (made, server):
        with pytest.raises(NoFile, match="bytes"):
            await made.fetch(Media("image", url=f"{server.url}/a.jpg"), 1)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME", True),
        ("http://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME", False),
        ("https://api.twilio.com:8443/a.jpg", False),
        ("https://api.twilio.com.evil.example/a.jpg", False),
        ("https://evil.example/api.twilio.com/a.jpg", False),
        ("https://evil.example:99999/a.jpg", False),
        ("https://127.0.0.1/a.jpg", False),
    ],
)
async def test_only_twilio_is_told_the_credentials(
    monkeypatch: pytest.MonkeyPatch, url: str, told: bool
) -> None:
    asked: list[Any] = []

    async def noted(url: str, **more: Any) -> File:
        asked.append(more["auth"])
        return File(b"x")

    # The real one would go out to the Internet.
    monkeypatch.setattr(sms, "fetch", noted)
    await connector(closed_url()).fetch(Media("image", url=url), 1000)
    assert asked == [(ACCOUNT_SID, TOKEN) if told else None]


async def test_a_redirection_takes_no_credentials_along() -> None:
    async with provider() as other:
        step = Answer(b"", 307, {"Location": f"{other.url}/signed"})
        async with twilio(step) as (made, server):
            with pytest.raises(NoFile):
                await made.fetch(Media("image", url=f"{server.url}/a.jpg"), 1000)
        assert other.requests == []


@pytest.mark.parametrize("media", [Media("image"), Media("image", ref="ME1")])
async def test_a_file_without_a_url_is_none(media: Media) -> None:
    with pytest.raises(NoFile):
        await connector().fetch(media, 1000)


# --- who we are ---


async def test_identity_is_the_accounts_name_and_the_sender() -> None:
    body = {"sid": ACCOUNT_SID, "friendly_name": "Acme", "status": "active", "type": "Full"}
    async with twilio(Answer(body)) as (made, server):
        assert await made.identity() == f"Acme {NUMBER}"
    assert server.requests[0].path == f"/2010-04-01/Accounts/{ACCOUNT_SID}.json"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer({"friendly_name": "Acme", "status": "suspended"}), "is suspended"),
        (refused(20003, 401), "check them"),
        (Answer(b"<html>", 404), "check api_url"),
    ],
)
async def test_identity_says_what_is_wrong(answer: Step, said: str) -> None:
    async with twilio(answer) as (made, _):
        with pytest.raises(ConnectorError, match=said):
            await made.identity()


# --- what never leaks ---


async def test_the_token_is_in_no_repr_error_or_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, logger="httpx")
    caplog.set_level(logging.WARNING, logger="httpcore")
    echo = Answer({"code": 20001, "message": f"odd {TOKEN} of {USER}", "status": 400}, 400)
    said = []
    async with twilio(echo, Reset(), Answer(TOKEN.encode(), 500), taken()) as (made, _server):
        for _ in range(3):
            with pytest.raises(ConnectorError) as failed:
                await made.send(outbound(Text("the customer's words")))
            error = failed.value
            said += [repr(error), str(error), repr(error.__cause__), repr(error.__context__)]
        await made.send(outbound(Text("the customer's words")))
        said += [
            repr(made),
            repr(made.account),
            repr(made._client),
            repr(vars(made.account).keys()),
        ]
    with pytest.raises(BadSignature) as refused_:
        await made.receive(post(fields(), sign=signature("x", [])))
    said += [repr(refused_.value), caplog.text]
    everything = "\n".join(said)
    for secret in (TOKEN, "customer's words", USER[1:]):
        assert secret not in everything
    assert base64.b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode() not in everything


async def test_the_environments_edge_does_not_move_the_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(os.environ, "TWILIO_EDGE", "sydney")
    monkeypatch.setitem(os.environ, "TWILIO_REGION", "au1")
    async with twilio(taken()) as (made, server):
        assert await made.send(outbound()) == SENT[0]
    assert len(server.requests) == 1


def test_every_reason_is_plain_words() -> None:
    for code, words in REASONS.items():
        assert code.isdigit()
        assert words == words.strip()
        assert not words.endswith(".")


def test_times_are_those_of_the_request() -> None:
    (arrived,) = asyncio.run(connector().receive(message()))
    assert isinstance(arrived, Inbound)
    assert abs((arrived.sent - utcnow()).total_seconds()) < 5
    assert arrived.order == 0
