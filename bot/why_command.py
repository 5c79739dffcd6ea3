"""``bot why``: why a message was answered as it was, in a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from bot import serve
from bot.dialogue.why import Explanation, NoSuchMessage, explain, last_messages
from bot.settings import Settings
from bot.store import StoreError

_WIDTH = 11


async def why(args: argparse.Namespace, settings: Settings) -> int:
    """Explain a message, or the last ones of a conversation; return 0, 1 if there is none."""
    store = serve.store_of(settings)
    try:
        ids = await last_messages(store, args.id, args.last or 1)
        if not ids and args.last:
            raise NoSuchMessage(f"{args.id}: there is no such conversation, or it had no turn")
        for number, one in enumerate(ids or [args.id]):
            told = await explain(store, one, raw=args.raw, full=True)
            if number:
                print()
            for line in lines_of(told):
                print(line)
    except NoSuchMessage as error:
        print(error, file=sys.stderr)
        return 1
    except StoreError as error:
        print(f"the store: {error}", file=sys.stderr)
        return 1
    finally:
        await store.close()
    return 0


def lines_of(told: Explanation) -> Iterator[str]:
    """Return an explanation as lines that do nothing to a terminal."""
    for name, text in _told(told):
        clean = "".join(c if c.isprintable() else " " for c in text)
        yield f"{name:{_WIDTH}} {clean}".rstrip()


def _told(told: Explanation) -> Iterator[tuple[str, str]]:
    yield "message", f"{told.message}, {told.at:%Y-%m-%d %H:%M:%S} UTC"
    yield "said", " ".join(told.said.split())
    yield from _translated(told)
    if told.note:
        yield "note", told.note
    if not told.by:
        return
    for n, one in enumerate(told.ranking):
        yield ("understood" if n == 0 else "  or"), f"{one.intent} {one.confidence:.3f}"
    for entity in told.entities:
        by = f" ({entity.by})" if entity.by else ""
        yield "entity", f"{entity.name} = {entity.value}{by}"
    yield from _seen(told)
    yield "had by", told.by
    for step in told.steps:
        sure = f", {step.policy} {step.confidence:.2f}" if step.policy else ""
        yield "did", f"{step.action}{sure}"
        if step.source:
            yield "  because", f"{step.source}{f', {step.place}' if step.place else ''}"
        for name, place in step.responses:
            yield "  said", f"{name}{f', {place}' if place else ''}"
    for tool in told.tools:
        args = f" ({tool.args})" if tool.args else ""
        yield "tool", f"{tool.tool}{args}: {tool.verdict}, {tool.result} [{tool.ms} ms]"
    for slot, value in told.slots.items():
        yield "slot", f"{slot} = {value}"
    if told.answered:
        yield "answered", f"{told.answered.how}, confidence {told.answered.confidence:.2f}"
        for source in told.answered.sources:
            yield "  from", source
        for reason in told.answered.why:
            yield "  because", reason
    if told.handed:
        yield "handed over", f"{told.handed.topic}, {told.handed.priority}: {told.handed.why}"
    if told.told:
        yield "told", f"that somebody will come, {told.told}"
    if told.consent:
        yield "consent", told.consent
    if told.failure:
        yield "failed", told.failure
        for line in told.detail.splitlines():
            yield "", line
    for folded in told.folded:
        yield "with", folded
    for reply in told.replies:
        reason = f" ({reply.reason})" if reply.reason else ""
        yield "reply", f"[{reply.status}{reason}] {' '.join(reply.text.split())}"
    yield "time", f"{told.took_ms} ms"
    if told.model:
        yield "model", told.model


def _translated(told: Explanation) -> Iterator[tuple[str, str]]:
    made = told.translated
    if made is None:
        return
    by = f" by {made.engine}" if made.engine else ", there is no engine"
    yield "translated", f"{made.source} to {made.target}{by}"
    if made.heard:
        yield "  heard", " ".join(made.heard.split())
    for words in made.said:
        yield "  meant", " ".join(words.split())
    if made.why:
        yield "  not", made.why
    if made.told:
        yield "  told", "that the bot does not speak the language"


def _seen(told: Explanation) -> Iterator[tuple[str, str]]:
    seen = told.seen
    if seen is None:
        return
    mood = f"mood {seen.mood:+.2f}, this message {seen.sentiment:+.2f}, urgency {seen.urgency:.2f}"
    angry = ", frustrated" if seen.frustrated else ""
    yield "seen", f"{seen.language} ({seen.sure:.2f}), {mood}{angry}"
    if seen.sensitive:
        yield "sensitive", f"{seen.sensitive}: {seen.sensitive_why}"
    for reason in seen.why:
        yield "  because", reason
