"""Fetching what a customer named: which addresses are asked, with what, and for how long.

The Internet of these tests is a table: a name's answers, and which server of loopback stands
at which public address. Everything else, the judging of addresses first, is the real thing.
"""

from __future__ import annotations

import asyncio
import gzip
import inspect
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from connectors import fetching
from connectors.base import File
from connectors.errors import ConnectorError, NoFile, RetryLater
from connectors.fetching import fetch, is_public
from tests.kit.http import (
    Answer,
    Garbage,
    Hang,
    Provider,
    Recorded,
    Reset,
    Step,
    Truncated,
    closed_url,
    provider,
)

HOME = "93.184.216.34"
OTHER = "151.101.1.69"
FILE = Answer(b"the file", headers={"Content-Type": "image/png"})


class Internet:
    """Names with their answers, one a look-up, the last one for ever; servers by address."""

    def __init__(self) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.servers: dict[tuple[str, int], tuple[str, int]] = {}
        self.dialled: list[tuple[str, int]] = []
        self.looked_up: list[str] = []

    def put(self, name: str, server: Provider, *answers: list[str], port: int = 80) -> None:
        """Let `name` be at `answers`, and `server` be what listens at the public ones."""
        self.names[name] = list(answers) or [[HOME]]
        place = urlsplit(server.url)
        for address in {a for answer in self.names[name] for a in answer}:
            self.servers[address, port] = (str(place.hostname), int(place.port or 0))

    async def lookup(self, name: str, port: int) -> list[str]:
        self.looked_up.append(name)
        if name not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        answers = self.names[name]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def socket(self, info: Any) -> socket.socket:
        internet = self

        class Routed(socket.socket):
            def connect(self, address: Any) -> None:
                internet.dialled.append(address[:2])
                super().connect(internet.servers.get(address[:2], address))

        return Routed(*info[:3])


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    made = Internet()
    monkeypatch.setattr(fetching, "_lookup", made.lookup)
    monkeypatch.setattr(fetching, "_socket", made.socket)
    return made


async def refused(url: str, **options: Any) -> str:
    """The words with which a URL is refused; nothing may have been asked."""
    with pytest.raises(NoFile) as caught:
        await fetch(url, most=1000, **options)
    return str(caught.value)


# what is a public address

NOT_PUBLIC = {
    "loopback": "127.0.0.1",
    "another loopback": "127.255.0.9",
    "nowhere": "0.0.0.0",
    "this network": "0.1.2.3",
    "a private network of class A": "10.0.0.1",
    "a private network of class B": "172.16.0.1",
    "the end of class B": "172.31.255.255",
    "a private network of class C": "192.168.1.1",
    "link-local": "169.254.1.1",
    "the metadata service": "169.254.169.254",
    "Alibaba's metadata service": "100.100.100.200",
    "Oracle's metadata service": "192.0.0.192",
    "Azure's wire server": "168.63.129.16",
    "a carrier's NAT": "100.64.0.1",
    "protocol assignments": "192.0.0.9",
    "benchmarks": "198.18.0.1",
    "documentation": "203.0.113.1",
    "6to4 relays": "192.88.99.1",
    "multicast": "224.0.0.1",
    "multicast of an organisation": "239.1.2.3",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "loopback, version 6": "::1",
    "nowhere, version 6": "::",
    "link-local, version 6": "fe80::1",
    "link-local with a zone": "fe80::1%eth0",
    "public with a zone": "2606:4700::1%eth0",
    "site-local": "fec0::1",
    "unique local": "fd00::1",
    "the metadata service, version 6": "fd00:ec2::254",
    "multicast, version 6": "ff02::1",
    "global multicast": "ff0e::1",
    "a mapped private address": "::ffff:10.0.0.1",
    "a mapped loopback": "::ffff:7f00:1",
    "a mapped public address": "::ffff:93.184.216.34",
    "a compatible loopback": "::127.0.0.1",
    "6to4 of a private address": "2002:a00:1::1",
    "6to4 of a public address": "2002:5db8:d822::1",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "NAT64 of the metadata service": "64:ff9b::169.254.169.254",
    "NAT64 of a local prefix": "64:ff9b:1::1",
    "Teredo": "2001::1",
    "ORCHID": "2001:20::1",
    "documentation, version 6": "2001:db8::1",
    "documentation, the newer": "3fff::1",
    "segment routing": "5f00::1",
    "discard": "100::1",
    "decimal": "2130706433",
    "hexadecimal": "0x7f000001",
    "octal": "0177.0.0.1",
    "short": "127.1",
    "a name": "localhost",
    "nothing": "",
}


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC.keys())
def test_what_is_not_of_the_public_internet_is_known(address: str) -> None:
    assert not is_public(address)


