"""The Messenger stand-in: its API by bare HTTP, its webhooks as they are and as we read them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.message import (
    Address,
    Ask,
    Card,
    Cards,
    Choice,
    Choices,
    Contact,
    Deletion,
    Edit,
    Event,
    Inbound,
    Location,
    Media,
    Option,
    Order,
    OrderItem,
    Outbound,
    Reaction,
    Receipt,
    Referral,
    Template,
    Text,
    encode,
    utcnow,
)
from connectors.base import Request
from connectors.errors import AddressGone, OptedOut, Rejected, RetryLater, WindowClosed
from connectors.messenger import Messenger, MessengerAccount
from tests.kit.waiting import PATIENCE

BEN = "4917000000017"
ANN = "4917000000018"
HI = {"text": "Hello", "metadata": "turn:0"}
SITE = "https://shop.example.com"
YES, NO = Option("Yes", "/affirm"), Option("No", "/deny")


@pytest.fixture
async def page(phones) -> AsyncIterator[Messenger]:
    """Our connector for the sandbox's Page."""
    account = {**phones.accounts["messenger"], "api_url": f"{phones.url}/messenger"}
    made = Messenger(
        MessengerAccount(**account, human_agent=True, agent_picture=f"{SITE}/agents.png")
    )
    yield made
    await made.close()


def outbound(content: Any, n: int = 0, user: str = BEN, **more: Any) -> Outbound:
    return Outbound(f"turn:{n}", Address("messenger", "demo", user), content, **more)


async def call(phones, method: str, path: str, status: int = 200, token: str = "", **body: Any):
    account = phones.accounts["messenger"]
    path = path.replace("PAGE", account["page_id"])
    headers = {"Authorization": f"Bearer {token or account['token']}"}
    async with phones.http.request(
        method, f"{phones.url}/messenger/v25.0/{path}", headers=headers, json=body or None
    ) as answer:
        found = await answer.json()
        assert answer.status == status, found
        return found


async def post(phones, message: Any, status: int = 200, user: str = BEN, **more: Any):
    body = {"recipient": {"id": user}, "messaging_type": "RESPONSE", "message": message, **more}
    return await call(phones, "POST", "PAGE/messages", status, **body)


async def refused(phones, message: Any, **more: Any) -> tuple[int, int]:
    error = (await post(phones, message, 400, **more))["error"]
    return error["code"], error.get("error_subcode", 0)


def events_of(received):
    return [e for r in received for entry in r.json["entry"] for e in entry["messaging"]]


async def read(page: Messenger, received: Any) -> list[Any]:
    """Return what our connector makes of webhooks."""
    found: list[Any] = []
    for one in received:
        headers = {k.lower(): v for k, v in one.headers.items()}
        request = Request("POST", "/webhooks/messenger/demo", headers=headers, body=one.raw)
        found += await page.receive(request)
    return found


async def heard(phones, gateway, user: str = BEN) -> None:
    """Ben has written, so that the window is open."""
    await phones.say("messenger", user, "hi")
    await gateway.taken(1)


async def said(phones, gateway, page, content: Any, **more: Any) -> Inbound:
    """Say something on a phone, and return what our connector reads of it."""
    before = len([r for r in gateway.got if r.status == 200])
    await phones.say("messenger", BEN, content=encode(content), **more)
    (found,) = await read(page, (await gateway.taken(before + 1))[before:])
    assert isinstance(found, Inbound)
    assert found.address == Address("messenger", "demo", BEN)
    return found


async def upload(phones, data: bytes, name: str = "") -> str:
    headers = {"Content-Type": "application/octet-stream"}
    url = f"{phones.url}/control/files"
    async with phones.http.post(url, data=data, headers=headers, params={"name": name}) as answer:
        return (await answer.json())["url"]


# --- webhooks ---


