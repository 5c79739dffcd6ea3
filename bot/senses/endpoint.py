"""An endpoint that speaks OpenAI's transcription protocol.

``POST {url}/audio/transcriptions``, multipart, with ``file``, ``model``, ``language`` and
``response_format``: https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.llm.endpoint import is_here
from bot.senses.contract import ModelDown, TooLarge, TooLate, WrongFormat
from bot.senses.ears import Part, Transcript
from bot.settings import Transcription

if TYPE_CHECKING:
    from aiohttp import ClientSession

log = logging.getLogger(__name__)

# Of an answer, in bytes: a transcript with its segments is a few kilobytes a minute.
_MOST_ANSWER = 2 * 1024 * 1024
# Segments and their likelihoods come with the first alone, which newer models of OpenAI's
# do not know.
_FORMATS = ("verbose_json", "json")
_ENDINGS = {
    "audio/3gpp": "3gp",
    "audio/aac": "aac",
    "audio/aiff": "aiff",
    "audio/amr": "amr",
    "audio/amr-wb": "amr",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/webm": "webm",
    "video/mp4": "mp4",
    "video/webm": "webm",
}


class Endpoint:
    """An `Engine` over HTTP. The connection is made at the first recording."""

    def __init__(self, settings: Transcription) -> None:
        self._settings = settings
        self._session: ClientSession | None = None
        self._formats: tuple[str, ...] = _FORMATS

    async def transcribe(self, data: bytes, mime: str) -> Transcript:
        """See `Engine`. Nothing of what was said is in its errors."""
        for format in self._formats:
            answer = await self._ask(data, mime, format)
            if answer is not None:
                # The ones before it were refused for being what they are.
                self._formats = self._formats[self._formats.index(format) :]
                return answer
        raise WrongFormat(f"{self._settings.model} does not take the recording")

    async def close(self) -> None:
        """See `Engine`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, data: bytes, mime: str, format: str) -> Transcript | None:
        """Return what was heard, None when the endpoint refuses the question."""
        import aiohttp

        if self._session is None:
            # A proxy of the environment is not on this machine: what was said would leave it.
            self._session = aiohttp.ClientSession(trust_env=not is_here(self._settings.url))
        form = aiohttp.FormData()
        # Its ending is how most servers tell the format.
        form.add_field("file", data, filename=f"voice.{ending(mime)}", content_type=mime)
        form.add_field("model", self._settings.model)
        form.add_field("response_format", format)
        form.add_field("temperature", "0")
        if self._settings.language:
            form.add_field("language", self._settings.language)
        key = self._settings.api_key
        url = f"{self._settings.url.rstrip('/')}/audio/transcriptions"
        try:
            async with self._session.post(
                url,
                data=form,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout_seconds),
                allow_redirects=False,
            ) as response:
                body = b""
                async for some in response.content.iter_any():
                    body += some
                    if len(body) > _MOST_ANSWER:
                        break
                return self._heard(response.status, body)
        except asyncio.TimeoutError:
            raise TooLate(f"{self._settings.model} gave no answer in time") from None
        except aiohttp.ClientError as error:
            raise ModelDown(
                f"{self._settings.model} cannot be reached ({type(error).__name__})"
            ) from None

    def _heard(self, status: int, body: bytes) -> Transcript | None:
        model = self._settings.model
        if status == 413:
            raise TooLarge(f"{model} finds the recording too large")
        if status in (400, 415, 422):
            return None
        if status in (401, 403, 404):
            why = f"{model} answered {status}: check url, model and api_key"
            log.error("%s", why)
            raise ModelDown(why)
        if status != 200:
            raise ModelDown(f"{model} answered {status}")
        try:
            said = json.loads(body)
            text = said["text"]
            if not isinstance(text, str):
                raise TypeError("text is no string")
            return Transcript(text, model, tuple(_parts(said)))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelDown(f"{model} sent what is no transcript") from None


def ending(mime: str) -> str:
    """Return the ending of a file's name by which servers know its format, "ogg" for others."""
    return _ENDINGS.get(mime, "ogg")


def _parts(said: Mapping[str, Any]) -> list[Part]:
    parts = []
    for segment in said.get("segments") or ():
        values = [
            float(segment[name]) for name in ("start", "end", "avg_logprob", "no_speech_prob")
        ]
        if not all(map(math.isfinite, values)):
            raise ValueError("a number of a segment is none")
        start, end, logprob, silence = values
        parts.append(Part(end - start, logprob, silence))
    return parts
