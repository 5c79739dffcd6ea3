"""Who may speak to the sandbox: programs of this machine, and its own page. No web site.

The sandbox listens on loopback, but a browser on this machine would carry any web page's
requests there: cross-site ones, which name their Origin, and, once a name's address was
changed to 127.0.0.1 (DNS rebinding), same-site ones, which name a strange Host.
"""

from __future__ import annotations

import ipaddress

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.sandbox.errors import NotLoopback


def check_loopback(host: str) -> None:
    """Raise NotLoopback unless `host` is a loopback address or ``localhost``."""
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise NotLoopback(
            f"the sandbox has no passwords and listens on loopback only, not on {host!r}"
        )


class Guard:
    """Middleware that refuses strange Host and Origin headers. Knows `hosts` once bound."""

    def __init__(self) -> None:
        self.hosts: frozenset[str] = frozenset()

    def bound(self, host: str, port: int) -> None:
        """Take note of the address that was bound."""
        names = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host}
        self.hosts = frozenset(f"{name}:{port}" for name in names)

    def refusal(self, request: web.Request) -> str:
        """Say why a request is refused, "" when it is not."""
        if request.headers.get("Host", "").lower() not in self.hosts:
            return "unknown Host"
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() not in {f"http://{h}" for h in self.hosts}:
            return "strange Origin"
        # Browsers leave out Origin on some requests of other sites; this they always send.
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site not in ("none", "same-origin") and request.path != "/":
            return "cross-site request"
        return ""

    @property
    def middleware(self) -> Middleware:
        """The aiohttp middleware."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            reason = self.refusal(request)
            if reason:
                return web.json_response({"error": reason}, status=403)
            return await handler(request)

        return guard
