"""``POST /llm/v1/audio/transcriptions`` of the sandbox: OpenAI's transcriptions, by rules.

It understands the recordings of `bot.sandbox.voices` and hears nothing in others. Models have
manners as chat models have (`slow`, `429`, `500`, `401`, `404`, `reset`, `empty`,
`garbage-stream`), and these: ``json-only`` answers 400 to ``verbose_json``, as
OpenAI's newer models do, and ``deaf`` 400 to every file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.errors import BadRequest
from bot.sandbox.voices import heard
from bot.senses.sound import seconds

#: Manners that only make sense here.
MANNERS: Mapping[str, str] = {
    "json-only": "answers 400 to verbose_json",
    "deaf": "cannot read any recording",
}
_MOST_BYTES = 26_214_400
_LIKELY, _UNLIKELY = -0.2, -1.1


async def form(request: web.Request) -> tuple[dict[str, str], bytes, str]:
    """Return the fields of a multipart request, its file, and the file's name.

    Raises BadRequest.
    """
    if not request.content_type.startswith("multipart/"):
        raise BadRequest("send multipart/form-data")
    fields: dict[str, str] = {}
    data, name = b"", ""
    parts = await request.multipart()
    while (content := await _next(parts)) is not None:
        if content.name == "file":
            data, name = bytes(await content.read()), str(content.filename or "")
        else:
            fields[str(content.name)] = await content.text()
    if not data or not name:
        raise BadRequest("file is missing")
    if not fields.get("model"):
        raise BadRequest("model is missing")
    if len(data) > _MOST_BYTES:
        raise BadRequest("the file is too large")
    return fields, data, name


async def _next(parts: Any) -> Any:
    return await parts.next()


def transcript(fields: Mapping[str, str], data: bytes, manner: str) -> dict[str, Any]:
    """Return the answer's JSON."""
    said = heard(data)
    text = said.text if said is not None and manner != "empty" else ""
    if fields.get("response_format", "json") != "verbose_json":
        return {"text": text}
    length = seconds(data) or 0.0
    likely = _LIKELY if said is not None and said.clear else _UNLIKELY
    segment = {
        "id": 0,
        "start": 0.0,
        "end": length,
        "text": text,
        "avg_logprob": likely,
        "no_speech_prob": 0.02 if text else 0.97,
    }
    return {
        "task": "transcribe",
        "language": fields.get("language") or "english",
        "duration": length,
        "text": text,
        "segments": [segment],
    }
