"""The card and its kin stay within Block Kit's limits, and show words as words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.desk.contract import Person
from bot.desk.slack import ids, lists
from bot.desk.slack.blocks import Card, card, card_hash
from bot.desk.slack.kit import MESSAGE, button, context, pieces, readable, section, size, within
from bot.desk.slack.kit import actions as row
from bot.desk.slack.words import to_slack
from bot.store.cases import OPEN, RESOLVED
from tests.kit.blockkit import problems

ANNA, BEN = Person("anna", "Anna Keller", "U0ANNA"), Person("ben", "Ben Okafor", "U0BEN")
KEY = "whatsapp:shop:447700900123"
PLAIN = Card(
    conversation=KEY,
    who="Amara Osei",
    channel="WhatsApp",
    account="shop",
    language="English",
    wish="Order 1042 came broken",
    mood="unhappy",
    why="asked for a person",
    topic="damaged_goods",
    priority="high",
    did=("said: I am sorry to hear that",),
    orders=("1042",),
    previous=2,
    last="refunded",
    waiting=True,
    deadline=datetime(2026, 11, 25, 17, tzinfo=timezone.utc),
)


def actions(body: dict[str, Any]) -> dict[str, str]:
    """The buttons and menus of a message, with what is written on them."""
    found = {}
    for block in body["blocks"]:
        elements = list(block.get("elements") or ()) if block["type"] == "actions" else []
        elements += [block["accessory"]] if "accessory" in block else []
        for one in elements:
            words = one.get("text") or one.get("placeholder") or {}
            found[one["action_id"]] = words.get("text", "")
    return found


def words(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


def test_a_card_that_waits_tells_all() -> None:
    body = card(PLAIN, [ANNA, BEN])
    assert problems(body["blocks"]) == []
    told = words(body)
    for part in ("Amara Osei", "WhatsApp", "English", "Order 1042", "unhappy", "refunded", "high"):
        assert part in told
    assert "<!date^1795626000^" in told
    assert actions(body) == {
        ids.TAKE: "Take over",
        ids.DRAFT: "Draft reply",
        ids.SIMILAR: "Similar cases",
        ids.RESOLVE: "Resolve",
        ids.BACK: "Back to bot",
        ids.ASSIGN: "Assign to…",
        ids.MORE: "",
    }
    assert "Amara Osei" in body["text"]


def test_every_button_leads_to_the_conversation() -> None:
    for block in card(PLAIN, [ANNA])["blocks"]:
        if block["type"] != "actions":
            continue
        for element in block["elements"]:
            if element["type"] == "button":
                assert element["value"] == KEY
            else:
                assert ids.conversation_of(block["block_id"]) == KEY


def test_a_card_that_is_taken_names_the_holder() -> None:
    body = card(replace(PLAIN, holder=ANNA, assignee=ANNA, waiting=False), [ANNA, BEN])
    shown = actions(body)
    assert ids.TAKE not in shown
    assert shown[ids.TAKE_FROM] == "Take from Anna Keller"
    assert "Anna Keller* has the conversation" in words(body)
    offered = [o["value"] for b in body["blocks"] for e in b.get("elements", ())
               if e.get("action_id") == ids.ASSIGN for o in e["options"]]  # fmt: skip
    assert offered == ["ben"]


def test_a_card_that_is_resolved_can_be_opened_again() -> None:
    done = replace(PLAIN, status=RESOLVED, resolution="sent a new mug", closed_by="Anna", rating=5)
    body = card(done, [ANNA])
    assert set(actions(body)) == {ids.REOPEN, ids.SIMILAR}
    assert "sent a new mug" in words(body)
    assert "5 of 5" in words(body)


def test_without_named_agents_slack_lists_its_users() -> None:
    (menu,) = [
        e
        for b in card(PLAIN)["blocks"]
        for e in b.get("elements", ())
        if e.get("action_id") == ids.ASSIGN
    ]
    assert menu["type"] == "users_select"


def test_an_address_too_long_for_a_button_has_none() -> None:
    body = card(replace(PLAIN, conversation="webchat:site:" + "x" * 3000), [ANNA])
    assert problems(body["blocks"]) == []
    assert actions(body) == {}


def test_the_hash_is_of_what_is_shown() -> None:
    one = card_hash(card(PLAIN))
    assert one == card_hash(card(replace(PLAIN)))
    assert one != card_hash(card(replace(PLAIN, mood="angry")))


def test_block_ids_hold_the_conversation_unless_it_is_too_long() -> None:
    assert ids.conversation_of(ids.block(KEY)) == KEY
    assert len(ids.block("x" * 999)) == 255
    assert ids.conversation_of(ids.block("x" * 999)) == ""
    assert ids.conversation_of("other") == ""


HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<!here> <@U0ANNA> <https://evil.example|your bank>",
            "*bold* _it_ ~no~ `code` ```pre``` > quote",
            "&lt;!channel&gt; &amp;",
            "<" * 4000,
            "&" * 5000,
            "*" * 5000,
            "😀" * 2000,
            "a " * 5000,
            "\n" * 500,
            "\u202e\u200b\x00",
            "",
        ]
    ),
    st.text(max_size=200),
)


@settings(max_examples=30, deadline=None)
@given(
    texts=st.lists(HOSTILE, min_size=14, max_size=14),
    status=st.sampled_from([OPEN, RESOLVED]),
    held=st.booleans(),
    n=st.integers(0, 120),
)
def test_no_card_breaks_the_limits_or_mentions_anybody(
    texts: list[str], status: str, held: bool, n: int
) -> None:
    t = iter(texts)
    shown = replace(
        PLAIN,
        who=next(t),
        channel=next(t),
        language=next(t),
        wish=next(t),
        mood=next(t),
        why=next(t),
        topic=next(t),
        priority=next(t),
        did=(next(t),) * 5,
        orders=(next(t),) * 9,
        facts=(("a fact", next(t)),) * 9,
        also=(next(t),) * 9,
        last=next(t),
        holder=Person("anna", next(t)) if held else None,
        status=status,
    )
    people = [Person(f"p{i}" * (i % 60 + 1), f"Agent {i}") for i in range(n)]
    body = card(shown, people)
    assert problems(body["blocks"]) == []
    unsafe(body)


def unsafe(body: dict[str, Any]) -> None:
    """Fail when something of Slack's own is in the mrkdwn that we did not put there."""
    found = [body["text"]]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("type") == "mrkdwn":
                found.append(value["text"])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(body.get("blocks"))
    for text in found:
        for told in text.split("<")[1:]:
            assert told.startswith(("!date^", "https://shop.example/returns|")), text


