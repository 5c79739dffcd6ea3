"""Cutting an article into passages: parts that answer by themselves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.knowledge.contract import CUSTOMERS, Article, Passage
from bot.knowledge.markdown import Targets, heading_text, parser, plain, relink, without_html

if TYPE_CHECKING:
    from markdown_it.token import Token

#: Words. Fewer than LEAST are joined to their neighbours where these have the same heading,
#: more than MOST are cut. A sentence embedding blurs what is longer, and one that reads
#: 256 tokens would not see its end; of what is shorter an answer lacks the conditions.
LEAST, MOST = 60, 160
#: A list, a table or a block of code is kept whole up to this many words.
WHOLE = 220

_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]»”]*\s+(?=\S)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|approx|no|nr|z\.B|bzw|ca|p\.ex|St|Dr|Mr|Mrs)|\b\w)\.$"
)


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of Markdown; `parts` is how to cut it, each part with `head` before it."""

    text: str
    parts: tuple[str, ...] = ()
    head: str = ""
    joint: str = "\n"
    whole: bool = False

    @property
    def words(self) -> int:
        return _words(self.text)


def cut_all(
    articles: Iterable[Article], beside: Iterable[Article] = ()
) -> dict[str, list[Passage]]:
    """Cut all articles, with the links between them and to those `beside`; by article id."""
    articles = list(articles)
    by_id = {article.id: article for article in (*beside, *articles)}
    return {article.id: cut(article, by_id) for article in articles}


def cut(article: Article, others: Mapping[str, Article] | None = None) -> list[Passage]:
    """Cut an article; `others` are those that its links may lead to, by id.

    Not even the title of an article for agents gets into one for customers. No passage is
    empty; an article whose text is all comments has none.
    """
    targets: Targets = {
        id: (other.title, other.url)
        for id, other in (others or {}).items()
        if other.audience in (CUSTOMERS, article.audience)
    }
    found: list[Passage] = []
    for headings, blocks in _sections(article, targets):
        for text in _packed(blocks):
            found.append(_passage(article, len(found), headings, text))
    return found


def digest(title: str, headings: Iterable[str], text: str) -> str:
    """Return the SHA-256, in hex, of what is embedded of a passage."""
    said = "\x1e".join((title, "\x1f".join(headings), text))
    return hashlib.sha256(said.encode()).hexdigest()


def embedded(passage: Passage) -> str:
    """Return the words of a passage that are embedded: title, headings and plain text."""
    return ". ".join((passage.title, *passage.headings, plain(passage.text)))


def _passage(article: Article, n: int, headings: tuple[str, ...], text: str) -> Passage:
    return Passage(
        id=f"{article.id}#{n}",
        article=article.id,
        title=article.title,
        headings=headings,
        text=text,
        digest=digest(article.title, headings, text),
        language=article.language,
        tags=article.tags,
        product=article.product,
        audience=article.audience,
        url=article.url,
    )


def _words(text: str) -> int:
    return len(text.split())


def _sections(article: Article, targets: Targets) -> Iterator[tuple[tuple[str, ...], list[_Block]]]:
    """Yield each run of blocks with the headings it stands under."""
    environment: dict[str, dict[str, dict[str, str]]] = {}
    tokens = parser().parse(article.body, environment)
    references = {
        label: str(reference.get("href", ""))
        for label, reference in environment.get("references", {}).items()
    }
    lines = article.body.split("\n")
    path: list[tuple[int, str]] = []
    blocks: list[_Block] = []

    def clean(text: str) -> str:
        return without_html(relink(text, article.id, targets, references)).strip("\n").rstrip()

    for n, token in enumerate(tokens):
        if token.level or token.map is None or token.type == "hr":
            continue
        if token.type == "heading_open":
            if blocks:
                yield tuple(text for _, text in path), blocks
                blocks = []
            depth, said = int(token.tag[1]), heading_text(tokens[n + 1])
            while path and path[-1][0] >= depth:
                path.pop()
            # The title again adds nothing, and all below it stands under the title anyway.
            if said and said.casefold() != article.title.casefold():
                path.append((depth, said))
            continue
        text = "\n".join(lines[token.map[0] : token.map[1]])
        if token.type in ("fence", "code_block"):
            blocks.append(_Block(text.rstrip(), whole=True))
        elif cleaned := clean(text):
            blocks.append(_cuttable(token, tokens[n:], lines, cleaned, clean))
    if blocks:
        yield tuple(text for _, text in path), blocks


