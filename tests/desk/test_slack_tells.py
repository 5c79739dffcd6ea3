"""What the presser in Slack is told of a deed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.desk.clerk import Clerk
from bot.desk.contract import KINDS, Done
from bot.desk.slack import ids, modals
from bot.desk.slack.client import RateLimited, SlackClient, Unsure
from bot.desk.slack.pressed import FILL, REPLY, SAY, presses
from bot.desk.slack.tells import Tells, shown
from bot.message import utcnow
from bot.settings import SlackAccount
from bot.store import AsyncStore
from bot.store.deeds import PENDING, REFUSED, Deed
from tests.kit.blockkit import problems
from tests.kit.processes import QUICK
from tests.kit.slack import Drop, Fault, Limit, No, slack
from tests.kit.slack_api import DESK, SlackApi, press
from tests.kit.waiting import until

AMARA = "whatsapp:shop:447700900001"
PLACE = {"channel": DESK, "thread": "1700000000.000100", "user": "U0ANNA"}


@dataclass
class Telling:
    """Tells, and Slack behind it."""

    slack: SlackApi
    tells: Tells


@pytest.fixture
async def telling() -> AsyncIterator[Telling]:
    async with SlackApi().serving() as slack:
        client = SlackClient(SlackAccount("desk", "xoxb-1", "s", DESK, api_url=slack.url))
        yield Telling(slack, Tells({"desk": client}))
        await client.close()


def deed(kind: str, **args: Any) -> Deed:
    now = utcnow()
    return Deed(
        id="slack:desk:act:1",
        kind=kind,
        conversation=AMARA,
        agent="anna",
        via="slack",
        args={**PLACE, **args},
        at=now,
        arrived=1,
        due=now,
    )


def buttons(body: dict[str, Any]) -> dict[str, str]:
    """Return the values of the buttons in a message, by action."""
    found = {}
    for block in body["blocks"]:
        for element in [*block.get("elements", ()), block.get("accessory") or {}]:
            if element.get("action_id"):
                found[element["action_id"]] = element.get("value", "")
    return found


async def test_a_refusal_is_told_to_who_pressed(telling: Telling) -> None:
    await telling.tells(deed("take"), Done(False, "Ben <Okafor> has it since 10:02."))
    (told,) = telling.slack.called("chat.postEphemeral")
    assert (told["channel"], told["user"]) == (DESK, "U0ANNA")
    assert told["thread_ts"] == PLACE["thread"]
    assert told["text"] == "Ben &lt;Okafor&gt; has it since 10:02."


async def test_what_the_thread_shows_of_itself_is_not_told(telling: Telling) -> None:
    looks = {"draft", "similar", "suggest", "act", "canned", "find"}
    for kind in KINDS - looks:
        await telling.tells(deed(kind), Done(True, "Done."))
    assert telling.slack.calls == []


async def test_who_writes_a_note_unknowingly_is_told_once(telling: Telling) -> None:
    noted = Done(True, "Noted. Ben Okafor has it; what you write stays internal.", entry="note:1")
    for done in (
        noted,
        noted,
        Done(True, "Noted.", entry="note:2"),
        Done(True, "It is on its way."),
    ):
        await telling.tells(deed("write"), done)
    (told,) = telling.slack.called("chat.postEphemeral")
    assert "stays internal" in told["text"]


async def test_where_there_is_no_thread_to_see_it_in_success_is_told(telling: Telling) -> None:
    await telling.tells(deed("take", thread=""), Done(True, "You have this conversation now."))
    assert len(telling.slack.called("chat.postEphemeral")) == 1


async def test_results_are_shown_with_their_buttons() -> None:
    drafted = Done(True, "", {"review": "r1", "text": "Within 30 days.", "sources": [], "how": "x"})
    body = shown(deed("draft"), drafted)
    assert body is not None
    (sent,) = presses(
        press({"action_id": ids.SEND_DRAFT, "value": buttons(body)[ids.SEND_DRAFT]}, "1.1", "t"),
        "desk",
    )
    assert sent.deed == ("send_draft", {"review": "r1"}, "")
    assert sent.place.conversation == AMARA

    found = Done(True, "", {"conversations": [{"id": AMARA, "name": "Amara", "last": "hi"}]})
    body = shown(deed("find"), found)
    assert body is not None
    assert buttons(body) == {ids.PICK: AMARA}

    actions = [{"name": "refund", "title": "Refund", "args": {"order": "1042"}, "confirm": True}]
    body = shown(deed("suggest"), Done(True, "", {"actions": actions}))
    assert body is not None
    (act,) = presses(
        press({"action_id": ids.ACT, "value": buttons(body)[ids.ACT]}, "1.1", "t"), "desk"
    )
    assert act.deed == (
        "act",
        {"action": "refund", "args": {"order": "1042"}, "confirmed": True},
        "",
    )

    acted = shown(deed("act"), Done(True, "Done.", {"text": "Order 1042 is on its way."}))
    assert acted is not None
    assert acted["text"] == "Order 1042 is on its way."


async def test_what_an_action_still_needs_is_asked_for() -> None:
    wanted = [
        {"name": "order_number", "title": "Order number", "value": "1042", "optional": False},
        {"name": "reason", "title": "Reason <b>", "value": "", "optional": False},
        {"name": "remark", "title": "Remark", "value": "", "optional": True},
    ]
    refund = {"name": "refund", "title": "Refund", "args": wanted, "confirm": True}
    look = {"name": "check_order", "title": "Check order", "args": wanted[:1], "confirm": False}
    body = shown(deed("suggest"), Done(True, "", {"actions": [refund, look]}))
    assert body is not None
    (act,) = presses(
        press({"action_id": ids.ACT, "value": buttons(body)[ids.ACT]}, "1", "t"), "desk"
    )
    assert act.value["args"] == {"order_number": "1042"}
    (fill,) = presses(press({"action_id": FILL, "value": buttons(body)[FILL]}, "1", "t"), "desk")
    assert fill.deed is None
    form = modals.act(fill.place, fill.value)
    assert form["blocks"][1]["element"]["initial_value"] == "1042"

    def answered(*words: str) -> modals.Sent:
        state = {f"p{n}": {f"p{n}": {"value": word}} for n, word in enumerate(words)}
        sent = modals.sent({**form, "state": {"values": state}}, "U0ANNA")
        assert sent is not None
        return sent

    assert set(answered("1042", " ", "").problems) == {"p1"}
    sent = answered("1042", "broken", "")
    assert (sent.kind, sent.place.conversation, sent.problems) == ("act", AMARA, {})
    assert sent.args == {
        "action": "refund",
        "args": {"order_number": "1042", "reason": "broken", "remark": ""},
        "confirmed": True,
    }


async def test_a_canned_reply_can_be_sent_or_edited_first() -> None:
    body = shown(deed("canned"), Done(True, "", {"text": "Hello Amara"}))
    assert body is not None
    value = buttons(body)
    assert set(value) == {SAY, REPLY}
    (say,) = presses(press({"action_id": SAY, "value": value[SAY]}, "1.1", "t"), "desk")
    assert say.deed == ("say", {}, "Hello Amara")
    gap = shown(
        deed("canned"), Done(True, "", {"text": "[order number]", "missing": ["order number"]})
    )
    assert gap is not None
    assert set(buttons(gap)) == {REPLY}
    long = shown(deed("canned"), Done(True, "", {"text": "x" * 2500}))
    assert long is not None
    assert buttons(long) == {}


async def test_where_we_are_not_in_the_channel_it_is_told_elsewhere(telling: Telling) -> None:
    telling.slack.answers["chat.postEphemeral"] = lambda args: {
        "ok": False,
        "error": "not_in_channel",
    }
    await telling.tells(deed("find", respond="https://evil.example/x"), Done(False, "No."))
    (told,) = telling.slack.called("chat.postMessage")
    assert told["channel"] == "U0ANNA"
    await telling.tells(
        deed("find", respond=f"{telling.slack.url}/api/respond"), Done(False, "No.")
    )
    (told,) = telling.slack.called("respond")
    assert (told["response_type"], told["text"]) == ("ephemeral", "No.")
    assert len(telling.slack.called("chat.postMessage")) == 1


async def test_without_a_channel_it_is_told_in_person(telling: Telling) -> None:
    await telling.tells(deed("find", channel="", thread=""), Done(True, "", {"conversations": []}))
    (told,) = telling.slack.called("chat.postMessage")
    assert told["channel"] == "U0ANNA"


async def test_what_cannot_be_told_stops_nothing(telling: Telling) -> None:
    for error in ("channel_not_found", "user_not_in_channel", "invalid_blocks"):
        telling.slack.answers["chat.postEphemeral"] = lambda args, e=error: {
            "ok": False,
            "error": e,
        }
        await telling.tells(deed("take"), Done(False, "No."))
    assert len(telling.slack.called("chat.postEphemeral")) == 3
    unknown = deed("take")
    unknown.id = "slack:other:act:1"
    await telling.tells(unknown, Done(False, "No."))
    assert json.dumps(telling.slack.calls)
    assert len(telling.slack.called("chat.postEphemeral")) == 3


# Slack is away, or asks to wait.


class Refuses:
    """A desk that refuses, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def perform(self, deed: Deed) -> Done:
        self.asked += 1
        return Done(False, "Ben Okafor has this conversation.")


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ([Limit(0.01)] * 2, 1),
        ([No("service_unavailable")] * 2, 1),
        ([Drop(taken=False)], 1),
        ([Drop(taken=True)], 2),
        ([No("channel_not_found")], 0),
        ([No("service_unavailable")] * 9, 0),
    ],
    ids=str,
)
async def test_the_clerk_tells_again_and_does_nothing_again(
    store: AsyncStore, faults: list[Fault], told: int
) -> None:
    async with slack() as server:
        client = SlackClient(server.account(), timeout=0.5)
        server.faults = [("chat.postEphemeral", fault) for fault in faults]
        desk = Refuses()
        clerk = Clerk(store, desk, QUICK, lambda: None, {"slack": Tells({"desk": client})})
        wanted = deed("take", channel="C1")
        await store.insert(wanted)
        task = asyncio.create_task(clerk.run())

        async def finished() -> bool:
            kept = await store.get(Deed, wanted.id)
            return kept is not None and kept.status != PENDING

        await until(finished)
        await clerk.stop()
        await task
        await client.close()
        kept = await store.get(Deed, wanted.id)
        assert kept is not None
        assert (kept.status, desk.asked) == (REFUSED, 1)
        assert [w["text"] for w in server.whispers] == ["Ben Okafor has this conversation."] * told
        assert len(server.asked("chat.postEphemeral")) <= 3


