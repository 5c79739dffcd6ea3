from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.llm.links import foreign, links, strip
from tests.llm.cases.links import DOMAINS, FOREIGN, NONE, OURS, SOURCES


@pytest.mark.parametrize("written", FOREIGN)
def test_a_foreign_link_is_found_and_taken_out(written: str) -> None:
    text = f"Look: {written} for more"
    found = foreign(text, SOURCES, DOMAINS)
    assert found, links(text)
    assert all(f.why for f in found)
    left = strip(text, SOURCES, DOMAINS)
    assert foreign(left, SOURCES, DOMAINS) == []
    assert "evil.test" not in left.lower()
    assert left.startswith("Look:")
    assert left.endswith("for more")


@pytest.mark.parametrize("written", OURS)
def test_a_link_of_ours_stays(written: str) -> None:
    text = f"Look at {written} for more."
    assert links(text)
    assert foreign(text, SOURCES, DOMAINS) == []
    assert strip(text, SOURCES, DOMAINS) == text


@pytest.mark.parametrize("text", NONE)
def test_it_is_no_link(text: str) -> None:
    assert links(text) == []


def test_the_label_of_a_link_taken_out_stays() -> None:
    assert (
        strip("See [our returns page](https://evil.test) first.") == "See our returns page first."
    )


def test_what_a_link_says_of_itself() -> None:
    (link,) = links("see [Sizes](HTTPS://Shop.Test:443/a) ok")
    assert (link.scheme, link.host, link.label, link.start) == ("https", "shop.test", "Sizes", 4)
    assert link.text == "[Sizes](HTTPS://Shop.Test:443/a)"


def test_nothing_is_ours_unless_told() -> None:
    assert len(foreign("https://larkfield.example and a@b.test")) == 2


PIECES = st.sampled_from(
    [
        *FOREIGN,
        *OURS,
        ".",
        "/",
        ":",
        "@",
        "[",
        "](",
        ")",
        "evil",
        "test",
        "https",
        " ",
        "\u200b",
        ".",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=8).map("".join))
def test_what_is_left_has_no_foreign_link(text: str) -> None:
    assert foreign(strip(text, SOURCES, DOMAINS), SOURCES, DOMAINS) == []
