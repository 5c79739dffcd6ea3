"""files.* of the sandbox's Slack: uploads in three steps, and downloads with the token.

https://docs.slack.dev/messaging/working-with-files
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.slack_call import Call, SlackError
from bot.sandbox.slack_chat import Chat
from bot.sandbox.slack_objects import BOT_USER, TEAM, new_id
from bot.sandbox.slack_state import SlackFile, Workspace

Json = dict[str, Any]

FILE_BYTES = 1024 * 1024 * 1024
_KEEP = 500
# What a browser that is not logged in gets in place of a file, with status 200.
_LOGIN = (
    "<!DOCTYPE html><html><head><title>Slack</title></head>"
    "<body><h1>Sign in to Larkfield</h1></body></html>"
)


@dataclass(slots=True)
class _Upload:
    file_id: str
    name: str
    length: int
    done: bool = False


class Files:
    """The files apps put into the workspace and take out of it."""

    def __init__(self, workspace: Workspace, chat: Chat, url: Callable[[], str]) -> None:
        self._workspace = workspace
        self._chat = chat
        self._url = url
        self._uploads: OrderedDict[str, _Upload] = OrderedDict()
        self.methods = {
            "files.getUploadURLExternal": self._begin,
            "files.completeUploadExternal": self._complete,
            "files.info": self._info,
            "files.delete": self._delete,
        }

    async def _begin(self, call: Call) -> Json:
        name, length = call.needed("filename"), call.needed("length")
        if not length.isdigit() or not 0 < int(length) <= FILE_BYTES:
            reason = "[ERROR] must be a positive integer [json-pointer:/length]"
            raise SlackError("invalid_arguments", response_metadata={"messages": [reason]})
        key = secrets.token_urlsafe(24)
        upload = _Upload(new_id("F"), name, int(length))
        self._uploads[key] = upload
        while len(self._uploads) > _KEEP:
            self._uploads.popitem(last=False)
        url = f"{self._url()}/slack/upload/v1/{key}"
        return {"upload_url": url, "file_id": upload.file_id}

    async def upload(self, request: web.Request) -> web.Response:
        """Take the bytes of a file, plain or as a form."""
        upload = self._uploads.get(request.match_info["key"])
        if upload is None:
            return web.Response(status=404, text="not found")
        if request.content_type == "multipart/form-data":
            parts = [p for p in (await request.post()).values() if isinstance(p, web.FileField)]
            data = parts[0].file.read() if parts else b""
        else:
            data = await request.read()
        if len(data) != upload.length:
            return web.Response(status=400, text="length mismatch")
        self._workspace.keep_file(data, upload.name, BOT_USER, upload.file_id)
        upload.done = True
        return web.Response(text=f"OK - {len(data)}")

    async def _complete(self, call: Call) -> Json:
        given = call.structure("files", "invalid_arguments")
        if not isinstance(given, list) or not all(isinstance(g, dict) for g in given):
            raise SlackError("invalid_arguments")
        if not given:
            raise SlackError("files_not_found")
        begun = {u.file_id for u in self._uploads.values() if u.done}
        files: list[SlackFile] = []
        for one in given:
            file = self._workspace.file(str(one.get("id", "")))
            if file is None or file.id not in begun:
                raise SlackError("file_not_found")
            files.append(file)
        for file, one in zip(files, given, strict=True):
            file.title = str(one.get("title") or file.name)
        # As Slack shares them a moment later, the answer does not say where they are.
        answer = {"files": [self._workspace.file_object(f) for f in files]}
        if call.text("channel_id"):
            channel = self._workspace.channel(call.text("channel_id"))
            if not channel:
                raise SlackError("channel_not_found")
            self._chat.share(channel, call.text("thread_ts"), call.text("initial_comment"), files)
        self._uploads = OrderedDict(
            (key, u) for key, u in self._uploads.items() if u.file_id not in {f.id for f in files}
        )
        return answer

    async def _info(self, call: Call) -> Json:
        file = self._workspace.file(call.needed("file"))
        if file is None:
            raise SlackError("file_not_found")
        return {"file": self._workspace.file_object(file, shares=True), "comments": []}

    async def _delete(self, call: Call) -> Json:
        """https://docs.slack.dev/reference/methods/files.delete: an app deletes its own alone."""
        file = self._workspace.file(call.needed("file"))
        if file is None:
            raise SlackError("file_not_found")
        if file.user != BOT_USER:
            raise SlackError("cant_delete_file")
        self._workspace.drop_file(file)
        for channel, shares in file.shares.items():
            for share in shares:
                message = self._workspace.get(channel, share["ts"])
                if message is None:
                    continue
                message.files = [one for one in message.files if one.id != file.id]
                if message.text or message.files:
                    self._workspace.changed(message)
                else:
                    self._chat.delete(message)
        return {}

    def download(self, id_: str, *, allowed: bool) -> web.Response:
        """Answer with a file, or with the login page where it is not `allowed`."""
        if not allowed:
            return web.Response(text=_LOGIN, content_type="text/html")
        file = self._workspace.file(id_.removeprefix(f"{TEAM}-"))
        data = None if file is None else self._workspace.data(file)
        if file is None or data is None:
            return web.Response(status=404, text="not found")
        return web.Response(body=data, content_type=file.mime)