async def test_other_deeds_do_not_wait_for_long(telling: Telling) -> None:
    later = {"ok": False, "error": "ratelimited"}
    telling.slack.answers["chat.postEphemeral"] = lambda args: dict(later)
    with pytest.raises(RateLimited) as raised:
        await telling.tells(deed("take"), Done(False, "No."))
    assert raised.value.after == 10


async def test_a_warning_that_was_not_shown_is_shown_again(telling: Telling) -> None:
    noted = Done(True, "Noted. Take the conversation over first.", entry="note:1")
    telling.slack.answers["chat.postEphemeral"] = lambda args: {
        "ok": False,
        "error": "internal_error",
    }
    with pytest.raises(Unsure):
        await telling.tells(deed("write"), noted)
    del telling.slack.answers["chat.postEphemeral"]
    for _ in range(2):
        await telling.tells(deed("write"), noted)
    assert len(telling.slack.called("chat.postEphemeral")) == 2


# Long words.


@pytest.mark.parametrize("sign", ["word ", "&", "*", "é\n"])
@pytest.mark.parametrize(
    ("kind", "field"),
    [("act", "text"), ("canned", "text"), ("draft", "text"), ("similar", "cases")],
)
def test_what_is_too_long_for_a_message_is_cut(kind: str, field: str, sign: str) -> None:
    text = sign * (20_000 // len(sign))
    case = dict.fromkeys(("summary", "resolution", "topic", "agent"), text)
    data = {"review": "r1", "text": text, "sources": [], "how": "x", "cases": [case] * 20}
    body = shown(deed(kind), Done(True, "", data))
    assert body is not None
    assert problems(body["blocks"]) == []
    assert len(body["text"]) <= 4000
    assert "…" in json.dumps(body, ensure_ascii=False)
    if kind == "draft":
        assert set(buttons(body)) == {ids.SEND_DRAFT, ids.EDIT_DRAFT, ids.DISCARD_DRAFT}
