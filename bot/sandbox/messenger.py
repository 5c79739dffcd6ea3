"""A stand-in for Messenger: the Graph API's Send API, personas, and the Page's webhooks.

The pages are those below
https://developers.facebook.com/documentation/business-messaging/messenger-platform :
``reference/send-api``, ``send-messages/personas``, ``send-messages/sender-actions`` and
``webhooks/webhook-events``. What the Send API takes is in `bot.sandbox.messenger_sent`.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from aiohttp import web

from bot.ending import end
from bot.message import (
    Choice,
    Contact,
    Content,
    Deletion,
    Edit,
    Event,
    Location,
    Media,
    MediaType,
    Order,
    Reaction,
    Text,
    encode,
)
from bot.sandbox.delivery import Job, Push
from bot.sandbox.errors import BadRequest
from bot.sandbox.goods import GOODS
from bot.sandbox.ledger import Entry
from bot.sandbox.messenger_sent import PERSONA_LIMIT, GraphError, an_object, bad, known, message
from bot.sandbox.meta import verify
from bot.sandbox.standin import Said, StandIn, World

WINDOW_SECONDS = 24 * 3600
HUMAN_AGENT_SECONDS = 7 * 24 * 3600
RETIRED_TAGS = ("CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE")
EDITS = 5

# How long the phone takes to show a message, seconds.
_DELIVERED_AFTER = 0.1
_PERSONAS_PAGE = 25
_ATTACHMENTS: dict[MediaType, str] = {
    "image": "image",
    "voice": "audio",
    "video": "video",
    "document": "file",
    "sticker": "sticker",
}
_WORDS = {"👍": "like", "👎": "dislike", "❤️": "love", "😆": "smile", "😮": "wow", "😢": "sad"}
_SOURCES = {"ad": "ADS", "link": "SHORTLINK"}
_BODY = (
    *("recipient", "messaging_type", "message", "sender_action", "payload", "tag"),
    *("persona_id", "notification_type"),
)

Json = dict[str, Any]
Work = Callable[[web.Request, "_Page"], Awaitable[Json]]


@dataclass(slots=True)
class _Page:
    """One account of credentials.yml: a Page and its app."""

    account: str
    page_id: str
    token: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    get_started: str = "GET_STARTED"
    # Unix times, as the customers' phones claim them.
    last_heard: dict[str, float] = field(init=False, default_factory=dict)
    blocked: set[str] = field(init=False, default_factory=set)
    personas: OrderedDict[str, Json] = field(init=False, default_factory=OrderedDict)
    verified: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return f"Frontdesk {self.account}"


@dataclass(slots=True)
class _Made:
    """What a customer did: the webhook's event, None where there is none, and the phone's."""

    page: _Page
    said: Said
    id: str
    event: Json | None = None
    entries: list[Entry] = field(default_factory=list)


class Messenger(StandIn):
    """The Graph API of every Messenger account in the sandbox's credentials."""

    channel: ClassVar[str] = "messenger"
    can: ClassVar[frozenset[str]] = frozenset(
        {
            *("text", "choice", "location", "own_contact", "reaction", "edit", "deletion", "order"),
            *("image", "voice", "video", "document", "sticker", "album", "reply"),
            *("start", "referral", "blocked", "unblocked", "opt_out", "opt_in"),
        }
    )
    window_hours: ClassVar[float | None] = WINDOW_SECONDS / 3600

    def __init__(self, world: World, accounts: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(world, accounts)
        keys = ("account", "page_id", "token", "app_secret", "verify_token")
        pages = [
            _Page(
                **{key: str(a[key]) for key in keys},
                get_started=str(a.get("get_started") or "GET_STARTED"),
            )
            for a in accounts
        ]
        self._pages = {page.account: page for page in pages}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to verify each account's webhook with the gateway."""
        for page in self._pages.values():
            self._tasks.append(asyncio.create_task(self._verify(page)))

    async def close(self) -> None:
        """Stop verifying."""
        await end(*self._tasks)

    async def _verify(self, page: _Page) -> None:
        await verify(self.world.delivery, self.webhook_url(page.account), page.verify_token)
        page.verified.set()

    # -- HTTP ---------------------------------------------------------------------

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the Graph API's routes, and that of the files customers sent."""
        base = r"/messenger/{version:v\d+(?:\.\d+)?}/{id:\d+|me}"
        return [
            web.post(f"{base}/messages", self._route("messages", self._post)),
            web.get(f"{base}/personas", self._route("personas", self._list_personas)),
            web.post(f"{base}/personas", self._route("personas", self._make_persona)),
            web.get(base, self._route("object", self._get)),
            web.delete(base, self._route("object", self._delete)),
            web.get("/messenger/cdn/{id}/{name}", self._cdn),
        ]

    def _route(
        self, method: str, work: Work
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handled(request: web.Request) -> web.Response:
            async def handle() -> web.Response:
                try:
                    return web.json_response(await work(request, self._authorized(request)))
                except GraphError as error:
                    return web.json_response({"error": error.body}, status=error.status)

            return await self.world.faults.call(request, self.channel, method, handle, _refuse)

        return handled

    def _authorized(self, request: web.Request) -> _Page:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() not in ("bearer", "oauth"):
            token = request.query.get("access_token", "")
        given = token.strip().encode("utf-8", "surrogatepass")
        for page in self._pages.values():
            if hmac.compare_digest(page.token.encode(), given):
                return page
        raise GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=401)

    @staticmethod
    def _own(request: web.Request, page: _Page) -> None:
        if request.match_info["id"] not in (page.page_id, "me"):
            raise _unknown(request)

    @staticmethod
    async def _json(request: web.Request) -> Json:
        try:
            return an_object(await request.json(), "body")
        except ValueError:
            raise bad("The request body is not JSON") from None

    async def _get(self, request: web.Request, page: _Page) -> Json:
        id_ = request.match_info["id"]
        if id_ in (page.page_id, "me"):
            return {"id": page.page_id, "name": page.name}
        if id_ in page.personas:
            return page.personas[id_]
        raise _unknown(request)

    async def _delete(self, request: web.Request, page: _Page) -> Json:
        if page.personas.pop(request.match_info["id"], None) is None:
            raise _unknown(request)
        return {"success": True}

    async def _list_personas(self, request: web.Request, page: _Page) -> Json:
        self._own(request, page)
        ids = list(page.personas)
        after = request.query.get("after", "")
        begin = ids.index(after) + 1 if after in page.personas else 0
        given = request.query.get("limit", "")
        most = min(int(given), 100) if given.isdigit() and int(given) else _PERSONAS_PAGE
        shown = ids[begin : begin + most]
        paging = {"cursors": {"before": shown[0], "after": shown[-1]}} if shown else {}
        return {"data": [page.personas[id_] for id_ in shown], "paging": paging}

    async def _make_persona(self, request: web.Request, page: _Page) -> Json:
        self._own(request, page)
        body = await self._json(request)
        known(body, ("name", "profile_picture_url"), "body")
        name, picture = body.get("name"), body.get("profile_picture_url")
        if not isinstance(name, str) or not 1 <= len(name) <= PERSONA_LIMIT:
            raise bad(f"Param name must have 1 to {PERSONA_LIMIT} characters")
        if urlsplit(str(picture or "")).scheme not in ("http", "https"):
            raise bad("The parameter profile_picture_url is required")
        id_ = str(secrets.randbelow(9 * 10**14) + 10**14)
        page.personas[id_] = {"id": id_, "name": name, "profile_picture_url": picture}
        return {"id": id_}

    async def _cdn(self, request: web.Request) -> web.Response:
        """Give out a file; its URL is secret enough, as Meta's is."""
        file = self.world.media.get(request.match_info["id"])
        if file is None:
            return web.Response(status=404)
        return web.Response(body=file.data, content_type=file.mime)

    # -- the Send API -----------------------------------------------------------------

    async def _post(self, request: web.Request, page: _Page) -> Json:
        self._own(request, page)
        body = await self._json(request)
        known(body, _BODY, "body")
        recipient = an_object(body.get("recipient"), "recipient")
        user = recipient.get("id")
        if not isinstance(user, str) or user not in page.last_heard:
            raise bad("No matching user found", 2018001)
        if user in page.blocked:
            raise GraphError(551, "This person isn't receiving messages from you right now.")
        if body.get("sender_action") is not None:
            return self._act(page, user, body)
        if body.get("payload") is not None:
            raise bad("Param payload goes with sender_action")
        shown = message(body.get("message"))
        mid = _mid()
        entry = Entry(self.channel, page.account, user, mid, "out", shown.content.kind)
        entry.content, entry.buttons, entry.status = encode(shown.content), shown.buttons, "sent"
        try:
            self._check_window(page, user, body)
        except GraphError as error:
            self.world.ledger.miss(entry, str(error), str(error.body["code"]))
            raise
        entry.agent = self._agent(page, body)
        self.world.ledger.add(entry)
        self._echo(page, user, mid, body["message"])
        self._delivered(page, user, entry)
        return {"recipient_id": user, "message_id": mid}

    def _check_window(self, page: _Page, user: str, body: Json) -> None:
        """Refuse what may not be sent so long after the customer wrote, reference/send-api."""
        kind, tag = body.get("messaging_type"), body.get("tag")
        template = "template" in body["message"]
        if kind not in ("RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"):
            raise bad("Param messaging_type must be RESPONSE, UPDATE, MESSAGE_TAG or UTILITY")
        if (kind == "UTILITY") is not template:
            raise bad("A utility message has a template, and nothing else has")
        if (kind == "MESSAGE_TAG") is (tag is None):
            raise bad("A tag goes with the messaging type MESSAGE_TAG")
        if tag in RETIRED_TAGS or tag not in (None, "HUMAN_AGENT"):
            raise bad("Invalid parameter")
        age = time.time() - page.last_heard[user]
        if template or age <= (HUMAN_AGENT_SECONDS if tag else WINDOW_SECONDS):
            return
        raise GraphError(
            10,
            "This message is sent outside of allowed window. Learn more about the new policy "
            "here: https://developers.facebook.com/docs/messenger-platform/policy-overview",
            subcode=2018278,
        )

    @staticmethod
    def _agent(page: _Page, body: Json) -> str:
        id_ = body.get("persona_id")
        if id_ is None:
            return ""
        persona = page.personas.get(str(id_))
        if persona is None:
            raise bad("Invalid parameter: persona_id")
        return str(persona["name"])

    def _act(self, page: _Page, user: str, body: Json) -> Json:
        """Do a sender action, send-messages/sender-actions."""
        action = body["sender_action"]
        allowed: tuple[str, ...] = ("recipient", "sender_action")
        if action in ("react", "unreact"):
            allowed = (*allowed, "payload")
        known(body, allowed, "body")
        if action == "typing_on":
            self.world.ledger.typing(self.channel, page.account, user)
        elif action == "mark_seen":
            for entry in self.world.ledger.select(self.channel, page.account, user):
                if entry.direction == "in":
                    self.world.ledger.settle(entry, "read")
        elif action in ("react", "unreact"):
            payload = an_object(body.get("payload"), "payload")
            id_ = str(payload.get("message_id") or "")
            found = [
                entry
                for entry in self.world.ledger.select(self.channel, page.account, user)
                if id_ and (entry.id == id_ or entry.album == id_)
            ]
            emoji = str(payload.get("reaction") or "")
            if not found or (action == "react") is not bool(emoji):
                raise bad("Invalid message to react to, or no reaction")
            self.world.ledger.react(found[0], "out", emoji)
        elif action != "typing_off":
            raise bad("Param sender_action must be typing_on, typing_off, mark_seen, (un)react")
        return {"recipient_id": user}

    # -- webhooks -----------------------------------------------------------------

    def _echo(self, page: _Page, user: str, mid: str, sent: Json) -> None:
        """Tell that a message was sent, webhooks/webhook-events/message-echoes."""
        said: Json = {"is_echo": True, "app_id": 1517776481860111, "mid": mid}
        if "metadata" in sent:
            said["metadata"] = sent["metadata"]
        if "text" in sent:
            said["text"] = sent["text"]
        elif "attachment" in sent:
            said["attachments"] = [sent["attachment"]]
        event = {
            "sender": {"id": page.page_id},
            "recipient": {"id": user},
            "timestamp": _now(),
            "message": said,
        }
        self._push(page, f"{user}:status", [event], [])

    def _delivered(self, page: _Page, user: str, entry: Entry) -> None:
        """Tell that the phone has a message, webhooks/webhook-events/message-deliveries."""
        event = {
            "sender": {"id": user},
            "recipient": {"id": page.page_id},
            "timestamp": _now(),
            "delivery": {"mids": [entry.id], "watermark": _now()},
        }

        def done() -> None:
            self.world.ledger.settle(entry, "delivered")

        self._push(page, f"{user}:status", [event], [], delay=_DELIVERED_AFTER, then=done)

    def _push(
        self,
        page: _Page,
        key: str,
        events: list[Json],
        entries: list[Entry],
        *,
        delay: float = 0.0,
        copies: int = 1,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        # "Note that even though this is an array, it will only contain one messaging object":
        # a batch is of several entries.
        envelope = {
            "object": "page",
            "entry": [
                {"id": page.page_id, "time": _now(), "messaging": [event]} for event in events
            ],
        }
        # Like Meta's, the body is ASCII with escapes, and the signature is over these bytes.
        body = json.dumps(envelope).encode("ascii")
        headers = {"Content-Type": "application/json", **self.sign(page.account, body, "right")}
        push = Push(self.webhook_url(page.account), headers, body)

        async def ready() -> None:
            await page.verified.wait()

        def done() -> None:
            for entry in entries:
                self.world.ledger.settle(entry, "delivered")
            then()

        self.world.delivery.push(
            f"messenger:{page.account}:{key}",
            Job(lambda: push, done, ready=ready, delay=delay, copies=copies),
        )

    def sign(self, account: str, body: bytes, signature: str) -> dict[str, str]:
        """Return X-Hub-Signature-256, right, wrong or not at all."""
        page = self._account(account)
        if signature == "none":
            return {}
        secret = page.app_secret if signature == "right" else secrets.token_hex(16)
        return {
            "X-Hub-Signature-256": f"sha256={hmac.new(secret.encode(), body, sha256).hexdigest()}"
        }

    # -- the customers ------------------------------------------------------------

    def accounts(self) -> list[dict[str, str]]:
        """Return the Pages by account and name."""
        return [{"account": p.account, "name": p.name} for p in self._pages.values()]

    def _account(self, account: str) -> _Page:
        page = self._pages.get(account)
        if page is None:
            raise BadRequest(f"no messenger account {account!r} in the sandbox")
        return page

    def say(self, said: Sequence[Said], together: bool) -> list[str]:
        """Let customers say something, in one webhook or one each.

        Files of one `album` are one message. Raises BadRequest, Overfull.
        """
        self.world.delivery.room(len(said))
        for one in said:
            self._account(one.account)
            self.number(one.user)
        if together and len({one.account for one in said}) > 1:
            raise BadRequest("a batch is of one account")
        # By place, not by identity: the same thing may be said many times.
        groups: OrderedDict[Any, list[int]] = OrderedDict()
        for n, one in enumerate(said):
            key = (one.account, one.user, one.album) if one.album else n
            groups.setdefault(key, []).append(n)
        for group in groups.values():
            files = all(isinstance(said[n].content, Media) for n in group)
            if len(group) > 1 and not files:
                raise BadRequest("only files go together as one message")
        made = [self._made([said[n] for n in group]) for group in groups.values()]
        told = [each for each in made if each.event is not None]
        if together and told:
            events = [each.event for each in told if each.event is not None]
            entries = [entry for each in told for entry in each.entries]
            first = told[0]
            self._push(first.page, first.said.user, events, entries, copies=first.said.copies)
        else:
            for each in told:
                events = [each.event] if each.event is not None else []
                user, copies = each.said.user, each.said.copies
                self._push(each.page, user, events, each.entries, copies=copies)
        ids: dict[int, str] = {}
        for group, each in zip(groups.values(), made, strict=True):
            several = len(group) > 1
            ids |= {n: f"{each.id}.{at}" if several else each.id for at, n in enumerate(group)}
        return [ids[n] for n in range(len(said))]

    def _made(self, group: Sequence[Said]) -> _Made:
        """Do what a customer does, and return its webhook and what the phone shows of it."""
        said, content = group[0], group[0].content
        made = _Made(self._account(said.account), said, _mid())
        if said.raw is not None:
            made.event = {**self._event(made), **said.raw}
        elif isinstance(content, Event):
            self._happened(made, content)
        elif isinstance(content, Choice):
            self._press(made, content)
        elif isinstance(content, Reaction):
            self._reacted(made, content)
        elif isinstance(content, Edit):
            self._edited(made, content)
        elif isinstance(content, Deletion):
            self._deleted(made, content)
        elif isinstance(content, Order):
            made.event = {**self._event(made), "order": _cart(content)}
            self._show(made, [content])
        else:
            contents = [self._checked(one.content or Text(one.text)) for one in group]
            self._say(made, contents)
        blocks = isinstance(content, Event) and content.name in ("blocked", "unblocked")
        if not blocks:
            made.page.last_heard[said.user] = said.at.timestamp()
        return made

    def _event(self, made: _Made) -> Json:
        return {
            "sender": {"id": made.said.user},
            "recipient": {"id": made.page.page_id},
            "timestamp": int(made.said.at.timestamp() * 1000),
        }

    def _show(self, made: _Made, contents: Sequence[Content], *, silent: bool = False) -> None:
        """Put what a customer said on the phone, a bubble for each file of an album."""
        said = made.said
        several = len(contents) > 1
        for n, content in enumerate(contents):
            id_ = f"{made.id}.{n}" if several else made.id
            entry = Entry(self.channel, made.page.account, said.user, id_, "in", content.kind)
            entry.content, entry.silent, entry.at = encode(content), silent, said.at
            entry.album = made.id if several else ""
            entry.quote = said.reply_to or (content.of if isinstance(content, Choice) else "")
            entry.referral = asdict(said.referral) if said.referral else None
            entry.status = "pending"
            made.entries.append(self.world.ledger.add(entry))

    def _checked(self, content: Content) -> Content:
        if isinstance(content, (Text, Location)):
            return content
        if isinstance(content, Contact) and content.own and content.phones:
            return content
        if isinstance(content, Media) and content.type in _ATTACHMENTS:
            file = self.world.file(content)
            return Media(
                content.type,
                file.url,
                mime=file.mime,
                caption=content.caption,
                filename=content.filename or file.filename,
                size=len(file.data),
            )
        raise BadRequest(f"Messenger has nothing like this {content.kind}")

    def _say(self, made: _Made, contents: Sequence[Content]) -> None:
        """Write a message, webhooks/webhook-events/messages."""
        said: Json = {"mid": made.id}
        first = contents[0]
        files = [content for content in contents if isinstance(content, Media)]
        if isinstance(first, Text):
            if not first.text.strip():
                raise BadRequest("text is empty")
            said["text"] = first.text
        elif isinstance(first, Contact):
            # The quick reply that asks for the number sends it as its payload.
            said["text"] = first.phones[0]
            said["quick_reply"] = {"payload": first.phones[0]}
        elif isinstance(first, Location):
            place = {"lat": first.latitude, "long": first.longitude}
            said["attachments"] = [
                {
                    "type": "location",
                    "title": first.name or f"{made.said.name}'s Location",
                    "payload": {"coordinates": place},
                }
            ]
        if files:
            said["attachments"] = [self._attached(file) for file in files]
            words = "\n".join(file.caption for file in files if file.caption)
            if words:
                said["text"] = words
        self._came_from(made, said)
        made.event = {**self._event(made), "message": said}
        self._show(made, contents)

    def _attached(self, media: Media) -> Json:
        file = self.world.file(media)
        name = quote(media.filename or f"{media.type}.{file.extension}", safe="")
        payload: Json = {"url": f"{self.world.sandbox_url}/messenger/cdn/{file.id}/{name}"}
        if media.type == "sticker":
            payload["sticker_id"] = 842488328414943
        return {"type": _ATTACHMENTS[media.type], "payload": payload}

    def _came_from(self, made: _Made, message: Json) -> None:
        """Put into a message what it quotes and where the customer came from."""
        said = made.said
        if said.reply_to:
            quoted = self._on_phone(made, said.reply_to)
            message["reply_to"] = {
                "mid": quoted.album or quoted.id,
                "is_self_reply": quoted.direction == "in",
            }
        if said.referral is not None:
            message["referral"] = _referral(said)

    def _on_phone(self, made: _Made, id_: str) -> Entry:
        return self.world.ledger.own(self.channel, made.page.account, made.said.user, id_)

    def _press(self, made: _Made, choice: Choice) -> None:
        """Press a quick reply, which is a message, or a button, which is a postback."""
        shown, option = self.world.ledger.pressable(
            self.channel, made.page.account, made.said.user, choice.payload, choice.of
        )
        if any(b.get("quick") for row in shown.buttons for b in row):
            said = {
                "mid": made.id,
                "text": option.title,
                "quick_reply": {"payload": option.payload},
            }
            # They vanish with the answer.
            shown.buttons = []
            shown.content = encode(Text(str(shown.content.get("text", ""))))
            self.world.ledger.changed(shown)
            made.event = {**self._event(made), "message": said}
        else:
            postback = {"mid": made.id, "title": option.title, "payload": option.payload}
            made.event = {**self._event(made), "postback": postback}
        self._show(made, [Choice(option.payload, option.title, shown.id)])

    def _reacted(self, made: _Made, reaction: Reaction) -> None:
        entry = self._on_phone(made, reaction.of)
        emoji = "" if reaction.removed else reaction.emoji
        shown = emoji or entry.reactions.get("in", "")
        self.world.ledger.react(entry, "in", emoji)
        made.event = {
            **self._event(made),
            "reaction": {
                "reaction": _WORDS.get(shown, "other"),
                "emoji": shown,
                "action": "react" if emoji else "unreact",
                "mid": entry.album or entry.id,
            },
        }

    def _edited(self, made: _Made, edit: Edit) -> None:
        entry = self._written(made, edit.of)
        count = int(entry.native.get("edits", 0)) + 1
        if count > EDITS:
            raise BadRequest(f"Messenger lets one edit a message {EDITS} times")
        if entry.content.get("kind") != Text.kind:
            raise BadRequest("only texts are edited in Messenger")
        entry.native["edits"] = count
        self.world.ledger.edit(entry, Text(edit.text))
        changed = {"mid": entry.id, "text": edit.text, "num_edit": count}
        made.event = {**self._event(made), "message_edit": changed}

    def _deleted(self, made: _Made, deletion: Deletion) -> None:
        entry = self._written(made, deletion.of)
        self.world.ledger.delete(entry)
        gone = {"mid": entry.album or entry.id, "is_deleted": True}
        made.event = {**self._event(made), "message": gone}

    def _written(self, made: _Made, id_: str) -> Entry:
        entry = self._on_phone(made, id_)
        if entry.direction != "in":
            raise BadRequest("only own messages are changed or taken back")
        return entry

    def _happened(self, made: _Made, event: Event) -> None:
        page, said = made.page, made.said
        if event.name in ("blocked", "unblocked"):
            # Of this the Page is told nothing; what it sends is refused.
            (page.blocked.add if event.name == "blocked" else page.blocked.discard)(said.user)
            self._show(made, [event], silent=True)
            for entry in made.entries:
                self.world.ledger.settle(entry, "delivered")
            return
        if event.name == "start":
            postback: Json = {"mid": made.id, "title": "Get Started", "payload": page.get_started}
            if event.data or said.referral:
                postback["referral"] = _referral(said, event.data)
            made.event = {**self._event(made), "postback": postback}
        elif event.name == "referral":
            made.event = {**self._event(made), "referral": _referral(said, event.data)}
        elif event.name in ("opt_out", "opt_in"):
            status = "STOP_NOTIFICATIONS" if event.name == "opt_out" else "RESUME_NOTIFICATIONS"
            optin = {
                "type": "notification_messages",
                "payload": "news",
                "notification_messages_token": secrets.token_hex(8),
                "notification_messages_status": status,
            }
            made.event = {**self._event(made), "optin": optin}
        else:
            raise BadRequest(f"Messenger has nothing like {event.name}")
        self._show(made, [event], silent=True)

    def look(self, account: str, user: str) -> None:
        """Mark the bot's messages read and tell the gateway so, by a watermark."""
        page = self._account(account)
        unread = [
            entry
            for entry in self.world.ledger.select(self.channel, account, user)
            if entry.direction == "out" and self.world.ledger.settle(entry, "read")
        ]
        if unread:
            event = {
                "sender": {"id": user},
                "recipient": {"id": page.page_id},
                "timestamp": _now(),
                "read": {"watermark": _now()},
            }
            self._push(page, f"{user}:status", [event], [])


def _now() -> int:
    return int(time.time() * 1000)


def _mid() -> str:
    return f"m_{secrets.token_urlsafe(48)}"


def _referral(said: Said, ref: str = "") -> Json:
    """Write how a customer came, webhooks/webhook-events/messaging_referrals."""
    came = said.referral
    if came is None:
        return {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}
    if came.source == "product":
        return {"product": {"id": came.ref}}
    found: Json = {
        "ref": ref or came.ref,
        "source": _SOURCES.get(came.source, came.source.upper()),
        "type": "OPEN_THREAD",
    }
    if came.source == "ad":
        found |= {"ad_id": came.ref, "ads_context_data": {"ad_title": came.title}}
    if came.url:
        found["referer_uri"] = came.url
    return found


def _cart(order: Order) -> Json:
    """Write a cart, webhooks/webhook-events/send_cart."""
    products = []
    for n, item in enumerate(order.items, 1):
        good = GOODS.get(item.product)
        price = item.price or (good.price if good else "0")
        products.append(
            {
                "id": n,
                "retailer_id": item.product,
                "name": good.title if good else item.product,
                "unit_price": float(price),
                "currency": item.currency or (good.currency if good else "EUR"),
                "quantity": item.quantity,
            }
        )
    return {"products": products, "note": order.note}


def _refuse(status: int, retry_after: int) -> web.Response:
    if status == 429:
        error = GraphError(613, "Calls to this API have exceeded the rate limit.", status=429)
    else:
        error = GraphError(2, "An unexpected error has occurred.", status=500)
    headers = {"Retry-After": str(retry_after)} if status == 429 else {}
    return web.json_response({"error": error.body}, status=error.status, headers=headers)


def _unknown(request: web.Request) -> GraphError:
    return GraphError(
        100,
        f"Unsupported {request.method.lower()} request. Object with ID "
        f"'{request.match_info['id']}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation",
        subcode=33,
    )
