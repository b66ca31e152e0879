"""econml's estimators as they are used here: doubly robust for levels, double machine learning for amounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from causal_tools.nuisance import Choice, propensity_floor


@dataclass(frozen=True)
class Recipe:
    """Which nuisance models an effect is estimated with, settled before any estimator is fitted.

    Attributes:
        discrete: whether the treatment has levels; then it is given as codes, the reference 0.
        outcome: of the response; for levels a model of covariates and indicators of the level.
        treatment: of the level's probabilities, or of the amount.
    """

    discrete: bool
    outcome: Choice
    treatment: Choice
    seed: int

    def estimator(self, rows: int, folds: int, repeats: int, featurizer: Any) -> Any:
        """An econml estimator, not fitted.

        Args:
            rows: how many it will be fitted on; fewer rows bear less extreme weights.
            repeats: of the cross-fitting, of which the median is taken.
            featurizer: what the effect is linear in, made of the covariates and what stands before them.
        """
        from econml.dml import LinearDML
        from econml.dr import LinearDRLearner

        common: dict[str, Any] = {
            "cv": folds,
            "mc_iters": repeats,
            "mc_agg": "median",
            "featurizer": featurizer,
            "fit_cate_intercept": False,
            "random_state": self.seed,
        }
        if self.discrete:
            return LinearDRLearner(
                model_propensity=self.treatment.model,
                model_regression=self.outcome.model,
                min_propensity=propensity_floor(rows),
                **common,
            )
        return LinearDML(model_y=self.outcome.model, model_t=self.treatment.model, **common)

    def average(
        self,
        response: np.ndarray,
        treatment: np.ndarray,
        features: np.ndarray,
        code: int,
        folds: int,
        moved: float = 1.0,
    ) -> tuple[float, float]:
        """The average effect of level ``code``, or of an amount moved by ``moved``, and its standard error."""
        from sklearn.preprocessing import FunctionTransformer

        estimator = self.estimator(len(response), folds, 1, FunctionTransformer(ones))
        estimator.fit(response, treatment, X=features)
        inference = estimator.coef__inference(T=code) if self.discrete else estimator.coef__inference()
        return moved * float(np.ravel(inference.point_estimate)[0]), abs(moved) * float(np.ravel(inference.stderr)[0])


def ones(inputs: np.ndarray) -> np.ndarray:
    """(rows, 1): an effect that is the same for all."""
    return np.ones((len(inputs), 1))
