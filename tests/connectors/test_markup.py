from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.markup import Mark, entities, escape, part, plain, whatsapp, write
from tests.kit.dice import examples


@pytest.mark.parametrize(
    ("text", "words", "marks"),
    [
        ("plain", "plain", []),
        ("**b** _i_ *i* ~~s~~ `c`", "b i i s c", ["bold", "italic", "italic", "strike", "code"]),
        ("***both***", "both", ["bold", "italic"]),
        ("[a page](https://x.example/a_b)", "a page", ["link"]),
        ("```\na *b*\nc\n```\nafter", "a *b*\nc\nafter", ["pre"]),
        ("中文**粗体**中文", "中文粗体中文", ["bold"]),
        # What is no formatting stays as it was written.
        ("5*3*2 = 30, 2 * 3 * 4", "5*3*2 = 30, 2 * 3 * 4", []),
        ("snake_case_name", "snake_case_name", []),
        ("# head\n- item\n1. one", "# head\n- item\n1. one", []),
        ("<b>&amp;</b>", "<b>&amp;</b>", []),
        ("open ** here", "open ** here", []),
        ("a\n\nb  c", "a\n\nb  c", []),
        ("see https://x.example/_a_/b*c*d_e_ ok", "see https://x.example/_a_/b*c*d_e_ ok", []),
        (r"\*not\* \_this\_", "*not* _this_", []),
        # A link that is no address to open is words.
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))", []),
    ],
)
def test_what_is_formatted_and_what_is_not(text: str, words: str, marks: list[str]) -> None:
    found, styles = entities(text)
    assert found == words
    assert sorted(m.style for m in styles) == sorted(marks)


def test_marks_are_where_the_words_are() -> None:
    words, marks = entities("a **b _c_** [d](https://x.example)")
    assert words == "a b c d"
    assert marks == [
        Mark(2, 5, "bold"),
        Mark(4, 5, "italic"),
        Mark(6, 7, "link", "https://x.example"),
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("**b** _i_ ~~s~~ `c`", "*b* _i_ ~s~ `c`"),
        ("***both***", "_*both*_"),
        ("[our page](https://x.example)", "our page (https://x.example)"),
        ("[https://x.example](https://x.example)", "https://x.example"),
        ("[mail us](mailto:a@b.example)", "mail us (a@b.example)"),
        # Inside a word the sign would be seen.
        ("中文**粗体**中文", "中文粗体中文"),
    ],
)
def test_whatsapp_has_signs_of_its_own(text: str, written: str) -> None:
    assert whatsapp(text) == written


def test_plain_text_keeps_the_addresses() -> None:
    assert plain("**Look** at [it](https://x.example)!") == "Look at it (https://x.example)!"


SIGNS = [*"ab .\n_*~`[]()\\!#<>&", "**", "https://x.y", "漢", "😀"]
ANY = st.lists(st.sampled_from(SIGNS), max_size=50).map("".join)


@given(ANY)
@settings(max_examples=examples(500), deadline=None)
def test_escaped_words_are_shown_as_they_are(text: str) -> None:
    assert entities(escape(text))[0] == text
    assert entities(escape(text))[1] == []


@given(ANY, st.data())
@settings(max_examples=examples(500), deadline=None)
def test_any_part_can_be_written_again(text: str, data: st.DataObject) -> None:
    words, marks = entities(text)
    assert all(0 <= m.start < m.end <= len(words) for m in marks)
    assert entities(write(words, marks))[0] == words
    begin = data.draw(st.integers(0, len(words)))
    end = data.draw(st.integers(begin, len(words)))
    assert entities(part(words, marks, begin, end))[0] == words[begin:end]
