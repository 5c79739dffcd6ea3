"""``bot knowledge import|audit|gaps``: filling the knowledge base, and seeing what it lacks."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bot import serve
from bot.dialogue.contract import ANSWERED_SLOT
from bot.knowledge.articles import read_folder
from bot.knowledge.audit import Audit, audit
from bot.knowledge.audit_report import summary, to_markdown, to_text
from bot.knowledge.auditing.findings import HIGH
from bot.knowledge.contract import AGENTS, Hit, Passage
from bot.knowledge.drafting import Write, by_model, drafted
from bot.knowledge.embedding import Embedder, open_embedder
from bot.knowledge.errors import KnowledgeError
from bot.knowledge.gaps import Cluster, close, cluster, open_gaps, resolutions
from bot.knowledge.importing.cases import import_cases
from bot.knowledge.importing.errors import ImportFailed
from bot.knowledge.importing.importer import import_folder, import_sitemap
from bot.knowledge.importing.writing import Imported, Writer, digest
from bot.knowledge.index import Index
from bot.knowledge.passages import cut_all
from bot.knowledge.stored import load_vectors
from bot.llm.errors import LlmError, PromptInvalid
from bot.llm.masking import redact
from bot.message import utcnow
from bot.settings import Settings
from bot.store import AsyncStore, StoreError
from bot.store.turns import Turn

#: Turns, the newest, whose questions are the history.
_TURNS = 10_000
#: Passages that make sure of three articles.
_FOUND = 12


async def knowledge_report(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``bot knowledge import|audit|gaps``; return 0, or 1 when something is wrong.

    That is, for ``audit``, when there is something to do before going live. Raises
    PromptInvalid when drafts cannot be written for it.
    """
    store = serve.store_of(settings)
    try:
        if args.verb == "import":
            return await _import(store, settings, args)
        if args.verb == "audit":
            return await _audit(store, settings, args)
        return await _gaps(store, settings, args)
    except PromptInvalid:
        # Something is set wrong, which has a status of its own.
        raise
    except (KnowledgeError, ImportFailed, NotADirectoryError, LlmError) as error:
        print(error, file=sys.stderr)
        return 1
    except StoreError as error:
        print(f"the store: {error}", file=sys.stderr)
        return 1
    finally:
        await store.close()


async def _import(store: AsyncStore, settings: Settings, args: argparse.Namespace) -> int:
    target = args.to or Path(settings.knowledge.dir) / "imported"
    language = args.language or settings.perception.languages[0]
    if args.cases:
        done = await import_cases(store, Writer(target, language), _masked)
    else:
        make = import_sitemap if args.sitemap else import_folder
        audience = AGENTS if args.agents else ""
        call = partial(
            make, args.sitemap or args.folder, target, language=language, audience=audience
        )
        done = await asyncio.get_running_loop().run_in_executor(None, call)
        if done == Imported():
            print(f"{args.sitemap or args.folder}: holds no HTML, PDF or DOCX", file=sys.stderr)
            return 1
    return _print_import(done, target)


def _masked(text: str) -> str:
    return redact(text, full=True)


def _print_import(done: Imported, target: Path) -> int:
    for name in done.written:
        print(f"+ {target / name}")
    for name in done.beside:
        print(f"! {target / name}: the article was changed by hand; put both together")
    for note in done.notes:
        print(f"  {note}")
    for problem in done.problems:
        print(problem, file=sys.stderr)
    print(
        f"{len(done.written)} written, {len(done.beside)} beside, {len(done.skipped)} unchanged, "
        f"{len(done.problems)} not imported"
    )
    return 1 if done.problems else 0


