"""Agents' words: to the customer, or for colleagues only.

Which of the two something from a thread is, is settled in the store before anything is done,
so that it cannot be one thing and then the other when the conversation changes hands between
two attempts.
"""

from __future__ import annotations

import re
import unicodedata

from bot.desk.assist import reviews
from bot.desk.attaching import pack
from bot.desk.contract import NOTE_MARKS, Done
from bot.desk.deeds import Refused, plan_of, settle
from bot.desk.handoff import said_id, say_contents
from bot.desk.journal import note_down
from bot.desk.means import Means, channel_name
from bot.desk.templates import chosen
from bot.message import Address, Content
from bot.store.consents import MARKETING
from bot.store.conversations import AGENT, Conversation
from bot.store.deeds import Deed
from bot.store.files import StoredFile
from bot.store.journal import NOTE
from bot.store.reviews import DISCARDED, SHOWN, Review
from connectors.render import render

_NOTHING = "There is nothing to send."

# What may stand before a mark: signs of every kind, a bullet's number, an emoji's name, and
# whom it is for.
_BEFORE = r"(?:[^\w/]|_|\d{1,3}[.)]\s|:(?=[+_-]*[^\W_])[\w+-]+:)*"
_FOR = rf"(?:(?P<whom>@[^\n:/@]{{1,60}}?[\W_]){_BEFORE})?"
_MARKS = "|".join(
    # Between a word and its colon anything may stand that is no word.
    re.escape(mark[:-1]) + r"(?:[^\w\n:]|_)*:" if mark.endswith(":") else re.escape(mark)
    for mark in NOTE_MARKS
)
_MARKED = re.compile(rf"{_BEFORE}{_FOR}(?P<mark>{_MARKS})")
_STYLE = "*_~`"


def unmarked(text: str) -> str | None:
    """Return a note's words without its mark, None when `text` is not marked as a note.

    The mark counts in whatever form it is written: bold, quoted, in a list, behind an emoji,
    in full-width letters. A message that is taken for a note by mistake is sent a minute later;
    a note that is sent by mistake is read by the customer.
    """
    plain, places = _plain(text)
    found = _MARKED.match(plain)
    if found is None:
        return None
    begin, end = places[found.start("mark")], places[found.end() - 1] + 1
    words = text[end:].strip()
    closing = "".join(c for c in reversed(text[:begin]) if c in _STYLE)
    if closing and not any(c in _STYLE for c in text[begin:end]):
        # What was opened before the mark is closed right behind it, or at the end.
        behind = words.removeprefix(closing)
        words = behind if behind != words else words.removesuffix(closing)
    whom = found.start("whom")
    if whom >= 0:
        colleague = text[places[whom] : begin].strip(f" >{_STYLE}")
        words = f"{colleague} {words.strip()}"
    return words.strip()


def _plain(text: str) -> tuple[str, list[int]]:
    """Return a text in its simplest letters, and where in `text` each of them stands."""
    letters: list[str] = []
    places: list[int] = []
    for n, sign in enumerate(text):
        category = unicodedata.category(sign)
        if category == "Cf":
            # Has no width: nobody sees that it is there.
            continue
        drawn = category == "So" or text[n + 1 : n + 2] == "\ufe0f"
        for letter in " " if drawn else unicodedata.normalize("NFKC", sign).casefold():
            letters.append(letter)
            places.append(n)
    return "".join(letters), places


async def write(means: Means, deed: Deed) -> Done:
    """Do what a message in the thread is: words to the customer of the holder's, else a note."""
    held = await means.held(deed)
    mine = held.holder == AGENT and held.agent == deed.agent
    plan = plan_of(deed)
    if not plan:
        if unmarked(deed.text or "") is not None or not mine:
            plan = await settle(means.store, deed, what="note")
        else:
            await means.may_say(held, deed)
            _not_empty(deed)
            plan = await settle(means.store, deed, what="say")
    if plan["what"] == "say":
        return await _send(means, deed, held, deed.text or "")
    done = await _note(means, deed)
    if mine or not done.ok:
        return done
    if held.holder == AGENT:
        more = f"{(await means.has(held))[:-1]}; what you write stays internal until it is yours."
    else:
        more = "Take the conversation over to write to the customer."
    return Done(True, f"Noted. {more}", entry=done.entry)


