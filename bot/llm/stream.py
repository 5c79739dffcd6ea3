"""Putting an answer together from the chunks of its stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.llm.answer import spoken
from bot.llm.contract import ToolCall
from bot.llm.engine import Answer, Declined, Request, Unusable, estimate, estimate_all

# Bytes that a token never has on average: an answer with more for each token that it may
# have is past its limit, however its tokens are counted.
_BYTES = 12
_SLACK = 200
# Tools that one answer may ask for.
_CALLS = 16


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""

    @property
    def whole(self) -> bool:
        return self.arguments.endswith("}") and _json(self.arguments) is not None


class Collected:
    """What has come of an answer so far. `begun` once there is any of it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._texts: list[str] = []
        self._bytes = 0
        self._calls: list[_Call] = []
        # By the index of the stream; Gemini gives several calls the same, or none.
        self._at: dict[int, _Call] = {}
        self._finish = ""
        self._usage: tuple[int, int] | None = None
        self._most = request.tokens * _BYTES + _SLACK
        self.begun = False

    @property
    def finished(self) -> bool:
        """Tell whether all of the answer is there, though perhaps not yet what it used."""
        return bool(self._finish)

    def take(self, chunk: Any) -> None:
        """Take one chunk. Raises Declined, Unusable."""
        if chunk.usage is not None:
            used = chunk.usage
            self._usage = (int(used.prompt_tokens or 0), int(used.completion_tokens or 0))
        for choice in chunk.choices or ():
            if choice.index:
                continue
            delta = choice.delta
            if delta is not None:
                self._take_delta(delta)
            if choice.finish_reason:
                self.begun = True
                self._finish = str(choice.finish_reason)
            if self._finish == "content_filter":
                raise Declined("a content filter stopped the answer")
        if self._bytes > self._most:
            raise Unusable(f"ran on past its {self._request.tokens} tokens")

    def answer(self) -> Answer:
        """Return the answer at the end of the stream. Raises Declined, Unusable."""
        text = spoken("".join(self._texts))
        calls, notes = self._wanted()
        if not self._finish:
            raise Unusable("ended its stream without finishing the answer", self.spent())
        if self._finish == "refusal":
            raise Declined("it refused", self.spent())
        if self._finish == "length" and self._request.schema is not None:
            raise Unusable(
                f"did not end its answer within {self._request.tokens} tokens", self.spent()
            )
        if not text and not calls:
            why = f" ({', '.join(notes)})" if notes else ""
            raise Unusable(f"gave an empty answer{why}", self.spent())
        used = self.spent()
        return Answer(text, *used, calls=calls, truncated=self._finish == "length", notes=notes)

    def spent(self) -> tuple[int, int]:
        """Return tokens in and out, estimated where the endpoint does not say."""
        if self._usage is not None:
            return self._usage
        written = "".join((*self._texts, *(call.arguments for call in self._calls)))
        return estimate_all(self._request.messages), estimate(written)

    def _take_delta(self, delta: Any) -> None:
        if getattr(delta, "refusal", None):
            self.begun = True
            raise Declined("it refused")
        thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        if thought:
            self.begun = True
        if delta.content:
            self.begun = True
            self._texts.append(delta.content)
            self._bytes += len(delta.content.encode("utf-8", "replace"))
        for part in delta.tool_calls or ():
            self.begun = True
            self._take_call(part)

    def _take_call(self, part: Any) -> None:
        index = part.index if part.index is not None else max(self._at, default=0)
        function = part.function
        name = (function.name if function else None) or ""
        fresh = (function.arguments if function else None) or ""
        call = self._at.get(index)
        other = call is not None and (
            (part.id and call.id and part.id != call.id) or (name and call.whole)
        )
        if call is None or other:
            if len(self._calls) >= _CALLS:
                raise Unusable(f"asked for more than {_CALLS} tools at once")
            call = self._at[index] = _Call()
            self._calls.append(call)
        call.id = call.id or part.id or ""
        call.name = call.name or name
        call.arguments += fresh
        self._bytes += len(fresh.encode("utf-8", "replace"))

    def _wanted(self) -> tuple[tuple[ToolCall, ...], tuple[str, ...]]:
        """Return the calls that can be made, and notes on those that cannot."""
        offered = {tool.name for tool in self._request.tools}
        calls: list[ToolCall] = []
        notes: list[str] = []
        for number, call in enumerate(self._calls):
            # A model's words are not for the log, so an unknown name is not repeated.
            if call.name not in offered:
                notes.append("asked for a tool that is not offered")
                continue
            arguments = _json(call.arguments or "{}")
            if not isinstance(arguments, dict):
                notes.append(f"asked for {call.name} with arguments that are no JSON object")
                continue
            calls.append(ToolCall(call.id or f"call_{number}", call.name, arguments))
        return tuple(calls), tuple(notes)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
