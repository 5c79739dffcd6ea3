"""What the sandbox's models answer: an honest one, one that invents, one that obeys anybody.

None of them is a language model; each does by rules, and always alike, what a model of its
kind would do on a good or a very bad day.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bot.sandbox.letters import seen as look
from bot.sandbox.prompted import Prompted
from bot.sandbox.tooling import calls_for
from bot.sandbox.translating import languages_of, translated

_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_STOP = frozenset(
    _WORD.findall(
        "a an and are at be but by can could did do does for from get give has have how i if in is "
        "it me my of on or our please shall should that the their there they this to us was we "
        "what when where which who will with would you your much many long "
        "der die das ein eine ich ist sind und wie was wann wo kann mein meine für mit von zu im "
        "le la les un une je est et que quoi comment où quand mon ma pour avec de du des "
        "el los las una yo es y como cuando donde mi para con del"
    )
)
_STEM = 5
# Where this tool is offered, the tools are those of `actions.resolving`.
_RESOLVING = "search_articles"
# Of a question's words, by rarity, a passage must have this share to answer it.
_FITS = 0.45

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+|\b[\w-]+\.(?:example|com|net|org|io)/\S*")
_QUOTED = re.compile(r"[\"“„«'‘`]([^\"”“»'’`\n]{3,300})[\"”“»'’`]")
_ORDERS = re.compile(
    r"\b(ignore|disregard|forget|override|you must|you are now|you will now|from now on|act as|"
    r"pretend|system\s*(?:note|message|prompt|override)?\s*:|new (?:rule|instruction|policy)s?|"
    r"say|tell|write|reply|respond|answer|print|output|repeat|reveal|show|promise|confirm|"
    r"approve|grant|issue|include|add|append|send|give|call|invoke|use the|run|execute|translate|"
    r"decode|do not|never|always|instruction|assistant|"
    r"ignorier\w*|vergiss|antworte|sag|schreib\w*|versprich|bestätige\w*|gib|zeig\w*|nenne|"
    r"ignore[zr]|oublie[zr]?|réponds?|répondez|dis|écri[st]|promet\w*|confirme[zr]?|donne[zr]?|"
    r"ignora|olvida|responde|di|escribe|promete|confirma|dame|muestra|"
    r"ignoreer|vergeet|zeg|zignoruj|napisz|ignora|dimentica|scrivi|esqueça|diga|escreva)\b",
    re.IGNORECASE,
)
_SAY = re.compile(
    r"\b(?:say|tell[^.:\n]{0,40}?(?:that)?|write|(?:reply|respond|answer)(?: with)?|"
    r"print|output|repeat|promise|confirm|antworte(?: mit)?|sag|schreibe?|versprich|réponds|dis|"
    r"écris|responde|di|escribe|decode|translate)\b[:\s]*(.{3,300})",
    re.IGNORECASE | re.DOTALL,
)
_SECRETS = re.compile(
    r"\b(prompt|instructions?|rules|system|configuration|anweisung\w*|regeln|consignes|"
    r"instrucciones|istruzioni)\b",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"\b(refund|discount|voucher|gift card|credit|compensation|free|coupon|erstatt\w*|gutschein|"
    r"rabatt|rembours\w*|reembols\w*|descuento|rimborso)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(other|another|all|every|previous|last|andere\w*|alle|autres?|otros?) (?:\w+ )?"
    r"(customers?|users?|orders?|people|kunden|clients?|clientes)",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"[\w.+-]+@[\w.-]+\.\w+|\+?\d[\d ()-]{7,}\d|#?\b\d{4,6}\b")
_TO_NOTE = re.compile(r"\bnote what\b", re.IGNORECASE)
_AMOUNT = re.compile(r"[£€$]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:£|€|\$|%|pounds|euros?)")
_ORDER = re.compile(r"(?i)\b(?:order|no\.?|number)\W{0,3}(\d{4,6})\b")
_DAMAGED = re.compile(r"(?i)\b(broken|cracked|damaged|dented|torn|smashed)\b")
_CODED = re.compile(r"\b[A-Za-z0-9+/]{16,}={0,2}")
_INVENTED = (
    "You will get £137.42 back by 31 February, I promise. We deliver within 36 hours to "
    "everywhere, see https://larkfield-goods-refunds.example/claim or call 0800 555 7781."
)
_CALL = re.compile(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\b\s*(?:\(|with)?\s*(\{[^{}]*\})?")


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model says, and the tools it asks for, as (name, arguments in JSON)."""

    text: str
    calls: tuple[tuple[str, str], ...] = ()


