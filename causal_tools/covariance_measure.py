"""A test of conditional independence for amounts and categories together, and for dependence of any smooth shape."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from causal_tools.graph_scores import indicators, legendre_scores, orthonormal

SPLINE_TERMS = 6
ROWS_A_TERM = 10
FEWEST_FOR_SHAPES = 200
FEWEST_IN_LEVEL = 20
LARGEST_PRODUCT = 6
# of the logistic regressions; looser than sklearn's own, since the test forgives small errors of both regressions
RIDGE = 1e-4
LOOSE = 1e-3
MOST_STEPS = 100
KEPT_BYTES = 300_000_000
# in standard units; what varies less is rounding
LEAST_SPREAD = 1e-9


class CovarianceMeasure:
    """The generalised covariance measure: are the residuals of two columns, given others, without shared moments?

    Each column is regressed on the columns given (splines of amounts, indicators of categories, products of every two).
    Of an amount's residual the second and third Legendre polynomial of its ranks go along, regressed in the same way, so
    that dependence beyond the mean is seen; products with the columns given show effects that change sign with them. The
    mean of all products of the one side's residuals with the other's is tested against zero by Hotelling's statistic. It
    stays valid when only the product of the two regressions' errors is small.

    Source: Shah & Peters (2020), section 3; Scheidegger, Hörrmann & Bühlmann (2022) for the products.
    """

    def __init__(self, matrix: np.ndarray, categorical: list[bool]) -> None:
        """
        Args:
            matrix: (rows, columns), finite, codes for categories.
            categorical: (columns,) whether the numbers are codes.
        """
        self.rows = len(matrix)
        self.categorical = categorical
        self.shapes = 3 if self.rows >= FEWEST_FOR_SHAPES else 1
        self.columns = [
            _pooled(column) if category else _scaled(column)
            for column, category in zip(matrix.T, categorical, strict=True)
        ]
        self.values = [
            indicators(column) if category else column[:, None]
            for column, category in zip(self.columns, categorical, strict=True)
        ]
        self._terms: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._kept: OrderedDict[tuple[int, ...], np.ndarray] = OrderedDict()
        self._held = 0

    def p_value(self, first: int, second: int, given: tuple[int, ...]) -> float:
        """The p-value of independence of two columns given others; NaN where it cannot be computed."""
        from scipy import stats

        given = tuple(sorted(given))
        one, spent = self._residuals(first, given)
        other, _ = self._residuals(second, given)
        products = _products(one, other)
        plain = self._plain(first, one), self._plain(second, other)
        if given and plain[0].shape[1] * plain[1].shape[1] <= LARGEST_PRODUCT:
            turns = np.column_stack([self.values[column] for column in given])
            products = np.column_stack([products, _products(_products(*plain), turns)])
        # Hotelling's statistic with the rows that the regressions left free; statsmodels' test_mvmean counts them all, and
        # fails where products follow from one another
        freed = self.rows - spent
        mean = np.full(self.rows, 1 / self.rows) @ products
        sizes, directions = np.linalg.eigh(products.T @ products / self.rows - np.outer(mean, mean))
        usable = sizes > 1e-8 * max(float(sizes.max(initial=0.0)), 1e-300)
        freedom = int(usable.sum())
        if freedom == 0:
            # no spread left means that the others determine a column: nothing speaks against independence
            return 1.0
        if freedom >= freed:
            return float("nan")
        statistic = freed * float(np.sum((directions.T @ mean)[usable] ** 2 / sizes[usable]))
        return float(stats.f.sf(statistic * (freed - freedom) / (freedom * (freed - 1)), freedom, freed - freedom))

    def _plain(self, column: int, residuals: np.ndarray) -> np.ndarray:
        return residuals if self.categorical[column] else residuals[:, :1]

    def _residuals(self, column: int, given: tuple[int, ...]) -> tuple[np.ndarray, int]:
        """Residuals of a column given others, in standard units, and the number of terms that the regression used."""
        design = self._remembered((*given,), lambda: self._design(given))
        block = self._remembered((*given, -1, column), lambda: self._block(column, design))
        return block, design.shape[1]

    def _block(self, column: int, design: np.ndarray) -> np.ndarray:
        values = self.values[column]
        if self.categorical[column] and design.shape[1] > 1:
            block = values - chances(self.columns[column], design)
        else:
            block = values - design @ (design.T @ values)
        if not self.categorical[column] and self.shapes > 1 and block.std() > LEAST_SPREAD:
            shapes = legendre_scores(block[:, 0], self.shapes)[:, 1:]
            block = np.column_stack([block, shapes - design @ (design.T @ shapes)])
        # the design holds a constant, so that residuals have mean zero
        spread = np.sqrt(np.einsum("rc,rc->c", block, block) / self.rows)
        return np.asarray(block[:, spread > LEAST_SPREAD] / spread[spread > LEAST_SPREAD])

    def _design(self, given: tuple[int, ...]) -> np.ndarray:
        """An orthonormal basis of the regressions' terms; products of terms only where rows allow ten a term."""
        blocks = [np.ones((self.rows, 1)), *(self._basis(column)[0] for column in given)]
        pairs = [(a, b) for position, a in enumerate(given) for b in given[:position]]
        crossed = [_products(self._basis(a)[1], self._basis(b)[1]) for a, b in pairs]
        if sum(block.shape[1] for block in (*blocks, *crossed)) * ROWS_A_TERM <= self.rows:
            blocks += crossed
        return orthonormal(np.column_stack(blocks))

    def _basis(self, column: int) -> tuple[np.ndarray, np.ndarray]:
        """All terms of a column, and the few that enter products."""
        if column not in self._terms:
            values = self.values[column]
            if self.categorical[column]:
                self._terms[column] = (values, values - values.mean(axis=0))
            else:
                few = np.column_stack([np.clip(values[:, 0], -4, 4), legendre_scores(values[:, 0], 2)[:, 1]])
                self._terms[column] = (_curve(values[:, 0]), few - few.mean(axis=0))
        return self._terms[column]

    def _remembered(self, key: tuple[int, ...], make: Callable[[], np.ndarray]) -> np.ndarray:
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = make()
        self._kept[key] = made
        self._held += made.nbytes
        while self._held > KEPT_BYTES and len(self._kept) > 1:
            self._held -= self._kept.popitem(last=False)[1].nbytes
        return made


