"""faster-whisper on this machine: an optional package, with a model that it loads itself.

https://github.com/SYSTRAN/faster-whisper : `WhisperModel(size_or_folder)`, whose `transcribe`
takes a binary file in any format of FFmpeg's, and gives segments one after the other.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.senses.contract import EngineMissing, ModelDown, TooLate, WrongFormat
from bot.senses.ears import Part, Transcript
from bot.settings import Transcription

log = logging.getLogger(__name__)

PACKAGE = "faster-whisper"
_MODULE = "faster_whisper"


def missing(settings: Transcription) -> list[str]:
    """Return a line that says what is not installed, none where nothing is missing."""
    if settings.engine != "whisper" or importlib.util.find_spec(_MODULE) is not None:
        return []
    return [
        f"endpoints.yml, transcription: engine: whisper needs the package {PACKAGE}, "
        "which is not installed; install it, or use engine: endpoint"
    ]


class Whisper:
    """An `Engine` in this process: one recording at a time, in a thread of its own.

    Raises EngineMissing when the package is not installed. The model is loaded, and if need be
    fetched, at the first recording: a worker is forked before.
    """

    def __init__(self, settings: Transcription) -> None:
        if absent := missing(settings):
            raise EngineMissing(absent[0])
        self._settings = settings
        self._model: Any = None
        # Those who wait for their turn must not wait in the threads that all else uses.
        self._pool: ThreadPoolExecutor | None = None

    async def transcribe(self, data: bytes, mime: str) -> Transcript:
        """See `Engine`. What takes too long is waited for no more; it ends by itself."""
        given_up = threading.Event()
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="whisper")
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, self._work, data, given_up)
        work.add_done_callback(_looked_at)
        try:
            done, _ = await asyncio.wait({work}, timeout=self._settings.timeout_seconds)
        finally:
            # Also where nobody waits any more.
            given_up.set()
        if not done:
            raise TooLate(f"{self._settings.model} gave no words in time")
        return work.result()

    async def close(self) -> None:
        """See `Engine`. What is listened to is finished."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _work(self, data: bytes, given_up: threading.Event) -> Transcript:
        if given_up.is_set():
            raise TooLate("others were listened to until the time was over")
        if self._model is None:
            self._model = self._loaded()
        try:
            # Segments are made while they are asked for.
            made, _ = self._model.transcribe(
                io.BytesIO(data),
                language=self._settings.language or None,
                vad_filter=True,
                condition_on_previous_text=False,
            )
            texts, parts = [], []
            for segment in made:
                texts.append(str(segment.text).strip())
                length = float(segment.end) - float(segment.start)
                parts.append(
                    Part(length, float(segment.avg_logprob), float(segment.no_speech_prob))
                )
                if given_up.is_set() or segment.end > self._settings.max_seconds:
                    break
        except Exception as error:
            # FFmpeg's errors, for files that are no sound or damaged.
            reason = f"the recording cannot be read ({type(error).__name__})"
            raise WrongFormat(reason) from error
        return Transcript(" ".join(texts), self._settings.model, tuple(parts))

    def _loaded(self) -> Any:
        from faster_whisper import WhisperModel

        try:
            # Models are saved as float16, which processors compute as float32, "default", ten
            # times more slowly than what "auto" finds them to be quick at, int8.
            return WhisperModel(self._settings.model, device="auto", compute_type="auto")
        except Exception as error:
            reason = f"{self._settings.model} cannot be loaded ({type(error).__name__})"
            log.error("transcription: %s", reason)
            raise ModelDown(reason) from error


def _looked_at(work: asyncio.Future[Transcript]) -> None:
    # What nobody waits for any more has an error that nobody asks for.
    if not work.cancelled():
        work.exception()
