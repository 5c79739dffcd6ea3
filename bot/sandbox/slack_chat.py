"""chat.*, reactions.* and response URLs of the sandbox's Slack.

https://docs.slack.dev/reference/methods/chat.postMessage and its neighbours.
"""

from __future__ import annotations

import json
import re
from typing import Any

from bot.sandbox import slack_events, slack_words
from bot.sandbox.slack_blocks import check_message, element_ids
from bot.sandbox.slack_call import Call, SlackError
from bot.sandbox.slack_events import Events
from bot.sandbox.slack_links import Response
from bot.sandbox.slack_objects import BOT_USER, DOMAIN, MEMBERS
from bot.sandbox.slack_sender import Sender
from bot.sandbox.slack_state import Message, SlackFile, Workspace

Json = dict[str, Any]

TEXT_LIMIT = 40_000
REACTIONS = 50
_METADATA_BYTES = 8_000
_EVENT_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Chat:
    """Writes, edits and deletes messages, for the app and, by the same ways, for people."""

    def __init__(self, workspace: Workspace, sender: Sender) -> None:
        self._workspace = workspace
        self._sender = sender
        self._events = Events(workspace)
        self.methods = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.getPermalink": self._permalink,
            "reactions.add": self._react,
            "reactions.remove": self._unreact,
        }

    # -- what happens -------------------------------------------------------------

    def post(self, message: Message, copies: int = 1) -> Message:
        """Put a message where it belongs and send the event of it, `copies` times."""
        self._workspace.add(message)
        if message.thread_ts:
            self._root_changed(message)
        self._send(self._events.posted(message), copies)
        return message

    def edit(self, message: Message, text: str, blocks: list[Json], by: str) -> None:
        """Put other words in the place of a message's."""
        before = self._workspace.native(message, metadata=True)
        message.text, message.blocks = text, blocks
        if not blocks:
            # "If blocks are used ..., the edited flag will not be displayed": chat.update.
            message.edited = {"user": by, "ts": self._workspace.ts()}
        self._workspace.changed(message)
        self._send(self._events.changed(message, before))

    def delete(self, message: Message) -> None:
        """Take a message away."""
        before = self._workspace.native(message, metadata=True)
        message.deleted = True
        self._workspace.changed(message)
        if message.thread_ts:
            self._root_changed(message)
        self._send(self._events.deleted(message, before))

    def react(self, message: Message, user: str, name: str) -> None:
        """Put a reaction on a message. Raises SlackError."""
        users = message.reactions.get(name, [])
        if user in users:
            raise SlackError("already_reacted")
        if not slack_words.is_emoji_name(name):
            raise SlackError("invalid_name")
        if name not in message.reactions and len(message.reactions) >= REACTIONS:
            raise SlackError("too_many_emoji")
        message.reactions[name] = [*users, user]
        self._workspace.changed(message)
        self._send(self._events.reacted(message, user, name, removed=False))

    def unreact(self, message: Message, user: str, name: str) -> None:
        """Take a reaction off a message. Raises SlackError."""
        users = [u for u in message.reactions.get(name, []) if u != user]
        if users == message.reactions.get(name, []):
            raise SlackError("no_reaction")
        message.reactions[name] = users
        if not users:
            del message.reactions[name]
        self._workspace.changed(message)
        self._send(self._events.reacted(message, user, name, removed=True))

    def _send(self, event: Json, copies: int = 1) -> None:
        self._sender.event(slack_events.callback(event), copies)

    def _root_changed(self, reply: Message) -> None:
        root = self._workspace.get(reply.channel, reply.thread_ts)
        if root is not None:
            self._workspace.changed(root)

    # -- what is given ------------------------------------------------------------

    def channel(self, call: Call) -> str:
        """Return the id of the channel a call is about. Raises SlackError."""
        found = self._workspace.channel(call.needed("channel"))
        if not found:
            raise SlackError("channel_not_found")
        return found

    def thread(self, channel: str, ts: str) -> str:
        """Return the root's `ts` of the thread an answer to `ts` goes to. Raises SlackError."""
        if not ts:
            return ""
        found = self._workspace.get(channel, ts)
        if found is None:
            raise SlackError("thread_not_found")
        return found.thread_ts or found.ts

    def _blocks(self, call: Call) -> list[Json]:
        blocks = call.structure("blocks", "invalid_blocks_format")
        if not blocks:
            return []
        check_message(blocks)
        return element_ids(blocks)

    def _message(self, call: Call, channel: str, files: list[SlackFile] | None = None) -> Message:
        """Make the message of a call's arguments. Raises SlackError."""
        thread = self.thread(channel, call.text("thread_ts"))
        blocks = self._blocks(call)
        text = call.text("text") or call.text("markdown_text")
        if not text and not blocks and not files:
            raise SlackError("no_text")
        if len(text) > TEXT_LIMIT:
            raise SlackError("msg_too_long")
        username = call.text("username")
        return Message(
            channel=channel,
            ts=self._workspace.ts(),
            user="" if username else BOT_USER,
            text=text,
            thread_ts=thread,
            bot=True,
            blocks=blocks,
            files=files or [],
            broadcast=bool(thread) and call.flag("reply_broadcast"),
            username=username,
            metadata=_metadata(call),
        )

    def share(self, channel: str, thread_ts: str, text: str, files: list[SlackFile]) -> Message:
        """Post files as the app does. Raises SlackError."""
        given = {"thread_ts": thread_ts, "text": text}
        return self.post(self._message(Call(given), channel, files))

    # -- methods ------------------------------------------------------------------

    async def _post(self, call: Call) -> Json:
        message = self.post(self._message(call, self.channel(call)))
        native = self._workspace.native(message, metadata=True)
        return {"channel": message.channel, "ts": message.ts, "message": native}

    async def _update(self, call: Call) -> Json:
        message = self._own(call, "cant_update_message", "ts")
        blocks = self._blocks(call)
        text = call.text("text")
        if not text and not call.has("blocks"):
            raise SlackError("no_text")
        if len(text) > TEXT_LIMIT:
            raise SlackError("msg_too_long")
        if not blocks and not call.has("blocks") and not text:
            blocks = message.blocks
        metadata = _metadata(call)
        if metadata is not None:
            message.metadata = metadata
        self.edit(message, text or message.text, blocks, BOT_USER)
        native = self._workspace.native(message, metadata=True)
        return {"channel": message.channel, "ts": message.ts, "text": text, "message": native}

    async def _delete(self, call: Call) -> Json:
        message = self._own(call, "cant_delete_message", "ts")
        self.delete(message)
        return {"channel": message.channel, "ts": message.ts}

    async def _post_ephemeral(self, call: Call) -> Json:
        channel = self.channel(call)
        user = call.needed("user")
        if user not in MEMBERS:
            raise SlackError("user_not_in_channel")
        message = self._message(call, channel)
        message.ephemeral_for = user
        return {"message_ts": self._workspace.add(message).ts}

    async def _permalink(self, call: Call) -> Json:
        channel = self.channel(call)
        message = self._workspace.get(channel, call.needed("message_ts"))
        if message is None:
            raise SlackError("message_not_found")
        url = f"https://{DOMAIN}.slack.com/archives/{channel}/p{message.ts.replace('.', '')}"
        if message.thread_ts:
            url += f"?thread_ts={message.thread_ts}&cid={channel}"
        return {"channel": channel, "permalink": url}

    async def _react(self, call: Call) -> Json:
        self.react(self._reacted(call), BOT_USER, call.needed("name").strip(":"))
        return {}

    async def _unreact(self, call: Call) -> Json:
        self.unreact(self._reacted(call), BOT_USER, call.needed("name").strip(":"))
        return {}

    def _reacted(self, call: Call) -> Message:
        channel = self.channel(call)
        if not call.text("timestamp"):
            raise SlackError("no_item_specified")
        found = self._workspace.get(channel, call.text("timestamp"))
        if found is None:
            raise SlackError("message_not_found")
        return found

    def _own(self, call: Call, refusal: str, key: str) -> Message:
        found = self._workspace.get(self.channel(call), call.needed(key))
        if found is None:
            raise SlackError("message_not_found")
        if not found.bot:
            raise SlackError(refusal)
        return found

    # -- response URLs ------------------------------------------------------------

    def respond(self, to: Response, call: Call) -> None:
        """Do what the app posts to a response URL. Raises SlackError.

        https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
        """
        shown = (
            self._workspace.ephemeral(to.channel, to.ts, to.agent)
            if to.ephemeral
            else self._workspace.get(to.channel, to.ts)
        )
        if call.flag("delete_original") or call.flag("replace_original"):
            if shown is None:
                raise SlackError("message_not_found")
            if not call.flag("delete_original"):
                self._replace(shown, call)
            elif to.ephemeral:
                self._workspace.drop(shown)
            else:
                self.delete(shown)
            return
        message = self._message(call, to.channel)
        if call.text("response_type") == "in_channel":
            self.post(message)
            return
        if not message.thread_ts and shown is not None:
            message.thread_ts = shown.thread_ts
        message.ephemeral_for = to.agent
        self._workspace.add(message)

    def _replace(self, shown: Message, call: Call) -> None:
        blocks, text = self._blocks(call), call.text("text")
        if not text and not blocks:
            raise SlackError("no_text")
        if not shown.ephemeral_for:
            self.edit(shown, text, blocks, BOT_USER)
            return
        shown.text, shown.blocks = text, blocks
        self._workspace.changed(shown)


def _metadata(call: Call) -> Json | None:
    """Return the metadata of a message: https://docs.slack.dev/messaging/message-metadata."""
    given = call.structure("metadata", "invalid_metadata_format")
    if given is None:
        return None
    if (
        not isinstance(given, dict)
        or not _EVENT_TYPE.fullmatch(str(given.get("event_type", "")))
        or not isinstance(given.get("event_payload"), dict)
    ):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(given)) > _METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return given
