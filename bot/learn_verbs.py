"""The command line of ``bot learn``, apart from the work: it must cost no imports."""

from __future__ import annotations

import argparse

from bot.lesson_words import OPEN, REASONS, STATUSES


def add_verbs(learn: argparse.ArgumentParser) -> None:
    """Add all verbs of ``bot learn`` to its parser; without one it is a conversation."""
    learn.set_defaults(verb="", reason="")
    verbs = learn.add_subparsers(dest="verb", metavar="VERB", title="without a VERB one by one")
    listing = verbs.add_parser("list", help="those worth most first, a line each")
    listing.add_argument("--reason", choices=REASONS, default="", help="why they are there")
    listing.add_argument("--status", choices=STATUSES, default=OPEN)
    listing.add_argument("--limit", type=_number, default=50, metavar="N")
    listing.add_argument("--json", action="store_true", help="an object a line")
    confirm = verbs.add_parser("confirm", help="learn from one, and write it into its file")
    confirm.add_argument("id", metavar="ID")
    confirm.add_argument("intent", metavar="INTENT", nargs="?", default="", help="if another")
    confirm.add_argument("--text", default="", help="if another, as [1042](order_number)")
    confirm.add_argument("--move", action="store_true", help="away from another intent's examples")
    dismiss = verbs.add_parser("dismiss", help="learn nothing from one")
    dismiss.add_argument("id", metavar="ID")
    verbs.add_parser("write", help="write what was decided on a host without the files")
    story = verbs.add_parser("story", help="make a real conversation a story")
    story.add_argument("conversation", metavar="CONVERSATION")
    story.add_argument("--test", action="store_true", help="an end-to-end test instead")
    story.add_argument("--title", default="", help="default: made from what was said")
    story.add_argument("--first", type=_number, default=0, metavar="N", help="turn to begin with")
    story.add_argument("--last", type=_number, default=0, metavar="N", help="turn to end with")
    story.add_argument("--dry-run", action="store_true", help="print it, write nothing")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 upwards")
    return int(text)
