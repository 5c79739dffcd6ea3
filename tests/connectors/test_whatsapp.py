"""The WhatsApp connector, over real HTTP on loopback wherever it speaks."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.message import Address, Choices, Inbound, Option, Outbound, Receipt, Text, encode, utcnow
from connectors import connector_class, whatsapp
from connectors.base import Request
from connectors.errors import (
    BadSignature,
    ConnectorError,
    Rejected,
    RetryLater,
    Unreadable,
)
from connectors.render import render
from connectors.whatsapp import WhatsApp
from tests.connectors.cases.whatsapp import (
    FAILURES,
    INBOUND,
    OUTBOUND,
    PHONE_ID,
    REFUSED,
    SCOPED,
    UNREADABLE,
    USER,
    Fails,
    message,
    one,
    status,
    text,
)
from tests.kit.http import Answer, Provider, Step, closed_url, provider

TOKEN = "EAAJtoken0SECRET"
APP_SECRET = "app0SECRET"
VERIFY = "verify0SECRET"
TAKEN = Answer({"messaging_product": "whatsapp", "messages": [{"id": "wamid.SENT"}]})


def connector(api_url: str = "", **fields: str) -> WhatsApp:
    values = {
        "account": "shop",
        "phone_id": PHONE_ID,
        "token": TOKEN,
        "app_secret": APP_SECRET,
        "verify_token": VERIFY,
        "api_url": api_url,
        **fields,
    }
    return WhatsApp(WhatsApp.Account(**values))


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(body: Any, **headers: str) -> Request:
    """A signed webhook request; `headers` with underscores replace the signature."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(
        "POST",
        "/webhooks/whatsapp/shop",
        headers=given_headers or {"x-hub-signature-256": signature(raw)},
        body=raw,
    )


def outbound(content: Any, user: str = USER, id: str = "t-1:0") -> Outbound:
    return Outbound(id, Address("whatsapp", "shop", user), content)


@asynccontextmanager
async def meta(*steps: Step) -> AsyncIterator[tuple[WhatsApp, Provider]]:
    """A connector whose Graph API is a server on loopback that answers `steps`."""
    async with provider(list(steps)) as server:
        made = connector(server.url)
        try:
            yield made, server
        finally:
            await made.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatsapp, "TIMEOUT", httpx.Timeout(connect=5, write=5, read=0.3, pool=5))


# --- proof of origin ---


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_hub_signature": "sha1=" + "0" * 40},
        {"x_hub_signature_256": ""},
        {"x_hub_signature_256": "sha256="},
        {"x_hub_signature_256": "sha256=" + "0" * 64},
        {"x_hub_signature_256": "sha256=" + "0" * 63},
        {"x_hub_signature_256": "sha256=" + "g" * 64},
        {"x_hub_signature_256": "sha256=" + "é" * 64},
        {"x_hub_signature_256": "sha256=" + "٠" * 64},
        {"x_hub_signature_256": signature(json.dumps(one(text())).encode(), "another")},
        {"x_hub_signature_256": signature(json.dumps(one(text())).encode(), "")},
        {"x_hub_signature_256": signature(json.dumps(one(text())).encode() + b" ")},
        {"x_hub_signature_256": signature(json.dumps(one(text())).encode())[7:]},
        {"x_hub_signature_256": signature(json.dumps(one(text())).encode()) + "\n"},
        {"x_hub_signature_256": signature(json.dumps(one(text())).encode()).upper()},
    ],
)
async def test_what_is_not_signed_by_meta_is_not_read(headers: dict[str, str]) -> None:
    request = replace(post(one(text()), x_none="1"), headers={})
    request = replace(request, headers=post(one(text()), **headers).headers if headers else {})
    with pytest.raises(BadSignature):
        await connector().receive(request)


async def test_an_unsigned_body_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadSignature):
        await connector().receive(post(b"not JSON", x_hub_signature_256="sha256=" + "0" * 64))


