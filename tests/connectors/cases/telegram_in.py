"""What Telegram sends, and what is to come of it.

Written from Telegram's documentation:
https://core.telegram.org/bots/api#update and the types below it (messages, callback queries,
reactions, memberships), https://core.telegram.org/bots/api#setwebhook (the secret token),
https://core.telegram.org/bots/features#deep-linking, #privacy-mode (groups),
https://core.telegram.org/api/forum (topics).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from bot.message import (
    Address,
    Choice,
    Contact,
    Content,
    Edit,
    Event,
    Inbound,
    Location,
    Media,
    Profile,
    Reaction,
    Referral,
    Text,
    Unsupported,
)
from connectors.base import Request
from tests.connectors.cases.telegram import (
    CHAT,
    DATE,
    FILE,
    GROUP,
    USER,
    emoji,
    keyboard,
    member,
    message,
    pressed,
    reacted,
    size,
    update,
)
from tests.connectors.table import In

SECRET = "hook-Secret_1"
THIS = "4711.12"
ADA = Profile("Ada L", "ada", "en-GB")
#: The bot as groups know it; the account "club" answers in groups, "shop" does not, and
#: "lost", which would, cannot ask who it is.
BOT = {"id": 123456, "is_bot": True, "first_name": "Shop", "username": "Shop_Bot"}
OTHER_BOT = {"id": 99, "is_bot": True, "first_name": "Quiz", "username": "quiz_bot"}
BEN = {"id": 5, "is_bot": False, "first_name": "Ben"}
CLUB = GROUP["id"]
IN_CLUB = f"{CLUB}.12"


def post(body: Any, account: str = "shop", secret: str | None = SECRET) -> Request:
    """A webhook request; bytes go as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {} if secret is None else {"x-telegram-bot-api-secret-token": secret}
    return Request("POST", f"/webhooks/telegram/{account}", headers=headers, body=data)


def got(
    id: str,
    content: Content,
    user: Any = "4711",
    account: str = "shop",
    profile: Profile = ADA,
    **more: Any,
) -> Inbound:
    """A message as it must be stored."""
    address = Address("telegram", account, str(user))
    return Inbound(address, id, content, profile=profile, **more)


def row(name: str, body: Any, expected: Sequence[tuple[str, Content]] = (), **more: Any) -> In:
    """An update of a private chat of the account that answers in no groups."""
    fields = {k: more.pop(k) for k in more.keys() & {"reply_to", "album", "referral", "profile"}}
    user = more.pop("user", "4711")
    arrived = [got(id, content, user, **fields) for id, content in expected]
    return In(name, post(body), arrived, **more)


def dead(name: str, body: Any, reason: str, **more: Any) -> In:
    """An update that must become a dead letter."""
    return In(name, post(body), dead=reason, **more)


def club(name: str, body: Any, expected: Sequence[tuple[str, Content]] = (), **more: Any) -> In:
    """An update of a group, for the account that answers there."""
    user = more.pop("user", CLUB)
    arrived = [got(id, content, user, "club", **more) for id, content in expected]
    return In(name, post(body, "club"), arrived)


def in_club(**content: Any) -> dict[str, Any]:
    """A message in the group."""
    return update(message={**message(**content), "chat": GROUP})


def named(words: str, name: str, kind: str = "mention", **more: Any) -> dict[str, Any]:
    """Words with an entity on `name` in them, its offset in UTF-16 units."""
    before = words[: words.index(name)]
    offset = len(before.encode("utf-16-le")) // 2
    entity = {"type": kind, "offset": offset, "length": len(name), **more}
    return {"text": words, "entities": [entity]}


