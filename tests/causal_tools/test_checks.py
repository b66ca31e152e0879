"""What is done beside an estimate to test it: groups, forest, refutations, sensitivity; none of it changes the answer."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.dummy import DummyClassifier, DummyRegressor

from causal_tools import CausalQuery, answer
from causal_tools.forest import said_of_forest
from causal_tools.learners import Recipe
from causal_tools.nuisance import Choice
from causal_tools.robustness import refutations, said_of_refutations

from . import asking
from .asking import where
from .simulators import confounded_amount, confounded_binary, logistic, mediated, three_actions

ask = partial(asking.ask, checks=True)
# of a standard normal: the mean of each third
THIRDS = 3 * stats.norm.pdf(stats.norm.ppf(1 / 3)) * np.array([-1, 0, 1])


@pytest.fixture(scope="module")
def checked():
    return ask(confounded_binary(3000, 21), "ATE")


def test_without_the_checks_the_answer_is_the_same_and_they_are_not_there(checked):
    query = CausalQuery(task="ATE", treatment="t", response="y")
    plain = answer(query, confounded_binary(3000, 21), checks=False)
    assert (plain.estimate, plain.interval, plain.method) == (checked.estimate, checked.interval, checked.method)
    beside = {"effects_by_group", "causal_forest", "refutations", "robustness_value"}
    assert beside <= checked.diagnostics.keys()
    assert not beside & plain.diagnostics.keys()


def test_effects_in_thirds_of_a_modifier_are_recovered_with_their_intervals(checked):
    first = checked.diagnostics["effects_by_group"][0]
    assert first["covariate"] == "x" and first["p_value"] < 1e-6
    for group, truth in zip(first["groups"], 1 + 2 * THIRDS, strict=True):
        low, high = group["interval"]
        assert abs(group["estimate"] - truth) < 3.5 * (high - low) / 3.92
        assert group["rows"] == pytest.approx(1000, abs=20)
    assert any("differs with x (" in line for line in checked.warnings)


def test_groups_of_a_category_are_its_levels(checked):
    found = next(row for row in checked.diagnostics["effects_by_group"] if row["covariate"] == "region")
    assert [row["group"] for row in found["groups"]] == ["region = north", "region = south"]
    assert sum(row["rows"] for row in found["groups"]) == checked.n_rows
    assert found["p_value"] > 0.01


def test_no_difference_is_said_where_there_is_none():
    generator = np.random.default_rng(22)
    x, z = generator.normal(size=(2, 1500))
    t = generator.binomial(1, logistic(x))
    frame = pd.DataFrame({"t": t, "x": x, "z": z, "y": 2 * t + x + z + generator.normal(size=1500)})
    result = ask(frame, "ATE")
    assert all(row["p_value"] > 0.01 for row in result.diagnostics["effects_by_group"])
    assert not any("not the same for all" in line for line in result.warnings)


def test_the_forest_splits_on_the_modifier_and_agrees(checked):
    forest = checked.diagnostics["causal_forest"]
    assert forest["interval"][0] < 1 < forest["interval"][1]
    assert max(forest["splits_by_covariate"], key=forest["splits_by_covariate"].get) == "x"
    assert not any("causal forest" in line for line in checked.warnings)


def test_the_forest_is_asked_about_the_units_in_question():
    result = ask(confounded_binary(3000, 23), "HTE", conditions=where("x", 1.0))
    assert result.diagnostics["causal_forest"]["estimate"] == pytest.approx(3, abs=0.6)


def test_a_forest_that_disagrees_is_told():
    found = {"estimate": 5.0, "interval": [4.0, 6.0]}
    assert said_of_forest(found, 1.0, (0.5, 3.9))
    assert not said_of_forest(found, 3.0, (2.0, 4.1))


def test_the_effect_along_the_column_asked_about_follows_the_truth():
    result = ask(confounded_binary(3000, 24), "HTE", conditions=where("x", 0.5))
    curve = result.diagnostics["effect_curve"]
    held = [point["interval"][0] - 0.2 < 1 + 2 * point["at"] < point["interval"][1] + 0.2 for point in curve]
    assert all(held) and len(curve) == 25
    assert min(point["at"] for point in curve) < -1.5 and max(point["at"] for point in curve) > 1.5


def test_every_check_of_a_sound_analysis_passes(checked):
    rows = checked.diagnostics["refutations"]
    assert len(rows) == 4 and all(row["passed"] for row in rows)
    shuffled = rows[0]
    assert shuffled["must_be"] == 0 and abs(shuffled["estimate"]) < 0.3


def test_an_estimator_with_both_models_wrong_is_refuted():
    """Everyone is given a chance of 0.9 where it is 0.5, and a response of 0 where it is about 10: neither helps."""
    generator = np.random.default_rng(25)
    x = generator.normal(size=(600, 1))
    t, y = generator.integers(0, 2, 600), 10 + generator.normal(size=600)

    class Surer(DummyClassifier):
        def predict_proba(self, X):
            return np.tile([0.1, 0.9], (len(X), 1))

    recipe = Recipe(True, Choice(DummyRegressor(strategy="constant", constant=0.0), "", {}), Choice(Surer(), "", {}), 0)
    rows = refutations(recipe, y, t, x, 1, 0)
    assert not rows[0]["passed"] and not rows[1]["passed"]
    said = said_of_refutations(rows)
    assert "treatment shuffled" in said[0] and "should be 0" in said[0]


def test_few_rows_are_not_checked():
    assert "refutations" not in ask(confounded_binary(150, 26), "ATE").diagnostics


def test_an_effect_that_is_not_significant_has_no_robustness():
    generator = np.random.default_rng(27)
    t, x = generator.integers(0, 2, 800), generator.normal(size=800)
    frame = pd.DataFrame({"t": t, "x": x, "y": x + generator.normal(size=800)})
    result = ask(frame, "ATE")
    assert result.interval[0] < 0 < result.interval[1]
    assert result.diagnostics["robustness_value"] == 0
    assert 0.1 < ask(confounded_amount(800, 4), "ATE", "dose").diagnostics["robustness_value"] < 1


def test_the_error_correlation_that_undoes_mediation_follows_from_the_equations():
    """M = 1.5t + e, Y = 0.5M + f with unit errors: without M, Y's error is 0.5e + f, and its correlation with e 0.5/√1.25."""
    result = ask(mediated(4000, 28, interaction=0.0), "MA", mediator="m")
    found = result.diagnostics["error_correlation_without_indirect_effect"]
    assert found == pytest.approx(0.5 / 1.25**0.5, abs=0.04)