async def say(means: Means, deed: Deed) -> Done:
    """Send words and files to the customer, if the conversation is the agent's."""
    held = await means.held(deed)
    if not plan_of(deed):
        await means.may_say(held, deed)
        _no_note(deed)
        _not_empty(deed)
        await settle(means.store, deed, what="say")
    return await _send(means, deed, held, deed.text or "")


async def note(means: Means, deed: Deed) -> Done:
    """Write a note, which no customer sees."""
    await means.held(deed)
    return await _note(means, deed)


async def template(means: Means, deed: Deed) -> Done:
    """Send a message that the provider has approved, also when the window is closed."""
    held = await means.held(deed)
    args = deed.args or {}
    name = str(args.get("name") or "")
    channel = Address.parse(held.id).channel
    language = str(args.get("language") or held.language or "")
    found = chosen(means.templates, name, channel, language)
    if found is None:
        raise Refused(f"{channel_name(held.id)} has no template of that name.")
    try:
        content = found.filled([str(p) for p in args.get("parameters") or ()])
    except ValueError as error:
        raise Refused(str(error)) from None
    if not plan_of(deed):
        await means.may_say(held, deed)
        if found.category == MARKETING and held.opted_out == MARKETING:
            raise Refused("The customer has opted out of marketing.")
        await settle(means.store, deed, what="say")
    return await _queue(means, deed, held, render(content, means.can(held.id)))


async def send_draft(means: Means, deed: Deed) -> Done:
    """Send what an agent made of a draft, and keep what that was."""
    held = await means.held(deed)
    review = await _review(means, deed)
    text = deed.text if (deed.text or "").strip() else review.draft
    if not plan_of(deed):
        if review.outcome != SHOWN:
            raise Refused("This draft was sent or discarded already.")
        await means.may_say(held, deed)
        _no_note(deed)
        await settle(means.store, deed, what="say")
    done = await _send(means, deed, held, text)
    if done.ok:
        await reviews.decide(means.store, review.id, deed.agent, text)
    return done


async def discard(means: Means, deed: Deed) -> Done:
    """Keep that a draft was of no use."""
    review = await _review(means, deed)
    decided = await reviews.discard(means.store, review.id, deed.agent)
    if decided is not None and decided.outcome != DISCARDED:
        raise Refused("This draft was sent already.")
    return Done(True, "Discarded.")


async def _review(means: Means, deed: Deed) -> Review:
    found = await means.store.get(Review, str((deed.args or {}).get("review") or ""))
    if found is None or found.conversation != deed.conversation:
        raise Refused("There is no such draft.")
    return found


async def _note(means: Means, deed: Deed) -> Done:
    bare = unmarked(deed.text or "")
    text = (deed.text or "").strip() if bare is None else bare
    names = [str(dict(file).get("name") or "a file") for file in deed.files or ()]
    if not text and not names:
        return Done(False, "The note is empty.")
    id = f"note:{deed.id}"
    cases = await means.open_cases(deed.conversation)
    await note_down(
        means.store,
        id,
        NOTE,
        deed.conversation,
        case=cases[0].id if cases else "",
        agent=deed.agent,
        name=means.author(deed),
        via=deed.via,
        text=text,
        details={"files": names} if names else None,
    )
    return Done(True, "Noted.", entry=id)


def _not_empty(deed: Deed) -> None:
    if not (deed.text or "").strip() and not deed.files:
        raise Refused(_NOTHING)


def _no_note(deed: Deed) -> None:
    # Who is used to the thread marks a note like this wherever he writes.
    if unmarked(deed.text or "") is not None:
        raise Refused("This begins like a note; write it as a note, or begin otherwise.")


async def _send(means: Means, deed: Deed, held: Conversation, text: str) -> Done:
    parcel = await pack(means, deed, text, means.can(held.id))
    # Before the messages: the provider fetches a file as soon as it gets one.
    files: list[StoredFile] = list(parcel.files)
    if files and parcel.contents:
        await means.store.insert_new(files)
    return await _queue(means, deed, held, parcel.contents)


async def _queue(
    means: Means, deed: Deed, held: Conversation, contents: list[Content] | tuple[Content, ...]
) -> Done:
    if not contents:
        raise Refused(_NOTHING)
    await say_contents(means.store, held, contents, means.author(deed), deed.id)
    said = tuple(said_id(held.id, deed.id, n) for n in range(len(contents)))
    return Done(True, "It is on its way to the customer.", said=said)
