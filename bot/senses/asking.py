"""Does what listens to recordings answer? For ``bot check --online``."""

from __future__ import annotations

import io
import wave
from dataclasses import replace
from pathlib import Path

from bot.senses.contract import EngineMissing
from bot.senses.endpoint import Endpoint
from bot.senses.whisper import missing
from bot.settings import Transcription

# A second of nothing: endpoints refuse what is shorter than a tenth of one.
_RATE, _FRAMES = 16_000, 16_000


async def ask(settings: Transcription, timeout: float) -> str:
    """Have a second of silence listened to, and say who did. Nothing is asked of a model here.

    Raises NotSensed, EngineMissing.
    """
    if settings.engine == "whisper":
        return _look(settings)
    endpoint = Endpoint(replace(settings, timeout_seconds=timeout))
    try:
        await endpoint.transcribe(silence(), "audio/wav")
    finally:
        await endpoint.close()
    return f"{settings.model} listened"


def silence() -> bytes:
    """Return a WAVE in which nothing is said."""
    out = io.BytesIO()
    with wave.open(out, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(_RATE)
        made.writeframes(bytes(2 * _FRAMES))
    return out.getvalue()


def _look(settings: Transcription) -> str:
    if absent := missing(settings):
        raise EngineMissing(absent[0])
    folder = Path(settings.model)
    if not folder.exists():
        return f"{settings.model} is no folder, so it is fetched at its first use"
    if not (folder / "model.bin").is_file():
        raise EngineMissing(f"{folder} has no model.bin, it is no model of faster-whisper")
    return f"folder {folder}"
