"""The second reader as an asset: tuned on the corpus where the profile says so, and inside the adapter that it goes with."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import mlflow
import pytest

from assets.profile import Profile, read_profile
from assets.storage import FileStore, LocalBlobs
from assets.training import second_reader
from causal_tools.reading_search import Asked, find_readings
from causal_tools.reading_weights import SIGNS, Weights
from lm import load_language_model
from lm.pointer import SECOND, SHIPPED_SECOND, WEIGHTS
from orchestration.settings import PROFILES
from orchestration.storage import StoredFiles
from training.corpora import retrieval_corpus as corpus_of
from training.recipe import SecondReaderRecipe
from training.tracking import Tracking
from training.written import FOLDER, read_written

SMALL = SecondReaderRecipe(
    repeats=1, batch_tokens=512, most_steps=2, learning_rate=1e-3, warmup_steps=1, rank=4, cuts=1
)
QUESTION = Asked("Does exercise lower blood pressure?", ("exercise_h", "sys_bp", "age"), levels={})


def _store(place: Path) -> FileStore:
    return FileStore(LocalBlobs(str(place / "store")), place / "downloads")


def _tracking(place: Path) -> Tracking:
    return Tracking(f"sqlite:///{place}/mlflow.db", (place / "artifacts").as_uri())


def _materialize(recipe: SecondReaderRecipe | None, store: FileStore, tracking: Tracking) -> dg.ExecuteInProcessResult:
    tiny = read_profile(PROFILES / "tiny.yaml")
    profile = tiny.model_copy(update={"training": tiny.training.model_copy(update={"second_reader": recipe})})
    items = read_written(sorted(FOLDER.glob("*.yaml"))[0])
    store.put("retrieval_corpus", None, corpus_of([], [], written=items), "given")
    done = dg.materialize(
        [dg.AssetSpec("retrieval_corpus"), second_reader], resources=_resources(profile, store, tracking)
    )
    assert done.success
    return done


def _resources(profile: Profile, store: FileStore, tracking: Tracking) -> dict[str, object]:
    return {"profile": profile, "files": store, "tracking": tracking, "io_manager": StoredFiles(store)}


def _told(done: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = done.get_asset_materialization_events()
    return {name: held.value for name, held in event.materialization.metadata.items()}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Where the first test tunes a reader, and the next finds it."""
    return tmp_path_factory.mktemp("tuned")


def test_it_is_tuned_on_the_corpus_told_in_mlflow_and_reused(place):
    store, tracking = _store(place), _tracking(place)
    told = _told(_materialize(SMALL, store, tracking))
    assert (told["tuned"], told["steps"], told["reused"]) == (True, 2, False)
    assert 0 <= told["development_columns_right"] <= told["development_task_right"] <= 1
    run = mlflow.MlflowClient(tracking.uri).get_run(told["mlflow_run"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["development_columns_right"] == told["development_columns_right"]
    assert run.data.tags["retrieval_corpus"] == told["retrieval_corpus"]
    made = store.get("second_reader")
    assert (made / WEIGHTS).read_bytes() != (SHIPPED_SECOND / WEIGHTS).read_bytes()
    assert _told(_materialize(SMALL, store, tracking))["reused"]


def test_without_a_recipe_it_is_the_one_that_ships(tmp_path):
    store = _store(tmp_path)
    assert not _told(_materialize(None, store, _tracking(tmp_path)))["tuned"]
    assert (store.get("second_reader") / WEIGHTS).read_bytes() == (SHIPPED_SECOND / WEIGHTS).read_bytes()


def test_a_model_reads_with_the_second_reader_inside_its_adapter(tmp_path, place):
    store = _store(place)
    _materialize(SMALL, store, _tracking(place))
    shutil.copytree(store.get("second_reader"), tmp_path / "adapter" / SECOND)
    model = load_language_model("tiny")

    def against_tasks(adapter: Path | None) -> dict[str, float]:
        model.adapter = adapter
        (found,) = find_readings(model, [QUESTION], Weights(model=1.0, second_task=1.0))
        return {draft.task: dict(zip(SIGNS, draft.signs, strict=True))["second_task"] for draft in found}

    shipped, own = against_tasks(None), against_tasks(tmp_path / "adapter")
    assert against_tasks(tmp_path) == shipped  # an adapter without one
    assert own != shipped
