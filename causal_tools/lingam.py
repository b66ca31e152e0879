"""Linear models that tell every direction, each with the tests that support it: LiNGAM, and noise of equal variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from causal_tools.graph_linear import least_squares_weights, noise_of
from causal_tools.graph_scores import independence_level, noise_dependence

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
            model.fit(matrix)
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