HOSTILE = [
    In(
        "a body in many scripts under the right secret",
        post(
            json.dumps(update(message=message(text="注文は？ 🦊 да")), ensure_ascii=False).encode()
        ),
        [got(THIS, Text("注文は？ 🦊 да"))],
    ),
    In(
        "a body in many scripts under another secret",
        post(
            json.dumps(update(message=message(text="注文は？ 🦊 да")), ensure_ascii=False).encode(),
            secret="hook-Secret_2",
        ),
        status=403,
    ),
    In("no secret at all", post(update(message=message(text="hi")), secret=None), status=403),
    In(
        "a secret beyond ASCII",
        post(update(message=message(text="hi")), secret="hook-Secrét"),
        status=403,
    ),
    In("garbage under a wrong secret is not even looked at", post(b"{", secret="x"), status=403),
    row(
        "one update delivered three times is one message",
        update(message=message(text="hi")),
        [(THIS, Text("hi"))],
        times=3,
    ),
    row(
        "a button press delivered twice is one choice",
        update(callback_query=pressed()),
        [("cb.99887766", Choice("track", title="Track it", of="4711.10"))],
        times=2,
    ),
    row(
        "an edit delivered twice is one edit",
        update(edited_message=message(text="12", edit_date=DATE + 60)),
        [(f"{THIS}.e{DATE + 60}.900", Edit(of=THIS, text="12"))],
        times=2,
    ),
    row(
        "what cannot be read, delivered twice, is one dead letter",
        update(message=7),
        times=2,
        dead="update 900",
    ),
    In(
        "the time and the order are Telegram's",
        post(update(message=message(text="hi"))),
        [got(THIS, Text("hi"), sent=datetime.fromtimestamp(DATE, timezone.utc), order=900)],
        sent=True,
        ordered=True,
    ),
    row("an update without anything in it", {"update_id": 900}),
    dead(
        "several updates in one request, which Telegram never sends",
        [update(message=message(text="a")), update(901, message=message(text="b"))],
        "an update is a JSON object, not list",
    ),
    dead("an empty body", b"", "the body is not JSON"),
    dead("half a body", b'{"update_id": 1, "message"', "the body is not JSON"),
    dead("a body that is no UTF-8", b"\xff\xfe\x00{", "the body is not JSON"),
    dead("NaN, which no store takes", b'{"update_id": NaN}', "the body is not JSON"),
    dead(
        "lists within lists without end",
        b'{"update_id": 1, "message": ' + b"[" * 100_000,
        "the body is not JSON",
    ),
    dead(
        "an update id that is text",
        {"update_id": "1", "message": message(text="x")},
        "update_id is no 64-bit integer",
    ),
    dead(
        "an update id beyond 64 bits",
        update(2**64, message=message(text="x")),
        "update_id is no 64-bit integer",
    ),
    dead("a message that is null", update(message=None), "update 900: it is empty"),
    dead("a chat that is a number", update(message={**message(text="x"), "chat": 5}), "in message"),
    dead(
        "a chat id that is text",
        update(message={**message(text="x"), "chat": {**CHAT, "id": "4711"}}),
        "chat.id is no 64-bit integer",
    ),
    dead("text that is an object", update(message=message(text={"a": "b"})), "text is no text"),
    dead(
        "a date beyond the calendar",
        update(message={**message(text="x"), "date": 10**18}),
        "in message",
    ),
    dead(
        "a name that is a list",
        update(message={**message(text="x"), "from": {**USER, "first_name": ["Ada"]}}),
        "first_name is no text",
    ),
    dead("a photo without sizes", update(message=message(photo=[{}])), "in message"),
    dead(
        "a caption that is a number",
        update(message=message(photo=[size(9, "s")], caption=5)),
        "caption is no text",
    ),
    dead(
        "a file size beyond 64 bits",
        update(message=message(document={**FILE, "file_size": 2**70})),
        "file_size is no 64-bit integer",
    ),
    dead(
        "a latitude beyond the pole",
        update(message=message(location={"latitude": 91, "longitude": 0})),
        "latitude is no angle",
    ),
    dead(
        "an album that is a number",
        update(message=message(photo=[size(9, "s")], media_group_id=77)),
        "media_group_id is no text",
    ),
    dead(
        "a topic below zero",
        update(message=message(text="x", is_topic_message=True, message_thread_id=-5)),
        "message_thread_id is not above zero",
    ),
    dead(
        "a topic that is text",
        update(message=message(text="x", is_topic_message=True, message_thread_id="7")),
        "message_thread_id is no 64-bit integer",
    ),
    dead(
        "a quoted message without an id",
        update(message=message(text="x", reply_to_message={"date": 1, "chat": CHAT})),
        "in message",
    ),
    dead(
        "button data that is a list",
        update(callback_query={**pressed(), "data": ["track"]}),
        "data is no text",
    ),
    dead(
        "a button title that is a number",
        update(
            callback_query=pressed(
                reply_markup={"inline_keyboard": [[{"text": 5, "callback_data": "track"}]]}
            )
        ),
        "text is no text",
    ),
    dead(
        "reactions that are no list",
        update(message_reaction={**reacted([], []), "new_reaction": 5}),
        "in message_reaction",
    ),
    dead(
        "a membership without a status",
        update(my_chat_member={**member("member", "kicked"), "new_chat_member": {}}),
        "in my_chat_member",
    ),
    dead(
        "a contact's name that is a number",
        update(message=message(contact={"phone_number": "4930", "first_name": 5})),
        "first_name is no text",
    ),
]

