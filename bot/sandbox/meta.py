"""What both of Meta's stand-ins do: the handshake by which a webhook's URL is verified."""

from __future__ import annotations

import asyncio
import logging
import secrets
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.delivery import FIRST_DELAY, LAST_DELAY, Delivery

logger = logging.getLogger(__name__)


async def verify(delivery: Delivery, webhook_url: str, verify_token: str) -> None:
    """Do Meta's handshake until the gateway answers with the challenge.

    https://developers.facebook.com/docs/graph-api/webhooks/getting-started
    """
    delay = FIRST_DELAY
    while True:
        challenge = str(secrets.randbelow(9 * 10**9) + 10**9)
        query = urlencode(
            {
                "hub.mode": "subscribe",
                "hub.challenge": challenge,
                "hub.verify_token": verify_token,
            }
        )
        try:
            url = f"{webhook_url}?{query}"
            async with delivery.session.get(url, allow_redirects=False) as answer:
                if answer.status == 200 and (await answer.text()).strip() == challenge:
                    return
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            logger.debug("sandbox: the gateway cannot be reached yet")
        await asyncio.sleep(delay)
        delay = min(LAST_DELAY, delay * 2)
