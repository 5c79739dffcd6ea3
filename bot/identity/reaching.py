"""By what ways a code can reach a customer, beside the conversation itself."""

from __future__ import annotations

from dataclasses import dataclass

from bot.identity.phones import e164

MAIL, SMS = "mail", "sms"


@dataclass(frozen=True)
class Ways:
    """What is configured: whether mails can be sent, and the account that sends texts, or ""."""

    mail: bool = False
    sms: str = ""


@dataclass(frozen=True)
class OnFile:
    """The addresses that the shop has of a customer; "" is none. Never what somebody typed."""

    mail: str = ""
    phone: str = ""


_ways = Ways()


def provide(given: Ways) -> None:
    """Set what this process can send by; without it nothing."""
    global _ways
    _ways = given


def ways() -> Ways:
    """Return what this process can send by."""
    return _ways


def way_to(on_file: OnFile, given: Ways) -> str:
    """Return the way a code takes: mail, for it costs nothing, else SMS; "" when there is none."""
    if given.mail and "@" in on_file.mail:
        return MAIL
    return SMS if given.sms and e164(on_file.phone) else ""


def hint(address: str) -> str:
    """Return as much of an address as only its owner makes sense of: ``a…@g…``, ``…23``."""
    name, at, host = address.rpartition("@")
    if at:
        return f"{name[:1]}…@{host[:1]}…"
    return f"…{address[-2:]}"
