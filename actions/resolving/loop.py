"""The bounded loop: a model asks for tools, the program answers, until there is nothing more."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from actions.remembered import lines_for_model
from actions.resolving import reading
from actions.resolving.judging import Wish
from actions.resolving.matter import Matter
from actions.resolving.reading import Found
from actions.resolving.steps import Steps
from actions.resolving.tools import TOOLS, Malformed, Spec, read_arguments
from bot.knowledge.answering import Answering
from bot.llm.contract import Ask, Said, Talks, ToolCall
from bot.llm.errors import LlmError
from bot.llm.untrusted import harmless, mark, rule, wrap
from bot.message import utcnow
from bot.store import StoreError
from bot.store import steps as verdicts

#: What was said before that a model reads, in messages.
_PAST = 6
#: Wishes of one message.
_WISHES = 3
_TOOL_RESULT = 3000

Past = Sequence[tuple[Literal["user", "assistant"], str]]


@dataclass
class Resolved:
    """What a model has brought about: what was found, is wished, is to be asked for.

    `text` is what it said itself at the end. `person` is why a person is wanted, "" for none.
    `articles` is what was found in articles, and `model` which model it was.
    """

    found: list[Found] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    asks: str = ""
    person: str = ""
    text: str = ""
    articles: list[Found] = field(default_factory=list)
    model: str = ""

    @property
    def acts(self) -> bool:
        """Whether there is anything beside articles and the model's own words."""
        return bool(self.found or self.wishes or self.asks or self.person)


