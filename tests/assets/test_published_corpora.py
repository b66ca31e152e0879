"""Corpora are published into the store, and into no other place."""

from __future__ import annotations

import tempfile
from pathlib import Path

import dagster as dg
import pandas as pd

from assets.corpora import published_corpora
from assets.profile import read_profile
from assets.storage import FileStore, LocalBlobs
from orchestration.settings import PROFILES
from orchestration.storage import StoredFiles


def test_nothing_is_left_outside_the_store(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    store = FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path / "downloads")
    corpus = pd.DataFrame({"question": ["Does a move b?"], "task": ["ATE"], "completion": ["effect"]})
    for name in ("retrieval_corpus", "interpretation_corpus"):
        store.put(name, None, corpus, "given")
    done = dg.materialize(
        [*map(dg.AssetSpec, ("retrieval_corpus", "interpretation_corpus")), published_corpora],
        resources={
            "profile": read_profile(PROFILES / "tiny.yaml"), "files": store, "io_manager": StoredFiles(store),
        },
        instance=dg.DagsterInstance.local_temp(str(tmp_path)),
    )  # fmt: skip
    assert done.success
    published = store.get("published_corpora")
    assert isinstance(published, Path) and (published / "retrieval" / "train.parquet").exists()
    assert [path.name for path in scratch.iterdir() if "corpora" in path.name] == []
