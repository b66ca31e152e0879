"""Whether past actions left a choice: a policy cannot be judged where what was known decided them."""

from __future__ import annotations

import numpy as np

from causal_tools.conditions import Target
from causal_tools.errors import EstimationRefused
from causal_tools.preparation import Prepared

DECIDED = 0.95
FEWEST_OF_ACTION = 5


def refuse_decided(prepared: Prepared, propensity: np.ndarray) -> None:
    """Stop where the covariates foretell nearly every action.

    Smoothed propensities may stay above 1 % although a rule decided the actions; then the likeliest action is still the one
    taken in nearly every row, under each action.

    Args:
        prepared: the decision.
        propensity: (rows, levels), each row from models that did not see it.

    Raises:
        EstimationRefused: under every action, 95 % of the rows or more have it as their likeliest.
    """
    codes = prepared.treatment.data
    foretold = propensity.argmax(axis=1) == codes
    least = min(float(foretold[codes == code].mean()) for code in range(len(prepared.treatment.levels)))
    if least >= DECIDED:
        raise EstimationRefused(
            f"no overlap: the covariates foretell {prepared.treatment.name!r} for {least:.0%} of the rows or more under "
            "each action, so there is nobody alike under another action to compare with. Adjust for fewer columns (name "
            "the covariates), or add rows where either action was open."
        )


def require_actions(prepared: Prepared, target: Target, keep: np.ndarray) -> list[str]:
    """Stop where some action was hardly taken by the units asked about; what must be said where it was rare near a point.

    Args:
        keep: (rows,) those that can be compared.

    Raises:
        EstimationRefused: of the comparable rows that meet the conditions fewer than five took some action.
    """
    treatment = prepared.treatment
    counts = np.bincount(treatment.data[keep & target.mask], minlength=len(treatment.levels))
    if counts.min() < FEWEST_OF_ACTION:
        rare = treatment.levels[int(np.argmin(counts))]
        raise EstimationRefused(
            f"of the comparable rows that meet {target.text}, {int(counts.min())} took {treatment.name} = {rare}: what it does "
            "there cannot be told. Ask about a wider group."
        )
    near = np.bincount(treatment.data[keep & target.nearby(prepared.rows)], minlength=len(treatment.levels))
    if target.points and near.min() < FEWEST_OF_ACTION:
        rare = treatment.levels[int(np.argmin(near))]
        return [
            f"near {target.text} only {int(near.min())} row(s) took {treatment.name} = {rare}; its value there is read off "
            "a curve"
        ]
    return []
