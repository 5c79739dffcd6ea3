"""What WhatsApp tells the operator by webhook: templates, quality, limits, the account.

These webhooks name the business account, not a phone number: they reach whichever
account of ours the app's webhook URL leads to. Each field has its page below
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.message import Notice, clean
from connectors.meta_in import Level, digest

_WORD_LIMIT = 200
_TEXT_LIMIT = 2000

# message_template_status_update: what happened, how bad it is, and what follows.
_TEMPLATES: dict[str, tuple[str, Level, str]] = {
    "APPROVED": ("approved", "info", "It can be sent now."),
    "REINSTATED": ("reinstated", "info", "It can be sent again."),
    "UNARCHIVED": ("unarchived", "info", "It is back in its former state."),
    "PENDING": ("under review", "info", "It cannot be sent until Meta has approved it."),
    "IN_APPEAL": ("under appeal", "info", "Meta looks at it again."),
    "FLAGGED": ("flagged", "warning", "Customers complained of it; Meta may disable it."),
    "LOCKED": ("locked", "warning", "It cannot be edited."),
    "ARCHIVED": ("archived", "warning", "It was not used; Meta deletes it in 28 days."),
    "LIMIT_EXCEEDED": ("over the limit", "warning", "The account has as many as it may have."),
    "PENDING_DELETION": ("being deleted", "warning", "It cannot be sent any more."),
    "DELETED": ("deleted", "warning", "It cannot be sent any more."),
    "PAUSED": ("paused", "error", "Messages with it fail until Meta resumes it."),
    "REJECTED": ("rejected", "error", "It cannot be sent; edit it or appeal."),
    "DISABLED": ("disabled", "error", "Customers complained of it; messages with it fail."),
}
# message_template_quality_update
_QUALITY: dict[str, tuple[str, Level]] = {
    "GREEN": ("high", "info"),
    "YELLOW": ("medium", "warning"),
    "RED": ("low", "error"),
    "UNKNOWN": ("not rated yet", "info"),
}
# phone_number_quality_update. The first two are on the page; the others were sent before
# limits became the portfolio's, and may still be.
_PHONES: dict[str, tuple[str, Level]] = {
    "ONBOARDING": ("is being registered", "info"),
    "THROUGHPUT_UPGRADE": ("may send more messages a second", "info"),
    "UPGRADE": ("may write to more customers", "info"),
    "DOWNGRADE": ("may write to fewer customers", "warning"),
    "FLAGGED": ("was flagged for low quality", "warning"),
    "UNFLAGGED": ("is not flagged any more", "info"),
}
# account_update
_ACCOUNTS: dict[str, tuple[str, Level]] = {
    "ACCOUNT_DELETED": ("The account was deleted", "error"),
    "ACCOUNT_RESTRICTION": ("The account is restricted", "error"),
    "ACCOUNT_VIOLATION": ("The account broke a policy", "error"),
    "ACCOUNT_OFFBOARDED": ("The account was cut off from the Cloud API", "error"),
    "ACCOUNT_RECONNECTED": ("The account is connected again", "info"),
    "PARTNER_REMOVED": ("The account is not shared with the partner any more", "error"),
    "PARTNER_APP_UNINSTALLED": ("The app lost its access to the account", "error"),
    "PARTNER_APP_INSTALLED": ("The app was given access to the account", "info"),
    "PARTNER_ADDED": ("The account was shared with a partner", "info"),
    "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE": ("The business verification moved on", "info"),
    "AD_ACCOUNT_LINKED": ("An advertising account was linked", "info"),
    "MM_LITE_TERMS_SIGNED": ("The terms of marketing messages were signed", "info"),
    "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE": ("International authentication rates apply", "info"),
    "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE": ("The business's country was set", "info"),
    "VOLUME_BASED_PRICING_TIER_UPDATE": ("The pricing tier changed", "info"),
}
_BANS: dict[str, tuple[str, Level]] = {
    "DISABLE": ("The account was disabled", "error"),
    "SCHEDULE_FOR_DISABLE": ("The account will be disabled", "error"),
    "REINSTATE": ("The account was reinstated", "info"),
}
# account_alerts
_SEVERITIES: dict[str, Level] = {
    "CRITICAL": "error",
    "WARNING": "warning",
    "INFORMATIONAL": "info",
}

Told = tuple[str, str, Level]


def _word(holder: Any, *path: str) -> str:
    """Return a text or a whole number of a JSON value; "" for all else."""
    for key in path:
        holder = holder.get(key) if isinstance(holder, Mapping) else None
    if isinstance(holder, bool) or not isinstance(holder, (str, int)):
        return ""
    # Python refuses to write a number of thousands of digits out.
    if isinstance(holder, int) and abs(holder) >= 10**_WORD_LIMIT:
        return ""
    return clean(str(holder)).strip()[:_TEXT_LIMIT]


def _plain(word: str) -> str:
    return word.replace("_", " ").lower()


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _template(value: Mapping[str, Any]) -> str:
    name, language = (_word(value, f"message_template_{key}") for key in ("name", "language"))
    name = (name or _word(value, "message_template_id") or "without a name")[:_WORD_LIMIT]
    return f"Template {name} ({language})" if language else f"Template {name}"


def _template_status(value: Mapping[str, Any]) -> Told:
    event = _word(value, "event")
    done, level, follows = _TEMPLATES.get(event, (_plain(event) or "changed", "warning", ""))
    reason = _word(value, "reason")
    parts = [
        follows,
        f"Meta's reason: {_plain(reason)}" if reason not in ("", "NONE") else "",
        _word(value, "rejection_info", "reason"),
        _word(value, "rejection_info", "recommendation"),
        _word(value, "other_info", "description"),
    ]
    return f"{_template(value)} is {done}", " ".join(map(_sentence, filter(None, parts))), level


def _template_quality(value: Mapping[str, Any]) -> Told:
    score = _word(value, "new_quality_score")
    before = _word(value, "previous_quality_score")
    words, level = _QUALITY.get(score, (_plain(score) or "changed", "warning"))
    was, _ = _QUALITY.get(before, (_plain(before), "info"))
    text = f"The quality of this template is {words} now"
    text += f", it was {was}." if was else "."
    if level != "info":
        text += " Meta pauses, then disables templates that customers block or report."
    return f"{_template(value)}: quality {words}", text, level


def _phone_quality(value: Mapping[str, Any]) -> Told:
    event = _word(value, "event")
    done, level = _PHONES.get(event, (_plain(event) or "changed", "warning"))
    number = _word(value, "display_phone_number") or "of the account"
    limit = _word(value, "max_daily_conversations_per_business") or _word(value, "current_limit")
    before = _word(value, "old_limit")
    text = f"The number {number} {done}."
    if limit:
        was = f", it was {_limit(before)}" if before else ""
        text += f" Its limit is {_limit(limit)}{was}."
    return f"Number {number[:_WORD_LIMIT]} {done}", text, level


def _limit(word: str) -> str:
    """Say a messaging limit in words: ``TIER_2K``, ``2000``, -1 for none.

    .../whatsapp/messaging-limits
    """
    tier = word.removeprefix("TIER_")
    if tier in ("UNLIMITED", "-1"):
        return "unlimited"
    if tier == "NOT_SET":
        return "not set yet"
    return f"{tier.replace('K', ',000')} customers a day"


def _account_update(value: Mapping[str, Any]) -> Told:
    event = _word(value, "event")
    subject, level = _ACCOUNTS.get(event, (f"Account: {_plain(event) or 'changed'}", "warning"))
    if event == "DISABLED_UPDATE":
        state = _word(value, "ban_info", "waba_ban_state")
        subject, level = _BANS.get(state, ("The account broke a policy", "error"))
    return subject, " ".join(_sentence(part) for part in _account_parts(value)) or subject, level


def _account_parts(value: Mapping[str, Any]) -> Iterator[str]:
    if violation := _word(value, "violation_info", "violation_type"):
        yield f"Violation: {_plain(violation)}"
    if since := _word(value, "ban_info", "waba_ban_date"):
        yield f"Date: {since}"
    restrictions = value.get("restriction_info")
    for one in restrictions[:20] if isinstance(restrictions, list) else ():
        if kind := _word(one, "restriction_type"):
            yield _plain(kind).capitalize()
        if remedy := _word(one, "remediation"):
            yield remedy
    if reason := _word(value, "disconnection_info", "reason"):
        yield f"Reason: {_plain(reason)}"
    if status := _word(value, "partner_client_certification_info", "status"):
        yield f"Verification: {_plain(status)}"
    if country := _word(value, "country"):
        yield f"Country: {country}"
    if tier := _word(value, "volume_tier_info", "tier"):
        category = _plain(_word(value, "volume_tier_info", "pricing_category"))
        yield f"Tier of {category or 'messages'}: {tier}"


def _account_alert(value: Mapping[str, Any]) -> Told:
    # The page puts these into `alert_info`; earlier webhooks had them outside of it.
    inner = value.get("alert_info")
    alert = inner if isinstance(inner, Mapping) else value
    kind = _plain(_word(alert, "alert_type")) or "alert"
    level = _SEVERITIES.get(_word(alert, "alert_severity"), "warning")
    subject = f"Account alert: {kind}"[:_WORD_LIMIT]
    return subject, _sentence(_word(alert, "alert_description") or subject), level


def _capability(value: Mapping[str, Any]) -> Told:
    limit = _word(value, "max_daily_conversations_per_business") or _word(
        value, "max_daily_conversation_per_phone"
    )
    numbers = _word(value, "max_phone_numbers_per_business") or _word(
        value, "max_phone_numbers_per_waba"
    )
    parts = []
    if limit:
        parts.append(f"The business may begin conversations with: {_limit(limit)}.")
    if numbers:
        parts.append(f"It may have {numbers} phone numbers.")
    return "What the business may do has changed", " ".join(parts), "info"


_FIELDS: dict[str, Callable[[Mapping[str, Any]], Told]] = {
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "phone_number_quality_update": _phone_quality,
    "account_update": _account_update,
    "account_alerts": _account_alert,
    "business_capability_update": _capability,
}
FIELDS = frozenset(_FIELDS)


def notice(
    account: str, entry: Mapping[str, Any], field: str, value: Mapping[str, Any], at: datetime
) -> Notice:
    """Return what one change of a field in `FIELDS` tells the operator.

    Its id is made of the entry's id and time and all that is said, so that a redelivery
    is the same notice, and two templates of one second are two.
    """
    id = digest(entry.get("id"), entry.get("time"), field, value)
    subject, text, level = _FIELDS[field](value)
    return Notice(
        "whatsapp",
        account,
        f"{field}:{id}",
        subject[: 2 * _WORD_LIMIT],
        text[:_TEXT_LIMIT] or subject,
        level,
        at,
    )
