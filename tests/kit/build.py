"""Builders, so that a test says only what it is about."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bot.message import Address, Content, Inbound, Receipt, Text, encode, utcnow
from bot.store.messages import QUEUED, Message, arrival

_numbers = itertools.count(1)


def address(user: str = "ann") -> Address:
    return Address("line", "shop", user)


def inbound(
    text: str | Content = "hello", *, user: str = "ann", n: int | None = None, order: int = 0
) -> Inbound:
    """A message from `user`; the same `n` is the same message delivered again."""
    content = Text(text) if isinstance(text, str) else text
    number = next(_numbers) if n is None else n
    return Inbound(address(user), f"{user}-{number}", content, order=order)


def receipt(
    status: str, *, of: str = "", provider_id: str = "", reason: str = "", account: str = "shop"
) -> Receipt:
    """What the provider says of the outbound message with our id `of`, or with its own id."""
    return Receipt("line", account, provider_id, status, ref=of, reason=reason)  # type: ignore[arg-type]


def row(
    text: str | Content = "hello",
    *,
    user: str = "ann",
    n: int = 1,
    status: str = QUEUED,
    due_in: float = 0.0,
    **fields: Any,
) -> Message:
    """A row of the outbox, the `n`-th of its conversation; `due_in` is in seconds."""
    now = utcnow()
    values = {
        "id": f"line:shop:{user}-in:{n}",
        "direction": "out",
        "conversation": address(user).key,
        "channel": "line",
        "account": "shop",
        "status": status,
        "content": encode(Text(text) if isinstance(text, str) else text),
        "order": 1000 + n,
        "arrived": arrival(),
        "sent": now,
        "due": now + timedelta(seconds=due_in),
    }
    return Message(**{**values, **fields})


def webhook(*items: dict[str, Any]) -> bytes:
    """The body of a request to `tests.kit.channel.Line`."""
    return json.dumps({"items": list(items)}).encode()


def item(text: str = "hello", *, user: str = "ann", n: int = 1) -> dict[str, Any]:
    """One message in a `webhook`."""
    return {"id": f"{user}-{n}", "user": user, "text": text}


def texts(contents: Sequence[Content]) -> list[str]:
    """The words of text contents."""
    return [c.text for c in contents if isinstance(c, Text)]
