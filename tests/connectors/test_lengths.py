"""How channels count, by the standard and by what providers publish.

The alphabet is that of 3GPP TS 23.038, 6.2.1; the sizes of segments are of
https://www.twilio.com/docs/glossary/what-sms-character-limit.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.lengths import COUNTERS, characters, is_gsm7, most_per_unit, segments, utf16
from connectors.render import split

# The table as the standard prints it, column by column; 0x1B is the escape to the extension.
TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
FAMILY = "👩‍👩‍👧"


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert len(TABLE) == 128
    known = {chr(n) for n in range(0x10000) if is_gsm7(chr(n))}
    assert known == set(TABLE.replace("\x1b", "")) | set(EXTENSION)


@pytest.mark.parametrize(
    "sign", ["ç", "`", "á", "’", "“", "–", "…", "\t", "\u00a0", "漢", "😀", "Α"]
)
def test_one_sign_outside_of_the_alphabet_makes_all_of_it_ucs2(sign: str) -> None:
    assert not is_gsm7("a" * 100 + sign)
    assert segments("a" * 100) == 1
    assert segments("a" * 100 + sign) == 2


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 1530, 10),
        ("a" * 1531, 11),
        ("漢", 1),
        ("漢" * 70, 1),
        ("漢" * 71, 2),
        ("漢" * 134, 2),
        ("漢" * 135, 3),
        ("漢" * 670, 10),
        ("漢" * 671, 11),
        # An extension character takes two septets…
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 158 + "€", 1),
        ("a" * 159 + "€", 2),
        # …which stay together: a segment of 153 holds 76 of them and one septet of nothing.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        # An emoji takes two units, which stay together: 67 hold 33.
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("a" * 68 + "😀", 1),
        ("a" * 69 + "😀", 2),
        ("a" * 66 + "😀" + "a" * 65, 2),
        ("a" * 66 + "😀" + "a" * 66, 3),
        (FAMILY * 8, 1),
        (FAMILY * 9, 2),
        # In UCS-2 an extension character is one unit like any other.
        ("漢" + "€" * 69, 1),
        ("漢" + "€" * 70, 2),
    ],
)
def test_segments(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.mark.parametrize(
    ("text", "points", "units"),
    [("", 0, 0), ("abc", 3, 3), ("漢字", 2, 2), ("😀", 1, 2), (FAMILY, 5, 8), ("e\u0301", 2, 2)],
)
def test_characters_and_utf16_units(text: str, points: int, units: int) -> None:
    assert (characters(text), utf16(text)) == (points, units)
    assert utf16(text) == len(text.encode("utf-16-le")) // 2


def test_each_unit_has_a_counter() -> None:
    assert {"characters": characters, "utf16": utf16, "sms": segments} == COUNTERS
    assert [most_per_unit(count) for count in (characters, utf16, segments)] == [1, 1, 160]


WORDS = st.text(st.sampled_from("ab €[漢。. \n😀é\u0301\u200d👩"), max_size=400)


@settings(max_examples=200, deadline=None)
@given(WORDS, st.sampled_from("a€漢😀"))
def test_more_words_never_take_fewer_segments(text: str, sign: str) -> None:
    assert segments(text) <= segments(text + sign) <= 3 * segments(text) + 1


@settings(max_examples=200, deadline=None)
@given(WORDS, st.integers(1, 4))
def test_parts_fit_and_nothing_but_white_space_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit, segments)
    assert all(1 <= segments(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
