"""The sandbox has no passwords: it must not be reachable from other machines or web sites."""

from __future__ import annotations

import json
from dataclasses import fields
from urllib.parse import urlsplit

import pytest

from bot.sandbox import credentials
from bot.sandbox.errors import BadCredentials, NotLoopback, RealCredentials
from bot.sandbox.server import Sandbox, serve
from bot.settings import ConsoleAccount, SlackAccount
from connectors import CHANNELS, connector_class


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
async def test_it_refuses_to_listen_beyond_loopback(tmp_path, host):
    path = credentials.ensure(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    with pytest.raises(NotLoopback, match="loopback only"):
        await serve(credentials=path, gateway_url="http://127.0.0.1:8080", host=host, port=0)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Host": "evil.example"}, "unknown Host"),
        ({"Host": "127.0.0.1"}, "unknown Host"),
        ({"Origin": "https://evil.example"}, "strange Origin"),
        ({"Origin": "null"}, "strange Origin"),
        ({"Sec-Fetch-Site": "cross-site"}, "cross-site request"),
        ({"Sec-Fetch-Site": "same-site"}, "cross-site request"),
    ],
)
@pytest.mark.parametrize("path", ["control/messages", "control/media/x", "control/events"])
async def test_other_web_sites_are_refused(phones, headers, reason, path):
    async with phones.http.get(f"{phones.url}/{path}", headers=headers) as answer:
        assert (answer.status, await answer.json()) == (403, {"error": reason})


async def test_the_providers_apis_are_guarded_too(phones):
    url = f"{phones.url}/telegram/bot{phones.telegram['token']}/getMe"
    async with phones.http.get(url, headers={"Host": "evil.example"}) as answer:
        assert answer.status == 403


