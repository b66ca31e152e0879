"""The hosted model's answers as an asset: asked again where the profile asks for more."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from assets.baseline import gpt4_baseline
from assets.profile import read_profile
from assets.recordings import StoredRecordings
from assets.storage import FileStore, LocalBlobs
from causal_tools.contract import CausalQuery, EffectResult
from orchestration.settings import PROFILES
from orchestration.storage import StoredFiles
from training.baseline_api import EXPLANATION
from training.corpora import items_frame


def test_a_recording_that_was_cut_short_is_asked_for_again(tmp_path: Path):
    recordings = StoredRecordings(LocalBlobs(str(tmp_path)))
    recordings.keep("key", {"reply": 1})
    (path,) = tmp_path.rglob("key*")
    path.write_text(path.read_text()[:5])
    with pytest.warns(UserWarning, match="is damaged and not used"):
        assert recordings.find("key") is None
    recordings.keep("key", {"reply": 2})
    assert recordings.find("key") == {"reply": 2}


def test_a_profile_with_more_explanations_has_the_hosted_model_asked_for_more(tmp_path: Path, monkeypatch):
    """The results that are explained may be the same, where more of them are answered than explained."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    query = CausalQuery(task="ATE", treatment="drug", response="pain")
    result = EffectResult(task="ATE", query=query, method="m", estimate=1.5, n_rows=9, contrast=(0, 1), summary="s")
    results = [{"id": f"{n}", "task": "ATE", "question": f"q{n}", "result": result.model_dump_json()} for n in range(3)]
    store = FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path)
    store.put("retrieval_corpus", None, items_frame([]).assign(split=pd.Series(dtype=str)), "given")
    store.put("held_out_results", None, pd.DataFrame(results), "given")
    tiny = read_profile(PROFILES / "tiny.yaml")
    asked = []
    for wanted in (1, 2, 2):
        sizes = tiny.evaluation.model_copy(update={"answers_per_task": 3, "explanations_per_task": wanted})
        done = dg.materialize(
            [*map(dg.AssetSpec, ("retrieval_corpus", "held_out_results")), gpt4_baseline],
            resources={
                "profile": tiny.model_copy(update={"evaluation": sizes}),
                "files": store,
                "recordings": StoredRecordings(store.blobs),
                "io_manager": StoredFiles(store),
            },
            instance=dg.DagsterInstance.local_temp(str(tmp_path)),
        )
        assert done.success
        (event,) = done.get_asset_materialization_events()
        made = store.get("gpt4_baseline")
        assert isinstance(made, pd.DataFrame)
        asked.append((int((made["kind"] == EXPLANATION).sum()), event.materialization.metadata["reused"].value))
    assert asked == [(1, False), (2, False), (2, True)]