PRIVATE = [
    row("text", update(message=message(text="Hello")), [(THIS, Text("Hello"))]),
    row("empty text", update(message=message(text="")), [(THIS, Text(""))]),
    row(
        "text with a NUL and a lone surrogate",
        update(message=message(text="a\x00b\ud800c")),
        [(THIS, Text("ab\ufffdc"))],
    ),
    row(
        "100 kB of emoji",
        update(message=message(text="🦊" * 25_000)),
        [(THIS, Text("🦊" * 25_000))],
    ),
    row(
        "text with entities is kept as it reads",
        update(
            message=message(
                text="see example.com", entities=[{"type": "url", "offset": 4, "length": 11}]
            )
        ),
        [(THIS, Text("see example.com"))],
    ),
    row(
        "a forwarded message",
        update(
            message=message(
                text="look",
                forward_origin={"type": "hidden_user", "sender_user_name": "X", "date": DATE},
            )
        ),
        [(THIS, Text("look"))],
    ),
    row(
        "a field newer than the library",
        update(message=message(text="hi", shiny_new_field={"a": 1})),
        [(THIS, Text("hi"))],
    ),
    row("/start", update(message=message(text="/start")), [(THIS, Event("start"))]),
    row(
        "/start by a deep link",
        update(message=message(text="/start order-77_x")),
        [(THIS, Event("start", data="order-77_x"))],
        referral=Referral("link", ref="order-77_x"),
    ),
    row(
        "/start with the bot's name",
        update(message=message(text="/start@shop_bot ref")),
        [(THIS, Event("start", data="ref"))],
        referral=Referral("link", ref="ref"),
    ),
    row(
        "a command that only begins like /start",
        update(message=message(text="/started late")),
        [(THIS, Text("/started late"))],
    ),
    row("other commands are text", update(message=message(text="/help")), [(THIS, Text("/help"))]),
    row(
        "photo: the largest size",
        update(message=message(photo=[size(90, "s"), size(1280, "l"), size(320, "m")])),
        [(THIS, Media("image", ref="l", size=5000))],
    ),
    row(
        "photo with caption",
        update(message=message(photo=[size(90, "s")], caption="broken\x00")),
        [(THIS, Media("image", ref="s", size=5000, caption="broken"))],
    ),
    row(
        "photo of unknown size",
        update(message=message(photo=[{**size(90, "s"), "file_size": None}])),
        [(THIS, Media("image", ref="s"))],
    ),
    row(
        "voice",
        update(message=message(voice={**FILE, "duration": 3, "mime_type": "audio/ogg"})),
        [(THIS, Media("voice", ref="AgAC-f1", mime="audio/ogg", size=5000))],
    ),
    row(
        "audio",
        update(
            message=message(
                audio={**FILE, "duration": 3, "mime_type": "audio/mpeg", "file_name": "a.mp3"}
            )
        ),
        [(THIS, Media("audio", ref="AgAC-f1", mime="audio/mpeg", filename="a.mp3", size=5000))],
    ),
    row(
        "video",
        update(
            message=message(
                video={**FILE, "width": 1, "height": 1, "duration": 3, "mime_type": "video/mp4"},
                caption="see",
            )
        ),
        [(THIS, Media("video", ref="AgAC-f1", mime="video/mp4", caption="see", size=5000))],
    ),
    row(
        "video larger than 2 GiB",
        update(
            message=message(
                video={**FILE, "width": 1, "height": 1, "duration": 3, "file_size": 2**32}
            )
        ),
        [(THIS, Media("video", ref="AgAC-f1", size=2**32))],
    ),
    row(
        "round video",
        update(message=message(video_note={**FILE, "length": 240, "duration": 3})),
        [(THIS, Media("video", ref="AgAC-f1", size=5000))],
    ),
    row(
        "animation, which comes with a document too",
        update(
            message=message(
                animation={**FILE, "file_id": "anim", "width": 1, "height": 1, "duration": 1},
                document={**FILE, "file_id": "doc"},
            )
        ),
        [(THIS, Media("video", ref="anim", size=5000))],
    ),
    row(
        "document",
        update(
            message=message(
                document={**FILE, "mime_type": "application/pdf", "file_name": "bill.pdf"},
                caption="the bill",
            )
        ),
        [
            (
                THIS,
                Media(
                    "document",
                    ref="AgAC-f1",
                    mime="application/pdf",
                    filename="bill.pdf",
                    caption="the bill",
                    size=5000,
                ),
            )
        ],
    ),
    row(
        "sticker",
        update(
            message=message(
                sticker={
                    **FILE,
                    "type": "regular",
                    "width": 512,
                    "height": 512,
                    "is_animated": False,
                    "is_video": False,
                    "emoji": "👍",
                }
            )
        ),
        [(THIS, Media("sticker", ref="AgAC-f1", mime="image/webp", size=5000))],
    ),
    row(
        "location",
        update(message=message(location={"latitude": 52.5, "longitude": -13.4})),
        [(THIS, Location(52.5, -13.4))],
    ),
    row(
        "location at whole degrees",
        update(message=message(location={"latitude": 0, "longitude": 180})),
        [(THIS, Location(0.0, 180.0))],
    ),
    row(
        "venue, which comes with a location too",
        update(
            message=message(
                location={"latitude": 1.5, "longitude": 2.5},
                venue={
                    "location": {"latitude": 1.5, "longitude": 2.5},
                    "title": "Depot",
                    "address": "Quay 1",
                },
            )
        ),
        [(THIS, Location(1.5, 2.5, name="Depot", address="Quay 1"))],
    ),
    row(
        "contact",
        update(
            message=message(
                contact={"phone_number": "+4930", "first_name": "Ann", "last_name": "B"}
            )
        ),
        [(THIS, Contact("Ann B", phones=("+4930",)))],
    ),
    row(
        "poll",
        update(
            message=message(
                poll={
                    "id": "1",
                    "question": "?",
                    "options": [],
                    "total_voter_count": 0,
                    "is_closed": False,
                    "is_anonymous": True,
                    "type": "regular",
                    "allows_multiple_answers": False,
                    "allows_revoting": False,
                    "members_only": False,
                }
            )
        ),
        [(THIS, Unsupported("poll"))],
    ),
    row(
        "dice",
        update(message=message(dice={"emoji": "🎲", "value": 4})),
        [(THIS, Unsupported("dice"))],
    ),
    row(
        "dice with an effect",
        update(message=message(dice={"emoji": "🎲", "value": 4}, effect_id="5")),
        [(THIS, Unsupported("dice"))],
    ),
    row(
        "game",
        update(message=message(game={"title": "g", "description": "d", "photo": [size(1, "p")]})),
        [(THIS, Unsupported("game"))],
    ),
    row(
        "story",
        update(message=message(story={"chat": CHAT, "id": 3})),
        [(THIS, Unsupported("story"))],
    ),
    row(
        "a kind newer than the library",
        update(message=message(hologram={"file_id": "h"})),
        [(THIS, Unsupported("hologram"))],
    ),
    row(
        "a message the Bot API leaves blank",
        update(message=message()),
        [(THIS, Unsupported("unknown"))],
    ),
    row(
        "a pinned message is nobody's question",
        update(message=message(pinned_message=message(text="x"))),
        [],
    ),
    row(
        "a changed deletion timer is nobody's question",
        update(
            message=message(message_auto_delete_timer_changed={"message_auto_delete_time": 86400})
        ),
        [],
    ),
    row("a group", update(message={**message(text="hi"), "chat": GROUP}), []),
    row(
        "an old-style group",
        update(message={**message(text="hi"), "chat": {**GROUP, "type": "group"}}),
        [],
    ),
    row(
        "a channel post",
        update(channel_post={**message(text="hi"), "chat": {**GROUP, "type": "channel"}}),
        [],
    ),
    row("an edit in a group", update(edited_message={**message(text="x"), "chat": GROUP}), []),
    row(
        "an edit",
        update(edited_message=message(text="I mean 12", edit_date=DATE + 60)),
        [(f"{THIS}.e{DATE + 60}.900", Edit(of=THIS, text="I mean 12"))],
    ),
    row(
        "an edited caption",
        update(edited_message=message(photo=[size(9, "s")], caption="front", edit_date=DATE + 60)),
        [(f"{THIS}.e{DATE + 60}.900", Edit(of=THIS, text="front"))],
    ),
    row(
        "a step of a live location",
        update(
            edited_message=message(
                location={"latitude": 1, "longitude": 2, "live_period": 60}, edit_date=DATE + 9
            )
        ),
        [],
    ),
    row(
        "a pressed button",
        update(callback_query=pressed()),
        [("cb.99887766", Choice("track", title="Track it", of="4711.10"))],
    ),
    row(
        "a pressed button whose payload was too long",
        update(callback_query=pressed("#1")),
        [("cb.99887766", Choice("#1", title="Return it", of="4711.10"))],
    ),
    row(
        "a pressed button that is not in the message any more",
        update(callback_query=pressed("gone")),
        [("cb.99887766", Choice("gone", of="4711.10"))],
    ),
    row(
        "a button of a message too old for Telegram to show",
        update(
            callback_query={
                **pressed(),
                "message": {"chat": CHAT, "message_id": 10, "date": 0},
            }
        ),
        [("cb.99887766", Choice("track", of="4711.10"))],
    ),
    row(
        "a button of inline mode",
        update(callback_query={"id": "5", "from": USER, "chat_instance": "1", "data": "x"}),
        [],
    ),
    row(
        "a button press without its sender",
        update(callback_query={k: v for k, v in pressed().items() if k != "from"}),
        [("cb.99887766", Choice("track", title="Track it", of="4711.10"))],
        profile=Profile(),
    ),
    row("a button in a group", update(callback_query=pressed(chat=GROUP)), []),
    row(
        "a game's button",
        update(callback_query={**pressed(None), "game_short_name": "g"}),
        [("cb.99887766", Unsupported("callback_game"))],
    ),
    row(
        "a reaction",
        update(message_reaction=reacted([], [emoji("👍")])),
        [("u.900", Reaction(of="4711.10", emoji="👍"))],
    ),
    row(
        "a reaction instead of another",
        update(message_reaction=reacted([emoji("👍")], [emoji("❤")])),
        [("u.900", Reaction(of="4711.10", emoji="❤"))],
    ),
    row(
        "a reaction taken off",
        update(message_reaction=reacted([emoji("👍")], [])),
        [("u.900", Reaction(of="4711.10", emoji="👍", removed=True))],
    ),
    row(
        "two reactions at once",
        update(message_reaction=reacted([], [emoji("👍"), emoji("🔥")])),
        [
            ("u.900", Reaction(of="4711.10", emoji="👍")),
            ("u.900.1", Reaction(of="4711.10", emoji="🔥")),
        ],
    ),
    row(
        "a reaction by a custom emoji",
        update(message_reaction=reacted([], [{"type": "custom_emoji", "custom_emoji_id": "1"}])),
        [("u.900", Reaction(of="4711.10"))],
    ),
    row("a reaction in a group", update(message_reaction=reacted([], [], chat=GROUP)), []),
    row(
        "the customer blocks the bot",
        update(my_chat_member=member("kicked", "member")),
        [("u.900", Event("blocked"))],
    ),
    row(
        "the customer unblocks the bot",
        update(my_chat_member=member("member", "kicked")),
        [("u.900", Event("unblocked"))],
    ),
    row(
        "the bot joins a group",
        update(my_chat_member={**member("member", "left"), "chat": GROUP}),
        [],
    ),
    row("another membership", update(my_chat_member=member("left", "member")), []),
    row(
        "an inline query",
        update(inline_query={"id": "1", "from": USER, "query": "", "offset": ""}),
        [],
    ),
    row("a kind of update newer than the library", update(telepathy={"of": "Ada"}), []),
    row("an update of nothing", update(), []),
]

