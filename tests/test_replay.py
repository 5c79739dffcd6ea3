"""``bot replay``: a recorded request, read without being stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.dead import recording
from bot.message import utcnow
from bot.store.dead_letters import RECEIVE, DeadLetter

UPDATE = {
    "update_id": 7,
    "message": {
        "message_id": 3,
        "date": 1_760_000_000,
        "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "is_bot": False, "first_name": "Ada"},
        "text": "grüß Gott 😀",
    },
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "credentials.yml").write_text(
        "telegram: [{account: shop, token: '1:a', secret_token: s}]\n"
    )

    def replay(content: Any, *args: str) -> tuple[int, str, str]:
        file = tmp_path / "request.json"
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        status = main(["replay", str(file), *args])
        said = capsys.readouterr()
        return status, said.out, said.err

    return replay


def recorded(body: Any = UPDATE, **more: Any) -> dict[str, Any]:
    return {"channel": "telegram", "account": "shop", "body": json.dumps(body), **more}


def test_it_prints_what_the_connector_makes_of_it(run: Any) -> None:
    status, out, _ = run(recorded())
    assert status == 0
    said = json.loads(out)["inbound"]
    assert said["address"] == "telegram:shop:5"
    assert said["content"]["text"] == "grüß Gott 😀"


def test_a_dead_letter_is_a_recording(run: Any) -> None:
    body = json.dumps(UPDATE).encode()
    letter = DeadLetter(
        stage=RECEIVE, channel="telegram", account="shop", reason="x", body=body, at=utcnow()
    )
    status, out, _ = run(recording(letter))
    assert (status, json.loads(out)["inbound"]["provider_id"]) == (0, "5.3")


def test_a_bare_body_needs_its_channel(run: Any) -> None:
    assert run(json.dumps(UPDATE).encode(), "--channel", "telegram")[0] == 0
    status, _, err = run(json.dumps(UPDATE).encode())
    assert status == 2
    assert "--channel" in err


def test_a_body_may_be_pasted_as_it_is(run: Any) -> None:
    assert run({**recorded(), "body": UPDATE})[0] == 0


def test_what_the_connector_cannot_read_is_said(run: Any) -> None:
    status, _, err = run(recorded({"update_id": 1, "message": {"text": 3}}))
    assert status == 1
    assert "not all of it is readable" in err


def test_the_signature_is_checked_when_asked_for(run: Any) -> None:
    status, _, err = run(recorded(), "--verify")
    assert status == 1
    assert "signature" in err
    signed = recorded(headers={"X-Telegram-Bot-Api-Secret-Token": "s"})
    assert run(signed, "--verify")[0] == 0


def test_what_does_not_concern_the_bot_is_said(run: Any) -> None:
    status, out, _ = run(recorded({"update_id": 1, "poll": {}}))
    assert (status, out.strip()) == (0, "nothing that concerns the bot")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe not json", "is no recorded request"),
        ([], "is no recorded request"),
        ({"body": "x"}, "channel: is missing"),
        (recorded(channel="whatsapp"), "no account whatsapp:shop is configured"),
        (recorded(account="other"), "there are: telegram:shop"),
        (recorded(headers=[1]), "headers: is not an object of texts"),
        (recorded(query={"a": 1}), "query: is not an object of texts"),
        (recorded(bodi="x"), "bodi is not a known key"),
        ({"channel": "telegram", "body_base64": "%"}, "body_base64: is not base64"),
    ],
)
def test_a_bad_recording_is_told_from_a_bad_request(run: Any, content: Any, said: str) -> None:
    status, _, err = run(content)
    assert status == 2
    assert said in err
    assert "request.json" in err or "no account" in err


def test_a_file_that_is_not_there(run: Any, capsys: Any) -> None:
    assert main(["replay", "nothing.json", "--channel", "telegram"]) == 2
    assert "nothing.json" in capsys.readouterr().err
