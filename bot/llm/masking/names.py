"""What is known of a customer's name, to be masked though no pattern finds it."""

from __future__ import annotations


def parts_of_name(name: object) -> tuple[str, ...]:
    """Return the parts of a profile's name; an initial alone is none."""
    return tuple(part for part in str(name or "").split() if len(part) > 1)
