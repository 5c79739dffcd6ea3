"""Lines of a conversation as the words of posts in a thread: mrkdwn, all of it escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.desk.contract import Person
from bot.desk.slack.kit import SECTION, cut, literal, one_line, pieces, readable
from bot.desk.slack.words import to_slack
from bot.desk.timeline import Line
from bot.store import journal

#: Of one post, in characters of mrkdwn: Slack shows up to 4,000 well, see `kit.TEXT`.
POST = 3500
_QUOTE = 200
_SHORT = 300
_EVENTS = {
    "start": "opened the chat",
    "referral": "came by a link",
    "blocked": "blocked us",
    "unblocked": "unblocked us",
    "opt_out": "wants no more messages",
    "opt_in": "wants messages again",
    "moved": "has a new address",
    "help": "asked who writes and how to stop",
}
#: What an entry of the journal says, with {who} for the agent and {text} for its text.
_ENTRIES = {
    journal.REOPENED: "{who} opened the case again",
    journal.TAKEN: "{who} took the conversation over",
    journal.ASSIGNED: "{who} gave the conversation away",
    journal.RETURNED: "{who} gave the conversation back to the bot",
    journal.RESOLVED: "{who} resolved the case",
    journal.CLOSED: "Closed by rule",
    journal.RATED: "The customer rated the conversation",
    journal.REMINDED: "Reminder",
    journal.ACTED: "{who} ran an action",
    journal.TRANSLATED: "In our language",
    journal.EDITED: "{who} changed a message to the customer",
    journal.DELETED: "{who} took a message to the customer back",
    journal.SENSED: "From the customer's file",
}
_SIGNS = {
    journal.TAKEN: "🙋",
    journal.ASSIGNED: "👉",
    journal.RETURNED: "🤖",
    journal.RESOLVED: "✅",
    journal.CLOSED: "⏹️",
    journal.REOPENED: "🔄",
    journal.RATED: "⭐",
    journal.REMINDED: "⏰",
    journal.ACTED: "⚙️",
    journal.TRANSLATED: "🌐",
    journal.SENSED: "👁️",
}


def texts(line: Line, quote: str = "", *, name: str = "") -> list[str]:
    """Return the words of the posts that show a line, [] when it is not to be shown.

    `quote` are the words of the message that it changes, answers or reacts to, as far as they
    are known; `name` is the customer's, where the line has none.
    """
    if line.who == "desk":
        return _entry(line)
    if line.who == "customer":
        return _customer(line, quote, line.name or name or "Customer")
    if line.who == "bot":
        return _said("🤖 *Bot:*", _spoken(line), light=True)
    return _said(f"💬 *{_name(line.name or 'Agent')}:*", _spoken(line), light=True)


def short(line: Line, quote: str = "", *, name: str = "") -> str:
    """Return a line on one line, with its time, as the history has it; "" for nothing."""
    if line.who == "desk":
        found = _entry(line)
        said = one_line(found[0], _SHORT) if found else ""
    else:
        names = {"customer": line.name or name or "Customer", "bot": "Bot"}
        author = _name(names.get(line.who) or line.name or "Agent")
        words = _spoken(line)
        if line.who == "customer":
            words = _done(line, quote) or line.translated or line.text
        said = f"*{author}:* {literal(one_line(words, _SHORT))}"
    return f"{clock(line.at)} {said}" if said else ""


def clock(at: datetime) -> str:
    """Return a time of day, as each reader's own clock shows it.

    https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    return f"<!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"


def history(lines: Sequence[str], heading: str) -> list[str]:
    """Join short lines to as few posts as Slack's limit allows."""
    posts, current = [], heading
    for line in lines:
        if len(current) + 1 + len(line) > min(POST, SECTION):
            posts.append(current)
            current = line
        else:
            current = f"{current}\n{line}"
    return [*posts, current]


