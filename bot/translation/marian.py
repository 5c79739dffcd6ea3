"""Marian models of `transformers`, on TensorFlow: translation that never leaves the machine."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bot.translation.contract import EngineFailed, Job, UnsupportedPair

log = logging.getLogger(__name__)

#: Seconds that one translation may take, loading apart; a customer waits for it.
TIMEOUT, LOADING = 20.0, 120.0
#: Tokens of a sentence that are read, beams that are followed.
_TOKENS, _BEAMS = 320, 2
_PIVOT = "en"
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_NUMBERS_FROM = 7001


class ModelUnfit(Exception):
    """A model cannot be used here; the text says what is missing."""


def pairs_of(models: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return models by the languages that the settings name, as in ``pt-en``."""
    return {(pair[:2], pair[3:]): model for pair, model in models.items()}


class MarianEngine:
    """Implements `Engine` with a model for each pair: a folder, or an id of the hub.

    Pairs without a model go by way of English. A model is loaded when it is first needed, in
    the one thread that runs all of them; process and thread are those of the first call, so
    that this may be made before a fork.
    """

    repairs = False

    def __init__(
        self,
        models: Mapping[tuple[str, str], str],
        *,
        timeout: float = TIMEOUT,
        loading: float = LOADING,
    ) -> None:
        self._models = dict(models)
        self._timeout = timeout
        self._first = loading
        self._pid = 0
        self._pool: ThreadPoolExecutor | None = None
        self._loaded: dict[tuple[str, str], tuple[Any, Any]] = {}
        self._broken: dict[tuple[str, str], str] = {}
        self._making = threading.Lock()

    @property
    def name(self) -> str:
        """See `Engine`."""
        return "marian"

    def can(self, source: str, target: str) -> bool:
        """See `Engine`."""
        return bool(self._way(source, target))

    def token(self, number: int, taken: str) -> str:
        """See `Engine`: a number that the text has not, for a number is copied best."""
        free = _NUMBERS_FROM
        while True:
            base = range(free, free + 100)
            if not any(str(one) in taken for one in base):
                return str(free + number - 1)
            free += 100

    async def translate(
        self, texts: Sequence[str], source: str, target: str, job: Job
    ) -> list[str]:
        """See `Engine`."""
        way = self._way(source, target)
        if not way:
            raise UnsupportedPair(f"no Marian model is set for {source}-{target}")
        made = list(texts)
        for pair in way:
            made = await self._step(pair, made)
        return made

    async def close(self) -> None:
        """Let go of the thread; what it is at is finished."""
        if self._pool is not None and self._pid == os.getpid():
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None

    def _way(self, source: str, target: str) -> list[tuple[str, str]]:
        if (source, target) in self._models:
            return [(source, target)]
        by_way = [(source, _PIVOT), (_PIVOT, target)]
        return by_way if all(pair in self._models for pair in by_way) else []

    async def _step(self, pair: tuple[str, str], texts: list[str]) -> list[str]:
        if pair in self._broken:
            raise EngineFailed(self._broken[pair])
        if self._pid != os.getpid():
            self._pid, self._pool = os.getpid(), None
            # A computation that was made before the fork has no threads any more.
            self._loaded = {}
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="marian")
        seconds = self._timeout if pair in self._loaded else self._first
        working = asyncio.wrap_future(self._pool.submit(self._run, pair, texts))
        try:
            return await asyncio.wait_for(asyncio.shield(working), seconds)
        except asyncio.TimeoutError:
            working.cancel()
            raise EngineFailed(f"marian {'-'.join(pair)}: took more than {seconds:g} s") from None
        except Exception as error:
            # The libraries raise nearly everything there is for a damaged model.
            why = f"marian {'-'.join(pair)}: {type(error).__name__}"
            if pair not in self._loaded:
                self._broken[pair] = why
                log.error("%s cannot be loaded: %s", why, " ".join(str(error).split())[:200])
            raise EngineFailed(why) from error

    def _run(self, pair: tuple[str, str], texts: list[str]) -> list[str]:
        with self._making:
            if pair not in self._loaded:
                self._loaded[pair] = _load(self._models[pair])
        tokenizer, model = self._loaded[pair]
        # Marian was trained on sentences; of a paragraph it drops some.
        cut = [_SENTENCE.split(text) for text in texts]
        flat = [sentence for sentences in cut for sentence in sentences]
        places = int(model.config.max_position_embeddings)
        batch = tokenizer(
            flat,
            return_tensors="tf",
            padding=True,
            truncation=True,
            max_length=min(_TOKENS, places),
        )
        most = min(2 * int(batch["input_ids"].shape[1]) + 24, places)
        made = model.generate(**batch, num_beams=_BEAMS, max_length=most)
        words = iter(tokenizer.batch_decode(made, skip_special_tokens=True))
        return [" ".join(next(words).strip() for _ in sentences) for sentences in cut]


def _load(name: str) -> tuple[Any, Any]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import TFMarianMTModel
    # Of the two what is quicker to fail.
    tokenizer = _tokenizer(name)
    safe = Path(name).is_dir() and (Path(name) / "model.safetensors").is_file()
    model = TFMarianMTModel.from_pretrained(name, use_safetensors=safe or None)
    return tokenizer, model


def _tokenizer(name: str) -> Any:
    """Return the model's tokenizer: a ``tokenizer.json`` beside it, or sentencepiece's."""
    from transformers import PreTrainedTokenizerFast

    if (Path(name) / "tokenizer.json").is_file():
        return PreTrainedTokenizerFast.from_pretrained(name)
    if find_spec("sentencepiece") is None:
        raise ModelUnfit("it needs the package sentencepiece, or a tokenizer.json in its folder")
    from transformers import MarianTokenizer

    return MarianTokenizer.from_pretrained(name)