def chances(codes: np.ndarray, design: np.ndarray) -> np.ndarray:
    """(rows, levels - 1) fitted chances of each level but the first, by multinomial logistic regression.

    Levels follow what is given through odds, sharply where effects are strong; a linear fit would leave part of that behind.

    Args:
        codes: (rows,) levels, more than one.
        design: (rows, terms) orthonormal, the constant among what it spans.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    rows = len(codes)
    model = LogisticRegression(C=1 / (RIDGE * rows), fit_intercept=False, tol=LOOSE, max_iter=MOST_STEPS)
    with warnings.catch_warnings():
        # where levels are all but determined the odds grow without end, and the chances no longer change
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = model.fit(design * np.sqrt(rows), codes).predict_proba(design * np.sqrt(rows))
    return np.asarray(fitted[:, 1:])


def _products(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray((one[:, :, None] * other[:, None, :]).reshape(len(one), -1))


def _scaled(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / (values.std() or 1.0))


def _curve(values: np.ndarray) -> np.ndarray:
    """A cubic spline with knots at quantiles; powers where values or rows are few."""
    from sklearn.preprocessing import SplineTransformer

    distinct = len(np.unique(values))
    terms = min(SPLINE_TERMS, distinct - 1, max(1, len(values) // (3 * ROWS_A_TERM)))
    if terms <= 3 or distinct <= 2 * SPLINE_TERMS:
        return np.column_stack([_scaled(values) ** power for power in range(1, min(terms, 3) + 1)])
    spline = SplineTransformer(
        n_knots=terms - 2, degree=3, knots="quantile", include_bias=False, extrapolation="linear"
    )
    block = spline.fit_transform(values[:, None])
    return np.asarray(block - block.mean(axis=0))


def _pooled(codes: np.ndarray) -> np.ndarray:
    """Levels of too few rows for the statistic's normal limit taken together, or with the most frequent level."""
    levels, counts = np.unique(codes, return_counts=True)
    fewest = min(FEWEST_IN_LEVEL, len(codes) / 10)
    rare = counts < fewest
    if not rare.any():
        return codes
    into = levels[rare][0] if counts[rare].sum() >= fewest else levels[int(np.argmax(counts))]
    pooled = np.where(np.isin(codes, levels[rare]), into, codes)
    return pooled if len(np.unique(pooled)) > 1 else codes
