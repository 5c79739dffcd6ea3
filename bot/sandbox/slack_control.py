"""What people do in the sandbox's Slack, for its page and for tests; all of it JSON.

====== ============================ ====================================================
GET    /control/slack/state         ``{agents, channels, messages, modals}``
POST   /control/slack/message       ``{agent, channel, text, thread_ts?, files?: [ids],
                                    broadcast?, copies?}`` answers ``{ts}``; the event of it
                                    goes out ``copies`` times
POST   /control/slack/files         ``?name``, the body is a file, sent as
                                    ``application/octet-stream``; answers ``{id}``
GET    /control/slack/files/{id}    the file
POST   /control/slack/edit          ``{agent, channel, ts, text}``
POST   /control/slack/delete        ``{agent, channel, ts}``
POST   /control/slack/react         ``{agent, channel, ts, name, removed?}``
POST   /control/slack/press         ``{agent, channel, ts, action_id, block_id?, value?}``, in
                                    a modal ``view_id`` in place of channel and ts
POST   /control/slack/command       ``{agent, channel, command, text}``
POST   /control/slack/shortcut      ``{agent, callback_id, channel?, ts?}``
POST   /control/slack/submit        ``{agent, view_id, values: {block: {action: …}}}`` answers
                                    ``{errors: {block: text} | null}``
POST   /control/slack/close         ``{agent, view_id}``
POST   /control/slack/disconnect    ``{reason?: warning|refresh_requested|link_disabled|cut}``
                                    tells the app's sockets to connect anew, or cuts them;
                                    answers ``{sockets}``
====== ============================ ====================================================

What a person does is answered once the app acknowledged it; when it does not, the answer
is 504 with Slack's word for that. Changes go out on /control/events as ``{"event":
"slack", "what": "message"|"modal"|"modal_closed"|"gone", …}``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.sandbox import asked
from bot.sandbox import slack_pointed as pointed
from bot.sandbox.errors import BadRequest
from bot.sandbox.slack_call import SlackError
from bot.sandbox.slack_chat import TEXT_LIMIT, Chat
from bot.sandbox.slack_interactions import Interactions
from bot.sandbox.slack_links import Links
from bot.sandbox.slack_objects import CHANNELS, MEMBERS
from bot.sandbox.slack_sender import NotTaken, Sender
from bot.sandbox.slack_state import Message, Workspace
from bot.sandbox.slack_views import Modals
from bot.sandbox.standin import World

Json = dict[str, Any]

_REASONS = ("warning", "refresh_requested", "link_disabled", "cut")
_COPIES = 10


class SlackControl:
    """The control API of the workspace."""

    def __init__(
        self,
        world: World,
        workspace: Workspace,
        sender: Sender,
        chat: Chat,
        modals: Modals,
        links: Links,
    ) -> None:
        self._workspace = workspace
        self._sender = sender
        self._chat = chat
        self._modals = modals
        self._interactions = Interactions(world, workspace, sender, chat, modals, links)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes under /control/slack."""
        deeds = {
            "message": self._message,
            "edit": self._edit,
            "delete": self._delete,
            "react": self._react,
            "disconnect": self._disconnect,
            **self._interactions.deeds,
        }

        def route(name: str) -> web.AbstractRouteDef:
            async def handle(request: web.Request) -> web.Response:
                try:
                    answer = await deeds[name](await asked.body(request))
                except SlackError as error:
                    raise BadRequest(error.name) from None
                except NotTaken as error:
                    words = "operation_timeout" if str(error) == "timeout" else "dispatch_failed"
                    return web.json_response({"error": words}, status=504)
                return web.json_response(answer)

            return web.post(f"/control/slack/{name}", asked.json_only(handle))

        return [
            *(route(name) for name in deeds),
            web.get("/control/slack/state", self._state),
            web.post("/control/slack/files", asked.bytes_only(self._upload)),
            web.get("/control/slack/files/{id}", self._file),
        ]

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "agents": [{"id": id_, "name": name} for id_, name in MEMBERS.items()],
                "channels": [{"id": id_, "name": name} for id_, name in CHANNELS.items()],
                "messages": [self._workspace.plain(m) for m in self._workspace.all()],
                "modals": [modal.plain() for modal in self._modals.all()],
            }
        )

    # -- files --------------------------------------------------------------------

    async def _upload(self, request: web.Request) -> web.Response:
        data = await asked.upload(request)
        name = request.query.get("name", "")[:200]
        file = self._workspace.keep_file(data, name, next(iter(MEMBERS)))
        return web.json_response({"id": file.id})

    async def _file(self, request: web.Request) -> web.Response:
        file = self._workspace.file(request.match_info["id"])
        data = None if file is None else self._workspace.data(file)
        if file is None or data is None:
            raise web.HTTPNotFound
        headers = dict(asked.HARMLESS)
        if not file.mime.startswith(("image/", "audio/", "video/")):
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name)}"
        return web.Response(body=data, content_type=file.mime, headers=headers)

    # -- messages -----------------------------------------------------------------

    async def _message(self, data: Mapping[str, Any]) -> Json:
        agent, channel = pointed.agent(data), pointed.channel(self._workspace, data)
        text = self._typed(data)
        given = data.get("files") or []
        if not isinstance(given, list):
            raise BadRequest("files must be a list of ids")
        files = []
        for id_ in given:
            file = self._workspace.file(str(id_))
            if file is None:
                raise BadRequest(f"there is no file {str(id_)[:80]!r}")
            file.user = agent
            files.append(file)
        if not text and not files:
            raise BadRequest("text is empty")
        thread = self._chat.thread(channel, asked.text(data, "thread_ts"))
        message = Message(
            channel=channel,
            ts=self._workspace.ts(),
            user=agent,
            text=text,
            thread_ts=thread,
            files=files,
            broadcast=bool(thread) and data.get("broadcast") is True,
            client_msg_id=str(uuid.uuid4()),
        )
        self._chat.post(message, asked.whole(data, "copies", 1, _COPIES))
        return {"ts": message.ts}

    async def _edit(self, data: Mapping[str, Any]) -> Json:
        agent, message = pointed.agent(data), pointed.shown(self._workspace, data)
        if message.user != agent:
            raise BadRequest("only who wrote a message can edit it")
        text = self._typed(data)
        if not text:
            raise BadRequest("text is empty")
        self._chat.edit(message, text, [], agent)
        return {}

    async def _delete(self, data: Mapping[str, Any]) -> Json:
        pointed.agent(data)
        self._chat.delete(pointed.shown(self._workspace, data))
        return {}

    async def _react(self, data: Mapping[str, Any]) -> Json:
        agent, message = pointed.agent(data), pointed.shown(self._workspace, data)
        name = asked.text(data, "name").strip(":")
        if data.get("removed"):
            self._chat.unreact(message, agent, name)
        else:
            self._chat.react(message, agent, name)
        return {}

    def _typed(self, data: Mapping[str, Any]) -> str:
        text = self._workspace.encoded(asked.text(data, "text"))
        if len(text) > TEXT_LIMIT:
            raise BadRequest(f"text must be at most {TEXT_LIMIT} characters as it is sent")
        return text

    async def _disconnect(self, data: Mapping[str, Any]) -> Json:
        reason = asked.text(data, "reason", "refresh_requested")
        if reason not in _REASONS:
            raise BadRequest(f"reason must be one of {', '.join(_REASONS)}")
        if reason == "cut":
            return {"sockets": self._sender.cut()}
        return {"sockets": await self._sender.disconnect(reason)}
