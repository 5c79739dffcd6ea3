"""Getting a file from a URL that a customer or a payload named, and from nowhere else.

Such a URL may name anything: this machine, the network behind it, a cloud's metadata
service, a name that changes its address between the look and the leap. Addresses are
therefore judged where the socket is made, after the name has been resolved, on every hop.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from connectors.base import File
from connectors.errors import ConnectorError, NoFile, RetryLater
from connectors.http import retry_after

#: For one file, all redirects included.
TOTAL_SECONDS = 60.0
REDIRECTS = 5

_CONNECT_SECONDS = 10.0
_PORTS = {"http": 80, "https": 443}
_URL_LIMIT = 8192
_CHUNK = 64 * 1024
_MOVED = (301, 302, 303, 307, 308)
# 401: a token was rotated or an operator mistyped it; the file is still there.
_LATER = (401, 408, 425, 429)
# What URL parsers disagree on, what would end a header, and what is no character.
_UNFIT = re.compile("[\x00-\x20\x7f\\\\\ud800-\udfff]")

# IANA's special-purpose registries, where `ipaddress` of Python 3.10 knows them not or less:
# https://www.iana.org/assignments/iana-ipv4-special-registry
# https://www.iana.org/assignments/iana-ipv6-special-registry
_NOT_PUBLIC_4 = (
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("192.88.99.0/24"),
    # Azure's virtual machines reach their host by this one.
    # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    ipaddress.IPv4Network("168.63.129.16/32"),
)
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = (
    ipaddress.IPv6Network("2001::/23"),
    ipaddress.IPv6Network("2001:db8::/32"),
    # 6to4 carries any IPv4 address within.
    ipaddress.IPv6Network("2002::/16"),
    ipaddress.IPv6Network("3fff::/20"),
)
# NAT64, RFC 6052: how a network without IPv4 reaches IPv4; the address within is what counts.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public Internet, of a single host.

    False for what is no IP address in its usual form, and for one with a zone.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        return ip in _PUBLIC_6 and ip.is_global and not any(ip in net for net in _NOT_PUBLIC_6)
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _NOT_PUBLIC_4)


async def fetch(
    url: str,
    *,
    most: int,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    trusted: str = "",
    name: str = "",
) -> File:
    """Return the file at `url`, of at most `most` bytes.

    `headers` and `auth` (user and password) are sent to the scheme, host and port of `url`
    alone, not where it redirects to. `trusted` is a URL of the operator's own (the account's
    ``api_url``): at its very scheme, host and port any address and port is asked, as long as
    `url` begins there and no other host has led back. `name` is the file's name where it is
    known, else it is the server's.

    Raises NoFile (gone, too big, a URL or an address that is not asked), RetryLater (the
    network, a server's trouble). Neither says more of a URL than its host.
    """
    try:
        return await asyncio.wait_for(
            _follow(url, most, dict(headers or {}), auth, trusted, name), TOTAL_SECONDS
        )
    except asyncio.TimeoutError:
        failure = RetryLater(f"the file did not come within {TOTAL_SECONDS:g} s")
    raise failure


async def _follow(
    url: str,
    most: int,
    headers: dict[str, str],
    auth: tuple[str, str] | None,
    trusted: str,
    name: str,
) -> File:
    at = _parsed(url)
    known = bool(trusted) and _same_origin(at, _parsed(trusted))
    sent = {**headers}
    if auth is not None:
        sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
    for _ in range(REDIRECTS + 1):
        found = await _ask(at, most, sent, known, name)
        if isinstance(found, File):
            return found
        if not _same_origin(at, found):
            # Once away there is no way back: the other host chose where we go.
            sent, known = {}, False
        at = found
    raise NoFile(f"{at.raw_host}: more than {REDIRECTS} redirects")


def _parsed(url: str) -> URL:
    """Return a URL that may be looked at further. Raises NoFile."""
    if len(url) > _URL_LIMIT or _UNFIT.search(url):
        raise NoFile("the file's URL is none")
    try:
        # What is encoded already stays as it is: a signature may be over every byte.
        parsed = URL(url, encoded=url.isascii()).with_fragment(None)
        host, port = parsed.raw_host, parsed.port
    except ValueError:
        host = port = None
    if not host or port is None or parsed.scheme not in _PORTS:
        raise NoFile("the file's URL is not of http or https")
    if parsed.raw_user is not None or parsed.raw_password is not None or "@" in parsed.authority:
        raise NoFile(f"{host}: the file's URL has a user in it")
    return parsed


def _same_origin(one: URL, other: URL) -> bool:
    def origin(url: URL) -> tuple[str, str, int | None]:
        return url.scheme, (url.raw_host or "").lower(), url.port

    return origin(one) == origin(other)


def _check_place(url: URL) -> None:
    """Refuse a port or host that is never asked for a customer. Raises NoFile."""
    host = url.raw_host or ""
    if url.port != _PORTS[url.scheme]:
        raise NoFile(f"{host}: port {url.port} is not asked for files")
    last = host.rstrip(".").rpartition(".")[2].lower()
    # Whatever ends in a number is an IPv4 address to some resolver: 2130706433, 0x7f.1,
    # 0177.0.0.1. https://url.spec.whatwg.org/#ends-in-a-number-checker
    numeric = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last) or ":" in host or not host.isascii()
    if numeric and not is_public(host):
        raise NoFile(f"{host}: not an address of the public Internet")


class _Guard(AbstractResolver):
    """Resolves names to public addresses alone. Raises NoFile for a name with any other."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await _lookup(host, port)
        if not found or not all(map(is_public, found)):
            raise NoFile(f"{host}: not an address of the public Internet")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in found
        ]

    async def close(self) -> None:
        return None


