"""Articles made of how people resolved cases."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.knowledge.contract import AGENTS
from bot.knowledge.importing.draft import Draft, one_line
from bot.knowledge.importing.writing import Imported, Writer, digest
from bot.message import Media, Text, decode
from bot.store import AsyncStore
from bot.store.cases import RESOLVED, Case
from bot.store.messages import Message

#: How many of an agent's messages after a case are read, and how many cases.
MOST_MESSAGES, MOST_CASES = 50, 10_000
_LONGEST_TITLE = 90


async def agent_messages(store: AsyncStore, conversation: str, after: int, until: int) -> list[str]:
    """Return what people wrote to a customer, in order, between two times.

    Times are in microseconds since 1970, as `Message.arrived`. Replies of the bot, which have
    a turn, are not among them.
    """
    rows = await store.find(
        Message,
        {
            "conversation": conversation,
            "direction": "out",
            "arrived": {"$gt": after, "$lte": until},
        },
        sort=("arrived",),
        limit=10 * MOST_MESSAGES,
    )
    written = [words(row) for row in rows if row.agent and not row.turn]
    return [text for text in written if text][:MOST_MESSAGES]


def words(row: Message) -> str:
    """Return what is written in a message, "" when nothing is."""
    content = decode(row.content)
    if isinstance(content, Text):
        return content.text
    return content.caption if isinstance(content, Media) else ""


def nameless(text: str, name: str) -> str:
    """Return a text without the words of a customer's name, as the provider told it."""
    for part in re.findall(r"[^\W\d_]{3,}", name):
        # As it is written: many a name is a word as well.
        text = re.sub(rf"\b{re.escape(part)}\b", "[name]", text)
    return text


async def case_draft(store: AsyncStore, case: Case, redact: Callable[[str], str]) -> Draft | None:
    """Make an article of a resolved case, None when nobody wrote anything of use.

    `redact` masks personal data. The article is for agents until a person has read it.
    """
    asked = await store.get(Message, case.id)
    name = str((asked.profile or {}).get("name") or "") if asked is not None else ""

    def clean(text: str) -> str:
        return redact(nameless(text, name))

    began = asked.arrived if asked is not None else int(case.at.timestamp() * 1e6)
    end = int(case.resolved.timestamp() * 1e6) if case.resolved else 2**63 - 1
    answers = [clean(text) for text in await agent_messages(store, case.conversation, began, end)]
    resolution = clean(case.resolution or "").strip()
    if not answers and not resolution:
        return None
    question = one_line(clean(words(asked))) if asked is not None else ""
    summary = one_line(clean(case.summary or ""))
    title = summary or question or case.topic.replace("_", " ").capitalize()
    body = [
        "<!-- Made of a resolved case. Keep what holds for every customer, then set "
        "audience: customers. -->"
    ]
    if question:
        body += ["## What was asked", _quoted(question)]
    if resolution:
        body += ["## How it was resolved", resolution]
    if answers:
        body += ["## What the customer was told", *answers]
    language = str((asked.profile or {}).get("language") or "")[:2] if asked is not None else ""
    known = language.lower() if re.fullmatch(r"[A-Za-z]{2}", language) else ""
    return Draft(
        _short(title),
        "\n\n".join(body),
        known,
        updated=case.resolved.date() if case.resolved else None,
        tags=(case.topic, "case"),
        audience=AGENTS,
    )


async def import_cases(
    store: AsyncStore, writer: Writer, redact: Callable[[str], str], limit: int = MOST_CASES
) -> Imported:
    """Write an article for each resolved case, the newest `limit` of them."""
    where = {"status": RESOLVED}
    for case in await store.find(Case, where, sort=("-at",), limit=limit):
        # An inbound id names its customer's address; a file's name is no place for it.
        name = f"cases/{case.topic.replace('/', '-')}-{digest(case.id)}"
        draft = await case_draft(store, case, redact)
        if draft is None:
            writer.imported.problems.append(f"{name}: resolved without a word, nothing to learn")
            continue
        made_from = digest(draft.title, draft.body, draft.language, str(draft.updated))
        if writer.unchanged(name, made_from):
            writer.skip(name)
        else:
            writer.write(name, made_from, draft)
    return writer.imported


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _short(title: str) -> str:
    if len(title) <= _LONGEST_TITLE:
        return title
    return f"{title[:_LONGEST_TITLE].rpartition(' ')[0] or title[:_LONGEST_TITLE]} …"
