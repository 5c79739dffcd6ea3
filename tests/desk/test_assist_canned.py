"""Canned replies: filled in with what is known, with a gap for what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.assist.assist import Assist
from bot.desk.assist.canned import CANNED_FILE, FIELDS, fill, load_canned, parse_canned
from bot.desk.people import People
from bot.settings import ConsoleAccount, SettingsInvalid
from bot.store import AsyncStore
from tests.desk.assist_kit import Talk

ROOT = Path(__file__).parents[2]
ALL = "|".join(f"{{{name}}}" for name in FIELDS)
GOOD = """\
default: en
replies:
  - key: late
    title: Late
    languages:
      en: "Hi {first_name}, order {order_number} is late."
      de: "Guten Tag {name}"
  - key: hi
    title: Hello
    languages: {en: "Hello from {agent}"}
"""


class Nothing:
    """Neither answers nor runs anything: a canned reply needs none of it."""

    answer: Any = None
    run: Any = None
    close: Any = None


@pytest.fixture
def assist(store: AsyncStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assist:
    monkeypatch.setenv("FRONTDESK_STORE_URL", f"sqlite:{tmp_path / 'bot.db'}")
    return assist_of(store, "Larkfield Goods")


def assist_of(store: AsyncStore, company: str) -> Assist:
    every = parse_canned(
        f'default: en\nreplies: [{{key: all, title: A, languages: {{en: "{ALL}"}}}}]'
    )
    return Assist(
        store,
        answering=Nothing(),
        runs=Nothing(),
        people=People([ConsoleAccount("anna", "a long password", "Anna Keller", "U0ANNA")]),
        canned={**load_canned(ROOT / CANNED_FILE), **every},
        actions={},
        company=company,
    )


async def test_all_that_is_known_is_filled_in(store: AsyncStore, assist: Assist) -> None:
    talk = await Talk(store, channel="whatsapp").begin()
    await talk.customer("where is order 1042? I wrote in 2025 about it")
    done = await assist.canned(talk.deed("canned", args={"key": "all"}))
    assert done.ok
    assert done.data["text"] == "Mei Tanaka|Mei|1042|Anna Keller|Larkfield Goods|WhatsApp"
    assert done.data["missing"] == []


async def test_what_is_not_known_is_a_gap_that_is_told(store: AsyncStore, assist: Assist) -> None:
    talk = await Talk(store, name="").begin()
    await talk.customer("1042 or 1043?")
    assist = assist_of(store, "")
    deed = talk.deed("canned", args={"key": "all"}, agent="slack:U0EVE", name="Eve")
    done = await assist.canned(deed)
    assert done.ok
    assert done.data["text"] == "[name]|[first name]|[order number]|Eve|[company]|Telegram"
    assert done.text == "Fill in the gaps: name, first name, order number, company."


async def test_in_the_customers_language_or_the_default_one(
    store: AsyncStore, assist: Assist
) -> None:
    for user, language, begins in (
        ("a", "de", "Es tut mir leid, Mei"),
        ("b", "fr", "I'm sorry, M"),
    ):
        talk = await Talk(store, user).begin(language)
        await talk.customer("hm")
        done = await assist.canned(talk.deed("canned", args={"key": "sorry"}))
        assert done.data["text"].startswith(begins)


async def test_one_that_does_not_exist(store: AsyncStore, assist: Assist) -> None:
    talk = await Talk(store).begin()
    done = await assist.canned(talk.deed("canned", args={"key": "nope"}))
    assert not done.ok
    assert done.text.startswith("There is no such canned reply; known: hello, ")


@given(st.text(max_size=60))
def test_a_customer_who_names_himself_cannot_mark_words_up(name: str) -> None:
    text, missing = fill("Hi {name}!", {"name": name})
    assert not set(text.removeprefix("Hi ").removesuffix("!")) & set("*_~`<>|\\\n") or missing
    assert text == "Hi [name]!" or "[" not in text
    assert (missing == ["name"]) == (text == "Hi [name]!")


def test_the_shop_has_enough_of_them_in_both_languages() -> None:
    replies = load_canned(ROOT / CANNED_FILE)
    assert len(replies) >= 12
    for reply in replies.values():
        assert set(reply.texts) == {"en", "de"}
        assert len(set(reply.texts.values())) == 2
        assert reply.text("de-AT") == reply.text("de")
        for text in reply.texts.values():
            assert fill(text, dict.fromkeys(FIELDS, "x"))[1] == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("default: en\n", "", "1: there is no default, should be a language, as in 'en'"),
        ("default: en", "default: English", "1: default is 'English', should be a language"),
        ("default: en", "default: fr", "5: replies[0].languages has no text in fr, the default"),
        ("replies:", "reply:", "2: reply is not a known key; did you mean replies?"),
        (GOOD, "default: en", "1: there are no replies"),
        ("key: hi", "key: late", "8: replies[1].key is 'late', which is taken in line 3; give"),
        ("key: hi", "key: Hi there", "8: replies[1].key is no name, should be small letters"),
        ("    title: Hello\n", "", "8: replies[1] has no title; it is required"),
        ("    title: Hello", "    titel: Hello", "9: replies[1].titel is not a known key; did you"),
        (
            "order_number",
            "order_nr",
            "6: replies[0].languages.en has a field that is not known; did",
        ),
        ("{name}", "{}", "7: replies[0].languages.de has a field that is not known; known: name,"),
        (
            "      de:",
            "      German:",
            "7: replies[0].languages has a key that is no language code",
        ),
        ('{en: "Hello from {agent}"}', "Hello", "10: replies[1].languages is text, should be a"),
        ('"Guten Tag {name}"', "", "7: replies[0].languages.de is empty, should be text"),
        ('"Guten Tag {name}"', "[a]", "7: replies[0].languages.de is a list, should be text"),
        ("Guten Tag", "x" * 1001, "7: replies[0].languages.de has more than 1000 characters"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(SettingsInvalid) as raised:
        parse_canned(GOOD.replace(old, new, 1))
    problems = [str(problem) for problem in raised.value.problems]
    assert any(problem.startswith(f"canned.yml:{told}") for problem in problems), problems
