"""What agents can want of the desk, and what they get back; free of Slack and of the console.

Each kind of deed, and what its `args` hold beside the deed's own fields:

============ ==========================================================================
take         ``priority``: optional. Takes the conversation. An open case is made when there
             is none (an agent takes it unasked).
assign       ``to``: id of the agent who gets it (an id of `bot.desk.people`)
back         gives it to the bot; `text`: optional words for the bot's case, for colleagues
resolve      `text`: the resolution; ``rate``: False to ask for no rating
reopen       ``case``: optional id of the one to open again; the last one else
write        `text` and `files` from a Slack thread: to the customer when `agent` has the
             conversation and the text is no note, else a note
say          `text` and `files` to the customer; refused when `agent` does not have the
             conversation
note         `text`
edit         ``of``: id of the deed that said it; `text`: what it is to be
delete       ``of``: id of the deed that said it
template     ``name`` of ``data/templates.yml``; ``parameters``: list of texts
draft        a draft of an answer; the result's `data` is ``{review, text, sources, how}``
send_draft   ``review``; `text`: what the agent made of it. Sends it like say
discard      ``review``
similar      `data` is ``{cases: [{id, summary, resolution, topic, resolved, agent}]}``
suggest      `data` is ``{actions: [{name, title, args, confirm}]}``
act          ``action``: a name of ``data/desk.yml``; ``args``; ``confirmed``: True. Runs a
             custom action for the agent; `data` is ``{text, events}``
canned       ``key`` of ``data/canned.yml``; `data` is ``{text}``, its fields filled in
remember     `text`: what is to be remembered of the customer, "" to take it away; ``key`` of what
             is known already, or ``about``: what it is, in words
find         `text`: words; `data` is ``{conversations: [{id, name, holder, last, at}]}``
============ ==========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.store.deeds import Deed

#: Kinds of deeds that only look, or that cost no more when they are done twice.
LOOKS = frozenset({"similar", "suggest", "canned", "find"})
KINDS = frozenset(
    {
        *("take", "assign", "back", "resolve", "reopen"),
        *("write", "say", "note", "edit", "delete", "template"),
        *("draft", "send_draft", "discard", "act", "remember"),
        *LOOKS,
    }
)

#: What begins a note in a thread of which the agent has the conversation.
NOTE_MARKS = ("//", "note:")


@dataclass(frozen=True, slots=True)
class Person:
    """An agent. `id` is the console's login, or ``slack:U…`` of who has none.

    `name` is what customers and colleagues see, `slack` the user id there, "" for none.
    """

    id: str
    name: str
    slack: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a deed. `text` is one sentence for the agent, in plain English.

    `ok` is False for what was refused; nothing has changed then. `said` are the ids of the rows
    of the outbox that it made, `entry` the journal's.
    """

    ok: bool
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    entry: str = ""

    def encode(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "ok": self.ok,
            "text": self.text,
            "data": dict(self.data),
            "said": list(self.said),
            "entry": self.entry,
        }

    @classmethod
    def decode(cls, value: Mapping[str, Any]) -> Done:
        """Read back what `encode` returned."""
        return cls(
            bool(value["ok"]),
            str(value["text"]),
            dict(value.get("data") or {}),
            tuple(value.get("said") or ()),
            str(value.get("entry") or ""),
        )


class Helps(Protocol):
    """What assists agents: drafts, similar cases, actions, canned replies."""

    async def draft(self, deed: Deed) -> Done:
        """Draft an answer to what the customer wrote last; keeps a `Review`."""

    async def similar(self, deed: Deed) -> Done:
        """Find resolved cases like the open one."""

    async def suggest(self, deed: Deed) -> Done:
        """Say which actions may help here, with what is known of their arguments."""

    async def act(self, deed: Deed) -> Done:
        """Run an action for an agent, once however often it is asked for by this deed."""

    async def canned(self, deed: Deed) -> Done:
        """Fill a canned reply with what is known of the customer."""


class Fetches(Protocol):
    """Fetches a file that an agent attached, as its channel describes it in `Deed.files`."""

    async def fetch(self, file: Mapping[str, Any]) -> tuple[bytes, str, str]:
        """Return its bytes, MIME type (the sender's word) and name.

        Raises `connectors.errors.NoFile` when it cannot be had at all, `RetryLater` when not now.
        """
