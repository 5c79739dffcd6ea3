"""What a model's answer may not do, however well the words of its passages seem to back it.

The check of the words holds an answer against its sources; a model that wants to mislead can
pass it with words that are none to it: letters apart, symbols, a mere "Absolutely!".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from bot.llm.done_claims import claims_done
from bot.llm.grounding import Verdict
from bot.llm.grounding.lexicon import SMALL_WORDS
from bot.llm.grounding.politeness import FILLERS
from bot.llm.grounding.promising import PROMISES
from bot.llm.grounding.reading import Sentence, alike, guess, plain, read, split
from bot.llm.grounding.sources import Sources, has
from bot.llm.masking.surface import surface
from bot.llm.masking.tokens import typed

#: Words from which on a piece of a passage stands by itself.
_SENTENCE = 4
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS_APART = re.compile(r"(?:(?<![^\W_])[^\W\d_](?:[\W_]{1,4})){3,}[^\W\d_](?![^\W_])")
_SIGNS_ALONE = re.compile(r"(?:[^\w\s]\s*){6,}")
_AGREES = re.compile(
    r"^\W*(?:absolutely|exactly|definitely|of course|certainly|sure|surely|indeed|correct|agreed|"
    r"granted|approved|deal|done|confirmed|no problem|no worries|right|(?:that|this|it)(?:'s| is)"
    r" (?:right|true|correct|fine|ok|okay|so|agreed|a deal)|you(?:'re| are) right|ok|okay|"
    r"genau|natürlich|selbstverständlich|stimmt|richtig|einverstanden|kein problem|klar|"
    r"exactement|bien sûr|d'accord|tout à fait|pas de problème|claro|por supuesto|exacto|"
    r"de acuerdo|certo|certamente|esatto|d'accordo|natuurlijk|klopt|precies|akkoord|"
    r"com certeza|combinado|oczywiście|dokładnie|zgoda)\b",
    re.IGNORECASE,
)
_DEEDS = re.compile(
    r"\b(?:i|we)(?:'ve|'ll| have| will| can| hereby| do)? (?:give|grant|offer|promise|guarantee|"
    r"approve|accept|confirm|agree|waive|pay|owe|credit|issue|allow|grant|make an exception)\w*",
    re.IGNORECASE,
)
_SECRETS = re.compile(
    r"\b(?:password|passcode|pin|cvc|cvv|card (?:number|details)|security code|one-time code|"
    r"passwort|kennwort|kartennummer|mot de passe|numéro de carte|contraseña|número de tarjeta|"
    r"numero (?:della )?carta|wachtwoord|kaartnummer|senha|número do cartão|hasło|numer karty)\b",
    re.IGNORECASE,
)
_HANDING_OVER = re.compile(
    r"\b(?:write|send|tell|give|reply|share|provide|message|text|mail|post|type|confirm|"
    r"schreib\w*|schick\w*|send\w*|nenn\w*|teil\w*|écri\w*|envoy\w*|donn\w*|escrib\w*|envi\w*|"
    r"scriv\w*|invi\w*|stuur\w*|geef|escrev\w*|podaj|wyślij)\b",
    re.IGNORECASE,
)
_MAY = re.compile(
    r"\b(?:can|may|could)(?: (?:only|also|still|always|even|now))?(?: be)? (?P<verb>[^\W\d_]+)",
    re.IGNORECASE,
)


def overreach(answer: str, sources: Sequence[str], verdict: Verdict) -> str:
    """Return why an answer must not be sent though `verdict` backs it; "" when it may be."""
    return next(_wrong(answer, sources, verdict), "")


def _wrong(answer: str, sources: Sequence[str], verdict: Verdict) -> Iterator[str]:
    text, backing = plain(answer), "\n".join(map(plain, sources))
    if all(support.polite for support in verdict.support):
        yield "it says nothing"
    if next(typed(answer), None) is not None:
        yield "a placeholder is left in it"
    if any(sign not in backing for sign in _symbols(answer)):
        yield "it is written in signs"
    for pattern in (_LETTERS_APART, _SIGNS_ALONE):
        if any(found.group() not in backing for found in pattern.finditer(text)):
            yield "its letters stand apart"
    known = _bare(backing)
    language = guess(f"{text} {backing}")
    held: Sources | None = None
    polite = {support.sentence for support in verdict.support if support.polite}
    for one in split(text):
        if len(one.split()) >= _SENTENCE and _bare(one) in known:
            continue
        if _AGREES.match(one):
            yield "it agrees to what was asked"
        if one in polite and not _harmless(one, language):
            yield "it says what no article speaks of"
        deed = _DEEDS.search(one)
        if deed and deed.group().lower() not in backing.lower():
            yield "it acts or promises"
        if claims_done(one):
            yield "it says that something has been done"
        if _SECRETS.search(one) and _HANDING_OVER.search(one):
            yield "it asks for a secret"
        if not (PROMISES["free"].search(one) or _MAY.search(one)):
            continue
        sentence = read(one, language)
        held = held or Sources(sources, language)
        if not _free(sentence, held.sentences):
            yield "it makes something free"
        if not _permitted(sentence, held.sentences) or _put_together(sentence, held):
            yield "it permits what no sentence does"


def _symbols(text: str) -> Iterator[str]:
    for sign in text:
        if not sign.isascii() and unicodedata.category(sign) in ("So", "Sk", "Co", "Cs"):
            yield sign


def _harmless(sentence: str, language: str) -> bool:
    """Tell whether a sentence is a polite phrase with at most small words around it."""
    if sentence.rstrip().endswith("?"):
        return True
    rest = sentence
    for filler in FILLERS:
        rest = filler.sub(" ", rest)
    small = SMALL_WORDS["en"] | SMALL_WORDS.get(language, frozenset())
    return rest != sentence and all(word.lower() in small for word in _WORD.findall(rest))


def _free(sentence: Sentence, told: Sequence[Sentence]) -> bool:
    """Tell whether what is free is so in a source, and not from an amount on."""
    free = PROMISES["free"]
    if not free.search(sentence.text) or sentence.facts:
        return True
    of = {word.stem for word in sentence.words if not free.fullmatch(word.said)} - {"free"}
    return any(
        free.search(source.text)
        and not any(fact.kind == "amount" for fact in source.facts)
        and any(alike(one, stem) for one in of for stem in source.stems)
        for source in told
    )


def _permitted(sentence: Sentence, told: Sequence[Sentence]) -> bool:
    """Tell whether what may be done within a time is what a source gives that time for."""
    may = _MAY.search(sentence.text)
    if may is None:
        return True
    spans = {f.value for f in sentence.facts if f.kind == "duration" and f.start > may.start()}
    verbs = [word.stem for word in sentence.every if word.start == may.start("verb")]
    return all(
        any(
            value in {fact.value for fact in source.facts}
            and any(alike(verb, stem) for verb in verbs for stem in source.stems)
            for source in told
        )
        for value in spans
        if verbs
    )


def _put_together(sentence: Sentence, held: Sources) -> bool:
    """Tell whether what may be done is made of words from places that have nothing in common."""
    if not _MAY.search(sentence.text) or not held.windows:
        return False
    missing = min(
        ([w for w in sentence.words if not has(window.stems, w.stem)] for window in held.windows),
        key=lambda words: sum(held.weight(word.stem) for word in words),
    )
    return any(has(window.stems, word.stem) for window in held.windows for word in missing)


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", surface(text).text.lower()).strip()
