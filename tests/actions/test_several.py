from __future__ import annotations

import pytest

from actions.several import topics_in


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("where is 1042 and do you sell lamps?", ["Track an order", "In stock?"]),
        ("Where's my parcel, and when are you open?", ["Track an order", "Opening hours"]),
        ("cancel my order and refund me", ["Cancel an order", "Refund"]),
        ("do you have mugs? my code does not work either", ["In stock?", "Promo code"]),
        ("hello there", []),
        ("where is 10421234567", []),
    ],
)
def test_topics_are_found_in_the_order_in_which_they_come(text: str, topics: list[str]) -> None:
    assert [title for title, _ in topics_in(text)] == topics
