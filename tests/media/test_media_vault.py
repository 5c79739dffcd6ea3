"""One contract, every vault: a folder, GridFS, and a bucket of a real S3 server on loopback."""

from __future__ import annotations

import os
import stat
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import mongomock
import pymongo
import pytest
from mongomock.gridfs import enable_gridfs_integration
from moto.server import ThreadedMotoServer

from bot.media import folder
from bot.media.folder import FolderVault
from bot.media.gridfs import GridFsVault
from bot.media.s3 import S3Vault
from bot.media.vault import AsyncVault, NotInVault, Vault, VaultDown, key_of
from bot.settings import Media
from tests.kit.http import closed_url

DATA = b"\x89PNG a picture \x00\xff" * 1000
KEY = key_of(DATA)
BIG = os.urandom(3 * 1024 * 1024 + 17)
SECRET = "s3cr3t-of-the-bucket"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3_settings(endpoint: str, bucket: str, prefix: str = "/media/files") -> Media:
    return Media(
        url=f"s3://{bucket}{prefix}", endpoint=endpoint, access_key="key", secret_key=SECRET
    )


def s3_client(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="key",
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
    )


@pytest.fixture
def bucket(s3_server: str) -> str:
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    s3_client(s3_server).create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["folder", "gridfs", "mongodb", "s3"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    name = f"frontdesk_test_{uuid.uuid4().hex[:12]}"
    if request.param == "folder":
        yield FolderVault(tmp_path / "media")
    elif request.param == "gridfs":
        enable_gridfs_integration()
        yield GridFsVault(f"mongodb://mock/{name}", client_class=mongomock.MongoClient)
    elif request.param == "mongodb":
        uri = os.environ.get("MONGODB_URI")
        if not uri:
            pytest.skip("MONGODB_URI names no MongoDB server to run the contract against")
        host, _, options = uri.partition("?")
        base = "/".join(host.split("/")[:3])
        yield GridFsVault(f"{base}/{name}" + (f"?{options}" if options else ""))
        with pymongo.MongoClient(uri) as client:
            client.drop_database(name)
    else:
        server, made = request.getfixturevalue("s3_server"), request.getfixturevalue("bucket")
        yield S3Vault(s3_settings(server, made))


# the contract


def test_what_is_put_is_got(vault: Vault) -> None:
    vault.put(KEY, DATA, "image/png")
    assert vault.get(KEY) == DATA


def test_a_big_one_too_and_each_under_its_own_key(vault: Vault) -> None:
    vault.put(key_of(BIG), BIG, "application/octet-stream")
    vault.put(KEY, DATA, "image/png")
    assert vault.get(key_of(BIG)) == BIG
    assert vault.get(KEY) == DATA


def test_what_was_never_put_is_not_there(vault: Vault) -> None:
    with pytest.raises(NotInVault):
        vault.get(KEY)


def test_putting_again_changes_nothing(vault: Vault) -> None:
    for _ in range(3):
        vault.put(KEY, DATA, "image/png")
    assert vault.get(KEY) == DATA
    vault.delete(KEY)
    with pytest.raises(NotInVault):
        vault.get(KEY)


def test_what_is_deleted_is_gone_and_may_be_put_again(vault: Vault) -> None:
    vault.put(KEY, DATA, "image/png")
    vault.put(key_of(BIG), BIG, "image/png")
    vault.delete(KEY)
    vault.delete(KEY)
    with pytest.raises(NotInVault):
        vault.get(KEY)
    assert vault.get(key_of(BIG)) == BIG
    vault.put(KEY, DATA, "image/png")
    assert vault.get(KEY) == DATA


@pytest.mark.parametrize(
    "key", ["", "../../etc/passwd", KEY.upper(), KEY[:-1], KEY + "0", f"{KEY}\n", "a/b"]
)
def test_what_is_no_key_is_refused_by_every_verb(vault: Vault, key: str) -> None:
    for verb in (lambda: vault.put(key, DATA, "image/png"), lambda: vault.get(key)):
        with pytest.raises(ValueError, match="key"):
            verb()
    with pytest.raises(ValueError, match="key"):
        vault.delete(key)


def test_many_at_once_put_and_get_the_same_and_others(vault: Vault) -> None:
    files = [bytes([n]) * 300_000 for n in range(4)]

    def one(n: int) -> bool:
        data = files[n % len(files)]
        vault.put(key_of(data), data, "image/png")
        return vault.get(key_of(data)) == data

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(24)))


def test_a_vault_that_works_says_where_it_is(vault: Vault) -> None:
    assert SECRET not in vault.ping()
    assert vault.ping()


async def test_the_same_is_awaitable(vault: Vault) -> None:
    awaitable = AsyncVault(vault)
    await awaitable.put(KEY, DATA, "image/png")
    assert await awaitable.get(KEY) == DATA
    await awaitable.delete(KEY)
    with pytest.raises(NotInVault):
        await awaitable.get(KEY)
    assert await awaitable.ping()


# a vault that is down

DOWN: dict[str, Callable[[Path], Vault]] = {
    "a folder that is a file": lambda path: FolderVault(_file(path)),
    "GridFS": lambda path: GridFsVault(
        f"mongodb://bot:{SECRET}@127.0.0.1:{closed_url().rpartition(':')[2]}/x"
        "?serverSelectionTimeoutMS=200"
    ),
    "a bucket": lambda path: S3Vault(s3_settings(closed_url(), "shop")),
}


