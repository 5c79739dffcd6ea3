"""``python -m bench.answers``: searching, answering and refusing, over the questions of "test".

Without a configured model the sandbox's stand-ins take its place: they are no language
models and say nothing of how well one answers, but all of them together show whether
anything unsupported is sent. ``--endpoints FILE`` measures the models that it names.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from bench.answers.fit import fit
from bench.answers.measure import Answers, Search, search_row
from bench.answers.questions import Question, load
from bench.answers.shelf import Shelf, installed_model
from bench.answers.standin import stand_in
from bot.knowledge.answering import Answering
from bot.knowledge.contract import About, Answer
from bot.knowledge.opening import sheet_of
from bot.llm.client import open_llm
from bot.llm.contract import Talks
from bot.llm.grounding import check
from bot.llm.prompts import load_prompts
from bot.settings import Settings
from bot.settings import load as load_settings

_FOLDER = Path("data/knowledge")


async def _search(shelf: Shelf, questions: Sequence[Question], name: str) -> None:
    counted = Search()
    for question in questions:
        asked = f"{question.after} {question.text}".strip()
        counted.count(question, await shelf.search(asked, k=12, language=question.language))
    print(search_row(name, counted))


async def _answer(
    shelf: Shelf,
    questions: Sequence[Question],
    name: str,
    talks: Talks | None,
    settings: Settings,
    *,
    wrong: bool,
) -> None:
    answering = Answering(shelf, talks, load_prompts(), sheet_of(settings))
    counted = Answers()
    for question in questions:
        about = About("bench:answers:1", "webchat", question.language, previous=question.after)
        answer = await answering.answer(question.text, about)
        counted.count(question, answer, supported=_supported(shelf, answer, question))
    print(counted.row(name))
    if wrong:
        print("\n".join(f"    {line}" for line in counted.wrong))


def _supported(shelf: Shelf, answer: Answer, question: Question) -> bool:
    """Tell whether all of an answer stands in the articles it names."""
    if answer.how == "quote":
        named = {source.article for source in answer.sources}
        said = "\n".join(
            f"{p.text}\n**{' '.join(p.headings[-1:])}**"
            for p in shelf.passages
            if p.article in named
        )
        return all(piece in said for piece in answer.text.rstrip("…").split("\n"))
    named = {source.article for source in answer.sources}
    sources = [f"{p.heading}.\n\n{p.text}" for p in shelf.passages if p.article in named]
    return check(answer.text, sources, question=question.text).ok


async def _main(args: argparse.Namespace) -> None:
    settings = load_settings(
        channels=(), schema_of=lambda channel: object, endpoints=args.endpoints
    )
    questions = load()
    test = [q for q in questions if q.split == "test"]
    dev = [q for q in questions if q.split == "dev"]
    model = args.embeddings or settings.knowledge.embeddings or installed_model()
    shelves = {"words": Shelf.of(_FOLDER)}
    if model and model != "none":
        shelves["words and embeddings"] = Shelf.of(_FOLDER, model)
    some = next(iter(shelves.values()))
    print(
        f"{len(some.articles)} articles, {len(some.passages)} passages; {len(test)} questions "
        f"of split test, {sum(not q.answerable for q in test)} of which no article answers"
    )
    if args.fit:
        for name, shelf in shelves.items():
            print(f"{name}: {await fit(shelf, dev)}")
        return
    for name, shelf in shelves.items():
        await _search(shelf, test, name)
    print()
    for name, shelf in shelves.items():
        await _answer(shelf, test, f"no model, {name}", None, settings, wrong=args.wrong)
    best = list(shelves.values())[-1]
    if settings.llm:
        talks = open_llm(settings, None)
        names = ", ".join(llm.model for llm in settings.llm)
        await _answer(best, test, names, talks, settings, wrong=args.wrong)
        await talks.close()
        return
    for manner in ("honest", "inventing", "obedient", "truncated"):
        async with stand_in(manner) as talks:
            await _answer(best, test, f"stand-in: {manner}", talks, settings, wrong=args.wrong)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.answers", description=__doc__)
    parser.add_argument("--endpoints", type=Path, help="an endpoints.yml with llm")
    parser.add_argument("--embeddings", help="a model of sentence embeddings, or none")
    parser.add_argument("--fit", action="store_true", help="fit the weights of confidence")
    parser.add_argument("--wrong", action="store_true", help="show what was not right")
    asyncio.run(_main(parser.parse_args()))
