"""Two worlds on the same noise: the joint law of a variable's levels under two conditional laws.

Every coupling has the same margins; they differ in how a unit of one world is matched with itself in the other, which
no observation and no experiment can tell. So it is part of the model, and is stated.
"""

from __future__ import annotations

from typing import get_args

import numpy as np

from sdscm.errors import ScenarioError
from sdscm.noise import Coupling


def check_coupling(coupling: str) -> None:
    """Raise ScenarioError for a coupling that is none of ``gumbel`` and ``inverse_cdf``."""
    if coupling not in get_args(Coupling):
        raise ScenarioError(f"no coupling {coupling!r}; there are: {', '.join(get_args(Coupling))}")


def joint_law(first: np.ndarray, second: np.ndarray, coupling: Coupling = "gumbel") -> np.ndarray:
    """P(level i under the first law, level j under the second), when both draw with the same noise.

    Args:
        first: (..., levels) probabilities, summing to 1 along the last axis.
        second: (..., levels) likewise; the leading axes broadcast against those of ``first``.
        coupling: ``gumbel``: argmax of log p + g, one standard Gumbel g a level (Oberst & Sontag 2019);
            ``inverse_cdf``: one uniform u, the first level whose cumulated probability is above u.

    Returns:
        (..., levels, levels); its last axis sums to ``first``, the one before to ``second``.

    Raises:
        ScenarioError: unknown coupling.
        ValueError: the two have different numbers of levels.
    """
    check_coupling(coupling)
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape[-1] != second.shape[-1]:
        raise ValueError(f"first has {first.shape[-1]} levels but second {second.shape[-1]}; they must agree")
    first, second = np.broadcast_arrays(first, second)
    return _gumbel(first, second) if coupling == "gumbel" else _inverse_cdf(first, second)


def _inverse_cdf(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Lengths of the overlaps of the levels' intervals in [0, 1]."""
    first_end, second_end = np.cumsum(first, axis=-1), np.cumsum(second, axis=-1)
    end = np.minimum(first_end[..., :, None], second_end[..., None, :])
    start = np.maximum((first_end - first)[..., :, None], (second_end - second)[..., None, :])
    return np.maximum(end - start, 0.0)


def _gumbel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The closed form for Gumbel-max.

    With E_l = exp(-g_l), a standard exponential, the argmax of log a + g is the argmin of E_l / a_l: a race. Let level i
    win the first race at time s, and level j the second, of weights b, at time t.

    - i = j: E_l > E_i max(a_l / a_i, b_l / b_i) for all other l, hence P(i, i) = 1 / Σ_l max(a_l / a_i, b_l / b_i).
    - i ≠ j: the density of (s, t) is a_i b_j exp(-Σ_l max(a_l s, b_l t)) where a_i s >= b_i t and b_j t >= a_j s, and 0
      elsewhere. In polar form, (s, t) = τ (u, 1 - u), it integrates over τ to a_i b_j / S(u)² with
      S(u) = Σ_l max(a_l u, b_l (1 - u)), and u runs from u_i to u_j, where u_l = b_l / (a_l + b_l).

    S is linear between neighbouring u_l, and ∫ du / S² = (q - p) / (S(p) S(q)) over a stretch [p, q] on which it is
    linear; so one cumulated sum over the sorted u_l serves all pairs. The diagonal is a_i b_i / ((a_i + b_i) S(u_i)) in
    these terms. S lies in [1/2, 1], and nothing is infinite where a weight is zero. A pair (i, j) has mass only if
    u_i < u_j, that is a_i / b_i > a_j / b_j: the counterfactual stability of Oberst & Sontag.
    """
    total = first + second
    possible = total > 0
    turn = np.divide(second, total, out=np.zeros_like(total), where=possible)  # u_l; of no weight where impossible
    order = np.argsort(turn, axis=-1, kind="stable")
    turns = np.take_along_axis(turn, order, axis=-1)
    height = np.maximum(
        first[..., None, :] * turns[..., :, None], second[..., None, :] * (1 - turns)[..., :, None]
    ).sum(axis=-1)  # S at the sorted turns
    steps = np.diff(turns, axis=-1) / (height[..., 1:] * height[..., :-1])
    area = np.concatenate([np.zeros_like(turns[..., :1]), np.cumsum(steps, axis=-1)], axis=-1)
    back = np.argsort(order, axis=-1)
    area, height = np.take_along_axis(area, back, axis=-1), np.take_along_axis(height, back, axis=-1)
    law = first[..., :, None] * second[..., None, :] * np.maximum(area[..., None, :] - area[..., :, None], 0.0)
    same = np.divide(first * second, total * height, out=np.zeros_like(total), where=possible)
    levels = np.arange(first.shape[-1])
    law[..., levels, levels] = same
    return law