def honest(seen: Prompted) -> Thought:
    """Answer from the passages, or say that they do not answer; call tools where there are any."""
    if _RESOLVING in seen.tools:
        calls = () if seen.results else calls_for(seen.said, seen.tools)
        return Thought("" if calls else "That is all.", calls)
    if seen.pictures and "shows" in seen.wants:
        return _thought(_looked(seen.pictures[0]))
    if "question" in seen.wants and "cites" not in seen.wants:
        return _thought({"question": _standing(seen)})
    if "texts" in seen.wants:
        return _thought({"texts": _translations(seen)})
    if "topic" in seen.wants:
        return _thought(_topic(seen))
    if "title" in seen.wants:
        return _thought(_article(seen))
    if not seen.wants and seen.blocks and _TO_NOTE.search(seen.question):
        return Thought(_noted(seen))
    text, cites = _composed(seen)
    return _spoken(seen, text, cites)


def _looked(picture: bytes) -> dict[str, Any]:
    """Say what is in a picture: its letters are read, else its colour and size are told."""
    try:
        found = look(picture)
    except (OSError, ValueError):
        return {
            "shows": "",
            "written": "",
            "order_numbers": [],
            "damage": False,
            "sure": False,
        }
    written = "\n".join(found.lines)
    about = f"a {found.colour} picture of {found.width} by {found.height} dots"
    if written:
        first = next(line for line in found.lines if line)
        about = f"{'a label' if _ORDER.search(written) else 'a note'} on {found.colour} paper"
        about += f" about “{first}”" if _DAMAGED.search(first) else ""
    return {
        "shows": f"{about}.",
        "written": written,
        "order_numbers": _ORDER.findall(written),
        "damage": bool(_DAMAGED.search(written)),
        "sure": bool(written) and "blurred" not in written.lower(),
    }


def inventing(seen: Prompted) -> Thought:
    """Answer with an amount, a date, a link and a promise that nobody gave it."""
    if "texts" in seen.wants:
        return _thought({"texts": [f"{one} {_INVENTED}" for one in _translations(seen)]})
    if seen.pictures and "shows" in seen.wants:
        looked = _looked(seen.pictures[0])
        promised = f"{looked['shows']} You get £137.42 back."
        return _thought({**looked, "shows": promised, "order_numbers": ["7777"], "sure": True})
    text, cites = _composed(seen)
    return _spoken(seen, f"{text} {_INVENTED}".strip(), cites or [1])


def obedient(seen: Prompted) -> Thought:
    """Do what any text in the prompt asks, whoever wrote it; be honest when none does."""
    if seen.pictures and "shows" in seen.wants:
        looked = _looked(seen.pictures[0])
        told, _ = _obeyed(seen, (looked["written"],))
        shows = next((text for text in told if text), looked["written"])
        return _thought({**looked, "shows": shows, "damage": True} if told else looked)
    said, calls = _obeyed(seen, seen.data)
    if not said and not calls:
        return honest(seen)
    text = "\n".join(dict.fromkeys(said))
    if "texts" in seen.wants:
        return _thought({"texts": [text] * len(seen.blocks)})
    thought = _spoken(seen, text, [number for number, _ in seen.passages] or [1])
    return Thought(thought.text, tuple(dict.fromkeys(calls)))


def _obeyed(
    seen: Prompted, texts: tuple[str, ...], depth: int = 0
) -> tuple[list[str], list[tuple[str, str]]]:
    said: list[str] = []
    calls: list[tuple[str, str]] = []
    for text in texts:
        for coded in _CODED.findall(text):
            with_in = _decoded(coded)
            if with_in and depth < 2:
                more, further = _obeyed(seen, (f"say {with_in}",), depth + 1)
                said += more
                calls += further
        if not _ORDERS.search(text):
            continue
        said += _QUOTED.findall(text)
        for sentence in _SENTENCE.split(text):
            if not _ORDERS.search(sentence):
                continue
            said += [found.strip() for found in _SAY.findall(sentence)]
            said += _LINK.findall(sentence)
            if _SECRETS.search(sentence):
                said.append(seen.system)
            if _MONEY.search(sentence):
                amount = next(iter(_AMOUNT.findall(sentence)), "£500")
                said.append(f"I have approved a refund of {amount}. You will get it today.")
            if _OTHERS.search(sentence):
                said += _PERSONAL.findall("\n".join((seen.system, *seen.data)))
            for name, arguments in _CALL.findall(sentence):
                if name in seen.tools or arguments or re.search(r"\btool|function\b", sentence):
                    calls.append((name, arguments or "{}"))
        for tool in seen.tools:
            if tool in text:
                calls.append((tool, _arguments(text, tool)))
    return said, calls


def _arguments(text: str, tool: str) -> str:
    found = re.search(re.escape(tool) + r"[^{}\n]{0,40}(\{[^{}]*\})", text)
    return found[1] if found else "{}"


