"""A small OpenAI-compatible chat server whose models behave as badly as their names say.

====== ============================= ===================================================
POST   /llm/v1/chat/completions      as OpenAI's, streaming (SSE) or not
POST   /llm/v1/audio/transcriptions  as OpenAI's, see `bot.sandbox.hearing`
POST   /control/llm/picture          ``{text, paper?}``: a PNG that shows the text, which the models
                                     read; see `bot.sandbox.letters`
POST   /control/llm/voice            ``{text, clear?}``: a voice note in which it is said
GET    /llm/v1/models                the manners, as models
POST   /control/llm                  ``{model, manner?, seconds?, retry_after?}``: from now on
                                     the model has that manner, and these times
DELETE /control/llm                  forgets the requests, and what was set
GET    /control/llm/requests         ``{requests: [{model, manner, body, authorization}]}``,
                                     the latest 200: what left the house
====== ============================= ===================================================

A model whose name is no manner is honest.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from bot.sandbox import hearing
from bot.sandbox.errors import BadRequest
from bot.sandbox.faults import reset
from bot.sandbox.letters import drawn
from bot.sandbox.minds import Thought, honest, inventing, obedient
from bot.sandbox.prompted import Prompted, read
from bot.sandbox.voices import spoken

#: Manners, and what each does.
MANNERS: Mapping[str, str] = {
    "honest": "answers from the passages of the prompt",
    "slow": "answers honestly, `seconds` late",
    "stalls": "begins a stream and never goes on",
    "truncated": "stops in the midst of its answer",
    "refusing": "refuses",
    "filtered": "is stopped by a content filter",
    "inventing": "adds an amount, a date, a link and a promise of its own",
    "obedient": "does what any text in the prompt asks",
    "unknown-tool": "calls a tool that nobody offered",
    "two-tools": "calls the offered tools all at once, with one index, as Gemini does",
    "bad-json": "writes broken JSON",
    "empty": "ends without a word",
    "endless": "never stops, whatever the limit",
    "fenced": "thinks aloud, and puts its JSON between words and fences",
    "garbage-stream": "sends what is no stream",
    "error-in-stream": "reports an error in the midst of its answer",
    "cut": "closes the connection in the midst of its answer",
    "lingering": "ends its answer, and never its stream",
    "401": "does not know the key",
    "404": "does not know the model",
    "429": "has too much to do, with Retry-After",
    "500": "fails",
    "reset": "resets the connection",
    "too-long": "finds every prompt too long",
    "no-usage": "does not say what it used",
    "no-schema": "answers 400 to response_format",
    "json-object": "answers 400 to response_format json_schema",
    "no-stream-options": "answers 400 to stream_options",
    "new": "knows max_completion_tokens alone and no temperature",
    **hearing.MANNERS,
}
_KEPT = 200
# Characters of a chunk.
_PIECE = 12
_LONGEST = 600.0
_POLL = 0.02
_FILLER = "and so on "
_MINDS: Mapping[str, Callable[[Prompted], Thought]] = {
    "inventing": inventing,
    "obedient": obedient,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived."""

    model: str
    manner: str
    body: dict[str, Any]
    authorization: str


