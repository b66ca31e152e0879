"""Whether the groups can be compared at all: propensities, effective sizes, balance, hidden causes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from causal_tools.errors import EstimationRefused
from causal_tools.nuisance import SMALLEST_PROPENSITY, propensity_floor
from causal_tools.preparation import FEWEST_ROWS, Prepared

LEAST_KEPT = 0.5
FEW_IN_LEVEL = 40
SURELY_TOLD = 0.995
MOST_EXPLAINED = 0.999
LISTED_FEATURES = 30


def overlapping(prepared: Prepared, propensity: np.ndarray) -> np.ndarray:
    """(rows,) whether every level compared has a probability of at least 1 %, or a tenth of its share where that is less.

    Raises:
        EstimationRefused: most rows cannot be compared, or the covariates tell the levels compared apart almost without fail.
    """
    treatment = prepared.treatment
    shares = np.bincount(treatment.data, minlength=len(treatment.levels)) / prepared.size
    # a level that few have anyway is not foretold by being unlikely; of levels that are not compared nothing is asked
    least = np.minimum(SMALLEST_PROPENSITY, shares / 10)
    compared = [0, treatment.target] if treatment.asked else list(range(len(treatment.levels)))
    keep = np.asarray((propensity >= least)[:, compared].all(axis=1), dtype=bool)
    if told_apart(prepared.treatment.data, propensity, prepared.treatment.target) > SURELY_TOLD:
        keep[:] = False  # a smooth model's probabilities are too timid where the levels part at a line
    codes = prepared.treatment.data[keep]
    counts = np.bincount(codes, minlength=len(prepared.treatment.levels))[compared]
    if keep.mean() < LEAST_KEPT or keep.sum() < FEWEST_ROWS or counts.min() < 5:
        raise EstimationRefused(
            f"no overlap: for {int((~keep).sum())} of {prepared.size} rows the covariates all but decide "
            f"{prepared.treatment.name!r}, so there is nobody alike under another level to compare with. Adjust "
            "for fewer "
            f"columns (name the covariates; leave out any that follow from {prepared.treatment.name!r}), or add "
            "rows where "
            "both levels occur."
        )
    return keep


def told_apart(codes: np.ndarray, propensity: np.ndarray, target: int) -> float:
    """The area under the ROC curve of the propensity, of the target level against the reference."""
    from sklearn.metrics import roc_auc_score

    compared = np.isin(codes, (0, target))
    chances = propensity[compared]
    return float(roc_auc_score(codes[compared] == target, chances[:, target] / chances[:, [0, target]].sum(axis=1)))


def refuse_determined(prepared: Prepared, explained: float) -> None:
    """Stop where the covariates fix a continuous treatment.

    Raises:
        EstimationRefused: no variation of the treatment is left given the covariates.
    """
    if explained > MOST_EXPLAINED:
        raise EstimationRefused(
            f"the covariates explain {explained:.2%} of the variance of {prepared.treatment.name!r}: no variation "
            "is left "
            "to learn its effect from. Adjust for fewer columns (name the covariates)."
        )


def overlap_diagnostics(prepared: Prepared, propensity: np.ndarray, keep: np.ndarray) -> dict[str, Any]:
    """Propensity ranges, effective sample sizes, trimmed rows and balance before and after weighting."""
    treatment = prepared.treatment
    codes, kept = treatment.data[keep], propensity[keep]
    target = treatment.target
    floor = propensity_floor(len(codes))
    weights = 1 / np.clip(kept[np.arange(len(codes)), codes], floor, 1)
    effective = {}
    for code, level in enumerate(treatment.levels):
        mine = weights[codes == code]
        effective[str(level)] = round(float(mine.sum() ** 2 / np.sum(mine**2)), 1)
    return {
        "propensity_range": [float(propensity[:, target].min()), float(propensity[:, target].max())],
        "propensity_floor": floor,
        "effective_sample_size": effective,
        "rows_per_level": {str(level): int(np.sum(codes == code)) for code, level in enumerate(treatment.levels)},
        "rows_trimmed": int((~keep).sum()),
        "balance": balance(
            prepared.covariates.matrix[keep], prepared.covariates.names, codes == 0, codes == target, weights
        ),
    }


def balance(
    matrix: np.ndarray, names: list[str], reference: np.ndarray, target: np.ndarray, weights: np.ndarray
) -> list[dict[str, Any]]:
    """Standardised mean differences of each feature, before and after inverse-propensity weighting."""
    table: list[dict[str, Any]] = []
    for position, name in enumerate(names):
        feature = matrix[:, position]
        spread = math.sqrt((feature[reference].var() + feature[target].var()) / 2)
        if spread == 0:
            continue
        before = (feature[target].mean() - feature[reference].mean()) / spread
        after = (
            np.average(feature[target], weights=weights[target])
            - np.average(feature[reference], weights=weights[reference])
        ) / spread
        table.append({"covariate": name, "before": round(float(before), 4), "after": round(float(after), 4)})
    return sorted(table, key=lambda row: -abs(row["before"]))[:LISTED_FEATURES]


def e_value(effect: float, prepared: Prepared, asked: np.ndarray) -> float:
    """Risk ratio that a hidden cause needs with both treatment and response to explain the effect away.

    For a response of two values from the ratio of the two risks, which follow from the effect and the share of all that
    respond; for amounts with the approximation for differences in means.

    Args:
        asked: (rows,) those whose effect it is.

    Source: VanderWeele & Ding (2017).
    """
    treatment, response = prepared.treatment, prepared.response.data
    spread = float(response.std())
    ratio = math.exp(min(0.91 * abs(effect) / spread, 50.0)) if spread > 0 else 1.0
    compared = asked & np.isin(treatment.data, (0, treatment.target))
    if prepared.response.binary and compared.any():
        without = float(response[compared].mean() - effect * np.mean(treatment.data[compared] == treatment.target))
        if 0 < without < 1 and 0 < without + effect < 1:
            ratio = max(without / (without + effect), (without + effect) / without)
    return ratio + math.sqrt(ratio * (ratio - 1))


def robustness_value(estimator: Any, code: int | None) -> float:
    """The share of what is left of treatment and response that a hidden cause must explain for the interval to reach zero.

    Args:
        estimator: fitted, its last regression an average over everyone.
        code: the level compared with the reference; None for an amount.

    Source: Chernozhukov et al. (2022), by econml.
    """
    return float(estimator.robustness_value() if code is None else estimator.robustness_value(T=code))


def overlap_warnings(prepared: Prepared, diagnostics: dict[str, Any]) -> list[str]:
    """What a reader of the effect must know about the comparison."""
    found = []
    if diagnostics["rows_trimmed"]:
        found.append(
            f"{diagnostics['rows_trimmed']} of {prepared.size} rows have no counterpart under another level "
            "(probability below 1 %, or a tenth of a rarer level's share) and were left out; the effect is for the others"
        )
    few = [level for level, count in diagnostics["rows_per_level"].items() if count < FEW_IN_LEVEL]
    if few:
        found.append(
            f"fewer than {FEW_IN_LEVEL} rows have {prepared.treatment.name} = {', '.join(few)}; intervals may be too narrow"
        )
    thin = [
        level
        for level, size in diagnostics["effective_sample_size"].items()
        if size < max(10.0, 0.1 * diagnostics["rows_per_level"][level])
    ]
    if thin:
        found.append(f"few rows carry most of the weight under {prepared.treatment.name} = {', '.join(thin)}")
    uneven = [row["covariate"] for row in diagnostics["balance"] if abs(row["after"]) > 0.25]
    if uneven:
        found.append(
            f"still unbalanced after weighting: {', '.join(uneven[:5])}; the estimate leans on the outcome model there"
        )
    return found
