"""WhatsApp through Meta's Cloud API: webhooks in, the Graph API out.

What arrives is read in `connectors.whatsapp_in` and `connectors.whatsapp_notices`, what is
sent is written in `connectors.whatsapp_out`. pywa gives the Graph client and the shapes of
buttons and list rows.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlsplit

import httpx
from pywa_async.api import GraphAPIAsync  # type: ignore[import-untyped]

from bot.message import Address, Media, Outbound, Template, clean
from connectors import fetching, meta, whatsapp_out
from connectors.base import Arrived, Capabilities, Connector, File, Request, Response
from connectors.errors import (
    ConnectorError,
    NoFile,
    NoMarketing,
    Rejected,
    RetryLater,
    Unsure,
    WindowClosed,
)
from connectors.http import is_loopback, retry_after
from connectors.whatsapp_in import MALFORMED, PHONE, PREFERENCE, Batch, is_user
from connectors.whatsapp_out import (
    BODY_LIMIT,
    BUTTON_TITLE,
    BUTTONS,
    CALLBACK_DATA_LIMIT,
    CAPTION_LIMIT,
    CARD_BUTTONS,
    CARD_TEXT,
    CARD_TITLE,
    CARDS,
    FILES,
    ROW_DESCRIPTION,
    ROW_ID,
    ROW_TITLE,
    ROWS,
    TEXT_LIMIT,
)

DOCS = "https://developers.facebook.com/documentation/business-messaging/whatsapp"
GRAPH_URL = "https://graph.facebook.com"
GRAPH_VERSION = 24.0

# Seconds. Meta answers in well under one. Connecting and reading together stay under the
# outbox's own 20, so that a refused connection is known as one and not as unknown outcome.
TIMEOUT = httpx.Timeout(connect=5.0, write=5.0, read=12.0, pool=2.0)

# {DOCS}/support/error-codes, for the answer to a request. Meta asks to go by `code`,
# not by the HTTP status or the subcode.
OVERLOADED: dict[int, float | None] = {
    1: None,  # unknown, "possible server error"
    2: None,  # temporary, down or overloaded
    4: None,  # the app's hourly calls
    80007: None,  # the WhatsApp Business Account's calls
    130429: None,  # the phone number's throughput
    131000: None,  # something went wrong
    131016: None,  # service unavailable
    131048: None,  # too many earlier messages were blocked or flagged as spam
    131056: 6.0,  # pair rate, see PAIR
    131057: None,  # the account is in maintenance, as for a throughput upgrade
    133004: None,  # server temporarily unavailable
}
# Too much for one customer, one message every 6 seconds to each; others may be written to.
PAIR = 131056
# The account is at fault, not the message: messages wait until an operator has put it
# right, for a rotated token or an unpaid bill must not drop what customers are owed.
OPERATOR: dict[int, str] = {
    0: "the token is not valid (expired, or the app was blocked); set a new one",
    3: "the token's app lacks the capability or permission",
    10: "the token's permission was not granted or was removed",
    33: "this business phone number does not exist any more; check phone_id",
    190: "the token has expired; set a new one",
    368: "the account is blocked for a policy violation, see WhatsApp Manager",
    131005: "the token's permission was not granted or was removed",
    131031: "the account is locked, see WhatsApp Manager",
    131037: "the phone number's display name is not approved yet",
    131042: "the account has a payment problem, see Meta Business billing",
    131045: "the phone number is not registered correctly",
    133010: "the phone number is not registered",
    **{code: "the token lacks a permission or it was removed" for code in range(200, 300)},
}
OPERATOR_WAIT = 60.0
# Code 100 with this subcode: the id asked for is unknown or not the token's.
# https://developers.facebook.com/docs/graph-api/guides/error-handling
UNKNOWN_OBJECT = (100, 33)
# 131026, undeliverable, is not AddressGone: its page names, beside a number without
# WhatsApp, old app versions and terms not yet accepted, and all of these pass.
FINAL: dict[int, type[Rejected]] = {
    131047: WindowClosed,  # over 24 hours since the customer last wrote
    131050: NoMarketing,  # the customer stopped marketing messages
}

_MEDIA_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")


@dataclass(frozen=True, slots=True)
class WhatsAppAccount:
    """One business phone number.

    `phone_id` is Meta's id of it, not the number. `token` is a system user's access
    token, `app_secret` the app's (it signs the webhooks), `verify_token` the word
    agreed on for the handshake. `api_url` replaces https://graph.facebook.com.

    `catalog` is the id of the number's product catalogue. `reopen_template`, in
    `reopen_language`, is an approved template without places to fill that asks the customer
    to write again: it is sent when something is to be said outside of the 24 hours.
    """

    account: str
    phone_id: str
    token: str = field(repr=False, metadata={"secret": True})
    app_secret: str = field(repr=False, metadata={"secret": True})
    verify_token: str = field(repr=False, metadata={"secret": True})
    api_url: str = ""
    catalog: str = ""
    reopen_template: str = ""
    reopen_language: str = "en"


class WhatsApp(Connector):
    """One phone number of the WhatsApp Cloud API."""

    channel: ClassVar[str] = "whatsapp"
    Account: ClassVar[type] = WhatsAppAccount
    capabilities: ClassVar[Capabilities] = Capabilities(
        kinds_in=frozenset(
            {
                "text",
                "choice",
                "media",
                "location",
                "contact",
                "order",
                "reaction",
                "edit",
                "deletion",
                "event",
                "unsupported",
            }
        ),
        kinds_out=frozenset(
            {
                "text",
                "choices",
                "menu",
                "cards",
                "template",
                "products",
                "ask",
                "media",
                "location",
                "contact",
                "reaction",
            }
        ),
        text_limit=TEXT_LIMIT,
        text_unit="characters",
        caption_limit=CAPTION_LIMIT,
        buttons=BUTTONS,
        button_title=BUTTON_TITLE,
        # A button takes 256, a list row 200: what fits both can be sent as either.
        payload_limit=ROW_ID,
        # {DOCS}/throughput
        rate=80.0,
        grace=20.0,
        settled_by_receipts=True,
        # {DOCS}/messages/send-messages#customer-service-windows
        window_hours=24.0,
        list_rows=ROWS,
        row_title=ROW_TITLE,
        row_description=ROW_DESCRIPTION,
        choices_text_limit=BODY_LIMIT,
        markup="whatsapp",
        link_buttons="alone",
        cards=CARDS,
        card_buttons=CARD_BUTTONS,
        card_title=CARD_TITLE,
        card_text=CARD_TEXT,
        cards_alike=True,
        files=FILES,
        seen=True,
        # {DOCS}/typing-indicators
        typing_seconds=25.0,
        # {DOCS}/webhooks/reference/messages/status
        receipts=frozenset({"sent", "delivered", "read", "failed"}),
    )

    def __init__(self, account: WhatsAppAccount) -> None:
        super().__init__(account)
        self._graph = _Graph(account.token, account.api_url)

    async def handshake(self, request: Request) -> Response:
        """Answer Meta's verification of the webhook URL: 200 with the challenge, else 403.

        https://developers.facebook.com/docs/graph-api/webhooks/getting-started
        """
        return meta.handshake(request, self.account.verify_token)

    async def receive(self, request: Request) -> list[Arrived]:
        """Verify the signature, then read every message and status of every change.

        What the account's operator is to know (`whatsapp_notices`) becomes notices. Changes
        of other phone numbers, messages of groups, and other fields are left out. When an
        item is malformed, Unreadable carries all others in `parsed`, and for a malformed
        message whose id and sender are known an ``Unsupported`` with the type
        ``malformed:<type>``, so that its customer is not left in silence. Raises
        BadSignature, Unreadable.
        """
        meta.verify(request, self.account.app_secret)
        return Batch(self.account.account, self.account.phone_id).received(request.body)

    def vouch(self, request: Request) -> Request:
        """Return `request` signed anew with the present app_secret."""
        return meta.vouched(request, self.account.app_secret)

    async def send(self, outbound: Outbound) -> str:
        """Send one message and return its wamid.

        `outbound.id` goes along as ``biz_opaque_callback_data``, which every status of
        the message carries back.
        """
        if len(outbound.id) > CALLBACK_DATA_LIMIT:
            raise Rejected(f"the message's id has over {CALLBACK_DATA_LIMIT} characters")
        if not is_user(outbound.address.user):
            raise Rejected("the address is neither a phone number in digits nor a user id")
        kind, body = whatsapp_out.request(outbound.content, self.account.catalog)
        answer = await self._graph.send_message(
            sender=self.account.phone_id,
            to=outbound.address.user,
            typ=kind,
            msg=body,
            biz_opaque_callback_data=outbound.id,
        )
        messages = answer.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        wamid = first.get("id") if isinstance(first, dict) else None
        if not isinstance(wamid, str) or not wamid:
            raise Unsure("Meta answered 200 without a message id")
        return wamid

    async def confirm(self, outbound: Outbound, known: Sequence[str]) -> str | None:
        """Return None: a message still unknown after `capabilities.grace` was not taken.

        Meta has no look-up of sent messages. But a message that was taken gets a ``sent``
        status within seconds (or ``failed``), even when the customer's phone is off, and
        each status names our id in ``biz_opaque_callback_data``. Such a receipt settles
        the message before this is asked.

        The limit: if Meta's webhooks are late by more than the grace, although a gateway
        listened all the while, or if no gateway listens for ten minutes, a message that was
        taken is sent a second time.
        """
        return None

    def beyond_window(self, outbound: Outbound) -> Outbound | None:
        """Return a template as it is; for all else the account's template, None without one.

        {DOCS}/messages/send-messages#customer-service-windows
        """
        if isinstance(outbound.content, Template):
            return outbound
        name = self.account.reopen_template
        if not name:
            return None
        # What it says only Meta knows; people see which one it was.
        template = Template(name, self.account.reopen_language, text=f"[{name}]")
        return replace(outbound, content=template)

    async def typing(self, address: Address, of: str = "") -> None:
        """Show that an answer to the message `of` is being written; it is read thereby.

        {DOCS}/typing-indicators
        """
        if message := _message_id(of):
            await self._graph.set_indicator(self.account.phone_id, message, "text")

    async def seen(self, address: Address, of: str) -> None:
        """Mark the customer's message `of`, and those before it, as read.

        {DOCS}/messages/mark-message-as-read
        """
        if message := _message_id(of):
            await self._graph.mark_message_as_read(self.account.phone_id, message)

    async def fetch(self, media: Media, most: int) -> File:
        """Return a customer's file by its id, which Meta keeps for 7 days.

        The id gives a URL that is good for 5 minutes; when it is not taken, or what comes
        is not what was announced, another one is asked for, once. Raises NoFile, RetryLater.

        {DOCS}/business-phone-numbers/media
        """
        if not _MEDIA_ID.fullmatch(media.ref):
            raise NoFile("the file has no id of Meta's")
        for last in (False, True):
            found = await self._graph.media(media.ref, self.account.phone_id)
            if found.size > most:
                raise NoFile(f"the file has {found.size} bytes, {most} are allowed")
            try:
                file = await self._download(found, media, most)
            except NoFile:
                if last:
                    raise
                continue
            if found.sha256 and not _is_digest(file.data, found.sha256):
                continue
            return file
        raise NoFile("the file is not the one that was announced: its SHA-256 differs")

    async def _download(self, found: _Found, media: Media, most: int) -> File:
        origin = _origin(found.url)
        if origin[0] != "https" and origin != _origin(self.account.api_url):
            raise NoFile("the file's URL is not of https, the token is not sent there")
        file = await fetching.fetch(
            found.url,
            most=most,
            headers={"Authorization": f"Bearer {self.account.token}"},
            trusted=self.account.api_url,
            name=media.filename,
        )
        return replace(file, mime=found.mime or file.mime)

    async def identity(self) -> str:
        """Return the verified name and the number. Raises ConnectorError.

        https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account-to-number-current-status
        """
        answer = await self._graph.get_business_phone_number(
            self.account.phone_id, fields=("display_phone_number", "verified_name")
        )
        parts = [answer.get("verified_name"), answer.get("display_phone_number")]
        found = " ".join(clean(p) for p in parts if isinstance(p, str) and p)
        if not found:
            raise ConnectorError("Meta answered 200 without the number's name; check api_url")
        return found

    async def close(self) -> None:
        """Close the connections to Meta."""
        await self._graph.close()


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a file is and what it is; `size` in bytes and `sha256` where Meta says them."""

    url: str
    mime: str
    sha256: str
    size: int


