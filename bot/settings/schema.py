"""What can be set: one frozen dataclass a section, its defaults, and what is allowed.

Metadata of a field, for connectors' accounts too: ``secret`` (never shown), ``key`` (its
name in the file where that is a Python keyword), ``least``, ``most`` and ``above``
(bounds of a number), ``schemes`` (of a URL), ``host`` ("any" or "loopback").
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

HTTP = ("http", "https")

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; S3-compatible
# services allow a little more. A prefix has no empty part.
_BUCKET = re.compile(r"s3://[A-Za-z0-9][A-Za-z0-9._-]{1,254}(/[A-Za-z0-9!_.*'()=-]+)*/?")
#: What each kind of backend cannot do without.
_BACKEND_NEEDS = {
    "demo": (),
    "rest": ("url", "mapping"),
    "shopify": ("url", "token"),
    "woocommerce": ("url", "key", "secret"),
}
#: The parts of a shop that can be somewhere else than the rest of it, which is ``shop``.
BACKEND_PARTS = ("shop", "orders", "shipments", "accounts", "payments")
_MAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_SECRET_LENGTH = 16
_PASSWORD_LENGTH = 12


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
    """One language model; they are tried in order.

    `url` is that of an endpoint which speaks the OpenAI chat protocol, up to and without
    ``/chat/completions``, or ``local:`` for a model of `transformers`, in this process,
    which `model` names (a folder, or an id of the hub). `timeout_seconds` is for a whole
    answer, `first_seconds` for its beginning. `mask` says whether personal data are masked
    before they are sent: "auto" does it unless the model is on this machine. Prices are for a
    million tokens, in one currency for all models. `context_tokens` is what the model reads
    at once. With `vision` it gets the pictures that customers send, as they are: nothing in a
    picture can be masked, wherever the model is.
    """

    url: str = field(metadata={"schemes": (*HTTP, "local")})
    model: str
    api_key: str = field(default="", repr=False, metadata={"secret": True})
    timeout_seconds: float = _above_zero(15.0)
    first_seconds: float = _above_zero(8.0)
    mask: Literal["auto", "always", "never"] = "auto"
    input_price: float = field(default=0.0, metadata={"least": 0})
    output_price: float = field(default=0.0, metadata={"least": 0})
    context_tokens: int = _whole(8192, 256)
    vision: bool = False

    def __post_init__(self) -> None:
        if self.vision and self.url.startswith("local:"):
            raise ValueError("vision: models of local: read words alone, leave it out")
        if self.vision and self.mask == "always":
            raise ValueError(
                "vision sends pictures, in which nothing can be masked: with mask: always "
                "leave it out, or say mask: auto if pictures may be sent as they are"
            )


@dataclass(frozen=True)
class Budget:
    """What language models may use: tokens and money a conversation and day, and a day.

    0 is no limit. Money is in the currency of the models' prices.
    """

    conversation_tokens: int = _whole(50_000, 0)
    day_tokens: int = _whole(0, 0)
    conversation_money: float = field(default=0.0, metadata={"least": 0})
    day_money: float = field(default=0.0, metadata={"least": 0})


@dataclass(frozen=True)
class Knowledge:
    """The knowledge base.

    `dir` is the folder of articles. `company` is what models are told whose customers they
    answer. `embeddings` names a sentence-embedding model of
    `transformers`, a folder or an id of the hub; "" searches by words alone. `domains` are
    those that answers may link to, beside what articles themselves link to.
    `stale_days` is after how many days an article is reported as old.
    """

    dir: str = "data/knowledge"
    company: str = ""
    embeddings: str = ""
    domains: tuple[str, ...] = ()
    stale_days: int = _whole(365)


@dataclass(frozen=True)
class Perception:
    """What is seen in messages before they are answered.

    `languages` are those that customers write in, ISO 639-1, the first is the company's own;
    `sentiment` names a text-classification model of `transformers`, "" for a lexicon.
    """

    languages: tuple[str, ...] = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")
    sentiment: str = ""

    def __post_init__(self) -> None:
        if not self.languages:
            raise ValueError("languages names none, give at least one, as in [en]")
        for language in self.languages:
            if not re.fullmatch(r"[a-z]{2}", language):
                raise ValueError(f"languages: {language[:8]!r} is not a two-letter code such as en")


@dataclass(frozen=True)
class Translation:
    """How customers are understood and answered whose language is not the company's.

    `engine` "llm" asks the language models, if there are any; "marian" the `models` of
    `transformers` by languages, as in ``pt-en``, each a folder or an id of the hub. `own` are
    languages, beside the company's, that the bot's own data is written in.
    """

    engine: Literal["llm", "marian", "none"] = "llm"
    models: Mapping[str, str] = field(default_factory=dict)
    own: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pair in self.models:
            if not re.fullmatch(r"[a-z]{2}-[a-z]{2}", pair):
                raise ValueError("models: a key should be two languages, as in pt-en")
        if self.engine == "marian" and not self.models:
            raise ValueError("engine marian needs models, as in models: {pt-en: DIR, en-pt: DIR}")
        for language in self.own:
            if not re.fullmatch(r"[a-z]{2}", language):
                raise ValueError(f"own: {language[:8]!r} is not a two-letter code such as de")


@dataclass(frozen=True)
class Transcription:
    """What listens to voice notes: nothing, an endpoint, or `faster-whisper` on this machine.

    `url` is that of an endpoint that speaks the OpenAI transcription protocol, up to and without
    ``/audio/transcriptions``; `model` is its word for the model, or of faster-whisper a size
    (``base``) or a folder. `language` is ISO 639-1, "" to have it found out. A recording longer
    than `max_seconds` is not listened to; `timeout_seconds` is for one recording. `minute_price`
    is in the currency of the models' prices. What is said in a recording cannot be masked.
    """

    engine: Literal["none", "endpoint", "whisper"] = "none"
    url: str = _url(*HTTP)
    model: str = ""
    api_key: str = field(default="", repr=False, metadata={"secret": True})
    language: str = ""
    timeout_seconds: float = _above_zero(20.0)
    max_seconds: float = _above_zero(180.0)
    minute_price: float = field(default=0.0, metadata={"least": 0})

    def __post_init__(self) -> None:
        if self.engine == "endpoint" and not (self.url and self.model):
            raise ValueError("engine: endpoint needs url and model")
        if self.engine == "whisper" and not self.model:
            raise ValueError("engine: whisper needs model, a size such as base or a folder")
        if self.engine != "endpoint" and (self.url or self.api_key):
            raise ValueError("url and api_key are of engine: endpoint")
        if self.language and not re.fullmatch(r"[a-z]{2}", self.language):
            raise ValueError("language should be a two-letter code such as en, or left out")


@dataclass(frozen=True)
class Desk:
    """The agents' side. `routing` is the file of who sees to what and when."""

    routing: str = "data/routing.yml"


