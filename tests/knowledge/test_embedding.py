"""Embeddings: the real MiniLM, and small models made on the spot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from bot.knowledge.embedding import TransformerEmbedder, open_embedder
from bot.knowledge.errors import EmbeddingsUnavailable

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "where", "is", "my", "mug", "order"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer, with random weights that are always the same."""
    import tensorflow as tf
    from transformers import BertConfig, BertTokenizerFast, TFBertModel

    folder = tmp_path_factory.mktemp("models") / "tiny bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    tf.keras.utils.set_random_seed(3)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        type_vocab_size=2,
    )
    model = TFBertModel(config)
    model(model.dummy_inputs)
    model.save_pretrained(folder, safe_serialization=True)
    return folder


def copy(tiny: Path, to: Path, **files: object) -> Path:
    """A copy of the model with other files: "a/b.json" is written as a__b."""
    shutil.copytree(tiny, to)
    for name, content in files.items():
        path = to / f"{name.replace('__', '/')}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return to


def test_paraphrases_are_nearer_than_what_is_unrelated(minilm: TransformerEmbedder) -> None:
    vectors = minilm.encode(
        [
            "How do I send a mug back?",
            "I want to return a cup I bought",
            "What are your opening hours on Saturday?",
            "When does the store close at the weekend?",
            "How do I clean a cast iron pan?",
        ]
    )
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alike = vectors @ vectors.T
    pairs = [alike[0, 1], alike[2, 3]]
    others = [alike[0, 2], alike[1, 3], alike[4, 0], alike[4, 2]]
    assert min(pairs) > max(others) + 0.2


def test_a_text_has_one_vector_whatever_is_computed_with_it(minilm: TransformerEmbedder) -> None:
    texts = ["x", "Where is my parcel? " * 40, "", "Hello", "😀", "Where is my parcel? " * 3000]
    together = minilm.encode(texts)
    alone = np.concatenate([minilm.encode([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-4
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_no_texts(minilm: TransformerEmbedder) -> None:
    assert minilm.encode([]).shape == (0, 384)


def test_pooling_is_as_the_model_says(tiny: Path, tmp_path: Path) -> None:
    import tensorflow as tf
    from transformers import AutoTokenizer, TFAutoModel

    model = TFAutoModel.from_pretrained(str(tiny))
    tokenizer = AutoTokenizer.from_pretrained(str(tiny))
    states = model(tokenizer(["where is my mug"], return_tensors="tf")).last_hidden_state[0]

    def unit(vector: object) -> np.ndarray:
        made = np.array(vector)
        return made / np.linalg.norm(made)

    first = copy(
        tiny,
        tmp_path / "first",
        **{
            "1_Pooling__config": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
        },
    )
    for folder, expected in ((tiny, unit(tf.reduce_mean(states, 0))), (first, unit(states[0]))):
        # With a longer one beside it, so that padding counts if it is not masked.
        found = TransformerEmbedder(folder).encode(["where is my mug", "where is my order " * 5])
        assert np.abs(found[0] - expected).max() < 1e-5
    with pytest.raises(EmbeddingsUnavailable, match="neither mean nor cls pooling"):
        TransformerEmbedder(
            copy(
                tiny, tmp_path / "max", **{"1_Pooling__config": {"pooling_mode_mean_tokens": False}}
            )
        ).encode(["x"])


def test_the_length_is_as_the_model_says(tiny: Path, tmp_path: Path) -> None:
    short = copy(tiny, tmp_path / "short", sentence_bert_config={"max_seq_length": 6})
    embedder = TransformerEmbedder(short)
    one, other, third = embedder.encode(["where is my mug order", "where is my mug is", "my mug"])
    assert np.abs(one - other).max() < 1e-6
    assert np.abs(one - third).max() > 1e-3


def test_weights_of_tensorflow_alone(tiny: Path, tmp_path: Path) -> None:
    from transformers import TFAutoModel

    folder = copy(tiny, tmp_path / "h5")
    TFAutoModel.from_pretrained(str(tiny)).save_pretrained(folder, safe_serialization=False)
    (folder / "model.safetensors").unlink()
    assert (folder / "tf_model.h5").exists()
    both = [TransformerEmbedder(f).encode(["where is my mug"]) for f in (tiny, folder)]
    assert np.abs(both[0] - both[1]).max() < 1e-5


def test_the_id_tells_models_apart_and_not_where_they_lie(tiny: Path, tmp_path: Path) -> None:
    same = copy(tiny, tmp_path / "tiny bert")
    other = copy(tiny, tmp_path / "x" / "tiny bert", sentence_bert_config={"max_seq_length": 6})
    id = TransformerEmbedder(tiny).model
    assert id == TransformerEmbedder(same).model
    assert id != TransformerEmbedder(other).model
    name, _, hashed = id.rpartition("-")
    assert name == "tiny-bert"
    assert len(hashed) == 12


def test_threads_may_use_one_at_once(tiny: Path) -> None:
    embedder = TransformerEmbedder(tiny)
    expected = TransformerEmbedder(tiny).encode(["where is my mug"])
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(embedder.encode(["where is my mug"])))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(np.abs(one - expected).max() < 1e-6 for one in found)


def test_models_that_cannot_be_loaded(tiny: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    torch_only = copy(tiny, tmp_path / "torch")
    (torch_only / "model.safetensors").rename(torch_only / "pytorch_model.bin")
    damaged = copy(tiny, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"\0" * 100)
    nonsense = copy(tiny, tmp_path / "nonsense", config=["no", "mapping"])
    larger = json.loads((tiny / "config.json").read_text())
    lacking = copy(tiny, tmp_path / "lacking", config={**larger, "num_hidden_layers": 2})
    for model, why in (
        (tmp_path / "nowhere", "there is no such folder"),
        (empty, "its folder has no config.json"),
        (torch_only, "pytorch_model.bin needs PyTorch, convert it to safetensors"),
        (damaged, "cannot be loaded: "),
        (nonsense, "cannot be loaded: "),
        (lacking, "its weights lack "),
    ):
        with pytest.raises(EmbeddingsUnavailable) as caught:
            TransformerEmbedder(model).encode(["x"])
        assert str(caught.value).startswith(f"knowledge.embeddings: the model {model} cannot")
        assert why in str(caught.value)


def test_an_id_of_the_hub_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EmbeddingsUnavailable, match="some/model cannot be loaded: it is no folder"):
        TransformerEmbedder("some/model").encode(["x"])


def test_none_is_configured() -> None:
    assert open_embedder("") is None


def test_importing_and_making_one_loads_nothing() -> None:
    said = (
        "import sys, bot.knowledge.library, bot.knowledge.articles, bot.knowledge.passages\n"
        "from bot.knowledge.embedding import TransformerEmbedder\n"
        "TransformerEmbedder('x')\n"
        "print([m for m in ('tensorflow', 'transformers', 'sklearn', 'scipy', 'numpy',"
        " 'markdown_it', 'Stemmer') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", said],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert done.stdout.strip() == "[]"
