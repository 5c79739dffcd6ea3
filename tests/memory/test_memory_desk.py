"""Agents see what is remembered, and correct it by deeds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bot.desk.contract import Person
from bot.desk.deeds import deed_of
from bot.desk.desk import Desk
from bot.desk.people import People
from bot.desk.slack.blocks import card
from bot.desk.slack.card import card_of
from bot.identity import customer_of
from bot.message import Address, Profile, utcnow
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.conversations import Conversation
from bot.store.memory import Fact
from bot.store.messages import arrival
from connectors import connector_class
from tests.kit.at_desk import routing
from tests.kit.console import KEY, browsing, serving, settings_of, waits

ANNA = Person("anna", "Anna Keller", "U0ANNA")
HERE = Address("whatsapp", "shop", "447700900123")


@pytest.fixture
async def desk(store: AsyncStore) -> Desk:
    now = utcnow()
    found = await customer_of(store, HERE, Profile("Amara", "", "en"))
    talk = Conversation(id=HERE.key, created=now, lease_until=now, customer=found.id)
    await store.insert_new([talk])
    return Desk(
        store,
        routing=routing(),
        people=People(()),
        capabilities=lambda channel: connector_class(channel).capabilities,
    )


def deed(n: int, text: str, **args: str) -> Any:
    return deed_of(
        ANNA, "console", f"console:anna:{n}", "remember", HERE.key, arrival(), text=text, args=args
    )


async def test_a_fact_is_kept_once_changed_and_taken_away(store: AsyncStore, desk: Desk) -> None:
    first = deed(1, "41", about="Shoe size")
    assert (await desk.perform(first)).ok
    assert (await desk.perform(deed(2, "42", key="shoe_size"))).ok
    # The first is done again by a process that slept.
    assert (await desk.perform(first)).ok
    (fact,) = await store.find(Fact, {"conversation": HERE.key})
    assert (fact.value, fact.by, fact.source) == ("42", "agent", "console:anna:2")
    assert (await desk.perform(deed(3, "", key="shoe_size"))).ok
    assert (await desk.perform(deed(4, "", key="shoe_size"))).text == "Nothing was known."


async def test_payment_data_and_a_fact_without_a_name_are_refused(
    store: AsyncStore, desk: Desk
) -> None:
    refused = await desk.perform(deed(1, "4111 1111 1111 1111", about="Card"))
    assert (refused.ok, "4111" in refused.text) == (False, False)
    assert not (await desk.perform(deed(2, "41"))).ok
    assert await store.find(Fact, {"conversation": HERE.key}) == []


async def test_the_card_shows_it_escaped(store: AsyncStore, desk: Desk) -> None:
    await desk.perform(deed(1, "<!channel> & *41*", about="Shoe size"))
    case = Case(id="m1", conversation=HERE.key, topic="human", summary="A mug", at=utcnow())
    await store.insert(case)
    shown = await card_of(store, case, People(()), routing(), [case])
    (line,) = shown.memory
    assert re.fullmatch(r"Shoe size: <!channel> & \*41\* \(\d{1,2} [A-Z][a-z]{2} \d{4}\)", line)
    text = str(card(shown))
    assert "*Remembered*" in text
    assert "<!channel>" not in text


async def test_the_console_has_it(store: AsyncStore, tmp_path: Path) -> None:
    async with serving(store, settings_of(tmp_path)) as served:
        await waits(store)
        async with browsing(served, "anna") as anna:
            done = await anna.deed("remember", text="41", args={"about": "Shoe size"})
            assert done["ok"], done
            _, told = await anna.get("conversation", id=KEY)
    assert [(m["about"], m["value"], m["by"]) for m in told["memory"]] == [
        ("Shoe size", "41", "agent")
    ]
