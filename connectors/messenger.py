"""Messenger through Meta's Graph API: webhooks in, the Send API out.

No well-kept client for Python exists, so requests are made with aiohttp. What arrives is
read in `connectors.messenger_in`, what is sent is written in `connectors.messenger_out`.

The Page is to be subscribed to the webhook fields ``messages``, ``messaging_postbacks``,
``messaging_optins``, ``messaging_referrals``, ``messaging_policy_enforcement``,
``message_deliveries``, ``message_reads``, ``message_echoes`` (they settle messages whose
answer was lost), ``message_edits``, ``message_reactions``, ``send_cart`` and
``message_template_status_update``. Pages named below without a host are those of
https://developers.facebook.com/documentation/business-messaging/messenger-platform
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NoReturn

import aiohttp

from bot.message import Address, Media, Outbound, Reaction, Template, clean
from connectors import fetching, messenger_out, meta
from connectors.base import Arrived, Capabilities, Connector, File, Request, Response
from connectors.errors import (
    AddressGone,
    ConnectorError,
    NoFile,
    OptedOut,
    Rejected,
    RetryLater,
    Unsure,
    WindowClosed,
)
from connectors.http import is_loopback, retry_after
from connectors.messenger_in import Batch, is_user
from connectors.messenger_out import (
    BUTTON_TEXT_LIMIT,
    BUTTON_TITLE,
    BUTTONS,
    CARD_BUTTONS,
    CARD_TEXT,
    CARD_TITLE,
    CARDS,
    FILES,
    METADATA_LIMIT,
    PAYLOAD_LIMIT,
    QUICK_REPLIES,
    TEXT_LIMIT,
)

log = logging.getLogger(__name__)

GRAPH_VERSION = "v25.0"

# Seconds. Connecting and reading together stay under the outbox's own 20, so that a refused
# connection is known as one and not as unknown outcome.
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5.0, sock_connect=5.0, sock_read=12.0)

# error-codes. The subcode says what the code does not: 10 is a missing permission, a closed
# window, a customer who blocked the Page, or a Page that Meta has blocked.
FINAL: dict[tuple[int, int], type[Rejected]] = {
    (10, 2018278): WindowClosed,
    (10, 2018065): WindowClosed,
    (10, 2534022): WindowClosed,
    (100, 2018001): AddressGone,  # no matching user
    # "This person isn't available right now": an account that is gone, or a chat that was.
    (551, 1545041): AddressGone,
    (200, 1545041): AddressGone,
    # "They can't receive your messages right now", a "User Block Error".
    (551, 0): OptedOut,
    (10, 2018108): OptedOut,
    (10, 1893015): OptedOut,  # stopped notifications
}
# By code and subcode, or by the code alone: seconds to wait, None for the outbox to choose.
OVERLOADED: dict[tuple[int, int | None], float | None] = {
    (1, None): None,  # unknown
    (2, None): None,  # down, or the customer has blocked the Page
    (1200, None): None,  # temporary send failure
    # https://developers.facebook.com/docs/graph-api/overview/rate-limiting
    (4, None): None,  # the app's calls
    (17, None): None,  # the user's calls
    (32, None): None,  # the Page's calls
    (613, None): None,  # a limit of this very call
    (80001, None): None,  # the Page's calls
    (80006, None): None,  # Messenger's calls
    # Too much for one customer, or one whose form of Meta's is not filled in yet.
    (613, 2018338): 60.0,
    (2018321, None): 30.0,
    # The file's server was too slow, or away.
    (100, 2018008): None,
}
# Of one customer, not of the account: others are still written to.
PAIR = frozenset({(613, 2018338), (2018321, None)})
# The messages "are all sent successfully, but the endpoint returns an error".
SENT_AFTER_ALL = (1, 1357046)
# The account is at fault, not the message: messages wait until an operator has put it
# right, for a rotated token or a missing permission must not drop what customers are owed.
OPERATOR: dict[tuple[int, int | None], str] = {
    (3, None): "the token's app lacks the capability or permission",
    (10, None): "the token's permission was not granted or was removed",
    (10, 1893063): "the Page is restricted from sending messages for now, see its Support Inbox",
    (100, 33): "this Page does not exist or is not the token's; check page_id",
    (102, None): "the token is not valid any more; set a new one",
    (190, None): "the token is not valid any more; set a new one",
    (368, None): "the Page is blocked for a policy violation, see its Support Inbox",
    (2022, None): "Meta has disabled the Page's messages after a policy violation",
    **{(code, None): "the token lacks a permission or it was removed" for code in range(200, 300)},
}
OPERATOR_WAIT = 60.0

# reference/send-api#message-tag-usages: refused with code 100 since 27 April 2026.
RETIRED_TAGS = ("CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE")
HUMAN_AGENT = "HUMAN_AGENT"

# How long a person without a persona is written for as the Page before it is tried again.
_NO_PERSONA_SECONDS = 600.0
# Looking for one must leave the outbox's time to the message.
_PERSONA_SECONDS = 3.0
_PERSONAS_PAGE = 100
_PERSONA_PAGES = 20


@dataclass(frozen=True, slots=True)
class MessengerAccount:
    """One Page.

    `page_id` is its id, `token` a Page access token that does not expire, `app_secret` the
    app's (it signs the webhooks), `verify_token` the word agreed on for the handshake.
    `api_url` replaces https://graph.facebook.com.

    `human_agent` says that the app has Meta's Human Agent permission: people may then answer
    for 7 days. `agent_picture` is the URL of a picture for people who answer; without it
    they appear under their names only where the Page has a persona of that name.
    `reopen_template`, in `reopen_language`, is a utility template without places to fill
    that asks the customer to write again: it is sent when something is to be said outside
    of the 24 hours. `get_started` is the payload of the Page's Get Started button.

    Raises ValueError for a `page_id` that is none.
    """

    account: str
    page_id: str
    token: str = field(repr=False, metadata={"secret": True})
    app_secret: str = field(repr=False, metadata={"secret": True})
    verify_token: str = field(repr=False, metadata={"secret": True})
    api_url: str = ""
    human_agent: bool = False
    agent_picture: str = field(default="", metadata={"schemes": ("http", "https")})
    reopen_template: str = ""
    reopen_language: str = "en"
    get_started: str = "GET_STARTED"

    def __post_init__(self) -> None:
        if not is_user(self.page_id):
            raise ValueError("page_id must be the Page's id, which is of digits")


class Messenger(Connector):
    """One Page on Messenger."""

    channel: ClassVar[str] = "messenger"
    Account: ClassVar[type] = MessengerAccount
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
        kinds_out=frozenset({"text", "choices", "cards", "template", "ask", "media", "reaction"}),
        text_limit=TEXT_LIMIT,
        text_unit="characters",
        caption_limit=0,
        buttons=QUICK_REPLIES,
        button_title=BUTTON_TITLE,
        payload_limit=PAYLOAD_LIMIT,
        # overview/rate-limiting: 300 a second for text, links and reactions, 10 for audio and
        # video. Above 40 the Page's own inbox, where people may answer, takes no more.
        rate=40.0,
        # send-messages/saving-assets: an echo of a video comes once Meta has got it, within
        # 75 seconds; all others come within a second or two, and settle the message at once.
        grace=80.0,
        settled_by_receipts=True,
        # reference/send-api
        window_hours=24.0,
        # A button template takes less than a text; which of both it will be depends on the
        # options, and a question should not.
        choices_text_limit=BUTTON_TEXT_LIMIT,
        link_buttons="any",
        linked_buttons=BUTTONS,
        cards=CARDS,
        card_buttons=CARD_BUTTONS,
        card_title=CARD_TITLE,
        card_text=CARD_TEXT,
        files=FILES,
        seen=True,
        # send-messages/sender-actions; how long it stays is not on the page any more.
        typing_seconds=20.0,
        # webhooks/webhook-events: message-echoes, message-deliveries, message-reads
        receipts=frozenset({"sent", "delivered", "read"}),
    )

    def __init__(self, account: MessengerAccount) -> None:
        super().__init__(account)
        self._graph = _Graph(account.token, account.api_url)
        self._personas: dict[str, str] = {}
        self._no_persona: dict[str, float] = {}
        self._persona_lock = asyncio.Lock()

    async def handshake(self, request: Request) -> Response:
        """Answer Meta's verification of the webhook URL: 200 with the challenge, else 403."""
        return meta.handshake(request, self.account.verify_token)

    async def receive(self, request: Request) -> list[Arrived]:
        """Verify the signature, then read every event of every entry.

        Events of other Pages, those of the standby channel, and what nobody answers are left
        out. When an item is malformed, Unreadable carries all others in `parsed`, and for a
        malformed message whose id and sender are known an ``Unsupported`` with the type
        ``malformed:message``, so that its customer is not left in silence. Raises
        BadSignature, Unreadable.
        """
        meta.verify(request, self.account.app_secret)
        account = self.account
        return Batch(account.account, account.page_id, account.get_started).received(request.body)

    def vouch(self, request: Request) -> Request:
        """Return `request` signed anew with the present app_secret."""
        return meta.vouched(request, self.account.app_secret)

    async def send(self, outbound: Outbound) -> str:
        """Send one message and return its mid.

        `outbound.id` goes along as ``metadata``, which the echo of the message carries back.
        A reaction is no message and has no id; that of the message it is on stands for it.
        """
        body = self._body(outbound)
        persona = ""
        if outbound.agent and "message" in body:
            persona = await self._persona(outbound.agent)
        if not persona:
            return _sent(await self._messages(body), outbound)
        try:
            answer = await self._messages({**body, "persona_id": persona})
        except Rejected as error:
            if error.code != "100" or isinstance(error, AddressGone):
                raise
            # Somebody may have deleted the persona. The message was not taken for certain,
            # so it may be sent again, as the Page.
            self._forget(outbound.agent)
            answer = await self._messages(body)
        return _sent(answer, outbound)

    def _body(self, outbound: Outbound) -> dict[str, Any]:
        """Return the request of a message. Raises Rejected for what Meta would refuse."""
        if len(outbound.id) > METADATA_LIMIT:
            raise Rejected(f"the message's id has over {METADATA_LIMIT} characters")
        if not is_user(outbound.address.user):
            raise Rejected("the address is no Page-scoped id, which is of digits")
        if outbound.tag in RETIRED_TAGS:
            raise Rejected(f"Meta has retired the message tag {outbound.tag}")
        if outbound.tag == HUMAN_AGENT and not outbound.agent:
            raise Rejected("the tag HUMAN_AGENT is for messages that a person wrote")
        body: dict[str, Any] = {"recipient": {"id": outbound.address.user}}
        if outbound.tag:
            body |= {"messaging_type": "MESSAGE_TAG", "tag": outbound.tag}
        else:
            body["messaging_type"] = "RESPONSE"
        body |= messenger_out.request(outbound.content)
        if "message" not in body:
            # sender-actions: "should only include the sender_action and the recipient".
            return {k: v for k, v in body.items() if k not in ("messaging_type", "tag")}
        if body["messaging_type"] == "UTILITY":
            body.pop("tag", None)
        body["message"] = {**body["message"], "metadata": outbound.id}
        return body

    async def _messages(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._graph.call("POST", f"/{self.account.page_id}/messages", json=body)

    async def _persona(self, agent: str) -> str:
        """Return the id of a person's persona, "" for the Page's own name.

        send-messages/personas. It is made when there is none of that name, which is asked
        for first: other processes may have made it. A message is not held up over a name.
        """
        name = messenger_out.persona_name(agent)
        async with self._persona_lock:
            known = self._personas.get(name)
            if known is not None:
                return known
            if time.monotonic() < self._no_persona.get(name, 0.0):
                return ""
            found = ""
            try:
                found = await asyncio.wait_for(self._found_or_made(name), _PERSONA_SECONDS)
            except asyncio.TimeoutError:
                log.warning("%s: a person's name could not be shown: no answer in time", self.name)
            except ConnectorError as error:
                log.warning("%s: a person's name could not be shown: %s", self.name, error)
            if found:
                self._personas[name] = found
            else:
                self._no_persona[name] = time.monotonic() + _NO_PERSONA_SECONDS
            return found

    async def _found_or_made(self, name: str) -> str:
        return await self._find_persona(name) or await self._make_persona(name)

    async def _find_persona(self, name: str) -> str:
        """Return the persona of that name, "" when there is none. Raises ConnectorError."""
        query = {"fields": "id,name", "limit": str(_PERSONAS_PAGE)}
        for _ in range(_PERSONA_PAGES):
            answer = await self._graph.call("GET", f"/{self.account.page_id}/personas", query=query)
            listed = answer.get("data")
            for one in listed if isinstance(listed, list) else ():
                if isinstance(one, dict) and one.get("name") == name:
                    return _text(one, "id")
            paging = answer.get("paging")
            cursors = paging.get("cursors") if isinstance(paging, dict) else None
            after = _text(cursors, "after") if isinstance(cursors, dict) else ""
            if not listed or not after or after == query.get("after"):
                break
            query = {**query, "after": after}
        return ""

    async def _make_persona(self, name: str) -> str:
        """Make a persona, "" without a picture for it. Raises ConnectorError."""
        if not self.account.agent_picture:
            return ""
        made = {"name": name, "profile_picture_url": self.account.agent_picture}
        answer = await self._graph.call("POST", f"/{self.account.page_id}/personas", json=made)
        return _text(answer, "id")

    def _forget(self, agent: str) -> None:
        name = messenger_out.persona_name(agent)
        self._personas.pop(name, None)
        self._no_persona[name] = time.monotonic() + _NO_PERSONA_SECONDS

    async def confirm(self, outbound: Outbound, known: Sequence[str]) -> str | None:
        """Return None: a message still unknown after `capabilities.grace` was not taken.

        The Send API has no key against doubles and no look-up by ours. But each message
        that was taken is echoed with our id as its metadata, and that receipt settles the
        message before this is asked.

        The limit: if Meta's webhooks are late by more than the grace, although a gateway
        listened all the while, if no gateway listens for ten minutes, or the Page is not
        subscribed to ``message_echoes``, a message that was taken is sent a second time.
        """
        return None

    def beyond_window(self, outbound: Outbound) -> Outbound | None:
        """Return what may be sent later than 24 hours after the customer wrote.

        What a person wrote, with the tag for that, for 7 days where the app may use it; else
        the account's template; None without one. A template goes as it is. What has a tag
        was refused with it, or has waited longer.
        """
        if isinstance(outbound.content, Template):
            return outbound
        if outbound.agent and self.account.human_agent and not outbound.tag:
            return replace(outbound, tag=HUMAN_AGENT)
        name = self.account.reopen_template
        if not name:
            return None
        # What it says only Meta knows; people see which one it was.
        template = Template(name, self.account.reopen_language, text=f"[{name}]")
        return replace(outbound, content=template, tag="")

    async def typing(self, address: Address, of: str = "") -> None:
        """Show that an answer is being written."""
        await self._act(address, "typing_on")

    async def seen(self, address: Address, of: str) -> None:
        """Mark the customer's messages as read."""
        await self._act(address, "mark_seen")

    async def _act(self, address: Address, action: str) -> None:
        if is_user(address.user):
            await self._messages({"recipient": {"id": address.user}, "sender_action": action})

    async def fetch(self, media: Media, most: int) -> File:
        """Return a customer's file from the URL that its webhook gave; it needs no token.

        Raises NoFile, RetryLater.
        """
        if not media.url:
            raise NoFile("the file has no URL")
        return await fetching.fetch(
            media.url, most=most, trusted=self.account.api_url, name=media.filename
        )

    async def identity(self) -> str:
        """Return the Page's name. Raises ConnectorError."""
        answer = await self._graph.call("GET", "/me", query={"fields": "id,name"})
        name, id = _text(answer, "name"), _text(answer, "id")
        if not name:
            raise ConnectorError("Meta answered 200 without the Page's name; check api_url")
        if id and id != self.account.page_id:
            raise ConnectorError(f"the token is of another Page, {name} ({id}); check page_id")
        return name

    async def close(self) -> None:
        """Close the connections to Meta."""
        await self._graph.close()


def _sent(answer: Mapping[str, Any], outbound: Outbound) -> str:
    mid = _text(answer, "message_id")
    if mid:
        return mid
    if isinstance(outbound.content, Reaction):
        return f"reaction:{outbound.content.of}"
    raise Unsure("Meta answered 200 without a message id")


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return clean(value) if isinstance(value, str) else ""


class _Graph:
    """The Graph API, with every outcome as one of our named failures."""

    def __init__(self, token: str, api_url: str) -> None:
        self._token = token
        self._base = f"{(api_url or meta.GRAPH_URL).rstrip('/')}/{GRAPH_VERSION}"
        # Proxies from the environment are for the way to Meta, never for this machine.
        self._trust_env = not is_loopback(api_url)
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def close(self) -> None:
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RetryLater("the connector is closed")
        if self._session is None:
            # Made here and not before: it belongs to the loop that is running.
            self._session = aiohttp.ClientSession(
                timeout=TIMEOUT,
                trust_env=self._trust_env,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the answer of a success. Raises RetryLater, Unsure, Rejected and its kinds."""
        failure: ConnectorError
        try:
            async with self._open().request(
                method,
                f"{self._base}{path}",
                params=query,
                json=json,
                headers={"Authorization": f"Bearer {self._token}"},
                allow_redirects=False,
            ) as answer:
                return self._read(answer.status, answer.headers, await answer.read())
        except ConnectorError:
            raise
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            failure = RetryLater(f"Meta could not be reached ({type(error).__name__})")
        except aiohttp.ClientHttpProxyError as error:
            failure = RetryLater(f"the proxy answered {error.status}")
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
            # A token with a line break, an api_url that is none. Its text may quote them.
            name = type(error).__name__
            reason = f"the request could not be made ({name}); check token and api_url"
            failure = RetryLater(reason, OPERATOR_WAIT)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            failure = Unsure(f"no answer came from Meta ({type(error).__name__})")
        except RuntimeError:
            # The session was closed while this waited for a connection.
            failure = RetryLater("the connector is closed")
        # Outside of the except clauses: aiohttp's errors hold the headers, and the token.
        raise failure

    def _read(self, status: int, headers: Mapping[str, str], data: bytes) -> dict[str, Any]:
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            body = None
        after = retry_after(headers.get("Retry-After", ""))
        problem = meta.problem(body, self._token)
        if problem is not None and status not in (502, 504):
            self._fail(status, after, problem)
        if status < 300:
            if isinstance(body, dict):
                return body
            raise Unsure("Meta answered 200 with what is not JSON")
        if status in (408, 429, 503):
            raise RetryLater(f"Meta answered {status}", after)
        if status >= 500:
            # From a gateway in front of Graph, which may have passed the message on.
            raise Unsure(f"Meta answered {status} without saying what became of the message")
        raise RetryLater(
            f"answered {status}, but not by the Graph API; check api_url and proxies",
            after or OPERATOR_WAIT,
        )

    def _fail(self, status: int, after: float | None, problem: meta.Problem) -> NoReturn:
        exact = (problem.code, problem.subcode)
        if exact == SENT_AFTER_ALL:
            raise Unsure(problem.text)
        if exact in FINAL:
            raise FINAL[exact](problem.text, str(problem.code))
        if problem.code == 10 and "allowed window" in problem.text:
            # The subcodes of this one have changed before.
            raise WindowClosed(problem.text, str(problem.code))
        for key in (exact, (problem.code, None)):
            if key in OPERATOR:
                raise RetryLater(f"{OPERATOR[key]}: {problem.text}", after or OPERATOR_WAIT)
            if key in OVERLOADED:
                raise RetryLater(problem.text, after or OVERLOADED[key], pair=key in PAIR)
        if problem.code == 551:
            raise OptedOut(problem.text, str(problem.code))
        if status == 401:
            raise RetryLater(f"{OPERATOR[190, None]}: {problem.text}", after or OPERATOR_WAIT)
        if status == 429 or status >= 500 or problem.transient:
            raise RetryLater(problem.text, after)
        raise Rejected(problem.text, str(problem.code))
