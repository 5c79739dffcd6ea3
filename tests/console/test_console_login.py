"""Who gets in, for how long, and how often one may guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.console.guard import is_near
from bot.console.session import COOKIE, LIFETIME, Sessions
from bot.console.tries import Tries
from bot.desk.contract import Person
from bot.media.seal import Seal
from bot.settings import ConsoleAccount, Server
from bot.store import AsyncStore
from tests.kit.console import ACCOUNTS, PASSWORD, Served, browsing, serving, settings_of
from tests.kit.waiting import PATIENCE

SEAL = Seal("a secret of sixteen letters")
ANNA = Person("anna", "Anna Keller", "U0ANNA")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def served(store: AsyncStore, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(store, settings_of(tmp_path), clerk=False) as made:
        yield made


async def test_a_login_opens_the_api_until_it_is_ended(served: Served) -> None:
    async with browsing(served) as anna:
        assert (await anna.get("me"))[0] == 401
        assert await anna.login("anna", "wrong horse battery") == 401
        assert await anna.login("nobody", PASSWORD) == 401
        assert await anna.login() == 200
        status, me = await anna.get("me")
        assert (status, me["account"], me["name"]) == (200, "anna", "Anna Keller")
        stolen = {c.key: c.value for c in anna.session.cookie_jar}
        assert (await anna.post("/logout", {}))[0] == 200
        assert (await anna.get("me"))[0] == 401
        # Not even with the cookie that was kept.
        headers = {"Cookie": f"{COOKIE}={stolen[COOKIE]}"}
        async with aiohttp.request("GET", f"{served.url}/console/api/me", headers=headers) as late:
            assert late.status == 401


async def test_the_cookie_is_for_this_page_alone(store: AsyncStore, tmp_path: Path) -> None:
    for url, secure in (("", False), ("https://bot.example.com", True)):
        settings = settings_of(tmp_path, server=Server(public_url=url))
        async with serving(store, settings, clerk=False) as served, browsing(served) as anna:
            body = {"account": "anna", "password": PASSWORD}
            async with anna.session.post(
                f"{served.url}/console/login", json=body, headers=anna.headers
            ) as answer:
                cookie = answer.headers["Set-Cookie"]
        for part in ("HttpOnly", "SameSite=Strict", "Path=/console", f"Max-Age={LIFETIME}"):
            assert part in cookie
        assert ("Secure" in cookie) is secure


def test_a_session_ends_by_time_and_with_the_password_or_the_account() -> None:
    clock = Clock()
    sessions = Sessions(ACCOUNTS, SEAL, clock)
    token = sessions.begin(ANNA)
    clock.now += LIFETIME - 1
    assert sessions.who(token) == ANNA
    other = (replace(ACCOUNTS[0], password="another password"), ACCOUNTS[1])
    assert Sessions(other, SEAL, clock).who(token) is None
    assert Sessions(ACCOUNTS[1:], SEAL, clock).who(token) is None
    assert Sessions(ACCOUNTS, Seal("another secret, as long"), clock).who(token) is None
    clock.now += 1
    assert sessions.who(token) is None


def test_a_token_cannot_be_made_or_changed() -> None:
    sessions = Sessions(ACCOUNTS, SEAL)
    name, expires, nonce, signature = sessions.begin(ANNA).split(".")
    other = sessions.begin(Person("ben", "Ben Okafor")).split(".")
    forged = [
        "",
        "anna",
        f"{other[0]}.{expires}.{nonce}.{signature}",
        f"{name}.{int(expires) + 1}.{nonce}.{signature}",
        f"{name}.{expires}.{'0' * 32}.{signature}",
        f"{name}.{expires}.{nonce}.{'0' * 64}",
        f"{name}.{expires}.{nonce}.{SEAL.sign('link', 'anna', PASSWORD, expires, nonce)}",
        f"{name}.{'9' * 4000}.{nonce}.{signature}",
        f"{name}=.{expires}.{nonce}.{signature}",
        f"A.{expires}.{nonce}.{signature}",
        f"{name}.{expires}.{nonce}.{signature}\n",
        "\ud800.1.2.3",
    ]
    assert [sessions.who(token) for token in forged] == [None] * len(forged)
    assert sessions.who(f"{name}.{expires}.{nonce}.{signature}") == ANNA


async def test_guessing_takes_longer_each_time_also_of_accounts_that_are_not_there(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    async with browsing(served) as guesser:
        tries = [guesser.login("nobody", f"wrong password {n}") for n in range(30)]
        statuses = await asyncio.gather(*tries)
        # At once they are no cheaper than one after the other.
        assert (statuses.count(401), statuses.count(429)) == (5, 25)
        assert await guesser.login() == 429
        async with guesser.session.post(
            f"{served.url}/console/login",
            json={"account": "anna", "password": PASSWORD},
            headers={**guesser.headers, "X-Forwarded-For": "203.0.113.9, 198.51.100.7"},
        ) as answer:
            # Behind a proxy of ours another customer of it is not shut out.
            assert answer.status == 200
    assert "wrong password" not in caplog.text


def test_the_delay_grows_up_to_its_bound_and_is_forgotten() -> None:
    clock = Clock()
    tries = Tries(2, 5.0, clock)
    waited = []
    for _ in range(7):
        waited.append(tries.wait("anna"))
        clock.now += waited[-1]
        tries.failed("anna")
    assert waited == [0, 0, 1, 2, 4, 5, 5]
    assert tries.wait("ben") == 0
    tries.succeeded("anna")
    assert tries.wait("anna") == 0
    for _ in range(4):
        tries.failed("anna")
    clock.now += 901
    assert tries.wait("anna") == 0


async def test_what_is_no_login_is_told_so(served: Served) -> None:
    async with browsing(served) as anna:
        for body in ([], {}, {"account": "anna"}, {"account": 1, "password": ["x"]}, "x"):
            assert (await anna.post("/login", body))[0] == 400
        assert (await anna.post("/login", {"account": "anna\x00\ud800", "password": "\ud800"}))[
            0
        ] == 401


async def test_without_accounts_the_console_says_how_to_add_one(
    store: AsyncStore, tmp_path: Path
) -> None:
    settings = replace(settings_of(tmp_path), console=())
    async with serving(store, settings, clerk=False) as served, browsing(served) as anna:
        for path in ("/console", "/console/", "/console/api/me", "/console/page/main.js"):
            async with anna.session.get(served.url + path) as answer:
                assert answer.status == 404
                assert "credentials.yml" in await answer.text()


async def test_a_name_in_any_script_can_log_in(store: AsyncStore, tmp_path: Path) -> None:
    settings = replace(
        settings_of(tmp_path), console=(ConsoleAccount("zoë 李", "пароль, достаточно длинный"),)
    )
    async with (
        serving(store, settings, clerk=False) as served,
        browsing(served, "zoë 李", "пароль, достаточно длинный") as zoe,
    ):
        assert (await zoe.get("me"))[1]["name"] == "zoë 李"
        assert COOKIE in {c.key for c in zoe.session.cookie_jar}


async def tried(served: Served, account: str, password: str, *forwarded: str) -> int:
    """Try to log in from behind a proxy on this machine; return the status."""
    headers = [("Origin", served.url), *(("X-Forwarded-For", one) for one in forwarded)]
    body = {"account": account, "password": password}
    url = f"{served.url}/console/login"
    async with aiohttp.request("POST", url, json=body, headers=headers) as answer:
        return answer.status


async def test_who_is_known_gets_in_while_others_guess(served: Served) -> None:
    home = "8.8.4.4"
    assert await tried(served, "anna", PASSWORD, home) == 200
    guesses = [await tried(served, "anna", f"wrong {n}", f"9.9.9.{n}") for n in range(13)]
    assert guesses == [401] * 10 + [429] * 3
    assert await tried(served, "anna", PASSWORD, "9.9.9.99") == 429
    # As soon as she is in, what others tried is forgotten.
    assert await tried(served, "anna", PASSWORD, home) == 200
    # From home too nobody may guess without end, and not another's password.
    assert [await tried(served, "anna", "wrong", home) for _ in range(7)] == [401] * 5 + [429] * 2
    guesses = [await tried(served, "ben", f"wrong {n}", f"9.9.8.{n}") for n in range(10)]
    assert guesses == [401] * 10
    assert await tried(served, "ben", "wrong", home) == 429


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("8.8.8.8",), ("9.9.9.9",)),
        # What a customer of the proxy says of himself stands before.
        (("1.1.1.1, 8.8.8.8",), ("1.1.1.1, 9.9.9.9",)),
        # Behind two of our own.
        (("8.8.8.8, 10.0.0.2",), ("9.9.9.9, 10.0.0.2",)),
        (("8.8.8.8", "192.168.1.1, fd00::7"), ("9.9.9.9", "192.168.1.1, fd00::7")),
    ],
)
async def test_those_behind_a_proxy_are_told_apart(
    served: Served, one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    guesses = [await tried(served, f"x{n}", "wrong", *one) for n in range(6)]
    assert guesses == [401] * 5 + [429]
    assert await tried(served, "anna", PASSWORD, *other) == 200
    # He cannot become another one by what he says of himself.
    forged = [f"7.7.7.7, {one[0]}", *one[1:]]
    assert await tried(served, "y", "wrong", *forged) == 429


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("172.17.0.1", True),
        ("172.32.0.1", False),
        ("192.168.0.9", True),
        ("fd12::1", True),
        ("::ffff:10.0.0.2", True),
        ("::ffff:8.8.8.8", False),
        ("2001:4860::8888", False),
        ("203.0.113.9", False),
        ("8.8.8.8", False),
        ("", False),
        ("10.0.0.1.example", False),
    ],
)
def test_whose_word_is_taken_for_where_somebody_is(address: str, near: bool) -> None:
    assert is_near(address) is near


async def test_a_login_that_does_not_come_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.console.guard._JSON_SECONDS", 0.2)
    host, port = served.url.removeprefix("http://").split(":")
    head = (
        f"POST /console/login HTTP/1.1\r\nHost: {host}\r\nOrigin: {served.url}\r\n"
        "Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{head}{{".encode())
    # A little now and then does not make it last.
    status = asyncio.create_task(reader.readline())
    while not (await asyncio.wait({status}, timeout=0.06))[0]:
        writer.write(b" ")
    assert b" 408 " in await status
    assert b"connection: close" in (await asyncio.wait_for(reader.read(2000), PATIENCE)).lower()
    writer.close()
