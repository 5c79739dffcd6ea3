from __future__ import annotations

import pytest

from actions.several import topics_in, wishes_in


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


@pytest.mark.parametrize(
    ("text", "buttons"),
    [
        ("cancel 1050 and where is 1046?", ["Cancel 1050", "Track 1046"]),
        ("where's 1042, 1046 and 20417?", ["Track 1042", "Track 1046", "Track 20417"]),
        ("cancel 1050 & 1047 please", ["Cancel 1050", "Cancel 1047"]),
        ("refund for 1044, then status of 1046", ["Refund 1044", "Track 1046"]),
        ("where is my refund for 1044 and when are you open", ["Refund", "Opening hours"]),
        ("cancel 1043. do you sell rugs?", ["Cancel 1043", "In stock?"]),
    ],
)
def test_each_wish_has_its_own_order(text: str, buttons: list[str]) -> None:
    assert [wish.button["title"] for wish in wishes_in(text)] == buttons


def test_a_button_says_again_what_was_wanted() -> None:
    cancel, rugs = wishes_in("cancel 1043. do you sell rugs?")
    assert cancel.button["payload"] == '/cancel_order{"order_number": "1043"}'
    assert rugs.button["payload"] == "do you sell rugs"
