"""The language of a message, and of the customer who wrote it.

A customer keeps a language until a message is clearly in another, or two in a row seem to
be: "ok", "1042" and "PayPal" are of no language at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.perception.lexicon import FOLDER, lexicon, split
from bot.perception.scripts import TOLD, by_script

_ALL = """
af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gu he hi hr hu hy id is
it ja ka kk ko la lg lt lv mi mk mn mr ms nb nl nn pa pl pt ro ru sk sl sn so sq sr st sv
sw ta te th tl tn tr ts uk ur vi xh yo zh zu
"""
#: ISO 639-1 of all that lingua tells apart.
SUPPORTED = frozenset(_ALL.split())
#: How sure of a language one is that the provider names, or that nobody names.
PROFILE_SURE, DEFAULT_SURE = 0.4, 0.2
#: From here on a language was told by what the customer wrote, not guessed.
KNOWN_SURE = 0.5

#: Characters that are looked at; more tell nothing new.
_LONGEST = 400
_CLEAR, _WEAK = 0.8, 0.6
# A clear message is no single word; "Gutschein" may be what the page calls it.
_CLEAR_WORDS, _CLEAR_LETTERS, _WEAK_LETTERS = 3, 15, 3
# What one word that a language is known by weighs against what its letters look like.
_TELLING = 3.5
_NEVER = 0.01
# From here on letters are surely of a language without a lexicon, in which words that tell
# another ("for" and "i" are Danish too) tell nothing. Measured: 0.98 and more, English 0.76.
_NOT_TOLD = 0.9
# Letters beside a figure are a code's, but not those that are written without spaces.
_NO_WORDS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+|[@#/]\w+|[A-Za-z_]*\d[A-Za-z_\d]*")
# Who introduces himself in one language may have a name of another.
_INTRODUCED = re.compile(
    r"\b((?:[Ii](?: am|['’]m)|I AM|I['’]M|[Mm]y name(?: is|['’]s)|MY NAME IS|[Tt]his is"
    r"|[Ii]t['’]s(?: me)?),?)"
    r"(?:\s+[^\W\d_a-zß-öø-ÿ][\w'’-]*){1,3}"
)
_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Guess:
    """What one message alone looks like. `language` is "" when it looks like none.

    `sure` is between 0 and 1; a `clear` message is enough to leave another language for it: it
    has several words, and one at least that the language is known by.
    """

    language: str
    sure: float
    clear: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """The language to answer in, how sure that is (0 to 1), and why."""

    language: str
    sure: float
    why: str


class Languages:
    """Tells the configured languages apart; the first is the default.

    Others are told where their letters tell them, see `bot.perception.scripts`.

    The detector is made at first use, in the process that uses it: nothing of it lives
    through a fork. Raises ValueError for a language that cannot be told.
    """

    def __init__(self, languages: Sequence[str]) -> None:
        unknown = sorted(set(languages) - SUPPORTED)
        if unknown or not languages:
            said = f"{', '.join(unknown)} cannot be told from others" if unknown else "are none"
            raise ValueError(f"perception.languages: {said}; known: {', '.join(sorted(SUPPORTED))}")
        self.languages = tuple(dict.fromkeys(languages))
        self._detector: Any = None
        self._tells: dict[str, dict[str, float]] | None = None
        self._neutral: frozenset[str] = frozenset()

    def guess(self, text: str) -> Guess:
        """Tell what language a message looks like, by itself."""
        if len(self.languages) == 1:
            return Guess("", 0.0, False)
        foreign = by_script(_NO_WORDS.sub(" ", text[:_LONGEST]), self.languages)
        if foreign:
            return Guess(foreign, 1.0, True)
        said = _INTRODUCED.sub(r"\1 ", text[:_LONGEST])
        words = _LETTERS.findall(_NO_WORDS.sub(" ", said))
        tells, neutral = self._telling()
        words = [word for word in words if word.casefold() not in neutral]
        letters = sum(map(len, words))
        if letters < _WEAK_LETTERS:
            return Guess("", 0.0, False)
        likely = self._likely(" ".join(words), tells)
        language = max(likely, key=lambda one: likely[one])
        sure = likely[language]
        if sure < _WEAK:
            return Guess("", sure, False)
        long = len(words) >= _CLEAR_WORDS or letters >= _CLEAR_LETTERS
        # By its letters alone nonsense is Dutch, and an address is Polish.
        known = not has_lexicon(language) or any(
            language in tells.get(word, {}) for word in split(" ".join(words))
        )
        return Guess(language, sure, sure >= _CLEAR and long and len(words) > 1 and known)

    def spoken(
        self, text: str, *, known: str = "", sure: float = 0.0, before: str = "", profile: str = ""
    ) -> Spoken:
        """Tell the language of the customer who wrote `text`.

        `known` is the one told from earlier messages, `sure` how sure that was; `before` is
        the message before this, `profile` the provider's word (BCP 47), a prior only.
        """
        if (known not in self.languages and known not in TOLD) or sure < KNOWN_SURE:
            return self._first(self.guess(text), profile, known)
        found = self.guess(text)
        if not found.language or found.language == known:
            better = max(sure, found.sure) if found.language else sure
            how = "again" if found.language else "kept, the message tells no language"
            return Spoken(known, better, f"language {known}: {how}")
        if found.clear:
            why = f"language {found.language}: clearly not {known} any more ({found.sure:.2f})"
            return Spoken(found.language, found.sure, why)
        if before and self.guess(before).language == found.language:
            why = f"language {found.language}: the second message in a row, no more {known}"
            return Spoken(found.language, found.sure, why)
        why = f"language {known}: kept, {found.language} is seen in a short message only"
        return Spoken(known, sure, why)

    def _first(self, found: Guess, profile: str, known: str) -> Spoken:
        if found.language:
            why = f"language {found.language}: by the message ({found.sure:.2f})"
            return Spoken(found.language, max(found.sure, KNOWN_SURE), why)
        code = profile.lower().replace("_", "-").partition("-")[0]
        if code in self.languages:
            return Spoken(code, PROFILE_SURE, f"language {code}: the provider's word")
        if known in self.languages:
            return Spoken(known, DEFAULT_SURE, f"language {known}: kept, nothing tells another")
        first = self.languages[0]
        return Spoken(first, DEFAULT_SURE, f"language {first}: the first of the configured ones")

    def _likely(self, text: str, tells: dict[str, dict[str, float]]) -> dict[str, float]:
        """Return how likely each language is: by its letters, and by its common words."""
        self._detector = self._detector or _detector(self.languages)
        values = self._detector.compute_language_confidence_values(text)
        logs = {
            value.language.iso_code_639_1.name.lower(): math.log(value.value + _NEVER)
            for value in values
        }
        strange = sum(
            math.exp(value) - _NEVER for one, value in logs.items() if not has_lexicon(one)
        )
        for word in split(text) if strange < _NOT_TOLD else ():
            for language, weight in tells.get(word, {}).items():
                logs[language] += weight
        most = max(logs.values())
        powers = {language: math.exp(value - most) for language, value in logs.items()}
        whole = sum(powers.values())
        return {language: power / whole for language, power in powers.items()}

    def _telling(self) -> tuple[dict[str, dict[str, float]], frozenset[str]]:
        if self._tells is None:
            tells: dict[str, dict[str, float]] = {}
            for language in self.languages:
                known = lexicon(language)
                self._neutral |= known.neutral
                # A language without a lexicon has been given the English one.
                for word in known.tells if has_lexicon(language) else ():
                    tells.setdefault(word, {})[language] = _TELLING
            for languages in tells.values():
                for language in languages:
                    languages[language] = _TELLING / len(languages) ** 0.5
            self._tells = tells
        return self._tells, self._neutral


def has_lexicon(language: str) -> bool:
    """Tell whether the common words of a language are known."""
    return (FOLDER / f"{language}.txt").is_file()


def _detector(languages: Sequence[str]) -> Any:
    # Low accuracy, measured for the eight default languages: 18 MB and 0.1 s to load in each
    # process, against 236 MB and 2.2 s. On 616 messages to a shop it was wrong in 36 by
    # itself, high accuracy in 55; together with the common words in 9 and 14.
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, language.upper()) for language in languages]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
