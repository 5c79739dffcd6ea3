"""`bot check` end to end: real connectors over real HTTP, the real stores."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.check import check, scrubbed, store_place
from bot.data_files import wrong_files
from bot.dialogue.checking import check_project
from bot.settings import Worker, load
from connectors import CHANNELS, connector_class
from connectors.base import Connector
from tests.kit.designs import sound_project
from tests.kit.http import Answer, Hang, closed_url, provider
from tests.kit.waiting import PATIENCE

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
GRAPH_TOKEN = "EAAGm0PX4ZCpsBAhunter2hunter2"

ME = {"ok": True, "result": {"id": 7, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}}
NUMBER = {"verified_name": "Shop Ltd", "display_phone_number": "+1 555-0100", "id": "1055"}


Read = Callable[..., list[Any]]


def kept(read: Read) -> Read:
    """Read the company's own files, which no test changes, once; all others each time."""
    known: dict[str, list[Any]] = {}

    def reading(root: Path, *more: object) -> list[Any]:
        if root != Path():
            return read(root, *more)
        if str(more) not in known:
            known[str(more)] = read(root, *more)
        return list(known[str(more)])

    return reading


READ_ONCE = {"wrong_files": kept(wrong_files), "check_project": kept(check_project)}


@pytest.fixture(autouse=True)
def company_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes most of a check's time."""
    for name, read in READ_ONCE.items():
        monkeypatch.setattr(f"bot.check.{name}", read)


async def checked(directory: Path, *, online: bool = True, **options: object) -> tuple[int, str]:
    """Run the check of the settings in `directory`; return its status and all it printed.

    But for what only may be wrong in the designers' files, which is no matter of these tests.
    """
    out = io.StringIO()

    def load_here() -> object:
        return load(
            channels=CHANNELS,
            schema_of=lambda channel: connector_class(channel).Account,
            environ={},
            cwd=directory,
        )

    def run() -> int:
        told = {"timeout": PATIENCE, **options}
        return check(load_here, online=online, out=out, err=out, **told)  # type: ignore[arg-type]

    status = await asyncio.to_thread(run)
    lines = out.getvalue().splitlines(keepends=True)
    return status, "".join(line for line in lines if ": warning: " not in line)


def accounts(directory: Path, telegram: str, whatsapp: str = "") -> None:
    text = (
        f"telegram: [{{account: shop, token: '{TOKEN}', mode: polling, api_url: '{telegram}'}}]\n"
        "webchat: [{account: site, title: Help}]\n"
    )
    if whatsapp:
        text += (
            f"whatsapp: [{{account: shop, phone_id: 1055, token: {GRAPH_TOKEN}, app_secret: "
            f"shhh-app, verify_token: shhh-verify, api_url: '{whatsapp}'}}]\n"
        )
    (directory / "credentials.yml").write_text(text)


async def test_what_designers_got_wrong_is_told_as_well(tmp_path: Path) -> None:
    root = sound_project(tmp_path / "project")
    assert (await checked(tmp_path, root=root, online=False))[0] == 2  # no consent.yml and the like
    _, said = await checked(tmp_path, root=root, online=False)
    assert "domain.yml" not in said
    domain = root / "domain.yml"
    domain.write_text(domain.read_text("utf-8").replace("/order", "/ordre"), "utf-8")
    _, said = await checked(tmp_path, root=root, online=False)
    assert "domain.yml:30: error: a button of utter_greet says /ordre, which is no intent" in said


async def test_everything_that_answers_is_told_with_its_identity(tmp_path: Path) -> None:
    async with provider([Answer(ME)]) as telegram, provider([Answer(NUMBER)]) as meta:
        accounts(tmp_path, telegram.url, meta.url)
        status, said = await checked(tmp_path)
    assert telegram.requests[0].path == f"/bot{TOKEN}/getMe"
    assert meta.requests[0].headers["authorization"] == f"Bearer {GRAPH_TOKEN}"
    place = tmp_path / "var" / "bot.db"
    assert status == 0
    assert said.splitlines() == [
        f"store     SQLite, {place}",
        "redis     none",
        f"media     folder {tmp_path / 'var' / 'media'}",
        "address   http://127.0.0.1:8080, no public_url",
        f"workers   {Worker().concurrency}",
        f"data      {tmp_path / 'var'}",
        f"account   telegram:shop, at {telegram.url.removeprefix('http://')}",
        "account   webchat:site",
        f"account   whatsapp:shop, at {meta.url.removeprefix('http://')}",
        "backend   shop: the demonstration shop, in the store",
        "mail      none: no codes by mail",
        "llm       none: articles are quoted",
        "knowledge data/knowledge, by words alone",
        "perception en, de, fr, es, it, nl, pt, pl; mood by a lexicon",
        "translation none: others are told so and offered a person; own en",
        f"ok        store: SQLite, {place}",
        f"ok        media: folder {tmp_path / 'var' / 'media'}",
        "ok        telegram:shop: @shop_bot (Shop), id 7",
        "ok        webchat:site: web chat “Help” at /chat/site "
        "for this gateway's own pages and loopback",
        "ok        whatsapp:shop: Shop Ltd +1 555-0100",
    ]


