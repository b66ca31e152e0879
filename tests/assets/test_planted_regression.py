"""A worse version, really worse: the shipped adapter and its readers with two thirds of their layers silenced, on questions that
both really read. (With whole readers beside it, a damaged adapter alone costs the readings too little to be told from chance.)"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file, save_file

from lm import load_language_model
from lm.bundled import BUNDLED
from lm.pointer import SHIPPED_SECOND, SHIPPED_THIRD, WEIGHTS
from lm.registry import SHIPPED
from training.evaluation import readings_of
from training.queries import make_queries
from training.scoreboard import outcomes_of
from training.test_sets import unseen_topics
from training.topic_library import load_topics
from validation.gates import regression_gate

TASKS = ("ATE", "CGL", "HTE", "MA", "OPO")


def _damaged(folder: Path) -> Path:
    """Of the sentence encoder's six layers four, of the language model's thirty twenty are as they were before tuning."""
    shutil.copytree(SHIPPED, folder)
    for reader in (SHIPPED_SECOND, SHIPPED_THIRD):
        shutil.copytree(reader, folder / reader.name)
        _silence(folder / reader.name / WEIGHTS)
    _silence(folder / "adapter_model.safetensors")
    return folder


def _silence(path: Path) -> None:
    weights = load_file(path)
    for name, weight in weights.items():
        if (layer := re.search(r"\.layers?\.(\d+)\.", name)) and int(layer.group(1)) % 3:
            weight.zero_()
    save_file(weights, path, metadata={"format": "pt"})


@pytest.mark.slow
def test_a_damaged_version_is_refused_and_the_whole_one_is_better_beyond_chance(tmp_path):
    topics = [topic for topic in load_topics() if topic.name not in unseen_topics()]
    items = [item for task in TASKS for item in make_queries(task, 12, 77, topics, "held_out")]
    facts = {name: [getattr(item, name) for item in items] for name in ("id", "task", "topic", "question")}
    read = {
        name: readings_of(load_language_model(BUNDLED, adapter=adapter), items)
        for name, adapter in (("whole", SHIPPED), ("damaged", _damaged(tmp_path / "damaged")))
    }
    texts = {name: [json.dumps(reading) for reading in readings] for name, readings in read.items()}
    frame = pd.DataFrame({**facts, "query": [json.dumps(item.query) for item in items], **texts})
    none = pd.DataFrame(columns=["id", "task", "topic", "system"])
    outcomes = outcomes_of(frame, none, none)
    refused = regression_gate(outcomes, "damaged", "whole")
    assert not refused.passed
    assert "not shown to be better" in refused.text and "is not ruled out" in refused.text
    better = regression_gate(outcomes, "whole", "damaged").table.iloc[0]
    assert better["holds"] and better["difference"] > 0.2