def reminder(line: Line, mentions: Sequence[Person]) -> dict[str, Any]:
    """Return the arguments of the post of a reminder, louder by its stage."""
    words = _entry(line)[0]
    stage = str(line.content.get("stage") or "")
    if stage == "on_call":
        called = " ".join(f"<@{person.slack}>" for person in mentions if person.slack)
        words = f"{called} {words}".strip()
    # In the channel too, where those look who do not follow the thread:
    # https://docs.slack.dev/reference/methods/chat.postMessage#threads
    return {"text": words, "reply_broadcast": True} if stage != "thread" else {"text": words}


def _customer(line: Line, quote: str, name: str) -> list[str]:
    author = _name(name)
    if done := _done(line, quote):
        return _said(f"*{author}* ✏️", done)
    head = f"*{author}:*"
    if quote:
        head = f"*{author}*, about “{literal(one_line(quote, _QUOTE))}”:"
    return _said(head, _spoken(line))


def _done(line: Line, quote: str) -> str:
    """Return what a customer did rather than wrote, "" for a message."""
    about = f"“{one_line(quote, _QUOTE)}”" if quote else "a message"
    content = line.content
    if line.kind == "edit":
        return f"changed {about} to “{line.text}”"
    if line.kind == "deletion":
        return f"deleted {about}"
    if line.kind == "reaction":
        emoji = str(content.get("emoji") or "")
        if content.get("removed"):
            return f"took the reaction {emoji} off {about}".replace("  ", " ")
        return f"reacted {emoji} to {about}"
    if line.kind == "event":
        what = _EVENTS.get(str(content.get("name") or ""), line.text)
        return f"{what}: {content['data']}" if content.get("data") else what
    return ""


def _spoken(line: Line) -> str:
    """Return the words of a message, and in brackets what else it holds."""
    extra = _EXTRAS.get(line.kind)
    more = extra(line.content) if extra is not None else ""
    words = f"{line.text}\n{more}".strip() if more else line.text
    return f"{words}\n🌐 {line.translated}" if line.translated else words


def _options(content: Mapping[str, Any]) -> str:
    rows = list(content.get("options") or ())
    rows += [o for s in content.get("sections") or () for o in s.get("options") or ()]
    rows += [o for c in content.get("cards") or () for o in c.get("options") or ()]
    return " ".join(f"[{row.get('title') or ''}]" for row in rows)


def _contact(content: Mapping[str, Any]) -> str:
    known = [content.get("name"), *(content.get("phones") or ()), *(content.get("emails") or ())]
    return ", ".join(str(word) for word in known if word)


def _order(content: Mapping[str, Any]) -> str:
    rows = [f"{i.get('quantity')} × {i.get('product')}" for i in content.get("items") or ()]
    return "\n".join([*rows, str(content.get("note") or "")]).strip()


def _type(content: Mapping[str, Any]) -> str:
    return str(content.get("type") or "")


_EXTRAS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "choices": _options,
    "menu": _options,
    "cards": _options,
    "contact": _contact,
    "order": _order,
    "unsupported": _type,
}


def _entry(line: Line) -> list[str]:
    agent = _name(line.name or "Somebody")
    if line.kind == journal.NOTE:
        return _said(f"📝 *Note by {agent}:*", line.text)
    if line.kind not in _ENTRIES:
        return []
    head = _ENTRIES[line.kind].replace("{who}", agent)
    head = f"{_SIGNS.get(line.kind, '•')} _{head}_"
    words = line.text or str(line.content.get("name") or "")
    return _said(f"{head}:", words) if words else [head]


def _said(head: str, words: str, *, light: bool = False) -> list[str]:
    """Return words behind a head, in as many posts as they need.

    `light` is for our own light Markdown, whose styles Slack can show where all of it fits.
    """
    whole = f"{head} {to_slack(words, links=True) if light else readable(words)}"
    if len(whole) <= POST:
        return [whole]
    first, *rest = pieces(words, POST - len(head) - 1, readable)
    return [f"{head} {readable(first)}", *(readable(part) for part in rest)]


def _name(name: str) -> str:
    return cut(literal(one_line(name, 80)), 200)
