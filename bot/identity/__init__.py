"""One customer across channels.

`people` tells which addresses are one person, and joins and parts them; `meeting` finds
the person who writes from an address; `codes` are how customers prove it themselves.
"""

from __future__ import annotations

from bot.identity.codes import Linked, issue, redeem
from bot.identity.errors import IdentityError, NoSuchCustomer, NoSuchMerge, TooManyAddresses
from bot.identity.meeting import customer_of, moved, shared
from bot.identity.people import Person, merge, person, settle, undo

__all__ = [
    "IdentityError",
    "Linked",
    "NoSuchCustomer",
    "NoSuchMerge",
    "Person",
    "TooManyAddresses",
    "customer_of",
    "issue",
    "merge",
    "moved",
    "person",
    "redeem",
    "settle",
    "shared",
    "undo",
]
