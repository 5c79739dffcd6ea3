"""One endpoint that speaks the OpenAI chat protocol, through the `openai` SDK, always streaming.

What endpoints do not understand is left out for them from then on, see `Manners`.
https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from bot.llm.contract import Said
from bot.llm.engine import Answer, Misconfigured, Request, Unwell, estimate_all
from bot.llm.faults import failure
from bot.llm.manners import Manners
from bot.llm.stream import Collected
from bot.settings import Llm

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

# Most of what may have to be left out, one after the other, before an endpoint answers.
_TRIES = 6
# How long, in seconds, an endpoint that has ended its answer may take to say what it used.
_USAGE_SECONDS = 1.0
_LEAST_SECONDS = 0.001
# The SDK wants a key; servers of one's own have none.
_NO_KEY = "none"


class Endpoint:
    """An `Engine` over HTTP. The connection is made at the first question."""

    def __init__(self, settings: Llm) -> None:
        self._settings = settings
        self._manners = Manners()
        self._client: AsyncOpenAI | None = None
        self._making = asyncio.Lock()

    async def complete(self, request: Request) -> Answer:
        """See `Engine`."""
        client = await self._connected()
        end = time.monotonic() + request.seconds
        manners = self._manners
        broken = 0
        for _ in range(_TRIES):
            got = Collected(request)
            try:
                await self._ask(client, request, manners, got, end)
                self._manners = manners
                return got.answer()
            except Exception as error:
                import httpx

                found = failure(error, got.spent() if got.begun else self._sent(request, error))
                changed = manners.without(found.about, request) if found.left_out else None
                if changed is not None:
                    manners = changed
                    continue
                cut = isinstance(error.__cause__ or error, httpx.RemoteProtocolError)
                if cut and not got.begun and not broken:
                    # A kept connection that the server has closed meanwhile looks like this.
                    broken += 1
                    continue
                raise found.failed from None
        raise Unwell("understands none of the ways to ask it")

    async def models(self, seconds: float) -> tuple[str, ...]:
        """Return the ids of the models it lists, none when it lists nothing that can be read.

        Raises ModelFailed when it cannot be reached within `seconds`, or the key is wrong.
        """
        client = await self._connected()
        try:
            page = await client.models.list(timeout=seconds)
            return tuple(str(model.id) for model in page.data)
        except Exception as error:
            import openai

            failed = failure(error, (0, 0)).failed
            denied = isinstance(failed, Misconfigured) and getattr(error, "status_code", 0) == 401
            if denied or isinstance(error, openai.APIConnectionError):
                raise failed from None
            # Not every server has such a list.
            return ()

    async def _connected(self) -> AsyncOpenAI:
        async with self._making:
            if self._client is None:
                # The SDK takes seconds to import, which nobody else should wait for.
                self._client = await asyncio.to_thread(self._made)
            return self._client

    async def close(self) -> None:
        """See `Engine`."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _ask(
        self,
        client: AsyncOpenAI,
        request: Request,
        manners: Manners,
        got: Collected,
        end: float,
    ) -> None:
        """Collect an answer within its times. Raises asyncio.TimeoutError."""
        first = min(time.monotonic() + self._settings.first_seconds, end)
        # Not `wait_for`: in Python 3.10 it may swallow the cancellation of its caller.
        task = asyncio.ensure_future(self._stream(client, request, manners, got, end))
        try:
            over = False
            while not over:
                over = got.finished
                left = (end if got.begun else first) - time.monotonic()
                await asyncio.wait({task}, timeout=max(0.0, min(left, _USAGE_SECONDS)))
                if task.done():
                    task.result()
                    return
                if not got.finished and time.monotonic() >= (end if got.begun else first):
                    raise asyncio.TimeoutError
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()

    async def _stream(
        self,
        client: AsyncOpenAI,
        request: Request,
        manners: Manners,
        got: Collected,
        end: float,
    ) -> None:
        stream = await client.chat.completions.create(
            model=self._settings.model,
            messages=_messages(request, manners),
            stream=True,
            timeout=max(_LEAST_SECONDS, end - time.monotonic()),
            **manners.fields(request),
        )
        try:
            async for chunk in stream:
                got.take(chunk)
        finally:
            await stream.close()

    def _sent(self, request: Request, error: Exception) -> tuple[int, int]:
        """Return what may be charged of a question to which no answer began."""
        timed_out = isinstance(error, asyncio.TimeoutError)
        return (estimate_all(request.messages), 0) if timed_out else (0, 0)

    def _made(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        # At DEBUG the SDK logs whole requests, and `OPENAI_LOG` may have asked for it.
        logging.getLogger("openai").setLevel(logging.WARNING)
        parts = urlsplit(self._settings.url)
        return AsyncOpenAI(
            # The SDK would put its paths behind the query.
            base_url=urlunsplit((*parts[:3], "", "")),
            default_query=dict(parse_qsl(parts.query)),
            api_key=self._settings.api_key or _NO_KEY,
            max_retries=0,
            http_client=DefaultAsyncHttpxClient(
                # A proxy of the environment is not on this machine, a redirection may lead
                # anywhere: what was not masked would leave the house.
                trust_env=not is_here(self._settings.url),
                follow_redirects=False,
            ),
        )


def is_here(url: str) -> bool:
    """Tell whether a model's URL is on this machine: ``local:`` or a loopback host."""
    if url.startswith("local:"):
        return True
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _messages(request: Request, manners: Manners) -> list[Any]:
    made = [_message(said) for said in request.messages]
    rule = manners.schema_in_words(request)
    if rule:
        # Some chat templates take a system message at the beginning only, or none at all.
        at = 0 if made and made[0]["role"] == "system" else len(made) - 1
        content = made[at]["content"]
        if isinstance(content, list):
            made[at] = {**made[at], "content": [*content, {"type": "text", "text": rule}]}
        else:
            made[at] = {**made[at], "content": f"{content}\n\n{rule}"}
    return made


def _message(said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": said.role, "content": said.text}
    if said.images:
        # https://platform.openai.com/docs/guides/images-vision
        pictures = [{"type": "image_url", "image_url": {"url": url}} for url in said.images]
        message["content"] = [{"type": "text", "text": said.text}, *pictures]
    if said.role == "tool":
        message["tool_call_id"] = said.call
    if said.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(call.arguments, default=dict, ensure_ascii=False),
                },
            }
            for call in said.calls
        ]
    return message