async def test_without_online_nobody_is_asked_and_nothing_is_written(tmp_path: Path) -> None:
    async with provider([]) as telegram:
        accounts(tmp_path, telegram.url)
        status, said = await checked(tmp_path, online=False)
    assert (status, "ok  " in said) == (0, False)
    assert not (tmp_path / "var").exists()


async def test_a_bucket_that_does_not_answer_fails_without_its_keys(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yml").write_text(
        f"media: {{url: 's3://shop/files', endpoint: '{closed_url()}', access_key: AKIA-hunter2,"
        " secret_key: shhh-hunter2, secret: shhh-links-hunter2}\n"
    )
    status, said = await checked(tmp_path)
    assert status == 1
    assert "failed    media: VaultDown: S3, bucket shop: EndpointConnectionError" in said
    assert "media     S3, shop/files at 127.0.0.1:" in said
    assert "hunter2" not in said


async def test_a_refused_token_fails_its_account_alone(tmp_path: Path) -> None:
    refusal = Answer({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401)
    async with provider([refusal]) as telegram, provider([Answer(NUMBER)]) as meta:
        accounts(tmp_path, telegram.url, meta.url)
        status, said = await checked(tmp_path)
    verdicts = [line.split(":")[0] for line in said.splitlines()[-5:]]
    assert status == 1
    assert verdicts == [
        "ok        store",
        "ok        media",
        "failed    telegram",
        "ok        webchat",
        "ok        whatsapp",
    ]
    assert "Unauthorized" in said
    assert TOKEN not in said
    assert GRAPH_TOKEN not in said


async def test_a_provider_that_echoes_the_token_does_not_get_it_printed(tmp_path: Path) -> None:
    echo = Answer({"ok": False, "error_code": 400, "description": f"no {TOKEN}\n\x1b[2J"}, 400)
    async with provider([echo]) as telegram:
        accounts(tmp_path, telegram.url)
        status, said = await checked(tmp_path)
    assert status == 1
    assert TOKEN not in said
    assert "\x1b" not in said
    assert "***" in said


async def test_an_address_where_nobody_listens_fails(tmp_path: Path) -> None:
    accounts(tmp_path, closed_url())
    status, said = await checked(tmp_path)
    assert status == 1
    assert "failed    telegram:shop: " in said
    assert TOKEN not in said


async def test_a_provider_that_hangs_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async with provider([Hang()]) as telegram, provider([Answer(NUMBER)]) as meta:
        accounts(tmp_path, telegram.url, meta.url)
        status, said = await checked(tmp_path, timeout=2.0)
    assert status == 1
    assert "failed    telegram:shop: no answer within 2 seconds" in said
    assert "ok        whatsapp:shop: Shop Ltd" in said


async def test_a_store_that_cannot_be_opened_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "endpoints.yml").write_text("store: {url: 'sqlite:file/bot.db'}")
    status, said = await checked(tmp_path)
    assert status == 1
    assert "failed    store: " in said
    assert "none in credentials.yml" in said


