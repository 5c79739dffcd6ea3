"""The calls of a mapping, made: values put in their places, lists page by page, refusals named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from actions.backends.errors import Misconfigured, NotFound, NotPossible
from actions.backends.http import Answer, AnswerLost, Http, code_of
from actions.backends.rest_mapping import Call, Pages
from actions.backends.rest_paths import at, filled
from bot.message import clean

_REFUSED = (400, 409, 410, 412, 422)
_MOST_PAGES = 20


class Calls:
    """Makes them by `http`; the shop is called `name` in errors, its lists go on by `pages`."""

    def __init__(self, name: str, http: Http, pages: Pages) -> None:
        self._name = name
        self._http = http
        self._pages = pages

    async def rows(self, call: Call, values: Mapping[str, Any], limit: int) -> list[Any]:
        """Return the first `limit` of a list, page by page. Raises what `asked` does."""
        pages, made = self._pages, list[Any]()
        more: dict[str, str] = {}
        known = call.operation.parameters
        size = min(pages.size, limit)
        if pages.size_parameter in known:
            more[pages.size_parameter] = str(size)
        for page in range(1, _MOST_PAGES + 1):
            if pages.style == "page" and pages.parameter in known:
                more[pages.parameter] = str(page)
            if pages.style == "offset" and pages.parameter in known:
                more[pages.parameter] = str(len(made))
            answer = await self.asked(call, values, "order", query=more)
            rows = at(answer.body, call.at)
            if not isinstance(rows, list):
                raise Misconfigured(self._name, f"{call.operation.id} answers without its list")
            made += rows
            if len(made) >= limit or not rows or pages.parameter not in known:
                break
            if pages.style == "cursor":
                cursor = at(answer.body, pages.cursor)
                if not cursor:
                    break
                more[pages.parameter] = str(cursor)
            elif len(rows) < size:
                break
        return made[:limit]

    async def asked(
        self,
        call: Call,
        values: Mapping[str, Any],
        kind: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | None = None,
        busy: bool = False,
    ) -> Answer:
        """Return the answer of a call. What values hold never leaves its place in the path.

        Raises NotFound of a `kind`, NotPossible, Misconfigured, BackendDown.
        `busy` is when the same may be under way: a conflict then is with itself, see
        https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.
        """
        operation = call.operation
        sent = filled(call.send, values)
        path, asked, added = operation.path, dict(query or {}), dict(headers or {})
        for name, value in sent.items():
            where = operation.parameters[name][0]
            if where == "path":
                path = path.replace("{" + name + "}", _segment(value))
            elif where == "header":
                added[name] = clean(str(value)).replace("\n", " ").replace("\r", " ")
            else:
                asked.setdefault(name, str(value))
        if "{" in path or "//" in path:
            raise NotFound(self._name, kind)
        body = filled(call.body, values) if call.body is not None else None
        answer = await self._http.call(
            operation.method, path, query=asked, body=body, headers=added, safe=safe
        )
        if answer.status == 409 and busy:
            raise AnswerLost(self._name, "it is still at the same request")
        if answer.status == 404:
            raise NotFound(self._name, kind)
        if answer.status in _REFUSED:
            told = code_of(answer) or str(answer.status)
            raise NotPossible(self._name, f"the shop refused it ({told})")
        if answer.status >= 400:
            what = f"{operation.id} answered {answer.status}: is the mapping right?"
            raise Misconfigured(self._name, what)
        return answer


def _segment(value: Any) -> str:
    """Return a value as one part of a path; ``..`` would be another path."""
    text = str(value)
    return "" if text in (".", "..") else quote(text, safe="")
