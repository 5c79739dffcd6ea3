"""What channels of Meta's have in common: the handshake, the signature, the Graph API's errors.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.message import clean
from connectors.base import Request, Response
from connectors.errors import BadSignature

GRAPH_URL = "https://graph.facebook.com"

_HEADER = "x-hub-signature-256"
_SIGNATURE = re.compile(r"sha256=([0-9A-Fa-f]{64})")
_REASON_LIMIT = 500


def handshake(request: Request, verify_token: str) -> Response:
    """Answer the verification of a webhook URL: 200 with the challenge, else 403."""
    query = request.query
    wanted = verify_token.encode("utf-8", "surrogatepass")
    given = query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    proven = bool(wanted) and hmac.compare_digest(wanted, given)
    if not (proven and query.get("hub.mode") == "subscribe" and query.get("hub.challenge")):
        return Response(403, "the verification token does not match")
    return Response(200, query["hub.challenge"])


def verify(request: Request, app_secret: str) -> None:
    """Check ``X-Hub-Signature-256``: an HMAC of the body's very bytes. Raises BadSignature.

    https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
    """
    if not app_secret:
        raise BadSignature("app_secret is not set, so no request can be verified")
    found = _SIGNATURE.fullmatch(request.headers.get(_HEADER, ""))
    if found is None:
        raise BadSignature("X-Hub-Signature-256 is missing or malformed")
    if not hmac.compare_digest(_digest(request.body, app_secret), bytes.fromhex(found.group(1))):
        raise BadSignature("X-Hub-Signature-256 does not match the body")


def vouched(request: Request, app_secret: str) -> Request:
    """Return `request` signed anew."""
    signature = f"sha256={_digest(request.body, app_secret).hex()}"
    return replace(request, headers={**request.headers, _HEADER: signature})


def _digest(body: bytes, app_secret: str) -> bytes:
    key = app_secret.encode("utf-8", "surrogatepass")
    return hmac.new(key, body, hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class Problem:
    """The Graph API's word on why it refused. `text` has the codes and no secret."""

    code: int
    subcode: int
    text: str
    transient: bool


def problem(body: Any, token: str) -> Problem | None:
    """Read the error of an answer, None when it has none of Graph's.

    `token` is blotted out of the text: Meta may quote it.
    """
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping) or not _is_code(error.get("code")):
        return None
    code = error["code"]
    subcode = error["error_subcode"] if _is_code(error.get("error_subcode")) else 0
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, Mapping) else None
    number = f"{code}/{subcode}" if subcode else f"{code}"
    text = f"{number} {error.get('message', '')}" + (f": {details}" if details else "")
    text = clean(text).replace(token or "\0", "***")[:_REASON_LIMIT]
    return Problem(code, subcode, text, error.get("is_transient") is True)


def _is_code(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