def _cuttable(token: Token, rest: list[Token], lines: list[str], text: str, clean) -> _Block:  # type: ignore[no-untyped-def]
    """Return the block that begins with `token`, with the places where it may be cut."""
    if token.type in ("bullet_list_open", "ordered_list_open"):
        spans = _children(rest, "list_item_open")
        items = tuple(clean("\n".join(lines[a:b])) for a, b in spans)
        return _Block(text, tuple(filter(None, items)), whole=True)
    if token.type == "table_open":
        rows = text.split("\n")
        return _Block(text, tuple(rows[2:]), head="\n".join(rows[:2]), whole=True)
    return _Block(text, tuple(_sentences(text)), joint=" ")


def _children(rest: list[Token], kind: str) -> list[tuple[int, int]]:
    """Return the lines of the items of the list that `rest` begins with."""
    spans = []
    for token in rest[1:]:
        if token.level == 0:
            break
        if token.level == 1 and token.type == kind and token.map is not None:
            spans.append((token.map[0], token.map[1]))
    return spans


def _sentences(text: str) -> Iterator[str]:
    """Yield sentences; one of more than MOST words in pieces of MOST."""
    begun = ""
    for piece in _SENTENCE.split(text):
        begun = f"{begun} {piece}" if begun else piece
        if _ABBREVIATED.search(begun) and _words(begun) < MOST:
            continue
        yield from _pieces(begun)
        begun = ""
    if begun:
        yield from _pieces(begun)


def _pieces(sentence: str) -> Iterator[str]:
    words = sentence.split()
    if len(words) <= MOST:
        yield sentence
        return
    for start in range(0, len(words), MOST):
        yield " ".join(words[start : start + MOST])


def _packed(blocks: list[_Block]) -> list[str]:
    """Join the blocks of one section to texts of LEAST to MOST words where that can be."""
    texts: list[str] = []
    for block in _fitting(_glued(blocks)):
        words = block.words
        if texts:
            before = _words(texts[-1])
            small = min(before, words) < LEAST
            if before + words <= (
                MOST if not small else WHOLE if block.whole else MOST + LEAST // 2
            ):
                texts[-1] = f"{texts[-1]}\n\n{block.text}"
                continue
        texts.append(block.text)
    return texts


def _glued(blocks: list[_Block]) -> Iterator[_Block]:
    """Join the line that introduces a list or a table to it, so that they are not parted."""
    waiting: _Block | None = None
    for block in blocks:
        if waiting is not None:
            if block.whole:
                head = f"{waiting.text}\n\n{block.head}".rstrip("\n")
                head += "\n" if block.head else "\n\n"
                yield _Block(f"{waiting.text}\n\n{block.text}", block.parts, head, whole=True)
                waiting = None
                continue
            yield waiting
            waiting = None
        if not block.whole and block.words < LEAST:
            waiting = block
        else:
            head = f"{block.head}\n" if block.head else ""
            yield _Block(block.text, block.parts, head, block.joint, block.whole)
    if waiting is not None:
        yield waiting


def _fitting(blocks: Iterable[_Block]) -> Iterator[_Block]:
    """Cut the blocks that are too long, at their items, rows or sentences."""
    for block in blocks:
        limit = WHOLE if block.whole else MOST
        if block.words <= limit or len(block.parts) < 2:
            yield block
            continue
        size = _words(block.head)
        held: list[str] = []
        for part in block.parts:
            words = _words(part)
            if held and size + words > MOST:
                yield _Block(block.head + block.joint.join(held), whole=block.whole)
                held, size = [], _words(block.head)
            held.append(part)
            size += words
        yield _Block(block.head + block.joint.join(held), whole=block.whole)