@dataclass(frozen=True)
class Backend:
    """Where a part of the shop is asked, an entry of `backends`; see docs/backends.md.

    `kind` "demo" is the demonstration shop in the store. "shopify" has `url` and `token`,
    "woocommerce" `url`, `key` and `secret`, "rest" `url` and the file `mapping`. `version` is
    that of Shopify's API, "" for the one that this was written for. `timeout_seconds` is for
    one attempt, `call_seconds` for all of a call, `at_once` how many requests a process makes.
    `delivered_after_days` is WooCommerce's, which tells of no arrivals: None for the usual.
    """

    kind: Literal["demo", "rest", "shopify", "woocommerce"]
    url: str = _url(*HTTP)
    token: str = field(default="", repr=False, metadata={"secret": True})
    key: str = field(default="", repr=False, metadata={"secret": True})
    secret: str = field(default="", repr=False, metadata={"secret": True})
    mapping: str = ""
    version: str = ""
    timeout_seconds: float = _above_zero(5.0)
    call_seconds: float = _above_zero(8.0)
    at_once: int = _whole(6, 1, 100)
    delivered_after_days: int | None = field(default=None, metadata={"least": 0, "most": 365})

    def __post_init__(self) -> None:
        needed = _BACKEND_NEEDS[self.kind]
        for name in ("url", "token", "key", "secret", "mapping", "version"):
            given = bool(getattr(self, name))
            if name in needed and not given:
                raise ValueError(f"kind {self.kind} needs a {name}")
            allowed = name in needed or (name, self.kind) == ("version", "shopify")
            if given and not allowed:
                raise ValueError(f"{name} is nothing that kind {self.kind} has")
        if self.delivered_after_days is not None and self.kind != "woocommerce":
            raise ValueError(f"delivered_after_days is nothing that kind {self.kind} has")
        parts = urlsplit(self.url)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("url should have no user, password, ? or #")
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if self.kind in ("shopify", "woocommerce") and parts.scheme == "http" and not loopback:
            raise ValueError("url should be https://…, its credentials are sent with each request")
        if self.version and not re.fullmatch(r"20[0-9]{2}-(01|04|07|10)", self.version):
            raise ValueError("version should be one of Shopify's, as in 2026-04")