CONTEXT = [
    row(
        "a quoted message of the bot",
        update(
            message=message(
                text="this one", reply_to_message={**message(text="?"), "message_id": 9}
            )
        ),
        [(THIS, Text("this one"))],
        reply_to="4711.9",
    ),
    row(
        "a quoted part of a message",
        update(
            message=message(
                text="that",
                reply_to_message={**message(text="a b"), "message_id": 9},
                quote={"text": "b", "position": 2, "is_manual": True},
            )
        ),
        [(THIS, Text("that"))],
        reply_to="4711.9",
    ),
    row(
        "a message of another chat, quoted",
        update(
            message=message(
                text="look",
                external_reply={"origin": {"type": "user", "date": 1, "sender_user": BEN}},
            )
        ),
        [(THIS, Text("look"))],
    ),
    row(
        "a picture that answers one",
        update(
            message=message(
                photo=[size(90, "s")],
                reply_to_message={**message(photo=[size(90, "b")]), "message_id": 9},
            )
        ),
        [(THIS, Media("image", ref="s", size=5000))],
        reply_to="4711.9",
    ),
    row(
        "the first picture of an album, with the words for all",
        update(
            message=message(photo=[size(90, "s")], media_group_id="13579", caption="all broken")
        ),
        [(THIS, Media("image", ref="s", size=5000, caption="all broken"))],
        album="13579",
    ),
    row(
        "the next picture of the album",
        update(
            901,
            message={**message(photo=[size(90, "t")], media_group_id="13579"), "message_id": 13},
        ),
        [("4711.13", Media("image", ref="t", size=5000))],
        album="13579",
    ),
    row(
        "a document of an album",
        update(
            message=message(document={**FILE, "mime_type": "application/pdf"}, media_group_id="2")
        ),
        [(THIS, Media("document", ref="AgAC-f1", mime="application/pdf", size=5000))],
        album="2",
    ),
    row(
        "the customer's own number, shared by the button",
        update(
            message=message(
                contact={"phone_number": "4915112345678", "first_name": "Ada", "user_id": 4711}
            )
        ),
        [(THIS, Contact("Ada", ("+4915112345678",), own=True))],
    ),
    row(
        "the customer's own number with its sign",
        update(
            message=message(
                contact={"phone_number": "+4915112345678", "first_name": "Ada", "user_id": 4711}
            )
        ),
        [(THIS, Contact("Ada", ("+4915112345678",), own=True))],
    ),
    row(
        "the number of somebody else on Telegram",
        update(
            message=message(
                contact={"phone_number": "4915112345678", "first_name": "Ben", "user_id": 5}
            )
        ),
        [(THIS, Contact("Ben", ("4915112345678",)))],
    ),
    row(
        "the customer's own card, forwarded, proves nothing today",
        update(
            message=message(
                contact={"phone_number": "4915112345678", "first_name": "Ada", "user_id": 4711},
                forward_origin={"type": "user", "date": 1, "sender_user": USER},
            )
        ),
        [(THIS, Contact("Ada", ("4915112345678",)))],
    ),
    row(
        "the customer's own card by another bot proves nothing",
        update(
            message=message(
                contact={"phone_number": "4915112345678", "first_name": "Ada", "user_id": 4711},
                via_bot=OTHER_BOT,
            )
        ),
        [(THIS, Contact("Ada", ("4915112345678",)))],
    ),
    row(
        "no further number is vouched for with the own one",
        update(
            message=message(
                contact={
                    "phone_number": "4915112345678",
                    "first_name": "Ada",
                    "user_id": 4711,
                    "vcard": "BEGIN:VCARD\nTEL:+4999999\nEND:VCARD",
                }
            )
        ),
        [(THIS, Contact("Ada", ("+4915112345678",), own=True))],
    ),
    row(
        "a card with further numbers and addresses",
        update(
            message=message(
                contact={
                    "phone_number": "+49301",
                    "first_name": "Ann",
                    "vcard": "BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=CELL:+49 30-1\r\n"
                    "item1.TEL:+49302\r\n"
                    "EMAIL;TYPE=work:ann@example.com\r\nEND:VCARD",
                }
            )
        ),
        [(THIS, Contact("Ann", ("+49301", "+49302"), ("ann@example.com",)))],
    ),
    row(
        "a sticker that moves",
        update(
            message=message(
                sticker={
                    **FILE,
                    "type": "regular",
                    "width": 512,
                    "height": 512,
                    "is_animated": True,
                    "is_video": False,
                }
            )
        ),
        [(THIS, Media("sticker", ref="AgAC-f1", mime="application/x-tgsticker", size=5000))],
    ),
    row(
        "a sticker that is a video",
        update(
            message=message(
                sticker={
                    **FILE,
                    "type": "regular",
                    "width": 512,
                    "height": 512,
                    "is_animated": False,
                    "is_video": True,
                }
            )
        ),
        [(THIS, Media("sticker", ref="AgAC-f1", mime="video/webm", size=5000))],
    ),
    row(
        "the beginning of a live location",
        update(message=message(location={"latitude": 1.5, "longitude": 2.5, "live_period": 900})),
        [(THIS, Location(1.5, 2.5))],
    ),
    row(
        "the answer of a web app",
        update(message=message(web_app_data={"data": '{"size": 42}', "button_text": "Choose"})),
        [(THIS, Text('{"size": 42}'))],
    ),
    row(
        "a payment, which no message of ours asks for",
        update(
            message=message(
                successful_payment={
                    "currency": "EUR",
                    "total_amount": 100,
                    "invoice_payload": "x",
                    "telegram_payment_charge_id": "1",
                    "provider_payment_charge_id": "2",
                }
            )
        ),
    ),
    row(
        "what is said to a person whose business account the bot looks after",
        update(business_message=message(text="hi", business_connection_id="b1")),
    ),
    row(
        "a message with such an account's id",
        update(message=message(text="hi", business_connection_id="b1")),
    ),
    row("a question of a guest", update(guest_message=message(text="hi"))),
    row("a poll's answer", update(poll_answer={"poll_id": "1", "option_ids": [0], "user": USER})),
    row(
        "a topic of a private chat",
        update(message=message(text="hi", is_topic_message=True, message_thread_id=7)),
        [(THIS, Text("hi"))],
        user="4711/7",
    ),
    row(
        "what opened a topic is not quoted",
        update(
            message=message(
                text="hi",
                is_topic_message=True,
                message_thread_id=7,
                reply_to_message={
                    **message(forum_topic_created={"name": "t", "icon_color": 1}),
                    "message_id": 7,
                },
            )
        ),
        [(THIS, Text("hi"))],
        user="4711/7",
    ),
    row(
        "a message quoted within a topic",
        update(
            message=message(
                text="hi",
                is_topic_message=True,
                message_thread_id=7,
                reply_to_message={**message(text="?"), "message_id": 9},
            )
        ),
        [(THIS, Text("hi"))],
        user="4711/7",
        reply_to="4711.9",
    ),
    row(
        "a start in a topic",
        update(message=message(text="/start sale", is_topic_message=True, message_thread_id=7)),
        [(THIS, Event("start", data="sale"))],
        user="4711/7",
        referral=Referral("link", ref="sale"),
    ),
    row(
        "a button in a topic",
        update(callback_query=pressed(is_topic_message=True, message_thread_id=7)),
        [("cb.99887766", Choice("track", title="Track it", of="4711.10"))],
        user="4711/7",
    ),
    row(
        "an edit in a topic",
        update(
            edited_message=message(
                text="12", edit_date=DATE + 60, is_topic_message=True, message_thread_id=7
            )
        ),
        [(f"{THIS}.e{DATE + 60}.900", Edit(of=THIS, text="12"))],
        user="4711/7",
    ),
    row(
        "a thread of answers is no topic",
        update(message=message(text="hi", message_thread_id=7)),
        [(THIS, Text("hi"))],
    ),
    row(
        "an option that was chosen already, pressed again",
        update(callback_query=pressed("#", reply_markup=keyboard([("✓ Track it", "#")]))),
    ),
    row(
        "a customer without a last name, a username and a language",
        update(
            message={
                **message(text="hi"),
                "from": {"id": 4711, "is_bot": False, "first_name": "Ada"},
            }
        ),
        [(THIS, Text("hi"))],
        profile=Profile("Ada"),
    ),
    row(
        "the bot's name in a group of an account that answers in none",
        in_club(**named("@Shop_Bot help", "@Shop_Bot")),
    ),
    row(
        "an account that answers in no groups is thrown out of one",
        update(my_chat_member={**member("kicked", "member"), "chat": GROUP}),
    ),
    row("a group of no interest gets another id", in_club(migrate_to_chat_id=-1009)),
]