async def test_without_an_app_secret_nothing_is_believed() -> None:
    body = json.dumps(one(text())).encode()
    with pytest.raises(BadSignature, match="app_secret"):
        await connector(app_secret="").receive(post(body, x_hub_signature_256=signature(body, "")))


async def test_hex_in_capitals_is_the_same_signature() -> None:
    body = json.dumps(one(text())).encode()
    capitals = "sha256=" + signature(body)[7:].upper()
    assert await connector().receive(post(body, x_hub_signature_256=capitals))


@pytest.mark.parametrize("escaped", [True, False])
async def test_the_signature_is_over_the_bytes_not_over_their_meaning(escaped: bool) -> None:
    body = json.dumps(one(text("Grüße 漢字 👍")), ensure_ascii=escaped, indent=3).encode()
    (found,) = await connector().receive(post(body))
    assert isinstance(found, Inbound)
    assert found.content == Text("Grüße 漢字 👍")


async def test_a_request_vouched_for_is_read_again() -> None:
    made = connector()
    kept = replace(post(one(text())), headers={"content-type": "application/json"})
    with pytest.raises(BadSignature):
        await made.receive(kept)
    vouched = made.vouch(kept)
    assert await made.receive(vouched) == await made.receive(post(one(text())))
    assert vouched.headers["content-type"] == "application/json"


# --- in ---


@pytest.mark.parametrize("case", INBOUND.values(), ids=INBOUND.keys())
async def test_a_webhook_is_read(case: tuple[Any, list[Any]]) -> None:
    body, expected = case
    assert await connector().receive(post(body)) == expected


@pytest.mark.parametrize("case", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_cannot_be_read_costs_nothing_else(case: tuple[Any, list[Any], str]) -> None:
    body, parsed, reason = case
    with pytest.raises(Unreadable) as caught:
        await connector().receive(post(body))
    assert caught.value.parsed == parsed
    assert reason in str(caught.value)


async def test_the_reason_never_quotes_the_customer() -> None:
    private = "my card is 4111 1111"
    for broken in (
        json.dumps(one(text(private))).encode()[:-3],
        one(message("text", text=[private])),
        one(message("interactive", interactive={"type": [private]})),
        one(text(private, id=5)),
    ):
        with pytest.raises(Unreadable) as caught:
            await connector().receive(post(broken))
        assert "4111" not in repr(caught.value)
        assert "4111" not in repr(caught.value.__cause__)


async def test_a_malformed_message_keeps_its_id_free_for_the_replay() -> None:
    with pytest.raises(Unreadable) as caught:
        await connector().receive(post(one(message("image", image={"id": 5}))))
    (found,) = caught.value.parsed
    (replayed,) = await connector().receive(post(one(message("image", image={"id": "5"}))))
    assert isinstance(found, Inbound)
    assert isinstance(replayed, Inbound)
    assert found.id != replayed.id
    assert found.address == replayed.address


@pytest.mark.parametrize(
    "timestamp",
    [None, "", "soon", "-1", -1, 1.5, True, [], "9" * 5000, "253402300799", "9" * 13, "١٢"],
)
async def test_a_message_is_not_lost_over_its_clock(timestamp: Any) -> None:
    before = utcnow()
    found = await connector().receive(
        post(one(text(timestamp=timestamp), statuses=[status(timestamp=timestamp)]))
    )
    inbound, receipt = found
    assert isinstance(inbound, Inbound)
    assert isinstance(receipt, Receipt)
    assert inbound.order == 0
    assert before <= inbound.sent <= utcnow()
    assert before <= receipt.at <= utcnow()


async def test_errors_of_the_account_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    body = one(errors=[{"code": 130429, "title": "Rate limit hit", "error_data": {"details": "x"}}])
    with caplog.at_level(logging.WARNING):
        assert await connector().receive(post(body)) == []
    assert "130429 Rate limit hit: x" in caplog.text


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["messages", "text", "image", "wamid.A", USER, PHONE_ID, "9" * 30]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=8)
            | st.sampled_from(["entry", "changes", "value", "messages", "statuses", "id", "type"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)
_WHOLE = [body for body, _ in INBOUND.values() if not isinstance(body, bytes)]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    found: list[tuple[Any, Any]] = []
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, inner in pairs:
        found.append((value, key))
        found.extend(_places(inner))
    return found


# One for all examples: each connector loads the system's certificates.
_RECEIVER = connector()


async def _read_or_refuse(raw: bytes) -> list[Any]:
    """Receive `raw` signed; any other exception than the two named ones fails the test."""
    try:
        found = await _RECEIVER.receive(post(raw))
    except Unreadable as unreadable:
        found = unreadable.parsed
    for arrived in found:
        if isinstance(arrived, Inbound):
            json.dumps([arrived.id, arrived.address.key, encode(arrived.content)]).encode()
            arrived.id.encode()
            arrived.address.key.encode()
            str(arrived.profile).encode()
            assert arrived.sent.tzinfo is not None
        else:
            (arrived.provider_id + arrived.ref + arrived.reason).encode()
            assert arrived.at.tzinfo is not None
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(_JSON | st.binary(max_size=200))
async def test_fuzz_anything_signed_is_read_or_named_unreadable(body: Any) -> None:
    await _read_or_refuse(body if isinstance(body, bytes) else json.dumps(body).encode())


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(_WHOLE), st.data())
async def test_fuzz_one_mutated_part_never_costs_the_good_message(body: Any, data: Any) -> None:
    """Mutate one place of a webhook that stands beside a good one."""
    mutated = json.loads(json.dumps(body))
    places = _places(mutated.get("entry"))
    if places:
        holder, key = data.draw(st.sampled_from(places))
        if data.draw(st.booleans()) and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = data.draw(_JSON)
    good = one(text("good", id="wamid.BESIDE"))
    mutated["entry"] = [*mutated["entry"], *good["entry"]]
    found = await _read_or_refuse(json.dumps(mutated).encode())
    assert Text("good") in [a.content for a in found if isinstance(a, Inbound)]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=60), st.text(max_size=90))
