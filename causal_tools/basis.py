"""Curves for linear models: splines of each amount and products of pairs."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import PolynomialFeatures, SplineTransformer

KNOTS = 6
FEWEST_VALUES = 12
# more columns than this have too many products for a ridge regression of ordinary size
MOST_COLUMNS = 15
SELECTED = 10
TREES, ROWS_FOR_TREES = 16, 2000


class SplinesAndProducts(TransformerMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Cubic splines of the columns that have many values, and products of all pairs.

    econml puts columns of its own beside the covariates, so amounts are told from indicators when fitting. Knots are
    even between the 2nd and 98th percentile; beyond them the curves go on straight. Of more than fifteen columns only the ten
    that trees use most to foresee ``y`` get curves and products; the others stay as they are.
    """

    def __init__(self, classes: bool = False) -> None:
        self.classes = classes

    def fit(self, X: np.ndarray, y: np.ndarray | None = None) -> Self:
        self.chosen_ = np.arange(X.shape[1])
        if X.shape[1] > MOST_COLUMNS and y is not None:
            self.chosen_ = self._most_used(X, y)
        self.others_ = np.setdiff1d(np.arange(X.shape[1]), self.chosen_)
        return self._fit_chosen(X[:, self.chosen_])

    def _most_used(self, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        kind = ExtraTreesClassifier if self.classes else ExtraTreesRegressor
        step = max(
            1, len(X) // ROWS_FOR_TREES
        )  # the trees only rank; they are grown again in every fold, and must be quick
        trees = kind(TREES, min_samples_leaf=10, max_features=0.5, random_state=0).fit(X[::step], y[::step])
        return np.sort(np.argsort(-trees.feature_importances_, kind="stable")[:SELECTED])

    def _fit_chosen(self, X: np.ndarray) -> Self:
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
        others, X = X[:, self.others_], X[:, self.chosen_]
        products = np.column_stack([others, self.products_.transform(X)])
        if not len(self.curved_):
            return np.asarray(products)
        return np.column_stack([products, self.splines_.transform(X[:, self.curved_])])


def spline_width(columns: int) -> int:
    """How many features come of so many columns, at most."""
    bent = columns if columns <= MOST_COLUMNS else SELECTED
    return columns - bent + bent * (KNOTS + 1) + bent * (bent + 1) // 2
