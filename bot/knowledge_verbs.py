"""The command line of ``bot knowledge``, apart from the work: it must cost no imports."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any


def add_verbs(verbs: Any) -> None:
    """Add all verbs of ``bot knowledge`` to its sub-parsers."""
    taking = verbs.add_parser("sync", help="take the articles of the folder over")
    taking.add_argument("--dir", type=Path, metavar="DIR", help="default: knowledge.dir")
    taking.add_argument(
        "--allow-empty", action="store_true", help="even when nothing would be left"
    )
    search = verbs.add_parser("search", help="what a question finds, and why")
    search.add_argument("question", nargs="+")
    search.add_argument("-k", type=_up_to(100), default=5, metavar="N")
    search.add_argument("--language", type=_language, metavar="CODE", help="of the articles, as en")
    search.add_argument("--product", metavar="NAME", help="leave other products' articles out")
    search.add_argument("--agents", action="store_true", help="also what is for agents")
    importing = verbs.add_parser("import", help="make articles of what there is already")
    what = importing.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="of HTML, PDF, DOCX")
    what.add_argument(
        "--sitemap", type=Path, metavar="FOLDER", help="of a saved website and its sitemap.xml"
    )
    what.add_argument("--cases", action="store_true", help="resolved cases, for agents")
    importing.add_argument(
        "--to", type=Path, metavar="DIR", help="default: imported in knowledge.dir"
    )
    importing.add_argument(
        "--language", type=_language, metavar="CODE", help="of documents that do not say"
    )
    importing.add_argument("--agents", action="store_true", help="articles are for agents alone")
    auditing = verbs.add_parser("audit", help="what is wrong with the articles")
    auditing.add_argument("--markdown", action="store_true", help="for a file or a ticket")
    auditing.add_argument(
        "--known", action="append", default=[], metavar="WORD", help="one that customers know"
    )
    gaps = verbs.add_parser("gaps", help="questions that were not answered, or not well")
    gaps.add_argument(
        "--limit", type=_up_to(1000), default=20, metavar="N", help="of the questions shown"
    )
    gaps.add_argument("--drafts", type=Path, metavar="DIR", help="write draft articles there")
    gaps.add_argument("--close", type=int, metavar="N", help="the N-th question shown is done with")


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to {most}")
        return int(text)

    return number


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2}", text):
        raise argparse.ArgumentTypeError(f"{text} is not a two-letter code such as en or de")
    return text