class _NotPublic(OSError):
    """An address was refused at the last moment; an OSError, for those alone survive a race."""


async def _lookup(host: str, port: int) -> list[str]:
    """Return the addresses of a name as the system knows them. Raises OSError."""
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


def _socket(info: Any) -> socket.socket:
    """Make the socket for an address that is about to be connected to."""
    family, kind, protocol = info[:3]
    return socket.socket(family, kind, protocol)


def _guarded_socket(info: Any) -> socket.socket:
    """As `_socket`, for public addresses alone: the last look, at what is really asked."""
    if not is_public(str(info[4][0])):
        raise _NotPublic("not an address of the public Internet")
    return _socket(info)


def _connector(known: bool) -> aiohttp.TCPConnector:
    if known:
        return aiohttp.TCPConnector(force_close=True)
    return aiohttp.TCPConnector(
        resolver=_Guard(),
        socket_factory=_guarded_socket,
        use_dns_cache=False,
        force_close=True,
    )


async def _ask(url: URL, most: int, headers: dict[str, str], known: bool, name: str) -> File | URL:
    """Ask once. Returns the file, or where it is said to be. Raises NoFile, RetryLater."""
    host = url.raw_host
    if not known:
        _check_place(url)
    failure: ConnectorError
    try:
        async with (
            aiohttp.ClientSession(
                connector=_connector(known),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            ) as session,
            session.get(
                url,
                # Compressed, a few bytes might stand for gigabytes.
                headers={"User-Agent": "frontdesk", **headers, "Accept-Encoding": "identity"},
                allow_redirects=False,
            ) as answer,
        ):
            return await _read(answer, url, most, name)
    except ConnectorError:
        raise
    except (aiohttp.InvalidURL, UnicodeError):
        failure = NoFile(f"{host}: the file's URL is none")
    except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
        if isinstance(getattr(error, "os_error", error), _NotPublic):
            failure = NoFile(f"{host}: not an address of the public Internet")
        else:
            failure = RetryLater(f"{host}: {type(error).__name__}")
    # Outside of the except clauses: aiohttp's errors hold the URL, which may hold a secret.
    raise failure


async def _read(answer: aiohttp.ClientResponse, url: URL, most: int, name: str) -> File | URL:
    host, status = url.raw_host, answer.status
    if status in _MOVED:
        return _moved(answer, url)
    if status in _LATER or status >= 500:
        raise RetryLater(
            f"{host}: status {status}", retry_after(answer.headers.get("Retry-After", ""))
        )
    if status != 200:
        raise NoFile(f"{host}: status {status}")
    if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise NoFile(f"{host}: sent the file compressed, which it was not asked to")
    if answer.content_length is not None and answer.content_length > most:
        raise NoFile(f"{host}: the file has {answer.content_length} bytes, {most} are allowed")
    data = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        data += chunk
        if len(data) > most:
            raise NoFile(f"{host}: the file has more than {most} bytes")
    mime = answer.content_type if "Content-Type" in answer.headers else ""
    return File(bytes(data), mime, name or _filename(answer, url))


def _moved(answer: aiohttp.ClientResponse, url: URL) -> URL:
    said = answer.headers.get("Location", "").strip()
    if not said or len(said) > _URL_LIMIT or _UNFIT.search(said):
        raise NoFile(f"{url.raw_host}: redirects to what is no URL")
    try:
        target = url.join(URL(said, encoded=said.isascii()))
    except ValueError:
        target = None
    if target is None:
        raise NoFile(f"{url.raw_host}: redirects to what is no URL")
    return _parsed(str(target))


def _filename(answer: aiohttp.ClientResponse, url: URL) -> str:
    disposition = answer.content_disposition
    if disposition is not None and disposition.filename:
        return disposition.filename
    last = url.name
    # Without an extension it is an id, which tells people nothing.
    return last if re.fullmatch(r"[^.].*\.[A-Za-z0-9]{1,8}", last) else ""
