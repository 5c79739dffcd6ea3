"""What a model is told of a conversation, and the object that it was asked for."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.llm.contract import Reply

#: What was said before that a model reads, in messages.
PAST = 6
_FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")


def told_by(reply: Reply) -> dict[str, Any]:
    """Read the object that a model was asked for; {} for anything else."""
    try:
        told = json.loads(_FENCE.sub("", reply.text.strip()))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
