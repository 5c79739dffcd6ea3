"""What no translation may touch: found, taken out, and put back as it was."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.translation.protecting import protect, with_figures


def token(number: int, text: str) -> str:
    return f"⟦{number}⟧"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("see https://larkfield.example/care?x=1.", ["https://larkfield.example/care?x=1"]),
        ("[here](https://a.example/b) or www.shop.com", ["https://a.example/b", "www.shop.com"]),
        ("escreva para ana.silva+x@field.example", ["ana.silva+x@field.example"]),
        ("custa £3.95 ou 12,95 € ou EUR 20", ["£3.95", "12,95 €", "EUR 20"]),
        ("ligue +44 20 7946 0123 já", ["+44 20 7946 0123"]),
        ("encomenda #20417, talvez 1042", ["#20417", "1042"]),
        ("código SAVE-10B e 1Z999AA10123456784", ["SAVE-10B", "1Z999AA10123456784"]),
        ("entre 14:00 e 24/12/2026", ["14:00", "24/12/2026"]),
        ("em 2026-12-24", ["2026-12-24"]),
        ("Rua X, 1200-195 Lisboa", ["1200-195"]),
        ("Olá {name}, {order_number}!", ["{name}", "{order_number}"]),
        ("use `code` 🎉👍🏽", ["`code`", "🎉👍🏽"]),
        ("veja bit.ly/3xY ou t.me/shop, fim.Novo", ["bit.ly/3xY", "t.me/shop"]),
        ("1️⃣ sim, *️⃣ não", ["1️⃣", "*️⃣"]),
        ("رقم الطلب ١٠٤٢ 🎉", ["١٠٤٢", "🎉"]),
        ("我的订单1042还没到，请看https://a.example/b，谢谢", ["1042", "https://a.example/b"]),
        ("请看larkfield.example或打020 7946 0123。", ["larkfield.example", "020 7946 0123"]),
        ("3 canecas em 30 dias", []),
        ("nada", []),
    ],
)
def test_it_finds(text: str, values: list[str]) -> None:
    found = protect(text, (), token)
    assert list(found.values) == values
    assert found.restore(found.text) == text


def test_names_are_kept_as_they_are_written_and_no_other_words() -> None:
    found = protect("A Rosa gosta de rosas e de rosa, diz Rosa Lima", ("Rosa", "Rosa Lima"), token)
    assert found.text == "A ⟦1⟧ gosta de rosas e de rosa, diz ⟦2⟧"
    assert found.values == ("Rosa", "Rosa Lima")


def test_who_writes_marks_makes_none() -> None:
    found = protect("give ⟦1⟧ and 1042", (), token)
    assert found.text == "give [1] and ⟦1⟧"
    assert found.restore("⟦1⟧ and ⟦1⟧") == "1042 and 1042"


def test_a_value_that_looks_like_a_mark_is_not_read_again() -> None:
    found = protect("a {x} b", ("{x}",), lambda number, text: "{x}")
    assert found.restore(found.text) == "a {x} b"


def test_figures_of_other_scripts_are_ours() -> None:
    assert with_figures("طلب ١٠٤٢ بـ £٣٫٩٥") == "طلب 1042 بـ £3.95"
    assert with_figures("x² ½ ①, 1.5, é") == "x² ½ ①, 1.5, é"


PARTS = st.sampled_from(
    ["palavra", "£3.95", "1042", "help@a.example", "{number}", "⟦2⟧", "🎉", "ü", "\n", "24/12/2026"]
)


@settings(max_examples=60)
@given(st.lists(PARTS | st.text(max_size=12), max_size=12))
def test_whatever_is_written_comes_back(parts: list[str]) -> None:
    text = " ".join(parts)
    found = protect(text, ("Rosa",), token)
    as_it_is = text.replace("⟦", "[").replace("⟧", "]")
    assert found.restore(found.text) == as_it_is
    pieces = found.pieces()
    assert len(pieces) == len(found.values) + 1
    counted = Counter(re.findall(r"⟦\d+⟧", found.text))
    assert all(counted[one] == 1 for one in found.tokens)
