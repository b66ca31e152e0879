"""Nuisance models, chosen by cross-validation among named candidates, and doubly robust scores made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FOLDS = 5
CHOICE_FOLDS = 3
ENOUGH_FOR_TREES = 500
MOST_FEATURES_SQUARED = 15
ROWS_PER_SPLINE_FEATURE = 10
SMALLEST_PROPENSITY = 0.01


@dataclass(frozen=True)
class Choice:
    """The model that was chosen, unfitted, its name, and every candidate's cross-validated loss."""

    model: Any
    name: str
    losses: dict[str, float]


@dataclass(frozen=True)
class Scores:
    """Cross-fitted doubly robust scores of each level's mean response.

    Attributes:
        table: (rows, levels), averaging to each level's mean response.
        propensity: (rows, levels), no less than :func:`propensity_floor`.
    """

    table: np.ndarray
    propensity: np.ndarray
    outcome_model: str
    propensity_model: str


def choose_regressor(features: np.ndarray, response: np.ndarray, seed: int) -> Choice:
    """The regression of lowest cross-validated squared error."""
    candidates = regressors(features, response, seed)
    return _best(candidates, features, response, "neg_mean_squared_error", seed, classes=False)


def choose_classifier(features: np.ndarray, codes: np.ndarray, seed: int) -> Choice:
    """The classification of lowest cross-validated log loss: it is probabilities that are used."""
    return _best(classifiers(features, seed), features, codes, "neg_log_loss", seed, classes=True)


def regressors(features: np.ndarray, response: np.ndarray, seed: int) -> dict[str, Any]:
    """Candidates by name, not fitted: those that so many rows and features bear."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    candidates: dict[str, Any] = {"ridge regression": _ridge([StandardScaler()], features, response)}
    if _may_square(features):
        squares = [StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler()]
        candidates["ridge regression with squares and products"] = _ridge(squares, features, response)
    if _may_bend(features):
        from causal_tools.basis import SplinesAndProducts

        bent = [StandardScaler(), SplinesAndProducts(), StandardScaler()]
        candidates["ridge regression on splines and products"] = _ridge(bent, features, response)
    if len(features) >= ENOUGH_FOR_TREES:
        candidates["gradient-boosted trees"] = HistGradientBoostingRegressor(
            max_iter=120,
            learning_rate=0.08,
            max_leaf_nodes=15,
            min_samples_leaf=20,
            early_stopping=False,
            random_state=seed,
        )
    return candidates


def classifiers(features: np.ndarray, seed: int) -> dict[str, Any]:
    """The same for levels."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    candidates: dict[str, Any] = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
    }
    if _may_square(features):
        candidates["logistic regression with squares and products"] = make_pipeline(
            StandardScaler(),
            PolynomialFeatures(2, include_bias=False),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=1000),
        )
    if _may_bend(features):
        from causal_tools.basis import SplinesAndProducts

        candidates["logistic regression on splines and products"] = make_pipeline(
            StandardScaler(),
            SplinesAndProducts(classes=True),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=1000),
        )
    if len(features) >= ENOUGH_FOR_TREES:
        candidates["gradient-boosted trees"] = HistGradientBoostingClassifier(
            max_iter=60,
            learning_rate=0.08,
            max_leaf_nodes=10,
            min_samples_leaf=30,
            early_stopping=False,
            random_state=seed,
        )
    return candidates


def _ridge(steps: list[Any], features: np.ndarray, response: np.ndarray) -> Any:
    """A ridge regression of settled penalty: econml would replace the folds of a RidgeCV that it is given."""
    from sklearn.base import clone
    from sklearn.linear_model import Ridge, RidgeCV
    from sklearn.pipeline import make_pipeline

    settled = make_pipeline(*steps, RidgeCV(np.logspace(-3, 4, 15))).fit(features, response)
    return make_pipeline(*(clone(step) for step in steps), Ridge(float(settled[-1].alpha_)))


def _may_square(features: np.ndarray) -> bool:
    rows, width = features.shape
    return 0 < width <= MOST_FEATURES_SQUARED and rows >= 5 * width * (width + 3)


def _may_bend(features: np.ndarray) -> bool:
    from causal_tools.basis import spline_width

    rows, width = features.shape
    return width > 0 and rows >= ROWS_PER_SPLINE_FEATURE * spline_width(width)


def _best(
    candidates: dict[str, Any], features: np.ndarray, target: np.ndarray, scoring: str, seed: int, *, classes: bool
) -> Choice:
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

    splitter: Any = StratifiedKFold if classes else KFold
    folds = splitter(CHOICE_FOLDS, shuffle=True, random_state=seed)
    losses = {
        name: float(-np.mean(cross_val_score(model, features, target, cv=folds, scoring=scoring)))
        for name, model in candidates.items()
    }
    name = min(losses, key=lambda candidate: losses[candidate])
    return Choice(candidates[name], name, losses)


def propensity_floor(rows: int) -> float:
    """The least propensity that is divided by: fewer rows bear less extreme weights.

    Source: Gruber et al. (2022), 5 / (sqrt(n) ln n), kept between 1 % and 10 %.
    """
    return float(np.clip(5 / (np.sqrt(rows) * np.log(rows)), SMALLEST_PROPENSITY, 0.1))


def one_hot(codes: np.ndarray, levels: int) -> np.ndarray:
    """(rows, levels - 1) indicators of every level but the first."""
    return (codes[:, None] == np.arange(1, levels)[None, :]).astype(float)


def cross_fitted_propensity(model: Any, features: np.ndarray, codes: np.ndarray, levels: int, seed: int) -> np.ndarray:
    """(rows, levels) probabilities, each from models that did not see the row; shares when nothing is adjusted for."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    if features.shape[1] == 0:
        return np.tile(np.bincount(codes, minlength=levels) / len(codes), (len(codes), 1))
    folds = StratifiedKFold(min(FOLDS, int(np.bincount(codes).min())), shuffle=True, random_state=seed)
    return np.asarray(cross_val_predict(model, features, codes, cv=folds, method="predict_proba"))


def doubly_robust_scores(
    features: np.ndarray,
    codes: np.ndarray,
    response: np.ndarray,
    levels: int,
    propensity: np.ndarray,
    propensity_model: str,
    seed: int,
) -> Scores:
    """Augmented inverse-propensity scores of every level.

    Source: Robins, Rotnitzky & Zhao (1994); cross-fitting after Chernozhukov et al. (2018).
    """
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    # one model over all levels, with products of level and covariate, so that levels may differ in slope
    indicators = one_hot(codes, levels)
    choice = choose_regressor(np.column_stack([features, indicators]), response, seed)
    predicted = np.empty((len(codes), levels))
    folds = StratifiedKFold(min(FOLDS, int(np.bincount(codes).min())), shuffle=True, random_state=seed)
    for train, test in folds.split(features if features.shape[1] else indicators, codes):
        model = clone(choice.model).fit(_with_products(features[train], indicators[train]), response[train])
        for level in range(levels):
            assigned = np.zeros((len(test), levels - 1))
            if level:
                assigned[:, level - 1] = 1
            predicted[test, level] = model.predict(_with_products(features[test], assigned))
    clipped = np.clip(propensity, propensity_floor(len(codes)), 1)
    taken = codes[:, None] == np.arange(levels)[None, :]
    values = predicted + taken * (response[:, None] - predicted) / clipped
    return Scores(values, clipped, choice.name, propensity_model)


def _with_products(features: np.ndarray, indicators: np.ndarray) -> np.ndarray:
    products = (indicators[:, :, None] * features[:, None, :]).reshape(len(features), -1)
    return np.column_stack([features, indicators, products])
