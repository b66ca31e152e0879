"""Curves for linear models: splines of each amount and products of pairs."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer

KNOTS = 6
FEWEST_VALUES = 12


class SplinesAndProducts(TransformerMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Cubic splines of the columns that have many values, and products of all pairs.

    econml puts columns of its own beside the covariates, so amounts are told from indicators when fitting. Knots are
    even between the 2nd and 98th percentile; beyond them the curves go on straight.
    """

    def fit(self, X: np.ndarray, y: object = None) -> Self:
        low, high = np.quantile(X, [0.02, 0.98], axis=0)
        many = np.array([len(np.unique(X[:, column])) >= FEWEST_VALUES for column in range(X.shape[1])])
        self.curved_ = np.flatnonzero(many & (high > low))
        self.products_ = PolynomialFeatures(2, interaction_only=True, include_bias=False).fit(X)
        if len(self.curved_):
            knots = np.linspace(low[self.curved_], high[self.curved_], KNOTS)
            self.splines_ = SplineTransformer(knots=knots, extrapolation="linear", include_bias=False)
            self.splines_.fit(X[:, self.curved_])
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        products = self.products_.transform(X)
        if not len(self.curved_):
            return np.asarray(products)
        return np.column_stack([products, self.splines_.transform(X[:, self.curved_])])


def spline_width(columns: int) -> int:
    """How many features come of so many columns, at most."""
    return columns * (KNOTS + 1) + columns * (columns + 1) // 2
