"""Fetching what agents attached in Slack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.desk.slack.client import Away, RateLimited, Refused, SlackClient, SlackTrouble, Unsure
from connectors.errors import NoFile, RetryLater

_MOST = 25 * 1024 * 1024
_HTML = ("text/html", "application/xhtml+xml")
# One that waits longer for a rate limit would hold the customer's other messages.
_LONGEST_WAIT = 300.0


class SlackFiles:
    """`bot.desk.contract.Fetches` for Slack, of files of at most `most` bytes.

    `clients` is one account's client, or all by account; a file's ``account`` tells which.
    """

    def __init__(self, clients: SlackClient | Mapping[str, SlackClient], most: int = _MOST) -> None:
        if isinstance(clients, SlackClient):
            clients = {clients.account.account: clients}
        self._clients = clients
        self._most = most

    async def fetch(self, file: Mapping[str, Any]) -> tuple[bytes, str, str]:
        """See `bot.desk.contract.Fetches.fetch`."""
        name = str(file.get("name") or "file")
        client = self._client(file)
        try:
            return await self._fetched(client, file, name)
        except RateLimited as error:
            failure: Exception = RetryLater(
                f"{name}: Slack has no time for it", min(error.after, _LONGEST_WAIT)
            )
        except (Away, Unsure) as error:
            failure = RetryLater(f"{name}: {error.reason}")
        except SlackTrouble as error:
            failure = NoFile(f"{name}: {_why(error.reason)}")
        raise failure

    def _client(self, file: Mapping[str, Any]) -> SlackClient:
        account = str(file.get("account") or "")
        if not account and len(self._clients) == 1:
            return next(iter(self._clients.values()))
        if account not in self._clients:
            raise NoFile(f"there is no Slack account {account!r}")
        return self._clients[account]

    async def _fetched(
        self, client: SlackClient, file: Mapping[str, Any], name: str
    ) -> tuple[bytes, str, str]:
        if not file.get("url_private_download") and file.get("id"):
            # Of a file from a shared channel an event tells no more than its id:
            # https://docs.slack.dev/reference/objects/file-object
            answer = await client.call("files.info", file=str(file["id"]))
            file = {**file, **(answer.get("file") or {})}
            name = str(file.get("name") or name)
        size, url = file.get("size"), str(file.get("url_private_download") or "")
        if not url:
            raise NoFile(f"{name}: it is not kept by Slack, a link has to be sent instead")
        if isinstance(size, int) and size > self._most:
            raise NoFile(f"{name}: it has more than {self._most} bytes")
        data, got = await client.download(url, self._most)
        mime = str(file.get("mimetype") or "")
        if got in _HTML and mime not in _HTML:
            # Slack shows its login page, with status 200, to a token that may not read files.
            raise Refused("files", "missing_scope")
        if isinstance(size, int) and size and len(data) != size:
            raise Away("files", f"{len(data)} bytes came of {size}")
        return data, mime or got, name


def _why(reason: str) -> str:
    if reason in ("missing_scope", "not_allowed_token_type"):
        return "Slack does not give it; the app's bot token needs the scope files:read"
    return reason.replace("_", " ")
