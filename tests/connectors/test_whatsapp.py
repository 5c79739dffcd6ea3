"""The WhatsApp connector, over real HTTP on loopback wherever it speaks."""

from __future__ import annotations

import hashlib
import json
import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.message import (
    Address,
    Choices,
    Inbound,
    Media,
    Notice,
    Option,
    Outbound,
    Receipt,
    Template,
    Text,
    encode,
    utcnow,
)
from connectors import connector_class, whatsapp
from connectors.base import File, Request
from connectors.errors import (
    BadSignature,
    ConnectorError,
    NoFile,
    Rejected,
    RetryLater,
    Unreadable,
)
from connectors.render import render
from connectors.whatsapp import WhatsApp
from tests.connectors.cases.whatsapp import (
    APP_SECRET,
    FAILURES,
    PHONE_ID,
    RECEIPTS,
    REFUSED,
    SCOPED,
    TAKEN,
    TOKEN,
    USER,
    VERIFY,
    Fails,
    change,
    connector,
    entry,
    graph_error,
    hook,
    message,
    one,
    signature,
    status,
    text,
    webhook,
)
from tests.connectors.cases.whatsapp_in import INBOUND
from tests.connectors.cases.whatsapp_out import OUTBOUND
from tests.kit.dice import examples
from tests.kit.http import Answer, Provider, Recorded, Reset, Step, closed_url, patience, provider
from tests.kit.waiting import PATIENCE


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
def _impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatsapp, "TIMEOUT", httpx.Timeout(PATIENCE, read=patience(request)))


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
    request = replace(hook(one(text()), x_none="1"), headers={})
    request = replace(request, headers=hook(one(text()), **headers).headers if headers else {})
    with pytest.raises(BadSignature):
        await connector().receive(request)


async def test_an_unsigned_body_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadSignature):
        await connector().receive(hook(b"not JSON", x_hub_signature_256="sha256=" + "0" * 64))


async def test_without_an_app_secret_nothing_is_believed() -> None:
    body = json.dumps(one(text())).encode()
    with pytest.raises(BadSignature, match="app_secret"):
        await connector(app_secret="").receive(hook(body, x_hub_signature_256=signature(body, "")))


async def test_hex_in_capitals_is_the_same_signature() -> None:
    body = json.dumps(one(text())).encode()
    capitals = "sha256=" + signature(body)[7:].upper()
    assert await connector().receive(hook(body, x_hub_signature_256=capitals))


@pytest.mark.parametrize("escaped", [True, False])
async def test_the_signature_is_over_the_bytes_not_over_their_meaning(escaped: bool) -> None:
    body = json.dumps(one(text("Grüße 漢字 👍")), ensure_ascii=escaped, indent=3).encode()
    (found,) = await connector().receive(hook(body))
    assert isinstance(found, Inbound)
    assert found.content == Text("Grüße 漢字 👍")


async def test_a_request_vouched_for_is_read_again() -> None:
    made = connector()
    kept = replace(hook(one(text())), headers={"content-type": "application/json"})
    with pytest.raises(BadSignature):
        await made.receive(kept)
    vouched = made.vouch(kept)
    assert await made.receive(vouched) == await made.receive(hook(one(text())))
    assert vouched.headers["content-type"] == "application/json"


# --- in ---


@pytest.mark.parametrize("case", RECEIPTS.values(), ids=RECEIPTS.keys())
async def test_a_status_is_a_receipt(case: tuple[Any, Receipt]) -> None:
    told, expected = case
    assert await connector().receive(hook(one(statuses=[told]))) == [expected]


async def test_all_of_a_batch_comes_in_its_order() -> None:
    body = webhook(
        entry(change(text("1"), statuses=[status("sent")]), change(statuses=[status("read")])),
        {**entry(), "changes": [{"field": "account_update", "value": {"event": "X"}}]},
        entry(change(text("2", id="wamid.B"))),
    )
    found = await connector().receive(hook(body))
    assert [type(a) for a in found] == [Inbound, Receipt, Receipt, Notice, Inbound]


