"""The sandbox's own credentials.yml, and the refusal to run beside real ones."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.sandbox.errors import BadCredentials, RealCredentials
from bot.sandbox.goods import CATALOG
from connectors import CHANNELS

ACCOUNT = "demo"
#: The account of the sandbox's Slack.
DESK = "desk"
SLACK = "slack"
CONSOLE = "console"

Accounts = dict[str, list[dict[str, Any]]]

# Those who may log in to the console, and who they are in the sandbox's Slack.
_PEOPLE = {"anna": ("Anna Keller", "U0ANNA"), "ben": ("Ben Okafor", "U0BEN")}
_SLACK_CHANNEL = "C0DESK"

# What the stand-ins of Meta know as approved, to be sent once the answering window is closed.
_REOPEN = {"reopen_template": "write_again", "reopen_language": "en"}


def ensure(var: Path, gateway_url: str, sandbox_url: str) -> Path:
    """Return ``<var>/sandbox/credentials.yml``, written or brought up to date.

    The secrets are random, made once and kept; the URLs follow the ports. The file is
    readable by its owner alone and replaced atomically. `gateway_url` is checked, for
    the widget of the page loads from it. Raises BadCredentials for URLs that are none
    and for a file that cannot be read.
    """
    sandbox_url = _base(sandbox_url)
    gateway_url = _base(gateway_url)
    path = var / "sandbox" / "credentials.yml"
    old = load(path) if path.exists() else {}
    new = _accounts(old, gateway_url, sandbox_url)
    if new != old:
        _write(path, new)
    elif path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path


def load(path: Path) -> Accounts:
    """Read a credentials file: lists of accounts by channel. Raises BadCredentials."""
    try:
        data = YAML(typ="safe").load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadCredentials(f"{path.name} cannot be read: {error}") from error
    except YAMLError:
        # The text of a YAML error quotes the line it is about, which may hold a secret.
        raise BadCredentials(f"{path.name} is not valid YAML") from None
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(
        isinstance(accounts, list) and all(isinstance(a, dict) for a in accounts)
        for accounts in data.values()
    ):
        raise BadCredentials(f"{path.name} must map channels to lists of accounts")
    return data


def logins(path: Path) -> list[str]:
    """Return who may log in to the sandbox's console, each as login and password."""
    return [f"{a['account']} / {a['password']}" for a in load(path).get(CONSOLE, [])]


def refuse_real(
    accounts: Mapping[str, Sequence[Any]], sandbox_url: str, names: Sequence[str] = (ACCOUNT,)
) -> None:
    """Raise RealCredentials when an account that is not the sandbox's has one of its names.

    `accounts` are the accounts of the user's credentials.yml by channel, Slack's among
    them, as mappings or as the connectors' `Account`. `names` are those of the channels'
    accounts; Slack's is `DESK`. An account is the sandbox's when its ``api_url`` (web
    chat has none: one of its ``origins``) is at `sandbox_url`.
    """
    for channel in (*CHANNELS, SLACK):
        for account in accounts.get(channel) or ():
            if _get(account, "account") not in ((DESK,) if channel == SLACK else names):
                continue
            urls = [_get(account, "api_url"), *(_get(account, "origins") or ())]
            if not any(url and _within(str(url), sandbox_url) for url in urls):
                raise RealCredentials(
                    f"the sandbox refuses to start beside real credentials for the same account: "
                    f"{channel} account {_get(account, 'account')!r} in credentials.yml; "
                    f"rename it, or run without the sandbox"
                )


def _get(account: Any, key: str) -> Any:
    return account.get(key) if isinstance(account, Mapping) else getattr(account, key, None)


def _within(url: str, sandbox_url: str) -> bool:
    return _place(url) == _place(sandbox_url)


def _place(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    try:
        return parts.hostname, parts.port
    except ValueError:
        return None, None


def _base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadCredentials(f"{url!r} is not an http URL")
    return url.rstrip("/")


def _accounts(old: Accounts, gateway_url: str, sandbox_url: str) -> Accounts:
    """Return the accounts with their secrets from `old` where it has them."""

    def kept(channel: str, name: str = ACCOUNT) -> dict[str, str]:
        like = _new(channel)
        found = next((a for a in old.get(channel, []) if a.get("account") == name), {})
        return {key: str(found.get(key) or value) for key, value in like.items()}

    # Of these nothing is secret, and all of it may follow the ports or a newer version.
    set_anew: dict[str, dict[str, Any]] = {
        "telegram": {"mode": "webhook"},
        "whatsapp": {"catalog": CATALOG, **_REOPEN},
        "messenger": _REOPEN,
        # As a number outside of North America may send.
        "sms": {"public_url": gateway_url, "messages_per_second": 10},
        "webchat": {"origins": [sandbox_url]},
    }
    made: Accounts = {}
    for channel in CHANNELS:
        account = {"account": ACCOUNT, **kept(channel), **set_anew.get(channel, {})}
        if channel != "webchat":
            account["api_url"] = f"{sandbox_url}/{channel}"
        made[channel] = [account]
    desk = {"account": DESK, **kept(SLACK, DESK), "channel": _SLACK_CHANNEL}
    made[SLACK] = [{**desk, "api_url": f"{sandbox_url}/{SLACK}"}]
    made[CONSOLE] = [
        {"account": login, "name": name, "slack": id_, **kept(CONSOLE, login)}
        for login, (name, id_) in _PEOPLE.items()
    ]
    return made


def _new(channel: str) -> dict[str, Any]:
    """Return new secrets and ids of a channel's account, in the shapes of its provider's."""
    if channel == "telegram":
        # A bot token is the bot's id, a colon and 35 characters.
        bot = secrets.randbelow(9 * 10**9) + 10**9
        return {
            "token": f"{bot}:{secrets.token_urlsafe(27)[:35]}",
            "secret_token": secrets.token_urlsafe(32),
        }
    if channel in ("whatsapp", "messenger"):
        name = {"whatsapp": "phone_id", "messenger": "page_id"}[channel]
        return {
            name: str(secrets.randbelow(9 * 10**14) + 10**14),
            "token": f"EAA{secrets.token_urlsafe(48)}",
            "app_secret": secrets.token_hex(16),
            "verify_token": secrets.token_urlsafe(24),
        }
    if channel == "sms":
        return {
            "account_sid": f"AC{secrets.token_hex(16)}",
            "auth_token": secrets.token_hex(16),
            # 555-01xx is set aside for fiction; customers in examples have the lower half.
            "from": f"+1202555{secrets.randbelow(50) + 150:04d}",
        }
    if channel == SLACK:
        numbers = [secrets.randbelow(9 * 10**11) + 10**11 for _ in range(3)]
        return {
            "bot_token": f"xoxb-{numbers[0]}-{numbers[1]}-{secrets.token_hex(12)}",
            "app_token": f"xapp-1-A0DESK-{numbers[2]}-{secrets.token_hex(32)}",
            "signing_secret": secrets.token_hex(16),
        }
    if channel == CONSOLE:
        return {"password": secrets.token_urlsafe(12)}
    return {}


def _write(path: Path, accounts: Accounts) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        # Made with its mode, so that the secrets are at no instant readable by others.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("# The sandbox's own accounts, made by it. No real provider knows them.\n")
            yaml = YAML(typ="safe")
            yaml.default_flow_style = False
            yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
            yaml.dump(accounts, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