GROUPS = [
    club(
        "the bot's name at the beginning is taken off",
        in_club(**named("@Shop_Bot, where is it?", "@Shop_Bot")),
        [(IN_CLUB, Text("where is it?"))],
    ),
    club(
        "the bot's name in other letters",
        in_club(**named("@shop_bot help", "@shop_bot")),
        [(IN_CLUB, Text("help"))],
    ),
    club(
        "the bot's name in the middle stays",
        in_club(**named("ask @Shop_Bot about it", "@Shop_Bot")),
        [(IN_CLUB, Text("ask @Shop_Bot about it"))],
    ),
    club(
        "the bot's name behind emoji, which are two units each",
        in_club(**named("🦊🦊 @Shop_Bot hi", "@Shop_Bot")),
        [(IN_CLUB, Text("🦊🦊 @Shop_Bot hi"))],
    ),
    club(
        "the bot's name alone",
        in_club(**named("@Shop_Bot", "@Shop_Bot")),
        [(IN_CLUB, Text("@Shop_Bot"))],
    ),
    club(
        "the bot, mentioned without its username",
        in_club(**named("Shop help", "Shop", "text_mention", user=BOT)),
        [(IN_CLUB, Text("Shop help"))],
    ),
    club(
        "somebody else, mentioned so", in_club(**named("Ben help", "Ben", "text_mention", user=BEN))
    ),
    club("another name that begins alike", in_club(**named("@Shop_Bot2 help", "@Shop_Bot2"))),
    club(
        "the bot's name as mere letters, which Telegram did not take for one",
        in_club(text="a@Shop_Bot"),
    ),
    club(
        "a command",
        in_club(**named("/track 77", "/track", "bot_command")),
        [(IN_CLUB, Text("/track 77"))],
    ),
    club(
        "a command with the bot's name",
        in_club(**named("/track@shop_bot 77", "/track@shop_bot", "bot_command")),
        [(IN_CLUB, Text("/track 77"))],
    ),
    club(
        "a command for another bot",
        in_club(**named("/quiz@quiz_bot", "/quiz@quiz_bot", "bot_command")),
    ),
    club(
        "a command in the middle of words",
        in_club(**named("type /track then", "/track", "bot_command")),
    ),
    club(
        "a link that adds the bot to a group",
        in_club(**named("/start@Shop_Bot party", "/start@Shop_Bot", "bot_command")),
        [(IN_CLUB, Event("start", data="party"))],
        referral=Referral("link", ref="party"),
    ),
    club(
        "an answer to the bot",
        in_club(
            text="yes",
            reply_to_message={**message(text="?"), "chat": GROUP, "from": BOT, "message_id": 9},
        ),
        [(IN_CLUB, Text("yes"))],
        reply_to=f"{CLUB}.9",
    ),
    club(
        "an answer to somebody else",
        in_club(
            text="yes",
            reply_to_message={**message(text="?"), "chat": GROUP, "from": BEN, "message_id": 9},
        ),
    ),
    club(
        "an answer to somebody else that names the bot",
        in_club(
            **named("@Shop_Bot see", "@Shop_Bot"),
            reply_to_message={**message(text="?"), "chat": GROUP, "from": BEN, "message_id": 9},
        ),
        [(IN_CLUB, Text("see"))],
        reply_to=f"{CLUB}.9",
    ),
    club("people among themselves", in_club(text="how are you?")),
    club(
        "another bot that names ours",
        update(
            message={
                **message(**named("@Shop_Bot hi", "@Shop_Bot")),
                "chat": GROUP,
                "from": OTHER_BOT,
            }
        ),
    ),
    club(
        "an administrator who writes as the group",
        update(
            message={
                **message(**named("@Shop_Bot hi", "@Shop_Bot")),
                "chat": GROUP,
                "sender_chat": GROUP,
                "from": {
                    "id": 1087968824,
                    "is_bot": True,
                    "first_name": "Group",
                    "username": "GroupAnonymousBot",
                },
            }
        ),
        [(IN_CLUB, Text("hi"))],
        profile=Profile("Group", "GroupAnonymousBot"),
    ),
    club(
        "a picture whose words name the bot",
        in_club(
            photo=[size(9, "s")],
            caption="@Shop_Bot broken",
            caption_entities=[{"type": "mention", "offset": 0, "length": 9}],
        ),
        [(IN_CLUB, Media("image", ref="s", size=5000, caption="broken"))],
    ),
    club("a picture for the others", in_club(photo=[size(9, "s")], caption="us")),
    club(
        "a topic of a forum",
        in_club(**named("@Shop_Bot hi", "@Shop_Bot"), is_topic_message=True, message_thread_id=7),
        [(IN_CLUB, Text("hi"))],
        user=f"{CLUB}/7",
    ),
    club(
        "people in a topic that the bot opened",
        in_club(
            text="hi all",
            is_topic_message=True,
            message_thread_id=7,
            reply_to_message={
                **message(forum_topic_created={"name": "t", "icon_color": 1}),
                "chat": GROUP,
                "from": BOT,
                "message_id": 7,
            },
        ),
    ),
    club(
        "a button in a forum",
        update(callback_query=pressed(chat=GROUP, is_topic_message=True, message_thread_id=7)),
        [("cb.99887766", Choice("track", title="Track it", of=f"{CLUB}.10"))],
        user=f"{CLUB}/7",
    ),
    club(
        "an edit that names the bot",
        update(
            edited_message={
                **message(**named("@Shop_Bot 12", "@Shop_Bot"), edit_date=DATE + 60),
                "chat": GROUP,
            }
        ),
        [(f"{IN_CLUB}.e{DATE + 60}.900", Edit(of=IN_CLUB, text="12"))],
    ),
    club(
        "an edit among people",
        update(edited_message={**message(text="12", edit_date=DATE + 60), "chat": GROUP}),
    ),
    club("reactions among people", update(message_reaction=reacted([], [emoji("👍")], chat=GROUP))),
    club(
        "the bot is added",
        update(my_chat_member={**member("member", "left"), "chat": GROUP}),
        [("u.900", Event("unblocked"))],
    ),
    club(
        "the bot is made an administrator",
        update(
            my_chat_member={
                **member(
                    "administrator",
                    "member",
                    can_be_edited=False,
                    is_anonymous=False,
                    can_manage_chat=True,
                    can_delete_messages=False,
                    can_manage_video_chats=False,
                    can_restrict_members=False,
                    can_promote_members=False,
                    can_change_info=False,
                    can_invite_users=False,
                    can_post_stories=False,
                    can_edit_stories=False,
                    can_delete_stories=False,
                ),
                "chat": GROUP,
            }
        ),
    ),
    club(
        "the bot is thrown out",
        update(my_chat_member={**member("kicked", "member"), "chat": GROUP}),
        [("u.900", Event("blocked"))],
    ),
    club(
        "a group becomes a supergroup",
        update(
            message={
                **message(migrate_to_chat_id=-1009000000001),
                "chat": {"id": -42, "title": "g", "type": "group"},
            }
        ),
        [("-42.12", Event("moved", data="-1009000000001"))],
        user=-42,
    ),
    club("the supergroup says where it comes from", in_club(migrate_from_chat_id=-42)),
    club("somebody joins", in_club(new_chat_members=[BEN])),
    club(
        "a private chat of that account",
        update(message=message(text="hi")),
        [(THIS, Text("hi"))],
        user="4711",
    ),
    club(
        "a channel that the bot is in",
        update(channel_post={**message(text="hi"), "chat": {**GROUP, "type": "channel"}}),
    ),
    In(
        "in a group of an account whose bot cannot be asked for its name",
        post(in_club(**named("@Shop_Bot hi", "@Shop_Bot")), "lost"),
        dead="who the bot is in groups is not known",
    ),
]

INBOUND = [*HOSTILE, *PRIVATE, *CONTEXT, *GROUPS]
