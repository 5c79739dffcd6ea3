"""Links to kept files and uploads, over a real gateway."""

from __future__ import annotations

import multiprocessing
import stat
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import samples
from aiohttp import web

from bot.gateway import Gateway
from bot.inbox import Inbox
from bot.media import links
from bot.media.folder import FolderVault
from bot.media.refs import PREFIX, key_in
from bot.media.seal import Seal, made_once
from bot.media.shelf import INLINE, Shelf
from bot.media.vault import AsyncVault, key_of
from bot.message import Media, utcnow
from bot.store import AsyncStore, StoreDown
from bot.store.files import KEPT, REFUSED, WANTED, StoredFile, wanted
from bot.store.messages import to_message
from bot.store.wake import LocalBell
from connectors.base import Host
from connectors.errors import NoFile
from tests.kit.build import inbound
from tests.kit.channel import Line
from tests.kit.processes import Failing

SEAL = Seal("a secret of the test")
DATA = bytes(range(256)) * 4


@dataclass
class Desk:
    """A gateway with a shelf, and an agent's browser."""

    store: Failing
    vault: AsyncVault
    http: aiohttp.ClientSession
    host: Host

    async def keep(self, data: bytes = DATA, **fields: Any) -> StoredFile:
        """Keep a file as the keeper does."""
        row = wanted(to_message(inbound(Media("document", ref="x"))))[0]
        key = key_of(data)
        said = {"mime": "image/png", "filename": "a.png", "size": len(data)}
        said |= {"status": KEPT, "key": key, "sha256": key, **fields}
        for name, value in said.items():
            setattr(row, name, value)
        await self.vault.put(key, data, "")
        await self.store.insert(row)
        return row

    async def get(self, url: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.get(url, headers=sent) as answer:
            return answer, await answer.read()


@pytest.fixture
async def desk(store: AsyncStore, tmp_path: Path) -> AsyncIterator[Desk]:
    failing, vault = Failing(store), AsyncVault(FolderVault(tmp_path / "media"))
    shelf = Shelf(failing, vault, SEAL, most=100_000)  # type: ignore[arg-type]
    line = Line()
    gateway = Gateway(
        failing,  # type: ignore[arg-type]
        Inbox(failing, LocalBell(tmp_path / "wake")),  # type: ignore[arg-type]
        {("line", "shop"): line},
        body_limit=2**20,
        shelf=shelf,
    )
    runner = web.AppRunner(gateway.app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as http:
        yield Desk(failing, vault, http, gateway.host(line))
    await runner.cleanup()


def path_of(file: StoredFile, seconds: float = 60) -> str:
    return links.link(SEAL, "", file, seconds)


# what is shown


async def test_a_link_shows_the_file_to_whoever_has_it_and_to_no_cache(desk: Desk) -> None:
    file = await desk.keep()
    answer, body = await desk.get(path_of(file))
    assert (answer.status, body) == (200, DATA)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] in ("private, max-age=59", "private, max-age=60")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_link_is_under_the_public_url_and_tells_nothing_of_the_customer() -> None:
    row = wanted(to_message(inbound(Media("image", ref="x"), user="+15550100")))[0]
    url = links.link(SEAL, "https://bot.example.com/desk/", row, 60)
    assert url.startswith(f"https://bot.example.com/desk/media/{row.handle}?expires=")
    assert "15550100" not in url
    assert row.handle not in row.id


@pytest.mark.parametrize("mime", sorted(INLINE))
async def test_what_a_browser_can_only_show_is_shown(desk: Desk, mime: str) -> None:
    file = await desk.keep(mime=mime)
    answer, _ = await desk.get(path_of(file))
    assert answer.headers["Content-Disposition"].startswith("inline;")
    assert ("sandbox" in answer.headers["Content-Security-Policy"]) != (mime == "application/pdf")
    assert "script" not in answer.headers["Content-Security-Policy"]


SAVED = ["text/html", "image/svg+xml", "text/plain", "application/xml", "image/heic", "text/csv"]
SAVED += ["application/octet-stream", "application/zip", "application/msword"]


@pytest.mark.parametrize("mime", SAVED)
async def test_all_else_is_saved(desk: Desk, mime: str) -> None:
    file = await desk.keep(mime=mime)
    answer, _ = await desk.get(path_of(file))
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a b.png", "filename=\"a b.png\"; filename*=UTF-8''a%20b.png"),
        ("été.png", "filename=\"_t_.png\"; filename*=UTF-8''%C3%A9t%C3%A9.png"),
        ("100%25.png", "filename=\"100_25.png\"; filename*=UTF-8''100%2525.png"),
        ('a";x="b', "filename=\"a_;x=_b\"; filename*=UTF-8''a%22%3Bx%3D%22b"),
    ],
)
async def test_a_name_of_any_script_is_told(desk: Desk, name: str, said: str) -> None:
    file = await desk.keep(filename=name)
    answer, _ = await desk.get(path_of(file))
    assert answer.headers["Content-Disposition"] == f"inline; {said}"


