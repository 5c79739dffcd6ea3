"""The demonstration shop's catalogue, as the providers would know it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

#: The id of the catalogue at its provider.
CATALOG = "4711"


@dataclass(frozen=True, slots=True)
class Good:
    """A product: its id in the catalogue, and its price as "9.90" in an ISO 4217 currency."""

    id: str
    title: str
    price: str
    currency: str = "EUR"

    def plain(self) -> dict[str, str]:
        """Return it as JSON values."""
        return asdict(self)


#: By their ids.
GOODS = {
    good.id: good
    for good in (
        Good("lamp-oak", "Oak desk lamp", "79.00"),
        Good("throw-wool", "Wool throw", "64.50"),
        Good("mug-blue", "Mug, blue", "14.90"),
        Good("mug-green", "Mug, green", "14.90"),
        Good("kettle-enamel", "Enamel kettle", "39.00"),
        Good("vase-glass", "Glass vase", "27.00"),
        Good("candle-wax", "Beeswax candle", "9.90"),
    )
}
