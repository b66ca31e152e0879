"""What an answer's checks are told as, line by line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from causal_tools import CausalQuery, answer
from orchestration.readings import check_lines, examples, reading_line


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Those with large x are treated more often, and are worse off: the plain difference is about zero, the effect 1."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=600)
    t = (generator.normal(size=600) + x > 0).astype(int)
    return pd.DataFrame({"t": t, "x": x, "y": t - x + 0.5 * generator.normal(size=600)})


def test_an_effects_checks_are_told(frame: pd.DataFrame) -> None:
    result = answer(CausalQuery(task="ATE", treatment="t", response="y"), frame)
    plain, forest, refuted, hidden, value = check_lines(result)
    difference = frame["y"][frame["t"] == 1].mean() - frame["y"][frame["t"] == 0].mean()
    assert plain.startswith(f"without adjustment the difference is {difference:.4g} (95 % interval")
    assert "a causal forest finds" in forest and "it stood 4 of 4 attempts to refute it" in refuted
    robust = result.diagnostics["robustness_value"]
    assert f"explain {100 * robust:.0f} % of what is left" in hidden and value.startswith("the E-value is ")
    (moved,) = [warning for warning in result.warnings if "moved the effect" in warning]
    assert "adjusting for x moved the effect away from" in moved


def test_many_columns_that_moved_an_effect_are_counted(frame: pd.DataFrame) -> None:
    others = pd.DataFrame(
        np.random.default_rng(4).normal(size=(600, 40)), columns=[f"g{place:02d}" for place in range(40)]
    )
    query = CausalQuery(task="ATE", treatment="t", response="y")
    warnings = answer(query, pd.concat([frame, others], axis=1), checks=False).warnings
    (moved,) = [warning for warning in warnings if "moved the effect" in warning]
    assert "g01" in moved and " and 11 more moved the effect" in moved and "g39" not in moved


def test_a_failed_attempt_is_named(frame: pd.DataFrame) -> None:
    result = answer(CausalQuery(task="ATE", treatment="t", response="y", covariates=("x",)), frame)
    assert not [
        warning for warning in result.warnings if "moved the effect" in warning
    ]  # somebody chose what to adjust for
    tests = result.diagnostics["refutations"]
    tests[0]["passed"] = False
    groups = [{"covariate": "x", "p_value": 0.01, "groups": []}, {"covariate": "z", "p_value": 0.2, "groups": []}]
    lines = check_lines(result.model_copy(update={"diagnostics": {**result.diagnostics, "effects_by_group": groups}}))
    assert f"it stood 3 of 4 attempts to refute it; not: {tests[0]['check']}" in lines
    assert "the effect differs by x (p = 0.01)" in lines and not any("by z" in line for line in lines)


def test_without_checks_there_is_the_plain_comparison_alone(frame: pd.DataFrame) -> None:
    result = answer(CausalQuery(task="ATE", treatment="t", response="y"), frame, checks=False)
    assert [line.split(" is ")[0] for line in check_lines(result)] == [
        "without adjustment the difference",
        "the E-value",
    ]


def test_a_decision_says_which_mean_is_wanted() -> None:
    query = CausalQuery(task="OPO", treatment="t", response="y", lower_is_better=True)
    assert reading_line(query).endswith("response y, lowest mean wanted")
    assert reading_line(query.model_copy(update={"lower_is_better": False})).endswith("highest mean wanted")


def test_dates_are_shown_without_times_where_all_are_midnight() -> None:
    days = pd.Series(pd.to_datetime(["2023-12-11", None, "2024-01-02"]))
    assert examples(days) == "2023-12-11, 2024-01-02"
    assert examples(days + pd.Timedelta(hours=9)) == "2023-12-11 09:00:00, 2024-01-02 09:00:00"
