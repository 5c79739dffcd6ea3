from __future__ import annotations

import pytest
from rasa.shared.core.domain import Domain
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from actions.tour import STOPS, ActionTour
from bot.message import decode
from tests.dialogue.conftest import ROOT


def toured(monkeypatch: pytest.MonkeyPatch, url: str, message_id: str | None) -> list[dict]:  # type: ignore[type-arg]
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", url)
    dispatcher = CollectingDispatcher()
    tracker = Tracker.from_dict({"sender_id": "x", "latest_message": {"message_id": message_id}})
    assert ActionTour().run(dispatcher, tracker, {}) == []
    return dispatcher.messages


def test_every_stop_is_a_response_of_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    responses = Domain.load(str(ROOT / "domain.yml")).responses
    assert {response for response, _ in STOPS} <= responses.keys()
    said = toured(monkeypatch, "https://shop.example", "line:shop:m7")
    assert [m["response"] for m in said[1:]] == [response for response, _ in STOPS]
    assert decode(said[0]["custom"]).of == "m7"  # type: ignore[union-attr]


def test_files_exist_and_are_left_out_where_nobody_can_fetch_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _, file in STOPS:
        assert not file or (ROOT / "bot" / "static" / file).is_file()
    said = toured(monkeypatch, "", None)
    assert [m["response"] for m in said] == [response for response, file in STOPS if not file]
