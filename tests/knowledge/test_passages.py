"""Cutting articles into passages."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.contract import AGENTS, Article, Passage
from bot.knowledge.passages import MOST, WHOLE, cut, digest, embedded


def article(body: str, **other: object) -> Article:
    values: dict[str, object] = {"id": "returns/sale", "title": "Returns", "body": body}
    return Article(**{**values, **other})  # type: ignore[arg-type]


def texts(body: str) -> list[str]:
    return [passage.text for passage in cut(article(body))]


def words(count: int, word: str = "word") -> str:
    return " ".join(f"{word}{n}" for n in range(count)) + "."


def test_each_heading_has_its_passage_with_its_path() -> None:
    body = "# Returns\n\nIntro.\n\n## UK\n\nLabel.\n\n### *Large*\n\nPhone.\n\n## EU\n\nPostage."
    assert [(p.id, p.headings, p.text) for p in cut(article(body))] == [
        ("returns/sale#0", (), "Intro."),
        ("returns/sale#1", ("UK",), "Label."),
        ("returns/sale#2", ("UK", "Large"), "Phone."),
        ("returns/sale#3", ("EU",), "Postage."),
    ]


def test_a_passage_has_what_its_article_says() -> None:
    (passage,) = cut(
        article(
            "Text.",
            language="de",
            tags=("a",),
            product="mugs",
            audience=AGENTS,
            url="https://x.example/",
        )
    )
    said = "Returns\x1e\x1eText."
    assert passage == Passage(
        id="returns/sale#0",
        article="returns/sale",
        title="Returns",
        headings=(),
        text="Text.",
        digest=hashlib.sha256(said.encode()).hexdigest(),
        language="de",
        tags=("a",),
        product="mugs",
        audience=AGENTS,
        url="https://x.example/",
    )


def test_a_digest_is_of_title_headings_and_text_apart() -> None:
    same = {digest("T", ("a", "b"), "c"), digest("T", ("a",), "b c"), digest("T a", ("b",), "c")}
    assert len(same | {digest("T", ("a b",), "c"), digest("T", (), "a b c")}) == 5


def test_short_paragraphs_stay_together_and_long_ones_apart() -> None:
    assert texts("One.\n\nTwo.\n\nThree.") == ["One.\n\nTwo.\n\nThree."]
    long = words(100)
    assert texts(f"{long}\n\n{long}\n\n{long}") == [long, long, long]


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    sentences = [f"Sentence {n} has exactly seven words here." for n in range(60)]
    found = texts(" ".join(sentences))
    assert " ".join(found) == " ".join(sentences)
    assert all(text.endswith("here.") and len(text.split()) <= MOST for text in found)


def test_abbreviations_end_no_sentence() -> None:
    text = " ".join(["We take some goods back, e.g. mugs and plates, for approx. 30 days."] * 20)
    assert all(part.startswith("We take") for part in texts(text))


def test_a_list_is_kept_whole_with_its_intro() -> None:
    before = words(120)
    listed = "You cannot return:\n\n" + "\n".join(f"- {words(8)}" for _ in range(12))
    assert texts(f"{before}\n\n{listed}") == [before, listed]


def test_an_endless_list_is_cut_at_items_and_each_part_keeps_the_intro() -> None:
    items = [f"- item {n} {words(9)}" for n in range(60)]
    found = texts("Not returnable:\n\n" + "\n".join(items))
    assert len(found) > 1
    assert all(part.startswith("Not returnable:\n\n- item") for part in found)
    kept = [line for part in found for line in part.split("\n") if line.startswith("- ")]
    assert kept == items
    assert all(len(part.split()) <= WHOLE for part in found)


def test_an_endless_table_is_cut_at_rows_and_each_part_keeps_the_head() -> None:
    head = "| Country | Days | Price |\n|---|---|---|"
    rows = [f"| Country {n} | {n} days | £{n} |" for n in range(80)]
    found = texts(f"Prices:\n\n{head}\n" + "\n".join(rows))
    assert len(found) > 1
    assert all(part.startswith(f"Prices:\n\n{head}\n| Country") for part in found)
    kept = [
        line
        for part in found
        for line in part.split("\n")
        if line.startswith("| Country ") and "Days" not in line
    ]
    assert kept == rows


def test_code_is_untouched() -> None:
    code = "```\n# no heading\n[x](sale.md)   <b>\n\n\n- no list\n```"
    assert texts(f"# Returns\n\nSend:\n\n{code}") == [f"Send:\n\n{code}"]


def test_comments_and_tags_are_left_out() -> None:
    assert texts("<!-- to check with legal -->\n\nReturn it <!-- soon --> in <b>30</b> days.") == [
        "Return it  in 30 days."
    ]
    assert texts("<!-- nothing\n\nbut notes -->") == []


OTHERS = {
    other.id: other
    for other in (
        article("x", id="returns/label", title="Return label", url="https://x.example/label"),
        article("x", id="payment/cards", title="Cards"),
        article("x", id="payment/fraud", title="Fraud scores", audience=AGENTS),
    )
}
LINKS = {
    "to a url": ("See [it](label.md).", "See [it](https://x.example/label)."),
    "with an anchor": ("[it](label.md#uk)", "[it](https://x.example/label#uk)"),
    "without url": ("See [here](../payment/cards.md).", "See here (Cards)."),
    "without url, named": ("See [our cards](../payment/cards.md).", "See our cards."),
    "from the root": ("[here](/payment/cards.md)", "here (Cards)"),
    "without suffix": ("[here](../payment/cards)", "here (Cards)"),
    "titled": ('[it](label.md "The label")', "[it](https://x.example/label)"),
    "in brackets": ("[it](<label.md>)", "[it](https://x.example/label)"),
    "by reference": ("[it][l]\n\n[l]: label.md", "[it](https://x.example/label)"),
    "by short reference": ("[Label]\n\n[label]: label.md", "[Label](https://x.example/label)"),
    "to nothing": ("[it](gone.md)", "it"),
    "out of the folder": ("[it](../../../etc/passwd)", "it"),
    "for agents": ("[it](../payment/fraud.md)", "it"),
    "elsewhere": ("[it](https://y.example/a_(b))", "[it](https://y.example/a_(b))"),
    "mail": ("[mail](mailto:help@x.example)", "[mail](mailto:help@x.example)"),
    "within": ("[above](#uk)", "above"),
    "in code": ("Write `[it](label.md)`.", "Write `[it](label.md)`."),
    "a picture": ("![A mug](mug.png)", "A mug"),
    "escaped": (r"\[it](label.md)", r"\[it](label.md)"),
}


@pytest.mark.parametrize(("body", "said"), LINKS.values(), ids=LINKS)
def test_links(body: str, said: str) -> None:
    assert [passage.text for passage in cut(article(body), OTHERS)] == [said]


def test_agents_articles_may_name_each_other() -> None:
    (passage,) = cut(article("[it](../payment/fraud.md)", audience=AGENTS), OTHERS)
    assert passage.text == "it (Fraud scores)"


def test_what_is_embedded_has_no_markup() -> None:
    listed = "- **UK**: [£2.95](https://x.example/)\n- `EU`: own"
    body = f"## Costs\n\n{listed}\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    (passage,) = cut(article(body))
    assert embedded(passage) == "Returns. Costs. UK : £2.95 EU : own a b 1 2"


markdown = st.lists(
    st.sampled_from(
        [
            "# A",
            "## B",
            "- x",
            "1. y",
            "text " * 90,
            "a: b",
            "| a | b |",
            "|---|---|",
            "```",
            ">",
            "> q",
            "",
            "---",
            "<!--",
            "-->",
            "[l]: x.md",
            "    code",
            "Ünï 😀.",
        ]
    ),
    max_size=30,
).map("\n".join)


@given(markdown)
def test_nothing_is_empty_and_ids_count(body: str) -> None:
    found = cut(article(body), OTHERS)
    assert [passage.id for passage in found] == [f"returns/sale#{n}" for n in range(len(found))]
    assert all(passage.text.strip() for passage in found)
