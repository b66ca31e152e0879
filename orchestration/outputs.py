"""Files that the commands write: checked before any work, whole or not there."""

import io
import os
from pathlib import Path
from typing import Any

from orchestration.faults import FileError, to_json


def require_file(path: Path, option: str, suffix: str) -> None:
    """Refuse a place where no file can be written.

    Args:
        path: as given.
        option: by which it was given, for the message.
        suffix: that the name must have.

    Raises:
        FileError: another suffix, no such folder, a folder of that name, or a folder that cannot be written to.
    """
    folder = path.absolute().parent
    if path.suffix.lower() != suffix:
        raise FileError(f"{option} must end in {suffix}; given {path.name or str(path)!r}")
    if not folder.exists():
        raise FileError(f"{option} {path}: the folder {folder} does not exist; make it first")
    if not folder.is_dir():
        raise FileError(f"{option} {path}: {folder} is a file, not a folder")
    if path.is_dir():
        raise FileError(f"{option} {path} is a folder; give the name of a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(f"{option} {path}: no permission to write to the folder {folder}")


def write_file(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    from assets.storage import LocalBlobs

    LocalBlobs(str(path.absolute().parent)).write(path.name, content)


def write_table(path: Path, frame: Any, manifest: dict[str, Any]) -> None:
    """A Parquet file whose metadata hold the manifest, as JSON under the key ``causalsmith``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = frame.astype(dict.fromkeys(frame.select_dtypes("category").columns, str))
    table = pa.Table.from_pandas(texts, preserve_index=False)
    kept = {**(table.schema.metadata or {}), b"causalsmith": to_json(manifest).encode()}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(kept), buffer)
    write_file(path, buffer.getvalue())
