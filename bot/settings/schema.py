"""What can be set: one frozen dataclass a section, its defaults, and what is allowed.

Metadata of a field, for connectors' accounts too: ``secret`` (never shown), ``key`` (its
name in the file where that is a Python keyword), ``least``, ``most`` and ``above``
(bounds of a number), ``schemes`` (of a URL), ``host`` ("any" or "loopback").
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HTTP = ("http", "https")


def _url(*schemes: str, secret: bool = False) -> Any:
    return field(default="", repr=not secret, metadata={"schemes": schemes, "secret": secret})


def _whole(default: int, least: int = 1, most: int | None = None) -> Any:
    return field(default=default, metadata={"least": least, "most": most})


def _above_zero(default: float | None) -> Any:
    return field(default=default, metadata={"above": 0})


@dataclass(frozen=True)
class Store:
    """Where documents are kept: ``sqlite:PATH`` or a MongoDB URL, which may hold a password."""

    url: str = _url("sqlite", "mongodb", "mongodb+srv", secret=True)


@dataclass(frozen=True)
class Redis:
    """What wakes workers on other hosts; "" for none."""

    url: str = _url("redis", "rediss", "unix", secret=True)


@dataclass(frozen=True)
class Llm:
    """One endpoint that speaks the OpenAI chat protocol; they are tried in order."""

    url: str = field(metadata={"schemes": HTTP})
    model: str
    api_key: str = field(default="", repr=False, metadata={"secret": True})
    timeout_seconds: float = _above_zero(30.0)


@dataclass(frozen=True)
class Media:
    """Where customers' files are kept (a directory), and up to what size in bytes."""

    dir: str = ""
    max_bytes: int = _whole(25 * 1024 * 1024)


@dataclass(frozen=True)
class Server:
    """The gateway. `public_url` is how providers reach it; `body_limit` is in bytes."""

    host: str = field(default="127.0.0.1", metadata={"host": "any"})
    port: int = _whole(8080, 1, 65535)
    public_url: str = _url(*HTTP)
    body_limit: int = _whole(1024 * 1024)


@dataclass(frozen=True)
class Sandbox:
    """The providers' stand-ins. They believe anyone, so they are for this machine only."""

    host: str = field(default="127.0.0.1", metadata={"host": "loopback"})
    port: int = _whole(8090, 1, 65535)


@dataclass(frozen=True)
class Worker:
    """`concurrency` is how many worker processes ``bot run`` and ``bot worker`` start.

    One a core by default, for a message costs little but computing; at most four.
    """

    concurrency: int = _whole(min(os.cpu_count() or 1, 4), 1, 256)


@dataclass(frozen=True)
class Limits:
    """Times in seconds, and how often something is tried before it is a dead letter.

    `unsure_grace_seconds` replaces every connector's own `Capabilities.grace`.
    `retry_base_seconds` doubles at each attempt up to `retry_cap_seconds`.
    `restart_cap_seconds` is the longest pause before a process that died is started
    again; the first is a tenth of a second or less and doubles.
    `conversations_at_once` is per worker process.
    """

    turn_seconds: float = _above_zero(30.0)
    turn_attempts: int = _whole(3, 1, 100)
    lease_seconds: float = _above_zero(15.0)
    poll_seconds: float = _above_zero(1.0)
    conversations_at_once: int = _whole(8, 1, 1000)
    send_attempts: int = _whole(12, 1, 100)
    send_timeout_seconds: float = _above_zero(20.0)
    retry_base_seconds: float = _above_zero(1.0)
    retry_cap_seconds: float = _above_zero(300.0)
    unsure_grace_seconds: float | None = _above_zero(None)
    restart_cap_seconds: float = _above_zero(10.0)

    def __post_init__(self) -> None:
        if self.retry_base_seconds > self.retry_cap_seconds:
            raise ValueError(
                f"retry_base_seconds ({self.retry_base_seconds:g}) is above "
                f"retry_cap_seconds ({self.retry_cap_seconds:g})"
            )


@dataclass(frozen=True)
class Settings:
    """Everything that is set.

    `store.url` and `media.dir` are filled in and absolute. `channels` holds, by channel,
    instances of the connectors' `Account`. `var` is the one directory that is written to,
    `model` the trained Rasa model or the directory whose newest is taken.
    """

    store: Store
    redis: Redis
    llm: tuple[Llm, ...]
    media: Media
    server: Server
    sandbox: Sandbox
    worker: Worker
    limits: Limits
    channels: Mapping[str, tuple[Any, ...]]
    var: Path
    model: str


#: Sections of endpoints.yml that are mappings. `llm` is a list, `model` a text.
SECTIONS: dict[str, type] = {
    "store": Store,
    "redis": Redis,
    "media": Media,
    "server": Server,
    "sandbox": Sandbox,
    "worker": Worker,
    "limits": Limits,
}

#: What Rasa reads from the same endpoints.yml (https://rasa.com/docs/rasa/: model storage,
#: action server, tracker and lock stores, event brokers, NLG and NLU servers). Left to it.
RASA_KEYS = (
    "action_endpoint",
    "event_broker",
    "lock_store",
    "models",
    "nlg",
    "nlu",
    "tracker_store",
)
