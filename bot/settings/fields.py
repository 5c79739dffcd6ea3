"""The fields of a dataclass as the settings see them: kind, bounds, what would be right."""

from __future__ import annotations

import ipaddress
import math
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from bot.settings.problems import listing
from bot.settings.schema import HTTP

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_BOOLS = {"true": True, "false": False}

#: Fields of every connector's account that are URLs, whatever its metadata say.
_ACCOUNT_URLS = ("api_url", "public_url")


#: How a URL is to look where that is not ``scheme://…``.
_SHAPES = {
    "local": "local:",
    "sqlite": "sqlite:PATH",
    "gridfs": "gridfs:",
    "s3": "s3://BUCKET/PREFIX",
}


class Wrong(ValueError):
    """A text is not a value of the field. Carries no text: it might be a secret's."""


@dataclass(frozen=True)
class Field:
    """One field. `name` is the dataclass's, `key` the file's."""

    name: str
    key: str
    kind: Literal["text", "whole", "number", "bool", "list", "map", "choice"]
    required: bool
    optional: bool
    secret: bool
    choices: tuple[Any, ...]
    metadata: Mapping[str, Any]

    @property
    def schemes(self) -> tuple[str, ...]:
        """The URL schemes that are allowed; none when the field is no URL."""
        return tuple(self.metadata.get("schemes", ()))

    @property
    def shown(self) -> bool:
        """Tell whether a wrong value may be quoted: no secret, no URL (it may hold one)."""
        return not (self.secret or self.schemes)

    def right(self) -> str:
        """Return what a value should be, for people."""
        return f"should be {self._right()}"

    def _right(self) -> str:
        if self.kind == "choice":
            return listing(map(str, self.choices))
        if self.kind == "list":
            return "a list of texts, as in [a, b]"
        if self.kind == "map":
            return "a mapping of texts, as in {a: b}"
        if self.kind == "bool":
            return "true or false"
        if self.schemes:
            return listing(_SHAPES.get(s, f"{s}://…") for s in self.schemes)
        if self.metadata.get("host") == "loopback":
            return "a loopback address such as 127.0.0.1"
        if self.metadata.get("host"):
            return "a host name or IP address, without http:// or port"
        if self.kind == "text":
            return "text"
        return f"{'a whole number' if self.kind == 'whole' else 'a number'}{self._bounds()}"

    def _bounds(self) -> str:
        least, most = self.metadata.get("least"), self.metadata.get("most")
        above = self.metadata.get("above")
        if above is not None:
            return f" above {above}" + (f", at most {most}" if most is not None else "")
        if least is not None and most is not None:
            return f" from {least} to {most}"
        if least is not None:
            return f" of at least {least}"
        return f" of at most {most}" if most is not None else ""

    def convert(self, text: str) -> Any:
        """Return the value a text stands for. Raises `Wrong`."""
        if self.kind == "choice":
            return self._choice(text)
        if self.kind == "bool":
            return self._bool(text)
        if self.kind in ("whole", "number"):
            return self._number(text)
        if self.schemes and (text or self.required) and not _is_url(text, self.schemes):
            raise Wrong
        if self.metadata.get("host") and not _is_host(text, self.metadata["host"] == "loopback"):
            raise Wrong
        return text

    def _choice(self, text: str) -> Any:
        for choice in self.choices:
            if str(choice) == text:
                return choice
        raise Wrong

    def _bool(self, text: str) -> bool:
        if text.lower() not in _BOOLS:
            raise Wrong
        return _BOOLS[text.lower()]

    def _number(self, text: str) -> int | float:
        pattern = _WHOLE if self.kind == "whole" else _NUMBER
        if not pattern.fullmatch(text):
            raise Wrong
        value = int(text) if self.kind == "whole" else float(text)
        least, most = self.metadata.get("least"), self.metadata.get("most")
        above = self.metadata.get("above")
        if (
            not math.isfinite(value)
            or (least is not None and value < least)
            or (most is not None and value > most)
            or (above is not None and value <= above)
        ):
            raise Wrong
        return value


@lru_cache(maxsize=64)
def fields_of(cls: type) -> tuple[Field, ...]:
    """Return the fields of a settings dataclass.

    Raises TypeError for a type other than str, int, float, bool, ``tuple[str, ...]``,
    ``Mapping[str, str]``, Literal, and these or None: that is a fault of the schema, not of a file.
    """
    hints = get_type_hints(cls)
    return tuple(_field(cls, f, hints[f.name]) for f in dataclass_fields(cls) if f.init)


def _field(cls: type, raw: Any, hint: Any) -> Field:
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        others = [a for a in get_args(hint) if a is not type(None)]
        optional = len(others) < len(get_args(hint))
        hint = others[0] if len(others) == 1 else hint
    choices: tuple[Any, ...] = ()
    if get_origin(hint) is Literal:
        kind, choices = "choice", get_args(hint)
    elif hint == tuple[str, ...]:
        kind = "list"
    elif hint == Mapping[str, str]:
        kind = "map"
    elif hint in _KINDS:
        kind = _KINDS[hint]
    else:
        raise TypeError(f"{cls.__qualname__}.{raw.name}: settings cannot be of type {hint}")
    metadata = dict(raw.metadata)
    if raw.name in _ACCOUNT_URLS:
        metadata.setdefault("schemes", HTTP)
    return Field(
        name=raw.name,
        key=metadata.get("key", raw.name),
        kind=kind,  # type: ignore[arg-type]
        required=raw.default is MISSING and raw.default_factory is MISSING,
        optional=optional,
        secret=bool(metadata.get("secret")),
        choices=choices,
        metadata=metadata,
    )


_KINDS: dict[Any, str] = {str: "text", int: "whole", float: "number", bool: "bool"}


_NETWORK_PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s\[\]:@,]+)(?::[0-9]{1,5})?")


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    scheme, _, rest = text.partition(":")
    if scheme not in schemes or re.search(r"\s", text):
        return False
    if scheme == "sqlite":
        # ``sqlite://x`` would be the file /x, ``:memory:`` is not shared between processes.
        return bool(rest) and rest != ":memory:" and bool(re.match(r"/?[^/]|///[^/]", rest))
    if scheme in ("gridfs", "local"):
        return not rest
    if not rest.startswith("//"):
        return False
    try:
        parts = urlsplit(text)
        if scheme in HTTP and (not parts.hostname or parts.port == 0):
            return False
    except ValueError:
        return False
    if scheme == "unix":
        return bool(parts.netloc or parts.path)
    # A password whose @ was left out reads like a port that is no number; a URL that is
    # believed would be shown with it.
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return all(_NETWORK_PLACE.fullmatch(host) for host in hosts)


def _is_host(text: str, loopback: bool) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        if loopback:
            return text == "localhost"
        # Digits and dots alone are a mistyped IP address, never a host name.
        return bool(_HOST.fullmatch(text)) and not re.fullmatch(r"[0-9.]+", text)
    return address.is_loopback or not loopback
