"""What a message means for consent. Pure: it reads nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.consent.rules import ConsentRules, Keyword
from bot.message import Album, Choice, Content, Edit, Event, Inbound, Media, Text
from bot.store.consents import ALL, BLOCKED, IN, KEYWORD, MARKETING, OUT, PROVIDER, REFUSED
from bot.store.conversations import Conversation

#: Ways out without a word of the customer's: to unblock us takes these back. Somebody who
#: wrote STOP has not taken it back by that.
WITHOUT_A_WORD = (BLOCKED, REFUSED)


@dataclass(frozen=True)
class Verdict:
    """`state` is what to write into the ledger, IN, OUT or "" for nothing.

    `scope` (ALL or MARKETING), `how` and `word` go with it, see `bot.store.consents`.
    `reply` is to be sent as a notice, "" for silence. Without `goes_on` the bot says
    nothing else to the message.
    """

    state: str = ""
    scope: str = ALL
    how: str = ""
    word: str = ""
    reply: str = ""
    goes_on: bool = False

    def encode(self) -> dict[str, Any]:
        """Return it as a plain dictionary, of which ``Verdict(**data)`` makes it again."""
        return asdict(self)


def verdict(message: Inbound, conversation: Conversation, rules: ConsentRules) -> Verdict | None:
    """Return what a message means for consent; None when the bot just answers it.

    It says the same again when the message was recorded already but not answered: a
    worker may die in between.
    """
    was = _Before.of(message, conversation)
    languages = (str(conversation.language or ""), message.profile.language)
    found: Verdict | None
    if isinstance(message.content, Event):
        found = _of_event(message.content, was, rules, languages)
    else:
        found = _of_words(message, was, rules, languages)
    if found is None:
        return Verdict() if was.state == ALL else None
    if found.state and was.newer:
        # It arrives late: kept, but what the customer did since counts.
        return replace(found, reply="", goes_on=False)
    return found


@dataclass(frozen=True)
class _Before:
    """How things stood before the message: `state` as `Conversation.opted_out`.

    `silent` says that the customer was out without a word, `newer` that something known
    of consent is younger than the message.
    """

    state: str
    silent: bool
    newer: bool

    @classmethod
    def of(cls, message: Inbound, conversation: Conversation) -> _Before:
        state = str(conversation.opted_out or "")
        if conversation.consent_id == message.id:
            # What it changed is changed already: it was the other way round before.
            return cls("" if state else ALL, True, False)
        known = conversation.consent_at
        newer = known is not None and message.sent < known
        return cls(state, conversation.consent_how in WITHOUT_A_WORD, newer)


def _of_event(
    event: Event, was: _Before, rules: ConsentRules, languages: Sequence[str]
) -> Verdict | None:
    answers = rules.answers_in(*languages)
    answered = event.data == "answered"
    if event.name == "blocked":
        return Verdict(OUT, ALL, BLOCKED)
    if event.name == "unblocked" and was.state == ALL and was.silent:
        return Verdict(IN, ALL, BLOCKED, goes_on=True)
    if event.name == "start" and was.state == ALL:
        return Verdict(IN, ALL, KEYWORD, "start", answers.started, goes_on=True)
    if event.name in ("opt_out", "opt_in") and event.data == MARKETING:
        return Verdict(OUT if event.name == "opt_out" else IN, MARKETING, PROVIDER)
    if event.name == "opt_out":
        reply = "" if answered or was.state == ALL else answers.stopped
        return Verdict(OUT, ALL, PROVIDER, reply=reply)
    if event.name == "opt_in":
        reply = "" if answered or not was.state else answers.started
        return Verdict(IN, ALL, PROVIDER, reply=reply)
    if event.name == "help":
        return Verdict(reply="" if answered else answers.helped)
    return None


def _of_words(
    message: Inbound, was: _Before, rules: ConsentRules, languages: Sequence[str]
) -> Verdict | None:
    keyword = _keyword(message.content, message.address.channel, rules)
    if keyword is None:
        return None
    answers = rules.answers_in(*languages, *keyword.languages)
    if keyword.kind == "help":
        return Verdict(reply=answers.helped)
    if keyword.kind == "stop":
        reply = "" if was.state == ALL else answers.stopped
        return Verdict(OUT, ALL, KEYWORD, keyword.word, reply)
    if was.state:
        return Verdict(IN, ALL, KEYWORD, keyword.word, answers.started)
    return None


def _keyword(content: Content, channel: str, rules: ConsentRules) -> Keyword | None:
    text = ""
    if isinstance(content, (Text, Edit)):
        text = content.text
    elif isinstance(content, (Media, Album)):
        text = content.caption
    elif isinstance(content, Choice) and not content.payload.startswith("/"):
        # A provider's own button of a template says STOP; ours say ``/stop``, which is
        # about what the dialogue is doing.
        text = content.payload
    return rules.keyword(text, channel)
