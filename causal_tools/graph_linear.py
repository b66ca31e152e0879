"""Linear models on a graph: weights, their intervals, noise, and whether straight lines describe the columns."""

from __future__ import annotations

import numpy as np

from causal_tools.graph_scores import legendre_scores, orthonormal

PRUNING_LEVEL = 0.01
LINEARITY_LEVEL = 0.001
MOST_NODES_WITH_PRODUCTS = 10
ROWS_A_SHAPE = 20


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
    from statsmodels.api import OLS, add_constant

    nodes = matrix.shape[1]
    level = PRUNING_LEVEL / max(1, nodes * (nodes - 1) // 2)
    weights = np.zeros(parents.shape)
    for child in range(nodes):
        chosen = [int(parent) for parent in np.flatnonzero(parents[child])]
        while chosen:
            fitted = OLS(matrix[:, child], add_constant(matrix[:, chosen])).fit()
            weakest = int(np.argmin(np.abs(fitted.tvalues[1:])))
            if prune and fitted.pvalues[1:][weakest] > level:
                chosen.pop(weakest)
                continue
            weights[child, chosen] = fitted.params[1:]
            break
    return weights


def weight_intervals(matrix: np.ndarray, weights: np.ndarray) -> dict[tuple[int, int], tuple[float, float]]:
    """95 % intervals of the weights by (parent, child), given the graph; errors robust to uneven noise (HC1)."""
    from statsmodels.api import OLS, add_constant

    found: dict[tuple[int, int], tuple[float, float]] = {}
    for child in range(len(weights)):
        chosen = [int(parent) for parent in np.flatnonzero(weights[child])]
        if chosen:
            design = add_constant(matrix[:, chosen])
            ends = OLS(matrix[:, child], design).fit(cov_type="HC1", use_t=True).conf_int()[1:]
            found |= {
                (parent, child): (float(low), float(high)) for parent, (low, high) in zip(chosen, ends, strict=True)
            }
    return found


def curvature_p_value(matrix: np.ndarray) -> float:
    """The smallest p-value (Bonferroni) of: given the others, each column is a straight line in them.

    Tried beside the line are the second and third Legendre polynomial of the others' ranks and, of at most ten columns, the
    products of every two, by a score test that allows uneven noise. (RESET tests with powers of the columns see no products.)
    """
    from statsmodels.api import OLS

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
        added = orthonormal(added - line @ (line.T @ added))
        if not added.shape[1]:
            continue
        bent = OLS(units[:, node], np.column_stack([line, added])).fit(cov_type="HC1")
        # scores not centred: somewhat conservative, which few rows need
        p_value = float(bent.compare_lm_test(OLS(units[:, node], line).fit(), demean=False)[1])
        smallest = min(smallest, p_value) if not np.isnan(p_value) else smallest
    return min(1.0, smallest * nodes)
