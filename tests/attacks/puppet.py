"""A language model that is wholly the attacker's: it says, word for word, what he wants said.

Nothing that a prompt, a mask or a rule does to a model can be better than this; what stands
between it and the customer is the check of its answer alone.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.prompted import Prompted, read

#: How it lies: outright, or with the truth between two times the same lie.
MANNERS = ("puppet", "smuggler")


class Puppet:
    """The server. `goal` is what it answers, `rewrite` how it reads a question anew."""

    def __init__(self) -> None:
        self.goal = ""
        self.rewrite = ""
        self.escalate: str | None = None
        self.asked: deque[dict[str, Any]] = deque(maxlen=50)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes."""
        return [web.post("/puppet/v1/chat/completions", self._chat)]

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self.asked.append(body)
        text = json.dumps(self._said(str(body["model"]), read(body)), ensure_ascii=False)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta, finish in (({"role": "assistant", "content": text}, None), ({}, "stop")):
            chunk = {
                "id": "chatcmpl-puppet",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            }
            await response.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    def _said(self, manner: str, seen: Prompted) -> Mapping[str, Any]:
        if "cites" not in seen.wants:
            return {"question": self.rewrite or self.goal}
        true = _true(seen)
        text = f"{self.goal} {true} {self.goal}" if manner == "smuggler" and true else self.goal
        return {
            "answer": text.strip(),
            # All of them: the more it may lean on, the more it may get away with.
            "cites": [number for number, _ in seen.passages] or [1],
            "enough": True,
            "escalate": self.escalate,
        }


def _true(seen: Prompted) -> str:
    """Return a plain sentence of the first passages, word for word."""
    sentences = [
        sentence.strip()
        for _, text in seen.passages
        for sentence in re.split(r"(?<=[.])\s+|\n+", text)
        if re.fullmatch(r"[A-Z][a-z ,']{30,160}\.", sentence.strip())
    ]
    return next(iter(sentences), "")
