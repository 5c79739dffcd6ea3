"""How agents act from Slack: every event becomes a deed, and is acknowledged once it is stored.

Two ways in: signed HTTP, and Socket Mode for an account with an `app_token`. Both go through
slack-bolt, whose listeners here finish before they answer. What Slack is not answered, or is
answered with an error, it sends again: https://docs.slack.dev/apis/events-api#retries.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.desk.people import People
from bot.desk.slack.client import SlackClient
from bot.desk.slack.hands import Hands
from bot.desk.slack.said import NotYet, Said
from bot.desk.slack.socket import Socket
from bot.desk.slack.workspace import Workspace
from bot.desk.templates import Approved
from bot.settings import SlackAccount
from bot.store import AsyncStore, StoreError
from bot.store.deeds import Deed
from bot.store.messages import arrival

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.response import BoltResponse

log = logging.getLogger(__name__)
# Bolt writes whole requests, with customers' words, where its logger is set to DEBUG.
_bolt_log = logging.getLogger(f"{__name__}.bolt")
# Of a request that nobody handles it warns with what stands in it.
_bolt_log.setLevel(logging.ERROR)

_BODY_SECONDS = 30.0
_OK, _NOT_FOUND, _UNAVAILABLE = 200, 404, 503
_ALL = re.compile(r".*", re.S)


class Door:
    """One account's way in, in a gateway process.

    `wish` keeps a deed and tells whether it is new, `ring` wakes who does them. `templates`
    are those of ``data/templates.yml``; `canned` gives (key, title) of the canned replies.
    """

    def __init__(
        self,
        account: SlackAccount,
        store: AsyncStore,
        people: People,
        wish: Callable[[Deed], Awaitable[bool]],
        ring: Callable[[], None],
        client: SlackClient,
        *,
        templates: Sequence[Approved] = (),
        canned: Callable[[], Sequence[tuple[str, str]]] | None = None,
        pause: float = 1.0,
    ) -> None:
        self._account = account
        self._workspace = Workspace(client)
        self._wanted = wish
        self._ring = ring
        self._said = Said(account.account, store, people, self._workspace, self._wish)
        self._hands = Hands(
            account, store, people, self._workspace, self._wish, client, templates, canned
        )
        self._pause = pause
        self._made: AsyncApp | None = None
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return what an aiohttp application serves for this account."""
        return [web.post(f"/webhooks/slack/{self._account.account}", self._receive)]

    async def run(self) -> None:
        """Make ready and, with an `app_token`, keep a connection to Slack until cancelled."""
        self._app()
        await self._workspace.home(0)
        if self._account.app_token:
            await Socket(self._account, self._enveloped, self._pause).run()

    async def close(self) -> None:
        """Let go of what is in hand. The client is its owner's to close."""
        await self._hands.close()
        await self._workspace.close()

    async def _wish(self, deed: Deed) -> bool:
        new = await self._wanted(deed)
        # For one that was there already too: whoever kept it may have died before it rang.
        self._ring()
        return new

    def _app(self) -> AsyncApp:
        if self._made is None:
            from slack_bolt.async_app import AsyncApp

            # Functions, for bolt would fill in a method's `self` as well.
            async def authorize(context: Any) -> Any:
                return self._authorized(context)

            async def failed(error: Exception) -> BoltResponse:
                return self._refusal(error)

            app = AsyncApp(
                logger=_bolt_log,
                name="desk",
                process_before_response=True,
                signing_secret=self._account.signing_secret,
                authorize=authorize,
                # We know our own messages by more than their author: our cards are deleted too.
                ignoring_self_events_enabled=False,
                attaching_function_token_enabled=False,
                attaching_conversation_kwargs_enabled=False,
            )
            app.event(_ALL)(self._on_event)
            app.action(_ALL)(self._on_action)
            app.view(_ALL)(self._on_view)
            app.command(_ALL)(self._on_command)
            app.shortcut(_ALL)(self._on_shortcut)
            app.error(failed)
            self._made = app
        return self._made

    def _authorized(self, context: Any) -> Any:
        """Tell bolt who we are without asking Slack, which may be away."""
        from slack_bolt.authorization import AuthorizeResult

        return AuthorizeResult(
            enterprise_id=context.enterprise_id,
            team_id=self._workspace.team or context.team_id,
            bot_user_id=self._workspace.bot_user or None,
            bot_token=self._account.bot_token,
        )

    async def _on_event(self, body: dict[str, Any], event: dict[str, Any]) -> None:
        arrived = arrival()
        self._workspace.learn(body)
        if event.get("type") == "message":
            message = event.get("message") or event.get("previous_message") or event
            async with self._turn(event.get("channel"), message.get("thread_ts")):
                await self._said.take(event, arrived)

    async def _on_action(self, body: dict[str, Any], ack: Any) -> None:
        arrived = arrival()
        container = body.get("container") or {}
        thread = container.get("thread_ts") or (body.get("message") or {}).get("thread_ts")
        at = thread or container.get("message_ts")
        async with self._turn(container.get("channel_id"), at):
            await self._hands.press(body, arrived)
        await ack()

    async def _on_view(self, body: dict[str, Any], ack: Any) -> None:
        problems: Mapping[str, str] = {}
        if body.get("type") == "view_submission":
            problems = await self._hands.send(body, arrival())
        if problems:
            await ack(response_action="errors", errors=problems)
        else:
            await ack()

    async def _on_command(self, body: dict[str, Any], ack: Any) -> None:
        answer = await self._hands.command(body, arrival())
        await ack(text=answer, response_type="ephemeral") if answer else await ack()

    async def _on_shortcut(self, body: dict[str, Any], ack: Any) -> None:
        await self._hands.shortcut(body, arrival())
        await ack()

    def _refusal(self, error: Exception) -> BoltResponse:
        from slack_bolt.response import BoltResponse

        if isinstance(error, (StoreError, NotYet)):
            log.error("slack %s: not taken: %s", self._account.account, error)
            return BoltResponse(status=_UNAVAILABLE, body="not now", headers={"retry-after": ["1"]})
        log.error("slack %s: a request failed", self._account.account, exc_info=error)
        return BoltResponse(status=500, body="failed")

    def _turn(self, channel: object, thread: object) -> asyncio.Lock:
        """Return what makes events of one thread be kept in the order in which they came."""
        key = f"{channel}:{thread}"
        lock = self._turns.get(key)
        if lock is None:
            lock = self._turns[key] = asyncio.Lock()
        return lock

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            body = await asyncio.wait_for(request.read(), _BODY_SECONDS)
        except web.HTTPException:
            raise
        except asyncio.TimeoutError:
            raise web.HTTPRequestTimeout(text="the body did not come") from None
        except Exception as error:
            what = f"the body cannot be read: {type(error).__name__}"
            raise web.HTTPBadRequest(text=what) from None
        # Bolt verifies too, but only after it has parsed.
        text = self._signed(body, request)
        if text is None:
            log.warning("slack %s: refused a request: bad signature", self._account.account)
            return web.Response(status=401, text="bad signature")
        from slack_bolt.adapter.aiohttp import to_aiohttp_response
        from slack_bolt.request.async_request import AsyncBoltRequest

        try:
            headers: dict[str, Any] = dict(request.headers)
            asked = AsyncBoltRequest(body=text, query=request.query_string, headers=headers)
        except (ValueError, TypeError, AttributeError):
            return web.Response(status=400, text="not readable")
        answer = await self._app().async_dispatch(asked)
        if answer.status == _NOT_FOUND:
            # Something that we have no use for; an error would only have it sent again.
            return web.Response(text="")
        return await to_aiohttp_response(answer)

    def _signed(self, body: bytes, request: web.Request) -> str | None:
        """Return the body as text if Slack signed it within five minutes.

        https://docs.slack.dev/authentication/verifying-requests-from-slack
        """
        from slack_sdk.signature import SignatureVerifier

        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not re.fullmatch(r"[0-9]{1,12}", stamp) or not signature.isascii():
            return None
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return None
        verifier = SignatureVerifier(self._account.signing_secret)
        return text if verifier.is_valid(text, stamp, signature) else None

    async def _enveloped(self, envelope: Mapping[str, Any]) -> dict[str, Any] | None:
        """Take what came by Socket Mode; None for what Slack is to send again."""
        from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
        from slack_sdk.socket_mode.request import SocketModeRequest

        asked = SocketModeRequest.from_dict(dict(envelope))
        if asked is None:
            return {}
        answer = await run_async_bolt_app(self._app(), asked)
        if answer.status == _NOT_FOUND:
            return {}
        if answer.status != _OK:
            return None
        if not answer.body:
            return {}
        try:
            read = json.loads(answer.body)
        except ValueError:
            read = None
        return read if isinstance(read, dict) else {"text": answer.body}
