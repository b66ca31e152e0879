"""Double machine learning of one effect: nuisance models, the rows that can be compared, and the last regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from causal_tools.comparison import PlainEstimator
from causal_tools.conditions import Target
from causal_tools.final_stage import FinalStage, final_stage
from causal_tools.learners import Recipe
from causal_tools.nuisance import (
    ENOUGH_FOR_TREES,
    FOLDS,
    choose_classifier,
    choose_regressor,
    cross_fitted_propensity,
    one_hot,
)
from causal_tools.overlap import (
    MOST_EXPLAINED,
    overlap_diagnostics,
    overlap_warnings,
    overlapping,
    refuse_determined,
)
from causal_tools.preparation import Prepared

REPEATS_WHEN_SMALL = 3


@dataclass(frozen=True)
class Fitted:
    """A fitted econml estimator and where to evaluate it."""

    estimator: Any
    final: FinalStage | None
    method: str
    diagnostics: dict[str, Any]
    warnings: list[str]
    keep: np.ndarray
    recipe: Recipe | None = None

    def effect(self, treatment_from: float, treatment_to: float) -> tuple[float, tuple[float, float]]:
        """The effect of moving the treatment, with its 95 % interval."""
        estimates, low, high = self.effects(None, treatment_from, treatment_to)
        return float(estimates[0]), (float(low[0]), float(high[0]))

    def effects(self, at: np.ndarray | None, treatment_from: float, treatment_to: float) -> tuple[np.ndarray, ...]:
        """(units,) effects in the units ``at``, by default the one asked about, and the ends of their 95 % intervals."""
        moves = {"T0": treatment_from, "T1": treatment_to}
        unit = self.final.unit(at) if self.final else None
        ends = self.estimator.effect_interval(unit, alpha=0.05, **moves)
        return tuple(np.ravel(values) for values in (self.estimator.effect(unit, **moves), *ends))


def fit_discrete(prepared: Prepared, target: Target, seed: int) -> Fitted:
    features, treatment = _features(prepared), prepared.treatment
    propensity_choice = choose_classifier(features, treatment.data, seed)
    propensity = cross_fitted_propensity(propensity_choice.model, features, treatment.data, len(treatment.levels), seed)
    keep = overlapping(prepared, propensity)
    codes, response = treatment.data[keep], prepared.response.data[keep]
    outcome_choice = choose_regressor(
        np.column_stack([features[keep], one_hot(codes, len(treatment.levels))]), response, seed
    )
    recipe = Recipe(True, outcome_choice, propensity_choice, seed)
    final = final_stage(prepared, target, keep, features[keep])
    folds = min(FOLDS, int(np.bincount(codes).min()))
    estimator = recipe.estimator(len(codes), folds, _repeats(keep), final.featurizer(1))
    estimator.fit(response, codes, X=final.inputs, cache_values=True)
    degree = final.settle_degree(estimator, code=treatment.target)
    diagnostics = overlap_diagnostics(prepared, propensity, keep)
    diagnostics |= {
        "nuisance_losses": {"outcome": outcome_choice.losses, "propensity": propensity_choice.losses},
        **degree,
    }
    method = (
        f"LinearDRLearner (econml): doubly robust, {folds}-fold cross-fitting; outcome model {outcome_choice.name}, "
        f"propensity model {propensity_choice.name}{final.wording(degree)}"
    )
    return Fitted(estimator, final, method, diagnostics, overlap_warnings(prepared, diagnostics), keep, recipe)


def fit_continuous(prepared: Prepared, target: Target, seed: int) -> Fitted:
    from sklearn.base import clone
    from sklearn.model_selection import KFold, cross_val_predict

    features, amounts = _features(prepared), prepared.treatment.data
    keep = np.ones(prepared.size, dtype=bool)
    treatment_choice = choose_regressor(features, amounts, seed)
    outcome_choice = choose_regressor(features, prepared.response.data, seed)
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(clone(treatment_choice.model), features, amounts, cv=folds)
    explained = float(1 - np.mean((amounts - predicted) ** 2) / amounts.var())
    refuse_determined(prepared, explained)
    recipe = Recipe(False, outcome_choice, treatment_choice, seed)
    final = final_stage(prepared, target, keep, features)
    estimator = recipe.estimator(len(amounts), FOLDS, _repeats(keep), final.featurizer(1))
    estimator.fit(prepared.response.data, amounts, X=final.inputs, cache_values=True)
    degree = final.settle_degree(estimator, code=None)
    diagnostics = {
        "treatment_explained_by_covariates": explained,
        "treatment_range": [float(amounts.min()), float(amounts.max())],
        "nuisance_losses": {"outcome": outcome_choice.losses, "treatment": treatment_choice.losses},
        **degree,
    }
    method = (
        f"LinearDML (econml): double machine learning, {FOLDS}-fold cross-fitting; "
        f"outcome model {outcome_choice.name}, "
        f"treatment model {treatment_choice.name}{final.wording(degree)}"
    )
    warnings = (
        [
            f"the covariates explain {explained:.0%} of the variance of {prepared.treatment.name!r}; little "
            "variation is "
            "left to learn from"
        ]
        if 0.95 < explained <= MOST_EXPLAINED
        else []
    )
    return Fitted(estimator, final, method, diagnostics, warnings, keep, recipe)


def _features(prepared: Prepared) -> np.ndarray:
    """The covariates, or a constant where a conditioned column was the only one and could not be adjusted for."""
    matrix = prepared.covariates.matrix
    return matrix if matrix.shape[1] else np.zeros((prepared.size, 1))


def _repeats(keep: np.ndarray) -> int:
    """Small data sets depend on how the folds fell: fit several times and take the median."""
    return REPEATS_WHEN_SMALL if keep.sum() < ENOUGH_FOR_TREES else 1


def unadjusted_fit(prepared: Prepared) -> Fitted:
    method = (
        "difference in means with Welch's interval"
        if prepared.treatment.discrete
        else "least-squares slope with a heteroscedasticity-robust interval"
    )
    counts = {
        str(level): int(np.sum(prepared.treatment.data == code)) for code, level in enumerate(prepared.treatment.levels)
    }
    return Fitted(
        PlainEstimator(prepared),
        None,
        f"{method}; nothing was adjusted for",
        {"rows_per_level": counts} if counts else {},
        [],
        np.ones(prepared.size, dtype=bool),
    )
