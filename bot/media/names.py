"""A name for a customer's file that is safe to show and to save by."""

from __future__ import annotations

import re
import unicodedata

from bot.media.sniff import UNKNOWN, Kind
from bot.message import clean

LONGEST = 120
_FORBIDDEN = re.compile(r'[<>:"|?*]')
#: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])")


def safe_name(name: str, kind: Kind, fallback: str = "file") -> str:
    """Return the last part of `name`, cleaned, with an ending that is its content's.

    ``bill.exe`` that is a PDF becomes ``bill.exe.pdf``; without any name it is `fallback`.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", clean(name)))[-1]
    # Controls, and the marks that make "gpj.exe" read as "exe.jpg".
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp"))
    name = _FORBIDDEN.sub("_", name).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    if kind.endings and ending.lower() not in kind.endings:
        stem, ending = name, kind.endings[0]
    elif kind.mime != UNKNOWN and not kind.endings:
        stem, ending = name, ""
    stem = stem.strip(" .") or fallback
    if _DEVICES.fullmatch(stem.partition(".")[0]):
        stem = f"_{stem}"
    ending = f".{ending[:20]}" if ending else ""
    return stem[: LONGEST - len(ending)].rstrip(" .") + ending
