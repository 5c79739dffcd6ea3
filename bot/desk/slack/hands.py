"""Buttons, menus, forms, commands and shortcuts in Slack: each becomes a deed, or opens a form."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from bot.desk.deeds import deed_of
from bot.desk.people import People
from bot.desk.slack import ids, modals
from bot.desk.slack.client import SlackClient, SlackTrouble
from bot.desk.slack.pressed import FILL, REPLY, Place, Press, presses, short
from bot.desk.slack.said import NotYet
from bot.desk.slack.workspace import Workspace
from bot.desk.templates import Approved, chosen
from bot.ending import end
from bot.message import Address, clean
from bot.settings import SlackAccount
from bot.store import AsyncStore, StoreError
from bot.store.conversations import Conversation
from bot.store.deeds import Deed
from bot.store.reviews import Review
from bot.store.slack import SlackThread

log = logging.getLogger(__name__)

# A trigger is good for three seconds: https://docs.slack.dev/interactivity/handling-user-interaction
_OPEN_SECONDS = 2.7
_INBOX, _CANNED_HERE = "desk_inbox", "desk_canned_here"
_FORMS = frozenset({ids.RESOLVE, ids.EDIT_DRAFT, ids.CANNED, REPLY, FILL})


class Hands:
    """What one account's agents do, other than write."""

    def __init__(
        self,
        account: SlackAccount,
        store: AsyncStore,
        people: People,
        workspace: Workspace,
        wish: Callable[[Deed], Awaitable[bool]],
        client: SlackClient,
        templates: Sequence[Approved] = (),
        canned: Callable[[], Sequence[tuple[str, str]]] | None = None,
    ) -> None:
        self._account = account
        self._store = store
        self._people = people
        self._workspace = workspace
        self._wish = wish
        self._client = client
        self._templates = templates
        self._canned = canned or _canned
        self._opening: set[asyncio.Task[None]] = set()

    async def press(self, body: Mapping[str, Any], arrived: int) -> None:
        """Take a block_actions payload. Raises StoreDown and NotYet."""
        if not await self._is_ours(body):
            return
        for press in presses(body, self._account.account):
            if await self._looks_on(press.place):
                await self._say(press.place, "This is for the members of this channel.")
                continue
            trigger = str(body.get("trigger_id") or "")
            if press.action in _FORMS and press.place.conversation:
                self._open(trigger, press.place, self._form_of(press))
                continue
            if press.action == ids.ASSIGN and not press.chosen:
                self._open(trigger, press.place, _at_once(modals.assign(press.place)))
                continue
            if press.deed is None:
                continue
            kind, args, text = press.deed
            if kind == "template":
                approved = await self._approved(press)
                if approved is not None and approved.parameters:
                    view = modals.template(press.place, approved)
                    self._open(trigger, press.place, _at_once(view))
                    continue
            await self._keep(press.id, kind, press.place, args, text, arrived, press.is_user)

    async def send(self, body: Mapping[str, Any], arrived: int) -> Mapping[str, str]:
        """Take a form that was sent; return what is wrong with it, by block.

        Raises StoreDown and NotYet.
        """
        if not await self._is_ours(body):
            return {}
        view = body.get("view") or {}
        form = modals.sent(view, str((body.get("user") or {}).get("id") or ""))
        if form is None or form.problems:
            return form.problems if form is not None else {}
        id = f"slack:{self._account.account}:view:{view.get('id')}:{view.get('hash')}"
        args = dict(form.args)
        await self._keep(id, form.kind, form.place, args, form.text, arrived, form.is_user)
        return {}

    async def command(self, body: Mapping[str, Any], arrived: int) -> str:
        """Take a slash command; return what is said to it at once, "" for nothing.

        https://docs.slack.dev/interactivity/implementing-slash-commands
        """
        user, channel = str(body.get("user_id") or ""), str(body.get("channel_id") or "")
        home = await self._home()
        if self._workspace.is_foreign(home, body.get("team_id")) or not user:
            return "This is for the people of the desk."
        if not await self._is_agent(user):
            return "This is for the members of the desk's channel."
        words = clean(str(body.get("text") or "")).strip()
        found = await self._store.get(Conversation, words) if words.count(":") > 1 else None
        id = f"slack:{self._account.account}:cmd:{short(str(body.get('trigger_id') or ''))}"
        respond = str(body.get("response_url") or "")
        place = Place(words if found else "", channel, "", user, respond)
        if found is not None:
            await self._keep(id, "take", place, {}, "", arrived)
        else:
            await self._keep(id, "find", place, {}, words, arrived)
        return ""

    async def shortcut(self, body: Mapping[str, Any], arrived: int) -> None:
        """Take a shortcut: the inbox from anywhere, canned replies from a message of a thread.

        https://docs.slack.dev/interactivity/implementing-shortcuts
        """
        name = body.get("callback_id")
        if name not in (_INBOX, _CANNED_HERE) or not await self._is_ours(body):
            return
        user = str((body.get("user") or {}).get("id") or "")
        trigger = str(body.get("trigger_id") or "")
        if name == _INBOX:
            if user and await self._is_agent(user):
                id = f"slack:{self._account.account}:cut:{short(trigger)}"
                await self._keep(id, "find", Place("", user=user), {}, "", arrived)
            return
        channel = str((body.get("channel") or {}).get("id") or "")
        message = body.get("message") or {}
        root = str(message.get("thread_ts") or message.get("ts") or "")
        where = {"channel": channel, "ts": root}
        for thread in await self._store.find(SlackThread, where, limit=1) if root else ():
            place = Place(
                thread.conversation, channel, root, user, str(body.get("response_url") or "")
            )
            press = Press("", ids.CANNED, place)
            self._open(trigger, place, self._form_of(press))

    async def close(self) -> None:
        """Give up the forms that are about to open."""
        await end(*self._opening)

    async def _home(self) -> str:
        home = await self._workspace.home()
        if not home:
            raise NotYet("it is not known yet which workspace is ours")
        return home

    async def _is_ours(self, body: Mapping[str, Any]) -> bool:
        user = body.get("user") or {}
        teams = user.get("team_id"), (body.get("team") or {}).get("id")
        ours = bool(user.get("id")) and not self._workspace.is_foreign(await self._home(), *teams)
        if not ours:
            log.warning("slack %s: somebody of another company acted", self._account.account)
        return ours

    async def _is_agent(self, user: str) -> bool:
        """Tell whether a person may act from outside of the desk's channels."""
        if self._is_named(user):
            return True
        return await self._workspace.is_member(self._account.channel, user)

    async def _looks_on(self, place: Place) -> bool:
        """Tell whether a button was pressed by who only reads a public channel."""
        if self._is_named(place.user) or not place.channel:
            return False
        return await self._workspace.is_outside(place.channel, place.user)

    def _is_named(self, user: str) -> bool:
        """Tell whether an account of the settings is a person of Slack."""
        return self._people.by_slack(user).id != f"slack:{user}"

    async def _keep(
        self,
        id: str,
        kind: str,
        place: Place,
        args: dict[str, Any],
        text: str,
        arrived: int,
        to_user: bool = False,
    ) -> None:
        person = await self._workspace.person(self._people, place.user)
        if args.get("from_holder"):
            args = {**args, "to": person.id}
        elif kind == "assign" and to_user:
            if not self._is_named(str(args["to"])) and await self._workspace.is_nobody(args["to"]):
                await self._say(place, "That is nobody who could see to it.")
                return
            to = await self._workspace.person(self._people, str(args["to"]))
            args = {"to": to.id, "name": to.name}
        args = {**place.args(), **args}
        await self._wish(
            deed_of(person, "slack", id, kind, place.conversation, arrived, text=text, args=args)
        )

    async def _approved(self, press: Press) -> Approved | None:
        channel = Address.parse(press.place.conversation).channel
        conversation = await self._store.get(Conversation, press.place.conversation)
        language = (conversation.language if conversation is not None else "") or ""
        return chosen(self._templates, press.chosen, channel, language)

    async def _form_of(self, press: Press) -> dict[str, Any]:
        """Return the form that a button opens. Raises _NoForm with words for the agent."""
        place = press.place
        if press.action == ids.RESOLVE:
            return modals.resolve(place)
        if press.action == REPLY:
            return modals.reply(place, str(press.value.get("text") or ""))
        if press.action == FILL:
            return modals.act(place, press.value)
        if press.action == ids.EDIT_DRAFT:
            review = await self._store.get(Review, press.review)
            if review is None:
                raise _NoForm("This draft is not there any more. Ask for a new one.")
            if len(review.draft) > modals.LONGEST:
                raise _NoForm("This draft is too long to be edited here. Use the console.")
            return modals.edit(place, press.review, review.draft)
        replies = await asyncio.to_thread(self._canned)
        if not replies:
            raise _NoForm("There are no canned replies.")
        return modals.canned(place, replies)

    def _open(self, trigger: str, place: Place, form: Coroutine[Any, Any, dict[str, Any]]) -> None:
        """Open a form beside the answer to Slack, which must not wait for it."""
        task = asyncio.create_task(self._opened(trigger, place, form))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _opened(
        self, trigger: str, place: Place, form: Coroutine[Any, Any, dict[str, Any]]
    ) -> None:
        """See https://docs.slack.dev/reference/methods/views.open."""
        words = "Slack could not open the form. Press again."
        try:
            view = await form
            opening = self._client.call("views.open", trigger_id=trigger, view=view)
            await asyncio.wait_for(opening, _OPEN_SECONDS)
            return
        except _NoForm as refused:
            words = str(refused)
        except (SlackTrouble, StoreError, asyncio.TimeoutError) as error:
            log.warning("slack %s: no form: %s", self._account.account, error)
        except Exception:
            log.exception("slack %s: no form", self._account.account)
        await self._say(place, words)

    async def _say(self, place: Place, words: str) -> None:
        try:
            await self._client.call(
                "chat.postEphemeral",
                channel=place.channel,
                user=place.user,
                text=words,
                thread_ts=place.thread or None,
            )
        except SlackTrouble as error:
            log.warning("slack %s: not told either: %s", self._account.account, error)


class _NoForm(Exception):
    """There is nothing to fill in; the text is one sentence for the agent."""


async def _at_once(view: dict[str, Any]) -> dict[str, Any]:
    return view


def _canned() -> Sequence[tuple[str, str]]:
    from bot.desk.assist.canned import load_canned
    from bot.settings import SettingsInvalid

    try:
        return [(reply.key, reply.title) for reply in load_canned().values()]
    except SettingsInvalid as error:
        log.error("data/canned.yml is not readable: %s", error)
        return []
