"""ATE and HTE: what the treatment does to the response, on average or in the units asked about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.comparison import beside, said_of_adjustment
from causal_tools.conditions import Target, find_target
from causal_tools.contract import CausalQuery, EffectResult
from causal_tools.effect_fits import Fitted, fit_continuous, fit_discrete, unadjusted_fit
from causal_tools.forest import forest_beside, said_of_forest
from causal_tools.overlap import (
    e_value,
    robustness_value,
)
from causal_tools.preparation import Prepared, prepare
from causal_tools.randomness import child_seed, seeded
from causal_tools.robustness import refutations, said_of_refutations
from causal_tools.subgroups import effects_by_group, said_of_groups

CURVE_POINTS = 25
FEW_ROWS_A_FEATURE = 8
Z95 = 1.959964


def average_effect(query: CausalQuery, frame: pd.DataFrame, seed: int = 0, checks: bool = True) -> EffectResult:
    """The average treatment effect, adjusted for the covariates.

    Raises:
        EstimationRefused: the data cannot support an answer.
    """
    return _estimate(query, frame, seed, checks, "every usable row")


def subgroup_effect(query: CausalQuery, frame: pd.DataFrame, seed: int = 0, checks: bool = True) -> EffectResult:
    """The effect in the units that meet the query's conditions, adjusted for the covariates.

    Raises:
        EstimationRefused: the data cannot support an answer, or no rows meet the conditions.
        QueryError: a condition does not fit its column.
    """
    return _estimate(query, frame, seed, checks, "the units asked about")


def _estimate(query: CausalQuery, frame: pd.DataFrame, seed: int, checks: bool, population: str) -> EffectResult:
    prepared = prepare(query, frame)
    target = find_target(query.conditions, prepared.rows)
    with seeded(child_seed(seed, "effects")):
        if prepared.covariates.matrix.shape[1] == 0 and not query.conditions:
            fitted = unadjusted_fit(prepared)
        elif prepared.treatment.discrete:
            fitted = fit_discrete(prepared, target, child_seed(seed, "effects"))
        else:
            fitted = fit_continuous(prepared, target, child_seed(seed, "effects"))
        amount = not prepared.treatment.discrete
        moved = prepared.treatment.moved if amount else (0, prepared.treatment.target)
        estimate, interval = fitted.effect(*moved)
        diagnostics = {
            "treatment_read_as": prepared.treatment.read_as,
            "effect_in": target.text if query.conditions else population,
            **fitted.diagnostics,
        }
        if len(prepared.treatment.levels) > 2:
            diagnostics["contrasts"] = _every_contrast(prepared, fitted)
        curve = _curve(prepared, target, fitted, moved)
        if curve:
            diagnostics["effect_curve"] = curve
        warnings = [*prepared.notes, *target.warnings, *fitted.warnings, *_said_of_size(prepared)]
        if checks and fitted.recipe and fitted.final:
            found, said = _checked(prepared, target, fitted, (estimate, interval), child_seed(seed, "checks"))
            diagnostics |= found
            warnings += said
    diagnostics |= _beside(prepared, target, estimate)
    if query.conditions:
        diagnostics["rows_meeting_conditions"] = int(target.nearby(prepared.rows).sum())
        if not target.points:
            warnings.append(f"{diagnostics['rows_meeting_conditions']} of the {prepared.size} rows meet {target.text}")
    elif query.covariates is None:
        warnings += said_of_adjustment(prepared, interval, float(moved[1] - moved[0]) if amount else 1.0)
    return EffectResult(
        task="HTE" if query.task == "HTE" else "ATE",
        query=query,
        method=fitted.method,
        estimate=estimate,
        interval=interval,
        n_rows=int(fitted.keep.sum()),
        contrast=prepared.treatment.contrast,
        assumptions=_assumptions(prepared, target),
        diagnostics=diagnostics,
        warnings=warnings,
    )


def _said_of_size(prepared: Prepared) -> list[str]:
    """A sentence where the covariates are too many for the rows."""
    width = prepared.covariates.matrix.shape[1]
    if prepared.size >= FEW_ROWS_A_FEATURE * width:
        return []
    return [
        f"{prepared.size} rows are few for {width} features to adjust for; the interval may be too narrow. Name the covariates "
        "that matter"
    ]


def _checked(
    prepared: Prepared, target: Target, fitted: Fitted, given: tuple[float, tuple[float, float]], seed: int
) -> tuple[dict[str, Any], list[str]]:
    """What tests the effect, and what of it must be said; the estimator's last regression is another one afterwards."""
    recipe, final, treatment, keep = fitted.recipe, fitted.final, prepared.treatment, fitted.keep
    if recipe is None or final is None:
        raise ValueError("only an adjusted effect can be checked")
    found: dict[str, Any] = {}
    code = treatment.target if treatment.discrete else None
    if target.is_everyone:
        found["robustness_value"] = robustness_value(fitted.estimator, code)
    unit = 1.0 if treatment.discrete else treatment.moved[1] - treatment.moved[0]
    groups = effects_by_group(fitted.estimator, final, prepared.covariates, treatment.data[keep], code, unit)
    forest = forest_beside(recipe, prepared, keep, target, seed)
    average = (given[0], (given[1][1] - given[1][0]) / (2 * Z95)) if target.is_everyone else None
    refuted = refutations(
        recipe, prepared.response.data[keep], treatment.data[keep], final.features, code or 0, seed, average, unit
    )
    found |= {
        name: value
        for name, value in (("effects_by_group", groups), ("causal_forest", forest), ("refutations", refuted))
        if value
    }
    said = said_of_groups(groups, f"the effect of {treatment.name}")
    return found, [*said, *said_of_forest(forest, *given), *said_of_refutations(refuted)]


