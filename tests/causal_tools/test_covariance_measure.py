"""The test of conditional independence for mixed columns: its level under independence, its power under dependence."""

from __future__ import annotations

import numpy as np
import pytest

from causal_tools.covariance_measure import CovarianceMeasure, chances

from .simulators import logistic


def test_it_rejects_at_its_level_when_a_curve_and_odds_share_a_cause() -> None:
    """Out of 100 tests at 5 %, more than 12 rejections happen with a probability of 0.1 %."""
    generator = np.random.default_rng(8)
    rejected = 0
    for _ in range(100):
        s = generator.normal(size=400)
        group = generator.binomial(1, logistic(2 * s))
        matrix = np.column_stack([s**2 + generator.normal(size=400), group, s])
        rejected += CovarianceMeasure(matrix, [False, True, False]).p_value(0, 1, (2,)) < 0.05
    assert rejected <= 12


def test_it_sees_means_curves_spreads_and_products() -> None:
    generator = np.random.default_rng(9)
    x, s, e = generator.normal(size=(3, 2000))
    group = generator.integers(0, 3, 2000)
    columns = np.column_stack([x, s, group, x**2 + e, e * (1 + np.abs(x)), x * s + e, np.array([0.0, 1, 0])[group] + e])
    test = CovarianceMeasure(columns, [False, False, True, False, False, False, False])
    for first, second, given in [(0, 3, ()), (0, 4, ()), (0, 5, (1,)), (2, 6, ()), (2, 6, (0, 1))]:
        assert test.p_value(first, second, given) < 1e-6
        assert test.p_value(second, first, given) == pytest.approx(test.p_value(first, second, given), rel=1e-6)
    assert test.p_value(0, 1, ()) > 0.001
    assert test.p_value(0, 2, (1,)) > 0.001


def test_fitted_chances_are_the_shares_of_each_group_when_groups_are_all_that_is_known() -> None:
    codes = np.array([0, 0, 0, 1, 0, 1, 1, 2, 2, 2] * 20)
    group = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1] * 20)
    design = np.column_stack([group == 0, group == 1]) / np.sqrt([80, 120])
    fitted = chances(codes, design)
    assert fitted[group == 0] == pytest.approx(np.tile([1 / 4, 0], (80, 1)), abs=0.02)
    assert fitted[group == 1] == pytest.approx(np.tile([2 / 6, 3 / 6], (120, 1)), abs=0.02)


def test_a_column_that_the_others_determine_speaks_against_nothing() -> None:
    x = np.random.default_rng(10).normal(size=(300, 2))
    test = CovarianceMeasure(np.column_stack([x, x[:, 1]]), [False] * 3)
    assert test.p_value(0, 2, (1,)) == 1.0