async def test_a_mongodb_that_is_down_fails_without_its_password(tmp_path: Path) -> None:
    place = closed_url().removeprefix("http://")
    url = f"mongodb://bot:hunter%402@{place}/frontdesk"
    (tmp_path / "endpoints.yml").write_text(f"store: {{url: '{url}'}}")
    status, said = await checked(tmp_path)
    assert status == 1
    assert f"store     MongoDB, {place}/frontdesk\n" in said
    assert "failed    store: " in said
    assert "hunter" not in said


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """The URL of a real Redis that wants the password hunter2, on a socket of its own."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    path = tmp_path / "redis.sock"
    command = [server, "--port", "0", "--unixsocket", str(path), "--save", ""]
    with subprocess.Popen(
        [*command, "--requirepass", "hunter2", "--dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            while "eady to accept connections" not in process.stdout.readline():
                assert process.poll() is None
            yield f"unix://:hunter2@{path}"
        finally:
            process.terminate()


async def test_redis_is_asked_with_its_password_and_shown_without(
    redis_url: str, tmp_path: Path
) -> None:
    (tmp_path / "endpoints.yml").write_text(f"redis: {{url: '{redis_url}'}}")
    status, said = await checked(tmp_path)
    assert (status, "ok        redis: " in said, "hunter2" in said) == (0, True, False)


async def test_a_wrong_redis_password_fails_without_being_shown(
    redis_url: str, tmp_path: Path
) -> None:
    wrong = redis_url.replace("hunter2", "letmein")
    (tmp_path / "endpoints.yml").write_text(f"redis: {{url: '{wrong}'}}")
    status, said = await checked(tmp_path)
    assert (status, "failed    redis: " in said, "letmein" in said) == (1, True, False)


LLM = "llm: [{{url: 'http://{place}/v1?key=hunter2', model: m, api_key: sk-hunter2}}]"


def llm(directory: Path, url: str, more: str = "") -> None:
    text = LLM.format(place=url.removeprefix("http://"))
    (directory / "endpoints.yml").write_text(f"{text}\n{more}")


async def test_models_articles_and_languages_are_told(tmp_path: Path) -> None:
    more = "knowledge: {embeddings: minilm}\nperception: {languages: [de, en], sentiment: mood}\n"
    llm(tmp_path, "http://u:hunter2@llm.example", more)
    _, said = await checked(tmp_path, online=False)
    assert "llm       m at llm.example/v1, personal data masked\n" in said
    assert "hunter2" not in said
    assert "knowledge data/knowledge, by minilm\n" in said
    assert "perception de, en; mood by mood\n" in said
    local = "llm: [{url: 'local:', model: small}]\nknowledge: {dir: nowhere/at/all}"
    (tmp_path / "endpoints.yml").write_text(local)
    _, said = await checked(tmp_path, online=False)
    assert "llm       small in each worker, personal data not masked\n" in said
    assert "knowledge nowhere/at/all (is no folder), by words alone\n" in said


async def test_a_model_that_is_listed_is_not_asked(tmp_path: Path) -> None:
    listed = {"object": "list", "data": [{"id": "m", "object": "model"}]}
    async with provider([Answer(listed)]) as server:
        llm(tmp_path, server.url)
        status, said = await checked(tmp_path)
    assert (status, "ok        llm m: 127.0.0.1:" in said) == (0, True)
    assert (server.requests[0].path, server.requests[0].query) == ("/v1/models", {"key": "hunter2"})
    assert server.requests[0].headers["authorization"] == "Bearer sk-hunter2"
    assert "hunter2" not in said


@pytest.mark.parametrize("listing", [Answer({"object": "list", "data": []}), Answer("no", 404)])
async def test_a_model_that_is_not_listed_answers_for_itself(
    tmp_path: Path, listing: Answer
) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "OK"}, "finish_reason": "stop"}]}
    stream = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
    answer = Answer(stream, headers={"content-type": "text/event-stream"})
    async with provider([listing, answer]) as server:
        llm(tmp_path, server.url)
        status, said = await checked(tmp_path)
    assert (status, "answered with it" in said) == (0, True)
    assert server.requests[1].json["model"] == "m"


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([Answer({"error": {"message": "no sk-hunter2"}}, 401)], "answered 401: check its api_key"),
        ([Answer("no", 404), Answer("no", 404)], "answered 404: check its url and model"),
        ([Hang()], "no answer"),
    ],
)
async def test_a_model_that_does_not_answer_fails_without_its_key(
    tmp_path: Path, steps: list[Answer | Hang], why: str
) -> None:
    async with provider(steps) as server:
        llm(tmp_path, server.url)
        status, said = await checked(tmp_path, timeout=2.0)
    (line,) = [line for line in said.splitlines() if line.startswith("failed")]
    assert status == 1
    assert line.startswith("failed    llm m: ")
    assert why in line
    assert "hunter2" not in said


async def test_what_hears_recordings_fails_without_its_key(tmp_path: Path) -> None:
    hears = "transcription: {engine: endpoint, url: '%s/v1', model: hears, api_key: sk-hunter2}"
    async with provider([Answer({"error": "sk-hunter2"}, 401)]) as server:
        (tmp_path / "endpoints.yml").write_text(hears % server.url)
        status, said = await checked(tmp_path)
    assert status == 1
    assert "failed    hearing hears: hears answered 401: check url, model and api_key" in said
    assert "hunter2" not in said
    assert server.requests[0].path == "/v1/audio/transcriptions"


async def test_a_local_model_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yml").write_text(f"llm: [{{url: 'local:', model: '{tmp_path}'}}]")
    status, said = await checked(tmp_path)
    assert (status, f"failed    llm {tmp_path}: its folder has no config.json" in said) == (1, True)
    (tmp_path / "config.json").write_text("{}")
    status, said = await checked(tmp_path)
    assert (status, "has neither safetensors nor h5 weights" in said) == (1, True)
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert (await checked(tmp_path))[0] == 0


async def test_what_else_names_a_model_is_looked_at(tmp_path: Path) -> None:
    text = """
