"""Slack's Web API, with its failures as named errors that say what may be done about them.

No call is tried twice here: whether to try again is the caller's to know. Neither the token
nor what was to be posted is in an error or a log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.settings import SlackAccount

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

_HOST = "https://slack.com"
_OK = 200
_TOO_MANY = 429
_SERVER_ERROR = 500
# Slack names the seconds in Retry-After; without it, this long.
_WAIT = 30.0
#: Of https://docs.slack.dev/reference/methods/chat.postMessage and its kin.
_GONE = frozenset(
    {
        *("channel_not_found", "is_archived", "is_inactive"),
        *("thread_not_found", "message_not_found", "cant_update_message"),
        *("cannot_reply_to_message", "file_not_found", "user_not_found", "users_not_found"),
    }
)
_LATER = frozenset({"ratelimited", "rate_limited"})
#: "It's possible some aspect of the operation succeeded before the error was raised."
_UNSURE = frozenset({"internal_error", "fatal_error", "request_timeout"})
_AWAY = frozenset({"service_unavailable", "team_added_to_org"})

log = logging.getLogger(__name__)
# The SDK logs whole requests, with customers' words, where its logger is set to DEBUG.
_sdk_log = logging.getLogger(f"{__name__}.sdk")
_sdk_log.setLevel(logging.WARNING)


class SlackTrouble(Exception):
    """Slack did not do what was asked. `method` is Slack's, `reason` Slack's word for it."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(f"{method}: {reason}")
        self.method = method
        self.reason = reason


class RateLimited(SlackTrouble):
    """Not done; to be asked again `after` so many seconds."""

    def __init__(self, method: str, after: float) -> None:
        super().__init__(method, f"too many requests, again in {after:g} s")
        self.after = after


class Gone(SlackTrouble):
    """What it is about is not there, or not any more."""


class Refused(SlackTrouble):
    """Not done, and not to be done as long as things are as they are."""


class Unsure(SlackTrouble):
    """Perhaps done: there was no answer, or none that tells."""


class Away(SlackTrouble):
    """Not done: Slack cannot be reached right now."""


