"""Mean responses under policies, for the units asked about, and what the recommended one gains over each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.conditions import Target
from causal_tools.final_stage import HIGHEST_DEGREE, LEVEL_OF_TESTS, polynomial_terms

Z95 = 1.959964
BEHAVIOUR = "as done in the data"


@dataclass(frozen=True)
class LocalMeans:
    """Means of several columns at the target, with standard errors, and the degree of the curve (0: a plain mean)."""

    heights: np.ndarray
    errors: np.ndarray
    degree: int

    def interval(self, column: int) -> tuple[float, float]:
        """The 95 % interval of one column's mean."""
        return self._within(column, Z95)

    def interval_of_best(self, column: int) -> tuple[float, float]:
        """The 95 % interval of a mean that was chosen as the best of all columns' means.

        The largest of several errors reaches further than one of them: of eight equal actions the plain interval of the best
        covers in 83 % of samples. In 95 % all of K errors lie below the 0.95 ** (1 / K) quantile (Šidák, 1967; nearer where they
        go together).
        """
        from scipy.stats import norm

        return self._within(column, max(Z95, float(norm.ppf(0.95 ** (1 / len(self.heights))))))

    def _within(self, column: int, reach: float) -> tuple[float, float]:
        height, error = float(self.heights[column]), float(self.errors[column])
        return height - reach * error, height + reach * error


def said_of_choice(actions: int) -> list[str]:
    """What is to be known where the best of several means was taken."""
    if actions <= 2:
        return []
    return [
        f"that this action was chosen as the best of {actions} makes its mean look a little too good; its interval is wider "
        "for it, those of the other actions are not"
    ]


def local_means(
    columns: np.ndarray, target: Target, rows: pd.DataFrame, keep: np.ndarray, degree: int | None = None
) -> LocalMeans:
    """Means of the columns among the rows that meet the conditions, or their curves' heights at the point asked for.

    Args:
        columns: (kept rows, columns).
        target: the units asked about.
        rows: all usable rows.
        keep: (rows,) which of them the columns hold.
        degree: of the curve, where it is settled; by default the highest whose terms the columns call for.
    """
    mask = target.mask[keep]
    inside = columns[mask]
    if not target.points:
        return LocalMeans(inside.mean(axis=0), inside.std(axis=0, ddof=1) / np.sqrt(len(inside)), 0)
    standardised, point = target.standardised(rows)
    return _curve(inside, standardised[keep][mask], point, degree)


def _curve(columns: np.ndarray, along: np.ndarray, point: np.ndarray, settled: int | None) -> LocalMeans:
    from sklearn.preprocessing import PolynomialFeatures

    for degree in range(HIGHEST_DEGREE, 0, -1) if settled is None else (settled,):
        terms = PolynomialFeatures(degree)
        design, at = terms.fit_transform(along), terms.fit_transform(point)
        inverse = np.linalg.pinv(design.T @ design)
        params = inverse @ design.T @ columns
        residuals = columns - design @ params
        covariances = [
            inverse
            @ (design * residuals[:, [column]] ** 2).T
            @ design
            @ inverse
            * len(design)
            / max(len(design) - design.shape[1], 1)
            for column in range(columns.shape[1])
        ]
        if degree in (1, settled) or _called_for(degree, params, covariances, along.shape[1]):
            errors = np.sqrt([(at @ covariance @ at.T).item() for covariance in covariances])
            return LocalMeans((at @ params)[0], errors, degree)
    raise AssertionError("degree 1 always ends the loop")


def _called_for(degree: int, params: np.ndarray, covariances: list[np.ndarray], width: int) -> bool:
    """Whether any term of the highest degree differs from nought in any column, by a Bonferroni test."""
    from scipy import stats

    highest = [position for position, powers in enumerate(polynomial_terms(width, degree)) if sum(powers) == degree]
    ratios = [
        params[highest, column] / np.sqrt(np.diag(covariance)[highest]) for column, covariance in enumerate(covariances)
    ]
    p_value = 2 * stats.norm.sf(np.max(np.abs(ratios))) * len(highest) * len(covariances)
    return bool(p_value < LEVEL_OF_TESTS)


def compared_policies(
    columns: Mapping[str, np.ndarray],
    recommended: np.ndarray,
    target: Target,
    rows: pd.DataFrame,
    keep: np.ndarray,
    degree: int | None,
    sense: int = 1,
) -> dict[str, dict[str, Any]]:
    """Each policy's mean response for the units asked about, and the recommended one's gain over it, unit by unit.

    Args:
        columns: by policy, (kept rows,) scores that average to its mean response.
        recommended: (kept rows,) the same of what is recommended.
        target: the units asked about.
        rows: all usable rows.
        keep: (rows,) which of them the scores hold.
        degree: of the curves in a continuous column, as settled for the actions.
        sense: −1 where a smaller response is the gain.

    Returns:
        By policy: ``value``, ``interval``, ``gain`` and ``gain_interval``; the gain is of the recommended over this one.
    """
    values = np.column_stack(list(columns.values()))
    both = np.column_stack([values, sense * (recommended[:, None] - values)])
    means = local_means(both, target, rows, keep, degree or None)
    width = len(columns)
    return {
        name: {
            "value": float(means.heights[position]),
            "interval": list(means.interval(position)),
            "gain": float(means.heights[width + position]),
            "gain_interval": list(means.interval(width + position)),
        }
        for position, name in enumerate(columns)
    }
