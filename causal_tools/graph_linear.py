"""Linear models of a graph: LiNGAM and equal error variances, which tell directions, weights, and whether lines are straight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from causal_tools.graph_scores import independence_level, legendre_scores, noise_dependence, orthonormal

BY_VARIANCES = "Equal-variance ordering"
MOST_NODES = 25
FEWEST_ROWS = 300
FEWEST_VALUES = 10
# of one search by DirectLiNGAM, about, times rows and nodes squared
SECONDS = 6e-7
SECONDS_BY_VARIANCES = 1.5e-7
MOST_SECONDS = 10.0
# with fewer rows variances that differ by a third would often pass for equal
FEWEST_ROWS_FOR_VARIANCES = 500
LEVEL = 0.001
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


def may_fit(matrix: np.ndarray) -> bool:
    """Whether LiNGAM has what it takes: amounts of many values, rows enough for its tests, nodes not too many."""
    amounts = all(len(np.unique(column)) > FEWEST_VALUES for column in matrix.T)
    return amounts and matrix.shape[1] <= MOST_NODES and len(matrix) >= FEWEST_ROWS


def fit_lingam(matrix: np.ndarray, seed: int) -> LinearModel:
    """The first of DirectLiNGAM and ICA-LiNGAM whose model passes the tests, else DirectLiNGAM's, unsupported.

    The two find the order of the nodes in unlike ways; a wrong order shows in noise that depends on the causes.
    """
    first = _tested("DirectLiNGAM", matrix, seed)
    # Gaussian noise rules both out; only a wrong order is worth a second attempt
    if first.supported or not first.evidence["noise_is_not_gaussian"]:
        return first
    second = _tested("ICA-LiNGAM", matrix, seed)
    return second if second.supported else first


def noise_stays_dependent(evidence: dict[str, Any]) -> bool:
    """Whether noise that could tell the directions depends on the causes in every order tried."""
    return bool(evidence.get("noise_is_not_gaussian") and not evidence["noise_is_independent"])


def weights_by(name: str, matrix: np.ndarray, seed: int) -> np.ndarray:
    """Least-squares weights of each child on the parents that the named model finds, the not significant ones left out.

    Source: Shimizu et al. (2006) for ICA-LiNGAM, Shimizu et al. (2011) for DirectLiNGAM; Peters & Bühlmann (2014) and
    Chen, Drton & Wang (2019) for the order by conditional variances.
    """
    import warnings

    from causallearn.search.FCMBased.lingam import DirectLiNGAM, ICALiNGAM
    from sklearn.exceptions import ConvergenceWarning

    if name == BY_VARIANCES:
        order = order_by_conditional_variance(np.cov(matrix, rowvar=False))
        parents = np.zeros((len(order), len(order)), dtype=bool)
        for position, node in enumerate(order):
            parents[node, order[:position]] = True
    else:
        model = (DirectLiNGAM if name == "DirectLiNGAM" else ICALiNGAM)(random_state=seed % 2**31)
        with warnings.catch_warnings():
            # an unfinished rotation gives a wrong order, which the tests of the noise then show
            warnings.simplefilter("ignore", ConvergenceWarning)
            # their pruning takes columns in small units for constant; the parents are the same in any units
            model.fit((matrix - matrix.mean(axis=0)) / matrix.std(axis=0))
        parents = np.asarray(model.adjacency_matrix_) != 0
    return least_squares_weights(matrix, parents, prune=True)


def fit_equal_variances(matrix: np.ndarray) -> LinearModel:
    """The linear model with equal error variances; supported when its noise has equal variances and is independent.

    In only one order (up to nodes without effect on each other) can the error variances be equal: their product is the same in
    every order, and their sum smallest in that one. So equal variances in the order found support it, given rows enough to
    see a difference.
    """
    from scipy import stats

    weights = weights_by(BY_VARIANCES, matrix, 0)
    noise = noise_of(matrix, weights)
    evidence: dict[str, Any] = {
        "noise_variances": [float(value) for value in noise.var(axis=0)],
        "equal_variance_p_value": float(stats.levene(*noise.T, center="median").pvalue),
        "varsortability": varsortability(matrix, weights),
    }
    supported = (
        len(matrix) >= FEWEST_ROWS_FOR_VARIANCES and weights.any() and evidence["equal_variance_p_value"] > LEVEL
    )
    if supported:
        dependence = evidence["equal_variance_noise_independence_p_value"] = noise_dependence(matrix, noise, weights)
        supported = dependence > independence_level(len(matrix))
    return LinearModel(BY_VARIANCES, weights, bool(supported), evidence)


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


def varsortability(matrix: np.ndarray, weights: np.ndarray) -> float:
    """Share of edges whose effect varies more than its cause; near 1, the order of variances alone tells the directions.

    Source: Reisach, Seiler & Weichwald (2021), here over edges.
    """
    children, parents = np.nonzero(weights)
    variances = matrix.var(axis=0)
    return float(np.mean(variances[children] > variances[parents])) if len(children) else 1.0


def _tested(name: str, matrix: np.ndarray, seed: int) -> LinearModel:
    from scipy import stats

    weights = weights_by(name, matrix, seed)
    noise = noise_of(matrix, weights)
    normality = [float(value) for value in stats.normaltest(noise).pvalue]
    # identification allows one Gaussian noise; a test that could not be computed is no support
    gaussian = sum(not p_value <= LEVEL / len(normality) for p_value in normality)
    smallest = noise_dependence(matrix, noise, weights)
    evidence: dict[str, Any] = {
        "normality_p_values": normality,
        "noise_is_not_gaussian": gaussian <= 1,
        "smallest_noise_independence_p_value": smallest,
        "noise_is_independent": smallest > independence_level(len(matrix)),
    }
    supported = bool(evidence["noise_is_not_gaussian"] and evidence["noise_is_independent"])
    return LinearModel(name, weights, supported, evidence)


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
