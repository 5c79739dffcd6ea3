"""Asking a server: patience, limits, and what is not believed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from actions.backends.errors import BackendDown, Misconfigured
from actions.backends.http import AnswerLost, Http, Pace, retry_after
from bot.message import utcnow

PACE = Pace(attempt=0.3, call=1.0, attempts=3, pause=0.01, at_once=2)


class Server:
    """Answers with `answers` in turn, the last for ever; counts what comes."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.asked: list[tuple[str, str]] = []
        self.now = self.most = 0
        self.pause = 0.0
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path_qs))
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.pause)
        self.now -= 1
        chosen = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=chosen.status, body=chosen.body, headers=chosen.headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = "http://{}:{}".format(*runner.addresses[0][:2])
    yield made
    await runner.cleanup()


def json(status: int = 200, text: str = "{}", **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, text=text, headers=named)


async def test_never_more_than_so_many_at_once(server: Server) -> None:
    server.answers, server.pause = [json()], 0.02
    http = Http("shop", server.url, {}, PACE)

    await asyncio.gather(*(http.call("GET", f"/{n}") for n in range(7)))

    assert (len(server.asked), server.most) == (7, 2)
    await http.close()


async def test_who_waits_for_a_place_does_not_wait_longer_than_a_call(server: Server) -> None:
    server.answers, server.pause = [json()], 5.0
    http = Http("shop", server.url, {}, Pace(attempt=0.1, call=0.2, pause=0.01, at_once=1))
    since = time.monotonic()

    # One after the other they would take six seconds.
    calls = [http.call("GET", f"/{n}") for n in range(30)]
    told = await asyncio.gather(*calls, return_exceptions=True)

    assert {type(one) for one in told} == {BackendDown}
    assert time.monotonic() - since < 3
    await http.close()


@pytest.mark.parametrize("status", [500, 502, 504, 503])
async def test_an_effect_that_may_have_been_is_not_sent_again(server: Server, status: int) -> None:
    server.answers = [json(status), json()]
    http = Http("shop", server.url, {}, PACE)

    with pytest.raises(AnswerLost):
        await http.call("POST", "/refunds", body={})

    assert len(server.asked) == 1
    await http.close()


async def test_an_effect_that_was_not_looked_at_is_sent_again(server: Server) -> None:
    server.answers = [json(429), json(503, Retry_After="0"), json(201, "{}")]
    http = Http("shop", server.url, {}, PACE)

    assert (await http.call("POST", "/refunds", body={})).status == 201
    assert len(server.asked) == 3
    await http.close()


async def test_an_effect_that_may_be_sent_twice_and_stays_unanswered(server: Server) -> None:
    server.answers = [json(500), json(429)]
    http = Http("shop", server.url, {}, PACE)

    # The last was not looked at, the first may have been.
    with pytest.raises(AnswerLost):
        await http.call("PUT", "/orders/1", body={}, safe=True)
    with pytest.raises(BackendDown):
        await http.call("GET", "/orders/1")
    await http.close()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (json(302, "", Location="https://elsewhere.example/"), "redirection"),
        (json(200, "<html>Sign in</html>"), "no JSON"),
        (json(200, ""), "no JSON"),
    ],
)
async def test_what_is_no_answer_is_the_settings_fault(
    server: Server, answer: web.Response, why: str
) -> None:
    server.answers = [answer]
    http = Http("shop", server.url, {"X-Key": "s3cret"}, PACE)

    with pytest.raises(Misconfigured, match=why) as told:
        await http.call("GET", "/orders")

    assert len(server.asked) == 1
    assert "s3cret" not in str(told.value)
    await http.close()


async def test_an_answer_without_end_is_not_read_to_its_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actions.backends.http.LARGEST", 1000)
    server.answers = [json(200, '{"a": "' + "x" * 5000 + '"}')]
    http = Http("shop", server.url, {}, PACE)

    with pytest.raises(Misconfigured):
        await http.call("GET", "/orders")
    await http.close()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 0), ("3", 3), ("0.5", 0.5), ("-4", 0), ("soon", 0), ("nan", 0), ("99999999", 3600)],
)
def test_seconds_to_wait(text: str, seconds: float) -> None:
    assert retry_after({"retry-after": text} if text else {}) == seconds


def test_a_day_to_wait_for() -> None:
    then = format_datetime(utcnow() + timedelta(seconds=60))

    assert 57 < retry_after({"retry-after": then}) <= 60


async def test_connections_of_another_thread_are_let_go_too(server: Server) -> None:
    server.answers = [json()]
    http = Http("shop", server.url, {}, PACE)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asked = asyncio.run_coroutine_threadsafe(http.call("GET", "/"), loop)
    await asyncio.wrap_future(asked)
    (line,) = http._lines.values()
    await http.close()
    assert line.session.closed
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
