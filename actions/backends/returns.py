"""Things that customers want to send back: asked for here, seen to by the team."""

from __future__ import annotations

from mongoengine import Document, StringField

from bot.message import clean, utcnow
from bot.store import Store
from bot.store.fields import UtcField

BACK, EXCHANGE = "back", "exchange"


class Return(Document):
    """`_id` is ``return:`` and the id of the message that caused it.

    `kind` says whether the thing comes back for money or for another one. Nothing in it
    is of the customer's person: `what` and `why` are his words about things, at most 200
    characters each.
    """

    id = StringField(primary_key=True)
    order = StringField(required=True)
    kind = StringField(required=True, choices=(BACK, EXCHANGE))
    what = StringField(default="")
    why = StringField(default="")
    at = UtcField(required=True)

    meta = {
        "collection": "returns",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("order", "at")],
    }

    @property
    def reference(self) -> str:
        """What customers and the team call it."""
        return f"R{self.order}"


class ReturnsBackend:
    """Notes returns in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def prepare(self) -> None:
        """Create the collection where it is missing. Raises StoreDown."""
        self._store.ensure(Return)

    def register(self, cause: str, number: str, kind: str, what: str = "", why: str = "") -> Return:
        """Note a return and give it; of several calls with the same `cause` the first counts.

        Raises StoreDown; whether it was noted then is told by calling it again.
        """
        asked = Return(
            id=f"return:{cause}",
            order=number,
            kind=kind,
            what=clean(what)[:200],
            why=clean(why)[:200],
            at=utcnow(),
        )
        self._store.insert_new([asked])
        return self._store.get(Return, asked.id) or asked

    def of(self, number: str) -> list[Return]:
        """Return what is to come back of an order, oldest first. Raises StoreDown."""
        return list(self._store.find(Return, {"order": number}, sort=["at"]))
