"""Money as whole pence; nothing of it is ever a float."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(?:£|GBP)?\s*([0-9]{1,6})(?:[.,]([0-9]{1,2}))?\s*(?:£|GBP)?", re.IGNORECASE)

#: Both signs stand in it, so that there is no doubt which one parts the thousands.
_THOUSANDS = re.compile(
    r"(?:£|GBP)?\s*(?:([0-9]{1,3},[0-9]{3})\.([0-9]{2})|([0-9]{1,3}\.[0-9]{3}),([0-9]{2}))"
    r"\s*(?:£|GBP)?",
    re.IGNORECASE,
)


def read_pence(text: object) -> int | None:
    """Return the pence of an amount: ``12``, ``12.5``, ``£12.50``, ``12,50``; None for no such.

    ``1,200.50`` is one. ``1,250`` is none: it may be one pound and a quarter, or over a thousand.
    """
    told = str(text if text is not None else "").strip()
    large = _THOUSANDS.fullmatch(told)
    if large is not None:
        whole = re.sub(r"[,.]", "", large[1] or large[3])
        return int(whole) * 100 + int(large[2] or large[4])
    found = _AMOUNT.fullmatch(told)
    if found is None:
        return None
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def pounds(pence: int) -> str:
    """Return an amount as people read it, ``£12.50``."""
    return f"£{plain(pence)}"


def plain(pence: int) -> str:
    """Return an amount without its currency, ``12.50``."""
    return f"{pence // 100}.{pence % 100:02d}"
