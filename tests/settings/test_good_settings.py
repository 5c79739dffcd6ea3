"""Settings that are right, and what becomes of them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from settings_kit import SCHEMAS, SmsAccount, TelegramAccount, WebChatAccount, load_from

from bot.settings import Limits, Llm, Redis, Sandbox, Server, Worker, load, secrets_of


def test_with_no_file_everything_has_a_default(tmp_path: Path) -> None:
    settings = load_from(tmp_path)
    assert settings.store.url == f"sqlite:{tmp_path / 'var' / 'bot.db'}"
    assert settings.media.dir == str(tmp_path / "var" / "media")
    assert settings.server == Server("127.0.0.1", 8080, "", 1048576)
    assert settings.sandbox == Sandbox("127.0.0.1", 8090)
    assert (settings.redis, settings.worker, settings.limits) == (Redis(), Worker(), Limits())
    assert (settings.llm, settings.channels, settings.model) == ((), {}, "models")
    assert settings.var == tmp_path / "var"
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "null\n", "\ufeff"])
def test_an_empty_file_is_as_good_as_none(text: str, tmp_path: Path) -> None:
    assert load_from(tmp_path, text, text) == load_from(tmp_path)


def test_sections_and_channels_may_be_left_empty(tmp_path: Path) -> None:
    settings = load_from(tmp_path, "server:\nllm:\nstore: {url: }\n", "telegram:\nsms: []\n")
    assert (settings.server, settings.llm, settings.channels) == (Server(), (), {})


def test_the_flow_style_of_the_design_is_read(tmp_path: Path) -> None:
    # Strictly this is no YAML: a plain value ends at a brace in the flow style.
    credentials = """
