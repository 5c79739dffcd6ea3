"""What a customer has said himself, against which the arguments of tools are held."""

from __future__ import annotations

import re
from collections.abc import Sequence

from actions.money import read_pence
from actions.order_status import numbers_in

#: Whole amounts only: of ``1,200.50`` neither 1 nor 200.50 has been named.
_MONEY = re.compile(
    r"(?<![\d.,])(?:\d{1,3},\d{3}\.\d{2}|\d{1,3}\.\d{3},\d{2}|\d{1,6}(?:[.,]\d{1,2})?)"
    r"(?!\d|[.,]\d)"
)
_WORD = re.compile(r"\w+")


class Spoken:
    """A customer's messages, the last one last."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self._all = "\n".join(texts)

    @property
    def last(self) -> str:
        """The message at hand."""
        return self.texts[-1] if self.texts else ""

    def number(self, number: str) -> bool:
        """Tell whether an order number was named."""
        return number in numbers_in(self._all)

    def amount(self, pence: int) -> bool:
        """Tell whether an amount was named, in whichever way: ``20``, ``£20.00``."""
        return any(read_pence(found) == pence for found in _MONEY.findall(self._all))

    def word(self, text: str) -> bool:
        """Tell whether a text was said as it is, whatever its case."""
        return text.casefold() in self._all.casefold()

    def words(self, text: str) -> bool:
        """Tell whether each word of a text was said."""
        said = set(_WORD.findall(self._all.casefold()))
        return all(word in said for word in _WORD.findall(text.casefold()))
