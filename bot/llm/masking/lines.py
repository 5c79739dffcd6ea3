"""Personal data out of log lines: cheap, and so that operators can still follow a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.llm.masking.contacts import mails
from bot.llm.masking.finds import Find, apart
from bot.llm.masking.money import cards, ibans
from bot.llm.masking.phones import worldwide
from bot.llm.masking.surface import surface

_WORTH_A_LOOK = re.compile(
    r"[@＠]|\d[\d\W_]{0,3}\d[\d\W_]{0,3}\d[\d\W_]{0,3}\d[\d\W_]{0,3}\d[\d\W_]{0,3}\d"
)
# Ids of conversations and messages. The user of the first two is a phone number; on the
# others it is a number of the provider's, which may look like a card and must stay whole.
_KEY = re.compile(
    r"\b(?P<channel>whatsapp|sms|telegram|messenger|webchat):[\w.\-]+:(?P<user>[^\s,;\"'()]+)"
)
_BY_PHONE = ("whatsapp", "sms")
_USER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{7,15}(?![0-9A-Za-z])")
_NATIONAL = re.compile(
    r"(?<![\w.:/\-+])\(?0[1-9][0-9]{0,4}\)?(?:[ \-/]?[0-9]{2,9}){1,4}(?![\w:]|[.\-][0-9])"
)
_BARE = re.compile(r"(?<![\w.:\-+])[1-9][0-9]{9,14}(?![\w\-]|[.:][0-9])")


def hush(line: str) -> str:
    """Return a log line without cards, bank accounts, e-mail addresses and phone numbers.

    Of the phone number in a conversation's key, and of one without separators, the middle
    is left out: ``whatsapp:shop:4917…4567``. The same number is always left the same.
    """
    if not _WORTH_A_LOOK.search(line):
        return line
    seen = surface(line)
    keys = [match.span("user") for match in _KEY.finditer(seen.text)]
    finds = [f for f in _finds(seen.text) if not any(s < f.end and f.start < e for s, e in keys)]
    places = [(*seen.span(f.start, f.end), f"[{f.kind.lower()}]") for f in apart(finds)]
    taken = [(f.start, f.end) for f in finds]
    for start, end in _numbers(seen.text):
        if not any(s < end and start < e for s, e in taken):
            places.append((*seen.span(start, end), _middle(seen.text[start:end])))
    parts, at = [], 0
    for start, end, instead in sorted(places):
        parts += [line[at:start], instead]
        at = end
    return "".join([*parts, line[at:]])


def _finds(text: str) -> Iterator[Find]:
    if "@" in text:
        yield from (find for find in mails(text))
    yield from cards(text)
    yield from ibans(text)
    yield from worldwide(text)
    for match in _NATIONAL.finditer(text):
        if 9 <= sum(c.isdigit() for c in match.group()) <= 12:
            yield Find("PHONE", *match.span())


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield where phone numbers without separators are, in keys and elsewhere."""
    keys = list(_KEY.finditer(text))
    for key in keys:
        if key["channel"] in _BY_PHONE:
            for match in _USER.finditer(text, *key.span("user")):
                yield match.span()
    for match in _BARE.finditer(text):
        within = any(k.start() <= match.start() < k.end() for k in keys)
        if not within and _dialled(match.group()):
            yield match.span()


def _dialled(digits: str) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}")))
    except phonenumbers.NumberParseException:
        return False


def _middle(number: str) -> str:
    digits = number.lstrip("+")
    plus = number[: len(number) - len(digits)]
    # At least four digits go, of a short number too.
    ends = min(4, (len(digits) - 4) // 2)
    return f"{plus}{digits[:ends]}…{digits[len(digits) - ends :]}"
