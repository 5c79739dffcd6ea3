"""Who and what is in the sandbox's Slack workspace from the beginning, as Slack has them.

https://docs.slack.dev/reference/objects
"""

from __future__ import annotations

import uuid
from typing import Any

Json = dict[str, Any]

TEAM = "T0LARK"
TEAM_NAME = "Larkfield"
DOMAIN = "larkfield"
APP = "A0DESK"
BOT_USER = "U0BOT"
BOT = "B0BOT"
BOT_NAME = "Frontdesk"
#: Names of the people by id. All of them are administrators, who may delete anything.
MEMBERS = {"U0ANNA": "Anna Keller", "U0BEN": "Ben Okafor", "U0CARA": "Cara Silva"}
CHANNELS = {"C0DESK": "support", "C0LEGAL": "support-legal", "C0URGENT": "support-urgent"}
# Of the direct messages between the app and a person.
DIRECT = {f"D{user[1:]}": user for user in MEMBERS}
#: When everything there was made, seconds since 1970.
CREATED = 1_750_000_000


def new_id(letter: str) -> str:
    """Return an id as Slack's: a letter for the kind and ten more signs."""
    return f"{letter}{uuid.uuid4().hex[:10].upper()}"


def channel_type(channel: str) -> str:
    """Return what message events call the kind of a channel."""
    return "im" if channel.startswith("D") else "channel"


def channel_object(channel: str) -> Json:
    """Return a channel: https://docs.slack.dev/reference/objects/conversation-object."""
    if channel in DIRECT:
        return {
            "id": channel,
            "created": CREATED,
            "is_im": True,
            "is_org_shared": False,
            "user": DIRECT[channel],
            "is_archived": False,
            "priority": 0,
        }
    name = CHANNELS[channel]
    purpose = {"value": "", "creator": "", "last_set": 0}
    return {
        "id": channel,
        "name": name,
        "name_normalized": name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "is_archived": False,
        "is_general": False,
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "is_member": True,
        "created": CREATED,
        "updated": CREATED * 1000,
        "creator": "U0ANNA",
        "context_team_id": TEAM,
        "topic": purpose,
        "purpose": purpose,
        "previous_names": [],
        "num_members": len(MEMBERS) + 1,
    }


def user_object(user: str) -> Json:
    """Return a person or the bot: https://docs.slack.dev/reference/objects/user-object."""
    is_bot = user == BOT_USER
    name = BOT_NAME if is_bot else MEMBERS[user]
    first, _, last = name.partition(" ")
    profile = {
        "real_name": name,
        "real_name_normalized": name,
        "display_name": "" if is_bot else first,
        "display_name_normalized": "" if is_bot else first,
        "first_name": first,
        "last_name": last,
        "title": "",
        "status_text": "",
        "status_emoji": "",
        "team": TEAM,
        **({"bot_id": BOT, "api_app_id": APP} if is_bot else {}),
    }
    return {
        "id": user,
        "team_id": TEAM,
        "name": first.lower(),
        "deleted": False,
        "real_name": name,
        "tz": "Europe/London",
        "tz_label": "Greenwich Mean Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": not is_bot,
        "is_owner": user == "U0ANNA",
        "is_primary_owner": user == "U0ANNA",
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": is_bot,
        "is_app_user": False,
        "is_email_confirmed": True,
        "updated": CREATED,
    }


def bot_profile() -> Json:
    """Return what messages say of the app that wrote them."""
    return {
        "id": BOT,
        "app_id": APP,
        "name": BOT_NAME,
        "deleted": False,
        "updated": CREATED,
        "team_id": TEAM,
    }