async def _audit(store: AsyncStore, settings: Settings, args: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    folder = Path(settings.knowledge.dir)
    articles, invalid = await loop.run_in_executor(None, read_folder, folder)
    for error in invalid:
        print(error, file=sys.stderr)
    if not articles:
        there = await loop.run_in_executor(None, os.path.isdir, folder)
        what = "has no usable article" if there else "is no folder"
        print(f"{folder}: {what}", file=sys.stderr)
        return 1
    cut = await loop.run_in_executor(None, cut_all, articles)
    passages = [passage for article in articles for passage in cut[article.id]]
    embedder = open_embedder(settings.knowledge.embeddings)
    rows = await _vectors(store, passages, embedder)
    index = Index(passages, rows, embedder)
    # A passage without a vector, not synced yet, has a row of zeros.
    vectors = (
        None
        if rows is None
        else {p.digest: row for p, row in zip(passages, rows, strict=True) if row.any()}
    )

    def search(question: str) -> list[Hit]:
        return index.search(question, k=_FOUND, audience=AGENTS)

    call = partial(
        audit,
        articles,
        passages,
        search=search,
        questions=await _history(store),
        vectors=vectors,
        today=utcnow().date(),
        stale_days=settings.knowledge.stale_days,
        known_terms=args.known,
    )
    found: Audit = await loop.run_in_executor(None, call)
    width = shutil.get_terminal_size((100, 40)).columns
    print(to_markdown(found) if args.markdown else to_text(found, width), end="")
    if args.markdown:
        print(summary(found), file=sys.stderr)
    return 1 if invalid or any(f.severity == HIGH for f in found.findings) else 0


async def _vectors(
    store: AsyncStore, passages: Sequence[Passage], embedder: Embedder | None
) -> Any:
    if embedder is None:
        return None
    loop = asyncio.get_running_loop()
    model = await loop.run_in_executor(None, lambda: embedder.model)
    return await load_vectors(store, model, passages)


async def _history(store: AsyncStore) -> list[str]:
    """Return the questions that were put to the knowledge base, masked as they are kept."""
    asked = []
    for turn in await store.find(Turn, {}, sort=("-at",), limit=_TURNS):
        note = (turn.decision or {}).get(ANSWERED_SLOT) or {}
        # What was rated badly was asked in the turn before.
        if note.get("question") and note.get("how") != "missed":
            asked.append(str(note["question"]))
    return asked


async def _gaps(store: AsyncStore, settings: Settings, args: argparse.Namespace) -> int:
    rows = await open_gaps(store)
    embedder = open_embedder(settings.knowledge.embeddings)
    vectors = None
    loop = asyncio.get_running_loop()
    if embedder is not None and rows:
        questions = [row.question for row in rows]
        vectors = await loop.run_in_executor(None, embedder.encode, questions)
    found = await loop.run_in_executor(None, cluster, rows, vectors)
    if not found:
        print("no open gaps")
        return 0 if args.close is None else 1
    if args.close is not None:
        return await _close(store, found, args.close)
    for number, one in enumerate(found[: args.limit], 1):
        _print_cluster(number, one)
    left = len(found) - args.limit
    more = f", {left} not shown" if left > 0 else ""
    print(f"open gaps: {len(rows)}, of so many questions: {len(found)}{more}")
    if args.drafts is None:
        return 0
    return await _drafts(store, settings, found[: args.limit], args.drafts)


async def _close(store: AsyncStore, found: list[Cluster], number: int) -> int:
    if not 1 <= number <= len(found):
        print(f"{number}: `bot knowledge gaps` shows 1 to {len(found)}", file=sys.stderr)
        return 1
    one = found[number - 1]
    print(f"{await close(store, one)} closed: {one.question}")
    return 0


def _print_cluster(number: int, one: Cluster) -> None:
    why = ", ".join(f"{count} {reason}" for reason, count in one.why.items())
    customers = f"{one.customers} {'customer' if one.customers == 1 else 'customers'}"
    print(
        f"{number:3}. {one.count} × {one.question}\n"
        f"     {customers}, {one.since:%Y-%m-%d} to {one.last:%Y-%m-%d}, "
        f"{'/'.join(one.languages) or '-'}, {why}"
    )


async def _drafts(
    store: AsyncStore, settings: Settings, found: Sequence[Cluster], target: Path
) -> int:
    writer = Writer(target, settings.perception.languages[0])
    talks = None
    write: Write | None = None
    if settings.llm:
        from bot.knowledge.opening import sheet_of
        from bot.llm.client import open_llm
        from bot.llm.prompts import load_prompt

        prompt = load_prompt("draft_article")
        talks = open_llm(settings, store)
        render = partial(prompt.fill, company=sheet_of(settings).company)
        write = by_model(talks, render, prompt.tokens, utcnow().date())
    try:
        for one in found:
            told = await resolutions(store, one.members, _masked)
            name = f"gap-{digest(min(row.id for row in one.members))}"
            # What a model writes is never the same twice; what it is made from may be.
            source = digest(one.question, *sorted(str(part) for part in told))
            if writer.unchanged(name, source):
                writer.skip(name)
                continue
            writer.write(name, source, await drafted(one, told, write))
    finally:
        if talks is not None:
            await talks.close()
    return _print_import(writer.imported, target)
