"""Promotion: equal models stay where they are, a real gain passes, a fallen task holds it back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from validation.gates import Margins, compare_paired, regression_gate

TASKS = ("ATE", "CGL", "HTE", "MA", "OPO")


def _items(seed: int, gain: float = 0.0, items: int = 150, topics: int = 12) -> pd.DataFrame:
    """Two systems on the same questions; topics differ in difficulty, as ours do."""
    random = np.random.default_rng(seed)
    topic = np.arange(items) % topics
    chance = 1 / (1 + np.exp(-random.normal(0.5, 1, topics)))[topic]
    return pd.DataFrame(
        {
            "task": [TASKS[i % 5] for i in range(items)],
            "topic": [f"topic {t}" for t in topic],
            "new": random.random(items) < np.minimum(chance + gain, 1),
            "old": random.random(items) < chance,
        }
    )


def test_equal_models_are_promoted_no_more_often_than_the_level_says():
    """200 × 2.5 % = 5 expected; 13 or more has a probability of .2 %. Percentiles without a correction give about 9."""
    promoted = sum(
        regression_gate(_items(seed), "new", "old", Margins(task_loss=1.0), seed).passed for seed in range(200)
    )
    assert promoted <= 12


def test_a_planted_gain_is_found():
    found = sum(
        regression_gate(_items(seed, gain=0.25), "new", "old", Margins(task_loss=1.0)).passed for seed in range(40)
    )
    assert found >= 36


def test_identical_answers_are_no_gain():
    items = _items(1).assign(new=lambda f: f["old"])
    result = regression_gate(items, "new", "old")
    assert not result.passed
    assert "not shown to be better" in result.text
    assert (result.table["difference"] == 0).all()


def test_a_fallen_task_holds_back_a_model_that_is_better_overall():
    items = pd.DataFrame(
        {
            "task": ["ATE"] * 100 + ["MA"] * 20,
            "topic": [f"t{i % 10}" for i in range(120)],
            "new": [True] * 100 + [False] * 2 + [True] * 18,
            "old": [i % 2 == 0 for i in range(100)] + [True] * 20,
        }
    )
    held = regression_gate(items, "new", "old")
    assert not held.passed
    assert "task MA fell by 0.100, more than 0.05" in held.text
    assert regression_gate(items, "new", "old", Margins(task_loss=0.1)).passed


def test_the_table_counts_each_task_and_all():
    items = pd.DataFrame(
        {"task": ["b", "a", "a"], "topic": list("xyz"), "new": [True, True, False], "old": [False, False, False]}
    )
    table = regression_gate(items, "new", "old").table
    assert table["task"].tolist() == ["all", "a", "b"]
    assert table["questions"].tolist() == [3, 2, 1]
    assert table["difference"].tolist() == pytest.approx([2 / 3, 1 / 2, 1])


def test_one_topic_cannot_show_that_a_model_is_better():
    items = pd.DataFrame({"task": "ATE", "topic": "only", "new": [True] * 30, "old": [False] * 10 + [True] * 20})
    assert not regression_gate(items, "new", "old").passed
    assert compare_paired([True], [False], ["only"], level=0.025) == (1.0, -1.0, 1.0)


def test_the_interval_covers_the_true_difference():
    """True difference 0; 95 % two-sided intervals on 12 topics. Of 200, below 180 has a probability under .1 %."""
    covered = 0
    for seed in range(200):
        items = _items(seed + 1000)
        _, low, high = compare_paired(items["new"], items["old"], items["topic"], level=0.025, seed=seed)
        covered += low <= 0 <= high
    assert covered >= 180


def test_the_estimate_is_the_difference_of_shares_and_lies_within():
    estimate, low, high = compare_paired(
        [True, True, False, True], [False, True, True, False], ["a", "a", "b", "c"], level=0.05
    )
    assert estimate == pytest.approx(3 / 4 - 2 / 4)
    assert low <= estimate <= high


def test_whole_topics_are_resampled():
    """Ten items that agree within each of two topics hold no more than two observations."""
    clustered = compare_paired([True] * 5 + [False] * 5, [False] * 10, ["a"] * 5 + ["b"] * 5, level=0.1)
    separate = compare_paired([True] * 5 + [False] * 5, [False] * 10, [str(i) for i in range(10)], level=0.1)
    assert clustered[2] - clustered[1] > 2 * (separate[2] - separate[1])


@pytest.mark.parametrize("fault", [{"level": 0}, {"level": 0.5}, {"task_loss": -0.1}, {"colour": 1}])
def test_margins_that_make_no_sense_are_refused(fault):
    with pytest.raises(ValidationError):
        Margins(**fault)
