"""``bot knowledge sync|search``: taking articles over, and seeing what a question finds."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from functools import partial
from pathlib import Path

from bot import serve
from bot.knowledge.articles import read_folder
from bot.knowledge.contract import AGENTS, CUSTOMERS, Hit
from bot.knowledge.embedding import open_embedder
from bot.knowledge.errors import EmbeddingsUnavailable, KnowledgeError
from bot.knowledge.index import Index
from bot.knowledge.markdown import plain
from bot.knowledge.stored import load, load_vectors
from bot.knowledge.sync import Report, sync
from bot.settings import Settings
from bot.store import AsyncStore, StoreError

_SNIPPET = 160


async def knowledge(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``bot knowledge sync|search``; return 0, or 1 when something was wrong."""
    store = serve.store_of(settings)
    try:
        if args.verb == "sync":
            folder = args.dir or Path(settings.knowledge.dir)
            return await _sync(store, settings, folder, allow_empty=args.allow_empty)
        return await _search(store, settings, args)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 1
    except StoreError as error:
        print(f"the store: {error}", file=sys.stderr)
        return 1
    finally:
        await store.close()


async def _sync(store: AsyncStore, settings: Settings, folder: Path, *, allow_empty: bool) -> int:
    loop = asyncio.get_running_loop()
    articles, problems = await loop.run_in_executor(None, read_folder, folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not articles and not allow_empty:
        there = await loop.run_in_executor(None, os.path.isdir, folder)
        what = "has no usable article" if there else "is no folder"
        print(
            f"{folder}: {what}, so nothing was changed; --allow-empty takes it for meant",
            file=sys.stderr,
        )
        return 1
    # This process has the machine to itself for once.
    embedder = open_embedder(settings.knowledge.embeddings, os.cpu_count() or 1)
    bring = partial(sync, store, articles, problems=problems, allow_empty=allow_empty)
    lost = False
    try:
        report = await bring(embedder)
    except EmbeddingsUnavailable as error:
        # Articles that are found by their words are better than none.
        print(f"{error}; articles are found by words alone until it can be", file=sys.stderr)
        lost, report = True, await bring(None)
    _print(report)
    if problems:
        print(
            f"{len(problems)} not taken over, see above; what was known of them stays as it was",
            file=sys.stderr,
        )
    return 1 if problems or lost else 0


def _print(report: Report) -> None:
    for sign, ids in (("+", report.added), ("~", report.changed), ("-", report.removed)):
        for id in ids:
            print(f"{sign} {id}")
    print(
        f"{len(report.added)} added, {len(report.changed)} changed, {len(report.removed)} removed,"
        f" {len(report.unchanged)} unchanged, {report.embedded} passages embedded;"
        f" edition {report.edition}"
    )


async def _search(store: AsyncStore, settings: Settings, args: argparse.Namespace) -> int:
    passages = await load(store)
    if not passages:
        print("there are no articles; `bot knowledge sync` takes them over", file=sys.stderr)
        return 1
    loop = asyncio.get_running_loop()
    embedder = open_embedder(settings.knowledge.embeddings)
    vectors = None
    if embedder is not None:
        model = await loop.run_in_executor(None, lambda: embedder.model)
        vectors = await load_vectors(store, model, passages)
        if vectors is None:
            print(f"no passage has a vector of {model}; searched by words alone", file=sys.stderr)
    index = Index(passages, vectors, embedder)
    hits = index.search(
        " ".join(args.question),
        k=args.k,
        language=args.language,
        product=args.product,
        audience=AGENTS if args.agents else CUSTOMERS,
    )
    for n, hit in enumerate(hits, 1):
        _print_hit(n, hit)
    if not hits:
        print("nothing was found")
    return 0


def _print_hit(n: int, hit: Hit) -> None:
    said = plain(hit.passage.text)
    snippet = said if len(said) <= _SNIPPET else said[:_SNIPPET].rsplit(" ", 1)[0] + " …"
    print(
        f"{n:2}. {hit.score:.3f}  meaning {hit.cosine:.2f}, words {hit.lexical:.2f},"
        f" typos {hit.fuzzy:.2f}, covered {hit.coverage:.2f}  {hit.passage.id}\n"
        f"    {hit.passage.heading}\n    {snippet}"
    )