knowledge: {embeddings: org/minilm}
perception: {sentiment: /gone/for/good}
translation: {engine: marian, models: {pt-en: /gone/too, en-pt: org/marian}, own: [de]}
"""
    (tmp_path / "endpoints.yml").write_text(text)
    status, said = await checked(tmp_path)
    assert status == 1
    assert "ok        knowledge.embeddings: org/minilm is no folder, so the hub" in said
    assert "failed    perception.sentiment: there is no such folder" in said
    assert "failed    translation pt-en: there is no such folder" in said
    assert "ok        translation en-pt: org/marian is no folder, so the hub" in said
    assert "translation by Marian models, pt-en, en-pt; own en, de" in said


async def test_what_is_wrong_in_data_is_told_with_its_lines(tmp_path: Path) -> None:
    shutil.copytree("data", tmp_path / "data", ignore=shutil.ignore_patterns("knowledge", "nlu"))
    assert (await checked(tmp_path, root=tmp_path, online=False))[0] == 0
    data = tmp_path / "data"
    for name in ("consent.yml", "escalation.yml"):
        text = (data / name).read_text().replace("default: en", "defualt: en", 1)
        (data / name).write_text(text)
    (data / "prompts" / "answer.md").write_text("---\ntokens: many\n---\n")
    (data / "prompts" / "rewrite.md").unlink()
    status, said = await checked(tmp_path, root=tmp_path, online=False)
    assert status == 2
    assert re.search(r"data/consent\.yml:\d+: defualt is not a known key", said)
    assert re.search(r"data/escalation\.yml:\d+: defualt is not a known key", said)
    assert "data/prompts/answer.md:2: tokens should be a whole number" in said
    assert "data/prompts/rewrite.md: is not there" in said
    assert "store " not in said


@pytest.mark.parametrize("command", ["worker", "run"])
def test_nothing_is_started_when_data_is_wrong(tmp_path: Path, command: str) -> None:
    shutil.copytree("data", tmp_path / "data", ignore=shutil.ignore_patterns("knowledge", "nlu"))
    (tmp_path / "data" / "prompts" / "answer.md").write_text("Dear {{custommer}}")
    (tmp_path / "data" / "escalation.yml").write_text("topics: [")
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "data/escalation.yml:1: " in done.stderr
    assert "data/prompts/answer.md:1: there is no placeholder {{custommer}}" in done.stderr
    assert not (tmp_path / "var").exists()


async def test_wrong_settings_end_with_status_2_before_anybody_is_asked(tmp_path: Path) -> None:
    async with provider([]) as telegram:
        accounts(tmp_path, telegram.url)
        (tmp_path / "endpoints.yml").write_text("server:\n  port: eighty\n  hots: x\n")
        status, said = await checked(tmp_path)
    assert status == 2
    assert said.splitlines() == [
        "endpoints.yml:2: server.port is 'eighty', should be a whole number from 1 to 65535",
        "endpoints.yml:3: server.hots is not a known key; did you mean host?",
    ]


def test_a_connector_that_fails_to_close_is_still_judged_by_its_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Stubborn(connector_class("webchat")):  # type: ignore[misc]
        async def close(self) -> None:
            raise RuntimeError("cannot close hunter2")

    def stubborn(channel: str) -> type[Connector]:
        return Stubborn

    (tmp_path / "credentials.yml").write_text("webchat: [{account: site}]")
    out = io.StringIO()
    status = check(
        lambda: load(
            channels=CHANNELS,
            schema_of=lambda channel: connector_class(channel).Account,
            environ={},
            cwd=tmp_path,
        ),
        online=True,
        connector_of=stubborn,
        out=out,
    )
    gc.collect()
    assert (status, "ok        webchat:site" in out.getvalue()) == (0, True)
    assert "hunter2" not in caplog.text + out.getvalue()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:/a/bot.db", "SQLite, /a/bot.db"),
        ("mongodb://u:p@a:1,b:2/db?replicaSet=rs0", "MongoDB, a:1,b:2/db"),
        ("mongodb+srv://u:p%40q@cluster.example/db", "MongoDB, cluster.example/db"),
        ("mongodb://u:p@q?r/s@host/db", "MongoDB, host/db"),
        ("mongodb://host", "MongoDB, host"),
    ],
)
def test_the_place_of_a_store_is_told_without_its_password(url: str, place: str) -> None:
    assert store_place(url) == place


def test_scrubbing_takes_the_longest_secret_first() -> None:
    assert scrubbed("abcd\r\n ab", ("ab", "abcd")) == "*** ***"


def test_the_command_tells_problems_on_stderr_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yml").write_text("server: {port: eighty}")
    command = [sys.executable, "-m", "bot.cli", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    # There is no `data` either.
    assert done.stderr.startswith(
        "endpoints.yml:1: server.port is 'eighty', should be a whole number from 1 to 65535\n"
        "data/consent.yml: cannot be read: "
    )
