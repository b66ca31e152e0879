"""The stated power, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from validation.independence import independence_p_value
from validation.power import detectable_nats, single_level


def test_one_degree_of_freedom_by_the_normal_law():
    """A z-test finds (z_{1−a/2} + z_{power})² / 2n nats, up to the other tail, which is below 1e-6 here."""
    expected = (norm.isf(0.005) + norm.isf(0.2)) ** 2 / (2 * 1000)
    assert detectable_nats(1, 1000, 0.01) == pytest.approx(expected, rel=1e-5)


def test_more_rows_find_less_and_more_degrees_of_freedom_hide_more():
    assert detectable_nats(4, 2000, 0.01) == pytest.approx(detectable_nats(4, 1000, 0.01) / 2)
    assert detectable_nats(1, 1000, 0.01) < detectable_nats(4, 1000, 0.01) < detectable_nats(4, 1000, 0.001)
    assert detectable_nats(500, 1000, 1e-6) < 1


def test_nothing_is_found_where_nothing_varies():
    assert detectable_nats(0, 1000, 0.01) == np.inf
    assert detectable_nats(1, 0, 0.01) == np.inf


def test_levels_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"given level 0\.9, power 0\.8"):
        detectable_nats(1, 100, 0.9)


def test_the_level_of_one_violation_among_three_by_hand():
    assert single_level(3, 0.05) == pytest.approx(0.05 / (3 * (1 + 1 / 2 + 1 / 3)))
    assert single_level(1, 0.05) == 0.05


def _agreeing(levels: int, nats: float) -> float:
    """Share of agreement that gives two uniform variables of so many levels this much mutual information."""
    even = 1 / levels

    def information(share: float) -> float:
        other = (1 - share) / (levels - 1)
        return share * np.log(share / even) + (1 - share) * np.log(other / even)

    return float(brentq(lambda share: information(share) - nats, even, 1 - 1e-12))


def _found(levels: int, strata: int, rows: int, level: float, nats: float, runs: int) -> tuple[float, set[str]]:
    share = _agreeing(levels, nats)
    found, tests = 0, set()
    for run in range(runs):
        random = np.random.default_rng([7, run])
        first, stratum = random.integers(levels, size=rows), random.integers(strata, size=rows)
        shift = np.where(random.random(rows) < share, 0, random.integers(1, levels, size=rows))
        data = np.column_stack([first, (first + shift) % levels, stratum])
        p_value, test = independence_p_value(data, seed=run, smallest=level)
        found += p_value <= level
        tests.add(test)
    return found / runs, tests


def test_the_stated_power_is_had_where_cells_are_full():
    """Dependence at the limit of what is said to be found is found in .8 ± .07 of 300 data sets (three standard errors)."""
    nats = detectable_nats(2, 2000, 0.001)  # two levels, two strata: two degrees of freedom
    share, tests = _found(2, 2, 2000, 0.001, nats, 300)
    assert tests == {"G²"}
    assert abs(share - 0.8) < 0.07


def test_the_stated_power_is_roughly_had_under_permutation():
    """Three levels in 30 strata of about 13 rows: the approximation is rough, and errs by less than .15."""
    nats = detectable_nats(4 * 30, 400, 0.01)
    share, tests = _found(3, 30, 400, 0.01, nats, 200)
    assert tests == {"permutation"}
    assert abs(share - 0.8) < 0.15
