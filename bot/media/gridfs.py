"""The vault in MongoDB's GridFS, beside the documents. https://www.mongodb.com/docs/manual/core/gridfs/"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gridfs
import pymongo
from pymongo.errors import PyMongoError

from bot.media.vault import NotInVault, VaultDown, checked

_DATABASE = "frontdesk"
_BUCKET = "vault"
_TIMEOUTS = {"serverSelectionTimeoutMS": 3000, "connectTimeoutMS": 3000, "socketTimeoutMS": 60000}


class GridFsVault:
    """A `Vault` in the database that `url` names, ``frontdesk`` when it names none.

    Each upload has an id of its own and the key for a name. Were the key the id, the chunks
    that a process which died over an upload left behind would stand in the way of the next.
    `client_class` takes mongomock's in tests.
    """

    def __init__(self, url: str, *, client_class: Any = pymongo.MongoClient) -> None:
        self._url = url
        self._client_class = client_class
        self._connecting = threading.Lock()
        self._files: gridfs.GridFS | None = None

    def put(self, key: str, data: bytes, mime: str) -> None:
        """See `Vault.put`."""
        checked(key)
        with self._guarded():
            files = self._connected()
            if not files.exists(filename=key):
                files.put(data, filename=key, contentType=mime)

    def get(self, key: str) -> bytes:
        """See `Vault.get`."""
        checked(key)
        with self._guarded():
            found: bytes = self._connected().get_last_version(key).read()
            return found

    def delete(self, key: str) -> None:
        """See `Vault.delete`."""
        checked(key)
        with self._guarded():
            files = self._connected()
            for version in files.find({"filename": key}):
                files.delete(version._id)

    def ping(self) -> str:
        """See `Vault.ping`."""
        with self._guarded():
            self._connected().exists(filename="")
        return "GridFS in the store"

    def _connected(self) -> gridfs.GridFS:
        with self._connecting:
            if self._files is None:
                stated = self._url.lower()
                timeouts = {k: v for k, v in _TIMEOUTS.items() if k.lower() not in stated}
                client = self._client_class(
                    self._url, w="majority", journal=True, tz_aware=True, **timeouts
                )
                database = client.get_default_database(_DATABASE)
                self._files = gridfs.GridFS(database, collection=_BUCKET)
            return self._files

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        # Without causes: pymongo's texts may hold parts of the URL.
        try:
            yield
        except gridfs.NoFile:
            raise NotInVault("there is no such file") from None
        except PyMongoError as error:
            raise VaultDown(f"GridFS: {type(error).__name__}") from None
