"""Telling the agent who pressed something in Slack what became of it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.desk.contract import Done
from bot.desk.slack import lists
from bot.desk.slack.client import (
    Away,
    Gone,
    RateLimited,
    Refused,
    SlackClient,
    SlackTrouble,
    Unsure,
)
from bot.desk.slack.kit import (
    Block,
    actions,
    button,
    context,
    fits,
    literal,
    pieces,
    section,
    within,
)
from bot.desk.slack.pressed import REPLY, SAY
from bot.desk.slack.suggesting import suggested
from bot.store.deeds import Deed

log = logging.getLogger(__name__)

# Seconds. Deeds of the conversation wait meanwhile.
_LONGEST_WAIT = 10.0
_SECTION = 2800
# More than fits into a message; it is cut there.
_SECTIONS = 10
_WARN_AGAIN = 3600.0
_MOST_WARNED = 10_000
#: What the card and the thread show of themselves when it went well.
_SEEN = frozenset(
    {
        *("take", "assign", "back", "resolve", "reopen", "write", "say", "note", "edit"),
        *("delete", "template", "send_draft", "discard", "remember"),
    }
)


class Tells:
    """What a `Clerk` awaits for deeds from Slack; `clients` are by account."""

    def __init__(self, clients: Mapping[str, SlackClient]) -> None:
        self._clients = clients
        self._warned: dict[tuple[str, str, str], float] = {}

    async def __call__(self, deed: Deed, done: Done) -> None:
        """Show a result to who wanted it, in the thread.

        Raises Away, Unsure and RateLimited, for it to be tried again soon, which shows it twice
        at worst; what else fails is logged.
        """
        account = deed.id.partition(":")[2].partition(":")[0]
        client = self._clients.get(account)
        args = deed.args or {}
        body = shown(deed, done) or self._warning(deed, done)
        if client is None or body is None or not args.get("user"):
            return
        try:
            await _show(client, args, body)
        except (Away, Unsure):
            raise
        except RateLimited as error:
            raise RateLimited(error.method, min(error.after, _LONGEST_WAIT)) from None
        except SlackTrouble as error:
            log.warning("%s: its result was not shown: %s", deed.id, error)
        except Exception:
            log.exception("%s: its result was not shown", deed.id)
        else:
            self._warned_of(deed, done)

    def _warning(self, deed: Deed, done: Done) -> dict[str, Any] | None:
        """Say that what was written is a note, to who may have thought otherwise; now and then."""
        if deed.kind != "write" or not done.entry or done.text.strip() in ("", "Noted."):
            return None
        if time.monotonic() - self._warned.get(_key(deed, done), -_WARN_AGAIN) < _WARN_AGAIN:
            return None
        return _words(done.text)

    def _warned_of(self, deed: Deed, done: Done) -> None:
        if deed.kind != "write" or not done.entry:
            return
        if len(self._warned) >= _MOST_WARNED:
            self._warned.clear()
        self._warned[_key(deed, done)] = time.monotonic()


def _key(deed: Deed, done: Done) -> tuple[str, str, str]:
    return str(deed.conversation), str(deed.agent), done.text


def shown(deed: Deed, done: Done) -> dict[str, Any] | None:
    """Return a message's ``text`` and ``blocks`` that show a result, None for nothing to show."""
    if not done.ok:
        return _words(done.text)
    data = done.data
    if deed.kind == "draft" and data.get("text"):
        sources = data.get("sources") or ()
        review, text = str(data.get("review") or ""), str(data["text"])
        how = str(data.get("how") or "")
        return lists.draft(deed.conversation, review, text, sources, how)
    if deed.kind == "similar":
        return lists.similar(data.get("cases") or ())
    if deed.kind == "suggest":
        return suggested(deed.conversation, data.get("actions") or ())
    if deed.kind == "find":
        return lists.found(data.get("conversations") or ())
    if deed.kind == "canned" and data.get("text"):
        return _canned(deed.conversation, str(data["text"]), data.get("missing") or ())
    if deed.kind in _SEEN and (deed.args or {}).get("thread"):
        return None
    return _words(str(data.get("text") or "") or done.text)


def _words(text: str) -> dict[str, Any] | None:
    if not text.strip():
        return None
    parts = pieces(text, _SECTION)
    rows = [section(literal(part)) for part in parts[:_SECTIONS]]
    return {"text": literal(parts[0]), "blocks": within(rows)}


def _canned(conversation: str, text: str, missing: Any) -> dict[str, Any]:
    rows: list[Block] = [section("*Canned reply*, not sent to anybody yet")]
    rows += [section(literal(part)) for part in pieces(text, _SECTION)[:_SECTIONS]]
    value = json.dumps(
        {"text": text, "conversation": conversation}, separators=(",", ":"), ensure_ascii=False
    )
    if not fits(value):
        rows.append(context("It is too long for a button: copy it into the thread."))
        return {"text": "Canned reply", "blocks": within(rows)}
    edit = button("Edit and send", REPLY, value)
    # With a gap in it, it is to be edited first.
    row = [edit] if missing else [button("Send", SAY, value, style="primary"), edit]
    return {"text": "Canned reply", "blocks": within([*rows, actions(row)])}


async def _show(client: SlackClient, args: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """See https://docs.slack.dev/reference/methods/chat.postEphemeral."""
    channel, user = str(args.get("channel") or ""), str(args["user"])
    if channel:
        try:
            await client.call(
                "chat.postEphemeral",
                channel=channel,
                user=user,
                thread_ts=args.get("thread") or None,
                parse="none",
                link_names=False,
                **body,
            )
            return
        except (Gone, Refused):
            # We are not in the channel in which a command was given.
            if not args.get("respond"):
                raise
        if await _respond(client, str(args["respond"]), body):
            return
    await client.post(user, body)


async def _respond(client: SlackClient, url: str, body: Mapping[str, Any]) -> bool:
    """Answer by the address that came with an interaction; it is good for half an hour.

    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    import aiohttp

    own = client.account.api_url
    asked = urlsplit(url)
    if own:
        theirs = (asked.scheme, asked.netloc) == urlsplit(own)[:2]
    else:
        theirs = asked.scheme == "https" and asked.hostname == "hooks.slack.com"
    if not theirs:
        return False
    said = {**body, "response_type": "ephemeral", "replace_original": False}
    timeout = aiohttp.ClientTimeout(total=client.timeout)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json=said, allow_redirects=False) as answer,
        ):
            return answer.status < 300
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
        return False
