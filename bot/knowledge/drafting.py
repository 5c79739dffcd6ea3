"""A draft article for a question nobody has written about, of what people answered."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any

from bot.knowledge.auditing.quantities import quantities, same
from bot.knowledge.auditing.sentences import sentences
from bot.knowledge.auditing.words import fold, stems
from bot.knowledge.clusters import group
from bot.knowledge.contract import AGENTS, Article
from bot.knowledge.gaps import Cluster, Resolution
from bot.knowledge.importing.draft import Draft, one_line
from bot.llm.contract import Ask, Said, Talks
from bot.llm.errors import LlmError
from bot.llm.untrusted import mark, rule, wrap

#: Writes the text of a draft in another way; "" when it cannot.
Write = Callable[[Cluster, Sequence[Resolution]], Awaitable["Draft | None"]]

_CHECK = "<!-- A draft: check it, then set audience: customers and move it to the others. -->"
_MOST_SENTENCES, _MOST_SAID = 30, 12_000
_LONGEST_TITLE = 120
#: A personal word that was masked: what is said around it holds for one customer.
_MASKED = re.compile(r"\[[A-Za-z_]+(?:[ -]?\d+)?\]")
_POLITE = re.compile(
    r"(hi|hello|hey|dear|good (morning|afternoon|evening|day)|thank(s| you)|best( regards| wishes)?"
    r"|kind regards|regards|sincerely|cheers|you('re| are) welcome|(is there )?anything else"
    r"|have a (nice|good|great|lovely)|sorry (for|about|to)"
    r"|(i('m| am)|we('re| are)) (very |so )?sorry"
    r"|i apologi[sz]e|no problem|happy to help|glad|let me (know|check|look)|one moment|my name is"
    r"|hallo|guten (tag|morgen|abend)|liebe[r]?|danke|vielen dank|mit freundlichen|viele grüße"
    r"|bonjour|merci|cordialement|hola|gracias|un saludo|saludos|buongiorno|ciao|grazie"
    r"|goedemorgen|goedemiddag|dank|met vriendelijke|olá|obrigad[oa]|dzień dobry|dziękuj\w+"
    r"|pozdrawiam)\b"
)  # fmt: skip


@dataclass
class _Point:
    """Sentences of several conversations that say one thing, the most typical first."""

    texts: list[str] = field(default_factory=list)
    gaps: set[str] = field(default_factory=set)


def draft(cluster: Cluster, resolutions: Sequence[Resolution]) -> Draft:
    """Make an article of the sentences people answered with, the commonest first.

    Nothing is said that nobody said. What only one of several conversations has, and where
    they differ in a number, is listed to be checked. It is for agents until it was.
    """
    language = cluster.languages[0] if cluster.languages else ""
    points = _points(resolutions, language)
    several = len(resolutions) > 1
    agreed = [point for point in points if len(point.gaps) > 1 or not several]
    single = [point for point in points if point not in agreed]
    body = [_CHECK, f"<!-- {_asked(cluster)} {_answered(resolutions)} -->"]
    body += [point.texts[0] for point in agreed]
    checks = [f"“{one}” or “{other}”?" for one, other in _differences(points, language)]
    checks += [f"{point.texts[0]} (said in one conversation)" for point in single]
    if not points:
        checks.append("No person has answered this yet: write the answer.")
    if checks:
        body.append("## To check")
        body.append("\n".join(f"- TO CHECK: {check}" for check in checks))
    others = list(dict.fromkeys(one_line(row.question) for row in cluster.members))[1:6]
    if others:
        body.append("<!-- Asked as well:\n" + "\n".join(map(_uncommented, others)) + "\n-->")
    return Draft(_title(cluster), "\n\n".join(body), language, tags=("draft",), audience=AGENTS)


async def drafted(
    cluster: Cluster, resolutions: Sequence[Resolution], write: Write | None = None
) -> Draft:
    """Return the draft that `write` makes, or that of `draft` without one or when it cannot."""
    written = await write(cluster, resolutions) if write is not None and resolutions else None
    return written or draft(cluster, resolutions)


def by_model(talks: Talks, render: Callable[..., str], tokens: int, today: date) -> Write:
    """Return a `Write` that asks a language model.

    `render` fills the prompt ``draft_article``: question, resolutions, language and today.
    An answer that is not the JSON object asked for, or none, makes the extractive draft.
    """

    async def write(cluster: Cluster, resolutions: Sequence[Resolution]) -> Draft | None:
        language = cluster.languages[0] if cluster.languages else "en"
        asked = dict.fromkeys(one_line(row.question) for row in cluster.members)
        border = mark()
        prompt = render(
            question=wrap("message", "\n".join(list(asked)[:8]), border),
            resolutions=wrap("conversation", _told(resolutions), border, most=_MOST_SAID),
            language=language,
            today=today.isoformat(),
        )
        messages = (Said("system", rule(border)), Said("user", prompt))
        ask = Ask(messages, "knowledge:gaps", "draft_article", tokens)
        try:
            reply = await talks.ask(ask)
        except LlmError:
            return None
        return _read(reply.text, cluster, language)

    return write


def _read(text: str, cluster: Cluster, language: str) -> Draft | None:
    found = re.search(r"\{.*\}", text, re.S)
    try:
        said: Any = json.loads(found[0]) if found else None
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("body"), str):
        return None
    body = said["body"].strip()
    if not re.search(r"\w", body):
        return None
    listed = said.get("checks")
    checks = [one_line(str(check)) for check in listed] if isinstance(listed, list) else []
    parts = [_CHECK, f"<!-- {_asked(cluster)} Written by a language model. -->", body]
    if checks:
        parts += ["## To check", "\n".join(f"- TO CHECK: {check}" for check in checks)]
    title = said.get("title")
    return Draft(
        one_line(title)[:_LONGEST_TITLE] if isinstance(title, str) and title.strip() else
        _title(cluster), "\n\n".join(parts), language, tags=("draft",), audience=AGENTS
    )  # fmt: skip


def _told(resolutions: Sequence[Resolution]) -> str:
    blocks = []
    for number, one in enumerate(resolutions, 1):
        noted = [f"(noted) {one.noted}"] if one.noted else []
        blocks.append(f"Conversation {number}:\n" + "\n".join([*one.said, *noted]))
    return "\n\n".join(blocks)[:_MOST_SAID]


def _points(resolutions: Sequence[Resolution], language: str) -> list[_Point]:
    said: list[tuple[str, str]] = []
    for resolution in resolutions:
        texts = resolution.said or ((resolution.noted,) if resolution.noted else ())
        for text in texts:
            lines = sentences(Article("", "", text, language or "en"))
            said += [(line.text, resolution.gap) for line in lines if _tells(line.text, language)]
    points = []
    for members in group([text for text, _ in said], languages=[language] * len(said)):
        point = _Point()
        for n in members:
            if said[n][0] not in point.texts:
                point.texts.append(said[n][0])
            point.gaps.add(said[n][1])
        points.append((-len(point.gaps), min(members), point))
    return [point for _, _, point in sorted(points, key=lambda p: p[:2])][:_MOST_SENTENCES]


def _tells(text: str, language: str) -> bool:
    """Tell whether a sentence says something to any customer, not only to this one."""
    plain = fold(text).lstrip("¡¿ ")
    if _MASKED.search(text) or text.endswith("?") or len(stems(text, language or "en")) < 2:
        return False
    return not (_POLITE.match(plain) and len(plain.split()) < 12)


def _differences(points: Sequence[_Point], language: str) -> list[tuple[str, str]]:
    found = []
    for point in points:
        for one, other in combinations(point.texts, 2):
            mine, _ = quantities(one, language or "en")
            theirs, _ = quantities(other, language or "en")
            rivals = [(a, b) for a in mine for b in theirs if a.kind == b.kind]
            if any(not any(same(a, b) for b in theirs if b.kind == a.kind) for a, _ in rivals):
                found.append((one, other))
                break
    return found


def _title(cluster: Cluster) -> str:
    title = one_line(cluster.question)
    title = title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE].rstrip()} …"
    return title[:1].upper() + title[1:]


def _asked(cluster: Cluster) -> str:
    return (
        f"Asked {_times(cluster.count)} in {cluster.customers} "
        f"conversation{'' if cluster.customers == 1 else 's'}, "
        f"from {cluster.since:%Y-%m-%d} to {cluster.last:%Y-%m-%d}."
    )


def _answered(resolutions: Sequence[Resolution]) -> str:
    if not resolutions:
        return "No person has answered it."
    return f"Answered by people in {len(resolutions)} of them."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _uncommented(text: str) -> str:
    return text.replace("--", "- -").replace("<!", "< !")