PUBLIC = [HOME, "1.1.1.1", "172.32.0.1", "172.15.0.1", "100.128.0.1", "192.0.1.1"]
PUBLIC += ["223.255.255.254", "2606:4700::6810:84e5", "2a00:1450:4001:81b::200e"]
PUBLIC += ["64:ff9b::5db8:d822"]


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_known(address: str) -> None:
    assert is_public(address)


# what is refused before anything is asked

FORMS = {
    "loopback": "http://127.0.0.1/x",
    "loopback in decimal": "http://2130706433/x",
    "loopback in hexadecimal": "http://0x7f000001/x",
    "loopback in dotted hexadecimal": "http://0x7f.0x0.0x0.0x1/x",
    "loopback in octal": "http://017700000001/x",
    "loopback in dotted octal": "http://0177.0.0.1/x",
    "loopback in short": "http://127.1/x",
    "loopback with zeros": "http://127.000.000.001/x",
    "loopback with the root's dot": "http://127.0.0.1./x",
    "loopback in full width": "http://１２７.０.０.１/x",
    "loopback with ideographic dots": "http://127。0。0。1/x",
    "loopback percent-encoded": "http://%31%32%37.0.0.1/x",
    "loopback in circles": "http://①②⑦.⓪.⓪.①/x",
    "zero": "http://0/x",
    "zero in hexadecimal": "http://0x/x",
    "nowhere": "http://0.0.0.0/x",
    "the metadata service": "http://169.254.169.254/latest/meta-data/",
    "the metadata service in decimal": "http://2852039166/x",
    "a private address over TLS": "https://10.1.2.3/x",
    "loopback, version 6": "http://[::1]/x",
    "loopback written out": "http://[0:0:0:0:0:0:0:1]/x",
    "mapped loopback": "http://[::ffff:127.0.0.1]/x",
    "mapped metadata service": "http://[::ffff:a9fe:a9fe]/x",
    "6to4": "http://[2002:7f00:1::]/x",
    "NAT64": "http://[64:ff9b::127.0.0.1]/x",
    "a zone": "http://[fe80::1%25lo]/x",
    "a zone of a public address": "http://[2606:4700::1%25lo]/x",
    "no address after all": "http://[::g]/x",
    "more than four numbers": "http://1.2.3.4.5/x",
}


@pytest.mark.parametrize("url", FORMS.values(), ids=FORMS.keys())
async def test_no_form_of_an_address_that_is_not_public_is_asked(
    internet: Internet, url: str
) -> None:
    await refused(url)
    assert not internet.dialled


