"""``bot replay``: what a connector makes of a recorded request, without storing anything."""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot import serve
from bot.message import Inbound, Notice, Receipt, encode
from bot.settings import Settings
from connectors.base import Arrived, Connector, Request
from connectors.errors import BadSignature, Unreadable

_KEYS = ("channel", "account", "method", "path", "query", "headers", "body", "body_base64")


class BadRecording(Exception):
    """The file is no recorded request; the text names the file and what would be right."""


async def replay(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``bot replay FILE``; 1 when the connector could not read all of it."""
    try:
        name, channel, account, request = recorded(args.file, args.channel, args.account)
        connector = _connector(settings, channel, account)
    except BadRecording as error:
        print(error, file=sys.stderr)
        return 2
    try:
        # A recording is somebody's word, not the provider's: its signature is checked
        # only when that is what one wants to know.
        arrived = await connector.receive(request if args.verify else connector.vouch(request))
    except BadSignature as error:
        print(f"{name}: the signature is wrong: {error}", file=sys.stderr)
        return 1
    except Unreadable as error:
        show(error.parsed)
        print(f"{name}: not all of it is readable: {error}", file=sys.stderr)
        return 1
    finally:
        await connector.close()
    show(arrived)
    return 0


def recorded(file: Path, channel: str | None, account: str | None) -> tuple[str, str, str, Request]:
    """Read a recording: `bot dead show --json` writes it, or a bare body with --channel.

    Returns the file's name, channel, account and the request. Raises BadRecording.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadRecording(f"{file}: {error.strerror}") from None
    try:
        found: Any = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not ({"body", "body_base64"} & found.keys()):
        if not channel:
            raise BadRecording(
                f"{file}: is no recorded request (an object with {', '.join(_KEYS)}); "
                "for a bare body name its --channel"
            )
        found = {"channel": channel, "body": data}
    unknown = found.keys() - set(_KEYS)
    if unknown:
        raise BadRecording(f"{file}: {min(unknown)} is not a known key of a recorded request")
    channel = channel or found.get("channel")
    account = account or found.get("account") or ""
    if not isinstance(channel, str) or not isinstance(account, str):
        raise BadRecording(f"{file}: channel: is missing, or give --channel")
    for key in ("query", "headers"):
        values = found.get(key, {})
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise BadRecording(f"{file}: {key}: is not an object of texts")
    return str(file), channel, account, _request(str(file), found, channel, account)


def _request(name: str, found: dict[str, Any], channel: str, account: str) -> Request:
    body = found.get("body", "")
    if "body_base64" in found:
        try:
            body = base64.b64decode(found["body_base64"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise BadRecording(f"{name}: body_base64: is not base64") from None
    elif isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    elif not isinstance(body, bytes):
        # Somebody pasted the JSON itself.
        body = json.dumps(body).encode()
    return Request(
        str(found.get("method", "POST")),
        str(found.get("path", f"/webhooks/{channel}/{account}")),
        found.get("query", {}),
        {key.lower(): value for key, value in found.get("headers", {}).items()},
        body,
    )


def _connector(settings: Settings, channel: str, account: str) -> Connector:
    connectors = serve.connectors_of(settings)
    for (known, name), connector in connectors.items():
        if known == channel and account in ("", name):
            return connector
    accounts = ", ".join(sorted(":".join(key) for key in connectors)) or "none"
    wanted = f"{channel}:{account}" if account else channel
    raise BadRecording(f"no account {wanted} is configured; there are: {accounts}")


def show(arrived: Sequence[Arrived]) -> None:
    """Print what was made of a request, an object a line."""
    for one in arrived:
        print(json.dumps(described(one), ensure_ascii=False, default=str))
    if not arrived:
        print("nothing that concerns the bot")


def described(one: Arrived) -> dict[str, Any]:
    """Return what arrived as plain data, without what is empty."""
    if isinstance(one, Inbound):
        said = {**asdict(one), "address": one.address.key, "content": encode(one.content)}
        return {"inbound": _filled(said)}
    kind = "receipt" if isinstance(one, Receipt) else "notice"
    assert isinstance(one, (Receipt, Notice))  # noqa: S101
    return {kind: _filled(asdict(one))}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for key, value in values.items():
        kept = _filled(value) if isinstance(value, dict) else value
        if kept not in ("", None, {}, ()):
            found[key] = kept
    return found
