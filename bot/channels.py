"""``bot channels``: what each channel can do, from the connectors' own declarations."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence

from bot import serve
from bot.settings import Settings
from bot.store import StoreError
from bot.store.notices import Notice
from connectors import CHANNELS, connector_class
from connectors.base import Capabilities

_UNITS = {"characters": "characters", "utf16": "UTF-16 units", "sms": "SMS segments"}
_MARKUP = {"none": "plain", "whatsapp": "*bold* _italic_ ~struck~", "entities": "native"}
_BASIC = frozenset({"text", "choices", "menu", "cards", "media", "unsupported"})
_STEPS = ("sent", "delivered", "read", "failed")
_LINKS = {"none": "", "alone": ", one that opens a page", "any": ", also ones that open pages"}


def _choices(can: Capabilities) -> str:
    if "choices" not in can.kinds_out:
        return "numbered text"
    return f"{can.buttons} of {can.button_title} characters{_LINKS[can.link_buttons]}"


def _lists(can: Capabilities) -> str:
    return f"{can.list_rows} rows" if "menu" in can.kinds_out else "as buttons or numbers"


def _cards(can: Capabilities) -> str:
    if "cards" not in can.kinds_out:
        return "picture and text"
    beside = f"{can.cards} side by side" if can.cards > 1 else "one at a time"
    return f"{beside}, {can.card_buttons} buttons each"


def _files(can: Capabilities) -> str:
    if "media" not in can.kinds_out:
        return "as links"
    return ", ".join(f"{kind} {_size(files.most)}" for kind, files in sorted(can.files.items()))


def _size(most: int) -> str:
    # Providers do not say which kind of megabyte they mean; round numbers tell.
    return f"{most // 2**20} MB" if most % 2**20 == 0 else f"{most / 10**6:g} MB"


def _caption(can: Capabilities) -> str:
    if not can.caption_limit:
        return "a text after it"
    return f"{can.caption_limit} {_UNITS[can.text_unit]}"


def _window(can: Capabilities) -> str:
    return f"{can.window_hours:g} h" if can.window_hours else "none"


def _shown(can: Capabilities) -> str:
    marks = [name for name, has in (("read", can.seen), ("typing", can.typing_seconds)) if has]
    return ", ".join(marks) or "none"


def _others(kinds: frozenset[str], known: frozenset[str]) -> str:
    return ", ".join(sorted(kinds - known)) or "nothing else"


_ROWS: tuple[tuple[str, Callable[[Capabilities], str]], ...] = (
    ("understands", lambda can: ", ".join(sorted(can.kinds_in))),
    ("text", lambda can: f"{can.text_limit} {_UNITS[can.text_unit]}"),
    ("formatting", lambda can: _MARKUP[can.markup]),
    ("buttons", _choices),
    ("lists", _lists),
    ("cards", _cards),
    ("files out", _files),
    ("caption", _caption),
    ("sends also", lambda can: _others(can.kinds_out, _BASIC)),
    ("answering window", _window),
    ("shows", _shown),
    ("receipts", lambda can: ", ".join(s for s in _STEPS if s in can.receipts) or "none"),
    ("messages a second", lambda can: f"{can.rate:g}"),
)


def table(channels: Sequence[str] = CHANNELS) -> list[list[str]]:
    """Return the table: a heading with the channels, then a row for each ability."""
    can = [connector_class(channel).capabilities for channel in channels]
    return [["", *channels], *([name, *map(said, can)] for name, said in _ROWS)]


def markdown() -> str:
    """Return the table as README shows it."""
    heading, *rows = table()
    lines = [heading, ["---"] * len(heading), *rows]
    # The signs of a channel's own formatting are to be seen, not obeyed.
    cells = [[cell.replace("*", r"\*").replace("_", r"\_") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells).replace("|  |", "| |")


def plain(width: int) -> str:
    """Return the table for a terminal of `width` columns."""
    heading, *rows = table()
    first = max(len(row[0]) for row in rows)
    each = max((width - first) // (len(heading) - 1) - 2, 12)
    out: list[str] = []
    for row in (heading, *rows):
        cells = [textwrap.wrap(cell, each) or [""] for cell in row[1:]]
        for n in range(max(map(len, cells))):
            name = row[0] if n == 0 else ""
            line = "  ".join(f"{cell[n] if n < len(cell) else '':{each}}" for cell in cells)
            out.append(f"{name:{first}}  {line}".rstrip())
    return "\n".join(out)


async def notices(settings: Settings, limit: int) -> int:
    """Print what providers told the operator, the newest first; 1 when the store is down."""
    store = serve.store_of(settings)
    try:
        found = await store.find(Notice, {}, sort=("-at",), limit=limit)
    except StoreError as error:
        print(f"the store: {error}")
        return 1
    finally:
        await store.close()
    for told in found:
        print(
            f"{told.at:%Y-%m-%d %H:%M:%S}  {told.level:7}  {told.channel}:{told.account}  "
            f"{told.subject}: {told.text}"
        )
    if not found:
        print("the providers have told nothing")
    return 0


async def channels(args: argparse.Namespace, settings: Callable[[], Settings], width: int) -> int:
    """Run ``bot channels``."""
    if args.notices:
        return await notices(settings(), args.limit)
    print(markdown() if args.markdown else plain(width))
    return 0
