"""Entities of a shop by spaCy's rules, with no downloaded model; or one can be named."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.dialogue.components import values
from bot.dialogue.components.patterns import NAMES, build, possible, tokenize

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

Entity = dict[str, Any]

#: Characters looked at. What comes after is a pasted page, not an order number.
MOST_CHARACTERS = 2000
_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt")
#: A letter or digit: the match is a part of something longer.
_GOES_BEFORE, _GOES_ON = re.compile(r"\w\Z"), re.compile(r"\w")
#: A number of up to three digits and a sign: the match is a part of a date or an amount.
_PART_BEFORE = re.compile(r"(?<!\d)\d{1,3}[.,/-]\Z")
_PART_AFTER = re.compile(r"[.,/-]\d{1,3}(?!\d)")
_CODE_BEFORE = re.compile(r"\+\Z|[^\W\d]-\Z")
_CARD = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?!\d)")
#: Alone a greeting, and after these words a time of the day: not tomorrow.
_MORNING = frozenset(("morgen", "mañana"))
_NO_DAY = frozenset(("guten", "schönen", "am", "goede", "la", "jeden", "die"))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class SpacyMatchers(GraphComponent, EntityExtractorMixin):
    """Finds numbers, amounts, days and addresses, each with a normalised value.

    They are ``order_number``, ``tracking_number``, ``money``, ``date``, ``email``, ``phone``
    and ``product_code``. The value of money is ``49.99 GBP``, with both parts in
    ``additional_info``; of a date the ISO day; of a phone its E.164 number. What an extractor
    before it found in the same place and shorter, or as the same entity, gives way. Settings:

    - ``entities``: which of them, default all;
    - ``country`` (GB): of phone numbers without a country code, ISO 3166 in two letters;
    - ``day_first`` (true): 03/04 is the third of April;
    - ``languages``: whose names of months and days are known, codes as Babel has them;
    - ``patterns``: more rules, as spaCy's EntityRuler takes them: a list of ``label``, ``pattern``
      (words, or a list of tokens' attributes) and perhaps ``id``, which becomes the value;
    - ``model``: a downloaded spaCy model, by name or folder, whose entities are added;
    - ``labels``: what they are called here, as ``{PER: person}``; others are not taken.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the settings and what they are when not given."""
        return {
            "entities": list(NAMES),
            "country": "GB",
            "day_first": True,
            "languages": list(_LANGUAGES),
            "patterns": [],
            "model": None,
            "labels": {},
        }

    @staticmethod
    def required_packages() -> list[str]:
        """Return what it imports, late."""
        return ["spacy"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SpacyMatchers:
        """Return an extractor. Raises InvalidConfigException."""
        return cls({**cls.get_default_config(), **config})

    def __init__(self, config: dict[str, Any]) -> None:
        import spacy

        unknown = set(config["entities"]) - set(NAMES)
        if unknown:
            raise InvalidConfigException(
                f"SpacyMatchers: entities: {min(unknown)!r} is none of {', '.join(NAMES)}"
            )
        if not re.fullmatch("[A-Z]{2}", str(config["country"])):
            raise InvalidConfigException(
                f"SpacyMatchers: country: {config['country']!r} is not two capitals, as GB"
            )
        self._reading = values.Reading(
            _names("months", config["languages"], 0),
            _names("days", config["languages"], 1),
            config["country"],
            bool(config["day_first"]),
        )
        blank = spacy.blank("xx")
        blank.tokenizer = functools.partial(tokenize, blank.vocab)
        months, weekdays = set(self._reading.months), set(self._reading.weekdays)
        self._nlp = blank
        self._matchers = build(blank, config["entities"], months, weekdays)
        self._months, self._days = months, weekdays | values.RELATIVE.keys()
        self._ruler = _ruler(blank, config["patterns"])
        self._labels: dict[str, str] = dict(config["labels"])
        self._model = _open(config["model"]) if config["model"] else None
        self._read: dict[str, Callable[[str], Any]] = {
            "email": values.email,
            "tracking_number": values.tracking_number,
            "phone": lambda text: values.phone(text, self._reading.country),
            "money": values.money,
            "date": lambda text: values.day(text, date.today(), self._reading),
            "product_code": values.product_code,
            "order_number": values.order_number,
        }

    def process(self, messages: list[Message]) -> list[Message]:
        """Add entities to messages."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                found = self.extract(str(text))
                if found:
                    kept = _beside(message.get(ENTITIES, []), found)
                    message.set(ENTITIES, kept + self.add_extractor_name(found), add_to_output=True)
        return messages

    def extract(self, text: str) -> list[Entity]:
        """Return what is in `text`, in order and without overlaps."""
        text = text[:MOST_CHARACTERS]
        found: list[tuple[int, Entity]] = []
        names = possible(text, self._matchers, self._months, self._days)
        if names or self._ruler:
            document = self._nlp.make_doc(text)
            for name in names:
                found += self._matched(name, document)
            if self._ruler:
                found += [(0, _entity(span)) for span in self._ruler(document).ents]
        if self._model:
            found += [
                (len(NAMES), _entity(span, self._labels[span.label_]))
                for span in self._model(text).ents
                if span.label_ in self._labels
            ]
        return _longest(found)

    def _matched(self, name: str, document: Doc) -> Iterator[tuple[int, Entity]]:
        for _, start, end in self._matchers[name](document):
            value = self._value(name, document, start, end)
            # A phone number and an order number after it look like one of the former.
            while value is None and name == "phone" and end > start + 1:
                end -= 1
                value = self._value(name, document, start, end)
            if value is None:
                continue
            span = document[start:end]
            entity: Entity = {"entity": name, "start": span.start_char, "end": span.end_char}
            if isinstance(value, tuple):
                entity["value"], entity["additional_info"] = value
            else:
                entity["value"] = value
            yield NAMES.index(name), entity

    def _value(self, name: str, document: Doc, start: int, end: int) -> Any:
        """Return the value of a match, None when what stands around it makes it another thing."""
        text = document.text
        span = document[start:end]
        first, last = span.start_char, span.end_char
        before, after = text[max(0, first - 7) : first], text[last : last + 7]
        if _GOES_BEFORE.search(before) or _GOES_ON.match(after):
            return None
        if name in ("order_number", "money", "date") and (
            _PART_BEFORE.search(before) or _PART_AFTER.match(after)
        ):
            return None
        if name == "order_number" and (
            _CODE_BEFORE.search(before) or any(_within(span, c) for c in _CARD.finditer(text))
        ):
            return None
        if name == "date" and end - start == 1 and span.text.casefold() in values.RELATIVE:
            alone = sum(token.is_alpha for token in document) == 1
            if (alone and span.text.casefold() in _MORNING) or (
                start and document[start - 1].lower_ in _NO_DAY
            ):
                return None
        return self._read[name](text[first:last])


def _within(span: Any, found: re.Match[str]) -> bool:
    return bool(found.start() <= span.start_char and span.end_char <= found.end())


def _names(kind: str, languages: list[str], plus: int) -> dict[str, int]:
    """Return the number of each month's or weekday's name in `languages`, in lower case."""
    from babel import Locale, UnknownLocaleError

    numbers: dict[str, int] = {}
    for language in languages:
        try:
            locale = Locale.parse(language)
        except (UnknownLocaleError, ValueError) as error:
            raise InvalidConfigException(
                f"SpacyMatchers: languages: {language!r} is not the code of a language, as en"
            ) from error
        names = getattr(locale, kind)
        widths = ("wide",) if kind == "days" else ("wide", "abbreviated")
        for context in ("format", "stand-alone"):
            for width in widths:
                for number, name in names[context].get(width, {}).items():
                    word = name.rstrip(".").casefold()
                    if re.fullmatch(r"[^\W\d_]{3,}", word):
                        numbers.setdefault(word, number)
    return numbers


def _ruler(nlp: Language, patterns: list[Any]) -> Any:
    if not patterns:
        return None
    from spacy.pipeline import EntityRuler

    ruler = EntityRuler(nlp, phrase_matcher_attr="LOWER")
    try:
        ruler.add_patterns(patterns)
    except Exception as error:
        raise InvalidConfigException(
            f"SpacyMatchers: patterns: {error}; each is a label, a pattern and perhaps an id"
        ) from error
    return ruler


def _open(name: str) -> Language:
    import spacy

    try:
        return spacy.load(name, exclude=["parser", "lemmatizer", "textcat"])
    except OSError as error:
        raise InvalidConfigException(
            f"SpacyMatchers: model: {name!r} is neither an installed spaCy model nor the folder"
            f" of one; `python -m spacy download NAME` gets one"
        ) from error


def _entity(span: Any, name: str = "") -> Entity:
    return {
        "entity": name or span.label_,
        "start": span.start_char,
        "end": span.end_char,
        "value": span.ent_id_ or span.text,
    }


def _longest(found: list[tuple[int, Entity]]) -> list[Entity]:
    """Leave out what overlaps with something longer, or as long and of an earlier rank."""
    ranked = sorted(found, key=lambda f: (f[1]["start"] - f[1]["end"], f[0], f[1]["start"]))
    kept: list[Entity] = []
    for _, entity in ranked:
        if all(entity["end"] <= o["start"] or entity["start"] >= o["end"] for o in kept):
            kept.append(entity)
    return sorted(kept, key=lambda entity: int(entity["start"]))


def _beside(earlier: list[Entity], found: list[Entity]) -> list[Entity]:
    """Return what stays of earlier extractors' entities. `found` loses what lies in longer ones."""
    kept = [
        old
        for old in earlier
        if not any(
            new["start"] <= old["start"] and old["end"] <= new["end"]
            for new in found
            if old.get("start") is not None
        )
    ]
    found[:] = [
        new
        for new in found
        if not any(
            old.get("start") is not None
            and old["start"] < new["end"]
            and new["start"] < old["end"]
            and old["end"] - old["start"] > new["end"] - new["start"]
            for old in kept
        )
    ]
    return kept
