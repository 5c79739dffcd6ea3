"""The vault in a bucket of Amazon S3, or of what speaks its protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.media.vault import NotInVault, VaultDown, checked
from bot.settings import Media

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_ABSENT = ("404", "NoSuchKey", "NotFound")


class S3Vault:
    """A `Vault` in the bucket and under the prefix of ``media.url``.

    By path style, which all services understand, and without the checksums that boto3
    sends of late and many do not:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
    """

    def __init__(self, settings: Media) -> None:
        self._settings = settings
        bucket, _, prefix = settings.url.removeprefix("s3://").partition("/")
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._connecting = threading.Lock()
        self._made: Any = None

    def put(self, key: str, data: bytes, mime: str) -> None:
        """See `Vault.put`. The service shows an object only when it is whole."""
        name = self._name(key)
        with self._guarded():
            client = self._client()
            if not self._has(client, name):
                client.put_object(Bucket=self._bucket, Key=name, Body=data, ContentType=mime)

    def get(self, key: str) -> bytes:
        """See `Vault.get`."""
        name = self._name(key)
        with self._guarded():
            found: bytes = self._client().get_object(Bucket=self._bucket, Key=name)["Body"].read()
            return found

    def delete(self, key: str) -> None:
        """See `Vault.delete`."""
        name = self._name(key)
        with self._guarded():
            self._client().delete_object(Bucket=self._bucket, Key=name)

    def ping(self) -> str:
        """See `Vault.ping`."""
        try:
            with self._guarded():
                self._client().head_bucket(Bucket=self._bucket)
        except NotInVault:
            raise VaultDown(f"there is no bucket {self._bucket}") from None
        return f"S3, {self._settings.url.removeprefix('s3://')}"

    def _name(self, key: str) -> str:
        place = f"{checked(key)[:2]}/{key}"
        return f"{self._prefix}/{place}" if self._prefix else place

    def _has(self, client: Any, name: str) -> bool:
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        try:
            client.head_object(Bucket=self._bucket, Key=name)
        except ClientError as error:
            # Without the right to list a bucket an absent key is 403, not 404.
            if _code(error) in (*_ABSENT, "403", "AccessDenied"):
                return False
            raise
        return True

    def _client(self) -> Any:
        from boto3.session import Session  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]

        with self._connecting:
            if self._made is None:
                media = self._settings
                self._made = Session().client(
                    "s3",
                    endpoint_url=media.endpoint or None,
                    aws_access_key_id=media.access_key or None,
                    aws_secret_access_key=media.secret_key or None,
                    # Services without regions go by this one.
                    region_name=media.region or "us-east-1",
                    config=Config(
                        s3={"addressing_style": "path"},
                        signature_version="s3v4",
                        connect_timeout=_CONNECT_SECONDS,
                        read_timeout=_READ_SECONDS,
                        retries={"mode": "standard", "total_max_attempts": 2},
                        request_checksum_calculation="when_required",
                        response_checksum_validation="when_required",
                    ),
                )
            return self._made

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        # Without causes: botocore's texts hold URLs, and the headers of a request.
        try:
            yield
        except ClientError as error:
            code = _code(error)
            if code in _ABSENT:
                raise NotInVault("there is no such file") from None
            raise VaultDown(f"S3, bucket {self._bucket}: {code}") from None
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise VaultDown(f"S3, bucket {self._bucket}: {type(error).__name__}") from None


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