async def test_head_tells_all_but_the_file(desk: Desk) -> None:
    file = await desk.keep()
    async with desk.http.head(path_of(file)) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(DATA)))


# parts

N = len(DATA)
PARTS = {
    "the beginning": ("bytes=0-9", 0, 9),
    "one byte": ("bytes=5-5", 5, 5),
    "from the middle on": ("bytes=1000-", 1000, N - 1),
    "the end": ("bytes=-24", N - 24, N - 1),
    "more than there is": ("bytes=1000-999999", 1000, N - 1),
    "an end of more than there is": ("bytes=-999999", 0, N - 1),
    "all of it": ("bytes=0-", 0, N - 1),
}


@pytest.mark.parametrize(("asked", "first", "last"), PARTS.values(), ids=PARTS.keys())
async def test_a_part_is_shown(desk: Desk, asked: str, first: int, last: int) -> None:
    file = await desk.keep()
    answer, body = await desk.get(path_of(file), Range=asked)
    assert (answer.status, body) == (206, DATA[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{N}"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("asked", [f"bytes={N}-", "bytes=-0", f"bytes={N + 5}-{N + 9}"])
async def test_a_part_that_is_not_there_is_told(desk: Desk, asked: str) -> None:
    file = await desk.keep()
    answer, body = await desk.get(path_of(file), Range=asked)
    assert (answer.status, body) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{N}"


NO_PARTS = ["bytes=0-1,4-5", "bytes=-", "bytes=9-2", "bytes=a-b", "items=0-1", "", "bytes=1-2-3"]
NO_PARTS += ["bytes=" + "9" * 30 + "-", "bytes=-1-2"]


@pytest.mark.parametrize("asked", NO_PARTS)
async def test_what_is_no_one_part_is_answered_with_all(desk: Desk, asked: str) -> None:
    file = await desk.keep()
    answer, body = await desk.get(path_of(file), Range=asked)
    assert (answer.status, body) == (200, DATA)


async def test_a_part_of_another_file_is_not_mixed_in(desk: Desk) -> None:
    file = await desk.keep()
    answer, _ = await desk.get(path_of(file), Range="bytes=0-9", If_Range='"another"')
    assert answer.status == 200
    tag = answer.headers["ETag"]
    answer, body = await desk.get(path_of(file), Range="bytes=0-9", If_Range=tag)
    assert (answer.status, body) == (206, DATA[:10])
    answer, body = await desk.get(path_of(file), If_None_Match=tag)
    assert (answer.status, body) == (304, b"")


# what is refused


def tampered(path: str, **changes: str) -> str:
    base, _, query = path.partition("?")
    values = dict(pair.split("=") for pair in query.split("&"))
    values |= changes
    return f"{base}?" + "&".join(f"{k}={v}" for k, v in values.items() if v != "-")


async def test_nothing_of_a_link_can_be_changed(desk: Desk) -> None:
    file, other = await desk.keep(), await desk.keep(b"another")
    path = path_of(file)
    good = path.rpartition("=")[2]
    later = str(int(time.time()) + 9999)
    bad = [
        tampered(path, expires=later),
        tampered(path, expires="-"),
        tampered(path, expires=""),
        tampered(path, expires="0" + path.split("expires=")[1].split("&")[0]),
        tampered(path, expires="1e12"),
        tampered(path, expires="%D9%A1"),
        tampered(path, signature="-"),
        tampered(path, signature=""),
        tampered(path, signature=good[:-1]),
        tampered(path, signature=good[:-1] + ("0" if good[-1] != "0" else "1")),
        tampered(path, signature=good.upper()),
        tampered(path, signature="%C3%A9" * 32),
        tampered(path, signature=SEAL.sign("ref", file.handle)),
        path.replace(file.handle, other.handle),
        path.replace(file.handle, file.handle.upper()),
        path.replace(file.handle, "x"),
        links.link(Seal("another secret of sixteen"), "", file, 60),
    ]
    for url in bad:
        answer, body = await desk.get(url)
        assert answer.status == 403, url
        assert body == b"this link was not given out here"
        assert answer.headers["Cache-Control"] == "no-store"
    answer, _ = await desk.get(path)
    assert answer.status == 200


@pytest.mark.parametrize("seconds", [0, -1, -100000])
async def test_a_link_expires(desk: Desk, seconds: int) -> None:
    file = await desk.keep()
    answer, body = await desk.get(path_of(file, seconds))
    assert (answer.status, body) == (403, b"this link has expired")


async def test_without_a_good_signature_nobody_learns_what_is_kept(desk: Desk) -> None:
    desk.store.is_down = True
    answer, _ = await desk.get("/media/abc?expires=99999999999&signature=x")
    assert answer.status == 403
    assert desk.store.calls == 0


@pytest.mark.parametrize("status", [WANTED, REFUSED])
async def test_what_is_not_kept_is_not_shown(desk: Desk, status: str) -> None:
    file = await desk.keep(status=status)
    answer, _ = await desk.get(path_of(file))
    assert answer.status == 404


async def test_what_is_not_there_is_not_shown(desk: Desk) -> None:
    file = await desk.keep()
    await desk.vault.delete(file.key)
    answer, _ = await desk.get(path_of(file))
    assert answer.status == 404
    await desk.store.delete(StoredFile, {"id": file.id})
    answer, _ = await desk.get(path_of(file))
    assert answer.status == 404


async def test_while_the_store_or_the_vault_is_down_one_is_told_to_come_again(desk: Desk) -> None:
    file = await desk.keep()
    desk.store.is_down = True
    answer, _ = await desk.get(path_of(file))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    desk.store.is_down = False
    root = desk.vault.sync._root  # type: ignore[attr-defined]
    (root / file.key[:2] / file.key).unlink()
    (root / file.key[:2] / file.key).mkdir()
    answer, _ = await desk.get(path_of(file))
    assert answer.status == 503


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_link_is_only_for_reading(desk: Desk, method: str) -> None:
    file = await desk.keep()
    async with desk.http.request(method, path_of(file)) as answer:
        assert answer.status == 405


# uploads


async def test_an_upload_is_kept_and_its_reference_is_good_for_its_account_alone(
    desk: Desk,
) -> None:
    picture = samples.png()
    ref = await desk.host.keep(picture, "image/png", "a.png")
    key = key_of(picture)
    assert ref.startswith(PREFIX)
    assert await desk.vault.get(key) == picture
    assert key_in(SEAL, "line", "shop", ref) == key
    assert key_in(SEAL, "line", "other", ref) == ""
    assert key_in(SEAL, "telegram", "shop", ref) == ""
    assert key_in(SEAL, "line", "shop", ref.replace(key, key_of(b"x"))) == ""
    assert key_in(SEAL, "line", "shop", f"{PREFIX}{key}") == ""
    assert key_in(Seal("another secret of sixteen"), "line", "shop", ref) == ""
    assert await desk.host.keep(picture, "image/png", "b.png") == ref


@pytest.mark.parametrize(
    ("data", "mime", "name"),
    [
        (b"<html>", "text/html", "a.html"),
        (b"<html>", "image/png", "a.png"),
        (samples.PDF, "image/png", "a.png"),
        (samples.EXE, "application/octet-stream", "a"),
        (b"", "text/plain", "a.txt"),
        (b"x" * 100_001, "text/plain", "a.txt"),
    ],
)
async def test_an_upload_that_is_not_to_be_kept_is_not(
    desk: Desk, tmp_path: Path, data: bytes, mime: str, name: str
) -> None:
    with pytest.raises(NoFile):
        await desk.host.keep(data, mime, name)
    assert not (tmp_path / "media").exists()


async def test_an_upload_that_cannot_be_kept_now_is_not_promised(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "media").write_bytes(b"")
    with pytest.raises(StoreDown):
        await desk.host.keep(samples.png(), "image/png", "a.png")


async def test_a_gateway_without_a_shelf_keeps_nothing(store: AsyncStore, tmp_path: Path) -> None:
    line = Line()
    inbox = Inbox(store, LocalBell(tmp_path / "wake"))
    gateway = Gateway(store, inbox, {("line", "shop"): line}, body_limit=2**20)
    with pytest.raises(NoFile):
        await gateway.host(line).keep(samples.png(), "image/png", "a.png")


# the secret


def test_a_secret_is_made_once_for_its_owners_eyes(tmp_path: Path) -> None:
    path = tmp_path / "var" / "media.key"
    secret = made_once(path)
    assert len(secret) >= 32
    assert made_once(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["media.key"]
    assert made_once(tmp_path / "other" / "media.key") != secret


def _make(path: str, out: Any) -> None:
    out.put(made_once(Path(path)))


def test_processes_that_begin_together_have_one_secret(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("fork")
    out = spawning.Queue()
    path = str(tmp_path / "media.key")
    made = [spawning.Process(target=_make, args=(path, out)) for _ in range(6)]
    for process in made:
        process.start()
    found = {out.get(timeout=20) for _ in made}
    for process in made:
        process.join()
    assert len(found) == 1


def test_a_file_that_holds_no_secret_is_not_signed_with(tmp_path: Path) -> None:
    (tmp_path / "media.key").write_bytes(b"\n")
    with pytest.raises(ValueError, match=r"media\.key"):
        Seal("", tmp_path / "media.key").sign("x")
    with pytest.raises(ValueError, match="secret"):
        Seal().sign("x")


def test_a_seal_shows_nothing_and_knows_its_parts_apart() -> None:
    assert "secret" not in repr(SEAL)
    assert SEAL.sign("a", "bc") != SEAL.sign("ab", "c")
    assert SEAL.sign("a") != SEAL.sign("a", "")
    assert SEAL.holds(SEAL.sign("a"), "a")
    assert not SEAL.holds(SEAL.sign("a"), "b")
    assert not SEAL.holds("", "a")


async def test_a_link_of_one_process_is_good_in_another(store: AsyncStore, tmp_path: Path) -> None:
    row = wanted(to_message(inbound(Media("image", ref="x"))))[0]
    url = links.link(Seal("", tmp_path / "media.key"), "", row, 60)
    expires, _, signature = url.partition("expires=")[2].partition("&signature=")
    assert links.check(Seal("", tmp_path / "media.key"), row.handle, expires, signature) > 0


async def test_a_file_is_found_by_its_handle_at_any_time(store: AsyncStore) -> None:
    message = to_message(inbound(Media("image", ref="x"), n=1))
    first = wanted(message)[0]
    await store.insert_new([first])
    assert wanted(message)[0].handle == first.handle
    found = await store.find(StoredFile, {"handle": first.handle})
    assert [f.id for f in found] == [first.id]
    assert found[0].at <= utcnow() + timedelta(seconds=1)
