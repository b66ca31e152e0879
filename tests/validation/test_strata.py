"""Tables within strata: degrees of freedom, sparseness, and permutation against exact laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact, hypergeom, random_table

from validation import strata
from validation.strata import degrees_of_freedom, draw_tables, is_sparse, permutation_p_value, tabulate


def test_tables_count_rows_within_the_strata_that_could_tell():
    data = np.array([[0, 0, 5], [0, 1, 5], [1, 1, 5], [1, 1, 5], [0, 0, 7], [0, 1, 7], [1, 0, 9]])
    counts = tabulate(data[:, 0], data[:, 1], data[:, 2:])
    assert counts.tolist() == [[[1, 1], [0, 2]]]  # in stratum 7 the first is constant, in 9 there is one row


def test_a_level_that_a_stratum_lacks_costs_it_degrees_of_freedom():
    full, lacking = [[1, 1, 1], [1, 1, 1]], [[2, 1, 0], [1, 1, 0]]
    assert degrees_of_freedom(np.array([full, lacking])) == 2 + 1


@pytest.mark.parametrize(
    ("table", "sparse"),
    [
        ([[10, 10], [10, 10]], False),
        ([[10, 10], [2, 2]], True),  # half of the expected counts are 2
        ([[40, 40, 40], [40, 40, 3]], False),  # least expected: 43 · 83 / 203
        ([[400, 4], [4, 0]], True),  # 4 · 4 / 408
    ],
)
def test_cochrans_rule_by_hand(table, sparse):
    assert is_sparse(np.array([table])) is sparse


def test_tables_drawn_keep_their_margins_and_follow_the_hypergeometric_law():
    counts = np.array([[[3, 5], [6, 2]], [[1, 0], [4, 4]]])
    drawn = draw_tables(counts, 20_000, np.random.default_rng(0))
    assert (drawn >= 0).all()
    assert (drawn.sum(axis=2) == counts.sum(axis=1)).all()
    assert (drawn.sum(axis=3) == counts.sum(axis=2)).all()
    shares = np.bincount(drawn[:, 0, 0, 0], minlength=9) / 20_000
    assert np.abs(shares - hypergeom(16, 9, 8).pmf(np.arange(9))).max() < 0.015  # 4 standard errors of .0035


def test_larger_tables_drawn_follow_scipys_law_of_random_tables():
    counts = np.array([[[1, 1, 0], [1, 0, 2], [0, 1, 1]]])
    drawn = draw_tables(counts, 40_000, np.random.default_rng(1))[:, 0]
    law = random_table(counts[0].sum(axis=1), counts[0].sum(axis=0))
    distinct, seen = np.unique(drawn, axis=0, return_counts=True)
    expected = law.pmf(distinct)
    assert expected.sum() == pytest.approx(1)  # every table possible was drawn
    assert np.abs(seen / 40_000 - expected).max() < 4 * np.sqrt(0.25 / 40_000)


@pytest.mark.parametrize("test", ["gsq", "chisq"])
def test_permutation_comes_to_fishers_exact_p_value(test):
    table = np.array([[8, 2], [3, 9]])
    p_value = permutation_p_value(table[None], test, 1e-5, np.random.default_rng(2))
    # 20 exceedances fix a p-value to about a fifth; here both statistics order the tables as Fisher's does
    assert p_value == pytest.approx(fisher_exact(table)[1], rel=0.6)


def test_permutation_and_chi_squared_agree_where_cells_are_full(monkeypatch):
    monkeypatch.setattr(strata, "ENOUGH", 2_000)
    counts = np.array([[[60, 40, 50], [45, 55, 52]], [[30, 42, 35], [38, 33, 36]]])
    p_value = permutation_p_value(counts, "chisq", 1e-4, np.random.default_rng(3))
    parts = [chi2_contingency(table, correction=False) for table in counts]
    from scipy.stats import chi2

    assert p_value == pytest.approx(chi2.sf(sum(p.statistic for p in parts), sum(p.dof for p in parts)), abs=0.02)


def test_a_dependence_far_out_ends_the_drawing_with_a_bound(monkeypatch):
    sizes = []
    draw = strata.draw_tables
    monkeypatch.setattr(
        strata, "draw_tables", lambda counts, size, random: sizes.append(size) or draw(counts, size, random)
    )
    counts = np.array([[[300, 10], [10, 300]]])
    p_value = permutation_p_value(counts, "gsq", 1e-6, np.random.default_rng(4))
    assert 0 < p_value <= 1e-7
    assert sum(sizes) < 10_000


@pytest.mark.parametrize("test", ["gsq", "chisq"])
def test_every_smallest_p_value_can_be_reached(test):
    counts = np.array([np.diag([4, 4, 4, 4])])  # one of 63,063,000 tables is as extreme
    p_value = permutation_p_value(counts, test, 1e-4, np.random.default_rng(5))
    assert p_value <= 1e-4
