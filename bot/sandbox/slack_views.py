"""The modals of the sandbox's Slack: a stack of up to three for each person.

https://docs.slack.dev/surfaces/modals and the pages of views.open, views.push, views.update.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox import slack_fields
from bot.sandbox.slack_blocks import check_view, element_ids
from bot.sandbox.slack_call import Call, SlackError
from bot.sandbox.slack_links import Links
from bot.sandbox.slack_objects import APP, BOT, TEAM, new_id

Json = dict[str, Any]

_STACK = 3


@dataclass(slots=True)
class Modal:
    """An open modal; `view` is what the app gave, with the ids that Slack adds."""

    id: str
    agent: str
    view: Json
    hash: str
    root: str
    previous: str = ""

    def plain(self) -> Json:
        """Return it as the control API has it."""
        return {"view_id": self.id, "agent": self.agent, "view": self.view}

    def native(self, state: Json | None = None) -> Json:
        """Return the view as the Web API and interactions have it."""
        view = self.view
        return {
            "id": self.id,
            "team_id": TEAM,
            "type": "modal",
            "blocks": view["blocks"],
            "private_metadata": view.get("private_metadata") or "",
            "callback_id": view.get("callback_id") or "",
            "state": state or slack_fields.state(view["blocks"]),
            "hash": self.hash,
            "title": view["title"],
            "clear_on_close": bool(view.get("clear_on_close")),
            "notify_on_close": bool(view.get("notify_on_close")),
            "close": view.get("close"),
            "submit": view.get("submit"),
            "previous_view_id": self.previous or None,
            "root_view_id": self.root,
            "app_id": APP,
            "external_id": view.get("external_id") or "",
            "app_installed_team_id": TEAM,
            "bot_id": BOT,
        }


class Modals:
    """All open modals. `tell` hears what changed."""

    def __init__(self, links: Links, tell: Callable[[Json], None]) -> None:
        self._links = links
        self._tell = tell
        self._stacks: dict[str, list[Modal]] = {}
        self.methods = {
            "views.open": self._open,
            "views.push": self._push,
            "views.update": self._update,
        }

    def all(self) -> list[Modal]:
        """Return every open modal; of one person's the last is in front."""
        return [modal for stack in self._stacks.values() for modal in stack]

    def get(self, id_: str, agent: str) -> Modal | None:
        """Return a modal that a person has open, None when there is none."""
        return next((m for m in self._stacks.get(agent, ()) if m.id == id_), None)

    # -- what apps do -------------------------------------------------------------

    async def _open(self, call: Call) -> Json:
        view = call.structure("view", "invalid_arguments")
        check_view(view)
        self._unique(view)
        trigger = self._links.exchange(call.needed("trigger_id"))
        self.clear(trigger.agent)
        return {"view": self._add(trigger.agent, view).native()}

    async def _push(self, call: Call) -> Json:
        view = call.structure("view", "invalid_arguments")
        check_view(view)
        self._unique(view)
        trigger = self._links.exchange(call.needed("trigger_id"))
        if not trigger.view_id or self.get(trigger.view_id, trigger.agent) is None:
            raise SlackError("not_found")
        return {"view": self.push(trigger.agent, view).native()}

    async def _update(self, call: Call) -> Json:
        view = call.structure("view", "invalid_arguments")
        check_view(view)
        view_id, external = call.text("view_id"), call.text("external_id")
        if not view_id and not external:
            call.needed("view_id")
        found = next(
            (
                m
                for m in self.all()
                if (view_id and m.id == view_id)
                or (external and m.view.get("external_id") == external)
            ),
            None,
        )
        if found is None:
            raise SlackError("not_found")
        if call.text("hash") not in ("", found.hash):
            raise SlackError("hash_conflict")
        self.replace(found, view)
        return {"view": found.native()}

    def _unique(self, view: Mapping[str, Any]) -> None:
        external = view.get("external_id")
        if external and any(m.view.get("external_id") == external for m in self.all()):
            raise SlackError("duplicate_external_id")

    # -- the stack ----------------------------------------------------------------

    def push(self, agent: str, view: Mapping[str, Any]) -> Modal:
        """Put a view in front of those a person has open. Raises SlackError."""
        if len(self._stacks.get(agent, ())) >= _STACK:
            raise SlackError("push_limit_reached")
        return self._add(agent, view)

    def _add(self, agent: str, view: Mapping[str, Any]) -> Modal:
        stack = self._stacks.setdefault(agent, [])
        id_ = new_id("V")
        root, previous = (stack[0].root, stack[-1].id) if stack else (id_, "")
        modal = Modal(id_, agent, {}, "", root, previous)
        stack.append(modal)
        self.replace(modal, view)
        return modal

    def replace(self, modal: Modal, view: Mapping[str, Any]) -> None:
        """Show another view in the place of a modal's."""
        modal.view = {**view, "blocks": element_ids(view["blocks"])}
        modal.hash = f"{int(time.time())}.{secrets.token_hex(4)}"
        self._tell({"what": "modal", "modal": modal.plain()})

    def close(self, modal: Modal) -> None:
        """Take a modal away; the one behind it is in front again."""
        self._stacks[modal.agent].remove(modal)
        self._tell({"what": "modal_closed", "view_id": modal.id, "agent": modal.agent})

    def clear(self, agent: str) -> None:
        """Take all modals of a person away."""
        for modal in reversed(self._stacks.get(agent, [])[:]):
            self.close(modal)
