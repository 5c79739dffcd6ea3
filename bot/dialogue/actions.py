"""Custom actions, run in this process by rasa-sdk's own executor; no action server.

The executor stands where Rasa expects the address of an action server, so that
forms, slot validation and rejections work as they do over HTTP.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import inspect
import json
import logging
import re
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.forms import ValidationAction
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

from bot.dialogue.contract import Failure
from bot.dialogue.errors import ModelUnreadable
from bot.dialogue.replies import InvalidReply

log = logging.getLogger(__name__)

_PLACES = re.compile(r"^.*/(?:site-packages|lib/python[\d.]+)/")


class ActionFailed(BaseException):
    """An action could not be run to its end; the turn ends here.

    Not an Exception: `MessageProcessor._run_action` and `ActionExtractSlots` catch
    those, log them, and answer the customer as if nothing had been missing.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.action)
        self.failure = failure


class InvalidEvents(ValueError):
    """An action returned something that is not a list of events."""


class ActionTimedOut(Exception):
    """An action took longer than it may."""


def failure_of(action: str, error: BaseException) -> Failure:
    """Describe an error without its text, which may quote the customer or a secret.

    That of a response that cannot be sent quotes neither, and is what a designer needs.
    """
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 5:
        kinds.append(type(cause).__name__)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    frames = [
        f"{_short(frame.filename)}:{frame.lineno} in {frame.name}\n    {frame.line}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    reason = f"{kinds[0]}: {error}" if isinstance(error, InvalidReply) else kinds[0]
    return Failure(action, reason, "\n".join([*frames, " from ".join(kinds)]))


class InProcessActions(EndpointConfig):
    """An action endpoint that is a Python package.

    Actions whose code is synchronous run in a thread, the others in the caller's event
    loop. `seconds` is how long one may take; a thread cannot be stopped, its result is
    then thrown away.
    """

    def __init__(self, package: str, *, seconds: float, threads: int = 8) -> None:
        # Without selective_domain Rasa sends the whole domain to every action.
        super().__init__(url=f"package:{package}", selective_domain=True)
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="action")
        self._executor = _Executor(package)
        self._domain: dict[str, Any] = {}
        self._written = "{}"
        try:
            self._executor.register_package(package)
        except SystemExit:
            # rasa-sdk ends the process on ImportError, having logged it.
            raise ModelUnreadable(f"the actions package {package!r} cannot be imported") from None
        except Exception as error:
            raise ModelUnreadable(f"the actions package {package!r}: {error!r}") from error

    def names(self) -> frozenset[str]:
        """Return the names of the actions there are."""
        return frozenset(self._executor.actions)

    def serve(self, domain: dict[str, Any]) -> None:
        """Give actions this domain, as an action server gets it with each call."""
        self._domain = domain
        # Reading JSON is the quickest way to a copy of thousands of parts.
        self._written = json.dumps(domain, default=str)

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Run the action of a call and return its events and responses.

        Raises ClientResponseError for a rejected execution, as the HTTP endpoint does,
        and ActionFailed for everything else that goes wrong.
        """
        # An action server gets a copy, too: what an action changes must not be the tracker.
        call = {**kwargs["json"]}
        domain = call.pop("domain", self._domain)
        call = copy.deepcopy(call)
        served = domain is self._domain
        call["domain"] = json.loads(self._written) if served else copy.deepcopy(domain)
        name = str(call["next_action"])
        try:
            return await asyncio.wait_for(self._run(name, call), self._seconds)
        except ActionExecutionRejection as rejection:
            told = {"error": rejection.message, "action_name": rejection.action_name}
            raise ClientResponseError(400, "rejected", json.dumps(told)) from rejection
        except asyncio.TimeoutError:
            late = ActionTimedOut()
            raise ActionFailed(
                Failure(
                    name, f"no result within {self._seconds:g} s", failure_of(name, late).detail
                )
            ) from None
        except ActionNotFoundException:
            raise ActionFailed(Failure(name, "there is no such action", "")) from None
        except Exception as error:
            raise ActionFailed(failure_of(name, error)) from error

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, name: str, call: dict[str, Any]) -> Any:
        action = self._executor.actions.get(name)
        if action is None or _awaits(action):
            return await self._executor.run(call)
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, lambda: context.run(asyncio.run, self._executor.run(call))
        )


class _Executor(ActionExecutor):
    """rasa-sdk's, with the actions of one package alone.

    And what is not an event is an error; rasa-sdk leaves it out.
    """

    def __init__(self, package: str) -> None:
        super().__init__()
        self._package = package

    def register_action(self, action: Any) -> None:
        """Register an action class if it is of the package; rasa-sdk offers all there are."""
        if f"{action.__module__}.".startswith(f"{self._package}."):
            super().register_action(action)

    @staticmethod
    def validate_events(events: Any, action_name: str) -> list[dict[str, Any]]:
        """Return `events`. Raises InvalidEvents."""
        if not isinstance(events, list):
            raise InvalidEvents(f"{action_name} returned a {type(events).__name__}")
        for event in events:
            if not isinstance(event, dict) or not event.get("event"):
                raise InvalidEvents(f"{action_name} returned a {type(event).__name__} among events")
        return events


def _awaits(action: Callable[..., Any]) -> bool:
    """Tell whether an action's own code is asynchronous.

    `ValidationAction.run` is always a coroutine, but what matters is whether the
    methods that designers write are.
    """
    owner = getattr(action, "__self__", None)
    if isinstance(owner, ValidationAction):
        return any(
            inspect.iscoroutinefunction(member)
            for cls in type(owner).__mro__
            if not cls.__module__.startswith("rasa_sdk.")
            for member in vars(cls).values()
        )
    return inspect.iscoroutinefunction(action)


def _short(path: str) -> str:
    """Return a file's path without where this machine keeps it."""
    return _PLACES.sub("", path.removeprefix(f"{Path.cwd()}/"))