async def test_a_message_twice_in_one_request_is_read_once() -> None:
    body = webhook(entry(change(text()), change(text(), text())), entry(change(text())))
    assert len(await connector().receive(hook(body))) == 1


async def test_a_notice_is_the_same_in_every_redelivery_and_no_other() -> None:
    def told(**fields: Any) -> Any:
        change = {"field": "account_update", "value": {"event": "ACCOUNT_DELETED"}}
        return {"id": "1", "time": 1743451903, "changes": [change], **fields}

    bodies = [told(), told(), told(id="2"), told(time=1743451904)]
    found = [await connector().receive(hook(webhook(body))) for body in bodies]
    ids = [notice.id for (notice,) in found if isinstance(notice, Notice)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    (notice,) = found[0]
    assert isinstance(notice, Notice)
    assert notice.at == datetime(2025, 3, 31, 20, 11, 43, tzinfo=timezone.utc)


async def test_the_reason_never_quotes_the_customer() -> None:
    private = "my card is 4111 1111"
    for broken in (
        json.dumps(one(text(private))).encode()[:-3],
        one(message("text", text=[private])),
        one(message("interactive", interactive={"type": [private]})),
        one(text(private, id=5)),
    ):
        with pytest.raises(Unreadable) as caught:
            await connector().receive(hook(broken))
        assert "4111" not in repr(caught.value)
        assert "4111" not in repr(caught.value.__cause__)


async def test_a_malformed_message_keeps_its_id_free_for_the_replay() -> None:
    with pytest.raises(Unreadable) as caught:
        await connector().receive(hook(one(message("image", image={"id": 5}))))
    (found,) = caught.value.parsed
    (replayed,) = await connector().receive(hook(one(message("image", image={"id": "5"}))))
    assert isinstance(found, Inbound)
    assert isinstance(replayed, Inbound)
    assert found.id != replayed.id
    assert found.address == replayed.address


@pytest.mark.parametrize(
    "timestamp",
    [
        *(None, "", "soon", "-1", -1, 1.5, True, [], "١٢"),
        *("253402300799", "9" * 12, 10**12 - 1, "9" * 13, "9" * 14, "9" * 5000),
    ],
)
async def test_a_message_is_not_lost_over_its_clock(timestamp: Any) -> None:
    before = utcnow()
    found = await connector().receive(
        hook(one(text(timestamp=timestamp), statuses=[status(timestamp=timestamp)]))
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
        assert await connector().receive(hook(body)) == []
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
_READ = [case for case in INBOUND if case.status == 200 and not case.dead]
_WHOLE = [json.loads(case.request.body) for case in _READ]


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
        found = await _RECEIVER.receive(hook(raw))
    except Unreadable as unreadable:
        found = unreadable.parsed
    for arrived in found:
        if isinstance(arrived, Inbound):
            json.dumps([arrived.id, arrived.address.key, encode(arrived.content)]).encode()
            arrived.id.encode()
            arrived.address.key.encode()
            str(arrived.profile).encode()
            assert arrived.sent.tzinfo is not None
        elif isinstance(arrived, Receipt):
            (arrived.provider_id + arrived.ref + arrived.reason + arrived.code).encode()
            json.dumps(dict(arrived.details)).encode()
            assert arrived.at.tzinfo is not None
        else:
            (arrived.id + arrived.subject + arrived.text).encode()
            assert arrived.subject
            assert arrived.text
            assert arrived.at.tzinfo is not None
    return found


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(_JSON | st.binary(max_size=200))
async def test_fuzz_anything_signed_is_read_or_named_unreadable(body: Any) -> None:
    await _read_or_refuse(body if isinstance(body, bytes) else json.dumps(body).encode())


@settings(max_examples=examples(400), deadline=None, suppress_health_check=list(HealthCheck))
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


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=60), st.text(max_size=90))
async def test_fuzz_nothing_passes_with_a_made_up_signature(body: bytes, header: str) -> None:
    with pytest.raises(BadSignature):
        await _RECEIVER.receive(hook(body, x_hub_signature_256=header))


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(_WHOLE), st.integers(min_value=0), st.integers(1, 255))
async def test_fuzz_one_changed_byte_breaks_the_signature(body: Any, at: int, flip: int) -> None:
    request = hook(body)
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
        assert error.pair == ("131056" in str(error))
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
    marked = {made.name for made in fields(WhatsApp.Account) if made.metadata.get("secret")}
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
            await made.receive(hook(one(text("customer's words"))))
            with pytest.raises(BadSignature) as refused:
                await made.receive(hook(one(text()), x_hub_signature_256="sha256=1"))
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
    kinds_in = {a.content.kind for c in INBOUND for a in c.arrived if isinstance(a, Inbound)}
    assert kinds_in == WhatsApp.capabilities.kinds_in
    asked = {call.json["type"] for case in OUTBOUND for call in case.calls}
    assert asked == {
        *("text", "interactive", "template", "location", "contacts", "reaction"),
        *("image", "audio", "video", "document", "sticker"),
    }
    for case in OUTBOUND:
        for content in render(case.content, WhatsApp.capabilities):
            assert content.kind in WhatsApp.capabilities.kinds_out


