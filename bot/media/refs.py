"""References to files that came with no URL and were kept at once, such as a web chat's."""

from __future__ import annotations

from bot.media.seal import Seal

#: How `bot.message.Media.ref` of such a file begins.
PREFIX = "kept:"
_FOR = "ref"


def ref_of(seal: Seal, channel: str, account: str, key: str) -> str:
    """Return the reference to the file `key` of the vault, good for one account alone."""
    return f"{PREFIX}{key}.{seal.sign(_FOR, channel, account, key)}"


def key_in(seal: Seal, channel: str, account: str, ref: str) -> str:
    """Return the key that a reference is to, "" when it was not given out to this account."""
    key, _, signature = ref.removeprefix(PREFIX).partition(".")
    return key if seal.holds(signature, _FOR, channel, account, key) else ""
