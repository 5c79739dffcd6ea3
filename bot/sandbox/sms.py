"""A stand-in for Twilio's Programmable Messaging: the Messages API, webhooks, STOP.

Requests: https://www.twilio.com/docs/messaging/api/message-resource
Webhooks: https://www.twilio.com/docs/messaging/guides/webhook-request and
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
Errors: https://www.twilio.com/docs/usage/twilios-response and
https://www.twilio.com/docs/api/errors
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import mimetypes
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web

from bot.message import Contact, Content, Event, Media, Text, encode, utcnow
from bot.sandbox.delivery import Job, Push
from bot.sandbox.errors import BadRequest
from bot.sandbox.ledger import Entry
from bot.sandbox.media import type_of
from bot.sandbox.standin import Said, StandIn, World
from connectors.lengths import is_gsm7, segments

logger = logging.getLogger(__name__)

VERSION = "2010-04-01"
BODY_LIMIT = 1600
MEDIA_LIMIT = 10

# How long the carrier takes to say that the phone has a message, seconds.
_DELIVERED_AFTER = 0.1
_KEEP = 10_000
_PAGE = 1000

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}")
_HTTP = re.compile(r"https?://[^\s/]", re.I)

# https://help.twilio.com/articles/223134027: words that count alone, and Twilio's answers.
STOP = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT")
START = ("START", "UNSTOP")
HELP = ("HELP", "INFO")
ANSWERS = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages "
    "from this number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP "
    "for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
_OPT_OUT_EVENTS = {"opt_out": "STOP", "opt_in": "START"}

# Numbers that always fail alike: https://www.twilio.com/docs/iam/test-credentials
MAGIC = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_ERRORS = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "Invalid 'To' Phone Number"),
    21266: (400, "'To' and 'From' number cannot be the same"),
    21408: (403, "Permission to send an SMS has not been enabled for the region"),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21609: (400, "The StatusCallback URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21612: (400, "The 'To' phone number is not currently reachable using the 'From' number"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21619: (400, "A text message body or media urls must be specified."),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21659: (400, "'From' is not a Twilio phone number or Short Code country mismatch"),
    21705: (400, "The Messaging Service Sid is invalid"),
}

Json = dict[str, Any]


class TwilioError(Exception):
    """An error the API answers with."""

    def __init__(self, code: int) -> None:
        self.status, message = _ERRORS[code]
        super().__init__(message)
        self.body: Json = {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": self.status,
        }

    def answer(self, **headers: str) -> web.Response:
        """Return the response."""
        return web.json_response(self.body, status=self.status, headers=headers)


@dataclass(slots=True)
class _Sender:
    """One account of credentials.yml: a number of a Twilio account."""

    account: str
    sid: str
    token: str = field(repr=False)
    number: str
    service: str
    public_url: str
    stopped: set[str] = field(init=False, default_factory=set)
    messages: OrderedDict[str, Json] = field(init=False, default_factory=OrderedDict)
    # A file's id in the store and its media type, by Twilio's id of it.
    media: OrderedDict[str, tuple[str, str]] = field(init=False, default_factory=OrderedDict)

    def keep(self, message: Json) -> None:
        self.messages[message["sid"]] = message
        while len(self.messages) > _KEEP:
            self.messages.popitem(last=False)

    def sign(self, url: str, pairs: Sequence[tuple[str, str]]) -> str:
        """https://www.twilio.com/docs/usage/webhooks/webhooks-security."""
        words = url + "".join(name + value for name, value in sorted(set(pairs)))
        digest = hmac.new(self.token.encode(), words.encode("utf-8", "replace"), hashlib.sha1)
        return base64.b64encode(digest.digest()).decode()


