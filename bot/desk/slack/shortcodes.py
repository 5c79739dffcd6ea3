"""Emoji by the names that Slack has for them."""

from __future__ import annotations

import functools
import re

#: Slack's names (https://docs.slack.dev/messaging/formatting-message-text#emoji, of the set
#: iamcal/emoji-data) where neither GitHub's nor Unicode's name is the same.
_OTHERS = {
    "email": "✉️",
    "e-mail": "📧",
    "simple_smile": "🙂",
    "shopping_trolley": "🛒",
    "face_palm": "🤦",
    "large_green_circle": "🟢",
    "large_yellow_circle": "🟡",
    "large_orange_circle": "🟠",
    "large_purple_circle": "🟣",
    "large_brown_circle": "🟤",
    "large_red_square": "🟥",
    "large_green_square": "🟩",
    "large_yellow_square": "🟨",
    "hand_with_index_and_middle_fingers_crossed": "🤞",
    "i_love_you_hand_sign": "🤟",
    "spock-hand": "🖖",
    "the_horns": "🤘",
    "smiling_face_with_3_hearts": "🥰",
    "man-woman-girl-boy": "👨‍👩‍👧‍👦",
    "man-woman-boy": "👨‍👩‍👦",
    "reversed_hand_with_middle_finger_extended": "🖕",
    "grinning_face_with_star_eyes": "🤩",
    "grinning_face_with_one_large_and_one_small_eye": "🤪",
    "smiling_face_with_smiling_eyes_and_hand_covering_mouth": "🤭",
    "face_with_finger_covering_closed_lips": "🤫",
    "shocked_face_with_exploding_head": "🤯",
    "face_with_open_mouth_vomiting": "🤮",
    "face_with_one_eyebrow_raised": "🤨",
}
_TONES = {"2": "🏻", "3": "🏼", "4": "🏽", "5": "🏾", "6": "🏿"}
_FLAG = re.compile(r"flag-([a-z])([a-z])")
_WHO = re.compile(r"(man|woman|male|female)-(.+)")
_VARIATION = "\ufe0f"


def emoji_of(name: str, tone: str = "") -> str:
    """Return the emoji that Slack calls `name` (without colons), "" for one that is not known.

    `tone` is "2" to "6", of ``:skin-tone-3:``, "" for none.
    """
    found = _OTHERS.get(name) or _known().get(name) or _composed(name)
    if found and tone in _TONES:
        # The tone stands behind the first sign of a sequence, in place of its variation.
        first, rest = found[0], found[1:].removeprefix(_VARIATION)
        return first + _TONES[tone] + rest
    return found


@functools.cache
def _known() -> dict[str, str]:
    import emoji

    table: dict[str, str] = {}
    # GitHub's names go before Unicode's, for Slack's are those in most cases.
    for sign, data in emoji.EMOJI_DATA.items():
        if data["status"] == emoji.STATUS["fully_qualified"]:
            for alias in data.get("alias", ()):
                table.setdefault(alias.strip(":").lower(), sign)
    for sign, data in emoji.EMOJI_DATA.items():
        if data["status"] == emoji.STATUS["fully_qualified"]:
            table.setdefault(str(data["en"]).strip(":").lower(), sign)
    return table


def _composed(name: str) -> str:
    flag = _FLAG.fullmatch(name)
    if flag is not None:
        return "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in flag.groups())
    who = _WHO.fullmatch(name)
    if who is not None:
        person = {"male": "man", "female": "woman"}.get(who[1], who[1])
        return _known().get(f"{person}_{who[2].replace('-', '_')}", "")
    return ""
