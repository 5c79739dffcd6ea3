"""What a customer meant by it: presses, typed answers, reactions and corrections as words.

A payload is a command to the dialogue, so it counts only where the bot itself offered it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.message import (
    RATE,
    Cards,
    Choice,
    Choices,
    Content,
    Deletion,
    Edit,
    Media,
    Menu,
    Option,
    Reaction,
    Text,
    clean,
    decode,
)
from bot.store import AsyncStore
from bot.store.messages import DROPPED, FAILED, HELD, Message
from bot.store.turns import Turn

_RECENT = 10
# A question that never reached the customer is none he answers.
_UNSEEN = (DROPPED, FAILED, HELD)

#: Emoji that answer a question, without skin tones and presentation selectors.
YES = frozenset("👍👌✅✔☑🆗🙌👏💯❤🧡💛💚💙💜🤍🖤😍🥰")
NO = frozenset("👎❌✖🚫⛔🙅❎")
_TONES = re.compile("[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f]|\u200d[♀♂]")

#: The first ten numbers as customers write them, in the languages bots are mostly run in.
_NUMBERS = (
    "one two three four five six seven eight nine ten",
    "eins zwei drei vier fünf sechs sieben acht neun zehn",
    "un deux trois quatre cinq six sept huit neuf dix",
    "uno dos tres cuatro cinco seis siete ocho nueve diez",
    "um dois três quatro cinco seis sete oito nove dez",
    "uno due tre quattro cinque sei sette otto nove dieci",
    "een twee drie vier vijf zes zeven acht negen tien",
    "jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć",
    "bir iki üç dört beş altı yedi sekiz dokuz on",
    "first second third fourth fifth sixth seventh eighth ninth tenth",
)
_WORDS = {word: number for line in _NUMBERS for number, word in enumerate(line.split(), 1)}
# "2", "2.", "2)", "#2", "no. 2", "option 2", "number two".
_NUMBER = re.compile(r"(?:(?:option|number|nummer|no|nr|n)(?:\W+|(?=\d))|#)?(\w+)[.)]?", re.I)
# "the first one": that is a place among buttons too, which show no numbers.
_PLACE = re.compile(r"(?:the )?(first|second|third|fourth|fifth)(?: (?:one|thing))?(?: please)?")
# "5 stars", "five ⭐", "4/5", "4 out of 5": what customers write who are asked for stars.
_STARS = re.compile(
    r"(\w+) ?(?:stars?|sterne?|étoiles?|estrellas?|estrelas?|stell[ae]|sterren|ster|gwiazd\w*"
    r"|yıldız|[★⭐🌟]|/ ?5|(?:out )?of 5|von 5|sur 5|de 5|su 5|van 5|z 5)"
)
_DRAWN = re.compile("[★⭐🌟]+")


async def meant(
    store: AsyncStore, message: Message, content: Content, last: Turn | None
) -> Content | None:
    """Return the content as the dialogue should take it, None for what asks for no answer.

    `content` is what the message holds, `last` the conversation's last turn.
    """
    if isinstance(content, Choice):
        return await _pressed(store, message, content, last)
    if isinstance(content, Text):
        return await _typed(store, message, content)
    if isinstance(content, Media) and content.spoken and not content.caption:
        said = await _typed(store, message, Text(content.spoken))
        return said if isinstance(said, Choice) else content
    if isinstance(content, Reaction):
        return await _reacted(store, message, content, last)
    if isinstance(content, Edit):
        return await _corrected(store, message, content, last)
    # What was answered already cannot be taken back.
    return None if isinstance(content, Deletion) else content


async def _pressed(
    store: AsyncStore, message: Message, choice: Choice, last: Turn | None
) -> Content | None:
    """Let a payload through only if the bot offered it in this conversation.

    Web clients, and modified Telegram ones, can send any payload they like. One that was
    not offered is taken as the words on the button.
    """
    carrier = await _carrier(store, message, choice.of)
    recent = await _before(store, message)
    shown = [r for r in recent if r.direction == "out" and r.status not in _UNSEEN]
    for row in [*carrier, *shown]:
        for n, option in enumerate(options_of(row)):
            # A payload too long for the channel comes back as ``#n``, the n-th option.
            numbered = row in carrier and choice.payload == f"#{n}"
            if option.payload and (choice.payload == option.payload or numbered):
                meaning = Choice(option.payload, option.title, choice.of)
                return None if _twice(message, meaning, last, choice.payload) else meaning
    return Text(choice.title or choice.payload)


def _twice(message: Message, choice: Choice, last: Turn | None, payload: str = "") -> bool:
    """Tell whether it was pressed again before the first time was answered: one tap too many.

    Taken for another answer it would answer the question that came of the first one.
    `payload` is how the channel carried it.
    """
    if last is None or not choice.of or message.arrived > last.at.timestamp() * 1_000_000:
        return False
    was = decode(last.heard) if last.heard else None
    if not isinstance(was, Choice) or was.of != choice.of:
        return False
    return was.payload in (choice.payload, payload)


async def _typed(store: AsyncStore, message: Message, said: Text) -> Content:
    """Take a typed number or title for the option of the last question that it names."""
    for row in reversed(await _in_question(store, message)):
        options = options_of(row)
        if options:
            # How many stars there are to give is known without their being numbered.
            stars = all(option.payload.startswith(RATE) for option in options)
            numbered = stars or isinstance(decode(row.content), Text)
            found = _named(said.text, options, numbered, stars) or _nodded(said.text, options)
            return Choice(found.payload, found.title, row.provider_id or "") if found else said
    return said


def _named(
    text: str, options: Sequence[Option], numbered: bool, stars: bool = False
) -> Option | None:
    said = _folded(text)
    if stars:
        said = _stars(said)
    for option in options:
        if option.payload and _folded(option.title) == said:
            return option
    place = _PLACE.fullmatch(said)
    number = _number(place[1] if place else said) if numbered or place else None
    if number is not None and 1 <= number <= len(options):
        option = options[number - 1]
        return option if option.payload else None
    return None


def _folded(text: str) -> str:
    # NFKC makes "２" and the digit of a keycap emoji a "2".
    plain = unicodedata.normalize("NFKC", text).replace("\u20e3", "").replace("\ufe0f", "")
    return " ".join(plain.casefold().split()).strip(" .!?¡¿")


def _stars(said: str) -> str:
    """Return how many stars somebody gives as a number alone, if he gives some."""
    if _DRAWN.fullmatch(said):
        return str(len(said))
    found = _STARS.fullmatch(said)
    return found[1] if found else said


def _number(said: str) -> int | None:
    found = _NUMBER.fullmatch(said)
    if found is None:
        return None
    word = found[1]
    # Digits of any script, but no "²".
    if word.isdecimal() and len(word) < 4:
        return int(word)
    return _WORDS.get(word)


async def _reacted(
    store: AsyncStore, message: Message, reaction: Reaction, last: Turn | None
) -> Content | None:
    """Take a thumb on the question the bot has just asked for its yes or no."""
    if reaction.removed:
        return None
    for row in await _asked(store, message):
        if row.provider_id and row.provider_id == clean(reaction.of):
            option = _nodded(reaction.emoji, options_of(row))
            if option is not None:
                meaning = Choice(option.payload, option.title, reaction.of)
                return None if _twice(message, meaning, last) else meaning
    return None


def _nodded(text: str, options: Sequence[Option]) -> Option | None:
    """Return the yes or the no among the options that a lone emoji stands for."""
    emoji = _TONES.sub("", text.strip())
    intent = "affirm" if emoji in YES else "deny" if emoji in NO else ""
    if not intent:
        return None
    return next((o for o in options if re.match(rf"/{intent}\b", o.payload)), None)


async def _corrected(
    store: AsyncStore, message: Message, edit: Edit, last: Turn | None
) -> Content | None:
    """Take a correction of what was answered last for a new message; older ones are history."""
    if last is None:
        return None
    heard = await store.get(Message, last.id)
    before = (heard.content or {}) if heard is not None else {}
    # It may be corrected more than once.
    again = before.get("kind") == Edit.kind and before.get("of") == edit.of
    if not again:
        rows = await _rows(store, message, edit.of)
        if not any(row.id in (last.id, *(last.folded or ())) for row in rows):
            return None
    was = decode(last.heard) if last.heard else None
    if isinstance(was, Text) and was.text == edit.text:
        return None
    return Text(edit.text)


async def _carrier(store: AsyncStore, message: Message, of: str) -> list[Message]:
    """Return the message of the bot that had the button, as a list of one, or none."""
    return [row for row in await _rows(store, message, of) if row.direction == "out"][:1]


async def _rows(store: AsyncStore, message: Message, of: str) -> list[Message]:
    if not of:
        return []
    where = {
        "channel": message.channel,
        "account": message.account,
        "provider_id": clean(of),
        # Of others too, a channel may number the messages of each chat from 1.
        "conversation": message.conversation,
    }
    return await store.find(Message, where, limit=4)


async def _in_question(store: AsyncStore, message: Message) -> list[Message]:
    """Return what a typed message may answer, the likeliest last.

    That is what the bot said last, or the older message that the customer quotes.
    """
    asked = await _asked(store, message)
    quoted = await _carrier(store, message, message.reply_to or "")
    if not quoted:
        return asked
    return [*(row for row in asked if row.turn == quoted[0].turn), *quoted]


async def _asked(store: AsyncStore, message: Message) -> list[Message]:
    """Return what the bot said last before a message came, in order."""
    said = [row for row in await _before(store, message) if row.direction == "out"]
    said = [row for row in said if row.status not in _UNSEEN]
    return [row for row in reversed(said) if row.turn == said[0].turn]


async def _before(store: AsyncStore, message: Message) -> list[Message]:
    where = {"conversation": message.conversation, "arrived": {"$lt": message.arrived}}
    return await store.find(Message, where, sort=("-arrived",), limit=_RECENT)


def options_of(row: Message) -> tuple[Option, ...]:
    """Return the options that a message offers, () for none."""
    content = decode(row.content)
    if isinstance(content, (Text, Choices, Menu, Cards)):
        return content.options
    return ()
