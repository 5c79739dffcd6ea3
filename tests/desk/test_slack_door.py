"""Agents act from Slack: signed payloads through slack-bolt over real HTTP and Socket Mode."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web

from bot.desk.slack import workspace
from bot.message import utcnow
from bot.store.conversations import Conversation
from bot.store.reviews import Review
from bot.store.slack import SlackThread
from tests.kit.door import (
    AMARA,
    ROOT,
    TS,
    Desk,
    opened,
    thread,
)
from tests.kit.slack_api import (
    BOT,
    BOT_ID,
    DESK,
    TEAM,
    callback,
    changed,
    deleted,
    form_body,
    message,
    press,
    signed,
)
from tests.kit.waiting import PATIENCE, until


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


# Getting in


async def test_slack_proves_the_address(desk: Desk) -> None:
    body = json.dumps({"token": "x", "challenge": "3eZbrw1aBm2rZgRN", "type": "url_verification"})
    assert await desk.post(body) == 200
    assert "3eZbrw1aBm2rZgRN" in desk.said
    assert await desk.post(body, secret="wrong") == 401
    assert desk.slack.calls == []


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=00"},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=\u00e9"},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": ""},
    ],
)
async def test_what_slack_did_not_sign_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    body = json.dumps(callback(message("hello", TS, ROOT)))
    assert await desk.post(body, headers) == 401
    assert await desk.deeds() == []


async def test_old_foreign_and_altered_requests_are_refused(desk: Desk) -> None:
    body = json.dumps(callback(message("hello", TS, ROOT)))
    assert await desk.post(body, at=time.time() - 301) == 401
    assert await desk.post(body, at=time.time() + 301) == 401
    assert await desk.post(body, secret="another's") == 401
    assert await desk.post(body + " ", signed(body)) == 401
    # What says it is Slack's check of the certificate is to be signed like anything else.
    assert await desk.post("ssl_check=1&token=x", {"X-Slack-Signature": "v0=00"}) == 401
    assert await desk.deeds() == []
    assert await desk.post("{not json") == 400
    assert await desk.post("x" * 70_000) == 413


async def test_events_that_mean_nothing_to_us_are_acknowledged(desk: Desk) -> None:
    for event in ({"type": "app_home_opened", "user": "U0ANNA"}, {"type": "channel_rename"}):
        assert await desk.event({**event, "event_ts": TS}) == 200
    assert await desk.press({"type": "button", "action_id": "open_page", "block_id": "x"}) == 200
    assert await desk.post(form_body({"type": "something_new", "user": {"id": "U0ANNA"}})) == 200
    assert await desk.deeds() == []


# Writing


async def test_what_an_agent_writes_is_a_deed(desk: Desk) -> None:
    assert await desk.event(message("It *ships* <@U0BEN> &amp; co :tada:", TS, ROOT)) == 200
    deed = await desk.deed()
    assert (deed.id, deed.kind, deed.via) == (f"slack:desk:{DESK}:{TS}", "write", "slack")
    assert (deed.conversation, deed.agent, deed.name) == (AMARA, "anna", "Anna Keller")
    assert deed.text == "It **ships** Ben Okafor & co 🎉"
    assert deed.args == {"ts": TS, "channel": DESK, "thread": ROOT, "user": "U0ANNA"}
    assert (deed.status, deed.files) == ("pending", [])
    assert desk.rung
    # He is named in the settings: Slack is asked for nobody but the one he mentions.
    assert [call["user"] for call in desk.slack.called("users.info")] == ["U0BEN"]


async def test_a_redelivery_is_taken_once(desk: Desk) -> None:
    body = json.dumps(callback(message("hello", TS, ROOT)))
    retries = [
        {"X-Slack-Retry-Num": str(n), "X-Slack-Retry-Reason": "http_timeout"} for n in range(5)
    ]
    assert await asyncio.gather(*(desk.post(body, retry) for retry in retries)) == [200] * 5
    assert (await desk.deed()).text == "hello"


async def test_with_the_store_down_slack_is_to_send_it_again(desk: Desk) -> None:
    desk.store.is_down = True
    assert await desk.event(message("hello", TS, ROOT)) == 503
    assert await desk.press({"type": "button", "action_id": "desk_take", "value": AMARA}) == 503
    assert await desk.deeds() == []
    assert desk.rung == []
    assert await desk.event(message("hello", TS, ROOT)) == 200
    assert (await desk.deed()).text == "hello"


async def test_messages_are_kept_in_the_order_in_which_they_came(desk: Desk) -> None:
    sent = [message(f"{n}", f"17000001{n:02}.000200", ROOT) for n in range(10)]
    for event in sent:
        assert await desk.event(event) == 200
    deeds = sorted(await desk.deeds(), key=lambda deed: deed.arrived)
    assert [deed.text for deed in deeds] == [str(n) for n in range(10)]


async def test_an_agent_without_an_account_is_called_as_in_slack(desk: Desk) -> None:
    assert await desk.event(message("hi", TS, ROOT, user="U0ZOE")) == 200
    assert await desk.event(message("hi", "1700000100.000300", ROOT, user="U0ZOE")) == 200
    assert await desk.event(message("hi", "1700000100.000400", ROOT, user="U0GHOST")) == 200
    assert [(d.agent, d.name) for d in await desk.deeds()] == [
        ("slack:U0ZOE", "Zoe Marsh"),
        ("slack:U0ZOE", "Zoe Marsh"),
        ("slack:U0GHOST", "Agent"),
    ]
    assert len(desk.slack.called("users.info")) == 2


async def test_files_come_with_what_it_takes_to_fetch_them(desk: Desk) -> None:
    file = {
        "id": "F0PIC",
        "created": 1700000100,
        "name": "label.png",
        "title": "label",
        "mimetype": "image/png",
        "filetype": "png",
        "user": "U0ANNA",
        "size": 2048,
        "mode": "hosted",
        "url_private": "https://files.slack.com/files-pri/T0LARK-F0PIC/label.png",
        "url_private_download": "https://files.slack.com/files-pri/T0LARK-F0PIC/download/label.png",
        "permalink": "https://larkfield.slack.com/files/U0ANNA/F0PIC/label.png",
        "thumb_64": "https://files.slack.com/files-tmb/T0LARK-F0PIC/label_64.png",
    }
    hidden = {"id": "F0SHARED", "file_access": "check_file_info"}
    event = message("", TS, ROOT, subtype="file_share", files=[file, hidden], upload=False)
    assert await desk.event(event) == 200
    deed = await desk.deed()
    kept = ("id", "name", "mimetype", "size", "url_private_download")
    assert deed.files == [
        {**{key: file[key] for key in kept}, "account": "desk"},
        {"id": "F0SHARED", "account": "desk"},
    ]
    assert deed.text == ""


@pytest.mark.parametrize("subtype", ["thread_broadcast", "me_message"])
async def test_other_ways_of_writing(desk: Desk, subtype: str) -> None:
    assert await desk.event(message("hello", TS, ROOT, subtype=subtype)) == 200
    assert (await desk.deed()).kind == "write"


IGNORED = {
    "our own": message("hi", TS, ROOT, bot_id=BOT_ID, user=BOT, app_id="A0DESK"),
    "our own by user alone": message("hi", TS, ROOT, user=BOT),
    "another bot's": message("hi", TS, ROOT, bot_id="B0OTHER", subtype="bot_message"),
    "another bot's as a person": message("hi", TS, ROOT, bot_id="B0OTHER", user="U0OTHER"),
    "outside of threads": message("hi", TS),
    "a card": message("hi", ROOT, ROOT),
    "another thread": message("hi", TS, "1600000000.000100"),
    "another channel": message("hi", TS, ROOT, channel="C0OTHER"),
    "somebody joined": message("joined", TS, ROOT, subtype="channel_join"),
    "without words": message("", TS, ROOT),
    "only a custom emoji": message(":larkfield_bird:", TS, ROOT),
    "another company's": message("hi", TS, ROOT, team="T0ELSE", user="U0ELSE"),
    "another company's by user_team": message("hi", TS, ROOT, user_team="T0ELSE"),
    "another company's by source_team": message("hi", TS, ROOT, source_team="T0ELSE"),
    "its edit": changed(message("a", TS, ROOT, team="T0ELSE"), text="b", edited={"ts": "1"}),
    "its deletion": deleted(message("a", TS, ROOT, team="T0ELSE")),
    "an unfurl": changed(
        message("see this", TS, ROOT), attachments=[{"from_url": "https://e.example"}]
    ),
    "a reply count": changed(message("card", ROOT, "", user=BOT, bot_id=BOT_ID), reply_count=3),
    "an edit of the looks": changed(
        message("a", TS, ROOT), text="a ", edited={"user": "U0ANNA", "ts": "1700000300.000000"}
    ),
    "our own message deleted": deleted(message("hi", TS, ROOT, bot_id=BOT_ID, user=BOT)),
}


async def test_what_is_no_agents_word_is_acknowledged_and_ignored(desk: Desk) -> None:
    for name, event in IGNORED.items():
        assert await desk.event(event) == 200, name
        assert await desk.deeds() == [], name
        assert (await desk.store.get(SlackThread, "desk:case1")).ts == ROOT, name
    assert not desk.rung


async def test_edits_and_deletions(desk: Desk) -> None:
    said = message("at nine", TS, ROOT)
    edit = changed(said, text="at *ten*", edited={"user": "U0ANNA", "ts": "1700000300.000000"})
    for event in (said, edit, edit, deleted(said), deleted(said)):
        assert await desk.event(event) == 200
    id = f"slack:desk:{DESK}:{TS}"
    written, edited, gone = sorted(await desk.deeds(), key=lambda deed: deed.arrived)
    assert written.id == id
    assert (edited.id, edited.kind) == (f"{id}:edit:1700000300.000000", "edit")
    assert (edited.args["of"], edited.text) == (id, "at **ten**")
    assert (gone.id, gone.kind, gone.args["of"]) == (f"{id}:del", "delete", id)
    assert gone.agent == "anna"


@pytest.mark.parametrize("tombstone", [False, True])
async def test_a_deleted_card_is_to_be_begun_anew(desk: Desk, tombstone: bool) -> None:
    card = message("card", ROOT, "", user=BOT, bot_id=BOT_ID)
    grave = changed(card, subtype="tombstone", user="USLACKBOT", text="This message was deleted.")
    gone = grave if tombstone else deleted(card)
    assert await desk.event(gone) == 200
    row = await desk.store.get(SlackThread, "desk:case1")
    assert row.ts == ""
    # Redelivered after the mirror has posted a new one.
    await desk.store.change(SlackThread, {"id": row.id, "ts": ""}, set={"ts": "1700000555.000100"})
    assert await desk.event(gone) == 200
    assert (await desk.store.get(SlackThread, "desk:case1")).ts == "1700000555.000100"
    assert await desk.deeds() == []


async def test_a_thread_that_is_begun_anew_in_that_instant_is_left_alone(desk: Desk) -> None:
    card = message("card", ROOT, "", user=BOT, bot_id=BOT_ID)
    find = desk.store.find

    async def found_then_begun_anew(*args: Any, **options: Any) -> Any:
        found = await find(*args, **options)
        where = {"id": "desk:case1", "ts": ROOT}
        await desk.store.change(SlackThread, where, set={"ts": "1700000555.000100"})
        return found

    desk.store.find = found_then_begun_anew  # type: ignore[attr-defined]
    assert await desk.event(deleted(card)) == 200
    assert (await desk.store.get(SlackThread, "desk:case1")).ts == "1700000555.000100"


async def test_an_answer_to_a_card_whose_name_is_not_recorded_yet_comes_again(desk: Desk) -> None:
    await desk.store.insert(thread(id="desk:case2", case="case2", ts=""))
    early = message("hello", TS, "1700000050.000100")
    assert await desk.event(early) == 503
    where = {"id": "desk:case2", "ts": ""}
    await desk.store.change(SlackThread, where, set={"ts": "1700000050.000100"})
    assert await desk.event(early) == 200
    assert (await desk.deed()).text == "hello"


async def test_slack_being_away_delays_nothing_that_was_signed(desk: Desk) -> None:
    away = {"ok": False, "error": "service_unavailable", "status": 503}
    desk.slack.answers = {name: lambda args: dict(away) for name in ("auth.test", "users.info")}
    assert await desk.event(message("hello <@U0ZOE>", TS, ROOT, user="U0BEN")) == 200
    deed = await desk.deed()
    assert (deed.text, deed.agent, deed.name) == ("hello", "slack:U0BEN", "Agent")


async def test_a_press_waits_for_who_we_are_and_then_for_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "_AGAIN", 0.0)
    desk.slack.answers["auth.test"] = lambda args: {"ok": False, "error": "invalid_auth"}
    take = {"type": "button", "action_id": "desk_take", "value": AMARA}
    assert await desk.press(take) == 503
    assert await desk.deeds() == []
    del desk.slack.answers["auth.test"]
    assert await desk.press(take) == 200
    assert (await desk.deed()).kind == "take"
    assert await desk.press(take, "other") == 200
    assert len(desk.slack.called("auth.test")) == 2


# Pressing

DRAFT = json.dumps({"review": "r1", "conversation": AMARA})
SELECT = {"type": "static_select", "block_id": f"desk:{AMARA}"}
PRESSED: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "take": ({"type": "button", "action_id": "desk_take", "value": AMARA}, "take", {}),
    "take from": (
        {"type": "button", "action_id": "desk_take_from", "value": AMARA},
        "assign",
        {"to": "anna", "from_holder": True},
    ),
    "pick": ({"type": "button", "action_id": "desk_pick", "value": AMARA}, "take", {}),
    "back": ({"type": "button", "action_id": "desk_back", "value": AMARA}, "back", {}),
    "reopen": ({"type": "button", "action_id": "desk_reopen", "value": AMARA}, "reopen", {}),
    "draft": ({"type": "button", "action_id": "desk_draft", "value": AMARA}, "draft", {}),
    "similar": ({"type": "button", "action_id": "desk_similar", "value": AMARA}, "similar", {}),
    "actions": (
        {
            **SELECT,
            "type": "overflow",
            "action_id": "desk_more",
            "selected_option": {"value": "desk_actions"},
        },
        "suggest",
        {},
    ),
    "act": (
        {
            "type": "button",
            "action_id": "desk_act",
            "value": json.dumps(
                {"action": "refund", "args": {"order": "1042"}, "conversation": AMARA}
            ),
        },
        "act",
        {"action": "refund", "args": {"order": "1042"}, "confirmed": True},
    ),
    "send": (
        {"type": "button", "action_id": "desk_send_draft", "value": DRAFT},
        "send_draft",
        {"review": "r1"},
    ),
    "discard": (
        {"type": "button", "action_id": "desk_discard_draft", "value": DRAFT},
        "discard",
        {"review": "r1"},
    ),
    "assign": (
        {**SELECT, "action_id": "desk_assign", "selected_option": {"value": "ben"}},
        "assign",
        {"to": "ben"},
    ),
    "assign in slack": (
        {**SELECT, "type": "users_select", "action_id": "desk_assign", "selected_user": "U0ZOE"},
        "assign",
        {"to": "slack:U0ZOE", "name": "Zoe Marsh"},
    ),
    "assign to one with an account": (
        {**SELECT, "type": "users_select", "action_id": "desk_assign", "selected_user": "U0ANNA"},
        "assign",
        {"to": "anna", "name": "Anna Keller"},
    ),
    "template": (
        {**SELECT, "action_id": "desk_template", "selected_option": {"value": "hello"}},
        "template",
        {"name": "hello", "parameters": []},
    ),
    "say": (
        {
            "type": "button",
            "action_id": "desk_say",
            "value": json.dumps({"text": "Thirty days.", "conversation": AMARA}),
        },
        "say",
        {},
    ),
}


@pytest.mark.parametrize(("action", "kind", "args"), PRESSED.values(), ids=PRESSED.keys())
async def test_a_press_is_a_deed(
    desk: Desk, action: dict[str, Any], kind: str, args: dict[str, Any]
) -> None:
    assert await desk.press(action) == 200
    assert await desk.press(action) == 200
    deed = await desk.deed()
    assert (deed.kind, deed.conversation, deed.agent) == (kind, AMARA, "anna")
    place = {"channel": DESK, "thread": ROOT, "user": "U0ANNA"}
    assert {key: deed.args[key] for key in place} == place
    assert {key: deed.args[key] for key in args} == args
    assert deed.id.startswith("slack:desk:act:")
    assert "13.99.abc" not in deed.id
    assert deed.text == ("Thirty days." if kind == "say" else "")


async def test_fifty_presses_are_fifty_deeds(desk: Desk) -> None:
    take = {"type": "button", "action_id": "desk_take", "value": AMARA}
    statuses = await asyncio.gather(*(desk.press(take, f"13.{n}.abc") for n in range(50)))
    assert statuses == [200] * 50
    deeds = await desk.deeds()
    assert len({deed.id for deed in deeds}) == len({deed.arrived for deed in deeds}) == 50


@pytest.mark.parametrize(
    "more",
    [
        {"user": {"id": "U0ELSE", "name": "eve", "team_id": "T0ELSE"}},
        {"team": {"id": "T0ELSE", "domain": "elsewhere"}},
        {"user": {}},
    ],
)
async def test_people_of_other_companies_press_in_vain(desk: Desk, more: dict[str, Any]) -> None:
    take = {"type": "button", "action_id": "desk_take", "value": AMARA}
    assert await desk.press(take, **more) == 200
    resolve = {"type": "button", "action_id": "desk_resolve", "value": AMARA}
    assert await desk.press(resolve, **more) == 200
    assert await desk.deeds() == []
    await asyncio.sleep(0.05)
    assert desk.slack.called("views.open") == []


# Forms


async def test_resolving_asks_how(desk: Desk) -> None:
    button = {"type": "button", "action_id": "desk_resolve", "value": AMARA}
    assert await desk.press(button, "77.trigger") == 200
    view = await desk.form()
    assert desk.slack.called("views.open")[0]["trigger_id"] == "77.trigger"
    values = {
        "text": {"text": {"type": "plain_text_input", "value": "Sent a new one"}},
        "rate": {"rate": {"type": "checkboxes", "selected_options": []}},
    }
    assert await desk.submit(view, values) == 200
    assert await desk.submit(view, values) == 200
    deed = await desk.deed()
    assert (deed.id, deed.kind) == ("slack:desk:view:V0FORM:1.x", "resolve")
    assert (deed.text, deed.conversation) == ("Sent a new one", AMARA)
    assert (deed.args["rate"], deed.args["thread"]) == (False, ROOT)


async def test_a_draft_is_edited_and_sent(desk: Desk) -> None:
    review = Review(
        id="r1", conversation=AMARA, agent="anna", draft="Within **30** days.", at=utcnow()
    )
    await desk.store.insert(review)
    button = {"type": "button", "action_id": "desk_edit_draft", "value": DRAFT}
    assert await desk.press(button) == 200
    view = await desk.form()
    assert view["blocks"][0]["element"]["initial_value"] == "Within **30** days."
    empty = {"text": {"text": {"type": "plain_text_input", "value": " "}}}
    assert await desk.submit(view, empty) == 200
    assert json.loads(desk.said)["response_action"] == "errors"
    assert list(json.loads(desk.said)["errors"]) == ["text"]
    assert await desk.deeds() == []
    words = {"text": {"text": {"type": "plain_text_input", "value": "Within 30 days, unused."}}}
    assert await desk.submit(view, words, "2.x") == 200
    deed = await desk.deed()
    assert (deed.kind, deed.args["review"]) == ("send_draft", "r1")
    assert deed.text == "Within 30 days, unused."


@pytest.mark.parametrize("draft", [None, "long " * 700], ids=["gone", "too long"])
async def test_a_draft_that_cannot_be_edited_is_said_to_be_so(
    desk: Desk, draft: str | None
) -> None:
    if draft:
        await desk.store.insert(
            Review(id="r1", conversation=AMARA, agent="anna", draft=draft, at=utcnow())
        )
    button = {"type": "button", "action_id": "desk_edit_draft", "value": DRAFT}
    assert await desk.press(button) == 200
    told = await until(lambda: desk.slack.called("chat.postEphemeral"))
    assert (told[0]["user"], told[0]["channel"]) == ("U0ANNA", DESK)
    assert "draft" in told[0]["text"]
    assert desk.slack.called("views.open") == []


async def test_a_form_that_does_not_open_is_told(desk: Desk) -> None:
    desk.slack.answers["views.open"] = lambda args: {"ok": False, "error": "expired_trigger_id"}
    button = {"type": "button", "action_id": "desk_resolve", "value": AMARA}
    assert await desk.press(button) == 200
    assert await until(lambda: desk.slack.called("chat.postEphemeral"))


async def test_canned_replies_are_chosen(desk: Desk) -> None:
    more = {**SELECT, "type": "overflow", "action_id": "desk_more"}
    assert await desk.press({**more, "selected_option": {"value": "desk_canned"}}) == 200
    view = await desk.form()
    picked = {"key": {"key": {"type": "static_select", "selected_option": {"value": "returns"}}}}
    assert await desk.submit(view, picked) == 200
    deed = await desk.deed()
    assert (deed.kind, deed.args["key"], deed.conversation) == ("canned", "returns", AMARA)


async def test_an_action_asks_for_what_it_needs(desk: Desk) -> None:
    wanted = [{"name": "reason", "title": "Reason", "value": "", "optional": False}]
    value = {"action": "refund", "title": "Refund", "args": wanted, "conversation": AMARA}
    button = {"type": "button", "action_id": "desk_fill", "value": json.dumps(value)}
    assert await desk.press(button) == 200
    view = await desk.form()
    filled = {"p0": {"p0": {"type": "plain_text_input", "value": "broken"}}}
    assert await desk.submit(view, filled) == 200
    deed = await desk.deed()
    assert (deed.kind, deed.conversation, deed.args["action"]) == ("act", AMARA, "refund")
    assert (deed.args["args"], deed.args["confirmed"]) == ({"reason": "broken"}, True)


async def test_a_template_asks_for_what_belongs_into_it(desk: Desk) -> None:
    menu = {**SELECT, "action_id": "desk_template", "selected_option": {"value": "order_update"}}
    assert await desk.press(menu) == 200
    view = await desk.form()
    filled = {"p0": {"p0": {"type": "plain_text_input", "value": "order 1042"}}}
    assert await desk.submit(view, filled) == 200
    deed = await desk.deed()
    assert (deed.kind, deed.args["name"]) == ("template", "order_update")
    assert deed.args["parameters"] == ["order 1042"]


# Commands and shortcuts


def command(user: str = "U0ANNA", text: str = "", **more: str) -> str:
    fields = {
        "token": "gIkuvaNzQIHg97ATvDxqgjtO",
        "team_id": TEAM,
        "team_domain": "larkfield",
        "channel_id": "C0RANDOM",
        "channel_name": "random",
        "user_id": user,
        "user_name": "anna",
        "command": "/takeover",
        "text": text,
        "api_app_id": "A0DESK",
        "is_enterprise_install": "false",
        "response_url": "https://hooks.slack.com/commands/T0LARK/1/x",
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
    }
    return urlencode({**fields, **more})


async def test_takeover_looks_for_conversations(desk: Desk) -> None:
    for _ in range(2):
        assert await desk.post(command(text="Amara vase")) == 200
    deed = await desk.deed()
    assert (deed.kind, deed.text, deed.conversation) == ("find", "Amara vase", "")
    assert deed.args["channel"] == "C0RANDOM"
    assert desk.said == ""


async def test_takeover_of_a_conversation_by_its_key(desk: Desk) -> None:
    now = utcnow()
    await desk.store.insert(Conversation(id=AMARA, lease_until=now, created=now))
    assert await desk.post(command(text=AMARA)) == 200
    deed = await desk.deed()
    assert (deed.kind, deed.conversation, deed.agent) == ("take", AMARA, "anna")


async def test_commands_are_for_the_members_of_the_desks_channel(desk: Desk) -> None:
    assert await desk.post(command("U0NOBODY")) == 200
    assert "members" in desk.said
    assert await desk.post(command("U0ELSE", team_id="T0ELSE")) == 200
    assert await desk.deeds() == []
    assert await desk.post(command("U0ZOE")) == 200
    assert (await desk.deed()).agent == "slack:U0ZOE"


async def test_shortcuts(desk: Desk) -> None:
    user = {"id": "U0ANNA", "username": "anna", "team_id": TEAM}
    base = {"token": "x", "action_ts": TS, "team": {"id": TEAM, "domain": "l"}, "user": user}
    inbox = {**base, "type": "shortcut", "callback_id": "desk_inbox", "trigger_id": "9.9.z"}
    assert await desk.post(form_body(inbox)) == 200
    assert (await desk.deed()).kind == "find"
    here = {
        **base,
        "type": "message_action",
        "callback_id": "desk_canned_here",
        "trigger_id": "9.9.y",
        "message_ts": TS,
        "channel": {"id": DESK, "name": "desk"},
        "message": {"type": "message", "user": "U0ANNA", "ts": TS, "thread_ts": ROOT, "text": "x"},
        "response_url": "https://hooks.slack.com/app/T0LARK/1/x",
    }
    assert await desk.post(form_body(here)) == 200
    assert AMARA in (await desk.form())["private_metadata"]


# Socket Mode


@dataclass
class Linked:
    """A desk whose events come by Socket Mode."""

    desk: Desk
    running: asyncio.Task[None]

    async def socket(self, number: int) -> web.WebSocketResponse:
        sockets = self.desk.slack.sockets
        await until(lambda: len(sockets) >= number)
        return sockets[number - 1]

    async def acked(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.desk.slack.received.get(), PATIENCE)


@pytest.fixture
async def linked(tmp_path: Path) -> AsyncIterator[Linked]:
    async with opened(tmp_path, "xapp-1") as made:
        running = asyncio.create_task(made.door.run())
        try:
            yield Linked(made, running)
        finally:
            assert not running.done()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def envelope(n: int, payload: dict[str, Any], type: str = "events_api") -> dict[str, Any]:
    return {
        "payload": payload,
        "envelope_id": f"dbdd0ef3-{n}",
        "type": type,
        "accepts_response_payload": type == "slash_commands",
        "retry_attempt": 0,
        "retry_reason": "",
    }


async def test_an_envelope_is_acknowledged_once_it_is_stored(linked: Linked) -> None:
    socket = await linked.socket(1)
    await socket.send_json(envelope(1, callback(message("hello", TS, ROOT))))
    assert await linked.acked() == {"envelope_id": "dbdd0ef3-1"}
    assert (await linked.desk.deed()).text == "hello"
    take = press({"type": "button", "action_id": "desk_take", "value": AMARA}, ROOT, "1.2.c")
    await socket.send_json(envelope(2, take, "interactive"))
    assert await linked.acked() == {"envelope_id": "dbdd0ef3-2"}
    assert {deed.kind for deed in await linked.desk.deeds()} == {"write", "take"}
    assert "Bearer xapp-1" in linked.desk.slack.tokens


async def test_without_the_store_an_envelope_is_not_acknowledged(linked: Linked) -> None:
    socket = await linked.socket(1)
    linked.desk.store.is_down = True
    await socket.send_json(envelope(1, callback(message("hello", TS, ROOT))))
    await socket.send_str("no envelope")
    await asyncio.sleep(0.1)
    assert linked.desk.slack.received.empty()
    assert await linked.desk.deeds() == []
    await socket.send_json(envelope(2, callback(message("hello", TS, ROOT))))
    assert await linked.acked() == {"envelope_id": "dbdd0ef3-2"}
    assert (await linked.desk.deed()).text == "hello"


async def test_messages_by_socket_are_kept_in_order(linked: Linked) -> None:
    socket = await linked.socket(1)
    for n in range(10):
        text = f"{n} <@U0BEN>" if n == 0 else str(n)
        event = message(text, f"17000001{n:02}.000200", ROOT)
        await socket.send_json(envelope(n, callback(event)))
    for _ in range(10):
        await linked.acked()
    # The first has to wait for a name; those behind it wait with it.
    assert [text[0] for text in linked.desk.kept] == [str(n) for n in range(10)]
    deeds = sorted(await linked.desk.deeds(), key=lambda deed: deed.arrived)
    assert [deed.text[0] for deed in deeds] == [str(n) for n in range(10)]


async def test_a_command_by_socket_is_answered_in_the_acknowledgement(linked: Linked) -> None:
    from urllib.parse import parse_qsl

    socket = await linked.socket(1)
    asked = dict(parse_qsl(command("U0NOBODY"), keep_blank_values=True))
    await socket.send_json(envelope(1, asked, "slash_commands"))
    answer = await linked.acked()
    assert "members" in answer["payload"]["text"]


async def test_the_connection_is_begun_anew_whatever_ends_it(linked: Linked) -> None:
    first = await linked.socket(1)
    await first.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})
    second = await linked.socket(2)
    await second.close()
    third = await linked.socket(3)
    assert third is not second
    troubles = iter([{"ok": False, "error": "internal_error", "status": 500}] * 3)
    linked.desk.slack.answers["apps.connections.open"] = lambda args: next(troubles, None)
    await third.close()
    fourth = await linked.socket(4)
    await fourth.send_json(envelope(4, callback(message("hello", TS, ROOT))))
    assert await linked.acked() == {"envelope_id": "dbdd0ef3-4"}
    assert next(troubles, None) is None


async def test_what_came_by_a_connection_that_ends_is_still_answered(linked: Linked) -> None:
    socket = await linked.socket(1)
    await socket.send_json(envelope(1, callback(message("hello", TS, ROOT, user="U0ZOE"))))
    await socket.send_json({"type": "disconnect", "reason": "warning", "debug_info": {}})
    assert await linked.acked() == {"envelope_id": "dbdd0ef3-1"}
    await linked.socket(2)
    assert (await linked.desk.deed()).name == "Zoe Marsh"