def _curve(prepared: Prepared, target: Target, fitted: Fitted, moved: tuple[float, float]) -> list[dict[str, Any]]:
    """The effect along the one column whose value is asked about, over its middle 96 %."""
    if len(target.points) != 1 or fitted.final is None:
        return []
    (label,) = target.points
    low, high = np.quantile(prepared.rows[label].to_numpy(dtype=float)[target.mask], [0.02, 0.98])
    values = np.linspace(float(low), float(high), CURVE_POINTS)
    points = [replace(target, points={label: float(value)}).standardised(prepared.rows)[1] for value in values]
    at = np.column_stack([np.ones(CURVE_POINTS), np.concatenate(points)])
    return [
        {"column": label, "at": float(value), "estimate": float(estimate), "interval": [float(below), float(above)]}
        for value, estimate, below, above in zip(values, *fitted.effects(at, *moved), strict=True)
    ]


def _every_contrast(prepared: Prepared, fitted: Fitted) -> list[dict[str, Any]]:
    contrasts = []
    for code, level in enumerate(prepared.treatment.levels[1:], start=1):
        effect, interval = fitted.effect(0, code)
        contrasts.append(
            {"from": prepared.treatment.levels[0], "to": level, "estimate": effect, "interval": list(interval)}
        )
    return contrasts


def _beside(prepared: Prepared, target: Target, estimate: float) -> dict[str, Any]:
    asked = target.nearby(prepared.rows)
    found = beside(prepared, asked)
    if prepared.treatment.discrete:
        found["e_value"] = e_value(estimate, prepared, asked)
    return found


def _assumptions(prepared: Prepared, target: Target) -> list[str]:
    stated = [*prepared.assumptions, "one unit's treatment does not change another's response"]
    if not prepared.treatment.discrete:
        stated.append(
            f"each unit more of {prepared.treatment.name} has the same effect; where units differ, "
            "those whose treatment is harder to foresee weigh more"
        )
    if target.points:
        stated.append(f"the effect varies smoothly with {', '.join(target.points)}")
    return stated
