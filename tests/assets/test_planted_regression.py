"""A worse adapter, really worse: the shipped one with two thirds of its layers silenced, on questions that both really read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file, save_file

from lm import load_language_model
from lm.bundled import BUNDLED
from lm.registry import SHIPPED
from training.evaluation import readings_of
from training.queries import make_queries
from training.scoreboard import outcomes_of
from training.test_sets import unseen_topics
from training.topic_library import load_topics
from validation.gates import regression_gate

TASKS = ("ATE", "CGL", "HTE", "MA", "OPO")


def _damaged(folder: Path) -> Path:
    shutil.copytree(SHIPPED, folder)
    weights = load_file(folder / "adapter_model.safetensors")
    for name, weight in weights.items():
        if any(f".layers.{layer}." in name for layer in range(30) if layer % 3):
            weight.zero_()
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.slow
def test_a_damaged_adapter_is_refused_and_the_whole_one_is_better_beyond_chance(tmp_path):
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
