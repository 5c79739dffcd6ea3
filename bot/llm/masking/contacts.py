"""E-mail addresses, also spelled out, and addresses of machines."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from bot.llm.masking.finds import Find

_LOCAL = r"[^\W_](?:[\w.+%'\-]{0,62}[\w+%\-])?"
_MAIL = re.compile(
    rf"(?<![\w.+%\-]){_LOCAL} ?@ ?(?:[^\W_][\w\-]{{0,62}} ?\. ?){{1,5}}[^\W\d_]{{2,24}}"
)
# Longer local parts than any provider takes, quoted ones, hosts without a dot.
_ODD_MAIL = re.compile(r"[^\s@<>\"(),;:]{1,100}@(?:[\w\-]{1,63}\.)+[^\W\d_]{2,24}")
_OPEN, _SHUT = r"\s?[(\[{<]\s?", r"\s?[)\]}>]\s?"
_AT_WORD = "at|arroba|chiocciola|małpa|malpa|ät|æt|apenstaartje|arobase"
_DOT_WORD = "dot|punkt|point|punto|ponto|kropka|punt"
_TLD = (
    "com|net|org|info|biz|edu|gov|io|co|uk|eu|de|at|ch|fr|es|it|nl|be|pt|br|pl|se|no|dk|us|ca|me|"
    "app|dev|shop|online|example|test|mail"
)
_AT = rf"(?:{_OPEN}(?:{_AT_WORD}|@|a){_SHUT}|\s(?:{_AT_WORD})\s|\s?@\s?)"
_DOT = rf"(?:{_OPEN}(?:{_DOT_WORD}|\.){_SHUT}|\s(?:{_DOT_WORD})\s|\.)"
_SPELLED = re.compile(
    rf"(?<![\w.+%\-])[^\W_][\w+%\-]{{0,40}}(?:(?:{_DOT}|[._])[\w+%\-]{{1,40}}){{0,3}}(?P<at>{_AT})"
    rf"(?P<host>[^\W_][\w\-]{{0,40}}(?P<dots>(?:{_DOT}[\w\-]{{1,40}}){{0,3}}{_DOT})(?:{_TLD}))(?!\w)",
    re.IGNORECASE,
)
_V4 = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)"
)
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{4,39}(?:(?:\.\d{1,3}){3})?(?![\w:])")


def mails(text: str) -> Iterator[Find]:
    """Find e-mail addresses, written or spelled (``name at example dot com``)."""
    if "@" in text:
        for pattern in (_MAIL, _ODD_MAIL):
            for match in pattern.finditer(text):
                yield Find("EMAIL", *match.span())
    for match in _SPELLED.finditer(text):
        # "look at example.com" is no mail address: one of the two must be spelled oddly.
        if re.fullmatch(r"\s\w+\s", match["at"]) and not re.search(r"\w|[(\[{<]", match["dots"]):
            continue
        if (
            re.fullmatch(r"\s\w+\s", match["at"])
            and set(re.findall(r"[^\w\s]", match["dots"])) == {"."}
            and not re.search(rf"\b(?:{_DOT_WORD})\b", match["dots"], re.IGNORECASE)
        ):
            continue
        yield Find("EMAIL", *match.span())


def machines(text: str) -> Iterator[Find]:
    """Find IP addresses of both versions."""
    for match in _V4.finditer(text):
        yield Find("IP", *match.span())
    for match in _V6.finditer(text):
        found = match.group()
        if found.count(":") < 2 or not any(c.isdigit() for c in found):
            continue
        try:
            ipaddress.IPv6Address(found)
        except ValueError:
            continue
        yield Find("IP", *match.span())