class SlackClient:
    """One account's Web API. `timeout` is in seconds, for each request as a whole."""

    def __init__(self, account: SlackAccount, timeout: float = 20.0) -> None:
        self.account = account
        self.timeout = timeout
        self._base = (account.api_url or _HOST).rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._made: AsyncWebClient | None = None

    def _open(self) -> tuple[aiohttp.ClientSession, AsyncWebClient]:
        # Made at the first call, in the loop that it belongs to.
        if self._session is None or self._session.closed or self._made is None:
            import aiohttp
            from slack_sdk.web.async_client import AsyncWebClient

            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.timeout))
            self._made = AsyncWebClient(
                self.account.bot_token,
                base_url=f"{self._base}/api/",
                session=self._session,
                logger=_sdk_log,
                retry_handlers=[],
            )
        return self._session, self._made

    async def call(self, method: str, /, **args: Any) -> dict[str, Any]:
        """Call a method by Slack's name, ``chat.postMessage``, and return its answer.

        Raises one of the errors of this module. Arguments that are None are left out.
        """
        import aiohttp
        from slack_sdk.errors import SlackApiError, SlackClientError

        _, web = self._open()
        verb = getattr(web, method.replace(".", "_"))
        try:
            answer = await verb(**args)
        except SlackApiError as error:
            raise _named(method, error) from None
        except SlackClientError as error:
            raise Refused(method, type(error).__name__) from None
        except aiohttp.ClientConnectorError:
            raise Away(method, f"cannot connect to {self._base}") from None
        except asyncio.TimeoutError:
            raise Unsure(method, f"no answer in {self.timeout:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError, AttributeError) as error:
            # The SDK takes each answer for an object; that of a proxy on the way may be none.
            raise Unsure(method, f"no readable answer, {type(error).__name__}") from None
        return dict(answer.data)

    async def post(
        self, channel: str, body: Mapping[str, Any], *, thread: str = "", mark: str = ""
    ) -> str:
        """Post a message, in a thread if there is one; return its ts.

        `mark` is a word that only we see in the message's metadata, see `find`.
        https://docs.slack.dev/reference/methods/chat.postMessage
        """
        metadata = {"event_type": EVENT, "event_payload": {"id": mark}} if mark else None
        answer = await self.call(
            "chat.postMessage",
            **_plain(body),
            channel=channel,
            thread_ts=thread or None,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
        )
        ts = str(answer["ts"])
        posted = answer.get("message") or {}
        if thread and posted and not posted.get("thread_ts"):
            # The thread's first message was deleted, and Slack has put it into the channel:
            # https://github.com/slackapi/python-slack-events-api/issues/87
            try:
                await self.call("chat.delete", channel=channel, ts=ts)
            except SlackTrouble as error:
                log.warning("%s: what went into the channel stays there: %s", channel, error)
            raise Gone("chat.postMessage", "thread_not_found")
        return ts

    async def update(self, channel: str, ts: str, body: Mapping[str, Any]) -> None:
        """Replace what a message of ours shows. https://docs.slack.dev/reference/methods/chat.update"""
        await self.call("chat.update", **_plain(body), channel=channel, ts=ts)

    async def react(self, channel: str, ts: str, name: str, *, on: bool = True) -> None:
        """Put a reaction of ours on a message, or take it off; done already is done.

        https://docs.slack.dev/reference/methods/reactions.add
        """
        try:
            method = "reactions.add" if on else "reactions.remove"
            await self.call(method, channel=channel, timestamp=ts, name=name)
        except Refused as error:
            if error.reason not in ("already_reacted", "no_reaction", "too_many_reactions"):
                raise

    async def messages(
        self, channel: str, *, thread: str = "", since: float
    ) -> list[dict[str, Any]]:
        """Return a thread's messages, its first one among them, or the channel's own.

        `since` is in seconds since 1970. At most some thousands.
        https://docs.slack.dev/reference/methods/conversations.replies and .history
        """
        method = "conversations.replies" if thread else "conversations.history"
        asked: dict[str, Any] = {"channel": channel, "oldest": f"{since:.6f}", "limit": 200}
        asked |= {"include_all_metadata": True, "inclusive": True}
        if thread:
            asked["ts"] = thread
        found: list[dict[str, Any]] = []
        for _ in range(_PAGES):
            answer = await self.call(method, **asked)
            found += answer.get("messages") or []
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
            asked["cursor"] = cursor
        return found

    async def begin_upload(self, filename: str, data: bytes) -> str:
        """Give Slack a file that nobody sees yet; return its id there.

        https://docs.slack.dev/reference/methods/files.getUploadURLExternal
        """
        import aiohttp

        method = "files.getUploadURLExternal"
        place = await self.call(method, filename=filename, length=len(data))
        session, _ = self._open()
        try:
            # The address itself is the permission: no token goes there.
            async with session.post(str(place["upload_url"]), data=data) as answer:
                if answer.status != _OK:
                    raise Away(method, f"the upload was answered with {answer.status}")
        except asyncio.TimeoutError:
            raise Away(method, f"not uploaded in {self.timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # Nobody sees it before it is completed: it can be given again.
            raise Away(method, f"not uploaded, {type(error).__name__}") from None
        return str(place["file_id"])

    async def finish_upload(self, file: str, title: str, channel: str, thread: str) -> None:
        """Show an uploaded file in a thread.

        https://docs.slack.dev/reference/methods/files.completeUploadExternal
        """
        await self.call(
            "files.completeUploadExternal",
            files=[{"id": file, "title": title}],
            channel_id=channel,
            thread_ts=thread,
        )

    async def download(self, url: str, most: int) -> tuple[bytes, str]:
        """Fetch a file that an agent attached: its bytes and MIME type.

        `url` is the file's ``url_private_download``. The token goes to Slack and nobody else.
        Raises `Refused` for any other place, for more than `most` bytes, and where the token may
        not read files: https://docs.slack.dev/reference/objects/file-object
        """
        import aiohttp

        method = "files"
        if not self._is_slack(url):
            raise Refused(method, "not an address of Slack")
        session, _ = self._open()
        headers = {"Authorization": f"Bearer {self.account.bot_token}"}
        try:
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status == _TOO_MANY:
                    raise RateLimited(method, _seconds(answer.headers.get("Retry-After")))
                if answer.status >= _SERVER_ERROR:
                    raise Away(method, f"the download was answered with {answer.status}")
                if answer.status != _OK:
                    raise Refused(method, f"the download was answered with {answer.status}")
                data = bytearray()
                async for part in answer.content.iter_chunked(65536):
                    data += part
                    if len(data) > most:
                        raise Refused(method, f"the file has more than {most} bytes")
                return bytes(data), answer.content_type
        except asyncio.TimeoutError:
            raise Away(method, f"not downloaded in {self.timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Away(method, f"not downloaded, {type(error).__name__}") from None

    def _is_slack(self, url: str) -> bool:
        try:
            asked, own = urlsplit(url), urlsplit(self._base)
            if self.account.api_url:
                return (asked.scheme, asked.netloc) == (own.scheme, own.netloc)
            host = asked.hostname or ""
        except ValueError:
            return False
        return asked.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))

    async def close(self) -> None:
        """Close the connections. Closing twice is no error."""
        session, self._session, self._made = self._session, None, None
        if session is not None:
            await session.close()


#: The type of the metadata by which we know our own messages again.
EVENT = "frontdesk_post"
# Of 200 messages each.
_PAGES = 20


def mark_of(message: Mapping[str, Any]) -> str:
    """Return the mark that a message was posted with, "" for any other message."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return ""
    return str((metadata.get("event_payload") or {}).get("id") or "")


def files_of(messages: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the ids of the files that are in messages, with the messages' ts."""
    return {
        str(file.get("id") or ""): str(message.get("ts") or "")
        for message in messages
        for file in message.get("files") or ()
    }


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a message says, with nothing that Slack would read into it of its own accord."""
    return {"parse": "none", "link_names": False, **body}


def _named(method: str, error: SlackApiError) -> SlackTrouble:
    response = error.response
    status = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    data = getattr(response, "data", None)
    reason = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == _TOO_MANY or reason in _LATER:
        return RateLimited(method, _seconds(_header(response, "Retry-After")))
    if reason in _GONE:
        return Gone(method, reason)
    if reason in _AWAY:
        return Away(method, reason)
    if status >= _SERVER_ERROR or reason in _UNSURE or not reason:
        return Unsure(method, reason or f"an answer with status {status}")
    return Refused(method, reason)


def _header(response: Any, name: str) -> str | None:
    headers = getattr(response, "headers", None) or {}
    return next((str(v) for k, v in headers.items() if k.lower() == name.lower()), None)


def _seconds(value: str | None) -> float:
    try:
        after = float(value or "")
    except ValueError:
        return _WAIT
    return after if 0 < after < float("inf") else _WAIT
