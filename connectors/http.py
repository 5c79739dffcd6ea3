"""What every provider's HTTP API has in common: when to come again, and whether it is near."""

from __future__ import annotations

import ipaddress
import math
import re
from datetime import timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from bot.message import utcnow

#: Seconds. Nobody is served by waiting longer than a day.
_LONGEST_WAIT = 86400.0


def retry_after(value: str) -> float | None:
    """Read ``Retry-After``, seconds or a date (RFC 9110, 10.2.3); None when there is none.

    At most a day.
    """
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    seconds = float(math.ceil((at - utcnow()).total_seconds()))
    return min(max(0.0, seconds), _LONGEST_WAIT)


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
