"""Sentence embeddings by `transformers` on TensorFlow, which Rasa brings anyway."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bot.knowledge.errors import EmbeddingsUnavailable
from bot.message import clean

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

#: Tokens of a text that are looked at. Passages have fewer; time grows with the square.
MOST_TOKENS = 256
#: Tokens, with padding, that are computed at once: more is no faster, and needs more memory.
_BATCH_TOKENS = 4096

_WEIGHTS = ("model.safetensors", "tf_model.h5")
_SHARDS = ("model.safetensors.index.json", "tf_model.h5.index.json")
_CONFIGS = ("config.json", "1_Pooling/config.json", "sentence_bert_config.json")


class Embedder(Protocol):
    """What makes vectors of texts."""

    @property
    def model(self) -> str:
        """The id of the model: vectors of different ids must not be compared."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return a float32 array, a row of length 1 for each text. May be called by threads.

        Raises EmbeddingsUnavailable.
        """


def open_embedder(name: str, threads: int = 1) -> TransformerEmbedder | None:
    """Return the embedder that ``knowledge.embeddings`` names, None for ""."""
    return TransformerEmbedder(name, threads) if name else None


@dataclass(frozen=True)
class _Loaded:
    tokenizer: Any
    run: Callable[..., Any]
    names: tuple[str, ...]
    tokens: int
    width: int


class TransformerEmbedder:
    """The sentence-embedding model `model`: a folder, or an id of the Hugging Face hub.

    It is loaded at its first use, which takes seconds; not before, so that it may be made
    in a process that will be forked. `threads` is what one computation may use: the
    processes of a machine share its cores, and for one question two threads are no faster
    than one.
    """

    def __init__(self, model: str | Path, threads: int = 1) -> None:
        self._name = str(model)
        self._threads = threads
        self._loading = threading.Lock()
        self._tokenizing = threading.Lock()
        self._loaded: _Loaded | None = None
        self._model = ""

    def __repr__(self) -> str:
        return f"TransformerEmbedder({self._name!r})"

    @property
    def model(self) -> str:
        """See `Embedder.model`: the name, and a hash of configuration and size of weights."""
        if not self._model:
            self._model = _id(self._name, self._folder())
        return self._model

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """See `Embedder.encode`. An empty text has a vector too, that of nothing."""
        import numpy as np

        loaded = self._load()
        if not texts:
            return np.zeros((0, loaded.width), np.float32)
        with self._tokenizing:
            tokens = loaded.tokenizer(
                [clean(text[: 16 * MOST_TOKENS]) for text in texts],
                truncation=True,
                max_length=loaded.tokens,
            )
        lengths = np.array([len(ids) for ids in tokens["input_ids"]])
        made = np.empty((len(texts), loaded.width), np.float32)
        for rows in _batches(lengths):
            longest = int(lengths[rows].max())
            made[rows] = loaded.run(*_padded(tokens, loaded, rows, longest)).numpy()
        return made

    def _folder(self) -> Path:
        folder = Path(self._name)
        if folder.is_dir():
            return folder
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", self._name) or folder.exists():
            raise EmbeddingsUnavailable(self._name, "there is no such folder")
        try:
            from huggingface_hub import snapshot_download

            return Path(
                snapshot_download(
                    self._name, allow_patterns=["*.json", "*.txt", "*.model", *_WEIGHTS]
                )
            )
        except Exception as error:
            # Whatever is wrong with the network, the hub or the cache: the model is not there.
            why = f"it is no folder, and the hub does not give it ({type(error).__name__})"
            raise EmbeddingsUnavailable(self._name, why) from error

    def _load(self) -> _Loaded:
        with self._loading:
            if self._loaded is None:
                folder = self._folder()
                _check(self._name, folder)
                try:
                    self._loaded = _open(folder, self._threads)
                except Exception as error:
                    # The libraries raise nearly everything there is for a damaged model.
                    said = " ".join(str(error).split())[:200]
                    why = f"{type(error).__name__}: {said}"
                    raise EmbeddingsUnavailable(self._name, why) from error
            return self._loaded


def _id(name: str, folder: Path) -> str:
    seen = hashlib.sha256()
    for config in _CONFIGS:
        with suppress(OSError):
            seen.update((folder / config).read_bytes())
        seen.update(b"\0")
    weights = sorted(path for path in folder.glob("*") if path.suffix in (".safetensors", ".h5"))
    for path in weights:
        seen.update(f"{path.name}:{path.stat().st_size}\n".encode())
    parts = [re.sub(r"[^\w.-]", "-", part) for part in Path(name).parts if part.strip("/.")]
    # Only the end of a path, for the same folder is elsewhere on another machine.
    return f"{(parts or ['model'])[-1]}-{seen.hexdigest()[:12]}"


def _check(name: str, folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise EmbeddingsUnavailable(name, "its folder has no config.json")
    if not any((folder / file).is_file() for file in (*_WEIGHTS, *_SHARDS)):
        why = "its folder has neither model.safetensors nor tf_model.h5"
        if (folder / "pytorch_model.bin").exists():
            why += "; pytorch_model.bin needs PyTorch, convert it to safetensors"
        raise EmbeddingsUnavailable(name, why)


def _setting(file: Path, name: str, default: Any) -> Any:
    try:
        return json.loads(file.read_text("utf-8")).get(name, default)
    except FileNotFoundError:
        return default


def _open(folder: Path, threads: int) -> _Loaded:
    """Load tokenizer and weights and make the function that computes them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Its threads would be in the way of a fork, and it is never what takes long.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        from transformers import AutoTokenizer, TFAutoModel
        from transformers.utils import logging as chatter

    if not tf.config.threading.get_intra_op_parallelism_threads():
        # Too late when Rasa has computed something already; its own setting holds then.
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
    level = chatter.get_verbosity()
    # What it warns of is checked below.
    chatter.set_verbosity_error()
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
        safe = any((folder / file).is_file() for file in (_WEIGHTS[0], _SHARDS[0]))
        model, told = TFAutoModel.from_pretrained(
            str(folder), output_loading_info=True, use_safetensors=safe
        )
    finally:
        chatter.set_verbosity(level)
    missing = [name for name in told["missing_keys"] if "pooler" not in name]
    if missing:
        raise ValueError(f"its weights lack {missing[0]} and {len(missing) - 1} others")
    pooling = folder / "1_Pooling" / "config.json"
    by_first = bool(_setting(pooling, "pooling_mode_cls_token", False))
    if not by_first and not _setting(pooling, "pooling_mode_mean_tokens", True):
        raise ValueError("its 1_Pooling/config.json asks for neither mean nor cls pooling")
    tokens = min(
        MOST_TOKENS,
        int(_setting(folder / "sentence_bert_config.json", "max_seq_length", 0) or MOST_TOKENS),
        int(tokenizer.model_max_length),
    )
    names = tuple(
        name
        for name in ("input_ids", "attention_mask", "token_type_ids")
        if name in tokenizer.model_input_names
    )

    # Measured with MiniLM and one question on one busy core, median (95th percentile): called
    # eagerly 71 (103) ms, as a function for padded shapes of 16, 32, … tokens 14 (18) ms and
    # 4.6 s to make the first of them, as one function for all shapes 12 (15) ms and 1.3 s.
    # Padding computes for nothing, and here costs as much as the fixed shapes save.
    @tf.function(
        input_signature=[tf.TensorSpec([None, None], tf.int32)] * len(names), autograph=False
    )
    def run(*given: Any) -> Any:
        inputs = dict(zip(names, given, strict=True))
        states = model(inputs, training=False).last_hidden_state
        if by_first:
            pooled = states[:, 0]
        else:
            mask = tf.cast(inputs["attention_mask"], states.dtype)[:, :, None]
            pooled = tf.reduce_sum(states * mask, 1) / tf.maximum(tf.reduce_sum(mask, 1), 1e-9)
        return tf.math.l2_normalize(tf.cast(pooled, tf.float32), -1)

    width = int(model.config.hidden_size)
    loaded = _Loaded(tokenizer, run, names, tokens, width)
    # The first call makes the function, which takes a second no customer should wait for.
    run(*_padded(tokenizer(["."]), loaded, [0], len(tokenizer(".")["input_ids"])))
    return loaded


def _batches(lengths: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each batch: alike in length, so that little is padded."""
    import numpy as np

    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        count = max(1, _BATCH_TOKENS // int(lengths[order[start]]))
        batches.append(order[start : start + count])
        start += count
    return batches


def _padded(tokens: Any, loaded: _Loaded, rows: Iterable[int], length: int) -> list[np.ndarray]:
    import numpy as np

    pads = {"input_ids": loaded.tokenizer.pad_token_id or 0}
    rows = list(rows)
    made = []
    for name in loaded.names:
        block = np.full((len(rows), length), pads.get(name, 0), np.int32)
        for n, row in enumerate(rows):
            given = tokens[name][row]
            block[n, : len(given)] = given
        made.append(block)
    return made
