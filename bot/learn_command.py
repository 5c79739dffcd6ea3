"""``bot learn``: the inbox of what customers really wrote, in a terminal."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bot import serve
from bot.learn_talk import Talk
from bot.learn_words import REASONS, as_json, plain, row_of, where
from bot.learning import (
    STORY,
    TEST,
    CannotWrite,
    Decided,
    Learning,
    NoSuchLesson,
    NotAllowed,
    marks_of,
)
from bot.lesson_words import OPEN
from bot.marked_text import BadMarkup, read_marked
from bot.models_command import me
from bot.settings import Settings
from bot.store import AsyncStore, StoreError
from bot.store.lessons import Lesson


async def learn(args: argparse.Namespace, settings: Settings, root: Path | None = None) -> int:
    """Run ``bot learn``; return 0, 1 when something was not done, 2 when what was typed is wrong.

    `root` is the project's folder, the working directory by default.
    """
    store = serve.store_of(settings)
    learning = Learning(store, root or Path())
    try:
        return await _do(args, store, learning)
    except (BadMarkup, NotAllowed) as error:
        print(plain(str(error)), file=sys.stderr)
        return 2
    except NoSuchLesson as error:
        hint = "" if args.verb == "story" else "; `bot learn list` shows the lessons there are"
        print(f"{plain(str(error))}{hint}", file=sys.stderr)
        return 1
    except CannotWrite as error:
        print(plain(str(error)), file=sys.stderr)
        return 1
    except StoreError as error:
        print(f"the store: {error}", file=sys.stderr)
        return 1
    finally:
        await store.close()


async def _do(args: argparse.Namespace, store: AsyncStore, learning: Learning) -> int:
    if args.verb == "list":
        return await _list(args, learning)
    if args.verb == "confirm":
        return await _confirm(args, learning)
    if args.verb == "dismiss":
        await learning.dismiss(args.id, me())
        print("dismissed, nothing is learned from it")
        return 0
    if args.verb == "write":
        return await _write(learning)
    if args.verb == "story":
        return await _story(args, learning)
    return await Talk(store, learning, me()).run()


async def _list(args: argparse.Namespace, learning: Learning) -> int:
    after, left = "", args.limit
    shown = 0
    while left and (
        page := await learning.inbox(
            status=args.status, reason=args.reason, limit=min(left, 200), after=after
        )
    ):
        for lesson in page:
            print(json.dumps(as_json(lesson)) if args.json else row_of(lesson))
        shown, left, after = shown + len(page), left - len(page), str(page[-1].id)
    if args.json:
        return 0
    counts = await learning.counts()
    if not shown:
        print(f"nothing is {args.status}" + (" for this reason" if args.reason else ""))
    elif args.status == OPEN:
        by = ", ".join(f"{counts[reason]} {word}" for reason, word in REASONS.items())
        print(f"\n{counts[OPEN]} open ({by})")
    if counts["confirmed"] and args.status == OPEN:
        print(f"{counts['confirmed']} decided but in no file yet: `bot learn write`")
    return 0


async def _confirm(args: argparse.Namespace, learning: Learning) -> int:
    lesson = await learning.lesson(args.id)
    if args.text:
        text, marks = read_marked(args.text)
    else:
        text, marks = lesson.text, marks_of(lesson.marks)
    intent = args.intent or _understood(lesson, learning)
    written = await learning.confirm(args.id, Decided(intent, text, marks, args.move), me())
    for line in where(written, intent):
        print(line)
    return 0


def _understood(lesson: Lesson, learning: Learning) -> str:
    """Return the best intent that examples can be given to; not the one for what is unclear."""
    known = {intent.name for intent in learning.project().intents}
    for intent in (lesson.intent, *(name for name, _ in lesson.ranking or ())):
        if intent and (intent in known or not known):
            return str(intent)
    raise NotAllowed(f"{lesson.id}: nothing was understood; say which INTENT it is")


async def _write(learning: Learning) -> int:
    written = await learning.write(me())
    for one in written:
        for line in where(one):
            print(line)
    if not written:
        print("nothing is decided that is in no file yet")
    return 0


async def _story(args: argparse.Namespace, learning: Learning) -> int:
    draft = await learning.draft(
        args.conversation,
        kind=TEST if args.test else STORY,
        title=args.title,
        first=args.first,
        last=args.last,
    )
    for warning in draft.warnings:
        print(f"warning: {plain(warning)}", file=sys.stderr)
    if args.dry_run:
        print(f"# {draft.file}")
        print("\n".join(plain(line) for line in draft.yaml.splitlines()))
        return 0
    for line in where(await learning.save(draft, me())):
        print(line)
    return 0
