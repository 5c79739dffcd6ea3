"""One running instance for all tests that do not kill it, and customers of it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.kit.customers import Control, Customer, Phone, Visitor, new_user
from tests.kit.instance import Instance, running

CHANNELS = ("telegram", "whatsapp", "webchat")
#: Seconds for a test that starts an instance, which takes long where others are at work.
LONGEST = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test time for what it runs on; the hook is called for tests elsewhere, too."""
    for item in items:
        if item.path.parent == Path(__file__).parent and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONGEST))


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that runs for the whole session. The first test pays for its start."""
    with running(tmp_path_factory.mktemp("instance")) as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def control(instance: Instance, http: aiohttp.ClientSession) -> AsyncIterator[Control]:
    made = Control(http, instance.sandbox_url)
    yield made
    await made.lift()


Meet = Callable[[str], Customer]


@pytest.fixture
async def meet(
    instance: Instance, control: Control, http: aiohttp.ClientSession
) -> AsyncIterator[Meet]:
    """Return a new customer of a channel, whom the bot has never met."""
    visitors = []

    def made(channel: str) -> Customer:
        if channel == "webchat":
            visitors.append(Visitor(http, instance.gateway_url, instance.sandbox_url))
            return visitors[-1]
        return Phone(control, channel, new_user(channel))

    yield made
    for visitor in visitors:
        await visitor.close()


@pytest.fixture(params=CHANNELS)
async def customer(request: pytest.FixtureRequest, meet: Meet) -> Customer:
    """A new customer on each channel in turn."""
    return meet(request.param)


@pytest.fixture
def png() -> bytes:
    """A red picture, 8 by 8 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + b"\xff\0\0" * 8 for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Make instances of a test's own, which it may kill. They are ended whatever happens."""
    made: list[Instance] = []

    def make(**options: object) -> Instance:
        made.append(Instance(tmp_path / f"instance{len(made)}", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert [line for one in made for line in one.left()] == []