async def test_a_form_of_another_site_cannot_drive_the_phones(phones):
    body = '{"channel": "telegram", "user": "1", "text": "x"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        url = f"{phones.url}/control/say"
        async with phones.http.post(url, data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == 415
    assert await phones.messages() == []


async def test_its_own_page_is_let_in(phones):
    own = {"Origin": phones.url, "Sec-Fetch-Site": "same-origin"}
    async with phones.http.get(f"{phones.url}/control/messages", headers=own) as answer:
        assert answer.status == 200


async def test_a_form_of_another_site_cannot_upload_files(phones):
    for kind in ("text/plain", "multipart/form-data; boundary=x"):
        async with phones.http.post(
            f"{phones.url}/control/files", data=b"x", headers={"Content-Type": kind}
        ) as answer:
            assert answer.status == 415


async def test_the_page_has_one_address_and_a_policy(phones):
    port = urlsplit(phones.url).port
    async with phones.http.get(f"http://localhost:{port}/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, f"{phones.url}/")
    async with phones.http.get(f"{phones.url}/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert phones.telegram["token"] not in await answer.text()
    for name in ("../server.py", "%2e%2e%2fserver.py", "__init__.py", "nothing.js"):
        async with phones.http.get(f"{phones.url}/page/{name}") as answer:
            assert answer.status == 404


async def test_the_state_shows_no_secret(phones):
    async with phones.http.get(f"{phones.url}/control/state") as answer:
        text = await answer.text()
    for channel, keys in (
        ("telegram", ("token", "secret_token")),
        ("whatsapp", ("token", "app_secret", "verify_token")),
        ("messenger", ("token", "app_secret", "verify_token")),
        ("sms", ("auth_token",)),
        ("slack", ("bot_token", "app_token", "signing_secret")),
        ("console", ("password",)),
    ):
        assert not any(phones.accounts[channel][key] in text for key in keys)


def test_credentials_are_private_random_and_kept(tmp_path):
    first = credentials.ensure(tmp_path / "a", "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    assert first == tmp_path / "a" / "sandbox" / "credentials.yml"
    assert first.stat().st_mode & 0o777 == 0o600
    before = credentials.load(first)
    same = first.stat().st_mtime_ns
    credentials.ensure(tmp_path / "a", "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    assert first.stat().st_mtime_ns == same

    credentials.ensure(tmp_path / "a", "http://127.0.0.1:8080", "http://127.0.0.1:9999")
    after = credentials.load(first)
    assert after["telegram"][0]["api_url"] == "http://127.0.0.1:9999/telegram"
    assert after["webchat"] == [{"account": "demo", "origins": ["http://127.0.0.1:9999"]}]
    for channel in ("telegram", "whatsapp", "messenger", "sms", "slack", "console"):
        old, new = before[channel][0], after[channel][0]
        assert {k: v for k, v in old.items() if k != "api_url"} == {
            k: v for k, v in new.items() if k != "api_url"
        }
    other = credentials.load(
        credentials.ensure(tmp_path / "b", "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    )
    assert other["whatsapp"][0]["app_secret"] != before["whatsapp"][0]["app_secret"]
    assert other["slack"][0]["bot_token"] != before["slack"][0]["bot_token"]
    assert len({a["password"] for a in [*before["console"], *other["console"]]}) == 4
    assert list((tmp_path / "a" / "sandbox").iterdir()) == [first]


def test_the_accounts_are_what_the_connectors_take(tmp_path):
    path = credentials.ensure(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    accounts = credentials.load(path)
    assert list(accounts) == [*CHANNELS, "slack", "console"]
    for channel in CHANNELS:
        [account] = accounts[channel]
        kind = connector_class(channel).Account
        keys = {f.metadata.get("key", f.name): f.name for f in fields(kind)}
        made = kind(**{keys[key]: value for key, value in account.items()})
        assert made.account == "demo"
    assert accounts["sms"][0]["public_url"] == "http://127.0.0.1:8080"


def test_the_desk_is_staffed(tmp_path):
    path = credentials.ensure(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    accounts = credentials.load(path)
    [slack] = [SlackAccount(**account) for account in accounts["slack"]]
    assert (slack.account, slack.channel) == ("desk", "C0DESK")
    assert slack.api_url == "http://127.0.0.1:8090/slack"
    assert (slack.bot_token[:5], slack.app_token[:5]) == ("xoxb-", "xapp-")
    people = [ConsoleAccount(**account) for account in accounts["console"]]
    assert [(p.account, p.name, p.slack) for p in people] == [
        ("anna", "Anna Keller", "U0ANNA"),
        ("ben", "Ben Okafor", "U0BEN"),
    ]


def test_a_file_of_before_there_was_a_desk_gets_one(tmp_path):
    path = credentials.ensure(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    old = credentials.load(path)
    path.write_text("".join(f"{c}: {json.dumps(old[c])}\n" for c in CHANNELS))
    Sandbox(path, "http://127.0.0.1:8080")
    new = credentials.load(
        credentials.ensure(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    )
    assert new["telegram"] == old["telegram"]
    assert [a["account"] for a in new["console"]] == ["anna", "ben"]


def test_a_file_that_others_could_read_is_closed(tmp_path):
    path = credentials.ensure(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    path.chmod(0o644)
    credentials.ensure(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:8090")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["telegram: [", "- a", "telegram: {a: b}", "telegram: [secret-x]"])
def test_a_broken_file_is_named_and_not_quoted(tmp_path, text):
    path = tmp_path / "credentials.yml"
    path.write_text(text)
    with pytest.raises(BadCredentials, match=r"credentials\.yml") as refused:
        credentials.load(path)
    assert "secret-x" not in str(refused.value)


def test_an_account_without_its_token_is_named(tmp_path):
    path = tmp_path / "credentials.yml"
    path.write_text("telegram: [{account: demo}]")
    with pytest.raises(BadCredentials, match="telegram account lacks 'token'"):
        Sandbox(path, "http://127.0.0.1:8080")
    path.write_text("slack: [{account: desk, bot_token: xoxb-1}]")
    with pytest.raises(BadCredentials, match="slack account lacks 'signing_secret'"):
        Sandbox(path, "http://127.0.0.1:8080")
    path.write_text("slack: [{account: desk}, {account: two}]")
    with pytest.raises(BadCredentials, match="the sandbox has one"):
        Sandbox(path, "http://127.0.0.1:8080")


REAL = {"telegram": [{"account": "demo", "token": "1:secret-x"}]}


@pytest.mark.parametrize(
    ("accounts", "refused"),
    [
        ({}, False),
        (REAL, True),
        ({"telegram": [{**REAL["telegram"][0], "account": "shop"}]}, False),
        (
            {"telegram": [{**REAL["telegram"][0], "api_url": "http://127.0.0.1:8090/telegram"}]},
            False,
        ),
        ({"telegram": [{**REAL["telegram"][0], "api_url": "https://api.telegram.org"}]}, True),
        (
            {
                "telegram": [
                    {**REAL["telegram"][0], "api_url": "http://127.0.0.1:8090.evil.example"}
                ]
            },
            True,
        ),
        ({"whatsapp": [{"account": "demo"}]}, True),
        ({"messenger": [{"account": "demo"}]}, True),
        ({"sms": [{"account": "demo", "api_url": "https://api.ie1.twilio.com"}]}, True),
        ({"sms": [{"account": "demo", "api_url": "http://127.0.0.1:8090/sms"}]}, False),
        ({"webchat": [{"account": "demo", "origins": ["https://shop.example.com"]}]}, True),
        ({"webchat": [{"account": "demo", "origins": ["http://127.0.0.1:8090"]}]}, False),
        ({"slack": [{"account": "desk", "bot_token": "secret-x"}]}, True),
        ({"slack": [{"account": "desk", "api_url": "http://127.0.0.1:8090/slack"}]}, False),
        ({"slack": [{"account": "team", "bot_token": "secret-x"}]}, False),
        ({"console": [{"account": "anna", "password": "secret-x"}]}, False),
    ],
)
def test_it_refuses_to_start_beside_real_credentials_for_the_same_account(accounts, refused):
    if not refused:
        credentials.refuse_real(accounts, "http://127.0.0.1:8090")
        return
    with pytest.raises(RealCredentials, match="real credentials for the same account") as error:
        credentials.refuse_real(accounts, "http://127.0.0.1:8090")
    assert "secret-x" not in str(error.value)
