"""g-computation of natural effects: mean responses when treatment and mediator are set apart, and their bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causal_tools.treatment import Response

RESAMPLES = 400
QUADRATURE_NODES = 11
NEWTON_STEPS = 25
# keeps a resample in which a rare level happens to predict perfectly from running off to infinity
RIDGE = 1e-6


@dataclass(frozen=True)
class Setting:
    """Arrays of one mediation problem; ``moved`` are the treatment's values before and after.

    Amounts as treatment or mediator are standardised, so that neither their units nor their zero has a say in a regression.

    Attributes:
        covariates: (rows, features), standardised, squares of continuous ones included.
        treatment_units: mean and standard deviation in the file; (0, 1) of levels.
        mediator_units: the same of the mediator.
    """

    treatment: np.ndarray
    moved: tuple[float, float]
    mediator: Response
    response: Response
    covariates: np.ndarray
    treatment_units: tuple[float, float] = (0.0, 1.0)
    mediator_units: tuple[float, float] = (0.0, 1.0)

    def mediator_design(self, treatment: np.ndarray | float) -> np.ndarray:
        """(rows, 2 + features): constant, treatment, covariates."""
        level = np.broadcast_to(treatment, self.mediator.data.shape)
        return np.column_stack([np.ones(len(level)), level, self.covariates])

    def response_design(self, treatment: np.ndarray | float, mediator: np.ndarray | float) -> np.ndarray:
        """(rows, 4 + features): constant, treatment, mediator, their product, covariates."""
        level = np.broadcast_to(treatment, self.mediator.data.shape)
        through = np.broadcast_to(mediator, level.shape)
        return np.column_stack([np.ones(len(level)), level, through, level * through, self.covariates])


def natural_effects(
    setting: Setting, mediator_params: np.ndarray, response_params: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """(4,): natural direct, total indirect, total, and the indirect effect without treatment."""
    before, after = setting.moved
    spread = 0.0
    if not setting.mediator.binary:
        residual = setting.mediator.data - setting.mediator_design(setting.treatment) @ mediator_params
        spread = float(np.sqrt(np.average(residual**2, weights=weights)))
    untouched = _mean_response(setting, before, before, mediator_params, response_params, spread, weights)
    only_treated = _mean_response(setting, after, before, mediator_params, response_params, spread, weights)
    both = _mean_response(setting, after, after, mediator_params, response_params, spread, weights)
    only_mediator = _mean_response(setting, before, after, mediator_params, response_params, spread, weights)
    return np.array([only_treated - untouched, both - only_treated, both - untouched, only_mediator - untouched])


def _mean_response(
    setting: Setting,
    treatment: float,
    mediator_treatment: float,
    mediator_params: np.ndarray,
    response_params: np.ndarray,
    spread: float,
    weights: np.ndarray,
) -> float:
    """Mean response under ``treatment`` when the mediator is as it would be under ``mediator_treatment``."""
    predicted = setting.mediator_design(mediator_treatment) @ mediator_params
    covariates = setting.covariates @ response_params[4:] + response_params[0] + response_params[1] * treatment
    slope = response_params[2] + response_params[3] * treatment
    if setting.mediator.binary:
        chance = _logistic(predicted)
        outcome = chance * _link(setting, covariates + slope) + (1 - chance) * _link(setting, covariates)
    elif setting.response.binary:
        nodes, node_weights = np.polynomial.hermite_e.hermegauss(QUADRATURE_NODES)
        along = covariates[:, None] + slope * (predicted[:, None] + spread * nodes[None, :])
        outcome = _logistic(along) @ node_weights / node_weights.sum()
    else:
        outcome = covariates + slope * predicted
    return float(np.average(outcome, weights=weights))


def _link(setting: Setting, linear: np.ndarray) -> np.ndarray:
    return _logistic(linear) if setting.response.binary else linear


def _logistic(linear: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(linear, -35, 35))))


def bootstrap(setting: Setting, mediator_params: np.ndarray, response_params: np.ndarray, seed: int) -> np.ndarray:
    """(resamples, 4): effects with each row counted as often as it was drawn."""
    generator = np.random.default_rng(seed)
    rows = len(setting.treatment)
    mediator_design = setting.mediator_design(setting.treatment)
    response_design = setting.response_design(setting.treatment, setting.mediator.data)
    draws = np.empty((RESAMPLES, 4))
    for position in range(RESAMPLES):
        counts = np.bincount(generator.integers(0, rows, rows), minlength=rows).astype(float)
        mediator = weighted_fit(mediator_design, setting.mediator, counts, mediator_params)
        response = weighted_fit(response_design, setting.response, counts, response_params)
        draws[position] = natural_effects(setting, mediator, response, counts)
    return draws


def weighted_fit(design: np.ndarray, variable: Response, weights: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Coefficients of a weighted linear or logistic regression; the logistic one by Newton's steps from ``start``."""
    penalty = RIDGE * np.eye(design.shape[1])
    if not variable.binary:
        weighted = design * weights[:, None]
        return np.asarray(np.linalg.solve(design.T @ weighted + penalty, weighted.T @ variable.data))
    params = start.copy()
    for _ in range(NEWTON_STEPS):
        chance = _logistic(design @ params)
        gradient = design.T @ (weights * (variable.data - chance)) - RIDGE * params
        curvature = (design * (weights * chance * (1 - chance))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        params = params + step
        if np.max(np.abs(step)) < 1e-6:
            break
    return params
