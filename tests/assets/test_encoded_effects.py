"""The audit as an asset: of the model that the profile describes."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from assets.audits import encoded_effects
from assets.models import LanguageModels
from assets.profile import read_profile
from assets.storage import FileStore, LocalBlobs
from lm import load_language_model
from orchestration.settings import PROFILES
from orchestration.storage import StoredFiles
from sdscm import SequenceSCM, load_scenario
from sdscm.audit import BASE


def test_the_model_as_it_is_has_the_rule_of_the_profile(tmp_path: Path):
    store = FileStore(LocalBlobs(str(tmp_path / "store")), tmp_path / "downloads")
    tiny = read_profile(PROFILES / "tiny.yaml")
    profile = tiny.model_copy(update={"sdscm": tiny.sdscm.model_copy(update={"rule": "pmi"})})
    partition = dg.MultiPartitionKey({"scenario": "toy_confounder", "lm": "tiny"})
    done = dg.materialize(
        [dg.AssetSpec("conditional_tables"), encoded_effects],
        partition_key=partition,
        resources={
            "profile": profile,
            "files": store,
            "models": LanguageModels(),
            "io_manager": StoredFiles(store),
        },
    )
    assert done.success
    effects = store.get("encoded_effects", partition)
    assert set(effects["variant"]) >= {BASE, "rule sum", "rule mean"}
    line = effects[effects["variant"] == BASE].iloc[0]
    scenario = load_scenario("toy_confounder", int(line["phrasing"]))
    scm = SequenceSCM(scenario, load_language_model("tiny"), "pmi", tiny.sdscm.temperature)
    treatment, outcome = scenario.only("treatment").name, scenario.only("outcome").name
    assert line["effect"] == pytest.approx(scm.exact().ate(treatment, outcome), abs=1e-6)