class Sms(StandIn):
    """The Messages API of every sms account in the sandbox's credentials."""

    channel: ClassVar[str] = "sms"
    can: ClassVar[frozenset[str]] = frozenset(
        {"text", "image", "audio", "voice", "video", "document", "contact", "album"}
        | {"opt_out", "opt_in"}
    )

    def __init__(self, world: World, accounts: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(world, accounts)
        senders = [
            _Sender(
                account=str(a["account"]),
                sid=str(a["account_sid"]),
                token=str(a["auth_token"]),
                number=str(a.get("from") or "+12025550100"),
                service=str(a.get("messaging_service_sid") or ""),
                public_url=str(a["public_url"]).rstrip("/"),
            )
            for a in accounts
        ]
        self._senders = {sender.account: sender for sender in senders}

    # -- HTTP ---------------------------------------------------------------------

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the API's routes."""
        base = f"/sms/{VERSION}/Accounts/{{sid}}"
        return [
            web.post(f"{base}/Messages.json", self._route("messages", self._create)),
            web.get(f"{base}/Messages.json", self._route("list", self._list)),
            web.get(f"{base}/Messages/{{id}}.json", self._route("fetch", self._fetch)),
            web.get(f"{base}/Messages/{{id}}/Media/{{media}}", self._route("media", self._media)),
            web.get(f"{base}.json", self._route("account", self._account_resource)),
            web.get("/sms/cdn/{id}", self._cdn),
        ]

    def _route(
        self, method: str, work: Callable[[web.Request, _Sender], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handled(request: web.Request) -> web.Response:
            async def handle() -> web.Response:
                try:
                    return await work(request, self._authorized(request))
                except TwilioError as error:
                    realm = {"WWW-Authenticate": 'Basic realm="Twilio API"'}
                    return error.answer(**(realm if error.status == 401 else {}))

            return await self.world.faults.call(request, self.channel, method, handle, _refuse)

        return handled

    def _authorized(self, request: web.Request) -> _Sender:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            user, _, word = base64.b64decode(given, validate=True).decode().partition(":")
        except (ValueError, binascii.Error):
            raise TwilioError(20003) from None
        for sender in self._senders.values():
            if sender.sid == user and hmac.compare_digest(sender.token.encode(), word.encode()):
                if kind.lower() != "basic":
                    break
                if request.match_info["sid"] != sender.sid:
                    raise TwilioError(20404)
                return sender
        raise TwilioError(20003)

    async def _account_resource(self, request: web.Request, sender: _Sender) -> web.Response:
        return web.json_response(
            {
                "sid": sender.sid,
                "friendly_name": f"Frontdesk {sender.account}",
                "status": "active",
                "type": "Full",
                "owner_account_sid": sender.sid,
                "uri": f"/{VERSION}/Accounts/{sender.sid}.json",
            }
        )

    # -- messages -----------------------------------------------------------------

    async def _create(self, request: web.Request, sender: _Sender) -> web.Response:
        form = await request.post()

        def given(name: str) -> str:
            return str(form.get(name) or "")

        to, service = given("To"), given("MessagingServiceSid")
        files = [str(url) for url in form.getall("MediaUrl", [])]
        self._check(sender, to, given("From"), service, given("Body"), files)
        callback = given("StatusCallback")
        if callback and not _HTTP.match(callback):
            raise TwilioError(21609)
        if to in sender.stopped:
            raise TwilioError(21610)
        body = given("Body")
        message = self._message(sender, to, body, files, service)
        sender.keep(message)
        self._show(sender, message, body, files)
        answer = dict(message)
        number = sender.number
        first = "accepted" if service else "queued"
        for word, delay in ((first, 0.0), ("sent", 0.0), ("delivered", _DELIVERED_AFTER)):
            self._status(sender, message["sid"], to, number, word, callback, delay)
        return web.json_response(answer, status=201)

    def _check(
        self, sender: _Sender, to: str, number: str, service: str, body: str, files: list[str]
    ) -> None:
        """Raise what Twilio answers to a request that it does not take."""
        if not to:
            raise TwilioError(21604)
        if not number and not service:
            raise TwilioError(21603)
        if service and service != sender.service:
            raise TwilioError(21705)
        if not service and number != sender.number:
            raise TwilioError(21659)
        if to in MAGIC:
            raise TwilioError(MAGIC[to])
        if not _NUMBER.fullmatch(to):
            raise TwilioError(21211)
        if to == sender.number:
            raise TwilioError(21266)
        if not body and not files:
            raise TwilioError(21619)
        if len(body) > BODY_LIMIT:
            raise TwilioError(21617)
        if len(files) > MEDIA_LIMIT:
            raise TwilioError(21623)
        if not all(map(_HTTP.match, files)):
            raise TwilioError(21620)

    def _message(self, sender: _Sender, to: str, body: str, files: list[str], service: str) -> Json:
        sid = _sid("MM" if files else "SM")
        uri = f"/{VERSION}/Accounts/{sender.sid}/Messages/{sid}"
        now = _date(utcnow())
        return {
            "account_sid": sender.sid,
            "api_version": VERSION,
            "body": body,
            "date_created": now,
            "date_sent": None,
            "date_updated": now,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": None if service else sender.number,
            "messaging_service_sid": service or None,
            "num_media": str(len(files)),
            # A service has not chosen the sender yet, hence not counted.
            "num_segments": "0" if service else str(max(segments(body), 1)),
            "price": None,
            "price_unit": None,
            "sid": sid,
            "status": "accepted" if service else "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": to,
            "uri": f"{uri}.json",
        }

    def _show(self, sender: _Sender, message: Json, body: str, files: list[str]) -> None:
        """Put a message on the phone: words, or files with the words at the first."""
        sid, to = message["sid"], message["to"]
        contents: list[Content] = [Text(body)]
        if files:
            contents = [
                Media(
                    type_of(mimetypes.guess_type(urlsplit(url).path)[0] or "image/jpeg"),
                    url=url,
                    caption="" if n else body,
                )
                for n, url in enumerate(files)
            ]
        count = segments(body)
        alphabet = "GSM-7" if is_gsm7(body) else "UCS-2"
        for n, content in enumerate(contents):
            entry = Entry("sms", sender.account, to, sid if not n else f"{sid}.{n}", "out")
            entry.content, entry.kind = encode(content), content.kind
            entry.status = "sent"
            entry.album = sid if len(contents) > 1 else ""
            if not files and count > 1:
                entry.footer = f"{count} segments, {alphabet}"
            self.world.ledger.add(entry)

    async def _list(self, request: web.Request, sender: _Sender) -> web.Response:
        """Newest first. https://www.twilio.com/docs/usage/twilios-response#pagination."""
        query = request.query
        size = _whole(query.get("PageSize", "50"), 1, _PAGE)
        page = _whole(query.get("Page", "0"), 0, 10**6)
        found = [
            m
            for m in reversed(sender.messages.values())
            if query.get("To") in (None, m["to"])
            and query.get("From") in (None, m["from"])
            and _on_day(m["date_sent"], query)
        ]
        uri = f"/{VERSION}/Accounts/{sender.sid}/Messages.json"

        def at(number: int) -> str:
            return f"{uri}?{urlencode({**query, 'PageSize': size, 'Page': number})}"

        begin = page * size
        more = len(found) > begin + size
        return web.json_response(
            {
                "messages": found[begin : begin + size],
                "page": page,
                "page_size": size,
                "start": begin,
                "end": max(min(begin + size, len(found)) - 1, 0),
                "uri": at(page),
                "first_page_uri": at(0),
                "next_page_uri": at(page + 1) if more else None,
                "previous_page_uri": at(page - 1) if page else None,
            }
        )

    async def _fetch(self, request: web.Request, sender: _Sender) -> web.Response:
        message = sender.messages.get(request.match_info["id"])
        if message is None:
            raise TwilioError(20404)
        return web.json_response(message)

    # -- media --------------------------------------------------------------------

    async def _media(self, request: web.Request, sender: _Sender) -> web.Response:
        """Lead to where the bytes are, as Twilio does: https://help.twilio.com/articles/223183748."""
        file, _ = sender.media.get(request.match_info["media"], ("", ""))
        if not file or self.world.media.get(file) is None:
            raise TwilioError(20404)
        place = f"{self.world.sandbox_url}/sms/cdn/{request.match_info['media']}"
        return web.Response(status=307, headers={"Location": place})

    async def _cdn(self, request: web.Request) -> web.Response:
        """Give a file to whoever knows its long name, for a while."""
        for sender in self._senders.values():
            file, mime = sender.media.get(request.match_info["id"], ("", ""))
            found = self.world.media.get(file) if file else None
            if found is not None:
                return web.Response(body=found.data, content_type=mime)
        return web.Response(status=404)

    # -- webhooks -----------------------------------------------------------------

    def _status(
        self,
        sender: _Sender,
        sid: str,
        to: str,
        number: str,
        word: str,
        callback: str,
        delay: float,
    ) -> None:
        """Move a message on, and push a status to where its creator asked for it."""
        pairs = [
            ("SmsSid", sid),
            ("SmsStatus", word),
            ("MessageStatus", word),
            ("To", to),
            ("MessageSid", sid),
            ("AccountSid", sender.sid),
            ("From", number),
            ("ApiVersion", VERSION),
        ]
        if word == "delivered":
            pairs.append(("RawDlrDoneDate", f"{utcnow():%y%m%d%H%M}"))
        asked = callback.startswith(f"{sender.public_url}/")
        if callback and not asked:
            logger.warning("sandbox: a status callback to another place is left out")
        url = self.world.gateway_url + callback.removeprefix(sender.public_url)
        push = Push(url, self._headers(sender, callback, pairs), urlencode(pairs).encode())

        def request() -> Push | None:
            self._moved(sender, sid, number, word)
            return push if asked else None

        key = f"sms:{sender.account}:{to}:status"
        self.world.delivery.push(key, Job(request, delay=delay))

    def _moved(self, sender: _Sender, sid: str, number: str, word: str) -> None:
        message = sender.messages.get(sid)
        if message is not None:
            now = _date(utcnow())
            message |= {"status": word, "from": number, "date_updated": now}
            if word in ("sent", "delivered"):
                message["date_sent"] = message["date_sent"] or now
        if word == "delivered":
            for id_ in (sid, *(f"{sid}.{n}" for n in range(1, MEDIA_LIMIT))):
                entry = self.world.ledger.get("sms", sender.account, id_)
                if entry is not None:
                    self.world.ledger.settle(entry, "delivered")

    def _headers(
        self, sender: _Sender, url: str, pairs: Sequence[tuple[str, str]]
    ) -> dict[str, str]:
        return {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": sender.sign(url, pairs),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
        }

    def _place(self, sender: _Sender) -> str:
        return f"{sender.public_url}/webhooks/sms/{sender.account}"

    def sign(self, account: str, body: bytes, signature: str) -> dict[str, str]:
        """Return X-Twilio-Signature, right, wrong or not at all, and a form's content type."""
        sender = self._sender(account)
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        headers = self._headers(sender, self._place(sender), pairs)
        if signature == "none":
            del headers["X-Twilio-Signature"]
        elif signature == "wrong":
            headers["X-Twilio-Signature"] = base64.b64encode(secrets.token_bytes(20)).decode()
        return headers

    # -- the customers ------------------------------------------------------------

    def accounts(self) -> list[dict[str, str]]:
        """Return the senders by account, name and number."""
        return [
            {"account": s.account, "name": s.number, "number": s.number}
            for s in self._senders.values()
        ]

    def _sender(self, account: str) -> _Sender:
        sender = self._senders.get(account)
        if sender is None:
            raise BadRequest(f"no sms account {account!r} in the sandbox")
        return sender

    def look(self, account: str, user: str) -> None:
        """Nothing: nobody is told when an SMS is read."""
        self._sender(account)

    def say(self, said: Sequence[Said], together: bool) -> list[str]:
        """Let customers write, each message in a webhook of its own.

        Files of one `album` are one MMS. Raises BadRequest, Overfull.
        """
        self.world.delivery.room(len(said))
        # By place, not by identity: the same thing may be said many times.
        groups: OrderedDict[Any, list[int]] = OrderedDict()
        for n, one in enumerate(said):
            self._sender(one.account)
            if not any(k.fullmatch(one.user) for k in (_NUMBER, _SHORT_CODE, _NAME)):
                raise BadRequest(
                    f"users of sms are numbers like +12025550123, not {one.user[:40]!r}"
                )
            key = (one.account, one.user, one.album) if one.album else n
            groups.setdefault(key, []).append(n)
        if together and len(groups) > 1:
            raise BadRequest("Twilio sends each message in a request of its own")
        contents = [self._content(one) if one.raw is None else None for one in said]
        for group in groups.values():
            if len(group) > MEDIA_LIMIT:
                raise BadRequest(f"an MMS has at most {MEDIA_LIMIT} files")
            if len(group) > 1 and not all(isinstance(contents[n], Media) for n in group):
                raise BadRequest("only files go together as one MMS")
        ids: dict[int, str] = {}
        for group in groups.values():
            sids = self._say(said[group[0]], [contents[n] for n in group])
            ids |= zip(group, sids, strict=True)
        return [ids[n] for n in range(len(said))]

    def _content(self, said: Said) -> Content:
        """Return what a phone can send by SMS or MMS. Raises BadRequest for all else."""
        content = said.content if said.content is not None else Text(said.text)
        if isinstance(content, Contact):
            card = self.world.media.put(_vcard(content), "contact.vcf")
            return Media("document", url=card.url, mime="text/x-vcard", filename="contact.vcf")
        if isinstance(content, Media):
            if content.type == "sticker":
                raise BadRequest("MMS has no stickers")
            file = self.world.file(content)
            return Media(content.type, file.url, mime=file.mime, caption=content.caption)
        if isinstance(content, Event) and content.name in _OPT_OUT_EVENTS:
            return content
        if isinstance(content, Text):
            return content
        what = content.name if isinstance(content, Event) else content.kind
        raise BadRequest(f"SMS has nothing like {what}")

    def _say(self, first: Said, contents: Sequence[Content | None]) -> list[str]:
        """Send one message and return the id of each of its files, or its own."""
        sender, said = self._sender(first.account), contents[0]
        files = [c for c in contents if isinstance(c, Media)]
        sid = _sid("MM" if files else "SM")
        word, body = "", ""
        if isinstance(said, Event):
            # As Advanced Opt-Out does: the webhook says what Twilio made of it.
            word = body = _OPT_OUT_EVENTS[said.name]
        elif isinstance(said, Text):
            body = said.text
        elif files:
            body = "\n".join(file.caption for file in files if file.caption)
        form = self._incoming(sender, sid, first.user, body, word)
        form |= self._attached(sender, sid, files)
        entries = self._entries(sender, sid, first.user, body, files) if first.raw is None else []
        if first.raw is not None:
            form |= {str(k): str(v) for k, v in first.raw.items()}
        elif not files:
            self._keyword(sender, first.user, body)
        self._deliver(sender, first, list(form.items()), entries)
        message = self._message(sender, sender.number, body, [f.url for f in files], "")
        uri = f"/{VERSION}/Accounts/{sender.sid}/Messages/{sid}"
        sender.keep(
            {
                **message,
                "sid": sid,
                "direction": "inbound",
                "status": "received",
                "from": first.user,
                "date_sent": message["date_created"],
                "subresource_uris": {"media": f"{uri}/Media.json"},
                "uri": f"{uri}.json",
            }
        )
        return [sid] if len(contents) == 1 else [f"{sid}.{n}" for n in range(len(contents))]

    def _incoming(
        self, sender: _Sender, sid: str, user: str, body: str, word: str
    ) -> dict[str, str]:
        form = {
            "ToCountry": "US",
            "ToState": "",
            "SmsMessageSid": sid,
            "NumMedia": "0",
            "ToCity": "",
            "FromZip": "",
            "SmsSid": sid,
            "FromState": "",
            "SmsStatus": "received",
            "FromCity": "",
            "Body": body,
            "FromCountry": "US",
            "To": sender.number,
            "ToZip": "",
            "NumSegments": str(max(segments(body), 1)),
            "MessageSid": sid,
            "AccountSid": sender.sid,
            "From": user,
            "ApiVersion": VERSION,
        }
        if sender.service:
            form["MessagingServiceSid"] = sender.service
        advanced = word or (sender.service and _keyword_of(body, False))
        if advanced:
            form["OptOutType"] = str(advanced)
        return form

    def _attached(self, sender: _Sender, sid: str, files: Sequence[Media]) -> dict[str, str]:
        form = {"NumMedia": str(len(files))}
        base = f"{self.world.sandbox_url}/sms/{VERSION}/Accounts/{sender.sid}/Messages/{sid}"
        for n, media in enumerate(files):
            file = self.world.file(media)
            name = _sid("ME")
            sender.media[name] = file.id, media.mime or file.mime
            while len(sender.media) > _KEEP:
                sender.media.popitem(last=False)
            form[f"MediaUrl{n}"] = f"{base}/Media/{name}"
            form[f"MediaContentType{n}"] = media.mime or file.mime
        return form

    def _entries(
        self, sender: _Sender, sid: str, user: str, body: str, files: Sequence[Media]
    ) -> list[Entry]:
        contents: Sequence[Content] = files or [Text(body)]
        entries = []
        for n, content in enumerate(contents):
            id_ = sid if len(contents) == 1 else f"{sid}.{n}"
            entry = Entry("sms", sender.account, user, id_, "in", content.kind)
            entry.content, entry.status = encode(content), "pending"
            entry.album = sid if len(contents) > 1 else ""
            entries.append(self.world.ledger.add(entry))
        return entries

    def _keyword(self, sender: _Sender, user: str, body: str) -> None:
        """Do what Twilio does by itself for STOP, START and HELP."""
        word = _keyword_of(body, user in sender.stopped)
        if not word:
            return
        if word == "STOP":
            sender.stopped.add(user)
        elif word == "START":
            sender.stopped.discard(user)
        entry = Entry("sms", sender.account, user, _sid("SM"), "out", "text")
        entry.content, entry.agent = encode(Text(ANSWERS[word])), "Twilio"
        self.world.ledger.add(entry)

    def _deliver(
        self, sender: _Sender, said: Said, pairs: list[tuple[str, str]], entries: list[Entry]
    ) -> None:
        headers = self._headers(sender, self._place(sender), pairs)
        body = urlencode(pairs, errors="replace").encode()
        push = Push(self.webhook_url(sender.account), headers, body)

        def done() -> None:
            for entry in entries:
                self.world.ledger.settle(entry, "delivered")

        self.world.delivery.push(
            f"sms:{sender.account}:{said.user}", Job(lambda: push, done, copies=said.copies)
        )


def _keyword_of(body: str, stopped: bool) -> str:
    """Return STOP, START or HELP for a message that is nothing else but such a word."""
    word = body.strip().upper()
    if word in STOP:
        return "STOP"
    # YES is an answer like any other but to somebody who is opted out.
    if word in START or (stopped and word == "YES"):
        return "START"
    return "HELP" if word in HELP else ""


def _sid(kind: str) -> str:
    return kind + secrets.token_hex(16)


def _date(at: datetime) -> str:
    return format_datetime(at.replace(microsecond=0))


def _whole(text: str, least: int, most: int) -> int:
    return min(max(int(text), least), most) if re.fullmatch(r"[0-9]{1,9}", text) else least


def _on_day(sent: str | None, query: Mapping[str, str]) -> bool:
    """Tell whether a message was sent on the day, or since or until it, in GMT."""
    asked = {name: query[name] for name in ("DateSent", "DateSent<", "DateSent>") if name in query}
    if not asked:
        return True
    if sent is None:
        return False
    day = datetime.strptime(sent[5:16], "%d %b %Y").date().isoformat()
    return (
        asked.get("DateSent", day) == day
        and day <= asked.get("DateSent<", day)
        and day >= asked.get("DateSent>", day)
    )


def _vcard(contact: Contact) -> bytes:
    """https://www.rfc-editor.org/rfc/rfc2426."""

    def line(name: str, value: str) -> str:
        escaped = re.sub(r"([\\,;])", r"\\\1", value).replace("\n", "\\n")
        return f"{name}:{escaped}"

    lines = ["BEGIN:VCARD", "VERSION:3.0", line("FN", contact.name), line("N", contact.name)]
    lines += [line("TEL;TYPE=CELL", phone) for phone in contact.phones]
    lines += [line("EMAIL", email) for email in contact.emails]
    return "\r\n".join([*lines, "END:VCARD", ""]).encode()


def _refuse(status: int, retry_after: int) -> web.Response:
    error = TwilioError(20429 if status == 429 else 20500)
    return error.answer(**({"Retry-After": str(retry_after)} if status == 429 else {}))
