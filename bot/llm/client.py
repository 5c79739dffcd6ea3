"""The one client of all language models: in order, with failover, within budget, masked."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.llm import metrics
from bot.llm.answer import as_schema, each_text
from bot.llm.breaker import Breaker
from bot.llm.budget import Purse, Reserved
from bot.llm.cache import Answers
from bot.llm.contract import Ask, Reply, Said, ToolCall
from bot.llm.endpoint import Endpoint, is_here
from bot.llm.engine import (
    Answer,
    Declined,
    Engine,
    Misconfigured,
    ModelFailed,
    Request,
    Unfit,
    Unusable,
    Unwell,
    estimate,
    estimate_all,
)
from bot.llm.errors import AllFailed, BudgetSpent, NoModel, Refused
from bot.llm.hiding import Masker, hidden, unchanged
from bot.llm.local import LocalModel
from bot.settings import Budget, Settings
from bot.settings import Llm as Entry
from bot.store import AsyncStore

log = logging.getLogger(__name__)

#: Seconds that one question may take, over all models.
DEADLINE_SECONDS = 20.0
#: Seconds for which an endpoint is left alone whose key, model or address is wrong.
MISCONFIGURED_SECONDS = 600.0
# A model is not asked when less than this is left, in seconds.
_TOO_LATE = 0.05
_MILLION = 1_000_000


@dataclass(slots=True)
class _Model:
    settings: Entry
    engine: Engine
    breaker: Breaker
    masked: bool

    @property
    def name(self) -> str:
        return self.settings.model

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Return the price, in the currency of the settings."""
        price = tokens_in * self.settings.input_price + tokens_out * self.settings.output_price
        return price / _MILLION


