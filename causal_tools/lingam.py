"""LiNGAM, and whether the data support it: straight lines, noise not Gaussian and independent of causes."""

from __future__ import annotations

from typing import Any

import numpy as np

from causal_tools.graph_linear import LinearModel, least_squares_weights, noise_of
from causal_tools.graph_scores import independence_level, noise_dependence

MOST_NODES = 25
FEWEST_ROWS = 300
FEWEST_VALUES = 10
# of one search, about, times rows and nodes squared
SECONDS = 4e-7
MOST_SECONDS = 5.0
LEVEL = 0.01


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


def less_dependent_weights(matrix: np.ndarray, seed: int) -> np.ndarray:
    """Of DirectLiNGAM's and ICA-LiNGAM's weights those whose noise is less dependent: for resamples, where neither need pass."""
    both = [lingam_weights(name, matrix, seed) for name in ("DirectLiNGAM", "ICA-LiNGAM")]
    if np.array_equal(both[0] != 0, both[1] != 0):
        return both[0]
    return max(both, key=lambda weights: noise_dependence(matrix, noise_of(matrix, weights), weights))


def lingam_weights(name: str, matrix: np.ndarray, seed: int) -> np.ndarray:
    """Least-squares weights of each child on the parents that DirectLiNGAM or ICA-LiNGAM finds.

    Source: Shimizu et al. (2006) for ICA-LiNGAM, Shimizu et al. (2011) for DirectLiNGAM.
    """
    import warnings

    from causallearn.search.FCMBased.lingam import ICALiNGAM
    from sklearn.exceptions import ConvergenceWarning

    model = (_direct_lingam() if name == "DirectLiNGAM" else ICALiNGAM)(random_state=seed % 2**31)
    with warnings.catch_warnings():
        # an unfinished rotation gives a wrong order, which the tests of the noise then show
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(matrix)
    return least_squares_weights(matrix, np.asarray(model.adjacency_matrix_) != 0, prune=True)


def _direct_lingam() -> Any:
    """causal-learn's DirectLiNGAM, its entropies computed once a pair instead of four times."""
    from causallearn.search.FCMBased.lingam import DirectLiNGAM

    class Quicker(DirectLiNGAM):  # type: ignore[misc, unused-ignore]
        def _search_causal_order(self, X: np.ndarray, U: np.ndarray) -> int:
            left = X[:, U]
            units = np.ascontiguousarray(((left - left.mean(axis=0)) / left.std(axis=0)).T)
            entropies = [_entropy(values) for values in units]
            evidence = np.zeros(len(U))
            for first in range(len(U)):
                for second in range(first):
                    # the library divides a covariance of n - 1 by a variance of n
                    slope = float(units[first] @ units[second]) / (len(X) - 1)
                    spread = np.sqrt(max(1 - slope * (2 * slope * (len(X) - 1) / len(X) - slope), 1e-300))
                    gain = (entropies[second] + _entropy((units[first] - slope * units[second]) / spread)) - (
                        entropies[first] + _entropy((units[second] - slope * units[first]) / spread)
                    )
                    evidence[first] += min(0.0, gain) ** 2
                    evidence[second] += min(0.0, -gain) ** 2
            return int(U[int(np.argmin(evidence))])

    return Quicker


def _entropy(values: np.ndarray) -> float:
    """Of a standardised variable, by Hyvärinen's maximum-entropy approximation with the library's constants."""
    sizes = np.abs(values)
    log_cosh = float(np.mean(sizes + np.log1p(np.exp(-2 * sizes)))) - np.log(2)
    odd = float(np.mean(values * np.exp(-(values**2) / 2)))
    return float((1 + np.log(2 * np.pi)) / 2 - 79.047 * (log_cosh - 0.37457) ** 2 - 7.4129 * odd**2)


def _tested(name: str, matrix: np.ndarray, seed: int) -> LinearModel:
    from scipy import stats

    weights = lingam_weights(name, matrix, seed)
    noise = noise_of(matrix, weights)
    normality = [float(stats.normaltest(noise[:, column]).pvalue) for column in range(noise.shape[1])]
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
