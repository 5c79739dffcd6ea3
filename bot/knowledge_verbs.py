"""The command line of ``bot knowledge``, apart from the work: it must cost no imports."""

from __future__ import annotations

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
    search.add_argument("-k", type=int, choices=range(1, 101), default=5, metavar="N")
    search.add_argument("--language", metavar="CODE", help="of the articles, as en")
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
    importing.add_argument("--language", metavar="CODE", help="of documents that do not say")
    importing.add_argument("--agents", action="store_true", help="articles are for agents alone")
    auditing = verbs.add_parser("audit", help="what is wrong with the articles")
    auditing.add_argument("--markdown", action="store_true", help="for a file or a ticket")
    auditing.add_argument(
        "--known", action="append", default=[], metavar="WORD", help="one that customers know"
    )
    gaps = verbs.add_parser("gaps", help="questions that were not answered, or not well")
    gaps.add_argument("--limit", type=int, default=20, metavar="N", help="of the questions shown")
    gaps.add_argument("--drafts", type=Path, metavar="DIR", help="write draft articles there")
    gaps.add_argument("--close", type=int, metavar="N", help="the N-th question shown is done with")
