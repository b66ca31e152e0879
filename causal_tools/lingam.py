"""LiNGAM, and whether the data support it: straight lines, noise not Gaussian and independent of causes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_NODES = 25
FEWEST_ROWS = 300
ROWS_FOR_KERNELS = 800
LEVEL = 0.01
# wrong orders show at far smaller p-values; a stricter level would turn away true models
INDEPENDENCE_LEVEL = 0.001


@dataclass(frozen=True)
class LinearModel:
    """A linear acyclic model and the tests that support it; ``weights[child, parent]`` is zero without an edge."""

    name: str
    weights: np.ndarray
    supported: bool
    evidence: dict[str, Any]


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


def lingam_weights(name: str, matrix: np.ndarray, seed: int) -> np.ndarray:
    """Least-squares weights of each child on the parents that the named algorithm finds.

    Source: Shimizu et al. (2006) for ICA-LiNGAM, Shimizu et al. (2011) for DirectLiNGAM.
    """
    import warnings

    from causallearn.search.FCMBased.lingam import DirectLiNGAM, ICALiNGAM
    from sklearn.exceptions import ConvergenceWarning

    model = (DirectLiNGAM if name == "DirectLiNGAM" else ICALiNGAM)(random_state=seed % 2**31)
    with warnings.catch_warnings():
        # an unfinished rotation gives a wrong order, which the tests of the noise then show
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(matrix)
    return least_squares_weights(matrix, np.asarray(model.adjacency_matrix_) != 0, prune=True)


def _tested(name: str, matrix: np.ndarray, seed: int) -> LinearModel:
    weights = lingam_weights(name, matrix, seed)
    centred = matrix - matrix.mean(axis=0)
    evidence = _evidence(centred - centred @ weights.T, seed)
    supported = bool(
        evidence["noise_is_not_gaussian"] and evidence["smallest_noise_independence_p_value"] > INDEPENDENCE_LEVEL
    )
    return LinearModel(name, weights, supported, evidence)


def _evidence(noise: np.ndarray, seed: int) -> dict[str, Any]:
    from causallearn.search.FCMBased.lingam.hsic import hsic_test_gamma
    from scipy import stats

    normality = [float(stats.normaltest(noise[:, column]).pvalue) for column in range(noise.shape[1])]
    rows = np.random.default_rng(seed).permutation(len(noise))[:ROWS_FOR_KERNELS]
    columns = noise.shape[1]
    pairs = [(a, b) for a in range(columns) for b in range(a)]
    p_values = [float(hsic_test_gamma(noise[rows, a], noise[rows, b])[1]) for a, b in pairs]
    # a kernel test that could not be computed is no support; Bonferroni over the pairs
    smallest = 0.0 if np.isnan(p_values).any() else min(1.0, min(p_values) * len(pairs))
    # identification allows one Gaussian noise
    gaussian = sum(p_value > LEVEL / columns for p_value in normality)
    return {
        "normality_p_values": normality,
        "noise_is_not_gaussian": gaussian <= 1,
        "smallest_noise_independence_p_value": smallest,
    }


def least_squares_weights(matrix: np.ndarray, parents: np.ndarray, *, prune: bool) -> np.ndarray:
    """(nodes, nodes) coefficients of each child on its parents.

    Args:
        matrix: (rows, nodes).
        parents: (nodes, nodes), true where the column is a parent of the row.
        prune: leave out, one at a time, parents whose coefficient is not significant at 1 %.
    """
    from scipy import stats

    centred = matrix - matrix.mean(axis=0)
    weights = np.zeros(parents.shape)
    for child in range(len(parents)):
        chosen = [int(parent) for parent in np.flatnonzero(parents[child])]
        while chosen:
            design = centred[:, chosen]
            coefficients, *_ = np.linalg.lstsq(design, centred[:, child], rcond=None)
            if prune:
                residual = centred[:, child] - design @ coefficients
                variance = residual @ residual / (len(matrix) - len(chosen) - 1)
                ratios = np.abs(coefficients) / np.sqrt(variance * np.diag(np.linalg.pinv(design.T @ design)))
                weakest = int(np.argmin(ratios))
                if 2 * stats.norm.sf(ratios[weakest]) > LEVEL:
                    chosen.pop(weakest)
                    continue
            weights[child, chosen] = coefficients
            break
    return weights
