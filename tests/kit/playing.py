"""Plays a scenario on a stage; what goes wrong is shown within the whole conversation."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.message import Address, Choice, Content, Inbound, Media, Option, Reaction, Text
from bot.store.deeds import DONE
from tests.kit.clock import Clock
from tests.kit.handset import ACCOUNT, Shown
from tests.kit.ledger import Ledger
from tests.kit.scenario import DEEDS, FILES, Scenario, Step, file_of, span
from tests.kit.stage import Stage, said

_numbers = itertools.count(1)
_GAP = re.compile(r"\s*(?:…|\.\.\.)\s*")


class WentWrong(AssertionError):
    """A line of a scenario did not come true; the text is the conversation up to there."""


@dataclass
class Player:
    """Plays one scenario."""

    scenario: Scenario
    stage: Stage
    clock: Clock
    unread: list[Shown] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._number = next(_numbers)
        self.channel = self.scenario.channel
        self._seen: dict[str, int] = {}
        self._last: Inbound | None = None

    async def play(self) -> None:
        """Play it to the end. Raises WentWrong."""
        for step in self.scenario.steps:
            try:
                await self._do(step)
            except WentWrong:
                raise
            except AssertionError as wrong:
                self._fails(step, str(wrong))
        if self.unread:
            self._fails(self.scenario.steps[-1], f"the bot also said:\n{_listed(self.unread)}")

    async def _do(self, step: Step) -> None:
        if step.what not in ("bot", "shop", "mail") and step.what != "says" and self.unread:
            self._fails(step, f"before this line the bot also said:\n{_listed(self.unread)}")
        await getattr(self, f"_{step.what}")(step)

    # What customers do.

    async def _customer(self, step: Step) -> None:
        text = str(step.value)
        for name, value in self.kept.items():
            text = text.replace(f"{{{name}}}", value)
        await self._writes(Text(text), text)

    async def _sends(self, step: Step) -> None:
        kind, caption = file_of(step.value)
        type_, mime, name = FILES[kind]
        media = Media(type_, ref=name, mime=mime, caption=caption, filename=name)  # type: ignore[arg-type]
        await self._writes(media, f"[{kind}] {caption}".strip())

    async def _presses(self, step: Step) -> None:
        title = str(step.value)
        for shown in reversed(self._shown()):
            for option in shown.options:
                if option.title == title:
                    await self._writes(_pressed(option, shown), f"[{title}]")
                    return
        offered = [o.title for shown in self._shown() for o in shown.options]
        self._fails(
            step, f"no button {title!r} was shown; there were: {', '.join(offered) or 'none'}"
        )

    async def _reacts(self, step: Step) -> None:
        shown = self._shown()[-1]
        await self._writes(Reaction(shown.id, str(step.value)), f"[reacts {step.value}]")

    async def _again(self, step: Step) -> None:
        assert self._last is not None, "nothing was said yet"
        self._tell("(the webhook arrives again)")
        fresh = await self.stage.arrives(self._last)
        self._hears()
        assert fresh == 0, "it was taken for a new message"

    async def _writes(self, content: Content, words: str) -> None:
        self._tell(f"{self.scenario.who.split()[0]}: {words}")
        id = f"s{self._number}.{len(self.told)}"
        self._last = said(self.channel, self.address.user, id, content, self.scenario.who)
        await self.stage.arrives(self._last)
        self._hears()

    # What is around.

    async def _on(self, step: Step) -> None:
        self.channel = str(step.value)
        self._tell(f"--- now on {self.channel} ---")

    async def _later(self, step: Step) -> None:
        passed = span(str(step.value))
        assert passed is not None
        self._tell(f"--- {step.value} later ---")
        self.clock.pass_(passed)
        await self.stage.looks()
        self._hears()

    async def _operator(self, step: Step) -> None:
        assert step.value == "forgets the customer", "operators can: forgets the customer"
        self._tell(f"operator: {step.value}")
        assert await self.stage.forgets(self.address.key), "the customer is not forgotten"

    async def _killed(self, step: Step) -> None:
        self._tell(f"(the worker dies {step.value} of the next turn)")
        await self.stage.dies(str(step.value).split()[0])

    async def _does(self, step: Step) -> None:
        word, _, text = str(step.value).partition(":")
        self._tell(f"{step.agent} {step.value}")
        await self._wishes(step, DEEDS[word], text.strip())
        self._hears()

    async def _says(self, step: Step) -> None:
        if self.unread:
            self._fails(step, f"before this line the bot also said:\n{_listed(self.unread)}")
        await self._wishes(step, "say", step.value)
        self._hears()
        found = [shown.words for shown in self.unread]
        assert step.value in "".join(found[:1]), f"the phone shows {found or 'nothing'} of it"
        self.unread.pop(0)

    async def _wishes(self, step: Step, kind: str, text: str) -> None:
        done = await self.stage.wishes(kind, step.agent, self.address.key, text)
        assert done.status == DONE, f"the desk refused: {(done.result or {}).get('text')}"

    # What is expected.

    async def _bot(self, step: Step) -> None:
        if step.value == "nothing":
            if self.unread:
                self._fails(step, f"but the bot said:\n{_listed(self.unread)}")
            return
        for wanted in step.value if isinstance(step.value, list) else [step.value]:
            if not self.unread:
                self._fails(step, "but the bot said nothing (more)")
            shown = self.unread.pop(0)
            wrong = self._against(wanted, shown)
            if wrong:
                self._fails(step, f"{wrong}\nthe bot said:\n{_listed([shown])}")

    def _against(self, wanted: Any, shown: Shown) -> str:
        """Return what is wrong with what was shown, "" for nothing."""
        if not isinstance(wanted, Mapping):
            wanted = {"says": wanted}
        words = _flat(shown.words)
        says = wanted.get("says", [])
        for text in says if isinstance(says, list) else [says]:
            if not _contains(words, str(text)):
                return f"expected: {text}"
        nots = wanted.get("not", [])
        for text in nots if isinstance(nots, list) else [nots]:
            if _contains(words, str(text)):
                return f"not expected: {text}"
        if "matches" in wanted and not re.search(str(wanted["matches"]), words):
            return f"expected to match: {wanted['matches']}"
        if "buttons" in wanted and shown.buttons != list(wanted["buttons"]):
            return f"expected the buttons {list(wanted['buttons'])}, there are {shown.buttons}"
        for name, pattern in (wanted.get("keeps") or {}).items():
            found = re.search(str(pattern), words)
            if found is None:
                return f"expected something that matches {pattern}"
            self.kept[name] = found[found.re.groups and 1]
        return ""

    async def _mail(self, step: Step) -> None:
        assert self.stage.box is not None, "the scenario has no 'mail: true'"
        mails = self.stage.box.unread()
        if step.value == "nothing":
            assert not mails, f"there is mail to {mails[0]['to']}"
            return
        assert len(mails) == 1, f"there are {len(mails)} mails, not one"
        self._tell(f"(mail to {mails[0]['to']}: {mails[0]['subject']})")
        wanted = dict(step.value)
        to = wanted.pop("to", mails[0]["to"])
        assert mails[0]["to"] == to, f"the mail is to {mails[0]['to']}"
        wrong = self._against(wanted, Shown("", mails[0]["text"]))
        if wrong:
            self._fails(step, wrong)

    async def _shop(self, step: Step) -> None:
        ledger = Ledger(self.stage.store)
        keys = [self._address(channel).key for channel in self._channels()]
        for what, wanted in step.value.items():
            wrong = await ledger.against(str(what), wanted, keys)
            if wrong:
                self._fails(step, f"the shop: {what}: {wrong}")

    # How it is told.

    @property
    def address(self) -> Address:
        return self._address(self.channel)

    def _address(self, channel: str) -> Address:
        user = f"+4477009{self._number:05d}" if channel == "sms" else f"4477009{self._number:05d}"
        return Address(channel, ACCOUNT, user)

    def _channels(self) -> list[str]:
        used = [self.scenario.channel]
        used += [str(step.value) for step in self.scenario.steps if step.what == "on"]
        return list(dict.fromkeys(used))

    def _shown(self) -> list[Shown]:
        return self.stage.phones[self.channel].shown.get(self.address.user, [])

    def _hears(self) -> None:
        for channel in self._channels():
            shown = self.stage.phones[channel].shown.get(self._address(channel).user, [])
            for one in shown[self._seen.get(channel, 0) :]:
                self.unread.append(one)
                self._tell(_told(one))
            self._seen[channel] = len(shown)

    def _tell(self, line: str) -> None:
        self.told.append(line)

    def _fails(self, step: Step, why: str) -> None:
        where = f"{self.scenario.file}:{step.line}"
        talk = "\n".join(self.told)
        wanted = _yaml(step)
        raise WentWrong(
            f"{self.scenario.title}\n\n{talk}\n\n>>> {where}: {wanted}\n>>> {why}"
        ) from None


def _pressed(option: Option, shown: Shown) -> Choice:
    return Choice(option.payload, option.title, of=shown.id)


def _yaml(step: Step) -> str:
    who = f"{step.agent} " if step.agent else ""
    value = dict(step.value) if isinstance(step.value, Mapping) else step.value
    return f"{who}{step.what}: {value}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _contains(words: str, wanted: str) -> bool:
    """Tell whether the parts of `wanted`, between dots, stand in `words` in this order."""
    at = 0
    for part in _GAP.split(_flat(wanted)):
        at = words.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def _told(shown: Shown) -> str:
    buttons = "".join(f" [{title}]" for title in shown.buttons)
    return f"    {shown.agent or 'bot'}: {_flat(shown.words)}{buttons}"


def _listed(shown: list[Shown]) -> str:
    return "\n".join(map(_told, shown))
