"""Conditional independence tests for graph learning: which fits the columns, and one for mixed kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from causal_tools.errors import EstimationRefused
from causal_tools.treatment import codes_of, is_numeric, ordered_levels

MIXED_TEST = "causalsmith_covariance_measure"
MOST_CATEGORIES = 20
FEWEST_AMOUNTS = 5


@dataclass(frozen=True)
class NodeTable:
    """Columns of a graph as numbers.

    Attributes:
        matrix: (rows, nodes), codes for categories.
        categorical: (nodes,) whether the numbers are codes.
    """

    names: list[str]
    matrix: np.ndarray
    categorical: list[bool]

    @property
    def test(self) -> Literal["fisherz", "gsq", "causalsmith_covariance_measure"]:
        """Fisher's z for amounts, G-squared for categories, the covariance measure where both occur."""
        if not any(self.categorical):
            return "fisherz"
        return "gsq" if all(self.categorical) else "causalsmith_covariance_measure"


def node_table(rows: pd.DataFrame) -> NodeTable:
    """Texts, truth values and numbers of fewer than five values are categories; other numbers are amounts.

    Raises:
        EstimationRefused: a text column has too many levels to be a category.
    """
    columns, categorical = [], []
    for label in rows.columns:
        column = rows[label]
        if pd.api.types.is_datetime64_any_dtype(column):
            column = (column - column.min()).dt.total_seconds() / 86_400
        category = not is_numeric(column) or column.nunique() < FEWEST_AMOUNTS
        if category and column.nunique() > MOST_CATEGORIES:
            raise EstimationRefused(
                f"the node {label!r} has {column.nunique()} different texts; independence cannot be tested with "
                f"more than {MOST_CATEGORIES}. Group its levels, or leave it out of the nodes."
            )
        categorical.append(category)
        columns.append(
            codes_of(column, ordered_levels(column)).astype(float) if category else column.to_numpy(dtype=float)
        )
    return NodeTable([str(label) for label in rows.columns], np.column_stack(columns), categorical)


def register_mixed_test() -> None:
    """Make the generalised covariance measure known to causal-learn under ``MIXED_TEST``."""
    from causallearn.utils.cit import CIT_Base, register_ci_test

    class CovarianceMeasure(CIT_Base):  # type: ignore[misc, unused-ignore]
        def __init__(self, data: np.ndarray, categorical: list[bool], **kwargs: Any) -> None:
            super().__init__(data, **kwargs)
            self.check_cache_method_consistent(MIXED_TEST, "cubic regressions")
            self.table = NodeTable([], data, categorical)

        def __call__(self, X: int, Y: int, condition_set: Any = None) -> float:
            first, second, given, key = self.get_formatted_XYZ_and_cachekey(X, Y, condition_set)
            if key not in self.pvalue_cache:
                self.pvalue_cache[key] = covariance_measure(self.table, first[0], second[0], given)
            return float(self.pvalue_cache[key])

    register_ci_test(MIXED_TEST, CovarianceMeasure)


def covariance_measure(table: NodeTable, first: int, second: int, given: list[int]) -> float:
    """The p-value of the generalised covariance measure: are the residuals of two columns, given others, uncorrelated?

    Both columns are regressed on cubic terms of the amounts and indicators of the categories given. The test stays
    valid when only the product of the two regressions' errors is small.

    Source: Shah & Peters (2020), section 3, with a Wald statistic over the indicators of a category.
    """
    from scipy import stats

    rows = len(table.matrix)
    design = np.column_stack([np.ones((rows, 1)), *(_terms(table, column) for column in given)])
    residuals = []
    for column in (first, second):
        block = (
            _indicators(table.matrix[:, column])
            if table.categorical[column]
            else _scaled(table.matrix[:, column])[:, None]
        )
        residuals.append(block - design @ np.linalg.lstsq(design, block, rcond=None)[0])
    products = (residuals[0][:, :, None] * residuals[1][:, None, :]).reshape(rows, -1)
    mean = products.mean(axis=0)
    covariance = np.atleast_2d(np.cov(products, rowvar=False))
    statistic = float(rows * mean @ np.linalg.pinv(covariance, hermitian=True) @ mean)
    freedom = int(np.linalg.matrix_rank(covariance, hermitian=True))
    # no spread left means that the others determine a column: nothing speaks against independence
    return float(stats.chi2.sf(statistic, freedom)) if freedom else 1.0


def _scaled(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / (values.std() or 1.0))


def _indicators(codes: np.ndarray) -> np.ndarray:
    return (codes[:, None] == np.unique(codes)[None, 1:]).astype(float)


def _terms(table: NodeTable, column: int) -> np.ndarray:
    if table.categorical[column]:
        return _indicators(table.matrix[:, column])
    scaled = _scaled(table.matrix[:, column])
    return np.column_stack([scaled, scaled**2, scaled**3])
