"""Which tools the sandbox's honest model calls: by rules of words, as a model of its kind would.

It is no language model: it knows the tools of `actions.resolving` by name, and the words that
customers use in English for what they do. What a tool needs and nobody has said, it asks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

_NUMBER = re.compile(r"(?<!\d)(?<!£)(?<!\.)\d{4,6}(?![\d.])")
_AMOUNT = re.compile(
    r"(?:£|GBP\s?)(\d{1,5}(?:\.\d{1,2})?)|(\d{1,5}(?:\.\d{1,2})?)\s?(?:£|GBP|pounds?|quid)",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TRACKING = re.compile(r"\b(?=[A-Z0-9]*\d{6})[A-Z0-9]{10,20}\b")
_POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})\b", re.IGNORECASE)
_STREET = re.compile(r"\b(\d{1,4}[a-z]?\s+(?:[A-Z][\w'-]+\s?){1,4})")
_CLAUSE = re.compile(r"(?<=[.!?;])\s+|\n+|,?\s+(?:and also|and|also|then)\s+|,\s+")
#: Matters by their words, the more special ones first.
_MATTERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(words, re.IGNORECASE))
    for name, words in (
        ("hand_over", r"\b(?:human|real person|somebody real|an agent|talk to (?:a|some))"),
        ("case_lookup", r"\b(?:my (?:case|request|complaint|ticket))\b"),
        ("reset_password", r"\bpassword\b|\blog ?in\b"),
        (
            "change_address",
            r"\baddress\b(?!.{0,20}@)|\bsend\b.{0,20}\b\d{4,6}\b.{0,10}\bto\b|\bdeliver it to\b",
        ),
        ("refund", r"\brefund|\bmoney back\b|(?:\bpounds?\b|£\s?\d).{0,30}\bback\b|\breimburs"),
        ("cancel_order", r"(?<!was )(?<!is )\bcancel"),
        ("track", r"\btracking number\b"),
        (
            "order_status",
            r"\bwhere(?:'s| is| are)?\b.{0,40}\b(?:order|parcel|package|\d{4,6})|"
            r"\bstatus\b|\bwhen (?:will|does)\b.{0,40}\b(?:order|parcel|\d{4,6})|\btrack\b",
        ),
    )
)


def calls_for(said: Sequence[str], tools: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return the calls, as (name, arguments in JSON), for what a customer has said.

    The last of `said` is looked at; what it leaves out may stand in those before.
    """
    text = said[-1] if said else ""
    calls: list[tuple[str, dict[str, str]]] = []
    number = ""
    for clause in filter(None, _CLAUSE.split(text)):
        matter = _matter(clause)
        number = next(iter(_NUMBER.findall(clause)), number)
        if matter and all(name != matter or _other(args, clause) for name, args in calls):
            calls.append((matter, {"clause": clause, "number": number}))
    if not calls and len(said) > 1 and (_NUMBER.search(text) or _said_short(text)):
        # An answer to what was asked for: the matter is the one before.
        earlier = next((_matter(one) for one in reversed(said[:-1]) if _matter(one)), "")
        if earlier:
            calls.append((earlier, {"clause": "\n".join(reversed(said)), "number": ""}))
    made = [_call(name, args, said) for name, args in calls]
    if not made:
        made = [("search_articles", {"query": text[:300]})] if len(text) > 1 else []
    return tuple(
        (name, json.dumps(arguments, ensure_ascii=False))
        for name, arguments in made
        if name in tools
    )


def _call(name: str, known: dict[str, str], said: Sequence[str]) -> tuple[str, dict[str, str]]:
    text, clause = said[-1], known["clause"]
    every = "\n".join(reversed(said))
    if name in ("hand_over",):
        return name, {"why": text[:200]}
    if name == "case_lookup":
        return name, {}
    if name == "reset_password":
        mail = _MAIL.search(every)
        return (name, {"email": mail[0]}) if mail else _ask("email")
    if name == "track" or (name == "order_status" and _TRACKING.search(clause)):
        found = _TRACKING.search(every)
        return ("track", {"tracking_number": found[0]}) if found else _ask("tracking_number")
    number = next(iter(_NUMBER.findall(clause)), "") or known["number"]
    number = number or next(iter(_NUMBER.findall(every)), "")
    if not number:
        return _ask("order_number")
    if name == "refund":
        found = _AMOUNT.search(clause) or _AMOUNT.search(text)
        amount = {"amount": found[1] or found[2]} if found else {}
        because = [one for one in _CLAUSE.split(text) if one and not _matter(one)]
        reason = {"reason": ", ".join(because)[:300]} if because else {}
        return name, {"number": number, **amount, **reason}
    if name == "change_address":
        place = _address(every)
        return (name, {"number": number, **place}) if place else _ask("address")
    return name, {"number": number}


def _ask(what: str) -> tuple[str, dict[str, str]]:
    return "ask_customer", {"what": what}


def _address(text: str) -> dict[str, str]:
    """Return street, city and postcode of an address as people write it, {} without one."""
    for line in text.splitlines():
        street, code = _STREET.search(line), _POSTCODE.search(line)
        if street and code and street.end() <= code.start():
            city = line[street.end() : code.start()].strip(" ,.")
            if city:
                return {"street": street[1].strip(" ,"), "city": city, "postcode": code[1]}
    return {}


def _matter(text: str) -> str:
    return next((name for name, words in _MATTERS if words.search(text)), "")


def _other(args: dict[str, str], clause: str) -> bool:
    """Tell whether a clause names another order than a call that there is already."""
    numbers = _NUMBER.findall(clause)
    return bool(numbers) and numbers[0] != args["number"]


def _said_short(text: str) -> bool:
    return bool(_MAIL.search(text) or _POSTCODE.search(text) or _AMOUNT.search(text))
