"""The Cloud API stand-in, driven by pywa over HTTP; its webhooks read with pywa's types."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import timedelta

import httpx
import pytest
from pywa_async import WhatsApp, errors
from pywa_async.types import Button, SectionList, SectionRow
from pywa_async.types import Message as PywaMessage
from pywa_async.types import MessageStatus as PywaStatus
from pywa_async.types import Section as PywaSection

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
    Location,
    Media,
    Menu,
    Option,
    Order,
    OrderItem,
    Outbound,
    Products,
    Reaction,
    Receipt,
    Referral,
    Section,
    Template,
    Text,
    decode,
    encode,
    utcnow,
)
from bot.sandbox import whatsapp as stand_in
from bot.sandbox.goods import CATALOG, GOODS
from connectors.base import Request
from connectors.errors import NoFile, Rejected, RetryLater
from connectors.whatsapp import WhatsApp as Connector

BEN = "491700000001"
FIRST, SECOND = list(GOODS.values())[:2]
HERE = Address("whatsapp", "demo", BEN)
PICTURE = "https://shop.example.com/p.png"


@pytest.fixture
async def meta(phones) -> AsyncIterator[WhatsApp]:
    made = client(phones, phones.whatsapp["token"])
    yield made
    await made.api._session.aclose()


def client(phones, token: str) -> WhatsApp:
    made = WhatsApp(phone_id=phones.whatsapp["phone_id"], token=token, session=httpx.AsyncClient())
    made.api._session.base_url = f"{phones.url}/whatsapp/v24.0"
    return made


def values_of(received):
    return [c["value"] for r in received for e in r.json["entry"] for c in e["changes"]]


def statuses_of(received):
    return [s for v in values_of(received) for s in v.get("statuses", [])]


def messages_of(received):
    return [m for v in values_of(received) for m in v.get("messages", [])]


async def heard(phones, gateway):
    """Ben has written, so that the window is open."""
    await phones.say("whatsapp", BEN, "hi", name="Ben Ito")
    return await gateway.taken(1)


async def test_the_webhook_is_verified_before_anything_is_pushed(phones, gateway):
    gateway.handshakes = [503, 403]
    await phones.say("whatsapp", BEN, "hello 😀")
    (received,) = await gateway.taken(1)
    (value,) = values_of([received])
    assert value["metadata"]["phone_number_id"] == phones.whatsapp["phone_id"]
    assert value["contacts"] == [{"profile": {"name": "Customer"}, "wa_id": BEN}]
    assert value["messages"][0]["text"]["body"] == "hello 😀"
    await phones.until(lambda ms: ms[0]["status"] == "delivered")


async def test_the_signature_holds_under_openssl(phones, gateway):
    await phones.say("whatsapp", BEN, "grüße")
    (received,) = await gateway.taken(1)
    secret = phones.whatsapp["app_secret"]
    openssl = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", secret, "-hex"],
        input=received.raw,
        capture_output=True,
        check=True,
    )
    digest = openssl.stdout.decode().strip().rpartition(" ")[2]
    assert received.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert received.raw.isascii()


async def test_pywa_reads_an_inbound_text(phones, gateway, meta):
    (received,) = await heard(phones, gateway)
    message = PywaMessage.from_update(meta, received.json)
    assert (message.text, message.from_user.wa_id, message.from_user.name) == ("hi", BEN, "Ben Ito")


async def test_a_sent_text_gets_its_statuses_with_the_callback_data(phones, gateway, meta):
    await heard(phones, gateway)
    sent = await meta.send_message(BEN, "Hello", tracker="turn-1:0")
    received = [r for r in (await gateway.taken(3)) if statuses_of([r])]
    statuses = [PywaStatus.from_update(meta, r.json) for r in received]
    assert [str(s.status.value) for s in statuses] == ["sent", "delivered"]
    assert {(s.id, s.tracker) for s in statuses} == {(sent.id, "turn-1:0")}
    assert statuses[0].pricing.model.value == "PMP"
    assert statuses[0].conversation.expiration is not None
    await phones.post("read", channel="whatsapp", user=BEN)
    last = PywaStatus.from_update(meta, (await gateway.taken(4))[-1].json)
    assert (last.status.value, last.id, last.tracker) == ("read", sent.id, "turn-1:0")


async def test_outside_the_window_the_message_fails_by_webhook(phones, gateway, meta):
    sent = await meta.send_message(BEN, "Are you there?", tracker="t")
    (status,) = statuses_of(await gateway.taken(1))
    assert (status["id"], status["status"]) == (sent.id, "failed")
    assert status["errors"][0]["code"] == 131047
    assert await phones.messages() == []


async def test_reply_buttons_are_shown_and_pressed(phones, gateway, meta):
    await heard(phones, gateway)
    buttons = [Button("Yes", "yes"), Button("No", "no")]
    sent = await meta.send_message(BEN, "Sure?", footer="ask", buttons=buttons)
    shown = await phones.message(sent.id)
    assert shown["buttons"] == [
        [{"title": "Yes", "payload": "yes"}],
        [{"title": "No", "payload": "no"}],
    ]
    assert shown["footer"] == "ask"
    await phones.say("whatsapp", BEN, payload="no", of=sent.id)
    message = messages_of(await gateway.taken(4))[-1]
    assert message["interactive"]["button_reply"] == {"id": "no", "title": "No"}
    assert message["context"]["id"] == sent.id


async def test_a_list_is_shown_and_a_row_chosen(phones, gateway, meta):
    await heard(phones, gateway)
    rows = [SectionRow(f"Row {n}", f"r{n}", description="d") for n in range(10)]
    sent = await meta.send_message(
        BEN, "Pick", buttons=SectionList("Open", [PywaSection("All", rows)])
    )
    shown = await phones.message(sent.id)
    assert (shown["menu"]["label"], len(shown["menu"]["sections"][0]["rows"])) == ("Open", 10)
    await phones.say("whatsapp", BEN, payload="r7")
    reply = messages_of(await gateway.taken(4))[-1]["interactive"]["list_reply"]
    assert reply == {"id": "r7", "title": "Row 7", "description": "d"}


async def test_pictures_go_both_ways(phones, gateway, meta, png):
    data_url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    await phones.say("whatsapp", BEN, "broken", image=data_url)
    (received,) = await gateway.taken(1)
    message = PywaMessage.from_update(meta, received.json)
    assert message.caption == "broken"
    media = await meta.get_media_url(message.image.id)
    assert media.sha256 == hashlib.sha256(png).hexdigest()
    assert await meta.get_media_bytes(media.url) == png
    async with phones.http.get(media.url) as unauthorized:
        assert unauthorized.status == 401

    uploaded = await meta.upload_media(png, mime_type="image/png", filename="p.png")
    sent = await meta.send_image(BEN, uploaded.id, caption="yours")
    shown = await phones.message(sent.id)
    assert shown["text"] == "yours"
    async with phones.http.get(phones.url + shown["image"]) as picture:
        assert await picture.read() == png
    linked = await meta.send_image(BEN, "https://shop.example.com/p.jpg")
    assert (await phones.message(linked.id))["image"].endswith("/p.jpg")
    assert await meta.delete_media(uploaded.id)
    with pytest.raises(errors.WhatsAppError, match="does not exist"):
        await meta.get_media_url(uploaded.id)


async def test_read_typing_and_reactions(phones, gateway, meta):
    (received,) = await heard(phones, gateway)
    (message,) = messages_of([received])
    await meta.mark_message_as_read(message["id"])
    assert (await phones.message(message["id"]))["status"] == "read"
    async with phones.events() as events:
        await meta.indicate_typing(message["id"])
        assert (await events.next())["event"] == "typing"
    await meta.send_reaction(BEN, "👍", message["id"])
    assert (await phones.message(message["id"]))["reaction"] == "👍"
    await phones.say("whatsapp", BEN, emoji="❤", of=message["id"])
    reaction = [m for m in messages_of(await gateway.taken(4)) if m["type"] == "reaction"]
    assert reaction[0]["reaction"] == {"message_id": message["id"], "emoji": "❤"}


async def test_a_batch_is_one_request_with_several_customers(phones, gateway):
    batch = [
        {"user": BEN, "text": "one"},
        {"user": "491700000002", "text": "two"},
        {"user": BEN, "text": "three"},
    ]
    answer = await phones.post("say", channel="whatsapp", user=BEN, batch=batch)
    (received,) = await gateway.taken(1)
    texts = [[m["text"]["body"] for m in v["messages"]] for v in values_of([received])]
    assert texts == [["one", "three"], ["two"]]
    assert {m["id"] for m in messages_of([received])} == set(answer["ids"])


async def test_the_number_tells_who_it_is(phones, gateway, meta):
    number = await meta.get_business_phone_number()
    assert (number.verified_name, number.id) == ("Frontdesk demo", phones.whatsapp["phone_id"])


async def test_a_wrong_token_is_code_190(phones, gateway):
    stranger = client(phones, "wrong")
    with pytest.raises(errors.ExpiredAccessToken) as refused:
        await stranger.send_message(BEN, "hi")
    assert (refused.value.status_code, refused.value.code) == (401, 190)
    await stranger.api._session.aclose()


def reply(title="t", id_="i"):
    return {"type": "reply", "reply": {"title": title, "id": id_}}


def interactive(**content):
    return {"type": "interactive", "interactive": {"body": {"text": "b"}, **content}}


def buttons(*made):
    return interactive(type="button", action={"buttons": list(made)})


def rows(*made, button="open"):
    return interactive(type="list", action={"button": button, "sections": [{"rows": list(made)}]})


def template(name, *texts):
    parameters = [{"type": "text", "text": t} for t in texts]
    components = [{"type": "body", "parameters": parameters}]
    found = {"name": name, "language": {"code": "en"}, "components": components}
    return {"type": "template", "template": found}


def sections(*titles):
    made = [{"title": t, "rows": [{"id": str(n), "title": "t"}]} for n, t in enumerate(titles)]
    return interactive(type="list", action={"button": "open", "sections": made})


def page(title, url="https://shop.example.com"):
    return {"name": "cta_url", "parameters": {"display_text": title, "url": url}}


def product(id_, catalog=CATALOG):
    return {"catalog_id": catalog, "product_retailer_id": id_}


def card(index, buttons=1, text="t"):
    replies = [
        {"type": "quick_reply", "quick_reply": {"id": f"{index}{n}", "title": f"T{n}"}}
        for n in range(buttons)
    ]
    header = {"type": "image", "image": {"link": "https://x.example/p.png"}}
    body = {"text": text}
    return {"card_index": index, "header": header, "body": body, "action": {"buttons": replies}}


def carousel(*cards):
    return interactive(type="carousel", action={"cards": list(cards)})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"messaging_product": None}, 100),
        ({"to": None}, 100),
        ({"to": "none"}, 100),
        ({"type": "telegram"}, 100),
        ({"text": None}, 100),
        ({"text": {"body": ""}}, 100),
        ({"text": {"body": "x" * 4097}}, 100),
        ({"biz_opaque_callback_data": "x" * 513}, 100),
        ({"type": "image", "image": {}}, 100),
        ({"type": "image", "image": {"link": "file:///etc/passwd"}}, 100),
        ({"type": "image", "image": {"id": "123"}}, 100),
        (
            {"type": "image", "image": {"link": "https://x.example/p", "caption": "x" * 1025}},
            131009,
        ),
        ({"type": "template", "template": {"name": "n"}}, 100),
        ({"type": "template", "template": {"name": "n", "language": {"code": "en"}}}, 132001),
        (template("order_update"), 132000),
        (template("order_update", "one", "two"), 132000),
        (template("order_update", ""), 131008),
        (template("order_update", "two\nlines"), 132018),
        (template("new_arrivals", "Ben"), 132000),
        (template("code", "123456"), 131008),
        ({"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "x"}}, 131009),
        (buttons(), 131009),
        (buttons(*(reply(str(n), str(n)) for n in range(4))), 131009),
        (buttons(reply(title="x" * 21)), 131009),
        (buttons(reply(id_="x" * 257)), 131009),
        (buttons(reply("a", "1"), reply("a", "2")), 131009),
        (buttons(reply("a", "1"), reply("b", "1")), 131009),
        (rows(), 131009),
        (rows(*({"id": str(n), "title": "t"} for n in range(11))), 131009),
        (rows({"id": "1", "title": "x" * 25}), 131009),
        (rows({"id": "1", "title": "t"}, button="x" * 21), 131009),
        (
            interactive(type="button", body={"text": "x" * 1025}, action={"buttons": [reply()]}),
            131009,
        ),
        (rows({"id": "1", "title": "t", "description": "x" * 73}), 131009),
        (rows({"id": "1", "title": "t"}, {"id": "1", "title": "u"}), 131009),
        (sections("a" * 25), 131009),
        (sections("A", ""), 131009),
        (interactive(type="cta_url", action=page("x" * 21)), 131009),
        (interactive(type="cta_url", action=page("x", "file:///etc")), 100),
        (interactive(type="cta_url", action={"name": "other"}), 131009),
        (interactive(type="location_request_message", action={}), 131009),
        (interactive(type="product", action=product(FIRST.id, "9")), 131009),
        (interactive(type="product", action=product("no-such-lamp")), 131009),
        (interactive(type="product_list", action=product(FIRST.id)), 100),
        (interactive(type="catalog_message", action={}), 131009),
        (carousel(card(0)), 131009),
        (carousel(*(card(n) for n in range(11))), 131009),
        (carousel(card(0), card(0)), 131009),
        (carousel(card(0), card(1, buttons=2)), 131009),
        (carousel(card(0), card(1, text="x" * 161)), 131009),
        (carousel(card(0), card(1, text="a\nb\nc\nd")), 131009),
        (carousel(card(0), {**card(1), "header": {"type": "text", "text": "x"}}), 131009),
        (interactive(type="poll", action={}), 131009),
        ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 131009),
        ({"type": "contacts", "contacts": []}, 100),
        ({"type": "audio", "audio": {"link": "https://x.example/a", "caption": "x"}}, 100),
    ],
)
async def test_what_meta_refuses_is_refused(phones, gateway, body, code):
    await phones.say("whatsapp", BEN, "hi")
    good = {
        "messaging_product": "whatsapp",
        "to": BEN,
        "type": "text",
        "text": {"body": "x"},
    }
    async with phones.http.post(
        f"{phones.url}/whatsapp/v24.0/{phones.whatsapp['phone_id']}/messages",
        json={**good, **body},
        headers={"Authorization": f"Bearer {phones.whatsapp['token']}"},
    ) as answer:
        error = (await answer.json())["error"]
    assert (answer.status in (400, 404), error["code"]) == (True, code)
    assert error["type"]
    assert error["fbtrace_id"]
    assert len(await phones.messages()) == 1


async def test_too_many_requests_are_code_130429(phones, gateway, meta):
    await phones.fault("whatsapp", "429", retry_after=3, count=1)
    with pytest.raises(errors.RateLimitHit) as refused:
        await meta.send_message(BEN, "x")
    assert refused.value.raw_response.headers["Retry-After"] == "3"


async def test_a_message_whose_answer_was_lost_still_gets_its_statuses(phones, gateway, meta):
    await heard(phones, gateway)
    await phones.fault("whatsapp", "reset_after", count=1)
    with pytest.raises(httpx.TransportError):
        await meta.send_message(BEN, "x", tracker="turn-9:0")
    statuses = statuses_of(await gateway.taken(3))
    assert {s["biz_opaque_callback_data"] for s in statuses} == {"turn-9:0"}
    assert [m["text"] for m in await phones.messages()] == ["hi", "x"]


async def test_raw_bodies_go_out_signed_right_wrong_or_not(phones, gateway):
    for signature in ("right", "wrong", "none"):
        body = {"object": "whatsapp_business_account", "entry": []}
        answer = await phones.post("raw", channel="whatsapp", body=body, signature=signature)
        assert answer == {"status": 200, "body": "said the gateway"}
    secret = phones.whatsapp["app_secret"].encode()
    right, wrong, none = gateway.got
    digest = f"sha256={hmac.new(secret, right.raw, hashlib.sha256).hexdigest()}"
    assert json.loads(right.raw) == body
    assert right.headers["X-Hub-Signature-256"] == digest
    assert wrong.headers["X-Hub-Signature-256"] != digest
    assert "X-Hub-Signature-256" not in none.headers


# --- our own connector on the other side: what it sends is shown, what is said it reads ---


@pytest.fixture
async def bot(phones) -> AsyncIterator[Connector]:
    names = {f.name for f in fields(Connector.Account)}
    given = {k: v for k, v in phones.whatsapp.items() if k in names}
    made = Connector(
        Connector.Account(**{**given, "api_url": f"{phones.url}/whatsapp", "catalog": CATALOG})
    )
    yield made
    await made.close()


async def heard_by(bot, received):
    headers = {name.lower(): value for name, value in received.headers.items()}
    return await bot.receive(Request("POST", "/webhooks/whatsapp/demo", {}, headers, received.raw))


async def says(phones, gateway, bot, content, **more):
    """Let Ben do it, and return what the connector reads of it."""
    before = len(gateway.got)
    id_ = await phones.say("whatsapp", BEN, content=encode(content), name="Ben Ito", **more)
    received = (await gateway.taken(before + 1))[-1]
    (inbound,) = await heard_by(bot, received)
    return id_, inbound


async def sends(phones, bot, content, id="turn-1:0"):
    wamid = await bot.send(Outbound(id, HERE, content))
    return await phones.message(wamid)


YES, NO = Option("Yes", "/yes"), Option("No", "/no")
CARD = Card("", "*Lamp*\nOak.", PICTURE, options=(YES, NO))
SHOWN = [
    (Text("**Hi** [shop](https://x.example)"), Text("*Hi* shop (https://x.example)")),
    (Choices("Sure?", (YES, NO)), Choices("Sure?", (YES, NO))),
    (
        Choices("Look", (Option("Shop", "", url="https://x.example"),)),
        Choices("Look", (Option("Shop", "", url="https://x.example"),)),
    ),
    (
        Menu("Which?", (Section("A", (YES,)), Section("B", (NO,))), "Choose"),
        Menu("Which?", (Section("A", (YES,)), Section("B", (NO,))), "Choose"),
    ),
    (Cards((Card("Lamp", "Oak.", PICTURE, options=(YES, NO)),)), Cards((CARD,))),
    (
        Cards((Card("Lamp", "Oak.", PICTURE, options=(YES, NO)),) * 2),
        Cards((CARD, CARD)),
    ),
    (Ask("Where?", "location"), Ask("Where?", "location")),
    (
        Template("order_update", "en", ("1042",)),
        Template("order_update", "en", ("1042",), text="Your order 1042 is on its way."),
    ),
    (
        Template("new_arrivals", "en", ("Ben",), PICTURE, ("/new",), "marketing"),
        Template(
            "new_arrivals",
            "en",
            ("Ben",),
            PICTURE,
            ("/new",),
            "marketing",
            "Hello Ben, these have just come in.",
        ),
    ),
    (
        Template("code", "en", ("123456",), category="authentication"),
        Template("code", "en", ("123456",), "", (), "authentication", "123456 is your code."),
    ),
    (Products("Look", items=(FIRST.id,)), Products("Look", CATALOG, (FIRST.id,))),
    (
        Products("Look", items=(FIRST.id, SECOND.id), header="New"),
        Products("Look", CATALOG, (FIRST.id, SECOND.id), "New"),
    ),
    (Products("All"), Products("All", CATALOG)),
    (Media("voice", url=PICTURE), Media("voice", url=PICTURE)),
    (
        Media("document", url=PICTURE, caption="Bill", filename="b.pdf"),
        Media("document", url=PICTURE, caption="Bill", filename="b.pdf"),
    ),
    (Media("sticker", url=PICTURE), Media("sticker", url=PICTURE)),
    (Location(52.5, 13.4, "Shop", "Main St 1"), Location(52.5, 13.4, "Shop", "Main St 1")),
    (
        Contact("Help", ("+1555",), ("h@x.example",)),
        Contact("Help", ("+1555",), ("h@x.example",)),
    ),
]


@pytest.mark.parametrize(("content", "shown"), SHOWN)
async def test_what_the_connector_sends_is_on_the_phone(phones, gateway, bot, content, shown):
    await heard(phones, gateway)
    entry = await sends(phones, bot, content)
    assert decode(entry["content"]) == shown
    assert entry["status"] in ("sent", "delivered")
    received = (await gateway.taken(3))[1:]
    receipts = [one for r in received for one in await heard_by(bot, r)]
    assert [(r.status, r.provider_id, r.ref) for r in receipts] == [
        ("sent", entry["id"], "turn-1:0"),
        ("delivered", entry["id"], "turn-1:0"),
    ]
    category = getattr(content, "category", "service")
    free = category in ("service", "utility")
    assert receipts[0].details == {
        "category": category,
        "type": "free_customer_service" if free else "regular",
        "model": "PMP",
        "billable": "false" if free else "true",
    }
    await phones.until(lambda ms: ms[-1]["status"] == "delivered")


@pytest.mark.parametrize(
    ("content", "payload"),
    [
        (Choices("Sure?", (YES, NO)), "/no"),
        (Menu("Which?", (Section("A", (YES,)), Section("B", (NO,)))), "/no"),
        (
            Cards(
                (Card("A", image=PICTURE, options=(NO,)), Card("B", image=PICTURE, options=(YES,)))
            ),
            "/no",
        ),
        (Cards((Card("A", image=PICTURE, options=(YES, NO)),)), "/no"),
        (Template("new_arrivals", "en", ("B",), PICTURE, ("/no",), "marketing"), "/no"),
    ],
)
async def test_a_button_of_any_kind_comes_back_as_its_payload(
    phones, gateway, bot, content, payload
):
    await heard(phones, gateway)
    shown = await sends(phones, bot, content)
    await gateway.taken(3)
    _, inbound = await says(phones, gateway, bot, Choice(payload))
    assert isinstance(inbound.content, Choice)
    assert (inbound.content.payload, inbound.content.of) == ("/no", shown["id"])
    assert inbound.content.title


async def test_a_menu_row_keeps_its_description(phones, gateway, bot):
    await heard(phones, gateway)
    rows = (Option("Express", "x", "1 day"), Option("Ship", "s"))
    await sends(phones, bot, Menu("Which?", (Section("", rows),)))
    await gateway.taken(3)
    await phones.say("whatsapp", BEN, content=encode(Choice("x")))
    message = messages_of(await gateway.taken(4))[-1]
    assert message["interactive"]["list_reply"] == {
        "id": "x",
        "title": "Express",
        "description": "1 day",
    }


async def upload(phones, data: bytes, name: str = "") -> str:
    headers = {"Content-Type": "application/octet-stream"}
    url = f"{phones.url}/control/files"
    async with phones.http.post(url, data=data, params={"name": name}, headers=headers) as answer:
        return (await answer.json())["url"]


OGG = b"OggS" + bytes(60)
PDF = b"%PDF-1.4 " + bytes(60)


@pytest.mark.parametrize(
    ("type_", "data", "mime", "caption"),
    [
        ("image", None, "image/png", "look"),
        ("voice", OGG, "audio/ogg; codecs=opus", ""),
        ("audio", OGG, "audio/ogg", ""),
        ("document", PDF, "application/pdf", "the bill"),
        ("sticker", b"RIFF0000WEBP" + bytes(9), "image/webp", ""),
        ("video", b"0000ftypisom" + bytes(40), "video/mp4", ""),
    ],
)
async def test_a_file_a_customer_sends_is_fetched(
    phones, gateway, bot, png, type_, data, mime, caption
):
    data = data or png
    url = await upload(phones, data, "b.pdf" if type_ == "document" else "")
    _, inbound = await says(phones, gateway, bot, Media(type_, url=url, caption=caption))
    media = inbound.content
    assert (media.type, media.mime, media.caption) == (type_, mime, caption)
    assert media.filename == ("b.pdf" if type_ == "document" else "")
    file = await bot.fetch(media, 10_000)
    assert file.data == data
    with pytest.raises(NoFile, match="bytes"):
        await bot.fetch(media, len(data) - 1)


async def test_the_address_of_a_file_expires_and_the_file_with_its_id(
    phones, gateway, bot, png, monkeypatch
):
    url = await upload(phones, png)
    _, inbound = await says(phones, gateway, bot, Media("image", url=url))
    monkeypatch.setattr(stand_in, "MEDIA_URL_SECONDS", -1.0)
    with pytest.raises(NoFile, match="404"):
        await bot.fetch(inbound.content, 10_000)
    monkeypatch.setattr(stand_in, "MEDIA_URL_SECONDS", 300.0)
    assert (await bot.fetch(inbound.content, 10_000)).data == png
    phones.sandbox._world.media.drop(inbound.content.ref)
    with pytest.raises(NoFile, match="no more"):
        await bot.fetch(inbound.content, 10_000)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (Text("grüße 漢字"), None),
        (Location(52.5, 13.4), None),
        (Location(52.5, 13.4, "Café", "Main St 1"), None),
        (Contact("Ann Lee", ("+49 170 1",), ("a@x.example",)), None),
        (
            Order((OrderItem(FIRST.id, 2),), note="Gift"),
            Order((OrderItem(FIRST.id, 2, FIRST.price, FIRST.currency),), CATALOG, "Gift"),
        ),
        (Event("start"), None),
        (Event("opt_out"), Event("opt_out", "marketing")),
        (Event("opt_in"), Event("opt_in", "marketing")),
        (Event("moved", "491700000009"), None),
    ],
)
async def test_what_a_customer_does_is_read(phones, gateway, bot, content, read):
    id_, inbound = await says(phones, gateway, bot, content)
    assert inbound.content == (read or content)
    assert inbound.address == HERE
    assert (await phones.message(id_))["status"] in ("pending", "delivered")


async def test_a_correction_a_withdrawal_and_a_thumb(phones, gateway, bot):
    id_, _ = await says(phones, gateway, bot, Text("one"))
    _, edited = await says(phones, gateway, bot, Edit(id_, "two"))
    assert edited.content == Edit(id_, "two")
    assert (await phones.message(id_))["text"] == "two"
    _, liked = await says(phones, gateway, bot, Reaction(id_, "👍"))
    assert liked.content == Reaction(id_, "👍")
    _, unliked = await says(phones, gateway, bot, Reaction(id_, removed=True))
    assert unliked.content == Reaction(id_, removed=True)
    _, gone = await says(phones, gateway, bot, Deletion(id_))
    assert gone.content == Deletion(id_)
    assert (await phones.message(id_))["deleted"]


async def test_a_caption_is_corrected(phones, gateway, bot, png):
    picture = Media("image", url=await upload(phones, png), caption="one")
    id_, _ = await says(phones, gateway, bot, picture)
    _, edited = await says(phones, gateway, bot, Edit(id_, "two"))
    assert edited.content == Edit(id_, "two")
    assert (await phones.message(id_))["content"]["caption"] == "two"


async def test_a_quote_an_advertisement_and_a_claimed_time(phones, gateway, bot):
    first, _ = await says(phones, gateway, bot, Text("one"))
    ad = Referral("ad", "120", "https://fb.example/1", "Chat with us", "Aff-1")
    then = utcnow().replace(microsecond=0) - timedelta(hours=3)
    _, inbound = await says(
        phones,
        gateway,
        bot,
        Text("two"),
        reply_to=first,
        referral={
            "source": ad.source,
            "ref": ad.ref,
            "url": ad.url,
            "title": ad.title,
            "click": ad.click,
        },
        sent=then.isoformat(),
    )
    assert (inbound.reply_to, inbound.referral, inbound.sent) == (first, ad, then)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (Event("blocked"), "tells businesses nothing"),
        (Choice("/none"), "such a button"),
        (Edit("wamid.none", "x"), "no message"),
        (Reaction("wamid.none", "x"), "no message"),
        (Event("moved", BEN), "the number the customer has"),
        (Media("image", url="/control/media/none"), "no uploaded file"),
    ],
)
async def test_what_whatsapp_has_not_is_refused_in_words(phones, content, reason):
    refused = await phones.post(
        "say", channel="whatsapp", user=BEN, content=encode(content), status=400
    )
    assert reason in refused["error"]
    assert await phones.messages() == []


async def test_the_24_hours_count_from_what_the_last_message_claims(phones, gateway, bot):
    old = utcnow() - timedelta(hours=25)
    await says(phones, gateway, bot, Text("yesterday"), sent=old.isoformat())
    await bot.send(Outbound("turn-1:0", HERE, Text("Hello")))
    (failed,) = await heard_by(bot, (await gateway.taken(2))[-1])
    assert isinstance(failed, Receipt)
    assert (failed.status, failed.code, failed.ref) == ("failed", "131047", "turn-1:0")
    assert "24 hours" in failed.reason
    template = Template("write_again", "en")
    shown = await sends(phones, bot, template, "turn-1:1")
    assert shown["content"]["text"].startswith("Hello! We have an answer")
    (taken,) = await heard_by(bot, (await gateway.taken(3))[-1])
    assert (taken.status, taken.details["billable"]) == ("sent", "true")
    await says(phones, gateway, bot, Text("now"))
    assert (await sends(phones, bot, Text("Hello"), "turn-1:2"))["text"] == "Hello"


async def test_a_preference_does_not_open_the_24_hours(phones, gateway, bot):
    await says(phones, gateway, bot, Event("opt_in"))
    await bot.send(Outbound("turn-1:0", HERE, Text("Hello")))
    (failed,) = await heard_by(bot, (await gateway.taken(2))[-1])
    assert failed.code == "131047"


async def test_who_stopped_marketing_gets_none(phones, gateway, bot):
    await heard(phones, gateway)
    await says(phones, gateway, bot, Event("opt_out"))
    marketing = Template("new_arrivals", "en", ("Ben",), PICTURE)
    await bot.send(Outbound("turn-1:0", HERE, marketing))
    (failed,) = await heard_by(bot, (await gateway.taken(3))[-1])
    assert (failed.status, failed.code) == ("failed", "131050")
    await sends(phones, bot, Template("order_update", "en", ("7",)))
    await phones.say("whatsapp", BEN, content=encode(Event("opt_in")))
    shown = await sends(phones, bot, marketing)
    assert shown["content"]["name"] == "new_arrivals"


async def test_a_customer_with_a_new_number_keeps_the_phone(phones, gateway, bot):
    new = "491700000009"
    await says(phones, gateway, bot, Text("hi"))
    await says(phones, gateway, bot, Event("moved", new))
    assert {m["user"] for m in await phones.messages()} == {new}
    wamid = await bot.send(Outbound("turn-1:0", replace(HERE, user=new), Text("Hello")))
    assert (await phones.message(wamid))["user"] == new


async def test_too_many_messages_to_one_customer_wait_for_him_alone(
    phones, gateway, bot, monkeypatch
):
    monkeypatch.setattr(stand_in, "PAIR_BURST", 2)
    await heard(phones, gateway)
    await phones.say("whatsapp", "491700000002", "hi")
    for n in range(2):
        await bot.send(Outbound(f"turn-1:{n}", HERE, Text("Hello")))
    with pytest.raises(RetryLater) as refused:
        await bot.send(Outbound("turn-1:2", HERE, Text("Hello")))
    assert (refused.value.pair, refused.value.after) == (True, 6.0)
    other = replace(HERE, user="491700000002")
    assert await bot.send(Outbound("turn-2:0", other, Text("Hello")))


async def test_the_connector_reads_types_and_reacts(phones, gateway, bot):
    id_, _ = await says(phones, gateway, bot, Text("hi"))
    async with phones.events() as events:
        await bot.typing(HERE, id_)
        told = [await events.next() for _ in range(2)]
    assert [t["event"] for t in told] == ["message", "typing"]
    assert (await phones.message(id_))["status"] == "read"
    await bot.send(Outbound("turn-1:0", HERE, Reaction(id_, "👍")))
    assert (await phones.message(id_))["reactions"] == {"out": "👍"}
    with pytest.raises(Rejected):
        await bot.seen(HERE, "wamid.none")


async def test_a_batch_of_every_sort_is_one_request(phones, gateway, bot):
    batch = [
        {"content": encode(Text("one"))},
        {"content": encode(Event("opt_out"))},
        {"content": encode(Event("start")), "user": "491700000002"},
        {"content": encode(Location(1.0, 2.0))},
    ]
    await phones.post("say", channel="whatsapp", user=BEN, batch=batch)
    (received,) = await gateway.taken(1)
    found = await heard_by(bot, received)
    assert sorted((a.address.user, a.content.kind) for a in found) == [
        (BEN, "event"),
        (BEN, "location"),
        (BEN, "text"),
        ("491700000002", "event"),
    ]
