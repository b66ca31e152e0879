"""Storage for Dagster: S3 blobs through dagster-aws, and an I/O manager over the file store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from assets.making import Made
from assets.storage import FileStore, LocalBlobs, NotStored
from lm.places import cache, home
from orchestration.settings import S3Settings, Settings


@dataclass(frozen=True)
class S3Blobs:
    """Blobs as objects of one bucket; an S3 object appears whole or not at all."""

    client: Any
    bucket: str
    prefix: str

    @property
    def root(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def write(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}", Body=content)

    def read(self, name: str) -> bytes:
        try:
            return bytes(self.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")["Body"].read())
        except self.client.exceptions.NoSuchKey:
            raise NotStored(f"nothing is stored at {self.root}/{name}") from None

    def names(self, prefix: str) -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.prefix}/{prefix}"
        )
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(f"{self.prefix}/")

    def size(self, name: str) -> int | None:
        try:
            return int(self.client.head_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")["ContentLength"])
        except self.client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:  # without a body it is no NoSuchKey
                return None
            raise


def file_store(settings: Settings) -> FileStore:
    """The store that the settings describe; nothing is contacted before the first read or write."""
    downloads = cache() / "downloads"
    if settings.s3 is not None and settings.data == "s3":
        return FileStore(_lazy_s3(settings.s3), downloads)
    return FileStore(LocalBlobs(str(home() / "data")), downloads)


def _lazy_s3(settings: S3Settings) -> S3Blobs:
    from dagster_aws.s3 import S3Resource

    resource = S3Resource(endpoint_url=settings.endpoint_url, region_name=settings.region_name)
    return S3Blobs(resource.get_client(), settings.bucket, settings.data_prefix)


class StoredFiles(dg.IOManager):
    """Loads what an asset reads from the file store, and stores what an asset returns as a plain value.

    Assets that use :func:`assets.making.make` have stored their data already.
    """

    def __init__(self, files: FileStore) -> None:
        self._files = files

    def load_input(self, context: dg.InputContext) -> Any:
        asset = context.asset_key.to_user_string()
        if not context.has_asset_partitions:
            return self._files.get(asset)
        keys = context.asset_partition_keys
        if not keys:
            raise dg.DagsterInvariantViolationError(f"no partition of {asset!r} was selected")
        values = {key: self._files.get(asset, key) for key in keys}
        one = len(keys) == 1 and not isinstance(context.dagster_type.typing_type, dict) and not _wants_mapping(context)
        return values[keys[0]] if one else values

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        if obj is None:
            return
        made = obj if isinstance(obj, Made) else Made(obj)
        partition = context.partition_key if context.has_partition_key else None
        stored = self._files.put(context.asset_key.to_user_string(), partition, made.value, recipe="")
        context.add_output_metadata({"location": dg.MetadataValue.path(stored.location), "digest": stored.digest})


def _wants_mapping(context: dg.InputContext) -> bool:
    origin = getattr(context.dagster_type.typing_type, "__origin__", None)
    return origin is dict
