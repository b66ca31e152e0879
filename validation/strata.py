"""Contingency tables within strata: degrees of freedom, sparseness, and the permutation test.

To permute one variable within strata is to draw tables with the same margins, so tables are drawn, many at a time, and not
rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

Test = Literal["gsq", "chisq"]  # as causal-learn calls them

ENOUGH = 20  # permutations at least as extreme as the data, after which no more are drawn
_BOUND_FROM = 1_000  # permutations from which moments are taken
_CELLS_AT_ONCE = 2_000_000


def tabulate(first: np.ndarray, second: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Counts of two variables in every stratum that could tell of their dependence.

    Args:
        first: (rows,) level indices.
        second: (rows,) likewise.
        given: (rows, conditions) level indices; a stratum is a combination that occurs.

    Returns:
        (strata, levels of first, levels of second) counts. Strata in which either variable takes one level only are
        left out.
    """
    rows, columns = (np.unique(values, return_inverse=True)[1].reshape(-1) for values in (first, second))
    strata = np.zeros(len(first), dtype=np.int64)
    for column in given.T:
        codes = np.unique(column, return_inverse=True)[1].reshape(-1)
        strata = np.unique(strata * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1].reshape(-1)
    shape = tuple(int(codes.max(initial=-1)) + 1 for codes in (strata, rows, columns))
    counts = np.bincount(np.ravel_multi_index((strata, rows, columns), shape), minlength=int(np.prod(shape)))
    counts = counts.reshape(shape)
    return counts[_degrees(counts) > 0]


def degrees_of_freedom(counts: np.ndarray) -> int:
    """Of G² and chi-squared: (levels − 1)(levels − 1) a stratum, levels that occur there, added up."""
    return int(_degrees(counts).sum())


def is_sparse(counts: np.ndarray) -> bool:
    """Whether the chi-squared law is not to be trusted: an expected count below 1, or a fifth of them below 5.

    Source: Cochran (1954), Biometrics 10, section 2.
    """
    expected = _expected(counts)
    cells = expected[expected > 0]
    return bool((cells < 1).any() or (cells < 5).mean() > 0.2)


def permutation_p_value(counts: np.ndarray, test: Test, smallest: float, random: np.random.Generator) -> float:
    """p-value of independence within strata from permutations of one variable there.

    Drawing stops early where many permutations are as extreme as the data: such a p-value is valid at any number of rows
    (under independence it is at most a with probability at most a). It also stops where none is and the data are so far
    out that a bound on the tail, Markov's inequality on the eighth central moment of the permutations drawn, is a tenth
    of ``smallest``; then the bound is the p-value.

    Args:
        counts: (strata, levels, levels).
        test: the statistic.
        smallest: p-value that must be reachable; twice as many permutations are drawn at most as that needs.
        random: where they come from.

    Source: Besag & Clifford (1991), Biometrika 78.
    """
    statistic = _statistic(counts, test)
    observed = float(statistic(counts))
    least = observed - 1e-9 * max(1.0, abs(observed))
    most, batch = int(np.ceil(2 / smallest)), 4 * ENOUGH
    null = np.empty(0)
    while len(null) < most:
        batch = min(4 * batch, most - len(null), max(1, _CELLS_AT_ONCE // counts.size))
        null = np.append(null, statistic(draw_tables(counts, batch, random)))
        extreme = np.flatnonzero(null >= least)
        if len(extreme) >= ENOUGH:
            return ENOUGH / (int(extreme[ENOUGH - 1]) + 1)
        if not len(extreme) and len(null) >= _BOUND_FROM:
            bound = float((((null - null.mean()) / (observed - null.mean())) ** 8).mean())
            if bound <= smallest / 10:
                return max(bound, float(np.finfo(float).tiny))
    return (1 + len(extreme)) / (1 + len(null))


def draw_tables(counts: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """Tables with the margins of these, as permuting one variable within each stratum gives them.

    Args:
        counts: (strata, levels, levels).
        size: how many sets of tables.
        random: where they come from.

    Returns:
        (size, strata, levels, levels) counts.
    """
    strata, rows, columns = counts.shape
    tables = np.empty((size, strata, rows, columns), dtype=np.int64)
    free = np.broadcast_to(counts.sum(axis=1), (size, strata, columns)).copy()  # of each column, not yet placed
    for row in range(rows - 1):
        to_place = np.broadcast_to(counts[:, row].sum(axis=-1), (size, strata)).copy()
        behind = free.sum(axis=-1)
        for column in range(columns - 1):
            behind -= free[..., column]
            placed = random.hypergeometric(free[..., column], behind, to_place)
            tables[..., row, column] = placed
            to_place -= placed
        tables[..., row, -1] = to_place
        free -= tables[..., row, :]
    tables[..., -1, :] = free
    return tables


def _statistic(counts: np.ndarray, test: Test) -> Callable[[np.ndarray], np.ndarray]:
    """G² or chi-squared of (..., strata, levels, levels) tables with these margins, up to what the margins settle."""
    if test == "gsq":
        logs = np.arange(counts.sum(axis=(1, 2)).max() + 1, dtype=float)
        logs[1:] *= 2 * np.log(logs[1:])
        return lambda tables: np.asarray(logs[tables].sum(axis=(-3, -2, -1)))
    expected = _expected(counts)
    weights = 1 / np.where(expected > 0, expected, 1)
    return lambda tables: np.asarray((tables**2 * weights).sum(axis=(-3, -2, -1)))


def _degrees(counts: np.ndarray) -> np.ndarray:
    """(strata,) degrees of freedom; none where a variable does not vary."""
    rows, columns = ((counts.sum(axis=axis) > 0).sum(axis=-1) for axis in (2, 1))
    return np.asarray(np.maximum(rows - 1, 0) * np.maximum(columns - 1, 0))


def _expected(counts: np.ndarray) -> np.ndarray:
    rows, columns, all_of_it = (counts.sum(axis=axes, keepdims=True) for axes in (2, 1, (1, 2)))
    return np.asarray(rows * columns / all_of_it)
