"""The named failures of a connector. The sender decides what follows, never the connector."""

from __future__ import annotations

from collections.abc import Sequence

from bot.message import Inbound, Notice, Receipt


class ConnectorError(Exception):
    """Base of all connector failures."""


class BadSignature(ConnectorError):
    """The request is not proven to come from the provider; nothing of it may be parsed."""


class Unreadable(ConnectorError):
    """The request is the provider's but not all of it can be understood.

    It is kept whole as a dead letter. `parsed` is what could be read of it beside
    (`bot.message.Inbound`, `Receipt` and `Notice`, in order): it is to be stored like any other
    arrival, so that one malformed item of a batch does not cost the others.
    """

    def __init__(self, reason: str, parsed: Sequence[Inbound | Receipt | Notice] = ()) -> None:
        super().__init__(reason)
        self.parsed = list(parsed)


class RetryLater(ConnectorError):
    """The provider did certainly not take the message; try again.

    `after` is in seconds where the provider named a time (Retry-After), else None.
    `pair` says that it is too much for this customer, not for the account: others go on.
    """

    def __init__(self, reason: str, after: float | None = None, *, pair: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.pair = pair


class Unsure(ConnectorError):
    """The request went out but no answer came back: it may or may not have been taken."""


class Rejected(ConnectorError):
    """The provider will never take this message. `code` is the provider's, "" without one."""

    def __init__(self, reason: str, code: str = "") -> None:
        super().__init__(reason)
        self.code = code


class WindowClosed(Rejected):
    """Free-form messages are not allowed now (WhatsApp's and Messenger's 24 hours)."""


class OptedOut(Rejected):
    """The customer asked for no messages or blocked the account."""


class NoMarketing(OptedOut):
    """The customer asked for no marketing; all else may be sent."""


class AddressGone(Rejected):
    """There is nobody at this address any more."""


class NoFile(ConnectorError):
    """A customer's file cannot be had any more, or never could; the text says why."""
