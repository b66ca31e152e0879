"""Linear models on a graph: weights, their intervals, noise, and whether straight lines describe the columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from causal_tools.graph_scores import legendre_scores, orthonormal

PRUNING_LEVEL = 0.01
LINEARITY_LEVEL = 0.001
MOST_NODES_WITH_PRODUCTS = 10
ROWS_A_SHAPE = 20


@dataclass(frozen=True)
class LinearModel:
    """A linear acyclic model and the tests that support it; ``weights[child, parent]`` is zero without an edge."""

    name: str
    weights: np.ndarray
    supported: bool
    evidence: dict[str, Any]


def noise_of(matrix: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(rows, nodes) what each node has beyond the linear effects of its parents."""
    centred = matrix - matrix.mean(axis=0)
    return np.asarray(centred - centred @ weights.T)


def least_squares_weights(matrix: np.ndarray, parents: np.ndarray, *, prune: bool) -> np.ndarray:
    """(nodes, nodes) coefficients of each child on its parents.

    Args:
        matrix: (rows, nodes).
        parents: (nodes, nodes), true where the column is a parent of the row.
        prune: leave out, one at a time, parents whose coefficient is not significant at 1 % over all pairs of nodes.
    """
    from scipy import stats

    rows, nodes = matrix.shape
    level = PRUNING_LEVEL / max(1, nodes * (nodes - 1) // 2)
    covariance = np.atleast_2d(np.cov(matrix, rowvar=False, ddof=0))
    weights = np.zeros(parents.shape)
    for child in range(nodes):
        chosen = [int(parent) for parent in np.flatnonzero(parents[child])]
        while chosen:
            inverse = np.linalg.pinv(covariance[np.ix_(chosen, chosen)], hermitian=True)
            coefficients = inverse @ covariance[chosen, child]
            freedom = max(1, rows - len(chosen) - 1)
            left = max(float(covariance[child, child] - coefficients @ covariance[chosen, child]), 0.0)
            ratios = np.abs(coefficients) / np.sqrt(np.maximum(left * np.diag(inverse) / freedom, 1e-300))
            weakest = int(np.argmin(ratios))
            if prune and 2 * stats.t.sf(ratios[weakest], freedom) > level:
                chosen.pop(weakest)
                continue
            weights[child, chosen] = coefficients
            break
    return weights


def weight_intervals(matrix: np.ndarray, weights: np.ndarray) -> dict[tuple[int, int], tuple[float, float]]:
    """95 % intervals of the weights by (parent, child), given the graph; errors robust to uneven noise (HC1)."""
    from scipy import stats

    rows, noise = len(matrix), noise_of(matrix, weights)
    found: dict[tuple[int, int], tuple[float, float]] = {}
    for child in range(len(weights)):
        chosen = [int(parent) for parent in np.flatnonzero(weights[child])]
        if chosen:
            design = matrix[:, chosen] - matrix[:, chosen].mean(axis=0)
            inverse = np.linalg.pinv(design.T @ design, hermitian=True)
            scores = design * noise[:, child : child + 1]
            freedom = max(1, rows - len(chosen) - 1)
            errors = np.sqrt(np.diag(inverse @ (scores.T @ scores) @ inverse) * rows / freedom)
            reach = float(stats.t.ppf(0.975, freedom)) * errors
            found |= {
                (parent, child): (float(weights[child, parent] - far), float(weights[child, parent] + far))
                for parent, far in zip(chosen, reach, strict=True)
            }
    return found


def curvature_p_value(matrix: np.ndarray) -> float:
    """The smallest p-value (Bonferroni) of: given the others, each column is a straight line in them (a RESET test).

    Tried beside the line are the second and third Legendre polynomial of the others' ranks and, of at most ten columns, the
    products of every two. Hotelling's statistic allows uneven noise.
    """
    from scipy import stats

    rows, nodes = matrix.shape
    units = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    shapes = [legendre_scores(units[:, node], 3)[:, 1:] for node in range(nodes)]
    smallest = 1.0
    for node in range(nodes):
        others = [other for other in range(nodes) if other != node]
        line = orthonormal(np.column_stack([np.ones(rows), units[:, others]]))
        tried = [shapes[other] for other in others]
        if nodes <= MOST_NODES_WITH_PRODUCTS:
            tried += [(units[:, a] * units[:, b])[:, None] for place, a in enumerate(others) for b in others[:place]]
        added = np.column_stack(tried)[:, : max(1, rows // ROWS_A_SHAPE)]
        products = (units[:, node] - line @ (line.T @ units[:, node]))[:, None] * orthonormal(
            added - line @ (line.T @ added)
        )
        mean = products.mean(axis=0)
        centred = products - mean
        count = products.shape[1]
        if not count:
            continue
        statistic = rows * float(mean @ np.linalg.pinv(centred.T @ centred / rows, hermitian=True) @ mean)
        freed = rows - line.shape[1]
        p_value = float(stats.f.sf(statistic * (freed - count) / (count * (freed - 1)), count, freed - count))
        smallest = min(smallest, p_value) if not np.isnan(p_value) else smallest
    return min(1.0, smallest * nodes)
