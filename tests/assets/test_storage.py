"""The store: what goes in comes out, a version counts only when its manifest is written, partitions never mix."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.storage import Damaged, FileStore, LocalBlobs, NotStored

ODD = ["a b", "a/b", "a_b", "a%20b", "..", ".", "ä|ß", "x|hf:org/name", "models:/m@champion", "scenario=1", "C:\\x"]


@pytest.fixture
def store(tmp_path) -> FileStore:
    return FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path / "downloads")


@dataclass(frozen=True)
class Breaking:
    """Blobs whose ``fail_at``-th write dies, as a killed process would."""

    inner: LocalBlobs
    fail_at: int
    writes: list[str] = field(default_factory=list)

    @property
    def root(self) -> str:
        return self.inner.root

    def write(self, name: str, content: bytes) -> None:
        self.writes.append(name)
        if len(self.writes) == self.fail_at:
            raise KeyboardInterrupt
        self.inner.write(name, content)

    def read(self, name: str) -> bytes:
        return self.inner.read(name)

    def names(self, prefix: str):
        return self.inner.names(prefix)

    def size(self, name: str) -> int | None:
        return self.inner.size(name)


def _folder(path: Path, **files: str) -> Path:
    for name, content in files.items():
        target = path / name.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    return path


def test_a_table_comes_back_as_it_was(store):
    frame = pd.DataFrame(
        {
            "x": [1.5, np.nan],
            "n": [1, 2],
            "text": ["ä", None],
            "level": pd.Categorical(["no", "yes"], categories=["no", "yes"], ordered=True),
            "when": pd.to_datetime(["2020-01-01", None]),
        }
    )
    stored = store.put("a", None, frame, "r1", {"rows": 2})
    pd.testing.assert_frame_equal(store.get("a"), frame)
    assert (stored.kind, stored.recipe, stored.metadata) == ("table", "r1", {"rows": 2})
    assert store.find("a") == stored
    pd.testing.assert_frame_equal(pd.read_parquet(stored.location), frame)


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, "ü"]}, [], {}, [{"x": {"y": True}}]], ids=str)
def test_json_comes_back_as_it_was(store, value):
    stored = store.put("a", None, value, "r")
    assert store.get("a") == value
    assert json.loads(Path(stored.location).read_text()) == value


def test_a_folder_comes_back_with_all_of_its_files(store, tmp_path):
    store.put("a", "p", _folder(tmp_path / "made", config="{}", deep__weights="0101"), "r")
    found = store.get("a", "p")
    assert {p.relative_to(found).as_posix(): p.read_text() for p in found.rglob("*") if p.is_file()} == {
        "config": "{}",
        "deep/weights": "0101",
    }


def test_an_empty_folder_is_refused(store, tmp_path):
    with pytest.raises(ValueError, match="is empty"):
        store.put("a", None, tmp_path, "r")


def test_the_digest_is_of_the_content_alone(store):
    first = store.put("a", None, {"x": 1}, "r1")
    same = store.put("b", "p", {"x": 1}, "r2", {"told": True})
    other = store.put("a", None, {"x": 2}, "r1")
    assert first.digest == same.digest != other.digest


def test_file_names_and_contents_do_not_run_into_each_other(store, tmp_path):
    first = store.put("a", None, _folder(tmp_path / "1", ab="c"), "r")
    second = store.put("a", None, _folder(tmp_path / "2", a="bc"), "r")
    assert first.digest != second.digest


def test_the_newest_version_is_in_force_and_the_old_one_is_kept(store):
    first = store.put("a", None, {"x": 1}, "r1")
    store.put("a", None, {"x": 2}, "r2")
    assert store.get("a") == {"x": 2}
    assert json.loads(Path(first.location).read_text()) == {"x": 1}


@pytest.mark.parametrize("fail_at", [1, 2, 3])
def test_an_interrupted_write_leaves_the_old_version_in_force(store, tmp_path, fail_at):
    """A folder of two files takes three writes: the files, and last the manifest."""
    store.put("a", "p", {"x": 1}, "old")
    breaking = Breaking(store.blobs, fail_at)
    with pytest.raises(KeyboardInterrupt):
        FileStore(breaking, tmp_path / "d").put("a", "p", _folder(tmp_path / "m", one="1", two="2"), "new")
    assert store.get("a", "p") == {"x": 1}
    assert store.find("a", "p").recipe == "old"
    assert list(store.versions("a")) == ["p"]


def test_an_interrupted_first_write_stores_nothing(store, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        FileStore(Breaking(store.blobs, 2), tmp_path / "d").put("a", None, {"x": 1}, "r")
    assert store.find("a") is None
    assert store.versions("a") == {}
    with pytest.raises(NotStored):
        store.get("a")


def test_the_manifest_is_written_last(store, tmp_path):
    watching = Breaking(store.blobs, fail_at=-1)
    FileStore(watching, tmp_path / "d").put("a", None, _folder(tmp_path / "m", one="1", two="2"), "r")
    assert watching.writes[-1] == "a/manifest.json"
    assert len(watching.writes) == 3


def test_a_failed_write_leaves_no_file_behind(tmp_path, monkeypatch):
    blobs = LocalBlobs(str(tmp_path))
    blobs.write("x/one", b"old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        blobs.write("x/one", b"new")
    assert blobs.read("x/one") == b"old"
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["one"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_a_file_has_the_mode_that_the_umask_leaves(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        LocalBlobs(str(tmp_path)).write("one", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "one").stat().st_mode & 0o777 == mode


def test_the_longest_name_that_a_folder_takes_can_be_written(tmp_path):
    LocalBlobs(str(tmp_path)).write("n" * 255, b"1")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"1"]


def test_partitions_with_odd_characters_do_not_mix(store, tmp_path):
    for number, partition in enumerate(ODD):
        store.put("a", partition, {"number": number}, "r")
    for number, partition in enumerate(ODD):
        assert store.get("a", partition) == {"number": number}
    assert set(store.versions("a")) == set(ODD)
    assert [p.name for p in Path(store.blobs.root).iterdir()] == ["a"]  # '..' stays inside


@given(st.lists(st.text(min_size=1, max_size=6), min_size=2, max_size=5, unique=True))
def test_versions_are_listed_under_the_partitions_own_names(tmp_path_factory, partitions):
    folder = tmp_path_factory.mktemp("s")
    store = FileStore(LocalBlobs(str(folder)), folder / "d")
    partitions = [p for p in partitions if p.isprintable() and not any("\ud800" <= c <= "\udfff" for c in p)]
    for number, partition in enumerate(partitions):
        store.put("a", partition, [number], "r")
    assert set(store.versions("a")) == set(partitions)
    assert [store.get("a", partition) for partition in partitions] == [[i] for i in range(len(partitions))]


def test_the_partition_names_in_use_stay_readable(store):
    stored = store.put("benchmark", "smollm2-135m|tutoring", {}, "r")
    assert "/benchmark/smollm2-135m|tutoring/" in stored.location


def test_versions_of_an_asset_without_partitions(store):
    stored = store.put("a", None, [1], "r")
    assert store.versions("a") == {"": stored.digest}
    assert store.versions("none") == {}


def test_a_manifest_inside_a_stored_folder_is_no_version(store, tmp_path):
    stored = store.put("a", "p", _folder(tmp_path / "m", **{"manifest.json": "[]", "deep__manifest.json": "[]"}), "r")
    assert store.versions("a") == {"p": stored.digest}


def test_an_asset_whose_name_begins_with_anothers_is_its_own(store):
    store.put("a", "p", [1], "r")
    store.put("ab", "q", [2], "r")
    assert set(store.versions("a")) == {"p"}


def test_what_is_not_there_is_told_with_what_to_do(store):
    with pytest.raises(NotStored, match=r"asset 'a' has no data yet in .*store: materialize it first"):
        store.get("a")
    with pytest.raises(NotStored, match="asset 'a', partition 'p q', has no data"):
        store.get("a", "p q")
    with pytest.raises(NotStored, match="nothing is stored at"):
        store.blobs.read("a/none")


def test_a_folder_in_remote_blobs_is_downloaded_once(store, tmp_path):
    """Anything but local files counts as remote: the folder is copied to this machine, whole or not at all."""
    remote = FileStore(Breaking(store.blobs, fail_at=-1), tmp_path / "downloads")
    remote.put("a", "p", _folder(tmp_path / "m", one="1", deep__two="2"), "r")
    found = remote.get("a", "p")
    assert tmp_path / "downloads" in found.parents
    assert (found / "deep" / "two").read_text() == "2"
    (found / "one").write_text("touched")
    assert (remote.get("a", "p") / "one").read_text() == "touched"


def test_a_folder_that_two_processes_download_at_once_is_there_for_both(store, tmp_path):
    """The other one is done between our look and our rename."""
    stored = store.put("adapter", "mixed", _folder(tmp_path / "new", a="1"), "r")
    target = tmp_path / "downloads" / "adapter" / "mixed" / stored.digest

    class Meanwhile(Breaking):
        def read(self, name: str) -> bytes:
            if name.endswith("files/a"):
                _folder(target, a="1")
            return super().read(name)

    remote = FileStore(Meanwhile(store.blobs, fail_at=-1), tmp_path / "downloads")
    assert (remote.get("adapter", "mixed") / "a").read_text() == "1"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("value", [pd.DataFrame({"x": [1]}), {"a": 1}, "folder"], ids=["table", "json", "folder"])
@pytest.mark.parametrize("damage", ["deleted", "cut short"])
def test_data_that_are_gone_or_cut_short_are_not_whole_and_told_with_what_to_do(store, tmp_path, value, damage):
    if isinstance(value, str):
        value = _folder(tmp_path / "made", a="text", b__c="more")
    stored = store.put("a", "p", value, "r")
    assert store.is_whole("a", "p", stored)
    files = sorted(path for path in Path(store.blobs.root, "a", "p", stored.digest).rglob("*") if path.is_file())
    files[-1].write_bytes(files[-1].read_bytes()[:-2]) if damage == "cut short" else files[-1].unlink()
    assert not store.is_whole("a", "p", store.find("a", "p"))
    if stored.kind != "folder":
        with pytest.raises(Damaged, match=r"asset 'a', partition 'p', .* are gone or damaged .* materialize it again"):
            store.get("a", "p")
    for path in files[:-1] + files[-1:] * (damage == "cut short"):
        path.unlink()
    with pytest.raises(Damaged, match="gone or damaged"):
        store.get("a", "p")


@pytest.mark.parametrize("content", ["", '{"digest": "0', "[]", "{}"])
def test_a_damaged_manifest_is_told_and_hides_no_other_partition(store, content):
    kept = store.put("a", "kept", {}, "r")
    store.put("a", "hurt", {"x": 1}, "r")
    manifest = Path(store.blobs.root, "a", "hurt", "manifest.json")
    manifest.write_text(content)
    with pytest.raises(Damaged, match="materialize a again"):
        store.get("a", "hurt")
    with pytest.warns(UserWarning, match="damaged"):
        assert store.versions("a") == {"kept": kept.digest}
    store.put("a", "hurt", {"x": 1}, "r")
    assert store.get("a", "hurt") == {"x": 1}


def test_of_an_older_manifest_without_sizes_it_is_told_whether_anything_is_there(store):
    stored = replace(store.put("a", None, {"x": 1}, "r"), files={})
    assert store.is_whole("a", None, stored)
    Path(stored.location).unlink()
    assert not store.is_whole("a", None, stored)


def test_a_store_that_was_moved_tells_where_its_data_lie_now(store, tmp_path):
    store.put("a", "p", {"x": 1}, "r")
    Path(store.blobs.root).rename(tmp_path / "moved")
    stored = FileStore(LocalBlobs(str(tmp_path / "moved")), tmp_path).find("a", "p")
    assert json.loads(Path(stored.location).read_text()) == {"x": 1}