telegram:  [{account: shop, token: ${TELEGRAM_TOKEN}, secret_token: ${TELEGRAM_SECRET}, mode: webhook}]   # or polling
sms:       [{account: shop, account_sid: ${TWILIO_SID}, auth_token: ${TWILIO_TOKEN}, from: "+15550100", public_url: "https://bot.example.com"}]
webchat:   [{account: site, origins: ["https://shop.example.com"]}]
"""  # noqa: E501
    environ = {
        "TELEGRAM_TOKEN": "1:a, b}",
        "TELEGRAM_SECRET": "s # t",
        "TWILIO_SID": "AC1",
        "TWILIO_TOKEN": "x: ${TWILIO_SID}",
    }
    assert load_from(tmp_path, None, credentials, environ).channels == {
        "telegram": (TelegramAccount("shop", "1:a, b}", "s # t", "webhook"),),
        "sms": (
            SmsAccount("shop", "AC1", "x: ${TWILIO_SID}", "+15550100", "https://bot.example.com"),
        ),
        "webchat": (WebChatAccount("site", ("https://shop.example.com",)),),
    }


def test_variables_are_expanded_inside_a_text_and_in_numbers(tmp_path: Path) -> None:
    endpoints = (
        "store: {url: 'mongodb://bot:${PW}@${HOST}/frontdesk'}\n"
        'server:\n  port: ${PORT}\n  host: "${HOST}"\n'
        "# ${NOT_SET} in a comment\n"
    )
    settings = load_from(tmp_path, endpoints, None, {"PW": "s", "HOST": "db", "PORT": "81"})
    assert settings.store.url == "mongodb://bot:s@db/frontdesk"
    assert settings.server == Server("db", 81)


def test_ids_keep_every_digit_they_were_written_with(tmp_path: Path) -> None:
    accounts = "sms: [{account: 007, account_sid: 0x10, auth_token: 1_000, from: +15550100}]"
    (account,) = load_from(tmp_path, None, accounts).channels["sms"]
    assert (account.account, account.account_sid, account.auth_token, account.sender) == (
        "007",
        "0x10",
        "1_000",
        "+15550100",
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [("2.5", 2.5), ("'2.5'", 2.5), ("3", 3.0), ("1e1", 10.0), (".5", 0.5), (" 7 ", 7.0)],
)
def test_numbers_may_be_written_in_several_ways(written: str, value: float, tmp_path: Path) -> None:
    settings = load_from(tmp_path, f"limits: {{unsure_grace_seconds: {written}}}")
    assert settings.limits.unsure_grace_seconds == value


def test_null_leaves_the_connectors_own_grace(tmp_path: Path) -> None:
    settings = load_from(tmp_path, "limits: {unsure_grace_seconds: null}")
    assert settings.limits.unsure_grace_seconds is None


@pytest.mark.parametrize(("written", "value"), [("true", True), ("'False'", False)])
def test_bools_are_true_or_false(written: str, value: bool, tmp_path: Path) -> None:
    text = f"sms: [{{account: a, account_sid: b, auth_token: c, from: '+1', dry: {written}}}]"
    assert load_from(tmp_path, None, text).channels["sms"][0].dry is value


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://a:1,b:2,c:3/db?replicaSet=rs0",
        "mongodb+srv://u:p@cluster.example.net/db",
        "mongodb://[::1]:27017/db",
    ],
)
def test_mongodb_urls_are_kept_as_they_are(url: str, tmp_path: Path) -> None:
    assert load_from(tmp_path, f"store: {{url: '{url}'}}").store.url == url


def test_paths_are_seen_from_the_current_directory(tmp_path: Path) -> None:
    settings = load_from(tmp_path, "store: {url: 'sqlite:data/a.db'}\nmedia: {dir: files}\n")
    assert settings.store.url == f"sqlite:{tmp_path / 'data' / 'a.db'}"
    assert settings.media.dir == str(tmp_path / "files")
    assert load_from(tmp_path, "store: {url: 'sqlite:///a.db'}").store.url == "sqlite:/a.db"


def test_files_may_be_in_gridfs_or_a_bucket(tmp_path: Path) -> None:
    text = "store: {url: 'mongodb://db/frontdesk'}\nmedia: {url: 'gridfs:'}\n"
    media = load_from(tmp_path, text).media
    assert (media.url, media.dir) == ("gridfs:", "")
    text = (
        "media:\n  url: s3://shop.files/a/b\n  endpoint: http://minio:9000\n  region: eu-1\n"
        "  access_key: ${KEY}\n  secret_key: ${SECRET}\n  secret: ${LINKS}\n"
    )
    environ = {"KEY": "AKIA1", "SECRET": "abc/+=", "LINKS": "0123456789abcdef"}
    media = load_from(tmp_path, text, None, environ).media
    assert (media.url, media.endpoint, media.region) == (
        "s3://shop.files/a/b",
        "http://minio:9000",
        "eu-1",
    )
    assert (media.access_key, media.secret_key) == ("AKIA1", "abc/+=")
    assert secrets_of(media) == ("AKIA1", "abc/+=", "0123456789abcdef")
    assert "abc" not in repr(media)
    assert "AKIA1" not in repr(media)


def test_a_bucket_may_be_had_by_a_role_of_the_machine(tmp_path: Path) -> None:
    environ = {"FRONTDESK__MEDIA__URL": "s3://shop", "FRONTDESK__MEDIA__REGION": "eu-west-1"}
    media = load_from(tmp_path, None, None, environ).media
    assert (media.url, media.access_key, media.region) == ("s3://shop", "", "eu-west-1")


def test_var_moves_what_a_running_instance_writes(tmp_path: Path) -> None:
    settings = load_from(tmp_path, var=Path("elsewhere"))
    assert settings.var == tmp_path / "elsewhere"
    assert settings.store.url == f"sqlite:{tmp_path / 'elsewhere' / 'bot.db'}"


def test_the_public_url_ends_without_a_slash(tmp_path: Path) -> None:
    settings = load_from(tmp_path, "server: {public_url: 'https://bot.example.com/desk/'}")
    assert settings.server.public_url == "https://bot.example.com/desk"


@pytest.mark.parametrize("host", ["localhost", "::1", "127.8.0.1"])
def test_the_sandbox_may_be_on_any_loopback_address(host: str, tmp_path: Path) -> None:
    assert load_from(tmp_path, f"sandbox: {{host: '{host}'}}").sandbox.host == host


def test_several_llms_are_kept_in_order(tmp_path: Path) -> None:
    text = "llm:\n- {url: 'http://a/v1', model: m}\n- {url: 'https://b', model: n, api_key: k}\n"
    assert load_from(tmp_path, text).llm == (Llm("http://a/v1", "m"), Llm("https://b", "n", "k"))


def test_what_is_rasas_own_is_left_to_rasa(tmp_path: Path) -> None:
    text = (
        "action_endpoint: {url: 'http://localhost:5055/webhook', token: ${NOT_SET}}\n"
        "tracker_store: 7\nlock_store: []\nevent_broker: {}\nnlg: {}\nnlu: {}\nmodels: {}\n"
        "server: {port: 81}\n"
    )
    assert load_from(tmp_path, text).server.port == 81


def test_anchors_and_merges_share_values(tmp_path: Path) -> None:
    text = """
