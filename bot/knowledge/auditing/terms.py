"""Abbreviations and made-up words that an article uses and does not explain."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from bot.knowledge.auditing.findings import LOW, MEDIUM, TERM, Corpus, Finding, file_of
from bot.knowledge.auditing.sentences import Sentence, sentences

#: What customers know without being told.
_KNOWN_WORDS = """
UK EU USA US UAE EUR GBP USD CHF VAT PDF FAQ SMS MMS PIN GPS ID OK TV DVD CD LED USB PC AM
ZIP MB GB KB CO KG
PM UTC GMT CET HTML URL QR WC DIY ASAP PS TLC BBC NHS PO BOX VIP A4 A5 XS XL XXL XXXL SALE
NEW AGB DSGVO DHL UPS DPD GLS USt MwSt TVA IVA BTW IBAN BIC PayPal MasterCard WhatsApp
YouTube iPhone iPad iOS macOS GitHub LinkedIn TikTok eBay JavaScript PostNL AirPods McDonald
"""
KNOWN = frozenset(_KNOWN_WORDS.split())
_CAPITALS = re.compile(r"(?<![\w@#./-])([A-Z][A-Z&]{1,6})(s)?(?![\w@/-]|\.\w)")
_CAMEL = re.compile(
    r"(?<![\w@#./-])([A-Z]?[a-z]+[A-Z][A-Za-z]*|[A-Z]{2,}[a-z]{2,}[A-Za-z]*)(?![\w@/])"
)
_ROMAN = re.compile(r"(?=[IVX])X{0,3}(IX|IV|V?I{0,3})")
_NAME = re.compile(r"(Mc|Mac|De|La|O|Le|Van|Di)[A-Z][a-z]+")


def terms(corpus: Corpus, known_terms: Collection[str]) -> Iterator[Finding]:
    """Find terms that are not explained as ``IOSS (Import One-Stop Shop)`` or the other way.

    `known_terms` are the company's own that every customer knows, beside `KNOWN`.
    """
    known = KNOWN | set(known_terms)
    read = {article.id: list(sentences(article)) for article in corpus.articles}
    small = {
        word
        for lines in read.values()
        for sentence in lines
        for word in re.findall(r"\b[a-z][a-z]+\b", sentence.text)
    }
    explained: dict[str, str] = {}
    for article in corpus.articles:
        text = _whole(read[article.id], article.title)
        for term in _terms(text):
            if _explains(text, term):
                explained.setdefault(term, article.id)
    for article in corpus.articles:
        text = _whole(read[article.id], article.title)
        # What is to be typed or seen as it stands, a code's beginning, means nothing.
        literal = set(re.findall(r"`([^`\n]+)`", article.body))
        for term, sentence in sorted(_first(read[article.id]).items(), key=lambda i: i[1].line):
            # What is only shouted is a word all the same.
            if term in known | literal or term.lower() in small or _explains(text, term):
                continue
            elsewhere = explained.get(term)
            yield Finding(
                TERM,
                LOW if elsewhere else MEDIUM,
                file_of(article),
                sentence.line,
                f"does not explain {term}" + (f", as {elsewhere} does" if elsewhere else ""),
                f"write out at first what {term} is, as in “{term} (…)”, or use plain words",
                ((sentence.place, sentence.text),),
            )


def _whole(lines: list[Sentence], title: str) -> str:
    headings = {heading for sentence in lines for heading in sentence.headings}
    return "\n".join([title, *sorted(headings), *(sentence.text for sentence in lines)])


def _first(lines: list[Sentence]) -> dict[str, Sentence]:
    found: dict[str, Sentence] = {}
    for sentence in lines:
        for term in _terms(sentence.text):
            found.setdefault(term, sentence)
    return found


def _terms(text: str) -> list[str]:
    text = re.sub(r"https?://\S+|\S+@\S+", " ", text)
    found = [match[1] for match in _CAPITALS.finditer(text) if not _ROMAN.fullmatch(match[1])]
    return found + [m[1] for m in _CAMEL.finditer(text) if not _NAME.fullmatch(m[1])]


def _explains(text: str, term: str) -> bool:
    """Tell whether a term stands beside what it is short for, or is said to mean something."""
    word = re.escape(term)
    after = rf"\b{word}s?\*{{0,2}}\s*\((?=[^)]*[^\W\d_]{{3}})[^)]+\)"
    before = rf"[^\W\d_]{{3,}}[^.!?\n(]*\(\s*(?:the\s+|or\s+)?[“\"']?{word}s?[”\"']?\s*\)"
    meaning = (
        rf"\b{word}s?\b[”\"']?,?\s*(?:\(?(?:is|are|means?|stands for|short for|which is|that is"
        r"|i\.e\.|d\.h\.|steht für|bedeutet|ist|signifie|c['’]est|significa|betekent|oznacza)\b)"
    )
    dash = rf"(?m)^\s*{word}\s*[:–—=]\s+\S+\s+\S+"
    return any(re.search(pattern, text) for pattern in (after, before, meaning, dash))