# --- outside of the window ---


async def test_beyond_the_window_the_template_asks_to_write_again() -> None:
    made = connector(reopen_template="are_you_there", reopen_language="pt_BR")
    asked = made.beyond_window(replace(outbound(Text("Hello")), tag="x", agent="Ann"))
    assert asked is not None
    assert asked.content == Template("are_you_there", "pt_BR", text="[are_you_there]")
    assert (asked.id, asked.address.user) == ("t-1:0", USER)
    await made.close()


async def test_beyond_the_window_a_template_goes_as_it_is_and_all_else_not_at_all() -> None:
    made = connector()
    template = outbound(Template("order_update", "en"))
    assert made.beyond_window(template) == template
    assert made.beyond_window(outbound(Text("Hello"))) is None
    await made.close()


# --- typing and read ---

HERE = Address("whatsapp", "shop", USER)


async def test_typing_is_shown_and_marks_as_read() -> None:
    async with meta(Answer({"success": True})) as (made, server):
        await made.typing(HERE, "wamid.A")
    (request,) = server.requests
    assert request.path == f"/v24.0/{PHONE_ID}/messages"
    assert request.json == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.A",
        "typing_indicator": {"type": "text"},
    }


async def test_a_malformed_message_is_read_by_its_real_id() -> None:
    async with meta(Answer({"success": True})) as (made, server):
        await made.seen(HERE, "malformed:wamid.A")
    assert server.requests[0].json == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.A",
    }


@pytest.mark.parametrize("of", ["", f"preference:{USER}:opt_out:1"])
async def test_what_is_no_message_is_not_read(of: str) -> None:
    async with meta() as (made, _):
        await made.typing(HERE, of)
        await made.seen(HERE, of)


async def test_typing_that_fails_has_a_name() -> None:
    async with meta(graph_error(100), Reset()) as (made, _):
        with pytest.raises(Rejected):
            await made.typing(HERE, "wamid.OLD")
        with pytest.raises(ConnectorError):
            await made.seen(HERE, "wamid.A")


# --- customers' files ---

DATA = b"\x89PNG\r\n" + bytes(range(200))
SIZE = len(DATA)
HEX = hashlib.sha256(DATA).hexdigest()
BASE64 = b64encode(hashlib.sha256(DATA).digest()).decode()


def photo(ref: str = "2754859441498128", **fields: Any) -> Media:
    return Media("image", ref=ref, mime="image/png", **fields)


@asynccontextmanager
async def files(
    *downloads: Step, sha256: Any = HEX, size: Any = SIZE, url: str = ""
) -> AsyncIterator[tuple[WhatsApp, Provider]]:
    """A connector whose Meta has one file; each of its URLs answers the next download."""
    left = list(downloads)
    asked = 0

    def answer(request: Recorded) -> Step:
        nonlocal asked
        if request.path != f"/v24.0/{photo().ref}":
            return left.pop(0)
        asked += 1
        found = {"url": url or f"{server.url}/attachments/{asked}", "mime_type": "image/png"}
        return Answer({**found, "sha256": sha256, "file_size": size, "id": photo().ref})

    async with provider(answer) as server:
        made = connector(server.url)
        yield made, server
        await made.close()
    assert not left