async def test_fuzz_nothing_passes_with_a_made_up_signature(body: bytes, header: str) -> None:
    with pytest.raises(BadSignature):
        await _RECEIVER.receive(post(body, x_hub_signature_256=header))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(_WHOLE), st.integers(min_value=0), st.integers(1, 255))
async def test_fuzz_one_changed_byte_breaks_the_signature(body: Any, at: int, flip: int) -> None:
    request = post(body)
    raw = bytearray(request.body)
    raw[at % len(raw)] ^= flip
    with pytest.raises(BadSignature):
        await _RECEIVER.receive(replace(request, body=bytes(raw)))


# --- handshake ---


def verification(**query: str) -> Request:
    wanted = {"mode": "subscribe", "verify_token": VERIFY, "challenge": "1158201444", **query}
    return Request(
        "GET", "/webhooks/whatsapp/shop", {f"hub.{k}": v for k, v in wanted.items() if v != "-"}
    )


async def test_the_challenge_is_answered_in_plain_text() -> None:
    answer = await connector().handshake(verification())
    assert (answer.status, answer.body, answer.content_type) == (200, "1158201444", "text/plain")


@pytest.mark.parametrize(
    "query",
    [
        {"verify_token": "wrong"},
        {"verify_token": ""},
        {"verify_token": "-"},
        {"verify_token": "é\ud800"},
        {"mode": "unsubscribe"},
        {"mode": "-"},
        {"challenge": "-"},
    ],
)
async def test_any_other_verification_is_forbidden(query: dict[str, str]) -> None:
    answer = await connector().handshake(verification(**query))
    assert answer.status == 403
    assert "1158201444" not in answer.body
    assert VERIFY not in answer.body


async def test_without_a_verify_token_nobody_is_verified() -> None:
    answer = await connector(verify_token="").handshake(verification(verify_token=""))
    assert answer.status == 403


# --- out ---


