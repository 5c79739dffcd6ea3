"""What a request must prove, and what every answer says: against forged requests and framing."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

_JSON_BYTES = 256 * 1024
_JSON_SECONDS = 30.0
# This machine and private networks: RFC 1918, 3927, 4193, 4291.
_NEAR = tuple(
    ipaddress.ip_network(net)
    for net in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
#: Of every answer.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
#: Of the page: it runs and loads what comes from here and nothing else.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"


class Refused(Exception):
    """A request that is not done; `status` is HTTP's, the text is for people."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return plain values as JSON that nobody keeps."""
    return web.Response(
        body=json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"),
        status=status,
        content_type="application/json",
        headers={
            **HEADERS,
            "Content-Security-Policy": DATA_POLICY,
            "Cache-Control": "no-store",
            **(headers or {}),
        },
    )


def check_origin(request: web.Request, public_url: str) -> None:
    """Raise Refused unless our own page made this request.

    Browsers say where a request comes from in Sec-Fetch-Site, which no page can set, and older
    ones in Origin (https://www.w3.org/TR/fetch-metadata/, RFC 6454).
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        ours = site == "same-origin"
    else:
        origin = urlsplit(request.headers.get("Origin", "")).netloc.lower()
        ours = bool(origin) and origin in (request.host.lower(), _netloc(public_url))
    if not ours:
        raise Refused(403, "this request does not come from the console's own page")


async def json_of(request: web.Request) -> dict[str, Any]:
    """Return the body of a request, a JSON object. Raises Refused."""
    if request.content_type != "application/json":
        raise Refused(415, "the body should be application/json")
    try:
        value = json.loads(await body_of(request, _JSON_BYTES, _JSON_SECONDS))
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(value, dict):
        raise Refused(400, "the body should be a JSON object")
    return value


async def body_of(request: web.Request, most: int, seconds: float) -> bytes:
    """Return the body of a request, up to `most` bytes, which has so long to come.

    Raises Refused.
    """
    try:
        return await asyncio.wait_for(_read(request, most), seconds)
    except asyncio.TimeoutError:
        raise Refused(408, "the body did not come", {"Connection": "close"}) from None


async def _read(request: web.Request, most: int) -> bytes:
    too_large = Refused(413, f"too large, {most} bytes are allowed")
    if (request.content_length or 0) > most:
        raise too_large
    body = bytearray()
    async for part in request.content.iter_chunked(64 * 1024):
        body += part
        if len(body) > most:
            raise too_large
    return bytes(body)


def peer(request: web.Request) -> str:
    """Return the address a request comes from, that of the proxy's client behind our own proxy.

    Only who is on this machine or in a private network is believed, as a proxy in a container
    or a load balancer is: anyone else can write the header. Each proxy adds at the end whom it
    has it from, so that of several the last one that is not itself a proxy of ours counts.
    """
    found = request.remote or ""
    told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    while told and is_near(found):
        one = told.pop().strip()[:64]
        found = one or found
    return found


def is_near(address: str) -> bool:
    """Tell whether an address is of this machine or of a private network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # As sockets that take both kinds call those of version 4.
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(mapped in net for net in _NEAR)


def _netloc(url: str) -> str:
    return urlsplit(url).netloc.lower() if url else ""