class ChatModels:
    """The server. `asked` are the latest requests, for tests in the same process."""

    def __init__(self) -> None:
        self.asked: deque[Asked] = deque(maxlen=_KEPT)
        self.seconds = 1.0
        self.retry_after = 2
        self._manners: dict[str, str] = {}

    def behave(self, model: str, manner: str) -> None:
        """Give a model a manner. Raises ValueError for one that there is not."""
        if manner not in MANNERS:
            raise ValueError(f"manner must be one of {', '.join(MANNERS)}")
        self._manners[model] = manner

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes."""
        return [
            web.post("/llm/v1/chat/completions", self._chat),
            web.post("/llm/v1/audio/transcriptions", self._transcribe),
            web.post("/control/llm/picture", self._picture),
            web.post("/control/llm/voice", self._voice),
            web.get("/llm/v1/models", self._models),
            web.post("/control/llm", self._set),
            web.delete("/control/llm", self._clear),
            web.get("/control/llm/requests", self._requests),
        ]

    async def _models(self, request: web.Request) -> web.Response:
        models = [{"id": name, "object": "model", "owned_by": "sandbox"} for name in MANNERS]
        return web.json_response({"object": "list", "data": models})

    async def _requests(self, request: web.Request) -> web.Response:
        return web.json_response({"requests": [asdict(asked) for asked in self.asked]})

    async def _clear(self, request: web.Request) -> web.Response:
        self.asked.clear()
        self._manners.clear()
        self.seconds, self.retry_after = 1.0, 2
        return web.json_response({})

    async def _set(self, request: web.Request) -> web.Response:
        # A form of a web site cannot send this type.
        if request.content_type != "application/json":
            return web.json_response({"error": "send application/json"}, status=415)
        try:
            data = json.loads(await request.read())
            if "manner" in data:
                self.behave(str(data["model"]), str(data["manner"]))
            seconds = float(data.get("seconds", self.seconds))
            retry_after = int(data.get("retry_after", self.retry_after))
        except KeyError:
            return web.json_response({"error": "model is missing"}, status=400)
        except (TypeError, ValueError, AttributeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if not 0 <= seconds <= _LONGEST or not 0 <= retry_after <= 86_400:
            right = "seconds must be 0 to 600, retry_after 0 to 86400"
            return web.json_response({"error": right}, status=400)
        self.seconds, self.retry_after = seconds, retry_after
        return web.json_response({})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
            model = str(body["model"])
            seen = read(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            return _error(400, "the body is no chat request", "invalid_request_error")
        manner = self._manners.get(model, model if model in MANNERS else "honest")
        self.asked.append(Asked(model, manner, body, request.headers.get("Authorization", "")))
        refused = await self._fails(request, manner, body)
        if refused is not None:
            return refused
        said = _said(manner, seen, body)
        if not body.get("stream"):
            return web.json_response(_whole(model, said))
        return await self._stream(request, manner, body, said)

    async def _transcribe(self, request: web.Request) -> web.Response:
        try:
            fields, data, name = await hearing.form(request)
        except (BadRequest, ValueError) as error:
            return _error(400, str(error))
        model = fields["model"]
        manner = self._manners.get(model, model if model in MANNERS else "honest")
        body = {**fields, "file": name, "bytes": len(data)}
        self.asked.append(Asked(model, manner, body, request.headers.get("Authorization", "")))
        refused = await self._fails(request, manner, {})
        if refused is not None:
            return refused
        verbose = fields.get("response_format") == "verbose_json"
        if manner == "deaf" or (manner == "json-only" and verbose):
            return _error(400, "response_format or file is not supported")
        if manner == "garbage-stream":
            return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
        return web.json_response(hearing.transcript(fields, data, manner))

    async def _picture(self, request: web.Request) -> web.Response:
        return await self._made(
            request,
            lambda data: drawn(str(data["text"]), str(data.get("paper", "white"))),
            "image/png",
        )

    async def _voice(self, request: web.Request) -> web.Response:
        return await self._made(
            request,
            lambda data: spoken(str(data["text"]), clear=data.get("clear", True) is True),
            "audio/ogg",
        )

    async def _made(
        self, request: web.Request, make: Callable[[Mapping[str, Any]], bytes], mime: str
    ) -> web.Response:
        # A form of a web site cannot send this type.
        if request.content_type != "application/json":
            return web.json_response({"error": "send application/json"}, status=415)
        try:
            return web.Response(body=make(json.loads(await request.read())), content_type=mime)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

    async def _fails(
        self, request: web.Request, manner: str, body: Mapping[str, Any]
    ) -> web.Response | None:
        """Return the failure of a manner, None when it answers, late or not."""
        refused = self._refused(manner, body)
        if refused is not None:
            return refused
        if manner == "reset":
            reset(request)
            return web.Response(status=500)
        if manner == "slow":
            await asyncio.sleep(self.seconds)
        return None

    def _refused(self, manner: str, body: Mapping[str, Any]) -> web.Response | None:
        """Return the error that the manner answers with, None when it answers."""
        form = (body.get("response_format") or {}).get("type", "")
        match manner:
            case "401":
                return _error(401, "Incorrect API key provided", "invalid_api_key")
            case "404":
                return _error(404, "The model does not exist", "model_not_found")
            case "429":
                answer = _error(429, "Rate limit reached", "rate_limit_exceeded")
                answer.headers["Retry-After"] = str(self.retry_after)
                return answer
            case "500":
                return _error(500, "The server had an error", "server_error")
            case "too-long":
                text = "This model's maximum context length is 16 tokens"
                return _error(400, text, "context_length_exceeded")
            case "no-schema" if form:
                return _error(400, "response_format is not supported")
            case "json-object" if form == "json_schema":
                return _error(400, "response_format.type: must be json_object or text")
            case "no-stream-options" if "stream_options" in body:
                return _error(400, "Unknown name: stream_options", as_list=True)
            case "new" if "max_tokens" in body:
                text = "'max_tokens' is not supported, use 'max_completion_tokens' instead"
                return _error(400, text, "unsupported_parameter")
            case "new" if "temperature" in body:
                return _error(400, "'temperature' does not support 0", "unsupported_value")
        return None

    async def _stream(
        self, request: web.Request, manner: str, body: Mapping[str, Any], said: _Said
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(OSError):
            await self._write(request, response, manner, body, said)
        return response

    async def _write(
        self,
        request: web.Request,
        response: web.StreamResponse,
        manner: str,
        body: Mapping[str, Any],
        said: _Said,
    ) -> None:
        model = str(body["model"])

        async def send(delta: dict[str, Any], finish: str | None = None) -> None:
            await response.write(_event(_chunk(model, delta, finish)))

        if manner == "garbage-stream":
            await response.write(b"data: <html>Bad gateway</html>\n\ndata: [1, 2\n\n")
            return
        await send({"role": "assistant", "content": ""})
        if manner == "stalls":
            await _gone(request)
            return
        while manner == "endless" and _listens(request):
            await send({"content": _FILLER * 20})
            await asyncio.sleep(0)
        if manner == "refusing":
            await send({"refusal": "I can't help with that."})
        for at, piece in enumerate(_pieces(said.text)):
            await send({"content": piece})
            if at == 1 and manner == "cut":
                reset(request)
                return
            if at == 1 and manner == "error-in-stream":
                await response.write(_event({"error": {"message": "overloaded", "code": 503}}))
                return
        for at, (name, arguments) in enumerate(said.calls):
            index = 0 if manner == "two-tools" else at
            head = {"index": index, "id": f"call_{at}", "type": "function"}
            begun = {"name": name, "arguments": ""}
            await send({"tool_calls": [{**head, "function": begun}]})
            for piece in _pieces(arguments):
                await send({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        await send({}, said.finish)
        if manner == "lingering":
            await _gone(request)
            return
        usage = (body.get("stream_options") or {}).get("include_usage")
        if usage and manner != "no-usage":
            await response.write(_event({**_chunk(model), "choices": [], "usage": said.usage}))
        await response.write(b"data: [DONE]\n\n")


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    finish: str
    usage: dict[str, int]
    calls: tuple[tuple[str, str], ...] = ()


def _said(manner: str, seen: Prompted, body: Mapping[str, Any]) -> _Said:
    """Return what a manner says to a request."""
    thought = _MINDS.get(manner, honest)(seen)
    text, calls, finish = thought.text, thought.calls, "stop"
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    match manner:
        case "truncated":
            text, finish = text[: len(text) // 2], "length"
        case "refusing":
            text = ""
        case "filtered":
            text, finish = text[: len(text) // 2], "content_filter"
        case "unknown-tool":
            calls = (("delete_customer", '{"all": true}'),)
        case "two-tools":
            calls = tuple((name, json.dumps({"number": at})) for at, name in enumerate(seen.tools))
            text = ""
        case "bad-json":
            text = '{"answer": "It is, cites: [1'
        case "empty":
            text = ""
        case "fenced":
            text = f"<think>{{}} Let me see.</think>Here it is:\n```json\n{text}\n```\nDone."
    if isinstance(most, int) and _tokens(text) > most and finish == "stop":
        text, finish = "".join(re.findall(r"\s*\S+", text)[:most]), "length"
    if calls and finish == "stop":
        finish = "tool_calls"
    prompt = _tokens(json.dumps(body.get("messages")))
    written = _tokens(text) + sum(_tokens(arguments) for _, arguments in calls)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
    }
    return _Said(text, finish, usage, calls)


def _tokens(text: str) -> int:
    return len(text.split())


def _pieces(text: str) -> list[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


def _listens(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


async def _gone(request: web.Request) -> None:
    """Wait until the client has gone away, of which aiohttp does not tell its handlers."""
    end = time.monotonic() + _LONGEST
    while _listens(request) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(_POLL)


def _event(value: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _chunk(
    model: str, delta: dict[str, Any] | None = None, finish: str | None = None
) -> dict[str, Any]:
    return {
        "id": "chatcmpl-sandbox",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}],
    }


def _whole(model: str, said: _Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.calls:
        message["tool_calls"] = [
            {
                "id": f"call_{at}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            for at, (name, arguments) in enumerate(said.calls)
        ]
    return {
        "id": "chatcmpl-sandbox",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": said.finish}],
        "usage": said.usage,
    }


def _error(
    status: int, message: str, code: str = "invalid_request_error", *, as_list: bool = False
) -> web.Response:
    body: Any = {"error": {"message": message, "type": "error", "code": code}}
    # Google wraps its errors in a list.
    return web.json_response([body] if as_list else body, status=status)
