"""Phone numbers, of everywhere with a plus sign and of some regions without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.llm.masking.finds import Find

#: Where a number without country code may be from.
REGIONS = ("GB", "US", "DE", "FR", "ES", "IT", "NL", "PT", "PL")

_WORLDWIDE = re.compile(r"(?<![\w+])(?:\+|00 ?(?=[1-9]))(?:[ .\-/()]{0,2}[0-9]){7,15}(?![0-9])")
_RUN = re.compile(r"(?<![\w.,])\(?[0-9](?:[ .\-/()]{0,3}[0-9]){6,18}(?!\w|[.,][0-9])")
_WA = re.compile(r"(?<=[/=:])[1-9][0-9]{9,14}(?![\w.])")

_MONTH = r"jan\w*|feb\w*|mar\w*|apr\w*|ma[iy]\w*|ju[nl]\w*|aug\w*|sep\w*|o[ck]t\w*|nov\w*|de[cz]\w*"
# What has as many digits and is none.
_OTHER = re.compile(
    rf"""
      \b(?:19|20)\d\d[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?:[T ]\d\d?:\d\d(?::\d\d)?)?
    | \b\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:19|20)?\d\d\b(?:[ ,]+\d\d?[:.]\d\d)?
    | \b\d{{1,2}}\.?[ ](?:{_MONTH})\.?[ ]\d{{4}}
    | \b\d{{1,2}}[:.h]\d\d[ ]?(?:-|to|bis|à|a|tot|do)[ ]?\d{{1,2}}[:.h]\d\d\b
    | \b(?:19|20)\d\d[ ]?[-/][ ]?(?:19|20)\d\d\b
    | [£$€¥][ ]?\d{{1,3}}(?:[., ]\d{{3}})*(?:[.,]\d\d)?\b(?![\d])
    | \b\d{{1,3}}(?:[., ]\d{{3}})*(?:[.,]\d\d)?[ ]?(?:[£€$]|(?:GBP|EUR|USD|PLN|zł|kr)\b)
    | \b1Z[ ]?(?:[0-9A-Z][ ]?){{16}}
    | \b[A-Z]{{2}}[ ]?\d{{3}}[ ]?\d{{3}}[ ]?\d{{3}}[ ]?[A-Z]{{2}}\b
    | \b[A-Z]{{1,5}}-?\d{{6,}}\w*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER_OF_A_THING = re.compile(
    r"\b(?:order|tracking|invoice|parcel|shipment|reference|ref|article|item|sku|ean|isbn|ticket|"
    r"bestell\w*|sendung\w*|rechnung\w*|artikel\w*|commande|suivi|facture|pedido|seguimiento|"
    r"factura|encomenda|fatura|ordine|spedizione|fattura|bestelling|volg\w*|factuur|barcode|"
    r"zam[oó]wieni\w*|przesy[lł]k\w*|faktur\w*)\b"
    r"(?:[ \-]?(?:no|nr|number|num|numero|número|numéro|nummer|id|code|numer)\b)?"
    r"[ .:#°º]*(?:is|ist|est|es|é|è|to)?[ :#]*$",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d")
# A text of nothing but digits must not cost long.
_MOST_TRIES = 50


def worldwide(text: str) -> Iterator[Find]:
    """Find numbers with a country code, by their form alone."""
    for match in _WORLDWIDE.finditer(text):
        start = match.start()
        # An opening bracket before the plus is of the number when it is closed inside.
        yield Find("PHONE", start, match.end())


def phones(text: str, regions: Sequence[str] = REGIONS) -> Iterator[Find]:
    """Find phone numbers: those with a country code, and valid ones of `regions`."""
    if len(_DIGITS.findall(text)) < 7:
        return
    yield from worldwide(text)
    others = [m.span() for m in _OTHER.finditer(text)]
    for start, end in _candidates(text, regions):
        if any(s < end and start < e for s, e in others):
            continue
        head = text[max(0, start - 40) : start]
        if text[start] not in "+0(" and _NUMBER_OF_A_THING.search(head):
            continue
        yield Find("PHONE", start, end)


def _candidates(text: str, regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    import phonenumbers

    seen: list[tuple[int, int]] = []
    runs = [*_RUN.finditer(text), *_WA.finditer(text)]
    if not runs:
        return
    for run in runs:
        digits = "".join(_DIGITS.findall(run.group()))
        looked_at = _split_up(run.group()) or run.re is _WA or len(digits) > 9
        if looked_at and (
            any(_valid(digits, region) for region in regions)
            or (len(digits) > 10 and _valid(f"+{digits}", None))
        ):
            seen.append(run.span())
    for region in regions:
        # A number inside of text is looked at by the library with its own borders.
        for match in phonenumbers.PhoneNumberMatcher(text, region, max_tries=_MOST_TRIES):
            if (match.start, match.end) not in seen:
                seen.append((match.start, match.end))
    yield from seen


def _split_up(run: str) -> bool:
    """Tell whether digits were written one by one, ``0 7 9 1 1``."""
    groups = re.findall(r"\d+", run)
    return sum(len(g) == 1 for g in groups) * 2 > len(groups)


def _valid(digits: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(digits, region)))
    except phonenumbers.NumberParseException:
        return False