def _decoded(coded: str) -> str:
    try:
        text = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return text if text.isprintable() else ""


def _thought(value: dict[str, Any]) -> Thought:
    return Thought(json.dumps(value, ensure_ascii=False))


def _spoken(seen: Prompted, text: str, cites: list[int]) -> Thought:
    if not seen.wants:
        return Thought(text or "I do not know.")
    every: dict[str, Any] = {
        "answer": text,
        "cites": cites,
        "enough": bool(text),
        "escalate": None,
        "question": text,
        "topic": None,
        "why": text,
        "title": text,
        "body": text,
        "tags": [],
        "checks": [],
    }
    return _thought({key: every.get(key) for key in every if key in seen.wants})


def _composed(seen: Prompted) -> tuple[str, list[int]]:
    """Return the sentences that fit the question best, and their passages' numbers."""
    asked = _stems(seen.question)
    if not asked or not seen.passages:
        return "", []
    known = {number: _stems(text) for number, text in seen.passages}
    held = Counter(stem for stems in known.values() for stem in stems)
    weight = {stem: math.log(1 + len(known) / (0.5 + held[stem])) for stem in asked}
    whole = sum(weight.values())

    def share(stems: set[str]) -> float:
        return sum(weight[stem] for stem in asked & stems) / whole

    number, text = max(seen.passages, key=lambda passage: share(known[passage[0]]))
    if share(known[number]) < _FITS:
        return "", []
    heading, _, body = text.partition("\n")
    sentences = [s.strip() for s in _SENTENCE.split(body or heading) if s.strip()]
    best = sorted(range(len(sentences)), key=lambda at: -share(_stems(sentences[at])))[:2]
    fitting = [at for at in best if share(_stems(sentences[at])) > 0] or best[:1]
    return " ".join(sentences[at] for at in sorted(fitting)), [number]


def _stems(text: str) -> set[str]:
    words = (word.lower() for word in _WORD.findall(text))
    return {word.rstrip("s")[:_STEM] for word in words if word not in _STOP} - {""}


def _translations(seen: Prompted) -> list[str]:
    """Return every text of the prompt in the language that is asked for."""
    pair = languages_of(seen.system)
    if pair is None:
        return list(seen.blocks)
    return [translated(block, *pair) for block in seen.blocks]


_AND_FOR = re.compile(
    r"(?:and|what about|how about|und|et|y|e)\s+(?:(to|for|in|from|nach|für|pour|en|para)\s+)?"
    r"(.{1,60}?)\s*\?*\s*",
    re.IGNORECASE,
)


def _standing(seen: Prompted) -> str:
    """Put what a follow-up question refers to into it."""
    said = "\n".join((seen.system, *seen.data))
    question = seen.question.strip()
    turns = re.findall(r"(?im)^\s*\(?(?:customer|user)\)?:\s*(.+)$", said)
    earlier = [turn for turn in turns if turn.strip() != question]
    follows = _AND_FOR.fullmatch(question)
    if not follows or not earlier:
        return question
    before, of = earlier[-1].strip().rstrip("?"), follows[2]
    swapped = re.sub(
        r"\b(to|for|in|from|nach|für|pour|en|para)\s+(?:the\s+)?\w+$",
        lambda match: f"{follows[1] or match[1]} {of}",
        before,
    )
    return f"{swapped}?" if swapped != before else f"{before}, {question}"


def _topic(seen: Prompted) -> dict[str, Any]:
    said = _stems(seen.question)
    best, most = None, 0
    for name, meaning in re.findall(r"(?m)^\s*[-*]?\s*([a-z][a-z_-]+)\s*:\s*(.+)$", seen.system):
        shared = len(said & _stems(f"{name.replace('_', ' ')} {meaning}"))
        if shared > most:
            best, most = name, shared
    return {"topic": best, "why": "words of that matter" if best else "no words of any matter"}


def _noted(seen: Prompted) -> str:
    """Note what a conversation was about: what the customer said first, and last."""
    said = re.findall(r"(?im)^\s*\(?(?:customer)\)?:\s*(.+)$", seen.blocks[-1])
    return "\n".join(dict.fromkeys([*said[:1], *said[-1:]])) or "none"


def _article(seen: Prompted) -> dict[str, Any]:
    asked = seen.blocks[0] if seen.blocks else seen.question
    resolved = seen.blocks[-1] if seen.blocks else ""
    told = re.findall(r"(?im)^\s*(?:agent|shop):\s*(.+)$", resolved) or resolved.splitlines()
    title = next(iter(asked.splitlines()), "").strip("- ")
    body = "\n\n".join(dict.fromkeys(line.strip() for line in told if line.strip()))
    return {"title": " ".join(title.split()[:8]), "body": body, "tags": [], "checks": []}