class Loop:
    """One message, one model, and the tools that the rules allow."""

    def __init__(self, matter: Matter, answering: Answering, steps: Steps, past: Past) -> None:
        self._matter = matter
        self._answering = answering
        self._steps = steps
        self._past = past
        self._seen: dict[str, str] = {}
        self._calls = 0
        self._end = 0.0
        self._mark = mark()
        self._tools = tuple(
            spec.tool() for spec in TOOLS.values() if matter.rules.tool(spec.name).allowed
        )
        self.resolved = Resolved()

    async def run(self, talks: Talks) -> Resolved:
        """Return what came of it when the model has no more calls, or a bound is reached.

        What a model or its answers are the cause of is never raised; StoreDown is.
        """
        bounds = self._matter.rules.resolving
        self._end = time.monotonic() + bounds.seconds
        messages = [*self._opening()]
        while self._calls < bounds.steps:
            try:
                ask = self._ask(messages)
                reply = await asyncio.wait_for(talks.ask(ask), self._left())
            except (LlmError, StoreError, asyncio.TimeoutError) as error:
                await self._note("model", {}, verdicts.FAILED, type(error).__name__)
                return self.resolved
            self.resolved.model = reply.model
            if not reply.calls:
                self.resolved.text = reply.text.strip()
                return self.resolved
            calls = reply.calls[: bounds.steps - self._calls]
            messages.append(Said("assistant", reply.text, calls=tuple(calls)))
            for call in calls:
                self._calls += 1
                told = await self._call(call)
                result = wrap("tool result", told, self._mark, most=_TOOL_RESULT)
                messages.append(Said("tool", result, call=call.id))
            if self.resolved.asks or self.resolved.person:
                # The next word is the customer's, or a person's.
                return self.resolved
        await self._note("model", {}, verdicts.FAILED, f"no end after {bounds.steps} calls")
        return self.resolved

    def _opening(self) -> list[Said]:
        matter, sheet = self._matter, self._answering.sheet
        memory = "\n".join(lines_for_model(matter.tracker))
        system = self._answering.prompts["resolve"].fill(
            company=sheet.company,
            rules=sheet.rules or "none",
            language=matter.language,
            memory=wrap("memory", memory, self._mark) if memory else "nothing",
            today=f"{utcnow():%A %d %B %Y}",
        )
        past = [Said(role, harmless(text)) for role, text in self._past[-_PAST:]]
        asked = Said("user", harmless(matter.spoken.last))
        return [Said("system", f"{system}\n\n{rule(self._mark)}"), *past, asked]

    def _ask(self, messages: Sequence[Said]) -> Ask:
        return Ask(
            tuple(messages),
            self._matter.conversation,
            "resolve",
            tokens=self._answering.prompts["resolve"].tokens,
            tools=self._tools,
            known=self._matter.known,
        )

    async def _call(self, call: ToolCall) -> str:
        """Answer a call, in words for the model."""
        spec = TOOLS.get(call.name)
        if spec is None or not self._offered(spec.name):
            await self._note(call.name, call.arguments, verdicts.REFUSED, "there is no such tool")
            names = ", ".join(tool.name for tool in self._tools)
            return f"there is no such tool; there are {names}"
        try:
            arguments = read_arguments(spec, call.arguments, self._matter.spoken)
        except Malformed as error:
            await self._note(spec.name, call.arguments, verdicts.REFUSED, str(error))
            return str(error)
        same = json.dumps([spec.name, arguments], sort_keys=True)
        if same in self._seen:
            await self._note(spec.name, arguments, verdicts.REFUSED, "called before")
            return f"called before, with the same result: {self._seen[same]}"
        told = await (self._wish if spec.changes else self._read_in_time)(spec, arguments)
        self._seen[same] = told
        return told

    def _left(self) -> float:
        """Return the seconds that are left for the message."""
        return max(self._end - time.monotonic(), 0.01)

    async def _read_in_time(self, spec: Spec, arguments: Mapping[str, str]) -> str:
        try:
            return await asyncio.wait_for(self._read(spec, arguments), self._left())
        except asyncio.TimeoutError:
            if spec.matter:
                self.resolved.found.append(reading.SILENT)
            await self._note(spec.name, arguments, verdicts.FAILED, "no answer in time")
            return reading.SILENT.told

    def _offered(self, name: str) -> bool:
        return any(tool.name == name for tool in self._tools)

    async def _wish(self, spec: Spec, arguments: dict[str, str]) -> str:
        wishes = self.resolved.wishes
        if len(wishes) >= _WISHES:
            await self._note(spec.name, arguments, verdicts.REFUSED, "too many at once")
            return "too many wishes for one message; this one is not noted"
        about = arguments.get("number", "")
        if any(w.tool == spec.name and w.args.get("number", "") == about for w in wishes):
            await self._note(spec.name, arguments, verdicts.REFUSED, "wished for before")
            return "that tool is called once for an order; the first call is noted"
        # By this a shop knows a deed again, however often its turn is done.
        key = ":".join(part for part in (self._matter.turn, spec.name, about) if part)
        wishes.append(Wish(key, spec.name, arguments))
        await self._note(
            spec.name, arguments, verdicts.READ, "a wish, to be held against the rules"
        )
        return "noted. The program holds it against the rules and asks the customer. Say nothing."

    async def _read(self, spec: Spec, arguments: Mapping[str, str]) -> str:
        resolved, matter = self.resolved, self._matter
        if spec.name == "ask_customer":
            resolved.asks = arguments["what"]
            await self._note(spec.name, arguments, verdicts.ASKED, "the customer is asked")
            return "the customer is asked"
        if spec.name == "hand_over":
            resolved.person = arguments["why"]
            await self._note(spec.name, arguments, verdicts.PERSON, "a person is to see to it")
            return "a person takes over"
        if spec.name == "search_articles":
            found = await reading.search_articles(matter, self._answering, arguments)
            resolved.articles.append(found)
            await self._note(
                spec.name, arguments, verdicts.READ, ", ".join(p.id for p in found.passages)
            )
            return found.told
        if spec.name == "case_lookup":
            found = await reading.case_lookup(matter)
        elif spec.name == "track":
            found = await reading.track(matter, arguments)
        else:
            found = await reading.order_status(matter, arguments)
        resolved.found.append(found)
        guessing = found.response == "utter_order_guesses"
        verdict = verdicts.FORBIDDEN if guessing else verdicts.READ
        told = "too many numbers that there are not have been asked for" if guessing else ""
        await self._note(spec.name, arguments, verdict, told or found.response)
        return found.told

    async def _note(self, tool: str, given: Mapping[str, Any], verdict: str, result: str) -> None:
        await self._steps.note(tool, given, verdict, result)