async def test_the_webhook_is_signed_and_of_the_pages_form(phones, gateway):
    id_ = await phones.say("messenger", BEN, "grüße 😀")
    (received,) = await gateway.taken(1, channel="messenger")
    secret, page_id = (phones.accounts["messenger"][k] for k in ("app_secret", "page_id"))
    digest = hmac.new(secret.encode(), received.raw, hashlib.sha256).hexdigest()
    assert received.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert received.raw.isascii()
    assert received.json["object"] == "page"
    (entry,) = received.json["entry"]
    assert entry["id"] == page_id
    (event,) = entry["messaging"]
    assert event["sender"] == {"id": BEN}
    assert event["recipient"] == {"id": page_id}
    assert event["message"] == {"mid": id_, "text": "grüße 😀"}
    await phones.until(lambda ms: ms[0]["status"] == "delivered")


async def test_a_batch_is_several_entries_of_one_event(phones, gateway):
    batch = [{"user": BEN, "text": "1"}, {"user": ANN, "text": "2"}]
    await phones.post("say", channel="messenger", batch=batch)
    (received,) = await gateway.taken(1)
    events = [entry["messaging"] for entry in received.json["entry"]]
    assert [[e["message"]["text"] for e in one] for one in events] == [["1"], ["2"]]


async def test_a_sent_text_is_echoed_delivered_and_read(phones, gateway, page):
    await heard(phones, gateway)
    answer = await post(phones, HI)
    assert answer["recipient_id"] == BEN
    echo, delivery = events_of((await gateway.taken(3))[1:])
    assert echo["message"] == {
        "is_echo": True,
        "app_id": echo["message"]["app_id"],
        "mid": answer["message_id"],
        "metadata": "turn:0",
        "text": "Hello",
    }
    assert delivery["delivery"]["mids"] == [answer["message_id"]]
    await phones.until(lambda ms: ms[-1]["status"] == "delivered")
    await phones.post("read", channel="messenger", user=BEN)
    sent, delivered, seen = await read(page, (await gateway.taken(4))[1:])
    assert (sent.status, sent.ref, sent.provider_id) == ("sent", "turn:0", answer["message_id"])
    assert (delivered.status, delivered.provider_id) == ("delivered", answer["message_id"])
    assert isinstance(seen, Receipt)
    assert (seen.status, seen.address, seen.provider_id) == (
        "read",
        Address("messenger", "demo", BEN),
        "",
    )
    assert seen.until is not None
    assert abs(seen.until - utcnow()) < timedelta(seconds=30)


# --- what customers do ---


async def test_what_customers_say_is_what_our_connector_reads(phones, gateway, page):
    assert (await said(phones, gateway, page, Text("hello"))).content == Text("hello")
    place = Location(52.5, 13.4, "Shop")
    assert (await said(phones, gateway, page, place)).content == place
    number = Contact("Ben", ("+4915112345678",), own=True)
    assert (await said(phones, gateway, page, number)).content == Contact("", ("+4915112345678",))
    cart = Order((OrderItem("lamp-oak", 2),), note="by noon")
    found = (await said(phones, gateway, page, cart)).content
    assert found == Order((OrderItem("lamp-oak", 2, "79.00", "EUR"),), note="by noon")


async def test_files_are_what_they_are_and_can_be_fetched(phones, gateway, page, png):
    url = await upload(phones, png, "my hat.png")
    for type_ in ("image", "voice", "video", "document", "sticker"):
        found = await said(phones, gateway, page, Media(type_, url=url))
        assert isinstance(found.content, Media)
        assert found.content.type == type_
        assert (await page.fetch(found.content, 10_000)).data == png
    assert (await page.fetch(found.content, 10_000)).mime == "image/png"
    found = await said(phones, gateway, page, Media("document", url=url, filename="Käse 1.png"))
    assert isinstance(found.content, Media)
    assert found.content.filename == "Käse 1.png"
    found = await said(phones, gateway, page, Media("image", url=url, caption="this one"))
    assert isinstance(found.content, Media)
    assert found.content.caption == "this one"


