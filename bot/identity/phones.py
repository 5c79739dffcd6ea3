"""Phone numbers as E.164, so that the same one is the same on every channel."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from bot.message import Address

_DIGITS = re.compile(r"[0-9]{7,15}")
_E164 = re.compile(r"\+[0-9]{7,15}")
_WRITTEN = re.compile(r"[\s().\u00a0\u2010-\u2015/-]+")

# WhatsApp keeps some numbers as they were dialled years ago. Mexico has dropped the 1
# after +52, Brazil has put a 9 before mobile numbers, which begin with 6 to 9.
# https://support.gupshup.io/hc/en-us/articles/4407840924953
_OLD_MEXICAN = re.compile(r"\+521([0-9]{10})")
_OLD_BRAZILIAN = re.compile(r"\+55([1-9][0-9])([6-9][0-9]{7})")


def e164(text: str) -> str:
    """Return an international number, with its + or without, as E.164; "" when it is none.

    Only the length is held against the country's plan. Plans change faster than any list
    of them, and whoever hands such a number over (a carrier, WhatsApp, Telegram) has sent
    messages to it.
    """
    bare = _WRITTEN.sub("", text)
    number = bare if bare.startswith("+") else f"+{bare}"
    if not _E164.fullmatch(number):
        return ""
    number = _OLD_MEXICAN.sub(r"+52\1", number)
    if _OLD_BRAZILIAN.fullmatch(number):
        number = _OLD_BRAZILIAN.sub(r"+55\g<1>9\2", number)
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return ""
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        return ""
    written: str = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    return written


def phone_of(address: Address) -> str:
    """Return the number that an address is, as E.164; "" for one that is none.

    On WhatsApp the user is the number's digits, or an id like ``US.13491208655302741918``
    of one who keeps the number to himself
    (https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids).
    An SMS comes from a number with its +, or from a short code or a name, which several
    people share.
    """
    if address.channel == "whatsapp" and _DIGITS.fullmatch(address.user):
        return e164(address.user)
    if address.channel == "sms" and _E164.fullmatch(address.user):
        return e164(address.user)
    return ""
