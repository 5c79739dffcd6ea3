"""The section ``identity`` of ``data/rules.yml``: what must be known of who asks, for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from bot.identity.reaching import MAIL, SMS
from bot.settings.nodes import Entry, Table, is_null
from bot.settings.problems import suggestion
from bot.settings.validate import Validator, kind_of

Need = Literal["nothing", "number", "proof"]

#: Nothing at all; the number of the order or parcel; a code to an address on file.
NEEDS: tuple[Need, ...] = ("nothing", "number", "proof")
#: What is told or done, and what it needs where the file does not say.
MATTERS: dict[str, Need] = {
    "order_status": "number",
    "tracking": "number",
    "cancel": "proof",
    "change_address": "proof",
    "refund": "proof",
    "return": "proof",
    "exchange": "proof",
    "invoice": "proof",
    "account": "proof",
    "password_reset": "proof",
    "data": "proof",
}
#: Channels whose addresses are phone numbers.
PHONES = ("whatsapp", "sms")
_LONGEST = 24 * 60


@dataclass(frozen=True, slots=True)
class Identity:
    """What must be known before what. `minutes` is how long a proof holds.

    On `channels` the customer's own number proves an account with that number; `send` are
    the ways codes may go. `remembered` is how an address that is remembered is shown.
    """

    needs: Mapping[str, Need] = field(default_factory=lambda: dict(MATTERS))
    minutes: int = 60
    channels: tuple[str, ...] = ()
    send: tuple[str, ...] = (MAIL, SMS)
    remembered: Literal["masked", "proof", "open"] = "masked"

    def need(self, matter: str) -> Need:
        """Return what a matter needs; what nobody has thought of needs a proof."""
        return self.needs.get(matter, "proof")

    @property
    def life(self) -> timedelta:
        """How long a proof holds."""
        return timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class _Identity:
    minutes: int = field(default=60, metadata={"least": 1, "most": _LONGEST})
    channels: tuple[str, ...] = ()
    send: tuple[str, ...] = (MAIL, SMS)
    remembered: Literal["masked", "proof", "open"] = "masked"


def read_identity(check: Validator, entry: Entry | None) -> Identity:
    """Read the section, telling what is wrong in it; without one all that matters needs a proof."""
    path = "identity"
    if entry is None or is_null(entry.node):
        return Identity()
    if not isinstance(entry.node, Table):
        right = "should be a mapping with needs, minutes, channels, send and remembered"
        check.tell(entry.origin, f"{path} is {kind_of(entry.node)}", right)
        return Identity()
    entries = dict(entry.node.entries)
    needs = _needs(check, entries.pop("needs", None))
    own = check.table(_Identity, Table(entries, entry.node.origin), path, entry.origin)
    if not own.good:
        return Identity(needs)
    values = {"minutes": 60, "channels": (), "send": (MAIL, SMS), **own.values}
    shown = values.get("remembered", "masked")
    for name, known in (("channels", PHONES), ("send", (MAIL, SMS))):
        for n, word in enumerate(values[name]):
            if word not in known:
                what = f"{path}.{name}[{n}] is {str(word)[:40]!r}"
                right = suggestion(str(word), known) or f"should be of {', '.join(known)}"
                check.tell(entries[name].origin, what, right)
    channels, send = tuple(values["channels"]), tuple(values["send"])
    return Identity(needs, values["minutes"], channels, send, shown)


def _needs(check: Validator, entry: Entry | None) -> dict[str, Need]:
    path, made = "identity.needs", dict(MATTERS)
    if entry is None or is_null(entry.node):
        return made
    if not isinstance(entry.node, Table):
        right = "should be a mapping, as in {cancel: proof}"
        check.tell(entry.origin, f"{path} is {kind_of(entry.node)}", right)
        return made
    for matter, inner in entry.node.entries.items():
        if matter not in MATTERS:
            check.unknown(matter, inner, path, dict.fromkeys(MATTERS))
            continue
        word = check.text(inner, f"{path}.{matter}", "proof")
        need = next((known for known in NEEDS if known == word), None)
        if need is None:
            what = f"{path}.{matter} is {word[:40]!r}"
            check.tell(inner.origin, what, f"should be one of {', '.join(NEEDS)}")
        else:
            made[matter] = need
    return made
