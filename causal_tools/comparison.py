"""The comparison nobody adjusted: beside each adjusted effect, or alone where there is nothing to adjust for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from causal_tools.preparation import Prepared, named
from causal_tools.summary import format_number

_FEWEST = 5  # rows under an action whose plain mean says something


def plain_comparison(prepared: Prepared, rows: np.ndarray, reference: int, target: int) -> tuple[float, float, float]:
    """Difference in means (Welch) or least-squares slope (robust errors), with its 95 % interval."""
    response, values = prepared.response.data[rows], prepared.treatment.data[rows]
    if prepared.treatment.discrete:
        return _welch(response[values == target], response[values == reference])
    return _slope(response, values)


def _welch(treated: np.ndarray, control: np.ndarray) -> tuple[float, float, float]:
    from scipy import stats

    difference = float(treated.mean() - control.mean())
    parts = [group.var(ddof=1) / len(group) for group in (treated, control)]
    error = float(np.sqrt(sum(parts)))
    if error == 0:
        return difference, difference, difference
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(group) - 1) for part, group in zip(parts, (treated, control), strict=True)
    )
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return difference, difference - reach, difference + reach


def _slope(response: np.ndarray, amounts: np.ndarray) -> tuple[float, float, float]:
    import statsmodels.api as sm

    fit = sm.OLS(response, sm.add_constant(amounts)).fit(cov_type="HC1")
    low, high = fit.conf_int()[1]
    return float(fit.params[1]), float(low), float(high)


def beside(prepared: Prepared, mask: np.ndarray) -> dict[str, Any]:
    """The unadjusted comparison among the rows asked about, as diagnostics."""
    treatment = prepared.treatment
    values = treatment.data[mask]
    if treatment.discrete and min(np.sum(values == 0), np.sum(values == treatment.target)) < 2:
        return {}
    if not treatment.discrete and (len(values) < 3 or np.ptp(values) == 0):
        return {}
    name = "difference_in_means" if treatment.discrete else "unadjusted_slope"
    plain, low, high = plain_comparison(prepared, mask, 0, treatment.target)
    return {name: plain, f"{name}_interval": [low, high]}


def said_of_adjustment(prepared: Prepared, interval: tuple[float, float] | None, unit: float = 1.0) -> list[str]:
    """A sentence where adjusting for every other column moved an effect beyond both intervals: that is right for what was settled
    before the treatment, and hides part of the effect where a column came after it.

    Args:
        interval: of the adjusted effect.
        unit: by how much the treatment was moved, if it is an amount.
    """
    if interval is None or not prepared.covariates.used:
        return []
    found = beside(prepared, np.ones(prepared.size, dtype=bool))
    if not found:
        return []
    plain, ends = found.values()
    low, high = sorted(end * unit for end in ends)
    if low <= interval[1] and interval[0] <= high:
        return []
    kind = "difference" if prepared.treatment.discrete else "slope"
    return [
        f"adjusting for {named(prepared.covariates.used)} moved the effect away from {format_number(plain * unit)}, the plain "
        f"{kind}. {_right_only(prepared)}"
    ]


def said_of_best(prepared: Prepared, asked: np.ndarray, best: int, sense: int) -> list[str]:
    """The same of a choice of action: where another one has a better plain mean among the units asked about, beyond chance.

    Args:
        asked: (rows,) the units asked about.
        best: code of the recommended action.
        sense: 1 where a larger response is better, −1 where a smaller one is.
    """
    treatment, used = prepared.treatment, prepared.covariates.used
    codes, response = treatment.data[asked], sense * prepared.response.data[asked]
    counts = np.bincount(codes, minlength=len(treatment.levels))
    if not used or counts[best] < _FEWEST:
        return []
    means = {code: response[codes == code].mean() for code in range(len(counts)) if counts[code] >= _FEWEST}
    leads = max(means, key=lambda code: means[code])
    if leads == best:
        return []
    difference, low, _ = _welch(response[codes == leads], response[codes == best])
    if low <= 0:
        return []
    return [
        f"without adjusting for {named(used)}, {treatment.levels[leads]} would be best: its plain mean is better than that of "
        f"{treatment.levels[best]} by {format_number(difference)}. {_right_only(prepared)}"
    ]


def _right_only(prepared: Prepared) -> str:
    return (
        f"That is right only where these columns were settled before {prepared.treatment.name}: leave out what came after it, by "
        "naming the covariates"
    )


@dataclass(frozen=True)
class PlainEstimator:
    """The unadjusted comparison behind econml's interface, for data with nothing to adjust for."""

    prepared: Prepared

    def effect(self, _: None, T0: float, T1: float) -> np.ndarray:
        """(1,) the effect of moving the treatment from ``T0`` to ``T1``."""
        return self._scale(T0, T1) * np.array([self._compare(T0, T1)[0]])

    def effect_interval(self, _: None, alpha: float, T0: float, T1: float) -> tuple[np.ndarray, np.ndarray]:
        """(1,) and (1,) the ends of the 95 % interval; no other ``alpha`` is served."""
        if alpha != 0.05:
            raise ValueError(f"only 95 % intervals are made here; given alpha={alpha}")
        low, high = self._compare(T0, T1)[1:]
        ends = np.sort(self._scale(T0, T1) * np.array([low, high]))
        return ends[:1], ends[1:]

    def _scale(self, reference: float, other: float) -> float:
        """A slope is per unit; a difference in means is not."""
        return 1.0 if self.prepared.treatment.discrete else other - reference

    def _compare(self, reference: float, other: float) -> tuple[float, float, float]:
        everyone = np.ones(self.prepared.size, dtype=bool)
        return plain_comparison(self.prepared, everyone, int(reference), int(other))
