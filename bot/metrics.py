"""Counters and histograms of one process, in Prometheus' format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()

received = Counter(
    "frontdesk_received",
    "What webhooks brought: message, duplicate, receipt, nothing, dead, refused",
    ("channel", "account", "what"),
    registry=REGISTRY,
)
acknowledged = Histogram(
    "frontdesk_acknowledge_seconds",
    "From a webhook's arrival to its answer",
    ("channel",),
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
    registry=REGISTRY,
)
notices = Counter(
    "frontdesk_notices",
    "What providers told the operator about an account",
    ("channel", "account", "level"),
    registry=REGISTRY,
)
