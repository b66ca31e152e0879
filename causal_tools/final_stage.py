"""How an effect may vary with the columns of a question's conditions: the last regression of an estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from causal_tools.conditions import Target
from causal_tools.errors import EstimationRefused
from causal_tools.preparation import Prepared

HIGHEST_DEGREE = 3
LEVEL_OF_TESTS = 0.05


@dataclass(frozen=True)
class FinalStage:
    """Which columns the effect varies with, and where it is asked for.

    Attributes:
        modifiers: (rows, 1 + points): whether the row meets the conditions, then the points' columns standardised; no
            columns where the question is about everyone.
        at: (1, 1 + points): the unit asked about.
        features: (rows, features) the covariates.
    """

    modifiers: np.ndarray
    at: np.ndarray
    columns: tuple[str, ...]
    features: np.ndarray

    @property
    def inputs(self) -> np.ndarray:
        """(rows, modifiers + features): what an estimator is given, for its nuisance models and its last regression."""
        return np.column_stack([self.modifiers, self.features])

    def unit(self, at: np.ndarray | None = None) -> np.ndarray:
        """(units, modifiers + features): units to ask an estimator about; what is not asked plays no part there."""
        at = self.at if at is None else at
        return np.column_stack([at, np.zeros((len(at), self.features.shape[1]))])

    def featurizer(self, degree: int) -> Any:
        """Separate curves for units that meet the conditions and those that do not; one constant for everyone."""
        from sklearn.preprocessing import FunctionTransformer

        width = self.modifiers.shape[1]
        outside = width > 0 and not self.modifiers[:, 0].all()
        return FunctionTransformer(block_design, kw_args={"degree": degree, "outside": outside, "width": width})

    def settle_degree(self, estimator: Any, code: int | None) -> dict[str, Any]:
        """Lower the curve's degree until its highest terms are significant; the estimator is left refitted."""
        if not self.columns:
            return {}
        for degree in range(HIGHEST_DEGREE, 0, -1):
            estimator.featurizer = self.featurizer(degree)
            estimator.refit_final()
            terms = polynomial_terms(len(self.columns), degree)
            highest = [position for position, powers in enumerate(terms) if sum(powers) == degree]
            inference = estimator.coef__inference() if code is None else estimator.coef__inference(T=code)
            p_values = np.ravel(inference.pvalue())[highest]
            if degree == 1 or np.min(p_values) * len(highest) < LEVEL_OF_TESTS:
                return {"effect_curve_degree": degree}
        raise AssertionError("degree 1 always ends the loop")

    def wording(self, degree: dict[str, Any]) -> str:
        """How the effect was allowed to vary, for the method's name."""
        if not degree:
            return ""
        return f"; effect a polynomial of degree {degree['effect_curve_degree']} in {', '.join(self.columns)}"


def final_stage(prepared: Prepared, target: Target, keep: np.ndarray, features: np.ndarray) -> FinalStage:
    """The last regression for the units asked about.

    Args:
        keep: (rows,) those that can be compared.
        features: (kept rows, features).

    Raises:
        EstimationRefused: too few of the units asked about have one of the levels compared.
    """
    if target.is_everyone:
        return FinalStage(np.empty((len(features), 0)), np.empty((1, 0)), (), features)
    mask = target.mask[keep]
    codes = prepared.treatment.data[keep][mask]
    if prepared.treatment.discrete:
        fewest = int(np.bincount(codes, minlength=len(prepared.treatment.levels))[[0, prepared.treatment.target]].min())
        if fewest < 5:
            raise EstimationRefused(
                f"among the rows that meet {target.text} only {fewest} have one of the levels compared, "
                f"{prepared.treatment.wording()}. Ask about a wider group."
            )
    columns, point = (
        target.standardised(prepared.rows) if target.points else (np.empty((prepared.size, 0)), np.empty((1, 0)))
    )
    modifiers = np.column_stack([mask.astype(float), columns[keep]])
    return FinalStage(modifiers, np.column_stack([np.ones((1, 1)), point]), tuple(target.points), features)


def polynomial_terms(columns: int, degree: int) -> list[tuple[int, ...]]:
    """Powers of each column in each term, in the order of :func:`block_design`."""
    from sklearn.preprocessing import PolynomialFeatures

    terms = PolynomialFeatures(degree).fit(np.zeros((1, max(columns, 1)))).powers_
    return [tuple(int(power) for power in row) for row in terms] if columns else [(0,)]


def block_design(inputs: np.ndarray, degree: int, outside: bool, width: int) -> np.ndarray:
    """Polynomial terms for rows inside the group, then a constant for those outside, where there are any.

    Args:
        inputs: (rows, modifiers + features).
        width: how many of them are modifiers.
    """
    from sklearn.preprocessing import PolynomialFeatures

    if not width:
        return np.ones((len(inputs), 1))
    inside, points = inputs[:, :1], inputs[:, 1:width]
    curve = PolynomialFeatures(degree).fit_transform(points) if points.shape[1] else np.ones_like(inside)
    return np.column_stack([curve * inside, 1 - inside]) if outside else curve * inside