async def test_an_album_is_one_message(phones, gateway, page, png):
    url = await upload(phones, png)
    picture = encode(Media("image", url=url, caption="two of them"))
    batch = [{"user": BEN, "content": picture, "album": "a"} for _ in range(2)]
    ids = (await phones.post("say", channel="messenger", batch=batch, together=False))["ids"]
    received = await gateway.taken(1)
    (event,) = events_of(received)
    assert len(event["message"]["attachments"]) == 2
    found = await read(page, received)
    assert [f.provider_id for f in found] == ids
    assert {f.album for f in found} == {event["message"]["mid"]}
    shown = await phones.messages()
    assert [m["id"] for m in shown] == ids
    # The bot's reaction to one of them is one to the message.
    await page.send(outbound(Reaction(ids[1], "👍")))
    assert (await phones.messages())[0]["reactions"] == {"out": "👍"}


async def test_quick_replies_come_back_as_messages_and_vanish(phones, gateway, page):
    await heard(phones, gateway)
    mid = await page.send(outbound(Choices("Sure?", (YES, NO))))
    shown = await phones.message(mid)
    assert shown["content"] == encode(Choices("Sure?", (YES, NO)))
    assert all(b["quick"] for row in shown["buttons"] for b in row)
    await gateway.taken(3)
    found = await said(phones, gateway, page, Choice("/deny", of=mid))
    assert found.content == Choice("/deny", "No")
    assert (await phones.message(mid))["buttons"] == []


async def test_buttons_come_back_as_postbacks_and_stay(phones, gateway, page):
    await heard(phones, gateway)
    look = Option("Look", "", url=SITE)
    mid = await page.send(outbound(Choices("Shall we?", (look, YES))))
    await gateway.taken(3)
    for _ in range(2):
        found = await said(phones, gateway, page, Choice("/affirm", of=mid))
        assert found.content == Choice("/affirm", "Yes")
    assert "postback" in events_of([gateway.got[-1]])[0]


async def test_reactions_edits_and_deletions(phones, gateway, page):
    first = await said(phones, gateway, page, Text("one"))
    mid = await page.send(outbound(Text("Hello")))
    await gateway.taken(3)
    found = await said(phones, gateway, page, Reaction(mid, "❤️"))
    assert found.content == Reaction(mid, "❤️")
    found = await said(phones, gateway, page, Reaction(mid, "", removed=True))
    assert found.content == Reaction(mid, "❤️", removed=True)
    for n in range(5):
        found = await said(phones, gateway, page, Edit(first.provider_id, f"edit {n}"))
        assert found.content == Edit(first.provider_id, f"edit {n}")
    more = {"channel": "messenger", "user": BEN}
    sixth = encode(Edit(first.provider_id, "six"))
    await phones.post("say", 400, content=sixth, **more)
    found = await said(phones, gateway, page, Deletion(first.provider_id))
    assert found.content == Deletion(first.provider_id)
    shown = await phones.message(first.provider_id)
    assert (shown["deleted"], shown["content"]["text"]) == (True, "edit 4")


async def test_a_reply_and_an_advertisement_come_along(phones, gateway, page):
    await heard(phones, gateway)
    mid = await page.send(outbound(Text("Hello")))
    await gateway.taken(3)
    came = {"source": "ad", "ref": "6045", "title": "Hats"}
    found = await said(phones, gateway, page, Text("that"), reply_to=mid, referral=came)
    assert found.reply_to == mid
    assert found.referral == Referral("ad", "6045", title="Hats")


