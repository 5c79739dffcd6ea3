"""Finding the files, and making one `Settings` of them and the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.settings.environment import overrides
from bot.settings.nodes import Broken, Entry, Origin, Table, is_null
from bot.settings.problems import ENVIRONMENT, Problem, SettingsInvalid, suggestion
from bot.settings.schema import BACKEND_PARTS, DESKS, RASA_KEYS, SECTIONS, Backend, Llm, Settings
from bot.settings.validate import Validator, kind_of
from bot.settings.yaml_lines import read

#: Rasa's names of channels, and ours. https://rasa.com/docs/rasa/messaging-and-voice-channels
_RASA_CHANNELS = {"facebook": "messenger", "twilio": "sms", "socketio": "webchat"}
_OWN_KEYS = (*SECTIONS, "llm", "model", "backends")


def load(
    *,
    channels: Sequence[str],
    schema_of: Callable[[str], type],
    endpoints: Path | None = None,
    credentials: Path | None = None,
    var: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    cwd: Path | None = None,
) -> Settings:
    """Read endpoints.yml, credentials.yml and the environment.

    `channels` are all that exist; `schema_of` gives the `Account` dataclass of one and is
    called only for those that have accounts, since it imports the provider's library.
    The files are those named, else by ``ENDPOINTS_FILE`` and ``CREDENTIALS_FILE``, else
    those in `cwd` (the current directory), where they may be missing.

    Raises SettingsInvalid with everything that is wrong.
    """
    here = Path(cwd) if cwd is not None else Path()
    problems: list[Problem] = []
    top = _file(here, "endpoints.yml", "ENDPOINTS_FILE", endpoints, environ, problems)
    cred = _file(here, "credentials.yml", "CREDENTIALS_FILE", credentials, environ, problems)
    for override in overrides(environ, problems):
        section = override.path[0]
        if section in channels or section in DESKS:
            cred = override.put(cred, problems)
        elif section in _OWN_KEYS:
            top = override.put(top, problems)
        else:
            what = f"{override.variable}: {section} is not a known setting"
            right = suggestion(section, [*_OWN_KEYS, *channels, *DESKS])
            problems.append(Problem(ENVIRONMENT, 0, what, right))

    check = Validator(environ, problems)
    for key, entry in top.entries.items():
        if key not in _OWN_KEYS and key not in RASA_KEYS:
            if key in channels or key in DESKS:
                what = "is a channel" if key in channels else "is where agents come in"
                check.tell(entry.origin, f"{key} {what}", "move it to credentials.yml")
            else:
                check.unknown(key, entry, "", dict.fromkeys(_OWN_KEYS))
    made = {name: check.section(cls, top.entries.get(name), name) for name, cls in SECTIONS.items()}
    llm = _llm(check, top.entries.get("llm"))
    backends = _backends(check, top.entries.get("backends"))
    model = check.text(top.entries.get("model"), "model", "models")
    accounts = {}
    desks: dict[str, tuple[Any, ...]] = {}
    for key, entry in cred.entries.items():
        if key in DESKS:
            if not is_null(entry.node):
                desks[key] = check.accounts(key, DESKS[key], entry)
        elif key not in channels:
            _unknown_channel(check, key, entry, channels)
        elif not is_null(entry.node):
            found = check.accounts(key, schema_of(key), entry)
            if found:
                accounts[key] = found
    beside = made["media"].url == "gridfs:" and not made["store"].url.startswith("mongodb")
    if beside and not problems:
        origin = top.entries["media"].origin
        what = "media.url is gridfs:, which keeps files in the store's MongoDB"
        check.tell(origin, what, "set store.url to one, or choose another place for files")
    if problems:
        raise SettingsInvalid(problems)

    place = (here / (var or "var")).absolute()
    url = made["store"].url or f"sqlite:{place / 'bot.db'}"
    if url.startswith("sqlite:"):
        url = f"sqlite:{(here / url.removeprefix('sqlite:')).absolute()}"
    if not made["media"].url:
        directory = (here / made["media"].dir if made["media"].dir else place / "media").absolute()
        made["media"] = replace(made["media"], dir=str(directory))
    made["store"] = replace(made["store"], url=url)
    made["server"] = replace(made["server"], public_url=made["server"].public_url.rstrip("/"))
    return Settings(
        **made,
        llm=llm,
        channels=accounts,
        var=place,
        model=model,
        slack=desks.get("slack", ()),
        console=desks.get("console", ()),
        backends=backends,
    )


def _file(
    here: Path,
    default: str,
    variable: str,
    given: Path | None,
    environ: Mapping[str, str],
    problems: list[Problem],
) -> Table:
    """Return the table of a file; an empty one when it is the default and not there."""
    name = str(given) if given is not None else environ.get(variable) or default
    path = here / name
    empty = Table({}, Origin(name, 1))
    # lexists: a dangling link is a mistake, not the absence of a file.
    if given is None and not environ.get(variable) and not os.path.lexists(path):
        return empty
    return read(path, name, problems) or empty


def _llm(check: Validator, entry: Entry | None) -> tuple[Llm, ...]:
    made = []
    for n, node in enumerate(check.items(entry, "llm", "mappings with url and model")):
        values = check.table(Llm, node, f"llm[{n}]", node.origin)
        if values.good:
            made.append(check.make(Llm, values, f"llm[{n}]", node.origin))
    return tuple(made)


def load_backends(
    *, environ: Mapping[str, str] = os.environ, cwd: Path | None = None
) -> dict[str, Backend]:
    """Read the backends of endpoints.yml alone, for who has no settings: Rasa's action server.

    Raises SettingsInvalid.
    """
    here = Path(cwd) if cwd is not None else Path()
    problems: list[Problem] = []
    top = _file(here, "endpoints.yml", "ENDPOINTS_FILE", None, environ, problems)
    for override in overrides(environ, []):
        if override.path[0] == "backends":
            top = override.put(top, problems)
    made = _backends(Validator(environ, problems), top.entries.get("backends"))
    if problems:
        raise SettingsInvalid(problems)
    return made


def _backends(check: Validator, entry: Entry | None) -> dict[str, Backend]:
    made: dict[str, Backend] = {}
    if entry is None or is_null(entry.node) or isinstance(entry.node, Broken):
        return made
    if not isinstance(entry.node, Table):
        right = "should be a mapping, as in shop: {kind: shopify, …}"
        check.tell(entry.origin, f"backends is {kind_of(entry.node)}", right)
        return made
    for part, inner in entry.node.entries.items():
        path = f"backends.{part}"
        if part not in BACKEND_PARTS:
            check.unknown(part, inner, "backends", dict.fromkeys(BACKEND_PARTS))
            continue
        read_ = check.table(Backend, inner.node, path, inner.origin)
        backend = check.make(Backend, read_, path, inner.origin) if read_.good else None
        if backend is not None:
            made[part] = backend
    return made


def _unknown_channel(check: Validator, key: str, entry: Entry, channels: Sequence[str]) -> None:
    if key in _OWN_KEYS or key in RASA_KEYS:
        check.tell(entry.origin, f"{key} is not a channel", "move it to endpoints.yml")
    elif _RASA_CHANNELS.get(key) in channels:
        right = f"here it is {_RASA_CHANNELS[key]}, a list of accounts"
        check.tell(entry.origin, f"{key} is Rasa's name of a channel", right)
    else:
        check.unknown(key, entry, "", dict.fromkeys(channels))
