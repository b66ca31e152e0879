"""What is promoted is what was evaluated, however runs cross or break off."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from assets.contenders import COMPARED_WITH, EVALUATED, challenger_of, incumbent_of
from assets.promotion import promoted_assistant
from assets.storage import FileStore, LocalBlobs
from lm.registry import ASSISTANT_MODEL, CHAMPION
from orchestration.storage import StoredFiles
from training.tracking import ADAPTER_TAG, OVER_TAG, Tracking, Version


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStore:
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path / "home"))  # where promotions wait for each other
    return FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path / "downloads")


def _adapter(store: FileStore, folder: Path, content: str) -> str:
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_text(content)
    return store.put("assistant_adapter", "mixed", folder, "r").digest


def test_an_adapter_that_was_tuned_and_not_registered_is_not_evaluated_in_the_others_name(store, tmp_path):
    """Retraining broke off between tuning and registration; the night's evaluation comes all the same."""
    old = _adapter(store, tmp_path / "old", "old")
    assert challenger_of(store, {"version": "1", "adapter_digest": old}).joinpath("adapter_model.safetensors").exists()
    new = _adapter(store, tmp_path / "new", "new")
    with pytest.raises(dg.Failure, match=f"{new} is not registered: version 1 holds {old}"):
        challenger_of(store, {"version": "1", "adapter_digest": old})


@pytest.mark.parametrize("evaluated", ["d1", "d2"])
def test_a_version_registered_since_the_evaluation_is_not_promoted_for_it(evaluated, store, tmp_path):
    tracking = Tracking(f"sqlite:///{tmp_path / 'mlflow.db'}", str(tmp_path))
    client = tracking.client()
    client.create_registered_model(ASSISTANT_MODEL)
    for digest in ("d1", "d2"):
        client.create_model_version(ASSISTANT_MODEL, str(tmp_path), tags={ADAPTER_TAG: digest})
    registered = {"name": ASSISTANT_MODEL, "version": "2", "adapter_digest": "d2"}
    report = {"passed": True, "text": "better", COMPARED_WITH: "", EVALUATED: evaluated}
    store.put("registered_assistant", None, registered, "r")
    store.put("regression_report", None, report, "r")
    done = dg.materialize(
        [*map(dg.AssetSpec, ("registered_assistant", "regression_report")), promoted_assistant],
        resources={"files": store, "tracking": tracking, "io_manager": StoredFiles(store)},
        raise_on_error=False,
    )
    champion = tracking.version_at(CHAMPION)
    assert done.success == (evaluated == "d2")
    assert (champion.version if champion else None) == ("2" if evaluated == "d2" else None)


@pytest.mark.parametrize(("there", "incumbent"), [("12", "1"), ("2", None)])
def test_where_the_replaced_version_was_deleted_the_shipped_adapter_is_to_beat(there, incumbent, monkeypatch):
    """The challenger is champion already, and no new one has come; a version that is gone would end every evaluation."""
    known = [Version(ASSISTANT_MODEL, one, "run", {OVER_TAG: "1"} if one == "2" else {}) for one in there]
    monkeypatch.setattr(Tracking, "versions", lambda *_: known)
    monkeypatch.setattr(Tracking, "version_at", lambda *_: known[-1])
    found = incumbent_of(Tracking("", ""), {"version": "2"})
    assert (found.version if found else None) == incumbent
