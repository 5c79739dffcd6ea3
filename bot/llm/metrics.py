"""What language models do, counted."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from bot.metrics import REGISTRY

calls = Counter(
    "frontdesk_llm_calls",
    "Calls of models: answered, cached, unwell, misconfigured, unfit, unusable, declined, "
    "paused, budget, cancelled",
    ("model", "purpose", "outcome"),
    registry=REGISTRY,
)
seconds = Histogram(
    "frontdesk_llm_seconds",
    "From a question to the end of its answer or failure",
    ("model",),
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30),
    registry=REGISTRY,
)
tokens = Counter(
    "frontdesk_llm_tokens",
    "Tokens that models read (in) and wrote (out)",
    ("model", "direction"),
    registry=REGISTRY,
)