def test_a_policy_tree_tells_its_rules_and_both_policies_their_values():
    result = ask(three_actions(3000, 29), "OPO", "act", "reward", conditions=where("u", 2.0))
    tree, forest = result.diagnostics["tree_policy"], result.diagnostics["forest_policy"]
    # the best rule is walk above 1, run below -1, wait between: 1 + 2·(φ(1) - (1 - Φ(1)))
    best = 1 + 2 * (stats.norm.pdf(1) - stats.norm.sf(1))
    for found in (tree, forest):
        low, high = found["interval"]
        assert low - 0.05 < best < high + 0.12
        assert sum(found["shares"].values()) == pytest.approx(1)
    assert any(rule.startswith("u > ") and rule.endswith(": walk") for rule in tree["rules"])
    assert any(rule.startswith("u <= ") and rule.endswith(": run") for rule in tree["rules"])
    assert all(rule.count("u <=") <= 1 and rule.count("u >") <= 1 for rule in tree["rules"])


def test_what_stands_beside_a_contrast_of_amounts_is_of_that_contrast() -> None:
    """1.5 a unit, moved from 1 down to −1: −3 in the answer, in each group, and in each part of the rows."""
    result = ask(confounded_amount(1500, 30), "ATE", "dose", contrast=(1, -1))
    assert result.estimate == pytest.approx(-3, abs=0.2)
    for row in result.diagnostics["effects_by_group"]:
        assert all(group["interval"][0] < group["estimate"] < group["interval"][1] for group in row["groups"])
        assert all(group["estimate"] == pytest.approx(-3, abs=0.4) for group in row["groups"])
    assert [row["must_be"] for row in result.diagnostics["refutations"]][2:] == pytest.approx([-3, -3], abs=0.25)
    assert all(row["passed"] for row in result.diagnostics["refutations"])