telegram:
- &first {account: a, token: &t "1:x", mode: polling}
- {<<: *first, account: b}
- {account: c, token: *t, mode: polling}
"""
    accounts = load_from(tmp_path, None, text).channels["telegram"]
    assert [(a.account, a.token, a.mode) for a in accounts] == [
        ("a", "1:x", "polling"),
        ("b", "1:x", "polling"),
        ("c", "1:x", "polling"),
    ]


def test_an_override_of_one_account_leaves_those_that_share_its_anchor(tmp_path: Path) -> None:
    text = "telegram: [&a {account: a, token: t, mode: polling}, {<<: *a, account: b}]"
    environ = {"FRONTDESK__TELEGRAM__1__TOKEN": "u"}
    accounts = load_from(tmp_path, None, text, environ).channels["telegram"]
    assert [a.token for a in accounts] == ["t", "u"]


def test_the_environment_overrides_any_setting_by_path(tmp_path: Path) -> None:
    environ = {
        "FRONTDESK__SERVER__PORT": "9000",
        "FRONTDESK__LIMITS__TURN_SECONDS": "5",
        "FRONTDESK__STORE__URL": "mongodb://db/${NOT_EXPANDED}",
        "FRONTDESK__LLM__0__MODEL": "big",
        "FRONTDESK__MODEL": "other",
        "FRONTDESK__WEBCHAT__0__ORIGINS__0": "https://b",
        "FRONTDESK__Server__Host": "::",
        "FRONTDESK_STORE_URL": "is somebody else's",
    }
    endpoints = "server: {port: 80}\nllm: [{url: 'http://h', model: small}]\nlimits:\n"
    credentials = "webchat: [{account: a, origins: ['https://a', 'https://c']}]"
    settings = load_from(tmp_path, endpoints, credentials, environ)
    assert settings.server == Server("::", 9000)
    assert settings.limits.turn_seconds == 5
    assert settings.store.url == "mongodb://db/${NOT_EXPANDED}"
    assert (settings.llm[0].model, settings.model) == ("big", "other")
    assert settings.channels["webchat"][0].origins == ("https://b", "https://c")


def test_accounts_may_come_from_the_environment_alone(tmp_path: Path) -> None:
    environ = {
        f"FRONTDESK__WEBCHAT__{n}__ACCOUNT": f"site{n}" for n in (10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
    }
    accounts = load_from(tmp_path, None, None, environ).channels["webchat"]
    assert [a.account for a in accounts] == [f"site{n}" for n in range(11)]


def test_other_files_are_chosen_by_variable_and_argument(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("server: {port: 81}")
    (tmp_path / "b.yml").write_text("server: {port: 82}")
    environ = {"ENDPOINTS_FILE": "a.yml", "CREDENTIALS_FILE": ""}
    assert load_from(tmp_path, "server: {port: 80}", None, environ).server.port == 81
    chosen = load_from(tmp_path, None, None, environ, endpoints=tmp_path / "b.yml")
    assert chosen.server.port == 82


def test_only_the_channels_that_have_accounts_are_imported(tmp_path: Path) -> None:
    asked = []

    def schema_of(channel: str) -> Any:
        asked.append(channel)
        return SCHEMAS[channel]

    (tmp_path / "credentials.yml").write_text("telegram:\nwebchat: [{account: a}]\n")
    load(channels=tuple(SCHEMAS), schema_of=schema_of, environ={}, cwd=tmp_path)
    assert asked == ["webchat"]


def test_settings_can_be_handed_to_another_process(tmp_path: Path) -> None:
    settings = load_from(tmp_path, None, "webchat: [{account: a}]")
    assert pickle.loads(pickle.dumps(settings)) == settings
