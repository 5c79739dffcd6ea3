"""Files of visitors: by real HTTP against the connector's own route."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import secrets
import zipfile
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.gateway import Gateway
from bot.inbox import Inbox
from bot.media.folder import FolderVault
from bot.media.refs import key_in
from bot.media.seal import Seal
from bot.media.shelf import Shelf
from bot.media.vault import AsyncVault
from bot.message import Media, decode
from bot.store.messages import Message
from connectors import webchat
from connectors.errors import NoFile
from tests.connectors.test_webchat import PNG, chat, id_of, page, user_of
from tests.kit.dice import examples
from tests.kit.host import MemoryHost, gateway
from tests.kit.stores import store_in

TOKEN = "A" * 32
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead" + bytes(40)
WEBM = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d") + b"A_OPUS" * 9
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41" + bytes(64) + b"vide"


@pytest.fixture
def host() -> MemoryHost:
    return MemoryHost()


@pytest.fixture
async def url(host: MemoryHost) -> AsyncIterator[str]:
    async with gateway(host, chat()) as url:
        yield url


async def post(
    url: str,
    data: Any,
    mime: str = "application/pdf",
    *,
    token: str | None = TOKEN,
    origin: str | None = "",
    account: str = "site",
    message: str | None = None,
    headers: Mapping[str, str] | None = None,
    **frame: Any,
) -> tuple[int, dict[str, Any]]:
    """Post a file as a page does; return the status and the frame that answers."""
    said = json.dumps({"type": "file", "id": id_of(1), **frame})
    sent = {
        "Content-Type": mime,
        "X-Chat-Message": quote(said) if message is None else message,
        **(headers or {}),
    }
    if token is not None:
        sent.setdefault("Authorization", f"Bearer {token}")
    if origin is not None:
        sent["Origin"] = origin or url
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/{account}/files", data=data, headers=sent) as answer,
    ):
        text = await answer.text()
        if answer.content_type == "application/json":
            assert answer.headers["Access-Control-Allow-Origin"] == sent["Origin"]
            assert "Access-Control-Allow-Credentials" not in answer.headers
            return answer.status, json.loads(text)
        return answer.status, {}


async def test_a_file_is_kept_then_stored_as_a_message_of_the_tokens_visitor(url, host):
    async with page(url) as visitor:
        await visitor.hello()
        answer = await post(
            url, PDF, token=visitor.token, filename="bill.pdf", reply_to="webchat:site:x.y:0"
        )
        assert answer == (200, {"type": "ack", "id": id_of(1)})
        assert (await visitor.send(id_of(2), "see above"))["type"] == "ack"
    (ref,) = host.kept
    assert host.kept[ref] == (PDF, "application/pdf", "bill.pdf")
    said, _ = host.inbound
    assert said.content == Media(
        "document", ref=ref, mime="application/pdf", filename="bill.pdf", size=len(PDF)
    )
    assert said.address.user == visitor.user
    assert said.provider_id == f"{visitor.user}.{id_of(1)}"
    assert said.reply_to == "webchat:site:x.y:0"


async def test_a_file_sent_again_is_acknowledged_and_is_one_message(url, host):
    for _ in range(3):
        assert await post(url, PDF) == (200, {"type": "ack", "id": id_of(1)})
    assert len(host.inbound) == 1


@pytest.mark.parametrize(
    ("data", "mime", "voice", "type"),
    [
        (PNG, "image/png", False, "image"),
        (PNG, "IMAGE/PNG; name=x", False, "image"),
        (PNG, "application/octet-stream", False, "document"),
        (PNG, "image/png", True, "image"),
        (OGG, "audio/ogg;codecs=opus", True, "voice"),
        (OGG, "audio/ogg", False, "audio"),
        (WEBM, "audio/webm;codecs=opus", True, "voice"),
        (MP4, "video/mp4", False, "video"),
        (PDF, "", False, "document"),
        (b"a,b\n1,2\n", "text/csv", False, "document"),
        ("Grüße".encode(), "text/plain", False, "document"),
    ],
)
async def test_what_a_file_is_called_decides_how_it_is_shown(url, host, data, mime, voice, type):
    status, answer = await post(url, data, mime, voice=voice)
    assert (status, answer["type"]) == (200, "ack")
    assert host.inbound[0].content.type == type
    assert ";" not in host.inbound[0].content.mime


def archive(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        # Of no certain time, or two processes would name the test differently.
        archive.writestr(zipfile.ZipInfo(name), "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "mime", "name"),
    [
        (b"<html><script>alert(1)</script>", "image/png", "a.png"),
        (b"<!doctype html><p>", "text/html", "a.html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", "image/svg+xml", "a.svg"),
        (b"MZ\x90\x00" + bytes(200), "application/pdf", "bill.pdf"),
        (b"\x7fELF" + bytes(200), "audio/ogg", "a.ogg"),
        (b"#!/bin/sh\nrm -rf /", "text/plain", "a.txt"),
        (PDF, "image/jpeg", "a.jpg"),
        (b"no picture", "image/jpeg", "a.jpg"),
        (archive("run.exe"), "application/zip", "a.zip"),
        (b"@echo off", "text/plain", "a.bat"),
    ],
)
async def test_a_file_that_is_not_what_it_is_called_or_could_run_is_refused(
    url, host, data, mime, name
):
    refused = {"type": "refused", "id": id_of(1), "reason": "wrong_type"}
    assert await post(url, data, mime, filename=name) == (415, refused)
    assert host.inbound == []
    assert host.kept == {}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system32\\a.pdf", "a.pdf"),
        ("/etc/shadow", "shadow"),
        ("C:\\a.pdf", "a.pdf"),
        ("..", ""),
        (".", ""),
        ("a/..", ""),
        (".htaccess", "htaccess"),
        ("a\x00.pdf", "a.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
        ("bill\u202efdp.exe.pdf", "billfdp.exe.pdf"),
        ("\ud800.pdf", "\ufffd.pdf"),
        ("Rechnung für Müller 発票.pdf", "Rechnung für Müller 発票.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("x" * 300, "x" * 120),
        ("", ""),
    ],
)
async def test_a_file_name_is_only_a_name(url, host, name, kept):
    status, _ = await post(url, PDF, filename=name)
    assert status == 200
    assert host.inbound[0].content.filename == kept


async def test_the_biggest_file_is_taken_and_one_byte_more_is_not(url, host, monkeypatch):
    monkeypatch.setattr(webchat, "FILE_LIMIT", 200_000)
    data = PDF + bytes(200_000 - len(PDF))
    assert (await post(url, data))[0] == 200
    too_big = {"type": "refused", "id": id_of(2), "reason": "too_big"}
    assert await post(url, data + b"x", id=id_of(2)) == (413, too_big)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(50_000)

    assert await post(url, unannounced(), id=id_of(2)) == (413, too_big)
    bomb = gzip.compress(bytes(50 * 1024 * 1024))
    packed = {"Content-Encoding": "gzip"}
    assert await post(url, bomb, id=id_of(2), headers=packed) == (413, too_big)
    assert [i.content.size for i in host.inbound] == [200_000]


async def test_an_empty_file_is_refused(url, host):
    refused = {"type": "refused", "id": id_of(1), "reason": "empty"}
    assert await post(url, b"") == (422, refused)
    assert host.attempts == 0


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}A",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer  {TOKEN}",
        f"Bearer {user_of(TOKEN)}x",
        f"Bearer webchat:site:{user_of(TOKEN)}",
        f"Bearer {TOKEN[:-1]}.",
        TOKEN,
    ],
)
async def test_without_a_token_no_file_is_read(url, host, authorization):
    status, answer = await post(url, PDF, token=None, headers={"Authorization": authorization})
    assert (status, answer["type"]) == (401, "error")
    assert host.kept == {}
    assert host.attempts == 0


async def test_a_guessed_token_is_another_visitors_own_and_nobody_elses(url, host):
    async with page(url) as victim:
        await victim.hello()
        guesses = [victim.token[:-1] + c for c in "AB" if c != victim.token[-1]]
        guesses += [victim.token.swapcase(), secrets.token_urlsafe(24)]
        for guess in guesses:
            assert (await post(url, PDF, token=guess))[0] == 200
    assert victim.user not in {i.address.user for i in host.inbound}
    assert len({i.address.user for i in host.inbound}) == len(guesses)


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        ((), "", 200),
        ((), "http://localhost:3000", 200),
        ((), None, 403),
        ((), "null", 403),
        ((), "https://evil.example", 403),
        (("https://shop.example.com",), "https://shop.example.com", 200),
        (("https://shop.example.com",), "https://shop.example.com.evil.example", 403),
        (("https://shop.example.com",), "http://shop.example.com", 403),
        (("https://shop.example.com",), "", 403),
    ],
)
async def test_only_pages_of_allowed_origins_may_post(host, origins, origin, status):
    async with gateway(host, chat(origins=origins)) as url:
        assert (await post(url, PDF, origin=origin))[0] == status
    assert len(host.inbound) == (status == 200)


async def test_a_browser_that_asks_beforehand_is_told_what_its_page_may(host):
    async with (
        gateway(host, chat(origins=("https://shop.example.com",))) as url,
        aiohttp.ClientSession() as session,
    ):
        for origin, status in (("https://shop.example.com", 204), ("https://evil.example", 403)):
            asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            async with session.options(f"{url}/chat/site/files", headers=asked) as answer:
                assert answer.status == status
                allowed = answer.headers.get("Access-Control-Allow-Origin")
                assert allowed == (origin if status == 204 else None)
                if status == 204:
                    named = answer.headers["Access-Control-Allow-Headers"]
                    assert {"authorization", "x-chat-message"} <= set(named.split(", "))


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "%",
        "%ff%fe",
        quote('{"type": "file"}'),
        quote('{"type": "file", "id": 7}'),
        quote('{"type": "file", "id": "short"}'),
        quote('{"type": "file", "id": "../../../message"}'),
        quote('{"type": "send", "id": "message-0001", "text": "x"}'),
        quote('{"type": "file", "id": "message-0001", "filename": ["a"]}'),
        quote('{"type": "file", "id": "message-0001", "voice": 1}'),
        quote('{"type": "file", "id": "message-0001", "reply_to": {}}'),
        quote('{"type": "file", "id": "message-0001", "reply_to": "x"}'),
        "[" * 3000,
    ],
)
async def test_a_malformed_message_is_answered_by_an_error(url, host, message):
    status, answer = await post(url, PDF, message=message)
    assert (status, answer["type"]) == (400, "error")
    assert host.kept == {}


async def test_a_quote_of_kilobytes_is_refused(url, host):
    refused = {"type": "refused", "id": id_of(1), "reason": "too_long"}
    assert await post(url, PDF, reply_to=":" * 1025) == (422, refused)
    assert host.kept == {}


async def test_while_the_store_is_down_the_page_is_told_to_try_again(url, host, caplog):
    host.down = True
    retry = {"type": "retry", "id": id_of(1), "after": webchat.STORE_RETRY}
    assert await post(url, PDF) == (503, retry)
    host.down = False
    assert (await post(url, PDF))[0] == 200
    assert len(host.inbound) == 1
    assert TOKEN not in caplog.text


async def test_a_host_that_refuses_an_image_in_a_frame_says_so_to_the_page(url, host):
    async def keep(data: bytes, mime: str, filename: str) -> str:
        raise NoFile("not that one")

    host.keep = keep
    async with page(url) as visitor:
        await visitor.hello()
        await visitor.say(type="image", id=id_of(1), data="data:image/png;base64,AAAA")
        refused = {"type": "refused", "id": id_of(1), "reason": "not_an_image"}
        assert await visitor.hear() == refused


async def test_too_many_files_at_once_are_to_be_sent_again_later(url, host):
    size = webchat.VISITOR_FILE_RATE[0]
    answers = [await post(url, PDF, id=id_of(n)) for n in range(size + 1)]
    assert [status for status, _ in answers] == [200] * size + [429]
    assert answers[-1][1]["type"] == "retry"
    assert 0 < answers[-1][1]["after"] <= 5
    # It is the visitor who waits, not everybody.
    assert (await post(url, PDF, token="B" * 32))[0] == 200


async def test_an_address_may_send_only_so_many_files_at_a_time(host, monkeypatch):
    monkeypatch.setattr(webchat, "UPLOADS_PER_PEER", 1)
    connector = chat()
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield PDF
        begun.set()
        await go.wait()
        yield b"the end"

    async with gateway(host, connector) as url:
        near = {"X-Forwarded-For": "8.8.8.8"}
        first = asyncio.create_task(post(url, slow(), headers=near))
        await begun.wait()
        while not connector._uploads.total():
            await asyncio.sleep(0.01)
        status, answer = await post(url, PDF, token="B" * 32, headers=near)
        assert (status, answer["type"]) == (429, "retry")
        far = {"X-Forwarded-For": "9.9.9.9"}
        assert (await post(url, PDF, token="C" * 32, headers=far))[0] == 200
        go.set()
        assert (await first)[0] == 200
        assert connector._uploads.total() == 0


async def test_a_body_that_does_not_come_is_given_up(url, host, monkeypatch):
    monkeypatch.setattr(webchat, "UPLOAD_TIME", 0.1)

    async def stuck() -> AsyncIterator[bytes]:
        yield PDF
        await asyncio.sleep(1)

    status, answer = await post(url, stuck())
    assert (status, answer["type"]) == (408, "retry")
    assert host.kept == {}


async def test_a_body_that_breaks_off_stores_nothing_and_frees_its_place(host):
    connector = chat()
    async with gateway(host, connector) as url:
        port = int(url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        message = quote(json.dumps({"type": "file", "id": id_of(1)}))
        writer.write(
            f"POST /chat/site/files HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {url}\r\n"
            f"Authorization: Bearer {TOKEN}\r\nX-Chat-Message: {message}\r\n"
            "Content-Length: 1000\r\n\r\n%PDF-1.4".encode()
        )
        await writer.drain()
        while not connector._uploads.total():
            await asyncio.sleep(0.01)
        writer.close()
        while connector._uploads.total():
            await asyncio.sleep(0.01)
        assert (await post(url, PDF))[0] == 200
    assert len(host.inbound) == 1
    assert len(host.kept) == 1


async def test_a_gateway_that_stops_takes_no_more_files(host):
    connector = chat()
    async with gateway(host, connector) as url:
        await connector.close()
        status, answer = await post(url, PDF)
        assert (status, answer["type"]) == (503, "retry")
    assert host.kept == {}


async def test_each_account_has_its_own_place_for_files(host):
    async with gateway(host, chat()) as url:
        assert (await post(url, PDF, account="other"))[0] == 404


async def test_through_the_real_gateway_a_file_is_in_the_vault_for_this_account_alone(tmp_path):
    store = store_in(tmp_path)
    vault, seal = FolderVault(tmp_path / "media"), Seal("s" * 32)
    connector = chat()
    gate = Gateway(
        store,
        Inbox(store, Silence()),
        {("webchat", "site"): connector},
        body_limit=2**20,
        shelf=Shelf(store, AsyncVault(vault), seal, 2**25),
    )
    # More than the limit for webhooks, which is not that of files.
    data = PDF + bytes(3 * 2**20)
    runner = web.AppRunner(gate.app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        assert await post(url, data, filename="../bill.pdf") == (
            200,
            {"type": "ack", "id": id_of(1)},
        )
        html = await post(url, b"<html>", "image/png", id=id_of(2))
        assert html[0] == 415
        (row,) = await store.find(Message, {"direction": "in"})
        content = decode(row.content)
        assert isinstance(content, Media)
        assert content.filename == "bill.pdf"
        key = key_in(seal, "webchat", "site", content.ref)
        assert vault.get(key) == data
        assert key_in(seal, "webchat", "other", content.ref) == ""
    finally:
        await runner.cleanup()
        await store.close()


class Silence:
    """Bells that nobody hears."""

    def ring(self, topic: str) -> None:
        return None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
messages = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    values.map(lambda value: quote(json.dumps(value))),
    st.fixed_dictionaries(
        {"type": st.just("file") | values, "id": st.just(id_of(1)) | values},
        optional={"filename": values, "voice": values, "reply_to": values},
    ).map(lambda frame: quote(json.dumps(frame))),
)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(message=messages, body=st.binary(max_size=200), mime=st.sampled_from(["", "image/png", "x"]))
async def test_no_post_whatever_breaks_the_gateway(message, body, mime):
    host = MemoryHost()
    async with gateway(host, chat()) as url:
        status, answer = await post(url, body, mime, message=message)
    assert status in (200, 400, 415, 422)
    assert answer["type"] in ("ack", "error", "refused")
    assert len(host.inbound) == (status == 200)