async def test_how_customers_come_and_what_they_want_no_more(phones, gateway, page):
    found = await said(phones, gateway, page, Event("start", "summer"))
    assert (found.content, found.referral) == (
        Event("start", "summer"),
        Referral("link", "summer"),
    )
    assert (await said(phones, gateway, page, Event("start"))).content == Event("start")
    found = await said(phones, gateway, page, Event("referral", "order_1"))
    assert found.content == Event("referral", "order_1")
    for name in ("opt_out", "opt_in"):
        found = await said(phones, gateway, page, Event(name))
        assert found.content == Event(name, "marketing")


async def test_who_has_blocked_the_page_gets_nothing_and_nobody_is_told(phones, gateway, page):
    await heard(phones, gateway)
    more = {"channel": "messenger", "user": BEN}
    await phones.post("say", content=encode(Event("blocked")), **more)
    with pytest.raises(OptedOut):
        await page.send(outbound(Text("Hello")))
    await phones.post("say", content=encode(Event("unblocked")), **more)
    await page.send(outbound(Text("Hello")))
    await gateway.taken(3)
    assert len(gateway.got) == 3


async def test_an_event_of_the_providers_own_goes_as_it_is(phones, gateway):
    linked = {"account_linking": {"status": "linked", "authorization_code": "x"}}
    await phones.post("say", channel="messenger", user=BEN, raw=linked)
    (event,) = events_of(await gateway.taken(1))
    assert event["account_linking"]["status"] == "linked"
    assert event["sender"] == {"id": BEN}


@pytest.mark.parametrize(
    "content",
    [
        Contact("Ben", ("+4915112345678",)),
        Event("moved", "1"),
        Choice("/nothing"),
        Edit("m_nothing", "x"),
        Media("audio", url="/control/media/none"),
        Text("   "),
    ],
)
async def test_what_messenger_has_not_is_refused(phones, content):
    await phones.post("say", 400, channel="messenger", user=BEN, content=encode(content))


async def test_users_are_numbers(phones):
    await phones.post("say", 400, channel="messenger", user="ben", text="hi")


# --- what the Send API takes ---


async def test_every_outbound_kind_is_shown_as_it_was_meant(phones, gateway, page):
    await heard(phones, gateway)
    card = Card("Hat", "€ 40", f"{SITE}/hat.jpg", SITE, (YES, Option("Look", "", url=SITE)))
    for n, content in enumerate(
        [
            Text("Hello"),
            Choices("Sure?", (YES, NO)),
            Choices("Where?", (Option("Look", "", url=SITE), YES)),
            Cards((card, Card("Coat", "€ 90"))),
            Media("image", url=f"{SITE}/hat.jpg"),
            Media("video", url=f"{SITE}/hat.mp4"),
            Media("document", url=f"{SITE}/hat.pdf"),
            Ask("Your number?", "phone"),
        ]
    ):
        mid = await page.send(outbound(content, n))
        assert (await phones.message(mid))["content"] == encode(content)
    mid = await page.send(outbound(Media("voice", url=f"{SITE}/hat.mp3"), 20))
    assert (await phones.message(mid))["content"]["type"] == "audio"
    mid = await page.send(outbound(Template("order_update", "en", ("1042",)), 21))
    assert (await phones.message(mid))["content"]["text"] == "Your order 1042 is on its way."
    first = (await phones.messages())[0]["id"]
    await page.send(outbound(Reaction(first, "👍"), 22))
    assert (await phones.message(first))["reactions"] == {"out": "👍"}
    await page.send(outbound(Reaction(first, "👍", removed=True), 23))
    assert (await phones.message(first))["reactions"] == {}


async def test_asking_for_the_number_offers_it(phones, gateway, page):
    await heard(phones, gateway)
    mid = await page.send(outbound(Ask("Your number?", "phone")))
    (row,) = (await phones.message(mid))["buttons"]
    assert row[0]["ask"] == "phone"


def replies(count: int = 1, **of: Any) -> dict[str, Any]:
    reply = {"content_type": "text", "title": "Yes", "payload": "/affirm", **of}
    return {"text": "Sure?", "quick_replies": [reply] * count}


