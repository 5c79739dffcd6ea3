"""``bot models list|promote|rollback``: the trained models, and which one answers customers."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import tarfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot import serve
from bot.dialogue.errors import ModelError
from bot.dialogue.promoting import SUFFIX, Models, NotPromoted, name_of
from bot.media.vault import AsyncVault, open_vault
from bot.settings import Settings
from bot.store import StoreError
from bot.store.models import FAILED, IN_USE, StoredModel
from bot.store.wake import open_bells

_HEAD = ("", "NAME", "MADE", "ACCURACY", "STORIES", "STATUS", "PROMOTED", "")


async def models(args: argparse.Namespace, settings: Settings) -> int:
    """Run ``bot models list|promote|rollback``; return 0, or 1 when it was not to be done."""
    store = serve.store_of(settings)
    try:
        known = Models(store, AsyncVault(open_vault(settings)))
        if args.verb == "list":
            return await _list(known, Path(settings.model), history=args.history)
        if args.verb == "rollback":
            out, pointer = await known.rollback(by=me(), why=args.why)
            print(f"{pointer.model} is in use again instead of {out}")
        else:
            name = await _named(known, Path(settings.model), args.name)
            await known.promote(name, by=me(), why=args.why)
            print(f"{name} is in use; workers take it up within seconds")
        await ring(settings)
        return 0
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    except StoreError as error:
        print(f"the store: {error}", file=sys.stderr)
        return 1
    finally:
        await store.close()


def me() -> str:
    """Return who runs this command, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def ring(settings: Settings) -> None:
    """Have workers look which model is in use, at once; without it they do within seconds."""
    bells = open_bells(settings.var, settings.redis.url, set())
    await bells.open()
    bells.ring("model")
    await bells.close()


async def _named(models: Models, folder: Path, said: str) -> str:
    """Return the name of the model that is meant; take a file in that the store does not know."""
    name = name_of(Path(said))
    if os.sep not in said and await models.get(name) is not None:
        return name
    for path in (Path(said), folder / f"{name}{SUFFIX}"):
        if path.name.endswith(SUFFIX) and path.is_file():
            _check(path)
            taken = await models.take_in(path, fingerprint=_fingerprint(name))
            return str(taken.id)
    raise NotPromoted(f"{said}: neither the store nor {folder}/ has it; see `bot models list`")


def _check(path: Path) -> None:
    """Raise NotPromoted for a file that cannot be a model: Rasa's have their metadata in them."""
    try:
        with tarfile.open(path) as archive:
            found = any(Path(name).name == "metadata.json" for name in archive.getnames())
    except (tarfile.TarError, OSError, EOFError) as error:
        raise NotPromoted(f"{path}: is not a model archive: {error}") from error
    if not found:
        raise NotPromoted(f"{path}: is not a model of Rasa 3, it has no metadata.json")


def _fingerprint(name: str) -> str:
    """Return the fingerprint in a name that `bot train` gave; "" for one of `rasa train`."""
    last = name.rpartition("-")[2]
    return last if len(last) == 12 and set(last) <= set("0123456789abcdef") else ""


async def _list(models: Models, folder: Path, *, history: bool) -> int:
    pointer = await models.in_use()
    found = await models.listing()
    rows = [_row(model) for model in found]
    names = {model.id for model in found}
    rows += [_file_row(path) for path in _files(folder) if name_of(path) not in names]
    if not rows:
        print("there are no models; `bot train` makes one")
        return 0
    _table([_HEAD, *rows])
    for model in found:
        for host, why in (model.failed_at or {}).items() if model.status == FAILED else ():
            print(f"{model.id} cannot be loaded on {host}: {why}")
    if history:
        print()
        for entry in (pointer.history or []) if pointer else ():
            at = datetime.fromisoformat(entry["at"]).astimezone()
            why = f"  {entry['why']}" if entry["why"] else ""
            print(f"{at:%Y-%m-%d %H:%M:%S}  {entry['how']:8}  {entry['model']}  {entry['by']}{why}")
    return 0


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"), reverse=True)


def _file_row(path: Path) -> tuple[str, ...]:
    made = datetime.fromtimestamp(path.stat().st_mtime)
    status = f"not known to the store, in {path.parent}/"
    return ("", name_of(path), f"{made:%Y-%m-%d %H:%M}", "-", "-", status, "", "")


def _row(model: StoredModel) -> tuple[str, ...]:
    told = model.report or {}
    accuracy = "-" if told.get("accuracy") is None else f"{told['accuracy']:.1%}"
    stories = f"{told['passed']} of {told['stories']}" if told.get("stories") else "-"
    promoted = ""
    if model.promoted_at:
        promoted = f"{model.promoted_at.astimezone():%Y-%m-%d %H:%M} by {model.promoted_by}"
    marks = [word for word in ("forced", "withdrawn") if getattr(model, word)]
    status = {IN_USE: "in use"}.get(model.status, model.status)
    made = f"{model.created.astimezone():%Y-%m-%d %H:%M}"
    mark = "*" if model.status == IN_USE else ""
    return (mark, model.id, made, accuracy, stories, status, promoted, ", ".join(marks))


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())