@dataclass(frozen=True)
class Media:
    """Where customers' files are kept, up to what size in bytes, and how they are linked to.

    `url` is "" for the directory `dir`, ``gridfs:`` for the store's own MongoDB, or
    ``s3://BUCKET/PREFIX`` at `endpoint` ("" for Amazon's); without keys boto3 finds its own
    (a role of the machine). `secret` signs links; "" for one that is made once in `var`,
    which only processes of one machine share. A file that the provider does not give is
    asked for again for `give_up_seconds`. A message whose file a model is to look at or listen
    to waits for it `wait_seconds` at the most, and is then answered without.
    """

    dir: str = ""
    url: str = _url("gridfs", "s3")
    endpoint: str = _url(*HTTP)
    access_key: str = field(default="", repr=False, metadata={"secret": True})
    secret_key: str = field(default="", repr=False, metadata={"secret": True})
    region: str = ""
    secret: str = field(default="", repr=False, metadata={"secret": True})
    max_bytes: int = _whole(25 * 1024 * 1024)
    give_up_seconds: float = _above_zero(24 * 3600.0)
    wait_seconds: float = _above_zero(8.0)

    def __post_init__(self) -> None:
        s3 = self.url.startswith("s3:")
        if s3 and not _BUCKET.fullmatch(self.url):
            raise ValueError("url should be s3://BUCKET or s3://BUCKET/PREFIX, without a user")
        if self.url and self.dir:
            raise ValueError("dir and url are two places, keep one of them")
        if not s3:
            others = {
                "endpoint": self.endpoint,
                "access_key": self.access_key,
                "secret_key": self.secret_key,
                "region": self.region,
            }
            for name, value in others.items():
                if value:
                    raise ValueError(f"{name} is of an S3 bucket, but url is not s3://BUCKET")
        if bool(self.access_key) != bool(self.secret_key):
            raise ValueError("access_key and secret_key go together")
        if self.secret and len(self.secret) < _SECRET_LENGTH:
            raise ValueError(f"secret should have at least {_SECRET_LENGTH} characters")


@dataclass(frozen=True)
class Mail:
    """The mail server that one-time codes go out by; "" sends no mail.

    `url` is ``smtps://HOST:PORT`` (TLS from the start, 465) or ``smtp://HOST:PORT`` (587), which
    has to offer STARTTLS unless it is on this machine. `sender` is what customers see.
    """

    url: str = _url("smtp", "smtps")
    user: str = ""
    password: str = field(default="", repr=False, metadata={"secret": True})
    sender: str = field(default="", metadata={"key": "from"})
    timeout_seconds: float = _above_zero(15.0)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if self.url and (parts.username or parts.password):
            raise ValueError("url should have no user and password in it, they are settings")
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password go together")
        address = parseaddr(self.sender)[1]
        if self.url and not _MAIL.fullmatch(address):
            raise ValueError("from should be an address, as in Larkfield <help@larkfield.example>")