@pytest.mark.parametrize("url", FORMS.values(), ids=FORMS.keys())
async def test_the_socket_judges_without_what_was_looked_at_before(
    internet: Internet, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """The last line alone holds too, for the forms the first does not know."""
    monkeypatch.setattr(fetching, "_check_place", lambda url: None)

    async def system(name: str, port: int) -> list[str]:
        infos = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        return [str(info[4][0]) for info in infos]

    monkeypatch.setattr(fetching, "_lookup", system)
    with pytest.raises(ConnectorError):
        await fetch(url, most=1000)
    assert not internet.dialled


async def test_the_socket_judges_each_of_several_addresses(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the resolver had let them through."""
    internet.names["files.example.com"] = [["10.0.0.5", "::1", "169.254.169.254"]]
    monkeypatch.setattr(fetching, "is_public", _only_sockets_know)
    with pytest.raises(NoFile):
        await fetch("http://files.example.com/x", most=1000)
    assert not internet.dialled


def _only_sockets_know(address: str) -> bool:
    return inspect.stack()[1].function != "_guarded_socket"


NAMED = {"private": ["10.0.0.5"], "metadata": ["169.254.169.254"], "loopback": ["127.0.0.1"]}
NAMED |= {"version 6": ["::1"], "one of two": [HOME, "192.168.0.1"], "mapped": ["::ffff:10.0.0.1"]}
NAMED |= {"nothing": []}


@pytest.mark.parametrize("answer", NAMED.values(), ids=NAMED.keys())
async def test_a_name_is_judged_by_all_its_addresses(internet: Internet, answer: list[str]) -> None:
    internet.names["files.example.com"] = [answer]
    await refused("http://files.example.com/x")
    assert not internet.dialled


async def test_localhost_is_refused_by_the_systems_own_word(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    async with provider([]):
        await refused("http://localhost/x")


STRANGE = {
    "a file": "file:///etc/passwd",
    "ftp": "ftp://files.example.com/x",
    "gopher": "gopher://files.example.com/x",
    "data": "data:text/plain,x",
    "no scheme": "files.example.com/x",
    "half a scheme": "//files.example.com/x",
    "nothing": "",
    "no host": "http:///x",
    "a user": "http://ann@files.example.com/x",
    "a user and a password": "http://ann:secret@files.example.com/x",
    "an address for a user": "http://127.0.0.1@files.example.com/x",
    "a line end": "http://files.example.com/x\r\nHost: other",
    "a blank": "http://files.example.com/a b",
    "a backslash": "http://files.example.com\\@127.0.0.1/x",
    "a NUL": "http://files.example.com/\x00",
    "a surrogate": "http://files.example.com/\ud800",
    "no end": "http://files.example.com/" + "x" * 9000,
    "half a bracket": "http://[::1/x",
    "ssh's port": "http://files.example.com:22/x",
    "Redis's port": "http://files.example.com:6379/x",
    "port 0": "http://files.example.com:0/x",
    "port 65536": "http://files.example.com:65536/x",
    "TLS's port without TLS": "http://files.example.com:443/x",
    "TLS at another port": "https://files.example.com:8443/x",
}


@pytest.mark.parametrize("url", STRANGE.values(), ids=STRANGE.keys())
async def test_what_is_no_plain_url_is_refused(internet: Internet, url: str) -> None:
    internet.names["files.example.com"] = [[HOME]]
    said = await refused(url)
    assert "secret" not in said
    assert not internet.dialled


# what comes back


async def test_a_file_comes_with_its_type_and_name(internet: Internet) -> None:
    named = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="a b.png"'}
    async with provider([Answer(b"data", headers=named)]) as server:
        internet.put("files.example.com", server)
        found = await fetch("http://files.example.com/x?sig=a%2Fb%3D&c=d+e", most=4)
        assert found == File(b"data", "image/png", "a b.png")
        assert server.requests[0].query == {"sig": "a/b=", "c": "d e"}
        assert server.requests[0].headers["accept-encoding"] == "identity"
        assert server.requests[0].headers["host"] == "files.example.com"
    assert internet.dialled == [(HOME, 80)]


@pytest.mark.parametrize(
    ("path", "name", "filename"),
    [
        ("/photos/file_1.jpg", "", "file_1.jpg"),
        ("/photos/%C3%A9t%C3%A9.jpg?x=.exe", "", "été.jpg"),
        ("/Media/ME557ce644e5ab84fa21cc21112e22c485", "", ""),
        ("/.hidden", "", ""),
        ("/photos/file_1.jpg", "holiday.jpg", "holiday.jpg"),
    ],
)
async def test_a_name_is_ours_or_the_servers_or_the_urls(
    internet: Internet, path: str, name: str, filename: str
) -> None:
    async with provider([FILE]) as server:
        internet.put("files.example.com", server)
        found = await fetch(f"http://files.example.com{path}", most=1000, name=name)
        assert found.filename == filename


async def test_a_public_address_without_a_name_is_asked(internet: Internet) -> None:
    async with provider([FILE]) as server:
        internet.put("unused", server)
        assert (await fetch(f"http://{HOME}/x", most=1000)).data == b"the file"


async def test_the_environments_proxy_is_not_asked(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with provider([FILE]) as server, provider([]) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        internet.put("files.example.com", server)
        assert (await fetch("http://files.example.com/x", most=1000)).data == b"the file"


# the account's own server


async def test_the_accounts_own_server_is_asked_wherever_it_is() -> None:
    async with provider([FILE]) as server:
        found = await fetch(
            f"{server.url}/x",
            most=1000,
            trusted=f"{server.url}/some/path/",
            headers={"X-Key": "k"},
            auth=("AC1", "sécret"),
        )
        assert found.data == b"the file"
        sent = server.requests[0].headers
        assert sent["x-key"] == "k"
        assert sent["authorization"] == "Basic QUMxOnPDqWNyZXQ="


@pytest.mark.parametrize("trusted", ["http://127.0.0.1:1", "https://127.0.0.1:{port}", ""])
async def test_another_port_or_scheme_is_not_the_accounts_own(trusted: str) -> None:
    async with provider([]) as server:
        port = urlsplit(server.url).port
        await refused(f"{server.url}/x", trusted=trusted.format(port=port))


async def test_the_accounts_own_server_may_redirect_to_itself_and_to_a_public_one(
    internet: Internet,
) -> None:
    async with provider([FILE]) as public:
        internet.put("files.example.com", public)
        here = Answer(status=302, headers={"Location": "/there?a=b"})
        away = Answer(status=307, headers={"Location": "http://files.example.com/x"})
        async with provider([here, away]) as own:
            found = await fetch(f"{own.url}/x", most=1000, trusted=own.url, auth=("u", "p"))
            assert found.data == b"the file"
            assert [r.path for r in own.requests] == ["/x", "/there"]
            assert all("authorization" in r.headers for r in own.requests)
        assert "authorization" not in public.requests[0].headers


async def test_another_host_cannot_lead_to_the_accounts_own_server(internet: Internet) -> None:
    async with provider([]) as own:
        away = Answer(status=302, headers={"Location": f"{own.url}/admin"})
        async with provider([away]) as public:
            internet.put("files.example.com", public)
            await refused("http://files.example.com/x", trusted=own.url)


async def test_nobody_who_was_led_away_is_trusted_when_led_back(internet: Internet) -> None:
    async with provider(
        [Answer(status=302, headers={"Location": "http://files.example.com/x"})]
    ) as own:
        back = Answer(status=302, headers={"Location": f"{own.url}/admin"})
        async with provider([back]) as public:
            internet.put("files.example.com", public)
            await refused(f"{own.url}/x", trusted=own.url)


# redirects


def to(location: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_without_what_was_sent_to_the_first(
    internet: Internet, status: int
) -> None:
    async with provider([to("http://cdn.example.com/x", status)]) as first, provider([FILE]) as cdn:
        internet.put("files.example.com", first)
        internet.put("cdn.example.com", cdn, [OTHER])
        found = await fetch(
            "http://files.example.com/x", most=1000, headers={"X-Key": "k"}, auth=("u", "p")
        )
        assert found.data == b"the file"
        assert first.requests[0].headers["x-key"] == "k"
        assert not {"authorization", "x-key", "cookie"} & set(cdn.requests[0].headers)


async def test_what_was_sent_is_not_sent_again_after_a_way_round(internet: Internet) -> None:
    async with provider([to("http://cdn.example.com/x"), FILE]) as first:
        async with provider([to("http://files.example.com/y")]) as cdn:
            internet.put("files.example.com", first)
            internet.put("cdn.example.com", cdn, [OTHER])
            await fetch("http://files.example.com/x", most=1000, auth=("u", "p"))
        assert "authorization" not in first.requests[1].headers


REDIRECTS = {
    **{f"to {name}": url for name, url in FORMS.items() if url.isascii()},
    "to a file": "file:///etc/passwd",
    "to another port": "http://files.example.com:8080/x",
    "to a user": "http://u:p@files.example.com/x",
    "to a private name": "http://inside.example.com/x",
    "to nothing": "",
    "to a backslash": "\\\\127.0.0.1\\x",
    "to half a bracket": "http://[::1",
    "to a private host without scheme": "//10.0.0.1/x",
}


@pytest.mark.parametrize("location", REDIRECTS.values(), ids=REDIRECTS.keys())
async def test_a_redirect_is_judged_like_the_url(internet: Internet, location: str) -> None:
    async with provider([to(location)]) as server:
        internet.put("files.example.com", server)
        internet.names["inside.example.com"] = [["10.0.0.1"]]
        await refused("http://files.example.com/x")
    assert internet.dialled == [(HOME, 80)]


async def test_a_name_that_moves_inside_after_the_first_answer_is_refused(
    internet: Internet,
) -> None:
    async with provider([to("/again")]) as server:
        internet.put("files.example.com", server, [HOME], ["127.0.0.1"])
        await refused("http://files.example.com/x")
    assert internet.dialled == [(HOME, 80)]


async def test_what_was_judged_is_what_is_connected_to(internet: Internet) -> None:
    """One look-up a request: there is no second one for a name to lie in."""
    async with provider([FILE]) as server:
        internet.put("files.example.com", server, [HOME], ["127.0.0.1"])
        await fetch("http://files.example.com/x", most=1000)
    assert internet.looked_up == ["files.example.com"]
    assert internet.dialled == [(HOME, 80)]


async def test_five_redirects_are_followed_and_not_a_sixth(internet: Internet) -> None:
    async with provider([*[to("/on")] * 5, FILE]) as server:
        internet.put("files.example.com", server)
        assert (await fetch("http://files.example.com/x", most=1000)).data == b"the file"
    async with provider([to("/on")] * 6) as server:
        internet.put("files.example.com", server)
        assert "redirects" in await refused("http://files.example.com/x")


# size and time


async def test_a_file_of_just_the_size_comes_and_one_byte_more_does_not(
    internet: Internet,
) -> None:
    async with provider([Answer(b"x" * 1000), Answer(b"x" * 1001)]) as server:
        internet.put("files.example.com", server)
        assert len((await fetch("http://files.example.com/x", most=1000)).data) == 1000
        assert "1001 bytes, 1000 are allowed" in await refused("http://files.example.com/x")


async def serve(reply: bytes, *, drip: float = 0.0, endless: bytes = b"") -> Any:
    """A server of raw bytes: `reply`, then `endless` again and again, `drip` seconds apart."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            while endless:
                writer.write(endless)
                await writer.drain()
                await asyncio.sleep(drip)
            await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n",
    ],
    ids=["no length", "chunks", "version 1.0"],
)
async def test_a_file_without_end_is_cut_at_the_limit(head: bytes) -> None:
    more = b"x" * 1000
    if b"chunked" in head:
        more = b"3e8\r\n" + more + b"\r\n"
    server = await serve(head, endless=more)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(NoFile, match="more than 5000 bytes"):
            await fetch(f"{url}/x", most=5000, trusted=url)


