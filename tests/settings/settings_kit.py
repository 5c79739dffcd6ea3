"""Account schemas like the connectors', and a directory of settings files to load from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bot.settings import Settings, SettingsInvalid, load


def secret(**options: Any) -> Any:
    return field(repr=False, metadata={"secret": True}, **options)


@dataclass(frozen=True)
class TelegramAccount:
    account: str
    token: str = secret()
    secret_token: str = secret(default="")
    mode: Literal["webhook", "polling"] = "webhook"
    api_url: str = ""

    def __post_init__(self) -> None:
        if self.mode == "webhook" and not self.secret_token:
            raise ValueError("mode webhook needs a secret_token")


@dataclass(frozen=True)
class SmsAccount:
    account: str
    account_sid: str
    auth_token: str = secret()
    sender: str = field(metadata={"key": "from"})
    public_url: str = ""
    rate: float = field(default=1.0, metadata={"above": 0, "most": 100})
    dry: bool = False
    api_url: str = ""

    def __post_init__(self) -> None:
        if not self.sender.startswith("+"):
            raise ValueError(f"{self.sender} is no E.164 number, should begin with +")


@dataclass(frozen=True)
class WebChatAccount:
    account: str
    origins: tuple[str, ...] = ()
    api_url: str = ""


SCHEMAS = {"telegram": TelegramAccount, "sms": SmsAccount, "webchat": WebChatAccount}


def load_from(
    directory: Path,
    endpoints: str | bytes | None = None,
    credentials: str | bytes | None = None,
    environ: dict[str, str] | None = None,
    /,
    **options: Any,
) -> Settings:
    """Write the files that are given into `directory` and load them."""
    for name, content in (("endpoints.yml", endpoints), ("credentials.yml", credentials)):
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode()
            (directory / name).write_bytes(data)
    return load(
        channels=tuple(SCHEMAS),
        schema_of=SCHEMAS.__getitem__,
        environ=environ or {},
        cwd=directory,
        **options,
    )


def lines_of(directory: Path, *files: Any, **options: Any) -> list[str]:
    """Return the problems of the files, as `bot check` prints them; [] for none."""
    try:
        load_from(directory, *files, **options)
    except SettingsInvalid as error:
        return [str(problem) for problem in error.problems]
    return []