@pytest.mark.parametrize("case", OUTBOUND.values(), ids=OUTBOUND.keys())
async def test_a_message_is_one_request(case: tuple[Any, str, Any]) -> None:
    content, kind, body = case
    async with meta(TAKEN) as (made, server):
        assert await made.send(outbound(content)) == "wamid.SENT"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", f"/v24.0/{PHONE_ID}/messages")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": USER,
        "type": kind,
        kind: body,
        "biz_opaque_callback_data": "t-1:0",
    }


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
async def test_what_meta_would_refuse_is_never_sent(case: tuple[Any, str]) -> None:
    content, reason = case
    async with meta() as (made, _):
        with pytest.raises(Rejected, match=reason):
            await made.send(outbound(content))


@pytest.mark.parametrize("user", ["", "+1650", "a:b", "1/../2", "US.", "١٢٣", "1" * 21])
async def test_what_is_no_address_is_never_sent_to(user: str) -> None:
    async with meta() as (made, _):
        with pytest.raises(Rejected, match="address"):
            await made.send(outbound(Text("Hello"), user=user))


async def test_a_customer_without_number_is_a_recipient() -> None:
    async with meta(TAKEN) as (made, server):
        await made.send(outbound(Text("Hello"), user=SCOPED))
    assert server.requests[0].json["recipient"] == SCOPED
    assert "to" not in server.requests[0].json


async def test_our_id_goes_along_up_to_its_limit() -> None:
    async with meta(TAKEN) as (made, server):
        await made.send(outbound(Text("Hello"), id="x" * 512))
        with pytest.raises(Rejected, match="512"):
            await made.send(outbound(Text("Hello"), id="x" * 513))
    assert server.requests[0].json["biz_opaque_callback_data"] == "x" * 512


@pytest.mark.parametrize("count", [1, 3, 4, 10, 11])
async def test_what_the_renderer_makes_can_be_sent(count: int) -> None:
    made_options = tuple(Option(f"{n} " + "title " * 9, f"/p{n}") for n in range(count))
    contents = render(Choices("Why? " * 900, made_options), WhatsApp.capabilities)
    assert len(contents) > 1
    async with meta(*[TAKEN] * len(contents)) as (made, server):
        for content in contents:
            await made.send(outbound(content))
    assert len(server.requests) == len(contents)


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES.keys())
async def test_a_failure_has_its_name(case: Fails) -> None:
    async with meta(case.step) as (made, server):
        with pytest.raises(ConnectorError) as caught:
            await made.send(outbound(Text("Hello")))
    error = caught.value
    assert type(error) is case.error
    assert len(server.requests) == 1
    if isinstance(error, RetryLater):
        assert error.after == case.after
    if isinstance(error, Rejected):
        assert error.code == case.code
    for word in case.words:
        assert word in str(error)


async def test_where_nobody_listens_the_message_was_certainly_not_taken() -> None:
    made = connector(closed_url())
    with pytest.raises(RetryLater, match="could not be reached") as caught:
        await made.send(outbound(Text("Hello")))
    assert caught.value.__cause__ is None
    await made.close()


async def test_a_retry_date_is_read() -> None:
    later = "Fri, 31 Dec 2100 23:59:59 GMT"
    async with meta(Answer("", 429, {"Retry-After": later})) as (made, _):
        with pytest.raises(RetryLater) as caught:
            await made.send(outbound(Text("Hello")))
    assert caught.value.after == 86400.0


async def test_a_path_in_api_url_is_kept() -> None:
    async with provider([TAKEN]) as server:
        made = connector(f"{server.url}/sandbox/whatsapp/")
        await made.send(outbound(Text("Hello")))
        await made.close()
    assert server.requests[0].path == f"/sandbox/whatsapp/v24.0/{PHONE_ID}/messages"


async def test_proxies_of_the_environment_are_not_for_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, closed_url())
    async with meta(TAKEN) as (made, _):
        assert await made.send(outbound(Text("Hello"))) == "wamid.SENT"


