"""A causal forest beside the estimate: does a method of another kind agree, and what does the effect vary with?

Source: Athey, Tibshirani & Wager (2019), generalised random forests, as in econml.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from causal_tools.conditions import Target
from causal_tools.learners import Recipe
from causal_tools.preparation import Prepared

MOST_ROWS = 4_000
FEWEST_ROWS = 500
TREES = 200
LISTED = 5


def forest_beside(recipe: Recipe, prepared: Prepared, keep: np.ndarray, target: Target, seed: int) -> dict[str, Any]:
    """The forest's effect in the units asked about, and the covariates by how much its splits used them.

    The interval is the mean of the trees' pointwise ones and so on the wide side. Where a point is asked about, its columns are
    set to it in the rows that meet the other conditions.

    Returns:
        ``rows``, ``estimate``, ``interval``, ``splits_by_covariate``; empty below 500 rows, without covariates, or where a column
        asked about was left out as following from others.
    """
    from econml.dml import CausalForestDML

    features, treatment = prepared.covariates.matrix, prepared.treatment
    amounts = {column.label for column in prepared.covariates.encoded if not column.levels}
    if not set(target.points) <= amounts:
        return {}  # a column asked about follows from the others, and cannot be set
    compared = keep & np.isin(treatment.data, (0, treatment.target)) if treatment.discrete else keep
    rows = np.flatnonzero(compared)
    if len(rows) < FEWEST_ROWS or not features.shape[1]:
        return {}
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_ROWS])
    given = (treatment.data[rows] == treatment.target).astype(int) if treatment.discrete else treatment.data[rows]
    forest = CausalForestDML(
        model_y=recipe.outcome.model,
        model_t=recipe.treatment.model,
        discrete_treatment=treatment.discrete,
        cv=2,
        n_estimators=TREES,
        min_samples_leaf=max(10, len(rows) // 200),
        max_depth=8,
        random_state=seed,
    )
    forest.fit(prepared.response.data[rows], given, X=features[rows])
    moved = (0, 1) if treatment.discrete else treatment.moved
    inference = forest.effect_inference(_asked(prepared, target, rows), T0=moved[0], T1=moved[1]).population_summary()
    low, high = (float(np.ravel(end)[0]) for end in inference.conf_int_mean(alpha=0.05))
    shares = np.ravel(forest.feature_importances_)
    by_column = {column.label: float(shares[list(column.positions)].sum()) for column in prepared.covariates.encoded}
    most = sorted(by_column.items(), key=lambda item: -item[1])[:LISTED]
    return {
        "method": f"CausalForestDML (econml), {TREES} trees",
        "rows": len(rows),
        "estimate": float(np.ravel(inference.mean_point)[0]),
        "interval": [low, high],
        "splits_by_covariate": dict(most),
    }


def said_of_forest(found: dict[str, Any], estimate: float, interval: tuple[float, float] | None) -> list[str]:
    """A sentence where the two intervals have nothing in common."""
    if not found or interval is None or (found["interval"][0] <= interval[1] and interval[0] <= found["interval"][1]):
        return []
    return [
        f"a causal forest beside gives {found['estimate']:.4g} ({found['interval'][0]:.4g} to {found['interval'][1]:.4g}) where "
        f"the estimate is {estimate:.4g}: the effect's shape is in doubt"
    ]


def _asked(prepared: Prepared, target: Target, rows: np.ndarray) -> np.ndarray:
    """(units, features) the rows that meet the conditions, with the points' columns set."""
    features = prepared.covariates.matrix[rows][target.mask[rows]]
    if not len(features):
        features = prepared.covariates.matrix[target.mask]
    features = features.copy()
    places = {column.label: column.positions[0] for column in prepared.covariates.encoded if not column.levels}
    for label, value in target.points.items():
        features[:, places[label]] = value
    return features