FILE = Answer(DATA, headers={"Content-Type": "application/octet-stream"})


@pytest.mark.parametrize(
    ("sha256", "size"),
    [(HEX, len(DATA)), (HEX.upper(), str(len(DATA))), (BASE64, None), (None, "many"), ("", -5)],
)
async def test_a_file_is_fetched_by_its_id(sha256: Any, size: Any) -> None:
    async with files(FILE, sha256=sha256, size=size) as (made, server):
        found = await made.fetch(photo(filename="a.png"), 1000)
    assert found == File(DATA, "image/png", "a.png")
    ask, download = server.requests
    assert ask.query == {"phone_number_id": PHONE_ID}
    assert {r.headers["authorization"] for r in (ask, download)} == {f"Bearer {TOKEN}"}


async def test_an_expired_url_is_asked_for_anew_once() -> None:
    async with files(Answer("", 404), FILE) as (made, server):
        assert (await made.fetch(photo(), 1000)).data == DATA
    assert [r.path for r in server.requests][1::2] == ["/attachments/1", "/attachments/2"]
    async with files(Answer("", 404), Answer("", 404)) as (made, _):
        with pytest.raises(NoFile, match="404"):
            await made.fetch(photo(), 1000)


async def test_another_file_than_announced_is_asked_for_anew_once() -> None:
    async with files(Answer(b"other"), FILE) as (made, _):
        assert (await made.fetch(photo(), 1000)).data == DATA
    async with files(Answer(b"other"), Answer(b"other")) as (made, _):
        with pytest.raises(NoFile, match="SHA-256"):
            await made.fetch(photo(), 1000)


async def test_a_file_too_big_is_not_even_begun() -> None:
    async with files(size="1001") as (made, server):
        with pytest.raises(NoFile, match="1001 bytes, 1000"):
            await made.fetch(photo(), 1000)
    assert len(server.requests) == 1


@pytest.mark.parametrize("ref", ["", "..", "1/2", "1?x=y", "1#", "x" * 129, "é"])
async def test_an_id_that_is_none_is_not_asked_for(ref: str) -> None:
    async with meta() as (made, _):
        with pytest.raises(NoFile, match="no id"):
            await made.fetch(photo(ref), 1000)


@pytest.mark.parametrize(
    "url",
    [
        "http://lookaside.example.com/1",
        "http://127.0.0.1:9/1",
        "file:///etc/passwd",
        "http://[::1",
        "https://127.0.0.1/1",
        "https://169.254.169.254/latest/meta-data",
    ],
)
async def test_the_token_goes_to_no_strange_place(url: str) -> None:
    async with files(url=url) as (made, _):
        with pytest.raises(NoFile):
            await made.fetch(photo(), 1000)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (graph_error(100, error_subcode=33), NoFile),
        (graph_error(100), NoFile),
        (graph_error(190, 401), RetryLater),
        (graph_error(4, 429), RetryLater),
        (Answer("<html>", 502), RetryLater),
        (Answer("OK"), RetryLater),
        (Answer({"id": "1"}), RetryLater),
        (Answer({"url": 5}), RetryLater),
        (Reset(), RetryLater),
    ],
)
async def test_a_file_that_is_gone_is_told_from_one_that_may_come(
    step: Step, error: type[ConnectorError]
) -> None:
    async with meta(step) as (made, _):
        with pytest.raises(error) as caught:
            await made.fetch(photo(), 1000)
    assert type(caught.value) is error


async def test_a_download_that_breaks_may_come_later() -> None:
    async with files(Reset()) as (made, _):
        with pytest.raises(RetryLater):
            await made.fetch(photo(), 1000)
