"""MA: how much of an effect goes through a mediator, by g-computation with regressions."""

from __future__ import annotations

import warnings as python_warnings
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.comparison import said_of_adjustment
from causal_tools.contract import CausalQuery, MediationResult
from causal_tools.errors import EstimationRefused
from causal_tools.natural_effects import RESAMPLES, Setting, bootstrap, natural_effects
from causal_tools.preparation import Prepared, prepare
from causal_tools.randomness import child_seed
from causal_tools.treatment import Response

ROWS_PER_TERM = 20
MOST_EXPLAINED = 0.999
LEVEL = 0.05


def mediate(query: CausalQuery, frame: pd.DataFrame, seed: int = 0, checks: bool = True) -> MediationResult:
    """Natural direct and indirect effects, with the treatment allowed to change what the mediator does.

    The direct effect moves the treatment and holds the mediator where it was without; the indirect effect moves the
    mediator under treatment; so the two add up to the total.

    Raises:
        EstimationRefused: the data cannot support an answer.

    Source: Pearl (2001); regressions as in VanderWeele (2015), chapter 2; percentile bootstrap.
    """
    prepared = prepare(query, frame)
    if prepared.mediator is None:
        raise EstimationRefused("mediation needs a mediator. Name the column that the effect may go through.")
    setting, notes = _setting(prepared, prepared.mediator)
    mediator_fit, response_fit = _point_fits(setting, notes)
    _refuse_determined(setting, prepared, mediator_fit)
    weights = np.ones(len(setting.treatment))
    point = natural_effects(setting, mediator_fit.params, response_fit.params, weights)
    draws = bootstrap(setting, mediator_fit.params, response_fit.params, child_seed(seed, "mediation"))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    direct, indirect, total, _ = (float(value) for value in point)
    intervals = [(float(low[position]), float(high[position])) for position in range(3)]
    kinds = {"mediator": _kind(setting.mediator), "response": _kind(setting.response)}
    return MediationResult(
        query=query,
        n_rows=len(setting.treatment),
        estimate=total,
        total=total,
        direct=direct,
        indirect=indirect,
        interval=intervals[2],
        direct_interval=intervals[0],
        indirect_interval=intervals[1],
        contrast=prepared.treatment.contrast,
        method=f"g-computation (statsmodels): {kinds['mediator']} regression of the mediator, {kinds['response']} "
        f"regression of "
        f"the response with treatment-mediator interaction, {RESAMPLES} bootstrap resamples",
        assumptions=_assumptions(prepared),
        diagnostics={
            "treatment_read_as": prepared.treatment.read_as,
            **_diagnostics(point, draws, setting, mediator_fit, response_fit),
            **(_sensitivity(setting, mediator_fit) if checks else {}),
        },
        warnings=[
            *prepared.notes,
            *notes,
            *_said_of_path(prepared, setting, mediator_fit),
            *(said_of_adjustment(prepared, intervals[2], _unit(prepared)) if query.covariates is None else ()),
        ],
    )


def _unit(prepared: Prepared) -> float:
    """By how much an amount is moved."""
    moved = prepared.treatment.moved
    return float(moved[1] - moved[0]) if prepared.treatment.asked and not prepared.treatment.discrete else 1.0


def _kind(variable: Response) -> str:
    return "logistic" if variable.binary else "linear"


def _setting(prepared: Prepared, mediator: Response) -> tuple[Setting, list[str]]:
    notes: list[str] = []
    treatment, rows = prepared.treatment, np.ones(prepared.size, dtype=bool)
    values, moved = treatment.data.astype(float), (0.0, 1.0)
    if treatment.discrete:
        rows = np.isin(treatment.data, [0, treatment.target])
        values = (treatment.data == treatment.target).astype(float)
        if not rows.all():
            notes.append(
                f"{int((~rows).sum())} row(s) under other levels of {treatment.name!r} were left out; "
                f"{treatment.levels[0]} is compared with {treatment.levels[treatment.target]}"
            )
    elif treatment.asked:
        moved = treatment.moved
    else:
        # far from its mean the product with the mediator would extrapolate
        centre = float(values.mean())
        moved = (centre, centre + 1)
    for role, variable in (("mediator", mediator), ("response", prepared.response)):
        if np.ptp(variable.data[rows]) == 0:
            raise EstimationRefused(
                f"the {role} {variable.name!r} does not vary among the rows compared. Choose another."
            )
    middle, spread = treatment_units = _units(values[rows], treatment.discrete)
    mediator_units = _units(mediator.data[rows], mediator.binary)
    setting = Setting(
        (values[rows] - middle) / spread,
        ((moved[0] - middle) / spread, (moved[1] - middle) / spread),
        Response(mediator.name, (mediator.data[rows] - mediator_units[0]) / mediator_units[1], mediator.binary),
        Response(prepared.response.name, prepared.response.data[rows], prepared.response.binary),
        _with_squares(prepared.covariates.matrix[rows]),
        treatment_units,
        mediator_units,
    )
    width = 4 + setting.covariates.shape[1]
    if len(setting.treatment) < 3 * width:
        raise EstimationRefused(
            f"{len(setting.treatment)} rows are too few for regressions with {width} terms. Name fewer "
            "covariates, or add rows."
        )
    return setting, notes