@dataclass(frozen=True)
class Server:
    """The gateway. `public_url` is how providers reach it; `body_limit` is in bytes."""

    host: str = field(default="127.0.0.1", metadata={"host": "any"})
    port: int = _whole(8080, 1, 65535)
    public_url: str = _url(*HTTP)
    body_limit: int = _whole(1024 * 1024)


@dataclass(frozen=True)
class Sandbox:
    """The providers' stand-ins. They believe anyone, so they are for this machine only.

    `mail_port` is the mail server's, 0 for any that is free.
    """

    host: str = field(default="127.0.0.1", metadata={"host": "loopback"})
    port: int = _whole(8090, 1, 65535)
    mail_port: int = _whole(0, 0, 65535)


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
class SlackAccount:
    """A Slack workspace that agents work in, an account of credentials.yml.

    `channel` is the id of the Slack channel for what ``data/routing.yml`` sends nowhere else.
    With an `app_token` events come by Socket Mode, without one by signed HTTP to
    ``/webhooks/slack/{account}``. `api_url` replaces https://slack.com.
    """

    account: str
    bot_token: str = field(repr=False, metadata={"secret": True})
    signing_secret: str = field(repr=False, metadata={"secret": True})
    channel: str
    app_token: str = field(default="", repr=False, metadata={"secret": True})
    api_url: str = _url(*HTTP)


@dataclass(frozen=True)
class ConsoleAccount:
    """A person who may log in to the console, an account of credentials.yml.

    `account` is the login and the agent's id. `name` is what customers and colleagues see,
    "" for the login. `slack` is the same person's user id there: with it both are one agent.
    """

    account: str
    password: str = field(repr=False, metadata={"secret": True})
    name: str = ""
    slack: str = ""

    def __post_init__(self) -> None:
        if len(self.password) < _PASSWORD_LENGTH:
            raise ValueError(f"password should have at least {_PASSWORD_LENGTH} characters")


@dataclass(frozen=True)
class Settings:
    """Everything that is set.

    `store.url` is filled in and absolute, and `media.dir` unless there is a `media.url`.
    `channels` holds, by channel, instances of the connectors' `Account`; `slack` and `console`
    are how agents come in. `backends` are by `BACKEND_PARTS`, none for the demonstration shop.
    `var` is the one
    directory that is written to, `model` the trained Rasa model or the directory whose newest
    is taken.
    """

    store: Store
    redis: Redis
    llm: tuple[Llm, ...]
    budget: Budget
    knowledge: Knowledge
    perception: Perception
    desk: Desk
    media: Media
    server: Server
    sandbox: Sandbox
    worker: Worker
    limits: Limits
    channels: Mapping[str, tuple[Any, ...]]
    var: Path
    model: str
    slack: tuple[SlackAccount, ...] = ()
    console: tuple[ConsoleAccount, ...] = ()
    backends: Mapping[str, Backend] = field(default_factory=dict)
    mail: Mail = field(default_factory=Mail)
    translation: Translation = field(default_factory=Translation)
    transcription: Transcription = Transcription()


#: Sections of endpoints.yml that are mappings. `llm` is a list, `model` a text.
SECTIONS: dict[str, type] = {
    "store": Store,
    "redis": Redis,
    "budget": Budget,
    "knowledge": Knowledge,
    "perception": Perception,
    "translation": Translation,
    "transcription": Transcription,
    "desk": Desk,
    "media": Media,
    "mail": Mail,
    "server": Server,
    "sandbox": Sandbox,
    "worker": Worker,
    "limits": Limits,
}

#: Sections of credentials.yml that are no channel of customers'.
DESKS: dict[str, type] = {"slack": SlackAccount, "console": ConsoleAccount}

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
