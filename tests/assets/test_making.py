"""Making and reusing an asset's data."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from assets.making import Made, make
from assets.storage import FileStore, LocalBlobs


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path / "downloads")


def _reused(store: FileStore) -> bool:
    """Whether an asset that makes one plain record is reused; afterwards the record is there."""

    @dg.asset(code_version="1")
    def record(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return make(context, store, {}, lambda: Made({"figure": 1}))

    result = record(dg.build_asset_context())
    assert isinstance(result, dg.MaterializeResult) and result.metadata is not None
    assert store.get("record") == {"figure": 1}
    return bool(result.metadata["reused"])


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5])


@pytest.mark.parametrize(
    ("name", "damage"), [("manifest.json", _cut), ("*/data.json", _cut), ("*/data.json", Path.unlink)]
)
def test_what_is_gone_or_damaged_is_made_anew(store: FileStore, name: str, damage: Callable[[Path], None]) -> None:
    """Its recipe alone would have it reused for ever, and all that reads it fail."""
    assert [_reused(store), _reused(store)] == [False, True]
    (path,) = Path(store.blobs.root, "record").glob(name)
    damage(path)
    assert [_reused(store), _reused(store)] == [False, True]
