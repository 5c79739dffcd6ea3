"""Tells a text that speaks to a language model from one that speaks to people.

No help page has a reason to tell an assistant what to say. One that does was written, or
changed, by somebody who wants the bot to say it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.llm.untrusted import visible

_WHO = (
    r"(?:ai|a\.i\.|artificial intelligence|language model|llm|chat ?bot|gpt|prompt|"
    r"sprachmodell|ki|modèle de langage|ia|modelo de (?:lenguaje|linguagem)|"
    r"modello linguistico|taalmodel|model językowy)"
)
_RULES = (
    r"(?:instructions?|rules?|prompts?|guidelines|commands|anweisung\w*|regeln|vorgaben|"
    r"consignes|règles|instrucciones|reglas|istruzioni|regole|instructies|regels|"
    r"instruções|regras|instrukcje|zasady)"
)
_FORGET = (
    r"(?:ignore[zr]?|disregard|forget|override|bypass|ignorier\w*|vergiss|vergesst|missachte|"
    r"oublie[zr]?|ignora|olvida|dimentica|negeer|vergeet|esqueça|ignorar|zignoruj|zapomnij)"
)
_ORDERS = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"\b{_FORGET}\b[^.!?]{{0,60}}\b{_RULES}\b",
        rf"\b{_FORGET} (?:all|everything|anything) (?:above|before|previous|you)\b",
        rf"\b(?:dear|note to|attention|to the|as an?|if you are an?|when an?|you are an?) "
        rf"(?:\w+ ){{0,3}}{_WHO}\b",
        rf"\b{_WHO}(?: assistant| model)?\b[^.!?]{{0,40}}\b(?:must|should|shall|always|never|reply|"
        r"say|answer|respond|add|tell|ignore)\b",
        r"\b(?:tell|inform|assure) (?:every|all|each) (?:customers?|users?) (?:that|they)\b",
        r"\b(?:reply|respond|answer) only with\b",
        r"\b(?:your|the) (?:system prompt|hidden (?:prompt|rules|instructions))\b",
        r"\bprint your (?:instructions|rules|prompt)\b",
        r"\b(?:the )?passages end here\b|\bnow obey\b|\bset escalate\b",
        r"\b(?:you are now|from now on you|new instructions)\b",
        r"^[ \t>#*\-]*(?:system|assistant|developer|ai)(?:[ \t]+(?:message|note|prompt))?[ \t*]*"
        r"(?::|,|$)",
        r"\bassistant, (?:please )?(?:ignore|say|tell|add|reply|always|never)\b",
        r"<{2,}|<\||\|>|\[/?INST\]|</?(?:system|assistant|developer|instructions?)\b",
        r"\bversprich jedem\b|\bsag(?:e)? (?:jedem|allen) kunden\b",
    )
)
# Letters that nobody sees, and directions that turn what is read round.
_HIDDEN = re.compile("[\U000e0020-\U000e007f\u202a-\u202e\u2066-\u2069]{2,}")


@lru_cache(maxsize=1024)
def orders(text: str) -> bool:
    """Tell whether a text gives orders to whatever model reads it."""
    if _HIDDEN.search(text):
        return True
    seen = visible(text, len(text))
    return any(pattern.search(seen) for pattern in _ORDERS)