@settings(max_examples=15, deadline=None)
@given(words=HOSTILE, key=st.sampled_from([KEY, "x:y:" + "z" * 1900, "x:y:" + "z" * 3000]))
def test_no_list_breaks_the_limits(words: str, key: str) -> None:
    source = {"article": "returns", "title": words, "url": "https://shop.example/returns"}
    bad = {"article": "x", "title": "t", "url": "javascript:alert(1)|<!here>"}
    case = {"id": "c", "summary": words, "resolution": words, "topic": words, "agent": words}
    action = {"name": "check_order", "title": words, "args": {"order": words}, "confirm": True}
    talk = {"id": key, "name": words, "holder": words, "last": words, "at": words}
    bodies = [
        lists.draft(key, "r1", words * 3, [source] * 20, words),
        lists.draft(key, "r1", words, [bad]),
        lists.similar([case] * 30),
        lists.suggested(key, [action] * 30),
        lists.found([talk] * 30),
        lists.warning(key, words, [("name" * 5, words)] * 200),
    ]
    for body in bodies:
        assert problems(body["blocks"]) == []
        unsafe(body)


def test_a_draft_can_be_sent_edited_and_thrown_away() -> None:
    body = lists.draft(KEY, "r1", "We are **sorry**", [{"article": "a", "title": "Returns"}], "llm")
    values = [e["value"] for b in body["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert [json.loads(v) for v in values] == [{"review": "r1", "conversation": KEY}] * 3
    assert set(actions(body)) == {ids.SEND_DRAFT, ids.EDIT_DRAFT, ids.DISCARD_DRAFT}
    assert "Returns" in words(body)


def test_lists_of_nothing_say_so() -> None:
    for body in (lists.similar([]), lists.suggested(KEY, []), lists.found([])):
        assert problems(body["blocks"]) == []
        assert actions(body) == {}


@pytest.mark.parametrize("confirm", [True, False, "Refund £12 to the card?"])
def test_an_action_that_changes_something_is_asked_about(confirm: bool | str) -> None:
    action = {"name": "refund", "title": "Refund", "args": {"order": "1042"}, "confirm": confirm}
    (_, row) = lists.suggested(KEY, [action])["blocks"]
    value = json.loads(row["accessory"]["value"])
    assert value == {"action": "refund", "args": {"order": "1042"}, "conversation": KEY}
    assert ("confirm" in row["accessory"]) is bool(confirm)


def test_a_warning_offers_templates_of_the_conversation() -> None:
    body = lists.warning(KEY, "Not delivered: the window is closed", [("reminder", "Reminder")])
    (menu,) = [b for b in body["blocks"] if b["type"] == "actions"]
    assert ids.conversation_of(menu["block_id"]) == KEY
    assert menu["elements"][0]["options"][0]["value"] == "reminder"


@given(words=HOSTILE, most=st.integers(20, 500))
def test_pieces_are_the_whole_and_short_even_when_escaped(words: str, most: int) -> None:
    parts = pieces(words, most)
    assert "".join(parts) == words
    assert all(len(to_slack(part, plain=True)) <= most for part in parts if len(part) > 1)


def test_addresses_are_not_cut_into_others() -> None:
    text = "x" * 300 + " https://shop.example/" + "y" * 180
    parts = pieces(text, 400, readable)
    assert [readable(part) for part in parts] == ["x" * 300 + " ", f"<{text[301:]}>"]


def test_of_long_sections_the_last_are_left_out_and_buttons_stay() -> None:
    rows = [section("a" * 3000) for _ in range(5)] + [
        context("small"),
        row([button("Go", "x", "v")]),
    ]
    assert within(rows[:2]) == rows[:2]
    kept = within(rows)
    assert kept[:3] == rows[:3]
    assert kept[3]["text"]["text"] == "a" * (MESSAGE - 9000 - len("smallGo") - 1) + "…"
    assert kept[4:] == rows[5:]
    assert size(kept) == MESSAGE
    assert problems(within([section("a" * 3000, accessory=button("Go", "x", "v"))] * 40)) == []
