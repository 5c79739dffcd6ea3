"""The file that says which operation of a shop's own API gives what; see docs/backends.md.

It is held against the API's OpenAPI description when it is read, so that a field that has
been renamed is found by ``bot check`` and not by a customer.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from actions.backends.contract import STAGES
from actions.backends.rest_mapping import ADDRESS, CALLS, ApiMapping, Call, Pages, Path_
from actions.backends.rest_mapping_fit import Fit
from actions.backends.rest_openapi import Description, NoDescription, load_description
from actions.backends.rest_paths import NoPath, places, steps
from bot.settings.environment import expand
from bot.settings.nodes import Entry, Items, Node, Scalar, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid, suggestion
from bot.settings.validate import Validator, kind_of
from bot.settings.yaml_lines import read

_ORDER = ("number", "id", "status", "placed", "paid", "refunded", "name", "email", "phone")
_PARCEL = ("order", "status", "carrier", "tracking", "url", "shipped", "eta", "delivered")
_ACCOUNT = ("id", "email", "name", "phone")
_REFUND = ("key", "amount")
_TOP = (
    *("openapi", "auth", "idempotency", "amounts", "currency", "statuses", "pages"),
    *("order", "parcel", "account", "refund", "calls"),
)
_AMOUNTS = ("minor", "major")


def load_mapping(path: Path, environ: Mapping[str, str] = os.environ) -> ApiMapping:
    """Read a mapping and the description beside it.

    Raises SettingsInvalid with everything that is wrong, each with its file, line and field;
    values of variables are never among it.
    """
    problems: list[Problem] = []
    top = read(path, str(path), problems)
    if top is None:
        raise SettingsInvalid(problems)
    made = _Check(environ, problems).mapping(top, path.parent)
    if problems or made is None:
        raise SettingsInvalid(problems)
    return made


class _Check(Validator):
    """Reads the sections one by one, telling everything that is wrong."""

    def mapping(self, top: Table, folder: Path) -> ApiMapping | None:
        """Return the mapping, None when it cannot be."""
        self._known(top, "", _TOP)
        description = self._description(top, folder)
        headers = self._auth(top.entries.get("auth"))
        order, address, items, parcels = self._order(top)
        currency = self._currency(top)
        parcel = self._paths(top.entries.get("parcel"), "parcel", _PARCEL)
        account = self._paths(top.entries.get("account"), "account", _ACCOUNT)
        refund = self._paths(top.entries.get("refund"), "refund", _REFUND)
        statuses = self._statuses(top.entries.get("statuses"))
        pages = self._pages(top.entries.get("pages"))
        amounts = self.text_of(top, "amounts") or "major"
        if amounts not in _AMOUNTS:
            where = top.entries["amounts"].origin
            self.tell(where, f"amounts is {amounts[:20]!r}", "should be minor or major")
        idempotency = self.text_of(top, "idempotency")
        if description is None:
            return None
        fit = Fit(top, description, self.problems)
        calls = self._calls(top, fit)
        shapes = {"find": order, "of_customer": order, "parcels": parcel, "track": parcel}
        shapes |= {"account": account, "refunds": refund}
        lists = {"items": items, "parcels": parcels}
        fit.answers(calls, shapes, address, lists)
        self._whole(top, calls, bool(idempotency), order, refund)
        if self.problems:
            return None
        return ApiMapping(
            headers=headers,
            idempotency=idempotency,
            minor=amounts == "minor",
            currency=currency,
            statuses=statuses,
            pages=pages,
            order=order,
            address=address,
            items=items,
            parcels=parcels,
            parcel=parcel,
            account=account,
            refund=refund,
            calls=calls,
        )

    def text_of(self, table: Table, key: str, path: str = "") -> str:
        """Return a text, its variables put in; "" without one or when it is wrong."""
        entry = table.entries.get(key)
        name = f"{path}.{key}" if path else key
        if entry is None or is_null(entry.node):
            return ""
        if not isinstance(entry.node, Scalar):
            self.tell(entry.origin, f"{name} is {kind_of(entry.node)}", "should be text")
            return ""
        done = expand(entry.node, self.environ)
        if done.text is None:
            self.unexpanded(done, entry.origin, name)
            return ""
        if "\n" in done.text or "\r" in done.text:
            self.tell(entry.origin, f"{name} has a line end in it", "take it out")
            return ""
        return done.text

    def _known(self, table: Table, path: str, known: Iterable[str]) -> None:
        names = dict.fromkeys(known)
        for key, entry in table.entries.items():
            if key not in names:
                self.unknown(key, entry, path, names)

    def _table(self, entry: Entry | None, path: str) -> Table | None:
        if entry is None or is_null(entry.node):
            return None
        if not isinstance(entry.node, Table):
            self.tell(entry.origin, f"{path} is {kind_of(entry.node)}", "should be a mapping")
            return None
        return entry.node

    def _description(self, top: Table, folder: Path) -> Description | None:
        name = self.text_of(top, "openapi")
        if not name:
            if "openapi" not in top.entries:
                self.tell(top.origin, "there is no openapi", "name the API's OpenAPI file")
            return None
        try:
            return load_description(folder / name)
        except NoDescription as error:
            self.tell(top.entries["openapi"].origin, f"openapi: the file {error}")
            return None

    def _auth(self, entry: Entry | None) -> dict[str, str]:
        """Return the headers: ``bearer``, ``header`` with ``value``, ``user`` with ``password``."""
        table = self._table(entry, "auth")
        if table is None:
            return {}
        self._known(table, "auth", ("bearer", "header", "value", "user", "password"))
        found = {key: self.text_of(table, key, "auth") for key in table.entries}
        if found.get("bearer"):
            return {"Authorization": f"Bearer {found['bearer']}"}
        if found.get("header") and found.get("value"):
            return {found["header"]: found["value"]}
        if found.get("user") and found.get("password"):
            login = f"{found['user']}:{found['password']}".encode()
            return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
        if not any(p.line == table.origin.line for p in self.problems):
            right = "should be bearer, or header and value, or user and password"
            self.tell(table.origin, "auth is not complete", right)
        return {}

    def _paths(
        self, entry: Entry | None, path: str, known: Iterable[str], more: Iterable[str] = ()
    ) -> dict[str, Path_]:
        table = self._table(entry, path)
        if table is None:
            return {}
        known = tuple(known)
        self._known(table, path, (*known, *more))
        made = {}
        for key in table.entries:
            if key in known:
                found = self._path(table, key, path)
                if found is not None:
                    made[key] = found
        return made

    def _path(self, table: Table, key: str, path: str) -> Path_ | None:
        text = self.text_of(table, key, path)
        try:
            return steps(text) if text else None
        except NoPath:
            right = "should be a path into the answer, as in $.order.number or $.lines[0]"
            self.tell(table.entries[key].origin, f"{path}.{key} is {text[:40]!r}", right)
            return None

    def _order(
        self, top: Table
    ) -> tuple[dict[str, Path_], dict[str, Path_], dict[str, Path_], dict[str, Path_]]:
        entry = top.entries.get("order")
        if entry is None:
            self.tell(top.origin, "there is no order", "say where its number and status are")
        order = self._paths(entry, "order", _ORDER, ("address", "items", "parcels"))
        table = self._table(entry, "order")
        inner = table.entries if table is not None else {}
        address = self._paths(inner.get("address"), "order.address", ADDRESS)
        items = self._paths(inner.get("items"), "order.items", ("each", "name", "quantity"))
        parcels = self._paths(inner.get("parcels"), "order.parcels", ("each", *_PARCEL))
        for name, found in (("items", items), ("parcels", parcels)):
            if found and "each" not in found:
                self.tell(inner[name].origin, f"order.{name} has no each", "say where the list is")
        return order, address, items, parcels

    def _currency(self, top: Table) -> Path_ | str:
        text = self.text_of(top, "currency")
        if text.startswith("$"):
            return self._path(top, "currency", "the file") or ()
        if len(text) != 3 or not text.isascii() or not text.isalpha():
            where = top.entries["currency"].origin if "currency" in top.entries else top.origin
            right = "should be an ISO 4217 code, as in GBP, or a path to one in an order"
            self.tell(
                where, f"currency is {text[:20]!r}" if text else "there is no currency", right
            )
        return text.upper()

    def _statuses(self, entry: Entry | None) -> dict[str, str]:
        table = self._table(entry, "statuses")
        made = {}
        for key, inner in (table.entries if table is not None else {}).items():
            stage = inner.node.text if isinstance(inner.node, Scalar) else ""
            if stage not in STAGES:
                what = f"statuses.{key} is {stage[:40]!r}, which is no stage of an order"
                self.tell(inner.origin, what, suggestion(stage, STAGES))
            made[key] = stage
        return made

    def _pages(self, entry: Entry | None) -> Pages:
        table = self._table(entry, "pages")
        if table is None:
            return Pages()
        self._known(table, "pages", ("style", "parameter", "cursor", "size_parameter", "size"))
        style = self.text_of(table, "style", "pages")
        if style not in ("page", "offset", "cursor"):
            right = "should be page, offset or cursor"
            self.tell(table.origin, f"pages.style is {style[:20]!r}", right)
        parameter = self.text_of(table, "parameter", "pages")
        if not parameter:
            self.tell(table.origin, "pages has no parameter", "name the one that goes on")
        cursor = self._path(table, "cursor", "pages") if "cursor" in table.entries else None
        if style == "cursor" and not cursor:
            self.tell(table.origin, "pages has no cursor", "say where the next one is, as $.next")
        size = self.text_of(table, "size", "pages") or "50"
        if not size.isdigit() or not 1 <= int(size) <= 1000:
            self.tell(table.entries["size"].origin, "pages.size is no number from 1 to 1000")
            size = "50"
        size_parameter = self.text_of(table, "size_parameter", "pages")
        return Pages(style, parameter, cursor or (), size_parameter, int(size))

    def _calls(self, top: Table, fit: Fit) -> dict[str, Call]:
        table = self._table(top.entries.get("calls"), "calls")
        if table is None:
            self.tell(top.origin, "there is no calls", "name the operation of find at least")
            return {}
        self._known(table, "calls", CALLS)
        made = {}
        for verb in CALLS:
            call = self._call(table.entries.get(verb), verb, fit)
            if call is not None:
                made[verb] = call
        if "find" not in table.entries:
            self.tell(table.origin, "calls has no find", "nothing can be done without it")
        return made

    def _call(self, entry: Entry | None, verb: str, fit: Fit) -> Call | None:
        path = f"calls.{verb}"
        table = self._table(entry, path)
        if table is None:
            return None
        self._known(table, path, ("operation", "send", "body", "at"))
        id_ = self.text_of(table, "operation", path)
        operation = fit.description.operations.get(id_)
        if operation is None:
            where = table.entries["operation"].origin if id_ else table.origin
            what = f"{path}.operation is {id_[:60]!r}, which the API has not"
            known = list(fit.description.operations)
            self.tell(where, what if id_ else f"{path} has no operation", suggestion(id_, known))
            return None
        send = self._template(table.entries.get("send"), f"{path}.send", verb)
        body = self._template(table.entries.get("body"), f"{path}.body", verb)
        at = self._path(table, "at", path) if "at" in table.entries else ()
        fit.sent(table, path, operation, send or {})
        fit.bodied(table, path, operation, body)
        return Call(operation, send or {}, body, at or ())

    def _template(self, entry: Entry | None, path: str, verb: str) -> Any:
        return None if entry is None else self._templated(entry.node, path, verb)

    def _templated(self, node: Node, path: str, verb: str) -> Any:
        if isinstance(node, Table):
            return {
                k: self._templated(e.node, f"{path}.{k}", verb) for k, e in node.entries.items()
            }
        if isinstance(node, Items):
            return [self._templated(n, f"{path}[{i}]", verb) for i, n in enumerate(node.items)]
        if not isinstance(node, Scalar) or is_null(node):
            return None
        # A place is {name}; a variable would be ${NAME}, and secrets go in auth alone.
        for name in places(node.text):
            if name not in CALLS[verb]:
                what = f"{path} has {{{name[:30]}}}, which {verb} does not know"
                self.tell(node.origin, what, suggestion(name, CALLS[verb]))
        if node.kind == "bool":
            return node.text.lower() == "true"
        return node.text

    def _whole(
        self,
        top: Table,
        calls: Mapping[str, Call],
        idempotent: bool,
        order: Mapping[str, Path_],
        refund: Mapping[str, Path_],
    ) -> None:
        entry = top.entries.get("order")
        for name in ("number", "status"):
            if entry is not None and name not in order:
                self.tell(entry.origin, f"order has no {name}", "it is required")
        if "refund" in calls:
            known = "refunds" in calls and {"key", "amount"} <= set(refund)
            if not idempotent and not known:
                what = "calls.refund could pay twice when an answer is lost"
                right = "set idempotency, or calls.refunds with refund: {key: …, amount: …}"
                self.tell(top.entries["calls"].origin, what, right)
