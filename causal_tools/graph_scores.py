"""Dependence of any shape between pairs of columns, by smooth scores of their ranks; and who belongs together by it.

Source: Kallenberg & Ledwina (1999), rank tests of independence on products of Legendre polynomials, here with a fixed
number of polynomials and, for categories, indicators in their place; for two categories it is Pearson's chi-square.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SCORES = 4


def legendre_scores(values: np.ndarray, count: int) -> np.ndarray:
    """(rows, count) Legendre polynomials of the mid-ranks, taken to [-1, 1]."""
    from numpy.polynomial.legendre import legvander
    from scipy import stats

    return np.asarray(legvander((2 * stats.rankdata(values) - 1) / len(values) - 1, count)[:, 1:])


def indicators(codes: np.ndarray) -> np.ndarray:
    """(rows, levels - 1) whether the row has each level but the first."""
    return np.asarray(codes[:, None] == np.unique(codes)[None, 1:], dtype=float)


def orthonormal(block: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the block's columns, those that follow from others left out."""
    from scipy.linalg import qr

    lengths = np.linalg.norm(block, axis=0)
    basis, triangle, _ = qr(block[:, lengths > 0] / lengths[lengths > 0], mode="economic", pivoting=True)
    return np.asarray(basis[:, np.abs(np.diag(triangle)) > 1e-8])


def pairwise_p_values(matrix: np.ndarray, categorical: Sequence[bool]) -> np.ndarray:
    """(columns, columns) p-values of independence of each pair, the smaller of two tests doubled.

    One test is the smooth rank test; the other, of the plain correlation, finds weak linear dependence in few rows. A pair
    whose tests cannot be computed has p-value 1.

    Args:
        matrix: (rows, columns).
        categorical: (columns,) whether the numbers are codes.
    """
    from scipy import stats

    rows, columns = matrix.shape
    blocks = []
    for column in range(columns):
        values = matrix[:, column]
        block = indicators(values) if categorical[column] else legendre_scores(values, SCORES)
        blocks.append(orthonormal(block - block.mean(axis=0)))
    starts = np.cumsum([0, *(block.shape[1] for block in blocks)])
    everything = np.column_stack(blocks)
    squares = (everything.T @ everything) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        plain = np.corrcoef(matrix, rowvar=False)
    p_values = np.ones((columns, columns))
    for first in range(columns):
        for second in range(first):
            cell = squares[starts[first] : starts[first + 1], starts[second] : starts[second + 1]]
            found = [float(stats.chi2.sf(rows * cell.sum(), cell.size))] if cell.size else []
            if not (categorical[first] or categorical[second]):
                found.append(float(stats.chi2.sf(rows * plain[first, second] ** 2, 1)))
            usable = [p_value for p_value in found if not np.isnan(p_value)]
            p_values[first, second] = p_values[second, first] = min(1.0, len(found) * min(usable, default=1.0))
    return p_values


def dependent_groups(p_values: np.ndarray, level: float) -> list[list[int]]:
    """Positions of columns that hang together through pairs whose p-value is below the level, in ascending order.

    Neighbours in a graph depend on each other (faithfulness), so no edge leaves a group.
    """
    from scipy.sparse.csgraph import connected_components

    _, labels = connected_components(p_values < level, directed=False)
    return sorted([int(position) for position in np.flatnonzero(labels == label)] for label in np.unique(labels))


def independence_level(rows: int) -> float:
    """Below which noise counts as dependent: wrong orders show at far smaller p-values, the more so with more rows."""
    return 1e-3 if rows < 1000 else 1e-4


def noise_dependence(matrix: np.ndarray, noise: np.ndarray, weights: np.ndarray) -> float:
    """The smallest p-value (Bonferroni) that two noise terms of a linear model are independent; NaN counts as zero.

    Noise terms are residuals, so their scores carry the error of the weights; projecting both on the parents of either
    takes that away.

    Args:
        matrix: (rows, nodes).
        noise: (rows, nodes) residuals of each node on its parents.
        weights: (nodes, nodes), not zero where the column is a parent of the row.
    """
    from scipy import stats

    rows, nodes = matrix.shape
    scores = [legendre_scores(noise[:, node], SCORES) for node in range(nodes)]
    constant = np.ones((rows, 1))
    smallest, pairs = 1.0, max(1, nodes * (nodes - 1) // 2)
    for first in range(nodes):
        for second in range(first):
            parents = np.flatnonzero((weights[first] != 0) | (weights[second] != 0))
            known = orthonormal(np.column_stack([constant, matrix[:, parents]]))
            one, other = (orthonormal(scores[node] - known @ (known.T @ scores[node])) for node in (first, second))
            statistic = (rows - known.shape[1]) * float(np.sum((one.T @ other) ** 2))
            p_value = float(stats.chi2.sf(statistic, one.shape[1] * other.shape[1]))
            smallest = min(smallest, 0.0 if np.isnan(p_value) else p_value)
    return min(1.0, smallest * pairs)
