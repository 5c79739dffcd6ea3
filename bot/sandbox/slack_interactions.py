"""Buttons, menus, commands, shortcuts and modals that people use in the sandbox's Slack.

https://docs.slack.dev/interactivity
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox import asked, slack_events, slack_fields
from bot.sandbox import slack_pointed as pointed
from bot.sandbox.errors import BadRequest
from bot.sandbox.slack_blocks import check_view
from bot.sandbox.slack_call import Call
from bot.sandbox.slack_chat import Chat
from bot.sandbox.slack_links import Links
from bot.sandbox.slack_sender import Sender
from bot.sandbox.slack_state import Message, Workspace
from bot.sandbox.slack_views import Modal, Modals
from bot.sandbox.standin import World

Json = dict[str, Any]


class Interactions:
    """What the app is asked, and what becomes of its answer. Deeds raise NotTaken."""

    def __init__(
        self,
        world: World,
        workspace: Workspace,
        sender: Sender,
        chat: Chat,
        modals: Modals,
        links: Links,
    ) -> None:
        self._world = world
        self._workspace = workspace
        self._sender = sender
        self._chat = chat
        self._modals = modals
        self._links = links
        self.deeds = {
            "press": self._press,
            "command": self._command,
            "shortcut": self._shortcut,
            "submit": self._submit,
            "close": self._close,
        }

    def _urls(self, agent: str, channel: str, message: Message | None = None) -> dict[str, str]:
        ts = message.ts if message else ""
        ephemeral = bool(message and message.ephemeral_for)
        key = self._links.response(agent, channel, ts, ephemeral=ephemeral)
        return {
            "response_url": f"{self._world.sandbox_url}/slack/response/{key}",
            "trigger_id": self._links.trigger(agent),
        }

    async def _press(self, data: Mapping[str, Any]) -> Json:
        agent = pointed.agent(data)
        action_id, block_id = asked.text(data, "action_id"), asked.text(data, "block_id")
        if data.get("view_id"):
            modal = self._modal(data, agent)
            blocks = modal.view["blocks"]
        else:
            message = pointed.shown(self._workspace, data)
            blocks = message.blocks
        block, element = slack_fields.find(blocks, action_id, block_id)
        given = data.get("value")
        action = slack_fields.action(block, element, given, self._workspace.ts())
        held = {block["block_id"]: {element["action_id"]: given}}
        state = slack_fields.state(blocks, held)
        if data.get("view_id"):
            where: Json = {
                "container": {"type": "view", "view_id": modal.id},
                "view": modal.native(state),
                "trigger_id": self._links.trigger(agent, modal.id),
            }
        else:
            where = {**self._around(agent, message), "state": state}
        body = slack_events.interaction("block_actions", agent, **where, actions=[action])
        await self._sender.ask("interactive", body)
        return {}

    def _around(self, agent: str, message: Message) -> Json:
        """Return what an interaction says of the message it happened on."""
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": bool(message.ephemeral_for),
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        made: Json = {
            "container": container,
            "channel": slack_events.channel(message.channel),
            **self._urls(agent, message.channel, message),
        }
        # Of a message only one can see Slack sends no copy.
        if not message.ephemeral_for:
            made["message"] = self._workspace.native(message, metadata=True)
        return made

    async def _command(self, data: Mapping[str, Any]) -> Json:
        agent, channel = pointed.agent(data), pointed.channel(self._workspace, data)
        name = asked.text(data, "command")
        if not name.startswith("/") or len(name) < 2:
            raise BadRequest("command must begin with a slash")
        text = asked.text(data, "text").strip()
        body = slack_events.command(agent, channel, name, text, self._urls(agent, channel))
        answer = await self._sender.ask("slash_commands", body)
        if answer.get("text") or answer.get("blocks"):
            key = body["response_url"].partition("/slack/response/")[2]
            self._chat.respond(self._links.respond(key), Call(answer))
        return {}

    async def _shortcut(self, data: Mapping[str, Any]) -> Json:
        agent, callback_id = pointed.agent(data), asked.text(data, "callback_id")
        ts = self._workspace.ts()
        more: Json = {"callback_id": callback_id, "action_ts": ts}
        kind = "shortcut"
        if data.get("ts"):
            kind, message = "message_action", pointed.shown(self._workspace, data)
            around = self._around(agent, message)
            del around["container"]
            more |= {**around, "message_ts": message.ts}
        else:
            more["trigger_id"] = self._links.trigger(agent)
        await self._sender.ask("interactive", slack_events.interaction(kind, agent, **more))
        return {}

    # -- modals -------------------------------------------------------------------

    def _modal(self, data: Mapping[str, Any], agent: str) -> Modal:
        found = self._modals.get(asked.text(data, "view_id"), agent)
        if found is None:
            raise BadRequest("this person has no such modal open")
        return found

    async def _submit(self, data: Mapping[str, Any]) -> Json:
        agent = pointed.agent(data)
        modal = self._modal(data, agent)
        given = data.get("values") or {}
        if not isinstance(given, dict) or not all(isinstance(v, dict) for v in given.values()):
            raise BadRequest("values must be {block_id: {action_id: value}}")
        blocks = modal.view["blocks"]
        state = slack_fields.state(blocks, given)
        errors = slack_fields.refused(blocks, state["values"])
        if errors:
            return {"errors": errors}
        body = slack_events.interaction(
            "view_submission",
            agent,
            trigger_id=self._links.trigger(agent, modal.id),
            view=modal.native(state),
            response_urls=[],
        )
        answer = await self._sender.ask("interactive", body)
        return {"errors": self._submitted(modal, answer)}

    def _submitted(self, modal: Modal, answer: Json) -> dict[str, str] | None:
        """Do what the app answers to a submission: errors, update, push, clear, or close."""
        action = answer.get("response_action")
        if action == "errors":
            errors = answer.get("errors") or {}
            return {str(block): str(words) for block, words in errors.items()}
        # The app may have closed or replaced it in the meantime.
        if self._modals.get(modal.id, modal.agent) is None:
            return None
        if action in ("update", "push"):
            check_view(answer.get("view"))
            if action == "update":
                self._modals.replace(modal, answer["view"])
            else:
                self._modals.push(modal.agent, answer["view"])
        elif action == "clear":
            self._modals.clear(modal.agent)
        else:
            self._modals.close(modal)
        return None

    async def _close(self, data: Mapping[str, Any]) -> Json:
        agent = pointed.agent(data)
        modal = self._modal(data, agent)
        self._modals.close(modal)
        if modal.view.get("notify_on_close"):
            body = slack_events.interaction(
                "view_closed", agent, view=modal.native(), is_cleared=False
            )
            await self._sender.ask("interactive", body)
        return {}