def template(**payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": payload}}


def buttons(*buttons: Any, text: str = "Sure?") -> dict[str, Any]:
    return template(template_type="button", text=text, buttons=list(buttons))


BUTTON = {"type": "postback", "title": "Yes", "payload": "/affirm"}


def generic(*elements: Any) -> dict[str, Any]:
    return template(template_type="generic", elements=list(elements))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"text": ""},
        {"text": "x" * 2001},
        {"text": ["x"]},
        {"text": "x", "caption": "y"},
        {"text": "x", "metadata": "x" * 1000},
        {"text": "x", "attachment": {"type": "image", "payload": {"url": SITE}}},
        replies(14),
        replies(0),
        replies(title="x" * 21),
        replies(title=""),
        replies(payload="x" * 1001),
        replies(content_type="location"),
        {"attachment": {"type": "image", "payload": {"url": "nonsense"}}},
        {"attachment": {"type": "image", "payload": {"url": SITE, "caption": "x"}}},
        {"attachment": {"type": "sticker", "payload": {"url": SITE}}},
        {"attachment": {"type": "image", "payload": {"attachment_id": "1"}}},
        buttons(),
        buttons(*[BUTTON] * 4),
        buttons(BUTTON, text="x" * 641),
        buttons({**BUTTON, "title": "x" * 21}),
        buttons({**BUTTON, "type": "list"}),
        buttons({**BUTTON, "url": SITE}),
        buttons({"type": "web_url", "title": "x", "url": "javascript:alert(1)"}),
        generic(),
        generic(*[{"title": "x", "subtitle": "y"}] * 11),
        generic({"title": "x"}),
        generic({"subtitle": "x", "image_url": SITE}),
        generic({"title": "x" * 81, "subtitle": "y"}),
        generic({"title": "x", "subtitle": "y" * 81}),
        generic({"title": "x", "image_url": "hat.png"}),
        generic({"title": "x", "default_action": {"type": "web_url", "url": SITE, "title": "x"}}),
        template(template_type="list", elements=[]),
    ],
    ids=lambda message: json.dumps(message)[:60],
)
async def test_a_message_that_meta_would_refuse_is_refused(phones, gateway, message):
    await heard(phones, gateway)
    assert (await refused(phones, message))[0] == 100
    assert [m["direction"] for m in await phones.messages()] == ["in"]


