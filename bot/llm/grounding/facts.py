"""What of a sentence is literally true or not: amounts, spans of time, days, hours, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """One value at `start` to `end` (exclusive) of a text; `value` is the same however written."""

    kind: str
    value: str
    start: int
    end: int


_NUMBER_WORDS = {
    "en": "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen "
    "seventeen eighteen nineteen twenty",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
    "sechzehn "
    "siebzehn achtzehn neunzehn zwanzig",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "dix-sept dix-huit dix-neuf vingt",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis "
    "diecisiete dieciocho diecinueve veinte",
    "it": "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici "
    "quindici "
    "sedici diciassette diciotto diciannove venti",
    "nl": "twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien "
    "zestien "
    "zeventien achttien negentien twintig",
    "pt": "dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezasseis "
    "dezassete dezoito dezanove vinte",
    "pl": "dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście dwanaście "
    "trzynaście "
    "czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście dwadzieścia",
}
_TENS = {
    "en": "thirty forty fifty sixty seventy eighty ninety hundred",
    "de": "dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert",
    "fr": "trente quarante cinquante soixante soixante-dix quatre-vingts quatre-vingt-dix cent",
    "es": "treinta cuarenta cincuenta sesenta setenta ochenta noventa cien",
    "it": "trenta quaranta cinquanta sessanta settanta ottanta novanta cento",
    "nl": "dertig veertig vijftig zestig zeventig tachtig negentig honderd",
    "pt": "trinta quarenta cinquenta sessenta setenta oitenta noventa cem",
    "pl": "trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt "
    "dziewięćdziesiąt sto",
}
_WORDS: dict[str, dict[str, int]] = {}
for _language, _listed in _NUMBER_WORDS.items():
    _words = dict(zip(_listed.split(), range(2, 21), strict=True))
    _words |= dict(zip(_TENS[_language].split(), range(30, 101, 10), strict=True))
    _WORDS[_language] = _words
for _ten in ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"):
    for _one, _n in (("one", 1), *list(_WORDS["en"].items())[:8]):
        _WORDS["en"][f"{_ten}-{_one}"] = _WORDS["en"][_ten] + _n
_WORDS["pl"] |= {"dwie": 2, "dwóch": 2, "trzech": 3, "pięciu": 5, "siedmiu": 7, "trzydziestu": 30}
_WORDS["pt"] |= {"duas": 2}
_ARTICLES = {
    "en": "a|an|one",
    "de": "eine?[mnrs]?",
    "fr": "une?",
    "es": "una?|uno",
    "it": "un[ao']?",
    "nl": "een|één",
    "pt": "uma?",
    "pl": "jed[ne]\\w+",
}

_DIGITS = r"\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?"
TO = r"\s*(?:-|to|or|and|bis|und|oder|à|a|au|ou|et|y|o|e|tot|en|of|do|lub|i|and up to|up to)\s*"
_CURRENCIES = {
    "GBP": r"£|GBP|pounds?(?: sterling)?|quid|pfund|livres?(?: sterling)?|libras?|sterline|pond|"
    r"funt\w*",
    "EUR": r"€|EUR|euros?",
    "USD": r"\$|USD|dollars?|dólares|dollari|dolar\w*",
    "PLN": r"zł|PLN|złot\w+",
    "CHF": r"CHF|francs?|franken",
    "SEK": r"SEK",
    "NOK": r"NOK|kroner",
    "BRL": r"R\$|BRL|reais",
}
_CURRENCY = "|".join(f"(?P<{code}>{words})" for code, words in _CURRENCIES.items())
_UNITS = {
    "minute": r"min(?:ute[ns]?|utos?|uti|uten|ut[ay]?)?\.?",
    "hour": r"hours?|hrs?|h|stunden?|heures?|horas?|or[ae]|uur|uren|godzin\w*",
    "wday": r"(?:working|business|week)[ -]?days?|werktage?n?|arbeitstage?n?|jours? ouvr(?:és?|"
    r"ables?)|"
    r"días? (?:laborables?|hábil(?:es)?)|giorn[oi] (?:lavorativ[oi]|feriali)|werkdag(?:en)?|"
    r"dias? út(?:il|eis)|dni robocz\w+|dzień robocz\w+",
    "day": r"(?:calendar[ -])?days?|tage?n?|jours?|días?|giorn[oi]|dag(?:en)?|dias?|dni|dzień|dnia",
    "week": r"weeks?|wochen?|semaines?|semanas?|settiman[ae]|we(?:ek|ken)|tygodni\w*|tydzień",
    "month": r"months?|monate?n?|mois|mes(?:es)?|mes[ei]|maand(?:en)?|mês|miesi[ąę]c\w*",
    "year": r"years?|jahre?n?|ans?|années?|años?|ann[oi]|jaar|jaren|anos?|lat[a]?|rok\w*",
}
_UNIT = "|".join(f"(?P<{unit}>{words})" for unit, words in _UNITS.items())
_WEEKDAYS = (
    "monday|montags?|lundis?|lunes|lunedì|maandag|segunda(?:-feira)?|poniedział\\w+",
    "tuesday|dienstags?|mardis?|martes|martedì|dinsdag|terça(?:-feira)?|wtor\\w+",
    "wednesday|mittwochs?|mercredis?|miércoles|mercoledì|woensdag|quarta(?:-feira)?|środ\\w+",
    "thursday|donnerstags?|jeudis?|jueves|giovedì|donderdag|quinta(?:-feira)?|czwart\\w+",
    "friday|freitags?|vendredis?|viernes|venerdì|vrijdag|sexta(?:-feira)?|piąt\\w+",
    "saturday|samstags?|sonnabends?|samedis?|sábados?|sabato|zaterdag|sobot\\w+",
    "sunday|sonntags?|dimanches?|domingos?|domenica|zondag|niedziel\\w+",
)
_SHORT_DAYS = ("Mon?", "Tues?|Tue|Di", "Wed|Mi", "Thu(?:rs?)?|Do", "Fri?", "Sat?", "Sun|So")
_DAY = "|".join(
    f"(?P<d{n}>(?i:{names}|{names.split('|')[0]}s)|{short})"
    for n, (names, short) in enumerate(zip(_WEEKDAYS, _SHORT_DAYS, strict=True))
)
_DAY_RE = re.compile(rf"\b(?:{_DAY})\b\.?")
_DAYS_RE = re.compile(
    r"\b(?:(?P<work>weekdays|wochentags|en semaine|entre semana|doordeweeks)|(?P<end>weekends?|"
    r"wochenende|week-end|fin de semana))\b",
    re.IGNORECASE,
)
_MONTHS = (
    "jan(?:uary|uar|vier)?|enero|gennaio|januari|janeiro|stycz\\w+",
    "feb(?:ruary|ruar)?|février|febrero|febbraio|februari|fevereiro|lut\\w+",
    "mar(?:ch)?|märz|mars|marzo|maart|março|marca",
    "apr(?:il)?|avril|abril|aprile|kwie\\w+",
    "may|mai|mayo|maggio|mei|maio|maja",
    "june?|juni|juin|junio|giugno|junho|czerw\\w+",
    "july?|juli|juillet|julio|luglio|julho|lip\\w+",
    "aug(?:ust)?|août|agosto|augustus|sierp\\w+",
    "sept?(?:ember)?|septembre|septiembre|settembre|setembro|wrze\\w+",
    "o[ck]t(?:ober)?|octobre|octubre|ottobre|outubro|październik\\w*",
    "nov(?:ember)?|novembre|noviembre|novembro|listopad\\w*",
    "dec(?:ember)?|dez(?:ember)?|décembre|diciembre|dicembre|dezembro|grud\\w+",
)
_MONTH = "|".join(f"(?P<m{n}>{names})" for n, names in enumerate(_MONTHS, 1))
_DATES = (
    re.compile(r"\b(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)\b"),
    re.compile(r"\b(?P<d>\d{1,2})[./](?P<m>\d{1,2})[./](?P<y>20\d\d|\d\d)\b"),
    re.compile(r"(?<![\w.,])(?P<d>0?[1-9]|[12]\d|3[01])\.(?P<m>0?[1-9]|1[0-2])\.(?!\d)"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.|er|º)?\s(?:of |de |di )?(?:{_MONTH})\b\.?(?:,? "
        rf"(?:de )?(?P<y>20\d\d))?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:{_MONTH})\b\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<y>20\d\d))?",
        re.IGNORECASE,
    ),
)
_TIMES = (
    re.compile(r"\b(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)\s?(?P<half>[ap]\.?m\b\.?)?", re.IGNORECASE),
    re.compile(
        r"\b(?P<h>[01]?\d|2[0-4])[.h](?P<m>[0-5]\d)\s?(?:(?P<half>[ap]\.?m\b\.?)|uhr|h\b|uur)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?P<h>[01]?\d|2[0-4])\s?(?:(?P<half>[ap]\.?m\b\.?)|uhr\b|o'clock|uur\b(?! na))",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?P<h>1?\d|2[0-4])h(?P<m>[0-5]\d)?\b(?= )"),
)
_NOON = re.compile(
    r"\b(?:(?P<noon>noon|midday|mittags?|midi|mediodía|mezzogiorno)|midnight|mitternacht|minuit)\b",
    re.I,
)
_HOURS = re.compile(
    r"(?<![\d:.,£€$])\b(\d{1,2})\s*(?:-|to|until|till|bis|à|a|tot|do|and|alle|às)\s*(\d{1,2})\b"
    r"(?![\d:%]|[.,]\d)"
)
_OR = re.compile(r"\b(?:or|and|und|oder|et|ou|y|o|e|en|of|i|lub)\b", re.IGNORECASE)
_NEXT_DAY = re.compile(
    r"\bnext[ -](?:(?P<w>working|business)[ -])?day\b|\bnächsten (?P<w2>werk|arbeits)?tag|"
    r"\b(?:the )?following (?P<w3>working|business)? ?day\b",
    re.IGNORECASE,
)
_FORTNIGHT = re.compile(r"\b(?:a )?fortnight\b", re.IGNORECASE)
_PENCE = re.compile(r"\b(\d{1,2}) ?(?:p|pence)\b(?!m)")
_ID = re.compile(
    r"(?<![\w])#?(?=[\w\-]{0,30}\d)(?=[\w\-]{0,30}[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?![\w])"
)
_BARE = re.compile(rf"(?<![\w])#?(?:{_DIGITS})(?![\w])")


def facts(text: str, language: str, *, source: bool = False) -> list[Fact]:
    """Return the facts of a sentence, in order. In a `source` what may be meant counts too."""
    reader = _Reader(text, language)
    found = list(reader.read())
    if any(f.kind == "weekday" for f in found) or _OPENING.search(text):
        for f in _hours(text, found):
            found.append(f)
            if not source:
                found = [o for o in found if o.kind != "number" or not _over(o, f)]
    return sorted(found, key=lambda f: (f.start, f.end))


_OPENING = re.compile(r"\bopen|geöffnet|ouvert|abiert|apert|geopend|abert|otwart|\bhours\b", re.I)


def _over(one: Fact, other: Fact) -> bool:
    return one.start < other.end and other.start < one.end


def _hours(text: str, found: list[Fact]) -> Iterator[Fact]:
    taken = [f for f in found if f.kind != "number"]
    for match in _HOURS.finditer(text):
        for n in (1, 2):
            fact = Fact("time", f"{int(match[n]):02}:00", *match.span(n))
            if int(match[n]) <= 24 and not any(_over(fact, other) for other in taken):
                yield fact


class _Reader:
    """Reads kind after kind; what one has taken is blank for the next."""

    def __init__(self, text: str, language: str) -> None:
        self._text = text
        words = sorted(_WORDS.get(language, {}) | _WORDS["en"], key=len, reverse=True)
        self._values = (
            {**_WORDS["en"], **_WORDS.get(language, {})} if language != "it" else _WORDS["it"]
        )
        words = [w for w in words if w in self._values]
        word = "|".join(map(re.escape, words))
        one = _ARTICLES.get(language, _ARTICLES["en"])
        number = rf"(?:{_DIGITS}|\b(?:{word})\b)"
        self._word = re.compile(rf"\b(?:{word})\b", re.IGNORECASE)
        self._duration = re.compile(
            rf"(?<![\w.,£€$])(?P<a>{number}|\b(?:{one})\b)(?:{TO}(?P<b>{number}))?[\s\-]*"
            rf"(?:full |consecutive |ganze |volle )?(?:{_UNIT})\b(?!'clock)",
            re.IGNORECASE,
        )
        self._amount = (
            re.compile(
                rf"(?:{_CURRENCY})\s?(?P<a>{_DIGITS})(?:\s?-\s?(?P<b>{_DIGITS})(?![\d%]))?",
                re.IGNORECASE,
            ),
            re.compile(
                rf"(?<![\w.,])(?P<a>{number})(?:{TO}(?P<b>{number}))?\s?(?:{_CURRENCY})(?!\w)",
                re.IGNORECASE,
            ),
        )
        self._percent = re.compile(
            rf"(?<![\w.,])(?P<a>{number})\s?(?:%|per ?cent\b|prozent\b|pour ?cent\b|por "
            rf"ciento\b|per cento\b|"
            r"procent\w*|por cento\b)",
            re.IGNORECASE,
        )

    def read(self) -> Iterator[Fact]:
        for pattern in self._amount:
            for match in self._take(pattern):
                code = next(c for c in _CURRENCIES if match[c])
                for part in ("a", "b"):
                    if match[part]:
                        value = f"{self._value(match[part])} {code}"
                        yield Fact("amount", value, match.start(part), match.end())
        yield from self._dates()
        for match in self._take(_PENCE):
            yield Fact("amount", f"{_plain(int(match[1]) / 100)} GBP", *match.span())
        for match in self._take(self._percent):
            yield Fact("percentage", self._value(match["a"]), *match.span())
        yield from self._times()
        for match in self._take(_NEXT_DAY):
            working = match["w"] or match["w2"] or match["w3"]
            yield Fact("duration", "next wday" if working else "next day", *match.span())
        for match in self._take(_FORTNIGHT):
            yield Fact("duration", "14 day", *match.span())
        for match in self._take(self._duration):
            unit = next(u for u in _UNITS if match[u])
            low, high = self._value(match["a"]), self._value(match["b"] or match["a"])
            yield Fact("duration", _span(low, high, unit), *match.span())
        yield from self._days()
        for match in self._take(_ID):
            yield Fact("id", match.group().lstrip("#").replace("-", "").upper(), *match.span())
        for match in self._take(_BARE):
            yield Fact("number", self._value(match.group().lstrip("#")), *match.span())
        for match in self._take(self._word):
            yield Fact("number", self._value(match.group()), *match.span())

    def _take(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        matches = list(pattern.finditer(self._text))
        for match in matches:
            start, end = match.span()
            self._text = self._text[:start] + " " * (end - start) + self._text[end:]
        return iter(matches)

    def _value(self, written: str) -> str:
        word = self._values.get(written.lower())
        if word is not None:
            return str(word)
        if not any(c.isdigit() for c in written):
            return "1"
        return number(written)

    def _dates(self) -> Iterator[Fact]:
        for pattern in _DATES:
            for match in self._take(pattern):
                groups = match.groupdict()
                month = groups.get("m") or next(n for n in range(1, 13) if groups.get(f"m{n}"))
                year = str(groups.get("y") or "")[-2:]
                yield Fact("date", f"{int(month)}-{int(match['d'])} {year}".strip(), *match.span())

    def _times(self) -> Iterator[Fact]:
        for pattern in _TIMES:
            for match in self._take(pattern):
                groups = match.groupdict()
                hour, minute = int(match["h"]), int(groups.get("m") or 0)
                half = (groups.get("half") or "").lower()[:1]
                hour = hour % 12 + 12 if half == "p" else 0 if half == "a" and hour == 12 else hour
                yield Fact("time", f"{hour:02}:{minute:02}", *match.span())
        for match in self._take(_NOON):
            yield Fact("time", "12:00" if match["noon"] else "24:00", *match.span())

    def _days(self) -> Iterator[Fact]:
        for match in self._take(_DAYS_RE):
            for day in range(5) if match["work"] else (5, 6):
                yield Fact("weekday", str(day), *match.span())
        found = list(self._take(_DAY_RE))
        days = [next(n for n in range(7) if match[f"d{n}"]) for match in found]
        for i, match in enumerate(found):
            yield Fact("weekday", str(days[i]), *match.span())
            between = self._text[found[i - 1].end() : match.start()] if i else ""
            if i and re.fullmatch(TO, between) and not _OR.search(between):
                day = (days[i - 1] + 1) % 7
                while day != days[i]:
                    yield Fact("through", str(day), *match.span())
                    day = (day + 1) % 7


def number(written: str) -> str:
    """Return a number as Python writes it: ``1,000``, ``1.000`` are 1000, ``3,95`` is 3.95."""
    bare = re.sub(r"[ ']", "", written)
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", bare):
        return re.sub(r"[.,]", "", bare)
    head, mark, tail = bare.replace(",", ".").rpartition(".")
    if not mark:
        return str(int(bare))
    return _plain(float(f"{head.replace('.', '')}.{tail}"))


def _plain(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _span(low: str, high: str, unit: str) -> str:
    times, unit = {"week": (7, "day"), "year": (12, "month"), "hour": (60, "minute")}.get(
        unit, (1, unit)
    )
    low, high = (_plain(float(n) * times) for n in (low, high))
    return f"{low} {unit}" if low == high else f"{low}-{high} {unit}"
