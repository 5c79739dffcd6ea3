"""The door, when events come in another order than they happened, or from who has no say."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.desk.slack import workspace
from bot.message import utcnow
from bot.store.deeds import DONE, PENDING
from bot.store.slack import POSTED, SlackPost, SlackThread
from tests.kit.door import AMARA, ROOT, TS, Desk, opened, thread
from tests.kit.slack_api import (
    BOT,
    DESK,
    TEAM,
    callback,
    changed,
    deleted,
    form_body,
    message,
)

TAKE = {"type": "button", "action_id": "desk_take", "value": AMARA}
ZOE = {"user": {"id": "U0ZOE", "name": "zoe", "team_id": TEAM}}
EVE = {"user": {"id": "U0EVE", "name": "eve", "team_id": TEAM}}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


def just_now(text: str, **more: Any) -> dict[str, Any]:
    return message(text, f"{time.time():.6f}", ROOT, **more)


# What comes before the message it is about.


async def test_what_was_deleted_before_it_arrived_never_goes_out(desk: Desk) -> None:
    said = just_now("my secret")
    desk.store.is_down = True
    assert await desk.event(said) == 503
    desk.store.is_down = False
    edit = changed(said, text="better", edited={"user": "U0ANNA", "ts": "1700000101.000000"})
    for event in (deleted(said), deleted(said), said, edit):
        assert await desk.event(event) == 200
    deed = await desk.deed()
    assert (deed.id, deed.text, deed.files) == (f"slack:desk:{DESK}:{said['ts']}", "", [])
    # Nobody has anything to do for it.
    assert deed.status == DONE


async def test_what_was_changed_before_it_arrived_goes_out_as_it_is_now(desk: Desk) -> None:
    file = {"id": "F1", "name": "a.png"}
    said = just_now("price 100", files=[file])
    edit = changed(said, text="price 10", edited={"user": "U0ANNA", "ts": "1700000101.000000"})
    for event in (edit, said):
        assert await desk.event(event) == 200
    deed = await desk.deed()
    assert (deed.kind, deed.text, deed.status) == ("write", "price 10", PENDING)
    assert [f["id"] for f in deed.files] == ["F1"]
    later = changed(said, text="price 1", edited={"user": "U0ANNA", "ts": "1700000102.000000"})
    assert await desk.event(later) == 200
    assert sorted((d.kind, d.text) for d in await desk.deeds()) == [
        ("edit", "price 1"),
        ("write", "price 10"),
    ]


async def test_what_slack_will_not_send_again_is_not_waited_for(desk: Desk) -> None:
    said = message("old", f"{time.time() - 3600:.6f}", ROOT)
    edit = changed(said, text="new", edited={"user": "U0ANNA", "ts": "1700000101.000000"})
    for event in (edit, deleted(said)):
        assert await desk.event(event) == 200
    assert sorted(d.kind for d in await desk.deeds()) == ["delete", "edit"]


# Threads that somebody deleted.


async def test_who_writes_in_the_deleted_thread_is_heard(desk: Desk) -> None:
    now = "1700000555.000100"
    await desk.store.change(SlackThread, {"id": "desk:case1"}, set={"ts": now, "lost": 1})
    card = {"thread": "desk:case1", "order": 1, "kind": "card", "status": POSTED, "due": utcnow()}
    await desk.store.insert(SlackPost(id="desk:case1:0:card", ts=ROOT, **card))
    await desk.store.insert(
        SlackPost(id="desk:case1:0:line", ts="1700000000.000300", **{**card, "kind": "said"})
    )
    grave = {"parent_user_id": "USLACKBOT"}
    assert await desk.event(message("on its way", TS, ROOT, **grave)) == 200
    deed = await desk.deed()
    assert (deed.kind, deed.text, deed.conversation) == ("write", "on its way", AMARA)
    # What is told of it is told there, where it was written.
    assert deed.args["thread"] == ROOT
    other = message("no", "1700000100.000900", "1700000000.000300", **grave)
    assert await desk.event(other) == 200
    assert await desk.event(message("no", TS, ROOT, channel="C0OTHER", **grave)) == 200
    assert len(await desk.deeds()) == 1


async def test_a_closed_thread_without_a_card_makes_nobody_wait(desk: Desk) -> None:
    await desk.store.insert(thread(id="desk:case0", case="case0", ts="", closed=True))
    for n in range(3):
        event = message("hi", f"17000001{n:02}.000200", "1600000000.000100")
        assert await desk.event(event) == 200
    assert await desk.deeds() == []


# Who has no say.


async def test_who_is_not_in_the_channel_presses_in_vain_and_is_told(desk: Desk) -> None:
    assert await desk.press(TAKE, **EVE) == 200
    resolve = {"type": "button", "action_id": "desk_resolve", "value": AMARA}
    assert await desk.press(resolve, "14.99.abc", **EVE) == 200
    assert await desk.deeds() == []
    told = desk.slack.called("chat.postEphemeral")
    assert {(t["user"], t["channel"], t["thread_ts"]) for t in told} == {("U0EVE", DESK, ROOT)}
    assert "members of this channel" in told[0]["text"]
    assert desk.slack.called("views.open") == []
    # Who is a member, and who is named in the settings and is none.
    assert await desk.press(TAKE, "15.99.abc", **ZOE) == 200
    assert await desk.press(TAKE, "16.99.abc") == 200
    assert sorted(d.agent for d in await desk.deeds()) == ["anna", "slack:U0ZOE"]


async def test_who_may_be_in_the_channel_may_press(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(args: Any) -> dict[str, Any]:
        return {"ok": False, "error": "missing_scope"}

    # Who was there a moment ago says nothing of who is there now.
    assert await desk.press(TAKE, "13.1.a", **ZOE) == 200
    desk.slack.answers["conversations.members"] = no
    assert await desk.press(TAKE, "13.2.a", **EVE) == 200
    # Nor do some of the members, in a channel of very many.
    monkeypatch.setattr(workspace, "_PAGES", 2)
    more = {"ok": True, "members": ["U0ZOE"], "response_metadata": {"next_cursor": "x"}}
    desk.slack.answers["conversations.members"] = lambda args: dict(more)
    assert await desk.press(TAKE, "13.3.a", **EVE) == 200
    assert sorted(d.agent for d in await desk.deeds()) == ["slack:U0EVE"] * 2 + ["slack:U0ZOE"]
    assert desk.slack.called("chat.postEphemeral") == []


NOBODIES = {
    "our own bot": (BOT, {"is_bot": True, "team_id": TEAM}),
    "slackbot": ("USLACKBOT", {"is_bot": False, "team_id": TEAM}),
    "gone": ("U0OLD", {"deleted": True, "team_id": TEAM}),
    "another company's": ("U0ELSE", {"team_id": "T0ELSE"}),
    "not there": ("U0GHOST", None),
}


@pytest.mark.parametrize(("user", "known"), NOBODIES.values(), ids=NOBODIES.keys())
async def test_a_case_is_assigned_to_nobody_who_cannot_see_to_it(
    desk: Desk, user: str, known: dict[str, Any] | None
) -> None:
    found = {"ok": True, "user": {"id": user, **known}} if known else None
    desk.slack.answers["users.info"] = lambda args: (
        dict(found) if found else {"ok": False, "error": "user_not_found"}
    )
    menu = {"type": "users_select", "action_id": "desk_assign", "block_id": f"desk:{AMARA}"}
    assert await desk.press({**menu, "selected_user": user}) == 200
    assert await desk.deeds() == []
    (told,) = desk.slack.called("chat.postEphemeral")
    assert told["user"] == "U0ANNA"
    assert "nobody" in told["text"]


async def test_who_slack_says_nothing_of_may_be_assigned_to(desk: Desk) -> None:
    desk.slack.answers["users.info"] = lambda args: {"ok": False, "error": "missing_scope"}
    menu = {"type": "users_select", "action_id": "desk_assign", "block_id": f"desk:{AMARA}"}
    assert await desk.press({**menu, "selected_user": "U0ZOE"}) == 200
    assert (await desk.deed()).args["to"] == "slack:U0ZOE"


async def test_a_file_of_ours_is_no_agents_even_before_it_is_known_who_we_are(desk: Desk) -> None:
    file = {"id": "F1", "name": "customers.png", "mimetype": "image/png", "size": 3}
    ours = message("", TS, ROOT, user=BOT, subtype="file_share", files=[file])
    body = callback(ours)
    # Of an installation that Slack does not call a bot's: nothing is learnt from the event.
    body["authorizations"][0]["is_bot"] = False
    assert await desk.post(json.dumps(body)) == 200
    assert await desk.deeds() == []
    assert desk.slack.called("auth.test")


# Logs.


async def test_nothing_of_what_comes_in_is_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "SECRETWORDS"
    user = {"id": "U0ANNA", "username": "anna", "team_id": TEAM}
    base = {"user": user, "team": {"id": TEAM, "domain": "l"}, "trigger_id": "1.2.3"}
    bodies: list[dict[str, Any]] = [
        {"type": "block_suggestion", "action_id": "x", "block_id": "y", "value": secret},
        {"type": "dialog_submission", "callback_id": "x", "submission": {"a": secret}},
        {"type": "interactive_message", "callback_id": "x", "actions": [{"name": secret}]},
        {"type": "message_action", "callback_id": "x", "message": {"text": secret}},
        {"type": "something_new", "value": secret},
    ]
    for body in bodies:
        assert await desk.post(form_body({**base, **body})) == 200, body["type"]
    assert await desk.event(message(secret, TS, ROOT)) == 200
    assert await desk.event({"type": "unheard_of", "text": secret, "event_ts": TS}) == 200
    desk.store.is_down = True
    assert await desk.event(message(secret, "1700000100.000300", ROOT)) == 503
    ours = [r for r in caplog.records if r.name.startswith(("bot.", "slack"))]
    assert ours
    assert secret not in caplog.text
    assert "xoxb-1" not in caplog.text
    assert not [r for r in ours if r.name.endswith(".bolt")]
