"""How an endpoint likes to be asked, learnt from what it refuses.

- OpenAI's newer models know ``max_completion_tokens`` alone, and no ``temperature``; most
  other servers know ``max_tokens`` alone.
- Anthropic's compatible endpoint ignores ``response_format`` and ``strict``, and joins all
  system messages into one (https://docs.anthropic.com/en/api/openai-sdk); so prompts say
  themselves which JSON they want, and what comes back is checked.
- Gemini's takes a part of JSON Schema only, no JSON format together with tools, and
  answers 400 to fields it does not know (https://ai.google.dev/gemini-api/docs/openai).
- Older llama.cpp and vLLM know neither ``json_schema`` nor ``stream_options``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.llm.engine import Request

Format = Literal["json_schema", "json_object", "none"]
_NEXT: dict[Format, Format] = {"json_schema": "json_object", "json_object": "none"}
_FORMAT_WORDS = ("response_format", "json_schema", "json_object", "mime type", "schema", "grammar")


@dataclass(frozen=True, slots=True)
class Manners:
    """What is sent. The format is remembered apart for questions with tools."""

    format: Format = "json_schema"
    format_with_tools: Format = "json_schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    usage: bool = True
    temperature: bool = True

    def fields(self, request: Request) -> dict[str, Any]:
        """Return the fields of a request but model, messages and stream."""
        fields: dict[str, Any] = {self.limit: request.tokens}
        if self.usage:
            fields["stream_options"] = {"include_usage": True}
        if self.temperature:
            fields["temperature"] = 0
        if request.tools:
            fields["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": dict(tool.parameters),
                    },
                }
                for tool in request.tools
            ]
        if request.schema is not None:
            match self._format(request):
                case "json_schema":
                    fields["response_format"] = {
                        "type": "json_schema",
                        "json_schema": {
                            "name": "answer",
                            "schema": dict(request.schema),
                            "strict": _strict(request.schema),
                        },
                    }
                case "json_object":
                    fields["response_format"] = {"type": "json_object"}
        return fields

    def schema_in_words(self, request: Request) -> str:
        """Return what says the schema to a model that is not given it otherwise."""
        if request.schema is None or self._format(request) == "json_schema":
            return ""
        schema = json.dumps(request.schema, default=dict)
        return f"Answer with one JSON object and nothing else. Its JSON schema: {schema}"

    def without(self, about: str, request: Request) -> Manners | None:
        """Return the manners to try after a refusal `about` something, None when all was tried.

        `about` is the refusal's text in lower case. One that names nothing of ours is taken
        for one of the format, the field that is understood least.
        """
        if "max_tokens" in about and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if ("stream_options" in about or "include_usage" in about) and self.usage:
            return replace(self, usage=False)
        if "temperature" in about and self.temperature:
            return replace(self, temperature=False)
        if request.schema is not None:
            simpler = _NEXT.get(self._format(request))
            if simpler is not None:
                if request.tools:
                    return replace(self, format_with_tools=simpler)
                return replace(self, format=simpler)
        if any(word in about for word in _FORMAT_WORDS):
            return None
        return replace(self, usage=False) if self.usage else None

    def _format(self, request: Request) -> Format:
        return self.format_with_tools if request.tools else self.format


def _strict(schema: Any) -> bool:
    """Tell whether OpenAI takes a schema as a strict one: closed objects, all of it required."""
    if isinstance(schema, (list, tuple)):
        return all(map(_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or properties is not None:
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(properties or ()):
            return False
    return all(map(_strict, schema.values()))
