"""What the shop sells: colours, sizes, price, and how many there are."""

from __future__ import annotations

from mongoengine import Document, IntField, StringField

from bot.store import Store
from bot.store.fields import RawField


class Product(Document):
    """`_id` is the name in the shop, in small letters.

    `stock` is how many there are of each kind, dictionaries of ``colour``, ``size`` (each "" where
    the product has but one) and ``pieces``. `price` is in pence, `measures` is what it measures,
    in words, and `made_of` what it is made of. `back` is the days until a new delivery, 0 when
    none is known.
    """

    id = StringField(primary_key=True)
    name = StringField(required=True)
    price = IntField(required=True)
    made_of = StringField(default="")
    measures = StringField(default="")
    stock = RawField(required=True)
    back = IntField(default=0)

    meta = {
        "collection": "products",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("name",)],
    }

    @property
    def colours(self) -> list[str]:
        """The colours that the shop lists, sold out or not."""
        return list(dict.fromkeys(kind["colour"] for kind in self.stock if kind["colour"]))

    @property
    def sizes(self) -> list[str]:
        """The sizes that the shop lists, sold out or not."""
        return list(dict.fromkeys(kind["size"] for kind in self.stock if kind["size"]))

    def pieces(self, colour: str = "", size: str = "") -> int | None:
        """Return how many there are of that colour and size ("" is any), None for no such kind."""
        found = [
            int(kind["pieces"])
            for kind in self.stock
            if colour in ("", kind["colour"]) and size in ("", kind["size"])
        ]
        return sum(found) if found else None


class ProductsBackend:
    """Finds products in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def prepare(self) -> None:
        """Create the collection where it is missing. Raises StoreDown."""
        self._store.ensure(Product)

    def find(self, name: str) -> Product | None:
        """Return the product of that name in the shop, None without one. Raises StoreDown."""
        return self._store.get(Product, name.strip().casefold())

    def seed(self) -> int:
        """Insert demonstration products if there are none; return how many were inserted."""
        if self._store.count(Product, {}):
            return 0
        return sum(self._store.insert_new(_demonstration()))


def _demonstration() -> list[Product]:
    """Twenty products, some of a kind sold out."""

    def product(
        name: str,
        price: int,
        made_of: str,
        measures: str,
        stock: dict[str, int],
        back: int = 0,
    ) -> Product:
        """`stock` has keys as in ``blue/king``; what a product has but one of is left empty."""
        kinds = []
        for kind, pieces in stock.items():
            colour, _, size = kind.partition("/")
            kinds.append({"colour": colour, "size": size, "pieces": pieces})
        return Product(
            id=name.casefold(),
            name=name,
            price=price,
            made_of=made_of,
            measures=measures,
            stock=kinds,
            back=back,
        )

    return [
        product("Oak desk lamp", 4500, "oak and steel", "42 cm tall", {"natural": 14, "black": 0}),
        product("LED bulb", 699, "glass, E27, 6 watts", "6 cm across", {"": 230}),
        product(
            "Linen curtain",
            2900,
            "linen",
            "140 cm wide, 240 cm long",
            {"white": 31, "grey": 8, "mustard": 0},
            12,
        ),
        product(
            "Stoneware mug",
            1200,
            "glazed stoneware",
            "10 cm tall, holds 0.3 litres",
            {"blue": 46, "green": 12, "white": 0, "terracotta": 9},
            9,
        ),
        product("Wool throw", 6450, "lambswool", "130 by 180 cm", {"grey": 7, "cream": 3}),
        product("Walnut shelf", 3900, "solid walnut", "80 by 20 cm", {"brown": 11}),
        product("Beeswax candle", 395, "beeswax, cotton wick", "12 cm tall", {"natural": 140}),
        product(
            "Enamel kettle",
            3995,
            "enamelled steel, fit for induction",
            "holds 1.8 litres",
            {"red": 5, "cream": 0, "black": 16},
            21,
        ),
        product(
            "Jute rug",
            18900,
            "jute",
            "160 by 230 cm (medium) or 200 by 300 cm (large)",
            {"natural/medium": 4, "natural/large": 0},
            18,
        ),
        product("Garden bench", 24900, "acacia, oiled", "150 cm wide", {"brown": 2}),
        product("Glass vase", 2175, "mouth-blown glass", "24 cm tall", {"green": 0, "white": 0}, 7),
        product(
            "Cushion cover",
            1795,
            "cotton",
            "45 by 45 cm (medium) or 60 by 60 cm (large)",
            {"blue/medium": 22, "mustard/medium": 0, "mustard/large": 6, "blue/large": 1},
            14,
        ),
        product("Folding chair", 3990, "beech", "44 cm wide", {"natural": 60, "black": 25}),
        product("Dinner plate", 1400, "stoneware", "27 cm across", {"white": 88, "black": 40}),
        product(
            "Cast iron pan",
            5900,
            "cast iron, fit for induction",
            "24 cm (small) or 28 cm (large) across",
            {"black/small": 10, "black/large": 0},
            10,
        ),
        product("Chef's knife", 8900, "steel from Solingen, walnut", "20 cm blade", {"": 13}),
        product(
            "Duvet cover",
            7900,
            "cotton percale",
            "135 by 200 cm (single), 200 by 200 cm (double), 230 by 220 cm (king)",
            {
                "white/single": 9,
                "white/double": 17,
                "white/king": 4,
                "grey/double": 6,
                "grey/king": 0,
            },
            16,
        ),
        product("Bath towel", 2200, "organic cotton", "70 by 140 cm", {"white": 54, "grey": 19}),
        product("Storage box", 1650, "felt and birch", "30 by 30 by 30 cm", {"grey": 33}),
        product("Wine glass", 950, "glass", "holds 0.4 litres", {"": 72}),
    ]