def _units(values: np.ndarray, levels: bool) -> tuple[float, float]:
    return (0.0, 1.0) if levels else (float(values.mean()), float(values.std()))


def _with_squares(matrix: np.ndarray) -> np.ndarray:
    spread = matrix.std(axis=0)
    scaled = (matrix[:, spread > 0] - matrix[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    continuous = [position for position in range(scaled.shape[1]) if len(np.unique(scaled[:, position])) > 10]
    if not continuous or len(scaled) < ROWS_PER_TERM * (scaled.shape[1] + len(continuous)):
        return scaled
    return np.column_stack([scaled, scaled[:, continuous] ** 2])


def _point_fits(setting: Setting, notes: list[str]) -> tuple[Any, Any]:
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

    designs = (
        setting.mediator_design(setting.treatment),
        setting.response_design(setting.treatment, setting.mediator.data),
    )
    fits = []
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always")
        for design, variable in zip(designs, (setting.mediator, setting.response), strict=True):
            model = (
                sm.GLM(variable.data, design, family=sm.families.Binomial())
                if variable.binary
                else sm.OLS(variable.data, design)
            )
            fits.append(model.fit() if variable.binary else model.fit(cov_type="HC1"))
    if any(issubclass(warning.category, (PerfectSeparationWarning, ConvergenceWarning)) for warning in caught):
        notes.append(
            "a logistic regression separates its two values almost perfectly; the effects lean on the model's form"
        )
    return fits[0], fits[1]


def _refuse_determined(setting: Setting, prepared: Prepared, mediator_fit: Any) -> None:
    fitted = mediator_fit.fittedvalues
    explained = 1 - np.var(setting.mediator.data - fitted) / np.var(setting.mediator.data)
    if explained > MOST_EXPLAINED:
        raise EstimationRefused(
            f"the treatment and the covariates explain {explained:.2%} of the mediator {setting.mediator.name!r}, so "
            f"its effect "
            f"cannot be told from that of {prepared.treatment.name!r}. Choose another mediator, or fewer covariates."
        )


def _diagnostics(
    point: np.ndarray, draws: np.ndarray, setting: Setting, mediator_fit: Any, response_fit: Any
) -> dict[str, Any]:
    direct, indirect, total, pure = (float(value) for value in point)
    low, high = np.quantile(draws[:, 3], [0.025, 0.975])
    (middle, spread), (_, mediator_spread) = setting.treatment_units, setting.mediator_units
    interaction = float(response_fit.params[3]) / (spread * mediator_spread)
    found: dict[str, Any] = {
        "indirect_without_treatment": pure,
        "indirect_without_treatment_interval": [float(low), float(high)],
        "treatment_on_mediator": float(mediator_fit.params[1]) * mediator_spread / spread,
        "mediator_on_response": float(response_fit.params[2]) / mediator_spread - middle * interaction,
        "interaction": interaction,
        "interaction_p_value": float(response_fit.pvalues[3]),
        "terms": int(setting.covariates.shape[1]) + 4,
    }
    settled = np.quantile(draws[:, :2], [0.025, 0.975], axis=0)
    # a share makes sense of two effects in one direction, both told from nought
    if direct * indirect > 0 and total != 0 and np.all(np.prod(settled, axis=0) > 0):
        found["proportion_mediated"] = indirect / total
    return found


def _said_of_path(prepared: Prepared, setting: Setting, mediator_fit: Any) -> list[str]:
    """A sentence where the mediator does not seem to lie between."""
    if mediator_fit.pvalues[1] < LEVEL:
        return []
    return [
        f"the data do not show that {prepared.treatment.name} moves {setting.mediator.name}, so that it may not lie between; "
        "an indirect effect is not to be expected"
    ]


def _sensitivity(setting: Setting, mediator_fit: Any) -> dict[str, Any]:
    """The correlation of the errors of mediator and response, by hidden causes, at which the indirect effect is nought.

    Without interaction, and for two amounts. Source: Imai, Keele & Yamamoto (2010), theorem 4.
    """
    if setting.mediator.binary or setting.response.binary:
        return {}
    design = setting.mediator_design(setting.treatment)
    coefficients = np.linalg.lstsq(design, setting.response.data, rcond=None)[0]
    errors = setting.response.data - design @ coefficients
    return {"error_correlation_without_indirect_effect": float(np.corrcoef(mediator_fit.resid, errors)[0, 1])}


def _assumptions(prepared: Prepared) -> list[str]:
    mediator = prepared.mediator.name if prepared.mediator else "the mediator"
    through = [
        *prepared.assumptions,
        f"nothing unmeasured drives both {mediator} and {prepared.response.name}, and no common "
        f"cause of the two is itself changed by {prepared.treatment.name}",
        "the regressions' forms are right: linear in the covariates and their squares",
    ]
    if not prepared.treatment.discrete and not prepared.treatment.asked:
        through.append(f"the effects are of one unit more of {prepared.treatment.name}, from its mean")
    return through
