"""What every route under /control does with a request: reads it, and says why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.errors import BadRequest, Overfull

FILE_BYTES = 100 * 1024 * 1024
#: Whatever was sent, the browser must not run it in this origin.
HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Any]


def refusing(handler: Handler) -> Handler:
    """Answer what cannot be done with its reason."""

    async def checked(request: web.Request) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)
        except BadRequest as error:
            return web.json_response({"error": str(error)}, status=400)
        except Overfull as error:
            return web.json_response({"error": str(error)}, status=503)
        return response

    return checked


def json_only(handler: Handler) -> Handler:
    """Refuse other content types: a form of another web site cannot send JSON as such."""

    async def checked(request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            return web.json_response({"error": "send application/json"}, status=415)
        response: web.StreamResponse = await handler(request)
        return response

    return refusing(checked)


def bytes_only(handler: Handler) -> Handler:
    """Refuse other content types than that of plain bytes, which no form can send."""

    async def checked(request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/octet-stream":
            return web.json_response({"error": "send application/octet-stream"}, status=415)
        response: web.StreamResponse = await handler(request)
        return response

    return refusing(checked)


async def body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request. Raises BadRequest."""
    try:
        data = await request.json()
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(data, dict):
        raise BadRequest("the body must be an object")
    return data


async def upload(request: web.Request) -> bytes:
    """Return the file that is the body of a request. Raises BadRequest."""
    data = await request.read()
    if not data:
        raise BadRequest("the file is empty")
    if len(data) > FILE_BYTES:
        raise BadRequest(f"a file must be at most {FILE_BYTES >> 20} MiB")
    return data


def text(data: Mapping[str, Any], key: str, default: str = "") -> str:
    """Return a field that is a string or an integer. Raises BadRequest."""
    value = data.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise BadRequest(f"{key} must be a string")
    return str(value)


def whole(data: Mapping[str, Any], key: str, least: int, most: int) -> int:
    """Return a field that is an integer, `least` where it is missing. Raises BadRequest."""
    value = data.get(key, least)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadRequest(f"{key} must be an integer from {least} to {most}")
    return value
