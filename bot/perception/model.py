"""Sentiment by a text-classification model of `transformers`, on TensorFlow."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

log = logging.getLogger(__name__)

#: Seconds a message may wait for its judgement; the lexicon has one at once.
TIMEOUT = 2.0
#: Tokens that are read of a message.
_TOKENS = 256

_NAMES = {
    "very negative": -1.0,
    "negative": -1.0,
    "neg": -1.0,
    "neutral": 0.0,
    "neu": 0.0,
    "mixed": 0.0,
    "positive": 1.0,
    "pos": 1.0,
    "very positive": 1.0,
}
_NUMBERED = re.compile(r"label[_ ]?(\d)")
_STARS = re.compile(r"([1-5])[ _]?stars?")


class ModelUnfit(Exception):
    """A model does not tell sentiment. The text names its labels, and which are known."""


def values_of(labels: Mapping[int, str]) -> list[float]:
    """Return what each class of a model is worth, from -1 to 1, in the order of classes.

    Known are positive, negative and neutral, ``LABEL_0``… of two or three classes (worst
    first), and ``1 star`` to ``5 stars``. Raises ModelUnfit.
    """
    names = [" ".join(str(labels[n]).lower().split()) for n in sorted(labels)]
    values = []
    for name in names:
        numbered, stars = _NUMBERED.fullmatch(name), _STARS.fullmatch(name)
        if numbered and len(names) in (2, 3):
            values.append(2 * int(numbered[1]) / (len(names) - 1) - 1)
        elif stars:
            values.append((int(stars[1]) - 3) / 2)
        elif name in _NAMES:
            # "Positive" is less than "very positive" where both are.
            graded = f"very {name}" in names
            values.append(_NAMES[name] * (0.5 if graded else 1.0))
        else:
            known = "positive, negative, neutral, LABEL_0 to LABEL_2, 1 star to 5 stars"
            shown = ", ".join(names)[:80]
            raise ModelUnfit(f"its labels are {shown}, which tell no sentiment; known: {known}")
    if len(set(values)) < 2:
        raise ModelUnfit(f"it has one label, {', '.join(names)[:80]}, and tells nothing apart")
    return values


class SentimentModel:
    """A model by name or directory, loaded at first use and run in one thread of its own.

    Process and thread are those of the first call: it may be made before a fork.
    """

    def __init__(self, name: str, *, timeout: float = TIMEOUT) -> None:
        self.name = name
        self._timeout = timeout
        self._pid = 0
        self._pool: ThreadPoolExecutor | None = None
        self._working: Future[float] | None = None
        self._loaded: tuple[Any, Any, list[float]] | None = None
        self._told = False
        self._broken = False

    async def score(self, text: str) -> float | None:
        """Return the sentiment of a text between -1 and 1, None when there is none in time.

        Why is logged once, without the text.
        """
        if self._pid != os.getpid():
            self._pid, self._pool, self._working = os.getpid(), None, None
        if self._broken or (self._working is not None and not self._working.done()):
            # It is still at the message before, or loading.
            return None
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="sentiment")
        self._working = self._pool.submit(self._score, text)
        try:
            return await asyncio.wait_for(
                asyncio.shield(asyncio.wrap_future(self._working)), self._timeout
            )
        except asyncio.TimeoutError:
            self._tell(f"takes more than {self._timeout:g} seconds")
        except ModelUnfit as error:
            self._broken = True
            self._tell(str(error))
        except Exception as error:
            self._broken = self._loaded is None
            self._tell(f"cannot be {'loaded' if self._broken else 'run'}: {type(error).__name__}")
        return None

    def close(self) -> None:
        """Let go of the thread; what it is at is finished."""
        if self._pool is not None and self._pid == os.getpid():
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None

    def _tell(self, what: str) -> None:
        if not self._told:
            self._told = True
            log.warning("sentiment model %s %s; the lexicon is used instead", self.name, what)

    def _score(self, text: str) -> float:
        if self._loaded is None:
            self._loaded = self._load()
        tokenizer, model, values = self._loaded
        import tensorflow as tf

        tokens = tokenizer(text, truncation=True, max_length=_TOKENS, return_tensors="tf")
        chances = tf.nn.softmax(model(**tokens, training=False).logits[0]).numpy()
        return float(sum(chance * value for chance, value in zip(chances, values, strict=True)))

    def _load(self) -> tuple[Any, Any, list[float]]:
        from transformers import AutoConfig, AutoTokenizer, TFAutoModelForSequenceClassification

        # A model that tells something else is not worth its weights.
        values = values_of(AutoConfig.from_pretrained(self.name).id2label)
        tokenizer = AutoTokenizer.from_pretrained(self.name)
        model = TFAutoModelForSequenceClassification.from_pretrained(self.name)
        return tokenizer, model, values
