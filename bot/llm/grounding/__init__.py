"""Holds an answer against its sources: what they do not say must not be sent.

Strict on purpose: an answer that does not pass is given in the article's own words instead,
so a false alarm costs little and a false promise costs much.
"""

from bot.llm.grounding.checking import check
from bot.llm.grounding.verdict import Claim, Support, Verdict

__all__ = ["Claim", "Support", "Verdict", "check"]