@cache
def _tls(trust_env: bool) -> ssl.SSLContext:
    """Return what is known of certificates; reading them takes longer than all else here."""
    return httpx.create_ssl_context(trust_env=trust_env)


class _Graph(GraphAPIAsync):
    """pywa's client of the Graph API, with every outcome as one of our named failures.

    pywa's own `_make_request` logs message texts, and fails with KeyError or ValueError
    on an error that is not Graph's (a proxy's page, a gateway timeout).
    """

    def __init__(self, token: str, api_url: str) -> None:
        # Proxies from the environment are for the way to Meta, never for this machine.
        trust = not is_loopback(api_url)
        session = httpx.AsyncClient(timeout=TIMEOUT, trust_env=trust, verify=_tls(trust_env=trust))
        super().__init__(token=token, session=session, api_version=GRAPH_VERSION)
        if api_url:
            session.base_url = f"{api_url.rstrip('/')}/v{GRAPH_VERSION}"
        self._token = token

    async def close(self) -> None:
        await self._session.aclose()

    async def media(self, id: str, phone_id: str) -> _Found:
        """Ask where a file is. Raises NoFile when it is gone, RetryLater for all else."""
        try:
            asked = await self._ask("GET", f"/{id}", params={"phone_number_id": phone_id})
            error = _error(asked) or {}
            if (error.get("code"), error.get("error_subcode")) == UNKNOWN_OBJECT:
                raise NoFile("Meta has the file no more, or it is another number's")
            answer = self._read(asked)
        except Rejected as refused:
            raise NoFile(f"Meta does not give the file: {refused}") from None
        except Unsure as unsure:
            # Asking changes nothing, so that it may be asked again.
            raise RetryLater(str(unsure)) from None
        url, size = answer.get("url"), answer.get("file_size")
        if not isinstance(url, str) or not url:
            raise RetryLater("Meta answered 200 without the file's URL")
        mime, digest = answer.get("mime_type"), answer.get("sha256")
        return _Found(
            url,
            clean(mime) if isinstance(mime, str) else "",
            digest if isinstance(digest, str) else "",
            # The page says it is a string, its older examples that it is a number.
            int(str(size)) if re.fullmatch(r"[0-9]{1,15}", str(size)) else 0,
        )

    async def _make_request(
        self, method: str, endpoint: str, log_kwargs: bool = True, **kwargs: Any
    ) -> dict[str, Any]:
        body = kwargs.get("json")
        if isinstance(body, dict) and "to" in body and not PHONE.fullmatch(body["to"]):
            # pywa knows phone numbers alone; a business-scoped user id goes in `recipient`.
            body["recipient"] = body.pop("to")
        return self._read(await self._ask(method, endpoint, **kwargs))

    async def _ask(self, method: str, endpoint: str, **kwargs: Any) -> httpx.Response:
        """Return Meta's answer, whatever it is. Raises RetryLater, Unsure without one."""
        try:
            answer: httpx.Response = await self._session.request(method, endpoint, **kwargs)
            return answer
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as e:
            raise RetryLater(f"Meta could not be reached ({type(e).__name__})") from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as e:
            # Its text may quote the Authorization header.
            reason = f"the request could not be made ({type(e).__name__}); check token and api_url"
            raise RetryLater(reason, OPERATOR_WAIT) from None
        except httpx.HTTPError as e:
            raise Unsure(f"no answer came from Meta ({type(e).__name__})") from None

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        """Return the answer of a success; raises a named failure for all else."""
        body, error = _json(answer), _error(answer)
        code = error.get("code") if error else None
        status = answer.status_code
        if error and isinstance(code, int) and status not in (502, 504):
            self._fail(answer, code, error)
        if status < 300:
            if isinstance(body, dict):
                return body
            raise Unsure("Meta answered 200 with what is not JSON")
        after = retry_after(answer.headers.get("retry-after", ""))
        if status in (408, 429, 503):
            raise RetryLater(f"Meta answered {status}", after)
        if status >= 500:
            # From a gateway in front of Graph, which may have passed the message on.
            raise Unsure(f"Meta answered {status} without saying what became of the message")
        raise RetryLater(
            f"answered {status}, but not by the Graph API; check api_url and proxies",
            after or OPERATOR_WAIT,
        )

    def _fail(self, answer: httpx.Response, code: int, error: dict[str, Any]) -> NoReturn:
        reason = self._explain(code, error)
        after = retry_after(answer.headers.get("retry-after", ""))
        operator = OPERATOR.get(code)
        if (code, error.get("error_subcode")) == UNKNOWN_OBJECT:
            operator = OPERATOR[33]
        elif operator is None and answer.status_code == 401:
            operator = OPERATOR[190]
        if operator is not None:
            raise RetryLater(f"{operator}: {reason}", after or OPERATOR_WAIT)
        if code in OVERLOADED:
            raise RetryLater(reason, after or OVERLOADED[code], pair=code == PAIR)
        if code in FINAL:
            raise FINAL[code](reason, str(code))
        status = answer.status_code
        if status == 429 or status >= 500 or error.get("is_transient") is True:
            raise RetryLater(reason, after)
        raise Rejected(reason, str(code))

    def _explain(self, code: int, error: dict[str, Any]) -> str:
        """Return ``code message: details``, without the token, which Meta may quote."""
        data = error.get("error_data")
        details = data.get("details") if isinstance(data, dict) else None
        text = f"{code} {error.get('message', '')}" + (f": {details}" if details else "")
        return clean(text).replace(self._token or "\0", "***")[:500]


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _error(answer: httpx.Response) -> dict[str, Any] | None:
    """Return Graph's own error of an answer, None where there is none."""
    body = _json(answer)
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return "", None, None


def _is_digest(data: bytes, given: str) -> bool:
    """Tell whether `given` is the data's SHA-256: hexadecimal, or base64 as in webhooks."""
    digest = hashlib.sha256(data)
    return given.lower() == digest.hexdigest() or given == b64encode(digest.digest()).decode()


def _message_id(of: str) -> str:
    """Return Meta's id of a message, "" for what is no message (a preference)."""
    return "" if of.startswith(PREFERENCE) else of.removeprefix(MALFORMED)
