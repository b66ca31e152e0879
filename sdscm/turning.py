"""How the knobs of a scenario change the treatment's effect on the outcome."""

from __future__ import annotations

import numpy as np

from sdscm.errors import ScenarioError
from sdscm.noise import child_stream

REFERENCE_ROWS = 100


def turned_effect(
    arms: np.ndarray, treated: np.ndarray, centre: np.ndarray | float, effect: float, heterogeneity: float
) -> np.ndarray:
    """Scale an effect and its spread, leaving the mean over the arms as it is.

    With m(x) the mean of y(t, x) over the arms and d(t, x) = y(t, x) − m(x), the result is
    m(x) + effect · (centre(t) + heterogeneity · (d(t, x) − centre(t))).

    Args:
        arms: (rows, arms, values) y(t, x) under each treatment level.
        treated: (rows,) index of the arm whose values are wanted.
        centre: (arms, values) mean of d(t, x) over a reference set of x; not used at heterogeneity 1.
        effect: 1 leaves the effect as it is, 0 removes it.
        heterogeneity: 1 leaves its spread as it is, 0 gives every unit the same effect.

    Returns:
        (rows, values).

    Raises:
        ScenarioError: a value is infinite: a level of probability zero has no log-odds to scale.
    """
    if not np.isfinite(arms).all():
        raise ScenarioError(
            "effect and heterogeneity scale log-probabilities, so no level may have probability zero in any arm"
        )
    mean = arms.mean(axis=1)
    own = arms[np.arange(len(arms)), treated]
    if heterogeneity == 1:
        return mean + effect * (own - mean)
    middle = np.asarray(centre)[treated]
    return mean + effect * (middle + heterogeneity * (own - mean - middle))


def reference_rows(name: str, sizes: list[int]) -> np.ndarray:
    """(rows, parents) combinations of parents' level indices over which an effect is centred: all of them, or 100 drawn.

    The draw is uniform, and the same whenever the same variable with as many levels is asked for.
    """
    cells = np.prod(sizes, dtype=float)
    if cells <= REFERENCE_ROWS:
        return np.stack(np.unravel_index(np.arange(int(cells)), sizes), axis=1) if sizes else np.zeros((1, 0), int)
    return child_stream(0, "reference", name).integers(0, sizes, size=(REFERENCE_ROWS, len(sizes)))
