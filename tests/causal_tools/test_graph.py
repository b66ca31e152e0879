"""Learned graphs against the graphs that made the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from causal_tools.contract import CausalQuery
from causal_tools.engine import answer
from causal_tools.errors import EstimationRefused
from causal_tools.independence import NodeTable, covariance_measure
from causal_tools.lingam import lingam_weights

from .simulators import gaussian_collider, logistic, uniform_noise_graph

CGL = CausalQuery(task="CGL")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_linear_non_gaussian_graph_is_recovered_with_its_weights(seed: int) -> None:
    frame, truth = uniform_noise_graph(3000, seed)
    result = answer(CGL, frame)
    assert "LiNGAM" in result.method
    assert {(edge.source, edge.target) for edge in result.edges} == set(truth)
    assert all(edge.weight == pytest.approx(truth[edge.source, edge.target], abs=0.1) for edge in result.edges)
    assert result.estimate == len(truth)


def test_a_wrong_order_of_one_algorithm_is_noticed_and_the_other_named() -> None:
    """With this seed DirectLiNGAM's order is wrong, which its dependent noise gives away."""
    frame, truth = uniform_noise_graph(3000, 1)
    ordered = frame[sorted(frame.columns)].to_numpy()
    wrong = lingam_weights("DirectLiNGAM", ordered, 0)
    names = sorted(frame.columns)
    assert {(names[parent], names[child]) for child, parent in zip(*np.nonzero(wrong), strict=True)} != set(truth)
    assert "ICA-LiNGAM" in answer(CGL, frame).method


def test_gaussian_data_give_arrows_only_where_they_are_identified() -> None:
    result = answer(CGL, gaussian_collider(3000, 4))
    assert "PC" in result.method and "Fisher-z" in result.method
    assert sorted(map(str, result.edges)) == ["a --> c", "b --- d", "b --> c"]
    weights = {str(edge): edge.weight for edge in result.edges}
    assert weights["a --> c"] == pytest.approx(1, abs=0.06)
    assert weights["b --> c"] == pytest.approx(-1.3, abs=0.06)
    assert weights["b --- d"] is None
    assert any("which way" in line for line in result.warnings)


def test_the_order_of_columns_does_not_change_the_graph() -> None:
    frame = gaussian_collider(1000, 5)
    graphs = [answer(CGL, frame[list(order)]).edges for order in ("abcd", "dcba", "cadb")]
    assert graphs[0] == graphs[1] == graphs[2]


def test_categories_are_tested_with_g_squared() -> None:
    generator = np.random.default_rng(6)
    a, b = generator.integers(0, 2, size=(2, 3000))
    c = generator.binomial(1, np.array([0.1, 0.5, 0.9])[a + b])
    frame = pd.DataFrame({"a": np.where(a, "hi", "lo"), "b": b.astype(bool), "c": c})
    result = answer(CGL, frame)
    assert sorted(map(str, result.edges)) == ["a --> c", "b --> c"]
    assert "G-squared" in result.method


def test_numbers_and_categories_together() -> None:
    generator = np.random.default_rng(7)
    g = generator.integers(0, 3, 3000)
    x = generator.normal(size=3000)
    y = np.array([0.0, 1.0, -1.0])[g] + x + generator.normal(size=3000)
    frame = pd.DataFrame({"g": np.array(["a", "b", "c"])[g], "x": x, "y": y})
    result = answer(CGL, frame)
    assert sorted(map(str, result.edges)) == ["g --> y", "x --> y"]
    assert "generalised covariance measure" in result.method
    assert all(edge.weight is None for edge in result.edges)


def test_the_mixed_test_rejects_at_its_level_under_independence_and_always_under_dependence() -> None:
    """Out of 200 tests at 5 %, more than 19 rejections happen with a probability of 0.2 %."""
    generator = np.random.default_rng(8)
    rejected = 0
    for _ in range(200):
        s = generator.normal(size=400)
        group = generator.binomial(1, logistic(2 * s)).astype(float)
        table = NodeTable(
            ["x", "g", "s"], np.column_stack([s**2 + generator.normal(size=400), group, s]), [False, True, False]
        )
        rejected += covariance_measure(table, 0, 1, [2]) < 0.05
    assert rejected <= 19
    dependent = NodeTable(["x", "g"], np.column_stack([group + generator.normal(size=400), group]), [False, True])
    assert covariance_measure(dependent, 0, 1, []) < 1e-6


def test_unusable_columns_are_set_aside_and_refused_when_named() -> None:
    frame = gaussian_collider(500, 9).assign(id=range(500), same=1)
    frame["sum"] = frame["a"] + frame["b"]
    result = answer(CGL, frame)
    assert {"id", "same"} <= {word.strip(" ;()") for line in result.warnings for word in line.split()}
    with pytest.raises(EstimationRefused, match="'same' cannot be a node: constant"):
        answer(CausalQuery(task="CGL", nodes=("a", "same")), frame)
    with pytest.raises(EstimationRefused, match="follow exactly from the others"):
        answer(CausalQuery(task="CGL", nodes=("a", "b", "sum")), frame)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(EstimationRefused, match="too few to learn a graph"):
        answer(CGL, gaussian_collider(20, 10))


def test_independent_columns_give_no_edges() -> None:
    noise = np.random.default_rng(11).normal(size=(2000, 3))
    result = answer(CGL, pd.DataFrame(noise, columns=["a", "b", "c"]))
    assert result.edges == []
    assert result.summary.endswith("no causal edge was found (0 edges).")