def _file(path: Path) -> Path:
    (path / "media").write_bytes(b"")
    return path / "media"


@pytest.mark.parametrize("make", DOWN.values(), ids=DOWN.keys())
def test_a_vault_that_is_down_says_so_without_its_secrets(
    make: Callable[[Path], Vault], tmp_path: Path
) -> None:
    vault = make(tmp_path)
    verbs = (lambda: vault.put(KEY, DATA, ""), lambda: vault.get(KEY), vault.ping)
    for verb in verbs:
        with pytest.raises(VaultDown) as caught:
            verb()
        assert SECRET not in f"{caught.value} {caught.value!r} {vault!r}"
        assert caught.value.__cause__ is None


def test_a_bucket_that_does_not_exist_is_a_vault_that_is_down(s3_server: str) -> None:
    vault = S3Vault(s3_settings(s3_server, "nobodys-bucket"))
    for verb in (lambda: vault.put(KEY, DATA, ""), vault.ping):
        with pytest.raises(VaultDown, match="nobodys-bucket"):
            verb()


# what only one of them does


def test_a_folder_is_for_its_owners_eyes_and_holds_nothing_else(tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "var" / "media")
    vault.put(KEY, DATA, "image/png")
    files = [p for p in (tmp_path / "var").rglob("*") if p.is_file()]
    assert files == [tmp_path / "var" / "media" / KEY[:2] / KEY]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("step", ["write", "fsync", "rename"])
def test_a_folder_shows_nothing_of_a_file_that_was_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    vault = FolderVault(tmp_path)

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if step == "rename":
            patch.setattr(Path, "rename", full)
        elif step == "fsync":
            patch.setattr(folder.os, "fsync", full)
        else:
            patch.setattr(folder, "_write", full)
        with pytest.raises(VaultDown, match="No space left"):
            vault.put(KEY, DATA, "image/png")
    with pytest.raises(NotInVault):
        vault.get(KEY)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    vault.put(KEY, DATA, "image/png")
    assert vault.get(KEY) == DATA


def test_a_folder_is_swept_of_what_dead_processes_left_and_of_nothing_newer(
    tmp_path: Path,
) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "old").write_bytes(b"x")
    (parts / "new").write_bytes(b"x")
    os.utime(parts / "old", (0, 0))
    FolderVault(tmp_path).put(KEY, DATA, "image/png")
    assert [p.name for p in parts.iterdir()] == ["new"]


def test_asking_for_a_folder_makes_none(tmp_path: Path) -> None:
    FolderVault(tmp_path / "a" / "b").ping()
    assert not list(tmp_path.iterdir())


def test_gridfs_takes_a_file_whose_first_upload_died_halfway() -> None:
    enable_gridfs_integration()
    client = mongomock.MongoClient("mongodb://mock/half")
    shared = GridFsVault("mongodb://mock/half", client_class=lambda *a, **k: client)
    shared.ping()
    # Chunks without a file: what a process leaves that dies over an upload.
    client["half"]["vault.chunks"].insert_one({"files_id": KEY, "n": 0, "data": b"half"})
    with pytest.raises(NotInVault):
        shared.get(KEY)
    shared.put(KEY, DATA, "image/png")
    assert shared.get(KEY) == DATA


def test_gridfs_keeps_one_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    enable_gridfs_integration()
    client = mongomock.MongoClient("mongodb://mock/once")
    vault = GridFsVault("mongodb://mock/once", client_class=lambda *a, **k: client)
    vault.put(KEY, DATA, "image/png")
    vault.put(KEY, DATA, "image/png")
    assert [f["contentType"] for f in client["once"]["vault.files"].find({})] == ["image/png"]


@pytest.mark.parametrize("prefix", ["/media/files", "/media/files/", "/", ""])
def test_a_bucket_holds_files_by_path_style_under_the_prefix(
    s3_server: str, bucket: str, prefix: str
) -> None:
    S3Vault(s3_settings(s3_server, bucket, prefix)).put(KEY, DATA, "image/png")
    client = s3_client(s3_server)
    (found,) = client.list_objects_v2(Bucket=bucket)["Contents"]
    place = f"{prefix.strip('/')}/{KEY[:2]}/{KEY}".lstrip("/")
    assert found["Key"] == place
    assert client.get_object(Bucket=bucket, Key=place)["ContentType"] == "image/png"


def test_a_bucket_is_asked_once_by_many_threads_for_one_client(s3_server: str, bucket: str) -> None:
    vault = S3Vault(s3_settings(s3_server, bucket))
    made: list[Any] = []
    ready = threading.Barrier(6)

    def one() -> None:
        ready.wait()
        made.append(vault._client())

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in made}) == 1


def test_two_instances_share_a_bucket_by_their_prefixes(s3_server: str, bucket: str) -> None:
    one = S3Vault(s3_settings(s3_server, bucket, "/one"))
    other = S3Vault(replace(s3_settings(s3_server, bucket), url=f"s3://{bucket}/other"))
    one.put(KEY, DATA, "image/png")
    with pytest.raises(NotInVault):
        other.get(KEY)