@pytest.mark.parametrize("length", [10, 2000])
async def test_a_file_of_another_length_than_told_is_asked_for_again(length: int) -> None:
    server = await serve(
        f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode()
        + b"x" * 1000
    )
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(RetryLater):
            await fetch(f"{url}/x", most=5000, trusted=url)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate"])
async def test_what_comes_compressed_is_not_unpacked(internet: Internet, encoding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    answer = Answer(bomb, headers={"Content-Encoding": encoding})
    async with provider([answer]) as server:
        internet.put("files.example.com", server)
        with pytest.raises(NoFile, match="compressed"):
            await fetch("http://files.example.com/x", most=100_000)


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"],
    ids=["of headers", "of the body"],
)
async def test_a_drip_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(fetching, "TOTAL_SECONDS", 0.3)
    server = await serve(head, drip=0.05, endless=b"H")
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(RetryLater):
            await asyncio.wait_for(fetch(f"{url}/x", most=5000, trusted=url), 5)


async def test_silence_is_not_waited_for_over_all_redirects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "TOTAL_SECONDS", 0.3)

    async def slowly(request: Recorded) -> Step:
        await asyncio.sleep(0.1)
        return to("/on")

    async with provider(slowly) as server:
        with pytest.raises(RetryLater, match=r"0\.3 s"):
            await fetch(f"{server.url}/x", most=5000, trusted=server.url)


