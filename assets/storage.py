"""Where assets' data lie: Parquet, JSON and folders of files, each version whole or not there, never a pickle.

``<asset>/<partition>/<digest>/…`` holds a version; ``manifest.json`` beside it, written last, says which one counts. A version
is named after its content, so a reader never sees a half-written one and an interrupted run leaves the old one in force.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote, unquote
from uuid import uuid4

import pandas as pd

Value = pd.DataFrame | dict[str, Any] | list[Any] | Path
Kind = Literal["table", "json", "folder"]


class NotStored(LookupError):
    """An asset or partition that has not been materialized yet."""


class Damaged(NotStored):
    """A version that is in force and is gone or not whole: files were deleted, or a disk or a machine went down."""


class Blobs(Protocol):
    """Named byte strings; a write appears whole or not at all."""

    @property
    def root(self) -> str: ...

    def write(self, name: str, content: bytes) -> None: ...

    def read(self, name: str) -> bytes:
        """Raises NotStored where there is no such name."""
        ...

    def names(self, prefix: str) -> Iterator[str]: ...

    def size(self, name: str) -> int | None:
        """In bytes; None where there is no such name."""
        ...


@dataclass(frozen=True)
class LocalBlobs:
    """Blobs as files under one folder."""

    root: str

    def write(self, name: str, content: bytes) -> None:
        target = Path(self.root, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.parent / f".{uuid4().hex}"  # not by mkstemp, whose files only their owner may read
        try:
            with scratch.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(target)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise

    def read(self, name: str) -> bytes:
        try:
            return Path(self.root, name).read_bytes()
        except FileNotFoundError:
            raise NotStored(f"nothing is stored at {self.root}/{name}") from None

    def names(self, prefix: str) -> Iterator[str]:
        for path in sorted(Path(self.root, prefix).rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(self.root).as_posix()

    def size(self, name: str) -> int | None:
        path = Path(self.root, name)
        return path.stat().st_size if path.is_file() else None


@dataclass(frozen=True)
class Stored:
    """One version of an asset's data.

    Attributes:
        digest: of the content; the asset's data version.
        recipe: of all that the content was made from; the same recipe need not be made again.
        kind: table, json or folder.
        metadata: what was told about it when it was made.
        location: address of the data.
        files: bytes of each file of the version, by name; empty where the manifest is of an older kind.
    """

    digest: str
    recipe: str
    kind: Kind
    location: str
    metadata: dict[str, Any] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FileStore:
    """Assets' data by asset name and partition, over local files or S3."""

    blobs: Blobs
    downloads: Path

    def find(self, asset: str, partition: str | None = None) -> Stored | None:
        """The version in force, or None.

        Raises:
            Damaged: what says so cannot be read.
        """
        name = f"{_place(asset, partition)}/manifest.json"
        try:
            content = self.blobs.read(name)
        except NotStored:
            return None
        try:
            told = json.loads(content)
            return Stored(**{**told, "location": self._location(asset, partition, told["digest"], told["kind"])})
        except (ValueError, TypeError, KeyError):
            raise Damaged(f"{self.blobs.root}/{name} is damaged: materialize {asset} again") from None

    def _location(self, asset: str, partition: str | None, digest: str, kind: Kind) -> str:
        """Address of a version's data where the store lies now; it may have been moved since the manifest was written."""
        suffix = {"table": "data.parquet", "json": "data.json", "folder": "files"}[kind]
        return f"{self.blobs.root}/{_place(asset, partition)}/{digest}/{suffix}"

    def is_whole(self, asset: str, partition: str | None, stored: Stored) -> bool:
        """Whether every file of a version is there, none of them cut short; of an older manifest, whether any is there."""
        place = f"{_place(asset, partition)}/{stored.digest}"
        if not stored.files:
            return any(True for _ in self.blobs.names(f"{place}/"))
        return all(self.blobs.size(f"{place}/{name}") == size for name, size in stored.files.items())

    def versions(self, asset: str) -> dict[str, str]:
        """Digest of every stored partition of an asset (the partition '' where it has none); damaged ones are warned of."""
        found: dict[str, str] = {}
        for name in self.blobs.names(f"{asset}/"):
            *partition, last = name.removeprefix(f"{asset}/").split("/")
            if last == "manifest.json" and len(partition) <= 1:  # deeper ones belong to stored folders
                key = unquote("".join(partition))
                try:
                    stored = self.find(asset, key)
                except Damaged as error:
                    warnings.warn(f"{error}", stacklevel=2)
                else:
                    found |= {key: stored.digest} if stored is not None else {}
        return found

    def put(
        self, asset: str, partition: str | None, value: Value, recipe: str, metadata: dict[str, Any] | None = None
    ) -> Stored:
        """Store a version and put it in force."""
        kind, files = _files_of(value)
        state = hashlib.sha256()
        for name, content in files.items():
            state.update(f"{name}\0{len(content)}\0".encode() + content)
        digest = state.hexdigest()[:16]
        place = _place(asset, partition)
        for name, content in files.items():
            self.blobs.write(f"{place}/{digest}/{name}", content)
        sizes = {name: len(content) for name, content in files.items()}
        stored = Stored(digest, recipe, kind, self._location(asset, partition, digest, kind), metadata or {}, sizes)
        self.blobs.write(f"{place}/manifest.json", json.dumps(asdict(stored), ensure_ascii=False, indent=1).encode())
        return stored

    def get(self, asset: str, partition: str | None = None) -> Value:
        """The data in force; a folder comes as a path on this machine.

        Raises:
            NotStored: the asset or partition has not been materialized.
            Damaged: it has been, and what was stored is gone or cannot be read.
        """
        stored = self.find(asset, partition)
        if stored is None:
            of = f", partition {partition!r}," if partition else ""
            raise NotStored(f"asset {asset!r}{of} has no data yet in {self.blobs.root}: materialize it first")
        try:
            return self._read(f"{_place(asset, partition)}/{stored.digest}", stored.kind)
        except (NotStored, ValueError, EOFError) as error:  # ValueError: of JSON, and of Parquet
            of = f", partition {partition!r}," if partition else ""
            raise Damaged(
                f"the data of asset {asset!r}{of} in {self.blobs.root} are gone or damaged ({error}): materialize it again"
            ) from None

    def _read(self, place: str, kind: Kind) -> Value:
        if kind == "table":
            return pd.read_parquet(io.BytesIO(self.blobs.read(f"{place}/data.parquet")))
        if kind == "json":
            return json.loads(self.blobs.read(f"{place}/data.json"))
        if not any(True for _ in self.blobs.names(f"{place}/files/")):
            raise NotStored("no file is there")
        if isinstance(self.blobs, LocalBlobs):
            return Path(self.blobs.root, place, "files")
        return self._download(place)

    def _download(self, place: str) -> Path:
        target = self.downloads / place
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(dir=target.parent))
            try:
                for name in self.blobs.names(f"{place}/files"):
                    path = scratch / name.removeprefix(f"{place}/files/")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(self.blobs.read(name))
                try:
                    scratch.rename(target)
                except OSError:
                    if not target.exists():  # another process was first otherwise, with the same content
                        raise
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        return target


def _place(asset: str, partition: str | None) -> str:
    """Folder of an asset or partition; odd characters are percent-encoded, so that no two partitions share a folder."""
    if not partition:
        return asset
    name = quote(partition, safe="|=")
    return f"{asset}/{name if name.strip('.') else name.replace('.', '%2E')}"


def _files_of(value: Value) -> tuple[Kind, dict[str, bytes]]:
    if isinstance(value, pd.DataFrame):
        buffer = io.BytesIO()
        value.to_parquet(buffer, index=False)
        return "table", {"data.parquet": buffer.getvalue()}
    if isinstance(value, Path):
        files = {
            f"files/{p.relative_to(value).as_posix()}": p.read_bytes() for p in sorted(value.rglob("*")) if p.is_file()
        }
        if not files:
            raise ValueError(f"the folder {value} is empty; there is nothing to store")
        return "folder", files
    return "json", {"data.json": json.dumps(value, ensure_ascii=False, indent=1).encode()}
