"""Read marks and typing indicators: what a customer sees while an answer is being made.

Nothing depends on them: failures are not even retried.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping

from bot.message import Address, Event, Reaction
from bot.store.messages import Message
from connectors.base import Connector
from connectors.errors import ConnectorError

log = logging.getLogger(__name__)

#: Seconds before an answer counts as taking long. Most are there before anybody could read
#: "typing…", which would only cost a request.
PATIENCE = 0.7
# Marks under way at once; more customers than that wait without them.
_AT_ONCE = 64
_SECONDS = 10.0
_SILENT = (Event.kind, Reaction.kind)


class Attention:
    """Shows it on the channels of one worker process."""

    def __init__(self, connectors: Mapping[tuple[str, str], Connector]) -> None:
        self._connectors = connectors
        self._marks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def to(self, message: Message) -> AsyncIterator[None]:
        """Pay attention to a message for as long as its turn takes."""
        connector = self._connectors.get((message.channel, message.account))
        kind = (message.content or {}).get("kind")
        if connector is None or kind in _SILENT or len(self._marks) >= _AT_ONCE:
            yield
            return
        address = Address.parse(message.conversation)
        if connector.capabilities.seen:
            self._begin(connector, connector.seen(address, message.provider_id))
        typing = None
        if connector.capabilities.typing_seconds:
            typing = asyncio.create_task(self._type(connector, address, message.provider_id))
        try:
            yield
        finally:
            if typing is not None:
                typing.cancel()

    async def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._marks):
            task.cancel()
        await asyncio.gather(*self._marks, return_exceptions=True)

    async def _type(self, connector: Connector, address: Address, of: str) -> None:
        pause = PATIENCE
        while True:
            await asyncio.sleep(pause)
            self._begin(connector, connector.typing(address, of))
            pause = connector.capabilities.typing_seconds

    def _begin(self, connector: Connector, mark: Awaitable[None]) -> None:
        task = asyncio.create_task(_quietly(connector, mark))
        self._marks.add(task)
        task.add_done_callback(self._marks.discard)


async def _quietly(connector: Connector, mark: Awaitable[None]) -> None:
    try:
        await asyncio.wait_for(mark, _SECONDS)
    except (ConnectorError, asyncio.TimeoutError) as error:
        log.debug("%s: a mark was not set: %s", connector.name, error)
    except Exception:
        log.exception("%s: the connector failed on a mark", connector.name)
