"""How often dice are thrown."""

from __future__ import annotations

import os


def examples(most: int) -> int:
    """Return how many examples hypothesis is to try, for its ``max_examples``.

    `make test-all` tries `most`. Others try a third: their dice fall anew each time, so that
    what few do not find today, few of tomorrow do.
    """
    return most if os.environ.get("FRONTDESK_TEST_ALL") else max(1, most // 3)
