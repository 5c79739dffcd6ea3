from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from actions.link import ActionLink, ActionLinkCode, ValidateLinkForm
from bot.identity import customer_of
from bot.message import Address
from bot.store import AsyncStore, StoreDown, open_store
from bot.store.customers import LinkCode
from bot.store.documents import DOCUMENTS

WEB = Address("webchat", "site", "a1b2")
TELEGRAM = Address("telegram", "shop", "42")


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncStore]:
    """A store of the test's own, the one that actions find."""
    url = f"sqlite:{tmp_path / 'bot.db'}"
    monkeypatch.setenv("FRONTDESK_STORE_URL", url)
    opened = AsyncStore(open_store(url), DOCUMENTS)
    yield opened
    await opened.close()


def tracker(sender: str, code: str | None = None) -> Tracker:
    return Tracker(sender, {"link_code": code}, {}, [], False, None, {}, "action_listen")


async def ask(here: Address) -> dict[str, Any]:
    """Ask for a code; return what is said."""
    dispatcher = CollectingDispatcher()
    assert await ActionLinkCode().run(dispatcher, tracker(here.key), {}) == []
    (said,) = dispatcher.messages
    return dict(said)


async def type_code(here: Address, code: str) -> tuple[str, str]:
    """Type a code; return the response's name and its channel."""
    dispatcher = CollectingDispatcher()
    events = await ActionLink().run(dispatcher, tracker(here.key, code), {})
    assert [(e["name"], e["value"]) for e in events] == [("link_code", None)]
    (said,) = dispatcher.messages
    return said["response"], said.get("channel", "")


async def test_a_code_asked_for_here_and_typed_there_makes_one_customer(
    place: AsyncStore,
) -> None:
    said = await ask(WEB)
    assert (said["response"], said["minutes"]) == ("utter_link_code", 10)
    assert await type_code(WEB, said["code"]) == ("utter_link_here", "")
    assert await type_code(TELEGRAM, said["code"]) == ("utter_link_done", "our web chat")
    found = await customer_of(place, TELEGRAM)
    assert set(found.addresses) == {WEB.key, TELEGRAM.key}
    assert await type_code(Address("sms", "shop", "+14155238886"), said["code"]) == (
        "utter_link_wrong",
        "",
    )


async def test_wrong_codes_are_bounded(place: AsyncStore) -> None:
    code = int((await ask(WEB))["code"])
    wrong = [f"{(code + n) % 1_000_000:06}" for n in range(1, 8)]
    said = [(await type_code(TELEGRAM, one))[0] for one in wrong]
    assert said == ["utter_link_wrong"] * 5 + ["utter_link_too_often"] * 2


@pytest.mark.parametrize("sender", ["default", "a1b2c3", ""])
async def test_in_rasas_own_shell_nothing_is_connected(place: AsyncStore, sender: str) -> None:
    for action, code in ((ActionLinkCode(), None), (ActionLink(), "482913")):
        dispatcher = CollectingDispatcher()
        await action.run(dispatcher, tracker(sender, code), {})
        assert [m["response"] for m in dispatcher.messages] == ["utter_link_not_here"]
    assert await place.count(LinkCode, {}) == 0


async def test_a_store_that_is_down_is_tried_again(
    place: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("FRONTDESK_STORE_URL", "sqlite:/proc/nowhere/bot.db")
        with pytest.raises(StoreDown):
            await ask(WEB)
    assert os.environ["FRONTDESK_STORE_URL"] != "sqlite:/proc/nowhere/bot.db"
    assert (await ask(WEB))["response"] == "utter_link_code"


@pytest.mark.parametrize(
    ("value", "slot", "said"),
    [
        ("link 482913", "482913", []),
        ("482 913", "482913", []),
        ("٤٨٢٩١٣", "482913", []),
        ("I have a code", None, []),
        ("4829", None, ["utter_link_code_unclear"]),
        ("482913 or 482914", None, ["utter_link_code_unclear"]),
        (None, None, []),
    ],
)
def test_the_form_takes_only_codes(value: object, slot: str | None, said: list[str]) -> None:
    dispatcher = CollectingDispatcher()
    form = ValidateLinkForm()
    validated = form.validate_link_code(value, dispatcher, tracker("u"), {})
    assert validated == {"link_code": slot}
    assert [message["response"] for message in dispatcher.messages] == said
