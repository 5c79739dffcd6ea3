"""Who is logged in: a signed cookie, good for some hours and for one password."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Sequence

from bot.desk.contract import Person
from bot.media.seal import Seal
from bot.settings import ConsoleAccount

COOKIE = "frontdesk_console"
#: How long a login is good for, in seconds.
LIFETIME = 12 * 3600
_FOR = "console"
_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,400})\.([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")


class Sessions:
    """Checks passwords, gives out tokens and tells whose they are.

    A token is signed together with the account's password, so that it ends when the password
    changes or the account is removed. One that was logged out is remembered by this process
    alone: another gateway takes it until it expires, if somebody has stolen it before.
    """

    def __init__(
        self,
        accounts: Sequence[ConsoleAccount],
        seal: Seal,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = {account.account: account for account in accounts}
        self._seal = seal
        self._now = now
        self._ended: dict[str, int] = {}

    def proven(self, account: str, password: str) -> Person | None:
        """Return the agent whose password it is, in a time that does not tell how nearly."""
        known = self._accounts.get(account)
        expected = known.password if known is not None else secrets.token_hex(16)
        if hmac.compare_digest(_digest(password), _digest(expected)) and known is not None:
            return _person(known)
        return None

    def begin(self, person: Person) -> str:
        """Return the token of a new session."""
        expires = str(int(self._now()) + LIFETIME)
        nonce = secrets.token_hex(16)
        name = base64.urlsafe_b64encode(person.id.encode()).decode().rstrip("=")
        return f"{name}.{expires}.{nonce}.{self._sign(self._accounts[person.id], expires, nonce)}"

    def who(self, token: str) -> Person | None:
        """Return whose session it is; None for a forged, expired or ended one."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        name, expires, nonce, signature = parts.groups()
        try:
            account = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        known = self._accounts.get(account)
        if known is None or not hmac.compare_digest(self._sign(known, expires, nonce), signature):
            return None
        if int(expires) <= self._now() or nonce in self._ended:
            return None
        return _person(known)

    def end(self, token: str) -> None:
        """Log a session out."""
        parts = _TOKEN.fullmatch(token)
        if parts is not None and self.who(token) is not None:
            now = self._now()
            self._ended = {nonce: until for nonce, until in self._ended.items() if until > now}
            self._ended[parts[3]] = int(parts[2])

    def _sign(self, account: ConsoleAccount, expires: str, nonce: str) -> str:
        return self._seal.sign(_FOR, account.account, account.password, expires, nonce)


def _person(account: ConsoleAccount) -> Person:
    return Person(account.account, account.name or account.account, account.slack)


def _digest(text: str) -> bytes:
    # Of one length, whatever is compared.
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