async def test_proxies_of_the_environment_are_used_on_the_way_to_meta(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with provider([TAKEN]) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        made = connector("http://graph.invalid")
        assert await made.send(outbound(Text("Hello"))) == "wamid.SENT"
        await made.close()
    assert server.requests[0].headers["host"] == "graph.invalid"


async def test_a_connector_without_api_url_speaks_to_meta() -> None:
    made = connector()
    assert str(made._graph._session.base_url) == "https://graph.facebook.com/v24.0/"
    await made.close()


async def test_a_message_without_receipt_was_not_taken() -> None:
    async with meta() as (made, _):
        assert await made.confirm(outbound(Text("Hello")), ["wamid.A"]) is None


# --- identity ---


async def test_the_account_tells_its_name_and_number() -> None:
    answer = {"verified_name": "Lucky Shrub", "display_phone_number": "+1 555-078-3881", "id": "1"}
    async with meta(Answer(answer)) as (made, server):
        assert await made.identity() == "Lucky Shrub +1 555-078-3881"
    assert server.requests[0].path == f"/v24.0/{PHONE_ID}"
    assert server.requests[0].query == {"fields": "display_phone_number,verified_name"}


@pytest.mark.parametrize(
    "step",
    [
        FAILURES["code 190"].step,
        FAILURES["a phone id the token cannot see"].step,
        Answer({}),
        Answer("hello"),
        Answer({"verified_name": 5}),
    ],
)
async def test_an_account_in_trouble_says_why(step: Step) -> None:
    async with meta(step) as (made, _):
        with pytest.raises(ConnectorError):
            await made.identity()


# --- secrets ---


def test_secrets_are_not_shown() -> None:
    account = connector().account
    assert not any(secret in repr(account) for secret in (TOKEN, APP_SECRET, VERIFY))
    marked = {
        name
        for name, made in WhatsApp.Account.__dataclass_fields__.items()
        if made.metadata.get("secret")
    }
    assert marked == {"token", "app_secret", "verify_token"}


async def test_secrets_reach_neither_logs_nor_errors(caplog: pytest.LogCaptureFixture) -> None:
    quoting = Answer({"error": {"code": 190, "message": f"Malformed access token {TOKEN}"}}, 401)
    steps = [TAKEN, quoting, Answer("", 502), FAILURES["a reset"].step]
    with caplog.at_level(logging.DEBUG):
        async with meta(*steps) as (made, _):
            assert await made.send(outbound(Text("customer's words"))) == "wamid.SENT"
            for _step in steps[1:]:
                with pytest.raises(ConnectorError) as caught:
                    await made.send(outbound(Text("customer's words")))
                assert TOKEN not in repr(caught.value)
                assert TOKEN not in str(caught.value)
                assert caught.value.__cause__ is None
            await made.handshake(verification())
            await made.receive(post(one(text("customer's words"))))
            with pytest.raises(BadSignature) as refused:
                await made.receive(post(one(text()), x_hub_signature_256="sha256=1"))
            assert APP_SECRET not in repr(refused.value)
    assert caplog.records
    for secret in (TOKEN, APP_SECRET, VERIFY, "customer's words"):
        assert secret not in caplog.text


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}\r\nX: y"])
async def test_a_token_no_header_takes_is_not_quoted(token: str) -> None:
    async with provider([]) as server:
        made = connector(server.url, token=token)
        with pytest.raises(RetryLater, match="check token") as caught:
            await made.send(outbound(Text("Hello")))
        await made.close()
    assert TOKEN not in repr(caught.value)


# --- the contract ---


def test_the_channel_is_known() -> None:
    assert connector_class("whatsapp") is WhatsApp
    assert connector().name == "whatsapp:shop"


def test_every_kind_read_and_sent_is_declared() -> None:
    kinds_in = {
        a.content.kind for _, found in INBOUND.values() for a in found if isinstance(a, Inbound)
    }
    assert kinds_in == WhatsApp.capabilities.kinds_in
    assert {c.kind for c, _, _ in OUTBOUND.values()} == WhatsApp.capabilities.kinds_out
