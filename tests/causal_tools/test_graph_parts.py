"""Equivalence classes, scores of ranks, orders by variances and resampling, each against an independent account."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from causal_tools.graph_linear import curvature_p_value, order_by_conditional_variance, weight_intervals
from causal_tools.graph_resampling import resampled
from causal_tools.graph_rows import NodeTable
from causal_tools.graph_scores import dependent_groups, pairwise_p_values
from causal_tools.graph_search import Marks, equivalence_class, marks_of_matrix, same_marks, skeleton

from . import graph_simulators

NAMES = ["a", "b", "c", "d", "e"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**10 - 1), st.permutations(NAMES))
def test_the_equivalence_class_is_that_of_enumeration(chosen: int, order: list[str]) -> None:
    pairs = [(order[i], order[j]) for i in range(5) for j in range(i + 1, 5)]
    arrows = [pair for bit, pair in enumerate(pairs) if chosen >> bit & 1]
    found = equivalence_class(dict.fromkeys(arrows, "-->"), NAMES)
    expected = {(a, b): mark for a, b, mark in graph_simulators.equivalence_class(arrows)}
    assert same_marks(found, expected)
    assert skeleton(found) == {frozenset(pair) for pair in arrows}


def test_every_pair_of_ends_has_its_mark() -> None:
    """causal-learn's matrix holds at [i, j] the mark at i: -1 a tail, 1 an arrowhead, 2 a circle."""
    ends = {"-->": (-1, 1), "---": (-1, -1), "<->": (1, 1), "o->": (2, 1), "o-o": (2, 2)}
    for mark, (first, second) in ends.items():
        matrix = np.array([[0, first], [second, 0]])
        assert marks_of_matrix(matrix, ["x", "y"]) == {("x", "y"): mark}
        turned = {("y", "x"): mark} if mark in ("-->", "o->") else {("x", "y"): mark}
        assert marks_of_matrix(matrix.T, ["x", "y"]) == turned


def test_of_two_categories_the_rank_test_is_pearsons_chi_square() -> None:
    generator = np.random.default_rng(1)
    a = generator.integers(0, 3, 400)
    b = (a + generator.integers(0, 4, 400)) % 4
    table = np.array([[np.sum((a == x) & (b == y)) for y in range(4)] for x in range(3)])
    found = pairwise_p_values(np.column_stack([a, b]), [True, True])[0, 1]
    assert found == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-6)


def test_groups_hang_together_through_dependent_pairs() -> None:
    p_values = np.ones((5, 5))
    for one, other in [(0, 3), (3, 4)]:
        p_values[one, other] = p_values[other, one] = 1e-9
    assert dependent_groups(p_values, 0.01) == [[0, 3, 4], [1], [2]]


def test_the_order_by_conditional_variances_is_that_of_the_equations() -> None:
    """x = e, y = x + e, z = 0.2 y + e, all of variance 1: z varies less than y (1.08 against 2), given x they have 1 and 1.04."""
    covariance = np.array([[1.0, 1.0, 0.2], [1.0, 2.0, 0.4], [0.2, 0.4, 1.08]])
    assert order_by_conditional_variance(covariance) == [0, 1, 2]
    assert order_by_conditional_variance(covariance[::-1, ::-1]) == [2, 1, 0]


def test_the_95_percent_interval_of_a_weight_covers_it_under_uneven_noise() -> None:
    """Out of 300, fewer than 270 or all of them cover with a probability below 0.1 %."""
    generator = np.random.default_rng(2)
    weights = np.array([[0.0, 0.0], [0.5, 0.0]])
    covered = 0
    for _ in range(300):
        x = generator.normal(size=300)
        matrix = np.column_stack([x, 0.5 * x + (0.5 + np.abs(x)) * generator.normal(size=300)])
        low, high = weight_intervals(matrix, weights)[0, 1]
        covered += low <= 0.5 <= high
    assert 270 <= covered < 300


def test_curves_and_products_are_seen_and_straight_lines_pass() -> None:
    generator = np.random.default_rng(3)
    x, y, e = generator.normal(size=(3, 1000))
    assert curvature_p_value(np.column_stack([x, y, x - 2 * y + e])) > 0.001
    assert curvature_p_value(np.column_stack([x, y, x**2 + e])) < 1e-6
    assert curvature_p_value(np.column_stack([x, y, x * y + e])) < 1e-6


TABLE = NodeTable(["a", "b"], np.random.default_rng(4).normal(size=(100, 2)), [False, False])


def test_frequencies_are_shares_of_the_resamples() -> None:
    calls = iter(range(100))

    def relearn(drawn: NodeTable) -> Marks:
        assert drawn.matrix.shape == (100, 2)
        return {("a", "b"): "-->"} if next(calls) < 5 else {("a", "b"): "---"}

    found, skipped = resampled(TABLE, relearn, 0.0, seed=0)
    assert found is not None and not skipped
    assert (found.resamples, found.rows) == (20, 100)
    assert found.same == {("a", "b", "-->"): 0.25, ("a", "b", "---"): 0.75}
    assert found.adjacent == {frozenset("ab"): 1.0}


@pytest.mark.parametrize(("width", "seconds", "said"), [(13, 0.0, "here are 13"), (2, 60.0, "take too long")])
def test_why_there_are_no_resamples_is_said(width: int, seconds: float, said: str) -> None:
    table = NodeTable([f"v{place}" for place in range(width)], np.zeros((100, width)), [False] * width)
    found, skipped = resampled(table, lambda drawn: {}, seconds, seed=0)
    assert found is None
    assert said in skipped


def test_resamples_in_which_a_column_is_constant_do_not_count() -> None:
    table = NodeTable(["a", "b"], np.zeros((100, 2)), [False, False])
    assert resampled(table, lambda drawn: {}, 0.0, seed=0) == (
        None,
        "edges were not checked by resampling: some column hardly varies",
    )
