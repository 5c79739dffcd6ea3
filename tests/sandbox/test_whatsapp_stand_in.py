"""The Cloud API stand-in, driven by pywa over HTTP; its webhooks read with pywa's types."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import AsyncIterator

import httpx
import pytest
from pywa_async import WhatsApp, errors
from pywa_async.types import Button, Section, SectionList, SectionRow
from pywa_async.types import Message as PywaMessage
from pywa_async.types import MessageStatus as PywaStatus

BEN = "491700000001"


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
    sent = await meta.send_message(BEN, "Pick", buttons=SectionList("Open", [Section("All", rows)]))
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
    async with phones.http.ws_connect(f"{phones.url}/control/events") as events:
        await events.receive_json()
        await meta.indicate_typing(message["id"])
        assert (await events.receive_json())["event"] == "typing"
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
        ({"type": "template", "template": {"name": "n"}}, 132001),
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
