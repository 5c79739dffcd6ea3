"""Searching: words, typos, meaning, filters, and questions that are none."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bot.knowledge.contract import AGENTS, Hit
from bot.knowledge.embedding import TransformerEmbedder
from bot.knowledge.index import Index
from bot.knowledge.passages import embedded
from tests.knowledge.kit import SHOP, Hashes, article, passages


@pytest.fixture(scope="module")
def words() -> Index:
    return Index(passages())


@pytest.fixture(scope="module")
def meaning(minilm: TransformerEmbedder) -> Index:
    found = passages()
    return Index(found, minilm.encode([embedded(p) for p in found]), minilm)


def ids(hits: list[Hit]) -> list[str]:
    return [hit.passage.id for hit in hits]


def test_words_find(words: Index) -> None:
    (first, *_) = words.search("customs in Norway")
    assert first.passage.id == "delivery/norway#0"
    assert first.coverage == 1.0
    assert first.lexical > 0
    assert first.cosine == 0.0


def test_stems_of_the_passages_language(words: Index) -> None:
    assert ids(words.search("returning an item"))[0] == "returns/sale#0"
    assert ids(words.search("Werktag", language="de")) == ["de/versand#0"]


def test_titles_headings_and_tags_are_searched(words: Index) -> None:
    assert ids(words.search("express"))[0] == "delivery/uk#1"
    hit = words.search("reduced")[0]
    assert hit.passage.id == "returns/sale#0"
    # Its readers do not see the tag: nothing of what they read covers the question.
    assert hit.coverage == 0.0


def test_typos(words: Index) -> None:
    hit = words.search("descaling a kettel with vineger")[0]
    assert hit.passage.id == "products/kettle#0"
    assert 0 < hit.coverage < hit.fuzzy < 1


def test_coverage_is_by_rarity() -> None:
    many = [article(f"a/{n}", f"Delivery of thing{n}.") for n in range(20)]
    found = Index(passages(many)).search("delivery thing7", k=20)
    covered = {hit.passage.article: hit.coverage for hit in found}
    assert covered["a/7"] == 1.0
    assert covered["a/8"] < 0.1


def test_unknown_words_count_against_coverage(words: Index) -> None:
    hit = words.search("customs blockchain xylophone")[0]
    assert hit.passage.id == "delivery/norway#0"
    assert hit.coverage < 0.4


def test_meaning_finds_what_words_do_not(words: Index, meaning: Index) -> None:
    question = "removing limescale"
    assert not any(hit.coverage for hit in words.search(question))
    hit = meaning.search(question)[0]
    assert hit.passage.id == "products/kettle#0"
    assert hit.cosine > 0.1
    assert hit.lexical == 0


def test_agents_articles_are_never_the_customers(meaning: Index) -> None:
    for question in ("fraud scores", "refund approval", "Fraud scores above 80 need a refund"):
        assert "desk/fraud#0" not in ids(meaning.search(question, k=50))
        assert ids(meaning.search(question, audience=AGENTS))[0] == "desk/fraud#0"
    everything = ids(meaning.search("delivery", k=50, audience=AGENTS))
    assert "delivery/uk#0" in everything


def test_languages_and_products(meaning: Index) -> None:
    assert ids(meaning.search("delivery", k=50, language="de")) in ([], ["de/versand#0"])
    assert "de/versand#0" not in ids(meaning.search("Versand", k=50, language="en"))
    assert ids(meaning.search("delivery", k=50, language="pl")) == []
    found = ids(meaning.search("kettle pan delivery", k=50, product="kettles"))
    assert "products/kettle#0" in found
    assert "products/pan#0" not in found
    assert "delivery/uk#0" in found


def test_parts_are_between_0_and_1_and_in_order(meaning: Index) -> None:
    for question in ("delivery to norway", "kettel", "mug", "wo ist mein paket", "£7.95"):
        hits = meaning.search(question, k=50)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        for hit in hits:
            assert hit.score > 0
            assert hit.lexical >= 0
            assert all(0 <= part <= 1 for part in (hit.cosine, hit.fuzzy, hit.coverage))


ODD = [
    "",
    "   ",
    "the of and",
    "?!",
    "😀🎉",
    "\x00",
    "\ud800",
    "a",
    "e\u0301" * 50,
    "漢字かな",
    "x" * 10_000,
    "where is it " * 1000,
    "' OR 1=1 --",
    "[link](http://x)",
    "l'l'l'l'",
]


@pytest.mark.parametrize("question", ODD, ids=range(len(ODD)))
def test_odd_questions_are_harmless(words: Index, meaning: Index, question: str) -> None:
    for index in (words, meaning, Index([]), Index([], np.zeros((0, 32), np.float32), Hashes())):
        began = time.thread_time()
        hits = index.search(question)
        assert len(hits) <= 5
        assert all(hit.coverage == 0 for hit in hits) or question.startswith("where is it")
        assert time.thread_time() - began < 2


def test_ten_kilobytes_of_different_words_are_bounded(words: Index) -> None:
    question = " ".join(f"wrod{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}x" for n in range(1500))
    began = time.thread_time()
    words.search(question)
    assert time.thread_time() - began < 1


def test_a_passage_without_a_vector_is_found_by_its_words() -> None:
    found, embedder = passages(), Hashes()
    vectors = embedder.encode([embedded(p) for p in found])
    n = next(n for n, p in enumerate(found) if p.id == "delivery/norway#0")
    vectors[n] = 0
    hits = Index(found, vectors, embedder).search("customs Norway parcels", k=20)
    (hit,) = [hit for hit in hits if hit.passage.id == "delivery/norway#0"]
    assert hit.cosine == 0
    assert hit.coverage == 1.0


def test_a_model_that_fails_leaves_words(words: Index, caplog: pytest.LogCaptureFixture) -> None:
    found = passages()
    vectors = np.zeros((len(found), 4), np.float32)
    index = Index(found, vectors, TransformerEmbedder("/nowhere/at/all"))
    assert ids(index.search("customs Norway")) == ids(words.search("customs Norway"))
    assert "searched by words alone" in caplog.text


def test_the_same_question_has_the_same_answer(words: Index) -> None:
    twins = Index(passages([article(f"t/{n}", "The same words.", title="T") for n in range(9)]))
    assert ids(twins.search("same words", k=3)) == ["t/0#0", "t/1#0", "t/2#0"]


def test_misuse() -> None:
    with pytest.raises(ValueError, match="k is 0"):
        Index([]).search("x", k=0)
    with pytest.raises(ValueError, match="3 vectors for"):
        Index(passages(SHOP[:1]), np.zeros((3, 2), np.float32), Hashes())


def test_a_question_that_is_looked_up_again_is_embedded_once() -> None:
    embedder = Hashes()
    some = passages()
    index = Index(some, embedder.encode([p.text for p in some]), embedder)
    before = len(embedder.texts)
    for language in ("en", "de", None):
        index.search("how long is delivery", language=language)
    assert embedder.texts[before:] == ["how long is delivery"]
