"""What the desk answers agents in Slack with: drafts, similar cases, actions, finds, warnings.

Each returns the arguments ``text`` and ``blocks`` of a message. All that goes in is plain words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.desk.slack import ids
from bot.desk.slack.kit import (
    CONTEXT,
    Block,
    actions,
    button,
    confirm,
    context,
    fits,
    literal,
    one_line,
    pieces,
    section,
    select,
    short,
    within,
)

_LINE = 300
_LISTED = 10
# More than fits into a message; it is cut there.
_SECTIONS = 10
_SECTION = 2800


def draft(
    conversation: str,
    review: str,
    text: str,
    sources: Sequence[Mapping[str, str]] = (),
    how: str = "",
) -> dict[str, Any]:
    """A drafted answer with what it rests on, to send, to edit or to throw away."""
    rows: list[Block] = [section("*Draft*, not sent to anybody yet")]
    rows += [section(literal(part)) for part in pieces(text, _SECTION)[:_SECTIONS]]
    rows.append(context(_sources(sources)))
    if how:
        rows.append(context(f"Made by: {literal(one_line(how, _LINE))}"))
    value = _packed(review=review, conversation=conversation)
    if fits(value):
        rows.append(
            actions(
                [
                    button("Send", ids.SEND_DRAFT, value, style="primary"),
                    button("Edit and send", ids.EDIT_DRAFT, value),
                    button("Discard", ids.DISCARD_DRAFT, value),
                ]
            )
        )
    return {"text": literal(f"Draft: {one_line(text, _LINE)}"), "blocks": within(rows)}


def similar(cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Resolved cases like this one, as `bot.desk.contract` lists them."""
    if not cases:
        return _said("There is no resolved case like this one.")
    rows: list[Block] = [section("*Resolved cases like this one*")]
    for case in cases[:_LISTED]:
        summary = short(str(case.get("summary") or ""), _LINE) or "_no summary_"
        ended = short(str(case.get("resolution") or ""), _LINE) or "_not written_"
        rows.append(section(f"{summary}\n*Resolved:* {ended}"))
        small = (str(case.get(name) or "") for name in ("topic", "agent", "resolved"))
        if said := " · ".join(short(word, 80) for word in small if word):
            rows.append(context(said))
    return {"text": f"{len(rows) // 2} resolved cases like this one", "blocks": rows}


def suggested(conversation: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Actions that may help here, each with a button; what changes something is asked about."""
    rows: list[Block] = []
    for action in found[:_LISTED]:
        name, args = str(action["name"]), dict(action.get("args") or {})
        title = str(action.get("title") or name)
        value = _packed(action=name, args=args, conversation=conversation)
        known = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in args.items())
        words = f"*{short(title, 100)}*"
        if known:
            words += f"\n{short(known, _LINE)}"
        if not fits(value):
            rows.append(section(words))
            continue
        asked = action.get("confirm")
        question = asked if isinstance(asked, str) else f"{title}: {known or 'as it stands'}?"
        sure = confirm(title, question, "Do it") if asked else None
        rows.append(section(words, accessory=button("Do it", ids.ACT, value, confirm=sure)))
    if not rows:
        return _said("No action seems to help here.")
    return {"text": "Suggested actions", "blocks": [section("*Suggested actions*"), *rows]}


def found(conversations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Conversations that were looked for, each with a button to take it."""
    rows: list[Block] = []
    for one in conversations[:_LISTED]:
        key = str(one["id"])
        name = short(str(one.get("name") or "A customer"), 100)
        said = " · ".join(
            short(str(one.get(field) or ""), most)
            for field, most in (("holder", 100), ("at", 100), ("last", _LINE))
            if one.get(field)
        )
        channel = short(key.partition(":")[0], 40)
        take = button("Take over", ids.PICK, key) if fits(key) else None
        rows.append(section(f"*{name}* on {channel}\n{said}", accessory=take))
    if not rows:
        return _said("No conversation was found.")
    return {"text": "Conversations", "blocks": rows}


def warning(
    conversation: str, words: str, templates: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """A message that did not reach the customer, and why; with (name, title) of templates."""
    text = f"⚠️ {short(words, 1000)}"
    rows: list[Block] = [section(text)]
    menu = select("Send a template…", ids.TEMPLATE, templates)
    if menu["options"]:
        rows.append(actions([menu], ids.block(conversation)))
    return {"text": text, "blocks": rows}


def _said(words: str) -> dict[str, Any]:
    return {"text": words, "blocks": [section(words)]}


def _sources(sources: Sequence[Mapping[str, str]]) -> str:
    said = ""
    for source in sources:
        more = f"{said}, {_source(source)}" if said else f"Rests on {_source(source)}"
        # Cut between sources: half a link would be shown as it is written.
        if len(more) > CONTEXT:
            break
        said = more
    return said or "Rests on no article"


def _source(source: Mapping[str, str]) -> str:
    title = literal(one_line(source.get("title") or source.get("article") or "an article", 100))
    url = source.get("url") or ""
    if url.startswith(("https://", "http://")) and not set(url) & set(" <>|\n") and len(url) < 500:
        return f"<{url.replace('&', '&amp;')}|{title}>"
    return title


def _packed(**value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
