from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from bot.perception.escalation import Escalation
from bot.perception.model import ModelUnfit, SentimentModel, values_of
from bot.perception.perceiving import Perceiver
from bot.settings.schema import Perception as Settings

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "this", "is", "good", "bad", "terrible"]
NOTHING = Escalation(default="en", llm="never", topics=(), waiting={})


def build(folder: Path, labels: list[str]) -> str:
    """Write a tiny classifier with random weights and these labels, as one downloads them."""
    from transformers import BertConfig, BertTokenizerFast, TFBertForSequenceClassification

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS), "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=300,
        id2label=dict(enumerate(labels)),
        label2id={label: n for n, label in enumerate(labels)},
        initializer_range=1.0,
    )
    model = TFBertForSequenceClassification(config)
    model.build_in_name_scope()
    model.save_pretrained(folder, safe_serialization=True)
    return str(folder)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(tmp_path_factory.mktemp("models") / "tiny", ["1 star", "3 stars", "5 stars"])


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        (["NEGATIVE", "POSITIVE"], [-1, 1]),
        (["POSITIVE", "NEGATIVE"], [1, -1]),
        (["neg", "neu", "pos"], [-1, 0, 1]),
        (["Negative", "Neutral", "Positive"], [-1, 0, 1]),
        (["LABEL_0", "LABEL_1"], [-1, 1]),
        (["LABEL_0", "LABEL_1", "LABEL_2"], [-1, 0, 1]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [-1, -0.5, 0, 0.5, 1]),
        (
            ["Very Negative", "Negative", "Neutral", "Positive", "Very Positive"],
            [-1, -0.5, 0, 0.5, 1],
        ),
    ],
)
def test_what_labels_are_worth(labels: list[str], values: list[float]) -> None:
    assert values_of(dict(enumerate(labels))) == values


@pytest.mark.parametrize(
    "labels",
    [["joy", "anger"], ["LABEL_0"], ["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"], ["positive"]],
)
def test_labels_that_tell_no_sentiment_are_refused(labels: list[str]) -> None:
    with pytest.raises(ModelUnfit):
        values_of(dict(enumerate(labels)))


async def test_a_model_is_loaded_and_asked(tiny: str) -> None:
    import tensorflow as tf
    from transformers import AutoTokenizer, TFAutoModelForSequenceClassification

    ours = SentimentModel(tiny, timeout=60)
    text = "this is terrible"
    score = await ours.score(text)
    model = TFAutoModelForSequenceClassification.from_pretrained(tiny)
    tokens = AutoTokenizer.from_pretrained(tiny)(text, return_tensors="tf")
    chances = tf.nn.softmax(model(**tokens).logits[0]).numpy()
    assert score == pytest.approx(float(chances[2] - chances[0]), abs=1e-5)
    assert await ours.score("good " * 2000) is not None
    ours.close()


async def test_the_perceiver_uses_it(tiny: str) -> None:
    perceiver = Perceiver(Settings(languages=("en",), sentiment=tiny), NOTHING)
    assert perceiver._model is not None
    perceiver._model._timeout = 60
    seen = await perceiver.perceive("this is terrible, today", last=None)
    assert any(line.endswith("by model") for line in seen.why)
    assert seen.sentiment == await perceiver._model.score("this is terrible, today")
    assert seen.urgency > 0
    perceiver.close()


async def test_without_it_there_is_the_lexicon_and_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    absent = str(tmp_path / "absent")
    perceiver = Perceiver(Settings(languages=("en",), sentiment=absent), NOTHING)
    assert perceiver._model is not None
    perceiver._model._timeout = 60
    lexical = Perceiver(Settings(languages=("en",)), NOTHING)
    with caplog.at_level(logging.WARNING):
        for text in ("this is terrible", "Snodgrass is good"):
            seen = await perceiver.perceive(text, last=None)
            assert seen == await lexical.perceive(text, last=None)
    told = [record.message for record in caplog.records if record.name == "bot.perception.model"]
    assert len(told) == 1
    assert "cannot be loaded" in told[0]
    assert "Snodgrass" not in caplog.text
    perceiver.close()


async def test_a_model_of_something_else_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = SentimentModel(build(tmp_path / "feelings", ["joy", "anger"]), timeout=60)
    with caplog.at_level(logging.WARNING):
        assert await model.score("good") is None
    assert "its labels are joy, anger, which tell no sentiment" in caplog.text
    model.close()


async def test_a_slow_model_is_not_waited_for(
    tiny: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SentimentModel(tiny, timeout=0.05)
    asked = []
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(text: str) -> Any:
        asked.append(text)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return 0.25

    monkeypatch.setattr(model, "_score", slow)
    with caplog.at_level(logging.WARNING):
        assert await model.score("one") is None
        # While it is at the first, others are not even queued.
        assert await model.score("two") is None
    assert asked == ["one"]
    assert caplog.text.count("takes more than 0.05 seconds") == 1
    go_on.set()
    working = model._working
    assert working is not None
    assert await asyncio.wrap_future(working) == 0.25
    model._timeout = 60
    assert await model.score("three") == 0.25
    model.close()
