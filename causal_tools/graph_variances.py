"""Directions from equal error variances: a cause varies less than what it causes, when all noise has one spread.

Source: Peters & Bühlmann (2014) for identification; Chen, Drton & Wang (2019) for the order by conditional variances.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from causal_tools.graph_linear import LinearModel, least_squares_weights, noise_of
from causal_tools.graph_scores import independence_level, noise_dependence

NAME = "Equal-variance ordering"
# with fewer rows variances that differ by a third would often pass for equal
FEWEST_ROWS = 500
LEVEL = 0.001


def fit_equal_variances(matrix: np.ndarray) -> LinearModel:
    """The linear model with equal error variances; supported when its noise has equal variances and is independent.

    In only one order (up to nodes without effect on each other) can the error variances be equal: their product is the same in
    every order, and their sum smallest in that one. So equal variances in the order found support it, given rows enough to
    see a difference.
    """
    weights = equal_variance_weights(matrix)
    noise = noise_of(matrix, weights)
    evidence: dict[str, Any] = {
        "noise_variances": [float(value) for value in noise.var(axis=0)],
        "equal_variance_p_value": equal_variances_p_value(noise),
        "varsortability": varsortability(matrix, weights),
    }
    supported = len(matrix) >= FEWEST_ROWS and bool(weights.any()) and evidence["equal_variance_p_value"] > LEVEL
    if supported:
        dependence = evidence["equal_variance_noise_independence_p_value"] = noise_dependence(matrix, noise, weights)
        supported = dependence > independence_level(len(matrix))
    return LinearModel(NAME, weights, bool(supported), evidence)


def share_one_spread(matrix: np.ndarray) -> bool:
    """Whether equal error variances hold for all columns at once, so that a group of two nodes may rest on them.

    Two variances meet by chance too easily; the agreement of three or more is asked for.
    """
    return matrix.shape[1] > 2 and fit_equal_variances(matrix).supported


def equal_variance_weights(matrix: np.ndarray) -> np.ndarray:
    """Least-squares weights of each node on those before it in the order, the not significant ones left out."""
    order = order_by_conditional_variance(np.cov(matrix, rowvar=False))
    parents = np.zeros((len(order), len(order)), dtype=bool)
    for position, node in enumerate(order):
        parents[node, order[:position]] = True
    return least_squares_weights(matrix, parents, prune=True)


def order_by_conditional_variance(covariance: np.ndarray) -> list[int]:
    """Nodes, causes first: next is always the one that varies least given those already placed."""
    left = covariance.astype(float).copy()
    waiting = list(range(len(covariance)))
    order: list[int] = []
    while waiting:
        chosen = min(waiting, key=lambda node: float(left[node, node]))
        waiting.remove(chosen)
        order.append(chosen)
        # what is left of the covariance once the chosen node is known
        column = left[:, chosen].copy()
        left -= np.outer(column, column) / max(float(column[chosen]), 1e-300)
    return order


def equal_variances_p_value(noise: np.ndarray) -> float:
    """Layard's (1973) test that columns vary equally, which holds for noise of any kurtosis; NaN counts as zero."""
    from scipy import stats

    rows, nodes = noise.shape
    centred = noise - noise.mean(axis=0)
    variances = (centred**2).mean(axis=0)
    errors = ((centred**4).mean(axis=0) / variances**2 - 1) / rows
    sizes = np.log(variances)
    centre = float(np.sum(sizes / errors) / np.sum(1 / errors))
    p_value = float(stats.chi2.sf(np.sum((sizes - centre) ** 2 / errors), nodes - 1))
    return 0.0 if np.isnan(p_value) else p_value


def varsortability(matrix: np.ndarray, weights: np.ndarray) -> float:
    """Share of edges whose effect varies more than its cause; near 1, the order of variances alone tells the directions.

    Source: Reisach, Seiler & Weichwald (2021), here over edges.
    """
    children, parents = np.nonzero(weights)
    variances = matrix.var(axis=0)
    return float(np.mean(variances[children] > variances[parents])) if len(children) else 1.0
