"""Marian models on TensorFlow: a tiny one with random weights, and ones that cannot be used.

What random weights say is no translation, and is refused as such; all else is as with a real
model: loading, the thread, batches, the way by English.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from bot.translation.contract import EngineFailed, Job, NotTranslated, UnsupportedPair
from bot.translation.marian import MarianEngine, pairs_of
from bot.translation.translator import Translator
from tests.kit.translating import TELLS

JOB = Job("line:shop:ann", "hear")
WORDS = ["onde", "está", "a", "minha", "encomenda", "where", "is", "my", "order", "7001", "?"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import MarianConfig, PreTrainedTokenizerFast, TFMarianMTModel

    folder = tmp_path_factory.mktemp("tiny")
    vocab = {word: n for n, word in enumerate(["<pad>", "</s>", "<unk>", *WORDS])}
    made = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)  # fmt: skip
    config = MarianConfig(
        vocab_size=len(vocab), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, max_position_embeddings=64, pad_token_id=0, eos_token_id=1,
        decoder_start_token_id=0, forced_eos_token_id=1, bad_words_ids=None, max_length=12,
    )  # fmt: skip
    model = TFMarianMTModel(config)
    model(model.dummy_inputs)
    model.save_pretrained(folder)
    return folder


async def test_a_model_runs_in_a_thread_of_its_own_and_answers_every_text(tiny: Path) -> None:
    engine = MarianEngine({("pt", "en"): str(tiny), ("en", "fr"): str(tiny)})
    before = threading.active_count()
    texts = ["onde está a minha encomenda 7001 ?", "minha encomenda. onde está ?"]
    first = await engine.translate(texts, "pt", "en", JOB)
    assert len(first) == len(texts)
    assert all(word in WORDS for text in first for word in text.split())
    assert await engine.translate(texts, "pt", "en", JOB) == first
    assert threading.active_count() > before
    # By way of English.
    assert engine.can("pt", "fr")
    assert not engine.can("fr", "pt")
    assert len(await engine.translate(texts, "pt", "fr", JOB)) == len(texts)
    with pytest.raises(UnsupportedPair, match="fr-pt"):
        await engine.translate(texts, "fr", "pt", JOB)
    await engine.close()


async def test_what_random_weights_say_is_no_translation(tiny: Path) -> None:
    translator = Translator(MarianEngine({("pt", "en"): str(tiny)}), TELLS)
    with pytest.raises(NotTranslated):
        await translator.translate(
            ["onde está a minha encomenda 1042 hoje, que 3 dias passaram ?"],
            "pt",
            "en",
            conversation="c",
            purpose="hear",
        )
    await translator.close()


async def test_a_model_that_is_not_there_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = MarianEngine({("pt", "en"): str(tmp_path / "nothing")})
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            with pytest.raises(EngineFailed, match="marian pt-en"):
                await engine.translate(["onde"], "pt", "en", JOB)
    assert len(caplog.records) == 1
    assert "onde" not in caplog.text
    await engine.close()


async def test_sentencepiece_is_asked_for_by_name(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.translation.marian.find_spec", lambda name: None)
    engine = MarianEngine({("pt", "en"): str(tmp_path)})
    with caplog.at_level(logging.ERROR), pytest.raises(EngineFailed):
        await engine.translate(["onde"], "pt", "en", JOB)
    assert "needs the package sentencepiece" in caplog.text
    await engine.close()


def test_marks_are_numbers_that_the_text_has_not() -> None:
    engine = MarianEngine({})
    assert engine.token(1, "order 1042") == "7001"
    assert engine.token(2, "order 7050") == "7102"


def test_the_settings_pairs() -> None:
    assert pairs_of({"pt-en": "dir", "en-pt": "hub/id"}) == {
        ("pt", "en"): "dir",
        ("en", "pt"): "hub/id",
    }
