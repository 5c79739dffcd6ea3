"""What an error of the `openai` SDK, or of the connection below it, means."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from bot.llm.engine import Declined, Misconfigured, ModelFailed, Unfit, Unusable, Unwell
from bot.message import utcnow

# Refusals of a field; a question that is too long is among them and told by its words.
_REFUSALS = (400, 422)
_TOO_LONG = re.compile(
    r"context_length|context (length|window|size)|maximum context|too (long|large|many tokens)"
    r"|exceeds? .{0,40}(tokens|context|limit)|reduce the length",
)
_FILTERED = re.compile(r"content_filter|content.policy|content management policy|safety system")
# Of what was said about a refusal, so much is looked at.
_LOOK = 4_000


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure, and whether leaving something out may mend it; `about` is what was said."""

    failed: ModelFailed
    left_out: bool = False
    about: str = ""


def failure(error: Exception, spent: tuple[int, int]) -> Fault:
    """Classify an error. `spent` are the tokens that may be charged."""
    import httpx
    import openai

    if isinstance(error, ModelFailed):
        error.spent = spent
        return Fault(error)
    if isinstance(error, openai.APIStatusError):
        return _status(error, spent)
    if isinstance(error, (asyncio.TimeoutError, openai.APITimeoutError, httpx.TimeoutException)):
        return Fault(Unwell("gave no answer in time", spent))
    if isinstance(error, openai.APIConnectionError):
        return Fault(Unwell(f"cannot be reached ({_cause(error)})", spent))
    if isinstance(error, httpx.HTTPError):
        return Fault(Unwell(f"broke off ({type(error).__name__})", spent))
    if isinstance(error, openai.APIError):
        # An error in the midst of a stream that had begun with status 200.
        said = _said(error.body)
        if _FILTERED.search(said):
            return Fault(Declined("a content filter stopped the answer", spent))
        return Fault(Unwell("reported an error in the midst of its answer", spent))
    # Chunks that are no JSON, or JSON of another shape, end in errors of many kinds.
    return Fault(Unusable(f"sent what is no chat stream ({type(error).__name__})", spent))


def _status(error: Any, spent: tuple[int, int]) -> Fault:
    status, said = int(error.status_code), _said(error.body)
    if status in _REFUSALS and _FILTERED.search(said):
        return Fault(Declined("a content filter stopped the question"))
    if status == 413 or (status in _REFUSALS and _TOO_LONG.search(said)):
        return Fault(Unfit(f"answered {status}: the question is too long for it"))
    if status in _REFUSALS:
        return Fault(Unfit(f"answered {status}: it does not take the question"), True, said)
    if status in (408, 409, 425, 429) or status >= 500:
        after = _retry_after(error.response.headers)
        return Fault(Unwell(f"answered {status}", spent, after))
    right = {
        401: "check its api_key",
        403: "check its api_key and what the key may do",
        404: "check its url and model",
    }.get(status, "check its url")
    return Fault(Misconfigured(f"answered {status}: {right}"))


def _said(body: object) -> str:
    """Return what an error says, in lower case, to be looked at and never to be shown."""
    if isinstance(body, (Mapping, list)):
        body = json.dumps(body, default=str)
    return str(body or "")[:_LOOK].lower()


def _cause(error: Exception) -> str:
    return type(error.__cause__ or error).__name__


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``Retry-After`` or of OpenAI's ``retry-after-ms``."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after", "")
        if value and not value.replace(".", "", 1).isdigit():
            when = parsedate_to_datetime(value)
            when = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
            return max(0.0, (when - utcnow()).total_seconds())
        return float(value) if value else None
    except (ValueError, TypeError):
        return None