@pytest.mark.parametrize(
    "more",
    [
        {"messaging_type": "PROMOTION"},
        {"messaging_type": "UTILITY"},
        {"messaging_type": "MESSAGE_TAG"},
        {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"},
        {"tag": "HUMAN_AGENT"},
        {"persona_id": "5"},
        {"surprise": 1},
    ],
    ids=str,
)
async def test_a_request_that_meta_would_refuse_is_refused(phones, gateway, more):
    await heard(phones, gateway)
    assert (await refused(phones, HI, **more))[0] == 100


async def test_nobody_is_written_to_who_never_wrote(phones, gateway, page):
    assert await refused(phones, HI) == (100, 2018001)
    with pytest.raises(AddressGone):
        await page.send(outbound(Text("Hello")))


async def test_a_wrong_token_and_another_page_are_refused(phones, gateway):
    await heard(phones, gateway)
    error = await call(phones, "GET", "me", 401, token="EAAwrong")
    assert error["error"]["code"] == 190
    error = await call(phones, "POST", "4711/messages", 400, recipient={"id": BEN}, message=HI)
    assert (error["error"]["code"], error["error"]["error_subcode"]) == (100, 33)


async def test_the_window_is_of_the_time_the_customer_claims(phones, gateway, page):
    async def wrote(hours: float) -> None:
        at = (utcnow() - timedelta(hours=hours)).isoformat()
        await phones.say("messenger", BEN, "hi", sent=at)

    await wrote(24.1)
    assert await refused(phones, HI) == (10, 2018278)
    with pytest.raises(WindowClosed):
        await page.send(outbound(Text("Hello")))
    by_person = outbound(Text("Hello"), agent="Ann")
    tagged = page.beyond_window(by_person)
    assert tagged is not None
    await page.send(tagged)
    await page.send(outbound(Template("order_update", "en", ("1042",)), 1))
    await wrote(7 * 24 + 1)
    with pytest.raises(WindowClosed):
        await page.send(replace(tagged, id="turn:2"))
    await wrote(23.9)
    await page.send(outbound(Text("Hello"), 3))


@pytest.mark.parametrize(
    "wrong",
    [
        Template("no_such", "en"),
        Template("order_update", "de", ("1042",)),
        Template("order_update", "en"),
        Template("order_update", "en", ("1", "2")),
        Template("order_update", "en", ("1",), buttons=("/x",)),
    ],
)
async def test_a_template_must_be_one_that_is_approved(phones, gateway, page, wrong):
    await heard(phones, gateway)
    with pytest.raises(Rejected):
        await page.send(outbound(wrong))


async def test_a_templates_button_is_pressed(phones, gateway, page):
    await heard(phones, gateway)
    await page.send(outbound(Template("write_again", "en", buttons=("/show",))))
    await gateway.taken(3)
    found = await said(phones, gateway, page, Choice("/show"))
    assert found.content == Choice("/show", "Show the answer")


async def test_people_have_their_names(phones, gateway, page):
    await heard(phones, gateway)
    for n in range(2):
        mid = await page.send(outbound(Text("Hello"), n, agent="Ann Lee"))
        assert (await phones.message(mid))["agent"] == "Ann Lee"
    (persona,) = (await call(phones, "GET", "PAGE/personas"))["data"]
    assert persona["name"] == "Ann Lee"
    await call(phones, "DELETE", persona["id"])
    mid = await page.send(outbound(Text("Hello"), 2, agent="Ann Lee"))
    assert (await phones.message(mid))["agent"] == ""


async def test_personas_come_in_pages(phones, page):
    for n in range(30):
        await call(
            phones, "POST", "PAGE/personas", name=f"P{n}", profile_picture_url=f"{SITE}/a.png"
        )
    first = await call(phones, "GET", "PAGE/personas")
    assert len(first["data"]) == 25
    after = first["paging"]["cursors"]["after"]
    rest = await call(phones, "GET", f"PAGE/personas?after={after}")
    assert [p["name"] for p in rest["data"]] == [f"P{n}" for n in range(25, 30)]
    await call(phones, "POST", "PAGE/personas", 400, name="x" * 51, profile_picture_url=SITE)
    await call(phones, "POST", "PAGE/personas", 400, name="x")


async def test_typing_and_seen_reach_the_phone(phones, gateway, page):
    await heard(phones, gateway)
    address = Address("messenger", "demo", BEN)
    async with phones.http.ws_connect(f"{phones.url}/control/events") as socket:
        await page.typing(address)
        while (event := await socket.receive_json(timeout=PATIENCE))["event"] != "typing":
            pass
        assert event["user"] == BEN
    await page.seen(address, "")
    await phones.until(lambda ms: ms[0]["status"] == "read")
    await call(
        phones,
        "POST",
        "PAGE/messages",
        400,
        recipient={"id": BEN},
        sender_action="typing_on",
        message=HI,
    )


async def test_the_page_says_who_it_is(page):
    assert await page.identity() == "Frontdesk demo"


async def test_faults_are_metas(phones, gateway, page):
    await heard(phones, gateway)
    await phones.fault("messenger", "429", retry_after=7, count=1)
    with pytest.raises(RetryLater) as caught:
        await page.send(outbound(Text("Hello")))
    assert caught.value.after == 7
    await phones.fault("messenger", "500", count=1)
    with pytest.raises(RetryLater):
        await page.send(outbound(Text("Hello")))
