from __future__ import annotations

from datetime import datetime, time, timezone

import pytest
from PIL import Image
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from actions.store import ActionOpeningHours, ActionStoreLocation, open_until, picture
from tests.dialogue.conftest import ROOT


@pytest.mark.parametrize(
    ("at", "closes"),
    [
        ("2026-01-05T08:59", None),  # a Monday in winter
        ("2026-01-05T09:00", time(18)),
        ("2026-01-05T17:59", time(18)),
        ("2026-01-05T18:00", None),
        ("2026-07-06T07:59", None),  # a Monday in summer, an hour ahead of UTC
        ("2026-07-06T08:00", time(18)),
        ("2026-07-06T17:00", None),
        ("2026-01-10T09:30", None),  # a Saturday
        ("2026-01-10T15:59", time(16)),
        ("2026-01-11T12:00", None),  # a Sunday
    ],
)
def test_the_store_is_open(at: str, closes: time | None) -> None:
    assert open_until(datetime.fromisoformat(at).replace(tzinfo=timezone.utc)) == closes


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example", "https://shop.example/static/a.png"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/static/a.png"),
        ("", None),
        ("shop.example", None),
    ],
)
def test_pictures_are_where_customers_can_reach_them(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: str | None
) -> None:
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", url)
    assert picture("a.png") == expected


@pytest.mark.parametrize("action", [ActionOpeningHours(), ActionStoreLocation()])
def test_without_a_public_url_only_words_are_sent(
    monkeypatch: pytest.MonkeyPatch, action: ActionOpeningHours | ActionStoreLocation
) -> None:
    tracker = Tracker("u", {}, {}, [], False, None, {}, "action_listen")
    monkeypatch.delenv("FRONTDESK_PUBLIC_URL", raising=False)
    dispatcher = CollectingDispatcher()
    action.run(dispatcher, tracker, {})
    assert len(dispatcher.messages) == 1
    monkeypatch.setenv("FRONTDESK_PUBLIC_URL", "https://shop.example")
    dispatcher = CollectingDispatcher()
    action.run(dispatcher, tracker, {})
    name = dispatcher.messages[1]["image"].removeprefix("https://shop.example/static/")
    path = ROOT / "bot" / "static" / name
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert path.stat().st_size < 60_000
