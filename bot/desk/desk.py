"""The desk: does what agents want, once, whatever happens in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.desk import changing, closing, finding, remembering, saying, taking
from bot.desk.contract import Done, Fetches, Helps
from bot.desk.deeds import Refused
from bot.desk.means import Means
from bot.desk.people import People
from bot.desk.routing import Routing
from bot.desk.templates import Approved
from bot.media.seal import Seal
from bot.media.vault import AsyncVault
from bot.store import AsyncStore
from bot.store.deeds import Deed
from connectors.base import Capabilities

_DOES: Mapping[str, Callable[[Means, Deed], Awaitable[Done]]] = {
    "take": taking.take,
    "assign": taking.assign,
    "reopen": taking.reopen,
    "back": closing.back,
    "resolve": closing.resolve,
    "write": saying.write,
    "say": saying.say,
    "note": saying.note,
    "template": saying.template,
    "send_draft": saying.send_draft,
    "discard": saying.discard,
    "edit": changing.edit,
    "delete": changing.delete,
    "find": finding.find,
    "remember": remembering.remembers,
}
_HELPS = ("draft", "similar", "suggest", "act", "canned")


class UnknownDeed(Exception):
    """There is no deed of this kind; the text says which."""


class Desk:
    """Does deeds for one process; any number may work on one store.

    `capabilities` are by channel. `fetches` get agents' files, by where the deed comes from;
    `vault` keeps them, `seal` and `public_url` make the links by which providers get them,
    `most` is the bytes of one. `templates` are those of ``data/templates.yml``.
    """

    def __init__(
        self,
        store: AsyncStore,
        *,
        routing: Routing,
        people: People,
        capabilities: Callable[[str], Capabilities],
        helps: Helps | None = None,
        fetches: Mapping[str, Fetches] | None = None,
        seal: Seal | None = None,
        vault: AsyncVault | None = None,
        public_url: str = "",
        templates: Sequence[Approved] = (),
        most: int = 25 * 1024 * 1024,
    ) -> None:
        self.means = Means(
            store,
            routing,
            people,
            capabilities,
            templates=tuple(templates),
            fetches=dict(fetches or {}),
            seal=seal,
            vault=vault,
            public_url=public_url,
            most=most,
        )
        self._helps = helps

    async def perform(self, deed: Deed) -> Done:
        """Do a deed; done again, also after a crash anywhere in it, it does nothing twice.

        What is not to be done is told by `Done.ok`. Raises UnknownDeed, RetryLater, StoreDown,
        and `bot.desk.deeds.Overtaken` when another process has the deed.
        """
        try:
            if deed.kind in _DOES:
                return await _DOES[deed.kind](self.means, deed)
            if deed.kind in _HELPS:
                return await self._help(deed)
        except Refused as refusal:
            return Done(False, str(refusal))
        raise UnknownDeed(f"{deed.kind!r} is nothing the desk does")

    async def _help(self, deed: Deed) -> Done:
        helps = self._helps
        if helps is None:
            return Done(False, "There is no help with that here.")
        if deed.conversation:
            await self.means.held(deed)
        if deed.kind == "draft":
            return await helps.draft(deed)
        if deed.kind == "similar":
            return await helps.similar(deed)
        if deed.kind == "suggest":
            return await helps.suggest(deed)
        if deed.kind == "act":
            return await helps.act(deed)
        return await helps.canned(deed)
