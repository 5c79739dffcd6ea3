"""The models that the store keeps for every host, and the one of them that is in use.

Bytes are in the vault under their digest, what is known of a model in `StoredModel`, and
which one answers customers in `ModelInUse`. Everything may be done twice, by several
hosts at once, and be cut off anywhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bot.dialogue.errors import ModelError, ModelMissing, ModelUnreadable
from bot.media.vault import AsyncVault, NotInVault, key_of
from bot.message import utcnow
from bot.store import AsyncStore, Duplicate
from bot.store.models import CANDIDATE, FAILED, IN_USE, POINTER, RETIRED, ModelInUse, StoredModel
from bot.whole_files import write_whole

SUFFIX = ".tar.gz"
PROMOTE, FORCE, ROLLBACK = "promote", "force", "rollback"

_MIME = "application/gzip"
_HISTORY, _BEFORE = 200, 50


class NotPromoted(ModelError):
    """A model cannot be put into use; the text says why."""


class Models:
    """The store's models. Methods may raise StoreError."""

    def __init__(self, store: AsyncStore, vault: AsyncVault) -> None:
        self._store = store
        self._vault = vault

    async def in_use(self) -> ModelInUse | None:
        """Return what points at the model in use; None when none was ever promoted."""
        return await self._store.get(ModelInUse, POINTER)

    async def get(self, name: str) -> StoredModel | None:
        """Return a model by its name, None without one."""
        return await self._store.get(StoredModel, name)

    async def listing(self) -> list[StoredModel]:
        """Return all models, the newest first, with the status that the pointer says."""
        pointer = await self.in_use()
        found = await self._store.find(StoredModel, {}, sort=("-created",))
        for model in found:
            if pointer is not None and model.id == pointer.model:
                model.status = model.status if model.status == FAILED else IN_USE
            elif model.status == IN_USE:
                model.status = RETIRED
        return found

    async def of(self, fingerprint: str) -> StoredModel | None:
        """Return the newest model of that training data, None without one."""
        where = {"fingerprint": fingerprint}
        found = await self._store.find(StoredModel, where, sort=("-created",), limit=1)
        return found[0] if found else None

    async def take_in(
        self,
        archive: Path,
        *,
        fingerprint: str = "",
        report: Mapping[str, Any] | None = None,
        obstacles: Sequence[str] = (),
        note: str = "",
    ) -> StoredModel:
        """Keep a model's file for every host, as a candidate; one that is known stays as it is.

        Raises NotPromoted when another model of that name is known, ModelMissing.
        """
        name = name_of(archive)
        try:
            data, made = await asyncio.to_thread(_read, archive)
        except OSError as error:
            raise ModelMissing(f"{archive}: {error.strerror}") from error
        if not data.startswith(b"\x1f\x8b"):
            raise NotPromoted(f"{archive}: is no model, which is a {SUFFIX} file")
        key = key_of(data)
        # The bytes first: a model that is known can always be had.
        await self._vault.put(key, data, _MIME)
        model = StoredModel(
            id=name,
            fingerprint=fingerprint,
            created=made,
            trained_on=socket.gethostname(),
            sha256=key,
            size=len(data),
            report=dict(report or {}),
            obstacles=list(obstacles),
            note=note,
        )
        await self._store.insert_new([model])
        known = await self.get(name)
        if known is None or known.sha256 != key:
            raise NotPromoted(
                f"{name}: another model of that name is in the store; rename the file"
            )
        if report is not None:
            changed = await self._store.change(
                StoredModel,
                {"id": name},
                set={"report": dict(report), "obstacles": list(obstacles)},
            )
            known = changed or known
        return known

    async def promote(
        self, name: str, *, by: str, why: str = "", forced: bool = False
    ) -> ModelInUse:
        """Put a model into use; nothing happens when it is already. Raises NotPromoted."""
        model = await self.get(name)
        if model is None:
            raise NotPromoted(
                f"{name}: the store knows no such model; `bot models list` shows them"
            )
        how = FORCE if forced else PROMOTE
        while True:
            pointer = await self.in_use()
            if pointer is not None and pointer.model == name:
                break
            before = [*(pointer.before or []), pointer.model] if pointer else []
            moved = await self._move(pointer, name, before, by, how, why)
            if moved is not None:
                pointer = moved
                break
        await self._store.change(
            StoredModel,
            {"id": name},
            set={
                **{"status": IN_USE, "promoted_at": pointer.at, "promoted_by": by},
                **{"withdrawn": False, "failed_at": {}},
                **({"forced": True, "note": why} if forced else {"forced": False}),
            },
        )
        await self._retire(pointer)
        return pointer

    async def rollback(self, *, by: str, why: str = "") -> tuple[str, ModelInUse]:
        """Put the model into use that was before; return the name of the one taken out of it.

        Raises NotPromoted when there is none.
        """
        while True:
            pointer = await self.in_use()
            before = list(pointer.before or []) if pointer else []
            if pointer is None or not before:
                raise NotPromoted("no model was in use before this one")
            out, back = pointer.model, before.pop()
            moved = await self._move(pointer, back, before, by, ROLLBACK, why)
            if moved is not None:
                break
        await self._store.change(StoredModel, {"id": out}, set={"withdrawn": True})
        await self._store.change(
            StoredModel, {"id": back}, set={"status": IN_USE, "withdrawn": False, "failed_at": {}}
        )
        await self._retire(moved)
        return out, moved

    async def failed(self, name: str, why: str) -> None:
        """Record that this host cannot load a model."""
        model = await self.get(name)
        if model is not None:
            told = {**(model.failed_at or {}), socket.gethostname().replace(".", "_"): why}
            await self._store.change(
                StoredModel, {"id": name}, set={"status": FAILED, "failed_at": told}
            )

    async def fetch(self, name: str, folder: Path) -> Path:
        """Return a model's file in `folder`, brought there from the vault where it lacks.

        A file that is there counts only when it has the right bytes. Raises ModelMissing,
        ModelUnreadable.
        """
        model = await self.get(name)
        if model is None:
            raise ModelMissing(f"{name}: the store knows no such model")
        path = folder / f"{name}{SUFFIX}"
        if await asyncio.to_thread(_digest, path) == model.sha256:
            return path
        try:
            data = await self._vault.get(model.sha256)
        except NotInVault as error:
            raise ModelMissing(f"{name}: its file is not in the vault") from error
        if key_of(data) != model.sha256:
            raise ModelUnreadable(f"{name}: its file in the vault is damaged")
        await asyncio.to_thread(write_whole, path, data)
        return path

    async def _move(
        self,
        pointer: ModelInUse | None,
        name: str,
        before: Sequence[str],
        by: str,
        how: str,
        why: str,
    ) -> ModelInUse | None:
        """Point at another model; None when somebody else was faster."""
        now = utcnow()
        entry = {"model": name, "at": now.isoformat(), "by": by, "how": how, "why": why}
        if pointer is None:
            first = ModelInUse(id=POINTER, model=name, at=now, before=[], history=[entry])
            try:
                await self._store.insert(first)
            except Duplicate:
                return None
            return first
        return await self._store.change(
            ModelInUse,
            {"id": POINTER, "epoch": pointer.epoch},
            set={
                "model": name,
                "at": now,
                "before": list(before)[-_BEFORE:],
                "history": [*(pointer.history or []), entry][-_HISTORY:],
            },
            inc={"epoch": 1},
        )

    async def _retire(self, pointer: ModelInUse) -> None:
        """Mark what is no longer in use; also what a process that was killed left marked."""
        for model in await self._store.find(StoredModel, {"status": IN_USE}):
            if model.id != pointer.model:
                await self._store.change(
                    StoredModel, {"id": model.id, "status": IN_USE}, set={"status": RETIRED}
                )


def name_of(archive: Path) -> str:
    """Return a model's name: that of its file, without the ending."""
    return archive.name.removesuffix(SUFFIX)


def is_waiting(model: StoredModel) -> bool:
    """Tell whether a model was not promoted for a reason, so that only a person does it."""
    return bool(model.withdrawn or (model.status == CANDIDATE and model.obstacles))


def _read(path: Path) -> tuple[bytes, datetime]:
    return path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