class Llm:
    """Language models; implements `bot.llm.contract.Talks`.

    `store` keeps what was used, None counts nothing and has no limits. `mask` is needed
    for models that are not on this machine unless their settings say ``mask: never``: raises
    ValueError without. `deadline` is in seconds, for one question over all models.
    """

    def __init__(
        self,
        models: Sequence[Entry],
        budget: Budget,
        store: AsyncStore | None,
        mask: Masker | None = None,
        *,
        deadline: float = DEADLINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = [
            _Model(
                settings,
                LocalModel(settings) if settings.url.startswith("local:") else Endpoint(settings),
                Breaker(clock=clock),
                _is_masked(settings),
            )
            for settings in models
        ]
        if mask is None:
            for model in self._models:
                if model.masked:
                    raise ValueError(f"the model {model.name} needs a masker, or mask: never")
        self._masker = mask
        self._purse = None if store is None else Purse(budget, store)
        self._answers = Answers()
        self._deadline = deadline

    @property
    def available(self) -> bool:
        """See `Talks`."""
        return bool(self._models)

    async def ask(self, ask: Ask) -> Reply:
        """See `Talks`. Raises StoreDown, too, before anything was asked.

        A refusal is final: another model is not asked for what one would not say.
        """
        if not self._models:
            raise NoModel("no language model is configured: endpoints.yml has no llm")
        for model in self._models:
            kept = self._answers.get(ask, model.name)
            if kept is not None:
                self._count(model, ask, "cached")
                return kept
        end = time.monotonic() + self._deadline
        causes: list[str] = []
        tried: list[str] = []
        spent: BudgetSpent | None = None
        for model in self._models:
            try:
                reply = await self._one(model, ask, end)
            except BudgetSpent as error:
                self._count(model, ask, "budget")
                spent = error
                causes.append(f"{model.name}: {error}")
            except Declined as error:
                raise Refused(f"{model.name}: {error}") from error
            except ModelFailed as error:
                causes.append(f"{model.name}: {error}")
                tried.append(model.name)
            else:
                self._answers.put(ask, model.name, reply)
                return replace(reply, tried=tuple(tried))
        if spent is not None and not tried:
            raise spent
        raise AllFailed(causes)

    async def close(self) -> None:
        """See `Talks`."""
        for model in self._models:
            await model.engine.close()

    async def _one(self, model: _Model, ask: Ask, end: float) -> Reply:
        if not model.settings.vision and any(said.images for said in ask.messages):
            self._count(model, ask, Unfit.outcome)
            raise Unfit("does not look at pictures: its settings lack vision: true")
        seconds = min(model.settings.timeout_seconds, end - time.monotonic())
        if seconds < _TOO_LATE:
            raise Unwell("the time for all models was over before it was asked")
        if not model.breaker.enter():
            self._count(model, ask, "paused")
            raise Unwell("is left alone for a while after failing")
        try:
            tokens_in = estimate_all(ask.messages) + sum(
                estimate(json.dumps([tool.description, tool.parameters], default=dict))
                for tool in ask.tools
            )
            if tokens_in + ask.tokens > model.settings.context_tokens:
                raise Unfit("the question is too long for it")
            reserved = await self._reserve(model, ask, tokens_in)
        except ModelFailed as error:
            model.breaker.abandoned()
            self._count(model, ask, error.outcome)
            raise
        except BaseException:
            model.breaker.abandoned()
            raise
        return await self._charged(model, ask, seconds, tokens_in, reserved)

    async def _charged(
        self, model: _Model, ask: Ask, seconds: float, tokens_in: int, reserved: Reserved | None
    ) -> Reply:
        """Ask, and see to it that whatever happens is counted: by breaker, budget, metrics."""
        # What it is charged with when nobody is there to hear what it used.
        used = (tokens_in, 0)
        outcome = "cancelled"
        answer: Answer | None = None
        begun = time.monotonic()
        try:
            request, restore = self._request(model, ask, seconds)
            answer = await model.engine.complete(request)
            used = (answer.tokens_in, answer.tokens_out)
            reply = self._reply(model, ask, answer, restore, time.monotonic() - begun)
            outcome = "answered"
            model.breaker.succeeded()
            return reply
        except ModelFailed as error:
            outcome = error.outcome
            used = used if answer is not None else error.spent
            self._heard(model, error, in_full=seconds >= model.settings.first_seconds)
            log.warning("%s, %s: %s", model.name, ask.purpose, error)
            raise
        except BaseException:
            model.breaker.abandoned()
            raise
        finally:
            self._count(model, ask, outcome)
            metrics.seconds.labels(model.name).observe(time.monotonic() - begun)
            metrics.tokens.labels(model.name, "in").inc(used[0])
            metrics.tokens.labels(model.name, "out").inc(used[1])
            if self._purse is not None and reserved is not None:
                # Finished even when the asker is gone.
                await asyncio.shield(self._purse.settle(reserved, sum(used), model.cost(*used)))

    def _heard(self, model: _Model, error: ModelFailed, *, in_full: bool) -> None:
        """Let the breaker know what a failure shows about the endpoint."""
        if isinstance(error, Misconfigured):
            model.breaker.pause(MISCONFIGURED_SECONDS)
            log.error("the model %s is left alone for a while: it %s", model.name, error)
        elif isinstance(error, Unwell):
            # One that was given the rest of others' time is not ill because it was too short.
            if in_full or error.after is not None:
                model.breaker.failed(error.after)
            else:
                model.breaker.abandoned()
        elif isinstance(error, Unusable):
            model.breaker.failed()
        elif isinstance(error, Declined):
            model.breaker.succeeded()
        else:
            model.breaker.abandoned()

    async def _reserve(self, model: _Model, ask: Ask, tokens_in: int) -> Reserved | None:
        if self._purse is None:
            return None
        cost = model.cost(tokens_in, ask.tokens)
        return await self._purse.reserve(ask.conversation, tokens_in + ask.tokens, cost)

    def _request(
        self, model: _Model, ask: Ask, seconds: float
    ) -> tuple[Request, Callable[[str], str]]:
        messages: tuple[Said, ...] = ask.messages
        restore: Callable[[str], str] = unchanged
        if model.masked and self._masker is not None:
            messages, restore = hidden(messages, self._masker, ask.known)
        request = Request(messages, ask.purpose, ask.tokens, seconds, ask.schema, ask.tools)
        return request, restore

    def _reply(
        self,
        model: _Model,
        ask: Ask,
        answer: Answer,
        restore: Callable[[str], str],
        seconds: float,
    ) -> Reply:
        """Make the reply. Raises Unusable for what does not follow the schema."""
        for note in answer.notes:
            log.warning("%s, %s: %s", model.name, ask.purpose, note)
        if ask.schema is None or not answer.text:
            text = restore(answer.text)
        else:
            # Inside the JSON's texts, for what is put back may hold quotes or line breaks.
            found = each_text(as_schema(answer.text, ask.schema), restore)
            text = json.dumps(found, ensure_ascii=False)
        return Reply(
            text=text,
            model=model.name,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
            cost=model.cost(answer.tokens_in, answer.tokens_out),
            took_ms=round(seconds * 1000),
            calls=tuple(_restored(call, restore) for call in answer.calls),
        )

    def _count(self, model: _Model, ask: Ask, outcome: str) -> None:
        metrics.calls.labels(model.name, ask.purpose, outcome).inc()


def open_llm(settings: Settings, store: AsyncStore | None, mask: Masker | None = None) -> Llm:
    """Return the client that the settings describe; nothing is connected or loaded yet.

    Without `mask` personal data are masked with the defaults of `bot.llm.masking`.
    """
    if mask is None and any(map(_is_masked, settings.llm)):
        from bot.llm.masking import Masker as Finder

        mask = Finder()
    return Llm(settings.llm, settings.budget, store, mask)


def _is_masked(settings: Entry) -> bool:
    if settings.mask == "auto":
        return not is_here(settings.url)
    return settings.mask == "always"


def _restored(call: ToolCall, restore: Callable[[str], str]) -> ToolCall:
    arguments: dict[str, Any] = each_text(call.arguments, restore)
    return replace(call, arguments=arguments)
