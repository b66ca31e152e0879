"""Promotion: equal models stay where they are, a real gain passes, a loss as large as a margin holds it back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.stats import binom

from validation.gates import (
    Margin,
    Margins,
    chance_of_gain,
    compare_paired,
    mcnemar,
    read_margins,
    regression_gate,
)

TASKS = ("ATE", "CGL", "HTE", "MA", "OPO")
ONLY_BETTER = Margins(margins={})


def _items(
    seed: int, gain: float = 0.0, items: int = 150, topics: int = 12, losses: dict[str, float] | None = None
) -> pd.DataFrame:
    """Two systems on the same questions; topics differ in difficulty, as ours do. ``gain`` and ``losses`` are planted."""
    random = np.random.default_rng(seed)
    topic = np.arange(items) // 5 % topics
    task = np.array(TASKS)[np.arange(items) % 5]
    chance = 1 / (1 + np.exp(-random.normal(0.5, 1, topics)))[topic]
    changed = chance + np.array([gain - (losses or {}).get(name, 0.0) for name in task])
    return pd.DataFrame(
        {
            "metric": "reading_exact",
            "id": [f"i{n}" for n in range(items)],
            "task": task,
            "topic": [f"topic {t}" for t in topic],
            "new": random.random(items) < np.clip(changed, 0, 1),
            "old": random.random(items) < chance,
        }
    )


def _table(task: list[str], topic: list[str], new: list[bool], old: list[bool], metric: str = "reading_exact"):
    ids = [str(n) for n in range(len(task))]
    return pd.DataFrame({"metric": metric, "id": ids, "task": task, "topic": topic, "new": new, "old": old})


def test_equal_models_are_promoted_no_more_often_than_the_level_says():
    """200 × 2.5 % = 5 expected; 13 or more has a probability of .2 %. Percentiles without a correction give about 9."""
    promoted = sum(regression_gate(_items(seed), "new", "old", ONLY_BETTER, seed).passed for seed in range(200))
    assert promoted <= 12


def test_a_planted_gain_is_found():
    found = sum(regression_gate(_items(seed, gain=0.25), "new", "old", ONLY_BETTER).passed for seed in range(40))
    assert found >= 36


def test_a_task_that_loses_five_points_holds_back_a_model_that_gains_elsewhere():
    """750 questions, 150 a task; +10 points in four tasks and −5 in one. Refused in at least 95 % (expected .95 of those that
    are better at all; below 36 of 40 has a probability under 5 %)."""
    margins = Margins(margins={"reading_exact": Margin(task=0.05)})
    held = [
        not regression_gate(
            _items(seed, gain=0.1, items=750, topics=30, losses={"MA": 0.15}), "new", "old", margins, seed
        ).passed
        for seed in range(40)
    ]
    assert sum(held) >= 36


def test_a_gain_in_every_task_passes_the_margins_of_every_task():
    margins = Margins(margins={"reading_exact": Margin(task=0.05)})
    passed = [
        regression_gate(_items(seed, gain=0.2, items=750, topics=30), "new", "old", margins, seed).passed
        for seed in range(20)
    ]
    assert sum(passed) >= 17


def test_identical_answers_are_no_gain_and_no_loss():
    items = _items(1).assign(new=lambda f: f["old"])
    result = regression_gate(items, "new", "old", Margins(margins={"reading_exact": Margin(all=0.0, task=0.01)}))
    assert not result.passed
    assert "not shown to be better" in result.text
    assert (result.table["difference"] == 0).all()
    assert not result.table["holds"].iloc[0]
    assert not result.table["holds"].iloc[1]  # a margin of nothing lets nothing be ruled out


def test_a_fall_that_is_not_ruled_out_is_told_with_its_metric_and_task():
    items = _table(
        ["ATE"] * 100 + ["MA"] * 20,
        [f"t{i % 10}" for i in range(120)],
        [True] * 100 + [False] * 2 + [True] * 18,
        [i % 3 == 0 for i in range(100)] + [True] * 20,  # gains in every topic
    )
    strict = Margins(margins={"reading_exact": Margin(task=0.05)})
    held = regression_gate(items, "new", "old", strict)
    assert not held.passed
    assert "reading_exact, task MA: a fall by more than 0.05 is not ruled out (difference -0.100" in held.text
    assert regression_gate(items, "new", "old", Margins(margins={"reading_exact": Margin(task=0.5)})).passed


def test_another_metric_that_falls_holds_promotion_back():
    better = _items(3, gain=0.3)
    worse = _items(4).assign(metric="answer_correct", new=False, old=True)
    margins = Margins(margins={"answer_correct": Margin(all=0.1)})
    assert regression_gate(better, "new", "old", ONLY_BETTER).passed
    both = pd.concat([better, worse], ignore_index=True)
    held = regression_gate(both, "new", "old", margins)
    assert not held.passed
    assert "answer_correct: a fall by more than 0.1" in held.text


def test_a_fall_of_what_was_not_measured_is_not_ruled_out():
    margins = Margins(margins={"answer_correct": Margin(all=0.1), "reading_soft": Margin(task=0.1)})
    result = regression_gate(_items(3, gain=0.3), "new", "old", margins)
    assert not result.passed
    assert "answer_correct: not measured, so no fall is ruled out" in result.text
    unmeasured = result.table[result.table["questions"] == 0]
    assert unmeasured["metric"].tolist() == ["answer_correct", "reading_soft"]
    assert not unmeasured["holds"].any()


def test_a_fall_in_a_task_that_the_challenger_was_not_tried_on_is_not_ruled_out():
    items = _items(3, gain=0.3, items=750, topics=30)
    untried = items.assign(new=items["new"].astype(object).where(items["task"] != "MA", None))
    margins = Margins(margins={"reading_exact": Margin(task=0.5)})
    assert regression_gate(items, "new", "old", margins).passed
    result = regression_gate(untried, "new", "old", margins)
    assert not result.passed
    assert "reading_exact, task MA: not measured, so no fall is ruled out" in result.text
    assert sorted(result.table["task"]) == ["ATE", "CGL", "HTE", "MA", "OPO", "all"]
    assert regression_gate(untried, "new", "old", Margins(margins={"reading_exact": Margin(all=0.5)})).passed


@pytest.mark.parametrize(("questions", "ruled_out"), [(65, False), (66, True)])
def test_how_little_identical_answers_rule_out_depends_on_their_number(questions, ruled_out):
    """No loss among n questions, at 3.5 %: .95^n ≤ .035 from n = 65.4 on rules out that one in twenty is lost."""
    items = _items(1, items=questions).assign(new=lambda f: f["old"])
    result = regression_gate(items, "new", "old", Margins(margins={"reading_exact": Margin(all=0.05)}))
    assert bool(result.table["holds"].iloc[1]) == ruled_out
    assert result.table["low"].iloc[1] == pytest.approx(-(1 - 0.035 ** (1 / questions)))


@pytest.mark.parametrize("topics", [3, *(pytest.param(more, marks=pytest.mark.slow) for more in (6, 8))])
def test_few_topics_promote_an_equal_model_no_more_often_than_the_level_says(topics):
    """400 × 2.5 % = 10 expected at most; 20 or more has a probability of .3 %. The bootstrap alone promotes 15 to 22."""
    promoted = sum(
        regression_gate(_items(seed, items=15 * topics, topics=topics), "new", "old", ONLY_BETTER, seed).passed
        for seed in range(400)
    )
    assert promoted < 20


def test_the_chance_of_a_gain_counts_sign_patterns():
    """Six topics, all better by one question: only one of 64 patterns of signs sums to as much. With one topic worse by one, the
    patterns with a sum of at least 4 are those with at most one minus: 7 of 64."""
    topics = list("abcdef")
    assert chance_of_gain([True] * 6, [False] * 6, topics) == pytest.approx(1 / 64)
    assert chance_of_gain([True] * 5 + [False], [False] * 5 + [True], topics) == pytest.approx(7 / 64)
    assert chance_of_gain([True] * 6, [True] * 6, topics) == 1.0


def test_other_systems_are_shown_and_have_no_say():
    items = _items(3, gain=0.3).assign(gpt=True, absent=np.nan)
    result = regression_gate(items, "new", "old", ONLY_BETTER)
    assert result.passed
    shown = result.table[result.table["rule"] == "shown"]
    assert shown["against"].tolist() == ["gpt"]
    assert shown["difference"].iloc[0] < 0


def test_a_primary_metric_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'reading_exact' was not measured"):
        regression_gate(_items(1).assign(metric="other"), "new", "old", ONLY_BETTER)


def test_the_table_counts_each_task_and_all():
    items = _table(["b", "a", "a"], list("xyz"), [True, True, False], [False, False, False])
    table = regression_gate(items, "new", "old", Margins(margins={"reading_exact": Margin(task=1.0)})).table
    assert table["task"].tolist() == ["all", "a", "b"]
    assert table["questions"].tolist() == [3, 2, 1]
    assert table["difference"].tolist() == pytest.approx([2 / 3, 1 / 2, 1])


def test_one_topic_cannot_show_that_a_model_is_better():
    items = _table(["ATE"] * 30, ["only"] * 30, [True] * 30, [False] * 10 + [True] * 20)
    assert not regression_gate(items, "new", "old", ONLY_BETTER).passed
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


def test_mcnemar_is_the_binomial_law_of_the_pairs_that_differ():
    """Nine items won alone, two lost, ten alike: twice the chance of two or fewer of eleven at a half."""
    ours, theirs = [True] * 9 + [False] * 2 + [True] * 10, [False] * 9 + [True] * 2 + [True] * 10
    assert mcnemar(ours, theirs) == pytest.approx(2 * binom.cdf(2, 11, 0.5))
    assert mcnemar([True, False], [True, False]) == 1.0


@pytest.mark.parametrize(
    "fault", [{"level": 0}, {"level": 0.5}, {"loss_level": 1}, {"margins": {"m": {"all": -0.1}}}, {"colour": 1}]
)
def test_margins_that_make_no_sense_are_refused(fault):
    with pytest.raises(ValidationError):
        Margins(**fault)


def test_the_file_of_margins_is_read_and_its_faults_are_named(tmp_path):
    assert read_margins().primary in read_margins().margins
    broken = tmp_path / "margins.yaml"
    broken.write_text("level: 2\n")
    with pytest.raises(ValueError, match=r"margins.yaml: level"):
        read_margins(broken)
    broken.write_text("level: [\n")
    with pytest.raises(ValueError, match=r"margins.yaml is no YAML"):
        read_margins(broken)
    broken.write_bytes("# für uns\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"margins.yaml is no YAML"):
        read_margins(broken)
    broken.write_text("- reading_exact\n")
    with pytest.raises(ValueError, match=r"margins.yaml: the whole: "):
        read_margins(broken)
    broken.write_text("margins: {reading_exact: {}}\n")
    with pytest.raises(ValueError, match=r"margins.reading_exact: .*nothing would be ruled out"):
        read_margins(broken)
    with pytest.raises(ValueError, match="no file of margins"):
        read_margins(tmp_path / "none.yaml")


def test_topics_of_equal_difference_leave_chance_its_room():
    """Two of twenty items won, one in each of two topics: the bootstrap has no spread, yet a mean of .1 with a standard
    deviation of √(.09·20/19) = .3078 over 20 items is .1 ± t₁₉(.975)·.0688 = .1 ± 2.093·.0688."""
    won = [True, True, *[False] * 18]
    estimate, low, high = compare_paired(won, [False] * 20, ["a", "b"] * 10, level=0.025)
    assert (estimate, low, high) == pytest.approx((0.1, 0.1 - 0.1440, 0.1 + 0.1440), abs=1e-4)


@pytest.mark.parametrize(("items", "sure"), [(2, False), (12, True)])
def test_winning_every_item_is_sure_only_of_enough_items(items, sure):
    """Twelve wins in a row have a chance of .025 where a win has .025^(1/12) = .735, so at worst .735 won and .265 lost."""
    _, low, _ = compare_paired([True] * items, [False] * items, ["a", "b"] * (items // 2), level=0.025)
    assert binom.pmf(items, items, (low + 1) / 2) == pytest.approx(0.025)
    assert (low > 0) == sure
    _, _, high = compare_paired([False] * items, [True] * items, ["a", "b"] * (items // 2), level=0.025)
    assert high == pytest.approx(-low)