# what goes wrong

SECRET = "sig=s3cr3t"


@pytest.mark.parametrize(
    ("step", "error", "after"),
    [
        (Answer(status=404), NoFile, None),
        (Answer(status=410), NoFile, None),
        (Answer(status=403), NoFile, None),
        (Answer(status=400), NoFile, None),
        (Answer(status=204), NoFile, None),
        (Answer(b"x", status=206), NoFile, None),
        (Answer(status=304), NoFile, None),
        (Answer(status=401), RetryLater, None),
        (Answer(status=408), RetryLater, None),
        (Answer(status=429), RetryLater, None),
        (Answer(status=429, headers={"Retry-After": "7"}), RetryLater, 7.0),
        (Answer(status=429, headers={"Retry-After": "999999999"}), RetryLater, 86400.0),
        (Answer(status=429, headers={"Retry-After": "soon"}), RetryLater, None),
        (Answer(status=429, headers={"Retry-After": "-1"}), RetryLater, None),
        (
            Answer(status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
            RetryLater,
            0.0,
        ),
        (Answer(status=500), RetryLater, None),
        (Answer(status=502), RetryLater, None),
        (Reset(), RetryLater, None),
        (Garbage(), RetryLater, None),
        (Truncated(), RetryLater, None),
    ],
)
async def test_what_may_come_right_is_told_from_what_will_not(
    step: Step, error: type[ConnectorError], after: float | None
) -> None:
    async with provider(lambda request: step) as server:
        with pytest.raises(error) as caught:
            await fetch(f"{server.url}/x?{SECRET}", most=5000, trusted=server.url)
    assert getattr(caught.value, "after", None) == after
    _keeps_the_secret(caught.value)


async def test_a_server_that_is_not_there_may_come_back() -> None:
    url = closed_url()
    with pytest.raises(RetryLater) as caught:
        await fetch(f"{url}/x?{SECRET}", most=5000, trusted=url)
    _keeps_the_secret(caught.value)


async def test_a_name_that_is_not_known_may_become_so(internet: Internet) -> None:
    with pytest.raises(RetryLater, match=r"nowhere\.example"):
        await fetch(f"http://nowhere.example/x?{SECRET}", most=5000)


async def test_a_certificate_of_nobody_is_not_believed(internet: Internet) -> None:
    async with provider([]) as server:
        internet.put("files.example.com", server, port=443)
        with pytest.raises(RetryLater):
            await fetch(f"https://files.example.com/x?{SECRET}", most=5000)


async def test_a_server_that_hangs_is_left_when_the_caller_is(internet: Internet) -> None:
    async with provider([Hang()]) as server:
        internet.put("files.example.com", server)
        task = asyncio.create_task(fetch("http://files.example.com/x", most=5000))
        await server.wait_for(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def _keeps_the_secret(error: BaseException) -> None:
    seen: BaseException | None = error
    while seen is not None:
        assert "s3cr3t" not in f"{seen} {seen!r}"
        seen = seen.__cause__ or seen.__context__
